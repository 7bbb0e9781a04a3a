/*
 * Logistic regression, and what goes with it: features made of columns,
 * calibration, measures of quality.  Knows nothing of workspaces: it learns
 * from any table.
 */
#ifndef LEAD_MGMT_LOGISTIC_H
#define LEAD_MGMT_LOGISTIC_H

#include "postgres.h"

#include <math.h>

#include "utils/jsonb.h"

/* Most features of a model, bins of a feature and levels of all features */
#define LOGISTIC_MAX_FEATURES 1000
#define LOGISTIC_MAX_PAIRS 100
#define LOGISTIC_MAX_BINS 1000
#define LOGISTIC_MAX_LEVELS 1000000

/* Wider designs than this are left to LIBLINEAR, which needs no square matrix */
#define NEWTON_MAX_WIDTH 1024

/* Rows of numbers and of levels: what an optimum is found for */
typedef struct LogisticDesign
{
	int64		rows;
	int			width;			/* coefficients: intercept, numbers, levels */
	int			numbers;		/* a row */
	int			levels;			/* a row */
	double	   *number;			/* by row; their coefficients begin at 1 */
	int32	   *level;			/* by row: coefficient of a level, or -1 */
	bool	   *outcome;
} LogisticDesign;

typedef enum
{
	SOLVER_AUTO,
	SOLVER_NEWTON,
	SOLVER_LIBLINEAR
} LogisticSolver;

typedef struct LogisticPenalty
{
	double		cost;			/* of a row's loss against half the sum of squares of all coefficients */
	double		won_weight;		/* multiplies the cost of rows with the outcome */
	double		lost_weight;
	LogisticSolver solver;
} LogisticPenalty;

extern void LogisticSolve(const LogisticDesign *design, const LogisticPenalty *penalty, double *coefficients);
extern void NewtonSolve(const LogisticDesign *design, const LogisticPenalty *penalty, double *coefficients);
extern void LiblinearSolve(const LogisticDesign *design, const LogisticPenalty *penalty, double *coefficients);

/* Can a number be computed with?  Others count as missing. */
static inline bool
NumberIsUsable(double number)
{
	return fabs(number) <= 1e300;
}

/* Get the probability that belongs to log odds */
static inline double
LogisticProbability(double logit)
{
	return logit >= 0 ? 1 / (1 + exp(-logit)) : exp(logit) / (1 + exp(logit));
}

typedef enum
{
	FEATURE_CATEGORICAL,
	FEATURE_NUMERIC,
	FEATURE_BINS,
	FEATURE_PAIR
} FeatureKind;

/* A level of a feature, with what training saw of it */
typedef struct LogisticLevel
{
	char	   *value;			/* of a categorical feature */
	int			length;
	double		from;			/* of a bin, which ends where the next one begins */
	int			cell;			/* of a pair */
	double		coefficient;
	int64		rows;
	int64		won;
} LogisticLevel;

typedef struct LogisticFeature
{
	char	   *name;
	FeatureKind kind;
	int			bins;			/* at most, for FEATURE_BINS */
	int64		minimum_rows;	/* levels with fewer are pooled */
	int			level_count;
	LogisticLevel *levels;		/* by value (bytes) or by from */
	bool		has_other;
	LogisticLevel other;		/* pooled and unknown values */
	bool		has_missing;
	LogisticLevel missing;
	double		center;			/* FEATURE_NUMERIC: coefficient * (x - center) / scale */
	double		scale;
	double		slope;			/* coefficient / scale */
	double		fill;			/* stands in where nothing is known */
	int			of[2];			/* FEATURE_PAIR: the features it is made of */
	int			groups[2];		/* how many groups of levels of each there are */
	uint8	   *group[2];		/* by level, from LEVEL_OTHER on */
	int		   *cells;			/* by group of the first, then of the second: a level, or -1 */
} LogisticFeature;

typedef enum
{
	CALIBRATION_NONE,
	CALIBRATION_PLATT,
	CALIBRATION_ISOTONIC
} CalibrationMethod;

typedef struct Calibration
{
	CalibrationMethod method;
	double		slope;			/* Platt, of log odds */
	double		intercept;
	int			steps;			/* isotonic */
	double	   *at;				/* log odds */
	double	   *probability;
} Calibration;

typedef struct LogisticModel
{
	char	   *label;
	double		intercept;
	int			feature_count;
	LogisticFeature *features;
	Calibration calibration;
} LogisticModel;

/* A value of a feature */
typedef struct FeatureValue
{
	bool		isnull;
	double		number;
	const char *text;
	int			length;
} FeatureValue;

/* Which level a value is of: an index, or one of these */
#define LEVEL_MISSING (-1)
#define LEVEL_OTHER (-2)
#define LEVEL_NUMBER (-3)

extern double FeatureContribution(const LogisticModel *model, int f, const FeatureValue *values, int *level);
extern char *FeatureLevelText(const LogisticModel *model, int f, int level);
extern FeatureKind FeatureKindNamed(const char *name);
extern const char *FeatureKindName(FeatureKind kind);

extern double CalibrateLogit(const Calibration *calibration, double logit);
extern void CalibrationFitPlatt(Calibration *calibration, const double *logits, const bool *outcomes, int64 n);
extern void CalibrationFitIsotonic(Calibration *calibration, const double *logits, const bool *outcomes, int64 n);
extern CalibrationMethod CalibrationNamed(const char *name);

extern LogisticModel *LogisticReadModel(Jsonb *document);

/* Measures of predictions */
typedef struct PredictionQuality
{
	int64		rows;
	int64		won;
	double		auc;
	double		log_loss;
	double		brier;
	double		calibration_error;
} PredictionQuality;

extern PredictionQuality MeasurePredictions(const double *probabilities, const bool *outcomes, int64 n);

/* Predictions are told apart by tenths of probability in reliability tables */
#define RELIABILITY_BINS 10

#endif
