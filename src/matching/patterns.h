/*
 * Patterns: how many pairs compare in which way.
 */
#ifndef LEAD_MGMT_PATTERNS_H
#define LEAD_MGMT_PATTERNS_H

#include "matching/keys.h"
#include "matching/levels.h"

/* Random pairs are drawn in so many parts, whoever draws them */
#define RANDOM_PARTS 8

/* Frequency corrections are told apart by so many classes, one bit of weight wide */
#define RARITY_CLASSES 32
#define RARITY_OFFSET 10

/* What tells patterns apart; compared as bytes, so it has no holes */
typedef struct PatternKey
{
	PairPattern pattern;
	uint8		rarity;			/* class of the frequency correction */
	uint16		bound;			/* comparisons that every key at which the pair met depends on */
} PatternKey;

typedef struct PatternCount
{
	PatternKey	key;
	uint32		status;
	uint64		count;
	double		correction;		/* sum of the frequency corrections, */
	double		shared_correction[RELATED_COUNT];	/* and of those of shared fields */
} PatternCount;

typedef struct PatternTable
{
	struct pattern_hash *patterns;
	uint64		pairs;
} PatternTable;

extern PatternTable *PatternsCreate(void);
extern PatternCount **PatternsList(const PatternTable *table, int *count);
extern void PatternsMerge(PatternTable *table, const PatternCount *counted);
extern void PatternsOfRandomPairs(PatternTable *table, PairScorer *scorer, uint64 wanted, int part);
extern uint16 KeyDependents(const MatchModel *model, const ModelKey *key);
extern void PatternsOfSlice(PatternTable *table, PairScorer *scorer, const MatchKeys *keys, int key,
							const KeysSlice *slice);
extern void PatternsOfSeams(PatternTable *table, PairScorer *scorer, const MatchKeys *keys);
extern void PatternsOfBlocks(PatternTable *table, PairScorer *scorer, const MatchKeys *keys);

#endif
