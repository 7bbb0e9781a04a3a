/*
 * Workbooks of Excel and others (.xlsx, ISO/IEC 29500): a zip archive of XML.
 *
 * The sheet is read as it is unpacked, a row at a time.  The texts of cells
 * stand in a table of their own, in no order, so that table has to be read
 * first; it goes into a temporary file, of which only the places are kept in
 * memory.  Dates are numbers with a format that shows them as dates.
 */
#include "leadctl/source.h"

#include <ctype.h>
#include <expat.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

#define PIECE (32 * 1024)

/* More than Excel itself takes */
#define XLSX_MAX_COLUMNS 16384
#define XLSX_MAX_ROWS 1048576
#define XLSX_MAX_STRINGS 50000000

/* What a workbook may unpack to, against archives that are bombs */
#define XLSX_MAX_PART (UINT64_C(16) * 1024 * 1024 * 1024)

/* Relationships of other parts than the sheet's are small */
#define XLSX_MAX_SMALL_PART (16 * 1024 * 1024)

typedef enum
{
	STYLE_NUMBER,
	STYLE_DATE,
	STYLE_TIME,
	STYLE_DATE_TIME
} Style;

typedef struct Part
{
	zip_file_t *file;
	XML_Parser	parser;
	uint64_t	size;
	uint64_t	read;
} Part;

typedef struct Workbook
{
	const char *path;
	zip_t	   *archive;
	const char *wanted_sheet;

	/* from the workbook */
	char	   *sheet_relation;
	Buffer		sheet_names;
	bool		from_1904;
	char	   *sheet_target;

	/* from the styles */
	int			format_count;
	struct
	{
		int			id;
		Style		style;
	}		   *formats;
	int			style_count;
	Style	   *styles;
	bool		in_cell_styles;

	/* the table of texts */
	FILE	   *strings;
	size_t		string_count;
	uint64_t   *string_ends;
	size_t		string_room;

	/* the sheet */
	Part		sheet;
	Buffer		text;			/* of the element at hand */
	bool		keeps_text;
	bool		in_phonetic;
	char		cell_type;		/* s shared, i inline, b boolean, e error, t text, n number */
	int			cell_style;
	int			cell_column;
	int64_t		row_number;
	int			row_count;		/* cells up to the last that is filled */
	Buffer		row_text;
	size_t	   *starts;
	size_t	   *lens;
	bool	   *is_exact;
	int			room;
	CsvField   *cells;
	bool		has_row;
	bool		has_too_many;
	bool		has_ended;
	Buffer		raw;
} Workbook;

/* Get an attribute of an element */
static const char *
Attribute(const char **attributes, const char *name)
{
	for (; *attributes; attributes += 2)
		if (strcmp(*attributes, name) == 0)
			return attributes[1];
	return NULL;
}

/* Get the name of an element or attribute without its prefix */
static const char *
LocalName(const char *name)
{
	const char *colon = strrchr(name, ':');

	return colon ? colon + 1 : name;
}

/* Workbooks have no document type, and entities are all that it would be for */
static void XMLCALL
RefuseDoctype(void *arg, const XML_Char *name, const XML_Char *system, const XML_Char *public, int internal)
{
	Workbook   *book = arg;

	Die(EXIT_NO_INPUT, "%s: the workbook declares a document type, which none needs", book->path);
}

/* Open a part of the archive; false when there is none */
static bool
PartOpen(Workbook *book, Part *part, const char *name, XML_StartElementHandler start, XML_EndElementHandler end,
		 XML_CharacterDataHandler text)
{
	zip_stat_t	about;

	while (*name == '/')
		name++;
	if (zip_stat(book->archive, name, ZIP_FL_NOCASE, &about) != 0 || !(about.valid & ZIP_STAT_SIZE))
		return false;
	part->size = about.size;
	part->read = 0;
	part->file = zip_fopen(book->archive, name, ZIP_FL_NOCASE);
	if (part->file == NULL)
		Die(EXIT_NO_INPUT, "%s: %s: %s", book->path, name, zip_strerror(book->archive));
	part->parser = XML_ParserCreate(NULL);
	if (part->parser == NULL)
		Die(EXIT_REFUSED, "out of memory");
	XML_SetUserData(part->parser, book);
	XML_SetElementHandler(part->parser, start, end);
	XML_SetCharacterDataHandler(part->parser, text);
	XML_SetStartDoctypeDeclHandler(part->parser, RefuseDoctype);
	return true;
}

static void
PartClose(Part *part)
{
	XML_ParserFree(part->parser);
	zip_fclose(part->file);
	part->parser = NULL;
}

/* Complain of what is no XML */
static void
PartFailed(Workbook *book, Part *part)
{
	Die(EXIT_NO_INPUT, "%s: the workbook is damaged: %s", book->path,
		XML_ErrorString(XML_GetErrorCode(part->parser)));
}

/* Parse the next piece of a part; false at its end */
static bool
PartParse(Workbook *book, Part *part)
{
	void	   *piece = XML_GetBuffer(part->parser, PIECE);
	zip_int64_t got;

	if (piece == NULL)
		Die(EXIT_REFUSED, "out of memory");
	got = zip_fread(part->file, piece, PIECE);
	if (got < 0)
		Die(EXIT_NO_INPUT, "%s: the workbook is damaged: %s", book->path, zip_file_strerror(part->file));
	part->read += got;
	if (part->read > XLSX_MAX_PART)
		Die(EXIT_NO_INPUT, "%s: the workbook unpacks to more than %d GB", book->path, (int) (XLSX_MAX_PART >> 30));
	if (XML_ParseBuffer(part->parser, got, got == 0) == XML_STATUS_ERROR)
		PartFailed(book, part);
	return got > 0;
}

/* Parse a whole part; false when there is none */
static bool
PartRead(Workbook *book, const char *name, XML_StartElementHandler start, XML_EndElementHandler end,
		 XML_CharacterDataHandler text, uint64_t limit)
{
	Part		part;

	if (!PartOpen(book, &part, name, start, end, text))
		return false;
	if (part.size > limit)
		Die(EXIT_NO_INPUT, "%s: %s in the workbook unpacks to %llu bytes", book->path, name, (unsigned long long) part.size);
	while (PartParse(book, &part))
		;
	PartClose(&part);
	return true;
}

static void XMLCALL
IgnoreEnd(void *arg, const XML_Char *name)
{
}

/* The workbook: which sheets there are */
static void XMLCALL
WorkbookStart(void *arg, const XML_Char *name, const XML_Char **attributes)
{
	Workbook   *book = arg;

	name = LocalName(name);
	if (strcmp(name, "workbookPr") == 0)
	{
		const char *value = Attribute(attributes, "date1904");

		book->from_1904 = value && (strcmp(value, "1") == 0 || strcmp(value, "true") == 0);
	}
	else if (strcmp(name, "sheet") == 0)
	{
		const char *title = Attribute(attributes, "name");
		const char *relation = NULL;

		for (const char **a = attributes; *a; a += 2)
			if (strchr(*a, ':') && strcmp(LocalName(*a), "id") == 0)
				relation = a[1];
		if (title == NULL || relation == NULL)
			return;
		BufferAddText(&book->sheet_names, book->sheet_names.len > 0 ? ", " : "");
		BufferAddText(&book->sheet_names, title);
		if (book->sheet_relation == NULL && (book->wanted_sheet == NULL || strcmp(book->wanted_sheet, title) == 0))
			book->sheet_relation = Duplicate(relation);
	}
}

/* The relationships of the workbook: where its sheet lies */
static void XMLCALL
RelationStart(void *arg, const XML_Char *name, const XML_Char **attributes)
{
	Workbook   *book = arg;
	const char *id;
	const char *target;

	if (strcmp(LocalName(name), "Relationship") != 0)
		return;
	id = Attribute(attributes, "Id");
	target = Attribute(attributes, "Target");
	if (id && target && strcmp(id, book->sheet_relation) == 0 && book->sheet_target == NULL)
		book->sheet_target = *target == '/' ? Duplicate(target) : Format("xl/%s", target);
}

/* Tell what a number format shows by its letters, those in quotes and brackets aside */
static Style
StyleOfCode(const char *code)
{
	bool		date = false;
	bool		time = false;

	for (; *code && *code != ';'; code++)
	{
		if (*code == '"')
		{
			const char *end = strchr(code + 1, '"');

			if (end == NULL)
				break;
			code = end;
		}
		else if (*code == '[')
		{
			const char *end = strchr(code, ']');

			if (end == NULL)
				break;
			time |= end - code <= 3 && strchr("hmsHMS", code[1]);
			code = end;
		}
		else if ((*code == '\\' || *code == '_' || *code == '*') && code[1])
			code++;
		else if (strchr("dDyY", *code))
			date = true;
		else if (strchr("hHsS", *code))
			time = true;
		else if (strncmp(code, "General", 7) == 0)
			code += 6;
		else if (*code == 'm' || *code == 'M')
			date |= !time && (code[1] == 'm' || code[1] == 'M') && (code[2] == 'm' || code[2] == 'M');
	}
	return date && time ? STYLE_DATE_TIME : date ? STYLE_DATE : time ? STYLE_TIME : STYLE_NUMBER;
}

/* Tell what a number format shows */
static Style
StyleOfFormat(const Workbook *book, int id)
{
	for (int i = 0; i < book->format_count; i++)
		if (book->formats[i].id == id)
			return book->formats[i].style;
	if (id == 22)
		return STYLE_DATE_TIME;
	if ((id >= 14 && id <= 17) || (id >= 27 && id <= 31) || (id >= 50 && id <= 58) || id == 36)
		return STYLE_DATE;
	if ((id >= 18 && id <= 21) || (id >= 32 && id <= 35) || (id >= 45 && id <= 47))
		return STYLE_TIME;
	return STYLE_NUMBER;
}

/* The styles: which of them are dates */
static void XMLCALL
StyleStart(void *arg, const XML_Char *name, const XML_Char **attributes)
{
	Workbook   *book = arg;
	const char *id = Attribute(attributes, "numFmtId");

	name = LocalName(name);
	if (strcmp(name, "cellXfs") == 0)
		book->in_cell_styles = true;
	else if (strcmp(name, "numFmt") == 0 && id && Attribute(attributes, "formatCode"))
	{
		book->formats = Reallocate(book->formats, sizeof(book->formats[0]) * (book->format_count + 1));
		book->formats[book->format_count].id = atoi(id);
		book->formats[book->format_count++].style = StyleOfCode(Attribute(attributes, "formatCode"));
	}
	else if (strcmp(name, "xf") == 0 && book->in_cell_styles)
	{
		book->styles = Reallocate(book->styles, sizeof(Style) * (book->style_count + 1));
		book->styles[book->style_count++] = id ? StyleOfFormat(book, atoi(id)) : STYLE_NUMBER;
	}
}

static void XMLCALL
StyleEnd(void *arg, const XML_Char *name)
{
	Workbook   *book = arg;

	if (strcmp(LocalName(name), "cellXfs") == 0)
		book->in_cell_styles = false;
}

/* Keep the text of the element at hand, where it is wanted */
static void XMLCALL
KeepText(void *arg, const XML_Char *text, int len)
{
	Workbook   *book = arg;

	if (!book->keeps_text || book->in_phonetic)
		return;
	if (book->text.len + len > SOURCE_MAX_ROW)
		Die(EXIT_NO_INPUT, "%s: a cell of the workbook is longer than %d MB", book->path, SOURCE_MAX_ROW / 1024 / 1024);
	BufferAdd(&book->text, text, len);
}

/* The table of texts: a text may be in several runs, and have a guide to its pronunciation */
static void XMLCALL
StringStart(void *arg, const XML_Char *name, const XML_Char **attributes)
{
	Workbook   *book = arg;

	name = LocalName(name);
	if (strcmp(name, "si") == 0)
		book->text.len = 0;
	else if (strcmp(name, "rPh") == 0)
		book->in_phonetic = true;
	else if (strcmp(name, "t") == 0)
		book->keeps_text = true;
}

static void XMLCALL
StringEnd(void *arg, const XML_Char *name)
{
	Workbook   *book = arg;
	uint64_t	start;

	name = LocalName(name);
	if (strcmp(name, "t") == 0)
		book->keeps_text = false;
	else if (strcmp(name, "rPh") == 0)
		book->in_phonetic = false;
	if (strcmp(name, "si") != 0)
		return;
	if (book->string_count == book->string_room)
	{
		if (book->string_count >= XLSX_MAX_STRINGS)
			Die(EXIT_NO_INPUT, "%s: the workbook has more than %d texts", book->path, XLSX_MAX_STRINGS);
		book->string_room = book->string_room > 0 ? book->string_room * 2 : 1024;
		book->string_ends = Reallocate(book->string_ends, sizeof(uint64_t) * book->string_room);
	}
	start = book->string_count > 0 ? book->string_ends[book->string_count - 1] : 0;
	if (fwrite(book->text.data ? book->text.data : "", 1, book->text.len, book->strings) != book->text.len)
		Die(EXIT_NO_OUTPUT, "a temporary file cannot be written");
	book->string_ends[book->string_count++] = start + book->text.len;
}

/* Get the place of a column from the name of a cell, such as 27 of AB12 */
static int
ColumnOf(const char *cell)
{
	int			column = 0;

	for (; isalpha((unsigned char) *cell); cell++)
	{
		column = column * 26 + (toupper((unsigned char) *cell) - 'A' + 1);
		if (column > XLSX_MAX_COLUMNS)
			return XLSX_MAX_COLUMNS;
	}
	return column - 1;
}

/* Write a number of days since the beginning of the calendar as a date and time */
static void
PutDate(const Workbook *book, double serial, Style style, char *out, size_t size)
{
	int64_t		seconds = llround(serial * 86400);
	int64_t		days = seconds / 86400;
	int			rest = seconds % 86400;
	int64_t		z;
	int64_t		era;
	int			doe;
	int			yoe;
	int			doy;
	int			month;
	int64_t		year;
	char		date[40];
	char		time[40];

	/* The calendar of 1900 counts a 29 February that there was not */
	if (book->from_1904)
		days += 1462;
	else if (days < 60)
		days++;

	/* Civil date of a day (H. Hinnant, chrono-compatible low-level date algorithms) */
	z = days - 25569 + 719468;
	era = (z >= 0 ? z : z - 146096) / 146097;
	doe = z - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	month = (5 * doy + 2) / 153;
	year = yoe + era * 400 + (month >= 10);
	snprintf(date, sizeof(date), "%04lld-%02d-%02d", (long long) year, month < 10 ? month + 3 : month - 9,
			 doy - (153 * month + 2) / 5 + 1);
	snprintf(time, sizeof(time), "%02d:%02d:%02d", rest / 3600, rest / 60 % 60, rest % 60);
	if (style == STYLE_TIME)
		snprintf(out, size, "%s", time);
	else if (rest == 0)
		snprintf(out, size, "%s", date);
	else
		snprintf(out, size, "%s %s", date, time);
}

/* Write a cell that holds a number as people see it */
static size_t
PutCellNumber(Workbook *book, const char *text, char *out, size_t size, bool *is_exact)
{
	char	   *end;
	double		value = strtod(text, &end);
	Style		style = book->cell_style >= 0 && book->cell_style < book->style_count ?
		book->styles[book->cell_style] : STYLE_NUMBER;

	*is_exact = false;
	if (end == text || *end != '\0' || !isfinite(value))
		return snprintf(out, size, "%.100s", text);
	*is_exact = true;
	if (style != STYLE_NUMBER && value >= 0 && value < 2958466)	/* up to the year 9999 */
	{
		PutDate(book, value, style, out, size);
		return strlen(out);
	}
	if (fabs(value) < 1e15 && value == trunc(value))
		return snprintf(out, size, "%.0f", value);

	/* Excel itself shows fifteen digits */
	snprintf(out, size, "%.15g", value);
	if (strchr(out, 'e'))
		snprintf(out, size, "%.15f", value);
	return strlen(out);
}

/* Put the cell at hand into the row */
static void
CellDone(Workbook *book)
{
	char		number[400];
	const char *text = book->text.data ? book->text.data : "";
	size_t		len = book->text.len;
	size_t		start = book->row_text.len;
	bool		is_exact = false;
	int			column = book->cell_column;

	if (len == 0 || column < 0)
		return;
	if (column >= SOURCE_MAX_COLUMNS)
	{
		book->has_too_many = true;
		return;
	}
	if (book->cell_type == 's')
	{
		size_t		index = strtoul(text, NULL, 10);
		uint64_t	from;

		if (index >= book->string_count)
			Die(EXIT_NO_INPUT, "%s: the workbook is damaged: it lacks text %zu", book->path, index);
		from = index > 0 ? book->string_ends[index - 1] : 0;
		len = book->string_ends[index] - from;
		BufferReserve(&book->row_text, len);
		if (pread(fileno(book->strings), book->row_text.data + start, len, from) != (ssize_t) len)
			Die(EXIT_NO_INPUT, "%s: a temporary file cannot be read", book->path);
		book->row_text.len += len;
	}
	else
	{
		if (book->cell_type == 'n')
		{
			len = PutCellNumber(book, text, number, sizeof(number), &is_exact);
			text = number;
		}
		else if (book->cell_type == 'b')
		{
			text = *text == '1' ? "true" : "false";
			len = strlen(text);
			is_exact = true;
		}
		else if (book->cell_type == 'd')
			is_exact = true;
		BufferAdd(&book->row_text, text, len);
	}
	if (book->row_text.len > SOURCE_MAX_ROW)
		Die(EXIT_NO_INPUT, "%s: row %lld of the workbook is longer than %d MB", book->path,
			(long long) book->row_number, SOURCE_MAX_ROW / 1024 / 1024);
	while (book->row_count <= column)
	{
		book->lens[book->row_count] = 0;
		book->is_exact[book->row_count++] = false;
	}
	book->starts[column] = start;
	book->lens[column] = len;
	book->is_exact[column] = is_exact;
}

/* The sheet: rows of cells */
static void XMLCALL
SheetStart(void *arg, const XML_Char *name, const XML_Char **attributes)
{
	Workbook   *book = arg;

	name = LocalName(name);
	if (strcmp(name, "row") == 0)
	{
		const char *number = Attribute(attributes, "r");
		int64_t		given = number ? strtoll(number, NULL, 10) : 0;

		/* Rows are known by their numbers, which go up as the standard has it */
		book->row_number = given > book->row_number && given <= XLSX_MAX_ROWS ? given : book->row_number + 1;
		book->row_count = 0;
		book->row_text.len = 0;
		book->cell_column = -1;
		book->has_too_many = false;
	}
	else if (strcmp(name, "c") == 0)
	{
		const char *place = Attribute(attributes, "r");
		const char *type = Attribute(attributes, "t");
		const char *style = Attribute(attributes, "s");

		book->cell_column = place ? ColumnOf(place) : book->cell_column + 1;
		book->cell_type = type == NULL ? 'n' : strcmp(type, "str") == 0 ? 't' : strcmp(type, "inlineStr") == 0 ? 'i' : *type;
		book->cell_style = style ? atoi(style) : 0;
		book->text.len = 0;
	}
	else if (strcmp(name, "v") == 0 || (strcmp(name, "t") == 0 && book->cell_type == 'i'))
		book->keeps_text = true;
	else if (strcmp(name, "rPh") == 0)
		book->in_phonetic = true;
}

static void XMLCALL
SheetEnd(void *arg, const XML_Char *name)
{
	Workbook   *book = arg;

	name = LocalName(name);
	if (strcmp(name, "v") == 0 || strcmp(name, "t") == 0)
		book->keeps_text = false;
	else if (strcmp(name, "rPh") == 0)
		book->in_phonetic = false;
	else if (strcmp(name, "c") == 0)
		CellDone(book);
	else if (strcmp(name, "row") == 0 && (book->row_count > 0 || book->has_too_many))
	{
		book->has_row = true;
		XML_StopParser(book->sheet.parser, XML_TRUE);
	}
}

/* Go on until the next row that has cells */
static bool
NextRow(Workbook *book)
{
	XML_ParsingStatus status;

	book->has_row = false;
	while (!book->has_row && !book->has_ended)
	{
		XML_GetParsingStatus(book->sheet.parser, &status);
		if (status.parsing == XML_SUSPENDED)
		{
			if (XML_ResumeParser(book->sheet.parser) == XML_STATUS_ERROR)
				PartFailed(book, &book->sheet);
			if (!book->has_row)
				book->has_ended = status.finalBuffer;
		}
		else
			book->has_ended = !PartParse(book, &book->sheet) && !book->has_row;
	}
	return book->has_row;
}

/* Write the row as a line of CSV */
static void
PutRaw(Workbook *book, int count)
{
	book->raw.len = 0;
	for (int i = 0; i < count; i++)
	{
		const char *text = book->cells[i].text;

		BufferAdd(&book->raw, ",", i > 0);
		if (memchr(text, '"', book->cells[i].len) || memchr(text, ',', book->cells[i].len) ||
			memchr(text, '\n', book->cells[i].len) || memchr(text, '\r', book->cells[i].len))
		{
			BufferAddText(&book->raw, "\"");
			for (size_t c = 0; c < book->cells[i].len; c++)
				BufferAdd(&book->raw, text[c] == '"' ? "\"\"" : text + c, text[c] == '"' ? 2 : 1);
			BufferAddText(&book->raw, "\"");
		}
		else
			BufferAdd(&book->raw, text, book->cells[i].len);
	}
}

/* Read the next row */
static bool
XlsxNext(Source *source, Row *row)
{
	Workbook   *book = source->state;
	int			count;
	bool		in_header = source->column_count == 0;

	if (!NextRow(book))
		return false;
	source->position = book->sheet.read;
	memset(row, 0, sizeof(Row));
	count = in_header ? book->row_count : source->column_count;
	for (int i = 0; i < count; i++)
	{
		bool		filled = i < book->row_count && book->lens[i] > 0;

		book->cells[i].text = filled ? book->row_text.data + book->starts[i] : "";
		book->cells[i].len = filled ? book->lens[i] : 0;
		if (!filled)
			book->is_exact[i] = false;
	}
	PutRaw(book, count);
	row->number = book->row_number;
	row->cells = book->cells;
	row->is_exact = book->is_exact;
	row->count = count;
	row->raw = book->raw.data ? book->raw.data : "";
	row->raw_len = book->raw.len;
	if (book->has_too_many || (!in_header && book->row_count > source->column_count))
	{
		row->problem = "ragged_row";
		row->explanation = "cells to the right of the last column that the header names";
	}
	return true;
}

static void
XlsxClose(Source *source)
{
	Workbook   *book = source->state;

	PartClose(&book->sheet);
	zip_discard(book->archive);
	if (book->strings)
		fclose(book->strings);
	free(book->string_ends);
	free(book->formats);
	free(book->styles);
	free(book->sheet_relation);
	free(book->sheet_target);
	free(book->sheet_names.data);
	free(book->text.data);
	free(book->row_text.data);
	free(book->raw.data);
	free(book->starts);
	free(book->lens);
	free(book->is_exact);
	free(book->cells);
	free(book);
}

/* Open a workbook and read the header of its sheet */
void
XlsxOpen(Source *source, const SourceOptions *options)
{
	Workbook   *book = Allocate(sizeof(Workbook));
	int			code;
	Row			header;

	source->state = book;
	source->next = XlsxNext;
	source->close = XlsxClose;
	source->delimiter = ',';
	book->path = source->path;
	book->wanted_sheet = options->sheet;
	book->archive = zip_open(source->path, ZIP_RDONLY, &code);
	if (book->archive == NULL)
	{
		zip_error_t error;

		zip_error_init_with_code(&error, code);
		Die(EXIT_NO_INPUT, "%s: %s", source->path, zip_error_strerror(&error));
	}
	if (!PartRead(book, "xl/workbook.xml", WorkbookStart, IgnoreEnd, NULL, XLSX_MAX_SMALL_PART))
		Die(EXIT_NO_INPUT, "%s: an archive, but no workbook", source->path);
	if (book->sheet_relation == NULL)
		Die(EXIT_NO_INPUT, "%s: there is no sheet \"%s\"; there are: %s", source->path,
			options->sheet ? options->sheet : "", book->sheet_names.data ? book->sheet_names.data : "none");
	PartRead(book, "xl/_rels/workbook.xml.rels", RelationStart, IgnoreEnd, NULL, XLSX_MAX_SMALL_PART);
	PartRead(book, "xl/styles.xml", StyleStart, StyleEnd, NULL, XLSX_MAX_SMALL_PART);
	book->strings = tmpfile();
	if (book->strings == NULL)
		Die(EXIT_NO_OUTPUT, "a temporary file cannot be made");
	PartRead(book, "xl/sharedStrings.xml", StringStart, StringEnd, KeepText, XLSX_MAX_PART);
	if (fflush(book->strings) != 0)
		Die(EXIT_NO_OUTPUT, "a temporary file cannot be written");
	if (book->sheet_target == NULL ||
		!PartOpen(book, &book->sheet, book->sheet_target, SheetStart, SheetEnd, KeepText))
		Die(EXIT_NO_INPUT, "%s: the workbook is damaged: it lacks its sheet", source->path);
	source->extent = book->sheet.size;
	book->starts = Allocate(sizeof(size_t) * SOURCE_MAX_COLUMNS);
	book->lens = Allocate(sizeof(size_t) * SOURCE_MAX_COLUMNS);
	book->is_exact = Allocate(sizeof(bool) * SOURCE_MAX_COLUMNS);
	book->cells = Allocate(sizeof(CsvField) * SOURCE_MAX_COLUMNS);
	if (!XlsxNext(source, &header))
		Die(EXIT_NO_INPUT, "%s: the sheet is empty", source->path);
	if (header.problem)
		Die(EXIT_NO_INPUT, "%s: the header has more than %d columns", source->path, SOURCE_MAX_COLUMNS);
	SourceSetColumns(source, header.cells, header.count);
}
