/*
 * Explaining a pair: what each comparison contributes to its weight.
 */
#include "postgres.h"

#include <math.h>

#include "funcapi.h"
#include "matching/json.h"
#include "matching/levels.h"
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
CompareObjects(PairScorer **scorer, const MatchModel *model, Jsonb *left, Jsonb *right, PairPattern *pattern,
			   double *parts)
{
	MatchRecords *records = RecordsCreate(model);
	uint32		a = AddObject(records, left);
	uint32		b = AddObject(records, right);

	RecordsSetRarity(records);
	*scorer = ScorerCreate(records);
	PairLevels(*scorer, RecordIds(records, a), RecordIds(records, b), pattern);
	return PatternWeight(*scorer, RecordIds(records, a), RecordIds(records, b), pattern, parts);
}

/* Get the probability that two records are of one entity */
PG_FUNCTION_INFO_V1(match_probability);
Datum
match_probability(PG_FUNCTION_ARGS)
{
	MatchModel *model = ModelRead(PG_GETARG_JSONB_P(0));
	PairScorer *scorer;
	PairPattern pattern;
	double		weight = CompareObjects(&scorer, model, PG_GETARG_JSONB_P(1), PG_GETARG_JSONB_P(2), &pattern, NULL);

	PG_RETURN_FLOAT8(WeightProbability(weight));
}

/* A row of an explanation */
typedef struct ExplainedPart
{
	const char *part;
	const char *level;
	const char *left;
	const char *right;
	double		weight;
} ExplainedPart;

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

/* Explain what two records have in common, part by part */
PG_FUNCTION_INFO_V1(explain_pair);
Datum
explain_pair(PG_FUNCTION_ARGS)
{
	MatchModel *model = ModelRead(PG_GETARG_JSONB_P(0));
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	double		parts[MODEL_MAX_COMPARISONS * 2 + 2];
	double		total = 0;
	int			at = 0;
	PairScorer *scorer;
	PairPattern pattern;

	InitMaterializedSRF(fcinfo, 0);
	CompareObjects(&scorer, model, PG_GETARG_JSONB_P(1), PG_GETARG_JSONB_P(2), &pattern, parts);
	ReturnPart(rsinfo, &(ExplainedPart) {.part = "prior",.weight = model->prior_weight}, &total);
	for (int c = 0; c < model->comparison_count; c++, at++)
	{
		const ModelComparison *comparison = &model->comparisons[c];
		bool		is_crossed = pattern.order == 1 && (c == model->given || c == model->family);
		int			other = !is_crossed ? comparison->field :
			model->comparisons[c == model->given ? model->family : model->given].field;

		ReturnPart(rsinfo, &(ExplainedPart)
				   {
				   .part = comparison->name,
				   .level = pattern.levels[c] == LEVEL_BLANK ? "blank" : comparison->levels[pattern.levels[c]].label,
				   .left = NormalText(scorer->records, comparison->field, 0),
				   .right = NormalText(scorer->records, other, 1),
				   .weight = parts[at]
				   }, &total);
	}
	for (int g = 0; g < model->group_count; g++, at++)
		if (parts[at] != 0)
			ReturnPart(rsinfo, &(ExplainedPart)
					   {
					   .part = psprintf("%s with %s", model->comparisons[model->groups[g].left].name,
										model->comparisons[model->groups[g].right].name),
					   .level = "go together",.weight = parts[at]
					   }, &total);
	if (pattern.order != LEVEL_BLANK)
		ReturnPart(rsinfo, &(ExplainedPart)
				   {
				   .part = "order of names",.level = pattern.order == 1 ? "swapped" : "straight",.weight = parts[at]
				   }, &total);
	at++;
	ReturnPart(rsinfo, &(ExplainedPart)
			   {
			   .part = "related entities",.level = "household, group, namesake or neighbour",.weight = parts[at]
			   }, &total);
	return (Datum) 0;
}
