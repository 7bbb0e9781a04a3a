/*
 * Reading rows to learn from.
 *
 * Tuples go from the executor straight into arrays, one a column: numbers as
 * they are, texts as numbers of distinct texts.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "learning/table.h"
#include "matching/arrays.h"
#include "matching/records.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"

#define FIRST_CAPACITY 1024

/* Takes tuples from the executor */
typedef struct LearnReceiver
{
	DestReceiver pub;
	LearnTable *table;
	bool		label_is_number;
} LearnReceiver;

/* Is a type read as a number? */
bool
LearnIsNumber(Oid type)
{
	switch (getBaseType(type))
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
			return true;
		default:
			return false;
	}
}

/* Make room for a column's texts in its hash table */
static void
GrowSlots(LearnColumn *column, MemoryContext context)
{
	if (column->slots)
		pfree(column->slots);
	column->slot_count = Max(column->slot_count * 2, FIRST_CAPACITY);
	column->slots = ArrayAllocateZero(context, sizeof(uint32) * (uint64) column->slot_count);
	for (uint32 v = 1; v < column->value_count; v++)
	{
		uint32		slot = column->values[v].hash & (column->slot_count - 1);

		while (column->slots[slot])
			slot = (slot + 1) & (column->slot_count - 1);
		column->slots[slot] = v;
	}
}

/* Get the number of a text */
static uint32
EnterText(LearnTable *table, LearnColumn *column, const char *text, int length)
{
	uint32		hash = hash_bytes((const unsigned char *) text, length);
	uint32		slot = hash & (column->slot_count - 1);
	LearnText  *value;

	for (; column->slots[slot]; slot = (slot + 1) & (column->slot_count - 1))
	{
		value = &column->values[column->slots[slot]];
		if (value->hash == hash && value->length == length && memcmp(value->value, text, length) == 0)
			return column->slots[slot];
	}
	if (column->value_count == column->value_capacity)
	{
		column->value_capacity *= 2;
		column->values = ArrayGrow(column->values, sizeof(LearnText) * (uint64) column->value_capacity);
	}
	value = &column->values[column->value_count];
	value->value = MemoryContextAlloc(table->context, length + 1);
	memcpy(value->value, text, length);
	value->value[length] = '\0';
	value->length = length;
	value->hash = hash;
	column->slots[slot] = column->value_count++;
	if (column->value_count * (uint64) 2 > column->slot_count)
		GrowSlots(column, table->context);
	return column->value_count - 1;
}

/* Make room for more rows */
static void
Reserve(LearnTable *table)
{
	table->capacity *= 2;
	table->outcomes = ArrayGrow(table->outcomes, sizeof(bool) * table->capacity);
	for (int c = 0; c < table->column_count; c++)
		if (table->columns[c].is_number)
			table->columns[c].numbers = ArrayGrow(table->columns[c].numbers, sizeof(double) * table->capacity);
		else
			table->columns[c].texts = ArrayGrow(table->columns[c].texts, sizeof(uint32) * table->capacity);
}

/* Get the outcome that a number stands for */
static bool
OutcomeOfNumber(double number)
{
	if (number != 0 && number != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a label is %g", number),
				 errhint("A label is boolean, or a number that is 1 or 0.")));
	return number == 1;
}

/* Take one tuple from the executor */
static bool
ReceiveTuple(TupleTableSlot *slot, DestReceiver *self)
{
	LearnTable *table = ((LearnReceiver *) self)->table;

	if (table->rows == table->capacity)
		Reserve(table);
	slot_getallattrs(slot);
	if (slot->tts_isnull[0])
		return true;
	table->outcomes[table->rows] = ((LearnReceiver *) self)->label_is_number ?
		OutcomeOfNumber(DatumGetFloat8(slot->tts_values[0])) : DatumGetBool(slot->tts_values[0]);
	for (int c = 0; c < table->column_count; c++)
	{
		LearnColumn *column = &table->columns[c];

		if (column->is_number)
			column->numbers[table->rows] = slot->tts_isnull[c + 1] ? NAN : DatumGetFloat8(slot->tts_values[c + 1]);
		else if (slot->tts_isnull[c + 1])
			column->texts[table->rows] = TEXT_MISSING;
		else
		{
			struct varlena *text = PG_DETOAST_DATUM_PACKED(slot->tts_values[c + 1]);

			column->texts[table->rows] = EnterText(table, column, VARDATA_ANY(text), VARSIZE_ANY_EXHDR(text));
			if (text != (struct varlena *) DatumGetPointer(slot->tts_values[c + 1]))
				pfree(text);
		}
	}
	table->rows++;
	return true;
}

/* Begin to receive tuples */
static void
StartupReceiver(DestReceiver *self, int operation, TupleDesc typeinfo)
{
	((LearnReceiver *) self)->label_is_number = TupleDescAttr(typeinfo, 0)->atttypid == FLOAT8OID;
}

/* All tuples were received */
static void
ShutdownReceiver(DestReceiver *self)
{
}

/* Get the columns of a source; within SPI */
SourceColumn *
LearnSourceColumns(const char *source, int *count)
{
	char	   *sql = psprintf("SELECT * FROM %s AS source", RecordsSource(source));
	SPIPlanPtr	plan = SPI_prepare(sql, 0, NULL);
	List	   *sources;
	TupleDesc	desc;
	SourceColumn *columns;

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	sources = SPI_plan_get_plan_sources(plan);
	if (list_length(sources) != 1 || ((CachedPlanSource *) linitial(sources))->resultDesc == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the records are not one query"),
				 errhint("Give the name of a table or one SELECT.")));
	desc = ((CachedPlanSource *) linitial(sources))->resultDesc;
	columns = palloc(sizeof(SourceColumn) * Max(desc->natts, 1));
	*count = desc->natts;
	for (int c = 0; c < desc->natts; c++)
	{
		columns[c].name = pstrdup(NameStr(TupleDescAttr(desc, c)->attname));
		columns[c].type = TupleDescAttr(desc, c)->atttypid;
	}
	return columns;
}

/* Find a column, or complain */
static const SourceColumn *
FindColumn(const SourceColumn *columns, int count, const char *name)
{
	StringInfoData known;

	for (int c = 0; c < count; c++)
		if (strcmp(columns[c].name, name) == 0)
			return &columns[c];
	initStringInfo(&known);
	for (int c = 0; c < count; c++)
		appendStringInfo(&known, "%s%s", c ? ", " : "", columns[c].name);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("the records have no column \"%s\"", name),
			 errhint("Their columns are: %s.", known.data)));
}

/* Write the query that brings the outcome and the columns of features */
static char *
ReadQuery(const char *source, const char *label, const LogisticFeature *features, int count)
{
	int			column_count;
	SourceColumn *columns = LearnSourceColumns(source, &column_count);
	const SourceColumn *outcome = FindColumn(columns, column_count, label);
	StringInfoData sql;

	initStringInfo(&sql);
	if (getBaseType(outcome->type) == BOOLOID)
		appendStringInfo(&sql, "SELECT source.%s", quote_identifier(label));
	else if (LearnIsNumber(outcome->type))
		appendStringInfo(&sql, "SELECT source.%s::pg_catalog.float8", quote_identifier(label));
	else
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("label \"%s\" is of type %s", label, format_type_be(outcome->type)),
				 errhint("A label is boolean, or a number that is 1 or 0.")));
	for (int f = 0; f < count; f++)
	{
		const SourceColumn *column = FindColumn(columns, column_count, features[f].name);
		Oid			type = getBaseType(column->type);
		const char *name = quote_identifier(column->name);

		if (features[f].kind == FEATURE_CATEGORICAL)
			appendStringInfo(&sql, ", source.%s::pg_catalog.text", name);
		else if (LearnIsNumber(type))
			appendStringInfo(&sql, ", source.%s::pg_catalog.float8", name);
		else if (type == BOOLOID)
			appendStringInfo(&sql, ", source.%s::pg_catalog.int4::pg_catalog.float8", name);
		else if (type == DATEOID || type == TIMESTAMPOID || type == TIMESTAMPTZOID || type == INTERVALOID)
			appendStringInfo(&sql, ", pg_catalog.date_part('epoch', source.%s)", name);
		else
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("feature \"%s\" is %s but of type %s", features[f].name,
							FeatureKindName(features[f].kind), format_type_be(column->type)),
					 errhint("Make it categorical, or cast it to a number.")));
	}
	appendStringInfo(&sql, " FROM %s AS source", RecordsSource(source));
	return sql.data;
}

/*
 * Read the rows of a table or query whose label is known.  Memory: 8 bytes a
 * row for each numeric or binned feature, 4 for each categorical one.
 */
LearnTable *
LearnRead(const char *source, const char *label, const LogisticFeature *features, int count)
{
	LearnTable *table = palloc0(sizeof(LearnTable));
	LearnReceiver receiver = {0};
	SPIExecuteOptions options = {0};

	table->context = CurrentMemoryContext;
	table->column_count = count;
	table->columns = palloc0(sizeof(LearnColumn) * Max(count, 1));
	table->capacity = FIRST_CAPACITY;
	table->outcomes = palloc(sizeof(bool) * table->capacity);
	for (int c = 0; c < count; c++)
	{
		LearnColumn *column = &table->columns[c];

		column->name = features[c].name;
		column->is_number = features[c].kind != FEATURE_CATEGORICAL;
		if (column->is_number)
			column->numbers = palloc(sizeof(double) * table->capacity);
		else
		{
			column->texts = palloc(sizeof(uint32) * table->capacity);
			column->value_capacity = FIRST_CAPACITY;
			column->values = palloc0(sizeof(LearnText) * column->value_capacity);
			column->value_count = 1;
			GrowSlots(column, table->context);
		}
	}
	receiver.pub.receiveSlot = ReceiveTuple;
	receiver.pub.rStartup = StartupReceiver;
	receiver.pub.rShutdown = ShutdownReceiver;
	receiver.pub.rDestroy = ShutdownReceiver;
	receiver.pub.mydest = DestNone;
	receiver.table = table;
	options.read_only = true;
	options.dest = &receiver.pub;
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute_extended(ReadQuery(source, label, features, count), &options) < 0)
		elog(ERROR, "SPI_execute_extended failed: %s", SPI_result_code_string(SPI_result));
	SPI_finish();
	return table;
}
