/*
 * Giving pairs up early: bounds of what a pair can still be worth.
 *
 * Whether values are equal, how rare they are and whether two e-mail addresses
 * share a part is known without looking at a letter, and bounds what each
 * comparison can add.  Comparisons are then worked out one after the other,
 * each replacing its bound by what it is worth, until the sum cannot reach the
 * weight that is asked for: branch and bound over the sum of Fellegi and
 * Sunter.  What is left gets its exact weight, formed in the order of the model.
 */
#include "postgres.h"

#include <math.h>

#include "matching/levels.h"

/* Sums of the same terms in another order differ by less than this */
#define ROUNDING 1e-6

/* Get the most that frequency can add to a level of different values */
static inline double
RarityBound(const PairScorer *scorer, int c, uint32 a, uint32 b)
{
	const ModelComparison *comparison = &scorer->model->comparisons[c];
	const double *rarity = scorer->records->rarity[comparison->field];

	if (scorer->is_far[c])
		return comparison->most_rarity;
	return Min(rarity[a], rarity[b]) + scorer->model->fields[comparison->field].agreement_weight;
}

/* Get what equal values are worth */
static inline double
EqualWeight(const PairScorer *scorer, int c, uint32 value)
{
	const ModelComparison *comparison = &scorer->model->comparisons[c];
	const ModelLevel *level = &comparison->levels[comparison->equal_level];

	if (!level->uses_frequency)
		return level->weight;
	return level->weight + scorer->records->rarity[comparison->field][value] +
		scorer->model->fields[comparison->field].agreement_weight;
}

/* Get the most that two different values can be worth, whatever they stand in */
static inline double
DifferentBound(const PairScorer *scorer, int c, uint32 a, uint32 b)
{
	const LevelBounds *bounds = &scorer->bounds[c];

	if (bounds->frequent == -INFINITY)
		return bounds->plain;
	return Max(bounds->plain, bounds->frequent + RarityBound(scorer, c, a, b));
}

/* Get the most that a comparison can be worth; its level, too, where that is plain to see */
static inline double
ComparisonBound(const PairScorer *scorer, int c, const uint32 *left, const uint32 *right, int8 *level)
{
	const MatchModel *model = scorer->model;
	const ModelComparison *comparison = &model->comparisons[c];
	const LevelBounds *bounds = &scorer->bounds[c];
	uint32		a = left[comparison->field];
	uint32		b = right[comparison->field];
	double		bound;

	*level = LEVEL_UNKNOWN;
	if (a == VALUE_BLANK || b == VALUE_BLANK)
	{
		if (comparison->first_email_level < 0 || a == b ||
			(a == VALUE_BLANK ? left : right)[comparison->mailbox] == VALUE_BLANK)
		{
			*level = LEVEL_BLANK;
			return 0;
		}
		bound = bounds->mailbox_plain;
		if (bounds->mailbox_frequent > -INFINITY)
			bound = Max(bound, bounds->mailbox_frequent + scorer->records->rarity[comparison->field][a == VALUE_BLANK ? b : a] +
						model->fields[comparison->field].agreement_weight);
		return Max(bound, 0);
	}
	if (a == b)
	{
		*level = comparison->equal_level;
		return EqualWeight(scorer, c, a);
	}
	CacheFetch(scorer, c, a, b);
	bound = DifferentBound(scorer, c, a, b);
	if (comparison->mailbox >= 0 && left[comparison->mailbox] == right[comparison->mailbox])
		bound = Max(bound, bounds->same_mailbox);
	if (comparison->domain >= 0 && left[comparison->domain] == right[comparison->domain])
	{
		bound = Max(bound, bounds->same_domain);
		if (bounds->frequent_domain > -INFINITY)
			bound = Max(bound, bounds->frequent_domain +
						scorer->records->rarity[comparison->domain][left[comparison->domain]] +
						model->fields[comparison->domain].agreement_weight);
	}
	return bound;
}

/* Get the most that a name can be worth against the other name */
static inline double
CrossedBound(const PairScorer *scorer, int c, uint32 a, uint32 b)
{
	if (a == VALUE_BLANK || b == VALUE_BLANK)
		return 0;
	return a == b ? EqualWeight(scorer, c, a) : DifferentBound(scorer, c, a, b);
}

/* Get the most that two names can be worth, straight or crosswise */
static double
NamesBound(const PairScorer *scorer, const uint32 *left, const uint32 *right)
{
	const MatchModel *model = scorer->model;
	int			given = model->comparisons[model->given].field;
	int			family = model->comparisons[model->family].field;
	int8		level;
	double		straight = ComparisonBound(scorer, model->given, left, right, &level) +
		ComparisonBound(scorer, model->family, left, right, &level) + Max(0, model->straight_weight);
	double		crossed = CrossedBound(scorer, model->given, left[given], right[family]) +
		CrossedBound(scorer, model->family, left[family], right[given]) + model->swapped_weight;

	return Max(straight, crossed);
}

/* Get the most that a group can add, as far as its levels are known */
static inline double
GroupBound(const PairScorer *scorer, int g, const PairPattern *pattern)
{
	const ModelGroup *group = &scorer->model->groups[g];
	int			a = pattern->levels[group->left];
	int			b = pattern->levels[group->right];

	if (a == LEVEL_BLANK || b == LEVEL_BLANK)
		return 0;
	if (a == LEVEL_UNKNOWN)
		return b == LEVEL_UNKNOWN ? scorer->groups[g].best : scorer->groups[g].right[b];
	return b == LEVEL_UNKNOWN ? scorer->groups[g].left[a] : group->weight[a][b];
}

/* Is the comparison one of two names that may be swapped? */
static inline bool
IsCrossed(const PairScorer *scorer, int c)
{
	return scorer->may_cross && (c == scorer->model->given || c == scorer->model->family);
}

/* Work out a comparison, or both names; returns what it is worth */
static double
TakeStep(PairScorer *scorer, int c, const uint32 *left, const uint32 *right, PairPattern *pattern)
{
	const MatchModel *model = scorer->model;
	double		worth = 0;

	if (!IsCrossed(scorer, c))
	{
		PairLevel(scorer, c, left, right, pattern);
		return pattern->levels[c] == LEVEL_BLANK ? 0 :
			model->comparisons[c].levels[pattern->levels[c]].weight + LevelRarity(scorer, c, left, right, pattern);
	}
	PairNameLevels(scorer, left, right, pattern);
	for (int family = 0; family <= 1; family++)
	{
		int			n = family ? model->family : model->given;

		if (pattern->levels[n] != LEVEL_BLANK)
			worth += model->comparisons[n].levels[pattern->levels[n]].weight + LevelRarity(scorer, n, left, right, pattern);
	}
	return worth + (pattern->order == LEVEL_BLANK ? 0 : pattern->order == 1 ? model->swapped_weight : model->straight_weight);
}

/*
 * Compare two records, giving up as soon as they cannot reach a weight; returns
 * whether they reach it.
 */
bool
PairWeight(PairScorer *scorer, const uint32 *left, const uint32 *right, double at_least, PairPattern *pattern,
		   double *weight)
{
	const MatchModel *model = scorer->model;
	double		bounds[MODEL_MAX_COMPARISONS];
	double		group_bounds[MODEL_MAX_COMPARISONS];
	double		bound = model->prior_weight;
	double		least = at_least - ROUNDING;

	pattern->order = LEVEL_BLANK;
	for (int i = 0; i < scorer->step_count; i++)
	{
		int			c = scorer->order[i];

		if (IsCrossed(scorer, c))
		{
			bounds[c] = NamesBound(scorer, left, right);
			pattern->levels[model->given] = pattern->levels[model->family] = LEVEL_UNKNOWN;
		}
		else
			bounds[c] = ComparisonBound(scorer, c, left, right, &pattern->levels[c]);
		bound += bounds[c];
	}
	for (int g = 0; g < model->group_count; g++)
		bound += group_bounds[g] = GroupBound(scorer, g, pattern);
	if (bound < least)
		return false;
	for (int i = 0; i < scorer->step_count; i++)
	{
		int			c = scorer->order[i];

		if (pattern->levels[c] != LEVEL_UNKNOWN)
			continue;
		bound += TakeStep(scorer, c, left, right, pattern) - bounds[c];
		for (int g = 0; g < model->group_count; g++)
		{
			double		now = GroupBound(scorer, g, pattern);

			bound += now - group_bounds[g];
			group_bounds[g] = now;
		}
		if (bound < least)
			return false;
	}
	*weight = PatternWeight(scorer, left, right, pattern, NULL);
	return *weight >= at_least;
}

/* Work out the bounds of a comparison */
static void
SetLevelBounds(PairScorer *scorer, int c)
{
	const ModelComparison *comparison = &scorer->model->comparisons[c];
	LevelBounds *bounds = &scorer->bounds[c];

	bounds->plain = bounds->frequent = bounds->same_mailbox = bounds->same_domain = -INFINITY;
	bounds->frequent_domain = bounds->mailbox_plain = bounds->mailbox_frequent = -INFINITY;
	for (int l = 0; l < comparison->level_count; l++)
	{
		const ModelLevel *level = &comparison->levels[l];
		bool		of_mailbox = level->test == TEST_EMAIL_NAME || level->test == TEST_EMAIL_INITIAL ||
			level->test == TEST_EMAIL_OTHER;
		double	   *bound = level->uses_frequency ? &bounds->frequent : &bounds->plain;

		if (level->test == TEST_EXACT)
			continue;
		if (of_mailbox)
			bound = level->uses_frequency ? &bounds->mailbox_frequent : &bounds->mailbox_plain;
		else if (level->test == TEST_SAME_DOMAIN)
			bound = level->uses_frequency ? &bounds->frequent_domain : &bounds->same_domain;
		else if (level->test == TEST_SAME_MAILBOX && comparison->mailbox >= 0)
			bound = &bounds->same_mailbox;
		*bound = Max(*bound, level->weight +
					 (bound == &bounds->same_mailbox && level->uses_frequency ? comparison->most_rarity : 0));
		if (level->test == TEST_EDITS || level->test == TEST_DIGITS || level->test == TEST_SAME_DOMAIN)
			scorer->most_edits[c] = Max(scorer->most_edits[c], (int) Min(ceil(level->threshold), VALUE_MAX_BYTES));
	}
}

/* Work out the bounds of a group; a blank makes it worth nothing */
static void
SetGroupBounds(PairScorer *scorer, int g)
{
	const ModelGroup *group = &scorer->model->groups[g];
	GroupBounds *bounds = &scorer->groups[g];

	for (int a = 0; a < scorer->model->comparisons[group->left].level_count; a++)
		for (int b = 0; b < scorer->model->comparisons[group->right].level_count; b++)
		{
			bounds->best = Max(bounds->best, group->weight[a][b]);
			bounds->left[a] = Max(bounds->left[a], group->weight[a][b]);
			bounds->right[b] = Max(bounds->right[b], group->weight[a][b]);
		}
}

/*
 * Get how much a comparison is likely to settle for what it costs: long texts
 * are costly, and so are names, which are compared crosswise.
 */
static double
Usefulness(const PairScorer *scorer, int c)
{
	const MatchModel *model = scorer->model;
	const ModelComparison *comparison = &model->comparisons[c];
	const LevelBounds *bounds = &scorer->bounds[c];
	double		best = Max(bounds->plain, bounds->frequent + comparison->most_rarity);
	double		spread = best - comparison->levels[comparison->level_count - 1].weight;

	switch (model->fields[comparison->field].kind)
	{
		case KIND_EMAIL:
		case KIND_ADDRESS:
		case KIND_ORGANISATION:
		case KIND_FULL_NAME:
		case KIND_TEXT:
			return spread / 4;
		case KIND_GIVEN_NAME:
		case KIND_FAMILY_NAME:
			return spread / 3;
		default:
			return spread;
	}
}

/* Make a scorer of pairs of records */
PairScorer *
ScorerCreate(const MatchRecords *records)
{
	PairScorer *scorer = palloc0(sizeof(PairScorer));
	const MatchModel *model = records->model;

	scorer->records = records;
	scorer->model = model;
	scorer->may_cross = model->given >= 0 && model->family >= 0;
	for (int g = 0; g < model->group_count; g++)
		SetGroupBounds(scorer, g);
	for (int c = 0; c < model->comparison_count; c++)
	{
		int			at = scorer->step_count;

		SetLevelBounds(scorer, c);
		scorer->is_far[c] = FieldDictionary(records, model->comparisons[c].field)->count > FAR_AWAY;
		if (!scorer->is_far[c])
			scorer->caches[c] = palloc0(sizeof(uint64) * LEVEL_CACHE_SIZE);
		if (c == model->family && scorer->may_cross)
			continue;			/* together with the given name */
		for (; at > 0 && Usefulness(scorer, scorer->order[at - 1]) < Usefulness(scorer, c); at--)
			scorer->order[at] = scorer->order[at - 1];
		scorer->order[at] = c;
		scorer->step_count++;
	}
	return scorer;
}
