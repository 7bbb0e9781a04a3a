/*
 * Channel names and their numbers.
 */
#include "postgres.h"

#include "attribution/attribution.h"
#include "common/hashfn.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* Make an empty set of names */
ChannelNames *
ChannelsCreate(MemoryContext context)
{
	ChannelNames *channels = MemoryContextAllocZero(context, sizeof(ChannelNames));

	channels->context = context;
	channels->capacity = 64;
	channels->names = MemoryContextAlloc(context, sizeof(char *) * channels->capacity);
	channels->lengths = MemoryContextAlloc(context, sizeof(int) * channels->capacity);
	channels->hashes = MemoryContextAlloc(context, sizeof(uint32) * channels->capacity);
	channels->mask = channels->capacity * 4 - 1;
	channels->slots = MemoryContextAlloc(context, sizeof(int) * (channels->mask + 1));
	memset(channels->slots, 0xFF, sizeof(int) * (channels->mask + 1));
	return channels;
}

/* Double the room for names */
static void
GrowChannels(ChannelNames *channels)
{
	channels->capacity *= 2;
	channels->names = repalloc_huge(channels->names, sizeof(char *) * channels->capacity);
	channels->lengths = repalloc_huge(channels->lengths, sizeof(int) * channels->capacity);
	channels->hashes = repalloc_huge(channels->hashes, sizeof(uint32) * channels->capacity);
	channels->mask = channels->capacity * 4 - 1;
	pfree(channels->slots);
	channels->slots = MemoryContextAllocHuge(channels->context, sizeof(int) * ((Size) channels->mask + 1));
	memset(channels->slots, 0xFF, sizeof(int) * ((Size) channels->mask + 1));
	for (int i = 0; i < channels->count; i++)
	{
		uint32		slot = channels->hashes[i] & channels->mask;

		while (channels->slots[slot] >= 0)
			slot = (slot + 1) & channels->mask;
		channels->slots[slot] = i;
	}
}

/* Find the slot of a name: its own, or the free one where it belongs */
static inline uint32
FindSlot(const ChannelNames *channels, const char *name, int length, uint32 hash)
{
	uint32		slot = hash & channels->mask;
	int			found;

	while ((found = channels->slots[slot]) >= 0 &&
		   (channels->hashes[found] != hash || channels->lengths[found] != length ||
			memcmp(channels->names[found], name, length) != 0))
		slot = (slot + 1) & channels->mask;
	return slot;
}

/* Get the number of a name, a new one for a new name */
int
ChannelNumber(ChannelNames *channels, const char *name, int length)
{
	uint32		hash = hash_bytes((const unsigned char *) name, length);
	uint32		slot = FindSlot(channels, name, length, hash);
	int			number = channels->slots[slot];

	if (number >= 0)
		return number;
	if (channels->count == channels->capacity)
	{
		GrowChannels(channels);
		slot = FindSlot(channels, name, length, hash);
	}
	number = channels->count++;
	channels->names[number] = MemoryContextAlloc(channels->context, (Size) length + 1);
	memcpy(channels->names[number], name, length);
	channels->names[number][length] = '\0';
	channels->lengths[number] = length;
	channels->hashes[number] = hash;
	channels->slots[slot] = number;
	return number;
}

/* Get the number of a name, or -1 when it has none */
int
ChannelFind(const ChannelNames *channels, const char *name, int length)
{
	return channels->slots[FindSlot(channels, name, length, hash_bytes((const unsigned char *) name, length))];
}

/* Order numbers by their names, byte by byte */
static int
CompareNames(const void *a, const void *b, void *arg)
{
	const ChannelNames *channels = arg;

	return strcmp(channels->names[*(const int *) a], channels->names[*(const int *) b]);
}

/* Get all numbers in the order of their names */
int *
ChannelsInOrder(const ChannelNames *channels)
{
	int		   *order = palloc_extended(sizeof(int) * ((Size) channels->count + 1), MCXT_ALLOC_HUGE);

	for (int i = 0; i < channels->count; i++)
		order[i] = i;
	qsort_arg(order, channels->count, sizeof(int), CompareNames, (void *) channels);
	return order;
}

/* Get a name as text */
Datum
ChannelDatum(const ChannelNames *channels, int channel)
{
	return PointerGetDatum(cstring_to_text_with_len(channels->names[channel], channels->lengths[channel]));
}
