/*
 * Columns: what those of any table hold, judged by names, types and values.
 */
#ifndef LEAD_MGMT_COLUMNS_H
#define LEAD_MGMT_COLUMNS_H

#include "matching/model.h"

/* A column and what was seen of its values */
typedef struct Column
{
	char	   *name;
	Oid			type;
	bool		is_known;		/* worth comparing, */
	bool		is_named;		/* because its name says so */
	bool		is_doubtful;	/* names of persons or of organisations */
	FieldKind	kind;
	int			given;			/* values that are not blank */
	int			distinct;
	double		bytes;			/* on average */
	double		words;
	double		digits;			/* share of the characters */
	int			letters_only;	/* values that are made of letters, blanks, hyphens and dots */
	int			given_names;	/* that hold a usual given name, */
	int			organisations;	/* a word of organisations, */
	int			legal_forms;	/* and so on */
	int			emails;
	int			dates;
	int			phones;
	int			hosts;
	int			streets;
} Column;

extern void ColumnLookAt(Column *column, int number, StringInfo scratch);
extern bool ColumnDecide(Column *column, int rows);
extern void ColumnsFindFamilyNames(Column *columns, int count);
extern void ColumnsFindOrganisations(Column *columns, int count);
extern void ColumnsKeepBest(Column *columns, int count);

#endif
