/*
 * What holds a lead where it is: its steps, the moves that are open, those
 * that are blocked and by what, and the moves it would make by itself.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "pipeline/law.h"
#include "utils/builtins.h"
#include "utils/rel.h"

static const PlanSource find_place = {
	"SELECT l.pipeline, l.stage, l.status, pg_catalog.format('since %s%s',"
	" pg_catalog.to_char(l.stage_entered_at, 'YYYY-MM-DD HH24:MI'),"
	" CASE WHEN l.status = 'open' AND pg_catalog.now() - l.stage_entered_at > s.maximum_age"
	" THEN ', longer than the ' || s.maximum_age || ' it may stay' END)"
	" FROM @workspace@.lead l LEFT JOIN @workspace@.stage s ON s.pipeline = l.pipeline AND s.stage = l.stage"
	" WHERE l.lead_id = $1",
	1, {ARG_INT8}
};

static const PlanSource find_timers = {
	"SELECT m.automatic_move_id, pg_catalog.to_char(l.stage_entered_at + COALESCE(m.after, s.maximum_age), 'YYYY-MM-DD HH24:MI')"
	" FROM @workspace@.lead l"
	" JOIN @workspace@.stage s ON s.pipeline = l.pipeline AND s.stage = l.stage"
	" JOIN @workspace@.automatic_move m ON m.pipeline = l.pipeline AND m.from_stage = l.stage AND m.cause = 'timer'"
	" WHERE l.lead_id = $1 AND COALESCE(m.after, s.maximum_age) IS NOT NULL",
	1, {ARG_INT8}
};

static const char *const transition_kinds[] = {"next", "skip", "back", "any"};

/* A lead that is explained */
typedef struct Explanation
{
	FunctionCallInfo fcinfo;
	WorkspaceConfig *config;
	const Pipeline *pipeline;
	int			stage;
	ScoredLead *lead;
	CompletedSteps *completed;
} Explanation;

/* Put out a row; detail may be NULL */
static void
Put(const Explanation *explanation, const char *item, const char *name, const char *state, const char *detail)
{
	ReturnSetInfo *result = (ReturnSetInfo *) explanation->fcinfo->resultinfo;
	Datum		values[4] = {CStringGetTextDatum(item), CStringGetTextDatum(name), CStringGetTextDatum(state)};
	bool		nulls[4] = {false, false, false, detail == NULL};

	if (detail)
		values[3] = CStringGetTextDatum(detail);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* Put out the steps of the stage */
static void
ExplainSteps(const Explanation *explanation)
{
	const Stage *stage = &explanation->pipeline->stages[explanation->stage];

	for (int i = 0; i < stage->step_count; i++)
	{
		const StageStep *step = &stage->steps[i];
		char	   *obstacle = NULL;

		if (StepIsComplete(step, explanation->config->profile, explanation->lead->profile, explanation->completed,
						   explanation->lead->lead_id))
		{
			Put(explanation, "step", step->name, "complete", NULL);
			continue;
		}
		if (step->requires_owner && heap_attisnull(explanation->lead->profile,
												   SPI_fnumber(explanation->config->profile, "agent_id"),
												   explanation->config->profile))
			obstacle = "it has no owner";
		if (obstacle == NULL)
			obstacle = GuardObstacle(step->guard, explanation->lead->profile);
		if (obstacle == NULL && step->kind == STEP_FIELD)
			obstacle = psprintf("%s is empty", step->field);
		Put(explanation, "step", step->name, obstacle ? "blocked" : "open",
			obstacle ? obstacle : step->is_required ? "required" : "may be left out");
	}
}

/* Say what stands in the way of a move by hand, NULL when nothing does */
static char *
Obstacle(const Explanation *explanation, int to)
{
	const Stage *from = &explanation->pipeline->stages[explanation->stage];
	const Stage *stage = &explanation->pipeline->stages[to];
	char	   *fallbacks;
	int			sqlerrcode;
	char	   *obstacle = PipelineObstacle(explanation->pipeline, explanation->stage, to, explanation->config->profile,
											explanation->lead->profile, &fallbacks, &sqlerrcode);
	char	   *steps = NULL;

	if (from->requires_steps && stage->kind != STAGE_LOST && stage->sequence > from->sequence)
		steps = StepsMissing(from, explanation->config->profile, explanation->lead->profile, explanation->completed,
							 explanation->lead->lead_id);
	if (steps)
		steps = psprintf("%s not complete", steps);
	return obstacle && steps ? psprintf("%s; %s", obstacle, steps) : obstacle ? obstacle : steps;
}

/* Put out the moves that transitions allow */
static void
ExplainMoves(const Explanation *explanation)
{
	for (int s = 0; s < explanation->pipeline->stage_count; s++)
	{
		const StageTransition *transition = PipelineTransition(explanation->pipeline, explanation->stage, s);
		char	   *obstacle;

		if (transition == NULL)
			continue;
		obstacle = Obstacle(explanation, s);
		if (obstacle)
			Put(explanation, "move", explanation->pipeline->stages[s].name, "blocked", obstacle);
		else
			Put(explanation, "move", explanation->pipeline->stages[s].name, "open",
				explanation->pipeline->stages[s].kind == STAGE_WON ? "by convert_lead()" :
				explanation->pipeline->stages[s].kind == STAGE_LOST ? "with a reason" :
				transition_kinds[transition->kind]);
	}
}

/* Put out a move that the lead would make by itself, if a transition allows it */
static void
PutAutomatic(const Explanation *explanation, int to, bool is_on, const char *waits)
{
	char	   *fallbacks;
	int			sqlerrcode;
	char	   *obstacle;

	if (to < 0 || to == explanation->stage || PipelineTransition(explanation->pipeline, explanation->stage, to) == NULL)
		return;
	obstacle = PipelineObstacle(explanation->pipeline, explanation->stage, to, explanation->config->profile,
								explanation->lead->profile, &fallbacks, &sqlerrcode);
	Put(explanation, "automatic", explanation->pipeline->stages[to].name,
		!is_on || !explanation->pipeline->is_active ? "off" : obstacle ? "blocked" : "waiting",
		obstacle ? psprintf("%s; %s", waits, obstacle) : waits);
}

/* Put out the moves that the lead would make by itself */
static void
ExplainAutomatic(const Explanation *explanation, Workspace *ws)
{
	const Pipeline *pipeline = explanation->pipeline;
	const Stage *stage = &pipeline->stages[explanation->stage];
	Datum		id = Int64GetDatum(explanation->lead->lead_id);
	int			timers;

	if (explanation->stage == pipeline->entry)
		PutAutomatic(explanation, pipeline->scored, pipeline->moves_on_first_score, "waits for a first score");
	if (pipeline->sales_ready >= 0 && stage->sequence < pipeline->stages[pipeline->sales_ready].sequence)
		PutAutomatic(explanation, pipeline->sales_ready, pipeline->moves_when_sales_ready,
					 heap_attisnull(explanation->lead->profile,
									SPI_fnumber(explanation->config->profile, "sales_ready_at"),
									explanation->config->profile) ?
					 "waits until a model finds it sales-ready" : "is sales-ready, but was not moved when it became so");
	timers = WorkspaceExecute(ws, &find_timers, &id, NULL);
	for (int i = 0; i < stage->move_count; i++)
	{
		const AutomaticMove *move = &stage->moves[i];
		char	   *obstacle = GuardObstacle(move->condition, explanation->lead->profile);
		char	   *waits = NULL;

		if (move->interaction_kind)
			waits = psprintf("waits for an interaction of kind \"%s\"", move->interaction_kind);
		for (int t = 0; t < timers; t++)
			if (ResultInt64(t, 1, NULL) == move->id)
				waits = psprintf("waits until %s", ResultText(t, 2));
		if (waits == NULL)
			continue;
		PutAutomatic(explanation, move->to,
					 move->interaction_kind ? pipeline->moves_on_interaction : pipeline->moves_on_timer,
					 psprintf("%s (%s)%s%s", waits, move->label, obstacle ? "; " : "", obstacle ? obstacle : ""));
	}
	SPI_freetuptable(SPI_tuptable);
	for (int i = 0; stage->moves_when_complete && i < stage->next_count; i++)
		if (stage->next[i].kind == TRANSITION_NEXT)
		{
			char	   *missing = StepsMissing(stage, explanation->config->profile, explanation->lead->profile,
											   explanation->completed, explanation->lead->lead_id);

			PutAutomatic(explanation, stage->next[i].to, pipeline->moves_on_step,
						 missing ? psprintf("waits for %s", missing) : "its steps are complete");
		}
}

PG_FUNCTION_INFO_V1(stage_explanation);
/* Get what holds a lead in its stage; arguments: the workspace's lead table, a lead */
Datum
stage_explanation(PG_FUNCTION_ARGS)
{
	Relation	rel = relation_open(PG_GETARG_OID(0), AccessShareLock);
	Workspace  *ws = WorkspaceOfRelation(rel);
	int64		lead_id = PG_GETARG_INT64(1);
	Datum		id = Int64GetDatum(lead_id);
	Explanation explanation = {fcinfo};
	char	   *stage;
	char	   *status;

	relation_close(rel, AccessShareLock);
	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	explanation.config = WorkspaceGetConfig(ws);
	if (WorkspaceExecute(ws, &find_place, &id, NULL) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("there is no lead " INT64_FORMAT, lead_id)));
	stage = ResultText(0, 2);
	status = ResultText(0, 3);
	Put(&explanation, "stage", stage, status, ResultText(0, 4));
	explanation.pipeline = ConfigPipeline(explanation.config, ResultText(0, 1));
	SPI_freetuptable(SPI_tuptable);
	explanation.stage = explanation.pipeline ? PipelineStage(explanation.pipeline, stage) : -1;
	explanation.lead = ScoreLoad(ws, explanation.config, &lead_id, 1);
	if (explanation.stage >= 0 && explanation.lead->profile && strcmp(status, "open") == 0)
	{
		explanation.completed = StepsLoad(ws, &lead_id, NULL, NULL, 1);
		ExplainSteps(&explanation);
		ExplainMoves(&explanation);
		ExplainAutomatic(&explanation, ws);
	}
	SPI_finish();
	return (Datum) 0;
}
