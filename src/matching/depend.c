/*
 * Comparisons that depend on each other.
 *
 * City and postcode agree together far more often than chance would have it,
 * and counting both in full would take every neighbour for the same person.
 * The strongest dependences among pairs that do not match are kept as a forest,
 * the maximum spanning one by mutual information (Chow and Liu 1968).
 */
#include "postgres.h"

#include <math.h>

#include "matching/train.h"

/* A dependence must show in so many pairs, and make them so much more frequent */
#define MIN_TOGETHER 25
#define MIN_RATIO 1.5

/* Bits that other comparisons say against a pair for it to tell of a dependence */
#define TOLD_APART 1.0

/* Pairs that a ratio is damped by */
#define DAMPING 2.0
#define MATCH_DAMPING 20.0

/* How two comparisons go together */
typedef struct Dependence
{
	int			left;
	int			right;
	double		information;
} Dependence;

/* Do other comparisons than two say that pairs of a pattern do not match? */
static bool
IsToldApart(const MatchModel *model, const PairPattern *pattern, int left, int right)
{
	double		weight = 0;

	for (int c = 0; c < model->comparison_count; c++)
		if (c != left && c != right && pattern->levels[c] != LEVEL_BLANK)
			weight += model->comparisons[c].levels[pattern->levels[c]].weight;
	return weight <= -TOLD_APART;
}

/*
 * Count how often levels occur together in a set of patterns, as one class or the other.
 *
 * Matches agree on both, and that is what they are told by: where nothing else
 * tells, they and a dependence of strangers cannot be told from each other.
 */
static double
CountJoint(const MatchModel *model, const PatternSet *set, int left, int right, bool matches,
		   double joint[MODEL_MAX_LEVELS][MODEL_MAX_LEVELS], double *left_sums, double *right_sums)
{
	double		total = 0;

	memset(joint, 0, sizeof(double) * MODEL_MAX_LEVELS * MODEL_MAX_LEVELS);
	memset(left_sums, 0, sizeof(double) * MODEL_MAX_LEVELS);
	memset(right_sums, 0, sizeof(double) * MODEL_MAX_LEVELS);
	for (int i = 0; i < set->count; i++)
	{
		const PatternCount *entry = set->entries[i];
		int			a = entry->key.pattern.levels[left];
		int			b = entry->key.pattern.levels[right];
		double		count = (matches ? set->classes[i].match : set->classes[i].other) * entry->count;

		if (a == LEVEL_BLANK || b == LEVEL_BLANK)
			continue;
		if (matches ? (entry->key.bound & ((1 << left) | (1 << right))) != 0 :
			!IsToldApart(model, &entry->key.pattern, left, right))
			continue;
		joint[a][b] += count;
		left_sums[a] += count;
		right_sums[b] += count;
		total += count;
	}
	return total;
}

/* Measure how two comparisons depend on each other among pairs that do not match */
static bool
MeasureDependence(const Training *training, Dependence *dependence)
{
	const MatchModel *model = training->model;
	double		joint[MODEL_MAX_LEVELS][MODEL_MAX_LEVELS];
	double		left[MODEL_MAX_LEVELS];
	double		right[MODEL_MAX_LEVELS];
	double		total = CountJoint(model, &training->random, dependence->left, dependence->right, false, joint, left, right);
	bool		shows = false;

	dependence->information = 0;
	for (int a = 0; a < model->comparisons[dependence->left].level_count; a++)
		for (int b = 0; b < model->comparisons[dependence->right].level_count; b++)
		{
			double		expected = left[a] * right[b] / Max(total, 1);

			if (joint[a][b] < 1 || expected <= 0)
				continue;
			dependence->information += joint[a][b] / total * log2(joint[a][b] / expected);
			if (joint[a][b] >= MIN_TOGETHER && joint[a][b] >= expected * MIN_RATIO &&
				model->comparisons[dependence->left].levels[a].weight > 0 &&
				model->comparisons[dependence->right].levels[b].weight > 0)
				shows = true;
		}
	return shows;
}

/* Order dependences from the strongest on */
static int
CompareDependences(const void *a, const void *b)
{
	double		left = ((const Dependence *) a)->information;
	double		right = ((const Dependence *) b)->information;

	return left > right ? -1 : left < right;
}

/* Find the comparisons that depend on each other */
void
TrainingFindGroups(Training *training)
{
	MatchModel *model = training->model;
	Dependence	found[MODEL_MAX_COMPARISONS * MODEL_MAX_COMPARISONS / 2];
	int			tree[MODEL_MAX_COMPARISONS];
	int			count = 0;

	model->group_count = 0;
	for (int a = 0; a < model->comparison_count; a++)
		for (int b = a + 1; b < model->comparison_count; b++)
		{
			found[count].left = a;
			found[count].right = b;
			count += MeasureDependence(training, &found[count]);
		}
	qsort(found, count, sizeof(Dependence), CompareDependences);
	for (int c = 0; c < model->comparison_count; c++)
		tree[c] = c;
	for (int i = 0; i < count; i++)
	{
		int			left = tree[found[i].left];
		int			right = tree[found[i].right];
		ModelGroup *group = &model->groups[model->group_count];

		if (left == right)
			continue;
		for (int c = 0; c < model->comparison_count; c++)
			if (tree[c] == right)
				tree[c] = left;
		group->left = found[i].left;
		group->right = found[i].right;
		for (int a = 0; a < MODEL_MAX_LEVELS; a++)
			for (int b = 0; b < MODEL_MAX_LEVELS; b++)
				group->m[a][b] = group->u[a][b] = 1;
		model->group_count++;
	}
}

/* Does every pair that agrees on a comparison meet at a key, whatever else it does? */
static bool
AgreeingMeet(const MatchModel *model, int comparison)
{
	for (int k = 0; k < model->key_count; k++)
		if (model->keys[k].part_count == 1 && model->keys[k].parts[0].transform == TRANSFORM_EXACT &&
			model->keys[k].parts[0].field == model->comparisons[comparison].field)
			return true;
	return false;
}

/*
 * Re-estimate how levels go together with equal values of a comparison.  Of
 * these there are next to none among random pairs; but where they all meet at a
 * key, the pairs of blocks are a sample of them that is large enough.
 */
static void
EstimateAgreeing(const Training *training, ModelGroup *group, bool is_left, const double *others, double total)
{
	const MatchModel *model = training->model;
	int			agreeing = is_left ? group->left : group->right;
	int			other = is_left ? group->right : group->left;
	int			equal = model->comparisons[agreeing].equal_level;
	double		joint[MODEL_MAX_LEVELS][MODEL_MAX_LEVELS];
	double		sums[MODEL_MAX_LEVELS];
	double		other_sums[MODEL_MAX_LEVELS];

	if (training->is_complete || !AgreeingMeet(model, agreeing))
		return;
	CountJoint(model, &training->met, agreeing, other, false, joint, sums, other_sums);
	if (sums[equal] < MIN_TOGETHER)
		return;
	for (int l = 0; l < model->comparisons[other].level_count; l++)
	{
		double	   *ratio = is_left ? &group->u[equal][l] : &group->u[l][equal];

		*ratio = (joint[equal][l] + DAMPING) / (sums[equal] * others[l] / Max(total, 1) + DAMPING);
	}
}

/* Re-estimate how much more often levels occur together than if they were independent */
void
TrainingMaximiseGroups(Training *training)
{
	MatchModel *model = training->model;

	for (int g = 0; g < model->group_count; g++)
	{
		ModelGroup *group = &model->groups[g];

		for (int matches = 0; matches <= 1; matches++)
		{
			double		joint[MODEL_MAX_LEVELS][MODEL_MAX_LEVELS];
			double		left[MODEL_MAX_LEVELS];
			double		right[MODEL_MAX_LEVELS];
			double		damping = matches ? MATCH_DAMPING : DAMPING;
			double		total = CountJoint(model, matches ? &training->met : &training->random, group->left, group->right,
										   matches, joint, left, right);

			for (int a = 0; a < model->comparisons[group->left].level_count; a++)
				for (int b = 0; b < model->comparisons[group->right].level_count; b++)
				{
					double		ratio = (joint[a][b] + damping) / (left[a] * right[b] / Max(total, 1) + damping);

					if (matches)
						group->m[a][b] = ratio;
					else
						group->u[a][b] = ratio;
				}
			if (!matches)
			{
				EstimateAgreeing(training, group, true, right, total);
				EstimateAgreeing(training, group, false, left, total);
			}
		}
	}
}
