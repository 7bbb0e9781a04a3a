#ifndef LEAD_MGMT_COMPARE_KERNEL_H
#define LEAD_MGMT_COMPARE_KERNEL_H

/*
 * What the kernels share among themselves.
 */
#include "compare/compare.h"

#ifdef __GNUC__
#define ALWAYS_INLINE inline __attribute__((always_inline))
#pragma GCC visibility push(hidden)
#else
#define ALWAYS_INLINE inline
#endif

/* Characters that fit one machine word, and those whose arrays are on the stack */
#define WORD_BITS			64
#define STACK_CHARACTERS	256

/* Steps of a loop between two looks for a cancel request */
#define INTERRUPT_STEPS		65536

/* The kernels' only ways out: to the server's memory and to its interrupts */
extern void *CompareAllocate(size_t count, size_t size);
extern void CompareRelease(void *memory);
extern void CompareCheckInterrupts(void);

static ALWAYS_INLINE uint32_t
CharacterAt(const CompareText *text, int i)
{
	return text->bytes != NULL ? text->bytes[i] : text->chars[i];
}

/*
 * Make a view of a part of a text
 */
static inline CompareText
SubText(const CompareText *text, int start, int length)
{
	CompareText part;

	part.length = length;
	part.bytes = text->bytes != NULL ? text->bytes + start : NULL;
	part.chars = text->chars != NULL ? text->chars + start : NULL;
	return part;
}

/*
 * Cut off what two texts begin and end with in common, which costs nothing in
 * any edit distance
 */
static inline void
TrimCommon(CompareText *a, CompareText *b)
{
	int			start = 0;
	int			alen = a->length;
	int			blen = b->length;

	while (start < alen && start < blen && CharacterAt(a, start) == CharacterAt(b, start))
		start++;
	while (alen > start && blen > start && CharacterAt(a, alen - 1) == CharacterAt(b, blen - 1))
	{
		alen--;
		blen--;
	}

	*a = SubText(a, start, alen - start);
	*b = SubText(b, start, blen - start);
}

/*
 * Check whether two texts are equal
 */
static inline bool
SameText(const CompareText *a, const CompareText *b)
{
	if (a->length != b->length)
		return false;

	for (int i = 0; i < a->length; i++)
	{
		if (CharacterAt(a, i) != CharacterAt(b, i))
			return false;
	}

	return true;
}

/*
 * The positions at which each character stands in a text, or in a part of it,
 * of at most 64 characters, as bits. Characters above U+00FF are in a hash
 * table that is at most half full, with their slots listed for removal.
 */
#define POSITION_SLOTS		128

typedef struct CharacterPositions
{
	uint64_t	narrow[256];
	uint64_t	values[POSITION_SLOTS];
	uint32_t	keys[POSITION_SLOTS];
	uint8_t		used[WORD_BITS];
	int			nused;
} CharacterPositions;

static inline int
PositionsSlot(const CharacterPositions *positions, uint32_t c)
{
	int			slot = (c * UINT32_C(2654435761)) >> 25;

	while (positions->keys[slot] != c && positions->keys[slot] != 0)
		slot = (slot + 1) % POSITION_SLOTS;

	return slot;
}

static inline void
PositionsAddWide(CharacterPositions *positions, uint32_t c, uint64_t bits)
{
	int			slot = PositionsSlot(positions, c);

	if (positions->keys[slot] == 0)
	{
		positions->keys[slot] = c;
		positions->used[positions->nused++] = slot;
	}
	positions->values[slot] |= bits;
}

/*
 * Functions below that are told whether the texts are wide are inlined with a
 * constant, so that texts of bytes pay nothing for the others
 */
static ALWAYS_INLINE void
PositionsAdd(CharacterPositions *positions, const CompareText *text, int i, uint64_t bits, bool wide)
{
	if (!wide)
		positions->narrow[text->bytes[i]] |= bits;
	else
	{
		uint32_t	c = CharacterAt(text, i);

		if (c < 256)
			positions->narrow[c] |= bits;
		else
			PositionsAddWide(positions, c, bits);
	}
}

static ALWAYS_INLINE uint64_t
PositionsGet(const CharacterPositions *positions, const CompareText *text, int i, bool wide)
{
	uint32_t	c;

	if (!wide)
		return positions->narrow[text->bytes[i]];

	c = CharacterAt(text, i);
	return c < 256 ? positions->narrow[c] : positions->values[PositionsSlot(positions, c)];
}

/*
 * Take the characters of a text out again, which is cheaper than to zero the
 * whole for each comparison of short texts
 */
static ALWAYS_INLINE void
PositionsClear(CharacterPositions *positions, const CompareText *text, bool wide)
{
	for (int i = 0; i < text->length; i++)
	{
		if (!wide)
			positions->narrow[text->bytes[i]] = 0;
		else if (CharacterAt(text, i) < 256)
			positions->narrow[CharacterAt(text, i)] = 0;
	}

	if (wide)
	{
		while (positions->nused > 0)
		{
			int			slot = positions->used[--positions->nused];

			positions->keys[slot] = 0;
			positions->values[slot] = 0;
		}
	}
}

static ALWAYS_INLINE bool
IsWide(const CompareText *a, const CompareText *b)
{
	return a->bytes == NULL || b->bytes == NULL;
}

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#endif
