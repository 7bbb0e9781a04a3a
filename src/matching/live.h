/*
 * Live matching: one record against all contacts by the trained model of a
 * strategy, asked when none of its rules found anybody.
 */
#ifndef LEAD_MGMT_LIVE_H
#define LEAD_MGMT_LIVE_H

#include "matching/strategy.h"
#include "workspace/config.h"

typedef enum
{
	LIVE_NONE,
	LIVE_POSSIBLE,				/* from review_probability */
	LIVE_MATCH					/* from match_probability */
} LiveOutcome;

/* A record that a model is asked about */
typedef struct LiveQuestion
{
	MatchSide	side;
	int			refused_count;	/* contacts whom a person ruled out */
	const int64 *refused;
	bool		wants_all;		/* all candidates, not only the best */
} LiveQuestion;

/* Somebody a record may be of */
typedef struct LiveCandidate
{
	int64		id;
	double		probability;
	char	   *explanation;	/* JSON */
} LiveCandidate;

/* What a model says of a record */
typedef struct LiveAnswer
{
	LiveOutcome outcome;
	int64		id;				/* the best candidate, 0 for LIVE_NONE */
	double		probability;
	char	   *explanation;	/* JSON, or NULL */
	int			other_count;
	LiveCandidate *others;		/* the likelier ones first */
} LiveAnswer;

/* Most keys of a record that are locked */
#define LIVE_MAX_KEYS 16

/*
 * Is there a trained model for the strategy?  Nothing below is called where
 * there is none.
 */
extern bool MatchLiveReady(Workspace *ws, WorkspaceConfig *config, const MatchStrategy *strategy);

/* Takes locks on hashed keys by which a model looks a record up */
typedef void (*LiveLock) (void *arg, uint32 *keys, int count);

/*
 * Find whom each record is of; runs inside SPI, with the rights of the caller.
 * Before anything is read, locks are taken, unless there is nothing to take
 * them: two sessions that bring one new person at the same time are to meet in
 * those of the first record.
 */
extern void MatchLive(Workspace *ws, WorkspaceConfig *config, const MatchStrategy *strategy,
					  const LiveQuestion *questions, LiveAnswer *answers, int n, LiveLock lock, void *arg);

#endif
