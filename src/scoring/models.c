/*
 * Reading the scoring models of a workspace.
 */
#include "postgres.h"

#include <math.h>

#include "commands/trigger.h"
#include "scoring/heat.h"
#include "scoring/learned.h"
#include "scoring/scoring.h"
#include "utils/builtins.h"
#include "utils/float.h"

static const PlanSource read_models = {
	"SELECT m.model, m.sales_ready_threshold, m.is_active, m.account_based, m.keeps_ready, m.kind"
	" FROM @workspace@.scoring_model m ORDER BY m.is_active DESC, m.model = 'default' DESC, m.model"
};

static const PlanSource read_groups = {
	"SELECT g.model, g.scoring_group_id, g.scoring_group, g.maximum_points, g.maximum_points_per_day"
	" FROM @workspace@.scoring_group g ORDER BY g.scoring_group_id"
};

static const PlanSource read_rules = {
	"SELECT r.model, r.scoring_rule_id, r.label, r.points, r.condition::pg_catalog.text,"
	" r.interaction_condition::pg_catalog.text, r.interaction_kind, r.at_least,"
	" COALESCE(r.half_life, m.half_life), r.maximum_points, r.maximum_points_per_day, r.scoring_group,"
	" COALESCE(r.active_from, '-infinity'), COALESCE(r.active_until, 'infinity')"
	" FROM @workspace@.scoring_rule r JOIN @workspace@.scoring_model m ON m.model = r.model"
	" WHERE r.is_active AND m.kind = 'rules' ORDER BY r.scoring_rule_id"
};

static const PlanSource read_grades = {
	"SELECT g.model, g.grade, g.from_score FROM @workspace@.scoring_grade g ORDER BY g.model, g.from_score"
};

static const PlanSource many_half_lives = {
	"SELECT c.model, c.half_lives FROM (SELECT r.model, pg_catalog.count(DISTINCT r.half_life)"
	" + (pg_catalog.count(*) > pg_catalog.count(r.half_life))::pg_catalog.int4 AS half_lives"
	" FROM @workspace@.scoring_rule r WHERE r.is_active AND r.condition IS NULL GROUP BY r.model) c"
	" WHERE c.half_lives > " CppAsString2(HEAT_MAX_PARTS) " ORDER BY c.model LIMIT 1"
};

/* Find a model */
ScoringModel *
ScoreFindModel(const WorkspaceConfig *config, const char *name)
{
	for (int m = 0; m < config->model_count; m++)
		if (strcmp(config->models[m].name, name) == 0)
			return &config->models[m];
	return NULL;
}

/* Get a column that is a limit, infinity when it is null */
static double
ResultLimit(uint64 row, int column)
{
	bool		isnull;
	Datum		value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &isnull);

	return isnull ? get_float8_infinity() : DatumGetFloat8(value);
}

/* Read the grades */
static void
LoadGrades(Workspace *ws, WorkspaceConfig *config)
{
	int			n = WorkspaceExecute(ws, &read_grades, NULL, NULL);

	for (int i = 0; i < n; i++)
	{
		ScoringModel *model = ScoreFindModel(config, ResultText(i, 1));

		if (model->grades == NULL)
			model->grades = palloc(sizeof(ScoringGrade) * n);
		model->grades[model->grade_count].name = ResultText(i, 2);
		model->grades[model->grade_count++].from = ResultDouble(i, 3);
	}
	SPI_freetuptable(SPI_tuptable);
}

/* Read the groups of rules that share a limit */
static void
LoadGroups(Workspace *ws, WorkspaceConfig *config)
{
	int			n = WorkspaceExecute(ws, &read_groups, NULL, NULL);

	for (int i = 0; i < n; i++)
	{
		ScoringModel *model = ScoreFindModel(config, ResultText(i, 1));
		ScoringGroup *group;

		if (model->groups == NULL)
			model->groups = palloc0(sizeof(ScoringGroup) * n);
		group = &model->groups[model->group_count++];
		group->id = ResultInt64(i, 2, NULL);
		group->name = ResultText(i, 3);
		group->maximum = ResultLimit(i, 4);
		group->daily_maximum = ResultLimit(i, 5);
		group->tally = -1;
	}
	SPI_freetuptable(SPI_tuptable);
}

/* Give a rule or group that counts something a place among the tallies */
static int
AddTally(ScoringModel *model, int64 key)
{
	model->tally_keys[model->tally_count] = key;
	return model->tally_count++;
}

/* Prepare what the engagement rule just read needs when it is evaluated */
static void
PlaceRule(ScoringModel *model, ScoringRule *rule, const char *group)
{
	rule->group = -1;
	for (int g = 0; group && g < model->group_count; g++)
		if (strcmp(model->groups[g].name, group) == 0)
			rule->group = g;
	rule->tally = -1;
	if (rule->is_fit)
		return;
	if (rule->at_least > 0 || !isinf(rule->maximum) || !isinf(rule->daily_maximum))
		rule->tally = AddTally(model, rule->id);
	if (rule->group >= 0 && model->groups[rule->group].tally < 0)
		model->groups[rule->group].tally = AddTally(model, -model->groups[rule->group].id);
	while (rule->part < model->part_count && model->half_lives[rule->part] != rule->half_life)
		rule->part++;
	if (rule->part == model->part_count)
		model->half_lives[model->part_count++] = rule->half_life;
}

/* Read the rules */
static void
LoadRules(Workspace *ws, WorkspaceConfig *config)
{
	int			n = WorkspaceExecute(ws, &read_rules, NULL, NULL);
	SPITupleTable *result = SPI_tuptable;

	for (int i = 0; i < n; i++)
	{
		ScoringModel *model;
		ScoringRule *rule;
		char	   *group;
		bool		isnull;
		Datum		half_life;

		SPI_tuptable = result;
		model = ScoreFindModel(config, ResultText(i, 1));
		if (model->rules == NULL)
		{
			model->rules = palloc0(sizeof(ScoringRule) * n);
			model->half_lives = palloc(sizeof(int64) * n);
			model->tally_keys = palloc(sizeof(int64) * (n + model->group_count));
		}
		rule = &model->rules[model->rule_count++];
		rule->id = ResultInt64(i, 2, NULL);
		rule->label = ResultText(i, 3);
		rule->points = ResultDouble(i, 4);
		rule->source = ResultText(i, 5);
		rule->is_fit = rule->source != NULL;
		if (rule->source == NULL)
			rule->source = ResultText(i, 6);
		rule->interaction_kind = ResultText(i, 7);
		(void) SPI_getbinval(result->vals[i], result->tupdesc, 8, &isnull);
		rule->at_least = isnull ? 0 : ResultInt(i, 8);
		half_life = SPI_getbinval(result->vals[i], result->tupdesc, 9, &isnull);
		rule->half_life = isnull ? HEAT_FOREVER : HeatHalfLife(DatumGetIntervalP(half_life));
		rule->maximum = ResultLimit(i, 10);
		rule->daily_maximum = ResultLimit(i, 11);
		group = ResultText(i, 12);
		rule->from = ResultTimestamp(i, 13);
		rule->until = ResultTimestamp(i, 14);
		if (rule->source)
			rule->condition = ConfigCompile(config, rule->is_fit ? config->profile : config->interaction,
											"scoring rule", rule->label, rule->source, &rule->broken);
		model->reads_interactions |= !rule->is_fit && rule->condition != NULL;
		PlaceRule(model, rule, group);
	}
	SPI_freetuptable(result);
}

/* Read the scoring models with their rules into the configuration */
void
ConfigLoadModels(Workspace *ws, WorkspaceConfig *config)
{
	int			n = WorkspaceExecute(ws, &read_models, NULL, NULL);

	config->models = palloc0(sizeof(ScoringModel) * Max(n, 1));
	config->model_count = n;
	for (int i = 0; i < n; i++)
	{
		ScoringModel *model = &config->models[i];
		char	   *kind;

		model->name = ResultText(i, 1);
		model->threshold = ResultDouble(i, 2);
		model->is_active = ResultBool(i, 3);
		model->is_account_based = ResultBool(i, 4);
		model->keeps_ready = ResultBool(i, 5);
		kind = ResultText(i, 6);
		model->kind = strcmp(kind, "logistic") == 0 ? SCORING_LOGISTIC :
			strcmp(kind, "naive_bayes") == 0 ? SCORING_NAIVE_BAYES : SCORING_RULES;
		config->has_bayes_model |= model->kind == SCORING_NAIVE_BAYES;
		config->active_count += model->is_active;
		config->has_account_model |= model->is_active && model->is_account_based;
	}
	SPI_freetuptable(SPI_tuptable);
	LoadGroups(ws, config);
	LoadRules(ws, config);
	LoadGrades(ws, config);
	LearnedLoad(ws, config);
}

PG_FUNCTION_INFO_V1(guard_half_lives);
/* Refuse a model whose rules have more half-lives than a heat can hold */
Datum
guard_half_lives(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Workspace  *ws;
	WorkspaceRights rights;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigdata->tg_event) ||
		!TRIGGER_FIRED_FOR_STATEMENT(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("guard_half_lives must be called as an AFTER statement trigger")));
	ws = WorkspaceOfRelation(trigdata->tg_relation);
	SPI_connect();
	WorkspaceEnter(ws, &rights);
	if (WorkspaceExecute(ws, &many_half_lives, NULL, NULL) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("rules of scoring model \"%s\" have " INT64_FORMAT " half-lives, of at most %d",
						ResultText(0, 1), ResultInt64(0, 2, NULL), HEAT_MAX_PARTS),
				 errhint("Give some of them the same half-life.")));
	WorkspaceLeave(&rights);
	SPI_finish();
	return PointerGetDatum(NULL);
}
