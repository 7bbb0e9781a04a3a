/*
 * Delimited text, as RFC 4180 has it and as spreadsheets write it: a field in
 * quotes may hold delimiters, line ends and doubled quotes; a line ends with
 * LF, CRLF or CR.  What follows a closing quote within its field is taken as
 * it stands, and a quote inside a field that did not begin with one is a
 * character like others.
 *
 * A row is found first and split afterwards.  The search keeps its place, so
 * that data may arrive in pieces and no byte is looked at twice; the split
 * undoubles quotes where the field lies, so that nothing is allocated.
 */
#include "import/csv.h"

#include <string.h>

/* Find the end of the row that the data begins with; taken counts its line end too */
CsvStatus
CsvFindEnd(CsvScan *scan, char delimiter, const char *data, size_t len, bool is_last,
		   size_t *row_len, size_t *taken)
{
	size_t		i;

	for (i = scan->at; i < len; i++)
	{
		char		c = data[i];

		if (scan->in_quotes)
		{
			if (c == CSV_QUOTE)
			{
				scan->in_quotes = false;
				scan->after_quote = true;
			}
			else if (c == '\n')
				scan->lines++;
			continue;
		}
		if (scan->after_quote && c == CSV_QUOTE)
		{
			scan->in_quotes = true;
			scan->after_quote = false;
			continue;
		}
		scan->after_quote = false;
		if (c == '\n' || c == '\r')
		{
			if (c == '\r' && i + 1 == len && !is_last)
				break;			/* a LF may follow */
			*row_len = i;
			*taken = i + 1 + (c == '\r' && i + 1 < len && data[i + 1] == '\n');
			scan->lines++;
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
	if (!is_last)
		return CSV_MORE;
	*row_len = *taken = len;
	return len > 0 ? CSV_ROW : CSV_END;
}

/* Take the quotes off a field, in place; returns what follows the field */
static char *
Unquote(char delimiter, char *at, char *end, CsvField *field)
{
	char	   *to = at;
	char	   *from = at + 1;

	while (from < end)
	{
		if (*from != CSV_QUOTE)
			*to++ = *from++;
		else if (from + 1 < end && from[1] == CSV_QUOTE)
		{
			*to++ = CSV_QUOTE;
			from += 2;
		}
		else
		{
			for (from++; from < end && *from != delimiter;)
				*to++ = *from++;
			break;
		}
	}
	field->text = at;
	field->len = to - at;
	return from;
}

/*
 * Split a row into its fields.  Returns how many it has, which may be more
 * than were stored; the row is overwritten.
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
			at = Unquote(delimiter, at, end, &field);
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

/* Guess the delimiter of a text from its first line: the most frequent outside quotes */
char
CsvGuessDelimiter(const char *data, size_t len)
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
