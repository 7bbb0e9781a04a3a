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

#include "matching/arrays.h"
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

/*
 * Remembering spellings stops when this many were remembered and one of so many
 * came again, or when many more were and most did not: of thousands of dates
 * each is rare at first
 */
#define ALIAS_TRIAL 4096
#define ALIAS_HOPE 32
#define ALIAS_MOST 65536

/* Phone numbers agree when their last digits do, whatever the prefix for calls abroad */
#define PHONE_DIGITS 9
#define PHONE_MIN_DIGITS 5

/* Longest of the texts that stand for nothing */
#define PLACEHOLDER_MAX_BYTES 20

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
	initStringInfo(&dictionary->normals);
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
static inline uint64
HashSpelling(FieldKind kind, const ValueSpelling *spelling)
{
	return HashText(spelling->text, spelling->len) + ((uint64) kind << 32);
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

/* What they begin with */
#define PLACEHOLDER_INITIALS "-.?aentux"

/* Is the text one that stands for nothing? */
static bool
IsPlaceholder(const char *text, int len)
{
	int			low = 0;
	int			high = lengthof(placeholders) - 1;

	if (len == 0 || strchr(PLACEHOLDER_INITIALS, *text) == NULL)
		return false;
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
	dictionary->slots = ArrayAllocateZero(dictionary->context, sizeof(uint64) * ((uint64) dictionary->slot_mask + 1));
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
		dictionary->text = ArrayGrow(dictionary->text, dictionary->text_size);
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
	ValueSpelling words[VALUE_MAX_TOKENS];
	int			bytes = dictionary->values[id].bytes;
	int			count = 0;

	memcpy(text, DictionaryText(dictionary, &dictionary->values[id]), bytes);
	text[bytes] = '\0';
	for (char *word = text; *word && count < VALUE_MAX_TOKENS;)
	{
		int			len = strcspn(word, " ");

		if (len > 0)
			words[count++] = (ValueSpelling) {word, len};
		word += len + (word[len] == ' ');
	}
	if (dictionary->token_used + VALUE_MAX_TOKENS > dictionary->token_size)
	{
		dictionary->token_size *= 2;
		dictionary->tokens = ArrayGrow(dictionary->tokens, sizeof(uint32) * (uint64) dictionary->token_size);
	}
	DictionaryEnterNormals(dictionary->words, KIND_CATEGORY, words, count, dictionary->tokens + dictionary->token_used);
	dictionary->values[id].extra = dictionary->token_used;
	dictionary->values[id].token_count = count;
	dictionary->token_used += count;
}

/* Enter the parts of e-mail addresses that are new */
static void
AddEmailParts(MatchDictionary *dictionary, uint32 first)
{
	uint32		count = dictionary->count - first;
	ValueSpelling mailboxes[DICTIONARY_BATCH];
	ValueSpelling domains[DICTIONARY_BATCH];
	uint32		ids[DICTIONARY_BATCH];

	if (count == 0)
		return;
	for (uint32 i = 0; i < count; i++)
	{
		const MatchValue *value = &dictionary->values[first + i];
		const char *text = DictionaryText(dictionary, value);
		const char *at = memchr(text, '@', value->bytes);

		mailboxes[i] = (ValueSpelling) {text, at ? at - text : value->bytes};
		domains[i] = (ValueSpelling) {at ? at + 1 : "", at ? value->bytes - (at + 1 - text) : 0};
	}
	DictionaryEnterNormals(dictionary->mailboxes, KIND_CATEGORY, mailboxes, count, ids);
	for (uint32 i = 0; i < count; i++)
		dictionary->values[first + i].extra = ids[i];
	DictionaryEnterNormals(dictionary->domain_names, KIND_CATEGORY, domains, count, dictionary->domains + first);
}

/* Note what a new value of its kind is asked for */
static void
DescribeValue(MatchDictionary *dictionary, FieldKind kind, uint32 id, const char *text, int len)
{
	uint16		groups[GIVEN_NAME_MAX_GROUPS];
	char		number[VALUE_MAX_BYTES + 1];
	int			year,
				month,
				day;

	switch (kind)
	{
		case KIND_GIVEN_NAME:
		case KIND_FAMILY_NAME:
			for (int g = GivenNameGroups(text, len, groups, lengthof(groups)) - 1; g >= 0; g--)
				dictionary->values[id].groups |= 1 << groups[g] % VALUE_GROUP_BITS;
			if (dictionary->has_words)
				AddWords(dictionary, id);
			break;
		case KIND_DATE:
			if (ParseCalendarDate(text, len, &year, &month, &day))
				dictionary->values[id].extra = DATE_PACK(year, month, day);
			break;
		case KIND_NUMBER:
			if (dictionary->number_used == dictionary->number_size)
			{
				dictionary->number_size = Max(dictionary->number_size * 2, FIRST_CAPACITY);
				dictionary->numbers = dictionary->numbers ?
					ArrayGrow(dictionary->numbers, sizeof(double) * (uint64) dictionary->number_size) :
					MemoryContextAlloc(dictionary->context, sizeof(double) * dictionary->number_size);
			}
			dictionary->values[id].extra = dictionary->number_used;

			/* Other values of the batch follow without a zero between them */
			memcpy(number, text, len);
			number[len] = '\0';
			dictionary->numbers[dictionary->number_used++] = strtod(number, NULL);
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
	bool		is_wide = !CompareIsAscii(text, len);

	if (id == dictionary->capacity)
	{
		if (dictionary->capacity > SLOT_INDEX / 2)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("a field has more than %u distinct values", dictionary->capacity)));
		dictionary->capacity *= 2;
		dictionary->values = ArrayGrow(dictionary->values, sizeof(MatchValue) * (uint64) dictionary->capacity);
		if (dictionary->domains)
			dictionary->domains = ArrayGrow(dictionary->domains, sizeof(uint32) * (uint64) dictionary->capacity);
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

/* Get the slot where the search for a hash ends if the first tag there is right, or 0 */
static inline uint64
FirstSlot(const MatchDictionary *dictionary, uint64 hash)
{
	uint64		slot = dictionary->slots[SLOT_PLACE(dictionary, hash)];

	return SLOT_TAG(slot) == SLOT_TAG(hash) && !(slot & SLOT_ALIAS) ? slot & SLOT_INDEX : 0;
}

/*
 * Enter values that are in normal form.  The memory that a look-up reads, the
 * slot, then the value, then its text, is fetched ahead for the whole batch,
 * so that the look-ups wait for it together instead of one after the other.
 */
void
DictionaryEnterNormals(MatchDictionary *dictionary, FieldKind kind, ValueSpelling *normals, int count, uint32 *ids)
{
	uint64		hashes[DICTIONARY_BATCH];
	uint32		first = dictionary->count;

	for (int i = 0; i < count; i++)
	{
		hashes[i] = HashText(normals[i].text, normals[i].len);
		__builtin_prefetch(&dictionary->slots[SLOT_PLACE(dictionary, hashes[i])]);
	}
	for (int i = 0; i < count; i++)
		ValueFetch(dictionary, FirstSlot(dictionary, hashes[i]));
	for (int i = 0; i < count; i++)
		__builtin_prefetch(dictionary->text + dictionary->values[FirstSlot(dictionary, hashes[i])].offset);
	for (int i = 0; i < count; i++)
	{
		ids[i] = VALUE_BLANK;
		if (normals[i].len == 0)
			continue;
		ids[i] = FindNormal(dictionary, normals[i].text, normals[i].len, hashes[i]);
		if (ids[i] == VALUE_BLANK)
			ids[i] = AddValue(dictionary, kind, normals[i].text, normals[i].len, hashes[i]);
	}
	if (kind == KIND_EMAIL && dictionary->mailboxes)
		AddEmailParts(dictionary, first);
}

/* Is it worth remembering spellings?  Not when they turn out to come once only. */
static inline bool
RemembersSpellings(const MatchDictionary *dictionary)
{
	return dictionary->alias_count < ALIAS_TRIAL || dictionary->alias_hits >= dictionary->alias_count ||
		(dictionary->alias_count < ALIAS_MOST && dictionary->alias_hits >= dictionary->alias_count / ALIAS_HOPE);
}

/* Find what a spelling stands for; false when it is not remembered */
static bool
FindSpelling(const MatchDictionary *dictionary, FieldKind kind, const ValueSpelling *spelling, uint64 hash,
			 uint32 *id)
{
	for (uint32 at = SLOT_PLACE(dictionary, hash); dictionary->slots[at] != 0; at = (at + 1) & dictionary->slot_mask)
	{
		uint64		slot = dictionary->slots[at];
		const MatchAlias *alias;

		if (SLOT_TAG(slot) != SLOT_TAG(hash) || !(slot & SLOT_ALIAS))
			continue;
		alias = &dictionary->aliases[slot & SLOT_INDEX];
		if (alias->bytes == spelling->len && alias->kind == kind &&
			memcmp(dictionary->text + alias->offset, spelling->text, spelling->len) == 0)
		{
			*id = alias->id;
			return true;
		}
	}
	return false;
}

/* Remember what a spelling stands for */
static void
Remember(MatchDictionary *dictionary, FieldKind kind, const ValueSpelling *spelling, uint64 hash, uint32 id)
{
	MatchAlias *alias;
	uint32		known;

	if (spelling->len > VALUE_MAX_BYTES || FindSpelling(dictionary, kind, spelling, hash, &known))
		return;
	if (dictionary->alias_count == dictionary->alias_capacity)
	{
		dictionary->alias_capacity = Max(dictionary->alias_capacity * 2, FIRST_CAPACITY);
		dictionary->aliases = dictionary->aliases ?
			ArrayGrow(dictionary->aliases, sizeof(MatchAlias) * (uint64) dictionary->alias_capacity) :
			MemoryContextAlloc(dictionary->context, sizeof(MatchAlias) * dictionary->alias_capacity);
	}
	alias = &dictionary->aliases[dictionary->alias_count];
	alias->offset = ReserveText(dictionary, spelling->len);
	alias->id = id;
	alias->bytes = spelling->len;
	alias->kind = kind;
	memcpy(dictionary->text + alias->offset, spelling->text, spelling->len);
	AddSlot(dictionary, hash, SLOT_ALIAS | dictionary->alias_count);
	dictionary->alias_count++;
}

/* Enter up to a batch of values as they are spelt; their ids are the blank's where they are blank */
void
DictionaryEnter(MatchDictionary *dictionary, FieldKind kind, ValueSpelling *spellings, int count, uint32 *ids)
{
	uint64		hashes[DICTIONARY_BATCH];
	ValueSpelling normals[DICTIONARY_BATCH];
	uint32		offsets[DICTIONARY_BATCH];
	uint32		normal_ids[DICTIONARY_BATCH];
	int			unknown[DICTIONARY_BATCH];
	int			unknown_count = 0;
	bool		remembers = RemembersSpellings(dictionary);

	if (remembers)
		for (int i = 0; i < count; i++)
		{
			hashes[i] = HashSpelling(kind, &spellings[i]);
			__builtin_prefetch(&dictionary->slots[SLOT_PLACE(dictionary, hashes[i])]);
		}
	resetStringInfo(&dictionary->normals);
	for (int i = 0; i < count; i++)
	{
		ids[i] = VALUE_BLANK;
		if (spellings[i].len == 0)
			continue;
		if (remembers && FindSpelling(dictionary, kind, &spellings[i], hashes[i], &ids[i]))
		{
			dictionary->alias_hits++;
			continue;
		}
		resetStringInfo(&dictionary->normal);
		NormalForm(kind, &dictionary->normal, &dictionary->scratch, spellings[i].text, spellings[i].len);
		offsets[unknown_count] = dictionary->normals.len;
		normals[unknown_count].len = dictionary->normal.len;
		appendBinaryStringInfo(&dictionary->normals, dictionary->normal.data, dictionary->normal.len);
		unknown[unknown_count++] = i;
	}
	for (int u = 0; u < unknown_count; u++)
		normals[u].text = dictionary->normals.data + offsets[u];
	DictionaryEnterNormals(dictionary, kind, normals, unknown_count, normal_ids);
	for (int u = 0; u < unknown_count; u++)
	{
		ids[unknown[u]] = normal_ids[u];
		if (remembers)
			Remember(dictionary, kind, &spellings[unknown[u]], hashes[unknown[u]], normal_ids[u]);
	}
}

/* Give back what values are looked up by, once all are there */
void
DictionaryDropLookup(MatchDictionary *dictionary)
{
	if (dictionary->slots)
		pfree(dictionary->slots);
	dictionary->slots = NULL;
	if (dictionary->aliases)
		pfree(dictionary->aliases);
	dictionary->aliases = NULL;
}
