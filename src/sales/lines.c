/*
 * Lines of opportunities: what a line may be, and the amount they add up to.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "sales/sales.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"

/* An opportunity loaded as history, which has no moves, may get its lines although it is closed */
#define STATUS_FOR_LINES \
	"CASE WHEN o.status <> 'open' AND NOT EXISTS (SELECT FROM @workspace@.stage_move m" \
	" WHERE m.opportunity_id = o.opportunity_id) THEN 'open' ELSE o.status END"

static const PlanSource find_terms = {
	"SELECT " STATUS_FOR_LINES ", o.currency, p.product, p.is_active, p.unit_price, p.currency"
	" FROM (VALUES ($1, $2)) AS n (opportunity_id, product_id)"
	" LEFT JOIN @workspace@.opportunity o ON o.opportunity_id = n.opportunity_id"
	" LEFT JOIN @workspace@.product p ON p.product_id = n.product_id",
	2, {ARG_INT8, ARG_INT8}
};

static const PlanSource lock_opportunities = {
	"SELECT o.opportunity_id, " STATUS_FOR_LINES " FROM @workspace@.opportunity o WHERE o.opportunity_id = ANY ($1)"
	" ORDER BY o.opportunity_id FOR NO KEY UPDATE",
	1, {ARG_INT8S}
};

/* Adds up what is there once the opportunities are locked */
static const PlanSource total_opportunities = {
	"UPDATE @workspace@.opportunity o SET updated_at = pg_catalog.now(), amount = (SELECT pg_catalog.sum(l.amount)"
	" FROM @workspace@.opportunity_line l WHERE l.opportunity_id = o.opportunity_id)"
	" WHERE o.opportunity_id = ANY ($1)",
	1, {ARG_INT8S}
};

/* Refuse a line of an opportunity that is closed */
static void
CheckOpen(int64 opportunity, const char *status)
{
	if (status && strcmp(status, "open") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("opportunity " INT64_FORMAT " is %s: its lines cannot be changed", opportunity, status),
				 errhint("A closed opportunity stays as it was until reopen_opportunity().")));
}

/* Check a line against its product and its opportunity, and fill in price and currency */
static void
CheckLine(SalesRow *row, int64 opportunity, bool new_product)
{
	char	   *currency = ResultText(0, 2);
	char	   *product = ResultText(0, 3);
	char	   *given = RowText(row, row->new, "currency");
	bool		isnull;

	if (product == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("there is no product " INT64_FORMAT, RowId(row, row->new, "product_id")),
				 errhint("Products are rows of the table product.")));
	if (new_product && !ResultBool(0, 4))
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("product \"%s\" is not for sale", product),
				 errhint("Set its is_active to true to sell it again.")));
	if (currency == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("there is no opportunity " INT64_FORMAT, opportunity)));
	if (given == NULL)
		RowSet(row, "currency", CStringGetTextDatum(currency), false);
	else if (strcmp(given, currency) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a line in %s does not go with opportunity " INT64_FORMAT ", which is in %s", given, opportunity,
						currency),
				 errhint("All lines of an opportunity have its currency.")));
	RowGet(row, row->new, "unit_price", &isnull);
	if (isnull)
	{
		Datum		price = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 5, &isnull);

		if (isnull || strcmp(ResultText(0, 6), currency) != 0)
			ereport(ERROR,
					(errcode(ERRCODE_NOT_NULL_VIOLATION),
					 errmsg("product \"%s\" has no price in %s", product, currency),
					 errhint("Give the line a unit_price.")));
		RowSet(row, "unit_price", price, false);
	}
}

PG_FUNCTION_INFO_V1(guard_line);
/* Check a line that is inserted, changed or deleted */
Datum
guard_line(PG_FUNCTION_ARGS)
{
	SalesRow	row;
	Workspace  *ws;
	WorkspaceRights rights;
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext old;
	HeapTuple	line;
	HeapTuple	result;
	Datum		values[2];
	char		nulls[3] = "  ";
	int64		opportunity;

	RowOpen(fcinfo, &row, "guard_line");
	if (!TRIGGER_FIRED_BEFORE(row.trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("guard_line must be called as a BEFORE trigger")));
	line = row.new ? row.new : row.old;
	opportunity = RowId(&row, line, "opportunity_id");
	if (row.old && row.new && RowId(&row, row.old, "opportunity_id") != opportunity)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("line " INT64_FORMAT " belongs to opportunity " INT64_FORMAT,
						RowId(&row, row.old, "opportunity_line_id"), RowId(&row, row.old, "opportunity_id")),
				 errhint("Delete it there and insert it anew.")));
	ws = WorkspaceOfRelation(row.trigdata->tg_relation);
	SPI_connect();
	WorkspaceEnter(ws, &rights);
	values[0] = Int64GetDatum(opportunity);
	values[1] = Int64GetDatum(RowId(&row, line, "product_id"));
	nulls[0] = opportunity ? ' ' : 'n';
	WorkspaceExecute(ws, &find_terms, values, nulls);
	CheckOpen(opportunity, ResultText(0, 1));
	if (row.new && DatumGetInt64(values[1]) != 0)
		CheckLine(&row, opportunity, row.old == NULL || RowChanges(&row, "product_id"));
	old = MemoryContextSwitchTo(caller);
	result = row.new ? RowResult(&row) : row.old;
	MemoryContextSwitchTo(old);
	SPI_freetuptable(SPI_tuptable);
	WorkspaceLeave(&rights);
	SPI_finish();
	return PointerGetDatum(result);
}

/* Add the opportunities of the lines in a transition table to a batch, neighbours once */
static void
ReadOpportunities(TriggerData *trigdata, Tuplestorestate *tuples, Batch *batch, int64 *last)
{
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	TupleTableSlot *slot;
	int			column = SPI_fnumber(desc, "opportunity_id");

	if (tuples == NULL)
		return;
	slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	tuplestore_select_read_pointer(tuples, tuplestore_alloc_read_pointer(tuples, EXEC_FLAG_REWIND));
	tuplestore_rescan(tuples);
	while (tuplestore_gettupleslot(tuples, true, false, slot))
	{
		bool		isnull;
		int64		id = DatumGetInt64(slot_getattr(slot, column, &isnull));

		CHECK_FOR_INTERRUPTS();
		if (id == *last)
			continue;
		*last = id;
		BatchSet(batch, 0, Int64GetDatum(id));
		BatchNext(batch);
	}
	ExecDropSingleTupleTableSlot(slot);
}

/* Set the amounts of the opportunities whose lines changed */
static void
TotalLines(Workspace *ws, void *arg)
{
	TriggerData *trigdata = arg;
	int64		count = (trigdata->tg_oldtable ? tuplestore_tuple_count(trigdata->tg_oldtable) : 0) +
		(trigdata->tg_newtable ? tuplestore_tuple_count(trigdata->tg_newtable) : 0);
	Batch	   *batch;
	Datum		ids;
	int64		last = 0;
	int			found;

	if (count == 0)
		return;
	batch = BatchCreate(lock_opportunities.args, 1, (int) Min(count, PG_INT32_MAX));
	ReadOpportunities(trigdata, trigdata->tg_oldtable, batch, &last);
	ReadOpportunities(trigdata, trigdata->tg_newtable, batch, &last);
	BatchArrays(ws, batch, &ids);
	found = WorkspaceExecute(ws, &lock_opportunities, &ids, NULL);
	for (int i = 0; i < found; i++)
		CheckOpen(ResultInt64(i, 1, NULL), ResultText(i, 2));
	SPI_freetuptable(SPI_tuptable);
	if (found > 0)
		WorkspaceExecute(ws, &total_opportunities, &ids, NULL);
}

PG_FUNCTION_INFO_V1(total_lines);
/* Let the amounts of opportunities follow their lines */
Datum
total_lines(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigdata->tg_event) ||
		!TRIGGER_FIRED_FOR_STATEMENT(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("total_lines must be called as an AFTER statement trigger with transition tables")));
	SPI_connect();
	WorkspaceRun(WorkspaceOfRelation(trigdata->tg_relation), TotalLines, trigdata);
	SPI_finish();
	return PointerGetDatum(NULL);
}
