/*
 * Similarity by q-grams, the substrings of q characters (Ukkonen 1992,
 * Approximate string-matching with q-grams and maximal matches), and
 * signatures for comparing without them.
 *
 * When both padded texts fit a machine word, the places of a q-gram in a text
 * are the places of its first character, those of its second one moved down by
 * one, and so on, all of them at once by AND. Those of longer texts are counted
 * in a hash table.
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
	double		shared;
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
 * Get the n-th q-gram of a text as a number: exactly for bytes and for two wide
 * characters, as a 64-bit hash for more of those
 */
static inline uint64_t
GramNumber(const CompareText *text, int n, int q, bool wide)
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

	return gram;
}

/*
 * How often a q-gram occurs in two texts; in neither means a free slot
 */
typedef struct GramSlot
{
	uint64_t	gram;
	uint32_t	counts[2];
} GramSlot;

static void
CountGrams(GramSlot *slots, size_t mask, const CompareText *text, int which, int q, bool wide)
{
	for (int n = 0; n < GramsOf(text, q); n++)
	{
		uint64_t	gram = GramNumber(text, n, q, wide);
		size_t		slot = Mix(gram) & mask;

		while (slots[slot].gram != gram && slots[slot].counts[0] + slots[slot].counts[1] > 0)
			slot = (slot + 1) & mask;
		slots[slot].gram = gram;
		slots[slot].counts[which]++;

		if (n % INTERRUPT_STEPS == 0)
			CompareCheckInterrupts();
	}
}

static void
CountLong(GramCounts *counts, const CompareText *a, const CompareText *b, int q)
{
	bool		wide = IsWide(a, b);
	size_t		grams = (size_t) GramsOf(a, q) + GramsOf(b, q);
	size_t		nslots = WORD_BITS;
	GramSlot   *slots;

	while (nslots < grams + grams / 2)
		nslots *= 2;
	slots = CompareAllocate(nslots, sizeof(GramSlot));
	memset(slots, 0, nslots * sizeof(GramSlot));

	CountGrams(slots, nslots - 1, a, 0, q, wide);
	CountGrams(slots, nslots - 1, b, 1, q, wide);

	for (size_t i = 0; i < nslots; i++)
	{
		double		x = slots[i].counts[0];
		double		y = slots[i].counts[1];

		counts->shared += x < y ? x : y;
		counts->product += x * y;
		counts->asquare += x * x;
		counts->bsquare += y * y;
	}

	CompareRelease(slots);
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

	return counts.shared / ((double) GramsOf(a, q) + GramsOf(b, q) - counts.shared);
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
