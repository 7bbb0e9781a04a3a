/*
 * The formats of lines and pairs: JSON, JSON lines, form data, plain text.
 */
#include "postgres.h"

#include "capture/decode.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

/* Is the JSON text nested deeper than is worth a stack? */
static bool
IsTooDeep(const char *json)
{
	int			depth = 0;
	bool		quoted = false;

	for (const char *c = json; *c; c++)
	{
		if (quoted)
		{
			if (*c == '\\' && c[1])
				c++;
			else if (*c == '"')
				quoted = false;
		}
		else if (*c == '"')
			quoted = true;
		else if (*c == '[' || *c == '{')
		{
			if (++depth > DECODE_MAX_DEPTH)
				return true;
		}
		else if (*c == ']' || *c == '}')
			depth--;
	}
	return false;
}

/* Read JSON in UTF-8 */
static Jsonb *
ReadJson(const char *text, size_t len)
{
	char	   *json = pg_any_to_server(text, len, PG_UTF8);

	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(json)));
}

/* Add a value as a record */
static void
AddValue(Decoding *decoding, JsonbValue *value)
{
	DecodingAdd(decoding, JsonbValueToJsonb(value), NULL);
}

/* A JSON document: one record, an array of them, or what the form's path leads to */
void
DecodeJson(Decoding *decoding)
{
	ParseText	text = {0};
	Jsonb	   *document;

	if (!DecodingText(decoding, &text))
		return;
	if (IsTooDeep(text.data))
	{
		DecodingReject(decoding, "too_deep", psprintf("nested deeper than %d levels", DECODE_MAX_DEPTH));
		return;
	}
	document = ReadJson(text.data, text.len);
	if (decoding->form->records && IsJsonPath(decoding->form->records))
		document = DatumGetJsonbP(DirectFunctionCall4(jsonb_path_query_array_tz, JsonbPGetDatum(document),
													  DirectFunctionCall1(jsonpath_in, CStringGetDatum(decoding->form->records)),
													  DirectFunctionCall1(jsonb_in, CStringGetDatum("{}")),
													  BoolGetDatum(true)));
	else if (!JB_ROOT_IS_ARRAY(document) || JB_ROOT_IS_SCALAR(document))
	{
		DecodingAdd(decoding, document, NULL);
		return;
	}
	{
		JsonbIterator *it = JsonbIteratorInit(&document->root);
		JsonbValue	value;
		JsonbIteratorToken token;

		while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
			if (token == WJB_ELEM)
			{
				CHECK_FOR_INTERRUPTS();
				AddValue(decoding, &value);
			}
	}
}

/* JSON documents, one a line; a line that is none costs itself alone */
void
DecodeJsonLines(Decoding *decoding)
{
	if (decoding->text.data == NULL && !DecodingText(decoding, &decoding->text))
		return;
	while (decoding->pos < decoding->text.len)
	{
		char	   *line = decoding->text.data + decoding->pos;
		char	   *feed = memchr(line, '\n', decoding->text.len - decoding->pos);
		size_t		len = feed ? feed - line : decoding->text.len - decoding->pos;
		size_t		blank = strspn(line, " \t\r");

		CHECK_FOR_INTERRUPTS();
		decoding->line_end = decoding->pos + len;
		decoding->is_resumable = true;
		line[len] = '\0';
		if (blank < len)
		{
			if (IsTooDeep(line))
				DecodingAddBad(decoding, line, len, "application/json", "too_deep",
							   psprintf("nested deeper than %d levels", DECODE_MAX_DEPTH));
			else
				DecodingAdd(decoding, ReadJson(line, len), NULL);
		}
		decoding->pos += len + 1;
	}
}

/* The pairs of a web form */
void
DecodeUrlEncoded(Decoding *decoding)
{
	ParsePairs	pairs = {0};
	size_t		error_at = 0;
	ParseStatus status = ParseUrlEncoded(DecodingCharset(decoding), decoding->data, decoding->len, &pairs, &error_at);

	if (status == PARSE_OK)
		DecodingAdd(decoding, PairsPayload(&pairs), NULL);
	else
		DecodingReject(decoding, status == PARSE_BAD_ESCAPE ? "invalid_escape" :
					   status == PARSE_UNKNOWN_CHARSET ? "unknown_charset" : "invalid_encoding",
					   psprintf("%s, at byte %zu", ParseStatusMessage(status), error_at + 1));
}

/* The code that a parser's complaint of a message has */
const char *
MessageCode(ParseStatus status)
{
	return status == PARSE_TOO_DEEP ? "too_deep" : status == PARSE_TOO_MANY ? "too_many" :
		status == PARSE_END ? "truncated" : "invalid_multipart";
}

/* The parts of a web form that may send files; of a file its name, type and size are noted */
void
DecodeFormData(Decoding *decoding)
{
	ParseMessage message;
	ParsePairs	pairs = {0};
	ParseStatus status = ParseMultipart(&decoding->type, decoding->data, decoding->len, &message);

	if (status != PARSE_OK)
	{
		DecodingReject(decoding, MessageCode(status),
					   status == PARSE_END ? "the closing boundary is missing" : ParseStatusMessage(status));
		return;
	}
	for (int p = 0; p < message.part_count; p++)
	{
		const ParsePart *part = &message.parts[p];
		const char *name = ParseParameter(&part->disposition, "name");
		const char *file = ParseParameter(&part->disposition, "filename");
		ParseText	value = {0};

		if (name == NULL)
			continue;
		ParseBody(part, &value);
		if (file)
		{
			char	   *note = psprintf("%s (%s, %zu bytes)", file, part->type.value, value.len);

			if (value.len > 0)
				ParsePairsAdd(&pairs, name, strlen(name), note, strlen(note));
			continue;
		}
		if (!ParseIsUtf8(value.data, value.len))
		{
			DecodingReject(decoding, "invalid_encoding", psprintf("the value of \"%s\" is no text", name));
			return;
		}
		ParsePairsAdd(&pairs, name, strlen(name), value.data, value.len);
	}
	DecodingAdd(decoding, PairsPayload(&pairs), NULL);
}

/* Read a range of columns, such as 1-20; false when the name is none */
static bool
ColumnRange(const char *name, int *first, int *last)
{
	char		rest;

	return sscanf(name, "%d-%d%c", first, last, &rest) == 2 && *first >= 1 && *last >= *first;
}

/* Find the byte at which a character of a line begins, or the end of the line */
static size_t
CharacterAt(const char *line, size_t len, int number)
{
	size_t		pos = 0;

	for (int i = 1; i < number && pos < len; i++)
		pos += Min((size_t) pg_utf_mblen((const unsigned char *) line + pos), len - pos);
	return pos;
}

/* Lines of fixed width, as the form's names say where the columns are */
static void
DecodeFixedWidth(Decoding *decoding, const ParseText *text)
{
	const Form *form = decoding->form;

	for (size_t pos = 0; pos < text->len;)
	{
		const char *line = text->data + pos;
		const char *feed = memchr(line, '\n', text->len - pos);
		size_t		len = feed ? feed - line : text->len - pos;
		ParsePairs	pairs = {0};

		CHECK_FOR_INTERRUPTS();
		pos += len + 1;
		while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == ' '))
			len--;
		if (len == 0)
			continue;
		for (int e = 0; e < form->entry_count && form->entries[e].is_own; e++)
		{
			int			first;
			int			last;
			size_t		start;
			size_t		end;

			if (!ColumnRange(form->entries[e].incoming, &first, &last))
				continue;
			start = CharacterAt(line, len, first);
			end = start + CharacterAt(line + start, len - start, last - first + 2);
			ParsePairsAdd(&pairs, form->entries[e].incoming, form->entries[e].incoming_len, line + start, end - start);
		}
		DecodingAdd(decoding, PairsPayload(&pairs), NULL);
	}
}

/* Plain text: lines of fixed width where the form says so, else "Key: value" lines */
void
DecodePlainText(Decoding *decoding)
{
	ParseText	text = {0};
	ParseText	other = {0};
	ParsePairs	pairs = {0};
	int			first;
	int			last;

	if (!DecodingText(decoding, &text))
		return;
	for (int e = 0; e < decoding->form->entry_count && decoding->form->entries[e].is_own; e++)
		if (ColumnRange(decoding->form->entries[e].incoming, &first, &last))
		{
			DecodeFixedWidth(decoding, &text);
			return;
		}
	ParseLines(text.data, text.len, &pairs, &other);
	if (other.len > 0)
		ParsePairsAdd(&pairs, "unparsed", strlen("unparsed"), other.data, other.len - 1);
	if (pairs.count > 0)
		DecodingAdd(decoding, PairsPayload(&pairs), NULL);
}
