/*
 * CSV: a table whose first line names the columns.
 */
#include "postgres.h"

#include "capture/csv.h"
#include "capture/decode.h"
#include "miscadmin.h"

/* A text of rows on its way */
typedef struct CsvRows
{
	const char *data;
	size_t		len;
	size_t		pos;
	char		delimiter;
	const char *row;			/* the last one, as it came */
	size_t		row_len;
	char	   *copy;			/* of it, in which its fields lie */
	size_t		copy_size;
	CsvField   *fields;
	int			count;
	int			room;
} CsvRows;

/* Get the separator that a media type says, 0 when it says none */
static char
SaidSeparator(const Decoding *decoding)
{
	const char *said = ParseParameter(&decoding->type, "separator");

	if (strcmp(decoding->type.value, "text/tab-separated-values") == 0)
		return '\t';
	return said && strlen(said) == 1 ? *said : 0;
}

/* Read the next row that is not empty */
static CsvStatus
NextRow(CsvRows *rows)
{
	CsvStatus	status;

	do
	{
		CsvScan		scan = {0};
		size_t		taken;

		rows->row = rows->data + rows->pos;
		status = CsvFindEnd(&scan, rows->delimiter, rows->row, rows->len - rows->pos, true, &rows->row_len, &taken);
		if (status == CSV_END)
			return status;
		rows->pos += taken;
	} while (rows->row_len == 0);
	if (status != CSV_ROW)
		return status;
	if (rows->row_len > rows->copy_size)
	{
		rows->copy_size = rows->row_len * 2;
		rows->copy = ParseAllocate(rows->copy_size);
	}
	for (;;)
	{
		memcpy(rows->copy, rows->row, rows->row_len);
		rows->count = CsvSplit(rows->delimiter, rows->copy, rows->row_len, rows->fields, rows->room);
		if (rows->count <= rows->room || rows->count > PARSE_MAX_COLUMNS)
			return status;
		rows->room = Min(rows->count * 2, PARSE_MAX_COLUMNS);
		rows->fields = palloc(sizeof(CsvField) * rows->room);
	}
}

/* Get the code of what is wrong with the last row, NULL when nothing is, and say it */
static const char *
RowFault(const CsvRows *rows, CsvStatus status, const char **message)
{
	*message = NULL;
	if (status != CSV_ROW)
	{
		*message = CsvFault(status);
		return "invalid_csv";
	}
	if (rows->count <= PARSE_MAX_COLUMNS)
		return NULL;
	*message = psprintf("more than %d columns", PARSE_MAX_COLUMNS);
	return "too_many_columns";
}

/* Add a row that cannot be read, with the header above it */
static void
AddBadRow(Decoding *decoding, const CsvRows *rows, const char *header, size_t header_len, const char *code,
		  const char *message)
{
	StringInfoData raw;

	initStringInfo(&raw);
	appendBinaryStringInfo(&raw, header, header_len);
	appendStringInfoChar(&raw, '\n');
	appendBinaryStringInfo(&raw, rows->row, rows->row_len);
	DecodingAddBad(decoding, raw.data, raw.len, psprintf("text/csv; separator=\"%c\"", rows->delimiter), code, message);
	pfree(raw.data);
}

/* A table whose first line names the columns */
void
DecodeCsv(Decoding *decoding)
{
	ParseText	text = {0};
	ParsePairs	header = {0};
	ParsePairs	pairs = {0};
	CsvRows		rows = {0};
	CsvStatus	status;
	const char *code;
	const char *message;
	const char *header_row;
	size_t		header_len;

	if (!DecodingText(decoding, &text))
		return;
	rows.data = text.data;
	rows.len = text.len;
	rows.delimiter = SaidSeparator(decoding);
	rows.pos = CsvBegin(text.data, text.len, &rows.delimiter);
	status = NextRow(&rows);
	if (status == CSV_END)
		return;
	if ((code = RowFault(&rows, status, &message)) != NULL)
	{
		DecodingReject(decoding, code, psprintf("the header: %s", message));
		return;
	}
	header_row = rows.row;
	header_len = rows.row_len;
	for (int c = 0; c < rows.count; c++)
		ParsePairsAdd(&header, rows.fields[c].text, rows.fields[c].len, "", 0);
	pairs.items = palloc(sizeof(ParsePair) * Max(header.count, 1));
	while ((status = NextRow(&rows)) != CSV_END)
	{
		CHECK_FOR_INTERRUPTS();
		if ((code = RowFault(&rows, status, &message)) != NULL)
		{
			AddBadRow(decoding, &rows, header_row, header_len, code, message);
			continue;
		}

		/* spreadsheets add empty columns, and leave empty ones at the end out of all rows or none */
		while (rows.count > header.count && rows.fields[rows.count - 1].len == 0)
			rows.count--;
		if (rows.count != header.count)
		{
			if (rows.count == 1 && rows.fields[0].len == 0)
				continue;		/* an empty line that has quotes */
			AddBadRow(decoding, &rows, header_row, header_len, "ragged_row",
					  psprintf("%d fields where the header has %d", rows.count, header.count));
			continue;
		}
		pairs.count = 0;
		for (int c = 0; c < header.count; c++)
			if (header.items[c].name_len > 0 && rows.fields[c].len > 0)
				pairs.items[pairs.count++] = (ParsePair) {
					header.items[c].name, header.items[c].name_len, rows.fields[c].text, rows.fields[c].len
				};
		DecodingAdd(decoding, PairsPayload(&pairs), NULL);
	}
}
