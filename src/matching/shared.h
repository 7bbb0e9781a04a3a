/*
 * Arrays in shared memory: moved there by one process, used by others.
 */
#ifndef LEAD_MGMT_SHARED_H
#define LEAD_MGMT_SHARED_H

#include "matching/keys.h"
#include "storage/dsm.h"

#define SHARED_MAX_SEGMENTS 256

/* A segment with arrays */
typedef struct SharedSegment
{
	dsm_handle	handle;
	char	   *base;			/* as the process sees it that describes it */
	uint64		size;			/* 0 once it is given back */
} SharedSegment;

/* The arrays that are shared, in segments, as they are moved one after the other to save memory */
typedef struct SharedArrays
{
	dsm_segment *segments[SHARED_MAX_SEGMENTS];
	SharedSegment described[SHARED_MAX_SEGMENTS];
	int			count;
	uint64		used;			/* of the last one */
	uint64		to_move;
	bool		is_complete;
} SharedArrays;

/* The segments as another process describes them, and where this one has them */
typedef struct Relocation
{
	int			count;
	const SharedSegment *described;
	char	   *bases[SHARED_MAX_SEGMENTS];
} Relocation;

typedef void (*ArrayVisitor) (void *state, void **array, uint64 size);

extern void VisitDictionary(MatchDictionary *dictionary, ArrayVisitor visit, void *state);
extern void VisitRecords(MatchRecords *records, ArrayVisitor visit, void *state);
extern void VisitKeys(MatchKeys *keys, ArrayVisitor visit, void *state);
extern SharedArrays *SharedCreate(MemoryContext context);
extern void SharedAddRoom(void *state, void **array, uint64 size);
extern void *SharedAllocate(SharedArrays *arrays, uint64 size);
extern void SharedMove(void *state, void **array, uint64 size);
extern void SharedAttach(SharedArrays *arrays, const SharedSegment *segment);
extern void SharedRelocate(void *state, void **array, uint64 size);
extern void SharedGiveBack(SharedArrays *arrays, const void *array);
extern bool SharedHolds(const SharedArrays *arrays, const void *array);

#endif
