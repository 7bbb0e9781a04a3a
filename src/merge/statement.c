/*
 * Running the statements of a merge: those written out for the tables at hand
 * keep their plans too, as one workspace meets the same tables again and
 * again.
 */
#include "postgres.h"

#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "merge/merge.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

/* Most generated statements whose plans a session keeps */
#define MERGE_MAX_PLANS 1000

/* A generated statement and its plan */
typedef struct KeptStatement
{
	const char *text;			/* hash key */
	uint32		hash;
	char		status;
	SPIPlanPtr	plan;
	int			nargs;
	Oid			types[MERGE_MAX_ARGUMENTS];
} KeptStatement;

#define SH_PREFIX statements
#define SH_ELEMENT_TYPE KeptStatement
#define SH_KEY_TYPE const char *
#define SH_KEY text
#define SH_HASH_KEY(tb, key) hash_bytes((const unsigned char *) (key), strlen(key))
#define SH_EQUAL(tb, a, b) (strcmp((a), (b)) == 0)
#define SH_SCOPE static inline
#define SH_STORE_HASH
#define SH_GET_HASH(tb, a) (a)->hash
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

static statements_hash *statements = NULL;

static const PlanSource insert_change = {
	"INSERT INTO @workspace@.merge_change (merge_id, action, schema_name, table_name, keys, before, after, keeper)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
	8, {ARG_INT8, ARG_TEXT, ARG_TEXT, ARG_TEXT, ARG_JSONB, ARG_JSONB, ARG_JSONB, ARG_JSONB}
};

/* Get the plan of a statement; *is_kept says whether it outlives the call */
static SPIPlanPtr
PlanOf(const char *sql, int nargs, const Oid *types, bool *is_kept)
{
	KeptStatement *entry;
	SPIPlanPtr	plan;

	Assert(nargs <= MERGE_MAX_ARGUMENTS);
	if (statements == NULL)
		statements = statements_create(TopMemoryContext, 64, NULL);
	*is_kept = true;
	entry = statements_lookup(statements, sql);
	if (entry && entry->nargs == nargs && memcmp(entry->types, types, sizeof(Oid) * nargs) == 0)
		return entry->plan;
	plan = SPI_prepare_cursor(sql, nargs, (Oid *) types, CURSOR_OPT_GENERIC_PLAN);
	if (plan == NULL)
		elog(ERROR, "could not prepare a statement: %s", SPI_result_code_string(SPI_result));
	if (entry || statements->members >= MERGE_MAX_PLANS)
	{
		*is_kept = false;
		return plan;
	}
	SPI_keepplan(plan);
	{
		bool		found;

		entry = statements_insert(statements, MemoryContextStrdup(TopMemoryContext, sql), &found);
		entry->plan = plan;
		entry->nargs = nargs;
		memcpy(entry->types, types, sizeof(Oid) * nargs);
	}
	return plan;
}

/* Run a generated statement with the rights at hand; returns the number of rows processed */
static int
Execute(const char *sql, int nargs, const Oid *types, Datum *values)
{
	MemoryContext context = CurrentMemoryContext;
	bool		is_kept;
	SPIPlanPtr	plan = PlanOf(sql, nargs, types, &is_kept);
	int			result = SPI_execute_plan(plan, values, NULL, false, 0);

	if (!is_kept)
		SPI_freeplan(plan);
	MemoryContextSwitchTo(context);
	if (result < 0)
		elog(ERROR, "could not execute a statement: %s", SPI_result_code_string(result));
	return (int) SPI_processed;
}

/* Run a generated statement with the rights of a role */
int
MergeExecuteAs(Oid role, int context, const char *sql, int nargs, const Oid *types, Datum *values)
{
	WorkspaceRights rights;
	int			processed;

	GetUserIdAndSecContext(&rights.saved_user, &rights.saved_context);
	SetUserIdAndSecContext(role, context);
	processed = Execute(sql, nargs, types, values);
	WorkspaceLeave(&rights);
	return processed;
}

/*
 * Run a generated statement on a table: with the rights of the workspace's
 * owner, which are those at hand, when the table is the workspace's; with the
 * caller's when it is not.
 */
int
MergeExecute(MergeContext *ctx, const MergeTable *table, const char *sql, int nargs, const Oid *types, Datum *values)
{
	if (table->is_ours)
		return Execute(sql, nargs, types, values);
	return MergeExecuteAs(ctx->caller, ctx->caller_context, sql, nargs, types, values);
}

/* Write an operator as SQL that no search_path changes */
char *
OperatorText(Oid operator_id)
{
	HeapTuple	tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(operator_id));
	Form_pg_operator form;
	char	   *text;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator %u", operator_id);
	form = (Form_pg_operator) GETSTRUCT(tuple);
	text = psprintf("OPERATOR(%s.%s)", quote_identifier(get_namespace_name(form->oprnamespace)), NameStr(form->oprname));
	ReleaseSysCache(tuple);
	return text;
}

/* Write a value as JSON the way row_image() writes it, as SQL */
char *
MergeJson(const char *expression, Oid type)
{
	switch (getBaseType(type))
	{
		case BOOLOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case NUMERICOID:
		case TEXTOID:
		case VARCHAROID:
		case UUIDOID:
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return pstrdup(expression);
		default:
			return psprintf("(%s)::pg_catalog.text", expression);
	}
}

/* Get a JSON column of a result row, copied; 0 when it is null */
Datum
ResultJson(uint64 row, int column, bool *isnull)
{
	bool		null;
	Datum		value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &null);

	if (isnull)
		*isnull = null;
	return null ? (Datum) 0 : PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
}

/* Make an array of ids */
Datum
IdArray(const int64 *ids, int n)
{
	Datum	   *elements = palloc(sizeof(Datum) * Max(n, 1));

	for (int i = 0; i < n; i++)
		elements[i] = Int64GetDatum(ids[i]);
	return PointerGetDatum(construct_array(elements, n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* Log what a step did to rows that are given by their keys; 0 is no value */
void
LogChange(MergeContext *ctx, int64 merge_id, const char *action, const MergeTable *table,
		  Datum keys, Datum before, Datum after, Datum keeper)
{
	Datum		values[8] = {Int64GetDatum(merge_id), CStringGetTextDatum(action), (Datum) 0,
	CStringGetTextDatum(table->name), keys, before, after, keeper};
	char		nulls[9] = "        ";

	if (table->schema)
		values[2] = CStringGetTextDatum(table->schema);
	for (int i = 0; i < lengthof(values); i++)
		if (i >= 2 && values[i] == (Datum) 0)
			nulls[i] = 'n';
	WorkspaceExecute(ctx->ws, &insert_change, values, nulls);
}
