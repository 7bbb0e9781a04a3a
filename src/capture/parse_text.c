/*
 * Growing texts, lists of pairs, and character sets, which iconv knows.
 */
#include <errno.h>
#include <iconv.h>
#include <string.h>

#include "capture/parse.h"

/* Bytes that one byte of any character set becomes at most in UTF-8 */
#define UTF8_EXPANSION 4

/* Append bytes to a text */
void
ParseTextAppend(ParseText *text, const char *data, size_t len)
{
	if (text->len + len + 1 > text->size)
	{
		size_t		size = text->size < 64 ? 64 : text->size;

		while (size < text->len + len + 1)
			size *= 2;
		text->data = text->data ? ParseReallocate(text->data, size) : ParseAllocate(size);
		text->size = size;
	}
	if (len > 0)
		memcpy(text->data + text->len, data, len);
	text->len += len;
	text->data[text->len] = '\0';
}

/* Copy bytes, adding a NUL */
char *
ParseCopy(const char *data, size_t len)
{
	char	   *copy = ParseAllocate(len + 1);

	if (len > 0)
		memcpy(copy, data, len);
	copy[len] = '\0';
	return copy;
}

/* Append a pair to a list, copying both */
void
ParsePairsAdd(ParsePairs *pairs, const char *name, size_t name_len, const char *value, size_t value_len)
{
	if (pairs->count == pairs->size)
	{
		int			size = pairs->size ? pairs->size * 2 : 16;

		pairs->items = pairs->items ? ParseReallocate(pairs->items, sizeof(ParsePair) * size) :
			ParseAllocate(sizeof(ParsePair) * size);
		pairs->size = size;
	}
	pairs->items[pairs->count++] = (ParsePair) {
		ParseCopy(name, name_len), name_len, ParseCopy(value, value_len), value_len
	};
}

/* Say what a status means */
const char *
ParseStatusMessage(ParseStatus status)
{
	switch (status)
	{
		case PARSE_OK:
			return "no error";
		case PARSE_END:
			return "nothing to read";
		case PARSE_BAD_ESCAPE:
			return "a percent sign that two hexadecimal digits do not follow";
		case PARSE_BAD_ENCODING:
			return "bytes that are no text in the character set";
		case PARSE_UNKNOWN_CHARSET:
			return "an unknown character set";
		case PARSE_TOO_MANY:
			return "more parts or headers than are taken";
		case PARSE_TOO_DEEP:
			return "parts nested too deep";
		case PARSE_NO_BOUNDARY:
			return "a multipart body without its boundary";
	}
	return "unknown status";
}

/* Is this well-formed UTF-8 (RFC 3629) without NUL? */
bool
ParseIsUtf8(const char *data, size_t len)
{
	const unsigned char *c = (const unsigned char *) data;
	const unsigned char *end = c + len;

	while (c < end)
	{
		int			more;
		uint32_t	point;

		if (*c < 0x80)
		{
			if (*c++ == 0)
				return false;
			continue;
		}
		if (*c >= 0xC2 && *c <= 0xDF)
			more = 1, point = *c & 0x1F;
		else if (*c >= 0xE0 && *c <= 0xEF)
			more = 2, point = *c & 0x0F;
		else if (*c >= 0xF0 && *c <= 0xF4)
			more = 3, point = *c & 0x07;
		else
			return false;
		if (end - c <= more)
			return false;
		for (int i = 1; i <= more; i++)
		{
			if ((c[i] & 0xC0) != 0x80)
				return false;
			point = point << 6 | (c[i] & 0x3F);
		}
		if ((more == 2 && point < 0x800) || (more == 3 && point < 0x10000) || point > 0x10FFFF ||
			(point >= 0xD800 && point <= 0xDFFF))
			return false;
		c += more + 1;
	}
	return true;
}

/* Does a name mean UTF-8, or its subset ASCII? */
static bool
MeansUtf8(const char *charset)
{
	static const char *const names[] = {"utf-8", "utf8", "us-ascii", "ascii", "ansi_x3.4-1968"};

	for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++)
	{
		const char *a = names[n];
		const char *b = charset;

		while (*a && *a == (*b >= 'A' && *b <= 'Z' ? *b + 'a' - 'A' : *b))
			a++, b++;
		if (*a == '\0' && *b == '\0')
			return true;
	}
	return false;
}

/* Open a conversion to UTF-8; the name may be no more than a name */
static iconv_t
OpenConversion(const char *charset)
{
	static const struct
	{
		const char *name;
		const char *meant;
	}			synonyms[] = {
		/* what the Web means by these names (WHATWG, Encoding) */
		{"iso-8859-1", "WINDOWS-1252"}, {"latin1", "WINDOWS-1252"}, {"iso-8859-9", "WINDOWS-1254"},
		{"gb2312", "GB18030"}, {"gbk", "GB18030"}, {"ks_c_5601-1987", "UHC"}, {"euc-kr", "UHC"},
		{"shift_jis", "CP932"}, {"shift-jis", "CP932"}, {"x-sjis", "CP932"}
	};
	char		name[PARSE_MAX_CHARSET + 1];
	size_t		len = strlen(charset);

	if (len == 0 || len > PARSE_MAX_CHARSET)
		return (iconv_t) -1;
	for (size_t i = 0; i <= len; i++)
	{
		char		c = charset[i];

		name[i] = c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c;
		if (c != '\0' && strchr("abcdefghijklmnopqrstuvwxyz0123456789-_.:+", name[i]) == NULL)
			return (iconv_t) -1;
	}
	for (size_t s = 0; s < sizeof(synonyms) / sizeof(synonyms[0]); s++)
		if (strcmp(synonyms[s].name, name) == 0)
			return iconv_open("UTF-8", synonyms[s].meant);
	return iconv_open("UTF-8", name);
}

/*
 * Convert bytes of a character set (NULL: UTF-8) to UTF-8, appending them.
 * The room is got beforehand, so that nothing can end this between the opening
 * and the closing of the conversion.
 */
ParseStatus
ParseToUtf8(const char *charset, const char *data, size_t len, ParseText *out)
{
	size_t		before = out->len;
	iconv_t		conversion;
	char	   *in = (char *) data;
	char	   *to;
	size_t		left = len;
	size_t		room;
	bool		failed;

	if (charset == NULL || MeansUtf8(charset))
	{
		if (!ParseIsUtf8(data, len))
			return PARSE_BAD_ENCODING;
		ParseTextAppend(out, data, len);
		return PARSE_OK;
	}
	room = len * UTF8_EXPANSION + 16;
	ParseTextAppend(out, "", 0);
	if (out->len + room + 1 > out->size)
	{
		out->data = ParseReallocate(out->data, out->len + room + 1);
		out->size = out->len + room + 1;
	}
	conversion = OpenConversion(charset);
	if (conversion == (iconv_t) -1)
		return PARSE_UNKNOWN_CHARSET;
	to = out->data + out->len;
	failed = iconv(conversion, &in, &left, &to, &room) == (size_t) -1 ||
		iconv(conversion, NULL, NULL, &to, &room) == (size_t) -1;
	iconv_close(conversion);
	if (failed || left > 0 || !ParseIsUtf8(out->data + before, to - out->data - before))
	{
		out->len = before;
		out->data[before] = '\0';
		return PARSE_BAD_ENCODING;
	}
	out->len = to - out->data;
	out->data[out->len] = '\0';
	return PARSE_OK;
}

/* The characters of Windows-1252 between 0x80 and 0x9F; 0 where there is none */
static const uint16_t windows_1252[32] = {
	0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017D, 0,
	0, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0, 0x017E, 0x0178
};

/* Read bytes as Windows-1252, leaving out what is none */
static void
AppendWindows1252(const char *data, size_t len, ParseText *out)
{
	for (size_t i = 0; i < len; i++)
	{
		unsigned char c = data[i];
		unsigned	point = c >= 0x80 && c < 0xA0 ? windows_1252[c - 0x80] : c;
		char		bytes[3];

		if (point == 0)
			continue;
		if (point < 0x80)
		{
			bytes[0] = point;
			ParseTextAppend(out, bytes, 1);
		}
		else if (point < 0x800)
		{
			bytes[0] = 0xC0 | point >> 6;
			bytes[1] = 0x80 | (point & 0x3F);
			ParseTextAppend(out, bytes, 2);
		}
		else
		{
			bytes[0] = 0xE0 | point >> 12;
			bytes[1] = 0x80 | (point >> 6 & 0x3F);
			bytes[2] = 0x80 | (point & 0x3F);
			ParseTextAppend(out, bytes, 3);
		}
	}
}

/*
 * Convert as mail programs do: in the character set that was said, else as
 * UTF-8 if it is that, else as Windows-1252
 */
void
ParseToUtf8Leniently(const char *charset, const char *data, size_t len, ParseText *out)
{
	if (charset && ParseToUtf8(charset, data, len, out) == PARSE_OK)
		return;
	if (ParseToUtf8(NULL, data, len, out) == PARSE_OK)
		return;
	AppendWindows1252(data, len, out);
}

/* Convert a document, whose byte order mark says more than anybody else */
ParseStatus
ParseDecodeDocument(const char *charset, const char *data, size_t len, ParseText *out)
{
	if (len >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0)
		return ParseToUtf8(NULL, data + 3, len - 3, out);
	if (len >= 2 && memcmp(data, "\xFF\xFE", 2) == 0)
		return ParseToUtf8("UTF-16LE", data + 2, len - 2, out);
	if (len >= 2 && memcmp(data, "\xFE\xFF", 2) == 0)
		return ParseToUtf8("UTF-16BE", data + 2, len - 2, out);
	return ParseToUtf8(charset, data, len, out);
}
