/*
 * The records that models compare: rows of contact or account with what
 * identifies them as text, values that identify nobody blank, and the indexes
 * by which their blocking keys are looked up.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "funcapi.h"
#include "matching/rows.h"
#include "matching/sources.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* Columns other than custom attributes */
static const struct
{
	EntityKind	entity;
	const char *name;
	const char *expression;
	bool		is_joined;
}			source_columns[] = {
	{ENTITY_CONTACT, "full_name", "c.full_name", false},
	{ENTITY_CONTACT, "given_name", "c.given_name", false},
	{ENTITY_CONTACT, "family_name", "c.family_name", false},
	{ENTITY_CONTACT, "email", "c.email::pg_catalog.text", false},
	{ENTITY_CONTACT, "phone", "c.phone::pg_catalog.text", false},
	{ENTITY_CONTACT, "street", "c.street", false},
	{ENTITY_CONTACT, "city", "c.city", false},
	{ENTITY_CONTACT, "region", "c.region", false},
	{ENTITY_CONTACT, "postal_code", "c.postal_code", false},
	{ENTITY_CONTACT, "country", "c.country", false},
	{ENTITY_CONTACT, "company", "NULLIF(a.name, a.domain)", true},
	{ENTITY_ACCOUNT, "company", "c.name", false},
	{ENTITY_ACCOUNT, "company_domain", "c.domain", false},
	{ENTITY_ACCOUNT, "website", "c.website", false},
	{ENTITY_ACCOUNT, "phone", "c.phone::pg_catalog.text", false},
	{ENTITY_ACCOUNT, "street", "c.street", false},
	{ENTITY_ACCOUNT, "city", "c.city", false},
	{ENTITY_ACCOUNT, "region", "c.region", false},
	{ENTITY_ACCOUNT, "postal_code", "c.postal_code", false},
	{ENTITY_ACCOUNT, "country", "c.country", false}
};

/* Add a column */
static void
AddColumn(SourceColumns *columns, EntityKind entity, const char *name, const char *expression, bool is_joined)
{
	SourceColumn *column = &columns->columns[columns->count++];
	const char *attribute = NULL;

	column->name = pstrdup(name);
	column->expression = pstrdup(expression);
	column->is_joined = is_joined;
	column->field = MatchFindField(is_joined ? ENTITY_ACCOUNT : entity, name, &attribute);
	column->attribute = attribute ? pstrdup(attribute) : NULL;
}

/* List the columns of the records of an entity: those that are always there, then its custom attributes */
SourceColumns *
SourceList(WorkspaceConfig *config, EntityKind entity)
{
	SourceColumns *list = palloc(sizeof(SourceColumns));

	list->count = 0;
	list->columns = palloc(sizeof(SourceColumn) * (lengthof(source_columns) + config->field_count));
	for (int i = 0; i < lengthof(source_columns); i++)
		if (source_columns[i].entity == entity)
			AddColumn(list, entity, source_columns[i].name, source_columns[i].expression, source_columns[i].is_joined);
	for (int f = 0; f < config->field_count; f++)
	{
		const CustomField *field = &config->fields[f];

		if (field->entity != entity || !field->is_active ||
			field->type == ATTRIBUTE_BOOLEAN || field->type == ATTRIBUTE_TIMESTAMP || field->type == ATTRIBUTE_CHOICES)
			continue;
		AddColumn(list, entity, psprintf("%s.%s", MATCH_ATTRIBUTES, field->name),
				  psprintf("(c.attributes OPERATOR(pg_catalog.->>) %s)", quote_literal_cstr(field->name)), false);
	}
	return list;
}

/* Find a column by name; -1 when there is none */
int
SourceFind(const SourceColumns *columns, const char *name)
{
	for (int c = 0; c < columns->count; c++)
		if (strcmp(columns->columns[c].name, name) == 0)
			return c;
	return -1;
}

/*
 * Write the query whose rows are the records: the id, the columns.  Another
 * column may come first, and only some rows be wanted, by a condition on the
 * table's row, c; either may be NULL.
 */
char *
SourceQuery(Workspace *ws, WorkspaceConfig *config, const SourceColumns *columns, EntityKind entity,
			const char *first, const char *condition)
{
	MatchConfig *matching = MatchGetConfig(ws, config);
	const char *table = entity == ENTITY_CONTACT ? ContactOps.table : AccountOps.table;
	bool		is_joined = false;
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfo(&out, "SELECT %s%sc.%s_id", first ? first : "", first ? ", " : "", table);
	for (int i = 0; i < columns->count; i++)
	{
		const SourceColumn *column = &columns->columns[i];

		is_joined |= column->is_joined;
		if (SourceIsMarked(matching, column))
			appendStringInfo(&out, ", lead_mgmt.match_value(%s::pg_catalog.regclass, %s, %s)",
							 quote_literal_cstr(psprintf("%s.%s", ws->quoted_name, table)),
							 quote_literal_cstr(column->name), column->expression);
		else
			appendStringInfo(&out, ", %s", column->expression);
		appendStringInfo(&out, " AS %s", quote_identifier(column->name));
	}
	appendStringInfo(&out, " FROM %s.%s c", ws->quoted_name, table);
	if (is_joined)
		appendStringInfo(&out, " LEFT JOIN %s.account a ON a.account_id = c.account_id", ws->quoted_name);
	if (entity == ENTITY_ACCOUNT || condition)
		appendStringInfo(&out, " WHERE %s%s%s", entity == ENTITY_ACCOUNT ? "c.kind = 'organisation'" : "",
						 entity == ENTITY_ACCOUNT && condition ? " AND " : "", condition ? condition : "");
	return out.data;
}

/* Are there values of a column that count as others, or as blank? */
bool
SourceIsMarked(const MatchConfig *matching, const SourceColumn *column)
{
	return column->field && bms_is_member(column->field - MatchFields, matching->marked);
}

/* Get what a value counts as: NULL when it identifies nobody, another one by an alias */
char *
SourceValue(MatchConfig *matching, const SourceColumn *column, char *value)
{
	MatchTerm	term = {.field = column->field,.attribute = column->attribute,.comparator = COMPARE_EXACT};
	const char *canonical;
	char	   *normal;

	if (value == NULL || !SourceIsMarked(matching, column) ||
		(normal = MatchExactForm(column->field, value)) == NULL ||
		!MatchLookUpValue(matching, &term, normal, &canonical))
		return value;
	return (char *) canonical;
}

/* Write an expression of match_code() over columns; the alias of the table is left out of an index */
static char *
IndexExpression(const char *spec, const SourceColumns *columns, const int *numbers, int count, bool with_alias)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfo(&out, "lead_mgmt.match_code(%s", quote_literal_cstr(spec));
	for (int i = 0; i < count; i++)
	{
		const char *expression = columns->columns[numbers[i]].expression;
		bool		is_call = *expression == '(';

		if (with_alias)
			appendStringInfo(&out, ", %s", expression);
		else
			appendStringInfo(&out, ", %s%s", is_call ? "(" : "", expression + (is_call ? strlen("(c.") : strlen("c.")));
	}
	appendStringInfoChar(&out, ')');
	return out.data;
}

/*
 * List the indexes by which the keys of a model are looked up.  A key that
 * takes what is not in the table has none.  An index is named after its
 * expression, so that models share what they can.
 */
int
SourceIndexes(const MatchModel *model, const SourceColumns *columns, SourceIndex *indexes)
{
	int			count = 0;

	for (int k = 0; k < model->key_count; k++)
	{
		char	   *specs[CODE_MAX_SPECS];
		const char *names[CODE_MAX_SPECS * CODE_MAX_COLUMNS];
		const char **at = names;
		int			entries = CodeSpecsOfKey(model, k, specs, names);

		for (int e = 0; e < entries; e++)
		{
			SourceIndex *index = &indexes[count];
			bool		is_there = true;

			index->key = k;
			CodeSpecRead(&index->spec, specs[e], strlen(specs[e]));
			for (int c = 0; c < index->spec.column_count; c++)
			{
				index->columns[c] = SourceFind(columns, *at++);
				is_there &= index->columns[c] >= 0 && !columns->columns[index->columns[c]].is_joined;
			}
			if (!is_there)
				continue;
			index->expression = IndexExpression(specs[e], columns, index->columns, index->spec.column_count, true);
			index->definition = IndexExpression(specs[e], columns, index->columns, index->spec.column_count, false);
			snprintf(index->name, NAMEDATALEN, "contact_match_%016" INT64_MODIFIER "x_idx",
					 DatumGetUInt64(hash_any_extended((const unsigned char *) index->definition,
													  strlen(index->definition), 0)));
			count++;
		}
	}
	return count;
}

/* Get the query whose rows the models of a workspace compare */
PG_FUNCTION_INFO_V1(match_records);
Datum
match_records(PG_FUNCTION_ARGS)
{
	EntityKind	entity;
	Workspace  *ws = MatchTableWorkspace(PG_GETARG_OID(0), &entity);
	WorkspaceConfig *config = MatchTableConfig(ws);

	PG_RETURN_TEXT_P(cstring_to_text(SourceQuery(ws, config, SourceList(config, entity), entity, NULL, NULL)));
}

/* What match_value() keeps between calls */
typedef struct ValueCall
{
	Oid			relid;
	char	   *name;
	Workspace  *ws;
	WorkspaceConfig *config;
	SourceColumn column;
} ValueCall;

/* Look up the column that match_value() is asked about */
static ValueCall *
StartValueCall(FmgrInfo *flinfo, Oid relid, const char *name, int len)
{
	MemoryContext old = MemoryContextSwitchTo(flinfo->fn_mcxt);
	ValueCall  *call = palloc0(sizeof(ValueCall));
	EntityKind	entity;
	SourceColumns *columns;
	int			column;

	call->relid = relid;
	call->name = pnstrdup(name, len);
	call->ws = MatchTableWorkspace(relid, &entity);
	call->config = MatchTableConfig(call->ws);
	columns = SourceList(call->config, entity);
	column = SourceFind(columns, call->name);
	if (column < 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("the records of %s have no column \"%s\"", EntityNames[entity], call->name)));
	call->column = columns->columns[column];
	flinfo->fn_extra = call;
	MemoryContextSwitchTo(old);
	return call;
}

/* Get what a value of a column counts as when it is matched */
PG_FUNCTION_INFO_V1(match_value);
Datum
match_value(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	text	   *name = PG_GETARG_TEXT_PP(1);
	ValueCall  *call = fcinfo->flinfo->fn_extra;
	char	   *value;

	if (call == NULL || call->relid != relid || call->ws->config != call->config || !call->ws->config_valid ||
		strlen(call->name) != VARSIZE_ANY_EXHDR(name) ||
		memcmp(call->name, VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name)) != 0)
		call = StartValueCall(fcinfo->flinfo, relid, VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
	value = SourceValue(call->config->matching, &call->column, text_to_cstring(PG_GETARG_TEXT_PP(2)));
	if (value == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(value));
}

static const PlanSource read_models = {
	"SELECT @workspace@.read_match_model(m.strategy) FROM @workspace@.match_model m"
	" JOIN @workspace@.match_strategy s ON s.strategy = m.strategy WHERE s.entity = 'contact' ORDER BY m.strategy",
	0
};

/* List the indexes by which the models of a workspace look contacts up */
PG_FUNCTION_INFO_V1(match_indexes);
Datum
match_indexes(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	EntityKind	entity;
	Workspace  *ws = MatchTableWorkspace(PG_GETARG_OID(0), &entity);
	WorkspaceConfig *config = MatchTableConfig(ws);
	SourceColumns *columns = SourceList(config, ENTITY_CONTACT);
	char	  **names = NULL;
	int			name_count = 0;
	int			n;

	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	n = WorkspaceExecute(ws, &read_models, NULL, NULL);
	for (int m = 0; m < n; m++)
	{
		SourceIndex indexes[SOURCE_MAX_INDEXES];
		bool		isnull;
		Datum		document = SPI_getbinval(SPI_tuptable->vals[m], SPI_tuptable->tupdesc, 1, &isnull);
		int			count = SourceIndexes(ModelRead(DatumGetJsonbP(document)), columns, indexes);

		names = names ? repalloc(names, sizeof(char *) * (name_count + count + 1)) : palloc(sizeof(char *) * (count + 1));
		for (int i = 0; i < count; i++)
		{
			Datum		values[2] = {CStringGetTextDatum(indexes[i].name), CStringGetTextDatum(indexes[i].definition)};
			bool		nulls[2] = {false, false};
			bool		is_known = false;

			for (int k = 0; k < name_count && !is_known; k++)
				is_known = strcmp(names[k], indexes[i].name) == 0;
			if (is_known)
				continue;
			names[name_count++] = pstrdup(indexes[i].name);
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		}
	}
	SPI_finish();
	return (Datum) 0;
}
