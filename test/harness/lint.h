/*
 * What cppcheck has to know of the server's headers, which it does not read:
 * errors do not return, and some macros are syntax.
 */
#define DEBUG1 14
#define LOG 15
#define INFO 17
#define NOTICE 18
#define WARNING 19
#define ERROR 21
#define FATAL 22
#define PANIC 23
#define ereport(level, ...) do { if ((level) >= ERROR) abort(); } while (0)
#define elog(level, ...) ereport(level)
#define Assert(condition) do { if (!(condition)) abort(); } while (0)
#define CppAsString(x) #x
#define CppAsString2(x) CppAsString(x)
#define PG_FUNCTION_INFO_V1(function)
#define PG_MODULE_MAGIC
#define PG_USED_FOR_ASSERTS_ONLY
#define pg_attribute_noreturn() __attribute__((noreturn))
#define pg_attribute_printf(format, first)
#define pg_noinline
#define pg_unreachable() abort()
#define PGDLLEXPORT
#define INT64_FORMAT "%ld"
#define UINT64_FORMAT "%lu"
#define foreach(cell, list) for (ListCell *cell##_at = NULL; (cell = cell##_at) != NULL;)
