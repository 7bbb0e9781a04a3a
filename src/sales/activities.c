/*
 * Tasks and activities: what follows from closing a task, from giving a lead
 * to somebody else, and from the outcome of an interaction.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "sales/sales.h"
#include "utils/builtins.h"

static const PlanSource find_outcome = {
	"SELECT o.sign, (SELECT pg_catalog.string_agg(a.outcome, ', ' ORDER BY a.outcome) FROM @workspace@.outcome a"
	" WHERE o.outcome IS NULL) FROM (VALUES ($1)) AS n (outcome)"
	" LEFT JOIN @workspace@.outcome o ON o.outcome = n.outcome",
	1, {ARG_TEXT}
};

static const PlanSource move_lead_tasks = {
	"UPDATE @workspace@.task t SET agent_id = $3 WHERE t.lead_id = $1 AND t.state = 'open' AND t.agent_id = $2",
	3, {ARG_INT8, ARG_INT8, ARG_INT8}
};

static const PlanSource move_opportunity_tasks = {
	"UPDATE @workspace@.task t SET agent_id = $3 WHERE t.opportunity_id = $1 AND t.state = 'open' AND t.agent_id = $2",
	3, {ARG_INT8, ARG_INT8, ARG_INT8}
};

PG_FUNCTION_INFO_V1(guard_task);
/* Stamp a task that is closed, or opened again */
Datum
guard_task(PG_FUNCTION_ARGS)
{
	SalesRow	row;
	char	   *state;
	bool		is_open;

	RowOpen(fcinfo, &row, "guard_task");
	if (!TRIGGER_FIRED_BEFORE(row.trigdata->tg_event) || row.new == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("guard_task must be called as a BEFORE INSERT OR UPDATE trigger")));
	state = RowText(&row, row.new, "state");
	if (state == NULL || (row.old && !RowChanges(&row, "state")))
		return PointerGetDatum(row.new);
	is_open = strcmp(state, "open") == 0;
	if (is_open)
	{
		RowSet(&row, "closed_at", (Datum) 0, true);
		RowSet(&row, "closed_by", (Datum) 0, true);
		RowSet(&row, "outcome", (Datum) 0, true);
	}
	else
	{
		bool		isnull;
		NameData   *user = palloc0(sizeof(NameData));

		RowGet(&row, row.new, "closed_at", &isnull);
		if (isnull)
			RowSet(&row, "closed_at", TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()), false);
		namestrcpy(user, GetUserNameFromId(GetUserId(), false));
		RowGet(&row, row.new, "closed_by", &isnull);
		if (isnull)
			RowSet(&row, "closed_by", NameGetDatum(user), false);
	}
	return PointerGetDatum(RowResult(&row));
}

/* Give the open tasks of the old owner to the new one */
static void
MoveTasks(Workspace *ws, void *arg)
{
	SalesRow   *row = arg;
	const char *key = row->trigdata->tg_trigger->tgargs[0];
	bool		is_lead = strcmp(key, "lead_id") == 0;
	Datum		values[3];
	char		nulls[4] = "   ";

	values[0] = Int64GetDatum(RowId(row, row->new, key));
	values[1] = Int64GetDatum(RowId(row, row->old, "agent_id"));
	values[2] = Int64GetDatum(RowId(row, row->new, "agent_id"));
	nulls[2] = DatumGetInt64(values[2]) ? ' ' : 'n';
	WorkspaceExecute(ws, is_lead ? &move_lead_tasks : &move_opportunity_tasks, values, nulls);
}

PG_FUNCTION_INFO_V1(move_tasks);
/* Let tasks follow a lead or opportunity to its new owner; argument: its key column */
Datum
move_tasks(PG_FUNCTION_ARGS)
{
	SalesRow	row;

	RowOpen(fcinfo, &row, "move_tasks");
	if (!TRIGGER_FIRED_AFTER(row.trigdata->tg_event) || row.old == NULL || row.new == NULL ||
		row.trigdata->tg_trigger->tgnargs != 1)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("move_tasks must be called as an AFTER UPDATE trigger with a key column")));
	SPI_connect();
	WorkspaceRun(WorkspaceOfRelation(row.trigdata->tg_relation), MoveTasks, &row);
	SPI_finish();
	return PointerGetDatum(NULL);
}

PG_FUNCTION_INFO_V1(note_outcome);
/* Give an interaction the sign of its outcome */
Datum
note_outcome(PG_FUNCTION_ARGS)
{
	SalesRow	row;
	Workspace  *ws;
	WorkspaceRights rights;
	char	   *outcome;
	Datum		value;
	Datum		sign = (Datum) 0;
	bool		isnull = true;

	RowOpen(fcinfo, &row, "note_outcome");
	if (!TRIGGER_FIRED_BEFORE(row.trigdata->tg_event) || row.new == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("note_outcome must be called as a BEFORE INSERT OR UPDATE trigger")));
	outcome = RowText(&row, row.new, "outcome");
	if (outcome)
	{
		ws = WorkspaceOfRelation(row.trigdata->tg_relation);
		SPI_connect();
		WorkspaceEnter(ws, &rights);
		value = CStringGetTextDatum(outcome);
		WorkspaceExecute(ws, &find_outcome, &value, NULL);
		sign = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
		if (isnull)
			ereport(ERROR,
					(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
					 errmsg("there is no outcome \"%s\"", outcome),
					 errhint("Outcomes are: %s.", ResultText(0, 2) ? ResultText(0, 2) : "none")));
		SPI_freetuptable(SPI_tuptable);
		WorkspaceLeave(&rights);
		SPI_finish();
	}
	RowSet(&row, "outcome_sign", sign, isnull);
	return PointerGetDatum(RowResult(&row));
}
