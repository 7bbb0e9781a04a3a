/*
 * Learned models: win probabilities of leads, in per cent, as scores.
 */
#ifndef LEAD_MGMT_LEARNED_H
#define LEAD_MGMT_LEARNED_H

#include "scoring/scoring.h"

/* A value of a feature of a lead, in the order of leads and features */
typedef struct LearnedValue
{
	bool		isnull;
	double		number;
	char	   *text;
	char	   *problem;		/* why there is none, or NULL */
} LearnedValue;

/* What makes a probability: a factor of the odds */
typedef struct LearnedPart
{
	const char *part;			/* prior, feature, calibration, limit */
	const char *feature;		/* or NULL */
	char	   *level;			/* or NULL */
	double		logit;
	const char *problem;		/* or NULL */
	int			place;			/* of the feature in its model, or -1 */
} LearnedPart;

extern void LearnedLoad(Workspace *ws, WorkspaceConfig *config);
extern LearnedValue *LearnedValues(const ScoringModel *model, HeapTuple *profiles, int n);

/* Scores in per cent, NaN where nothing was learned */
extern void LearnedScore(Workspace *ws, WorkspaceConfig *config, const ScoringModel *model, HeapTuple *profiles,
						 int n, double *scores);

/* The parts of one lead's score, a list of LearnedPart */
extern List *LearnedParts(Workspace *ws, WorkspaceConfig *config, const ScoringModel *model, HeapTuple profile);

extern struct Bayes *BayesCreate(const ScoringModel *model);
extern void BayesScore(Workspace *ws, WorkspaceConfig *config, const ScoringModel *model, HeapTuple *profiles,
					   int n, double *scores, List **parts);

extern bool LearnedReadsComputed(const WorkspaceConfig *config, const ScoringModel *model);
extern char **LearnedTags(const char *json, int *count);

#endif
