/*
 * Is this somebody we know?  A profile is read as the payload of a submission
 * would be and matched by the same code, but nothing is written.
 */
#include "postgres.h"

#include "capture/capture.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/lsyscache.h"

/* Somebody who was found */
typedef struct Found
{
	int64		id;
	const MatchStrategy *strategy;
	const MatchRule *rule;		/* NULL for the model */
	EntitySlot *slot;			/* NULL for a further one of the model */
	const LiveCandidate *candidate; /* what the model says of that one */
	bool		is_match;
} Found;

/* Get the strategy that a caller asks for, or else those of a form */
static StrategyList *
WantedStrategies(MatchConfig *matching, const Form *form, const char *name)
{
	MatchStrategy *strategy;
	StrategyList *list;

	if (name == NULL)
		return MatchStrategies(matching, form, ENTITY_CONTACT);
	strategy = MatchFindStrategy(matching, name);
	if (strategy == NULL || strategy->entity != ENTITY_CONTACT)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("there is no active strategy \"%s\" for contacts", name),
				 errhint("Strategies are rows of match_strategy.")));
	if (strategy->rule_count == 0 && !strategy->uses_model)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("match strategy \"%s\" has no rules", name),
				 errhint("Add one with define_match_rule().")));
	list = palloc(sizeof(StrategyList));
	list->count = 1;
	list->items = palloc(sizeof(MatchStrategy *));
	list->items[0] = strategy;
	return list;
}

/* All who were found */
typedef struct FoundList
{
	int			count;
	int			capacity;
	Found	   *items;
} FoundList;

/* Add somebody who was found, unless they were found before */
static void
AddFound(FoundList *list, const Found *found)
{
	for (int f = 0; f < list->count; f++)
		if (list->items[f].id == found->id)
			return;
	if (list->count == list->capacity)
	{
		list->capacity = Max(list->capacity * 2, 16);
		list->items = list->items ? repalloc(list->items, sizeof(Found) * list->capacity) :
			palloc(sizeof(Found) * list->capacity);
	}
	list->items[list->count++] = *found;
}

/* Write down why somebody was found */
static char *
Explanation(MatchConfig *matching, const EntityRecord *person, const Found *found)
{
	StringInfoData json;
	StringInfoData tests;
	MatchSide	given;
	MatchSide	stored;

	if (found->candidate)
		return found->candidate->explanation;
	if (found->rule == NULL)
		return person->live.explanation ? person->live.explanation : "{}";
	given = IdentityRecordSide(person);
	stored = IdentitySide(found->slot);
	initStringInfo(&json);
	initStringInfo(&tests);
	appendStringInfo(&json, "{\"rule\": " INT64_FORMAT ", \"kind\": ", found->rule->id);
	escape_json(&json, matching->kinds[ENTITY_CONTACT][found->rule->kind].name);
	appendStringInfoString(&json, ", \"value\": ");
	escape_json(&json, person->keys[found->rule->kind]);
	MatchRuleHolds(matching, found->rule, &given, &stored, &tests);
	appendStringInfo(&json, ", \"tests\": [%s]}", tests.data);
	return json.data;
}

/* Find everybody whom the strategies find: first who a capture would take, then the others */
static void
FindAll(IdentityTable *table, EntityRecord *person, FoundList *list)
{
	MatchSide	given = IdentityRecordSide(person);
	EntitySlot *slot;

	DecideRecord(table, person);
	slot = IdentityRoot(person->slot);
	if (slot)
		AddFound(list, &(Found) {
			slot->id, person->strategy, person->rule, slot, NULL, true
		});
	for (int s = 0; s < person->strategies->count; s++)
	{
		const MatchStrategy *strategy = person->strategies->items[s];

		for (int r = 0; r < strategy->rule_count; r++)
		{
			const MatchRule *rule = &strategy->rules[r];
			IdentityKey *key = person->keys[rule->kind] ?
				IdentityFindKey(table, rule->kind, person->keys[rule->kind]) : NULL;

			for (int h = 0; key && h < key->holder_count; h++)
			{
				MatchSide	stored = IdentitySide(key->holders[h]);

				if (MatchRuleHolds(table->matching, rule, &given, &stored, NULL))
					AddFound(list, &(Found) {
						key->holders[h]->id, strategy, rule, key->holders[h], NULL, false
					});
			}
		}
	}
	if (person->live.id != 0 && (slot = hash_search(table->existing, &person->live.id, HASH_FIND, NULL)) != NULL)
		AddFound(list, &(Found) {
			slot->id, person->live_strategy, NULL, slot, NULL, false
		});
	for (int o = 0; o < person->live.other_count; o++)
		AddFound(list, &(Found) {
			person->live.others[o].id, person->live_strategy, NULL, NULL, &person->live.others[o], false
		});
}

PG_FUNCTION_INFO_V1(match_profile);
/* Find the contacts of a workspace that a profile may be of */
Datum
match_profile(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Workspace  *ws;
	WorkspaceRights rights;
	WorkspaceConfig *config;
	MatchConfig *matching;
	CaptureRecord record = {0};
	EntityRecord *person = &record.person;
	IdentityTable table = {0};
	FoundList	list = {0};

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the contact table and the profile may not be null")));
	InitMaterializedSRF(fcinfo, 0);
	ws = WorkspaceOfNamespace(get_rel_namespace(PG_GETARG_OID(0)));
	record.payload = PG_GETARG_JSONB_P(1);
	if (!JB_ROOT_IS_OBJECT(record.payload))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the profile is not a JSON object")));
	SPI_connect();
	WorkspaceEnter(ws, &rights);
	config = WorkspaceGetConfig(ws);
	matching = MatchGetConfig(ws, config);
	WorkspaceLeave(&rights);
	record.form = ConfigForm(config, "default");
	if (record.form == NULL && config->form_count > 0)
		record.form = &config->forms[0];
	if (record.form == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("workspace \"%s\" has no form to read the profile by", ws->name)));
	record.form_name = record.form->name;
	RecordReadProfile(ws, config, &record);
	person->strategies = WantedStrategies(matching, record.form, PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2)));
	person->wants_all = true;
	IdentityRead(&table, ws, config, &ContactOps, &person, 1);
	FindAll(&table, person, &list);
	for (int f = 0; f < list.count; f++)
	{
		const Found *found = &list.items[f];
		bool		by_model = found->rule == NULL;
		Datum		values[6];
		bool		nulls[6] = {false, false, false, false, false, false};

		values[0] = Int64GetDatum(found->id);
		values[1] = Float8GetDatum(!by_model ? 1.0 : found->candidate ? found->candidate->probability : person->live.probability);
		nulls[1] = !by_model && !found->is_match;
		values[2] = CStringGetTextDatum(found->is_match ? "match" : "possible");
		values[3] = CStringGetTextDatum(found->strategy->name);
		if (by_model)
			nulls[4] = true;
		else
			values[4] = Int64GetDatum(found->rule->id);
		values[5] = DirectFunctionCall1(jsonb_in, CStringGetDatum(Explanation(matching, person, found)));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	SPI_finish();
	return (Datum) 0;
}
