#ifndef LEAD_MGMT_WORDS_H
#define LEAD_MGMT_WORDS_H

/*
 * What the files of this room share: folded text in UTF-8, cut into words, and
 * tables of words. UTF-8 whatever the server's encoding is: the keys are made
 * of it and brought to the server's encoding last.
 */
#include "fmgr.h"
#include "lib/stringinfo.h"

/* Scratch memory above this size is given back at the next use */
#define SCRATCH_KEEP	65536

/* A piece of folded text between separators */
typedef struct Word
{
	const char *chars;
	int			len;
	char		before;			/* what separates it from the word before: the
								 * last ASCII character but blanks, a blank,
								 * or 0 at the start; '-' and the like are
								 * told apart by it */
	uint16		mark;			/* what its user knows about it */
} Word;

typedef struct WordList
{
	Word	   *words;
	int			count;
	int			size;
} WordList;

/* Words with a number each, to be looked up by their bytes */
typedef struct WordSlot
{
	const char *word;
	uint32		hash;
	uint16		len;
	uint16		value;
} WordSlot;

typedef struct WordTable
{
	WordSlot   *slots;
	uint32		mask;
	uint32		count;
	int			max_len;
} WordTable;

/* fold.c */
extern void FoldUtf8(StringInfo out, const char *value, int len);
extern void FoldServerToUtf8(StringInfo out, const char *value, int len);
extern bool AppendServer(StringInfo out, const char *utf8, int len);
extern bool CodePointJoins(uint32 c);
extern int	DecodeCodePoint(const char *s, const char *end, uint32 *c);

/* words.c */
extern StringInfo ResetScratch(StringInfo scratch);
extern void ResetWords(WordList *list);
extern void SplitWords(WordList *list, char *value, int len);
extern Word *AddWord(WordList *list, const char *value, int len, char before);
extern void AppendWords(StringInfo out, const WordList *list);
extern void InitWordTable(WordTable *table, int expected);
extern void SetInWordTable(WordTable *table, const char *word, int len, uint16 value);
extern int	FindInWordTable(const WordTable *table, const char *word, int len);
extern Datum KeyOfArgument(FunctionCallInfo fcinfo, void (*append) (StringInfo, const char *, int));

static inline bool
WordIs(const Word *word, const char *value)
{
	int			len = (int) strlen(value);

	return word->len == len && memcmp(word->chars, value, len) == 0;
}

#endif
