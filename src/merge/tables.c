/*
 * The tables that a merge meets: what identifies their rows, and who refers
 * to whom, as the catalog has it.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "merge/merge.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

static const char *const id_columns[ENTITY_COUNT] = {"contact_id", "account_id", "lead_id"};

/* Get the name of the key column of an entity */
const char *
EntityIdColumn(EntityKind entity)
{
	return id_columns[entity];
}

/* May an index serve as the key of its table? */
static bool
IsKey(Relation rel, Form_pg_index index, HeapTuple tuple)
{
	if (!index->indisunique || !index->indisvalid || !index->indimmediate ||
		!heap_attisnull(tuple, Anum_pg_index_indpred, NULL))
		return false;
	for (int i = 0; i < index->indnkeyatts; i++)
	{
		AttrNumber	attribute = index->indkey.values[i];

		if (attribute <= 0 || !TupleDescAttr(RelationGetDescr(rel), attribute - 1)->attnotnull)
			return false;
	}
	return true;
}

/* Find what identifies a row: the primary key, or else a unique index that is as good */
static void
FindKey(Relation rel, MergeTable *table)
{
	List	   *indexes = RelationGetIndexList(rel);
	ListCell   *lc;

	foreach(lc, indexes)
	{
		HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(lfirst_oid(lc)));
		Form_pg_index index;
		bool		is_primary;

		if (!HeapTupleIsValid(tuple))
			elog(ERROR, "cache lookup failed for index %u", lfirst_oid(lc));
		index = (Form_pg_index) GETSTRUCT(tuple);
		is_primary = index->indisprimary;
		if (is_primary || (table->key_count == 0 && IsKey(rel, index, tuple)))
		{
			table->key_count = index->indnkeyatts;
			memcpy(table->key, index->indkey.values, sizeof(AttrNumber) * index->indnkeyatts);
		}
		ReleaseSysCache(tuple);
		if (is_primary)
			break;
	}
	list_free(indexes);
}

/* Write out how the key of a row is taken and compared */
static void
WriteKey(Relation rel, MergeTable *table)
{
	StringInfoData json;

	if (table->key_count == 0)
	{
		table->key_json = "lead_mgmt.row_image(t.*)";
		return;
	}
	initStringInfo(&json);
	for (int i = 0; i < table->key_count; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(rel), table->key[i] - 1);

		table->key_names[i] = pstrdup(quote_identifier(NameStr(attribute->attname)));
		table->key_operators[i] = OperatorText(lookup_type_cache(attribute->atttypid, TYPECACHE_EQ_OPR)->eq_opr);
		appendStringInfo(&json, "%s%s, %s", i ? ", " : "pg_catalog.jsonb_build_object(",
						 quote_literal_cstr(NameStr(attribute->attname)),
						 MergeJson(psprintf("t.%s", table->key_names[i]), attribute->atttypid));
	}
	appendStringInfoChar(&json, ')');
	table->key_json = json.data;
}

/* Write the condition that two rows of a table have the same key */
char *
MergeKeyMatch(const MergeTable *table, const char *left, const char *right)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < table->key_count; i++)
		appendStringInfo(&text, "%s%s.%s %s %s.%s", i ? " AND " : "", left, table->key_names[i],
						 table->key_operators[i], right, table->key_names[i]);
	return text.data;
}

/* Is the table referred to by foreign keys? */
static bool
IsReferenced(Relation rel)
{
	for (int i = 0; rel->trigdesc && i < rel->trigdesc->numtriggers; i++)
		if (RI_FKey_trigger_type(rel->trigdesc->triggers[i].tgfoid) == RI_TRIGGER_PK)
			return true;
	return false;
}

/* Get what a merge needs to know of a table */
MergeTable *
MergeTableOf(MergeContext *ctx, Oid relid)
{
	ListCell   *lc;
	MergeTable *table;
	Relation	rel;
	MemoryContext old;

	foreach(lc, ctx->tables)
	{
		table = lfirst(lc);
		if (table->relid == relid)
			return table;
	}
	old = MemoryContextSwitchTo(ctx->context);
	rel = table_open(relid, AccessShareLock);
	table = palloc0(sizeof(MergeTable));
	table->relid = relid;
	table->name = pstrdup(RelationGetRelationName(rel));
	if (RelationGetNamespace(rel) != ctx->ws->namespace_id)
		table->schema = get_namespace_name(RelationGetNamespace(rel));
	table->is_ours = table->schema == NULL && rel->rd_rel->relowner == ctx->ws->owner;
	table->is_referenced = IsReferenced(rel);
	table->type = pstrdup(quote_qualified_identifier(table->schema ? table->schema : ctx->ws->name, table->name));
	table->source = rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE ? table->type : psprintf("ONLY %s", table->type);
	table->entity = -1;
	for (int entity = 0; table->schema == NULL && entity < ENTITY_COUNT; entity++)
		if (strcmp(table->name, EntityNames[entity]) == 0)
			table->entity = entity;
	FindKey(rel, table);
	WriteKey(rel, table);
	table_close(rel, NoLock);
	ctx->tables = lappend(ctx->tables, table);
	MemoryContextSwitchTo(old);
	return table;
}

/* Get a table by name, a NULL schema being the workspace; NULL when there is none */
MergeTable *
MergeTableNamed(MergeContext *ctx, const char *schema, const char *name)
{
	Oid			namespace_id = schema ? get_namespace_oid(schema, true) : ctx->ws->namespace_id;
	Oid			relid = OidIsValid(namespace_id) ? get_relname_relid(name, namespace_id) : InvalidOid;
	char		kind = OidIsValid(relid) ? get_rel_relkind(relid) : '\0';

	return kind == RELKIND_RELATION || kind == RELKIND_PARTITIONED_TABLE ? MergeTableOf(ctx, relid) : NULL;
}

/* Get the table of an entity */
MergeTable *
MergeEntityTable(MergeContext *ctx, EntityKind entity)
{
	return MergeTableOf(ctx, WorkspaceRelation(ctx->ws, EntityNames[entity]));
}

/* Read a foreign key; NULL for a part of one on a partitioned table */
static Reference *
ReadReference(MergeContext *ctx, Oid constraint_id, const MergeTable *target)
{
	HeapTuple	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint_id));
	Form_pg_constraint form;
	Reference  *reference = NULL;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for constraint %u", constraint_id);
	form = (Form_pg_constraint) GETSTRUCT(tuple);
	if (!OidIsValid(form->conparentid))
	{
		reference = palloc0(sizeof(Reference));
		reference->constraint_id = constraint_id;
		DeconstructFkConstraintRow(tuple, &reference->column_count, reference->columns, reference->targets,
								   reference->operators, NULL, NULL, NULL, NULL);
		for (int i = 0; i < reference->column_count; i++)
			reference->types[i] = get_atttype(target->relid, reference->targets[i]);
		reference->table = MergeTableOf(ctx, form->conrelid);
		reference->follows_update = form->confupdtype == FKCONSTR_ACTION_CASCADE;
		reference->is_self = form->conrelid == target->relid;
	}
	ReleaseSysCache(tuple);
	return reference;
}

/*
 * List the foreign keys to a table.  Each has triggers on the table referred
 * to, which the relation cache holds, whereas pg_constraint has no index to
 * find them by.
 */
List *
ReferencesTo(MergeContext *ctx, const MergeTable *target)
{
	Relation	rel = table_open(target->relid, AccessShareLock);
	List	   *constraints = NIL;
	List	   *references = NIL;
	ListCell   *lc;

	for (int i = 0; rel->trigdesc && i < rel->trigdesc->numtriggers; i++)
	{
		Trigger    *trigger = &rel->trigdesc->triggers[i];

		if (RI_FKey_trigger_type(trigger->tgfoid) == RI_TRIGGER_PK)
			constraints = list_append_unique_oid(constraints, trigger->tgconstraint);
	}
	table_close(rel, NoLock);
	/* Triggers come by names that numbers are in: 99999 would stand after 100000 */
	list_sort(constraints, list_oid_cmp);
	foreach(lc, constraints)
	{
		Reference  *reference = ReadReference(ctx, lfirst_oid(lc), target);

		if (reference)
			references = lappend(references, reference);
	}
	return references;
}

/*
 * Refuse to touch a table of somebody else's that the caller may not change:
 * any column of it when no reference is given, else those that refer.
 */
void
CheckRights(MergeContext *ctx, const MergeTable *table, const Reference *reference)
{
	bool		may = true;

	if (table->is_ours)
		return;
	for (int i = 0; may && reference && i < reference->column_count; i++)
		may = pg_attribute_aclcheck(table->relid, reference->columns[i], ctx->caller, ACL_UPDATE) == ACLCHECK_OK ||
			pg_class_aclcheck(table->relid, ctx->caller, ACL_UPDATE) == ACLCHECK_OK;
	if (reference == NULL)
		may = pg_class_aclcheck(table->relid, ctx->caller, ACL_UPDATE) == ACLCHECK_OK ||
			pg_attribute_aclcheck_all(table->relid, ctx->caller, ACL_UPDATE, ACLMASK_ANY) == ACLCHECK_OK;
	if (!may || pg_class_aclcheck(table->relid, ctx->caller, ACL_SELECT) != ACLCHECK_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("role \"%s\" may not update table %s, whose rows the merge concerns",
						GetUserNameFromId(ctx->caller, false), table->type),
				 errhint("Grant SELECT and UPDATE on the table, or let a role merge that has them.")));
}
