/*
 * Rows that would collide.
 *
 * When rows that refer to a loser come to refer to the winner, some may stand
 * against a unique index or an exclusion constraint of their table: the winner
 * has such a row already.  For each index that the change can touch, a
 * statement is written that works out the rows as they will be, generated
 * columns and all, evaluates the index's own expressions and predicate over
 * them, and joins them by the index's own operators to the rows that are in
 * the way.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/index.h"
#include "executor/executor.h"
#include "merge/merge.h"
#include "nodes/execnodes.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"

/* Get the expression of a generated column, NULL when it is an ordinary one */
static Node *
GeneratedBy(Relation rel, AttrNumber column)
{
	TupleConstr *constr = RelationGetDescr(rel)->constr;

	if (column <= 0 || TupleDescAttr(RelationGetDescr(rel), column - 1)->attgenerated == '\0')
		return NULL;
	for (int i = 0; constr && i < constr->num_defval; i++)
		if (constr->defval[i].adnum == column)
			return stringToNode(constr->defval[i].adbin);
	return NULL;
}

/* Collect the columns that an expression reads, those behind generated ones too */
static Bitmapset *
AddColumnsOf(Relation rel, Node *expression, Bitmapset *columns)
{
	Bitmapset  *found = NULL;
	int			member = -1;

	pull_varattnos(expression, 1, &found);
	while ((member = bms_next_member(found, member)) >= 0)
	{
		AttrNumber	column = member + FirstLowInvalidHeapAttributeNumber;
		Node	   *generated = GeneratedBy(rel, column);

		columns = bms_add_member(columns, member);
		if (generated)
			pull_varattnos(generated, 1, &columns);
	}
	return columns;
}

/* Can setting the reference's columns make rows collide in an index? */
static bool
IsTouched(Relation rel, const IndexInfo *info, const Reference *reference)
{
	Bitmapset  *columns = NULL;

	for (int i = 0; i < info->ii_NumIndexKeyAttrs; i++)
	{
		AttrNumber	column = info->ii_IndexAttrNumbers[i];
		Node	   *generated = GeneratedBy(rel, column);

		if (column != 0)
			columns = bms_add_member(columns, column - FirstLowInvalidHeapAttributeNumber);
		if (generated)
			pull_varattnos(generated, 1, &columns);
	}
	columns = AddColumnsOf(rel, (Node *) info->ii_Expressions, columns);
	columns = AddColumnsOf(rel, (Node *) info->ii_Predicate, columns);
	for (int i = 0; i < reference->column_count; i++)
		if (bms_is_member(reference->columns[i] - FirstLowInvalidHeapAttributeNumber, columns))
			return true;
	return false;
}

/* Write an expression over the columns of a table, without naming the table */
static char *
Deparse(Relation rel, Node *expression)
{
	return deparse_expression(expression,
							  deparse_context_for(RelationGetRelationName(rel), RelationGetRelid(rel)),
							  false, false);
}

/* Write what an index holds of a row: its expressions as merge_1, merge_2 … */
static char *
IndexColumns(Relation rel, Relation index, const IndexInfo *info)
{
	StringInfoData text;
	ListCell   *next = list_head(info->ii_Expressions);

	initStringInfo(&text);
	for (int i = 0; i < info->ii_NumIndexKeyAttrs; i++)
	{
		AttrNumber	column = info->ii_IndexAttrNumbers[i];

		if (column != 0)
			appendStringInfoString(&text, quote_identifier(NameStr(TupleDescAttr(RelationGetDescr(rel), column - 1)->attname)));
		else
		{
			appendStringInfo(&text, "(%s)", Deparse(rel, lfirst(next)));
			next = lnext(info->ii_Expressions, next);
		}
		if (OidIsValid(index->rd_indcollation[i]))
			appendStringInfo(&text, " COLLATE %s", generate_collation_name(index->rd_indcollation[i]));
		appendStringInfo(&text, " AS merge_%d, ", i + 1);
	}
	return text.data;
}

/* Write the predicate of a partial index as a WHERE clause */
char *
IndexPredicate(Relation rel, const IndexInfo *info)
{
	if (info->ii_Predicate == NIL)
		return "";
	return psprintf(" WHERE %s", Deparse(rel, (Node *) make_ands_explicit(info->ii_Predicate)));
}

/* Write the condition under which row l collides with row k in an index */
static char *
IndexCondition(Relation index, const IndexInfo *info)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < info->ii_NumIndexKeyAttrs; i++)
	{
		Oid			operator_id = info->ii_ExclusionOps ? info->ii_ExclusionOps[i] :
		get_opfamily_member(index->rd_opfamily[i], index->rd_opcintype[i], index->rd_opcintype[i],
							BTEqualStrategyNumber);

		appendStringInfo(&text, "(k.merge_%d %s l.merge_%d", i + 1, OperatorText(operator_id), i + 1);
		if (info->ii_NullsNotDistinct)
			appendStringInfo(&text, " OR k.merge_%d IS NULL AND l.merge_%d IS NULL", i + 1, i + 1);
		appendStringInfoString(&text, ") AND ");
	}
	return text.data;
}

/* Write the rows of the loser as they will be: merge_key, merge_table, merge_row and the columns */
static char *
FutureRows(Relation rel, const Reference *reference)
{
	StringInfoData base;
	StringInfoData outer;
	TupleDesc	desc = RelationGetDescr(rel);

	initStringInfo(&base);
	initStringInfo(&outer);
	appendStringInfo(&base, "SELECT %s AS merge_key, t.tableoid AS merge_table, t.ctid AS merge_row",
					 reference->table->key_json);
	appendStringInfoString(&outer, "SELECT b.*");
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		const char *name = quote_identifier(NameStr(attribute->attname));
		int			position = 0;

		if (attribute->attisdropped)
			continue;
		if (attribute->attgenerated != '\0')
		{
			appendStringInfo(&outer, ", (%s) AS %s", Deparse(rel, GeneratedBy(rel, i + 1)), name);
			continue;
		}
		while (position < reference->column_count && reference->columns[position] != i + 1)
			position++;
		if (position < reference->column_count)
			appendStringInfo(&base, ", CAST($%d AS %s) AS %s", reference->column_count + position + 1,
							 format_type_with_typemod(attribute->atttypid, attribute->atttypmod), name);
		else
			appendStringInfo(&base, ", t.%s", name);
	}
	appendStringInfo(&base, " FROM %s t WHERE ", reference->table->source);
	for (int i = 0; i < reference->column_count; i++)
		appendStringInfo(&base, "%s$%d %s t.%s", i ? " AND " : "", i + 1, OperatorText(reference->operators[i]),
						 quote_identifier(NameStr(TupleDescAttr(desc, reference->columns[i] - 1)->attname)));
	if (reference->is_self)
	{
		appendStringInfoString(&base, " AND NOT (");
		for (int i = 0; i < reference->column_count; i++)
			appendStringInfo(&base, "%st.%s = $%d", i ? " AND " : "",
							 quote_identifier(NameStr(TupleDescAttr(desc, reference->targets[i] - 1)->attname)),
							 reference->column_count + i + 1);
		appendStringInfoChar(&base, ')');
	}
	return psprintf("%s FROM (%s) b", outer.data, base.data);
}

/*
 * Write a statement that deletes, as the statements below do, rows that would
 * link the winner with itself where a check of their table forbids that; NULL
 * when the table has no check that the two references can fail.
 */
char *
SelfLinkStatement(const Reference *reference, const Reference *other)
{
	const MergeTable *table = reference->table;
	Relation	rel = table_open(table->relid, AccessShareLock);
	TupleConstr *constr = RelationGetDescr(rel)->constr;
	StringInfoData checks;
	char	   *future;

	initStringInfo(&checks);
	for (int i = 0; constr && i < constr->num_check; i++)
	{
		Node	   *check = stringToNode(constr->check[i].ccbin);
		Bitmapset  *columns = AddColumnsOf(rel, check, NULL);

		if (bms_is_member(reference->columns[0] - FirstLowInvalidHeapAttributeNumber, columns) &&
			bms_is_member(other->columns[0] - FirstLowInvalidHeapAttributeNumber, columns))
			appendStringInfo(&checks, "%s(%s) IS FALSE", checks.len ? " OR " : "", Deparse(rel, check));
	}
	future = FutureRows(rel, reference);
	table_close(rel, NoLock);
	if (checks.len == 0)
		return NULL;
	return psprintf("WITH c AS (SELECT merge_table, merge_row FROM (%s) f WHERE $2 %s %s AND (%s))"
					" DELETE FROM %s t USING c WHERE t.tableoid = c.merge_table AND t.ctid = c.merge_row"
					" RETURNING pg_catalog.jsonb_build_array(%s), lead_mgmt.row_image(t.*), NULL::pg_catalog.jsonb",
					future, OperatorText(other->operators[0]),
					quote_identifier(get_attname(table->relid, other->columns[0], false)), checks.data,
					table->source, table->key_json);
}

/*
 * Write a statement for each index in which rows can collide when a reference
 * to a loser ($1 …) is set to the winner (the arguments after).  It deletes
 * the loser's rows and returns keys, image and key of the row in the way; or,
 * where a row cannot just be deleted, it returns two keys and no image.
 */
List *
CollisionStatements(const Reference *reference, bool absorbs)
{
	Relation	rel = table_open(reference->table->relid, AccessShareLock);
	const MergeTable *table = reference->table;
	List	   *indexes = RelationGetIndexList(rel);
	List	   *statements = NIL;
	ListCell   *lc;

	foreach(lc, indexes)
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);
		IndexInfo  *info = BuildIndexInfo(index);

		if (index->rd_index->indisvalid && (info->ii_Unique || info->ii_ExclusionOps) &&
			IsTouched(rel, info, reference))
		{
			char	   *columns = IndexColumns(rel, index, info);
			char	   *predicate = IndexPredicate(rel, info);
			char	   *pairs;

			pairs = psprintf("(SELECT %smerge_key, merge_table, merge_row FROM (%s) f%s) l"
							 " JOIN (SELECT %s%s AS merge_key, t.tableoid AS merge_table, t.ctid AS merge_row"
							 " FROM %s t%s) k ON %s(k.merge_table, k.merge_row) <> (l.merge_table, l.merge_row)",
							 columns, FutureRows(rel, reference), predicate,
							 columns, table->key_json, table->source, predicate, IndexCondition(index, info));
			statements = lappend(statements, absorbs ?
								 psprintf("WITH c AS (SELECT DISTINCT ON (l.merge_table, l.merge_row)"
										  " l.merge_table, l.merge_row, k.merge_key FROM %s)"
										  " DELETE FROM %s t USING c WHERE t.tableoid = c.merge_table"
										  " AND t.ctid = c.merge_row RETURNING pg_catalog.jsonb_build_array(%s), lead_mgmt.row_image(t.*), c.merge_key",
										  pairs, table->source, table->key_json) :
								 psprintf("SELECT l.merge_key, k.merge_key FROM %s ORDER BY l.merge_key, k.merge_key LIMIT 1",
										  pairs));
		}
		index_close(index, AccessShareLock);
	}
	table_close(rel, NoLock);
	return statements;
}
