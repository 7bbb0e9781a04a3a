/*
 * From bytes to payloads: which decoder a body is for, and what becomes of its
 * records.  The first that can be read is the payload of the row that came
 * with the body; the others become submissions of their own, as does what
 * could not be read, each with its own bytes, so that it can be corrected.
 */
#include "postgres.h"

#include "capture/decode.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "predicate/attempt.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

typedef struct Decoder
{
	const char *type;
	void		(*decode) (Decoding *decoding);
} Decoder;

static const Decoder decoders[] = {
	{"application/json", DecodeJson},
	{"text/json", DecodeJson},
	{"application/x-ndjson", DecodeJsonLines},
	{"application/ndjson", DecodeJsonLines},
	{"application/jsonl", DecodeJsonLines},
	{"application/x-jsonlines", DecodeJsonLines},
	{"application/x-www-form-urlencoded", DecodeUrlEncoded},
	{"multipart/form-data", DecodeFormData},
	{"text/csv", DecodeCsv},
	{"application/csv", DecodeCsv},
	{"text/tab-separated-values", DecodeCsv},
	{"text/plain", DecodePlainText},
	{"text/xml", DecodeXml},
	{"application/xml", DecodeXml},
	{"message/rfc822", DecodeMail}
};

/* Memory for the parsers */
void *
ParseAllocate(size_t size)
{
	return MemoryContextAllocHuge(CurrentMemoryContext, size);
}

void *
ParseReallocate(void *memory, size_t size)
{
	return repalloc_huge(memory, size);
}

/* Make room for a record */
static DecodedRecord *
NewRecord(Decoding *decoding)
{
	DecodedRecord *record;

	if (decoding->count == DECODE_MAX_RECORDS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("more than %d records in one body", DECODE_MAX_RECORDS)));
	if (decoding->count == decoding->size)
	{
		decoding->size = decoding->size ? decoding->size * 2 : 8;
		decoding->records = decoding->records ?
			repalloc(decoding->records, sizeof(DecodedRecord) * decoding->size) :
			palloc(sizeof(DecodedRecord) * decoding->size);
	}
	record = &decoding->records[decoding->count++];
	memset(record, 0, sizeof(DecodedRecord));
	record->number = decoding->count;
	return record;
}

/* Add a record that was read */
void
DecodingAdd(Decoding *decoding, Jsonb *payload, char *external_id)
{
	DecodedRecord *record = NewRecord(decoding);

	record->payload = payload;
	record->external_id = external_id;
}

/* Add a record that could not be read */
void
DecodingAddBad(Decoding *decoding, const char *raw, size_t len, const char *content_type, const char *code,
			   const char *message)
{
	DecodedRecord *record = NewRecord(decoding);

	record->raw = (bytea *) cstring_to_text_with_len(raw, len);
	record->content_type = content_type;
	record->code = code;
	record->message = message;
}

/* Refuse the body as a whole */
void
DecodingReject(Decoding *decoding, const char *code, const char *message)
{
	char	   *quoted = NULL;

	if (ParseIsUtf8(decoding->data, decoding->len) && decoding->len > 0)
		quoted = ServerText(decoding->data, pg_encoding_mbcliplen(PG_UTF8, decoding->data, decoding->len, CAPTURE_MAX_QUOTED));
	RecordReason(decoding->record, NULL, code, quoted, message, true);
	decoding->is_rejected = true;
}

/* Get the character set that the media type names, NULL when it names none */
const char *
DecodingCharset(const Decoding *decoding)
{
	return ParseParameter(&decoding->type, "charset");
}

/* Convert the body to UTF-8; false when that is not possible, which is then said */
bool
DecodingText(Decoding *decoding, ParseText *text)
{
	ParseStatus status = ParseDecodeDocument(DecodingCharset(decoding), decoding->data, decoding->len, text);

	if (status == PARSE_OK)
	{
		ParseTextAppend(text, "", 0);
		return true;
	}
	if (status == PARSE_UNKNOWN_CHARSET)
		DecodingReject(decoding, "unknown_charset", psprintf("the character set \"%s\" is not known", DecodingCharset(decoding)));
	else
		DecodingReject(decoding, "invalid_encoding",
					   DecodingCharset(decoding) ? psprintf("not valid text in the character set \"%s\"", DecodingCharset(decoding)) :
					   "not valid UTF-8 text, and the content type names no other character set");
	return false;
}

/* Convert UTF-8 to the server's encoding */
char *
ServerText(const char *data, size_t len)
{
	char	   *text = pg_any_to_server(data, len, PG_UTF8);

	return text == data ? pnstrdup(data, len) : text;
}

/* Push a text onto a JSON value that is being built */
JsonbValue *
PushText(JsonbParseState **state, JsonbIteratorToken token, const char *data, size_t len)
{
	JsonbValue	value;
	char	   *text = pg_any_to_server(data, len, PG_UTF8);

	value.type = jbvString;
	value.val.string.val = text;
	value.val.string.len = text == data ? len : strlen(text);
	return pushJsonbValue(state, token, &value);
}

/* Order pairs by name, those alike as they came */
static int
ComparePairs(const void *a, const void *b)
{
	const ParsePair *left = *(const ParsePair *const *) a;
	const ParsePair *right = *(const ParsePair *const *) b;
	int			order;

	if (left->name_len != right->name_len)
		return left->name_len < right->name_len ? -1 : 1;
	order = memcmp(left->name, right->name, left->name_len);
	return order != 0 ? order : left < right ? -1 : left > right;
}

/* Make an object of pairs; a name that repeats has an array of its values */
Jsonb *
PairsPayload(const ParsePairs *pairs)
{
	JsonbParseState *state = NULL;
	const ParsePair **sorted = palloc(sizeof(ParsePair *) * Max(pairs->count, 1));
	int			end;

	for (int p = 0; p < pairs->count; p++)
		sorted[p] = &pairs->items[p];
	qsort(sorted, pairs->count, sizeof(ParsePair *), ComparePairs);
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int p = 0; p < pairs->count; p = end)
	{
		for (end = p + 1; end < pairs->count && sorted[end]->name_len == sorted[p]->name_len &&
			 memcmp(sorted[end]->name, sorted[p]->name, sorted[p]->name_len) == 0;)
			end++;
		PushText(&state, WJB_KEY, sorted[p]->name, sorted[p]->name_len);
		if (end - p > 1)
			pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
		for (int i = p; i < end; i++)
			PushText(&state, end - p > 1 ? WJB_ELEM : WJB_VALUE, sorted[i]->value, sorted[i]->value_len);
		if (end - p > 1)
			pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* Does any of the pairs bring a field? */
bool
PairsBring(const Form *form, const ParsePairs *pairs, FieldId field)
{
	for (int p = 0; p < pairs->count; p++)
	{
		const FormName *found;
		bool		is_loose;
		char	   *name = ServerText(pairs->items[p].name, pairs->items[p].name_len);
		int			n = FormFindName(form, name, strlen(name), &found, &is_loose);

		for (int i = 0; i < n; i++)
			if (form->entries[found[i].entry].field == (int) field && pairs->items[p].value_len > 0)
				return true;
		pfree(name);
	}
	return false;
}

/* Add a pair unless the pairs bring its field already; of a text that is too long its beginning */
void
AddUnlessBrought(const Form *form, ParsePairs *pairs, FieldId field, const char *value)
{
	int			limit = field == FIELD_MESSAGE ? CAPTURE_MAX_LONG_TEXT : CAPTURE_MAX_TEXT;

	if (value && *value && !PairsBring(form, pairs, field))
		ParsePairsAdd(pairs, FieldDefs[field].name, strlen(FieldDefs[field].name), value,
					  pg_encoding_mbcliplen(PG_UTF8, value, strlen(value), limit));
}

/* Find the decoder for the media type */
static const Decoder *
FindDecoder(const char *type)
{
	size_t		len = strlen(type);

	for (int d = 0; d < lengthof(decoders); d++)
		if (strcmp(decoders[d].type, type) == 0)
			return &decoders[d];
	if (len > 5 && strcmp(type + len - 5, "+json") == 0)
		return FindDecoder("application/json");
	if (len > 4 && strcmp(type + len - 4, "+xml") == 0)
		return FindDecoder("application/xml");
	return NULL;
}

/* Prepare the decoding of a record's bytes; false when there is nothing to decode */
static const Decoder *
StartDecoding(WorkspaceConfig *config, CaptureRecord *record, Decoding *decoding)
{
	const Form *form = ConfigForm(config, record->form_name);
	const char *type = record->content_type;
	const Decoder *decoder;

	memset(decoding, 0, sizeof(Decoding));
	if (form == NULL || !form->is_active)
		return NULL;			/* RecordRead() says so */
	decoding->form = form;
	decoding->record = record;
	decoding->data = VARDATA_ANY(record->raw);
	decoding->len = VARSIZE_ANY_EXHDR(record->raw);
	if (decoding->len > form->maximum_body_bytes)
	{
		DecodingReject(decoding, "payload_too_large",
					   psprintf("%zu bytes where the form takes %d", decoding->len, form->maximum_body_bytes));
		return NULL;
	}
	ParseHeader(type ? type : "", type ? strlen(type) : 0, &decoding->type);
	if (*decoding->type.value == '\0' || strcmp(decoding->type.value, "application/octet-stream") == 0)
		decoding->type.value = pstrdup(ParseSniff(NULL, decoding->data, decoding->len));
	decoder = FindDecoder(decoding->type.value);
	if (decoder == NULL)
		DecodingReject(decoding, "unsupported_content_type",
					   psprintf("the content type \"%s\" is not understood%s", decoding->type.value,
								strstr(decoding->type.value, "spreadsheetml") ? "; leadctl import reads workbooks" : ""));
	return decoder;
}

/* Hand the records of a body over: the first good one is the row's own */
static void
FinishDecoding(Decoding *decoding)
{
	CaptureRecord *record = decoding->record;
	int			own = -1;

	if (decoding->is_rejected)
		return;
	for (int i = 0; i < decoding->count && own < 0; i++)
		if (decoding->records[i].payload)
			own = i;
	if (own < 0)
	{
		for (int i = 0; i < Min(decoding->count, DECODE_MAX_REASONS); i++)
		{
			DecodedRecord *bad = &decoding->records[i];
			char	   *quoted = NULL;
			const char *raw = VARDATA_ANY(bad->raw);
			int			len = VARSIZE_ANY_EXHDR(bad->raw);

			if (ParseIsUtf8(raw, len))
				quoted = ServerText(raw, pg_encoding_mbcliplen(PG_UTF8, raw, len, CAPTURE_MAX_QUOTED));
			RecordReason(record, NULL, bad->code, quoted,
						 decoding->count > 1 ? psprintf("record %d: %s", bad->number, bad->message) : bad->message, true);
		}
		if (decoding->count > DECODE_MAX_REASONS)
			RecordReason(record, NULL, "unreadable", NULL,
						 psprintf("and %d more records that cannot be read", decoding->count - DECODE_MAX_REASONS), true);
		if (decoding->count == 0)
			RecordReason(record, NULL, "empty_payload", NULL, "nothing was submitted", true);
		return;
	}
	record->payload = decoding->records[own].payload;
	record->has_decoded = true;
	if (record->external_id == NULL)
		record->decoded_id = decoding->records[own].external_id;
	if (decoding->count == 1)
		return;
	record->part = decoding->records[own].number;
	record->part_count = decoding->count - 1;
	memmove(&decoding->records[own], &decoding->records[own + 1],
			sizeof(DecodedRecord) * (decoding->count - own - 1));
	record->parts = decoding->records;
}

/* Say what ended the decoding of a body, or of one of its records */
static void
DecodingFailed(Decoding *decoding, const ErrorData *error, bool is_json)
{
	const char *code = is_json ? "invalid_json" : "unreadable";

	if (decoding->is_resumable)
	{
		DecodingAddBad(decoding, decoding->text.data + decoding->pos, decoding->line_end - decoding->pos,
					   "application/json", code, pstrdup(error->message));
		decoding->pos = decoding->line_end + 1;
	}
	else
		DecodingReject(decoding, code, error->message);
}

/* Records whose bytes are decoded from one on */
typedef struct DecodeAttempt
{
	WorkspaceConfig *config;
	CaptureRecord *records;
	int			next;
	int			n;
	Decoding	decoding;
	const Decoder *decoder;		/* of the body at hand */
	bool		resume;			/* go on within it */
} DecodeAttempt;

/* Decode what is left of records */
static void
DecodeRest(void *arg)
{
	DecodeAttempt *attempt = arg;

	for (; attempt->next < attempt->n; attempt->next++)
	{
		CaptureRecord *record = &attempt->records[attempt->next];

		if (!attempt->resume)
		{
			if (record->payload || record->raw == NULL)
				continue;
			attempt->decoder = StartDecoding(attempt->config, record, &attempt->decoding);
		}
		attempt->resume = false;
		if (attempt->decoder)
		{
			attempt->decoder->decode(&attempt->decoding);
			FinishDecoding(&attempt->decoding);
		}
		attempt->decoder = NULL;
	}
}

/*
 * Decode the bytes of those records that came with nothing else.  An error
 * that the bytes cause ends one body, or one line of a body that is read by
 * lines; the attempt in which it came is then begun anew for the rest.
 */
void
DecodeRecords(WorkspaceConfig *config, CaptureRecord *records, int n)
{
	DecodeAttempt attempt = {config, records, 0, n};

	while (attempt.next < n && (records[attempt.next].payload || records[attempt.next].raw == NULL))
		attempt.next++;
	while (attempt.next < n)
	{
		ErrorData  *error = Attempt(DecodeRest, &attempt);

		if (error == NULL)
			break;
		if (!PredicateErrorIsLocal(error->sqlerrcode) || attempt.decoder == NULL)
			ReThrowError(error);
		DecodingFailed(&attempt.decoding, error,
					   attempt.decoder->decode == DecodeJson || attempt.decoder->decode == DecodeJsonLines);
		attempt.resume = attempt.decoding.is_resumable;
		if (!attempt.resume)
			attempt.next++;
		FreeErrorData(error);
	}
}

PG_FUNCTION_INFO_V1(content_type);
/* Guess the media type of bytes */
Datum
content_type(PG_FUNCTION_ARGS)
{
	bytea	   *body;

	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	body = PG_GETARG_BYTEA_PP(1);
	PG_RETURN_TEXT_P(cstring_to_text(ParseSniff(PG_ARGISNULL(0) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(0)),
												VARDATA_ANY(body), VARSIZE_ANY_EXHDR(body))));
}
