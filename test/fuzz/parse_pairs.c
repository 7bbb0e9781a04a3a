/*
 * Fuzz the parser of name-value pairs: what it accepts is UTF-8, and written
 * out and read again is the same.
 */
// sources: src/capture/parse_pairs.c src/capture/parse_text.c
#include <stdint.h>

#include "parse_memory.h"

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Append a name or value with every byte but letters and digits escaped */
static void
Write(ParseText *out, const char *data, size_t len)
{
	static const char digits[] = "0123456789aBcDeF";

	for (size_t i = 0; i < len; i++)
	{
		unsigned char c = data[i];
		char		escape[3] = {'%', digits[c >> 4], digits[c & 15]};

		if (c == ' ')
			ParseTextAppend(out, "+", 1);
		else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			ParseTextAppend(out, data + i, 1);
		else
			ParseTextAppend(out, escape, 3);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const charsets[] = {NULL, "windows-1258", "utf-16", "iso-2022-jp", "no such"};
	const char *charset = size > 0 ? charsets[data[0] % 5] : NULL;
	ParsePairs	pairs = {0};
	ParsePairs	again = {0};
	ParseText	text = {0};
	size_t		error_at = 0;
	ParseStatus status = ParseUrlEncoded(charset, (const char *) data, size, &pairs, &error_at);

	Check(error_at <= size);
	Check(*ParseStatusMessage(status) != '\0');
	if (status == PARSE_OK)
	{
		ParseTextAppend(&text, "", 0);
		for (int p = 0; p < pairs.count; p++)
		{
			const ParsePair *pair = &pairs.items[p];

			Check(ParseIsUtf8(pair->name, pair->name_len) && ParseIsUtf8(pair->value, pair->value_len));
			Check(strlen(pair->name) == pair->name_len && strlen(pair->value) == pair->value_len);
			Write(&text, pair->name, pair->name_len);
			ParseTextAppend(&text, "=", 1);
			Write(&text, pair->value, pair->value_len);
			ParseTextAppend(&text, "&", 1);
		}
		Check(ParseUrlEncoded(NULL, text.data, text.len, &again, &error_at) == PARSE_OK);
		Check(again.count == pairs.count);
		for (int p = 0; p < pairs.count; p++)
		{
			/* A name may lose its brackets a second time */
			Check(pairs.items[p].name_len >= again.items[p].name_len);
			Check(memcmp(pairs.items[p].name, again.items[p].name, again.items[p].name_len) == 0);
			Check(pairs.items[p].value_len == again.items[p].value_len);
			Check(memcmp(pairs.items[p].value, again.items[p].value, again.items[p].value_len) == 0);
		}
	}
	else if (status == PARSE_BAD_ESCAPE)
		Check(data[error_at] == '%');
	GiveBack();
	return 0;
}
