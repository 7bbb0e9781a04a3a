/*
 * How often values occur.
 *
 * The frequency of a name is that among the records.  An e-mail address or a
 * phone number is the more frequent among the records the more often one
 * person is among them; that says nothing of how often two persons share it.
 * So these are counted by their holders, told apart by name, and a value's
 * frequency is that of its other holders: one leaves oneself out (as Good, The
 * Population Frequencies of Species and the Estimation of Population
 * Parameters, 1953, does for what was seen once).  Switchboards, the mailbox
 * of a family and what people enter to be left alone show by this.
 */
#include "postgres.h"

#include <math.h>

#include "matching/train.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"

/* Frequent values that a model knows by name, and how often they must occur */
#define MAX_FREQUENT 2000
#define MIN_FREQUENT 4

/* Letters by which the names of holders are told apart, so that slips hardly count */
#define HOLDER_LETTERS 2

/* Fields of names that tell holders apart */
#define HOLDER_FIELDS 2

/* A value and how often it occurs */
typedef struct ValueCount
{
	uint32		id;
	uint32		count;
} ValueCount;

/* Order values from the most frequent on */
static int
CompareCounts(const void *a, const void *b)
{
	const ValueCount *left = a;
	const ValueCount *right = b;

	if (left->count != right->count)
		return left->count > right->count ? -1 : 1;
	return left->id < right->id ? -1 : left->id > right->id;
}

/* Who holds the values of a field, as far as it can be told */
typedef struct Holders
{
	const MatchRecords *records;
	int			name_count;
	int			names[HOLDER_FIELDS];	/* fields */
	uint32	   *codes[HOLDER_FIELDS];	/* by id of the name: its first letters */
} Holders;

/* Order codes */
static int
CompareHolders(const void *a, const void *b)
{
	uint64		left = *(const uint64 *) a;
	uint64		right = *(const uint64 *) b;

	return left < right ? -1 : left > right;
}

/* Count the distinct codes that are not zero */
static uint32
CountDistinct(uint64 *codes, uint32 count)
{
	uint32		distinct = 0;

	qsort(codes, count, sizeof(uint64), CompareHolders);
	for (uint32 i = 0; i < count; i++)
		distinct += codes[i] != 0 && (i == 0 || codes[i] != codes[i - 1]);
	return distinct;
}

/* Get the first letters of the values of a field as numbers */
static uint32 *
FirstLetters(const MatchDictionary *dictionary)
{
	uint32	   *codes = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * (uint64) dictionary->count);

	codes[VALUE_BLANK] = 0;
	for (uint32 id = 1; id < dictionary->count; id++)
	{
		const MatchValue *value = &dictionary->values[id];
		const char *text = DictionaryText(dictionary, value);
		int			len = pg_mbcharcliplen(text, value->bytes, HOLDER_LETTERS);

		codes[id] = 0;
		for (int i = 0; i < len; i++)
			codes[id] = codes[id] * 251 + (uint8) text[i];
	}
	return codes;
}

/* Prepare to tell holders apart by the names of persons or companies; false when there are none */
static bool
PrepareHolders(Holders *holders, const MatchModel *model, const MatchRecords *records)
{
	holders->records = records;
	holders->name_count = 0;
	if (model->given >= 0 && model->family >= 0)
	{
		holders->names[holders->name_count++] = model->comparisons[model->given].field;
		holders->names[holders->name_count++] = model->comparisons[model->family].field;
	}
	else
		for (int c = 0; c < model->comparison_count && holders->name_count == 0; c++)
			if (model->fields[model->comparisons[c].field].kind == KIND_ORGANISATION)
				holders->names[holders->name_count++] = model->comparisons[c].field;
	for (int n = 0; n < holders->name_count; n++)
		holders->codes[n] = FirstLetters(FieldDictionary(records, holders->names[n]));
	return holders->name_count > 0;
}

/*
 * Turn the counts of a field's values by record into those by holder.  A
 * mailbox follows from the given name, so there holders differ by either name;
 * elsewhere members of a family count as one.
 */
static void
CountHolders(const Holders *holders, int field, uint32 *counts)
{
	const MatchRecords *records = holders->records;
	const MatchDictionary *dictionary = FieldDictionary(records, field);
	bool		by_either = records->model->fields[field].part == PART_MAILBOX;
	uint32	   *starts = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * ((uint64) dictionary->count + 1));
	uint32	   *members = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * (uint64) Max(records->count, 1));
	uint64	   *codes;
	uint32		most = 0;
	uint32		sum = 0;

	for (uint32 id = 1; id < dictionary->count; id++)
	{
		starts[id] = sum;
		if (counts[id] > 1)
			sum += counts[id];
		most = Max(most, counts[id]);
	}
	for (uint32 r = 0; r < records->count; r++)
	{
		uint32		id = RecordIds(records, r)[field];

		if (id != VALUE_BLANK && counts[id] > 1)
			members[starts[id]++] = r;
	}
	codes = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint64) * (uint64) Max(most, 1));
	for (uint32 id = 1; id < dictionary->count; id++)
	{
		const uint32 *held = members + starts[id] - counts[id];
		uint32		fewest = PG_UINT32_MAX;

		if (id % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		if (counts[id] <= 1)
			continue;
		for (int n = 0; n < holders->name_count; n++)
		{
			for (uint32 i = 0; i < counts[id]; i++)
				codes[i] = holders->codes[n][RecordIds(records, held[i])[holders->names[n]]];
			if (by_either)
				for (int other = n + 1; other < holders->name_count; other++)
					for (uint32 i = 0; i < counts[id]; i++)
						codes[i] = codes[i] << 32 |
							holders->codes[other][RecordIds(records, held[i])[holders->names[other]]];
			fewest = Min(fewest, CountDistinct(codes, counts[id]));
			if (by_either)
				break;
		}
		counts[id] = Max(fewest, 1);
	}
	pfree(starts);
	pfree(members);
	pfree(codes);
}

/* Note which values of a dictionary are frequent, and how frequent the others are; those of holders without oneself */
static void
MeasureFrequencies(const MatchDictionary *dictionary, const uint32 *counts, double total, bool by_holder,
				   int *frequent_count, char ***frequent, double **frequencies, double *rest)
{
	ValueCount *values = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(ValueCount) * (uint64) dictionary->count);
	uint32		n = 0;
	uint32		distinct = 0;
	double		rest_total = total;
	double		rest_others = 1;

	for (uint32 id = 1; id < dictionary->count; id++)
	{
		distinct += counts[id] > 0;
		rest_others += (double) counts[id] * Max(counts[id] - 1.0, 0);
		if (counts[id] >= MIN_FREQUENT)
			values[n++] = (ValueCount) {id, counts[id]};
	}
	qsort(values, n, sizeof(ValueCount), CompareCounts);
	n = Min(n, MAX_FREQUENT);
	*frequent_count = n;
	*frequent = palloc(sizeof(char *) * Max(n, 1));
	*frequencies = palloc(sizeof(double) * Max(n, 1));
	for (uint32 i = 0; i < n; i++)
	{
		const MatchValue *value = &dictionary->values[values[i].id];

		(*frequent)[i] = pnstrdup(DictionaryText(dictionary, value), value->bytes);
		(*frequencies)[i] = (values[i].count - by_holder) / total;
		rest_total -= values[i].count;
		rest_others -= values[i].count * (values[i].count - 1.0);
	}
	if (by_holder)
		*rest = Max(rest_others, 1) / Max(rest_total, 1) / Max(total, 1);
	else
		*rest = distinct > n ? Max(rest_total, 1) / (distinct - n) / Max(total, 1) : 1 / Max(total, 2);
	*rest = ModelProbability(Min(*rest, 0.5));
	pfree(values);
}

/* Measure which share of the records has each field */
void
ModelMeasurePresence(MatchModel *model, const MatchRecords *records)
{
	for (int f = 0; f < model->field_count; f++)
	{
		uint64		present = 0;

		for (uint32 r = 0; r < records->count; r++)
			present += RecordIds(records, r)[f] != VALUE_BLANK;
		model->fields[f].present = (double) present / Max(records->count, 1);
	}
}

/* Measure how often the values of each field occur, and how often two agree */
void
ModelMeasureFields(MatchModel *model, MatchRecords *records)
{
	Holders		holders;
	bool		has_holders = PrepareHolders(&holders, model, records);

	for (int f = 0; f < model->field_count; f++)
	{
		ModelField *field = &model->fields[f];
		const MatchDictionary *dictionary = FieldDictionary(records, f);
		uint32	   *counts = MemoryContextAllocExtended(CurrentMemoryContext, sizeof(uint32) * (uint64) dictionary->count,
														MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
		double		total = 0;
		double		agreeing = 0;

		for (uint32 r = 0; r < records->count; r++)
			counts[RecordIds(records, r)[f]]++;
		field->by_holder = has_holders && field->part != PART_DOMAIN &&
			(field->kind == KIND_EMAIL || field->kind == KIND_PHONE || field->part == PART_MAILBOX);
		if (field->by_holder)
			CountHolders(&holders, f, counts);
		for (uint32 id = 1; id < dictionary->count; id++)
		{
			total += counts[id];
			agreeing += (double) counts[id] * (counts[id] - 1.0);
		}
		field->agreement = ModelProbability(Max(agreeing, 1) / Max(total * (total - 1), 2));
		MeasureFrequencies(dictionary, counts, Max(total, 1), field->by_holder, &field->frequency_count,
						   &field->frequent, &field->frequencies, &field->rest_frequency);
		if (dictionary->has_words)
		{
			const MatchDictionary *words = dictionary->words;
			uint32	   *word_counts = MemoryContextAllocExtended(CurrentMemoryContext, sizeof(uint32) * (uint64) words->count,
																 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

			for (uint32 id = 1; id < dictionary->count; id++)
				for (int t = 0; t < dictionary->values[id].token_count; t++)
					word_counts[dictionary->tokens[dictionary->values[id].extra + t]] += counts[id];
			MeasureFrequencies(words, word_counts, Max(total, 1), false, &field->word_count, &field->words,
							   &field->word_frequencies, &field->rest_word_frequency);
			pfree(word_counts);
		}
		pfree(counts);
	}
}
