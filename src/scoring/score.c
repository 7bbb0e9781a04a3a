/*
 * Scoring a chunk of leads.
 *
 * A score has two parts.  Fit is the sum of the points of the rules whose
 * condition holds for the lead's profile now, so it is computed afresh.
 * Engagement is heat: the points of new interactions are added to what is
 * there, which cools by itself.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/xact.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "scoring/learned.h"
#include "scoring/scoring.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"

/* For conditions that do not ask for the others, which take their time */
static const PlanSource load_plain_profiles = {
	"SELECT" PROFILE_PLAIN_LIST
	" FROM @workspace@.lead_profile p WHERE p.lead_id = ANY ($1)",
	1, {ARG_INT8S}
};

static const PlanSource load_profiles = {
	"SELECT p.* FROM @workspace@.lead_profile p WHERE p.lead_id = ANY ($1)",
	1, {ARG_INT8S}
};

#define SCORE_ROWS " FROM @rows $1: lead_id, model, fit, engagement, tally@ AS n"
#define SCORE_INSERT \
	"INSERT INTO @workspace@.score AS s (lead_id, model, fit, engagement, tally, scored_at)" \
	" SELECT n.lead_id, n.model, n.fit, n.engagement, n.tally::pg_catalog.float8[], pg_catalog.now()" SCORE_ROWS
#define SCORE_RETURNING \
	" RETURNING s.lead_id, COALESCE(s.override, s.fit + lead_mgmt.heat_at(s.engagement, pg_catalog.now())), s.grade"
#define SCORE_ARGUMENTS 5, {ARG_INT8S, ARG_TEXTS, ARG_FLOAT8S, ARG_HEATS, ARG_TEXTS}

/* Of leads that cannot have a score yet */
static const PlanSource first_scores = {
	SCORE_INSERT SCORE_RETURNING, SCORE_ARGUMENTS
};

/* New interactions are added to those counted before */
static const PlanSource next_scores = {
	"UPDATE @workspace@.score s SET fit = n.fit, engagement = s.engagement OPERATOR(lead_mgmt.+) n.engagement,"
	" tally = n.tally::pg_catalog.float8[], scored_at = pg_catalog.now()" SCORE_ROWS
	" WHERE s.lead_id = n.lead_id AND s.model = n.model" SCORE_RETURNING,
	SCORE_ARGUMENTS
};

/* All interactions were counted */
static const PlanSource whole_scores = {
	SCORE_INSERT " ON CONFLICT (lead_id, model) DO UPDATE SET fit = EXCLUDED.fit, engagement = EXCLUDED.engagement,"
	" tally = EXCLUDED.tally, scored_at = EXCLUDED.scored_at" SCORE_RETURNING,
	SCORE_ARGUMENTS
};

static const PlanSource load_tallies = {
	"SELECT s.lead_id, s.tally FROM @workspace@.score s WHERE s.model = $1 AND s.lead_id = ANY ($2)"
	" ORDER BY s.lead_id FOR NO KEY UPDATE",
	2, {ARG_TEXT, ARG_INT8S}
};

/* The grades that leads are known to have, and how they came to them */
static const PlanSource record_grades = {
	"WITH known AS (UPDATE @workspace@.score s SET grade = n.to_grade"
	" FROM @rows $1: lead_id, model, from_grade, to_grade, score, cause, interaction_id, is_last@ AS n"
	" WHERE s.lead_id = n.lead_id AND s.model = n.model AND n.is_last)"
	" INSERT INTO @workspace@.temperature_change (lead_id, model, from_grade, to_grade, score, cause, interaction_id)"
	" SELECT n.lead_id, n.model, n.from_grade, n.to_grade, n.score, n.cause, n.interaction_id"
	" FROM @rows $1: lead_id, model, from_grade, to_grade, score, cause, interaction_id, is_last@ AS n",
	8, {ARG_INT8S, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_FLOAT8S, ARG_TEXTS, ARG_INT8S, ARG_BOOLS}
};

/* Of a lead that nobody is behind any more, what was set by hand too */
static const PlanSource drop_scores = {
	"WITH gone AS (DELETE FROM @workspace@.score s WHERE s.lead_id = $1 RETURNING s.lead_id, s.model, s.grade)"
	" INSERT INTO @workspace@.temperature_change (lead_id, model, from_grade, score, cause)"
	" SELECT g.lead_id, g.model, g.grade, 0, 'change' FROM gone g WHERE g.grade IS NOT NULL",
	1, {ARG_INT8}
};

/* A lead that is being scored in a model */
typedef struct Work
{
	ScoredLead *lead;
	double		fit;
	Heat	   *engagement;
	ArrayType  *tally;			/* NULL when the model needs none */
	bool		starts_over;
	bool		is_unknown;		/* to a learned model: not scored */
	bool		is_written;
	int64		cause;			/* the last new interaction, 0 for none */
} Work;

/* Order ids */
int
ScoreCompareIds(const void *a, const void *b)
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

	qsort(ids, n, sizeof(int64), ScoreCompareIds);
	for (int i = 0; i < n; i++)
		if (kept == 0 || ids[kept - 1] != ids[i])
			ids[kept++] = ids[i];
	return kept;
}

/* Find a lead among those loaded, which are sorted by id */
ScoredLead *
ScoreFind(ScoredLead *leads, int n, int64 lead_id)
{
	return bsearch(&lead_id, leads, n, sizeof(ScoredLead), ScoreCompareIds);
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
	found = BatchExecute(ws, config->reads_computed ? &load_profiles : &load_plain_profiles, batch);
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
		lead->account_id = ResultInt64(i, PROFILE_ACCOUNT_ID, NULL);
	}
	SPI_freetuptable(SPI_tuptable);
	return leads;
}

/* Is a lead linked to somebody, so that it can be scored? */
bool
ScoreIsLinked(const WorkspaceConfig *config, HeapTuple profile)
{
	return !heap_attisnull(profile, PROFILE_CONTACT_ID, config->profile) ||
		!heap_attisnull(profile, PROFILE_ACCOUNT_ID, config->profile);
}

/* Take the scores of a lead away that is linked to nobody any more */
void
ScoreDrop(Workspace *ws, int64 lead_id)
{
	Datum		value = Int64GetDatum(lead_id);

	WorkspaceExecute(ws, &drop_scores, &value, NULL);
}

/* Add the points of the fit rules that hold */
static void
AddFit(ScoringModel *model, HeapTuple *profiles, Work *work, int n)
{
	PredicateResult *results = palloc(sizeof(PredicateResult) * n);
	char	  **messages = palloc0(sizeof(char *) * n);

	for (int r = 0; r < model->rule_count; r++)
	{
		ScoringRule *rule = &model->rules[r];

		if (!rule->is_fit || rule->condition == NULL)
			continue;
		PredicateEvalMany(rule->condition, profiles, n, results, messages, CurrentMemoryContext);
		for (int i = 0; i < n; i++)
			if (results[i] == PREDICATE_TRUE)
				work[i].fit += rule->points;
	}
}

/* Put the scores of a learned model for fit */
static void
AddLearned(Workspace *ws, WorkspaceConfig *config, ScoringModel *model, HeapTuple *profiles, Work *work, int n)
{
	double	   *scores = palloc(sizeof(double) * n);

	LearnedScore(ws, config, model, profiles, n, scores);
	for (int i = 0; i < n; i++)
	{
		work[i].is_unknown = isnan(scores[i]);
		work[i].fit = work[i].is_unknown ? 0 : scores[i];
	}
	pfree(scores);
}

/* Find the events that count for a lead in a model */
static ScoreEvent **
EventsOf(const ScoringModel *model, const ScoredLead *lead, ScoreEvent **by_lead, ScoreEvent **by_account,
		 int n, int *count)
{
	bool		of_account = model->is_account_based && lead->account_id != 0;

	return ScoreEventsOf(of_account ? by_account : by_lead, n, of_account,
						 of_account ? lead->account_id : lead->lead_id, count);
}

/* Count events for a lead, on top of what the fold holds */
static void
CountEvents(ScoreFold *fold, Work *work, ScoreEvent **events, int n, const ScoreEvent *first,
			const PredicateResult *matches)
{
	for (int e = 0; e < n; e++)
		FoldEvent(fold, events[e],
				  matches ? &matches[(events[e] - first) * (int64) fold->model->rule_count] : NULL);
	work->engagement = FoldHeat(fold);
	work->tally = fold->model->tally_count > 0 ? FoldTally(fold) : NULL;
}

/* Read the tallies of the leads that are scored already, NULL for the others */
static ArrayType **
LoadTallies(Workspace *ws, ScoringModel *model, Work *work, int n)
{
	ArrayType **tallies = palloc0(sizeof(ArrayType *) * n);
	Batch	   *batch = BatchCreate(load_tallies.args + 1, 1, n);
	Datum		values[2];
	int			found;
	int			next = 0;

	for (int i = 0; i < n; i++)
	{
		BatchSet(batch, 0, Int64GetDatum(work[i].lead->lead_id));
		BatchNext(batch);
	}
	values[0] = CStringGetTextDatum(model->name);
	BatchArrays(ws, batch, &values[1]);
	found = WorkspaceExecute(ws, &load_tallies, values, NULL);
	for (int i = 0; i < found; i++)
	{
		int64		id = ResultInt64(i, 1, NULL);
		bool		isnull;
		Datum		tally = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2, &isnull);

		while (work[next].lead->lead_id < id)
			next++;
		if (!isnull)
			tallies[next] = DatumGetArrayTypePCopy(tally);
	}
	SPI_freetuptable(SPI_tuptable);
	return tallies;
}

/*
 * Count the new interactions of leads.  Where interactions arrive that took
 * place before one that limits were applied to, or where there is no tally to
 * go on from, the lead starts over.
 */
static void
CountNew(Workspace *ws, ScoringModel *model, Work *work, int n, ScoreEvent *events, int event_count,
		 ScoreEvent **by_lead, ScoreEvent **by_account)
{
	PredicateResult *matches = ScoreMatch(ws, model, events, event_count);
	ScoreFold  *fold = FoldCreate(model);
	ArrayType **tallies = model->tally_count > 0 ? LoadTallies(ws, model, work, n) : NULL;

	for (int i = 0; i < n; i++)
	{
		int			count;
		ScoreEvent **own = EventsOf(model, work[i].lead, by_lead, by_account, event_count, &count);

		work[i].cause = count > 0 ? own[count - 1]->interaction_id : 0;
		FoldReset(fold);
		if (tallies && tallies[i])
			FoldRestore(fold, tallies[i]);
		if (work[i].lead->starts_over || (model->is_account_based && (work[i].lead->is_new || count == 0)) ||
			(tallies && !work[i].lead->is_new && (tallies[i] == NULL || (count > 0 && own[0]->at <= fold->last_at))))
			work[i].starts_over = true;
		else
			CountEvents(fold, &work[i], own, count, events, matches);
	}
}

/* Count all interactions of leads */
static void
CountAll(Workspace *ws, ScoringModel *model, Work **work, int n)
{
	ScoreFold  *fold = FoldCreate(model);

	for (int of_account = 0; of_account <= 1; of_account++)
	{
		int64	   *owners = palloc(sizeof(int64) * n);
		int			owner_count = 0;
		ScoreEvent *events;
		ScoreEvent **sorted;
		PredicateResult *matches;
		int			event_count;

		for (int i = 0; i < n; i++)
			if ((model->is_account_based && work[i]->lead->account_id != 0) == (of_account == 1))
				owners[owner_count++] = of_account ? work[i]->lead->account_id : work[i]->lead->lead_id;
		if (owner_count == 0)
			continue;
		events = ScoreLoadEvents(ws, of_account, model->reads_interactions, owners,
								 ScoreUniqueIds(owners, owner_count), DT_NOEND, &event_count);
		sorted = ScoreSortEvents(events, event_count, of_account);
		matches = ScoreMatch(ws, model, events, event_count);
		for (int i = 0; i < n; i++)
		{
			ScoreEvent **own;
			int			count;

			if ((model->is_account_based && work[i]->lead->account_id != 0) != (of_account == 1))
				continue;
			CHECK_FOR_INTERRUPTS();
			own = ScoreEventsOf(sorted, event_count, of_account,
								of_account ? work[i]->lead->account_id : work[i]->lead->lead_id, &count);
			FoldReset(fold);
			CountEvents(fold, work[i], own, count, events, matches);
		}
	}
}

/* Order the work on leads by lead */
static int
CompareWork(const void *a, const void *b)
{
	int64		left = ((const Work *) a)->lead->lead_id;
	int64		right = ((const Work *) b)->lead->lead_id;

	return left < right ? -1 : left > right;
}

/* Put a lead's score into a batch */
static void
AddScore(Batch *batch, const ScoringModel *model, const Work *work)
{
	BatchSet(batch, 0, Int64GetDatum(work->lead->lead_id));
	BatchSetText(batch, 1, model->name);
	BatchSet(batch, 2, Float8GetDatum(work->fit));
	BatchSet(batch, 3, PointerGetDatum(work->engagement));
	if (work->tally)
		BatchSetText(batch, 4, OidOutputFunctionCall(F_ARRAY_OUT, PointerGetDatum(work->tally)));
	BatchNext(batch);
}

/* Get the grade of a score, NULL below all of them */
static const char *
GradeOf(const ScoringModel *model, double score)
{
	const char *grade = NULL;

	for (int g = 0; g < model->grade_count && model->grades[g].from <= score; g++)
		grade = model->grades[g].name;
	return grade;
}

/* Are two grades, which may be NULL, the same? */
static bool
SameGrade(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Put a change of grade into a batch */
static void
AddChange(Batch *batch, const ScoringModel *model, const Work *work, const char *from, const char *to, double score,
		  const char *cause, bool is_last)
{
	BatchSet(batch, 0, Int64GetDatum(work->lead->lead_id));
	BatchSetText(batch, 1, model->name);
	BatchSetText(batch, 2, from);
	BatchSetText(batch, 3, to);
	BatchSet(batch, 4, Float8GetDatum(score));
	BatchSetText(batch, 5, cause);
	if (work->cause != 0 && strcmp(cause, "interaction") == 0)
		BatchSet(batch, 6, Int64GetDatum(work->cause));
	BatchSet(batch, 7, BoolGetDatum(is_last));
	BatchNext(batch);
}

/*
 * Note how the grade of a lead changed since it was last noted: that it cooled
 * by itself meanwhile, and what it has come to now.
 */
static void
NoteGrade(Batch *batch, const ScoringModel *model, const Work *work, const char *noted, double score, bool adds)
{
	const char *grade = GradeOf(model, score);
	const char *before = noted;
	double		added = adds ? HeatAt(work->engagement, GetCurrentTransactionStartTimestamp()) : 0;

	if (adds && noted && added > 0)
	{
		const char *cooled = GradeOf(model, score - added);

		if (!SameGrade(cooled, noted))
		{
			AddChange(batch, model, work, noted, cooled, score - added, "cooled", SameGrade(cooled, grade));
			before = cooled;
		}
	}
	if (!SameGrade(before, grade))
		AddChange(batch, model, work, before, grade, score, work->cause != 0 ? "interaction" : "change", true);
}

/* Write scores and see which leads they make sales-ready */
static void
WriteScores(Workspace *ws, ScoringModel *model, const PlanSource *source, Batch *batch, Work *work, int n)
{
	int			written;
	Batch	   *changes;

	if (batch->rows == 0)
		return;
	changes = BatchCreate(record_grades.args, record_grades.nargs, 2 * batch->rows);
	written = BatchExecute(ws, source, batch);
	for (int i = 0; i < written; i++)
	{
		ScoredLead	lead = {.lead_id = ResultInt64(i, 1, NULL)};
		Work		key = {.lead = &lead};
		Work	   *found = bsearch(&key, work, n, sizeof(Work), CompareWork);

		found->is_written = true;
		if (model->grade_count > 0)
			NoteGrade(changes, model, found, ResultText(i, 3), ResultDouble(i, 2), source == &next_scores);
		if (ResultDouble(i, 2) >= model->threshold && found->lead->ready_by == NULL)
			found->lead->ready_by = model;
	}
	SPI_freetuptable(SPI_tuptable);
	if (changes->rows > 0)
		BatchExecute(ws, &record_grades, changes);
}

/*
 * Score linked leads in a model.  One that has no score in it yet may have had
 * interactions before: it starts over.
 */
static void
ScoreInModel(Workspace *ws, WorkspaceConfig *config, ScoringModel *model, HeapTuple *profiles, Work *work, int n,
			 ScoreEvent *events, int event_count, ScoreEvent **by_lead, ScoreEvent **by_account)
{
	Batch	   *first = BatchCreate(first_scores.args, first_scores.nargs, n);
	Batch	   *next = BatchCreate(next_scores.args, next_scores.nargs, n);
	Work	  **over = palloc(sizeof(Work *) * n);
	int			over_count = 0;

	if (model->kind == SCORING_RULES)
		AddFit(model, profiles, work, n);
	else
		AddLearned(ws, config, model, profiles, work, n);
	CountNew(ws, model, work, n, events, event_count, by_lead, by_account);
	for (int i = 0; i < n; i++)
		if (!work[i].starts_over && !work[i].is_unknown)
			AddScore(work[i].lead->is_new ? first : next, model, &work[i]);
	WriteScores(ws, model, &first_scores, first, work, n);
	WriteScores(ws, model, &next_scores, next, work, n);
	for (int i = 0; i < n; i++)
		if (!work[i].is_written && !work[i].is_unknown)
		{
			work[i].lead->starts_over = true;
			over[over_count++] = &work[i];
		}
	if (over_count > 0)
	{
		Batch	   *whole = BatchCreate(whole_scores.args, whole_scores.nargs, over_count);

		CountAll(ws, model, over, over_count);
		for (int i = 0; i < over_count; i++)
			AddScore(whole, model, over[i]);
		WriteScores(ws, model, &whole_scores, whole, work, n);
	}
}

/* Score the wanted leads, which are sorted by id, in every active model, counting new interactions */
void
ScoreLeads(Workspace *ws, WorkspaceConfig *config, ScoredLead *leads, int n,
		   ScoreEvent *events, int event_count)
{
	HeapTuple  *profiles = palloc(sizeof(HeapTuple) * Max(n, 1));
	Work	   *work = palloc(sizeof(Work) * Max(n, 1));
	ScoreEvent **by_lead = ScoreSortEvents(events, event_count, false);
	ScoreEvent **by_account = config->has_account_model ? ScoreSortEvents(events, event_count, true) : NULL;

	for (int m = 0; m < config->active_count; m++)
	{
		int			count = 0;

		for (int i = 0; i < n; i++)
			if (leads[i].is_wanted && leads[i].profile && ScoreIsLinked(config, leads[i].profile))
			{
				leads[i].is_scored = true;
				profiles[count] = leads[i].profile;
				work[count++] = (Work) {
					.lead = &leads[i]
				};
			}
		if (count == 0)
			return;
		ScoreInModel(ws, config, &config->models[m], profiles, work, count, events, event_count, by_lead, by_account);
	}
}
