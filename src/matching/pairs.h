/*
 * Pairs of records that match.
 */
#ifndef LEAD_MGMT_PAIRS_H
#define LEAD_MGMT_PAIRS_H

#include "matching/keys.h"
#include "matching/levels.h"

typedef struct FoundPair
{
	uint32		left;
	uint32		right;
	double		weight;
} FoundPair;

/* Looks for pairs in blocks */
typedef struct PairFinder
{
	PairScorer *scorer;
	double		at_least;		/* weight */
	FoundPair  *pairs;
	uint64		count;
	uint64		capacity;
	uint64		compared;
} PairFinder;

/* Up to here all pairs are compared, without blocking */
#define COMPARE_ALL_PAIRS 2500000.0

extern double PairsLimit(double probability);
extern MatchRecords *PairsRecords(MatchModel *model, const char *source, const char *other);
extern FoundPair *FindPairs(MatchRecords *records, MatchKeys *keys, double at_least, double share, uint64 *count);
extern PairFinder *FinderCreate(PairScorer *scorer, double at_least);
extern void FinderAppend(PairFinder *finder, const FoundPair *pairs, uint64 count);
extern void FinderVisit(void *state, const MatchKeys *keys, const MatchBlock *block);

#endif
