/*
 * A full name cut into words, with what each of them may be.
 */
#include "postgres.h"

#include "common/unicode_norm.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "normalise/person.h"
#include "normalise/words.h"
#include "types/types.h"
#include "utils/memutils.h"

/* Longest word looked up as a Vietnamese title, in characters */
#define VIETNAMESE_TITLE_MAX	8

/* Tokens the list has room for at first */
#define NAME_TOKENS_START	16

static bool
IsLowerLetter(uint32 c)
{
	if (c < 0x80)
		return c >= 'a' && c <= 'z';

	return ((c >= 0xDF && c < 0x250 && c != 0xF7) || (c >= 0x370 && c < 0x530) || (c >= 0x1E00 && c < 0x2000)) &&
		EmailLowerCodePoint(c) == c;
}

static bool
IsUpperLetter(uint32 c)
{
	return EmailLowerCodePoint(c) != c;
}

/*
 * Check whether a letter occurs in Vietnamese and hardly anywhere else
 */
static bool
IsVietnameseLetter(uint32 c)
{
	return c == 0x1A0 || c == 0x1A1 || c == 0x1AF || c == 0x1B0 || c == 0x110 || c == 0x111 ||
		(c >= 0x1EA0 && c <= 0x1EF9);
}

/*
 * Check whether a word is a Vietnamese title with its accents
 */
static bool
HasVietnameseTitle(const char *value, int len)
{
	pg_wchar	word[VIETNAMESE_TITLE_MAX + 1];
	pg_wchar   *composed;
	const char *end = value + len;
	char		utf8[VIETNAMESE_TITLE_MAX * MAX_MULTIBYTE_CHAR_LEN];
	int			count = 0;
	int			n = 0;

	while (value < end)
	{
		uint32		c;

		value += DecodeCodePoint(value, end, &c);
		if (c == '.')
			continue;
		if (count == VIETNAMESE_TITLE_MAX)
			return false;
		word[count++] = EmailLowerCodePoint(c);
	}
	word[count] = 0;

	composed = unicode_normalize(UNICODE_NFC, word);
	for (pg_wchar *c = composed; *c != 0; c++)
		n += EmailEncodeUtf8(*c, utf8 + n);
	pfree(composed);

	return IsVietnameseTitle(utf8, n);
}

/*
 * Find out what a word may be; false when it is punctuation only
 */
static bool
ExamineToken(NameToken *token)
{
	static StringInfoData folded;
	static StringInfoData joined;
	static WordList words;
	const char *end = token->chars + token->len;
	uint32		previous = 0;

	token->dot = end[-1] == '.';
	token->east_asian = IsEastAsian(token->chars, token->len);
	token->capitals = true;
	token->ascii = true;
	for (const char *p = token->chars; p < end;)
	{
		uint32		c;
		bool		lower;

		p += DecodeCodePoint(p, end, &c);
		lower = IsLowerLetter(c);
		if (lower || IsUpperLetter(c))
		{
			token->lower = token->lower || (lower && token->letters == 0);
			token->letters++;
			token->given_hyphen = token->given_hyphen || (lower && previous == '-');
		}
		token->capitals = token->capitals && !lower;
		token->ascii = token->ascii && c < 0x80;
		token->vietnamese = token->vietnamese || IsVietnameseLetter(c);
		previous = c;
	}
	token->capitals = token->capitals && token->letters > 0;

	FoldUtf8(ResetScratch(&folded), token->chars, token->len);
	SplitWords(&words, folded.data, folded.len);

	ResetScratch(&joined);
	for (int i = 0; i < words.count; i++)
	{
		int			title = TitleOf(words.words[i].chars, words.words[i].len);

		/* Dipl.-Ing., Dr.med. */
		if (i == 0)
			token->title = title & TITLE_SURE;
		else if (!(title & (TITLE_SURE | TITLE_AFTER)))
			token->title = 0;
		appendBinaryStringInfo(&joined, words.words[i].chars, words.words[i].len);
	}
	token->title |= TitleOf(joined.data, joined.len);
	token->role = words.count == 1 ? NameRoleOf(joined.data, joined.len) : 0;
	token->initial = token->letters == 1 && joined.len <= 2;

	token->patronymic = IsPatronymic(joined.data, joined.len);

	if ((token->title & TITLE_VIETNAMESE) && HasVietnameseTitle(token->chars, token->len))
		token->title |= TITLE_SURE;
	if (token->len == 1 && *token->chars == '&')
		token->title = TITLE_AND;

	return words.count > 0 || token->title != 0;
}

/*
 * Add a word of a name
 */
static void
AddToken(NameTokens *list, const char *value, int len, int segment)
{
	NameToken  *token;

	CHECK_FOR_INTERRUPTS();

	if (list->count == list->size)
	{
		int			size = list->size == 0 ? NAME_TOKENS_START : list->size * 2;

		if (list->tokens == NULL)
			list->tokens = MemoryContextAllocHuge(TopMemoryContext, size * sizeof(NameToken));
		else
			list->tokens = repalloc_huge(list->tokens, size * sizeof(NameToken));
		list->size = size;
	}

	token = &list->tokens[list->count++];
	memset(token, 0, sizeof(NameToken));
	token->chars = value;
	token->len = len;
	token->segment = segment;
	if (!ExamineToken(token))
		list->count--;
}

/*
 * Add a word, or the initials that it is made of: J.R.R. is three
 */
static void
AddTokens(NameTokens *list, const char *value, int len, int segment)
{
	const NameToken *token;
	int			initials = 0;

	for (int i = 0; i + 1 < len && ((value[i] >= 'A' && value[i] <= 'Z') || (value[i] >= 'a' && value[i] <= 'z')) &&
		 value[i + 1] == '.'; i += 2)
		initials++;

	AddToken(list, value, len, segment);
	if (initials < 2 || len - initials * 2 > 1)
		return;

	/* M.A. and T.S. are initials in front, also of the given names */
	token = &list->tokens[list->count - 1];
	if ((token->title & TITLE_SURE) ||
		(token->title != 0 && list->count > 1 &&
		 ((token->title & SUFFIX_SURE) || list->count > 2 || list->tokens[0].segment == segment)))
		return;

	list->count--;
	for (int i = 0; i < len; i += 2)
		AddToken(list, value + i, Min(2, len - i), segment);
}

/* What separates the words of a name */
static inline bool
IsNameSpace(uint32 c)
{
	return c <= ' ' || (c >= 0x7F && c <= 0xA0) || c == 0x1680 || (c >= 0x2000 && c <= 0x200B) ||
		c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000 || c == 0xFEFF;
}

static inline bool
IsNameComma(uint32 c)
{
	return c == ',' || c == ';' || c == 0xFF0C || c == 0x3001 || c == 0x060C;
}

/*
 * Get what closes a remark within a name, 0 when a character opens none
 */
static inline uint32
ClosingOf(uint32 c)
{
	switch (c)
	{
		case '(':
			return ')';
		case '[':
			return ']';
		case '"':
			return '"';
		case 0x201C:
		case 0x201E:
			return 0x201D;
		case 0xAB:
			return 0xBB;
		case 0xFF08:
			return 0xFF09;
		default:
			return 0;
	}
}

/*
 * Cut a name into words. What stands in brackets or quotation marks is a nick
 * name or a remark, and left out when the caller says so.
 */
void
CutName(NameTokens *list, const char *value, int len, bool remarks)
{
	const char *end = value + len;
	const char *start = NULL;
	uint32		closing = 0;
	int			segment = 0;

	if (list->tokens != NULL && list->size * sizeof(NameToken) > SCRATCH_KEEP)
	{
		pfree(list->tokens);
		list->tokens = NULL;
		list->size = 0;
	}
	list->count = 0;

	for (const char *p = value; p <= end;)
	{
		uint32		c = ' ';
		int			n = p < end ? DecodeCodePoint(p, end, &c) : 1;
		bool		bracket = ClosingOf(c) != 0 || c == ')' || c == ']' || c == 0x201D || c == 0xBB || c == 0xFF09;

		if (closing != 0)
		{
			if (c == closing || p == end)
				closing = 0;
		}
		else if (IsNameSpace(c) || IsNameComma(c) || bracket)
		{
			if (start != NULL)
				AddTokens(list, start, p - start, segment);
			start = NULL;
			if (IsNameComma(c) && list->count > 0)
				segment = list->tokens[list->count - 1].segment + 1;
			if (!remarks)
				closing = ClosingOf(c);
		}
		else if (start == NULL)
			start = p;
		p += n;
	}
}
