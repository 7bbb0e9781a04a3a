/*
 * Moving arrays into shared memory, and finding them there.
 *
 * A structure is shared by sharing its arrays: their addresses in it are those
 * of the process that moved them, and are turned into those of another one.
 */
#include "postgres.h"

#include "matching/shared.h"
#include "miscadmin.h"

/* Small arrays share a segment of this size */
#define SEGMENT_SIZE ((uint64) 8 * 1024 * 1024)

/* Visit the arrays of a dictionary that pairs are compared by */
void
VisitDictionary(MatchDictionary *dictionary, ArrayVisitor visit, void *state)
{
	visit(state, (void **) &dictionary->values, sizeof(MatchValue) * (uint64) dictionary->count);
	visit(state, (void **) &dictionary->text, dictionary->text_used);
	visit(state, (void **) &dictionary->tokens, sizeof(uint32) * (uint64) dictionary->token_used);
	visit(state, (void **) &dictionary->domains, sizeof(uint32) * (uint64) dictionary->count);
	visit(state, (void **) &dictionary->numbers, sizeof(double) * (uint64) dictionary->number_used);
}

/* Visit the arrays of records that pairs are compared by */
void
VisitRecords(MatchRecords *records, ArrayVisitor visit, void *state)
{
	const MatchModel *model = records->model;

	for (int d = 0; d < model->dictionary_count; d++)
	{
		VisitDictionary(&records->dictionaries[d], visit, state);
		if (records->dictionaries[d].words)
			VisitDictionary(records->dictionaries[d].words, visit, state);
	}
	for (int f = 0; f < model->field_count; f++)
	{
		visit(state, (void **) &records->ranks[f], sizeof(uint16) * (uint64) records->rank_size[f]);
		visit(state, (void **) &records->rarity[f], sizeof(double) * (model->fields[f].frequency_count + 1));
		visit(state, (void **) &records->word_rarity[f], sizeof(double) * (uint64) records->word_rarity_size[f]);
	}
	visit(state, (void **) &records->whole_names, sizeof(WholeName) * Max(model->whole_name_count, 1));
	visit(state, (void **) &records->lines, sizeof(uint32) * (uint64) records->count * records->layout.stride);
}

/* Visit the arrays of blocking keys */
void
VisitKeys(MatchKeys *keys, ArrayVisitor visit, void *state)
{
	visit(state, (void **) &keys->codes, sizeof(uint32) * (uint64) keys->records->count * keys->stride);
	for (int k = 0; k < keys->model->key_count; k++)
		visit(state, (void **) &keys->blocks[k].members,
			  sizeof(CodeEntry) * (uint64) Max(keys->blocks[k].member_count, 1));
}

/* Make an empty set of shared arrays */
SharedArrays *
SharedCreate(MemoryContext context)
{
	SharedArrays *arrays = MemoryContextAllocZero(context, sizeof(SharedArrays));

	arrays->is_complete = true;
	return arrays;
}

/* Is the array in shared memory? */
bool
SharedHolds(const SharedArrays *arrays, const void *array)
{
	for (int s = 0; s < arrays->count; s++)
		if ((const char *) array >= arrays->described[s].base &&
			(const char *) array < arrays->described[s].base + arrays->described[s].size)
			return true;
	return false;
}

/* Add up the room that arrays need */
void
SharedAddRoom(void *state, void **array, uint64 size)
{
	SharedArrays *arrays = state;

	if (*array && !SharedHolds(arrays, *array))
		arrays->to_move += CACHELINEALIGN(size);
}

/* Note a segment */
static void
AddSegment(SharedArrays *arrays, dsm_segment *segment, uint64 size)
{
	arrays->segments[arrays->count] = segment;
	arrays->described[arrays->count++] = (SharedSegment) {
		dsm_segment_handle(segment), dsm_segment_address(segment), size
	};
}

/* Allocate an array in shared memory; NULL where there is none left */
void *
SharedAllocate(SharedArrays *arrays, uint64 size)
{
	uint64		room = CACHELINEALIGN(size);
	SharedSegment *last = arrays->count == 0 ? NULL : &arrays->described[arrays->count - 1];
	void	   *array;

	if (!arrays->is_complete)
		return NULL;
	CHECK_FOR_INTERRUPTS();
	if (last == NULL || last->size < arrays->used + room)
	{
		dsm_segment *segment = NULL;
		uint64		needed = Max(Max(room, Min(SEGMENT_SIZE, arrays->to_move)), 1);

		if (arrays->count < SHARED_MAX_SEGMENTS)
			segment = dsm_create(needed, DSM_CREATE_NULL_IF_MAXSEGMENTS);
		if (segment == NULL)
		{
			arrays->is_complete = false;
			return NULL;
		}
		AddSegment(arrays, segment, needed);
		last = &arrays->described[arrays->count - 1];
		arrays->used = 0;
	}
	array = last->base + arrays->used;
	arrays->used += room;
	return array;
}

/* Move an array into shared memory, unless it is there; stops where there is none left */
void
SharedMove(void *state, void **array, uint64 size)
{
	SharedArrays *arrays = state;
	void	   *moved;

	if (*array == NULL || SharedHolds(arrays, *array))
		return;
	moved = SharedAllocate(arrays, size);
	if (moved == NULL)
		return;
	arrays->to_move -= CACHELINEALIGN(size);
	memcpy(moved, *array, size);
	pfree(*array);
	*array = moved;
}

/* Take over a segment of another process */
void
SharedAttach(SharedArrays *arrays, const SharedSegment *segment)
{
	dsm_segment *attached = arrays->count < SHARED_MAX_SEGMENTS ? dsm_attach(segment->handle) : NULL;

	if (attached == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("could not attach to shared memory of a parallel worker"),
				 errhint("Set max_parallel_workers_per_gather to 0 to do without workers.")));
	AddSegment(arrays, attached, segment->size);
	arrays->used = segment->size;
}

/* Turn the address of an array in another process into that of this one */
void
SharedRelocate(void *state, void **array, uint64 size)
{
	const Relocation *relocation = state;

	for (int s = 0; s < relocation->count && *array; s++)
	{
		const SharedSegment *segment = &relocation->described[s];

		if ((char *) *array >= segment->base && (char *) *array < segment->base + segment->size)
		{
			*array = relocation->bases[s] + ((char *) *array - segment->base);
			break;
		}
	}
}

/* Give back the segment of an array that is alone in it */
void
SharedGiveBack(SharedArrays *arrays, const void *array)
{
	for (int s = 0; s < arrays->count; s++)
		if (arrays->described[s].base == array && arrays->described[s].size > SEGMENT_SIZE)
		{
			dsm_detach(arrays->segments[s]);
			arrays->segments[s] = NULL;
			arrays->described[s] = (SharedSegment) {0};
		}
}
