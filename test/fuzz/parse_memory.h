/*
 * Memory for the parsers under test: kept on a list, and given back after each
 * input, as the server gives back a memory context.
 */
#ifndef LEAD_MGMT_PARSE_MEMORY_H
#define LEAD_MGMT_PARSE_MEMORY_H

#include <stdlib.h>
#include <string.h>

#include "capture/parse.h"

typedef struct Block
{
	struct Block *next;
	struct Block *before;
	size_t		size;
} Block;

static Block blocks = {&blocks, &blocks, 0};

void *
ParseAllocate(size_t size)
{
	Block	   *block = malloc(sizeof(Block) + size);

	if (block == NULL)
		abort();
	block->next = blocks.next;
	block->before = &blocks;
	blocks.next->before = block;
	blocks.next = block;
	block->size = size;
	return block + 1;
}

void *
ParseReallocate(void *memory, size_t size)
{
	Block	   *block = (Block *) memory - 1;
	void	   *copy = ParseAllocate(size);

	memcpy(copy, memory, block->size < size ? block->size : size);
	block->next->before = block->before;
	block->before->next = block->next;
	free(block);
	return copy;
}

static void
GiveBack(void)
{
	while (blocks.next != &blocks)
	{
		Block	   *block = blocks.next;

		blocks.next = block->next;
		free(block);
	}
	blocks.before = &blocks;
}

static void
Check(bool condition)
{
	if (!condition)
		abort();
}

#endif
