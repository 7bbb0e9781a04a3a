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

/* So many pairs are counted at a time, their memory being fetched ahead */
#define COUNTED_BATCH 64

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

/* Count a pair of records as far as its levels are known, and work out the others */
static void
AddPair(PatternTable *table, PairScorer *scorer, const uint32 *left, const uint32 *right, uint16 bound,
		PairPattern *pattern)
{
	PatternKey	key;
	PatternCount *entry;
	double		shared[RELATED_COUNT];
	double		correction;
	bool		found;

	PairCompleteLevels(scorer, left, right, pattern);
	memset(&key, 0, sizeof(key));
	memcpy(key.pattern.levels, pattern->levels, scorer->model->comparison_count);
	key.pattern.order = pattern->order;
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

/* A pair to be counted */
typedef struct CountedPair
{
	uint32		left;
	uint32		right;
	uint32		code;			/* under which it meets, */
	int			key;			/* at this key; negative for a random pair */
	uint16		bound;
	PairPattern pattern;
} CountedPair;

/* Pairs that are counted together */
typedef struct PairBatch
{
	PatternTable *table;
	PairScorer *scorer;
	const MatchKeys *keys;		/* or NULL for random pairs */
	uint16		depends[MODEL_MAX_KEYS];	/* comparisons that a key depends on */
	int			count;
	CountedPair pairs[COUNTED_BATCH];
} PairBatch;

/* Get the comparisons that every key at which a pair meets depends on; false when it has met before */
static bool
IsNewPair(const PairBatch *batch, CountedPair *pair)
{
	const MatchKeys *keys = batch->keys;
	uint32		agreeing;

	if (KeysMetBefore(keys, pair->key, pair->code, pair->left, pair->right))
		return false;
	agreeing = KeysAgreeing(keys, RecordCodes(keys, pair->left), RecordCodes(keys, pair->right));
	pair->bound = agreeing == 0 ? 0 : PG_UINT16_MAX;
	for (int k = 0; k < keys->model->key_count; k++)
		if (agreeing & (1u << k))
			pair->bound &= batch->depends[k];
	return true;
}

/* Count the pairs of a batch */
static void
BatchCount(PairBatch *batch)
{
	const MatchRecords *records = batch->scorer->records;
	int			count = 0;

	CHECK_FOR_INTERRUPTS();
	for (int i = 0; i < batch->count; i++)
		if (batch->keys == NULL || IsNewPair(batch, &batch->pairs[i]))
			batch->pairs[count++] = batch->pairs[i];
	for (int i = 0; i < count; i++)
		PairPeek(batch->scorer, RecordIds(records, batch->pairs[i].left), RecordIds(records, batch->pairs[i].right),
				 &batch->pairs[i].pattern);
	for (int stage = 0; stage < FETCH_STAGES; stage++)
		for (int i = 0; i < count; i++)
			PairFetch(batch->scorer, RecordIds(records, batch->pairs[i].left),
					  RecordIds(records, batch->pairs[i].right), &batch->pairs[i].pattern, stage);
	for (int i = 0; i < count; i++)
		AddPair(batch->table, batch->scorer, RecordIds(records, batch->pairs[i].left),
				RecordIds(records, batch->pairs[i].right), batch->pairs[i].bound, &batch->pairs[i].pattern);
	batch->count = 0;
}

/* Add a pair to a batch, fetching ahead what it is told by, and count the batch when it is full */
static inline void
BatchAdd(PairBatch *batch, uint32 left, uint32 right, int key, uint32 code)
{
	RecordFetch(batch->scorer->records, left);
	RecordFetch(batch->scorer->records, right);
	batch->pairs[batch->count++] = (CountedPair) {
		left, right, code, key
	};
	if (batch->count == COUNTED_BATCH)
		BatchCount(batch);
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

/* Count one of the parts of so many random pairs: of all there are when they are not more than wanted */
void
PatternsOfRandomPairs(PatternTable *table, PairScorer *scorer, uint64 wanted, int part)
{
	const MatchRecords *records = scorer->records;
	uint64		all = (uint64) records->count * (records->count - 1) / 2;
	PairBatch	batch = {.table = table,.scorer = scorer};
	pg_prng_state random;

	if (all <= wanted)
	{
		for (uint32 a = part; a < records->count; a += RANDOM_PARTS)
			for (uint32 b = a + 1; b < records->count; b++)
				BatchAdd(&batch, a, b, -1, CODE_NONE);
		BatchCount(&batch);
		return;
	}
	pg_prng_seed(&random, RANDOM_SEED + part);
	for (uint64 i = part; i < wanted; i += RANDOM_PARTS)
	{
		uint32		left = pg_prng_uint64_range(&random, 0, records->count - 1);
		uint32		right = pg_prng_uint64_range(&random, 0, records->count - 2);

		BatchAdd(&batch, left, right + (right >= left), -1, CODE_NONE);
	}
	BatchCount(&batch);
}

/* Count the pairs of a block */
static void
CountBlock(void *state, const MatchKeys *keys, const MatchBlock *block)
{
	PairBatch  *batch = state;

	for (int a = 0; a < block->count; a++)
		for (int b = a + 1; b < block->count; b++)
			BatchAdd(batch, block->numbers[a], block->numbers[b], block->key, block->code);
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
BatchInit(PairBatch *batch, PatternTable *table, PairScorer *scorer, const MatchKeys *keys)
{
	batch->table = table;
	batch->scorer = scorer;
	batch->keys = keys;
	batch->count = 0;
	for (int k = 0; k < keys->model->key_count; k++)
		batch->depends[k] = KeyDependents(keys->model, &keys->model->keys[k]);
}

/* Count the pairs that meet in a slice of the blocks of a key */
void
PatternsOfSlice(PatternTable *table, PairScorer *scorer, const MatchKeys *keys, int key, const KeysSlice *slice)
{
	PairBatch	batch;

	BatchInit(&batch, table, scorer, keys);
	KeysVisitSlice(keys, key, slice, true, CountBlock, &batch);
	BatchCount(&batch);
}

/* Count the pairs across the seams of blocks that were cut up */
void
PatternsOfSeams(PatternTable *table, PairScorer *scorer, const MatchKeys *keys)
{
	PairBatch	batch;

	BatchInit(&batch, table, scorer, keys);
	KeysVisitSeams(keys, CountBlock, &batch);
	BatchCount(&batch);
}

/* Count the pairs that meet in blocks */
void
PatternsOfBlocks(PatternTable *table, PairScorer *scorer, const MatchKeys *keys)
{
	KeysSlice	all = {0, 1};

	for (int k = 0; k < keys->model->key_count; k++)
		PatternsOfSlice(table, scorer, keys, k, &all);
	PatternsOfSeams(table, scorer, keys);
}
