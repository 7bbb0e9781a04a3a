#ifndef LEAD_MGMT_EMAIL_CORE_H
#define LEAD_MGMT_EMAIL_CORE_H

#include <stdbool.h>
#include <stdint.h>

/* RFC 5321, section 4.5.3.1, in octets of the normal form */
#define EMAIL_MAX_LOCAL		64
#define EMAIL_MAX_DOMAIN	255
#define EMAIL_MAX_LABEL		63
#define EMAIL_MAX_LEN		254

/* Longest input looked at, with display name; anything longer is no address */
#define EMAIL_MAX_INPUT		8192

/* Longest local part and domain as written, before mapping shortens them */
#define EMAIL_MAX_RAW		1024

typedef enum EmailStatus
{
	EMAIL_OK = 0,
	EMAIL_EMPTY,
	EMAIL_TOO_LONG,
	EMAIL_NO_AT,
	EMAIL_SEVERAL,
	EMAIL_NO_LOCAL,
	EMAIL_NO_DOMAIN,
	EMAIL_CONTROL,
	EMAIL_COMMENT,
	EMAIL_QUOTE,
	EMAIL_BRACKETS,
	EMAIL_ESCAPE,
	EMAIL_ENCODING,
	EMAIL_NEEDS_UTF8,
	EMAIL_LOCAL_CHARACTER,
	EMAIL_LOCAL_DOTS,
	EMAIL_LOCAL_TOO_LONG,
	EMAIL_LITERAL,
	EMAIL_BARE_HOST,
	EMAIL_DOMAIN_CHARACTER,
	EMAIL_DOMAIN_DOTS,
	EMAIL_DOMAIN_HYPHEN,
	EMAIL_DOMAIN_NUMBER,
	EMAIL_DOMAIN_IDN,
	EMAIL_LABEL_TOO_LONG,
	EMAIL_DOMAIN_TOO_LONG
} EmailStatus;

/*
 * Bring UTF-8 text in a buffer of the given size to Unicode normalisation
 * form C. Returns the new length, or -1 when it cannot.
 */
typedef int (*EmailCompose) (char *buf, int len, int size);

extern EmailStatus EmailNormalizeUtf8(const char *input, int len, EmailCompose compose, char *out, int *outlen);
extern const char *EmailStatusMessage(EmailStatus status);
extern uint32_t EmailLowerCodePoint(uint32_t c);
extern bool EmailDomainIsFree(const char *domain, int len);

/*
 * The rest is shared by the files of the normaliser only
 */
extern int	EmailDecodeUtf8(const char *s, const char *end, uint32_t *c);
extern int	EmailEncodeUtf8(uint32_t c, char *s);
extern bool EmailIsHidden(uint32_t c);
extern EmailStatus EmailNormalizeDomain(const char *s, const char *end, char *out, int *outlen);

static inline bool
EmailIsControl(char c)
{
	unsigned char u = (unsigned char) c;

	return u < 0x20 || u == 0x7F;
}

#endif
