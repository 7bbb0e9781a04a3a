/*
 * The optimum of a logistic regression, by Newton's method.
 *
 * The objective is LIBLINEAR's own (solver 0, bias 1; Lin, Weng and Keerthi,
 * "Trust region Newton method for large-scale logistic regression", JMLR
 * 2008): half the sum of squares of all coefficients, the intercept included,
 * plus the weighted sum of logistic losses.  It is strictly convex, so there
 * is one optimum whatever finds it.  Where there are few coefficients, a
 * Newton step through the factorised Hessian gets there in a few passes over
 * the rows.  With many rows, the start and the Hessian come from a sample, and
 * steps by exact gradients of all rows correct what the sample got wrong; where
 * they do not do so quickly enough, the Hessian of all rows is computed.
 */
#include "postgres.h"

#include <math.h>

#include "learning/logistic.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* Rows between two looks for interrupts, and in one block of the Hessian */
#define BLOCK_ROWS 256

/* A sample has this many rows; with less than four times as many all are used */
#define SAMPLE_ROWS 40000

#define MAX_STEPS 100

/* Steps shorter than this, in any coefficient against its own size, end the search */
#define STEP_TOLERANCE 1e-8
#define SAMPLE_TOLERANCE 1e-4

/* Factors of up to 2 whose product a double holds */
#define LOG_BATCH 512

typedef struct Newton
{
	const LogisticDesign *design;
	const LogisticPenalty *penalty;
	int64		stride;			/* rows of the sample are this far apart */
	int			width;
	double	   *gradient;
	double	   *hessian;		/* lower triangle by rows; factorised in place */
	double	   *scale;			/* of the diagonal before it was factorised */
} Newton;

/* Get the log odds of a row */
static inline double
RowLogit(const LogisticDesign *design, int64 row, const double *w)
{
	const double *x = design->number + row * design->numbers;
	const int32 *level = design->level + row * design->levels;
	double		sum = w[0];
	double		sums[4] = {0};
	int			j = 0;

	/* four sums side by side, so that an addition need not wait for the last */
	for (; j + 4 <= design->numbers; j += 4)
		for (int k = 0; k < 4; k++)
			sums[k] += w[1 + j + k] * x[j + k];
	for (; j < design->numbers; j++)
		sum += w[1 + j] * x[j];
	for (j = 0; j < design->levels; j++)
		if (level[j] >= 0)
			sum += w[level[j]];
	return sum + (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

/* Compute the objective and its gradient over all rows, or those of the sample */
static double
Gradient(Newton *newton, const double *w, int64 stride)
{
	const LogisticDesign *design = newton->design;
	const LogisticPenalty *penalty = newton->penalty;
	double	   *g = newton->gradient;
	double		value = 0;
	double		loss = 0;
	double		product[2] = {1, 1};

	memset(g, 0, sizeof(double) * newton->width);
	for (int64 row = 0, seen = 0; row < design->rows; row += stride, seen++)
	{
		const double *x = design->number + row * design->numbers;
		const int32 *level = design->level + row * design->levels;
		double		logit = RowLogit(design, row, w);
		double		weight = design->outcome[row] ? penalty->won_weight : penalty->lost_weight;
		double		margin = design->outcome[row] ? logit : -logit;
		double		tail = exp(-fabs(margin));
		double		error;

		/* the logarithm of a product is cheaper than the sum of logarithms */
		if (seen % LOG_BATCH == LOG_BATCH - 1)
		{
			CHECK_FOR_INTERRUPTS();
			loss += penalty->lost_weight * log(product[0]) + penalty->won_weight * log(product[1]);
			product[0] = product[1] = 1;
		}
		product[design->outcome[row]] *= 1 + tail;
		if (margin < 0)
			loss -= weight * margin;
		error = weight * (margin < 0 ? 1 : tail) / (1 + tail);
		if (design->outcome[row])
			error = -error;
		g[0] += error;
		for (int j = 0; j < design->numbers; j++)
			g[1 + j] += error * x[j];
		for (int j = 0; j < design->levels; j++)
			if (level[j] >= 0)
				g[level[j]] += error;
	}
	loss += penalty->lost_weight * log(product[0]) + penalty->won_weight * log(product[1]);
	for (int j = 0; j < newton->width; j++)
	{
		g[j] = w[j] + g[j] * penalty->cost * stride;
		value += w[j] * w[j] / 2;
	}
	return value + loss * penalty->cost * stride;
}

/* Compute the Hessian and factorise it, its diagonal scaled to one (Jacobi, then Cholesky) */
static void
Factorise(Newton *newton, const double *w, int64 stride)
{
	const LogisticDesign *design = newton->design;
	const LogisticPenalty *penalty = newton->penalty;
	int			width = newton->width;
	int			numbers = design->numbers;
	double	   *h = newton->hessian;

	memset(h, 0, sizeof(double) * width * width);
	for (int64 row = 0, seen = 0; row < design->rows; row += stride, seen++)
	{
		const double *x = design->number + row * numbers;
		const int32 *level = design->level + row * design->levels;
		double		tail = exp(-fabs(RowLogit(design, row, w)));
		double		weight = (design->outcome[row] ? penalty->won_weight : penalty->lost_weight) *
			penalty->cost * stride * tail / ((1 + tail) * (1 + tail));

		if (seen % BLOCK_ROWS == 0)
			CHECK_FOR_INTERRUPTS();
		h[0] += weight;
		for (int a = 0; a < numbers; a++)
		{
			double		part = weight * x[a];
			double	   *line = h + (int64) (1 + a) * width;

			line[0] += part;
			for (int b = 0; b <= a; b++)
				line[1 + b] += part * x[b];
		}
		for (int a = 0; a < design->levels; a++)
		{
			double	   *line;

			if (level[a] < 0)
				continue;
			line = h + (int64) level[a] * width;
			line[0] += weight;
			for (int b = 0; b < numbers; b++)
				line[1 + b] += weight * x[b];
			/* levels of later features come later, so these are of the lower triangle */
			for (int b = 0; b <= a; b++)
				if (level[b] >= 0)
					line[level[b]] += weight;
		}
	}
	for (int j = 0; j < width; j++)
		newton->scale[j] = 1 / sqrt(h[(int64) j * width + j] + 1);
	for (int j = 0; j < width; j++)
	{
		double	   *line = h + (int64) j * width;

		CHECK_FOR_INTERRUPTS();
		line[j] = 1;
		for (int k = 0; k < j; k++)
			line[k] *= newton->scale[j] * newton->scale[k];
		for (int k = 0; k < j; k++)
		{
			const double *other = h + (int64) k * width;
			double		sum = line[k];

			for (int i = 0; i < k; i++)
				sum -= line[i] * other[i];
			line[k] = sum / other[k];
			line[j] -= line[k] * line[k];
		}
		/* rounding alone can make this less than the regularisation leaves */
		line[j] = sqrt(Max(line[j], Max(newton->scale[j] * newton->scale[j], 1e-14)));
	}
}

/* Solve for the step against the gradient */
static void
Step(const Newton *newton, double *step)
{
	int			width = newton->width;
	const double *h = newton->hessian;

	for (int j = 0; j < width; j++)
	{
		const double *line = h + (int64) j * width;
		double		sum = -newton->gradient[j] * newton->scale[j];

		for (int k = 0; k < j; k++)
			sum -= line[k] * step[k];
		step[j] = sum / line[j];
	}
	for (int j = width - 1; j >= 0; j--)
	{
		const double *line = h + (int64) j * width;

		step[j] /= line[j];
		for (int k = 0; k < j; k++)
			step[k] -= line[k] * step[j];
	}
	for (int j = 0; j < width; j++)
		step[j] *= newton->scale[j];
}

/*
 * Go to the optimum from where w is.  Without refresh, the factors at hand are
 * used as long as they serve.
 */
static void
Descend(Newton *newton, double *w, int64 stride, bool refresh, double tolerance)
{
	int			width = newton->width;
	double	   *step = palloc(sizeof(double) * width);
	double	   *next = palloc(sizeof(double) * width);
	double		value = Gradient(newton, w, stride);
	double		last_length = INFINITY;

	for (int i = 0; i < MAX_STEPS; i++)
	{
		double		length = 0;
		double		slope = 0;
		double		size = 1;
		double		reached = value;

		if (refresh)
			Factorise(newton, w, stride);
		Step(newton, step);
		for (int j = 0; j < width; j++)
		{
			length = Max(length, fabs(step[j]) / (1 + fabs(w[j])));
			slope += step[j] * newton->gradient[j];
		}
		if (length <= tolerance)
		{
			for (int j = 0; j < width; j++)
				w[j] += step[j];
			break;
		}
		if (!refresh && length > last_length / 3)
		{
			refresh = true;
			last_length = INFINITY;
			continue;
		}
		last_length = length;
		/* what rounding makes of the objective must not look like an ascent */
		for (; size > 1e-10; size /= 2)
		{
			for (int j = 0; j < width; j++)
				next[j] = w[j] + size * step[j];
			reached = Gradient(newton, next, stride);
			if (reached <= value + 1e-4 * size * slope + 1e-12 * fabs(value))
				break;
		}
		if (size <= 1e-10)
		{
			(void) Gradient(newton, w, stride);
			if (refresh)
				break;
			refresh = true;
			continue;
		}
		memcpy(w, next, sizeof(double) * width);
		value = reached;
	}
	pfree(step);
	pfree(next);
}

/* Find the optimum of a design, beginning at the coefficients given */
void
NewtonSolve(const LogisticDesign *design, const LogisticPenalty *penalty, double *coefficients)
{
	Newton		newton = {design, penalty};
	int64		stride = Max(design->rows / SAMPLE_ROWS, 1);

	newton.width = design->width;
	newton.gradient = palloc(sizeof(double) * design->width);
	newton.scale = palloc(sizeof(double) * design->width);
	newton.hessian = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * design->width * design->width);
	if (stride >= 4)
	{
		Descend(&newton, coefficients, stride, true, SAMPLE_TOLERANCE);
		Descend(&newton, coefficients, 1, false, STEP_TOLERANCE);
	}
	else
		Descend(&newton, coefficients, 1, true, STEP_TOLERANCE);
	pfree(newton.gradient);
	pfree(newton.scale);
	pfree(newton.hessian);
}

/* Find the optimum of a design by the solver that suits it */
void
LogisticSolve(const LogisticDesign *design, const LogisticPenalty *penalty, double *coefficients)
{
	if (penalty->solver == SOLVER_LIBLINEAR ||
		(penalty->solver == SOLVER_AUTO && design->width > NEWTON_MAX_WIDTH))
		LiblinearSolve(design, penalty, coefficients);
	else
		NewtonSolve(design, penalty, coefficients);
}
