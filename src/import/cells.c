/*
 * Cells of tables as people write them.  1/8 is the first of August to one and
 * the eighth of January to another, and 1.234 a thousand or hardly more than
 * one: what is right has to be declared, and a value that is not of the
 * declared format is refused, not read the other way.
 */
#include "import/cells.h"

#include <string.h>

/* Years of two digits from here on are of the last century, as PostgreSQL has it */
#define CENTURY_TURN 70

/* How long is the white space that a text begins with? */
static size_t
BlankLength(const char *text, size_t len)
{
	const unsigned char *c = (const unsigned char *) text;

	if (len > 0 && (*c == ' ' || (*c >= '\t' && *c <= '\r')))
		return 1;
	if (len >= 2 && c[0] == 0xC2 && c[1] == 0xA0)	/* no-break space */
		return 2;
	if (len >= 3 && c[0] == 0xE2 && c[1] == 0x80 && (c[2] == 0xAF || c[2] == 0x8B)) /* narrow no-break, zero width */
		return 3;
	if (len >= 3 && c[0] == 0xE3 && c[1] == 0x80 && c[2] == 0x80)	/* ideographic space */
		return 3;
	return 0;
}

/* Take the white space off both ends of a text */
void
CellTrim(const char **start, size_t *len)
{
	size_t		blank;

	while ((blank = BlankLength(*start, *len)) > 0)
	{
		*start += blank;
		*len -= blank;
	}
	while (*len > 0)
	{
		if (BlankLength(*start + *len - 1, 1) == 1)
			*len -= 1;
		else if (*len >= 2 && BlankLength(*start + *len - 2, 2) == 2)
			*len -= 2;
		else if (*len >= 3 && BlankLength(*start + *len - 3, 3) == 3)
			*len -= 3;
		else
			break;
	}
}

static bool
IsDigit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
IsDateSeparator(char c)
{
	return c == '.' || c == '/' || c == '-';
}

/* Write a number with leading zeros */
static char *
PutNumber(char *to, int number, int digits)
{
	for (int i = digits - 1; i >= 0; i--)
	{
		to[i] = '0' + number % 10;
		number /= 10;
	}
	return to + digits;
}

static int
DaysInMonth(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && ((year % 4 == 0 && year % 100 != 0) || year % 400 == 0));
}

/*
 * Write a date such as 1/8/2026 or 31.12.26 09:30 as ISO 8601, given the order
 * of its parts: DMY, MDY or YMD.  A year of four digits in front says YMD by
 * itself.  What follows the date, a time, is kept.  out has room for
 * CELL_MAX_CONVERTED bytes.
 */
CellStatus
CellDate(const char *order, const char *text, size_t len, char *out)
{
	int			parts[3];
	int			digits[3];
	size_t		at = 0;
	char		separator = '\0';
	int			year;
	int			month;
	int			day;

	for (int p = 0; p < 3; p++)
	{
		parts[p] = digits[p] = 0;
		while (at < len && IsDigit(text[at]))
		{
			if (++digits[p] > 4)
				return p == 0 ? CELL_AS_IT_IS : CELL_INVALID;
			parts[p] = parts[p] * 10 + (text[at++] - '0');
		}
		if (digits[p] == 0)
			return p == 0 || (at < len && !IsDateSeparator(text[at])) ? CELL_AS_IT_IS : CELL_INVALID;
		if (p == 2)
			break;
		if (at >= len || !IsDateSeparator(text[at]) || (p == 1 && text[at] != separator))
			return CELL_AS_IT_IS;
		separator = text[at++];
		while (at < len && text[at] == ' ')
			at++;
	}
	if (at < len && text[at] == separator)
		at++;					/* 31.12.2026. */
	if (digits[0] > 2)
		order = "YMD";
	year = order[0] == 'Y' ? 0 : 2;
	month = order[0] == 'M' ? 0 : 1;
	day = order[0] == 'D' ? 0 : order[0] == 'M' ? 1 : 2;
	if (digits[month] > 2 || digits[day] > 2 || (digits[year] != 2 && digits[year] != 4))
		return CELL_INVALID;
	if (digits[year] == 2)
		parts[year] += parts[year] < CENTURY_TURN ? 2000 : 1900;
	if (parts[year] < 1 || parts[month] < 1 || parts[month] > 12 || parts[day] < 1 ||
		parts[day] > DaysInMonth(parts[year], parts[month]))
		return CELL_INVALID;
	if (at < len && text[at] != ' ' && text[at] != 'T')
		return CELL_INVALID;
	if (len - at > CELL_MAX_CONVERTED - 11)
		return CELL_INVALID;
	out = PutNumber(out, parts[year], 4);
	*out++ = '-';
	out = PutNumber(out, parts[month], 2);
	*out++ = '-';
	out = PutNumber(out, parts[day], 2);
	memcpy(out, text + at, len - at);
	out[len - at] = '\0';
	return CELL_CONVERTED;
}

/*
 * Write a number with the given decimal mark plainly: with a point, and
 * without the marks between its groups of three digits, which may be spaces,
 * apostrophes or, in place of the other, points or commas.  out has room for
 * CELL_MAX_CONVERTED bytes.
 */
CellStatus
CellNumber(char decimal_mark, const char *text, size_t len, char *out)
{
	const char *end = text + len;
	char	   *to = out;
	int			run = 0;		/* digits since the last mark */
	int			groups = 0;
	char		mark = '\0';	/* first byte of the mark between groups */
	bool		has_digits = false;

	if (len >= CELL_MAX_CONVERTED)
		return CELL_INVALID;
	if (text < end && (*text == '-' || *text == '+'))
		*to++ = *text++;
	while (text < end && *text != decimal_mark)
	{
		if (IsDigit(*text))
		{
			*to++ = *text++;
			run++;
			has_digits = true;
			continue;
		}
		else
		{
			size_t		width = *text == '\'' || *text == ',' || *text == '.' ? 1 : BlankLength(text, end - text);

			if (width == 0 || run == 0 || run > 3 || (groups > 0 && (run != 3 || *text != mark)))
				return CELL_INVALID;
			mark = *text;
			text += width;
			groups++;
			run = 0;
		}
	}
	if (groups > 0 && run != 3)
		return CELL_INVALID;
	if (text < end)
	{
		*to++ = '.';
		for (text++; text < end && IsDigit(*text);)
		{
			*to++ = *text++;
			has_digits = true;
		}
		if (text < end)
			return CELL_INVALID;
	}
	*to = '\0';
	return has_digits ? CELL_CONVERTED : CELL_INVALID;
}

/* Is this valid UTF-8, without NUL bytes? */
bool
Utf8IsValid(const char *text, size_t len)
{
	const unsigned char *c = (const unsigned char *) text;
	const unsigned char *end = c + len;

	while (c < end)
	{
		int			more;

		if (*c < 0x80)
		{
			if (*c++ == 0)
				return false;
			continue;
		}
		more = *c >= 0xC2 && *c <= 0xDF ? 1 : (*c & 0xF0) == 0xE0 ? 2 : *c >= 0xF0 && *c <= 0xF4 ? 3 : 0;
		if (more == 0 || end - c <= more)
			return false;
		if ((*c == 0xE0 && c[1] < 0xA0) || (*c == 0xED && c[1] > 0x9F) ||
			(*c == 0xF0 && c[1] < 0x90) || (*c == 0xF4 && c[1] > 0x8F))
			return false;
		for (c++; more > 0; more--)
			if ((*c++ & 0xC0) != 0x80)
				return false;
	}
	return true;
}

/* Write a text as a JSON string; returns where it ends */
char *
JsonPutString(char *to, const char *text, size_t len)
{
	static const char hex[] = "0123456789abcdef";

	*to++ = '"';
	for (size_t i = 0; i < len; i++)
	{
		unsigned char c = text[i];

		if (c == '"' || c == '\\')
		{
			*to++ = '\\';
			*to++ = c;
		}
		else if (c >= 0x20)
			*to++ = c;
		else if (c == '\n')
		{
			*to++ = '\\';
			*to++ = 'n';
		}
		else
		{
			memcpy(to, "\\u00", 4);
			to[4] = hex[c >> 4];
			to[5] = hex[c & 15];
			to += 6;
		}
	}
	*to++ = '"';
	return to;
}

/* Write the first bytes of a digest as the key of a row, in the letters of base64url */
void
RowKeyText(const uint8_t *digest, char *out)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

	for (int i = 0; i < ROW_KEY_BYTES; i += 3)
	{
		uint32_t	bits = (uint32_t) digest[i] << 16 | (uint32_t) digest[i + 1] << 8 | digest[i + 2];

		for (int shift = 18; shift >= 0; shift -= 6)
			*out++ = letters[bits >> shift & 63];
	}
	*out = '\0';
}
