/*
 * Rows to learn from, by column, read from any table or query.
 */
#ifndef LEAD_MGMT_LEARN_TABLE_H
#define LEAD_MGMT_LEARN_TABLE_H

#include "access/tupdesc.h"
#include "learning/logistic.h"

/* A distinct text of a column */
typedef struct LearnText
{
	char	   *value;
	int			length;
	uint32		hash;
} LearnText;

/* The text number of a value that is not known */
#define TEXT_MISSING 0

typedef struct LearnColumn
{
	const char *name;
	bool		is_number;
	double	   *numbers;		/* NaN where missing */
	uint32	   *texts;			/* numbers of texts */
	LearnText  *values;			/* by number; the first stands for nothing */
	uint32		value_count;
	uint32		value_capacity;
	uint32	   *slots;			/* hash table of numbers, a power of two */
	uint32		slot_count;
} LearnColumn;

typedef struct LearnTable
{
	MemoryContext context;
	int64		rows;
	int64		capacity;
	bool	   *outcomes;
	int			column_count;
	LearnColumn *columns;
} LearnTable;

/* What is known of a column of a source without reading it */
typedef struct SourceColumn
{
	char	   *name;
	Oid			type;
} SourceColumn;

extern SourceColumn *LearnSourceColumns(const char *source, int *count);
extern bool LearnIsNumber(Oid type);
extern LearnTable *LearnRead(const char *source, const char *label, const LogisticFeature *features, int count);

#endif
