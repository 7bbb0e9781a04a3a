/*
 * The key of an organisation's name: what is left when case, accents,
 * punctuation, the legal form and a leading article are gone. It is never
 * empty when the name has a letter or digit: what would leave nothing stays.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "normalise/normalise.h"
#include "normalise/organisation.h"
#include "normalise/words.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* Longest spelling of a legal form, in bytes and words */
#define FORM_MAX_LEN	160
#define FORM_MAX_WORDS	10

/* Spellings written without a blank */
#define MAX_GLUED_FORMS	128

/* Legal forms of one name that there is room for at first */
#define FOUND_FORMS_START	16

/* Times a name is gone over when what was taken out brings more to light */
#define MAX_PASSES		4

/* What a word is apart from legal forms, and what it is the first of */
#define WORD_ARTICLE	1
#define WORD_AND		2
#define WORD_GENERIC	3
#define WORD_KIND		3
#define FORM_WORDS(mark)	((mark) >> 2)
#define FORM_WORDS_MARK(words)	((words) << 2)

/* A legal form found in a name */
typedef struct FoundForm
{
	int			form;
	int			first;
	int			count;
} FoundForm;

typedef struct FoundForms
{
	FoundForm  *forms;
	int			count;
	int			size;
} FoundForms;

/* A spelling that is written without a blank */
typedef struct GluedForm
{
	const char *chars;
	int			len;
} GluedForm;

/*
 * Spellings of legal forms, their words with blanks between them; and what is
 * known about a word: its kind, with the number of words of the longest
 * spelling that begins with it
 */
static WordTable formSpellings;
static WordTable knownWords;
static GluedForm *gluedForms;
static int	gluedCount;
static bool tablesBuilt;

static const struct
{
	int			kind;
	const char *words;
}			otherWordLists[] = {
	{WORD_ARTICLE, "the le la les el los las il lo gli der die das het"},
	{WORD_AND, "and und et og och y и та"},

	/* Of one of these alone, nobody could tell which organisation it is */
	{WORD_GENERIC, "institute group company bank energy power holding holdings solutions services service systems "
		"international industries engineering consulting partners capital financial sciences technologies technology "
		"airlines media global brands foods motors software electronics trading insurance university hotel hotels "
	"restaurant cafe studio studios design works network networks"}
};

/*
 * Write the words of one of a list with blanks between them
 */
static int
JoinWords(char *out, const Word *words, int count)
{
	int			len = 0;

	for (int i = 0; i < count; i++)
	{
		if (len + words[i].len + 1 > FORM_MAX_LEN)
			return -1;
		if (i > 0)
			out[len++] = ' ';
		memcpy(out + len, words[i].chars, words[i].len);
		len += words[i].len;
	}

	return len;
}

static inline int
WordKind(const Word *word)
{
	return word->mark & WORD_KIND;
}

/*
 * Note what is known about a word
 */
static inline void
MarkWord(Word *word)
{
	int			mark = FindInWordTable(&knownWords, word->chars, word->len);

	word->mark = Max(mark, 0);
}

/*
 * Check whether a word is one letter of an alphabet
 */
static inline bool
IsLetter(const Word *word)
{
	if (word->len == 1)
		return word->chars[0] >= 'a';

	/* Greek and Cyrillic */
	return word->len == 2 && (unsigned char) word->chars[0] >= 0xCD && (unsigned char) word->chars[0] <= 0xD4;
}

/*
 * Put single letters together: those of s.a. and a/s, or all that follow one
 * another. The words put together are written to more.
 */
static void
JoinLetters(WordList *list, StringInfo more, bool blanks)
{
	Word	   *words = list->words;
	int			kept = 0;

	for (int i = 0; i < list->count;)
	{
		int			n = 1;

		if (IsLetter(&words[i]))
		{
			while (i + n < list->count && IsLetter(&words[i + n]) &&
				   (blanks || words[i + n].before == '.' || words[i + n].before == '/'))
				n++;
		}

		words[kept] = words[i];
		if (n > 1)
		{
			int			start = more->len;

			for (int k = 0; k < n; k++)
				appendBinaryStringInfo(more, words[i + k].chars, words[i + k].len);
			words[kept].chars = more->data + start;
			words[kept].len = more->len - start;
			MarkWord(&words[kept]);
		}
		kept++;
		i += n;
	}

	list->count = kept;
}

static void
AddAnd(WordList *words)
{
	MarkWord(AddWord(words, "and", 3, ' '));
}

/*
 * Get the length of the longest legal form that is written without a blank at
 * the start or end of a text, when there is more than it
 */
static int
GluedLength(const char *chars, int len, bool front)
{
	for (int i = 0; i < gluedCount; i++)
	{
		int			n = gluedForms[i].len;

		if (n < len && memcmp(front ? chars : chars + len - n, gluedForms[i].chars, n) == 0)
			return n;
	}

	return 0;
}

/*
 * Add a word, and the legal forms at either end of it as words of their own
 */
static void
AddGlued(WordList *words, const Word *word, char before)
{
	const char *chars = word->chars;
	const char *end = chars + word->len;
	const char *forms = end;
	int			n;

	if (FindInWordTable(&formSpellings, chars, word->len) >= 0)
	{
		MarkWord(AddWord(words, chars, word->len, before));
		return;
	}

	while ((n = GluedLength(chars, end - chars, true)) > 0)
	{
		MarkWord(AddWord(words, chars, n, before));
		chars += n;
		before = ' ';
	}
	while ((n = GluedLength(chars, forms - chars, false)) > 0)
		forms -= n;

	MarkWord(AddWord(words, chars, forms - chars, before));
	while (forms < end)
	{
		n = GluedLength(forms, end - forms, true);
		if (n == 0)
			n = end - forms;
		MarkWord(AddWord(words, forms, n, ' '));
		forms += n;
	}
}

/*
 * Cut a folded name into words: & and + are words too, the Internet's domain
 * of companies is none
 */
static void
SplitOrganisation(WordList *words, StringInfo folded, StringInfo more)
{
	static WordList split;

	SplitWords(&split, folded->data, folded->len);

	/* What is put together comes out of these bytes, so it has room */
	enlargeStringInfo(ResetScratch(more), folded->len);

	ResetWords(words);
	for (int i = 0; i < split.count; i++)
	{
		const Word *word = &split.words[i];
		char		before = word->before;

		if (i > 0 && (before == '&' || before == '+'))
		{
			AddAnd(words);
			before = ' ';
		}
		else if (i > 0 && before == '.' && WordIs(word, "com"))
			continue;
		if (IS_HIGHBIT_SET(word->chars[0]) || IS_HIGHBIT_SET(word->chars[word->len - 1]))
			AddGlued(words, word, before);
		else
			MarkWord(AddWord(words, word->chars, word->len, before));
	}

	JoinLetters(words, more, false);
}

/*
 * Put single letters together and make conjunctions one, which the words of a
 * name begin with and end on in no case
 */
static void
UniteWords(WordList *words, StringInfo more)
{
	JoinLetters(words, more, true);

	for (int i = 1; i < words->count - 1; i++)
	{
		Word	   *word = &words->words[i];

		if (WordKind(word) == WORD_AND)
		{
			word->chars = "and";
			word->len = 3;
			MarkWord(word);
		}
	}
}

/*
 * Add a spelling of a legal form to the tables
 */
static void
AddSpelling(int form, const char *spelling, int len, GluedForm *glued, int *glued_count)
{
	static WordList words;
	static StringInfoData folded;
	static StringInfoData more;
	char		joined[FORM_MAX_LEN];
	int			joined_len;
	int			start_len;
	int			mark;
	char	   *key;

	FoldUtf8(ResetScratch(&folded), spelling, len);
	SplitOrganisation(&words, &folded, &more);
	UniteWords(&words, &more);
	joined_len = JoinWords(joined, words.words, words.count);
	if (joined_len <= 0 || words.count > FORM_MAX_WORDS)
		elog(ERROR, "legal form \"%s\" is too long or empty", legalForms[form].form);

	/* The same spelling of several forms means the first */
	if (FindInWordTable(&formSpellings, joined, joined_len) >= 0)
		return;

	key = MemoryContextStrdup(TopMemoryContext, pnstrdup(joined, joined_len));
	SetInWordTable(&formSpellings, key, joined_len, form);
	start_len = words.words[0].len;
	mark = Max(FindInWordTable(&knownWords, key, start_len), 0);
	if (FORM_WORDS(mark) < words.count)
		SetInWordTable(&knownWords, key, start_len, FORM_WORDS_MARK(words.count) | (mark & WORD_KIND));

	/* One character is part of other words too often */
	if ((legalForms[form].places & FORM_GLUED) && words.count == 1 &&
		joined_len > pg_utf_mblen((unsigned char *) key))
	{
		if (*glued_count == MAX_GLUED_FORMS)
			elog(ERROR, "too many legal forms that are written without a blank");
		glued[*glued_count].chars = key;
		glued[*glued_count].len = joined_len;
		(*glued_count)++;
	}
}

static int
CompareGluedForms(const void *a, const void *b)
{
	return ((const GluedForm *) b)->len - ((const GluedForm *) a)->len;
}

/*
 * Make the tables of legal forms and other words
 */
static pg_noinline void
BuildTables(void)
{
	GluedForm  *glued = MemoryContextAlloc(TopMemoryContext, MAX_GLUED_FORMS * sizeof(GluedForm));
	int			glued_count = 0;

	/* Until all are known, no spelling is taken apart */
	gluedCount = 0;
	InitWordTable(&formSpellings, 1024);
	InitWordTable(&knownWords, 512);

	for (int i = 0; i < lengthof(otherWordLists); i++)
	{
		const char *word = otherWordLists[i].words;

		while (*word != '\0')
		{
			int			len = strcspn(word, " ");

			SetInWordTable(&knownWords, word, len, otherWordLists[i].kind);
			word += len + strspn(word + len, " ");
		}
	}

	for (int i = 0; i < legalFormCount; i++)
	{
		const char *spelling = legalForms[i].spellings;

		AddSpelling(i, legalForms[i].form, strlen(legalForms[i].form), glued, &glued_count);
		while (spelling != NULL && *spelling != '\0')
		{
			int			len = strcspn(spelling, "|");

			AddSpelling(i, spelling, len, glued, &glued_count);
			spelling += len + strspn(spelling + len, "|");
		}
	}

	qsort(glued, glued_count, sizeof(GluedForm), CompareGluedForms);
	gluedForms = glued;
	gluedCount = glued_count;
	tablesBuilt = true;
}

/*
 * Find the legal forms among words, the longest spellings first
 */
static void
FindForms(FoundForms *found, const WordList *list)
{
	if (found->forms != NULL && found->size * sizeof(FoundForm) > SCRATCH_KEEP)
	{
		pfree(found->forms);
		found->forms = NULL;
	}
	if (found->forms == NULL)
	{
		found->size = FOUND_FORMS_START;
		found->forms = MemoryContextAlloc(TopMemoryContext, found->size * sizeof(FoundForm));
	}
	found->count = 0;

	for (int i = 0; i < list->count;)
	{
		int			count = FORM_WORDS(list->words[i].mark);
		int			form = -1;
		char		joined[FORM_MAX_LEN];

		for (count = Min(count, list->count - i); count > 0; count--)
		{
			int			len = JoinWords(joined, &list->words[i], count);

			form = len > 0 ? FindInWordTable(&formSpellings, joined, len) : -1;
			if (form >= 0)
				break;
		}

		if (form < 0)
		{
			i++;
			continue;
		}

		CHECK_FOR_INTERRUPTS();
		if (found->count == found->size)
		{
			found->forms = repalloc_huge(found->forms, found->size * 2 * sizeof(FoundForm));
			found->size *= 2;
		}
		found->forms[found->count].form = form;
		found->forms[found->count].first = i;
		found->forms[found->count].count = count;
		found->count++;
		i += count;
	}
}

/*
 * Check whether two legal forms are known in one country
 */
static bool
ShareCountry(const LegalForm *a, const LegalForm *b)
{
	for (const char *country = a->countries; *country != '\0'; country += strspn(country, " "))
	{
		char		code[3] = {country[0], country[1], '\0'};

		if (strstr(b->countries, code) != NULL)
			return true;
		country += 2;
	}

	return false;
}

static inline bool
IsName(const Word *word)
{
	return WordKind(word) != WORD_ARTICLE && WordKind(word) != WORD_AND;
}

/*
 * Get where a name ends without the article and, after a legal form was taken
 * off, the conjunction behind it
 */
static int
SkipBack(const Word *words, int end, int name, bool conjunction)
{
	while (end - 1 > name && (WordIs(&words[end - 1], "the") || (conjunction && WordIs(&words[end - 1], "and"))))
		end--;

	return end;
}

/*
 * Take legal forms and articles out of a name's words. Returns whether what is
 * left may show others, and gives the form that says most.
 */
static bool
StripForms(WordList *list, int *form)
{
	static FoundForms found;
	Word	   *words = list->words;
	int			first_form = 0;
	int			last_form;
	int			start = 0;
	int			end = list->count;
	int			kept = 0;
	int			name = 0;		/* first word of the name proper */
	int			end_form = -1;
	bool		middle = false;

	FindForms(&found, list);
	last_form = found.count - 1;
	while (name < end && !IsName(&words[name]))
		name++;

	/* Gap, Inc., The */
	end = SkipBack(words, end, name, false);

	for (; last_form >= 0; last_form--)
	{
		const FoundForm *last = &found.forms[last_form];

		if (last->first + last->count != end || !(legalForms[last->form].places & FORM_END) ||
			name >= last->first)
			break;
		end = last->first;
		end = SkipBack(words, end, name, true);
		if (end_form < 0)
			end_form = last->form;
	}
	if (*form < 0)
		*form = end_form;

	for (;;)
	{
		const FoundForm *first = &found.forms[first_form];
		int			rest;

		if (first_form <= last_form && first->first == start)
		{
			int			places = legalForms[first->form].places;

			rest = start + first->count;
			if (!(places & FORM_FRONT) &&
				!((places & FORM_PAIRED) && end_form >= 0 &&
				  ShareCountry(&legalForms[end_form], &legalForms[first->form])))
				break;
			for (name = rest; name < end && !IsName(&words[name]);)
				name++;
			if (name == end || (end - rest == 1 && WordKind(&words[rest]) == WORD_GENERIC))
				break;
			if (*form < 0)
				*form = first->form;
			start = rest;
			first_form++;
		}
		else if (end - start > 1 && WordKind(&words[start]) == WORD_ARTICLE)
			start++;
		else
			break;
	}

	for (int i = start; i < end;)
	{
		const FoundForm *next = &found.forms[first_form];

		if (first_form <= last_form && next->first == i)
		{
			first_form++;
			if (i > start && (legalForms[next->form].places & FORM_MIDDLE))
			{
				if (*form < 0)
					*form = next->form;
				i += next->count;
				middle = true;
				continue;
			}
		}
		words[kept] = words[i];
		if (middle)
			words[kept].before = ' ';
		kept++;
		i++;
	}
	list->count = kept;

	return middle;
}

/*
 * Cut a name into the words of its key, and find its legal form, -1 if none
 */
static void
MakeOrganisationKey(WordList *words, const char *value, int len, int *form)
{
	static StringInfoData folded;
	static StringInfoData more;
	bool		again = true;

	if (!tablesBuilt)
		BuildTables();

	FoldServerToUtf8(ResetScratch(&folded), value, len);
	SplitOrganisation(words, &folded, &more);

	*form = -1;
	for (int pass = 0; pass < MAX_PASSES && again; pass++)
	{
		UniteWords(words, &more);
		again = StripForms(words, form);
	}
}

/*
 * Get the key of an organisation's name
 */
void
OrganisationNameKey(StringInfo out, const char *value, int len)
{
	static WordList words;
	int			form;

	MakeOrganisationKey(&words, value, len, &form);

	for (int i = 0; i < words.count; i++)
	{
		if (i > 0)
			appendStringInfoChar(out, ' ');
		AppendServer(out, words.words[i].chars, words.words[i].len);
	}
}

/*
 * Check whether two spellings have the same letters and digits
 */
static bool
SameLetters(const char *a, const char *b)
{
	StringInfoData keys[2];
	const char *values[2] = {a, b};
	bool		same;

	for (int i = 0; i < 2; i++)
	{
		WordList	words = {NULL, 0, 0};
		StringInfoData folded;

		initStringInfo(&keys[i]);
		initStringInfo(&folded);
		FoldUtf8(&folded, values[i], strlen(values[i]));
		SplitWords(&words, folded.data, folded.len);
		for (int k = 0; k < words.count; k++)
			appendBinaryStringInfo(&keys[i], words.words[k].chars, words.words[k].len);
		pfree(words.words);
		pfree(folded.data);
	}

	same = strcmp(keys[0].data, keys[1].data) == 0;
	pfree(keys[0].data);
	pfree(keys[1].data);
	return same;
}

/*
 * Get the legal form in an organisation's name. Several may have one spelling
 * but for punctuation (AS, A/S, a.s.): the one that stands in the name as it
 * is comes first.
 */
bool
OrganisationLegalForm(StringInfo out, const char *value, int len)
{
	static WordList words;
	char	   *utf8;
	const char *found;
	int			form;

	MakeOrganisationKey(&words, value, len, &form);
	if (form < 0)
		return false;

	found = legalForms[form].form;
	utf8 = pnstrdup(value, len);
	if (GetDatabaseEncoding() != PG_SQL_ASCII)
		utf8 = pg_server_to_any(utf8, len, PG_UTF8);

	for (int i = 0; i < legalFormCount; i++)
	{
		if (strstr(utf8, legalForms[i].form) != NULL && SameLetters(legalForms[i].form, legalForms[form].form))
		{
			found = legalForms[i].form;
			break;
		}
	}

	AppendServer(out, found, strlen(found));
	pfree(utf8);
	return true;
}

/*
 * Get the key of an organisation's name
 */
PG_FUNCTION_INFO_V1(organisation_name_key);
Datum
organisation_name_key(PG_FUNCTION_ARGS)
{
	return KeyOfArgument(fcinfo, OrganisationNameKey);
}

/*
 * Get the legal form in an organisation's name
 */
PG_FUNCTION_INFO_V1(legal_form);
Datum
legal_form(PG_FUNCTION_ARGS)
{
	text	   *name = PG_GETARG_TEXT_PP(0);
	StringInfoData form;

	initStringInfo(&form);
	if (!OrganisationLegalForm(&form, VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name)))
		PG_RETURN_NULL();

	PG_RETURN_TEXT_P(cstring_to_text_with_len(form.data, form.len));
}

/*
 * Make an array of text from a list with separators
 */
static Datum
ListToArray(const char *list, char separator)
{
	char		separators[2] = {separator, '\0'};
	ArrayBuildState *array = initArrayResult(TEXTOID, CurrentMemoryContext, false);

	while (list != NULL && *list != '\0')
	{
		int			len = strcspn(list, separators);
		StringInfoData item;

		initStringInfo(&item);
		if (AppendServer(&item, list, len))
			array = accumArrayResult(array, PointerGetDatum(cstring_to_text_with_len(item.data, item.len)),
									 false, TEXTOID, CurrentMemoryContext);
		list += len + strspn(list + len, separators);
	}

	return makeArrayResult(array, CurrentMemoryContext);
}

/*
 * Get the legal forms that are known
 */
PG_FUNCTION_INFO_V1(legal_forms);
Datum
legal_forms(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);

	for (int i = 0; i < legalFormCount; i++)
	{
		Datum		values[3];
		bool		nulls[3] = {false, false, false};
		StringInfoData form;

		initStringInfo(&form);
		if (!AppendServer(&form, legalForms[i].form, strlen(legalForms[i].form)))
			continue;
		values[0] = PointerGetDatum(cstring_to_text_with_len(form.data, form.len));
		values[1] = ListToArray(legalForms[i].countries, ' ');
		values[2] = ListToArray(legalForms[i].spellings, '|');
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}

	return (Datum) 0;
}
