/*
 * Batches: rows gathered column by column and handed to a kept plan as one
 * array a column.  The statement unnests them, so one plan serves one row and
 * thousands, and no statement meets a temporary or transition table.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "workspace/workspace.h"

/* Make an empty batch for some of the arguments of a statement */
Batch *
BatchCreate(const PlanArgument *args, int columns, int capacity)
{
	Batch	   *batch = palloc0(sizeof(Batch));

	capacity = Max(capacity, 1);
	batch->capacity = capacity;
	batch->columns = columns;
	batch->args = args;
	batch->values = palloc(sizeof(Datum *) * columns);
	batch->nulls = palloc(sizeof(bool *) * columns);
	for (int i = 0; i < columns; i++)
	{
		batch->values[i] = palloc0(sizeof(Datum) * capacity);
		batch->nulls[i] = palloc(sizeof(bool) * capacity);
		memset(batch->nulls[i], true, capacity);
	}
	return batch;
}

/* Set a column of the current row */
void
BatchSet(Batch *batch, int column, Datum value)
{
	Assert(column < batch->columns && batch->rows < batch->capacity);
	batch->values[column][batch->rows] = value;
	batch->nulls[column][batch->rows] = false;
}

/* Set a column of the current row to NULL, which it is to begin with */
void
BatchSetNull(Batch *batch, int column)
{
	batch->nulls[column][batch->rows] = true;
}

/* Set a text column of the current row; a NULL pointer is NULL */
void
BatchSetText(Batch *batch, int column, const char *value)
{
	if (value)
		BatchSet(batch, column, CStringGetTextDatum(value));
	else
		BatchSetNull(batch, column);
}

/* Go on to the next row */
void
BatchNext(Batch *batch)
{
	batch->rows++;
}

/* Make the arrays that a statement takes, one a column */
void
BatchArrays(Workspace *ws, Batch *batch, Datum *arrays)
{
	int			lower = 1;

	for (int i = 0; i < batch->columns; i++)
	{
		Oid			element = get_element_type(ws->types[batch->args[i]]);
		int16		length;
		bool		byval;
		char		align;

		get_typlenbyvalalign(element, &length, &byval, &align);
		arrays[i] = PointerGetDatum(construct_md_array(batch->values[i], batch->nulls[i], 1,
													   &batch->rows, &lower, element,
													   length, byval, align));
	}
}

/* Get a text column of a result row, NULL when it is null */
char *
ResultText(uint64 row, int column)
{
	bool		isnull;
	Datum		value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/* Get a bigint column of a result row, 0 when it is null */
int64
ResultInt64(uint64 row, int column, bool *isnull)
{
	bool		null;
	Datum		value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &null);

	if (isnull)
		*isnull = null;
	return null ? 0 : DatumGetInt64(value);
}

/* Get a timestamp column of a result row that is not null */
TimestampTz
ResultTimestamp(uint64 row, int column)
{
	bool		isnull;

	return DatumGetTimestampTz(SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &isnull));
}

/* Get a boolean column of a result row */
bool
ResultBool(uint64 row, int column)
{
	bool		isnull;
	Datum		value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &isnull);

	return !isnull && DatumGetBool(value);
}

/* Get an integer column of a result row */
int
ResultInt(uint64 row, int column)
{
	bool		isnull;

	return DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &isnull));
}

/* Get a double precision column of a result row */
double
ResultDouble(uint64 row, int column)
{
	bool		isnull;

	return DatumGetFloat8(SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &isnull));
}

/* Get a text array column of a result row, without its null elements */
char **
ResultTexts(uint64 row, int column, int *count)
{
	bool		isnull;
	Datum		value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &isnull);
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	char	  **texts;

	*count = 0;
	if (isnull)
		return NULL;
	deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &n);
	texts = palloc(sizeof(char *) * Max(n, 1));
	for (int i = 0; i < n; i++)
		if (!nulls[i])
			texts[(*count)++] = TextDatumGetCString(elements[i]);
	return texts;
}
