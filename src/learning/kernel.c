/*
 * Logistic regression over columns of numbers, and probabilities by models.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "learning/logistic.h"
#include "learning/model.h"
#include "matching/arrays.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#define FIRST_CAPACITY 1024

/* Largest feature that squares of can be added up */
#define MAX_NUMBER 1e100

/* How numbers are had from the arguments of a call */
typedef struct NumberSource
{
	bool		is_array;		/* VARIADIC array */
	int			count;			/* arguments, when they are not an array */
	Oid			types[FUNC_MAX_ARGS];
} NumberSource;

/* Find out how numbers are had from the arguments from first on */
static NumberSource *
MakeNumberSource(FunctionCallInfo fcinfo, int first)
{
	NumberSource *source = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(NumberSource));

	source->is_array = get_fn_expr_variadic(fcinfo->flinfo);
	source->count = PG_NARGS() - first;
	for (int i = 0; i < source->count; i++)
	{
		Oid			type = get_fn_expr_argtype(fcinfo->flinfo, first + i);

		if (source->is_array)
		{
			if (getBaseType(type) != FLOAT8ARRAYOID)
				ereport(ERROR,
						(errcode(ERRCODE_DATATYPE_MISMATCH),
						 errmsg("features are of type %s", format_type_be(type)),
						 errhint("An array of features is double precision[].")));
			continue;
		}
		source->types[i] = getBaseType(type);
		switch (source->types[i])
		{
			case FLOAT8OID:
			case FLOAT4OID:
			case INT2OID:
			case INT4OID:
			case INT8OID:
			case NUMERICOID:
			case BOOLOID:
				break;
			default:
				ereport(ERROR,
						(errcode(ERRCODE_DATATYPE_MISMATCH),
						 errmsg("feature %d is of type %s", i + 1, format_type_be(type)),
						 errhint("Features are numbers or boolean; cast text literals.")));
		}
	}
	return source;
}

/* Get an argument as a number */
static inline double
NumberOf(Datum value, Oid type)
{
	switch (type)
	{
		case FLOAT8OID:
			return DatumGetFloat8(value);
		case FLOAT4OID:
			return DatumGetFloat4(value);
		case INT2OID:
			return DatumGetInt16(value);
		case INT4OID:
			return DatumGetInt32(value);
		case INT8OID:
			return (double) DatumGetInt64(value);
		case BOOLOID:
			return DatumGetBool(value);
		default:
			return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value));
	}
}

/* Complain of a number of features that is not the one of the coefficients */
static void
WrongWidth(int coefficients, int features)
{
	ereport(ERROR,
			(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
			 errmsg("%d coefficients for %d features", coefficients, features),
			 errhint("The first coefficient is the intercept, so there is one more of them.")));
}

/* Get the elements of an array that has no nulls */
static double *
Doubles(ArrayType *array, int *count)
{
	if (ARR_NDIM(array) > 1 || array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("an array of numbers has nulls or more than one dimension")));
	*count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	return (double *) ARR_DATA_PTR(array);
}

PG_FUNCTION_INFO_V1(logistic);
/* Get the probability that coefficients give to features */
Datum
logistic(PG_FUNCTION_ARGS)
{
	NumberSource *source = fcinfo->flinfo->fn_extra;
	ArrayType  *coefficients;
	double	   *w;
	int			width;
	double		sum;

	if (source == NULL)
		fcinfo->flinfo->fn_extra = source = MakeNumberSource(fcinfo, 1);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	coefficients = PG_GETARG_ARRAYTYPE_P(0);
	w = Doubles(coefficients, &width);
	if (width == 0)
		WrongWidth(0, source->count);
	sum = w[0];
	if (source->is_array)
	{
		ArrayType  *array;
		double	   *x;
		int			n;

		if (PG_ARGISNULL(1))
			PG_RETURN_NULL();
		array = PG_GETARG_ARRAYTYPE_P(1);
		if (array_contains_nulls(array))
			PG_RETURN_NULL();
		x = Doubles(array, &n);
		if (n != width - 1)
			WrongWidth(width, n);
		for (int j = 0; j < n; j++)
			sum += w[1 + j] * x[j];
		PG_FREE_IF_COPY(array, 1);
	}
	else
	{
		if (source->count != width - 1)
			WrongWidth(width, source->count);
		for (int j = 0; j < source->count; j++)
		{
			if (PG_ARGISNULL(1 + j))
				PG_RETURN_NULL();
			sum += w[1 + j] * NumberOf(PG_GETARG_DATUM(1 + j), source->types[j]);
		}
	}
	PG_FREE_IF_COPY(coefficients, 0);
	PG_RETURN_FLOAT8(LogisticProbability(sum));
}

/* Rows collected for a regression */
typedef struct RegressionState
{
	LogisticDesign design;
	int64		capacity;
} RegressionState;

PG_FUNCTION_INFO_V1(logistic_regression_accum);
/* Collect a row for a regression; one with a null is left out */
Datum
logistic_regression_accum(PG_FUNCTION_ARGS)
{
	MemoryContext context;
	RegressionState *state = PG_ARGISNULL(0) ? NULL : (RegressionState *) PG_GETARG_POINTER(0);
	NumberSource *source = fcinfo->flinfo->fn_extra;
	LogisticDesign *design;
	double	   *x;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "logistic_regression_accum called in non-aggregate context");
	if (source == NULL)
		fcinfo->flinfo->fn_extra = source = MakeNumberSource(fcinfo, 2);
	if (PG_ARGISNULL(1))
		goto skip;
	for (int j = 0; j < source->count; j++)
		if (PG_ARGISNULL(2 + j))
			goto skip;
	if (state == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(context);

		state = palloc0(sizeof(RegressionState));
		state->capacity = FIRST_CAPACITY;
		if (source->is_array)
			(void) Doubles(PG_GETARG_ARRAYTYPE_P(2), &state->design.numbers);
		else
			state->design.numbers = source->count;
		if (state->design.numbers > LOGISTIC_MAX_FEATURES)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("%d features, more than %d", state->design.numbers, LOGISTIC_MAX_FEATURES)));
		state->design.width = 1 + state->design.numbers;
		state->design.number = ArrayAllocate(context, sizeof(double) * state->capacity * Max(state->design.numbers, 1));
		state->design.outcome = ArrayAllocate(context, sizeof(bool) * state->capacity);
		MemoryContextSwitchTo(old);
	}
	design = &state->design;
	if (design->rows == state->capacity)
	{
		state->capacity *= 2;
		design->number = ArrayGrow(design->number, sizeof(double) * state->capacity * Max(design->numbers, 1));
		design->outcome = ArrayGrow(design->outcome, sizeof(bool) * state->capacity);
	}
	x = design->number + design->rows * design->numbers;
	if (source->is_array)
	{
		ArrayType  *array = PG_GETARG_ARRAYTYPE_P(2);
		int			n;
		double	   *from;

		if (array_contains_nulls(array))
			goto skip;
		from = Doubles(array, &n);
		if (n != design->numbers)
			ereport(ERROR,
					(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
					 errmsg("%d features after %d", n, design->numbers)));
		memcpy(x, from, sizeof(double) * n);
	}
	else
		for (int j = 0; j < source->count; j++)
			x[j] = NumberOf(PG_GETARG_DATUM(2 + j), source->types[j]);
	for (int j = 0; j < design->numbers; j++)
		if (!(fabs(x[j]) <= MAX_NUMBER))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("feature %d is %s", j + 1, DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(x[j])))),
					 errhint("Features are numbers from %g to %g.", -MAX_NUMBER, MAX_NUMBER)));
	design->outcome[design->rows++] = PG_GETARG_BOOL(1);
skip:
	if (state == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(logistic_regression_final);
/* Get the coefficients of a regression */
Datum
logistic_regression_final(PG_FUNCTION_ARGS)
{
	RegressionState *state = PG_ARGISNULL(0) ? NULL : (RegressionState *) PG_GETARG_POINTER(0);
	LogisticPenalty penalty = {1, 1, 1, SOLVER_AUTO};
	double	   *w;
	Datum	   *values;
	int64		won = 0;

	if (state == NULL)
		PG_RETURN_NULL();
	for (int64 i = 0; i < state->design.rows; i++)
		won += state->design.outcome[i];
	if (won == 0 || won == state->design.rows)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the outcome is %s for all " INT64_FORMAT " rows", won ? "true" : "false", state->design.rows),
				 errhint("A regression needs rows of both outcomes.")));
	w = palloc0(sizeof(double) * state->design.width);
	LogisticSolve(&state->design, &penalty, w);
	values = palloc(sizeof(Datum) * state->design.width);
	for (int j = 0; j < state->design.width; j++)
		values[j] = Float8GetDatum(w[j]);
	PG_RETURN_ARRAYTYPE_P(construct_array(values, state->design.width, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL,
										  TYPALIGN_DOUBLE));
}

/* A model read from its document, kept from one call to the next */
typedef struct KnownModel
{
	MemoryContext context;
	Jsonb	   *document;
	LogisticModel *model;
	Oid			type;			/* of rows */
	int32		typmod;
	int		   *columns;		/* by feature, of rows of that type */
	Oid		   *types;
	FmgrInfo   *output;
	TupleDesc	desc;
	Datum	   *values;
	bool	   *nulls;
} KnownModel;

/* Get the model of a document, as read before if it is the same */
static KnownModel *
ModelOf(FunctionCallInfo fcinfo, Jsonb *document)
{
	KnownModel *known = fcinfo->flinfo->fn_extra;
	MemoryContext old;

	if (known && VARSIZE(known->document) == VARSIZE(document) &&
		memcmp(known->document, document, VARSIZE(document)) == 0)
		return known;
	if (known)
		MemoryContextDelete(known->context);
	fcinfo->flinfo->fn_extra = NULL;
	{
		MemoryContext context = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "lead_mgmt model", ALLOCSET_DEFAULT_SIZES);

		old = MemoryContextSwitchTo(context);
		known = palloc0(sizeof(KnownModel));
		known->context = context;
		known->document = palloc(VARSIZE(document));
		memcpy(known->document, document, VARSIZE(document));
		known->model = LogisticReadModel(known->document);
		MemoryContextSwitchTo(old);
	}
	fcinfo->flinfo->fn_extra = known;
	return known;
}

/* Find the columns of a row type that the features of a model are made of */
static void
FindColumns(KnownModel *known, Oid type, int32 typmod)
{
	MemoryContext old = MemoryContextSwitchTo(known->context);
	TupleDesc	desc = lookup_rowtype_tupdesc(type, typmod);
	int			n = known->model->feature_count;

	known->desc = CreateTupleDescCopy(desc);
	ReleaseTupleDesc(desc);
	known->type = type;
	known->typmod = typmod;
	known->columns = palloc(sizeof(int) * Max(n, 1));
	known->types = palloc(sizeof(Oid) * Max(n, 1));
	known->output = palloc0(sizeof(FmgrInfo) * Max(n, 1));
	known->values = palloc(sizeof(Datum) * Max(known->desc->natts, 1));
	known->nulls = palloc(sizeof(bool) * Max(known->desc->natts, 1));
	for (int f = 0; f < n; f++)
	{
		const LogisticFeature *feature = &known->model->features[f];
		Oid			output;
		bool		is_varlena;
		int			c;

		if (feature->kind == FEATURE_PAIR)
			continue;
		for (c = 0; c < known->desc->natts; c++)
			if (!TupleDescAttr(known->desc, c)->attisdropped &&
				strcmp(NameStr(TupleDescAttr(known->desc, c)->attname), feature->name) == 0)
				break;
		if (c == known->desc->natts)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("the row has no column \"%s\"", feature->name)));
		known->columns[f] = c;
		known->types[f] = getBaseType(TupleDescAttr(known->desc, c)->atttypid);
		getTypeOutputInfo(known->types[f], &output, &is_varlena);
		fmgr_info_cxt(output, &known->output[f], known->context);
	}
	MemoryContextSwitchTo(old);
}

/* Get the value of a feature from a column */
static void
ValueOfDatum(KnownModel *known, int f, Datum datum, FeatureValue *value)
{
	Oid			type = known->types[f];

	if (known->model->features[f].kind == FEATURE_CATEGORICAL)
	{
		if (type == TEXTOID || type == VARCHAROID)
		{
			struct varlena *text = PG_DETOAST_DATUM_PACKED(datum);

			value->text = VARDATA_ANY(text);
			value->length = VARSIZE_ANY_EXHDR(text);
			return;
		}
		/* as a cast to text does, which spells these out */
		value->text = type == BOOLOID ? (DatumGetBool(datum) ? "true" : "false") :
			OutputFunctionCall(&known->output[f], datum);
		value->length = strlen(value->text);
		return;
	}
	switch (type)
	{
		case DATEOID:
			value->number = DatumGetFloat8(DirectFunctionCall2(timestamp_part, PointerGetDatum(cstring_to_text("epoch")),
															   DirectFunctionCall1(date_timestamp, datum)));
			break;
		case TIMESTAMPOID:
			value->number = DatumGetFloat8(DirectFunctionCall2(timestamp_part, PointerGetDatum(cstring_to_text("epoch")), datum));
			break;
		case TIMESTAMPTZOID:
			value->number = DatumGetFloat8(DirectFunctionCall2(timestamptz_part, PointerGetDatum(cstring_to_text("epoch")), datum));
			break;
		case INTERVALOID:
			value->number = DatumGetFloat8(DirectFunctionCall2(interval_part, PointerGetDatum(cstring_to_text("epoch")), datum));
			break;
		case FLOAT8OID:
		case FLOAT4OID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case NUMERICOID:
		case BOOLOID:
			value->number = NumberOf(datum, type);
			break;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("feature \"%s\" is %s but the column of type %s", known->model->features[f].name,
							FeatureKindName(known->model->features[f].kind), format_type_be(type))));
	}
}

/* Get the values of all features of a model from a row */
static FeatureValue *
ValuesOfRow(KnownModel *known, HeapTupleHeader row)
{
	FeatureValue *values = palloc0(sizeof(FeatureValue) * Max(known->model->feature_count, 1));
	HeapTupleData tuple;

	if (known->desc == NULL || known->type != HeapTupleHeaderGetTypeId(row) ||
		known->typmod != HeapTupleHeaderGetTypMod(row))
		FindColumns(known, HeapTupleHeaderGetTypeId(row), HeapTupleHeaderGetTypMod(row));
	tuple.t_len = HeapTupleHeaderGetDatumLength(row);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = row;
	heap_deform_tuple(&tuple, known->desc, known->values, known->nulls);
	for (int f = 0; f < known->model->feature_count; f++)
	{
		int			c = known->columns[f];

		if (known->model->features[f].kind == FEATURE_PAIR)
			continue;
		values[f].isnull = known->nulls[c];
		if (!values[f].isnull)
			ValueOfDatum(known, f, known->values[c], &values[f]);
	}
	return values;
}

PG_FUNCTION_INFO_V1(logistic_probability);
/* Get the probability that a model gives a row */
Datum
logistic_probability(PG_FUNCTION_ARGS)
{
	KnownModel *known = ModelOf(fcinfo, PG_GETARG_JSONB_P(0));
	FeatureValue *values = ValuesOfRow(known, PG_GETARG_HEAPTUPLEHEADER(1));
	double		sum = known->model->intercept;

	for (int f = 0; f < known->model->feature_count; f++)
		sum += FeatureContribution(known->model, f, values, NULL);
	pfree(values);
	PG_RETURN_FLOAT8(LogisticProbability(CalibrateLogit(&known->model->calibration, sum)));
}

/* Put a row of an explanation out */
static void
PutContribution(FunctionCallInfo fcinfo, const char *feature, const char *level, double coefficient)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Datum		values[4];
	bool		nulls[4] = {feature == NULL, level == NULL, false, false};

	values[0] = feature ? CStringGetTextDatum(feature) : (Datum) 0;
	values[1] = level ? CStringGetTextDatum(level) : (Datum) 0;
	values[2] = Float8GetDatum(coefficient);
	values[3] = Float8GetDatum(exp(coefficient));
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

PG_FUNCTION_INFO_V1(explain_logistic);
/* Get what each feature of a row adds to the log odds by a model */
Datum
explain_logistic(PG_FUNCTION_ARGS)
{
	KnownModel *known = ModelOf(fcinfo, PG_GETARG_JSONB_P(0));
	FeatureValue *values = ValuesOfRow(known, PG_GETARG_HEAPTUPLEHEADER(1));
	double		sum = known->model->intercept;

	InitMaterializedSRF(fcinfo, 0);
	PutContribution(fcinfo, "intercept", NULL, sum);
	for (int f = 0; f < known->model->feature_count; f++)
	{
		const LogisticFeature *feature = &known->model->features[f];
		int			level;
		double		coefficient = FeatureContribution(known->model, f, values, &level);

		sum += coefficient;
		PutContribution(fcinfo, feature->name, FeatureLevelText(known->model, f, level), coefficient);
	}
	if (known->model->calibration.method != CALIBRATION_NONE)
		PutContribution(fcinfo, "calibration", NULL, CalibrateLogit(&known->model->calibration, sum) - sum);
	return (Datum) 0;
}
