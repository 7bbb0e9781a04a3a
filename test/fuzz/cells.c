/*
 * Fuzz dates, numbers and texts of cells: what was converted is as it should
 * be and converts to itself, a text as JSON stays in its bound and has no byte
 * that JSON forbids.
 */
// sources: src/import/cells.c
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "import/cells.h"

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
Check(bool condition)
{
	if (!condition)
		abort();
}

static void
CheckDate(const char *order, const char *text, size_t len)
{
	char		once[CELL_MAX_CONVERTED];
	char		twice[CELL_MAX_CONVERTED];

	memset(once, 'x', sizeof(once));
	if (CellDate(order, text, len, once) != CELL_CONVERTED)
		return;
	Check(memchr(once, '\0', sizeof(once)) != NULL);
	if (memchr(text, '\0', len))
		return;
	Check(strlen(once) >= 10 && once[4] == '-' && once[7] == '-');
	Check(CellDate(order, once, strlen(once), twice) == CELL_CONVERTED && strcmp(once, twice) == 0);
}

static void
CheckNumber(char mark, const char *text, size_t len)
{
	char		once[CELL_MAX_CONVERTED];
	char		twice[CELL_MAX_CONVERTED];

	memset(once, 'x', sizeof(once));
	if (CellNumber(mark, text, len, once) != CELL_CONVERTED)
		return;
	Check(memchr(once, '\0', sizeof(once)) != NULL);
	Check(strspn(once, "+-0123456789.") == strlen(once));
	Check(CellNumber('.', once, strlen(once), twice) == CELL_CONVERTED && strcmp(once, twice) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *) data;
	const char *trimmed = text;
	size_t		len = size;
	char	   *json = malloc(JSON_STRING_BOUND(size) + 1);
	char	   *end = JsonPutString(json, text, size);
	char		key[ROW_KEY_SIZE];
	uint8_t		digest[ROW_KEY_BYTES] = {0};

	Check((size_t) (end - json) <= JSON_STRING_BOUND(size) && *json == '"' && end[-1] == '"');
	for (char *c = json; c < end; c++)
		Check((unsigned char) *c >= 0x20);
	if (Utf8IsValid(text, size))
		Check(Utf8IsValid(json, end - json));
	free(json);

	CellTrim(&trimmed, &len);
	Check(trimmed >= text && trimmed + len <= text + size);
	CheckDate("DMY", trimmed, len);
	CheckDate("MDY", trimmed, len);
	CheckDate("YMD", trimmed, len);
	CheckNumber('.', trimmed, len);
	CheckNumber(',', trimmed, len);

	memcpy(digest, data, size < sizeof(digest) ? size : sizeof(digest));
	RowKeyText(digest, key);
	Check(strlen(key) == ROW_KEY_SIZE - 1);
	return 0;
}
