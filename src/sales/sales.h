/*
 * What sales works with: opportunities and their lines, tasks, activities.
 * The rows of trigger calls, as the triggers of this room read and change them.
 */
#ifndef LEAD_MGMT_SALES_H
#define LEAD_MGMT_SALES_H

#include "access/htup.h"
#include "commands/trigger.h"
#include "workspace/workspace.h"

/* Most columns that a trigger of this room sets in one row */
#define ROW_MAX_CHANGES 4

/* A row as a trigger sees it */
typedef struct SalesRow
{
	TriggerData *trigdata;
	TupleDesc	desc;
	HeapTuple	old;			/* NULL on insert */
	HeapTuple	new;			/* NULL on delete */
	int			changes;
	int			columns[ROW_MAX_CHANGES];
	Datum		values[ROW_MAX_CHANGES];
	bool		nulls[ROW_MAX_CHANGES];
} SalesRow;

extern void RowOpen(FunctionCallInfo fcinfo, SalesRow *row, const char *function);
extern Datum RowGet(const SalesRow *row, HeapTuple tuple, const char *column, bool *isnull);
extern char *RowText(const SalesRow *row, HeapTuple tuple, const char *column);
extern int64 RowId(const SalesRow *row, HeapTuple tuple, const char *column);
extern bool RowChanges(const SalesRow *row, const char *column);
extern bool RowColumnChanges(const SalesRow *row, int column);
extern void RowSet(SalesRow *row, const char *column, Datum value, bool isnull);
extern HeapTuple RowResult(SalesRow *row);

#endif
