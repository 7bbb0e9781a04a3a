/*
 * Words that mark a unit of a group of companies.
 *
 * Parts of the world and roles in a group do so everywhere.  Others show by the
 * company they keep: where a word is put in or left out at will, two records
 * that differ by it are of one company, and are no more frequent than two of
 * equal names.  Beside a word that marks a unit there is mostly the company
 * itself, at the same address, phone or website.
 */
#include "postgres.h"

#include <math.h>

#include "matching/levels.h"
#include "matching/train.h"
#include "miscadmin.h"

/* More records of one value are not looked at pair by pair */
#define MAX_GROUP 16

/* A word marks a unit when this share of the records that have it is beside names without it, */
#define LEAST_SHARE 0.5

/* which is so many times the share of those that are beside an equal name, */
#define LEAST_EXCESS 2.0

/* both with so many standard deviations to spare, and in so many groups of records */
#define DEVIATIONS 1.65
#define LEAST_GROUPS 4

/* Words that one record may have more than others of its group */
#define MAX_OWN_WORDS 8

/* Parts of the world and roles in a group, folded, in order */
static const char *const unit_words[] = {
	"africa", "america", "americas", "anz", "apac", "arabia", "asia", "australasia", "balkans", "baltic", "baltics",
	"benelux", "beteiligung", "beteiligungen", "beteiligungs", "beteiligungsgesellschaft", "dach", "digital", "emea",
	"eurasia", "europa", "europe", "fondation", "fondazione", "foundation", "fundacao", "fundacion", "gulf", "holding",
	"holdings", "iberia", "iberica", "immobilien", "invest", "investment", "investments", "labs", "latam", "leasing",
	"mena", "nordic", "nordics", "oceania", "overseas", "pacific", "scandinavia", "stiftung", "ventures", "verwaltung",
	"verwaltungs", "verwaltungsgesellschaft"
};

/* How a word of names occurs */
typedef struct UnitWord
{
	uint32		held;			/* records that have it, */
	uint32		beside;			/* and of these the ones beside the same name without it */
	uint32		groups;			/* in which that was seen */
	uint32		last;			/* of these */
} UnitWord;

/* A word that marks a unit, and how many records showed it */
typedef struct FoundUnit
{
	char	   *text;
	uint32		beside;
} FoundUnit;

/* What is counted of the names of a field */
typedef struct UnitCount
{
	const MatchDictionary *names;
	UnitWord   *words;
	uint32		group;
	double		records;
	double		equal;			/* records that are beside an equal name */
} UnitCount;

/* Is a text one of the words that mark a unit everywhere? */
static bool
IsUnitWord(const char *text, int len)
{
	int			low = 0;
	int			high = lengthof(unit_words) - 1;

	while (low <= high)
	{
		int			middle = (low + high) / 2;
		int			order = strncmp(text, unit_words[middle], len);

		if (order == 0 && unit_words[middle][len] == '\0')
			return true;
		if (order <= 0)
			high = middle - 1;
		else
			low = middle + 1;
	}
	return false;
}

/* Does a word of names mark a unit? */
bool
MarksUnit(const MatchDictionary *words, uint32 word)
{
	const MatchValue *value = &words->values[word];

	return value->groups == VALUE_OF_UNIT || IsUnitWord(DictionaryText(words, value), value->bytes);
}

/* Mark the words of a field that the model has for those of units, or take the mark away */
static void
MarkUnits(const MatchRecords *records, int f, uint8 mark)
{
	const ModelField *field = &records->model->fields[f];
	const MatchDictionary *words = FieldDictionary(records, f)->words;

	for (int i = 0; i < field->unit_count; i++)
	{
		uint32		id = DictionaryFind(words, field->units[i], strlen(field->units[i]));

		if (id != VALUE_BLANK)
			words->values[id].groups = mark;
	}
}

/* Note the words that mark a unit in what the model learned from */
void
RecordsMarkUnits(MatchRecords *records, int f)
{
	MarkUnits(records, f, VALUE_OF_UNIT);
}

/* Find the one word that a name has more than another; VALUE_BLANK when they differ otherwise */
static uint32
OneWordMore(const MatchDictionary *names, uint32 more, uint32 fewer)
{
	const MatchValue *longer = &names->values[more];
	const MatchValue *shorter = &names->values[fewer];
	uint32		own = VALUE_BLANK;
	uint32		used = 0;

	if (longer->token_count != shorter->token_count + 1 || shorter->token_count == 0)
		return VALUE_BLANK;
	for (int i = 0; i < longer->token_count; i++)
	{
		uint32		word = names->tokens[longer->extra + i];
		int			j = 0;

		while (j < shorter->token_count && (names->tokens[shorter->extra + j] != word || (used & (1u << j))))
			j++;
		if (j < shorter->token_count)
			used |= 1u << j;
		else if (own != VALUE_BLANK)
			return VALUE_BLANK;
		else
			own = word;
	}
	return own;
}

/* Count the words of a record, and what it stands beside in its group */
static void
CountRecord(UnitCount *count, uint32 own, const uint32 *others, int other_count)
{
	const MatchDictionary *names = count->names;
	uint32		seen[MAX_OWN_WORDS];
	int			seen_count = 0;
	bool		has_equal = false;

	for (int t = 0; t < names->values[own].token_count; t++)
		count->words[names->tokens[names->values[own].extra + t]].held++;
	for (int i = 0; i < other_count; i++)
	{
		uint32		word = others[i] == own ? VALUE_BLANK : OneWordMore(names, own, others[i]);
		bool		is_new = word != VALUE_BLANK && seen_count < MAX_OWN_WORDS;

		has_equal |= others[i] == own;
		for (int s = 0; s < seen_count && is_new; s++)
			is_new = seen[s] != word;
		if (!is_new)
			continue;
		seen[seen_count++] = word;
		count->words[word].beside++;
		count->words[word].groups += count->words[word].last != count->group;
		count->words[word].last = count->group;
	}
	count->records++;
	count->equal += has_equal;
}

/* Count the records that have one value, by their names */
static void
CountGroup(UnitCount *count, const uint32 *held, int held_count)
{
	uint32		others[MAX_GROUP];

	count->group++;
	for (int i = 0; i < held_count; i++)
	{
		int			other_count = 0;

		if (held[i] == VALUE_BLANK)
			continue;
		for (int j = 0; j < held_count; j++)
			if (j != i && held[j] != VALUE_BLANK)
				others[other_count++] = held[j];
		CountRecord(count, held[i], others, other_count);
	}
}

/* Count what stands beside what among the records that share a value of a field */
static void
CountBeside(UnitCount *count, const MatchRecords *records, int name, int field)
{
	uint32		values = FieldDictionary(records, field)->count;
	uint32	   *ends = MemoryContextAllocExtended(CurrentMemoryContext, sizeof(uint32) * (uint64) values,
												  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	uint32	   *held = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * (uint64) records->count);
	uint32		from;

	for (uint32 r = 0; r < records->count; r++)
		ends[RecordIds(records, r)[field]]++;
	from = ends[VALUE_BLANK];
	for (uint32 id = 1; id < values; id++)
	{
		uint32		size = ends[id];

		ends[id] = from;
		from += size;
	}
	from = ends[VALUE_BLANK];
	for (uint32 r = 0; r < records->count; r++)
	{
		const uint32 *ids = RecordIds(records, r);

		if (ids[field] != VALUE_BLANK)
			held[ends[ids[field]]++] = ids[name];
	}
	for (uint32 id = 1; id < values; from = ends[id++])
	{
		if (id % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		if (ends[id] - from <= MAX_GROUP)
			CountGroup(count, held + from, ends[id] - from);
	}
	pfree(ends);
	pfree(held);
}

/* Is a share of a number of cases certain to be at least another one? */
static bool
IsAtLeast(double cases, double number, double share)
{
	return cases - DEVIATIONS * sqrt(cases * (1 - cases / number)) >= share * number;
}

/* Is a word a value of another field, such as the town of a branch? */
static bool
IsValueElsewhere(const MatchRecords *records, const char *text, int len)
{
	const MatchModel *model = records->model;

	for (int c = 0; c < model->comparison_count; c++)
	{
		int			field = model->comparisons[c].field;

		if ((model->fields[field].kind == KIND_TEXT || model->fields[field].kind == KIND_CATEGORY) &&
			DictionaryFind(FieldDictionary(records, field), text, len) != VALUE_BLANK)
			return true;
	}
	return false;
}

/* Order words by what speaks for them, so that it does not matter in which order they were read */
static int
CompareFound(const void *a, const void *b)
{
	const FoundUnit *left = a;
	const FoundUnit *right = b;

	if (left->beside != right->beside)
		return left->beside > right->beside ? -1 : 1;
	return strcmp(left->text, right->text);
}

/* Take the words of a field that were counted as those of units into the model */
static void
TakeUnits(ModelField *field, const UnitCount *count, const MatchRecords *records)
{
	const MatchDictionary *words = count->names->words;
	double		share = Max(LEAST_SHARE, LEAST_EXCESS * count->equal / count->records);
	FoundUnit  *found = NULL;
	int			found_count = 0;

	for (uint32 word = 1; word < words->count; word++)
	{
		const UnitWord *unit = &count->words[word];
		const MatchValue *value = &words->values[word];
		const char *text = DictionaryText(words, value);

		if (unit->groups < LEAST_GROUPS || !IsAtLeast(unit->beside, unit->held, share) ||
			IsValueElsewhere(records, text, value->bytes))
			continue;
		if (found == NULL)
			found = palloc(sizeof(FoundUnit));
		else if ((found_count & (found_count - 1)) == 0)
			found = repalloc_huge(found, sizeof(FoundUnit) * 2 * found_count);
		found[found_count++] = (FoundUnit) {pnstrdup(text, value->bytes), unit->beside};
	}
	if (found_count > 1)
		qsort(found, found_count, sizeof(FoundUnit), CompareFound);
	field->unit_count = Min(found_count, MODEL_MAX_UNITS);
	field->units = palloc(sizeof(char *) * Max(field->unit_count, 1));
	for (int i = 0; i < field->unit_count; i++)
		field->units[i] = found[i].text;
}

/* Learn which words of names of organisations mark a unit */
void
ModelMeasureUnits(MatchModel *model, MatchRecords *records)
{
	for (int c = 0; c < model->comparison_count; c++)
		if (FieldDictionary(records, model->comparisons[c].field)->words)
			MarkUnits(records, model->comparisons[c].field, 0);
	for (int c = 0; c < model->comparison_count; c++)
	{
		ModelField *field = &model->fields[model->comparisons[c].field];
		const MatchDictionary *names = FieldDictionary(records, model->comparisons[c].field);
		UnitCount	count = {.names = names};

		field->unit_count = 0;
		if (field->kind != KIND_ORGANISATION || !names->has_words)
			continue;
		count.words = MemoryContextAllocExtended(CurrentMemoryContext, sizeof(UnitWord) * (uint64) names->words->count,
												 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
		for (int other = 0; other < model->comparison_count; other++)
		{
			FieldKind	kind = model->fields[model->comparisons[other].field].kind;

			if (kind == KIND_ADDRESS || kind == KIND_PHONE || kind == KIND_WEBSITE)
				CountBeside(&count, records, model->comparisons[c].field, model->comparisons[other].field);
		}
		TakeUnits(field, &count, records);
		pfree(count.words);
		RecordsMarkUnits(records, model->comparisons[c].field);
	}
}
