/*
 * The part of the check that needs no row type.
 *
 * The text is read by the server's own parser in the mode PL/pgSQL uses for
 * its expressions, so that positions are those of the text itself and nothing
 * can close a wrapper. That mode takes more than an expression (FROM, WHERE,
 * LIMIT …), all of which leaves a trace in the tree except a leading ALL and
 * a trailing FOR READ ONLY. A second parse between parentheses rules those
 * out, and with them a trailing line comment, so that a predicate is always
 * one parenthesised expression wherever it is put.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "common/keywords.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "parser/parser.h"
#include "parser/scanner.h"
#include "predicate/predicate.h"
#include "utils/guc.h"

typedef struct RawCheck
{
	ParseState *pstate;
	int			depth;
} RawCheck;

/*
 * Move the position of an error into the predicate, which is not what the
 * client sent, and say which predicate it is
 */
void
PredicateErrorCallback(void *arg)
{
	PredicateErrorInfo *info = (PredicateErrorInfo *) arg;
	int			len = strlen(info->source);
	int			position = geterrposition();

	if (position > 0 && getinternalerrposition() == 0)
	{
		/* A wrapper's end is not beyond the predicate's own */
		position = Max(position - info->shift, 1);
		position = Min(position, pg_mbstrlen(info->source) + 1);
		errposition(0);
		internalerrposition(position);
		if (len <= PREDICATE_MAX_QUOTED)
			internalerrquery(info->source);
		errcontext("predicate at character %d", position);
	}
	else if (len <= PREDICATE_MAX_QUOTED)
		errcontext("predicate \"%s\"", info->source);
	else
		errcontext("predicate \"%.*s...\"",
				   pg_mbcliplen(info->source, len, PREDICATE_MAX_QUOTED / 10),
				   info->source);
}

/*
 * Refuse a construct
 */
static void
RefuseNode(RawCheck *check, Node *node, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("%s not allowed in a predicate", what),
			 parser_errposition(check->pstate, exprLocation(node))));
}

/*
 * Refuse functions and operators asked for in a schema of a user, which would
 * also have its types read the literals given to them
 */
static void
CheckQualification(RawCheck *check, Node *node, List *names, const char *what)
{
	const char *schema;

	if (list_length(names) < 2)
		return;

	schema = strVal(linitial(names));
	if (list_length(names) == 2 &&
		(strcmp(schema, "pg_catalog") == 0 || strcmp(schema, PREDICATE_SCHEMA) == 0))
		return;

	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("%s %s is not allowed in a predicate", what, NameListToString(names)),
			 errdetail("Only built-in functions and operators and those of lead_mgmt can be used."),
			 parser_errposition(check->pstate, exprLocation(node))));
}

/*
 * Refuse too deep a nesting
 */
static void
RefuseDepth(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_STATEMENT_TOO_COMPLEX),
			 errmsg("predicate is nested more than %d levels deep",
					PREDICATE_MAX_DEPTH),
			 errhint("Write less nested expressions, or several predicates.")));
}

/*
 * Check the depth of nesting from the tokens alone, as the parser's own stack
 * would give out first
 */
static void
CheckTokenDepth(const char *source)
{
	core_yyscan_t scanner;
	core_yy_extra_type extra;
	core_YYSTYPE value;
	YYLTYPE		location;
	int			token;
	int			depth = 0;
	int			prefixes = 0;
	int			case_token = ScanKeywordTokens[ScanKeywordLookup("case", &ScanKeywords)];
	int			end_token = ScanKeywordTokens[ScanKeywordLookup("end", &ScanKeywords)];
	int			not_token = ScanKeywordTokens[ScanKeywordLookup("not", &ScanKeywords)];

	/* A text has at least a byte a level */
	if (strlen(source) <= PREDICATE_MAX_DEPTH)
		return;

	scanner = scanner_init(source, &extra, &ScanKeywords, ScanKeywordTokens);
	extra.standard_conforming_strings = true;

	while ((token = core_yylex(&value, &location, scanner)) != 0)
	{
		if (token == '(' || token == '[' || token == case_token)
			depth++;
		else if (token == ')' || token == ']' || token == end_token)
			depth--;

		if (token == not_token || token == '-' || token == '+')
			prefixes++;
		else
			prefixes = 0;

		if (depth + prefixes > PREDICATE_MAX_DEPTH)
			RefuseDepth();
	}

	scanner_finish(scanner);
}

/*
 * Refuse every construct that is not known to be harmless
 */
static bool
CheckRawNode(Node *node, void *context)
{
	RawCheck   *check = (RawCheck *) context;
	bool		result;

	if (node == NULL)
		return false;

	check_stack_depth();

	if (!IsA(node, List) && ++check->depth > PREDICATE_MAX_DEPTH)
		RefuseDepth();

	switch (nodeTag(node))
	{
		case T_List:
		case T_A_Const:
		case T_A_Indices:
		case T_A_ArrayExpr:
		case T_BoolExpr:
		case T_BooleanTest:
		case T_NullTest:
		case T_CaseExpr:
		case T_CaseWhen:
		case T_CoalesceExpr:
		case T_MinMaxExpr:
		case T_NamedArgExpr:
		case T_RowExpr:
		case T_TypeCast:
		case T_TypeName:
		case T_CollateClause:
		case T_Integer:
		case T_Float:
		case T_String:
			break;

		case T_A_Expr:
			CheckQualification(check, node, ((A_Expr *) node)->name, "operator");
			break;

		case T_A_Indirection:
		case T_ColumnRef:
			{
				List	   *names = IsA(node, ColumnRef) ?
				((ColumnRef *) node)->fields :
				((A_Indirection *) node)->indirection;
				ListCell   *lc;

				foreach(lc, names)
				{
					if (IsA(lfirst(lc), A_Star))
						RefuseNode(check, IsA(node, ColumnRef) ? node :
								   ((A_Indirection *) node)->arg, "\"*\" is");
				}

				if (IsA(node, ColumnRef) && list_length(names) > 1)
					ereport(ERROR,
							(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
							 errmsg("qualified name \"%s\" is not allowed in a predicate",
									NameListToString(names)),
							 errhint("Write the column's name alone."),
							 parser_errposition(check->pstate, exprLocation(node))));
				break;
			}

		case T_A_Star:
			/* The node that holds it has the position */
			break;

		case T_FuncCall:
			{
				FuncCall   *call = (FuncCall *) node;

				CheckQualification(check, node, call->funcname, "function");
				if (call->over)
					RefuseNode(check, node, "window functions are");
				if (call->agg_order || call->agg_filter || call->agg_within_group ||
					call->agg_star || call->agg_distinct)
					RefuseNode(check, node, "aggregate functions are");
				break;
			}

		case T_SQLValueFunction:
			switch (((SQLValueFunction *) node)->op)
			{
				case SVFOP_CURRENT_DATE:
				case SVFOP_CURRENT_TIME:
				case SVFOP_CURRENT_TIME_N:
				case SVFOP_CURRENT_TIMESTAMP:
				case SVFOP_CURRENT_TIMESTAMP_N:
				case SVFOP_LOCALTIME:
				case SVFOP_LOCALTIME_N:
				case SVFOP_LOCALTIMESTAMP:
				case SVFOP_LOCALTIMESTAMP_N:
					break;
				default:
					RefuseNode(check, node, "names of the session's user, database and schema are");
			}
			break;

		case T_SubLink:
			RefuseNode(check, node, "subqueries are");
			break;

		case T_ParamRef:
			RefuseNode(check, node, "parameters are");
			break;

		case T_SetToDefault:
			RefuseNode(check, node, "DEFAULT is");
			break;

		case T_XmlExpr:
		case T_XmlSerialize:
			RefuseNode(check, node, "XML expressions are");
			break;

		default:
			RefuseNode(check, node, "this expression is");
	}

	result = raw_expression_tree_walker(node, CheckRawNode, context);

	if (!IsA(node, List))
		check->depth--;

	return result;
}

/*
 * Find where a statement says more than an expression does
 */
static int
ExcessLocation(SelectStmt *stmt)
{
	Node	   *excess[] = {
		list_length(stmt->targetList) > 1 ? (Node *) lsecond(stmt->targetList) : NULL,
		(Node *) stmt->distinctClause,
		(Node *) stmt->fromClause,
		stmt->whereClause,
		(Node *) stmt->groupClause,
		stmt->havingClause,
		(Node *) stmt->windowClause,
		(Node *) stmt->sortClause,
		stmt->limitOffset,
		stmt->limitCount
	};

	for (int i = 0; i < lengthof(excess); i++)
	{
		int			location = excess[i] != NULL ? exprLocation(excess[i]) : -1;

		if (location >= 0)
			return location;
	}

	return -1;
}

/*
 * Check that a statement is nothing but one unnamed output expression
 */
static Node *
GetOnlyExpr(List *parsetree, ParseState *pstate)
{
	SelectStmt *stmt;
	ResTarget  *target;

	if (list_length(parsetree) != 1 || !IsA(linitial(parsetree), RawStmt) ||
		!IsA(linitial_node(RawStmt, parsetree)->stmt, SelectStmt))
		elog(ERROR, "unexpected parse tree for a predicate");

	stmt = (SelectStmt *) linitial_node(RawStmt, parsetree)->stmt;

	/* A text of nothing but comments */
	if (stmt->targetList == NIL && stmt->fromClause == NIL && stmt->whereClause == NULL)
		return NULL;

	if (list_length(stmt->targetList) != 1 || stmt->distinctClause ||
		stmt->intoClause || stmt->fromClause || stmt->whereClause ||
		stmt->groupClause || stmt->havingClause || stmt->windowClause ||
		stmt->valuesLists || stmt->sortClause || stmt->limitOffset ||
		stmt->limitCount || stmt->lockingClause || stmt->withClause ||
		stmt->op != SETOP_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("predicate must be a single expression"),
				 parser_errposition(pstate, ExcessLocation(stmt))));

	target = linitial_node(ResTarget, stmt->targetList);
	if (target->name || target->indirection)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("predicate must not name its result"),
				 parser_errposition(pstate, target->location)));

	return target->val;
}

/*
 * Parse a predicate with literals read as standard SQL has them, whatever the
 * session's settings, and check what needs no row type
 */
Node *
PredicateParse(const char *source)
{
	PredicateErrorInfo info = {source, 0};
	ErrorContextCallback errcallback;
	ParseState *pstate;
	RawCheck	check;
	Node	   *expr;
	char	   *wrapped;
	int			nestlevel = -1;

	if (strlen(source) > PREDICATE_MAX_LENGTH)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("predicate of %zu bytes is longer than %d bytes",
						strlen(source), PREDICATE_MAX_LENGTH)));

	errcallback.callback = PredicateErrorCallback;
	errcallback.arg = &info;
	errcallback.previous = error_context_stack;
	error_context_stack = &errcallback;

	if (!standard_conforming_strings)
	{
		nestlevel = NewGUCNestLevel();
		(void) set_config_option("standard_conforming_strings", "on",
								 PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	}

	CheckTokenDepth(source);

	pstate = make_parsestate(NULL);
	pstate->p_sourcetext = source;

	expr = GetOnlyExpr(raw_parser(source, RAW_PARSE_PLPGSQL_EXPR), pstate);
	if (expr == NULL)
	{
		error_context_stack = errcallback.previous;
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("predicate is empty"),
				 errhint("Write true to match everything.")));
	}

	wrapped = psprintf("(%s)", source);
	info.shift = 1;
	(void) raw_parser(wrapped, RAW_PARSE_PLPGSQL_EXPR);
	info.shift = 0;
	pfree(wrapped);

	check.pstate = pstate;
	check.depth = 0;
	(void) CheckRawNode(expr, &check);

	free_parsestate(pstate);

	if (nestlevel >= 0)
		AtEOXact_GUC(true, nestlevel);

	error_context_stack = errcallback.previous;

	return expr;
}
