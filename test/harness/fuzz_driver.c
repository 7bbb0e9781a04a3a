/*
 * fuzz_driver.c
 *		Calls a libFuzzer target with a fixed number of generated inputs.
 *
 * Usage: target RUNS [CORPUS-DIRECTORY]
 *
 * The inputs depend on nothing but RUNS and the seeds, so a failure repeats.
 * Each is a seed, or an earlier input, changed in a few places; what the last
 * input was is printed when the target or a sanitizer ends the process.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_INPUT_SIZE 4096
#define MAX_POOL 512

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
extern void __sanitizer_set_death_callback(void (*callback) (void));

typedef struct Input
{
	uint8_t	   *data;
	size_t		size;
} Input;

static Input pool[MAX_POOL];
static int	pool_size;
static uint64_t state = UINT64_C(0x9E3779B97F4A7C15);
static uint8_t current[MAX_INPUT_SIZE];
static size_t current_size;
static long run;

/* Bytes and sequences that parsers of names, numbers and text trip over */
static const char *const tokens[] = {
	"@", ".", "..", "+", "-", "--", "_", "\"", "'", "\\", "(", ")", "<", ">", "[", "]",
	"{", "}", ",", ";", ":", "/", "//", "&", "=", "%", "%00", "#", "?", "*", "$", "$$",
	" ", "\t", "\r\n", "\n", "\x01", "\x7f", "0", "00", "9", "99999999999999999999",
	"xn--", "www.", "mailto:", "tel:", "http://", "<![CDATA[", "]]>", "<!--", "&amp;",
	"&#x0;", "<?xml", "null", "true", "NaN", "-inf", "1e309", "\\u0000", "a", "Z",
	"\xc3\xa9", "\xc3\x9f", "\xc4\xb0", "e\xcc\x81", "\xe2\x80\x8d", "\xef\xbb\xbf",
	"\xef\xbc\xa0", "\xe3\x80\x82", "\xd9\xa1", "\xf0\x9f\x98\x80", "\xc0\x80", "\xed\xa0\x80",
	"\xf4\x90\x80\x80", "\xff", "\x80", "example", "user", "com", "co.uk", "street"
};

static uint64_t
next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static size_t
below(size_t limit)
{
	return limit ? (size_t) (next_random() % limit) : 0;
}

static void
print_current(void)
{
	fprintf(stderr, "run %ld, input of %zu bytes:", run, current_size);
	for (size_t i = 0; i < current_size; i++)
		fprintf(stderr, " %02x", current[i]);
	fprintf(stderr, "\n");
}

static void
handle_abort(int signo)
{
	print_current();
	signal(signo, SIG_DFL);
	raise(signo);
}

static void
keep(const uint8_t *data, size_t size)
{
	int			slot = pool_size < MAX_POOL ? pool_size++ : (int) below(MAX_POOL);

	free(pool[slot].data);
	pool[slot].data = malloc(size ? size : 1);
	if (!pool[slot].data)
		exit(2);
	memcpy(pool[slot].data, data, size);
	pool[slot].size = size;
}

static int
compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void
read_seeds(const char *directory)
{
	struct dirent **entries;
	int			count = scandir(directory, &entries, NULL, compare_names);

	if (count < 0)
	{
		perror(directory);
		exit(2);
	}
	for (int i = 0; i < count; i++)
	{
		char		path[4096];
		FILE	   *file;

		snprintf(path, sizeof(path), "%s/%s", directory, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.' && (file = fopen(path, "rb")) != NULL)
		{
			keep(current, fread(current, 1, sizeof(current), file));
			fclose(file);
		}
		free(entries[i]);
	}
	free(entries);
}

/* Replace `removed` bytes at `at` by `size` others, as far as they fit */
static void
splice(size_t at, size_t removed, const uint8_t *data, size_t size)
{
	size_t		rest;

	if (at > current_size)
		at = current_size;
	if (removed > current_size - at)
		removed = current_size - at;
	rest = current_size - at - removed;
	if (at + size + rest > MAX_INPUT_SIZE)
		return;
	memmove(current + at + size, current + at + removed, rest);
	if (size > 0)
		memcpy(current + at, data, size);
	current_size = at + size + rest;
}

static void
change(void)
{
	size_t		at = below(current_size + 1);
	uint8_t		byte;
	uint8_t		copy[64];
	size_t		length;
	const char *token;
	const Input *other;

	switch (below(8))
	{
		case 0:
			byte = (uint8_t) next_random();
			splice(at, 1, &byte, 1);
			break;
		case 1:
			if (at < current_size)
				current[at] ^= (uint8_t) (1 << below(8));
			break;
		case 2:
			splice(at, 1 + below(8), NULL, 0);
			break;
		case 3:
			byte = (uint8_t) (0x20 + below(0x5f));
			splice(at, 0, &byte, 1);
			break;
		case 4:
		case 5:
			token = tokens[below(sizeof(tokens) / sizeof(tokens[0]))];
			splice(at, below(2), (const uint8_t *) token, strlen(token));
			break;
		case 6:
			length = 1 + below(sizeof(copy));
			if (length > current_size - at)
				length = current_size - at;
			memcpy(copy, current + at, length);
			for (size_t times = 1 + below(4); times > 0; times--)
				splice(at, 0, copy, length);
			break;
		case 7:
			other = &pool[below((size_t) pool_size)];
			length = other->size - below(other->size + 1);
			splice(at, below(current_size + 1), other->data + (other->size - length), length);
			break;
	}
}

int
main(int argc, char **argv)
{
	long		runs = argc > 1 ? strtol(argv[1], NULL, 10) : 100000;

	__sanitizer_set_death_callback(print_current);
	signal(SIGABRT, handle_abort);
	signal(SIGALRM, handle_abort);

	keep(current, 0);
	if (argc > 2)
		read_seeds(argv[2]);
	for (run = 0; run < runs; run++)
	{
		const Input *from = &pool[below((size_t) pool_size)];

		current_size = from->size;
		memcpy(current, from->data, from->size);
		/* The seeds themselves first, unchanged */
		if (run < pool_size)
		{
			current_size = pool[run].size;
			memcpy(current, pool[run].data, current_size);
		}
		else
		{
			for (size_t changes = 1 + below(6); changes > 0; changes--)
				change();
		}

		/* One input may not take longer than this many seconds */
		alarm(10);
		{
			/* An exact copy, so that reading past its end is noticed */
			uint8_t    *exact = malloc(current_size ? current_size : 1);

			if (!exact)
				exit(2);
			memcpy(exact, current, current_size);
			LLVMFuzzerTestOneInput(exact, current_size);
			free(exact);
		}
		if (below(50) == 0)
			keep(current, current_size);
	}
	alarm(0);
	for (int i = 0; i < pool_size; i++)
		free(pool[i].data);
	return 0;
}
