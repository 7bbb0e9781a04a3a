/*
 * Models fitted to rows of a table.
 */
#ifndef LEAD_MGMT_FIT_H
#define LEAD_MGMT_FIT_H

#include "learning/model.h"
#include "learning/table.h"

/* A fitted model, with the coefficient of each level as its design counts them */
typedef struct Fit
{
	LogisticModel model;
	int			width;
	double	   *coefficients;
	int			single_count;	/* of the features, the pairs behind them */
	int		  **text_levels;	/* by feature and text: the coefficient's number, or -1 */
	int		   *first_level;	/* by feature: the number of its first level's coefficient */
} Fit;

extern Fit *FitRows(const LearnTable *table, const LogisticFeature *wanted, const LogisticPenalty *penalty,
					int pairs, const int64 *rows, int64 n);
extern double FitLogit(const Fit *fit, const LearnTable *table, int64 row);

#endif
