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

/* The name under which who sent a mail can be left alone */
#define NAME_SENDER "sender"

/* The target of a name that is to be left alone */
#define TARGET_IGNORE "ignore"

const FieldDef FieldDefs[FIELD_COUNT] = {
	[FIELD_EXTERNAL_ID] = {"external_id", VALUE_TEXT},
	[FIELD_SOURCE_ID] = {"source_id", VALUE_TEXT},
	[FIELD_FULL_NAME] = {"full_name", VALUE_TEXT},
	[FIELD_GIVEN_NAME] = {"given_name", VALUE_TEXT},
	[FIELD_FAMILY_NAME] = {"family_name", VALUE_TEXT},
	[FIELD_EMAIL] = {"email", VALUE_EMAIL},
	[FIELD_PHONE] = {"phone", VALUE_PHONE},
	[FIELD_JOB_TITLE] = {"job_title", VALUE_TEXT},
	[FIELD_STREET] = {"street", VALUE_TEXT},
	[FIELD_CITY] = {"city", VALUE_TEXT},
	[FIELD_REGION] = {"region", VALUE_TEXT},
	[FIELD_POSTAL_CODE] = {"postal_code", VALUE_TEXT},
	[FIELD_COUNTRY] = {"country", VALUE_TEXT},
	[FIELD_LANGUAGE] = {"language", VALUE_TEXT},
	[FIELD_COMPANY] = {"company", VALUE_TEXT},
	[FIELD_COMPANY_SOURCE_ID] = {"company_source_id", VALUE_TEXT},
	[FIELD_WEBSITE] = {"website", VALUE_TEXT},
	[FIELD_INDUSTRY] = {"industry", VALUE_TEXT},
	[FIELD_EMPLOYEES] = {"employees", VALUE_INTEGER},
	[FIELD_ANNUAL_REVENUE] = {"annual_revenue", VALUE_NUMBER},
	[FIELD_LEAD_SOURCE_ID] = {"lead_source_id", VALUE_TEXT},
	[FIELD_TITLE] = {"title", VALUE_TEXT},
	[FIELD_PRODUCT] = {"product", VALUE_TEXT},
	[FIELD_PAGE] = {"page", VALUE_TEXT},
	[FIELD_CAMPAIGN] = {"campaign", VALUE_TEXT},
	[FIELD_CHANNEL] = {"channel", VALUE_TEXT},
	[FIELD_SOURCE] = {"source", VALUE_TEXT},
	[FIELD_ORIGIN] = {"origin", VALUE_TEXT},
	[FIELD_BUDGET] = {"budget", VALUE_NUMBER},
	[FIELD_CURRENCY] = {"currency", VALUE_CURRENCY},
	[FIELD_MESSAGE] = {"message", VALUE_LONG_TEXT},
	[FIELD_KIND] = {"kind", VALUE_TEXT},
	[FIELD_OCCURRED_AT] = {"occurred_at", VALUE_TIMESTAMP},
	[FIELD_URL] = {"url", VALUE_TEXT},
	[FIELD_CREATIVE] = {"creative", VALUE_TEXT},
	[FIELD_VISITOR] = {"visitor", VALUE_TEXT},
	[FIELD_SESSION] = {"session", VALUE_TEXT},
	[FIELD_COST] = {"cost", VALUE_NUMBER},
	[FIELD_CONSENT_EMAIL] = {"consent_email", VALUE_BOOLEAN},
	[FIELD_CONSENT_PHONE] = {"consent_phone", VALUE_BOOLEAN},
	[FIELD_CONSENT_SMS] = {"consent_sms", VALUE_BOOLEAN},
	[FIELD_CONSENT_POST] = {"consent_post", VALUE_BOOLEAN},
};

/* Rows that forms are read from together, sorted by form */
typedef struct FormRows
{
	int			count;
	char	  **forms;
	char	  **names;
	char	  **values;
} FormRows;

static const PlanSource read_form_fields = {
	"SELECT form, name, field FROM @workspace@.form_field ORDER BY form COLLATE \"C\", sequence, name COLLATE \"C\""
};

static const PlanSource read_aliases = {
	"SELECT NULL::text, alias, field FROM @workspace@.field_alias ORDER BY sequence, alias COLLATE \"C\""
};

static const PlanSource read_pairs = {
	"SELECT form, path::text, name::text, value::text FROM @workspace@.form_pairs ORDER BY form COLLATE \"C\", label COLLATE \"C\""
};

static const PlanSource read_vendors = {
	"SELECT vendor, price::text, currency, COALESCE(daily_cap, -1), COALESCE(monthly_cap, -1), is_active"
	" FROM @workspace@.vendor ORDER BY vendor COLLATE \"C\""
};

static const PlanSource read_templates = {
	"SELECT form, template, pattern, applies_to FROM @workspace@.form_template"
	" ORDER BY form COLLATE \"C\", sequence, template COLLATE \"C\""
};

static const PlanSource read_forms = {
	"SELECT form, is_active, mapping, required, defaults, blank_values, invalid_values, default_region,"
	" source_system, contact_update, lead_update, pipeline, makes_contact, makes_account, makes_lead,"
	" makes_interaction, scores, moves_stage, assigns, maximum_bytes, maximum_body_bytes, records, vendor"
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

/* Find the first row of a form */
static int
FormRowsFind(const FormRows *rows, const char *form)
{
	int			low = 0;
	int			high = rows->count;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (strcmp(rows->forms[middle], form) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
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

/* Add a name that a form listens to */
static FormEntry *
AddEntry(Form *form, const char *incoming, int field, CustomField *custom, bool is_own)
{
	FormEntry  *entry = &form->entries[form->entry_count++];

	entry->incoming = pstrdup(incoming);
	entry->incoming_len = strlen(incoming);
	entry->field = field;
	entry->custom = custom;
	entry->is_own = is_own;
	return entry;
}

/*
 * Add a name of the form's own.  One whose target is to be ignored, or is
 * gone, stays as a name that leads nowhere.
 */
static void
AddOwnEntry(WorkspaceConfig *config, Form *form, const char *incoming, const char *target)
{
	FormEntry	found;
	FormEntry  *entry;

	if (target == NULL || !ResolveTarget(config, target, &found))
		found.field = -1, found.custom = NULL;
	entry = AddEntry(form, incoming, found.field, found.custom, true);
	if (IsJsonPath(incoming))
		entry->path = DirectFunctionCall1(jsonpath_in, CStringGetDatum(incoming));
}

/*
 * List the names a form listens to, in order of precedence: its rows of
 * form_field, its mapping, our names for the fields, custom attributes by
 * their names, and last the other names of fields.
 */
static void
BuildEntries(WorkspaceConfig *config, Form *form, Jsonb *mapping, const FormRows *own, const FormRows *aliases)
{
	char	  **keys;
	char	  **targets;
	int			mapped = ObjectMembers(mapping, &keys, &targets);
	int			first = FormRowsFind(own, form->name);

	form->entries = palloc0(sizeof(FormEntry) *
							(own->count + mapped + FIELD_COUNT + config->field_count * 2 + aliases->count));
	for (int i = first; i < own->count && strcmp(own->forms[i], form->name) == 0; i++)
		AddOwnEntry(config, form, own->names[i], own->values[i]);
	for (int i = 0; i < mapped; i++)
		AddOwnEntry(config, form, keys[i], targets[i]);
	for (int f = 0; f < FIELD_COUNT; f++)
		AddEntry(form, FieldDefs[f].name, f, NULL, false);
	for (int i = 0; i < config->field_count; i++)
	{
		CustomField *custom = &config->fields[i];

		if (!custom->is_active || custom->entity == ENTITY_OPPORTUNITY)
			continue;
		AddEntry(form, psprintf("%s.%s", EntityNames[custom->entity], custom->name), -1, custom, false);
		AddEntry(form, custom->name, -1, custom, false);
	}
	for (int i = 0; i < aliases->count; i++)
	{
		FormEntry	target;

		if (ResolveTarget(config, aliases->values[i], &target))
			AddEntry(form, aliases->names[i], target.field, target.custom, false);
	}
	FormIndexNames(form);
}

/* Read rows of form, name and value */
static void
ReadFormRows(Workspace *ws, const PlanSource *source, FormRows *rows)
{
	int			n = WorkspaceExecute(ws, source, NULL, NULL);

	rows->count = n;
	rows->forms = palloc(sizeof(char *) * Max(n, 1));
	rows->names = palloc(sizeof(char *) * Max(n, 1));
	rows->values = palloc(sizeof(char *) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		rows->forms[i] = ResultText(i, 1);
		rows->names[i] = ResultText(i, 2);
		rows->values[i] = ResultText(i, 3);
	}
	SPI_freetuptable(SPI_tuptable);
}

/* Read where the pairs of names and values in payloads of forms are */
static void
LoadPairs(Workspace *ws, WorkspaceConfig *config)
{
	int			n = WorkspaceExecute(ws, &read_pairs, NULL, NULL);
	FormPairs  *pairs = palloc0(sizeof(FormPairs) * Max(n, 1));

	for (int i = 0; i < n; i++)
	{
		Form	   *form = ConfigForm(config, ResultText(i, 1));

		pairs[i].path = DirectFunctionCall1(jsonpath_in, CStringGetDatum(ResultText(i, 2)));
		pairs[i].name = DirectFunctionCall1(jsonpath_in, CStringGetDatum(ResultText(i, 3)));
		pairs[i].value = DirectFunctionCall1(jsonpath_in, CStringGetDatum(ResultText(i, 4)));
		if (form == NULL)
			continue;
		if (form->pairs_count++ == 0)
			form->pairs = &pairs[i];
	}
	SPI_freetuptable(SPI_tuptable);
}

/* Read the templates of forms */
static void
LoadTemplates(Workspace *ws, WorkspaceConfig *config)
{
	int			n = WorkspaceExecute(ws, &read_templates, NULL, NULL);
	FormTemplate *templates = palloc0(sizeof(FormTemplate) * Max(n, 1));

	for (int i = 0; i < n; i++)
	{
		Form	   *form = ConfigForm(config, ResultText(i, 1));

		templates[i].label = ResultText(i, 2);
		templates[i].reads_subject = strcmp(ResultText(i, 4), "subject") == 0;
		FormReadTemplate(&templates[i], ResultText(i, 3));
		if (form == NULL)
			continue;
		if (form->template_count++ == 0)
			form->templates = &templates[i];
	}
	SPI_freetuptable(SPI_tuptable);
}

/* Read the update policy of a form */
static UpdatePolicy
PolicyOf(const char *name)
{
	return name == NULL ? UPDATE_BY_STRATEGY : strcmp(name, "newest") == 0 ? UPDATE_NEWEST :
		strcmp(name, "fill") == 0 ? UPDATE_FILL : strcmp(name, "keep") == 0 ? UPDATE_KEEP : UPDATE_TRUSTED;
}

/* Read the vendors */
static void
LoadVendors(Workspace *ws, WorkspaceConfig *config)
{
	int			n = WorkspaceExecute(ws, &read_vendors, NULL, NULL);

	config->vendors = palloc0(sizeof(Vendor) * Max(n, 1));
	config->vendor_count = n;
	for (int i = 0; i < n; i++)
		config->vendors[i] = (Vendor) {
			ResultText(i, 1), ResultText(i, 2), ResultText(i, 3), ResultInt(i, 4), ResultInt(i, 5), ResultBool(i, 6)
		};
	SPI_freetuptable(SPI_tuptable);
}

/* Find a vendor by its name, NULL for none */
static Vendor *
FindVendor(WorkspaceConfig *config, const char *name)
{
	for (int i = 0; name && i < config->vendor_count; i++)
		if (strcmp(config->vendors[i].name, name) == 0)
			return &config->vendors[i];
	return NULL;
}

/* Does a form of its own leave a name alone? */
static bool
IgnoresName(const Form *form, const char *name)
{
	const FormName *found;
	bool		is_loose;

	return FormFindName(form, name, strlen(name), &found, &is_loose) > 0 &&
		form->entries[found->entry].field < 0 && form->entries[found->entry].custom == NULL;
}

/* Read the forms */
void
ConfigLoadForms(Workspace *ws, WorkspaceConfig *config)
{
	FormRows	own;
	FormRows	aliases;
	int			n;

	LoadVendors(ws, config);
	ReadFormRows(ws, &read_form_fields, &own);
	ReadFormRows(ws, &read_aliases, &aliases);
	n = WorkspaceExecute(ws, &read_forms, NULL, NULL);
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
					 DatumGetJsonbP(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 3, &isnull)),
					 &own, &aliases);
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
		if (found == NULL || !found->for_leads || !found->is_active)
			found = ConfigDefaultPipeline(config, true);
		form->pipeline = found && found->is_active && found->entry >= 0 ? found - config->pipelines : -1;
		form->makes_contact = ResultBool(i, 13);
		form->makes_account = ResultBool(i, 14);
		form->makes_lead = ResultBool(i, 15);
		form->makes_interaction = ResultBool(i, 16);
		form->scores = ResultBool(i, 17);
		form->moves_stage = ResultBool(i, 18);
		form->assigns = ResultBool(i, 19);
		form->maximum_bytes = ResultInt(i, 20);
		form->maximum_body_bytes = ResultInt(i, 21);
		form->records = ResultText(i, 22);
		form->vendor = FindVendor(config, ResultText(i, 23));
		form->ignores_sender = form->vendor || IgnoresName(form, NAME_SENDER);
	}
	SPI_freetuptable(SPI_tuptable);
	LoadPairs(ws, config);
	LoadTemplates(ws, config);
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

/* Find the end of the string that a path's text has at its quote */
static const char *
StringEnd(const char *quote)
{
	const char *end = quote + 1;

	while (*end && *end != '"')
		end += *end == '\\' && end[1] ? 2 : 1;
	return end;
}

/*
 * Refuse a JSON path that names a variable which nothing gives a value: it
 * would be an error of every submission.  The text that the type writes has
 * variables as $"name".
 */
static void
CheckVariables(Datum path, const char *known)
{
	const char *text = DatumGetCString(DirectFunctionCall1(jsonpath_out, path));

	for (const char *c = text; *c; c++)
	{
		bool		is_variable = *c == '$' && c[1] == '"';
		const char *name = c + is_variable + 1;

		if (!is_variable && *c != '"')
			continue;
		c = StringEnd(c + is_variable);
		if (is_variable && !(known && strlen(known) == c - name && strncmp(name, known, c - name) == 0))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the JSON path %s names a variable \"%.*s\", which there is not", text, (int) (c - name), name),
					 known ? errhint("There is $%s.", known) : 0));
		if (*c == '\0')
			return;
	}
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
	value = heap_getattr(tuple, SPI_fnumber(desc, "records"), desc, &isnull);
	if (!isnull && IsJsonPath(TextDatumGetCString(value)))
		CheckVariables(DirectFunctionCall1(jsonpath_in, CStringGetDatum(TextDatumGetCString(value))), NULL);
	WorkspaceLeave(&rights);
	return PointerGetDatum(tuple);
}

PG_FUNCTION_INFO_V1(guard_field_name);
/* Check the field that a row of form_field or field_alias about to be written names */
Datum
guard_field_name(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	TupleDesc	desc;
	HeapTuple	tuple;
	Workspace  *ws;
	WorkspaceRights rights;
	const char *table;
	FormEntry	entry;
	bool		is_own;
	char	   *name;
	char	   *target;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigdata->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) || TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("guard_field_name must be called as a BEFORE INSERT OR UPDATE row trigger")));
	desc = RelationGetDescr(trigdata->tg_relation);
	table = RelationGetRelationName(trigdata->tg_relation);
	tuple = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ? trigdata->tg_newtuple : trigdata->tg_trigtuple;
	is_own = SPI_fnumber(desc, "alias") <= 0;
	name = SPI_getvalue(tuple, desc, SPI_fnumber(desc, is_own ? "name" : "alias"));
	target = SPI_getvalue(tuple, desc, SPI_fnumber(desc, "field"));
	ws = WorkspaceOfRelation(trigdata->tg_relation);
	WorkspaceEnter(ws, &rights);
	if (target && !(is_own && strcmp(target, TARGET_IGNORE) == 0) &&
		!ResolveTarget(WorkspaceGetConfig(ws), target, &entry))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s \"%s\" names \"%s\", which is no field", table, name ? name : "", target),
				 errhint("Name a field of submissions, or define a custom attribute with define_field() first.")));
	if (is_own && name && IsJsonPath(name))
		CheckVariables(DirectFunctionCall1(jsonpath_in, CStringGetDatum(name)), NULL);
	WorkspaceLeave(&rights);
	return PointerGetDatum(tuple);
}

PG_FUNCTION_INFO_V1(guard_form_pairs);
/* Check the JSON paths of a row of form_pairs about to be written */
Datum
guard_form_pairs(PG_FUNCTION_ARGS)
{
	static const char *const columns[] = {"path", "name", "value"};
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	TupleDesc	desc;
	HeapTuple	tuple;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigdata->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) || TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("guard_form_pairs must be called as a BEFORE INSERT OR UPDATE row trigger")));
	desc = RelationGetDescr(trigdata->tg_relation);
	tuple = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ? trigdata->tg_newtuple : trigdata->tg_trigtuple;
	for (int c = 0; c < lengthof(columns); c++)
	{
		bool		isnull;
		Datum		path = heap_getattr(tuple, SPI_fnumber(desc, columns[c]), desc, &isnull);

		if (!isnull)
			CheckVariables(path, "payload");
	}
	return PointerGetDatum(tuple);
}
