/*
 * Steps in a stage: fields to fill, flags to tick, actions to take, and what
 * completing the last of them does.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pipeline/law.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/rel.h"

static const PlanSource load_steps = {
	"SELECT DISTINCT s.lead_id, s.step FROM @rows $1: lead_id, stage, since@ AS n"
	" JOIN @workspace@.lead l ON l.lead_id = n.lead_id"
	" JOIN @workspace@.lead_step s ON s.lead_id = n.lead_id AND s.pipeline = l.pipeline"
	" AND s.stage = COALESCE(n.stage, l.stage) AND s.completed_at >= COALESCE(n.since, l.stage_entered_at)"
	" ORDER BY s.lead_id",
	3, {ARG_INT8S, ARG_TEXTS, ARG_TIMESTAMPTZS}
};

static const PlanSource lock_lead = {
	"SELECT l.pipeline, l.stage, l.status FROM @workspace@.lead l WHERE l.lead_id = $1 FOR NO KEY UPDATE",
	1, {ARG_INT8}
};

static const PlanSource qualify_lead = {
	"UPDATE @workspace@.lead l SET qualification = $2, sales_ready_at = CASE WHEN $2 IN ('sales_ready', 'sales_accepted')"
	" THEN COALESCE(l.sales_ready_at, pg_catalog.now()) ELSE l.sales_ready_at END, updated_at = pg_catalog.now()"
	" WHERE l.lead_id = $1",
	2, {ARG_INT8, ARG_TEXT}
};

/*
 * Read the steps that leads have completed in the stage they are in, or in the
 * stages given, since they entered it or since the times given
 */
CompletedSteps *
StepsLoad(Workspace *ws, const int64 *lead_ids, const char **stages, const TimestampTz *since, int n)
{
	CompletedSteps *completed = palloc0(sizeof(CompletedSteps));
	Batch	   *batch = BatchCreate(load_steps.args, load_steps.nargs, n);

	for (int i = 0; i < n; i++)
	{
		BatchSet(batch, 0, Int64GetDatum(lead_ids[i]));
		if (stages)
			BatchSetText(batch, 1, stages[i]);
		if (since)
			BatchSet(batch, 2, TimestampTzGetDatum(since[i]));
		BatchNext(batch);
	}
	completed->count = BatchExecute(ws, &load_steps, batch);
	completed->steps = palloc(sizeof(CompletedStep) * Max(completed->count, 1));
	for (int i = 0; i < completed->count; i++)
	{
		completed->steps[i].lead_id = ResultInt64(i, 1, NULL);
		completed->steps[i].step = ResultText(i, 2);
	}
	SPI_freetuptable(SPI_tuptable);
	return completed;
}

/* Was a step ticked off for a lead? */
static bool
IsTicked(const CompletedSteps *completed, int64 lead_id, const char *step)
{
	int			low = 0;
	int			high = completed ? completed->count : 0;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (completed->steps[middle].lead_id < lead_id)
			low = middle + 1;
		else
			high = middle;
	}
	for (; completed && low < completed->count && completed->steps[low].lead_id == lead_id; low++)
		if (strcmp(completed->steps[low].step, step) == 0)
			return true;
	return false;
}

/* Is a step complete: its field filled, or else ticked off? */
bool
StepIsComplete(const StageStep *step, TupleDesc desc, HeapTuple profile, const CompletedSteps *completed,
			   int64 lead_id)
{
	if (step->kind == STEP_FIELD)
		return ProfileIsFilled(desc, profile, step->field);
	return IsTicked(completed, lead_id, step->name);
}

/* List the required steps of a stage that a lead has not completed, NULL when there is none */
char *
StepsMissing(const Stage *stage, TupleDesc desc, HeapTuple profile, const CompletedSteps *completed, int64 lead_id)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < stage->step_count; i++)
		if (stage->steps[i].is_required && !StepIsComplete(&stage->steps[i], desc, profile, completed, lead_id))
			appendStringInfo(&list, "%s\"%s\"", list.len ? ", " : "step ", stage->steps[i].name);
	return list.len ? list.data : NULL;
}

/* A step that a client ticks off */
typedef struct StepCall
{
	int64		lead_id;
	char	   *name;
	char	   *value;
	char	   *pipeline;
	char	   *stage;
	const StageStep *step;
} StepCall;

/* Find a step of the stage that a lead is in, and check that it can be completed */
static void
CheckStep(Workspace *ws, void *arg)
{
	StepCall   *call = arg;
	WorkspaceConfig *config = WorkspaceGetConfig(ws);
	Datum		id = Int64GetDatum(call->lead_id);
	Pipeline   *pipeline;
	const Stage *stage;
	HeapTuple	profile;
	StringInfoData list;
	char	   *obstacle;

	if (WorkspaceExecute(ws, &lock_lead, &id, NULL) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("there is no lead " INT64_FORMAT, call->lead_id)));
	call->pipeline = ResultText(0, 1);
	call->stage = ResultText(0, 2);
	if (strcmp(ResultText(0, 3), "open") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("lead " INT64_FORMAT " is %s: its steps are over", call->lead_id, ResultText(0, 3))));
	pipeline = ConfigPipeline(config, call->pipeline);
	stage = &pipeline->stages[LawStage(pipeline, call->stage)];
	initStringInfo(&list);
	for (int i = 0; i < stage->step_count && call->step == NULL; i++)
	{
		appendStringInfo(&list, "%s%s", list.len ? ", " : "", stage->steps[i].name);
		if (call->name && strcmp(stage->steps[i].name, call->name) == 0)
			call->step = &stage->steps[i];
	}
	if (call->step == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("lead " INT64_FORMAT " is in stage \"%s\", which has no step \"%s\"", call->lead_id,
						call->stage, call->name ? call->name : ""),
				 errhint("Its steps: %s.", list.len ? list.data : "none")));
	profile = ScoreLoad(ws, config, &call->lead_id, 1)->profile;
	if (profile == NULL)
		return;
	if (call->step->requires_owner && heap_attisnull(profile, SPI_fnumber(config->profile, "agent_id"), config->profile))
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("step \"%s\" of lead " INT64_FORMAT " cannot be completed: it has no owner", call->name,
						call->lead_id),
				 errhint("Assign it first, or call accept_lead(), which does both.")));
	obstacle = GuardObstacle(call->step->guard, profile);
	if (obstacle == NULL && call->step->kind == STEP_FIELD && call->value == NULL &&
		!ProfileIsFilled(config->profile, profile, call->step->field))
		obstacle = psprintf("%s is empty", call->step->field);
	if (obstacle)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("step \"%s\" of lead " INT64_FORMAT " cannot be completed: %s", call->name, call->lead_id,
						obstacle)));
}

/* Write a step down for its function */
static char *
StepPayload(const StepCall *call)
{
	StringInfoData json;
	const char *const names[] = {"pipeline", "stage", "step", "value"};
	const char *const values[] = {call->pipeline, call->stage, call->name, call->value};

	initStringInfo(&json);
	appendStringInfo(&json, "{\"entity\": \"lead\", \"lead_id\": " INT64_FORMAT, call->lead_id);
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

/* Get a text column of a row, NULL when it is null */
static char *
RowText(HeapTuple row, TupleDesc desc, const char *column)
{
	return SPI_getvalue(row, desc, SPI_fnumber(desc, column));
}

PG_FUNCTION_INFO_V1(check_step);
/* Check a step that a client ticks off, run its function, and fill in the rest of the row */
Datum
check_step(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	StepCall	call = {0};
	TupleDesc	desc;
	HeapTuple	row;
	Workspace  *ws;
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext old;
	const char *const columns[] = {"pipeline", "stage", "completed_at", "completed_by"};
	int			numbers[lengthof(columns)];
	Datum		values[lengthof(columns)];
	bool		nulls[lengthof(columns)] = {0};
	NameData	user;
	bool		isnull;
	Datum		id;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigdata->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) || !TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("check_step must be called as a BEFORE INSERT row trigger")));
	desc = RelationGetDescr(trigdata->tg_relation);
	row = trigdata->tg_trigtuple;
	id = heap_getattr(row, SPI_fnumber(desc, "lead_id"), desc, &isnull);
	if (isnull)
		return PointerGetDatum(row);	/* for the column's own constraint to refuse */
	call.lead_id = DatumGetInt64(id);
	call.name = RowText(row, desc, "step");
	call.value = RowText(row, desc, "value");
	ws = WorkspaceOfRelation(trigdata->tg_relation);
	SPI_connect();
	WorkspaceCheckRow(ws, true, call.lead_id);
	WorkspaceRun(ws, CheckStep, &call);
	if (call.step->kind == STEP_ACTION)
		PipelineCall(ws, call.step->function, StepPayload(&call),
					 psprintf("step \"%s\" of lead " INT64_FORMAT " cannot be completed", call.name, call.lead_id));
	old = MemoryContextSwitchTo(caller);
	namestrcpy(&user, GetUserNameFromId(GetOuterUserId(), false));
	values[0] = CStringGetTextDatum(call.pipeline);
	values[1] = CStringGetTextDatum(call.stage);
	values[2] = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
	values[3] = NameGetDatum(&user);
	for (int i = 0; i < lengthof(columns); i++)
		numbers[i] = SPI_fnumber(desc, columns[i]);
	row = heap_modify_tuple_by_cols(row, desc, lengthof(columns), numbers, values, nulls);
	MemoryContextSwitchTo(old);
	SPI_finish();
	return PointerGetDatum(row);
}

/* Set the qualification that a step stands for, and go on if it was the last */
static void
StepDone(Workspace *ws, void *arg)
{
	StepCall   *call = arg;
	WorkspaceConfig *config = WorkspaceGetConfig(ws);
	Pipeline   *pipeline = ConfigPipeline(config, call->pipeline);
	int			stage = pipeline ? PipelineStage(pipeline, call->stage) : -1;

	for (int i = 0; stage >= 0 && i < pipeline->stages[stage].step_count; i++)
	{
		const StageStep *step = &pipeline->stages[stage].steps[i];

		if (step->qualification && strcmp(step->name, call->name) == 0)
		{
			Datum		values[2] = {Int64GetDatum(call->lead_id), CStringGetTextDatum(step->qualification)};

			WorkspaceExecute(ws, &qualify_lead, values, NULL);
		}
	}
	PipelineContinue(ws, config, &call->lead_id, 1);
}

PG_FUNCTION_INFO_V1(step_done);
/* Follow up a step that a client ticked off */
Datum
step_done(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	StepCall	call = {0};
	TupleDesc	desc;
	HeapTuple	row;
	bool		isnull;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigdata->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) || !TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("step_done must be called as an AFTER INSERT row trigger")));
	desc = RelationGetDescr(trigdata->tg_relation);
	row = trigdata->tg_trigtuple;
	call.lead_id = DatumGetInt64(heap_getattr(row, SPI_fnumber(desc, "lead_id"), desc, &isnull));
	SPI_connect();
	call.name = RowText(row, desc, "step");
	call.pipeline = RowText(row, desc, "pipeline");
	call.stage = RowText(row, desc, "stage");
	WorkspaceRun(WorkspaceOfRelation(trigdata->tg_relation), StepDone, &call);
	SPI_finish();
	return PointerGetDatum(NULL);
}
