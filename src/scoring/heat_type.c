/*
 * The type heat as SQL sees it: input and output, order, functions.
 *
 * Its text gives each part as points at a landmark, a whole number of
 * half-lives from the epoch, near which the part is worth 32 to 64 points:
 * 43.2@2026-05-03T00:00:00Z/30d.  From there no digit is lost.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "common/hashfn.h"
#include "common/int.h"
#include "common/shortest_dec.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "scoring/heat.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/sortsupport.h"
#include "utils/timestamp.h"

/* Binary digits before the point in the text of a part */
#define HEAT_TEXT_DIGITS 6

/* Exponents that parts can have: a landmark in time, give or take a double */
#define HEAT_EXPONENT_SLACK 1200

/* Units of a half-life in text, the largest first */
static const struct
{
	const char *name;
	int64		microseconds;
}			units[] = {
	{"d", USECS_PER_DAY}, {"h", USECS_PER_HOUR}, {"s", USECS_PER_SEC}, {"us", 1}
};

/* Get the first and last landmark of a half-life that are timestamps */
static void
LandmarkRange(int64 half_life, int64 *first, int64 *last)
{
	*first = MIN_TIMESTAMP / half_life;
	*last = (END_TIMESTAMP - 1) / half_life;
}

/* Write a number in the fewest digits that read back as it */
static void
AppendNumber(StringInfo text, double number)
{
	char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	double_to_shortest_decimal_buf(number, digits);
	appendStringInfoString(text, digits);
}

/* Write a part out */
static void
AppendPart(StringInfo text, const HeatPart *part)
{
	int64		landmark = 0;
	int			shift;
	int			unit = 0;

	if (part->half_life != HEAT_FOREVER)
	{
		int64		first;
		int64		last;

		LandmarkRange(part->half_life, &first, &last);
		landmark = Max(first, Min(last, part->exponent - HEAT_TEXT_DIGITS));
	}
	shift = (int) (part->exponent - landmark);
	AppendNumber(text, ldexp(part->high, shift));
	if (part->low != 0)
	{
		appendStringInfoChar(text, '~');
		AppendNumber(text, ldexp(part->low, shift));
	}
	if (part->half_life != HEAT_FOREVER)
	{
		struct pg_tm tm;
		fsec_t		fraction;
		char		at[MAXDATELEN + 1];
		char	   *before_christ;

		timestamp2tm(landmark * part->half_life, NULL, &tm, &fraction, NULL, NULL);
		EncodeDateTime(&tm, fraction, false, 0, NULL, USE_XSD_DATES, at);
		before_christ = strchr(at, ' ');
		while (part->half_life % units[unit].microseconds != 0)
			unit++;
		appendStringInfo(text, "@%.*sZ%s/" INT64_FORMAT "%s",
						 before_christ ? (int) (before_christ - at) : (int) strlen(at), at,
						 before_christ ? before_christ : "",
						 part->half_life / units[unit].microseconds, units[unit].name);
	}
}

/* Complain about a text that is no heat */
static void
pg_attribute_noreturn()
BadHeat(const char *text)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type %s: \"%s\"", "heat", text),
			 errhint("Write points, as in 12, or points at a time and their half-life in d, h, s or us,"
					 " as in 12@2026-01-31T00:00:00Z/30d; join several by +.")));
}

/* Read a number of a part */
static double
ReadNumber(const char *text, char **at)
{
	char	   *end;
	double		number;

	if (!isdigit((unsigned char) **at) && strchr("+-.", **at) == NULL)
		BadHeat(text);
	errno = 0;
	number = strtod(*at, &end);
	if (end == *at || isinf(number) || isnan(number) || (errno == ERANGE && fabs(number) > 1) ||
		memchr(*at, 'x', end - *at) || memchr(*at, 'X', end - *at))
		BadHeat(text);
	*at = end;
	return number;
}

/* Read a part, which ends before a + or the end */
static HeatPart
ReadPart(const char *text, char **at)
{
	double		points = ReadNumber(text, at);
	HeatPart	part;
	HeatPart	rest = {0};
	double		low = 0;
	int64		half_life = HEAT_FOREVER;
	TimestampTz time = 0;

	if (**at == '~')
	{
		(*at)++;
		low = ReadNumber(text, at);
	}
	if (**at == '@')
	{
		char	   *begin = *at + 1;
		char	   *end = strchr(begin, '/');
		int64		scale = 0;
		StringInfoData stamp;
		char	   *zone;

		if (end == NULL || !isdigit((unsigned char) *begin))
			BadHeat(text);
		initStringInfo(&stamp);
		appendBinaryStringInfo(&stamp, begin, end - begin);
		zone = strchr(stamp.data, 'Z');
		if (zone == NULL || strchr(stamp.data, ':') == NULL || strpbrk(strchr(stamp.data, ':'), "+-"))
			BadHeat(text);
		*zone = ' ';
		time = DatumGetTimestamp(DirectFunctionCall3(timestamp_in, CStringGetDatum(stamp.data),
													 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
		errno = 0;
		half_life = strtoi64(end + 1, at, 10);
		if (errno != 0 || *at == end + 1 || half_life <= 0)
			BadHeat(text);
		for (int i = lengthof(units) - 1; i >= 0; i--)
			if (strncmp(*at, units[i].name, strlen(units[i].name)) == 0 && scale == 0)
			{
				scale = units[i].microseconds;
				*at += strlen(units[i].name);
			}
		if (scale == 0 || pg_mul_s64_overflow(half_life, scale, &half_life) || half_life == HEAT_FOREVER)
			BadHeat(text);
	}
	part = HeatMakePart(points, time, half_life);
	if (low != 0)
	{
		rest = HeatMakePart(low, time, half_life);
		HeatAddPart(&part, &rest);
	}
	return part;
}

PG_FUNCTION_INFO_V1(heat_in);
/* Convert text to heat */
Datum
heat_in(PG_FUNCTION_ARGS)
{
	char	   *text = PG_GETARG_CSTRING(0);
	char	   *at = text;
	HeatPart	parts[HEAT_MAX_PARTS];
	int			n = 0;

	for (;;)
	{
		while (isspace((unsigned char) *at))
			at++;
		if (n == HEAT_MAX_PARTS)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("heat has more than %d parts", HEAT_MAX_PARTS)));
		parts[n++] = ReadPart(text, &at);
		while (isspace((unsigned char) *at))
			at++;
		if (*at == '\0')
			break;
		if (*at++ != '+')
			BadHeat(text);
	}
	PG_RETURN_POINTER(HeatFromParts(parts, n));
}

PG_FUNCTION_INFO_V1(heat_out);
/* Convert heat to text */
Datum
heat_out(PG_FUNCTION_ARGS)
{
	Heat	   *heat = PG_GETARG_HEAT_P(0);
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < heat->count; i++)
	{
		if (i > 0)
			appendStringInfoString(&text, " + ");
		AppendPart(&text, &heat->parts[i]);
	}
	if (heat->count == 0)
		appendStringInfoChar(&text, '0');
	PG_RETURN_CSTRING(text.data);
}

/* Is a part that came from outside in its one form? */
static bool
IsValidPart(const HeatPart *part, const HeatPart *before)
{
	int64		first = 0;
	int64		last = 0;

	if (part->half_life <= 0 || (before && part->half_life >= before->half_life))
		return false;
	if (part->half_life != HEAT_FOREVER)
		LandmarkRange(part->half_life, &first, &last);
	return fabs(part->high) >= 0.5 && fabs(part->high) < 1 && fabs(part->low) < 1 &&
		part->high + part->low == part->high && !(part->low == 0 && signbit(part->low)) &&
		part->exponent >= first - HEAT_EXPONENT_SLACK && part->exponent <= last + HEAT_EXPONENT_SLACK &&
		(part->half_life != HEAT_FOREVER || part->exponent <= DBL_MAX_EXP);
}

PG_FUNCTION_INFO_V1(heat_recv);
/* Convert binary form to heat */
Datum
heat_recv(PG_FUNCTION_ARGS)
{
	StringInfo	message = (StringInfo) PG_GETARG_POINTER(0);
	int32		count = pq_getmsgint(message, 4);
	HeatPart	parts[HEAT_MAX_PARTS];

	if (count < 0 || count > HEAT_MAX_PARTS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("heat cannot have %d parts", count)));
	for (int i = 0; i < count; i++)
	{
		HeatPart   *part = &parts[i];

		part->half_life = pq_getmsgint64(message);
		part->exponent = pq_getmsgint64(message);
		part->high = pq_getmsgfloat8(message);
		part->low = pq_getmsgfloat8(message);
		if (!IsValidPart(part, i > 0 ? part - 1 : NULL))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
					 errmsg("part %d of a heat is not in normal form", i + 1)));
	}
	PG_RETURN_POINTER(HeatFromParts(parts, count));
}

PG_FUNCTION_INFO_V1(heat_send);
/* Convert heat to binary form */
Datum
heat_send(PG_FUNCTION_ARGS)
{
	Heat	   *heat = PG_GETARG_HEAT_P(0);
	StringInfoData message;

	pq_begintypsend(&message);
	pq_sendint32(&message, heat->count);
	for (int i = 0; i < heat->count; i++)
	{
		pq_sendint64(&message, heat->parts[i].half_life);
		pq_sendint64(&message, heat->parts[i].exponent);
		pq_sendfloat8(&message, heat->parts[i].high);
		pq_sendfloat8(&message, heat->parts[i].low);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&message));
}

/* Compare the size of two parts of one half-life, either of which may be missing */
static int
CompareSizes(const HeatPart *a, const HeatPart *b)
{
	int			sign_a = a ? (a->high > 0 ? 1 : -1) : 0;
	int			sign_b = b ? (b->high > 0 ? 1 : -1) : 0;

	if (sign_a != sign_b)
		return sign_a < sign_b ? -1 : 1;
	if (sign_a == 0)
		return 0;
	if (a->exponent != b->exponent)
		return (a->exponent < b->exponent ? -1 : 1) * sign_a;
	if (a->high != b->high)
		return a->high < b->high ? -1 : 1;
	return a->low < b->low ? -1 : a->low > b->low;
}

/*
 * Compare two heats by which is the greater in the end: the part that cools
 * slowest decides.  Where there is but one half-life, that is the order at
 * every time.
 */
static int
CompareHeats(const Heat *a, const Heat *b)
{
	int			i = 0;
	int			j = 0;
	int			order = 0;

	while (order == 0 && (i < a->count || j < b->count))
	{
		int64		left = i < a->count ? a->parts[i].half_life : 0;
		int64		right = j < b->count ? b->parts[j].half_life : 0;

		order = CompareSizes(left >= right ? &a->parts[i] : NULL, right >= left ? &b->parts[j] : NULL);
		i += left >= right;
		j += right >= left;
	}
	return order;
}

/* Compare the two arguments of a function */
static int
CompareArguments(FunctionCallInfo fcinfo)
{
	return CompareHeats(PG_GETARG_HEAT_P(0), PG_GETARG_HEAT_P(1));
}

PG_FUNCTION_INFO_V1(heat_lt);
/* Check if a heat is less than another */
Datum
heat_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(CompareArguments(fcinfo) < 0);
}

PG_FUNCTION_INFO_V1(heat_le);
/* Check if a heat is less than or equal to another */
Datum
heat_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(CompareArguments(fcinfo) <= 0);
}

PG_FUNCTION_INFO_V1(heat_eq);
/* Check if a heat is equal to another */
Datum
heat_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(CompareArguments(fcinfo) == 0);
}

PG_FUNCTION_INFO_V1(heat_ne);
/* Check if a heat is different from another */
Datum
heat_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(CompareArguments(fcinfo) != 0);
}

PG_FUNCTION_INFO_V1(heat_ge);
/* Check if a heat is greater than or equal to another */
Datum
heat_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(CompareArguments(fcinfo) >= 0);
}

PG_FUNCTION_INFO_V1(heat_gt);
/* Check if a heat is greater than another */
Datum
heat_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(CompareArguments(fcinfo) > 0);
}

PG_FUNCTION_INFO_V1(heat_cmp);
/* Compare two heats for btree */
Datum
heat_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(CompareArguments(fcinfo));
}

/* Compare two heats for a sort */
static int
SortHeats(Datum a, Datum b, SortSupport sort)
{
	return CompareHeats(DatumGetHeatP(a), DatumGetHeatP(b));
}

PG_FUNCTION_INFO_V1(heat_sortsupport);
/* Tell a sort how to compare heats */
Datum
heat_sortsupport(PG_FUNCTION_ARGS)
{
	SortSupport sort = (SortSupport) PG_GETARG_POINTER(0);

	sort->comparator = SortHeats;
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(heat_hash);
/* Get the hash of a heat */
Datum
heat_hash(PG_FUNCTION_ARGS)
{
	Heat	   *heat = PG_GETARG_HEAT_P(0);

	return hash_any((unsigned char *) heat->parts, sizeof(HeatPart) * heat->count);
}

PG_FUNCTION_INFO_V1(heat_hash_extended);
/* Get the 64-bit hash of a heat */
Datum
heat_hash_extended(PG_FUNCTION_ARGS)
{
	Heat	   *heat = PG_GETARG_HEAT_P(0);

	return hash_any_extended((unsigned char *) heat->parts, sizeof(HeatPart) * heat->count, PG_GETARG_INT64(1));
}

PG_FUNCTION_INFO_V1(heat);
/* Make heat of points given at a time */
Datum
heat(PG_FUNCTION_ARGS)
{
	HeatPart	part = HeatMakePart(PG_GETARG_FLOAT8(0), PG_GETARG_TIMESTAMPTZ(1),
									HeatHalfLife(PG_GETARG_INTERVAL_P(2)));

	PG_RETURN_POINTER(HeatFromParts(&part, 1));
}

PG_FUNCTION_INFO_V1(float8_to_heat);
/* Make heat of points that do not cool */
Datum
float8_to_heat(PG_FUNCTION_ARGS)
{
	HeatPart	part = HeatMakePart(PG_GETARG_FLOAT8(0), 0, HEAT_FOREVER);

	PG_RETURN_POINTER(HeatFromParts(&part, 1));
}

/* Get the sum or difference of two heats */
static Heat *
Combine(const Heat *a, const Heat *b, double sign)
{
	HeatPart	parts[HEAT_MAX_PARTS * 2];

	memcpy(parts, a->parts, sizeof(HeatPart) * a->count);
	for (int i = 0; i < b->count; i++)
	{
		parts[a->count + i] = b->parts[i];
		parts[a->count + i].high *= sign;
		if (parts[a->count + i].low != 0)
			parts[a->count + i].low *= sign;
	}
	return HeatFromParts(parts, a->count + b->count);
}

PG_FUNCTION_INFO_V1(heat_add);
/* Get the sum of two heats */
Datum
heat_add(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(Combine(PG_GETARG_HEAT_P(0), PG_GETARG_HEAT_P(1), 1));
}

PG_FUNCTION_INFO_V1(heat_subtract);
/* Get the difference of two heats */
Datum
heat_subtract(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(Combine(PG_GETARG_HEAT_P(0), PG_GETARG_HEAT_P(1), -1));
}

PG_FUNCTION_INFO_V1(heat_at);
/* Get the points that a heat is worth at a time */
Datum
heat_at(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(HeatAt(PG_GETARG_HEAT_P(0), PG_GETARG_TIMESTAMPTZ(1)));
}

PG_FUNCTION_INFO_V1(heat_leaves);
/* Get when a heat leaves a range of points */
Datum
heat_leaves(PG_FUNCTION_ARGS)
{
	double		from = PG_GETARG_FLOAT8(1);
	double		below = PG_GETARG_FLOAT8(2);
	TimestampTz since = PG_GETARG_TIMESTAMPTZ(3);

	if (isnan(from) || isnan(below) || TIMESTAMP_NOT_FINITE(since))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a range of points needs numbers and a time to begin at")));
	PG_RETURN_TIMESTAMPTZ(HeatLeaves(PG_GETARG_HEAT_P(0), from, below, since));
}
