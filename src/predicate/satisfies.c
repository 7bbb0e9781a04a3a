#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "predicate/attempt.h"
#include "predicate/predicate.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

typedef struct PredicateKey
{
	uint64		rowid;			/* of the row type as it is at present */
	int			len;
	const char *source;
} PredicateKey;

typedef struct PredicateEntry
{
	PredicateKey key;
	uint32		hash;
	char		status;
	CompiledPredicate *pred;
} PredicateEntry;

/*
 * Hash a key
 */
static inline uint32
HashKey(PredicateKey key)
{
	return hash_combine(hash_bytes((const unsigned char *) key.source, key.len),
						murmurhash32((uint32) key.rowid));
}

/*
 * Compare keys
 */
static inline bool
KeysEqual(PredicateKey a, PredicateKey b)
{
	return a.rowid == b.rowid && a.len == b.len &&
		memcmp(a.source, b.source, a.len) == 0;
}

#define SH_PREFIX predicatehash
#define SH_ELEMENT_TYPE PredicateEntry
#define SH_KEY_TYPE PredicateKey
#define SH_KEY key
#define SH_HASH_KEY(tb, key) HashKey(key)
#define SH_EQUAL(tb, a, b) KeysEqual(a, b)
#define SH_SCOPE static inline
#define SH_STORE_HASH
#define SH_GET_HASH(tb, a) a->hash
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

struct PredicateCache
{
	MemoryContext parent;
	MemoryContext cxt;			/* the table and all it holds */
	predicatehash_hash *table;

	/* The settings that literals were read with */
	pg_tz	   *timezone;
	int			dateorder;
	int			intervalstyle;

	/* The last one found, as mostly there is but one */
	PredicateKey lastkey;
	CompiledPredicate *last;
};

/*
 * Empty a cache
 */
static void
ResetCache(PredicateCache *cache)
{
	MemoryContext oldcxt = cache->cxt;

	cache->last = NULL;
	cache->table = NULL;
	cache->cxt = NULL;

	if (oldcxt != NULL)
		MemoryContextDelete(oldcxt);

	cache->cxt = AllocSetContextCreate(cache->parent, "predicate cache",
									   ALLOCSET_DEFAULT_SIZES);
	cache->table = predicatehash_create(cache->cxt, 16, NULL);
	cache->timezone = session_timezone;
	cache->dateorder = DateOrder;
	cache->intervalstyle = IntervalStyle;
}

/*
 * Make a cache of compiled predicates
 */
PredicateCache *
PredicateCacheCreate(MemoryContext parent)
{
	PredicateCache *cache = MemoryContextAllocZero(parent, sizeof(PredicateCache));

	cache->parent = parent;
	ResetCache(cache);

	return cache;
}

/*
 * Empty a cache that has grown too big, or was filled under other settings
 */
void
PredicateCacheTrim(PredicateCache *cache)
{
	if (cache->table == NULL ||
		cache->table->members >= PREDICATE_CACHE_MAX ||
		cache->timezone != session_timezone ||
		cache->dateorder != DateOrder ||
		cache->intervalstyle != IntervalStyle)
		ResetCache(cache);
}

/*
 * Get a compiled predicate from a cache, compiling it when it is new
 */
CompiledPredicate *
PredicateCacheGet(PredicateCache *cache, const char *source, int len,
				  Oid rowtype, int32 rowtypmod)
{
	PredicateKey key;
	PredicateEntry *entry;
	CompiledPredicate *pred;
	TupleDesc	rowdesc;
	char	   *copy;
	bool		found;

	key.rowid = assign_record_type_identifier(rowtype, rowtypmod);
	key.len = len;
	key.source = source;

	if (cache->last != NULL && KeysEqual(cache->lastkey, key))
		return cache->last;

	entry = predicatehash_lookup(cache->table, key);
	if (entry == NULL)
	{
		copy = pnstrdup(source, len);
		rowdesc = lookup_rowtype_tupdesc(rowtype, rowtypmod);
		pred = PredicateCompile(copy, rowdesc, cache->cxt);
		ReleaseTupleDesc(rowdesc);
		pfree(copy);

		/* The key must live as long as the entry */
		key.source = PredicateSource(pred);
		entry = predicatehash_insert(cache->table, key, &found);
		entry->pred = pred;
	}

	cache->lastkey = entry->key;
	cache->last = entry->pred;

	return entry->pred;
}

/*
 * Check if a row satisfies a predicate
 */
PG_FUNCTION_INFO_V1(satisfies);
Datum
satisfies(PG_FUNCTION_ARGS)
{
	HeapTupleHeader header = PG_GETARG_HEAPTUPLEHEADER(0);
	text	   *condition = PG_GETARG_TEXT_PP(1);
	PredicateCache *cache = (PredicateCache *) fcinfo->flinfo->fn_extra;
	CompiledPredicate *pred;
	HeapTupleData row;
	PredicateResult result;

	if (cache == NULL)
	{
		cache = PredicateCacheCreate(fcinfo->flinfo->fn_mcxt);
		fcinfo->flinfo->fn_extra = cache;
	}
	else
		PredicateCacheTrim(cache);

	pred = PredicateCacheGet(cache, VARDATA_ANY(condition),
							 VARSIZE_ANY_EXHDR(condition),
							 HeapTupleHeaderGetTypeId(header),
							 HeapTupleHeaderGetTypMod(header));

	row.t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&row.t_self);
	row.t_tableOid = InvalidOid;
	row.t_data = header;

	result = PredicateEvalTuple(pred, &row);

	PG_FREE_IF_COPY(header, 0);
	PG_FREE_IF_COPY(condition, 1);

	if (result == PREDICATE_NULL)
		PG_RETURN_NULL();

	PG_RETURN_BOOL(result == PREDICATE_TRUE);
}

/* A call of satisfies() and its result */
typedef struct SatisfiesCall
{
	FunctionCallInfo fcinfo;
	Datum		result;
} SatisfiesCall;

/*
 * Call satisfies()
 */
static void
CallSatisfies(void *arg)
{
	SatisfiesCall *call = arg;

	call->result = satisfies(call->fcinfo);
}

/*
 * Check if a row satisfies a predicate, where an error is no answer
 */
PG_FUNCTION_INFO_V1(satisfies_or_null);
Datum
satisfies_or_null(PG_FUNCTION_ARGS)
{
	SatisfiesCall call = {fcinfo};
	ErrorData  *error = Attempt(CallSatisfies, &call);

	if (error != NULL)
	{
		if (!PredicateErrorIsLocal(error->sqlerrcode))
			ReThrowError(error);
		PG_RETURN_NULL();
	}

	return call.result;
}

/*
 * Compile a predicate for the rows of a relation
 */
static CompiledPredicate *
CompileForRelation(text *condition, Oid relid)
{
	Oid			rowtype = get_rel_type_id(relid);
	char	   *relname = get_rel_name(relid);
	CompiledPredicate *pred;
	TupleDesc	rowdesc;

	if (relname == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));

	if (!OidIsValid(rowtype))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" has no row type", relname),
				 errhint("Name a table, a view or a composite type.")));

	rowdesc = lookup_rowtype_tupdesc(rowtype, -1);
	pred = PredicateCompile(text_to_cstring(condition), rowdesc, CurrentMemoryContext);
	ReleaseTupleDesc(rowdesc);

	return pred;
}

/*
 * Put what is said about an error into one text
 */
static char *
DescribeError(ErrorData *edata)
{
	StringInfoData message;
	int			position = edata->internalpos > 0 ? edata->internalpos : edata->cursorpos;

	initStringInfo(&message);
	appendStringInfoString(&message, edata->message);

	if (position > 0)
		appendStringInfo(&message, " (at character %d)", position);
	if (edata->detail)
		appendStringInfo(&message, "\nDETAIL:  %s", edata->detail);
	if (edata->hint)
		appendStringInfo(&message, "\nHINT:  %s", edata->hint);

	return message.data;
}

/* A predicate that may not suit a relation */
typedef struct PredicateCheck
{
	text	   *condition;
	Oid			relid;
} PredicateCheck;

/*
 * Compile a predicate to see whether it suits a relation
 */
static void
TryCompile(void *arg)
{
	PredicateCheck *check = arg;

	PredicateFree(CompileForRelation(check->condition, check->relid));
}

/*
 * Get the reason why a predicate does not suit the rows of a relation
 */
PG_FUNCTION_INFO_V1(predicate_check);
Datum
predicate_check(PG_FUNCTION_ARGS)
{
	PredicateCheck check = {PG_GETARG_TEXT_PP(0), PG_GETARG_OID(1)};
	ErrorData  *error = Attempt(TryCompile, &check);

	if (error == NULL)
		PG_RETURN_NULL();
	if (!PredicateErrorIsLocal(error->sqlerrcode))
		ReThrowError(error);

	PG_RETURN_TEXT_P(cstring_to_text(DescribeError(error)));
}

/*
 * Get the columns of a relation that a predicate reads
 */
PG_FUNCTION_INFO_V1(predicate_columns);
Datum
predicate_columns(PG_FUNCTION_ARGS)
{
	text	   *condition = PG_GETARG_TEXT_PP(0);
	Oid			relid = PG_GETARG_OID(1);
	CompiledPredicate *pred = CompileForRelation(condition, relid);
	Bitmapset  *columns = PredicateColumns(pred);
	Datum	   *names = palloc(sizeof(Datum) * (bms_num_members(columns) + 1));
	int			count = 0;
	int			attnum = -1;

	while ((attnum = bms_next_member(columns, attnum)) >= 0)
		names[count++] = CStringGetTextDatum(get_attname(relid, attnum, false));

	PredicateFree(pred);

	PG_RETURN_ARRAYTYPE_P(construct_array(names, count, TEXTOID, -1, false, TYPALIGN_INT));
}
