/*
 * Calibration of probabilities, and measures of how good they are.
 */
#include "postgres.h"

#include <math.h>

#include "learning/logistic.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* Probabilities are kept off 0 and 1, whose log odds are not finite */
#define LEAST_PROBABILITY 1e-6

/* A prediction with what came of it */
typedef struct Prediction
{
	double		value;
	bool		outcome;
} Prediction;

/* Order predictions */
static int
ComparePredictions(const void *a, const void *b)
{
	double		left = ((const Prediction *) a)->value;
	double		right = ((const Prediction *) b)->value;

	return left < right ? -1 : left > right;
}

/* Get predictions in ascending order */
static Prediction *
SortPredictions(const double *values, const bool *outcomes, int64 n)
{
	Prediction *sorted = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Prediction) * Max(n, 1));

	for (int64 i = 0; i < n; i++)
		sorted[i] = (Prediction) {values[i], outcomes[i]};
	qsort(sorted, n, sizeof(Prediction), ComparePredictions);
	return sorted;
}

/* Turn the log odds of a model into calibrated ones */
double
CalibrateLogit(const Calibration *calibration, double logit)
{
	int			low = 0;
	int			high = calibration->steps - 1;
	double		p;

	if (calibration->method == CALIBRATION_NONE)
		return logit;
	if (calibration->method == CALIBRATION_PLATT)
		return calibration->intercept + calibration->slope * logit;
	if (logit <= calibration->at[0])
		p = calibration->probability[0];
	else if (logit >= calibration->at[high])
		p = calibration->probability[high];
	else
	{
		while (high - low > 1)
		{
			int			middle = (low + high) / 2;

			if (calibration->at[middle] <= logit)
				low = middle;
			else
				high = middle;
		}
		p = calibration->probability[low] + (calibration->probability[high] - calibration->probability[low]) *
			(logit - calibration->at[low]) / (calibration->at[high] - calibration->at[low]);
	}
	p = Min(Max(p, LEAST_PROBABILITY), 1 - LEAST_PROBABILITY);
	return log(p) - log1p(-p);
}

/*
 * Fit a line through log odds (Platt 1999), with his targets, which stay off 0
 * and 1 (see also Lin, Lin and Weng, "A note on Platt's probabilistic outputs
 * for support vector machines", Machine Learning 2007).
 */
void
CalibrationFitPlatt(Calibration *calibration, const double *logits, const bool *outcomes, int64 n)
{
	double		slope = 1;
	double		intercept = 0;
	double		won = 0;
	double		value = INFINITY;
	double		high_target;
	double		low_target;

	for (int64 i = 0; i < n; i++)
		won += outcomes[i];
	high_target = (won + 1) / (won + 2);
	low_target = 1 / (n - won + 2);
	for (int step = 0; step < 100; step++)
	{
		double		g0 = 0,
					g1 = 0,
					h00 = 1e-12,
					h01 = 0,
					h11 = 1e-12,
					determinant,
					d0,
					d1,
					size;

		CHECK_FOR_INTERRUPTS();
		for (int64 i = 0; i < n; i++)
		{
			double		p = LogisticProbability(intercept + slope * logits[i]);
			double		error = p - (outcomes[i] ? high_target : low_target);

			g0 += error;
			g1 += error * logits[i];
			h00 += p * (1 - p);
			h01 += p * (1 - p) * logits[i];
			h11 += p * (1 - p) * logits[i] * logits[i];
		}
		determinant = h00 * h11 - h01 * h01;
		if (!(determinant > 0))
			break;
		d0 = -(h11 * g0 - h01 * g1) / determinant;
		d1 = -(h00 * g1 - h01 * g0) / determinant;
		for (size = 1; size > 1e-8; size /= 2)
		{
			double		next = 0;

			for (int64 i = 0; i < n; i++)
			{
				double		logit = intercept + size * d0 + (slope + size * d1) * logits[i];
				double		target = outcomes[i] ? high_target : low_target;

				next += log1p(exp(-fabs(logit))) + Max(logit, 0) - target * logit;
			}
			if (next <= value)
			{
				value = next;
				break;
			}
		}
		if (size <= 1e-8)
			break;
		intercept += size * d0;
		slope += size * d1;
		if (fabs(size * d0) < 1e-10 && fabs(size * d1) < 1e-10)
			break;
	}
	calibration->method = CALIBRATION_PLATT;
	calibration->slope = slope;
	calibration->intercept = intercept;
}

/*
 * Fit steps that never fall, by pooling neighbours that do (Ayer, Brunk,
 * Ewing, Reid and Silverman 1955), each put at the middle of its log odds;
 * between them lines are drawn.
 */
void
CalibrationFitIsotonic(Calibration *calibration, const double *logits, const bool *outcomes, int64 n)
{
	Prediction *sorted = SortPredictions(logits, outcomes, n);
	double	   *at = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * Max(n, 1));
	double	   *won = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * Max(n, 1));
	double	   *rows = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * Max(n, 1));
	int64		steps = 0;

	for (int64 i = 0; i < n; i++)
	{
		at[steps] = sorted[i].value;
		won[steps] = sorted[i].outcome;
		rows[steps] = 1;
		/* equal predictions are one step from the start */
		while (steps > 0 && (at[steps - 1] / rows[steps - 1] == sorted[i].value ||
							 won[steps - 1] * rows[steps] >= won[steps] * rows[steps - 1]))
		{
			at[steps - 1] += at[steps];
			won[steps - 1] += won[steps];
			rows[steps - 1] += rows[steps];
			steps--;
		}
		steps++;
	}
	calibration->method = CALIBRATION_ISOTONIC;
	calibration->steps = 0;
	calibration->at = palloc(sizeof(double) * Max(steps, 1));
	calibration->probability = palloc(sizeof(double) * Max(steps, 1));
	for (int64 s = 0; s < steps; s++)
	{
		double		middle = at[s] / rows[s];
		/* a little of the unknown keeps small steps off 0 and 1 */
		double		p = (won[s] + 0.5) / (rows[s] + 1);
		int			last = calibration->steps - 1;

		if (last >= 0)
			p = Max(p, calibration->probability[last]);
		if (last >= 0 && calibration->at[last] >= middle)
		{
			calibration->probability[last] = p;
			continue;
		}
		calibration->at[calibration->steps] = middle;
		calibration->probability[calibration->steps++] = p;
	}
	pfree(sorted);
	pfree(at);
	pfree(won);
	pfree(rows);
}

/* Get the area under the curve of the receiver operating characteristic (Mann-Whitney, ties count half) */
static double
AreaUnderCurve(const Prediction *sorted, int64 n)
{
	double		won = 0;
	double		below = 0;
	double		sum = 0;

	for (int64 i = 0; i < n;)
	{
		double		tied_won = 0;
		double		tied = 0;
		int64		j = i;

		for (; j < n && sorted[j].value == sorted[i].value; j++)
		{
			tied_won += sorted[j].outcome;
			tied += !sorted[j].outcome;
		}
		sum += tied_won * (below + tied / 2);
		won += tied_won;
		below += tied;
		i = j;
	}
	return won > 0 && below > 0 ? sum / (won * below) : NAN;
}

/* Measure probabilities by what came of them */
PredictionQuality
MeasurePredictions(const double *probabilities, const bool *outcomes, int64 n)
{
	PredictionQuality quality = {n};
	Prediction *sorted = SortPredictions(probabilities, outcomes, n);
	double		count[RELIABILITY_BINS] = {0};
	double		predicted[RELIABILITY_BINS] = {0};
	double		observed[RELIABILITY_BINS] = {0};

	quality.auc = AreaUnderCurve(sorted, n);
	pfree(sorted);
	for (int64 i = 0; i < n; i++)
	{
		double		p = probabilities[i];
		int			bin = Min((int) (p * RELIABILITY_BINS), RELIABILITY_BINS - 1);

		quality.won += outcomes[i];
		quality.log_loss -= log(Max(outcomes[i] ? p : 1 - p, 1e-15)) / n;
		quality.brier += (p - outcomes[i]) * (p - outcomes[i]) / n;
		count[bin]++;
		predicted[bin] += p;
		observed[bin] += outcomes[i];
	}
	for (int b = 0; b < RELIABILITY_BINS; b++)
		if (count[b] > 0)
			quality.calibration_error += fabs(predicted[b] - observed[b]) / n;
	return quality;
}
