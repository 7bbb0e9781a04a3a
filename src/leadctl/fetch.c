/*
 * leadctl fetch: what the sources of a workspace have that is new.
 *
 * A source is a row that says where to look.  It is taken in hand, so that
 * several of these programs never fetch one twice, asked for what changed
 * since, and given back in the transaction that submits what came, together
 * with the server's word on its state.  So nothing is lost and nothing comes
 * twice, wherever it breaks off.
 */
#include <curl/curl.h>
#include <getopt.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "leadctl/capture.h"

/* Files that one run takes from a directory */
#define MAX_FILES 1000
#define MAX_REDIRECTS 5
#define PROTOCOLS "http,https,ftp,ftps"

static const char help[] =
"leadctl fetch submits what the sources of a workspace have that is new. They are\n"
"rows of its table fetch_source: addresses of RSS feeds and other documents, over\n"
"http, https, ftp or ftps. Run it from cron or a systemd timer.\n"
"\n"
"Usage:\n"
"  leadctl fetch [OPTION]... [SOURCE]...\n"
"\n"
"Without names, those that are due by their column every; those named, in any case.\n"
"\n"
"  -q, --quiet              says only what went wrong\n"
"\n"
"Connection: -d, -h, -p, -U, -w; see leadctl --help. Names and passwords for the\n"
"sources themselves come from ~/.netrc.\n"
"Ends with 0, 65 when something was rejected, 75 when a source could not be had.\n";

/* A source as the workspace has it */
typedef struct Task
{
	const char *name;
	const char *url;
	const char *form;
	const char *type;			/* NULL when it is not declared */
	long		seconds;
	size_t		maximum;
	const char *etag;			/* NULL when there is none */
	const char *modified;
} Task;

/* What a transfer brought */
typedef struct Answer
{
	Buffer		body;
	size_t		maximum;
	bool		is_too_large;
	long		status;
	char	   *type;
	char	   *etag;
	char	   *modified;
	char		error[CURL_ERROR_SIZE];
} Answer;

typedef struct Fetch
{
	PGconn	   *connection;
	char	   *prefix;
	CURL	   *curl;
	char	   *began;			/* by the server's clock: each source has its turn once */
	bool		is_quiet;
	bool		has_rejected;
	bool		has_failed;
} Fetch;

/* Keep a piece of the body, up to the limit */
static size_t
KeepBody(char *data, size_t size, size_t count, void *arg)
{
	Answer	   *answer = arg;

	if (answer->body.len + size * count > answer->maximum)
	{
		answer->is_too_large = true;
		return 0;
	}
	BufferAdd(&answer->body, data, size * count);
	return size * count;
}

/* Take a header's value if it is the one named */
static void
TakeHeader(const char *line, size_t len, const char *name, char **value)
{
	size_t		name_len = strlen(name);

	if (len <= name_len || strncasecmp(line, name, name_len) != 0 || line[name_len] != ':')
		return;
	line += name_len + 1;
	len -= name_len + 1;
	while (len > 0 && (*line == ' ' || *line == '\t'))
		line++, len--;
	while (len > 0 && strchr("\r\n \t", line[len - 1]))
		len--;
	free(*value);
	*value = Format("%.*s", (int) (len < 1000 ? len : 1000), line);
}

/* Read a header of the answer */
static size_t
KeepHeader(char *data, size_t size, size_t count, void *arg)
{
	Answer	   *answer = arg;

	TakeHeader(data, size * count, "etag", &answer->etag);
	TakeHeader(data, size * count, "last-modified", &answer->modified);
	return size * count;
}

/* Forget an answer */
static void
FreeAnswer(Answer *answer)
{
	free(answer->body.data);
	free(answer->type);
	free(answer->etag);
	free(answer->modified);
	memset(answer, 0, sizeof(Answer));
}

/* Get what is at an address; false with the reason in answer->error */
static bool
Transfer(Fetch *fetch, const Task *task, const char *url, bool is_list, Answer *answer)
{
	struct curl_slist *headers = NULL;
	CURL	   *curl = fetch->curl;
	CURLcode	code;
	char	   *type = NULL;
	char	   *line;

	memset(answer, 0, sizeof(Answer));
	answer->maximum = is_list ? 4 * 1024 * 1024 : task->maximum;
	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, answer->error);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, PROTOCOLS);
	curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long) MAX_REDIRECTS);
	curl_easy_setopt(curl, CURLOPT_NETRC, (long) CURL_NETRC_OPTIONAL);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, task->seconds);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, task->seconds < 30 ? task->seconds : 30L);
	curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "leadctl/" LEAD_MGMT_VERSION);
	curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t) answer->maximum);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, KeepBody);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
	if (is_list)
		curl_easy_setopt(curl, CURLOPT_DIRLISTONLY, 1L);
	else if (strncasecmp(url, "http", 4) == 0)
	{
		curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, KeepHeader);
		curl_easy_setopt(curl, CURLOPT_HEADERDATA, answer);
		if (task->etag)
		{
			line = Format("If-None-Match: %s", task->etag);
			headers = curl_slist_append(headers, line);
			free(line);
		}
		if (task->modified)
		{
			line = Format("If-Modified-Since: %s", task->modified);
			headers = curl_slist_append(headers, line);
			free(line);
		}
		curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	}
	code = curl_easy_perform(curl);
	curl_slist_free_all(headers);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
	curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
	if (type)
		answer->type = Duplicate(type);
	if (answer->is_too_large || code == CURLE_FILESIZE_EXCEEDED)
		snprintf(answer->error, sizeof(answer->error), "larger than %zu bytes", answer->maximum);
	else if (code != CURLE_OK && answer->error[0] == '\0')
		snprintf(answer->error, sizeof(answer->error), "%s", curl_easy_strerror(code));
	if (code == CURLE_OK && strncasecmp(url, "http", 4) == 0 && answer->status != 200 && answer->status != 304)
	{
		snprintf(answer->error, sizeof(answer->error), "the server answers %ld", answer->status);
		return false;
	}
	return code == CURLE_OK;
}

/* Tell the media type of a file by the end of its name, NULL when it does not */
static const char *
TypeOfName(const char *name)
{
	static const struct
	{
		const char *end;
		const char *type;
	}			types[] = {
		{".json", "application/json"}, {".ndjson", "application/x-ndjson"}, {".jsonl", "application/x-ndjson"},
		{".csv", "text/csv"}, {".xml", "application/xml"}, {".rss", "application/rss+xml"},
		{".atom", "application/atom+xml"}, {".eml", "message/rfc822"}
	};
	size_t		len = strcspn(name, "?#");

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
	{
		size_t		end_len = strlen(types[i].end);

		if (len > end_len && strncasecmp(name + len - end_len, types[i].end, end_len) == 0)
			return types[i].type;
	}
	return NULL;
}

/* Run a statement that is to succeed */
static PGresult *
Must(Fetch *fetch, const char *name, const char *sql, int count, const char *const *values)
{
	PGresult   *result = Ask(fetch->connection, sql, count, values);

	if (PQresultStatus(result) != PGRES_TUPLES_OK && PQresultStatus(result) != PGRES_COMMAND_OK)
		RefusedBy(fetch->connection, result, name);
	return result;
}

/* Note what came of a source, and give it back */
static void
Record(Fetch *fetch, const Task *task, const char *outcome, bool failed, const char *etag, const char *modified)
{
	char	   *sql = Format("SELECT %srecord_fetch($1, $2, $3::pg_catalog.bool, $4, $5)", fetch->prefix);
	const char *values[5] = {task->name, outcome, failed ? "t" : "f", etag, modified};

	PQclear(Must(fetch, task->name, sql, 5, values));
	free(sql);
}

/* Say what became of a body's records */
static void
Tell(Fetch *fetch, const Task *task, const char *name, const PGresult *result)
{
	static const char *const statuses[] = {"accepted", "duplicate", "review", "rejected"};

	if (!fetch->is_quiet)
		printf("%s: %s:", task->name, name);
	for (size_t s = 0; s < sizeof(statuses) / sizeof(statuses[0]); s++)
	{
		int			n = 0;

		for (int i = 0; i < PQntuples(result); i++)
			n += strcmp(PQgetvalue(result, i, 0), statuses[s]) == 0;
		if (n > 0 && !fetch->is_quiet)
			printf(" %d %s", n, statuses[s]);
		fetch->has_rejected |= n > 0 && s == 3;
	}
	if (!fetch->is_quiet)
		putchar('\n');
}

/* Submit a body unless it came before; in the transaction that is open */
static void
Submit(Fetch *fetch, const Task *task, const char *name, const Answer *answer, const char *type)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int len;
	char	   *hex;
	char	   *sql = Format("SELECT %sclaim_body($1, $2::pg_catalog.bytea, $3)", fetch->prefix);
	const char *values[3] = {task->name, NULL, name};
	PGresult   *result;
	bool		is_new;

	EVP_Digest(answer->body.data, answer->body.len, digest, &len, EVP_sha256(), NULL);
	hex = Allocate(2 * len + 3);
	memcpy(hex, "\\x", 2);
	for (unsigned int i = 0; i < len; i++)
		sprintf(hex + 2 + 2 * i, "%02x", digest[i]);
	values[1] = hex;
	result = Must(fetch, task->name, sql, 3, values);
	is_new = *PQgetvalue(result, 0, 0) == 't';
	PQclear(result);
	free(sql);
	free(hex);
	if (!is_new)
	{
		if (!fetch->is_quiet)
			printf("%s: %s: came before\n", task->name, name);
		return;
	}
	result = CaptureBody(fetch->connection, fetch->prefix, task->form, type, &answer->body);
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		RefusedBy(fetch->connection, result, task->name);
	Tell(fetch, task, name, result);
	PQclear(result);
}

/* Note that a source could not be had */
static void
Fail(Fetch *fetch, const Task *task, const char *url, const char *error)
{
	Warn("%s: %s: %s", task->name, url, error);
	Record(fetch, task, error, true, NULL, NULL);
	fetch->has_failed = true;
}

/* Fetch one document */
static void
FetchDocument(Fetch *fetch, const Task *task)
{
	Answer		answer;
	bool		is_there = Transfer(fetch, task, task->url, false, &answer);
	const char *type = task->type ? task->type : answer.type ? answer.type : TypeOfName(task->url);

	if (is_there && answer.status != 304 && type == NULL)
		snprintf(answer.error, sizeof(answer.error), "nothing tells what it is; set content_type");
	if (!is_there || (answer.status != 304 && type == NULL))
		Fail(fetch, task, task->url, answer.error);
	else if (answer.status == 304)
	{
		Record(fetch, task, "not modified", false, task->etag, task->modified);
		if (!fetch->is_quiet)
			printf("%s: not modified\n", task->name);
	}
	else
	{
		PQclear(Must(fetch, task->name, "BEGIN", 0, NULL));
		if (answer.body.len > 0)
			Submit(fetch, task, task->url, &answer, type);
		Record(fetch, task, "fetched", false, answer.etag, answer.modified);
		PQclear(Must(fetch, task->name, "COMMIT", 0, NULL));
	}
	FreeAnswer(&answer);
}

/* Fetch the files of a directory that are new */
static void
FetchDirectory(Fetch *fetch, const Task *task)
{
	Answer		list;
	int			files = 0;
	bool		all_well = true;

	if (!Transfer(fetch, task, task->url, true, &list))
	{
		Fail(fetch, task, task->url, list.error);
		FreeAnswer(&list);
		return;
	}
	for (char *name = list.body.data ? strtok(list.body.data, "\r\n") : NULL; name && files < MAX_FILES; name = strtok(NULL, "\r\n"))
	{
		const char *type = task->type ? task->type : TypeOfName(name);
		char	   *escaped;
		char	   *url;
		Answer		answer;

		if (*name == '.' || strchr(name, '/') || type == NULL)
			continue;			/* half-written files have other endings */
		escaped = curl_easy_escape(fetch->curl, name, 0);
		url = Format("%s%s", task->url, escaped);
		if (Transfer(fetch, task, url, false, &answer))
		{
			PQclear(Must(fetch, task->name, "BEGIN", 0, NULL));
			if (answer.body.len > 0)
				Submit(fetch, task, name, &answer, type);
			PQclear(Must(fetch, task->name, "COMMIT", 0, NULL));
		}
		else
		{
			Warn("%s: %s: %s", task->name, name, answer.error);
			all_well = false;
		}
		files++;
		FreeAnswer(&answer);
		curl_free(escaped);
		free(url);
	}
	FreeAnswer(&list);
	fetch->has_failed |= !all_well;
	Record(fetch, task, all_well ? "fetched" : "some files could not be fetched", !all_well, NULL, NULL);
}

/* Fetch a source that is due, or one named; false when there is none */
static bool
FetchNext(Fetch *fetch, const char *name)
{
	char	   *sql = Format("SELECT source, url, form, content_type, seconds, maximum_bytes, etag, last_modified"
							 " FROM %sclaim_fetch(CASE WHEN $1::pg_catalog.text IS NOT NULL THEN ARRAY[$1] END,"
							 " $2::pg_catalog.timestamptz)", fetch->prefix);
	const char *values[2] = {name, fetch->began};
	PGresult   *result = Must(fetch, name ? name : "sources", sql, 2, values);
	bool		found = PQntuples(result) > 0;

	free(sql);
	if (found)
	{
		Task		task = {
			.name = PQgetvalue(result, 0, 0),
			.url = PQgetvalue(result, 0, 1),
			.form = PQgetvalue(result, 0, 2),
			.type = PQgetisnull(result, 0, 3) ? NULL : PQgetvalue(result, 0, 3),
			.seconds = atol(PQgetvalue(result, 0, 4)),
			.maximum = strtoul(PQgetvalue(result, 0, 5), NULL, 10),
			.etag = PQgetisnull(result, 0, 6) ? NULL : PQgetvalue(result, 0, 6),
			.modified = PQgetisnull(result, 0, 7) ? NULL : PQgetvalue(result, 0, 7)
		};

		if (strncasecmp(task.url, "ftp", 3) == 0 && task.url[strlen(task.url) - 1] == '/')
			FetchDirectory(fetch, &task);
		else
			FetchDocument(fetch, &task);
	}
	PQclear(result);
	return found;
}

int
FetchMain(int argc, char **argv)
{
	static const struct option options[] = {
		TARGET_OPTIONS,
		{"quiet", no_argument, NULL, 'q'},
		{NULL, 0, NULL, 0}
	};
	Target		target = {0};
	Fetch		fetch = {0};
	PGresult   *began;
	int			letter;

	while ((letter = getopt_long(argc, argv, TARGET_LETTERS "q", options, NULL)) != -1)
	{
		if (TargetOption(&target, letter, optarg))
			continue;
		switch (letter)
		{
			case 'H':
				fputs(help, stdout);
				return EXIT_DONE;
			case 'q':
				fetch.is_quiet = true;
				break;
			default:
				fprintf(stderr, "Try leadctl fetch --help.\n");
				return EXIT_BAD_USAGE;
		}
	}
	fetch.connection = Connect(&target);
	if (IsLost(fetch.connection, NULL))
		Die(EXIT_TRY_AGAIN, "%s", PQerrorMessage(fetch.connection));
	fetch.prefix = WorkspacePrefix(fetch.connection, &target);
	began = Must(&fetch, "sources", "SELECT pg_catalog.now()", 0, NULL);
	fetch.began = PQgetvalue(began, 0, 0);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	fetch.curl = curl_easy_init();
	if (fetch.curl == NULL)
		Die(EXIT_REFUSED, "libcurl cannot be started");
	if (optind == argc)
		while (FetchNext(&fetch, NULL))
			;
	for (int i = optind; i < argc; i++)
		if (!FetchNext(&fetch, argv[i]))
			Die(EXIT_BAD_USAGE, "there is no source \"%s\", or it is being fetched by another session", argv[i]);
	curl_easy_cleanup(fetch.curl);
	curl_global_cleanup();
	PQclear(began);
	PQfinish(fetch.connection);
	return fetch.has_failed ? EXIT_TRY_AGAIN : fetch.has_rejected ? EXIT_REJECTED : EXIT_DONE;
}
