/*
 * Dictionaries: the distinct values of a field in normal form.
 */
#ifndef LEAD_MGMT_DICTIONARY_H
#define LEAD_MGMT_DICTIONARY_H

#include "compare/compare.h"
#include "matching/model.h"

/* What is compared of a value, in bytes; longer ones are cut */
#define VALUE_MAX_BYTES 255
#define VALUE_MAX_TOKENS 16

/* Dictionaries of more values are not in the processor's first caches, or in none */
#define NEAR_AT_HAND 1000
#define FAR_AWAY 50000

/* The id of a blank */
#define VALUE_BLANK 0

/* No part, of a value that might have one */
#define VALUE_NO_EXTRA 0

/*
 * A distinct value.  What extra is depends on the kind: of an e-mail address
 * its mailbox, of a date its packed parts, of a number its place among the
 * numbers, of a text of several words the place of its words.
 */
typedef struct MatchValue
{
	uint64		signature;		/* of its letters */
	uint32		offset;			/* of its text; of its characters when wide */
	uint32		extra;
	uint8		bytes;			/* of the text, which follows the characters when wide */
	uint8		length;			/* in characters */
	bool		is_wide;		/* has characters that are not ASCII */
	uint8		token_count;
	uint8		groups;			/* of names that are short for each other; a bit stands for several */
} MatchValue;

/* Groups of names are told apart by so many bits */
#define VALUE_GROUP_BITS 8

/* The groups of a word that marks a unit of a group of companies */
#define VALUE_OF_UNIT 1

/* A spelling that is not in normal form, and what it stands for */
typedef struct MatchAlias
{
	uint32		offset;
	uint32		id;
	uint8		bytes;
	uint8		kind;
} MatchAlias;

/* A text to be entered into a dictionary */
typedef struct ValueSpelling
{
	const char *text;
	int			len;
} ValueSpelling;

/* So many are entered at a time */
#define DICTIONARY_BATCH 512

typedef struct MatchDictionary
{
	MemoryContext context;
	bool		has_words;
	uint32		count;			/* the blank included */
	uint32		capacity;
	MatchValue *values;
	char	   *text;
	uint64		text_used;
	uint64		text_size;
	uint32	   *tokens;			/* words of values, as ids of the dictionary of words */
	uint32		token_used;
	uint32		token_size;
	struct MatchDictionary *words;
	struct MatchDictionary *mailboxes;	/* of e-mail addresses */
	struct MatchDictionary *domain_names;
	uint32	   *domains;		/* by id */
	double	   *numbers;
	uint32		number_used;
	uint32		number_size;
	uint64	   *slots;			/* hash table: part of the hash, and an id or an alias */
	uint32		slot_mask;
	uint32		slots_used;
	MatchAlias *aliases;
	uint32		alias_count;
	uint32		alias_capacity;
	uint32		alias_hits;
	StringInfoData normal;
	StringInfoData normals;		/* of a batch */
	StringInfoData scratch;
} MatchDictionary;

extern void DictionaryInit(MatchDictionary *dictionary, MemoryContext context);
extern void DictionaryEnter(MatchDictionary *dictionary, FieldKind kind, ValueSpelling *spellings, int count,
							uint32 *ids);
extern void DictionaryEnterNormals(MatchDictionary *dictionary, FieldKind kind, ValueSpelling *normals, int count,
								   uint32 *ids);
extern void DictionaryDropLookup(MatchDictionary *dictionary);
extern uint32 DictionaryFind(const MatchDictionary *dictionary, const char *text, int len);
extern bool StandsForNothing(StringInfo scratch, const char *text, int len);
extern void NormalForm(FieldKind kind, StringInfo out, StringInfo scratch, const char *text, int len);
extern bool ParseCalendarDate(const char *text, int len, int *year, int *month, int *day);

/* Fetch a value ahead; it may lie across two cache lines */
static inline void
ValueFetch(const MatchDictionary *dictionary, uint32 id)
{
	const MatchValue *value = &dictionary->values[id];

	__builtin_prefetch(value);
	__builtin_prefetch((const char *) (value + 1) - 1);
}

/* Get the text of a value in normal form */
static inline const char *
DictionaryText(const MatchDictionary *dictionary, const MatchValue *value)
{
	return dictionary->text + value->offset + (value->is_wide ? value->length * sizeof(uint32) : 0);
}

/* Take a value apart into characters */
static inline CompareText
ValueText(const MatchDictionary *dictionary, const MatchValue *value)
{
	CompareText text;

	text.length = value->length;
	text.bytes = value->is_wide ? NULL : (const uint8 *) dictionary->text + value->offset;
	text.chars = value->is_wide ? (const uint32 *) (dictionary->text + value->offset) : NULL;
	return text;
}

/* The parts of a date, packed in the order of time */
#define DATE_PACK(year, month, day) (((uint32) (year) << 9) | ((month) << 5) | (day))
#define DATE_YEAR(packed) ((int) ((packed) >> 9))
#define DATE_MONTH(packed) ((int) (((packed) >> 5) & 15))
#define DATE_DAY(packed) ((int) ((packed) & 31))

#endif
