/*
 * Work on the pairs of blocks that parallel workers take part in.
 */
#ifndef LEAD_MGMT_PARALLEL_H
#define LEAD_MGMT_PARALLEL_H

#include "matching/pairs.h"
#include "matching/patterns.h"

extern int	SharedWorkers(const MatchRecords *records);
extern MatchKeys *KeysBuild(MatchRecords *records, double wanted);
extern void SharedSearch(MatchRecords *records, MatchKeys *keys, int workers, PairFinder *finder);
extern void SharedCount(MatchRecords *records, MatchKeys *keys, uint64 random_pairs, int workers,
						PatternTable *random, PatternTable *met);
extern void SharedRelease(MatchRecords *records);

#endif
