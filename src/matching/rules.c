/*
 * Do the conditions of a rule hold between a record and somebody it was looked
 * up with, and do two contacts or accounts contradict each other?
 */
#include "postgres.h"

#include "compare/compare.h"
#include "matching/identity.h"
#include "matching/strategy.h"
#include "normalise/normalise.h"
#include "utils/builtins.h"
#include "utils/json.h"

/* Texts up to this many characters are compared without an allocation */
#define SCRATCH_LENGTH 256

/* Get the similarity of two values, between 0 and 1 */
static double
Similarity(Comparator comparator, const char *a, const char *b)
{
	uint32		scratch[2][SCRATCH_LENGTH];
	CompareText texts[2];
	int			longest;

	if (strcmp(a, b) == 0)
		return 1.0;
	CompareTextMake(&texts[0], a, strlen(a), scratch[0], SCRATCH_LENGTH);
	CompareTextMake(&texts[1], b, strlen(b), scratch[1], SCRATCH_LENGTH);
	longest = Max(texts[0].length, texts[1].length);
	switch (comparator)
	{
		case COMPARE_JARO_WINKLER:
		case COMPARE_UNLIKE:
			return JaroWinkler(&texts[0], &texts[1]);
		case COMPARE_DAMERAU_LEVENSHTEIN:
			return 1.0 - (double) OptimalStringAlignment(&texts[0], &texts[1]) / longest;
		case COMPARE_QGRAM_JACCARD:
			return QgramJaccard(&texts[0], &texts[1], 2);
		default:
			return 0.0;
	}
}

/*
 * Does a condition hold?  similarity is set for graded comparators.  An
 * exception does not hold for a blank that is to be ignored.
 */
static bool
ConditionHolds(const MatchCondition *condition, const char *given, const char *stored,
			   bool is_exception, double *similarity)
{
	Comparator	comparator = condition->term.comparator;

	*similarity = -1;
	if (comparator == COMPARE_PRESENT)
		return given != NULL;
	if (comparator == COMPARE_DIFFERS)
		return given && stored && strcmp(given, stored) != 0;
	if (given == NULL || stored == NULL)
	{
		if (comparator == COMPARE_UNLIKE)
			return false;
		return condition->when_blank == BLANK_IGNORE ? !is_exception :
			condition->when_blank == BLANK_MATCH && given == stored;
	}
	switch (comparator)
	{
		case COMPARE_GIVEN_NAME:
			return GivenNamesAgree(given, strlen(given), stored, strlen(stored));
		case COMPARE_UNLIKE:
			if (GivenNamesAgree(given, strlen(given), stored, strlen(stored)))
				return false;
			*similarity = Similarity(comparator, given, stored);
			return *similarity < condition->at_least;
		case COMPARE_JARO_WINKLER:
		case COMPARE_DAMERAU_LEVENSHTEIN:
		case COMPARE_QGRAM_JACCARD:
			*similarity = Similarity(comparator, given, stored);
			return *similarity >= condition->at_least;
		default:
			return strcmp(given, stored) == 0;
	}
}

/* Write a text as JSON, null for none */
static void
AppendText(StringInfo json, const char *text)
{
	if (text)
		escape_json(json, text);
	else
		appendStringInfoString(json, "null");
}

/* Write down how a condition turned out */
static void
AppendTest(StringInfo tests, const MatchCondition *condition, const char *given, const char *stored,
		   double similarity, bool is_exception, bool holds)
{
	const MatchTerm *term = &condition->term;

	appendStringInfoString(tests, tests->len > 0 ? ", {\"field\": " : "{\"field\": ");
	escape_json(tests, term->attribute ? psprintf("%s.%s", term->field->name, term->attribute) : term->field->name);
	appendStringInfo(tests, ", \"comparator\": \"%s\", \"given\": ", Comparators[term->comparator].name);
	AppendText(tests, given);
	appendStringInfoString(tests, ", \"stored\": ");
	AppendText(tests, stored);
	if (similarity >= 0)
		appendStringInfo(tests, ", \"similarity\": %.4f, \"at_least\": %g", similarity, condition->at_least);
	if (is_exception)
		appendStringInfoString(tests, ", \"exception\": true");
	appendStringInfo(tests, ", \"holds\": %s}", holds ? "true" : "false");
}

/*
 * Do the conditions of a rule beyond its key hold, and none of its exceptions?
 * tests, unless it is NULL, gets each of them as JSON.
 */
bool
MatchRuleHolds(MatchConfig *matching, const MatchRule *rule, const MatchSide *record,
			   const MatchSide *candidate, StringInfo tests)
{
	int			n = rule->condition_count + rule->exception_count;
	bool		result = true;

	for (int c = 0; c < n; c++)
	{
		bool		is_exception = c >= rule->condition_count;
		const MatchCondition *condition = is_exception ? &rule->exceptions[c - rule->condition_count] :
			&rule->conditions[c];
		char	   *given = MatchTermValue(matching, &condition->term, record);
		char	   *stored = MatchTermValue(matching, &condition->term, candidate);
		double		similarity;
		bool		holds = ConditionHolds(condition, given, stored, is_exception, &similarity);

		if (tests)
			AppendTest(tests, condition, given, stored, similarity, is_exception, holds);
		result &= holds != is_exception;
		if (!result && tests == NULL)
			return false;
	}
	return result;
}

/* Do both sides have a value in a column, and not the same? */
static bool
ColumnDiffers(const MatchSide *a, const MatchSide *b, int column)
{
	return a->values[column] && b->values[column] && strcmp(a->values[column], b->values[column]) != 0;
}

/*
 * Do two contacts or accounts contradict each other, so that they cannot be
 * one?  They do when each has a main e-mail address, phone number or domain of
 * its own, or when an exception of the strategy's rules holds between them.
 */
bool
MatchContradicts(MatchConfig *matching, const MatchStrategy *strategy, const MatchSide *a, const MatchSide *b)
{
	if (strategy->entity == ENTITY_ACCOUNT ? ColumnDiffers(a, b, ACCOUNT_DOMAIN) :
		ColumnDiffers(a, b, CONTACT_EMAIL) || ColumnDiffers(a, b, CONTACT_PHONE))
		return true;
	for (int r = 0; r < strategy->rule_count; r++)
		for (int e = 0; e < strategy->rules[r].exception_count; e++)
		{
			const MatchCondition *exception = &strategy->rules[r].exceptions[e];
			double		similarity;

			if (exception->term.comparator != COMPARE_PRESENT &&
				ConditionHolds(exception, MatchTermValue(matching, &exception->term, a),
							   MatchTermValue(matching, &exception->term, b), true, &similarity))
				return true;
		}
	return false;
}
