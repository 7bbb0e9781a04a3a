/*
 * What runs with the rights of the workspace's owner, who sees every row.
 *
 * Views and reports do so that a reader needs no right on tables: where a
 * table has got row-level security, they refuse to serve those it would
 * restrict, rather than show them what it hides.  Functions that act on one
 * row look for it with the rights of their caller first.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/syscache.h"
#include "workspace/workspace.h"

static const PlanSource find_lead = {
	"SELECT FROM @workspace@.lead l WHERE l.lead_id = $1 FOR NO KEY UPDATE",
	1, {ARG_INT8}
};

static const PlanSource find_opportunity = {
	"SELECT FROM @workspace@.opportunity o WHERE o.opportunity_id = $1 FOR NO KEY UPDATE",
	1, {ARG_INT8}
};

/* The tables that reports read and that may well have row-level security */
static const char *const restricted_tables[] = {
	"account", "contact", "lead", "interaction", "opportunity", "campaign", "campaign_cost", "stage_move",
	"assignment", "score", "agent", "team", "contact_identity", "consent", "submission"
};

/* Get the owner of a table */
static Oid
OwnerOf(Oid table)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
	Oid			owner = InvalidOid;

	if (HeapTupleIsValid(tuple))
	{
		owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
		ReleaseSysCache(tuple);
	}
	return owner;
}

/* Refuse to show a table past its row-level security */
static void
Refuse(Oid table)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("reports that run with their owner's rights do not apply the row-level security of table \"%s\"",
					get_rel_name(table)),
			 errhint("The owner of the workspace lets them run with their caller's: SELECT %s.set_view_rights('caller').",
					 get_namespace_name(get_rel_namespace(table)))));
}

PG_FUNCTION_INFO_V1(view_guard);
/* True, unless row-level security of one of the tables restricts the caller */
Datum
view_guard(PG_FUNCTION_ARGS)
{
	Datum	   *tables;
	int			n;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), REGCLASSOID, sizeof(Oid), true, TYPALIGN_INT, &tables, NULL, &n);
	for (int i = 0; i < n; i++)
	{
		Oid			table = DatumGetObjectId(tables[i]);

		/* To the owner, whom it may restrict as well, it makes no difference */
		if (check_enable_rls(table, InvalidOid, true) == RLS_ENABLED && OwnerOf(table) != GetUserId())
			Refuse(table);
	}
	PG_RETURN_BOOL(true);
}

PG_FUNCTION_INFO_V1(report_guard);
/* True, unless the function runs as its owner and a table beside it has row-level security */
Datum
report_guard(PG_FUNCTION_ARGS)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(PG_GETARG_OID(0)));
	Oid			namespace;
	bool		is_definer;

	if (!HeapTupleIsValid(tuple))
		PG_RETURN_BOOL(true);
	namespace = ((Form_pg_proc) GETSTRUCT(tuple))->pronamespace;
	is_definer = ((Form_pg_proc) GETSTRUCT(tuple))->prosecdef;
	ReleaseSysCache(tuple);
	for (int i = 0; i < lengthof(restricted_tables) && is_definer; i++)
	{
		Oid			table = get_relname_relid(restricted_tables[i], namespace);
		bool		has_security;

		if (!OidIsValid(table))
			continue;
		tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
		has_security = HeapTupleIsValid(tuple) && ((Form_pg_class) GETSTRUCT(tuple))->relrowsecurity;
		if (HeapTupleIsValid(tuple))
			ReleaseSysCache(tuple);
		if (has_security)
			Refuse(table);
	}
	PG_RETURN_BOOL(true);
}

/*
 * Check that row-level security, where there is any, lets the caller change a
 * lead or opportunity, and lock it; to be called before the owner's rights are
 * taken.  One that is hidden is one that is not there.
 */
void
WorkspaceCheckRow(Workspace *ws, bool is_lead, int64 id)
{
	const char *entity = is_lead ? "lead" : "opportunity";
	Datum		value = Int64GetDatum(id);

	if (check_enable_rls(WorkspaceRelation(ws, entity), InvalidOid, true) == RLS_ENABLED &&
		WorkspaceExecute(ws, is_lead ? &find_lead : &find_opportunity, &value, NULL) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("there is no %s " INT64_FORMAT, entity, id)));
}

PG_FUNCTION_INFO_V1(guard_lead_row);
/* Refuse a row about a lead that row-level security hides from whoever writes it */
Datum
guard_lead_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	HeapTuple	row;
	TupleDesc	desc;
	bool		isnull;
	Datum		id;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigdata->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) || TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("guard_lead_row must be called as a BEFORE INSERT OR UPDATE row trigger")));
	row = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ? trigdata->tg_newtuple : trigdata->tg_trigtuple;
	if (SystemAtWork())
		return PointerGetDatum(row);
	desc = RelationGetDescr(trigdata->tg_relation);
	id = heap_getattr(row, SPI_fnumber(desc, "lead_id"), desc, &isnull);
	if (!isnull)
	{
		SPI_connect();
		WorkspaceCheckRow(WorkspaceOfRelation(trigdata->tg_relation), true, DatumGetInt64(id));
		SPI_finish();
	}
	return PointerGetDatum(row);
}
