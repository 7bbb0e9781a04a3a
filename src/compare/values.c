/*
 * Comparison of dates, numbers, telephone numbers and e-mail addresses.
 */
#include "compare/kernel.h"

#include <math.h>

#define DATE_DIGITS		8

/* Digits looked at in a telephone number, and those that make two the same */
#define PHONE_DIGITS	32
#define PHONE_SUFFIX	7

/*
 * Get the number yyyymmdd of a day, counted from 2000-01-01. Years are taken
 * to begin in March, so that the leap day is a year's last and the days before
 * a month are (153 m + 2) / 5 (Richards 1998, Mapping time).
 */
int32_t
DateNumber(int32_t days)
{
	/* From 0000-03-01 of the Gregorian calendar, extended backwards */
	int64_t		day = (int64_t) days + 730425;
	int64_t		era = day / 146097;
	int			of_era = (int) (day % 146097);
	int			year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int			of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int			march = (5 * of_year + 2) / 153;
	int			month = march < 10 ? march + 3 : march - 9;
	int64_t		year = era * 400 + year_of_era + (month <= 2);

	if (day < 0 || year < 1 || year > 9999)
		return 0;

	return (int32_t) (year * 10000 + month * 100 + of_year - (153 * march + 2) / 5 + 1);
}

static void
WriteDigits(uint8_t *digits, int32_t number)
{
	for (int i = DATE_DIGITS - 1; i >= 0; i--)
	{
		digits[i] = '0' + number % 10;
		number /= 10;
	}
}

/*
 * Get the number of digits to replace, or neighbouring ones to swap
 */
int
DateDigitsDistance(int32_t a, int32_t b)
{
	uint8_t		x[DATE_DIGITS];
	uint8_t		y[DATE_DIGITS];
	int			distance[DATE_DIGITS + 1];

	if (a == 0 || b == 0)
		return DATE_DIGITS;

	WriteDigits(x, a);
	WriteDigits(y, b);

	distance[0] = 0;
	for (int i = 0; i < DATE_DIGITS; i++)
	{
		distance[i + 1] = distance[i] + (x[i] != y[i]);
		if (i > 0 && x[i] == y[i - 1] && x[i - 1] == y[i] && distance[i - 1] + 1 < distance[i + 1])
			distance[i + 1] = distance[i - 1] + 1;
	}

	return distance[DATE_DIGITS];
}

/*
 * Check whether two dates differ by day and month having changed places
 */
bool
DateTransposed(int32_t a, int32_t b)
{
	int			month = a / 100 % 100;
	int			day = a % 100;

	return a != 0 && a != b && a / 10000 == b / 10000 && month == b % 100 && day == b / 100 % 100;
}

/*
 * Get how many of year, month and day are equal
 */
int
DatePartsEqual(int32_t a, int32_t b)
{
	if (a == 0 || b == 0)
		return 0;

	return (a / 10000 == b / 10000) + (a / 100 % 100 == b / 100 % 100) + (a % 100 == b % 100);
}

/*
 * Get the similarity of two numbers
 */
double
NumberSimilarity(double a, double b)
{
	double		larger = fmax(fabs(a), fabs(b));
	double		similarity;

	if (a == b || (isnan(a) && isnan(b)))
		return 1.0;
	if (isnan(a) || isnan(b) || isinf(larger))
		return 0.0;

	/* Halves, as the difference of large numbers may be infinite */
	similarity = 1.0 - fabs(a / 2.0 - b / 2.0) / larger * 2.0;
	return similarity > 0.0 ? similarity : 0.0;
}

/*
 * Write the digits of a telephone number up to its extension; returns how many
 */
static int
PhoneDigits(uint8_t *digits, const CompareText *text)
{
	int			n = 0;

	for (int i = 0; i < text->length && n < PHONE_DIGITS; i++)
	{
		uint32_t	c = CharacterAt(text, i);

		if (c >= '0' && c <= '9')
			digits[n++] = c;
		else if (n > 0 && (c == ';' || (c | 0x20) == 'x' || (c | 0x20) == 'e'))
			break;
	}

	return n;
}

/*
 * Check whether a number is the end of another one, trunk prefixes and
 * international prefixes left out
 */
static bool
EndsWithNumber(const uint8_t *digits, int length, const uint8_t *end, int endlength)
{
	while (endlength > 0 && *end == '0')
	{
		end++;
		endlength--;
	}

	return endlength >= PHONE_SUFFIX && endlength <= length &&
		memcmp(digits + length - endlength, end, endlength) == 0;
}

/*
 * Get the similarity of two telephone numbers
 */
double
PhoneSimilarity(const CompareText *a, const CompareText *b)
{
	uint8_t		x[PHONE_DIGITS];
	uint8_t		y[PHONE_DIGITS];
	CompareText xdigits = {.length = PhoneDigits(x, a), .bytes = x};
	CompareText ydigits = {.length = PhoneDigits(y, b), .bytes = y};
	int			longer = xdigits.length > ydigits.length ? xdigits.length : ydigits.length;

	if (longer == 0)
		return SameText(a, b) ? 1.0 : 0.0;
	if (EndsWithNumber(x, xdigits.length, y, ydigits.length) ||
		EndsWithNumber(y, ydigits.length, x, xdigits.length))
		return 1.0;

	return 1.0 - (double) OptimalStringAlignment(&xdigits, &ydigits) / longer;
}

/*
 * Take an address apart at its last at sign; one without it is a local part
 */
static void
SplitAddress(const CompareText *text, CompareText *local, CompareText *domain)
{
	int			at = text->length - 1;

	while (at >= 0 && CharacterAt(text, at) != '@')
		at--;
	if (at < 0)
		at = text->length;

	*local = SubText(text, 0, at);
	*domain = SubText(text, at < text->length ? at + 1 : at, at < text->length ? text->length - at - 1 : 0);
}

/*
 * Get the similarity of two e-mail addresses: that of what is before the at
 * sign, times that of what is behind it
 */
double
EmailSimilarity(const CompareText *a, const CompareText *b)
{
	CompareText alocal;
	CompareText adomain;
	CompareText blocal;
	CompareText bdomain;

	SplitAddress(a, &alocal, &adomain);
	SplitAddress(b, &blocal, &bdomain);

	return JaroWinkler(&alocal, &blocal) * JaroWinkler(&adomain, &bdomain);
}
