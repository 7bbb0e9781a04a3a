/*
 * Moving what refers to one row over to another.
 *
 * Rows that would collide with rows the winner has already are absorbed by
 * those: entities are merged in their turn, rows that others refer to hand
 * their references on the same way, and the rest is deleted.  Everything else
 * is updated, a table at a time.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "merge/merge.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* Two leads of one pipeline, the second of which got further */
static const PlanSource further_lead = {
	"SELECT b.lead_id FROM @workspace@.lead a"
	" JOIN @workspace@.stage s ON s.pipeline = a.pipeline AND s.stage = a.stage"
	" JOIN @workspace@.lead b ON b.lead_id = $2 AND b.pipeline = a.pipeline"
	" JOIN @workspace@.stage r ON r.pipeline = b.pipeline AND r.stage = b.stage"
	" WHERE a.lead_id = $1 AND r.sequence > s.sequence",
	2, {ARG_INT8, ARG_INT8}
};

/* Get the name of a reference's column */
static const char *
ColumnName(const Reference *reference, int i)
{
	return quote_identifier(get_attname(reference->table->relid, reference->columns[i], false));
}

/* Get the name of a column that a reference refers to, in its own table */
static const char *
TargetName(const Reference *reference, int i)
{
	return quote_identifier(get_attname(reference->table->relid, reference->targets[i], false));
}

/* Put the values of both sides one after the other, as the statements take them */
static void
SetArguments(const Reference *reference, const Datum *from, const Datum *to, Oid *types, Datum *values)
{
	for (int i = 0; i < reference->column_count; i++)
	{
		types[i] = types[reference->column_count + i] = reference->types[i];
		values[i] = from[i];
		values[reference->column_count + i] = to[i];
	}
}

/* Write the values a reference has, from an argument on, as a JSON object */
static char *
ValuesJson(const Reference *reference, int argument)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < reference->column_count; i++)
		appendStringInfo(&text, "%s%s, %s", i ? ", " : "pg_catalog.jsonb_build_object(",
						 quote_literal_cstr(get_attname(reference->table->relid, reference->columns[i], false)),
						 MergeJson(psprintf("$%d", argument + i), reference->types[i]));
	appendStringInfoChar(&text, ')');
	return text.data;
}

/* Write the condition that row t refers to the loser, but is not the winner itself */
static char *
RefersToLoser(const Reference *reference)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < reference->column_count; i++)
		appendStringInfo(&text, "%s$%d %s t.%s", i ? " AND " : "", i + 1,
						 OperatorText(reference->operators[i]), ColumnName(reference, i));
	if (reference->is_self)
		for (int i = 0; i < reference->column_count; i++)
			appendStringInfo(&text, "%st.%s = $%d%s", i ? " AND " : " AND NOT (", TargetName(reference, i),
							 reference->column_count + i + 1, i == reference->column_count - 1 ? ")" : "");
	if (reference->condition)
		appendStringInfo(&text, " AND %s", reference->condition);
	return text.data;
}

/* Set a reference to the winner in all rows that refer to the loser */
void
MoveRows(MergeContext *ctx, int64 merge_id, const Reference *reference, const Datum *from, const Datum *to)
{
	const MergeTable *table = reference->table;
	int			count = reference->column_count;
	Oid			types[MERGE_MAX_ARGUMENTS];
	Datum		values[MERGE_MAX_ARGUMENTS];
	StringInfoData sql;
	SPITupleTable *chunks;
	int			n;

	initStringInfo(&sql);
	appendStringInfo(&sql, "WITH moved AS (UPDATE %s AS t SET ", table->source);
	for (int i = 0; i < count; i++)
		appendStringInfo(&sql, "%s%s = $%d", i ? ", " : "", ColumnName(reference, i), count + i + 1);
	appendStringInfo(&sql, " WHERE %s RETURNING %s AS key)"
					 " SELECT pg_catalog.jsonb_agg(m.key), %s, %s, pg_catalog.count(*)"
					 " FROM (SELECT moved.key, (pg_catalog.row_number() OVER () - 1) / %d AS chunk FROM moved) m"
					 " GROUP BY m.chunk ORDER BY m.chunk",
					 RefersToLoser(reference), table->key_json, ValuesJson(reference, 1),
					 ValuesJson(reference, count + 1), MERGE_LOG_KEYS);
	SetArguments(reference, from, to, types, values);
	n = MergeExecute(ctx, table, sql.data, count * 2, types, values);
	chunks = SPI_tuptable;
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		SPI_tuptable = chunks;
		ctx->moved += ResultInt64(i, 4, NULL);
		LogChange(ctx, merge_id, ACTION_MOVED, table, ResultJson(i, 1, NULL), ResultJson(i, 2, NULL),
				  ResultJson(i, 3, NULL), (Datum) 0);
	}
	SPI_freetuptable(chunks);
}

/* Clear the winner's own reference to the loser, which would be one to itself */
static void
ClearOwn(MergeContext *ctx, int64 merge_id, const Reference *reference, const Datum *from, const Datum *to)
{
	const MergeTable *table = reference->table;
	int			count = reference->column_count;
	Oid			types[MERGE_MAX_ARGUMENTS];
	Datum		values[MERGE_MAX_ARGUMENTS];
	StringInfoData set;
	StringInfoData refers;
	StringInfoData itself;
	StringInfoData cleared;

	initStringInfo(&set);
	initStringInfo(&refers);
	initStringInfo(&itself);
	initStringInfo(&cleared);
	for (int i = 0; i < count; i++)
	{
		const char *separator = i ? " AND " : "";

		appendStringInfo(&set, "%s%s = NULL", i ? ", " : "", ColumnName(reference, i));
		appendStringInfo(&refers, "%s$%d %s t.%s", separator, i + 1, OperatorText(reference->operators[i]),
						 ColumnName(reference, i));
		appendStringInfo(&itself, " AND t.%s = $%d", TargetName(reference, i), count + i + 1);
		appendStringInfo(&cleared, "%s%s, NULL", i ? ", " : "",
						 quote_literal_cstr(get_attname(table->relid, reference->columns[i], false)));
	}
	SetArguments(reference, from, to, types, values);
	if (MergeExecute(ctx, table,
					 psprintf("UPDATE %s AS t SET %s WHERE %s%s"
							  " RETURNING pg_catalog.jsonb_build_array(%s), %s, pg_catalog.jsonb_build_object(%s)",
							  table->source, set.data, refers.data, itself.data, table->key_json,
							  ValuesJson(reference, 1), cleared.data),
					 count * 2, types, values) > 0)
		LogChange(ctx, merge_id, ACTION_CHANGED, table, ResultJson(0, 1, NULL), ResultJson(0, 2, NULL),
				  ResultJson(0, 3, NULL), (Datum) 0);
}

/* Order two entities by which is to survive the other; leads that got further do */
static bool
LoserSurvives(MergeContext *ctx, EntityKind entity, int64 keeper, int64 loser)
{
	Datum		values[2] = {Int64GetDatum(keeper), Int64GetDatum(loser)};

	return entity == ENTITY_LEAD && WorkspaceExecute(ctx->ws, &further_lead, values, NULL) > 0;
}

/* Delete a row that another one stands in for, given by its key */
static void
DeleteAbsorbed(MergeContext *ctx, int64 merge_id, const MergeTable *table, Datum keeper, Datum loser)
{
	Oid			type = JSONBOID;
	Datum		keys;
	Datum		image;

	if (MergeExecute(ctx, table,
					 psprintf("DELETE FROM %s AS t USING lead_mgmt.row_of_image(NULL::%s, $1) k WHERE %s"
							  " RETURNING pg_catalog.jsonb_build_array(%s), lead_mgmt.row_image(t.*)",
							  table->source, table->type, MergeKeyMatch(table, "t", "k"), table->key_json),
					 1, &type, &loser) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
				 errmsg("a row of table %s that the winner has already could not be removed", table->type),
				 errdetail("Its key is %s.", JsonbToCString(NULL, &DatumGetJsonbP(loser)->root, 0)),
				 errhint("A trigger or rule of the table may stand in the way.")));
	keys = ResultJson(0, 1, NULL);
	image = ResultJson(0, 2, NULL);
	LogChange(ctx, merge_id, ACTION_ABSORBED, table, keys, image, (Datum) 0, keeper);
	ctx->absorbed++;
}

/* Get the id in the key of an entity's row */
int64
MergeKeyId(const MergeTable *table, Datum key)
{
	const char *column = EntityIdColumn(table->entity);
	JsonbValue	value;

	getKeyJsonValueFromContainer(&DatumGetJsonbP(key)->root, column, strlen(column), &value);
	return DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(value.val.numeric)));
}

/* Let the winner's row absorb one of the loser's that collides with it */
static void
AbsorbRow(MergeContext *ctx, int64 merge_id, const MergeTable *table, Datum keeper, Datum loser)
{
	if (table->entity >= 0)
	{
		int64		kept = MergeKeyId(table, keeper);
		int64		lost = MergeKeyId(table, loser);

		if (LoserSurvives(ctx, table->entity, kept, lost))
			MergeEntity(ctx, merge_id, table->entity, lost, &kept, 1, NULL);
		else
			MergeEntity(ctx, merge_id, table->entity, kept, &lost, 1, NULL);
		return;
	}
	if (table->key_count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table %s has rows that collide when merged, but no primary key", table->type),
				 errhint("Give it a primary key.")));
	MoveReferences(ctx, merge_id, table, keeper, loser);
	DeleteAbsorbed(ctx, merge_id, table, keeper, loser);
}

/*
 * Do other tables refer to a table by columns that the reference sets, with
 * keys that do not follow an update?
 */
static bool
IsPinned(MergeContext *ctx, const Reference *reference)
{
	ListCell   *lc;

	if (!reference->table->is_referenced)
		return false;
	foreach(lc, ReferencesTo(ctx, reference->table))
	{
		const Reference *pin = lfirst(lc);

		for (int i = 0; i < reference->column_count; i++)
			for (int j = 0; j < pin->column_count; j++)
				if (pin->targets[j] == reference->columns[i] && !pin->follows_update)
					return true;
	}
	return false;
}

/* Write the columns of a table, those that a reference sets as its new values */
static char *
CopiedColumns(const Reference *reference, bool as_values)
{
	Relation	rel = table_open(reference->table->relid, AccessShareLock);
	TupleDesc	desc = RelationGetDescr(rel);
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		int			position = 0;

		if (attribute->attisdropped || attribute->attgenerated != '\0')
			continue;
		while (position < reference->column_count && reference->columns[position] != i + 1)
			position++;
		appendStringInfoString(&text, text.len ? ", " : "");
		if (as_values && position < reference->column_count)
			appendStringInfo(&text, "$%d", reference->column_count + position + 1);
		else
			appendStringInfo(&text, "%s%s", as_values ? "t." : "", quote_identifier(NameStr(attribute->attname)));
	}
	table_close(rel, NoLock);
	return text.data;
}

/*
 * Move rows whose key others refer to and that the reference is part of: a
 * copy with the new key is made, takes over what refers to the row, and
 * stands in for it.
 */
static void
MovePinnedRows(MergeContext *ctx, int64 merge_id, const Reference *reference, const Datum *from, const Datum *to)
{
	const MergeTable *table = reference->table;
	Oid			types[MERGE_MAX_ARGUMENTS];
	Datum		values[MERGE_MAX_ARGUMENTS];
	char	   *sql;

	sql = psprintf("WITH one AS (SELECT t.tableoid, t.ctid, %s AS key FROM %s t WHERE %s LIMIT 1),"
				   " made AS (INSERT INTO %s AS t (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM %s t JOIN one"
				   " ON t.tableoid = one.tableoid AND t.ctid = one.ctid RETURNING %s AS key, lead_mgmt.row_image(t.*) AS image)"
				   " SELECT one.key, made.key, pg_catalog.jsonb_build_array(made.key), made.image FROM one, made",
				   table->key_json, table->source, RefersToLoser(reference), table->type,
				   CopiedColumns(reference, false), CopiedColumns(reference, true), table->source, table->key_json);
	SetArguments(reference, from, to, types, values);
	while (MergeExecute(ctx, table, sql, reference->column_count * 2, types, values) > 0)
	{
		Datum		original = ResultJson(0, 1, NULL);
		Datum		copy = ResultJson(0, 2, NULL);
		Datum		keys = ResultJson(0, 3, NULL);
		SPITupleTable *row = SPI_tuptable;

		CHECK_FOR_INTERRUPTS();
		SPI_connect();
		SPI_tuptable = row;
		LogChange(ctx, merge_id, ACTION_CREATED, table, keys, (Datum) 0, ResultJson(0, 4, NULL), (Datum) 0);
		MoveReferences(ctx, merge_id, table, copy, original);
		DeleteAbsorbed(ctx, merge_id, table, copy, original);
		SPI_finish();
		SPI_freetuptable(row);
		ctx->absorbed--;
		ctx->moved++;
	}
}

/* Log rows that a statement deleted: their keys, images and keepers */
static void
LogDeleted(MergeContext *ctx, int64 merge_id, const MergeTable *table, int n)
{
	SPITupleTable *rows = SPI_tuptable;

	for (int i = 0; i < n; i++)
	{
		Datum		keys;
		Datum		image;

		SPI_tuptable = rows;
		keys = ResultJson(i, 1, NULL);
		image = ResultJson(i, 2, NULL);
		LogChange(ctx, merge_id, ACTION_ABSORBED, table, keys, image, (Datum) 0, ResultJson(i, 3, NULL));
		ctx->absorbed++;
	}
	SPI_freetuptable(rows);
}

/* Remove the loser's rows that collide with rows of the winner */
static void
AbsorbCollisions(MergeContext *ctx, int64 merge_id, const Reference *reference, const Datum *from, const Datum *to)
{
	const MergeTable *table = reference->table;
	bool		is_plain = table->entity < 0 && !table->is_referenced;
	int			count = reference->column_count * 2;
	Oid			types[MERGE_MAX_ARGUMENTS];
	Datum		values[MERGE_MAX_ARGUMENTS];
	ListCell   *lc;

	SetArguments(reference, from, to, types, values);

	/* The right to delete from somebody else's table is needed only if something collides */
	if (is_plain && !table->is_ours)
	{
		bool		collides = false;

		foreach(lc, CollisionStatements(reference, false))
			collides |= MergeExecute(ctx, table, lfirst(lc), count, types, values) > 0;
		if (!collides)
			return;
	}
	foreach(lc, CollisionStatements(reference, is_plain))
	{
		if (is_plain)
		{
			LogDeleted(ctx, merge_id, table, MergeExecute(ctx, table, lfirst(lc), count, types, values));
			continue;
		}

		/* One pair at a time: to absorb a row may move or remove others */
		while (MergeExecute(ctx, table, lfirst(lc), count, types, values) > 0)
		{
			Datum		loser = ResultJson(0, 1, NULL);
			Datum		keeper = ResultJson(0, 2, NULL);

			CHECK_FOR_INTERRUPTS();
			SPI_freetuptable(SPI_tuptable);
			SPI_connect();
			AbsorbRow(ctx, merge_id, table, keeper, loser);
			SPI_finish();
		}
	}
}

/* Remove rows that link the loser with the winner, where such a link is forbidden to be one to oneself */
static void
DropSelfLinks(MergeContext *ctx, int64 merge_id, const Reference *reference, List *siblings,
			  const Datum *from, const Datum *to)
{
	const MergeTable *table = reference->table;
	Oid			types[MERGE_MAX_ARGUMENTS];
	Datum		values[MERGE_MAX_ARGUMENTS];
	ListCell   *lc;

	if (table->is_referenced || reference->column_count != 1)
		return;
	SetArguments(reference, from, to, types, values);
	foreach(lc, siblings)
	{
		const Reference *other = lfirst(lc);
		char	   *sql;

		if (other == reference || other->table != table || other->column_count != 1 ||
			other->targets[0] != reference->targets[0])
			continue;
		sql = SelfLinkStatement(reference, other);
		if (sql)
			LogDeleted(ctx, merge_id, table, MergeExecute(ctx, table, sql, 2, types, values));
	}
}

/*
 * Make sure that no row refers to the loser still: the caller may not see all
 * rows of somebody else's table, and a trigger may keep rows as they are.  The
 * foreign key would then delete them with the loser, or forbid its removal.
 */
static void
CheckAllMoved(MergeContext *ctx, const Reference *reference, const Datum *from, const Datum *to)
{
	const MergeTable *table = reference->table;
	Relation	rel = table_open(table->relid, AccessShareLock);
	Oid			owner = rel->rd_rel->relowner;
	bool		has_trigger = rel->trigdesc && rel->trigdesc->trig_update_before_row;
	Oid			types[MERGE_MAX_ARGUMENTS];
	Datum		values[MERGE_MAX_ARGUMENTS];

	table_close(rel, NoLock);
	if (table->is_ours && !has_trigger)
		return;
	SetArguments(reference, from, to, types, values);
	if (MergeExecuteAs(owner, SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS,
					   psprintf("SELECT FROM %s t WHERE %s LIMIT 1", table->source, RefersToLoser(reference)),
					   reference->column_count * 2, types, values) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("rows of table %s refer to what is merged but were not changed", table->type),
				 errhint("Row-level security may hide them from role \"%s\", or a trigger may keep them.",
						 GetUserNameFromId(table->is_ours ? ctx->ws->owner : ctx->caller, false))));
}

/* Move one foreign key's rows */
static void
MoveReference(MergeContext *ctx, int64 merge_id, const Reference *reference, List *siblings,
			  const Datum *from, const Datum *to)
{
	DropSelfLinks(ctx, merge_id, reference, siblings, from, to);
	AbsorbCollisions(ctx, merge_id, reference, from, to);
	if (IsPinned(ctx, reference))
		MovePinnedRows(ctx, merge_id, reference, from, to);
	else
		MoveRows(ctx, merge_id, reference, from, to);
	if (reference->is_self)
		ClearOwn(ctx, merge_id, reference, from, to);
	CheckAllMoved(ctx, reference, from, to);
}

/* Read what a foreign key refers to in a row given by its key; false when that is null */
static bool
ReadTargets(MergeContext *ctx, const Reference *reference, const MergeTable *target, Datum key, Datum *values)
{
	StringInfoData columns;
	Oid			type = JSONBOID;

	if (target->entity >= 0 && reference->column_count == 1 && reference->targets[0] == target->key[0])
	{
		values[0] = Int64GetDatum(MergeKeyId(target, key));
		return true;
	}
	initStringInfo(&columns);
	for (int i = 0; i < reference->column_count; i++)
		appendStringInfo(&columns, "%st.%s", i ? ", " : "",
						 quote_identifier(get_attname(target->relid, reference->targets[i], false)));
	if (MergeExecute(ctx, target,
					 psprintf("SELECT %s FROM %s t, lead_mgmt.row_of_image(NULL::%s, $1) k WHERE %s",
							  columns.data, target->source, target->type, MergeKeyMatch(target, "t", "k")),
					 1, &type, &key) != 1)
		return false;
	for (int i = 0; i < reference->column_count; i++)
	{
		int16		length;
		bool		byval;
		bool		isnull;
		Datum		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i + 1, &isnull);

		if (isnull)
			return false;
		get_typlenbyval(reference->types[i], &length, &byval);
		values[i] = datumCopy(value, byval, length);
	}
	return true;
}

/* Move everything that refers to one row of a table to another, both given by their keys */
void
MoveReferences(MergeContext *ctx, int64 merge_id, const MergeTable *target, Datum keeper, Datum loser)
{
	List	   *references = ReferencesTo(ctx, target);
	ListCell   *lc;

	check_stack_depth();
	foreach(lc, references)
	{
		Reference  *reference = lfirst(lc);
		Datum		from[INDEX_MAX_KEYS];
		Datum		to[INDEX_MAX_KEYS];

		CheckRights(ctx, reference->table, reference);
		if (!ReadTargets(ctx, reference, target, loser, from))
			continue;
		if (!ReadTargets(ctx, reference, target, keeper, to))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("table %s refers to a column of %s that the winner has no value in",
							reference->table->type, target->type)));
		MoveReference(ctx, merge_id, reference, references, from, to);
	}
}
