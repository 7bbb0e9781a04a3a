/*
 * What follows a score, an interaction, a step or the time: stages taken
 * automatically, the sales-ready mark and the assignment to a team and an
 * agent, for a chunk of leads at once.
 *
 * One cause may take a lead through several stages: with its first score to
 * the one for that, and on to the next if its steps are complete already.  It
 * visits none twice; a move that would is not made, and is reported.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pipeline/pipeline.h"
#include "predicate/attempt.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

static const PlanSource settle_leads = {
	"UPDATE @workspace@.lead l SET stage = n.to_stage,"
	" stage_entered_at = CASE WHEN n.to_stage <> n.from_stage "
	" THEN GREATEST(n.at, l.stage_entered_at) ELSE l.stage_entered_at END,"
	" qualification = CASE WHEN n.closing_reason IS NOT NULL THEN 'disqualified'"
	" WHEN n.ready_model IS NOT NULL THEN 'sales_ready'"
	" WHEN n.loses_ready AND l.qualification = 'sales_ready' THEN 'marketing_qualified'"
	" WHEN l.qualification = 'unqualified' AND n.to_stage <> n.from_stage AND n.marketing THEN 'marketing_qualified'"
	" ELSE l.qualification END,"
	" sales_ready_at = CASE WHEN n.ready_model IS NOT NULL THEN COALESCE(l.sales_ready_at, n.at)"
	" WHEN NOT n.loses_ready THEN l.sales_ready_at END,"
	" sales_ready_model = CASE WHEN NOT n.loses_ready THEN COALESCE(l.sales_ready_model, n.ready_model) END,"
	" team_id = COALESCE(l.team_id, n.team_id), agent_id = COALESCE(l.agent_id, n.agent_id),"
	" status = CASE WHEN n.closing_reason IS NOT NULL THEN 'disqualified' ELSE l.status END,"
	" disqualified_reason = COALESCE(n.closing_reason, l.disqualified_reason),"
	" stage_reason = CASE WHEN n.to_stage = n.from_stage THEN l.stage_reason END,"
	" updated_at = pg_catalog.now()"
	" FROM @rows $1: lead_id, from_stage, to_stage, ready_model, loses_ready, marketing, team_id, agent_id,"
	" at, closing_reason@ AS n"
	" WHERE l.lead_id = n.lead_id AND l.stage = n.from_stage AND l.status = 'open'"
	" RETURNING l.lead_id, l.stage_entered_at",
	10, {ARG_INT8S, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_BOOLS, ARG_BOOLS, ARG_INT8S, ARG_INT8S,
		ARG_TIMESTAMPTZS, ARG_TEXTS}
};

static const PlanSource record_assignments = {
	"INSERT INTO @workspace@.assignment (lead_id, team_id, agent_id, assigned_by, reason, assigned_at)"
	" SELECT n.lead_id, n.team_id, n.agent_id, n.assigned_by::pg_catalog.name, n.reason::pg_catalog.jsonb,"
	" n.assigned_at"
	" FROM @rows $1: lead_id, team_id, agent_id, assigned_by, reason, assigned_at@ AS n",
	6, {ARG_INT8S, ARG_INT8S, ARG_INT8S, ARG_TEXTS, ARG_TEXTS, ARG_TIMESTAMPTZS}
};

static const PlanSource record_failures = {
	"INSERT INTO @workspace@.failed_move (lead_id, pipeline, from_stage, to_stage, rule, rule_label, message)"
	" SELECT n.lead_id, n.pipeline, n.from_stage, n.to_stage, n.rule, n.rule_label, n.message"
	" FROM @rows $1: lead_id, pipeline, from_stage, to_stage, rule, rule_label, message@ AS n",
	7, {ARG_INT8S, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS}
};

static const PlanSource lock_open_leads = {
	"SELECT l.lead_id FROM @workspace@.lead l WHERE l.lead_id = ANY ($1) AND l.status = 'open'"
	" ORDER BY l.lead_id FOR NO KEY UPDATE",
	1, {ARG_INT8S}
};

/* Leads scored again at a time */
#define SCORE_AGAIN_CHUNK 2000

/* A stage that a lead takes by itself */
typedef struct Hop
{
	int			to;
	const char *rule;
	const char *label;			/* or NULL */
	char	   *fallbacks;
} Hop;

/* What was decided for a lead */
typedef struct Decision
{
	ScoredLead *lead;
	Pipeline   *pipeline;
	int			from;
	int			hop_count;
	Hop		   *hops;
	bool		has_first;		/* takes the stage of the first score */
	bool		marks_ready;
	bool		loses_ready;
	Hop		   *failed;			/* a move that could not be made, or NULL */
	char	   *failure;		/* why */
	RoutingRule *route;
	int64		agent_id;
	TimestampTz at;
	TimestampTz created_at;
	bool		done;
} Decision;

/* What is known about a chunk of leads when their stages are decided on */
typedef struct Causes
{
	ScoreEvent **events;		/* by lead */
	int			event_count;
	CompletedSteps *completed;
} Causes;

/* Get a text column of a profile, NULL when it is null */
static char *
ProfileText(const WorkspaceConfig *config, HeapTuple profile, int column)
{
	bool		isnull;
	Datum		value = heap_getattr(profile, column, config->profile, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/* Is a lead below every threshold, and marked by a model that takes its mark back then? */
static bool
LosesReady(const WorkspaceConfig *config, const ScoredLead *lead)
{
	char	   *name;
	ScoringModel *model;

	if (lead->ready_by)
		return false;
	name = ProfileText(config, lead->profile, SPI_fnumber(config->profile, "sales_ready_model"));
	model = name ? ScoreFindModel(config, name) : NULL;
	return model && model->is_active && !model->keeps_ready;
}

/* Where does a lead stand after the moves decided on so far? */
static int
Current(const Decision *decision)
{
	return decision->hop_count > 0 ? decision->hops[decision->hop_count - 1].to : decision->from;
}

/* Was the lead in a stage before, as far as the moves decided on go? */
static bool
Visited(const Decision *decision, int stage)
{
	bool		visited = stage == decision->from;

	for (int i = 0; i < decision->hop_count; i++)
		visited |= decision->hops[i].to == stage;
	return visited;
}

/* Write out the way of a lead that came back to where it was */
static char *
Circle(const Decision *decision, int to)
{
	const Stage *stages = decision->pipeline->stages;
	StringInfoData way;

	initStringInfo(&way);
	appendStringInfo(&way, "automatic moves go round in a circle: %s", stages[decision->from].name);
	for (int i = 0; i < decision->hop_count; i++)
		appendStringInfo(&way, " > %s", stages[decision->hops[i].to].name);
	appendStringInfo(&way, " > %s", stages[to].name);
	return way.data;
}

/* Add a move if nothing stands in its way; one that leads back is noted as failed */
static bool
AddHop(WorkspaceConfig *config, Decision *decision, int to, const char *rule, const char *label)
{
	Pipeline   *pipeline = decision->pipeline;
	int			from = Current(decision);
	char	   *fallbacks;
	int			sqlerrcode;
	Hop		   *hop;

	if (PipelineTransition(pipeline, from, to) == NULL ||
		PipelineObstacle(pipeline, from, to, config->profile, decision->lead->profile, &fallbacks, &sqlerrcode))
		return false;
	if (decision->hops == NULL)
		decision->hops = palloc(sizeof(Hop) * (pipeline->stage_count + 1));
	hop = &decision->hops[decision->hop_count];
	*hop = (Hop) {
		to, rule, label, fallbacks
	};
	if (Visited(decision, to))
	{
		decision->failed = hop;
		decision->failure = Circle(decision, to);
		return false;
	}
	decision->hop_count++;
	return true;
}

/* Is there an interaction of a kind among those that a lead had just now? */
static bool
HadInteraction(const Causes *causes, int64 lead_id, const char *kind)
{
	int			count;
	ScoreEvent **events = ScoreEventsOf(causes->events, causes->event_count, false, lead_id, &count);

	for (int i = 0; i < count; i++)
		if (strcmp(events[i]->kind, kind) == 0)
			return true;
	return false;
}

/* Take the first automatic move that is caused by an interaction, or by the time */
static bool
AddAutomaticMove(WorkspaceConfig *config, Decision *decision, const LeadSettlement *settlement, const Causes *causes)
{
	const Stage *stage = &decision->pipeline->stages[Current(decision)];

	for (int i = 0; i < stage->move_count; i++)
	{
		const AutomaticMove *move = &stage->moves[i];
		bool		is_due = move->interaction_kind == NULL ? move == settlement->timer :
			decision->pipeline->moves_on_interaction && causes->events &&
			HadInteraction(causes, decision->lead->lead_id, move->interaction_kind);

		if (is_due && GuardObstacle(move->condition, decision->lead->profile) == NULL &&
			AddHop(config, decision, move->to, move->interaction_kind ? MOVE_INTERACTION : MOVE_TIMER, move->label))
			return true;
		if (decision->failed)
			return false;
	}
	return false;
}

/* Go on to the next stage if the required steps of the present one are complete */
static bool
AddNextStage(WorkspaceConfig *config, Decision *decision, const Causes *causes)
{
	const Stage *stage = &decision->pipeline->stages[Current(decision)];
	const char *last = NULL;

	if (!decision->pipeline->moves_on_step || !stage->moves_when_complete)
		return false;
	for (int i = 0; i < stage->step_count; i++)
		if (stage->steps[i].is_required)
			last = stage->steps[i].name;
	if (last == NULL || StepsMissing(stage, config->profile, decision->lead->profile,
									 decision->hop_count == 0 ? causes->completed : NULL, decision->lead->lead_id))
		return false;
	for (int i = 0; i < stage->next_count; i++)
		if (stage->next[i].kind == TRANSITION_NEXT)
			return AddHop(config, decision, stage->next[i].to, MOVE_STEP, last);
	return false;
}

/* Decide the stages that a lead takes by itself */
static void
DecideStage(WorkspaceConfig *config, Decision *decision, const LeadSettlement *settlement, const Causes *causes)
{
	ScoredLead *lead = decision->lead;
	Pipeline   *pipeline = decision->pipeline;
	int			target = pipeline->sales_ready;
	bool		is_ready = !heap_attisnull(lead->profile, SPI_fnumber(config->profile, "sales_ready_at"), config->profile);
	bool		moved;

	if (lead->is_scored)
	{
		decision->marks_ready = lead->ready_by != NULL && !is_ready;
		decision->loses_ready = LosesReady(config, lead);
	}
	if (!settlement->moves_stage || !pipeline->is_active)
		return;
	if (lead->is_scored)
	{
		if (decision->from == pipeline->entry && config->active_count > 0 && pipeline->moves_on_first_score &&
			pipeline->scored >= 0)
			decision->has_first = AddHop(config, decision, pipeline->scored, MOVE_FIRST_SCORE, NULL);
		if ((decision->marks_ready || (is_ready && decision->has_first)) && pipeline->moves_when_sales_ready &&
			target >= 0 && pipeline->stages[Current(decision)].sequence < pipeline->stages[target].sequence)
			AddHop(config, decision, target, MOVE_SALES_READY, NULL);
	}
	do
	{
		moved = AddAutomaticMove(config, decision, settlement, causes) ||
			(decision->failed == NULL && AddNextStage(config, decision, causes));
	} while (moved && pipeline->stages[Current(decision)].kind < STAGE_WON);
}

/*
 * Decide who gets the new leads: the first routing rule that holds names the
 * team, and within it leads go round by their id.  That needs no counter that
 * sessions would have to take turns on, and the same lead always goes to the
 * same agent.
 */
static void
DecideRoutes(WorkspaceConfig *config, Decision *decisions, LeadSettlement *leads, int n)
{
	HeapTuple  *profiles = palloc(sizeof(HeapTuple) * Max(n, 1));
	Decision  **open = palloc(sizeof(Decision *) * Max(n, 1));
	PredicateResult *results = palloc(sizeof(PredicateResult) * Max(n, 1));
	char	  **messages = palloc0(sizeof(char *) * Max(n, 1));
	int			owner_column = SPI_fnumber(config->profile, "agent_id");

	for (int r = 0; r < config->routing_count; r++)
	{
		RoutingRule *rule = &config->routing[r];
		int			count = 0;

		for (int i = 0; i < n; i++)
			if (decisions[i].lead->profile && leads[i].assigns && decisions[i].route == NULL &&
				heap_attisnull(decisions[i].lead->profile, owner_column, config->profile))
			{
				profiles[count] = decisions[i].lead->profile;
				open[count++] = &decisions[i];
			}
		if (count == 0)
			return;
		PredicateEvalMany(rule->condition, profiles, count, results, messages, CurrentMemoryContext);
		for (int i = 0; i < count; i++)
			if (results[i] == PREDICATE_TRUE)
			{
				open[i]->route = rule;
				if (rule->agent_count > 0)
					open[i]->agent_id = rule->agents[open[i]->lead->lead_id % rule->agent_count];
			}
	}
}

/* Record the assignments that were made */
static void
RecordAssignments(Workspace *ws, Decision *decisions, int n)
{
	Batch	   *batch = BatchCreate(record_assignments.args, record_assignments.nargs, n);
	char	   *user = GetUserNameFromId(GetOuterUserId(), false);

	for (int i = 0; i < n; i++)
	{
		StringInfoData reason;

		if (decisions[i].route == NULL || !decisions[i].done)
			continue;
		initStringInfo(&reason);
		appendStringInfo(&reason, "{\"routing_rule_id\": " INT64_FORMAT ", \"rule\": ", decisions[i].route->id);
		escape_json(&reason, decisions[i].route->label);
		appendStringInfoChar(&reason, '}');
		BatchSet(batch, 0, Int64GetDatum(decisions[i].lead->lead_id));
		BatchSet(batch, 1, Int64GetDatum(decisions[i].route->team_id));
		if (decisions[i].agent_id != 0)
			BatchSet(batch, 2, Int64GetDatum(decisions[i].agent_id));
		BatchSetText(batch, 3, user);
		BatchSetText(batch, 4, reason.data);
		BatchSet(batch, 5, TimestampTzGetDatum(decisions[i].created_at));
		BatchNext(batch);
	}
	if (batch->rows > 0)
		BatchExecute(ws, &record_assignments, batch);
}

/* Order decisions by lead */
static int
CompareDecisions(const void *a, const void *b)
{
	int64		left = ((const Decision *) a)->lead->lead_id;
	int64		right = ((const Decision *) b)->lead->lead_id;

	return left < right ? -1 : left > right;
}

/* Record moves that were due and are not made */
static void
RecordFailures(Workspace *ws, Decision *decisions, int n)
{
	Batch	   *batch = NULL;

	for (int i = 0; i < n; i++)
	{
		Decision   *decision = &decisions[i];

		if (decision->failed == NULL)
			continue;
		if (batch == NULL)
			batch = BatchCreate(record_failures.args, record_failures.nargs, n);
		BatchSet(batch, 0, Int64GetDatum(decision->lead->lead_id));
		BatchSetText(batch, 1, decision->pipeline->name);
		BatchSetText(batch, 2, decision->pipeline->stages[Current(decision)].name);
		BatchSetText(batch, 3, decision->pipeline->stages[decision->failed->to].name);
		BatchSetText(batch, 4, decision->failed->rule);
		BatchSetText(batch, 5, decision->failed->label);
		BatchSetText(batch, 6, decision->failure);
		BatchNext(batch);
	}
	if (batch)
		BatchExecute(ws, &record_failures, batch);
}

/* Does a decision change anything about the lead? */
static bool
ChangesLead(const Decision *decision)
{
	return decision->pipeline != NULL && decision->from >= 0 &&
		(decision->hop_count > 0 || decision->marks_ready || decision->loses_ready || decision->route != NULL);
}

/* Do any of the moves decided on run functions? */
static bool
RunsActions(const Decision *decision)
{
	int			from = decision->from;

	for (int i = 0; i < decision->hop_count; i++)
	{
		if (PipelineHasActions(decision->pipeline, from, decision->hops[i].to))
			return true;
		from = decision->hops[i].to;
	}
	return false;
}

/* Carry out what was decided, of those decisions that are wanted; returns the moves made */
static StageMove *
Carry(Workspace *ws, WorkspaceConfig *config, Decision *decisions, int n, int *move_count)
{
	Batch	   *batch = BatchCreate(settle_leads.args, settle_leads.nargs, n);
	StageMove  *moves;
	int			capacity = 0;
	int			settled;

	*move_count = 0;
	for (int i = 0; i < n; i++)
	{
		Decision   *decision = &decisions[i];
		const Stage *to;

		if (!ChangesLead(decision) || decision->done)
			continue;
		to = &decision->pipeline->stages[Current(decision)];
		capacity += decision->hop_count;
		BatchSet(batch, 0, Int64GetDatum(decision->lead->lead_id));
		BatchSetText(batch, 1, decision->pipeline->stages[decision->from].name);
		BatchSetText(batch, 2, to->name);
		BatchSetText(batch, 3, decision->marks_ready ? decision->lead->ready_by->name : NULL);
		BatchSet(batch, 4, BoolGetDatum(decision->loses_ready));
		BatchSet(batch, 5, BoolGetDatum(decision->has_first));
		if (decision->route)
			BatchSet(batch, 6, Int64GetDatum(decision->route->team_id));
		if (decision->agent_id != 0)
			BatchSet(batch, 7, Int64GetDatum(decision->agent_id));
		BatchSet(batch, 8, TimestampTzGetDatum(decision->at));
		if (to->kind == STAGE_LOST && decision->hop_count > 0)
			BatchSetText(batch, 9, decision->hops[decision->hop_count - 1].label);
		BatchNext(batch);
	}
	if (batch->rows == 0)
		return NULL;

	settled = BatchExecute(ws, &settle_leads, batch);
	moves = palloc0(sizeof(StageMove) * Max(capacity, 1));
	for (int i = 0; i < settled; i++)
	{
		ScoredLead	key = {.lead_id = ResultInt64(i, 1, NULL)};
		Decision	wanted = {.lead = &key};
		Decision   *decision = bsearch(&wanted, decisions, n, sizeof(Decision), CompareDecisions);
		const Stage *stages = decision->pipeline->stages;
		TimestampTz at = ResultTimestamp(i, 2);
		int			from = decision->from;

		decision->done = true;
		for (int h = 0; h < decision->hop_count; h++)
		{
			const Hop  *hop = &decision->hops[h];

			moves[(*move_count)++] = (StageMove) {
				.lead_id = key.lead_id,.pipeline = decision->pipeline->name,
				.from_stage = stages[from].name,.to_stage = stages[hop->to].name,.at = at,.rule = hop->rule,
				.rule_label = hop->label,.fallbacks = hop->fallbacks
			};
			from = hop->to;
		}
	}
	SPI_freetuptable(SPI_tuptable);
	PipelineMoved(ws, config, moves, *move_count);
	return moves;
}

/* A decision that is carried out with the functions that its moves run */
typedef struct ActedDecision
{
	Workspace  *ws;
	WorkspaceConfig *config;
	Decision   *decision;
} ActedDecision;

/* Carry a decision out and run the functions of its moves */
static void
CarryAndAct(void *arg)
{
	ActedDecision *acted = arg;
	int			count;
	StageMove  *moves = Carry(acted->ws, acted->config, acted->decision, 1, &count);

	PipelineAct(acted->ws, acted->config, moves, count);
}

/*
 * Carry a decision out whose moves run functions.  When one fails, the moves
 * fail with it, and with them alone: what caused them stands.
 */
static void
CarryWithActions(Workspace *ws, WorkspaceConfig *config, Decision *decision)
{
	ActedDecision acted = {ws, config, decision};
	ErrorData  *error = Attempt(CarryAndAct, &acted);

	if (error == NULL)
		return;
	if (!PredicateErrorIsLocal(error->sqlerrcode))
		ReThrowError(error);
	decision->failed = &decision->hops[decision->hop_count - 1];
	decision->failure = error->message;
	decision->hop_count = 0;
	decision->has_first = decision->done = false;
}

/*
 * Move, mark and assign leads, whose settlements are sorted by lead; the
 * events are the interactions that brought them here, if any did
 */
void
PipelineSettle(Workspace *ws, WorkspaceConfig *config, LeadSettlement *leads, int n,
			   const ScoreEvent *events, int event_count)
{
	Decision   *decisions = palloc0(sizeof(Decision) * Max(n, 1));
	Causes		causes = {0};
	int64	   *in_steps = NULL;
	int			in_steps_count = 0;
	bool		changes = false;
	int			count;

	if (config->has_interaction_moves && event_count > 0)
	{
		causes.events = ScoreSortEvents((ScoreEvent *) events, event_count, false);
		causes.event_count = event_count;
	}
	for (int i = 0; i < n; i++)
	{
		Decision   *decision = &decisions[i];
		char	   *name;

		decision->lead = leads[i].lead;
		decision->at = leads[i].at;
		decision->created_at = leads[i].created_at != 0 ? leads[i].created_at : leads[i].at;
		decision->from = -1;
		if (decision->lead->profile == NULL)
			continue;
		name = ProfileText(config, decision->lead->profile, PROFILE_PIPELINE);
		decision->pipeline = ConfigPipeline(config, name);
		if (decision->pipeline == NULL)
			continue;
		decision->from = PipelineStage(decision->pipeline, ProfileText(config, decision->lead->profile, PROFILE_STAGE));
		if (decision->from >= 0 && decision->pipeline->stages[decision->from].moves_when_complete)
		{
			if (in_steps == NULL)
				in_steps = palloc(sizeof(int64) * n);
			in_steps[in_steps_count++] = decision->lead->lead_id;
		}
	}
	if (in_steps_count > 0)
		causes.completed = StepsLoad(ws, in_steps, NULL, NULL, in_steps_count);
	for (int i = 0; i < n; i++)
		if (decisions[i].from >= 0)
			DecideStage(config, &decisions[i], &leads[i], &causes);
	DecideRoutes(config, decisions, leads, n);
	for (int i = 0; i < n; i++)
		changes |= ChangesLead(&decisions[i]) || decisions[i].failed != NULL;
	if (!changes)
		return;

	if (config->has_actions)
		for (int i = 0; i < n; i++)
			if (ChangesLead(&decisions[i]) && RunsActions(&decisions[i]))
				CarryWithActions(ws, config, &decisions[i]);
	(void) Carry(ws, config, decisions, n, &count);
	RecordAssignments(ws, decisions, n);
	RecordFailures(ws, decisions, n);
}

/* Score leads and settle what follows now */
static void
ScoreAndSettle(Workspace *ws, WorkspaceConfig *config, ScoredLead *leads, int n,
			   ScoreEvent *events, int event_count, bool assigns)
{
	LeadSettlement *settlements = palloc0(sizeof(LeadSettlement) * n);

	for (int i = 0; i < n; i++)
	{
		leads[i].is_wanted = true;
		settlements[i].lead = &leads[i];
		settlements[i].moves_stage = true;
		settlements[i].assigns = assigns;
		settlements[i].at = GetCurrentTransactionStartTimestamp();
	}
	ScoreLeads(ws, config, leads, n, events, event_count);
	PipelineSettle(ws, config, settlements, n, events, event_count);
}

/* Take leads given by sorted, distinct ids on from the stages they are in, if something lets them go on */
void
PipelineContinue(Workspace *ws, WorkspaceConfig *config, int64 *lead_ids, int n)
{
	ScoredLead *leads = ScoreLoad(ws, config, lead_ids, n);
	LeadSettlement *settlements = palloc0(sizeof(LeadSettlement) * n);

	for (int i = 0; i < n; i++)
		settlements[i] = (LeadSettlement) {
		.lead = &leads[i],.moves_stage = true,.at = GetCurrentTransactionStartTimestamp()
	};
	PipelineSettle(ws, config, settlements, n, NULL, 0);
}

/* Score leads given by sorted, distinct ids for what they are now, and settle what follows */
void
PipelineScore(Workspace *ws, WorkspaceConfig *config, int64 *lead_ids, int n, bool assigns)
{
	if (n > 0)
		ScoreAndSettle(ws, config, ScoreLoad(ws, config, lead_ids, n), n, NULL, 0, assigns);
}

/* Score leads given by sorted, distinct ids from all their interactions, and settle what follows */
void
PipelineScoreOver(Workspace *ws, WorkspaceConfig *config, int64 *lead_ids, int n)
{
	ScoredLead *leads;

	if (n == 0)
		return;
	leads = ScoreLoad(ws, config, lead_ids, n);
	for (int i = 0; i < n; i++)
		leads[i].starts_over = true;
	ScoreAndSettle(ws, config, leads, n, NULL, 0, false);
}

/*
 * Count new interactions for the leads they concern, given by sorted, distinct
 * ids, and settle what follows.  A lead that is scored from all its
 * interactions counts those that the caller has still to come to as well:
 * restarted holds such leads, which are scored so again, or is NULL where no
 * more are to come.
 */
void
PipelineCount(Workspace *ws, WorkspaceConfig *config, int64 *lead_ids, int n,
			  ScoreEvent *events, int event_count, HTAB *restarted)
{
	ScoredLead *leads;

	n = ScoreWithAccounts(ws, config, events, event_count, &lead_ids, n);
	if (n == 0)
		return;
	leads = ScoreLoad(ws, config, lead_ids, n);
	for (int i = 0; i < n; i++)
		leads[i].starts_over = restarted && hash_search(restarted, &leads[i].lead_id, HASH_FIND, NULL) != NULL;
	ScoreAndSettle(ws, config, leads, n, events, event_count, false);
	for (int i = 0; restarted && i < n; i++)
		if (leads[i].starts_over)
			hash_search(restarted, &leads[i].lead_id, HASH_ENTER, NULL);
}

/* Score those of some leads again that are open, a chunk at a time */
static void
ScoreOpenLeads(Workspace *ws, void *arg)
{
	MemoryContext chunk = AllocSetContextCreate(CurrentMemoryContext, "lead_mgmt scoring", ALLOCSET_DEFAULT_SIZES);
	Datum	   *ids;
	bool	   *nulls;
	int			n;

	deconstruct_array(arg, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &ids, &nulls, &n);
	for (int from = 0; from < n; from += SCORE_AGAIN_CHUNK)
	{
		MemoryContext old = MemoryContextSwitchTo(chunk);
		Batch	   *batch = BatchCreate(lock_open_leads.args, 1, SCORE_AGAIN_CHUNK);
		int64	   *open;
		int			count;

		CHECK_FOR_INTERRUPTS();
		for (int i = from; i < Min(n, from + SCORE_AGAIN_CHUNK); i++)
			if (!nulls[i])
			{
				BatchSet(batch, 0, ids[i]);
				BatchNext(batch);
			}
		count = BatchExecute(ws, &lock_open_leads, batch);
		open = palloc(sizeof(int64) * Max(count, 1));
		for (int i = 0; i < count; i++)
			open[i] = ResultInt64(i, 1, NULL);
		SPI_freetuptable(SPI_tuptable);
		PipelineScore(ws, WorkspaceGetConfig(ws), open, count, false);
		MemoryContextSwitchTo(old);
		MemoryContextReset(chunk);
	}
}

PG_FUNCTION_INFO_V1(score_leads);
/* Score open leads again for what they are now, and settle what follows */
Datum
score_leads(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	ArrayType  *ids = PG_GETARG_ARRAYTYPE_P(1);
	Workspace  *ws = WorkspaceOfNamespace(get_rel_namespace(relid));

	if (pg_class_aclcheck(relid, GetUserId(), ACL_UPDATE) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(relid));
	if (relid != WorkspaceRelation(ws, "score"))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not the score table of a workspace", get_rel_name(relid))));
	SPI_connect();
	WorkspaceRun(ws, ScoreOpenLeads, ids);
	SPI_finish();
	PG_RETURN_VOID();
}
