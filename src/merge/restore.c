/*
 * Undoing the steps of a merge, each by itself.
 *
 * A step is undone only as far as its outcome still stands.  What was changed
 * since stays as it is and is reported, with two exceptions: numbers that
 * merges add up lose what was added, and what follows from other data (times
 * of change, scores) is not worth a report.  Scores computed since are computed
 * again, as the same number need not be made of the same interactions.  Where
 * a later merge changed the same field again, that merge's value before is set
 * to this one's, so that once both are undone, in whichever order, the field
 * is what it was.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "merge/merge.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

static const PlanSource load_change = {
	"SELECT c.action, c.schema_name, c.table_name, c.keys, c.before, c.after"
	" FROM @workspace@.merge_change c WHERE c.merge_change_id = $1",
	1, {ARG_INT8}
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
	" WHEN f.name = ANY ($4) AND pg_catalog.jsonb_typeof(f.now) = 'number' AND pg_catalog.jsonb_typeof(f.after) = 'number'"
	" THEN 'subtract' WHEN f.now IS NOT DISTINCT FROM f.before THEN 'same' ELSE '" REASON_CHANGED "' END AS verdict FROM field f),"
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

/* A later merge of what a lead ($3) is of that made a move of it after one ($4) */
static const PlanSource find_later_move = {
	"WITH w AS (SELECT v.entity, v.id FROM @workspace@.lead l CROSS JOIN LATERAL (VALUES ('lead', l.lead_id),"
	" ('contact', l.contact_id), ('account', l.account_id)) v (entity, id) WHERE l.lead_id = $3)"
	" SELECT " TOP_MERGE("m.merge_id") " FROM (SELECT w.entity, w.id FROM w UNION ALL"
	" SELECT r.entity, r.old_id FROM w JOIN @workspace@.entity_redirect r ON r.entity = w.entity AND r.survivor_id = w.id) o"
	" JOIN @workspace@.merge m ON m.entity = o.entity AND m.winner_id = o.id"
	" AND m.undone_at IS NULL AND m.merge_id > $2 AND m.merge_id <> ALL ($1)"
	" JOIN @workspace@.merge_change c ON c.merge_id = m.merge_id AND c.action = 'created' AND c.schema_name IS NULL"
	" AND c.table_name = 'stage_move' JOIN @workspace@.stage_move n"
	" ON n.stage_move_id = (c.keys -> 0 ->> 'stage_move_id')::pg_catalog.int8 AND n.lead_id = $3 AND n.stage_move_id > $4"
	" ORDER BY 1 DESC LIMIT 1",
	4, {ARG_INT8S, ARG_INT8, ARG_INT8, ARG_INT8}
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

/* Get the single key of a step that concerns one row */
static Datum
SingleKey(const Change *change)
{
	JsonbValue *value = getIthJsonbValueFromContainer(&DatumGetJsonbP(change->keys)->root, 0);

	return JsonbPGetDatum(JsonbValueToJsonb(value));
}

/* Can the rows of a step be found by their keys? */
static bool
HasKeys(const Change *change)
{
	Datum		key = SingleKey(change);

	if (change->table->key_count == 0)
		return false;
	return list_length(ImageColumns(change->table, key)) >= change->table->key_count;
}

/* Report rows of a step that refer to something else by now, or are gone */
static void
ReportMoved(UndoContext *undo, const Change *change, List *columns, const char *sql)
{
	const MergeTable *table = change->table;
	Datum		values[3] = {change->keys, change->before, change->after};
	int			n = UndoExecute(undo, table, sql, 3, values);
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
			UndoRefuseAbsorbed(undo, table, key);
		foreach(lc, columns)
			UndoReport(undo, table->type, key, lfirst(lc), ImageMember(change->before, lfirst(lc)), ImageMember(image, lfirst(lc)),
				   image == (Datum) 0 ? REASON_GONE : REASON_CHANGED);
	}
	SPI_freetuptable(rows);
}

/* Write the columns that a table has and an image of its rows has not */
static char *
AddedColumns(const MergeTable *table, Datum image)
{
	Relation	rel = table_open(table->relid, AccessShareLock);
	List	   *known = ImageColumns(table, image);
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

/* Report the rows of a step, none of which is put back */
static void
ReportRows(UndoContext *undo, const Change *change, const char *table, const char *reason)
{
	Datum		keys = change->keys;
	int			n = WorkspaceExecute(undo->merge.ws, &list_keys, &keys, NULL);
	SPITupleTable *rows = SPI_tuptable;

	for (int i = 0; i < n; i++)
	{
		SPI_tuptable = rows;
		UndoReport(undo, table, ResultJson(i, 1, NULL), NULL, change->before, (Datum) 0, reason);
	}
	SPI_freetuptable(rows);
}

/* Let rows that were moved to the winner refer to the loser again */
static void
MoveBack(UndoContext *undo, const Change *change)
{
	const MergeTable *table = change->table;
	List	   *columns = ImageColumns(table, change->before);
	Datum		values[3] = {change->keys, change->before, change->after};
	char	   *set = ColumnList(columns, ", ", "", " = b.", "");
	char	   *stands = ColumnList(columns, " AND ", "t.", " IS NOT DISTINCT FROM a.", "");
	char	   *differs = ColumnList(columns, " OR ", "d.", " IS DISTINCT FROM b.", "");
	char	   *rows = psprintf("CROSS JOIN lead_mgmt.row_of_image(NULL::%s, $2) b"
								" CROSS JOIN lead_mgmt.row_of_image(NULL::%s, $3) a", table->type, table->type);
	int			expected = JB_ROOT_COUNT(DatumGetJsonbP(change->keys));
	char	   *image;

	if (columns == NIL)
		return;
	if (!UndoParentsAreThere(undo, table, change->before))
	{
		ReportRows(undo, change, table->type, REASON_PARENT_GONE);
		return;
	}
	if (HasKeys(change))
	{
		if (UndoExecute(undo, table,
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
	if (UndoExecute(undo, table,
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
						 table->type, table->source, ColumnList(columns, " AND ", "t.", " = b.", ""), image));
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
		if (UndoExecute(undo, reference->table,
						psprintf("SELECT FROM %s r, %s t, lead_mgmt.row_of_image(NULL::%s, $1) k WHERE %s%s LIMIT 1",
								 reference->table->source, table->source, table->type,
								 MergeKeyMatch(table, "t", "k"), match.data), 1, &key) > 0)
			return true;
	}
	return false;
}

/* Refuse when a later merge moved a lead on from where a move of it ended */
static void
RefuseMovedOn(UndoContext *undo, Datum move)
{
	Datum		id = DirectFunctionCall1(jsonb_int8, ImageMember(move, "stage_move_id"));
	Datum		lead = DirectFunctionCall1(jsonb_int8, ImageMember(move, "lead_id"));
	Datum		values[4] = {undo->tree, Int64GetDatum(undo->merge_id), lead, id};

	if (WorkspaceExecute(undo->merge.ws, &find_later_move, values, NULL) > 0)
		UndoRefuse(undo, psprintf("the stage of lead " INT64_FORMAT, DatumGetInt64(lead)), ResultInt64(0, 1, NULL));
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
		UndoReport(undo, table->type, values[0], NULL, (Datum) 0, change->after, REASON_REFERRED);
		return;
	}
	if (UndoExecute(undo, table,
					psprintf("DELETE FROM %s AS t USING %s AND NOT EXISTS (SELECT FROM (SELECT lead_mgmt.row_image(t.*) AS image"
							 " OFFSET 0) i JOIN pg_catalog.jsonb_each($2) e ON i.image ? e.key"
							 " WHERE i.image -> e.key IS DISTINCT FROM e.value)%s", table->source, rows, condition),
					2, values) > 0)
		return;
	if (UndoExecute(undo, table, psprintf("SELECT lead_mgmt.row_image(t.*) FROM %s t, %s", table->source, rows),
					1, values) == 0)
	{
		UndoRefuseAbsorbed(undo, table, values[0]);
		return;
	}
	image = ResultJson(0, 1, NULL);
	if (IsOwn(table, "stage_move"))
		RefuseMovedOn(undo, image);
	if (IsOwn(table, "score"))
		MergeMixed(&undo->merge, DatumGetInt64(DirectFunctionCall1(jsonb_int8, ImageMember(image, "lead_id"))));
	else
		UndoReport(undo, table->type, values[0], NULL, (Datum) 0, image,
			   IsOwn(table, "stage_move") ? REASON_FOLLOWED : REASON_CHANGED);
}

/* Is a value of a row another than the one a step gave it, if it gave one? */
static bool
DiffersIn(Datum row, Datum given, const char *name)
{
	Datum		now = ImageMember(row, name);
	Datum		then = ImageMember(given, name);

	return then && (now == (Datum) 0 ||
					compareJsonbContainers(&DatumGetJsonbP(now)->root, &DatumGetJsonbP(then)->root) != 0);
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
		UndoReport(undo, table->type, key, column, before, now, ResultText(i, 4));
	}
	SPI_freetuptable(rows);
}

/*
 * Let a lead go without its context where that has another open lead by now;
 * returns what is to be set.
 */
static Datum
WithFreeContext(UndoContext *undo, const MergeTable *table, Datum key, Datum image, Datum set)
{
	Datum		values[2] = {image, set};

	if (UndoExecute(undo, table,
					psprintf("SELECT $2 || '{\"context_key\": null}', pg_catalog.to_jsonb(r.context_key)"
							 " FROM lead_mgmt.row_of_image(NULL::%s, $1 || $2) r WHERE r.status = 'open'"
							 " AND EXISTS (SELECT FROM %s o WHERE o.lead_id <> r.lead_id AND o.status = 'open' AND o.context_key = r.context_key"
							 " AND (o.contact_id = r.contact_id OR (o.contact_id IS NULL AND r.contact_id IS NULL AND o.account_id = r.account_id)))",
							 table->type, table->source), 2, values) == 0)
		return set;
	set = ResultJson(0, 1, NULL);
	UndoReport(undo, table->type, key, "context_key", ResultJson(0, 2, NULL), (Datum) 0, REASON_TAKEN);
	return set;
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

	if (UndoExecute(undo, table,
					psprintf("SELECT lead_mgmt.row_image(t.*) FROM %s t, lead_mgmt.row_of_image(NULL::%s, $1) k WHERE %s"
							 " FOR UPDATE OF t", table->source, table->type, MergeKeyMatch(table, "t", "k")),
					1, values) == 0)
	{
		UndoRefuseAbsorbed(undo, table, key);
		if (!IsOwn(table, "score"))
			UndoReport(undo, table->type, key, NULL, change->before, (Datum) 0, REASON_GONE);
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
	if (IsOwn(table, "score") &&
		(JB_ROOT_COUNT(DatumGetJsonbP(kept)) > 0 || DiffersIn(judge[0], change->after, "scored_at") ||
		 DiffersIn(judge[0], change->after, "fit") || DiffersIn(judge[0], change->after, "engagement")))
	{
		MergeMixed(&undo->merge, DatumGetInt64(DirectFunctionCall1(jsonb_int8, ImageMember(judge[0], "lead_id"))));
		return;
	}
	ReportFields(undo, table, key, kept);
	values[1] = UndoParents(undo, table, key, values[1], false);
	if (table->entity == ENTITY_LEAD)
		values[1] = WithFreeContext(undo, table, key, judge[0], values[1]);
	columns = ImageColumns(table, values[1]);
	if (columns != NIL)
		UndoExecute(undo, table,
					psprintf("UPDATE %s AS t SET %s FROM lead_mgmt.row_of_image(NULL::%s, $1) k,"
							 " lead_mgmt.row_of_image(NULL::%s, $2) r WHERE %s",
							 table->source, ColumnList(columns, ", ", "", " = r.", ""), table->type, table->type,
							 MergeKeyMatch(table, "t", "k")),
					2, values);
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
		ReportRows(undo, &change, quote_qualified_identifier(schema ? schema : undo->merge.ws->name, name), REASON_TABLE_GONE);
	else if (strcmp(change.action, ACTION_MOVED) == 0)
		MoveBack(undo, &change);
	else if (strcmp(change.action, ACTION_CHANGED) == 0)
		ChangeBack(undo, &change);
	else if (strcmp(change.action, ACTION_CREATED) == 0)
		TakeAway(undo, &change);
	else
		UndoInsert(undo, change.table, SingleKey(&change), change.before);
}
