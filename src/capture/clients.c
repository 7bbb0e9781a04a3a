/*
 * What clients write past the door: interactions inserted directly count for
 * the score, contacts inserted or changed directly claim their identity.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "attribution/reopen.h"
#include "capture/capture.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "matching/rows.h"
#include "miscadmin.h"
#include "pipeline/pipeline.h"
#include "scoring/scoring.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"

/*
 * Interactions read before their leads are scored, each of them once: as many
 * as work_mem holds at so many bytes each, within these bounds.  A lead that
 * comes again in a later chunk costs as much again.
 */
#define CLIENT_LEAST_ROWS 131072
#define CLIENT_MOST_ROWS 1048576
#define CLIENT_ROW_BYTES 192

/* Leads scored at a time */
#define CLIENT_CHUNK_LEADS 2000

static const PlanSource attach_interactions = {
	"UPDATE @workspace@.interaction i SET lead_id = n.lead_id"
	" FROM (SELECT r.interaction_id, (SELECT pg_catalog.max(l.lead_id) FROM @workspace@.lead l"
	" WHERE l.contact_id = r.contact_id AND l.status = 'open') AS lead_id"
	" FROM @rows $1: interaction_id, contact_id@ AS r) AS n"
	" WHERE i.interaction_id = n.interaction_id AND n.lead_id IS NOT NULL"
	" RETURNING " SCORE_EVENT_RETURNING,
	2, {ARG_INT8S, ARG_INT8S}
};

#define CLAIM_FIRST(entity) \
	"INSERT INTO @workspace@." entity "_identity AS i (kind, value, holder, " entity "_id) VALUES ($1, $2, 0, $3)" \
	" ON CONFLICT (kind, value, holder) DO UPDATE SET " entity "_id = i." entity "_id RETURNING " entity "_id"

#define CLAIM_SHARE(entity) \
	"INSERT INTO @workspace@." entity "_identity (kind, value, holder, " entity "_id)" \
	" SELECT $1, $2, $3, $3 WHERE (SELECT pg_catalog.count(*) FROM (SELECT FROM @workspace@." entity "_identity h" \
	" WHERE h.kind = $1 AND h.value = $2 LIMIT " CppAsString2(MATCH_MAX_HOLDERS) ") AS l) < " \
	CppAsString2(MATCH_MAX_HOLDERS) " ON CONFLICT (kind, value, holder) DO NOTHING"

#define CLAIM_FORGET(entity) \
	"DELETE FROM @workspace@." entity "_identity WHERE kind = $1 AND value = $2 AND " entity "_id = $3"

/* By entity: to be the first, to share, to forget */
static const PlanSource claims[2][3] = {
	{{CLAIM_FIRST("contact"), 3, {ARG_TEXT, ARG_TEXT, ARG_INT8}},
	{CLAIM_SHARE("contact"), 3, {ARG_TEXT, ARG_TEXT, ARG_INT8}},
	{CLAIM_FORGET("contact"), 3, {ARG_TEXT, ARG_TEXT, ARG_INT8}}},
	{{CLAIM_FIRST("account"), 3, {ARG_TEXT, ARG_TEXT, ARG_INT8}},
	{CLAIM_SHARE("account"), 3, {ARG_TEXT, ARG_TEXT, ARG_INT8}},
	{CLAIM_FORGET("account"), 3, {ARG_TEXT, ARG_TEXT, ARG_INT8}}}
};

/* Look up columns of interaction */
typedef struct InteractionColumns
{
	int			id;
	int			submission;
	int			lead;
	int			contact;
	int			kind;
	int			occurred_at;
	int			recorded_at;
} InteractionColumns;

/* Count events, which are in the order of their leads, some leads at a time */
static void
CountByLeads(Workspace *ws, WorkspaceConfig *config, ScoreEvent *events, int n, HTAB *restarted)
{
	int64	   *ids = palloc(sizeof(int64) * CLIENT_CHUNK_LEADS);
	MemoryContext slice = AllocSetContextCreate(CurrentMemoryContext, "lead_mgmt scoring", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(slice);
	int			from = 0;

	while (from < n)
	{
		int			to = from;
		int			count = 0;

		CHECK_FOR_INTERRUPTS();
		for (; to < n; to++)
		{
			int64		lead = events[to].lead_id;

			/* Events without a lead come first or last */
			if (lead == 0 || (count > 0 && ids[count - 1] == lead))
				continue;
			if (count == CLIENT_CHUNK_LEADS)
				break;
			ids[count++] = lead;
		}
		PipelineCount(ws, config, ids, count, events + from, to - from, restarted);
		MemoryContextReset(slice);
		from = to;
	}
	MemoryContextSwitchTo(old);
}

/*
 * Count interactions for the leads they concern: the lead they name, or else
 * the latest open lead of their contact, which they are attached to.  What
 * contacts without a lead do may count for the leads of their account.
 * Leads that an earlier chunk scored from all their interactions are restarted,
 * where there is more than one interaction.
 */
static void
CountInteractions(Workspace *ws, WorkspaceConfig *config, ScoreEvent *rows, int n, HTAB *restarted)
{
	Batch	   *unattached = BatchCreate(attach_interactions.args, attach_interactions.nargs, n);
	ScoreEvent *events = palloc(sizeof(ScoreEvent) * n);
	int			count = 0;

	ScoreLockAccountsOf(ws, config, rows, n);
	for (int i = 0; i < n; i++)
		if (rows[i].lead_id != 0)
			events[count++] = rows[i];
		else if (rows[i].contact_id != 0)
		{
			BatchSet(unattached, 0, Int64GetDatum(rows[i].interaction_id));
			BatchSet(unattached, 1, Int64GetDatum(rows[i].contact_id));
			BatchNext(unattached);
		}
	if (unattached->rows > 0)
	{
		int			attached = BatchExecute(ws, &attach_interactions, unattached);

		for (int i = 0; i < attached; i++)
			events[count++] = ScoreEventReturned(i);
		SPI_freetuptable(SPI_tuptable);
	}
	if (count > 0)
		LeadsTouch(ws, events, count);
	if (config->has_account_model)
	{
		int64	   *counted = palloc(sizeof(int64) * Max(count, 1));
		int			counted_count = count;

		for (int i = 0; i < count; i++)
			counted[i] = events[i].interaction_id;
		counted_count = ScoreUniqueIds(counted, counted_count);
		for (int i = 0; i < n; i++)
			if (rows[i].lead_id == 0 && rows[i].contact_id != 0 &&
				bsearch(&rows[i].interaction_id, counted, counted_count, sizeof(int64), ScoreCompareIds) == NULL)
				events[count++] = rows[i];
	}
	CountByLeads(ws, config, events, count, restarted);
}

/* Find the columns of interaction */
static InteractionColumns
FindColumns(TupleDesc desc)
{
	return (InteractionColumns) {
		.id = SPI_fnumber(desc, "interaction_id"),.submission = SPI_fnumber(desc, "submission_id"),
		.lead = SPI_fnumber(desc, "lead_id"),.contact = SPI_fnumber(desc, "contact_id"),
		.kind = SPI_fnumber(desc, "kind"),.occurred_at = SPI_fnumber(desc, "occurred_at"),
		.recorded_at = SPI_fnumber(desc, "recorded_at")
	};
}

/* Read an interaction */
static ScoreEvent
ReadInteraction(TupleTableSlot *slot, const InteractionColumns *columns)
{
	ScoreEvent	event = {0};
	bool		isnull;
	Datum		value = slot_getattr(slot, columns->lead, &isnull);
	TimestampTz recorded_at;

	event.lead_id = isnull ? 0 : DatumGetInt64(value);
	event.interaction_id = DatumGetInt64(slot_getattr(slot, columns->id, &isnull));
	value = slot_getattr(slot, columns->contact, &isnull);
	event.contact_id = isnull ? 0 : DatumGetInt64(value);
	event.kind = TextDatumGetCString(slot_getattr(slot, columns->kind, &isnull));
	event.occurred_at = DatumGetTimestampTz(slot_getattr(slot, columns->occurred_at, &isnull));
	recorded_at = DatumGetTimestampTz(slot_getattr(slot, columns->recorded_at, &isnull));
	event.at = Min(event.occurred_at, Min(recorded_at, GetCurrentTimestamp()));
	return event;
}

/* Read the inserted interactions in chunks and count them */
static void
CountInserted(Workspace *ws, TriggerData *trigdata)
{
	Tuplestorestate *tuples = trigdata->tg_newtable;
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	InteractionColumns columns = FindColumns(desc);
	ScoreEvent *rows = NULL;
	int			size = 0;
	HASHCTL		ctl = {0};
	HTAB	   *restarted = NULL;
	MemoryContext chunk = AllocSetContextCreate(CurrentMemoryContext, "lead_mgmt interactions", ALLOCSET_DEFAULT_SIZES);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	MemoryContext old = MemoryContextSwitchTo(chunk);
	int			most = Min(Max(CLIENT_LEAST_ROWS, work_mem * INT64CONST(1024) / CLIENT_ROW_BYTES), CLIENT_MOST_ROWS);
	int			n = 0;
	bool		more = true;

	if (tuplestore_tuple_count(tuples) > 1)
	{
		ctl.keysize = ctl.entrysize = sizeof(int64);
		ctl.hcxt = old;
		restarted = hash_create("lead_mgmt leads scored over", 64, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	tuplestore_select_read_pointer(tuples, tuplestore_alloc_read_pointer(tuples, EXEC_FLAG_REWIND));
	tuplestore_rescan(tuples);
	while (more)
	{
		more = tuplestore_gettupleslot(tuples, true, false, slot);

		/* What came of a submission was counted with it: restored rows, say */
		if (more && slot_attisnull(slot, columns.submission))
		{
			if (n == size)
			{
				size = size == 0 ? 16 : size * 2;
				rows = rows ? repalloc(rows, sizeof(ScoreEvent) * size) :
					MemoryContextAlloc(old, sizeof(ScoreEvent) * size);
			}
			rows[n++] = ReadInteraction(slot, &columns);
		}
		if (n == most || (!more && n > 0))
		{
			CHECK_FOR_INTERRUPTS();
			CountInteractions(ws, WorkspaceGetConfig(ws), rows, n, restarted);
			ExecClearTuple(slot);	/* it may lie in the chunk */
			MemoryContextReset(chunk);
			n = 0;
		}
	}
	MemoryContextSwitchTo(old);
	ExecDropSingleTupleTableSlot(slot);
}

/* Do what inserted interactions ask for */
static void
InteractionsInserted(Workspace *ws, void *arg)
{
	WrittenInteractions *written = arg;

	if (!written->by_system)
		CountInserted(ws, written->trigdata);
	AttributionReopen(ws, written->trigdata);
}

PG_FUNCTION_INFO_V1(count_interactions);
/* Score the leads that directly inserted interactions concern, and open the conversions that they may be touches of */
Datum
count_interactions(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	WrittenInteractions written = {trigdata, SystemAtWork()};

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigdata->tg_event) ||
		!TRIGGER_FIRED_FOR_STATEMENT(trigdata->tg_event) || trigdata->tg_newtable == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("count_interactions must be called as an AFTER INSERT statement trigger with a new transition table")));
	SPI_connect();
	WorkspaceRun(WorkspaceOfRelation(trigdata->tg_relation), InteractionsInserted, &written);
	SPI_finish();
	return PointerGetDatum(NULL);
}

/* Claim a value for a contact or account that a client wrote */
static void
ClaimValue(Workspace *ws, EntityKind entity, const MatchKind *kind, const char *value, int64 id)
{
	Datum		values[3];
	int64		owner;

	values[0] = CStringGetTextDatum(kind->name);
	values[1] = CStringGetTextDatum(value);
	values[2] = Int64GetDatum(id);
	WorkspaceExecute(ws, &claims[entity][0], values, NULL);
	owner = ResultInt64(0, 1, NULL);
	SPI_freetuptable(SPI_tuptable);
	if (owner == id)
		return;

	/* Numbers, names and domains may be shared; an address is one person's */
	if (!kind->is_shared)
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("e-mail address \"%s\" belongs to contact " INT64_FORMAT, value, owner),
				 errhint("Change that contact, or capture the record so that it is matched.")));
	WorkspaceExecute(ws, &claims[entity][1], values, NULL);
}

PG_FUNCTION_INFO_V1(claim_identity);
/* Claim what identifies a contact or account that a client wrote; argument: entity */
Datum
claim_identity(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	TupleDesc	desc;
	HeapTuple	tuple;
	Workspace  *ws;
	WorkspaceRights rights;
	MatchConfig *matching;
	MatchRow	now;
	MatchRow	then;
	EntityKind	entity;
	bool		is_update;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigdata->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) || TRIGGER_FIRED_BY_DELETE(trigdata->tg_event) ||
		trigdata->tg_trigger->tgnargs != 1)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("claim_identity must be called as an AFTER INSERT OR UPDATE row trigger with the argument entity")));
	entity = strcmp(trigdata->tg_trigger->tgargs[0], "account") == 0 ? ENTITY_ACCOUNT : ENTITY_CONTACT;
	is_update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	desc = RelationGetDescr(trigdata->tg_relation);
	tuple = is_update ? trigdata->tg_newtuple : trigdata->tg_trigtuple;
	ws = WorkspaceOfRelation(trigdata->tg_relation);
	SPI_connect();
	WorkspaceEnter(ws, &rights);
	matching = MatchGetConfig(ws, WorkspaceGetConfig(ws));
	MatchReadRow(&now, entity, tuple, desc);
	if (is_update)
		MatchReadRow(&then, entity, trigdata->tg_trigtuple, desc);
	for (int k = 0; k < matching->kind_count[entity]; k++)
	{
		const MatchKind *kind = &matching->kinds[entity][k];
		char	   *value = MatchKeyOf(matching, kind->parts, kind->part_count, &now.side);
		char	   *before = is_update ? MatchKeyOf(matching, kind->parts, kind->part_count, &then.side) : NULL;

		if (value == NULL ? before == NULL : before && strcmp(value, before) == 0)
			continue;
		if (before && !kind->accumulates)
		{
			Datum		values[3];

			values[0] = CStringGetTextDatum(kind->name);
			values[1] = CStringGetTextDatum(before);
			values[2] = Int64GetDatum(now.id);
			WorkspaceExecute(ws, &claims[entity][2], values, NULL);
		}
		if (value)
			ClaimValue(ws, entity, kind, value, now.id);
	}
	WorkspaceLeave(&rights);
	SPI_finish();
	return PointerGetDatum(NULL);
}

/* A contact or account whose leads are to be scored again */
typedef struct Rescore
{
	bool		is_account;
	bool		is_deleted;
	int64		id;
	int64		accounts[2];	/* that a contact left and came to, or 0 */
} Rescore;

/* Score the open leads of a contact or account again */
static void
RescoreLeads(Workspace *ws, void *arg)
{
	Rescore    *rescore = arg;
	WorkspaceConfig *config = WorkspaceGetConfig(ws);
	bool		has_moved = config->has_account_model && rescore->accounts[0] != rescore->accounts[1];
	int64	   *ids = NULL;
	int			n;

	if (has_moved)
	{
		int64		accounts[2] = {rescore->accounts[0], rescore->accounts[1]};

		ScoreLockAccounts(ws, config, accounts, 2);
	}
	if (rescore->is_deleted)
	{
		/* Its own leads are gone, and what it did no longer counts for others */
		n = has_moved ? LeadsOf(ws, NULL, 0, rescore->accounts, 1, &ids) : 0;
		PipelineScoreOver(ws, config, ids, n);
		return;
	}
	if (rescore->is_account)
		n = LeadsOf(ws, NULL, 0, &rescore->id, 1, &ids);
	else
		n = LeadsOf(ws, &rescore->id, 1, rescore->accounts, has_moved ? 2 : 0, &ids);

	/* Leads may have accounts of their own, for which their contact counts while it has none */
	if (has_moved)
		n = ScoreWithSiblings(ws, &ids, n, NULL, 0);
	PipelineScore(ws, config, ids, n, false);
}

/* Get the account of a contact, 0 without */
static int64
AccountOf(HeapTuple contact, TupleDesc desc)
{
	bool		isnull;
	Datum		value = heap_getattr(contact, SPI_fnumber(desc, "account_id"), desc, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

PG_FUNCTION_INFO_V1(rescore_leads);
/* Score the leads of a contact or account again that a client changed or deleted; argument: entity */
Datum
rescore_leads(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	TupleDesc	desc;
	Rescore		rescore = {0};
	bool		isnull;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigdata->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) || TRIGGER_FIRED_BY_INSERT(trigdata->tg_event) ||
		trigdata->tg_trigger->tgnargs != 1)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("rescore_leads must be called as an AFTER UPDATE OR DELETE row trigger with the argument entity")));
	desc = RelationGetDescr(trigdata->tg_relation);
	rescore.is_account = strcmp(trigdata->tg_trigger->tgargs[0], "account") == 0;
	rescore.is_deleted = TRIGGER_FIRED_BY_DELETE(trigdata->tg_event);
	rescore.id = DatumGetInt64(heap_getattr(trigdata->tg_trigtuple,
											SPI_fnumber(desc, rescore.is_account ? "account_id" : "contact_id"),
											desc, &isnull));
	if (!rescore.is_account)
	{
		rescore.accounts[0] = AccountOf(trigdata->tg_trigtuple, desc);
		if (!rescore.is_deleted)
			rescore.accounts[1] = AccountOf(trigdata->tg_newtuple, desc);
	}
	SPI_connect();
	WorkspaceRun(WorkspaceOfRelation(trigdata->tg_relation), RescoreLeads, &rescore);
	SPI_finish();
	return PointerGetDatum(NULL);
}
