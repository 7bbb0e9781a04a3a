#ifndef LEAD_MGMT_COMPARE_H
#define LEAD_MGMT_COMPARE_H

/*
 * How alike two values are. The kernels take texts apart into characters once
 * and compare those: nothing is folded, so "Ann" and "ann" differ by one
 * letter. All similarities lie between 0 and 1; two empty texts are equal
 * (similarity 1, distance 0), and an empty text has nothing in common with
 * another (similarity 0). All are symmetric, bit for bit.
 *
 * The kernels include no postgres.h, so that they can be fuzzed alone.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Keep the kernels' names from other libraries in the process */
#ifdef __GNUC__
#pragma GCC visibility push(hidden)
#endif

/*
 * A text taken apart into characters: one byte each when all are below
 * U+0100, else code points. In a database of a single-byte encoding the bytes
 * are the text's own, in another encoding than UTF-8 the code points are
 * pg_wchar: equal characters have equal numbers, and ASCII is ASCII, which is
 * all that the kernels need.
 */
typedef struct CompareText
{
	int			length;			/* in characters */
	const uint8_t *bytes;		/* or NULL */
	const uint32_t *chars;		/* or NULL */
} CompareText;

/*
 * Check whether all bytes are ASCII, eight at a time; the last word overlaps
 * the one before, so that a short text takes no loop
 */
static inline bool
CompareIsAscii(const char *data, int len)
{
	uint64_t	bits = 0;
	uint64_t	word;
	uint32_t	start;
	uint32_t	end;

	if (len >= 8)
	{
		const char *last = data + len - 8;

		for (; data < last; data += 8)
		{
			memcpy(&word, data, 8);
			bits |= word;
		}
		memcpy(&word, last, 8);
		bits |= word;
	}
	else if (len >= 4)
	{
		memcpy(&start, data, 4);
		memcpy(&end, data + len - 4, 4);
		bits = start | end;
	}
	else if (len > 0)
		bits = (uint8_t) (data[0] | data[len / 2] | data[len - 1]);

	return (bits & UINT64_C(0x8080808080808080)) == 0;
}

extern void CompareTextDecode(CompareText *out, const char *data, int len, uint32_t *scratch, int size);

/*
 * Take apart a text in the server's encoding. The result points into the text
 * itself when that is possible (ASCII, single-byte encodings), else into
 * scratch, which has room for size code points, or, where len exceeds size,
 * into memory of the current context.
 */
static inline void
CompareTextMake(CompareText *out, const char *data, int len, uint32_t *scratch, int size)
{
	if (CompareIsAscii(data, len))
	{
		out->length = len;
		out->bytes = (const uint8_t *) data;
		out->chars = NULL;
	}
	else
		CompareTextDecode(out, data, len, scratch, size);
}

/*
 * Write a text, or a part of one, in the server's encoding to out, which has
 * room for 4 bytes a character; returns the number of bytes
 */
extern int	CompareTextWrite(const CompareText *text, char *out);

/* The similarity of Jaro (1989), and with the bonus for equal beginnings */
extern double Jaro(const CompareText *a, const CompareText *b);
extern double JaroWinkler(const CompareText *a, const CompareText *b);

/*
 * Edit distances: Levenshtein counts insertions, deletions and substitutions;
 * optimal string alignment also swaps of neighbours, each character being
 * edited once at most. The forms with a limit return limit + 1 for all
 * distances above it, and cost less the smaller it is.
 */
extern int	Levenshtein(const CompareText *a, const CompareText *b);
extern int	LevenshteinWithin(const CompareText *a, const CompareText *b, int limit);
extern int	OptimalStringAlignment(const CompareText *a, const CompareText *b);
extern int	OptimalStringAlignmentWithin(const CompareText *a, const CompareText *b, int limit);

/*
 * With swaps of neighbours between which there may be insertions and
 * deletions. Takes time by the product of the lengths, one cell at a time.
 */
extern int	DamerauLevenshtein(const CompareText *a, const CompareText *b);

/*
 * Optimal string alignment in which a substitution by a key that touches the
 * right one, or by the other case of the letter, costs half
 */
typedef enum Keyboard
{
	KEYBOARD_QWERTY,
	KEYBOARD_QWERTZ,
	KEYBOARD_AZERTY
} Keyboard;

extern double KeyboardDistance(const CompareText *a, const CompareText *b, Keyboard keyboard);

/* How many characters two texts begin with in common, or have in one piece */
extern int	CommonPrefix(const CompareText *a, const CompareText *b);
extern int	CommonSubstring(const CompareText *a, const CompareText *b);

/*
 * Similarity of the multisets of q-grams, the text being padded with q - 1
 * blanks of no other meaning on either side, so that a text of n characters
 * has n + q - 1 of them.
 */
#define QGRAM_MAX	8

extern double QgramJaccard(const CompareText *a, const CompareText *b, int q);
extern double QgramCosine(const CompareText *a, const CompareText *b, int q);

/*
 * Signatures: 64 bits that tell many dissimilar texts apart without looking at
 * them. The bounds below hold for every pair of texts.
 *
 * A letter signature has two bits for each of 32 classes of characters, set by
 * the first and the second character of the class; a bigram signature one bit
 * for each of 64 classes of padded 2-grams.
 */
extern uint64_t LetterSignature(const CompareText *text);
extern uint64_t BigramSignature(const CompareText *text);

static inline int
SignatureBits(uint64_t x)
{
	x -= (x >> 1) & UINT64_C(0x5555555555555555);
	x = (x & UINT64_C(0x3333333333333333)) + ((x >> 2) & UINT64_C(0x3333333333333333));
	x = (x + (x >> 4)) & UINT64_C(0x0F0F0F0F0F0F0F0F);
	return (int) ((x * UINT64_C(0x0101010101010101)) >> 56);
}

/* The most characters that texts of these letter signatures and lengths share */
static inline int
SharedLettersBound(uint64_t asig, int alen, uint64_t bsig, int blen)
{
	int			a = alen - SignatureBits(asig & ~bsig);
	int			b = blen - SignatureBits(bsig & ~asig);

	return a < b ? a : b;
}

/* The least that any of the edit distances can be, from letter signatures */
static inline int
EditDistanceBound(uint64_t asig, int alen, uint64_t bsig, int blen)
{
	return (alen > blen ? alen : blen) - SharedLettersBound(asig, alen, bsig, blen);
}

/*
 * The same from bigram signatures: a substitution or deletion takes away two
 * bigrams, a swap of neighbours three
 */
static inline int
LevenshteinBigramBound(uint64_t asig, uint64_t bsig)
{
	int			a = SignatureBits(asig & ~bsig);
	int			b = SignatureBits(bsig & ~asig);

	return ((a > b ? a : b) + 1) / 2;
}

static inline int
OptimalStringAlignmentBigramBound(uint64_t asig, uint64_t bsig)
{
	int			a = SignatureBits(asig & ~bsig);
	int			b = SignatureBits(bsig & ~asig);

	return ((a > b ? a : b) + 2) / 3;
}

/* The most that QgramJaccard() of q = 2 can be, from bigram signatures */
static inline double
BigramJaccardBound(uint64_t asig, int alen, uint64_t bsig, int blen)
{
	int			a = alen + 1 - SignatureBits(asig & ~bsig);
	int			b = blen + 1 - SignatureBits(bsig & ~asig);
	int			shared = a < b ? a : b;

	if (alen == 0 || blen == 0)
		return alen == blen ? 1.0 : 0.0;

	return (double) shared / (alen + blen + 2 - shared);
}

/* The most that JaroWinkler() can be, from letter signatures */
extern double JaroWinklerBound(uint64_t asig, int alen, uint64_t bsig, int blen);

/*
 * Whether JaroWinkler() may reach a threshold, by the characters that texts
 * share at most, without a division: so many, for their lengths, reach it
 */
#define WINKLER_PREFIX	4

typedef struct JaroWinklerNeed
{
	double		least[WINKLER_PREFIX + 1];	/* by characters that can be a common prefix */
} JaroWinklerNeed;

extern void JaroWinklerNeeds(JaroWinklerNeed *need, double threshold);

static inline int
JaroWinklerMayReach(const JaroWinklerNeed *need, int alen, int blen, int shared)
{
	return shared * (alen + blen) >= need->least[shared < WINKLER_PREFIX ? shared : WINKLER_PREFIX] * (alen * blen);
}

/*
 * Words: runs of letters and digits. Those beyond the first WORDS_MAX of a
 * text are left out, which bounds the time of comparing each with each.
 */
#define WORDS_MAX	1000

extern int	SplitIntoWords(const CompareText *text, CompareText *words, int max);

/*
 * Get the weight of a word, zero or more, such as the logarithm of the inverse
 * of the share of records that contain it
 */
typedef double (*WordWeight) (const CompareText *word, void *arg);

/*
 * Weighted similarity of the words of two texts, similar ones included; all
 * weigh the same if weight is NULL
 */
extern double TokenSimilarity(const CompareText *a, const CompareText *b, WordWeight weight, void *arg);

/* How well each word has a counterpart in the other text, in the mean */
extern double MongeElkan(const CompareText *a, const CompareText *b);

/* Whether one text shortens words of the other to their first letters */
extern bool InitialsMatch(const CompareText *a, const CompareText *b);
extern bool IsAcronym(const CompareText *a, const CompareText *b);

/*
 * Dates as numbers yyyymmdd, made of days since 2000-01-01; 0 when the date is
 * not between the years 1 and 9999, which is like no other, itself included.
 * DateDigitsDistance counts digits to replace and neighbouring digits to swap,
 * DatePartsEqual how many of year, month and day are equal.
 */
extern int32_t DateNumber(int32_t days);
extern int	DateDigitsDistance(int32_t a, int32_t b);
extern bool DateTransposed(int32_t a, int32_t b);
extern int	DatePartsEqual(int32_t a, int32_t b);

/* 1 minus the difference relative to the larger number, but not below 0 */
extern double NumberSimilarity(double a, double b);

/* Similarity of telephone numbers and e-mail addresses, as written */
extern double PhoneSimilarity(const CompareText *a, const CompareText *b);
extern double EmailSimilarity(const CompareText *a, const CompareText *b);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#endif
