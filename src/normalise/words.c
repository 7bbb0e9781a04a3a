/*
 * Folded text cut into words, and tables of words.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "normalise/words.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* Words the list has room for at first */
#define WORD_LIST_START	64

/*
 * Code points outside ASCII that separate words: punctuation and symbols, what
 * folding has made ASCII left out. Letters of any script, digits and the marks
 * that belong to letters are all others.
 */
static const struct
{
	uint32		first;
	uint32		last;
}			separators[] = {
	{0x00A1, 0x00A9}, {0x00AC, 0x00B1}, {0x00B6, 0x00B9}, {0x00BF, 0x00BF},
	{0x00D7, 0x00D7}, {0x00F7, 0x00F7}, {0x02C2, 0x02DF}, {0x02E5, 0x02FF},
	{0x037E, 0x037E}, {0x0387, 0x0387}, {0x055A, 0x055F}, {0x0589, 0x058A},
	{0x05C0, 0x05C0}, {0x05C3, 0x05C3}, {0x05C6, 0x05C6}, {0x060C, 0x060D},
	{0x061B, 0x061F}, {0x066A, 0x066D}, {0x06D4, 0x06D4}, {0x0964, 0x0965},
	{0x0970, 0x0970}, {0x0E3F, 0x0E3F}, {0x0E4F, 0x0E4F}, {0x0E5A, 0x0E5B},
	{0x104A, 0x104F}, {0x10FB, 0x10FB}, {0x1360, 0x1368}, {0x17D4, 0x17DA},
	{0x2000, 0x206F}, {0x20A0, 0x20CF}, {0x2190, 0x2BFF}, {0x2E00, 0x2E7F},
	{0x3000, 0x3004}, {0x3008, 0x3020}, {0x302A, 0x3030}, {0x303B, 0x303F},
	{0x30A0, 0x30A0}, {0x30FB, 0x30FB}, {0xE000, 0xF8FF},
	{0xFE30, 0xFE4F}, {0xFFFC, 0xFFFD}, {0x1F000, 0x1FAFF}
};

static bool
IsSeparator(uint32 c)
{
	int			low = 0;
	int			high = lengthof(separators);

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (c < separators[middle].first)
			high = middle;
		else if (c > separators[middle].last)
			low = middle + 1;
		else
			return true;
	}

	return false;
}

/*
 * Empty a string that is kept for the session, and give back the memory of an
 * outsized value
 */
StringInfo
ResetScratch(StringInfo scratch)
{
	if (scratch->data != NULL && scratch->maxlen > SCRATCH_KEEP)
	{
		pfree(scratch->data);
		scratch->data = NULL;
	}

	if (scratch->data == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

		initStringInfo(scratch);
		MemoryContextSwitchTo(old);
	}

	resetStringInfo(scratch);
	return scratch;
}

/*
 * Empty a list that is kept for the session, and give back the memory of an
 * outsized one
 */
void
ResetWords(WordList *list)
{
	if (list->words != NULL && list->size * sizeof(Word) > SCRATCH_KEEP)
	{
		pfree(list->words);
		list->words = NULL;
		list->size = 0;
	}
	list->count = 0;
}

/*
 * Add a word to the end of a list
 */
Word *
AddWord(WordList *list, const char *value, int len, char before)
{
	Word	   *word;

	if (list->count == list->size)
	{
		int			size = list->size == 0 ? WORD_LIST_START : list->size * 2;

		if (list->words == NULL)
			list->words = MemoryContextAllocHuge(TopMemoryContext, size * sizeof(Word));
		else
			list->words = repalloc_huge(list->words, size * sizeof(Word));
		list->size = size;
	}

	word = &list->words[list->count++];
	word->chars = value;
	word->len = len;
	word->before = before;
	word->mark = 0;
	return word;
}

static inline bool
IsAsciiLetterOrDigit(char c)
{
	return (unsigned char) (c - 'a') < 26 || (unsigned char) (c - '0') < 10;
}

/*
 * Check whether text begins with a mark that would join what is before it
 */
static inline bool
MarkFollows(const char *value, const char *end)
{
	uint32		c;

	if (value == end || !IS_HIGHBIT_SET(*value))
		return false;

	DecodeCodePoint(value, end, &c);
	return CodePointJoins(c);
}

/*
 * Cut folded text into words. They lie within the text, which is changed:
 * apostrophes are taken out, so that o'brien and obrien are one word.
 */
void
SplitWords(WordList *list, char *value, int len)
{
	const char *from = value;
	const char *end = value + len;
	char	   *to = value;
	char		before = 0;
	Word	   *word = NULL;

	ResetWords(list);

	while (from < end)
	{
		const char *start = from;
		bool		letter = true;

		while (from < end && IsAsciiLetterOrDigit(*from))
			from++;

		if (from == start)
		{
			if (IS_HIGHBIT_SET(*from))
			{
				uint32		c;

				from += DecodeCodePoint(from, end, &c);
				letter = !IsSeparator(c);
			}
			else if (*from++ == '\'' && !MarkFollows(from, end))
				continue;
			else
				letter = false;
		}

		if (letter)
		{
			if (word == NULL)
			{
				CHECK_FOR_INTERRUPTS();
				word = AddWord(list, to, 0, before);
				before = ' ';
			}
			if (to != start)
				memmove(to, start, from - start);
			to += from - start;
			word->len += from - start;
		}
		else
		{
			word = NULL;
			if (!IS_HIGHBIT_SET(*start) && *start != ' ')
				before = *start;
		}
	}
}

/*
 * Append the words of a list with blanks between them
 */
void
AppendWords(StringInfo out, const WordList *list)
{
	for (int i = 0; i < list->count; i++)
	{
		if (i > 0)
			appendStringInfoChar(out, ' ');
		appendBinaryStringInfo(out, list->words[i].chars, list->words[i].len);
	}
}

/*
 * Hash a word by its length, first and last bytes: enough for words of real
 * languages, and much faster than all bytes
 */
static inline uint32
HashWord(const char *word, int len)
{
	uint64		first = 0;
	uint64		last = 0;

	if (len >= 8)
	{
		memcpy(&first, word, 8);
		memcpy(&last, word + len - 8, 8);
	}
	else if (len >= 4)
	{
		memcpy(&first, word, 4);
		memcpy(&last, word + len - 4, 4);
	}
	else if (len > 0)
		first = (uint64) (unsigned char) word[0] << 16 | (uint64) (unsigned char) word[len / 2] << 8 |
			(unsigned char) word[len - 1];

	first = (first ^ last * UINT64CONST(0x9E3779B97F4A7C15) ^ len) * UINT64CONST(0xD6E8FEB86659FD93);
	return (uint32) (first >> 32);
}

/*
 * Set up a table for the number of words expected; it lasts for the session
 */
void
InitWordTable(WordTable *table, int expected)
{
	uint32		size = 16;

	while (size < (uint32) expected * 2)
		size *= 2;

	table->slots = MemoryContextAllocZero(TopMemoryContext, size * sizeof(WordSlot));
	table->mask = size - 1;
	table->count = 0;
	table->max_len = 0;
}

/*
 * Give a table twice the room
 */
static void
GrowWordTable(WordTable *table)
{
	WordSlot   *old = table->slots;
	uint32		size = table->mask + 1;
	uint32		mask = size * 2 - 1;
	WordSlot   *slots = MemoryContextAllocZero(TopMemoryContext, (mask + 1) * sizeof(WordSlot));

	for (uint32 i = 0; i < size; i++)
	{
		uint32		at = old[i].hash & mask;

		if (old[i].word == NULL)
			continue;
		while (slots[at].word != NULL)
			at = (at + 1) & mask;
		slots[at] = old[i];
	}

	table->slots = slots;
	table->mask = mask;
	pfree(old);
}

/*
 * Give a word, which the table refers to, a value in it
 */
void
SetInWordTable(WordTable *table, const char *word, int len, uint16 value)
{
	uint32		hash = HashWord(word, len);
	uint32		at;

	if ((table->count + 1) * 2 > table->mask)
		GrowWordTable(table);

	for (at = hash & table->mask; table->slots[at].word != NULL; at = (at + 1) & table->mask)
	{
		WordSlot   *slot = &table->slots[at];

		if (slot->hash == hash && slot->len == len && memcmp(slot->word, word, len) == 0)
		{
			slot->value = value;
			return;
		}
	}

	table->slots[at].word = word;
	table->slots[at].hash = hash;
	table->slots[at].len = len;
	table->slots[at].value = value;
	table->count++;
	table->max_len = Max(table->max_len, len);
}

/*
 * Get the value of a word, -1 if the table does not have it
 */
int
FindInWordTable(const WordTable *table, const char *word, int len)
{
	uint32		hash;
	uint32		at;

	if (len > table->max_len)
		return -1;

	hash = HashWord(word, len);
	for (at = hash & table->mask; table->slots[at].word != NULL; at = (at + 1) & table->mask)
	{
		const WordSlot *slot = &table->slots[at];

		if (slot->hash == hash && slot->len == len && memcmp(slot->word, word, len) == 0)
			return slot->value;
	}

	return -1;
}

/*
 * Get the key of a function's first argument as text
 */
Datum
KeyOfArgument(FunctionCallInfo fcinfo, void (*append) (StringInfo, const char *, int))
{
	static StringInfoData key;
	text	   *value = PG_GETARG_TEXT_PP(0);

	append(ResetScratch(&key), VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));

	PG_RETURN_TEXT_P(cstring_to_text_with_len(key.data, key.len));
}
