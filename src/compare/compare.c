/*
 * Comparison functions of SQL.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "compare/compare.h"
#include "fmgr.h"
#include "types/normal_text.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* Room for one character in the server's encoding */
#define CHARACTER_BYTES	4

/* A word's weight, whose square is to be summed up */
#define MAX_WEIGHT		1e6

/* Longer texts that are not ASCII are taken apart in allocated memory */
#define SCRATCH_SIZE	128

/*
 * The first two arguments of a function, which are texts
 */
typedef struct TextPair
{
	CompareText a;
	CompareText b;
	uint32		scratch[2][SCRATCH_SIZE];
} TextPair;

static inline void
GetText(CompareText *out, text *value, uint32 *scratch)
{
	CompareTextMake(out, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), scratch, SCRATCH_SIZE);
}

static inline void
GetTextPair(TextPair *pair, FunctionCallInfo fcinfo)
{
	GetText(&pair->a, PG_GETARG_TEXT_PP(0), pair->scratch[0]);
	GetText(&pair->b, PG_GETARG_TEXT_PP(1), pair->scratch[1]);
}

static int
GetGramSize(FunctionCallInfo fcinfo)
{
	int			q = PG_GETARG_INT32(2);

	if (q < 1 || q > QGRAM_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("q-grams of %d characters are not supported", q),
				 errhint("Give a size from 1 to %d.", QGRAM_MAX)));

	return q;
}

/*
 * Get the similarity of Jaro
 */
PG_FUNCTION_INFO_V1(jaro);
Datum
jaro(PG_FUNCTION_ARGS)
{
	TextPair	pair;

	GetTextPair(&pair, fcinfo);
	PG_RETURN_FLOAT8(Jaro(&pair.a, &pair.b));
}

/*
 * Get the similarity of Jaro and Winkler
 */
PG_FUNCTION_INFO_V1(jaro_winkler);
Datum
jaro_winkler(PG_FUNCTION_ARGS)
{
	TextPair	pair;

	GetTextPair(&pair, fcinfo);
	PG_RETURN_FLOAT8(JaroWinkler(&pair.a, &pair.b));
}

/*
 * Get the Levenshtein distance
 */
PG_FUNCTION_INFO_V1(levenshtein);
Datum
levenshtein(PG_FUNCTION_ARGS)
{
	TextPair	pair;

	GetTextPair(&pair, fcinfo);
	PG_RETURN_INT32(Levenshtein(&pair.a, &pair.b));
}

/*
 * Check whether the Levenshtein distance is not above a limit
 */
PG_FUNCTION_INFO_V1(levenshtein_within);
Datum
levenshtein_within(PG_FUNCTION_ARGS)
{
	TextPair	pair;
	int			limit = PG_GETARG_INT32(2);

	GetTextPair(&pair, fcinfo);
	PG_RETURN_BOOL(limit >= 0 && LevenshteinWithin(&pair.a, &pair.b, limit) <= limit);
}

/*
 * Get the optimal string alignment distance
 */
PG_FUNCTION_INFO_V1(optimal_string_alignment);
Datum
optimal_string_alignment(PG_FUNCTION_ARGS)
{
	TextPair	pair;

	GetTextPair(&pair, fcinfo);
	PG_RETURN_INT32(OptimalStringAlignment(&pair.a, &pair.b));
}

/*
 * Get the share of common q-grams
 */
PG_FUNCTION_INFO_V1(qgram_jaccard);
Datum
qgram_jaccard(PG_FUNCTION_ARGS)
{
	TextPair	pair;
	int			q = GetGramSize(fcinfo);

	GetTextPair(&pair, fcinfo);
	PG_RETURN_FLOAT8(QgramJaccard(&pair.a, &pair.b, q));
}

/*
 * Get the cosine of the q-gram counts
 */
PG_FUNCTION_INFO_V1(qgram_cosine);
Datum
qgram_cosine(PG_FUNCTION_ARGS)
{
	TextPair	pair;
	int			q = GetGramSize(fcinfo);

	GetTextPair(&pair, fcinfo);
	PG_RETURN_FLOAT8(QgramCosine(&pair.a, &pair.b, q));
}

/*
 * Get the Damerau-Levenshtein distance
 */
PG_FUNCTION_INFO_V1(damerau_levenshtein);
Datum
damerau_levenshtein(PG_FUNCTION_ARGS)
{
	TextPair	pair;

	GetTextPair(&pair, fcinfo);
	PG_RETURN_INT32(DamerauLevenshtein(&pair.a, &pair.b));
}

/*
 * Get the edit distance in which neighbouring keys cost half
 */
PG_FUNCTION_INFO_V1(keyboard_distance);
Datum
keyboard_distance(PG_FUNCTION_ARGS)
{
	TextPair	pair;
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(2));
	Keyboard	keyboard;

	if (strcmp(name, "qwerty") == 0)
		keyboard = KEYBOARD_QWERTY;
	else if (strcmp(name, "qwertz") == 0)
		keyboard = KEYBOARD_QWERTZ;
	else if (strcmp(name, "azerty") == 0)
		keyboard = KEYBOARD_AZERTY;
	else
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown keyboard layout \"%s\"", name),
				 errhint("Layouts are qwerty, qwertz and azerty.")));

	GetTextPair(&pair, fcinfo);
	PG_RETURN_FLOAT8(KeyboardDistance(&pair.a, &pair.b, keyboard));
}

/*
 * Divide by the length of the shorter text
 */
static double
ShareOfShorter(const TextPair *pair, int common)
{
	int			shorter = Min(pair->a.length, pair->b.length);

	if (shorter == 0)
		return pair->a.length == pair->b.length ? 1.0 : 0.0;

	return (double) common / shorter;
}

/*
 * Get the share of the shorter text that both begin with
 */
PG_FUNCTION_INFO_V1(prefix_similarity);
Datum
prefix_similarity(PG_FUNCTION_ARGS)
{
	TextPair	pair;

	GetTextPair(&pair, fcinfo);
	PG_RETURN_FLOAT8(ShareOfShorter(&pair, CommonPrefix(&pair.a, &pair.b)));
}

/*
 * Get the share of the shorter text that both have in one piece
 */
PG_FUNCTION_INFO_V1(substring_similarity);
Datum
substring_similarity(PG_FUNCTION_ARGS)
{
	TextPair	pair;

	GetTextPair(&pair, fcinfo);
	PG_RETURN_FLOAT8(ShareOfShorter(&pair, CommonSubstring(&pair.a, &pair.b)));
}

/*
 * Get the words of a text
 */
PG_FUNCTION_INFO_V1(words);
Datum
words(PG_FUNCTION_ARGS)
{
	CompareText whole;
	CompareText *parts = palloc(WORDS_MAX * sizeof(CompareText));
	Datum	   *values = palloc(WORDS_MAX * sizeof(Datum));
	uint32		scratch[SCRATCH_SIZE];
	int			n;

	GetText(&whole, PG_GETARG_TEXT_PP(0), scratch);
	n = SplitIntoWords(&whole, parts, WORDS_MAX);

	for (int i = 0; i < n; i++)
	{
		char	   *bytes = palloc((Size) parts[i].length * CHARACTER_BYTES);
		int			len = CompareTextWrite(&parts[i], bytes);

		values[i] = PointerGetDatum(cstring_to_text_with_len(bytes, len));
		pfree(bytes);
	}

	PG_RETURN_ARRAYTYPE_P(construct_array(values, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/*
 * Look up the weight of a word
 */
static JsonbValue *
FindWeight(Jsonb *weights, const char *word, int len, JsonbValue *value)
{
	JsonbValue *found = getKeyJsonValueFromContainer(&weights->root, word, len, value);

	if (found != NULL && found->type != jbvNumeric)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("weight of word \"%s\" is not a number", NormalTextClip(word, len)),
				 errhint("Give weights from 0 to %.0f.", MAX_WEIGHT)));

	return found;
}

static double
GetJsonWeight(const CompareText *word, void *arg)
{
	Jsonb	   *weights = arg;
	JsonbValue	value;
	char		small[SCRATCH_SIZE * CHARACTER_BYTES];
	char	   *bytes = small;
	int			len;
	double		weight = 1.0;

	if (word->length > SCRATCH_SIZE)
		bytes = palloc((Size) word->length * CHARACTER_BYTES);
	len = CompareTextWrite(word, bytes);

	if (FindWeight(weights, bytes, len, &value) != NULL || FindWeight(weights, "", 0, &value) != NULL)
		weight = DatumGetFloat8(DirectFunctionCall1(numeric_float8, NumericGetDatum(value.val.numeric)));

	if (!(weight >= 0.0) || weight > MAX_WEIGHT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("weight %g of word \"%s\" is out of range", weight, NormalTextClip(bytes, len)),
				 errhint("Give weights from 0 to %.0f.", MAX_WEIGHT)));

	if (bytes != small)
		pfree(bytes);
	return weight;
}

/*
 * Get the similarity of the words of two texts
 */
PG_FUNCTION_INFO_V1(token_similarity);
Datum
token_similarity(PG_FUNCTION_ARGS)
{
	TextPair	pair;
	Jsonb	   *weights = PG_NARGS() > 2 ? PG_GETARG_JSONB_P(2) : NULL;

	if (weights != NULL && !JB_ROOT_IS_OBJECT(weights))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("weights of words must be a JSON object"),
				 errhint("Give the weight of each word by name, and with the name \"\" that of all others.")));

	GetTextPair(&pair, fcinfo);
	PG_RETURN_FLOAT8(TokenSimilarity(&pair.a, &pair.b, weights != NULL ? GetJsonWeight : NULL, weights));
}

/*
 * Get the symmetric similarity of Monge and Elkan
 */
PG_FUNCTION_INFO_V1(monge_elkan);
Datum
monge_elkan(PG_FUNCTION_ARGS)
{
	TextPair	pair;

	GetTextPair(&pair, fcinfo);
	PG_RETURN_FLOAT8(MongeElkan(&pair.a, &pair.b));
}

/*
 * Check whether one text has initials where the other has words
 */
PG_FUNCTION_INFO_V1(initials_match);
Datum
initials_match(PG_FUNCTION_ARGS)
{
	TextPair	pair;

	GetTextPair(&pair, fcinfo);
	PG_RETURN_BOOL(InitialsMatch(&pair.a, &pair.b));
}

/*
 * Check whether one text is the acronym of the other
 */
PG_FUNCTION_INFO_V1(is_acronym);
Datum
is_acronym(PG_FUNCTION_ARGS)
{
	TextPair	pair;

	GetTextPair(&pair, fcinfo);
	PG_RETURN_BOOL(IsAcronym(&pair.a, &pair.b));
}

/*
 * Get the similarity of two telephone numbers
 */
PG_FUNCTION_INFO_V1(phone_similarity);
Datum
phone_similarity(PG_FUNCTION_ARGS)
{
	TextPair	pair;

	GetTextPair(&pair, fcinfo);
	PG_RETURN_FLOAT8(PhoneSimilarity(&pair.a, &pair.b));
}

/*
 * Get the similarity of two e-mail addresses
 */
PG_FUNCTION_INFO_V1(email_similarity);
Datum
email_similarity(PG_FUNCTION_ARGS)
{
	TextPair	pair;

	GetTextPair(&pair, fcinfo);
	PG_RETURN_FLOAT8(EmailSimilarity(&pair.a, &pair.b));
}

/*
 * Get the similarity of two numbers
 */
PG_FUNCTION_INFO_V1(number_similarity);
Datum
number_similarity(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(NumberSimilarity(PG_GETARG_FLOAT8(0), PG_GETARG_FLOAT8(1)));
}

/*
 * Get an infinite date as one out of range
 */
static inline int32
GetDateNumber(DateADT date)
{
	return DATE_NOT_FINITE(date) ? 0 : DateNumber(date);
}

/*
 * Get the number of digits in which two dates differ
 */
PG_FUNCTION_INFO_V1(date_digits_distance);
Datum
date_digits_distance(PG_FUNCTION_ARGS)
{
	DateADT		a = PG_GETARG_DATEADT(0);
	DateADT		b = PG_GETARG_DATEADT(1);

	PG_RETURN_INT32(a == b ? 0 : DateDigitsDistance(GetDateNumber(a), GetDateNumber(b)));
}

/*
 * Check whether day and month of two dates have changed places
 */
PG_FUNCTION_INFO_V1(date_transposed);
Datum
date_transposed(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(DateTransposed(GetDateNumber(PG_GETARG_DATEADT(0)),
								  GetDateNumber(PG_GETARG_DATEADT(1))));
}

/*
 * Get how many of year, month and day are equal
 */
PG_FUNCTION_INFO_V1(date_parts_equal);
Datum
date_parts_equal(PG_FUNCTION_ARGS)
{
	DateADT		a = PG_GETARG_DATEADT(0);
	DateADT		b = PG_GETARG_DATEADT(1);

	PG_RETURN_INT32(a == b ? 3 : DatePartsEqual(GetDateNumber(a), GetDateNumber(b)));
}
