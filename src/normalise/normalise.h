#ifndef LEAD_MGMT_NORMALISE_H
#define LEAD_MGMT_NORMALISE_H

/*
 * Normal forms of names, addresses and codes, so that values which mean the
 * same are the same bytes. All of them depend on their arguments alone, never
 * on a locale, and none raises an error about a value.
 *
 * Text is in the server's encoding and need not end with a NUL. Each function
 * appends to a StringInfo of the caller, in which the text may not lie, and who
 * resets and reuses it: most values then allocate nothing. Tables and scratch
 * memory are kept for the session, at most some MB of them.
 */
#include "lib/stringinfo.h"

/* Most groups one given name belongs to */
#define GIVEN_NAME_MAX_GROUPS	16

/* How the parts of a person's name follow each other, when it is known */
#define NAME_ORDER_FAMILY_FIRST	"family_first"
#define NAME_ORDER_GIVEN_FIRST	"given_first"

/*
 * The parts of a person's name as they were written, empty where there is none
 */
typedef struct PersonName
{
	StringInfoData title;
	StringInfoData given;
	StringInfoData middle;
	StringInfoData family;
	StringInfoData suffix;
} PersonName;

/* Case, accents, width and white space made one; see fold.c for what is kept */
extern void FoldText(StringInfo out, const char *value, int len);

/* Digits of any script, as ASCII digits */
extern void DigitsKey(StringInfo out, const char *value, int len);

/* Letters and digits in upper case; ZIP+4 without its last four digits */
extern void PostcodeKey(StringInfo out, const char *value, int len);

/* One mailbox, one key, as far as its provider's rules are known */
extern void EmailKey(StringInfo out, const char *value, int len);

/* Given names: folded words without titles */
extern void GivenNameKey(StringInfo out, const char *value, int len);

/* A family name: folded, without suffixes, particles joined to what follows */
extern void FamilyNameKey(StringInfo out, const char *value, int len);

/* All words of a full name but title and suffix, in byte order */
extern void PersonNameKey(StringInfo out, const char *value, int len);

/*
 * Take a full name apart. The order is one of the two above, or NULL to
 * decide from the name itself.
 */
extern void InitPersonName(PersonName *name);
extern void ParsePersonName(PersonName *out, const char *value, int len, const char *order);

/* Take a full name apart as it decides itself; the parts stand until the next one */
extern const PersonName *PersonNameParts(const char *value, int len);

/*
 * Write the ids of the groups a given name's key belongs to and return how
 * many there are. Two names may be of one person when their groups intersect.
 * A key of several words that is in no group has the groups of its first word.
 */
extern int	GivenNameGroups(const char *key, int len, uint16 *groups, int max);

/* Whether two keys of given names may be of one person: equal, initials, short forms */
extern bool GivenNamesAgree(const char *a, int alen, const char *b, int blen);

/* A company name without legal form, article and punctuation */
extern void OrganisationNameKey(StringInfo out, const char *value, int len);

/* The canonical spelling of the legal form in a company name; false if none */
extern bool OrganisationLegalForm(StringInfo out, const char *value, int len);

/* A street address, its words spelled out */
extern void AddressKey(StringInfo out, const char *value, int len);

/* Double metaphone codes of the words, through contrib's fuzzystrmatch */
extern void PhoneticKey(StringInfo out, const char *value, int len);

#endif
