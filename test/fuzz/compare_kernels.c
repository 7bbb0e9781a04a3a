/*
 * Fuzz the comparison kernels: the same results as the textbook forms of the
 * algorithms, in bytes and in wide characters, and what is promised besides:
 * symmetry, bounds, the triangle inequality.
 */
// sources: src/compare/jaro.c src/compare/edit.c src/compare/qgram.c src/compare/rows.c src/compare/words.c src/compare/values.c
// libs: -lm
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "compare/kernel.h"

/* Three machine words, with room for the rows and columns between */
#define MAX_LENGTH	140

/* Longest texts for what takes cubic time here */
#define MAX_SHORT	40

/* Bits of the byte that chooses the kind of texts; the lowest make them wide */
#define KIND_LONG	8
#define KIND_EDITED 16
#define KIND_SHORTENED 32

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void *
CompareAllocate(size_t count, size_t size)
{
	void	   *memory = malloc(count * size);

	if (memory == NULL)
		abort();
	return memory;
}

void
CompareRelease(void *memory)
{
	free(memory);
}

void
CompareCheckInterrupts(void)
{
}

static void
Check(bool condition)
{
	if (!condition)
		abort();
}

static int
Least(int a, int b)
{
	return a < b ? a : b;
}

/*
 * Get an edit distance from the whole matrix
 */
static int
PlainDistance(const CompareText *a, const CompareText *b, bool swaps)
{
	static int	d[MAX_LENGTH + 1][MAX_LENGTH + 1];

	for (int i = 0; i <= a->length; i++)
	{
		for (int j = 0; j <= b->length; j++)
		{
			if (i == 0 || j == 0)
			{
				d[i][j] = i + j;
				continue;
			}
			d[i][j] = Least(Least(d[i - 1][j], d[i][j - 1]) + 1,
							d[i - 1][j - 1] + (CharacterAt(a, i - 1) != CharacterAt(b, j - 1)));
			if (swaps && i > 1 && j > 1 && CharacterAt(a, i - 1) == CharacterAt(b, j - 2) &&
				CharacterAt(a, i - 2) == CharacterAt(b, j - 1))
				d[i][j] = Least(d[i][j], d[i - 2][j - 2] + 1);
		}
	}

	return d[a->length][b->length];
}

/*
 * Get the distance with swaps across insertions and deletions from the whole
 * matrix, trying each pair of places that a swap can begin at
 */
static int
PlainDamerau(const CompareText *a, const CompareText *b)
{
	static int	d[MAX_LENGTH + 1][MAX_LENGTH + 1];

	for (int i = 0; i <= a->length; i++)
	{
		for (int j = 0; j <= b->length; j++)
		{
			int			k = i - 1;
			int			l = j - 1;

			if (i == 0 || j == 0)
			{
				d[i][j] = i + j;
				continue;
			}
			d[i][j] = Least(Least(d[i - 1][j], d[i][j - 1]) + 1,
							d[i - 1][j - 1] + (CharacterAt(a, i - 1) != CharacterAt(b, j - 1)));

			/* The nearest places, as farther ones only cost more */
			while (k > 0 && CharacterAt(a, k - 1) != CharacterAt(b, j - 1))
				k--;
			while (l > 0 && CharacterAt(b, l - 1) != CharacterAt(a, i - 1))
				l--;
			if (k > 0 && l > 0)
				d[i][j] = Least(d[i][j], d[k - 1][l - 1] + (i - k - 1) + 1 + (j - l - 1));
		}
	}

	return d[a->length][b->length];
}

static int
PlainSubstring(const CompareText *a, const CompareText *b)
{
	int			longest = 0;

	for (int i = 0; i < a->length; i++)
	{
		for (int j = 0; j < b->length; j++)
		{
			int			n = 0;

			while (i + n < a->length && j + n < b->length &&
				   CharacterAt(a, i + n) == CharacterAt(b, j + n))
				n++;
			longest = n > longest ? n : longest;
		}
	}

	return longest;
}

static double
PlainJaro(const CompareText *a, const CompareText *b)
{
	bool		ataken[MAX_LENGTH] = {false};
	bool		btaken[MAX_LENGTH] = {false};
	int			window = (a->length > b->length ? a->length : b->length) / 2 - 1;
	int			common = 0;
	int			disordered = 0;

	if (window < 0)
		window = 0;
	if (a->length == 0 && b->length == 0)
		return 1.0;

	for (int i = 0; i < a->length; i++)
	{
		for (int j = 0; j < b->length; j++)
		{
			if (abs(i - j) <= window && !btaken[j] && CharacterAt(a, i) == CharacterAt(b, j))
			{
				ataken[i] = btaken[j] = true;
				common++;
				break;
			}
		}
	}
	for (int i = 0, j = 0; i < a->length; i++)
	{
		if (!ataken[i])
			continue;
		while (!btaken[j])
			j++;
		disordered += CharacterAt(a, i) != CharacterAt(b, j++);
	}

	if (common == 0)
		return 0.0;
	return ((double) common / a->length + (double) common / b->length +
			(double) (common - disordered / 2) / common) / 3.0;
}

static bool
SameGram(const CompareText *a, int i, const CompareText *b, int j, int q)
{
	for (int k = 1 - q; k <= 0; k++)
	{
		uint32_t	x = i + k < 0 || i + k >= a->length ? 0 : CharacterAt(a, i + k);
		uint32_t	y = j + k < 0 || j + k >= b->length ? 0 : CharacterAt(b, j + k);

		if (x != y)
			return false;
	}
	return true;
}

static void
PlainGrams(const CompareText *a, const CompareText *b, int q, double *jaccard, double *cosine)
{
	bool		taken[MAX_LENGTH + QGRAM_MAX] = {false};
	int			na = a->length + q - 1;
	int			nb = b->length + q - 1;
	int			shared = 0;
	double		product = 0;
	double		asquare = 0;
	double		bsquare = 0;

	*jaccard = *cosine = a->length == b->length;
	if (a->length == 0 || b->length == 0)
		return;

	for (int i = 0; i < na; i++)
	{
		bool		found = false;

		for (int j = 0; j < nb; j++)
		{
			bool		same = SameGram(a, i, b, j, q);

			product += same;
			if (same && !found && !taken[j])
			{
				taken[j] = found = true;
				shared++;
			}
		}
		for (int j = 0; j < na; j++)
			asquare += SameGram(a, i, a, j, q);
	}
	for (int i = 0; i < nb; i++)
	{
		for (int j = 0; j < nb; j++)
			bsquare += SameGram(b, i, b, j, q);
	}

	*jaccard = (double) shared / (na + nb - shared);
	*cosine = product / sqrt(asquare * bsquare);
}

static void
CheckDistances(const CompareText *a, const CompareText *b, int limit)
{
	int			longer = a->length > b->length ? a->length : b->length;
	int			levenshtein = PlainDistance(a, b, false);
	int			alignment = PlainDistance(a, b, true);
	int			damerau = DamerauLevenshtein(a, b);
	uint64_t	aletters = LetterSignature(a);
	uint64_t	bletters = LetterSignature(b);
	uint64_t	abigrams = BigramSignature(a);
	uint64_t	bbigrams = BigramSignature(b);
	JaroWinklerNeed need;

	Check(Levenshtein(a, b) == levenshtein);
	Check(Levenshtein(b, a) == levenshtein);
	Check(OptimalStringAlignment(a, b) == alignment);
	Check(OptimalStringAlignment(b, a) == alignment);
	Check(DamerauLevenshtein(b, a) == damerau);
	Check(longer > MAX_SHORT || PlainDamerau(a, b) == damerau);
	Check(damerau <= alignment && alignment <= levenshtein && levenshtein <= longer);

	Check(LevenshteinWithin(a, b, limit) == Least(levenshtein, limit + 1));
	Check(OptimalStringAlignmentWithin(b, a, limit) == Least(alignment, limit + 1));
	Check(LevenshteinWithin(b, a, levenshtein) == levenshtein);
	Check(LevenshteinWithin(a, b, levenshtein - 1) == levenshtein);
	Check(OptimalStringAlignmentWithin(a, b, alignment) == alignment);
	Check(OptimalStringAlignmentWithin(b, a, alignment - 1) == alignment);
	Check(LevenshteinWithin(a, b, INT_MAX) == levenshtein);

	Check(damerau >= EditDistanceBound(aletters, a->length, bletters, b->length));
	Check(levenshtein >= LevenshteinBigramBound(abigrams, bbigrams));
	Check(alignment >= OptimalStringAlignmentBigramBound(abigrams, bbigrams));

	Check(Jaro(a, b) == PlainJaro(a, b));
	Check(Jaro(a, b) == Jaro(b, a));
	Check(JaroWinkler(a, b) == JaroWinkler(b, a));
	Check(JaroWinkler(a, b) >= Jaro(a, b) && JaroWinkler(a, b) <= 1.0);
	Check(JaroWinkler(a, b) <= JaroWinklerBound(aletters, a->length, bletters, b->length));
	JaroWinklerNeeds(&need, JaroWinkler(a, b));
	Check(a->length == 0 || b->length == 0 ||
		  JaroWinklerMayReach(&need, a->length, b->length,
							  SharedLettersBound(aletters, a->length, bletters, b->length)));
}

static void
CheckGrams(const CompareText *a, const CompareText *b, int q)
{
	double		jaccard;
	double		cosine;

	PlainGrams(a, b, q, &jaccard, &cosine);
	Check(QgramJaccard(a, b, q) == jaccard);
	Check(QgramJaccard(b, a, q) == jaccard);
	Check(fabs(QgramCosine(a, b, q) - cosine) < 1e-12 && QgramCosine(a, b, q) <= 1.0);
	Check(QgramCosine(a, b, q) == QgramCosine(b, a, q));
	Check(QgramJaccard(a, b, 2) <= BigramJaccardBound(BigramSignature(a), a->length,
													  BigramSignature(b), b->length));
}

static double
LengthAsWeight(const CompareText *word, void *arg)
{
	return word->length;
}

static bool
IsShare(double x)
{
	return x >= 0.0 && x <= 1.0;
}

static void
CheckOthers(const CompareText *a, const CompareText *b)
{
	CompareText words[2 * MAX_LENGTH];
	double		typing = KeyboardDistance(a, b, KEYBOARD_QWERTY);

	Check(CommonSubstring(a, b) == PlainSubstring(a, b));
	Check(CommonPrefix(a, b) <= CommonSubstring(a, b));
	Check(KeyboardDistance(b, a, KEYBOARD_QWERTY) == typing);
	Check(typing <= OptimalStringAlignment(a, b) && 2 * typing >= OptimalStringAlignment(a, b));

	Check(SplitIntoWords(a, words, 2 * MAX_LENGTH) <= (a->length + 1) / 2);
	Check(IsShare(TokenSimilarity(a, b, NULL, NULL)));
	Check(TokenSimilarity(a, b, LengthAsWeight, NULL) == TokenSimilarity(b, a, LengthAsWeight, NULL));
	Check(IsShare(MongeElkan(a, b)) && MongeElkan(a, b) == MongeElkan(b, a));
	Check(InitialsMatch(a, b) == InitialsMatch(b, a));
	Check(IsAcronym(a, b) == IsAcronym(b, a));
	Check(IsShare(PhoneSimilarity(a, b)) && PhoneSimilarity(a, b) == PhoneSimilarity(b, a));
	Check(IsShare(EmailSimilarity(a, b)) && EmailSimilarity(a, b) == EmailSimilarity(b, a));
}

/*
 * Make a text of bytes, or one in which every other letter is above U+00FF.
 * A small alphabet makes texts that have much in common.
 */
static void
MakeText(CompareText *text, const uint8_t *data, int length, int letters, bool wide,
		 uint8_t *bytes, uint32_t *chars)
{
	for (int i = 0; i < length; i++)
	{
		int			letter = letters < 128 ? 'a' + data[i] % letters : data[i];

		/* A text of the server holds no NUL */
		bytes[i] = letter == 0 ? ' ' : letter;
		chars[i] = letter % 2 == 0 ? bytes[i] : UINT32_C(0x1F00) + letter * letter * 7;
	}

	text->length = length;
	text->bytes = wide ? NULL : bytes;
	text->chars = wide ? chars : NULL;
}

static void
SwapNext(uint8_t *bytes, int at)
{
	uint8_t		next = bytes[at + 1];

	bytes[at + 1] = bytes[at];
	bytes[at] = next;
}

/*
 * Make a text from another one by a few edits, each of two bytes: where, and
 * which. Those that only make it shorter, with a swap at the end of the first
 * machine word, go along the edge of the cells that are looked at.
 */
static void
EditText(CompareText *text, uint8_t *bytes, const uint8_t *other, int length,
		 const uint8_t *edits, int n, bool shorten)
{
	memcpy(bytes, other, length);

	for (int i = 0; i + 1 < n && length > 1; i += 2)
	{
		int			at = edits[i] % (length - 1);

		switch (shorten ? 0 : edits[i + 1] % 3)
		{
			case 0:
				length--;
				memmove(bytes + at, bytes + at + 1, length - at);
				break;
			case 1:
				bytes[at] = bytes[at + 1];
				break;
			case 2:
				SwapNext(bytes, at);
				break;
		}
	}
	if (shorten && length > 72)
		SwapNext(bytes, 60 + n % 8);

	*text = (CompareText) {.length = length, .bytes = bytes};
}

/*
 * The first bytes choose the limit, the size of q-grams, the alphabet, the
 * kind of texts and their lengths.
 */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t		bytes[3][MAX_LENGTH];
	uint32_t	chars[3][MAX_LENGTH];
	CompareText texts[3];
	int			limit;
	int			q;
	int			kind;
	int			longest;
	const uint8_t *rest;

	if (size < 24)
		return 0;

	limit = data[0];
	q = 1 + data[1] % QGRAM_MAX;
	kind = data[3];
	longest = kind & KIND_LONG ? MAX_LENGTH : MAX_SHORT;
	rest = data + 6;
	size -= 6;

	for (int t = 0; t < 3; t++)
	{
		int			length = t < 2 ? data[4 + t] % (longest + 1) : (data[4] ^ data[5]) % MAX_SHORT;

		if (length > size)
			length = (int) size;
		MakeText(&texts[t], rest, length, 1 + data[2], (kind & 1 << t) != 0, bytes[t], chars[t]);
		rest += length;
		size -= length;
	}
	if (kind & KIND_EDITED)
		EditText(&texts[1], bytes[1], bytes[0], texts[0].length, data + 4, data[1] % 20,
				 (kind & KIND_SHORTENED) != 0);

	CheckDistances(&texts[0], &texts[1], limit);
	Check(Levenshtein(&texts[0], &texts[1]) <=
		  Levenshtein(&texts[0], &texts[2]) + Levenshtein(&texts[2], &texts[1]));
	Check(DamerauLevenshtein(&texts[0], &texts[1]) <=
		  DamerauLevenshtein(&texts[0], &texts[2]) + DamerauLevenshtein(&texts[2], &texts[1]));
	CheckDistances(&texts[2], &texts[2], limit);

	CheckGrams(&texts[0], &texts[1], kind & KIND_LONG ? 2 : q);
	if (texts[0].length <= MAX_SHORT && texts[1].length <= MAX_SHORT)
		CheckOthers(&texts[0], &texts[1]);

	return 0;
}
