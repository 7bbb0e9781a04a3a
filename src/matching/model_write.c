/*
 * Match models as documents: written.
 */
#include "postgres.h"

#include "matching/json.h"
#include "matching/model.h"
#include "utils/builtins.h"
#include "utils/json.h"

/* Append frequencies by value */
static void
AppendFrequencies(StringInfo out, const char *name, int count, char *const *values, const double *frequencies)
{
	appendStringInfo(out, ", \"%s\": {", name);
	for (int i = 0; i < count; i++)
		AppendJsonNumber(out, values[i], frequencies[i]);
	appendStringInfoChar(out, '}');
}

/* Append the fields */
static void
WriteFields(StringInfo out, const MatchModel *model)
{
	appendStringInfoString(out, ", \"fields\": [");
	for (int f = 0; f < model->field_count; f++)
	{
		const ModelField *field = &model->fields[f];

		appendStringInfoString(out, f ? ", {" : "{");
		AppendJsonText(out, "field", field->name);
		AppendJsonText(out, "kind", FieldKindNames[field->kind]);
		if (field->column)
			AppendJsonText(out, "column", field->column);
		if (field->full_name)
			AppendJsonText(out, "full_name", field->full_name);
		if (field->whole >= 0)
		{
			AppendJsonText(out, "of", model->fields[field->whole].name);
			AppendJsonText(out, "part", FieldPartNames[field->part]);
		}
		if (field->never_blocks)
			appendStringInfoString(out, ", \"blocking\": false");
		AppendJsonNumber(out, "agreement", field->agreement);
		AppendJsonNumber(out, "rest_frequency", field->rest_frequency);
		if (field->frequency_count > 0)
			AppendFrequencies(out, "frequencies", field->frequency_count, field->frequent, field->frequencies);
		if (field->has_words)
		{
			AppendJsonNumber(out, "rest_word_frequency", field->rest_word_frequency);
			AppendFrequencies(out, "words", field->word_count, field->words, field->word_frequencies);
		}
		for (int i = 0; i < field->unit_count; i++)
		{
			appendStringInfoString(out, i ? ", " : ", \"units\": [");
			escape_json(out, field->units[i]);
		}
		if (field->unit_count > 0)
			appendStringInfoChar(out, ']');
		appendStringInfoChar(out, '}');
	}
	appendStringInfoChar(out, ']');
}

/* Append the comparisons */
static void
WriteComparisons(StringInfo out, const MatchModel *model)
{
	appendStringInfoString(out, ", \"comparisons\": [");
	for (int c = 0; c < model->comparison_count; c++)
	{
		const ModelComparison *comparison = &model->comparisons[c];

		appendStringInfoString(out, c ? ", {" : "{");
		AppendJsonText(out, "comparison", comparison->name);
		AppendJsonText(out, "field", model->fields[comparison->field].name);
		if (comparison->mailbox >= 0)
			AppendJsonText(out, "email", model->fields[model->fields[comparison->mailbox].whole].name);
		for (int r = 0; r < RELATED_COUNT; r++)
			if (comparison->is_shared[r])
				appendStringInfo(out, ", \"%s\": true", RelatedNames[r]);
		appendStringInfoString(out, ", \"levels\": [");
		for (int l = 0; l < comparison->level_count; l++)
		{
			const ModelLevel *level = &comparison->levels[l];

			appendStringInfoString(out, l ? ", {" : "{");
			AppendJsonText(out, "level", level->label);
			AppendJsonText(out, "test", LevelTestNames[level->test]);
			if (level->threshold != 0)
				AppendJsonNumber(out, "threshold", level->threshold);
			if (level->uses_frequency)
				appendStringInfoString(out, ", \"frequency\": true");
			AppendJsonNumber(out, "m", level->m);
			AppendJsonNumber(out, "u", level->u);
			for (int r = 0; r < RELATED_COUNT; r++)
				if (comparison->is_shared[r])
					AppendJsonNumber(out, RelatedNames[r], level->related[r]);
			appendStringInfoChar(out, '}');
		}
		appendStringInfoString(out, "]}");
	}
	appendStringInfoChar(out, ']');
}

/* Append one table of ratios of joint probabilities */
static void
WriteJoint(StringInfo out, const char *name, int rows, int columns,
		   const double joint[MODEL_MAX_LEVELS][MODEL_MAX_LEVELS])
{
	appendStringInfo(out, ", \"%s\": [", name);
	for (int a = 0; a < rows; a++)
	{
		appendStringInfoString(out, a ? ", [" : "[");
		for (int b = 0; b < columns; b++)
			AppendJsonNumber(out, NULL, joint[a][b]);
		appendStringInfoChar(out, ']');
	}
	appendStringInfoChar(out, ']');
}

/* Append how often frequent whole names occur */
static void
WriteWholeNames(StringInfo out, const MatchModel *model)
{
	const ModelField *given = &model->fields[model->comparisons[model->given].field];
	const ModelField *family = &model->fields[model->comparisons[model->family].field];

	if (model->whole_name_count == 0)
		return;
	appendStringInfoString(out, ", \"whole_names\": [");
	for (int i = 0; i < model->whole_name_count; i++)
	{
		appendStringInfoString(out, i ? ", [" : "[");
		AppendJsonText(out, NULL, given->frequent[WHOLE_NAME_GIVEN(model->whole_names[i].name) - 1]);
		AppendJsonText(out, NULL, family->frequent[WHOLE_NAME_FAMILY(model->whole_names[i].name) - 1]);
		AppendJsonNumber(out, NULL, model->whole_names[i].frequency);
		appendStringInfoChar(out, ']');
	}
	appendStringInfoChar(out, ']');
}

/* Get a part of a key as a model has it */
const char *
ModelKeyPart(const MatchModel *model, const KeyPart *part)
{
	const char *field = model->fields[part->field].name;
	bool		has_length = part->transform == TRANSFORM_PREFIX || part->transform == TRANSFORM_LAST_DIGITS ||
		part->transform == TRANSFORM_LONG_WORD;

	return part->transform == TRANSFORM_EXACT ? field :
		has_length ? psprintf("%s:%s:%d", field, KeyTransformNames[part->transform], part->length) :
		psprintf("%s:%s", field, KeyTransformNames[part->transform]);
}

/* Write a model as a document */
Jsonb *
ModelWrite(const MatchModel *model)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	AppendJsonText(&out, "key", model->key_column);
	WriteFields(&out, model);
	WriteComparisons(&out, model);
	appendStringInfoString(&out, ", \"groups\": [");
	for (int g = 0; g < model->group_count; g++)
	{
		const ModelGroup *group = &model->groups[g];
		const ModelComparison *left = &model->comparisons[group->left];
		const ModelComparison *right = &model->comparisons[group->right];

		appendStringInfoString(&out, g ? ", {" : "{");
		AppendJsonText(&out, "left", left->name);
		AppendJsonText(&out, "right", right->name);
		WriteJoint(&out, "m", left->level_count, right->level_count, group->m);
		WriteJoint(&out, "u", left->level_count, right->level_count, group->u);
		appendStringInfoChar(&out, '}');
	}
	appendStringInfoChar(&out, ']');
	if (model->given >= 0 && model->family >= 0)
	{
		appendStringInfoString(&out, ", \"name_order\": {");
		AppendJsonText(&out, "given", model->comparisons[model->given].name);
		AppendJsonText(&out, "family", model->comparisons[model->family].name);
		AppendJsonNumber(&out, "swapped_m", model->swapped_m);
		AppendJsonNumber(&out, "swapped_u", model->swapped_u);
		WriteWholeNames(&out, model);
		appendStringInfoChar(&out, '}');
	}
	appendStringInfoString(&out, ", \"keys\": [");
	for (int k = 0; k < model->key_count; k++)
	{
		appendStringInfoString(&out, k ? ", {\"parts\": [" : "{\"parts\": [");
		for (int p = 0; p < model->keys[k].part_count; p++)
			AppendJsonText(&out, NULL, ModelKeyPart(model, &model->keys[k].parts[p]));
		appendStringInfoChar(&out, ']');
		if (model->keys[k].recall >= 0)
			AppendJsonNumber(&out, "recall", model->keys[k].recall);
		appendStringInfoChar(&out, '}');
	}
	appendStringInfoString(&out, "], \"refinements\": [");
	for (int r = 0; r < model->refinement_count; r++)
		AppendJsonText(&out, NULL, ModelKeyPart(model, &model->refinements[r]));
	appendStringInfoChar(&out, ']');
	AppendJsonNumber(&out, "block_limit", model->block_limit);
	if (model->expected_records > 0)
		AppendJsonNumber(&out, "expected_records", model->expected_records);
	AppendJsonNumber(&out, "prior", model->prior);
	for (int r = 0; r < RELATED_COUNT; r++)
		AppendJsonNumber(&out, psprintf("%s_prior", RelatedNames[r]), model->related_prior[r]);
	AppendJsonNumber(&out, "match_probability", model->match_probability);
	if (model->match_precision > 0)
		AppendJsonNumber(&out, "match_precision", model->match_precision);
	AppendJsonNumber(&out, "review_probability", model->review_probability);
	appendStringInfo(&out, ", \"trained\": %s", model->is_trained ? "true" : "false");
	if (model->report)
		appendStringInfo(&out, ", \"report\": %s", JsonbToCString(NULL, &model->report->root, VARSIZE(model->report)));
	appendStringInfoChar(&out, '}');
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(out.data)));
}
