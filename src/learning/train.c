/*
 * Training a logistic model: fitted to rows of a table and tried out on rows
 * that it has not seen.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/pg_prng.h"
#include "executor/spi.h"
#include "learning/fit.h"
#include "matching/arrays.h"
#include "matching/json.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* With more rows than this, one fold is held out and not each in turn */
#define ALL_FOLDS_ROWS 200000

/* The cost is chosen on at most this many rows */
#define COST_ROWS 50000

/* The costs to choose from */
static const double costs[] = {0.03, 0.1, 0.3, 1, 3};

#define DEFAULT_PAIRS 5
#define DEFAULT_FOLDS 5
#define MAX_FOLDS 100

/* What a training is told */
typedef struct TrainOptions
{
	LogisticPenalty penalty;
	double		cost;			/* NaN to choose one */
	int			folds;			/* 0 to hold nothing out */
	int			pairs;			/* at most */
	uint64		seed;
	CalibrationMethod calibration;
} TrainOptions;

/* Divide rows into folds at random, each with its share of both outcomes */
static uint8 *
AssignFolds(const bool *outcomes, int64 n, int folds, uint64 seed)
{
	uint8	   *fold = ArrayAllocate(CurrentMemoryContext, Max(n, 1));
	uint8		deck[2][MAX_FOLDS];
	int			left[2] = {0, 0};
	pg_prng_state prng;

	pg_prng_seed(&prng, seed);
	for (int64 i = 0; i < n; i++)
	{
		bool		outcome = outcomes[i];

		if (left[outcome] == 0)
		{
			for (int k = 0; k < folds; k++)
				deck[outcome][k] = k;
			for (int k = folds - 1; k > 0; k--)
			{
				int			other = (int) pg_prng_uint64_range(&prng, 0, k);
				uint8		card = deck[outcome][k];

				deck[outcome][k] = deck[outcome][other];
				deck[outcome][other] = card;
			}
			left[outcome] = folds;
		}
		fold[i] = deck[outcome][--left[outcome]];
	}
	return fold;
}

/*
 * Predict rows by models that were not fitted to them; rows of folds from
 * tried on are left out.  Levels and bins are made from the rows fitted, too.
 */
static void
PredictOutOfFold(const LearnTable *table, const LogisticFeature *wanted, const LogisticPenalty *penalty, int pairs,
				 const int64 *rows, int64 n, const uint8 *fold, int tried, double *logits)
{
	int64	   *fitted = ArrayAllocate(CurrentMemoryContext, sizeof(int64) * Max(n, 1));

	for (int k = 0; k < tried; k++)
	{
		MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "lead_mgmt fold", ALLOCSET_DEFAULT_SIZES);
		MemoryContext old = MemoryContextSwitchTo(context);
		int64		count = 0;
		Fit		   *fit;

		for (int64 i = 0; i < n; i++)
			if (fold[i] != k)
				fitted[count++] = rows[i];
		fit = FitRows(table, wanted, penalty, pairs, fitted, count);
		for (int64 i = 0; i < n; i++)
			if (fold[i] == k)
				logits[i] = FitLogit(fit, table, rows[i]);
		MemoryContextSwitchTo(old);
		MemoryContextDelete(context);
	}
	pfree(fitted);
}

/* Fit a calibration of the kind wanted */
static void
FitCalibration(Calibration *calibration, CalibrationMethod method, const double *logits, const bool *outcomes, int64 n)
{
	calibration->method = method;
	if (method == CALIBRATION_PLATT)
		CalibrationFitPlatt(calibration, logits, outcomes, n);
	else if (method == CALIBRATION_ISOTONIC)
		CalibrationFitIsotonic(calibration, logits, outcomes, n);
}

/* Get probabilities from log odds, calibrated by what the other folds say */
static double *
CalibrateAcrossFolds(const TrainOptions *options, const double *logits, const bool *outcomes, const uint8 *group,
					 int groups, int64 n)
{
	double	   *probabilities = ArrayAllocate(CurrentMemoryContext, sizeof(double) * Max(n, 1));
	double	   *others = ArrayAllocate(CurrentMemoryContext, sizeof(double) * Max(n, 1));
	bool	   *came = ArrayAllocate(CurrentMemoryContext, sizeof(bool) * Max(n, 1));

	for (int k = 0; k < groups; k++)
	{
		Calibration calibration = {0};
		int64		count = 0;

		if (options->calibration != CALIBRATION_NONE)
		{
			for (int64 i = 0; i < n; i++)
				if (group[i] != k)
				{
					others[count] = logits[i];
					came[count++] = outcomes[i];
				}
			FitCalibration(&calibration, options->calibration, others, came, count);
		}
		for (int64 i = 0; i < n; i++)
			if (group[i] == k)
				probabilities[i] = LogisticProbability(CalibrateLogit(&calibration, logits[i]));
	}
	pfree(others);
	pfree(came);
	return probabilities;
}

/* Choose the cost with the least loss on rows not seen */
static double
ChooseCost(const LearnTable *table, const LogisticFeature *wanted, const TrainOptions *options)
{
	int64		stride = Max(table->rows / COST_ROWS, 1);
	int64		n = (table->rows + stride - 1) / stride;
	int64	   *rows = ArrayAllocate(CurrentMemoryContext, sizeof(int64) * n);
	bool	   *outcomes = ArrayAllocate(CurrentMemoryContext, sizeof(bool) * n);
	double	   *logits = ArrayAllocate(CurrentMemoryContext, sizeof(double) * n);
	LogisticPenalty penalty = options->penalty;
	uint8	   *fold;
	double		best = 1;
	double		least = INFINITY;

	for (int64 i = 0; i < n; i++)
	{
		rows[i] = i * stride;
		outcomes[i] = table->outcomes[rows[i]];
	}
	fold = AssignFolds(outcomes, n, options->folds, options->seed);
	for (int c = 0; c < lengthof(costs); c++)
	{
		double		loss = 0;

		/* of a sample, the rows weigh as much against the penalty as all do */
		penalty.cost = costs[c] * stride;
		PredictOutOfFold(table, wanted, &penalty, 0, rows, n, fold, options->folds, logits);
		for (int64 i = 0; i < n; i++)
		{
			double		margin = outcomes[i] ? logits[i] : -logits[i];

			loss += log1p(exp(-fabs(margin))) + (margin < 0 ? -margin : 0);
		}
		if (loss < least)
		{
			least = loss;
			best = costs[c];
		}
	}
	pfree(rows);
	pfree(outcomes);
	pfree(logits);
	pfree(fold);
	return best;
}

/* Append how well held-out rows were predicted */
static void
AppendQuality(StringInfo out, const double *probabilities, const bool *outcomes, int64 n)
{
	PredictionQuality quality = MeasurePredictions(probabilities, outcomes, n);
	double		count[RELIABILITY_BINS] = {0};
	double		predicted[RELIABILITY_BINS] = {0};
	double		won[RELIABILITY_BINS] = {0};

	appendStringInfo(out, ", \"held_out_rows\": " INT64_FORMAT, n);
	if (isnan(quality.auc))
		AppendJsonText(out, "auc", NULL);
	else
		AppendJsonNumber(out, "auc", quality.auc);
	AppendJsonNumber(out, "log_loss", quality.log_loss);
	AppendJsonNumber(out, "brier", quality.brier);
	AppendJsonNumber(out, "calibration_error", quality.calibration_error);
	for (int64 i = 0; i < n; i++)
	{
		int			bin = Min((int) (probabilities[i] * RELIABILITY_BINS), RELIABILITY_BINS - 1);

		count[bin]++;
		predicted[bin] += probabilities[i];
		won[bin] += outcomes[i];
	}
	appendStringInfoString(out, ", \"reliability\": [");
	for (int b = 0, written = 0; b < RELIABILITY_BINS; b++)
	{
		if (count[b] == 0)
			continue;
		appendStringInfoString(out, written++ ? ", {" : "{");
		AppendJsonNumber(out, "from", (double) b / RELIABILITY_BINS);
		AppendJsonNumber(out, "rows", count[b]);
		AppendJsonNumber(out, "predicted", predicted[b] / count[b]);
		AppendJsonNumber(out, "observed", won[b] / count[b]);
		appendStringInfoChar(out, '}');
	}
	appendStringInfoChar(out, ']');
}

/* Try the features out on rows that are held out, and fit the calibration to what comes of it */
static void
TryOut(const LearnTable *table, const LogisticFeature *wanted, const TrainOptions *options, const int64 *rows,
	   Calibration *calibration, StringInfo report)
{
	int64		n = table->rows;
	uint8	   *fold = AssignFolds(table->outcomes, n, options->folds, options->seed);
	int			tried = n <= ALL_FOLDS_ROWS ? options->folds : 1;
	double	   *logits = ArrayAllocate(CurrentMemoryContext, sizeof(double) * n);
	bool	   *outcomes = ArrayAllocate(CurrentMemoryContext, sizeof(bool) * n);
	int64		kept = 0;
	double	   *probabilities;

	PredictOutOfFold(table, wanted, &options->penalty, options->pairs, rows, n, fold, tried, logits);
	for (int64 i = 0; i < n; i++)
		if (fold[i] < tried)
		{
			logits[kept] = logits[i];
			outcomes[kept] = table->outcomes[i];
			/* one fold alone is halved to calibrate each half by the other */
			fold[kept] = tried > 1 ? fold[i] : kept % 2;
			kept++;
		}
	probabilities = CalibrateAcrossFolds(options, logits, outcomes, fold, Max(tried, 2), kept);
	AppendQuality(report, probabilities, outcomes, kept);
	FitCalibration(calibration, options->calibration, logits, outcomes, kept);
	pfree(probabilities);
	pfree(logits);
	pfree(outcomes);
	pfree(fold);
}

/* Complain of rows that nothing can be learned from */
static void
CheckRows(const LearnTable *table, const char *label)
{
	int64		won = 0;

	for (int64 i = 0; i < table->rows; i++)
		won += table->outcomes[i];
	if (table->rows == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("there are no rows whose label \"%s\" is known", label)));
	if (won == 0 || won == table->rows)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("label \"%s\" is %s for all " INT64_FORMAT " rows", label, won ? "true" : "false", table->rows),
				 errhint("A model needs rows of both outcomes.")));
}

/* Complain of an option that is out of its range */
static double
Option(JsonbContainer *root, const char *name, double otherwise, double lowest, double highest)
{
	double		number = JsonNumber(root, name, otherwise);

	if (!isnan(number) && !(number >= lowest && number <= highest))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" of the model is %g", name, number),
				 errhint("It must be from %g to %g.", lowest, highest)));
	return number;
}

/* Read what a training is told */
static TrainOptions
ReadOptions(JsonbContainer *root)
{
	TrainOptions options = {{0}};
	char	   *calibration = JsonText(root, "calibrate");
	char	   *solver = JsonText(root, "solver");

	options.cost = Option(root, "cost", NAN, 1e-10, 1e10);
	options.penalty.won_weight = Option(root, "won_weight", 1, 1e-6, 1e6);
	options.penalty.lost_weight = Option(root, "lost_weight", 1, 1e-6, 1e6);
	options.folds = (int) Option(root, "folds", DEFAULT_FOLDS, 0, MAX_FOLDS);
	options.pairs = (int) Option(root, "pairs", DEFAULT_PAIRS, 0, LOGISTIC_MAX_PAIRS);
	options.seed = (uint64) Option(root, "seed", 1, 0, 1e15);
	options.calibration = calibration ? CalibrationNamed(calibration) : CALIBRATION_NONE;
	if (options.folds == 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"folds\" of the model is 1"),
				 errhint("It must be 0, to hold nothing out, or at least 2.")));
	if (options.folds == 0 && options.calibration != CALIBRATION_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a calibration needs rows that are held out"),
				 errhint("Set \"folds\" to at least 2.")));
	if (solver == NULL || strcmp(solver, "auto") == 0)
		options.penalty.solver = SOLVER_AUTO;
	else if (strcmp(solver, "newton") == 0)
		options.penalty.solver = SOLVER_NEWTON;
	else if (strcmp(solver, "liblinear") == 0)
		options.penalty.solver = SOLVER_LIBLINEAR;
	else
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown solver: \"%s\"", solver),
				 errhint("Solvers: auto, newton, liblinear.")));
	return options;
}

/* Make a feature of each column that has a type to learn from */
static LogisticFeature *
ProposeFeatures(const char *source, const char *label, int *count)
{
	MemoryContext context = CurrentMemoryContext;
	SourceColumn *columns;
	LogisticFeature *features;
	int			column_count;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	columns = LearnSourceColumns(source, &column_count);
	features = MemoryContextAllocZero(context, sizeof(LogisticFeature) * Max(column_count, 1));
	*count = 0;
	for (int c = 0; c < column_count; c++)
	{
		LogisticFeature *feature = &features[*count];
		char		category;
		bool		preferred;

		get_type_category_preferred(getBaseType(columns[c].type), &category, &preferred);
		if (strcmp(columns[c].name, label) == 0 || (!LearnIsNumber(columns[c].type) &&
													category != TYPCATEGORY_STRING && category != TYPCATEGORY_BOOLEAN &&
													category != TYPCATEGORY_ENUM))
			continue;
		feature->name = MemoryContextStrdup(context, columns[c].name);
		feature->kind = LearnIsNumber(columns[c].type) ? FEATURE_BINS : FEATURE_CATEGORICAL;
		feature->bins = DEFAULT_BINS;
		feature->minimum_rows = DEFAULT_MINIMUM_ROWS;
		(*count)++;
	}
	SPI_finish();
	return features;
}

/* Read the features a document asks for, or propose them */
static LogisticFeature *
WantedFeatures(JsonbContainer *root, const char *source, const char *label, int *count)
{
	JsonbContainer *array = JsonMember(root, "features", true);
	LogisticFeature *features;

	if (array == NULL)
		features = ProposeFeatures(source, label, count);
	else
	{
		int			given = JsonLength(array);

		features = palloc0(sizeof(LogisticFeature) * Max(given, 1));
		*count = 0;
		for (int f = 0; f < given; f++)
		{
			/* pairs of an earlier training are chosen anew */
			LogisticReadFeature(JsonElement(array, f, "features"), &features[*count]);
			*count += features[*count].kind != FEATURE_PAIR;
		}
	}
	if (*count == 0 || *count > LOGISTIC_MAX_FEATURES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the model has %d features", *count),
				 errhint("It must have from 1 to %d.", LOGISTIC_MAX_FEATURES)));
	return features;
}

PG_FUNCTION_INFO_V1(train_logistic_model);
/* Train a model on the rows of a table or query */
Datum
train_logistic_model(PG_FUNCTION_ARGS)
{
	char	   *source = text_to_cstring(PG_GETARG_TEXT_PP(0));
	JsonbContainer *root = &PG_GETARG_JSONB_P(1)->root;
	TrainOptions options;
	char	   *label;
	int			count;
	LogisticFeature *wanted;
	LearnTable *table;
	StringInfoData report;
	StringInfoData out;
	Calibration calibration = {0};
	int64	   *rows;
	Fit		   *fit;

	if (!JsonContainerIsObject(root))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the model is not an object")));
	options = ReadOptions(root);
	label = JsonText(root, "label");
	if (label == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the model has no \"label\""),
				 errhint("It names the column that is to be foretold.")));
	wanted = WantedFeatures(root, source, label, &count);
	table = LearnRead(source, label, wanted, count);
	CheckRows(table, label);
	rows = ArrayAllocate(CurrentMemoryContext, sizeof(int64) * table->rows);
	for (int64 i = 0; i < table->rows; i++)
		rows[i] = i;
	if (isnan(options.cost))
		options.cost = options.folds > 0 ? ChooseCost(table, wanted, &options) : 1;
	options.penalty.cost = options.cost;
	initStringInfo(&report);
	if (options.folds > 0)
		TryOut(table, wanted, &options, rows, &calibration, &report);
	fit = FitRows(table, wanted, &options.penalty, options.pairs, rows, table->rows);
	fit->model.label = label;
	fit->model.calibration = calibration;

	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	LogisticAppendModel(&out, &fit->model);
	AppendJsonNumber(&out, "cost", options.cost);
	AppendJsonNumber(&out, "won_weight", options.penalty.won_weight);
	AppendJsonNumber(&out, "lost_weight", options.penalty.lost_weight);
	{
		int64		won = 0;

		for (int64 i = 0; i < table->rows; i++)
			won += table->outcomes[i];
		appendStringInfo(&out, ", \"report\": {\"rows\": " INT64_FORMAT ", \"won\": " INT64_FORMAT
						 ", \"coefficients\": %d, \"folds\": %d%s}}", table->rows, won, fit->width, options.folds,
						 report.data);
	}
	PG_RETURN_DATUM(LogisticJsonb(&out));
}
