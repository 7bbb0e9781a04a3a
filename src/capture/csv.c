/*
 * Delimited text, as RFC 4180 has it and as spreadsheets write it: a field in
 * quotes may hold delimiters, line ends and doubled quotes; a line ends with
 * LF, CRLF or CR.  A quote inside a field that did not begin with one is a
 * character like others.
 *
 * A row is found first and split afterwards.  The search keeps its place, so
 * that data may arrive in pieces and no byte is looked at twice; the split
 * undoubles quotes where the field lies, so that nothing is allocated.
 *
 * A row whose quotes do not close where they should is given up at the end of
 * the line that it begins on, and the next row begins behind that: so a quote
 * left open costs one line and not all that follow.
 */
#include "capture/csv.h"

#include <string.h>

/* Guess the delimiter of a text from its first line: the most frequent outside quotes */
static char
GuessDelimiter(const char *data, size_t len)
{
	static const char candidates[] = {',', ';', '\t', '|'};
	size_t		counts[sizeof(candidates)] = {0};
	size_t		best = 0;
	bool		quoted = false;

	for (size_t i = 0; i < len; i++)
	{
		if (data[i] == CSV_QUOTE)
			quoted = !quoted;
		else if (!quoted && (data[i] == '\n' || data[i] == '\r'))
			break;
		else if (!quoted)
			for (size_t c = 0; c < sizeof(candidates); c++)
				counts[c] += data[i] == candidates[c];
	}
	for (size_t c = 1; c < sizeof(candidates); c++)
		if (counts[c] > counts[best])
			best = c;
	return candidates[best];
}

/*
 * Find out the delimiter, where none is given (0): the header tells it, or a
 * line before that, as Excel writes it ("sep=;"), which also comes before what
 * is given.  Returns how many bytes that line takes.
 */
size_t
CsvBegin(const char *data, size_t len, char *delimiter)
{
	if (len >= 6 && memcmp(data, "sep=", 4) == 0 && strchr("\"\r\n", data[4]) == NULL &&
		(data[5] == '\n' || data[5] == '\r'))
	{
		*delimiter = data[4];
		return data[5] == '\r' && len > 6 && data[6] == '\n' ? 7 : 6;
	}
	if (*delimiter == '\0')
		*delimiter = GuessDelimiter(data, len);
	return 0;
}

/* Give up a row that has a fault: find the end of the line that it begins on */
static CsvStatus
FindLineEnd(CsvScan *scan, const char *data, size_t len, bool is_last, size_t *row_len, size_t *taken)
{
	size_t		end = scan->has_line_end ? scan->line_end : scan->at;

	while (end < len && data[end] != '\n' && data[end] != '\r')
		end++;
	scan->at = end;
	if (!is_last && (end == len || (data[end] == '\r' && end + 1 == len)))
		return CSV_MORE;
	*row_len = end;
	*taken = end == len ? len : end + 1 + (data[end] == '\r' && end + 1 < len && data[end + 1] == '\n');
	return scan->fault;
}

/*
 * Find the end of the row that the data begins with: its length, and how many
 * bytes are taken with its line end.
 */
CsvStatus
CsvFindEnd(CsvScan *scan, char delimiter, const char *data, size_t len, bool is_last,
		   size_t *row_len, size_t *taken)
{
	size_t		i;

	for (i = scan->at; i < len && scan->fault == CSV_ROW; i++)
	{
		char		c = data[i];

		if (scan->in_quotes)
		{
			if (c == CSV_QUOTE)
			{
				scan->in_quotes = false;
				scan->after_quote = true;
			}
			else if ((c == '\n' || c == '\r') && !scan->has_line_end)
			{
				scan->has_line_end = true;
				scan->line_end = i;
			}
			continue;
		}
		if (scan->after_quote)
		{
			scan->after_quote = false;
			if (c == CSV_QUOTE)
			{
				scan->in_quotes = true;
				continue;
			}
			if (c != delimiter && c != '\n' && c != '\r')
			{
				scan->fault = CSV_STRAY_QUOTE;
				break;
			}
		}
		if (c == '\n' || c == '\r')
		{
			if (c == '\r' && i + 1 == len && !is_last)
				break;			/* a LF may follow */
			*row_len = i;
			*taken = i + 1 + (c == '\r' && i + 1 < len && data[i + 1] == '\n');
			return CSV_ROW;
		}
		if (c == delimiter)
			scan->in_field = false;
		else
		{
			scan->in_quotes = !scan->in_field && c == CSV_QUOTE;
			scan->in_field = true;
		}
	}
	scan->at = i;
	if (is_last)
		CsvGiveUp(scan);
	if (scan->fault != CSV_ROW)
		return FindLineEnd(scan, data, len, is_last, row_len, taken);
	if (!is_last)
		return CSV_MORE;
	*row_len = *taken = len;
	return len > 0 ? CSV_ROW : CSV_END;
}

/* Wait no longer for the end of a field in quotes, where the row is in one */
void
CsvGiveUp(CsvScan *scan)
{
	if (scan->in_quotes)
		scan->fault = CSV_OPEN_QUOTE;
}

/* Take the quotes off a field, in place; returns what follows the field */
static char *
Unquote(char *at, char *end, CsvField *field)
{
	char	   *to = at;
	char	   *from = at + 1;

	while (from < end && (*from != CSV_QUOTE || (++from < end && *from == CSV_QUOTE)))
		*to++ = *from++;
	field->text = at;
	field->len = to - at;
	return from;
}

/*
 * Split a row without fault into its fields.  Returns how many it has, which
 * may be more than were stored; the row is overwritten.
 */
int
CsvSplit(char delimiter, char *row, size_t len, CsvField *fields, int max_fields)
{
	char	   *at = row;
	char	   *end = row + len;
	int			n = 0;

	for (;;)
	{
		CsvField	field = {at, 0};

		if (at < end && *at == CSV_QUOTE)
			at = Unquote(at, end, &field);
		else
		{
			char	   *next = memchr(at, delimiter, end - at);

			at = next ? next : end;
			field.len = at - field.text;
		}
		if (n < max_fields)
			fields[n] = field;
		n++;
		if (at >= end)
			return n;
		at++;
	}
}

/* Say what is wrong with a row */
const char *
CsvFault(CsvStatus status)
{
	return status == CSV_OPEN_QUOTE ? "a quoted field does not end" :
		"something stands between a quoted field and the next separator";
}
