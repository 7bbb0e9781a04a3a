/*
 * Name-value pairs as a web form sends them (WHATWG URL, section 5.1), but
 * strict: a broken escape is refused, for what stands behind it is lost.
 */
#include <string.h>

#include "capture/parse.h"

/* Get the value of a hexadecimal digit, -1 when it is none */
static int
HexDigit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Decode a name or value; false at a broken escape, where len is left */
static bool
DecodePercent(const char *data, size_t *len, ParseText *out)
{
	out->len = 0;
	ParseTextAppend(out, "", 0);
	for (size_t i = 0; i < *len; i++)
	{
		char		c = data[i];

		if (c == '+')
			c = ' ';
		else if (c == '%')
		{
			int			high = i + 2 < *len ? HexDigit(data[i + 1]) : -1;
			int			low = high >= 0 ? HexDigit(data[i + 2]) : -1;

			if (low < 0)
			{
				*len = i;
				return false;
			}
			c = high << 4 | low;
			i += 2;
		}
		ParseTextAppend(out, &c, 1);
	}
	return true;
}

/* Read pairs; where one is broken, error_at says where */
ParseStatus
ParseUrlEncoded(const char *charset, const char *data, size_t len, ParsePairs *pairs, size_t *error_at)
{
	ParseText	raw = {0};
	ParseText	name = {0};
	ParseText	value = {0};
	size_t		pos = 0;

	/* Lines ends at the end are no part of it */
	while (len > 0 && (data[len - 1] == '\n' || data[len - 1] == '\r'))
		len--;
	while (pos < len)
	{
		const char *start = data + pos;
		const char *amp = memchr(start, '&', len - pos);
		size_t		pair_len = amp ? (size_t) (amp - start) : len - pos;
		const char *equals = memchr(start, '=', pair_len);
		size_t		name_len = equals ? (size_t) (equals - start) : pair_len;
		size_t		value_len = equals ? pair_len - name_len - 1 : 0;
		ParseStatus status;

		*error_at = pos;
		pos += pair_len + 1;
		if (pair_len == 0)
			continue;
		if (!DecodePercent(start, &name_len, &raw))
		{
			*error_at += name_len;
			return PARSE_BAD_ESCAPE;
		}
		name.len = value.len = 0;
		if ((status = ParseToUtf8(charset, raw.data, raw.len, &name)) != PARSE_OK)
			return status;
		if (equals && !DecodePercent(equals + 1, &value_len, &raw))
		{
			*error_at += equals + 1 - start + value_len;
			return PARSE_BAD_ESCAPE;
		}
		if (!equals)
			raw.len = 0;
		if ((status = ParseToUtf8(charset, raw.data, raw.len, &value)) != PARSE_OK)
			return status;

		/* PHP and Rails mark a name that has several values */
		if (name.len > 2 && memcmp(name.data + name.len - 2, "[]", 2) == 0)
			name.len -= 2;
		ParsePairsAdd(pairs, name.data, name.len, value.data ? value.data : "", value.len);
	}
	return PARSE_OK;
}
