/*
 * Putting rows back that a merge deleted.
 *
 * What such a row refers to may be gone by now, and others may have its unique
 * values.  What can be left empty is, and is reported; where that is a later
 * merge's doing, that merge is to be undone first.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/index.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "merge/merge.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

static const PlanSource without_fields = {
	"SELECT $1 - $2", 2, {ARG_JSONB, ARG_TEXTS}
};

static const PlanSource without_values = {
	"SELECT $1 || COALESCE(pg_catalog.jsonb_object_agg(f.name, NULL::pg_catalog.text), '{}') FROM pg_catalog.unnest($2) f (name)",
	2, {ARG_JSONB, ARG_TEXTS}
};

/* An account whose one person has another account is an organisation */
static const PlanSource with_kind = {
	"SELECT CASE WHEN $1 ->> 'individual_contact_id' IS NULL THEN $1 || '{\"kind\": \"organisation\"}' ELSE $1 END",
	1, {ARG_JSONB}
};

/* A later merge that gave a row ($5) to whom a restored one ($3) belongs */
static const PlanSource find_brought = {
	"SELECT " TOP_MERGE("m.merge_id")
	" FROM (VALUES ('contact', ($3 ->> 'contact_id')::pg_catalog.int8),"
	" ('contact', ($3 ->> 'individual_contact_id')::pg_catalog.int8), ('account', ($3 ->> 'account_id')::pg_catalog.int8))"
	" o (entity, id) JOIN @workspace@.merge m ON m.entity = o.entity AND m.winner_id = o.id"
	" AND m.undone_at IS NULL AND m.merge_id > $2 AND m.merge_id <> ALL ($1)"
	" JOIN @workspace@.merge_change c ON c.merge_id = m.merge_id AND c.action = 'moved' AND c.schema_name IS NULL"
	" AND c.table_name = $4 AND c.keys @> pg_catalog.jsonb_build_array($5) LIMIT 1",
	5, {ARG_INT8S, ARG_INT8, ARG_JSONB, ARG_TEXT, ARG_JSONB}
};

/*
 * A later merge of a row that another later one had given to whom a restored
 * one ($3) belongs: were it undone, both would need the same place.
 */
static const PlanSource find_claim = {
	"SELECT " TOP_MERGE("r.merge_id") " AS merge_id, r.old_id"
	" FROM (VALUES ('contact', ($3 ->> 'contact_id')::pg_catalog.int8),"
	" ('contact', ($3 ->> 'individual_contact_id')::pg_catalog.int8), ('account', ($3 ->> 'account_id')::pg_catalog.int8))"
	" o (entity, id) JOIN @workspace@.merge m ON m.entity = o.entity AND m.winner_id = o.id"
	" AND m.undone_at IS NULL AND m.merge_id > $2 AND m.merge_id <> ALL ($1)"
	" JOIN @workspace@.merge_change c ON c.merge_id = m.merge_id AND c.action = 'moved' AND c.schema_name IS NULL"
	" AND c.table_name = $4 CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(c.keys) k (key)"
	" JOIN @workspace@.entity_redirect r ON r.entity = $4 AND r.old_id = (k.key ->> ($4 || '_id'))::pg_catalog.int8"
	" AND r.merge_id <> ALL ($1)"
	" JOIN @workspace@.merge_change x ON x.merge_id = r.merge_id AND x.action = 'removed' AND x.schema_name IS NULL"
	" AND x.table_name = $4 AND x.keys = pg_catalog.jsonb_build_array(k.key)"
	" WHERE x.before ->> 'individual_contact_id' = $3 ->> 'individual_contact_id'"
	" OR x.before ->> 'context_key' = $3 ->> 'context_key' AND x.before ->> 'status' = 'open' AND $3 ->> 'status' = 'open'"
	" AND x.before -> 'contact_id' IS NOT DISTINCT FROM $3 -> 'contact_id' ORDER BY 1 DESC LIMIT 1",
	4, {ARG_INT8S, ARG_INT8, ARG_JSONB, ARG_TEXT}
};

/* May all columns of a foreign key be null? */
static bool
MayBeNull(Relation rel, const ForeignKeyCacheInfo *key)
{
	for (int i = 0; i < key->nkeys; i++)
		if (TupleDescAttr(RelationGetDescr(rel), key->conkey[i] - 1)->attnotnull)
			return false;
	return true;
}

/* Is a column part of a foreign key? */
static bool
IsForeign(Relation rel, AttrNumber column)
{
	ListCell   *lc;

	foreach(lc, RelationGetFKeyList(rel))
	{
		const ForeignKeyCacheInfo *key = lfirst(lc);

		for (int i = 0; i < key->nkeys; i++)
			if (key->conkey[i] == column)
				return true;
	}
	return false;
}

/* Read whether a foreign key is checked at commit only, and whether rows go with what they refer to */
static bool
ReadAction(Oid constraint_id, bool *is_deferred)
{
	HeapTuple	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint_id));
	bool		cascades;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for constraint %u", constraint_id);
	*is_deferred = ((Form_pg_constraint) GETSTRUCT(tuple))->condeferred;
	cascades = ((Form_pg_constraint) GETSTRUCT(tuple))->confdeltype == FKCONSTR_ACTION_CASCADE;
	ReleaseSysCache(tuple);
	return cascades;
}

/* Read the operators by which the columns that a foreign key refers to are equal */
static void
ReadEquality(Oid constraint_id, Oid *operators)
{
	HeapTuple	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint_id));
	AttrNumber	columns[INDEX_MAX_KEYS];
	AttrNumber	targets[INDEX_MAX_KEYS];
	int			count;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for constraint %u", constraint_id);
	DeconstructFkConstraintRow(tuple, &count, columns, targets, NULL, operators, NULL, NULL, NULL);
	ReleaseSysCache(tuple);
}

/* Refuse when what a value of an image refers to was merged away by a later merge */
static void
RefuseMergedParent(UndoContext *undo, const MergeTable *parent, const char *column, Datum image)
{
	JsonbValue	id;

	if (parent->entity >= 0 &&
		getKeyJsonValueFromContainer(&DatumGetJsonbP(image)->root, column, strlen(column), &id) != NULL &&
		id.type == jbvNumeric)
		UndoRefuseMerged(undo, parent->entity,
					 DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(id.val.numeric))));
}

/* Is what an image refers to by a foreign key there, if it refers to anything? */
static bool
ParentIsThere(UndoContext *undo, const MergeTable *table, const ForeignKeyCacheInfo *key, Datum image, Datum *names)
{
	MergeTable *parent = MergeTableOf(&undo->merge, key->confrelid);
	Oid			operators[INDEX_MAX_KEYS];
	StringInfoData match;
	StringInfoData values;

	/* With the rights on what is referred to: those on the table itself may be others' */
	ReadEquality(key->conoid, operators);
	initStringInfo(&match);
	initStringInfo(&values);
	for (int i = 0; i < key->nkeys; i++)
	{
		const char *column = get_attname(table->relid, key->conkey[i], false);
		char	   *target = get_attname(key->confrelid, key->confkey[i], false);
		JsonbValue	value;

		if (getKeyJsonValueFromContainer(&DatumGetJsonbP(image)->root, column, strlen(column), &value) == NULL ||
			value.type == jbvNull)
			return true;
		names[i] = CStringGetTextDatum(column);
		appendStringInfo(&match, "%sp.%s %s r.%s", i ? " AND " : "", quote_identifier(target), OperatorText(operators[i]),
						 quote_identifier(target));
		appendStringInfo(&values, "%s%s, $1 -> %s", i ? ", " : "", quote_literal_cstr(target), quote_literal_cstr(column));
	}
	if (UndoExecute(undo, parent,
					psprintf("SELECT FROM %s p, lead_mgmt.row_of_image(NULL::%s, pg_catalog.jsonb_build_object(%s)) r WHERE %s",
							 parent->source, parent->type, values.data, match.data), 1, &image) > 0)
		return true;
	for (int i = 0; i < key->nkeys; i++)
		RefuseMergedParent(undo, parent, TextDatumGetCString(names[i]), image);
	return false;
}

/* Is all there that rows of a table are to refer to again? */
bool
UndoParentsAreThere(UndoContext *undo, const MergeTable *table, Datum image)
{
	Relation	rel = table_open(table->relid, AccessShareLock);
	List	   *keys = copyObject(RelationGetFKeyList(rel));
	ListCell   *lc;

	table_close(rel, NoLock);
	foreach(lc, keys)
	{
		ForeignKeyCacheInfo *key = lfirst(lc);
		Datum		names[INDEX_MAX_KEYS];
		bool		is_deferred;

		if (ParentIsThere(undo, table, key, image, names))
			continue;
		ReadAction(key->conoid, &is_deferred);
		if (!is_deferred)
			return false;
	}
	return true;
}

/*
 * Look after what the values to be put back refer to.  Where that is gone and
 * the reference may be empty, it is left empty and reported.  A row that is to
 * come back (is_new) and would have gone with what is gone does not come back:
 * 0 is returned.
 */
Datum
UndoParents(UndoContext *undo, const MergeTable *table, Datum key, Datum image, bool is_new)
{
	Relation	rel = table_open(table->relid, AccessShareLock);
	List	   *keys = copyObject(RelationGetFKeyList(rel));
	ListCell   *lc;

	foreach(lc, keys)
	{
		ForeignKeyCacheInfo *fkey = lfirst(lc);
		Datum		names[INDEX_MAX_KEYS];
		Datum		values[2] = {image, (Datum) 0};
		bool		is_deferred;
		bool		cascades;

		if (ParentIsThere(undo, table, fkey, image, names))
			continue;
		cascades = ReadAction(fkey->conoid, &is_deferred);
		if (is_deferred)
			continue;
		if (is_new && cascades)
		{
			image = (Datum) 0;
			break;
		}
		if (is_new && !MayBeNull(rel, fkey))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("merge " INT64_FORMAT " cannot be undone: a row of table %s refers to what is gone",
							undo->merge_id, table->type),
					 errdetail("There is no row of table %s with the %s that row %s had.", get_rel_name(fkey->confrelid),
							   TextDatumGetCString(names[0]), JsonbToCString(NULL, &DatumGetJsonbP(key)->root, 0)),
					 errhint("Insert it again first.")));
		for (int i = 0; i < fkey->nkeys; i++)
			UndoReport(undo, table->type, key, TextDatumGetCString(names[i]),
				   ImageMember(image, TextDatumGetCString(names[i])), (Datum) 0, REASON_PARENT_GONE);
		values[1] = PointerGetDatum(construct_array(names, fkey->nkeys, TEXTOID, -1, false, TYPALIGN_INT));
		WorkspaceExecute(undo->merge.ws, MayBeNull(rel, fkey) ? &without_values : &without_fields, values, NULL);
		image = ResultJson(0, 1, NULL);
	}
	table_close(rel, NoLock);
	return image;
}

/* Are unique constraints checked at once, so that ON CONFLICT can see to them? */
static bool
IsImmediate(const MergeTable *table)
{
	Relation	rel = table_open(table->relid, AccessShareLock);
	List	   *indexes = RelationGetIndexList(rel);
	ListCell   *lc;
	bool		is_immediate = true;

	foreach(lc, indexes)
	{
		HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(lfirst_oid(lc)));

		is_immediate &= ((Form_pg_index) GETSTRUCT(tuple))->indimmediate;
		ReleaseSysCache(tuple);
	}
	table_close(rel, NoLock);
	return is_immediate;
}

/* Insert a row from its image; false when a row of the same key is in the way */
static bool
InsertImage(UndoContext *undo, const MergeTable *table, Datum image)
{
	List	   *columns = ImageColumns(table, image);

	return UndoExecute(undo, table,
					   psprintf("INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE"
								" SELECT %s FROM lead_mgmt.row_of_image(NULL::%s, $1) r%s",
								table->type, ColumnList(columns, ", ", "", "", NULL),
								ColumnList(columns, ", ", "r.", "", NULL), table->type,
								IsImmediate(table) ? " ON CONFLICT DO NOTHING" : ""),
					   1, &image) > 0;
}

/* Refuse when the row in the way of a restored one came by a later merge */
static void
RefuseBrought(UndoContext *undo, const MergeTable *table, Datum image, Datum key)
{
	Datum		values[5] = {undo->tree, Int64GetDatum(undo->merge_id), image, CStringGetTextDatum(table->name), key};

	if (WorkspaceExecute(undo->merge.ws, &find_brought, values, NULL) > 0)
		UndoRefuse(undo, psprintf("row %s of table %s", JsonbToCString(NULL, &DatumGetJsonbP(key)->root, 0), table->type),
				   ResultInt64(0, 1, NULL));
}

/* Refuse when the place of a restored row is that of a row which is merged away now */
static void
RefuseClaimed(UndoContext *undo, const MergeTable *table, Datum image)
{
	Datum		values[4] = {undo->tree, Int64GetDatum(undo->merge_id), image, CStringGetTextDatum(table->name)};

	if (WorkspaceExecute(undo->merge.ws, &find_claim, values, NULL) > 0)
		UndoRefuse(undo, psprintf("%s " INT64_FORMAT, table->name, ResultInt64(0, 2, NULL)), ResultInt64(0, 1, NULL));
}

/*
 * Empty what an entity can do without in a unique index where another row has
 * its values by now, and report it; returns the image unchanged when the index
 * is not in the way.
 */
static Datum
YieldIndex(UndoContext *undo, const MergeTable *table, Relation rel, Relation unique, Datum key, Datum image)
{
	Form_pg_index index = unique->rd_index;
	IndexInfo  *info = BuildIndexInfo(unique);
	char	   *predicate = IndexPredicate(rel, info);
	StringInfoData match;
	Datum		names[INDEX_MAX_KEYS];
	Datum		values[2] = {image, (Datum) 0};
	int			count = 0;

	initStringInfo(&match);
	for (int i = 0; i < index->indnkeyatts; i++)
	{
		Form_pg_attribute attribute;
		const char *name;

		if (index->indkey.values[i] == 0)
			return image;
		attribute = TupleDescAttr(RelationGetDescr(rel), index->indkey.values[i] - 1);
		name = quote_identifier(NameStr(attribute->attname));
		appendStringInfo(&match, "%st.%s %s r.%s", i ? " AND " : "", name,
						 info->ii_NullsNotDistinct ? "IS NOT DISTINCT FROM" : "=", name);
		if (!attribute->attnotnull && (table->entity == ENTITY_ACCOUNT || !IsForeign(rel, attribute->attnum)))
			names[count++] = CStringGetTextDatum(NameStr(attribute->attname));
	}
	if (UndoExecute(undo, table,
					psprintf("SELECT %s FROM (SELECT * FROM %s%s) t,"
							 " (SELECT * FROM lead_mgmt.row_of_image(NULL::%s, $1)%s) r WHERE %s LIMIT 1",
							 table->key_json, table->source, predicate, table->type, predicate, match.data), 1, values) == 0)
		return image;
	RefuseBrought(undo, table, image, ResultJson(0, 1, NULL));
	if (count == 0)
		return image;
	for (int i = 0; i < count; i++)
		UndoReport(undo, table->type, key, TextDatumGetCString(names[i]),
			   ImageMember(image, TextDatumGetCString(names[i])), (Datum) 0, REASON_TAKEN);
	values[1] = PointerGetDatum(construct_array(names, count, TEXTOID, -1, false, TYPALIGN_INT));
	WorkspaceExecute(undo->merge.ws, &without_values, values, NULL);
	return ResultJson(0, 1, NULL);
}

/* Give way to the rows that have taken an entity's unique values, such as a lead's context */
static Datum
Yield(UndoContext *undo, const MergeTable *table, Datum key, Datum image)
{
	Relation	rel = table_open(table->relid, AccessShareLock);
	List	   *indexes = RelationGetIndexList(rel);
	ListCell   *lc;

	foreach(lc, indexes)
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);

		if (index->rd_index->indisunique && !index->rd_index->indisprimary)
			image = YieldIndex(undo, table, rel, index, key, image);
		index_close(index, AccessShareLock);
	}
	table_close(rel, NoLock);
	return image;
}

/* Would a lead tell whom it is of? */
static bool
TellsWhose(Datum lead)
{
	static const char *const known_by[] = {"contact_id", "account_id", "contact_name", "company_name", "email", "phone"};

	for (int i = 0; i < lengthof(known_by); i++)
	{
		JsonbValue	value;

		if (getKeyJsonValueFromContainer(&DatumGetJsonbP(lead)->root, known_by[i], strlen(known_by[i]), &value) != NULL &&
			value.type != jbvNull)
			return true;
	}
	return false;
}

/* Put a row back that the merge deleted */
void
UndoInsert(UndoContext *undo, const MergeTable *table, Datum key, Datum image)
{
	Datum		whole = image;

	image = UndoParents(undo, table, key, image, true);
	if (image == (Datum) 0 || (table->entity == ENTITY_LEAD && !TellsWhose(image)))
	{
		UndoReport(undo, table->type, key, NULL, whole, (Datum) 0, REASON_PARENT_GONE);
		return;
	}
	if (table->entity == ENTITY_ACCOUNT || table->entity == ENTITY_LEAD)
		RefuseClaimed(undo, table, image);
	if (InsertImage(undo, table, image))
		return;
	if (table->entity < 0)
	{
		UndoReport(undo, table->type, key, NULL, image, (Datum) 0, REASON_TAKEN);
		return;
	}
	image = Yield(undo, table, key, image);
	if (table->entity == ENTITY_ACCOUNT)
	{
		WorkspaceExecute(undo->merge.ws, &with_kind, &image, NULL);
		image = ResultJson(0, 1, NULL);
	}
	if (!InsertImage(undo, table, image))
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("merge " INT64_FORMAT " cannot be undone: the place of %s " INT64_FORMAT " is taken",
						undo->merge_id, EntityNames[table->entity], MergeKeyId(table, key)),
				 errdetail("Its key, or another unique value of table %s, belongs to a row that was made since.",
						   table->type)));
}
