/*
 * Comparing values level by level, the first level that holds being theirs.
 *
 * Each similarity is worked out once for a pair of values, whichever levels
 * ask for it.  Names may stand in each other's place: given and family name
 * are compared straight and, unless that says enough, crosswise, and what is
 * likelier counts.  A name that one record lacks is looked for in the mailbox
 * of its e-mail address.
 */
#include "postgres.h"

#include <math.h>

#include "matching/levels.h"
#include "normalise/normalise.h"
#include "types/email_core.h"

/* Words of two values count as the same from here on */
#define WORD_SIMILARITY 0.9

/* What is left of two names is alike from here on */
#define LIKE_WORD 0.75

/* A word and what is short for it */
#define SHORT_SIMILARITY 0.95

/* Longest word that is drawn together, and how many initials make a word */
#define MAX_CONTRACTED 5
#define MIN_INITIALS 2
#define MAX_INITIALS 4

/* Most that names are alike which contradict each other */
#define CONTRADICTING 0.79

/* Shortest word that is looked for inside another */
#define MIN_CONTAINED 3

/* What is worked out of two values at most once */
typedef struct ValueMemo
{
	const MatchDictionary *dictionary;
	const MatchValue *left;
	const MatchValue *right;
	CompareText left_text;
	CompareText right_text;
	double		jaro_winkler_bound;	/* negative until known, */
	double		jaro_winkler;	/* like these */
	double		qgrams;
	double		words;
	bool		contradict;		/* has each words of its own? known with words */
	int			edits;
	int			most_edits;		/* that matter */
} ValueMemo;

/* Does the Jaro-Winkler similarity reach a threshold? */
static bool
MemoJaroWinkler(ValueMemo *memo, double threshold)
{
	if (memo->jaro_winkler < 0)
	{
		/* Most pairs have too few letters in common to be worth a closer look */
		if (memo->jaro_winkler_bound < 0)
			memo->jaro_winkler_bound = JaroWinklerBound(memo->left->signature, memo->left->length,
														memo->right->signature, memo->right->length);
		if (memo->jaro_winkler_bound < threshold)
			return false;
		memo->jaro_winkler = JaroWinkler(&memo->left_text, &memo->right_text);
	}
	return memo->jaro_winkler >= threshold;
}

/* Get the number of edits, a swap of neighbours being one, as far as it matters */
static int
MemoEdits(ValueMemo *memo)
{
	if (memo->edits < 0)
	{
		memo->edits = EditDistanceBound(memo->left->signature, memo->left->length,
										memo->right->signature, memo->right->length);
		if (memo->edits <= memo->most_edits)
			memo->edits = OptimalStringAlignmentWithin(&memo->left_text, &memo->right_text, memo->most_edits);
	}
	return memo->edits;
}

/* Does a word have only small letters? */
static bool
IsLetters(const char *text, int len)
{
	for (int i = 0; i < len; i++)
		if (text[i] < 'a' || text[i] > 'z')
			return false;
	return len > 0;
}

/*
 * Is one word the other one cut short, as "constr" is, or drawn together: its
 * first and last letter and some of those between, as "mgmt" and "intl" are?
 */
static bool
IsAbbreviation(const char *left, int left_len, const char *right, int right_len)
{
	const char *shorter = left_len < right_len ? left : right;
	const char *longer = left_len < right_len ? right : left;
	int			shorter_len = Min(left_len, right_len);
	int			longer_len = Max(left_len, right_len);
	int			at = 0;

	if (shorter_len < MIN_CONTAINED || longer_len < shorter_len + 2 || *shorter != *longer)
		return false;
	if (memcmp(shorter, longer, shorter_len) == 0)
		return IsLetters(longer, longer_len);
	if (shorter_len > MAX_CONTRACTED || shorter[shorter_len - 1] != longer[longer_len - 1] ||
		!IsLetters(longer, longer_len))
		return false;
	for (int i = 0; i < longer_len && at < shorter_len; i++)
		at += longer[i] == shorter[at];
	return at == shorter_len;
}

/* Are two words the same but for a slip, or one short for the other? */
static double
WordSimilarity(const MatchDictionary *words, uint32 left, uint32 right, double threshold)
{
	const MatchValue *a = &words->values[left];
	const MatchValue *b = &words->values[right];
	CompareText left_text;
	CompareText right_text;
	double		similarity = 0;

	if (left == right)
		return 1;
	if (a->length < MIN_CONTAINED || b->length < MIN_CONTAINED)
		return 0;
	if (JaroWinklerBound(a->signature, a->length, b->signature, b->length) >= threshold)
	{
		left_text = ValueText(words, a);
		right_text = ValueText(words, b);
		similarity = JaroWinkler(&left_text, &right_text);
	}
	if (similarity < SHORT_SIMILARITY &&
		IsAbbreviation(DictionaryText(words, a), a->bytes, DictionaryText(words, b), b->bytes))
		return SHORT_SIMILARITY;
	return similarity >= threshold ? similarity : 0;
}

/*
 * List the words of a value, the initials of words that stand one after the
 * other in another value ("TM" for "Thuong Mai") spelt out as these.
 */
static int
SpellOut(const MatchDictionary *dictionary, const MatchValue *value, const MatchValue *other, uint32 *list)
{
	const uint32 *own = dictionary->tokens + value->extra;
	const uint32 *others = dictionary->tokens + other->extra;
	int			count = 0;

	for (int i = 0; i < value->token_count; i++)
	{
		const MatchValue *word = &dictionary->words->values[own[i]];
		const char *text = DictionaryText(dictionary->words, word);
		int			letters = word->bytes;
		int			from = -1;

		if (letters >= MIN_INITIALS && letters <= MAX_INITIALS && IsLetters(text, letters))
			for (int j = 0; j + letters <= other->token_count && from < 0; j++)
			{
				int			k = 0;

				while (k < letters &&
					   *DictionaryText(dictionary->words, &dictionary->words->values[others[j + k]]) == text[k])
					k++;
				from = k == letters ? j : -1;
			}
		if (from < 0)
			list[count++] = own[i];
		else
			for (int k = 0; k < letters; k++)
				list[count++] = others[from + k];
	}
	return count;
}

/* Has one of two lists a word that is nothing like any left over of the other? */
static bool
HasOwnWord(const MatchDictionary *words, const uint32 *list, int count, uint64 used, const uint32 *other,
		   int other_count, uint64 other_used)
{
	for (int i = 0; i < count; i++)
	{
		bool		is_own = (used & (UINT64CONST(1) << i)) == 0;

		for (int j = 0; j < other_count && is_own; j++)
			is_own = (other_used & (UINT64CONST(1) << j)) || WordSimilarity(words, list[i], other[j], LIKE_WORD) == 0;
		if (is_own)
			return true;
	}
	return false;
}

/*
 * Get the similarity of two sets of words: the cosine of their vectors of
 * inverse document frequencies, where similar words count as the same to the
 * degree that they are (Soft TF-IDF: Cohen, Ravikumar and Fienberg, A
 * Comparison of String Distance Metrics for Name-Matching Tasks, 2003), each
 * word being used once.  They contradict each other when each has a word of its
 * own that is nothing like any of the other's: what else is missing may have
 * been left out.
 */
static double
WordsSimilarity(const MatchDictionary *dictionary, const double *rarity, const MatchValue *left,
				const MatchValue *right, bool *contradict)
{
	uint32		a[VALUE_MAX_TOKENS * MAX_INITIALS];
	uint32		b[VALUE_MAX_TOKENS * MAX_INITIALS];
	int			a_count = SpellOut(dictionary, left, right, a);
	int			b_count = SpellOut(dictionary, right, left, b);
	uint64		a_used = 0;
	uint64		b_used = 0;
	double		left_norm = 0,
				right_norm = 0,
				shared = 0;

	for (int i = 0; i < a_count; i++)
		left_norm += rarity[a[i]] * rarity[a[i]];
	for (int j = 0; j < b_count; j++)
		right_norm += rarity[b[j]] * rarity[b[j]];
	for (int i = 0; i < a_count; i++)
	{
		int			best = -1;
		double		best_similarity = 0;

		for (int j = 0; j < b_count && best_similarity < 1; j++)
		{
			double		similarity = b_used & (UINT64CONST(1) << j) ? 0 :
				WordSimilarity(dictionary->words, a[i], b[j], WORD_SIMILARITY);

			if (similarity > best_similarity)
			{
				best_similarity = similarity;
				best = j;
			}
		}
		if (best < 0)
			continue;
		a_used |= UINT64CONST(1) << i;
		b_used |= UINT64CONST(1) << best;
		shared += best_similarity * rarity[a[i]] * rarity[b[best]];
	}
	*contradict = HasOwnWord(dictionary->words, a, a_count, a_used, b, b_count, b_used) &&
		HasOwnWord(dictionary->words, b, b_count, b_used, a, a_count, a_used);
	return left_norm > 0 && right_norm > 0 ? shared / sqrt(left_norm * right_norm) : 0;
}

/* Are all words of one value, but for slips, among the words of the other? */
static bool
IsSubset(const MatchDictionary *dictionary, const MatchValue *left, const MatchValue *right)
{
	const MatchValue *fewer = left->token_count <= right->token_count ? left : right;
	const MatchValue *more = fewer == left ? right : left;
	uint32		list[VALUE_MAX_TOKENS * MAX_INITIALS];
	int			count;

	if (fewer->token_count == 0 || fewer->length < MIN_CONTAINED)
		return false;
	count = SpellOut(dictionary, fewer, more, list);
	for (int i = 0; i < count; i++)
	{
		bool		found = false;

		for (int j = 0; j < more->token_count && !found; j++)
			found = WordSimilarity(dictionary->words, list[i], dictionary->tokens[more->extra + j],
								   WORD_SIMILARITY) > 0;
		if (!found)
			return false;
	}
	return true;
}

/*
 * Is one name that of a company and the other that of a unit of its group: all
 * words of the one and a word more that marks a unit, as Holding or Asia does?
 */
static bool
AreUnits(const MatchDictionary *dictionary, const MatchValue *left, const MatchValue *right)
{
	const MatchValue *fewer = left->token_count <= right->token_count ? left : right;
	const MatchValue *more = fewer == left ? right : left;

	for (int j = 0; j < more->token_count && fewer->token_count < more->token_count; j++)
	{
		uint32		word = dictionary->tokens[more->extra + j];
		bool		is_own = MarksUnit(dictionary->words, word);

		for (int i = 0; i < fewer->token_count && is_own; i++)
			is_own = WordSimilarity(dictionary->words, word, dictionary->tokens[fewer->extra + i], LIKE_WORD) == 0;
		if (is_own)
			return IsSubset(dictionary, fewer, more);
	}
	return false;
}

/* Is one value the first word, or all words of one, part of the other's words? */
static bool
IsPart(const MatchDictionary *dictionary, const MatchValue *left, const MatchValue *right)
{
	const char *shorter = DictionaryText(dictionary, left);
	const char *longer = DictionaryText(dictionary, right);
	int			shorter_len = left->bytes;
	int			longer_len = right->bytes;

	if (shorter_len > longer_len)
	{
		const char *text = shorter;

		shorter = longer;
		longer = text;
		shorter_len = right->bytes;
		longer_len = left->bytes;
	}
	if (shorter_len < MIN_CONTAINED || shorter_len == longer_len)
		return false;
	for (int at = 0; at + shorter_len <= longer_len; at++)
		if ((at == 0 || longer[at - 1] == ' ') &&
			(at + shorter_len == longer_len || longer[at + shorter_len] == ' ') &&
			memcmp(longer + at, shorter, shorter_len) == 0)
			return true;
	return false;
}

/* Is one name the initial of the other? */
static bool
IsInitial(const MatchDictionary *dictionary, const MatchValue *left, const MatchValue *right)
{
	const char *a = DictionaryText(dictionary, left);
	const char *b = DictionaryText(dictionary, right);

	if (left->length != 1 && right->length != 1 && !(left->bytes > 1 && a[1] == ' ') && !(right->bytes > 1 && b[1] == ' '))
		return false;
	return left->bytes > 0 && right->bytes > 0 && *a == *b;
}

/* Do two given names have a name in common that they are short for? */
static bool
ShareNickname(const MatchDictionary *dictionary, const MatchValue *left, const MatchValue *right)
{
	uint16		a[8];
	uint16		b[8];
	int			left_count = GivenNameGroups(DictionaryText(dictionary, left), left->bytes, a, lengthof(a));
	int			right_count;

	if (left_count == 0)
		return false;
	right_count = GivenNameGroups(DictionaryText(dictionary, right), right->bytes, b, lengthof(b));
	for (int i = 0; i < left_count; i++)
		for (int j = 0; j < right_count; j++)
			if (a[i] == b[j])
				return true;
	return false;
}

/* Is the short one made of the initials of the long one's words? */
static bool
IsAcronymOf(const MatchDictionary *dictionary, const MatchValue *left, const MatchValue *right)
{
	const MatchValue *acronym = left->token_count == 1 ? left : right;
	const MatchValue *words = left->token_count == 1 ? right : left;
	const char *text = DictionaryText(dictionary, acronym);

	if (acronym->token_count != 1 || words->token_count < 2 || acronym->bytes != words->token_count)
		return false;
	for (int i = 0; i < words->token_count; i++)
	{
		const MatchValue *word = &dictionary->words->values[dictionary->tokens[words->extra + i]];

		if (*DictionaryText(dictionary->words, word) != text[i])
			return false;
	}
	return true;
}

/* Does a test on two dates hold? */
static bool
DateTestHolds(LevelTest test, double threshold, ValueMemo *memo)
{
	if (test == TEST_DIGITS)
		return MemoEdits(memo) <= threshold;
	return memo->left->extra != VALUE_NO_EXTRA && memo->right->extra != VALUE_NO_EXTRA &&
		PackedDateTest(test, threshold, memo->left->extra, memo->right->extra);
}

/* Does a test on two numbers hold? */
static bool
NumberTestHolds(LevelTest test, double threshold, const ValueMemo *memo)
{
	double		left = memo->dictionary->numbers[memo->left->extra];
	double		right = memo->dictionary->numbers[memo->right->extra];
	double		largest = Max(fabs(left), fabs(right));

	if (test == TEST_DIFFERENCE)
		return fabs(left - right) <= threshold;
	return largest == 0 || fabs(left - right) <= (1 - threshold) * largest;
}

/* Write the digits of a value one after the other */
static int
CollectDigits(const MatchDictionary *dictionary, const MatchValue *value, char *digits)
{
	const char *text = DictionaryText(dictionary, value);
	int			count = 0;

	for (int i = 0; i < value->bytes; i++)
		if (isdigit((unsigned char) text[i]))
			digits[count++] = text[i];
	return count;
}

/*
 * Are the digits of two e-mail addresses the same but for so many, and some of
 * them the same, if there are any?  A number in a mailbox keeps namesakes
 * apart: another one makes another mailbox, however alike the rest.
 */
static bool
SameNumber(const ValueMemo *memo, int most_different, int least_same)
{
	char		left[VALUE_MAX_BYTES];
	char		right[VALUE_MAX_BYTES];
	int			left_count = CollectDigits(memo->dictionary, memo->left, left);
	int			right_count = CollectDigits(memo->dictionary, memo->right, right);
	int			same = 0;
	int			same_end = 0;
	int			fewer = Min(left_count, right_count);

	while (same < fewer && left[same] == right[same])
		same++;
	while (same_end < fewer - same && left[left_count - 1 - same_end] == right[right_count - 1 - same_end])
		same_end++;
	return Max(left_count, right_count) - same - same_end <= most_different &&
		(same + same_end >= least_same || left_count + right_count == 0);
}

/*
 * Are two e-mail addresses of different people of one company?  There a
 * mailbox mostly begins with an initial or a given name, and namesakes have
 * their mailboxes numbered.
 */
static bool
AreColleagues(const ValueMemo *memo)
{
	const MatchDictionary *dictionary = memo->dictionary;
	uint32		domain = dictionary->domains ? dictionary->domains[memo->left - dictionary->values] : VALUE_BLANK;
	const MatchValue *name;

	if (domain == VALUE_BLANK || domain != dictionary->domains[memo->right - dictionary->values] ||
		(*DictionaryText(dictionary, memo->left) == *DictionaryText(dictionary, memo->right) && SameNumber(memo, 2, 1)))
		return false;
	name = &dictionary->domain_names->values[domain];
	return !EmailDomainIsFree(DictionaryText(dictionary->domain_names, name), name->bytes);
}

/*
 * Are the mailboxes of two e-mail addresses similar, if these are of one
 * domain?  A long domain would make any two mailboxes of it alike.
 */
static bool
SimilarMailboxes(const PairScorer *scorer, const ModelComparison *comparison, double threshold, const ValueMemo *memo)
{
	const MatchDictionary *dictionary = memo->dictionary;
	const MatchDictionary *mailboxes;
	CompareText left;
	CompareText right;

	if (comparison->mailbox < 0 || dictionary->domains == NULL ||
		dictionary->domains[memo->left - dictionary->values] != dictionary->domains[memo->right - dictionary->values])
		return true;
	mailboxes = FieldDictionary(scorer->records, comparison->mailbox);
	left = ValueText(mailboxes, &mailboxes->values[memo->left->extra]);
	right = ValueText(mailboxes, &mailboxes->values[memo->right->extra]);
	return JaroWinkler(&left, &right) >= threshold;
}

/*
 * Are there few edits, for the length of the text?  One letter of three says
 * nothing where names are short, as in much of Asia.
 */
static bool
FewEdits(const PairScorer *scorer, const ModelComparison *comparison, double threshold, ValueMemo *memo)
{
	const ModelField *field = &scorer->model->fields[comparison->field];
	int			length = Min(memo->left->length, memo->right->length);
	int			edits = MemoEdits(memo);

	if (edits > threshold)
		return false;
	switch (field->kind)
	{
		case KIND_PHONE:
		case KIND_POSTCODE:
		case KIND_IDENTIFIER:
			return true;
		case KIND_EMAIL:
			if (comparison->mailbox >= 0)
			{
				const MatchDictionary *mailboxes = FieldDictionary(scorer->records, comparison->mailbox);

				length = Min(mailboxes->values[memo->left->extra].length, mailboxes->values[memo->right->extra].length);
			}
			if ((edits > 1 && !SameNumber(memo, 1, 0)) || AreColleagues(memo))
				return false;
			break;
		default:
			break;
	}
	return edits * LETTERS_PER_EDIT < length;
}

/* Get the similarity of the words; that of names of organisations is bounded where they contradict each other */
static double
MemoWords(const PairScorer *scorer, const ModelComparison *comparison, ValueMemo *memo)
{
	if (memo->words < 0)
	{
		memo->words = WordsSimilarity(memo->dictionary, scorer->records->word_rarity[comparison->field],
									  memo->left, memo->right, &memo->contradict);
		memo->contradict &= scorer->model->fields[comparison->field].kind == KIND_ORGANISATION;
		if (memo->contradict)
			memo->words = Min(memo->words, CONTRADICTING);
	}
	return memo->words;
}

/* Does the test of a level hold for two different values? */
static bool
TestHolds(const PairScorer *scorer, const ModelComparison *comparison, const ModelLevel *level, ValueMemo *memo)
{
	switch (level->test)
	{
		case TEST_JARO_WINKLER:
			return MemoJaroWinkler(memo, level->threshold) && !(memo->words >= 0 && memo->contradict) &&
				(scorer->model->fields[comparison->field].kind != KIND_EMAIL ||
				 (SameNumber(memo, 1, 0) && !AreColleagues(memo) &&
				  SimilarMailboxes(scorer, comparison, level->threshold, memo)));
		case TEST_EDITS:
			return FewEdits(scorer, comparison, level->threshold, memo);
		case TEST_QGRAMS:
			if (memo->qgrams < 0)
				memo->qgrams = QgramJaccard(&memo->left_text, &memo->right_text, 2);
			return memo->qgrams >= level->threshold;
		case TEST_WORDS:
			return MemoWords(scorer, comparison, memo) >= level->threshold;
		case TEST_NICKNAME:
			return ShareNickname(memo->dictionary, memo->left, memo->right);
		case TEST_INITIAL:
			return IsInitial(memo->dictionary, memo->left, memo->right);
		case TEST_PART:
			return memo->dictionary->has_words ? IsSubset(memo->dictionary, memo->left, memo->right) :
				IsPart(memo->dictionary, memo->left, memo->right);
		case TEST_UNIT:
			return memo->dictionary->has_words && AreUnits(memo->dictionary, memo->left, memo->right);
		case TEST_ACRONYM:
			return IsAcronymOf(memo->dictionary, memo->left, memo->right);
		case TEST_SAME_MAILBOX:
			return memo->left->extra == memo->right->extra && memo->left->extra != VALUE_BLANK;
		case TEST_SAME_DOMAIN:
			{
				uint32		left = memo->dictionary->domains[memo->left - memo->dictionary->values];
				uint32		right = memo->dictionary->domains[memo->right - memo->dictionary->values];

				return left == right && left != VALUE_BLANK &&
					(level->threshold == 0 || FewEdits(scorer, comparison, level->threshold, memo));
			}
		case TEST_DIGITS:
		case TEST_TRANSPOSED:
		case TEST_DATE_PARTS:
		case TEST_DAYS:
		case TEST_YEAR_SLIP:
			return DateTestHolds(level->test, level->threshold, memo);
		case TEST_RATIO:
		case TEST_DIFFERENCE:
			return NumberTestHolds(level->test, level->threshold, memo);
		case TEST_ELSE:
			return true;
		case TEST_EXACT:
		case TEST_EMAIL_NAME:
		case TEST_EMAIL_INITIAL:
		case TEST_EMAIL_OTHER:
			return false;
	}
	return false;
}

/* Get the level of two different values that are not blank */
static int
ValueLevel(PairScorer *scorer, int c, uint32 left, uint32 right)
{
	const ModelComparison *comparison = &scorer->model->comparisons[c];
	const MatchDictionary *dictionary = FieldDictionary(scorer->records, comparison->field);
	uint32	   *cached = NULL;
	uint32		pair = CachedPair(left, right);
	ValueMemo	memo;
	int			level;

	if (scorer->caches[c] && ((left | right) >> CACHED_ID_BITS) == 0)
	{
		cached = CachePlace(scorer, c, pair);
		if ((*cached & CACHED_LEVEL) != 0 && (*cached & ~CACHED_LEVEL) == CachedTag(pair))
			return (*cached & CACHED_LEVEL) - 1;
	}
	memo.dictionary = dictionary;
	memo.left = &dictionary->values[Min(left, right)];
	memo.right = &dictionary->values[Max(left, right)];
	memo.left_text = ValueText(dictionary, memo.left);
	memo.right_text = ValueText(dictionary, memo.right);
	memo.jaro_winkler_bound = memo.jaro_winkler = memo.qgrams = memo.words = -1;
	memo.contradict = false;
	memo.edits = -1;
	memo.most_edits = Min(scorer->most_edits[c], EDITS_OF_INTEREST);
	for (level = 0; level < comparison->level_count - 1; level++)
		if (TestHolds(scorer, comparison, &comparison->levels[level], &memo))
			break;
	if (cached)
		*cached = CachedTag(pair) | (level + 1);
	return level;
}

/* Look for a name in a mailbox: the whole, its initial, or neither */
static LevelTest
LookInMailbox(const MatchDictionary *names, uint32 name, const MatchDictionary *mailboxes, uint32 mailbox)
{
	const MatchValue *value = &names->values[name];
	const MatchValue *box = &mailboxes->values[mailbox];
	const char *text = DictionaryText(names, value);
	const char *in = DictionaryText(mailboxes, box);
	int			len = value->bytes;

	for (const char *space = memchr(text, ' ', len); space; space = NULL)
		len = space - text;		/* the first word of several */
	if (len >= MIN_CONTAINED)
		for (int at = 0; at + len <= box->bytes; at++)
			if (memcmp(in + at, text, len) == 0)
				return TEST_EMAIL_NAME;
	if (len > 0)
		for (int at = 0; at < box->bytes; at++)
			if (in[at] == *text && (at == 0 || !isalpha((unsigned char) in[at - 1]) ||
									at + 1 == box->bytes || !isalpha((unsigned char) in[at + 1])))
				return TEST_EMAIL_INITIAL;
	return TEST_EMAIL_OTHER;
}

/* Look for a name in a mailbox that is made of names: one with a number of more than one digit is not */
LevelTest
NameInMailbox(const MatchRecords *records, int name_field, uint32 name, int mailbox_field, uint32 mailbox)
{
	const MatchDictionary *mailboxes = FieldDictionary(records, mailbox_field);
	const MatchValue *box = &mailboxes->values[mailbox];
	const char *in = DictionaryText(mailboxes, box);
	int			digits = 0;

	for (int i = 0; i < box->bytes; i++)
		digits += isdigit((unsigned char) in[i]) != 0;
	return digits > 1 ? TEST_EMAIL_OTHER :
		LookInMailbox(FieldDictionary(records, name_field), name, mailboxes, mailbox);
}

/* Get the level of a name that one record lacks against the mailbox of its e-mail address */
static int
MailboxLevel(const PairScorer *scorer, const ModelComparison *comparison, uint32 name, uint32 mailbox)
{
	LevelTest	test = LookInMailbox(FieldDictionary(scorer->records, comparison->field), name,
									 FieldDictionary(scorer->records, comparison->mailbox), mailbox);

	for (int level = comparison->first_email_level; level < comparison->level_count; level++)
		if (comparison->levels[level].test == test)
			return level;
	return LEVEL_BLANK;
}

/* Get the level of a name against the other name, of two comparisons; either may be blank */
static int
CrossedLevel(PairScorer *scorer, int c, const uint32 *left, int left_comparison, const uint32 *right,
			 int right_comparison)
{
	uint32		a = left[scorer->model->comparisons[left_comparison].field];
	uint32		b = right[scorer->model->comparisons[right_comparison].field];
	int			level;

	if (a == VALUE_BLANK || b == VALUE_BLANK)
		return LEVEL_BLANK;
	if (a == b)
		return scorer->model->comparisons[c].equal_level;
	level = LineCrossedLevel(scorer, c, left, left_comparison, right, right_comparison);
	return level != LEVEL_UNKNOWN ? level : ValueLevel(scorer, c, a, b);
}

/* Get the level of a comparison, where a mailbox may stand in for a blank name */
static int
RecordLevel(PairScorer *scorer, int c, const uint32 *left, const uint32 *right)
{
	const ModelComparison *comparison = &scorer->model->comparisons[c];
	uint32		a = left[comparison->field];
	uint32		b = right[comparison->field];
	int			level;

	if (comparison->first_email_level >= 0 && (a == VALUE_BLANK) != (b == VALUE_BLANK))
	{
		uint32		mailbox = (a == VALUE_BLANK ? left : right)[comparison->mailbox];

		if (mailbox != VALUE_BLANK && !ShareMailbox(comparison, left, right))
			return MailboxLevel(scorer, comparison, a == VALUE_BLANK ? b : a, mailbox);
	}
	if (a == VALUE_BLANK || b == VALUE_BLANK)
		return LEVEL_BLANK;
	if (a == b)
		return comparison->equal_level;
	level = LineLevel(scorer, c, left, right, NULL);
	return level != LEVEL_UNKNOWN ? level : ValueLevel(scorer, c, a, b);
}

/* Get the weight of a level, not counting how frequent the values are */
static inline double
LevelWeight(const ModelComparison *comparison, int level)
{
	return level == LEVEL_BLANK ? 0 : comparison->levels[level].weight;
}

/* Compare given and family names, straight or crosswise, whichever is likelier */
static void
NameLevels(PairScorer *scorer, const uint32 *left, const uint32 *right, PairPattern *pattern)
{
	const MatchModel *model = scorer->model;
	const ModelComparison *given = &model->comparisons[model->given];
	const ModelComparison *family = &model->comparisons[model->family];
	int			straight_given = RecordLevel(scorer, model->given, left, right);
	int			straight_family = RecordLevel(scorer, model->family, left, right);
	int			crossed_given;
	int			crossed_family;

	pattern->levels[model->given] = straight_given;
	pattern->levels[model->family] = straight_family;
	pattern->order = 0;
	if ((straight_given != LEVEL_BLANK && given->levels[straight_given].weight > 0) ||
		(straight_family != LEVEL_BLANK && family->levels[straight_family].weight > 0))
		return;
	pattern->order = LEVEL_BLANK;
	crossed_given = CrossedLevel(scorer, model->given, left, model->given, right, model->family);
	crossed_family = CrossedLevel(scorer, model->family, left, model->family, right, model->given);
	if (crossed_given == LEVEL_BLANK && crossed_family == LEVEL_BLANK)
		return;
	if (LevelWeight(given, crossed_given) + LevelWeight(family, crossed_family) + model->swapped_weight >
		LevelWeight(given, straight_given) + LevelWeight(family, straight_family))
	{
		pattern->levels[model->given] = crossed_given;
		pattern->levels[model->family] = crossed_family;
		pattern->order = 1;
	}
}

/* Compare two records in one thing other than their names */
void
PairLevel(PairScorer *scorer, int c, const uint32 *left, const uint32 *right, PairPattern *pattern)
{
	pattern->levels[c] = RecordLevel(scorer, c, left, right);
}

/* Compare the names of two records */
void
PairNameLevels(PairScorer *scorer, const uint32 *left, const uint32 *right, PairPattern *pattern)
{
	const MatchModel *model = scorer->model;

	pattern->order = LEVEL_BLANK;
	if (model->given >= 0 && model->family >= 0)
		NameLevels(scorer, left, right, pattern);
	else if (model->given >= 0)
		pattern->levels[model->given] = RecordLevel(scorer, model->given, left, right);
	else if (model->family >= 0)
		pattern->levels[model->family] = RecordLevel(scorer, model->family, left, right);
}

/* Work out the levels of a pair that do not show from the lines */
void
PairCompleteLevels(PairScorer *scorer, const uint32 *left, const uint32 *right, PairPattern *pattern)
{
	const MatchModel *model = scorer->model;

	for (int c = 0; c < model->comparison_count; c++)
		if (pattern->levels[c] == LEVEL_UNKNOWN && c != model->given && c != model->family)
			PairLevel(scorer, c, left, right, pattern);
	PairNameLevels(scorer, left, right, pattern);
}

/* Compare two records in everything */
void
PairLevels(PairScorer *scorer, const uint32 *left, const uint32 *right, PairPattern *pattern)
{
	PairPeek(scorer, left, right, pattern);
	PairCompleteLevels(scorer, left, right, pattern);
}
