/*
 * Row triggers that bind every client: the audit log, and the checks that
 * rows with custom attributes pass.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "workspace/guard.h"
#include "workspace/values.h"

static const PlanSource insert_audit = {
	"INSERT INTO @workspace@.audit_log (entity, entity_id, changes, changed_by)"
	" VALUES ($1, $2, $3::pg_catalog.jsonb, $4::pg_catalog.name)",
	4, {ARG_TEXT, ARG_INT8, ARG_TEXT, ARG_TEXT}
};

static const PlanSource find_individual = {
	"SELECT a.individual_contact_id FROM @workspace@.account a WHERE a.account_id = $1 FOR KEY SHARE",
	1, {ARG_INT8}
};

static const PlanSource find_others = {
	"SELECT c.contact_id FROM @workspace@.contact c WHERE c.account_id = $1 AND c.contact_id <> $2 LIMIT 1",
	2, {ARG_INT8, ARG_INT8}
};

/* Write a column's value as JSON */
static void
AppendValue(StringInfo json, Form_pg_attribute attribute, Datum value, bool isnull)
{
	Oid			output;
	bool		is_varlena;
	char	   *text;

	if (isnull)
	{
		appendStringInfoString(json, "null");
		return;
	}
	getTypeOutputInfo(attribute->atttypid, &output, &is_varlena);
	text = OidOutputFunctionCall(output, value);
	switch (attribute->atttypid)
	{
		case BOOLOID:
			appendStringInfoString(json, DatumGetBool(value) ? "true" : "false");
			break;
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case JSONBOID:
			appendStringInfoString(json, text);
			break;
		default:
			escape_json(json, text);
	}
}

/* Is the column one that the trigger's arguments leave out? */
static bool
IsUntracked(const Trigger *trigger, const char *column)
{
	for (int i = 2; i < trigger->tgnargs; i++)
		if (strcmp(trigger->tgargs[i], column) == 0)
			return true;
	return false;
}

PG_FUNCTION_INFO_V1(audit_change);
/* Record what an UPDATE changed; arguments: entity, key column, untracked columns */
Datum
audit_change(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Relation	rel;
	TupleDesc	desc;
	Trigger    *trigger;
	StringInfoData changes;
	Workspace  *ws;
	WorkspaceRights rights;
	Datum		values[4];
	int64		key = 0;
	int			changed = 0;
	int			level;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigdata->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) || !TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ||
		trigdata->tg_trigger->tgnargs < 2)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("audit_change must be called as an AFTER UPDATE row trigger with the arguments entity and key column")));

	rel = trigdata->tg_relation;
	desc = RelationGetDescr(rel);
	trigger = trigdata->tg_trigger;
	initStringInfo(&changes);
	appendStringInfoChar(&changes, '{');
	slot_getallattrs(trigdata->tg_trigslot);
	slot_getallattrs(trigdata->tg_newslot);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		Datum		before;
		Datum		after;
		bool		before_null;
		bool		after_null;

		if (attribute->attisdropped)
			continue;
		before = slot_getattr(trigdata->tg_trigslot, i + 1, &before_null);
		after = slot_getattr(trigdata->tg_newslot, i + 1, &after_null);
		if (strcmp(NameStr(attribute->attname), trigger->tgargs[1]) == 0)
			key = DatumGetInt64(after);
		if (before_null == after_null &&
			(before_null || datum_image_eq(before, after, attribute->attbyval, attribute->attlen)))
			continue;
		if (IsUntracked(trigger, NameStr(attribute->attname)))
			continue;
		if (changed++)
			appendStringInfoString(&changes, ", ");
		escape_json(&changes, NameStr(attribute->attname));
		appendStringInfoString(&changes, ": {\"old\": ");
		AppendValue(&changes, attribute, before, before_null);
		appendStringInfoString(&changes, ", \"new\": ");
		AppendValue(&changes, attribute, after, after_null);
		appendStringInfoChar(&changes, '}');
	}
	if (changed == 0)
		return PointerGetDatum(NULL);
	appendStringInfoChar(&changes, '}');

	values[0] = CStringGetTextDatum(trigger->tgargs[0]);
	values[1] = Int64GetDatum(key);
	values[2] = CStringGetTextDatum(changes.data);
	values[3] = CStringGetTextDatum(GetUserNameFromId(GetOuterUserId(), false));
	ws = WorkspaceOfRelation(rel);
	level = WorkspacePin(false);
	SPI_connect();
	WorkspaceEnter(ws, &rights);
	WorkspaceExecute(ws, &insert_audit, values, NULL);
	WorkspaceLeave(&rights);
	SPI_finish();
	WorkspaceUnpin(level);
	return PointerGetDatum(NULL);
}

/* Check the attributes column of a row about to be written */
void
GuardAttributes(Workspace *ws, TriggerData *trigdata, EntityKind entity)
{
	Relation	rel = trigdata->tg_relation;
	TupleDesc	desc = RelationGetDescr(rel);
	bool		is_update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	HeapTuple	tuple = is_update ? trigdata->tg_newtuple : trigdata->tg_trigtuple;
	int			column = SPI_fnumber(desc, "attributes");
	Jsonb	   *before = NULL;
	Datum		value;
	bool		isnull;

	if (column <= 0)
		return;
	value = heap_getattr(tuple, column, desc, &isnull);
	if (isnull)
		return;
	if (is_update)
	{
		Datum		old = heap_getattr(trigdata->tg_trigtuple, column, desc, &isnull);

		if (!isnull && datum_image_eq(old, value, false, -1))
			return;
		if (!isnull)
			before = DatumGetJsonbP(old);
	}
	AttributesCheck(WorkspaceGetConfig(ws), entity, DatumGetJsonbP(value), before);
}

/* Get the one contact of an account that is an individual customer, else 0 */
int64
AccountIndividual(Workspace *ws, int64 account)
{
	Datum		id = Int64GetDatum(account);

	return WorkspaceExecute(ws, &find_individual, &id, NULL) > 0 ? ResultInt64(0, 1, NULL) : 0;
}

/* Refuse a second contact for the account of an individual customer, be it the contact or the account that is written */
static void
GuardIndividual(Workspace *ws, EntityKind entity, TriggerData *trigdata, HeapTuple tuple)
{
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	int			account = SPI_fnumber(desc, "account_id");
	int			contact = SPI_fnumber(desc, entity == ENTITY_ACCOUNT ? "individual_contact_id" : "contact_id");
	int			written = entity == ENTITY_ACCOUNT ? contact : account;
	bool		isnull[2];
	bool		was_null;
	Datum		values[2];
	int64		individual;
	int64		other;

	values[0] = heap_getattr(tuple, account, desc, &isnull[0]);
	values[1] = heap_getattr(tuple, contact, desc, &isnull[1]);
	if (isnull[0] || isnull[1])
		return;
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) &&
		heap_getattr(trigdata->tg_trigtuple, written, desc, &was_null) == (written == account ? values[0] : values[1]) && !was_null)
		return;
	SPI_connect();
	if (entity == ENTITY_ACCOUNT)
	{
		individual = DatumGetInt64(values[1]);
		other = WorkspaceExecute(ws, &find_others, values, NULL) > 0 ? ResultInt64(0, 1, NULL) : individual;
	}
	else
	{
		other = DatumGetInt64(values[1]);
		individual = AccountIndividual(ws, DatumGetInt64(values[0]));
		if (individual == 0)
			individual = other;
	}
	if (individual != other)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("account " INT64_FORMAT " is an individual customer and cannot have contact " INT64_FORMAT " too",
						DatumGetInt64(values[0]), other),
				 errhint("Its one contact is " INT64_FORMAT ".", individual)));
	SPI_finish();
}

PG_FUNCTION_INFO_V1(guard_row);
/* Check a contact or account that a client writes and stamp it; argument: entity */
Datum
guard_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	HeapTuple	tuple;
	Workspace  *ws;
	WorkspaceRights rights;
	EntityKind	entity = ENTITY_CONTACT;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigdata->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) || trigdata->tg_trigger->tgnargs != 1 ||
		TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("guard_row must be called as a BEFORE INSERT OR UPDATE row trigger with the argument entity")));

	tuple = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ? trigdata->tg_newtuple : trigdata->tg_trigtuple;
	ws = WorkspaceOfRelation(trigdata->tg_relation);
	WorkspaceEnter(ws, &rights);
	if (strcmp(trigdata->tg_trigger->tgargs[0], "account") == 0)
		entity = ENTITY_ACCOUNT;
	GuardAttributes(ws, trigdata, entity);
	GuardIndividual(ws, entity, trigdata, tuple);
	WorkspaceLeave(&rights);
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		tuple = StampRow(trigdata->tg_relation, tuple);
	return PointerGetDatum(tuple);
}

/* Set updated_at of a row to the transaction's time */
HeapTuple
StampRow(Relation rel, HeapTuple tuple)
{
	TupleDesc	desc = RelationGetDescr(rel);
	int			column = SPI_fnumber(desc, "updated_at");
	Datum		now = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
	bool		isnull = false;

	if (column <= 0)
		return tuple;
	return heap_modify_tuple_by_cols(tuple, desc, 1, &column, &now, &isnull);
}
