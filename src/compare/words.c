/*
 * Comparison of texts word by word, and of words with their initials.
 *
 * Token similarity is the SoftTFIDF of Cohen, Ravikumar and Fienberg (2003, A
 * comparison of string distance metrics for name-matching tasks): the cosine
 * of the vectors of word weights, where words that are not equal count for
 * each other by their Jaro-Winkler similarity if that is 0.9 or more. Each word
 * has one counterpart at most, equal words first, then the heaviest first.
 *
 * Monge and Elkan (1996, The field matching problem): each word's similarity
 * to the most similar word of the other text, in the mean; here the mean of
 * both directions.
 */
#include "compare/kernel.h"

#include <math.h>

#define WORDS_ON_STACK		24
#define SIMILAR_WORDS		0.9

typedef struct Word
{
	CompareText text;
	uint64_t	letters;
	double		weight;
	bool		paired;
} Word;

typedef struct WordList
{
	int			length;
	Word	   *words;
	Word		stack[WORDS_ON_STACK];
} WordList;

/*
 * Check whether a character is a letter or digit. Above ASCII these are what is
 * not known to be a mark: no-break space, guillemets and middle dot of Latin-1,
 * which have the same numbers in most single-byte encodings, U+2000 to U+206F,
 * and the marks of CJK, full-width ones included.
 */
static inline bool
IsWordCharacter(uint32_t c)
{
	if (c >= 0xFF00 && c < 0xFF5F)
		c -= 0xFEE0;

	if (c < 0x80)
		return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

	if (c < 0x100)
		return c != 0xA0 && c != 0xAB && c != 0xB7 && c != 0xBB;

	return !((c >= 0x2000 && c <= 0x206F) || c == 0x30FB || (c >= 0xFF5F && c <= 0xFF65) ||
			 (c >= 0x3000 && c <= 0x303F && c != 0x3005 && c != 0x3007));
}

/*
 * Find the next word at or after a position; returns its end, or -1
 */
static int
NextWord(const CompareText *text, int at, int *start)
{
	while (at < text->length && !IsWordCharacter(CharacterAt(text, at)))
		at++;
	if (at >= text->length)
		return -1;

	*start = at;
	while (at < text->length && IsWordCharacter(CharacterAt(text, at)))
		at++;

	return at;
}

/*
 * Find the words of a text; returns their number
 */
int
SplitIntoWords(const CompareText *text, CompareText *words, int max)
{
	int			n = 0;
	int			start;
	int			end = 0;

	while (n < max && (end = NextWord(text, end, &start)) >= 0)
		words[n++] = SubText(text, start, end - start);

	return n;
}

static void
ReleaseWords(WordList *list)
{
	if (list->words != list->stack)
		CompareRelease(list->words);
}

static void
ListWords(WordList *list, const CompareText *text, WordWeight weight, void *arg)
{
	int			start;
	int			end = 0;
	int			size = WORDS_ON_STACK;

	list->length = 0;
	list->words = list->stack;

	while (list->length < WORDS_MAX && (end = NextWord(text, end, &start)) >= 0)
	{
		Word	   *word;

		if (list->length == size)
		{
			Word	   *more = CompareAllocate(WORDS_MAX, sizeof(Word));

			memcpy(more, list->words, size * sizeof(Word));
			list->words = more;
			size = WORDS_MAX;
		}
		word = &list->words[list->length++];
		word->text = SubText(text, start, end - start);
		word->letters = LetterSignature(&word->text);
		word->weight = weight != NULL ? weight(&word->text, arg) : 1.0;
		word->paired = false;
	}
}

/*
 * Get the similarity of two words, or less than a limit if it is below that
 */
static inline double
WordSimilarity(const Word *a, const Word *b, double limit)
{
	double		bound = JaroWinklerBound(a->letters, a->text.length, b->letters, b->text.length);

	return bound < limit ? -1.0 : JaroWinkler(&a->text, &b->text);
}

/*
 * Bring two texts in a fixed order, so that ties are broken the same way
 * whichever comes first
 */
static bool
InOrder(const CompareText *a, const CompareText *b)
{
	int			same = CommonPrefix(a, b);

	if (same == a->length || same == b->length)
		return a->length <= b->length;

	return CharacterAt(a, same) < CharacterAt(b, same);
}

/*
 * Pair the equal words; returns what they contribute
 */
static double
PairEqual(WordList *a, WordList *b)
{
	double		product = 0.0;

	for (int i = 0; i < a->length; i++)
	{
		Word	   *word = &a->words[i];

		for (int j = 0; j < b->length; j++)
		{
			Word	   *other = &b->words[j];

			if (!other->paired && word->letters == other->letters &&
				SameText(&word->text, &other->text))
			{
				word->paired = other->paired = true;
				product += word->weight * other->weight;
				break;
			}
		}
		CompareCheckInterrupts();
	}

	return product;
}

/*
 * Pair the words that are similar; returns what they contribute
 */
static double
PairSimilar(WordList *a, WordList *b)
{
	double		product = 0.0;

	for (;;)
	{
		Word	   *word = NULL;
		Word	   *best = NULL;
		double		most = SIMILAR_WORDS;

		for (int i = 0; i < a->length; i++)
		{
			if (!a->words[i].paired && (word == NULL || a->words[i].weight > word->weight))
				word = &a->words[i];
		}
		if (word == NULL)
			break;
		word->paired = true;

		for (int j = 0; j < b->length; j++)
		{
			Word	   *other = &b->words[j];
			double		similarity;

			if (other->paired)
				continue;
			similarity = WordSimilarity(word, other, most);
			if (similarity > most || (similarity == most && (best == NULL || other->weight > best->weight)))
			{
				most = similarity;
				best = other;
			}
		}
		if (best != NULL)
		{
			best->paired = true;
			product += word->weight * best->weight * most;
		}
		CompareCheckInterrupts();
	}

	return product;
}

static double
SumOfSquares(const WordList *list)
{
	double		sum = 0.0;

	for (int i = 0; i < list->length; i++)
		sum += list->words[i].weight * list->words[i].weight;

	return sum;
}

/*
 * Get the weighted similarity of the words of two texts
 */
double
TokenSimilarity(const CompareText *a, const CompareText *b, WordWeight weight, void *arg)
{
	bool		swap = !InOrder(a, b);
	double		squares;
	double		similarity = 0.0;
	WordList	awords;
	WordList	bwords;

	if (SameText(a, b))
		return 1.0;

	ListWords(&awords, swap ? b : a, weight, arg);
	ListWords(&bwords, swap ? a : b, weight, arg);

	squares = SumOfSquares(&awords) * SumOfSquares(&bwords);
	if (squares > 0.0)
	{
		similarity = PairEqual(&awords, &bwords);
		similarity = (similarity + PairSimilar(&awords, &bwords)) / sqrt(squares);
		if (similarity > 1.0)
			similarity = 1.0;
	}

	ReleaseWords(&awords);
	ReleaseWords(&bwords);
	return similarity;
}

/*
 * Sum up how similar each word's most similar word in the other text is
 */
static double
SumOfBest(const WordList *a, const WordList *b)
{
	double		sum = 0.0;

	for (int i = 0; i < a->length; i++)
	{
		double		most = 0.0;

		for (int j = 0; j < b->length && most < 1.0; j++)
		{
			double		similarity = WordSimilarity(&a->words[i], &b->words[j], most);

			most = similarity > most ? similarity : most;
		}
		sum += most;
		CompareCheckInterrupts();
	}

	return sum;
}

/*
 * Get the symmetric similarity of Monge and Elkan
 */
double
MongeElkan(const CompareText *a, const CompareText *b)
{
	double		similarity = 0.0;
	WordList	awords;
	WordList	bwords;

	if (SameText(a, b))
		return 1.0;

	ListWords(&awords, a, NULL, NULL);
	ListWords(&bwords, b, NULL, NULL);
	if (awords.length > 0 && bwords.length > 0)
		similarity = (SumOfBest(&awords, &bwords) / awords.length +
					  SumOfBest(&bwords, &awords) / bwords.length) / 2.0;

	ReleaseWords(&awords);
	ReleaseWords(&bwords);
	return similarity;
}

/*
 * Check whether the words of two texts agree as far as both have any, each
 * being equal or the initial of the other, and one at least an initial
 */
static bool
WordsAgree(const CompareText *a, const CompareText *b)
{
	bool		initial = false;
	int			astart;
	int			bstart;
	int			aend = 0;
	int			bend = 0;

	while ((aend = NextWord(a, aend, &astart)) >= 0 && (bend = NextWord(b, bend, &bstart)) >= 0)
	{
		CompareText x = SubText(a, astart, aend - astart);
		CompareText y = SubText(b, bstart, bend - bstart);

		if (SameText(&x, &y))
			continue;
		if ((x.length > 1 && y.length > 1) || CharacterAt(&x, 0) != CharacterAt(&y, 0))
			return false;
		initial = true;
	}

	return initial;
}

/*
 * Check whether a single word is made of the initials of a text's first words
 */
static bool
WordIsInitials(const CompareText *a, const CompareText *b)
{
	int			start;
	int			bstart;
	int			end = NextWord(a, 0, &start);
	int			bend = 0;

	if (end < 0 || end - start < 2 || NextWord(a, end, &bstart) >= 0)
		return false;

	for (int i = start; i < end; i++)
	{
		bend = NextWord(b, bend, &bstart);
		if (bend < 0 || CharacterAt(a, i) != CharacterAt(b, bstart))
			return false;
	}

	return true;
}

/*
 * Check whether one text has initials where the other has words
 */
bool
InitialsMatch(const CompareText *a, const CompareText *b)
{
	return WordsAgree(a, b) || WordIsInitials(a, b) || WordIsInitials(b, a);
}

/*
 * Check whether a word may be left out of an acronym
 */
static bool
IsSmallWord(const CompareText *text, int start, int end)
{
	static const char *const small[] = {
		"a", "al", "an", "and", "at", "da", "das", "de", "del", "della", "der", "des", "di", "die",
		"do", "dos", "du", "e", "el", "en", "et", "for", "fur", "i", "in", "la", "las", "le", "les",
		"los", "of", "on", "the", "und", "van", "voor", "y"
	};

	for (size_t n = 0; n < sizeof(small) / sizeof(small[0]); n++)
	{
		int			i = start;
		const char *c = small[n];

		/* Or 0x20 makes an ASCII letter lower case and no other one of these */
		while (i < end && *c != '\0' && (CharacterAt(text, i) | 0x20) == (uint32_t) *c)
		{
			i++;
			c++;
		}
		if (i == end && *c == '\0')
			return true;
	}

	return false;
}

/*
 * Check whether the letters of the first text are the initials of the second
 * one's words, by the set of lengths of beginnings of the acronym that the
 * words so far can make
 */
static bool
IsAcronymOf(const CompareText *acronym, const CompareText *text)
{
	uint64_t	reached = 1;
	uint32_t	letters[WORD_BITS];
	int			nletters = 0;
	int			nwords = 0;
	int			start;
	int			end = 0;

	for (int i = 0; i < acronym->length; i++)
	{
		uint32_t	c = CharacterAt(acronym, i);

		if (!IsWordCharacter(c))
			continue;
		if (nletters == WORD_BITS - 1)
			return false;
		letters[nletters++] = c;
	}
	if (nletters < 2)
		return false;

	while (reached != 0 && (end = NextWord(text, end, &start)) >= 0)
	{
		uint32_t	initial = CharacterAt(text, start);
		uint64_t	places = 0;

		for (int i = 0; i < nletters; i++)
			places |= (uint64_t) (letters[i] == initial) << i;

		reached = (reached & places) << 1 | (IsSmallWord(text, start, end) ? reached : 0);
		nwords++;
	}

	return nwords > 1 && (reached >> nletters & 1) != 0;
}

/*
 * Check whether one text is the acronym of the other
 */
bool
IsAcronym(const CompareText *a, const CompareText *b)
{
	return IsAcronymOf(a, b) || IsAcronymOf(b, a);
}
