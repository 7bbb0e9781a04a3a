/*
 * Reading values: numbers, truth values, times, custom attributes.
 */
#include "postgres.h"

#include <ctype.h>

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "workspace/values.h"

/* Longest text of a date or time worth decoding */
#define TIME_MAX_LENGTH 64

/* Digits of a count since 1970 in this century and the next */
#define EPOCH_SECONDS_DIGITS 10
#define EPOCH_MILLISECONDS_DIGITS 13

/* Longest text of an attribute, in bytes */
#define ATTRIBUTE_MAX_BYTES 10000

/* Is this a decimal number of a size that numeric and indexes can bear? */
bool
ReadNumber(const char *text)
{
	int			digits = 0;

	if (*text == '-' || *text == '+')
		text++;
	for (; isdigit((unsigned char) *text); text++)
		if (++digits > NUMBER_MAX_DIGITS)
			return false;
	if (*text == '.')
	{
		int			decimals = 0;

		for (text++; isdigit((unsigned char) *text); text++)
			if (++decimals > NUMBER_MAX_DIGITS)
				return false;
		digits += decimals;
	}
	return digits > 0 && *text == '\0';
}

/* Read an integer; a fraction of zeros is none */
bool
ReadInteger(const char *text, int32 *value)
{
	int64		sum = 0;
	bool		negative = *text == '-';

	if (!ReadNumber(text))
		return false;
	if (*text == '-' || *text == '+')
		text++;
	for (; isdigit((unsigned char) *text); text++)
	{
		sum = sum * 10 + (*text - '0');
		if (sum > PG_INT32_MAX)
			return false;
	}
	if (*text == '.')
		for (text++; *text; text++)
			if (*text != '0')
				return false;
	*value = (int32) (negative ? -sum : sum);
	return true;
}

/* Read a truth value as forms send it */
bool
ReadBoolean(const char *text, bool *value)
{
	if (pg_strcasecmp(text, "checked") == 0)
	{
		*value = true;
		return true;
	}
	return parse_bool(text, value);
}

/* Decode a date or time without raising an error */
static bool
DecodeTime(const char *text, struct pg_tm *tm, fsec_t *fsec, int *tz, int *dtype)
{
	char		work[MAXDATELEN + MAXDATEFIELDS];
	char	   *field[MAXDATEFIELDS];
	int			ftype[MAXDATEFIELDS];
	int			nf;
#if PG_VERSION_NUM >= 160000
	DateTimeErrorExtra extra;
#endif

	if (strlen(text) > TIME_MAX_LENGTH)
		return false;
	if (ParseDateTime(text, work, sizeof(work), field, ftype, MAXDATEFIELDS, &nf) != 0)
		return false;
#if PG_VERSION_NUM >= 160000
	return DecodeDateTime(field, ftype, nf, dtype, tm, fsec, tz, &extra) == 0;
#else
	return DecodeDateTime(field, ftype, nf, dtype, tm, fsec, tz) == 0;
#endif
}

/*
 * Read a point in time, ISO 8601 or whatever the server's input takes, or the
 * seconds or milliseconds since 1970 that webhooks send; no infinity
 */
bool
ReadTimestamp(const char *text, TimestampTz *value)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			tz;
	int			dtype;
	size_t		digits = strspn(text, "0123456789");

	if ((digits == EPOCH_SECONDS_DIGITS || digits == EPOCH_MILLISECONDS_DIGITS) && text[digits] == '\0')
	{
		int64		count = strtoll(text, NULL, 10);

		*value = (digits == EPOCH_SECONDS_DIGITS ? count * USECS_PER_SEC : count * 1000) -
			(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
		return true;
	}

	return DecodeTime(text, &tm, &fsec, &tz, &dtype) && dtype == DTK_DATE &&
		tm2timestamp(&tm, fsec, &tz, value) == 0;
}

/* Read a date */
bool
ReadDate(const char *text, DateADT *value)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			tz;
	int			dtype;

	if (!DecodeTime(text, &tm, &fsec, &tz, &dtype) || dtype != DTK_DATE ||
		!IS_VALID_JULIAN(tm.tm_year, tm.tm_mon, tm.tm_mday))
		return false;
	*value = date2j(tm.tm_year, tm.tm_mon, tm.tm_mday) - POSTGRES_EPOCH_JDATE;
	return IS_VALID_DATE(*value);
}

/* Is the text one of the options of a choice? */
static bool
IsOption(const CustomField *field, const JsonbValue *value)
{
	if (value->type != jbvString)
		return false;
	for (int i = 0; i < field->option_count; i++)
		if (strlen(field->options[i]) == value->val.string.len &&
			memcmp(field->options[i], value->val.string.val, value->val.string.len) == 0)
			return true;
	return false;
}

/* Get the text of a scalar */
static char *
ScalarText(const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvString:
			return pnstrdup(value->val.string.val, value->val.string.len);
		case jbvNumeric:
			return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
		case jbvBool:
			return pstrdup(value->val.boolean ? "true" : "false");
		default:
			return NULL;
	}
}

/*
 * Read the value of a custom attribute.  Returns NULL, or the code of what is
 * wrong with it.  When strict, a value must already have the field's JSON
 * type; otherwise texts are converted, as forms send everything as text.
 */
const char *
AttributeRead(const CustomField *field, const JsonbValue *input, bool strict, JsonbValue *output)
{
	char	   *text;
	DateADT		date;
	TimestampTz time;
	int32		integer;
	bool		truth;

	*output = *input;
	if (input->type == jbvNull)
		return NULL;
	if (field->type == ATTRIBUTE_CHOICES)
	{
		JsonbIterator *it;
		JsonbValue	element;
		JsonbIteratorToken token;

		if (input->type == jbvString && !strict)
		{
			JsonbParseState *state = NULL;

			if (!IsOption(field, input))
				return CODE_NOT_AN_OPTION;
			element = *input;
			pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
			pushJsonbValue(&state, WJB_ELEM, &element);
			JsonbToJsonbValue(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL)), output);
			return NULL;
		}
		if (input->type != jbvBinary)
			return CODE_INVALID_TYPE;
		it = JsonbIteratorInit(input->val.binary.data);
		if (JsonbIteratorNext(&it, &element, true) != WJB_BEGIN_ARRAY)
			return CODE_INVALID_TYPE;
		while ((token = JsonbIteratorNext(&it, &element, true)) != WJB_DONE)
			if (token == WJB_ELEM && !IsOption(field, &element))
				return CODE_NOT_AN_OPTION;
		return NULL;
	}
	if ((text = ScalarText(input)) == NULL)
		return CODE_INVALID_TYPE;
	if (strlen(text) > ATTRIBUTE_MAX_BYTES)
		return CODE_TOO_LONG;
	switch (field->type)
	{
		case ATTRIBUTE_TEXT:
			if (strict && input->type != jbvString)
				return CODE_INVALID_TYPE;
			break;
		case ATTRIBUTE_INTEGER:
		case ATTRIBUTE_NUMBER:
			if (strict && input->type != jbvNumeric)
				return CODE_INVALID_TYPE;
			if (field->type == ATTRIBUTE_INTEGER ? !ReadInteger(text, &integer) : !ReadNumber(text))
				return CODE_INVALID_NUMBER;
			output->type = jbvNumeric;
			output->val.numeric = DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(text),
																	  ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
			return NULL;
		case ATTRIBUTE_BOOLEAN:
			if (strict && input->type != jbvBool)
				return CODE_INVALID_TYPE;
			if (!ReadBoolean(text, &truth))
				return CODE_INVALID_BOOLEAN;
			output->type = jbvBool;
			output->val.boolean = truth;
			return NULL;
		case ATTRIBUTE_DATE:
			if (input->type != jbvString || !ReadDate(text, &date))
				return CODE_INVALID_DATE;
			break;
		case ATTRIBUTE_TIMESTAMP:
			if (input->type != jbvString || !ReadTimestamp(text, &time))
				return CODE_INVALID_DATE;
			break;
		case ATTRIBUTE_CHOICE:
			if (!IsOption(field, input))
				return CODE_NOT_AN_OPTION;
			return NULL;
		case ATTRIBUTE_CHOICES:
			break;
	}
	output->type = jbvString;
	output->val.string.val = text;
	output->val.string.len = strlen(text);
	return NULL;
}

/* Get as much of a value as belongs in a message */
static char *
Quoted(char *text)
{
	if (text == NULL)
		return "not a scalar";
	return psprintf("%.*s", pg_mbcliplen(text, strlen(text), 100), text);
}

/* Do attributes hold a value for a field? */
static bool
HasValue(Jsonb *attributes, const CustomField *field)
{
	JsonbValue	found;

	return getKeyJsonValueFromContainer(&attributes->root, field->name, strlen(field->name), &found) != NULL &&
		found.type != jbvNull;
}

/*
 * Check the attributes column of a row that a client writes.  What was stored
 * under a field that has been dropped since is let be, and a required value
 * that the row lacked before may go on lacking.
 */
void
AttributesCheck(WorkspaceConfig *config, EntityKind entity, Jsonb *attributes, Jsonb *before)
{
	JsonbIterator *it = JsonbIteratorInit(&attributes->root);
	JsonbValue	v;
	JsonbIteratorToken token;
	CustomField *field = NULL;
	int			present = 0;
	int			required = 0;

	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			field = ConfigField(config, entity, v.val.string.val, v.val.string.len);
			if (field == NULL)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("%s has no custom attribute \"%.*s\"", EntityNames[entity],
								v.val.string.len, v.val.string.val),
						 errhint("Define it with define_field(), or correct the name.")));
		}
		else if (token == WJB_VALUE && field->is_active)
		{
			JsonbValue	output;
			const char *code = AttributeRead(field, &v, true, &output);

			if (code)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("invalid value for the custom attribute \"%s\" of %s: %s",
								field->name, EntityNames[entity], code),
						 errdetail("The value is %s.", Quoted(ScalarText(&v)))));
			if (field->is_required && v.type != jbvNull)
				present++;
		}
	}
	for (int i = 0; i < config->field_count; i++)
		required += config->fields[i].entity == entity && config->fields[i].is_required && config->fields[i].is_active;
	if (present < required)
		for (int i = 0; i < config->field_count; i++)
		{
			field = &config->fields[i];
			if (field->entity == entity && field->is_required && field->is_active)
			{
				if (!HasValue(attributes, field) && (before == NULL || HasValue(before, field)))
					ereport(ERROR,
							(errcode(ERRCODE_NOT_NULL_VIOLATION),
							 errmsg("the custom attribute \"%s\" of %s is required", field->name, EntityNames[entity])));
			}
		}
}
