/*
 * What follows a score: stages taken automatically, the sales-ready mark and
 * the assignment to a team and an agent, for a chunk of leads at once.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "events/events.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pipeline/pipeline.h"
#include "utils/builtins.h"
#include "utils/json.h"

static const PlanSource record_moves = {
	"INSERT INTO @workspace@.stage_move (lead_id, opportunity_id, pipeline, from_stage, to_stage, moved_at, moved_by,"
	" rule, reason, fallback_fields)"
	" SELECT n.lead_id, n.opportunity_id, n.pipeline, n.from_stage, n.to_stage, n.moved_at,"
	" n.moved_by::pg_catalog.name, n.rule, n.reason, pg_catalog.string_to_array(n.fallbacks, ',')"
	" FROM @rows $1: lead_id, opportunity_id, pipeline, from_stage, to_stage, rule, fallbacks, moved_by, reason,"
	" moved_at@ AS n",
	10, {ARG_INT8S, ARG_INT8S, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS,
		ARG_TIMESTAMPTZS}
};

static const PlanSource settle_leads = {
	"UPDATE @workspace@.lead l SET stage = n.to_stage,"
	" stage_entered_at = CASE WHEN n.to_stage <> n.from_stage "
	" THEN GREATEST(n.at, l.stage_entered_at) ELSE l.stage_entered_at END,"
	" qualification = CASE WHEN n.ready_model IS NOT NULL THEN 'sales_ready'"
	" WHEN n.loses_ready AND l.qualification = 'sales_ready' THEN 'marketing_qualified'"
	" WHEN l.qualification = 'unqualified' AND n.to_stage <> n.from_stage AND n.marketing THEN 'marketing_qualified'"
	" ELSE l.qualification END,"
	" sales_ready_at = CASE WHEN n.ready_model IS NOT NULL THEN COALESCE(l.sales_ready_at, n.at)"
	" WHEN NOT n.loses_ready THEN l.sales_ready_at END,"
	" sales_ready_model = CASE WHEN NOT n.loses_ready THEN COALESCE(l.sales_ready_model, n.ready_model) END,"
	" team_id = COALESCE(l.team_id, n.team_id), agent_id = COALESCE(l.agent_id, n.agent_id),"
	" updated_at = pg_catalog.now()"
	" FROM @rows $1: lead_id, from_stage, to_stage, ready_model, loses_ready, marketing, team_id, agent_id,"
	" at@ AS n"
	" WHERE l.lead_id = n.lead_id AND l.stage = n.from_stage AND l.status = 'open'"
	" RETURNING l.lead_id, l.stage_entered_at",
	9, {ARG_INT8S, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_BOOLS, ARG_BOOLS, ARG_INT8S, ARG_INT8S,
		ARG_TIMESTAMPTZS}
};

static const PlanSource record_assignments = {
	"INSERT INTO @workspace@.assignment (lead_id, team_id, agent_id, assigned_by, reason, assigned_at)"
	" SELECT n.lead_id, n.team_id, n.agent_id, n.assigned_by::pg_catalog.name, n.reason::pg_catalog.jsonb,"
	" n.assigned_at"
	" FROM @rows $1: lead_id, team_id, agent_id, assigned_by, reason, assigned_at@ AS n",
	6, {ARG_INT8S, ARG_INT8S, ARG_INT8S, ARG_TEXTS, ARG_TEXTS, ARG_TIMESTAMPTZS}
};

/* What was decided for a lead */
typedef struct Decision
{
	ScoredLead *lead;
	Pipeline   *pipeline;
	int			from;
	int			first;			/* stage of the first score on the way, or -1 */
	int			to;
	bool		marks_ready;
	bool		loses_ready;
	char	   *fallbacks;
	RoutingRule *route;
	int64		agent_id;
	TimestampTz at;
	TimestampTz created_at;
	bool		done;
} Decision;

/* Get a text column of a profile, NULL when it is null */
static char *
ProfileText(const WorkspaceConfig *config, HeapTuple profile, int column)
{
	bool		isnull;
	Datum		value = heap_getattr(profile, column, config->profile, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/* Record moves into stages */
void
PipelineRecord(Workspace *ws, const StageMove *moves, int n)
{
	Batch	   *batch;
	char	   *user;

	if (n == 0)
		return;
	batch = BatchCreate(record_moves.args, record_moves.nargs, n);
	user = GetUserNameFromId(GetOuterUserId(), false);
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
		BatchNext(batch);
	}
	BatchExecute(ws, &record_moves, batch);
	EventsRaise(ws, moves, n, user);
}

/* Does a lead of this pipeline move on when it first gets a score? */
bool
PipelineFirstScoreStage(const WorkspaceConfig *config, const Pipeline *pipeline)
{
	return config->active_count > 0 && pipeline->moves_on_first_score && pipeline->entry >= 0 &&
		pipeline->scored >= 0 && PipelineAllows(pipeline, pipeline->entry, pipeline->scored) &&
		pipeline->stages[pipeline->scored].required_count == 0;
}

/* List the stages that may follow, for hints */
char *
PipelineNextStages(const Pipeline *pipeline, int from)
{
	StringInfoData list;
	const Stage *stage = &pipeline->stages[from];

	initStringInfo(&list);
	for (int s = 0; s < pipeline->stage_count; s++)
		for (int i = 0; i < stage->next_count; i++)
			if (stage->next[i] == s)
				appendStringInfo(&list, "%s%s", list.len ? ", " : "", pipeline->stages[s].name);
	return list.len ? list.data : "none";
}

/* Is a field of a row filled? */
static bool
IsFilled(TupleDesc desc, HeapTuple row, const char *field)
{
	int			column = SPI_fnumber(desc, field);
	char	   *text;

	if (column <= 0)
		return false;
	text = SPI_getvalue(row, desc, column);
	return text != NULL && text[0] != '\0';
}

/*
 * List the fields a stage requires that a profile row lacks, NULL when none is
 * missing, and the fields whose fallback stands in for them.
 */
char *
PipelineMissing(const Stage *stage, TupleDesc desc, HeapTuple row, char **fallbacks)
{
	StringInfoData missing;
	StringInfoData used;

	*fallbacks = NULL;
	if (stage->required_count == 0)
		return NULL;
	initStringInfo(&missing);
	initStringInfo(&used);
	for (int i = 0; i < stage->required_count; i++)
	{
		const RequiredField *required = &stage->required[i];

		if (IsFilled(desc, row, required->field))
			continue;
		if (required->fallback && IsFilled(desc, row, required->fallback))
			appendStringInfo(&used, "%s%s", used.len ? "," : "", required->field);
		else if (required->fallback)
			appendStringInfo(&missing, "%s%s (or %s)", missing.len ? ", " : "", required->field, required->fallback);
		else
			appendStringInfo(&missing, "%s%s", missing.len ? ", " : "", required->field);
	}
	if (used.len)
		*fallbacks = used.data;
	return missing.len ? missing.data : NULL;
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

/* Decide the stages that a lead takes by itself */
static void
DecideStage(WorkspaceConfig *config, Decision *decision, bool moves_stage)
{
	ScoredLead *lead = decision->lead;
	Pipeline   *pipeline = decision->pipeline;
	int			target = pipeline->sales_ready;

	if (!lead->is_scored)
		return;
	decision->marks_ready = lead->ready_by != NULL &&
		heap_attisnull(lead->profile, SPI_fnumber(config->profile, "sales_ready_at"), config->profile);
	decision->loses_ready = LosesReady(config, lead);
	if (!moves_stage)
		return;
	if (decision->to == pipeline->entry && PipelineFirstScoreStage(config, pipeline))
		decision->to = decision->first = pipeline->scored;
	if (decision->marks_ready && pipeline->moves_when_sales_ready && target >= 0 &&
		pipeline->stages[decision->to].sequence < pipeline->stages[target].sequence &&
		PipelineAllows(pipeline, decision->to, target))
	{
		char	   *fallbacks;

		if (PipelineMissing(&pipeline->stages[target], config->profile, lead->profile, &fallbacks) == NULL)
		{
			decision->to = target;
			decision->fallbacks = fallbacks;
		}
	}
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

/* Move, mark and assign leads, whose settlements are sorted by lead */
void
PipelineSettle(Workspace *ws, WorkspaceConfig *config, LeadSettlement *leads, int n)
{
	Decision   *decisions = palloc0(sizeof(Decision) * Max(n, 1));
	Batch	   *batch = BatchCreate(settle_leads.args, settle_leads.nargs, n);
	StageMove  *moves = palloc0(sizeof(StageMove) * Max(n * 2, 1));
	int			move_count = 0;
	int			settled;

	for (int i = 0; i < n; i++)
	{
		Decision   *decision = &decisions[i];
		char	   *name;

		decision->lead = leads[i].lead;
		decision->first = -1;
		decision->at = leads[i].at;
		decision->created_at = leads[i].created_at != 0 ? leads[i].created_at : leads[i].at;
		if (decision->lead->profile == NULL)
			continue;
		name = ProfileText(config, decision->lead->profile, PROFILE_PIPELINE);
		decision->pipeline = ConfigPipeline(config, name);
		decision->from = decision->to = decision->pipeline ?
			PipelineStage(decision->pipeline, ProfileText(config, decision->lead->profile, PROFILE_STAGE)) : -1;
		if (decision->from >= 0)
			DecideStage(config, decision, leads[i].moves_stage);
	}
	DecideRoutes(config, decisions, leads, n);

	for (int i = 0; i < n; i++)
	{
		Decision   *decision = &decisions[i];

		if (decision->pipeline == NULL || decision->from < 0 ||
			(decision->from == decision->to && !decision->marks_ready && !decision->loses_ready &&
			 decision->route == NULL))
			continue;
		BatchSet(batch, 0, Int64GetDatum(decision->lead->lead_id));
		BatchSetText(batch, 1, decision->pipeline->stages[decision->from].name);
		BatchSetText(batch, 2, decision->pipeline->stages[decision->to].name);
		BatchSetText(batch, 3, decision->marks_ready ? decision->lead->ready_by->name : NULL);
		BatchSet(batch, 4, BoolGetDatum(decision->loses_ready));
		BatchSet(batch, 5, BoolGetDatum(decision->first >= 0));
		if (decision->route)
			BatchSet(batch, 6, Int64GetDatum(decision->route->team_id));
		if (decision->agent_id != 0)
			BatchSet(batch, 7, Int64GetDatum(decision->agent_id));
		BatchSet(batch, 8, TimestampTzGetDatum(decision->at));
		BatchNext(batch);
	}
	if (batch->rows == 0)
		return;

	settled = BatchExecute(ws, &settle_leads, batch);
	for (int i = 0; i < settled; i++)
	{
		ScoredLead	key = {.lead_id = ResultInt64(i, 1, NULL)};
		Decision	wanted = {.lead = &key};
		Decision   *decision = bsearch(&wanted, decisions, n, sizeof(Decision), CompareDecisions);
		const Stage *stages = decision->pipeline->stages;
		TimestampTz at = ResultTimestamp(i, 2);

		decision->done = true;
		if (decision->first >= 0)
			moves[move_count++] = (StageMove) {
			.lead_id = key.lead_id,.pipeline = decision->pipeline->name,
			.from_stage = stages[decision->from].name,.to_stage = stages[decision->first].name,
			.at = at,.rule = MOVE_FIRST_SCORE
		};
		if (decision->to != decision->from && decision->to != decision->first)
			moves[move_count++] = (StageMove) {
			.lead_id = key.lead_id,.pipeline = decision->pipeline->name,
			.from_stage = stages[decision->first >= 0 ? decision->first : decision->from].name,
			.to_stage = stages[decision->to].name,.at = at,.rule = MOVE_SALES_READY,.fallbacks = decision->fallbacks
		};
	}
	SPI_freetuptable(SPI_tuptable);
	PipelineRecord(ws, moves, move_count);
	RecordAssignments(ws, decisions, n);
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
	PipelineSettle(ws, config, settlements, n);
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
 * restarted holds such leads, which are scored so again.
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
		leads[i].starts_over = hash_search(restarted, &leads[i].lead_id, HASH_FIND, NULL) != NULL;
	ScoreAndSettle(ws, config, leads, n, events, event_count, false);
	for (int i = 0; i < n; i++)
		if (leads[i].starts_over)
			hash_search(restarted, &leads[i].lead_id, HASH_ENTER, NULL);
}
