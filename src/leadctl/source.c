/*
 * Files of records: which kind a file is, and its header.
 */
#include "leadctl/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "import/cells.h"

static const char *const kind_names[] = {"guess", "csv", "tsv", "ndjson", "fixed", "xlsx"};

/* Find a kind by its name */
SourceKind
SourceKindNamed(const char *name)
{
	for (int kind = SOURCE_CSV; kind <= SOURCE_XLSX; kind++)
		if (strcasecmp(name, kind_names[kind]) == 0)
			return kind;
	if (strcasecmp(name, "jsonl") == 0)
		return SOURCE_NDJSON;
	Die(EXIT_BAD_USAGE, "unknown format \"%s\": there are csv, tsv, ndjson, fixed and xlsx", name);
}

const char *
SourceKindName(SourceKind kind)
{
	return kind_names[kind];
}

/* Get the media type of lines that the server reads itself, NULL for kinds that have columns */
const char *
SourceLineType(SourceKind kind)
{
	return kind == SOURCE_NDJSON ? "application/json" : kind == SOURCE_FIXED ? "text/plain" : NULL;
}

/* Guess the kind of a file from its first bytes and its name */
static SourceKind
GuessKind(const char *path, const unsigned char *head, size_t len)
{
	const char *dot = strrchr(path, '.');

	if (len >= 4 && memcmp(head, "PK\003\004", 4) == 0)
		return SOURCE_XLSX;
	if (len >= 8 && memcmp(head, "\320\317\021\340\241\261\032\341", 8) == 0)
		Die(EXIT_NO_INPUT, "%s: a file of Excel 2003 or older, or one that is encrypted; save it as .xlsx or CSV", path);
	if (dot && (strcasecmp(dot, ".ndjson") == 0 || strcasecmp(dot, ".jsonl") == 0))
		return SOURCE_NDJSON;
	if (dot && (strcasecmp(dot, ".tsv") == 0 || strcasecmp(dot, ".tab") == 0))
		return SOURCE_TSV;
	return SOURCE_CSV;
}

/* Open a file of records and read its header */
Source *
SourceOpen(const char *path, const SourceOptions *options)
{
	Source	   *source = Allocate(sizeof(Source));
	unsigned char head[8];
	struct stat about;
	ssize_t		len;
	int			fd = open(path, O_RDONLY);

	if (fd < 0 || fstat(fd, &about) != 0)
		Die(EXIT_NO_INPUT, "%s: %s", path, strerror(errno));
	if (S_ISDIR(about.st_mode))
		Die(EXIT_NO_INPUT, "%s: a directory, not a file", path);
	if (!S_ISREG(about.st_mode))
		Die(EXIT_NO_INPUT, "%s: not a regular file; an import must be able to begin again where it stopped", path);
	len = read(fd, head, sizeof(head));
	if (len < 0)
		Die(EXIT_NO_INPUT, "%s: %s", path, strerror(errno));
	close(fd);
	if (len == 0)
		Die(EXIT_NO_INPUT, "%s: the file is empty", path);
	source->path = path;
	source->size = about.st_size;
	source->extent = about.st_size;
	source->kind = options->kind != SOURCE_GUESS ? options->kind : GuessKind(path, head, len);
	if (source->kind == SOURCE_XLSX)
		XlsxOpen(source, options);
	else
		TextOpen(source, options);
	return source;
}

/* Read the next row; false at the end */
bool
SourceNext(Source *source, Row *row)
{
	return source->next(source, row);
}

void
SourceClose(Source *source)
{
	source->close(source);
	for (int i = 0; i < source->column_count; i++)
		free(source->columns[i]);
	free(source->columns);
	free(source);
}

/* Take the header's cells as the names of the columns: trimmed, none empty, none twice */
void
SourceSetColumns(Source *source, const CsvField *fields, int count)
{
	bool		named = false;

	if (count > SOURCE_MAX_COLUMNS)
		Die(EXIT_NO_INPUT, "%s: the header has %d columns, more than %d", source->path, count, SOURCE_MAX_COLUMNS);
	source->columns = Allocate(sizeof(char *) * count);
	for (int i = 0; i < count; i++)
	{
		const char *text = fields[i].text;
		size_t		len = fields[i].len;

		CellTrim(&text, &len);
		if (len > 1000)
			Die(EXIT_NO_INPUT, "%s: the name of column %d has %zu bytes; is the first row a header?", source->path, i + 1, len);
		if (!Utf8IsValid(text, len))
			Die(EXIT_NO_INPUT, "%s: the header is no text in UTF-8; name the encoding of the file with --encoding", source->path);
		named |= len > 0;
		source->columns[i] = len > 0 ? Format("%.*s", (int) len, text) : Format("column %d", i + 1);
		for (int before = 0, again = i + 1; before < i; before++)
			if (strcmp(source->columns[before], source->columns[i]) == 0)
			{
				free(source->columns[i]);
				source->columns[i] = Format("%.*s (%d)", (int) len, text, again++);
				before = -1;
			}
	}
	source->column_count = count;
	if (!named)
		Die(EXIT_NO_INPUT, "%s: the first row is empty; it must be a header", source->path);
}
