/*
 * Files of records, whatever their kind: opened, they give their header and
 * then row after row, in bounded memory.
 */
#ifndef LEADCTL_SOURCE_H
#define LEADCTL_SOURCE_H

#include "capture/csv.h"
#include "leadctl/leadctl.h"

#define SOURCE_MAX_ROW (16 * 1024 * 1024)
#define SOURCE_MAX_COLUMNS 4096

typedef enum
{
	SOURCE_GUESS,
	SOURCE_CSV,
	SOURCE_TSV,
	SOURCE_NDJSON,
	SOURCE_FIXED,				/* lines whose columns the form knows by their places */
	SOURCE_XLSX
} SourceKind;

typedef struct SourceOptions
{
	SourceKind	kind;
	const char *encoding;		/* NULL to guess */
	char		delimiter;		/* 0 to guess */
	const char *sheet;			/* NULL for the first */
} SourceOptions;

/* A row of a file; what it points to stays until the next one is read */
typedef struct Row
{
	int64_t		number;			/* in the file, the header being 1 */
	int			count;			/* cells it has; more than the header's were not kept */
	CsvField   *cells;
	bool	   *is_exact;		/* cells whose form is beyond doubt, or NULL */
	const char *raw;			/* as the file has it, in UTF-8 */
	size_t		raw_len;
	const char *problem;		/* code of what is wrong with it, or NULL */
	const char *explanation;
} Row;

typedef struct Source Source;

struct Source
{
	SourceKind	kind;
	const char *path;
	uint64_t	size;			/* of the file, in bytes */
	uint64_t	position;		/* bytes read of so many as progress goes by */
	uint64_t	extent;
	int			column_count;	/* 0 where records name their own */
	char	  **columns;
	char		delimiter;		/* for rejected rows */
	bool		(*next) (Source *source, Row *row);
	void		(*close) (Source *source);
	void	   *state;
};

extern Source *SourceOpen(const char *path, const SourceOptions *options);
extern bool SourceNext(Source *source, Row *row);
extern void SourceClose(Source *source);
extern SourceKind SourceKindNamed(const char *name);
extern const char *SourceKindName(SourceKind kind);
extern const char *SourceLineType(SourceKind kind);

extern void TextOpen(Source *source, const SourceOptions *options);
extern void XlsxOpen(Source *source, const SourceOptions *options);
extern void SourceSetColumns(Source *source, const CsvField *fields, int count);

#endif
