/*
 * Reading a payload: incoming names to fields, values to normal forms, and
 * every complaint as a machine-readable reason.
 */
#include "postgres.h"

#include "access/xact.h"
#include "capture/capture.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "types/types.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "workspace/values.h"

/* Add a reason; one that rejects ends the record's way */
void
RecordReason(CaptureRecord *record, const char *field, const char *code,
			 const char *value, const char *message, bool rejects)
{
	StringInfo	reasons = &record->reasons;

	appendStringInfoString(reasons, record->reason_count++ ? ", {\"field\": " : "[{\"field\": ");
	if (field)
		escape_json(reasons, field);
	else
		appendStringInfoString(reasons, "null");
	appendStringInfoString(reasons, ", \"code\": ");
	escape_json(reasons, code);
	appendStringInfoString(reasons, ", \"value\": ");
	if (value)
	{
		int			len = pg_mbcliplen(value, strlen(value), CAPTURE_MAX_QUOTED);

		escape_json(reasons, pnstrdup(value, len));
	}
	else
		appendStringInfoString(reasons, "null");
	appendStringInfoString(reasons, ", \"message\": ");
	escape_json(reasons, message);
	appendStringInfoString(reasons, rejects ? ", \"severity\": \"error\"}" : ", \"severity\": \"warning\"}");
	if (rejects)
		record->status = "rejected";
}

/* Get the contact of a record, 0 when it has none */
int64
RecordContact(const CaptureRecord *record)
{
	return record->person.slot ? record->person.slot->id : 0;
}

/* Get the account of a record, 0 when it has none */
int64
RecordAccount(const CaptureRecord *record)
{
	if (record->company.slot)
		return record->company.slot->id;
	return record->person.slot ? record->person.slot->account_id : 0;
}

/* Complain of a value: a reason to reject, or a warning where the form drops bad values */
static void
InvalidValue(CaptureRecord *record, const char *field, const char *code, const char *value, const char *message)
{
	RecordReason(record, field, code, value, message, !record->form->drops_invalid);
}

/* Is the character white space that people type or paste around a value? */
static int
BlankLength(const char *text, const char *end)
{
	const unsigned char *c = (const unsigned char *) text;

	if (*c == ' ' || (*c >= '\t' && *c <= '\r'))
		return 1;
	if (end - text >= 2 && c[0] == 0xC2 && c[1] == 0xA0)	/* no-break space */
		return 2;
	if (end - text >= 3 && c[0] == 0xE3 && c[1] == 0x80 && c[2] == 0x80)	/* ideographic space */
		return 3;
	if (end - text >= 3 && c[0] == 0xE2 && c[1] == 0x80 && c[2] == 0x8B)	/* zero width space */
		return 3;
	return 0;
}

/* Trim a text; NULL when nothing is left */
static char *
Trimmed(const char *text, int len)
{
	const char *end = text + len;
	const char *last = text;
	int			blank;

	while (text < end && (blank = BlankLength(text, end)) > 0)
		text += blank;
	last = text;
	for (const char *at = text; at < end;)
	{
		blank = BlankLength(at, end);
		if (blank == 0)
		{
			at += pg_mblen(at);
			last = at;
		}
		else
			at += blank;
	}
	return last > text ? pnstrdup(text, Min(last, end) - text) : NULL;
}

/* Get the text of a payload value; NULL when it is null, blank or a container */
static char *
ValueText(const Form *form, const JsonbValue *value)
{
	char	   *text = NULL;

	if (value->type == jbvString)
		text = Trimmed(value->val.string.val, value->val.string.len);
	else if (value->type == jbvNumeric)
		text = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
	else if (value->type == jbvBool)
		text = pstrdup(value->val.boolean ? "true" : "false");
	for (int i = 0; text && i < form->blank_count; i++)
		if (strcmp(form->blanks[i], text) == 0)
			return NULL;
	return text;
}

/* Longest value of a field, in bytes */
static int
FieldLimit(FieldId field)
{
	switch (field)
	{
		case FIELD_EXTERNAL_ID:
		case FIELD_SOURCE_ID:
		case FIELD_COMPANY:
		case FIELD_COMPANY_SOURCE_ID:
		case FIELD_LEAD_SOURCE_ID:
		case FIELD_PAGE:
		case FIELD_VISITOR:
			return CAPTURE_MAX_KEY;
		case FIELD_MESSAGE:
			return CAPTURE_MAX_LONG_TEXT;
		default:
			return CAPTURE_MAX_TEXT;
	}
}

/* Read a value into its field in normal form */
static void
ReadField(CaptureRecord *record, FieldId field, char *text)
{
	const FieldDef *def = &FieldDefs[field];
	char		email[EMAIL_MAX_LEN + 1];
	int			len;
	int32		integer;
	bool		truth;
	EmailStatus email_status;

	if (strlen(text) > FieldLimit(field) && def->type != VALUE_EMAIL)
	{
		InvalidValue(record, def->name, CODE_TOO_LONG, text,
					 psprintf("longer than %d bytes", FieldLimit(field)));
		return;
	}
	switch (def->type)
	{
		case VALUE_TEXT:
		case VALUE_LONG_TEXT:
		case VALUE_PHONE:		/* read once the country is known */
			break;
		case VALUE_EMAIL:
			email_status = EmailNormalize(text, strlen(text), email, &len);
			if (email_status != EMAIL_OK)
			{
				InvalidValue(record, def->name, "invalid_email", text, EmailStatusMessage(email_status));
				return;
			}
			text = pstrdup(email);
			break;
		case VALUE_INTEGER:
			if (!ReadInteger(text, &integer) || integer < 0)
			{
				InvalidValue(record, def->name, CODE_INVALID_NUMBER, text, "not a whole number of zero or more");
				return;
			}
			text = psprintf("%d", integer);
			break;
		case VALUE_NUMBER:
			if (!ReadNumber(text) || *text == '-')
			{
				InvalidValue(record, def->name, CODE_INVALID_NUMBER, text, "not a number of zero or more");
				return;
			}
			break;
		case VALUE_TIMESTAMP:
			if (!ReadTimestamp(text, &record->occurred_at))
			{
				InvalidValue(record, def->name, CODE_INVALID_DATE, text, "not a point in time such as 2026-01-31T09:30:00Z");
				return;
			}
			break;
		case VALUE_BOOLEAN:
			if (!ReadBoolean(text, &truth))
			{
				InvalidValue(record, def->name, CODE_INVALID_BOOLEAN, text, "neither true nor false");
				return;
			}
			if (!truth)
				return;
			break;
		case VALUE_CURRENCY:
			if (strlen(text) != 3 || strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") != 3)
			{
				InvalidValue(record, def->name, "invalid_currency", text, "not a three-letter ISO 4217 code");
				return;
			}
			for (char *c = text; *c; c++)
				*c = pg_ascii_toupper((unsigned char) *c);
			break;
	}
	record->values[field] = text;
}

/* Read the phone number, which may need the country to be understood */
static void
ReadPhone(CaptureRecord *record)
{
	char	   *text = record->values[FIELD_PHONE];
	char	   *country = record->values[FIELD_COUNTRY];
	const char *region = record->form->default_region;
	char		phone[PHONE_MAX_LEN + 1];
	int			len;
	PhoneStatus status;

	if (text == NULL)
		return;
	if (country && strlen(country) == 2 && PhoneRegionKnown(country))
		region = country;
	status = PhoneNormalize(text, strlen(text), region, phone, &len, NULL);
	record->values[FIELD_PHONE] = NULL;
	if (status == PHONE_OK)
		record->values[FIELD_PHONE] = pstrdup(phone);
	else
		InvalidValue(record, "phone", status == PHONE_NEEDS_REGION ? "phone_needs_region" : "invalid_phone",
					 text, PhoneStatusMessage(status));
}

/* Read a custom attribute; false when the value is blank */
static bool
ReadAttribute(CaptureRecord *record, const CustomField *field, const JsonbValue *value,
			  JsonbParseState **states)
{
	JsonbParseState **state = &states[field->entity];
	JsonbValue	key;
	JsonbValue	output;
	JsonbValue	trimmed = *value;
	const char *code;
	char	   *text = ValueText(record->form, value);

	if (value->type != jbvBinary && text == NULL)
		return false;
	if (value->type == jbvString)
	{
		trimmed.val.string.val = text;
		trimmed.val.string.len = strlen(text);
	}
	code = AttributeRead(field, &trimmed, false, &output);
	if (code)
	{
		InvalidValue(record, psprintf("%s.%s", EntityNames[field->entity], field->name), code, text,
					 "not a value of this custom attribute");
		return true;
	}
	if (*state == NULL)
		pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	key.type = jbvString;
	key.val.string.val = field->name;
	key.val.string.len = strlen(field->name);
	pushJsonbValue(state, WJB_KEY, &key);
	if (output.type == jbvBinary)
	{
		/* An array of options */
		JsonbIterator *it = JsonbIteratorInit(output.val.binary.data);
		JsonbValue	element;
		JsonbIteratorToken token;

		while ((token = JsonbIteratorNext(&it, &element, true)) != WJB_DONE)
			pushJsonbValue(state, token, token == WJB_ELEM ? &element : NULL);
	}
	else
		pushJsonbValue(state, WJB_VALUE, &output);
	return true;
}

/* Is a custom attribute among those the record brings? */
static bool
HasAttribute(const CaptureRecord *record, const CustomField *field)
{
	JsonbValue	found;
	Jsonb	   *attributes = record->attributes[field->entity];

	return attributes &&
		getKeyJsonValueFromContainer(&attributes->root, field->name, strlen(field->name), &found) != NULL;
}

/* A value of a payload that some entry of the form listens to */
typedef struct HeardValue
{
	int			precedence;		/* the lower the earlier */
	const FormEntry *entry;
	JsonbValue	value;
} HeardValue;

typedef struct HeardValues
{
	int			count;
	int			capacity;
	HeardValue *items;
} HeardValues;

/* Order values as their entries come in the form, exact names before loose ones */
static int
CompareHeardValues(const void *a, const void *b)
{
	return ((const HeardValue *) a)->precedence - ((const HeardValue *) b)->precedence;
}

/* Note a value for an entry */
static void
HearValue(HeardValues *heard, const Form *form, int entry, bool is_loose, const JsonbValue *value)
{
	if (form->entries[entry].field < 0 && form->entries[entry].custom == NULL)
		return;
	if (heard->count == heard->capacity)
	{
		heard->capacity *= 2;
		heard->items = repalloc(heard->items, sizeof(HeardValue) * heard->capacity);
	}
	heard->items[heard->count++] = (HeardValue) {
		entry * 2 + is_loose, &form->entries[entry], *value
	};
}

/* Note the value of a name for every entry that listens to it */
static void
HearName(HeardValues *heard, const Form *form, const char *name, int len, const JsonbValue *value)
{
	const FormName *found;
	bool		is_loose;
	int			n;

	if (value->type == jbvNull)
		return;
	n = FormFindName(form, name, len, &found, &is_loose);
	for (int i = 0; i < n; i++)
		HearValue(heard, form, found[i].entry, is_loose, value);
}

/* Note the members of an object */
static void
HearMembers(HeardValues *heard, const Form *form, Jsonb *object)
{
	JsonbIterator *it = JsonbIteratorInit(&object->root);
	JsonbValue	name;
	JsonbValue	value;

	JsonbIteratorNext(&it, &value, true);
	while (JsonbIteratorNext(&it, &name, true) == WJB_KEY)
	{
		JsonbIteratorNext(&it, &value, true);
		HearName(heard, form, name.val.string.val, name.val.string.len, &value);
	}
}

/* List what a JSON path leads to in a value */
static Jsonb *
PathItems(Jsonb *target, Datum path, Jsonb *variables)
{
	return DatumGetJsonbP(DirectFunctionCall4(jsonb_path_query_array_tz, JsonbPGetDatum(target), path,
											  JsonbPGetDatum(variables), BoolGetDatum(true)));
}

/* Make what JSON paths know by name: nothing, or the payload */
static Jsonb *
PathVariables(Jsonb *payload)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	if (payload)
	{
		JsonbValue	key = {.type = jbvString,.val.string = {strlen("payload"), "payload"}};
		JsonbValue	value = {.type = jbvBinary};

		value.val.binary.data = &payload->root;
		value.val.binary.len = VARSIZE(payload) - VARHDRSZ;
		pushJsonbValue(&state, WJB_KEY, &key);
		pushJsonbValue(&state, WJB_VALUE, &value);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* Find what a JSON path leads to in a value; one item that stands alone is taken out of its array */
static bool
FollowPath(Jsonb *target, Datum path, Jsonb *variables, JsonbValue *value)
{
	Jsonb	   *items = PathItems(target, path, variables);

	while (JB_ROOT_COUNT(items) == 1)
	{
		*value = *getIthJsonbValueFromContainer(&items->root, 0);
		if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data))
			return true;
		items = JsonbValueToJsonb(value);
	}
	value->type = jbvBinary;
	value->val.binary.data = &items->root;
	value->val.binary.len = VARSIZE(items) - VARHDRSZ;
	return JB_ROOT_COUNT(items) > 0;
}

/* Note what the JSON paths of the form's own lead to */
static void
HearPaths(HeardValues *heard, const Form *form, Jsonb *payload)
{
	Jsonb	   *variables = NULL;
	JsonbValue	value;

	for (int i = 0; i < form->entry_count && form->entries[i].is_own; i++)
	{
		if (form->entries[i].path == 0)
			continue;
		if (variables == NULL)
			variables = PathVariables(NULL);
		if (FollowPath(payload, form->entries[i].path, variables, &value) && value.type != jbvNull)
			HearValue(heard, form, i, false, &value);
	}
}

/* Note the names and values that the payload keeps as objects in a list */
static void
HearPairs(HeardValues *heard, const Form *form, Jsonb *payload)
{
	Jsonb	   *variables = form->pairs_count > 0 ? PathVariables(payload) : NULL;

	for (int p = 0; p < form->pairs_count; p++)
	{
		const FormPairs *pairs = &form->pairs[p];
		Jsonb	   *items = PathItems(payload, pairs->path, variables);
		int			count = JB_ROOT_COUNT(items);

		for (int i = 0; i < count; i++)
		{
			JsonbValue *item = getIthJsonbValueFromContainer(&items->root, i);
			Jsonb	   *pair = JsonbValueToJsonb(item);
			JsonbValue	name;
			JsonbValue	value;

			CHECK_FOR_INTERRUPTS();
			if (!FollowPath(pair, pairs->name, variables, &name) || !FollowPath(pair, pairs->value, variables, &value))
				continue;
			if (name.type == jbvNumeric)
			{
				name.val.string.val = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(name.val.numeric)));
				name.val.string.len = strlen(name.val.string.val);
			}
			else if (name.type != jbvString)
				continue;
			HearName(heard, form, name.val.string.val, name.val.string.len, &value);
		}
	}
}

/* Go through what the payload brings, in the order in which the form prefers it */
static void
ReadPayload(const WorkspaceConfig *config, CaptureRecord *record)
{
	const Form *form = record->form;
	JsonbParseState *states[ENTITY_COUNT] = {NULL};
	HeardValues heard = {0, 32, palloc(sizeof(HeardValue) * 32)};
	Bitmapset  *seen = NULL;
	Bitmapset  *attributes = NULL;

	HearMembers(&heard, form, record->payload);
	HearPaths(&heard, form, record->payload);
	HearPairs(&heard, form, record->payload);
	qsort(heard.items, heard.count, sizeof(HeardValue), CompareHeardValues);
	for (int i = 0; i < heard.count; i++)
	{
		const FormEntry *entry = heard.items[i].entry;
		JsonbValue *value = &heard.items[i].value;
		char	   *text;

		if (entry->custom)
		{
			int			number = entry->custom - config->fields;

			if (!bms_is_member(number, attributes) && ReadAttribute(record, entry->custom, value, states))
				attributes = bms_add_member(attributes, number);
			continue;
		}
		if (bms_is_member(entry->field, seen))
			continue;
		if (value->type == jbvBinary)
		{
			InvalidValue(record, FieldDefs[entry->field].name, CODE_INVALID_TYPE, NULL,
						 "an object or array where a single value is expected");
			seen = bms_add_member(seen, entry->field);
			continue;
		}
		if ((text = ValueText(form, value)) == NULL)
			continue;
		seen = bms_add_member(seen, entry->field);
		ReadField(record, entry->field, text);
	}
	for (int e = 0; e < ENTITY_COUNT; e++)
		if (states[e])
			record->attributes[e] = JsonbValueToJsonb(pushJsonbValue(&states[e], WJB_END_OBJECT, NULL));
	for (int f = 0; f < FIELD_COUNT; f++)
		if (form->defaults[f] && !bms_is_member(f, seen))
			ReadField(record, f, pstrdup(form->defaults[f]));
	ReadPhone(record);
	for (int i = 0; i < form->required_count; i++)
	{
		const FormEntry *required = &form->required[i];

		if (required->custom ? HasAttribute(record, required->custom) : record->values[required->field] != NULL)
			continue;
		if (required->field >= 0 && bms_is_member(required->field, seen) && record->status)
			continue;			/* complained of already */
		RecordReason(record, required->incoming, "required_missing", NULL, "required by the form", true);
	}
}

/* Look names up in the workspace's vocabularies */
static void
ReadVocabularies(WorkspaceConfig *config, CaptureRecord *record)
{
	char	   *campaign = record->values[FIELD_CAMPAIGN];
	char	   *source = record->values[FIELD_SOURCE];

	if (campaign && (record->campaign = ConfigCampaign(config, campaign)) == NULL)
		RecordReason(record, "campaign", "unknown_campaign", campaign, "no campaign of this name", false);
	if (source && !ConfigSource(config, source))
	{
		RecordReason(record, "source", "unknown_source", source, "no lead source of this name", false);
		record->values[FIELD_SOURCE] = NULL;
	}
	if (record->values[FIELD_KIND] == NULL)
		record->values[FIELD_KIND] = "form_submit";
	record->kind = ConfigInteractionKind(config, record->values[FIELD_KIND]);
	if (record->values[FIELD_CHANNEL] == NULL)
		record->values[FIELD_CHANNEL] = "other";
}

/* Get the id of a person or company in the system that the form's ids are of */
static char *
SourceId(const CaptureRecord *record, const char *id)
{
	return id ? psprintf("%s:%s", RecordSystem(record), id) : NULL;
}

/* Put together what the record says of a company */
static void
ReadCompany(MatchConfig *matching, CaptureRecord *record)
{
	EntityRecord *company = &record->company;
	char	  **values = record->values;
	char	   *email = values[FIELD_EMAIL];
	const char *domain = email ? strrchr(email, '@') + 1 : NULL;

	company->policy = record->form->contact_update;
	company->trust = record->person.trust;
	company->strategies = MatchStrategies(matching, record->form, ENTITY_ACCOUNT);
	company->attributes = record->attributes[ENTITY_ACCOUNT];
	company->values[ACCOUNT_NAME] = values[FIELD_COMPANY];
	if (domain && record->person.keys[CONTACT_KEY_EMAIL] && !EmailDomainIsFree(domain, strlen(domain)))
		company->values[ACCOUNT_DOMAIN] = pstrdup(domain);
	company->values[ACCOUNT_WEBSITE] = values[FIELD_WEBSITE];
	company->values[ACCOUNT_INDUSTRY] = values[FIELD_INDUSTRY];
	company->values[ACCOUNT_EMPLOYEES] = values[FIELD_EMPLOYEES];
	company->values[ACCOUNT_ANNUAL_REVENUE] = values[FIELD_ANNUAL_REVENUE];
	company->values[ACCOUNT_SOURCE_ID] = SourceId(record, values[FIELD_COMPANY_SOURCE_ID]);
	IdentityKeys(matching, ENTITY_ACCOUNT, company);

	/* For want of a name, or where the one given names nobody, it is called by its domain */
	if (company->keys[ACCOUNT_KEY_NAME] == NULL && company->values[ACCOUNT_DOMAIN])
		company->values[ACCOUNT_NAME] = company->values[ACCOUNT_DOMAIN];
}

/* Put together what the record says of a person */
static void
ReadPerson(MatchConfig *matching, WorkspaceConfig *config, CaptureRecord *record)
{
	static const FieldId columns[CONTACT_COLUMN_COUNT] = {
		FIELD_FULL_NAME, FIELD_GIVEN_NAME, FIELD_FAMILY_NAME, FIELD_EMAIL, FIELD_PHONE, FIELD_JOB_TITLE,
		FIELD_STREET, FIELD_CITY, FIELD_REGION, FIELD_POSTAL_CODE, FIELD_COUNTRY, FIELD_LANGUAGE, FIELD_SOURCE
	};
	EntityRecord *person = &record->person;
	char	  **values = record->values;
	LeadSource *source = values[FIELD_SOURCE] ? ConfigSource(config, values[FIELD_SOURCE]) : NULL;

	person->policy = record->form->contact_update;
	person->trust = source ? source->trust : 0;
	person->strategies = MatchStrategies(matching, record->form, ENTITY_CONTACT);
	person->attributes = record->attributes[ENTITY_CONTACT];
	person->decided = record->decided_contact;
	person->refused_count = record->refused_count;
	person->refused = record->refused;
	if (values[FIELD_FULL_NAME] == NULL && (values[FIELD_GIVEN_NAME] || values[FIELD_FAMILY_NAME]))
		values[FIELD_FULL_NAME] = values[FIELD_GIVEN_NAME] && values[FIELD_FAMILY_NAME] ?
			psprintf("%s %s", values[FIELD_GIVEN_NAME], values[FIELD_FAMILY_NAME]) :
			values[FIELD_GIVEN_NAME] ? values[FIELD_GIVEN_NAME] : values[FIELD_FAMILY_NAME];
	for (int c = 0; c < CONTACT_COLUMN_COUNT; c++)
		person->values[c] = values[columns[c]];
	person->values[CONTACT_SOURCE_ID] = SourceId(record, values[FIELD_SOURCE_ID]);
	person->values[CONTACT_VISITOR] = values[FIELD_VISITOR];
	person->company = values[FIELD_COMPANY];
	IdentityKeys(matching, ENTITY_CONTACT, person);
}

/* Put together what the record says of a person and a company, and what identifies them */
static void
Identify(MatchConfig *matching, WorkspaceConfig *config, CaptureRecord *record)
{
	ReadPerson(matching, config, record);
	ReadCompany(matching, record);
}

/* Does anything tell who the record is from? */
static bool
HasIdentity(MatchConfig *matching, const CaptureRecord *record)
{
	if (ContactOps.may_be_new(&record->person) || record->values[FIELD_VISITOR])
		return true;
	if (!record->form->makes_account)
		return false;
	for (int k = 0; k < matching->kind_count[ENTITY_ACCOUNT]; k++)
		if (record->company.keys[k])
			return true;
	return false;
}

/*
 * Read a profile as the payload of a submission would be; what cannot be read
 * in it is left out
 */
void
RecordReadProfile(Workspace *ws, WorkspaceConfig *config, CaptureRecord *record)
{
	Form	   *lenient = palloc(sizeof(Form));

	initStringInfo(&record->reasons);
	*lenient = *record->form;
	lenient->drops_invalid = true;
	lenient->required_count = 0;
	record->form = lenient;
	ReadPayload(config, record);
	ReadVocabularies(config, record);
	Identify(MatchGetConfig(ws, config), config, record);
}

/* Read a submission: its form, payload and values, or the reasons why not */
void
RecordRead(Workspace *ws, WorkspaceConfig *config, CaptureRecord *record)
{
	MatchConfig *matching = MatchGetConfig(ws, config);
	char	   *id;

	if (record->status)
		return;					/* its bytes could not be decoded */
	record->occurred_at = record->received_at;
	record->form = ConfigForm(config, record->form_name);
	if (record->form == NULL || !record->form->is_active)
	{
		RecordReason(record, "form", record->form ? "inactive_form" : "unknown_form", record->form_name,
					 record->form ? "the form is not active" : "no form of this name", true);
		return;
	}
	if (record->form->vendor && !record->form->vendor->is_active)
	{
		RecordReason(record, "vendor", "inactive_vendor", record->form->vendor->name, "the vendor is not active", true);
		return;
	}
	if (record->payload == NULL || (JB_ROOT_IS_OBJECT(record->payload) && JB_ROOT_COUNT(record->payload) == 0))
	{
		RecordReason(record, NULL, "empty_payload", NULL, "nothing was submitted", true);
		return;
	}
	if (!JB_ROOT_IS_OBJECT(record->payload))
	{
		RecordReason(record, NULL, "not_an_object", NULL, "the payload is not a JSON object", true);
		return;
	}
	if (VARSIZE(record->payload) > record->form->maximum_bytes)
	{
		RecordReason(record, NULL, "payload_too_large", NULL,
					 psprintf("more than the %d bytes that the form takes", record->form->maximum_bytes), true);
		return;
	}
	ReadPayload(config, record);
	id = record->values[FIELD_EXTERNAL_ID];
	if (id == NULL && record->decoded_id && strlen(record->decoded_id) <= CAPTURE_MAX_KEY)
		id = record->decoded_id;
	if (record->external_id == NULL)
		record->external_id = id;
	else if (record->has_decoded)
		record->own_id = id;
	if (record->status)
		return;
	if (record->external_id && strlen(record->external_id) > CAPTURE_MAX_KEY)
	{
		RecordReason(record, "external_id", CODE_TOO_LONG, record->external_id,
					 psprintf("longer than %d bytes", CAPTURE_MAX_KEY), true);
		return;
	}
	ReadVocabularies(config, record);
	Identify(matching, config, record);
	if (!HasIdentity(matching, record))
		RecordReason(record, NULL, "no_identity", NULL,
					 "nothing tells who this is from: no e-mail address, phone number, source id, visitor or company", true);
}
