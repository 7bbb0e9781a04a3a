/*
 * Finding or making the lead of each record of a chunk.
 *
 * A lead is one interest of one contact (or of one account, where no person
 * is known).  Which of their open leads a record counts for is for the form's
 * lead strategy to say; by the default one they are told apart by their
 * context: the page that the record came through, else the campaign, else the
 * form.  Only kinds of interaction that express interest open a new lead; the
 * rest count for the latest one.
 */
#include "postgres.h"

#include "access/xact.h"
#include "capture/capture.h"
#include "commands/sequence.h"
#include "pipeline/pipeline.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/numeric.h"

static const PlanSource find_leads = {
	"SELECT l.lead_id, l.contact_id, l.account_id, l.context_key, l.title, l.product, l.budget::pg_catalog.text,"
	" l.currency, l.attributes, l.campaign_id, l.page, l.channel, l.source, l.value_trust"
	" FROM @workspace@.lead l WHERE l.contact_id = ANY ($1) AND l.status = 'open'"
	" UNION ALL"
	" SELECT l.lead_id, l.contact_id, l.account_id, l.context_key, l.title, l.product, l.budget::pg_catalog.text,"
	" l.currency, l.attributes, l.campaign_id, l.page, l.channel, l.source, l.value_trust"
	" FROM @workspace@.lead l WHERE l.account_id = ANY ($2) AND l.contact_id IS NULL AND l.status = 'open'"
	" ORDER BY 1",
	2, {ARG_INT8S, ARG_INT8S}
};

static const PlanSource find_ids = {
	"SELECT k.lead_id, k.source_system, k.external_id FROM @workspace@.lead_identity k WHERE k.lead_id = ANY ($1)",
	1, {ARG_INT8S}
};

static const PlanSource make_leads = {
	"INSERT INTO @workspace@.lead (lead_id, contact_id, account_id, pipeline, stage, stage_entered_at, qualification,"
	" origin, title, product, page, campaign_id, channel, source, context_key, contact_name, company_name, budget,"
	" currency, is_existing_customer, interaction_count, last_interaction_at, attributes, value_trust, created_at,"
	" updated_at)"
	" SELECT n.lead_id, n.contact_id, n.account_id, n.pipeline, n.stage, n.created_at, n.qualification, n.origin,"
	" n.title, n.product, n.page, n.campaign_id, n.channel, n.source, n.context_key, n.contact_name, n.company_name,"
	" n.budget::pg_catalog.numeric, n.currency, n.is_existing_customer, n.interactions, n.last_at, n.attributes,"
	" n.value_trust, n.created_at, n.created_at"
	" FROM @rows $1: lead_id, contact_id, account_id, pipeline, stage, qualification, origin, title, product,"
	" page, campaign_id, channel, source, context_key, contact_name, company_name, budget, currency,"
	" is_existing_customer, interactions, last_at, attributes, value_trust, created_at@ AS n",
	24, {ARG_INT8S, ARG_INT8S, ARG_INT8S, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS,
		ARG_INT8S, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_BOOLS, ARG_INT4S,
		ARG_TIMESTAMPTZS, ARG_JSONBS, ARG_JSONBS, ARG_TIMESTAMPTZS}
};

static const PlanSource update_leads = {
	"UPDATE @workspace@.lead l SET title = n.title, product = n.product, budget = n.budget::pg_catalog.numeric,"
	" currency = n.currency, attributes = n.attributes, value_trust = n.value_trust, campaign_id = n.campaign_id,"
	" account_id = COALESCE(l.account_id, n.account_id),"
	" interaction_count = l.interaction_count + n.interactions,"
	" last_interaction_at = GREATEST(l.last_interaction_at, n.last_at), updated_at = pg_catalog.now()"
	" FROM @rows $1: lead_id, title, product, budget, currency, attributes, value_trust, campaign_id, account_id,"
	" interactions, last_at@ AS n"
	" WHERE l.lead_id = n.lead_id AND l.status = 'open' RETURNING l.lead_id",
	11, {ARG_INT8S, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_JSONBS, ARG_JSONBS, ARG_INT8S, ARG_INT8S, ARG_INT4S,
		ARG_TIMESTAMPTZS}
};

static const PlanSource leads_of = {
	"SELECT l.lead_id FROM @workspace@.lead l WHERE l.status = 'open' AND l.lead_id = ANY (ARRAY("
	"SELECT c.lead_id FROM @workspace@.lead c WHERE c.contact_id = ANY ($1)"
	" UNION ALL"
	" SELECT a.lead_id FROM @workspace@.lead a WHERE a.account_id = ANY ($2)"
	" UNION ALL"
	" SELECT k.lead_id FROM @workspace@.contact c JOIN @workspace@.lead k ON k.contact_id = c.contact_id"
	" AND k.account_id IS NULL WHERE c.account_id = ANY ($2)))"
	" ORDER BY l.lead_id FOR NO KEY UPDATE",
	2, {ARG_INT8S, ARG_INT8S}
};

/* The texts of a lead that later records may change */
typedef enum
{
	LEAD_TITLE,
	LEAD_PRODUCT,
	LEAD_BUDGET,
	LEAD_CURRENCY
} LeadColumn;

#define LEAD_COLUMN_COUNT (LEAD_CURRENCY + 1)

static const char *const lead_columns[LEAD_COLUMN_COUNT] = {"title", "product", "budget", "currency"};

static const FieldId lead_fields[LEAD_COLUMN_COUNT] = {
	FIELD_TITLE, FIELD_PRODUCT, FIELD_BUDGET, FIELD_CURRENCY
};

/* An id that a lead has in another system */
typedef struct LeadId
{
	const char *system;
	const char *id;
	struct LeadId *next;
} LeadId;

struct LeadSlot
{
	int64		id;
	bool		is_new;
	bool		is_touched;		/* what it holds came before the record at hand */
	bool		is_written;
	bool		joins_account;	/* that it had none of before */
	int64		contact_id;
	int64		account_id;
	int64		campaign_id;
	char	   *context_key;
	CaptureRecord *first;		/* the record that opens it */
	char	   *values[LEAD_COLUMN_COUNT];
	char	   *page;
	char	   *channel;
	char	   *source;
	Jsonb	   *attributes;
	Jsonb	   *trust;			/* of its values, by column; NULL where none is kept */
	int			usual_trust;
	LeadId	   *ids;			/* where any record of the chunk names one */
	int			interactions;
	TimestampTz last_at;
	LeadSlot   *next;			/* of the same owner, latest first */
};

/* Who leads belong to: a contact, or an account where no person is known */
typedef struct OwnerKey
{
	int64		contact_id;
	int64		account_id;
} OwnerKey;

typedef struct Owner
{
	OwnerKey	key;			/* hash key */
	LeadSlot   *leads;
} Owner;

/* Get the id of a lead */
int64
LeadSlotId(const LeadSlot *lead)
{
	return lead->id;
}

/* Was the lead made for this chunk? */
bool
LeadSlotIsNew(const LeadSlot *lead)
{
	return lead->is_new;
}

/* The account that a lead joined, which had none before; 0 for none */
int64
LeadSlotJoinedAccount(const LeadSlot *lead)
{
	return lead->joins_account ? lead->account_id : 0;
}

/* Was the lead made by this record? */
bool
LeadSlotIsOpenedBy(const LeadSlot *lead, const CaptureRecord *record)
{
	return lead->is_new && lead->first == record;
}

/* Get the lead that a record belongs to, 0 when none */
int64
RecordLead(const CaptureRecord *record)
{
	return record->lead ? record->lead->id : record->closed_lead;
}

/* Note an id of a lead */
static void
AddLeadId(LeadSlot *lead, const char *system, const char *id)
{
	LeadId	   *added = palloc(sizeof(LeadId));

	*added = (LeadId) {system, id, lead->ids};
	lead->ids = added;
}

/* Has a lead the id that a record names, or (is_other) another one in the same system? */
static bool
HasLeadId(const LeadSlot *lead, const CaptureRecord *record, bool is_other)
{
	const char *named = record->values[FIELD_LEAD_SOURCE_ID];

	for (const LeadId *id = lead->ids; named && id; id = id->next)
		if (strcmp(id->system, RecordSystem(record)) == 0 && (strcmp(id->id, named) != 0) == is_other)
			return true;
	return false;
}

/* Get the owner that the lead of a record would have; false when nobody */
static bool
OwnerOf(const CaptureRecord *record, OwnerKey *key)
{
	key->contact_id = RecordContact(record);
	key->account_id = key->contact_id ? 0 : RecordAccount(record);
	return key->contact_id != 0 || key->account_id != 0;
}

/* Get what conditions read of a record */
static MatchSide
RecordSide(const CaptureRecord *record, char **values)
{
	MatchSide	side = {0};

	memset(values, 0, sizeof(char *) * LEAD_MATCH_COLUMN_COUNT);
	values[LEAD_MATCH_CONTEXT] = MatchContext(record->values[FIELD_PAGE], record->campaign ? record->campaign->id : 0,
											  record->form->name);
	values[LEAD_MATCH_PAGE] = record->values[FIELD_PAGE];
	values[LEAD_MATCH_CAMPAIGN] = record->campaign ? psprintf(INT64_FORMAT, record->campaign->id) : NULL;
	values[LEAD_MATCH_PRODUCT] = record->values[FIELD_PRODUCT];
	values[LEAD_MATCH_TITLE] = record->values[FIELD_TITLE];
	values[LEAD_MATCH_CHANNEL] = record->values[FIELD_CHANNEL];
	values[LEAD_MATCH_SOURCE] = record->values[FIELD_SOURCE];
	side.values = values;
	side.attributes = record->attributes[ENTITY_LEAD];
	return side;
}

/* Get what conditions read of a lead */
static MatchSide
LeadSide(const LeadSlot *lead, char **values)
{
	MatchSide	side = {0};

	memset(values, 0, sizeof(char *) * LEAD_MATCH_COLUMN_COUNT);
	values[LEAD_MATCH_CONTEXT] = lead->context_key;
	values[LEAD_MATCH_PAGE] = lead->page;
	values[LEAD_MATCH_CAMPAIGN] = lead->campaign_id ? psprintf(INT64_FORMAT, lead->campaign_id) : NULL;
	values[LEAD_MATCH_PRODUCT] = lead->values[LEAD_PRODUCT];
	values[LEAD_MATCH_TITLE] = lead->values[LEAD_TITLE];
	values[LEAD_MATCH_CHANNEL] = lead->channel;
	values[LEAD_MATCH_SOURCE] = lead->source;
	side.values = values;
	side.attributes = lead->attributes;
	return side;
}

/* Order leads by their ids, in which they are updated */
static int
CompareLeads(const void *a, const void *b)
{
	int64		left = (*(LeadSlot *const *) a)->id;
	int64		right = (*(LeadSlot *const *) b)->id;

	return left < right ? -1 : left > right;
}

/* Read the ids of leads, which are in order, where a record names any */
static void
FindIds(Workspace *ws, const CaptureRecord *records, int n, LeadSlot **leads, int count)
{
	Batch	   *batch;
	Datum		array;
	bool		names = false;
	int			found;

	for (int i = 0; i < n && !names; i++)
		names = records[i].status == NULL && records[i].values[FIELD_LEAD_SOURCE_ID];
	if (!names || count == 0)
		return;
	batch = BatchCreate(find_ids.args, 1, count);
	for (int i = 0; i < count; i++)
	{
		BatchSet(batch, 0, Int64GetDatum(leads[i]->id));
		BatchNext(batch);
	}
	BatchArrays(ws, batch, &array);
	found = WorkspaceExecute(ws, &find_ids, &array, NULL);
	for (int i = 0; i < found; i++)
	{
		LeadSlot	wanted = {.id = ResultInt64(i, 1, NULL)};
		LeadSlot   *key = &wanted;
		LeadSlot  **lead = bsearch(&key, leads, count, sizeof(LeadSlot *), CompareLeads);

		AddLeadId(*lead, ResultText(i, 2), ResultText(i, 3));
	}
	SPI_freetuptable(SPI_tuptable);
}

/* Find or make an owner */
static Owner *
EnterOwner(HTAB *owners, const OwnerKey *key, bool *known)
{
	Owner	   *owner = hash_search(owners, key, HASH_ENTER, known);

	if (!*known)
		owner->leads = NULL;
	return owner;
}

/* Read the open leads of owners that existed before */
static void
FindLeads(Workspace *ws, WorkspaceConfig *config, CaptureRecord *records, int n, HTAB *owners)
{
	Batch	   *contacts = BatchCreate(find_leads.args, 1, n);
	Batch	   *accounts = BatchCreate(find_leads.args + 1, 1, n * 2);
	Datum		arrays[2];
	LeadSlot  **leads;
	int			count = 0;
	int			found;

	for (int i = 0; i < n; i++)
	{
		CaptureRecord *record = &records[i];
		OwnerKey	key;
		bool		known;

		if (record->status || !record->form->makes_lead || !OwnerOf(record, &key))
			continue;
		EnterOwner(owners, &key, &known);
		if (record->named_lead != 0 && record->named_contact == 0 && record->named_account != 0)
		{
			/* A lead of an account that is named may be meant though the record has a contact */
			OwnerKey	named = {0, record->named_account};
			bool		is_entered;

			EnterOwner(owners, &named, &is_entered);
			if (!is_entered)
			{
				BatchSet(accounts, 0, Int64GetDatum(named.account_id));
				BatchNext(accounts);
			}
		}
		if (known)
			continue;
		if (key.contact_id && !record->person.slot->is_new)
		{
			BatchSet(contacts, 0, Int64GetDatum(key.contact_id));
			BatchNext(contacts);
		}
		else if (key.account_id && !record->company.slot->is_new)
		{
			BatchSet(accounts, 0, Int64GetDatum(key.account_id));
			BatchNext(accounts);
		}
	}
	if (contacts->rows + accounts->rows == 0)
		return;
	BatchArrays(ws, contacts, &arrays[0]);
	BatchArrays(ws, accounts, &arrays[1]);
	found = WorkspaceExecute(ws, &find_leads, arrays, NULL);
	leads = palloc(sizeof(LeadSlot *) * Max(found, 1));
	for (int i = 0; i < found; i++)
	{
		LeadSlot   *lead = palloc0(sizeof(LeadSlot));
		OwnerKey	key;
		Owner	   *owner;
		LeadSource *source;
		Datum		trust;
		bool		isnull;

		lead->id = ResultInt64(i, 1, NULL);
		lead->contact_id = key.contact_id = ResultInt64(i, 2, NULL);
		lead->account_id = ResultInt64(i, 3, NULL);
		key.account_id = key.contact_id ? 0 : lead->account_id;
		lead->context_key = ResultText(i, 4);
		for (int c = 0; c < LEAD_COLUMN_COUNT; c++)
			lead->values[c] = ResultText(i, 5 + c);
		lead->attributes = DatumGetJsonbPCopy(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc,
															5 + LEAD_COLUMN_COUNT, &isnull));
		lead->campaign_id = ResultInt64(i, 6 + LEAD_COLUMN_COUNT, NULL);
		lead->page = ResultText(i, 7 + LEAD_COLUMN_COUNT);
		lead->channel = ResultText(i, 8 + LEAD_COLUMN_COUNT);
		lead->source = ResultText(i, 9 + LEAD_COLUMN_COUNT);
		trust = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 10 + LEAD_COLUMN_COUNT, &isnull);
		lead->trust = isnull ? NULL : DatumGetJsonbPCopy(trust);
		source = ConfigSource(config, lead->source);
		lead->usual_trust = source ? source->trust : 0;
		owner = hash_search(owners, &key, HASH_FIND, NULL);
		if (owner == NULL)
			continue;
		lead->next = owner->leads;
		owner->leads = lead;
		leads[count++] = lead;
	}
	SPI_freetuptable(SPI_tuptable);
	FindIds(ws, records, n, leads, count);
}

/*
 * Find the lead that a record names among those of its owner or, where that
 * is what it is, of an account.  False when it is closed, or no longer there.
 */
static bool
NamedLead(CaptureRecord *record, Owner *owner, HTAB *owners, LeadSlot **lead)
{
	OwnerKey	named = {record->named_contact, record->named_contact ? 0 : record->named_account};

	for (*lead = owner->leads; *lead && !HasLeadId(*lead, record, false);)
		*lead = (*lead)->next;
	if (*lead)
		record->named_lead = (*lead)->id;
	if (*lead || record->named_lead == 0)
		return true;
	if (record->named_contact != 0 && record->named_contact != owner->key.contact_id)
	{
		RecordReason(record, "lead_source_id", "lead_of_other_contact", record->values[FIELD_LEAD_SOURCE_ID],
					 "the lead belongs to another contact than the one that the record names", false);
		record->values[FIELD_LEAD_SOURCE_ID] = NULL;
		record->named_lead = 0;
		return true;
	}
	owner = hash_search(owners, &named, HASH_FIND, NULL);
	for (*lead = owner ? owner->leads : NULL; *lead && (*lead)->id != record->named_lead;)
		*lead = (*lead)->next;
	return *lead != NULL;
}

/* Bring what a record says into its lead */
static void
TouchLead(MatchConfig *matching, LeadSlot *lead, CaptureRecord *record)
{
	UpdatePolicy policy = lead->is_touched || !lead->is_new ? record->lead_update : UPDATE_NEWEST;
	int			trust = record->person.trust;

	if (record->form->makes_interaction)
		lead->interactions++;
	if (lead->last_at == 0 || record->occurred_at > lead->last_at)
		lead->last_at = record->occurred_at;
	if (lead->campaign_id == 0 && record->campaign)
		lead->campaign_id = record->campaign->id;
	if (lead->account_id == 0)
	{
		lead->account_id = RecordAccount(record);
		lead->joins_account = lead->account_id != 0 && !lead->is_new;
	}
	if (policy == UPDATE_KEEP && !lead->is_new)
		return;
	lead->is_touched = true;
	for (int c = 0; c < LEAD_COLUMN_COUNT; c++)
	{
		char	   *value = record->values[lead_fields[c]];
		int			len = strlen(lead_columns[c]);

		if (value == NULL || (lead->values[c] && (policy == UPDATE_FILL || policy == UPDATE_KEEP)))
			continue;
		if (lead->values[c] && policy == UPDATE_TRUSTED &&
			trust < TrustOf(lead->trust, lead->usual_trust, lead_columns[c], len))
			continue;
		if (lead->values[c] == NULL || strcmp(lead->values[c], value) != 0)
			NoteTrust(matching, &lead->trust, lead_columns[c], len, trust);
		lead->values[c] = value;
	}
	if (record->attributes[ENTITY_LEAD])
		lead->attributes = JoinAttributes(matching, lead->attributes, record->attributes[ENTITY_LEAD], policy,
										  &lead->trust, lead->usual_trust, trust);
}

/* Find the open lead that a rule finds, the newest or the oldest as its strategy wants */
static LeadSlot *
RuleFinds(MatchConfig *matching, const MatchRule *rule, const CaptureRecord *record, const MatchSide *given,
		  LeadSlot *leads)
{
	char	   *key = MatchContextKey(matching, rule, given);
	LeadSlot   *found = NULL;

	for (LeadSlot *lead = leads; lead; lead = lead->next)
	{
		char	   *values[LEAD_MATCH_COLUMN_COUNT];
		MatchSide	stored = LeadSide(lead, values);

		if (HasLeadId(lead, record, true))
			continue;			/* the other system tells the two apart */
		if (!(key && lead->context_key && strcmp(key, lead->context_key) == 0) &&
			!MatchRuleHolds(matching, rule, given, &stored, NULL))
			continue;
		if (found == NULL || (rule->strategy->when_several == SEVERAL_OLDEST ? lead->id < found->id : lead->id > found->id))
			found = lead;
	}
	return found;
}

/*
 * Decide which lead a record counts for, opening one where interest is new:
 * the one that it names by an id, else what the rules of its strategies find,
 * which are tried in order.  A new lead gets the key of the first rule that
 * has one, unless another lead of its owner has that.
 */
static void
DecideLead(MatchConfig *matching, StrategyList *strategies, CaptureRecord *record, Owner *owner, HTAB *owners,
		   Oid sequence)
{
	char	   *values[LEAD_MATCH_COLUMN_COUNT];
	MatchSide	given = RecordSide(record, values);
	char	   *context_key = NULL;
	LeadSlot   *lead = NULL;

	if (record->values[FIELD_LEAD_SOURCE_ID] && !NamedLead(record, owner, owners, &lead))
	{
		record->closed_lead = record->named_lead;
		return;
	}
	for (int s = 0; s < strategies->count && lead == NULL; s++)
		for (int r = 0; r < strategies->items[s]->rule_count && lead == NULL; r++)
		{
			const MatchRule *rule = &strategies->items[s]->rules[r];

			if (context_key == NULL)
				context_key = MatchContextKey(matching, rule, &given);
			if ((lead = RuleFinds(matching, rule, record, &given, owner->leads)) != NULL)
				record->lead_rule = rule;
		}
	record->lead_update = record->form->lead_update != UPDATE_BY_STRATEGY ? record->form->lead_update :
		record->lead_rule ? record->lead_rule->strategy->update_policy :
		strategies->count > 0 ? strategies->items[0]->update_policy : UPDATE_NEWEST;
	if (lead == NULL && record->kind && !record->kind->makes_lead)
	{
		/* No interest in something new: it counts for the latest */
		lead = owner->leads;
		if (lead == NULL && !(record->person.slot && record->person.slot->is_new))
			return;
	}
	if (lead == NULL)
	{
		if (record->form->pipeline < 0)
			return;
		for (lead = owner->leads; context_key && lead; lead = lead->next)
			if (lead->context_key && strcmp(lead->context_key, context_key) == 0)
				context_key = NULL;
		lead = palloc0(sizeof(LeadSlot));
		lead->id = nextval_internal(sequence, false);
		lead->is_new = true;
		lead->contact_id = owner->key.contact_id;
		lead->context_key = context_key;
		lead->page = record->values[FIELD_PAGE] ? record->values[FIELD_PAGE] : record->form->name;
		lead->channel = record->values[FIELD_CHANNEL];
		lead->source = record->values[FIELD_SOURCE] ? record->values[FIELD_SOURCE] : "unknown";
		lead->usual_trust = record->person.trust;
		lead->first = record;
		lead->next = owner->leads;
		owner->leads = lead;
	}
	TouchLead(matching, lead, record);
	record->lead = lead;
	if (record->values[FIELD_LEAD_SOURCE_ID] && record->named_lead == 0 && !HasLeadId(lead, record, true))
	{
		AddLeadId(lead, RecordSystem(record), record->values[FIELD_LEAD_SOURCE_ID]);
		record->brings_lead_id = true;
	}
}

/* Get the custom attributes to store */
static Datum
AttributesDatum(Jsonb *attributes)
{
	return attributes ? JsonbPGetDatum(attributes) : DirectFunctionCall1(jsonb_in, CStringGetDatum("{}"));
}

/* Write the records' changes into leads that exist */
static void
UpdateLeads(Workspace *ws, LeadSlot **leads, int n)
{
	Batch	   *batch = BatchCreate(update_leads.args, update_leads.nargs, n);

	for (int i = 0; i < n; i++)
	{
		LeadSlot   *lead = leads[i];

		if (lead->is_new)
			continue;
		BatchSet(batch, 0, Int64GetDatum(lead->id));
		for (int c = 0; c < LEAD_COLUMN_COUNT; c++)
			BatchSetText(batch, 1 + c, lead->values[c]);
		BatchSet(batch, 5, AttributesDatum(lead->attributes));
		if (lead->trust)
			BatchSet(batch, 6, JsonbPGetDatum(lead->trust));
		if (lead->campaign_id)
			BatchSet(batch, 7, Int64GetDatum(lead->campaign_id));
		if (lead->account_id)
			BatchSet(batch, 8, Int64GetDatum(lead->account_id));
		BatchSet(batch, 9, Int32GetDatum(lead->interactions));
		BatchSet(batch, 10, TimestampTzGetDatum(lead->last_at));
		BatchNext(batch);
	}
	if (batch->rows == 0)
		return;
	if (BatchExecute(ws, &update_leads, batch) != batch->rows)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("a lead was closed or deleted by a concurrent session while it was captured for"),
				 errhint("Try again.")));
	SPI_freetuptable(SPI_tuptable);
}

/* Insert new leads and the history of their first stages */
static void
MakeLeads(Workspace *ws, WorkspaceConfig *config, LeadSlot **leads, int n)
{
	Batch	   *batch = BatchCreate(make_leads.args, make_leads.nargs, n);
	StageMove  *moves = palloc0(sizeof(StageMove) * Max(n * 2, 1));
	int			move_count = 0;

	for (int i = 0; i < n; i++)
	{
		LeadSlot   *lead = leads[i];
		CaptureRecord *record = lead->first;
		Form	   *form;
		char	  **values;
		Pipeline   *pipeline;
		const Stage *stage;
		bool		scored;

		if (!lead->is_new)
			continue;
		form = record->form;
		values = record->values;
		pipeline = &config->pipelines[form->pipeline];
		scored = form->scores && form->moves_stage && PipelineFirstScoreStage(config, pipeline);
		stage = &pipeline->stages[scored ? pipeline->scored : pipeline->entry];
		BatchSet(batch, 0, Int64GetDatum(lead->id));
		if (lead->contact_id)
			BatchSet(batch, 1, Int64GetDatum(lead->contact_id));
		if (lead->account_id)
			BatchSet(batch, 2, Int64GetDatum(lead->account_id));
		BatchSetText(batch, 3, pipeline->name);
		BatchSetText(batch, 4, stage->name);
		BatchSetText(batch, 5, scored ? "marketing_qualified" : "unqualified");
		BatchSetText(batch, 6, values[FIELD_ORIGIN] ? values[FIELD_ORIGIN] : "form");
		BatchSetText(batch, 7, lead->values[LEAD_TITLE]);
		BatchSetText(batch, 8, lead->values[LEAD_PRODUCT]);
		BatchSetText(batch, 9, lead->page);
		if (lead->campaign_id)
			BatchSet(batch, 10, Int64GetDatum(lead->campaign_id));
		BatchSetText(batch, 11, lead->channel);
		BatchSetText(batch, 12, lead->source);
		BatchSetText(batch, 13, lead->context_key);
		BatchSetText(batch, 14, lead->contact_id ? NULL : values[FIELD_FULL_NAME]);
		BatchSetText(batch, 15, lead->account_id ? NULL : values[FIELD_COMPANY]);
		BatchSetText(batch, 16, lead->values[LEAD_BUDGET]);
		BatchSetText(batch, 17, lead->values[LEAD_CURRENCY]);
		BatchSet(batch, 18, BoolGetDatum(record->person.slot && record->person.slot->is_customer));
		BatchSet(batch, 19, Int32GetDatum(lead->interactions));
		BatchSet(batch, 20, TimestampTzGetDatum(lead->last_at));
		BatchSet(batch, 21, AttributesDatum(lead->attributes));
		if (lead->trust)
			BatchSet(batch, 22, JsonbPGetDatum(lead->trust));
		BatchSet(batch, 23, TimestampTzGetDatum(record->received_at));
		BatchNext(batch);

		moves[move_count++] = (StageMove) {
			.lead_id = lead->id,.pipeline = pipeline->name,
			.to_stage = pipeline->stages[pipeline->entry].name,.at = record->received_at,.rule = MOVE_CREATED
		};
		if (scored)
			moves[move_count++] = (StageMove) {
			.lead_id = lead->id,.pipeline = pipeline->name,
			.from_stage = pipeline->stages[pipeline->entry].name,.to_stage = stage->name,
			.at = record->received_at,.rule = MOVE_FIRST_SCORE
		};
	}
	if (batch->rows == 0)
		return;

	/*
	 * The contact is locked, so another session can only have opened the same
	 * lead for an account without a contact: a unique violation, after which
	 * the chunk is run again.
	 */
	BatchExecute(ws, &make_leads, batch);
	PipelineMoved(ws, config, moves, move_count);
	PipelineAct(ws, config, moves, move_count);
}

/* Find or make the lead of each record */
void
LeadsResolve(Workspace *ws, WorkspaceConfig *config, CaptureRecord *records, int n)
{
	HASHCTL		ctl = {0};
	HTAB	   *owners;
	MatchConfig *matching = MatchGetConfig(ws, config);
	LeadSlot  **leads = palloc(sizeof(LeadSlot *) * Max(n, 1));
	Oid			sequence = WorkspaceSequence(ws, "lead", "lead_id");
	int			count = 0;

	ctl.keysize = sizeof(OwnerKey);
	ctl.entrysize = sizeof(Owner);
	ctl.hcxt = CurrentMemoryContext;
	owners = hash_create("lead_mgmt lead owners", Max(n, 16), &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	FindLeads(ws, config, records, n, owners);
	for (int i = 0; i < n; i++)
	{
		OwnerKey	key;
		LeadSlot   *lead;

		if (records[i].status || !records[i].form->makes_lead || !OwnerOf(&records[i], &key))
			continue;
		DecideLead(matching, MatchStrategies(matching, records[i].form, ENTITY_LEAD), &records[i],
				   hash_search(owners, &key, HASH_FIND, NULL), owners, sequence);
		lead = records[i].lead;
		if (lead && !lead->is_written)
		{
			lead->is_written = true;
			leads[count++] = lead;
		}
	}
	qsort(leads, count, sizeof(LeadSlot *), CompareLeads);
	UpdateLeads(ws, leads, count);
	MakeLeads(ws, config, leads, count);
}

/*
 * List the open leads of contacts and accounts, in order; returns how many.
 * They are locked, as every session locks a lead before its scores.
 */
int
LeadsOf(Workspace *ws, const int64 *contacts, int contact_count, const int64 *accounts,
		int account_count, int64 **ids)
{
	Batch	   *batch[2];
	Datum		arrays[2];
	int			found;

	if (contact_count + account_count == 0)
		return 0;
	batch[0] = BatchCreate(leads_of.args, 1, contact_count);
	batch[1] = BatchCreate(leads_of.args + 1, 1, account_count);
	for (int i = 0; i < contact_count; i++)
	{
		BatchSet(batch[0], 0, Int64GetDatum(contacts[i]));
		BatchNext(batch[0]);
	}
	for (int i = 0; i < account_count; i++)
	{
		BatchSet(batch[1], 0, Int64GetDatum(accounts[i]));
		BatchNext(batch[1]);
	}
	BatchArrays(ws, batch[0], &arrays[0]);
	BatchArrays(ws, batch[1], &arrays[1]);
	found = WorkspaceExecute(ws, &leads_of, arrays, NULL);
	*ids = palloc(sizeof(int64) * Max(found, 1));
	for (int i = 0; i < found; i++)
		(*ids)[i] = ResultInt64(i, 1, NULL);
	SPI_freetuptable(SPI_tuptable);
	return found;
}
