/*
 * What moves bring about: the functions that a stage runs when it is entered
 * or left, and the hand-over to the team that works there.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "parser/parse_func.h"
#include "pipeline/pipeline.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/regproc.h"
#include "utils/timestamp.h"

/* An earlier hand-over that nobody answered ends with the next one */
static const PlanSource supersede_handovers = {
	"UPDATE @workspace@.handover h SET rejected_at = pg_catalog.now(), rejected_by = n.moved_by::pg_catalog.name,"
	" rejected_reason = 'passed on to ' || n.stage"
	" FROM @rows $1: lead_id, stage, team_id, team_kind, moved_by, at@ AS n"
	" WHERE h.lead_id = n.lead_id AND h.accepted_at IS NULL AND h.rejected_at IS NULL AND h.to_team_id <> n.team_id",
	6, {ARG_INT8S, ARG_TEXTS, ARG_INT8S, ARG_TEXTS, ARG_TEXTS, ARG_TIMESTAMPTZS}
};

/* A lead that a team of the kind has already is not handed over */
static const PlanSource make_handovers = {
	"INSERT INTO @workspace@.handover (lead_id, from_team_id, from_agent_id, to_team_id, reason, handed_over_at,"
	" handed_over_by)"
	" SELECT l.lead_id, l.team_id, l.agent_id, n.team_id, n.stage, n.at, n.moved_by::pg_catalog.name"
	" FROM @rows $1: lead_id, stage, team_id, team_kind, moved_by, at@ AS n"
	" JOIN @workspace@.lead l ON l.lead_id = n.lead_id"
	" LEFT JOIN @workspace@.team t ON t.team_id = l.team_id"
	" WHERE t.kind IS DISTINCT FROM n.team_kind"
	" ON CONFLICT (lead_id) WHERE accepted_at IS NULL AND rejected_at IS NULL DO NOTHING",
	6, {ARG_INT8S, ARG_TEXTS, ARG_INT8S, ARG_TEXTS, ARG_TEXTS, ARG_TIMESTAMPTZS}
};

/* The task of a stage is done once the lead leaves it */
static const PlanSource close_tasks = {
	"UPDATE @workspace@.task t SET state = 'done', closed_at = n.at, closed_by = n.moved_by::pg_catalog.name"
	" FROM @rows $1: lead_id, moved_by, at@ AS n"
	" WHERE t.lead_id = n.lead_id AND t.kind = 'stage' AND t.state = 'open'",
	3, {ARG_INT8S, ARG_TEXTS, ARG_TIMESTAMPTZS}
};

static const PlanSource make_tasks = {
	"INSERT INTO @workspace@.task (subject, kind, lead_id, due_at, created_by)"
	" SELECT n.subject, 'stage', n.lead_id, n.at + p.answer_within, n.moved_by::pg_catalog.name"
	" FROM @rows $1: lead_id, moved_by, at, pipeline, subject@ AS n"
	" JOIN @workspace@.pipeline p ON p.pipeline = n.pipeline",
	5, {ARG_INT8S, ARG_TEXTS, ARG_TIMESTAMPTZS, ARG_TEXTS, ARG_TEXTS}
};

/* A call of a user's function */
typedef struct ActionCall
{
	const char *function;
	const char *payload;
	const char *what;			/* what fails if it does, for messages */
} ActionCall;

/* The moves whose functions are running, the innermost first */
typedef struct MoveInAction
{
	const struct MoveInAction *outer;
	const StageMove *move;
} MoveInAction;

static const MoveInAction *in_action = NULL;

/* Hand leads over that enter a stage where another team works */
static void
HandOver(Workspace *ws, WorkspaceConfig *config, const StageMove *moves, int n)
{
	Batch	   *batch = NULL;
	char	   *user = NULL;

	for (int i = 0; i < n; i++)
	{
		Pipeline   *pipeline;
		int			stage;

		if (moves[i].lead_id == 0 || (i + 1 < n && moves[i + 1].lead_id == moves[i].lead_id))
			continue;			/* where it ends up counts */
		pipeline = ConfigPipeline(config, moves[i].pipeline);
		stage = pipeline ? PipelineStage(pipeline, moves[i].to_stage) : -1;
		if (stage < 0 || pipeline->stages[stage].team_id == 0)
			continue;
		if (batch == NULL)
		{
			batch = BatchCreate(make_handovers.args, make_handovers.nargs, n);
			user = GetUserNameFromId(GetOuterUserId(), false);
		}
		BatchSet(batch, 0, Int64GetDatum(moves[i].lead_id));
		BatchSetText(batch, 1, moves[i].to_stage);
		BatchSet(batch, 2, Int64GetDatum(pipeline->stages[stage].team_id));
		BatchSetText(batch, 3, pipeline->stages[stage].team_kind);
		BatchSetText(batch, 4, user);
		BatchSet(batch, 5, TimestampTzGetDatum(moves[i].at));
		BatchNext(batch);
	}
	if (batch == NULL)
		return;
	BatchExecute(ws, &supersede_handovers, batch);
	BatchExecute(ws, &make_handovers, batch);
}

/* Find the stage that a move leaves or enters; NULL where it is no more */
static const Stage *
StageOf(WorkspaceConfig *config, const char *pipeline_name, const char *stage_name)
{
	Pipeline   *pipeline = pipeline_name && stage_name ? ConfigPipeline(config, pipeline_name) : NULL;
	int			stage = pipeline ? PipelineStage(pipeline, stage_name) : -1;

	return stage < 0 ? NULL : &pipeline->stages[stage];
}

/* Close the tasks of stages that leads left, and make those of stages they entered and are in */
static void
StageTasks(Workspace *ws, WorkspaceConfig *config, const StageMove *moves, int n)
{
	Batch	   *closed;
	Batch	   *made;
	char	   *user;

	if (!config->has_stage_tasks)
		return;
	closed = BatchCreate(close_tasks.args, close_tasks.nargs, n);
	made = BatchCreate(make_tasks.args, make_tasks.nargs, n);
	user = GetUserNameFromId(GetOuterUserId(), false);
	for (int i = 0; i < n; i++)
	{
		const StageMove *move = &moves[i];
		const Stage *from;
		const Stage *to;

		if (move->lead_id == 0)
			continue;
		from = StageOf(config, move->from_pipeline ? move->from_pipeline : move->pipeline, move->from_stage);
		to = StageOf(config, move->pipeline, move->to_stage);
		if (from && from->task)
		{
			BatchSet(closed, 0, Int64GetDatum(move->lead_id));
			BatchSetText(closed, 1, user);
			BatchSet(closed, 2, TimestampTzGetDatum(move->at));
			BatchNext(closed);
		}
		if (to && to->task && !(i + 1 < n && moves[i + 1].lead_id == move->lead_id))
		{
			BatchSet(made, 0, Int64GetDatum(move->lead_id));
			BatchSetText(made, 1, user);
			BatchSet(made, 2, TimestampTzGetDatum(move->at));
			BatchSetText(made, 3, move->pipeline);
			BatchSetText(made, 4, to->task);
			BatchNext(made);
		}
	}
	if (closed->rows > 0)
		BatchExecute(ws, &close_tasks, closed);
	if (made->rows > 0)
		BatchExecute(ws, &make_tasks, made);
}

/* Record moves that were made, hand over and make tasks; moves of one lead stand together */
void
PipelineMoved(Workspace *ws, WorkspaceConfig *config, const StageMove *moves, int n)
{
	PipelineRecord(ws, moves, n);
	HandOver(ws, config, moves, n);
	StageTasks(ws, config, moves, n);
}

/* Does a move run functions?  From is -1 for the first stage of a row */
bool
PipelineHasActions(const Pipeline *pipeline, int from, int to)
{
	return pipeline->stages[to].entry_count > 0 || (from >= 0 && pipeline->stages[from].exit_count > 0);
}

/* Write a move down for a function */
static char *
MovePayload(const StageMove *move)
{
	StringInfoData json;
	const char *const names[] = {"pipeline", "from_stage", "to_stage", "rule", "reason", "moved_at", "moved_by"};
	const char *const values[] = {move->pipeline, move->from_stage, move->to_stage, move->rule, move->reason,
	timestamptz_to_str(move->at), GetUserNameFromId(GetOuterUserId(), false)};

	initStringInfo(&json);
	appendStringInfo(&json, "{\"entity\": \"%s\", \"%s_id\": " INT64_FORMAT,
					 move->lead_id ? "lead" : "opportunity", move->lead_id ? "lead" : "opportunity",
					 move->lead_id ? move->lead_id : move->opportunity_id);
	for (int i = 0; i < lengthof(names); i++)
	{
		appendStringInfo(&json, ", \"%s\": ", names[i]);
		if (values[i] == NULL)
			appendStringInfoString(&json, "null");
		else
			escape_json(&json, values[i]);
	}
	appendStringInfoChar(&json, '}');
	return json.data;
}

/* Say which function was running when an error arose, and that the move failed with it */
static void
RunAction(Workspace *ws, void *arg)
{
	ActionCall *call = arg;
	MemoryContext context = CurrentMemoryContext;
	Oid			types[1] = {JSONBOID};
	Datum		values[1];
	List	   *names = stringToQualifiedNameList(call->function);
	Oid			function = LookupFuncName(names, 1, types, true);
	StringInfoData sql;
	int			result;

	if (!OidIsValid(function))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("%s: there is no function %s(jsonb)", call->what, call->function)));
	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT %s($1)",
					 quote_qualified_identifier(get_namespace_name(get_func_namespace(function)), get_func_name(function)));
	values[0] = DirectFunctionCall1(jsonb_in, CStringGetDatum(call->payload));
	PG_TRY();
	{
		result = SPI_execute_with_args(sql.data, 1, types, values, NULL, false, 0);
		if (result < 0)
			elog(ERROR, "could not run %s: %s", call->function, SPI_result_code_string(result));
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		if (!PredicateErrorIsLocal(error->sqlerrcode))
			PG_RE_THROW();
		FlushErrorState();
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
				 errmsg("%s: action %s failed: %s", call->what, call->function, error->message),
				 error->detail ? errdetail("%s", error->detail) : 0,
				 error->hint ? errhint("%s", error->hint) : 0));
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
}

/* Run a function that a user registered; what names what it is part of, for messages */
void
PipelineCall(Workspace *ws, const char *function, const char *payload, const char *what)
{
	ActionCall	call = {function, payload, what};

	check_stack_depth();
	WorkspaceRunForeign(ws, RunAction, &call);
}

/* Refuse a move that the functions of an earlier move into the same stage have brought about */
static void
CheckCircle(const StageMove *move)
{
	StringInfoData way;

	initStringInfo(&way);
	appendStringInfoString(&way, move->to_stage);
	for (const MoveInAction *outer = in_action; outer; outer = outer->outer)
	{
		if (outer->move->lead_id != move->lead_id || outer->move->opportunity_id != move->opportunity_id)
			continue;
		appendStringInfo(&way, " < %s", outer->move->to_stage);
		if (strcmp(outer->move->to_stage, move->to_stage) == 0 && strcmp(outer->move->pipeline, move->pipeline) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
					 errmsg("%s " INT64_FORMAT " goes round in a circle: %s", move->lead_id ? "lead" : "opportunity",
							move->lead_id ? move->lead_id : move->opportunity_id, way.data),
					 errhint("The actions of these stages move it from one to the next.")));
	}
}

/* Run the functions of one move */
static void
RunActions(Workspace *ws, const StageMove *move, const Stage *from, const Stage *to)
{
	MoveInAction here = {in_action, move};
	char	   *payload = MovePayload(move);
	char	   *what = psprintf("%s " INT64_FORMAT " cannot %s \"%s\"", move->lead_id ? "lead" : "opportunity",
								move->lead_id ? move->lead_id : move->opportunity_id,
								move->from_stage ? "move to" : "begin in", move->to_stage);

	CheckCircle(move);
	PG_TRY();
	{
		in_action = &here;
		for (int i = 0; from && i < from->exit_count; i++)
			PipelineCall(ws, from->exit_actions[i], payload, what);
		for (int i = 0; to && i < to->entry_count; i++)
			PipelineCall(ws, to->entry_actions[i], payload, what);
	}
	PG_FINALLY();
	{
		in_action = here.outer;
	}
	PG_END_TRY();
}

/* Run the functions of the stages left and entered by moves that are recorded */
void
PipelineAct(Workspace *ws, WorkspaceConfig *config, const StageMove *moves, int n)
{
	if (!config->has_actions)
		return;
	for (int i = 0; i < n; i++)
	{
		const StageMove *move = &moves[i];
		Pipeline   *pipeline = ConfigPipeline(config, move->pipeline);
		Pipeline   *old = move->from_pipeline ? ConfigPipeline(config, move->from_pipeline) : pipeline;
		int			to = pipeline ? PipelineStage(pipeline, move->to_stage) : -1;
		int			from = old && move->from_stage ? PipelineStage(old, move->from_stage) : -1;

		if ((from < 0 || old->stages[from].exit_count == 0) && (to < 0 || pipeline->stages[to].entry_count == 0))
			continue;
		CHECK_FOR_INTERRUPTS();
		RunActions(ws, move, from < 0 ? NULL : &old->stages[from], to < 0 ? NULL : &pipeline->stages[to]);
	}
}
