/*
 * Lines of "Key: value", as forms write them into mails and feeds, and a guess
 * at the media type of bytes.
 */
#include <string.h>

#include "capture/parse.h"

/* Longest key, in bytes and in words */
#define KEY_MAX_BYTES 80
#define KEY_MAX_WORDS 6

/* Bytes that a guess looks at */
#define SNIFF_BYTES 4096

/* Is this a blank, the no-break space included? */
static int
BlankLength(const char *data, size_t len)
{
	if (len > 0 && (*data == ' ' || *data == '\t' || *data == '\r'))
		return 1;
	return len > 1 && memcmp(data, "\xC2\xA0", 2) == 0 ? 2 : 0;
}

/* Leave blanks at both ends out */
static void
Trim(const char **data, size_t *len)
{
	int			blank;

	while ((blank = BlankLength(*data, *len)) > 0)
		*data += blank, *len -= blank;
	while (*len > 0 && (BlankLength(*data + *len - 1, 1) > 0 || (*len > 1 && BlankLength(*data + *len - 2, 2) == 2)))
		*len -= BlankLength(*data + *len - 1, 1) > 0 ? 1 : 2;
}

/* Is this what a form would call a field? */
static bool
IsKey(const char *data, size_t len)
{
	int			words = 1;
	unsigned char first = *data;

	if (len == 0 || len > KEY_MAX_BYTES)
		return false;
	if (!(first >= 0x80 || (first >= 'A' && first <= 'Z') || (first >= 'a' && first <= 'z')))
		return false;
	for (size_t i = 0; i < len; i++)
	{
		unsigned char c = data[i];

		if (c == ' ' && ++words > KEY_MAX_WORDS)
			return false;
		if (c < ' ' || strchr("<>@\"{}[]|\\", c) != NULL || (c == '.' && i + 1 < len && data[i + 1] != ' '))
			return false;
	}
	return true;
}

/* Take a line apart at its colon, tabulator or equals sign */
static bool
SplitLine(const char *line, size_t len, ParsePairs *pairs)
{
	size_t		at;
	const char *key = line;
	size_t		key_len;
	const char *value;
	size_t		value_len;

	for (at = 0; at < len && line[at] != ':' && line[at] != '=' && line[at] != '\t'; at++)
		if (at > KEY_MAX_BYTES + 8)
			return false;
	if (at >= len)
		return false;
	if (at + 2 < len && memcmp(line + at, "://", 3) == 0)
		return false;			/* an address on the Web */
	key_len = at;
	value = line + at + 1;
	value_len = len - at - 1;
	if (line[at] == '\t' && value_len > 0 && *value == ':')
		value++, value_len--;
	Trim(&key, &key_len);

	/* marks of emphasis and of lists */
	while (key_len > 0 && (*key == '*' || *key == '-' || *key == '_' || *key == '#' || *key == ' '))
		key++, key_len--;
	while (key_len > 0 && (key[key_len - 1] == '*' || key[key_len - 1] == '_' || key[key_len - 1] == ' '))
		key_len--;
	if (!IsKey(key, key_len))
		return false;
	while (value_len > 0 && *value == '*')
		value++, value_len--;
	Trim(&value, &value_len);
	ParsePairsAdd(pairs, key, key_len, value, value_len);
	return true;
}

/*
 * Read pairs off lines.  A key without a value takes the lines that follow,
 * to the next key or empty line; so does one whose value goes on in lines that
 * are indented.  What is no pair goes to the other text.
 */
void
ParseLines(const char *data, size_t len, ParsePairs *pairs, ParseText *other)
{
	size_t		pos = 0;
	bool		is_open = false;	/* the last pair may go on */
	bool		is_empty = false;	/* it has no value so far */
	bool		is_below = false;	/* its value began on the line after its key */
	ParseText	whole = {0};	/* its value, where that has several lines */

	ParseTextAppend(other, "", 0);
	while (pos < len)
	{
		const char *line = data + pos;
		const char *feed = memchr(line, '\n', len - pos);
		size_t		line_len = feed ? (size_t) (feed - line) : len - pos;
		const char *text = line;
		size_t		text_len = line_len;
		bool		is_indented;

		pos += line_len + 1;
		while (text_len > 0 && *text == '>')	/* quoted */
		{
			text++, text_len--;
			if (text_len > 0 && *text == ' ')
				text++, text_len--;
		}
		is_indented = BlankLength(text, text_len) > 0;
		Trim(&text, &text_len);
		if (text_len == 0)
		{
			is_open = is_open && is_empty;
			continue;
		}
		if (!(is_open && is_indented && !is_empty) && SplitLine(text, text_len, pairs))
		{
			is_open = true;
			is_below = is_empty = pairs->items[pairs->count - 1].value_len == 0;
			whole = (ParseText) {0};
		}
		else if (is_open && (is_indented || is_below))
		{
			ParsePair  *pair = &pairs->items[pairs->count - 1];

			if (whole.len == 0)
				ParseTextAppend(&whole, pair->value, pair->value_len);
			if (whole.len > 0)
				ParseTextAppend(&whole, "\n", 1);
			ParseTextAppend(&whole, text, text_len);
			pair->value = whole.data;
			pair->value_len = whole.len;
			is_empty = false;
		}
		else
		{
			ParseTextAppend(other, text, text_len);
			ParseTextAppend(other, "\n", 1);
			is_open = false;
		}
	}
}

/* Does a name end so, in whatever case? */
static bool
EndsWith(const char *name, const char *end)
{
	size_t		name_len = strlen(name);
	size_t		end_len = strlen(end);

	if (name_len < end_len)
		return false;
	for (size_t i = 0; i < end_len; i++)
	{
		char		c = name[name_len - end_len + i];

		if ((c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c) != end[i])
			return false;
	}
	return true;
}

/* Is there such a text among the first bytes? */
static bool
Contains(const char *data, size_t len, const char *text)
{
	size_t		text_len = strlen(text);

	for (size_t i = 0; i + text_len <= len; i++)
		if (memcmp(data + i, text, text_len) == 0)
			return true;
	return false;
}

/* Guess a media type, from a file's name (or NULL) and from how the bytes begin */
const char *
ParseSniff(const char *name, const char *data, size_t len)
{
	static const struct
	{
		const char *end;
		const char *type;
	}			endings[] = {
		{".ndjson", "application/x-ndjson"}, {".jsonl", "application/x-ndjson"}, {".json", "application/json"},
		{".csv", "text/csv"}, {".tsv", "text/tab-separated-values"}, {".eml", "message/rfc822"},
		{".rss", "application/rss+xml"}, {".atom", "application/atom+xml"},
		{".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
	};
	size_t		first = 0;
	size_t		line;

	for (size_t e = 0; name && e < sizeof(endings) / sizeof(endings[0]); e++)
		if (EndsWith(name, endings[e].end))
			return endings[e].type;
	if (len > SNIFF_BYTES)
		len = SNIFF_BYTES;
	if (len >= 4 && memcmp(data, "PK\003\004", 4) == 0)
		return "application/zip";	/* what a workbook is */
	if (len >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0)
		first = 3;
	while (first < len && (data[first] == ' ' || data[first] == '\t' || data[first] == '\n' || data[first] == '\r'))
		first++;
	if (first == len)
		return "application/json";
	if (data[first] == '<')
		return Contains(data + first, len - first, "<rss") || Contains(data + first, len - first, "<rdf:RDF") ? "application/rss+xml" :
			Contains(data + first, len - first, "http://www.w3.org/2005/Atom") ? "application/atom+xml" : "application/xml";
	if (data[first] == '{' || data[first] == '[')
		return data[first] == '{' && (Contains(data + first, len - first, "}\n{") || Contains(data + first, len - first, "}\r\n{")) ?
			"application/x-ndjson" : "application/json";
	for (line = first; line < len && data[line] != '\n'; line++)
		;
	if (memchr(data + first, '=', line - first) && memchr(data + first, ' ', line - first) == NULL &&
		memchr(data + first, ',', line - first) == NULL)
		return "application/x-www-form-urlencoded";
	{
		const char *colon = memchr(data + first, ':', line - first);

		if (colon && memchr(data + first, ' ', colon - (data + first)) == NULL &&
			(Contains(data, len, "\nFrom:") || Contains(data, len, "\nSubject:") || Contains(data, len, "\nMIME-Version:")))
			return "message/rfc822";
	}
	if (line < len && strpbrk(ParseCopy(data + first, line - first), ",;\t|"))
		return "text/csv";
	return "application/json";
}
