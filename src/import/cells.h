/*
 * Cells of tables as people write them: dates and numbers in a declared
 * format, texts as JSON.  No memory of its own, and nothing of the server's,
 * so that programs outside it use it too.
 */
#ifndef LEAD_MGMT_CELLS_H
#define LEAD_MGMT_CELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest date or number that is converted, with its end */
#define CELL_MAX_CONVERTED 64

/* A text of so many bytes takes no more as a JSON string */
#define JSON_STRING_BOUND(len) (6 * (len) + 2)

/* Bytes of a digest that make the key of a row, and their text with its end */
#define ROW_KEY_BYTES 15
#define ROW_KEY_SIZE 21

typedef enum
{
	CELL_CONVERTED,
	CELL_AS_IT_IS,				/* of no form that is converted, such as with a month's name */
	CELL_INVALID				/* not of the declared format */
} CellStatus;

extern void CellTrim(const char **start, size_t *len);
extern CellStatus CellDate(const char *order, const char *text, size_t len, char *out);
extern CellStatus CellNumber(char decimal_mark, const char *text, size_t len, char *out);
extern bool Utf8IsValid(const char *text, size_t len);
extern char *JsonPutString(char *to, const char *text, size_t len);
extern void RowKeyText(const uint8_t *digest, char *out);

#endif
