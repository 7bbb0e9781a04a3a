/*
 * Proposing a match model for any table: what its columns hold, judged by
 * their names, types and some of their values.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "matching/columns.h"
#include "matching/records.h"
#include "utils/builtins.h"

/* Records that are looked at */
#define SAMPLE_ROWS 2000

/* Is every name of a column the given and the family name that stand beside it? */
static bool
RepeatsNames(int whole, int given, int family)
{
	int			repeats = 0;
	int			seen = 0;

	for (uint64 r = 0; r < SPI_processed; r++)
	{
		char	   *text = SPI_getvalue(SPI_tuptable->vals[r], SPI_tuptable->tupdesc, whole);
		char	   *first = SPI_getvalue(SPI_tuptable->vals[r], SPI_tuptable->tupdesc, given);
		char	   *last = SPI_getvalue(SPI_tuptable->vals[r], SPI_tuptable->tupdesc, family);

		if (text == NULL || *text == '\0' || first == NULL || last == NULL)
			continue;
		seen++;
		repeats += strstr(text, first) && strstr(text, last);
	}
	return seen > 0 && repeats > seen * 0.9;
}

/* Add a field and its comparison to a model */
static void
AddField(MatchModel *model, const char *name, FieldKind kind, const char *column, const char *full_name)
{
	ModelField *field;
	ModelComparison *comparison;

	Assert(model->comparison_count < MODEL_MAX_COMPARISONS);
	field = &model->fields[model->field_count];
	field->name = pstrdup(name);
	field->kind = kind;
	field->column = column ? pstrdup(column) : NULL;
	field->full_name = full_name ? pstrdup(full_name) : NULL;
	field->whole = -1;
	field->agreement = field->rest_frequency = 0.01;
	field->rest_word_frequency = 1e-4;
	comparison = &model->comparisons[model->comparison_count++];
	comparison->name = field->name;
	comparison->field = model->field_count++;
	comparison->mailbox = comparison->domain = -1;
	if (kind == KIND_EMAIL)
		ModelAddEmailParts(model, comparison->field);
}

/* Let given names be looked for in an e-mail address where they are missing, and give all their levels */
static void
FinishModel(MatchModel *model)
{
	int			email = -1;
	bool		of_persons = model->family >= 0 || model->given >= 0;
	bool		of_companies = false;

	for (int f = model->field_count - 1; f >= 0; f--)
	{
		FieldKind	kind = model->fields[f].kind;

		if (kind == KIND_EMAIL && model->fields[f].part == PART_WHOLE)
			email = f;
		of_companies |= kind == KIND_ORGANISATION || kind == KIND_WEBSITE;
	}
	for (int c = 0; c < model->comparison_count; c++)
	{
		ModelComparison *comparison = &model->comparisons[c];
		FieldKind	kind = model->fields[comparison->field].kind;
		int			of = kind == KIND_EMAIL ? comparison->field :
			kind == KIND_GIVEN_NAME || kind == KIND_FAMILY_NAME ? email : -1;

		for (int f = 0; f < model->field_count && of >= 0; f++)
			if (model->fields[f].whole == of)
			{
				if (model->fields[f].part == PART_MAILBOX)
					comparison->mailbox = f;
				else
					comparison->domain = f;
			}
		ModelDefaultShared(comparison, kind, of_persons, of_companies);
		ModelDefaultLevels(comparison, kind);
	}
}

/* Make a model for the columns of a source */
static MatchModel *
ProposeModel(Column *columns, int count, int rows, const char *key)
{
	MatchModel *model = ModelCreate();
	int			full_name = -1;
	int			given = -1;
	int			family = -1;
	const char *whole;

	model->key_column = pstrdup(key);
	for (int i = 0; i < count; i++)
		if (columns[i].is_known)
			switch (columns[i].kind)
			{
				case KIND_FULL_NAME:
					if (full_name < 0)
						full_name = i;
					break;
				case KIND_GIVEN_NAME:
					given = i;
					break;
				case KIND_FAMILY_NAME:
					family = i;
					break;
				default:
					break;
			}
	/* A whole name that repeats its parts still stands in where they are blank; a second one is a text */
	whole = full_name >= 0 ? columns[full_name].name : NULL;
	for (int i = 0; i < count; i++)
	{
		if (!columns[i].is_known || columns[i].kind != KIND_FULL_NAME)
			continue;
		if (given >= 0 && family >= 0 && RepeatsNames(i + 1, given + 1, family + 1))
			columns[i].is_known = false;
		else if (i != full_name)
			columns[i].kind = KIND_TEXT;
	}
	for (int i = 0; i < count; i++)
	{
		if (!columns[i].is_known)
			continue;
		if (i == given || i == family)
		{
			if (i == given)
				model->given = model->comparison_count;
			else
				model->family = model->comparison_count;
			AddField(model, columns[i].name, columns[i].kind, columns[i].name, whole);
		}
		else if (columns[i].kind == KIND_FULL_NAME)
		{
			if (given < 0)
			{
				model->given = model->comparison_count;
				AddField(model, "given_name", KIND_GIVEN_NAME, NULL, columns[i].name);
			}
			if (family < 0)
			{
				model->family = model->comparison_count;
				AddField(model, "family_name", KIND_FAMILY_NAME, NULL, columns[i].name);
			}
		}
		else
			AddField(model, columns[i].name, columns[i].kind, columns[i].name, NULL);
	}
	if (model->given < 0 || model->family < 0)
		model->given = model->family = -1;
	FinishModel(model);
	return model;
}

/* Propose a match model for the records of a table or query */
PG_FUNCTION_INFO_V1(propose_match_model);
Datum
propose_match_model(PG_FUNCTION_ARGS)
{
	char	   *source;
	char	   *key = PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1));
	MemoryContext outer = CurrentMemoryContext;
	MatchModel *model;
	Column	   *columns;
	TupleDesc	described;
	StringInfoData normal;
	MemoryContext old;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("records must be given")));
	source = text_to_cstring(PG_GETARG_TEXT_PP(0));
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	initStringInfo(&normal);
	if (SPI_execute(psprintf("SELECT * FROM %s AS source LIMIT %d", RecordsSource(source), SAMPLE_ROWS), true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the records");
	described = SPI_tuptable->tupdesc;
	if (key && SPI_fnumber(described, key) <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("the records have no column \"%s\"", key),
				 errhint("Name the column that tells records apart.")));
	columns = palloc0(sizeof(Column) * described->natts);
	for (int i = 0; i < described->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(described, i);

		columns[i].name = pstrdup(NameStr(attribute->attname));
		columns[i].type = attribute->atttypid;
		if (key ? strcmp(key, columns[i].name) == 0 : i == 0)
			continue;
		ColumnLookAt(&columns[i], i + 1, &normal);
		columns[i].is_known = ColumnDecide(&columns[i], SPI_processed);
	}
	ColumnsFindFamilyNames(columns, described->natts);
	ColumnsFindOrganisations(columns, described->natts);
	ColumnsKeepBest(columns, described->natts);
	old = MemoryContextSwitchTo(outer);
	model = ProposeModel(columns, described->natts, SPI_processed, key ? key : columns[0].name);
	MemoryContextSwitchTo(old);
	if (model->comparison_count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("no column of the records is worth comparing"),
				 errhint("Give more records, or write the model by hand.")));
	SPI_finish();
	ModelCompile(model);
	PG_RETURN_JSONB_P(ModelWrite(model));
}
