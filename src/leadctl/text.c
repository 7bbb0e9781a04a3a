/*
 * Files of text: CSV, TSV, NDJSON and lines of fixed width, in whatever encoding.  What is read is
 * made UTF-8 piece by piece and kept in a window that holds one row.
 */
#include "leadctl/source.h"

#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "import/cells.h"

#define PIECE (128 * 1024)

typedef struct Text
{
	int			fd;
	iconv_t		decoder;		/* (iconv_t) -1 for UTF-8 */
	char	   *piece;			/* bytes that are not decoded yet */
	size_t		piece_len;
	bool		file_ended;
	Buffer		window;			/* text in UTF-8 */
	size_t		start;			/* of what has not been given out */
	CsvScan		scan;
	int64_t		row_number;
	int			field_room;
	CsvField   *fields;
	Buffer		copy;			/* of the row, which splitting overwrites */
	char		explanation[200];
} Text;

/* Add more of the file to the window; false at its end */
static bool
ReadMore(Source *source, Text *text)
{
	ssize_t		got;
	char	   *in;
	size_t		in_left;

	if (text->file_ended)
		return false;
	if (text->start > 0)
	{
		memmove(text->window.data, text->window.data + text->start, text->window.len - text->start);
		text->window.len -= text->start;
		text->start = 0;
	}
	got = read(text->fd, text->piece + text->piece_len, PIECE - text->piece_len);
	if (got < 0)
		Die(EXIT_NO_INPUT, "%s: %s", source->path, strerror(errno));
	source->position += got;
	text->piece_len += got;
	text->file_ended = got == 0;
	if (text->decoder == (iconv_t) -1)
	{
		BufferAdd(&text->window, text->piece, text->piece_len);
		text->piece_len = 0;
		return true;
	}
	in = text->piece;
	in_left = text->piece_len;
	while (in_left > 0 || text->file_ended)
	{
		char	   *out;
		size_t		out_left;
		size_t		done;
		int			why;

		BufferReserve(&text->window, in_left * 4 + 16);
		out = text->window.data + text->window.len;
		out_left = text->window.size - text->window.len - 1;
		done = iconv(text->decoder, in_left > 0 ? &in : NULL, &in_left, &out, &out_left);
		why = errno;
		text->window.len = out - text->window.data;
		if (done != (size_t) -1)
			break;
		if (why == EINVAL && !text->file_ended)
			break;				/* the rest of a character is to come */
		if (why == EILSEQ || why == EINVAL)
		{
			/* Not of the encoding: a byte that UTF-8 has not, so that the row is refused */
			BufferAdd(&text->window, "\xFF", 1);
			in++;
			in_left--;
		}
	}
	memmove(text->piece, in, in_left);
	text->piece_len = in_left;
	return true;
}

/*
 * Find the end of the next row.  CSV_ROW, a fault, or CSV_END; a row that is
 * overlong was let go by.
 */
static CsvStatus
FindRow(Source *source, Text *text, char **data, size_t *len, bool *is_overlong)
{
	size_t		taken;
	bool		more = true;

	*is_overlong = false;
	memset(&text->scan, 0, sizeof(CsvScan));
	for (;;)
	{
		char	   *begin = text->window.data + text->start;
		size_t		rest = text->window.len - text->start;
		CsvStatus	status;

		if (SourceLineType(source->kind))
		{
			char	   *end = rest > text->scan.at ? memchr(begin + text->scan.at, '\n', rest - text->scan.at) : NULL;

			status = end || (!more && rest > 0) ? CSV_ROW : more ? CSV_MORE : CSV_END;
			*len = end ? (size_t) (end - begin) : rest;
			taken = end ? *len + 1 : rest;
			text->scan.at = rest;
		}
		else
			status = CsvFindEnd(&text->scan, source->delimiter, begin, rest, !more, len, &taken);
		if (status == CSV_END)
			return *is_overlong ? CSV_ROW : CSV_END;
		if (status != CSV_MORE)
		{
			*data = begin;
			text->start += taken;
			*is_overlong |= *len > SOURCE_MAX_ROW;
			return status;
		}
		if (rest > SOURCE_MAX_ROW)
		{
			/* A quote left open is to cost its line alone; a line is let go by without keeping it */
			CsvGiveUp(&text->scan);
			if (text->scan.fault != CSV_ROW && text->scan.has_line_end)
				continue;
			*is_overlong = true;
			text->start = text->window.len;
			text->scan.at = 0;
			text->scan.has_line_end = false;
		}
		more = ReadMore(source, text);
	}
}

/* Is there nothing but white space? */
static bool
IsBlank(const char *text, size_t len)
{
	CellTrim(&text, &len);
	return len == 0;
}

/* Are all cells blank, as in the rows that spreadsheets leave at the end? */
static bool
IsEmptyRow(const CsvField *fields, int count)
{
	for (int i = 0; i < count; i++)
		if (!IsBlank(fields[i].text, fields[i].len))
			return false;
	return true;
}

/* Say what is wrong with a row */
static void
SetProblem(Text *text, Row *row, const char *code)
{
	row->problem = code;
	row->explanation = text->explanation;
}

/* Find the next row that is not blank, and split it where rows have fields */
static CsvStatus
FindFilled(Source *source, Text *text, Row *row, bool *is_overlong)
{
	char	   *data = NULL;
	size_t		len = 0;

	for (;;)
	{
		CsvStatus	status = FindRow(source, text, &data, &len, is_overlong);

		if (status == CSV_END)
			return status;
		row->number = ++text->row_number;
		row->raw = data;
		row->raw_len = len;
		if (*is_overlong || status != CSV_ROW)
			return status;
		if (IsBlank(data, len))
			continue;
		if (SourceLineType(source->kind))
			return status;
		text->copy.len = 0;
		BufferAdd(&text->copy, data, len);
		row->cells = text->fields;
		row->count = CsvSplit(source->delimiter, text->copy.data, len, text->fields, text->field_room);
		if (source->column_count == 0 || row->count > text->field_room || !IsEmptyRow(text->fields, row->count))
			return status;
	}
}

/* Read the next row */
static bool
TextNext(Source *source, Row *row)
{
	Text	   *text = source->state;
	bool		is_overlong;
	CsvStatus	status;

	memset(row, 0, sizeof(Row));
	status = FindFilled(source, text, row, &is_overlong);
	if (status == CSV_END)
		return false;
	text->explanation[0] = '\0';
	if (is_overlong)
	{
		snprintf(text->explanation, sizeof(text->explanation),
				 "the row is longer than %d MB", SOURCE_MAX_ROW / 1024 / 1024);
		SetProblem(text, row, "too_long");
		row->raw = "";
		row->raw_len = 0;
	}
	else if (!Utf8IsValid(row->raw, row->raw_len))
	{
		snprintf(text->explanation, sizeof(text->explanation),
				 "not valid text in the encoding of the file; --encoding names another");
		SetProblem(text, row, "invalid_encoding");
	}
	else if (status != CSV_ROW)
	{
		snprintf(text->explanation, sizeof(text->explanation), "%s", CsvFault(status));
		SetProblem(text, row, "invalid_csv");
	}
	else if (source->column_count > 0 && row->count != source->column_count)
	{
		snprintf(text->explanation, sizeof(text->explanation), "%d fields where the header has %d",
				 row->count, source->column_count);
		SetProblem(text, row, "ragged_row");
		row->count = row->count < source->column_count ? row->count : source->column_count;
	}
	return true;
}

static void
TextClose(Source *source)
{
	Text	   *text = source->state;

	close(text->fd);
	if (text->decoder != (iconv_t) -1)
		iconv_close(text->decoder);
	free(text->piece);
	free(text->window.data);
	free(text->copy.data);
	free(text->fields);
	free(text);
}

/* Find the encoding of a file from the mark it may begin with; returns the length of the mark */
static size_t
GuessEncoding(const unsigned char *head, size_t len, const char **encoding)
{
	if (len >= 3 && memcmp(head, "\xEF\xBB\xBF", 3) == 0)
		*encoding = "UTF-8";
	else if (len >= 2 && memcmp(head, "\xFF\xFE", 2) == 0)
		*encoding = "UTF-16LE";
	else if (len >= 2 && memcmp(head, "\xFE\xFF", 2) == 0)
		*encoding = "UTF-16BE";
	else
		return 0;
	return (*encoding)[4] == '8' ? 3 : 2;
}

/* Refuse what is no text, or in another encoding than is believed */
static void
CheckBeginning(Source *source, Text *text)
{
	const char *data = text->window.data;
	size_t		len = text->window.len;

	if (len > 0 && memchr(data, '\0', len))
		Die(EXIT_NO_INPUT, "%s: a binary file, or text in UTF-16 without its mark (--encoding=UTF-16LE)", source->path);

	/* The last character may be cut off */
	for (int cut = 0; cut < 4 && len > 0 && !text->file_ended; cut++, len--)
		if ((data[len - 1] & 0xC0) != 0x80)
		{
			if (data[len - 1] & 0x80)
				len--;
			break;
		}
	if (!Utf8IsValid(data, len))
		Die(EXIT_NO_INPUT, "%s: not in the encoding %s; name another, such as --encoding=windows-1252 or windows-1258",
			source->path, text->decoder == (iconv_t) -1 ? "UTF-8" : "that was named");
}

/* Open a file of text and read its header */
void
TextOpen(Source *source, const SourceOptions *options)
{
	Text	   *text = Allocate(sizeof(Text));
	const char *encoding = options->encoding;
	const char *marked = NULL;
	Row			header;
	ssize_t		got;
	size_t		mark;

	source->state = text;
	source->next = TextNext;
	source->close = TextClose;
	text->decoder = (iconv_t) -1;
	text->piece = Allocate(PIECE);
	text->fd = open(source->path, O_RDONLY);
	if (text->fd < 0)
		Die(EXIT_NO_INPUT, "%s: %s", source->path, strerror(errno));
	got = read(text->fd, text->piece, 4);
	if (got < 0)
		Die(EXIT_NO_INPUT, "%s: %s", source->path, strerror(errno));
	mark = GuessEncoding((unsigned char *) text->piece, got, &marked);
	if (lseek(text->fd, mark, SEEK_SET) < 0)
		Die(EXIT_NO_INPUT, "%s: %s", source->path, strerror(errno));
	source->position = mark;
	if (marked)
		encoding = marked;
	if (encoding && strcasecmp(encoding, "UTF-8") != 0 && strcasecmp(encoding, "UTF8") != 0)
	{
		text->decoder = iconv_open("UTF-8", encoding);
		if (text->decoder == (iconv_t) -1)
			Die(EXIT_BAD_USAGE, "unknown encoding \"%s\"; iconv -l lists what there is", encoding);
	}
	ReadMore(source, text);
	CheckBeginning(source, text);
	if (SourceLineType(source->kind))
	{
		source->delimiter = ',';
		return;
	}
	source->delimiter = options->delimiter ? options->delimiter : source->kind == SOURCE_TSV ? '\t' : '\0';
	text->start = CsvBegin(text->window.data ? text->window.data : "", text->window.len, &source->delimiter);
	text->row_number = text->start > 0;
	text->field_room = SOURCE_MAX_COLUMNS + 1;
	text->fields = Allocate(sizeof(CsvField) * text->field_room);
	if (!TextNext(source, &header))
		Die(EXIT_NO_INPUT, "%s: there is nothing in the file", source->path);
	if (header.problem)
		Die(EXIT_NO_INPUT, "%s: the header cannot be read: %s", source->path, header.explanation);
	SourceSetColumns(source, header.cells, header.count);
}
