/*
 * The fields that rules compare, their normal forms, and the keys made of
 * them.
 *
 * A key is the normal forms of its fields joined by |.  It exists only when
 * none of them is blank, and values that identify nobody count as blank.
 */
#include "postgres.h"

#include "common/cryptohash.h"
#include "common/sha2.h"
#include "matching/identity.h"
#include "matching/strategy.h"
#include "normalise/normalise.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

const MatchField MatchFields[] = {
	{ENTITY_CONTACT, "source_id", CONTACT_SOURCE_ID, FORM_AS_IS, true, "external"},
	{ENTITY_CONTACT, "email", CONTACT_EMAIL, FORM_AS_IS, true, "email"},
	{ENTITY_CONTACT, "phone", CONTACT_PHONE, FORM_AS_IS, true, "phone"},
	{ENTITY_CONTACT, "visitor", CONTACT_VISITOR, FORM_AS_IS, true, "visitor"},
	{ENTITY_CONTACT, "full_name", CONTACT_FULL_NAME, FORM_PERSON_NAME, true, NULL},
	{ENTITY_CONTACT, "given_name", CONTACT_GIVEN_NAME, FORM_GIVEN_NAME, true, NULL},
	{ENTITY_CONTACT, "family_name", CONTACT_FAMILY_NAME, FORM_FAMILY_NAME, true, NULL},
	{ENTITY_CONTACT, "job_title", CONTACT_JOB_TITLE, FORM_FOLD, true, NULL},
	{ENTITY_CONTACT, "street", CONTACT_STREET, FORM_ADDRESS, true, NULL},
	{ENTITY_CONTACT, "city", CONTACT_CITY, FORM_FOLD, true, NULL},
	{ENTITY_CONTACT, "region", CONTACT_REGION, FORM_FOLD, true, NULL},
	{ENTITY_CONTACT, "postal_code", CONTACT_POSTAL_CODE, FORM_POSTCODE, true, NULL},
	{ENTITY_CONTACT, "country", CONTACT_COUNTRY, FORM_FOLD, true, NULL},
	{ENTITY_CONTACT, "language", CONTACT_LANGUAGE, FORM_FOLD, true, NULL},
	{ENTITY_CONTACT, "account", MATCH_ACCOUNT_COLUMN, FORM_AS_IS, false, NULL},
	{ENTITY_CONTACT, MATCH_ATTRIBUTES, MATCH_NO_COLUMN, FORM_FOLD, true, NULL},
	{ENTITY_ACCOUNT, "company_source_id", ACCOUNT_SOURCE_ID, FORM_AS_IS, true, "external"},
	{ENTITY_ACCOUNT, "company_domain", ACCOUNT_DOMAIN, FORM_LOWER, true, "domain"},
	{ENTITY_ACCOUNT, "company", ACCOUNT_NAME, FORM_ORGANISATION, true, "name"},
	{ENTITY_ACCOUNT, "website", ACCOUNT_WEBSITE, FORM_FOLD, true, NULL},
	{ENTITY_ACCOUNT, "industry", ACCOUNT_INDUSTRY, FORM_FOLD, true, NULL},
	{ENTITY_ACCOUNT, MATCH_ATTRIBUTES, MATCH_NO_COLUMN, FORM_FOLD, true, NULL},
	{ENTITY_LEAD, "contact", LEAD_MATCH_CONTACT, FORM_AS_IS, true, NULL},
	{ENTITY_LEAD, "context", LEAD_MATCH_CONTEXT, FORM_AS_IS, true, NULL},
	{ENTITY_LEAD, "page", LEAD_MATCH_PAGE, FORM_AS_IS, true, NULL},
	{ENTITY_LEAD, "campaign", LEAD_MATCH_CAMPAIGN, FORM_AS_IS, true, NULL},
	{ENTITY_LEAD, "product", LEAD_MATCH_PRODUCT, FORM_FOLD, true, NULL},
	{ENTITY_LEAD, "title", LEAD_MATCH_TITLE, FORM_FOLD, true, NULL},
	{ENTITY_LEAD, "channel", LEAD_MATCH_CHANNEL, FORM_FOLD, true, NULL},
	{ENTITY_LEAD, "source", LEAD_MATCH_SOURCE, FORM_FOLD, true, NULL},
	{ENTITY_LEAD, MATCH_ATTRIBUTES, MATCH_NO_COLUMN, FORM_FOLD, true, NULL},
};

const int	MatchFieldCount = lengthof(MatchFields);

const ComparatorDef Comparators[COMPARATOR_COUNT] = {
	[COMPARE_EXACT] = {"exact", true, false, "equal in the field's normal form"},
	[COMPARE_EMAIL_KEY] = {"email_key", true, false, "the same mailbox by the provider's rules"},
	[COMPARE_PHONETIC] = {"phonetic", true, false, "pronounced alike (double metaphone)"},
	[COMPARE_GIVEN_NAME] = {"given_name", false, false, "given names of one person: equal, short form or initial"},
	[COMPARE_JARO_WINKLER] = {"jaro_winkler", false, true, "Jaro-Winkler similarity of at least at_least"},
	[COMPARE_DAMERAU_LEVENSHTEIN] = {"damerau_levenshtein", false, true,
	"1 - edits / length of at least at_least, swapping neighbours being one edit"},
	[COMPARE_QGRAM_JACCARD] = {"qgram_jaccard", false, true, "shared share of bigrams of at least at_least"},
	[COMPARE_DIFFERS] = {"differs", false, false, "both have a value, and not the same"},
	[COMPARE_UNLIKE] = {"unlike", false, true,
	"both have a value, not names of one person, and Jaro-Winkler similarity below at_least"},
	[COMPARE_PRESENT] = {"present", false, false, "the record has a value"},
};

/* Find a field by its name; attributes.NAME also gives the name of the attribute */
const MatchField *
MatchFindField(EntityKind entity, const char *name, const char **attribute)
{
	const char *dot = strchr(name, '.');

	*attribute = NULL;
	for (int i = 0; i < MatchFieldCount; i++)
	{
		const MatchField *field = &MatchFields[i];

		if (field->entity != entity)
			continue;
		if (field->column != MATCH_NO_COLUMN)
		{
			if (strcmp(field->name, name) == 0)
				return field;
		}
		else if (dot && dot[1] && strncmp(name, field->name, strlen(field->name)) == 0 &&
				 dot - name == strlen(field->name))
		{
			*attribute = dot + 1;
			return field;
		}
	}
	return NULL;
}

/* Find a comparator by its name */
bool
MatchFindComparator(const char *name, Comparator *comparator)
{
	for (int c = 0; c < COMPARATOR_COUNT; c++)
		if (strcmp(Comparators[c].name, name) == 0)
		{
			*comparator = c;
			return true;
		}
	return false;
}

/* Bring a value into a form; NULL when nothing is left of it */
static char *
NormalText(FieldForm form, const char *value)
{
	StringInfoData out;
	int			len = strlen(value);

	if (form == FORM_AS_IS)
		return len > 0 ? (char *) value : NULL;
	initStringInfo(&out);
	switch (form)
	{
		case FORM_AS_IS:
			break;
		case FORM_LOWER:
			appendBinaryStringInfo(&out, value, len);
			for (char *c = out.data; *c; c++)
				*c = pg_ascii_tolower((unsigned char) *c);
			break;
		case FORM_FOLD:
			FoldText(&out, value, len);
			break;
		case FORM_PERSON_NAME:
			PersonNameKey(&out, value, len);
			break;
		case FORM_GIVEN_NAME:
			GivenNameKey(&out, value, len);
			break;
		case FORM_FAMILY_NAME:
			FamilyNameKey(&out, value, len);
			break;
		case FORM_ORGANISATION:
			OrganisationNameKey(&out, value, len);
			break;
		case FORM_ADDRESS:
			AddressKey(&out, value, len);
			break;
		case FORM_POSTCODE:
			PostcodeKey(&out, value, len);
			break;
	}
	return out.len > 0 ? out.data : NULL;
}

/* Bring a value into the form in which values of the field are equal; NULL for blank */
char *
MatchExactForm(const MatchField *field, const char *value)
{
	return NormalText(field->form, value);
}

/*
 * Bring a value into the form in which a term compares it: the field's normal
 * form, the alias it stands for, and what the comparator makes of that.  NULL
 * for blank, and for values that identify nobody.
 */
char *
MatchNormal(MatchConfig *matching, const MatchTerm *term, const char *value)
{
	const char *canonical;
	char	   *normal;
	StringInfoData out;

	if (value == NULL || (normal = NormalText(term->field->form, value)) == NULL)
		return NULL;
	if (bms_is_member(term->field - MatchFields, matching->marked) &&
		MatchLookUpValue(matching, term, normal, &canonical))
	{
		if (canonical == NULL)
			return NULL;
		normal = (char *) canonical;
	}
	switch (term->comparator)
	{
		case COMPARE_EMAIL_KEY:
			initStringInfo(&out);
			EmailKey(&out, normal, strlen(normal));
			break;
		case COMPARE_PHONETIC:
			initStringInfo(&out);
			PhoneticKey(&out, normal, strlen(normal));
			break;
		default:
			return normal;
	}
	return out.len > 0 ? out.data : NULL;
}

/* Get a given or family name from a full name that came without its parts */
static char *
NamePart(const char *full_name, bool given)
{
	const PersonName *name = PersonNameParts(full_name, strlen(full_name));
	const StringInfoData *part = given ? &name->given : &name->family;

	return part->len > 0 ? pnstrdup(part->data, part->len) : NULL;
}

/* Get the text of a custom attribute, NULL when there is none */
static char *
AttributeText(Jsonb *attributes, const char *name)
{
	JsonbValue	value;

	if (attributes == NULL ||
		getKeyJsonValueFromContainer(&attributes->root, name, strlen(name), &value) == NULL)
		return NULL;
	switch (value.type)
	{
		case jbvString:
			return pnstrdup(value.val.string.val, value.val.string.len);
		case jbvNumeric:
			return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value.val.numeric)));
		case jbvBool:
			return pstrdup(value.val.boolean ? "true" : "false");
		case jbvBinary:
			return JsonbToCString(NULL, value.val.binary.data, value.val.binary.len);
		default:
			return NULL;
	}
}

/* Get the value that a side has for a term, in the form in which it is compared */
char *
MatchTermValue(MatchConfig *matching, const MatchTerm *term, const MatchSide *side)
{
	const MatchField *field = term->field;
	char	   *value;

	if (field->column == MATCH_ACCOUNT_COLUMN)
		return side->account_id ? psprintf(INT64_FORMAT, side->account_id) : NULL;
	if (field->column == MATCH_NO_COLUMN)
		value = AttributeText(side->attributes, term->attribute);
	else
		value = side->values[field->column];
	if (field->form == FORM_ORGANISATION && value && side->values[ACCOUNT_DOMAIN] &&
		strcmp(value, side->values[ACCOUNT_DOMAIN]) == 0)
		return NULL;			/* only called so for want of a name */
	if (value == NULL && (field->form == FORM_GIVEN_NAME || field->form == FORM_FAMILY_NAME) &&
		side->values[CONTACT_FULL_NAME] != NULL && side->values[CONTACT_GIVEN_NAME] == NULL &&
		side->values[CONTACT_FAMILY_NAME] == NULL)
		value = NamePart(side->values[CONTACT_FULL_NAME], field->form == FORM_GIVEN_NAME);
	return MatchNormal(matching, term, value);
}

/* Shorten a key that is too long for an index: # and its SHA-256 */
static char *
HashedKey(const char *key, int len)
{
	pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA256);
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	char	   *text = palloc(PG_SHA256_DIGEST_LENGTH * 2 + 2);

	if (context == NULL || pg_cryptohash_init(context) < 0 ||
		pg_cryptohash_update(context, (const uint8 *) key, len) < 0 ||
		pg_cryptohash_final(context, digest, sizeof(digest)) < 0)
		elog(ERROR, "could not compute SHA-256 of a key");
	pg_cryptohash_free(context);
	text[0] = '#';
	hex_encode((const char *) digest, sizeof(digest), text + 1);
	text[PG_SHA256_DIGEST_LENGTH * 2 + 1] = '\0';
	return text;
}

/* Make the key of a side; NULL when a field that it needs is blank, or all are */
char *
MatchKeyOf(MatchConfig *matching, const MatchTerm *parts, int part_count, const MatchSide *side)
{
	StringInfoData key;
	bool		is_blank = true;

	if (part_count == 1)
	{
		char	   *value = MatchTermValue(matching, &parts[0], side);
		int			len = value ? strlen(value) : 0;

		return len > MATCH_MAX_VALUE ? HashedKey(value, len) : value;
	}
	initStringInfo(&key);
	for (int p = 0; p < part_count; p++)
	{
		char	   *value = MatchTermValue(matching, &parts[p], side);

		if (value == NULL && !parts[p].takes_blank)
			return NULL;
		if (p > 0)
			appendStringInfoChar(&key, '|');
		for (char *c = value; c && *c; c++)
		{
			if (*c == '|' || *c == '\\')
				appendStringInfoChar(&key, '\\');
			appendStringInfoChar(&key, *c);
		}
		is_blank &= value == NULL;
	}
	if (is_blank)
		return NULL;
	return key.len > MATCH_MAX_VALUE ? HashedKey(key.data, key.len) : key.data;
}
