/*
 * LIBLINEAR behind a plain C function.
 */
#ifndef LEAD_MGMT_LIBLINEAR_SHIM_H
#define LEAD_MGMT_LIBLINEAR_SHIM_H

#ifdef __cplusplus
extern "C"
{
#endif

/* A row's part of a design: index from 1, value; ended by index -1 */
typedef struct LiblinearNode
{
	int			index;
	double		value;
} LiblinearNode;

/*
 * Take the coefficients, as many as width, nearer to the optimum of L2
 * regularised logistic regression, until the gradient is at most tolerance
 * times what it is at zero.  Outcomes are 1 or -1.  Returns 0, or 1 for want
 * of memory.  Does not look for interrupts: ask for a little at a time.
 */
extern int	liblinear_train(int rows, int width, LiblinearNode **nodes, double *outcomes, double cost,
							double won_weight, double lost_weight, double tolerance, double *coefficients);

#ifdef __cplusplus
}
#endif

#endif
