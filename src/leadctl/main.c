/*
 * leadctl: brings leads into a workspace of lead_mgmt from outside.
 */
#include "leadctl/leadctl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *program_name = "leadctl";

static const char help[] =
"leadctl brings leads into a workspace of lead_mgmt, in any PostgreSQL server\n"
"that libpq can reach.\n"
"\n"
"Usage:\n"
"  leadctl import FILE [OPTION]...   the records of a file: CSV, TSV, NDJSON, XLSX\n"
"  leadctl capture [OPTION]...       one body from standard input, such as a mail\n"
"  leadctl fetch [SOURCE]...         what the sources of the workspace have that is new\n"
"  leadctl COMMAND --help            the options of a command\n"
"  leadctl --version\n"
"\n"
"Connection, for every command:\n"
"  -d, --dbname=NAME      database, or a connection string without a password\n"
"  -h, --host=HOST        server, or the directory of its socket\n"
"  -p, --port=PORT        its port\n"
"  -U, --username=NAME    role\n"
"  -w, --workspace=NAME   workspace (default crm)\n"
"What is not given comes from the environment and service files as for psql:\n"
"PGHOST, PGSERVICE, PGPASSFILE and so on. See leadctl(1) for exit codes.\n";

/* Say what is wrong and end */
void
Die(int code, const char *format,...)
{
	va_list		args;

	fflush(stdout);
	fprintf(stderr, "%s: ", program_name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(code);
}

/* Say what is odd and go on */
void
Warn(const char *format,...)
{
	va_list		args;

	fprintf(stderr, "%s: ", program_name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

void *
Allocate(size_t size)
{
	void	   *memory = calloc(1, size > 0 ? size : 1);

	if (memory == NULL)
		Die(EXIT_REFUSED, "out of memory");
	return memory;
}

void *
Reallocate(void *memory, size_t size)
{
	memory = realloc(memory, size > 0 ? size : 1);
	if (memory == NULL)
		Die(EXIT_REFUSED, "out of memory");
	return memory;
}

int
main(int argc, char **argv)
{
	static const struct
	{
		const char *name;
		int			(*run) (int argc, char **argv);
	}			commands[] = {
		{"import", ImportMain}, {"capture", CaptureMain}, {"fetch", FetchMain}
	};

	if (argc < 2)
	{
		fputs(help, stderr);
		return EXIT_BAD_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)
	{
		fputs(help, stdout);
		return EXIT_DONE;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
	{
		printf("leadctl (lead_mgmt) %s\n", LEAD_MGMT_VERSION);
		return EXIT_DONE;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
		{
			program_name = Format("leadctl %s", commands[i].name);
			return commands[i].run(argc - 1, argv + 1);
		}
	Die(EXIT_BAD_USAGE, "there is no command \"%s\"; try leadctl --help", argv[1]);
}
