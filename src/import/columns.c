/*
 * The columns of an import: what the source has, what each is read as, and its
 * rows as payloads.
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/pg_type.h"
#include "import/cells.h"
#include "import/columns.h"
#include "utils/builtins.h"
#include "utils/formatting.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

static const PlanSource read_columns = {
	"SELECT c.field, c.how, c.type, c.key FROM @workspace@.import_columns($1, $2, $3) c ORDER BY c.position",
	3, {ARG_TEXTS, ARG_TEXT, ARG_TEXTS}
};

/* Make an array of texts, those that are missing null */
static Datum
TextArray(char **texts, int n)
{
	Datum	   *values = palloc(sizeof(Datum) * Max(n, 1));
	bool	   *nulls = palloc(sizeof(bool) * Max(n, 1));
	int			lower = 1;

	for (int i = 0; i < n; i++)
	{
		nulls[i] = texts[i] == NULL;
		values[i] = texts[i] ? CStringGetTextDatum(texts[i]) : (Datum) 0;
	}
	return PointerGetDatum(construct_md_array(values, nulls, 1, &n, &lower, TEXTOID, -1, false, TYPALIGN_INT));
}

/* Order columns by their keys */
static int
CompareColumns(const void *a, const void *b, void *arg)
{
	const ImportColumns *columns = arg;
	const char *left = columns->items[*(const int *) a].key;
	const char *right = columns->items[*(const int *) b].key;

	return strcmp(left ? left : "", right ? right : "");
}

/* Tell how the text of a type stands */
static CellForm
FormOfType(Oid type)
{
	char		category;
	bool		is_preferred;

	type = getBaseType(type);
	if (type == JSONOID || type == JSONBOID || OidIsValid(get_element_type(type)) || type_is_rowtype(type))
		return CELL_JSON;
	get_type_category_preferred(type, &category, &is_preferred);
	return category == TYPCATEGORY_NUMERIC || category == TYPCATEGORY_DATETIME || category == TYPCATEGORY_BOOLEAN ?
		CELL_EXACT : CELL_TEXT;
}

/* List the columns of the source, and write the query that reads them as text */
char *
ColumnsOpen(ImportColumns *columns, Oid source)
{
	Relation	rel = relation_open(source, AccessShareLock);
	TupleDesc	desc = RelationGetDescr(rel);
	StringInfoData query;

	if (!strchr("rvmfp", rel->rd_rel->relkind))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is no table, view or foreign table", RelationGetRelationName(rel))));
	columns->items = palloc0(sizeof(ImportColumn) * Max(desc->natts, 1));
	columns->order = palloc(sizeof(int) * Max(desc->natts, 1));
	initStringInfo(&query);
	appendStringInfoString(&query, "SELECT ");
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		ImportColumn *column = &columns->items[columns->count];
		const char *name = quote_identifier(NameStr(att->attname));

		if (att->attisdropped)
			continue;
		column->name = pstrdup(NameStr(att->attname));
		column->form = FormOfType(att->atttypid);
		if (columns->count > 0)
			appendStringInfoString(&query, ", ");
		if (column->form == CELL_JSON)
			appendStringInfo(&query, "pg_catalog.to_jsonb(s.%s)::pg_catalog.text", name);
		else if (column->form == CELL_EXACT)
			appendStringInfo(&query, "pg_catalog.to_jsonb(s.%s) OPERATOR(pg_catalog.#>>) '{}'", name);
		else
			appendStringInfo(&query, "s.%s::pg_catalog.text", name);
		columns->count++;
	}
	if (columns->count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("\"%s\" has no columns", RelationGetRelationName(rel))));
	appendStringInfo(&query, " FROM %s s",
					 quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)), RelationGetRelationName(rel)));
	relation_close(rel, NoLock);
	return query.data;
}

/* Get the field that the caller's mapping gives a column, NULL when none does */
static char *
MappedField(Jsonb *mapping, const char *name)
{
	JsonbValue	found;

	if (mapping == NULL || getKeyJsonValueFromContainer(&mapping->root, name, strlen(name), &found) == NULL)
		return NULL;
	if (found.type == jbvNull)
		return "ignore";
	if (found.type != jbvString)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the mapping of column \"%s\" is not the name of a field", name)));
	return pnstrdup(found.val.string.val, found.val.string.len);
}

/* Refuse a mapping of columns that there are not */
static void
CheckMapping(const ImportColumns *columns, Oid source, Jsonb *mapping)
{
	JsonbIterator *it;
	JsonbValue	v;
	JsonbIteratorToken token;

	if (mapping == NULL)
		return;
	if (!JB_ROOT_IS_OBJECT(mapping))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the mapping is not a JSON object of columns and fields")));
	it = JsonbIteratorInit(&mapping->root);
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		bool		found = false;

		if (token != WJB_KEY)
			continue;
		for (int i = 0; i < columns->count && !found; i++)
			found = strlen(columns->items[i].name) == v.val.string.len &&
				memcmp(columns->items[i].name, v.val.string.val, v.val.string.len) == 0;
		if (!found)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("the mapping names a column \"%.*s\", which \"%s\" does not have",
							v.val.string.len, v.val.string.val, get_rel_name(source))));
	}
}

/* Find out what each column is read as; returns that as JSON, and says it */
Datum
ColumnsMap(ImportColumns *columns, Workspace *ws, Oid source, const char *form, Jsonb *mapping)
{
	char	  **names = palloc(sizeof(char *) * columns->count);
	char	  **fields = palloc(sizeof(char *) * columns->count);
	Datum		values[3];
	StringInfoData json;
	StringInfoData shown;

	CheckMapping(columns, source, mapping);
	for (int i = 0; i < columns->count; i++)
	{
		names[i] = columns->items[i].name;
		fields[i] = MappedField(mapping, names[i]);
	}
	values[0] = TextArray(names, columns->count);
	values[1] = CStringGetTextDatum(form);
	values[2] = TextArray(fields, columns->count);
	if (WorkspaceExecute(ws, &read_columns, values, NULL) != columns->count)
		elog(ERROR, "the columns could not be mapped");
	initStringInfo(&json);
	initStringInfo(&shown);
	for (int i = 0; i < columns->count; i++)
	{
		ImportColumn *column = &columns->items[i];
		char	   *how = ResultText(i, 2);
		char	   *type = ResultText(i, 3);

		column->field = ResultText(i, 1);
		column->key = ResultText(i, 4);
		column->kind = strcmp(type, "timestamp") == 0 || strcmp(type, "date") == 0 ? COLUMN_DATE :
			strcmp(type, "number") == 0 || strcmp(type, "integer") == 0 ? COLUMN_NUMBER : COLUMN_TEXT;
		columns->order[i] = i;
		appendStringInfoString(&json, i > 0 ? ", " : "{");
		escape_json(&json, column->name);
		appendStringInfoString(&json, ": ");
		if (column->field)
			escape_json(&json, column->field);
		else
			appendStringInfoString(&json, "null");
		appendStringInfo(&shown, "%s\"%s\" as %s%s", i > 0 ? ", " : "", column->name,
						 column->field ? column->field : "nothing", how && strcmp(how, "similar") == 0 ? " (a guess)" : "");
	}
	SPI_freetuptable(SPI_tuptable);
	appendStringInfoChar(&json, '}');
	qsort_arg(columns->order, columns->count, sizeof(int), CompareColumns, columns);
	ereport(NOTICE,
			(errmsg("columns are read so: %s", shown.data),
			 errhint("The argument mapping reads them otherwise.")));
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
}

/* Declare how dates and numbers in columns of text are written; either may be NULL */
void
ColumnsDeclare(ImportColumns *columns, char *date_order, const char *decimal_mark)
{
	if (date_order)
	{
		date_order = asc_toupper(date_order, strlen(date_order));
		if (strcmp(date_order, "DMY") != 0 && strcmp(date_order, "MDY") != 0 && strcmp(date_order, "YMD") != 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("\"%s\" is no order of dates", date_order),
					 errhint("Choose DMY, MDY or YMD.")));
		columns->date_order = date_order;
	}
	if (decimal_mark)
	{
		if (strcmp(decimal_mark, ".") != 0 && strcmp(decimal_mark, ",") != 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("\"%s\" is no decimal mark", decimal_mark),
					 errhint("Choose a point or a comma.")));
		columns->decimal_mark = *decimal_mark;
	}
}

/* Add a reason for refusing a row */
static void
AddReason(StringInfo reasons, const ImportColumn *column, const char *code, const char *value, const char *message)
{
	appendStringInfoString(reasons, reasons->len > 0 ? ", {\"field\": " : "{\"field\": ");
	escape_json(reasons, column->field);
	appendStringInfo(reasons, ", \"code\": \"%s\", \"value\": ", code);
	escape_json(reasons, value);
	appendStringInfoString(reasons, ", \"message\": ");
	escape_json(reasons, message);
	appendStringInfoString(reasons, ", \"severity\": \"error\"}");
}

/* Get the text of a cell in the form that submissions have; NULL when it is blank */
static char *
ReadCell(const ImportColumns *columns, const ImportColumn *column, char *text, StringInfo reasons)
{
	const char *start = text;
	size_t		len;
	char		converted[CELL_MAX_CONVERTED];
	CellStatus	status = CELL_AS_IT_IS;

	if (text == NULL || column->form == CELL_JSON)
		return text;
	len = strlen(text);
	CellTrim(&start, &len);
	if (len == 0)
		return NULL;
	if (column->form == CELL_TEXT && column->kind == COLUMN_DATE && columns->date_order)
		status = CellDate(columns->date_order, start, len, converted);
	else if (column->form == CELL_TEXT && column->kind == COLUMN_NUMBER && columns->decimal_mark)
		status = CellNumber(columns->decimal_mark, start, len, converted);
	text = pnstrdup(start, len);
	if (status == CELL_CONVERTED)
		return pstrdup(converted);
	if (status == CELL_INVALID && column->kind == COLUMN_DATE)
		AddReason(reasons, column, "invalid_date", text, psprintf("not a date in the order %s", columns->date_order));
	else if (status == CELL_INVALID)
		AddReason(reasons, column, "invalid_number", text,
				  psprintf("not a number with the decimal mark %c", columns->decimal_mark));
	return text;
}

/*
 * Write a row as a payload, what tells it from other rows, and the reasons for
 * refusing it; false when it is blank.
 */
bool
ColumnsReadRow(const ImportColumns *columns, HeapTuple tuple, TupleDesc desc, StringInfo payload, StringInfo said,
			   StringInfo reasons)
{
	appendStringInfoChar(payload, '{');
	for (int i = 0; i < columns->count; i++)
	{
		const ImportColumn *column = &columns->items[columns->order[i]];
		char	   *text;

		if (column->key == NULL)
			continue;
		text = ReadCell(columns, column, SPI_getvalue(tuple, desc, columns->order[i] + 1), reasons);
		if (text == NULL)
			continue;
		if (payload->len > 1)
			appendStringInfoString(payload, ", ");
		escape_json(payload, column->key);
		appendStringInfoString(payload, ": ");
		if (column->form == CELL_JSON)
			appendStringInfoString(payload, text);
		else
			escape_json(payload, text);
		appendBinaryStringInfo(said, column->key, strlen(column->key) + 1);
		appendBinaryStringInfo(said, text, strlen(text) + 1);
	}
	appendStringInfoChar(payload, '}');
	return payload->len > 2;
}
