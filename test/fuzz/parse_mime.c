/*
 * Fuzz the parsers of messages, their headers and texts: parts lie within the
 * message, limits hold, what comes out as text is UTF-8 of one line where it
 * is to be.
 */
// sources: src/capture/parse_mime.c src/capture/parse_text.c src/capture/parse_lines.c
#include <stdint.h>

#include "parse_memory.h"

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Check the leaves of a message */
static void
CheckParts(const ParseMessage *message, const char *data, size_t size)
{
	Check(message->part_count <= PARSE_MAX_PARTS && message->headers.count <= PARSE_MAX_HEADERS);
	for (int p = 0; p < message->part_count; p++)
	{
		const ParsePart *part = &message->parts[p];
		ParseText	body = {0};

		Check(part->body >= data && part->body + part->body_len <= data + size);
		Check(part->depth <= PARSE_MAX_DEPTH && part->type.value && part->disposition.value);
		ParseBody(part, &body);
		Check(body.data[body.len] == '\0');
		if (strncmp(part->type.value, "text/", 5) == 0)
			Check(ParseIsUtf8(body.data, body.len));
		for (int i = 0; i < part->type.parameters.count; i++)
			Check(ParseIsUtf8(part->type.parameters.items[i].value, part->type.parameters.items[i].value_len));
	}
}

/* Check that a text is one line of UTF-8 */
static void
CheckLine(const ParseText *text)
{
	Check(ParseIsUtf8(text->data, text->len));
	for (size_t i = 0; i < text->len; i++)
		Check((unsigned char) text->data[i] >= ' ' && text->data[i] != 0x7F);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char	   *text = ParseCopy((const char *) data, size);
	ParseMessage message;
	ParseHeaderValue type;
	ParseText	line = {0};
	ParseText	name = {0};
	ParseText	address = {0};
	ParseText	utf8 = {0};
	ParseText	other = {0};
	ParsePairs	pairs = {0};
	size_t		total = 0;

	if (ParseMail(text, size, &message) == PARSE_OK)
		CheckParts(&message, text, size);
	ParseHeader("multipart/form-data; boundary=\"b\"", 33, &type);
	if (ParseMultipart(&type, text, size, &message) == PARSE_OK)
		CheckParts(&message, text, size);
	ParseHeader(text, size, &type);
	ParseEncodedWords(text, size, &line);
	CheckLine(&line);
	ParseAddress(text, size, &name, &address);
	CheckLine(&name);

	/* Lines: what is no pair is kept, and nothing is made up */
	ParseToUtf8Leniently(NULL, text, size, &utf8);
	Check(ParseIsUtf8(utf8.data ? utf8.data : "", utf8.len));
	ParseLines(utf8.data ? utf8.data : "", utf8.len, &pairs, &other);
	Check(ParseIsUtf8(other.data, other.len));
	for (int p = 0; p < pairs.count; p++)
	{
		Check(pairs.items[p].name_len > 0);
		Check(ParseIsUtf8(pairs.items[p].name, pairs.items[p].name_len));
		Check(ParseIsUtf8(pairs.items[p].value, pairs.items[p].value_len));
		total += pairs.items[p].name_len + pairs.items[p].value_len;
	}
	Check(total + other.len <= 2 * utf8.len + 2);
	Check(*ParseSniff(NULL, text, size) != '\0');
	GiveBack();
	return 0;
}
