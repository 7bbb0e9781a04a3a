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
#include "matching/arrays.h"
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

/* From so many records on, phases are reported when they are done */
#define REPORTED_RECORDS 100000

#define CHUNK_ROWS DICTIONARY_BATCH
#define FIRST_CAPACITY 1024

/* Longer lines are made of units of so many bytes, so that they lie across few cache lines */
#define LINE_UNIT 32

/* Letter signatures and lengths take so many bytes of a line at most */
#define LINE_MAX_LETTERS 56

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

/* Tell the dictionaries of e-mail addresses where their parts are entered */
void
RecordsJoinParts(MatchRecords *records)
{
	for (int f = 0; f < records->model->field_count; f++)
	{
		const ModelField *field = &records->model->fields[f];
		MatchDictionary *dictionary = &records->dictionaries[field->dictionary];

		if (field->part == PART_MAILBOX)
			records->dictionaries[records->model->fields[field->whole].dictionary].mailboxes = dictionary;
		if (field->part == PART_DOMAIN)
			records->dictionaries[records->model->fields[field->whole].dictionary].domain_names = dictionary;
	}
}

/* Are values of a field compared as words?  Letters do not tell these apart. */
static bool
IsByWords(const ModelComparison *comparison)
{
	for (int l = 0; l < comparison->level_count; l++)
		if (comparison->levels[l].test == TEST_WORDS || comparison->levels[l].test == TEST_ACRONYM)
			return true;
	return false;
}

/* Lay out the lines of records, the most telling letters first */
static void
LayOutLines(LineLayout *layout, const MatchModel *model)
{
	static const FieldKind kinds[] = {
		KIND_GIVEN_NAME, KIND_FAMILY_NAME, KIND_EMAIL, KIND_PHONE, KIND_IDENTIFIER, KIND_WEBSITE, KIND_POSTCODE,
		KIND_TEXT, KIND_FULL_NAME
	};
	int			bytes;

	for (int c = 0; c < model->comparison_count && layout->date_count < LINE_MAX_DATES; c++)
		if (model->fields[model->comparisons[c].field].kind == KIND_DATE)
			layout->date_field[layout->date_count++] = model->comparisons[c].field;
	for (int k = 0; k < lengthof(kinds); k++)
		for (int c = 0; c < model->comparison_count; c++)
		{
			int			field = model->comparisons[c].field;

			if (model->fields[field].kind != kinds[k] || model->fields[field].part != PART_WHOLE ||
				IsByWords(&model->comparisons[c]) || layout->signature_count == LINE_MAX_SIGNATURES ||
				(layout->signature_count + 1) * (sizeof(uint64) + 1) > LINE_MAX_LETTERS)
				continue;
			layout->name_count += kinds[k] == KIND_GIVEN_NAME || kinds[k] == KIND_FAMILY_NAME;
			layout->signature_field[layout->signature_count++] = field;
		}
	bytes = sizeof(uint32) * (model->field_count + layout->date_count);
	layout->signature_at = TYPEALIGN(sizeof(uint64), bytes);
	layout->length_at = layout->signature_at + sizeof(uint64) * layout->signature_count;
	layout->groups_at = layout->length_at + layout->signature_count;
	bytes = layout->groups_at + layout->name_count;
	layout->stride = TYPEALIGN(bytes <= LINE_UNIT ? sizeof(uint64) : LINE_UNIT, bytes) / sizeof(uint32);
}

/* Make an empty set of records, to be compared by a model */
MatchRecords *
RecordsCreate(const MatchModel *model)
{
	MatchRecords *records = palloc0(sizeof(MatchRecords));

	INSTR_TIME_SET_CURRENT(records->phase_start);
	records->model = model;
	records->context = CurrentMemoryContext;
	records->capacity = FIRST_CAPACITY;
	LayOutLines(&records->layout, model);
	records->lines = palloc0(sizeof(uint32) * records->capacity * records->layout.stride);
	for (int d = 0; d < model->dictionary_count; d++)
		DictionaryInit(&records->dictionaries[d], records->context);
	for (int f = 0; f < model->field_count; f++)
	{
		const ModelField *field = &model->fields[f];
		MatchDictionary *dictionary = &records->dictionaries[field->dictionary];

		if (field->part == PART_DOMAIN)
		{
			MatchDictionary *whole = &records->dictionaries[model->fields[field->whole].dictionary];

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
	RecordsJoinParts(records);
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
	records->lines = ArrayGrow(records->lines, sizeof(uint32) * (uint64) records->capacity * records->layout.stride);
	if (records->integer_keys)
		records->integer_keys = ArrayGrow(records->integer_keys, sizeof(int64) * (uint64) records->capacity);
	if (records->text_keys)
		records->text_keys = ArrayGrow(records->text_keys, sizeof(uint64) * (uint64) records->capacity);
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
	ValueSpelling spelling;
	uint32		id;

	if (StandsForNothing(&dictionary->scratch, text, len))
		return VALUE_BLANK;
	ParsePersonName(&records->name, text, len, NULL);
	spelling.text = part->data;
	spelling.len = part->len;
	DictionaryEnter(dictionary, kind, &spelling, 1, &id);
	return id;
}

/* Fill one field of new records from the texts of its columns */
static void
FillField(MatchRecords *records, int f, const char *bytes, const ChunkText *texts, const ChunkText *full_names,
		  int rows)
{
	const MatchModel *model = records->model;
	const ModelField *field = &model->fields[f];
	MatchDictionary *dictionary = &records->dictionaries[field->dictionary];
	uint32	   *to = records->lines + (uint64) records->count * records->layout.stride + f;
	ValueSpelling spellings[CHUNK_ROWS];
	uint32		ids[CHUNK_ROWS];

	if (field->whole >= 0)
	{
		const MatchDictionary *whole = &records->dictionaries[model->fields[field->whole].dictionary];

		for (int r = 0; r < rows; r++)
		{
			uint32		id = to[r * records->layout.stride + field->whole - f];

			to[r * records->layout.stride] = field->part == PART_MAILBOX ? whole->values[id].extra : whole->domains[id];
		}
		return;
	}
	for (int r = 0; r < rows; r++)
	{
		spellings[r].text = texts ? bytes + texts[r].offset : NULL;
		spellings[r].len = texts ? Max(texts[r].len, 0) : 0;
	}
	DictionaryEnter(dictionary, field->kind, spellings, rows, ids);
	for (int r = 0; r < rows; r++)
	{
		if (ids[r] == VALUE_BLANK && full_names && full_names[r].len > 0)
			ids[r] = EnterFromFullName(records, dictionary, field->kind, bytes + full_names[r].offset, full_names[r].len);
		to[r * records->layout.stride] = ids[r];
	}
}

/* Complete the lines of new records, whose ids are there */
static void
FillLines(MatchRecords *records, int rows)
{
	const LineLayout *layout = &records->layout;

	for (int place = 0; place < layout->date_count; place++)
	{
		const MatchValue *values = FieldDictionary(records, layout->date_field[place])->values;

		for (int r = 0; r < rows; r++)
		{
			uint32	   *line = records->lines + (uint64) (records->count + r) * layout->stride;

			line[records->model->field_count + place] = values[line[layout->date_field[place]]].extra;
		}
	}
	for (int place = 0; place < layout->signature_count; place++)
	{
		const MatchValue *values = FieldDictionary(records, layout->signature_field[place])->values;

		for (int r = 0; r < rows; r++)
		{
			uint32	   *line = records->lines + (uint64) (records->count + r) * layout->stride;
			const MatchValue *value = &values[line[layout->signature_field[place]]];

			memcpy((char *) line + layout->signature_at + place * sizeof(uint64), &value->signature, sizeof(uint64));
			((uint8 *) line)[layout->length_at + place] = value->length;
			if (place < layout->name_count)
				((uint8 *) line)[layout->groups_at + place] = value->groups;
		}
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
	FillLines(records, rows);
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
static inline void
ChunkAppend(RecordReceiver *receiver, int column, const char *text, int len)
{
	ChunkText  *entry = &receiver->texts[column * CHUNK_ROWS + receiver->rows];
	StringInfo	bytes = &receiver->bytes;

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
	RecordsReport(records, "%u records read", records->count);
}

/* Note which values of a field the model knows to be frequent, and -log2 of the frequency of these and of the rest */
static void
SetRanks(MatchRecords *records, int f)
{
	const ModelField *field = &records->model->fields[f];
	const MatchDictionary *dictionary = FieldDictionary(records, f);

	if (field->frequency_count > PG_UINT16_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the model has more than %d frequent values of field \"%s\"", PG_UINT16_MAX, field->name)));
	if (records->ranks[f])
	{
		pfree(records->ranks[f]);
		pfree(records->rarity[f]);
	}
	records->rank_size[f] = dictionary->count;
	records->ranks[f] = ArrayAllocateZero(records->context, sizeof(uint16) * (uint64) dictionary->count);
	records->rarity[f] = MemoryContextAlloc(records->context, sizeof(double) * (field->frequency_count + 1));
	records->rarity[f][0] = -log2(field->rest_frequency);
	for (int i = 0; i < field->frequency_count; i++)
	{
		uint32		id = DictionaryFind(dictionary, field->frequent[i], strlen(field->frequent[i]));

		records->rarity[f][i + 1] = -log2(field->frequencies[i]);
		if (id != VALUE_BLANK)
			records->ranks[f][id] = i + 1;
	}
}

/* Note -log2 of the frequency of each word of a field's values, as the model knows it */
static void
SetWordRarity(MatchRecords *records, int f)
{
	const ModelField *field = &records->model->fields[f];
	const MatchDictionary *words = FieldDictionary(records, f)->words;
	double		rest_rarity = -log2(field->rest_word_frequency);

	if (records->word_rarity[f])
		pfree(records->word_rarity[f]);
	records->word_rarity_size[f] = words->count;
	records->word_rarity[f] = ArrayAllocate(records->context, sizeof(double) * (uint64) words->count);
	for (uint32 id = 0; id < words->count; id++)
		records->word_rarity[f][id] = rest_rarity;
	for (int i = 0; i < field->word_count; i++)
	{
		uint32		id = DictionaryFind(words, field->words[i], strlen(field->words[i]));

		if (id != VALUE_BLANK)
			records->word_rarity[f][id] = -log2(field->word_frequencies[i]);
	}
}

/* Look up how rare the values of all records are, once they are all there */
void
RecordsSetRarity(MatchRecords *records)
{
	for (int f = 0; f < records->model->field_count; f++)
	{
		SetRanks(records, f);
		if (FieldDictionary(records, f)->words)
			SetWordRarity(records, f);
	}
}

/* Look up how rare the values of records are that came since, all frequent values being there already */
void
RecordsExtendRarity(MatchRecords *records)
{
	for (int f = 0; f < records->model->field_count; f++)
	{
		const ModelField *field = &records->model->fields[f];
		const MatchDictionary *dictionary = FieldDictionary(records, f);
		uint32	   *size = &records->rank_size[f];

		if (dictionary->count > *size)
		{
			uint32		wanted = Max(dictionary->count, *size * 2);

			records->ranks[f] = ArrayGrow(records->ranks[f], sizeof(uint16) * (uint64) wanted);
			memset(records->ranks[f] + *size, 0, sizeof(uint16) * (wanted - *size));
			*size = wanted;
		}
		size = &records->word_rarity_size[f];
		if (dictionary->words && dictionary->words->count > *size)
		{
			uint32		wanted = Max(dictionary->words->count, *size * 2);

			records->word_rarity[f] = ArrayGrow(records->word_rarity[f], sizeof(double) * (uint64) wanted);
			for (uint32 id = *size; id < wanted; id++)
				records->word_rarity[f][id] = -log2(field->rest_word_frequency);
			*size = wanted;
		}
	}
}

/* Give back what only new values and rarities are looked up by */
void
RecordsDropLookup(MatchRecords *records)
{
	for (int d = 0; d < records->model->dictionary_count; d++)
		DictionaryDropLookup(&records->dictionaries[d]);
}

/* Tell the caller what was done, and how long it took, when there is much to do */
void
RecordsReport(MatchRecords *records, const char *done,...)
{
	StringInfoData text;
	instr_time	now;
	instr_time	taken;
	va_list		args;
	int			needed;

	INSTR_TIME_SET_CURRENT(now);
	taken = now;
	INSTR_TIME_SUBTRACT(taken, records->phase_start);
	records->phase_start = now;
	if (records->count < REPORTED_RECORDS)
		return;
	initStringInfo(&text);
	do
	{
		va_start(args, done);
		needed = appendStringInfoVA(&text, done, args);
		va_end(args);
		if (needed > 0)
			enlargeStringInfo(&text, needed);
	} while (needed > 0);
	ereport(NOTICE, (errmsg("%s (%.1f s)", text.data, INSTR_TIME_GET_DOUBLE(taken))));
	pfree(text.data);
}

/* Get what the caller calls a record */
char *
RecordsKey(const MatchRecords *records, uint32 record)
{
	return records->has_integer_keys ? psprintf(INT64_FORMAT, records->integer_keys[record]) :
		records->key_text.data + records->text_keys[record];
}
