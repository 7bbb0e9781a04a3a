/*
 * The terms of opportunities, beyond what their pipeline says: what is closed
 * stays as it was, nothing is won without its mandatory stages or lost without
 * a reason, and an amount that lines add up to is not set by hand.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "executor/spi.h"
#include "sales/sales.h"
#include "utils/builtins.h"
#include "workspace/guard.h"

/*
 * The stages that the opportunity lacks.  Those before the one in which it was
 * loaded as history are taken as visited: its first move then left a stage,
 * or it has none yet and is in that stage still.
 */
static const PlanSource missing_stages = {
	"SELECT pg_catalog.string_agg(s.stage, ', ' ORDER BY s.sequence) FROM @workspace@.stage s"
	" LEFT JOIN @workspace@.stage f ON f.pipeline = s.pipeline AND f.stage = (SELECT v.stage FROM (SELECT m.from_stage, m.stage_move_id"
	" FROM @workspace@.stage_move m WHERE m.opportunity_id = $1 UNION ALL SELECT $3, pg_catalog.int8 '9223372036854775807')"
	" AS v (stage, number) ORDER BY v.number LIMIT 1)"
	" WHERE s.pipeline = $2 AND s.is_mandatory AND s.kind NOT IN ('won', 'lost')"
	" AND (f.stage IS NULL OR s.sequence > f.sequence)"
	" AND NOT EXISTS (SELECT FROM @workspace@.stage_move m WHERE m.opportunity_id = $1 AND m.to_stage = s.stage)"
	" AND NOT EXISTS (SELECT FROM @workspace@.stage_waiver w WHERE w.opportunity_id = $1 AND w.stage = s.stage)",
	3, {ARG_INT8, ARG_TEXT, ARG_TEXT}
};

static const PlanSource find_line = {
	"SELECT FROM @workspace@.opportunity_line WHERE opportunity_id = $1 LIMIT 1",
	1, {ARG_INT8}
};

/* Columns of a closed opportunity that may still change: whom it belongs to, and the contract, which comes after */
static const char *const closed_columns[] = {
	"contact_id", "account_id", "lead_id", "agent_id", "contract_reference", "contract_on", "contract_amount",
	"updated_at"
};

/* Refuse changes to what is closed */
static void
CheckClosed(const SalesRow *row, int64 id, const char *status)
{
	for (int column = 1; column <= row->desc->natts; column++)
	{
		Form_pg_attribute attribute = TupleDescAttr(row->desc, column - 1);
		bool		allowed = false;

		if (attribute->attisdropped || !RowColumnChanges(row, column))
			continue;
		for (int c = 0; c < lengthof(closed_columns); c++)
			allowed |= strcmp(closed_columns[c], NameStr(attribute->attname)) == 0;
		if (!allowed)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("opportunity " INT64_FORMAT " is %s: its \"%s\" cannot be changed", id, status,
							NameStr(attribute->attname)),
					 errhint("A closed opportunity stays as it was until reopen_opportunity().")));
	}
}

/* Refuse a win that skipped mandatory stages */
static void
CheckStages(Workspace *ws, const SalesRow *row, int64 id)
{
	Datum		values[3];
	char	   *missing;

	values[0] = Int64GetDatum(id);
	values[1] = CStringGetTextDatum(RowText(row, row->new, "pipeline"));
	values[2] = CStringGetTextDatum(RowText(row, row->old, "stage"));
	WorkspaceExecute(ws, &missing_stages, values, NULL);
	missing = ResultText(0, 1);
	if (missing)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("opportunity " INT64_FORMAT " cannot be won: it was never in %s", id, missing),
				 errhint("These stages are mandatory: move it through them, or waive them with waive_stage().")));
	SPI_freetuptable(SPI_tuptable);
}

/* Give a loss its reason, one of the list where there is one, or refuse it */
static void
CheckReason(WorkspaceConfig *config, SalesRow *row, int64 id)
{
	char	   *reason = RowText(row, row->new, "lost_reason");
	bool		is_own = reason && *reason;
	bool		is_listed = false;
	StringInfoData list;

	if (!is_own)
		reason = RowText(row, row->new, "stage_reason");
	if (reason == NULL || *reason == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("opportunity " INT64_FORMAT " cannot be lost without a reason", id),
				 errhint("Set lost_reason or stage_reason along with the stage.")));
	initStringInfo(&list);
	for (int i = 0; i < config->reason_count; i++)
	{
		if (config->reasons[i].for_leads)
			continue;
		is_listed |= strcmp(config->reasons[i].reason, reason) == 0;
		appendStringInfo(&list, "%s%s", list.len ? ", " : "", config->reasons[i].reason);
	}
	if (list.len > 0 && !is_listed)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("opportunity " INT64_FORMAT " cannot be lost: \"%s\" is not among the reasons", id, reason),
				 errhint("Reasons of closing_reason: %s.", list.data)));
	if (!is_own)
		RowSet(row, "lost_reason", CStringGetTextDatum(reason), false);
}

/* Refuse an amount or currency at odds with the lines */
static void
CheckAmount(Workspace *ws, const SalesRow *row, int64 id)
{
	Datum		value = Int64GetDatum(id);

	if ((RowChanges(row, "amount") || RowChanges(row, "currency")) && WorkspaceExecute(ws, &find_line, &value, NULL) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("opportunity " INT64_FORMAT " has lines: its \"%s\" follows them", id,
						RowChanges(row, "amount") ? "amount" : "currency"),
				 errhint("Change the rows of opportunity_line.")));
}

PG_FUNCTION_INFO_V1(opportunity_terms);
/* Check an opportunity that a client writes, once the law of stages has set its status */
Datum
opportunity_terms(PG_FUNCTION_ARGS)
{
	SalesRow	row;
	Workspace  *ws;
	WorkspaceRights rights;
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext old;
	HeapTuple	result;

	RowOpen(fcinfo, &row, "opportunity_terms");
	if (!TRIGGER_FIRED_BEFORE(row.trigdata->tg_event) || row.new == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("opportunity_terms must be called as a BEFORE INSERT OR UPDATE trigger")));
	ws = WorkspaceOfRelation(row.trigdata->tg_relation);
	SPI_connect();
	WorkspaceEnter(ws, &rights);
	if (row.old)
	{
		int64		id = RowId(&row, row.new, "opportunity_id");
		char	   *before = RowText(&row, row.old, "status");
		char	   *after = RowText(&row, row.new, "status");

		if (strcmp(before, "open") != 0)
			CheckClosed(&row, id, before);
		else if (strcmp(after, "won") == 0)
			CheckStages(ws, &row, id);
		else if (strcmp(after, "lost") == 0)
			CheckReason(WorkspaceGetConfig(ws), &row, id);
		CheckAmount(ws, &row, id);
	}
	GuardAttributes(ws, row.trigdata, ENTITY_OPPORTUNITY);
	old = MemoryContextSwitchTo(caller);
	result = RowResult(&row);
	MemoryContextSwitchTo(old);
	WorkspaceLeave(&rights);
	SPI_finish();
	return PointerGetDatum(result);
}
