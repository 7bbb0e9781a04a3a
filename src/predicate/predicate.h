#ifndef LEAD_MGMT_PREDICATE_H
#define LEAD_MGMT_PREDICATE_H

#include "postgres.h"

#include "access/htup.h"
#include "access/tupdesc.h"
#include "executor/tuptable.h"
#include "nodes/bitmapset.h"
#include "parser/parse_node.h"
#include "utils/palloc.h"

/* The longest predicate, in bytes, and the deepest nesting of one */
#define PREDICATE_MAX_LENGTH (1024 * 1024)
#define PREDICATE_MAX_DEPTH 1000

/* Conditions that a trimmed cache, such as that of a call of satisfies(), keeps */
#define PREDICATE_CACHE_MAX 4096

/* Texts longer than this are not repeated in error messages */
#define PREDICATE_MAX_QUOTED 1000

/* The extension and the schema its own functions live in */
#define PREDICATE_EXTENSION "lead_mgmt"
#define PREDICATE_SCHEMA "lead_mgmt"

typedef enum PredicateResult
{
	PREDICATE_FALSE,
	PREDICATE_TRUE,
	PREDICATE_NULL,
	PREDICATE_ERROR
} PredicateResult;

typedef struct CompiledPredicate CompiledPredicate;
typedef struct PredicateCache PredicateCache;

/*
 * Compiling and evaluating.
 *
 * A compiled predicate lives in a child of the context it was compiled for
 * and may be freed sooner. It belongs to one row type: every slot or tuple it
 * is given must be of the row type it was compiled against, and a change of
 * that type, or of a function in use, calls for a new one.
 *
 * PredicateEval and PredicateEvalTuple let errors through. The others report
 * what a row's own data caused (a division by zero, a bad cast) as
 * PREDICATE_ERROR and a message, under an internal subtransaction that is
 * only begun for conditions that can raise and shared by all the rows up to
 * the one that fails. In parallel mode, where there are no subtransactions,
 * they let errors through as well.
 */
extern CompiledPredicate *PredicateCompile(const char *source, TupleDesc rowdesc,
										   MemoryContext cxt);
extern CompiledPredicate *PredicateCompileValue(const char *source, TupleDesc rowdesc,
												MemoryContext cxt, Oid type);
extern void PredicateFree(CompiledPredicate *pred);
extern const char *PredicateSource(CompiledPredicate *pred);
extern Bitmapset *PredicateColumns(CompiledPredicate *pred);
extern bool PredicateCanRaise(CompiledPredicate *pred);

extern PredicateResult PredicateEval(CompiledPredicate *pred, TupleTableSlot *slot);
extern PredicateResult PredicateEvalTuple(CompiledPredicate *pred, HeapTuple row);
extern PredicateResult PredicateEvalSafe(CompiledPredicate *pred, TupleTableSlot *slot,
										 char **message);

/* One condition over many rows: results[n], and messages[n] unless NULL */
extern void PredicateEvalMany(CompiledPredicate *pred, HeapTuple *rows, int n,
							  PredicateResult *results, char **messages,
							  MemoryContext resultcxt);

/* Many conditions over many rows: results[row * npreds + pred] */
extern void PredicateEvalRows(CompiledPredicate **preds, int npreds,
							  HeapTuple *rows, int n,
							  PredicateResult *results, char **messages,
							  MemoryContext resultcxt);

/* A value over many rows, NULL where its data raise an error */
extern void PredicateValues(CompiledPredicate *pred, HeapTuple *rows, int n, Datum *values,
							bool *nulls, char **messages);

/*
 * A cache of compiled predicates by row type and text, which may live as long
 * as a session: a changed row type is noticed by the next lookup. What lookups
 * return is good until the cache is trimmed, so trim before a statement's
 * first lookup: that empties a cache that holds too much, or literals that
 * were read in another time zone.
 */
extern PredicateCache *PredicateCacheCreate(MemoryContext parent);
extern void PredicateCacheTrim(PredicateCache *cache);
extern CompiledPredicate *PredicateCacheGet(PredicateCache *cache,
											const char *source, int len,
											Oid rowtype, int32 rowtypmod);

/* What decides on the meaning of a condition, for the time of reading one */
extern int	PredicatePinSettings(void);

/* Whether an error of this SQLSTATE is the fault of the data at hand */
extern bool PredicateErrorIsLocal(int sqlerrcode);

/*
 * Parts of the compiler, for the files of this domain.
 */
typedef struct PredicateErrorInfo
{
	const char *source;
	int			shift;			/* bytes put before the source */
} PredicateErrorInfo;

extern void PredicateErrorCallback(void *arg);
extern Node *PredicateParse(const char *source);
extern void PredicateCheckCasts(ParseState *pstate, Node *expr);
extern void PredicateCheckReadable(ParseState *pstate, Oid typeid, int location);
extern Bitmapset *PredicateCheckExpr(ParseState *pstate, Node *expr);
extern bool PredicateExprCanRaise(Node *expr);

#endif
