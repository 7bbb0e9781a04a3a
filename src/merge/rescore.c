/*
 * Scores after a merge.
 *
 * A lead whose interactions are those of two leads now is scored afresh, as if
 * they had all come to it; the other open leads of the survivor keep their
 * engagement, and what they are is looked at again.  What follows from a score
 * follows here too, and all of it is logged by comparing the rows before and
 * after, so that no arithmetic of scores is known here.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "merge/merge.h"
#include "pipeline/pipeline.h"
#include "utils/builtins.h"

/* Leads scored at a time */
#define RESCORE_CHUNK 4000

static const PlanSource open_leads = {
	"SELECT l.lead_id FROM @workspace@.lead l WHERE l.status = 'open' AND l.lead_id = ANY (ARRAY("
	"SELECT c.lead_id FROM @workspace@.lead c WHERE c.contact_id = $1"
	" UNION ALL SELECT a.lead_id FROM @workspace@.lead a WHERE a.account_id = $2"
	" UNION ALL SELECT k.lead_id FROM @workspace@.contact c JOIN @workspace@.lead k ON k.contact_id = c.contact_id"
	" AND k.account_id IS NULL WHERE c.account_id = $2"
	" UNION ALL SELECT pg_catalog.unnest($3))) ORDER BY l.lead_id FOR NO KEY UPDATE",
	3, {ARG_INT8, ARG_INT8, ARG_INT8S}
};

static const PlanSource images_before = {
	"SELECT (SELECT COALESCE(pg_catalog.jsonb_agg(lead_mgmt.row_image(l.*)), '[]')"
	" FROM @workspace@.lead l WHERE l.lead_id = ANY ($1)),"
	" (SELECT COALESCE(pg_catalog.jsonb_agg(lead_mgmt.row_image(s.*)), '[]')"
	" FROM @workspace@.score s WHERE s.lead_id = ANY ($1)),"
	" (SELECT COALESCE(pg_catalog.max(m.stage_move_id), 0)"
	" FROM (SELECT o.stage_move_id FROM @workspace@.stage_move o WHERE o.lead_id = ANY ($1) OFFSET 0) m),"
	" (SELECT COALESCE(pg_catalog.max(h.handover_id), 0)"
	" FROM (SELECT o.handover_id FROM @workspace@.handover o WHERE o.lead_id = ANY ($1) OFFSET 0) h)",
	1, {ARG_INT8S}
};

/* What was set by hand stays */
static const PlanSource forget_scores = {
	"DELETE FROM @workspace@.score s WHERE s.lead_id = ANY ($1) AND s.override IS NULL",
	1, {ARG_INT8S}
};

static const PlanSource log_moves = {
	"INSERT INTO @workspace@.merge_change (merge_id, action, table_name, keys, after)"
	" SELECT $1, 'created', 'stage_move',"
	" pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object('stage_move_id', m.stage_move_id)),"
	" lead_mgmt.row_image(m.*) FROM @workspace@.stage_move m WHERE m.lead_id = ANY ($2) AND m.stage_move_id > $3"
	" ORDER BY m.stage_move_id",
	3, {ARG_INT8, ARG_INT8S, ARG_INT8}
};

static const PlanSource log_handovers = {
	"INSERT INTO @workspace@.merge_change (merge_id, action, table_name, keys, after)"
	" SELECT $1, 'created', 'handover',"
	" pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object('handover_id', h.handover_id)),"
	" lead_mgmt.row_image(h.*) FROM @workspace@.handover h WHERE h.lead_id = ANY ($2) AND h.handover_id > $3"
	" ORDER BY h.handover_id",
	3, {ARG_INT8, ARG_INT8S, ARG_INT8}
};

static const PlanSource log_leads = {
	"INSERT INTO @workspace@.merge_change (merge_id, action, table_name, keys, before, after)"
	" SELECT $1, 'changed', 'lead', pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object('lead_id', l.lead_id)),"
	" " CHANGED_FIELDS("b.image", "a.image") ", " CHANGED_FIELDS("a.image", "b.image")
	" FROM pg_catalog.jsonb_array_elements($2) b (image)"
	" JOIN @workspace@.lead l ON l.lead_id = (b.image ->> 'lead_id')::pg_catalog.int8"
	" CROSS JOIN LATERAL (SELECT lead_mgmt.row_image(l.*) AS image OFFSET 0) a"
	" WHERE l.lead_id = ANY ($3) AND a.image <> b.image",
	3, {ARG_INT8, ARG_JSONB, ARG_INT8S}
};

static const PlanSource log_scores = {
	"INSERT INTO @workspace@.merge_change (merge_id, action, table_name, keys, before, after)"
	" SELECT $1, CASE WHEN b.image IS NULL THEN 'created' WHEN a.image IS NULL THEN 'removed' ELSE 'changed' END, 'score',"
	" pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object('lead_id', COALESCE(a.image, b.image) -> 'lead_id',"
	" 'model', COALESCE(a.image, b.image) -> 'model')),"
	" CASE WHEN a.image IS NULL THEN b.image WHEN b.image IS NOT NULL THEN " CHANGED_FIELDS("b.image", "a.image") " END,"
	" CASE WHEN b.image IS NULL THEN a.image WHEN a.image IS NOT NULL THEN " CHANGED_FIELDS("a.image", "b.image") " END"
	" FROM (SELECT e.image FROM pg_catalog.jsonb_array_elements($3) e (image)) b"
	" FULL JOIN (SELECT lead_mgmt.row_image(s.*) AS image FROM @workspace@.score s WHERE s.lead_id = ANY ($2)) a"
	" ON a.image -> 'lead_id' = b.image -> 'lead_id' AND a.image -> 'model' = b.image -> 'model'"
	" WHERE a.image IS DISTINCT FROM b.image",
	3, {ARG_INT8, ARG_INT8S, ARG_JSONB}
};

/*
 * The last of the standing merges that made leads what they are, those being
 * undone ($2) left aside.  One of accounts counts only for leads in its log,
 * which are what undoing it locks.
 */
static const PlanSource standing_merges = {
	"SELECT s.merge_id, l.lead_id FROM @workspace@.lead l CROSS JOIN LATERAL (SELECT pg_catalog.max(m.merge_id) AS merge_id"
	" FROM (VALUES ('lead', l.lead_id), ('contact', l.contact_id), ('account', l.account_id)) w (entity, id)"
	" JOIN @workspace@.merge m ON m.entity = w.entity AND m.winner_id = w.id"
	" AND m.undone_at IS NULL AND m.merge_id <> ALL ($2)"
	" WHERE m.entity <> 'account' OR EXISTS (SELECT FROM @workspace@.merge_change c WHERE c.merge_id = m.merge_id"
	" AND c.schema_name IS NULL AND c.table_name IN ('lead', 'score') AND c.action IN ('moved', 'changed', 'created')"
	" AND c.keys @> pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object('lead_id', l.lead_id)))) s"
	" WHERE l.lead_id = ANY ($1) AND s.merge_id IS NOT NULL ORDER BY s.merge_id, l.lead_id",
	2, {ARG_INT8S, ARG_INT8S}
};

/* Leads that went back to an earlier stage, but keep their score */
static const PlanSource leads_taken_back = {
	"SELECT DISTINCT (c.keys -> 0 ->> 'lead_id')::pg_catalog.int8 AS lead_id FROM @workspace@.merge_change c"
	" WHERE c.merge_id = ANY ($1) AND c.schema_name IS NULL AND c.table_name = 'lead' AND c.action = 'changed'"
	" AND c.after ? 'stage' AND NOT EXISTS (SELECT FROM @workspace@.merge_change s WHERE s.merge_id = ANY ($1)"
	" AND s.schema_name IS NULL AND s.table_name = 'score' AND s.keys -> 0 -> 'lead_id' = c.keys -> 0 -> 'lead_id')",
	1, {ARG_INT8S}
};

/* Leads that were one, and have a history each again */
static const PlanSource parted_leads = {
	"SELECT l.lead_id FROM @workspace@.merge m"
	" CROSS JOIN LATERAL (SELECT m.winner_id AS id UNION ALL SELECT pg_catalog.unnest(m.loser_ids)) o"
	" JOIN @workspace@.lead l ON l.lead_id = o.id WHERE m.merge_id = ANY ($1) AND m.entity = 'lead'",
	1, {ARG_INT8S}
};

/*
 * Open leads whose scores are not put back from the log, or are those of a
 * contact or account that may have changed since
 */
static const PlanSource leads_to_look_at = {
	"WITH parted AS (SELECT m.entity, o.id FROM @workspace@.merge m"
	" CROSS JOIN LATERAL (SELECT m.winner_id AS id UNION ALL SELECT pg_catalog.unnest(m.loser_ids)) o"
	" WHERE m.merge_id = ANY ($1))"
	" SELECT l.lead_id FROM @workspace@.lead l WHERE l.status = 'open' AND l.lead_id = ANY (ARRAY("
	"SELECT c.lead_id FROM parted p JOIN @workspace@.lead c ON c.contact_id = p.id WHERE p.entity = 'contact'"
	" UNION ALL SELECT a.lead_id FROM parted p JOIN @workspace@.lead a ON a.account_id = p.id WHERE p.entity = 'account'"
	" UNION ALL SELECT k.lead_id FROM parted p JOIN @workspace@.contact c ON c.account_id = p.id"
	" JOIN @workspace@.lead k ON k.contact_id = c.contact_id AND k.account_id IS NULL WHERE p.entity = 'account'"
	" EXCEPT SELECT (c.keys -> 0 ->> 'lead_id')::pg_catalog.int8 FROM @workspace@.merge_change c"
	" WHERE c.merge_id = ANY ($1) AND c.schema_name IS NULL AND c.table_name = 'score'"
	" UNION ALL SELECT p.id FROM parted p WHERE p.entity = 'lead'))"
	" ORDER BY l.lead_id FOR NO KEY UPDATE",
	1, {ARG_INT8S}
};

/* A score that is what it was keeps the time it was computed at */
static const PlanSource keep_times = {
	"UPDATE @workspace@.score s SET scored_at = b.scored_at FROM pg_catalog.jsonb_array_elements($2) e (image)"
	" CROSS JOIN LATERAL lead_mgmt.row_of_image(NULL::@workspace@.score, e.image) b"
	" WHERE s.lead_id = ANY ($1) AND s.lead_id = b.lead_id AND s.model = b.model AND s.scored_at <> b.scored_at"
	" AND lead_mgmt.row_image(s.*) - 'scored_at' = e.image - 'scored_at'",
	2, {ARG_INT8S, ARG_JSONB}
};

/* Who was one and is several again */
static const PlanSource parted_contacts = {
	"SELECT m.winner_id FROM @workspace@.merge m WHERE m.merge_id = ANY ($1) AND m.entity = 'contact'"
	" UNION SELECT pg_catalog.unnest(m.loser_ids) FROM @workspace@.merge m WHERE m.merge_id = ANY ($1) AND m.entity = 'contact'",
	1, {ARG_INT8S}
};

/* The open leads of accounts that were one */
static const PlanSource leads_of_parted_accounts = {
	"WITH parted AS (SELECT m.winner_id AS account_id FROM @workspace@.merge m"
	" WHERE m.merge_id = ANY ($1) AND m.entity = 'account' UNION SELECT pg_catalog.unnest(m.loser_ids)"
	" FROM @workspace@.merge m WHERE m.merge_id = ANY ($1) AND m.entity = 'account')"
	" SELECT o.lead_id FROM @workspace@.lead o WHERE o.status = 'open' AND o.lead_id = ANY (ARRAY("
	"SELECT l.lead_id FROM parted p JOIN @workspace@.lead l ON l.account_id = p.account_id"
	" UNION ALL SELECT l.lead_id FROM parted p JOIN @workspace@.contact c ON c.account_id = p.account_id"
	" JOIN @workspace@.lead l ON l.contact_id = c.contact_id AND l.account_id IS NULL))"
	" ORDER BY o.lead_id FOR NO KEY UPDATE",
	1, {ARG_INT8S}
};

/* Leads before they are scored: their images and those of their scores, their last stage move and handover */
typedef struct Unscored
{
	Datum		leads;
	Datum		scores;
	int64		last_move;
	int64		last_handover;
} Unscored;

/* What is deleted of a merged lead is counted off its survivor, or is gone with that */
static const PlanSource count_what_is_there = {
	"UPDATE @workspace@.lead l SET interaction_count = i.number, last_interaction_at = i.last_at"
	" FROM pg_catalog.unnest($1) o (id) CROSS JOIN LATERAL (SELECT pg_catalog.count(*) AS number, pg_catalog.max(c.occurred_at) AS last_at"
	" FROM @workspace@.interaction c WHERE c.lead_id = o.id) i"
	" WHERE l.lead_id = o.id AND (l.interaction_count <> i.number OR l.last_interaction_at IS DISTINCT FROM i.last_at)"
	" RETURNING l.lead_id",
	1, {ARG_INT8S}
};

/* Note a lead that interactions of another one came to, or went from */
void
MergeMixed(MergeContext *ctx, int64 lead_id)
{
	MemoryContext old = MemoryContextSwitchTo(ctx->context);
	int64	   *id = palloc(sizeof(int64));

	*id = lead_id;
	ctx->mixed_leads = lappend(ctx->mixed_leads, id);
	MemoryContextSwitchTo(old);
}

/* Get the leads noted; returns how many */
static int
MixedLeads(MergeContext *ctx, int64 **ids)
{
	ListCell   *lc;

	*ids = palloc(sizeof(int64) * (list_length(ctx->mixed_leads) + 1));
	foreach(lc, ctx->mixed_leads)
		(*ids)[foreach_current_index(lc)] = *(int64 *) lfirst(lc);
	return ScoreUniqueIds(*ids, list_length(ctx->mixed_leads));
}

/*
 * Where a model is account-based, lock the accounts of contacts and leads.
 */
void
MergeLockAccounts(MergeContext *ctx, const int64 *contacts, int contact_count, const int64 *leads, int lead_count)
{
	ScoreEvent *events = palloc0(sizeof(ScoreEvent) * (contact_count + lead_count + 1));

	for (int i = 0; i < contact_count; i++)
		events[i].contact_id = contacts[i];
	for (int i = 0; i < lead_count; i++)
		events[contact_count + i].lead_id = leads[i];
	ScoreLockAccountsOf(ctx->ws, WorkspaceGetConfig(ctx->ws), events, contact_count + lead_count);
	pfree(events);
}

/*
 * Where a model is account-based, note the open leads of the accounts of
 * contacts and leads.  Called before these change hands, too: what they did
 * counts no longer for the leads of the account they leave.
 */
void
MergeMixSiblings(MergeContext *ctx, const int64 *contacts, int contact_count, const int64 *leads, int lead_count)
{
	int64	   *ids = (int64 *) leads;
	int			n;

	if (!WorkspaceGetConfig(ctx->ws)->has_account_model)
		return;
	n = ScoreWithSiblings(ctx->ws, &ids, lead_count, contacts, contact_count);
	for (int i = 0; i < n; i++)
		MergeMixed(ctx, ids[i]);
}

/* Read the ids that a statement returned */
static int
ResultIds(int n, int64 **ids)
{
	*ids = palloc(sizeof(int64) * Max(n, 1));
	for (int i = 0; i < n; i++)
		(*ids)[i] = ResultInt64(i, 1, NULL);
	SPI_freetuptable(SPI_tuptable);
	return n;
}

/* Score leads from all their interactions */
static void
ScoreAfresh(MergeContext *ctx, WorkspaceConfig *config, int64 *ids, int n)
{
	Datum		array = IdArray(ids, n);

	if (n == 0)
		return;
	WorkspaceExecute(ctx->ws, &forget_scores, &array, NULL);
	PipelineScoreOver(ctx->ws, config, ids, n);
}

/* Look at leads before they are scored */
static Unscored
ReadUnscored(MergeContext *ctx, Datum ids)
{
	Unscored	unscored;

	WorkspaceExecute(ctx->ws, &images_before, &ids, NULL);
	unscored.leads = ResultJson(0, 1, NULL);
	unscored.scores = ResultJson(0, 2, NULL);
	unscored.last_move = ResultInt64(0, 3, NULL);
	unscored.last_handover = ResultInt64(0, 4, NULL);
	SPI_freetuptable(SPI_tuptable);
	return unscored;
}

/* Log what followed for leads from their scores as steps of a merge */
static void
LogConsequences(MergeContext *ctx, int64 merge_id, Datum ids, const Unscored *unscored)
{
	Datum		moves[3] = {Int64GetDatum(merge_id), ids, Int64GetDatum(unscored->last_move)};
	Datum		handovers[3] = {Int64GetDatum(merge_id), ids, Int64GetDatum(unscored->last_handover)};
	Datum		changed[3] = {Int64GetDatum(merge_id), unscored->leads, ids};

	WorkspaceExecute(ctx->ws, &log_moves, moves, NULL);
	WorkspaceExecute(ctx->ws, &log_handovers, handovers, NULL);
	WorkspaceExecute(ctx->ws, &log_leads, changed, NULL);
}

/* Score the open leads that a merge concerns again and log what that changed */
void
MergeRescore(MergeContext *ctx, int64 merge_id, EntityKind entity, int64 winner)
{
	WorkspaceConfig *config = WorkspaceGetConfig(ctx->ws);
	Datum		values[3] = {Int64GetDatum(winner), Int64GetDatum(winner), (Datum) 0};
	char		nulls[4] = "nn ";
	int64	   *mixed;
	int64	   *ids;
	int			mixed_count = MixedLeads(ctx, &mixed);
	int			position = 0;
	int			n;

	if (entity == ENTITY_CONTACT)
		nulls[0] = ' ';
	else if (entity == ENTITY_ACCOUNT)
		nulls[1] = ' ';
	values[2] = IdArray(mixed, mixed_count);
	n = ResultIds(WorkspaceExecute(ctx->ws, &open_leads, values, nulls), &ids);

	/* What came to the account of the winner counts for all of its leads */
	if (config->has_account_model)
	{
		ScoreEvent	event = {.contact_id = entity == ENTITY_CONTACT ? winner : 0};

		ScoreLockAccountsOf(ctx->ws, config, &event, 1);
		n = ScoreWithSiblings(ctx->ws, &ids, n, &winner, entity == ENTITY_CONTACT ? 1 : 0);
		mixed = ids;
		mixed_count = n;
	}
	for (int from = 0; from < n; from += RESCORE_CHUNK)
	{
		int			count = Min(RESCORE_CHUNK, n - from);
		int64	   *afresh = palloc(sizeof(int64) * count);
		int64	   *again = palloc(sizeof(int64) * count);
		int			afresh_count = 0;
		int			again_count = 0;
		Datum		chunk = IdArray(ids + from, count);
		Unscored	unscored = ReadUnscored(ctx, chunk);
		Datum		scored[3] = {Int64GetDatum(merge_id), chunk, unscored.scores};

		for (int i = from; i < from + count; i++)
		{
			while (position < mixed_count && mixed[position] < ids[i])
				position++;
			if (position < mixed_count && mixed[position] == ids[i])
				afresh[afresh_count++] = ids[i];
			else
				again[again_count++] = ids[i];
		}
		ScoreAfresh(ctx, config, afresh, afresh_count);
		PipelineScore(ctx->ws, config, again, again_count, false);
		LogConsequences(ctx, merge_id, chunk, &unscored);
		WorkspaceExecute(ctx->ws, &log_scores, scored, NULL);
	}
}

/*
 * Log what followed from scores that were computed again as a merge was
 * undone.  Where another merge stands that made a lead what it is, the lead
 * would have gone on by that one: so undoing it takes that back, too.
 */
static void
LogForStanding(UndoContext *undo, Datum ids, const Unscored *unscored)
{
	Datum		values[2] = {ids, undo->tree};
	int			n = WorkspaceExecute(undo->merge.ws, &standing_merges, values, NULL);
	int64	   *merges = palloc(sizeof(int64) * Max(n, 1));
	int64	   *leads = palloc(sizeof(int64) * Max(n, 1));
	int			count;

	for (int i = 0; i < n; i++)
	{
		merges[i] = ResultInt64(i, 1, NULL);
		leads[i] = ResultInt64(i, 2, NULL);
	}
	SPI_freetuptable(SPI_tuptable);
	for (int from = 0; from < n; from += count)
	{
		for (count = 1; from + count < n && merges[from + count] == merges[from];)
			count++;
		LogConsequences(&undo->merge, merges[from], IdArray(leads + from, count), unscored);
	}
}

/* Note the leads that a statement returned */
static void
MixResult(MergeContext *ctx, int n)
{
	int64	   *ids;

	n = ResultIds(n, &ids);
	for (int i = 0; i < n; i++)
		MergeMixed(ctx, ids[i]);
}

/* Put ids together; returns how many there are */
static int
AddIds(int64 **ids, const int64 *some, int some_count, const int64 *others, int other_count)
{
	*ids = palloc(sizeof(int64) * (some_count + other_count + 1));
	memcpy(*ids, some, sizeof(int64) * some_count);
	memcpy(*ids + some_count, others, sizeof(int64) * other_count);
	return ScoreUniqueIds(*ids, some_count + other_count);
}

/* Take sorted ids out of others; returns how many are left */
static int
WithoutIds(int64 *ids, int n, const int64 *others, int other_count)
{
	int			kept = 0;

	for (int i = 0; i < n; i++)
		if (bsearch(&ids[i], others, other_count, sizeof(int64), ScoreCompareIds) == NULL)
			ids[kept++] = ids[i];
	return kept;
}

/*
 * Score the open ones of the leads noted, of those taken back and of those
 * that lack interactions, from what they have now; see that the history of all
 * of them ends where they are
 */
void
RescoreMixed(UndoContext *undo)
{
	MergeContext *ctx = &undo->merge;
	WorkspaceConfig *config = WorkspaceGetConfig(ctx->ws);
	Datum		values[3] = {(Datum) 0, (Datum) 0, (Datum) 0};
	Datum		kept[2];
	Unscored	unscored;
	Datum		touched;
	int64	   *parted;
	int64	   *mixed;
	int64	   *open;
	int64	   *ids;
	int64	   *looked_at;
	int			mixed_count;
	int			open_count;
	int			parted_count = ResultIds(WorkspaceExecute(ctx->ws, &parted_leads, &undo->tree, NULL), &parted);
	int			count;
	int			n;

	MixResult(ctx, WorkspaceExecute(ctx->ws, &leads_taken_back, &undo->tree, NULL));
	mixed_count = MixedLeads(ctx, &mixed);
	n = AddIds(&ids, mixed, mixed_count, parted, parted_count);
	touched = IdArray(ids, n);
	MixResult(ctx, WorkspaceExecute(ctx->ws, &count_what_is_there, &touched, NULL));

	/* What those do who come back may count for others of their account */
	mixed_count = MixedLeads(ctx, &mixed);
	if (config->has_account_model)
	{
		int64	   *contacts;
		int			contact_count = ResultIds(WorkspaceExecute(ctx->ws, &parted_contacts, &undo->tree, NULL), &contacts);

		MergeLockAccounts(ctx, contacts, contact_count, mixed, mixed_count);
		MergeMixSiblings(ctx, contacts, contact_count, mixed, mixed_count);
		MergeMixSiblings(ctx, NULL, 0, parted, parted_count);
		MixResult(ctx, WorkspaceExecute(ctx->ws, &leads_of_parted_accounts, &undo->tree, NULL));
		mixed_count = MixedLeads(ctx, &mixed);
	}
	count = ResultIds(WorkspaceExecute(ctx->ws, &leads_to_look_at, &undo->tree, NULL), &looked_at);
	n = AddIds(&ids, mixed, mixed_count, parted, parted_count);
	n = AddIds(&ids, ids, n, looked_at, count);
	if (n == 0)
		return;
	touched = IdArray(ids, n);
	unscored = ReadUnscored(ctx, touched);
	values[2] = IdArray(mixed, mixed_count);
	open_count = ResultIds(WorkspaceExecute(ctx->ws, &open_leads, values, "nn "), &open);
	count = WithoutIds(looked_at, count, open, open_count);
	ScoreAfresh(ctx, config, open, open_count);
	PipelineScore(ctx->ws, config, looked_at, count, false);
	kept[0] = IdArray(looked_at, count);
	kept[1] = unscored.scores;
	WorkspaceExecute(ctx->ws, &keep_times, kept, NULL);
	for (int i = 0; i < n; i++)
		MergeRecordStage(ctx, undo->merge_id, ids[i]);
	LogForStanding(undo, touched, &unscored);
}
