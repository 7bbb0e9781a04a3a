/*
 * Tags: arrays in the rows that carry them, held to the tags that are defined.
 *
 * An array is found through one index entry a tag, is read with its row by
 * rules, merged as a set and kept in the audit log like any other column; a
 * table of pairs would need a join for each.  What a foreign key would do for
 * such a table is done here.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "workspace/workspace.h"

/* The tags of a row, each once and in order, and one that is not defined; the others are held as they are */
static const PlanSource find_tags = {
	"SELECT pg_catalog.array_agg(DISTINCT u.tag ORDER BY u.tag), pg_catalog.min(u.tag) FILTER (WHERE k.tag IS NULL)"
	" FROM pg_catalog.unnest($1) u (tag)"
	" LEFT JOIN (SELECT t.tag FROM @workspace@.tag t WHERE t.tag = ANY ($1) FOR KEY SHARE) k ON k.tag = u.tag"
	" WHERE u.tag IS NOT NULL",
	1, {ARG_TEXTS}
};

#define RENAME_IN(table) \
	"UPDATE @workspace@." table " r SET tags = pg_catalog.array_replace(r.tags, $1, $2)" \
	" WHERE r.tags OPERATOR(pg_catalog.@>) ARRAY[$1]"

static const PlanSource rename_tag[] = {
	{RENAME_IN("account"), 2, {ARG_TEXT, ARG_TEXT}},
	{RENAME_IN("contact"), 2, {ARG_TEXT, ARG_TEXT}},
	{RENAME_IN("lead"), 2, {ARG_TEXT, ARG_TEXT}},
	{RENAME_IN("opportunity"), 2, {ARG_TEXT, ARG_TEXT}},
};

#define IS_IN(table) "EXISTS (SELECT FROM @workspace@." table " r WHERE r.tags OPERATOR(pg_catalog.@>) ARRAY[$1])"

static const PlanSource find_use = {
	"SELECT WHERE " IS_IN("account") " OR " IS_IN("contact") " OR " IS_IN("lead") " OR " IS_IN("opportunity"),
	1, {ARG_TEXT}
};

/* Check that a trigger function was called as it is meant to be */
static TriggerData *
OpenTrigger(FunctionCallInfo fcinfo, const char *function, bool before)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) ||
		TRIGGER_FIRED_BEFORE(trigdata->tg_event) != before ||
		(before ? TRIGGER_FIRED_BY_DELETE(trigdata->tg_event) : TRIGGER_FIRED_BY_INSERT(trigdata->tg_event)))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("%s must be called as %s row trigger", function,
						before ? "a BEFORE INSERT OR UPDATE" : "an AFTER UPDATE OR DELETE")));
	return trigdata;
}

PG_FUNCTION_INFO_V1(guard_tags);
/* Hold the tags of a row to those that are defined, each once and in order; none is NULL */
Datum
guard_tags(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = OpenTrigger(fcinfo, "guard_tags", true);
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	HeapTuple	row = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ? trigdata->tg_newtuple : trigdata->tg_trigtuple;
	int			column = SPI_fnumber(desc, "tags");
	Workspace  *ws = WorkspaceOfRelation(trigdata->tg_relation);
	MemoryContext caller = CurrentMemoryContext;
	WorkspaceRights rights;
	bool		isnull;
	Datum		tags = heap_getattr(row, column, desc, &isnull);
	char	   *unknown;
	int			level;

	if (isnull || SystemAtWork())
		return PointerGetDatum(row);
	level = WorkspacePin(true);
	SPI_connect();
	WorkspaceEnter(ws, &rights);
	WorkspaceExecute(ws, &find_tags, &tags, NULL);
	unknown = ResultText(0, 2);
	if (unknown)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("there is no tag \"%s\"", unknown),
				 errhint("Tags are rows of the table %s.tag.", ws->quoted_name)));
	tags = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	WorkspaceLeave(&rights);
	MemoryContextSwitchTo(caller);
	row = heap_modify_tuple_by_cols(row, desc, 1, &column, &tags, &isnull);
	SPI_finish();
	WorkspaceUnpin(level);
	return PointerGetDatum(row);
}

/* A tag that was renamed or deleted */
typedef struct TagCall
{
	Datum		names[2];
	bool		is_deleted;
} TagCall;

/* Rename a tag wherever it is, or refuse to let go of it */
static void
FollowTag(Workspace *ws, void *arg)
{
	TagCall    *call = arg;

	if (!call->is_deleted)
		for (int i = 0; i < lengthof(rename_tag); i++)
			WorkspaceExecute(ws, &rename_tag[i], call->names, NULL);
	else if (WorkspaceExecute(ws, &find_use, call->names, NULL) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("tag \"%s\" is in use", TextDatumGetCString(call->names[0])),
				 errhint("Take it off first, with set_tags().")));
}

PG_FUNCTION_INFO_V1(follow_tag);
/* Let rows follow a tag that is renamed, and keep one that is in use */
Datum
follow_tag(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = OpenTrigger(fcinfo, "follow_tag", false);
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	int			column = SPI_fnumber(desc, "tag");
	TagCall		call = {.is_deleted = TRIGGER_FIRED_BY_DELETE(trigdata->tg_event)};
	bool		isnull;

	call.names[0] = heap_getattr(trigdata->tg_trigtuple, column, desc, &isnull);
	if (!call.is_deleted)
		call.names[1] = heap_getattr(trigdata->tg_newtuple, column, desc, &isnull);
	SPI_connect();
	WorkspaceRunForeign(WorkspaceOfRelation(trigdata->tg_relation), FollowTag, &call);
	SPI_finish();
	return PointerGetDatum(NULL);
}
