/*
 * Texts that are made, and runs of bytes that grow.
 */
#include "leadctl/leadctl.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "import/cells.h"

char *
Duplicate(const char *text)
{
	size_t		len = strlen(text);

	return memcpy(Allocate(len + 1), text, len);
}

/* Make a text */
char *
Format(const char *format,...)
{
	va_list		args;
	int			len;
	char	   *text;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	text = Allocate(len + 1);
	va_start(args, format);
	vsnprintf(text, len + 1, format, args);
	va_end(args);
	return text;
}

/* Make room for so many more bytes, and a NUL behind them */
void
BufferReserve(Buffer *buffer, size_t more)
{
	size_t		needed = buffer->len + more + 1;

	if (needed <= buffer->size)
		return;
	while (buffer->size < needed)
		buffer->size = buffer->size > 0 ? buffer->size * 2 : 1024;
	buffer->data = Reallocate(buffer->data, buffer->size);
}

void
BufferAdd(Buffer *buffer, const void *data, size_t len)
{
	BufferReserve(buffer, len);
	if (len > 0)
		memcpy(buffer->data + buffer->len, data, len);
	buffer->len += len;
	buffer->data[buffer->len] = '\0';
}

void
BufferAddText(Buffer *buffer, const char *text)
{
	BufferAdd(buffer, text, strlen(text));
}

/* Add a text as a JSON string */
void
BufferAddJson(Buffer *buffer, const char *text, size_t len)
{
	BufferReserve(buffer, JSON_STRING_BOUND(len));
	buffer->len = JsonPutString(buffer->data + buffer->len, text, len) - buffer->data;
	buffer->data[buffer->len] = '\0';
}

/* Write so many bytes in hexadecimal digits */
char *
HexText(const unsigned char *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	char	   *text = Allocate(len * 2 + 1);

	for (size_t i = 0; i < len; i++)
	{
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	return text;
}
