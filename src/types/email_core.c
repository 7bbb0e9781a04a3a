/*
 * The normal form of an e-mail address.
 *
 * An address is taken out of what people write around it (white space, a
 * display name with angle brackets, a mailto: URI), then brought to one
 * spelling: local part in lower case and without quotes it does not need,
 * domain in lower case with internationalised labels as A-labels. The normal
 * form of a normal form is itself.
 *
 * RFC 5321 lets a host tell "Sales" from "sales". No provider of note does, and
 * people do not, so lower case is the identity here.
 *
 * Plain ASCII addresses go through two loops over a table and touch no library.
 * Nothing here knows the server, so that a fuzzer can drive it.
 */
#include <stddef.h>
#include <string.h>

#include "types/email_core.h"

/* Times lower case and composition may undo each other before we give up */
#define EMAIL_MAX_PASSES	4

/*
 * Lower-cased characters of a dot-atom (RFC 5322 atext), 0 for all others
 */
static const char atomChars[128] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, '!', 0, '#', '$', '%', '&', '\'',
	0, 0, '*', '+', 0, '-', 0, '/',
	'0', '1', '2', '3', '4', '5', '6', '7',
	'8', '9', 0, 0, 0, '=', 0, '?',
	0, 'a', 'b', 'c', 'd', 'e', 'f', 'g',
	'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
	'p', 'q', 'r', 's', 't', 'u', 'v', 'w',
	'x', 'y', 'z', 0, 0, 0, '^', '_',
	'`', 'a', 'b', 'c', 'd', 'e', 'f', 'g',
	'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
	'p', 'q', 'r', 's', 't', 'u', 'v', 'w',
	'x', 'y', 'z', '{', '|', '}', '~', 0
};

/*
 * Get the lower case of an atom character, 0 for one that needs quotes
 */
static inline char
AtomChar(char c)
{
	unsigned char u = (unsigned char) c;

	return u < 0x80 ? atomChars[u] : 0;
}

/*
 * Get the number of bytes of white space at the start of a string: ASCII's and
 * what gets copied along with an address (no-break and zero-width space, byte
 * order mark, ideographic space)
 */
static int
SpaceAt(const char *s, const char *end)
{
	uint32_t	c;
	int			n;

	if (*s == ' ' || (*s >= '\t' && *s <= '\r'))
		return 1;
	if ((unsigned char) *s < 0x80)
		return 0;

	n = EmailDecodeUtf8(s, end, &c);
	if (c == 0x00A0 || (c >= 0x2000 && c <= 0x200B) || c == 0x2028 ||
		c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x2060 ||
		c == 0x3000 || c == 0xFEFF)
		return n;

	return 0;
}

/*
 * Take white space off both ends
 */
static void
Trim(const char **start, const char **end)
{
	const char *s = *start;
	const char *e = *end;
	int			n;

	while (s < e && (n = SpaceAt(s, e)) > 0)
		s += n;

	while (s < e)
	{
		const char *last = e - 1;

		while (last > s && ((unsigned char) *last & 0xC0) == 0x80)
			last--;

		n = SpaceAt(last, e);
		if (n == 0 || last + n != e)
			break;
		e = last;
	}

	*start = s;
	*end = e;
}

/*
 * Find the address within angle brackets after a display name
 */
static EmailStatus
FindAngleAddress(const char **start, const char **end)
{
	const char *last = *end - 1;
	bool		quoted = false;
	bool		address = false;
	bool		separator = false;

	for (const char *p = *start; p < last; p++)
	{
		if (EmailIsControl(*p) && *p != '\t' && *p != '\r' && *p != '\n')
			return EMAIL_CONTROL;

		if (quoted)
		{
			if (*p == '\\')
				p++;
			else if (*p == '"')
				quoted = false;
		}
		else if (*p == '"')
			quoted = true;
		else if (*p == '>')
			return EMAIL_BRACKETS;
		else if (*p == '@')
			address = true;
		else if (*p == ',' || *p == ';')
			separator = separator || address;
		else if (*p == '<')
		{
			/* An address, a comma and this one: a list, not a name */
			if (separator)
				return EMAIL_SEVERAL;

			*start = p + 1;
			*end = last;
			Trim(start, end);
			return *start < *end ? EMAIL_OK : EMAIL_EMPTY;
		}
	}

	return quoted ? EMAIL_QUOTE : EMAIL_BRACKETS;
}

static bool
HasMailto(const char *s, const char *end)
{
	static const char scheme[] = "mailto:";
	size_t		n = sizeof(scheme) - 1;

	if ((size_t) (end - s) < n)
		return false;

	for (size_t i = 0; i < n; i++)
	{
		char		c = s[i] >= 'A' && s[i] <= 'Z' ? (char) (s[i] + ('a' - 'A')) : s[i];

		if (c != scheme[i])
			return false;
	}

	return true;
}

static int
HexDigit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/*
 * Decode the address of a mailto: URI (RFC 6068), without its header fields
 */
static EmailStatus
DecodeMailto(const char **start, const char **end, char *buf, size_t size)
{
	const char *s = *start + strlen("mailto:");
	const char *e = memchr(s, '?', (size_t) (*end - s));
	size_t		n = 0;

	if (e == NULL)
		e = *end;

	while (s < e)
	{
		if (n == size)
			return EMAIL_TOO_LONG;

		if (*s == '%')
		{
			int			high = e - s > 2 ? HexDigit(s[1]) : -1;
			int			low = e - s > 2 ? HexDigit(s[2]) : -1;

			if (high < 0 || low < 0)
				return EMAIL_ESCAPE;
			buf[n++] = (char) (high << 4 | low);
			s += 3;
		}
		else
			buf[n++] = *s++;
	}

	*start = buf;
	*end = buf + n;
	Trim(start, end);

	return *start < *end ? EMAIL_OK : EMAIL_EMPTY;
}

/*
 * Say why a character cannot stand in a local part without quotes
 */
static EmailStatus
RefuseLocalChar(char c)
{
	if (EmailIsControl(c))
		return EMAIL_CONTROL;
	if (c == '(' || c == ')')
		return EMAIL_COMMENT;
	if (c == '"')
		return EMAIL_QUOTE;
	if (c == '<' || c == '>')
		return EMAIL_BRACKETS;

	return EMAIL_LOCAL_CHARACTER;
}

/*
 * Check that a local part needs no quotes: atoms with single dots between them
 */
static EmailStatus
CheckDotAtom(const char *s, int len)
{
	bool		dot = true;

	for (int i = 0; i < len; i++)
	{
		if (s[i] == '.')
		{
			if (dot)
				return EMAIL_LOCAL_DOTS;
			dot = true;
			continue;
		}

		if ((unsigned char) s[i] < 0x80 && AtomChar(s[i]) == 0)
			return RefuseLocalChar(s[i]);
		dot = false;
	}

	return dot ? EMAIL_LOCAL_DOTS : EMAIL_OK;
}

/*
 * Lower-case a local part outside ASCII, refusing hidden characters
 */
static EmailStatus
LowerLocal(const char *s, int len, char *out, int *outlen)
{
	const char *end = s + len;
	int			n = 0;

	while (s < end)
	{
		uint32_t	c;
		int			bytes = EmailDecodeUtf8(s, end, &c);

		if (bytes == 0)
			return EMAIL_ENCODING;

		if (EmailIsHidden(c))
			return c < 0xA0 ? EMAIL_CONTROL : EMAIL_LOCAL_CHARACTER;

		if (n > EMAIL_MAX_RAW - 4)
			return EMAIL_LOCAL_TOO_LONG;

		n += EmailEncodeUtf8(EmailLowerCodePoint(c), out + n);
		s += bytes;
	}

	*outlen = n;
	return EMAIL_OK;
}

/*
 * Bring an unquoted or unescaped local part to lower case and composed form.
 * Each may call for the other again, so go on until nothing changes.
 */
static EmailStatus
FoldLocal(char *buf, int *len, EmailCompose compose)
{
	char		folded[EMAIL_MAX_RAW];
	int			folded_len;

	for (int pass = 0; pass < EMAIL_MAX_PASSES; pass++)
	{
		EmailStatus status = LowerLocal(buf, *len, folded, &folded_len);

		if (status != EMAIL_OK)
			return status;

		if (compose != NULL)
		{
			folded_len = compose(folded, folded_len, EMAIL_MAX_RAW);
			if (folded_len < 0)
				return EMAIL_LOCAL_TOO_LONG;
		}

		if (folded_len == *len && memcmp(folded, buf, (size_t) folded_len) == 0)
			return EMAIL_OK;

		memcpy(buf, folded, (size_t) folded_len);
		*len = folded_len;
	}

	return EMAIL_LOCAL_CHARACTER;
}

/*
 * Take the text out of a quoted local part; s ends up behind the closing quote
 */
static EmailStatus
UnquoteLocal(const char **s, const char *end, char *buf, int *len)
{
	const char *p = *s + 1;
	int			n = 0;

	while (p < end && *p != '"')
	{
		if (*p == '\\')
			p++;
		if (p == end)
			return EMAIL_QUOTE;
		if (EmailIsControl(*p))
			return EMAIL_CONTROL;
		if (n == EMAIL_MAX_RAW)
			return EMAIL_LOCAL_TOO_LONG;
		buf[n++] = *p++;
	}

	if (p == end)
		return EMAIL_QUOTE;

	*s = p + 1;
	*len = n;
	return EMAIL_OK;
}

/*
 * Normalise a local part that has quotes or characters outside ASCII; s ends
 * up at the at sign
 */
static EmailStatus
NormalizeLocalSlow(const char **s, const char *end, EmailCompose compose, char *out, int *outlen)
{
	char		buf[EMAIL_MAX_RAW];
	int			len;
	int			n = 0;
	bool		quoted = **s == '"';
	EmailStatus status;

	if (quoted)
	{
		status = UnquoteLocal(s, end, buf, &len);
		if (status != EMAIL_OK)
			return status;
		if (*s == end)
			return EMAIL_NO_AT;
		if (**s != '@')
			return EMAIL_QUOTE;
	}
	else
	{
		const char *at = memchr(*s, '@', (size_t) (end - *s));

		if (at == NULL)
			return EMAIL_NO_AT;
		if (at - *s > EMAIL_MAX_RAW)
			return EMAIL_LOCAL_TOO_LONG;
		len = (int) (at - *s);
		memcpy(buf, *s, (size_t) len);
		*s = at;
	}

	if (len == 0)
		return EMAIL_NO_LOCAL;

	status = FoldLocal(buf, &len, compose);
	if (status != EMAIL_OK)
		return status;

	status = CheckDotAtom(buf, len);
	if (status == EMAIL_OK)
	{
		if (len > EMAIL_MAX_LOCAL)
			return EMAIL_LOCAL_TOO_LONG;
		memcpy(out, buf, (size_t) len);
		*outlen = len;
		return EMAIL_OK;
	}

	if (!quoted)
		return status;

	/* Room for the closing quote is kept at every step */
	out[n++] = '"';
	for (int i = 0; i < len; i++)
	{
		bool		escape = buf[i] == '"' || buf[i] == '\\';

		if (n + (escape ? 2 : 1) >= EMAIL_MAX_LOCAL)
			return EMAIL_LOCAL_TOO_LONG;
		if (escape)
			out[n++] = '\\';
		out[n++] = buf[i];
	}
	out[n++] = '"';

	*outlen = n;
	return EMAIL_OK;
}

/*
 * Normalise a local part; s ends up at the at sign
 */
static EmailStatus
NormalizeLocal(const char **s, const char *end, EmailCompose compose, char *out, int *outlen)
{
	const char *at;
	int			n = 0;
	bool		dot = true;

	if (**s == '"')
		return NormalizeLocalSlow(s, end, compose, out, outlen);

	at = memchr(*s, '@', (size_t) (end - *s));
	if (at == NULL)
		return EMAIL_NO_AT;
	if (at == *s)
		return EMAIL_NO_LOCAL;

	for (const char *p = *s; p < at; p++)
	{
		char		c = AtomChar(*p);

		if (c != 0)
			dot = false;
		else if (*p == '.')
		{
			if (dot)
				return EMAIL_LOCAL_DOTS;
			dot = true;
			c = '.';
		}
		else if ((unsigned char) *p >= 0x80)
			return NormalizeLocalSlow(s, end, compose, out, outlen);
		else if (*p == ' ' && memchr(p, '<', (size_t) (at - p)) != NULL)
			return EMAIL_BRACKETS;
		else
			return RefuseLocalChar(*p);

		/* Past the limit, go on: another reason may say more */
		if (n < EMAIL_MAX_LOCAL)
			out[n] = c;
		n++;
	}

	if (dot)
		return EMAIL_LOCAL_DOTS;
	if (n > EMAIL_MAX_LOCAL)
		return EMAIL_LOCAL_TOO_LONG;

	*s = at;
	*outlen = n;
	return EMAIL_OK;
}

/*
 * Bring an e-mail address in UTF-8 to its normal form. The output has room for
 * EMAIL_MAX_LEN + 1 bytes. Without a compose function, decomposed characters in
 * the local part stay so.
 */
EmailStatus
EmailNormalizeUtf8(const char *input, int len, EmailCompose compose, char *out, int *outlen)
{
	const char *start = input;
	const char *end = input + len;
	char		decoded[EMAIL_MAX_RAW * 2];
	char		domain[EMAIL_MAX_DOMAIN + 1];
	int			local_len;
	int			domain_len = 0;
	EmailStatus status;

	Trim(&start, &end);
	if (start == end)
		return EMAIL_EMPTY;
	if (end - start > EMAIL_MAX_INPUT)
		return EMAIL_TOO_LONG;

	if (end[-1] == '>')
	{
		status = FindAngleAddress(&start, &end);
		if (status != EMAIL_OK)
			return status;
	}

	if (HasMailto(start, end))
	{
		status = DecodeMailto(&start, &end, decoded, sizeof(decoded));
		if (status != EMAIL_OK)
			return status;
	}

	status = NormalizeLocal(&start, end, compose, out, &local_len);
	if (status != EMAIL_OK)
		return status;

	status = EmailNormalizeDomain(start + 1, end, domain, &domain_len);
	if (status != EMAIL_OK)
		return status;

	if (local_len + 1 + domain_len > EMAIL_MAX_LEN)
		return EMAIL_TOO_LONG;

	out[local_len] = '@';
	memcpy(out + local_len + 1, domain, (size_t) domain_len + 1);
	*outlen = local_len + 1 + domain_len;

	return EMAIL_OK;
}

/*
 * Get the reason an address was refused, as a sentence
 */
const char *
EmailStatusMessage(EmailStatus status)
{
	switch (status)
	{
		case EMAIL_OK:
			return "The address is valid.";
		case EMAIL_EMPTY:
			return "The address is empty.";
		case EMAIL_TOO_LONG:
			return "The address is longer than 254 octets.";
		case EMAIL_NO_AT:
			return "The address has no \"@\".";
		case EMAIL_SEVERAL:
			return "There is more than one address.";
		case EMAIL_NO_LOCAL:
			return "There is nothing before the \"@\".";
		case EMAIL_NO_DOMAIN:
			return "There is nothing after the \"@\".";
		case EMAIL_CONTROL:
			return "The address has a control character.";
		case EMAIL_COMMENT:
			return "Comments in parentheses are not supported.";
		case EMAIL_QUOTE:
			return "The quotes are not closed or not around the whole local part.";
		case EMAIL_BRACKETS:
			return "The angle brackets are not around one address at the end.";
		case EMAIL_ESCAPE:
			return "The mailto: URI has a malformed percent escape.";
		case EMAIL_ENCODING:
			return "The address is not valid UTF-8.";
		case EMAIL_NEEDS_UTF8:
			return "Addresses with characters outside ASCII need a database with encoding UTF8.";
		case EMAIL_LOCAL_CHARACTER:
			return "The local part has a character that is not allowed there.";
		case EMAIL_LOCAL_DOTS:
			return "The local part begins or ends with a dot or has two in a row.";
		case EMAIL_LOCAL_TOO_LONG:
			return "The local part is longer than 64 octets.";
		case EMAIL_LITERAL:
			return "IP address literals are not supported.";
		case EMAIL_BARE_HOST:
			return "The domain has no dot.";
		case EMAIL_DOMAIN_CHARACTER:
			return "The domain has a character that is not allowed there.";
		case EMAIL_DOMAIN_DOTS:
			return "The domain begins or ends with a dot or has two in a row.";
		case EMAIL_DOMAIN_HYPHEN:
			return "A label of the domain begins or ends with a hyphen.";
		case EMAIL_DOMAIN_NUMBER:
			return "The last label of the domain is a number.";
		case EMAIL_DOMAIN_IDN:
			return "The internationalised domain is not valid (IDNA 2008).";
		case EMAIL_LABEL_TOO_LONG:
			return "A label of the domain is longer than 63 octets.";
		case EMAIL_DOMAIN_TOO_LONG:
			return "The domain is longer than 255 octets.";
	}

	return "The address is not valid.";
}
