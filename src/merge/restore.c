/*
 * Undoing the steps of a merge, each by itself.
 *
 * A step is undone only as far as its outcome still stands.  What was changed
 * since stays as it is and is reported, with two exceptions: numbers that
 * merges add up lose what was added, and what follows from other data (times
 * of change, scores) is not worth a report.  Where a later merge changed the
 * same field again, that merge's value before is set to this one's, so that
 * once both are undone, in whichever order, the field is what it was.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/index.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "merge/merge.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#define REASON_GONE "the row is gone"
#define REASON_TABLE_GONE "the table is gone"
#define REASON_CHANGED "changed since"
#define REASON_TAKEN "another row has taken its place"
#define REASON_PARENT_GONE "what it refers to is gone"
#define REASON_REFERRED "rows that came since refer to it"
#define REASON_STAGE "the stage changed since"
#define REASON_FOLLOWED "later moves follow it"

static const PlanSource load_change = {
	"SELECT c.action, c.schema_name, c.table_name, c.keys, c.before, c.after"
	" FROM @workspace@.merge_change c WHERE c.merge_change_id = $1",
	1, {ARG_INT8}
};

static const PlanSource write_conflict = {
	"SELECT pg_catalog.jsonb_build_object('table_name', $1, 'row_id',"
	" CASE (SELECT pg_catalog.count(*) FROM pg_catalog.jsonb_object_keys($2)) WHEN 1 THEN"
	" (SELECT e.value FROM pg_catalog.jsonb_each_text($2) e) ELSE $2::pg_catalog.text END,"
	" 'column_name', $3, 'value_before', $4, 'value_now', $5, 'reason', $6)::pg_catalog.text",
	6, {ARG_TEXT, ARG_JSONB, ARG_TEXT, ARG_JSONB, ARG_JSONB, ARG_TEXT}
};

static const PlanSource list_keys = {
	"SELECT e.key FROM pg_catalog.jsonb_array_elements($1) e (key)",
	1, {ARG_JSONB}
};

/*
 * Fields of a row ($5 of table $3, $4) that a later merge into the same
 * survivor changed in its turn; its values before become ours.
 */
static const PlanSource relink_later = {
	"WITH later AS (SELECT DISTINCT ON (k.name) k.name, c.merge_change_id, c.merge_id"
	" FROM @workspace@.merge w JOIN @workspace@.merge m ON m.entity = w.entity AND m.winner_id = w.winner_id"
	" AND m.merge_id > $2 AND m.merge_id <> ALL ($1) AND m.undone_at IS NULL"
	" JOIN @workspace@.merge_change c ON c.merge_id = m.merge_id AND c.action = 'changed'"
	" AND c.schema_name IS NOT DISTINCT FROM $3 AND c.table_name = $4 AND c.keys -> 0 = $5"
	" JOIN pg_catalog.jsonb_object_keys($6 || $7) k (name) ON (c.before ? k.name OR c.after ? k.name)"
	" AND c.before -> k.name IS NOT DISTINCT FROM $7 -> k.name"
	" WHERE w.merge_id = ANY ($1) AND k.name <> ALL ($8) ORDER BY k.name, c.merge_change_id),"
	" relinked AS (UPDATE @workspace@.merge_change c SET before = (c.before - n.names) || n.fields"
	" FROM (SELECT l.merge_change_id, pg_catalog.array_agg(l.name) AS names,"
	" COALESCE(pg_catalog.jsonb_object_agg(l.name, $6 -> l.name) FILTER (WHERE $6 ? l.name), '{}') AS fields"
	" FROM later l GROUP BY l.merge_change_id) n WHERE c.merge_change_id = n.merge_change_id)"
	" SELECT COALESCE(pg_catalog.jsonb_object_agg(l.name, l.merge_id), '{}') FROM later l",
	8, {ARG_INT8S, ARG_INT8, ARG_TEXT, ARG_TEXT, ARG_JSONB, ARG_JSONB, ARG_JSONB, ARG_TEXTS}
};

/* The same for fields that are added up: what later merges started from, and came to, is less by what goes */
static const PlanSource shift_later = {
	"WITH added AS (SELECT k.name, (b.after -> k.name)::pg_catalog.numeric"
	" - COALESCE((NULLIF(b.before -> k.name, 'null'))::pg_catalog.numeric, 0) AS number"
	" FROM (SELECT $6 AS before, $7 AS after) b CROSS JOIN LATERAL pg_catalog.unnest($8) k (name)"
	" WHERE pg_catalog.jsonb_typeof(b.after -> k.name) = 'number')"
	" UPDATE @workspace@.merge_change c SET before = n.before, after = n.after"
	" FROM (SELECT l.merge_change_id, l.before || pg_catalog.jsonb_object_agg(a.name,"
	" CASE pg_catalog.jsonb_typeof(l.before -> a.name) WHEN 'number'"
	" THEN pg_catalog.to_jsonb((l.before -> a.name)::pg_catalog.numeric - a.number) ELSE l.before -> a.name END) AS before,"
	" l.after || pg_catalog.jsonb_object_agg(a.name,"
	" pg_catalog.to_jsonb((l.after -> a.name)::pg_catalog.numeric - a.number)) AS after"
	" FROM @workspace@.merge w JOIN @workspace@.merge m ON m.entity = w.entity AND m.winner_id = w.winner_id"
	" AND m.merge_id > $2 AND m.merge_id <> ALL ($1) AND m.undone_at IS NULL"
	" JOIN @workspace@.merge_change l ON l.merge_id = m.merge_id AND l.action = 'changed'"
	" AND l.schema_name IS NOT DISTINCT FROM $3 AND l.table_name = $4 AND l.keys -> 0 = $5"
	" JOIN added a ON pg_catalog.jsonb_typeof(l.after -> a.name) = 'number'"
	" WHERE w.merge_id = ANY ($1) GROUP BY l.merge_change_id) n WHERE c.merge_change_id = n.merge_change_id",
	8, {ARG_INT8S, ARG_INT8, ARG_TEXT, ARG_TEXT, ARG_JSONB, ARG_JSONB, ARG_JSONB, ARG_TEXTS}
};

/*
 * What becomes of the fields of a row: the columns to set, and the fields left
 * alone with the reason why.
 */
static const PlanSource judge_fields = {
	"WITH field AS (SELECT k.name, x.is_attribute, $2 -> k.name AS before, $3 -> k.name AS after,"
	" CASE WHEN x.is_attribute THEN $1 -> 'attributes' -> pg_catalog.substr(k.name, 12) ELSE $1 -> k.name END AS now"
	" FROM pg_catalog.jsonb_object_keys($2 || $3) k (name)"
	" CROSS JOIN LATERAL (SELECT pg_catalog.starts_with(k.name, 'attributes.') AND NOT $1 ? k.name AS is_attribute) x),"
	" single AS (SELECT f.*, CASE WHEN NOT f.is_attribute AND NOT $1 ? f.name THEN 'the column is gone'"
	" WHEN $5 ? f.name THEN 'merge ' || ($5 ->> f.name) || ' changed it since'"
	" WHEN f.now IS NOT DISTINCT FROM f.after THEN 'restore'"
	" WHEN f.now IS NOT DISTINCT FROM f.before THEN 'same'"
	" WHEN f.name = ANY ($4) AND pg_catalog.jsonb_typeof(f.now) = 'number' AND pg_catalog.jsonb_typeof(f.after) = 'number'"
	" THEN 'subtract' ELSE '" REASON_CHANGED "' END AS verdict FROM field f),"
	" judged AS (SELECT s.name, s.is_attribute, s.before, s.after, s.now, CASE WHEN s.verdict = 'restore'"
	" AND s.name IN ('stage', 'stage_entered_at', 'stage_reason', 'status', 'qualification', 'sales_ready_at',"
	" 'sales_ready_model') AND EXISTS (SELECT FROM single o WHERE o.name = 'stage' AND o.verdict NOT IN ('restore', 'same'))"
	" THEN '" REASON_STAGE "' ELSE s.verdict END AS verdict FROM single s),"
	" put AS (SELECT j.name, j.is_attribute, CASE j.verdict WHEN 'restore' THEN j.before"
	" WHEN 'subtract' THEN pg_catalog.to_jsonb((j.now #>> '{}')::pg_catalog.numeric"
	" - (j.after #>> '{}')::pg_catalog.numeric + COALESCE((j.before #>> '{}')::pg_catalog.numeric, 0)) END AS value"
	" FROM judged j WHERE j.verdict IN ('restore', 'subtract'))"
	" SELECT COALESCE((SELECT pg_catalog.jsonb_object_agg(p.name, p.value) FROM put p WHERE NOT p.is_attribute), '{}')"
	" || COALESCE((SELECT pg_catalog.jsonb_build_object('attributes',"
	" ($1 -> 'attributes') - pg_catalog.array_agg(pg_catalog.substr(p.name, 12))"
	" || COALESCE(pg_catalog.jsonb_object_agg(pg_catalog.substr(p.name, 12), p.value) FILTER (WHERE p.value IS NOT NULL), '{}'))"
	" FROM put p WHERE p.is_attribute HAVING pg_catalog.count(*) > 0), '{}'),"
	" (SELECT COALESCE(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(j.name, j.before, j.now, j.verdict)"
	" ORDER BY j.name), '[]') FROM judged j WHERE j.verdict NOT IN ('restore', 'subtract', 'same')"
	" AND j.name NOT IN ('updated_at', 'last_interaction_at', 'scored_at'))",
	5, {ARG_JSONB, ARG_JSONB, ARG_JSONB, ARG_TEXTS, ARG_JSONB}
};

static const PlanSource list_judged = {
	"SELECT e.field ->> 0, e.field -> 1, e.field -> 2, e.field ->> 3"
	" FROM pg_catalog.jsonb_array_elements($1) e (field)",
	1, {ARG_JSONB}
};

static const PlanSource without_fields = {
	"SELECT $1 || COALESCE(pg_catalog.jsonb_object_agg(f.name, NULL::pg_catalog.text), '{}') FROM pg_catalog.unnest($2) f (name)",
	2, {ARG_JSONB, ARG_TEXTS}
};

static const PlanSource find_redirect = {
	"SELECT (WITH RECURSIVE up AS (SELECT u.merge_id, u.part_of FROM @workspace@.merge u WHERE u.merge_id = r.merge_id"
	" UNION ALL SELECT u.merge_id, u.part_of FROM up JOIN @workspace@.merge u ON u.merge_id = up.part_of)"
	" SELECT up.merge_id FROM up WHERE up.part_of IS NULL) FROM @workspace@.entity_redirect r WHERE r.entity = $1 AND r.old_id = $2",
	2, {ARG_TEXT, ARG_INT8}
};

/* A later merge that deleted a row ($5) of a table because another stood in for it */
static const PlanSource find_absorbed = {
	"SELECT m.merge_id, (WITH RECURSIVE up AS (SELECT m.merge_id, m.part_of"
	" UNION ALL SELECT u.merge_id, u.part_of FROM up JOIN @workspace@.merge u ON u.merge_id = up.part_of)"
	" SELECT up.merge_id FROM up WHERE up.part_of IS NULL)"
	" FROM @workspace@.merge_change c JOIN @workspace@.merge m ON m.merge_id = c.merge_id"
	" WHERE c.action = 'absorbed' AND c.keys = pg_catalog.jsonb_build_array($5) AND c.table_name = $4"
	" AND c.schema_name IS NOT DISTINCT FROM $3 AND m.undone_at IS NULL AND m.merge_id > $2 AND m.merge_id <> ALL ($1)"
	" ORDER BY m.merge_id LIMIT 1",
	5, {ARG_INT8S, ARG_INT8, ARG_TEXT, ARG_TEXT, ARG_JSONB}
};

/* A later merge that gave a row ($5) to whom a restored one ($3) belongs */
static const PlanSource find_brought = {
	"SELECT (WITH RECURSIVE up AS (SELECT m.merge_id, m.part_of"
	" UNION ALL SELECT u.merge_id, u.part_of FROM up JOIN @workspace@.merge u ON u.merge_id = up.part_of)"
	" SELECT up.merge_id FROM up WHERE up.part_of IS NULL)"
	" FROM (VALUES ('contact', ($3 ->> 'contact_id')::pg_catalog.int8), ('account', ($3 ->> 'account_id')::pg_catalog.int8))"
	" o (entity, id) JOIN @workspace@.merge m ON m.entity = o.entity AND m.winner_id = o.id"
	" AND m.undone_at IS NULL AND m.merge_id > $2 AND m.merge_id <> ALL ($1)"
	" JOIN @workspace@.merge_change c ON c.merge_id = m.merge_id AND c.action = 'moved' AND c.schema_name IS NULL"
	" AND c.table_name = $4 AND c.keys @> pg_catalog.jsonb_build_array($5) LIMIT 1",
	5, {ARG_INT8S, ARG_INT8, ARG_JSONB, ARG_TEXT, ARG_JSONB}
};

/* A step of a merge as it was logged */
typedef struct Change
{
	const char *action;
	MergeTable *table;
	Datum		keys;
	Datum		before;
	Datum		after;
} Change;

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
static void
Report(UndoContext *undo, const char *table, Datum key, const char *column, Datum before, Datum now, const char *reason)
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
static Datum
Member(Datum object, const char *name)
{
	JsonbValue	value;

	if (object == (Datum) 0 ||
		getKeyJsonValueFromContainer(&DatumGetJsonbP(object)->root, name, strlen(name), &value) == NULL)
		return (Datum) 0;
	return JsonbPGetDatum(JsonbValueToJsonb(&value));
}

/* Get the single key of a step that concerns one row */
static Datum
SingleKey(const Change *change)
{
	JsonbValue *value = getIthJsonbValueFromContainer(&DatumGetJsonbP(change->keys)->root, 0);

	return JsonbPGetDatum(JsonbValueToJsonb(value));
}

/* List the columns of a table that an object has members for */
static List *
ColumnsIn(const MergeTable *table, Datum object)
{
	Relation	rel = table_open(table->relid, AccessShareLock);
	TupleDesc	desc = RelationGetDescr(rel);
	List	   *columns = NIL;

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);

		if (!attribute->attisdropped && attribute->attgenerated == '\0' &&
			Member(object, NameStr(attribute->attname)) != (Datum) 0)
			columns = lappend(columns, pstrdup(NameStr(attribute->attname)));
	}
	table_close(rel, NoLock);
	return columns;
}

/* Write columns one after the other, each through a format with its quoted name twice */
static char *
ColumnText(List *columns, const char *separator, const char *left, const char *middle, const char *right)
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
static int
ExecuteJson(UndoContext *undo, const MergeTable *table, const char *sql, int nargs, Datum *values)
{
	Oid			types[3] = {JSONBOID, JSONBOID, JSONBOID};

	return MergeExecute(&undo->merge, table, sql, nargs, types, values);
}

/* Refuse when an entity was merged away by a later merge */
static void
RefuseMerged(UndoContext *undo, EntityKind entity, int64 id)
{
	Datum		values[2] = {CStringGetTextDatum(EntityNames[entity]), Int64GetDatum(id)};

	if (WorkspaceExecute(undo->merge.ws, &find_redirect, values, NULL) > 0)
		UndoRefuse(undo, psprintf("%s " INT64_FORMAT, EntityNames[entity], id), ResultInt64(0, 1, NULL));
}

/* Refuse when a row is gone because a later merge took it away */
static void
RefuseAbsorbed(UndoContext *undo, const MergeTable *table, Datum key)
{
	Datum		values[5] = {undo->tree, Int64GetDatum(undo->merge_id), (Datum) 0, CStringGetTextDatum(table->name), key};
	Workspace  *ws = undo->merge.ws;

	if (table->schema)
		values[2] = CStringGetTextDatum(table->schema);
	if (table->entity >= 0)
		RefuseMerged(undo, table->entity, MergeKeyId(table, key));
	if (WorkspaceExecute(ws, &find_absorbed, values, table->schema ? NULL : "  n  ") > 0)
		UndoRefuse(undo, psprintf("row %s of table %s", JsonbToCString(NULL, &DatumGetJsonbP(key)->root, 0), table->type),
				   ResultInt64(0, 2, NULL));
}

/* Can the rows of a step be found by their keys? */
static bool
HasKeys(const Change *change)
{
	Datum		key = SingleKey(change);

	if (change->table->key_count == 0)
		return false;
	return list_length(ColumnsIn(change->table, key)) >= change->table->key_count;
}

/* Report rows of a step that refer to something else by now, or are gone */
static void
ReportMoved(UndoContext *undo, const Change *change, List *columns, const char *sql)
{
	const MergeTable *table = change->table;
	Datum		values[3] = {change->keys, change->before, change->after};
	int			n = ExecuteJson(undo, table, sql, 3, values);
	SPITupleTable *rows = SPI_tuptable;

	for (int i = 0; i < n; i++)
	{
		Datum		key;
		Datum		image;
		ListCell   *lc;

		CHECK_FOR_INTERRUPTS();
		SPI_tuptable = rows;
		key = ResultJson(i, 1, NULL);
		image = ResultJson(i, 2, NULL);
		if (image == (Datum) 0)
			RefuseAbsorbed(undo, table, key);
		foreach(lc, columns)
			Report(undo, table->type, key, lfirst(lc), Member(change->before, lfirst(lc)), Member(image, lfirst(lc)),
				   image == (Datum) 0 ? REASON_GONE : REASON_CHANGED);
	}
	SPI_freetuptable(rows);
}

/* Write the columns that a table has and an image of its rows has not */
static char *
AddedColumns(const MergeTable *table, Datum image)
{
	Relation	rel = table_open(table->relid, AccessShareLock);
	List	   *known = ColumnsIn(table, image);
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < RelationGetDescr(rel)->natts; i++)
	{
		const char *name = NameStr(TupleDescAttr(RelationGetDescr(rel), i)->attname);
		bool		is_known = TupleDescAttr(RelationGetDescr(rel), i)->attisdropped;
		ListCell   *lc;

		foreach(lc, known)
			is_known |= strcmp(lfirst(lc), name) == 0;
		if (!is_known)
			appendStringInfo(&text, "%s%s", text.len ? ", " : "", quote_literal_cstr(name));
	}
	table_close(rel, NoLock);
	return psprintf("ARRAY[%s]", text.data);
}

/* Let rows that were moved to the winner refer to the loser again */
static void
MoveBack(UndoContext *undo, const Change *change)
{
	const MergeTable *table = change->table;
	List	   *columns = ColumnsIn(table, change->before);
	Datum		values[3] = {change->keys, change->before, change->after};
	char	   *set = ColumnText(columns, ", ", "", " = b.", "");
	char	   *stands = ColumnText(columns, " AND ", "t.", " IS NOT DISTINCT FROM a.", "");
	char	   *differs = ColumnText(columns, " OR ", "d.", " IS DISTINCT FROM b.", "");
	char	   *rows = psprintf("CROSS JOIN lead_mgmt.row_of_image(NULL::%s, $2) b"
								" CROSS JOIN lead_mgmt.row_of_image(NULL::%s, $3) a", table->type, table->type);
	int			expected = JB_ROOT_COUNT(DatumGetJsonbP(change->keys));
	char	   *image;

	if (columns == NIL)
		return;
	if (HasKeys(change))
	{
		if (ExecuteJson(undo, table,
						psprintf("UPDATE %s AS t SET %s FROM pg_catalog.jsonb_array_elements($1) e (key)"
								 " CROSS JOIN LATERAL lead_mgmt.row_of_image(NULL::%s, e.key) k %s WHERE %s AND %s",
								 table->source, set, table->type, rows, MergeKeyMatch(table, "t", "k"), stands),
						3, values) == expected)
			return;
		ReportMoved(undo, change, columns,
					psprintf("SELECT e.key, CASE WHEN t.ctid IS NOT NULL THEN lead_mgmt.row_image(t.*) END"
							 " FROM pg_catalog.jsonb_array_elements($1) e (key)"
							 " CROSS JOIN LATERAL lead_mgmt.row_of_image(NULL::%s, e.key) k"
							 " CROSS JOIN LATERAL lead_mgmt.row_of_image(NULL::%s, e.key || $2) m %s"
							 " LEFT JOIN %s t ON %s LEFT JOIN %s d ON %s WHERE d.ctid IS NULL OR %s",
							 table->type, table->type, rows, table->source, MergeKeyMatch(table, "t", "k"),
							 table->source, MergeKeyMatch(table, "d", "m"), differs));
		return;
	}

	/* Nothing identifies the rows: those alike may stand for each other, columns added since left aside */
	image = psprintf("lead_mgmt.row_image(t.*) - %s::pg_catalog.text[]", AddedColumns(table, SingleKey(change)));
	if (ExecuteJson(undo, table,
					psprintf("WITH w AS (SELECT e.key, pg_catalog.row_number() OVER (PARTITION BY e.key) AS number"
							 " FROM pg_catalog.jsonb_array_elements($1) e (key)),"
							 " f AS (SELECT i.oid, i.tid, i.image, pg_catalog.row_number() OVER (PARTITION BY i.image) AS number"
							 " FROM (SELECT t.tableoid AS oid, t.ctid AS tid, %s AS image"
							 " FROM %s t CROSS JOIN lead_mgmt.row_of_image(NULL::%s, $3) a WHERE %s) i)"
							 " UPDATE %s AS t SET %s FROM w JOIN f ON f.image = w.key AND f.number = w.number %s"
							 " WHERE t.tableoid = f.oid AND t.ctid = f.tid",
							 image, table->source, table->type, stands, table->source, set, rows),
					3, values) == expected)
		return;
	ReportMoved(undo, change, columns,
				psprintf("SELECT e.key, NULL::pg_catalog.jsonb FROM pg_catalog.jsonb_array_elements($1) e (key)"
						 " CROSS JOIN lead_mgmt.row_of_image(NULL::%s, $2) b"
						 " WHERE $3 IS NOT NULL AND NOT EXISTS (SELECT FROM %s t WHERE %s"
						 " AND %s = e.key || $2)",
						 table->type, table->source, ColumnText(columns, " AND ", "t.", " = b.", ""), image));
}

/* May all columns of a foreign key be null? */
static bool
MayBeNull(Relation rel, const ForeignKeyCacheInfo *key)
{
	for (int i = 0; i < key->nkeys; i++)
		if (TupleDescAttr(RelationGetDescr(rel), key->conkey[i] - 1)->attnotnull)
			return false;
	return true;
}

/* Is a column part of a foreign key? */
static bool
IsForeign(Relation rel, AttrNumber column)
{
	ListCell   *lc;

	foreach(lc, RelationGetFKeyList(rel))
	{
		const ForeignKeyCacheInfo *key = lfirst(lc);

		for (int i = 0; i < key->nkeys; i++)
			if (key->conkey[i] == column)
				return true;
	}
	return false;
}

/* Is a foreign key checked at commit only? */
static bool
IsDeferred(Oid constraint_id)
{
	HeapTuple	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint_id));
	bool		is_deferred = HeapTupleIsValid(tuple) && ((Form_pg_constraint) GETSTRUCT(tuple))->condeferred;

	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	return is_deferred;
}

/* Refuse when what a value of an image refers to was merged away by a later merge */
static void
RefuseMergedParent(UndoContext *undo, const MergeTable *parent, const char *column, Datum image)
{
	JsonbValue	id;

	if (parent->entity >= 0 &&
		getKeyJsonValueFromContainer(&DatumGetJsonbP(image)->root, column, strlen(column), &id) != NULL &&
		id.type == jbvNumeric)
		RefuseMerged(undo, parent->entity,
					 DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(id.val.numeric))));
}

/*
 * Look after what the values to be put back refer to.  Where that is gone and
 * the reference may be empty, it is left empty and reported; where it may not,
 * the foreign key will say so.
 */
static Datum
CheckParents(UndoContext *undo, const MergeTable *table, Datum key, Datum image)
{
	Relation	rel = table_open(table->relid, AccessShareLock);
	List	   *keys = copyObject(RelationGetFKeyList(rel));
	ListCell   *lc;

	foreach(lc, keys)
	{
		ForeignKeyCacheInfo *fkey = lfirst(lc);
		MergeTable *parent = MergeTableOf(&undo->merge, fkey->confrelid);
		StringInfoData match;
		Datum		names[INDEX_MAX_KEYS];
		Datum		values[2] = {image, (Datum) 0};
		bool		is_complete = true;

		initStringInfo(&match);
		for (int i = 0; i < fkey->nkeys; i++)
		{
			const char *column = get_attname(table->relid, fkey->conkey[i], false);
			JsonbValue	value;

			names[i] = CStringGetTextDatum(column);
			is_complete &= getKeyJsonValueFromContainer(&DatumGetJsonbP(image)->root, column, strlen(column), &value) != NULL &&
				value.type != jbvNull;
			appendStringInfo(&match, "%sp.%s %s r.%s", i ? " AND " : "",
							 quote_identifier(get_attname(fkey->confrelid, fkey->confkey[i], false)),
							 OperatorText(fkey->conpfeqop[i]), quote_identifier(column));
		}
		if (!is_complete)
			continue;
		if (ExecuteJson(undo, parent,
						psprintf("SELECT FROM %s p, lead_mgmt.row_of_image(NULL::%s, $1) r WHERE %s",
								 parent->source, table->type, match.data), 1, values) > 0)
			continue;
		for (int i = 0; i < fkey->nkeys; i++)
			RefuseMergedParent(undo, parent, TextDatumGetCString(names[i]), image);
		if (IsDeferred(fkey->conoid) || !MayBeNull(rel, fkey))
			continue;
		for (int i = 0; i < fkey->nkeys; i++)
			Report(undo, table->type, key, TextDatumGetCString(names[i]),
				   Member(image, TextDatumGetCString(names[i])), (Datum) 0, REASON_PARENT_GONE);
		values[1] = PointerGetDatum(construct_array(names, fkey->nkeys, TEXTOID, -1, false, TYPALIGN_INT));
		WorkspaceExecute(undo->merge.ws, &without_fields, values, NULL);
		image = ResultJson(0, 1, NULL);
	}
	table_close(rel, NoLock);
	return image;
}

/* Are unique constraints checked at once, so that ON CONFLICT can see to them? */
static bool
IsImmediate(const MergeTable *table)
{
	Relation	rel = table_open(table->relid, AccessShareLock);
	List	   *indexes = RelationGetIndexList(rel);
	ListCell   *lc;
	bool		is_immediate = true;

	foreach(lc, indexes)
	{
		HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(lfirst_oid(lc)));

		is_immediate &= ((Form_pg_index) GETSTRUCT(tuple))->indimmediate;
		ReleaseSysCache(tuple);
	}
	table_close(rel, NoLock);
	return is_immediate;
}

/* Insert a row from its image; false when a row of the same key is in the way */
static bool
InsertImage(UndoContext *undo, const MergeTable *table, Datum image)
{
	List	   *columns = ColumnsIn(table, image);

	return ExecuteJson(undo, table,
					   psprintf("INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE"
								" SELECT %s FROM lead_mgmt.row_of_image(NULL::%s, $1) r%s",
								table->type, ColumnText(columns, ", ", "", "", NULL),
								ColumnText(columns, ", ", "r.", "", NULL), table->type,
								IsImmediate(table) ? " ON CONFLICT DO NOTHING" : ""),
					   1, &image) > 0;
}

/* Refuse when the row in the way of a restored one came by a later merge */
static void
RefuseBrought(UndoContext *undo, const MergeTable *table, Datum image, Datum key)
{
	Datum		values[5] = {undo->tree, Int64GetDatum(undo->merge_id), image, CStringGetTextDatum(table->name), key};

	if (WorkspaceExecute(undo->merge.ws, &find_brought, values, NULL) > 0)
		UndoRefuse(undo, psprintf("row %s of table %s", JsonbToCString(NULL, &DatumGetJsonbP(key)->root, 0), table->type),
				   ResultInt64(0, 1, NULL));
}

/*
 * Empty what an entity can do without in a unique index where another row has
 * its values by now, and report it; returns the image unchanged when the index
 * is not in the way.
 */
static Datum
YieldIndex(UndoContext *undo, const MergeTable *table, Relation rel, Relation unique, Datum key, Datum image)
{
	Form_pg_index index = unique->rd_index;
	char	   *predicate = IndexPredicate(rel, BuildIndexInfo(unique));
	StringInfoData match;
	Datum		names[INDEX_MAX_KEYS];
	Datum		values[2] = {image, (Datum) 0};
	int			count = 0;

	initStringInfo(&match);
	for (int i = 0; i < index->indnkeyatts; i++)
	{
		Form_pg_attribute attribute;
		const char *name;

		if (index->indkey.values[i] == 0)
			return image;
		attribute = TupleDescAttr(RelationGetDescr(rel), index->indkey.values[i] - 1);
		name = quote_identifier(NameStr(attribute->attname));
		appendStringInfo(&match, "%st.%s IS NOT DISTINCT FROM r.%s", i ? " AND " : "", name, name);
		if (!attribute->attnotnull && !IsForeign(rel, attribute->attnum))
			names[count++] = CStringGetTextDatum(NameStr(attribute->attname));
	}
	if (count == 0 ||
		ExecuteJson(undo, table,
					psprintf("SELECT %s FROM (SELECT * FROM %s%s) t, lead_mgmt.row_of_image(NULL::%s, $1) r WHERE %s LIMIT 1",
							 table->key_json, table->source, predicate, table->type, match.data), 1, values) == 0)
		return image;
	RefuseBrought(undo, table, image, ResultJson(0, 1, NULL));
	for (int i = 0; i < count; i++)
		Report(undo, table->type, key, TextDatumGetCString(names[i]),
			   Member(image, TextDatumGetCString(names[i])), (Datum) 0, REASON_TAKEN);
	values[1] = PointerGetDatum(construct_array(names, count, TEXTOID, -1, false, TYPALIGN_INT));
	WorkspaceExecute(undo->merge.ws, &without_fields, values, NULL);
	return ResultJson(0, 1, NULL);
}

/* Give way to the rows that have taken an entity's unique values, such as a lead's context */
static Datum
Yield(UndoContext *undo, const MergeTable *table, Datum key, Datum image)
{
	Relation	rel = table_open(table->relid, AccessShareLock);
	List	   *indexes = RelationGetIndexList(rel);
	ListCell   *lc;

	foreach(lc, indexes)
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);

		if (index->rd_index->indisunique && !index->rd_index->indisprimary)
			image = YieldIndex(undo, table, rel, index, key, image);
		index_close(index, AccessShareLock);
	}
	table_close(rel, NoLock);
	return image;
}

/* Put a row back that the merge deleted */
static void
PutBack(UndoContext *undo, const Change *change)
{
	const MergeTable *table = change->table;
	Datum		key = SingleKey(change);
	Datum		image = CheckParents(undo, table, key, change->before);

	if (InsertImage(undo, table, image))
		return;
	if (table->entity < 0)
	{
		Report(undo, table->type, key, NULL, change->before, (Datum) 0, REASON_TAKEN);
		return;
	}
	if (!InsertImage(undo, table, Yield(undo, table, key, image)))
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("merge " INT64_FORMAT " cannot be undone: the place of %s " INT64_FORMAT " is taken",
						undo->merge_id, EntityNames[table->entity], MergeKeyId(table, key)),
				 errdetail("Its key, or another unique value of table %s, belongs to a row that was made since.",
						   table->type)));
}

/* Is the table the workspace's own of that name? */
static bool
IsOwn(const MergeTable *table, const char *name)
{
	return table->schema == NULL && strcmp(table->name, name) == 0;
}

/* Does any row refer to one that is given by its key? */
static bool
IsReferredTo(UndoContext *undo, const MergeTable *table, Datum key)
{
	ListCell   *lc;

	if (!table->is_referenced)
		return false;
	foreach(lc, ReferencesTo(&undo->merge, table))
	{
		const Reference *reference = lfirst(lc);
		StringInfoData match;

		initStringInfo(&match);
		for (int i = 0; i < reference->column_count; i++)
			appendStringInfo(&match, " AND t.%s %s r.%s",
							 quote_identifier(get_attname(table->relid, reference->targets[i], false)),
							 OperatorText(reference->operators[i]),
							 quote_identifier(get_attname(reference->table->relid, reference->columns[i], false)));
		if (ExecuteJson(undo, reference->table,
						psprintf("SELECT FROM %s r, %s t, lead_mgmt.row_of_image(NULL::%s, $1) k WHERE %s%s LIMIT 1",
								 reference->table->source, table->source, table->type,
								 MergeKeyMatch(table, "t", "k"), match.data), 1, &key) > 0)
			return true;
	}
	return false;
}

/* Take a row away that the merge made */
static void
TakeAway(UndoContext *undo, const Change *change)
{
	const MergeTable *table = change->table;
	Datum		values[2] = {SingleKey(change), change->after};
	const char *condition = "";
	char	   *rows = psprintf("lead_mgmt.row_of_image(NULL::%s, $1) k WHERE %s", table->type,
								MergeKeyMatch(table, "t", "k"));
	Datum		image;

	if (IsOwn(table, "stage_move"))
		condition = psprintf(" AND NOT EXISTS (SELECT FROM %s n WHERE n.lead_id = t.lead_id"
							 " AND n.stage_move_id > t.stage_move_id)", table->source);
	if (IsReferredTo(undo, table, values[0]))
	{
		Report(undo, table->type, values[0], NULL, (Datum) 0, change->after, REASON_REFERRED);
		return;
	}
	if (ExecuteJson(undo, table,
					psprintf("DELETE FROM %s AS t USING %s AND NOT EXISTS (SELECT FROM (SELECT lead_mgmt.row_image(t.*) AS image"
							 " OFFSET 0) i JOIN pg_catalog.jsonb_each($2) e ON i.image ? e.key"
							 " WHERE i.image -> e.key IS DISTINCT FROM e.value)%s", table->source, rows, condition),
					2, values) > 0)
		return;
	if (ExecuteJson(undo, table, psprintf("SELECT lead_mgmt.row_image(t.*) FROM %s t, %s", table->source, rows),
					1, values) == 0)
	{
		RefuseAbsorbed(undo, table, values[0]);
		return;
	}
	image = ResultJson(0, 1, NULL);
	if (IsOwn(table, "score"))
		MergeMixed(&undo->merge, DatumGetInt64(DirectFunctionCall1(jsonb_int8, Member(image, "lead_id"))));
	else
		Report(undo, table->type, values[0], NULL, (Datum) 0, image,
			   IsOwn(table, "stage_move") ? REASON_FOLLOWED : REASON_CHANGED);
}

/* Report the fields of a row that are left as they are */
static void
ReportFields(UndoContext *undo, const MergeTable *table, Datum key, Datum fields)
{
	int			n = WorkspaceExecute(undo->merge.ws, &list_judged, &fields, NULL);
	SPITupleTable *rows = SPI_tuptable;

	for (int i = 0; i < n; i++)
	{
		char	   *column;
		Datum		before;
		Datum		now;

		SPI_tuptable = rows;
		column = ResultText(i, 1);
		before = ResultJson(i, 2, NULL);
		now = ResultJson(i, 3, NULL);
		Report(undo, table->type, key, column, before, now, ResultText(i, 4));
	}
	SPI_freetuptable(rows);
}

/* Give the fields of a row the values they had before the merge */
static void
ChangeBack(UndoContext *undo, const Change *change)
{
	const MergeTable *table = change->table;
	Datum		key = SingleKey(change);
	Datum		summed = table->entity >= 0 ? FieldsSummed(&undo->merge, table->entity) :
	PointerGetDatum(construct_empty_array(TEXTOID));
	Datum		relink[8] = {undo->tree, Int64GetDatum(undo->merge_id), (Datum) 0, CStringGetTextDatum(table->name),
	key, change->before, change->after, summed};
	Datum		judge[5] = {(Datum) 0, change->before, change->after, summed, (Datum) 0};
	Datum		values[2] = {key, (Datum) 0};
	Datum		kept;
	List	   *columns;

	if (ExecuteJson(undo, table,
					psprintf("SELECT lead_mgmt.row_image(t.*) FROM %s t, lead_mgmt.row_of_image(NULL::%s, $1) k WHERE %s"
							 " FOR UPDATE OF t", table->source, table->type, MergeKeyMatch(table, "t", "k")),
					1, values) == 0)
	{
		RefuseAbsorbed(undo, table, key);
		if (!IsOwn(table, "score"))
			Report(undo, table->type, key, NULL, change->before, (Datum) 0, REASON_GONE);
		return;
	}
	judge[0] = ResultJson(0, 1, NULL);
	if (table->schema)
		relink[2] = CStringGetTextDatum(table->schema);
	WorkspaceExecute(undo->merge.ws, &relink_later, relink, table->schema ? NULL : "  n     ");
	judge[4] = ResultJson(0, 1, NULL);
	WorkspaceExecute(undo->merge.ws, &shift_later, relink, table->schema ? NULL : "  n     ");
	WorkspaceExecute(undo->merge.ws, &judge_fields, judge, NULL);
	values[1] = ResultJson(0, 1, NULL);
	kept = ResultJson(0, 2, NULL);
	if (IsOwn(table, "score") && JB_ROOT_COUNT(DatumGetJsonbP(kept)) > 0)
	{
		MergeMixed(&undo->merge, DatumGetInt64(DirectFunctionCall1(jsonb_int8, Member(judge[0], "lead_id"))));
		return;
	}
	ReportFields(undo, table, key, kept);
	values[1] = CheckParents(undo, table, key, values[1]);
	columns = ColumnsIn(table, values[1]);
	if (columns != NIL)
		ExecuteJson(undo, table,
					psprintf("UPDATE %s AS t SET %s FROM lead_mgmt.row_of_image(NULL::%s, $1) k,"
							 " lead_mgmt.row_of_image(NULL::%s, $2) r WHERE %s",
							 table->source, ColumnText(columns, ", ", "", " = r.", ""), table->type, table->type,
							 MergeKeyMatch(table, "t", "k")),
					2, values);
}

/* Report a step on a table that is there no more */
static void
ReportTableGone(UndoContext *undo, const Change *change, const char *schema, const char *name)
{
	Datum		keys = change->keys;
	int			n = WorkspaceExecute(undo->merge.ws, &list_keys, &keys, NULL);
	SPITupleTable *rows = SPI_tuptable;

	for (int i = 0; i < n; i++)
	{
		SPI_tuptable = rows;
		Report(undo, quote_qualified_identifier(schema ? schema : undo->merge.ws->name, name),
			   ResultJson(i, 1, NULL), NULL, change->before, (Datum) 0, REASON_TABLE_GONE);
	}
	SPI_freetuptable(rows);
}

/* Undo a step of a merge as far as its outcome still stands */
void
UndoChange(UndoContext *undo, int64 change_id)
{
	Datum		id = Int64GetDatum(change_id);
	Change		change = {0};
	char	   *schema;
	char	   *name;

	WorkspaceExecute(undo->merge.ws, &load_change, &id, NULL);
	change.action = ResultText(0, 1);
	schema = ResultText(0, 2);
	name = ResultText(0, 3);
	change.keys = ResultJson(0, 4, NULL);
	change.before = ResultJson(0, 5, NULL);
	change.after = ResultJson(0, 6, NULL);
	SPI_freetuptable(SPI_tuptable);
	change.table = MergeTableNamed(&undo->merge, schema, name);
	if (change.table == NULL)
		ReportTableGone(undo, &change, schema, name);
	else if (strcmp(change.action, ACTION_MOVED) == 0)
		MoveBack(undo, &change);
	else if (strcmp(change.action, ACTION_CHANGED) == 0)
		ChangeBack(undo, &change);
	else if (strcmp(change.action, ACTION_CREATED) == 0)
		TakeAway(undo, &change);
	else
		PutBack(undo, &change);
}
