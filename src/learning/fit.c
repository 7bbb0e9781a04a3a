/*
 * Fitting a logistic model to rows of a table: from columns to levels, and to
 * coefficients; and the pairs of features that say more together.
 */
#include "postgres.h"

#include <math.h>

#include "learning/fit.h"
#include "matching/arrays.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* Quantiles come from at most this many rows */
#define QUANTILE_ROWS 200000

/* Pairs are looked for on at most this many rows, in groups of levels */
#define PAIR_ROWS 50000
#define PAIR_GROUPS 8

/* What two features add together must explain so many times what chance would */
#define PAIR_CHANCE 2

/* Order numbers */
static int
CompareNumbers(const void *a, const void *b)
{
	double		left = *(const double *) a;
	double		right = *(const double *) b;

	return left < right ? -1 : left > right;
}

/* Get the numbers of a column that are there, in order; a sample where there are many */
static double *
SortedNumbers(const LearnColumn *column, const int64 *rows, int64 n, bool finite, int64 *count)
{
	int64		stride = Max(n / QUANTILE_ROWS, 1);
	double	   *sorted = ArrayAllocate(CurrentMemoryContext, sizeof(double) * (n / stride + 1));

	*count = 0;
	for (int64 i = 0; i < n; i += stride)
	{
		double		number = column->numbers[rows[i]];

		if (!isnan(number) && (!finite || NumberIsUsable(number)))
			sorted[(*count)++] = number;
	}
	qsort(sorted, *count, sizeof(double), CompareNumbers);
	return sorted;
}

/*
 * Cut the numbers of a column into bins that hold about as many rows each.  A
 * number that as many rows have as belong into a bin has a bin of its own:
 * zero often stands for something else than little.
 */
static void
MakeBins(LogisticFeature *feature, const LearnColumn *column, const int64 *rows, int64 n)
{
	int64		count;
	double	   *sorted = SortedNumbers(column, rows, n, false, &count);
	int64		share = Max(count / feature->bins, 1);
	int64		begin = 0;
	int64		end;

	feature->levels = palloc0(sizeof(LogisticLevel) * (2 * feature->bins + 1));
	feature->level_count = 0;
	/* over the distinct numbers: end is behind the last row of one of them */
	for (int64 i = 0; i < count; i = end)
	{
		for (end = i + 1; end < count && sorted[end] == sorted[i]; end++)
			;
		if (end - i >= share && i > begin)
		{
			feature->levels[feature->level_count++].from = sorted[begin];
			begin = i;
		}
		if (end - begin >= share || end == count)
		{
			feature->levels[feature->level_count++].from = sorted[begin];
			begin = end;
		}
	}
	if (feature->level_count > 0)
		feature->levels[0].from = -INFINITY;
	pfree(sorted);
}

/* Find the centre and the scale of the numbers of a column */
static void
MakeLine(LogisticFeature *feature, const LearnColumn *column, const int64 *rows, int64 n)
{
	int64		count;
	double	   *sorted = SortedNumbers(column, rows, n, true, &count);
	double		mean = 0;
	double		farthest = 0;
	double		square = 0;

	for (int64 i = 0; i < count; i++)
		mean += (sorted[i] - mean) / (i + 1);
	for (int64 i = 0; i < count; i++)
		farthest = Max(farthest, fabs(sorted[i] - mean));
	/* against the farthest, whose square need not be a number */
	for (int64 i = 0; i < count && farthest > 0; i++)
		square += (sorted[i] - mean) / farthest * ((sorted[i] - mean) / farthest);
	feature->center = mean;
	feature->scale = farthest > 0 ? farthest * sqrt(square / count) : 1;
	feature->fill = count > 0 ? sorted[count / 2] : 0;
	pfree(sorted);
}

/* Make a level of each text that enough rows have */
static void
MakeLevels(LogisticFeature *feature, const LearnColumn *column, const int64 *rows, int64 n, int *text_levels)
{
	int64	   *count = ArrayAllocateZero(CurrentMemoryContext, sizeof(int64) * (uint64) column->value_count);
	int			kept = 0;

	for (int64 i = 0; i < n; i++)
		count[column->texts[rows[i]]]++;
	for (uint32 v = 1; v < column->value_count; v++)
		kept += count[v] >= feature->minimum_rows;
	feature->levels = ArrayAllocateZero(CurrentMemoryContext, sizeof(LogisticLevel) * (uint64) Max(kept, 1));
	for (uint32 v = 1; v < column->value_count; v++)
		if (count[v] >= feature->minimum_rows)
		{
			LogisticLevel *level = &feature->levels[feature->level_count++];

			level->value = column->values[v].value;
			level->length = column->values[v].length;
			level->rows = v;	/* until the order is known */
		}
	LogisticSortLevels(feature);
	for (uint32 v = 0; v < column->value_count; v++)
		text_levels[v] = LEVEL_OTHER;
	for (int l = 0; l < feature->level_count; l++)
	{
		text_levels[feature->levels[l].rows] = l;
		feature->levels[l].rows = 0;
	}
	text_levels[TEXT_MISSING] = LEVEL_MISSING;
	pfree(count);
}

/* Get the level of a row in a feature that is no pair */
static inline int
SingleLevel(const Fit *fit, int f, const LearnTable *table, int64 row)
{
	FeatureValue value = {false};

	if (fit->model.features[f].kind == FEATURE_CATEGORICAL)
		return fit->text_levels[f][table->columns[f].texts[row]];
	value.number = table->columns[f].numbers[row];
	return FeatureLevel(&fit->model.features[f], &value);
}

/* Get the level of a row in a feature */
static inline int
RowLevel(const Fit *fit, int f, const LearnTable *table, int64 row)
{
	const LogisticFeature *feature = &fit->model.features[f];

	if (feature->kind == FEATURE_PAIR)
		return FeaturePairLevel(feature, SingleLevel(fit, feature->of[0], table, row),
						 SingleLevel(fit, feature->of[1], table, row));
	return SingleLevel(fit, f, table, row);
}

/* Get a level by its number */
static LogisticLevel *
LevelNumbered(LogisticFeature *feature, int level)
{
	return level == LEVEL_MISSING ? &feature->missing : level == LEVEL_OTHER ? &feature->other : &feature->levels[level];
}

/* Get the number of the coefficient of a level, -1 when it has none */
static inline int
CoefficientOf(const Fit *fit, int f, int level)
{
	const LogisticFeature *feature = &fit->model.features[f];
	int			first = fit->first_level[f];

	if (level >= 0)
		return first + level;
	if (level == LEVEL_OTHER)
		return feature->has_other ? first + feature->level_count : -1;
	if (level == LEVEL_MISSING)
		return feature->has_missing ? first + feature->level_count + feature->has_other : -1;
	return -1;
}

/* Give each level a coefficient */
static void
NumberCoefficients(Fit *fit)
{
	int			next = 1;

	for (int f = 0; f < fit->model.feature_count; f++)
		next += fit->model.features[f].kind == FEATURE_NUMERIC;
	for (int f = 0; f < fit->model.feature_count; f++)
	{
		const LogisticFeature *feature = &fit->model.features[f];

		fit->first_level[f] = next;
		next += feature->level_count + feature->has_other + feature->has_missing;
	}
	fit->width = next;
	if (next > LOGISTIC_MAX_LEVELS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the features have %d levels together, more than %d", next, LOGISTIC_MAX_LEVELS),
				 errhint("Raise minimum_rows, or leave out features that tell single rows apart.")));
}

/* Count the rows of each level of a feature */
static void
CountLevels(Fit *fit, int f, const LearnTable *table, const int64 *rows, int64 n)
{
	LogisticFeature *feature = &fit->model.features[f];

	for (int64 i = 0; i < n; i++)
	{
		int			level = RowLevel(fit, f, table, rows[i]);
		LogisticLevel *found;

		if (level == LEVEL_NUMBER)
			continue;
		found = LevelNumbered(feature, level);
		found->rows++;
		found->won += table->outcomes[rows[i]];
	}
	feature->has_other = feature->other.rows > 0;
	feature->has_missing = feature->missing.rows > 0;
}

/* Make the features' levels from the rows to learn from */
static void
MakeFeatures(Fit *fit, const LearnTable *table, const LogisticFeature *wanted, const int64 *rows, int64 n)
{
	for (int f = 0; f < fit->single_count; f++)
	{
		LogisticFeature *feature = &fit->model.features[f];
		const LearnColumn *column = &table->columns[f];

		*feature = wanted[f];
		CHECK_FOR_INTERRUPTS();
		if (feature->kind == FEATURE_CATEGORICAL)
		{
			fit->text_levels[f] = ArrayAllocate(CurrentMemoryContext, sizeof(int) * (uint64) column->value_count);
			MakeLevels(feature, column, rows, n, fit->text_levels[f]);
		}
		else if (feature->kind == FEATURE_BINS)
			MakeBins(feature, column, rows, n);
		else
			MakeLine(feature, column, rows, n);
		CountLevels(fit, f, table, rows, n);
	}
}

/* Lay the rows out for the solver */
static void
MakeDesign(const Fit *fit, const LearnTable *table, const int64 *rows, int64 n, LogisticDesign *design)
{
	design->rows = n;
	design->width = fit->width;
	design->numbers = 0;
	design->levels = 0;
	for (int f = 0; f < fit->model.feature_count; f++)
	{
		const LogisticFeature *feature = &fit->model.features[f];

		design->numbers += feature->kind == FEATURE_NUMERIC;
		design->levels += feature->kind != FEATURE_NUMERIC || feature->has_missing;
	}
	design->number = ArrayAllocate(CurrentMemoryContext, sizeof(double) * Max(n * design->numbers, 1));
	design->level = ArrayAllocate(CurrentMemoryContext, sizeof(int32) * Max(n * design->levels, 1));
	design->outcome = ArrayAllocate(CurrentMemoryContext, sizeof(bool) * Max(n, 1));
	for (int64 i = 0; i < n; i++)
		design->outcome[i] = table->outcomes[rows[i]];
	/* by feature, so that the values of one column are read in order */
	for (int f = 0, number = 0, place = 0; f < fit->model.feature_count; f++)
	{
		const LogisticFeature *feature = &fit->model.features[f];

		CHECK_FOR_INTERRUPTS();
		if (feature->kind == FEATURE_NUMERIC)
		{
			for (int64 i = 0; i < n; i++)
			{
				double		x = table->columns[f].numbers[rows[i]];

				design->number[i * design->numbers + number] =
					((NumberIsUsable(x) ? x : feature->fill) - feature->center) / feature->scale;
			}
			number++;
			if (!feature->has_missing)
				continue;
		}
		for (int64 i = 0; i < n; i++)
			design->level[i * design->levels + place] =
				CoefficientOf(fit, f, RowLevel(fit, f, table, rows[i]));
		place++;
	}
}

/* Put the coefficients into the model */
static void
TakeCoefficients(Fit *fit)
{
	const double *w = fit->coefficients;

	fit->model.intercept = w[0];
	for (int f = 0, number = 1; f < fit->model.feature_count; f++)
	{
		LogisticFeature *feature = &fit->model.features[f];

		for (int l = 0; l < feature->level_count; l++)
			feature->levels[l].coefficient = w[CoefficientOf(fit, f, l)];
		if (feature->has_other)
			feature->other.coefficient = w[CoefficientOf(fit, f, LEVEL_OTHER)];
		if (feature->has_missing)
			feature->missing.coefficient = w[CoefficientOf(fit, f, LEVEL_MISSING)];
		if (feature->kind == FEATURE_NUMERIC)
		{
			feature->slope = w[number++] / feature->scale;
			feature->missing.coefficient += feature->slope * (feature->fill - feature->center);
			feature->has_missing = true;
		}
	}
}

/* Get the log odds that a fit gives a row */
double
FitLogit(const Fit *fit, const LearnTable *table, int64 row)
{
	double		sum = fit->model.intercept;

	for (int f = 0; f < fit->model.feature_count; f++)
	{
		LogisticFeature *feature = &fit->model.features[f];
		int			level = RowLevel(fit, f, table, row);

		if (level == LEVEL_NUMBER)
			sum += feature->slope * (table->columns[f].numbers[row] - feature->center);
		else
			sum += LevelNumbered(feature, level)->coefficient;
	}
	return sum;
}

/* Order levels by how many rows they have, the most first */
static int
CompareRows(const void *a, const void *b)
{
	const LogisticLevel *left = *(LogisticLevel *const *) a;
	const LogisticLevel *right = *(LogisticLevel *const *) b;

	if (left->rows != right->rows)
		return left->rows > right->rows ? -1 : 1;
	return left < right ? -1 : left > right;
}

/* Group the levels of a feature for pairs: bins with their neighbours, of values the commonest apart */
static uint8 *
GroupLevels(const LogisticFeature *feature, int64 n, int *groups)
{
	uint8	   *group = palloc0(feature->level_count - LEVEL_OTHER);
	uint8	   *of_level = group - LEVEL_OTHER;

	*groups = 0;
	if (feature->kind == FEATURE_BINS)
	{
		int64		share = (n - feature->missing.rows) / (PAIR_GROUPS - 2) + 1;
		int64		held = 0;

		for (int l = 0; l < feature->level_count; l++)
		{
			of_level[l] = *groups;
			held += feature->levels[l].rows;
			if (held >= share && l < feature->level_count - 1)
			{
				held = 0;
				(*groups)++;
			}
		}
		(*groups)++;
	}
	else
	{
		LogisticLevel **sorted = palloc(sizeof(LogisticLevel *) * Max(feature->level_count, 1));

		for (int l = 0; l < feature->level_count; l++)
			sorted[l] = &feature->levels[l];
		qsort(sorted, feature->level_count, sizeof(LogisticLevel *), CompareRows);
		for (int l = 0; l < feature->level_count; l++)
			of_level[sorted[l] - feature->levels] = Min(l, PAIR_GROUPS - 2);
		*groups = Min(feature->level_count, PAIR_GROUPS - 1);
		pfree(sorted);
	}
	/* values that are rare or unknown share the group of the rest, if there is one */
	group[0] = *groups < PAIR_GROUPS - 1 || feature->kind == FEATURE_BINS ? (*groups)++ : *groups - 1;
	group[LEVEL_MISSING - LEVEL_OTHER] = (*groups)++;
	return group;
}

/* A pair of features that may be worth a feature of its own */
typedef struct PairGain
{
	int			first;
	int			second;
	double		gain;
} PairGain;

/* Order pairs by what they gain, the most first */
static int
ComparePairs(const void *a, const void *b)
{
	const PairGain *left = a;
	const PairGain *right = b;

	if (left->gain != right->gain)
		return left->gain > right->gain ? -1 : 1;
	return left->first != right->first ? left->first - right->first : left->second - right->second;
}

/*
 * Find out what a pair adds to what its features say alone: a score test of
 * its cells on the errors that are left, less what chance would give.
 */
static double
GainOfPair(const uint8 *first, const uint8 *second, int seconds, int cells, const double *errors,
		   const double *variances, int64 n)
{
	double		error[(PAIR_GROUPS + 1) * (PAIR_GROUPS + 1)] = {0};
	double		variance[(PAIR_GROUPS + 1) * (PAIR_GROUPS + 1)] = {0};
	double		gain = 0;
	int			filled = 0;

	for (int64 i = 0; i < n; i++)
	{
		int			cell = first[i] * seconds + second[i];

		error[cell] += errors[i];
		variance[cell] += variances[i];
	}
	for (int c = 0; c < cells; c++)
	{
		if (variance[c] < 1)
			continue;
		gain += error[c] * error[c] / (variance[c] + 1);
		filled++;
	}
	return gain - PAIR_CHANCE * filled;
}

/*
 * Choose the pairs of features that say more together than alone, and make
 * features of them (pairwise interactions as in Lou, Caruana, Gehrke and
 * Hooker, "Accurate intelligible models with pairwise interactions", KDD 2013).
 */
static void
AddPairs(Fit *fit, const LearnTable *table, const int64 *rows, int64 n, int most)
{
	int64		stride = Max(n / PAIR_ROWS, 1);
	int64		sampled = n / stride;
	int			singles = fit->single_count;
	double	   *errors = ArrayAllocate(CurrentMemoryContext, sizeof(double) * Max(sampled, 1));
	double	   *variances = ArrayAllocate(CurrentMemoryContext, sizeof(double) * Max(sampled, 1));
	uint8	  **codes = palloc0(sizeof(uint8 *) * singles);
	uint8	  **group = palloc0(sizeof(uint8 *) * singles);
	int		   *groups = palloc0(sizeof(int) * singles);
	PairGain   *gains = palloc(sizeof(PairGain) * Max(singles * singles / 2, 1));
	int			count = 0;

	for (int64 i = 0; i < sampled; i++)
	{
		double		p = LogisticProbability(FitLogit(fit, table, rows[i * stride]));

		errors[i] = table->outcomes[rows[i * stride]] - p;
		variances[i] = p * (1 - p);
	}
	for (int f = 0; f < singles; f++)
	{
		const LogisticFeature *feature = &fit->model.features[f];

		if (feature->kind == FEATURE_NUMERIC || feature->level_count + feature->has_missing < 2)
			continue;
		group[f] = GroupLevels(feature, n, &groups[f]);
		codes[f] = ArrayAllocate(CurrentMemoryContext, Max(sampled, 1));
		for (int64 i = 0; i < sampled; i++)
			codes[f][i] = group[f][SingleLevel(fit, f, table, rows[i * stride]) - LEVEL_OTHER];
	}
	for (int a = 0; a < singles; a++)
		for (int b = a + 1; b < singles; b++)
		{
			PairGain   *pair = &gains[count];

			if (codes[a] == NULL || codes[b] == NULL)
				continue;
			CHECK_FOR_INTERRUPTS();
			*pair = (PairGain) {a, b};
			pair->gain = GainOfPair(codes[a], codes[b], groups[b], groups[a] * groups[b], errors, variances, sampled);
			count += pair->gain > 0;
		}
	qsort(gains, count, sizeof(PairGain), ComparePairs);
	for (int p = 0; p < Min(count, most); p++)
	{
		int			f = fit->model.feature_count++;
		LogisticFeature *pair = &fit->model.features[f];
		int			cells;

		memset(pair, 0, sizeof(LogisticFeature));
		pair->kind = FEATURE_PAIR;
		for (int side = 0; side < 2; side++)
		{
			pair->of[side] = side ? gains[p].second : gains[p].first;
			pair->group[side] = group[pair->of[side]];
			pair->groups[side] = groups[pair->of[side]];
		}
		pair->name = psprintf("%s & %s", fit->model.features[pair->of[0]].name, fit->model.features[pair->of[1]].name);
		cells = pair->groups[0] * pair->groups[1];
		pair->cells = palloc(sizeof(int) * cells);
		pair->levels = palloc0(sizeof(LogisticLevel) * cells);
		for (int c = 0; c < cells; c++)
		{
			pair->cells[c] = c;
			pair->levels[c].cell = c;
		}
		CountLevels(fit, f, table, rows, n);
		for (int c = 0; c < cells; c++)
			if (pair->levels[c].rows == 0)
				pair->cells[c] = -1;
			else
			{
				pair->cells[c] = pair->level_count;
				pair->levels[pair->level_count++] = pair->levels[c];
			}
	}
}

/* Find the coefficients of a fit's features, beginning at those of the first ones that are there */
static void
Solve(Fit *fit, const LearnTable *table, const LogisticPenalty *penalty, const int64 *rows, int64 n)
{
	LogisticDesign design = {0};
	int			known = fit->width;
	double	   *coefficients;

	NumberCoefficients(fit);
	MakeDesign(fit, table, rows, n, &design);
	coefficients = ArrayAllocateZero(CurrentMemoryContext, sizeof(double) * fit->width);
	if (known > 0)
		memcpy(coefficients, fit->coefficients, sizeof(double) * known);
	fit->coefficients = coefficients;
	LogisticSolve(&design, penalty, fit->coefficients);
	pfree(design.number);
	pfree(design.level);
	pfree(design.outcome);
	TakeCoefficients(fit);
}

/* Fit a model with at most so many pairs to rows of a table */
Fit *
FitRows(const LearnTable *table, const LogisticFeature *wanted, const LogisticPenalty *penalty, int pairs,
		const int64 *rows, int64 n)
{
	Fit		   *fit = palloc0(sizeof(Fit));
	int			most = table->column_count + pairs;

	fit->single_count = fit->model.feature_count = table->column_count;
	fit->model.features = palloc0(sizeof(LogisticFeature) * Max(most, 1));
	fit->text_levels = palloc0(sizeof(int *) * Max(most, 1));
	fit->first_level = palloc0(sizeof(int) * Max(most, 1));
	MakeFeatures(fit, table, wanted, rows, n);
	Solve(fit, table, penalty, rows, n);
	if (pairs > 0)
	{
		AddPairs(fit, table, rows, n, pairs);
		if (fit->model.feature_count > fit->single_count)
			Solve(fit, table, penalty, rows, n);
	}
	return fit;
}
