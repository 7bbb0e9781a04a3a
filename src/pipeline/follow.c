/*
 * What follows a lead or opportunity that a client wrote: links to contact and
 * account, the first history, scores, the customer.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "executor/spi.h"
#include "matching/identity.h"
#include "pipeline/law.h"
#include "types/types.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "workspace/guard.h"

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

/* What came in before anybody knew whose lead it was */
static const PlanSource credit_contact = {
	"UPDATE @workspace@.interaction i SET contact_id = $2 WHERE i.lead_id = $1 AND i.contact_id IS NULL",
	2, {ARG_INT8, ARG_INT8}
};

static const PlanSource load_opportunity = {
	"SELECT p.* FROM @workspace@.opportunity_profile p WHERE p.opportunity_id = $1",
	1, {ARG_INT8}
};

/* Get a text column of the new row by name, NULL when it is null */
static char *
ColumnText(const LawRow *row, const char *column)
{
	return SPI_getvalue(row->new, row->desc, SPI_fnumber(row->desc, column));
}

/* Find or make the contact and account of a lead entered by hand, where it names them */
static void
LinkManualLead(Workspace *ws, WorkspaceConfig *config, Relation rel, const LawRow *row)
{
	MatchConfig *matching = MatchGetConfig(ws, config);
	EntityRecord person = {0};
	EntityRecord company = {0};
	EntityRecord *record;
	Datum		values[3];
	char		nulls[4] = "   ";
	char	   *email = ColumnText(row, "email");
	int64		account = LawId(row, row->new, LAW_ACCOUNT_ID);
	int64		contact = LawId(row, row->new, LAW_CONTACT_ID);
	int64		individual = 0;

	company.policy = person.policy = UPDATE_FILL;
	company.strategies = MatchStrategies(matching, NULL, ENTITY_ACCOUNT);
	company.values[ACCOUNT_NAME] = ColumnText(row, "company_name");
	if (email && strchr(email, '@'))
	{
		const char *domain = strrchr(email, '@') + 1;

		if (!EmailDomainIsFree(domain, strlen(domain)))
			company.values[ACCOUNT_DOMAIN] = pstrdup(domain);
	}
	IdentityKeys(matching, ENTITY_ACCOUNT, &company);
	if (company.keys[ACCOUNT_KEY_NAME] == NULL && company.values[ACCOUNT_DOMAIN])
		company.values[ACCOUNT_NAME] = company.values[ACCOUNT_DOMAIN];
	if ((company.keys[ACCOUNT_KEY_DOMAIN] || company.keys[ACCOUNT_KEY_NAME]) && account == 0)
	{
		record = &company;
		IdentityResolve(ws, config, &AccountOps, &record, 1, true);
		individual = company.slot ? company.slot->individual_id : 0;
	}
	person.strategies = MatchStrategies(matching, NULL, ENTITY_CONTACT);
	person.values[CONTACT_FULL_NAME] = ColumnText(row, "contact_name");
	person.values[CONTACT_EMAIL] = email;
	person.values[CONTACT_PHONE] = ColumnText(row, "phone");
	person.values[CONTACT_LAST_SOURCE] = ColumnText(row, "source");
	IdentityKeys(matching, ENTITY_CONTACT, &person);
	if ((person.keys[CONTACT_KEY_EMAIL] || person.keys[CONTACT_KEY_PHONE]) && contact == 0)
	{
		if (account != 0)
			individual = AccountIndividual(ws, account);
		if (individual == 0)
			person.account_id = company.slot ? company.slot->id : account;
		record = &person;
		IdentityResolve(ws, config, &ContactOps, &record, 1, true);
	}
	if (person.slot)
		contact = person.slot->id;

	/* The account of an individual customer is nobody else's */
	if (individual != 0 && contact != 0 && individual != contact)
		company.slot = NULL;
	if (person.slot == NULL && company.slot == NULL && contact == 0)
		return;
	values[0] = Int64GetDatum(LawId(row, row->new, LAW_ID));
	values[1] = Int64GetDatum(person.slot ? person.slot->id : 0);
	values[2] = Int64GetDatum(company.slot ? company.slot->id : person.slot ? person.slot->account_id : 0);
	nulls[1] = DatumGetInt64(values[1]) ? ' ' : 'n';
	nulls[2] = DatumGetInt64(values[2]) ? ' ' : 'n';
	if (strcmp(LawText(row, row->new, LAW_STATUS), "open") == 0)
		LawRefuseRival(ws, rel, LawId(row, row->new, LAW_ID),
					   contact, company.slot ? company.slot->id : account,
					   LawText(row, row->new, LAW_CONTEXT_KEY));
	WorkspaceExecute(ws, &link_lead, values, nulls);
}

/* Link a lead as it is stored; for conversion */
void
PipelineLink(Workspace *ws, WorkspaceConfig *config, Relation rel, HeapTuple lead)
{
	LawRow		row = {.table = LawTableOf(rel, true),.desc = RelationGetDescr(rel),.new = lead,.is_lead = true};

	LinkManualLead(ws, config, rel, &row);
}

/* Is the row new and its place in the pipeline given by the law just now? */
static bool
IsFresh(const LawRow *row)
{
	bool		isnull;

	return row->old == NULL && DatumGetTimestampTz(LawGet(row, row->new, LAW_STAGE_ENTERED_AT, &isnull)) ==
		GetCurrentTransactionStartTimestamp();
}

/* Refuse a new row that lacks what its first stage requires; returns what stood in */
static char *
CheckFirstStage(Workspace *ws, WorkspaceConfig *config, const LawRow *row, const Pipeline *pipeline, int stage)
{
	int64		id = LawId(row, row->new, LAW_ID);
	Datum		value = Int64GetDatum(id);
	TupleDesc	desc;
	HeapTuple	profile;
	char	   *obstacle;
	char	   *fallbacks;
	int			sqlerrcode;

	if (!PipelineNeedsProfile(pipeline, -1, stage) && !pipeline->stages[stage].requires_owner)
		return NULL;
	if (row->is_lead)
	{
		profile = ScoreLoad(ws, config, &id, 1)->profile;
		desc = config->profile;
	}
	else
	{
		profile = WorkspaceExecute(ws, &load_opportunity, &value, NULL) > 0 ? SPI_tuptable->vals[0] : NULL;
		desc = SPI_tuptable->tupdesc;
	}
	if (profile == NULL)
		return NULL;
	obstacle = PipelineObstacle(pipeline, -1, stage, desc, profile, &fallbacks, &sqlerrcode);
	if (obstacle)
		ereport(ERROR,
				(errcode(sqlerrcode),
				 errmsg("%s " INT64_FORMAT " cannot begin in \"%s\": %s", row->is_lead ? "lead" : "opportunity", id,
						pipeline->stages[stage].name, obstacle),
				 errhint("Fill in the missing fields first.")));
	return fallbacks;
}

/* The first move of a row that a client made */
typedef struct FollowCall
{
	LawRow	   *row;
	bool		is_fresh;
	StageMove	first;
} FollowCall;

/* Link a new lead, check what its first stage requires, and write the first history */
static void
Begin(Workspace *ws, void *arg)
{
	FollowCall *call = arg;
	LawRow	   *row = call->row;
	WorkspaceConfig *config = WorkspaceGetConfig(ws);
	Pipeline   *pipeline = ConfigPipeline(config, LawText(row, row->new, LAW_PIPELINE));
	int64		id = LawId(row, row->new, LAW_ID);

	call->first = (StageMove) {
		.lead_id = row->is_lead ? id : 0,.opportunity_id = row->is_lead ? 0 : id,
		.pipeline = pipeline->name,.to_stage = LawText(row, row->new, LAW_STAGE),
		.at = GetCurrentTransactionStartTimestamp(),.rule = MOVE_CREATED,
		.reason = LawText(row, row->new, LAW_STAGE_REASON)
	};
	if (row->is_lead)
		LinkManualLead(ws, config, row->trigdata->tg_relation, row);
	call->first.fallbacks = CheckFirstStage(ws, config, row, pipeline, LawStage(pipeline, call->first.to_stage));
	PipelineMoved(ws, config, &call->first, 1);
}

/*
 * Score an open lead that a client changed.  Where it was linked to another
 * contact or account, what belongs to it may count for other leads of these.
 */
static void
ScoreChanged(Workspace *ws, WorkspaceConfig *config, const LawRow *row, int64 id, bool is_fresh)
{
	int64		contact = LawId(row, row->new, LAW_CONTACT_ID);
	int64		accounts[2] = {LawId(row, row->new, LAW_ACCOUNT_ID), row->old ? LawId(row, row->old, LAW_ACCOUNT_ID) : 0};
	bool		is_linked = row->old && contact != LawId(row, row->old, LAW_CONTACT_ID);
	Datum		values[2] = {Int64GetDatum(id), Int64GetDatum(contact)};
	int64	   *ids = &id;
	int			n;

	if (!config->has_account_model || row->old == NULL || (!is_linked && accounts[0] == accounts[1]))
	{
		if (is_linked)
			WorkspaceExecute(ws, &credit_contact, values, NULL);
		PipelineScore(ws, config, &id, 1, is_fresh);
		return;
	}
	ScoreLockAccounts(ws, config, accounts, 2);
	if (is_linked)
		WorkspaceExecute(ws, &credit_contact, values, NULL);
	n = ScoreWithSiblings(ws, &ids, 1, &contact, 1);
	n = ScoreWithLeadsOf(ws, &ids, n, accounts, 2);
	PipelineScoreOver(ws, config, ids, n);
}

/* Did a lead lose the last contact or account that it was linked to? */
static bool
IsUnlinked(const LawRow *row)
{
	return row->old && LawId(row, row->new, LAW_CONTACT_ID) == 0 && LawId(row, row->new, LAW_ACCOUNT_ID) == 0 &&
		(LawId(row, row->old, LAW_CONTACT_ID) != 0 || LawId(row, row->old, LAW_ACCOUNT_ID) != 0);
}

/* Do what follows a row that a client wrote */
static void
Follow(Workspace *ws, void *arg)
{
	FollowCall *call = arg;
	LawRow	   *row = call->row;
	WorkspaceConfig *config = WorkspaceGetConfig(ws);
	char	   *status = LawText(row, row->new, LAW_STATUS);

	if (row->is_lead)
	{
		int64		id = LawId(row, row->new, LAW_ID);

		if (IsUnlinked(row))
			ScoreDrop(ws, id);
		if (strcmp(status, "open") == 0)
			ScoreChanged(ws, config, row, id, call->is_fresh);
	}
	else if (strcmp(status, "won") == 0 && LawId(row, row->new, LAW_CONTACT_ID) != 0)
	{
		bool		isnull;
		Datum		values[2];

		values[0] = Int64GetDatum(LawId(row, row->new, LAW_CONTACT_ID));
		values[1] = LawGet(row, row->new, LAW_CLOSED_AT, &isnull);
		WorkspaceExecute(ws, &mark_customer, values, NULL);
	}
}

PG_FUNCTION_INFO_V1(stage_follow);
/* Follow up a row that a client wrote: first history, links, score, customer; argument: entity */
Datum
stage_follow(PG_FUNCTION_ARGS)
{
	LawRow		row;
	FollowCall	call = {&row};
	Workspace  *ws;

	LawOpen(fcinfo, &row, false);
	call.is_fresh = IsFresh(&row);
	if (row.is_lead && row.old == NULL && !call.is_fresh)
		return PointerGetDatum(NULL);	/* loaded as history */
	ws = WorkspaceOfRelation(row.trigdata->tg_relation);
	SPI_connect();
	if (row.old)
		MovesFlush(ws);			/* the move that came with the change is made before others */
	if (call.is_fresh)
	{
		WorkspaceRights rights;

		WorkspaceRun(ws, Begin, &call);
		WorkspaceEnter(ws, &rights);
		PipelineAct(ws, WorkspaceGetConfig(ws), &call.first, 1);
		WorkspaceLeave(&rights);
	}
	WorkspaceRun(ws, Follow, &call);
	SPI_finish();
	return PointerGetDatum(NULL);
}
