/*
 * The law of stages, as row triggers on lead and opportunity: an UPDATE from
 * any client obeys the transitions and required fields, and leaves history.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "matching/identity.h"
#include "miscadmin.h"
#include "pipeline/pipeline.h"
#include "types/types.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/rel.h"
#include "workspace/guard.h"

/* Most columns that the triggers set in one row */
#define LAW_MAX_CHANGES 8

static const PlanSource opportunity_profile = {
	"SELECT c.full_name, c.given_name, c.family_name, c.email::pg_catalog.text AS email,"
	" c.phone::pg_catalog.text AS phone, c.job_title, c.city, c.region, c.postal_code, c.country, c.language,"
	" a.name AS company, a.domain AS company_domain, a.website, a.industry, a.employees, a.annual_revenue,"
	" a.phone::pg_catalog.text AS company_phone, a.city AS company_city, a.country AS company_country"
	" FROM (VALUES ($1, $2)) AS o (contact_id, account_id)"
	" LEFT JOIN @workspace@.contact c ON c.contact_id = o.contact_id"
	" LEFT JOIN @workspace@.account a ON a.account_id = COALESCE(o.account_id, c.account_id)",
	2, {ARG_INT8, ARG_INT8}
};

static const PlanSource mark_customer = {
	"UPDATE @workspace@.contact SET customer_since = $2, updated_at = pg_catalog.now()"
	" WHERE contact_id = $1 AND customer_since IS NULL",
	2, {ARG_INT8, ARG_TIMESTAMPTZ}
};

static const PlanSource link_lead = {
	"UPDATE @workspace@.lead l SET contact_id = COALESCE(l.contact_id, $2), account_id = COALESCE(l.account_id, $3),"
	" is_existing_customer = l.is_existing_customer OR COALESCE((SELECT c.customer_since IS NOT NULL"
	" FROM @workspace@.contact c WHERE c.contact_id = COALESCE(l.contact_id, $2)), false)"
	" WHERE l.lead_id = $1",
	3, {ARG_INT8, ARG_INT8, ARG_INT8}
};

static const PlanSource find_opportunity = {
	"SELECT o.opportunity_id FROM @workspace@.opportunity o WHERE o.lead_id = $1 LIMIT 1",
	1, {ARG_INT8}
};

/* Columns of a closed lead that its surroundings may still change */
static const char *const closed_lead_columns[] = {
	"contact_id", "account_id", "team_id", "agent_id", "interaction_count", "last_interaction_at", "updated_at",
	"sales_ready_at", "sales_ready_model", "is_existing_customer"
};

/* A row as a trigger sees it */
typedef struct LawRow
{
	TriggerData *trigdata;
	TupleDesc	desc;
	HeapTuple	old;			/* NULL on insert */
	HeapTuple	new;
	bool		is_lead;
	int			changes;
	int			columns[LAW_MAX_CHANGES];
	Datum		values[LAW_MAX_CHANGES];
	bool		nulls[LAW_MAX_CHANGES];
} LawRow;

/* Get a column of the row by name */
static Datum
LawGet(const LawRow *row, HeapTuple tuple, const char *column, bool *isnull)
{
	return heap_getattr(tuple, SPI_fnumber(row->desc, column), row->desc, isnull);
}

/* Get a text column of the row by name, NULL when it is null */
static char *
LawText(const LawRow *row, HeapTuple tuple, const char *column)
{
	bool		isnull;
	Datum		value = LawGet(row, tuple, column, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/* Get a bigint column of the row by name, 0 when it is null */
static int64
LawId(const LawRow *row, HeapTuple tuple, const char *column)
{
	bool		isnull;
	Datum		value = LawGet(row, tuple, column, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

/* Note a column of the new row to be set */
static void
LawSet(LawRow *row, const char *column, Datum value, bool isnull)
{
	Assert(row->changes < LAW_MAX_CHANGES);
	row->columns[row->changes] = SPI_fnumber(row->desc, column);
	row->values[row->changes] = value;
	row->nulls[row->changes++] = isnull;
}

/* Set up the row of a trigger call, checking the protocol */
static void
LawOpen(FunctionCallInfo fcinfo, LawRow *row, bool before)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) ||
		(before ? !TRIGGER_FIRED_BEFORE(trigdata->tg_event) : !TRIGGER_FIRED_AFTER(trigdata->tg_event)) ||
		TRIGGER_FIRED_BY_DELETE(trigdata->tg_event) || trigdata->tg_trigger->tgnargs != 1)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("stage triggers must be called for rows inserted or updated, with the argument entity")));
	memset(row, 0, sizeof(LawRow));
	row->trigdata = trigdata;
	row->desc = RelationGetDescr(trigdata->tg_relation);
	row->is_lead = strcmp(trigdata->tg_trigger->tgargs[0], "lead") == 0;
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
	{
		row->old = trigdata->tg_trigtuple;
		row->new = trigdata->tg_newtuple;
	}
	else
		row->new = trigdata->tg_trigtuple;
}

/* Name the row for messages */
static char *
LawName(const LawRow *row)
{
	return psprintf("%s " INT64_FORMAT, row->is_lead ? "lead" : "opportunity",
					LawId(row, row->new, row->is_lead ? "lead_id" : "opportunity_id"));
}

/* Find a stage or complain */
static int
LawStage(const LawRow *row, const Pipeline *pipeline, const char *stage)
{
	int			found = PipelineStage(pipeline, stage);

	if (found < 0)
	{
		StringInfoData all;

		initStringInfo(&all);
		for (int i = 0; i < pipeline->stage_count; i++)
			appendStringInfo(&all, "%s%s", i ? ", " : "", pipeline->stages[i].name);
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("pipeline \"%s\" has no stage \"%s\"", pipeline->name, stage),
				 errhint("Its stages: %s.", all.data)));
	}
	return found;
}

/* Set what follows from being in a stage */
static void
LawEnter(LawRow *row, const Stage *stage)
{
	const char *status = stage->kind == STAGE_WON ? (row->is_lead ? "converted" : "won") :
		stage->kind == STAGE_LOST ? (row->is_lead ? "disqualified" : "lost") : "open";

	LawSet(row, "status", CStringGetTextDatum(status), false);
	if (row->is_lead)
	{
		if (stage->kind == STAGE_LOST)
			LawSet(row, "qualification", CStringGetTextDatum("disqualified"), false);
	}
	else if (strcmp(status, "open") == 0)
		LawSet(row, "closed_at", (Datum) 0, true);
	else
	{
		bool		isnull;

		LawGet(row, row->new, "closed_at", &isnull);
		if (isnull)
			LawSet(row, "closed_at", TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()), false);
	}
}

/* Refuse a stage whose required fields are missing; returns what stood in */
static char *
LawRequire(Workspace *ws, WorkspaceConfig *config, LawRow *row, const Stage *stage)
{
	char	   *missing;
	char	   *fallbacks;

	if (stage->required_count == 0)
		return NULL;
	if (row->is_lead)
	{
		int64		id = LawId(row, row->new, "lead_id");
		ScoredLead *lead = ScoreLoad(ws, config, &id, 1);

		if (lead->profile == NULL)
			return NULL;
		missing = PipelineMissing(stage, config->profile, lead->profile, &fallbacks);
	}
	else
	{
		Datum		values[2];
		char		nulls[3] = "  ";
		int64		contact = LawId(row, row->new, "contact_id");
		int64		account = LawId(row, row->new, "account_id");

		values[0] = Int64GetDatum(contact);
		values[1] = Int64GetDatum(account);
		nulls[0] = contact ? ' ' : 'n';
		nulls[1] = account ? ' ' : 'n';
		WorkspaceExecute(ws, &opportunity_profile, values, nulls);
		missing = PipelineMissing(stage, SPI_tuptable->tupdesc, SPI_tuptable->vals[0], &fallbacks);
	}
	if (missing)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("%s cannot enter \"%s\": %s missing", LawName(row), stage->name, missing),
				 errhint("Fill in the missing fields first.")));
	return fallbacks;
}

/* Check a row about to be inserted and give it its place in the pipeline */
static void
LawInsert(Workspace *ws, WorkspaceConfig *config, LawRow *row)
{
	char	   *name = LawText(row, row->new, "pipeline");
	char	   *stage_name = LawText(row, row->new, "stage");
	Pipeline   *pipeline = name ? ConfigPipeline(config, name) : ConfigDefaultPipeline(config, row->is_lead);
	bool		unstamped;
	Datum		entered;
	int			stage;

	if (pipeline == NULL || pipeline->for_leads != row->is_lead || pipeline->entry < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 name ? errmsg("there is no %s pipeline \"%s\"", row->is_lead ? "lead" : "opportunity", name) :
				 errmsg("there is no default %s pipeline with an entry stage", row->is_lead ? "lead" : "opportunity")));
	entered = LawGet(row, row->new, "stage_entered_at", &unstamped);
	if (!unstamped && DatumGetTimestampTz(entered) >= GetCurrentTransactionStartTimestamp())
		unstamped = true;		/* now is no history, nor is the future */
	stage = stage_name ? LawStage(row, pipeline, stage_name) : pipeline->entry;
	if (unstamped && stage != pipeline->entry)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("a new %s begins in stage \"%s\", not in \"%s\"", row->is_lead ? "lead" : "opportunity",
						pipeline->stages[pipeline->entry].name, stage_name),
				 errhint("Insert it without a stage and advance it, or give stage_entered_at to load it as history.")));
	if (name == NULL)
		LawSet(row, "pipeline", CStringGetTextDatum(pipeline->name), false);
	if (stage_name == NULL)
		LawSet(row, "stage", CStringGetTextDatum(pipeline->stages[stage].name), false);
	if (unstamped)
	{
		if (!row->is_lead)
			LawRequire(ws, config, row, &pipeline->stages[stage]);
		LawSet(row, "stage_entered_at", TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()), false);
	}
	LawEnter(row, &pipeline->stages[stage]);
}

/* Refuse changes to a lead that is closed, but for what goes on around it */
static void
LawClosed(const LawRow *row, const char *status)
{
	for (int i = 0; i < row->desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(row->desc, i);
		bool		old_null;
		bool		new_null;
		Datum		old;
		Datum		new;
		bool		allowed = false;

		if (attribute->attisdropped)
			continue;
		old = heap_getattr(row->old, i + 1, row->desc, &old_null);
		new = heap_getattr(row->new, i + 1, row->desc, &new_null);
		if (old_null == new_null && (old_null || datum_image_eq(old, new, attribute->attbyval, attribute->attlen)))
			continue;
		for (int c = 0; c < lengthof(closed_lead_columns); c++)
			allowed |= strcmp(closed_lead_columns[c], NameStr(attribute->attname)) == 0;
		if (!allowed)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("%s is %s: its \"%s\" cannot be changed", LawName(row), status, NameStr(attribute->attname)),
					 errhint("A closed lead stays as it was; new interest is a new lead.")));
	}
}

/* Get the reason a client gives with a move; one left from the last move is none */
static char *
LawReason(LawRow *row)
{
	int			column = SPI_fnumber(row->desc, "stage_reason");

	if (bms_is_member(column - FirstLowInvalidHeapAttributeNumber, row->trigdata->tg_updatedcols))
		return LawText(row, row->new, "stage_reason");
	LawSet(row, "stage_reason", (Datum) 0, true);
	return NULL;
}

/* Check an update of a row and record the move it makes */
static void
LawUpdate(Workspace *ws, WorkspaceConfig *config, LawRow *row)
{
	char	   *old_pipeline = LawText(row, row->old, "pipeline");
	char	   *new_pipeline = LawText(row, row->new, "pipeline");
	char	   *old_stage = LawText(row, row->old, "stage");
	char	   *new_stage = LawText(row, row->new, "stage");
	Pipeline   *pipeline = ConfigPipeline(config, old_pipeline);
	StageMove	move = {0};
	int			from;
	int			to;

	if (new_pipeline == NULL || strcmp(old_pipeline, new_pipeline) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("%s cannot change its pipeline from \"%s\" to \"%s\"", LawName(row), old_pipeline,
						new_pipeline ? new_pipeline : "")));
	if (row->is_lead)
	{
		char	   *status = LawText(row, row->old, "status");
		int64		old_contact = LawId(row, row->old, "contact_id");

		if (strcmp(status, "open") != 0)
			LawClosed(row, status);
		if (old_contact != 0 && LawId(row, row->new, "contact_id") != old_contact)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("%s is linked to contact " INT64_FORMAT " already", LawName(row), old_contact),
					 errhint("A lead is linked once.")));
	}
	if (new_stage == NULL)
		return;					/* for the column's own constraint to refuse */
	if (strcmp(old_stage, new_stage) == 0)
	{
		bool		isnull;
		Datum		entered = LawGet(row, row->old, "stage_entered_at", &isnull);

		/* What follows from the stage alone is not for clients to set */
		LawSet(row, "stage_entered_at", entered, isnull);
		LawSet(row, "status", CStringGetTextDatum(LawText(row, row->old, "status")), false);
		return;
	}
	from = LawStage(row, pipeline, old_stage);
	to = LawStage(row, pipeline, new_stage);
	if (!PipelineAllows(pipeline, from, to))
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("%s cannot move from \"%s\" to \"%s\"", LawName(row), old_stage, new_stage),
				 errhint("Allowed next stages: %s.", PipelineNextStages(pipeline, from))));

	if (row->is_lead && pipeline->stages[to].kind == STAGE_WON)
	{
		Datum		id = Int64GetDatum(LawId(row, row->new, "lead_id"));

		if (WorkspaceExecute(ws, &find_opportunity, &id, NULL) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_CHECK_VIOLATION),
					 errmsg("%s cannot enter \"%s\": it has no opportunity", LawName(row), new_stage),
					 errhint("Convert it with convert_lead().")));
	}

	move.lead_id = row->is_lead ? LawId(row, row->new, "lead_id") : 0;
	move.opportunity_id = row->is_lead ? 0 : LawId(row, row->new, "opportunity_id");
	move.pipeline = pipeline->name;
	move.from_stage = old_stage;
	move.to_stage = new_stage;
	move.rule = !row->is_lead ? MOVE_MANUAL :
		pipeline->stages[to].kind == STAGE_WON ? MOVE_CONVERTED :
		pipeline->stages[to].kind == STAGE_LOST ? MOVE_DISQUALIFIED : MOVE_MANUAL;
	move.at = GetCurrentTransactionStartTimestamp();
	move.fallbacks = LawRequire(ws, config, row, &pipeline->stages[to]);
	move.reason = LawReason(row);
	PipelineRecord(ws, &move, 1);
	LawSet(row, "stage_entered_at", TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()), false);
	LawEnter(row, &pipeline->stages[to]);
}

PG_FUNCTION_INFO_V1(stage_law);
/* Make a lead or opportunity that a client writes obey its pipeline; argument: entity */
Datum
stage_law(PG_FUNCTION_ARGS)
{
	LawRow		row;
	Workspace  *ws;
	WorkspaceConfig *config;
	WorkspaceRights rights;
	HeapTuple	result;
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext old;

	LawOpen(fcinfo, &row, true);
	ws = WorkspaceOfRelation(row.trigdata->tg_relation);
	SPI_connect();
	WorkspaceEnter(ws, &rights);
	config = WorkspaceGetConfig(ws);
	if (row.old)
		LawUpdate(ws, config, &row);
	else
		LawInsert(ws, config, &row);
	if (row.is_lead)
		GuardAttributes(ws, row.trigdata, ENTITY_LEAD);
	if (row.old)
		LawSet(&row, "updated_at", TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()), false);
	old = MemoryContextSwitchTo(caller);
	result = heap_modify_tuple_by_cols(row.new, row.desc, row.changes, row.columns, row.values, row.nulls);
	MemoryContextSwitchTo(old);
	WorkspaceLeave(&rights);
	SPI_finish();
	return PointerGetDatum(result);
}

/* Find or make the contact and account of a lead entered by hand, where it names them */
static void
LinkManualLead(Workspace *ws, WorkspaceConfig *config, const LawRow *row)
{
	MatchConfig *matching = MatchGetConfig(ws, config);
	EntityRecord person = {0};
	EntityRecord company = {0};
	EntityRecord *record;
	Datum		values[3];
	char		nulls[4] = "   ";
	char	   *email = LawText(row, row->new, "email");

	company.policy = person.policy = UPDATE_FILL;
	company.strategies = MatchStrategies(matching, NULL, ENTITY_ACCOUNT);
	company.values[ACCOUNT_NAME] = LawText(row, row->new, "company_name");
	if (email && strchr(email, '@'))
	{
		const char *domain = strrchr(email, '@') + 1;

		if (!EmailDomainIsFree(domain, strlen(domain)))
			company.values[ACCOUNT_DOMAIN] = pstrdup(domain);
	}
	IdentityKeys(matching, ENTITY_ACCOUNT, &company);
	if (company.keys[ACCOUNT_KEY_NAME] == NULL && company.values[ACCOUNT_DOMAIN])
		company.values[ACCOUNT_NAME] = company.values[ACCOUNT_DOMAIN];
	if ((company.keys[ACCOUNT_KEY_DOMAIN] || company.keys[ACCOUNT_KEY_NAME]) && LawId(row, row->new, "account_id") == 0)
	{
		record = &company;
		IdentityResolve(ws, config, &AccountOps, &record, 1, true);
	}
	person.strategies = MatchStrategies(matching, NULL, ENTITY_CONTACT);
	person.values[CONTACT_FULL_NAME] = LawText(row, row->new, "contact_name");
	person.values[CONTACT_EMAIL] = email;
	person.values[CONTACT_PHONE] = LawText(row, row->new, "phone");
	person.values[CONTACT_LAST_SOURCE] = LawText(row, row->new, "source");
	person.account_id = company.slot ? company.slot->id : LawId(row, row->new, "account_id");
	IdentityKeys(matching, ENTITY_CONTACT, &person);
	if ((person.keys[CONTACT_KEY_EMAIL] || person.keys[CONTACT_KEY_PHONE]) && LawId(row, row->new, "contact_id") == 0)
	{
		record = &person;
		IdentityResolve(ws, config, &ContactOps, &record, 1, true);
	}
	if (person.slot == NULL && company.slot == NULL && LawId(row, row->new, "contact_id") == 0)
		return;
	values[0] = Int64GetDatum(LawId(row, row->new, "lead_id"));
	values[1] = Int64GetDatum(person.slot ? person.slot->id : 0);
	values[2] = Int64GetDatum(company.slot ? company.slot->id : person.slot ? person.slot->account_id : 0);
	nulls[1] = DatumGetInt64(values[1]) ? ' ' : 'n';
	nulls[2] = DatumGetInt64(values[2]) ? ' ' : 'n';
	WorkspaceExecute(ws, &link_lead, values, nulls);
}

/* Link a lead that stands as it is stored; for conversion */
void
PipelineLink(Workspace *ws, WorkspaceConfig *config, TupleDesc desc, HeapTuple lead)
{
	LawRow		row = {.desc = desc,.new = lead,.is_lead = true};

	LinkManualLead(ws, config, &row);
}

/* Is the row new and its place in the pipeline given by the law just now? */
static bool
IsFresh(const LawRow *row)
{
	bool		isnull;

	return row->old == NULL && DatumGetTimestampTz(LawGet(row, row->new, "stage_entered_at", &isnull)) ==
		GetCurrentTransactionStartTimestamp();
}

/* Do what follows a row that a client wrote */
static void
Follow(Workspace *ws, void *arg)
{
	LawRow	   *row = arg;
	WorkspaceConfig *config = WorkspaceGetConfig(ws);
	bool		is_fresh = IsFresh(row);
	char	   *status = LawText(row, row->new, "status");

	if (is_fresh)
	{
		StageMove	move = {
			.lead_id = row->is_lead ? LawId(row, row->new, "lead_id") : 0,
			.opportunity_id = row->is_lead ? 0 : LawId(row, row->new, "opportunity_id"),
			.pipeline = LawText(row, row->new, "pipeline"),
			.to_stage = LawText(row, row->new, "stage"),
			.at = GetCurrentTransactionStartTimestamp(),
			.rule = MOVE_CREATED,
			.reason = LawText(row, row->new, "stage_reason")
		};

		if (!row->is_lead)
		{
			Pipeline   *pipeline = ConfigPipeline(config, LawText(row, row->new, "pipeline"));

			move.fallbacks = LawRequire(ws, config, row, &pipeline->stages[LawStage(row, pipeline, move.to_stage)]);
		}
		PipelineRecord(ws, &move, 1);
	}
	if (row->is_lead)
	{
		if (is_fresh)
			LinkManualLead(ws, config, row);
		if (strcmp(status, "open") == 0)
		{
			int64		id = LawId(row, row->new, "lead_id");

			PipelineScore(ws, config, &id, 1, is_fresh);
		}
	}
	else if (strcmp(status, "won") == 0 && LawId(row, row->new, "contact_id") != 0)
	{
		bool		isnull;
		Datum		values[2];

		values[0] = Int64GetDatum(LawId(row, row->new, "contact_id"));
		values[1] = LawGet(row, row->new, "closed_at", &isnull);
		WorkspaceExecute(ws, &mark_customer, values, NULL);
	}
}

PG_FUNCTION_INFO_V1(stage_follow);
/* Follow up a row that a client wrote: first history, links, score, customer; argument: entity */
Datum
stage_follow(PG_FUNCTION_ARGS)
{
	LawRow		row;

	LawOpen(fcinfo, &row, false);
	if (row.is_lead && row.old == NULL && !IsFresh(&row))
		return PointerGetDatum(NULL);	/* loaded as history */
	SPI_connect();
	WorkspaceRun(WorkspaceOfRelation(row.trigdata->tg_relation), Follow, &row);
	SPI_finish();
	return PointerGetDatum(NULL);
}
