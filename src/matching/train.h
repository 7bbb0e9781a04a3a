/*
 * Training: parameters of a match model from records without labels.
 */
#ifndef LEAD_MGMT_TRAIN_H
#define LEAD_MGMT_TRAIN_H

#include "matching/patterns.h"

/* How likely a pattern is one of a match, and one of related entities */
typedef struct PatternClass
{
	double		match;
	double		related[RELATED_COUNT];
	double		other;
} PatternClass;

/* Patterns and what they are taken for */
typedef struct PatternSet
{
	PatternCount **entries;
	PatternClass *classes;
	int			count;
	double		pairs;
} PatternSet;

/* Patterns of the same levels, whatever the frequency of the values */
typedef struct PatternFamily
{
	const PairPattern *pattern;
	double		stated;			/* share of the pairs that are blank where it is */
	double		doubtful;		/* matches that are likely but not certain */
} PatternFamily;

typedef struct Training
{
	MatchModel *model;
	MatchRecords *records;
	MatchKeys  *keys;			/* or NULL when all pairs were counted */
	double		all_pairs;
	bool		is_complete;	/* all pairs were counted */
	double		share;			/* of the blocks that were counted */
	PatternSet	random;
	PatternSet	met;
	PatternFamily *families;	/* of the patterns of pairs that met */
	int			family_count;
	int		   *family;			/* by such pattern */
	double		preset_m[MODEL_MAX_COMPARISONS][MODEL_MAX_LEVELS];
	double		evidence[MODEL_MAX_COMPARISONS];	/* matching pairs that m rests on */
	double		agreeing[MODEL_MAX_COMPARISONS];	/* pairs of equal values, all counted */
	double		present[MODEL_MAX_COMPARISONS];	/* share of pairs with both values */
	double		matches;
	double		change;
	int			iterations;
	bool		has_converged;
} Training;

/* Fewer matching pairs than this are no evidence */
#define MIN_MATCHES 15

extern void ModelMeasurePresence(MatchModel *model, const MatchRecords *records);
extern void ModelMeasureFields(MatchModel *model, MatchRecords *records);
extern void ModelMeasureWholeNames(MatchModel *model, const MatchRecords *records);
extern void ModelMeasureUnits(MatchModel *model, MatchRecords *records);
extern bool LevelIsOfEmail(const ModelLevel *level);
extern void TrainingFindFamilies(Training *training);
extern void TrainingExpect(Training *training);
extern double PatternProbability(const MatchModel *model, const PatternCount *entry);
extern void TrainingSetThreshold(Training *training);
extern Jsonb *TrainingReport(const Training *training);
extern void TrainingFindGroups(Training *training);
extern void TrainingMaximiseGroups(Training *training);

#endif
