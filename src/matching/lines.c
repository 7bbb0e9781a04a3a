/*
 * What the lines of two records tell of their levels.
 *
 * The memory that a pair is compared by is what comparing costs: lines are
 * fetched ahead, and mostly leave one level possible for each comparison, the
 * one of values that differ.  Where more are left, the most that one of them
 * is worth bounds the weight of the pair.
 */
#include "postgres.h"

#include <math.h>

#include "matching/levels.h"
#include "port/pg_bitutils.h"
#include "utils/date.h"
#include "utils/datetime.h"

/* A signature tells by these bits whether there is a blank, or a character of its class */
#define BLANK_BITS UINT64CONST(3)

/* Count the parts that two dates have in common */
static inline int
EqualParts(uint32 left, uint32 right)
{
	return (DATE_YEAR(left) == DATE_YEAR(right)) + (DATE_MONTH(left) == DATE_MONTH(right)) +
		(DATE_DAY(left) == DATE_DAY(right));
}

/* Count the days between two dates */
static inline int
DaysBetween(uint32 left, uint32 right)
{
	return abs(date2j(DATE_YEAR(left), DATE_MONTH(left), DATE_DAY(left)) -
			   date2j(DATE_YEAR(right), DATE_MONTH(right), DATE_DAY(right)));
}

/* Do two dates lie within days of each other?  Mostly the years tell. */
static inline bool
WithinDays(uint32 left, uint32 right, double days)
{
	return (abs(DATE_YEAR(left) - DATE_YEAR(right)) - 1) * 365.0 <= days && DaysBetween(left, right) <= days;
}

/* Do two dates lie within days of each other once the year is off by one or ten? */
static bool
IsYearSlip(uint32 left, uint32 right, int days)
{
	static const int slips[] = {1, 10};

	for (int s = 0; s < lengthof(slips); s++)
		for (int sign = -1; sign <= 1; sign += 2)
		{
			int			year = DATE_YEAR(left) + sign * slips[s];

			if (year > 0 && WithinDays(DATE_PACK(year, DATE_MONTH(left), DATE_DAY(left)), right, days))
				return true;
		}
	return false;
}

/* Does a test on two packed dates hold?  Not that of digits, which is on texts. */
bool
PackedDateTest(LevelTest test, double threshold, uint32 left, uint32 right)
{
	switch (test)
	{
		case TEST_TRANSPOSED:
			return DATE_YEAR(left) == DATE_YEAR(right) && DATE_MONTH(left) == DATE_DAY(right) &&
				DATE_DAY(left) == DATE_MONTH(right);
		case TEST_DATE_PARTS:
			return EqualParts(left, right) >= threshold;
		case TEST_DAYS:
			return WithinDays(left, right, threshold);
		case TEST_YEAR_SLIP:
			return IsYearSlip(left, right, (int) threshold);
		default:
			return false;
	}
}

/* Note the levels that hold up to so many edits */
static void
AddEdits(LevelSet *sets, LevelSet level, double threshold)
{
	for (int edits = 0; edits < EDITS_OF_INTEREST + 2 && edits <= threshold; edits++)
		sets[edits] |= level;
}

/* Learn what lines tell of a comparison */
void
LineTestsInit(PairScorer *scorer, int c)
{
	const MatchRecords *records = scorer->records;
	const LineLayout *layout = &records->layout;
	const ModelComparison *comparison = &scorer->model->comparisons[c];
	FieldKind	kind = scorer->model->fields[comparison->field].kind;
	LineTests  *tests = &scorer->tests[c];

	memset(tests, 0, sizeof(LineTests));
	tests->place = tests->date_place = -1;
	for (int place = 0; place < layout->signature_count; place++)
		if (layout->signature_field[place] == comparison->field)
			tests->place = place;
	for (int place = 0; place < layout->date_count; place++)
		if (layout->date_field[place] == comparison->field)
			tests->date_place = place;
	tests->few_edits = kind != KIND_PHONE && kind != KIND_POSTCODE && kind != KIND_IDENTIFIER && kind != KIND_EMAIL;
	for (int l = comparison->level_count - 1; l >= 0; l--)
	{
		const ModelLevel *level = &comparison->levels[l];
		LevelSet	set = 1 << l;

		tests->most[l] = level->weight;
		if (level->uses_frequency && level->test != TEST_SAME_DOMAIN && level->test != TEST_SAME_MAILBOX)
			tests->frequent |= set;
		switch (level->test)
		{
			case TEST_EXACT:
			case TEST_EMAIL_NAME:
			case TEST_EMAIL_INITIAL:
			case TEST_EMAIL_OTHER:
				break;
			case TEST_JARO_WINKLER:
				JaroWinklerNeeds(&tests->similar[tests->similar_count], level->threshold);
				tests->similar_levels[tests->similar_count++] = set;
				break;
			case TEST_QGRAMS:
				tests->qgrams |= set;
				break;
			case TEST_EDITS:
				AddEdits(tests->edits, set, level->threshold);
				break;
			case TEST_NICKNAME:
				tests->nickname |= set;
				break;
			case TEST_INITIAL:
				tests->initial |= set;
				break;
			case TEST_PART:
				if (FieldDictionary(records, comparison->field)->has_words)
					tests->always |= set;
				else
					tests->part |= set;
				break;
			case TEST_SAME_MAILBOX:
				if (level->uses_frequency)
					tests->most[l] += comparison->most_rarity;
				if (comparison->mailbox >= 0)
				{
					tests->same_mailbox |= set;
					tests->certain |= set;
				}
				else
					tests->always |= set;
				break;
			case TEST_SAME_DOMAIN:
				if (level->uses_frequency)
					tests->most[l] += comparison->most_rarity;
				if (comparison->domain < 0)
					tests->always |= set;
				else if (level->threshold > 0)
					AddEdits(tests->domain_edits, set, level->threshold);
				else
				{
					tests->same_domain |= set;
					tests->certain |= set;
				}
				break;
			case TEST_ELSE:
				tests->certain |= set;
				tests->always |= set;
				break;
			default:
				tests->always |= set;
				break;
		}
	}
}

/* Get the levels that letters leave possible, of values that are told in two places of two lines */
static inline LevelSet
LevelsOfLetters(const PairScorer *scorer, const LineTests *tests, const uint32 *left, int left_place,
				const uint32 *right, int right_place, bool same_domain)
{
	const MatchRecords *records = scorer->records;
	uint64		a = LineSignature(records, left, left_place);
	uint64		b = LineSignature(records, right, right_place);
	int			a_length = LineLength(records, left, left_place);
	int			b_length = LineLength(records, right, right_place);
	int			shared = SharedLettersBound(a, a_length, b, b_length);
	int			edits = Max(Max(a_length, b_length) - shared, 1);
	LevelSet	levels = tests->always;

	if (!tests->few_edits || edits * LETTERS_PER_EDIT < Min(a_length, b_length))
	{
		int			place = Min(edits, EDITS_OF_INTEREST + 1);

		levels |= tests->edits[place];
		if (same_domain)
			levels |= tests->domain_edits[place];
	}
	for (int i = 0; i < tests->similar_count && JaroWinklerMayReach(&tests->similar[i], a_length, b_length, shared); i++)
		levels |= tests->similar_levels[i];
	levels |= tests->qgrams;
	if (tests->nickname &&
		(LineGroups(records, left, left_place) & LineGroups(records, right, right_place)) != 0)
		levels |= tests->nickname;
	if (((a | b) & BLANK_BITS) != 0)
		levels |= tests->part | tests->initial;
	else if (a_length == 1 || b_length == 1)
		levels |= tests->initial;
	return levels;
}

/* Get the levels that are possible where letters do not tell */
static inline LevelSet
AllLevels(const LineTests *tests)
{
	LevelSet	levels = tests->always | tests->nickname | tests->initial | tests->part | tests->qgrams | tests->edits[1];

	for (int i = 0; i < tests->similar_count; i++)
		levels |= tests->similar_levels[i];
	return levels;
}

/* Get the most that one of some levels is worth, of two different values */
static double
MostOfLevels(const PairScorer *scorer, int c, LevelSet levels, int left_field, uint32 left, int right_field,
			 uint32 right)
{
	const MatchRecords *records = scorer->records;
	const ModelComparison *comparison = &scorer->model->comparisons[c];
	const LineTests *tests = &scorer->tests[c];
	double		rarity = 0;
	double		most = -INFINITY;

	if (levels & tests->frequent)
		rarity = scorer->is_far[c] ? comparison->most_rarity :
			Min(ValueRarity(records, left_field, left), ValueRarity(records, right_field, right)) +
			scorer->model->fields[comparison->field].agreement_weight;
	for (; levels != 0; levels &= levels - 1)
	{
		int			level = pg_rightmost_one_pos32(levels);

		most = Max(most, tests->most[level] + (tests->frequent & (1 << level) ? rarity : 0));
	}
	return most;
}

/*
 * Get the level of two different dates, the digits of which differ in one
 * place only when two of their three parts are the same; unknown when only the
 * digits can tell
 */
static int
DateLevel(const ModelComparison *comparison, uint32 left, uint32 right)
{
	for (int l = 0; l < comparison->level_count; l++)
	{
		const ModelLevel *level = &comparison->levels[l];

		if (level->test == TEST_ELSE)
			return l;
		if (level->test == TEST_EXACT)
			continue;
		if (level->test == TEST_DIGITS ? level->threshold >= 2 || EqualParts(left, right) == 2 :
			level->test < TEST_TRANSPOSED || level->test > TEST_YEAR_SLIP)
			return LEVEL_UNKNOWN;
		if (PackedDateTest(level->test, level->threshold, left, right))
			return l;
	}
	return LEVEL_UNKNOWN;
}

/*
 * Get the level of two different values that are not blank, as far as it shows
 * from the lines of their records; where it does not, the most it can be worth,
 * if that is wanted
 */
int
LineLevel(const PairScorer *scorer, int c, const uint32 *left, const uint32 *right, double *most)
{
	const MatchRecords *records = scorer->records;
	const ModelComparison *comparison = &scorer->model->comparisons[c];
	const LineTests *tests = &scorer->tests[c];
	LevelSet	levels;
	bool		same_domain = comparison->domain >= 0 && left[comparison->domain] == right[comparison->domain] &&
		left[comparison->domain] != VALUE_BLANK;

	if (tests->place >= 0)
		levels = LevelsOfLetters(scorer, tests, left, tests->place, right, tests->place, same_domain);
	else
	{
		if (tests->date_place >= 0)
		{
			uint32		a = LineDate(records, left, tests->date_place);
			uint32		b = LineDate(records, right, tests->date_place);
			int			level = a == VALUE_NO_EXTRA || b == VALUE_NO_EXTRA ? LEVEL_UNKNOWN : DateLevel(comparison, a, b);

			if (level != LEVEL_UNKNOWN)
				return level;
		}
		levels = AllLevels(tests);
		if (same_domain)
			levels |= tests->domain_edits[1];
	}
	if (same_domain)
		levels |= tests->same_domain;
	if (tests->same_mailbox && left[comparison->mailbox] == right[comparison->mailbox] &&
		left[comparison->mailbox] != VALUE_BLANK)
		levels |= tests->same_mailbox;
	if (levels & -levels & tests->certain)
		return pg_rightmost_one_pos32(levels);
	if (most)
		*most = MostOfLevels(scorer, c, levels, comparison->field, left[comparison->field], comparison->field,
							 right[comparison->field]);
	return LEVEL_UNKNOWN;
}

/* Get the levels that are possible for two different names that stand in each other's place */
static inline LevelSet
CrossedLevels(const PairScorer *scorer, int c, const uint32 *left, int left_comparison, const uint32 *right,
			  int right_comparison)
{
	const LineTests *tests = &scorer->tests[c];
	int			left_place = scorer->tests[left_comparison].place;
	int			right_place = scorer->tests[right_comparison].place;

	return left_place >= 0 && right_place >= 0 ?
		LevelsOfLetters(scorer, tests, left, left_place, right, right_place, false) : AllLevels(tests);
}

/* Get the most that two different names can be worth that stand in each other's place, of two comparisons */
double
LineCrossedBound(const PairScorer *scorer, int c, const uint32 *left, int left_comparison, const uint32 *right,
				 int right_comparison)
{
	int			left_field = scorer->model->comparisons[left_comparison].field;
	int			right_field = scorer->model->comparisons[right_comparison].field;

	return MostOfLevels(scorer, c, CrossedLevels(scorer, c, left, left_comparison, right, right_comparison),
						left_field, left[left_field], right_field, right[right_field]);
}

/* Get the level of two different names that stand in each other's place, if it shows from the lines */
int
LineCrossedLevel(const PairScorer *scorer, int c, const uint32 *left, int left_comparison, const uint32 *right,
				 int right_comparison)
{
	LevelSet	levels = CrossedLevels(scorer, c, left, left_comparison, right, right_comparison);

	return levels & -levels & scorer->tests[c].certain ? pg_rightmost_one_pos32(levels) : LEVEL_UNKNOWN;
}

/* See which levels of a pair show from the lines of its records alone; the others are unknown */
void
PairPeek(const PairScorer *scorer, const uint32 *left, const uint32 *right, PairPattern *pattern)
{
	const MatchModel *model = scorer->model;

	pattern->order = LEVEL_BLANK;
	for (int c = 0; c < model->comparison_count; c++)
	{
		const ModelComparison *comparison = &model->comparisons[c];
		uint32		a = left[comparison->field];
		uint32		b = right[comparison->field];

		if (c == model->given || c == model->family)
			pattern->levels[c] = LEVEL_UNKNOWN;
		else if (a == VALUE_BLANK || b == VALUE_BLANK)
			pattern->levels[c] = comparison->first_email_level >= 0 ? LEVEL_UNKNOWN : LEVEL_BLANK;
		else
			pattern->levels[c] = a == b ? comparison->equal_level : LineLevel(scorer, c, left, right, NULL);
	}
}

/* Fetch ahead what the unknown levels of a pair will be worked out from */
void
PairFetch(const PairScorer *scorer, const uint32 *left, const uint32 *right, const PairPattern *pattern, int stage)
{
	const MatchModel *model = scorer->model;

	for (int c = 0; c < model->comparison_count; c++)
	{
		int			field = model->comparisons[c].field;
		uint32		a = left[field];
		uint32		b = right[field];
		const MatchDictionary *dictionary;

		if (pattern->levels[c] != LEVEL_UNKNOWN || a == b || a == VALUE_BLANK || b == VALUE_BLANK)
			continue;
		if (!scorer->is_far[c])
		{
			if (stage == 0)
				CacheFetch(scorer, c, a, b);
			continue;
		}
		dictionary = FieldDictionary(scorer->records, field);
		if (stage == 0)
		{
			ValueFetch(dictionary, a);
			ValueFetch(dictionary, b);
			if (dictionary->domains)
			{
				__builtin_prefetch(&dictionary->domains[a]);
				__builtin_prefetch(&dictionary->domains[b]);
			}
		}
		else
		{
			__builtin_prefetch(dictionary->text + dictionary->values[a].offset);
			__builtin_prefetch(dictionary->text + dictionary->values[b].offset);
		}
	}
}
