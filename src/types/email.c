/*
 * The type lead_mgmt.email: an address in normal form, stored as text.
 */
#include "postgres.h"

#include "common/unicode_norm.h"
#include "fmgr.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "port/pg_bswap.h"
#include "types/normal_text.h"
#include "types/types.h"
#include "utils/builtins.h"

#include <idn2.h>

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/*
 * Bring UTF-8 text to normalisation form C. The encoding is named, not taken
 * from the database, as addresses are refused where the two differ.
 */
static int
ComposeUtf8(char *buf, int len, int size)
{
	pg_wchar	decomposed[EMAIL_MAX_RAW + 1];
	pg_wchar   *composed;
	int			n = 0;

	if (len > EMAIL_MAX_RAW || !pg_verify_mbstr(PG_UTF8, buf, len, true))
		return -1;

	pg_encoding_mb2wchar_with_len(PG_UTF8, buf, decomposed, len);
	composed = unicode_normalize(UNICODE_NFC, decomposed);
	if (composed == NULL)
		return -1;

	for (pg_wchar *c = composed; *c != 0; c++)
	{
		unsigned char utf8[4];
		int			bytes = pg_utf_mblen(unicode_to_utf8(*c, utf8));

		if (n + bytes > size)
		{
			n = -1;
			break;
		}
		memcpy(buf + n, utf8, bytes);
		n += bytes;
	}

	pfree(composed);
	return n;
}

static bool
IsAscii(const char *s, int len)
{
	for (int i = 0; i < len; i++)
	{
		if (IS_HIGHBIT_SET(s[i]))
			return false;
	}

	return true;
}

/*
 * Bring an address in the server's encoding to its normal form
 */
EmailStatus
EmailNormalize(const char *input, int len, char *out, int *outlen)
{
	EmailStatus status;

	if (GetDatabaseEncoding() == PG_UTF8)
		return EmailNormalizeUtf8(input, len, ComposeUtf8, out, outlen);

	if (!IsAscii(input, len))
		return EMAIL_NEEDS_UTF8;

	/* A mailto: URI may hide other characters in percent escapes */
	status = EmailNormalizeUtf8(input, len, NULL, out, outlen);
	if (status == EMAIL_OK && !IsAscii(out, *outlen))
		return EMAIL_NEEDS_UTF8;

	return status;
}

/*
 * Make a value from an address as written
 */
static Datum
MakeEmail(FunctionCallInfo fcinfo, const char *input, int len)
{
	char		out[EMAIL_MAX_LEN + 1];
	int			outlen;
	EmailStatus status = EmailNormalize(input, len, out, &outlen);

	if (status != EMAIL_OK)
		NormalTextRefuse(fcinfo,
						 (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
						  errmsg("invalid e-mail address \"%s\"", NormalTextClip(input, len)),
						  errdetail("%s", EmailStatusMessage(status))));

	PG_RETURN_TEXT_P(cstring_to_text_with_len(out, outlen));
}

/*
 * Get the domain of a value
 */
static const char *
GetDomain(text *email, int *len)
{
	const char *data = VARDATA_ANY(email);
	int			n = VARSIZE_ANY_EXHDR(email);
	int			at = n;

	/* A quoted local part may hold an at sign too; the domain cannot */
	while (at > 0 && data[at - 1] != '@')
		at--;

	*len = n - at;
	return data + at;
}

/*
 * Convert textual representation to internal representation
 */
PG_FUNCTION_INFO_V1(email_in);
Datum
email_in(PG_FUNCTION_ARGS)
{
	char	   *input = PG_GETARG_CSTRING(0);

	return MakeEmail(fcinfo, input, strlen(input));
}

/*
 * Convert external binary representation to internal representation
 */
PG_FUNCTION_INFO_V1(email_recv);
Datum
email_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			len;
	char	   *input = pq_getmsgtext(buf, buf->len - buf->cursor, &len);

	return MakeEmail(fcinfo, input, len);
}

/*
 * Convert text to an e-mail address
 */
PG_FUNCTION_INFO_V1(text_to_email);
Datum
text_to_email(PG_FUNCTION_ARGS)
{
	text	   *input = PG_GETARG_TEXT_PP(0);

	return MakeEmail(fcinfo, VARDATA_ANY(input), VARSIZE_ANY_EXHDR(input));
}

/*
 * Get the part before the at sign
 */
PG_FUNCTION_INFO_V1(email_local_part);
Datum
email_local_part(PG_FUNCTION_ARGS)
{
	text	   *email = PG_GETARG_TEXT_PP(0);
	int			len;

	GetDomain(email, &len);

	PG_RETURN_TEXT_P(cstring_to_text_with_len(VARDATA_ANY(email),
											  Max((int) VARSIZE_ANY_EXHDR(email) - len - 1, 0)));
}

/*
 * Get the domain, with A-labels
 */
PG_FUNCTION_INFO_V1(email_domain);
Datum
email_domain(PG_FUNCTION_ARGS)
{
	text	   *email = PG_GETARG_TEXT_PP(0);
	int			len;
	const char *domain = GetDomain(email, &len);

	PG_RETURN_TEXT_P(cstring_to_text_with_len(domain, len));
}

/*
 * Get the domain, with U-labels
 */
PG_FUNCTION_INFO_V1(email_domain_unicode);
Datum
email_domain_unicode(PG_FUNCTION_ARGS)
{
	text	   *email = PG_GETARG_TEXT_PP(0);
	int			len;
	const char *domain = GetDomain(email, &len);
	char	   *ascii = pnstrdup(domain, len);
	char	   *labels = NULL;
	char		unicode[EMAIL_MAX_RAW + 1];
	int			rc;

	if (strstr(ascii, "xn--") == NULL)
		PG_RETURN_TEXT_P(cstring_to_text_with_len(domain, len));

	rc = idn2_to_unicode_8z8z(ascii, &labels, IDN2_NONTRANSITIONAL);
	if (rc != IDN2_OK)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("could not convert domain \"%s\" to Unicode: %s", ascii, idn2_strerror(rc))));

	/* Give the library's memory back before anything here can fail */
	strlcpy(unicode, labels, sizeof(unicode));
	idn2_free(labels);

	PG_RETURN_TEXT_P(cstring_to_text(pg_any_to_server(unicode, strlen(unicode), PG_UTF8)));
}

/*
 * Check whether an address is at a free mail provider
 */
PG_FUNCTION_INFO_V1(email_is_free_provider);
Datum
email_is_free_provider(PG_FUNCTION_ARGS)
{
	text	   *email = PG_GETARG_TEXT_PP(0);
	int			len;
	const char *domain = GetDomain(email, &len);

	PG_RETURN_BOOL(EmailDomainIsFree(domain, len));
}

/*
 * Get the domain of the company an address belongs to
 */
PG_FUNCTION_INFO_V1(email_company_domain);
Datum
email_company_domain(PG_FUNCTION_ARGS)
{
	text	   *email = PG_GETARG_TEXT_PP(0);
	int			len;
	const char *domain = GetDomain(email, &len);

	if (EmailDomainIsFree(domain, len))
		PG_RETURN_NULL();

	PG_RETURN_TEXT_P(cstring_to_text_with_len(domain, len));
}

/*
 * Pack the first bytes into an abbreviated key; there is no zero byte in an
 * address, so padding sorts first
 */
static Datum
AbbreviateEmail(const char *data, int len)
{
	Datum		key = 0;

	memcpy(&key, data, Min(len, (int) sizeof(Datum)));

	return DatumBigEndianToNative(key);
}

/*
 * Prepare a sort
 */
PG_FUNCTION_INFO_V1(email_sortsupport);
Datum
email_sortsupport(PG_FUNCTION_ARGS)
{
	NormalTextSortSupport((SortSupport) PG_GETARG_POINTER(0), AbbreviateEmail);
	PG_RETURN_VOID();
}
