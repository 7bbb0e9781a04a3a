/*
 * Fuzz the reader of delimited text: rows are the same however the data is cut
 * into pieces, every byte belongs to a row or a line end, a row with a fault is
 * one line, and fields that are written in quotes are read back as they were.
 */
// sources: src/capture/csv.c
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "capture/csv.h"

#define MAX_FIELDS 64

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
Check(bool condition)
{
	if (!condition)
		abort();
}

/* Find the next row with the data arriving piece by piece */
static CsvStatus
FindInPieces(char delimiter, const char *data, size_t len, size_t piece, size_t *row_len, size_t *taken)
{
	CsvScan		scan = {0};

	for (size_t here = piece < len ? piece : len;; here = here + piece < len ? here + piece : len)
	{
		CsvStatus	status = CsvFindEnd(&scan, delimiter, data, here, here == len, row_len, taken);

		if (status != CSV_MORE)
			return status;
		Check(here < len);
	}
}

/* Write fields in quotes and read them back */
static void
CheckRoundTrip(char delimiter, const CsvField *fields, int count, size_t len)
{
	char	   *text = malloc(2 * len + 3 * count + 1);
	char	   *to = text;
	CsvField	again[MAX_FIELDS];
	CsvScan		scan = {0};
	size_t		row_len;
	size_t		taken;

	for (int i = 0; i < count; i++)
	{
		if (i > 0)
			*to++ = delimiter;
		*to++ = CSV_QUOTE;
		for (size_t c = 0; c < fields[i].len; c++)
		{
			if (fields[i].text[c] == CSV_QUOTE)
				*to++ = CSV_QUOTE;
			*to++ = fields[i].text[c];
		}
		*to++ = CSV_QUOTE;
	}
	Check(CsvFindEnd(&scan, delimiter, text, to - text, true, &row_len, &taken) == CSV_ROW);
	Check(row_len == (size_t) (to - text) && taken == row_len);
	Check(CsvSplit(delimiter, text, row_len, again, MAX_FIELDS) == count);
	for (int i = 0; i < count; i++)
		Check(again[i].len == fields[i].len && memcmp(again[i].text, fields[i].text, fields[i].len) == 0);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *) data + 2;
	size_t		len;
	size_t		at;
	char		delimiter;
	size_t		piece;

	if (size < 2)
		return 0;
	len = size - 2;
	delimiter = ",;\t|"[data[0] % 4];
	piece = 1 + data[1] % 16;
	at = CsvBegin(text, len, &delimiter);
	Check(at == 0 || ((at == 6 || at == 7) && delimiter == text[4]));
	delimiter = '\0';
	at = CsvBegin(text, len, &delimiter);
	Check(at > 0 || strchr(",;\t|", delimiter) != NULL);
	if (data[0] & 4)
		delimiter = ",;\t|"[data[0] % 4];
	while (at < len)
	{
		CsvScan		scan = {0};
		CsvField	fields[MAX_FIELDS];
		size_t		row_len;
		size_t		taken;
		size_t		piece_len;
		size_t		piece_taken;
		size_t		held = 0;
		char	   *row;
		int			count;
		CsvStatus	status = CsvFindEnd(&scan, delimiter, text + at, len - at, true, &row_len, &taken);

		Check(status == CSV_ROW || CsvFault(status) != NULL);
		Check(FindInPieces(delimiter, text + at, len - at, piece, &piece_len, &piece_taken) == status);
		Check(row_len == piece_len && taken == piece_taken);
		Check(taken > 0 && taken >= row_len && taken - row_len <= 2 && at + taken <= len);
		if (status != CSV_ROW)
		{
			Check(memchr(text + at, CSV_QUOTE, row_len) != NULL);
			Check(memchr(text + at, '\n', row_len) == NULL && memchr(text + at, '\r', row_len) == NULL);
			at += taken;
			continue;
		}
		row = malloc(row_len + 1);
		memcpy(row, text + at, row_len);
		count = CsvSplit(delimiter, row, row_len, fields, MAX_FIELDS);
		Check(count >= 1 && (size_t) count <= row_len + 1);
		for (int i = 0; i < count && i < MAX_FIELDS; i++)
		{
			Check(fields[i].text >= row && fields[i].text + fields[i].len <= row + row_len);
			held += fields[i].len;
		}
		Check(held <= row_len);
		if (count <= MAX_FIELDS)
			CheckRoundTrip(delimiter, fields, count, held);
		free(row);
		at += taken;
	}
	return 0;
}
