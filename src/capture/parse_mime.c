/*
 * Messages: headers (RFC 5322), media types and their parameters (RFC 2045,
 * 2231), multipart bodies (RFC 2046), encoded words (RFC 2047), the transfer
 * encodings.  What mail programs get wrong is read as well as it can be; what
 * nests too deep or has too many parts is refused.
 */
#include <string.h>

#include "capture/parse.h"

/* Lower-case an ASCII letter */
static char
Lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c;
}

static bool
IsBlank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Is a text the other one, in whatever case? */
static bool
Equals(const char *data, size_t len, const char *lower)
{
	size_t		i;

	for (i = 0; i < len && lower[i] != '\0'; i++)
		if (Lower(data[i]) != lower[i])
			return false;
	return i == len && lower[i] == '\0';
}

/* Get the value of a hexadecimal digit, -1 when it is none */
static int
HexDigit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = Lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decode quoted-printable; an escape that is none stays as it is */
static void
DecodeQuotedPrintable(const char *data, size_t len, bool is_word, ParseText *out)
{
	ParseTextAppend(out, "", 0);
	for (size_t i = 0; i < len; i++)
	{
		char		c = data[i];

		if (is_word && c == '_')
			c = ' ';
		else if (c == '=')
		{
			size_t		end = i + 1;
			int			high = i + 2 < len ? HexDigit(data[i + 1]) : -1;
			int			low = high >= 0 ? HexDigit(data[i + 2]) : -1;

			if (low >= 0)
			{
				c = high << 4 | low;
				i += 2;
			}
			else if (!is_word)
			{
				/* a soft line break, with blanks that a relay may have added */
				while (end < len && (data[end] == ' ' || data[end] == '\t'))
					end++;
				if (end < len && data[end] == '\r')
					end++;
				if (end >= len || data[end] == '\n')
				{
					i = end;
					continue;
				}
			}
		}
		ParseTextAppend(out, &c, 1);
	}
}

/* Decode base64, leaving out whatever is no digit of it */
static void
DecodeBase64(const char *data, size_t len, ParseText *out)
{
	uint32_t	bits = 0;
	int			count = 0;

	ParseTextAppend(out, "", 0);
	for (size_t i = 0; i < len; i++)
	{
		char		c = data[i];
		int			digit;
		char		byte;

		if (c >= 'A' && c <= 'Z')
			digit = c - 'A';
		else if (c >= 'a' && c <= 'z')
			digit = c - 'a' + 26;
		else if (c >= '0' && c <= '9')
			digit = c - '0' + 52;
		else if (c == '+' || c == '-')
			digit = 62;
		else if (c == '/' || c == '_')
			digit = 63;
		else
		{
			if (c == '=')
				bits = 0, count = 0;
			continue;
		}
		bits = bits << 6 | digit;
		count += 6;
		if (count >= 8)
		{
			count -= 8;
			byte = bits >> count & 0xFF;
			ParseTextAppend(out, &byte, 1);
		}
	}
}

/* Take an encoded word apart that begins here; returns its length, 0 when it is none */
static size_t
EncodedWord(const char *data, size_t len, char *charset, ParseText *bytes)
{
	size_t		pos = 2;
	size_t		name = 0;
	size_t		start;
	char		encoding;

	if (len > PARSE_MAX_WORD)
		len = PARSE_MAX_WORD;
	if (len < 8 || data[0] != '=' || data[1] != '?')
		return 0;
	while (pos < len && data[pos] != '?' && data[pos] != '*' && name < PARSE_MAX_CHARSET)
		charset[name++] = data[pos++];
	charset[name] = '\0';
	while (pos < len && data[pos] != '?' && !IsBlank(data[pos]))
		pos++;
	if (name == 0 || pos + 3 > len || data[pos] != '?' || data[pos + 2] != '?')
		return 0;
	encoding = Lower(data[pos + 1]);
	start = pos + 3;
	for (pos = start; pos + 1 < len && !(data[pos] == '?' && data[pos + 1] == '='); pos++)
		if (data[pos] == '\n' || data[pos] == '\r')
			return 0;
	if (pos + 1 >= len || (encoding != 'q' && encoding != 'b'))
		return 0;
	if (encoding == 'q')
		DecodeQuotedPrintable(data + start, pos - start, true, bytes);
	else
		DecodeBase64(data + start, pos - start, bytes);
	return pos + 2;
}

/* Append text, line ends and control characters as blanks */
static void
AppendOneLine(const char *data, size_t len, ParseText *out)
{
	for (size_t i = 0; i < len; i++)
	{
		char		c = (unsigned char) data[i] < ' ' || data[i] == 0x7F ? ' ' : data[i];

		if (c != ' ' || out->len == 0 || out->data[out->len - 1] != ' ')
			ParseTextAppend(out, &c, 1);
	}
}

/* Decode the encoded words of a header; the result is one line of UTF-8 */
void
ParseEncodedWords(const char *data, size_t len, ParseText *out)
{
	ParseText	plain = {0};
	ParseText	line = {0};
	ParseText	bytes = {0};
	char		charset[PARSE_MAX_CHARSET + 1];
	char		before[PARSE_MAX_CHARSET + 1] = "";
	size_t		pos = 0;

	ParseTextAppend(&line, "", 0);
	while (pos < len)
	{
		size_t		word_start = bytes.len;
		size_t		word = EncodedWord(data + pos, len - pos, charset, &bytes);

		if (word > 0)
		{
			/* a character may be cut in two by words of one character set */
			if (word_start > 0 && strcmp(charset, before) != 0)
			{
				ParseToUtf8Leniently(before, bytes.data, word_start, &line);
				memmove(bytes.data, bytes.data + word_start, bytes.len - word_start);
				bytes.len -= word_start;
			}
			strcpy(before, charset);
			pos += word;

			/* blanks between two encoded words are none */
			for (size_t next = pos; next < len; next++)
				if (!IsBlank(data[next]))
				{
					ParseText	ignored = {0};

					if (data[next] == '=' && EncodedWord(data + next, len - next, charset, &ignored) > 0)
						pos = next;
					break;
				}
			continue;
		}
		if (bytes.len > 0)
		{
			ParseToUtf8Leniently(before, bytes.data, bytes.len, &line);
			bytes.len = 0;
		}
		plain.len = 0;
		do
			ParseTextAppend(&plain, data + pos, 1);
		while (++pos < len && data[pos] != '=');
		ParseToUtf8Leniently(NULL, plain.data, plain.len, &line);
	}
	if (bytes.len > 0)
		ParseToUtf8Leniently(before, bytes.data, bytes.len, &line);
	ParseTextAppend(out, "", 0);
	AppendOneLine(line.data, line.len, out);
	while (out->len > 0 && out->data[out->len - 1] == ' ')
		out->data[--out->len] = '\0';
}

/* Decode the percent escapes of RFC 2231 */
static void
DecodeExtended(const char *data, size_t len, ParseText *out)
{
	for (size_t i = 0; i < len; i++)
	{
		int			high = data[i] == '%' && i + 2 < len ? HexDigit(data[i + 1]) : -1;
		int			low = high >= 0 ? HexDigit(data[i + 2]) : -1;
		char		c = low >= 0 ? high << 4 | low : data[i];

		i += low >= 0 ? 2 : 0;
		ParseTextAppend(out, &c, 1);
	}
}

/* Add a parameter, putting together what RFC 2231 took apart */
static void
AddParameter(ParseHeaderValue *header, const char *name, size_t name_len, const char *value, size_t value_len)
{
	const char *star = memchr(name, '*', name_len);
	size_t		base = star ? (size_t) (star - name) : name_len;
	bool		is_extended = star && name[name_len - 1] == '*';
	ParseText	decoded = {0};
	ParseText	utf8 = {0};
	char	   *lower = ParseCopy(name, base);
	char		charset[PARSE_MAX_CHARSET + 1] = "";

	if (header->parameters.count >= PARSE_MAX_HEADERS)
		return;
	for (size_t i = 0; i < base; i++)
		lower[i] = Lower(lower[i]);
	ParseTextAppend(&decoded, "", 0);
	if (is_extended)
	{
		const char *quote = memchr(value, '\'', value_len);
		const char *second = quote ? memchr(quote + 1, '\'', value_len - (quote + 1 - value)) : NULL;

		if (second && quote - value <= PARSE_MAX_CHARSET)
		{
			memcpy(charset, value, quote - value);
			value_len -= second + 1 - value;
			value = second + 1;
		}
		DecodeExtended(value, value_len, &decoded);
	}
	else
		ParseTextAppend(&decoded, value, value_len);
	ParseToUtf8Leniently(*charset ? charset : NULL, decoded.data, decoded.len, &utf8);
	for (int p = 0; star && p < header->parameters.count; p++)
	{
		ParsePair  *pair = &header->parameters.items[p];

		if (strcmp(pair->name, lower) == 0)
		{
			ParseText	whole = {0};

			if (pair->value_len > PARSE_MAX_WORD)
				return;

			/* A further part, or the better form of one that came before */
			if (base + 1 < name_len && name[base + 1] >= '0' && name[base + 1] <= '9')
				ParseTextAppend(&whole, pair->value, pair->value_len);
			if (utf8.len > 0)
				ParseTextAppend(&whole, utf8.data, utf8.len);
			ParseTextAppend(&whole, "", 0);
			pair->value = whole.data;
			pair->value_len = whole.len;
			return;
		}
	}
	ParsePairsAdd(&header->parameters, lower, base, utf8.data ? utf8.data : "", utf8.len);
}

/* Read a value with parameters: text/plain; charset="utf-8" */
void
ParseHeader(const char *data, size_t len, ParseHeaderValue *out)
{
	ParseText	text = {0};
	size_t		pos = 0;

	memset(out, 0, sizeof(ParseHeaderValue));
	ParseTextAppend(&text, "", 0);
	for (; pos < len && data[pos] != ';'; pos++)
	{
		char		c = Lower(data[pos]);

		if (!IsBlank(c))
			ParseTextAppend(&text, &c, 1);
	}
	out->value = text.data;
	while (pos < len)
	{
		ParseText	value = {0};
		size_t		name;
		size_t		name_len;

		pos++;					/* the semicolon */
		while (pos < len && IsBlank(data[pos]))
			pos++;
		name = pos;
		while (pos < len && data[pos] != '=' && data[pos] != ';' && !IsBlank(data[pos]))
			pos++;
		name_len = pos - name;
		while (pos < len && IsBlank(data[pos]))
			pos++;
		ParseTextAppend(&value, "", 0);
		if (pos < len && data[pos] == '=')
		{
			pos++;
			while (pos < len && IsBlank(data[pos]))
				pos++;
			if (pos < len && data[pos] == '"')
			{
				for (pos++; pos < len && data[pos] != '"'; pos++)
				{
					/* a backslash escapes, but not in the paths that browsers once sent */
					if (data[pos] == '\\' && pos + 1 < len && (data[pos + 1] == '"' || data[pos + 1] == '\\'))
						pos++;
					ParseTextAppend(&value, data + pos, 1);
				}
			}
			else
				for (; pos < len && data[pos] != ';' && !IsBlank(data[pos]); pos++)
					ParseTextAppend(&value, data + pos, 1);
		}
		if (name_len > 0)
			AddParameter(out, data + name, name_len, value.data, value.len);
		while (pos < len && data[pos] != ';')
			pos++;
	}
}

/* Find a parameter; NULL when there is none */
const char *
ParseParameter(const ParseHeaderValue *header, const char *name)
{
	for (int p = 0; p < header->parameters.count; p++)
		if (strcmp(header->parameters.items[p].name, name) == 0)
			return header->parameters.items[p].value;
	return NULL;
}

/* Find the first header of a name in lower case; NULL when there is none */
const char *
ParseFindHeader(const ParsePairs *headers, const char *name)
{
	for (int h = 0; h < headers->count; h++)
		if (strcmp(headers->items[h].name, name) == 0)
			return headers->items[h].value;
	return NULL;
}

/* Find the end of a line, and where the next one begins */
static size_t
LineEnd(const char *data, size_t len, size_t pos, size_t *next)
{
	const char *feed = pos < len ? memchr(data + pos, '\n', len - pos) : NULL;
	size_t		end = feed ? (size_t) (feed - data) : len;

	*next = feed ? end + 1 : len;
	if (end > pos && data[end - 1] == '\r')
		end--;
	return end;
}

/* Read headers; sets where the body begins */
static ParseStatus
ReadHeaders(const char *data, size_t len, ParsePairs *headers, size_t *body)
{
	size_t		pos = 0;

	while (pos < len)
	{
		size_t		next;
		size_t		end = LineEnd(data, len, pos, &next);
		size_t		start = pos;
		const char *colon;
		size_t		name_len;
		ParseText	value = {0};
		char	   *name;

		pos = next;
		if (end == start)
			break;				/* the empty line */
		colon = memchr(data + start, ':', end - start);
		name_len = colon ? (size_t) (colon - data) - start : 0;
		ParseTextAppend(&value, "", 0);
		if (colon)
			ParseTextAppend(&value, colon + 1, end - start - name_len - 1);
		while (pos < len && (data[pos] == ' ' || data[pos] == '\t'))
		{
			end = LineEnd(data, len, pos, &next);
			ParseTextAppend(&value, data + pos, end - pos);
			pos = next;
		}
		while (name_len > 0 && IsBlank(data[start + name_len - 1]))
			name_len--;
		if (name_len == 0 || memchr(data + start, ' ', name_len))
			continue;			/* no header: the line that mailboxes begin messages with, or noise */
		if (headers->count == PARSE_MAX_HEADERS)
			return PARSE_TOO_MANY;
		name = ParseCopy(data + start, name_len);
		for (size_t i = 0; i < name_len; i++)
			name[i] = Lower(name[i]);
		{
			size_t		skip = 0;

			while (skip < value.len && IsBlank(value.data[skip]))
				skip++;
			ParsePairsAdd(headers, name, name_len, value.data + skip, value.len - skip);
		}
	}
	*body = pos;
	return PARSE_OK;
}

static ParseStatus ReadPart(const char *data, size_t len, int depth, ParseMessage *message, ParsePairs *headers);

/* Read the parts between the delimiters of a multipart body */
static ParseStatus
ReadMultipart(const ParseHeaderValue *type, const char *data, size_t len, int depth, ParseMessage *message,
			  bool *is_complete)
{
	const char *boundary = ParseParameter(type, "boundary");
	size_t		boundary_len = boundary ? strlen(boundary) : 0;
	size_t		start = 0;
	bool		inside = false;
	size_t		pos = 0;

	*is_complete = false;
	if (boundary_len == 0)
		return PARSE_NO_BOUNDARY;
	while (pos <= len)
	{
		size_t		next;
		size_t		end = LineEnd(data, len, pos, &next);
		bool		is_delimiter = end - pos >= boundary_len + 2 && memcmp(data + pos, "--", 2) == 0 &&
			memcmp(data + pos + 2, boundary, boundary_len) == 0;
		bool		is_last = false;

		if (is_delimiter)
		{
			size_t		rest = pos + boundary_len + 2;

			is_last = end - rest >= 2 && memcmp(data + rest, "--", 2) == 0;
			if (is_last)
				rest += 2;
			while (rest < end && IsBlank(data[rest]))
				rest++;
			is_delimiter = rest == end;
		}
		if (is_delimiter || pos >= len)
		{
			size_t		stop = pos;

			/* the line end before a delimiter belongs to it */
			if (is_delimiter && stop > start && data[stop - 1] == '\n')
				stop--;
			if (is_delimiter && stop > start && data[stop - 1] == '\r')
				stop--;
			if (inside)
			{
				ParseStatus status = ReadPart(data + start, stop - start, depth + 1, message, NULL);

				if (status != PARSE_OK)
					return status;
			}
			inside = is_delimiter && !is_last;
			start = next;
			*is_complete |= is_last;
			if (is_last || pos >= len)
				break;
		}
		pos = next;
	}
	return PARSE_OK;
}

/* Read a part; the leaves below it are added to the message */
static ParseStatus
ReadPart(const char *data, size_t len, int depth, ParseMessage *message, ParsePairs *headers)
{
	ParsePart	part = {0};
	const char *text;
	size_t		body;
	ParseStatus status;

	if (depth > PARSE_MAX_DEPTH)
		return PARSE_TOO_DEEP;
	if ((status = ReadHeaders(data, len, &part.headers, &body)) != PARSE_OK)
		return status;
	if (headers)
		*headers = part.headers;
	text = ParseFindHeader(&part.headers, "content-type");
	ParseHeader(text ? text : "text/plain", strlen(text ? text : "text/plain"), &part.type);
	text = ParseFindHeader(&part.headers, "content-disposition");
	ParseHeader(text ? text : "", strlen(text ? text : ""), &part.disposition);
	part.body = data + body;
	part.body_len = len - body;
	part.depth = depth;
	if (strncmp(part.type.value, "multipart/", 10) == 0)
	{
		bool		is_complete;

		status = ReadMultipart(&part.type, part.body, part.body_len, depth, message, &is_complete);
		if (status != PARSE_NO_BOUNDARY)
			return status;
		part.type.value = "text/plain";
	}
	else if (strcmp(part.type.value, "message/rfc822") == 0)
		return ReadPart(part.body, part.body_len, depth + 1, message, NULL);
	if (message->part_count == PARSE_MAX_PARTS)
		return PARSE_TOO_MANY;
	if (message->part_count == message->part_size)
	{
		message->part_size = message->part_size ? message->part_size * 2 : 8;
		message->parts = message->parts ?
			ParseReallocate(message->parts, sizeof(ParsePart) * message->part_size) :
			ParseAllocate(sizeof(ParsePart) * message->part_size);
	}
	message->parts[message->part_count++] = part;
	return PARSE_OK;
}

/* Read a message */
ParseStatus
ParseMail(const char *data, size_t len, ParseMessage *message)
{
	memset(message, 0, sizeof(ParseMessage));
	return ReadPart(data, len, 0, message, &message->headers);
}

/* Read a multipart body whose type is known; one without its end is not taken */
ParseStatus
ParseMultipart(const ParseHeaderValue *type, const char *data, size_t len, ParseMessage *message)
{
	bool		is_complete;
	ParseStatus status;

	memset(message, 0, sizeof(ParseMessage));
	status = ReadMultipart(type, data, len, 0, message, &is_complete);
	return status == PARSE_OK && !is_complete ? PARSE_END : status;
}

/* Decode the body of a part: the text in UTF-8, or the bytes of what is none */
void
ParseBody(const ParsePart *part, ParseText *out)
{
	const char *encoding = ParseFindHeader(&part->headers, "content-transfer-encoding");
	size_t		len = encoding ? strlen(encoding) : 0;
	ParseText	bytes = {0};

	while (len > 0 && IsBlank(encoding[len - 1]))
		len--;
	if (Equals(encoding, len, "base64"))
		DecodeBase64(part->body, part->body_len, &bytes);
	else if (Equals(encoding, len, "quoted-printable"))
		DecodeQuotedPrintable(part->body, part->body_len, false, &bytes);
	else
		ParseTextAppend(&bytes, part->body, part->body_len);
	if (strncmp(part->type.value, "text/", 5) == 0)
	{
		size_t		start = out->len;
		size_t		kept;

		ParseToUtf8Leniently(ParseParameter(&part->type, "charset"), bytes.data, bytes.len, out);

		/* lines end in a line feed alone */
		kept = start;
		for (size_t i = start; i < out->len; i++)
			if (out->data[i] != '\r' || i + 1 >= out->len || out->data[i + 1] != '\n')
				out->data[kept++] = out->data[i];
		out->len = kept;
	}
	else
		ParseTextAppend(out, bytes.data, bytes.len);
	ParseTextAppend(out, "", 0);
}

/* Read the first address of a list: Jane Doe <jane@example.com> */
bool
ParseAddress(const char *data, size_t len, ParseText *name, ParseText *address)
{
	ParseText	phrase = {0};
	ParseText	comment = {0};
	ParseText	plain = {0};
	bool		has_angle = false;

	ParseTextAppend(&phrase, "", 0);
	ParseTextAppend(&comment, "", 0);
	for (size_t pos = 0; pos < len; pos++)
	{
		char		c = data[pos];
		char		charset[PARSE_MAX_CHARSET + 1];
		ParseText	ignored = {0};
		size_t		word = c == '=' ? EncodedWord(data + pos, len - pos, charset, &ignored) : 0;

		if (word > 0)
		{
			ParseTextAppend(&phrase, data + pos, word);
			pos += word - 1;
		}
		else if (c == '"')
		{
			for (pos++; pos < len && data[pos] != '"'; pos++)
			{
				if (data[pos] == '\\' && pos + 1 < len)
					pos++;
				ParseTextAppend(&phrase, data + pos, 1);
			}
		}
		else if (c == '(')
		{
			int			depth = 1;

			for (pos++; pos < len; pos++)
			{
				depth += data[pos] == '(' ? 1 : data[pos] == ')' ? -1 : 0;
				if (depth == 0)
					break;
				ParseTextAppend(&comment, data + pos, 1);
			}
		}
		else if (c == '<')
		{
			has_angle = true;
			for (pos++; pos < len && data[pos] != '>'; pos++)
				ParseTextAppend(&plain, data + pos, 1);
			break;
		}
		else if (c == ':')
			phrase.len = 0;		/* the name of a group */
		else if (c == ',' || c == ';')
		{
			if (phrase.len > 0)
				break;
		}
		else
			ParseTextAppend(&phrase, &c, 1);
	}
	if (!has_angle)
		AppendOneLine(phrase.data, phrase.len, &plain);
	ParseTextAppend(&plain, "", 0);
	for (size_t i = 0; i < plain.len; i++)
		if (!IsBlank(plain.data[i]))
			ParseTextAppend(address, plain.data + i, 1);
	ParseTextAppend(address, "", 0);
	ParseTextAppend(name, "", 0);
	{
		const ParseText *from = has_angle && phrase.len > 0 ? &phrase : &comment;
		size_t		skip = 0;

		while (skip < from->len && IsBlank(from->data[skip]))
			skip++;
		ParseEncodedWords(from->data + skip, from->len - skip, name);
	}
	return memchr(address->data, '@', address->len) != NULL;
}
