/*
 * The aggregate prediction_quality: predictions collected, to be measured
 * together, in as many states as there are workers.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "learning/logistic.h"
#include "learning/model.h"
#include "matching/arrays.h"
#include "matching/json.h"
#include "utils/memutils.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#define FIRST_CAPACITY 1024

/* Predictions collected to be measured */
typedef struct MeasureState
{
	int64		rows;
	int64		capacity;
	double	   *probabilities;
	bool	   *outcomes;
} MeasureState;

/* Make a state with room for so many predictions */
static MeasureState *
MakeState(MemoryContext context, int64 capacity)
{
	MeasureState *state = MemoryContextAllocZero(context, sizeof(MeasureState));

	state->capacity = Max(capacity, FIRST_CAPACITY);
	state->probabilities = ArrayAllocate(context, sizeof(double) * state->capacity);
	state->outcomes = ArrayAllocate(context, sizeof(bool) * state->capacity);
	return state;
}

/* Add predictions to a state */
static void
AddPredictions(MeasureState *state, const double *probabilities, const bool *outcomes, int64 n)
{
	if (state->rows + n > state->capacity)
	{
		state->capacity = Max(state->capacity * 2, state->rows + n);
		state->probabilities = ArrayGrow(state->probabilities, sizeof(double) * state->capacity);
		state->outcomes = ArrayGrow(state->outcomes, sizeof(bool) * state->capacity);
	}
	memcpy(state->probabilities + state->rows, probabilities, sizeof(double) * n);
	memcpy(state->outcomes + state->rows, outcomes, sizeof(bool) * n);
	state->rows += n;
}

PG_FUNCTION_INFO_V1(prediction_accum);
/* Collect a prediction with what came of it; one with a null is left out */
Datum
prediction_accum(PG_FUNCTION_ARGS)
{
	MemoryContext context;
	MeasureState *state = PG_ARGISNULL(0) ? NULL : (MeasureState *) PG_GETARG_POINTER(0);
	double		p;
	bool		outcome;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "prediction_accum called in non-aggregate context");
	if (state == NULL)
		state = MakeState(context, 0);
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_POINTER(state);
	p = PG_GETARG_FLOAT8(1);
	outcome = PG_GETARG_BOOL(2);
	if (!(p >= 0 && p <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("a probability is %g", p),
				 errhint("Probabilities are from 0 to 1.")));
	AddPredictions(state, &p, &outcome, 1);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(prediction_combine);
/* Put the predictions of two states together */
Datum
prediction_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context;
	MeasureState *state = PG_ARGISNULL(0) ? NULL : (MeasureState *) PG_GETARG_POINTER(0);
	MeasureState *other = PG_ARGISNULL(1) ? NULL : (MeasureState *) PG_GETARG_POINTER(1);

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "prediction_combine called in non-aggregate context");
	if (other == NULL)
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	if (state == NULL)
		state = MakeState(context, other->rows);
	AddPredictions(state, other->probabilities, other->outcomes, other->rows);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(prediction_serial);
/* Write a state as bytes: the probabilities, then the outcomes */
Datum
prediction_serial(PG_FUNCTION_ARGS)
{
	MeasureState *state = (MeasureState *) PG_GETARG_POINTER(0);
	int64		size = VARHDRSZ + (sizeof(double) + sizeof(bool)) * state->rows;
	bytea	   *bytes;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "prediction_serial called in non-aggregate context");
	if (size > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg(INT64_FORMAT " predictions are too many for one worker", state->rows),
				 errhint("Set max_parallel_workers_per_gather to 0.")));
	bytes = palloc(size);
	SET_VARSIZE(bytes, size);
	memcpy(VARDATA(bytes), state->probabilities, sizeof(double) * state->rows);
	memcpy(VARDATA(bytes) + sizeof(double) * state->rows, state->outcomes, sizeof(bool) * state->rows);
	PG_RETURN_BYTEA_P(bytes);
}

PG_FUNCTION_INFO_V1(prediction_deserial);
/* Read a state from its bytes */
Datum
prediction_deserial(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	int64		rows = VARSIZE_ANY_EXHDR(bytes) / (sizeof(double) + sizeof(bool));
	MeasureState *state;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "prediction_deserial called in non-aggregate context");
	state = MakeState(CurrentMemoryContext, rows);
	memcpy(state->probabilities, VARDATA_ANY(bytes), sizeof(double) * rows);
	memcpy(state->outcomes, VARDATA_ANY(bytes) + sizeof(double) * rows, sizeof(bool) * rows);
	state->rows = rows;
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(prediction_quality_final);
/* Get the measures of predictions */
Datum
prediction_quality_final(PG_FUNCTION_ARGS)
{
	MeasureState *state = PG_ARGISNULL(0) ? NULL : (MeasureState *) PG_GETARG_POINTER(0);
	PredictionQuality quality;
	StringInfoData out;

	if (state == NULL || state->rows == 0)
		PG_RETURN_NULL();
	quality = MeasurePredictions(state->probabilities, state->outcomes, state->rows);
	initStringInfo(&out);
	appendStringInfo(&out, "{\"rows\": " INT64_FORMAT ", \"won\": " INT64_FORMAT, quality.rows, quality.won);
	if (isnan(quality.auc))
		AppendJsonText(&out, "auc", NULL);
	else
		AppendJsonNumber(&out, "auc", quality.auc);
	AppendJsonNumber(&out, "log_loss", quality.log_loss);
	AppendJsonNumber(&out, "brier", quality.brier);
	AppendJsonNumber(&out, "calibration_error", quality.calibration_error);
	appendStringInfoChar(&out, '}');
	PG_RETURN_DATUM(LogisticJsonb(&out));
}
