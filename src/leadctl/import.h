/*
 * An import under way: its state, and the batch at hand.
 */
#ifndef LEADCTL_IMPORT_H
#define LEADCTL_IMPORT_H

#include <openssl/evp.h>
#include <stdio.h>

#include "import/cells.h"
#include "leadctl/leadctl.h"
#include "leadctl/progress.h"
#include "leadctl/source.h"

/* A batch ends at either limit; the server works in chunks of 4,000 */
#define BATCH_ROWS 8000
#define BATCH_BYTES (4 * 1024 * 1024)

typedef enum
{
	KIND_TEXT,
	KIND_DATE,
	KIND_NUMBER
} ColumnKind;

typedef struct Column
{
	char	   *key;			/* its name in the payload; NULL to leave the column out */
	char	   *field;			/* what it is read as, NULL when nothing */
	char	   *how;
	ColumnKind	kind;
} Column;

typedef struct BatchRow
{
	int64_t		number;
	size_t		raw;			/* its place among the batch's raw text */
	size_t		raw_len;
} BatchRow;

typedef struct Import
{
	/* as asked */
	Target		target;
	SourceOptions reading;
	const char *path;
	const char *form;
	const char *rejects_path;
	int			override_count;
	char	  **overrides;
	char		date_order[4];	/* empty when none is declared */
	char		decimal_mark;	/* 0 when none is declared */
	bool		dry_run;
	bool		atomic;
	bool		again;
	bool		is_quiet;
	long		batch_rows;
	long		retry_seconds;

	/* where it stands */
	PGconn	   *connection;
	char	   *prefix;
	Source	   *source;
	Column	   *columns;
	int		   *order;			/* columns by their keys */
	char	   *fingerprint;
	char	   *mapping;
	char	   *id;
	int64_t		last_row;		/* of what is in */
	int64_t		rows_before;	/* that earlier runs read */
	int64_t		rows_read;
	Progress	progress;
	EVP_MD_CTX *digest;

	/* the batch at hand */
	BatchRow   *rows;
	long		row_count;
	Buffer		raw;
	Buffer		refused;		/* rows that need not go to the server to be rejected */
	Buffer		payload;
	Buffer		key;
	Buffer		tuple;

	FILE	   *rejects;
	int64_t		reject_count;
} Import;

extern void PutReject(Import *import, const char *number, const char *reasons, const char *raw, size_t raw_len);
extern const BatchRow *FindRow(const Import *import, int64_t number);
extern void ShowProgress(Import *import, bool force);
extern bool SendRows(Import *import, bool *has_ended);

#endif
