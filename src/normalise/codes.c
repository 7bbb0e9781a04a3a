/*
 * Keys of digits, postcodes and e-mail addresses.
 */
#include "postgres.h"

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "normalise/normalise.h"
#include "normalise/words.h"
#include "types/types.h"

/* Times the key of something that is no address is brought to its own key */
#define EMAIL_KEY_PASSES	4

/* What a provider leaves out of account when it delivers mail */
#define LOCAL_DOTS		0x01	/* dots do not count */
#define LOCAL_MARKS		0x02	/* nor do hyphens and underscores */
#define LOCAL_HYPHEN_DOT	0x04	/* a hyphen is as good as a dot */
#define LOCAL_HYPHEN_TAG	0x08	/* what follows a hyphen is a tag */

typedef struct MailProvider
{
	const char *domain;
	const char *mailbox_domain;
	int			rules;
} MailProvider;

/*
 * Providers that deliver several spellings to one mailbox, from their help
 * pages. That + begins a tag holds nearly everywhere, so it is no rule of any.
 */
static const MailProvider mailProviders[] = {
	{"gmail.com", "gmail.com", LOCAL_DOTS},
	{"googlemail.com", "gmail.com", LOCAL_DOTS},
	{"icloud.com", "icloud.com", 0},
	{"me.com", "icloud.com", 0},
	{"mac.com", "icloud.com", 0},
	{"proton.me", "proton.me", LOCAL_DOTS | LOCAL_MARKS},
	{"protonmail.com", "proton.me", LOCAL_DOTS | LOCAL_MARKS},
	{"protonmail.ch", "proton.me", LOCAL_DOTS | LOCAL_MARKS},
	{"pm.me", "proton.me", LOCAL_DOTS | LOCAL_MARKS},
	{"yandex.ru", "yandex.ru", LOCAL_HYPHEN_DOT},
	{"yandex.com", "yandex.ru", LOCAL_HYPHEN_DOT},
	{"yandex.com.tr", "yandex.ru", LOCAL_HYPHEN_DOT},
	{"yandex.by", "yandex.ru", LOCAL_HYPHEN_DOT},
	{"yandex.kz", "yandex.ru", LOCAL_HYPHEN_DOT},
	{"yandex.ua", "yandex.ru", LOCAL_HYPHEN_DOT},
	{"yandex.uz", "yandex.ru", LOCAL_HYPHEN_DOT},
	{"ya.ru", "yandex.ru", LOCAL_HYPHEN_DOT},
	{"hanmail.net", "daum.net", 0},
	{"daum.net", "daum.net", 0},
	{"ymail.com", "ymail.com", LOCAL_HYPHEN_TAG},
	{"rocketmail.com", "rocketmail.com", LOCAL_HYPHEN_TAG}
};

/*
 * Get the digits of text
 */
void
DigitsKey(StringInfo out, const char *value, int len)
{
	static StringInfoData folded;
	char	   *p;

	for (int i = 0; i < len; i++)
	{
		if (IS_HIGHBIT_SET(value[i]))
		{
			FoldServerToUtf8(ResetScratch(&folded), value, len);
			value = folded.data;
			len = folded.len;
			break;
		}
	}

	enlargeStringInfo(out, len);
	p = out->data + out->len;
	for (int i = 0; i < len; i++)
	{
		if (value[i] >= '0' && value[i] <= '9')
			*p++ = value[i];
	}
	*p = '\0';
	out->len = p - out->data;
}

static inline bool
IsLetterOrDigit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool
AllDigits(const char *s, int len)
{
	for (int i = 0; i < len; i++)
	{
		if (s[i] < '0' || s[i] > '9')
			return false;
	}

	return len > 0;
}

/*
 * Get the key of a postcode: Latin letters and digits. The last four digits of
 * a ZIP+4 code and the country before a number of four to six digits (D-10115,
 * LV1010) go, as they are mostly left out.
 */
void
PostcodeKey(StringInfo out, const char *value, int len)
{
	static StringInfoData folded;
	char	   *key;
	int			key_len = 0;
	int			letters = 0;

	FoldServerToUtf8(ResetScratch(&folded), value, len);

	enlargeStringInfo(out, folded.len);
	key = out->data + out->len;
	for (int i = 0; i < folded.len; i++)
	{
		char		c = folded.data[i];

		if (IsLetterOrDigit(c))
			key[key_len++] = pg_ascii_toupper(c);
	}

	while (letters < key_len && key[letters] >= 'A')
		letters++;

	if (letters == 0 && key_len == 9 && AllDigits(key, key_len))
		key_len = 5;
	else if ((letters == 1 || letters == 2) && key_len - letters >= 4 && key_len - letters <= 6 &&
			 AllDigits(key + letters, key_len - letters))
	{
		key_len -= letters;
		memmove(key, key + letters, key_len);
	}

	key[key_len] = '\0';
	out->len += key_len;
}

/*
 * Find what is known about a domain
 */
static const MailProvider *
FindMailProvider(const char *domain, int len)
{
	static const MailProvider yahoo = {NULL, NULL, LOCAL_HYPHEN_TAG};

	/* The longest domain of the table has 14 characters */
	if (len > 6 && memcmp(domain, "yahoo.", 6) == 0)
		return &yahoo;
	if (len < 5 || len > 14)
		return NULL;

	for (int i = 0; i < lengthof(mailProviders); i++)
	{
		const MailProvider *provider = &mailProviders[i];

		if (provider->domain[0] == domain[0] && (int) strlen(provider->domain) == len &&
			memcmp(provider->domain, domain, len) == 0)
			return provider;
	}

	return NULL;
}

/*
 * Append the mailbox that an address in lower case belongs to
 */
static void
AppendMailbox(StringInfo out, const char *address, int len)
{
	const MailProvider *provider;
	const char *domain;
	int			at = len;
	int			local;
	int			rules = 0;
	int			start = out->len;

	while (at > 0 && address[at - 1] != '@')
		at--;
	if (at <= 1 || at == len || address[0] == '"')
	{
		appendBinaryStringInfo(out, address, len);
		return;
	}

	domain = address + at;
	len -= at;
	local = at - 1;
	provider = FindMailProvider(domain, len);
	if (provider != NULL)
		rules = provider->rules;

	/* A tag may follow, but a mailbox needs a name of its own */
	for (int i = 1; i < local; i++)
	{
		if (address[i] == '+' || (address[i] == '-' && (rules & LOCAL_HYPHEN_TAG)))
			local = i;
	}
	while (local > 1 && address[local - 1] == '.')
		local--;

	if ((rules & (LOCAL_DOTS | LOCAL_MARKS | LOCAL_HYPHEN_DOT)) == 0)
		appendBinaryStringInfo(out, address, local);
	else
	{
		char	   *to;

		enlargeStringInfo(out, local);
		to = out->data + start;
		for (int i = 0; i < local; i++)
		{
			char		c = address[i];

			if ((c == '.' && (rules & LOCAL_DOTS)) || ((c == '-' || c == '_') && (rules & LOCAL_MARKS)))
				continue;
			if (c == '-' && (rules & LOCAL_HYPHEN_DOT) && i > 0 && i < local - 1 &&
				IsLetterOrDigit(address[i - 1]) && IsLetterOrDigit(address[i + 1]))
				c = '.';
			*to++ = c;
		}
		*to = '\0';
		out->len = to - out->data;
	}
	if (out->len == start)
		appendBinaryStringInfo(out, address, local);

	appendStringInfoChar(out, '@');
	if (provider != NULL && provider->mailbox_domain != NULL)
		appendStringInfoString(out, provider->mailbox_domain);
	else
		appendBinaryStringInfo(out, domain, len);
}

static bool
IsAround(char c)
{
	return strchr("<>()[]\"'.,;:", c) != NULL;
}

/*
 * Append the mailbox that something like an address means: folded, without
 * blanks and what gets copied along
 */
static void
AppendLikelyMailbox(StringInfo out, const char *value, int len)
{
	static StringInfoData folded;
	char	   *from;
	int			n = 0;

	FoldText(ResetScratch(&folded), value, len);
	for (int i = 0; i < folded.len; i++)
	{
		if (folded.data[i] != ' ')
			folded.data[n++] = folded.data[i];
	}
	folded.len = n;

	from = folded.data;
	while (n > 0 && IsAround(from[n - 1]))
		n--;
	while (n > 0 && IsAround(*from))
	{
		from++;
		n--;
	}

	/* Nothing but brackets and the like: as good a key as any */
	if (n == 0)
		appendBinaryStringInfo(out, folded.data, folded.len);
	else
		AppendMailbox(out, from, n);
}

/*
 * Get the key of an e-mail address
 */
void
EmailKey(StringInfo out, const char *value, int len)
{
	static StringInfoData key;
	static StringInfoData next;
	char		address[EMAIL_MAX_LEN + 1];
	int			address_len;

	if (EmailNormalize(value, len, address, &address_len) == EMAIL_OK)
	{
		AppendMailbox(out, address, address_len);
		return;
	}

	AppendLikelyMailbox(ResetScratch(&key), value, len);
	for (int pass = 0; pass < EMAIL_KEY_PASSES; pass++)
	{
		ResetScratch(&next);
		if (EmailNormalize(key.data, key.len, address, &address_len) == EMAIL_OK)
			AppendMailbox(&next, address, address_len);
		else
			AppendLikelyMailbox(&next, key.data, key.len);
		if (next.len == key.len && memcmp(next.data, key.data, key.len) == 0)
			break;
		resetStringInfo(&key);
		appendBinaryStringInfo(&key, next.data, next.len);
	}
	appendBinaryStringInfo(out, key.data, key.len);
}

/*
 * Get the digits of text
 */
PG_FUNCTION_INFO_V1(digits_key);
Datum
digits_key(PG_FUNCTION_ARGS)
{
	return KeyOfArgument(fcinfo, DigitsKey);
}

/*
 * Get the key of a postcode
 */
PG_FUNCTION_INFO_V1(postcode_key);
Datum
postcode_key(PG_FUNCTION_ARGS)
{
	return KeyOfArgument(fcinfo, PostcodeKey);
}

/*
 * Get the key of an e-mail address
 */
PG_FUNCTION_INFO_V1(email_key);
Datum
email_key(PG_FUNCTION_ARGS)
{
	return KeyOfArgument(fcinfo, EmailKey);
}
