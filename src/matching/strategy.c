/*
 * Reading the strategies of a workspace into memory, and the kinds of
 * identity that follow from them.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "matching/strategy.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

static const PlanSource read_strategies = {
	"SELECT strategy, entity, when_several, update_policy, is_default, match_probability IS NOT NULL,"
	" COALESCE(match_probability, 0), COALESCE(review_probability, 0)"
	" FROM @workspace@.match_strategy WHERE is_active ORDER BY strategy COLLATE \"C\""
};

static const PlanSource read_rules = {
	"SELECT r.match_rule_id, r.strategy, r.label, c.field, c.comparator, COALESCE(c.at_least, 0), c.when_blank,"
	" c.is_exception"
	" FROM @workspace@.match_rule r JOIN @workspace@.match_condition c ON c.match_rule_id = r.match_rule_id"
	" WHERE r.is_active"
	" ORDER BY r.strategy COLLATE \"C\", r.sequence, r.match_rule_id, c.is_exception, c.field, c.comparator"
};

static const PlanSource read_lists = {
	"SELECT form, entity, strategy FROM @workspace@.form_strategy ORDER BY form, entity, sequence"
};

static const PlanSource read_values = {
	"SELECT field, value, canonical FROM @workspace@.match_alias"
	" UNION ALL SELECT field, value, NULL FROM @workspace@.match_bypass"
};

/* An alias, or a value that identifies nobody */
typedef struct MatchValue
{
	char	   *text;			/* hash key: field, a blank, value */
	uint32		hash;
	char		status;
	char	   *canonical;		/* NULL for nobody */
} MatchValue;

#define SH_PREFIX match_values
#define SH_ELEMENT_TYPE MatchValue
#define SH_KEY_TYPE char *
#define SH_KEY text
#define SH_HASH_KEY(tb, key) hash_bytes((const unsigned char *) (key), strlen(key))
#define SH_EQUAL(tb, a, b) (strcmp((a), (b)) == 0)
#define SH_SCOPE static inline
#define SH_STORE_HASH
#define SH_GET_HASH(tb, a) (a)->hash
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* The kinds of identity that are kept whatever the rules say, in the order of their keys */
static const char *const base_kinds[ENTITY_COUNT][4] = {
	{"source_id", "email", "phone", "visitor"},
	{"company_source_id", "company_domain", "company", NULL}
};

/* Find an active strategy */
MatchStrategy *
MatchFindStrategy(MatchConfig *matching, const char *name)
{
	int			low = 0;
	int			high = matching->strategy_count - 1;

	while (low <= high)
	{
		int			middle = (low + high) / 2;
		int			order = strcmp(matching->strategies[middle].name, name);

		if (order == 0)
			return &matching->strategies[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle - 1;
	}
	return NULL;
}

/* Get the strategies that the records of a form are matched by; form NULL for the default */
StrategyList *
MatchStrategies(MatchConfig *matching, const Form *form, EntityKind entity)
{
	StrategyList *list = form ? &matching->lists[entity][form->position] : NULL;

	return list && list->count > 0 ? list : &matching->defaults[entity];
}

/*
 * Is the value an alias, or one that identifies nobody?  canonical is then
 * what it stands for, or NULL.
 */
bool
MatchLookUpValue(MatchConfig *matching, const MatchTerm *term, const char *value, const char **canonical)
{
	char	   *text = term->attribute ? psprintf("%s.%s %s", term->field->name, term->attribute, value) :
	psprintf("%s %s", term->field->name, value);
	MatchValue *found = match_values_lookup(matching->values, text);

	if (found)
		*canonical = found->canonical;
	return found != NULL;
}

/* Get the place of a word among the words for a setting */
static int
WordOf(const char *word, const char *const *words)
{
	int			i = 0;

	while (strcmp(words[i], word) != 0)
		i++;
	return i;
}

/* Order the parts of a kind, so that one set of fields is one kind */
static int
CompareTerms(const void *a, const void *b)
{
	const MatchTerm *left = a;
	const MatchTerm *right = b;
	int			order = left->field < right->field ? -1 : left->field > right->field;

	if (order == 0 && left->attribute)
		order = strcmp(left->attribute, right->attribute);
	if (order == 0)
		order = (int) left->comparator - (int) right->comparator;
	return order;
}

/* Write the name of a kind: its fields, with comparators that are not the usual one */
static char *
KindName(const MatchTerm *parts, int part_count)
{
	StringInfoData name;

	initStringInfo(&name);
	for (int p = 0; p < part_count; p++)
	{
		const MatchField *field = parts[p].field;

		if (p > 0)
			appendStringInfoChar(&name, '+');
		appendStringInfoString(&name, part_count == 1 && field->kind ? field->kind : field->name);
		if (parts[p].attribute)
			appendStringInfo(&name, ".%s", parts[p].attribute);
		if (parts[p].comparator != COMPARE_EXACT)
			appendStringInfo(&name, ":%s", Comparators[parts[p].comparator].name);
		if (parts[p].takes_blank)
			appendStringInfoChar(&name, '?');
	}
	return name.data;
}

/* Find or add the kind of identity that parts make; -1 when there are too many */
static int
KindOf(MatchConfig *matching, EntityKind entity, MatchTerm *parts, int part_count)
{
	MatchKind  *kinds = matching->kinds[entity];
	char	   *name;
	int			k;

	qsort(parts, part_count, sizeof(MatchTerm), CompareTerms);
	name = KindName(parts, part_count);
	for (k = 0; k < matching->kind_count[entity]; k++)
		if (strcmp(kinds[k].name, name) == 0)
			return k;
	if (k == MATCH_MAX_KINDS)
		return -1;
	kinds[k].name = name;
	kinds[k].part_count = part_count;
	memcpy(kinds[k].parts, parts, sizeof(MatchTerm) * part_count);
	kinds[k].accumulates = part_count == 1 && parts[0].field->kind != NULL;
	kinds[k].is_shared = true;
	matching->kind_count[entity]++;
	return k;
}

/* Set up the kinds that are kept always */
static void
AddBaseKinds(MatchConfig *matching)
{
	for (int entity = 0; entity < ENTITY_COUNT; entity++)
		for (int k = 0; k < lengthof(base_kinds[entity]) && base_kinds[entity][k]; k++)
		{
			MatchTerm	term = {0};
			MatchKind  *kind;
			const char *attribute;

			term.field = MatchFindField(entity, base_kinds[entity][k], &attribute);
			kind = &matching->kinds[entity][KindOf(matching, entity, &term, 1)];
			kind->is_base = true;

			/* Ids, cookies and e-mail addresses are one contact's */
			kind->is_shared = strcmp(kind->name, "phone") == 0 || strcmp(kind->name, "domain") == 0 ||
				strcmp(kind->name, "name") == 0;
		}
}

/* Read the strategies */
static void
LoadStrategies(Workspace *ws, MatchConfig *matching)
{
	static const char *const several[] = {"newest", "oldest", "merge", "review"};
	static const char *const policies[] = {"newest", "fill", "keep", "trusted"};
	int			n = WorkspaceExecute(ws, &read_strategies, NULL, NULL);

	matching->strategies = palloc0(sizeof(MatchStrategy) * Max(n, 1));
	matching->strategy_count = n;
	for (int i = 0; i < n; i++)
	{
		MatchStrategy *strategy = &matching->strategies[i];

		strategy->name = ResultText(i, 1);
		strategy->entity = WordOf(ResultText(i, 2), EntityNames);
		strategy->when_several = WordOf(ResultText(i, 3), several);
		strategy->update_policy = WordOf(ResultText(i, 4), policies);
		strategy->is_default = ResultBool(i, 5);
		strategy->uses_model = ResultBool(i, 6);
		strategy->match_probability = ResultDouble(i, 7);
		strategy->review_probability = ResultDouble(i, 8);
		if (strategy->is_default)
		{
			StrategyList *defaults = &matching->defaults[strategy->entity];

			defaults->items = palloc(sizeof(MatchStrategy *));
			defaults->items[0] = strategy;
			defaults->count = 1;
		}
		matching->keeps_trust |= strategy->update_policy == UPDATE_TRUSTED;
	}
	SPI_freetuptable(SPI_tuptable);
}

/* Read a condition; false when it names what is no longer there */
static bool
ReadCondition(WorkspaceConfig *config, EntityKind entity, int row, MatchCondition *condition)
{
	static const char *const blanks[] = {"no_match", "ignore", "match"};
	const char *attribute;

	memset(condition, 0, sizeof(MatchCondition));
	condition->term.field = MatchFindField(entity, ResultText(row, 4), &attribute);
	if (condition->term.field == NULL || !MatchFindComparator(ResultText(row, 5), &condition->term.comparator))
		return false;
	if (attribute)
	{
		CustomField *custom = ConfigField(config, entity, attribute, strlen(attribute));

		if (custom == NULL || !custom->is_active)
			return false;
		condition->term.attribute = pstrdup(attribute);
	}
	condition->at_least = ResultDouble(row, 6);
	condition->when_blank = WordOf(ResultText(row, 7), blanks);
	condition->term.takes_blank = condition->when_blank == BLANK_MATCH;
	return true;
}

/* Sort a condition into what is looked up and what is compared */
static void
AddCondition(MatchConfig *matching, MatchRule *rule, const MatchCondition *condition, bool is_exception)
{
	const MatchTerm *term = &condition->term;

	if (is_exception)
	{
		rule->exceptions = rule->exceptions ?
			repalloc(rule->exceptions, sizeof(MatchCondition) * (rule->exception_count + 1)) :
			palloc(sizeof(MatchCondition));
		rule->exceptions[rule->exception_count++] = *condition;
		return;
	}
	if (term->field->entity == ENTITY_LEAD && term->field->column == LEAD_MATCH_CONTACT)
		return;					/* only leads of the record's own contact are looked at */
	if (term->field->makes_key && Comparators[term->comparator].makes_key && condition->when_blank != BLANK_IGNORE &&
		rule->part_count < MATCH_MAX_PARTS)
	{
		rule->parts[rule->part_count++] = *term;
		if (term->field->entity != ENTITY_LEAD)
			return;
	}
	else
		rule->compares = true;
	rule->conditions = rule->conditions ?
		repalloc(rule->conditions, sizeof(MatchCondition) * (rule->condition_count + 1)) :
		palloc(sizeof(MatchCondition));
	rule->conditions[rule->condition_count++] = *condition;
}

/* Note what a finished rule means for the whole; false when it cannot be looked up */
static bool
FinishRule(MatchConfig *matching, MatchRule *rule)
{
	EntityKind	entity = rule->strategy->entity;

	rule->kind = -1;
	if (entity == ENTITY_LEAD)
		return true;
	if (rule->part_count == 0 || (rule->kind = KindOf(matching, entity, rule->parts, rule->part_count)) < 0)
		return false;
	matching->compares[entity] |= rule->compares;
	for (int c = 0; c < rule->condition_count + rule->exception_count; c++)
	{
		const MatchField *field = c < rule->condition_count ? rule->conditions[c].term.field :
			rule->exceptions[c - rule->condition_count].term.field;

		/* E-mail addresses and phone numbers come with every look-up of a contact */
		matching->reads_all[entity] |= entity == ENTITY_ACCOUNT ||
			!(field->kind && (strcmp(field->kind, "email") == 0 || strcmp(field->kind, "phone") == 0 ||
							  c >= rule->condition_count));
	}
	return true;
}

/*
 * Read the rules.  One that names a custom attribute which was dropped since
 * is left out with a warning: a broken rule must not stop captures.
 */
static void
LoadRules(Workspace *ws, WorkspaceConfig *config, MatchConfig *matching)
{
	int			n = WorkspaceExecute(ws, &read_rules, NULL, NULL);
	MatchRule  *rule = NULL;

	for (int i = 0; i < n;)
	{
		int64		id = ResultInt64(i, 1, NULL);
		MatchStrategy *strategy = MatchFindStrategy(matching, ResultText(i, 2));
		bool		is_whole = true;
		MatchRule	fresh = {.id = id,.label = ResultText(i, 3),.strategy = strategy};

		for (; i < n && ResultInt64(i, 1, NULL) == id; i++)
		{
			MatchCondition condition;

			if (strategy == NULL)
				continue;
			if (ReadCondition(config, strategy->entity, i, &condition))
				AddCondition(matching, &fresh, &condition, ResultBool(i, 8));
			else if (is_whole)
			{
				is_whole = false;
				ereport(WARNING,
						(errcode(ERRCODE_UNDEFINED_COLUMN),
						 errmsg("match rule " INT64_FORMAT " of strategy \"%s\" is broken and left out: there is no field \"%s\"",
								id, strategy->name, ResultText(i, 4))));
			}
		}
		if (strategy == NULL || !is_whole)
			continue;
		strategy->rules = strategy->rules ?
			repalloc(strategy->rules, sizeof(MatchRule) * (strategy->rule_count + 1)) :
			palloc(sizeof(MatchRule));
		rule = &strategy->rules[strategy->rule_count];
		*rule = fresh;
		if (FinishRule(matching, rule))
			strategy->rule_count++;
	}
	SPI_freetuptable(SPI_tuptable);
}

/* Read which strategies the forms use */
static void
LoadLists(Workspace *ws, WorkspaceConfig *config, MatchConfig *matching)
{
	int			n = WorkspaceExecute(ws, &read_lists, NULL, NULL);

	for (int entity = 0; entity < ENTITY_COUNT; entity++)
		matching->lists[entity] = palloc0(sizeof(StrategyList) * Max(config->form_count, 1));
	for (int i = 0; i < n; i++)
	{
		Form	   *form = ConfigForm(config, ResultText(i, 1));
		MatchStrategy *strategy = MatchFindStrategy(matching, ResultText(i, 3));
		StrategyList *list;

		if (form == NULL || strategy == NULL)
			continue;
		list = &matching->lists[strategy->entity][form->position];
		list->items = list->items ? repalloc(list->items, sizeof(MatchStrategy *) * (list->count + 1)) :
			palloc(sizeof(MatchStrategy *));
		list->items[list->count++] = strategy;
	}
	SPI_freetuptable(SPI_tuptable);
	for (int i = 0; i < config->form_count; i++)
		matching->keeps_trust |= config->forms[i].contact_update == UPDATE_TRUSTED ||
			config->forms[i].lead_update == UPDATE_TRUSTED;
}

/* Note that a field has aliases or values that identify nobody */
static void
MarkField(MatchConfig *matching, const char *name)
{
	for (int entity = 0; entity < ENTITY_COUNT; entity++)
	{
		const char *attribute;
		const MatchField *field = MatchFindField(entity, name, &attribute);

		if (field)
			matching->marked = bms_add_member(matching->marked, field - MatchFields);
	}
}

/* Read aliases and bypass values, and follow aliases of aliases to their end */
static void
LoadValues(Workspace *ws, MatchConfig *matching)
{
	int			n = WorkspaceExecute(ws, &read_values, NULL, NULL);
	match_values_iterator it;
	MatchValue *value;

	matching->values = match_values_create(CurrentMemoryContext, Max(n, 8), NULL);
	for (int i = 0; i < n; i++)
	{
		char	   *field = ResultText(i, 1);
		bool		found;

		value = match_values_insert(matching->values, psprintf("%s %s", field, ResultText(i, 2)), &found);

		/* What identifies nobody does not do so under another name either */
		if (!found || value->canonical)
			value->canonical = ResultText(i, 3);
		MarkField(matching, field);
	}
	SPI_freetuptable(SPI_tuptable);

	/* The table refuses cycles, so the way is shorter than the table */
	match_values_start_iterate(matching->values, &it);
	while ((value = match_values_iterate(matching->values, &it)) != NULL)
		for (int step = 0; value->canonical && step < n; step++)
		{
			MatchValue *next = match_values_lookup(matching->values,
												   psprintf("%.*s %s", (int) strcspn(value->text, " "), value->text,
															value->canonical));

			if (next == NULL)
				break;
			value->canonical = next->canonical;
		}
}

/*
 * Get the strategies of a workspace, reading them where the configuration has
 * none yet.  They live and die with the configuration.
 */
MatchConfig *
MatchGetConfig(Workspace *ws, WorkspaceConfig *config)
{
	MemoryContext old;
	MatchConfig *matching;

	if (config->matching)
		return config->matching;
	SPI_connect();
	old = MemoryContextSwitchTo(config->context);
	matching = palloc0(sizeof(MatchConfig));
	AddBaseKinds(matching);
	LoadStrategies(ws, matching);
	LoadRules(ws, config, matching);
	LoadLists(ws, config, matching);
	LoadValues(ws, matching);
	config->matching = matching;
	MemoryContextSwitchTo(old);
	SPI_finish();
	return matching;
}
