/*
 * Bringing the values of a record into its contact or account, as the update
 * policy allows.
 */
#include "postgres.h"

#include "matching/identity.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

/* Get the update policy that holds for a record: its form's, or that of the strategy that found its entity */
UpdatePolicy
IdentityPolicy(const EntityRecord *record)
{
	if (record->policy != UPDATE_BY_STRATEGY)
		return record->policy;
	if (record->strategy)
		return record->strategy->update_policy;
	return record->strategies && record->strategies->count > 0 ?
		record->strategies->items[0]->update_policy : UPDATE_NEWEST;
}

/* Get the trust that a value was set with, or the usual one where none was kept */
int
TrustOf(Jsonb *trust, int usual, const char *name, int len)
{
	JsonbValue	value;

	if (trust == NULL || getKeyJsonValueFromContainer(&trust->root, name, len, &value) == NULL ||
		value.type != jbvNumeric)
		return usual;
	return DatumGetInt32(DirectFunctionCall1(numeric_int4, NumericGetDatum(value.val.numeric)));
}

/* Make a JSON object of one member */
static Jsonb *
Member(const char *name, int len, JsonbValue *value)
{
	JsonbParseState *state = NULL;
	JsonbValue	key;

	key.type = jbvString;
	key.val.string.val = (char *) name;
	key.val.string.len = len;
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	pushJsonbValue(&state, WJB_KEY, &key);
	pushJsonbValue(&state, WJB_VALUE, value);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* Join two JSON objects; of members with one name the second's counts */
static Jsonb *
Joined(Jsonb *a, Jsonb *b)
{
	return DatumGetJsonbP(DirectFunctionCall2(jsonb_concat, JsonbPGetDatum(a), JsonbPGetDatum(b)));
}

/* Note the trust that a value is set with, where the workspace keeps it */
void
NoteTrust(MatchConfig *matching, Jsonb **trusts, const char *name, int len, int trust)
{
	JsonbValue	value;
	Jsonb	   *member;

	if (!matching->keeps_trust)
		return;
	value.type = jbvNumeric;
	value.val.numeric = int64_to_numeric(trust);
	member = Member(name, len, &value);
	*trusts = *trusts ? Joined(*trusts, member) : member;
}

/* Bring a value of a record into an entity */
void
IdentitySet(IdentityTable *table, EntitySlot *slot, int column, char *value, UpdatePolicy policy, int trust)
{
	const char *name = column < table->ops->column_count ? table->ops->columns[column] : NULL;
	char	   *current = slot->values[column];

	if (value == NULL || (current && strcmp(current, value) == 0))
		return;
	if (slot->is_loaded)
	{
		if (policy == UPDATE_KEEP || (current && policy == UPDATE_FILL))
			return;
		if (current && policy == UPDATE_TRUSTED && trust < TrustOf(slot->trust, slot->usual_trust, name, strlen(name)))
			return;
	}
	slot->values[column] = value;
	if (name == NULL)
		return;
	slot->is_changed = true;
	NoteTrust(table->matching, &slot->trust, name, strlen(name), trust);
}

/*
 * Join custom attributes by trust: those of a record to those that are there,
 * but for values that a source of more trust set, unless trust is not asked
 */
static Jsonb *
AttributesByTrust(MatchConfig *matching, Jsonb *current, Jsonb *given, Jsonb **trusts, int usual, int trust, bool asks)
{
	JsonbIterator *it = JsonbIteratorInit(&given->root);
	JsonbValue	key;
	JsonbIteratorToken token;
	Jsonb	   *joined = current;

	while ((token = JsonbIteratorNext(&it, &key, true)) != WJB_DONE)
	{
		JsonbValue	value;
		JsonbValue	before;
		Jsonb	   *member;
		char	   *name;

		if (token != WJB_KEY)
			continue;
		token = JsonbIteratorNext(&it, &value, true);
		name = psprintf("%s.%.*s", MATCH_ATTRIBUTES, key.val.string.len, key.val.string.val);
		if (asks && joined &&
			getKeyJsonValueFromContainer(&joined->root, key.val.string.val, key.val.string.len, &before) &&
			before.type != jbvNull && trust < TrustOf(*trusts, usual, name, strlen(name)))
			continue;
		member = Member(key.val.string.val, key.val.string.len, &value);
		joined = joined ? Joined(joined, member) : member;
		NoteTrust(matching, trusts, name, strlen(name), trust);
	}
	return joined ? joined : given;
}

/* Join the custom attributes that a record brings to those that are there, which may be NULL */
Jsonb *
JoinAttributes(MatchConfig *matching, Jsonb *current, Jsonb *given, UpdatePolicy policy,
			   Jsonb **trusts, int usual, int trust)
{
	if (current && policy == UPDATE_FILL)
		return Joined(given, current);
	if (matching->keeps_trust)
		return AttributesByTrust(matching, current, given, trusts, usual, trust, policy == UPDATE_TRUSTED);
	return current ? Joined(current, given) : given;
}

/* Bring the custom attributes of a record into an entity */
void
IdentitySetAttributes(IdentityTable *table, EntitySlot *slot, const EntityRecord *record, UpdatePolicy policy)
{
	Jsonb	   *joined;

	if (record->attributes == NULL || (policy == UPDATE_KEEP && slot->is_loaded))
		return;
	joined = JoinAttributes(table->matching, slot->attributes, record->attributes,
							slot->is_loaded ? policy : UPDATE_NEWEST, &slot->trust, slot->usual_trust, record->trust);
	if (slot->attributes && compareJsonbContainers(&slot->attributes->root, &joined->root) == 0)
		return;
	slot->attributes = joined;
	slot->is_changed = true;
}
