/*
 * Records: their values as ids of dictionaries, worked off in chunks, field by
 * field, so that the hash table of one dictionary stays in the cache and its
 * memory can be fetched ahead.
 */
#include "postgres.h"

#include <limits.h>
#include <math.h>

#include "matching/arrays.h"
#include "matching/records.h"
#include "matching/shared.h"
#include "miscadmin.h"
#include "normalise/normalise.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* From so many records on, phases are reported when they are done */
#define REPORTED_RECORDS 100000

#define FIRST_CAPACITY 1024

/* Longer lines are made of units of so many bytes, so that they lie across few cache lines */
#define LINE_UNIT 32

/* Letter signatures and lengths take so many bytes of a line at most */
#define LINE_MAX_LETTERS 56

/* Put the lines where they are to be shared, with room for so many records */
void
RecordsShareLines(MatchRecords *records, uint32 expected)
{
	uint64		size = sizeof(uint32) * (uint64) records->layout.stride;
	uint32	   *lines;

	if (expected <= records->capacity)
		return;
	lines = SharedAllocate(records->shared, size * expected);
	if (lines == NULL)
		return;
	memcpy(lines, records->lines, size * records->count);
	pfree(records->lines);
	records->lines = lines;
	records->capacity = expected;
	if (records->integer_keys)
		records->integer_keys = ArrayGrow(records->integer_keys, sizeof(int64) * (uint64) expected);
	if (records->text_keys)
		records->text_keys = ArrayGrow(records->text_keys, sizeof(uint64) * (uint64) expected);
}

/* Get the place of a column among those that are read, which it joins */
static int
CollectColumn(MatchRecords *records, const char *column)
{
	if (column == NULL)
		return -1;
	for (int c = 0; c < records->column_count; c++)
		if (strcmp(records->columns[c], column) == 0)
			return c;
	records->columns[records->column_count] = column;
	return records->column_count++;
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
		if (LevelHasWords(&comparison->levels[l]))
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

/* Make a set of records empty; of the model, no text is looked at */
void
RecordsInit(MatchRecords *records, const MatchModel *model)
{
	memset(records, 0, sizeof(MatchRecords));
	INSTR_TIME_SET_CURRENT(records->phase_start);
	records->model = model;
	records->context = CurrentMemoryContext;
	records->share = 1;
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
}

/* Make an empty set of records, to be compared by a model */
MatchRecords *
RecordsCreate(const MatchModel *model)
{
	MatchRecords *records = palloc(sizeof(MatchRecords));

	RecordsInit(records, model);
	for (int f = 0; f < model->field_count; f++)
	{
		records->column_of[f] = CollectColumn(records, model->fields[f].column);
		records->full_name_of[f] = CollectColumn(records, model->fields[f].full_name);
	}
	return records;
}

/* Make room for more records */
void
RecordsReserve(MatchRecords *records, uint32 more)
{
	uint64		size;

	if (records->count + (uint64) more <= records->capacity)
		return;
	if (records->count + (uint64) more > INT_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("more than %d records", INT_MAX)));
	records->capacity = Max(records->capacity * 2, records->count + more);
	size = sizeof(uint32) * (uint64) records->capacity * records->layout.stride;
	if (records->shared && SharedHolds(records->shared, records->lines))
	{
		uint32	   *lines = ArrayAllocate(records->context, size);

		memcpy(lines, records->lines, sizeof(uint32) * (uint64) records->count * records->layout.stride);
		SharedGiveBack(records->shared, records->lines);
		records->lines = lines;
	}
	else
		records->lines = ArrayGrow(records->lines, size);
	if (records->integer_keys)
		records->integer_keys = ArrayGrow(records->integer_keys, sizeof(int64) * (uint64) records->capacity);
	if (records->text_keys)
		records->text_keys = ArrayGrow(records->text_keys, sizeof(uint64) * (uint64) records->capacity);
}

/* Enter the given or the family name of a whole name */
static uint32
EnterFromFullName(MatchDictionary *dictionary, FieldKind kind, const char *text, int len)
{
	const PersonName *name;
	ValueSpelling spelling;
	uint32		id;

	if (StandsForNothing(&dictionary->scratch, text, len))
		return VALUE_BLANK;
	name = PersonNameParts(text, len);
	spelling.text = kind == KIND_GIVEN_NAME ? name->given.data : name->family.data;
	spelling.len = kind == KIND_GIVEN_NAME ? name->given.len : name->family.len;
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
			ids[r] = EnterFromFullName(dictionary, field->kind, bytes + full_names[r].offset, full_names[r].len);
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
		int			field = layout->date_field[place];
		const MatchValue *values = FieldDictionary(records, field)->values;

		if (records->owner[field] != records->process)
			continue;
		for (int r = 0; r < rows; r++)
		{
			uint32	   *line = records->lines + (uint64) (records->count + r) * layout->stride;

			line[records->model->field_count + place] = values[line[field]].extra;
		}
	}
	for (int place = 0; place < layout->signature_count; place++)
	{
		int			field = layout->signature_field[place];
		const MatchValue *values = FieldDictionary(records, field)->values;

		if (records->owner[field] != records->process)
			continue;
		for (int r = 0; r < rows; r++)
		{
			uint32	   *line = records->lines + (uint64) (records->count + r) * layout->stride;
			const MatchValue *value = &values[line[field]];

			memcpy((char *) line + layout->signature_at + place * sizeof(uint64), &value->signature, sizeof(uint64));
			((uint8 *) line)[layout->length_at + place] = value->length;
			if (place < layout->name_count)
				((uint8 *) line)[layout->groups_at + place] = value->groups;
		}
	}
}

/* Add records, and fill those of their fields that this process enters; texts are by column, then row */
void
RecordsFill(MatchRecords *records, const char *bytes, const ChunkText *texts, int stride, int rows)
{
	RecordsReserve(records, rows);
	for (int f = 0; f < records->model->field_count; f++)
	{
		int			column = records->column_of[f];
		int			full_name = records->full_name_of[f];

		if (records->owner[f] == records->process)
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
	RecordsFill(records, bytes.data, texts, 1, 1);
	pfree(bytes.data);
	return records->count - 1;
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
		pfree(records->ranks[f]);
	if (records->rarity[f])
		pfree(records->rarity[f]);
	records->rank_size[f] = field->frequency_count > 0 ? dictionary->count : 0;
	records->ranks[f] = field->frequency_count == 0 ? NULL :
		ArrayAllocateZero(records->context, sizeof(uint16) * (uint64) dictionary->count);
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
		{
			SetWordRarity(records, f);
			RecordsMarkUnits(records, f);
		}
	}
	RecordsSetWholeNames(records);
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

		if (records->ranks[f] && dictionary->count > *size)
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
	{
		MatchDictionary *dictionary = &records->dictionaries[d];

		if (records->shared && SharedHolds(records->shared, dictionary->slots))
		{
			SharedGiveBack(records->shared, dictionary->slots);
			dictionary->slots = NULL;
		}
		DictionaryDropLookup(dictionary);
	}
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

/* Get what the caller calls a record as a text, which stands in a buffer until the next */
Datum
RecordsKeyDatum(const MatchRecords *records, uint32 record, StringInfo buffer)
{
	resetStringInfo(buffer);
	if (records->has_integer_keys)
	{
		enlargeStringInfo(buffer, VARHDRSZ + MAXINT8LEN + 1);
		buffer->len = VARHDRSZ + pg_lltoa(records->integer_keys[record], buffer->data + VARHDRSZ);
	}
	else
	{
		appendStringInfoSpaces(buffer, VARHDRSZ);
		appendStringInfoString(buffer, records->key_text.data + records->text_keys[record]);
	}
	SET_VARSIZE(buffer->data, buffer->len);
	return PointerGetDatum(buffer->data);
}

/* Copy records of which only what the caller calls them is still to be known */
MatchRecords *
RecordsCopyKeys(const MatchRecords *records)
{
	MatchRecords *copy = palloc0(sizeof(MatchRecords));
	uint64		size = sizeof(uint64) * (uint64) Max(records->count, 1);

	copy->count = records->count;
	copy->has_integer_keys = records->has_integer_keys;
	if (records->integer_keys)
		copy->integer_keys = memcpy(ArrayAllocate(CurrentMemoryContext, size), records->integer_keys,
									sizeof(int64) * (uint64) records->count);
	if (records->text_keys)
	{
		copy->text_keys = memcpy(ArrayAllocate(CurrentMemoryContext, size), records->text_keys,
								 sizeof(uint64) * (uint64) records->count);
		copy->key_text.data = memcpy(ArrayAllocate(CurrentMemoryContext, records->key_text.len + 1),
									 records->key_text.data, records->key_text.len + 1);
	}
	return copy;
}
