/*
 * Giving pairs up early: bounds of what a pair can still be worth.
 *
 * Whether values are equal, how rare they are and which levels their letters
 * leave possible shows from the lines of two records, and bounds what each
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

/* Get the most that equal values are worth; how rare they are is out of reach where there are many */
static inline double
EqualBound(const PairScorer *scorer, int c, uint32 value)
{
	const ModelComparison *comparison = &scorer->model->comparisons[c];
	const ModelLevel *level = &comparison->levels[comparison->equal_level];

	if (!level->uses_frequency)
		return level->weight;
	if (scorer->is_far[c])
		return level->weight + comparison->most_rarity;
	return level->weight + ValueRarity(scorer->records, comparison->field, value) +
		scorer->model->fields[comparison->field].agreement_weight;
}

/* Get the most that a name can be worth against a mailbox */
static inline double
MailboxBound(const PairScorer *scorer, int c, uint32 name)
{
	const ModelComparison *comparison = &scorer->model->comparisons[c];
	const MailboxBounds *bounds = &scorer->mailboxes[c];
	double		bound = Max(bounds->plain, 0);

	if (bounds->frequent > -INFINITY)
		bound = Max(bound, bounds->frequent + ValueRarity(scorer->records, comparison->field, name) +
					scorer->model->fields[comparison->field].agreement_weight);
	return bound;
}

/* Get the most that a comparison can be worth; its level, too, where that is plain to see */
static inline double
ComparisonBound(const PairScorer *scorer, int c, const uint32 *left, const uint32 *right, PairPattern *pattern)
{
	const ModelComparison *comparison = &scorer->model->comparisons[c];
	uint32		a = left[comparison->field];
	uint32		b = right[comparison->field];
	int8	   *level = &pattern->levels[c];
	double		bound;

	if (a == VALUE_BLANK || b == VALUE_BLANK)
	{
		*level = LEVEL_BLANK;
		if (comparison->first_email_level < 0 || a == b ||
			(a == VALUE_BLANK ? left : right)[comparison->mailbox] == VALUE_BLANK ||
			ShareMailbox(comparison, left, right))
			return 0;
		*level = LEVEL_UNKNOWN;
		return MailboxBound(scorer, c, a == VALUE_BLANK ? b : a);
	}
	if (a == b)
	{
		*level = comparison->equal_level;
		return EqualBound(scorer, c, a);
	}
	*level = LineLevel(scorer, c, left, right, &bound);
	return *level == LEVEL_UNKNOWN ? bound :
		comparison->levels[*level].weight + LevelRarity(scorer, c, left, right, pattern);
}

/* Get the most that a name can be worth against the other name, of two comparisons */
static inline double
CrossedBound(const PairScorer *scorer, int c, const uint32 *left, int left_comparison, const uint32 *right,
			 int right_comparison)
{
	uint32		a = left[scorer->model->comparisons[left_comparison].field];
	uint32		b = right[scorer->model->comparisons[right_comparison].field];

	if (a == VALUE_BLANK || b == VALUE_BLANK)
		return 0;
	return a == b ? EqualBound(scorer, c, a) :
		LineCrossedBound(scorer, c, left, left_comparison, right, right_comparison);
}

/* Does a name say enough for the names to be compared straight only? */
static inline bool
SaysEnough(const ModelComparison *comparison, int level)
{
	return level >= 0 && comparison->levels[level].weight > 0;
}

/* Get the most that two names can be worth, straight or crosswise; their levels, too, where these are plain to see */
static double
NamesBound(const PairScorer *scorer, const uint32 *left, const uint32 *right, PairPattern *pattern)
{
	const MatchModel *model = scorer->model;
	double		straight = ComparisonBound(scorer, model->given, left, right, pattern) +
		ComparisonBound(scorer, model->family, left, right, pattern);
	double		crossed;

	if (SaysEnough(&model->comparisons[model->given], pattern->levels[model->given]) ||
		SaysEnough(&model->comparisons[model->family], pattern->levels[model->family]))
	{
		if (pattern->levels[model->given] != LEVEL_UNKNOWN && pattern->levels[model->family] != LEVEL_UNKNOWN)
			pattern->order = 0;
		else
			pattern->levels[model->given] = pattern->levels[model->family] = LEVEL_UNKNOWN;
		return straight + model->straight_weight;
	}
	pattern->levels[model->given] = pattern->levels[model->family] = LEVEL_UNKNOWN;
	straight += Max(0, model->straight_weight);
	crossed = CrossedBound(scorer, model->given, left, model->given, right, model->family) +
		CrossedBound(scorer, model->family, left, model->family, right, model->given) + model->swapped_weight;
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

/* Get the most that a step can be worth, as far as equal ids tell */
static inline double
StepBound(const PairScorer *scorer, const StepBounds *step, const uint32 *left, const uint32 *right)
{
	int			given = scorer->given_field;
	int			family = scorer->family_field;

	if (step->field < 0)
		return left[given] == right[given] || left[family] == right[family] ||
			left[given] == right[family] || left[family] == right[given] ? step->equal : step->different;
	if (left[step->field] == right[step->field])
		return left[step->field] == VALUE_BLANK ? 0 : step->equal;
	return left[step->field] == VALUE_BLANK || right[step->field] == VALUE_BLANK ? step->blank : step->different;
}

/*
 * See whether a pair may reach a weight, by the lines of its records alone.
 * Which values are equal settles many pairs before a letter is looked at.
 */
bool
PairMayReach(PairScorer *scorer, const uint32 *left, const uint32 *right, double at_least, PairState *state)
{
	const MatchModel *model = scorer->model;
	double		bound = model->prior_weight;
	double		rest[MODEL_MAX_COMPARISONS];
	double		most = bound + scorer->groups_most;

	for (int i = 0; i < scorer->step_count; i++)
		most += rest[i] = StepBound(scorer, &scorer->steps[i], left, right);
	if (most < at_least - ROUNDING)
		return false;
	state->pattern.order = LEVEL_BLANK;
	/* What a mailbox says depends on the names, which may come later */
	if (model->given >= 0)
		state->pattern.levels[model->given] = LEVEL_UNKNOWN;
	if (model->family >= 0)
		state->pattern.levels[model->family] = LEVEL_UNKNOWN;
	for (int i = 0; i < scorer->step_count; i++)
	{
		int			c = scorer->line_order[i];

		state->bounds[c] = IsCrossed(scorer, c) ? NamesBound(scorer, left, right, &state->pattern) :
			ComparisonBound(scorer, c, left, right, &state->pattern);
		bound += state->bounds[c];
		most += state->bounds[c] - rest[i];
		if (most < at_least - ROUNDING)
			return false;
	}
	for (int g = 0; g < model->group_count; g++)
		bound += state->group_bounds[g] = GroupBound(scorer, g, &state->pattern);
	state->bound = bound;
	return bound >= at_least - ROUNDING;
}

/* Compare two records that may reach a weight, giving up as soon as they cannot; returns whether they reach it */
bool
PairReaches(PairScorer *scorer, const uint32 *left, const uint32 *right, double at_least, PairState *state,
			double *weight)
{
	const MatchModel *model = scorer->model;
	double		bound = state->bound;
	double		least = at_least - ROUNDING;

	for (int i = 0; i < scorer->step_count; i++)
	{
		int			c = scorer->order[i];

		if (state->pattern.levels[c] != LEVEL_UNKNOWN)
			continue;
		bound += TakeStep(scorer, c, left, right, &state->pattern) - state->bounds[c];
		for (int g = 0; g < model->group_count; g++)
		{
			double		now = GroupBound(scorer, g, &state->pattern);

			bound += now - state->group_bounds[g];
			state->group_bounds[g] = now;
		}
		if (bound < least)
			return false;
	}
	*weight = PatternWeight(scorer, left, right, &state->pattern, NULL);
	return *weight >= at_least;
}

/*
 * Compare two records, giving up as soon as they cannot reach a weight; returns
 * whether they reach it.
 */
bool
PairWeight(PairScorer *scorer, const uint32 *left, const uint32 *right, double at_least, PairPattern *pattern,
		   double *weight)
{
	PairState	state;
	bool		reaches = PairMayReach(scorer, left, right, at_least, &state) &&
		PairReaches(scorer, left, right, at_least, &state, weight);

	*pattern = state.pattern;
	return reaches;
}

/* Work out the bounds of a name against a mailbox, and the most edits that are asked for */
static void
SetLevelBounds(PairScorer *scorer, int c)
{
	const ModelComparison *comparison = &scorer->model->comparisons[c];
	MailboxBounds *bounds = &scorer->mailboxes[c];

	bounds->plain = bounds->frequent = -INFINITY;
	for (int l = 0; l < comparison->level_count; l++)
	{
		const ModelLevel *level = &comparison->levels[l];

		switch (level->test)
		{
			case TEST_EMAIL_NAME:
			case TEST_EMAIL_INITIAL:
			case TEST_EMAIL_OTHER:
				if (level->uses_frequency)
					bounds->frequent = Max(bounds->frequent, level->weight);
				else
					bounds->plain = Max(bounds->plain, level->weight);
				break;
			case TEST_EDITS:
			case TEST_DIGITS:
			case TEST_SAME_DOMAIN:
				scorer->most_edits[c] = Max(scorer->most_edits[c], (int) Min(ceil(level->threshold), VALUE_MAX_BYTES));
				break;
			default:
				break;
		}
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

/* Get by how much a comparison can change what a pair of different values is worth */
static double
Spread(const ModelComparison *comparison)
{
	double		best = -INFINITY;

	for (int l = 0; l < comparison->level_count; l++)
	{
		const ModelLevel *level = &comparison->levels[l];

		if (level->test != TEST_EXACT && level->test != TEST_SAME_DOMAIN && level->test != TEST_SAME_MAILBOX)
			best = Max(best, level->weight + (level->uses_frequency ? comparison->most_rarity : 0));
	}
	return best - comparison->levels[comparison->level_count - 1].weight;
}

/*
 * Get how much a comparison is likely to settle for what it costs: long texts
 * are costly, and so are names, which are compared crosswise.
 */
static double
Usefulness(const PairScorer *scorer, int c)
{
	const ModelComparison *comparison = &scorer->model->comparisons[c];
	double		spread = Spread(comparison);

	switch (scorer->model->fields[comparison->field].kind)
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

/* Get how much the lines are likely to settle: letters cost the same however many there are, but tell nothing of words */
static double
LineUsefulness(const PairScorer *scorer, int c)
{
	double		spread = Spread(&scorer->model->comparisons[c]);

	if (scorer->tests[c].place < 0 && scorer->tests[c].date_place < 0)
		return spread / 100;
	return IsCrossed(scorer, c) ? spread / 3 : spread;
}

/* Put a step into an order, behind those that are at least as useful */
static void
AddStep(const PairScorer *scorer, int *order, int c, double (*usefulness) (const PairScorer *, int))
{
	int			at = scorer->step_count;

	for (; at > 0 && usefulness(scorer, order[at - 1]) < usefulness(scorer, c); at--)
		order[at] = order[at - 1];
	order[at] = c;
}

/* Get the most that a comparison is worth, by the levels that different values may have or by all */
static double
MostWorth(const ModelComparison *comparison, bool is_different)
{
	double		most = -INFINITY;

	for (int l = 0; l < comparison->level_count; l++)
		if (!is_different || comparison->levels[l].test != TEST_EXACT || l == comparison->level_count - 1)
			most = Max(most, comparison->levels[l].weight +
					   (comparison->levels[l].uses_frequency ? comparison->most_rarity : 0));
	return most;
}

/* Work out what each step can be worth, and all groups */
static void
SetStepBounds(PairScorer *scorer)
{
	const MatchModel *model = scorer->model;

	for (int g = 0; g < model->group_count; g++)
		scorer->groups_most += scorer->groups[g].best;
	for (int i = 0; i < scorer->step_count; i++)
	{
		int			c = scorer->line_order[i];
		const ModelComparison *comparison = &model->comparisons[c];
		StepBounds *bounds = &scorer->steps[i];

		bounds->field = IsCrossed(scorer, c) ? -1 : comparison->field;
		bounds->equal = MostWorth(comparison, false);
		bounds->different = MostWorth(comparison, true);
		bounds->blank = comparison->first_email_level >= 0 ? Max(bounds->different, 0) : 0;
		if (IsCrossed(scorer, c))
		{
			const ModelComparison *family = &model->comparisons[model->family];
			double		order = Max(0, Max(model->straight_weight, model->swapped_weight));

			scorer->given_field = comparison->field;
			scorer->family_field = family->field;
			/* Either name may be blank */
			bounds->equal = Max(bounds->equal, 0) + Max(MostWorth(family, false), 0) + order;
			bounds->different = Max(bounds->different, 0) + Max(MostWorth(family, true), 0) + order;
		}
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
		SetLevelBounds(scorer, c);
		LineTestsInit(scorer, c);
		scorer->is_far[c] = FieldDictionary(records, model->comparisons[c].field)->count > FAR_AWAY;
		if (!scorer->is_far[c])
			scorer->caches[c] = palloc0(sizeof(uint32) << LEVEL_CACHE_BITS);
		if (c == model->family && scorer->may_cross)
			continue;			/* together with the given name */
		AddStep(scorer, scorer->order, c, Usefulness);
		AddStep(scorer, scorer->line_order, c, LineUsefulness);
		scorer->step_count++;
	}
	SetStepBounds(scorer);
	return scorer;
}
