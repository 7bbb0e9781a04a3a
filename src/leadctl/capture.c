/*
 * leadctl capture: a body from standard input, given to the workspace as it
 * came.  For mail aliases and web servers: the exit code says what they need
 * to know, and the reply is what capture_raw() says.
 */
#include "leadctl/capture.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* No body is larger, whatever a form allows */
#define MAX_BODY (256 * 1024 * 1024)

static const char help[] =
"leadctl capture gives one body from standard input to a workspace.\n"
"\n"
"Usage:\n"
"  leadctl capture [OPTION]... < BODY\n"
"\n"
"  -f, --form=NAME          form that it comes in by (default \"default\")\n"
"  -t, --type=MEDIA-TYPE    such as application/json, message/rfc822 or text/csv\n"
"                           (default: CONTENT_TYPE of the environment, as web\n"
"                           servers set it, else message/rfc822)\n"
"      --stored             succeed once the body is stored, even if rejected, so\n"
"                           that a mail system does not send it back\n"
"  -q, --quiet              no reply on standard output\n"
"\n"
"Connection: -d, -h, -p, -U, -w; see leadctl --help.\n"
"Ends with 0 when accepted, 65 when rejected, 75 when it is to be tried again.\n";

/* Read standard input to its end */
static void
ReadBody(Buffer *body)
{
	ssize_t		got;

	do
	{
		BufferReserve(body, 64 * 1024);
		got = read(STDIN_FILENO, body->data + body->len, 64 * 1024);
		if (got < 0 && errno != EINTR)
			Die(EXIT_NO_INPUT, "standard input: %s", strerror(errno));
		if (got > 0)
			body->len += got;
		if (body->len > MAX_BODY)
			Die(EXIT_REJECTED, "the body is larger than %d MB", MAX_BODY / 1024 / 1024);
	}
	while (got != 0);
	if (body->len == 0)
		Die(EXIT_NO_INPUT, "there is nothing on standard input");
}

/*
 * Give a body to capture_raw(); returns what it says as rows of text, status
 * and the whole as JSON, or an error with the connection to tell why.
 */
PGresult *
CaptureBody(PGconn *connection, const char *prefix, const char *form, const char *type, const Buffer *body)
{
	char	   *sql = Format("SELECT pg_catalog.to_jsonb(r) ->> 'status',"
							 " pg_catalog.jsonb_strip_nulls(pg_catalog.to_jsonb(r) - ARRAY['payload', 'raw', 'match'])"
							 " FROM %scapture_raw($1::pg_catalog.text, $2::pg_catalog.text, $3::pg_catalog.bytea) r", prefix);
	const char *values[3] = {form, type, body->data};
	int			lengths[3] = {0, 0, (int) body->len};
	int			formats[3] = {0, 0, 1};
	PGresult   *result = PQexecParams(connection, sql, 3, NULL, values, lengths, formats, 0);

	free(sql);
	return result;
}

int
CaptureMain(int argc, char **argv)
{
	enum
	{
		OPTION_STORED = 256
	};
	static const struct option options[] = {
		TARGET_OPTIONS,
		{"form", required_argument, NULL, 'f'},
		{"type", required_argument, NULL, 't'},
		{"quiet", no_argument, NULL, 'q'},
		{"stored", no_argument, NULL, OPTION_STORED},
		{NULL, 0, NULL, 0}
	};
	Target		target = {0};
	const char *form = "default";
	const char *type = getenv("CONTENT_TYPE");
	bool		is_quiet = false;
	bool		suffices = false;
	Buffer		body = {0};
	PGconn	   *connection;
	PGresult   *result;
	int			letter;
	int			code = EXIT_DONE;

	while ((letter = getopt_long(argc, argv, TARGET_LETTERS "f:t:q", options, NULL)) != -1)
	{
		if (TargetOption(&target, letter, optarg))
			continue;
		switch (letter)
		{
			case 'H':
				fputs(help, stdout);
				return EXIT_DONE;
			case 'f':
				form = optarg;
				break;
			case 't':
				type = optarg;
				break;
			case 'q':
				is_quiet = true;
				break;
			case OPTION_STORED:
				suffices = true;
				break;
			default:
				fprintf(stderr, "Try leadctl capture --help.\n");
				return EXIT_BAD_USAGE;
		}
	}
	if (optind != argc)
		Die(EXIT_BAD_USAGE, "the body comes on standard input; try leadctl capture --help");
	if (type == NULL || *type == '\0')
		type = "message/rfc822";
	ReadBody(&body);
	connection = Connect(&target);
	if (IsLost(connection, NULL))
		Die(EXIT_TRY_AGAIN, "%s", PQerrorMessage(connection));
	result = CaptureBody(connection, WorkspacePrefix(connection, &target), form, type, &body);
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		RefusedBy(connection, result, "not stored");
	for (int i = 0; i < PQntuples(result); i++)
	{
		if (!is_quiet)
			puts(PQgetvalue(result, i, 1));
		if (strcmp(PQgetvalue(result, i, 0), "rejected") == 0 && !suffices)
			code = EXIT_REJECTED;
	}
	PQclear(result);
	PQfinish(connection);
	return code;
}
