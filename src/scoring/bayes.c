/*
 * Naive Bayes that learns from every lead that is won or lost.
 *
 * How often each value of each feature was seen among won and among lost leads
 * is counted by team; a count is kept in as many rows as there are sessions
 * that changed it, so that none waits for another.  What a lead added is kept
 * with it, and is what is taken away again when the lead is reopened.
 *
 * What was read of the counts is kept until they change, which a trigger on
 * them tells every session by an invalidation of their relation.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "learning/logistic.h"
#include "miscadmin.h"
#include "scoring/learned.h"
#include "storage/backendid.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/inval.h"
#include "utils/memutils.h"

/* The variable that stages are counted under */
#define STAGE_VARIABLE "stage"

/* The team that stands for all together */
#define ALL_TEAMS (-1)

/* Tags count from this many cases on */
#define TAG_CASES 50

/* Odds are kept within these, 0.01 % to 99.99 % */
#define LEAST_PROBABILITY 0.0001

/* Rows that sessions share a count over */
#define COUNT_SLOTS 64

/* Each outcome of each value counts a tenth of a lead from the start */
static const PlanSource read_counts = {
	"WITH t AS (SELECT c.team_id, c.variable, c.value, pg_catalog.sum(c.won) AS won, pg_catalog.sum(c.lost) AS lost"
	" FROM @workspace@.scoring_count c WHERE c.model = $1 GROUP BY c.team_id, c.variable, c.value"
	" HAVING pg_catalog.sum(c.won) > 0 OR pg_catalog.sum(c.lost) > 0)"
	" SELECT t.variable COLLATE \"C\", t.value COLLATE \"C\", t.team_id, (t.won + 0.1)::pg_catalog.float8,"
	" (t.lost + 0.1)::pg_catalog.float8, (t.won + t.lost)::pg_catalog.float8 FROM t"
	" UNION ALL SELECT t.variable COLLATE \"C\", t.value COLLATE \"C\", -1, pg_catalog.sum(t.won + 0.1)::pg_catalog.float8,"
	" pg_catalog.sum(t.lost + 0.1)::pg_catalog.float8, pg_catalog.sum(t.won + t.lost)::pg_catalog.float8"
	" FROM t GROUP BY t.variable, t.value ORDER BY 1, 2, 3",
	1, {ARG_TEXT}
};

#define COUNT_CONFLICT \
	" ON CONFLICT (model, team_id, variable, value, slot)" \
	" DO UPDATE SET won = c.won + EXCLUDED.won, lost = c.lost + EXCLUDED.lost"

static const PlanSource learn = {
	"WITH o AS (INSERT INTO @workspace@.scoring_outcome (model, lead_id, team_id, is_won, variables, value_texts)"
	" VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (model, lead_id) DO NOTHING"
	" RETURNING model, team_id, is_won, variables, value_texts)"
	" INSERT INTO @workspace@.scoring_count AS c (model, team_id, variable, value, slot, won, lost)"
	" SELECT o.model, o.team_id, v.variable, v.value, $7, o.is_won::pg_catalog.int4, (NOT o.is_won)::pg_catalog.int4"
	" FROM o CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(o.variables), pg_catalog.unnest(o.value_texts)) AS v (variable, value)"
	" ORDER BY 1, 2, 3, 4" COUNT_CONFLICT,
	7, {ARG_TEXT, ARG_INT8, ARG_INT8, ARG_BOOL, ARG_TEXTS, ARG_TEXTS, ARG_INT8}
};

static const PlanSource forget = {
	"WITH o AS (DELETE FROM @workspace@.scoring_outcome d WHERE d.lead_id = $1"
	" RETURNING d.model, d.team_id, d.is_won, d.variables, d.value_texts)"
	" INSERT INTO @workspace@.scoring_count AS c (model, team_id, variable, value, slot, won, lost)"
	" SELECT o.model, o.team_id, v.variable, v.value, $2, - o.is_won::pg_catalog.int4, - (NOT o.is_won)::pg_catalog.int4"
	" FROM o CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(o.variables), pg_catalog.unnest(o.value_texts)) AS v (variable, value)"
	" ORDER BY 1, 2, 3, 4" COUNT_CONFLICT,
	2, {ARG_INT8, ARG_INT8}
};

static const PlanSource set_score = {
	"UPDATE @workspace@.score s SET fit = $3::pg_catalog.float8, scored_at = pg_catalog.now() WHERE s.lead_id = $1 AND s.model = $2",
	3, {ARG_INT8, ARG_TEXT, ARG_TEXT}
};

/* How often a value was seen, a tenth added for each outcome */
typedef struct BayesCount
{
	char	   *variable;
	char	   *value;
	int64		team_id;
	double		won;
	double		lost;
	double		cases;
} BayesCount;

/* What was counted of the values of a variable in a team */
typedef struct BayesTotal
{
	double		won;
	double		lost;
} BayesTotal;

typedef struct Bayes
{
	const ScoringModel *model;
	MemoryContext context;		/* of what follows; NULL until it is read */
	uint64		version;		/* of the counts that were read */
	int			count;
	BayesCount *counts;			/* by variable, value and team */
	int			team_count;
	int64	   *teams;
	BayesTotal *totals;			/* by team, then by feature */
} Bayes;

/* Order counts as they are read */
static int
CompareCounts(const void *a, const void *b)
{
	const BayesCount *left = a;
	const BayesCount *right = b;
	int			order = strcmp(left->variable, right->variable);

	if (order == 0)
		order = strcmp(left->value, right->value);
	if (order == 0)
		order = left->team_id < right->team_id ? -1 : left->team_id > right->team_id;
	return order;
}

/* Find a count */
static BayesCount *
FindCount(const Bayes *bayes, const char *variable, const char *value, int64 team_id)
{
	BayesCount	key = {(char *) variable, (char *) value, team_id};

	return bsearch(&key, bayes->counts, bayes->count, sizeof(BayesCount), CompareCounts);
}

/* Find a team that something was counted in, -1 for one that is not known */
static int
FindTeam(const Bayes *bayes, int64 team_id)
{
	for (int t = 0; t < bayes->team_count; t++)
		if (bayes->teams[t] == team_id)
			return t;
	return -1;
}

/* Does a value of a feature count? */
static bool
Counts(const ScoringFeature *feature, const BayesCount *count)
{
	return !feature->is_tags || count->cases >= TAG_CASES;
}

/* Make room for what a model has counted, with nothing read, in its configuration */
Bayes *
BayesCreate(const ScoringModel *model)
{
	Bayes	   *bayes = palloc0(sizeof(Bayes));

	bayes->model = model;
	return bayes;
}

/* Get the counts of a model, reading them where they are not those last read */
static const Bayes *
LoadCounts(Workspace *ws, const ScoringModel *model)
{
	Bayes	   *bayes = model->bayes;
	uint64		version = ws->counts_version;
	Datum		name = CStringGetTextDatum(model->name);
	MemoryContext context;
	MemoryContext old;

	if (bayes->context && bayes->version == version)
		return bayes;
	if (bayes->context)
		MemoryContextDelete(bayes->context);
	*bayes = (Bayes) {
		.model = model
	};
	context = AllocSetContextCreate(CurrentMemoryContext, "lead_mgmt naive Bayes", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	bayes->count = WorkspaceExecute(ws, &read_counts, &name, NULL);
	bayes->counts = palloc_extended(sizeof(BayesCount) * Max(bayes->count, 1), MCXT_ALLOC_HUGE);
	bayes->teams = palloc(sizeof(int64) * (bayes->count + 1));
	for (int i = 0; i < bayes->count; i++)
	{
		bayes->counts[i] = (BayesCount) {
			ResultText(i, 1), ResultText(i, 2), ResultInt64(i, 3, NULL), ResultDouble(i, 4), ResultDouble(i, 5),
			ResultDouble(i, 6)
		};
		if (FindTeam(bayes, bayes->counts[i].team_id) < 0)
			bayes->teams[bayes->team_count++] = bayes->counts[i].team_id;
	}
	SPI_freetuptable(SPI_tuptable);
	bayes->totals = palloc0(sizeof(BayesTotal) * Max(bayes->team_count * model->feature_count, 1));
	for (int i = 0; i < bayes->count; i++)
	{
		const BayesCount *count = &bayes->counts[i];
		BayesTotal *totals = bayes->totals + FindTeam(bayes, count->team_id) * (int64) model->feature_count;

		for (int f = 0; f < model->feature_count; f++)
			if (strcmp(model->features[f].name, count->variable) == 0 && Counts(&model->features[f], count))
			{
				totals[f].won += count->won;
				totals[f].lost += count->lost;
			}
	}
	MemoryContextSwitchTo(old);
	MemoryContextSetParent(context, GetMemoryChunkContext(bayes));
	bayes->context = context;
	/* an old snapshot may not see what it was told of: no other transaction goes by it */
	bayes->version = IsolationUsesXactSnapshot() ? 0 : version;
	return bayes;
}

/* Get a text column of a profile, NULL when it is null */
static char *
ProfileText(const WorkspaceConfig *config, HeapTuple profile, int column)
{
	bool		isnull;
	Datum		value = heap_getattr(profile, column, config->profile, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/* Get the team of a lead, 0 for none */
static int64
TeamOf(const WorkspaceConfig *config, HeapTuple profile)
{
	bool		isnull;
	Datum		value = heap_getattr(profile, SPI_fnumber(config->profile, "team_id"), config->profile, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

/* Name a stage among the counts */
static char *
StageValue(const Pipeline *pipeline, int stage)
{
	return psprintf("%s/%s", pipeline->name, pipeline->stages[stage].name);
}

/* Note a factor of the odds; returns it */
static double
AddPart(List **parts, const char *part, const char *feature, const char *level, double logit, int place,
		const char *problem)
{
	LearnedPart *made;

	if (parts == NULL)
		return logit;
	made = palloc0(sizeof(LearnedPart));
	made->part = part;
	made->feature = feature;
	made->level = level ? pstrdup(level) : NULL;
	made->logit = logit;
	made->problem = problem;
	made->place = place;
	*parts = lappend(*parts, made);
	return logit;
}

/* Get the score of a lead from its stage and its values */
static double
ScoreOne(const Bayes *bayes, const Pipeline *pipeline, int stage, int64 team_id, const LearnedValue *values, List **parts)
{
	const ScoringModel *model = bayes->model;
	int			team = FindTeam(bayes, team_id);
	const BayesTotal *totals;
	BayesCount *first;
	BayesCount *count;
	double		logit;
	double		probability;

	if (pipeline == NULL || stage < 0 || pipeline->entry < 0)
	{
		AddPart(parts, "prior", "no stage", NULL, -INFINITY, -1, NULL);
		return 0;
	}
	if (pipeline->stages[stage].kind == STAGE_WON || pipeline->stages[stage].kind == STAGE_LOST)
	{
		bool		won = pipeline->stages[stage].kind == STAGE_WON;

		AddPart(parts, "outcome", won ? "won" : "lost", NULL, won ? INFINITY : -INFINITY, -1, NULL);
		return won ? 100 : 0;
	}
	/* a team that has no outcomes yet, and a lead without, go by those of all */
	if (team < 0 || team_id == 0)
		team = FindTeam(bayes, team_id = ALL_TEAMS);
	first = FindCount(bayes, STAGE_VARIABLE, StageValue(pipeline, pipeline->entry), team_id);
	if (first == NULL)
		return NAN;
	totals = bayes->totals + team * (int64) model->feature_count;
	logit = AddPart(parts, "prior", "won and lost leads", NULL, log(first->won / first->lost), -1, NULL);
	count = FindCount(bayes, STAGE_VARIABLE, StageValue(pipeline, stage), team_id);
	if (count)
		logit += AddPart(parts, "feature", STAGE_VARIABLE, pipeline->stages[stage].name,
						 log(count->won / first->won) - log(count->lost / first->lost), -1, NULL);
	for (int f = 0; f < model->feature_count; f++)
	{
		const ScoringFeature *feature = &model->features[f];
		char	   *single[1] = {values[f].text};
		char	  **texts = single;
		int			n = values[f].isnull ? 0 : 1;

		if (values[f].problem)
			AddPart(parts, "feature", feature->name, NULL, 0, f, values[f].problem);
		if (n && feature->is_tags)
			texts = LearnedTags(values[f].text, &n);
		for (int t = 0; t < n; t++)
		{
			count = FindCount(bayes, feature->name, texts[t], team_id);
			if (count && Counts(feature, count))
				logit += AddPart(parts, "feature", feature->name, texts[t],
								 log(count->won / totals[f].won) - log(count->lost / totals[f].lost), f, NULL);
		}
	}
	probability = LogisticProbability(logit);
	if (probability < LEAST_PROBABILITY || probability > 1 - LEAST_PROBABILITY)
	{
		probability = Min(Max(probability, LEAST_PROBABILITY), 1 - LEAST_PROBABILITY);
		AddPart(parts, "limit", "0.01 to 99.99 %", NULL, log(probability) - log1p(-probability) - logit, -1, NULL);
	}
	return 100 * probability;
}

/* Get the scores that naive Bayes gives leads, in per cent, and optionally the parts of each */
void
BayesScore(Workspace *ws, WorkspaceConfig *config, const ScoringModel *model, HeapTuple *profiles, int n,
		   double *scores, List **parts)
{
	LearnedValue *values = LearnedValues(model, profiles, n);
	const Bayes *bayes = LoadCounts(ws, model);

	for (int i = 0; i < n; i++)
	{
		char	   *name = ProfileText(config, profiles[i], PROFILE_PIPELINE);
		char	   *stage = ProfileText(config, profiles[i], PROFILE_STAGE);
		Pipeline   *pipeline = name ? ConfigPipeline(config, name) : NULL;

		scores[i] = ScoreOne(bayes, pipeline, pipeline && stage ? PipelineStage(pipeline, stage) : -1,
							 TeamOf(config, profiles[i]), values + i * (int64) model->feature_count,
							 parts ? &parts[i] : NULL);
	}
}

/* Texts for an array argument */
typedef struct Texts
{
	int			count;
	int			capacity;
	Datum	   *values;
} Texts;

/* Add a text */
static void
AddText(Texts *texts, const char *text)
{
	if (texts->count == texts->capacity)
	{
		texts->capacity = Max(texts->capacity * 2, 32);
		texts->values = texts->values ? repalloc(texts->values, sizeof(Datum) * texts->capacity) :
			palloc(sizeof(Datum) * texts->capacity);
	}
	texts->values[texts->count++] = CStringGetTextDatum(text);
}

/* Make an array of texts */
static Datum
TextsArray(const Texts *texts)
{
	return PointerGetDatum(construct_array(texts->values, texts->count, TEXTOID, -1, false, TYPALIGN_INT));
}

/* A lead that was won or lost */
typedef struct Outcome
{
	int64		lead_id;
	bool		was_closed;
	bool		is_closed;
	bool		is_won;
	bool		is_deleted;
	char	   *stage_before;	/* NULL when it is not known */
} Outcome;

/* Collect what a lead adds to the counts of a model */
static void
CollectValues(const ScoringModel *model, const Pipeline *pipeline, const Outcome *outcome, const LearnedValue *values,
			  Texts *variables, Texts *texts)
{
	int			own = outcome->stage_before ? PipelineStage(pipeline, outcome->stage_before) : -1;

	if (own < 0 || pipeline->stages[own].kind == STAGE_WON || pipeline->stages[own].kind == STAGE_LOST)
		own = pipeline->entry;
	for (int s = 0; s < pipeline->stage_count; s++)
	{
		const Stage *stage = &pipeline->stages[s];

		if (stage->kind == STAGE_LOST ||
			(!outcome->is_won && (stage->kind == STAGE_WON ||
								  (own >= 0 && stage->sequence > pipeline->stages[own].sequence))))
			continue;
		AddText(variables, STAGE_VARIABLE);
		AddText(texts, StageValue(pipeline, s));
	}
	for (int f = 0; f < model->feature_count; f++)
	{
		char	   *single[1] = {values[f].text};
		char	  **found = single;
		int			n = values[f].isnull ? 0 : 1;

		if (n && model->features[f].is_tags)
			found = LearnedTags(values[f].text, &n);
		for (int t = 0; t < n; t++)
		{
			AddText(variables, model->features[f].name);
			AddText(texts, found[t]);
		}
	}
}

/* Bring the score of a lead up to date with its outcome: 100 when it was won, 0 when it was lost */
static void
SetScore(Workspace *ws, WorkspaceConfig *config, const ScoringModel *model, ScoredLead *lead)
{
	Datum		values[3];
	double		score;

	BayesScore(ws, config, model, &lead->profile, 1, &score, NULL);
	if (isnan(score))
		return;
	values[0] = Int64GetDatum(lead->lead_id);
	values[1] = CStringGetTextDatum(model->name);
	values[2] = CStringGetTextDatum(psprintf("%.17g", score));
	WorkspaceExecute(ws, &set_score, values, NULL);
}

/* Add a lead to the counts of every model that learns so if it was won or lost, and score it */
static void
LearnLead(Workspace *ws, WorkspaceConfig *config, Outcome *outcome, Datum slot)
{
	ScoredLead *lead = ScoreLoad(ws, config, &outcome->lead_id, 1);
	Pipeline   *pipeline;

	if (lead->profile == NULL)
		return;
	pipeline = ConfigPipeline(config, ProfileText(config, lead->profile, PROFILE_PIPELINE));
	if (pipeline == NULL)
		return;
	for (int m = 0; m < config->model_count; m++)
	{
		const ScoringModel *model = &config->models[m];
		Texts		variables = {0};
		Texts		texts = {0};
		Datum		values[7];

		if (model->kind != SCORING_NAIVE_BAYES)
			continue;
		if (!outcome->is_closed)
		{
			SetScore(ws, config, model, lead);
			continue;
		}
		CollectValues(model, pipeline, outcome, LearnedValues(model, &lead->profile, 1), &variables, &texts);
		values[0] = CStringGetTextDatum(model->name);
		values[1] = Int64GetDatum(outcome->lead_id);
		values[2] = Int64GetDatum(TeamOf(config, lead->profile));
		values[3] = BoolGetDatum(outcome->is_won);
		values[4] = TextsArray(&variables);
		values[5] = TextsArray(&texts);
		values[6] = slot;
		WorkspaceExecute(ws, &learn, values, NULL);
		SetScore(ws, config, model, lead);
	}
}

/* Learn from what became of a lead, or forget what became of it */
static void
Learn(Workspace *ws, void *arg)
{
	Outcome    *outcome = arg;
	WorkspaceConfig *config = WorkspaceGetConfig(ws);
	Datum		values[2];

	if (!config->has_bayes_model)
		return;
	SPI_connect();
	values[0] = Int64GetDatum(outcome->lead_id);
	values[1] = Int64GetDatum(MyBackendId % COUNT_SLOTS);
	if (outcome->was_closed)
		WorkspaceExecute(ws, &forget, values, NULL);
	if (!outcome->is_deleted)
		LearnLead(ws, config, outcome, values[1]);
	SPI_finish();
}

/* Is a lead of this row closed, and how? */
static bool
IsClosed(TupleDesc desc, HeapTuple row, bool *is_won)
{
	char	   *status = row ? SPI_getvalue(row, desc, SPI_fnumber(desc, "status")) : NULL;

	if (is_won)
		*is_won = status && strcmp(status, "converted") == 0;
	return status && strcmp(status, "open") != 0;
}

/* Is the status of a lead what it was? */
static bool
SameStatus(TupleDesc desc, HeapTuple before, HeapTuple after)
{
	int			column = SPI_fnumber(desc, "status");
	bool		isnull;

	return datum_image_eq(heap_getattr(before, column, desc, &isnull), heap_getattr(after, column, desc, &isnull),
						  false, -1);
}

PG_FUNCTION_INFO_V1(learn_outcome);
/* Let models learn from a lead that was won, lost, reopened or deleted */
Datum
learn_outcome(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	TupleDesc	desc;
	HeapTuple	before = NULL;
	HeapTuple	after = NULL;
	Outcome		outcome = {0};
	bool		isnull;
	int			level;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigdata->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("learn_outcome must be called as an AFTER row trigger")));
	desc = RelationGetDescr(trigdata->tg_relation);
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
	{
		before = trigdata->tg_trigtuple;
		after = trigdata->tg_newtuple;
		if (SameStatus(desc, before, after))
			return PointerGetDatum(NULL);
	}
	else if (TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
	{
		before = trigdata->tg_trigtuple;
		outcome.is_deleted = true;
	}
	else
		after = trigdata->tg_trigtuple;
	outcome.was_closed = IsClosed(desc, before, NULL);
	outcome.is_closed = IsClosed(desc, after, &outcome.is_won);
	outcome.lead_id = DatumGetInt64(heap_getattr(after ? after : before, SPI_fnumber(desc, "lead_id"), desc, &isnull));
	outcome.stage_before = before ? SPI_getvalue(before, desc, SPI_fnumber(desc, "stage")) : NULL;
	level = WorkspacePin(false);
	WorkspaceRun(WorkspaceOfRelation(trigdata->tg_relation), Learn, &outcome);
	WorkspaceUnpin(level);
	return PointerGetDatum(NULL);
}

PG_FUNCTION_INFO_V1(counts_changed);
/* Tell every session that what naive Bayes has counted in this workspace has changed */
Datum
counts_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_STATEMENT(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("counts_changed must be called as a statement trigger")));
	CacheInvalidateRelcache(trigdata->tg_relation);
	return PointerGetDatum(NULL);
}
