/*
 * Conversions whose credits are kept: what changes the touches of one opens
 * it again, in the transaction that changes them.
 *
 * The row of a conversion is the lock between who writes touches and who
 * works out credits: a writer updates it whether it is open or not, and so
 * waits for whoever holds it; refresh_attribution() passes over rows that
 * others hold.  A writer that began before the row was there cannot see it;
 * for its sake nothing is kept before all such transactions have ended, which
 * the column horizon is for.
 */
#include "postgres.h"

#include "attribution/reopen.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/tuplestore.h"

/* Touches looked up at a time */
#define REOPEN_CHUNK 10000

static const PlanSource latest_conversion = {
	"SELECT c.converted_at FROM @workspace@.attributed_conversion c ORDER BY c.converted_at DESC LIMIT 1", 0, {0}
};

/* In the order of their keys, so that writers take no row out of turn */
static const PlanSource reopen_by_touches = {
	"UPDATE @workspace@.attributed_conversion c SET is_open = true"
	" FROM (SELECT l.opportunity_id FROM @workspace@.attributed_conversion l"
	" WHERE l.opportunity_id = ANY (ARRAY(SELECT k.opportunity_id FROM @workspace@.attributed_conversion k"
	" WHERE EXISTS (SELECT FROM @rows $1: contact_id, occurred_at@ AS n"
	" WHERE n.contact_id = k.contact_id AND n.occurred_at <= k.converted_at)"
	" AND k.contact_id = ANY ($1)))"
	" ORDER BY l.opportunity_id FOR UPDATE) x"
	" WHERE c.opportunity_id = x.opportunity_id",
	2, {ARG_INT8S, ARG_TIMESTAMPTZS}
};

static const PlanSource reopen_opportunity = {
	"UPDATE @workspace@.attributed_conversion c SET is_open = true WHERE c.opportunity_id = $1", 1, {ARG_INT8}
};

static const PlanSource reopen_of_lead = {
	"UPDATE @workspace@.attributed_conversion c SET is_open = true"
	" FROM (SELECT l.opportunity_id FROM @workspace@.attributed_conversion l"
	" WHERE l.opportunity_id = ANY (ARRAY(SELECT o.opportunity_id FROM @workspace@.opportunity o WHERE o.lead_id = $1))"
	" ORDER BY l.opportunity_id FOR UPDATE) x"
	" WHERE c.opportunity_id = x.opportunity_id",
	1, {ARG_INT8}
};

static const PlanSource reopen_all = {
	"UPDATE @workspace@.attributed_conversion c SET is_open = true"
	" FROM (SELECT l.opportunity_id FROM @workspace@.attributed_conversion l ORDER BY l.opportunity_id FOR UPDATE) x"
	" WHERE c.opportunity_id = x.opportunity_id",
	0, {0}
};

/* Open the conversions that the touches in a transition table concern */
static void
ReopenByTable(Workspace *ws, TriggerData *trigdata, Tuplestorestate *tuples, TimestampTz latest)
{
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	int			contact_column = SPI_fnumber(desc, "contact_id");
	int			occurred_column = SPI_fnumber(desc, "occurred_at");
	MemoryContext chunk = AllocSetContextCreate(CurrentMemoryContext, "lead_mgmt touches", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(chunk);
	Batch	   *batch = NULL;
	bool		more = true;

	tuplestore_select_read_pointer(tuples, tuplestore_alloc_read_pointer(tuples, EXEC_FLAG_REWIND));
	tuplestore_rescan(tuples);
	while (more)
	{
		more = tuplestore_gettupleslot(tuples, true, false, slot);
		if (more)
		{
			bool		isnull;
			Datum		contact = slot_getattr(slot, contact_column, &isnull);
			bool		no_time;
			Datum		occurred = slot_getattr(slot, occurred_column, &no_time);

			if (!isnull && !no_time && DatumGetTimestampTz(occurred) <= latest)
			{
				if (batch == NULL)
					batch = BatchCreate(reopen_by_touches.args, 2, REOPEN_CHUNK);
				BatchSet(batch, 0, Int64GetDatum(DatumGetInt64(contact)));
				BatchSet(batch, 1, TimestampTzGetDatum(DatumGetTimestampTz(occurred)));
				BatchNext(batch);
			}
		}
		if (batch && (batch->rows == REOPEN_CHUNK || !more))
		{
			CHECK_FOR_INTERRUPTS();
			BatchExecute(ws, &reopen_by_touches, batch);
			ExecClearTuple(slot);	/* it may lie in the chunk */
			MemoryContextReset(chunk);
			batch = NULL;
		}
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(chunk);
	ExecDropSingleTupleTableSlot(slot);
}

/* Open the conversions that the interactions in the transition tables of a statement concern */
void
AttributionReopen(Workspace *ws, TriggerData *trigdata)
{
	TimestampTz latest;

	if (WorkspaceExecute(ws, &latest_conversion, NULL, NULL) == 0)
	{
		SPI_freetuptable(SPI_tuptable);
		return;
	}
	latest = ResultTimestamp(0, 1);
	SPI_freetuptable(SPI_tuptable);
	if (trigdata->tg_oldtable)
		ReopenByTable(ws, trigdata, trigdata->tg_oldtable, latest);
	if (trigdata->tg_newtable)
		ReopenByTable(ws, trigdata, trigdata->tg_newtable, latest);
}

/* Open the conversions that a change of a row, or of something all depend on, concerns */
static void
Reopen(Workspace *ws, void *arg)
{
	TriggerData *trigdata = arg;

	if (TRIGGER_FIRED_FOR_ROW(trigdata->tg_event))
	{
		const char *key = trigdata->tg_trigger->tgargs[0];
		TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
		bool		isnull;
		Datum		id = heap_getattr(trigdata->tg_trigtuple, SPI_fnumber(desc, key), desc, &isnull);

		WorkspaceExecute(ws, strcmp(key, "lead_id") == 0 ? &reopen_of_lead : &reopen_opportunity, &id, NULL);
	}
	else
		WorkspaceExecute(ws, &reopen_all, NULL, NULL);
}

PG_FUNCTION_INFO_V1(reopen_attribution);
/* Open the conversions whose credits a change of opportunities, leads or definitions concerns */
Datum
reopen_attribution(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigdata->tg_event) ||
		(TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) && trigdata->tg_trigger->tgnargs != 1))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("reopen_attribution must be called as an AFTER trigger, for rows with the argument key column")));
	SPI_connect();
	WorkspaceRun(WorkspaceOfRelation(trigdata->tg_relation), Reopen, trigdata);
	SPI_finish();
	return PointerGetDatum(NULL);
}
