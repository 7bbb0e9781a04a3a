/*
 * Scoring leads by learned models.
 *
 * A learned model scores by what its features are now: expressions over the
 * profile, compiled and checked as conditions are.  The score is the
 * probability to win in per cent, kept where rules keep their points for fit.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "common/shortest_dec.h"
#include "funcapi.h"
#include "learning/logistic.h"
#include "miscadmin.h"
#include "scoring/learned.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

/* Leads whose profiles are in memory at a time */
#define VALUES_CHUNK 2000

static const PlanSource read_features = {
	"SELECT f.model, f.scoring_feature_id, f.feature, f.expression, f.kind"
	" FROM @workspace@.scoring_feature f ORDER BY f.scoring_feature_id"
};

static const PlanSource read_trainings = {
	"SELECT m.model, t.definition FROM @workspace@.scoring_model m"
	" JOIN @workspace@.scoring_training t ON t.scoring_training_id = m.scoring_training_id"
	" WHERE m.kind = 'logistic' AND t.definition IS NOT NULL"
};

/* Read the features of models */
static void
LoadFeatures(Workspace *ws, WorkspaceConfig *config)
{
	int			n = WorkspaceExecute(ws, &read_features, NULL, NULL);
	SPITupleTable *result = SPI_tuptable;

	for (int i = 0; i < n; i++)
	{
		ScoringModel *model;
		ScoringFeature *feature;
		char	   *kind;
		char	   *expression;

		SPI_tuptable = result;
		model = ScoreFindModel(config, ResultText(i, 1));
		if (model->features == NULL)
			model->features = palloc0(sizeof(ScoringFeature) * n);
		feature = &model->features[model->feature_count++];
		feature->id = ResultInt64(i, 2, NULL);
		feature->name = ResultText(i, 3);
		expression = ResultText(i, 4);
		kind = ResultText(i, 5);
		feature->is_tags = strcmp(kind, "tags") == 0;
		feature->is_number = strcmp(kind, "bins") == 0 || strcmp(kind, "numeric") == 0;
		feature->value = ConfigCompileValue(config, "feature", feature->name, expression,
											feature->is_tags ? JSONBOID : feature->is_number ? FLOAT8OID : TEXTOID,
											&feature->broken);
	}
	SPI_freetuptable(result);
}

/* Find the place of a feature in its model, -1 when it is gone */
static int
FindFeature(const ScoringModel *model, const char *name)
{
	for (int f = 0; f < model->feature_count; f++)
		if (strcmp(model->features[f].name, name) == 0)
			return f;
	return -1;
}

/* Read the features of models and what was learned of them */
void
LearnedLoad(Workspace *ws, WorkspaceConfig *config)
{
	int			n;

	LoadFeatures(ws, config);
	for (int m = 0; m < config->model_count; m++)
		if (config->models[m].kind == SCORING_NAIVE_BAYES)
			config->models[m].bayes = BayesCreate(&config->models[m]);
	n = WorkspaceExecute(ws, &read_trainings, NULL, NULL);
	for (int i = 0; i < n; i++)
	{
		ScoringModel *model = ScoreFindModel(config, ResultText(i, 1));
		bool		isnull;
		Datum		definition = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2, &isnull);

		model->logistic = LogisticReadModel(DatumGetJsonbPCopy(definition));
		model->places = palloc(sizeof(int) * Max(model->logistic->feature_count, 1));
		for (int f = 0; f < model->logistic->feature_count; f++)
			model->places[f] = FindFeature(model, model->logistic->features[f].name);
	}
	SPI_freetuptable(SPI_tuptable);
}

/* Evaluate the features of leads; the values are by lead, then by feature */
LearnedValue *
LearnedValues(const ScoringModel *model, HeapTuple *profiles, int n)
{
	int			count = model->feature_count;
	LearnedValue *values = palloc0(sizeof(LearnedValue) * Max(n * (int64) count, 1));
	Datum	   *datums = palloc(sizeof(Datum) * Max(n, 1));
	bool	   *nulls = palloc(sizeof(bool) * Max(n, 1));
	char	  **problems = palloc(sizeof(char *) * Max(n, 1));

	for (int f = 0; f < count; f++)
	{
		const ScoringFeature *feature = &model->features[f];

		if (feature->value)
			PredicateValues(feature->value, profiles, n, datums, nulls, problems);
		for (int i = 0; i < n; i++)
		{
			LearnedValue *value = &values[i * (int64) count + f];

			value->isnull = feature->value == NULL || nulls[i];
			value->problem = feature->value == NULL ? feature->broken : problems[i];
			if (value->isnull)
				continue;
			if (feature->is_number)
				value->number = DatumGetFloat8(datums[i]);
			else if (feature->is_tags)
				value->text = JsonbToCString(NULL, &DatumGetJsonbP(datums[i])->root, 0);
			else
			{
				value->text = TextDatumGetCString(datums[i]);
				value->isnull = value->text[0] == '\0';
			}
		}
	}
	pfree(datums);
	pfree(nulls);
	pfree(problems);
	return values;
}

/* Get the distinct texts of a JSON array, sorted */
char **
LearnedTags(const char *json, int *count)
{
	Jsonb	   *jsonb = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(json)));
	JsonbIterator *iterator = JsonbIteratorInit(&jsonb->root);
	JsonbValue	value;
	JsonbIteratorToken token;
	char	  **tags;

	*count = 0;
	if (!JsonContainerIsArray(&jsonb->root))
		return NULL;
	tags = palloc(sizeof(char *) * Max(JsonContainerSize(&jsonb->root), 1));
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
		if (token == WJB_ELEM && value.type == jbvString && value.val.string.len > 0)
		{
			char	   *tag = pnstrdup(value.val.string.val, value.val.string.len);
			int			at = *count;

			while (at > 0 && strcmp(tags[at - 1], tag) > 0)
				at--;
			if (at > 0 && strcmp(tags[at - 1], tag) == 0)
				continue;
			memmove(tags + at + 1, tags + at, sizeof(char *) * (*count - at));
			tags[at] = tag;
			(*count)++;
		}
	return tags;
}

/* Put a lead's values into the order of a logistic model's features */
static void
OrderValues(const ScoringModel *model, const LearnedValue *values, FeatureValue *ordered)
{
	for (int f = 0; f < model->logistic->feature_count; f++)
	{
		int			place = model->places[f];
		bool		is_number = model->logistic->features[f].kind != FEATURE_CATEGORICAL;

		ordered[f] = (FeatureValue) {.isnull = true};
		/* a feature that was changed to the other kind since counts as missing */
		if (place < 0 || values[place].isnull || model->features[place].is_number != is_number)
			continue;
		ordered[f].isnull = false;
		ordered[f].number = values[place].number;
		ordered[f].text = values[place].text;
		ordered[f].length = values[place].text ? strlen(values[place].text) : 0;
	}
}

/* Get the scores that a learned model gives leads, in per cent; NaN where nothing was learned */
void
LearnedScore(Workspace *ws, WorkspaceConfig *config, const ScoringModel *model, HeapTuple *profiles,
			 int n, double *scores)
{
	LearnedValue *values;
	FeatureValue *ordered;

	if (model->kind == SCORING_NAIVE_BAYES)
	{
		BayesScore(ws, config, model, profiles, n, scores, NULL);
		return;
	}
	for (int i = 0; i < n; i++)
		scores[i] = NAN;
	if (model->logistic == NULL)
		return;
	values = LearnedValues(model, profiles, n);
	ordered = palloc(sizeof(FeatureValue) * Max(model->logistic->feature_count, 1));
	for (int i = 0; i < n; i++)
	{
		double		logit = model->logistic->intercept;

		OrderValues(model, values + i * (int64) model->feature_count, ordered);
		for (int f = 0; f < model->logistic->feature_count; f++)
			logit += FeatureContribution(model->logistic, f, ordered, NULL);
		scores[i] = 100 * LogisticProbability(CalibrateLogit(&model->logistic->calibration, logit));
	}
}

/* Make a part */
static LearnedPart *
MakePart(const char *part, const char *feature, char *level, double logit)
{
	LearnedPart *made = palloc0(sizeof(LearnedPart));

	made->part = part;
	made->feature = feature;
	made->level = level;
	made->logit = logit;
	made->place = -1;
	return made;
}

/* Get what makes the score of a lead in a learned model */
List *
LearnedParts(Workspace *ws, WorkspaceConfig *config, const ScoringModel *model, HeapTuple profile)
{
	List	   *parts = NIL;
	LearnedValue *values;
	FeatureValue *ordered;
	double		logit;

	if (model->kind == SCORING_NAIVE_BAYES)
	{
		double		score;

		BayesScore(ws, config, model, &profile, 1, &score, &parts);
		return parts;
	}
	if (model->logistic == NULL)
		return NIL;
	values = LearnedValues(model, &profile, 1);
	ordered = palloc(sizeof(FeatureValue) * Max(model->logistic->feature_count, 1));
	OrderValues(model, values, ordered);
	logit = model->logistic->intercept;
	parts = list_make1(MakePart("prior", "intercept", NULL, logit));
	for (int f = 0; f < model->logistic->feature_count; f++)
	{
		const LogisticFeature *feature = &model->logistic->features[f];
		int			level;
		double		coefficient = FeatureContribution(model->logistic, f, ordered, &level);
		LearnedPart *part = MakePart("feature", feature->name, FeatureLevelText(model->logistic, f, level), coefficient);

		logit += coefficient;
		part->place = model->places[f];
		if (part->place >= 0)
			part->problem = values[part->place].problem;
		else if (feature->kind != FEATURE_PAIR)
			part->problem = "the feature was removed since the training";
		parts = lappend(parts, part);
	}
	if (model->logistic->calibration.method != CALIBRATION_NONE)
		parts = lappend(parts, MakePart("calibration", "calibration", NULL,
										CalibrateLogit(&model->logistic->calibration, logit) - logit));
	return parts;
}

/* Put out the feature values of a chunk of leads */
static void
PutValues(ReturnSetInfo *result, const ScoringModel *model, int n)
{
	HeapTuple  *profiles = palloc(sizeof(HeapTuple) * n);
	LearnedValue *values;
	Datum	   *texts = palloc(sizeof(Datum) * Max(model->feature_count, 1));
	bool	   *nulls = palloc(sizeof(bool) * Max(model->feature_count, 1));
	int			lower = 1;

	for (int i = 0; i < n; i++)
		profiles[i] = SPI_tuptable->vals[i];
	values = LearnedValues(model, profiles, n);
	for (int i = 0; i < n; i++)
	{
		Datum		row[2];
		bool		row_nulls[2] = {false, false};

		for (int f = 0; f < model->feature_count; f++)
		{
			const LearnedValue *value = &values[i * (int64) model->feature_count + f];

			nulls[f] = value->isnull;
			if (value->isnull)
				continue;
			if (model->features[f].is_number)
			{
				char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];

				double_to_shortest_decimal_buf(value->number, digits);
				texts[f] = CStringGetTextDatum(digits);
			}
			else
				texts[f] = CStringGetTextDatum(value->text);
		}
		row[0] = Int64GetDatum(ResultInt64(i, PROFILE_LEAD_ID, NULL));
		row[1] = PointerGetDatum(construct_md_array(texts, nulls, 1, (int *) &model->feature_count, &lower, TEXTOID, -1,
													false, TYPALIGN_INT));
		tuplestore_putvalues(result->setResult, result->setDesc, row, row_nulls);
	}
}

PG_FUNCTION_INFO_V1(feature_values);
/* Get the values that the features of a model have for the leads of a view like lead_profile */
Datum
feature_values(PG_FUNCTION_ARGS)
{
	char	   *view = text_to_cstring(PG_GETARG_TEXT_PP(2));
	Workspace  *ws;
	WorkspaceConfig *config;
	ScoringModel *model;
	MemoryContext chunk;
	SPIPlanPtr	plan;
	Portal		portal;

	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	model = ScoreGetModel(PG_GETARG_OID(0), text_to_cstring(PG_GETARG_TEXT_PP(1)), &ws, &config);
	chunk = AllocSetContextCreate(CurrentMemoryContext, "lead_mgmt features", ALLOCSET_DEFAULT_SIZES);
	if (strcmp(view, "lead_profile") != 0 && strcmp(view, "lead_profile_at_outcome") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("features are not of \"%s\"", view),
				 errhint("They are of lead_profile or lead_profile_at_outcome.")));
	plan = SPI_prepare_cursor(psprintf("SELECT%s FROM %s.%s p WHERE p.contact_id IS NOT NULL OR p.account_id IS NOT NULL",
									   LearnedReadsComputed(config, model) ? " p.*" : PROFILE_PLAIN_LIST,
									   ws->quoted_name, view), 0, NULL, CURSOR_OPT_NO_SCROLL);
	if (plan == NULL)
		elog(ERROR, "could not prepare a query: %s", SPI_result_code_string(SPI_result));
	portal = SPI_cursor_open(NULL, plan, NULL, NULL, true);
	for (;;)
	{
		MemoryContext old;

		CHECK_FOR_INTERRUPTS();
		SPI_cursor_fetch(portal, true, VALUES_CHUNK);
		if (SPI_processed == 0)
			break;
		old = MemoryContextSwitchTo(chunk);
		PutValues((ReturnSetInfo *) fcinfo->resultinfo, model, (int) SPI_processed);
		MemoryContextSwitchTo(old);
		MemoryContextReset(chunk);
		SPI_freetuptable(SPI_tuptable);
	}
	SPI_cursor_close(portal);
	SPI_finish();
	return (Datum) 0;
}

/* Does a model look at columns of the profile that are computed from interactions? */
bool
LearnedReadsComputed(const WorkspaceConfig *config, const ScoringModel *model)
{
	if (config->profile->natts != PROFILE_COLUMNS)
		return true;
	for (int f = 0; f < model->feature_count; f++)
		if (model->features[f].value &&
			bms_next_member(PredicateColumns(model->features[f].value), PROFILE_PLAIN_COLUMNS) >= 0)
			return true;
	return false;
}

PG_FUNCTION_INFO_V1(guard_feature);
/* Check the expression of a feature */
Datum
guard_feature(PG_FUNCTION_ARGS)
{
	static const char *const outcomes[] = {"status", "qualification", "sales_ready_at", "sales_ready_model"};
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	TupleDesc	desc;
	HeapTuple	row;
	Workspace  *ws;
	TupleDesc	profile;
	CompiledPredicate *value;
	char	   *name;
	char	   *expression;
	char	   *kind;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigdata->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) || TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("guard_feature must be called as a BEFORE INSERT OR UPDATE row trigger")));
	desc = RelationGetDescr(trigdata->tg_relation);
	row = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ? trigdata->tg_newtuple : trigdata->tg_trigtuple;
	name = SPI_getvalue(row, desc, SPI_fnumber(desc, "feature"));
	expression = SPI_getvalue(row, desc, SPI_fnumber(desc, "expression"));
	kind = SPI_getvalue(row, desc, SPI_fnumber(desc, "kind"));
	if (name == NULL || expression == NULL || kind == NULL)
		return PointerGetDatum(row);	/* the table refuses it */
	ws = WorkspaceOfRelation(trigdata->tg_relation);
	profile = lookup_rowtype_tupdesc_copy(get_rel_type_id(ws->profile_relid), -1);
	value = PredicateCompileValue(expression, profile, CurrentMemoryContext,
								  strcmp(kind, "tags") == 0 ? JSONBOID :
								  strcmp(kind, "categorical") == 0 ? TEXTOID : FLOAT8OID);
	for (int i = 0; i < lengthof(outcomes); i++)
		if (bms_is_member(SPI_fnumber(profile, outcomes[i]), PredicateColumns(value)))
			ereport(ERROR,
					(errcode(ERRCODE_CHECK_VIOLATION),
					 errmsg("feature \"%s\" looks at %s, which follows the outcome", name, outcomes[i]),
					 errhint("A model may only know what is known before the outcome.")));
	PredicateFree(value);
	return PointerGetDatum(row);
}

PG_FUNCTION_INFO_V1(guard_training);
/* Check that what a training found can be scored by */
Datum
guard_training(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	TupleDesc	desc;
	HeapTuple	row;
	Datum		definition;
	bool		isnull;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigdata->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) || TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("guard_training must be called as a BEFORE INSERT OR UPDATE row trigger")));
	desc = RelationGetDescr(trigdata->tg_relation);
	row = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ? trigdata->tg_newtuple : trigdata->tg_trigtuple;
	definition = heap_getattr(row, SPI_fnumber(desc, "definition"), desc, &isnull);
	if (!isnull)
		(void) LogisticReadModel(DatumGetJsonbP(definition));
	return PointerGetDatum(row);
}
