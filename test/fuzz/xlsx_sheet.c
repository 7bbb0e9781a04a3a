/*
 * Fuzz the reader of workbooks: parts of XML as they come, or sheets put
 * together of what the input chooses.  Rows are numbered upwards, have no more
 * cells than the header, and their line of CSV has the same cells.
 *
 * The archive is ours; what the reader gives up is caught, and its memory
 * given back.
 */
// sources: src/leadctl/xlsx.c src/leadctl/buffer.c src/capture/csv.c src/import/cells.c
// libs: -lexpat -lm
#define _GNU_SOURCE
#include <expat.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

#include "leadctl/source.h"

#define MAX_MEMORY 1000
#define MAX_SHEET 20000

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Part
{
	const char *name;
	const char *data;
	size_t		len;
	size_t		at;
} Part;

static Part parts[] = {
	{"xl/workbook.xml"}, {"xl/_rels/workbook.xml.rels"}, {"xl/styles.xml"}, {"xl/sharedStrings.xml"}, {"xl/worksheets/sheet1.xml"}
};

static jmp_buf given_up;
static void *memory[MAX_MEMORY];
static int	memory_count;
static bool is_parsing;
static FILE *strings;

static void
Check(bool condition)
{
	if (!condition)
		abort();
}

/* Memory of the reader and of its parsers, all of which can be given back */
static void *
Remember(void *made)
{
	for (int i = 0; i < memory_count; i++)
		if (memory[i] == NULL)
		{
			memory[i] = made;
			return made;
		}
	Check(memory_count < MAX_MEMORY);
	memory[memory_count++] = made;
	return made;
}

static void
Forget(void *gone)
{
	for (int i = 0; gone && i < memory_count; i++)
		if (memory[i] == gone)
		{
			memory[i] = NULL;
			return;
		}
}

void *
Allocate(size_t size)
{
	return Remember(calloc(1, size > 0 ? size : 1));
}

void *
Reallocate(void *old, size_t size)
{
	Forget(old);
	return Remember(realloc(old, size > 0 ? size : 1));
}

static void *
ParserMalloc(size_t size)
{
	return Remember(malloc(size));
}

static void
ParserFree(void *gone)
{
	Forget(gone);
	free(gone);
}

XML_Parser
XML_ParserCreate(const XML_Char *encoding)
{
	static const XML_Memory_Handling_Suite suite = {ParserMalloc, Reallocate, ParserFree};

	return XML_ParserCreate_MM(encoding, &suite, NULL);
}

void
Die(int code, const char *format,...)
{
	Check(is_parsing && code == EXIT_NO_INPUT);
	longjmp(given_up, 1);
}

void
SourceSetColumns(Source *source, const CsvField *fields, int count)
{
	Check(count > 0 && count <= SOURCE_MAX_COLUMNS);
	source->column_count = count;
}

/* The archive */
zip_t *
zip_open(const char *path, int flags, int *error)
{
	return (zip_t *) parts;
}

int
zip_stat(zip_t *archive, const char *name, zip_flags_t flags, zip_stat_t *about)
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strcmp(parts[i].name, name) == 0 && parts[i].data)
		{
			about->valid = ZIP_STAT_SIZE;
			about->size = parts[i].len;
			return 0;
		}
	return -1;
}

zip_file_t *
zip_fopen(zip_t *archive, const char *name, zip_flags_t flags)
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strcmp(parts[i].name, name) == 0)
		{
			parts[i].at = 0;
			return (zip_file_t *) &parts[i];
		}
	return NULL;
}

zip_int64_t
zip_fread(zip_file_t *file, void *data, zip_uint64_t size)
{
	Part	   *part = (Part *) file;
	size_t		got = part->len - part->at;

	/* In pieces of a few bytes too, as unpacking may give them */
	if (got > size)
		got = size;
	if (part->len % 3 == 0 && got > 7)
		got = 7;
	memcpy(data, part->data + part->at, got);
	part->at += got;
	return got;
}

int
zip_fclose(zip_file_t *file)
{
	return 0;
}

void
zip_discard(zip_t *archive)
{
}

void
zip_error_init_with_code(zip_error_t *error, int code)
{
}

const char *
zip_error_strerror(zip_error_t *error)
{
	return "";
}

const char *
zip_file_strerror(zip_file_t *file)
{
	return "";
}

const char *
zip_strerror(zip_t *archive)
{
	return "";
}

/* A file for the table of texts, kept open for all inputs */
FILE *
tmpfile(void)
{
	static int	fd = -1;

	if (fd < 0)
	{
		char		path[] = "/tmp/xlsx_sheet.XXXXXX";

		fd = mkstemp(path);
		Check(fd >= 0);
		unlink(path);
	}
	Check(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	return strings = fdopen(dup(fd), "w+");
}

/* Put a sheet together of what the input chooses; returns its length */
static size_t
MakeSheet(const uint8_t *data, size_t size, char *sheet)
{
	static const char *const places[] = {
		"A1", "B1", "C1", "C", "ZZ9", "XFD1", "XFE1", "AAAAAAAAAAAA1", "1", "", "a2", "D1", "E1", "F1", "-", "IV3"
	};
	static const char *const types[] = {"s", "n", "b", "e", "str", "inlineStr", "d", ""};
	static const char *const values[] = {
		"0", "1", "2", "3", "-1", "60", "59.999999", "44197", "2958465.99999", "2958466", "1e15", "1e-7", "0.1", "1e309", "nan", "-0.5",
		"1.5e3", "99999999999999999999", "a,b", "a&quot;b", "line&#10;end", "&#13;", "\xC3\xA9", " blank ", "", "0x1p3", "inf", "TRUE", "2026-01-01", "1 2", "&lt;", "x"
	};
	char	   *to = sheet;
	size_t		i = 0;

#define NEXT (i < size ? data[i++] : 0)
	to += sprintf(to, "<worksheet><sheetData>");
	while (i < size && to - sheet < MAX_SHEET - 1000)
	{
		uint8_t		row = NEXT;

		if (row & 1)
			to += sprintf(to, "<row>");
		else
			to += sprintf(to, "<row r=\"%s%d\">", row & 2 ? "-" : row & 4 ? "99999999999" : "", NEXT);
		for (int cells = row >> 4; cells > 0 && to - sheet < MAX_SHEET - 1000; cells--)
		{
			uint8_t		kind = NEXT;

			to += sprintf(to, "<c");
			if (kind & 1)
				to += sprintf(to, " r=\"%s\"", places[NEXT % 16]);
			if (kind & 2)
				to += sprintf(to, " s=\"%d\"", (int) NEXT - 1);
			to += sprintf(to, " t=\"%s\">", types[kind >> 2 & 7]);
			if (kind & 32)
				to += sprintf(to, "<is><r><t>%s</t></r><rPh><t>ph</t></rPh></is>", values[NEXT % 32]);
			if (kind & 64 || !(kind & 32))
				to += sprintf(to, "<v>%s</v>", values[NEXT % 32]);
			to += sprintf(to, "</c>");
		}
		to += sprintf(to, "</row>");
	}
	to += sprintf(to, "</sheetData></worksheet>");
	return to - sheet;
}

/* Cut the input into parts, at lines of %% */
static void
SetParts(const uint8_t *data, size_t size, char *sheet)
{
	static const char workbook[] =
	"<workbook xmlns:r=\"r\"><workbookPr date1904=\"0\"/><sheets><sheet name=\"One\" r:id=\"R1\"/></sheets></workbook>";
	static const char relations[] =
	"<Relationships><Relationship Id=\"R1\" Target=\"worksheets/sheet1.xml\"/></Relationships>";
	static const char styles[] =
	"<styleSheet><numFmts><numFmt numFmtId=\"170\" formatCode=\"[Red]dd\\.mm &quot;h&quot;yyyy\"/><numFmt numFmtId=\"171\" formatCode=\"[h]:mm\"/></numFmts>"
	"<cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"22\"/><xf numFmtId=\"170\"/><xf numFmtId=\"171\"/><xf/></cellXfs></styleSheet>";
	static const char texts[] = "<sst><si><t>email</t></si><si><r><t>two </t></r><r><t>runs</t></r><rPh><t>no</t></rPh></si><si/></sst>";

	parts[0].data = workbook, parts[0].len = sizeof(workbook) - 1;
	parts[1].data = relations, parts[1].len = sizeof(relations) - 1;
	parts[2].data = styles, parts[2].len = sizeof(styles) - 1;
	parts[3].data = texts, parts[3].len = sizeof(texts) - 1;
	if (data[0] & 1)
	{
		parts[4].data = sheet;
		parts[4].len = MakeSheet(data + 1, size - 1, sheet);
		return;
	}
	data++, size--;
	for (int p = 4; p >= 0; p--)
	{
		const uint8_t *end = memmem(data, size, "%%", 2);

		parts[p].data = (const char *) data;
		parts[p].len = end ? (size_t) (end - data) : size;
		if (end == NULL)
			return;
		size -= end + 2 - data;
		data = end + 2;
	}
}

/* The line of CSV that a row leaves reads as its cells */
static void
CheckLine(const Row *row)
{
	CsvScan		scan = {0};
	size_t		len;
	size_t		taken;
	char	   *line = malloc(row->raw_len + 1);
	CsvField   *fields = malloc(sizeof(CsvField) * row->count);

	memcpy(line, row->raw, row->raw_len);
	if (row->raw_len > 0)
	{
		Check(CsvFindEnd(&scan, ',', line, row->raw_len, true, &len, &taken) == CSV_ROW && len == row->raw_len);
		Check(CsvSplit(',', line, len, fields, row->count) == row->count);
		for (int i = 0; i < row->count; i++)
			Check(fields[i].len == row->cells[i].len && memcmp(fields[i].text, row->cells[i].text, fields[i].len) == 0);
	}
	free(line);
	free(fields);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char sheet[MAX_SHEET + 1000];
	SourceOptions options = {0};
	Source		source = {.path = "book"};
	Row			row;
	int64_t		last = 0;

	if (size < 2)
		return 0;
	memory_count = 0;
	is_parsing = true;
	SetParts(data, size, sheet);
	if (setjmp(given_up) == 0)
	{
		XlsxOpen(&source, &options);
		while (source.next(&source, &row))
		{
			Check(row.number > last);
			last = row.number;
			Check(row.count == source.column_count);
			CheckLine(&row);
		}
		source.close(&source);
	}
	else
	{
		if (strings)
			fclose(strings);
		for (int i = 0; i < memory_count; i++)
			free(memory[i]);
	}
	is_parsing = false;
	strings = NULL;
	return 0;
}
