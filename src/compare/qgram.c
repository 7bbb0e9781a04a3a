/*
 * Similarity by q-grams, the substrings of q characters (Ukkonen 1992,
 * Approximate string-matching with q-grams and maximal matches), and
 * signatures for comparing without them.
 *
 * When both padded texts fit a machine word, the places of a q-gram in a text
 * are the places of its first character, those of its second one moved down by
 * one, and so on, all of them at once by AND. Longer texts have their q-grams
 * as numbers, sorted and merged.
 */
#include "compare/kernel.h"

#include <math.h>

/* All zero between comparisons; nothing can fail while it is not */
static CharacterPositions shared_positions;

/*
 * What two multisets have in common: the size of the intersection, and the
 * products of their counts
 */
typedef struct GramCounts
{
	int64_t		shared;
	double		product;
	double		asquare;
	double		bsquare;
} GramCounts;

static inline int
GramsOf(const CompareText *text, int q)
{
	return text->length + q - 1;
}

static ALWAYS_INLINE void
AddPadded(CharacterPositions *positions, const CompareText *text, int q, uint64_t *padding, bool wide)
{
	uint64_t	pads = (UINT64_C(1) << (q - 1)) - 1;

	for (int i = 0; i < text->length; i++)
		PositionsAdd(positions, text, i, UINT64_C(1) << (i + q - 1), wide);

	*padding = pads | (q > 1 ? pads << GramsOf(text, q) : 0);
}

/*
 * Get the places of the n-th q-gram of a text in the text of the positions
 */
static ALWAYS_INLINE uint64_t
GramPlaces(const CharacterPositions *positions, uint64_t padding, const CompareText *text,
		   int n, int q, bool wide)
{
	uint64_t	places = ~UINT64_C(0);

	for (int k = 0; k < q; k++)
	{
		int			i = n + k - (q - 1);

		if (i < 0 || i >= text->length)
			places &= padding >> k;
		else
			places &= PositionsGet(positions, text, i, wide) >> k;
	}

	return places;
}

static ALWAYS_INLINE int
CountEqualGrams(const CharacterPositions *positions, uint64_t padding, const CompareText *text,
				int q, bool wide)
{
	int			equal = 0;

	for (int n = 0; n < GramsOf(text, q); n++)
		equal += SignatureBits(GramPlaces(positions, padding, text, n, q, wide));

	return equal;
}

static ALWAYS_INLINE int
WordShared(const CompareText *a, const CompareText *b, int q, bool wide)
{
	CharacterPositions *positions = &shared_positions;
	uint64_t	padding;
	uint64_t	taken = 0;
	int			shared = 0;

	AddPadded(positions, b, q, &padding, wide);

	for (int n = 0; n < GramsOf(a, q); n++)
	{
		uint64_t	free = GramPlaces(positions, padding, a, n, q, wide) & ~taken;

		taken |= free & (~free + 1);
		shared += free != 0;
	}

	PositionsClear(positions, b, wide);
	return shared;
}

static ALWAYS_INLINE void
WordProducts(GramCounts *counts, const CompareText *a, const CompareText *b, int q, bool wide)
{
	CharacterPositions *positions = &shared_positions;
	uint64_t	padding;

	AddPadded(positions, a, q, &padding, wide);
	counts->asquare = CountEqualGrams(positions, padding, a, q, wide);
	PositionsClear(positions, a, wide);

	AddPadded(positions, b, q, &padding, wide);
	counts->bsquare = CountEqualGrams(positions, padding, b, q, wide);
	counts->product = CountEqualGrams(positions, padding, a, q, wide);
	PositionsClear(positions, b, wide);
}

static inline uint64_t
Mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
	return x ^ (x >> 31);
}

/*
 * Write the q-grams of a text as numbers: exactly for bytes and for two wide
 * characters, as 64-bit hashes for more of those
 */
static void
MakeGrams(uint64_t *grams, const CompareText *text, int q, bool wide)
{
	for (int n = 0; n < GramsOf(text, q); n++)
	{
		uint64_t	gram = 0;

		for (int k = 0; k < q; k++)
		{
			int			i = n + k - (q - 1);
			uint32_t	c = i < 0 || i >= text->length ? 0 : CharacterAt(text, i);

			if (!wide)
				gram = (gram << 8) | c;
			else if (q <= 2)
				gram = (gram << 32) | c;
			else
				gram = Mix(gram ^ c) + k;
		}
		grams[n] = gram;

		if (n % INTERRUPT_STEPS == 0)
			CompareCheckInterrupts();
	}
}

/*
 * Sort numbers by merging, between two buffers; returns the one they end in
 */
static uint64_t *
SortGrams(uint64_t *grams, uint64_t *other, size_t n)
{
	for (size_t width = 1; width < n; width *= 2)
	{
		uint64_t   *swap = grams;

		for (size_t start = 0; start < n; start += 2 * width)
		{
			size_t		middle = start + width < n ? start + width : n;
			size_t		end = start + 2 * width < n ? start + 2 * width : n;
			size_t		left = start;
			size_t		right = middle;

			for (size_t i = start; i < end; i++)
			{
				if (left < middle && (right >= end || grams[left] <= grams[right]))
					other[i] = grams[left++];
				else
					other[i] = grams[right++];
			}
			if (start % INTERRUPT_STEPS == 0)
				CompareCheckInterrupts();
		}
		grams = other;
		other = swap;
	}

	return grams;
}

static inline double
RunLength(const uint64_t *grams, size_t n, size_t i)
{
	size_t		end = i + 1;

	while (end < n && grams[end] == grams[i])
		end++;

	return (double) (end - i);
}

static void
CountLong(GramCounts *counts, const CompareText *a, const CompareText *b, int q)
{
	bool		wide = IsWide(a, b);
	size_t		na = GramsOf(a, q);
	size_t		nb = GramsOf(b, q);
	uint64_t   *memory = CompareAllocate(na + nb + (na > nb ? na : nb), sizeof(uint64_t));
	uint64_t   *agrams = memory;
	uint64_t   *bgrams = memory + na;
	uint64_t   *spare = memory + na + nb;
	size_t		i = 0;
	size_t		j = 0;

	MakeGrams(agrams, a, q, wide);
	MakeGrams(bgrams, b, q, wide);

	if (SortGrams(agrams, spare, na) == spare)
		memcpy(agrams, spare, na * sizeof(uint64_t));
	if (SortGrams(bgrams, spare, nb) == spare)
		bgrams = spare;

	while (i < na || j < nb)
	{
		double		arun = i < na && (j >= nb || agrams[i] <= bgrams[j]) ? RunLength(agrams, na, i) : 0;
		double		brun = j < nb && (i >= na || bgrams[j] <= agrams[i]) ? RunLength(bgrams, nb, j) : 0;

		counts->asquare += arun * arun;
		counts->bsquare += brun * brun;
		counts->product += arun * brun;
		counts->shared += (int64_t) (arun < brun ? arun : brun);
		i += (size_t) arun;
		j += (size_t) brun;
	}

	CompareRelease(memory);
}

static inline bool
FitWord(const CompareText *a, const CompareText *b, int q)
{
	int			longer = a->length > b->length ? a->length : b->length;

	return longer <= WORD_BITS - 2 * (q - 1);
}

/*
 * Get the share of q-grams that two texts have in common among all of them
 */
double
QgramJaccard(const CompareText *a, const CompareText *b, int q)
{
	GramCounts	counts = {0};

	if (a->length == 0 || b->length == 0)
		return a->length == b->length ? 1.0 : 0.0;

	if (!FitWord(a, b, q))
		CountLong(&counts, a, b, q);
	else if (IsWide(a, b))
		counts.shared = WordShared(a, b, q, true);
	else if (q == 2)
		counts.shared = WordShared(a, b, 2, false);
	else
		counts.shared = WordShared(a, b, q, false);

	return (double) counts.shared /
		((double) GramsOf(a, q) + GramsOf(b, q) - (double) counts.shared);
}

/*
 * Get the cosine of the angle between the vectors of q-gram counts
 */
double
QgramCosine(const CompareText *a, const CompareText *b, int q)
{
	GramCounts	counts = {0};
	double		cosine;

	if (a->length == 0 || b->length == 0)
		return a->length == b->length ? 1.0 : 0.0;

	if (!FitWord(a, b, q))
		CountLong(&counts, a, b, q);
	else if (IsWide(a, b))
		WordProducts(&counts, a, b, q, true);
	else if (q == 2)
		WordProducts(&counts, a, b, 2, false);
	else
		WordProducts(&counts, a, b, q, false);

	/* The square of a square root may miss by the last bit */
	cosine = counts.product / sqrt(counts.asquare * counts.bsquare);
	return cosine < 1.0 ? cosine : 1.0;
}

/*
 * Get the letter signature of a text
 */
uint64_t
LetterSignature(const CompareText *text)
{
	uint64_t	signature = 0;

	for (int i = 0; i < text->length; i++)
	{
		uint64_t	bit = UINT64_C(1) << (CharacterAt(text, i) % 32 * 2);

		signature |= bit | (signature & bit) << 1;
	}

	return signature;
}

/*
 * Get the bigram signature of a text
 */
uint64_t
BigramSignature(const CompareText *text)
{
	uint64_t	signature = 0;
	uint64_t	previous = 0;

	if (text->length == 0)
		return 0;

	for (int i = 0; i <= text->length; i++)
	{
		uint64_t	c = i < text->length ? CharacterAt(text, i) : 0;

		signature |= UINT64_C(1) << (((previous << 32 | c) * UINT64_C(0x9E3779B97F4A7C15)) >> 58);
		previous = c;
	}

	return signature;
}
