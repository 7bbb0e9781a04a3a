#ifndef LEAD_MGMT_PERSON_H
#define LEAD_MGMT_PERSON_H

/*
 * Words with a meaning in names of persons, folded. Shared by the files of
 * this room only.
 */
#include "normalise/words.h"

/* What a word before or after a name may be */
#define TITLE_SURE		0x0001	/* a title wherever it stands in front */
#define TITLE_FULL		0x0002	/* a title before a full name only: a name too */
#define TITLE_AFTER		0x0004	/* part of a title when it follows one: med.,
								 * rer. nat. */
#define TITLE_GIVEN		0x0008	/* goes before a given name alone: Sir, Chị */
#define TITLE_VIETNAMESE	0x0010	/* without its accents, also a Vietnamese
									 * name */
#define SUFFIX_SURE		0x0020
#define SUFFIX_COMMA	0x0040	/* only after a comma: a name too */
#define BORN_NAME		0x0080	/* what follows is an earlier family name */
#define TITLE_AND		0x0100	/* Mr and Mrs */

/* What a word within a name may be */
#define PARTICLE		0x0001	/* begins a family name */
#define PARTICLE_LOWER	0x0002	/* does so in lower case only: a name too */
#define PARTICLE_JOINED	0x0004	/* never begins one, but is written with what
								 * follows */
#define FAMILY_VIETNAMESE	0x0008	/* a Vietnamese family name and little
									 * else */
#define FAMILY_VIETNAMESE_ALSO	0x0010	/* one among other things */
#define MIDDLE_VIETNAMESE	0x0020
#define FAMILY_KOREAN	0x0040
#define FAMILY_CHINESE	0x0080

/* A word as it was written, with what its fold may be */
typedef struct NameToken
{
	const char *chars;
	int			len;
	int			segment;		/* commas before it */
	int			title;			/* TITLE_…, SUFFIX_… */
	int			role;			/* PARTICLE, FAMILY_… */
	int			letters;
	bool		capitals;		/* no lower case letter */
	bool		lower;			/* begins in lower case */
	bool		ascii;
	bool		patronymic;
	bool		initial;		/* one letter, with a dot or without */
	bool		dot;			/* ends with one */
	bool		east_asian;
	bool		vietnamese;		/* has a letter that only Vietnamese has */
	bool		given_hyphen;	/* Min-jun: lower case after a hyphen */
} NameToken;

typedef struct NameTokens
{
	NameToken  *tokens;
	int			count;
	int			size;
} NameTokens;

/* person_words.c */
extern int	TitleOf(const char *word, int len);
extern int	NameRoleOf(const char *word, int len);
extern bool IsPatronymic(const char *word, int len);
extern bool IsVietnameseTitle(const char *word, int len);
extern bool IsEastAsian(const char *word, int len);
extern int	EastAsianHonorific(const char *name, int len);
extern int	EastAsianFamilyLength(const char *name, int len);

/* person_token.c */
extern void CutName(NameTokens *list, const char *value, int len, bool remarks);

#endif
