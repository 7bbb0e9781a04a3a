/*
 * Reading the definition tables of a workspace into its cached configuration.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "predicate/attempt.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"
#include "workspace/config.h"

const char *const EntityNames[ENTITY_COUNT + 1] = {"contact", "account", "lead", "opportunity"};

static const char *const attribute_types[] = {
	"text", "integer", "number", "boolean", "date", "timestamp", "choice", "choices"
};

/* The statements that read the definition tables */
static const PlanSource read_fields = {
	"SELECT entity, field, type, is_required, is_active, options FROM @workspace@.field ORDER BY entity, field"
};
static const PlanSource read_routing = {
	"SELECT r.routing_rule_id, r.label, r.condition::text, t.team_id,"
	" (SELECT pg_catalog.array_agg(a.agent_id ORDER BY a.agent_id) FROM @workspace@.agent a"
	"  WHERE a.team_id = t.team_id AND a.is_active)"
	" FROM @workspace@.routing_rule r CROSS JOIN LATERAL (SELECT pg_catalog.min(x.team_id) AS team_id FROM @workspace@.team x"
	"  WHERE x.is_active AND (x.team_id = r.team_id OR x.kind = r.team_kind)) t"
	" WHERE r.is_active AND t.team_id IS NOT NULL ORDER BY r.sequence"
};
static const PlanSource read_handlers = {
	"SELECT h.event_handler_id, h.event, h.label, h.delivery, h.condition::text, h.on_error = 'record'"
	" FROM @workspace@.event_handler h WHERE h.is_active ORDER BY h.event_handler_id"
};
static const PlanSource read_kinds = {
	"SELECT kind, direction, makes_lead FROM @workspace@.interaction_kind ORDER BY kind COLLATE \"C\""
};
static const PlanSource read_campaigns = {
	"SELECT campaign, campaign_id FROM @workspace@.campaign ORDER BY campaign COLLATE \"C\""
};
static const PlanSource read_sources = {
	"SELECT source, trust FROM @workspace@.lead_source ORDER BY source COLLATE \"C\""
};

/* Order names bytewise, as COLLATE "C" does */
static int
CompareNames(const char *a, const char *b)
{
	return strcmp(a, b);
}

#define FIND_BY_NAME(array, count, wanted, result) \
	do { \
		int			low_ = 0, high_ = (count) - 1; \
		(result) = NULL; \
		while (low_ <= high_) \
		{ \
			int			middle_ = (low_ + high_) / 2; \
			int			order_ = CompareNames((array)[middle_].name, (wanted)); \
			if (order_ == 0) { (result) = &(array)[middle_]; break; } \
			if (order_ < 0) low_ = middle_ + 1; else high_ = middle_ - 1; \
		} \
	} while (0)

/* Find a form */
Form *
ConfigForm(WorkspaceConfig *config, const char *name)
{
	Form	   *form;

	FIND_BY_NAME(config->forms, config->form_count, name, form);
	return form;
}

/* Find a pipeline */
Pipeline *
ConfigPipeline(WorkspaceConfig *config, const char *name)
{
	Pipeline   *pipeline;

	FIND_BY_NAME(config->pipelines, config->pipeline_count, name, pipeline);
	return pipeline;
}

/* Find an interaction kind */
InteractionKind *
ConfigInteractionKind(WorkspaceConfig *config, const char *kind)
{
	InteractionKind *found;

	FIND_BY_NAME(config->kinds, config->kind_count, kind, found);
	return found;
}

/* Find a campaign */
Campaign *
ConfigCampaign(WorkspaceConfig *config, const char *name)
{
	Campaign   *campaign;

	FIND_BY_NAME(config->campaigns, config->campaign_count, name, campaign);
	return campaign;
}

/* Find a lead source */
LeadSource *
ConfigSource(WorkspaceConfig *config, const char *source)
{
	LeadSource *found;

	FIND_BY_NAME(config->sources, config->source_count, source, found);
	return found;
}

/* Find the definition of a custom attribute */
CustomField *
ConfigField(WorkspaceConfig *config, EntityKind entity, const char *name, int len)
{
	for (int i = 0; i < config->field_count; i++)
	{
		CustomField *field = &config->fields[i];

		if (field->entity == entity && strncmp(field->name, name, len) == 0 && field->name[len] == '\0')
			return field;
	}
	return NULL;
}

/* Read the custom attributes */
static void
LoadFields(Workspace *ws, WorkspaceConfig *config)
{
	int			n = WorkspaceExecute(ws, &read_fields, NULL, NULL);

	config->fields = palloc0(sizeof(CustomField) * Max(n, 1));
	config->field_count = n;
	for (int i = 0; i < n; i++)
	{
		CustomField *field = &config->fields[i];
		char	   *entity = ResultText(i, 1);
		char	   *type = ResultText(i, 3);

		while (strcmp(EntityNames[field->entity], entity) != 0)
			field->entity++;
		while (strcmp(attribute_types[field->type], type) != 0)
			field->type++;
		field->name = ResultText(i, 2);
		field->is_required = ResultBool(i, 4);
		field->is_active = ResultBool(i, 5);
		field->options = ResultTexts(i, 6, &field->option_count);
	}
	SPI_freetuptable(SPI_tuptable);
}

/* An expression that may no longer compile */
typedef struct CompileAttempt
{
	MemoryContext context;
	TupleDesc	row;
	const char *condition;
	Oid			type;
	CompiledPredicate *compiled;
} CompileAttempt;

/* Compile an expression */
static void
CompileExpression(void *arg)
{
	CompileAttempt *attempt = arg;

	attempt->compiled = attempt->type == BOOLOID ?
		PredicateCompile(attempt->condition, attempt->row, attempt->context) :
		PredicateCompileValue(attempt->condition, attempt->row, attempt->context, attempt->type);
}

/*
 * Compile the condition of a rule.  One that no longer compiles, because a
 * field it names was dropped, is left out with a warning: a broken rule must
 * not stop captures.
 */
static CompiledPredicate *
CompileSafely(WorkspaceConfig *config, TupleDesc row, const char *what, const char *label,
			  const char *condition, Oid type, char **broken)
{
	CompileAttempt attempt = {config->context, row, condition, type};
	ErrorData  *error = Attempt(CompileExpression, &attempt);

	if (error != NULL)
	{
		if (ERRCODE_TO_CATEGORY(error->sqlerrcode) != ERRCODE_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION &&
			ERRCODE_TO_CATEGORY(error->sqlerrcode) != ERRCODE_DATA_EXCEPTION &&
			ERRCODE_TO_CATEGORY(error->sqlerrcode) != ERRCODE_FEATURE_NOT_SUPPORTED)
			ReThrowError(error);
		ereport(WARNING,
				(errcode(error->sqlerrcode),
				 errmsg("%s \"%s\" is broken and left out: %s", what, label, error->message)));
		if (broken)
			*broken = error->message;
		return NULL;
	}
	if (row == config->profile &&
		bms_next_member(PredicateColumns(attempt.compiled), PROFILE_PLAIN_COLUMNS) >= 0)
		config->reads_computed = true;
	return attempt.compiled;
}

/* Compile the condition of a rule */
CompiledPredicate *
ConfigCompile(WorkspaceConfig *config, TupleDesc row, const char *what, const char *label,
			  const char *condition, char **broken)
{
	return CompileSafely(config, row, what, label, condition, BOOLOID, broken);
}

/* Compile an expression over the profile, whose value is of type text, double precision or jsonb */
CompiledPredicate *
ConfigCompileValue(WorkspaceConfig *config, const char *what, const char *label, const char *expression,
				   Oid type, char **broken)
{
	return CompileSafely(config, config->profile, what, label, expression, type, broken);
}

/* Read the routing rules with the agents of their teams */
static void
LoadRouting(Workspace *ws, WorkspaceConfig *config)
{
	int			n = WorkspaceExecute(ws, &read_routing, NULL, NULL);
	SPITupleTable *result = SPI_tuptable;

	config->routing = palloc0(sizeof(RoutingRule) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		RoutingRule *rule = &config->routing[config->routing_count];
		bool		isnull;
		Datum		agents;
		char	   *condition;

		SPI_tuptable = result;
		rule->id = ResultInt64(i, 1, NULL);
		rule->label = ResultText(i, 2);
		condition = ResultText(i, 3);
		rule->team_id = ResultInt64(i, 4, NULL);
		agents = SPI_getbinval(result->vals[i], result->tupdesc, 5, &isnull);
		if (!isnull)
		{
			Datum	   *elements;

			deconstruct_array(DatumGetArrayTypeP(agents), INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
							  &elements, NULL, &rule->agent_count);
			rule->agents = palloc(sizeof(int64) * rule->agent_count);
			for (int a = 0; a < rule->agent_count; a++)
				rule->agents[a] = DatumGetInt64(elements[a]);
		}
		rule->condition = ConfigCompile(config, config->profile, "routing rule", rule->label, condition, NULL);
		if (rule->condition)
			config->routing_count++;
	}
	SPI_freetuptable(result);
}

/* Read who is told of moves; a handler whose condition is broken is left out */
static void
LoadHandlers(Workspace *ws, WorkspaceConfig *config)
{
	int			n = WorkspaceExecute(ws, &read_handlers, NULL, NULL);
	SPITupleTable *result = SPI_tuptable;

	config->handlers = palloc0(sizeof(EventHandler) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		EventHandler *handler = &config->handlers[config->handler_count];
		char	   *delivery;
		char	   *condition;

		SPI_tuptable = result;
		handler->id = ResultInt64(i, 1, NULL);
		handler->event = ResultText(i, 2);
		handler->label = ResultText(i, 3);
		delivery = ResultText(i, 4);
		handler->delivery = strcmp(delivery, "notify") == 0 ? DELIVER_NOTIFY :
			strcmp(delivery, "outbox") == 0 ? DELIVER_OUTBOX : DELIVER_CALL;
		condition = ResultText(i, 5);
		handler->records_errors = ResultBool(i, 6);
		handler->condition = condition == NULL ? NULL :
			ConfigCompile(config, config->stage_move, "event handler", handler->label, condition, NULL);
		if (condition == NULL || handler->condition)
			config->handler_count++;
	}
	SPI_freetuptable(result);
}

/* Read the vocabularies that captures look names up in */
static void
LoadVocabularies(Workspace *ws, WorkspaceConfig *config)
{
	int			n = WorkspaceExecute(ws, &read_kinds, NULL, NULL);

	config->kinds = palloc0(sizeof(InteractionKind) * Max(n, 1));
	config->kind_count = n;
	for (int i = 0; i < n; i++)
	{
		config->kinds[i].name = ResultText(i, 1);
		config->kinds[i].direction = ResultText(i, 2);
		config->kinds[i].makes_lead = ResultBool(i, 3);
	}
	SPI_freetuptable(SPI_tuptable);

	n = WorkspaceExecute(ws, &read_campaigns, NULL, NULL);
	config->campaigns = palloc0(sizeof(Campaign) * Max(n, 1));
	config->campaign_count = n;
	for (int i = 0; i < n; i++)
	{
		config->campaigns[i].name = ResultText(i, 1);
		config->campaigns[i].id = ResultInt64(i, 2, NULL);
	}
	SPI_freetuptable(SPI_tuptable);

	n = WorkspaceExecute(ws, &read_sources, NULL, NULL);
	config->sources = palloc0(sizeof(LeadSource) * Max(n, 1));
	config->source_count = n;
	for (int i = 0; i < n; i++)
	{
		config->sources[i].name = ResultText(i, 1);
		config->sources[i].trust = ResultInt(i, 2);
	}
	SPI_freetuptable(SPI_tuptable);
}

/* Get the row type of a relation */
static TupleDesc
RowType(Oid relid)
{
	TupleDesc	desc = lookup_rowtype_tupdesc(get_rel_type_id(relid), -1);
	TupleDesc	copy = CreateTupleDescCopy(desc);

	ReleaseTupleDesc(desc);
	return copy;
}

/*
 * Get the configuration of a workspace, reading it when nothing valid is
 * cached.  It stays in memory at least to the end of the transaction, even
 * when a change to the definitions arrives meanwhile.  A transaction that
 * keeps one snapshot may have read definitions that are already out of date,
 * so what it reads serves it alone.
 */
WorkspaceConfig *
WorkspaceGetConfig(Workspace *ws)
{
	MemoryContext context;
	MemoryContext old;
	WorkspaceConfig *config;
	int			level;

	if (ws->config && ws->config_valid)
		return ws->config;
	if (ws->config)
	{
		MemoryContextSetParent(ws->config->context, TopTransactionContext);
		ws->config = NULL;
	}

	level = WorkspacePin(false);
	SPI_connect();
	context = AllocSetContextCreate(TopTransactionContext, "lead_mgmt configuration", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	config = palloc0(sizeof(WorkspaceConfig));
	config->context = context;

	/* An invalidation that arrives from here on makes what we read stale */
	ws->config_valid = true;
	config->profile = RowType(ws->profile_relid);
	config->reads_computed = config->profile->natts != PROFILE_COLUMNS;
	config->opportunity = RowType(ws->opportunity_relid);
	config->interaction = RowType(ws->interaction_relid);
	LoadFields(ws, config);
	ConfigLoadPipelines(ws, config);
	ConfigLoadForms(ws, config);
	ConfigLoadModels(ws, config);
	LoadRouting(ws, config);
	config->stage_move = RowType(ws->move_relid);
	LoadHandlers(ws, config);
	LoadVocabularies(ws, config);
	MemoryContextSwitchTo(old);
	SPI_finish();
	WorkspaceUnpin(level);

	if (!IsolationUsesXactSnapshot())
		MemoryContextSetParent(context, TopMemoryContext);
	ws->config_is_transient = IsolationUsesXactSnapshot();
	ws->config = config;
	return config;
}
