/*
 * Large arrays, read here and there.
 *
 * With pages of 4 kB nearly every read of a table of a hundred megabytes
 * misses the processor's table of pages as well as its caches, and the system
 * hands the memory out page by page.  So it is asked for large pages, which it
 * gives where it can.
 */
#include "postgres.h"

#include <sys/mman.h>

#include "matching/arrays.h"
#include "utils/memutils.h"

/* Size of a large page, and of arrays that are worth some */
#define LARGE_PAGE ((uint64) 2 * 1024 * 1024)
#define LARGE_ARRAY (2 * LARGE_PAGE)

/* Ask for large pages */
static void *
AskForLargePages(void *array, uint64 size)
{
#ifdef MADV_HUGEPAGE
	if (size >= LARGE_ARRAY)
	{
		uintptr_t	from = TYPEALIGN(LARGE_PAGE, array);
		uintptr_t	to = TYPEALIGN_DOWN(LARGE_PAGE, (uintptr_t) array + size);

		/* Refusal changes nothing but the speed */
		(void) madvise((void *) from, to - from, MADV_HUGEPAGE);
	}
#endif
	return array;
}

/* Allocate an array */
void *
ArrayAllocate(MemoryContext context, uint64 size)
{
	return AskForLargePages(MemoryContextAllocHuge(context, size), size);
}

/* Allocate an array of zeros */
void *
ArrayAllocateZero(MemoryContext context, uint64 size)
{
	return memset(ArrayAllocate(context, size), 0, size);
}

/* Make an array larger */
void *
ArrayGrow(void *array, uint64 size)
{
	return AskForLargePages(repalloc_huge(array, size), size);
}
