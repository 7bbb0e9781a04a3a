/*
 * Jaro's similarity and Winkler's variant of it.
 *
 * Jaro (1989, Advances in record-linkage methodology): two characters are
 * common if they are equal and not farther apart than half the longer text,
 * less one; each is used once, the first that is free first. With m common
 * characters, of which t pairs stand in another order, the similarity is the
 * mean of m / |a|, m / |b| and (m - t) / m. As in the author's program, t is
 * half the number of characters out of order, rounded down.
 *
 * Winkler (1990, String comparator metrics and enhanced decision rules in the
 * Fellegi-Sunter model of record linkage): when that is above 0.7, a tenth of
 * what is missing from 1 is added for each of the first four characters that
 * are equal. This is the form of the published tables (MARTHA and MARHTA
 * 0.9611, DIXON and DICKSONX 0.8133), without the later additions for long
 * texts and similar characters.
 */
#include <math.h>

#include "compare/kernel.h"


#define WINKLER_FROM	0.7
#define WINKLER_SCALE	0.1

/* All zero between comparisons; nothing can fail while it is not */
static CharacterPositions shared_positions;

/* How far apart common characters may be */
static inline int
JaroWindow(int alen, int blen)
{
	int			window = (alen > blen ? alen : blen) / 2 - 1;

	return window > 0 ? window : 0;
}

static inline double
JaroValue(int alen, int blen, int common, int disordered)
{
	if (common == 0)
		return 0.0;

	return ((double) common / alen + (double) common / blen +
			(double) (common - disordered / 2) / common) / 3.0;
}

/*
 * Compare texts of at most 64 characters. The places of a's next character in
 * b, as bits, are cut down to the window and to those still free, and the
 * lowest is taken. Only when one was taken that lies before another one taken
 * earlier can the common characters be in different order.
 */
static ALWAYS_INLINE double
JaroWord(const CompareText *a, const CompareText *b, bool wide)
{
	CharacterPositions *positions = &shared_positions;
	int			window = JaroWindow(a->length, b->length);
	uint64_t	reach = (UINT64_C(2) << window) - 1;
	uint64_t	taken = 0;
	uint64_t	matched = 0;
	uint64_t	overtaken = 0;
	int			common;
	int			disordered = 0;

	for (int i = 0; i < b->length; i++)
		PositionsAdd(positions, b, i, UINT64_C(1) << i, wide);

	for (int i = 0; i < a->length; i++)
	{
		uint64_t	free = PositionsGet(positions, a, i, wide) & reach & ~taken;
		uint64_t	lowest = free & (0 - free);

		overtaken |= taken & (0 - lowest);
		taken |= lowest;
		matched |= (uint64_t) (lowest != 0) << i;
		reach += reach + (i < window);
	}

	PositionsClear(positions, b, wide);
	common = SignatureBits(taken);

	if (overtaken != 0)
	{
		while (matched != 0)
		{
			disordered += CharacterAt(a, __builtin_ctzll(matched)) !=
				CharacterAt(b, __builtin_ctzll(taken));
			matched &= matched - 1;
			taken &= taken - 1;
		}
	}

	return JaroValue(a->length, b->length, common, disordered);
}

/*
 * The same for texts of one to eight bytes, which are held in a machine word
 * each: no table is to be filled, and no loop ends where it cannot be foreseen.
 * Masks have the highest bit of the bytes they mean.
 */
#define LANES		8
#define LANE_ONES	UINT64_C(0x0101010101010101)
#define LANE_HIGHS	UINT64_C(0x8080808080808080)

typedef struct Lanes
{
	uint64_t	a;
	uint64_t	b;
	uint64_t	reach;
	uint64_t	taken;
	uint64_t	free;
	uint64_t	matched;
	uint64_t	overtaken;
	int			window;
} Lanes;

static inline uint64_t
LoadFour(const uint8_t *bytes)
{
	return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (uint64_t) bytes[3] << 24;
}

static inline uint64_t
LoadLanes(const CompareText *text)
{
	const uint8_t *bytes = text->bytes;
	int			last = text->length - 1;
	int			middle = text->length / 2;

	if (text->length >= 4)
		return LoadFour(bytes) | LoadFour(bytes + last - 3) << 8 * (last - 3);

	return bytes[0] | (uint64_t) bytes[middle] << 8 * middle | (uint64_t) bytes[last] << 8 * last;
}

static ALWAYS_INLINE void
MatchLane(Lanes *lanes, int i)
{
	uint64_t	differing = lanes->b ^ (lanes->a >> 8 * i & 0xFF) * LANE_ONES;
	uint64_t	equal = ~(((differing & ~LANE_HIGHS) + ~LANE_HIGHS) | differing);
	uint64_t	free = equal & lanes->reach & lanes->free;
	uint64_t	lowest = free & (0 - free);

	lanes->overtaken |= lanes->taken & (0 - lowest);
	lanes->taken |= lowest;
	lanes->free ^= lowest;
	lanes->matched |= (uint64_t) (lowest != 0) << (8 * i + 7);
	lanes->reach = lanes->reach << 8 | (uint64_t) (i < lanes->window) << 7;
}

static double
JaroLanes(const CompareText *a, const CompareText *b)
{
	Lanes		lanes = {.a = LoadLanes(a), .b = LoadLanes(b)};
	int			common;
	int			disordered = 0;

	/* Bytes behind the end of a are zero, and those of b are never free */
	lanes.window = JaroWindow(a->length, b->length);
	lanes.reach = LANE_HIGHS >> 8 * (LANES - 1 - lanes.window);
	lanes.free = LANE_HIGHS >> 8 * (LANES - b->length);

	MatchLane(&lanes, 0);
	MatchLane(&lanes, 1);
	MatchLane(&lanes, 2);
	MatchLane(&lanes, 3);
	MatchLane(&lanes, 4);
	MatchLane(&lanes, 5);
	MatchLane(&lanes, 6);
	MatchLane(&lanes, 7);

	common = (int) (((lanes.taken >> 7) * LANE_ONES) >> 56);

	if (lanes.overtaken != 0)
	{
		while (lanes.matched != 0)
		{
			disordered += a->bytes[__builtin_ctzll(lanes.matched) / 8] !=
				b->bytes[__builtin_ctzll(lanes.taken) / 8];
			lanes.matched &= lanes.matched - 1;
			lanes.taken &= lanes.taken - 1;
		}
	}

	return JaroValue(a->length, b->length, common, disordered);
}

/*
 * The first free position of each character in a long text, by a chain through
 * the positions of the same character
 */
typedef struct Chains
{
	int			narrow[256];
	int			nslots;			/* a power of two, or 0 */
	uint32_t   *keys;
	int		   *firsts;
	int		   *nexts;
} Chains;

static inline int *
ChainFirst(Chains *chains, uint32_t c)
{
	uint32_t	slot;

	if (c < 256)
		return &chains->narrow[c];

	slot = c * UINT32_C(2654435761);
	slot = (slot ^ (slot >> 15)) & (uint32_t) (chains->nslots - 1);
	while (chains->keys[slot] != c && chains->keys[slot] != 0)
		slot = (slot + 1) & (uint32_t) (chains->nslots - 1);

	if (chains->keys[slot] == 0)
	{
		chains->keys[slot] = c;
		chains->firsts[slot] = -1;
	}
	return &chains->firsts[slot];
}

static void
MakeChains(Chains *chains, const CompareText *a, const CompareText *b)
{
	chains->nslots = 0;
	chains->keys = NULL;
	chains->firsts = NULL;
	chains->nexts = CompareAllocate(b->length, sizeof(int));
	for (int c = 0; c < 256; c++)
		chains->narrow[c] = -1;

	if (IsWide(a, b))
	{
		size_t		nslots = 256;

		/* What a alone has is looked up, and so gets a slot, too */
		while (nslots < ((size_t) a->length + b->length) * 2)
			nslots *= 2;
		chains->nslots = nslots;
		chains->keys = CompareAllocate(nslots, sizeof(uint32_t));
		chains->firsts = CompareAllocate(nslots, sizeof(int));
		memset(chains->keys, 0, nslots * sizeof(uint32_t));
	}

	for (int i = b->length - 1; i >= 0; i--)
	{
		int		   *first = ChainFirst(chains, CharacterAt(b, i));

		chains->nexts[i] = *first;
		*first = i;
		if (i % INTERRUPT_STEPS == 0)
			CompareCheckInterrupts();
	}
}

/*
 * Compare texts of any length in linear time. The window only moves forward,
 * and the lowest free position is always taken, so of each character's
 * positions a beginning is used up or left behind, and a chain with a moving
 * start serves every search.
 */
static double
JaroLong(const CompareText *a, const CompareText *b)
{
	int			window = JaroWindow(a->length, b->length);
	int		   *matched = CompareAllocate(a->length, sizeof(int));
	bool	   *taken = CompareAllocate(b->length, sizeof(bool));
	int			common = 0;
	int			disordered = 0;
	Chains		chains;

	memset(taken, 0, b->length * sizeof(bool));
	MakeChains(&chains, a, b);

	for (int i = 0; i < a->length; i++)
	{
		int		   *first = ChainFirst(&chains, CharacterAt(a, i));

		while (*first >= 0 && *first < i - window)
			*first = chains.nexts[*first];
		if (*first >= 0 && *first - window <= i)
		{
			taken[*first] = true;
			*first = chains.nexts[*first];
			matched[common++] = i;
		}
		if (i % INTERRUPT_STEPS == 0)
			CompareCheckInterrupts();
	}

	for (int i = 0, k = 0; k < common; i++)
	{
		if (taken[i])
			disordered += CharacterAt(a, matched[k++]) != CharacterAt(b, i);
	}

	CompareRelease(matched);
	CompareRelease(taken);
	CompareRelease(chains.nexts);
	if (chains.keys != NULL)
	{
		CompareRelease(chains.keys);
		CompareRelease(chains.firsts);
	}

	return JaroValue(a->length, b->length, common, disordered);
}

/*
 * Get the similarity of Jaro
 */
double
Jaro(const CompareText *a, const CompareText *b)
{
	if (a->length == 0 || b->length == 0)
		return a->length == b->length ? 1.0 : 0.0;

	if (a->length > WORD_BITS || b->length > WORD_BITS)
		return JaroLong(a, b);

	if (IsWide(a, b))
		return JaroWord(a, b, true);

	if (a->length > LANES || b->length > LANES)
		return JaroWord(a, b, false);

	return JaroLanes(a, b);
}

/*
 * Get the similarity of Jaro and Winkler
 */
double
JaroWinkler(const CompareText *a, const CompareText *b)
{
	double		jaro = Jaro(a, b);
	int			shorter = a->length < b->length ? a->length : b->length;
	int			prefix = 0;

	if (jaro <= WINKLER_FROM)
		return jaro;

	while (prefix < WINKLER_PREFIX && prefix < shorter &&
		   CharacterAt(a, prefix) == CharacterAt(b, prefix))
		prefix++;

	return jaro + prefix * WINKLER_SCALE * (1.0 - jaro);
}

/*
 * Get the most that the similarity of Jaro and Winkler can be
 */
double
JaroWinklerBound(uint64_t asig, int alen, uint64_t bsig, int blen)
{
	int			common = SharedLettersBound(asig, alen, bsig, blen);
	int			prefix = common < WINKLER_PREFIX ? common : WINKLER_PREFIX;
	double		jaro;

	if (alen == 0 || blen == 0)
		return alen == blen ? 1.0 : 0.0;

	jaro = JaroValue(alen, blen, common, 0);
	if (jaro <= WINKLER_FROM)
		return jaro;

	return jaro + prefix * WINKLER_SCALE * (1.0 - jaro);
}

/*
 * Learn what texts need for a similarity: with a common prefix of p, that of
 * Jaro must reach (threshold - p / 10) / (1 - p / 10), which is a third of the
 * shares of shared characters and of 1.  A little less is asked for, as sums
 * are rounded.
 */
void
JaroWinklerNeeds(JaroWinklerNeed *need, double threshold)
{
	need->least[0] = threshold > 0 ? INFINITY : -INFINITY;
	for (int p = 1; p <= WINKLER_PREFIX; p++)
	{
		double		scale = p * WINKLER_SCALE;
		double		jaro = threshold <= WINKLER_FROM ? threshold : (threshold - scale) / (1.0 - scale);

		if (threshold > WINKLER_FROM && jaro < WINKLER_FROM)
			jaro = WINKLER_FROM;
		need->least[p] = 3.0 * jaro - 1.0 - 1e-9;
	}
}
