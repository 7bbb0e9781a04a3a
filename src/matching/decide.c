/*
 * Whose a record is, as the strategies of its form say.
 *
 * The strategies are tried in order, and in each its rules in order.  A rule
 * finds those who hold the record's key and pass its other conditions.  What
 * happens when there are several depends on the strategy: the newest of the
 * first rule that finds somebody is taken, or the one who has held its key
 * longest; a person is asked; or those that different rules find are merged
 * unless they contradict each other, when the first rule decides.
 */
#include "postgres.h"

#include "matching/identity.h"
#include "utils/builtins.h"
#include "utils/json.h"

/* Did a person say that the record is not from this one? */
static bool
IsRefused(const EntityRecord *record, int64 id)
{
	for (int i = 0; i < record->refused_count; i++)
		if (record->refused[i] == id)
			return true;
	return false;
}

/* Must two entities not be merged, as an earlier attempt found? */
static bool
IsApart(const IdentityTable *table, int64 a, int64 b)
{
	for (int i = 0; i < table->apart_count; i++)
		if ((table->apart[i].left == a && table->apart[i].right == b) ||
			(table->apart[i].left == b && table->apart[i].right == a))
			return true;
	return false;
}

/* Are these two different ids in one source system?  The system comes first. */
static bool
AreOtherIds(const char *a, const char *b)
{
	int			system = a ? strcspn(a, ":") : 0;

	return a && b && strncmp(a, b, system + 1) == 0 && strcmp(a, b) != 0;
}

/* Can two entities be one? */
static bool
CanMerge(const IdentityTable *table, const MatchStrategy *strategy, const EntitySlot *a, const EntitySlot *b)
{
	MatchSide	left = IdentitySide(a);
	MatchSide	right = IdentitySide(b);
	int			source_id = strategy->entity == ENTITY_ACCOUNT ? ACCOUNT_SOURCE_ID : CONTACT_SOURCE_ID;

	return !IsApart(table, a->id, b->id) && !AreOtherIds(a->values[source_id], b->values[source_id]) &&
		!MatchContradicts(table->matching, strategy, &left, &right);
}

/* Make two entities one in memory; those that exist are to be merged in their tables too */
static void
Unite(IdentityTable *table, EntityRecord *record, EntitySlot *kept, EntitySlot *other)
{
	if (!kept->is_new && !other->is_new)
	{
		if (table->merge_count == 0)
			table->merges = palloc(sizeof(EntityMerge));
		else
			table->merges = repalloc(table->merges, sizeof(EntityMerge) * (table->merge_count + 1));
		table->merges[table->merge_count].slots[0] = kept;
		table->merges[table->merge_count].slots[1] = other;
		table->merges[table->merge_count++].record = record;
	}
	else if (kept->is_new && !other->is_new)
	{
		EntitySlot *swap = kept;

		kept = other;
		other = swap;
	}
	other->merged = kept;
	for (int c = 0; c < ENTITY_MAX_COLUMNS; c++)
		if (kept->values[c] == NULL)
			kept->values[c] = other->values[c];
}

/* Note somebody among whom a person is to choose */
static void
AddCandidate(EntityRecord *record, int64 id)
{
	for (int i = 0; i < record->candidate_count; i++)
		if (record->candidates[i] == id)
			return;
	if (record->candidates == NULL)
		record->candidates = palloc(sizeof(int64) * MATCH_MAX_HOLDERS);
	if (record->candidate_count < MATCH_MAX_HOLDERS)
		record->candidates[record->candidate_count++] = id;
}

/* Find whom a rule finds; where it finds several, the one that the policy prefers */
static EntitySlot *
RuleFinds(const IdentityTable *table, EntityRecord *record, const MatchRule *rule)
{
	const char *value = record->keys[rule->kind];
	IdentityKey *key = value ? IdentityFindKey(table, rule->kind, value) : NULL;
	MatchSide	given = IdentityRecordSide(record);
	EntitySlot *found = NULL;

	for (int h = 0; key && h < key->holder_count; h++)
	{
		EntitySlot *holder = IdentityRoot(key->holders[h]);

		if (record->refused_count > 0 && IsRefused(record, holder->id))
			continue;
		if (rule->condition_count + rule->exception_count > 0)
		{
			MatchSide	stored = IdentitySide(holder);

			if (!MatchRuleHolds(table->matching, rule, &given, &stored, NULL))
				continue;
		}
		switch (rule->strategy->when_several)
		{
			case SEVERAL_NEWEST:
				if (found == NULL || holder->id > found->id)
					found = holder;
				break;
			case SEVERAL_OLDEST:
			case SEVERAL_MERGE:
				return holder;	/* who has held the value longest */
			case SEVERAL_REVIEW:
				AddCandidate(record, holder->id);
				if (found == NULL)
					found = holder;
				break;
		}
	}
	return found;
}

/* Note what decided, and how its comparisons turned out */
static void
NoteDecision(const IdentityTable *table, EntityRecord *record, const MatchStrategy *strategy,
			 const MatchRule *rule, EntitySlot *slot)
{
	record->slot = slot;
	record->strategy = strategy;
	record->rule = rule;
	if (rule && rule->compares)
	{
		MatchSide	given = IdentityRecordSide(record);
		MatchSide	stored = IdentitySide(slot);
		StringInfoData tests;

		initStringInfo(&tests);
		MatchRuleHolds(table->matching, rule, &given, &stored, &tests);
		record->tests = tests.data;
	}
}

/* Try the rules of a strategy on a record */
static void
TryStrategy(IdentityTable *table, EntityRecord *record, const MatchStrategy *strategy)
{
	bool		goes_on = strategy->when_several == SEVERAL_MERGE || strategy->when_several == SEVERAL_REVIEW;

	for (int r = 0; r < strategy->rule_count; r++)
	{
		const MatchRule *rule = &strategy->rules[r];
		EntitySlot *found = RuleFinds(table, record, rule);
		EntitySlot *slot = IdentityRoot(record->slot);

		if (found == NULL)
			continue;
		if (slot == NULL)
			NoteDecision(table, record, strategy, rule, found);
		else if (found != slot && strategy->when_several == SEVERAL_MERGE)
		{
			if (CanMerge(table, strategy, slot, found))
				Unite(table, record, slot, found);
			else if (record->other == 0)
			{
				record->other = found->id;
				record->other_rule = rule;
			}
		}
		if (!goes_on)
			break;
	}
	record->slot = IdentityRoot(record->slot);
	if (record->candidate_count > 1)
	{
		record->needs_review = true;
		record->slot = NULL;
	}
}

/* Decide which entity a record belongs to; NULL stays for nobody */
void
DecideRecord(IdentityTable *table, EntityRecord *record)
{
	record->slot = NULL;
	record->strategy = NULL;
	record->rule = NULL;
	record->tests = NULL;
	record->needs_review = false;
	record->candidate_count = 0;
	record->other = 0;
	if (record->decided != 0)
		record->slot = hash_search(table->existing, &record->decided, HASH_FIND, NULL);
	for (int s = 0; s < record->strategies->count && record->slot == NULL && !record->needs_review; s++)
	{
		const MatchStrategy *strategy = record->strategies->items[s];

		TryStrategy(table, record, strategy);
		if (record->slot == NULL && !record->needs_review && record->live.outcome == LIVE_MATCH &&
			record->live_strategy == strategy)
		{
			EntitySlot *slot = hash_search(table->existing, &record->live.id, HASH_FIND, NULL);

			if (slot)
				NoteDecision(table, record, strategy, NULL, IdentityRoot(slot));
		}
	}
}

/*
 * Ask the models about the records whose rules find nobody so far.  Persons
 * who are new in the chunk are not among whom a model finds.
 */
void
DecideByModels(IdentityTable *table, EntityRecord **records, int n)
{
	LiveQuestion *questions = NULL;
	LiveAnswer *answers = NULL;
	EntityRecord **asked = NULL;
	int			longest = 0;

	for (int i = 0; i < n; i++)
	{
		memset(&records[i]->live, 0, sizeof(LiveAnswer));
		records[i]->live_strategy = NULL;
		longest = Max(longest, records[i]->strategies->count);
	}
	if (table->ops->entity != ENTITY_CONTACT)
		return;
	for (int s = 0; s < longest; s++)
		for (int m = 0; m < table->matching->strategy_count; m++)
		{
			const MatchStrategy *strategy = &table->matching->strategies[m];
			int			count = 0;

			if (!strategy->uses_model || strategy->entity != ENTITY_CONTACT)
				continue;
			for (int i = 0; i < n; i++)
			{
				EntityRecord *record = records[i];

				if (s >= record->strategies->count || record->strategies->items[s] != strategy ||
					record->live.outcome == LIVE_MATCH || record->decided != 0)
					continue;
				if (count == 0 && !MatchLiveReady(table->ws, table->config, strategy))
					break;
				DecideRecord(table, record);
				if (record->slot || record->needs_review)
					continue;
				if (asked == NULL)
				{
					questions = palloc(sizeof(LiveQuestion) * n);
					answers = palloc(sizeof(LiveAnswer) * n);
					asked = palloc(sizeof(EntityRecord *) * n);
				}
				questions[count] = (LiveQuestion) {
					IdentityRecordSide(record), record->refused_count, record->refused, record->wants_all
				};
				memset(&answers[count], 0, sizeof(LiveAnswer));
				asked[count++] = record;
			}
			if (count == 0)
				continue;
			MatchLive(table->ws, table->config, strategy, questions, answers, count,
					  table->takes_locks ? IdentityLockModel : NULL, table);
			for (int i = 0; i < count; i++)
				if (answers[i].outcome > asked[i]->live.outcome)
				{
					asked[i]->live = answers[i];
					asked[i]->live_strategy = strategy;
				}
		}
}
