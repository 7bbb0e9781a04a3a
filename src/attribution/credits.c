/*
 * Credits of the touches of a path, and shares of money.
 */
#include "postgres.h"

#include <math.h>

#include "attribution/attribution.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

/* Up to this many units left over are given out one search at a time */
#define FEW_LEFT	16

/* The most decimals that a currency's minor unit may have */
#define MAX_DIGITS	12

/* Make room for work on paths */
CreditRoom *
CreditRoomCreate(MemoryContext context)
{
	CreditRoom *room = MemoryContextAllocZero(context, sizeof(CreditRoom));

	room->context = context;
	CreditRoomReserve(room, KEPT_TOUCHES);
	return room;
}

/* Make sure that there is room for so many touches */
void
CreditRoomReserve(CreditRoom *room, int touches)
{
	Size		n = Max(touches, room->capacity * (Size) 2);

	if (touches <= room->capacity)
		return;
	if (room->capacity > 0)
	{
		pfree(room->credits);
		pfree(room->shares);
		pfree(room->weights);
		pfree(room->remainders);
		pfree(room->order);
		pfree(room->marked);
	}
	room->credits = MemoryContextAllocHuge(room->context, sizeof(int64) * n);
	room->shares = MemoryContextAllocHuge(room->context, sizeof(int64) * n);
	room->weights = MemoryContextAllocHuge(room->context, sizeof(double) * n);
	room->remainders = MemoryContextAllocHuge(room->context, sizeof(int64) * n);
	room->order = MemoryContextAllocHuge(room->context, sizeof(int) * n);
	room->marked = MemoryContextAllocHuge(room->context, sizeof(bool) * n);
	room->capacity = n;
}

/* Order indexes by their remainders, the largest first, then the earlier */
static int
CompareRemainders(const void *a, const void *b, void *arg)
{
	const int64 *remainders = arg;
	int			i = *(const int *) a;
	int			j = *(const int *) b;

	if (remainders[i] != remainders[j])
		return remainders[i] > remainders[j] ? -1 : 1;
	return i < j ? -1 : 1;
}

/*
 * Give out what is left over, less than one unit for each: to the largest
 * remainders, of equal ones to the earlier (Hamilton's method).
 */
static void
GiveLeftOver(int64 left, int count, int64 *shares, CreditRoom *room)
{
	int64	   *remainders = room->remainders;

	if (left <= FEW_LEFT)
	{
		for (; left > 0; left--)
		{
			int			best = 0;

			for (int i = 1; i < count; i++)
				if (remainders[i] > remainders[best])
					best = i;
			shares[best]++;
			remainders[best] = -1;
		}
		return;
	}
	for (int i = 0; i < count; i++)
		room->order[i] = i;
	qsort_arg(room->order, count, sizeof(int), CompareRemainders, remainders);
	for (int64 i = 0; i < left; i++)
		shares[room->order[i % count]]++;
}

/*
 * Divide an amount by credits that add up to CREDIT_UNIT. The quotient of the
 * 128-bit product is estimated in floating point and put right by its
 * remainder, which is exact modulo 2^64. Negative amounts are divided like
 * positive ones, so that a refund takes back what the sale gave.
 */
void
AllocateMoney(int64 amount, const int64 *credits, int count, int64 *shares, CreditRoom *room)
{
	uint64		size = amount < 0 ? -(uint64) amount : (uint64) amount;
	uint64		left = size;
	double		factor = (double) size / (double) CREDIT_UNIT;

	CreditRoomReserve(room, count);
	for (int i = 0; i < count; i++)
	{
		int64		quotient = (int64) (factor * (double) credits[i]);
		int64		remainder = (int64) (size * (uint64) credits[i] - (uint64) quotient * (uint64) CREDIT_UNIT);

		if (remainder < 0 || remainder >= CREDIT_UNIT)
		{
			int64		correction = remainder / CREDIT_UNIT - (remainder % CREDIT_UNIT < 0);

			quotient += correction;
			remainder -= correction * CREDIT_UNIT;
		}
		shares[i] = quotient;
		room->remainders[i] = remainder;
		left -= quotient;
	}
	GiveLeftOver((int64) left, count, shares, room);
	if (amount < 0)
		for (int i = 0; i < count; i++)
			shares[i] = -shares[i];
}

/*
 * Make whole credits of weights: rounded, and the few units that these are
 * then off given to or taken from those that rounding changed most, of equal
 * ones in favour of the earlier
 */
static void
WholeCredits(const double *weights, double sum, int count, int64 *credits, CreditRoom *room)
{
	int64		left = CREDIT_UNIT;
	double		factor = (double) CREDIT_UNIT / sum;

	for (int i = 0; i < count; i++)
	{
		credits[i] = llrint(weights[i] * factor);
		left -= credits[i];
	}
	if (left < -FEW_LEFT || left > FEW_LEFT)
	{
		left = CREDIT_UNIT;
		for (int i = 0; i < count; i++)
		{
			double		exact = weights[i] * factor;

			credits[i] = (int64) exact;
			room->remainders[i] = (int64) ((exact - (double) credits[i]) * 1024);
			left -= credits[i];
		}
		GiveLeftOver(left, count, credits, room);
		return;
	}
	for (; left != 0; left -= left > 0 ? 1 : -1)
	{
		int			best = left > 0 ? 0 : count - 1;

		for (int k = 1; k < count; k++)
		{
			int			i = left > 0 ? k : count - 1 - k;
			double		off = weights[i] * factor - (double) credits[i];
			double		most = weights[best] * factor - (double) credits[best];

			if (left > 0 ? off > most : off < most)
				best = i;
		}
		credits[best] += left > 0 ? 1 : -1;
	}
}

/* Divide an amount by weights of any sum; equally when all are zero */
void
AllocateByWeights(int64 amount, const double *weights, int count, int64 *shares, CreditRoom *room)
{
	double		sum = 0;

	if (count == 0)
		return;
	CreditRoomReserve(room, count);
	for (int i = 0; i < count; i++)
		sum += weights[i];
	for (int i = 0; i < count; i++)
		room->weights[i] = sum > 0 ? weights[i] / sum : 1.0 / count;
	WholeCredits(room->weights, 1, count, room->credits, room);
	AllocateMoney(amount, room->credits, count, shares, room);
}

/* Find the touch that led to a milestone: the last until then, else the first */
static int
MilestoneTouch(const TouchPath *path, TimestampTz at)
{
	int			low = 0;
	int			high = path->count;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (path->touches[middle].occurred_at <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return Max(low - 1, 0);
}

/* Find the last touch that is not direct, else the last */
static int
LastNonDirect(const TouchPath *path)
{
	for (int i = path->count - 1; i >= 0; i--)
		if (!path->touches[i].is_direct)
			return i;
	return path->count - 1;
}

/* Weigh the touches by their position; what has no touch is left out */
static void
WeighPositions(const AttributionModel *model, const TouchPath *path, CreditRoom *room)
{
	int			n = path->count;
	int			others = n;
	double	   *weights = room->weights;
	bool	   *marked = room->marked;
	const Moment *milestones[2] = {&path->lead_created, &path->opportunity_created};
	const double milestone_weights[2] = {model->lead, model->opportunity};

	memset(weights, 0, sizeof(double) * n);
	memset(marked, false, sizeof(bool) * n);
	for (int i = 0; i < model->first_count && i < n; i++)
	{
		weights[i] += model->first[i];
		marked[i] = true;
	}
	for (int i = 0; i < model->last_count && i < n; i++)
	{
		weights[n - 1 - i] += model->last[model->last_count - 1 - i];
		marked[n - 1 - i] = true;
	}
	for (int m = 0; m < 2; m++)
		if (milestone_weights[m] > 0 && milestones[m]->known)
		{
			int			i = MilestoneTouch(path, milestones[m]->at);

			weights[i] += milestone_weights[m];
			marked[i] = true;
		}
	for (int i = 0; i < n; i++)
		others -= marked[i];
	if (others > 0)
		for (int i = 0; i < n; i++)
			if (!marked[i])
				weights[i] = model->other / others;
}

/*
 * Weigh the touches by their age: half for each half-life before the last,
 * which gives the same shares as counting back from the conversion.
 */
static void
WeighAges(const AttributionModel *model, const TouchPath *path, CreditRoom *room)
{
	double		last = (double) path->touches[path->count - 1].occurred_at;

	for (int i = 0; i < path->count; i++)
		room->weights[i] = exp2(((double) path->touches[i].occurred_at - last) / model->half_life);
}

/* Order the indexes of touches by channel, those of one by time */
static int
CompareChannels(const void *a, const void *b, void *arg)
{
	const Touch *touches = arg;
	int			i = *(const int *) a;
	int			j = *(const int *) b;

	if (touches[i].channel != touches[j].channel)
		return touches[i].channel < touches[j].channel ? -1 : 1;
	return i < j ? -1 : 1;
}

/*
 * Weigh the touches channel by channel. For participation the first touch of
 * each channel counts one; for the Shapley value every channel counts the same
 * and its touches share alike, which summed over conversions is the Shapley
 * value of the game in which a coalition of channels wins the conversions whose
 * paths need no other (Zhao, Mahboobi and Bagheri 2018).
 */
static void
WeighByChannel(const AttributionModel *model, const TouchPath *path, CreditRoom *room)
{
	int		   *order = room->order;

	for (int i = 0; i < path->count; i++)
		order[i] = i;
	qsort_arg(order, path->count, sizeof(int), CompareChannels, (void *) path->touches);
	for (int from = 0, to; from < path->count; from = to)
	{
		for (to = from + 1; to < path->count; to++)
			if (path->touches[order[to]].channel != path->touches[order[from]].channel)
				break;
		for (int i = from; i < to; i++)
			room->weights[order[i]] = model->kind == MODEL_SHAPLEY ? 1.0 / (to - from) : i == from;
	}
}

/* Weigh the touches by what their channels weigh, those without weight zero */
static void
WeighChannels(const AttributionModel *model, const TouchPath *path, const ChannelNames *channels, CreditRoom *room)
{
	for (int i = 0; i < path->count; i++)
	{
		int			channel = path->touches[i].channel;
		int			weighted = ChannelFind(model->weighted, channels->names[channel], channels->lengths[channel]);

		room->weights[i] = weighted >= 0 ? model->channel_weights[weighted] : 0;
	}
}

/* Get the touch that takes the whole credit, or -1 where several may share it */
int
ModelSingle(const AttributionModel *model, const TouchPath *path)
{
	if (path->count == 1)
		return 0;
	if (model->kind == MODEL_LAST_NON_DIRECT)
		return LastNonDirect(path);
	if (model->kind != MODEL_POSITION)
		return -1;
	if (model->first_count == 1 && model->first[0] >= 1)
		return 0;
	if (model->last_count == 1 && model->last[0] >= 1)
		return path->count - 1;
	return -1;
}

/*
 * Credit the touches of a path, which has at least one. Credits add up to
 * CREDIT_UNIT, but for participation, where each channel has all of it. What
 * is returned is valid until the next path.
 */
const int64 *
ModelCredits(AttributionModel *model, const TouchPath *path, const ChannelNames *channels, CreditRoom *room)
{
	int			n = path->count;
	int			single = ModelSingle(model, path);
	bool		keep = model->kind == MODEL_POSITION && model->lead == 0 && model->opportunity == 0 && n <= KEPT_TOUCHES;
	double		sum = 0;

	if (keep && model->kept[n])
		return model->kept[n];
	CreditRoomReserve(room, n);
	if (single >= 0)
	{
		memset(room->credits, 0, sizeof(int64) * n);
		room->credits[single] = CREDIT_UNIT;
	}
	else
	{
		switch (model->kind)
		{
			case MODEL_TIME_DECAY:
				WeighAges(model, path, room);
				break;
			case MODEL_PARTICIPATION:
			case MODEL_SHAPLEY:
				WeighByChannel(model, path, room);
				break;
			case MODEL_CHANNELS:
				WeighChannels(model, path, channels, room);
				break;
			default:
				WeighPositions(model, path, room);
				break;
		}
		for (int i = 0; i < n; i++)
			sum += room->weights[i];
		if (model->kind == MODEL_PARTICIPATION)
			for (int i = 0; i < n; i++)
				room->credits[i] = room->weights[i] > 0 ? CREDIT_UNIT : 0;
		else
		{
			if (!(sum > 0) || isinf(sum))
			{
				for (int i = 0; i < n; i++)
					room->weights[i] = 1;
				sum = n;
			}
			WholeCredits(room->weights, sum, n, room->credits, room);
		}
	}
	if (keep)
	{
		model->kept[n] = MemoryContextAlloc(room->context, sizeof(int64) * n);
		memcpy(model->kept[n], room->credits, sizeof(int64) * n);
	}
	return room->credits;
}

/* Check the number of decimals of minor units */
void
CheckDigits(int digits)
{
	if (digits < 0 || digits > MAX_DIGITS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("minor units of %d decimals were asked for", digits),
				 errhint("Choose 0 to %d.", MAX_DIGITS)));
}

/* Get an amount in minor units, rounded half away from zero */
int64
MinorUnits(Numeric value, int digits)
{
	static const int32 factors[] = {1, 10, 100, 1000, 10000};
	Datum		amount = NumericGetDatum(value);

	if (numeric_is_nan(value) || numeric_is_inf(value))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("amount %s cannot be divided", DatumGetCString(DirectFunctionCall1(numeric_out, amount)))));
	if (digits > 0)
	{
		int64		factor = digits < lengthof(factors) ? factors[digits] : (int64) pow(10, digits);

		amount = DirectFunctionCall2(numeric_mul, amount, NumericGetDatum(int64_to_numeric(factor)));
	}
	return DatumGetInt64(DirectFunctionCall1(numeric_int8, amount));
}
