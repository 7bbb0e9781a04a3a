/*
 * Counting patterns: all that training needs to know of the pairs.
 *
 * Millions of pairs fall into a few thousand patterns, so expectation
 * maximisation goes over counts and costs next to nothing.
 */
#include "postgres.h"

#include <math.h>

#include "common/hashfn.h"
#include "common/pg_prng.h"
#include "matching/patterns.h"
#include "miscadmin.h"

/* A fixed seed: training twice on the same records gives the same model */
#define RANDOM_SEED 1969

/* So many pairs are drawn at a time, and their memory is fetched ahead */
#define RANDOM_BATCH 64

/* Sums of corrections are counted in parts of a bit: exact in a double up to half a billion bits */
#define TERM_UNITS 16777216.0

StaticAssertDecl(sizeof(PatternKey) == sizeof(PairPattern) + 3, "a pattern is compared as bytes");

#define SH_PREFIX pattern
#define SH_ELEMENT_TYPE PatternCount
#define SH_KEY_TYPE PatternKey
#define SH_KEY key
#define SH_HASH_KEY(tb, key) hash_bytes((const unsigned char *) &(key), sizeof(PatternKey))
#define SH_EQUAL(tb, a, b) (memcmp(&(a), &(b), sizeof(PatternKey)) == 0)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* Make an empty table of patterns */
PatternTable *
PatternsCreate(void)
{
	PatternTable *table = palloc0(sizeof(PatternTable));

	table->patterns = pattern_create(CurrentMemoryContext, 4096, NULL);
	return table;
}

/* Round a term of a sum so that the sum is exact, in whatever order it is formed */
static inline double
ExactTerm(double term)
{
	return rint(term * TERM_UNITS) / TERM_UNITS;
}

/* Count a pair of records */
void
PatternsAdd(PatternTable *table, PairScorer *scorer, const uint32 *left, const uint32 *right, uint16 bound)
{
	PatternKey	key;
	PatternCount *entry;
	double		shared[RELATED_COUNT];
	double		correction;
	bool		found;

	memset(&key, 0, sizeof(key));
	PairLevels(scorer, left, right, &key.pattern);
	correction = ExactTerm(PatternRarity(scorer, left, right, &key.pattern, shared));
	key.rarity = Max(0, Min(RARITY_CLASSES - 1, (int) rint(correction) + RARITY_OFFSET));
	key.bound = bound;
	entry = pattern_insert(table->patterns, key, &found);
	if (!found)
	{
		entry->count = 0;
		entry->correction = 0;
		memset(entry->shared_correction, 0, sizeof(entry->shared_correction));
	}
	entry->count++;
	entry->correction += correction;
	for (int r = 0; r < RELATED_COUNT; r++)
		entry->shared_correction[r] += ExactTerm(shared[r]);
	table->pairs++;
}

/* Add what was counted elsewhere */
void
PatternsMerge(PatternTable *table, const PatternCount *counted)
{
	bool		found;
	PatternCount *entry = pattern_insert(table->patterns, counted->key, &found);

	table->pairs += counted->count;
	if (!found)
	{
		entry->count = counted->count;
		entry->correction = counted->correction;
		memcpy(entry->shared_correction, counted->shared_correction, sizeof(entry->shared_correction));
		return;
	}
	entry->count += counted->count;
	entry->correction += counted->correction;
	for (int r = 0; r < RELATED_COUNT; r++)
		entry->shared_correction[r] += counted->shared_correction[r];
}

/* Order patterns */
static int
ComparePatterns(const void *a, const void *b)
{
	return memcmp(&(*(PatternCount *const *) a)->key, &(*(PatternCount *const *) b)->key, sizeof(PatternKey));
}

/* List the patterns of a table, in an order that depends on nothing else */
PatternCount **
PatternsList(const PatternTable *table, int *count)
{
	PatternCount **list = palloc(sizeof(PatternCount *) * Max(table->patterns->members, 1));
	PatternCount *entry;
	pattern_iterator at;

	*count = 0;
	pattern_start_iterate(table->patterns, &at);
	while ((entry = pattern_iterate(table->patterns, &at)) != NULL)
		list[(*count)++] = entry;
	qsort(list, *count, sizeof(PatternCount *), ComparePatterns);
	return list;
}

/* Count random pairs, or a part of them: all there are when they are not more than wanted */
void
PatternsOfRandomPairs(PatternTable *table, PairScorer *scorer, uint64 wanted, int part, int parts)
{
	const MatchRecords *records = scorer->records;
	uint64		all = (uint64) records->count * (records->count - 1) / 2;
	pg_prng_state random;

	if (all <= wanted)
	{
		for (uint32 a = part; a < records->count; a += parts)
		{
			CHECK_FOR_INTERRUPTS();
			for (uint32 b = a + 1; b < records->count; b++)
				PatternsAdd(table, scorer, RecordIds(records, a), RecordIds(records, b), 0);
		}
		return;
	}
	pg_prng_seed(&random, RANDOM_SEED);
	for (uint64 done = 0; done < wanted; done += RANDOM_BATCH)
	{
		uint32		pairs[RANDOM_BATCH][2];
		int			count = Min(RANDOM_BATCH, wanted - done);

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < count; i++)
		{
			pairs[i][0] = pg_prng_uint64_range(&random, 0, records->count - 1);
			pairs[i][1] = pg_prng_uint64_range(&random, 0, records->count - 2);
			pairs[i][1] += pairs[i][1] >= pairs[i][0];
		}
		if (done / RANDOM_BATCH % parts != part)
			continue;
		for (int stage = 0; stage < FETCH_STAGES; stage++)
			for (int i = 0; i < count; i++)
			{
				RecordFetch(records, pairs[i][0], stage);
				RecordFetch(records, pairs[i][1], stage);
			}
		for (int i = 0; i < count; i++)
		{
			if (i + 1 < count)
				PairFetch(scorer, RecordIds(records, pairs[i + 1][0]), RecordIds(records, pairs[i + 1][1]));
			PatternsAdd(table, scorer, RecordIds(records, pairs[i][0]), RecordIds(records, pairs[i][1]), 0);
		}
	}
}

/* What counts the pairs of blocks */
typedef struct BlockCounter
{
	PatternTable *table;
	PairScorer *scorer;
	uint16		depends[MODEL_MAX_KEYS];	/* comparisons that a key depends on */
} BlockCounter;

/* Count the pairs of a block */
static void
CountBlock(void *state, const MatchKeys *keys, const MatchBlock *block)
{
	BlockCounter *counter = state;

	for (int a = 0; a < block->count; a++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int b = a + 1; b < block->count; b++)
		{
			const uint32 *left = RecordIds(keys->records, block->numbers[a]);
			const uint32 *right = RecordIds(keys->records, block->numbers[b]);
			uint16		bound = PG_UINT16_MAX;
			uint32		agreeing;

			if (KeysMetBefore(keys, block, a, b))
				continue;
			PairFetch(counter->scorer, left, right);
			agreeing = KeysAgreeing(keys, RecordCodes(keys, block->numbers[a]), RecordCodes(keys, block->numbers[b]));
			for (int k = 0; k < keys->model->key_count; k++)
				if (agreeing & (1u << k))
					bound &= counter->depends[k];
			PatternsAdd(counter->table, counter->scorer, left, right, agreeing == 0 ? 0 : bound);
		}
	}
}

/* Get the comparisons that depend on the fields of a key, a bit for each */
uint16
KeyDependents(const MatchModel *model, const ModelKey *key)
{
	uint16		dependents = 0;

	for (int p = 0; p < key->part_count; p++)
	{
		const ModelField *field = &model->fields[key->parts[p].field];
		int			whole = field->whole >= 0 ? field->whole : key->parts[p].field;

		for (int c = 0; c < model->comparison_count; c++)
			if (model->comparisons[c].field == whole || model->comparisons[c].field == key->parts[p].field)
				dependents |= 1 << c;
		if (key->parts[p].transform == TRANSFORM_ANY_NAME)
			dependents |= (1 << model->given) | (1 << model->family);
	}
	return dependents;
}

/* Make what counts the pairs of blocks */
static void
CounterInit(BlockCounter *counter, PatternTable *table, PairScorer *scorer, const MatchKeys *keys)
{
	counter->table = table;
	counter->scorer = scorer;
	for (int k = 0; k < keys->model->key_count; k++)
		counter->depends[k] = KeyDependents(keys->model, &keys->model->keys[k]);
}

/* Count the pairs that meet in a slice of the blocks of a key */
void
PatternsOfSlice(PatternTable *table, PairScorer *scorer, const MatchKeys *keys, int key, const KeysSlice *slice)
{
	BlockCounter counter;

	CounterInit(&counter, table, scorer, keys);
	KeysVisitSlice(keys, key, slice, CountBlock, &counter);
}

/* Count the pairs across the seams of blocks that were cut up */
void
PatternsOfSeams(PatternTable *table, PairScorer *scorer, const MatchKeys *keys)
{
	BlockCounter counter;

	CounterInit(&counter, table, scorer, keys);
	KeysVisitSeams(keys, CountBlock, &counter);
}

/* Count the pairs that meet in blocks, or in a share of the blocks */
void
PatternsOfBlocks(PatternTable *table, PairScorer *scorer, const MatchKeys *keys, double share)
{
	BlockCounter counter;

	CounterInit(&counter, table, scorer, keys);
	KeysVisit(keys, share, CountBlock, &counter);
}
