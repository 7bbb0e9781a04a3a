/*
 * leadctl import: the records of a file become submissions.
 *
 * Rows go in batches by COPY, each batch a transaction that also moves the
 * mark in the table import on.  So the mark tells exactly what is in: after a
 * lost connection, or in another run, the file is read again and rows up to
 * the mark are passed over.  An import is known again by its fingerprint, a
 * digest of the file and of whatever has a say in how its rows are read.
 */
#include "leadctl/import.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* How long a lost connection is tried again, unless said otherwise */
#define RETRY_SECONDS 60

static const char help[] =
"leadctl import brings the records of a file into a workspace.\n"
"\n"
"Usage:\n"
"  leadctl import FILE [OPTION]...\n"
"\n"
"The file:\n"
"      --format=NAME          csv, tsv, ndjson, xlsx, or fixed for lines whose\n"
"                             columns the form knows by place; guessed otherwise\n"
"      --encoding=NAME        such as windows-1252, windows-1258 or UTF-16LE\n"
"                             (default UTF-8, or what the file's mark says)\n"
"      --delimiter=CHARACTER  between fields; guessed otherwise\n"
"      --sheet=NAME           of a workbook (default the first)\n"
"\n"
"How it is read:\n"
"  -f, --form=NAME            form that the records come in by (default \"default\")\n"
"      --map=COLUMN=FIELD     reads a column as a field, or \"ignore\"; repeatable\n"
"      --date-order=ORDER     DMY, MDY or YMD: what 1/8/2026 means\n"
"      --decimal-mark=MARK    . or , in numbers\n"
"\n"
"What is done:\n"
"  -n, --dry-run              does it all, reports, and takes it back\n"
"      --atomic               all records or none: none if any is rejected\n"
"      --again                also if the file was imported before\n"
"      --batch-rows=N         records a transaction (default 8000)\n"
"      --rejects=FILE         for rejected records (default FILE.rejected.csv)\n"
"      --retry=SECONDS        how long to try to connect again (default 60)\n"
"  -q, --quiet                no progress and no summary\n"
"\n"
"Connection: -d, -h, -p, -U, -w; see leadctl --help.\n";

/* Say what happens, unless asked not to */
static void
Say(const Import *import, const char *text)
{
	if (!import->is_quiet)
		fputs(text, stdout);
}

/* Digest the file */
static char *
DigestFile(const char *path)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int len;
	char	   *piece = Allocate(256 * 1024);
	FILE	   *file = fopen(path, "rb");
	size_t		got;
	char	   *hex;

	if (file == NULL)
		Die(EXIT_NO_INPUT, "%s: %s", path, strerror(errno));
	setvbuf(file, NULL, _IONBF, 0);
	EVP_DigestInit_ex(context, EVP_sha256(), NULL);
	while ((got = fread(piece, 1, 256 * 1024, file)) > 0)
		EVP_DigestUpdate(context, piece, got);
	if (ferror(file))
		Die(EXIT_NO_INPUT, "%s: %s", path, strerror(errno));
	EVP_DigestFinal_ex(context, digest, &len);
	EVP_MD_CTX_free(context);
	fclose(file);
	free(piece);
	hex = HexText(digest, len);
	return hex;
}

/* Write names as the text of an array */
static void
PutArray(Buffer *out, char **names, int count)
{
	BufferAddText(out, "{");
	for (int i = 0; i < count; i++)
	{
		BufferAddText(out, i > 0 ? ",\"" : "\"");
		for (const char *c = names[i]; *c; c++)
		{
			if (*c == '"' || *c == '\\')
				BufferAddText(out, "\\");
			BufferAdd(out, c, 1);
		}
		BufferAddText(out, "\"");
	}
	BufferAddText(out, "}");
}

/* Find the field that an option --map gives a column, NULL when none does */
static const char *
OverrideOf(const Import *import, const char *column)
{
	size_t		len = strlen(column);

	for (int i = 0; i < import->override_count; i++)
		if (strncmp(import->overrides[i], column, len) == 0 && import->overrides[i][len] == '=')
			return import->overrides[i] + len + 1;
	return NULL;
}

/* Order columns by their keys */
static int
CompareColumns(const void *a, const void *b, void *arg)
{
	const Column *columns = arg;
	const char *left = columns[*(const int *) a].key;
	const char *right = columns[*(const int *) b].key;

	return strcmp(left ? left : "", right ? right : "");
}

/* Find out what each column is read as */
static void
MapColumns(Import *import)
{
	Source	   *source = import->source;
	int			count = source->column_count;
	Buffer		names = {0};
	Buffer		given = {0};
	const char *values[3];
	PGresult   *result;
	char	   *sql = Format("SELECT field, how, type, key FROM %simport_columns($1::pg_catalog.text[], $2, $3::pg_catalog.text[])"
							 " ORDER BY position", import->prefix);
	char	  **fields = Allocate(sizeof(char *) * count);

	for (int i = 0; i < import->override_count; i++)
	{
		char	   *column = Duplicate(import->overrides[i]);
		bool		found = false;

		*strchr(column, '=') = '\0';
		for (int c = 0; c < count; c++)
			found |= strcmp(source->columns[c], column) == 0;
		if (!found)
			Die(EXIT_BAD_USAGE, "%s has no column \"%s\"", import->path, column);
		free(column);
	}
	for (int i = 0; i < count; i++)
	{
		const char *override = OverrideOf(import, source->columns[i]);

		fields[i] = Duplicate(override ? override : "");
	}
	PutArray(&names, source->columns, count);
	PutArray(&given, fields, count);
	values[0] = names.data;
	values[1] = import->form;
	values[2] = given.data;
	result = Ask(import->connection, sql, 3, values);
	if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != count)
		RefusedBy(import->connection, result, import->path);
	import->columns = Allocate(sizeof(Column) * count);
	import->order = Allocate(sizeof(int) * count);
	for (int i = 0; i < count; i++)
	{
		Column	   *column = &import->columns[i];
		const char *type = PQgetvalue(result, i, 2);

		if (!PQgetisnull(result, i, 0))
		{
			column->field = Duplicate(PQgetvalue(result, i, 0));
			column->how = Duplicate(PQgetvalue(result, i, 1));
		}
		column->kind = strcmp(type, "date") == 0 || strcmp(type, "timestamp") == 0 ? KIND_DATE :
			strcmp(type, "number") == 0 || strcmp(type, "integer") == 0 ? KIND_NUMBER : KIND_TEXT;

		if (!PQgetisnull(result, i, 3))
			column->key = Duplicate(PQgetvalue(result, i, 3));
		import->order[i] = i;
	}
	qsort_r(import->order, count, sizeof(int), CompareColumns, import->columns);
	PQclear(result);
	for (int i = 0; i < count; i++)
		free(fields[i]);
	free(fields);
	free(names.data);
	free(given.data);
	free(sql);
}

/* Say what each column is read as */
static void
ShowColumns(const Import *import)
{
	for (int i = 0; i < import->source->column_count; i++)
	{
		const Column *column = &import->columns[i];

		printf("column \"%s\": %s%s\n", import->source->columns[i],
			   column->field ? column->field : "kept, but not read as anything",
			   column->how && strcmp(column->how, "similar") == 0 ? " (a guess)" : "");
	}
}

/* Write the mapping as JSON, and digest what tells this import from others */
static void
MakeFingerprint(Import *import)
{
	char	   *file = DigestFile(import->path);
	Buffer		mapping = {0};
	char	   *text;
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int len;

	BufferAddText(&mapping, "{");
	for (int i = 0; i < import->source->column_count; i++)
	{
		BufferAddText(&mapping, i > 0 ? ", " : "");
		BufferAddJson(&mapping, import->source->columns[i], strlen(import->source->columns[i]));
		BufferAddText(&mapping, ": ");
		if (import->columns[i].field)
			BufferAddJson(&mapping, import->columns[i].field, strlen(import->columns[i].field));
		else
			BufferAddText(&mapping, "null");
	}
	BufferAddText(&mapping, "}");
	import->mapping = mapping.data;
	text = Format("%s %s %s %s %c %c %s", file, mapping.data, SourceKindName(import->source->kind), import->date_order,
				  import->decimal_mark ? import->decimal_mark : '-', import->source->delimiter,
				  import->reading.encoding ? import->reading.encoding : "");
	EVP_Digest(text, strlen(text), digest, &len, EVP_sha256(), NULL);
	import->fingerprint = HexText(digest, len);
	free(text);
	free(file);
}

/* Run a statement that returns nothing of interest; false when the connection is lost */
static bool
Do(Import *import, const char *sql)
{
	PGresult   *result = PQexec(import->connection, sql);
	ExecStatusType status = PQresultStatus(result);

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_COPY_IN)
	{
		if (IsLost(import->connection, result))
		{
			PQclear(result);
			return false;
		}
		ProgressEnd(&import->progress);
		RefusedBy(import->connection, result, import->path);
	}
	PQclear(result);
	return true;
}

/* Find or make the row of this import; false when the connection is lost */
static bool
Begin(Import *import, bool *is_finished)
{
	char	   *sql = Format("SELECT import_id, last_row, rows_read, finished_at FROM %sbegin_import($1, $2, $3, $4::pg_catalog.jsonb,"
							 " $5::pg_catalog.bool)", import->prefix);
	const char *name = strrchr(import->path, '/');
	const char *values[5];
	PGresult   *result;

	values[0] = import->form;
	values[1] = name ? name + 1 : import->path;
	values[2] = import->fingerprint;
	values[3] = import->mapping;
	values[4] = import->again || import->dry_run ? "t" : "f";
	result = Ask(import->connection, sql, 5, values);
	free(sql);
	if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1)
	{
		if (IsLost(import->connection, result))
		{
			PQclear(result);
			return false;
		}
		RefusedBy(import->connection, result, import->path);
	}
	free(import->id);
	import->id = Duplicate(PQgetvalue(result, 0, 0));
	import->last_row = strtoll(PQgetvalue(result, 0, 1), NULL, 10);
	import->rows_before = strtoll(PQgetvalue(result, 0, 2), NULL, 10);
	*is_finished = !PQgetisnull(result, 0, 3);
	if (!import->atomic)
		import->again = false;	/* what follows goes on with it */
	PQclear(result);
	return true;
}

/* Move the mark on and hear which rows were rejected; false when the connection is lost */
static bool
RecordBatch(Import *import)
{
	char	   *sql = Format("SELECT import_row, reasons FROM %srecord_import_batch($1::pg_catalog.int8, $2::pg_catalog.int8,"
							 " $3::pg_catalog.int8, $4::pg_catalog.int8, $5::pg_catalog.jsonb)", import->prefix);
	char	   *after = Format("%lld", (long long) import->last_row);
	int64_t		last = import->row_count > 0 ? import->rows[import->row_count - 1].number : import->last_row;
	char	   *until = Format("%lld", (long long) last);
	char	   *count = Format("%ld", import->row_count);
	const char *values[5] = {import->id, after, until, count, NULL};
	PGresult   *result;
	bool		is_alive = true;

	if (import->refused.len > 0)
	{
		BufferAddText(&import->refused, "]");
		values[4] = import->refused.data;
	}
	result = Ask(import->connection, sql, 5, values);
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
	{
		if (!IsLost(import->connection, result))
		{
			ProgressEnd(&import->progress);
			RefusedBy(import->connection, result, import->path);
		}
		is_alive = false;
	}
	if (is_alive && !import->dry_run && !import->atomic)
		is_alive = Do(import, "COMMIT");
	if (is_alive)
	{
		for (int i = 0; i < PQntuples(result); i++)
		{
			const BatchRow *row = FindRow(import, strtoll(PQgetvalue(result, i, 0), NULL, 10));

			if (row)
				PutReject(import, PQgetvalue(result, i, 0), PQgetvalue(result, i, 1),
						  import->raw.data + row->raw, row->raw_len);
		}
		import->last_row = last;
		import->rows_read += import->row_count;
	}
	PQclear(result);
	free(sql);
	free(after);
	free(until);
	free(count);
	return is_alive;
}

/* Bring a batch in; false when the connection is lost */
static bool
RunBatch(Import *import, bool *has_ended)
{
	char	   *copy = Format("COPY %ssubmission (form, external_id, payload, content_type, raw, import_id, import_row)"
							  " FROM STDIN (FORMAT binary)", import->prefix);
	bool		is_alive = (import->dry_run || import->atomic || Do(import, "BEGIN")) && Do(import, copy);
	PGresult   *result;

	free(copy);
	if (!is_alive || !SendRows(import, has_ended) || PQputCopyEnd(import->connection, NULL) != 1)
		return false;
	while ((result = PQgetResult(import->connection)) != NULL)
	{
		if (PQresultStatus(result) != PGRES_COMMAND_OK)
		{
			if (!IsLost(import->connection, result))
			{
				ProgressEnd(&import->progress);
				RefusedBy(import->connection, result, import->path);
			}
			is_alive = false;
		}
		PQclear(result);
		if (!is_alive)
			return false;
	}
	return is_alive && RecordBatch(import);
}

/*
 * Pass over what is in already.  Of those rows the rejected ones are asked
 * for, so that the file of rejected rows is whole again.
 */
static bool
PassOver(Import *import)
{
	char	   *sql = Format("SELECT import_row, reasons FROM %simport_rejects($1::pg_catalog.int8)", import->prefix);
	const char *values[1] = {import->id};
	PGresult   *result = NULL;
	int64_t		rejected = -1;
	bool		is_alive = true;
	Row			row;

	if (import->last_row == 0)
	{
		free(sql);
		return true;
	}
	if (PQsendQueryParams(import->connection, sql, 1, NULL, values, NULL, NULL, 0) != 1 ||
		PQsetSingleRowMode(import->connection) != 1)
		is_alive = false;
	free(sql);
	if (is_alive)
		do
		{
			if (!SourceNext(import->source, &row))
				Die(EXIT_NO_INPUT, "%s: the file ends before row %lld, up to which it was imported", import->path,
					(long long) import->last_row);
			if (rejected < row.number && (rejected >= 0 || result == NULL))
			{
				PQclear(result);
				result = PQgetResult(import->connection);
				rejected = result && PQresultStatus(result) == PGRES_SINGLE_TUPLE ?
					strtoll(PQgetvalue(result, 0, 0), NULL, 10) : INT64_MAX;
			}
			if (rejected == row.number)
				PutReject(import, PQgetvalue(result, 0, 0), PQgetvalue(result, 0, 1), row.raw, row.raw_len);
		}
		while (row.number < import->last_row);
	PQclear(result);
	while ((result = PQgetResult(import->connection)) != NULL)
		PQclear(result);
	return is_alive && !IsLost(import->connection, NULL);
}

/* Open the file, and the connection if there is none; false when it cannot be had now */
static bool
OpenAll(Import *import, bool *is_finished)
{
	if (import->source)
		SourceClose(import->source);
	import->source = SourceOpen(import->path, &import->reading);
	if (import->rejects)
		fclose(import->rejects);
	import->rejects = NULL;
	import->reject_count = 0;
	import->rows_read = 0;
	if (import->columns == NULL)
	{
		MapColumns(import);
		MakeFingerprint(import);
	}
	if ((import->dry_run || import->atomic) && !Do(import, "BEGIN"))
		return false;
	return Begin(import, is_finished) && (*is_finished || PassOver(import));
}

/* Try to connect again for as long as was asked */
static void
Reconnect(Import *import)
{
	double		until = Now() + import->retry_seconds;
	unsigned int wait = 1;

	ProgressEnd(&import->progress);
	Warn("the connection is lost; trying again for %ld seconds", import->retry_seconds);
	for (;;)
	{
		PQfinish(import->connection);
		import->connection = Connect(&import->target);
		if (!IsLost(import->connection, NULL))
			return;
		if (Now() + wait > until)
			Die(EXIT_TRY_AGAIN, "%s: no connection: %s", import->path, PQerrorMessage(import->connection));
		sleep(wait);
		wait = wait < 8 ? wait * 2 : 8;
	}
}

/* Say what became of the rows */
static int
Report(Import *import)
{
	char	   *sql = Format("SELECT outcome, code, field, rows, first_row, example FROM %simport_report($1::pg_catalog.int8)",
							 import->prefix);
	const char *values[1] = {import->id};
	PGresult   *result = Ask(import->connection, sql, 1, values);

	free(sql);
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		RefusedBy(import->connection, result, import->path);
	if (!import->is_quiet)
		printf("%s: %lld records%s\n", import->path, (long long) (import->rows_before + import->rows_read),
			   import->dry_run ? ", nothing of which is kept" : "");
	for (int i = 0; i < PQntuples(result) && !import->is_quiet; i++)
		if (PQgetisnull(result, i, 1))
			printf("  %-10s %10s\n", PQgetvalue(result, i, 0), PQgetvalue(result, i, 3));
		else
			printf("    %s%s%s: %s, first in row %s%s%s%s\n", PQgetvalue(result, i, 1),
				   PQgetisnull(result, i, 2) ? "" : " of ", PQgetvalue(result, i, 2),
				   PQgetvalue(result, i, 3), PQgetvalue(result, i, 4),
				   PQgetisnull(result, i, 5) ? "" : " (\"", PQgetvalue(result, i, 5),
				   PQgetisnull(result, i, 5) ? "" : "\")");
	PQclear(result);
	return import->reject_count > 0 ? EXIT_REJECTED : EXIT_DONE;
}

/* End an import that ran to its end */
static int
Finish(Import *import)
{
	char	   *sql = Format("SELECT %sfinish_import($1::pg_catalog.int8)", import->prefix);
	const char *values[1] = {import->id};
	bool		is_kept = !import->dry_run && !(import->atomic && import->reject_count > 0);
	PGresult   *result = Ask(import->connection, sql, 1, values);
	int			code;

	free(sql);
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		RefusedBy(import->connection, result, import->path);
	PQclear(result);
	ProgressEnd(&import->progress);
	code = Report(import);
	if ((import->dry_run || import->atomic) && !Do(import, is_kept ? "COMMIT" : "ROLLBACK"))
		Die(EXIT_TRY_AGAIN, "%s: the connection was lost at the end of the transaction", import->path);
	if (import->rejects && fclose(import->rejects) != 0)
		Die(EXIT_NO_OUTPUT, "%s: %s", import->rejects_path, strerror(errno));
	if (import->reject_count > 0 && !import->is_quiet)
		printf("rejected records: %s\n", import->rejects_path);
	if (import->atomic && !is_kept && !import->dry_run)
		Die(EXIT_REJECTED, "%s: nothing was imported, for %lld records were rejected", import->path,
			(long long) import->reject_count);
	return code;
}

/* Bring the file in */
static int
Run(Import *import)
{
	bool		is_finished = false;
	bool		has_ended = false;
	bool		is_alive;

	import->connection = Connect(&import->target);
	if (IsLost(import->connection, NULL))
		Die(EXIT_TRY_AGAIN, "%s", PQerrorMessage(import->connection));
	import->prefix = WorkspacePrefix(import->connection, &import->target);
	import->digest = EVP_MD_CTX_new();
	EVP_DigestInit_ex(import->digest, EVP_sha256(), NULL);
	import->rows = Allocate(sizeof(BatchRow) * import->batch_rows);
	is_alive = OpenAll(import, &is_finished);
	if (is_alive && (import->dry_run || (!import->is_quiet && isatty(STDOUT_FILENO))))
		ShowColumns(import);
	ProgressBegin(&import->progress, import->is_quiet,
				  import->last_row > 0 && import->source->extent > 0 ?
				  (double) import->source->position / import->source->extent : 0);
	for (;;)
	{
		if (is_alive && is_finished)
		{
			ProgressEnd(&import->progress);
			Say(import, Format("%s was imported already, as import %s; nothing is done (--again does it)\n",
							   import->path, import->id));
			return EXIT_DONE;
		}
		while (is_alive && !has_ended)
		{
			is_alive = RunBatch(import, &has_ended);
			if (is_alive)
				ShowProgress(import, true);
		}
		if (is_alive)
			return Finish(import);
		Reconnect(import);
		has_ended = false;
		is_alive = OpenAll(import, &is_finished);
	}
}

/* Read a number of an option */
static long
Number(const char *option, const char *text, long least)
{
	char	   *end;
	long		value = strtol(text, &end, 10);

	if (*text == '\0' || *end != '\0' || value < least || value > 1000000)
		Die(EXIT_BAD_USAGE, "--%s: \"%s\" is not a number from %ld to 1000000", option, text, least);
	return value;
}

int
ImportMain(int argc, char **argv)
{
	enum
	{
		OPTION_FORMAT = 256, OPTION_ENCODING, OPTION_DELIMITER, OPTION_SHEET, OPTION_MAP, OPTION_DATE_ORDER,
		OPTION_DECIMAL_MARK, OPTION_ATOMIC, OPTION_AGAIN, OPTION_BATCH_ROWS, OPTION_REJECTS, OPTION_RETRY
	};
	static const struct option options[] = {
		TARGET_OPTIONS,
		{"form", required_argument, NULL, 'f'},
		{"dry-run", no_argument, NULL, 'n'},
		{"quiet", no_argument, NULL, 'q'},
		{"format", required_argument, NULL, OPTION_FORMAT},
		{"encoding", required_argument, NULL, OPTION_ENCODING},
		{"delimiter", required_argument, NULL, OPTION_DELIMITER},
		{"sheet", required_argument, NULL, OPTION_SHEET},
		{"map", required_argument, NULL, OPTION_MAP},
		{"date-order", required_argument, NULL, OPTION_DATE_ORDER},
		{"decimal-mark", required_argument, NULL, OPTION_DECIMAL_MARK},
		{"atomic", no_argument, NULL, OPTION_ATOMIC},
		{"again", no_argument, NULL, OPTION_AGAIN},
		{"batch-rows", required_argument, NULL, OPTION_BATCH_ROWS},
		{"rejects", required_argument, NULL, OPTION_REJECTS},
		{"retry", required_argument, NULL, OPTION_RETRY},
		{NULL, 0, NULL, 0}
	};
	Import		import = {.form = "default",.batch_rows = BATCH_ROWS,.retry_seconds = RETRY_SECONDS};
	int			letter;

	while ((letter = getopt_long(argc, argv, TARGET_LETTERS "f:nq", options, NULL)) != -1)
	{
		if (TargetOption(&import.target, letter, optarg))
			continue;
		switch (letter)
		{
			case 'H':
				fputs(help, stdout);
				return EXIT_DONE;
			case 'f':
				import.form = optarg;
				break;
			case 'n':
				import.dry_run = true;
				break;
			case 'q':
				import.is_quiet = true;
				break;
			case OPTION_FORMAT:
				import.reading.kind = SourceKindNamed(optarg);
				break;
			case OPTION_ENCODING:
				import.reading.encoding = optarg;
				break;
			case OPTION_DELIMITER:
				if (strcmp(optarg, "\\t") == 0 || strcasecmp(optarg, "tab") == 0)
					import.reading.delimiter = '\t';
				else if (strlen(optarg) == 1 && !strchr("\"\r\n", *optarg) && (*optarg & 0x80) == 0)
					import.reading.delimiter = *optarg;
				else
					Die(EXIT_BAD_USAGE, "--delimiter: \"%s\" is not one ASCII character", optarg);
				break;
			case OPTION_SHEET:
				import.reading.sheet = optarg;
				break;
			case OPTION_MAP:
				if (strchr(optarg, '=') == NULL || *optarg == '=')
					Die(EXIT_BAD_USAGE, "--map: \"%s\" is not COLUMN=FIELD", optarg);
				import.overrides = Reallocate(import.overrides, sizeof(char *) * (import.override_count + 1));
				import.overrides[import.override_count++] = optarg;
				break;
			case OPTION_DATE_ORDER:
				if (strcasecmp(optarg, "DMY") != 0 && strcasecmp(optarg, "MDY") != 0 && strcasecmp(optarg, "YMD") != 0)
					Die(EXIT_BAD_USAGE, "--date-order: \"%s\" is none of DMY, MDY and YMD", optarg);
				for (int i = 0; i < 3; i++)
					import.date_order[i] = toupper((unsigned char) optarg[i]);
				break;
			case OPTION_DECIMAL_MARK:
				if (strcmp(optarg, ".") != 0 && strcmp(optarg, ",") != 0)
					Die(EXIT_BAD_USAGE, "--decimal-mark: \"%s\" is neither . nor ,", optarg);
				import.decimal_mark = *optarg;
				break;
			case OPTION_ATOMIC:
				import.atomic = true;
				break;
			case OPTION_AGAIN:
				import.again = true;
				break;
			case OPTION_BATCH_ROWS:
				import.batch_rows = Number("batch-rows", optarg, 1);
				break;
			case OPTION_REJECTS:
				import.rejects_path = optarg;
				break;
			case OPTION_RETRY:
				import.retry_seconds = Number("retry", optarg, 0);
				break;
			default:
				fprintf(stderr, "Try leadctl import --help.\n");
				return EXIT_BAD_USAGE;
		}
	}
	if (optind != argc - 1)
		Die(EXIT_BAD_USAGE, optind == argc ? "name the file; try leadctl import --help" : "one file at a time; try leadctl import --help");
	import.path = argv[optind];
	if (import.rejects_path == NULL)
		import.rejects_path = Format("%s.rejected.csv", import.path);
	return Run(&import);
}
