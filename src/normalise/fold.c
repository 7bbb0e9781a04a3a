/*
 * Folding: what people see as one text becomes the same bytes.
 *
 * Each character is decomposed by the server's own tables (NFKD, UAX #15),
 * which also unifies full and half width, ligatures and superscripts; accents
 * are stripped, letters that do not decompose but are written without their
 * stroke or as two letters (đ, ø, ł, ß, æ) are spelled so, case is lowered by
 * the simple mappings of Unicode, digits of all scripts become ASCII digits,
 * apostrophes, quotation marks and dashes become ASCII, white space of all
 * kinds becomes single blanks, and what has no width is dropped. What is left
 * is composed again (NFC), so that Hangul and kana stay as they are typed.
 *
 * Stripped are the marks that a reader can do without: the accents of Latin,
 * Greek and Cyrillic (й is и, ё is е), the points of Hebrew, the vowel signs and
 * hamzas of Arabic. Kept are those that are letters of their own: the vowel
 * signs of Indic scripts, the vowels and tones of Thai, Lao and Khmer, the
 * voicing marks of kana.
 *
 * The fold of a code point is computed when it is first met, by the page of
 * 256, and kept for the session.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "common/unicode_norm.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "normalise/normalise.h"
#include "normalise/words.h"
#include "types/types.h"
#include "utils/memutils.h"

#define UNICODE_LIMIT	0x110000
#define PAGE_SIZE		256
#define PAGE_COUNT		(UNICODE_LIMIT / PAGE_SIZE)

/* Most code points one character unfolds to: U+FDFA has 18 */
#define FOLD_MAX_SEQUENCE	32

/*
 * Most marks in a row that are kept, as in the stream-safe text format of
 * UAX #15: no language has more than a few, and to order them takes the square
 * of their number
 */
#define FOLD_MAX_MARKS		30

/* Most bytes of UTF-8 brought to the server's encoding at a time */
#define CONVERT_CHUNK		8192

/*
 * What a code point folds to: a code point or, with FOLD_SEQUENCE, the place
 * of a counted sequence. FOLD_JOINS marks what may combine with its neighbours,
 * FOLD_MARK what may combine with the one before it.
 */
#define FOLD_SEQUENCE	0x80000000
#define FOLD_JOINS		0x40000000
#define FOLD_MARK		0x20000000
#define FOLD_VALUE		0x00FFFFFF

typedef struct FoldSequence
{
	uint32		c[FOLD_MAX_SEQUENCE];
	int			count;
} FoldSequence;

static uint32 *foldPages[PAGE_COUNT];
static uint32 *sequences;
static int	sequencesUsed;
static int	sequencesSize;

/* ASCII in lower case, controls as blanks */
static const char asciiFold[128] = {
	' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ',
	' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ',
	' ', '!', '"', '#', '$', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/',
	'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?',
	'@', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
	'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', '[', '\\', ']', '^', '_',
	'\'', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
	'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', '{', '|', '}', '~', ' '
};

typedef struct FoldLetter
{
	uint32		from;
	const char *to;				/* UTF-8 */
} FoldLetter;

/* What decomposition leaves alone, in lower case, in order */
static const FoldLetter foldLetters[] = {
	{0x00AB, "\""}, {0x00B4, "'"}, {0x00B5, "u"}, {0x00BB, "\""},
	{0x00DF, "ss"}, {0x00E6, "ae"}, {0x00F0, "d"}, {0x00F8, "o"}, {0x00FE, "th"},
	{0x0111, "d"}, {0x0127, "h"}, {0x0131, "i"}, {0x0138, "k"}, {0x0140, "l"}, {0x0142, "l"},
	{0x014B, "n"}, {0x0153, "oe"}, {0x0167, "t"}, {0x0180, "b"}, {0x0188, "c"},
	{0x018C, "d"}, {0x0192, "f"}, {0x0199, "k"}, {0x019A, "l"}, {0x019E, "n"},
	{0x01A5, "p"}, {0x01AB, "t"}, {0x01AD, "t"}, {0x01B4, "y"}, {0x01B6, "z"},
	{0x01DD, "e"}, {0x01E5, "g"}, {0x0225, "z"}, {0x0237, "j"}, {0x023C, "c"},
	{0x0247, "e"}, {0x0249, "j"}, {0x024B, "q"}, {0x024D, "r"}, {0x024F, "y"},
	{0x0253, "b"}, {0x0254, "o"}, {0x0256, "d"}, {0x0257, "d"}, {0x0259, "e"},
	{0x025B, "e"}, {0x0260, "g"}, {0x0261, "g"}, {0x0263, "g"}, {0x0266, "h"},
	{0x0268, "i"}, {0x0269, "i"}, {0x026A, "i"}, {0x026B, "l"}, {0x0272, "n"},
	{0x0275, "o"}, {0x027D, "r"}, {0x0288, "t"}, {0x0289, "u"}, {0x028B, "v"},
	{0x0292, "z"}, {0x02B9, "'"}, {0x02BB, "'"}, {0x02BC, "'"}, {0x02BD, "'"},
	{0x02BE, "'"}, {0x02BF, "'"}, {0x02C8, "'"},
	{0x03C2, "σ"}, {0x05BE, "-"}, {0x05F3, "'"}, {0x05F4, "\""},
	{0x0629, "ه"}, {0x0649, "ي"}, {0x0671, "ا"}, {0x06A9, "ك"},
	{0x06C1, "ه"}, {0x06CC, "ي"}, {0x06D5, "ه"},
	{0x1E9C, "s"}, {0x1E9D, "s"}, {0x1EFB, "ll"}, {0x1FFD, "'"},
	{0x2010, "-"}, {0x2011, "-"}, {0x2012, "-"}, {0x2013, "-"}, {0x2014, "-"}, {0x2015, "-"},
	{0x2018, "'"}, {0x2019, "'"}, {0x201A, "'"}, {0x201B, "'"},
	{0x201C, "\""}, {0x201D, "\""}, {0x201E, "\""}, {0x201F, "\""},
	{0x2032, "'"}, {0x2033, "\""}, {0x2035, "'"}, {0x2039, "'"}, {0x203A, "'"},
	{0x2044, "/"}, {0x2212, "-"}, {0x2215, "/"},
	{0x2C61, "l"}, {0x2C65, "a"}, {0x2C66, "t"}, {0xA78C, "'"}
};

/* Marks that are stripped, and characters that nobody sees */
static const struct
{
	uint32		first;
	uint32		last;
}			dropped[] = {
	{0x00AD, 0x00AD}, {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD},
	{0x05BF, 0x05BF}, {0x05C1, 0x05C2}, {0x05C4, 0x05C5}, {0x05C7, 0x05C7},
	{0x0610, 0x061A}, {0x061C, 0x061C}, {0x0640, 0x0640}, {0x064B, 0x065F},
	{0x0670, 0x0670}, {0x06D6, 0x06DC}, {0x06DF, 0x06E4}, {0x06E7, 0x06E8},
	{0x06EA, 0x06ED}, {0x08D3, 0x08FF}, {0x115F, 0x1160}, {0x17B4, 0x17B5},
	{0x180B, 0x180F}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x200B, 0x200F},
	{0x202A, 0x202E}, {0x2060, 0x206F}, {0x20D0, 0x20FF}, {0x3164, 0x3164},
	{0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xFEFF, 0xFEFF}, {0xFFA0, 0xFFA0},
	{0xFFF9, 0xFFFB}, {0xE0000, 0xE0FFF}
};

/* Zeros of the scripts whose decimal digits do not decompose */
static const uint32 zeros[] = {
	0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66,
	0x0CE6, 0x0D66, 0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810,
	0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0,
	0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0x104A0, 0x10D30, 0x11066, 0x110F0,
	0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0, 0x11650, 0x116C0, 0x11730, 0x118E0,
	0x11950, 0x11C50, 0x11D50, 0x11DA0, 0x16A60, 0x16AC0, 0x16B50, 0x1E140, 0x1E2F0,
	0x1E950
};

/*
 * Decode one character of valid UTF-8; one byte that cannot be part of any
 * when the text was cut within a character
 */
int
DecodeCodePoint(const char *s, const char *end, uint32 *c)
{
	int			n = EmailDecodeUtf8(s, end, c);

	if (n > 0)
		return n;

	*c = 0xFFFD;
	return 1;
}

/*
 * Append a code point as UTF-8
 */
static inline char *
PutCodePoint(char *p, uint32 c)
{
	return p + EmailEncodeUtf8(c, p);
}

static bool
IsDropped(uint32 c)
{
	int			low = 0;
	int			high = lengthof(dropped);

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (c < dropped[middle].first)
			high = middle;
		else if (c > dropped[middle].last)
			low = middle + 1;
		else
			return true;
	}

	return false;
}

static const char *
FindFoldLetter(uint32 c)
{
	int			low = 0;
	int			high = lengthof(foldLetters);

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (c < foldLetters[middle].from)
			high = middle;
		else if (c > foldLetters[middle].from)
			low = middle + 1;
		else
			return foldLetters[middle].to;
	}

	return NULL;
}

/*
 * Get the lower case of a code point, and the ASCII digit for a digit
 */
static uint32
LowerCodePoint(uint32 c)
{
	if (c < 0x0660)
		return EmailLowerCodePoint(c);

	for (int i = 0; i < lengthof(zeros) && c >= zeros[i]; i++)
	{
		if (c <= zeros[i] + 9)
			return '0' + (c - zeros[i]);
	}

	return EmailLowerCodePoint(c);
}

static bool
IsSpace(uint32 c)
{
	return c <= 0x20 || (c >= 0x7F && c <= 0xA0) || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
		c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

static inline void
AddToSequence(FoldSequence *sequence, uint32 c)
{
	if (sequence->count < FOLD_MAX_SEQUENCE)
		sequence->c[sequence->count++] = c;
}

/*
 * Add what a code point folds to, taken apart until nothing changes any more.
 * Decomposition, letters and case lead towards ASCII or stay within lower
 * case, so this ends.
 */
static void
AddFolded(FoldSequence *sequence, uint32 c)
{
	const char *letters;
	uint32		lower;
	pg_wchar	input[2] = {c, 0};
	pg_wchar   *parts;

	if (IsDropped(c))
		return;
	if (IsSpace(c))
	{
		AddToSequence(sequence, ' ');
		return;
	}

	lower = LowerCodePoint(c);
	letters = FindFoldLetter(lower);
	if (letters != NULL)
	{
		const char *end = letters + strlen(letters);

		while (letters < end)
		{
			letters += DecodeCodePoint(letters, end, &lower);
			AddToSequence(sequence, lower);
		}
		return;
	}

	parts = unicode_normalize(UNICODE_NFKD, input);
	if (parts[0] == c && parts[1] == 0)
	{
		if (lower != c)
			AddFolded(sequence, lower);
		else
			AddToSequence(sequence, c == '`' ? '\'' : c);
	}
	else
	{
		for (pg_wchar *part = parts; *part != 0; part++)
			AddFolded(sequence, *part);
	}
	pfree(parts);
}

/*
 * Check whether a code point may combine or change places with others
 */
static bool
Joins(uint32 c)
{
	/*
	 * After a mark of the highest class but one, every other mark is
	 * misplaced
	 */
	pg_wchar	alone[2] = {c, 0};
	pg_wchar	after[3] = {0x0345, c, 0};

	return unicode_is_normalized_quickcheck(UNICODE_NFC, alone) != UNICODE_NORM_QC_YES ||
		unicode_is_normalized_quickcheck(UNICODE_NFC, after) == UNICODE_NORM_QC_NO;
}

/*
 * Compute what a code point folds to
 */
static uint32
MakeFold(uint32 c)
{
	FoldSequence sequence;
	pg_wchar	input[FOLD_MAX_SEQUENCE + 1];
	pg_wchar   *composed;
	uint32		flags = 0;
	uint32		result;
	int			count = 0;

	if (c >= 0xD800 && c <= 0xDFFF)
		return c;

	sequence.count = 0;
	AddFolded(&sequence, c);

	memcpy(input, sequence.c, sequence.count * sizeof(pg_wchar));
	input[sequence.count] = 0;
	composed = unicode_normalize(UNICODE_NFC, input);
	for (; composed[count] != 0; count++)
	{
		if (composed[count] >= 0x80 && Joins(composed[count]))
			flags |= count == 0 ? FOLD_JOINS | FOLD_MARK : FOLD_JOINS;
	}

	if (count == 1)
		result = composed[0] | flags;
	else
	{
		while (sequencesUsed + count + 1 > sequencesSize)
		{
			int			size = sequencesSize == 0 ? 1024 : sequencesSize * 2;

			if (sequences == NULL)
				sequences = MemoryContextAlloc(TopMemoryContext, size * sizeof(uint32));
			else
				sequences = repalloc(sequences, size * sizeof(uint32));
			sequencesSize = size;
		}
		result = sequencesUsed | FOLD_SEQUENCE | flags;
		sequences[sequencesUsed++] = count;
		memcpy(&sequences[sequencesUsed], composed, count * sizeof(uint32));
		sequencesUsed += count;
	}
	pfree(composed);

	return result;
}

/*
 * Fill the page of 256 code points that one belongs to
 */
static pg_noinline void
MakeFoldPage(uint32 c)
{
	uint32		first = c - c % PAGE_SIZE;
	uint32	   *page = MemoryContextAlloc(TopMemoryContext, PAGE_SIZE * sizeof(uint32));

	for (int i = 0; i < PAGE_SIZE; i++)
		page[i] = first + i == 0 ? ' ' : MakeFold(first + i);
	foldPages[c / PAGE_SIZE] = page;
}

static inline uint32
GetFold(uint32 c)
{
	if (unlikely(foldPages[c / PAGE_SIZE] == NULL))
		MakeFoldPage(c);

	return foldPages[c / PAGE_SIZE][c % PAGE_SIZE];
}

/*
 * Check whether a folded character may combine with what is before it
 */
bool
CodePointJoins(uint32 c)
{
	return c >= 0x80 && (GetFold(c) & FOLD_MARK) != 0;
}

/*
 * Compose what was appended to a string from a place on
 */
static void
ComposeFrom(StringInfo out, int start)
{
	int			len = out->len - start;
	pg_wchar   *input = palloc(mul_size(len + 1, sizeof(pg_wchar)));
	pg_wchar   *composed;
	const char *s = out->data + start;
	const char *end = s + len;
	int			n = 0;
	char	   *p;

	while (s < end)
	{
		uint32		c;

		s += DecodeCodePoint(s, end, &c);
		input[n++] = c;
	}
	input[n] = 0;
	composed = unicode_normalize(UNICODE_NFC, input);

	/* Composition never makes text longer than it was decomposed */
	p = out->data + start;
	for (pg_wchar *c = composed; *c != 0; c++)
		p = PutCodePoint(p, *c);
	out->len = p - out->data;
	*p = '\0';

	pfree(composed);
	pfree(input);
}

/*
 * Fold UTF-8 text from the first character outside ASCII on
 */
static pg_noinline void
FoldBeyondAscii(StringInfo out, int start, const char *s, const char *end)
{
	bool		joins = false;
	int			marks = 0;

	while (s < end)
	{
		uint32		c;
		uint32		fold;
		uint32	   *code_points = &c;
		int			count = 1;
		char	   *p;

		CHECK_FOR_INTERRUPTS();

		if (!IS_HIGHBIT_SET(*s))
		{
			c = (unsigned char) asciiFold[(unsigned char) *s];
			s++;
			marks = 0;
		}
		else
		{
			s += DecodeCodePoint(s, end, &c);
			fold = GetFold(c);
			joins = joins || (fold & FOLD_JOINS) != 0;
			marks = fold & FOLD_MARK ? marks + 1 : 0;
			if (marks > FOLD_MAX_MARKS)
				continue;
			if (fold & FOLD_SEQUENCE)
			{
				code_points = &sequences[fold & FOLD_VALUE];
				count = *code_points++;
			}
			else
				c = fold & FOLD_VALUE;
		}

		/* Also room for what is not needed, in one check */
		if (out->len + 4 * FOLD_MAX_SEQUENCE >= out->maxlen)
			enlargeStringInfo(out, 4 * FOLD_MAX_SEQUENCE);
		p = out->data + out->len;
		for (int i = 0; i < count; i++)
		{
			if (code_points[i] != ' ')
				p = PutCodePoint(p, code_points[i]);
			else if (p > out->data + start && p[-1] != ' ')
				*p++ = ' ';
		}
		out->len = p - out->data;
	}

	if (out->len > start && out->data[out->len - 1] == ' ')
		out->len--;
	out->data[out->len] = '\0';

	if (joins)
		ComposeFrom(out, start);
}

/*
 * Fold UTF-8 text
 */
void
FoldUtf8(StringInfo out, const char *value, int len)
{
	const char *end = value + len;
	int			start = out->len;
	char	   *p;
	char		last = ' ';

	enlargeStringInfo(out, len);
	p = out->data + start;

	for (; value < end; value++)
	{
		char		c;

		if (unlikely(IS_HIGHBIT_SET(*value)))
		{
			out->len = p - out->data;
			FoldBeyondAscii(out, start, value, end);
			return;
		}

		c = asciiFold[(unsigned char) *value];
		if (c == ' ' && last == ' ')
			continue;
		*p++ = last = c;
	}

	if (last == ' ' && p > out->data + start)
		p--;
	*p = '\0';
	out->len = p - out->data;
}

static inline bool
IsAscii(const char *s, int len)
{
	for (int i = 0; i < len; i++)
	{
		if (IS_HIGHBIT_SET(s[i]))
			return false;
	}

	return true;
}

/*
 * Fold text in the server's encoding, into UTF-8. A database in SQL_ASCII says
 * nothing about bytes outside ASCII: those that are no UTF-8 are replaced.
 */
void
FoldServerToUtf8(StringInfo out, const char *value, int len)
{
	int			encoding = GetDatabaseEncoding();
	char	   *utf8;

	if (encoding == PG_UTF8 || encoding == PG_SQL_ASCII || IsAscii(value, len))
	{
		FoldUtf8(out, value, len);
		return;
	}

	utf8 = pg_server_to_any(value, len, PG_UTF8);
	FoldUtf8(out, utf8, strlen(utf8));
	pfree(utf8);
}

/*
 * Append folded text in the server's encoding. Characters that it lacks are
 * left out, and false returned: there are a few that it has but whose fold it
 * has not, such as a fraction.
 */
bool
AppendServer(StringInfo out, const char *utf8, int len)
{
	int			encoding = GetDatabaseEncoding();
	const char *end = utf8 + len;
	bool		complete = true;
	Oid			proc;

	if (encoding == PG_UTF8 || encoding == PG_SQL_ASCII || IsAscii(utf8, len))
	{
		appendBinaryStringInfo(out, utf8, len);
		return true;
	}

	proc = FindDefaultConversionProc(PG_UTF8, encoding);
	if (!OidIsValid(proc))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("default conversion function for encoding \"%s\" to \"%s\" does not exist",
						pg_encoding_to_char(PG_UTF8), pg_encoding_to_char(encoding))));

	while (utf8 < end)
	{
		int			left = pg_encoding_mbcliplen(PG_UTF8, utf8, end - utf8, CONVERT_CHUNK);
		int			room = left * MAX_CONVERSION_GROWTH + 1;
		int			done;

		CHECK_FOR_INTERRUPTS();

		enlargeStringInfo(out, room);
		done = pg_do_encoding_conversion_buf(proc, PG_UTF8, encoding,
											 (unsigned char *) unconstify(char *, utf8), left,
											 (unsigned char *) out->data + out->len, room, true);
		out->len += strlen(out->data + out->len);
		utf8 += done;
		if (done < left)
		{
			utf8 += Min(pg_utf_mblen((const unsigned char *) utf8), end - utf8);
			complete = false;
		}
	}

	return complete;
}

/*
 * Fold text in the server's encoding
 */
void
FoldText(StringInfo out, const char *value, int len)
{
	static StringInfoData utf8;
	int			encoding = GetDatabaseEncoding();

	if (encoding == PG_UTF8 || encoding == PG_SQL_ASCII || IsAscii(value, len))
	{
		FoldUtf8(out, value, len);
		return;
	}

	FoldServerToUtf8(ResetScratch(&utf8), value, len);
	AppendServer(out, utf8.data, utf8.len);
}

/*
 * Fold text
 */
PG_FUNCTION_INFO_V1(fold_text);
Datum
fold_text(PG_FUNCTION_ARGS)
{
	return KeyOfArgument(fcinfo, FoldText);
}
