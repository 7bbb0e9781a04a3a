/*
 * Interactions that clients change or delete: the leads they concerned, and
 * those they concern now, are scored from all the interactions they have left.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "attribution/reopen.h"
#include "capture/capture.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pipeline/pipeline.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"

/* Leads scored at a time */
#define RECOUNT_CHUNK 2000

static const PlanSource lock_leads = {
	"SELECT l.lead_id FROM @workspace@.lead l WHERE l.lead_id = ANY ($1) ORDER BY l.lead_id FOR NO KEY UPDATE",
	1, {ARG_INT8S}
};

/* Counts what is there once the leads are locked */
static const PlanSource recount_leads = {
	"UPDATE @workspace@.lead l SET"
	" interaction_count = (SELECT pg_catalog.count(*) FROM @workspace@.interaction i WHERE i.lead_id = l.lead_id),"
	" last_interaction_at = (SELECT pg_catalog.max(i.occurred_at) FROM @workspace@.interaction i WHERE i.lead_id = l.lead_id)"
	" WHERE l.lead_id = ANY ($1)",
	1, {ARG_INT8S}
};

static const PlanSource drop_orphan = {
	"DELETE FROM @workspace@.interaction i WHERE i.interaction_id = $1"
	" AND NOT EXISTS (SELECT FROM @workspace@.lead l WHERE l.lead_id = $2)",
	2, {ARG_INT8, ARG_INT8}
};

/* Ids that grow */
typedef struct Ids
{
	int64	   *ids;
	int			n;
	int			size;
} Ids;

/* Add an id */
static void
AddId(Ids *ids, int64 id)
{
	if (ids->n == ids->size)
	{
		ids->n = ScoreUniqueIds(ids->ids, ids->n);
		if (ids->n > ids->size / 2)
		{
			ids->size *= 2;
			ids->ids = repalloc_huge(ids->ids, sizeof(int64) * ids->size);
		}
	}
	ids->ids[ids->n++] = id;
}

/* Add the leads and contacts of the interactions in a transition table */
static void
ReadIds(TriggerData *trigdata, Tuplestorestate *tuples, Ids *leads, Ids *contacts)
{
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	int			lead_column = SPI_fnumber(desc, "lead_id");
	int			contact_column = SPI_fnumber(desc, "contact_id");

	tuplestore_select_read_pointer(tuples, tuplestore_alloc_read_pointer(tuples, EXEC_FLAG_REWIND));
	tuplestore_rescan(tuples);
	while (tuplestore_gettupleslot(tuples, true, false, slot))
	{
		bool		isnull;
		Datum		lead = slot_getattr(slot, lead_column, &isnull);
		Datum		contact;

		CHECK_FOR_INTERRUPTS();
		if (!isnull)
			AddId(leads, DatumGetInt64(lead));
		contact = slot_getattr(slot, contact_column, &isnull);
		if (!isnull)
			AddId(contacts, DatumGetInt64(contact));
	}
	ExecDropSingleTupleTableSlot(slot);
}

/* Make an array argument of ids */
static Datum
IdsArgument(Workspace *ws, const PlanSource *source, const int64 *ids, int n)
{
	Batch	   *batch = BatchCreate(source->args, 1, n);
	Datum		array;

	for (int i = 0; i < n; i++)
	{
		BatchSet(batch, 0, Int64GetDatum(ids[i]));
		BatchNext(batch);
	}
	BatchArrays(ws, batch, &array);
	return array;
}

/* Lock the accounts that leads and contacts are of */
static void
LockAccounts(Workspace *ws, WorkspaceConfig *config, const Ids *leads, const Ids *contacts)
{
	ScoreEvent *events = palloc0(sizeof(ScoreEvent) * (leads->n + contacts->n + 1));

	for (int i = 0; i < leads->n; i++)
		events[i].lead_id = leads->ids[i];
	for (int i = 0; i < contacts->n; i++)
		events[leads->n + i].contact_id = contacts->ids[i];
	ScoreLockAccountsOf(ws, config, events, leads->n + contacts->n);
	pfree(events);
}

/* Score the leads that changed or deleted interactions concern */
static void
Recount(Workspace *ws, TriggerData *trigdata)
{
	WorkspaceConfig *config = WorkspaceGetConfig(ws);
	Ids			leads = {palloc(sizeof(int64) * 64), 0, 64};
	Ids			contacts = {palloc(sizeof(int64) * 64), 0, 64};
	Datum		array;
	int			own_count;

	ReadIds(trigdata, trigdata->tg_oldtable, &leads, &contacts);
	if (trigdata->tg_newtable)
		ReadIds(trigdata, trigdata->tg_newtable, &leads, &contacts);
	own_count = leads.n = ScoreUniqueIds(leads.ids, leads.n);
	array = IdsArgument(ws, &recount_leads, leads.ids, leads.n);
	contacts.n = ScoreUniqueIds(contacts.ids, contacts.n);
	if (config->has_account_model)
	{
		LockAccounts(ws, config, &leads, &contacts);
		leads.n = ScoreWithSiblings(ws, &leads.ids, leads.n, contacts.ids, contacts.n);
	}
	if (own_count > 0)
	{
		WorkspaceExecute(ws, &lock_leads, &array, NULL);
		SPI_freetuptable(SPI_tuptable);
		WorkspaceExecute(ws, &recount_leads, &array, NULL);
	}
	for (int from = 0; from < leads.n; from += RECOUNT_CHUNK)
	{
		CHECK_FOR_INTERRUPTS();
		PipelineScoreOver(ws, config, leads.ids + from, Min(RECOUNT_CHUNK, leads.n - from));
	}
}

/* Do what changed or deleted interactions ask for */
static void
InteractionsChanged(Workspace *ws, void *arg)
{
	WrittenInteractions *written = arg;

	if (!written->by_system)
		Recount(ws, written->trigdata);
	AttributionReopen(ws, written->trigdata);
}

PG_FUNCTION_INFO_V1(recount_interactions);
/* Score the leads again whose interactions a client changed or deleted, and open the conversions they may be touches of */
Datum
recount_interactions(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	WrittenInteractions written = {trigdata, SystemAtWork()};

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigdata->tg_event) ||
		!TRIGGER_FIRED_FOR_STATEMENT(trigdata->tg_event) || trigdata->tg_oldtable == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("recount_interactions must be called as an AFTER UPDATE or DELETE statement trigger with an old transition table")));
	if (tuplestore_tuple_count(trigdata->tg_oldtable) == 0)
		return PointerGetDatum(NULL);
	SPI_connect();
	WorkspaceRun(WorkspaceOfRelation(trigdata->tg_relation), InteractionsChanged, &written);
	SPI_finish();
	return PointerGetDatum(NULL);
}

/* An interaction that is about to lose its lead */
typedef struct Orphan
{
	Datum		keys[2];		/* interaction and lead */
	bool		is_dropped;
} Orphan;

/* Delete an interaction if its lead is gone */
static void
DropOrphan(Workspace *ws, void *arg)
{
	Orphan	   *orphan = arg;

	orphan->is_dropped = WorkspaceExecute(ws, &drop_orphan, orphan->keys, NULL) > 0;
}

PG_FUNCTION_INFO_V1(drop_orphan_interaction);
/* Delete an interaction that a deleted lead leaves without anybody whose it is */
Datum
drop_orphan_interaction(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	TupleDesc	desc;
	Orphan		orphan = {0};
	bool		isnull;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigdata->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) || !TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("drop_orphan_interaction must be called as a BEFORE UPDATE row trigger")));
	desc = RelationGetDescr(trigdata->tg_relation);
	orphan.keys[0] = heap_getattr(trigdata->tg_trigtuple, SPI_fnumber(desc, "interaction_id"), desc, &isnull);
	orphan.keys[1] = heap_getattr(trigdata->tg_trigtuple, SPI_fnumber(desc, "lead_id"), desc, &isnull);
	if (isnull)
		return PointerGetDatum(trigdata->tg_newtuple);
	SPI_connect();
	WorkspaceRun(WorkspaceOfRelation(trigdata->tg_relation), DropOrphan, &orphan);
	SPI_finish();
	return PointerGetDatum(orphan.is_dropped ? NULL : trigdata->tg_newtuple);
}
