/*
 * Which value a field has after a merge.
 *
 * Each field has a policy, a row of merge_policy or else the default of its
 * type.  The policies of an entity are written out as one statement over the
 * rows that are merged, ranked with the winner first; its plan is kept, so a
 * merge pays for the reading of a few rows.  What comes of it is written into
 * the winner once the losers are gone and their unique values are free.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "merge/merge.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/typcache.h"

/* What the name of a custom attribute begins with where fields are named */
#define ATTRIBUTE_PREFIX "attributes."

/* A row of merge_policy */
typedef struct FieldPolicy
{
	char	   *field;
	char	   *policy;
	char	   *block;			/* or NULL */
} FieldPolicy;

/* The statement that settles the fields of an entity, under construction */
typedef struct FieldStatement
{
	EntityKind	entity;
	TupleDesc	desc;
	Bitmapset  *own_references; /* columns that refer to the same table */
	List	   *blocks;			/* names of the blocks met so far */
	StringInfoData block_rows;	/* which row each is taken from, SQL text */
} FieldStatement;

static const PlanSource load_policies = {
	"SELECT p.field, p.policy, p.block FROM @workspace@.merge_policy p WHERE p.entity = $1 ORDER BY p.field",
	1, {ARG_TEXT}
};

/* When each field of the rows last changed, as far as the audit log knows */
static const PlanSource field_times = {
	"SELECT COALESCE(pg_catalog.jsonb_object_agg(g.entity_id, g.fields), '{}') FROM ("
	"SELECT a.entity_id, pg_catalog.jsonb_object_agg(a.field, a.changed_at) AS fields FROM ("
	"SELECT l.entity_id, c.field, pg_catalog.max(l.changed_at) AS changed_at FROM @workspace@.audit_log l"
	" CROSS JOIN LATERAL pg_catalog.jsonb_object_keys(l.changes) c (field)"
	" WHERE l.entity = $1 AND l.entity_id = ANY ($2) GROUP BY l.entity_id, c.field) a"
	" GROUP BY a.entity_id) g",
	2, {ARG_TEXT, ARG_INT8S}
};

struct FieldValues
{
	EntityKind	entity;
	int64		id;
	int			count;			/* of the columns that change */
	char	  **columns;
	Oid		   *types;
	Datum	   *values;
	char	   *nulls;
	Datum		image;			/* of the row as it was */
};

/* Columns that follow from others, or that belong to the winner alone */
static const char *const fixed_columns[ENTITY_COUNT][16] = {
	[ENTITY_CONTACT] = {"contact_id", "attributes", "updated_at"},
	[ENTITY_ACCOUNT] = {"account_id", "kind", "individual_contact_id", "attributes", "updated_at"},
	[ENTITY_LEAD] = {"lead_id", "pipeline", "stage", "stage_entered_at", "stage_reason", "status", "qualification",
	"sales_ready_at", "sales_ready_model", "disqualified_reason", "context_key", "attributes", "updated_at"}
};

/* Columns in which "unknown" says nothing */
static const char *const source_columns[] = {"source", "first_source", "last_source"};

/* Is the column one that no policy decides on? */
static bool
FieldIsFixed(EntityKind entity, const char *column)
{
	for (int i = 0; i < lengthof(fixed_columns[entity]) && fixed_columns[entity][i]; i++)
		if (strcmp(fixed_columns[entity][i], column) == 0)
			return true;
	return false;
}

/* Load the policies of an entity once a call */
static List *
Policies(MergeContext *ctx, EntityKind entity)
{
	Datum		name = CStringGetTextDatum(EntityNames[entity]);
	MemoryContext old;
	int			n;

	if (ctx->has_policies[entity])
		return ctx->policies[entity];
	n = WorkspaceExecute(ctx->ws, &load_policies, &name, NULL);
	old = MemoryContextSwitchTo(ctx->context);
	for (int i = 0; i < n; i++)
	{
		FieldPolicy *policy = palloc(sizeof(FieldPolicy));

		policy->field = ResultText(i, 1);
		policy->policy = ResultText(i, 2);
		policy->block = ResultText(i, 3);
		ctx->policies[entity] = lappend(ctx->policies[entity], policy);
	}
	MemoryContextSwitchTo(old);
	SPI_freetuptable(SPI_tuptable);
	ctx->has_policies[entity] = true;
	return ctx->policies[entity];
}

/* Find the policy of a field among those given, NULL when it has none */
static const FieldPolicy *
FindPolicy(List *policies, const char *field)
{
	ListCell   *lc;

	foreach(lc, policies)
	{
		const FieldPolicy *policy = lfirst(lc);

		if (strcmp(policy->field, field) == 0)
			return policy;
	}
	return NULL;
}

/* Refuse policies that are for no field of the entity any more */
static void
CheckPolicies(EntityKind entity, List *policies, TupleDesc desc)
{
	ListCell   *lc;

	foreach(lc, policies)
	{
		const FieldPolicy *policy = lfirst(lc);

		if (strncmp(policy->field, ATTRIBUTE_PREFIX, strlen(ATTRIBUTE_PREFIX)) != 0 &&
			(SPI_fnumber(desc, policy->field) <= 0 || FieldIsFixed(entity, policy->field)))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("merge policy for \"%s\", which is no field of %s", policy->field, EntityNames[entity]),
					 errhint("Delete that row of merge_policy, or correct the name.")));
	}
}

/* Write the condition that a row says something in a column */
static char *
Filled(const FieldStatement *statement, Form_pg_attribute attribute)
{
	const char *column = quote_identifier(NameStr(attribute->attname));
	Oid			base = getBaseType(attribute->atttypid);
	StringInfoData text;
	char		category;
	bool		is_preferred;

	initStringInfo(&text);
	appendStringInfo(&text, "r.%s IS DISTINCT FROM NULL", column);
	get_type_category_preferred(base, &category, &is_preferred);
	if (base == JSONBOID)
		appendStringInfo(&text, " AND r.%s NOT IN ('{}', '[]', 'null', '\"\"')", column);
	else if (category == TYPCATEGORY_ARRAY)
		appendStringInfo(&text, " AND pg_catalog.cardinality(r.%s) > 0", column);
	else if (category == TYPCATEGORY_STRING)
		appendStringInfo(&text, " AND r.%s::pg_catalog.text <> ''", column);
	for (int i = 0; i < lengthof(source_columns); i++)
		if (strcmp(source_columns[i], NameStr(attribute->attname)) == 0)
			appendStringInfo(&text, " AND r.%s <> 'unknown'", column);
	if (bms_is_member(attribute->attnum, statement->own_references))
		appendStringInfo(&text, " AND r.%s <> ALL ($1)", column);
	return text.data;
}

/* Write when a row's value in a column came to be */
static char *
ChangedAt(const FieldStatement *statement, const char *field)
{
	return psprintf("COALESCE(($2 -> r.%s::pg_catalog.text ->> %s)::pg_catalog.timestamptz, r.created_at)",
					EntityIdColumn(statement->entity), quote_literal_cstr(field));
}

/* Write the order in which a policy prefers rows, with a comma after it */
static char *
PreferredOrder(const FieldStatement *statement, const char *policy, Form_pg_attribute attribute)
{
	const char *column = quote_identifier(NameStr(attribute->attname));

	if (strcmp(policy, "newest") == 0)
		return psprintf("%s DESC, ", ChangedAt(statement, NameStr(attribute->attname)));
	if (strcmp(policy, "oldest") == 0)
		return "r.created_at, ";
	if (strcmp(policy, "longest") == 0)
		return psprintf("pg_catalog.length(r.%s::pg_catalog.text) DESC, ", column);
	if (strcmp(policy, "max") == 0)
		return psprintf("r.%s DESC, ", column);
	if (strcmp(policy, "min") == 0)
		return psprintf("r.%s, ", column);
	return "";
}

/* Write the elements that arrays of all rows have, each once, in the order of the rows */
static char *
Union(const char *column, Oid type)
{
	const char *elements = type == JSONBOID ?
	"pg_catalog.jsonb_array_elements(CASE pg_catalog.jsonb_typeof(r.%s) WHEN 'array' THEN r.%s ELSE '[]' END)" :
	"pg_catalog.unnest(r.%s)";
	char	   *from = type == JSONBOID ? psprintf(elements, column, column) : psprintf(elements, column);

	return psprintf("(SELECT pg_catalog.%s(u.element ORDER BY u.place) FROM ("
					"SELECT e.element, pg_catalog.min(r.merge_rank * 1000000000 + e.number) AS place"
					" FROM r CROSS JOIN LATERAL %s WITH ORDINALITY e (element, number) GROUP BY e.element) u)",
					type == JSONBOID ? "jsonb_agg" : "array_agg", from);
}

/* Write the value that a column has after the merge, NULL when no row says anything */
static char *
FieldValue(const FieldStatement *statement, const char *policy, Form_pg_attribute attribute)
{
	const char *column = quote_identifier(NameStr(attribute->attname));

	if (strcmp(policy, "keep") == 0)
		return "NULL";
	if (strcmp(policy, "sum") == 0)
		return psprintf("(SELECT pg_catalog.sum(r.%s) FROM r)::%s", column,
						format_type_with_typemod(attribute->atttypid, attribute->atttypmod));
	if (strcmp(policy, "concatenate") == 0)
		return psprintf("(SELECT pg_catalog.string_agg(u.value, E'\\n' ORDER BY u.place) FROM ("
						"SELECT r.%s::pg_catalog.text AS value, pg_catalog.min(r.merge_rank) AS place"
						" FROM r WHERE %s GROUP BY 1) u)", column, Filled(statement, attribute));
	if (strcmp(policy, "union") == 0 && getBaseType(attribute->atttypid) == JSONBOID)
		return psprintf("CASE (SELECT pg_catalog.jsonb_typeof(r.%s) FROM r WHERE %s ORDER BY r.merge_rank LIMIT 1)"
						" WHEN 'array' THEN %s WHEN 'object' THEN (SELECT pg_catalog.jsonb_object_agg(e.key, e.value"
						" ORDER BY r.merge_rank DESC) FROM r CROSS JOIN LATERAL pg_catalog.jsonb_each("
						"CASE pg_catalog.jsonb_typeof(r.%s) WHEN 'object' THEN r.%s ELSE '{}' END) e) END",
						column, Filled(statement, attribute), Union(column, JSONBOID), column, column);
	if (strcmp(policy, "union") == 0)
		return Union(column, attribute->atttypid);
	return psprintf("(SELECT r.%s FROM r WHERE %s ORDER BY %sr.merge_rank LIMIT 1)",
					column, Filled(statement, attribute), PreferredOrder(statement, policy, attribute));
}

/* Write which row the fields of a block are taken from */
static char *
BlockRow(FieldStatement *statement, const char *block, List *policies)
{
	StringInfoData filled;
	StringInfoData order;
	StringInfoData columns;
	const char *policy = NULL;
	ListCell   *lc;

	initStringInfo(&filled);
	initStringInfo(&order);
	initStringInfo(&columns);
	foreach(lc, policies)
	{
		const FieldPolicy *member = lfirst(lc);
		Form_pg_attribute attribute;

		if (member->block == NULL || strcmp(member->block, block) != 0)
			continue;
		attribute = TupleDescAttr(statement->desc, SPI_fnumber(statement->desc, member->field) - 1);
		if (policy && strcmp(policy, member->policy) != 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("fields of the block \"%s\" of %s have different merge policies", block,
							EntityNames[statement->entity]),
					 errhint("A block is taken from one record: give its fields the same policy.")));
		policy = member->policy;
		appendStringInfo(&filled, "%s%s", filled.len ? " OR " : "", Filled(statement, attribute));
		appendStringInfo(&columns, "%sr.%s", columns.len ? ", " : "", quote_identifier(member->field));
		if (strcmp(policy, "newest") == 0)
			appendStringInfo(&order, "%s%s", order.len ? ", " : "", ChangedAt(statement, member->field));
	}
	Assert(policy != NULL);
	if (strcmp(policy, "newest") == 0)
		return psprintf("(SELECT r.merge_rank FROM r WHERE %s ORDER BY GREATEST(%s) DESC, r.merge_rank LIMIT 1)",
						filled.data, order.data);
	return psprintf("(SELECT r.merge_rank FROM r WHERE %s ORDER BY %sr.merge_rank LIMIT 1)", filled.data,
					strcmp(policy, "oldest") == 0 ? "r.created_at, " :
					strcmp(policy, "longest") == 0 ?
					psprintf("pg_catalog.num_nonnulls(%s) DESC, pg_catalog.length(pg_catalog.concat(%s)) DESC, ",
							 columns.data, columns.data) : "");
}

/* Get the number of a block, writing it out the first time it is met */
static int
BlockIndex(FieldStatement *statement, const char *block, List *policies)
{
	ListCell   *lc;

	foreach(lc, statement->blocks)
		if (strcmp(lfirst(lc), block) == 0)
			return foreach_current_index(lc);
	appendStringInfo(&statement->block_rows, "%s%s AS block_%d", statement->blocks ? ", " : "",
					 BlockRow(statement, block, policies), list_length(statement->blocks));
	statement->blocks = lappend(statement->blocks, pstrdup(block));
	return list_length(statement->blocks) - 1;
}

/*
 * The custom attributes after the merge, key by key; $3 has the policies.
 * Those without one are united when they are lists and else the winner's.
 */
static const char attributes_value[] =
"CASE WHEN EXISTS (SELECT FROM r WHERE r.merge_rank > 1 AND r.attributes <> '{}') THEN"
" (SELECT COALESCE(pg_catalog.jsonb_object_agg(a.key, a.value), '{}') FROM ("
"SELECT k.key, COALESCE(CASE k.policy"
" WHEN 'keep' THEN NULL"
" WHEN 'newest' THEN (SELECT v.value FROM ROWS FROM (pg_catalog.unnest(k.values), pg_catalog.unnest(k.times)) v (value, at)"
" WHERE v.value NOT IN ('null', '\"\"', '[]', '{}') ORDER BY v.at DESC LIMIT 1)"
" WHEN 'oldest' THEN (SELECT v.value FROM ROWS FROM (pg_catalog.unnest(k.values), pg_catalog.unnest(k.births)) v (value, at)"
" WHERE v.value NOT IN ('null', '\"\"', '[]', '{}') ORDER BY v.at LIMIT 1)"
" WHEN 'longest' THEN (SELECT v.value FROM pg_catalog.unnest(k.values) WITH ORDINALITY v (value, place)"
" WHERE v.value NOT IN ('null', '\"\"', '[]', '{}') ORDER BY pg_catalog.length(v.value #>> '{}') DESC, v.place LIMIT 1)"
" WHEN 'max' THEN (SELECT v.value FROM pg_catalog.unnest(k.values) v (value)"
" WHERE v.value NOT IN ('null', '\"\"', '[]', '{}') ORDER BY v.value DESC LIMIT 1)"
" WHEN 'min' THEN (SELECT v.value FROM pg_catalog.unnest(k.values) v (value)"
" WHERE v.value NOT IN ('null', '\"\"', '[]', '{}') ORDER BY v.value LIMIT 1)"
" WHEN 'sum' THEN (SELECT pg_catalog.to_jsonb(pg_catalog.sum(CASE pg_catalog.jsonb_typeof(v.value)"
" WHEN 'number' THEN (v.value #>> '{}')::pg_catalog.numeric END)) FROM pg_catalog.unnest(k.values) v (value))"
" WHEN 'concatenate' THEN (SELECT pg_catalog.to_jsonb(pg_catalog.string_agg(u.value, E'\\n' ORDER BY u.place)) FROM ("
"SELECT v.value #>> '{}' AS value, pg_catalog.min(v.place) AS place"
" FROM pg_catalog.unnest(k.values) WITH ORDINALITY v (value, place)"
" WHERE v.value NOT IN ('null', '\"\"', '[]', '{}') GROUP BY 1) u)"
" WHEN 'union' THEN (SELECT pg_catalog.jsonb_agg(u.element ORDER BY u.place) FROM ("
"SELECT e.element, pg_catalog.min(v.place * 1000000000 + e.number) AS place"
" FROM pg_catalog.unnest(k.values) WITH ORDINALITY v (value, place)"
" CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(CASE pg_catalog.jsonb_typeof(v.value)"
" WHEN 'array' THEN v.value ELSE '[]' END) WITH ORDINALITY e (element, number) GROUP BY e.element) u)"
" ELSE (SELECT v.value FROM pg_catalog.unnest(k.values) WITH ORDINALITY v (value, place)"
" WHERE v.value NOT IN ('null', '\"\"', '[]', '{}') ORDER BY v.place LIMIT 1)"
" END, (SELECT r.attributes -> k.key FROM r WHERE r.merge_rank = 1)) AS value FROM ("
"SELECT e.key, COALESCE($3 ->> e.key,"
" CASE WHEN pg_catalog.bool_and(pg_catalog.jsonb_typeof(e.value) = 'array') THEN 'union' ELSE 'winner' END) AS policy,"
" pg_catalog.array_agg(e.value ORDER BY r.merge_rank) AS values,"
" pg_catalog.array_agg(%s ORDER BY r.merge_rank) AS times,"
" pg_catalog.array_agg(r.created_at ORDER BY r.merge_rank) AS births"
" FROM r CROSS JOIN LATERAL pg_catalog.jsonb_each(r.attributes) e GROUP BY e.key) k) a WHERE a.value IS NOT NULL)"
" ELSE (SELECT r.attributes FROM r WHERE r.merge_rank = 1) END";

/* A lead without a context takes over that of a lead of the same contact */
static const char context_value[] =
"(SELECT r.context_key FROM r JOIN r w ON w.merge_rank = 1"
" WHERE r.context_key IS NOT NULL AND (r.merge_rank = 1 OR r.status = 'open' AND w.status = 'open'"
" AND r.contact_id IS NOT DISTINCT FROM w.contact_id AND r.account_id IS NOT DISTINCT FROM w.account_id)"
" ORDER BY r.merge_rank LIMIT 1)";

/* Write the statement that settles the fields, and list its columns */
static char *
WriteStatement(FieldStatement *statement, const MergeTable *table, List *policies, List **columns)
{
	StringInfoData values;
	TupleDesc	desc = statement->desc;

	initStringInfo(&values);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		const char *name = NameStr(attribute->attname);
		const FieldPolicy *policy = FindPolicy(policies, name);

		if (attribute->attisdropped || attribute->attgenerated != '\0')
			continue;
		if (strcmp(name, "attributes") == 0)
			appendStringInfo(&values, ", %s", psprintf(attributes_value, ChangedAt(statement, name)));
		else if (strcmp(name, "context_key") == 0 && statement->entity == ENTITY_LEAD)
			appendStringInfo(&values, ", %s", context_value);
		else if (FieldIsFixed(statement->entity, name))
			continue;
		else if (policy && policy->block)
			appendStringInfo(&values, ", (SELECT r.%s FROM r, b WHERE r.merge_rank = COALESCE(b.block_%d, 1))",
							 quote_identifier(name), BlockIndex(statement, policy->block, policies));
		else
			appendStringInfo(&values, ", COALESCE(%s, (SELECT r.%s FROM r WHERE r.merge_rank = 1))",
							 FieldValue(statement, policy ? policy->policy :
										OidIsValid(get_element_type(attribute->atttypid)) ? "union" : "winner", attribute),
							 quote_identifier(name));
		*columns = lappend_int(*columns, i + 1);
	}
	return psprintf("WITH r AS MATERIALIZED (SELECT t.*, o.place AS merge_rank FROM pg_catalog.unnest($1)"
					" WITH ORDINALITY o (id, place) JOIN %s t ON t.%s = o.id)%s SELECT $2, $3%s",
					table->source, EntityIdColumn(statement->entity),
					statement->blocks ? psprintf(", b AS MATERIALIZED (SELECT %s)", statement->block_rows.data) : "",
					values.data);
}

/* Get when fields changed, if a policy asks for it */
static Datum
FieldTimes(MergeContext *ctx, EntityKind entity, List *policies, const int64 *ids, int n)
{
	ListCell   *lc;

	foreach(lc, policies)
		if (strcmp(((FieldPolicy *) lfirst(lc))->policy, "newest") == 0)
		{
			Datum		values[2] = {CStringGetTextDatum(EntityNames[entity]), IdArray(ids, n)};

			WorkspaceExecute(ctx->ws, &field_times, values, NULL);
			return ResultJson(0, 1, NULL);
		}
	return DirectFunctionCall1(jsonb_in, CStringGetDatum("{}"));
}

/* Get the policies of custom attributes as a JSON object */
static Datum
AttributePolicies(List *policies)
{
	JsonbParseState *state = NULL;
	ListCell   *lc;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	foreach(lc, policies)
	{
		const FieldPolicy *policy = lfirst(lc);
		JsonbValue	text = {.type = jbvString};

		if (strncmp(policy->field, ATTRIBUTE_PREFIX, strlen(ATTRIBUTE_PREFIX)) != 0)
			continue;
		text.val.string.val = policy->field + strlen(ATTRIBUTE_PREFIX);
		text.val.string.len = strlen(text.val.string.val);
		pushJsonbValue(&state, WJB_KEY, &text);
		text.val.string.val = policy->policy;
		text.val.string.len = strlen(policy->policy);
		pushJsonbValue(&state, WJB_VALUE, &text);
	}
	return JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}

/* Find the columns that refer to rows of the entity itself */
static Bitmapset *
OwnReferences(MergeContext *ctx, const MergeTable *table)
{
	Bitmapset  *columns = NULL;
	ListCell   *lc;

	foreach(lc, ReferencesTo(ctx, table))
	{
		const Reference *reference = lfirst(lc);

		if (reference->is_self && reference->column_count == 1 && reference->types[0] == INT8OID)
			columns = bms_add_member(columns, reference->columns[0]);
	}
	return columns;
}

/* Work out what the fields of the first of the rows will be once it is all of them */
FieldValues *
FieldsRead(MergeContext *ctx, EntityKind entity, const int64 *ids, int n)
{
	MergeTable *table = MergeEntityTable(ctx, entity);
	List	   *policies = Policies(ctx, entity);
	Relation	rel = table_open(table->relid, AccessShareLock);
	FieldStatement statement = {.entity = entity, .desc = RelationGetDescr(rel)};
	FieldValues *fields = palloc0(sizeof(FieldValues));
	Oid			types[3] = {INT8ARRAYOID, JSONBOID, JSONBOID};
	Datum		arguments[3] = {IdArray(ids, n), FieldTimes(ctx, entity, policies, ids, n), AttributePolicies(policies)};
	Oid			id_type = INT8OID;
	Datum		id = Int64GetDatum(ids[0]);
	List	   *columns = NIL;
	SPITupleTable *settled;
	SPITupleTable *current;
	ListCell   *lc;
	bool		isnull;
	char	   *sql;

	CheckPolicies(entity, policies, statement.desc);
	initStringInfo(&statement.block_rows);
	statement.own_references = OwnReferences(ctx, table);
	sql = WriteStatement(&statement, table, policies, &columns);
	MergeExecute(ctx, table, sql, 3, types, arguments);
	settled = SPI_tuptable;
	MergeExecute(ctx, table,
				 psprintf("SELECT lead_mgmt.row_image(t.*) AS merge_image, t.* FROM %s t WHERE t.%s = $1", table->source,
						  EntityIdColumn(entity)),
				 1, &id_type, &id);
	current = SPI_tuptable;
	fields->entity = entity;
	fields->id = ids[0];
	fields->image = ResultJson(0, 1, &isnull);
	fields->columns = palloc(sizeof(char *) * list_length(columns));
	fields->types = palloc(sizeof(Oid) * list_length(columns));
	fields->values = palloc(sizeof(Datum) * list_length(columns));
	fields->nulls = palloc0(list_length(columns) + 1);
	foreach(lc, columns)
	{
		Form_pg_attribute attribute = TupleDescAttr(statement.desc, lfirst_int(lc) - 1);
		int			position = SPI_fnumber(current->tupdesc, NameStr(attribute->attname));
		bool		before_null;
		bool		after_null;
		Datum		before = SPI_getbinval(current->vals[0], current->tupdesc, position, &before_null);
		Datum		after = SPI_getbinval(settled->vals[0], settled->tupdesc, foreach_current_index(lc) + 3, &after_null);

		if (before_null == after_null &&
			(before_null || datum_image_eq(before, after, attribute->attbyval, attribute->attlen)))
			continue;
		fields->columns[fields->count] = pstrdup(quote_identifier(NameStr(attribute->attname)));
		fields->types[fields->count] = attribute->atttypid;
		fields->values[fields->count] = after_null ? (Datum) 0 : datumCopy(after, attribute->attbyval, attribute->attlen);
		fields->nulls[fields->count++] = after_null ? 'n' : ' ';
	}
	SPI_freetuptable(settled);
	SPI_freetuptable(current);
	table_close(rel, NoLock);
	return fields;
}

/* Write the fields that change into the winner */
void
FieldsWrite(MergeContext *ctx, int64 merge_id, FieldValues *fields)
{
	static const PlanSource log_change = {
		"INSERT INTO @workspace@.merge_change (merge_id, action, table_name, keys, before, after)"
		" SELECT $1, 'changed', $2, pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object($3, $4)),"
		" " CHANGED_FIELDS("$5", "$6") ", " CHANGED_FIELDS("$6", "$5"),
		6, {ARG_INT8, ARG_TEXT, ARG_TEXT, ARG_INT8, ARG_JSONB, ARG_JSONB}
	};
	MergeTable *table = MergeEntityTable(ctx, fields->entity);
	StringInfoData sql;
	MemoryContext context = CurrentMemoryContext;
	Datum		values[6];

	if (fields->count == 0)
		return;
	initStringInfo(&sql);
	appendStringInfo(&sql, "UPDATE %s AS t SET updated_at = pg_catalog.now()", table->source);
	for (int i = 0; i < fields->count; i++)
		appendStringInfo(&sql, ", %s = $%d", fields->columns[i], i + 1);
	appendStringInfo(&sql, " WHERE t.%s = " INT64_FORMAT " RETURNING lead_mgmt.row_image(t.*)",
					 EntityIdColumn(fields->entity), fields->id);
	if (SPI_execute_with_args(sql.data, fields->count, fields->types, fields->values, fields->nulls, false, 0) !=
		SPI_OK_UPDATE_RETURNING || SPI_processed != 1)
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
				 errmsg("%s " INT64_FORMAT " could not be updated", EntityNames[fields->entity], fields->id),
				 errhint("A trigger of the table may stand in the way.")));
	MemoryContextSwitchTo(context);
	values[0] = Int64GetDatum(merge_id);
	values[1] = CStringGetTextDatum(table->name);
	values[2] = CStringGetTextDatum(EntityIdColumn(fields->entity));
	values[3] = Int64GetDatum(fields->id);
	values[4] = fields->image;
	values[5] = ResultJson(0, 1, NULL);
	WorkspaceExecute(ctx->ws, &log_change, values, NULL);
}

/* List the fields of an entity that merges add up */
Datum
FieldsSummed(MergeContext *ctx, EntityKind entity)
{
	List	   *policies = Policies(ctx, entity);
	Datum	   *fields = palloc(sizeof(Datum) * (list_length(policies) + 1));
	int			count = 0;
	ListCell   *lc;

	foreach(lc, policies)
	{
		const FieldPolicy *policy = lfirst(lc);

		if (strcmp(policy->policy, "sum") == 0)
			fields[count++] = CStringGetTextDatum(policy->field);
	}
	return PointerGetDatum(construct_array(fields, count, TEXTOID, -1, false, TYPALIGN_INT));
}

/* Refuse a policy that a field of this type cannot have */
static void
CheckFits(const char *field, const char *policy, const char *type, bool fits)
{
	if (!fits)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("merge policy \"%s\" does not suit \"%s\" of type %s", policy, field, type),
				 errhint("sum is for numbers, union for lists, concatenate for text, max and min for what can be ordered.")));
}

/* Check the policy of a column */
static void
CheckColumnPolicy(Oid type, const char *field, const char *policy)
{
	Oid			base = getBaseType(type);
	bool		fits = true;

	if (strcmp(policy, "sum") == 0)
		fits = base == INT2OID || base == INT4OID || base == INT8OID || base == NUMERICOID || base == FLOAT4OID ||
			base == FLOAT8OID || base == INTERVALOID;
	else if (strcmp(policy, "union") == 0)
		fits = base == JSONBOID || OidIsValid(get_element_type(base));
	else if (strcmp(policy, "concatenate") == 0)
		fits = base == TEXTOID || base == VARCHAROID;
	else if (strcmp(policy, "max") == 0 || strcmp(policy, "min") == 0)
		fits = OidIsValid(lookup_type_cache(type, TYPECACHE_LT_OPR)->lt_opr);
	CheckFits(field, policy, format_type_be(type), fits);
}

/* Check the policy of a custom attribute */
static void
CheckAttributePolicy(Workspace *ws, EntityKind entity, const char *field, const char *policy, bool has_block)
{
	const char *name = field + strlen(ATTRIBUTE_PREFIX);
	CustomField *custom = ConfigField(WorkspaceGetConfig(ws), entity, name, strlen(name));
	bool		fits = true;

	if (custom == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("%s has no custom attribute \"%s\"", EntityNames[entity], name),
				 errhint("Define it with define_field(), or correct the name.")));
	if (has_block)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("custom attribute \"%s\" cannot be part of a block", name)));
	if (strcmp(policy, "sum") == 0)
		fits = custom->type == ATTRIBUTE_INTEGER || custom->type == ATTRIBUTE_NUMBER;
	else if (strcmp(policy, "union") == 0)
		fits = custom->type == ATTRIBUTE_CHOICES;
	else if (strcmp(policy, "concatenate") == 0)
		fits = custom->type == ATTRIBUTE_TEXT;
	CheckFits(field, policy, "custom attribute", fits);
}

PG_FUNCTION_INFO_V1(guard_merge_policy);
/* Refuse a merge policy for what is no field, or that does not suit its type */
Datum
guard_merge_policy(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	HeapTuple	tuple;
	TupleDesc	desc;
	Workspace  *ws;
	WorkspaceRights rights;
	char	   *entity;
	char	   *field;
	char	   *policy;
	bool		has_block;
	int			kind = 0;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigdata->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) || TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("guard_merge_policy must be called as a BEFORE INSERT OR UPDATE row trigger")));
	tuple = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ? trigdata->tg_newtuple : trigdata->tg_trigtuple;
	desc = RelationGetDescr(trigdata->tg_relation);
	entity = SPI_getvalue(tuple, desc, SPI_fnumber(desc, "entity"));
	field = SPI_getvalue(tuple, desc, SPI_fnumber(desc, "field"));
	policy = SPI_getvalue(tuple, desc, SPI_fnumber(desc, "policy"));
	has_block = SPI_getvalue(tuple, desc, SPI_fnumber(desc, "block")) != NULL;
	while (kind < ENTITY_COUNT && (entity == NULL || strcmp(EntityNames[kind], entity) != 0))
		kind++;
	if (kind == ENTITY_COUNT || field == NULL || policy == NULL)
		return PointerGetDatum(tuple);	/* for the table's own constraints to refuse */

	ws = WorkspaceOfRelation(trigdata->tg_relation);
	WorkspaceEnter(ws, &rights);
	if (strncmp(field, ATTRIBUTE_PREFIX, strlen(ATTRIBUTE_PREFIX)) == 0)
		CheckAttributePolicy(ws, kind, field, policy, has_block);
	else
	{
		Oid			relid = WorkspaceRelation(ws, entity);
		AttrNumber	column = get_attnum(relid, field);

		if (column <= 0 || get_attgenerated(relid, column) != '\0')
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("%s has no field \"%s\" that a merge policy could be for", entity, field),
					 errhint("Name a column, or a custom attribute as attributes.NAME.")));
		if (FieldIsFixed(kind, field))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("\"%s\" of %s takes no merge policy: it stays the winner's, or follows from the merge",
							field, entity)));
		CheckColumnPolicy(get_atttype(relid, column), field, policy);
	}
	WorkspaceLeave(&rights);
	return PointerGetDatum(tuple);
}
