/*
 * Edit distances by bit-parallel dynamic programming.
 *
 * Myers (1999, A fast bit-vector algorithm for approximate string matching
 * based on dynamic programming) in the form of Hyyrö (2003, A bit-vector
 * algorithm for computing Levenshtein and Damerau edit distances), which also
 * gives the swaps of neighbours: a column of the matrix is kept as the bits of
 * its vertical differences, and a step makes the next column of 64 rows in
 * about fifteen instructions.
 *
 * A text longer than 64 characters is compared in strips of 64 rows. A strip
 * needs of the one above it no more than, for each column, the horizontal
 * difference on its last row and whether a swap reaches over the edge, so that
 * memory is a byte a column whatever the alphabet. A strip covers the columns
 * that a path of no more than the limit, or the longer length, can reach from
 * the first cell and still end in the last one (Ukkonen 1985, Algorithms for
 * approximate string matching); cells outside are taken to be as large as they
 * can be, which does not change values within the limit. A swap looks at one
 * column more on either side.
 */
#include "compare/kernel.h"

#include <limits.h>

/* What a strip hands down in each column */
#define EDGE_PLUS	1
#define EDGE_MINUS	2
#define EDGE_SWAP	4

/* All zero between comparisons; nothing can fail while it is not */
static CharacterPositions shared_positions;

/*
 * The vertical differences of a column, what the next column needs of it for
 * swaps, and the horizontal differences that led to it
 */
typedef struct Column
{
	uint64_t	plus;
	uint64_t	minus;
	uint64_t	diagonal;		/* rows with the value of their upper left */
	uint64_t	equal;
	uint64_t	right_plus;
	uint64_t	right_minus;
	uint64_t	swappable;
} Column;

/*
 * Make the next column from the rows equal to its character. The edge is what
 * comes from the row above.
 */
static ALWAYS_INLINE void
NextColumn(Column *column, uint64_t equal, int edge, bool swaps)
{
	uint64_t	above_minus = (edge & EDGE_MINUS) != 0;
	uint64_t	above_plus = (edge & EDGE_PLUS) != 0;
	uint64_t	start = equal | above_minus;
	uint64_t	diagonal = (((start & column->plus) + column->plus) ^ column->plus) | start | column->minus;
	uint64_t	right_plus;
	uint64_t	right_minus;

	if (swaps)
	{
		column->swappable = ~column->diagonal & equal;
		diagonal |= ((column->swappable << 1) | ((edge & EDGE_SWAP) != 0)) & column->equal;
		column->diagonal = diagonal;
		column->equal = equal;
	}

	right_plus = column->minus | ~(diagonal | column->plus);
	right_minus = diagonal & column->plus;
	column->right_plus = right_plus;
	column->right_minus = right_minus;

	right_plus = (right_plus << 1) | above_plus;
	right_minus = (right_minus << 1) | above_minus;
	column->plus = right_minus | ~(diagonal | right_plus);
	column->minus = right_plus & diagonal;
}

/*
 * Compare with a text a of at most 64 characters
 */
static ALWAYS_INLINE int
WordDistance(const CompareText *a, const CompareText *b, int limit, bool swaps, bool wide)
{
	CharacterPositions *positions = &shared_positions;
	int			last = a->length - 1;
	int			distance = a->length;
	Column		column = {.plus = ~UINT64_C(0), .diagonal = ~UINT64_C(0)};

	for (int i = 0; i < a->length; i++)
		PositionsAdd(positions, a, i, UINT64_C(1) << i, wide);

	for (int j = 0; j < b->length; j++)
	{
		NextColumn(&column, PositionsGet(positions, b, j, wide), EDGE_PLUS, swaps);
		distance += (int) ((column.right_plus >> last) & 1);
		distance -= (int) ((column.right_minus >> last) & 1);

		/* Each column to come takes away one at most */
		if (distance - limit > b->length - 1 - j)
		{
			distance = limit + 1;
			break;
		}
	}

	PositionsClear(positions, a, wide);
	return distance;
}

/*
 * Work through the columns from first up to end of a strip. Returns whether
 * any value on its last row is within the limit; corner is the value on the
 * row above the strip in the column before the first.
 */
static ALWAYS_INLINE bool
Strip(const CompareText *rows, const CompareText *b, int first, int end, uint8_t *edges,
	  int corner, int limit, bool swaps, bool wide)
{
	CharacterPositions positions;
	int			last = rows->length - 1;
	int			value = corner + rows->length;
	int			least = value;
	Column		column = {.plus = ~UINT64_C(0), .diagonal = ~UINT64_C(0)};

	memset(&positions, 0, sizeof(positions));
	for (int i = 0; i < rows->length; i++)
		PositionsAdd(&positions, rows, i, UINT64_C(1) << i, wide);

	for (int j = first; j < end; j++)
	{
		int			plus;
		int			minus;

		NextColumn(&column, PositionsGet(&positions, b, j, wide), edges[j], swaps);
		plus = (column.right_plus >> last) & 1;
		minus = (column.right_minus >> last) & 1;
		value += plus - minus;
		least = value < least ? value : least;
		edges[j] = plus * EDGE_PLUS | minus * EDGE_MINUS;
		if (swaps)
			edges[j] |= ((column.swappable >> last) & 1) * EDGE_SWAP;

		if (j % INTERRUPT_STEPS == INTERRUPT_STEPS - 1)
			CompareCheckInterrupts();
	}

	return least <= limit;
}

/*
 * Compare texts of any length, the first of which is the shorter one
 */
static int
StripDistance(const CompareText *a, const CompareText *b, int limit, bool swaps)
{
	uint8_t		stack[STACK_CHARACTERS];
	uint8_t    *edges = stack;
	bool		wide = IsWide(a, b);
	int			corner = 0;
	int			previous = 0;
	int			distance = limit + 1;
	int			left = (limit - (b->length - a->length)) / 2 + swaps;
	int			right = (limit + (b->length - a->length)) / 2 + swaps;

	if (b->length > STACK_CHARACTERS)
		edges = CompareAllocate(b->length, sizeof(uint8_t));
	memset(edges, EDGE_PLUS, b->length);

	for (int top = 0; top < a->length; top += WORD_BITS)
	{
		int			nrows = a->length - top < WORD_BITS ? a->length - top : WORD_BITS;
		int			first = top > left ? top - left : 0;
		int			end = b->length - top - nrows > right ? top + nrows + right : b->length;
		CompareText rows = SubText(a, top, nrows);
		bool		within;

		/* Move the corner along the last row of the strip above */
		for (; previous < first; previous++)
			corner += (edges[previous] & EDGE_PLUS) - (edges[previous] & EDGE_MINUS) / EDGE_MINUS;

		if (wide)
			within = Strip(&rows, b, first, end, edges, corner, limit, swaps, true);
		else
			within = Strip(&rows, b, first, end, edges, corner, limit, swaps, false);
		CompareCheckInterrupts();
		if (!within)
			goto done;

		corner += nrows;
	}

	/* No swap beyond the last row matters, nor do columns before the corner */
	for (; previous < b->length; previous++)
		corner += (edges[previous] & EDGE_PLUS) - (edges[previous] & EDGE_MINUS) / EDGE_MINUS;
	if (corner <= limit)
		distance = corner;

done:
	if (edges != stack)
		CompareRelease(edges);
	return distance;
}

/*
 * Compare two texts, the shorter one as the rows
 */
static ALWAYS_INLINE int
EditDistance(const CompareText *a, const CompareText *b, int limit, bool swaps)
{
	CompareText x = a->length <= b->length ? *a : *b;
	CompareText y = a->length <= b->length ? *b : *a;

	/* So that limit + 1 and sums with lengths stay in range */
	if (limit > y.length)
		limit = y.length;
	if (limit < 0 || y.length - x.length > limit)
		return limit + 1;

	TrimCommon(&x, &y);
	if (x.length == 0)
		return y.length;

	/* Strips can be cancelled, too */
	if (x.length > WORD_BITS || y.length > INTERRUPT_STEPS)
		return StripDistance(&x, &y, limit, swaps);

	return IsWide(&x, &y) ? WordDistance(&x, &y, limit, swaps, true) :
		WordDistance(&x, &y, limit, swaps, false);
}

/*
 * Get the Levenshtein distance
 */
int
Levenshtein(const CompareText *a, const CompareText *b)
{
	return EditDistance(a, b, INT_MAX, false);
}

/*
 * Get the Levenshtein distance, or limit + 1 when it is larger
 */
int
LevenshteinWithin(const CompareText *a, const CompareText *b, int limit)
{
	return EditDistance(a, b, limit, false);
}

/*
 * Get the optimal string alignment distance
 */
int
OptimalStringAlignment(const CompareText *a, const CompareText *b)
{
	return EditDistance(a, b, INT_MAX, true);
}

/*
 * Get the optimal string alignment distance, or limit + 1 when it is larger
 */
int
OptimalStringAlignmentWithin(const CompareText *a, const CompareText *b, int limit)
{
	return EditDistance(a, b, limit, true);
}
