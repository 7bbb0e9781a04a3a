#ifndef LEAD_MGMT_TYPES_H
#define LEAD_MGMT_TYPES_H

/*
 * E-mail addresses and phone numbers for the other rooms: normal forms
 * without an error raised, so that one bad value costs one record only.
 *
 * The normal form is what the types lead_mgmt.email and lead_mgmt.phone hold,
 * as text: a varlena made of it is a value of the type.
 */
#include "types/email_core.h"

/* Longest phone number in normal form: +, 3 + 17 digits, ;ext= and 20 digits */
#define PHONE_MAX_LEN		63

typedef enum PhoneStatus
{
	PHONE_OK = 0,
	PHONE_EMPTY,
	PHONE_NEEDS_REGION,
	PHONE_UNKNOWN_REGION,
	PHONE_UNKNOWN_COUNTRY_CODE,
	PHONE_INVALID,
	PHONE_TOO_SHORT,
	PHONE_TOO_LONG,
	PHONE_AMBIGUOUS,
	PHONE_FAILED
} PhoneStatus;

/*
 * Write the normal form of an address in the server's encoding to out, which
 * has room for EMAIL_MAX_LEN + 1 bytes and is closed with a NUL.
 */
extern EmailStatus EmailNormalize(const char *input, int len, char *out, int *outlen);

/*
 * Write the normal form of a number to out, which has room for
 * PHONE_MAX_LEN + 1 bytes and is closed with a NUL. A number without a country
 * code is read as one of the region (ISO 3166-1 alpha-2, any case), which may
 * be NULL. When valid is not NULL, it tells whether the number is in use
 * according to its country's numbering plan.
 */
extern PhoneStatus PhoneNormalize(const char *input, int len, const char *region, char *out, int *outlen, bool *valid);
extern const char *PhoneStatusMessage(PhoneStatus status);
extern bool PhoneRegionKnown(const char *region);

#endif
