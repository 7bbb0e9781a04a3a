/*
 * What the definition tables of a workspace say about pipelines: stages with
 * their transitions, required fields, actions, steps and automatic moves.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "workspace/config.h"

static const PlanSource read_pipelines = {
	"SELECT pipeline, entity, is_default, is_active, moves_on_first_score, moves_when_sales_ready,"
	" moves_on_interaction, moves_on_step, moves_on_timer"
	" FROM @workspace@.pipeline ORDER BY pipeline COLLATE \"C\""
};
static const PlanSource read_stages = {
	"SELECT s.pipeline, s.stage, s.sequence, s.kind, s.role, s.requires_link, s.requires_owner, s.requires_steps,"
	" s.moves_when_complete, s.team_kind,"
	" (SELECT pg_catalog.min(t.team_id) FROM @workspace@.team t WHERE t.kind = s.team_kind AND t.is_active),"
	" s.task"
	" FROM @workspace@.stage s ORDER BY s.pipeline, s.sequence"
};
static const PlanSource read_transitions = {
	"SELECT pipeline, from_stage, to_stage, kind, guard::pg_catalog.text, COALESCE(guard_label, guard::pg_catalog.text)"
	" FROM @workspace@.stage_transition ORDER BY pipeline, from_stage, to_stage"
};
static const PlanSource read_required = {
	"SELECT pipeline, stage, field, fallback_field, from_stage FROM @workspace@.required_field"
	" ORDER BY pipeline, stage, required_field_id"
};
static const PlanSource read_actions = {
	"SELECT pipeline, stage, event, function FROM @workspace@.stage_action WHERE is_active"
	" ORDER BY pipeline, stage, sequence, stage_action_id"
};
static const PlanSource read_steps = {
	"SELECT pipeline, stage, step, label, kind, field, function, is_required, requires_owner, guard::pg_catalog.text,"
	" COALESCE(guard_label, guard::pg_catalog.text), qualification FROM @workspace@.stage_step"
	" ORDER BY pipeline, stage, sequence, step"
};
static const PlanSource read_moves = {
	"SELECT pipeline, from_stage, to_stage, automatic_move_id, label, interaction_kind, condition::pg_catalog.text"
	" FROM @workspace@.automatic_move WHERE is_active ORDER BY pipeline, from_stage, sequence, automatic_move_id"
};
static const PlanSource read_maps = {
	"SELECT from_pipeline, from_stage, to_pipeline, to_stage FROM @workspace@.stage_map"
};
static const PlanSource read_reasons = {
	"SELECT entity, reason FROM @workspace@.closing_reason WHERE is_active ORDER BY entity, reason"
};

static const char *const transition_kinds[] = {"next", "skip", "back", "any"};
static const char *const step_kinds[] = {"field", "flag", "action"};

/* Find the default pipeline for leads or for opportunities */
Pipeline *
ConfigDefaultPipeline(WorkspaceConfig *config, bool for_leads)
{
	for (int i = 0; i < config->pipeline_count; i++)
		if (config->pipelines[i].is_default && config->pipelines[i].for_leads == for_leads)
			return &config->pipelines[i];
	return NULL;
}

/* Find a stage of a pipeline, -1 when there is none of that name */
int
PipelineStage(const Pipeline *pipeline, const char *stage)
{
	for (int i = 0; i < pipeline->stage_count; i++)
		if (strcmp(pipeline->stages[i].name, stage) == 0)
			return i;
	return -1;
}

/* Find the transition between two stages, NULL when the one may not follow the other */
StageTransition *
PipelineTransition(const Pipeline *pipeline, int from, int to)
{
	const Stage *stage = &pipeline->stages[from];

	for (int i = 0; i < stage->next_count; i++)
		if (stage->next[i].to == to)
			return &stage->next[i];
	return NULL;
}

/* Compile a condition over the profile of what goes through a pipeline; NULL without one */
static StageGuard *
CompileGuard(WorkspaceConfig *config, const Pipeline *pipeline, const char *what, char *condition, char *label)
{
	StageGuard *guard;

	if (condition == NULL)
		return NULL;
	guard = palloc0(sizeof(StageGuard));
	guard->label = label;
	guard->condition = ConfigCompile(config, pipeline->for_leads ? config->profile : config->opportunity,
									 what, label, condition, &guard->broken);
	return guard;
}

/* Read the stage that a row of a definition table names in its first two columns */
static Stage *
StageOfRow(WorkspaceConfig *config, uint64 row, Pipeline **pipeline)
{
	*pipeline = ConfigPipeline(config, ResultText(row, 1));
	return &(*pipeline)->stages[PipelineStage(*pipeline, ResultText(row, 2))];
}

/* Make room for one more of what a stage has several of */
#define MAKE_ROOM(array, count) \
	((array) = (count) == 0 ? palloc0(sizeof(*(array))) : repalloc((array), sizeof(*(array)) * ((count) + 1)), \
	 memset(&(array)[count], 0, sizeof(*(array))), &(array)[(count)++])

/* Read the pipelines with their stages */
static void
LoadStages(Workspace *ws, WorkspaceConfig *config)
{
	int			n = WorkspaceExecute(ws, &read_pipelines, NULL, NULL);

	config->pipelines = palloc0(sizeof(Pipeline) * Max(n, 1));
	config->pipeline_count = n;
	for (int i = 0; i < n; i++)
	{
		Pipeline   *pipeline = &config->pipelines[i];

		pipeline->name = ResultText(i, 1);
		pipeline->for_leads = strcmp(ResultText(i, 2), "lead") == 0;
		pipeline->is_default = ResultBool(i, 3);
		pipeline->is_active = ResultBool(i, 4);
		pipeline->moves_on_first_score = ResultBool(i, 5);
		pipeline->moves_when_sales_ready = ResultBool(i, 6);
		pipeline->moves_on_interaction = ResultBool(i, 7);
		pipeline->moves_on_step = ResultBool(i, 8);
		pipeline->moves_on_timer = ResultBool(i, 9);
		pipeline->entry = pipeline->scored = pipeline->sales_ready = -1;
	}
	SPI_freetuptable(SPI_tuptable);

	n = WorkspaceExecute(ws, &read_stages, NULL, NULL);
	for (int i = 0; i < n; i++)
	{
		Pipeline   *pipeline = ConfigPipeline(config, ResultText(i, 1));
		char	   *kind = ResultText(i, 4);
		char	   *role = ResultText(i, 5);
		int			number = pipeline->stage_count;
		Stage	   *stage = MAKE_ROOM(pipeline->stages, pipeline->stage_count);

		stage->name = ResultText(i, 2);
		stage->sequence = ResultInt(i, 3);
		stage->kind = strcmp(kind, "entry") == 0 ? STAGE_ENTRY : strcmp(kind, "won") == 0 ? STAGE_WON :
			strcmp(kind, "lost") == 0 ? STAGE_LOST : STAGE_OPEN;
		if (stage->kind == STAGE_ENTRY)
			pipeline->entry = number;
		if (role && strcmp(role, "scored") == 0)
			pipeline->scored = number;
		if (role && strcmp(role, "sales_ready") == 0)
			pipeline->sales_ready = number;
		stage->requires_link = ResultBool(i, 6);
		stage->requires_owner = ResultBool(i, 7);
		stage->requires_steps = ResultBool(i, 8);
		stage->moves_when_complete = ResultBool(i, 9);
		stage->team_kind = ResultText(i, 10);
		stage->team_id = ResultInt64(i, 11, NULL);
		stage->task = ResultText(i, 12);
		config->has_stage_tasks |= stage->task != NULL;
	}
	SPI_freetuptable(SPI_tuptable);
}

/* Read which stage may follow which, and what is required for it */
static void
LoadTransitions(Workspace *ws, WorkspaceConfig *config)
{
	int			n = WorkspaceExecute(ws, &read_transitions, NULL, NULL);
	SPITupleTable *result = SPI_tuptable;
	Pipeline   *pipeline;

	for (int i = 0; i < n; i++)
	{
		Stage	   *from;
		StageTransition *transition;
		char	   *kind;

		SPI_tuptable = result;
		from = StageOfRow(config, i, &pipeline);
		transition = MAKE_ROOM(from->next, from->next_count);
		transition->to = PipelineStage(pipeline, ResultText(i, 3));
		kind = ResultText(i, 4);
		while (strcmp(transition_kinds[transition->kind], kind) != 0)
			transition->kind++;
		transition->guard = CompileGuard(config, pipeline, "guard", ResultText(i, 5), ResultText(i, 6));
	}
	SPI_freetuptable(result);

	n = WorkspaceExecute(ws, &read_required, NULL, NULL);
	for (int i = 0; i < n; i++)
	{
		Stage	   *stage = StageOfRow(config, i, &pipeline);
		RequiredField *required = MAKE_ROOM(stage->required, stage->required_count);
		char	   *from = ResultText(i, 5);

		required->field = ResultText(i, 3);
		required->fallback = ResultText(i, 4);
		required->from = from ? PipelineStage(pipeline, from) : -1;
	}
	SPI_freetuptable(SPI_tuptable);
}

/* Read what is done in stages, and what moves leads on from there */
static void
LoadStageWork(Workspace *ws, WorkspaceConfig *config)
{
	int			n = WorkspaceExecute(ws, &read_actions, NULL, NULL);
	SPITupleTable *result;
	Pipeline   *pipeline;

	for (int i = 0; i < n; i++)
	{
		Stage	   *stage = StageOfRow(config, i, &pipeline);

		if (strcmp(ResultText(i, 3), "entry") == 0)
			*MAKE_ROOM(stage->entry_actions, stage->entry_count) = ResultText(i, 4);
		else
			*MAKE_ROOM(stage->exit_actions, stage->exit_count) = ResultText(i, 4);
		config->has_actions = true;
	}
	SPI_freetuptable(SPI_tuptable);

	n = WorkspaceExecute(ws, &read_steps, NULL, NULL);
	result = SPI_tuptable;
	for (int i = 0; i < n; i++)
	{
		Stage	   *stage;
		StageStep  *step;
		char	   *kind;

		SPI_tuptable = result;
		stage = StageOfRow(config, i, &pipeline);
		step = MAKE_ROOM(stage->steps, stage->step_count);
		step->name = ResultText(i, 3);
		step->label = ResultText(i, 4);
		kind = ResultText(i, 5);
		while (strcmp(step_kinds[step->kind], kind) != 0)
			step->kind++;
		step->field = ResultText(i, 6);
		step->function = ResultText(i, 7);
		step->is_required = ResultBool(i, 8);
		step->requires_owner = ResultBool(i, 9);
		step->qualification = ResultText(i, 12);
		step->guard = CompileGuard(config, pipeline, "condition of the step", ResultText(i, 10), ResultText(i, 11));
	}
	SPI_freetuptable(result);

	n = WorkspaceExecute(ws, &read_moves, NULL, NULL);
	result = SPI_tuptable;
	for (int i = 0; i < n; i++)
	{
		Stage	   *stage;
		AutomaticMove *move;

		SPI_tuptable = result;
		stage = StageOfRow(config, i, &pipeline);
		move = MAKE_ROOM(stage->moves, stage->move_count);
		move->to = PipelineStage(pipeline, ResultText(i, 3));
		move->id = ResultInt64(i, 4, NULL);
		move->label = ResultText(i, 5);
		move->interaction_kind = ResultText(i, 6);
		if (move->interaction_kind)
			config->has_interaction_moves = true;
		move->condition = CompileGuard(config, pipeline, "condition of the automatic move", ResultText(i, 7), move->label);
	}
	SPI_freetuptable(result);
}

/* Read the pipelines and what belongs to them */
void
ConfigLoadPipelines(Workspace *ws, WorkspaceConfig *config)
{
	int			n;

	LoadStages(ws, config);
	LoadTransitions(ws, config);
	LoadStageWork(ws, config);

	n = WorkspaceExecute(ws, &read_maps, NULL, NULL);
	config->maps = palloc0(sizeof(StageMap) * Max(n, 1));
	config->map_count = n;
	for (int i = 0; i < n; i++)
		config->maps[i] = (StageMap) {
		ResultText(i, 1), ResultText(i, 2), ResultText(i, 3), ResultText(i, 4)
	};
	SPI_freetuptable(SPI_tuptable);

	n = WorkspaceExecute(ws, &read_reasons, NULL, NULL);
	config->reasons = palloc0(sizeof(ClosingReason) * Max(n, 1));
	config->reason_count = n;
	for (int i = 0; i < n; i++)
		config->reasons[i] = (ClosingReason) {
		strcmp(ResultText(i, 1), "lead") == 0, ResultText(i, 2)
	};
	SPI_freetuptable(SPI_tuptable);
}
