/*
 * Comparisons that go through the matrix of two texts row by row, keeping only
 * the rows they need.
 */
#include "compare/kernel.h"

#include <stdlib.h>

/* Larger than any distance, with room to add to it */
#define UNREACHABLE		(INT32_MAX / 2)

/* Arrays as long as a row that a comparison keeps */
#define MAX_ROWS		4

static int *
AllocateRows(int *stack, int count, int length)
{
	if (length <= STACK_CHARACTERS)
		return stack;

	return CompareAllocate((size_t) count * ((size_t) length + 1), sizeof(int));
}

typedef struct DamerauRows
{
	int		   *current;		/* row i, from column j on row i - 2 */
	int		   *previous;		/* row i - 1 */
	int		   *last_match;		/* last row of the column's character */
	int		   *before_match;	/* value above that row, two columns left */
} DamerauRows;

/*
 * Work through row i, which is the i-th character of a
 */
static void
DamerauRow(const CompareText *a, const CompareText *b, int i, DamerauRows *rows)
{
	uint32_t	c = CharacterAt(a, i - 1);
	int			last_column = 0;
	int			before_column = UNREACHABLE;
	int			above_left = UNREACHABLE;

	/* Both are of row i - 2: left of last_column, and left of column j */
	if (i > 1)
		above_left = i - 2;
	rows->current[0] = i;

	for (int j = 1; j <= b->length; j++)
	{
		int			above = rows->current[j];
		int			value;

		if (CharacterAt(b, j - 1) == c)
		{
			value = rows->previous[j - 1];
			rows->before_match[j] = j > 1 ? rows->previous[j - 2] : UNREACHABLE;
			rows->last_match[j] = i;
			before_column = above_left;
			last_column = j;
		}
		else
		{
			int			swap = UNREACHABLE;

			value = rows->previous[j - 1];
			if (rows->previous[j] < value)
				value = rows->previous[j];
			if (rows->current[j - 1] < value)
				value = rows->current[j - 1];
			value++;

			if (last_column > 0 && j - last_column == 1)
				swap = rows->before_match[j] + i - rows->last_match[j];
			else if (last_column > 0 && i - rows->last_match[j] == 1)
				swap = before_column + j - last_column;
			if (swap < value)
				value = swap;
		}

		rows->current[j] = value;
		above_left = above;
	}
}

/*
 * Get the Damerau-Levenshtein distance: insertions, deletions, substitutions,
 * and swaps of neighbours between which anything may be inserted or deleted
 * (Lowrance and Wagner 1975, An extension of the string-to-string correction
 * problem). A swap that both deletes and inserts between its characters is
 * never better than what needs no swap, so of all earlier rows only one value
 * a column is to be remembered (Zhao and Sahni 2019, String correction using
 * the Damerau-Levenshtein distance), and memory is linear.
 */
int
DamerauLevenshtein(const CompareText *a, const CompareText *b)
{
	const CompareText *shorter = a->length <= b->length ? a : b;
	const CompareText *longer = a->length <= b->length ? b : a;
	int			stack[MAX_ROWS * (STACK_CHARACTERS + 1)];
	int		   *memory;
	int			distance;
	size_t		width;
	CompareText x = *shorter;
	CompareText y = *longer;
	DamerauRows rows;

	TrimCommon(&x, &y);
	if (x.length == 0)
		return y.length;

	/* The arrays are as long as the text in the columns: the shorter one */
	width = (size_t) x.length + 1;
	memory = AllocateRows(stack, MAX_ROWS, x.length);
	rows.current = memory;
	rows.previous = memory + width;
	rows.before_match = memory + 2 * width;
	rows.last_match = memory + 3 * width;

	for (int j = 0; j <= x.length; j++)
	{
		rows.current[j] = UNREACHABLE;
		rows.previous[j] = j;
		rows.before_match[j] = UNREACHABLE;
		rows.last_match[j] = 0;
	}

	for (int i = 1; i <= y.length; i++)
	{
		int		   *swap;

		DamerauRow(&y, &x, i, &rows);
		swap = rows.current;
		rows.current = rows.previous;
		rows.previous = swap;
		CompareCheckInterrupts();
	}
	distance = rows.previous[x.length];

	if (memory != stack)
		CompareRelease(memory);
	return distance;
}

/*
 * Keyboards by their rows of keys, from the left. A space stands for a key
 * without an ASCII character.
 */
#define KEY_ROWS		4
#define KEY_NONE		0xFF

static const char *const keyboards[][KEY_ROWS] = {
	[KEYBOARD_QWERTY] = {"`1234567890-=", "qwertyuiop[]\\", "asdfghjkl;'", "zxcvbnm,./"},
	[KEYBOARD_QWERTZ] = {"^1234567890", "qwertzuiop +", "asdfghjkl  #", "yxcvbnm,.-"},
	[KEYBOARD_AZERTY] = {" 1234567890)=", "azertyuiop^$", "qsdfghjklm *", "wxcvbn,;:!"}
};

/* Where the rows begin, in quarters of a key's width */
static const int row_starts[KEY_ROWS] = {0, 6, 7, 9};

typedef struct Key
{
	uint8_t		row;
	uint8_t		place;			/* in quarters of a key's width */
} Key;

static Key	keys[3][128];
static bool keys_known;

static void
PlaceKeys(void)
{
	memset(keys, KEY_NONE, sizeof(keys));

	for (int keyboard = 0; keyboard < 3; keyboard++)
	{
		for (int row = 0; row < KEY_ROWS; row++)
		{
			const char *characters = keyboards[keyboard][row];

			for (int i = 0; characters[i] != '\0'; i++)
			{
				Key		   *key = &keys[keyboard][(int) characters[i]];

				if (characters[i] == ' ')
					continue;
				key->row = row;
				key->place = row_starts[row] + 4 * i;
				if (characters[i] >= 'a' && characters[i] <= 'z')
					keys[keyboard][characters[i] - 'a' + 'A'] = *key;
			}
		}
	}

	keys_known = true;
}

/*
 * Get the cost of typing one character for another, in halves: the same key
 * or one that touches it costs half
 */
static inline int
TypingCost(const Key *keyboard, uint32_t a, uint32_t b)
{
	Key			x;
	Key			y;

	if (a == b)
		return 0;
	if (a >= 128 || b >= 128)
		return 2;

	x = keyboard[a];
	y = keyboard[b];
	if (x.row == KEY_NONE || y.row == KEY_NONE)
		return 2;
	if (x.row == y.row)
		return abs(x.place - y.place) <= 4 ? 1 : 2;

	return abs(x.row - y.row) == 1 && abs(x.place - y.place) < 4 ? 1 : 2;
}

/*
 * Get the optimal string alignment distance in which a neighbouring key
 * costs half
 */
double
KeyboardDistance(const CompareText *a, const CompareText *b, Keyboard keyboard)
{
	const Key  *places = keys[keyboard];
	const CompareText *shorter = a->length <= b->length ? a : b;
	const CompareText *longer = a->length <= b->length ? b : a;
	int			stack[MAX_ROWS * (STACK_CHARACTERS + 1)];
	int		   *memory = AllocateRows(stack, 3, shorter->length);
	size_t		width = (size_t) shorter->length + 1;
	int		   *current = memory;
	int		   *previous = memory + width;
	int		   *before = memory + 2 * width;
	int			distance;

	if (!keys_known)
		PlaceKeys();

	for (int j = 0; j <= shorter->length; j++)
		current[j] = 2 * j;

	for (int i = 1; i <= longer->length; i++)
	{
		uint32_t	c = CharacterAt(longer, i - 1);
		int		   *free = before;

		before = previous;
		previous = current;
		current = free;
		current[0] = 2 * i;

		for (int j = 1; j <= shorter->length; j++)
		{
			uint32_t	d = CharacterAt(shorter, j - 1);
			int			value = previous[j - 1] + TypingCost(places, c, d);

			if (previous[j] + 2 < value)
				value = previous[j] + 2;
			if (current[j - 1] + 2 < value)
				value = current[j - 1] + 2;
			if (i > 1 && j > 1 && c == CharacterAt(shorter, j - 2) &&
				d == CharacterAt(longer, i - 2) && before[j - 2] + 2 < value)
				value = before[j - 2] + 2;
			current[j] = value;
		}
		CompareCheckInterrupts();
	}
	distance = current[shorter->length];

	if (memory != stack)
		CompareRelease(memory);
	return distance / 2.0;
}

/*
 * Get the number of characters that two texts begin with in common
 */
int
CommonPrefix(const CompareText *a, const CompareText *b)
{
	int			shorter = a->length < b->length ? a->length : b->length;
	int			n = 0;

	while (n < shorter && CharacterAt(a, n) == CharacterAt(b, n))
		n++;

	return n;
}

/*
 * Get the length of the longest substring that two texts have in common
 */
int
CommonSubstring(const CompareText *a, const CompareText *b)
{
	const CompareText *shorter = a->length <= b->length ? a : b;
	const CompareText *longer = a->length <= b->length ? b : a;
	int			stack[STACK_CHARACTERS + 1];
	int		   *runs = AllocateRows(stack, 1, shorter->length);
	int			longest = 0;

	memset(runs, 0, ((size_t) shorter->length + 1) * sizeof(int));

	for (int i = 0; i < longer->length; i++)
	{
		uint32_t	c = CharacterAt(longer, i);

		/* From the end, as each needs its left neighbour of the row before */
		for (int j = shorter->length; j > 0; j--)
		{
			runs[j] = CharacterAt(shorter, j - 1) == c ? runs[j - 1] + 1 : 0;
			longest = runs[j] > longest ? runs[j] : longest;
		}
		CompareCheckInterrupts();
	}

	if (runs != stack)
		CompareRelease(runs);
	return longest;
}
