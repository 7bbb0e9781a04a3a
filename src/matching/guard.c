/*
 * Checks on the rows that strategies are made of.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "matching/rows.h"
#include "mb/pg_wchar.h"
#include "types/types.h"
#include "utils/builtins.h"
#include "utils/rel.h"

/* What is quoted of an offending value, in bytes */
#define MAX_QUOTED 100

static const PlanSource find_entity = {
	"SELECT s.entity, s.strategy FROM @workspace@.match_rule r"
	" JOIN @workspace@.match_strategy s ON s.strategy = r.strategy WHERE r.match_rule_id = $1",
	1, {ARG_INT8}
};

/* Refuse to be called as anything but a BEFORE INSERT OR UPDATE row trigger */
static HeapTuple
CheckCalled(FunctionCallInfo fcinfo, const char *function)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigdata->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) || TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("%s must be called as a BEFORE INSERT OR UPDATE row trigger", function)));
	return TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ? trigdata->tg_newtuple : trigdata->tg_trigtuple;
}

/* Get a text column of a row, NULL when it is null */
static char *
RowText(HeapTuple tuple, TupleDesc desc, const char *column)
{
	return SPI_getvalue(tuple, desc, SPI_fnumber(desc, column));
}

/* Get as much of a value as belongs in a message */
static char *
Quoted(const char *value)
{
	return psprintf("%.*s", pg_mbcliplen(value, strlen(value), MAX_QUOTED), value);
}

/* Find the field that a row names, or refuse the row */
static const MatchField *
FieldOf(WorkspaceConfig *config, const char *where, EntityKind entity, const char *name)
{
	const char *attribute;
	const MatchField *field = MatchFindField(entity, name, &attribute);

	if (field && attribute)
	{
		CustomField *custom = ConfigField(config, entity, attribute, strlen(attribute));

		if (custom == NULL || !custom->is_active)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s names \"%s\", but %s has no custom attribute \"%s\"", where, Quoted(name),
							EntityNames[entity], Quoted(attribute)),
					 errhint("Define it with define_field() first.")));
	}
	if (field == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s names \"%s\", which is no field of %s", where, Quoted(name), EntityNames[entity]),
				 errhint("SELECT * FROM lead_mgmt.match_fields() lists the fields.")));
	return field;
}

/* Can the comparator be used with the field? */
static bool
IsApplicable(const MatchField *field, Comparator comparator)
{
	switch (comparator)
	{
		case COMPARE_EXACT:
			return true;
		case COMPARE_DIFFERS:
			/* not kept with the contact or account itself */
			return field->entity == ENTITY_LEAD ? field->column != LEAD_MATCH_CONTACT :
				field->column != (field->entity == ENTITY_CONTACT ? CONTACT_SOURCE_ID : ACCOUNT_SOURCE_ID) &&
				!(field->entity == ENTITY_CONTACT && field->column == CONTACT_VISITOR);
		case COMPARE_PRESENT:
			return !(field->entity == ENTITY_LEAD && field->column == LEAD_MATCH_CONTACT);
		case COMPARE_EMAIL_KEY:
			return field->entity == ENTITY_CONTACT && field->column == CONTACT_EMAIL;
		case COMPARE_GIVEN_NAME:
			return field->form == FORM_GIVEN_NAME;
		default:
			return field->form != FORM_AS_IS;
	}
}

PG_FUNCTION_INFO_V1(guard_match_condition);
/* Check a condition of a match rule */
Datum
guard_match_condition(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	HeapTuple	tuple = CheckCalled(fcinfo, "guard_match_condition");
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	Workspace  *ws = WorkspaceOfRelation(trigdata->tg_relation);
	WorkspaceRights rights;
	WorkspaceConfig *config;
	const MatchField *field;
	EntityKind	entity = 0;
	Comparator	comparator;
	char	   *field_name = RowText(tuple, desc, "field");
	char	   *comparator_name = RowText(tuple, desc, "comparator");
	char	   *when_blank = RowText(tuple, desc, "when_blank");
	char	   *entity_name;
	char	   *where;
	bool		has_threshold = RowText(tuple, desc, "at_least") != NULL;
	bool		isnull;
	Datum		rule = heap_getattr(tuple, SPI_fnumber(desc, "match_rule_id"), desc, &isnull);

	if (isnull || field_name == NULL || comparator_name == NULL || when_blank == NULL)
		return PointerGetDatum(tuple);	/* for the columns' own constraints to refuse */
	SPI_connect();
	WorkspaceEnter(ws, &rights);
	config = WorkspaceGetConfig(ws);
	if (WorkspaceExecute(ws, &find_entity, &rule, NULL) == 0)
	{
		WorkspaceLeave(&rights);
		SPI_finish();
		return PointerGetDatum(tuple);	/* for the foreign key to refuse */
	}
	entity_name = ResultText(0, 1);
	while (strcmp(EntityNames[entity], entity_name) != 0)
		entity++;
	where = psprintf("match rule " INT64_FORMAT " of strategy \"%s\"", DatumGetInt64(rule), ResultText(0, 2));
	field = FieldOf(config, where, entity, field_name);
	if (!MatchFindComparator(comparator_name, &comparator))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s compares \"%s\" by \"%s\", which is no comparator", where, field_name, Quoted(comparator_name)),
				 errhint("SELECT * FROM lead_mgmt.match_comparators() lists the comparators.")));
	if (!IsApplicable(field, comparator))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s cannot compare \"%s\" by \"%s\"", where, field_name, comparator_name)));
	if (Comparators[comparator].is_graded != has_threshold)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 has_threshold ?
				 errmsg("%s compares \"%s\" by \"%s\", which takes no at_least", where, field_name, comparator_name) :
				 errmsg("%s compares \"%s\" by \"%s\", which needs at_least", where, field_name, comparator_name),
				 has_threshold ? 0 : errhint("A similarity above 0 and up to 1, such as 0.9.")));
	if (strcmp(when_blank, "no_match") != 0 &&
		(comparator == COMPARE_DIFFERS || comparator == COMPARE_UNLIKE || comparator == COMPARE_PRESENT))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s compares \"%s\" by \"%s\", for which when_blank must be no_match", where, field_name,
						comparator_name)));
	if (entity != ENTITY_LEAD && field->kind && strcmp(when_blank, "ignore") == 0 &&
		!IsApplicable(field, COMPARE_DIFFERS))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s cannot ignore a blank \"%s\"", where, field_name)));
	WorkspaceLeave(&rights);
	SPI_finish();
	return PointerGetDatum(tuple);
}

/* Bring a value into the form in which the field is compared, or refuse it */
static char *
NormalValue(const MatchField *field, const char *name, const char *value)
{
	char		buffer[EMAIL_MAX_LEN + 1];
	char		number[PHONE_MAX_LEN + 1];
	int			len;
	char	   *normal = NULL;

	if (field->entity == ENTITY_CONTACT && field->column == CONTACT_EMAIL)
	{
		EmailStatus status = EmailNormalize(value, strlen(value), buffer, &len);

		if (status != EMAIL_OK)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					 errmsg("invalid e-mail address \"%s\"", Quoted(value)),
					 errdetail("%s", EmailStatusMessage(status))));
		return pstrdup(buffer);
	}
	if (field->entity == ENTITY_CONTACT && field->column == CONTACT_PHONE)
	{
		PhoneStatus status = PhoneNormalize(value, strlen(value), NULL, number, &len, NULL);

		if (status != PHONE_OK)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					 errmsg("invalid phone number \"%s\"", Quoted(value)),
					 errdetail("%s", PhoneStatusMessage(status))));
		return pstrdup(number);
	}
	normal = MatchExactForm(field, value);
	if (normal == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("nothing of \"%s\" is left in the normal form of \"%s\"", Quoted(value), name)));
	return normal;
}

PG_FUNCTION_INFO_V1(guard_match_value);
/* Bring the columns of a bypass value or alias that are its arguments into normal form */
Datum
guard_match_value(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	HeapTuple	tuple = CheckCalled(fcinfo, "guard_match_value");
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	Workspace  *ws = WorkspaceOfRelation(trigdata->tg_relation);
	WorkspaceRights rights;
	WorkspaceConfig *config;
	char	   *name = RowText(tuple, desc, "field");
	const MatchField *field = NULL;
	const char *attribute;

	if (name == NULL)
		return PointerGetDatum(tuple);
	WorkspaceEnter(ws, &rights);
	config = WorkspaceGetConfig(ws);
	for (int entity = 0; entity < ENTITY_COUNT && field == NULL; entity++)
		if (MatchFindField(entity, name, &attribute) &&
			(attribute == NULL || ConfigField(config, entity, attribute, strlen(attribute))))
			field = MatchFindField(entity, name, &attribute);
	if (field == NULL)
		field = FieldOf(config, RelationGetRelationName(trigdata->tg_relation), ENTITY_CONTACT, name);
	for (int a = 0; a < trigdata->tg_trigger->tgnargs; a++)
	{
		int			column = SPI_fnumber(desc, trigdata->tg_trigger->tgargs[a]);
		char	   *value = SPI_getvalue(tuple, desc, column);
		bool		isnull = false;
		Datum		normal;

		if (value == NULL)
			continue;
		normal = CStringGetTextDatum(NormalValue(field, name, value));
		tuple = heap_modify_tuple_by_cols(tuple, desc, 1, &column, &normal, &isnull);
	}
	WorkspaceLeave(&rights);
	return PointerGetDatum(tuple);
}
