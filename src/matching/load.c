/*
 * Reading records from any table or query.
 *
 * Tuples go from the executor straight into chunks.  Once there are many,
 * workers take part: each enters the values of some of the fields into their
 * dictionaries, which it hands over at the end.
 */
#include "postgres.h"

#include <ctype.h>
#include <math.h>

#include "access/parallel.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "matching/team.h"
#include "miscadmin.h"
#include "optimizer/clauses.h"
#include "optimizer/cost.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/regproc.h"
#include "utils/varlena.h"

/* More records are not made room for in advance, and others with a little to spare */
#define MOST_EXPECTED 1e9
#define EXPECTED_SPARE 1.02

/* A sample is taken when it is at most this share of the records, and which one */
#define MOST_SAMPLED 0.5
#define SAMPLE_SEED 1962

/* Texts of records that were read */
typedef struct Chunk
{
	int			rows;
	ChunkText  *texts;			/* by column, then row */
	StringInfoData bytes;
} Chunk;

/* Takes tuples from the executor */
typedef struct RecordReceiver
{
	DestReceiver pub;
	MatchRecords *records;
	Oid			types[MODEL_MAX_FIELDS * 2 + 1];
	uint32		received;		/* records in chunks that are full */
	int			workers;		/* that may be asked for once there are many records */
	uint32		expected;		/* records in all; 0 when unknown */
	ReadTeam   *team;
	List	   *waiting;		/* chunks, until it shows whether there are */
	Chunk	   *chunk;
} RecordReceiver;

/* Make an empty chunk */
static Chunk *
MakeChunk(const MatchRecords *records)
{
	Chunk	   *chunk = palloc0(sizeof(Chunk));

	chunk->texts = palloc(sizeof(ChunkText) * CHUNK_ROWS * Max(records->column_count, 1));
	initStringInfo(&chunk->bytes);
	return chunk;
}

/* Work off a chunk */
static void
WorkOff(RecordReceiver *receiver, Chunk *chunk)
{
	CHECK_FOR_INTERRUPTS();
	if (receiver->team)
		TeamSend(receiver->team, chunk->bytes.data, chunk->bytes.len, chunk->texts, chunk->rows);
	RecordsFill(receiver->records, chunk->bytes.data, chunk->texts, CHUNK_ROWS, chunk->rows);
	chunk->rows = 0;
	resetStringInfo(&chunk->bytes);
}

/* Work off the chunks that waited */
static void
WorkOffWaiting(RecordReceiver *receiver)
{
	ListCell   *cell;

	foreach(cell, receiver->waiting)
	{
		Chunk	   *chunk = lfirst(cell);

		WorkOff(receiver, chunk);
		pfree(chunk->texts);
		pfree(chunk->bytes.data);
		pfree(chunk);
	}
	list_free(receiver->waiting);
	receiver->waiting = NIL;
}

/* A chunk is full: work it off, or keep it until it is clear by whom */
static void
FlushChunk(RecordReceiver *receiver)
{
	MemoryContext old;

	receiver->received += receiver->chunk->rows;
	if (receiver->workers == 0)
	{
		WorkOff(receiver, receiver->chunk);
		return;
	}
	old = MemoryContextSwitchTo(receiver->records->context);
	receiver->waiting = lappend(receiver->waiting, receiver->chunk);
	receiver->chunk = MakeChunk(receiver->records);
	if (receiver->received >= SHARED_MIN_RECORDS)
	{
		receiver->team = TeamStart(receiver->records, receiver->workers, receiver->expected);
		receiver->workers = 0;
		WorkOffWaiting(receiver);
	}
	MemoryContextSwitchTo(old);
}

/* Put a text into the chunk */
static inline void
ChunkAppend(RecordReceiver *receiver, int column, const char *text, int len)
{
	ChunkText  *entry = &receiver->chunk->texts[column * CHUNK_ROWS + receiver->chunk->rows];
	StringInfo	bytes = &receiver->chunk->bytes;

	if (bytes->len + len >= bytes->maxlen)
		enlargeStringInfo(bytes, len);
	entry->offset = bytes->len;
	entry->len = len;
	memcpy(bytes->data + bytes->len, text, len);
	bytes->len += len;
}

/* Write a date as year, month and day */
static int
WriteDate(char *to, DateADT date)
{
	int			year,
				month,
				day;

	if (DATE_NOT_FINITE(date))
		return 0;
	j2date(date + POSTGRES_EPOCH_JDATE, &year, &month, &day);
	if (year < 0 || year > 9999)
		return snprintf(to, MAXDATELEN + 1, "%04d-%02d-%02d", year, month, day);
	for (int i = 3; i >= 0; i--, year /= 10)
		to[i] = '0' + year % 10;
	to[4] = to[7] = '-';
	to[5] = '0' + month / 10;
	to[6] = '0' + month % 10;
	to[8] = '0' + day / 10;
	to[9] = '0' + day % 10;
	return 10;
}

/* Take one tuple from the executor */
static bool
ReceiveTuple(TupleTableSlot *slot, DestReceiver *self)
{
	RecordReceiver *receiver = (RecordReceiver *) self;
	MatchRecords *records = receiver->records;
	Chunk	   *chunk = receiver->chunk;
	uint32		record = receiver->received + chunk->rows;

	if (chunk->rows == 0)
		RecordsReserve(records, receiver->received - records->count + CHUNK_ROWS);
	slot_getallattrs(slot);
	if (slot->tts_isnull[0])
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("a record has no key"),
				 errhint("Leave out the rows whose key column is null.")));
	if (records->has_integer_keys)
		records->integer_keys[record] = receiver->types[0] == INT8OID ? DatumGetInt64(slot->tts_values[0]) :
			DatumGetInt32(slot->tts_values[0]);
	else
	{
		struct varlena *text = PG_DETOAST_DATUM_PACKED(slot->tts_values[0]);

		records->text_keys[record] = records->key_text.len;
		appendBinaryStringInfo(&records->key_text, VARDATA_ANY(text), VARSIZE_ANY_EXHDR(text));
		appendStringInfoChar(&records->key_text, '\0');
		if (text != (struct varlena *) DatumGetPointer(slot->tts_values[0]))
			pfree(text);
	}
	for (int c = 0; c < records->column_count; c++)
	{
		if (slot->tts_isnull[c + 1])
			chunk->texts[c * CHUNK_ROWS + chunk->rows].len = -1;
		else if (receiver->types[c + 1] == DATEOID)
		{
			char		date[MAXDATELEN + 1];

			ChunkAppend(receiver, c, date, WriteDate(date, DatumGetDateADT(slot->tts_values[c + 1])));
		}
		else
		{
			struct varlena *text = PG_DETOAST_DATUM_PACKED(slot->tts_values[c + 1]);

			ChunkAppend(receiver, c, VARDATA_ANY(text), VARSIZE_ANY_EXHDR(text));
			if (text != (struct varlena *) DatumGetPointer(slot->tts_values[c + 1]))
				pfree(text);
		}
	}
	if (++chunk->rows == CHUNK_ROWS)
		FlushChunk(receiver);
	return true;
}

/* Begin to receive tuples */
static void
StartupReceiver(DestReceiver *self, int operation, TupleDesc typeinfo)
{
	RecordReceiver *receiver = (RecordReceiver *) self;

	for (int c = 0; c < typeinfo->natts; c++)
		receiver->types[c] = TupleDescAttr(typeinfo, c)->atttypid;
}

/* All tuples were received; the query that the workers were started in still runs, as it has to */
static void
ShutdownReceiver(DestReceiver *self)
{
	RecordReceiver *receiver = (RecordReceiver *) self;

	FlushChunk(receiver);
	WorkOffWaiting(receiver);
	if (receiver->team)
		TeamFinish(receiver->team);
}

/* There is nothing to be given back */
static void
DestroyReceiver(DestReceiver *self)
{
}

/* Is the text one name, or several with points between them, as SQL writes them? */
static bool
IsQualifiedName(const char *text)
{
	bool		is_quoted = false;

	for (; *text; text++)
	{
		if (*text == '"')
			is_quoted = !is_quoted;
		else if (!is_quoted && !IS_HIGHBIT_SET(*text) && !isalnum((unsigned char) *text) && strchr("_.$", *text) == NULL)
			return false;
	}
	return !is_quoted;
}

/* Get what stands after FROM: a table's qualified name, or a query in parentheses */
char *
RecordsSource(const char *source)
{
	if (IsQualifiedName(source))
	{
		Oid			relid = RangeVarGetRelid(makeRangeVarFromNameList(stringToQualifiedNameList(source)), NoLock, false);

		return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), get_rel_name(relid));
	}
	return psprintf("(%s\n)", source);
}

/* Estimate how many records a query returns, and tell whether it is plain to see */
static double
ExpectedRecords(SPIPlanPtr plan, bool *is_plain)
{
	CachedPlan *cached = SPI_plan_get_cached_plan(plan);
	double		expected = 0;

	*is_plain = false;
	if (cached && list_length(cached->stmt_list) == 1)
	{
		Plan	   *tree = linitial_node(PlannedStmt, cached->stmt_list)->planTree;

		if (tree)
		{
			expected = tree->plan_rows;
			*is_plain = IsA(tree, SeqScan) && tree->qual == NIL && expected < MOST_EXPECTED;
		}
	}
	if (cached)
		ReleaseCachedPlan(cached, NULL);
	return expected;
}

/*
 * Get the columns of a query, as SPI plans it, whether others may work while it
 * runs, and how many records are likely to come
 */
static TupleDesc
SourceColumns(const char *from, bool *is_safe, double *expected, bool *is_plain)
{
	char	   *sql = psprintf("SELECT * FROM %s AS source", from);
	SPIPlanPtr	plan = SPI_prepare(sql, 0, NULL);
	List	   *sources;
	CachedPlanSource *source;

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	sources = SPI_plan_get_plan_sources(plan);
	source = list_length(sources) == 1 ? linitial(sources) : NULL;
	if (source == NULL || source->resultDesc == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the records are not one query"),
				 errhint("Give the name of a table or one SELECT.")));
	*is_safe = list_length(source->query_list) == 1 &&
		max_parallel_hazard(linitial_node(Query, source->query_list)) != PROPARALLEL_UNSAFE;
	*expected = ExpectedRecords(plan, is_plain);
	return CreateTupleDescCopy(source->resultDesc);
}

/* Find a column; an error lists those there are */
static Form_pg_attribute
FindColumn(TupleDesc columns, const char *name)
{
	StringInfoData known;

	for (int c = 0; c < columns->natts; c++)
		if (strcmp(NameStr(TupleDescAttr(columns, c)->attname), name) == 0)
			return TupleDescAttr(columns, c);
	initStringInfo(&known);
	for (int c = 0; c < columns->natts; c++)
		appendStringInfo(&known, "%s%s", c ? ", " : "", NameStr(TupleDescAttr(columns, c)->attname));
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("the records have no column \"%s\"", name),
			 errhint("Their columns are: %s.", known.data)));
}

/*
 * Keep a share of the records, by a hash of their keys: it is the same in
 * whatever order they come
 */
static void
AppendSample(StringInfo sql, const char *key, bool is_integer, double share)
{
	appendStringInfo(sql, is_integer ? " WHERE pg_catalog.hashint8extended(source.%s, %d)" :
					 " WHERE pg_catalog.hashtextextended(source.%s::pg_catalog.text COLLATE pg_catalog.\"C\", %d)",
					 key, SAMPLE_SEED);
	appendStringInfo(sql, " < " INT64_FORMAT, (int64) ((2 * share - 1) * PG_INT64_MAX));
}

/*
 * Read records from a table or query, behind those that are there, or a sample
 * of so many unless they are hardly more; workers may take part where none are
 * to come behind these
 */
static void
LoadRecords(MatchRecords *records, const char *source, const char *key_column, bool is_all, double wanted)
{
	RecordReceiver receiver = {0};
	SPIExecuteOptions options = {0};
	StringInfoData sql;
	TupleDesc	columns;
	Form_pg_attribute key;
	Oid			key_type;
	char	   *from;
	double		expected;
	bool		is_safe;
	bool		is_plain;
	bool		is_integer;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	from = RecordsSource(source);
	columns = SourceColumns(from, &is_safe, &expected, &is_plain);
	key = key_column ? FindColumn(columns, key_column) : TupleDescAttr(columns, 0);
	key_type = getBaseType(key->atttypid);
	is_integer = key_type == INT4OID || key_type == INT8OID;
	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT source.%s%s", quote_identifier(NameStr(key->attname)),
					 is_integer ? "" : "::pg_catalog.text");
	for (int c = 0; c < records->column_count; c++)
	{
		Form_pg_attribute column = FindColumn(columns, records->columns[c]);

		appendStringInfo(&sql, ", source.%s%s", quote_identifier(NameStr(column->attname)),
						 column->atttypid == DATEOID ? "" : "::pg_catalog.text");
	}
	appendStringInfo(&sql, " FROM %s AS source", from);
	if (expected * MOST_SAMPLED > wanted)
	{
		records->share = wanted / expected;
		AppendSample(&sql, quote_identifier(NameStr(key->attname)), is_integer, records->share);
	}
	if (is_safe && is_plain)
		receiver.expected = expected * records->share * EXPECTED_SPARE + 2 * CHUNK_ROWS;

	if (records->count == 0)
	{
		MemoryContext old = MemoryContextSwitchTo(records->context);

		records->has_integer_keys = is_integer;
		if (records->has_integer_keys)
			records->integer_keys = palloc(sizeof(int64) * records->capacity);
		else
			records->text_keys = palloc(sizeof(uint64) * records->capacity);
		MemoryContextSwitchTo(old);
	}
	else if (records->has_integer_keys != is_integer)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the keys of the two sets of records are of different types")));

	receiver.pub.receiveSlot = ReceiveTuple;
	receiver.pub.rStartup = StartupReceiver;
	receiver.pub.rShutdown = ShutdownReceiver;
	receiver.pub.rDestroy = DestroyReceiver;
	receiver.pub.mydest = DestNone;
	receiver.records = records;
	receiver.received = records->count;
	receiver.workers = is_all && is_safe && !IsInParallelMode() ? max_parallel_workers_per_gather : 0;
	receiver.chunk = MakeChunk(records);
	options.read_only = true;
	options.dest = &receiver.pub;
	if (SPI_execute_extended(sql.data, &options) < 0)
		elog(ERROR, "SPI_execute_extended failed: %s", SPI_result_code_string(SPI_result));
	SPI_finish();
	RecordsReport(records, "%u records read", records->count);
}

/* Read all records of a table or query, behind those that are there; is_all: no others come behind these */
void
RecordsLoad(MatchRecords *records, const char *source, const char *key_column, bool is_all)
{
	LoadRecords(records, source, key_column, is_all, INFINITY);
}

/* Read a sample of about so many records of a table or query, or all of them unless they are many more */
void
RecordsLoadSample(MatchRecords *records, const char *source, const char *key_column, double wanted)
{
	LoadRecords(records, source, key_column, true, wanted);
}
