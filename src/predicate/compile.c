#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "predicate/attempt.h"
#include "predicate/predicate.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/varlena.h"

/* Column names listed in a hint */
#define PREDICATE_MAX_HINTED 40

struct CompiledPredicate
{
	MemoryContext cxt;
	char	   *source;
	ExprState  *state;
	ExprContext *econtext;
	TupleDesc	rowdesc;
	TupleTableSlot *slot;		/* for rows that come as tuples */
	Bitmapset  *columns;
	bool		canraise;
	bool		byval;				/* of a value, not a predicate */
	int16		length;
};

/*
 * Set what decides on the meaning of a text, for the time of a compilation
 *
 * With this path neither an operator nor a function of the session or of a
 * schema that anybody can write to is found, whoever compiles.  Returns what
 * AtEOXact_GUC() takes to set all back.
 */
int
PredicatePinSettings(void)
{
	int			nestlevel = NewGUCNestLevel();

	(void) set_config_option("search_path",
							 "pg_catalog, " PREDICATE_SCHEMA ", pg_temp",
							 PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	if (Transform_null_equals)
		(void) set_config_option("transform_null_equals", "off",
								 PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);

	return nestlevel;
}

/*
 * Add a hint that names the column meant, or all there are
 */
static int
HintColumns(TupleDesc rowdesc, const char *name)
{
	const char *best = NULL;
	int			len = strlen(name);
	int			mindistance = Min(len / 2, 3);
	int			count = 0;
	StringInfoData names;

	initStringInfo(&names);

	for (int i = 0; i < rowdesc->natts; i++)
	{
		Form_pg_attribute attr = TupleDescAttr(rowdesc, i);
		const char *column = NameStr(attr->attname);
		int			distance;

		if (attr->attisdropped)
			continue;

		if (count < PREDICATE_MAX_HINTED)
			appendStringInfo(&names, "%s%s", count > 0 ? ", " : "", column);
		else if (count == PREDICATE_MAX_HINTED)
			appendStringInfoString(&names, ", ...");
		count++;

		distance = varstr_levenshtein_less_equal(name, len, column, strlen(column),
												 1, 1, 1, mindistance, true);
		if (distance <= mindistance)
		{
			/* The first of the nearest ones */
			best = column;
			mindistance = distance - 1;
		}

		if (mindistance < 0)
			break;
	}

	if (best != NULL)
		return errhint("Perhaps you meant the column \"%s\".", best);

	return errhint("Columns: %s.", names.data);
}

/*
 * Turn a column name into a reference to the row's column
 */
static Node *
ResolveColumn(ParseState *pstate, ColumnRef *cref)
{
	TupleDesc	rowdesc = (TupleDesc) pstate->p_ref_hook_state;
	const char *name = strVal(linitial(cref->fields));

	for (int i = 0; i < rowdesc->natts; i++)
	{
		Form_pg_attribute attr = TupleDescAttr(rowdesc, i);
		Var		   *var;

		if (attr->attisdropped || strcmp(NameStr(attr->attname), name) != 0)
			continue;

		/* Columns of anonymous rows may be of any type */
		if (get_typtype(attr->atttypid) == TYPTYPE_PSEUDO)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column \"%s\" has pseudo-type %s", name,
							format_type_be(attr->atttypid)),
					 parser_errposition(pstate, cref->location)));

		PredicateCheckReadable(pstate, attr->atttypid, cref->location);

		var = makeVar(1, attr->attnum, attr->atttypid, attr->atttypmod,
					  attr->attcollation, 0);
		var->location = cref->location;
		return (Node *) var;
	}

	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("column \"%s\" does not exist", name),
			 HintColumns(rowdesc, name),
			 parser_errposition(pstate, cref->location)));
}

/*
 * Make an expression boolean
 */
static Node *
CoerceToBoolean(ParseState *pstate, Node *expr)
{
	Oid			type = exprType(expr);
	Node	   *result;

	if (type == BOOLOID)
		return expr;

	result = coerce_to_target_type(pstate, expr, type, BOOLOID, -1,
								   COERCION_ASSIGNMENT, COERCE_IMPLICIT_CAST, -1);
	if (result == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("predicate must be of type boolean, not type %s",
						format_type_be(type)),
				 parser_errposition(pstate, exprLocation(expr))));

	return result;
}

/*
 * Make an expression a text, a number or jsonb
 */
static Node *
CoerceToValue(ParseState *pstate, Node *expr, Oid wanted)
{
	Oid			type = exprType(expr);
	Node	   *result = NULL;
	char		category;
	bool		preferred;

	get_type_category_preferred(getBaseType(type), &category, &preferred);
	if (wanted == JSONBOID ? type == JSONBOID : wanted == TEXTOID || category == TYPCATEGORY_NUMERIC || type == UNKNOWNOID)
		result = coerce_to_target_type(pstate, expr, type, wanted, -1, COERCION_EXPLICIT,
									   COERCE_EXPLICIT_CAST, -1);
	if (result == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("expression must be %s, not of type %s", wanted == TEXTOID ? "a text" :
						wanted == JSONBOID ? "jsonb" : "a number", format_type_be(type)),
				 parser_errposition(pstate, exprLocation(expr))));

	return result;
}

/*
 * Compile an expression for the rows of a type: a predicate or a value
 */
static CompiledPredicate *
CompileExpression(const char *source, TupleDesc rowdesc, MemoryContext parent, Oid wanted)
{
	PredicateErrorInfo info = {source, 0};
	ErrorContextCallback errcallback;
	MemoryContext workcxt;
	MemoryContext cxt;
	MemoryContext oldcxt;
	CompiledPredicate *pred;
	ParseState *pstate;
	Bitmapset  *columns;
	Node	   *expr;
	int			nestlevel;

	workcxt = AllocSetContextCreate(CurrentMemoryContext,
									"predicate analysis",
									ALLOCSET_DEFAULT_SIZES);
	oldcxt = MemoryContextSwitchTo(workcxt);

	expr = PredicateParse(source);

	errcallback.callback = PredicateErrorCallback;
	errcallback.arg = &info;
	errcallback.previous = error_context_stack;
	error_context_stack = &errcallback;

	nestlevel = PredicatePinSettings();

	pstate = make_parsestate(NULL);
	pstate->p_sourcetext = source;
	pstate->p_pre_columnref_hook = ResolveColumn;
	pstate->p_ref_hook_state = rowdesc;

	PredicateCheckCasts(pstate, expr);
	expr = transformExpr(pstate, expr, EXPR_KIND_WHERE);
	expr = wanted == BOOLOID ? CoerceToBoolean(pstate, expr) : CoerceToValue(pstate, expr, wanted);
	assign_expr_collations(pstate, expr);
	columns = PredicateCheckExpr(pstate, expr);
	free_parsestate(pstate);

	expr = (Node *) expression_planner((Expr *) expr);

	cxt = AllocSetContextCreate(workcxt, "compiled predicate",
								ALLOCSET_SMALL_SIZES);
	MemoryContextSwitchTo(cxt);

	pred = palloc0(sizeof(CompiledPredicate));
	pred->cxt = cxt;
	pred->source = pstrdup(source);
	pred->columns = bms_copy(columns);
	pred->canraise = PredicateExprCanRaise(expr);
	get_typlenbyval(wanted, &pred->length, &pred->byval);
	pred->state = ExecInitExpr((Expr *) copyObject(expr), NULL);

	/* Only a row read straight from a table needs the values it is missing */
	if (rowdesc->constr != NULL && rowdesc->constr->missing != NULL)
		pred->rowdesc = CreateTupleDescCopyConstr(rowdesc);
	else
		pred->rowdesc = CreateTupleDescCopy(rowdesc);

	/* As CreateStandaloneExprContext does, but small, as there are many */
	pred->econtext = makeNode(ExprContext);
	pred->econtext->ecxt_per_query_memory = cxt;
	pred->econtext->ecxt_per_tuple_memory =
		AllocSetContextCreate(cxt, "predicate row", ALLOCSET_SMALL_SIZES);
	pred->econtext->caseValue_isNull = true;
	pred->econtext->domainValue_isNull = true;

	/* Nothing can fail from here on */
	AtEOXact_GUC(true, nestlevel);
	error_context_stack = errcallback.previous;

	MemoryContextSetParent(cxt, parent);
	MemoryContextSwitchTo(oldcxt);
	MemoryContextDelete(workcxt);

	return pred;
}

/*
 * Compile a predicate for the rows of a type
 */
CompiledPredicate *
PredicateCompile(const char *source, TupleDesc rowdesc, MemoryContext parent)
{
	return CompileExpression(source, rowdesc, parent, BOOLOID);
}

/*
 * Compile an expression whose value is of type text, double precision or jsonb
 */
CompiledPredicate *
PredicateCompileValue(const char *source, TupleDesc rowdesc, MemoryContext parent, Oid type)
{
	return CompileExpression(source, rowdesc, parent, type);
}

/*
 * Free a compiled predicate
 */
void
PredicateFree(CompiledPredicate *pred)
{
	MemoryContextDelete(pred->cxt);
}

/*
 * Get the text of a compiled predicate
 */
const char *
PredicateSource(CompiledPredicate *pred)
{
	return pred->source;
}

/*
 * Get the attribute numbers of the columns a predicate reads
 */
Bitmapset *
PredicateColumns(CompiledPredicate *pred)
{
	return pred->columns;
}

/*
 * Check if some row can make a predicate raise an error
 */
bool
PredicateCanRaise(CompiledPredicate *pred)
{
	return pred->canraise;
}

/*
 * Evaluate a predicate for the row in a slot
 */
static inline PredicateResult
EvalSlot(CompiledPredicate *pred, TupleTableSlot *slot)
{
	ExprContext *econtext = pred->econtext;
	bool		isnull;
	Datum		value;

	econtext->ecxt_scantuple = slot;
	value = ExecEvalExprSwitchContext(pred->state, econtext, &isnull);
	ResetExprContext(econtext);

	if (isnull)
		return PREDICATE_NULL;

	return DatumGetBool(value) ? PREDICATE_TRUE : PREDICATE_FALSE;
}

/*
 * Get the slot a predicate reads tuples from
 */
static TupleTableSlot *
GetSlot(CompiledPredicate *pred)
{
	if (pred->slot == NULL)
	{
		MemoryContext oldcxt = MemoryContextSwitchTo(pred->cxt);

		pred->slot = MakeSingleTupleTableSlot(pred->rowdesc, &TTSOpsHeapTuple);
		MemoryContextSwitchTo(oldcxt);
	}

	return pred->slot;
}

/*
 * Evaluate a predicate for the row in a slot, letting errors through
 */
PredicateResult
PredicateEval(CompiledPredicate *pred, TupleTableSlot *slot)
{
	PredicateErrorInfo info = {pred->source, 0};
	ErrorContextCallback errcallback;
	PredicateResult result;

	errcallback.callback = PredicateErrorCallback;
	errcallback.arg = &info;
	errcallback.previous = error_context_stack;
	error_context_stack = &errcallback;

	result = EvalSlot(pred, slot);

	error_context_stack = errcallback.previous;

	return result;
}

/*
 * Evaluate a predicate for a tuple, letting errors through
 */
PredicateResult
PredicateEvalTuple(CompiledPredicate *pred, HeapTuple row)
{
	TupleTableSlot *slot = GetSlot(pred);
	PredicateResult result;

	ExecStoreHeapTuple(row, slot, false);
	result = PredicateEval(pred, slot);
	ExecClearTuple(slot);

	return result;
}

/*
 * Check if an error is the fault of the data at hand, and not of the system
 * or of somebody who wants the work to end
 */
bool
PredicateErrorIsLocal(int sqlerrcode)
{
	switch (ERRCODE_TO_CATEGORY(sqlerrcode))
	{
		case ERRCODE_TO_CATEGORY(ERRCODE_INSUFFICIENT_RESOURCES):
		case ERRCODE_TO_CATEGORY(ERRCODE_OPERATOR_INTERVENTION):
		case ERRCODE_TO_CATEGORY(ERRCODE_SYSTEM_ERROR):
		case ERRCODE_TO_CATEGORY(ERRCODE_INTERNAL_ERROR):
		case ERRCODE_TO_CATEGORY(ERRCODE_TRANSACTION_ROLLBACK):
			return false;
		default:
			return true;
	}
}

/* Conditions, a row each of a matrix, to be evaluated for rows from a cell on */
typedef struct Matrix
{
	CompiledPredicate **preds;
	int			npreds;
	HeapTuple  *rows;
	TupleTableSlot *slot;
	PredicateResult *results;
	int64		cell;			/* the next, or the one that raised an error */
	int64		ncells;
} Matrix;

/*
 * Evaluate what is left of a matrix
 */
static void
EvalCells(void *arg)
{
	Matrix	   *matrix = arg;
	int64		loaded = -1;

	for (; matrix->cell < matrix->ncells; matrix->cell++)
	{
		int64		row = matrix->cell / matrix->npreds;

		if (matrix->rows != NULL && row != loaded)
		{
			CHECK_FOR_INTERRUPTS();
			ExecStoreHeapTuple(matrix->rows[row], matrix->slot, false);
			loaded = row;
		}

		matrix->results[matrix->cell] = EvalSlot(matrix->preds[matrix->cell % matrix->npreds], matrix->slot);
	}
}

/*
 * Evaluate conditions for rows, begin again behind each cell that raises an
 * error, and report it in its place
 *
 * Evaluation changes nothing, so what was found before an error stands.
 */
static void
EvalMatrix(CompiledPredicate **preds, int npreds, HeapTuple *rows, int n,
		   TupleTableSlot *slot, PredicateResult *results, char **messages,
		   MemoryContext resultcxt)
{
	Matrix		matrix = {preds, npreds, rows, slot, results, 0, (int64) npreds * n};
	bool		canraise = false;

	for (int i = 0; i < npreds; i++)
		canraise = canraise || preds[i]->canraise;

	if (messages != NULL)
		memset(messages, 0, sizeof(char *) * matrix.ncells);

	if (!canraise || IsInParallelMode())
	{
		EvalCells(&matrix);
		return;
	}

	while (matrix.cell < matrix.ncells)
	{
		ErrorData  *error = Attempt(EvalCells, &matrix);

		if (error == NULL)
			break;
		if (!PredicateErrorIsLocal(error->sqlerrcode) || matrix.cell >= matrix.ncells)
			ReThrowError(error);

		ResetExprContext(preds[matrix.cell % npreds]->econtext);
		results[matrix.cell] = PREDICATE_ERROR;
		if (messages != NULL)
			messages[matrix.cell] = MemoryContextStrdup(resultcxt, error->message);

		FreeErrorData(error);
		matrix.cell++;
	}
}

/*
 * Evaluate a predicate for the row in a slot, reporting an error instead of
 * raising it
 */
PredicateResult
PredicateEvalSafe(CompiledPredicate *pred, TupleTableSlot *slot, char **message)
{
	PredicateResult result = PREDICATE_NULL;

	EvalMatrix(&pred, 1, NULL, 1, slot, &result, message, CurrentMemoryContext);

	return result;
}

/*
 * Evaluate many predicates for many rows, reporting errors where they happen
 */
void
PredicateEvalRows(CompiledPredicate **preds, int npreds, HeapTuple *rows, int n,
				  PredicateResult *results, char **messages,
				  MemoryContext resultcxt)
{
	TupleTableSlot *slot;

	if (npreds == 0 || n == 0)
		return;

	/* All are of one row type, so one slot and one unpacking of a row will do */
	slot = GetSlot(preds[0]);
	EvalMatrix(preds, npreds, rows, n, slot, results, messages, resultcxt);
	ExecClearTuple(slot);
}

/*
 * Evaluate a predicate for many rows, reporting errors where they happen
 */
void
PredicateEvalMany(CompiledPredicate *pred, HeapTuple *rows, int n,
				  PredicateResult *results, char **messages,
				  MemoryContext resultcxt)
{
	PredicateEvalRows(&pred, 1, rows, n, results, messages, resultcxt);
}

/* An expression to be evaluated for rows from one on */
typedef struct Column
{
	CompiledPredicate *pred;
	HeapTuple  *rows;
	Datum	   *values;
	bool	   *nulls;
	int			row;			/* the next, or the one that raised an error */
	int			n;
} Column;

/*
 * Evaluate an expression for the rows that are left
 */
static void
EvalValues(void *arg)
{
	Column	   *column = arg;
	CompiledPredicate *pred = column->pred;
	TupleTableSlot *slot = GetSlot(pred);
	ExprContext *econtext = pred->econtext;

	CHECK_FOR_INTERRUPTS();
	for (; column->row < column->n; column->row++)
	{
		Datum		value;
		bool		isnull;

		ExecStoreHeapTuple(column->rows[column->row], slot, false);
		econtext->ecxt_scantuple = slot;
		value = ExecEvalExprSwitchContext(pred->state, econtext, &isnull);
		column->nulls[column->row] = isnull;
		column->values[column->row] = isnull ? (Datum) 0 : datumCopy(value, pred->byval, pred->length);
		ResetExprContext(econtext);
	}
	ExecClearTuple(slot);
}

/*
 * Evaluate an expression for many rows; NULL, and optionally a message, where
 * it raises an error.  The values are in the caller's memory context.
 */
void
PredicateValues(CompiledPredicate *pred, HeapTuple *rows, int n, Datum *values, bool *nulls,
				char **messages)
{
	Column		column = {pred, rows, values, nulls, 0, n};

	if (messages != NULL)
		memset(messages, 0, sizeof(char *) * n);
	if (!pred->canraise || IsInParallelMode())
	{
		EvalValues(&column);
		return;
	}
	while (column.row < n)
	{
		ErrorData  *error = Attempt(EvalValues, &column);

		if (error == NULL)
			break;
		if (!PredicateErrorIsLocal(error->sqlerrcode) || column.row >= n)
			ReThrowError(error);
		ResetExprContext(pred->econtext);
		ExecClearTuple(pred->slot);
		values[column.row] = (Datum) 0;
		nulls[column.row] = true;
		if (messages != NULL)
			messages[column.row] = pstrdup(error->message);
		FreeErrorData(error);
		column.row++;
	}
}
