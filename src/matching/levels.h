/*
 * Levels: how far two values, and two records, agree.
 */
#ifndef LEAD_MGMT_LEVELS_H
#define LEAD_MGMT_LEVELS_H

#include "matching/records.h"

/* How two records compare */
typedef struct PairPattern
{
	int8		levels[MODEL_MAX_COMPARISONS];	/* or LEVEL_BLANK */
	int8		order;			/* of names: 0 straight, 1 swapped, or LEVEL_BLANK */
} PairPattern;

/* Entries of a cache of levels; a power of two */
#define LEVEL_CACHE_SIZE 32768

/* What is known of a pair of values: direct-mapped, as names repeat */
typedef struct LevelCache
{
	uint64	   *pairs;
	int8	   *levels;
} LevelCache;

/* Compares pairs of records of one set */
typedef struct PairScorer
{
	const MatchRecords *records;
	const MatchModel *model;
	LevelCache	caches[MODEL_MAX_COMPARISONS];
	int			step_count;
	int			order[MODEL_MAX_COMPARISONS];	/* of comparisons, the most useful first */
} PairScorer;

extern PairScorer *ScorerCreate(const MatchRecords *records);
extern void PairLevel(PairScorer *scorer, int c, const uint32 *left, const uint32 *right, PairPattern *pattern);
extern void PairNameLevels(PairScorer *scorer, const uint32 *left, const uint32 *right, PairPattern *pattern);
extern void PairLevels(PairScorer *scorer, const uint32 *left, const uint32 *right, PairPattern *pattern);
extern bool NameInMailbox(const MatchRecords *records, int name_field, uint32 name, int mailbox_field, uint32 mailbox);
extern double PatternRarity(const PairScorer *scorer, const uint32 *left, const uint32 *right,
							const PairPattern *pattern, double shared[RELATED_COUNT]);
extern double PatternWeight(const PairScorer *scorer, const uint32 *left, const uint32 *right,
							const PairPattern *pattern, double *parts);
extern bool PairWeight(PairScorer *scorer, const uint32 *left, const uint32 *right, double at_least,
					   PairPattern *pattern, double *weight);

#endif
