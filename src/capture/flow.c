/*
 * The flow of a chunk of submissions, each step reading what the steps before
 * it wrote: read, claim external ids, accounts, contacts, leads, interactions
 * and consent, scores, stages and assignments, and last the stamp.
 */
#include "postgres.h"

#include "access/xact.h"
#include "capture/capture.h"
#include "commands/sequence.h"
#include "pipeline/pipeline.h"
#include "scoring/scoring.h"
#include "utils/builtins.h"
#include "utils/json.h"

static const PlanSource make_interactions = {
	"INSERT INTO @workspace@.interaction (interaction_id, contact_id, lead_id, submission_id, kind, direction, channel,"
	" campaign_id, source, page, url, product, creative, visitor, note, occurred_at, session, cost)"
	" SELECT n.interaction_id, n.contact_id, n.lead_id, n.submission_id, n.kind, n.direction, n.channel, n.campaign_id,"
	" n.source, n.page, n.url, n.product, n.creative, n.visitor, n.note, n.occurred_at, n.session,"
	" n.cost::pg_catalog.numeric"
	" FROM @rows $1: interaction_id, contact_id, lead_id, submission_id, kind, direction, channel,"
	" campaign_id, source, page, url, product, creative, visitor, note, occurred_at, session, cost@ AS n",
	18, {ARG_INT8S, ARG_INT8S, ARG_INT8S, ARG_INT8S, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_INT8S, ARG_TEXTS, ARG_TEXTS,
		ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TIMESTAMPTZS, ARG_TEXTS, ARG_TEXTS}
};

/* What a lead of an account counted before stays with that lead */
static const PlanSource identify_visitors = {
	"WITH met AS MATERIALIZED (SELECT o.interaction_id, o.lead_id AS had, n.contact_id, n.lead_id"
	" FROM @rows $1: visitor, contact_id, lead_id@ AS n"
	" JOIN @workspace@.interaction o ON o.visitor = n.visitor AND o.contact_id IS NULL FOR NO KEY UPDATE OF o)"
	" UPDATE @workspace@.interaction i SET contact_id = m.contact_id, lead_id = COALESCE(m.had, m.lead_id)"
	" FROM met m WHERE i.interaction_id = m.interaction_id"
	" RETURNING " SCORE_EVENT_RETURNING ", m.had IS NULL",
	3, {ARG_TEXTS, ARG_INT8S, ARG_INT8S}
};

static const PlanSource give_consents = {
	"INSERT INTO @workspace@.consent (contact_id, lead_id, channel, submission_id, given_at)"
	" SELECT n.contact_id, n.lead_id, n.channel, n.submission_id, n.given_at"
	" FROM @rows $1: contact_id, lead_id, channel, submission_id, given_at@ AS n"
	" ON CONFLICT DO NOTHING",
	5, {ARG_INT8S, ARG_INT8S, ARG_TEXTS, ARG_INT8S, ARG_TIMESTAMPTZS}
};

static const PlanSource make_reviews = {
	"INSERT INTO @workspace@.match_review (entity, left_id, right_id, submission_id, strategy, probability, explanation)"
	" SELECT 'contact', n.left_id, n.right_id, n.submission_id, n.strategy, n.probability, n.explanation::pg_catalog.jsonb"
	" FROM @rows $1: left_id, right_id, submission_id, strategy, probability, explanation@ AS n"
	" ON CONFLICT DO NOTHING",
	6, {ARG_INT8S, ARG_INT8S, ARG_INT8S, ARG_TEXTS, ARG_FLOAT8S, ARG_TEXTS}
};

static const PlanSource stamp_submissions = {
	"UPDATE @workspace@.submission s SET status = n.status, reasons = n.reasons::pg_catalog.jsonb,"
	" external_id = COALESCE(s.external_id, n.external_id), contact_id = n.contact_id, account_id = n.account_id,"
	" lead_id = n.lead_id, interaction_id = n.interaction_id, duplicate_of = n.duplicate_of,"
	" match = n.match::pg_catalog.jsonb, processed_at = pg_catalog.now()"
	" FROM @rows $1: submission_id, status, reasons, external_id, contact_id, account_id, lead_id,"
	" interaction_id, duplicate_of, match@ AS n"
	" WHERE s.submission_id = n.submission_id",
	10, {ARG_INT8S, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_INT8S, ARG_INT8S, ARG_INT8S, ARG_INT8S, ARG_INT8S, ARG_TEXTS}
};

/* The same for those whose payload was read from their bytes */
static const PlanSource stamp_decoded = {
	"UPDATE @workspace@.submission s SET status = n.status, reasons = n.reasons::pg_catalog.jsonb,"
	" external_id = COALESCE(s.external_id, n.external_id), contact_id = n.contact_id, account_id = n.account_id,"
	" lead_id = n.lead_id, interaction_id = n.interaction_id, duplicate_of = n.duplicate_of,"
	" match = n.match::pg_catalog.jsonb, payload = n.payload, part = n.part, processed_at = pg_catalog.now()"
	" FROM @rows $1: submission_id, status, reasons, external_id, contact_id, account_id, lead_id,"
	" interaction_id, duplicate_of, match, payload, part@ AS n"
	" WHERE s.submission_id = n.submission_id",
	12, {ARG_INT8S, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_INT8S, ARG_INT8S, ARG_INT8S, ARG_INT8S, ARG_INT8S, ARG_TEXTS,
		ARG_JSONBS, ARG_INT4S}
};

/* Does a record name a company? */
static bool
NamesCompany(const MatchConfig *matching, const EntityRecord *company)
{
	for (int k = 0; k < matching->kind_count[ENTITY_ACCOUNT]; k++)
		if (company->keys[k])
			return true;
	return false;
}

/* Say what else of note matching found */
static void
AddMatchReasons(CaptureRecord *record)
{
	const EntityRecord *person = &record->person;

	if (person->foreign & (UINT64CONST(1) << CONTACT_KEY_EMAIL))
		RecordReason(record, "email", "email_of_other_contact", record->values[FIELD_EMAIL],
					 "the address belongs to another contact than what decided before it", false);
	else if (person->other != 0)
	{
		const char *label = person->other_rule->label;

		RecordReason(record, NULL, "other_contact", psprintf(INT64_FORMAT, person->other),
					 psprintf("match rule " INT64_FORMAT "%s%s%s finds another contact, which contradicts the one taken",
							  person->other_rule->id, label ? " (" : "", label ? label : "", label ? ")" : ""), false);
	}
}

/* Leave a record that may be from several contacts to a person */
static void
HoldForReview(CaptureRecord *record)
{
	StringInfoData ids;

	initStringInfo(&ids);
	for (int c = 0; c < record->person.candidate_count; c++)
		appendStringInfo(&ids, "%s" INT64_FORMAT, c > 0 ? ", " : "", record->person.candidates[c]);
	RecordReason(record, NULL, "several_contacts", ids.data, "may be from any of several contacts", false);
	record->status = "review";
}

/* Lock the accounts of the records, as far as these are known, where what they bring counts for all leads of these */
static void
LockAccounts(Workspace *ws, WorkspaceConfig *config, CaptureRecord *records, int n)
{
	int64	   *accounts = palloc(sizeof(int64) * Max(n, 1));
	int			count = 0;

	for (int i = 0; i < n; i++)
		if (records[i].status == NULL && RecordAccount(&records[i]) != 0)
			accounts[count++] = RecordAccount(&records[i]);
	ScoreLockAccounts(ws, config, accounts, count);
}

/* Find or make the accounts and then the contacts of the records */
static void
ResolveEntities(Workspace *ws, WorkspaceConfig *config, CaptureRecord *records, int n, bool holds_others)
{
	EntityRecord **wanted = palloc(sizeof(EntityRecord *) * Max(n, 1));
	MatchConfig *matching = MatchGetConfig(ws, config);
	int			count = 0;

	for (int i = 0; i < n; i++)
		if (records[i].status == NULL && records[i].form->makes_account && NamesCompany(matching, &records[i].company))
			wanted[count++] = &records[i].company;
	if (count > 0)
		IdentityResolve(ws, config, &AccountOps, wanted, count, holds_others);
	LockAccounts(ws, config, records, n);

	count = 0;
	for (int i = 0; i < n; i++)
	{
		CaptureRecord *record = &records[i];

		if (record->status || !record->form->makes_contact)
			continue;
		if (record->company.slot && record->company.slot->individual_id == 0)
		{
			record->person.account_id = record->company.slot->id;
			record->person.account_is_stated = record->company.keys[ACCOUNT_KEY_NAME] != NULL;
		}
		wanted[count++] = &record->person;
	}
	if (count == 0)
		return;
	IdentityResolve(ws, config, &ContactOps, wanted, count, holds_others);

	/* The account of an individual customer is nobody else's */
	for (int i = 0; i < n; i++)
		if (records[i].person.slot && records[i].company.slot && records[i].company.slot->individual_id != 0 &&
			records[i].company.slot->individual_id != RecordContact(&records[i]))
			records[i].company.slot = NULL;
	LockAccounts(ws, config, records, n);	/* those of contacts that name none, too */
	for (int i = 0; i < n; i++)
		if (records[i].status == NULL && records[i].person.needs_review)
			HoldForReview(&records[i]);
		else if (records[i].status == NULL)
			AddMatchReasons(&records[i]);
}

/* Reject the records that only tell of a company which is not known, and do not name it so that it could be made */
static void
RejectUnknown(Workspace *ws, CaptureRecord *records, int n)
{
	CaptureRecord **rejected = NULL;
	int			count = 0;

	for (int i = 0; i < n; i++)
	{
		CaptureRecord *record = &records[i];
		const char *id = record->values[FIELD_COMPANY_SOURCE_ID];

		if (record->status || RecordContact(record) != 0 || RecordAccount(record) != 0 || record->values[FIELD_VISITOR] ||
			AccountOps.may_be_new(&record->company) || ContactOps.may_be_new(&record->person))
			continue;
		RecordReason(record, id ? "company_source_id" : NULL, "no_identity", id,
					 "this is known of no account that it could be, and to make one takes a name or domain", true);
		if (rejected == NULL)
			rejected = palloc(sizeof(CaptureRecord *) * (n - i));
		rejected[count++] = record;
	}
	if (count > 0)
		ExternalIdsRelease(ws, rejected, count);
}

/*
 * Put up for review which contacts records may be from: those that wait for
 * it, and those that made a new contact though a model found somebody alike.
 */
static void
PutUpForReview(Workspace *ws, CaptureRecord *records, int n)
{
	int			size = 0;
	Batch	   *batch;

	for (int i = 0; i < n; i++)
		size += records[i].person.candidate_count + 1;
	batch = BatchCreate(make_reviews.args, make_reviews.nargs, size);
	for (int i = 0; i < n; i++)
	{
		CaptureRecord *record = &records[i];
		EntityRecord *person = &record->person;

		if (record->status && strcmp(record->status, "review") == 0)
			for (int c = 0; c < person->candidate_count; c++)
			{
				BatchSet(batch, 0, Int64GetDatum(person->candidates[c]));
				BatchSet(batch, 2, Int64GetDatum(record->submission_id));
				BatchSetText(batch, 3, person->strategy->name);
				BatchNext(batch);
			}
		else if (record->status == NULL && person->slot && person->slot->is_new &&
				 person->live.outcome == LIVE_POSSIBLE && person->live.id != person->slot->id)
		{
			BatchSet(batch, 0, Int64GetDatum(Min(person->live.id, person->slot->id)));
			BatchSet(batch, 1, Int64GetDatum(Max(person->live.id, person->slot->id)));
			BatchSet(batch, 2, Int64GetDatum(record->submission_id));
			BatchSetText(batch, 3, person->live_strategy->name);
			BatchSet(batch, 4, Float8GetDatum(person->live.probability));
			BatchSetText(batch, 5, person->live.explanation);
			BatchNext(batch);
		}
	}
	if (batch->rows > 0)
		BatchExecute(ws, &make_reviews, batch);
}

/* Record the interactions that the submissions are */
static void
MakeInteractions(Workspace *ws, CaptureRecord *records, int n)
{
	Batch	   *batch = BatchCreate(make_interactions.args, make_interactions.nargs, n);
	Oid			sequence = WorkspaceSequence(ws, "interaction", "interaction_id");
	ScoreEvent *late = NULL;	/* those of leads that are closed */
	int			late_count = 0;

	for (int i = 0; i < n; i++)
	{
		CaptureRecord *record = &records[i];
		char	  **values = record->values;
		int64		contact;

		if (record->status || !record->form->makes_interaction)
			continue;
		contact = RecordContact(record);
		if (contact == 0 && RecordLead(record) == 0 && values[FIELD_VISITOR] == NULL)
			continue;
		record->interaction_id = nextval_internal(sequence, false);
		BatchSet(batch, 0, Int64GetDatum(record->interaction_id));
		if (contact)
			BatchSet(batch, 1, Int64GetDatum(contact));
		if (RecordLead(record) != 0)
			BatchSet(batch, 2, Int64GetDatum(RecordLead(record)));
		BatchSet(batch, 3, Int64GetDatum(record->submission_id));
		BatchSetText(batch, 4, values[FIELD_KIND]);
		BatchSetText(batch, 5, record->kind ? record->kind->direction : "inbound");
		BatchSetText(batch, 6, values[FIELD_CHANNEL]);
		if (record->campaign)
			BatchSet(batch, 7, Int64GetDatum(record->campaign->id));
		BatchSetText(batch, 8, values[FIELD_SOURCE]);
		BatchSetText(batch, 9, values[FIELD_PAGE]);
		BatchSetText(batch, 10, values[FIELD_URL]);
		BatchSetText(batch, 11, values[FIELD_PRODUCT]);
		BatchSetText(batch, 12, values[FIELD_CREATIVE]);
		BatchSetText(batch, 13, values[FIELD_VISITOR]);
		BatchSetText(batch, 14, values[FIELD_MESSAGE]);
		BatchSet(batch, 15, TimestampTzGetDatum(record->occurred_at));
		BatchSetText(batch, 16, values[FIELD_SESSION]);
		BatchSetText(batch, 17, values[FIELD_COST]);
		BatchNext(batch);
		if (record->closed_lead == 0)
			continue;
		if (late == NULL)
			late = palloc(sizeof(ScoreEvent) * (n - i));
		late[late_count++] = (ScoreEvent) {
			.lead_id = record->closed_lead,.occurred_at = record->occurred_at
		};
	}
	if (batch->rows > 0)
		BatchExecute(ws, &make_interactions, batch);
	if (late_count > 0)
		LeadsTouch(ws, late, late_count);
}

/*
 * Join what visitors did before they were known to their contacts and leads;
 * returns the interactions of theirs that count for a lead.
 */
static ScoreEvent *
IdentifyVisitors(Workspace *ws, CaptureRecord *records, int n, int *count)
{
	Batch	   *batch = BatchCreate(identify_visitors.args, identify_visitors.nargs, n);
	ScoreEvent *events;
	ScoreEvent *come;			/* to a lead, having had none */
	int			joined;
	int			come_count = 0;

	*count = 0;
	for (int i = 0; i < n; i++)
	{
		if (records[i].status || records[i].values[FIELD_VISITOR] == NULL || RecordContact(&records[i]) == 0)
			continue;
		BatchSetText(batch, 0, records[i].values[FIELD_VISITOR]);
		BatchSet(batch, 1, Int64GetDatum(RecordContact(&records[i])));
		if (records[i].lead)
			BatchSet(batch, 2, Int64GetDatum(LeadSlotId(records[i].lead)));
		BatchNext(batch);
	}
	if (batch->rows == 0)
		return NULL;
	joined = BatchExecute(ws, &identify_visitors, batch);
	events = palloc(sizeof(ScoreEvent) * Max(joined, 1));
	come = palloc(sizeof(ScoreEvent) * Max(joined, 1));
	for (int i = 0; i < joined; i++)
	{
		ScoreEvent	event = ScoreEventReturned(i);

		if (event.lead_id == 0)
			continue;
		events[(*count)++] = event;
		if (ResultBool(i, 7))
			come[come_count++] = event;
	}
	SPI_freetuptable(SPI_tuptable);
	if (come_count > 0)
		LeadsTouch(ws, come, come_count);
	return events;
}

/* Record the consents given: the contact's, or else the lead's, whose contact is not known yet */
static void
GiveConsents(Workspace *ws, CaptureRecord *records, int n)
{
	static const struct
	{
		FieldId		field;
		const char *channel;
	}			consents[] = {
		{FIELD_CONSENT_EMAIL, "email"}, {FIELD_CONSENT_PHONE, "phone"},
		{FIELD_CONSENT_SMS, "sms"}, {FIELD_CONSENT_POST, "post"}
	};
	Batch	   *batch = BatchCreate(give_consents.args, give_consents.nargs, n * lengthof(consents));

	for (int i = 0; i < n; i++)
		for (int c = 0; c < lengthof(consents); c++)
		{
			int64		contact = RecordContact(&records[i]);
			int64		lead = records[i].lead ? LeadSlotId(records[i].lead) : 0;

			if (records[i].status || records[i].values[consents[c].field] == NULL || (contact == 0 && lead == 0))
				continue;
			if (contact != 0)
				BatchSet(batch, 0, Int64GetDatum(contact));
			else
				BatchSet(batch, 1, Int64GetDatum(lead));
			BatchSetText(batch, 2, consents[c].channel);
			BatchSet(batch, 3, Int64GetDatum(records[i].submission_id));
			BatchSet(batch, 4, TimestampTzGetDatum(records[i].occurred_at));
			BatchNext(batch);
		}
	if (batch->rows > 0)
		BatchExecute(ws, &give_consents, batch);
}

/* List the open leads of the contacts and accounts that the records changed */
static int
ChangedLeads(Workspace *ws, CaptureRecord *records, int n, int64 **ids)
{
	int64	   *contacts = palloc(sizeof(int64) * Max(n, 1));
	int64	   *accounts = palloc(sizeof(int64) * Max(n, 1));
	int			contact_count = 0;
	int			account_count = 0;

	for (int i = 0; i < n; i++)
	{
		if (records[i].status || !records[i].form->scores)
			continue;
		if (records[i].person.slot && records[i].person.slot->is_changed && !records[i].person.slot->is_new)
			contacts[contact_count++] = records[i].person.slot->id;
		if (records[i].company.slot && records[i].company.slot->is_changed && !records[i].company.slot->is_new)
			accounts[account_count++] = records[i].company.slot->id;
	}
	return LeadsOf(ws, contacts, ScoreUniqueIds(contacts, contact_count),
				   accounts, ScoreUniqueIds(accounts, account_count), ids);
}

/* List the open leads of the accounts that contacts or leads came to or left, where what they do counts for these */
static int
LeadsOfMoved(Workspace *ws, WorkspaceConfig *config, CaptureRecord *records, int n, int64 **ids)
{
	int64	   *accounts = palloc(sizeof(int64) * Max(3 * n, 1));
	int64	   *contacts = palloc(sizeof(int64) * Max(n, 1));
	int			contact_count = 0;
	int			count = 0;

	for (int i = 0; config->has_account_model && i < n; i++)
	{
		const EntitySlot *slot = records[i].person.slot;

		if (records[i].status == NULL && records[i].lead && LeadSlotJoinedAccount(records[i].lead) != 0)
			accounts[count++] = LeadSlotJoinedAccount(records[i].lead);
		if (records[i].status || slot == NULL || slot->stored == NULL || slot->stored->account_id == slot->account_id)
			continue;
		contacts[contact_count++] = slot->id;
		accounts[count++] = slot->account_id;
		if (slot->stored->account_id != 0)
			accounts[count++] = slot->stored->account_id;
	}
	if (count == 0)
		return 0;
	count = LeadsOf(ws, contacts, ScoreUniqueIds(contacts, contact_count), accounts, ScoreUniqueIds(accounts, count), ids);

	/* Leads may have accounts of their own, for which their contact counted while it had none */
	return ScoreWithSiblings(ws, ids, count, NULL, 0);
}

/*
 * Score the leads of the records, and those whose contact or account they
 * changed, and settle what follows.
 */
static void
ScoreRecords(Workspace *ws, WorkspaceConfig *config, CaptureRecord *records, int n,
			 const ScoreEvent *joined, int joined_count)
{
	TimestampTz now = GetCurrentTransactionStartTimestamp();
	int64	   *changed = NULL;
	int			changed_count = ChangedLeads(ws, records, n, &changed);
	int64	   *moved = NULL;
	int			moved_count = LeadsOfMoved(ws, config, records, n, &moved);
	int64	   *ids = palloc(sizeof(int64) * Max(n + changed_count + moved_count, 1));
	ScoreEvent *events = palloc(sizeof(ScoreEvent) * Max(n + joined_count, 1));
	LeadSettlement *settlements;
	ScoredLead *leads;
	int			count = 0;
	int			event_count = 0;
	int			named;

	for (int i = 0; i < n; i++)
	{
		const CaptureRecord *record = &records[i];
		int64		lead = record->lead ? LeadSlotId(record->lead) : 0;

		if (lead != 0 && (record->form->scores || record->form->assigns))
			ids[count++] = lead;
		if (record->interaction_id != 0 && record->form->scores && (lead != 0 || config->has_account_model))
			events[event_count++] = (ScoreEvent) {
			.lead_id = lead,.contact_id = RecordContact(record),.interaction_id = record->interaction_id,
			.kind = record->values[FIELD_KIND],.occurred_at = record->occurred_at,.at = Min(record->occurred_at, now)
		};
	}
	for (int i = 0; i < changed_count; i++)
		ids[count++] = changed[i];
	for (int i = 0; i < moved_count; i++)
		ids[count++] = moved[i];
	for (int i = 0; i < joined_count; i++)
		events[event_count++] = joined[i];
	named = count = ScoreUniqueIds(ids, count);
	count = ScoreWithAccounts(ws, config, events, event_count, &ids, count);
	if (count == 0)
		return;
	leads = ScoreLoad(ws, config, ids, count);
	settlements = palloc0(sizeof(LeadSettlement) * count);
	for (int i = 0; i < count; i++)
	{
		settlements[i].lead = &leads[i];
		settlements[i].at = now;

		/* Those that joined may have been counted for somebody before */
		if (count > named)
		{
			leads[i].is_wanted = settlements[i].moves_stage = true;
			leads[i].starts_over = joined_count > 0;
		}
	}
	for (int i = 0; i < joined_count; i++)
	{
		ScoredLead *lead = ScoreFind(leads, count, joined[i].lead_id);

		if (lead)
			lead->starts_over = true;
	}
	for (int i = 0; i < moved_count; i++)
	{
		LeadSettlement *settlement = &settlements[ScoreFind(leads, count, moved[i]) - leads];

		settlement->lead->is_wanted = settlement->lead->starts_over = settlement->moves_stage = true;
	}
	for (int i = 0; i < changed_count; i++)
	{
		LeadSettlement *settlement = &settlements[ScoreFind(leads, count, changed[i]) - leads];

		settlement->lead->is_wanted = settlement->moves_stage = true;
	}
	for (int i = 0; i < n; i++)
	{
		LeadSettlement *settlement;

		if (records[i].lead == NULL || !(records[i].form->scores || records[i].form->assigns))
			continue;
		settlement = &settlements[ScoreFind(leads, count, LeadSlotId(records[i].lead)) - leads];
		settlement->lead->is_wanted |= records[i].form->scores;
		settlement->lead->is_new |= LeadSlotIsNew(records[i].lead);
		settlement->moves_stage |= records[i].form->moves_stage;
		if (settlement->created_at == 0)
			settlement->created_at = settlement->at = records[i].received_at;
		settlement->at = Max(settlement->at, records[i].received_at);
		settlement->assigns |= records[i].form->assigns && LeadSlotIsNew(records[i].lead);
	}
	ScoreLeads(ws, config, leads, count, events, event_count);
	PipelineSettle(ws, config, settlements, count, events, event_count);
}

/* Write down what found the contact or account of a record */
static void
AppendMatch(StringInfo json, const MatchConfig *matching, EntityKind entity, const EntityRecord *record)
{
	if (record->strategy == NULL && record->decided == 0)
		return;
	appendStringInfo(json, "%s\"%s\": {", json->len > 1 ? ", " : "", EntityNames[entity]);
	if (record->rule)
	{
		appendStringInfo(json, "\"rule\": " INT64_FORMAT ", \"kind\": ", record->rule->id);
		escape_json(json, matching->kinds[entity][record->rule->kind].name);
		appendStringInfoString(json, ", \"value\": ");
		escape_json(json, record->keys[record->rule->kind]);
	}
	else if (record->strategy)
	{
		appendStringInfoString(json, "\"strategy\": ");
		escape_json(json, record->strategy->name);
		appendStringInfo(json, ", \"probability\": %.17g, \"model\": %s", record->live.probability,
						 record->live.explanation ? record->live.explanation : "null");
	}
	else
		appendStringInfoString(json, "\"decided\": true");
	if (record->tests)
		appendStringInfo(json, ", \"tests\": [%s]", record->tests);
	if (record->merged)
		appendStringInfo(json, ", \"merged\": [%s]", record->merged->data);
	appendStringInfoChar(json, '}');
}

/* Write down that the id of a lead decided */
static void
AppendLeadId(StringInfo json, const char *entity, const CaptureRecord *record)
{
	appendStringInfo(json, "%s\"%s\": {\"kind\": \"lead_source_id\", \"value\": ", json->len > 1 ? ", " : "", entity);
	escape_json(json, psprintf("%s:%s", RecordSystem(record), record->values[FIELD_LEAD_SOURCE_ID]));
	appendStringInfoChar(json, '}');
}

/* Get what decided on a record as JSON, NULL when everything about it is new */
static char *
MatchText(const MatchConfig *matching, const CaptureRecord *record)
{
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	if (record->person.slot && record->is_decided_by_lead)
		AppendLeadId(&json, "contact", record);
	else if (record->person.slot)
		AppendMatch(&json, matching, ENTITY_CONTACT, &record->person);
	if (record->company.slot)
		AppendMatch(&json, matching, ENTITY_ACCOUNT, &record->company);
	if (record->named_lead != 0)
		AppendLeadId(&json, "lead", record);
	else if (record->lead && record->lead_rule)
		appendStringInfo(&json, "%s\"lead\": {\"rule\": " INT64_FORMAT "}", json.len > 1 ? ", " : "",
						 record->lead_rule->id);
	else if (record->lead && !LeadSlotIsOpenedBy(record->lead, record))
		appendStringInfo(&json, "%s\"lead\": {\"latest\": true}", json.len > 1 ? ", " : "");
	if (json.len == 1)
		return NULL;
	appendStringInfoChar(&json, '}');
	return json.data;
}

/* Write what became of the submissions into them */
static void
StampSubmissions(Workspace *ws, WorkspaceConfig *config, CaptureRecord *records, int n)
{
	MatchConfig *matching = MatchGetConfig(ws, config);
	Batch	   *plain = BatchCreate(stamp_submissions.args, stamp_submissions.nargs, n);
	Batch	   *decoded = BatchCreate(stamp_decoded.args, stamp_decoded.nargs, n);

	for (int i = 0; i < n; i++)
	{
		CaptureRecord *record = &records[i];
		bool		accepted = record->status == NULL;
		Batch	   *batch = record->has_decoded ? decoded : plain;

		BatchSet(batch, 0, Int64GetDatum(record->submission_id));
		BatchSetText(batch, 1, accepted ? "accepted" : record->status);
		if (record->reason_count > 0)
			BatchSetText(batch, 2, psprintf("%s]", record->reasons.data));
		BatchSetText(batch, 3, record->external_id);
		if (accepted && RecordContact(record) != 0)
			BatchSet(batch, 4, Int64GetDatum(RecordContact(record)));
		if (accepted && RecordAccount(record) != 0)
			BatchSet(batch, 5, Int64GetDatum(RecordAccount(record)));
		if (accepted && RecordLead(record) != 0)
			BatchSet(batch, 6, Int64GetDatum(RecordLead(record)));
		if (accepted && record->interaction_id != 0)
			BatchSet(batch, 7, Int64GetDatum(record->interaction_id));
		if (record->duplicate_of != 0)
			BatchSet(batch, 8, Int64GetDatum(record->duplicate_of));
		if (accepted)
			BatchSetText(batch, 9, MatchText(matching, record));
		if (record->has_decoded)
		{
			BatchSet(batch, 10, JsonbPGetDatum(record->payload));
			if (record->part > 0)
				BatchSet(batch, 11, Int32GetDatum(record->part));
		}
		BatchNext(batch);
	}
	if (plain->rows > 0)
		BatchExecute(ws, &stamp_submissions, plain);
	if (decoded->rows > 0)
		BatchExecute(ws, &stamp_decoded, decoded);
}

/* Stamp the submissions, and submit what else their bodies hold */
void
CaptureFinish(Workspace *ws, WorkspaceConfig *config, CaptureRecord *records, int n)
{
	PartsPassOver(ws, records, n);
	StampSubmissions(ws, config, records, n);
	PartsSubmit(ws, records, n);
}

/* Take records that were read all the way */
static void
TakeRecords(Workspace *ws, WorkspaceConfig *config, CaptureRecord *records, int n, bool holds_others)
{
	ScoreEvent *joined;
	int			joined_count;

	ExternalIdsClaim(ws, records, n);
	VendorsReserve(ws, records, n);
	LeadIdsFind(ws, records, n);
	ResolveEntities(ws, config, records, n, holds_others);
	RejectUnknown(ws, records, n);
	PutUpForReview(ws, records, n);
	LeadsResolve(ws, config, records, n);
	LeadIdsNote(ws, records, n);
	MakeInteractions(ws, records, n);
	joined = IdentifyVisitors(ws, records, n, &joined_count);
	GiveConsents(ws, records, n);
	ScoreRecords(ws, config, records, n, joined, joined_count);
	VendorsPurchase(ws, records, n);
	CaptureFinish(ws, config, records, n);
}

/*
 * Take a chunk of submissions all the way.  holds_others tells that the
 * statement holds locks of earlier chunks, so that this one cannot give back
 * everything and begin again.  A record that names a lead which one before it
 * may bring has to wait for that.
 */
void
CaptureFlow(Workspace *ws, WorkspaceConfig *config, CaptureRecord *records, int n, bool holds_others)
{
	int			end;

	for (int i = 0; i < n; i++)
		initStringInfo(&records[i].reasons);
	DecodeRecords(config, records, n);
	for (int i = 0; i < n; i++)
		RecordRead(ws, config, &records[i]);
	LeadIdsLink(records, n);
	for (int start = 0; start < n; start = end)
	{
		for (end = start + 1; end < n && (records[end].same_lead == NULL || records[end].same_lead < &records[start]);)
			end++;
		TakeRecords(ws, config, &records[start], end - start, holds_others || start > 0);
	}
}
