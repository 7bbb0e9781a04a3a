/*
 * Explaining a pair: what each comparison contributes to its weight.
 */
#include "postgres.h"

#include <math.h>

#include "funcapi.h"
#include "matching/json.h"
#include "matching/explain.h"
#include "utils/builtins.h"

/* Add a record given as an object of its columns */
static uint32
AddObject(MatchRecords *records, Jsonb *object)
{
	const char *values[MODEL_MAX_FIELDS * 2];
	int			lengths[MODEL_MAX_FIELDS * 2];

	if (!JB_ROOT_IS_OBJECT(object))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a record is a JSON object of its columns")));
	for (int c = 0; c < records->column_count; c++)
	{
		values[c] = JsonAnyText(&object->root, records->columns[c]);
		lengths[c] = values[c] ? strlen(values[c]) : 0;
	}
	return RecordsAdd(records, values, lengths);
}

/* Compare two records given as objects */
static double
CompareObjects(PairScorer **scorer, const MatchModel *model, Jsonb *left, Jsonb *right, PairPattern *pattern)
{
	MatchRecords *records = RecordsCreate(model);
	uint32		a = AddObject(records, left);
	uint32		b = AddObject(records, right);

	RecordsSetRarity(records);
	*scorer = ScorerCreate(records);
	PairLevels(*scorer, RecordIds(records, a), RecordIds(records, b), pattern);
	return PatternWeight(*scorer, RecordIds(records, a), RecordIds(records, b), pattern, NULL);
}

/* Get the probability that two records are of one entity */
PG_FUNCTION_INFO_V1(match_probability);
Datum
match_probability(PG_FUNCTION_ARGS)
{
	MatchModel *model = ModelRead(PG_GETARG_JSONB_P(0));
	PairScorer *scorer;
	PairPattern pattern;
	double		weight = CompareObjects(&scorer, model, PG_GETARG_JSONB_P(1), PG_GETARG_JSONB_P(2), &pattern);

	PG_RETURN_FLOAT8(WeightProbability(weight));
}

/* Return a row of an explanation, with the sum so far */
static void
ReturnPart(ReturnSetInfo *rsinfo, const ExplainedPart *part, double *total)
{
	Datum		values[7];
	bool		nulls[7] = {false};

	*total += part->weight;
	values[0] = CStringGetTextDatum(part->part);
	nulls[1] = part->level == NULL;
	values[1] = nulls[1] ? (Datum) 0 : CStringGetTextDatum(part->level);
	nulls[2] = part->left == NULL;
	values[2] = nulls[2] ? (Datum) 0 : CStringGetTextDatum(part->left);
	nulls[3] = part->right == NULL;
	values[3] = nulls[3] ? (Datum) 0 : CStringGetTextDatum(part->right);
	values[4] = Float8GetDatum(part->weight);
	values[5] = Float8GetDatum(*total);
	values[6] = Float8GetDatum(WeightProbability(*total));
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* Get the normal form of a value as text; NULL for a blank */
static char *
NormalText(const MatchRecords *records, int field, uint32 record)
{
	const MatchDictionary *dictionary = FieldDictionary(records, field);
	uint32		id = RecordIds(records, record)[field];

	return id == VALUE_BLANK ? NULL :
		pnstrdup(DictionaryText(dictionary, &dictionary->values[id]), dictionary->values[id].bytes);
}

/*
 * List what each thing that two records have in common is worth, in the order
 * in which the weights are summed up; returns how many parts there are.
 */
int
ExplainParts(const PairScorer *scorer, uint32 left, uint32 right, const PairPattern *pattern, ExplainedPart *out)
{
	const MatchModel *model = scorer->model;
	double		weights[EXPLAIN_MAX_PARTS];
	double	   *weight = weights;
	int			count = 0;

	PatternWeight(scorer, RecordIds(scorer->records, left), RecordIds(scorer->records, right), pattern, weights);
	out[count++] = (ExplainedPart) {.part = "prior",.weight = model->prior_weight};
	for (int c = 0; c < model->comparison_count; c++)
	{
		const ModelComparison *comparison = &model->comparisons[c];
		bool		is_crossed = pattern->order == 1 && (c == model->given || c == model->family);
		int			other = !is_crossed ? comparison->field :
			model->comparisons[c == model->given ? model->family : model->given].field;

		out[count++] = (ExplainedPart)
		{
			.part = comparison->name,
			.level = pattern->levels[c] == LEVEL_BLANK ? "blank" : comparison->levels[pattern->levels[c]].label,
			.left = NormalText(scorer->records, comparison->field, left),
			.right = NormalText(scorer->records, other, right),
			/* cppcheck-suppress unknownEvaluationOrder */
			.weight = *weight++
		};
	}
	for (int g = 0; g < model->group_count; g++, weight++)
		if (*weight != 0)
			out[count++] = (ExplainedPart)
		{
			.part = psprintf("%s with %s", model->comparisons[model->groups[g].left].name,
							 model->comparisons[model->groups[g].right].name),
			.level = "go together",.weight = *weight
		};
	if (pattern->order != LEVEL_BLANK)
		out[count++] = (ExplainedPart)
	{
		.part = "order of names",.level = pattern->order == 1 ? "swapped" : "straight",.weight = *weight
	};
	weight++;
	out[count++] = (ExplainedPart)
	{
		.part = "related entities",.level = "household, group, namesake or neighbour",.weight = *weight
	};
	return count;
}

/* Explain what two records have in common, part by part */
PG_FUNCTION_INFO_V1(explain_pair);
Datum
explain_pair(PG_FUNCTION_ARGS)
{
	MatchModel *model = ModelRead(PG_GETARG_JSONB_P(0));
	ExplainedPart parts[EXPLAIN_MAX_PARTS];
	double		total = 0;
	PairScorer *scorer;
	PairPattern pattern;
	int			count;

	InitMaterializedSRF(fcinfo, 0);
	CompareObjects(&scorer, model, PG_GETARG_JSONB_P(1), PG_GETARG_JSONB_P(2), &pattern);
	count = ExplainParts(scorer, 0, 1, &pattern, parts);
	for (int p = 0; p < count; p++)
		ReturnPart((ReturnSetInfo *) fcinfo->resultinfo, &parts[p], &total);
	return (Datum) 0;
}
