/*
 * A full name taken apart: title, given name, middle names, family name and
 * suffix.
 *
 * A comma decides first (Family, Given), then what the caller knows about the
 * order, then the name itself: the script it is in, capitals (DUPONT Jean),
 * a Vietnamese family name in front of a name that is Vietnamese otherwise, a
 * Korean one in front of a given name such as Min-jun, a particle in lower
 * case in front. All others are read as given name, middle names, family name.
 */
#include "postgres.h"

#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "normalise/normalise.h"
#include "normalise/person.h"
#include "normalise/words.h"
#include "utils/builtins.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* The full name taken apart last is remembered up to so many bytes */
#define REMEMBERED_BYTES 128

/*
 * Append words as they were written
 */
static void
AppendTokens(StringInfo out, const NameToken *tokens, int count)
{
	for (int i = 0; i < count; i++)
	{
		if (out->len > 0)
			appendStringInfoChar(out, ' ');
		AppendServer(out, tokens[i].chars, tokens[i].len);
	}
}

/*
 * Check whether a word is a title in front of a number of others
 */
static bool
IsTitle(const NameToken *token, int after, bool titled, bool given)
{
	const NameToken *next = token + 1;
	const NameToken *last = token + after;

	if (after == 0)
		return false;
	if (token->title & TITLE_SURE)
		return true;
	if (titled && (token->title & TITLE_AFTER) && (token->dot || token->lower))
		return true;
	if (titled && (token->title & TITLE_AND) && (next->title & TITLE_SURE))
		return after > 1;
	if (token->title & TITLE_FULL)
	{
		if (token->letters == 1)
			return after >= 2 && token->dot && !next->initial;
		return after >= 2 || given || token->dot || (token->title & TITLE_GIVEN);
	}

	return (token->title & TITLE_VIETNAMESE) && after >= 2 && !(last->role & FAMILY_VIETNAMESE) &&
		(next->role & (FAMILY_VIETNAMESE | FAMILY_VIETNAMESE_ALSO));
}

/*
 * Take the titles in front of a name, and return how many words they are
 */
static int
TakeTitles(PersonName *out, const NameToken *tokens, int count, bool given)
{
	int			titles = 0;

	while (IsTitle(&tokens[titles], count - titles - 1, titles > 0, given))
		titles++;

	AppendTokens(&out->title, tokens, titles);
	return titles;
}

/*
 * Take suffixes and titles that have a place between commas of their own, and
 * the words after "born": returns the number of words left
 */
static int
TakeSegments(PersonName *out, NameToken *tokens, int count)
{
	int			kept = 0;
	int			first_count = 0;

	while (first_count < count && tokens[first_count].segment == tokens[0].segment)
		first_count++;

	for (int i = 0; i < count;)
	{
		int			n = 0;
		bool		suffix = i > 0;
		bool		title = i > 0;

		for (; i + n < count && tokens[i + n].segment == tokens[i].segment; n++)
		{
			const NameToken *token = &tokens[i + n];

			suffix = suffix && (token->title & (first_count > 1 ? SUFFIX_SURE | SUFFIX_COMMA : SUFFIX_SURE));
			title = title && (token->title & (first_count > 1 ? TITLE_SURE | TITLE_FULL : TITLE_SURE));
		}

		if (suffix)
			AppendTokens(&out->suffix, &tokens[i], n);
		else if (title)
			AppendTokens(&out->title, &tokens[i], n);
		else
		{
			memmove(&tokens[kept], &tokens[i], n * sizeof(NameToken));
			for (int k = 0; k < n; k++)
			{
				if (kept + k >= 2 && (tokens[kept + k].title & BORN_NAME))
					return kept + k;
			}
			kept += n;
		}
		i += n;
	}

	return kept;
}

/*
 * Take the suffixes at the end of a name, and return the number of words left
 */
static int
TakeSuffixes(PersonName *out, const NameToken *tokens, int count)
{
	int			left = count;

	/* Filho and Senior are family names too, when there is no other */
	while (left > 1 && (tokens[left - 1].title & SUFFIX_SURE) && (left > 2 || tokens[left - 1].letters <= 3))
		left--;

	if (left < count)
	{
		static StringInfoData after;

		appendBinaryStringInfo(ResetScratch(&after), out->suffix.data, out->suffix.len);
		resetStringInfo(&out->suffix);
		AppendTokens(&out->suffix, tokens + left, count - left);
		if (after.len > 0)
		{
			appendStringInfoChar(&out->suffix, ' ');
			appendBinaryStringInfo(&out->suffix, after.data, after.len);
		}
	}

	return left;
}

/*
 * Check whether a word can be a particle that begins a family name
 */
static bool
IsParticle(const NameToken *token, const NameToken *next, const NameToken *last)
{
	if (token->initial || !token->ascii || !((token->role & PARTICLE) || ((token->role & PARTICLE_LOWER) && token->lower)))
		return false;

	/* Tuan Van Nguyen */
	return !(token->role & (MIDDLE_VIETNAMESE | FAMILY_VIETNAMESE_ALSO)) || token->lower ||
		next != last || !(next->role & FAMILY_VIETNAMESE);
}

/*
 * Check whether a name begins with a Vietnamese family name
 */
static bool
IsVietnamese(const NameToken *tokens, int count)
{
	const NameToken *last = &tokens[count - 1];

	/* With a middle name, even Nguyễn Văn A, who is John Doe, and Trần Văn Lê */
	if (tokens[0].role & FAMILY_VIETNAMESE)
		return (count > 2 && (tokens[1].role & MIDDLE_VIETNAMESE)) ||
			(!last->initial && !(last->role & FAMILY_VIETNAMESE));

	if (!(tokens[0].role & FAMILY_VIETNAMESE_ALSO) || (last->role & FAMILY_VIETNAMESE) || last->initial)
		return false;
	for (int i = 0; i < count; i++)
	{
		if (tokens[i].vietnamese)
			return true;
	}

	return (tokens[1].role & MIDDLE_VIETNAMESE) && (count > 2 || !(tokens[0].role & MIDDLE_VIETNAMESE));
}

/*
 * Check whether two words are a Vietnamese given name without a family name
 */
static bool
IsVietnameseGiven(const NameToken *tokens)
{
	int			families = FAMILY_VIETNAMESE | FAMILY_VIETNAMESE_ALSO;

	return (tokens[0].vietnamese || tokens[1].vietnamese) && !((tokens[0].role | tokens[1].role) & families) &&
		((tokens[0].role & MIDDLE_VIETNAMESE) || (tokens[0].title & TITLE_VIETNAMESE));
}

/*
 * Get how many words in front are a family name in capitals, and how many at
 * the end, when the others are not
 */
static void
FindCapitals(const NameToken *tokens, int count, int *front, int *end)
{
	int			others = 0;

	*front = 0;
	*end = 0;
	for (int i = 0; i < count; i++)
	{
		if (!tokens[i].capitals && tokens[i].letters > 1 && !(tokens[i].role & (PARTICLE | PARTICLE_LOWER)))
			others++;
	}
	if (others == 0)
		return;

	for (int i = 0; i < count; i++)
	{
		const NameToken *token = &tokens[i];
		bool		capitals = token->capitals && token->letters > 1 && !token->dot;

		if (!capitals && !(token->lower && IsParticle(token, token + 1, NULL)))
			break;
		if (capitals && (token->letters > 2 ||
						 (token->role & (FAMILY_VIETNAMESE | FAMILY_VIETNAMESE_ALSO | FAMILY_KOREAN | FAMILY_CHINESE |
										 PARTICLE))))
			*front = i + 1;
	}

	for (int i = count - 1; i > 0; i--)
	{
		if (tokens[i].capitals && tokens[i].letters > 1 && !tokens[i].dot)
			*end = count - i;
		else if (!tokens[i].lower || *end == 0 || !IsParticle(&tokens[i], &tokens[i + 1], NULL))
			break;
		else
			*end = count - i;
	}
}

/*
 * Get how many particles are in front
 */
static int
CountParticles(const NameToken *tokens, int count)
{
	int			particles = 0;

	while (particles < count - 1 &&
		   IsParticle(&tokens[particles], &tokens[particles + 1], &tokens[count - 1]))
		particles++;

	return particles;
}

/*
 * Find the family name of a name of two words or more; when it comes first,
 * tell how many of the words after it are middle names
 */
static void
FindFamily(const NameToken *tokens, int count, const char *order, int *from, int *to, bool *vietnamese)
{
	bool		family_first = order != NULL && strcmp(order, NAME_ORDER_FAMILY_FIRST) == 0;
	int			front;
	int			end;
	int			particles = CountParticles(tokens, count);

	*from = 0;
	*vietnamese = IsVietnamese(tokens, count);

	FindCapitals(tokens, count, &front, &end);
	if (order == NULL && front > 0 && end == 0)
	{
		*to = front;
		return;
	}
	if (order == NULL && end > 0 && front == 0)
	{
		*from = count - end;
		*to = count;
		return;
	}

	if (order == NULL)
		family_first = *vietnamese || tokens[0].east_asian ||
			((tokens[0].role & FAMILY_KOREAN) && tokens[1].given_hyphen) ||
			(count == 3 && tokens[2].patronymic) ||
			(count > 2 && particles > 0 && particles < count - 1 && tokens[0].lower);
	if (family_first)
	{
		if (tokens[0].lower && particles > 0 && particles < count - 1)
			*to = particles + 1;
		else
			*to = 1;
		return;
	}

	*vietnamese = false;
	*to = count;
	for (*from = 1; *from < count - 1; (*from)++)
	{
		const NameToken *token = &tokens[*from];

		if (IsParticle(token, token + 1, &tokens[count - 1]))
			return;
		if (token->lower && token->len == 1 && *from > 1 && (*token->chars == 'y' || *token->chars == 'e'))
		{
			(*from)--;
			return;
		}
	}
}

/*
 * Append given and middle names. A Vietnamese given name comes last; Chinese
 * and Korean names have no middle name.
 */
static void
AppendGiven(PersonName *out, const NameToken *tokens, int count, const NameToken *family, bool vietnamese, bool first)
{
	int			given = 1;

	if (vietnamese && count > 1)
	{
		AppendTokens(&out->middle, tokens, count - 1);
		AppendTokens(&out->given, tokens + count - 1, 1);
		return;
	}

	if (count > 0 && (family->east_asian ||
					  (first && count == 2 && (family->role & (FAMILY_KOREAN | FAMILY_CHINESE)))))
		given = count;
	given = Min(given, count);
	AppendTokens(&out->given, tokens, given);
	AppendTokens(&out->middle, tokens + given, count - given);
}

/*
 * Take the honorific at the end of an East Asian name, a word of its own or
 * written with it, and return how many words it was
 */
static int
TakeHonorific(PersonName *out, NameToken *tokens, int count)
{
	NameToken  *last = &tokens[count - 1];
	NameToken	honorific = *last;

	honorific.len = EastAsianHonorific(last->chars, last->len);
	if (honorific.len == 0 || (honorific.len == last->len && count == 1))
		return 0;

	honorific.chars = last->chars + last->len - honorific.len;
	AppendTokens(&out->title, &honorific, 1);
	last->len -= honorific.len;
	return last->len == 0 ? 1 : 0;
}

/*
 * Take a name of one word apart
 */
static void
ParseSingle(PersonName *out, const NameToken *token, int titles)
{
	NameToken	part = *token;
	int			family;

	if (!token->east_asian)
	{
		/* Mr. Smith, but Sir Elton and Chị Lan */
		if (titles > 0 && !(token[-1].title & TITLE_GIVEN))
			AppendTokens(&out->family, token, 1);
		else
			AppendTokens(&out->given, token, 1);
		return;
	}

	family = EastAsianFamilyLength(part.chars, part.len);
	if (family == 0)
	{
		AppendTokens(out->title.len > 0 ? &out->family : &out->given, &part, 1);
		return;
	}
	part.len = family;
	AppendTokens(&out->family, &part, 1);
	part.chars += family;
	part.len = token->len - family;
	AppendTokens(&out->given, &part, 1);
}

/*
 * Take a name of the form Family, Given apart
 */
static void
ParseInverted(PersonName *out, NameToken *tokens, int count, int family)
{
	const NameToken *given = tokens + family;
	int			given_count = count - family;
	int			titles = TakeTitles(out, given, given_count, true);
	int			particles = 0;
	int			family_count = family > 1 ? TakeSuffixes(out, tokens, family) : family;

	given += titles;
	given_count = TakeSuffixes(out, given, given_count - titles);

	/* Beethoven, Ludwig van */
	while (particles < given_count - 1 &&
		   (given[given_count - particles - 1].role & (PARTICLE | PARTICLE_LOWER)) &&
		   given[given_count - particles - 1].lower)
		particles++;
	given_count -= particles;

	AppendTokens(&out->family, given + given_count, particles);
	AppendTokens(&out->family, tokens, family_count);
	AppendGiven(out, given, given_count, tokens,
				(tokens[0].role & (FAMILY_VIETNAMESE | FAMILY_VIETNAMESE_ALSO)) &&
				(given[0].role & MIDDLE_VIETNAMESE), true);
}

/*
 * Set up the parts of a name
 */
void
InitPersonName(PersonName *name)
{
	initStringInfo(&name->title);
	initStringInfo(&name->given);
	initStringInfo(&name->middle);
	initStringInfo(&name->family);
	initStringInfo(&name->suffix);
}

/*
 * Take the words of a name apart
 */
static void
ParseTokens(PersonName *out, NameToken *tokens, int count, const char *order)
{
	int			first_count = 0;
	int			titles;
	int			from;
	int			to;
	bool		vietnamese;

	count = TakeSegments(out, tokens, count);
	if (count == 0)
		return;

	while (first_count < count && tokens[first_count].segment == tokens[0].segment)
		first_count++;
	titles = TakeTitles(out, tokens, first_count, false);
	tokens += titles;
	count -= titles;
	first_count -= titles;

	if (first_count < count)
	{
		ParseInverted(out, tokens, count, first_count);
		return;
	}

	count = TakeSuffixes(out, tokens, count);
	count -= TakeHonorific(out, tokens, count);
	if (count == 1)
	{
		ParseSingle(out, tokens, titles);
		return;
	}
	if (count == 2 && order == NULL && IsVietnameseGiven(tokens))
	{
		AppendTokens(&out->given, tokens, count);
		return;
	}

	FindFamily(tokens, count, order, &from, &to, &vietnamese);
	AppendTokens(&out->family, tokens + from, to - from);
	if (from == 0)
		AppendGiven(out, tokens + to, count - to, tokens, vietnamese, true);
	else
		AppendGiven(out, tokens, from, tokens + from, false, false);
}

/*
 * Take a full name apart
 */
void
ParsePersonName(PersonName *out, const char *value, int len, const char *order)
{
	static NameTokens list;
	char	   *utf8 = unconstify(char *, value);

	resetStringInfo(&out->title);
	resetStringInfo(&out->given);
	resetStringInfo(&out->middle);
	resetStringInfo(&out->family);
	resetStringInfo(&out->suffix);

	if (GetDatabaseEncoding() != PG_UTF8 && GetDatabaseEncoding() != PG_SQL_ASCII)
		utf8 = pg_server_to_any(value, len, PG_UTF8);
	if (utf8 != value)
		len = strlen(utf8);

	CutName(&list, utf8, len, false);
	if (list.count == 0)
		CutName(&list, utf8, len, true);
	ParseTokens(out, list.tokens, list.count, order);

	if (utf8 != value)
		pfree(utf8);
}

/*
 * Take a full name apart.  The given name, the family name and the key of one
 * full name are mostly asked for one after the other, so that the last one is
 * remembered.
 */
const PersonName *
PersonNameParts(const char *value, int len)
{
	static PersonName name;
	static char last[REMEMBERED_BYTES];
	static int	last_len = -1;

	if (len == last_len && memcmp(value, last, len) == 0)
		return &name;
	last_len = -1;				/* should there be an error */
	ResetScratch(&name.title);
	ResetScratch(&name.given);
	ResetScratch(&name.middle);
	ResetScratch(&name.family);
	ResetScratch(&name.suffix);
	ParsePersonName(&name, value, len, NULL);
	if (len <= REMEMBERED_BYTES)
	{
		memcpy(last, value, len);
		last_len = len;
	}
	return &name;
}

/*
 * Take a full name apart
 */
PG_FUNCTION_INFO_V1(parse_person_name);
Datum
parse_person_name(PG_FUNCTION_ARGS)
{
	PersonName	name;
	StringInfo	parts[] = {&name.title, &name.given, &name.middle, &name.family, &name.suffix};
	TupleDesc	tupdesc = fcinfo->flinfo->fn_extra;
	Datum		values[lengthof(parts)];
	bool		nulls[lengthof(parts)];
	text	   *value;
	const char *order = NULL;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();

	if (tupdesc == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);

		if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE || tupdesc->natts != lengthof(parts))
			elog(ERROR, "parse_person_name must return lead_mgmt.person_name");
		tupdesc = BlessTupleDesc(tupdesc);
		MemoryContextSwitchTo(old);
		fcinfo->flinfo->fn_extra = tupdesc;
	}

	value = PG_GETARG_TEXT_PP(0);
	if (!PG_ARGISNULL(1))
		order = PG_GETARG_BOOL(1) ? NAME_ORDER_FAMILY_FIRST : NAME_ORDER_GIVEN_FIRST;

	InitPersonName(&name);
	ParsePersonName(&name, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), order);

	for (int i = 0; i < lengthof(parts); i++)
	{
		nulls[i] = parts[i]->len == 0;
		values[i] = nulls[i] ? (Datum) 0 : PointerGetDatum(cstring_to_text_with_len(parts[i]->data, parts[i]->len));
	}

	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(tupdesc, values, nulls)));
}
