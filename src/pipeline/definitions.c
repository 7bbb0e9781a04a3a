/*
 * Triggers on the tables that define pipelines: guards must compile, fields
 * and functions must be there, what is in use stays, active pipelines are
 * sound.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "parser/parse_func.h"
#include "pipeline/law.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/rel.h"
#include "utils/typcache.h"

static const PlanSource find_entity = {
	"SELECT p.entity, s.kind FROM @workspace@.pipeline p"
	" LEFT JOIN @workspace@.stage s ON s.pipeline = p.pipeline AND s.stage = $2 WHERE p.pipeline = $1",
	2, {ARG_TEXT, ARG_TEXT}
};

static const PlanSource is_custom_field = {
	"SELECT 1 FROM @workspace@.field f WHERE f.field = $1 LIMIT 1",
	1, {ARG_TEXT}
};

/* A stage, or a whole pipeline, that rows are in, or that history is about */
static const PlanSource find_use = {
	"SELECT (SELECT pg_catalog.count(*) FROM @workspace@.lead l WHERE l.pipeline = $1 AND ($2 IS NULL OR l.stage = $2)),"
	" (SELECT pg_catalog.count(*) FROM @workspace@.opportunity o WHERE o.pipeline = $1 AND ($2 IS NULL OR o.stage = $2)),"
	" EXISTS (SELECT FROM @workspace@.stage_move m WHERE m.pipeline = $1 AND ($2 IS NULL OR m.to_stage = $2))",
	2, {ARG_TEXT, ARG_TEXT}
};

static const PlanSource find_problems = {
	"SELECT pg_catalog.string_agg(q.problem, '; ' ORDER BY q.problem) FROM @workspace@.pipeline_problem q"
	" JOIN @workspace@.pipeline p ON p.pipeline = q.pipeline AND p.is_active"
	" WHERE q.pipeline = $1 AND q.severity = 'error'",
	1, {ARG_TEXT}
};

/* A row of a definition table that is being written */
typedef struct DefinitionRow
{
	TriggerData *trigdata;
	Workspace  *ws;
	TupleDesc	desc;
	HeapTuple	old;			/* or NULL */
	HeapTuple	new;			/* or NULL */
	const char *table;
} DefinitionRow;

/* Set up the row of a trigger call, checking the protocol */
static void
DefinitionOpen(FunctionCallInfo fcinfo, DefinitionRow *row, const char *function, bool before)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) ||
		(before ? !TRIGGER_FIRED_BEFORE(trigdata->tg_event) : !TRIGGER_FIRED_AFTER(trigdata->tg_event)))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("%s must be called as a row trigger", function)));
	memset(row, 0, sizeof(DefinitionRow));
	row->trigdata = trigdata;
	row->ws = WorkspaceOfRelation(trigdata->tg_relation);
	row->desc = RelationGetDescr(trigdata->tg_relation);
	row->table = RelationGetRelationName(trigdata->tg_relation);
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
	{
		row->old = trigdata->tg_trigtuple;
		row->new = trigdata->tg_newtuple;
	}
	else if (TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
		row->old = trigdata->tg_trigtuple;
	else
		row->new = trigdata->tg_trigtuple;
}

/* Get a column of a row as text, NULL when it is null or not there */
static char *
DefinitionText(const DefinitionRow *row, HeapTuple tuple, const char *column)
{
	int			number = SPI_fnumber(row->desc, column);

	return number > 0 ? SPI_getvalue(tuple, row->desc, number) : NULL;
}

/* Did a column get a value that is to be checked? */
static char *
NewText(const DefinitionRow *row, const char *column)
{
	char	   *now = DefinitionText(row, row->new, column);
	char	   *before = row->old && now ? DefinitionText(row, row->old, column) : NULL;

	return before && strcmp(before, now) == 0 ? NULL : now;
}

/* Check a condition against the profile of what goes through the pipeline */
static void
CheckCondition(const DefinitionRow *row, Oid relid, const char *column)
{
	char	   *condition = NewText(row, column);
	TupleDesc	desc;

	if (condition == NULL || !OidIsValid(relid))
		return;
	desc = lookup_rowtype_tupdesc_copy(get_rel_type_id(relid), -1);
	PredicateFree(PredicateCompile(condition, desc, CurrentMemoryContext));
}

/* Check that a field is a column of the profile or a custom attribute */
static void
CheckField(const DefinitionRow *row, Oid relid, const char *column)
{
	char	   *field = NewText(row, column);
	Datum		value;

	if (field == NULL || !OidIsValid(relid) || get_attnum(relid, field) > 0)
		return;
	value = CStringGetTextDatum(field);
	if (WorkspaceExecute(row->ws, &is_custom_field, &value, NULL) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("there is no field \"%s\"", field),
				 errhint("Name a column of %s, or define a custom attribute with define_field().", get_rel_name(relid))));
}

/* Check that a function of one jsonb argument is there */
static void
CheckFunction(const DefinitionRow *row)
{
	char	   *function = NewText(row, "function");
	Oid			types[1] = {JSONBOID};

	if (function == NULL)
		return;
	if (!OidIsValid(LookupFuncName(stringToQualifiedNameList(function), 1, types, true)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("there is no function %s(jsonb)", function),
				 errhint("Give its name with the schema, as in public.welcome.")));
}

PG_FUNCTION_INFO_V1(guard_pipeline_part);
/* Check a row that says what a pipeline does: transitions, fields, actions, steps, automatic moves */
Datum
guard_pipeline_part(PG_FUNCTION_ARGS)
{
	DefinitionRow row;
	WorkspaceRights rights;
	char	   *pipeline;
	char	   *to_stage;
	Datum		values[2];
	char		nulls[3] = "  ";

	DefinitionOpen(fcinfo, &row, "guard_pipeline_part", true);
	pipeline = DefinitionText(&row, row.new, "pipeline");
	to_stage = DefinitionText(&row, row.new, "to_stage");
	if (pipeline == NULL)
		return PointerGetDatum(row.new);
	SPI_connect();
	WorkspaceEnter(row.ws, &rights);
	values[0] = CStringGetTextDatum(pipeline);
	values[1] = to_stage ? CStringGetTextDatum(to_stage) : (Datum) 0;
	nulls[1] = to_stage ? ' ' : 'n';
	if (WorkspaceExecute(row.ws, &find_entity, values, nulls) > 0)
	{
		bool		for_leads = strcmp(ResultText(0, 1), "lead") == 0;
		char	   *kind = ResultText(0, 2);
		Oid			relid = for_leads ? row.ws->profile_relid : row.ws->opportunity_relid;

		if (!for_leads && (strcmp(row.table, "automatic_move") == 0 || strcmp(row.table, "stage_step") == 0))
			ereport(ERROR,
					(errcode(ERRCODE_CHECK_VIOLATION),
					 errmsg("pipeline \"%s\" is one of opportunities: %s is for leads", pipeline, row.table)));
		if (strcmp(row.table, "automatic_move") == 0 && kind && strcmp(kind, "won") == 0)
			ereport(ERROR,
					(errcode(ERRCODE_CHECK_VIOLATION),
					 errmsg("no lead moves to \"%s\" by itself: it has to be converted", to_stage)));
		CheckCondition(&row, relid, "guard");
		CheckCondition(&row, relid, "condition");
		CheckField(&row, relid, "field");
		CheckField(&row, relid, "fallback_field");
		CheckFunction(&row);
	}
	WorkspaceLeave(&rights);
	SPI_finish();
	return PointerGetDatum(row.new);
}

PG_FUNCTION_INFO_V1(guard_stage);
/* Keep stages and pipelines that are in use from being deleted or renamed */
Datum
guard_stage(PG_FUNCTION_ARGS)
{
	DefinitionRow row;
	WorkspaceRights rights;
	char	   *pipeline;
	char	   *stage;
	Datum		values[2];
	char		nulls[3] = "  ";
	int64		leads;
	int64		opportunities;
	bool		has_history;

	DefinitionOpen(fcinfo, &row, "guard_stage", true);
	SPI_connect();
	pipeline = DefinitionText(&row, row.old, "pipeline");
	stage = DefinitionText(&row, row.old, "stage");
	if (row.new)
	{
		char	   *new_pipeline = DefinitionText(&row, row.new, "pipeline");
		char	   *new_stage = DefinitionText(&row, row.new, "stage");

		if (new_pipeline && strcmp(pipeline, new_pipeline) == 0 &&
			(stage == NULL || (new_stage && strcmp(stage, new_stage) == 0)))
		{
			SPI_finish();
			return PointerGetDatum(row.new);
		}
	}
	values[0] = CStringGetTextDatum(pipeline);
	values[1] = stage ? CStringGetTextDatum(stage) : (Datum) 0;
	nulls[1] = stage ? ' ' : 'n';
	WorkspaceEnter(row.ws, &rights);
	WorkspaceExecute(row.ws, &find_use, values, nulls);
	leads = ResultInt64(0, 1, NULL);
	opportunities = ResultInt64(0, 2, NULL);
	has_history = ResultBool(0, 3);
	WorkspaceLeave(&rights);
	if (leads > 0 || opportunities > 0 || (has_history && row.new))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 stage ? errmsg("stage \"%s\" of pipeline \"%s\" is in use and cannot be %s", stage, pipeline,
								row.new ? "renamed" : "deleted") :
				 errmsg("pipeline \"%s\" is in use and cannot be %s", pipeline, row.new ? "renamed" : "deleted"),
				 errdetail(INT64_FORMAT " leads and " INT64_FORMAT " opportunities are in it%s.", leads, opportunities,
						   has_history ? ", and history names it" : ""),
				 row.new ? errhint("Change its label.") :
				 stage ? errhint("Move them on first, or close the way into it by deleting its transitions.") :
				 errhint("Set is_active to false instead.")));
	SPI_finish();
	return PointerGetDatum(row.new ? row.new : row.old);
}

PG_FUNCTION_INFO_V1(check_pipeline);
/* Refuse an active pipeline that is not sound */
Datum
check_pipeline(PG_FUNCTION_ARGS)
{
	DefinitionRow row;
	WorkspaceRights rights;
	char	   *pipeline;
	char	   *problems;
	Datum		value;

	DefinitionOpen(fcinfo, &row, "check_pipeline", false);
	SPI_connect();
	pipeline = DefinitionText(&row, row.new ? row.new : row.old, "pipeline");
	value = CStringGetTextDatum(pipeline);
	WorkspaceEnter(row.ws, &rights);
	WorkspaceExecute(row.ws, &find_problems, &value, NULL);
	problems = ResultText(0, 1);
	WorkspaceLeave(&rights);
	if (problems)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("pipeline \"%s\" is not sound: %s", pipeline, problems),
				 errhint("Put it right in the same transaction, or make it a draft: set is_active to false.")));
	SPI_finish();
	return PointerGetDatum(NULL);
}
