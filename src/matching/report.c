/*
 * Reports: what a training rests on, and what blocking keys cost and find.
 */
#include "postgres.h"

#include <math.h>

#include "funcapi.h"
#include "matching/json.h"
#include "matching/parallel.h"
#include "matching/train.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/float.h"

/* Shares of right pairs for which a report says where to draw the line */
static const double Precisions[] = {0.9, 0.95, 0.98, 0.99, 0.995, 0.999};

/* A pattern, by how likely the model takes it for one of a match */
typedef struct RankedPattern
{
	double		probability;
	double		count;
	double		matches;		/* of these, as the mixture has it */
} RankedPattern;

/* Order patterns from the likeliest on */
static int
CompareRanked(const void *a, const void *b)
{
	double		left = ((const RankedPattern *) a)->probability;
	double		right = ((const RankedPattern *) b)->probability;

	return left > right ? -1 : left < right;
}

/* Rank the patterns of the pairs that met */
static RankedPattern *
RankPatterns(const Training *training)
{
	const PatternSet *met = &training->met;
	RankedPattern *ranked = palloc(sizeof(RankedPattern) * Max(met->count, 1));

	for (int i = 0; i < met->count; i++)
		ranked[i] = (RankedPattern) {
			PatternProbability(training->model, met->entries[i]), met->entries[i]->count,
			met->classes[i].match * met->entries[i]->count
		};
	qsort(ranked, met->count, sizeof(RankedPattern), CompareRanked);
	return ranked;
}

/*
 * Find the least probability from which on the pairs are right in at least a
 * share, by the fitted mixture; what share of the matches reach it, too.
 * Returns 1 when there is none.
 */
static double
Threshold(const Training *training, const RankedPattern *ranked, double precision, double *recall)
{
	double		count = 0;
	double		matches = 0;
	double		threshold = 1;

	*recall = 0;
	for (int i = 0; i < training->met.count; i++)
	{
		count += ranked[i].count;
		matches += ranked[i].matches;
		if (i + 1 < training->met.count && ranked[i + 1].probability == ranked[i].probability)
			continue;
		if (matches >= count * precision && count > 0)
		{
			threshold = ranked[i].probability;
			*recall = Min(1, matches / Max(training->matches * training->share, 1));
		}
	}
	return threshold;
}

/* Set the threshold of a match to what gives the wanted share of right pairs */
void
TrainingSetThreshold(Training *training)
{
	RankedPattern *ranked = RankPatterns(training);
	double		recall;
	double		threshold = Threshold(training, ranked, training->model->match_precision, &recall);

	training->model->match_probability = ModelProbability(Max(threshold, training->model->review_probability));
	pfree(ranked);
}

/* Say what a training rests on, and where to draw the line for a wanted share of right pairs */
Jsonb *
TrainingReport(const Training *training)
{
	const MatchModel *model = training->model;
	RankedPattern *ranked = RankPatterns(training);
	StringInfoData out;
	bool		is_first = true;

	initStringInfo(&out);
	appendStringInfo(&out, "{\"records\": %u", training->records->count);
	if (training->records->share < 1)
		AppendJsonNumber(&out, "share", rint(training->records->share * 10000) / 10000);
	AppendJsonNumber(&out, "pairs_counted", training->random.pairs + (training->is_complete ? 0 : training->met.pairs));
	appendStringInfo(&out, ", \"all_pairs_counted\": %s", training->is_complete ? "true" : "false");
	AppendJsonNumber(&out, "matches", rint(training->matches));
	appendStringInfo(&out, ", \"iterations\": %d, \"converged\": %s", training->iterations,
					 training->has_converged ? "true" : "false");
	AppendJsonNumber(&out, "last_change", training->change);
	appendStringInfoString(&out, ", \"evidence\": {");
	for (int c = 0; c < model->comparison_count; c++)
		AppendJsonNumber(&out, model->comparisons[c].name, rint(training->evidence[c]));
	appendStringInfoString(&out, "}, \"without_evidence\": [");
	for (int c = 0; c < model->comparison_count; c++)
		if (training->evidence[c] < MIN_MATCHES)
			AppendJsonText(&out, NULL, model->comparisons[c].name);
	appendStringInfoString(&out, "], \"thresholds\": [");
	for (int p = 0; p < lengthof(Precisions) && training->matches >= MIN_MATCHES; p++)
	{
		double		recall;
		double		threshold = Threshold(training, ranked, Precisions[p], &recall);

		if (threshold >= 1)
			continue;
		appendStringInfoString(&out, is_first ? "{" : ", {");
		AppendJsonNumber(&out, "precision", Precisions[p]);
		AppendJsonNumber(&out, "match_probability", threshold);
		AppendJsonNumber(&out, "recall", rint(recall * 10000) / 10000);
		appendStringInfoChar(&out, '}');
		is_first = false;
	}
	appendStringInfoString(&out, "]}");
	pfree(ranked);
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(out.data)));
}

/* How many matches keys find */
typedef struct KeyFinds
{
	double		all;			/* matches that were found, */
	double		once;			/* at one key, */
	double		twice;			/* and at two */
	double		found[MODEL_MAX_KEYS];
	double		alone[MODEL_MAX_KEYS];
} KeyFinds;

/* Count the matches that each key finds, and those that no other does */
static void
CountFinds(KeyFinds *finds, const MatchKeys *keys, const FoundPair *pairs, uint64 count)
{
	memset(finds, 0, sizeof(KeyFinds));
	for (uint64 i = 0; i < count; i++)
	{
		uint32		agreeing = KeysAgreeing(keys, RecordCodes(keys, pairs[i].left), RecordCodes(keys, pairs[i].right));
		double		probability = WeightProbability(pairs[i].weight);
		int			at = 0;

		if (i % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		for (int k = 0; k < keys->model->key_count; k++)
			if (agreeing & (1u << k))
			{
				finds->found[k] += probability;
				if (agreeing == 1u << k)
					finds->alone[k] += probability;
				at++;
			}
		finds->all += probability;
		if (at == 1)
			finds->once += probability;
		if (at == 2)
			finds->twice += probability;
	}
}

/* Get the parts of a key as one text */
static char *
KeyText(const MatchModel *model, const ModelKey *key)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int p = 0; p < key->part_count; p++)
		appendStringInfo(&text, "%s%s", p ? ", " : "", ModelKeyPart(model, &key->parts[p]));
	return text.data;
}

/* Return a row about a key, or about all of them */
static void
ReturnKey(ReturnSetInfo *rsinfo, const char *key, uint64 pairs, uint64 split, double found, double lost)
{
	Datum		values[5] = {
		key ? CStringGetTextDatum(key) : (Datum) 0, Int64GetDatum(pairs), Int64GetDatum(split), Float8GetDatum(found),
		Float8GetDatum(lost)
	};
	bool		nulls[5] = {key == NULL, false, false, isnan(found), isnan(lost)};

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/*
 * Say what the blocking keys of a model cost and find.  The matches that no key
 * finds are estimated from those that one or two keys found: there are at
 * least as many as once * (once - 1) / (2 * (twice + 1)), however the keys
 * depend on each other (Chao, Estimating the Population Size for
 * Capture-Recapture Data with Unequal Catchability, 1987).
 */
PG_FUNCTION_INFO_V1(explain_blocking);
Datum
explain_blocking(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MatchModel *model = ModelRead(PG_GETARG_JSONB_P(1));
	MatchRecords *records;
	MatchKeys  *keys;
	FoundPair  *pairs;
	KeyFinds	finds;
	uint64		count;
	uint64		met = 0;
	uint64		split = 0;
	double		matches;

	InitMaterializedSRF(fcinfo, 0);
	records = PairsRecords(model, text_to_cstring(PG_GETARG_TEXT_PP(0)), NULL);
	if (model->key_count == 0)
	{
		ReturnKey(rsinfo, NULL, (uint64) RecordsAllPairs(records), 0, 1, 0);
		SharedRelease(records);
		return (Datum) 0;
	}
	keys = KeysBuild(records, INFINITY);
	pairs = FindPairsAtKeys(records, keys, 0, &count);
	CountFinds(&finds, keys, pairs, count);

	/* Where no pair matches, there are no shares */
	matches = finds.all + Max(finds.once * (finds.once - 1), 0) / (2 * (finds.twice + 1));
	if (matches == 0)
		matches = get_float8_nan();
	for (int k = 0; k < model->key_count; k++)
	{
		ReturnKey(rsinfo, KeyText(model, &model->keys[k]), keys->blocks[k].pairs, keys->blocks[k].split,
				  finds.found[k] / matches, finds.alone[k] / matches);
		met += keys->blocks[k].pairs;
		split += keys->blocks[k].split;
	}
	ReturnKey(rsinfo, NULL, met, split, finds.all / matches, 1 - finds.all / matches);
	SharedRelease(records);
	return (Datum) 0;
}
