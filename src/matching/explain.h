/*
 * What a pair's weight is made of.
 */
#ifndef LEAD_MGMT_EXPLAIN_H
#define LEAD_MGMT_EXPLAIN_H

#include "matching/levels.h"

/* The prior, comparisons, dependences, the order of names, related entities */
#define EXPLAIN_MAX_PARTS (2 * MODEL_MAX_COMPARISONS + 3)

typedef struct ExplainedPart
{
	const char *part;
	const char *level;
	const char *left;
	const char *right;
	double		weight;
} ExplainedPart;

extern int	ExplainParts(const PairScorer *scorer, uint32 left, uint32 right, const PairPattern *pattern,
						 ExplainedPart *out);

#endif
