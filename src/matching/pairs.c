/*
 * Finding pairs of records that match.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "matching/arrays.h"
#include "matching/choose.h"
#include "matching/parallel.h"
#include "matching/train.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* Columns of a pair that is returned */
#define PAIR_COLUMNS 5

/* The keys of so many pairs are fetched ahead */
#define KEYS_AHEAD 16

/* Make what looks for pairs */
PairFinder *
FinderCreate(PairScorer *scorer, double at_least)
{
	PairFinder *finder = palloc(sizeof(PairFinder));

	finder->scorer = scorer;
	finder->at_least = at_least;
	finder->wants_all = at_least <= scorer->model->prior_weight;
	finder->count = finder->met = finder->compared = 0;
	finder->batch_count = 0;
	finder->capacity = 1024;
	finder->pairs = palloc(sizeof(FoundPair) * finder->capacity);
	return finder;
}

/* Make room for more pairs */
void
FinderReserve(PairFinder *finder, uint64 more)
{
	if (finder->count + more <= finder->capacity)
		return;
	finder->capacity = Max(finder->capacity * 2, finder->count + more);
	finder->pairs = ArrayGrow(finder->pairs, sizeof(FoundPair) * finder->capacity);
}

/* Note pairs that were found */
void
FinderAppend(PairFinder *finder, const FoundPair *pairs, uint64 count)
{
	FinderReserve(finder, count);
	memcpy(finder->pairs + finder->count, pairs, sizeof(FoundPair) * count);
	finder->count += count;
}

/* Note a pair that was found */
static inline void
AddPair(PairFinder *finder, uint32 left, uint32 right, double weight)
{
	FoundPair	pair = {Min(left, right), Max(left, right), weight};

	FinderAppend(finder, &pair, 1);
}

/* Are two records of one of two sets that are to be linked? */
static inline bool
SameSet(const MatchRecords *records, uint32 left, uint32 right)
{
	return records->left_count > 0 && (left < records->left_count) == (right < records->left_count);
}

/* Keep the pairs of a batch that are marked, closing up, and their states if they have any yet */
static void
KeepPairs(PairFinder *finder, bool has_states)
{
	int			kept = 0;

	for (int i = 0; i < finder->batch_count; i++)
		if (finder->keep[i])
		{
			if (kept < i)
			{
				finder->batch[kept] = finder->batch[i];
				if (has_states)
					finder->states[kept] = finder->states[i];
			}
			kept++;
		}
	finder->batch_count = kept;
}

/* Keep the pairs of a batch that have not met at an earlier key */
static void
KeepFirstMeetings(PairFinder *finder, const MatchKeys *keys)
{
	const MetPair *batch = finder->batch;

	for (int i = 0; i < finder->batch_count; i++)
		finder->keep[i] = !KeysMetBefore(keys, batch[i].key, batch[i].code, batch[i].left, batch[i].right);
	KeepPairs(finder, !finder->wants_all);
}

/* Keep the pairs of a batch that may reach the weight asked for, as the lines of their records tell */
static void
KeepLikely(PairFinder *finder, const MatchKeys *keys)
{
	const MatchRecords *records = keys->records;
	const MetPair *batch = finder->batch;

	for (int i = 0; i < finder->batch_count; i++)
	{
		finder->keep[i] = PairMayReach(finder->scorer, RecordIds(records, batch[i].left),
									   RecordIds(records, batch[i].right), finder->at_least, &finder->states[i]);
		if (finder->keep[i])
		{
			CodesFetch(keys, batch[i].left);
			CodesFetch(keys, batch[i].right);
		}
	}
	KeepPairs(finder, true);
}

/* Compare a pair; returns whether it reaches the weight asked for */
static inline bool
ComparePair(PairFinder *finder, const uint32 *left, const uint32 *right, PairState *state, double *weight)
{
	if (!finder->wants_all)
		return PairReaches(finder->scorer, left, right, finder->at_least, state, weight);
	PairCompleteLevels(finder->scorer, left, right, &state->pattern);
	*weight = PatternWeight(finder->scorer, left, right, &state->pattern, NULL);
	return *weight >= finder->at_least;
}

/*
 * Compare the pairs of a batch, unless they have met at an earlier key: first
 * by the lines of their records, which were fetched ahead and settle most of
 * them, or most of their levels; then by what is fetched ahead for all of them.
 */
static void
CompareBatch(PairFinder *finder, const MatchKeys *keys)
{
	const MatchRecords *records = keys->records;
	const MetPair *batch = finder->batch;

	CHECK_FOR_INTERRUPTS();
	finder->met += finder->batch_count;
	if (!finder->wants_all)
		KeepLikely(finder, keys);
	KeepFirstMeetings(finder, keys);
	for (int i = 0; finder->wants_all && i < finder->batch_count; i++)
		PairPeek(finder->scorer, RecordIds(records, batch[i].left), RecordIds(records, batch[i].right),
				 &finder->states[i].pattern);
	for (int stage = 0; stage < FETCH_STAGES; stage++)
		for (int i = 0; i < finder->batch_count; i++)
			PairFetch(finder->scorer, RecordIds(records, batch[i].left), RecordIds(records, batch[i].right),
					  &finder->states[i].pattern, stage);
	for (int i = 0; i < finder->batch_count; i++)
	{
		double		weight;

		if (ComparePair(finder, RecordIds(records, batch[i].left), RecordIds(records, batch[i].right),
						&finder->states[i], &weight))
			AddPair(finder, batch[i].left, batch[i].right, weight);
	}
	finder->compared += finder->batch_count;
	finder->batch_count = 0;
}

/* Compare the pairs of a block, a batch at a time */
static void
VisitBlock(void *state, const MatchKeys *keys, const MatchBlock *block)
{
	PairFinder *finder = state;

	for (int a = 0; a < block->count; a++)
		for (int b = a + 1; b < block->count; b++)
		{
			if (SameSet(keys->records, block->numbers[a], block->numbers[b]))
				continue;
			finder->batch[finder->batch_count++] = (MetPair) {
				block->numbers[a], block->numbers[b], block->code, block->key
			};
			if (finder->batch_count == PAIR_BATCH)
				CompareBatch(finder, keys);
		}
}

/* Look for pairs in a slice of a key */
void
FinderSearchSlice(PairFinder *finder, const MatchKeys *keys, int key, const KeysSlice *slice)
{
	KeysVisitSlice(keys, key, slice, finder->wants_all, VisitBlock, finder);
	CompareBatch(finder, keys);
}

/* Look for pairs across the seams of blocks that were cut up */
void
FinderSearchSeams(PairFinder *finder, const MatchKeys *keys)
{
	KeysVisitSeams(keys, VisitBlock, finder);
	CompareBatch(finder, keys);
}

/* Look for pairs in the blocks of all keys */
void
FinderSearch(PairFinder *finder, const MatchKeys *keys)
{
	KeysSlice	all = {0, 1};

	for (int k = 0; k < keys->model->key_count; k++)
		FinderSearchSlice(finder, keys, k, &all);
	FinderSearchSeams(finder, keys);
}

/* Compare all pairs there are */
static void
SearchAll(PairFinder *finder, const MatchRecords *records)
{
	for (uint32 a = 0; a < records->count; a++)
	{
		CHECK_FOR_INTERRUPTS();
		for (uint32 b = a + 1; b < records->count; b++)
		{
			PairPattern pattern;
			double		weight;

			if (!SameSet(records, a, b) &&
				PairWeight(finder->scorer, RecordIds(records, a), RecordIds(records, b), finder->at_least,
						   &pattern, &weight))
				AddPair(finder, a, b, weight);
		}
	}
}

/* Search the blocks of keys, together with workers if there are any, and what both match a third record if wanted */
static void
SearchKeys(PairFinder *finder, MatchRecords *records, MatchKeys *keys, bool with_triangles)
{
	int			workers = SharedWorkers(records);

	if (workers > 0)
		SharedSearch(records, keys, workers, finder);
	else
		FinderSearch(finder, keys);
	if (with_triangles && records->left_count == 0)
		FinderCloseTriangles(finder);
	RecordsReport(records, UINT64_FORMAT " pairs met, " UINT64_FORMAT " compared in full, " UINT64_FORMAT " found",
				  finder->met, finder->compared, finder->count);
}

/* Find the pairs of records whose weight reaches a limit */
FoundPair *
FindPairs(MatchRecords *records, double at_least, uint64 *count)
{
	PairFinder *finder = FinderCreate(ScorerCreate(records), at_least);

	if (RecordsAllPairs(records) <= COMPARE_ALL_PAIRS)
		SearchAll(finder, records);
	else
		SearchKeys(finder, records, KeysBuild(records, INFINITY), true);
	*count = finder->count;
	return finder->pairs;
}

/* Find the pairs of records whose weight reaches a limit among those that meet at keys, however few there are */
FoundPair *
FindPairsAtKeys(MatchRecords *records, MatchKeys *keys, double at_least, uint64 *count)
{
	PairFinder *finder = FinderCreate(ScorerCreate(records), at_least);

	SearchKeys(finder, records, keys, false);
	*count = finder->count;
	return finder->pairs;
}

/* Check a probability from which on pairs are wanted; kept away from 0 and 1 */
double
PairsLimit(double probability)
{
	if (isnan(probability) || probability < 0 || probability > 1)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("%g is not a probability between 0 and 1", probability)));
	return Max(1e-12, Min(1 - 1e-12, probability));
}

/* Read the records of one source, or of two that are to be linked, and see to the model's keys */
MatchRecords *
PairsRecords(MatchModel *model, const char *source, const char *other)
{
	MatchRecords *records = RecordsCreate(model);

	RecordsLoad(records, source, model->key_column, other == NULL);
	if (other)
	{
		records->left_count = records->count;
		RecordsLoad(records, other, model->key_column, false);
	}
	RecordsSetRarity(records);
	RecordsDropLookup(records);
	if (model->key_count == 0 && RecordsAllPairs(records) > COMPARE_ALL_PAIRS)
	{
		KeyChoice  *choice;

		ModelMeasurePresence(model, records);
		choice = KeyChoiceCreate(model, records);
		KeyChoiceTake(choice, NULL, 0, false);
		KeyChoiceFree(choice);
	}
	return records;
}

/* Pairs on their way out as rows */
typedef struct PairRows
{
	const MatchRecords *records;	/* of which only the keys are looked at */
	double		match_probability;
	const FoundPair *pairs;
	uint64		count;
	uint64		next;
	Datum		match;
	Datum		possible;
	StringInfoData left;
	StringInfoData right;
} PairRows;

/* Begin to return pairs */
static void
RowsInit(PairRows *rows, const MatchRecords *records, double match_probability, const FoundPair *pairs, uint64 count)
{
	rows->records = records;
	rows->match_probability = match_probability;
	rows->pairs = pairs;
	rows->count = count;
	rows->next = 0;
	rows->match = CStringGetTextDatum("match");
	rows->possible = CStringGetTextDatum("possible");
	initStringInfo(&rows->left);
	initStringInfo(&rows->right);
}

/* Get the columns of the next row, which stand until the one after it */
static inline void
NextRow(PairRows *rows, Datum values[PAIR_COLUMNS])
{
	const FoundPair *pair = &rows->pairs[rows->next];
	const FoundPair *ahead = &rows->pairs[Min(rows->next + KEYS_AHEAD, rows->count - 1)];
	double		probability = WeightProbability(pair->weight);

	if (rows->next++ % 65536 == 0)
		CHECK_FOR_INTERRUPTS();
	RecordsKeyFetch(rows->records, ahead->left);
	RecordsKeyFetch(rows->records, ahead->right);
	values[0] = RecordsKeyDatum(rows->records, pair->left, &rows->left);
	values[1] = RecordsKeyDatum(rows->records, pair->right, &rows->right);
	values[2] = Float8GetDatum(probability);
	values[3] = Float8GetDatum(pair->weight);
	values[4] = probability >= rows->match_probability ? rows->match : rows->possible;
}

/* Find pairs as the arguments of find_pairs() say */
static MatchRecords *
FindPairsAsked(FunctionCallInfo fcinfo, FoundPair **pairs, uint64 *count, double *match_probability)
{
	MatchModel *model;
	MatchRecords *records;
	double		at_least;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("records and model must be given")));
	model = ModelRead(PG_GETARG_JSONB_P(1));
	at_least = PG_ARGISNULL(2) ? model->review_probability : PairsLimit(PG_GETARG_FLOAT8(2));
	records = PairsRecords(model, text_to_cstring(PG_GETARG_TEXT_PP(0)),
						   PG_ARGISNULL(3) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(3)));
	*pairs = FindPairs(records, log2(at_least) - log2(1 - at_least), count);
	*match_probability = model->match_probability;
	return records;
}

/* Keep the pairs that were found and what records are called, and nothing else, while rows are asked for one by one */
static PairRows *
KeepRows(FunctionCallInfo fcinfo)
{
	MemoryContext work = AllocSetContextCreate(CurrentMemoryContext, "lead_mgmt find pairs", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(work);
	PairRows   *rows;
	FoundPair  *pairs;
	FoundPair  *kept;
	uint64		count;
	double		match_probability;
	MatchRecords *found = FindPairsAsked(fcinfo, &pairs, &count, &match_probability);

	SharedRelease(found);
	MemoryContextSwitchTo(old);
	kept = ArrayAllocate(CurrentMemoryContext, sizeof(FoundPair) * (count + 1));
	memcpy(kept, pairs, sizeof(FoundPair) * count);
	rows = palloc(sizeof(PairRows));
	RowsInit(rows, RecordsCopyKeys(found), match_probability, kept, count);
	MemoryContextDelete(work);
	return rows;
}

/* Return the next pair where rows are asked for one by one */
static Datum
StreamPairs(FunctionCallInfo fcinfo)
{
	FuncCallContext *funcctx;
	PairRows   *rows;

	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext old;
		TupleDesc	desc;

		funcctx = SRF_FIRSTCALL_INIT();
		old = MemoryContextSwitchTo(funcctx->multi_call_memory_ctx);
		if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "return type must be a row type");
		funcctx->tuple_desc = BlessTupleDesc(desc);
		funcctx->user_fctx = KeepRows(fcinfo);
		MemoryContextSwitchTo(old);
	}
	funcctx = SRF_PERCALL_SETUP();
	rows = funcctx->user_fctx;
	if (rows->next < rows->count)
	{
		Datum		values[PAIR_COLUMNS];
		bool		nulls[PAIR_COLUMNS] = {false};

		NextRow(rows, values);
		SRF_RETURN_NEXT(funcctx, HeapTupleGetDatum(heap_form_tuple(funcctx->tuple_desc, values, nulls)));
	}
	SRF_RETURN_DONE(funcctx);
}

/*
 * Find pairs of matching records by a model.  A query that has the function in
 * its FROM stores the rows before it looks at the first.  One that selects it
 * takes them one by one, so that they need be stored nowhere on their way.
 */
PG_FUNCTION_INFO_V1(find_pairs);
Datum
find_pairs(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MatchRecords *records;
	FoundPair  *pairs;
	uint64		count;
	double		match_probability;
	PairRows	rows;

	if (rsinfo && IsA(rsinfo, ReturnSetInfo) && (rsinfo->allowedModes & SFRM_ValuePerCall) &&
		!(rsinfo->allowedModes & SFRM_Materialize_Preferred))
		return StreamPairs(fcinfo);
	InitMaterializedSRF(fcinfo, 0);
	records = FindPairsAsked(fcinfo, &pairs, &count, &match_probability);
	RowsInit(&rows, records, match_probability, pairs, count);
	while (rows.next < rows.count)
	{
		Datum		values[PAIR_COLUMNS];
		bool		nulls[PAIR_COLUMNS] = {false};

		NextRow(&rows, values);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	SharedRelease(records);
	return (Datum) 0;
}

/* Check a match model, and write it out in full */
PG_FUNCTION_INFO_V1(check_match_model);
Datum
check_match_model(PG_FUNCTION_ARGS)
{
	PG_RETURN_JSONB_P(ModelWrite(ModelRead(PG_GETARG_JSONB_P(0))));
}
