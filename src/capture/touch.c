/*
 * Noting in leads what passed with them.
 *
 * An interaction that is inserted by itself costs less than the general
 * statement that would note it: most of that goes into reading the CHECK
 * constraints of lead from the catalogue's text, compiling and evaluating
 * them, over columns that do not change.  So one lead is updated as the apply
 * worker of logical replication updates rows: found by its key and locked,
 * with triggers and indexes as ever, and without constraints.  Where the table
 * holds anything that the two columns could mean something to, where the
 * lead is not in it, where the transaction keeps its first snapshot, or where
 * there are several leads, the statement does it.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "capture/capture.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

static const PlanSource touch_leads = {
	"UPDATE @workspace@.lead l SET interaction_count = l.interaction_count + n.interactions,"
	" last_interaction_at = GREATEST(l.last_interaction_at, n.last_at)"
	" FROM @rows $1: lead_id, interactions, last_at@ AS n WHERE l.lead_id = n.lead_id",
	3, {ARG_INT8S, ARG_INT4S, ARG_TIMESTAMPTZS}
};

/* Later executors want to be asked otherwise */
#if PG_VERSION_NUM < 160000

/* What was found out about a workspace's table of leads */
typedef struct TouchTable
{
	Oid			relid;			/* hash key */
	uint64		definition;
	bool		is_plain;
	AttrNumber	id_column;
	AttrNumber	count_column;
	AttrNumber	last_column;
} TouchTable;

static HTAB *tables = NULL;

/* Does an expression over a lead look at the columns that a touch changes, or at whole rows? */
static bool
LooksAtTouched(const char *expression, const TouchTable *table)
{
	Bitmapset  *columns = NULL;

	pull_varattnos(stringToNode(expression), 1, &columns);
	return bms_is_member(table->count_column - FirstLowInvalidHeapAttributeNumber, columns) ||
		bms_is_member(table->last_column - FirstLowInvalidHeapAttributeNumber, columns) ||
		bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, columns);
}

/* May a trigger that runs for a touch change the row, or want transition tables? */
static bool
TriggerMeddles(const Trigger *trigger, const TouchTable *table)
{
	char	   *function;

	if (!TRIGGER_FOR_UPDATE(trigger->tgtype) || trigger->tgenabled == TRIGGER_DISABLED)
		return false;
	if (trigger->tgoldtable || trigger->tgnewtable)
		return true;
	if (!TRIGGER_FOR_BEFORE(trigger->tgtype) || !TRIGGER_FOR_ROW(trigger->tgtype))
		return false;
	for (int i = 0; i < trigger->tgnattr; i++)
		if (trigger->tgattr[i] == table->count_column || trigger->tgattr[i] == table->last_column)
			return true;
	if (trigger->tgnattr > 0)
		return false;
	function = get_func_name(trigger->tgfoid);	/* the law leaves rows of the system's own as they are */
	return function == NULL || strcmp(function, "stage_law") != 0 ||
		get_func_namespace(trigger->tgfoid) != get_namespace_oid("lead_mgmt", true);
}

/* Find out about a table of leads */
static void
LookAtTable(Relation rel, TouchTable *table)
{
	TupleDesc	desc = RelationGetDescr(rel);
	const TupleConstr *constraints = desc->constr;

	table->id_column = SPI_fnumber(desc, "lead_id");
	table->count_column = SPI_fnumber(desc, "interaction_count");
	table->last_column = SPI_fnumber(desc, "last_interaction_at");
	table->is_plain = rel->rd_rel->relkind == RELKIND_RELATION && !rel->rd_rel->relispartition &&
		SPI_gettypeid(desc, table->id_column) == INT8OID && SPI_gettypeid(desc, table->count_column) == INT4OID &&
		SPI_gettypeid(desc, table->last_column) == TIMESTAMPTZOID &&
		!rel->rd_rel->relhassubclass && !rel->rd_rel->relhasrules &&
		OidIsValid(RelationGetPrimaryKeyIndex(rel)) &&
		!(constraints && constraints->has_generated_stored);
	for (int c = 0; table->is_plain && constraints && c < constraints->num_check; c++)
		table->is_plain = !LooksAtTouched(constraints->check[c].ccbin, table);
	for (int t = 0; table->is_plain && rel->trigdesc && t < rel->trigdesc->numtriggers; t++)
		table->is_plain = !TriggerMeddles(&rel->trigdesc->triggers[t], table);
}

/* Get what is known about a workspace's table of leads */
static TouchTable *
TableOf(const Workspace *ws, Relation rel)
{
	TouchTable *table;
	bool		found;

	if (tables == NULL)
	{
		HASHCTL		ctl = {0};

		ctl.keysize = sizeof(Oid);
		ctl.entrysize = sizeof(TouchTable);
		tables = hash_create("lead_mgmt tables of leads", 8, &ctl, HASH_ELEM | HASH_BLOBS);
	}
	table = hash_search(tables, &ws->lead_relid, HASH_ENTER, &found);
	if (!found || table->definition != ws->lead_definition)
	{
		table->definition = 0;	/* until it is complete */
		LookAtTable(rel, table);
		table->definition = ws->lead_definition;
	}
	return table;
}

/* Find a lead by its key and lock it */
static bool
LockLead(Relation rel, const TouchTable *table, int64 lead_id, TupleTableSlot *search, TupleTableSlot *found)
{
	ExecClearTuple(search);
	memset(search->tts_isnull, true, search->tts_tupleDescriptor->natts);
	search->tts_values[table->id_column - 1] = Int64GetDatum(lead_id);
	search->tts_isnull[table->id_column - 1] = false;
	ExecStoreVirtualTuple(search);
	return RelationFindReplTupleByIndex(rel, RelationGetPrimaryKeyIndex(rel), LockTupleNoKeyExclusive, search, found);
}

/* Put a lead's new row into a slot */
static void
MakeRow(const TouchTable *table, TupleTableSlot *old, TupleTableSlot *new, TimestampTz last_at)
{
	int			natts = old->tts_tupleDescriptor->natts;
	int			count = table->count_column - 1;
	int			last = table->last_column - 1;

	slot_getallattrs(old);
	ExecClearTuple(new);
	memcpy(new->tts_values, old->tts_values, sizeof(Datum) * natts);
	memcpy(new->tts_isnull, old->tts_isnull, sizeof(bool) * natts);
	new->tts_values[count] = DirectFunctionCall2(int4pl, old->tts_values[count], Int32GetDatum(1));
	if (new->tts_isnull[last] || DatumGetTimestampTz(new->tts_values[last]) < last_at)
	{
		new->tts_values[last] = TimestampTzGetDatum(last_at);
		new->tts_isnull[last] = false;
	}
	ExecStoreVirtualTuple(new);
}

/* Replace a lead's row, which is locked, with what triggers and indexes ask for */
static void
ReplaceRow(EState *estate, ResultRelInfo *target, TupleTableSlot *old, TupleTableSlot *new)
{
	EPQState	epq;
	List	   *recheck = NIL;
	bool		update_indexes;

	EvalPlanQualInit(&epq, estate, NULL, NIL, -1);
	if (target->ri_TrigDesc == NULL || !target->ri_TrigDesc->trig_update_before_row ||
		ExecBRUpdateTriggers(estate, &epq, target, &old->tts_tid, NULL, new, NULL))
	{
		simple_table_tuple_update(target->ri_RelationDesc, &old->tts_tid, new, estate->es_snapshot, &update_indexes);
		if (update_indexes)
		{
			ExecOpenIndices(target, false);
			if (target->ri_NumIndices > 0)
				recheck = ExecInsertIndexTuples(target, new, estate, true, false, NULL, NIL);
		}
		ExecARUpdateTriggers(estate, target, NULL, NULL, &old->tts_tid, NULL, new, recheck, NULL, false);
	}
	EvalPlanQualEnd(&epq);
}

/* Note an interaction in a lead without a statement, if that can be done */
static bool
TouchDirectly(Workspace *ws, int64 lead_id, TimestampTz last_at)
{
	Relation	rel;
	TouchTable *table;
	TupleTableSlot *search;
	TupleTableSlot *old;
	bool		found = false;

	if (IsolationUsesXactSnapshot())
		return false;
	rel = table_open(ws->lead_relid, RowExclusiveLock);
	table = TableOf(ws, rel);
	if (!table->is_plain)
	{
		table_close(rel, NoLock);
		return false;
	}
	CheckCmdReplicaIdentity(rel, CMD_UPDATE);
	CommandCounterIncrement();
	search = MakeSingleTupleTableSlot(RelationGetDescr(rel), &TTSOpsVirtual);
	old = table_slot_create(rel, NULL);
	PushActiveSnapshot(GetTransactionSnapshot());
	found = LockLead(rel, table, lead_id, search, old);
	if (found)
	{
		EState	   *estate = CreateExecutorState();
		ResultRelInfo *target = makeNode(ResultRelInfo);
		RangeTblEntry *rte = makeNode(RangeTblEntry);

		rte->rtekind = RTE_RELATION;
		rte->relid = RelationGetRelid(rel);
		rte->relkind = rel->rd_rel->relkind;
		rte->rellockmode = RowExclusiveLock;
		rte->updatedCols = bms_add_member(bms_make_singleton(table->count_column - FirstLowInvalidHeapAttributeNumber),
										  table->last_column - FirstLowInvalidHeapAttributeNumber);
		ExecInitRangeTable(estate, list_make1(rte));
		InitResultRelInfo(target, rel, 1, NULL, 0);
		estate->es_opened_result_relations = lappend(estate->es_opened_result_relations, target);
		estate->es_snapshot = GetActiveSnapshot();
		estate->es_output_cid = GetCurrentCommandId(true);
		MakeRow(table, old, search, last_at);
		AfterTriggerBeginQuery();
		ExecBSUpdateTriggers(estate, target);
		ReplaceRow(estate, target, old, search);
		ExecASUpdateTriggers(estate, target, NULL);
		AfterTriggerEndQuery(estate);
		ExecCloseResultRelations(estate);
		ExecResetTupleTable(estate->es_tupleTable, false);
		FreeExecutorState(estate);
		CommandCounterIncrement();
	}
	PopActiveSnapshot();
	ExecDropSingleTupleTableSlot(search);
	ExecDropSingleTupleTableSlot(old);
	table_close(rel, NoLock);
	return found;
}

#else

/* Have the statement do it */
static bool
TouchDirectly(Workspace *ws, int64 lead_id, TimestampTz last_at)
{
	return false;
}

#endif

/* Order events by lead */
static int
CompareEventLeads(const void *a, const void *b)
{
	int64		left = ((const ScoreEvent *) a)->lead_id;
	int64		right = ((const ScoreEvent *) b)->lead_id;

	return left < right ? -1 : left > right;
}

/* Note interactions that did not come with a record of this chunk in their leads, by which they are sorted then */
void
LeadsTouch(Workspace *ws, ScoreEvent *events, int n)
{
	Batch	   *batch;
	int			leads = 0;

	if (n == 1 && TouchDirectly(ws, events[0].lead_id, events[0].occurred_at))
		return;
	qsort(events, n, sizeof(ScoreEvent), CompareEventLeads);
	for (int i = 0; i < n; i++)
		leads += i == 0 || events[i].lead_id != events[i - 1].lead_id;
	batch = BatchCreate(touch_leads.args, touch_leads.nargs, leads);
	for (int from = 0, to; from < n; from = to)
	{
		TimestampTz last_at = events[from].occurred_at;

		for (to = from + 1; to < n && events[to].lead_id == events[from].lead_id; to++)
			last_at = Max(last_at, events[to].occurred_at);
		BatchSet(batch, 0, Int64GetDatum(events[from].lead_id));
		BatchSet(batch, 1, Int32GetDatum(to - from));
		BatchSet(batch, 2, TimestampTzGetDatum(last_at));
		BatchNext(batch);
	}
	BatchExecute(ws, &touch_leads, batch);
}
