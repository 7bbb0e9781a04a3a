/*
 * Parsers of what comes in as bytes: character sets, name-value pairs, MIME,
 * lines of "Key: value".  They know nothing of the server, so that they
 * can be fuzzed alone; memory comes from whoever links them, in a form that
 * is given back all at once.
 */
#ifndef LEAD_MGMT_PARSE_H
#define LEAD_MGMT_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Most columns of a line, parts of a message, headers of a part */
#define PARSE_MAX_COLUMNS 1600
#define PARSE_MAX_PARTS 1000
#define PARSE_MAX_HEADERS 1000

/* Deepest nesting of the parts of a message */
#define PARSE_MAX_DEPTH 50

/* Longest encoded word, and parameter that is put together from parts */
#define PARSE_MAX_WORD 4096

/* Longest name of a character set */
#define PARSE_MAX_CHARSET 40

typedef enum ParseStatus
{
	PARSE_OK,
	PARSE_END,					/* nothing more to read */
	PARSE_BAD_ESCAPE,			/* a percent sign without two hexadecimal digits */
	PARSE_BAD_ENCODING,			/* bytes that are no text in their character set */
	PARSE_UNKNOWN_CHARSET,
	PARSE_TOO_MANY,
	PARSE_TOO_DEEP,
	PARSE_NO_BOUNDARY			/* multipart without its boundary */
} ParseStatus;

/* Memory, given back with everything else */
extern void *ParseAllocate(size_t size);
extern void *ParseReallocate(void *memory, size_t size);

/* A text that grows; data is NUL-terminated once anything was written */
typedef struct ParseText
{
	char	   *data;
	size_t		len;
	size_t		size;
} ParseText;

extern void ParseTextAppend(ParseText *text, const char *data, size_t len);
extern char *ParseCopy(const char *data, size_t len);
extern const char *ParseStatusMessage(ParseStatus status);

/* A name and a value, in UTF-8 */
typedef struct ParsePair
{
	char	   *name;
	size_t		name_len;
	char	   *value;
	size_t		value_len;
} ParsePair;

typedef struct ParsePairs
{
	ParsePair  *items;
	int			count;
	int			size;
} ParsePairs;

extern void ParsePairsAdd(ParsePairs *pairs, const char *name, size_t name_len, const char *value, size_t value_len);

/* Character sets */
extern bool ParseIsUtf8(const char *data, size_t len);
extern ParseStatus ParseToUtf8(const char *charset, const char *data, size_t len, ParseText *out);
extern void ParseToUtf8Leniently(const char *charset, const char *data, size_t len, ParseText *out);
extern ParseStatus ParseDecodeDocument(const char *charset, const char *data, size_t len, ParseText *out);

/* application/x-www-form-urlencoded */
extern ParseStatus ParseUrlEncoded(const char *charset, const char *data, size_t len, ParsePairs *pairs, size_t *error_at);

/* A media type or disposition with its parameters, as in RFC 2045 and 2231 */
typedef struct ParseHeaderValue
{
	char	   *value;			/* in lower case */
	ParsePairs	parameters;		/* names in lower case */
} ParseHeaderValue;

extern void ParseHeader(const char *data, size_t len, ParseHeaderValue *out);
extern const char *ParseParameter(const ParseHeaderValue *header, const char *name);

/* MIME */
typedef struct ParsePart
{
	ParsePairs	headers;		/* names in lower case, values unfolded, as they came */
	ParseHeaderValue type;		/* text/plain where nothing is said */
	ParseHeaderValue disposition;
	const char *body;			/* as it came */
	size_t		body_len;
	int			depth;
} ParsePart;

typedef struct ParseMessage
{
	ParsePairs	headers;		/* of the message itself */
	ParsePart  *parts;			/* the leaves */
	int			part_count;
	int			part_size;
} ParseMessage;

extern ParseStatus ParseMail(const char *data, size_t len, ParseMessage *message);
extern ParseStatus ParseMultipart(const ParseHeaderValue *type, const char *data, size_t len, ParseMessage *message);
extern const char *ParseFindHeader(const ParsePairs *headers, const char *name);
extern void ParseBody(const ParsePart *part, ParseText *out);
extern void ParseEncodedWords(const char *data, size_t len, ParseText *out);
extern bool ParseAddress(const char *data, size_t len, ParseText *name, ParseText *address);

/* Lines of "Key: value"; those that are none go to the other text */
extern void ParseLines(const char *data, size_t len, ParsePairs *pairs, ParseText *other);

/* The media type that bytes seem to be of */
extern const char *ParseSniff(const char *name, const char *data, size_t len);

#endif
