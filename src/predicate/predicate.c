#include "postgres.h"

#include "fmgr.h"
#include "libpq/pqformat.h"
#include "parser/scansup.h"
#include "predicate/predicate.h"
#include "utils/builtins.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/*
 * Check what can be known without a row type and return the predicate with
 * the white space around it removed
 */
static text *
MakePredicate(const char *source, int len)
{
	char	   *trimmed;

	while (len > 0 && scanner_isspace(source[len - 1]))
		len--;

	while (len > 0 && scanner_isspace(*source))
	{
		source++;
		len--;
	}

	trimmed = pnstrdup(source, len);
	(void) PredicateParse(trimmed);

	return cstring_to_text_with_len(trimmed, len);
}

/*
 * Convert textual representation to internal representation
 */
PG_FUNCTION_INFO_V1(predicate_in);
Datum
predicate_in(PG_FUNCTION_ARGS)
{
	char	   *source = PG_GETARG_CSTRING(0);

	PG_RETURN_TEXT_P(MakePredicate(source, strlen(source)));
}

/*
 * Convert internal representation to textual representation
 */
PG_FUNCTION_INFO_V1(predicate_out);
Datum
predicate_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(TextDatumGetCString(PG_GETARG_DATUM(0)));
}

/*
 * Convert external binary representation to internal representation
 */
PG_FUNCTION_INFO_V1(predicate_recv);
Datum
predicate_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			nbytes;
	char	   *source = pq_getmsgtext(buf, buf->len - buf->cursor, &nbytes);

	PG_RETURN_TEXT_P(MakePredicate(source, nbytes));
}

/*
 * Convert internal representation to external binary representation
 */
PG_FUNCTION_INFO_V1(predicate_send);
Datum
predicate_send(PG_FUNCTION_ARGS)
{
	text	   *predicate = PG_GETARG_TEXT_PP(0);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendtext(&buf, VARDATA_ANY(predicate), VARSIZE_ANY_EXHDR(predicate));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/*
 * Convert text to predicate
 */
PG_FUNCTION_INFO_V1(text_to_predicate);
Datum
text_to_predicate(PG_FUNCTION_ARGS)
{
	text	   *source = PG_GETARG_TEXT_PP(0);

	PG_RETURN_TEXT_P(MakePredicate(VARDATA_ANY(source), VARSIZE_ANY_EXHDR(source)));
}
