/*
 * The optimum of a logistic regression, by LIBLINEAR.
 *
 * LIBLINEAR (Fan, Chang, Hsieh, Wang and Lin, JMLR 2008) steps by conjugate
 * gradients within a trust region, so that it needs no matrix as wide as there
 * are coefficients: it is for designs of many levels.  It runs in rounds, each
 * from where the one before got and to a tolerance ten times finer, with a
 * look for interrupts between them.  Memory: 16 bytes for each number and
 * level of a row, besides its own.
 */
#include "postgres.h"

#include <limits.h>
#include <math.h>

#include "learning/liblinear_shim.h"
#include "learning/logistic.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#define FINEST_TOLERANCE 1e-12

/* Find the optimum of a design, beginning at the coefficients given */
void
LiblinearSolve(const LogisticDesign *design, const LogisticPenalty *penalty, double *coefficients)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "lead_mgmt LIBLINEAR", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	int64		per_row = 1 + design->numbers + design->levels + 1;
	LiblinearNode *node;
	LiblinearNode **nodes;
	double	   *outcomes;

	if (design->rows > INT_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("LIBLINEAR takes at most %d rows", INT_MAX)));
	node = MemoryContextAllocHuge(context, sizeof(LiblinearNode) * per_row * Max(design->rows, 1));
	nodes = MemoryContextAllocHuge(context, sizeof(LiblinearNode *) * Max(design->rows, 1));
	outcomes = MemoryContextAllocHuge(context, sizeof(double) * Max(design->rows, 1));
	for (int64 row = 0; row < design->rows; row++)
	{
		if (row % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		nodes[row] = node;
		outcomes[row] = design->outcome[row] ? 1 : -1;
		*node++ = (LiblinearNode) {1, 1};
		for (int j = 0; j < design->numbers; j++)
			if (design->number[row * design->numbers + j] != 0)
				*node++ = (LiblinearNode) {2 + j, design->number[row * design->numbers + j]};
		for (int j = 0; j < design->levels; j++)
			if (design->level[row * design->levels + j] >= 0)
				*node++ = (LiblinearNode) {1 + design->level[row * design->levels + j], 1};
		*node++ = (LiblinearNode) {-1, 0};
	}
	for (double tolerance = 0.1; tolerance >= FINEST_TOLERANCE / 2; tolerance /= 10)
	{
		CHECK_FOR_INTERRUPTS();
		if (liblinear_train((int) design->rows, design->width, nodes, outcomes, penalty->cost, penalty->won_weight,
							penalty->lost_weight, tolerance, coefficients) != 0)
			ereport(ERROR,
					(errcode(ERRCODE_OUT_OF_MEMORY),
					 errmsg("LIBLINEAR ran out of memory")));
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}
