/*
 * Choosing blocking keys.
 *
 * What each key costs, the pairs in its blocks, is counted on a sample of the
 * records.  What it finds is seen on pairs that match; where none are known,
 * on made-up ones whose fields agree independently, each transformation of a
 * field as often as is usual, and which count for as much as they are likely to
 * be recognised once they meet.  The keys are then taken greedily, by what each
 * finds that those before it miss and by what it costs, until the pairs that
 * the records are worth are used up (as Bilenko, Kamath and Mooney, Adaptive
 * Blocking, 2006, choose from labelled pairs).
 */
#include "postgres.h"

#include <math.h>

#include "common/pg_prng.h"
#include "matching/choose.h"
#include "matching/train.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* Records on which costs are counted */
#define SAMPLE_RECORDS 30000

/* Room to count the codes of the sample, twice what they can be */
#define COUNT_BITS 17

StaticAssertDecl(SAMPLE_RECORDS * KEY_MAX_ENTRIES * 2 <= 1 << COUNT_BITS, "codes are counted in a table with room to spare");

/* Pairs on which is seen what keys find */
#define SAMPLE_PAIRS 2000

/* Pairs that are compared for the sake of a record, and at least */
#define PAIRS_PER_RECORD 10.0
#define LEAST_PAIRS 4e6

/* From so many records on each key takes its time */
#define MANY_RECORDS 1e6

/* A key that finds less than this of what is missing is not worth its cost, */
#define LEAST_GAIN 0.0005

/* nor one of an index, which costs each change of a record so much, and each look-up by what it brings */
#define LEAST_INDEX_GAIN 0.0025
#define LEAST_LOOK_UP_GAIN 0.0002

/* What finding a pair once more is worth: it may be among too many at one key */
#define COMFORT 0.05

#define MAX_ATOMS 40
#define MAX_CANDIDATES 400

#define RANDOM_SEED 2006

/* A transformation of a field, and how often matching records agree on it */
typedef struct Atom
{
	KeyPart		part;
	bool		stands_alone;	/* telling enough to be a key */
	double		recall;
	int			entries;
	uint32	   *codes[KEY_MAX_ENTRIES]; /* of the sample's records */
} Atom;

/* A key that could be taken */
typedef struct Candidate
{
	int			atoms[3];
	int			atom_count;
	double		cost;			/* pairs in its blocks */
	uint8	   *finds;			/* by sample pair */
	bool		is_taken;
} Candidate;

/* What a kind of field offers */
static const struct
{
	FieldKind	kind;
	KeyTransform transform;
	int			length;
	bool		stands_alone;
	double		recall;
}			offers[] = {
	{KIND_GIVEN_NAME, TRANSFORM_PHONETIC, 0, false, 0.78},
	{KIND_GIVEN_NAME, TRANSFORM_PREFIX, 3, false, 0.76},
	{KIND_GIVEN_NAME, TRANSFORM_INITIAL, 0, false, 0.88},
	{KIND_GIVEN_NAME, TRANSFORM_LETTERS, 0, false, 0.75},
	{KIND_FAMILY_NAME, TRANSFORM_PHONETIC, 0, false, 0.80},
	{KIND_FAMILY_NAME, TRANSFORM_PREFIX, 3, false, 0.80},
	{KIND_FAMILY_NAME, TRANSFORM_LETTERS, 0, false, 0.78},
	{KIND_FAMILY_NAME, TRANSFORM_ANY_NAME, 0, false, 0.86},
	{KIND_ORGANISATION, TRANSFORM_EXACT, 0, true, 0.6},
	{KIND_ORGANISATION, TRANSFORM_RARE_WORDS, 0, true, 0.85},
	{KIND_ORGANISATION, TRANSFORM_PREFIX, 5, false, 0.7},
	{KIND_ORGANISATION, TRANSFORM_PHONETIC, 0, false, 0.75},
	{KIND_ORGANISATION, TRANSFORM_LETTERS, 0, false, 0.65},
	{KIND_EMAIL, TRANSFORM_EXACT, 0, true, 0.6},
	{KIND_WEBSITE, TRANSFORM_EXACT, 0, true, 0.8},
	{KIND_PHONE, TRANSFORM_EXACT, 0, true, 0.75},
	{KIND_PHONE, TRANSFORM_LAST_DIGITS, 5, false, 0.8},
	{KIND_DATE, TRANSFORM_EXACT, 0, true, 0.7},
	{KIND_DATE, TRANSFORM_YEAR_MONTH, 0, false, 0.78},
	{KIND_DATE, TRANSFORM_YEAR, 0, false, 0.85},
	{KIND_DATE, TRANSFORM_MONTH_DAY, 0, false, 0.78},
	{KIND_ADDRESS, TRANSFORM_EXACT, 0, true, 0.55},
	{KIND_ADDRESS, TRANSFORM_RARE_WORDS, 0, false, 0.75},
	{KIND_ADDRESS, TRANSFORM_FIRST_WORD, 0, false, 0.75},
	{KIND_POSTCODE, TRANSFORM_EXACT, 0, true, 0.78},
	{KIND_POSTCODE, TRANSFORM_PREFIX, 3, false, 0.85},
	{KIND_TEXT, TRANSFORM_EXACT, 0, true, 0.72},
	{KIND_TEXT, TRANSFORM_PREFIX, 3, false, 0.8},
	{KIND_TEXT, TRANSFORM_LETTERS, 0, false, 0.78},
	{KIND_IDENTIFIER, TRANSFORM_EXACT, 0, true, 0.85},
	{KIND_IDENTIFIER, TRANSFORM_PREFIX, 4, false, 0.88},
	{KIND_NUMBER, TRANSFORM_EXACT, 0, false, 0.75}
};

/* Add an atom when there is room */
static void
AddAtom(Atom *atoms, int *count, int field, KeyTransform transform, int length, bool stands_alone, double recall)
{
	if (*count < MAX_ATOMS)
		atoms[(*count)++] = (Atom)
	{
		.part = {field, transform, length}, .stands_alone = stands_alone,.recall = recall
	};
}

/* List what the fields that are compared offer */
static int
ListAtoms(const MatchModel *model, Atom *atoms)
{
	int			count = 0;

	for (int f = 0; f < model->field_count; f++)
	{
		const ModelField *field = &model->fields[f];
		bool		is_compared = false;

		for (int c = 0; c < model->comparison_count; c++)
			is_compared |= model->comparisons[c].field == (field->whole >= 0 ? field->whole : f);
		if (!is_compared || field->never_blocks || (field->whole >= 0 && model->fields[field->whole].never_blocks))
			continue;
		if (field->part == PART_MAILBOX)
		{
			AddAtom(atoms, &count, f, TRANSFORM_EXACT, 0, true, 0.68);
			AddAtom(atoms, &count, f, TRANSFORM_PREFIX, 5, false, 0.72);
			AddAtom(atoms, &count, f, TRANSFORM_LETTERS, 0, false, 0.75);
		}
		else if (field->part == PART_DOMAIN)
			AddAtom(atoms, &count, f, TRANSFORM_DOMAIN, 0, true, 0.7);
		else
			for (int o = 0; o < lengthof(offers); o++)
				if (offers[o].kind == field->kind &&
					(offers[o].transform != TRANSFORM_ANY_NAME || model->family >= 0))
					AddAtom(atoms, &count, f, offers[o].transform, offers[o].length, offers[o].stands_alone,
							offers[o].recall);
	}
	return count;
}

/* Get the comparison field behind an atom, which no key takes twice */
static int
AtomField(const MatchModel *model, const Atom *atom)
{
	const ModelField *field = &model->fields[atom->part.field];

	return field->whole >= 0 ? field->whole : atom->part.field;
}

/* Is the atom about names in either place? */
static bool
IsAnyName(const Atom *atom)
{
	return atom->part.transform == TRANSFORM_ANY_NAME;
}

/* May two atoms stand in one key? */
static bool
MayJoin(const MatchModel *model, const Atom *a, const Atom *b)
{
	FieldKind	left = model->fields[a->part.field].kind;
	FieldKind	right = model->fields[b->part.field].kind;

	if (AtomField(model, a) == AtomField(model, b))
		return false;
	if (a->entries + b->entries > 3)
		return false;
	if ((IsAnyName(a) && (right == KIND_GIVEN_NAME || right == KIND_FAMILY_NAME)) ||
		(IsAnyName(b) && (left == KIND_GIVEN_NAME || left == KIND_FAMILY_NAME)))
		return false;
	return true;
}

/* Work out the codes of an atom for records */
static void
FillAtom(const MatchRecords *records, Atom *atom, const uint32 *numbers, int count)
{
	ModelKey	key = {.part_count = 1};
	uint32	   *codes = palloc(sizeof(uint32) * KEY_MAX_ENTRIES * Max(count, 1));

	key.parts[0] = atom->part;
	atom->entries = KeyEntries(&key);
	KeyCodes(records, &key, numbers, count, codes);
	for (int e = 0; e < atom->entries; e++)
	{
		atom->codes[e] = palloc(sizeof(uint32) * Max(count, 1));
		for (int i = 0; i < count; i++)
			atom->codes[e][i] = codes[i * atom->entries + e];
	}
	pfree(codes);
}

/* Get the code of an entry of a candidate key for a record of the sample */
static uint32
CandidateCode(const Candidate *candidate, const Atom *atoms, int entry, int i)
{
	uint32		code = CODE_NONE;

	for (int a = 0; a < candidate->atom_count; a++)
	{
		const Atom *atom = &atoms[candidate->atoms[a]];
		uint32		part = atom->codes[Min(entry, atom->entries - 1)][i];

		if (part == CODE_NONE)
			return CODE_NONE;
		code = a == 0 ? part : JoinCodes(code, part);
	}
	return code;
}

/* Get how many entries a candidate key gives a record */
static int
CandidateEntries(const Candidate *candidate, const Atom *atoms)
{
	int			entries = 1;

	for (int a = 0; a < candidate->atom_count; a++)
		entries = Max(entries, atoms[candidate->atoms[a]].entries);
	return entries;
}

/* How often a code occurred; of earlier counts when the round is not the current one */
typedef struct CodeCount
{
	uint32		code;
	uint32		round;
	uint32		count;
} CodeCount;

/* Count the pairs that a candidate key brings together among the sample */
static double
CountPairs(const Candidate *candidate, const Atom *atoms, int sample, CodeCount *counts, uint32 round)
{
	int			entries = CandidateEntries(candidate, atoms);
	double		pairs = 0;

	for (int e = 0; e < entries; e++)
		for (int i = 0; i < sample; i++)
		{
			uint32		code = CandidateCode(candidate, atoms, e, i);
			uint32		at;

			if (code == CODE_NONE)
				continue;
			at = (code * UINT64CONST(0x9E3779B97F4A7C15)) >> (64 - COUNT_BITS);
			while (counts[at].round == round && counts[at].code != code)
				at = (at + 1) & ((1 << COUNT_BITS) - 1);
			if (counts[at].round != round)
				counts[at] = (CodeCount) {code, round, 0};
			pairs += counts[at].count++;
		}
	return pairs;
}

/* List the keys that could be taken, and what each costs */
static int
ListCandidates(const MatchModel *model, const MatchRecords *records, Atom *atoms, int atom_count,
			   Candidate *candidates, double budget)
{
	int			sample = Min(records->count, SAMPLE_RECORDS);
	double		expected = RecordsMeant(records);
	double		scale = expected * (expected - 1) / Max((double) sample * (sample - 1.0), 1);
	uint32	   *numbers = palloc(sizeof(uint32) * sample);
	CodeCount  *counts = palloc0(sizeof(CodeCount) << COUNT_BITS);
	uint32		round = 0;
	int			count = 0;
	int			pairs_from;

	for (int i = 0; i < sample; i++)
		numbers[i] = (uint64) i * records->count / sample;
	for (int a = 0; a < atom_count; a++)
	{
		CHECK_FOR_INTERRUPTS();
		FillAtom(records, &atoms[a], numbers, sample);
	}
	for (int a = 0; a < atom_count; a++)
		if (atoms[a].stands_alone)
			candidates[count++] = (Candidate)
		{
			.atoms = {a}, .atom_count = 1
		};
	pairs_from = count;
	for (int a = 0; a < atom_count; a++)
		for (int b = a + 1; b < atom_count && count < MAX_CANDIDATES; b++)
			if (MayJoin(model, &atoms[a], &atoms[b]))
				candidates[count++] = (Candidate)
			{
				.atoms = {a, b}, .atom_count = 2
			};
	for (int k = 0; k < count; k++)
	{
		CHECK_FOR_INTERRUPTS();
		candidates[k].cost = CountPairs(&candidates[k], atoms, sample, counts, ++round) * scale;
	}

	/* A pair of parts that brings too many together may do so with a third */
	for (int k = pairs_from, end = count; k < end; k++)
		for (int b = candidates[k].atoms[1] + 1; b < atom_count && count < MAX_CANDIDATES; b++)
			if (candidates[k].cost > budget / 4 && candidates[k].cost < budget * 2000 &&
				MayJoin(model, &atoms[candidates[k].atoms[0]], &atoms[b]) &&
				MayJoin(model, &atoms[candidates[k].atoms[1]], &atoms[b]))
			{
				Candidate  *candidate = &candidates[count++];

				*candidate = candidates[k];
				candidate->atoms[candidate->atom_count++] = b;
				candidate->cost = CountPairs(candidate, atoms, sample, counts, ++round) * scale;
			}
	return count;
}

/* Get how much rarer than on average of two that agree by chance the values of a field are: its entropies' difference */
static double
UsualRarity(const ModelField *field)
{
	double		rest = 1;
	double		bits = 0;

	for (int v = 0; v < field->frequency_count; v++)
	{
		rest -= field->frequencies[v];
		bits -= field->frequencies[v] * log2(field->frequencies[v]);
	}
	return bits - Max(rest, 0) * log2(field->rest_frequency) + field->agreement_weight;
}

/* Get how likely a made-up match is to be recognised, by how well its fields agree and which are there */
static double
Recognised(const MatchModel *model, const double *quality, const bool *is_there)
{
	double		weight = model->prior_weight;

	for (int c = 0; c < model->comparison_count; c++)
	{
		const ModelComparison *comparison = &model->comparisons[c];
		const ModelLevel *level = &comparison->levels[comparison->level_count - 1];
		double		sum = 0;

		if (!is_there[comparison->field])
			continue;
		for (int l = 0; l < comparison->level_count && sum <= quality[comparison->field]; l++)
			if (!LevelIsOfEmail(&comparison->levels[l]))
			{
				level = &comparison->levels[l];
				sum += level->m;
			}
		weight += level->weight;
		if (level == &comparison->levels[comparison->equal_level] && level->uses_frequency)
			weight += UsualRarity(&model->fields[comparison->field]);
	}
	return WeightProbability(weight);
}

/* See what the candidate keys find of made-up matches, and what these count for */
static void
FindMadeUp(const MatchModel *model, const Atom *atoms, Candidate *candidates, int count, int pairs, bool by_model,
		   double *weights)
{
	pg_prng_state random;
	double		quality[MODEL_MAX_FIELDS];
	bool		is_there[MODEL_MAX_FIELDS];

	pg_prng_seed(&random, RANDOM_SEED);
	for (int i = 0; i < pairs; i++)
	{
		for (int f = 0; f < model->field_count; f++)
		{
			/* A field that agrees under a strict transformation does so under a loose one */
			quality[f] = pg_prng_double(&random);
			is_there[f] = pg_prng_double(&random) < model->fields[f].present * model->fields[f].present;
		}
		weights[i] = by_model ? Recognised(model, quality, is_there) : 1;
		for (int k = 0; k < count; k++)
		{
			candidates[k].finds[i] = 1;
			for (int a = 0; a < candidates[k].atom_count; a++)
			{
				const Atom *atom = &atoms[candidates[k].atoms[a]];
				int			field = AtomField(model, atom);

				if (quality[field] >= atom->recall || !is_there[field])
					candidates[k].finds[i] = 0;
			}
		}
	}
}

/* See what the candidate keys find of matches that are known */
static void
FindKnown(const MatchRecords *records, Atom *atoms, int atom_count, Candidate *candidates, int count,
		  const FoundPair *matched, uint64 matched_count, int pairs)
{
	uint32	   *numbers = palloc(sizeof(uint32) * pairs * 2);

	for (int i = 0; i < pairs; i++)
	{
		numbers[2 * i] = matched[i * matched_count / pairs].left;
		numbers[2 * i + 1] = matched[i * matched_count / pairs].right;
	}
	for (int a = 0; a < atom_count; a++)
		FillAtom(records, &atoms[a], numbers, pairs * 2);
	for (int k = 0; k < count; k++)
	{
		int			entries = CandidateEntries(&candidates[k], atoms);

		for (int i = 0; i < pairs; i++)
		{
			candidates[k].finds[i] = 0;
			for (int l = 0; l < entries; l++)
				for (int r = 0; r < entries; r++)
				{
					uint32		code = CandidateCode(&candidates[k], atoms, l, 2 * i);

					if (code != CODE_NONE && code == CandidateCode(&candidates[k], atoms, r, 2 * i + 1))
						candidates[k].finds[i] = 1;
				}
		}
	}
}

/* Take a key into the model */
static void
TakeKey(MatchModel *model, const Atom *atoms, const Candidate *candidate, double recall)
{
	ModelKey   *key = &model->keys[model->key_count++];

	memset(key, 0, sizeof(ModelKey));
	key->part_count = candidate->atom_count;
	key->recall = recall;
	for (int a = 0; a < candidate->atom_count; a++)
		key->parts[a] = atoms[candidate->atoms[a]].part;
}

/* Get what looking a record up costs: so many descents of an index, each candidate costing half as much as one */
static double
LookUpCost(const Candidate *candidate, const Atom *atoms, const MatchRecords *records)
{
	return CandidateEntries(candidate, atoms) + candidate->cost / RecordsMeant(records);
}

/* Get which share of all matches a key is to find that the others miss */
static double
LeastGain(const Candidate *candidate, const Atom *atoms, const MatchRecords *records, bool is_index)
{
	return is_index ? LEAST_INDEX_GAIN + LEAST_LOOK_UP_GAIN * LookUpCost(candidate, atoms, records) : LEAST_GAIN;
}

/* Get which share would have to be lost without a key for it to stay: few records pay for keys that find hardly more */
static double
LeastLoss(const Candidate *candidate, const Atom *atoms, const MatchRecords *records, bool is_index)
{
	double		least = LeastGain(candidate, atoms, records, is_index);
	double		meant = RecordsMeant(records);

	if (is_index)
		return least;
	return least * (1 + candidate->cost / Max(meant, MANY_RECORDS)) * Min(1, meant / MANY_RECORDS);
}

/* Give up keys that those taken after them made superfluous, the least useful first; returns how many are left */
static int
GiveUpKeys(const Candidate *candidates, const double *least_losses, int *taken, int count, const double *weights, int pairs)
{
	for (;;)
	{
		double		spare[MODEL_MAX_KEYS];
		int			least = 0;

		for (int t = 0; t < count; t++)
			spare[t] = -least_losses[taken[t]];
		for (int i = 0; i < pairs; i++)
		{
			int			finds = 0;
			int			finder = 0;

			for (int t = 0; t < count; t++)
				if (candidates[taken[t]].finds[i])
				{
					finds++;
					finder = t;
				}
			if (finds == 1)
				spare[finder] += weights[i];
		}
		for (int t = 1; t < count; t++)
			if (spare[t] < spare[least])
				least = t;
		if (count < 2 || spare[least] >= 0)
			return count;
		memmove(&taken[least], &taken[least + 1], sizeof(int) * (--count - least));
	}
}

/*
 * Take keys greedily until nothing is gained or the budget is used up.  What a
 * key costs matters little as long as as many as there is room for are paid for.
 */
static void
TakeKeys(MatchModel *model, const MatchRecords *records, const Atom *atoms, Candidate *candidates, int count,
		 const double *weights, int pairs, double budget, bool is_final)
{
	double	   *missing = palloc(sizeof(double) * Max(pairs, 1));
	double		total = 0;
	bool		is_index = model->expected_records > 0;
	double	   *least = palloc(sizeof(double) * Max(count, 1));
	double		cheap = is_final ? Max(budget / MODEL_MAX_KEYS, RecordsMeant(records)) : RecordsMeant(records);
	int			taken[MODEL_MAX_KEYS];
	int			taken_count = 0;

	for (int i = 0; i < pairs; i++)
		total += missing[i] = weights[i];
	for (int k = 0; k < count; k++)
		least[k] = total * LeastGain(&candidates[k], atoms, records, is_index);
	while (taken_count < MODEL_MAX_KEYS)
	{
		int			best = -1;
		double		best_value = 0;

		for (int k = 0; k < count; k++)
		{
			double		gain = 0;
			double		value;

			if (candidates[k].is_taken || candidates[k].cost > budget)
				continue;
			for (int i = 0; i < pairs; i++)
				if (candidates[k].finds[i])
					gain += missing[i];
			if (gain < least[k])
				continue;
			value = is_index ? gain / LookUpCost(&candidates[k], atoms, records) :
				gain / sqrt(candidates[k].cost + cheap);
			if (value > best_value)
			{
				best_value = value;
				best = k;
			}
		}
		if (best < 0)
			break;
		for (int i = 0; i < pairs; i++)
			if (candidates[best].finds[i])
				missing[i] *= is_index ? 0 : COMFORT;
		budget -= candidates[best].cost;
		candidates[best].is_taken = true;
		taken[taken_count++] = best;
	}
	if (is_final)
	{
		for (int k = 0; k < count; k++)
			least[k] = total * LeastLoss(&candidates[k], atoms, records, is_index);
		taken_count = GiveUpKeys(candidates, least, taken, taken_count, weights, pairs);
	}
	model->key_count = 0;
	for (int t = 0; t < taken_count; t++)
	{
		double		found = 0;

		for (int i = 0; i < pairs; i++)
			found += candidates[taken[t]].finds[i] * weights[i];
		TakeKey(model, atoms, &candidates[taken[t]], found / Max(total, 1e-9));
	}
}

/* Choose what splits blocks that are too large: fields of many values that are mostly there */
static void
ChooseRefinements(MatchModel *model, const Atom *atoms, int atom_count)
{
	model->refinement_count = 0;
	for (int a = 0; a < atom_count && model->refinement_count < MODEL_MAX_REFINEMENTS; a++)
	{
		const Atom *atom = &atoms[a];
		bool		has_field = false;

		if (atom->entries > 1 || model->fields[AtomField(model, atom)].present < 0.3)
			continue;
		for (int r = 0; r < model->refinement_count; r++)
			has_field |= model->refinements[r].field == atom->part.field;
		if (!has_field)
			model->refinements[model->refinement_count++] = atom->part;
	}
}

/*
 * Correct what keys are expected to cost when there are more records: chance
 * agreements grow with the square of their number, matches with the number.
 */
static void
CorrectCosts(Candidate *candidates, int count, int pairs, double matched_count, double growth)
{
	for (int k = 0; k < count; k++)
	{
		int			found = 0;

		for (int i = 0; i < pairs; i++)
			found += candidates[k].finds[i];
		candidates[k].cost -= matched_count * found / Max(pairs, 1) * growth * (growth - 1);
		candidates[k].cost = Max(candidates[k].cost, 0);
	}
}

struct KeyChoice
{
	MemoryContext context;
	MatchModel *model;
	const MatchRecords *records;
	Atom		atoms[MAX_ATOMS];
	int			atom_count;
	Candidate	candidates[MAX_CANDIDATES];
	int			count;
	double		budget;
};

/* List the keys that there are to choose from, with their costs */
KeyChoice *
KeyChoiceCreate(MatchModel *model, const MatchRecords *records)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "lead_mgmt key choice", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	KeyChoice  *choice = palloc0(sizeof(KeyChoice));

	choice->context = context;
	choice->model = model;
	choice->records = records;
	choice->budget = Max(LEAST_PAIRS, PAIRS_PER_RECORD * RecordsMeant(records));
	choice->atom_count = ListAtoms(model, choice->atoms);
	choice->count = ListCandidates(model, records, choice->atoms, choice->atom_count, choice->candidates, choice->budget);
	for (int k = 0; k < choice->count; k++)
		choice->candidates[k].finds = palloc(SAMPLE_PAIRS);
	MemoryContextSwitchTo(old);
	return choice;
}

/*
 * Choose the keys of the model, by pairs known to match if there are any, else
 * by made-up ones: those to train on or, once it is trained, the final ones
 */
void
KeyChoiceTake(KeyChoice *choice, const FoundPair *matched, uint64 matched_count, bool is_final)
{
	MatchModel *model = choice->model;
	const MatchRecords *records = choice->records;
	MemoryContext old = MemoryContextSwitchTo(choice->context);
	int			pairs = matched ? Min(matched_count, SAMPLE_PAIRS) : SAMPLE_PAIRS;
	double		weights[SAMPLE_PAIRS];

	for (int k = 0; k < choice->count; k++)
		choice->candidates[k].is_taken = false;
	if (matched)
	{
		for (int i = 0; i < pairs; i++)
			weights[i] = WeightProbability(matched[i * matched_count / pairs].weight);
		FindKnown(records, choice->atoms, choice->atom_count, choice->candidates, choice->count, matched, matched_count,
				  pairs);
		CorrectCosts(choice->candidates, choice->count, pairs, matched_count / (records->share * records->share),
					 RecordsMeant(records) / (records->count / records->share));
	}
	else
		FindMadeUp(model, choice->atoms, choice->candidates, choice->count, pairs, is_final, weights);
	TakeKeys(model, records, choice->atoms, choice->candidates, choice->count, weights, pairs, choice->budget,
			 is_final);
	ChooseRefinements(model, choice->atoms, choice->atom_count);
	MemoryContextSwitchTo(old);
}

/* Give back what was chosen from */
void
KeyChoiceFree(KeyChoice *choice)
{
	MemoryContextDelete(choice->context);
}
