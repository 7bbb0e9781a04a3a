/*
 * Blocking: which pairs of records are compared at all.
 */
#ifndef LEAD_MGMT_KEYS_H
#define LEAD_MGMT_KEYS_H

#include "matching/code.h"
#include "matching/records.h"

/* A key of several entries lets a record stand in several blocks */
#define KEY_MAX_ENTRIES 2

typedef struct MatchKeys
{
	const MatchRecords *records;
	const MatchModel *model;
	int			stride;			/* codes a record */
	uint32	   *codes;			/* by record, then key, then entry */
	int			first[MODEL_MAX_KEYS + 1];	/* entry of a key */
	int			entries[MODEL_MAX_KEYS + 1];	/* none past the last, where the seams are */
	uint64		pairs[MODEL_MAX_KEYS];	/* in its blocks, met before or not */
	uint64		split[MODEL_MAX_KEYS];	/* blocks that were too large */
	uint32	   *refinement_codes[MODEL_MAX_REFINEMENTS];	/* by value */
	uint32		seam_count;
	uint32		seam_capacity;
	uint32	   *seams;			/* pairs across the seams of blocks cut up at last */
} MatchKeys;

/* A block: its records, their rows side by side */
typedef struct MatchBlock
{
	int			key;
	uint32		code;
	int			count;
	uint32	   *numbers;
	uint32	   *rows;			/* field ids, field_count a record */
	uint32	   *codes;			/* stride a record */
} MatchBlock;

typedef void (*BlockVisitor) (void *state, const MatchKeys *keys, const MatchBlock *block);

extern MatchKeys *KeysBuild(const MatchRecords *records);
extern void KeysVisit(const MatchKeys *keys, double share, BlockVisitor visit, void *state);
extern bool KeysMetBefore(const MatchKeys *keys, const MatchBlock *block, const uint32 *left, const uint32 *right);
extern uint32 KeysAgreeing(const MatchKeys *keys, const uint32 *left, const uint32 *right);
extern int	KeyEntries(const ModelKey *key);
extern void KeyCodes(const MatchRecords *records, const ModelKey *key, const uint32 *numbers, int count,
					 uint32 *codes);

/* Get the codes of a record */
static inline const uint32 *
RecordCodes(const MatchKeys *keys, uint32 record)
{
	return keys->codes + (uint64) record * keys->stride;
}

#endif
