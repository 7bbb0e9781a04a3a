/*
 * Merging contacts, accounts and leads: what is checked and locked first, and
 * the steps of a merge.
 *
 * Rows are locked the way capture locks them, accounts before contacts before
 * leads and each kind in the order of the ids, so that the two wait for each
 * other and hardly ever in a circle (retry.c).  A capture that finds the loser locked goes
 * round again once the merge has committed and meets the winner.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/index.h"
#include "catalog/pg_am_d.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "merge/merge.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "parser/parse_func.h"
#include "pipeline/pipeline.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/typcache.h"

static const PlanSource lock_individuals = {
	"SELECT a.account_id FROM @workspace@.account a WHERE a.individual_contact_id = ANY ($1)"
	" ORDER BY a.account_id FOR UPDATE",
	1, {ARG_INT8S}
};

static const PlanSource lock_accounts = {
	"SELECT a.account_id FROM @workspace@.account a WHERE a.account_id = ANY (ARRAY("
	"SELECT c.account_id FROM @workspace@.contact c WHERE c.contact_id = ANY ($1))) ORDER BY a.account_id FOR KEY SHARE",
	1, {ARG_INT8S}
};

static const PlanSource lock_contacts_of_accounts = {
	"SELECT c.contact_id FROM @workspace@.contact c WHERE c.account_id = ANY ($1) ORDER BY c.contact_id FOR NO KEY UPDATE",
	1, {ARG_INT8S}
};

static const PlanSource lock_contacts_of_leads = {
	"SELECT c.contact_id FROM @workspace@.contact c WHERE c.contact_id = ANY (ARRAY("
	"SELECT l.contact_id FROM @workspace@.lead l WHERE l.lead_id = ANY ($1))) ORDER BY c.contact_id FOR NO KEY UPDATE",
	1, {ARG_INT8S}
};

static const PlanSource lock_leads_of_contacts = {
	"SELECT l.lead_id FROM @workspace@.lead l WHERE l.contact_id = ANY ($1) ORDER BY l.lead_id FOR UPDATE",
	1, {ARG_INT8S}
};

static const PlanSource lock_leads_of_accounts = {
	"SELECT l.lead_id FROM @workspace@.lead l WHERE l.account_id = ANY ($1) ORDER BY l.lead_id FOR UPDATE",
	1, {ARG_INT8S}
};

static const PlanSource find_redirect = {
	"SELECT r.survivor_id, r.merge_id FROM @workspace@.entity_redirect r WHERE r.entity = $1 AND r.old_id = $2",
	2, {ARG_TEXT, ARG_INT8}
};

static const PlanSource find_leads_of_others = {
	"SELECT l.lead_id, l.contact_id, w.contact_id FROM @workspace@.lead l JOIN @workspace@.lead w ON w.lead_id = $1"
	" WHERE l.lead_id = ANY ($2) AND l.contact_id <> w.contact_id ORDER BY l.lead_id LIMIT 1",
	2, {ARG_INT8, ARG_INT8S}
};

/* What an account that is one person cannot take over: further persons */
static const PlanSource find_individual_conflict = {
	"SELECT w.individual_contact_id, COALESCE(a.individual_contact_id, c.contact_id), a.account_id,"
	" a.individual_contact_id IS NOT NULL FROM @workspace@.account w"
	" JOIN @workspace@.account a ON a.account_id = ANY ($2)"
	" LEFT JOIN @workspace@.contact c ON c.account_id = a.account_id AND c.contact_id <> w.individual_contact_id"
	" WHERE w.account_id = $1 AND w.individual_contact_id IS NOT NULL"
	" AND (c.contact_id IS NOT NULL OR a.individual_contact_id IS NOT NULL)"
	" ORDER BY a.individual_contact_id IS NULL, a.account_id, c.contact_id LIMIT 1",
	2, {ARG_INT8, ARG_INT8S}
};

static const PlanSource begin_merge = {
	"INSERT INTO @workspace@.merge (entity, winner_id, loser_ids, part_of, reason, merged_by)"
	" VALUES ($1, $2, $3, $4, $5, $6::pg_catalog.name) RETURNING merge_id",
	6, {ARG_TEXT, ARG_INT8, ARG_INT8S, ARG_INT8, ARG_TEXT, ARG_TEXT}
};

static const PlanSource end_merge = {
	"UPDATE @workspace@.merge SET rows_moved = $2, rows_absorbed = $3 WHERE merge_id = $1",
	3, {ARG_INT8, ARG_INT8, ARG_INT8}
};

static const PlanSource redirect = {
	"WITH made AS (INSERT INTO @workspace@.entity_redirect AS r (entity, old_id, survivor_id, merge_id)"
	" SELECT $1, o.id, $3, $4 FROM pg_catalog.unnest($2) o (id)"
	" ON CONFLICT (entity, old_id) DO UPDATE SET survivor_id = EXCLUDED.survivor_id, merge_id = EXCLUDED.merge_id"
	" RETURNING r.old_id, lead_mgmt.row_image(r.*) AS image)"
	" INSERT INTO @workspace@.merge_change (merge_id, action, table_name, keys, after)"
	" SELECT $4, 'created', 'entity_redirect',"
	" pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object('entity', $1, 'old_id', made.old_id)), made.image FROM made",
	4, {ARG_TEXT, ARG_INT8S, ARG_INT8, ARG_INT8}
};

/* Where the stages of a lead and the last of its moves say different things */
static const PlanSource find_last_move = {
	"SELECT m.to_stage, l.pipeline, l.stage FROM @workspace@.lead l LEFT JOIN"
	" (SELECT o.lead_id, o.pipeline, o.to_stage FROM @workspace@.stage_move o WHERE o.lead_id = $1"
	" ORDER BY o.stage_move_id DESC LIMIT 1) m ON m.lead_id = l.lead_id"
	" WHERE l.lead_id = $1 AND (m.pipeline, m.to_stage) IS DISTINCT FROM (l.pipeline, l.stage)",
	1, {ARG_INT8}
};

static const PlanSource log_last_move = {
	"INSERT INTO @workspace@.merge_change (merge_id, action, table_name, keys, after)"
	" SELECT $1, 'created', 'stage_move',"
	" pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object('stage_move_id', m.stage_move_id)),"
	" lead_mgmt.row_image(m.*) FROM @workspace@.stage_move m WHERE m.stage_move_id ="
	" (SELECT pg_catalog.max(o.stage_move_id) FROM"
	" (SELECT n.stage_move_id FROM @workspace@.stage_move n WHERE n.lead_id = $2 OFFSET 0) o)",
	2, {ARG_INT8, ARG_INT8}
};

/* What a lead did whose contact was not known is that of the contact it has now */
static const PlanSource credit_contact = {
	"WITH credited AS (UPDATE @workspace@.interaction i SET contact_id = l.contact_id FROM @workspace@.lead l"
	" WHERE l.lead_id = $2 AND l.contact_id IS NOT NULL AND i.lead_id = $2 AND i.contact_id IS NULL"
	" RETURNING i.interaction_id, i.contact_id)"
	" INSERT INTO @workspace@.merge_change (merge_id, action, table_name, keys, before, after)"
	" SELECT $1, 'moved', 'interaction',"
	" pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('interaction_id', c.interaction_id)),"
	" '{\"contact_id\": null}', pg_catalog.jsonb_build_object('contact_id', pg_catalog.min(c.contact_id))"
	" FROM (SELECT e.*, (pg_catalog.row_number() OVER ()) / " CppAsString2(MERGE_LOG_KEYS) " AS part FROM credited e) c"
	" GROUP BY c.part",
	2, {ARG_INT8, ARG_INT8}
};

/* A call of merge_rows */
typedef struct MergeCall
{
	MergeContext ctx;
	EntityKind	entity;
	int64		winner;
	int64	   *losers;
	int			count;
	const char *reason;
	int64		merge_id;		/* the answer */
} MergeCall;

/* Set up what a call works with; the rights at hand are the caller's */
void
MergeOpen(MergeContext *ctx, Workspace *ws)
{
	memset(ctx, 0, sizeof(MergeContext));
	ctx->ws = ws;
	ctx->context = CurrentMemoryContext;
	GetUserIdAndSecContext(&ctx->caller, &ctx->caller_context);
}

/* Get the key of an entity's row as the log has it */
static Datum
EntityKey(EntityKind entity, int64 id)
{
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(psprintf("{\"%s\": " INT64_FORMAT "}", EntityIdColumn(entity), id)));
}

/* Say why an id is not to be had */
static void
ComplainMissing(MergeContext *ctx, EntityKind entity, int64 id)
{
	Datum		values[2] = {CStringGetTextDatum(EntityNames[entity]), Int64GetDatum(id)};
	const char *name = EntityNames[entity];

	if (WorkspaceExecute(ctx->ws, &find_redirect, values, NULL) > 0)
	{
		int64		survivor = ResultInt64(0, 1, NULL);
		bool		is_unknown;
		int64		merge_id = ResultInt64(0, 2, &is_unknown);

		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("%s " INT64_FORMAT " was merged into %s " INT64_FORMAT " already", name, id, name, survivor),
				 is_unknown ? 0 : errdetail("It was merged away by merge " INT64_FORMAT ".", merge_id),
				 errhint("Use %s " INT64_FORMAT ".", name, survivor)));
	}
	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND),
			 errmsg("there is no %s " INT64_FORMAT, name, id)));
}

/* Lock the rows to be merged, as the caller sees them */
static void
LockEntities(MergeCall *call, const int64 *ids, int n)
{
	MergeTable *table = MergeEntityTable(&call->ctx, call->entity);
	const char *column = EntityIdColumn(call->entity);
	Oid			type = INT8ARRAYOID;
	Datum		array = IdArray(ids, n);
	int			found;

	found = MergeExecuteAs(call->ctx.caller, call->ctx.caller_context,
						   psprintf("SELECT t.%s FROM %s t WHERE t.%s = ANY ($1) ORDER BY t.%s FOR UPDATE",
									column, table->source, column, column),
						   1, &type, &array);
	for (int i = 0; found < n && i < n; i++)
	{
		bool		is_found = false;

		for (int f = 0; f < found; f++)
			is_found |= ResultInt64(f, 1, NULL) == ids[i];
		if (!is_found)
			ComplainMissing(&call->ctx, call->entity, ids[i]);
	}
}

/* Lock everything a merge will change, in the order that every session keeps to */
static void
Lock(MergeCall *call)
{
	Workspace  *ws = call->ctx.ws;
	int64	   *ids = palloc(sizeof(int64) * (call->count + 1));
	Datum		all;
	Datum		losers = IdArray(call->losers, call->count);
	int64	   *leads;
	int			n;

	ids[0] = call->winner;
	memcpy(ids + 1, call->losers, sizeof(int64) * call->count);
	all = IdArray(ids, call->count + 1);
	switch (call->entity)
	{
		case ENTITY_CONTACT:
			WorkspaceExecute(ws, &lock_individuals, &all, NULL);
			WorkspaceExecute(ws, &lock_accounts, &all, NULL);
			MergeLockAccounts(&call->ctx, ids, call->count + 1, NULL, 0);
			LockEntities(call, ids, call->count + 1);
			n = WorkspaceExecute(ws, &lock_leads_of_contacts, &all, NULL);
			leads = palloc(sizeof(int64) * Max(n, 1));
			for (int i = 0; i < n; i++)
				leads[i] = ResultInt64(i, 1, NULL);
			MergeMixSiblings(&call->ctx, ids, call->count + 1, leads, n);
			break;
		case ENTITY_ACCOUNT:
			LockEntities(call, ids, call->count + 1);
			WorkspaceExecute(ws, &lock_contacts_of_accounts, &losers, NULL);
			WorkspaceExecute(ws, &lock_leads_of_accounts, &all, NULL);
			break;
		case ENTITY_LEAD:
			MergeLockAccounts(&call->ctx, NULL, 0, ids, call->count + 1);
			WorkspaceExecute(ws, &lock_contacts_of_leads, &all, NULL);
			LockEntities(call, ids, call->count + 1);
			MergeMixSiblings(&call->ctx, NULL, 0, ids, call->count + 1);
			break;
		case ENTITY_OPPORTUNITY:
			Assert(false);
			break;
	}
}

/* Refuse what would leave records that contradict each other */
static void
CheckSense(MergeCall *call)
{
	Datum		values[2] = {Int64GetDatum(call->winner), IdArray(call->losers, call->count)};

	if (call->entity == ENTITY_LEAD && WorkspaceExecute(call->ctx.ws, &find_leads_of_others, values, NULL) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("lead " INT64_FORMAT " is of contact " INT64_FORMAT ", but lead " INT64_FORMAT " of contact " INT64_FORMAT,
						call->winner, ResultInt64(0, 3, NULL), ResultInt64(0, 1, NULL), ResultInt64(0, 2, NULL)),
				 errhint("Merge the contacts first, if they are the same person.")));
	if (call->entity == ENTITY_ACCOUNT && WorkspaceExecute(call->ctx.ws, &find_individual_conflict, values, NULL) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("account " INT64_FORMAT " is an individual customer and cannot have contact " INT64_FORMAT " too",
						call->winner, ResultInt64(0, 2, NULL)),
				 ResultBool(0, 4) ?
				 errhint("Merge the contacts: the accounts of individual customers follow them.") :
				 errhint("Let account " INT64_FORMAT " be the winner.", ResultInt64(0, 3, NULL))));
}

/* Is there an index that finds the rows of a table by a column? */
static bool
HasIndexOn(const MergeTable *table, AttrNumber column)
{
	Relation	rel = relation_open(table->relid, AccessShareLock);
	List	   *indexes = RelationGetIndexList(rel);
	ListCell   *lc;
	bool		found = false;

	foreach(lc, indexes)
	{
		Relation	index = relation_open(lfirst_oid(lc), AccessShareLock);

		found |= index->rd_index->indisvalid && index->rd_index->indkey.values[0] == column &&
			index->rd_rel->relam == BTREE_AM_OID;
		relation_close(index, AccessShareLock);
	}
	relation_close(rel, NoLock);
	return found;
}

/* Set up a reference by id that is not a foreign key */
static void
LooseReference(Reference *reference, MergeTable *table, const char *column, const char *condition)
{
	memset(reference, 0, sizeof(Reference));
	reference->table = table;
	reference->column_count = 1;
	reference->columns[0] = get_attnum(table->relid, column);
	reference->types[0] = INT8OID;
	reference->operators[0] = lookup_type_cache(INT8OID, TYPECACHE_EQ_OPR)->eq_opr;
	reference->condition = condition;
}

/*
 * Move the submissions over.  They carry no foreign key, and no index on what
 * their stamp sets, which would make stamping dear: so they are found through
 * what came of them, unless somebody made such an index.
 */
static void
MoveSubmissions(MergeContext *ctx, int64 merge_id, EntityKind entity, int64 winner, int64 loser)
{
	static const char *const found_through[ENTITY_COUNT] = {
		[ENTITY_CONTACT] = "SELECT i.submission_id FROM %s.interaction i WHERE i.contact_id = $1"
		" UNION ALL SELECT c.submission_id FROM %s.consent c WHERE c.contact_id = $1",
		[ENTITY_ACCOUNT] = "SELECT i.submission_id FROM %s.contact c JOIN %s.interaction i ON i.contact_id = c.contact_id"
		" WHERE c.account_id = $1 UNION ALL"
		" SELECT i.submission_id FROM %s.lead l JOIN %s.interaction i ON i.lead_id = l.lead_id WHERE l.account_id = $1",
		[ENTITY_LEAD] = "SELECT i.submission_id FROM %s.interaction i WHERE i.lead_id = $1"
	};
	MergeTable *table = MergeTableOf(ctx, WorkspaceRelation(ctx->ws, "submission"));
	const char *name = ctx->ws->quoted_name;
	Reference	reference;
	Datum		from = Int64GetDatum(loser);
	Datum		to = Int64GetDatum(winner);

	LooseReference(&reference, table, EntityIdColumn(entity), NULL);
	if (!HasIndexOn(table, reference.columns[0]))
		reference.condition = psprintf("t.submission_id = ANY (ARRAY(%s))",
									   psprintf(found_through[entity], name, name, name, name));
	MoveRows(ctx, merge_id, &reference, &from, &to);
}

/* Delete the losers, to whom nothing refers any more */
static void
RemoveLosers(MergeContext *ctx, int64 merge_id, EntityKind entity, const int64 *losers, int n)
{
	MergeTable *table = MergeEntityTable(ctx, entity);
	Oid			type = INT8ARRAYOID;
	Datum		ids = IdArray(losers, n);
	int			removed;
	SPITupleTable *rows;

	removed = MergeExecute(ctx, table,
						   psprintf("DELETE FROM %s AS t WHERE t.%s = ANY ($1)"
									" RETURNING pg_catalog.jsonb_build_array(%s), lead_mgmt.row_image(t.*)",
									table->source, EntityIdColumn(entity), table->key_json),
						   1, &type, &ids);
	if (removed != n)
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
				 errmsg("%d of %d rows of table %s could not be removed", n - removed, n, table->type),
				 errhint("A trigger or rule of the table may stand in the way.")));
	rows = SPI_tuptable;
	for (int i = 0; i < removed; i++)
	{
		Datum		keys;

		SPI_tuptable = rows;
		keys = ResultJson(i, 1, NULL);
		LogChange(ctx, merge_id, ACTION_REMOVED, table, keys, ResultJson(i, 2, NULL), (Datum) 0, (Datum) 0);
	}
	SPI_freetuptable(rows);
}

/*
 * Record that a lead went on in the stage that it has, where the last move of
 * the history is another lead's, or gone with it; false when it is not.
 */
bool
MergeRecordStage(MergeContext *ctx, int64 merge_id, int64 lead_id)
{
	Datum		id = Int64GetDatum(lead_id);
	StageMove	move = {.lead_id = lead_id,.rule = MOVE_MERGED,.at = GetCurrentTimestamp()};

	if (WorkspaceExecute(ctx->ws, &find_last_move, &id, NULL) == 0)
		return false;
	move.from_stage = ResultText(0, 1);
	move.pipeline = ResultText(0, 2);
	move.to_stage = ResultText(0, 3);
	move.reason = psprintf("merge " INT64_FORMAT, merge_id);
	PipelineRecord(ctx->ws, &move, 1);
	return true;
}

/* Let the old ids lead to the winner, those that led to the losers too */
static void
Redirect(MergeContext *ctx, int64 merge_id, EntityKind entity, int64 winner, const int64 *losers, int n)
{
	Datum		values[4] = {CStringGetTextDatum(EntityNames[entity]), IdArray(losers, n),
	Int64GetDatum(winner), Int64GetDatum(merge_id)};
	Datum		to = Int64GetDatum(winner);
	int64		moved = ctx->moved;
	Reference	reference;

	LooseReference(&reference, MergeTableOf(ctx, WorkspaceRelation(ctx->ws, "entity_redirect")), "survivor_id",
				   psprintf("t.entity = %s", quote_literal_cstr(EntityNames[entity])));
	for (int i = 0; i < n; i++)
	{
		Datum		from = Int64GetDatum(losers[i]);

		MoveRows(ctx, merge_id, &reference, &from, &to);
	}
	ctx->moved = moved;
	WorkspaceExecute(ctx->ws, &redirect, values, NULL);
}

/* Write the head of a merge; returns its id */
static int64
BeginMerge(MergeContext *ctx, int64 part_of, EntityKind entity, int64 winner, const int64 *losers, int n,
		   const char *reason)
{
	Datum		values[6] = {CStringGetTextDatum(EntityNames[entity]), Int64GetDatum(winner), IdArray(losers, n),
	Int64GetDatum(part_of), (Datum) 0, CStringGetTextDatum(GetUserNameFromId(GetOuterUserId(), false))};
	char		nulls[7] = "      ";

	if (part_of == 0)
		nulls[3] = 'n';
	if (reason)
		values[4] = CStringGetTextDatum(reason);
	else
		nulls[4] = 'n';
	WorkspaceExecute(ctx->ws, &begin_merge, values, nulls);
	return ResultInt64(0, 1, NULL);
}

/* Merge entities that are locked, as a part of another merge or by itself; returns the merge */
int64
MergeEntity(MergeContext *ctx, int64 part_of, EntityKind entity, int64 winner, const int64 *losers, int n,
			const char *reason)
{
	MergeTable *table = MergeEntityTable(ctx, entity);
	int64		merge_id = BeginMerge(ctx, part_of, entity, winner, losers, n, reason);
	int64		moved = ctx->moved;
	int64		absorbed = ctx->absorbed;
	int64	   *ids = palloc(sizeof(int64) * (n + 1));
	FieldValues *fields;
	Datum		counts[3];

	check_stack_depth();
	ctx->moved = ctx->absorbed = 0;
	ids[0] = winner;
	memcpy(ids + 1, losers, sizeof(int64) * n);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		SPI_connect();			/* what one loser takes is given back before the next */
		MoveSubmissions(ctx, merge_id, entity, winner, losers[i]);
		MoveReferences(ctx, merge_id, table, EntityKey(entity, winner), EntityKey(entity, losers[i]));
		SPI_finish();
	}
	fields = FieldsRead(ctx, entity, ids, n + 1);
	RemoveLosers(ctx, merge_id, entity, losers, n);
	FieldsWrite(ctx, merge_id, fields);
	if (entity == ENTITY_LEAD)
	{
	{
		Datum		values[2] = {Int64GetDatum(merge_id), Int64GetDatum(winner)};

		if (MergeRecordStage(ctx, merge_id, winner))
			WorkspaceExecute(ctx->ws, &log_last_move, values, NULL);
		WorkspaceExecute(ctx->ws, &credit_contact, values, NULL);
	}
		MergeMixed(ctx, winner);
	}
	Redirect(ctx, merge_id, entity, winner, losers, n);

	counts[0] = Int64GetDatum(merge_id);
	counts[1] = Int64GetDatum(ctx->moved);
	counts[2] = Int64GetDatum(ctx->absorbed);
	WorkspaceExecute(ctx->ws, &end_merge, counts, NULL);
	ctx->moved = moved;
	ctx->absorbed = absorbed;
	return merge_id;
}

/* Do a merge with the rights of the workspace's owner */
static void
MergeWork(Workspace *ws, void *arg)
{
	MergeCall  *call = arg;
	ListCell   *lc;

	foreach(lc, ReferencesTo(&call->ctx, MergeEntityTable(&call->ctx, call->entity)))
	{
		Reference  *reference = lfirst(lc);

		CheckRights(&call->ctx, reference->table, reference);
	}
	Lock(call);
	CheckSense(call);
	call->merge_id = MergeEntity(&call->ctx, 0, call->entity, call->winner, call->losers, call->count, call->reason);
	MergeRescore(&call->ctx, call->merge_id, call->entity, call->winner);
}

/* Order ids */
static int
CompareIds(const void *a, const void *b)
{
	int64		left = *(const int64 *) a;
	int64		right = *(const int64 *) b;

	return left < right ? -1 : left > right;
}

/* Read the losers from an array, in its order */
static void
ReadLosers(MergeCall *call, ArrayType *array)
{
	const char *name = EntityNames[call->entity];
	Datum	   *elements;
	bool	   *nulls;
	int64	   *sorted;

	deconstruct_array(array, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &elements, &nulls, &call->count);
	if (call->count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is nothing to merge into %s " INT64_FORMAT, name, call->winner),
				 errhint("Name at least one other %s.", name)));
	call->losers = palloc(sizeof(int64) * call->count);
	for (int i = 0; i < call->count; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("one of the ids to merge into %s " INT64_FORMAT " is null", name, call->winner)));
		call->losers[i] = DatumGetInt64(elements[i]);
		if (call->losers[i] == call->winner)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s " INT64_FORMAT " cannot be merged into itself", name, call->winner)));
	}
	sorted = palloc(sizeof(int64) * call->count);
	memcpy(sorted, call->losers, sizeof(int64) * call->count);
	qsort(sorted, call->count, sizeof(int64), CompareIds);
	for (int i = 1; i < call->count; i++)
		if (sorted[i] == sorted[i - 1])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s " INT64_FORMAT " is to be merged twice", name, sorted[i])));
}

PG_FUNCTION_INFO_V1(merge_rows);
/* Merge contacts, accounts or leads; returns the merge */
Datum
merge_rows(PG_FUNCTION_ARGS)
{
	static const Oid types[3] = {INT8OID, INT8ARRAYOID, TEXTOID};
	static const char *const functions[ENTITY_COUNT] = {"merge_contacts", "merge_accounts", "merge_leads"};
	Relation	rel;
	Workspace  *ws;
	MergeCall	call = {0};
	int			entity = 0;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("a merge needs a winner and what is to be merged into it")));
	rel = relation_open(PG_GETARG_OID(0), AccessShareLock);
	ws = WorkspaceOfRelation(rel);
	while (entity < ENTITY_COUNT && strcmp(EntityNames[entity], RelationGetRelationName(rel)) != 0)
		entity++;
	if (entity == ENTITY_COUNT)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not the contact, account or lead table of a workspace", RelationGetRelationName(rel))));
	WorkspaceCheckExecute(ws, functions[entity], 3, types);
	SPI_connect();
	call.entity = entity;
	call.winner = PG_GETARG_INT64(1);
	call.reason = PG_ARGISNULL(3) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(3));
	ReadLosers(&call, PG_GETARG_ARRAYTYPE_P(2));
	MergeRun(&call.ctx, ws, MergeWork, &call);
	SPI_finish();
	relation_close(rel, NoLock);
	PG_RETURN_INT64(call.merge_id);
}
