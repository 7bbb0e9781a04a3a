/*
 * The arithmetic of heat.
 *
 * Points p at time t with half-life h are p * 2^(t/h) at the epoch.  That
 * overflows any floating-point number within months when h is short, so the
 * exponent is an integer of its own, counted in half-lives from the epoch:
 * every half-life is a landmark, and there is nothing to renormalise.  The
 * whole half-lives of t are exact integer arithmetic, only the rest goes
 * through exp2().
 *
 * Sums are double-double numbers (Dekker, "A floating-point technique for
 * extending the available precision", 1971; Knuth, TAOCP 4.2.2): the error of
 * an addition is 2^-104 of the sum, so that after a billion of them it is
 * still far below the precision of double, in whichever order they came.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "common/int.h"
#include "miscadmin.h"
#include "scoring/heat.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/timestamp.h"

/* Parts further apart than this many binary digits do not meet */
#define HEAT_DIGITS 120

/* Beyond this a double is infinite or zero */
#define HEAT_DOUBLE_RANGE 1200

/* Points beyond and below these would leave no room for sums and their last digits */
#define HEAT_MOST_POINTS 1e300
#define HEAT_LEAST_POINTS 1e-250

/* Most steps to find when a sum of parts crosses a number of points */
#define HEAT_SEARCH_STEPS 200

/* Split a time into whole half-lives since the epoch and the rest, from 0 to below 1 */
static int64
SplitTime(TimestampTz at, int64 half_life, double *rest)
{
	int64		whole = at / half_life;
	int64		left = at % half_life;

	if (left < 0)
	{
		left += half_life;
		whole--;
	}
	*rest = (double) left / (double) half_life;
	return whole;
}

/* Add two numbers, keeping what rounding loses */
static inline double
TwoSum(double a, double b, double *lost)
{
	volatile double sum = a + b;
	volatile double part = sum - a;

	*lost = (a - (sum - part)) + (b - part);
	return sum;
}

/* Bring a part into its one form; false when it is zero */
bool
HeatNormalise(HeatPart *part)
{
	double		lost;
	int			shift;

	part->high = TwoSum(part->high, part->low, &lost);
	part->low = lost;
	if (part->high == 0)
		return false;
	part->high = frexp(part->high, &shift);
	part->low = part->low == 0 ? 0 : ldexp(part->low, -shift);
	part->exponent += shift;
	if (part->half_life == HEAT_FOREVER && part->exponent > DBL_MAX_EXP)
		float_overflow_error();
	return true;
}

/* Make a part of points given at a time; those without a time have always been */
HeatPart
HeatMakePart(double points, TimestampTz at, int64 half_life)
{
	HeatPart	part = {points, 0, 0, half_life};

	if (isnan(points) || fabs(points) > HEAT_MOST_POINTS)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("points must be a number from -%g to %g, not %g", HEAT_MOST_POINTS, HEAT_MOST_POINTS, points)));
	if (fabs(points) < HEAT_LEAST_POINTS)
		part.high = points = 0;
	if (half_life != HEAT_FOREVER)
	{
		double		rest;

		if (TIMESTAMP_IS_NOEND(at))
			ereport(ERROR,
					(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
					 errmsg("points cannot be given at the time \"infinity\"")));
		if (TIMESTAMP_IS_NOBEGIN(at))
			part.high = 0;		/* long cold */
		else
		{
			part.exponent = SplitTime(at, half_life, &rest);
			part.high = points * exp2(rest);
		}
	}
	HeatNormalise(&part);
	return part;
}

/* Add a part of the same half-life to another; either may be zero */
void
HeatAddPart(HeatPart *into, const HeatPart *part)
{
	HeatPart	small = *part;
	double		lost_high;
	double		lost_low;
	int64		apart;

	if (small.high == 0)
		return;
	if (into->high == 0 || into->exponent < small.exponent)
	{
		small = *into;
		*into = *part;
		if (small.high == 0)
			return;
	}
	if (pg_sub_s64_overflow(into->exponent, small.exponent, &apart) || apart > HEAT_DIGITS)
		return;
	small.high = ldexp(small.high, -(int) apart);
	small.low = ldexp(small.low, -(int) apart);
	into->high = TwoSum(into->high, small.high, &lost_high);
	into->low = TwoSum(into->low, small.low, &lost_low);
	into->low += lost_high;
	into->high = TwoSum(into->high, into->low, &lost_high);
	into->low = lost_high + lost_low;
	if (!HeatNormalise(into))
		into->low = 0;
}

/* Order parts from the longest half-life to the shortest */
static int
CompareParts(const void *a, const void *b)
{
	int64		left = ((const HeatPart *) a)->half_life;
	int64		right = ((const HeatPart *) b)->half_life;

	return left > right ? -1 : left < right;
}

/* Make a heat of parts in any order, which are overwritten */
Heat *
HeatFromParts(HeatPart *parts, int n)
{
	Heat	   *heat;
	int			merged = 0;
	int			kept = 0;

	for (int i = 1; i < n; i++)
		if (CompareParts(&parts[i - 1], &parts[i]) > 0)
		{
			qsort(parts, n, sizeof(HeatPart), CompareParts);
			break;
		}
	for (int i = 0; i < n; i++)
		if (merged > 0 && parts[merged - 1].half_life == parts[i].half_life)
			HeatAddPart(&parts[merged - 1], &parts[i]);
		else
			parts[merged++] = parts[i];
	for (int i = 0; i < merged; i++)
		if (parts[i].high != 0)
			parts[kept++] = parts[i];
	if (kept > HEAT_MAX_PARTS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("heat has %d half-lives, of at most %d", kept, HEAT_MAX_PARTS)));
	heat = palloc(HEAT_SIZE(kept));
	SET_VARSIZE(heat, HEAT_SIZE(kept));
	heat->count = kept;
	memcpy(heat->parts, parts, sizeof(HeatPart) * kept);
	return heat;
}

/* Get the points that a part is worth at a time */
double
HeatPartAt(const HeatPart *part, TimestampTz at)
{
	double		rest = 0;
	int64		shift = part->exponent;

	if (part->high == 0)
		return 0;
	if (part->half_life != HEAT_FOREVER)
	{
		if (TIMESTAMP_IS_NOEND(at))
			return 0;
		if (TIMESTAMP_IS_NOBEGIN(at))
			return part->high > 0 ? get_float8_infinity() : -get_float8_infinity();
		if (pg_sub_s64_overflow(shift, SplitTime(at, part->half_life, &rest), &shift))
			shift = part->exponent > 0 ? PG_INT64_MAX : PG_INT64_MIN;
	}
	shift = Max(Min(shift, HEAT_DOUBLE_RANGE), -HEAT_DOUBLE_RANGE);
	return ldexp((part->high + part->low) * exp2(-rest), (int) shift);
}

/* Get the points that a heat is worth at a time */
double
HeatAt(const Heat *heat, TimestampTz at)
{
	double		points = 0;

	/* The fastest first: they are mostly the smallest */
	for (int i = heat->count - 1; i >= 0; i--)
		points += HeatPartAt(&heat->parts[i], at);
	return isnan(points) ? 0 : points;
}

/* Get the microseconds of a half-life, a month taken as 30 days */
int64
HeatHalfLife(const Interval *interval)
{
	int64		days = (int64) interval->month * DAYS_PER_MONTH + interval->day;
	int64		half_life;

	if (pg_mul_s64_overflow(days, USECS_PER_DAY, &half_life) ||
		pg_add_s64_overflow(half_life, interval->time, &half_life))
		half_life = days > 0 ? PG_INT64_MAX : 0;
	if (half_life <= 0 || half_life > HEAT_MAX_HALF_LIFE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("half-life must be positive%s, not \"%s\"", half_life > 0 ? " and at most 100000 years" : "",
						DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(interval)))),
				 errhint("Leave the half-life out for points that do not cool.")));
	return half_life;
}

/* A sum of a[i] * exp(-rate[i] * u), rates ascending */
typedef struct Cooling
{
	int			n;
	double		a[HEAT_MAX_PARTS + 1];
	double		rate[HEAT_MAX_PARTS + 1];
} Cooling;

/* Get what a sum is worth at u */
static double
CoolingAt(const Cooling *sum, double u)
{
	double		value = 0;

	for (int i = sum->n - 1; i >= 0; i--)
		value += sum->a[i] * exp(-sum->rate[i] * u);
	return value;
}

/*
 * Find where a sum is zero above u = 0; returns how many times.
 *
 * With the factor of the slowest term taken out, which changes no zero, its
 * first term is a constant.  A single further term leaves a closed form.  With
 * more of them, the derivative is a sum of one term less: between two of its
 * zeros the sum runs one way, so that a change of sign encloses one zero,
 * which is halved in on.  A sum of n terms so has at most n - 1 zeros.
 */
static int
CoolingZeros(const Cooling *sum, double *zeros)
{
	Cooling		scaled = *sum;
	Cooling		slope = {0};
	double		turns[HEAT_MAX_PARTS + 1];
	int			turn_count;
	int			count = 0;
	double		low = 0;

	check_stack_depth();
	for (int i = sum->n - 1; i >= 0; i--)
		scaled.rate[i] -= scaled.rate[0];
	if (scaled.n <= 1)
		return 0;
	if (scaled.n == 2)
	{
		zeros[0] = log(-scaled.a[1] / scaled.a[0]) / scaled.rate[1];
		return zeros[0] > 0 ? 1 : 0;	/* not so when it is no number */
	}
	slope.n = scaled.n - 1;
	for (int i = 0; i < slope.n; i++)
	{
		slope.a[i] = -scaled.rate[i + 1] * scaled.a[i + 1];
		slope.rate[i] = scaled.rate[i + 1];
	}
	turn_count = CoolingZeros(&slope, turns);
	for (int t = 0; t <= turn_count; t++)
	{
		double		high;
		double		at_low = CoolingAt(&scaled, low);
		double		at_high;

		if (t < turn_count)
			high = turns[t];
		else
		{
			/* In the long run only the constant stays */
			high = Max(low, 1 / scaled.rate[1]);
			for (int i = 0; i < HEAT_SEARCH_STEPS && (CoolingAt(&scaled, high) > 0) != (scaled.a[0] > 0); i++)
				high *= 2;
		}
		at_high = CoolingAt(&scaled, high);
		if ((at_low > 0) != (at_high > 0))
		{
			double		from = low;
			double		to = high;

			for (int i = 0; i < HEAT_SEARCH_STEPS; i++)
			{
				double		middle = from + (to - from) / 2;

				if (middle <= from || middle >= to)
					break;
				if ((CoolingAt(&scaled, middle) > 0) == (at_low > 0))
					from = middle;
				else
					to = middle;
			}
			zeros[count++] = to;
		}
		low = high;
	}
	return count;
}

/* Get the first microseconds from since on at which a heat crosses a number of points, or -1 */
static double
NextCrossing(const Heat *heat, double points, TimestampTz since)
{
	Cooling		sum = {0};
	double		zeros[HEAT_MAX_PARTS + 1];

	sum.n = 1;
	sum.a[0] = -points;
	for (int i = 0; i < heat->count; i++)
	{
		double		worth = HeatPartAt(&heat->parts[i], since);

		if (heat->parts[i].half_life == HEAT_FOREVER)
			sum.a[0] += worth;
		else if (worth != 0)
		{
			sum.rate[sum.n] = M_LN2 / (double) heat->parts[i].half_life;
			sum.a[sum.n++] = worth;
		}
	}
	if (sum.a[0] == 0 && sum.n > 1)
	{
		/* What is left vanishes in the long run, but never arrives */
		sum.n--;
		memmove(sum.a, sum.a + 1, sizeof(double) * sum.n);
		memmove(sum.rate, sum.rate + 1, sizeof(double) * sum.n);
	}
	return CoolingZeros(&sum, zeros) > 0 ? zeros[0] : -1;
}

/*
 * Get when a heat that lies in a range at a time leaves it: the first moment
 * at which it is below from, or not below below; the time itself when it lies
 * outside, infinity when it never leaves.
 */
TimestampTz
HeatLeaves(const Heat *heat, double from, double below, TimestampTz since)
{
	double		limits[2] = {from, below};
	double		first = -1;
	double		now = HeatAt(heat, since);
	TimestampTz leaves;

	if (now < from || now >= below)
		return since;
	for (int i = 0; i < 2; i++)
	{
		double		crossing = isinf(limits[i]) ? -1 : NextCrossing(heat, limits[i], since);

		if (crossing >= 0 && (first < 0 || crossing < first))
			first = crossing;
	}
	if (first < 0 || first >= (double) (END_TIMESTAMP - since))
		return DT_NOEND;
	leaves = since + (int64) ceil(first);

	/* Rounding may leave it on the limit: go on until it is beyond */
	for (int i = 0; i < HEAT_SEARCH_STEPS && leaves < END_TIMESTAMP; i++)
	{
		now = HeatAt(heat, leaves);
		if (now < from || now >= below)
			break;
		leaves++;
	}
	return leaves;
}
