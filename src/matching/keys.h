/*
 * Blocking: which pairs of records are compared at all.
 */
#ifndef LEAD_MGMT_KEYS_H
#define LEAD_MGMT_KEYS_H

#include "matching/code.h"
#include "matching/records.h"

/* A key of several entries lets a record stand in several blocks */
#define KEY_MAX_ENTRIES 2

/* A code and the record that has it */
typedef struct CodeEntry
{
	uint32		code;
	uint32		record;
} CodeEntry;

/* The blocks of a key */
typedef struct KeyBlocks
{
	CodeEntry  *members;		/* of blocks of two records or more, by code */
	uint32		member_count;
	uint32		split;			/* blocks that were too large */
	uint64		pairs;			/* in its blocks, met before or not */
	uint32		seam_count;
	uint32		seam_capacity;
	uint32	   *seams;			/* pairs across the seams of blocks cut up at last */
} KeyBlocks;

typedef struct MatchKeys
{
	const MatchRecords *records;
	const MatchModel *model;
	int			stride;			/* codes a record */
	uint32	   *codes;			/* by record, then key, then entry */
	int			first[MODEL_MAX_KEYS + 1];	/* entry of a key */
	int			entries[MODEL_MAX_KEYS + 1];	/* none past the last, where the seams are */
	KeyBlocks	blocks[MODEL_MAX_KEYS];
} MatchKeys;

/* What the blocks of keys are found with, one key after the other */
typedef struct KeyBuilder KeyBuilder;

/* A block of records */
typedef struct MatchBlock
{
	int			key;
	uint32		code;
	int			count;
	const uint32 *numbers;
} MatchBlock;

/* A part of the blocks of a key: one of so many ranges of codes */
typedef struct KeysSlice
{
	uint32		number;
	uint32		count;
} KeysSlice;

typedef void (*BlockVisitor) (void *state, const MatchKeys *keys, const MatchBlock *block);

extern MatchKeys *KeysCreate(MatchRecords *records);
extern KeyBuilder *KeyBuilderCreate(MatchKeys *keys, double wanted);
extern void KeyBuild(KeyBuilder *builder, int key);
extern void KeyBuilderFree(KeyBuilder *builder);
extern double KeysKeepWanted(MatchKeys *keys, double wanted);
extern void KeysVisitSlice(const MatchKeys *keys, int key, const KeysSlice *slice, bool fetches_codes,
						   BlockVisitor visit, void *state);
extern void KeysVisitSeams(const MatchKeys *keys, BlockVisitor visit, void *state);
extern bool KeysMetBefore(const MatchKeys *keys, int key, uint32 code, uint32 left, uint32 right);
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

/* Fetch the codes of a record ahead */
static inline void
CodesFetch(const MatchKeys *keys, uint32 record)
{
	__builtin_prefetch(RecordCodes(keys, record));
	__builtin_prefetch(RecordCodes(keys, record) + keys->stride - 1);
}

#endif
