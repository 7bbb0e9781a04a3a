/*
 * Forms: which incoming name leads to which field, and the check on what a
 * form says of it.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/rel.h"
#include "workspace/config.h"

/* The target of a name that is to be left alone */
#define TARGET_IGNORE "ignore"

const FieldDef FieldDefs[FIELD_COUNT] = {
	[FIELD_EXTERNAL_ID] = {"external_id", VALUE_TEXT, {NULL}},
	[FIELD_SOURCE_ID] = {"source_id", VALUE_TEXT, {NULL}},
	[FIELD_FULL_NAME] = {"full_name", VALUE_TEXT, {"name", "fullname", NULL}},
	[FIELD_GIVEN_NAME] = {"given_name", VALUE_TEXT, {"first_name", "firstname", NULL}},
	[FIELD_FAMILY_NAME] = {"family_name", VALUE_TEXT, {"last_name", "lastname", "surname", NULL}},
	[FIELD_EMAIL] = {"email", VALUE_EMAIL, {"e-mail", "mail", "email_address", NULL}},
	[FIELD_PHONE] = {"phone", VALUE_PHONE, {"mobile", "phone_number", "telephone", "tel", NULL}},
	[FIELD_JOB_TITLE] = {"job_title", VALUE_TEXT, {"jobtitle", "position", NULL}},
	[FIELD_STREET] = {"street", VALUE_TEXT, {"address", "address_1", NULL}},
	[FIELD_CITY] = {"city", VALUE_TEXT, {"town", NULL}},
	[FIELD_REGION] = {"region", VALUE_TEXT, {"state", "province", NULL}},
	[FIELD_POSTAL_CODE] = {"postal_code", VALUE_TEXT, {"postcode", "zip", "zip_code", NULL}},
	[FIELD_COUNTRY] = {"country", VALUE_TEXT, {"country_code", NULL}},
	[FIELD_LANGUAGE] = {"language", VALUE_TEXT, {"locale", NULL}},
	[FIELD_COMPANY] = {"company", VALUE_TEXT, {"company_name", "organisation", "organization", NULL}},
	[FIELD_COMPANY_SOURCE_ID] = {"company_source_id", VALUE_TEXT, {"company_id", NULL}},
	[FIELD_WEBSITE] = {"website", VALUE_TEXT, {NULL}},
	[FIELD_INDUSTRY] = {"industry", VALUE_TEXT, {NULL}},
	[FIELD_EMPLOYEES] = {"employees", VALUE_INTEGER, {"number_of_employees", NULL}},
	[FIELD_ANNUAL_REVENUE] = {"annual_revenue", VALUE_NUMBER, {NULL}},
	[FIELD_TITLE] = {"title", VALUE_TEXT, {"subject", NULL}},
	[FIELD_PRODUCT] = {"product", VALUE_TEXT, {NULL}},
	[FIELD_PAGE] = {"page", VALUE_TEXT, {"page_id", "landing_page", NULL}},
	[FIELD_CAMPAIGN] = {"campaign", VALUE_TEXT, {"utm_campaign", NULL}},
	[FIELD_CHANNEL] = {"channel", VALUE_TEXT, {"utm_medium", NULL}},
	[FIELD_SOURCE] = {"source", VALUE_TEXT, {"lead_source", NULL}},
	[FIELD_ORIGIN] = {"origin", VALUE_TEXT, {NULL}},
	[FIELD_BUDGET] = {"budget", VALUE_NUMBER, {"deal_size", NULL}},
	[FIELD_CURRENCY] = {"currency", VALUE_CURRENCY, {NULL}},
	[FIELD_MESSAGE] = {"message", VALUE_LONG_TEXT, {"comment", "comments", "note", "notes", NULL}},
	[FIELD_KIND] = {"kind", VALUE_TEXT, {"interaction_kind", NULL}},
	[FIELD_OCCURRED_AT] = {"occurred_at", VALUE_TIMESTAMP, {"created_time", NULL}},
	[FIELD_URL] = {"url", VALUE_TEXT, {"page_url", NULL}},
	[FIELD_CREATIVE] = {"creative", VALUE_TEXT, {"utm_content", "ad_id", NULL}},
	[FIELD_VISITOR] = {"visitor", VALUE_TEXT, {"visitor_id", NULL}},
	[FIELD_CONSENT_EMAIL] = {"consent_email", VALUE_BOOLEAN, {"email_opt_in", "opt_in", NULL}},
	[FIELD_CONSENT_PHONE] = {"consent_phone", VALUE_BOOLEAN, {"phone_opt_in", NULL}},
	[FIELD_CONSENT_SMS] = {"consent_sms", VALUE_BOOLEAN, {"sms_opt_in", NULL}},
	[FIELD_CONSENT_POST] = {"consent_post", VALUE_BOOLEAN, {"post_opt_in", NULL}},
};

static const PlanSource read_forms = {
	"SELECT form, is_active, mapping, required, defaults, blank_values, invalid_values, default_region,"
	" source_system, contact_update, lead_update, pipeline, makes_contact, makes_account, makes_lead,"
	" makes_interaction, scores, moves_stage, assigns, maximum_bytes"
	" FROM @workspace@.form ORDER BY form COLLATE \"C\""
};

/* Find the field or custom attribute that a target name means */
static bool
ResolveTarget(WorkspaceConfig *config, const char *target, FormEntry *entry)
{
	const char *dot = strchr(target, '.');

	entry->field = -1;
	entry->custom = NULL;
	for (int f = 0; f < FIELD_COUNT; f++)
		if (strcmp(FieldDefs[f].name, target) == 0)
		{
			entry->field = f;
			return true;
		}
	for (int entity = 0; entity < ENTITY_COUNT; entity++)
	{
		const char *name = target;

		if (dot)
		{
			if (strlen(EntityNames[entity]) != dot - target ||
				strncmp(EntityNames[entity], target, dot - target) != 0)
				continue;
			name = dot + 1;
		}
		entry->custom = ConfigField(config, entity, name, strlen(name));
		if (entry->custom && entry->custom->is_active)
			return true;
		entry->custom = NULL;
	}
	return false;
}

/* Get the members of a JSON object whose values are scalars, as text */
static int
ObjectMembers(Jsonb *object, char ***keys, char ***values)
{
	JsonbIterator *it = JsonbIteratorInit(&object->root);
	JsonbValue	v;
	JsonbIteratorToken token;
	int			size = JB_ROOT_COUNT(object);
	int			n = 0;

	*keys = palloc(sizeof(char *) * Max(size, 1));
	*values = palloc(sizeof(char *) * Max(size, 1));
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			(*keys)[n] = pnstrdup(v.val.string.val, v.val.string.len);
		else if (token == WJB_VALUE)
		{
			char	   *text = NULL;

			if (v.type == jbvString)
				text = pnstrdup(v.val.string.val, v.val.string.len);
			else if (v.type == jbvNumeric)
				text = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(v.val.numeric)));
			else if (v.type == jbvBool)
				text = pstrdup(v.val.boolean ? "true" : "false");
			(*values)[n++] = text;
		}
	}
	return n;
}

/* Let a form listen to a name, unless its own mapping takes that name */
static void
AddEntry(Form *form, const char *incoming, int field, CustomField *custom, char **mapped, int mapped_count)
{
	FormEntry  *entry = &form->entries[form->entry_count];

	for (int i = 0; i < mapped_count; i++)
		if (strcmp(mapped[i], incoming) == 0)
			return;
	entry->incoming = pstrdup(incoming);
	entry->incoming_len = strlen(incoming);
	entry->field = field;
	entry->custom = custom;
	form->entry_count++;
}

/*
 * List the names a form listens to, in order of precedence: its own mapping,
 * our names for the fields, custom attributes by their names, and last the
 * usual other names of a field.  The first that brings a value wins.
 */
static void
BuildEntries(WorkspaceConfig *config, Form *form, Jsonb *mapping)
{
	char	  **keys;
	char	  **targets;
	int			mapped = ObjectMembers(mapping, &keys, &targets);
	int			capacity = mapped + FIELD_COUNT * (1 + lengthof(FieldDefs[0].aliases)) + config->field_count * 2;

	form->entries = palloc0(sizeof(FormEntry) * capacity);
	for (int i = 0; i < mapped; i++)
	{
		FormEntry	target;

		if (targets[i] && ResolveTarget(config, targets[i], &target))
			AddEntry(form, keys[i], target.field, target.custom, NULL, 0);
	}
	for (int f = 0; f < FIELD_COUNT; f++)
		AddEntry(form, FieldDefs[f].name, f, NULL, keys, mapped);
	for (int i = 0; i < config->field_count; i++)
	{
		CustomField *custom = &config->fields[i];

		if (!custom->is_active || custom->entity == ENTITY_OPPORTUNITY)
			continue;
		AddEntry(form, psprintf("%s.%s", EntityNames[custom->entity], custom->name), -1, custom, keys, mapped);
		AddEntry(form, custom->name, -1, custom, keys, mapped);
	}
	for (int f = 0; f < FIELD_COUNT; f++)
		for (int a = 0; FieldDefs[f].aliases[a]; a++)
			AddEntry(form, FieldDefs[f].aliases[a], f, NULL, keys, mapped);
}

/* Read the update policy of a form */
static UpdatePolicy
PolicyOf(const char *name)
{
	return name == NULL ? UPDATE_BY_STRATEGY : strcmp(name, "newest") == 0 ? UPDATE_NEWEST :
		strcmp(name, "fill") == 0 ? UPDATE_FILL : strcmp(name, "keep") == 0 ? UPDATE_KEEP : UPDATE_TRUSTED;
}

/* Read the forms */
void
ConfigLoadForms(Workspace *ws, WorkspaceConfig *config)
{
	int			n = WorkspaceExecute(ws, &read_forms, NULL, NULL);

	config->forms = palloc0(sizeof(Form) * Max(n, 1));
	config->form_count = n;
	for (int i = 0; i < n; i++)
	{
		Form	   *form = &config->forms[i];
		bool		isnull;
		char	  **names;
		char	  **values;
		int			count;
		char	   *pipeline;
		Pipeline   *found;

		form->name = ResultText(i, 1);
		form->position = i;
		form->is_active = ResultBool(i, 2);
		BuildEntries(config, form,
					 DatumGetJsonbP(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 3, &isnull)));
		names = ResultTexts(i, 4, &count);
		form->required = palloc0(sizeof(FormEntry) * Max(count, 1));
		for (int r = 0; r < count; r++)
		{
			form->required[form->required_count].incoming = names[r];
			if (ResolveTarget(config, names[r], &form->required[form->required_count]))
				form->required_count++;
		}
		count = ObjectMembers(DatumGetJsonbP(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 5, &isnull)),
							  &names, &values);
		for (int d = 0; d < count; d++)
		{
			FormEntry	target;

			if (values[d] && ResolveTarget(config, names[d], &target) && target.field >= 0)
				form->defaults[target.field] = values[d];
		}
		form->blanks = ResultTexts(i, 6, &form->blank_count);
		form->drops_invalid = strcmp(ResultText(i, 7), "drop") == 0;
		form->default_region = ResultText(i, 8);
		form->source_system = ResultText(i, 9);
		form->contact_update = PolicyOf(ResultText(i, 10));
		form->lead_update = PolicyOf(ResultText(i, 11));
		pipeline = ResultText(i, 12);
		found = pipeline ? ConfigPipeline(config, pipeline) : NULL;
		if (found == NULL || !found->for_leads)
			found = ConfigDefaultPipeline(config, true);
		form->pipeline = found && found->entry >= 0 ? found - config->pipelines : -1;
		form->makes_contact = ResultBool(i, 13);
		form->makes_account = ResultBool(i, 14);
		form->makes_lead = ResultBool(i, 15);
		form->makes_interaction = ResultBool(i, 16);
		form->scores = ResultBool(i, 17);
		form->moves_stage = ResultBool(i, 18);
		form->assigns = ResultBool(i, 19);
		form->maximum_bytes = ResultInt(i, 20);
	}
	SPI_freetuptable(SPI_tuptable);
}

/* Refuse a name that is no field and no custom attribute */
static void
CheckTarget(WorkspaceConfig *config, const char *form, const char *column, const char *target, bool may_ignore)
{
	FormEntry	entry;

	if (target && ((may_ignore && strcmp(target, TARGET_IGNORE) == 0) || ResolveTarget(config, target, &entry)))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the %s of form \"%s\" names \"%s\", which is no field", column, form, target ? target : "null"),
			 errhint("Name a field of submissions, or define a custom attribute with define_field() first.")));
}

PG_FUNCTION_INFO_V1(guard_form);
/* Check the field names that a form about to be written uses */
Datum
guard_form(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	TupleDesc	desc;
	HeapTuple	tuple;
	Workspace  *ws;
	WorkspaceRights rights;
	WorkspaceConfig *config;
	char	   *form;
	char	  **keys;
	char	  **values;
	int			n;
	bool		isnull;
	Datum		value;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigdata->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) || TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("guard_form must be called as a BEFORE INSERT OR UPDATE row trigger")));
	desc = RelationGetDescr(trigdata->tg_relation);
	tuple = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ? trigdata->tg_newtuple : trigdata->tg_trigtuple;
	ws = WorkspaceOfRelation(trigdata->tg_relation);
	WorkspaceEnter(ws, &rights);
	config = WorkspaceGetConfig(ws);
	value = heap_getattr(tuple, SPI_fnumber(desc, "form"), desc, &isnull);
	form = isnull ? "" : TextDatumGetCString(value);
	value = heap_getattr(tuple, SPI_fnumber(desc, "mapping"), desc, &isnull);
	if (!isnull && JB_ROOT_IS_OBJECT(DatumGetJsonbP(value)))
	{
		n = ObjectMembers(DatumGetJsonbP(value), &keys, &values);
		for (int i = 0; i < n; i++)
			CheckTarget(config, form, "mapping", values[i], true);
	}
	value = heap_getattr(tuple, SPI_fnumber(desc, "defaults"), desc, &isnull);
	if (!isnull && JB_ROOT_IS_OBJECT(DatumGetJsonbP(value)))
	{
		n = ObjectMembers(DatumGetJsonbP(value), &keys, &values);
		for (int i = 0; i < n; i++)
		{
			FormEntry	entry;

			if (!ResolveTarget(config, keys[i], &entry) || entry.field < 0)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("form \"%s\" has a default for \"%s\", which is no field of submissions", form, keys[i])));
		}
	}
	value = heap_getattr(tuple, SPI_fnumber(desc, "required"), desc, &isnull);
	if (!isnull)
	{
		Datum	   *names;
		bool	   *nulls;

		deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls, &n);
		for (int i = 0; i < n; i++)
			CheckTarget(config, form, "required list", nulls[i] ? NULL : TextDatumGetCString(names[i]), false);
	}
	WorkspaceLeave(&rights);
	return PointerGetDatum(tuple);
}
