/*
 * Training a match model by expectation maximisation.
 *
 * The pairs are a mixture of those of one entity and those of two.  The u come
 * from random pairs, nearly all of which are of two; the m from the pairs that
 * meet in blocks (Winkler, Using the EM Algorithm for Weight Computation in the
 * Fellegi-Sunter Model, 1988), with the prior estimated in the same likelihood.
 *
 * Pairs that met because a field agrees say nothing of how often it agrees.
 * So the m of a comparison are taken only from pairs that met at a key which
 * does not depend on its field, and how many matches a key misses is seen from
 * those that were found by keys independent of it (capture and recapture).
 * Where all pairs can be counted, they are, and none of this is needed.
 *
 * Values that are equal are counted exactly, whatever the sample: the pairs
 * that agree on a field are known from how often each value occurs, and those
 * among them that are matches are taken off.
 */
#include "postgres.h"

#include <math.h>

#include "matching/choose.h"
#include "matching/parallel.h"
#include "matching/train.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* Of many records a sample of so many is looked at, of more when it has too few matching pairs */
#define SAMPLE_RECORDS 250000
#define SAMPLE_MATCHES 2000
#define SAMPLE_GROWTH 4
#define LEAST_OF_SAMPLE 0.5

/* Pairs that are looked at, random and in blocks */
#define RANDOM_PAIRS 600000
#define BLOCK_PAIRS 1500000

/* Pairs that are taken for matches when keys are judged: at even odds */
#define MATCHED_WEIGHT 0

/* Names given in the other order, before anything is known */
#define DEFAULT_SWAPS 0.02

#define MAX_ITERATIONS 300
#define CONVERGED 1e-5

/* What the m that a model starts with count for, in matching pairs */
#define PRESET_MATCHES 12

/* Matching pairs for a record, before anything is known, where records are few */
#define FIRST_MATCHES 0.1

/* How likely a record to come is that of somebody known, where there are no duplicates to tell */
#define KNOWN_SHARE 0.5

/* Pairs of related entities, for one that matches, before anything is known */
#define FIRST_RELATED 0.05

/* The least probability that two random records match, or are of related entities */
#define LEAST_PRIOR 1e-12

/* Steps by which is found how often related entities share something, and its bounds */
#define SHARED_STEPS 12
#define LEAST_SHARED 1e-4

/* What the estimate of chance agreement may not fall below, of all agreement seen */
#define LEAST_CHANCE 0.002

/*
 * Turn sums over levels into probabilities.  The levels of a name against an
 * e-mail address are a comparison of their own: they exclude the others.
 */
static void
Normalise(const ModelComparison *comparison, double *sums)
{
	for (int email = 0; email <= 1; email++)
	{
		double		total = 0;

		for (int l = 0; l < comparison->level_count; l++)
			if (LevelIsOfEmail(&comparison->levels[l]) == email)
				total += sums[l];
		for (int l = 0; l < comparison->level_count; l++)
			if (LevelIsOfEmail(&comparison->levels[l]) == email)
				sums[l] = total > 0 ? sums[l] / total : 0.5;
	}
}

/*
 * Keep the levels of values that are not the same from becoming the usual ones.
 * Records of one entity mostly agree on what identifies it; a class of pairs
 * that does not is another one, which has taken the place of the matches.
 */
static void
LimitDifferent(const ModelComparison *comparison, FieldKind kind, double *sums)
{
	double		most = KindMostDifferent(kind);
	double		different = 0;

	for (int l = 0; l < comparison->level_count; l++)
		if (!LevelIsOfEmail(&comparison->levels[l]) && !LevelIdentifies(&comparison->levels[l], kind))
			different += sums[l];
	if (different <= most)
		return;
	for (int l = 0; l < comparison->level_count; l++)
		if (!LevelIsOfEmail(&comparison->levels[l]))
			sums[l] *= LevelIdentifies(&comparison->levels[l], kind) ? (1 - most) / Max(1 - different, 1e-9) :
				most / different;
}

/*
 * Turn sums over the levels of related entities into probabilities.  What they
 * share varies as it does between records of one entity, and what they do not
 * as it does by chance; only how often they share it is to be learned.  Where
 * some levels would make them the same, these are as rare as by chance, and
 * the others are as they come.
 */
static void
NormaliseRelated(const MatchModel *model, const ModelComparison *comparison, int related, double *sums)
{
	double		fixed[MODEL_MAX_LEVELS];
	double		fixed_sum = 0;
	double		free_sum = 0;
	double		shared = 0.5;

	ModelFixedRelated(comparison, model->fields[comparison->field].kind, related,
					  model->given >= 0 || model->family >= 0, fixed);
	for (int l = 0; l < comparison->level_count; l++)
		if (fixed[l] >= 0)
			fixed_sum += fixed[l];
		else
			free_sum += sums[l];
	if (fixed_sum > 0)
	{
		for (int l = 0; l < comparison->level_count; l++)
			sums[l] = fixed[l] >= 0 ? fixed[l] : sums[l] / Max(free_sum, 1e-9) * (1 - fixed_sum);
		return;
	}
	for (int step = 0; step < SHARED_STEPS; step++)
	{
		double		sum = 0;

		for (int l = 0; l < comparison->level_count; l++)
		{
			const ModelLevel *level = &comparison->levels[l];

			sum += sums[l] * shared * level->m / (shared * level->m + (1 - shared) * level->u);
		}
		shared = Max(LEAST_SHARED, Min(1 - LEAST_SHARED, sum / Max(free_sum, 1e-9)));
	}
	for (int l = 0; l < comparison->level_count; l++)
		sums[l] = shared * comparison->levels[l].m + (1 - shared) * comparison->levels[l].u;
}

/* Re-estimate m of all comparisons from the pairs that met for other reasons */
static void
MaximiseM(Training *training)
{
	MatchModel *model = training->model;
	const PatternSet *met = &training->met;
	double		swapped = DEFAULT_SWAPS * PRESET_MATCHES;
	double		ordered = PRESET_MATCHES;

	for (int c = 0; c < model->comparison_count; c++)
	{
		ModelComparison *comparison = &model->comparisons[c];
		double		sums[MODEL_MAX_LEVELS];
		double		related[RELATED_COUNT][MODEL_MAX_LEVELS];
		double		evidence = 0;

		for (int l = 0; l < comparison->level_count; l++)
		{
			sums[l] = training->preset_m[c][l] * PRESET_MATCHES;
			for (int r = 0; r < RELATED_COUNT; r++)
				related[r][l] = sums[l];
		}
		for (int i = 0; i < met->count; i++)
		{
			const PatternCount *entry = met->entries[i];
			int			level = entry->key.pattern.levels[c];

			if (level == LEVEL_BLANK || (entry->key.bound & (1 << c)))
				continue;
			sums[level] += met->classes[i].match * entry->count;
			for (int r = 0; r < RELATED_COUNT; r++)
				related[r][level] += met->classes[i].related[r] * entry->count;
			evidence += met->classes[i].match * entry->count;
		}
		training->evidence[c] = evidence;
		Normalise(comparison, sums);
		LimitDifferent(comparison, model->fields[comparison->field].kind, sums);
		for (int l = 0; l < comparison->level_count; l++)
		{
			training->change = Max(training->change, fabs(comparison->levels[l].m - sums[l]));
			comparison->levels[l].m = Max(sums[l], 1e-7);
		}
		for (int r = 0; r < RELATED_COUNT; r++)
		{
			NormaliseRelated(model, comparison, r, related[r]);
			for (int l = 0; l < comparison->level_count; l++)
				comparison->levels[l].related[r] = Max(related[r][l], 1e-7);
		}
	}
	for (int i = 0; i < met->count; i++)
	{
		const PatternCount *entry = met->entries[i];

		if (entry->key.pattern.order == LEVEL_BLANK)
			continue;
		ordered += met->classes[i].match * entry->count;
		if (entry->key.pattern.order == 1)
			swapped += met->classes[i].match * entry->count;
	}
	model->swapped_m = Max(1e-4, Min(0.5, swapped / ordered));
}

/* Re-estimate u of all comparisons from the random pairs that are no matches */
static void
MaximiseU(Training *training)
{
	MatchModel *model = training->model;
	const PatternSet *random = &training->random;
	double		swapped = 1;
	double		ordered = 2;

	for (int c = 0; c < model->comparison_count; c++)
	{
		ModelComparison *comparison = &model->comparisons[c];
		double		sums[MODEL_MAX_LEVELS] = {0};
		double		total = 0;
		int			equal = comparison->equal_level;

		for (int i = 0; i < random->count; i++)
		{
			int			level = random->entries[i]->key.pattern.levels[c];
			double		others = random->classes[i].other * random->entries[i]->count;

			if (level == LEVEL_BLANK)
				continue;
			sums[level] += others;
			if (!LevelIsOfEmail(&comparison->levels[level]))
				total += others;
		}
		for (int l = 0; l < comparison->level_count; l++)
			sums[l] += 0.3;
		if (!training->is_complete && comparison->levels[equal].test == TEST_EXACT && total > 0)
		{
			double		present = training->all_pairs * training->present[c];
			double		matched = training->matches * training->present[c] * comparison->levels[equal].m;
			const ModelField *field = &model->fields[comparison->field];
			double		chance = field->by_holder ? training->agreeing[c] :
				Max(training->agreeing[c] - matched, training->agreeing[c] * LEAST_CHANCE);

			/* Names may also be equal crosswise, which the sample shows */
			if (c != model->given && c != model->family)
				sums[equal] = Max(chance, 0.05) / Max(present, 1) * total;
			else
				sums[equal] = Max(sums[equal], Max(chance, 0.05) / Max(present, 1) * total);
			for (int l = 0; l < comparison->level_count; l++)
				if (comparison->levels[l].test == TEST_SAME_MAILBOX && field->by_holder)
					sums[l] = total * Max(model->fields[comparison->mailbox].agreement - field->agreement,
										  0.05 / Max(present, 1));
		}
		Normalise(comparison, sums);
		for (int l = 0; l < comparison->level_count; l++)
			comparison->levels[l].u = Max(sums[l], 1e-9);
	}
	for (int i = 0; i < random->count; i++)
	{
		const PatternCount *entry = random->entries[i];

		if (entry->key.pattern.order == LEVEL_BLANK)
			continue;
		ordered += random->classes[i].other * entry->count;
		if (entry->key.pattern.order == 1)
			swapped += random->classes[i].other * entry->count;
	}
	model->swapped_u = Max(1e-4, Min(1 - 1e-4, swapped / ordered));
}

/*
 * Can related entities be told from one?  Not where they have all in common
 * that is compared.
 */
static bool
CanBeRelated(const MatchModel *model, int related)
{
	bool		of_persons = model->given >= 0 || model->family >= 0;

	for (int c = 0; c < model->comparison_count; c++)
	{
		const ModelComparison *comparison = &model->comparisons[c];
		double		fixed[MODEL_MAX_LEVELS];

		if (!comparison->is_shared[related])
			return true;
		ModelFixedRelated(comparison, model->fields[comparison->field].kind, related, of_persons, fixed);
		for (int l = 0; l < comparison->level_count; l++)
			if (fixed[l] >= 0)
				return true;
	}
	return false;
}

/* Set the probability that two random records are of related entities */
static void
SetRelatedPrior(MatchModel *model, int related, double prior)
{
	model->related_prior[related] = CanBeRelated(model, related) ? Max(LEAST_PRIOR, Min(0.4, prior)) : LEAST_PRIOR;
}

/* Re-estimate how many pairs match, and how many are related */
static void
MaximisePriors(Training *training)
{
	double		matches = 0;
	double		related[RELATED_COUNT] = {0};

	for (int i = 0; i < training->met.count; i++)
	{
		matches += training->met.classes[i].match * training->met.entries[i]->count;
		for (int r = 0; r < RELATED_COUNT; r++)
			related[r] += training->met.classes[i].related[r] * training->met.entries[i]->count;
	}
	training->matches = matches / training->share;
	training->model->prior = Max(LEAST_PRIOR, Min(0.5, training->matches / training->all_pairs));
	for (int r = 0; r < RELATED_COUNT; r++)
		SetRelatedPrior(training->model, r, related[r] / training->share / training->all_pairs);
}

/* Iterate until nothing changes */
static void
Iterate(Training *training)
{
	for (int iteration = 0; iteration < MAX_ITERATIONS; iteration++)
	{
		double		before = training->matches;

		CHECK_FOR_INTERRUPTS();
		training->iterations++;
		training->change = 0;
		TrainingExpect(training);
		MaximiseM(training);
		MaximiseU(training);
		MaximisePriors(training);
		TrainingMaximiseGroups(training);
		ModelCompile(training->model);
		training->has_converged = training->change < CONVERGED &&
			fabs(training->matches - before) <= CONVERGED * Max(before, 1);
		if (training->has_converged)
			break;
	}
}

/* Refuse parameters that rest on next to nothing */
static void
CheckEvidence(const Training *training)
{
	if (training->matches < MIN_MATCHES)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("the records hold no evidence to train a match model on: about %.0f pairs among %u records match",
						training->matches, training->records->count),
				 training->model->comparison_count == 1 ?
				 errhint("One comparison alone cannot be learned from, as nothing else tells which pairs match. Compare a further"
						 " column, or use the model as it is with the prior that you expect: the share of all pairs that match.") :
				 errhint("Train on more records, or use the model as it is: what it starts with are usual values.")));
}

/* Take the patterns of a table for training */
static void
TakePatterns(PatternSet *set, const PatternTable *table)
{
	set->entries = PatternsList(table, &set->count);
	set->classes = palloc0(sizeof(PatternClass) * Max(set->count, 1));
	set->pairs = table->pairs;
}

/* Count the pairs that training looks at */
static void
CountPatterns(Training *training, PairScorer *scorer)
{
	PatternTable *random = PatternsCreate();
	PatternTable *met = random;

	training->is_complete = training->all_pairs <= COMPARE_ALL_PAIRS;
	if (training->is_complete)
		for (int part = 0; part < RANDOM_PARTS; part++)
			PatternsOfRandomPairs(random, scorer, COMPARE_ALL_PAIRS, part);
	else
	{
		MatchKeys  *keys = training->keys = KeysBuild(training->records, BLOCK_PAIRS);
		int			workers = SharedWorkers(training->records);

		training->share = KeysKeepWanted(keys, BLOCK_PAIRS);
		met = PatternsCreate();
		if (workers > 0)
			SharedCount(training->records, keys, RANDOM_PAIRS, workers, random, met);
		else
		{
			for (int part = 0; part < RANDOM_PARTS; part++)
				PatternsOfRandomPairs(random, scorer, RANDOM_PAIRS, part);
			PatternsOfBlocks(met, scorer, keys);
		}
		RecordsReport(training->records, UINT64_FORMAT " pairs counted", random->pairs + met->pairs);
	}
	TakePatterns(&training->random, random);
	TakePatterns(&training->met, met);
	if (training->is_complete)
		training->met.classes = training->random.classes;
	TrainingFindFamilies(training);
}

/* Start from related entities that share what they may share as often as is usual within one */
static void
StartRelated(Training *training)
{
	MatchModel *model = training->model;

	for (int c = 0; c < model->comparison_count; c++)
		for (int r = 0; r < RELATED_COUNT; r++)
		{
			ModelComparison *comparison = &model->comparisons[c];
			double		sums[MODEL_MAX_LEVELS];

			memcpy(sums, training->preset_m[c], sizeof(sums));
			NormaliseRelated(model, comparison, r, sums);
			for (int l = 0; l < comparison->level_count; l++)
				comparison->levels[l].related[r] = Max(sums[l], 1e-7);
		}
}

/*
 * Settle for the usual m: records without duplicates say how often two of them
 * agree, but not how one is spelt twice.  The prior is that of a record to come.
 */
static void
TakeUsual(Training *training)
{
	MatchModel *model = training->model;

	for (int g = 0; g < model->group_count; g++)
		for (int a = 0; a < MODEL_MAX_LEVELS; a++)
			for (int b = 0; b < MODEL_MAX_LEVELS; b++)
				model->groups[g].m[a][b] = 1;
	training->matches = 0;
	model->prior = Min(0.5, KNOWN_SHARE * training->records->share / training->records->count);
	ModelCompile(model);
}

/*
 * Train a model on records; clean ones are known to hold no duplicates.
 * Returns false, the model being half trained, when they are a sample that
 * holds too few.
 */
static bool
TrainOn(MatchModel *model, MatchRecords *records, bool is_clean)
{
	Training	training = {.model = model,.records = records,.share = 1};
	KeyChoice  *choice = NULL;

	if (records->count < 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a match model cannot be trained on %u records", records->count)));
	training.all_pairs = RecordsAllPairs(records);
	model->prior = is_clean ? KNOWN_SHARE / training.all_pairs :
		Max(model->prior, Min(0.5, FIRST_MATCHES * records->share * records->count / training.all_pairs));
	ModelMeasurePresence(model, records);
	ModelMeasureFields(model, records);
	model->group_count = 0;
	for (int r = 0; r < RELATED_COUNT; r++)
		SetRelatedPrior(model, r, model->prior * FIRST_RELATED);
	ModelCompile(model);
	model->whole_name_count = 0;
	RecordsSetRarity(records);
	ModelMeasureWholeNames(model, records);
	RecordsSetWholeNames(records);
	ModelMeasureUnits(model, records);
	RecordsDropLookup(records);
	RecordsReport(records, "frequencies of %d fields measured", model->field_count);
	if (model->key_count == 0)
	{
		choice = KeyChoiceCreate(model, records);
		KeyChoiceTake(choice, NULL, 0, false);
		RecordsReport(records, "%d blocking keys chosen", model->key_count);
	}
	for (int c = 0; c < model->comparison_count; c++)
	{
		const ModelField *field = &model->fields[model->comparisons[c].field];

		for (int l = 0; l < model->comparisons[c].level_count; l++)
			training.preset_m[c][l] = model->comparisons[c].levels[l].m;
		training.present[c] = field->present * field->present;
		training.agreeing[c] = field->agreement * training.all_pairs * training.present[c];
	}
	CountPatterns(&training, ScorerCreate(records));
	training.matches = model->prior * training.all_pairs;
	TrainingExpect(&training);
	MaximiseU(&training);
	StartRelated(&training);
	ModelCompile(model);
	TrainingExpect(&training);
	TrainingFindGroups(&training);
	TrainingMaximiseGroups(&training);
	ModelCompile(model);
	if (is_clean)
	{
		TakeUsual(&training);
		if (choice)
		{
			KeyChoiceTake(choice, NULL, 0, true);
			KeyChoiceFree(choice);
			RecordsReport(records, "%d blocking keys chosen by the model", model->key_count);
		}
		training.has_converged = true;
		model->is_trained = true;
		model->report = TrainingReport(&training);
		return true;
	}
	Iterate(&training);
	if (records->share < 1 && training.matches < SAMPLE_MATCHES)
		return false;
	if (model->match_precision > 0)
		TrainingSetThreshold(&training);
	RecordsReport(records, "model fitted in %d iterations", training.iterations);
	CheckEvidence(&training);
	if (choice)
	{
		FoundPair  *matched;
		uint64		matched_count;

		matched = training.keys ? FindPairsAtKeys(records, training.keys, MATCHED_WEIGHT, &matched_count) :
			FindPairs(records, MATCHED_WEIGHT, &matched_count);
		if (matched_count > 0)
			KeyChoiceTake(choice, matched, matched_count, true);
		KeyChoiceFree(choice);
		RecordsReport(records, "%d blocking keys chosen by matches", model->key_count);
	}
	model->is_trained = true;
	model->report = TrainingReport(&training);
	return true;
}

/*
 * Train a model on the records of a table or query.  The pairs of a sample are
 * a sample of the pairs, so that a quarter of the records has the parameters of
 * all, but only a sixteenth of the matching pairs.
 */
static Jsonb *
Train(Jsonb *document, const char *source, bool is_clean)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "lead_mgmt training", ALLOCSET_DEFAULT_SIZES);
	MemoryContext outer = MemoryContextSwitchTo(context);
	Jsonb	   *trained = NULL;

	for (double wanted = SAMPLE_RECORDS; trained == NULL; wanted *= SAMPLE_GROWTH)
	{
		MatchModel *model = ModelRead(document);
		MatchRecords *records = RecordsCreate(model);
		bool		is_trained;

		RecordsLoadSample(records, source, model->key_column, wanted);

		/* There may be far fewer records than the planner takes there to be */
		is_trained = (records->share == 1 || records->count >= wanted * LEAST_OF_SAMPLE) &&
			TrainOn(model, records, is_clean);
		SharedRelease(records);
		MemoryContextSwitchTo(outer);
		if (is_trained)
			trained = ModelWrite(model);

		/* The caller may go on to find clusters in the same memory */
		MemoryContextReset(context);
		MemoryContextSwitchTo(context);
	}
	MemoryContextSwitchTo(outer);
	MemoryContextDelete(context);
	return trained;
}

/* Train a match model on the records of a table or query */
PG_FUNCTION_INFO_V1(train_match_model);
Datum
train_match_model(PG_FUNCTION_ARGS)
{
	PG_RETURN_JSONB_P(Train(PG_GETARG_JSONB_P(1), text_to_cstring(PG_GETARG_TEXT_PP(0)), PG_GETARG_BOOL(2)));
}
