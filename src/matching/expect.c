/*
 * What the pairs are taken for: the expectation step of training.
 *
 * Where the classes are not independent as the model has it, the many pairs
 * that are neither would draw the matches towards themselves.  So pairs that
 * are taken for matches with high probability teach in full (classification
 * EM: Celeux and Govaert, A Classification EM Algorithm, 1992).  These alone
 * would make matches look better than they are, until only the perfect ones
 * are left.  Of the pairs in doubt a pattern therefore teaches as well, but no
 * more than the model itself expects of it: what lies below the bar is
 * completed as truncated data are (Dempster, Laird and Rubin 1977).
 */
#include "postgres.h"

#include <math.h>

#include "matching/train.h"

/* Pairs that are taken for matches with this probability teach in full */
#define TEACHING_PROBABILITY 0.95

/* Bits of a state for each comparison */
#define STATE_BITS 2

/* Pairs that have and lack the same values, and how many there are */
typedef struct StateCount
{
	uint32		state;
	double		count;
} StateCount;

/* Work out how likely a pattern is one of each class */
static void
Classify(const MatchModel *model, const PatternCount *entry, PatternClass *class)
{
	const PairPattern *pattern = &entry->key.pattern;
	double		match = model->prior_weight + entry->correction / entry->count;
	double		related[RELATED_COUNT];
	double		most = 0;
	double		sum;

	for (int r = 0; r < RELATED_COUNT; r++)
		related[r] = model->related_prior_weight[r] + entry->shared_correction[r] / entry->count;
	for (int c = 0; c < model->comparison_count; c++)
		if (pattern->levels[c] != LEVEL_BLANK)
		{
			const ModelLevel *level = &model->comparisons[c].levels[pattern->levels[c]];

			match += level->weight;
			for (int r = 0; r < RELATED_COUNT; r++)
				if (model->comparisons[c].is_shared[r])
					related[r] += level->related_weight[r];
		}
	for (int g = 0; g < model->group_count; g++)
	{
		int			a = pattern->levels[model->groups[g].left];
		int			b = pattern->levels[model->groups[g].right];

		if (a == LEVEL_BLANK || b == LEVEL_BLANK)
			continue;
		match += model->groups[g].weight[a][b];
		for (int r = 0; r < RELATED_COUNT; r++)
			related[r] += model->groups[g].related_weight[a][b];
	}
	if (pattern->order != LEVEL_BLANK)
		match += pattern->order == 1 ? model->swapped_weight : model->straight_weight;
	most = Max(most, match);
	for (int r = 0; r < RELATED_COUNT; r++)
		most = Max(most, related[r]);
	sum = class->match = exp2(match - most);
	sum += class->other = exp2(-most);
	for (int r = 0; r < RELATED_COUNT; r++)
		sum += class->related[r] = exp2(related[r] - most);
	class->match /= sum;
	class->other /= sum;
	for (int r = 0; r < RELATED_COUNT; r++)
		class->related[r] /= sum;
}

/* Get the probability that the model gives a pattern */
double
PatternProbability(const MatchModel *model, const PatternCount *entry)
{
	PatternClass class;

	Classify(model, entry, &class);
	return class.match;
}

/* Is the level one of a name against an e-mail address? */
bool
LevelIsOfEmail(const ModelLevel *level)
{
	return level->test == TEST_EMAIL_NAME || level->test == TEST_EMAIL_INITIAL || level->test == TEST_EMAIL_OTHER;
}

/* Get which comparisons of a pattern are blank, and which are of a name and an e-mail address */
static uint32
PatternState(const MatchModel *model, const PairPattern *pattern)
{
	uint32		state = 0;

	for (int c = 0; c < model->comparison_count; c++)
	{
		int			level = pattern->levels[c];

		if (level != LEVEL_BLANK)
			state |= (LevelIsOfEmail(&model->comparisons[c].levels[level]) ? 2u : 1u) << (c * STATE_BITS);
	}
	return state;
}

/* Order by state */
static int
CompareStates(const void *a, const void *b)
{
	uint32		left = ((const StateCount *) a)->state;
	uint32		right = ((const StateCount *) b)->state;

	return left < right ? -1 : left > right;
}

/* Order patterns by their levels */
static int
ComparePatterns(const void *a, const void *b, void *arg)
{
	PatternCount **entries = arg;

	return memcmp(&entries[*(const int *) a]->key.pattern, &entries[*(const int *) b]->key.pattern, sizeof(PairPattern));
}

/* Put the patterns of equal levels together, and see how often each combination of blanks occurs */
void
TrainingFindFamilies(Training *training)
{
	const MatchModel *model = training->model;
	const PatternSet *met = &training->met;
	const PatternSet *random = &training->random;
	StateCount *states = palloc(sizeof(StateCount) * Max(random->count, 1));
	int		   *order = palloc(sizeof(int) * Max(met->count, 1));
	int			state_count = 0;

	for (int i = 0; i < random->count; i++)
		states[i] = (StateCount) {PatternState(model, &random->entries[i]->key.pattern), random->entries[i]->count};
	qsort(states, random->count, sizeof(StateCount), CompareStates);
	for (int i = 0; i < random->count; i++)
		if (state_count > 0 && states[state_count - 1].state == states[i].state)
			states[state_count - 1].count += states[i].count;
		else
			states[state_count++] = states[i];

	for (int i = 0; i < met->count; i++)
		order[i] = i;
	qsort_arg(order, met->count, sizeof(int), ComparePatterns, met->entries);
	training->family = palloc(sizeof(int) * Max(met->count, 1));
	training->families = palloc(sizeof(PatternFamily) * Max(met->count, 1));
	training->family_count = 0;
	for (int i = 0; i < met->count; i++)
	{
		const PairPattern *pattern = &met->entries[order[i]]->key.pattern;

		if (i == 0 || ComparePatterns(&order[i], &order[i - 1], met->entries) != 0)
		{
			StateCount	wanted = {PatternState(model, pattern), 0};
			StateCount *found = bsearch(&wanted, states, state_count, sizeof(StateCount), CompareStates);

			training->families[training->family_count++] = (PatternFamily) {
				.pattern = pattern,.stated = (found ? found->count : 1) / Max(random->pairs, 1)
			};
		}
		training->family[order[i]] = training->family_count - 1;
	}
	pfree(states);
	pfree(order);
}

/* Get how likely a match that is blank where the pattern is has its levels */
static double
MatchLikelihood(const MatchModel *model, const PairPattern *pattern)
{
	double		likelihood = 1;

	for (int c = 0; c < model->comparison_count; c++)
		if (pattern->levels[c] != LEVEL_BLANK)
			likelihood *= model->comparisons[c].levels[pattern->levels[c]].m;
	for (int g = 0; g < model->group_count; g++)
	{
		int			a = pattern->levels[model->groups[g].left];
		int			b = pattern->levels[model->groups[g].right];

		if (a != LEVEL_BLANK && b != LEVEL_BLANK)
			likelihood *= model->groups[g].m[a][b];
	}
	if (pattern->order != LEVEL_BLANK)
		likelihood *= pattern->order == 1 ? model->swapped_m : 1 - model->swapped_m;
	return Min(likelihood, 1);
}

/* Work out what each pattern is likely to be, and how much of it is to teach */
void
TrainingExpect(Training *training)
{
	const MatchModel *model = training->model;
	PatternSet *met = &training->met;
	PatternSet *random = &training->random;
	double		matches = training->matches * training->share;

	for (int f = 0; f < training->family_count; f++)
		training->families[f].doubtful = 0;
	for (int i = 0; i < random->count; i++)
		Classify(model, random->entries[i], &random->classes[i]);
	for (int i = 0; i < met->count; i++)
	{
		PatternClass *class = &met->classes[i];

		if (!training->is_complete)
			Classify(model, met->entries[i], class);
		if (class->other > 1 - TEACHING_PROBABILITY)
			memset(class->related, 0, sizeof(class->related));
		if (class->match < TEACHING_PROBABILITY)
			training->families[training->family[i]].doubtful += class->match * met->entries[i]->count;
	}
	for (int i = 0; i < met->count; i++)
	{
		PatternClass *class = &met->classes[i];
		const PatternFamily *family = &training->families[training->family[i]];
		double		expected = matches * family->stated * MatchLikelihood(model, family->pattern);

		if (class->match < TEACHING_PROBABILITY && family->doubtful > expected)
			class->match *= expected / family->doubtful;
	}
}
