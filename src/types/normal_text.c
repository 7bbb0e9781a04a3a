/*
 * Order, equality and hash of types that hold a normal form as text: equal
 * values have equal bytes, so bytes are all that is compared, in every locale.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "lib/hyperloglog.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "types/normal_text.h"
#include "utils/builtins.h"
#include "utils/sortsupport.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* Rows between two looks at whether abbreviated keys tell values apart */
#define ABBREVIATE_CHECK_ROWS	10000

typedef struct NormalTextSortState
{
	NormalTextAbbreviate abbreviate;
	int64		rows;
	bool		estimating;
	hyperLogLogState keys;
} NormalTextSortState;

/*
 * Compare the bytes of two values
 */
static inline int
CompareBytes(const char *a, int alen, const char *b, int blen)
{
	int			cmp = memcmp(a, b, Min(alen, blen));

	if (cmp != 0)
		return cmp;

	return alen < blen ? -1 : (alen > blen ? 1 : 0);
}

/*
 * Compare the two arguments of a function
 */
static int
CompareArguments(FunctionCallInfo fcinfo)
{
	text	   *a = PG_GETARG_TEXT_PP(0);
	text	   *b = PG_GETARG_TEXT_PP(1);
	int			cmp = CompareBytes(VARDATA_ANY(a), VARSIZE_ANY_EXHDR(a),
								   VARDATA_ANY(b), VARSIZE_ANY_EXHDR(b));

	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);

	return cmp;
}

/*
 * Check whether the two arguments of a function are equal
 */
static bool
EqualArguments(FunctionCallInfo fcinfo)
{
	text	   *a = PG_GETARG_TEXT_PP(0);
	text	   *b = PG_GETARG_TEXT_PP(1);
	int			len = VARSIZE_ANY_EXHDR(a);
	bool		equal = false;

	if (len == VARSIZE_ANY_EXHDR(b))
		equal = memcmp(VARDATA_ANY(a), VARDATA_ANY(b), len) == 0;

	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);

	return equal;
}

/*
 * Less than
 */
PG_FUNCTION_INFO_V1(normal_text_lt);
Datum
normal_text_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(CompareArguments(fcinfo) < 0);
}

/*
 * Less than or equal
 */
PG_FUNCTION_INFO_V1(normal_text_le);
Datum
normal_text_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(CompareArguments(fcinfo) <= 0);
}

/*
 * Equal
 */
PG_FUNCTION_INFO_V1(normal_text_eq);
Datum
normal_text_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(EqualArguments(fcinfo));
}

/*
 * Not equal
 */
PG_FUNCTION_INFO_V1(normal_text_ne);
Datum
normal_text_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(!EqualArguments(fcinfo));
}

/*
 * Greater than or equal
 */
PG_FUNCTION_INFO_V1(normal_text_ge);
Datum
normal_text_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(CompareArguments(fcinfo) >= 0);
}

/*
 * Greater than
 */
PG_FUNCTION_INFO_V1(normal_text_gt);
Datum
normal_text_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(CompareArguments(fcinfo) > 0);
}

/*
 * Compare for btree
 */
PG_FUNCTION_INFO_V1(normal_text_cmp);
Datum
normal_text_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(CompareArguments(fcinfo));
}

/*
 * Get the hash value
 */
PG_FUNCTION_INFO_V1(normal_text_hash);
Datum
normal_text_hash(PG_FUNCTION_ARGS)
{
	text	   *a = PG_GETARG_TEXT_PP(0);
	Datum		result = hash_any((unsigned char *) VARDATA_ANY(a), VARSIZE_ANY_EXHDR(a));

	PG_FREE_IF_COPY(a, 0);

	return result;
}

/*
 * Get the 64-bit hash value with a seed
 */
PG_FUNCTION_INFO_V1(normal_text_hash_extended);
Datum
normal_text_hash_extended(PG_FUNCTION_ARGS)
{
	text	   *a = PG_GETARG_TEXT_PP(0);
	Datum		result = hash_any_extended((unsigned char *) VARDATA_ANY(a), VARSIZE_ANY_EXHDR(a),
										   PG_GETARG_INT64(1));

	PG_FREE_IF_COPY(a, 0);

	return result;
}

/*
 * Convert to text, which the value is already
 */
PG_FUNCTION_INFO_V1(normal_text_out);
Datum
normal_text_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(TextDatumGetCString(PG_GETARG_DATUM(0)));
}

/*
 * Convert to external binary format, that of text
 */
PG_FUNCTION_INFO_V1(normal_text_send);
Datum
normal_text_send(PG_FUNCTION_ARGS)
{
	text	   *a = PG_GETARG_TEXT_PP(0);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendtext(&buf, VARDATA_ANY(a), VARSIZE_ANY_EXHDR(a));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/*
 * Compare two values in a sort
 */
static int
CompareSort(Datum x, Datum y, SortSupport ssup)
{
	text	   *a = DatumGetTextPP(x);
	text	   *b = DatumGetTextPP(y);
	int			cmp = CompareBytes(VARDATA_ANY(a), VARSIZE_ANY_EXHDR(a),
								   VARDATA_ANY(b), VARSIZE_ANY_EXHDR(b));

	/* A sort may hold one context for long: leave no copies in it */
	if ((Pointer) a != DatumGetPointer(x))
		pfree(a);
	if ((Pointer) b != DatumGetPointer(y))
		pfree(b);

	return cmp;
}

/*
 * Make an abbreviated key, and count how many different ones there are
 */
static Datum
AbbreviateSort(Datum original, SortSupport ssup)
{
	NormalTextSortState *state = ssup->ssup_extra;
	text	   *a = DatumGetTextPP(original);
	Datum		key = state->abbreviate(VARDATA_ANY(a), VARSIZE_ANY_EXHDR(a));

	state->rows++;
	if (state->estimating)
		addHyperLogLog(&state->keys, DatumGetUInt32(hash_any((unsigned char *) &key, sizeof(key))));

	if ((Pointer) a != DatumGetPointer(original))
		pfree(a);

	return key;
}

/*
 * Give abbreviated keys up when most of them are the same
 */
static bool
AbbreviateAbort(int memtupcount, SortSupport ssup)
{
	NormalTextSortState *state = ssup->ssup_extra;
	double		different;

	if (memtupcount < ABBREVIATE_CHECK_ROWS || state->rows < ABBREVIATE_CHECK_ROWS || !state->estimating)
		return false;

	different = estimateHyperLogLog(&state->keys);

	/* Enough to pay for the rest of the sort: stop counting */
	if (different > 100000.0)
	{
		state->estimating = false;
		return false;
	}

	return different < (double) state->rows / 2000.0 + 0.5;
}

/*
 * Set up a sort
 */
void
NormalTextSortSupport(SortSupport ssup, NormalTextAbbreviate abbreviate)
{
	ssup->comparator = CompareSort;

	if (ssup->abbreviate)
	{
		MemoryContext old = MemoryContextSwitchTo(ssup->ssup_cxt);
		NormalTextSortState *state = palloc(sizeof(NormalTextSortState));

		state->abbreviate = abbreviate;
		state->rows = 0;
		state->estimating = true;
		initHyperLogLog(&state->keys, 10);

		ssup->ssup_extra = state;
		ssup->comparator = ssup_datum_unsigned_cmp;
		ssup->abbrev_converter = AbbreviateSort;
		ssup->abbrev_abort = AbbreviateAbort;
		ssup->abbrev_full_comparator = CompareSort;

		MemoryContextSwitchTo(old);
	}
}

/*
 * Get the part of a refused value that an error shows, whole characters of it
 */
const char *
NormalTextClip(const char *data, int len)
{
	int			clipped = len > NORMAL_TEXT_CLIP ? pg_mbcliplen(data, len, NORMAL_TEXT_CLIP) : len;

	return psprintf("%.*s%s", clipped, data, clipped < len ? "..." : "");
}
