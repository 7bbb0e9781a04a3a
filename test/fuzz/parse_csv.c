/*
 * Fuzz the CSV reader: rows lie one after the other within the text, nothing
 * of it is skipped but line ends, and fields written out and read again are
 * the same.
 */
// sources: src/capture/parse_csv.c src/capture/parse_text.c
#include <stdint.h>

#include "parse_memory.h"

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Append the fields of the last row, quoted */
static void
Write(ParseText *out, const ParseCsv *csv)
{
	for (int f = 0; f < csv->field_count; f++)
	{
		ParseTextAppend(out, f > 0 ? ",\"" : "\"", f > 0 ? 2 : 1);
		for (size_t i = 0; i < csv->fields[f].len; i++)
			ParseTextAppend(out, csv->fields[f].data[i] == '"' ? "\"\"" : csv->fields[f].data + i,
							csv->fields[f].data[i] == '"' ? 2 : 1);
		ParseTextAppend(out, "\"", 1);
	}
	ParseTextAppend(out, "\r\n", 2);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char	   *text = ParseCopy((const char *) data, size);
	ParseText	whole = {0};
	ParseCsv	csv;
	ParseCsv	again;
	ParseStatus status;
	size_t		end;

	ParseCsvStart(&csv, text, size, 0);
	ParseTextAppend(&whole, "", 0);
	end = csv.pos;
	while ((status = ParseCsvRow(&csv)) != PARSE_END)
	{
		Check(csv.row_start >= end && csv.row_end >= csv.row_start && csv.pos >= csv.row_end && csv.pos <= size);
		Check(csv.pos > csv.row_start);
		for (; end < csv.row_start; end++)
			Check(text[end] == '\n' || text[end] == '\r');
		end = csv.row_end;
		Check(csv.field_count >= (status == PARSE_OK) && csv.field_count <= PARSE_MAX_COLUMNS);
		for (int f = 0; status == PARSE_OK && f < csv.field_count; f++)
			Check(csv.fields[f].data[csv.fields[f].len] == '\0');
		if (status == PARSE_OK)
			Write(&whole, &csv);
	}
	Check(csv.pos == size);

	ParseCsvStart(&csv, text, size, 0);
	ParseCsvStart(&again, whole.data, whole.len, ',');
	while ((status = ParseCsvRow(&csv)) != PARSE_END)
	{
		if (status != PARSE_OK)
			continue;
		Check(ParseCsvRow(&again) == PARSE_OK);
		Check(again.field_count == csv.field_count);
		for (int f = 0; f < csv.field_count; f++)
		{
			Check(again.fields[f].len == csv.fields[f].len);
			Check(memcmp(again.fields[f].data, csv.fields[f].data, csv.fields[f].len) == 0);
		}
	}
	Check(ParseCsvRow(&again) == PARSE_END);
	GiveBack();
	return 0;
}
