/*
 * Finding pairs of records that match.
 */
#include "postgres.h"

#include <math.h>

#include "funcapi.h"
#include "matching/choose.h"
#include "matching/pairs.h"
#include "matching/train.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

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

/* Note a pair that was found */
static void
AddPair(PairFinder *finder, uint32 left, uint32 right, double weight)
{
	if (finder->count == finder->capacity)
	{
		finder->capacity *= 2;
		finder->pairs = repalloc_huge(finder->pairs, sizeof(FoundPair) * finder->capacity);
	}
	finder->pairs[finder->count++] = (FoundPair) {Min(left, right), Max(left, right), weight};
}

/* Are two records of one of two sets that are to be linked? */
static inline bool
SameSet(const MatchRecords *records, uint32 left, uint32 right)
{
	return records->left_count > 0 && (left < records->left_count) == (right < records->left_count);
}

/* Compare the pairs of a block */
static void
SearchBlock(void *state, const MatchKeys *keys, const MatchBlock *block)
{
	PairFinder *finder = state;
	int			field_count = keys->model->field_count;

	for (int a = 0; a < block->count; a++)
		for (int b = a + 1; b < block->count; b++)
		{
			PairPattern pattern;
			double		weight;

			if (!SameSet(keys->records, block->numbers[a], block->numbers[b]) &&
				PairWeight(finder->scorer, block->rows + a * field_count, block->rows + b * field_count,
						   finder->at_least, &pattern, &weight) &&
				!KeysMetBefore(keys, block, block->codes + a * keys->stride, block->codes + b * keys->stride))
				AddPair(finder, block->numbers[a], block->numbers[b], weight);
		}
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

/* Find the pairs of records whose weight reaches a limit, in a share of the blocks */
FoundPair *
FindPairs(MatchRecords *records, double at_least, double share, uint64 *count)
{
	PairFinder	finder = {.scorer = ScorerCreate(records),.at_least = at_least,.capacity = 1024};

	finder.pairs = palloc(sizeof(FoundPair) * finder.capacity);
	if (RecordsAllPairs(records) <= COMPARE_ALL_PAIRS)
		SearchAll(&finder, records);
	else
		KeysVisit(KeysBuild(records), share, SearchBlock, &finder);
	*count = finder.count;
	return finder.pairs;
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

	RecordsLoad(records, source, model->key_column);
	if (other)
	{
		records->left_count = records->count;
		RecordsLoad(records, other, model->key_column);
	}
	RecordsSetRarity(records);
	if (model->key_count == 0 && RecordsAllPairs(records) > COMPARE_ALL_PAIRS)
	{
		ModelMeasurePresence(model, records);
		ModelChooseKeys(model, records, NULL, 0);
	}
	return records;
}

/* Return pairs as rows */
static void
ReturnPairs(ReturnSetInfo *rsinfo, const MatchRecords *records, const FoundPair *pairs, uint64 count)
{
	Datum		match = CStringGetTextDatum("match");
	Datum		possible = CStringGetTextDatum("possible");

	for (uint64 i = 0; i < count; i++)
	{
		double		probability = WeightProbability(pairs[i].weight);
		Datum		values[5] = {
			CStringGetTextDatum(RecordsKey(records, pairs[i].left)),
			CStringGetTextDatum(RecordsKey(records, pairs[i].right)),
			Float8GetDatum(probability),
			Float8GetDatum(pairs[i].weight),
			probability >= records->model->match_probability ? match : possible
		};
		bool		nulls[5] = {false};

		if (i % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		pfree(DatumGetPointer(values[0]));
		pfree(DatumGetPointer(values[1]));
	}
}

/* Find pairs of matching records by a model */
PG_FUNCTION_INFO_V1(find_pairs);
Datum
find_pairs(PG_FUNCTION_ARGS)
{
	MatchModel *model;
	MatchRecords *records;
	FoundPair  *pairs;
	uint64		count;
	double		at_least;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("records and model must be given")));
	model = ModelRead(PG_GETARG_JSONB_P(1));
	at_least = PG_ARGISNULL(2) ? model->review_probability : PairsLimit(PG_GETARG_FLOAT8(2));
	InitMaterializedSRF(fcinfo, 0);
	records = PairsRecords(model, text_to_cstring(PG_GETARG_TEXT_PP(0)),
						   PG_ARGISNULL(3) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(3)));
	pairs = FindPairs(records, log2(at_least) - log2(1 - at_least), 1, &count);
	ReturnPairs((ReturnSetInfo *) fcinfo->resultinfo, records, pairs, count);
	return (Datum) 0;
}

/* Train a match model on the records of a table or query */
PG_FUNCTION_INFO_V1(train_match_model);
Datum
train_match_model(PG_FUNCTION_ARGS)
{
	char	   *source = text_to_cstring(PG_GETARG_TEXT_PP(0));
	MatchModel *model = ModelRead(PG_GETARG_JSONB_P(1));
	MatchRecords *records = RecordsCreate(model);

	RecordsLoad(records, source, model->key_column);
	ModelTrain(model, records);
	PG_RETURN_JSONB_P(ModelWrite(model));
}

/* Check a match model, and write it out in full */
PG_FUNCTION_INFO_V1(check_match_model);
Datum
check_match_model(PG_FUNCTION_ARGS)
{
	PG_RETURN_JSONB_P(ModelWrite(ModelRead(PG_GETARG_JSONB_P(0))));
}
