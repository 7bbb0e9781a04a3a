/*
 * LIBLINEAR behind a plain C function: no exception gets out, nothing is
 * printed, nothing is left allocated.
 */
#include <cstddef>
#include <exception>
#include <vector>

#include <linear.h>

#include "learning/liblinear_shim.h"

static_assert(sizeof(LiblinearNode) == sizeof(struct feature_node) &&
			  offsetof(LiblinearNode, value) == offsetof(struct feature_node, value),
			  "LiblinearNode must be laid out as LIBLINEAR's feature_node");

/* Frees a model however the function that holds it is left */
struct ModelHolder
{
	struct model *model = nullptr;

	~ModelHolder()
	{
		if (model)
			free_and_destroy_model(&model);
	}
};

/* Print nothing */
static void
printNothing(const char *)
{
}

/* Go on towards the optimum */
int
liblinear_train(int rows, int width, LiblinearNode **nodes, double *outcomes, double cost,
				double won_weight, double lost_weight, double tolerance, double *coefficients)
{
	try
	{
		int			labels[2] = {1, -1};
		double		weights[2] = {won_weight, lost_weight};
		struct problem problem = {};
		struct parameter parameter = {};
		ModelHolder holder;
		std::vector<double> start(coefficients, coefficients + width);
		/* LIBLINEAR's own first class is that of the first row, but for -1, which it puts second */
		double		sign = 1;

		problem.l = rows;
		problem.n = width;
		problem.y = outcomes;
		problem.x = reinterpret_cast<struct feature_node **>(nodes);
		problem.bias = -1;		/* the intercept is a column like others */
		parameter.solver_type = L2R_LR;
		parameter.eps = tolerance;
		parameter.C = cost;
		parameter.nr_weight = 2;
		parameter.weight_label = labels;
		parameter.weight = weights;
		parameter.init_sol = start.data();
		set_print_string_function(printNothing);
		holder.model = train(&problem, &parameter);
		if (holder.model == nullptr)
			return 1;
		if (holder.model->label[0] < 0)
			sign = -1;
		for (int j = 0; j < width; j++)
			coefficients[j] = sign * holder.model->w[j];
		return 0;
	}
	catch (const std::exception &)
	{
		return 1;
	}
}
