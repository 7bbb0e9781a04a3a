/*
 * Comparison functions of SQL.
 */
#include "postgres.h"

#include "compare/compare.h"
#include "fmgr.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

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
