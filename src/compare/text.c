/*
 * Texts of the server taken apart into characters, and the kernels' ways to
 * the server's memory and interrupts.
 */
#include "postgres.h"

#include "compare/kernel.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/*
 * Decode valid UTF-8; returns the number of characters, and all their bits
 */
static int
DecodeUtf8(const char *data, int len, uint32 *chars, uint32 *bits)
{
	const unsigned char *s = (const unsigned char *) data;
	const unsigned char *end = s + len;
	uint32		all = 0;
	int			n = 0;

	while (s < end)
	{
		uint32		c = *s;

		if (c < 0x80)
			s++;
		else if (c < 0xE0 && end - s >= 2)
		{
			c = (c & 0x1F) << 6 | (s[1] & 0x3F);
			s += 2;
		}
		else if (c < 0xF0 && end - s >= 3)
		{
			c = (c & 0x0F) << 12 | (s[1] & 0x3F) << 6 | (s[2] & 0x3F);
			s += 3;
		}
		else if (end - s >= 4)
		{
			c = (c & 0x07) << 18 | (s[1] & 0x3F) << 12 | (s[2] & 0x3F) << 6 | (s[3] & 0x3F);
			s += 4;
		}
		else
			s = end;			/* cut short, which the server does not store */

		chars[n++] = c;
		all |= c;
	}

	*bits = all;
	return n;
}

/*
 * Decode text of a multi-byte encoding other than UTF-8
 */
static int
DecodeOther(const char *data, int len, uint32 *chars, uint32 *bits)
{
	pg_wchar   *decoded = CompareAllocate((size_t) len + 1, sizeof(pg_wchar));
	int			n = pg_mb2wchar_with_len(data, decoded, len);

	*bits = 0;
	for (int i = 0; i < n; i++)
	{
		chars[i] = decoded[i];
		*bits |= decoded[i];
	}

	CompareRelease(decoded);
	return n;
}

/*
 * Take apart a text that is not ASCII
 */
void
CompareTextDecode(CompareText *out, const char *data, int len, uint32_t *scratch, int size)
{
	uint32		bits;

	if (pg_database_encoding_max_length() == 1)
	{
		out->length = len;
		out->bytes = (const uint8 *) data;
		out->chars = NULL;
		return;
	}

	if (len > size)
		scratch = CompareAllocate(len, sizeof(uint32));

	if (GetDatabaseEncoding() == PG_UTF8)
		out->length = DecodeUtf8(data, len, scratch, &bits);
	else
		out->length = DecodeOther(data, len, scratch, &bits);

	if (bits < 256)
	{
		uint8	   *bytes = (uint8 *) scratch;

		/* A byte is written where a character was read already */
		for (int i = 0; i < out->length; i++)
			bytes[i] = (uint8) scratch[i];
		out->bytes = bytes;
		out->chars = NULL;
	}
	else
	{
		out->bytes = NULL;
		out->chars = scratch;
	}
}

/*
 * Write a text in the server's encoding; returns the number of bytes
 */
int
CompareTextWrite(const CompareText *text, char *out)
{
	char	   *start = out;

	if (pg_database_encoding_max_length() == 1)
	{
		memcpy(out, text->bytes, text->length);
		return text->length;
	}

	for (int i = 0; i < text->length; i++)
	{
		pg_wchar	c = CharacterAt(text, i);
		char		bytes[MAX_MULTIBYTE_CHAR_LEN + 1];

		if (c < 0x80)
			*out++ = (char) c;
		else if (GetDatabaseEncoding() == PG_UTF8)
		{
			unicode_to_utf8(c, (unsigned char *) out);
			out += pg_utf_mblen((unsigned char *) out);
		}
		else
		{
			int			len = pg_wchar2mb_with_len(&c, bytes, 1);

			memcpy(out, bytes, len);
			out += len;
		}
	}

	return out - start;
}

void *
CompareAllocate(size_t count, size_t size)
{
	if (count > MaxAllocHugeSize / size)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("text is too long to be compared")));

	return MemoryContextAllocHuge(CurrentMemoryContext, count * size);
}

void
CompareRelease(void *memory)
{
	pfree(memory);
}

void
CompareCheckInterrupts(void)
{
	CHECK_FOR_INTERRUPTS();
}
