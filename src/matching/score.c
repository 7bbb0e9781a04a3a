/*
 * Weights: what the pattern of a pair of records is worth.
 *
 * A level that uses frequencies is worth more where the shared value is rare
 * and less where it is common: its u is for the average value, so the weight is
 * corrected by how much rarer than average the more frequent of the two values
 * is (Winkler, Frequency-Based Matching in the Fellegi-Sunter Model, 2000).
 *
 * The sum is always formed in the order of the model, so that a pair's weight
 * is the same to the last bit wherever it is worked out.
 */
#include "postgres.h"

#include <math.h>

#include "matching/levels.h"
#include "types/email_core.h"

/* A mailbox that two have says so many bits at least: that both use it at two providers */
#define LEAST_SAID 4

/* and an initial says so many */
#define INITIAL_SAYS 4.0

/* The logarithm of what changes 1 when it is added to it */
#define LEAST_OF_ONE (-54)

/* Get the probability that goes with a weight */
double
WeightProbability(double weight)
{
	double		odds = exp2(weight > 0 ? -weight : weight);

	return weight > 0 ? 1 / (1 + odds) : odds / (1 + odds);
}

/*
 * Get how much of what a mailbox says is said by the names already.  A mailbox
 * is made of its holder's names, and without a number two persons of one name
 * have the same: then the two say no more than the one that says more.
 */
static double
SaidByNames(const PairScorer *scorer, int mailbox, const uint32 *left, const uint32 *right, const PairPattern *pattern)
{
	const MatchModel *model = scorer->model;
	int			names[2] = {model->given, model->family};
	double		said = 0;

	for (int n = 0; n < lengthof(names); n++)
	{
		double		most = 0;
		int			field;

		if (names[n] < 0 || pattern->levels[names[n]] < 0 ||
			model->comparisons[names[n]].levels[pattern->levels[names[n]]].weight <= 0)
			continue;
		field = model->comparisons[names[n]].field;
		for (int side = 0; side <= 1; side++)
		{
			uint32		name = (side == 0 ? left : right)[field];
			LevelTest	found = name == VALUE_BLANK ? TEST_EMAIL_OTHER :
				NameInMailbox(scorer->records, field, name, mailbox, left[mailbox]);

			if (found != TEST_EMAIL_OTHER)
				most = Max(most, Min(ValueRarity(scorer->records, field, name), found == TEST_EMAIL_INITIAL ? INITIAL_SAYS : INFINITY));
		}
		said += most;
	}
	return said;
}

/* Get how rare a family name is once the given name has been counted, where the whole name is frequent */
static double
RestOfWholeName(const PairScorer *scorer, const uint32 *left, const uint32 *right)
{
	const MatchModel *model = scorer->model;
	int			given = model->comparisons[model->given].field;

	if (model->whole_name_count == 0 || left[given] != right[given] || left[given] == VALUE_BLANK)
		return INFINITY;
	return WholeNameRarity(scorer->records, left[given], left[model->comparisons[model->family].field]) -
		ValueRarity(scorer->records, given, left[given]);
}

/*
 * Get how much rarer than average the value is that two records share or nearly
 * share; names may be compared crosswise.
 */
double
LevelRarity(const PairScorer *scorer, int c, const uint32 *left, const uint32 *right, const PairPattern *pattern)
{
	const MatchModel *model = scorer->model;
	const ModelComparison *comparison = &model->comparisons[c];
	const ModelLevel *level;
	int			field = comparison->field;
	int			right_field = field;
	const MatchRecords *records = scorer->records;
	uint32		a;
	uint32		b;
	double		least;

	if (pattern->levels[c] == LEVEL_BLANK)
		return 0;
	level = &comparison->levels[pattern->levels[c]];
	if (!level->uses_frequency)
		return 0;
	if (level->test == TEST_SAME_DOMAIN)
		field = right_field = comparison->domain;
	else if (level->test == TEST_SAME_MAILBOX)
		field = right_field = comparison->mailbox;
	else if (pattern->order == 1 && c == model->given)
		right_field = model->comparisons[model->family].field;
	else if (pattern->order == 1 && c == model->family)
		right_field = model->comparisons[model->given].field;
	a = left[field];
	b = right[right_field];
	if (a == VALUE_BLANK)
		least = ValueRarity(records, right_field, b);
	else if (b == VALUE_BLANK)
		least = ValueRarity(records, field, a);
	else
		least = Min(ValueRarity(records, field, a), ValueRarity(records, right_field, b));
	if (field != right_field && a != VALUE_BLANK && b != VALUE_BLANK)
		least = Min(least, Min(ValueRarity(records, right_field, a), ValueRarity(records, field, b)));
	if (c == model->family && pattern->order == 0 && a == b && a != VALUE_BLANK &&
		pattern->levels[model->given] == model->comparisons[model->given].equal_level)
		least = Min(least, RestOfWholeName(scorer, left, right));
	if (level->test == TEST_SAME_MAILBOX && least > LEAST_SAID)
		least = Max(least - SaidByNames(scorer, field, left, right, pattern), LEAST_SAID);
	return least + model->fields[field].agreement_weight;
}

/*
 * Get how much of the rarity of a shared value speaks for a match.  A company's
 * domain is shared by colleagues; one person has one mailbox of it.
 */
static double
MatchRarity(const PairScorer *scorer, int c, const uint32 *left, const PairPattern *pattern, double rarity)
{
	const ModelComparison *comparison = &scorer->model->comparisons[c];
	const MatchDictionary *domains;
	const MatchValue *domain;

	if (rarity <= 0 || pattern->levels[c] == LEVEL_BLANK || comparison->levels[pattern->levels[c]].test != TEST_SAME_DOMAIN)
		return rarity;
	domains = FieldDictionary(scorer->records, comparison->domain);
	domain = &domains->values[left[comparison->domain]];
	return EmailDomainIsFree(DictionaryText(domains, domain), domain->bytes) ? rarity : 0;
}

/* Get the sum of the frequency corrections of a pair, and of those of shared fields */
double
PatternRarity(const PairScorer *scorer, const uint32 *left, const uint32 *right, const PairPattern *pattern,
			  double shared[RELATED_COUNT])
{
	double		sum = 0;

	for (int r = 0; r < RELATED_COUNT; r++)
		shared[r] = 0;
	for (int c = 0; c < scorer->model->comparison_count; c++)
	{
		double		rarity = LevelRarity(scorer, c, left, right, pattern);

		sum += MatchRarity(scorer, c, left, pattern, rarity);
		for (int r = 0; r < RELATED_COUNT; r++)
			if (scorer->model->comparisons[c].is_shared[r])
				shared[r] += rarity;
	}
	return sum;
}

/*
 * Get the weight of a pair's pattern, the prior included.  Its parts, when
 * wanted, are those of the comparisons, then of the groups, then of the order
 * of names, then of what speaks for two related entities.
 */
double
PatternWeight(const PairScorer *scorer, const uint32 *left, const uint32 *right, const PairPattern *pattern,
			  double *parts)
{
	const MatchModel *model = scorer->model;
	double		weight = model->prior_weight;
	double		related[RELATED_COUNT];
	double		odds = 1;
	double		part;

	for (int r = 0; r < RELATED_COUNT; r++)
		related[r] = model->related_prior_weight[r];

	for (int c = 0; c < model->comparison_count; c++)
	{
		part = 0;
		if (pattern->levels[c] != LEVEL_BLANK)
		{
			const ModelLevel *level = &model->comparisons[c].levels[pattern->levels[c]];
			double		rarity = LevelRarity(scorer, c, left, right, pattern);

			part = level->weight + MatchRarity(scorer, c, left, pattern, rarity);
			for (int r = 0; r < RELATED_COUNT; r++)
				if (model->comparisons[c].is_shared[r])
					related[r] += level->related_weight[r] + rarity;
		}
		weight += part;
		if (parts)
			*parts++ = part;
	}
	for (int g = 0; g < model->group_count; g++)
	{
		const ModelGroup *group = &model->groups[g];
		int			a = pattern->levels[group->left];
		int			b = pattern->levels[group->right];

		part = 0;
		if (a != LEVEL_BLANK && b != LEVEL_BLANK)
		{
			part = group->weight[a][b];
			for (int r = 0; r < RELATED_COUNT; r++)
				related[r] += group->related_weight[a][b];
		}
		weight += part;
		if (parts)
			*parts++ = part;
	}
	part = pattern->order == LEVEL_BLANK ? 0 : pattern->order == 1 ? model->swapped_weight : model->straight_weight;
	weight += part;
	if (parts)
		*parts++ = part;
	for (int r = 0; r < RELATED_COUNT; r++)
		if (related[r] >= LEAST_OF_ONE)
			odds += exp2(related[r]);
	part = odds == 1 ? 0 : -log2(odds);
	weight += part;
	if (parts)
		*parts++ = part;
	return weight;
}
