#ifndef LEAD_MGMT_PHONE_SHIM_H
#define LEAD_MGMT_PHONE_SHIM_H

/*
 * libphonenumber behind plain C functions: no exception comes out, and no
 * server function is called within, so neither unwinds the other's frames.
 */
#include <stdbool.h>

#include "types/types.h"

/* Longest formatted number, of which "tel:+84-91-234-56-78;ext=12" is one */
#define PHONE_MAX_FORMATTED		127

typedef enum PhoneFormat
{
	PHONE_FORMAT_NATIONAL,
	PHONE_FORMAT_INTERNATIONAL,
	PHONE_FORMAT_RFC3966
} PhoneFormat;

#ifdef __cplusplus
#define PHONE_SHIM extern "C"
#else
#define PHONE_SHIM extern
#endif

PHONE_SHIM PhoneStatus PhoneShimParse(const char *input, int len, const char *region, char *out, int *outlen, bool *valid);
PHONE_SHIM bool PhoneShimRegionKnown(const char *region);

/* The rest take a number in normal form and return false on failure */
PHONE_SHIM bool PhoneShimValid(const char *number, int len, bool *valid);
PHONE_SHIM bool PhoneShimRegion(const char *number, int len, char region[3]);
PHONE_SHIM bool PhoneShimType(const char *number, int len, const char **type);
PHONE_SHIM bool PhoneShimCountryCode(const char *number, int len, int *code);
PHONE_SHIM bool PhoneShimFormat(const char *number, int len, PhoneFormat format, char *out, int *outlen);

#endif
