/*
 * What the steps of undoing a merge share: reading images, reporting what is
 * left as it is, refusing what later merges stand on.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "merge/merge.h"
#include "utils/builtins.h"
#include "utils/rel.h"

static const PlanSource write_conflict = {
	"SELECT pg_catalog.jsonb_build_object('table_name', $1, 'row_id',"
	" CASE (SELECT pg_catalog.count(*) FROM pg_catalog.jsonb_object_keys($2)) WHEN 1 THEN"
	" (SELECT e.value FROM pg_catalog.jsonb_each_text($2) e) ELSE $2::pg_catalog.text END,"
	" 'column_name', $3, 'value_before', $4, 'value_now', $5, 'reason', $6)::pg_catalog.text",
	6, {ARG_TEXT, ARG_JSONB, ARG_TEXT, ARG_JSONB, ARG_JSONB, ARG_TEXT}
};

static const PlanSource find_redirect = {
	"SELECT " TOP_MERGE("r.merge_id") " FROM @workspace@.entity_redirect r WHERE r.entity = $1 AND r.old_id = $2",
	2, {ARG_TEXT, ARG_INT8}
};

/* A later merge that deleted a row ($5) of a table because another stood in for it */
static const PlanSource find_absorbed = {
	"SELECT " TOP_MERGE("m.merge_id")
	" FROM @workspace@.merge_change c JOIN @workspace@.merge m ON m.merge_id = c.merge_id"
	" WHERE c.action = 'absorbed' AND c.keys = pg_catalog.jsonb_build_array($5) AND c.table_name = $4"
	" AND c.schema_name IS NOT DISTINCT FROM $3 AND m.undone_at IS NULL AND m.merge_id > $2 AND m.merge_id <> ALL ($1)"
	" ORDER BY m.merge_id LIMIT 1",
	5, {ARG_INT8S, ARG_INT8, ARG_TEXT, ARG_TEXT, ARG_JSONB}
};

/* Refuse to undo a merge that a later one stands on */
void
UndoRefuse(UndoContext *undo, const char *what, int64 merge_id)
{
	if (merge_id == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("merge " INT64_FORMAT " cannot be undone", undo->merge_id),
				 errdetail("%s was merged further, by a merge whose log is deleted.", what)));
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("merge " INT64_FORMAT " cannot be undone while merge " INT64_FORMAT " stands",
					undo->merge_id, merge_id),
			 errdetail("The later merge builds on %s.", what),
			 errhint("Undo merge " INT64_FORMAT " first.", merge_id)));
}

/* Report what is not put back; 0 is no value */
void
UndoReport(UndoContext *undo, const char *table, Datum key, const char *column, Datum before, Datum now, const char *reason)
{
	Datum		values[6] = {CStringGetTextDatum(table), key, (Datum) 0, before, now, CStringGetTextDatum(reason)};
	char		nulls[7] = "      ";

	if (column)
		values[2] = CStringGetTextDatum(column);
	for (int i = 2; i < 5; i++)
		if (values[i] == (Datum) 0)
			nulls[i] = 'n';
	WorkspaceExecute(undo->merge.ws, &write_conflict, values, nulls);
	appendStringInfo(&undo->conflicts, "%s%s", undo->conflicts.len ? ", " : "", ResultText(0, 1));
	SPI_freetuptable(SPI_tuptable);
}

/* Get a member of a JSON object; 0 when it has none of that name */
Datum
ImageMember(Datum object, const char *name)
{
	JsonbValue	value;

	if (object == (Datum) 0 ||
		getKeyJsonValueFromContainer(&DatumGetJsonbP(object)->root, name, strlen(name), &value) == NULL)
		return (Datum) 0;
	return JsonbPGetDatum(JsonbValueToJsonb(&value));
}

/* List the columns of a table that an object has members for */
List *
ImageColumns(const MergeTable *table, Datum object)
{
	Relation	rel = table_open(table->relid, AccessShareLock);
	TupleDesc	desc = RelationGetDescr(rel);
	List	   *columns = NIL;

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);

		if (!attribute->attisdropped && attribute->attgenerated == '\0' &&
			ImageMember(object, NameStr(attribute->attname)) != (Datum) 0)
			columns = lappend(columns, pstrdup(NameStr(attribute->attname)));
	}
	table_close(rel, NoLock);
	return columns;
}

/* Write columns one after the other between texts; a text on the right is followed by the name again */
char *
ColumnList(List *columns, const char *separator, const char *left, const char *middle, const char *right)
{
	StringInfoData text;
	ListCell   *lc;

	initStringInfo(&text);
	foreach(lc, columns)
	{
		const char *name = quote_identifier(lfirst(lc));

		appendStringInfo(&text, "%s%s%s%s", foreach_current_index(lc) ? separator : "", left, name, middle);
		if (right)
			appendStringInfo(&text, "%s%s", right, name);
	}
	return text.data;
}

/* Run a statement whose arguments are all JSON */
int
UndoExecute(UndoContext *undo, const MergeTable *table, const char *sql, int nargs, Datum *values)
{
	Oid			types[3] = {JSONBOID, JSONBOID, JSONBOID};

	return MergeExecute(&undo->merge, table, sql, nargs, types, values);
}

/* Refuse when an entity was merged away by a later merge */
void
UndoRefuseMerged(UndoContext *undo, EntityKind entity, int64 id)
{
	Datum		values[2] = {CStringGetTextDatum(EntityNames[entity]), Int64GetDatum(id)};

	if (WorkspaceExecute(undo->merge.ws, &find_redirect, values, NULL) > 0)
		UndoRefuse(undo, psprintf("%s " INT64_FORMAT, EntityNames[entity], id), ResultInt64(0, 1, NULL));
}

/* Refuse when a row is gone because a later merge took it away */
void
UndoRefuseAbsorbed(UndoContext *undo, const MergeTable *table, Datum key)
{
	Datum		values[5] = {undo->tree, Int64GetDatum(undo->merge_id), (Datum) 0, CStringGetTextDatum(table->name), key};
	Workspace  *ws = undo->merge.ws;

	if (table->schema)
		values[2] = CStringGetTextDatum(table->schema);
	if (table->entity >= 0)
		UndoRefuseMerged(undo, table->entity, MergeKeyId(table, key));
	if (WorkspaceExecute(ws, &find_absorbed, values, table->schema ? NULL : "  n  ") > 0)
		UndoRefuse(undo, psprintf("row %s of table %s", JsonbToCString(NULL, &DatumGetJsonbP(key)->root, 0), table->type),
				   ResultInt64(0, 1, NULL));
}
