/*
 * Codes of key expressions, worked out from texts, so that an index of any
 * table can hold them.
 *
 * A code is 64 bits: a hash of the transformed parts of the key in the upper
 * half, and 16 bits of each of two refinements below it.  The records of one
 * block are a range of such an index, and where the block is too large, those
 * that agree in the refinements too are a narrower one.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "matching/code.h"
#include "matching/dictionary.h"
#include "normalise/normalise.h"
#include "types/email_core.h"
#include "utils/array.h"
#include "utils/builtins.h"

/* Hash a text to a code, which is never that of none */
static uint32
TextCode(const char *text, int len)
{
	uint32		code = DatumGetUInt32(hash_any((const unsigned char *) text, len));

	return code == CODE_NONE ? 1 : code;
}

/* Hash the letters that a text has, whatever their order and number */
static uint32
LetterSetCode(const char *text, int len)
{
	uint64		letters = 0;

	for (int i = 0; i < len; i++)
		letters |= UINT64CONST(1) << (text[i] & 63);
	return JoinCodes(letters >> 32, (uint32) letters);
}

/* Hash the word that so many words of a text are not longer than; the first of equally long ones */
static uint32
LongWordCode(const char *text, int len, int place)
{
	const char *taken = NULL;
	int			taken_length = len + 1;

	for (int p = 0; p < place; p++)
	{
		const char *best = NULL;
		int			best_length = 0;

		for (int at = 0; at < len;)
		{
			int			end = at;

			while (end < len && text[end] != ' ')
				end++;
			if (end - at > best_length &&
				(end - at < taken_length || (end - at == taken_length && text + at > taken)))
			{
				best = text + at;
				best_length = end - at;
			}
			at = end + 1;
		}
		if (best == NULL)
			return CODE_NONE;
		taken = best;
		taken_length = best_length;
	}
	return TextCode(taken, taken_length);
}

/*
 * Get the code of a value in normal form under a transformation; date is its
 * packed parts if it is a calendar date.  What takes several words into account
 * that are rare is not worked out here, as it depends on other records.
 */
uint32
TransformCode(KeyTransform transform, int length, const char *text, int len, uint32 date, StringInfo scratch)
{
	const char *space = memchr(text, ' ', len);

	switch (transform)
	{
		case TRANSFORM_EXACT:
			return TextCode(text, len);
		case TRANSFORM_DOMAIN:
			return EmailDomainIsFree(text, len) ? CODE_NONE : TextCode(text, len);
		case TRANSFORM_PHONETIC:
		case TRANSFORM_ANY_NAME:
			resetStringInfo(scratch);
			PhoneticKey(scratch, text, space ? space - text : len);
			return scratch->len == 0 ? TextCode(text, len) : TextCode(scratch->data, scratch->len);
		case TRANSFORM_PREFIX:
			return TextCode(text, pg_mbcharcliplen(text, len, length));
		case TRANSFORM_INITIAL:
			return TextCode(text, pg_mbcharcliplen(text, len, 1));
		case TRANSFORM_LETTERS:
			return LetterSetCode(text, len);
		case TRANSFORM_YEAR:
			return date == VALUE_NO_EXTRA ? CODE_NONE : 1 + DATE_YEAR(date);
		case TRANSFORM_MONTH_DAY:
			return date == VALUE_NO_EXTRA ? CODE_NONE : 1 + (date & 511);
		case TRANSFORM_YEAR_MONTH:
			return date == VALUE_NO_EXTRA ? CODE_NONE : 1 + (date >> 5);
		case TRANSFORM_FIRST_WORD:
			return TextCode(text, space ? space - text : len);
		case TRANSFORM_LONG_WORD:
			return LongWordCode(text, len, length);
		case TRANSFORM_LAST_DIGITS:
			return len < length ? CODE_NONE : TextCode(text + len - length, length);
		case TRANSFORM_RARE_WORDS:
			break;
	}
	return CODE_NONE;
}

/* Refuse a text that is no key expression */
pg_attribute_noreturn() static void
RefuseSpec(const char *text, int len)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("not a key expression: \"%.*s\"", pg_mbcliplen(text, len, 200), text),
			 errhint("A key expression is a list of kind:transformation such as \"family_name:prefix:3,postcode:exact\".")));
}

/* Find a name of some bytes in a list */
static int
FindInList(const char *name, int len, const char *const *names, int count)
{
	for (int i = 0; i < count; i++)
		if ((int) strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
			return i;
	return -1;
}

/* Read a length of 1 to 100; 0 when it is none.  The text need not end with a zero */
static int
ReadLength(const char *text, int len)
{
	int			length = 0;

	for (int i = 0; i < len; i++)
	{
		if (text[i] < '0' || text[i] > '9')
			return 0;
		length = Min(length * 10 + text[i] - '0', 1000);
	}
	return length > 100 ? 0 : length;
}

/*
 * Read a key expression: parts such as family_name+full_name:prefix:3, joined
 * by commas, then, behind a semicolon, those that refine it.
 */
void
CodeSpecRead(CodeSpec *spec, const char *text, int len)
{
	const char *end = text + len;
	const char *at = text;
	bool		refines = false;

	memset(spec, 0, sizeof(CodeSpec));
	while (at < end)
	{
		CodePart   *part = &spec->parts[spec->part_count];
		const char *stop = at;
		const char *transform;
		const char *length;
		const char *field_end;
		int			kind;
		int			which;

		while (stop < end && *stop != ',' && *stop != ';')
			stop++;
		transform = memchr(at, ':', stop - at);
		if (transform == NULL ||
			spec->part_count - spec->key_parts >= CODE_REFINEMENTS ||
			(!refines && spec->part_count >= MODEL_MAX_PARTS))
			RefuseSpec(text, len);
		field_end = transform++;
		if (field_end - at > 10 && memcmp(field_end - 10, "+full_name", 10) == 0)
		{
			part->has_full_name = true;
			field_end -= 10;
		}
		for (int p = PART_MAILBOX; p <= PART_DOMAIN; p++)
		{
			int			name_len = strlen(FieldPartNames[p]);

			if (field_end - at > name_len + 1 && field_end[-name_len - 1] == '.' &&
				memcmp(field_end - name_len, FieldPartNames[p], name_len) == 0)
			{
				part->part = p;
				field_end -= name_len + 1;
				break;
			}
		}
		length = memchr(transform, ':', stop - transform);
		kind = FindInList(at, field_end - at, FieldKindNames, KIND_COUNT);
		which = FindInList(transform, (length ? length : stop) - transform, KeyTransformNames, TRANSFORM_COUNT);
		if (kind < 0 || which < 0 || which == TRANSFORM_RARE_WORDS ||
			(part->part != PART_WHOLE && kind != KIND_EMAIL) ||
			(part->has_full_name && kind != KIND_GIVEN_NAME && kind != KIND_FAMILY_NAME))
			RefuseSpec(text, len);
		part->kind = kind;
		part->transform = which;
		part->length = length ? ReadLength(length + 1, stop - length - 1) : 1;
		if (part->length == 0)
			RefuseSpec(text, len);
		part->column = spec->column_count;
		spec->column_count += part->has_full_name ? 2 : 1;
		spec->part_count++;
		if (!refines)
			spec->key_parts = spec->part_count;
		if (stop < end && *stop == ';')
		{
			if (refines)
				RefuseSpec(text, len);
			refines = true;
		}
		at = stop + 1;
	}
	if (spec->key_parts == 0)
		RefuseSpec(text, len);
}

/* Write the normal form of what a part is made of; nothing for a blank */
static void
PartText(const CodePart *part, const char *const *values, const int *lengths, StringInfo out, StringInfo scratch)
{
	resetStringInfo(out);
	if (values[part->column] && lengths[part->column] > 0)
		NormalForm(part->kind, out, scratch, values[part->column], lengths[part->column]);
	if (out->len == 0 && part->has_full_name && values[part->column + 1] && lengths[part->column + 1] > 0)
	{
		const PersonName *name = PersonNameParts(values[part->column + 1], lengths[part->column + 1]);
		const StringInfoData *named = part->kind == KIND_GIVEN_NAME ? &name->given : &name->family;

		if (named->len > 0)
			NormalForm(part->kind, out, scratch, named->data, named->len);
	}
	if (part->part != PART_WHOLE && out->len > 0)
	{
		char	   *at = memchr(out->data, '@', out->len);

		if (part->part == PART_MAILBOX && at)
			out->len = at - out->data;
		else if (part->part == PART_DOMAIN)
		{
			int			skip = at ? at + 1 - out->data : out->len;

			memmove(out->data, out->data + skip, out->len - skip);
			out->len -= skip;
		}
		out->data[out->len] = '\0';
	}
}

/*
 * What was worked out last: normal forms of values, and their codes.  One
 * record has few of them under many key expressions: of the indexes of a
 * table, which are filled one after the other, and of those by which it is
 * looked up.
 */
#define MEMO_SIZE 64
#define MEMO_BYTES 96
#define MEMO_CODES 6

typedef struct CodeMemo
{
	uint32		hash;
	uint8		kind;
	uint8		part;
	bool		has_full_name;
	uint8		bytes;			/* of the value, */
	uint8		full_bytes;		/* and of the whole name, which follows it; none while both are 0 */
	uint8		normal_bytes;
	uint8		code_count;
	char		given[MEMO_BYTES];
	char		normal[MEMO_BYTES];
	struct
	{
		uint8		transform;
		uint8		length;
		uint32		code;
	}			codes[MEMO_CODES];
} CodeMemo;

/* Get the code of a normal form under the transformation of a part */
static uint32
NormalCode(const CodePart *part, const char *text, int len, StringInfo scratch)
{
	uint32		date = VALUE_NO_EXTRA;
	int			year,
				month,
				day;

	if (len == 0)
		return CODE_NONE;
	if (part->kind == KIND_DATE && ParseCalendarDate(text, len, &year, &month, &day))
		date = DATE_PACK(year, month, day);
	return TransformCode(part->transform, part->length, text, len, date, scratch);
}

/* Find or make the memo of what a part is made of; NULL where it is too long */
static CodeMemo *
FindMemo(const CodePart *part, const char *const *values, const int *lengths, StringInfo text, StringInfo scratch)
{
	static CodeMemo memos[MEMO_SIZE];
	const char *value = values[part->column];
	const char *full_name = part->has_full_name ? values[part->column + 1] : NULL;
	int			bytes = value ? lengths[part->column] : 0;
	int			full_bytes = full_name ? lengths[part->column + 1] : 0;
	uint32		hash;
	CodeMemo   *memo;

	if (bytes + full_bytes > MEMO_BYTES)
		return NULL;
	hash = hash_combine(part->kind << 8 | part->part, hash_bytes((const unsigned char *) value, bytes));
	if (full_bytes > 0)
		hash = hash_combine(hash, hash_bytes((const unsigned char *) full_name, full_bytes));
	memo = &memos[hash % MEMO_SIZE];
	if (memo->hash == hash && memo->bytes == bytes && memo->full_bytes == full_bytes &&
		memo->kind == part->kind && memo->part == part->part && memo->has_full_name == part->has_full_name &&
		(bytes == 0 || memcmp(memo->given, value, bytes) == 0) &&
		(full_bytes == 0 || memcmp(memo->given + bytes, full_name, full_bytes) == 0))
		return memo;
	memo->bytes = memo->full_bytes = 0; /* should there be an error */
	PartText(part, values, lengths, text, scratch);
	if (text->len > MEMO_BYTES)
		return NULL;
	memo->hash = hash;
	memo->kind = part->kind;
	memo->part = part->part;
	memo->has_full_name = part->has_full_name;
	memo->normal_bytes = text->len;
	memo->code_count = 0;
	memcpy(memo->normal, text->data, text->len);
	if (bytes > 0)
		memcpy(memo->given, value, bytes);
	if (full_bytes > 0)
		memcpy(memo->given + bytes, full_name, full_bytes);
	memo->bytes = bytes;
	memo->full_bytes = full_bytes;
	return memo;
}

/* Get the code of a part of a record; none for a blank */
static uint32
PartCode(const CodePart *part, const char *const *values, const int *lengths, StringInfo text, StringInfo scratch)
{
	bool		is_blank = (values[part->column] == NULL || lengths[part->column] == 0) &&
		(!part->has_full_name || values[part->column + 1] == NULL || lengths[part->column + 1] == 0);
	CodeMemo   *memo = is_blank ? NULL : FindMemo(part, values, lengths, text, scratch);
	uint32		code;

	if (is_blank)
		return CODE_NONE;
	if (memo == NULL)
	{
		PartText(part, values, lengths, text, scratch);
		return NormalCode(part, text->data, text->len, scratch);
	}
	for (int c = 0; c < memo->code_count; c++)
		if (memo->codes[c].transform == part->transform && memo->codes[c].length == part->length)
			return memo->codes[c].code;
	code = NormalCode(part, memo->normal, memo->normal_bytes, scratch);
	if (memo->code_count < MEMO_CODES)
	{
		memo->codes[memo->code_count].transform = part->transform;
		memo->codes[memo->code_count].length = part->length;
		memo->codes[memo->code_count++].code = code;
	}
	return code;
}

/* Room for texts that is kept between calls */
#define KEPT_BYTES 65536

/* Get the code of a record under a key expression; false when it has none */
bool
CodeOf(const CodeSpec *spec, const char *const *values, const int *lengths, int64 *code)
{
	static StringInfoData text = {0};
	static StringInfoData scratch = {0};
	uint32		key = CODE_NONE;
	uint64		refined = 0;

	if (text.data == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

		initStringInfo(&text);
		initStringInfo(&scratch);
		MemoryContextSwitchTo(old);
	}
	for (int p = 0; p < spec->part_count; p++)
	{
		uint32		part_code = PartCode(&spec->parts[p], values, lengths, &text, &scratch);

		if (p < spec->key_parts)
		{
			key = part_code == CODE_NONE ? CODE_NONE : p == 0 ? part_code : JoinCodes(key, part_code);
			if (key == CODE_NONE)
				break;
		}
		else
			refined |= (uint64) (part_code & ((1 << CODE_REFINEMENT_BITS) - 1)) <<
				(CODE_REFINEMENT_BITS * (CODE_REFINEMENTS - 1 - (p - spec->key_parts)));
	}
	if (text.maxlen > KEPT_BYTES)
	{
		pfree(text.data);
		pfree(scratch.data);
		text.data = NULL;
	}
	*code = (int64) (((uint64) key << 32) | refined);
	return key != CODE_NONE;
}

/* Write a part of a key expression, and note its columns */
static int
AppendPart(StringInfo out, const MatchModel *model, const KeyPart *key_part, int entry, const char **columns)
{
	const ModelField *field = &model->fields[key_part->field];
	const ModelField *source;
	KeyTransform transform = key_part->transform;
	int			length = key_part->length;
	int			count = 0;

	if (transform == TRANSFORM_ANY_NAME && entry == 1)
		field = &model->fields[model->comparisons[model->given].field];
	source = field->whole >= 0 ? &model->fields[field->whole] : field;
	if (transform == TRANSFORM_RARE_WORDS)
	{
		transform = TRANSFORM_LONG_WORD;
		length = entry + 1;
	}
	appendStringInfoString(out, FieldKindNames[source->kind]);
	if (field->part != PART_WHOLE)
		appendStringInfo(out, ".%s", FieldPartNames[field->part]);
	if (source->column && source->full_name)
		appendStringInfoString(out, "+full_name");
	appendStringInfo(out, ":%s", KeyTransformNames[transform]);
	if (transform == TRANSFORM_PREFIX || transform == TRANSFORM_LAST_DIGITS || transform == TRANSFORM_LONG_WORD)
		appendStringInfo(out, ":%d", length);
	columns[count++] = source->column ? source->column : source->full_name;
	if (source->column && source->full_name)
		columns[count++] = source->full_name;
	return count;
}

/* Is a field, or the one it is a part of, not to be indexed? */
static bool
NeverBlocks(const MatchModel *model, const KeyPart *part)
{
	const ModelField *field = &model->fields[part->field];

	return field->never_blocks || (field->whole >= 0 && model->fields[field->whole].never_blocks);
}

/* Get the field that is compared of which a field is a part */
static int
WholeField(const MatchModel *model, int field)
{
	return model->fields[field].whole >= 0 ? model->fields[field].whole : field;
}

/* Is a field that a part is made of in the key already? It would not refine it. */
static bool
IsInKey(const MatchModel *model, const ModelKey *key, const KeyPart *part)
{
	for (int p = 0; p < key->part_count; p++)
		if (WholeField(model, key->parts[p].field) == WholeField(model, part->field) ||
			(key->parts[p].transform == TRANSFORM_ANY_NAME &&
			 part->field == model->comparisons[model->given].field))
			return true;
	return false;
}

/*
 * Write the key expressions for a key of a model: one, or two where a record
 * stands in two blocks.  Their columns are the same number each, one after the
 * other; returns how many expressions there are, or 0 for a key with a field
 * that is not to be indexed.
 */
int
CodeSpecsOfKey(const MatchModel *model, int key, char **specs, const char **columns)
{
	const ModelKey *definition = &model->keys[key];
	int			entries = 1;
	int			count = 0;

	for (int p = 0; p < definition->part_count; p++)
	{
		const KeyPart *part = &definition->parts[p];

		if (NeverBlocks(model, part))
			return 0;
		if (part->transform == TRANSFORM_RARE_WORDS || part->transform == TRANSFORM_ANY_NAME)
			entries = 2;
	}
	for (int e = 0; e < entries; e++)
	{
		StringInfoData out;
		int			refinements = 0;

		initStringInfo(&out);
		for (int p = 0; p < definition->part_count; p++)
		{
			if (p > 0)
				appendStringInfoChar(&out, ',');
			count += AppendPart(&out, model, &definition->parts[p], e, columns + count);
		}
		for (int r = 0; r < model->refinement_count && refinements < CODE_REFINEMENTS; r++)
		{
			const KeyPart *part = &model->refinements[r];

			if (IsInKey(model, definition, part) || NeverBlocks(model, part) ||
				part->transform == TRANSFORM_RARE_WORDS || part->transform == TRANSFORM_ANY_NAME)
				continue;
			appendStringInfoChar(&out, refinements++ == 0 ? ';' : ',');
			count += AppendPart(&out, model, part, 0, columns + count);
		}
		specs[e] = out.data;
	}
	return entries;
}

/* What match_code() keeps between calls */
typedef struct CodeCall
{
	text	   *source;
	CodeSpec	spec;
} CodeCall;

/* Get the code of a record's columns under a key expression */
PG_FUNCTION_INFO_V1(match_code);
Datum
match_code(PG_FUNCTION_ARGS)
{
	text	   *source = PG_GETARG_TEXT_PP(0);
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(1);
	CodeCall   *call = fcinfo->flinfo->fn_extra;
	const char *values[CODE_MAX_COLUMNS];
	int			lengths[CODE_MAX_COLUMNS];
	Datum	   *elements;
	bool	   *nulls;
	int			count;
	int64		code;

	if (call == NULL || VARSIZE_ANY_EXHDR(call->source) != VARSIZE_ANY_EXHDR(source) ||
		memcmp(VARDATA_ANY(call->source), VARDATA_ANY(source), VARSIZE_ANY_EXHDR(source)) != 0)
	{
		MemoryContext old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);

		call = palloc(sizeof(CodeCall));
		CodeSpecRead(&call->spec, VARDATA_ANY(source), VARSIZE_ANY_EXHDR(source));
		call->source = (text *) DatumGetPointer(PG_DETOAST_DATUM_COPY(PointerGetDatum(source)));
		fcinfo->flinfo->fn_extra = call;
		MemoryContextSwitchTo(old);
	}
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &count);
	if (count != call->spec.column_count)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the key expression \"%s\" takes %d values, not %d", text_to_cstring(source),
						call->spec.column_count, count)));
	for (int i = 0; i < count; i++)
	{
		text	   *value = nulls[i] ? NULL : DatumGetTextPP(elements[i]);

		values[i] = value ? VARDATA_ANY(value) : NULL;
		lengths[i] = value ? VARSIZE_ANY_EXHDR(value) : 0;
	}
	if (!CodeOf(&call->spec, values, lengths, &code))
		PG_RETURN_NULL();
	PG_RETURN_INT64(code);
}

/* List the expressions by which the keys of a model can be indexed */
PG_FUNCTION_INFO_V1(match_key_expressions);
Datum
match_key_expressions(PG_FUNCTION_ARGS)
{
	MatchModel *model = ModelRead(PG_GETARG_JSONB_P(0));
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int k = 0; k < model->key_count; k++)
	{
		char	   *specs[CODE_MAX_SPECS];
		const char *columns[CODE_MAX_SPECS * CODE_MAX_COLUMNS];
		int			count = CodeSpecsOfKey(model, k, specs, columns);
		const char **at = columns;

		for (int e = 0; e < count; e++)
		{
			CodeSpec	spec;
			Datum		names[CODE_MAX_COLUMNS];
			Datum		values[3];
			bool		nulls[3] = {false, false, false};

			CodeSpecRead(&spec, specs[e], strlen(specs[e]));
			for (int c = 0; c < spec.column_count; c++)
				names[c] = CStringGetTextDatum(*at++);
			values[0] = Int32GetDatum(k + 1);
			values[1] = CStringGetTextDatum(specs[e]);
			values[2] = PointerGetDatum(construct_array(names, spec.column_count, TEXTOID, -1, false, TYPALIGN_INT));
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		}
	}
	return (Datum) 0;
}
