/*
 * Delimited text: CSV with any delimiter.  No memory of its own, and nothing
 * of the server's, so that programs outside it use it too.
 */
#ifndef LEAD_MGMT_CSV_H
#define LEAD_MGMT_CSV_H

#include <stdbool.h>
#include <stddef.h>

#define CSV_QUOTE '"'

typedef enum
{
	CSV_ROW,					/* a row is complete */
	CSV_MORE,					/* its end is not in the data yet */
	CSV_END,					/* nothing is left */
	CSV_OPEN_QUOTE,				/* a field in quotes does not end; what is found is its line */
	CSV_STRAY_QUOTE				/* something stands between such a field and the next delimiter; likewise */
} CsvStatus;

/* Where the search for the end of a row stands; zero to begin with */
typedef struct CsvScan
{
	size_t		at;				/* bytes of the row that were looked at */
	size_t		line_end;		/* where its first line ends, if that is in quotes */
	CsvStatus	fault;			/* CSV_ROW where there is none */
	bool		has_line_end;
	bool		in_field;		/* past the first byte of a field */
	bool		in_quotes;
	bool		after_quote;	/* of a quoted field: it ends, or a second one follows */
} CsvScan;

typedef struct CsvField
{
	char	   *text;
	size_t		len;
} CsvField;

extern size_t CsvBegin(const char *data, size_t len, char *delimiter);
extern CsvStatus CsvFindEnd(CsvScan *scan, char delimiter, const char *data, size_t len, bool is_last,
							size_t *row_len, size_t *taken);
extern void CsvGiveUp(CsvScan *scan);
extern int	CsvSplit(char delimiter, char *row, size_t len, CsvField *fields, int max_fields);
extern const char *CsvFault(CsvStatus status);

#endif
