/*
 * Codes of key expressions: what blocks of records, and indexes, are made of.
 */
#ifndef LEAD_MGMT_CODE_H
#define LEAD_MGMT_CODE_H

#include "matching/model.h"

/* The code of a record that has no place in any block of a key */
#define CODE_NONE 0

/* Refinements behind the code of a key in an index, and bits of each */
#define CODE_REFINEMENTS 2
#define CODE_REFINEMENT_BITS 16

/* Expressions of one key, and columns of one expression */
#define CODE_MAX_SPECS 2
#define CODE_MAX_COLUMNS ((MODEL_MAX_PARTS + CODE_REFINEMENTS) * 2)

/* A part of a key expression: a transformation of a column's normal form */
typedef struct CodePart
{
	FieldKind	kind;
	FieldPart	part;
	KeyTransform transform;
	int			length;
	int			column;			/* index among the columns of the expression */
	bool		has_full_name;	/* the column after it has the whole name, for blanks */
} CodePart;

/* A key expression over columns */
typedef struct CodeSpec
{
	int			key_parts;
	int			part_count;		/* refinements included */
	CodePart	parts[MODEL_MAX_PARTS + CODE_REFINEMENTS];
	int			column_count;
} CodeSpec;

extern uint32 TransformCode(KeyTransform transform, int length, const char *text, int len, uint32 date,
							StringInfo scratch);
extern void CodeSpecRead(CodeSpec *spec, const char *text, int len);
extern bool CodeOf(const CodeSpec *spec, const char *const *values, const int *lengths, int64 *code);
extern int	CodeSpecsOfKey(const MatchModel *model, int key, char **specs, const char **columns);

/* Join two codes */
static inline uint32
JoinCodes(uint32 a, uint32 b)
{
	uint64		joined = (((uint64) a << 32) | b) * UINT64CONST(0x9E3779B97F4A7C15);
	uint32		code = (uint32) (joined ^ (joined >> 32));

	return code == CODE_NONE ? 1 : code;
}

/* Get the last code that agrees with another in the key and some refinements */
static inline int64
CodeRangeEnd(int64 code, int refinements)
{
	return code | ((INT64CONST(1) << (CODE_REFINEMENT_BITS * (CODE_REFINEMENTS - refinements))) - 1);
}

/* Get the first one */
static inline int64
CodeRangeStart(int64 code, int refinements)
{
	return code & ~((INT64CONST(1) << (CODE_REFINEMENT_BITS * (CODE_REFINEMENTS - refinements))) - 1);
}

#endif
