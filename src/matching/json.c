/*
 * Reading jsonb documents, and writing them.
 */
#include "postgres.h"

#include "common/shortest_dec.h"
#include "matching/json.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/float.h"
#include "utils/json.h"
#include "utils/numeric.h"

/* Complain of a member of the wrong type */
pg_attribute_noreturn() static void
WrongType(const char *name, const char *wanted)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("\"%s\" of the model is not %s", name, wanted)));
}

/* Find a member of an object that is not null */
static JsonbValue *
FindMember(JsonbContainer *object, const char *name, JsonbValue *value)
{
	if (object == NULL || !JsonContainerIsObject(object) ||
		getKeyJsonValueFromContainer(object, name, strlen(name), value) == NULL ||
		value->type == jbvNull)
		return NULL;
	return value;
}

/* Get a number as double precision */
static double
NumericToDouble(Numeric numeric)
{
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(numeric)));
}

/* Get a member that is an object or an array; NULL when it is not given */
JsonbContainer *
JsonMember(JsonbContainer *object, const char *name, bool is_array)
{
	JsonbValue	value;

	if (FindMember(object, name, &value) == NULL)
		return NULL;
	if (value.type != jbvBinary || JsonContainerIsArray(value.val.binary.data) != is_array)
		WrongType(name, is_array ? "an array" : "an object");
	return value.val.binary.data;
}

/* Get a member that is a text; NULL when it is not given */
char *
JsonText(JsonbContainer *object, const char *name)
{
	JsonbValue	value;

	if (FindMember(object, name, &value) == NULL)
		return NULL;
	if (value.type != jbvString)
		WrongType(name, "a string");
	return pnstrdup(value.val.string.val, value.val.string.len);
}

/* Get a member as text whatever it is; NULL when it is not given */
char *
JsonAnyText(JsonbContainer *object, const char *name)
{
	JsonbValue	value;

	if (FindMember(object, name, &value) == NULL)
		return NULL;
	switch (value.type)
	{
		case jbvString:
			return pnstrdup(value.val.string.val, value.val.string.len);
		case jbvNumeric:
			return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value.val.numeric)));
		case jbvBool:
			return pstrdup(value.val.boolean ? "true" : "false");
		default:
			return NULL;
	}
}

/* Get a member that is a number */
double
JsonNumber(JsonbContainer *object, const char *name, double otherwise)
{
	JsonbValue	value;

	if (FindMember(object, name, &value) == NULL)
		return otherwise;
	if (value.type != jbvNumeric)
		WrongType(name, "a number");
	return NumericToDouble(value.val.numeric);
}

/* Get a member that is true or false */
bool
JsonBoolean(JsonbContainer *object, const char *name, bool otherwise)
{
	JsonbValue	value;

	if (FindMember(object, name, &value) == NULL)
		return otherwise;
	if (value.type != jbvBool)
		WrongType(name, "true or false");
	return value.val.boolean;
}

/* Count the elements of an array; none when there is no array */
int
JsonLength(JsonbContainer *array)
{
	return array ? JsonContainerSize(array) : 0;
}

/* Get an element that is an object or an array itself */
JsonbContainer *
JsonElement(JsonbContainer *array, int index, const char *what)
{
	JsonbValue *value = getIthJsonbValueFromContainer(array, index);

	if (value == NULL || value->type != jbvBinary)
		WrongType(what, "an array of objects");
	return value->val.binary.data;
}

/* Get an element that is a text */
char *
JsonElementText(JsonbContainer *array, int index, const char *what)
{
	JsonbValue *value = getIthJsonbValueFromContainer(array, index);

	if (value == NULL || value->type != jbvString)
		WrongType(what, "an array of strings");
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/* Get an element that is a number */
double
JsonElementNumber(JsonbContainer *array, int index, const char *what)
{
	JsonbValue *value = getIthJsonbValueFromContainer(array, index);

	if (value == NULL || value->type != jbvNumeric)
		WrongType(what, "an array of numbers");
	return NumericToDouble(value->val.numeric);
}

/* Get the members of an object whose values are numbers; returns how many */
int
JsonNumbersByName(JsonbContainer *object, char ***names, double **numbers)
{
	JsonbIterator *iterator;
	JsonbValue	value;
	JsonbIteratorToken token;
	int			count = 0;

	*names = NULL;
	*numbers = NULL;
	if (object == NULL || JsonContainerSize(object) == 0)
		return 0;
	*names = palloc(sizeof(char *) * JsonContainerSize(object));
	*numbers = palloc(sizeof(double) * JsonContainerSize(object));
	iterator = JsonbIteratorInit(object);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
		if (token == WJB_KEY)
			(*names)[count] = pnstrdup(value.val.string.val, value.val.string.len);
		else if (token == WJB_VALUE)
		{
			if (value.type != jbvNumeric)
				WrongType((*names)[count], "a number");
			(*numbers)[count++] = NumericToDouble(value.val.numeric);
		}
	return count;
}

/* Append the name of a member, with a comma before it unless it is the first */
static void
AppendName(StringInfo out, const char *name)
{
	char		last = out->len > 0 ? out->data[out->len - 1] : '{';

	if (last != '{' && last != '[')
		appendStringInfoString(out, ", ");
	if (name)
	{
		escape_json(out, name);
		appendStringInfoString(out, ": ");
	}
}

/* Append a member that is a text, null when there is none; an element when it has no name */
void
AppendJsonText(StringInfo out, const char *name, const char *value)
{
	AppendName(out, name);
	if (value)
		escape_json(out, value);
	else
		appendStringInfoString(out, "null");
}

/* Append a member that is a number, to the last digit; an element when it has no name */
void
AppendJsonNumber(StringInfo out, const char *name, double value)
{
	char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	/* What reads back as the same number, whatever the session prints */
	double_to_shortest_decimal_buf(value, digits);
	AppendName(out, name);
	appendStringInfoString(out, digits);
}
