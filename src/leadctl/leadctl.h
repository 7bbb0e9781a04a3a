/*
 * leadctl: what its commands share.
 */
#ifndef LEADCTL_H
#define LEADCTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libpq-fe.h"

/* How the program ends: the codes of sysexits.h, which mail systems know */
#define EXIT_DONE 0
#define EXIT_BAD_USAGE 64
#define EXIT_REJECTED 65		/* something was rejected */
#define EXIT_NO_INPUT 66		/* the input cannot be read, or is of no known form */
#define EXIT_REFUSED 70			/* the server refused */
#define EXIT_NO_OUTPUT 73		/* a file cannot be written */
#define EXIT_TRY_AGAIN 75		/* no connection; nothing is lost by another try */

#if defined(__GNUC__)
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))
#else
#define PRINTF_LIKE(text, first)
#endif

extern const char *program_name;

extern void Die(int code, const char *format,...) PRINTF_LIKE(2, 3) __attribute__((noreturn));
extern void Warn(const char *format,...) PRINTF_LIKE(1, 2);
extern void *Allocate(size_t size);
extern void *Reallocate(void *memory, size_t size);
extern char *Duplicate(const char *text);
extern char *Format(const char *format,...) PRINTF_LIKE(1, 2);

/* A growing run of bytes, always with a NUL behind it */
typedef struct Buffer
{
	char	   *data;
	size_t		len;
	size_t		size;
} Buffer;

extern void BufferReserve(Buffer *buffer, size_t more);
extern void BufferAdd(Buffer *buffer, const void *data, size_t len);
extern void BufferAddText(Buffer *buffer, const char *text);
extern void BufferAddJson(Buffer *buffer, const char *text, size_t len);
extern char *HexText(const unsigned char *bytes, size_t len);

/* Where the server is, and the workspace in it */
typedef struct Target
{
	const char *dbname;			/* name or connection string */
	const char *host;
	const char *port;
	const char *user;
	const char *workspace;
} Target;

/* Options that every command takes, as getopt_long has them */
#define TARGET_OPTIONS \
	{"dbname", required_argument, NULL, 'd'}, \
	{"host", required_argument, NULL, 'h'}, \
	{"port", required_argument, NULL, 'p'}, \
	{"username", required_argument, NULL, 'U'}, \
	{"workspace", required_argument, NULL, 'w'}, \
	{"help", no_argument, NULL, 'H'}
#define TARGET_LETTERS "d:h:p:U:w:"

extern bool TargetOption(Target *target, int letter, const char *value);
extern PGconn *Connect(const Target *target);
extern char *WorkspacePrefix(PGconn *connection, const Target *target);
extern bool IsLost(PGconn *connection, const PGresult *result);
extern PGresult *Ask(PGconn *connection, const char *sql, int count, const char *const *values);
extern void RefusedBy(PGconn *connection, const PGresult *result, const char *doing) __attribute__((noreturn));

extern int	ImportMain(int argc, char **argv);
extern int	CaptureMain(int argc, char **argv);
extern int	FetchMain(int argc, char **argv);

#endif
