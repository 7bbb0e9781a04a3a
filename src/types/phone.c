/*
 * The type lead_mgmt.phone: a number in E.164 form with an optional extension
 * (RFC 3966), stored as text.
 *
 * Numbering plans are compiled into libphonenumber, so what is IMMUTABLE here
 * is so for one version of it. A newer library may find another number valid,
 * or know its region and type better; stored normal forms stay as they are.
 */
#include "postgres.h"

#include "fmgr.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "types/normal_text.h"
#include "types/phone_shim.h"
#include "types/types.h"
#include "utils/builtins.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

static bool
IsSpace(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/*
 * Bring a number in the server's encoding to its normal form
 */
PhoneStatus
PhoneNormalize(const char *input, int len, const char *region, char *out, int *outlen, bool *valid)
{
	bool		ascii = true;

	while (len > 0 && IsSpace(input[0]))
	{
		input++;
		len--;
	}
	while (len > 0 && IsSpace(input[len - 1]))
		len--;

	if (len == 0)
		return PHONE_EMPTY;

	for (int i = 0; i < len; i++)
	{
		if (input[i] == '\0')
			return PHONE_INVALID;
		if (IS_HIGHBIT_SET(input[i]))
			ascii = false;
	}

	/* libphonenumber knows the digits and dashes of many scripts, in UTF-8 */
	if (!ascii && (GetDatabaseEncoding() != PG_UTF8 || !pg_verify_mbstr(PG_UTF8, input, len, true)))
		return PHONE_INVALID;

	return PhoneShimParse(input, len, region, out, outlen, valid);
}

/*
 * Check whether a region has a numbering plan
 */
bool
PhoneRegionKnown(const char *region)
{
	return PhoneShimRegionKnown(region);
}

/*
 * Get the reason a number was refused, as a sentence
 */
const char *
PhoneStatusMessage(PhoneStatus status)
{
	switch (status)
	{
		case PHONE_OK:
			return "The number is well formed.";
		case PHONE_EMPTY:
			return "The number is empty.";
		case PHONE_NEEDS_REGION:
			return "The number has no country code.";
		case PHONE_UNKNOWN_REGION:
			return "The region is unknown.";
		case PHONE_UNKNOWN_COUNTRY_CODE:
			return "The country code is unknown.";
		case PHONE_INVALID:
			return "This is not a phone number.";
		case PHONE_TOO_SHORT:
			return "The number is too short.";
		case PHONE_TOO_LONG:
			return "The number is too long.";
		case PHONE_AMBIGUOUS:
			return "The number reads differently once its prefixes are taken off.";
		case PHONE_FAILED:
			return "The number could not be processed.";
	}

	return "The number is not valid.";
}

/*
 * Make a value from a number as written
 */
static Datum
MakePhone(FunctionCallInfo fcinfo, const char *input, int len, const char *region)
{
	char		out[PHONE_MAX_LEN + 1];
	int			outlen;
	PhoneStatus status = PhoneNormalize(input, len, region, out, &outlen, NULL);

	if (status == PHONE_UNKNOWN_REGION && region != NULL)
		NormalTextRefuse(fcinfo,
						 (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						  errmsg("unknown region \"%s\"", NormalTextClip(region, strlen(region))),
						  errhint("Use a country code of ISO 3166-1 alpha-2, such as VN or US.")));

	if (status == PHONE_NEEDS_REGION)
		NormalTextRefuse(fcinfo,
						 (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
						  errmsg("phone number \"%s\" needs a country code", NormalTextClip(input, len)),
						  errhint("Write the number with \"+\" and its country code, or use lead_mgmt.to_phone(number, region).")));

	if (status != PHONE_OK)
		NormalTextRefuse(fcinfo,
						 (errcode(status == PHONE_FAILED ? ERRCODE_INTERNAL_ERROR : ERRCODE_INVALID_TEXT_REPRESENTATION),
						  errmsg("invalid phone number \"%s\"", NormalTextClip(input, len)),
						  errdetail("%s", PhoneStatusMessage(status))));

	PG_RETURN_TEXT_P(cstring_to_text_with_len(out, outlen));
}

/*
 * Report a stored value that is no normal form
 */
static void
ReportCorrupt(text *phone)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("phone number \"%s\" is not in normal form",
					NormalTextClip(VARDATA_ANY(phone), VARSIZE_ANY_EXHDR(phone))),
			 errhint("Make values of type lead_mgmt.phone from text only through its casts and functions.")));
}

/*
 * Convert textual representation to internal representation
 */
PG_FUNCTION_INFO_V1(phone_in);
Datum
phone_in(PG_FUNCTION_ARGS)
{
	char	   *input = PG_GETARG_CSTRING(0);

	return MakePhone(fcinfo, input, strlen(input), NULL);
}

/*
 * Convert external binary representation to internal representation
 */
PG_FUNCTION_INFO_V1(phone_recv);
Datum
phone_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			len;
	char	   *input = pq_getmsgtext(buf, buf->len - buf->cursor, &len);

	return MakePhone(fcinfo, input, len, NULL);
}

/*
 * Convert text in international form to a phone number
 */
PG_FUNCTION_INFO_V1(text_to_phone);
Datum
text_to_phone(PG_FUNCTION_ARGS)
{
	text	   *input = PG_GETARG_TEXT_PP(0);

	return MakePhone(fcinfo, VARDATA_ANY(input), VARSIZE_ANY_EXHDR(input), NULL);
}

/*
 * Convert text to a phone number, reading a national one as of a region
 */
PG_FUNCTION_INFO_V1(to_phone);
Datum
to_phone(PG_FUNCTION_ARGS)
{
	text	   *input = PG_GETARG_TEXT_PP(0);
	char	   *region = text_to_cstring(PG_GETARG_TEXT_PP(1));

	return MakePhone(fcinfo, VARDATA_ANY(input), VARSIZE_ANY_EXHDR(input), region);
}

/*
 * Check whether a number is in use in its numbering plan
 */
PG_FUNCTION_INFO_V1(phone_valid);
Datum
phone_valid(PG_FUNCTION_ARGS)
{
	text	   *phone = PG_GETARG_TEXT_PP(0);
	bool		valid = false;

	if (!PhoneShimValid(VARDATA_ANY(phone), VARSIZE_ANY_EXHDR(phone), &valid))
		ReportCorrupt(phone);

	PG_RETURN_BOOL(valid);
}

/*
 * Get the region a number belongs to
 */
PG_FUNCTION_INFO_V1(phone_region);
Datum
phone_region(PG_FUNCTION_ARGS)
{
	text	   *phone = PG_GETARG_TEXT_PP(0);
	char		region[3] = "";

	if (!PhoneShimRegion(VARDATA_ANY(phone), VARSIZE_ANY_EXHDR(phone), region))
		ReportCorrupt(phone);

	if (region[0] == '\0')
		PG_RETURN_NULL();

	PG_RETURN_TEXT_P(cstring_to_text(region));
}

/*
 * Get the type of a number
 */
PG_FUNCTION_INFO_V1(phone_type);
Datum
phone_type(PG_FUNCTION_ARGS)
{
	text	   *phone = PG_GETARG_TEXT_PP(0);
	const char *type = "unknown";

	if (!PhoneShimType(VARDATA_ANY(phone), VARSIZE_ANY_EXHDR(phone), &type))
		ReportCorrupt(phone);

	PG_RETURN_TEXT_P(cstring_to_text(type));
}

/*
 * Get the country code of a number
 */
PG_FUNCTION_INFO_V1(phone_country_code);
Datum
phone_country_code(PG_FUNCTION_ARGS)
{
	text	   *phone = PG_GETARG_TEXT_PP(0);
	int			code = 0;

	if (!PhoneShimCountryCode(VARDATA_ANY(phone), VARSIZE_ANY_EXHDR(phone), &code))
		ReportCorrupt(phone);

	PG_RETURN_INT32(code);
}

/*
 * Get the extension of a number
 */
PG_FUNCTION_INFO_V1(phone_extension);
Datum
phone_extension(PG_FUNCTION_ARGS)
{
	text	   *phone = PG_GETARG_TEXT_PP(0);
	const char *data = VARDATA_ANY(phone);
	int			len = VARSIZE_ANY_EXHDR(phone);
	const char *mark = memchr(data, '=', len);

	if (mark == NULL)
		PG_RETURN_NULL();

	PG_RETURN_TEXT_P(cstring_to_text_with_len(mark + 1, data + len - mark - 1));
}

/*
 * Format a number
 */
static Datum
FormatPhone(text *phone, PhoneFormat format)
{
	char		out[PHONE_MAX_FORMATTED + 1];
	int			outlen = 0;

	if (!PhoneShimFormat(VARDATA_ANY(phone), VARSIZE_ANY_EXHDR(phone), format, out, &outlen))
		ReportCorrupt(phone);

	return PointerGetDatum(cstring_to_text(pg_any_to_server(out, outlen, PG_UTF8)));
}

/*
 * Format a number as dialled within its country
 */
PG_FUNCTION_INFO_V1(phone_national);
Datum
phone_national(PG_FUNCTION_ARGS)
{
	return FormatPhone(PG_GETARG_TEXT_PP(0), PHONE_FORMAT_NATIONAL);
}

/*
 * Format a number as written abroad
 */
PG_FUNCTION_INFO_V1(phone_international);
Datum
phone_international(PG_FUNCTION_ARGS)
{
	return FormatPhone(PG_GETARG_TEXT_PP(0), PHONE_FORMAT_INTERNATIONAL);
}

/*
 * Format a number as a URI
 */
PG_FUNCTION_INFO_V1(phone_rfc3966);
Datum
phone_rfc3966(PG_FUNCTION_ARGS)
{
	return FormatPhone(PG_GETARG_TEXT_PP(0), PHONE_FORMAT_RFC3966);
}

/*
 * Pack a number into an abbreviated key, four bits a character after the plus
 * sign: the longest of the common numbers fits whole. Zero is the end, the
 * digits follow, then the semicolon, as in bytes. What comes after it is left
 * to the full comparison.
 */
static Datum
AbbreviatePhone(const char *data, int len)
{
	Datum		key = 0;
	int			nibbles = sizeof(Datum) * 2;

	for (int i = 1; i <= nibbles; i++)
	{
		Datum		code = 0;

		if (i < len && data[i] >= '0' && data[i] <= '9')
			code = data[i] - '0' + 1;
		else if (i < len)
		{
			code = 11;
			len = i;
		}
		key = key << 4 | code;
	}

	return key;
}

/*
 * Prepare a sort
 */
PG_FUNCTION_INFO_V1(phone_sortsupport);
Datum
phone_sortsupport(PG_FUNCTION_ARGS)
{
	NormalTextSortSupport((SortSupport) PG_GETARG_POINTER(0), AbbreviatePhone);
	PG_RETURN_VOID();
}
