/*
 * The law of stages, as a row trigger on lead and opportunity: an INSERT or
 * UPDATE from any client begins in the entry stage and goes along transitions.
 *
 * Before the row is written only what the row itself and the definitions say
 * is looked at.  What needs the profile, guards and required fields, is
 * checked once the statement is done, for all its moves at once (history.c).
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/xact.h"
#include "executor/spi.h"
#include "matching/strategy.h"
#include "pipeline/law.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/rel.h"
#include "workspace/guard.h"

/* Columns of a closed lead that its surroundings may still change */
static const char *const closed_lead_columns[] = {
	"contact_id", "account_id", "team_id", "agent_id", "interaction_count", "last_interaction_at", "updated_at",
	"sales_ready_at", "sales_ready_model", "is_existing_customer"
};

static const char *const lead_columns[LAW_COLUMNS] = {
	"lead_id", "pipeline", "stage", "stage_entered_at", "stage_reason", "status", "contact_id", "account_id",
	"agent_id", "updated_at", "disqualified_reason", "qualification", "sales_ready_at", NULL, "context_key"
};

static const char *const opportunity_columns[LAW_COLUMNS] = {
	"opportunity_id", "pipeline", "stage", "stage_entered_at", "stage_reason", "status", "contact_id", "account_id",
	"agent_id", "updated_at", "lost_reason", NULL, NULL, "closed_at", NULL
};

/* What a lead can be known by besides a contact and an account */
static const char *const known_by[] = {"contact_name", "company_name", "email", "phone"};

/* Another open lead of the same person, or of a company without one, for the same interest */
static const PlanSource find_rival = {
	"SELECT o.lead_id FROM @workspace@.lead o WHERE o.contact_id = $2 AND o.context_key = $4"
	" AND o.status = 'open' AND o.lead_id <> $1"
	" UNION ALL SELECT o.lead_id FROM @workspace@.lead o WHERE $2 IS NULL AND o.account_id = $3 AND o.contact_id IS NULL"
	" AND o.context_key = $4 AND o.status = 'open' AND o.lead_id <> $1 LIMIT 1",
	4, {ARG_INT8, ARG_INT8, ARG_INT8, ARG_TEXT}
};

static HTAB *law_tables = NULL;

/* Look the columns of a table up again after it was altered */
static void
TableInvalidated(Datum arg, Oid relid)
{
	HASH_SEQ_STATUS status;
	LawTable   *table;

	hash_seq_init(&status, law_tables);
	while ((table = hash_seq_search(&status)) != NULL)
		if (relid == InvalidOid || relid == table->relid)
			table->is_valid = false;
}

/* Prepare the cache of columns */
void
LawInit(void)
{
	HASHCTL		ctl = {0};

	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(LawTable);
	law_tables = hash_create("lead_mgmt tables under the law of stages", 8, &ctl, HASH_ELEM | HASH_BLOBS);
	CacheRegisterRelcacheCallback(TableInvalidated, (Datum) 0);
}

/* Find out where a table has the columns that the law is about */
const LawTable *
LawTableOf(Relation rel, bool is_lead)
{
	Oid			relid = RelationGetRelid(rel);
	bool		found;
	LawTable   *table = hash_search(law_tables, &relid, HASH_ENTER, &found);

	if (found && table->is_valid)
		return table;
	table->is_lead = is_lead;
	for (int i = 0; i < LAW_COLUMNS; i++)
	{
		const char *name = is_lead ? lead_columns[i] : opportunity_columns[i];

		table->columns[i] = name ? SPI_fnumber(RelationGetDescr(rel), name) : 0;
	}
	table->is_valid = true;
	return table;
}

/* Get a column of the row */
Datum
LawGet(const LawRow *row, HeapTuple tuple, LawColumn column, bool *isnull)
{
	return heap_getattr(tuple, row->table->columns[column], row->desc, isnull);
}

/* Get a text column of the row, NULL when it is null */
char *
LawText(const LawRow *row, HeapTuple tuple, LawColumn column)
{
	bool		isnull;
	Datum		value = LawGet(row, tuple, column, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/* Get a bigint column of the row, 0 when it is null */
int64
LawId(const LawRow *row, HeapTuple tuple, LawColumn column)
{
	bool		isnull;
	Datum		value = LawGet(row, tuple, column, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

/* Does an update change a text column, which is never NULL? */
bool
LawChanges(const LawRow *row, LawColumn column)
{
	bool		isnull;
	text	   *old = DatumGetTextPP(LawGet(row, row->old, column, &isnull));
	text	   *new = DatumGetTextPP(LawGet(row, row->new, column, &isnull));

	return VARSIZE_ANY_EXHDR(old) != VARSIZE_ANY_EXHDR(new) ||
		memcmp(VARDATA_ANY(old), VARDATA_ANY(new), VARSIZE_ANY_EXHDR(old)) != 0;
}

/* Note a column of the new row to be set */
static void
LawSet(LawRow *row, LawColumn column, Datum value, bool isnull)
{
	Assert(row->changes < LAW_COLUMNS);
	row->columns[row->changes] = row->table->columns[column];
	row->values[row->changes] = value;
	row->nulls[row->changes++] = isnull;
}

/* Note a text column of the new row to be set */
static void
LawSetText(LawRow *row, LawColumn column, const char *value)
{
	LawSet(row, column, CStringGetTextDatum(value), false);
}

/* Set up the row of a trigger call, checking the protocol */
void
LawOpen(FunctionCallInfo fcinfo, LawRow *row, bool before)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) ||
		(before ? !TRIGGER_FIRED_BEFORE(trigdata->tg_event) : !TRIGGER_FIRED_AFTER(trigdata->tg_event)) ||
		TRIGGER_FIRED_BY_DELETE(trigdata->tg_event) || trigdata->tg_trigger->tgnargs != 1)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("stage triggers must be called for rows inserted or updated, with the argument entity")));
	memset(row, 0, offsetof(LawRow, columns));
	row->trigdata = trigdata;
	row->desc = RelationGetDescr(trigdata->tg_relation);
	row->is_lead = strcmp(trigdata->tg_trigger->tgargs[0], "lead") == 0;
	row->table = LawTableOf(trigdata->tg_relation, row->is_lead);
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
	return psprintf("%s " INT64_FORMAT, row->is_lead ? "lead" : "opportunity", LawId(row, row->new, LAW_ID));
}

/* Find a stage or complain */
int
LawStage(const Pipeline *pipeline, const char *stage)
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

/* Find a pipeline that rows of this kind may be in, or complain */
static Pipeline *
LawPipeline(WorkspaceConfig *config, const LawRow *row, const char *name)
{
	const char *entity = row->is_lead ? "lead" : "opportunity";
	Pipeline   *pipeline = name ? ConfigPipeline(config, name) : ConfigDefaultPipeline(config, row->is_lead);

	if (pipeline == NULL || pipeline->for_leads != row->is_lead || pipeline->entry < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 name ? errmsg("there is no %s pipeline \"%s\"", entity, name) :
				 errmsg("there is no default %s pipeline with an entry stage", entity)));
	return pipeline;
}

/* Refuse a pipeline that is a draft */
static void
LawActive(const LawRow *row, const Pipeline *pipeline)
{
	if (!pipeline->is_active)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("pipeline \"%s\" is a draft: no %s can enter it", pipeline->name,
						row->is_lead ? "lead" : "opportunity"),
				 errhint("Activate it with activate_pipeline().")));
}

/* Set what follows from being in a stage */
static void
LawEnter(LawRow *row, const Stage *stage)
{
	const char *status = stage->kind == STAGE_WON ? (row->is_lead ? "converted" : "won") :
		stage->kind == STAGE_LOST ? (row->is_lead ? "disqualified" : "lost") : "open";

	LawSetText(row, LAW_STATUS, status);
	if (row->is_lead)
	{
		if (stage->kind == STAGE_LOST)
			LawSetText(row, LAW_QUALIFICATION, "disqualified");
	}
	else if (strcmp(status, "open") == 0)
		LawSet(row, LAW_CLOSED_AT, (Datum) 0, true);
	else
	{
		bool		isnull;

		LawGet(row, row->new, LAW_CLOSED_AT, &isnull);
		if (isnull)
			LawSet(row, LAW_CLOSED_AT, TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()), false);
	}
}

/* A lead put by hand where sales-ready leads go is one */
static void
LawMarkReady(LawRow *row)
{
	bool		isnull;
	char	   *qualification = LawText(row, row->new, LAW_QUALIFICATION);

	LawGet(row, row->new, LAW_SALES_READY_AT, &isnull);
	if (isnull)
		LawSet(row, LAW_SALES_READY_AT, TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()), false);
	if (qualification && strcmp(qualification, "sales_ready") != 0 && strcmp(qualification, "sales_accepted") != 0)
		LawSetText(row, LAW_QUALIFICATION, "sales_ready");
}

/*
 * Give a lead that came through a page or campaign the context that a capture
 * through the form "default" would give it, unless it brings one
 */
static void
LawContext(Workspace *ws, WorkspaceConfig *config, LawRow *row)
{
	static const char *const columns[LEAD_MATCH_COLUMN_COUNT] = {
		[LEAD_MATCH_PAGE] = "page",
		[LEAD_MATCH_CAMPAIGN] = "campaign_id",
		[LEAD_MATCH_PRODUCT] = "product",
		[LEAD_MATCH_TITLE] = "title",
		[LEAD_MATCH_CHANNEL] = "channel",
		[LEAD_MATCH_SOURCE] = "source"
	};
	char	   *values[LEAD_MATCH_COLUMN_COUNT] = {0};
	MatchSide	side = {.values = values};
	MatchConfig *matching;
	StrategyList *strategies;
	Datum		attributes;
	bool		isnull;
	char	   *key = NULL;

	LawGet(row, row->new, LAW_CONTEXT_KEY, &isnull);
	if (!isnull)
		return;
	for (int c = 0; c < LEAD_MATCH_COLUMN_COUNT; c++)
		if (columns[c])
			values[c] = SPI_getvalue(row->new, row->desc, SPI_fnumber(row->desc, columns[c]));
	values[LEAD_MATCH_CONTEXT] = MatchContext(values[LEAD_MATCH_PAGE],
											  values[LEAD_MATCH_CAMPAIGN] ? pg_strtoint64(values[LEAD_MATCH_CAMPAIGN]) : 0, NULL);
	if (values[LEAD_MATCH_CONTEXT] == NULL)
		return;
	attributes = SPI_getbinval(row->new, row->desc, SPI_fnumber(row->desc, "attributes"), &isnull);
	side.attributes = isnull ? NULL : DatumGetJsonbP(attributes);
	matching = MatchGetConfig(ws, config);
	strategies = MatchStrategies(matching, ConfigForm(config, "default"), ENTITY_LEAD);
	for (int s = 0; s < strategies->count && key == NULL; s++)
		for (int r = 0; r < strategies->items[s]->rule_count && key == NULL; r++)
			key = MatchContextKey(matching, &strategies->items[s]->rules[r], &side);
	if (key)
		LawSetText(row, LAW_CONTEXT_KEY, key);
}

/* Check a row about to be inserted and give it its place in the pipeline */
static void
LawInsert(Workspace *ws, WorkspaceConfig *config, LawRow *row)
{
	char	   *name = LawText(row, row->new, LAW_PIPELINE);
	char	   *stage_name = LawText(row, row->new, LAW_STAGE);
	Pipeline   *pipeline = LawPipeline(config, row, name);
	bool		unstamped;
	Datum		entered;
	int			stage;

	entered = LawGet(row, row->new, LAW_STAGE_ENTERED_AT, &unstamped);
	if (!unstamped && DatumGetTimestampTz(entered) >= GetCurrentTransactionStartTimestamp())
		unstamped = true;		/* now is no history, nor is the future */
	stage = stage_name ? LawStage(pipeline, stage_name) : pipeline->entry;
	if (unstamped)
	{
		LawActive(row, pipeline);
		if (stage != pipeline->entry)
			ereport(ERROR,
					(errcode(ERRCODE_CHECK_VIOLATION),
					 errmsg("a new %s begins in stage \"%s\", not in \"%s\"", row->is_lead ? "lead" : "opportunity",
							pipeline->stages[pipeline->entry].name, stage_name),
					 errhint("Insert it without a stage and advance it, or give stage_entered_at to load it as history.")));
		LawSet(row, LAW_STAGE_ENTERED_AT, TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()), false);
		if (row->is_lead)
			LawContext(ws, config, row);
	}
	if (name == NULL)
		LawSetText(row, LAW_PIPELINE, pipeline->name);
	if (stage_name == NULL)
		LawSetText(row, LAW_STAGE, pipeline->stages[stage].name);
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
					 errhint("A closed lead stays as it was; reopen() it, or take new interest as a new lead.")));
	}
}

/* Is a column among those that the statement sets? */
static bool
LawIsSet(const LawRow *row, LawColumn column)
{
	return bms_is_member(row->table->columns[column] - FirstLowInvalidHeapAttributeNumber,
						 row->trigdata->tg_updatedcols);
}

/* Get the reason a client gives with a move; one left from the last move is none */
static char *
LawReason(LawRow *row)
{
	if (LawIsSet(row, LAW_STAGE_REASON))
		return LawText(row, row->new, LAW_STAGE_REASON);
	LawSet(row, LAW_STAGE_REASON, (Datum) 0, true);
	return NULL;
}

/* Check the reason for which a lead is disqualified: one of the list */
static void
LawLost(WorkspaceConfig *config, LawRow *row, const char *move_reason)
{
	char	   *reason = LawText(row, row->new, LAW_CLOSING_REASON);
	bool		is_own = reason && *reason;
	StringInfoData list;
	bool		is_listed = false;

	if (!is_own)
		reason = (char *) move_reason;
	if (reason == NULL || *reason == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("%s cannot be disqualified without a reason", LawName(row)),
				 errhint("Set disqualified_reason or stage_reason, or call disqualify().")));
	initStringInfo(&list);
	for (int i = 0; i < config->reason_count && !is_listed; i++)
	{
		if (config->reasons[i].for_leads != row->is_lead)
			continue;
		is_listed = strcmp(config->reasons[i].reason, reason) == 0;
		appendStringInfo(&list, "%s%s", list.len ? ", " : "", config->reasons[i].reason);
	}
	if (list.len > 0 && !is_listed)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s cannot be disqualified: \"%s\" is not among the reasons", LawName(row), reason),
				 errhint("Reasons of closing_reason: %s.", list.data)));
	if (!is_own)
		LawSetText(row, LAW_CLOSING_REASON, reason);
}

/* Find the stage in which a row goes on that is switched to another pipeline */
static int
LawSwitch(WorkspaceConfig *config, const LawRow *row, const Pipeline *old, const char *old_stage,
		  const Pipeline *new, const char *new_stage)
{
	const char *wanted = NULL;
	int			to;

	for (int i = 0; i < config->map_count; i++)
	{
		const StageMap *map = &config->maps[i];

		if (strcmp(map->from_pipeline, old->name) == 0 && strcmp(map->from_stage, old_stage) == 0 &&
			strcmp(map->to_pipeline, new->name) == 0)
			wanted = map->to_stage;
	}
	if (wanted == NULL && PipelineStage(new, old_stage) >= 0)
		wanted = old_stage;
	if (strcmp(old_stage, new_stage) != 0)
	{
		to = LawStage(new, new_stage);
		if (wanted == NULL ? to != new->entry : strcmp(wanted, new_stage) != 0)
			ereport(ERROR,
					(errcode(ERRCODE_CHECK_VIOLATION),
					 errmsg("%s cannot go on in \"%s\" of pipeline \"%s\"", LawName(row), new_stage, new->name),
					 errhint("From \"%s\" it goes on in \"%s\".", old_stage,
							 wanted ? wanted : new->stages[new->entry].name)));
	}
	else if (wanted == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("%s cannot be switched to pipeline \"%s\": no stage there corresponds to \"%s\"",
						LawName(row), new->name, old_stage),
				 errhint("Add a row to stage_map, or name the entry stage \"%s\".", new->stages[new->entry].name)));
	else
		to = LawStage(new, wanted);
	if (new->stages[to].kind != STAGE_ENTRY && new->stages[to].kind != STAGE_OPEN)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("%s cannot be switched into \"%s\", which ends pipeline \"%s\"", LawName(row),
						new->stages[to].name, new->name),
				 errhint("Correct stage_map.")));
	return to;
}

/* Check an update of a row, and set what follows from the move it makes */
static void
LawUpdate(WorkspaceConfig *config, LawRow *row)
{
	char	   *old_pipeline = LawText(row, row->old, LAW_PIPELINE);
	char	   *new_pipeline = LawText(row, row->new, LAW_PIPELINE);
	char	   *old_stage = LawText(row, row->old, LAW_STAGE);
	char	   *new_stage = LawText(row, row->new, LAW_STAGE);
	char	   *status = LawText(row, row->old, LAW_STATUS);
	Pipeline   *pipeline = ConfigPipeline(config, old_pipeline);
	const Stage *stage;
	char	   *reason;
	int			from;
	int			to;

	if (row->is_lead)
	{
		int64		old_contact = LawId(row, row->old, LAW_CONTACT_ID);

		if (strcmp(status, "open") != 0)
			LawClosed(row, status);
		if (old_contact != 0 && LawId(row, row->new, LAW_CONTACT_ID) != old_contact)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("%s is linked to contact " INT64_FORMAT " already", LawName(row), old_contact),
					 errhint("A lead is linked once.")));
	}
	if (new_stage == NULL || new_pipeline == NULL)
		return;					/* for the column's own constraint to refuse */
	if (strcmp(old_pipeline, new_pipeline) != 0)
	{
		Pipeline   *next = LawPipeline(config, row, new_pipeline);

		LawActive(row, next);
		if (strcmp(status, "open") != 0)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("%s is %s: it cannot be switched to pipeline \"%s\"", LawName(row), status, new_pipeline)));
		to = LawSwitch(config, row, pipeline, old_stage, next, new_stage);
		if (strcmp(next->stages[to].name, new_stage) != 0)
			LawSetText(row, LAW_STAGE, next->stages[to].name);
		LawReason(row);
		LawSet(row, LAW_STAGE_ENTERED_AT, TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()), false);
		return;
	}
	if (strcmp(old_stage, new_stage) == 0)
	{
		bool		isnull;
		Datum		entered = LawGet(row, row->old, LAW_STAGE_ENTERED_AT, &isnull);

		/* What follows from the stage alone is not for clients to set */
		LawSet(row, LAW_STAGE_ENTERED_AT, entered, isnull);
		LawSetText(row, LAW_STATUS, status);
		return;
	}
	from = LawStage(pipeline, old_stage);
	to = LawStage(pipeline, new_stage);
	stage = &pipeline->stages[to];
	if (PipelineTransition(pipeline, from, to) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("%s cannot move from \"%s\" to \"%s\"", LawName(row), old_stage, new_stage),
				 errhint("Allowed next stages: %s.", PipelineNextStages(pipeline, from))));
	reason = LawReason(row);
	if (row->is_lead && stage->kind == STAGE_LOST)
		LawLost(config, row, reason);
	if (row->is_lead && to == pipeline->sales_ready)
		LawMarkReady(row);
	LawSet(row, LAW_STAGE_ENTERED_AT, TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()), false);
	LawEnter(row, stage);
}

/* Refuse a lead that nothing tells whom it is of */
static void
LawKnown(const LawRow *row, HeapTuple lead)
{
	bool		is_known = LawId(row, lead, LAW_CONTACT_ID) != 0 || LawId(row, lead, LAW_ACCOUNT_ID) != 0;

	for (int i = 0; i < lengthof(known_by) && !is_known; i++)
		is_known = !heap_attisnull(lead, SPI_fnumber(row->desc, known_by[i]), row->desc);
	if (!is_known)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 row->old ? errmsg("nothing would be left in %s to tell whom it is of", LawName(row)) :
				 errmsg("nothing tells whom the lead is of"),
				 errhint("A lead has a contact or account, or a contact_name, company_name, email or phone.%s",
						 row->old ? " Give it one first, or delete it." : ""),
				 errtableconstraint(row->trigdata->tg_relation, "lead_identifying_datum")));
}

/* Refuse an open lead for an interest that the contact, or else the account, has an open lead for */
void
LawRefuseRival(Workspace *ws, Relation rel, int64 lead, int64 contact, int64 account, const char *context)
{
	Datum		values[4] = {Int64GetDatum(lead), Int64GetDatum(contact), Int64GetDatum(account), (Datum) 0};
	char	   *nulls = contact != 0 ? "    " : " n  ";
	bool		is_of_contact = contact != 0;

	if (context == NULL || (contact == 0 && account == 0))
		return;
	values[3] = CStringGetTextDatum(context);
	SPI_connect();
	if (WorkspaceExecute(ws, &find_rival, values, nulls) > 0)
	{
		int64		rival = ResultInt64(0, 1, NULL);

		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("%s " INT64_FORMAT " has an open lead for \"%s\" already: " INT64_FORMAT,
						is_of_contact ? "contact" : "account", is_of_contact ? contact : account, context, rival),
				 errhint("Go on with that one, merge the two with merge_leads(), or give them different values of context_key."),
				 errtableconstraint(rel, is_of_contact ? "lead_context_idx" : "lead_account_context_idx")));
	}
	SPI_finish();
}

/* Check whom a lead is of, as it is going to be written */
static void
LawOwner(Workspace *ws, const LawRow *row, HeapTuple lead)
{
	char	   *context = LawText(row, lead, LAW_CONTEXT_KEY);
	char	   *before = row->old ? LawText(row, row->old, LAW_CONTEXT_KEY) : NULL;
	char	   *status = LawText(row, lead, LAW_STATUS);
	int64		contact = LawId(row, lead, LAW_CONTACT_ID);
	int64		account = LawId(row, lead, LAW_ACCOUNT_ID);

	LawKnown(row, lead);
	if (context && status && strcmp(status, "open") == 0 &&
		(before == NULL || strcmp(before, context) != 0 || LawId(row, row->old, LAW_CONTACT_ID) != contact ||
		 LawId(row, row->old, LAW_ACCOUNT_ID) != account))
		LawRefuseRival(ws, row->trigdata->tg_relation, LawId(row, lead, LAW_ID), contact, account, context);
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

	LawOpen(fcinfo, &row, true);
	if (SystemAtWork())
		return PointerGetDatum(row.new);	/* its rows are complete already */
	ws = WorkspaceOfRelation(row.trigdata->tg_relation);
	WorkspaceEnter(ws, &rights);
	config = WorkspaceGetConfig(ws);
	if (row.old)
		LawUpdate(config, &row);
	else
		LawInsert(ws, config, &row);
	if (row.is_lead)
		GuardAttributes(ws, row.trigdata, ENTITY_LEAD);
	if (row.old)
		LawSet(&row, LAW_UPDATED_AT, TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()), false);
	result = heap_modify_tuple_by_cols(row.new, row.desc, row.changes, row.columns, row.values, row.nulls);
	if (row.is_lead)
		LawOwner(ws, &row, result);
	WorkspaceLeave(&rights);
	return PointerGetDatum(result);
}
