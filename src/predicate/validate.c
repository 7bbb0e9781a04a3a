#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "predicate/predicate.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

typedef struct RuleColumn
{
	const char *schema;
	const char *table;
	const char *column;
} RuleColumn;

/*
 * Say which table and column a predicate stands in
 */
static void
RuleColumnCallback(void *arg)
{
	RuleColumn *rule = (RuleColumn *) arg;

	err_generic_string(PG_DIAG_SCHEMA_NAME, rule->schema);
	err_generic_string(PG_DIAG_TABLE_NAME, rule->table);
	err_generic_string(PG_DIAG_COLUMN_NAME, rule->column);
	errcontext("column \"%s\" of table \"%s.%s\"", rule->column, rule->schema, rule->table);
}

/*
 * Check that a type is that of a predicate, or of a text that will be one
 */
static bool
IsPredicateType(Oid typeid)
{
	Oid			namespace = get_namespace_oid(PREDICATE_SCHEMA, true);

	return typeid == TEXTOID ||
		typeid == GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
								  CStringGetDatum("predicate"),
								  ObjectIdGetDatum(namespace));
}

/*
 * Compile a predicate for the rows of a relation, if it is there
 *
 * A relation that is not made yet is no error, as rules may be loaded first.
 */
static void
ValidateFor(RuleColumn *rule, Oid namespace, const char *relname, Datum condition)
{
	Oid			relid = get_relname_relid(relname, namespace);
	Oid			rowtype = OidIsValid(relid) ? get_rel_type_id(relid) : InvalidOid;
	ErrorContextCallback errcallback;
	TupleDesc	rowdesc;

	if (!OidIsValid(rowtype))
		return;

	errcallback.callback = RuleColumnCallback;
	errcallback.arg = rule;
	errcallback.previous = error_context_stack;
	error_context_stack = &errcallback;

	rowdesc = lookup_rowtype_tupdesc(rowtype, -1);
	PredicateFree(PredicateCompile(TextDatumGetCString(condition), rowdesc,
								   CurrentMemoryContext));
	ReleaseTupleDesc(rowdesc);

	error_context_stack = errcallback.previous;
}

/*
 * Validate the predicates of a row that holds rules
 */
PG_FUNCTION_INFO_V1(predicate_validate);
Datum
predicate_validate(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Trigger    *trigger;
	Relation	rel;
	TupleDesc	tupdesc;
	HeapTuple	newrow;
	HeapTuple	oldrow = NULL;
	RuleColumn	rule;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("predicate_validate must be called as a trigger")));

	if (!TRIGGER_FIRED_BEFORE(trigdata->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) ||
		!(TRIGGER_FIRED_BY_INSERT(trigdata->tg_event) ||
		  TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event)))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("predicate_validate must be fired before insert or update for each row")));

	trigger = trigdata->tg_trigger;
	rel = trigdata->tg_relation;
	tupdesc = RelationGetDescr(rel);

	if (trigger->tgnargs == 0 || trigger->tgnargs % 2 != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("trigger \"%s\" has %d arguments", trigger->tgname, trigger->tgnargs),
				 errhint("Give pairs of a column that holds predicates and the relation they are about.")));

	newrow = trigdata->tg_trigtuple;
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
	{
		oldrow = trigdata->tg_trigtuple;
		newrow = trigdata->tg_newtuple;
	}

	rule.schema = get_namespace_name(RelationGetNamespace(rel));
	rule.table = RelationGetRelationName(rel);

	for (int i = 0; i < trigger->tgnargs; i += 2)
	{
		int			attnum;
		Datum		condition;
		bool		isnull;

		rule.column = trigger->tgargs[i];

		attnum = SPI_fnumber(tupdesc, rule.column);
		if (attnum <= 0)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" of table \"%s\" does not exist",
							rule.column, rule.table),
					 errhint("Correct the arguments of trigger \"%s\".", trigger->tgname)));

		if (!IsPredicateType(getBaseType(TupleDescAttr(tupdesc, attnum - 1)->atttypid)))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column \"%s\" of table \"%s\" is of type %s, not lead_mgmt.predicate",
							rule.column, rule.table,
							format_type_be(TupleDescAttr(tupdesc, attnum - 1)->atttypid))));

		condition = heap_getattr(newrow, attnum, tupdesc, &isnull);
		if (isnull)
			continue;

		/* What has been valid may stay, even if the profile has changed */
		if (oldrow != NULL)
		{
			bool		oldisnull;
			Datum		old = heap_getattr(oldrow, attnum, tupdesc, &oldisnull);

			if (!oldisnull && datum_image_eq(old, condition, false, -1))
				continue;
		}

		ValidateFor(&rule, RelationGetNamespace(rel), trigger->tgargs[i + 1], condition);
	}

	return PointerGetDatum(newrow);
}
