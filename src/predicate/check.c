/*
 * The part of the check that knows the types.
 *
 * What comes here was analyzed by the server, so every operator, cast and
 * function is known by its identity and names do not matter any more. Each
 * one is looked at, and each kind of node must be on a list: a construct of a
 * later server is refused until somebody has thought about it.
 *
 * Immutable built-in functions, and immutable ones of this extension, may be
 * used. Of the stable ones only those on the list below may: they depend on
 * the time, the time zone or the locale, and read nothing else. Types made by
 * users are kept out of function calls, as a generic function (array_eq,
 * record_out …) would call the functions of the type; enums and domains have
 * none.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/dependency.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "nodes/primnodes.h"
#include "parser/parse_type.h"
#include "predicate/predicate.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

typedef struct ExprCheck
{
	ParseState *pstate;
	Oid			extension;
	Bitmapset  *columns;
	int			location;		/* of the node whose functions are checked */
} ExprCheck;

/*
 * Check if an object comes with the server or with this extension
 */
static bool
IsOwnObject(ExprCheck *check, Oid classid, Oid objectid)
{
	return objectid < FirstUnpinnedObjectId ||
		(OidIsValid(check->extension) &&
		 getExtensionOfObject(classid, objectid) == check->extension);
}

/*
 * Check if a stable function depends on nothing but its arguments, the time,
 * the time zone and the formats of dates and numbers
 */
static bool
IsHarmlessStable(Oid funcid)
{
	switch (funcid)
	{
			/* The time */
		case F_NOW:
		case F_TRANSACTION_TIMESTAMP:
		case F_STATEMENT_TIMESTAMP:
		case F_AGE_TIMESTAMP:
		case F_AGE_TIMESTAMPTZ:

			/* Arithmetic and comparison in the time zone */
		case F_TIMESTAMPTZ_PL_INTERVAL:
		case F_TIMESTAMPTZ_MI_INTERVAL:
		case F_INTERVAL_PL_TIMESTAMPTZ:
		case F_DATE_LT_TIMESTAMPTZ:
		case F_DATE_LE_TIMESTAMPTZ:
		case F_DATE_EQ_TIMESTAMPTZ:
		case F_DATE_GT_TIMESTAMPTZ:
		case F_DATE_GE_TIMESTAMPTZ:
		case F_DATE_NE_TIMESTAMPTZ:
		case F_DATE_CMP_TIMESTAMPTZ:
		case F_TIMESTAMPTZ_LT_DATE:
		case F_TIMESTAMPTZ_LE_DATE:
		case F_TIMESTAMPTZ_EQ_DATE:
		case F_TIMESTAMPTZ_GT_DATE:
		case F_TIMESTAMPTZ_GE_DATE:
		case F_TIMESTAMPTZ_NE_DATE:
		case F_TIMESTAMPTZ_CMP_DATE:
		case F_TIMESTAMP_LT_TIMESTAMPTZ:
		case F_TIMESTAMP_LE_TIMESTAMPTZ:
		case F_TIMESTAMP_EQ_TIMESTAMPTZ:
		case F_TIMESTAMP_GT_TIMESTAMPTZ:
		case F_TIMESTAMP_GE_TIMESTAMPTZ:
		case F_TIMESTAMP_NE_TIMESTAMPTZ:
		case F_TIMESTAMP_CMP_TIMESTAMPTZ:
		case F_TIMESTAMPTZ_LT_TIMESTAMP:
		case F_TIMESTAMPTZ_LE_TIMESTAMP:
		case F_TIMESTAMPTZ_EQ_TIMESTAMP:
		case F_TIMESTAMPTZ_GT_TIMESTAMP:
		case F_TIMESTAMPTZ_GE_TIMESTAMP:
		case F_TIMESTAMPTZ_NE_TIMESTAMP:
		case F_TIMESTAMPTZ_CMP_TIMESTAMP:
		case F_OVERLAPS_TIMESTAMPTZ_TIMESTAMPTZ_TIMESTAMPTZ_INTERVAL:
		case F_OVERLAPS_TIMESTAMPTZ_INTERVAL_TIMESTAMPTZ_INTERVAL:
		case F_OVERLAPS_TIMESTAMPTZ_INTERVAL_TIMESTAMPTZ_TIMESTAMPTZ:

			/* Fields and conversions */
		case F_DATE_PART_TEXT_TIMESTAMPTZ:
		case F_EXTRACT_TEXT_TIMESTAMPTZ:
		case F_DATE_TRUNC_TEXT_TIMESTAMPTZ:
		case F_DATE_TRUNC_TEXT_TIMESTAMPTZ_TEXT:
		case F_DATE_TIMESTAMPTZ:
		case F_TIME_TIMESTAMPTZ:
		case F_TIMETZ_TIME:
		case F_TIMETZ_TIMESTAMPTZ:
		case F_TIMESTAMP_TIMESTAMPTZ:
		case F_TIMESTAMPTZ_DATE:
		case F_TIMESTAMPTZ_TIMESTAMP:
		case F_TIMESTAMPTZ_DATE_TIME:
		case F_TIMEZONE_TEXT_TIMETZ:
		case F_MAKE_TIMESTAMPTZ_INT4_INT4_INT4_INT4_INT4_FLOAT8:
		case F_MAKE_TIMESTAMPTZ_INT4_INT4_INT4_INT4_INT4_FLOAT8_TEXT:

			/* Formats */
		case F_TO_CHAR_TIMESTAMPTZ_TEXT:
		case F_TO_CHAR_TIMESTAMP_TEXT:
		case F_TO_CHAR_INTERVAL_TEXT:
		case F_TO_CHAR_NUMERIC_TEXT:
		case F_TO_CHAR_INT4_TEXT:
		case F_TO_CHAR_INT8_TEXT:
		case F_TO_CHAR_FLOAT4_TEXT:
		case F_TO_CHAR_FLOAT8_TEXT:
		case F_TO_NUMBER:
		case F_TO_DATE:
		case F_TO_TIMESTAMP_TEXT_TEXT:

			/* Casts between text and other types */
		case F_DATE_IN:
		case F_DATE_OUT:
		case F_TIME_IN:
		case F_TIMETZ_IN:
		case F_TIMESTAMP_IN:
		case F_TIMESTAMP_OUT:
		case F_TIMESTAMPTZ_IN:
		case F_TIMESTAMPTZ_OUT:
		case F_INTERVAL_IN:
		case F_INTERVAL_OUT:
		case F_ENUM_IN:
		case F_ENUM_OUT:
		case F_ARRAY_IN:
		case F_ARRAY_OUT:
		case F_RANGE_IN:
		case F_RANGE_OUT:
		case F_MULTIRANGE_IN:
		case F_MULTIRANGE_OUT:

			/* Text of any value */
		case F_ANYTEXTCAT:
		case F_TEXTANYCAT:
		case F_CONCAT:
		case F_CONCAT_WS:
		case F_ARRAY_TO_STRING_ANYARRAY_TEXT:
		case F_ARRAY_TO_STRING_ANYARRAY_TEXT_TEXT:
		case F_TO_JSONB:

			/* JSON paths that compare times */
		case F_JSONB_PATH_EXISTS_TZ:
		case F_JSONB_PATH_MATCH_TZ:
			return true;

		default:
			return false;
	}
}

/*
 * Refuse a function
 */
static void
RefuseFunction(ExprCheck *check, Oid funcid, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("function %s is not allowed in a predicate",
					format_procedure(funcid)),
			 errdetail_internal("%s", detail),
			 parser_errposition(check->pstate, check->location)));
}

/*
 * Check a function that the server calls for a node
 */
static bool
CheckFunction(Oid funcid, void *context)
{
	ExprCheck  *check = (ExprCheck *) context;
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(funcid));
	Form_pg_proc proc;
	char		volatility;
	bool		own;
	bool		plain;
	bool		internal;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", funcid);

	proc = (Form_pg_proc) GETSTRUCT(tuple);
	volatility = proc->provolatile;
	plain = proc->prokind == PROKIND_FUNCTION && !proc->proretset && !proc->prosecdef;

	/* The server's pg_ functions are about the server */
	internal = funcid < FirstUnpinnedObjectId &&
		strncmp(NameStr(proc->proname), "pg_", 3) == 0;
	own = IsOwnObject(check, ProcedureRelationId, funcid);
	ReleaseSysCache(tuple);

	if (!own)
		RefuseFunction(check, funcid, "Only built-in functions and those of lead_mgmt can be used.");

	if (!plain)
		RefuseFunction(check, funcid, "Only functions of one row that return one value can be used.");

	if (volatility == PROVOLATILE_VOLATILE)
		RefuseFunction(check, funcid, "It is volatile.");

	if (internal ||
		(volatility == PROVOLATILE_STABLE &&
		 !(funcid < FirstUnpinnedObjectId && IsHarmlessStable(funcid))))
		RefuseFunction(check, funcid, "It depends on more than its arguments and the time.");

	return false;
}

/*
 * Check an operator
 */
static void
CheckOperator(ExprCheck *check, Oid opno)
{
	if (!IsOwnObject(check, OperatorRelationId, opno))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("operator %s is not allowed in a predicate",
						format_operator(opno)),
				 errdetail("Only built-in operators and those of lead_mgmt can be used."),
				 parser_errposition(check->pstate, check->location)));
}

/*
 * Check if no function of a user can hide behind a type, and no object of the
 * database
 */
static bool
IsAllowedType(ExprCheck *check, Oid typeid)
{
	Oid			element;

	if (typeid == UNKNOWNOID)
		return true;

	switch (typeid)
	{
		case OIDOID:
		case ACLITEMOID:
		case XMLOID:
		case REGPROCOID:
		case REGPROCEDUREOID:
		case REGOPEROID:
		case REGOPERATOROID:
		case REGCLASSOID:
		case REGCOLLATIONOID:
		case REGTYPEOID:
		case REGROLEOID:
		case REGNAMESPACEOID:
		case REGCONFIGOID:
		case REGDICTIONARYOID:
			return false;
	}

	element = get_element_type(typeid);
	if (OidIsValid(element))
		return IsAllowedType(check, element);

	switch (get_typtype(typeid))
	{
		case TYPTYPE_ENUM:
			return true;
		case TYPTYPE_DOMAIN:
			return IsAllowedType(check, getBaseType(typeid));
		case TYPTYPE_BASE:
		case TYPTYPE_RANGE:
		case TYPTYPE_MULTIRANGE:
			return IsOwnObject(check, TypeRelationId, typeid);
		default:
			return false;
	}
}

/*
 * Check if a literal of a type can be read without calling anything of a user
 *
 * The server reads literals while it analyzes, before there is an expression
 * to check. The constraints of a domain are not looked at by then unless the
 * domain is part of another type.
 */
static bool
IsSafeToRead(Oid typeid, bool nested)
{
	TupleDesc	rowdesc;
	Oid			element;
	bool		safe = true;

	check_stack_depth();

	switch (get_typtype(typeid))
	{
		case TYPTYPE_BASE:
			element = get_element_type(typeid);
			return !OidIsValid(element) || IsSafeToRead(element, true);
		case TYPTYPE_DOMAIN:
			return !nested && IsSafeToRead(getBaseType(typeid), false);
		case TYPTYPE_RANGE:
			return IsSafeToRead(get_range_subtype(typeid), true);
		case TYPTYPE_MULTIRANGE:
			return IsSafeToRead(get_multirange_range(typeid), true);
		case TYPTYPE_COMPOSITE:
			rowdesc = lookup_rowtype_tupdesc(typeid, -1);
			for (int i = 0; i < rowdesc->natts && safe; i++)
			{
				if (!TupleDescAttr(rowdesc, i)->attisdropped)
					safe = IsSafeToRead(TupleDescAttr(rowdesc, i)->atttypid, true);
			}
			ReleaseTupleDesc(rowdesc);
			return safe;
		default:
			return true;
	}
}

/*
 * Refuse a type that reads literals with the help of a domain
 */
void
PredicateCheckReadable(ParseState *pstate, Oid typeid, int location)
{
	if (!IsSafeToRead(typeid, false))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("type %s is not allowed in a predicate",
						format_type_be(typeid)),
				 errdetail("It has a domain as a part."),
				 errhint("Offer the value in the profile as text, a number, a time or jsonb."),
				 parser_errposition(pstate, location)));
}

/*
 * Look for casts to types that read literals with the help of a domain
 */
static bool
CheckCasts(Node *node, void *context)
{
	ParseState *pstate = (ParseState *) context;

	if (node == NULL)
		return false;

	if (IsA(node, TypeCast))
	{
		TypeName   *name = ((TypeCast *) node)->typeName;

		PredicateCheckReadable(pstate, typenameTypeId(pstate, name), name->location);
	}

	return raw_expression_tree_walker(node, CheckCasts, context);
}

/*
 * Check what a raw expression is about to have analyzed
 */
void
PredicateCheckCasts(ParseState *pstate, Node *expr)
{
	(void) CheckCasts(expr, pstate);
}

/*
 * Check the type of a value that a function takes or gives
 */
static void
CheckType(ExprCheck *check, Oid typeid)
{
	if (!IsAllowedType(check, typeid))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("functions of type %s are not allowed in a predicate",
						format_type_be(typeid)),
				 errhint("Offer the value in the profile as text, a number, a time or jsonb."),
				 parser_errposition(check->pstate, check->location)));
}

/*
 * Check the types of a list of arguments
 */
static void
CheckTypes(ExprCheck *check, List *args)
{
	ListCell   *lc;

	foreach(lc, args)
		CheckType(check, exprType((Node *) lfirst(lc)));
}

/*
 * Refuse literals such as 'today', which would be read once and then stay
 * what they were on the day the condition was compiled
 */
static void
CheckTimeLiteral(ExprCheck *check, Const *value)
{
	static const char *const words[] = {"now", "today", "tomorrow", "yesterday"};
	Oid			type = value->consttype;
	const char *literal;
	int			len;

	if (OidIsValid(get_element_type(type)))
		type = get_element_type(type);

	if ((type != DATEOID && type != TIMEOID && type != TIMETZOID &&
		 type != TIMESTAMPOID && type != TIMESTAMPTZOID) ||
		value->constisnull || value->location < 0)
		return;

	literal = strchr(check->pstate->p_sourcetext + value->location, '\'');
	if (literal == NULL)
		return;

	literal++;
	len = strcspn(literal, "'");

	while (len > 0)
	{
		int			skip = 0;

		while (skip < len && !isalpha((unsigned char) literal[skip]))
			skip++;
		literal += skip;
		len -= skip;

		skip = 0;
		while (skip < len && isalpha((unsigned char) literal[skip]))
			skip++;

		for (int i = 0; i < lengthof(words); i++)
		{
			if (skip == strlen(words[i]) && pg_strncasecmp(literal, words[i], skip) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						 errmsg("time literal '%s' is not allowed in a predicate", words[i]),
						 errdetail("It would keep the value it had when the predicate was compiled."),
						 errhint("Use now() or CURRENT_DATE."),
						 parser_errposition(check->pstate, value->location)));
		}

		literal += skip;
		len -= skip;
	}
}

/*
 * Check an analyzed expression
 */
static bool
CheckNode(Node *node, void *context)
{
	ExprCheck  *check = (ExprCheck *) context;
	ListCell   *lc;

	if (node == NULL)
		return false;

	check_stack_depth();

	if (IsA(node, List))
		return expression_tree_walker(node, CheckNode, context);

	check->location = exprLocation(node);
	(void) check_functions_in_node(node, CheckFunction, check);

	switch (nodeTag(node))
	{
		case T_Var:
			check->columns = bms_add_member(check->columns, ((Var *) node)->varattno);
			break;

		case T_Const:
			CheckTimeLiteral(check, (Const *) node);
			break;

			/* These call nothing */
		case T_NamedArgExpr:
		case T_BoolExpr:
		case T_BooleanTest:
		case T_NullTest:
		case T_FieldSelect:
		case T_RelabelType:
		case T_CaseExpr:
		case T_CaseWhen:
		case T_CaseTestExpr:
		case T_CoalesceExpr:
		case T_CollateExpr:
		case T_ArrayExpr:
		case T_RowExpr:
		case T_SQLValueFunction:
			break;

		case T_FuncExpr:
			CheckTypes(check, ((FuncExpr *) node)->args);
			CheckType(check, exprType(node));
			break;

		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
			CheckOperator(check, ((OpExpr *) node)->opno);
			CheckTypes(check, ((OpExpr *) node)->args);
			CheckType(check, exprType(node));
			break;

		case T_ScalarArrayOpExpr:
			CheckOperator(check, ((ScalarArrayOpExpr *) node)->opno);
			CheckTypes(check, ((ScalarArrayOpExpr *) node)->args);
			break;

		case T_RowCompareExpr:
			foreach(lc, ((RowCompareExpr *) node)->opnos)
				CheckOperator(check, lfirst_oid(lc));
			CheckTypes(check, ((RowCompareExpr *) node)->largs);
			CheckTypes(check, ((RowCompareExpr *) node)->rargs);
			break;

		case T_MinMaxExpr:
			CheckType(check, exprType(node));
			break;

		case T_CoerceViaIO:
			CheckType(check, exprType((Node *) ((CoerceViaIO *) node)->arg));
			CheckType(check, exprType(node));
			break;

		case T_ArrayCoerceExpr:
			CheckType(check, exprType((Node *) ((ArrayCoerceExpr *) node)->arg));
			CheckType(check, exprType(node));
			break;

		case T_SubscriptingRef:
			CheckType(check, ((SubscriptingRef *) node)->refcontainertype);
			break;

		case T_CoerceToDomain:
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("cast to domain %s is not allowed in a predicate",
							format_type_be(exprType(node))),
					 errhint("Cast to %s instead.",
							 format_type_be(getBaseType(exprType(node)))),
					 parser_errposition(check->pstate, check->location)));
			break;

		default:
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("this expression is not allowed in a predicate"),
					 parser_errposition(check->pstate, check->location)));
	}

	return expression_tree_walker(node, CheckNode, context);
}

/*
 * Check an analyzed expression and return the columns it reads
 */
Bitmapset *
PredicateCheckExpr(ParseState *pstate, Node *expr)
{
	ExprCheck	check = {0};

	check.pstate = pstate;
	check.extension = get_extension_oid(PREDICATE_EXTENSION, true);
	(void) CheckNode(expr, &check);

	return check.columns;
}

/*
 * Check if a function may raise an error that depends on its arguments, which
 * is what a leakproof one never does
 */
static bool
FunctionCanRaise(Oid funcid, void *context)
{
	return !get_func_leakproof(funcid);
}

/*
 * Look for anything that may raise an error for some row
 */
static bool
NodeCanRaise(Node *node, void *context)
{
	if (node == NULL)
		return false;

	switch (nodeTag(node))
	{
		case T_List:
		case T_Var:
		case T_Const:
		case T_FuncExpr:
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
		case T_ScalarArrayOpExpr:
		case T_BoolExpr:
		case T_BooleanTest:
		case T_NullTest:
		case T_RelabelType:
		case T_CoerceViaIO:
		case T_CaseExpr:
		case T_CaseWhen:
		case T_CaseTestExpr:
		case T_CoalesceExpr:
		case T_ArrayExpr:
		case T_SQLValueFunction:
			break;
		default:
			return true;
	}

	if (check_functions_in_node(node, FunctionCanRaise, context))
		return true;

	return expression_tree_walker(node, NodeCanRaise, context);
}

/*
 * Check if a planned expression may raise an error for some row
 */
bool
PredicateExprCanRaise(Node *expr)
{
	return NodeCanRaise(expr, NULL);
}
