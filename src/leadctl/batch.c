/*
 * The batch at hand: its rows become binary COPY data, and those that are
 * rejected lines of a file.
 */
#include "leadctl/import.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Write a value as a field of CSV */
static void
PutCsv(FILE *file, char delimiter, const char *text)
{
	if (strchr(text, delimiter) == NULL && strpbrk(text, "\"\r\n") == NULL)
	{
		fputs(text, file);
		return;
	}
	fputc('"', file);
	for (; *text; text++)
	{
		if (*text == '"')
			fputc('"', file);
		fputc(*text, file);
	}
	fputc('"', file);
}

/* Write a rejected row with why */
void
PutReject(Import *import, const char *number, const char *reasons, const char *raw, size_t raw_len)
{
	char		delimiter = import->source->delimiter;

	if (import->rejects == NULL)
	{
		import->rejects = fopen(import->rejects_path, "w");
		if (import->rejects == NULL)
			Die(EXIT_NO_OUTPUT, "%s: %s", import->rejects_path, strerror(errno));
		fprintf(import->rejects, "import_row%cimport_reasons", delimiter);
		for (int i = 0; i < import->source->column_count; i++)
		{
			fputc(delimiter, import->rejects);
			PutCsv(import->rejects, delimiter, import->source->columns[i]);
		}
		fputs(import->source->column_count == 0 ? ",record\n" : "\n", import->rejects);
	}
	fprintf(import->rejects, "%s%c", number, delimiter);
	PutCsv(import->rejects, delimiter, reasons);
	fputc(delimiter, import->rejects);
	if (import->source->column_count == 0)
	{
		char	   *text = Allocate(raw_len + 1);

		memcpy(text, raw, raw_len);
		PutCsv(import->rejects, delimiter, text);
		free(text);
	}
	else
		fwrite(raw, 1, raw_len, import->rejects);
	fputc('\n', import->rejects);
	import->reject_count++;
}

/* Find a row of the batch */
const BatchRow *
FindRow(const Import *import, int64_t number)
{
	long		low = 0;
	long		high = import->row_count;

	while (low < high)
	{
		long		middle = (low + high) / 2;

		if (import->rows[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < import->row_count && import->rows[low].number == number ? &import->rows[low] : NULL;
}

/* Add a reason as the server writes them */
static void
PutReason(Buffer *out, const char *field, const char *code, const char *value, size_t value_len, const char *message)
{
	size_t		quoted = value_len < 200 ? value_len : 200;

	while (quoted > 0 && quoted < value_len && (value[quoted] & 0xC0) == 0x80)
		quoted--;
	BufferAddText(out, "{\"field\": ");
	if (field)
		BufferAddJson(out, field, strlen(field));
	else
		BufferAddText(out, "null");
	BufferAddText(out, ", \"code\": ");
	BufferAddJson(out, code, strlen(code));
	BufferAddText(out, ", \"value\": ");
	if (value)
		BufferAddJson(out, value, quoted);
	else
		BufferAddText(out, "null");
	BufferAddText(out, ", \"message\": ");
	BufferAddJson(out, message, strlen(message));
	BufferAddText(out, ", \"severity\": \"error\"}");
}

/*
 * Write the payload of a row, and the key that tells it from others; false
 * when a value is not of the declared format, with the reasons among those
 * refused.
 */
static bool
BuildPayload(Import *import, const Row *row, Buffer *reasons)
{
	int			count = row->count < import->source->column_count ? row->count : import->source->column_count;
	char		converted[CELL_MAX_CONVERTED];
	bool		is_good = true;

	import->payload.len = 0;
	import->key.len = 0;
	BufferAddText(&import->payload, "{");
	for (int i = 0; i < import->source->column_count; i++)
	{
		int			at = import->order[i];
		const Column *column = &import->columns[at];
		const char *text;
		size_t		len;

		if (column->key == NULL || at >= count)
			continue;
		text = row->cells[at].text;
		len = row->cells[at].len;
		CellTrim(&text, &len);
		if (len == 0)
			continue;
		if (!(row->is_exact && row->is_exact[at]))
		{
			CellStatus	status = CELL_AS_IT_IS;

			if (column->kind == KIND_DATE && import->date_order[0])
				status = CellDate(import->date_order, text, len, converted);
			else if (column->kind == KIND_NUMBER && import->decimal_mark)
				status = CellNumber(import->decimal_mark, text, len, converted);
			if (status == CELL_INVALID)
			{
				char	   *message = column->kind == KIND_DATE ?
					Format("not a date in the order %s", import->date_order) :
					Format("not a number with the decimal mark %c", import->decimal_mark);

				BufferAddText(reasons, is_good ? "" : ", ");
				PutReason(reasons, column->field, column->kind == KIND_DATE ? "invalid_date" : "invalid_number",
						  text, len, message);
				free(message);
				is_good = false;
			}
			else if (status == CELL_CONVERTED)
			{
				text = converted;
				len = strlen(converted);
			}
		}
		BufferAddText(&import->payload, import->payload.len > 1 ? ", " : "");
		BufferAddJson(&import->payload, column->key, strlen(column->key));
		BufferAdd(&import->payload, ": ", 2);
		BufferAddJson(&import->payload, text, len);
		BufferAdd(&import->key, column->key, strlen(column->key) + 1);
		BufferAdd(&import->key, text, len);
		BufferAdd(&import->key, "", 1);
	}
	BufferAddText(&import->payload, "}");
	return is_good;
}

/* Add a whole number to a tuple of binary COPY */
static void
PutInt(Buffer *out, uint64_t value, int bytes)
{
	char		data[8];

	for (int i = 0; i < bytes; i++)
		data[i] = (char) (value >> 8 * (bytes - 1 - i));
	BufferAdd(out, data, bytes);
}

/* Add a value to a tuple of binary COPY, NULL for a null */
static void
PutField(Buffer *out, const char *data, size_t len)
{
	PutInt(out, data ? len : UINT32_MAX, 4);
	if (data)
		BufferAdd(out, data, len);
}

/* Get the key of a row: a digest of what its columns say, or of its text where it has none */
static void
MakeKey(Import *import, const Row *row, bool has_payload, char *key)
{
	unsigned char digest[EVP_MAX_MD_SIZE];

	if (!has_payload)
	{
		import->key.len = 0;
		BufferAdd(&import->key, row->raw, row->raw_len);
	}
	EVP_DigestInit_ex(import->digest, NULL, NULL);
	EVP_DigestUpdate(import->digest, import->key.data ? import->key.data : "", import->key.len);
	EVP_DigestFinal_ex(import->digest, digest, NULL);
	RowKeyText(digest, key);
}

/* Send a row; false when the connection is lost */
static bool
SendRow(Import *import, const Row *row)
{
	char		key[ROW_KEY_SIZE];
	const char *line_type = SourceLineType(import->source->kind);

	MakeKey(import, row, line_type == NULL, key);
	import->tuple.len = 0;
	PutInt(&import->tuple, 7, 2);
	PutField(&import->tuple, import->form, strlen(import->form));
	PutField(&import->tuple, key, strlen(key));
	if (line_type)
	{
		PutField(&import->tuple, NULL, 0);
		PutField(&import->tuple, line_type, strlen(line_type));
		PutField(&import->tuple, row->raw, row->raw_len);
	}
	else
	{
		PutInt(&import->tuple, import->payload.len + 1, 4);
		PutInt(&import->tuple, 1, 1);	/* version of jsonb */
		BufferAdd(&import->tuple, import->payload.data, import->payload.len);
		PutField(&import->tuple, NULL, 0);
		PutField(&import->tuple, NULL, 0);
	}
	PutInt(&import->tuple, 8, 4);
	PutInt(&import->tuple, strtoull(import->id, NULL, 10), 8);
	PutInt(&import->tuple, 8, 4);
	PutInt(&import->tuple, row->number, 8);
	return PQputCopyData(import->connection, import->tuple.data, import->tuple.len) == 1;
}

/* Note a row that is rejected before the server sees it */
static void
RefuseRow(Import *import, const Row *row, const char *reasons, bool has_payload)
{
	Buffer	   *out = &import->refused;
	char		text[80];
	char		key[ROW_KEY_SIZE];

	snprintf(text, sizeof(text), "%s{\"row\": %lld, ", out->len > 0 ? ", " : "[", (long long) row->number);
	BufferAddText(out, text);
	if (has_payload || row->raw_len > 0)
	{
		MakeKey(import, row, has_payload, key);
		snprintf(text, sizeof(text), "\"key\": \"%s\", ", key);
		BufferAddText(out, text);
	}
	if (has_payload)
	{
		BufferAddText(out, "\"payload\": ");
		BufferAdd(out, import->payload.data, import->payload.len);
	}
	else
	{
		char	   *hex = HexText((const unsigned char *) row->raw, row->raw_len);

		BufferAddText(out, "\"raw\": \"");
		BufferAddText(out, hex);
		BufferAddText(out, "\"");
		free(hex);
	}
	BufferAddText(out, ", \"reasons\": [");
	BufferAddText(out, reasons);
	BufferAddText(out, "]}");
}

/* Remember a row for as long as its batch is under way */
static void
KeepRow(Import *import, const Row *row)
{
	BatchRow   *kept = &import->rows[import->row_count++];

	kept->number = row->number;
	kept->raw = import->raw.len;
	kept->raw_len = row->raw_len;
	BufferAdd(&import->raw, row->raw, row->raw_len);
}

/* Let the bar show where the file is */
void
ShowProgress(Import *import, bool force)
{
	ProgressShow(&import->progress, import->source->extent > 0 ?
				 (double) import->source->position / import->source->extent : 0,
				 import->rows_before + import->rows_read, import->rows_read, force);
}

/* Read rows and send them, up to the end of the batch; false when the connection is lost */
bool
SendRows(Import *import, bool *has_ended)
{
	static const char head[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0";
	Buffer		reasons = {0};
	bool		is_alive = PQputCopyData(import->connection, head, 19) == 1;
	Row			row;

	import->row_count = 0;
	import->raw.len = 0;
	import->refused.len = 0;
	*has_ended = false;
	while (is_alive && import->row_count < import->batch_rows && import->raw.len < BATCH_BYTES)
	{
		if (!SourceNext(import->source, &row))
		{
			*has_ended = true;
			break;
		}
		KeepRow(import, &row);
		reasons.len = 0;
		if (row.problem)
		{
			PutReason(&reasons, NULL, row.problem, NULL, 0, row.explanation);
			RefuseRow(import, &row, reasons.data, false);
		}
		else if (SourceLineType(import->source->kind) == NULL && !BuildPayload(import, &row, &reasons))
			RefuseRow(import, &row, reasons.data, true);
		else
			is_alive = SendRow(import, &row);
		ShowProgress(import, false);
	}
	free(reasons.data);
	return is_alive && PQputCopyData(import->connection, "\377\377", 2) == 1;
}
