/*
 * Given names that may be of one person.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "normalise/given_names.h"
#include "normalise/normalise.h"
#include "normalise/words.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* Names in all groups together, at most */
#define MAX_MEMBERSHIPS	8192

/*
 * The groups of a name are a chain of memberships: the table has the first
 */
typedef struct Membership
{
	uint16		group;
	uint16		next;			/* 0 for none */
} Membership;

static WordTable nameTable;
static Membership *memberships;

static const GivenNameGroup *
GetGroup(int group)
{
	return group < englishNameGroupCount ? &englishNameGroups[group] :
		&otherNameGroups[group - englishNameGroupCount];
}

/*
 * Make a name a member of a group
 */
static void
AddMembership(WordTable *table, Membership *chains, int *count, const char *name, int len, int group)
{
	int			first = FindInWordTable(table, name, len);

	if (*count == MAX_MEMBERSHIPS)
		elog(ERROR, "too many given names");

	chains[*count].group = group;
	chains[*count].next = Max(first, 0);
	SetInWordTable(table, name, len, (*count)++);
}

/*
 * Make the table of names
 */
static pg_noinline void
BuildTable(void)
{
	WordTable	table;
	Membership *chains = MemoryContextAlloc(TopMemoryContext, MAX_MEMBERSHIPS * sizeof(Membership));
	int			count = 1;

	InitWordTable(&table, MAX_MEMBERSHIPS);
	for (int i = 0; i < englishNameGroupCount + otherNameGroupCount; i++)
	{
		const GivenNameGroup *group = GetGroup(i);
		const char *name = group->others;
		StringInfoData key;

		initStringInfo(&key);
		GivenNameKey(&key, group->name, strlen(group->name));
		AddMembership(&table, chains, &count, MemoryContextStrdup(TopMemoryContext, key.data), key.len, i);
		pfree(key.data);

		while (*name != '\0')
		{
			int			len = strcspn(name, " ");

			AddMembership(&table, chains, &count, name, len, i);
			name += len + strspn(name + len, " ");
		}
	}

	memberships = chains;
	nameTable = table;
}

/*
 * Find the first membership of a key
 */
static int
FindMembership(const char *key, int len)
{
	char	   *utf8 = unconstify(char *, key);
	int			first;

	if (nameTable.slots == NULL)
		BuildTable();
	if (len > nameTable.max_len * MAX_MULTIBYTE_CHAR_LEN)
		return -1;

	if (GetDatabaseEncoding() != PG_UTF8 && GetDatabaseEncoding() != PG_SQL_ASCII)
		utf8 = pg_server_to_any(key, len, PG_UTF8);

	first = FindInWordTable(&nameTable, utf8, utf8 == key ? len : strlen(utf8));
	if (utf8 != key)
		pfree(utf8);
	return first;
}

static inline int
FirstWordLength(const char *key, int len)
{
	const char *blank = memchr(key, ' ', len);

	return blank == NULL ? len : blank - key;
}

/*
 * Get the groups of a given name's key
 */
int
GivenNameGroups(const char *key, int len, uint16 *groups, int max)
{
	int			first = FindMembership(key, len);
	int			count = 0;

	if (first < 0 && FirstWordLength(key, len) < len)
		first = FindMembership(key, FirstWordLength(key, len));

	for (; first > 0 && count < max; first = memberships[first].next)
		groups[count++] = memberships[first].group;

	return count;
}

/*
 * Check whether two words of given names may be of one person
 */
static bool
WordsAgree(const char *a, int alen, const char *b, int blen)
{
	uint16		agroups[GIVEN_NAME_MAX_GROUPS];
	uint16		bgroups[GIVEN_NAME_MAX_GROUPS];
	int			acount;
	int			bcount;

	if (alen == blen && memcmp(a, b, alen) == 0)
		return true;
	if (alen == 0 || blen == 0)
		return false;

	/* Initials */
	acount = pg_mblen(a);
	bcount = pg_mblen(b);
	if (acount == alen || bcount == blen)
		return acount == bcount && memcmp(a, b, acount) == 0;

	acount = GivenNameGroups(a, alen, agroups, GIVEN_NAME_MAX_GROUPS);
	if (acount == 0)
		return false;
	bcount = GivenNameGroups(b, blen, bgroups, GIVEN_NAME_MAX_GROUPS);
	for (int i = 0; i < acount; i++)
	{
		for (int k = 0; k < bcount; k++)
		{
			if (agroups[i] == bgroups[k])
				return true;
		}
	}

	return false;
}

/*
 * Check whether two keys are the same but for blanks
 */
static bool
SameWithoutBlanks(const char *a, int alen, const char *b, int blen)
{
	const char *aend = a + alen;
	const char *bend = b + blen;

	for (;;)
	{
		while (a < aend && *a == ' ')
			a++;
		while (b < bend && *b == ' ')
			b++;
		if (a == aend || b == bend)
			return a == aend && b == bend;
		if (*a++ != *b++)
			return false;
	}
}

/*
 * Check whether two keys of given names may be of one person: they are equal,
 * or have a group in common, or each word of the shorter one agrees with the
 * word of the longer one in its place
 */
bool
GivenNamesAgree(const char *a, int alen, const char *b, int blen)
{
	if (alen == 0 || blen == 0)
		return false;
	if (SameWithoutBlanks(a, alen, b, blen))
		return true;
	if (FindMembership(a, alen) >= 0 && FindMembership(b, blen) >= 0 && WordsAgree(a, alen, b, blen))
		return true;

	while (alen > 0 && blen > 0)
	{
		int			aword = FirstWordLength(a, alen);
		int			bword = FirstWordLength(b, blen);

		if (!WordsAgree(a, aword, b, bword))
			return false;
		aword = Min(aword + 1, alen);
		bword = Min(bword + 1, blen);
		a += aword;
		alen -= aword;
		b += bword;
		blen -= bword;
	}

	return true;
}

/*
 * Check whether two given names may be of one person
 */
PG_FUNCTION_INFO_V1(same_given_name);
Datum
same_given_name(PG_FUNCTION_ARGS)
{
	static StringInfoData keys[2];
	text	   *a = PG_GETARG_TEXT_PP(0);
	text	   *b = PG_GETARG_TEXT_PP(1);

	GivenNameKey(ResetScratch(&keys[0]), VARDATA_ANY(a), VARSIZE_ANY_EXHDR(a));
	GivenNameKey(ResetScratch(&keys[1]), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(b));

	PG_RETURN_BOOL(GivenNamesAgree(keys[0].data, keys[0].len, keys[1].data, keys[1].len));
}

/*
 * Add a row of a name and the formal name of its group
 */
static void
PutNickname(ReturnSetInfo *rsinfo, const char *name, int len, const char *formal)
{
	Datum		values[2];
	bool		nulls[2] = {false, false};
	StringInfoData key;

	initStringInfo(&key);
	if (AppendServer(&key, name, len))
	{
		values[0] = PointerGetDatum(cstring_to_text_with_len(key.data, key.len));
		values[1] = PointerGetDatum(cstring_to_text(formal));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	pfree(key.data);
}

/*
 * Get the groups of given names that are known
 */
PG_FUNCTION_INFO_V1(nicknames);
Datum
nicknames(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);

	for (int i = 0; i < englishNameGroupCount + otherNameGroupCount; i++)
	{
		const GivenNameGroup *group = GetGroup(i);
		const char *name = group->others;

		while (*name != '\0')
		{
			int			len = strcspn(name, " ");

			PutNickname(rsinfo, name, len, group->name);
			name += len + strspn(name + len, " ");
		}
	}

	return (Datum) 0;
}
