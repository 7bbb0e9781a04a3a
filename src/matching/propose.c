/*
 * Proposing a match model for any table: what its columns hold, judged by
 * their names, types and some of their values.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "matching/dictionary.h"
#include "matching/records.h"
#include "normalise/normalise.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* Records that are looked at */
#define SAMPLE_ROWS 2000

/* Longest values that are worth comparing, on average, in bytes */
#define LONG_TEXT 80

/* A column and what was seen of it */
typedef struct Column
{
	char	   *name;
	Oid			type;
	int			given;			/* values that are not blank */
	int			distinct;
	double		bytes;
	int			legal_forms;
	int			emails;
	int			dates;
	int			phones;
	bool		is_known;
	FieldKind	kind;
} Column;

/* Names of columns, in the order in which they are tried */
static const struct
{
	const char *word;
	FieldKind	kind;
}			column_words[] = {
	{"email", KIND_EMAIL}, {"e_mail", KIND_EMAIL}, {"mail", KIND_EMAIL},
	{"phone", KIND_PHONE}, {"mobile", KIND_PHONE}, {"telefon", KIND_PHONE}, {"tel", KIND_PHONE}, {"cell", KIND_PHONE},
	{"fax", KIND_PHONE},
	{"dob", KIND_DATE}, {"birth", KIND_DATE},
	{"first_name", KIND_GIVEN_NAME}, {"firstname", KIND_GIVEN_NAME}, {"given", KIND_GIVEN_NAME},
	{"forename", KIND_GIVEN_NAME}, {"vorname", KIND_GIVEN_NAME}, {"prenom", KIND_GIVEN_NAME},
	{"last_name", KIND_FAMILY_NAME}, {"lastname", KIND_FAMILY_NAME}, {"surname", KIND_FAMILY_NAME},
	{"family", KIND_FAMILY_NAME}, {"nachname", KIND_FAMILY_NAME},
	{"full_name", KIND_FULL_NAME}, {"fullname", KIND_FULL_NAME}, {"contact_name", KIND_FULL_NAME},
	{"person", KIND_FULL_NAME},
	{"website", KIND_WEBSITE}, {"homepage", KIND_WEBSITE}, {"url", KIND_WEBSITE}, {"domain", KIND_WEBSITE},
	{"web", KIND_WEBSITE},
	{"company", KIND_ORGANISATION}, {"organisation", KIND_ORGANISATION}, {"organization", KIND_ORGANISATION},
	{"employer", KIND_ORGANISATION}, {"business", KIND_ORGANISATION}, {"firm", KIND_ORGANISATION},
	{"account", KIND_ORGANISATION}, {"org", KIND_ORGANISATION},
	{"postcode", KIND_POSTCODE}, {"post_code", KIND_POSTCODE}, {"postal", KIND_POSTCODE}, {"zip", KIND_POSTCODE},
	{"plz", KIND_POSTCODE},
	{"street_number", KIND_CATEGORY}, {"house", KIND_CATEGORY},
	{"street", KIND_ADDRESS}, {"address", KIND_ADDRESS}, {"addr", KIND_ADDRESS},
	{"city", KIND_TEXT}, {"town", KIND_TEXT}, {"suburb", KIND_TEXT}, {"locality", KIND_TEXT}, {"job_title", KIND_TEXT},
	{"state", KIND_CATEGORY}, {"region", KIND_CATEGORY}, {"province", KIND_CATEGORY}, {"county", KIND_CATEGORY},
	{"country", KIND_CATEGORY}, {"gender", KIND_CATEGORY}, {"sex", KIND_CATEGORY}, {"language", KIND_CATEGORY},
	{"ssn", KIND_IDENTIFIER}, {"soc_sec", KIND_IDENTIFIER}, {"tax", KIND_IDENTIFIER}, {"vat", KIND_IDENTIFIER},
	{"passport", KIND_IDENTIFIER}, {"registration", KIND_IDENTIFIER}, {"duns", KIND_IDENTIFIER},
	{"siren", KIND_IDENTIFIER}, {"_id", KIND_IDENTIFIER}, {"number", KIND_IDENTIFIER}
};

/* Decide by the name of a column what it holds */
static bool
KindByName(Column *column)
{
	char	   *name = pstrdup(column->name);
	bool		found = false;
	bool		has_given = false;
	bool		has_family = false;

	for (char *c = name; *c; c++)
		*c = *c == ' ' || *c == '-' ? '_' : pg_ascii_tolower((unsigned char) *c);
	for (int w = 0; w < lengthof(column_words); w++)
	{
		FieldKind	kind = column_words[w].kind;

		if (strstr(name, column_words[w].word) == NULL)
			continue;
		has_given |= kind == KIND_GIVEN_NAME;
		has_family |= kind == KIND_FAMILY_NAME;
		if (!found)
			column->kind = kind;
		found = true;
	}
	if (has_given && has_family)
		column->kind = KIND_FULL_NAME;
	return found;
}

/* Decide what a column holds; false when it is not worth comparing */
static bool
ColumnKind(Column *column, int rows)
{
	bool		named;

	if (column->given * 100 < rows || column->distinct < 2)
		return false;
	named = KindByName(column);
	if (named && column->kind != KIND_DATE)
		return column->kind != KIND_TEXT || column->bytes <= LONG_TEXT;
	switch (getBaseType(column->type))
	{
		case DATEOID:
			column->kind = KIND_DATE;
			return true;
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			column->kind = KIND_DATE;
			return named;
		case BOOLOID:
			column->kind = KIND_CATEGORY;
			return true;
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case NUMERICOID:
		case FLOAT4OID:
		case FLOAT8OID:
			column->kind = KIND_NUMBER;
			return column->distinct < column->given;
	}
	if (column->bytes > LONG_TEXT)
		return false;
	if (named || column->dates > column->given * 0.8)
		column->kind = KIND_DATE;
	else if (column->emails > column->given * 0.8)
		column->kind = KIND_EMAIL;
	else if (column->phones > column->given * 0.8)
		column->kind = KIND_PHONE;
	else if (column->legal_forms > column->given * 0.05)
		column->kind = KIND_ORGANISATION;
	else if (strstr(column->name, "name"))
		column->kind = KIND_FULL_NAME;
	else if (column->distinct <= 30)
		column->kind = KIND_CATEGORY;
	else if (column->distinct == column->given && column->given > 100)
		return false;
	else
		column->kind = KIND_TEXT;
	return true;
}

/* Order texts */
static int
CompareTexts(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/* Look at the values of a column */
static void
LookAtValues(Column *column, int number, StringInfo normal)
{
	char	  **values = palloc(sizeof(char *) * Max(SPI_processed, 1));

	for (uint64 r = 0; r < SPI_processed; r++)
	{
		char	   *text = SPI_getvalue(SPI_tuptable->vals[r], SPI_tuptable->tupdesc, number);
		int			len = text ? strlen(text) : 0;
		int			digits = 0;
		int			year,
					month,
					day;

		if (len == 0)
			continue;
		values[column->given++] = text;
		column->bytes += len;
		if (len > LONG_TEXT * 4)
			continue;
		resetStringInfo(normal);
		column->legal_forms += OrganisationLegalForm(normal, text, len);
		column->emails += strchr(text, '@') != NULL;
		for (int i = 0; i < len; i++)
			digits += text[i] >= '0' && text[i] <= '9';
		column->dates += len >= 8 && len <= 10 && digits >= 6 && ParseCalendarDate(text, len, &year, &month, &day);
		column->phones += digits >= 7 && strspn(text, "+0123456789 ()-./") == len;
	}
	column->bytes /= Max(column->given, 1);
	qsort(values, column->given, sizeof(char *), CompareTexts);
	for (int i = 0; i < column->given; i++)
		column->distinct += i == 0 || strcmp(values[i], values[i - 1]) != 0;
}

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

	if (model->field_count + 2 >= MODEL_MAX_FIELDS || model->comparison_count == MODEL_MAX_COMPARISONS)
		return;
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

	for (int f = 0; f < model->field_count && email < 0; f++)
		if (model->fields[f].kind == KIND_EMAIL && model->fields[f].part == PART_WHOLE)
			email = f;
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
		ModelDefaultShared(comparison, kind, model->family >= 0 || model->given >= 0);
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
	/* A whole name that repeats its parts still stands in where they are blank */
	whole = full_name >= 0 ? columns[full_name].name : NULL;
	if (full_name >= 0 && given >= 0 && family >= 0 && RepeatsNames(full_name + 1, given + 1, family + 1))
		columns[full_name].is_known = false;
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
	char	   *source = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char	   *key = PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1));
	MemoryContext outer = CurrentMemoryContext;
	MatchModel *model;
	Column	   *columns;
	TupleDesc	described;
	StringInfoData normal;
	MemoryContext old;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	initStringInfo(&normal);
	if (SPI_execute(psprintf("SELECT * FROM %s AS source LIMIT %d", RecordsSource(source), SAMPLE_ROWS), true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the records");
	described = SPI_tuptable->tupdesc;
	columns = palloc0(sizeof(Column) * described->natts);
	for (int i = 0; i < described->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(described, i);

		columns[i].name = pstrdup(NameStr(attribute->attname));
		columns[i].type = attribute->atttypid;
		if (key ? strcmp(key, columns[i].name) == 0 : i == 0)
			continue;
		LookAtValues(&columns[i], i + 1, &normal);
		columns[i].is_known = ColumnKind(&columns[i], SPI_processed);
	}
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
