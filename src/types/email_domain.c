/*
 * The normal form of an e-mail address's domain: ASCII in lower case, with
 * A-labels (xn--) for internationalised ones.
 *
 * libidn2 is asked only about names that need it. It does IDNA2008 with the
 * non-transitional mapping of UTS 46, as browsers do.
 */
#include <stddef.h>
#include <string.h>

#include <idn2.h>

#include "types/email_core.h"

/*
 * Say why a character cannot stand in a domain
 */
static EmailStatus
RefuseDomainChar(char c)
{
	if (EmailIsControl(c))
		return EMAIL_CONTROL;
	if (c == '(' || c == ')')
		return EMAIL_COMMENT;
	if (c == '<' || c == '>')
		return EMAIL_BRACKETS;
	if (c == '@' || c == ',' || c == ';')
		return EMAIL_SEVERAL;

	return EMAIL_DOMAIN_CHARACTER;
}

static inline bool
IsLetterDigit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/*
 * Check and lower-case an ASCII domain: labels of letters, digits and inner
 * hyphens (RFC 1123), at least two, the last not a number
 */
static EmailStatus
CheckDomain(const char *s, int len, char *out, bool *alabels)
{
	int			label = 0;		/* start of the current one */
	int			labels = 1;
	bool		number = true;

	if (len > EMAIL_MAX_DOMAIN)
		return EMAIL_DOMAIN_TOO_LONG;

	*alabels = false;

	for (int i = 0; i <= len; i++)
	{
		char		c = i < len ? s[i] : '.';

		if (c >= 'A' && c <= 'Z')
			c = (char) (c + ('a' - 'A'));

		if (c == '.')
		{
			if (i == label)
				return EMAIL_DOMAIN_DOTS;
			if (out[label] == '-' || out[i - 1] == '-')
				return EMAIL_DOMAIN_HYPHEN;
			if (i - label > EMAIL_MAX_LABEL)
				return EMAIL_LABEL_TOO_LONG;
			if (i - label >= 4 && memcmp(out + label, "xn--", 4) == 0)
				*alabels = true;
			if (i == len)
				break;

			out[i] = '.';
			label = i + 1;
			labels++;
			number = true;
			continue;
		}

		if (!IsLetterDigit(c) && c != '-')
			return RefuseDomainChar(c);

		number = number && c >= '0' && c <= '9';
		out[i] = c;
	}

	if (labels < 2)
		return EMAIL_BARE_HOST;
	if (number)
		return EMAIL_DOMAIN_NUMBER;

	return EMAIL_OK;
}

/*
 * Convert a domain to A-labels (IDNA2008, UTS 46 mapping, non-transitional)
 */
static EmailStatus
DomainToAscii(const char *s, char *out, int *outlen)
{
	uint8_t    *ascii = NULL;
	size_t		len;
	int			rc;

	rc = idn2_lookup_u8((const uint8_t *) s, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	if (rc != IDN2_OK)
	{
		if (rc == IDN2_TOO_BIG_DOMAIN)
			return EMAIL_DOMAIN_TOO_LONG;
		if (rc == IDN2_TOO_BIG_LABEL || rc == IDN2_PUNYCODE_BIG_OUTPUT)
			return EMAIL_LABEL_TOO_LONG;
		return EMAIL_DOMAIN_IDN;
	}

	len = strlen((const char *) ascii);
	if (len > EMAIL_MAX_DOMAIN)
	{
		idn2_free(ascii);
		return EMAIL_DOMAIN_TOO_LONG;
	}

	memcpy(out, ascii, len + 1);
	*outlen = (int) len;
	idn2_free(ascii);
	return EMAIL_OK;
}

/*
 * Check that the A-labels of a domain stand for Unicode text that has them as
 * its A-labels, so that one name has one spelling
 */
static EmailStatus
CheckAlabels(const char *domain, int len)
{
	char		ascii[EMAIL_MAX_DOMAIN + 1];
	int			ascii_len;
	char	   *text = NULL;
	EmailStatus status;

	if (idn2_to_unicode_8z8z(domain, &text, IDN2_NONTRANSITIONAL) != IDN2_OK)
		return EMAIL_DOMAIN_IDN;

	status = DomainToAscii(text, ascii, &ascii_len);
	idn2_free(text);
	if (status != EMAIL_OK)
		return status;

	return ascii_len == len && memcmp(ascii, domain, (size_t) len) == 0 ? EMAIL_OK : EMAIL_DOMAIN_IDN;
}

/*
 * Bring a domain in UTF-8 to its normal form. The output has room for
 * EMAIL_MAX_DOMAIN + 1 bytes.
 */
EmailStatus
EmailNormalizeDomain(const char *s, const char *end, char *out, int *outlen)
{
	char		buf[EMAIL_MAX_RAW + 1];
	int			len = (int) (end - s);
	bool		unicode = false;
	bool		alabels;
	EmailStatus status;

	if (len == 0)
		return EMAIL_NO_DOMAIN;
	if (*s == '[')
		return EMAIL_LITERAL;

	for (int i = 0; i < len; i++)
	{
		if ((unsigned char) s[i] >= 0x80)
		{
			unicode = true;
			break;
		}
	}

	if (!unicode)
	{
		status = CheckDomain(s, len, out, &alabels);
		if (status != EMAIL_OK)
			return status;
		out[len] = '\0';
	}
	else
	{
		if (len > EMAIL_MAX_RAW)
			return EMAIL_DOMAIN_TOO_LONG;

		/* Say what is wrong with a character better than the library does */
		for (int i = 0; i < len;)
		{
			uint32_t	c;
			int			n = EmailDecodeUtf8(s + i, end, &c);

			if (n == 0)
				return EMAIL_ENCODING;
			if (c < 0x80)
			{
				char		lower = (char) EmailLowerCodePoint(c);

				if (!IsLetterDigit(lower) && lower != '-' && lower != '.')
					return RefuseDomainChar(lower);
			}
			i += n;
		}

		memcpy(buf, s, (size_t) len);
		buf[len] = '\0';

		status = DomainToAscii(buf, buf, &len);
		if (status != EMAIL_OK)
			return status;

		status = CheckDomain(buf, len, out, &alabels);
		if (status != EMAIL_OK)
			return status;
		out[len] = '\0';
	}

	if (alabels)
	{
		status = CheckAlabels(out, len);
		if (status != EMAIL_OK)
			return status;
	}

	*outlen = len;
	return EMAIL_OK;
}
