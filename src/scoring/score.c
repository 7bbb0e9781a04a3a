/*
 * Scoring a chunk of leads.
 *
 * A score has two parts.  Fit is the sum of the points of the rules whose
 * condition holds for the lead's profile now, so it is computed afresh.
 * Engagement is the sum of the points of the interactions so far, so the new
 * ones are added to it.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "scoring/scoring.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

static const PlanSource load_profiles = {
	"SELECT p.* FROM @workspace@.lead_profile p WHERE p.lead_id = ANY ($1)",
	1, {ARG_INT8S}
};

#define SCORE_INSERT \
	"INSERT INTO @workspace@.score AS s (lead_id, model, fit, engagement, scored_at)" \
	" SELECT n.lead_id, n.model, n.fit, n.engagement, pg_catalog.now()" \
	" FROM @rows $1: lead_id, model, fit, engagement@ AS n"
#define SCORE_RETURNING " RETURNING s.lead_id, s.fit + s.engagement"

static const PlanSource first_scores = {
	SCORE_INSERT SCORE_RETURNING,
	4, {ARG_INT8S, ARG_TEXTS, ARG_FLOAT8S, ARG_FLOAT8S}
};

static const PlanSource next_scores = {
	SCORE_INSERT
	" ON CONFLICT (lead_id, model) DO UPDATE SET fit = EXCLUDED.fit,"
	" engagement = s.engagement + EXCLUDED.engagement, scored_at = EXCLUDED.scored_at"
	SCORE_RETURNING,
	4, {ARG_INT8S, ARG_TEXTS, ARG_FLOAT8S, ARG_FLOAT8S}
};

/* Order ids */
static int
CompareIds(const void *a, const void *b)
{
	int64		left = *(const int64 *) a;
	int64		right = *(const int64 *) b;

	return left < right ? -1 : left > right;
}

/* Sort ids and drop repeats; returns how many are left */
int
ScoreUniqueIds(int64 *ids, int n)
{
	int			kept = 0;

	qsort(ids, n, sizeof(int64), CompareIds);
	for (int i = 0; i < n; i++)
		if (kept == 0 || ids[kept - 1] != ids[i])
			ids[kept++] = ids[i];
	return kept;
}

/* Find a lead among those loaded, which are sorted by id */
ScoredLead *
ScoreFind(ScoredLead *leads, int n, int64 lead_id)
{
	return bsearch(&lead_id, leads, n, sizeof(ScoredLead), CompareIds);
}

/* Read the profiles of leads given by sorted, distinct ids */
ScoredLead *
ScoreLoad(Workspace *ws, WorkspaceConfig *config, int64 *lead_ids, int n)
{
	ScoredLead *leads = palloc0(sizeof(ScoredLead) * Max(n, 1));
	Batch	   *batch = BatchCreate(load_profiles.args, 1, n);
	int			found;

	for (int i = 0; i < n; i++)
	{
		leads[i].lead_id = lead_ids[i];
		BatchSet(batch, 0, Int64GetDatum(lead_ids[i]));
		BatchNext(batch);
	}
	found = BatchExecute(ws, &load_profiles, batch);
	if (SPI_tuptable->tupdesc->natts != config->profile->natts)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("view \"lead_profile\" of workspace \"%s\" changed meanwhile", ws->name),
				 errhint("Try again.")));
	for (int i = 0; i < found; i++)
	{
		int64		id = ResultInt64(i, PROFILE_LEAD_ID, NULL);
		ScoredLead *lead = ScoreFind(leads, n, id);

		lead->profile = heap_copytuple(SPI_tuptable->vals[i]);
	}
	SPI_freetuptable(SPI_tuptable);
	return leads;
}

/* Is the lead linked to somebody, so that it can be scored? */
static bool
IsLinked(WorkspaceConfig *config, const ScoredLead *lead)
{
	return lead->profile &&
		(!heap_attisnull(lead->profile, PROFILE_CONTACT_ID, config->profile) ||
		 !heap_attisnull(lead->profile, PROFILE_ACCOUNT_ID, config->profile));
}

/* Add the points of the fit rules that hold */
static void
AddFit(WorkspaceConfig *config, ScoringModel *model, HeapTuple *profiles, int n, double *fit)
{
	PredicateResult *results = palloc(sizeof(PredicateResult) * n);
	char	  **messages = palloc0(sizeof(char *) * n);

	for (int r = 0; r < model->rule_count; r++)
	{
		ScoringRule *rule = &model->rules[r];

		if (rule->condition == NULL)
			continue;
		PredicateEvalMany(rule->condition, profiles, n, results, messages, CurrentMemoryContext);
		for (int i = 0; i < n; i++)
			if (results[i] == PREDICATE_TRUE)
				fit[i] += rule->points;
	}
}

/* Get the points that a model gives for an interaction of a kind */
static double
EventPoints(const ScoringModel *model, const char *kind)
{
	double		points = 0;

	for (int r = 0; r < model->rule_count; r++)
		if (model->rules[r].interaction_kind && strcmp(model->rules[r].interaction_kind, kind) == 0)
			points += model->rules[r].points;
	return points;
}

/* Write scores and see which leads they make sales-ready */
static void
WriteScores(Workspace *ws, ScoringModel *model, const PlanSource *source, Batch *batch,
			ScoredLead *leads, int n)
{
	int			written;

	if (batch->rows == 0)
		return;
	written = BatchExecute(ws, source, batch);
	for (int i = 0; i < written; i++)
	{
		ScoredLead *lead = ScoreFind(leads, n, ResultInt64(i, 1, NULL));
		double		score = ResultDouble(i, 2);

		if (score >= model->threshold && lead->ready_by == NULL)
			lead->ready_by = model;
	}
	SPI_freetuptable(SPI_tuptable);
}

/* Score the wanted leads in every active model, counting new interactions */
void
ScoreLeads(Workspace *ws, WorkspaceConfig *config, ScoredLead *leads, int n,
		   const ScoreEvent *events, int event_count)
{
	HeapTuple  *profiles = palloc(sizeof(HeapTuple) * Max(n, 1));
	ScoredLead **linked = palloc(sizeof(ScoredLead *) * Max(n, 1));
	double	   *fit = palloc(sizeof(double) * Max(n, 1));
	double	   *engagement = palloc(sizeof(double) * Max(n, 1));
	int			count = 0;

	for (int i = 0; i < n; i++)
		if (leads[i].is_wanted && IsLinked(config, &leads[i]))
		{
			profiles[count] = leads[i].profile;
			linked[count++] = &leads[i];
		}
	for (int m = 0; m < config->model_count && count > 0; m++)
	{
		ScoringModel *model = &config->models[m];
		Batch	   *first = BatchCreate(first_scores.args, first_scores.nargs, count);
		Batch	   *next = BatchCreate(next_scores.args, next_scores.nargs, count);

		memset(fit, 0, sizeof(double) * count);
		memset(engagement, 0, sizeof(double) * n);
		AddFit(config, model, profiles, count, fit);
		for (int e = 0; e < event_count; e++)
		{
			ScoredLead *lead = ScoreFind(leads, n, events[e].lead_id);

			if (lead)
				engagement[lead - leads] += EventPoints(model, events[e].kind);
		}
		for (int i = 0; i < count; i++)
		{
			Batch	   *batch = linked[i]->is_new ? first : next;

			BatchSet(batch, 0, Int64GetDatum(linked[i]->lead_id));
			BatchSetText(batch, 1, model->name);
			BatchSet(batch, 2, Float8GetDatum(fit[i]));
			BatchSet(batch, 3, Float8GetDatum(engagement[linked[i] - leads]));
			BatchNext(batch);
			linked[i]->is_scored = true;
		}
		WriteScores(ws, model, &first_scores, first, leads, n);
		WriteScores(ws, model, &next_scores, next, leads, n);
	}
}
