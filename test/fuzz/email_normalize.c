/*
 * Fuzz the normal form of e-mail addresses: it is its own normal form and
 * within the limits.
 */
// sources: src/types/email_core.c src/types/email_domain.c src/types/email_unicode.c
// libs: -lidn2
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "types/email_core.h"

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
Check(bool condition)
{
	if (!condition)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char		once[EMAIL_MAX_LEN + 1];
	char		twice[EMAIL_MAX_LEN + 1];
	int			once_len;
	int			twice_len;
	const char *at;
	EmailStatus status;

	if (size > 2 * EMAIL_MAX_INPUT)
		return 0;

	status = EmailNormalizeUtf8((const char *) data, (int) size, NULL, once, &once_len);
	Check(EmailStatusMessage(status) != NULL);
	if (status != EMAIL_OK)
		return 0;

	Check(once_len > 0 && once_len <= EMAIL_MAX_LEN);
	Check(strlen(once) == (size_t) once_len);

	at = strrchr(once, '@');
	Check(at != NULL && at > once && at - once <= EMAIL_MAX_LOCAL);
	Check(strchr(at, '.') != NULL);

	for (int i = 0; i < once_len; i++)
		Check((unsigned char) once[i] >= 0x20 && once[i] != 0x7F);

	for (const char *p = at; *p != '\0'; p++)
		Check((unsigned char) *p < 0x80 && !(*p >= 'A' && *p <= 'Z'));

	Check(EmailNormalizeUtf8(once, once_len, NULL, twice, &twice_len) == EMAIL_OK);
	Check(twice_len == once_len && memcmp(once, twice, (size_t) once_len) == 0);

	return 0;
}
