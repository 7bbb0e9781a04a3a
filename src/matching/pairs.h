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

/* Up to here all pairs are compared, without blocking */
#define COMPARE_ALL_PAIRS 2500000.0

extern double PairsLimit(double probability);
extern MatchRecords *PairsRecords(MatchModel *model, const char *source, const char *other);
extern FoundPair *FindPairs(MatchRecords *records, const MatchKeys *keys, double at_least, double share, uint64 *count);

#endif
