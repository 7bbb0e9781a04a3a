/*
 * What stands in the way of a move: guards of transitions, required fields,
 * owners and links.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "pipeline/pipeline.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

/* Does a lead of this pipeline move on when it first gets a score, whatever its profile is? */
bool
PipelineFirstScoreStage(const WorkspaceConfig *config, const Pipeline *pipeline)
{
	StageTransition *transition;

	if (config->active_count == 0 || !pipeline->moves_on_first_score || pipeline->entry < 0 || pipeline->scored < 0)
		return false;
	transition = PipelineTransition(pipeline, pipeline->entry, pipeline->scored);
	return transition && transition->guard == NULL && pipeline->stages[pipeline->scored].required_count == 0 &&
		!pipeline->stages[pipeline->scored].requires_owner &&
		!PipelineHasActions(pipeline, pipeline->entry, pipeline->scored);
}

/* List the stages that may follow, for hints */
char *
PipelineNextStages(const Pipeline *pipeline, int from)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int s = 0; s < pipeline->stage_count; s++)
		if (PipelineTransition(pipeline, from, s))
			appendStringInfo(&list, "%s%s", list.len ? ", " : "", pipeline->stages[s].name);
	return list.len ? list.data : "none";
}

/* Is a field of a row filled: a column, or else a custom attribute? */
bool
ProfileIsFilled(TupleDesc desc, HeapTuple profile, const char *field)
{
	int			column = SPI_fnumber(desc, field);

	if (column > 0)
	{
		char	   *text = SPI_getvalue(profile, desc, column);

		return text != NULL && text[0] != '\0';
	}
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		const char *name = NameStr(attribute->attname);
		size_t		length = strlen(name);
		JsonbValue	buffer;
		JsonbValue *value;
		Datum		attributes;
		bool		isnull;

		if (attribute->atttypid != JSONBOID || length < strlen("_attributes") ||
			strcmp(name + length - strlen("_attributes"), "_attributes") != 0)
			continue;
		attributes = heap_getattr(profile, i + 1, desc, &isnull);
		if (isnull)
			continue;
		value = getKeyJsonValueFromContainer(&DatumGetJsonbP(attributes)->root, field, strlen(field), &buffer);
		if (value && value->type != jbvNull && !(value->type == jbvString && value->val.string.len == 0))
			return true;
	}
	return false;
}

/* Say why a condition does not hold, NULL when it does */
char *
GuardObstacle(const StageGuard *guard, HeapTuple profile)
{
	PredicateResult result;
	char	   *message = NULL;

	if (guard == NULL)
		return NULL;
	if (guard->broken)
		return psprintf("condition \"%s\" cannot be used: %s", guard->label, guard->broken);
	PredicateEvalMany(guard->condition, &profile, 1, &result, &message, CurrentMemoryContext);
	switch (result)
	{
		case PREDICATE_TRUE:
			return NULL;
		case PREDICATE_ERROR:
			return psprintf("condition \"%s\" failed: %s", guard->label, message);
		default:
			return psprintf("condition \"%s\" is not met", guard->label);
	}
}

/* Is a column of a profile empty? */
static bool
IsEmpty(TupleDesc desc, HeapTuple profile, const char *column)
{
	int			number = SPI_fnumber(desc, column);

	return number <= 0 || heap_attisnull(profile, number, desc);
}

/* Must a profile be looked at before a move? */
bool
PipelineNeedsProfile(const Pipeline *pipeline, int from, int to)
{
	StageTransition *transition = from >= 0 ? PipelineTransition(pipeline, from, to) : NULL;

	return pipeline->stages[to].required_count > 0 || (transition && transition->guard);
}

/* Add an obstacle to a list */
static void
AddObstacle(StringInfo list, const char *obstacle)
{
	if (obstacle)
		appendStringInfo(list, "%s%s", list->len ? "; " : "", obstacle);
}

/*
 * List what stands in the way of a move that a transition allows, or of
 * beginning in a stage (from is -1), NULL when nothing does, and the fields
 * whose fallback stands in for them.  The error code is not_null_violation
 * when fields alone are missing.
 */
char *
PipelineObstacle(const Pipeline *pipeline, int from, int to, TupleDesc desc, HeapTuple profile,
				 char **fallbacks, int *sqlerrcode)
{
	const Stage *stage = &pipeline->stages[to];
	StageTransition *transition = from >= 0 ? PipelineTransition(pipeline, from, to) : NULL;
	StringInfoData obstacles;
	StringInfoData missing;
	StringInfoData used;

	initStringInfo(&obstacles);
	initStringInfo(&missing);
	initStringInfo(&used);
	*fallbacks = NULL;
	if (from >= 0 && pipeline->stages[from].requires_link && stage->kind != STAGE_LOST &&
		IsEmpty(desc, profile, "contact_id") && IsEmpty(desc, profile, "account_id"))
		AddObstacle(&obstacles, "it has neither contact nor account");
	if (stage->requires_owner && IsEmpty(desc, profile, "agent_id"))
		AddObstacle(&obstacles, "it has no owner");
	if (transition)
		AddObstacle(&obstacles, GuardObstacle(transition->guard, profile));
	*sqlerrcode = obstacles.len ? ERRCODE_CHECK_VIOLATION : ERRCODE_NOT_NULL_VIOLATION;
	for (int i = 0; i < stage->required_count; i++)
	{
		const RequiredField *required = &stage->required[i];

		if ((required->from >= 0 && required->from != from) || ProfileIsFilled(desc, profile, required->field))
			continue;
		if (required->fallback && ProfileIsFilled(desc, profile, required->fallback))
			appendStringInfo(&used, "%s%s", used.len ? "," : "", required->field);
		else if (required->fallback)
			appendStringInfo(&missing, "%s%s (or %s)", missing.len ? ", " : "", required->field, required->fallback);
		else
			appendStringInfo(&missing, "%s%s", missing.len ? ", " : "", required->field);
	}
	if (missing.len)
		AddObstacle(&obstacles, psprintf("%s missing", missing.data));
	if (used.len)
		*fallbacks = used.data;
	return obstacles.len ? obstacles.data : NULL;
}
