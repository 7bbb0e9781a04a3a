/*
 * Keys of given names, family names and full names.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "normalise/normalise.h"
#include "normalise/person.h"
#include "normalise/words.h"
#include "utils/builtins.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* Times a key is brought to its own key: joining may make a particle or suffix */
#define FAMILY_KEY_PASSES	4

/* Particles that go by another spelling here */
static const struct
{
	const char *from;
	const char *to;
}			particleSpellings[] = {
	{"st", "saint"}, {"el", "al"}, {"ibn", "bin"}, {"bint", "binti"}, {"binte", "binti"},
	{"abdel", "abdul"}, {"abdal", "abdul"}, {"abdoul", "abdul"}
};

/*
 * Fold text in the server's encoding and cut it into words
 */
static void
FoldIntoWords(WordList *words, StringInfo folded, const char *value, int len)
{
	FoldServerToUtf8(ResetScratch(folded), value, len);
	SplitWords(words, folded->data, folded->len);
}

/*
 * Get the key of given names
 */
void
GivenNameKey(StringInfo out, const char *value, int len)
{
	static StringInfoData folded;
	static WordList words;
	int			first = 0;

	FoldIntoWords(&words, &folded, value, len);

	while (first < words.count - 1 && (TitleOf(words.words[first].chars, words.words[first].len) & TITLE_SURE))
		first++;

	for (int i = first; i < words.count; i++)
	{
		if (i > first)
			appendStringInfoChar(out, ' ');
		AppendServer(out, words.words[i].chars, words.words[i].len);
	}
}

/*
 * Get the spelling of a particle that is written together with the next word,
 * NULL if the word is none. The Arabic article takes on the letter after it,
 * and the hyphen tells it from other words: ash-Sharif is al-Sharif.
 */
static const char *
JoinedParticle(const Word *word, const Word *next, int *len)
{
	*len = word->len;

	if (next->before == '-' && (word->len == 2 || word->len == 3) && word->chars[0] == 'a' &&
		strchr("dnrstz", word->chars[1]) != NULL && (word->len == 2 || word->chars[2] == 'h'))
	{
		*len = 2;
		return "al";
	}

	if (!(NameRoleOf(word->chars, word->len) & (PARTICLE | PARTICLE_LOWER | PARTICLE_JOINED)))
		return NULL;

	for (int i = 0; i < lengthof(particleSpellings); i++)
	{
		if (WordIs(word, particleSpellings[i].from))
		{
			*len = strlen(particleSpellings[i].to);
			return particleSpellings[i].to;
		}
	}

	return word->chars;
}

/*
 * Append the key of a folded family name, and tell whether that changed it
 */
static bool
AppendFamilyKey(StringInfo out, const WordList *list)
{
	const Word *words = list->words;
	int			first = 0;
	int			last = list->count - 1;
	bool		changed = false;

	while (first < last && (TitleOf(words[first].chars, words[first].len) & TITLE_SURE))
		first++;
	while (first < last && (TitleOf(words[last].chars, words[last].len) & SUFFIX_SURE))
		last--;
	changed = first > 0 || last < list->count - 1;

	for (int i = first; i <= last; i++)
	{
		const char *particle = NULL;
		int			len;

		if (i < last)
		{
			/* And: Ortega y Gasset, Silva e Souza */
			if (i > first && words[i].len == 1 && (words[i].chars[0] == 'y' || words[i].chars[0] == 'e'))
			{
				changed = true;
				continue;
			}
			particle = JoinedParticle(&words[i], &words[i + 1], &len);
		}

		if (particle != NULL)
		{
			appendBinaryStringInfo(out, particle, len);
			changed = true;
		}
		else
		{
			AppendServer(out, words[i].chars, words[i].len);
			if (i < last)
				appendStringInfoChar(out, ' ');
		}
	}

	return changed;
}

/*
 * Get the key of a family name
 */
void
FamilyNameKey(StringInfo out, const char *value, int len)
{
	static StringInfoData folded;
	static WordList words;
	int			start = out->len;

	for (int pass = 0; pass < FAMILY_KEY_PASSES; pass++)
	{
		/* Folded apart before it is written over, when it is our own output */
		FoldIntoWords(&words, &folded, value, len);
		out->len = start;
		if (!AppendFamilyKey(out, &words))
			return;
		value = out->data + start;
		len = out->len - start;
	}
}

static int
CompareWords(const void *a, const void *b)
{
	const Word *x = a;
	const Word *y = b;
	int			cmp = memcmp(x->chars, y->chars, Min(x->len, y->len));

	return cmp != 0 ? cmp : x->len - y->len;
}

/*
 * Get the key of a full name: its words in the order of their bytes, so that
 * the order in which they were written does not count
 */
void
PersonNameKey(StringInfo out, const char *value, int len)
{
	static StringInfoData key;
	static WordList words;
	const PersonName *name = PersonNameParts(value, len);

	ResetScratch(&key);
	GivenNameKey(&key, name->given.data, name->given.len);
	appendStringInfoChar(&key, ' ');
	GivenNameKey(&key, name->middle.data, name->middle.len);
	appendStringInfoChar(&key, ' ');
	FamilyNameKey(&key, name->family.data, name->family.len);

	/* Nothing but titles, say */
	if (key.len == 2)
		GivenNameKey(&key, value, len);

	/* The key is in the server's encoding already: blanks are all that counts */
	ResetWords(&words);
	for (int i = 0; i < key.len;)
	{
		int			n = strcspn(key.data + i, " ");

		if (n > 0)
			AddWord(&words, key.data + i, n, ' ');
		i += n + 1;
	}
	if (words.count > 1)
		qsort(words.words, words.count, sizeof(Word), CompareWords);
	AppendWords(out, &words);
}

/*
 * Get the key of given names
 */
PG_FUNCTION_INFO_V1(given_name_key);
Datum
given_name_key(PG_FUNCTION_ARGS)
{
	return KeyOfArgument(fcinfo, GivenNameKey);
}

/*
 * Get the key of a family name
 */
PG_FUNCTION_INFO_V1(family_name_key);
Datum
family_name_key(PG_FUNCTION_ARGS)
{
	return KeyOfArgument(fcinfo, FamilyNameKey);
}

/*
 * Get the key of a full name
 */
PG_FUNCTION_INFO_V1(person_name_key);
Datum
person_name_key(PG_FUNCTION_ARGS)
{
	return KeyOfArgument(fcinfo, PersonNameKey);
}
