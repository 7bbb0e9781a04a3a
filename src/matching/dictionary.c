/*
 * Distinct values, in normal form, found by hashing.
 *
 * A spelling is looked up as it came.  Most columns hold few distinct
 * spellings, so their normal form is worked out once and the spelling is
 * remembered as an alias of it; where spellings hardly ever come twice, as
 * e-mail addresses, remembering is given up.
 */
#include "postgres.h"

#include <math.h>

#include "matching/dictionary.h"
#include "mb/pg_wchar.h"
#include "normalise/normalise.h"
#include "utils/memutils.h"

#define FIRST_CAPACITY 64
#define FIRST_TEXT 1024

/* A slot: the upper half of the hash, whether it is an alias, id or alias */
#define SLOT_ALIAS UINT64CONST(0x80000000)
#define SLOT_INDEX UINT64CONST(0x7FFFFFFF)
#define SLOT_TAG(hash) ((hash) & UINT64CONST(0xFFFFFFFF00000000))

/* Where it belongs follows from the tag, so that the table grows without the texts */
#define SLOT_PLACE(dictionary, hash) ((uint32) ((hash) >> 32) & (dictionary)->slot_mask)

/* Remembering spellings stops when this many were remembered, mostly in vain */
#define ALIAS_TRIAL 4096

/* Phone numbers agree when their last digits do, whatever the prefix for calls abroad */
#define PHONE_DIGITS 9
#define PHONE_MIN_DIGITS 5

/* Longest of the texts that stand for nothing */
#define PLACEHOLDER_MAX_BYTES 20

/* Make an array larger */
static void *
Grow(void *array, uint64 size)
{
	return repalloc_huge(array, size);
}

/* Make a dictionary that holds only the blank */
void
DictionaryInit(MatchDictionary *dictionary, MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);

	memset(dictionary, 0, sizeof(MatchDictionary));
	dictionary->context = context;
	dictionary->capacity = FIRST_CAPACITY;
	dictionary->values = palloc(sizeof(MatchValue) * dictionary->capacity);
	memset(&dictionary->values[VALUE_BLANK], 0, sizeof(MatchValue));
	dictionary->count = 1;
	dictionary->text_size = FIRST_TEXT;
	dictionary->text = palloc(dictionary->text_size);
	dictionary->slot_mask = FIRST_CAPACITY * 2 - 1;
	dictionary->slots = palloc0(sizeof(uint64) * (dictionary->slot_mask + 1));
	initStringInfo(&dictionary->normal);
	initStringInfo(&dictionary->scratch);
	MemoryContextSwitchTo(old);
}

/* Mix eight bytes into a hash */
static inline uint64
Mix(uint64 hash, uint64 word)
{
	hash = (hash ^ word) * UINT64CONST(0x9E3779B97F4A7C15);
	return hash ^ (hash >> 29);
}

/* Hash a text */
static inline uint64
HashText(const char *text, int len)
{
	uint64		hash = Mix(UINT64CONST(0x243F6A8885A308D3), len);
	uint64		word;

	for (; len >= 8; len -= 8, text += 8)
	{
		memcpy(&word, text, 8);
		hash = Mix(hash, word);
	}
	word = 0;
	memcpy(&word, text, len);
	hash = Mix(hash, word);
	return Mix(hash, hash >> 32);
}

/* Hash a spelling of a kind of value */
uint64
DictionaryHash(FieldKind kind, const char *text, int len)
{
	return HashText(text, Min(len, VALUE_MAX_BYTES)) + ((uint64) kind << 32);
}

/* Fetch the memory that a look-up will read */
void
DictionaryPrefetch(const MatchDictionary *dictionary, uint64 hash)
{
	__builtin_prefetch(&dictionary->slots[SLOT_PLACE(dictionary, hash)]);
}

/* Read a number of up to so many digits */
static int
ReadDigits(const char **at, const char *end, int max, int *digits)
{
	int			number = 0;

	*digits = 0;
	while (*at < end && **at >= '0' && **at <= '9' && *digits < max)
	{
		number = number * 10 + (*(*at)++ - '0');
		(*digits)++;
	}
	return number;
}

/*
 * Read a calendar date: year, month and day, or day, month and year unless
 * only the second can be the day.  The day need not exist in its month.
 */
bool
ParseCalendarDate(const char *text, int len, int *year, int *month, int *day)
{
	const char *at = text;
	const char *end = text + len;
	int			part[3];
	int			digits[3];

	for (int p = 0; p < 3; p++)
	{
		while (at < end && !(*at >= '0' && *at <= '9'))
			at++;
		part[p] = ReadDigits(&at, end, 8, &digits[p]);
	}
	if (digits[0] == 8)
	{
		part[2] = part[0] % 100;
		part[1] = part[0] / 100 % 100;
		part[0] /= 10000;
		if (part[0] < 1800 || part[0] > 2200)
		{
			int			all = part[0] * 10000 + part[1] * 100 + part[2];

			part[0] = all / 1000000;
			part[1] = all / 10000 % 100;
			part[2] = all % 10000;
			digits[2] = 4;
		}
		else
			digits[0] = 4;
	}
	if (digits[0] == 4)
	{
		*year = part[0];
		*month = part[1];
		*day = part[2];
	}
	else if (digits[2] == 4)
	{
		*year = part[2];
		*month = part[1];
		*day = part[0];
		if (*month > 12 && *day <= 12)
		{
			*month = part[0];
			*day = part[1];
		}
	}
	else
		return false;
	return *year > 0 && *month >= 1 && *month <= 12 && *day >= 1 && *day <= 31;
}

/* Bring a website to the name of its host */
static void
HostName(StringInfo out, const char *text, int len)
{
	const char *end = text + len;
	const char *at = strstr(text, "://");

	text = at ? at + 3 : text;
	if (strncmp(text, "www.", 4) == 0)
		text += 4;
	for (at = text; at < end && *at != '/' && *at != '?' && *at != '#' && *at != ':'; at++)
		;
	appendBinaryStringInfo(out, text, at - text);
}

/* Keep letters and digits only */
static void
AlphanumericOnly(StringInfo out, const char *text, int len)
{
	for (int i = 0; i < len; i++)
		if (IS_HIGHBIT_SET(text[i]) || (text[i] >= 'a' && text[i] <= 'z') || (text[i] >= '0' && text[i] <= '9'))
			appendStringInfoChar(out, text[i]);
}

/* What people put where they have nothing to say, folded */
static const char *const placeholders[] = {
	"-", "--", "---", ".", "?", "???", "a@a.com", "anonymous", "asdf", "email@example.com", "n.a.", "n/a", "nil",
	"no name", "no-reply@example.com", "none", "none@none.com", "not applicable", "not available", "not provided",
	"null", "test", "test test", "test@example.com", "test@test.com", "unbekannt", "undefined", "unknown", "x",
	"xx", "xxx"
};

/* Is the text one that stands for nothing? */
static bool
IsPlaceholder(const char *text, int len)
{
	int			low = 0;
	int			high = lengthof(placeholders) - 1;

	while (low <= high)
	{
		int			middle = (low + high) / 2;
		int			order = strncmp(text, placeholders[middle], len);

		if (order == 0 && placeholders[middle][len] != '\0')
			order = -1;
		if (order == 0)
			return true;
		if (order < 0)
			high = middle - 1;
		else
			low = middle + 1;
	}
	return false;
}

/* Does a text that is not folded yet stand for nothing? */
bool
StandsForNothing(StringInfo scratch, const char *text, int len)
{
	if (len > PLACEHOLDER_MAX_BYTES)
		return false;
	resetStringInfo(scratch);
	FoldText(scratch, text, len);
	return IsPlaceholder(scratch->data, scratch->len);
}

/* Bring a value to the normal form of its kind; nothing is written for a blank */
void
NormalForm(FieldKind kind, StringInfo out, StringInfo scratch, const char *text, int len)
{
	int			year,
				month,
				day;
	double		number;
	char	   *end;

	switch (kind)
	{
		case KIND_GIVEN_NAME:
			GivenNameKey(out, text, len);
			break;
		case KIND_FAMILY_NAME:
			FamilyNameKey(out, text, len);
			break;
		case KIND_ORGANISATION:
			OrganisationNameKey(out, text, len);
			break;
		case KIND_EMAIL:
			EmailKey(out, text, len);
			break;
		case KIND_ADDRESS:
			AddressKey(out, text, len);
			break;
		case KIND_POSTCODE:
			PostcodeKey(out, text, len);
			break;
		case KIND_PHONE:
			DigitsKey(out, text, len);
			if (out->len < PHONE_MIN_DIGITS)
				resetStringInfo(out);
			else if (out->len > PHONE_DIGITS)
			{
				memmove(out->data, out->data + out->len - PHONE_DIGITS, PHONE_DIGITS + 1);
				out->len = PHONE_DIGITS;
			}
			break;
		case KIND_DATE:
			if (ParseCalendarDate(text, len, &year, &month, &day))
				appendStringInfo(out, "%04d-%02d-%02d", year, month, day);
			else
				FoldText(out, text, len);
			break;
		case KIND_WEBSITE:
			resetStringInfo(scratch);
			FoldText(scratch, text, len);
			HostName(out, scratch->data, scratch->len);
			break;
		case KIND_IDENTIFIER:
			resetStringInfo(scratch);
			FoldText(scratch, text, len);
			AlphanumericOnly(out, scratch->data, scratch->len);
			break;
		case KIND_NUMBER:
			resetStringInfo(scratch);
			appendBinaryStringInfo(scratch, text, len);
			number = strtod(scratch->data, &end);
			if (end != scratch->data && isfinite(number))
				appendStringInfo(out, "%.15g", number);
			break;
		case KIND_FULL_NAME:
		case KIND_TEXT:
		case KIND_CATEGORY:
			FoldText(out, text, len);
			break;
	}
	if (out->len <= PLACEHOLDER_MAX_BYTES && IsPlaceholder(out->data, out->len))
		resetStringInfo(out);
	if (out->len > VALUE_MAX_BYTES)
	{
		out->len = pg_mbcliplen(out->data, out->len, VALUE_MAX_BYTES);
		out->data[out->len] = '\0';
	}
}

/* Make room in the hash table */
static void
GrowSlots(MatchDictionary *dictionary)
{
	uint32		old_mask = dictionary->slot_mask;
	uint64	   *old = dictionary->slots;

	dictionary->slot_mask = old_mask * 2 + 1;
	dictionary->slots = MemoryContextAllocHuge(dictionary->context, sizeof(uint64) * ((uint64) dictionary->slot_mask + 1));
	memset(dictionary->slots, 0, sizeof(uint64) * ((uint64) dictionary->slot_mask + 1));
	for (uint32 i = 0; i <= old_mask; i++)
	{
		uint32		at;

		if (old[i] == 0)
			continue;
		for (at = SLOT_PLACE(dictionary, old[i]); dictionary->slots[at] != 0; at = (at + 1) & dictionary->slot_mask)
			;
		dictionary->slots[at] = old[i];
	}
	pfree(old);
}

/* Put a slot into the hash table */
static void
AddSlot(MatchDictionary *dictionary, uint64 hash, uint64 slot)
{
	uint32		at;

	if ((uint64) (dictionary->slots_used + 1) * 3 > (uint64) dictionary->slot_mask * 2)
		GrowSlots(dictionary);
	for (at = SLOT_PLACE(dictionary, hash); dictionary->slots[at] != 0; at = (at + 1) & dictionary->slot_mask)
		;
	dictionary->slots[at] = SLOT_TAG(hash) | slot;
	dictionary->slots_used++;
}

/* Reserve room in the text of a dictionary; returns where */
static uint32
ReserveText(MatchDictionary *dictionary, int size)
{
	uint64		offset = dictionary->text_used;

	if (offset + size + 8 > dictionary->text_size)
	{
		dictionary->text_size = dictionary->text_size * 2 + size;
		dictionary->text = Grow(dictionary->text, dictionary->text_size);
	}
	if (offset + size > PG_UINT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the distinct values of one field take more than 4 GB"),
				 errhint("Match a part of the records at a time.")));
	dictionary->text_used += size;
	return offset;
}

/* Find a value in normal form; the blank when there is none */
static uint32
FindNormal(const MatchDictionary *dictionary, const char *text, int len, uint64 hash)
{
	for (uint32 at = SLOT_PLACE(dictionary, hash); dictionary->slots[at] != 0; at = (at + 1) & dictionary->slot_mask)
	{
		uint64		slot = dictionary->slots[at];
		const MatchValue *value;

		if (SLOT_TAG(slot) != SLOT_TAG(hash) || (slot & SLOT_ALIAS))
			continue;
		value = &dictionary->values[slot & SLOT_INDEX];
		if (value->bytes == len && memcmp(DictionaryText(dictionary, value), text, len) == 0)
			return slot & SLOT_INDEX;
	}
	return VALUE_BLANK;
}

/* Find a value by its normal form; the blank when there is none */
uint32
DictionaryFind(const MatchDictionary *dictionary, const char *text, int len)
{
	return len == 0 ? VALUE_BLANK : FindNormal(dictionary, text, len, HashText(text, len));
}

/* Take a value apart into words */
static void
AddWords(MatchDictionary *dictionary, uint32 id)
{
	char		text[VALUE_MAX_BYTES + 1];
	int			bytes = dictionary->values[id].bytes;
	uint32		first = dictionary->token_used;
	int			count = 0;

	memcpy(text, DictionaryText(dictionary, &dictionary->values[id]), bytes);
	text[bytes] = '\0';
	for (char *word = text; *word && count < VALUE_MAX_TOKENS;)
	{
		int			len = strcspn(word, " ");

		if (len > 0)
		{
			if (dictionary->token_used == dictionary->token_size)
			{
				dictionary->token_size *= 2;
				dictionary->tokens = Grow(dictionary->tokens, sizeof(uint32) * (uint64) dictionary->token_size);
			}
			dictionary->tokens[dictionary->token_used++] =
				DictionaryEnterNormal(dictionary->words, KIND_CATEGORY, word, len);
			count++;
		}
		word += len + (word[len] == ' ');
	}
	dictionary->values[id].extra = first;
	dictionary->values[id].token_count = count;
}

/* Note what a new value of its kind is asked for */
static void
DescribeValue(MatchDictionary *dictionary, FieldKind kind, uint32 id, const char *text, int len)
{
	int			year,
				month,
				day;
	const char *at;

	switch (kind)
	{
		case KIND_DATE:
			if (ParseCalendarDate(text, len, &year, &month, &day))
				dictionary->values[id].extra = DATE_PACK(year, month, day);
			break;
		case KIND_NUMBER:
			if (dictionary->number_used == dictionary->number_size)
			{
				dictionary->number_size = Max(dictionary->number_size * 2, FIRST_CAPACITY);
				dictionary->numbers = dictionary->numbers ?
					Grow(dictionary->numbers, sizeof(double) * (uint64) dictionary->number_size) :
					MemoryContextAlloc(dictionary->context, sizeof(double) * dictionary->number_size);
			}
			dictionary->values[id].extra = dictionary->number_used;
			dictionary->numbers[dictionary->number_used++] = strtod(text, NULL);
			break;
		case KIND_EMAIL:
			if (dictionary->mailboxes == NULL)
				break;
			at = memchr(text, '@', len);
			dictionary->values[id].extra =
				DictionaryEnterNormal(dictionary->mailboxes, KIND_CATEGORY, text, at ? at - text : len);
			dictionary->domains[id] = at == NULL ? VALUE_BLANK :
				DictionaryEnterNormal(dictionary->domain_names, KIND_CATEGORY, at + 1, len - (at + 1 - text));
			break;
		default:
			if (dictionary->has_words)
				AddWords(dictionary, id);
			break;
	}
}

/* Add a value that is not there yet */
static uint32
AddValue(MatchDictionary *dictionary, FieldKind kind, const char *text, int len, uint64 hash)
{
	uint32		id = dictionary->count;
	MatchValue *value;
	bool		is_wide = false;

	for (int i = 0; i < len && !is_wide; i++)
		is_wide = IS_HIGHBIT_SET(text[i]);
	if (id == dictionary->capacity)
	{
		if (dictionary->capacity > SLOT_INDEX / 2)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("a field has more than %u distinct values", dictionary->capacity)));
		dictionary->capacity *= 2;
		dictionary->values = Grow(dictionary->values, sizeof(MatchValue) * (uint64) dictionary->capacity);
		if (dictionary->domains)
			dictionary->domains = Grow(dictionary->domains, sizeof(uint32) * (uint64) dictionary->capacity);
	}
	value = &dictionary->values[id];
	memset(value, 0, sizeof(MatchValue));
	value->bytes = len;
	value->length = len;
	value->is_wide = is_wide;
	if (is_wide)
	{
		pg_wchar	wide[VALUE_MAX_BYTES + 1];

		dictionary->text_used = TYPEALIGN(sizeof(uint32), dictionary->text_used);
		value->length = pg_mb2wchar_with_len(text, wide, len);
		value->offset = ReserveText(dictionary, value->length * sizeof(uint32) + len);
		memcpy(dictionary->text + value->offset, wide, value->length * sizeof(uint32));
	}
	else
		value->offset = ReserveText(dictionary, len);
	memcpy(dictionary->text + value->offset + (is_wide ? value->length * sizeof(uint32) : 0), text, len);
	dictionary->count++;
	AddSlot(dictionary, hash, id);
	{
		CompareText letters = ValueText(dictionary, value);

		value->signature = LetterSignature(&letters);
	}
	DescribeValue(dictionary, kind, id, text, len);
	return id;
}

/* Enter a value that is in normal form; returns its id */
uint32
DictionaryEnterNormal(MatchDictionary *dictionary, FieldKind kind, const char *text, int len)
{
	uint64		hash;
	uint32		id;

	if (len == 0)
		return VALUE_BLANK;
	hash = HashText(text, len);
	id = FindNormal(dictionary, text, len, hash);
	return id != VALUE_BLANK ? id : AddValue(dictionary, kind, text, len, hash);
}

/* Remember what a spelling stands for, unless spellings turn out to come once only */
static void
Remember(MatchDictionary *dictionary, FieldKind kind, const char *text, int len, uint64 hash, uint32 id)
{
	MatchAlias *alias;

	if (len > VALUE_MAX_BYTES ||
		(dictionary->alias_count >= ALIAS_TRIAL && dictionary->alias_hits < dictionary->alias_count))
		return;
	if (dictionary->alias_count == dictionary->alias_capacity)
	{
		dictionary->alias_capacity = Max(dictionary->alias_capacity * 2, FIRST_CAPACITY);
		dictionary->aliases = dictionary->aliases ?
			Grow(dictionary->aliases, sizeof(MatchAlias) * (uint64) dictionary->alias_capacity) :
			MemoryContextAlloc(dictionary->context, sizeof(MatchAlias) * dictionary->alias_capacity);
	}
	alias = &dictionary->aliases[dictionary->alias_count];
	alias->offset = ReserveText(dictionary, len);
	alias->id = id;
	alias->bytes = len;
	alias->kind = kind;
	memcpy(dictionary->text + alias->offset, text, len);
	AddSlot(dictionary, hash, SLOT_ALIAS | dictionary->alias_count);
	dictionary->alias_count++;
}

/* Enter a value as it is spelt; returns its id, the blank's when it is one */
uint32
DictionaryEnter(MatchDictionary *dictionary, FieldKind kind, const char *text, int len, uint64 hash)
{
	uint32		id;

	if (len == 0)
		return VALUE_BLANK;
	if (dictionary->alias_count > 0 && len <= VALUE_MAX_BYTES)
		for (uint32 at = SLOT_PLACE(dictionary, hash); dictionary->slots[at] != 0; at = (at + 1) & dictionary->slot_mask)
		{
			uint64		slot = dictionary->slots[at];
			const MatchAlias *alias;

			if (SLOT_TAG(slot) != SLOT_TAG(hash) || !(slot & SLOT_ALIAS))
				continue;
			alias = &dictionary->aliases[slot & SLOT_INDEX];
			if (alias->bytes == len && alias->kind == kind &&
				memcmp(dictionary->text + alias->offset, text, len) == 0)
			{
				dictionary->alias_hits++;
				return alias->id;
			}
		}
	resetStringInfo(&dictionary->normal);
	NormalForm(kind, &dictionary->normal, &dictionary->scratch, text, len);
	id = DictionaryEnterNormal(dictionary, kind, dictionary->normal.data, dictionary->normal.len);
	Remember(dictionary, kind, text, len, hash, id);
	return id;
}
