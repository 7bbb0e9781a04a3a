#ifndef LEAD_MGMT_GIVEN_NAMES_H
#define LEAD_MGMT_GIVEN_NAMES_H

/*
 * A formal given name with its short forms and spellings, folded, with blanks
 * between them. Shared by the files of this room only.
 */
typedef struct GivenNameGroup
{
	const char *name;
	const char *others;
} GivenNameGroup;

extern const GivenNameGroup englishNameGroups[];
extern const int englishNameGroupCount;
extern const GivenNameGroup otherNameGroups[];
extern const int otherNameGroupCount;

#endif
