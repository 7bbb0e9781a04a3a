/*
 * Rows of trigger calls: reading columns by name, and setting them.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "executor/spi.h"
#include "sales/sales.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/rel.h"

/* Set up the row of a row trigger's call */
void
RowOpen(FunctionCallInfo fcinfo, SalesRow *row, const char *function)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_ROW(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("%s must be called as a row trigger", function)));
	memset(row, 0, sizeof(SalesRow));
	row->trigdata = trigdata;
	row->desc = RelationGetDescr(trigdata->tg_relation);
	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		row->new = trigdata->tg_trigtuple;
	else
	{
		row->old = trigdata->tg_trigtuple;
		if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
			row->new = trigdata->tg_newtuple;
	}
}

/* Get a column by name */
Datum
RowGet(const SalesRow *row, HeapTuple tuple, const char *column, bool *isnull)
{
	return heap_getattr(tuple, SPI_fnumber(row->desc, column), row->desc, isnull);
}

/* Get a column by name as text, NULL when it is null */
char *
RowText(const SalesRow *row, HeapTuple tuple, const char *column)
{
	return SPI_getvalue(tuple, row->desc, SPI_fnumber(row->desc, column));
}

/* Get a bigint column by name, 0 when it is null */
int64
RowId(const SalesRow *row, HeapTuple tuple, const char *column)
{
	bool		isnull;
	Datum		value = RowGet(row, tuple, column, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

/* Does an update change a column, given by its number? */
bool
RowColumnChanges(const SalesRow *row, int column)
{
	Form_pg_attribute attribute = TupleDescAttr(row->desc, column - 1);
	bool		old_null;
	bool		new_null;
	Datum		old = heap_getattr(row->old, column, row->desc, &old_null);
	Datum		new = heap_getattr(row->new, column, row->desc, &new_null);

	return old_null != new_null ||
		(!old_null && !datum_image_eq(old, new, attribute->attbyval, attribute->attlen));
}

/* Does an update change a column, given by its name? */
bool
RowChanges(const SalesRow *row, const char *column)
{
	return RowColumnChanges(row, SPI_fnumber(row->desc, column));
}

/* Note a column of the new row to be set */
void
RowSet(SalesRow *row, const char *column, Datum value, bool isnull)
{
	Assert(row->changes < ROW_MAX_CHANGES);
	row->columns[row->changes] = SPI_fnumber(row->desc, column);
	row->values[row->changes] = value;
	row->nulls[row->changes++] = isnull;
}

/* Get the new row with what was set, in the current memory context */
HeapTuple
RowResult(SalesRow *row)
{
	if (row->changes == 0)
		return row->new;
	return heap_modify_tuple_by_cols(row->new, row->desc, row->changes, row->columns, row->values, row->nulls);
}
