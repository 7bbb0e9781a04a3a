/*
 * What a lead is about: the context that tells the leads of one contact apart,
 * whether they are captured or written by hand.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "matching/strategy.h"

/* Get the context of what came through a page or campaign (0 for none), else a form; NULL for want of all three */
char *
MatchContext(const char *page, int64 campaign, const char *form)
{
	if (page && *page)
		return psprintf("page:%s", page);
	if (campaign != 0)
		return psprintf("campaign:" INT64_FORMAT, campaign);
	return form ? psprintf("page:%s", form) : NULL;
}

/*
 * Get the key that keeps a rule from opening two leads of one owner for the
 * same thing: the context itself, or the fields that the rule compares with
 * their values.  NULL when one of them is blank.
 */
char *
MatchContextKey(MatchConfig *matching, const MatchRule *rule, const MatchSide *side)
{
	StringInfoData names;
	char	   *key;

	if (rule->part_count == 0)
		return rule->compares ? NULL : "contact";
	if ((key = MatchKeyOf(matching, rule->parts, rule->part_count, side)) == NULL)
		return NULL;
	if (rule->part_count == 1 && rule->parts[0].field->column == LEAD_MATCH_CONTEXT)
		return key;
	initStringInfo(&names);
	for (int p = 0; p < rule->part_count; p++)
		appendStringInfo(&names, "%s%s%s%s", p > 0 ? "+" : "", rule->parts[p].field->name,
						 rule->parts[p].attribute ? "." : "", rule->parts[p].attribute ? rule->parts[p].attribute : "");
	return psprintf("%s:%s", names.data, key);
}
