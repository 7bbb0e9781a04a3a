/*
 * Double metaphone codes, as contrib's fuzzystrmatch makes them (Lawrence
 * Philips, "The Double Metaphone Search Algorithm", C/C++ Users Journal,
 * June 2000). The function is called in its library: the extension need not
 * be created.
 */
#include "postgres.h"

#include "fmgr.h"
#include "normalise/normalise.h"
#include "normalise/words.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* Longest word that has a code of its own: it says nothing beyond four sounds */
#define PHONETIC_MAX_WORD	64

static PGFunction doubleMetaphone;

/* The function leaves its memory to the caller's context: one to be reset */
static MemoryContext phoneticContext;

/*
 * Check whether a word is of Latin letters, all of which folding makes ASCII
 */
static bool
IsLatin(const Word *word)
{
	for (int i = 0; i < word->len; i++)
	{
		if (IS_HIGHBIT_SET(word->chars[i]) || word->chars[i] < 'a')
			return false;
	}

	return true;
}

/*
 * Append the code of a word; a number, a word of another script or one without a
 * sound stays as it is
 */
static void
AppendCode(StringInfo out, const Word *word)
{
	MemoryContext old;
	Datum		code;
	text	   *value;

	if (!IsLatin(word))
	{
		AppendServer(out, word->chars, word->len);
		return;
	}

	old = MemoryContextSwitchTo(phoneticContext);
	code = DirectFunctionCall1(doubleMetaphone,
							   PointerGetDatum(cstring_to_text_with_len(word->chars,
																		Min(word->len, PHONETIC_MAX_WORD))));
	MemoryContextSwitchTo(old);

	value = DatumGetTextPP(code);
	if (VARSIZE_ANY_EXHDR(value) > 0)
		appendBinaryStringInfo(out, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
	else
		appendBinaryStringInfo(out, word->chars, word->len);
	MemoryContextReset(phoneticContext);
}

/*
 * Get the codes of the words of text
 */
void
PhoneticKey(StringInfo out, const char *value, int len)
{
	static StringInfoData folded;
	static WordList words;

	if (phoneticContext == NULL)
		phoneticContext = AllocSetContextCreate(TopMemoryContext, "lead_mgmt phonetic codes", ALLOCSET_SMALL_SIZES);
	if (doubleMetaphone == NULL)
		doubleMetaphone = (PGFunction) load_external_function("$libdir/fuzzystrmatch", "dmetaphone", true, NULL);

	FoldServerToUtf8(ResetScratch(&folded), value, len);
	SplitWords(&words, folded.data, folded.len);

	for (int i = 0; i < words.count; i++)
	{
		if (i > 0)
			appendStringInfoChar(out, ' ');
		AppendCode(out, &words.words[i]);
	}
}

/*
 * Get the codes of the words of text
 */
PG_FUNCTION_INFO_V1(phonetic_key);
Datum
phonetic_key(PG_FUNCTION_ARGS)
{
	return KeyOfArgument(fcinfo, PhoneticKey);
}
