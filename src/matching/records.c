/*
 * Reading records from any table or query, or one at a time.
 *
 * Tuples go from the executor straight into chunks, and a chunk is worked off
 * field by field, so that the hash table of one dictionary stays in the cache
 * and its memory can be fetched ahead.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "matching/records.h"
#include "miscadmin.h"
#include "normalise/normalise.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/regproc.h"
#include "utils/varlena.h"

#define CHUNK_ROWS 512
#define FIRST_CAPACITY 1024

/* A text of a chunk */
typedef struct ChunkText
{
	uint32		offset;
	int			len;			/* negative for null */
} ChunkText;

/* Takes tuples from the executor */
typedef struct RecordReceiver
{
	DestReceiver pub;
	MatchRecords *records;
	int			columns;		/* the key included */
	Oid			types[MODEL_MAX_FIELDS * 2 + 1];
	int			rows;
	ChunkText  *texts;			/* by column, then row */
	StringInfoData bytes;
} RecordReceiver;

/* Collect the columns that a model reads */
static void
CollectColumns(MatchRecords *records)
{
	for (int f = 0; f < records->model->field_count; f++)
	{
		const ModelField *field = &records->model->fields[f];
		const char *wanted[2] = {field->column, field->full_name};

		for (int w = 0; w < 2; w++)
		{
			bool		found = wanted[w] == NULL;

			for (int c = 0; c < records->column_count && !found; c++)
				found = strcmp(records->columns[c], wanted[w]) == 0;
			if (!found)
				records->columns[records->column_count++] = wanted[w];
		}
	}
}

/* Make an empty set of records, to be compared by a model */
MatchRecords *
RecordsCreate(const MatchModel *model)
{
	MatchRecords *records = palloc0(sizeof(MatchRecords));

	records->model = model;
	records->context = CurrentMemoryContext;
	records->capacity = FIRST_CAPACITY;
	records->ids = palloc(sizeof(uint32) * records->capacity * model->field_count);
	for (int d = 0; d < model->dictionary_count; d++)
		DictionaryInit(&records->dictionaries[d], records->context);
	for (int f = 0; f < model->field_count; f++)
	{
		const ModelField *field = &model->fields[f];
		MatchDictionary *dictionary = &records->dictionaries[field->dictionary];

		if (field->part == PART_MAILBOX)
			records->dictionaries[model->fields[field->whole].dictionary].mailboxes = dictionary;
		if (field->part == PART_DOMAIN)
		{
			MatchDictionary *whole = &records->dictionaries[model->fields[field->whole].dictionary];

			whole->domain_names = dictionary;
			whole->domains = palloc0(sizeof(uint32) * whole->capacity);
		}
		if (field->has_words && !dictionary->has_words)
		{
			dictionary->has_words = true;
			dictionary->words = palloc(sizeof(MatchDictionary));
			DictionaryInit(dictionary->words, records->context);
			dictionary->token_size = FIRST_CAPACITY;
			dictionary->tokens = palloc(sizeof(uint32) * dictionary->token_size);
		}
	}
	initStringInfo(&records->key_text);
	InitPersonName(&records->name);
	CollectColumns(records);
	return records;
}

/* Make room for more records */
static void
ReserveRecords(MatchRecords *records, uint32 more)
{
	if (records->count + (uint64) more <= records->capacity)
		return;
	if (records->count + (uint64) more > INT_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("more than %d records", INT_MAX)));
	records->capacity = Max(records->capacity * 2, records->count + more);
	records->ids = repalloc_huge(records->ids, sizeof(uint32) * (uint64) records->capacity * records->model->field_count);
	if (records->integer_keys)
		records->integer_keys = repalloc_huge(records->integer_keys, sizeof(int64) * (uint64) records->capacity);
	if (records->text_keys)
		records->text_keys = repalloc_huge(records->text_keys, sizeof(uint64) * (uint64) records->capacity);
}

/* Get the place of a column */
static int
ColumnIndex(const MatchRecords *records, const char *column)
{
	for (int c = 0; c < records->column_count; c++)
		if (strcmp(records->columns[c], column) == 0)
			return c;
	return -1;
}

/* Enter the given or the family name of a whole name */
static uint32
EnterFromFullName(MatchRecords *records, MatchDictionary *dictionary, FieldKind kind, const char *text, int len)
{
	StringInfo	part = kind == KIND_GIVEN_NAME ? &records->name.given : &records->name.family;

	ParsePersonName(&records->name, text, len, NULL);
	return DictionaryEnter(dictionary, kind, part->data, part->len, DictionaryHash(kind, part->data, part->len));
}

/* Fill one field of new records from the texts of its columns */
static void
FillField(MatchRecords *records, int f, const char *bytes, const ChunkText *texts, const ChunkText *full_names,
		  int rows)
{
	const MatchModel *model = records->model;
	const ModelField *field = &model->fields[f];
	MatchDictionary *dictionary = &records->dictionaries[field->dictionary];
	uint32	   *ids = records->ids + (uint64) records->count * model->field_count + f;
	uint64		hashes[CHUNK_ROWS];

	if (field->whole >= 0)
	{
		const MatchDictionary *whole = &records->dictionaries[model->fields[field->whole].dictionary];

		for (int r = 0; r < rows; r++)
		{
			uint32		id = ids[r * model->field_count + field->whole - f];

			id = field->part == PART_MAILBOX ? whole->values[id].extra : whole->domains[id];
			ids[r * model->field_count] = id;
			dictionary->values[id].count++;
		}
		return;
	}
	for (int r = 0; r < rows; r++)
		if (texts && texts[r].len > 0)
		{
			hashes[r] = DictionaryHash(field->kind, bytes + texts[r].offset, texts[r].len);
			DictionaryPrefetch(dictionary, hashes[r]);
		}
	for (int r = 0; r < rows; r++)
	{
		uint32		id = VALUE_BLANK;

		if (texts && texts[r].len > 0)
			id = DictionaryEnter(dictionary, field->kind, bytes + texts[r].offset, texts[r].len, hashes[r]);
		if (id == VALUE_BLANK && full_names && full_names[r].len > 0)
			id = EnterFromFullName(records, dictionary, field->kind, bytes + full_names[r].offset, full_names[r].len);
		ids[r * model->field_count] = id;
		dictionary->values[id].count++;
	}
}

/* Fill all fields of new records; texts are by column, then row */
static void
FillRecords(MatchRecords *records, const char *bytes, const ChunkText *texts, int stride, int rows)
{
	ReserveRecords(records, rows);
	for (int f = 0; f < records->model->field_count; f++)
	{
		const ModelField *field = &records->model->fields[f];
		int			column = field->column ? ColumnIndex(records, field->column) : -1;
		int			full_name = field->full_name ? ColumnIndex(records, field->full_name) : -1;

		FillField(records, f, bytes, column < 0 ? NULL : texts + column * stride,
				  full_name < 0 ? NULL : texts + full_name * stride, rows);
	}
	records->count += rows;
}

/* Add one record, its values in the order of the columns; returns its number */
uint32
RecordsAdd(MatchRecords *records, const char *const *values, const int *lengths)
{
	ChunkText	texts[MODEL_MAX_FIELDS * 2];
	StringInfoData bytes;

	initStringInfo(&bytes);
	for (int c = 0; c < records->column_count; c++)
	{
		texts[c].offset = bytes.len;
		texts[c].len = values[c] ? lengths[c] : -1;
		if (values[c])
			appendBinaryStringInfo(&bytes, values[c], lengths[c]);
	}
	FillRecords(records, bytes.data, texts, 1, 1);
	pfree(bytes.data);
	return records->count - 1;
}

/* Work off the rows of a chunk */
static void
FlushChunk(RecordReceiver *receiver)
{
	MatchRecords *records = receiver->records;

	if (receiver->rows == 0)
		return;
	CHECK_FOR_INTERRUPTS();
	FillRecords(records, receiver->bytes.data, receiver->texts, CHUNK_ROWS, receiver->rows);
	receiver->rows = 0;
	resetStringInfo(&receiver->bytes);
}

/* Put a text into the chunk */
static void
ChunkAppend(RecordReceiver *receiver, int column, const char *text, int len)
{
	ChunkText  *entry = &receiver->texts[column * CHUNK_ROWS + receiver->rows];

	entry->offset = receiver->bytes.len;
	entry->len = len;
	appendBinaryStringInfo(&receiver->bytes, text, len);
}

/* Take one tuple from the executor */
static bool
ReceiveTuple(TupleTableSlot *slot, DestReceiver *self)
{
	RecordReceiver *receiver = (RecordReceiver *) self;
	MatchRecords *records = receiver->records;
	uint32		record = records->count + receiver->rows;

	if (receiver->rows == 0)
		ReserveRecords(records, CHUNK_ROWS);
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
			receiver->texts[c * CHUNK_ROWS + receiver->rows].len = -1;
		else if (receiver->types[c + 1] == DATEOID)
		{
			char		date[MAXDATELEN + 1];
			int			year,
						month,
						day;
			DateADT		value = DatumGetDateADT(slot->tts_values[c + 1]);
			int			len = 0;

			if (!DATE_NOT_FINITE(value))
			{
				j2date(value + POSTGRES_EPOCH_JDATE, &year, &month, &day);
				len = snprintf(date, sizeof(date), "%04d-%02d-%02d", year, month, day);
			}
			ChunkAppend(receiver, c, date, len);
		}
		else
		{
			struct varlena *text = PG_DETOAST_DATUM_PACKED(slot->tts_values[c + 1]);

			ChunkAppend(receiver, c, VARDATA_ANY(text), VARSIZE_ANY_EXHDR(text));
			if (text != (struct varlena *) DatumGetPointer(slot->tts_values[c + 1]))
				pfree(text);
		}
	}
	if (++receiver->rows == CHUNK_ROWS)
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

/* All tuples were received */
static void
ShutdownReceiver(DestReceiver *self)
{
}

/* Get what stands after FROM: a table's qualified name, or a query in parentheses */
char *
RecordsSource(const char *source)
{
	List	   *names;
	Oid			relid = InvalidOid;

	if (strspn(source, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.\"$") == strlen(source))
	{
		names = stringToQualifiedNameList(source);
		relid = RangeVarGetRelid(makeRangeVarFromNameList(names), NoLock, false);
	}
	if (OidIsValid(relid))
		return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), get_rel_name(relid));
	return psprintf("(%s\n)", source);
}

/* Get the columns of a query, as SPI plans it */
static TupleDesc
SourceColumns(const char *from)
{
	char	   *sql = psprintf("SELECT * FROM %s AS source", from);
	SPIPlanPtr	plan = SPI_prepare(sql, 0, NULL);
	List	   *sources;

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	sources = SPI_plan_get_plan_sources(plan);
	if (list_length(sources) != 1 || ((CachedPlanSource *) linitial(sources))->resultDesc == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the records are not one query"),
				 errhint("Give the name of a table or one SELECT.")));
	return CreateTupleDescCopy(((CachedPlanSource *) linitial(sources))->resultDesc);
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

/* Read records from a table or query, behind those that are there */
void
RecordsLoad(MatchRecords *records, const char *source, const char *key_column)
{
	RecordReceiver receiver = {0};
	SPIExecuteOptions options = {0};
	StringInfoData sql;
	TupleDesc	columns;
	Form_pg_attribute key;
	Oid			key_type;
	char	   *from;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	from = RecordsSource(source);
	columns = SourceColumns(from);
	key = key_column ? FindColumn(columns, key_column) : TupleDescAttr(columns, 0);
	key_type = getBaseType(key->atttypid);
	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT source.%s%s", quote_identifier(NameStr(key->attname)),
					 key_type == INT4OID || key_type == INT8OID ? "" : "::pg_catalog.text");
	for (int c = 0; c < records->column_count; c++)
	{
		Form_pg_attribute column = FindColumn(columns, records->columns[c]);

		appendStringInfo(&sql, ", source.%s%s", quote_identifier(NameStr(column->attname)),
						 column->atttypid == DATEOID ? "" : "::pg_catalog.text");
	}
	appendStringInfo(&sql, " FROM %s AS source", from);

	if (records->count == 0)
	{
		MemoryContext old = MemoryContextSwitchTo(records->context);

		records->has_integer_keys = key_type == INT4OID || key_type == INT8OID;
		if (records->has_integer_keys)
			records->integer_keys = palloc(sizeof(int64) * records->capacity);
		else
			records->text_keys = palloc(sizeof(uint64) * records->capacity);
		MemoryContextSwitchTo(old);
	}
	else if (records->has_integer_keys != (key_type == INT4OID || key_type == INT8OID))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the keys of the two sets of records are of different types")));

	receiver.pub.receiveSlot = ReceiveTuple;
	receiver.pub.rStartup = StartupReceiver;
	receiver.pub.rShutdown = ShutdownReceiver;
	receiver.pub.rDestroy = ShutdownReceiver;
	receiver.pub.mydest = DestNone;
	receiver.records = records;
	receiver.texts = palloc(sizeof(ChunkText) * CHUNK_ROWS * Max(records->column_count, 1));
	initStringInfo(&receiver.bytes);
	options.read_only = true;
	options.dest = &receiver.pub;
	if (SPI_execute_extended(sql.data, &options) < 0)
		elog(ERROR, "SPI_execute_extended failed: %s", SPI_result_code_string(SPI_result));
	FlushChunk(&receiver);
	SPI_finish();
}

/* Get -log2 of the frequency of each value of a dictionary, as the model knows it */
static double *
Rarities(const MatchDictionary *dictionary, int count, char *const *frequent, const double *frequencies,
		 double rest, MemoryContext context)
{
	double	   *rarity = MemoryContextAllocHuge(context, sizeof(double) * (uint64) dictionary->count);
	double		rest_rarity = -log2(rest);

	for (uint32 id = 0; id < dictionary->count; id++)
		rarity[id] = rest_rarity;
	for (int i = 0; i < count; i++)
	{
		uint32		id = DictionaryFind(dictionary, frequent[i], strlen(frequent[i]));

		if (id != VALUE_BLANK)
			rarity[id] = -log2(frequencies[i]);
	}
	return rarity;
}

/* Look up how rare the values of all records are, once they are all there */
void
RecordsSetRarity(MatchRecords *records)
{
	for (int f = 0; f < records->model->field_count; f++)
	{
		const ModelField *field = &records->model->fields[f];
		const MatchDictionary *dictionary = FieldDictionary(records, f);

		if (records->rarity[f])
			pfree(records->rarity[f]);
		if (records->word_rarity[f])
			pfree(records->word_rarity[f]);
		records->rarity[f] = Rarities(dictionary, field->frequency_count, field->frequent, field->frequencies,
									  field->rest_frequency, records->context);
		records->rarity_size[f] = dictionary->count;
		records->word_rarity_size[f] = dictionary->words ? dictionary->words->count : 0;
		records->word_rarity[f] = dictionary->words == NULL ? NULL :
			Rarities(dictionary->words, field->word_count, field->words, field->word_frequencies,
					 field->rest_word_frequency, records->context);
	}
}

/* Give the values that came since the rarity of those that are not known to be frequent */
static void
ExtendRarities(double **rarity, uint32 *size, uint32 count, double rest)
{
	if (count <= *size)
		return;
	count = Max(count, *size * 2);
	*rarity = repalloc_huge(*rarity, sizeof(double) * (uint64) count);
	for (uint32 id = *size; id < count; id++)
		(*rarity)[id] = -log2(rest);
	*size = count;
}

/* Look up how rare the values of records are that came since, all frequent values being there already */
void
RecordsExtendRarity(MatchRecords *records)
{
	for (int f = 0; f < records->model->field_count; f++)
	{
		const ModelField *field = &records->model->fields[f];
		const MatchDictionary *dictionary = FieldDictionary(records, f);

		ExtendRarities(&records->rarity[f], &records->rarity_size[f], dictionary->count, field->rest_frequency);
		if (dictionary->words)
			ExtendRarities(&records->word_rarity[f], &records->word_rarity_size[f], dictionary->words->count,
						   field->rest_word_frequency);
	}
}

/* Get what the caller calls a record */
char *
RecordsKey(const MatchRecords *records, uint32 record)
{
	return records->has_integer_keys ? psprintf(INT64_FORMAT, records->integer_keys[record]) :
		records->key_text.data + records->text_keys[record];
}
