/*
 * CSV as in RFC 4180, with any of the separators that spreadsheets write.
 */
#include <string.h>

#include "capture/parse.h"

/* Find the separator that a text's first line has most of, outside quotes */
static char
GuessSeparator(const char *data, size_t len)
{
	static const char separators[] = ",;\t|";
	size_t		counts[4] = {0};
	int			best = 0;
	bool		quoted = false;

	for (size_t i = 0; i < len && (quoted || (data[i] != '\n' && data[i] != '\r')); i++)
	{
		const char *found;

		if (data[i] == '"')
			quoted = !quoted;
		else if (!quoted && data[i] != '\0' && (found = strchr(separators, data[i])) != NULL)
			counts[found - separators]++;
	}
	for (int s = 1; s < 4; s++)
		if (counts[s] > counts[best])
			best = s;
	return separators[best];
}

/*
 * Begin to read.  Where no separator is given (0) the first line tells it: by
 * itself, as Excel writes it ("sep=;"), or as the header.
 */
void
ParseCsvStart(ParseCsv *csv, const char *data, size_t len, char separator)
{
	memset(csv, 0, sizeof(ParseCsv));
	csv->data = data;
	csv->len = len;
	csv->next_line = 1;
	if (len >= 6 && memcmp(data, "sep=", 4) == 0 && (data[5] == '\n' || data[5] == '\r'))
	{
		csv->separator = data[4];
		csv->pos = data[5] == '\r' && len > 6 && data[6] == '\n' ? 7 : 6;
		csv->next_line = 2;
	}
	else
		csv->separator = separator ? separator : GuessSeparator(data, len);
}

/* Begin a field of the row */
static bool
BeginField(ParseCsv *csv)
{
	if (csv->field_count == PARSE_MAX_COLUMNS)
		return false;
	if (csv->field_count == csv->field_size)
	{
		csv->field_size = csv->field_size ? csv->field_size * 2 : 32;
		csv->fields = csv->fields ? ParseReallocate(csv->fields, sizeof(ParseField) * csv->field_size) :
			ParseAllocate(sizeof(ParseField) * csv->field_size);
	}
	csv->fields[csv->field_count++].len = 0;
	return true;
}

/* Append to the last field of the row */
static void
AppendField(ParseCsv *csv, const char *data, size_t len)
{
	ParseTextAppend(&csv->text, data, len);
	csv->fields[csv->field_count - 1].len += len;
}

/* Say where the fields lie, now that they will not move any more */
static void
PlaceFields(ParseCsv *csv)
{
	char	   *at = csv->text.data;

	for (int f = 0; f < csv->field_count; f++)
	{
		csv->fields[f].data = at;
		at += csv->fields[f].len + 1;
	}
}

/* Go on behind the end of the line on which the position lies */
static void
SkipLine(ParseCsv *csv)
{
	const char *end = csv->pos < csv->len ? memchr(csv->data + csv->pos, '\n', csv->len - csv->pos) : NULL;

	csv->pos = end ? (size_t) (end - csv->data) + 1 : csv->len;
	csv->row_end = csv->pos;
	while (csv->row_end > csv->row_start &&
		   (csv->data[csv->row_end - 1] == '\n' || csv->data[csv->row_end - 1] == '\r'))
		csv->row_end--;
	csv->next_line++;
}

/*
 * Read the next row that is not empty.  After a fault the reader stands at the
 * line behind the one on which the faulty row began, so that a quote left open
 * costs one line and not all that follow.
 */
ParseStatus
ParseCsvRow(ParseCsv *csv)
{
	while (csv->pos < csv->len && (csv->data[csv->pos] == '\n' || csv->data[csv->pos] == '\r'))
		if (csv->data[csv->pos++] == '\n')
			csv->next_line++;
	csv->row_start = csv->row_end = csv->pos;
	csv->line = csv->next_line;
	csv->field_count = 0;
	csv->text.len = 0;
	if (csv->pos >= csv->len)
		return PARSE_END;
	for (;;)
	{
		ParseStatus status = PARSE_OK;
		char		end;

		if (!BeginField(csv))
			status = PARSE_TOO_MANY;
		else if (csv->pos < csv->len && csv->data[csv->pos] == '"')
		{
			bool		closed = false;

			csv->pos++;
			while (csv->pos < csv->len && !closed)
			{
				const char *start = csv->data + csv->pos;
				const char *quote = memchr(start, '"', csv->len - csv->pos);
				size_t		plain = quote ? (size_t) (quote - start) : csv->len - csv->pos;

				AppendField(csv, start, plain);
				csv->pos += plain + (quote != NULL);
				if (quote && csv->pos < csv->len && csv->data[csv->pos] == '"')
				{
					AppendField(csv, "\"", 1);
					csv->pos++;
				}
				else
					closed = quote != NULL;
			}
			if (!closed)
				status = PARSE_OPEN_QUOTE;
			else if (csv->pos < csv->len && csv->data[csv->pos] != csv->separator &&
					 csv->data[csv->pos] != '\n' && csv->data[csv->pos] != '\r')
				status = PARSE_STRAY_QUOTE;
		}
		else
		{
			size_t		start = csv->pos;

			while (csv->pos < csv->len && csv->data[csv->pos] != csv->separator &&
				   csv->data[csv->pos] != '\n' && csv->data[csv->pos] != '\r')
				csv->pos++;
			AppendField(csv, csv->data + start, csv->pos - start);
		}
		if (status == PARSE_OPEN_QUOTE || status == PARSE_STRAY_QUOTE)
			csv->pos = csv->row_start;
		if (status != PARSE_OK)
		{
			SkipLine(csv);
			return status;
		}
		ParseTextAppend(&csv->text, "", 1);	/* the NUL */
		end = csv->pos < csv->len ? csv->data[csv->pos] : '\n';
		if (end != csv->separator)
			break;
		csv->pos++;
	}
	PlaceFields(csv);
	csv->row_end = csv->pos;
	for (size_t i = csv->row_start; i < csv->row_end; i++)
		csv->next_line += csv->data[i] == '\n';
	if (csv->pos < csv->len && csv->data[csv->pos] == '\r')
		csv->pos++;
	if (csv->pos < csv->len && csv->data[csv->pos] == '\n')
		csv->pos++;
	csv->next_line++;
	return PARSE_OK;
}
