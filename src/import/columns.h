/*
 * The columns of an import, and how their values are read.
 */
#ifndef LEAD_MGMT_IMPORT_COLUMNS_H
#define LEAD_MGMT_IMPORT_COLUMNS_H

#include "executor/spi.h"
#include "utils/jsonb.h"
#include "workspace/workspace.h"

/* How the text of a column stands */
typedef enum
{
	CELL_TEXT,					/* as people write it */
	CELL_EXACT,					/* as its type writes it */
	CELL_JSON					/* as JSON */
} CellForm;

typedef enum
{
	COLUMN_TEXT,
	COLUMN_DATE,
	COLUMN_NUMBER
} ColumnKind;

typedef struct ImportColumn
{
	char	   *name;
	char	   *key;			/* its name in the payload, NULL to leave the column out */
	char	   *field;			/* what it is read as, NULL when nothing */
	ColumnKind	kind;
	CellForm	form;
} ImportColumn;

typedef struct ImportColumns
{
	int			count;
	ImportColumn *items;
	int		   *order;			/* columns by their keys */
	const char *date_order;		/* NULL when none is declared */
	char		decimal_mark;	/* 0 when none is declared */
} ImportColumns;

extern char *ColumnsOpen(ImportColumns *columns, Oid source);
extern void ColumnsDeclare(ImportColumns *columns, char *date_order, const char *decimal_mark);
extern Datum ColumnsMap(ImportColumns *columns, Workspace *ws, Oid source, const char *form, Jsonb *mapping);
extern bool ColumnsReadRow(const ImportColumns *columns, HeapTuple tuple, TupleDesc desc, StringInfo payload,
						   StringInfo said, StringInfo reasons);

#endif
