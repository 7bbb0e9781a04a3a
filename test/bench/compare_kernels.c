/*
 * compare_kernels.c
 *		Times the comparison kernels without SQL.
 *
 * Reads names, one a line, and compares pairs of them in random order; prints
 * for each kernel its name and the nanoseconds of a call, the least of several
 * rounds, without those of the loop.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "compare/kernel.h"

#define MAX_NAMES	20000
#define MAX_LENGTH	256
#define PAIRS		20000
#define ROUNDS		300

static char lines[MAX_NAMES][MAX_LENGTH];
static CompareText names[MAX_NAMES];
static uint64_t letters[MAX_NAMES];
static uint64_t bigrams[MAX_NAMES];
static int	first[PAIRS];
static int	second[PAIRS];
static volatile double sink;

void *
CompareAllocate(size_t count, size_t size)
{
	return malloc(count * size);
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

static double
Now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e9 + now.tv_nsec;
}

#define TIME(result, expression) \
	do { \
		double least = 1e18; \
		for (int round = 0; round < ROUNDS; round++) \
		{ \
			double sum = 0.0; \
			double started = Now(); \
			for (int i = 0; i < PAIRS; i++) \
			{ \
				int x = first[i]; \
				int y = second[i]; \
				const CompareText *a = &names[x]; \
				const CompareText *b = &names[y]; \
				sum += (expression); \
			} \
			started = (Now() - started) / PAIRS; \
			least = started < least ? started : least; \
			sink = sum; \
		} \
		(result) = least; \
	} while (0)

#define REPORT(name, expression) \
	do { \
		double taken; \
		TIME(taken, expression); \
		printf("%s %.1f\n", name, taken - loop); \
	} while (0)

int
main(void)
{
	int			n = 0;
	double		loop;

	while (n < MAX_NAMES && fgets(lines[n], MAX_LENGTH, stdin) != NULL)
	{
		lines[n][strcspn(lines[n], "\n")] = '\0';
		names[n].length = strlen(lines[n]);
		names[n].bytes = (const uint8_t *) lines[n];
		letters[n] = LetterSignature(&names[n]);
		bigrams[n] = BigramSignature(&names[n]);
		n++;
	}
	if (n == 0)
		return 1;

	srand(1);
	for (int i = 0; i < PAIRS; i++)
	{
		first[i] = rand() % n;
		second[i] = rand() % n;
	}

	TIME(loop, a->length + b->length);
	REPORT("Jaro-Winkler", JaroWinkler(a, b));
	REPORT("Levenshtein", Levenshtein(a, b));
	REPORT("Levenshtein, at most 2", LevenshteinWithin(a, b, 2));
	REPORT("optimal string alignment", OptimalStringAlignment(a, b));
	REPORT("Damerau-Levenshtein", DamerauLevenshtein(a, b));
	REPORT("2-gram Jaccard", QgramJaccard(a, b, 2));
	REPORT("bound by letter signatures", EditDistanceBound(letters[x], a->length, letters[y], b->length));
	REPORT("bound by bigram signatures", LevenshteinBigramBound(bigrams[x], bigrams[y]));

	return 0;
}
