/*
 * The history of stages, and the second half of the law: the moves of a
 * statement are gathered row by row, and once it is done checked against
 * profiles, recorded and followed up together.
 *
 * Gathering pays twice: a bulk UPDATE costs one INSERT for thousands of moves
 * rather than one for each, and what is checked and recorded is what has been
 * written in the end, whatever other triggers did to the row.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "events/events.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pipeline/law.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/memutils.h"

/* Moves gathered before they are checked and recorded */
#define MOVES_CHUNK 2000

static const PlanSource record_move = {
	"INSERT INTO @workspace@.stage_move (lead_id, opportunity_id, pipeline, from_stage, to_stage, rule, fallback_fields,"
	" moved_by, reason, moved_at, from_pipeline, rule_label, changed)"
	" VALUES ($1, $2, $3, $4, $5, $6, pg_catalog.string_to_array($7, ','), $8::pg_catalog.name, $9, $10, $11, $12,"
	" $13::pg_catalog.jsonb)",
	13, {ARG_INT8, ARG_INT8, ARG_TEXT, ARG_TEXT, ARG_TEXT, ARG_TEXT, ARG_TEXT, ARG_TEXT, ARG_TEXT, ARG_TIMESTAMPTZ,
		ARG_TEXT, ARG_TEXT, ARG_TEXT}
};

static const PlanSource record_moves = {
	"INSERT INTO @workspace@.stage_move (lead_id, opportunity_id, pipeline, from_stage, to_stage, rule, fallback_fields,"
	" moved_by, reason, moved_at, from_pipeline, rule_label, changed)"
	" SELECT n.lead_id, n.opportunity_id, n.pipeline, n.from_stage, n.to_stage, n.rule,"
	" pg_catalog.string_to_array(n.fallbacks, ','), n.moved_by::pg_catalog.name, n.reason, n.moved_at,"
	" n.from_pipeline, n.rule_label, n.changed::pg_catalog.jsonb"
	" FROM @rows $1: lead_id, opportunity_id, pipeline, from_stage, to_stage, rule, fallbacks, moved_by, reason,"
	" moved_at, from_pipeline, rule_label, changed@ AS n",
	13, {ARG_INT8S, ARG_INT8S, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS,
		ARG_TIMESTAMPTZS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS}
};

static const PlanSource find_opportunities = {
	"SELECT DISTINCT o.lead_id FROM @workspace@.opportunity o WHERE o.lead_id = ANY ($1) ORDER BY o.lead_id",
	1, {ARG_INT8S}
};

static const PlanSource load_opportunities = {
	"SELECT p.* FROM @workspace@.opportunity_profile p WHERE p.opportunity_id = ANY ($1)",
	1, {ARG_INT8S}
};

static const PlanSource owner_exists = {
	"SELECT EXISTS (SELECT FROM @workspace@.lead l WHERE l.lead_id = $1)"
	" OR EXISTS (SELECT FROM @workspace@.opportunity o WHERE o.opportunity_id = $2)",
	2, {ARG_INT8, ARG_INT8}
};

static const PlanSource any_owner_exists = {
	"SELECT EXISTS (SELECT FROM @workspace@.lead) OR EXISTS (SELECT FROM @workspace@.opportunity)",
	0, {0}
};

/* A move of a statement that is not done yet */
typedef struct PendingMove
{
	int64		id;
	const Pipeline *old;		/* of the configuration as it was then */
	const Pipeline *pipeline;
	int			from;
	int			to;
	TimestampTz since;			/* when the stage left was entered */
	TimestampTz at;
	const char *reason;
	const char *changed;
} PendingMove;

/* The moves that the statements at one trigger depth have made */
typedef struct PendingMoves
{
	struct PendingMoves *next;
	Workspace  *ws;
	bool		for_leads;
	int			depth;
	int			nest_level;		/* of the subtransaction */
	MemoryContext context;
	int			count;
	PendingMove moves[MOVES_CHUNK];
} PendingMoves;

static PendingMoves *pending = NULL;

/* Forget moves of a transaction that ended */
static void
TransactionEnded(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		pending = NULL;			/* their memory went with it */
}

/* Forget moves of a subtransaction that was rolled back */
static void
SubTransactionEnded(SubXactEvent event, SubTransactionId subid, SubTransactionId parent, void *arg)
{
	int			level = GetCurrentTransactionNestLevel();

	if (event != SUBXACT_EVENT_ABORT_SUB)
		return;
	while (pending && pending->nest_level >= level)
	{
		PendingMoves *gone = pending;

		pending = gone->next;
		MemoryContextDelete(gone->context);
	}
}

/* Prepare to forget */
void
MovesInit(void)
{
	RegisterXactCallback(TransactionEnded, NULL);
	RegisterSubXactCallback(SubTransactionEnded, NULL);
}

/* Record moves into stages */
void
PipelineRecord(Workspace *ws, const StageMove *moves, int n)
{
	char	   *user;
	Batch	   *batch;
	bool		is_single = n == 1;

	if (n == 0)
		return;
	user = GetUserNameFromId(GetOuterUserId(), false);
	batch = BatchCreate(record_moves.args, record_moves.nargs, n);
	for (int i = 0; i < n; i++)
	{
		if (moves[i].lead_id != 0)
			BatchSet(batch, 0, Int64GetDatum(moves[i].lead_id));
		if (moves[i].opportunity_id != 0)
			BatchSet(batch, 1, Int64GetDatum(moves[i].opportunity_id));
		BatchSetText(batch, 2, moves[i].pipeline);
		BatchSetText(batch, 3, moves[i].from_stage);
		BatchSetText(batch, 4, moves[i].to_stage);
		BatchSetText(batch, 5, moves[i].rule);
		BatchSetText(batch, 6, moves[i].fallbacks);
		BatchSetText(batch, 7, user);
		BatchSetText(batch, 8, moves[i].reason);
		BatchSet(batch, 9, TimestampTzGetDatum(moves[i].at));
		BatchSetText(batch, 10, moves[i].from_pipeline);
		BatchSetText(batch, 11, moves[i].rule_label);
		BatchSetText(batch, 12, moves[i].changed);
		BatchNext(batch);
	}
	if (is_single)
	{
		Datum		values[13];
		char		nulls[14];

		for (int i = 0; i < record_move.nargs; i++)
		{
			values[i] = batch->values[i][0];
			nulls[i] = batch->nulls[i][0] ? 'n' : ' ';
		}
		WorkspaceExecute(ws, &record_move, values, nulls);
	}
	else
		BatchExecute(ws, &record_moves, batch);
	EventsRaise(ws, moves, n, user);
}

/* Order ids */
static int
FindId(const int64 *ids, int n, int64 id)
{
	const int64 *found = bsearch(&id, ids, n, sizeof(int64), ScoreCompareIds);

	return found ? (int) (found - ids) : -1;
}

/* Complain about a move that may not be made */
static void
Refuse(const PendingMoves *moves, const PendingMove *move, int sqlerrcode, const char *obstacle, const char *hint)
{
	const char *entity = moves->for_leads ? "lead" : "opportunity";
	const char *to = move->pipeline->stages[move->to].name;

	ereport(ERROR,
			(errcode(sqlerrcode),
			 move->old == move->pipeline ?
			 errmsg("%s " INT64_FORMAT " cannot move from \"%s\" to \"%s\": %s", entity, move->id,
					move->old->stages[move->from].name, to, obstacle) :
			 errmsg("%s " INT64_FORMAT " cannot be switched to \"%s\" of pipeline \"%s\": %s", entity, move->id, to,
					move->pipeline->name, obstacle),
			 errhint("%s%sAllowed next stages: %s.", hint ? hint : "", hint ? " " : "",
					 PipelineNextStages(move->old, move->from))));
}

/* Refuse leads that end won without an opportunity */
static void
CheckConverted(PendingMoves *moves)
{
	Batch	   *batch = NULL;
	int64	   *found;
	int			n;

	if (!moves->for_leads)
		return;
	for (int i = 0; i < moves->count; i++)
		if (moves->moves[i].pipeline->stages[moves->moves[i].to].kind == STAGE_WON)
		{
			if (batch == NULL)
				batch = BatchCreate(find_opportunities.args, find_opportunities.nargs, moves->count);
			BatchSet(batch, 0, Int64GetDatum(moves->moves[i].id));
			BatchNext(batch);
		}
	if (batch == NULL)
		return;
	n = BatchExecute(moves->ws, &find_opportunities, batch);
	found = palloc(sizeof(int64) * Max(n, 1));
	for (int i = 0; i < n; i++)
		found[i] = ResultInt64(i, 1, NULL);
	SPI_freetuptable(SPI_tuptable);
	for (int i = 0; i < moves->count; i++)
		if (moves->moves[i].pipeline->stages[moves->moves[i].to].kind == STAGE_WON &&
			FindId(found, n, moves->moves[i].id) < 0)
			Refuse(moves, &moves->moves[i], ERRCODE_CHECK_VIOLATION, "it has no opportunity",
				   "Convert it with convert_lead().");
}

/* Must the steps of the stage left be complete? */
static bool
AsksForSteps(const PendingMove *move)
{
	const Stage *from = &move->old->stages[move->from];
	const Stage *to = &move->pipeline->stages[move->to];

	return move->old == move->pipeline && from->requires_steps && to->kind != STAGE_LOST && to->sequence > from->sequence;
}

/* Read the profiles of opportunities given by sorted ids */
static HeapTuple *
LoadOpportunities(Workspace *ws, const int64 *ids, int n)
{
	Batch	   *batch = BatchCreate(load_opportunities.args, load_opportunities.nargs, n);
	HeapTuple  *profiles = palloc0(sizeof(HeapTuple) * Max(n, 1));
	int			column;
	int			found;

	for (int i = 0; i < n; i++)
	{
		BatchSet(batch, 0, Int64GetDatum(ids[i]));
		BatchNext(batch);
	}
	found = BatchExecute(ws, &load_opportunities, batch);
	column = SPI_fnumber(SPI_tuptable->tupdesc, "opportunity_id");
	for (int i = 0; i < found; i++)
	{
		int			at = FindId(ids, n, ResultInt64(i, column, NULL));

		if (at >= 0)
			profiles[at] = heap_copytuple(SPI_tuptable->vals[i]);
	}
	SPI_freetuptable(SPI_tuptable);
	return profiles;
}

/* Check moves against the profiles, as they are now; notes what stood in for missing fields */
static void
CheckProfiles(WorkspaceConfig *config, PendingMoves *moves, StageMove *recorded)
{
	int64	   *ids = palloc(sizeof(int64) * moves->count);
	int			n = 0;
	ScoredLead *leads = NULL;
	HeapTuple  *opportunities = NULL;
	CompletedSteps *completed = NULL;
	bool		asks_for_steps = false;

	for (int i = 0; i < moves->count; i++)
	{
		const PendingMove *move = &moves->moves[i];
		bool		asks = moves->for_leads && AsksForSteps(move);

		asks_for_steps |= asks;
		if (asks || PipelineNeedsProfile(move->pipeline, move->old == move->pipeline ? move->from : -1, move->to) ||
			move->pipeline->stages[move->to].requires_owner || move->old->stages[move->from].requires_link)
			ids[n++] = move->id;
	}
	if (n == 0)
		return;
	n = ScoreUniqueIds(ids, n);
	if (moves->for_leads)
		leads = ScoreLoad(moves->ws, config, ids, n);
	else
		opportunities = LoadOpportunities(moves->ws, ids, n);
	if (asks_for_steps)
	{
		int64	   *lead_ids = palloc(sizeof(int64) * moves->count);
		const char **stages = palloc(sizeof(char *) * moves->count);
		TimestampTz *since = palloc(sizeof(TimestampTz) * moves->count);
		int			count = 0;

		for (int i = 0; i < moves->count; i++)
			if (AsksForSteps(&moves->moves[i]))
			{
				lead_ids[count] = moves->moves[i].id;
				stages[count] = moves->moves[i].old->stages[moves->moves[i].from].name;
				since[count++] = moves->moves[i].since;
			}
		completed = StepsLoad(moves->ws, lead_ids, stages, since, count);
	}
	for (int i = 0; i < moves->count; i++)
	{
		const PendingMove *move = &moves->moves[i];
		int			at = FindId(ids, n, move->id);
		HeapTuple	profile = at < 0 ? NULL : leads ? leads[at].profile : opportunities[at];
		TupleDesc	desc = leads ? config->profile : config->opportunity;
		char	   *obstacle;
		char	   *fallbacks;
		int			sqlerrcode;

		if (profile == NULL)
			continue;
		obstacle = PipelineObstacle(move->pipeline, move->old == move->pipeline ? move->from : -1, move->to,
									desc, profile, &fallbacks, &sqlerrcode);
		if (obstacle)
			Refuse(moves, move, sqlerrcode, obstacle,
				   sqlerrcode == ERRCODE_NOT_NULL_VIOLATION ? "Fill in the missing fields first." : NULL);
		recorded[i].fallbacks = fallbacks;
		if (leads && AsksForSteps(move))
		{
			obstacle = StepsMissing(&move->old->stages[move->from], desc, profile, completed, move->id);
			if (obstacle)
				Refuse(moves, move, ERRCODE_CHECK_VIOLATION, psprintf("%s not complete", obstacle),
					   "Complete the steps with complete_step().");
		}
	}
}

/* Go on with leads that entered a stage whose steps may be complete already */
static void
ContinueMoves(WorkspaceConfig *config, PendingMoves *moves)
{
	int64	   *ids = NULL;
	int			n = 0;

	if (!moves->for_leads)
		return;
	for (int i = 0; i < moves->count; i++)
	{
		const Stage *stage = &moves->moves[i].pipeline->stages[moves->moves[i].to];

		if (!stage->moves_when_complete || stage->step_count == 0)
			continue;
		for (int s = 0; s < stage->step_count; s++)
			if (stage->steps[s].kind == STEP_FIELD)
			{
				if (ids == NULL)
					ids = palloc(sizeof(int64) * moves->count);
				ids[n++] = moves->moves[i].id;
				break;
			}
	}
	if (n > 0)
		PipelineContinue(moves->ws, config, ids, ScoreUniqueIds(ids, n));
}

/* What FlushWork works on */
typedef struct FlushCall
{
	PendingMoves *moves;
	StageMove  *recorded;
} FlushCall;

/* Check and record moves as the system */
static void
FlushWork(Workspace *ws, void *arg)
{
	FlushCall  *call = arg;
	PendingMoves *moves = call->moves;
	WorkspaceConfig *config = WorkspaceGetConfig(ws);
	StageMove  *recorded = palloc0(sizeof(StageMove) * moves->count);

	call->recorded = recorded;
	for (int i = 0; i < moves->count; i++)
	{
		const PendingMove *move = &moves->moves[i];
		StageKind	kind = move->pipeline->stages[move->to].kind;

		recorded[i] = (StageMove) {
			.lead_id = moves->for_leads ? move->id : 0,.opportunity_id = moves->for_leads ? 0 : move->id,
			.pipeline = move->pipeline->name,
			.from_pipeline = move->old == move->pipeline ? NULL : move->old->name,
			.from_stage = move->old->stages[move->from].name,.to_stage = move->pipeline->stages[move->to].name,
			.at = move->at,.reason = move->reason,.changed = move->changed,
			.rule = move->old != move->pipeline ? MOVE_SWITCHED : !moves->for_leads ? MOVE_MANUAL :
			kind == STAGE_WON ? MOVE_CONVERTED : kind == STAGE_LOST ? MOVE_DISQUALIFIED : MOVE_MANUAL
		};
	}
	CheckConverted(moves);
	CheckProfiles(config, moves, recorded);
	PipelineMoved(ws, config, recorded, moves->count);
}

/* Take up what follows from recorded moves, which may change the same rows again */
static void
FollowWork(Workspace *ws, void *arg)
{
	FlushCall  *call = arg;

	ContinueMoves(WorkspaceGetConfig(ws), call->moves);
}

/* Check, record and follow up moves that were gathered */
static void
Flush(PendingMoves *moves)
{
	FlushCall	call = {moves, NULL};
	WorkspaceRights rights;

	SPI_connect();
	WorkspaceRun(moves->ws, FlushWork, &call);
	WorkspaceEnter(moves->ws, &rights);
	PipelineAct(moves->ws, WorkspaceGetConfig(moves->ws), call.recorded, moves->count);
	WorkspaceLeave(&rights);
	WorkspaceRun(moves->ws, FollowWork, &call);
	SPI_finish();
}

/* Check, record and follow up what the statements at this trigger depth have moved so far */
void
MovesFlush(Workspace *ws)
{
	int			depth = DatumGetInt32(DirectFunctionCall1(pg_trigger_depth, (Datum) 0));
	PendingMoves **link = &pending;
	int			level;

	if (pending == NULL)
		return;
	level = WorkspacePin(true);
	while (*link)
	{
		PendingMoves *moves = *link;

		if (moves->depth != depth || moves->ws != ws || moves->count == 0)
		{
			link = &moves->next;
			continue;
		}
		*link = moves->next;	/* statements of what follows gather their own */
		Flush(moves);
		MemoryContextDelete(moves->context);
		link = &pending;
	}
	WorkspaceUnpin(level);
}

/* Get the buffer for moves of a table at this trigger depth */
static PendingMoves *
BufferFor(Workspace *ws, bool for_leads)
{
	int			depth = DatumGetInt32(DirectFunctionCall1(pg_trigger_depth, (Datum) 0));
	int			level = GetCurrentTransactionNestLevel();
	MemoryContext context;
	PendingMoves *moves;

	for (moves = pending; moves; moves = moves->next)
		if (moves->ws == ws && moves->for_leads == for_leads && moves->depth == depth && moves->nest_level == level)
			return moves;
	context = AllocSetContextCreate(CurTransactionContext, "lead_mgmt moves", ALLOCSET_DEFAULT_SIZES);
	moves = MemoryContextAlloc(context, sizeof(PendingMoves));
	memset(moves, 0, offsetof(PendingMoves, moves));
	moves->ws = ws;
	moves->for_leads = for_leads;
	moves->depth = depth;
	moves->nest_level = level;
	moves->context = context;
	moves->next = pending;
	pending = moves;
	return moves;
}

/* Write down what closing changes besides the stage, for reopening */
static char *
ChangedByClosing(const LawRow *row)
{
	StringInfoData json;
	char	   *qualification = LawText(row, row->old, LAW_QUALIFICATION);

	initStringInfo(&json);
	appendStringInfoString(&json, "{\"qualification\": ");
	escape_json(&json, qualification);
	appendStringInfoChar(&json, '}');
	return json.data;
}

/* Gather the move of a row */
static void
GatherMove(const LawRow *row)
{
	Workspace  *ws = WorkspaceOfRelation(row->trigdata->tg_relation);
	WorkspaceConfig *config = WorkspaceGetConfig(ws);
	PendingMoves *moves = BufferFor(ws, row->is_lead);
	MemoryContext old = MemoryContextSwitchTo(moves->context);
	PendingMove *move;
	bool		isnull;

	if (moves->count == MOVES_CHUNK)
	{
		MemoryContextSwitchTo(old);
		MovesFlush(ws);
		moves = BufferFor(ws, row->is_lead);
		MemoryContextSwitchTo(moves->context);
	}
	move = &moves->moves[moves->count];
	move->id = LawId(row, row->new, LAW_ID);
	move->old = ConfigPipeline(config, LawText(row, row->old, LAW_PIPELINE));
	move->pipeline = ConfigPipeline(config, LawText(row, row->new, LAW_PIPELINE));
	move->from = LawStage(move->old, LawText(row, row->old, LAW_STAGE));
	move->to = LawStage(move->pipeline, LawText(row, row->new, LAW_STAGE));
	move->since = DatumGetTimestampTz(LawGet(row, row->old, LAW_STAGE_ENTERED_AT, &isnull));
	move->at = DatumGetTimestampTz(LawGet(row, row->new, LAW_STAGE_ENTERED_AT, &isnull));
	move->reason = LawText(row, row->new, LAW_STAGE_REASON);
	move->changed = row->is_lead && move->pipeline->stages[move->to].kind >= STAGE_WON ? ChangedByClosing(row) : NULL;
	moves->count++;
	MemoryContextSwitchTo(old);
}

PG_FUNCTION_INFO_V1(stage_moved);
/* Gather the moves of a statement, row by row, and record them at its end; argument: entity */
Datum
stage_moved(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	LawRow		row;

	if (CALLED_AS_TRIGGER(fcinfo) && TRIGGER_FIRED_FOR_STATEMENT(trigdata->tg_event))
	{
		if (pending && !SystemAtWork())
			MovesFlush(WorkspaceOfRelation(trigdata->tg_relation));
		return PointerGetDatum(NULL);
	}
	LawOpen(fcinfo, &row, false);
	if ((LawChanges(&row, LAW_STAGE) || LawChanges(&row, LAW_PIPELINE)) && !SystemAtWork())
		GatherMove(&row);
	return PointerGetDatum(NULL);
}

/* Is there still a lead or opportunity that the history in hand belongs to? */
static bool
OwnerExists(TriggerData *trigdata)
{
	Workspace  *ws = WorkspaceOfRelation(trigdata->tg_relation);
	WorkspaceRights rights;
	bool		exists;

	SPI_connect();
	WorkspaceEnter(ws, &rights);
	if (TRIGGER_FIRED_FOR_ROW(trigdata->tg_event))
	{
		TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
		Datum		values[2];
		char		nulls[3] = "  ";
		bool		isnull;

		values[0] = heap_getattr(trigdata->tg_trigtuple, SPI_fnumber(desc, "lead_id"), desc, &isnull);
		nulls[0] = isnull ? 'n' : ' ';
		values[1] = heap_getattr(trigdata->tg_trigtuple, SPI_fnumber(desc, "opportunity_id"), desc, &isnull);
		nulls[1] = isnull ? 'n' : ' ';
		WorkspaceExecute(ws, &owner_exists, values, nulls);
	}
	else
		WorkspaceExecute(ws, &any_owner_exists, NULL, NULL);
	exists = ResultBool(0, 1);
	WorkspaceLeave(&rights);
	SPI_finish();
	return exists;
}

PG_FUNCTION_INFO_V1(guard_history);
/* Refuse changes to the history of stages by anybody but the system */
Datum
guard_history(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	bool		is_truncate = CALLED_AS_TRIGGER(fcinfo) && TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event);

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		(is_truncate ? !TRIGGER_FIRED_AFTER(trigdata->tg_event) : !TRIGGER_FIRED_BEFORE(trigdata->tg_event)))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("guard_history must be called as a BEFORE trigger, or AFTER TRUNCATE")));

	/* What belonged to leads and opportunities goes with them */
	if ((is_truncate || TRIGGER_FIRED_BY_DELETE(trigdata->tg_event)) && !OwnerExists(trigdata))
		return PointerGetDatum(is_truncate ? NULL : trigdata->tg_trigtuple);
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the history of stages is written by the system alone"),
			 errhint("Move the lead or opportunity, and history follows.")));
}
