/*
 * Large arrays.
 */
#ifndef LEAD_MGMT_ARRAYS_H
#define LEAD_MGMT_ARRAYS_H

extern void *ArrayAllocate(MemoryContext context, uint64 size);
extern void *ArrayAllocateZero(MemoryContext context, uint64 size);
extern void *ArrayGrow(void *array, uint64 size);

#endif
