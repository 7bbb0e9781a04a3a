/*
 * Heat: points that cool.
 *
 * A heat is a sum of parts, one a half-life, that never has to be touched as
 * time passes: a part keeps what its points would have been worth at the
 * epoch (forward decay: Cormode, Shkapenyuk, Srivastava and Xu, "Forward
 * decay: a practical time decay model for streaming systems", ICDE 2009).
 */
#ifndef LEAD_MGMT_HEAT_H
#define LEAD_MGMT_HEAT_H

#include "datatype/timestamp.h"
#include "fmgr.h"

/* The half-life of points that do not cool */
#define HEAT_FOREVER PG_INT64_MAX

/* The longest half-life of those that do: 100,000 years of 360 days, as intervals are compared */
#define HEAT_MAX_HALF_LIFE (INT64CONST(100000) * 360 * USECS_PER_DAY)

/* Most half-lives that one heat can hold */
#define HEAT_MAX_PARTS 64

/* (high + low) * 2^exponent at the epoch, halving every half_life microseconds */
typedef struct HeatPart
{
	double		high;			/* 0.5 <= |high| < 1 */
	double		low;			/* what did not fit into high */
	int64		exponent;
	int64		half_life;
} HeatPart;

/* Parts are sorted from the longest half-life to the shortest; none is zero */
typedef struct Heat
{
	int32		vl_len_;
	int32		count;
	HeatPart	parts[FLEXIBLE_ARRAY_MEMBER];
} Heat;

#define HEAT_SIZE(count) (offsetof(Heat, parts) + sizeof(HeatPart) * (count))

#define DatumGetHeatP(datum) ((Heat *) PG_DETOAST_DATUM(datum))
#define PG_GETARG_HEAT_P(n) ((Heat *) PG_DETOAST_DATUM(PG_GETARG_DATUM(n)))

extern HeatPart HeatMakePart(double points, TimestampTz at, int64 half_life);
extern bool HeatNormalise(HeatPart *part);
extern void HeatAddPart(HeatPart *into, const HeatPart *part);
extern Heat *HeatFromParts(HeatPart *parts, int n);
extern double HeatPartAt(const HeatPart *part, TimestampTz at);
extern double HeatAt(const Heat *heat, TimestampTz at);
extern int64 HeatHalfLife(const Interval *interval);
extern TimestampTz HeatLeaves(const Heat *heat, double from, double below, TimestampTz since);

#endif
