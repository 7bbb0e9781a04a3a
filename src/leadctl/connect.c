/*
 * The server: connecting as psql does, and asking it.
 */
#include "leadctl/leadctl.h"

#include <stdlib.h>
#include <string.h>

/* Take an option of the connection; false if it is none */
bool
TargetOption(Target *target, int letter, const char *value)
{
	switch (letter)
	{
		case 'd':
			target->dbname = value;
			return true;
		case 'h':
			target->host = value;
			return true;
		case 'p':
			target->port = value;
			return true;
		case 'U':
			target->user = value;
			return true;
		case 'w':
			target->workspace = value;
			return true;
		default:
			return false;
	}
}

/* Refuse a password in a connection string: every user of the machine can read command lines */
static void
CheckNoSecret(const char *dbname)
{
	PQconninfoOption *options;

	if (strchr(dbname, '=') == NULL && strstr(dbname, "://") == NULL)
		return;
	options = PQconninfoParse(dbname, NULL);
	for (PQconninfoOption *option = options; option && option->keyword; option++)
		if (option->val && (strcmp(option->keyword, "password") == 0 || strcmp(option->keyword, "sslpassword") == 0))
			Die(EXIT_BAD_USAGE, "a password does not belong on the command line; put it into ~/.pgpass or a service file");
	PQconninfoFree(options);
}

/* Connect; the caller is to look whether it worked */
PGconn *
Connect(const Target *target)
{
	const char *keywords[8];
	const char *values[8];
	int			n = 0;
	PGconn	   *connection;

	if (target->dbname)
	{
		CheckNoSecret(target->dbname);
		keywords[n] = "dbname";
		values[n++] = target->dbname;
	}
	if (target->host)
	{
		keywords[n] = "host";
		values[n++] = target->host;
	}
	if (target->port)
	{
		keywords[n] = "port";
		values[n++] = target->port;
	}
	if (target->user)
	{
		keywords[n] = "user";
		values[n++] = target->user;
	}
	keywords[n] = "fallback_application_name";
	values[n++] = "leadctl";
	keywords[n] = "client_encoding";
	values[n++] = "UTF8";
	keywords[n] = NULL;
	values[n] = NULL;
	connection = PQconnectdbParams(keywords, values, 1);
	if (connection == NULL)
		Die(EXIT_REFUSED, "out of memory");
	return connection;
}

/* Get the quoted name of the workspace with its dot */
char *
WorkspacePrefix(PGconn *connection, const Target *target)
{
	const char *name = target->workspace ? target->workspace : "crm";
	char	   *quoted = PQescapeIdentifier(connection, name, strlen(name));
	char	   *prefix;

	if (quoted == NULL)
		Die(EXIT_BAD_USAGE, "\"%s\" cannot be the name of a workspace", name);
	prefix = Format("%s.", quoted);
	PQfreemem(quoted);
	return prefix;
}

/* Is the connection gone, or is this error the word that it is going? */
bool
IsLost(PGconn *connection, const PGresult *result)
{
	const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;

	return PQstatus(connection) != CONNECTION_OK ||
		(state && (strncmp(state, "57P0", 4) == 0 || strncmp(state, "08", 2) == 0));
}

/* Run a statement */
PGresult *
Ask(PGconn *connection, const char *sql, int count, const char *const *values)
{
	return PQexecParams(connection, sql, count, NULL, values, NULL, NULL, 0);
}

/* End because of what the server, or the want of it, says */
void
RefusedBy(PGconn *connection, const PGresult *result, const char *doing)
{
	const char *message = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
	const char *hint = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_HINT) : NULL;
	const char *text = message ? message : PQerrorMessage(connection);
	int			len = strlen(text);

	while (len > 0 && text[len - 1] == '\n')
		len--;
	Die(IsLost(connection, result) ? EXIT_TRY_AGAIN : EXIT_REFUSED, "%s: %.*s%s%s%s", doing, len, text,
		hint ? " (" : "", hint ? hint : "", hint ? ")" : "");
}
