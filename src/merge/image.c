/*
 * Row images: a row as a JSON object of its columns, in a form from which
 * exactly that row can be made again.
 *
 * Numbers, truth values and JSON documents stay what they are, so that people
 * can read an image; every other type is written through its own output
 * function and read through its input function.  to_jsonb() would not do: it
 * sends some types through casts to json that nothing reads back, and a JSON
 * null in a column could not be told from no value.  Generated columns are
 * left out, as they cannot be written.  The settings that output depends on are
 * fixed by the function, so that equal rows have equal images.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/typcache.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* How a column is written or read, kept from call to call */
typedef struct ImageColumn
{
	bool		is_left_out;	/* dropped or generated */
	Oid			type;
	FmgrInfo	function;
	Oid			io_parameter;
} ImageColumn;

typedef struct ImageRow
{
	Oid			type;
	int32		typmod;
	TupleDesc	desc;
	ImageColumn columns[FLEXIBLE_ARRAY_MEMBER];
} ImageRow;

/* Get what is known of a row type, looking it up the first time */
static ImageRow *
RowOf(FunctionCallInfo fcinfo, Oid type, int32 typmod, bool reads)
{
	ImageRow   *row = fcinfo->flinfo->fn_extra;
	MemoryContext old;
	TupleDesc	desc;

	if (row && row->type == type && row->typmod == typmod)
		return row;
	old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	desc = lookup_rowtype_tupdesc_copy(type, typmod);
	row = palloc0(offsetof(ImageRow, columns) + sizeof(ImageColumn) * desc->natts);
	row->type = type;
	row->typmod = typmod;
	row->desc = desc;
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		ImageColumn *column = &row->columns[i];
		Oid			function;
		bool		is_varlena;

		column->is_left_out = attribute->attisdropped || attribute->attgenerated != '\0';
		if (column->is_left_out)
			continue;
		column->type = getBaseType(attribute->atttypid);
		if (reads)
			getTypeInputInfo(attribute->atttypid, &function, &column->io_parameter);
		else
			getTypeOutputInfo(attribute->atttypid, &function, &is_varlena);
		fmgr_info_cxt(function, &column->function, fcinfo->flinfo->fn_mcxt);
	}
	MemoryContextSwitchTo(old);
	fcinfo->flinfo->fn_extra = row;
	return row;
}

/* Add a text to an object under construction */
static void
PushText(JsonbParseState **state, JsonbIteratorToken token, char *text)
{
	JsonbValue	value;

	value.type = jbvString;
	value.val.string.val = text;
	value.val.string.len = strlen(text);
	pushJsonbValue(state, token, &value);
}

/* Add a column's value to an object under construction */
static void
PushValue(JsonbParseState **state, ImageColumn *column, Datum datum)
{
	JsonbValue	value;
	char	   *text;

	switch (column->type)
	{
		case BOOLOID:
			value.type = jbvBool;
			value.val.boolean = DatumGetBool(datum);
			pushJsonbValue(state, WJB_VALUE, &value);
			return;
		case JSONBOID:
			{
				Jsonb	   *document = DatumGetJsonbP(datum);

				if (JB_ROOT_IS_SCALAR(document))
					break;
				JsonbToJsonbValue(document, &value);
				pushJsonbValue(state, WJB_VALUE, &value);
				return;
			}
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case NUMERICOID:
		case FLOAT4OID:
		case FLOAT8OID:
			text = OutputFunctionCall(&column->function, datum);
			if (strpbrk(text, "nNe") != NULL || strcmp(text, "-0") == 0)	/* NaN, Infinity, 1e+300 */
			{
				PushText(state, WJB_VALUE, text);
				return;
			}
			value.type = jbvNumeric;
			value.val.numeric = DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(text),
																	ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
			pushJsonbValue(state, WJB_VALUE, &value);
			return;
		default:
			break;
	}
	PushText(state, WJB_VALUE, OutputFunctionCall(&column->function, datum));
}

PG_FUNCTION_INFO_V1(row_image);
/* Get a row as a JSON object that it can be made from again */
Datum
row_image(PG_FUNCTION_ARGS)
{
	HeapTupleHeader record = PG_GETARG_HEAPTUPLEHEADER(0);
	ImageRow   *row = RowOf(fcinfo, HeapTupleHeaderGetTypeId(record), HeapTupleHeaderGetTypMod(record), false);
	HeapTupleData tuple = {0};
	JsonbParseState *state = NULL;
	Datum	   *values = palloc(sizeof(Datum) * Max(row->desc->natts, 1));
	bool	   *nulls = palloc(sizeof(bool) * Max(row->desc->natts, 1));

	tuple.t_len = HeapTupleHeaderGetDatumLength(record);
	tuple.t_data = record;
	heap_deform_tuple(&tuple, row->desc, values, nulls);
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < row->desc->natts; i++)
	{
		if (row->columns[i].is_left_out)
			continue;
		PushText(&state, WJB_KEY, NameStr(TupleDescAttr(row->desc, i)->attname));
		if (nulls[i])
		{
			JsonbValue	null = {.type = jbvNull};

			pushJsonbValue(&state, WJB_VALUE, &null);
		}
		else
			PushValue(&state, &row->columns[i], values[i]);
	}
	PG_RETURN_JSONB_P(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}

/* Read a column's value from an image */
static Datum
ReadValue(ImageColumn *column, int32 typmod, JsonbValue *value)
{
	char	   *text;

	if (column->type == JSONBOID && value->type != jbvString)
		return JsonbPGetDatum(JsonbValueToJsonb(value));
	switch (value->type)
	{
		case jbvString:
			text = pnstrdup(value->val.string.val, value->val.string.len);
			break;
		case jbvBool:
			text = value->val.boolean ? "true" : "false";
			break;
		case jbvNumeric:
			text = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
			break;
		default:
			{
				Jsonb	   *document = JsonbValueToJsonb(value);

				text = JsonbToCString(NULL, &document->root, VARSIZE(document));
			}
	}
	return InputFunctionCall(&column->function, text, column->io_parameter, typmod);
}

PG_FUNCTION_INFO_V1(row_of_image);
/* Make a row of the type of the first argument from its image */
Datum
row_of_image(PG_FUNCTION_ARGS)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, 0);
	Jsonb	   *image;
	ImageRow   *row;
	Datum	   *values;
	bool	   *nulls;

	if (!type_is_rowtype(type))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("type %s is not a row type", format_type_be(type))));
	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	image = PG_GETARG_JSONB_P(1);
	if (!JB_ROOT_IS_OBJECT(image))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the image of a row is a JSON object")));
	row = RowOf(fcinfo, getBaseType(type), -1, true);
	values = palloc0(sizeof(Datum) * Max(row->desc->natts, 1));
	nulls = palloc(sizeof(bool) * Max(row->desc->natts, 1));
	for (int i = 0; i < row->desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(row->desc, i);
		JsonbValue	found;

		nulls[i] = true;
		if (row->columns[i].is_left_out ||
			getKeyJsonValueFromContainer(&image->root, NameStr(attribute->attname),
										 strlen(NameStr(attribute->attname)), &found) == NULL ||
			found.type == jbvNull)
			continue;
		values[i] = ReadValue(&row->columns[i], attribute->atttypmod, &found);
		nulls[i] = false;
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(row->desc, values, nulls)));
}
