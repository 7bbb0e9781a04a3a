/*
 * The interactions that count for a lead: its own, or in a model that is
 * account-based those of its account.  An interaction belongs to the account
 * of its contact, or else to that of its lead.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "scoring/scoring.h"
#include "utils/builtins.h"

#define EVENT_COLUMNS \
	" i.interaction_id, i.kind, i.occurred_at, LEAST(i.occurred_at, i.recorded_at, pg_catalog.clock_timestamp())," \
	" CASE WHEN $2 THEN i END"

static const PlanSource events_of_leads = {
	"SELECT i.lead_id, NULL::pg_catalog.int8," EVENT_COLUMNS
	" FROM @workspace@.interaction i WHERE i.lead_id = ANY ($1) AND LEAST(i.occurred_at, i.recorded_at, pg_catalog.clock_timestamp()) <= $3",
	3, {ARG_INT8S, ARG_BOOL, ARG_TIMESTAMPTZ}
};

static const PlanSource events_of_accounts = {
	"SELECT NULL::pg_catalog.int8, c.account_id," EVENT_COLUMNS
	" FROM @workspace@.contact c JOIN @workspace@.interaction i ON i.contact_id = c.contact_id"
	" WHERE c.account_id = ANY ($1) AND LEAST(i.occurred_at, i.recorded_at, pg_catalog.clock_timestamp()) <= $3"
	" UNION ALL SELECT NULL, o.account_id," EVENT_COLUMNS
	" FROM (SELECT l.lead_id, l.account_id FROM @workspace@.lead l WHERE l.account_id = ANY ($1)"
	" UNION ALL SELECT l.lead_id, c.account_id FROM @workspace@.contact c"
	" JOIN @workspace@.lead l ON l.contact_id = c.contact_id AND l.account_id IS NULL"
	" WHERE c.account_id = ANY ($1)) o"
	" JOIN @workspace@.interaction i ON i.lead_id = o.lead_id"
	" LEFT JOIN @workspace@.contact c ON c.contact_id = i.contact_id"
	" WHERE c.account_id IS NULL AND LEAST(i.occurred_at, i.recorded_at, pg_catalog.clock_timestamp()) <= $3",
	3, {ARG_INT8S, ARG_BOOL, ARG_TIMESTAMPTZ}
};

static const PlanSource accounts_of_events = {
	"SELECT n.position, COALESCE(c.account_id, l.account_id, lc.account_id)"
	" FROM @rows $1: position, lead_id, contact_id@ AS n"
	" LEFT JOIN @workspace@.contact c ON c.contact_id = n.contact_id"
	" LEFT JOIN @workspace@.lead l ON l.lead_id = n.lead_id"
	" LEFT JOIN @workspace@.contact lc ON lc.contact_id = l.contact_id",
	3, {ARG_INT8S, ARG_INT8S, ARG_INT8S}
};

static const PlanSource lock_accounts = {
	"SELECT a.account_id FROM @workspace@.account a WHERE a.account_id = ANY ($1)"
	" ORDER BY a.account_id FOR NO KEY UPDATE",
	1, {ARG_INT8S}
};

/*
 * Rows to be locked are named by an array, not by a join: where a row was
 * changed while it was waited for, PostgreSQL looks at it again, and some
 * plans of a semijoin then find no partner for it and leave it out.
 */
static const PlanSource leads_of_accounts = {
	"SELECT o.lead_id FROM @workspace@.lead o WHERE o.status = 'open' AND o.lead_id = ANY (ARRAY("
	"SELECT l.lead_id FROM @workspace@.lead l WHERE l.account_id = ANY ($1)"
	" UNION ALL SELECT l.lead_id FROM @workspace@.contact c"
	" JOIN @workspace@.lead l ON l.contact_id = c.contact_id AND l.account_id IS NULL"
	" WHERE c.account_id = ANY ($1))) ORDER BY o.lead_id FOR NO KEY UPDATE",
	1, {ARG_INT8S}
};

/* The open leads of the accounts of contacts and leads */
static const PlanSource siblings = {
	"WITH accounts AS (SELECT c.account_id FROM @workspace@.contact c WHERE c.contact_id = ANY ($1)"
	" UNION SELECT l.account_id FROM @workspace@.lead l WHERE l.lead_id = ANY ($2)"
	" UNION SELECT c.account_id FROM @workspace@.lead l JOIN @workspace@.contact c ON c.contact_id = l.contact_id"
	" WHERE l.lead_id = ANY ($2))"
	" SELECT o.lead_id FROM @workspace@.lead o WHERE o.status = 'open' AND o.lead_id = ANY (ARRAY("
	"SELECT l.lead_id FROM accounts a JOIN @workspace@.lead l ON l.account_id = a.account_id"
	" UNION ALL SELECT l.lead_id FROM accounts a JOIN @workspace@.contact c ON c.account_id = a.account_id"
	" JOIN @workspace@.lead l ON l.contact_id = c.contact_id AND l.account_id IS NULL))"
	" ORDER BY o.lead_id FOR NO KEY UPDATE",
	2, {ARG_INT8S, ARG_INT8S}
};

/* Read an event that a statement returned */
ScoreEvent
ScoreEventReturned(uint64 row)
{
	return (ScoreEvent) {
		.lead_id = ResultInt64(row, 1, NULL),.contact_id = ResultInt64(row, 2, NULL),
		.interaction_id = ResultInt64(row, 3, NULL),.kind = ResultText(row, 4),
		.occurred_at = ResultTimestamp(row, 5),.at = ResultTimestamp(row, 6)
	};
}

/* Order events by when they took place */
static int
CompareTimes(const ScoreEvent *a, const ScoreEvent *b)
{
	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	return a->interaction_id < b->interaction_id ? -1 : a->interaction_id > b->interaction_id;
}

/* Order events by lead and time */
static int
CompareByLead(const void *a, const void *b)
{
	const ScoreEvent *left = *(ScoreEvent *const *) a;
	const ScoreEvent *right = *(ScoreEvent *const *) b;

	if (left->lead_id != right->lead_id)
		return left->lead_id < right->lead_id ? -1 : 1;
	return CompareTimes(left, right);
}

/* Order events by account and time */
static int
CompareByAccount(const void *a, const void *b)
{
	const ScoreEvent *left = *(ScoreEvent *const *) a;
	const ScoreEvent *right = *(ScoreEvent *const *) b;

	if (left->account_id != right->account_id)
		return left->account_id < right->account_id ? -1 : 1;
	return CompareTimes(left, right);
}

/* Make an array argument of ids */
static Datum
IdsArgument(Workspace *ws, const int64 *ids, int n)
{
	Batch	   *batch = BatchCreate(leads_of_accounts.args, 1, n);
	Datum		array;

	for (int i = 0; i < n; i++)
	{
		BatchSet(batch, 0, Int64GetDatum(ids[i]));
		BatchNext(batch);
	}
	BatchArrays(ws, batch, &array);
	return array;
}

/* Add the ids that a statement returned to others; returns how many distinct ones there are then */
static int
AddResult(int64 **ids, int n, int found)
{
	int64	   *all = palloc_extended(sizeof(int64) * Max(n + found, 1), MCXT_ALLOC_HUGE);

	memcpy(all, *ids, sizeof(int64) * n);
	for (int i = 0; i < found; i++)
		all[n + i] = ResultInt64(i, 1, NULL);
	SPI_freetuptable(SPI_tuptable);
	*ids = all;
	return ScoreUniqueIds(all, n + found);
}

/*
 * Add the open leads of the accounts of contacts and leads, which are locked,
 * to the leads; returns how many there are then.
 */
int
ScoreWithSiblings(Workspace *ws, int64 **lead_ids, int n, const int64 *contacts, int contact_count)
{
	Datum		values[2];

	values[0] = IdsArgument(ws, contacts, contact_count);
	values[1] = IdsArgument(ws, *lead_ids, n);
	return AddResult(lead_ids, n, WorkspaceExecute(ws, &siblings, values, NULL));
}

/* Add the open leads of accounts, which are locked, to the leads; returns how many there are then */
int
ScoreWithLeadsOf(Workspace *ws, int64 **lead_ids, int n, const int64 *accounts, int account_count)
{
	Datum		array = IdsArgument(ws, accounts, account_count);

	return AddResult(lead_ids, n, WorkspaceExecute(ws, &leads_of_accounts, &array, NULL));
}

/*
 * Where a model is account-based, lock accounts before what counts for all of
 * their leads is changed, in the order of their ids: of two sessions, each
 * with a lead that the other does not see yet, neither would count for the
 * other's.
 */
void
ScoreLockAccounts(Workspace *ws, WorkspaceConfig *config, int64 *accounts, int n)
{
	Datum		array;

	if (!config->has_account_model || n == 0)
		return;
	array = IdsArgument(ws, accounts, ScoreUniqueIds(accounts, n));
	WorkspaceExecute(ws, &lock_accounts, &array, NULL);
	SPI_freetuptable(SPI_tuptable);
}

/* Find the accounts that events belong to, and note them there; returns how many ids there are, some of them alike */
static int
AccountsOfEvents(Workspace *ws, ScoreEvent *events, int n, int64 **ids)
{
	Batch	   *batch = BatchCreate(accounts_of_events.args, accounts_of_events.nargs, n);
	int			found;

	for (int i = 0; i < n; i++)
	{
		BatchSet(batch, 0, Int64GetDatum(i));
		if (events[i].lead_id != 0)
			BatchSet(batch, 1, Int64GetDatum(events[i].lead_id));
		if (events[i].contact_id != 0)
			BatchSet(batch, 2, Int64GetDatum(events[i].contact_id));
		BatchNext(batch);
	}
	found = BatchExecute(ws, &accounts_of_events, batch);
	*ids = palloc_extended(sizeof(int64) * Max(found, 1), MCXT_ALLOC_HUGE);
	for (int i = 0; i < found; i++)
		(*ids)[i] = events[ResultInt64(i, 1, NULL)].account_id = ResultInt64(i, 2, NULL);
	SPI_freetuptable(SPI_tuptable);
	return found;
}

/* Lock the accounts that events belong to, where a model is account-based */
void
ScoreLockAccountsOf(Workspace *ws, WorkspaceConfig *config, ScoreEvent *events, int n)
{
	int64	   *accounts;

	if (config->has_account_model && n > 0)
	{
		int			found = AccountsOfEvents(ws, events, n, &accounts);

		ScoreLockAccounts(ws, config, accounts, found);
	}
}

/* Sort events by their lead or account and then by time */
ScoreEvent **
ScoreSortEvents(ScoreEvent *events, int n, bool by_account)
{
	ScoreEvent **sorted = palloc_extended(sizeof(ScoreEvent *) * Max(n, 1), MCXT_ALLOC_HUGE);

	for (int i = 0; i < n; i++)
		sorted[i] = &events[i];
	qsort(sorted, n, sizeof(ScoreEvent *), by_account ? CompareByAccount : CompareByLead);
	return sorted;
}

/* Find the events of a lead or account among those sorted so */
ScoreEvent **
ScoreEventsOf(ScoreEvent **sorted, int n, bool by_account, int64 owner, int *count)
{
	int			low = 0;
	int			high = n;
	int			end;

#define OWNER(event) (by_account ? (event)->account_id : (event)->lead_id)
	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (OWNER(sorted[middle]) < owner)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < n && OWNER(sorted[end]) == owner; end++)
		;
#undef OWNER
	*count = end - low;
	return sorted + low;
}

/* Read all interactions of leads or accounts that took place up to a time */
ScoreEvent *
ScoreLoadEvents(Workspace *ws, bool by_account, bool with_rows, int64 *owners, int n,
				TimestampTz until, int *count)
{
	const PlanSource *source = by_account ? &events_of_accounts : &events_of_leads;
	ScoreEvent *events;
	Datum		values[3];
	int			found;

	values[0] = IdsArgument(ws, owners, n);
	values[1] = BoolGetDatum(with_rows);
	values[2] = TimestampTzGetDatum(until);
	found = WorkspaceExecute(ws, source, values, NULL);
	events = palloc_extended(sizeof(ScoreEvent) * Max(found, 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int i = 0; i < found; i++)
	{
		bool		isnull;
		Datum		row = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 7, &isnull);

		events[i].lead_id = ResultInt64(i, 1, NULL);
		events[i].account_id = ResultInt64(i, 2, NULL);
		events[i].interaction_id = ResultInt64(i, 3, NULL);
		events[i].kind = ResultText(i, 4);
		events[i].occurred_at = ResultTimestamp(i, 5);
		events[i].at = ResultTimestamp(i, 6);
		if (with_rows)
			events[i].row = ScoreRow(row);
	}
	SPI_freetuptable(SPI_tuptable);
	*count = found;
	return events;
}

/*
 * Add the open leads of the accounts that events belong to, where a model is
 * account-based, to leads given by sorted, distinct ids; returns how many
 * there are then.  They are locked, as every session locks a lead before its
 * scores.
 */
int
ScoreWithAccounts(Workspace *ws, WorkspaceConfig *config, ScoreEvent *events, int event_count,
				  int64 **lead_ids, int n)
{
	Datum		accounts;
	int64	   *ids;
	int			found;

	if (!config->has_account_model || event_count == 0)
		return n;
	found = AccountsOfEvents(ws, events, event_count, &ids);
	accounts = IdsArgument(ws, ids, ScoreUniqueIds(ids, found));
	return AddResult(lead_ids, n, WorkspaceExecute(ws, &leads_of_accounts, &accounts, NULL));
}
