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

/* Pairs are compared so many at a time, their memory being fetched ahead */
#define PAIR_BATCH 64

/* A pair of records that met at a key */
typedef struct MetPair
{
	uint32		left;
	uint32		right;
	uint32		code;
	int			key;
} MetPair;

/* Looks for pairs in blocks */
typedef struct PairFinder
{
	PairScorer *scorer;
	double		at_least;		/* weight */
	bool		wants_all;		/* is it so low that there is no giving pairs up early? */
	int			batch_count;
	MetPair		batch[PAIR_BATCH];
	bool		keep[PAIR_BATCH];
	PairState	states[PAIR_BATCH];
	FoundPair  *pairs;
	uint64		count;
	uint64		capacity;
	uint64		met;			/* pairs in blocks */
	uint64		compared;		/* those that the lines of their records did not settle */
} PairFinder;

/* Up to here all pairs are compared, without blocking */
#define COMPARE_ALL_PAIRS 2500000.0

extern double PairsLimit(double probability);
extern MatchRecords *PairsRecords(MatchModel *model, const char *source, const char *other);
extern FoundPair *FindPairs(MatchRecords *records, double at_least, uint64 *count);
extern FoundPair *FindPairsAtKeys(MatchRecords *records, MatchKeys *keys, double at_least, uint64 *count);
extern PairFinder *FinderCreate(PairScorer *scorer, double at_least);
extern void FinderReserve(PairFinder *finder, uint64 more);
extern void FinderAppend(PairFinder *finder, const FoundPair *pairs, uint64 count);
extern void FinderSearchSlice(PairFinder *finder, const MatchKeys *keys, int key, const KeysSlice *slice);
extern void FinderSearch(PairFinder *finder, const MatchKeys *keys);
extern void FinderSearchSeams(PairFinder *finder, const MatchKeys *keys);
extern void FinderCloseTriangles(PairFinder *finder);

#endif
