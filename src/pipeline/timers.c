/*
 * Moves that are due because of the time, made by tick().
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/xact.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pipeline/law.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/* Leads locked and moved at a time */
#define TIMER_CHUNK 1000

static const PlanSource due_timers = {
	"SELECT m.automatic_move_id, m.pipeline, m.from_stage, pg_catalog.now() - COALESCE(m.after, s.maximum_age)"
	" FROM @workspace@.automatic_move m"
	" JOIN @workspace@.stage s ON s.pipeline = m.pipeline AND s.stage = m.from_stage"
	" WHERE m.cause = 'timer' AND m.is_active AND COALESCE(m.after, s.maximum_age) IS NOT NULL"
	" ORDER BY m.pipeline, m.from_stage, m.sequence, m.automatic_move_id"
};

/* What another session is moving is left to it */
static const PlanSource due_leads = {
	"SELECT l.lead_id, l.stage_entered_at FROM @workspace@.lead l"
	" WHERE l.pipeline = $1 AND l.stage = $2 AND l.status = 'open' AND l.stage_entered_at <= $3"
	" AND (l.stage_entered_at, l.lead_id) > ($4, $5)"
	" ORDER BY l.stage_entered_at, l.lead_id LIMIT " CppAsString2(TIMER_CHUNK) " FOR NO KEY UPDATE SKIP LOCKED",
	5, {ARG_TEXT, ARG_TEXT, ARG_TIMESTAMPTZ, ARG_TIMESTAMPTZ, ARG_INT8}
};

static const PlanSource count_moved = {
	"SELECT pg_catalog.count(*) FROM @workspace@.lead l WHERE l.lead_id = ANY ($1)"
	" AND (l.pipeline <> $2 OR l.stage <> $3)",
	3, {ARG_INT8S, ARG_TEXT, ARG_TEXT}
};

/* An automatic move that leads may be due for */
typedef struct Timer
{
	int64		id;
	char	   *pipeline;
	char	   *stage;
	TimestampTz before;			/* due are those that entered the stage until then */
} Timer;

/* Find the automatic move in the configuration; NULL when it is switched off */
static const AutomaticMove *
FindMove(WorkspaceConfig *config, const Timer *timer)
{
	Pipeline   *pipeline = ConfigPipeline(config, timer->pipeline);
	int			stage = pipeline ? PipelineStage(pipeline, timer->stage) : -1;

	if (stage < 0 || !pipeline->is_active || !pipeline->moves_on_timer)
		return NULL;
	for (int i = 0; i < pipeline->stages[stage].move_count; i++)
		if (pipeline->stages[stage].moves[i].id == timer->id)
			return &pipeline->stages[stage].moves[i];
	return NULL;
}

/* Move the leads that a timer is due for, some at a time; returns how many moved */
static int64
MoveDue(Workspace *ws, const Timer *timer)
{
	MemoryContext chunk = AllocSetContextCreate(CurrentMemoryContext, "lead_mgmt timers", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(chunk);
	TimestampTz last_at = DT_NOBEGIN;
	int64		last_id = 0;
	int64		moved = 0;
	int			n;

	do
	{
		WorkspaceConfig *config = WorkspaceGetConfig(ws);
		const AutomaticMove *move = FindMove(config, timer);
		LeadSettlement *settlements;
		ScoredLead *leads;
		int64	   *ids;
		Batch	   *batch;
		Datum		values[5];

		CHECK_FOR_INTERRUPTS();
		if (move == NULL)
			break;
		values[0] = CStringGetTextDatum(timer->pipeline);
		values[1] = CStringGetTextDatum(timer->stage);
		values[2] = TimestampTzGetDatum(timer->before);
		values[3] = TimestampTzGetDatum(last_at);
		values[4] = Int64GetDatum(last_id);
		n = WorkspaceExecute(ws, &due_leads, values, NULL);
		if (n == 0)
			break;
		ids = palloc(sizeof(int64) * n);
		batch = BatchCreate(count_moved.args, 1, n);
		for (int i = 0; i < n; i++)
		{
			ids[i] = ResultInt64(i, 1, NULL);
			BatchSet(batch, 0, Int64GetDatum(ids[i]));
			BatchNext(batch);
		}
		last_id = ids[n - 1];
		last_at = ResultTimestamp(n - 1, 2);
		SPI_freetuptable(SPI_tuptable);
		n = ScoreUniqueIds(ids, n);
		leads = ScoreLoad(ws, config, ids, n);
		settlements = palloc0(sizeof(LeadSettlement) * n);
		for (int i = 0; i < n; i++)
			settlements[i] = (LeadSettlement) {
			.lead = &leads[i],.moves_stage = true,.at = GetCurrentTransactionStartTimestamp(),.timer = move
		};
		PipelineSettle(ws, config, settlements, n, NULL, 0);
		BatchArrays(ws, batch, values + 2);
		values[0] = values[2];
		values[1] = CStringGetTextDatum(timer->pipeline);
		values[2] = CStringGetTextDatum(timer->stage);
		WorkspaceExecute(ws, &count_moved, values, NULL);
		moved += ResultInt64(0, 1, NULL);
		SPI_freetuptable(SPI_tuptable);
		MemoryContextReset(chunk);
	} while (n == TIMER_CHUNK);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(chunk);
	return moved;
}

/* Make all moves that are due */
static void
MoveAllDue(Workspace *ws, void *arg)
{
	int64	   *moved = arg;
	int			n = WorkspaceExecute(ws, &due_timers, NULL, NULL);
	Timer	   *timers = palloc(sizeof(Timer) * Max(n, 1));

	for (int i = 0; i < n; i++)
		timers[i] = (Timer) {
		ResultInt64(i, 1, NULL), ResultText(i, 2), ResultText(i, 3), ResultTimestamp(i, 4)
	};
	SPI_freetuptable(SPI_tuptable);
	for (int i = 0; i < n; i++)
		*moved += MoveDue(ws, &timers[i]);
}

PG_FUNCTION_INFO_V1(move_due_leads);
/* Make the moves that timers are due for; argument: the workspace's lead table */
Datum
move_due_leads(PG_FUNCTION_ARGS)
{
	Relation	rel = relation_open(PG_GETARG_OID(0), AccessShareLock);
	Workspace  *ws = WorkspaceOfRelation(rel);
	int64		moved = 0;

	relation_close(rel, AccessShareLock);
	WorkspaceCheckExecute(ws, "move_due_leads", 0, NULL);
	SPI_connect();
	WorkspaceRun(ws, MoveAllDue, &moved);
	SPI_finish();
	PG_RETURN_INT64(moved);
}
