/*
 * Explaining a score: what each rule of a model gives a lead at a time.
 */
#include "postgres.h"

#include <math.h>

#include "access/sysattr.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "scoring/learned.h"
#include "scoring/scoring.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* Columns of the result */
enum
{
	PART_RULE, PART_NAME, PART_LABEL, PART_POINTS, PART_OCCURRENCES, PART_TOTAL, PART_FIELDS, PART_HALF_LIFE,
	PART_LAST_AT, PART_PROBLEM, PART_ODDS, PART_COLUMNS
};

/* A row of the result */
typedef struct Part
{
	Datum		values[PART_COLUMNS];
	bool		nulls[PART_COLUMNS];
} Part;

/* Set a column of a row */
static void
SetPart(Part *part, int column, Datum value)
{
	part->values[column] = value;
	part->nulls[column] = false;
}

/* Begin the row of a rule */
static Part
BeginPart(const ScoringRule *rule, double points, int64 occurrences, double total)
{
	Part		part;

	memset(part.nulls, true, sizeof(part.nulls));
	SetPart(&part, PART_RULE, Int64GetDatum(rule->id));
	SetPart(&part, PART_NAME, CStringGetTextDatum(rule->is_fit ? "fit" : "engagement"));
	SetPart(&part, PART_LABEL, CStringGetTextDatum(rule->label));
	SetPart(&part, PART_POINTS, Float8GetDatum(points));
	SetPart(&part, PART_OCCURRENCES, Int64GetDatum(occurrences));
	SetPart(&part, PART_TOTAL, Float8GetDatum(total));
	return part;
}

/* Put a row out */
static void
PutPart(FunctionCallInfo fcinfo, Part *part)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	tuplestore_putvalues(result->setResult, result->setDesc, part->values, part->nulls);
}

/* List the columns of the profile that a condition reads */
static Datum
FieldsOf(const WorkspaceConfig *config, CompiledPredicate *condition)
{
	Bitmapset  *columns = PredicateColumns(condition);
	Datum	   *names = palloc(sizeof(Datum) * config->profile->natts);
	int			column = -1;
	int			n = 0;

	while ((column = bms_next_member(columns, column)) >= 0)
		names[n++] = CStringGetTextDatum(SPI_fname(config->profile, column));
	return PointerGetDatum(construct_array(names, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/* Put out what the fit rules give */
static void
ExplainFit(FunctionCallInfo fcinfo, WorkspaceConfig *config, ScoringModel *model, ScoredLead *lead)
{
	for (int r = 0; r < model->rule_count; r++)
	{
		const ScoringRule *rule = &model->rules[r];
		PredicateResult result = PREDICATE_ERROR;
		char	   *problem = rule->broken;
		Part		part;

		if (!rule->is_fit)
			continue;
		if (rule->condition)
			PredicateEvalMany(rule->condition, &lead->profile, 1, &result, &problem, CurrentMemoryContext);
		if (result != PREDICATE_TRUE && result != PREDICATE_ERROR)
			continue;
		part = BeginPart(rule, rule->points, result == PREDICATE_TRUE, result == PREDICATE_TRUE ? rule->points : 0);
		if (rule->condition)
			SetPart(&part, PART_FIELDS, FieldsOf(config, rule->condition));
		if (problem)
			SetPart(&part, PART_PROBLEM, CStringGetTextDatum(problem));
		PutPart(fcinfo, &part);
	}
}

/* Put out what the engagement rules give */
static void
ExplainEngagement(FunctionCallInfo fcinfo, Workspace *ws, ScoringModel *model, ScoredLead *lead, TimestampTz at)
{
	bool		of_account = model->is_account_based && lead->account_id != 0;
	int64		owner = of_account ? lead->account_id : lead->lead_id;
	ScoreFold  *fold = FoldCreate(model);
	ScoreEvent *events;
	ScoreEvent **sorted;
	PredicateResult *matches;
	int			n;

	events = ScoreLoadEvents(ws, of_account, model->reads_interactions, &owner, 1, at, &n);
	sorted = ScoreSortEvents(events, n, of_account);
	matches = ScoreMatch(ws, model, events, n);
	fold->shares = palloc0(sizeof(ScoreShare) * Max(model->rule_count, 1));
	for (int e = 0; e < n; e++)
	{
		CHECK_FOR_INTERRUPTS();
		FoldEvent(fold, sorted[e],
				  matches ? &matches[(sorted[e] - events) * (int64) model->rule_count] : NULL);
	}
	for (int r = 0; r < model->rule_count; r++)
	{
		const ScoringRule *rule = &model->rules[r];
		const ScoreShare *share = &fold->shares[r];
		Part		part;

		if (rule->is_fit || (share->occurrences == 0 && rule->broken == NULL))
			continue;
		part = BeginPart(rule, rule->points, share->occurrences, HeatPartAt(&share->heat, at));
		if (rule->half_life != HEAT_FOREVER)
		{
			Interval   *half_life = palloc0(sizeof(Interval));

			half_life->day = (int32) (rule->half_life / USECS_PER_DAY);
			half_life->time = rule->half_life % USECS_PER_DAY;
			SetPart(&part, PART_HALF_LIFE, IntervalPGetDatum(half_life));
		}
		if (share->occurrences > 0)
			SetPart(&part, PART_LAST_AT, TimestampTzGetDatum(share->last_at));
		if (rule->broken)
			SetPart(&part, PART_PROBLEM, CStringGetTextDatum(rule->broken));
		PutPart(fcinfo, &part);
	}
}

/* Put out what a learned model makes of a lead: factors of the odds */
static void
ExplainLearned(FunctionCallInfo fcinfo, Workspace *ws, WorkspaceConfig *config, ScoringModel *model, ScoredLead *lead)
{
	List	   *parts = LearnedParts(ws, config, model, lead->profile);
	ListCell   *lc;

	foreach(lc, parts)
	{
		LearnedPart *learned = lfirst(lc);
		Part		part;

		memset(part.nulls, true, sizeof(part.nulls));
		SetPart(&part, PART_NAME, CStringGetTextDatum(learned->part));
		SetPart(&part, PART_LABEL, CStringGetTextDatum(learned->level ?
													   psprintf("%s: %s", learned->feature, learned->level) : learned->feature));
		SetPart(&part, PART_POINTS, Float8GetDatum(learned->logit));
		SetPart(&part, PART_TOTAL, Float8GetDatum(learned->logit));
		SetPart(&part, PART_ODDS, Float8GetDatum(exp(learned->logit)));
		if (learned->place >= 0 && model->features[learned->place].value)
			SetPart(&part, PART_FIELDS, FieldsOf(config, model->features[learned->place].value));
		if (learned->problem)
			SetPart(&part, PART_PROBLEM, CStringGetTextDatum(learned->problem));
		PutPart(fcinfo, &part);
	}
	if (parts == NIL)
	{
		Part		part;

		memset(part.nulls, true, sizeof(part.nulls));
		SetPart(&part, PART_NAME, CStringGetTextDatum("unscored"));
		SetPart(&part, PART_LABEL, CStringGetTextDatum("Not scored"));
		SetPart(&part, PART_PROBLEM, CStringGetTextDatum("nothing was learned yet"));
		PutPart(fcinfo, &part);
	}
}

PG_FUNCTION_INFO_V1(score_parts);
/* Get what each rule of a model gives a lead at a time */
Datum
score_parts(PG_FUNCTION_ARGS)
{
	int64		lead_id = PG_GETARG_INT64(1);
	TimestampTz at = PG_GETARG_TIMESTAMPTZ(3);
	Workspace  *ws;
	WorkspaceConfig *config;
	ScoringModel *model;
	ScoredLead *lead;

	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	model = ScoreGetModel(PG_GETARG_OID(0), text_to_cstring(PG_GETARG_TEXT_PP(2)), &ws, &config);
	lead = ScoreLoad(ws, config, &lead_id, 1);
	if (lead->profile && ScoreIsLinked(config, lead->profile) && model->kind != SCORING_RULES)
		ExplainLearned(fcinfo, ws, config, model, lead);
	else if (lead->profile && ScoreIsLinked(config, lead->profile))
	{
		ExplainFit(fcinfo, config, model, lead);
		ExplainEngagement(fcinfo, ws, model, lead, at);
	}
	else if (lead->profile)
	{
		Part		part;

		memset(part.nulls, true, sizeof(part.nulls));
		SetPart(&part, PART_NAME, CStringGetTextDatum("unscored"));
		SetPart(&part, PART_LABEL, CStringGetTextDatum("Not scored"));
		SetPart(&part, PART_PROBLEM, CStringGetTextDatum("not linked to a contact or account"));
		PutPart(fcinfo, &part);
	}
	SPI_finish();
	return (Datum) 0;
}
