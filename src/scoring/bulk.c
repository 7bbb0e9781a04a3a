/*
 * Scoring all leads in a model.
 *
 * Fit is one SQL expression made of the conditions of the model's rules, run
 * by one query over lead_profile, so that the server computes only what the
 * conditions look at; for closed leads, over what their profile was before the
 * outcome.  They are the expressions that were checked when the
 * rules were stored, read under the same settings.  Where one of them fails on
 * some row, the query begins again with those that can fail evaluated apart.
 * Engagement is counted by chunks of leads, as everywhere; for a closed lead
 * up to its outcome, which what came later must not foretell.
 */
#include "postgres.h"

#include <math.h>

#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "predicate/attempt.h"
#include "scoring/learned.h"
#include "scoring/scoring.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* Leads whose interactions are in memory at a time */
#define BULK_CHUNK 2000

/* A lead of a chunk */
typedef struct BulkLead
{
	int64		lead_id;
	int64		account_id;		/* or 0 */
	double		fit;
	TimestampTz until;			/* when it was closed, or infinity */
} BulkLead;

/* What it takes to score all leads */
typedef struct Bulk
{
	Workspace  *ws;
	ScoringModel *model;
	ReturnSetInfo *result;
	MemoryContext chunk;
	BulkLead   *leads;
	ScoreFold  *fold;
	bool		has_engagement;
} Bulk;

/* Find the workspace of a table and a model in it, or complain */
ScoringModel *
ScoreGetModel(Oid score_table, const char *name, Workspace **ws, WorkspaceConfig **config)
{
	ScoringModel *model;
	WorkspaceRights rights;

	*ws = WorkspaceOfNamespace(get_rel_namespace(score_table));
	WorkspaceEnter(*ws, &rights);
	*config = WorkspaceGetConfig(*ws);
	WorkspaceLeave(&rights);
	model = ScoreFindModel(*config, name);
	if (model == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("there is no scoring model \"%s\"", name)));
	return model;
}

/* Write the query for the fit of all leads that are open, or closed */
static char *
FitQuery(const Workspace *ws, const ScoringModel *model, bool closed, bool safely)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT p.lead_id, p.account_id, 0::pg_catalog.float8");
	for (int r = 0; r < model->rule_count; r++)
	{
		const ScoringRule *rule = &model->rules[r];
		char	   *points = psprintf("%.17g", rule->points);

		if (!rule->is_fit || rule->condition == NULL)
			continue;
		if (safely && PredicateCanRaise(rule->condition))
			appendStringInfo(&sql, " + CASE WHEN lead_mgmt.satisfies_or_null(p, %s::lead_mgmt.predicate)",
							 quote_literal_cstr(rule->source));
		else
			appendStringInfo(&sql, " + CASE WHEN (%s)", rule->source);
		appendStringInfo(&sql, " THEN '%s'::pg_catalog.float8 ELSE 0 END", points);
	}
	if (closed)
		appendStringInfo(&sql, ", (SELECT o.stage_entered_at FROM %s.lead o WHERE o.lead_id = p.lead_id)", ws->quoted_name);
	else
		appendStringInfoString(&sql, ", NULL::pg_catalog.timestamptz");
	appendStringInfo(&sql, " FROM %s.%s p WHERE (p.contact_id IS NOT NULL OR p.account_id IS NOT NULL) AND p.status = 'open'",
					 ws->quoted_name, closed ? "lead_profile_at_outcome" : "lead_profile");
	return sql.data;
}

/* Open the query, read and planned as conditions are, for a scan of everything */
static Portal
OpenFitQuery(const Bulk *bulk, bool closed, bool safely)
{
	static const char *const planner[] = {"enable_seqscan", "enable_hashjoin", "enable_mergejoin", "jit"};
	int			nestlevel = PredicatePinSettings();
	SPIPlanPtr	plan;
	Portal		portal;

	for (int i = 0; i < lengthof(planner); i++)
		(void) set_config_option(planner[i], "on", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	plan = SPI_prepare(FitQuery(bulk->ws, bulk->model, closed, safely), 0, NULL);
	if (plan == NULL)
		elog(ERROR, "could not prepare a query: %s", SPI_result_code_string(SPI_result));
	portal = SPI_cursor_open(NULL, plan, NULL, NULL, true);
	AtEOXact_GUC(true, nestlevel);
	return portal;
}

/* Count the interactions of a chunk of leads and put out their scores */
static void
ScoreChunk(Bulk *bulk, int n)
{
	ScoringModel *model = bulk->model;

	for (int of_account = 0; of_account <= 1; of_account++)
	{
		int64	   *owners = palloc(sizeof(int64) * n);
		int			owner_count = 0;
		ScoreEvent *events = NULL;
		ScoreEvent **sorted = NULL;
		PredicateResult *matches = NULL;
		int			event_count = 0;

		for (int i = 0; i < n; i++)
			if ((model->is_account_based && bulk->leads[i].account_id != 0) == (of_account == 1))
				owners[owner_count++] = of_account ? bulk->leads[i].account_id : bulk->leads[i].lead_id;
		if (owner_count == 0)
			continue;
		if (bulk->has_engagement)
		{
			events = ScoreLoadEvents(bulk->ws, of_account, model->reads_interactions, owners,
									 ScoreUniqueIds(owners, owner_count), DT_NOEND, &event_count);
			sorted = ScoreSortEvents(events, event_count, of_account);
			matches = ScoreMatch(bulk->ws, model, events, event_count);
		}
		for (int i = 0; i < n; i++)
		{
			BulkLead   *lead = &bulk->leads[i];
			Datum		values[4] = {Int64GetDatum(lead->lead_id), Float8GetDatum(lead->fit)};
			bool		nulls[4] = {false, false, false, model->tally_count == 0};
			ScoreEvent **own = NULL;
			int			count = 0;

			if ((model->is_account_based && lead->account_id != 0) != (of_account == 1))
				continue;
			FoldReset(bulk->fold);
			if (event_count > 0)
				own = ScoreEventsOf(sorted, event_count, of_account,
									of_account ? lead->account_id : lead->lead_id, &count);
			for (int e = 0; e < count && own[e]->at <= lead->until; e++)
				FoldEvent(bulk->fold, own[e],
						  matches ? &matches[(own[e] - events) * (int64) model->rule_count] : NULL);
			values[2] = PointerGetDatum(FoldHeat(bulk->fold));
			if (model->tally_count > 0)
				values[3] = PointerGetDatum(FoldTally(bulk->fold));
			tuplestore_putvalues(bulk->result->setResult, bulk->result->setDesc, values, nulls);
		}
	}
}

/* Score all leads that are open, or closed */
static void
ScoreProfiles(Bulk *bulk, bool closed, bool safely)
{
	Portal		portal = OpenFitQuery(bulk, closed, safely);

	for (;;)
	{
		MemoryContext old;
		int			n;

		CHECK_FOR_INTERRUPTS();
		SPI_cursor_fetch(portal, true, BULK_CHUNK);
		n = (int) SPI_processed;
		if (n == 0)
			break;
		for (int i = 0; i < n; i++)
		{
			bool		isnull;
			Datum		until = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 4, &isnull);

			bulk->leads[i] = (BulkLead) {
				ResultInt64(i, 1, NULL), ResultInt64(i, 2, NULL), ResultDouble(i, 3),
				isnull ? DT_NOEND : DatumGetTimestampTz(until)
			};
		}
		SPI_freetuptable(SPI_tuptable);
		old = MemoryContextSwitchTo(bulk->chunk);
		ScoreChunk(bulk, n);
		MemoryContextSwitchTo(old);
		MemoryContextReset(bulk->chunk);
	}
	SPI_freetuptable(SPI_tuptable);
	SPI_cursor_close(portal);
}

/* Score all leads */
static void
ScoreEverything(Bulk *bulk, bool open_only, bool safely)
{
	ScoreProfiles(bulk, false, safely);
	if (!open_only)
		ScoreProfiles(bulk, true, safely);
}

/* A bulk in which no condition may fail */
typedef struct BulkAttempt
{
	Bulk	   *bulk;
	bool		open_only;
} BulkAttempt;

/* Score all leads, if no condition fails on any row */
static void
ScoreBoldly(void *arg)
{
	BulkAttempt *attempt = arg;

	ScoreEverything(attempt->bulk, attempt->open_only, false);
}

/* Try to score all leads; false when a condition failed on a row of some lead */
static bool
TryEverything(Bulk *bulk, bool open_only)
{
	BulkAttempt attempt = {bulk, open_only};
	ErrorData  *error = Attempt(ScoreBoldly, &attempt);

	if (error != NULL && !PredicateErrorIsLocal(error->sqlerrcode))
		ReThrowError(error);
	return error == NULL;
}

/* Put out the scores that a learned model gives the leads of a view like lead_profile */
static void
ScoreLearned(Bulk *bulk, WorkspaceConfig *config, const char *view)
{
	SPIPlanPtr	plan = SPI_prepare(psprintf("SELECT%s FROM %s.%s p"
											" WHERE p.status = 'open' AND (p.contact_id IS NOT NULL OR p.account_id IS NOT NULL)",
											LearnedReadsComputed(config, bulk->model) ? " p.*" : PROFILE_PLAIN_LIST,
											bulk->ws->quoted_name, view), 0, NULL);
	Datum		no_heat = PointerGetDatum(HeatFromParts(NULL, 0));
	Portal		portal;

	if (plan == NULL)
		elog(ERROR, "could not prepare a query: %s", SPI_result_code_string(SPI_result));
	portal = SPI_cursor_open(NULL, plan, NULL, NULL, true);
	for (;;)
	{
		MemoryContext old;
		HeapTuple  *profiles;
		double	   *scores;
		SPITupleTable *result;
		int			n;

		CHECK_FOR_INTERRUPTS();
		SPI_cursor_fetch(portal, true, BULK_CHUNK);
		n = (int) SPI_processed;
		result = SPI_tuptable;
		if (n == 0)
			break;
		old = MemoryContextSwitchTo(bulk->chunk);
		profiles = palloc(sizeof(HeapTuple) * n);
		scores = palloc(sizeof(double) * n);
		memcpy(profiles, result->vals, sizeof(HeapTuple) * n);
		LearnedScore(bulk->ws, config, bulk->model, profiles, n, scores);
		SPI_tuptable = result;
		for (int i = 0; i < n; i++)
		{
			Datum		values[4] = {Int64GetDatum(ResultInt64(i, PROFILE_LEAD_ID, NULL)), Float8GetDatum(scores[i]), no_heat};
			bool		nulls[4] = {false, false, false, true};

			if (!isnan(scores[i]))
				tuplestore_putvalues(bulk->result->setResult, bulk->result->setDesc, values, nulls);
		}
		MemoryContextSwitchTo(old);
		MemoryContextReset(bulk->chunk);
		SPI_freetuptable(result);
	}
	SPI_cursor_close(portal);
}

PG_FUNCTION_INFO_V1(score_all);
/* Get the scores of all leads in a model */
Datum
score_all(PG_FUNCTION_ARGS)
{
	bool		open_only = PG_GETARG_BOOL(2);
	bool		can_fail = false;
	WorkspaceConfig *config;
	Bulk		bulk = {0};

	InitMaterializedSRF(fcinfo, 0);
	bulk.result = (ReturnSetInfo *) fcinfo->resultinfo;
	SPI_connect();
	bulk.model = ScoreGetModel(PG_GETARG_OID(0), text_to_cstring(PG_GETARG_TEXT_PP(1)), &bulk.ws, &config);
	bulk.chunk = AllocSetContextCreate(CurrentMemoryContext, "lead_mgmt scoring", ALLOCSET_DEFAULT_SIZES);
	if (bulk.model->kind != SCORING_RULES)
	{
		ScoreLearned(&bulk, config, "lead_profile");
		if (!open_only)
			ScoreLearned(&bulk, config, "lead_profile_at_outcome");
		SPI_finish();
		return (Datum) 0;
	}
	bulk.leads = palloc(sizeof(BulkLead) * BULK_CHUNK);
	bulk.fold = FoldCreate(bulk.model);
	for (int r = 0; r < bulk.model->rule_count; r++)
	{
		const ScoringRule *rule = &bulk.model->rules[r];

		bulk.has_engagement |= !rule->is_fit;
		can_fail |= rule->is_fit && rule->condition && PredicateCanRaise(rule->condition);
	}
	if (!can_fail)
		ScoreEverything(&bulk, open_only, false);
	else if (!TryEverything(&bulk, open_only))
	{
		tuplestore_clear(bulk.result->setResult);
		MemoryContextReset(bulk.chunk);
		ScoreEverything(&bulk, open_only, true);
	}
	SPI_finish();
	return (Datum) 0;
}
