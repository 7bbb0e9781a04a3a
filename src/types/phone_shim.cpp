/*
 * libphonenumber behind plain C functions.
 *
 * A value of lead_mgmt.phone was made by parsing and formatting, so its digits
 * are the country code and the national number as they are: the accessors take
 * it apart by hand, which saves the 10 microseconds of another parse.
 */
#include <cstring>
#include <exception>
#include <set>
#include <string>

#include <phonenumbers/phonenumberutil.h>

#include "types/phone_shim.h"

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

static const char extensionMark[] = ";ext=";

/* libphonenumber looks at no more either */
static const int maxInput = 250;

/* Country codes have up to three digits */
static const int maxCountryCode = 999;

/*
 * What the library knows, asked for once
 */
struct Known
{
	bool		codes[maxCountryCode + 1];
	bool		regions[26][26];

	Known()
	{
		const PhoneNumberUtil *util = PhoneNumberUtil::GetInstance();
		std::set<int> allCodes;
		std::set<std::string> allRegions;

		memset(codes, 0, sizeof(codes));
		memset(regions, 0, sizeof(regions));

		util->GetSupportedCallingCodes(&allCodes);
		for (int code : allCodes)
		{
			if (code > 0 && code <= maxCountryCode)
				codes[code] = true;
		}

		util->GetSupportedRegions(&allRegions);
		for (const std::string &region : allRegions)
		{
			if (region.size() == 2 && region[0] >= 'A' && region[0] <= 'Z' &&
				region[1] >= 'A' && region[1] <= 'Z')
				regions[region[0] - 'A'][region[1] - 'A'] = true;
		}
	}
};

static const Known &
GetKnown()
{
	static const Known known;

	return known;
}

/*
 * Get a region code in upper case; false when it is none
 */
static bool
FoldRegion(const char *region, char *folded)
{
	if (strlen(region) != 2)
		return false;

	for (int i = 0; i < 2; i++)
	{
		folded[i] = region[i] >= 'a' && region[i] <= 'z' ? static_cast<char>(region[i] - 'a' + 'A') : region[i];
		if (folded[i] < 'A' || folded[i] > 'Z')
			return false;
	}
	folded[2] = '\0';

	return GetKnown().regions[folded[0] - 'A'][folded[1] - 'A'];
}

/*
 * Take a number in normal form apart
 */
static bool
Split(const char *data, int len, PhoneNumber *number)
{
	const char *end = data + len;
	const char *national = NULL;
	unsigned long long value = 0;
	int			code = 0;
	int			digits = 0;
	int			zeros = 0;

	if (len < 2 || data[0] != '+')
		return false;

	/* No country code is the beginning of another one */
	for (const char *p = data + 1; p < end && p <= data + 3 && *p >= '0' && *p <= '9'; p++)
	{
		code = code * 10 + (*p - '0');
		if (GetKnown().codes[code])
		{
			national = p + 1;
			break;
		}
	}
	if (national == NULL)
		return false;

	const char *p = national;

	for (; p < end && *p >= '0' && *p <= '9' && digits < 18; p++, digits++)
		value = value * 10 + static_cast<unsigned>(*p - '0');
	if (digits == 0)
		return false;

	number->set_country_code(code);
	number->set_national_number(value);

	/* The last digit counts as the number, be it a zero */
	while (zeros < digits - 1 && national[zeros] == '0')
		zeros++;
	if (zeros > 0)
		number->set_italian_leading_zero(true);
	if (zeros > 1)
		number->set_number_of_leading_zeros(zeros);

	if (p < end)
	{
		size_t		mark = sizeof(extensionMark) - 1;

		if (static_cast<size_t>(end - p) <= mark || memcmp(p, extensionMark, mark) != 0)
			return false;
		number->set_extension(std::string(p + mark, end));
	}

	return true;
}

/*
 * Write a number's normal form
 */
static void
Join(const PhoneNumber &number, std::string *out)
{
	PhoneNumberUtil::GetInstance()->Format(number, PhoneNumberUtil::E164, out);
	if (!number.extension().empty())
	{
		out->append(extensionMark);
		out->append(number.extension());
	}
}

/*
 * Check whether a number has a country code, be it an unknown one
 */
static bool
HasPlus(const std::string &input)
{
	return input.find('+') != std::string::npos || input.find("\xEF\xBC\x8B") != std::string::npos;
}

static bool
HasLetter(const std::string &input)
{
	for (char c : input)
	{
		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
			return true;
	}

	return false;
}

/*
 * Check whether a number was written as its normal form but for punctuation:
 * then it was this form that has been parsed
 */
static bool
SameDigits(const std::string &input, const std::string &normal)
{
	size_t		n = 0;

	for (size_t i = 0; i < input.size(); i++)
	{
		char		c = input[i];

		if (c == ' ' || c == '-' || c == '.' || c == '(' || c == ')')
		{
			if (i == 0)
				return false;
			continue;
		}
		if (n == normal.size() || c != normal[n])
			return false;
		n++;
	}

	return n == normal.size();
}

/*
 * Parse a number and check that its normal form is parsed to itself
 */
static PhoneStatus
Parse(const std::string &input, const char *region, char *out, int *outlen, bool *valid)
{
	const PhoneNumberUtil *util = PhoneNumberUtil::GetInstance();
	PhoneNumber number;
	PhoneNumber again;
	std::string normal;
	std::string normalAgain;

	switch (util->Parse(input, region, &number))
	{
		case PhoneNumberUtil::NO_PARSING_ERROR:
			break;
		case PhoneNumberUtil::INVALID_COUNTRY_CODE_ERROR:
			return HasPlus(input) ? PHONE_UNKNOWN_COUNTRY_CODE : PHONE_NEEDS_REGION;
		case PhoneNumberUtil::TOO_SHORT_AFTER_IDD:
		case PhoneNumberUtil::TOO_SHORT_NSN:
			return PHONE_TOO_SHORT;
		case PhoneNumberUtil::TOO_LONG_NSN:
			return PHONE_TOO_LONG;
		default:
			return PHONE_INVALID;
	}

	/* Letters are digits of a vanity number only where there is such a number */
	if (HasLetter(input) && util->IsAlphaNumber(input) && !util->IsValidNumber(number))
		return PHONE_INVALID;

	Join(number, &normal);
	if (normal.size() > PHONE_MAX_LEN)
		return PHONE_TOO_LONG;

	if (!SameDigits(input, normal))
	{
		if (util->Parse(normal, "ZZ", &again) != PhoneNumberUtil::NO_PARSING_ERROR)
			return PHONE_AMBIGUOUS;
		Join(again, &normalAgain);
		if (normalAgain != normal)
			return PHONE_AMBIGUOUS;
	}

	if (valid != NULL)
		*valid = util->IsValidNumber(number);

	memcpy(out, normal.c_str(), normal.size() + 1);
	*outlen = static_cast<int>(normal.size());
	return PHONE_OK;
}

/*
 * Bring a number to its normal form
 */
PhoneStatus
PhoneShimParse(const char *input, int len, const char *region, char *out, int *outlen, bool *valid)
{
	try
	{
		char		folded[3];

		if (region != NULL && !FoldRegion(region, folded))
			return PHONE_UNKNOWN_REGION;
		if (len > maxInput)
			return PHONE_TOO_LONG;

		return Parse(std::string(input, static_cast<size_t>(len)), region != NULL ? folded : "ZZ", out, outlen, valid);
	}
	catch (...)
	{
		return PHONE_FAILED;
	}
}

/*
 * Check whether a region has a numbering plan
 */
bool
PhoneShimRegionKnown(const char *region)
{
	try
	{
		char		folded[3];

		return FoldRegion(region, folded);
	}
	catch (...)
	{
		return false;
	}
}

/*
 * Check whether a number is in use in its numbering plan
 */
bool
PhoneShimValid(const char *number, int len, bool *valid)
{
	try
	{
		PhoneNumber parts;

		if (!Split(number, len, &parts))
			return false;
		*valid = PhoneNumberUtil::GetInstance()->IsValidNumber(parts);
		return true;
	}
	catch (...)
	{
		return false;
	}
}

/*
 * Get the region of a number, empty when it has none
 */
bool
PhoneShimRegion(const char *number, int len, char region[3])
{
	try
	{
		PhoneNumber parts;
		std::string code;

		if (!Split(number, len, &parts))
			return false;

		PhoneNumberUtil::GetInstance()->GetRegionCodeForNumber(parts, &code);

		/* 001 is the world, ZZ is none */
		if (code.size() != 2 || code == "ZZ")
			region[0] = '\0';
		else
			memcpy(region, code.c_str(), 3);
		return true;
	}
	catch (...)
	{
		return false;
	}
}

/*
 * Get the type of a number
 */
bool
PhoneShimType(const char *number, int len, const char **type)
{
	try
	{
		PhoneNumber parts;

		if (!Split(number, len, &parts))
			return false;

		switch (PhoneNumberUtil::GetInstance()->GetNumberType(parts))
		{
			case PhoneNumberUtil::FIXED_LINE:
				*type = "fixed_line";
				break;
			case PhoneNumberUtil::MOBILE:
				*type = "mobile";
				break;
			case PhoneNumberUtil::FIXED_LINE_OR_MOBILE:
				*type = "fixed_line_or_mobile";
				break;
			case PhoneNumberUtil::TOLL_FREE:
				*type = "toll_free";
				break;
			case PhoneNumberUtil::PREMIUM_RATE:
				*type = "premium_rate";
				break;
			case PhoneNumberUtil::SHARED_COST:
				*type = "shared_cost";
				break;
			case PhoneNumberUtil::VOIP:
				*type = "voip";
				break;
			case PhoneNumberUtil::PERSONAL_NUMBER:
				*type = "personal_number";
				break;
			case PhoneNumberUtil::PAGER:
				*type = "pager";
				break;
			case PhoneNumberUtil::UAN:
				*type = "uan";
				break;
			case PhoneNumberUtil::VOICEMAIL:
				*type = "voicemail";
				break;
			default:
				*type = "unknown";
				break;
		}
		return true;
	}
	catch (...)
	{
		return false;
	}
}

/*
 * Get the country code of a number
 */
bool
PhoneShimCountryCode(const char *number, int len, int *code)
{
	try
	{
		PhoneNumber parts;

		if (!Split(number, len, &parts))
			return false;
		*code = parts.country_code();
		return true;
	}
	catch (...)
	{
		return false;
	}
}

/*
 * Format a number to be read or dialled; out has room for
 * PHONE_MAX_FORMATTED + 1 bytes
 */
bool
PhoneShimFormat(const char *number, int len, PhoneFormat format, char *out, int *outlen)
{
	try
	{
		PhoneNumber parts;
		std::string formatted;
		PhoneNumberUtil::PhoneNumberFormat how = PhoneNumberUtil::RFC3966;

		if (!Split(number, len, &parts))
			return false;

		if (format == PHONE_FORMAT_NATIONAL)
			how = PhoneNumberUtil::NATIONAL;
		else if (format == PHONE_FORMAT_INTERNATIONAL)
			how = PhoneNumberUtil::INTERNATIONAL;

		PhoneNumberUtil::GetInstance()->Format(parts, how, &formatted);
		if (formatted.size() > PHONE_MAX_FORMATTED)
			return false;

		memcpy(out, formatted.c_str(), formatted.size() + 1);
		*outlen = static_cast<int>(formatted.size());
		return true;
	}
	catch (...)
	{
		return false;
	}
}
