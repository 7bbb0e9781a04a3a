/*
 * Credits by channel and by touch, of all conversions that a query returns.
 */
#include "postgres.h"

#include "attribution/attribution.h"
#include "common/int.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* Parts of credits are carried over when they come to this many units */
#define CARRY_UNITS		1000

/* What a channel has by a model */
typedef struct ChannelTotal
{
	int64		whole;			/* credits */
	int64		part;			/* of CREDIT_UNIT */
	int64		value;
} ChannelTotal;

typedef struct ChannelTotals
{
	AttributionModel **models;
	int			model_count;
	int			channels;		/* that there is room for */
	ChannelTotal *totals;		/* by channel, then model */
	bool	   *used;
	int64		unattributed;
	int64		unattributed_value;
	CreditRoom *room;
} ChannelTotals;

/* Read the arguments that say what of the journeys counts */
void
JourneyArguments(FunctionCallInfo fcinfo, int first, JourneyOptions *options)
{
	char	   *counting;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the queries for touches and conversions must be given")));
	memset(options, 0, sizeof(JourneyOptions));
	options->touches = text_to_cstring(PG_GETARG_TEXT_PP(0));
	options->conversions = text_to_cstring(PG_GETARG_TEXT_PP(1));
	if (!PG_ARGISNULL(first))
		options->look_back = PG_GETARG_INTERVAL_P(first);
	counting = PG_ARGISNULL(first + 1) ? "touch" : text_to_cstring(PG_GETARG_TEXT_PP(first + 1));
	if (strcmp(counting, "touch") != 0 && strcmp(counting, "session") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no counting by \"%s\"", counting),
				 errhint("Choose touch or session.")));
	options->by_session = strcmp(counting, "session") == 0;
	options->collapse = !PG_ARGISNULL(first + 2) && PG_GETARG_BOOL(first + 2);
	if (!PG_ARGISNULL(first + 3))
		options->include = PG_GETARG_ARRAYTYPE_P(first + 3);
	if (!PG_ARGISNULL(first + 4))
		options->exclude = PG_GETARG_ARRAYTYPE_P(first + 4);
	options->digits = PG_ARGISNULL(first + 5) ? 2 : PG_GETARG_INT32(first + 5);
}

/* Read the list of models */
static AttributionModel **
ModelArguments(FunctionCallInfo fcinfo, int argument, int *count, JourneyOptions *options)
{
	AttributionModel **models;

	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the attribution models must be given")));
	models = DescriptionsRead(PG_GETARG_ARRAYTYPE_P(argument), count);
	for (int m = 0; m < *count; m++)
		options->with_direct |= models[m]->kind == MODEL_LAST_NON_DIRECT;
	return models;
}

/* Make room for the totals of channels that were not met before */
static void
GrowTotals(ChannelTotals *totals, int channels)
{
	Size		old = (Size) totals->channels * totals->model_count;
	Size		size;

	totals->channels = Max(channels, 64) * 2;
	size = (Size) totals->channels * totals->model_count;
	if (totals->totals == NULL)
	{
		totals->totals = palloc_extended(sizeof(ChannelTotal) * size, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
		totals->used = palloc0(totals->channels);
		return;
	}
	totals->totals = repalloc_huge(totals->totals, sizeof(ChannelTotal) * size);
	memset(totals->totals + old, 0, sizeof(ChannelTotal) * (size - old));
	totals->used = repalloc_huge(totals->used, totals->channels);
	memset(totals->used + old / totals->model_count, false, totals->channels - old / totals->model_count);
}

/* Add money, which cannot overflow unnoticed */
static inline void
AddValue(int64 *sum, int64 value)
{
	if (pg_add_s64_overflow(*sum, value, sum))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("the sum of values is out of range")));
}

/* Divide the value of a path by a model's credits */
static const int64 *
PathShares(const AttributionModel *model, const TouchPath *path, const int64 *credits, CreditRoom *room)
{
	if (model->kind == MODEL_PARTICIPATION)
	{
		CreditRoomReserve(room, path->count);
		for (int i = 0; i < path->count; i++)
			room->shares[i] = credits[i] ? path->value : 0;
	}
	else
		AllocateMoney(path->value, credits, path->count, room->shares, room);
	return room->shares;
}

/* Add the credits of one path */
static void
AddPath(ChannelTotals *totals, const TouchPath *path, const ChannelNames *channels)
{
	if (path->count == 0)
	{
		totals->unattributed++;
		AddValue(&totals->unattributed_value, path->value);
		return;
	}
	for (int i = 0; i < path->count; i++)
		totals->used[path->touches[i].channel] = true;
	for (int m = 0; m < totals->model_count; m++)
	{
		AttributionModel *model = totals->models[m];
		int			single = ModelSingle(model, path);
		ChannelTotal *total;
		const int64 *credits;
		const int64 *shares = NULL;

		if (single >= 0)
		{
			total = &totals->totals[(Size) path->touches[single].channel * totals->model_count + m];
			total->whole++;
			AddValue(&total->value, path->value);
			continue;
		}
		credits = ModelCredits(model, path, channels, totals->room);
		if (path->value != 0)
			shares = PathShares(model, path, credits, totals->room);
		for (int i = 0; i < path->count; i++)
		{
			total = &totals->totals[(Size) path->touches[i].channel * totals->model_count + m];
			total->part += credits[i];
			if (total->part >= CARRY_UNITS * CREDIT_UNIT)
			{
				total->part -= CARRY_UNITS * CREDIT_UNIT;
				total->whole += CARRY_UNITS;
			}
			if (shares)
				AddValue(&total->value, shares[i]);
		}
	}
}

/* Get credits as a number */
static Datum
CreditNumeric(int64 whole, int64 part)
{
	Numeric		fraction;

	whole += part / CREDIT_UNIT;
	fraction = int64_div_fast_to_numeric(part % CREDIT_UNIT, CREDIT_DIGITS);
	return NumericGetDatum(numeric_add_opt_error(int64_to_numeric(whole), fraction, NULL));
}

/* Return the totals, by model and channel */
static void
ReturnTotals(ReturnSetInfo *rsinfo, const ChannelTotals *totals, const ChannelNames *channels, int digits)
{
	int		   *order = ChannelsInOrder(channels);

	for (int m = 0; m < totals->model_count; m++)
	{
		Datum		values[4];
		bool		nulls[4] = {false};

		values[0] = CStringGetTextDatum(totals->models[m]->name);
		for (int i = 0; i < channels->count; i++)
		{
			const ChannelTotal *total = &totals->totals[(Size) order[i] * totals->model_count + m];

			if (order[i] >= totals->channels || !totals->used[order[i]])
				continue;
			values[1] = ChannelDatum(channels, order[i]);
			values[2] = CreditNumeric(total->whole, total->part);
			values[3] = NumericGetDatum(int64_div_fast_to_numeric(total->value, digits));
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		}
		if (totals->unattributed == 0)
			continue;
		nulls[1] = true;
		values[2] = CreditNumeric(totals->unattributed, 0);
		values[3] = NumericGetDatum(int64_div_fast_to_numeric(totals->unattributed_value, digits));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
}

/* Add up the credits of all paths; false when it has to be done again */
static bool
SumPaths(ChannelTotals *totals, const JourneyOptions *options, ChannelNames *channels)
{
	JourneyReader *reader;
	TouchPath	path;

	totals->channels = 0;
	totals->totals = NULL;
	totals->unattributed = totals->unattributed_value = 0;
	GrowTotals(totals, 0);
	reader = JourneysOpen(options, channels);
	while (JourneysNext(reader, &path))
	{
		if (channels->count > totals->channels)
			GrowTotals(totals, channels->count);
		AddPath(totals, &path, channels);
	}
	return JourneysClose(reader);
}

/* Get the credits of channels by several models in one pass */
PG_FUNCTION_INFO_V1(channel_credits);
Datum
channel_credits(PG_FUNCTION_ARGS)
{
	JourneyOptions options;
	ChannelNames *channels;
	ChannelTotals totals = {0};
	int			nesting;

	JourneyArguments(fcinfo, 3, &options);
	totals.models = ModelArguments(fcinfo, 2, &totals.model_count, &options);
	InitMaterializedSRF(fcinfo, 0);
	nesting = JourneysBegin(&options);
	totals.room = CreditRoomCreate(CurrentMemoryContext);
	do
		channels = ChannelsCreate(CurrentMemoryContext);
	while (!SumPaths(&totals, &options, channels) && JourneysAgain(&options));
	ReturnTotals((ReturnSetInfo *) fcinfo->resultinfo, &totals, channels, options.digits);
	JourneysEnd(nesting);
	return (Datum) 0;
}

/* Columns of the rows that touch_credits() returns */
enum
{
	COLUMN_JOURNEY,
	COLUMN_CONVERSION_ID,
	COLUMN_CONVERTED_AT,
	COLUMN_MODEL,
	COLUMN_POSITION,
	COLUMN_TOUCHES,
	COLUMN_TOUCH_ID,
	COLUMN_OCCURRED_AT,
	COLUMN_CHANNEL,
	COLUMN_CREDIT,
	COLUMN_AMOUNT,
	COLUMNS
};

/* Return the credits of one path by one model, touch by touch */
static void
ReturnPath(ReturnSetInfo *rsinfo, AttributionModel *model, const TouchPath *path, const ChannelNames *channels,
		   int digits, CreditRoom *room, Datum *values, bool *nulls)
{
	const int64 *credits;
	const int64 *shares;

	values[COLUMN_MODEL] = CStringGetTextDatum(model->name);
	nulls[COLUMN_AMOUNT] = !path->has_value;
	values[COLUMN_TOUCHES] = Int32GetDatum(path->count);
	if (path->count == 0)
	{
		nulls[COLUMN_POSITION] = nulls[COLUMN_TOUCH_ID] = nulls[COLUMN_OCCURRED_AT] = nulls[COLUMN_CHANNEL] = true;
		values[COLUMN_CREDIT] = NumericGetDatum(int64_div_fast_to_numeric(CREDIT_UNIT, CREDIT_DIGITS));
		values[COLUMN_AMOUNT] = NumericGetDatum(int64_div_fast_to_numeric(path->value, digits));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		return;
	}
	nulls[COLUMN_POSITION] = nulls[COLUMN_TOUCH_ID] = nulls[COLUMN_OCCURRED_AT] = nulls[COLUMN_CHANNEL] = false;
	credits = ModelCredits(model, path, channels, room);
	shares = PathShares(model, path, credits, room);
	for (int i = 0; i < path->count; i++)
	{
		const Touch *touch = &path->touches[i];

		values[COLUMN_POSITION] = Int32GetDatum(i + 1);
		values[COLUMN_TOUCH_ID] = Int64GetDatum(touch->touch_id);
		nulls[COLUMN_TOUCH_ID] = !touch->has_id;
		values[COLUMN_OCCURRED_AT] = TimestampTzGetDatum(touch->occurred_at);
		values[COLUMN_CHANNEL] = ChannelDatum(channels, touch->channel);
		values[COLUMN_CREDIT] = NumericGetDatum(int64_div_fast_to_numeric(credits[i], CREDIT_DIGITS));
		values[COLUMN_AMOUNT] = NumericGetDatum(int64_div_fast_to_numeric(shares[i], digits));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		if (i % 1024 == 1023)
			CHECK_FOR_INTERRUPTS();
	}
}

/* Return the credits of all paths; false when it has to be done again */
static bool
ReturnPaths(ReturnSetInfo *rsinfo, const JourneyOptions *options, AttributionModel **models, int model_count)
{
	ChannelNames *channels = ChannelsCreate(CurrentMemoryContext);
	CreditRoom *room = CreditRoomCreate(CurrentMemoryContext);
	MemoryContext row = AllocSetContextCreate(CurrentMemoryContext, "credits of a path", ALLOCSET_DEFAULT_SIZES);
	JourneyReader *reader = JourneysOpen(options, channels);
	TouchPath	path;

	tuplestore_clear(rsinfo->setResult);
	while (JourneysNext(reader, &path))
	{
		MemoryContext old = MemoryContextSwitchTo(row);
		Datum		values[COLUMNS];
		bool		nulls[COLUMNS] = {false};

		values[COLUMN_JOURNEY] = CStringGetTextDatum(JourneyText(reader, path.journey));
		values[COLUMN_CONVERSION_ID] = Int64GetDatum(path.conversion_id);
		nulls[COLUMN_CONVERSION_ID] = !path.has_conversion_id;
		values[COLUMN_CONVERTED_AT] = TimestampTzGetDatum(path.converted_at);
		for (int m = 0; m < model_count; m++)
			ReturnPath(rsinfo, models[m], &path, channels, options->digits, room, values, nulls);
		MemoryContextSwitchTo(old);
		MemoryContextReset(row);
	}
	return JourneysClose(reader);
}

/* Get the credits of each touch by several models in one pass */
PG_FUNCTION_INFO_V1(touch_credits);
Datum
touch_credits(PG_FUNCTION_ARGS)
{
	JourneyOptions options;
	AttributionModel **models;
	int			model_count;
	int			nesting;

	JourneyArguments(fcinfo, 3, &options);
	models = ModelArguments(fcinfo, 2, &model_count, &options);
	InitMaterializedSRF(fcinfo, 0);
	nesting = JourneysBegin(&options);
	while (!ReturnPaths((ReturnSetInfo *) fcinfo->resultinfo, &options, models, model_count) && JourneysAgain(&options))
		;
	JourneysEnd(nesting);
	return (Datum) 0;
}

/* Return what the channels contribute by a Markov chain, money in minor units */
static void
ReturnEffects(ReturnSetInfo *rsinfo, const ChannelNames *channels, const ChannelEffect *effects, int64 value, int digits)
{
	int		   *order = ChannelsInOrder(channels);
	double	   *weights = palloc_extended(sizeof(double) * ((Size) channels->count + 1), MCXT_ALLOC_HUGE);
	CreditRoom *room = CreditRoomCreate(CurrentMemoryContext);
	int64	   *shares = palloc_extended(sizeof(int64) * ((Size) channels->count + 1), MCXT_ALLOC_HUGE);

	for (int i = 0; i < channels->count; i++)
		weights[i] = Max(effects[order[i]].removal_effect_value, 0);
	AllocateByWeights(value, weights, channels->count, shares, room);
	for (int i = 0; i < channels->count; i++)
	{
		const ChannelEffect *effect = &effects[order[i]];
		Datum		values[5] = {ChannelDatum(channels, order[i]), Float8GetDatum(effect->removal_effect),
		Float8GetDatum(effect->conversions), Float8GetDatum(effect->removal_effect_value),
		NumericGetDatum(int64_div_fast_to_numeric(shares[i], digits))};
		bool		nulls[5] = {false};

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
}

/* What journeys lead to, beside the chain that they make */
typedef struct JourneySums
{
	int64		value;
	int64		unattributed;
	int64		unattributed_value;
} JourneySums;

/* Make a chain of all paths; false when it has to be done again */
static bool
AddPaths(MarkovChain *chain, const JourneyOptions *options, ChannelNames *channels, JourneySums *sums)
{
	JourneyReader *reader;
	TouchPath	path;
	int			capacity = 1024;
	int		   *steps = palloc(sizeof(int) * capacity);
	double		unit = 1;

	for (int i = 0; i < options->digits; i++)
		unit *= 10;
	memset(sums, 0, sizeof(JourneySums));
	reader = JourneysOpen(options, channels);
	while (JourneysNext(reader, &path))
	{
		if (path.count == 0)
		{
			sums->unattributed++;
			AddValue(&sums->unattributed_value, path.value);
			continue;
		}
		if (path.count > capacity)
		{
			capacity = path.count * 2;
			steps = repalloc_huge(steps, sizeof(int) * (Size) capacity);
		}
		for (int i = 0; i < path.count; i++)
			steps[i] = path.touches[i].channel;
		MarkovAdd(chain, steps, path.count, path.converted, !path.converted, (double) path.value / unit);
		AddValue(&sums->value, path.value);
	}
	return JourneysClose(reader);
}

/* Get what channels contribute by the removal effects of a Markov chain */
PG_FUNCTION_INFO_V1(markov_credits);
Datum
markov_credits(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	JourneyOptions options;
	ChannelNames *channels;
	MarkovChain *chain;
	ChannelEffect *effects;
	JourneySums sums;
	int			order = PG_ARGISNULL(2) ? 1 : PG_GETARG_INT32(2);
	int			nesting;

	JourneyArguments(fcinfo, 3, &options);
	options.all_journeys = true;
	InitMaterializedSRF(fcinfo, 0);
	nesting = JourneysBegin(&options);
	do
	{
		chain = MarkovCreate(order, CurrentMemoryContext);
		channels = ChannelsCreate(CurrentMemoryContext);
	}
	while (!AddPaths(chain, &options, channels, &sums) && JourneysAgain(&options));
	effects = palloc_extended(sizeof(ChannelEffect) * ((Size) channels->count + 1), MCXT_ALLOC_HUGE);
	MarkovSolve(chain, channels->count, effects);
	ReturnEffects(rsinfo, channels, effects, sums.value, options.digits);
	if (sums.unattributed > 0)
	{
		Datum		values[5] = {0};
		bool		nulls[5] = {true, true, false, true, false};

		values[2] = Float8GetDatum(sums.unattributed);
		values[4] = NumericGetDatum(int64_div_fast_to_numeric(sums.unattributed_value, options.digits));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	JourneysEnd(nesting);
	return (Datum) 0;
}
