/*
 * Window functions: the credit of each row of a partition, and its share of an
 * amount.
 */
#include "postgres.h"

#include <math.h>

#include "attribution/attribution.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "windowapi.h"

/* What is computed at the first row of a partition, a number a row */
typedef struct PartitionNumbers
{
	bool		done;
	int64		numbers[FLEXIBLE_ARRAY_MEMBER];
} PartitionNumbers;

/* What a call keeps from one partition to the next */
typedef struct CreditState
{
	text	   *description;
	AttributionModel *model;
	CreditRoom *room;
	MemoryContext work;
} CreditState;

enum
{
	ARGUMENT_MODEL,
	ARGUMENT_OCCURRED_AT,
	ARGUMENT_CHANNEL,
	ARGUMENT_IS_DIRECT,
	ARGUMENT_CONVERTED_AT,
	ARGUMENT_LEAD_CREATED_AT,
	ARGUMENT_OPPORTUNITY_CREATED_AT
};

/* Get the numbers of the partition at hand */
static PartitionNumbers *
Numbers(WindowObject window, int64 *rows)
{
	Size		size;

	*rows = WinGetPartitionRowCount(window);
	size = offsetof(PartitionNumbers, numbers) + sizeof(int64) * *rows;
	if (!AllocSizeIsValid(size))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a partition of " INT64_FORMAT " touches is too large", *rows)));
	return WinGetPartitionLocalMemory(window, size);
}

/* Get an argument at a row of the partition */
static Datum
RowArgument(WindowObject window, int argument, int64 row, bool *isnull)
{
	bool		isout;

	return WinGetFuncArgInPartition(window, argument, row, WINDOW_SEEK_HEAD, false, isnull, &isout);
}

/* Get a moment at the first row of the partition */
static Moment
FirstMoment(WindowObject window, int argument)
{
	bool		isnull;
	Datum		value = RowArgument(window, argument, 0, &isnull);

	return (Moment) {isnull ? 0 : DatumGetTimestampTz(value), !isnull};
}

/* Get the model that the first row of the partition names */
static CreditState *
ModelOfPartition(FunctionCallInfo fcinfo, WindowObject window)
{
	CreditState *state = fcinfo->flinfo->fn_extra;
	MemoryContext old;
	bool		isnull;
	Datum		value = RowArgument(window, ARGUMENT_MODEL, 0, &isnull);
	text	   *description;

	if (isnull)
		return NULL;
	description = DatumGetTextPP(value);
	if (state == NULL)
	{
		state = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(CreditState));
		state->work = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "attribution model", ALLOCSET_SMALL_SIZES);
		fcinfo->flinfo->fn_extra = state;
	}
	if (state->description && VARSIZE_ANY_EXHDR(description) == VARSIZE_ANY_EXHDR(state->description) &&
		memcmp(VARDATA_ANY(description), VARDATA_ANY(state->description), VARSIZE_ANY_EXHDR(description)) == 0)
		return state;
	state->description = NULL;
	MemoryContextReset(state->work);
	old = MemoryContextSwitchTo(state->work);
	state->model = DescriptionRead(description, false);
	state->room = CreditRoomCreate(state->work);
	state->description = cstring_to_text_with_len(VARDATA_ANY(description), VARSIZE_ANY_EXHDR(description));
	MemoryContextSwitchTo(old);
	return state;
}

/* Order touches by time, those of one moment by row, which is their id here */
static int
CompareTouches(const void *a, const void *b)
{
	const Touch *left = a;
	const Touch *right = b;

	if (left->occurred_at != right->occurred_at)
		return left->occurred_at < right->occurred_at ? -1 : 1;
	return left->touch_id < right->touch_id ? -1 : 1;
}

/* Credit the rows of a partition; those that are no touches before get none */
static void
CreditPartition(WindowObject window, CreditState *state, int64 rows, int64 *numbers)
{
	ChannelNames *channels = ChannelsCreate(CurrentMemoryContext);
	Touch	   *touches = palloc_extended(sizeof(Touch) * rows, MCXT_ALLOC_HUGE);
	TouchPath	path = {0};
	Moment		converted = FirstMoment(window, ARGUMENT_CONVERTED_AT);
	const int64 *credits;

	for (int64 row = 0; row < rows; row++)
	{
		Touch	   *touch = &touches[path.count];
		bool		isnull;
		Datum		value = RowArgument(window, ARGUMENT_OCCURRED_AT, row, &isnull);

		numbers[row] = 0;
		if (isnull || (converted.known && DatumGetTimestampTz(value) > converted.at))
			continue;
		touch->occurred_at = DatumGetTimestampTz(value);
		touch->touch_id = row;
		value = RowArgument(window, ARGUMENT_CHANNEL, row, &isnull);
		if (isnull)
			touch->channel = ChannelNumber(channels, "", 0);
		else
		{
			text	   *name = DatumGetTextPP(value);

			touch->channel = ChannelNumber(channels, VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
		}
		value = RowArgument(window, ARGUMENT_IS_DIRECT, row, &isnull);
		touch->is_direct = !isnull && DatumGetBool(value);
		path.count++;
		if (row % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	if (path.count == 0)
		return;
	qsort(touches, path.count, sizeof(Touch), CompareTouches);
	path.touches = touches;
	path.lead_created = FirstMoment(window, ARGUMENT_LEAD_CREATED_AT);
	path.opportunity_created = FirstMoment(window, ARGUMENT_OPPORTUNITY_CREATED_AT);
	credits = ModelCredits(state->model, &path, channels, state->room);
	for (int i = 0; i < path.count; i++)
		numbers[touches[i].touch_id] = credits[i];
}

/* Get the credit of a touch among those of its partition */
PG_FUNCTION_INFO_V1(touch_credit);
Datum
touch_credit(PG_FUNCTION_ARGS)
{
	WindowObject window = PG_WINDOW_OBJECT();
	int64		rows;
	PartitionNumbers *numbers = Numbers(window, &rows);

	if (!numbers->done)
	{
		CreditState *state = ModelOfPartition(fcinfo, window);

		if (state == NULL)
			PG_RETURN_NULL();
		CreditPartition(window, state, rows, numbers->numbers);
		numbers->done = true;
	}
	PG_RETURN_NUMERIC(int64_div_fast_to_numeric(numbers->numbers[WinGetCurrentPosition(window)], CREDIT_DIGITS));
}

/* Read the credits of a partition; true when they add up to 1 */
static bool
ReadCredits(WindowObject window, int64 rows, int64 *credits)
{
	int64		sum = 0;

	for (int64 row = 0; row < rows; row++)
	{
		bool		isnull;
		Datum		credit = RowArgument(window, 1, row, &isnull);

		credits[row] = isnull ? 0 : MinorUnits(DatumGetNumeric(credit), CREDIT_DIGITS);
		if (credits[row] < 0 || credits[row] > CREDIT_UNIT)
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("credit %s is not between 0 and 1",
							DatumGetCString(DirectFunctionCall1(numeric_out, credit)))));
		if (sum <= CREDIT_UNIT)
			sum += credits[row];
		if (row % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	return sum == CREDIT_UNIT;
}

/* Get the share of an amount that falls to a row of its partition */
PG_FUNCTION_INFO_V1(allocate);
Datum
allocate(PG_FUNCTION_ARGS)
{
	WindowObject window = PG_WINDOW_OBJECT();
	int64		rows;
	PartitionNumbers *numbers = Numbers(window, &rows);
	bool		isnull;
	int			digits = DatumGetInt32(RowArgument(window, 2, 0, &isnull));

	if (isnull)
		PG_RETURN_NULL();
	CheckDigits(digits);
	if (!numbers->done)
	{
		Datum		amount = RowArgument(window, 0, 0, &isnull);
		int64	   *credits;
		int64		units;

		if (isnull)
			PG_RETURN_NULL();
		units = MinorUnits(DatumGetNumeric(amount), digits);
		credits = palloc_extended(sizeof(int64) * rows, MCXT_ALLOC_HUGE);
		if (ReadCredits(window, rows, credits))
			AllocateMoney(units, credits, rows, numbers->numbers, CreditRoomCreate(CurrentMemoryContext));
		else
			for (int64 row = 0; row < rows; row++)
				numbers->numbers[row] = llrint((double) units * ((double) credits[row] / (double) CREDIT_UNIT));
		numbers->done = true;
	}
	PG_RETURN_NUMERIC(int64_div_fast_to_numeric(numbers->numbers[WinGetCurrentPosition(window)], digits));
}

/* Get the number of decimals of a currency's minor unit (ISO 4217) */
PG_FUNCTION_INFO_V1(currency_digits);
Datum
currency_digits(PG_FUNCTION_ARGS)
{
	static const char *const currencies[] = {
		"BIF0", "CLP0", "DJF0", "GNF0", "ISK0", "JPY0", "KMF0", "KRW0", "PYG0", "RWF0", "UGX0", "UYI0", "VND0",
		"VUV0", "XAF0", "XOF0", "XPF0", "BHD3", "IQD3", "JOD3", "KWD3", "LYD3", "OMR3", "TND3", "CLF4", "UYW4"
	};
	text	   *currency = PG_GETARG_TEXT_PP(0);

	if (VARSIZE_ANY_EXHDR(currency) == 3)
		for (int i = 0; i < lengthof(currencies); i++)
			if (memcmp(currencies[i], VARDATA_ANY(currency), 3) == 0)
				PG_RETURN_INT32(currencies[i][3] - '0');
	PG_RETURN_INT32(2);
}

/* Check a description of a model: true, or an error that says what is wrong */
PG_FUNCTION_INFO_V1(attribution_model_check);
Datum
attribution_model_check(PG_FUNCTION_ARGS)
{
	DescriptionRead(PG_GETARG_TEXT_PP(0), true);
	PG_RETURN_BOOL(true);
}
