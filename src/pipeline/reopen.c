/*
 * Reopening a lead or opportunity that was closed, as it was before.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "pipeline/law.h"
#include "utils/builtins.h"
#include "utils/rel.h"

/* The state of a lead, and the move that closed it */
static const PlanSource find_lead = {
	"SELECT l.status, l.pipeline, l.stage, m.from_stage, m.changed ->> 'qualification',"
	" (SELECT pg_catalog.max(o.opportunity_id) FROM @workspace@.opportunity o WHERE o.lead_id = l.lead_id)"
	" FROM @workspace@.lead l LEFT JOIN LATERAL (SELECT v.from_stage, v.changed FROM @workspace@.stage_move v"
	" WHERE v.lead_id = l.lead_id AND v.to_stage = l.stage ORDER BY v.stage_move_id DESC LIMIT 1) m ON true"
	" WHERE l.lead_id = $1 FOR NO KEY UPDATE OF l",
	1, {ARG_INT8}
};

static const PlanSource find_opportunity = {
	"SELECT o.status, o.pipeline, o.stage, m.from_stage, NULL::pg_catalog.text, NULL::pg_catalog.int8"
	" FROM @workspace@.opportunity o LEFT JOIN LATERAL (SELECT v.from_stage FROM @workspace@.stage_move v"
	" WHERE v.opportunity_id = o.opportunity_id AND v.to_stage = o.stage ORDER BY v.stage_move_id DESC LIMIT 1) m ON true"
	" WHERE o.opportunity_id = $1 FOR NO KEY UPDATE OF o",
	1, {ARG_INT8}
};

static const PlanSource reopen_lead = {
	"UPDATE @workspace@.lead l SET stage = $2, status = 'open', stage_entered_at = pg_catalog.now(), stage_reason = $4,"
	" qualification = COALESCE($3, CASE WHEN l.sales_ready_at IS NULL THEN 'unqualified' ELSE 'sales_ready' END),"
	" disqualified_reason = NULL, updated_at = pg_catalog.now() WHERE l.lead_id = $1",
	4, {ARG_INT8, ARG_TEXT, ARG_TEXT, ARG_TEXT}
};

static const PlanSource reopen_opportunity = {
	"UPDATE @workspace@.opportunity o SET stage = $2, status = 'open', stage_entered_at = pg_catalog.now(),"
	" stage_reason = $3, closed_at = NULL, lost_reason = NULL, updated_at = pg_catalog.now()"
	" WHERE o.opportunity_id = $1",
	3, {ARG_INT8, ARG_TEXT, ARG_TEXT}
};

/* Whoever opens a lead locks its contact first, or else its account */
static const PlanSource lock_contact = {
	"SELECT c.contact_id FROM @workspace@.contact c"
	" WHERE c.contact_id = (SELECT l.contact_id FROM @workspace@.lead l WHERE l.lead_id = $1) FOR NO KEY UPDATE",
	1, {ARG_INT8}
};

static const PlanSource lock_account = {
	"SELECT a.account_id FROM @workspace@.account a WHERE a.account_id = (SELECT l.account_id"
	" FROM @workspace@.lead l WHERE l.lead_id = $1 AND l.contact_id IS NULL) FOR NO KEY UPDATE",
	1, {ARG_INT8}
};

/* Another open lead of the same person, or of a company without one, for the same interest */
static const PlanSource find_rival = {
	"SELECT o.lead_id FROM @workspace@.lead l JOIN @workspace@.lead o ON o.contact_id = l.contact_id"
	" AND o.context_key = l.context_key AND o.status = 'open' WHERE l.lead_id = $1"
	" UNION ALL SELECT o.lead_id FROM @workspace@.lead l JOIN @workspace@.lead o ON o.account_id = l.account_id"
	" AND o.contact_id IS NULL AND o.context_key = l.context_key AND o.status = 'open'"
	" WHERE l.lead_id = $1 AND l.contact_id IS NULL",
	1, {ARG_INT8}
};

/* Whom only this sale made a customer, it no longer does */
static const PlanSource unmark_customer = {
	"UPDATE @workspace@.contact c SET customer_since = (SELECT pg_catalog.min(w.closed_at) FROM @workspace@.opportunity w"
	" WHERE w.contact_id = c.contact_id AND w.status = 'won' AND w.opportunity_id <> o.opportunity_id),"
	" updated_at = pg_catalog.now() FROM @workspace@.opportunity o"
	" WHERE o.opportunity_id = $1 AND o.status = 'won' AND c.contact_id = o.contact_id AND c.customer_since = o.closed_at",
	1, {ARG_INT8}
};

/* A call of reopen_row */
typedef struct ReopenCall
{
	bool		is_lead;
	int64		id;
	char	   *reason;
} ReopenCall;

/* Reopen a row as the system */
static void
Reopen(Workspace *ws, void *arg)
{
	ReopenCall *call = arg;
	WorkspaceConfig *config = WorkspaceGetConfig(ws);
	const char *entity = call->is_lead ? "lead" : "opportunity";
	Datum		values[4] = {Int64GetDatum(call->id)};
	char		nulls[5] = "    ";
	StageMove	move = {0};
	char	   *status;
	char	   *qualification;
	char	   *stage;
	Pipeline   *pipeline;
	bool		no_opportunity;
	int64		opportunity;
	int			at;

	if (call->is_lead && WorkspaceExecute(ws, &lock_contact, values, NULL) == 0)
		WorkspaceExecute(ws, &lock_account, values, NULL);
	if (WorkspaceExecute(ws, call->is_lead ? &find_lead : &find_opportunity, values, NULL) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("there is no %s " INT64_FORMAT, entity, call->id)));
	status = ResultText(0, 1);
	pipeline = ConfigPipeline(config, ResultText(0, 2));
	move.from_stage = ResultText(0, 3);
	stage = ResultText(0, 4);
	qualification = ResultText(0, 5);
	opportunity = ResultInt64(0, 6, &no_opportunity);
	if (strcmp(status, "open") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("%s " INT64_FORMAT " is open", entity, call->id)));
	if (strcmp(status, "converted") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("lead " INT64_FORMAT " was converted and cannot be reopened", call->id),
				 no_opportunity ? 0 : errhint("Go on with opportunity " INT64_FORMAT ".", opportunity)));
	if (call->is_lead && WorkspaceExecute(ws, &find_rival, values, NULL) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("lead " INT64_FORMAT " cannot be reopened: lead " INT64_FORMAT " is open for the same interest",
						call->id, ResultInt64(0, 1, NULL))));
	at = stage ? PipelineStage(pipeline, stage) : -1;
	if (at < 0 || pipeline->stages[at].kind >= STAGE_WON)
		at = pipeline->entry;	/* loaded as history, or its stage is gone */
	move.lead_id = call->is_lead ? call->id : 0;
	move.opportunity_id = call->is_lead ? 0 : call->id;
	move.pipeline = pipeline->name;
	move.to_stage = pipeline->stages[at].name;
	move.at = GetCurrentTransactionStartTimestamp();
	move.rule = MOVE_REOPENED;
	move.reason = call->reason;
	values[1] = CStringGetTextDatum(move.to_stage);
	if (call->is_lead)
	{
		values[2] = qualification ? CStringGetTextDatum(qualification) : (Datum) 0;
		nulls[2] = qualification ? ' ' : 'n';
		values[3] = call->reason ? CStringGetTextDatum(call->reason) : (Datum) 0;
		nulls[3] = call->reason ? ' ' : 'n';
		WorkspaceExecute(ws, &reopen_lead, values, nulls);
	}
	else
	{
		WorkspaceExecute(ws, &unmark_customer, values, NULL);
		values[2] = call->reason ? CStringGetTextDatum(call->reason) : (Datum) 0;
		nulls[2] = call->reason ? ' ' : 'n';
		WorkspaceExecute(ws, &reopen_opportunity, values, nulls);
	}
	PipelineRecord(ws, &move, 1);

	/* What changed of its person and account while it was closed left it as it was */
	if (call->is_lead)
		PipelineScoreOver(ws, config, &call->id, 1);
}

PG_FUNCTION_INFO_V1(reopen_row);
/* Reopen a lead or opportunity that was closed; arguments: its table, its key, a reason */
Datum
reopen_row(PG_FUNCTION_ARGS)
{
	Relation	rel;
	Workspace  *ws;
	ReopenCall	call = {0};
	Oid			types[2] = {INT8OID, TEXTOID};

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the table and the key of what to reopen must be given")));
	rel = relation_open(PG_GETARG_OID(0), AccessShareLock);
	ws = WorkspaceOfRelation(rel);
	call.is_lead = strcmp(RelationGetRelationName(rel), "lead") == 0;
	relation_close(rel, AccessShareLock);
	call.id = PG_GETARG_INT64(1);
	call.reason = PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2));
	WorkspaceCheckExecute(ws, call.is_lead ? "reopen" : "reopen_opportunity", 2, types);
	SPI_connect();
	WorkspaceCheckRow(ws, call.is_lead, call.id);
	WorkspaceRun(ws, Reopen, &call);
	SPI_finish();
	PG_RETURN_VOID();
}
