/*
 * Logistic models: features made of columns, and what they add to the log odds.
 *
 * A categorical feature has a level a value, one for rare and unknown values
 * together and one for missing ones.  A binned feature has a level a range of
 * numbers, and one for missing ones.  A numeric feature is a line; where the
 * number is missing, it stands at its median and a level of its own is added.
 * A pair has a level for each two groups of levels of two other features.
 */
#include "postgres.h"

#include <math.h>

#include "learning/logistic.h"
#include "learning/model.h"
#include "matching/json.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

static const char *const kind_names[] = {"categorical", "numeric", "bins", "pair"};
static const char *const level_kinds[] = {"value", "number", "range", "pair"};
static const char *const method_names[] = {"none", "platt", "isotonic"};

/* Get the name of a kind of feature */
const char *
FeatureKindName(FeatureKind kind)
{
	return kind_names[kind];
}

/* Find a kind of feature by its name */
FeatureKind
FeatureKindNamed(const char *name)
{
	for (int k = 0; k < lengthof(kind_names); k++)
		if (strcmp(kind_names[k], name) == 0)
			return k;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown kind of feature: \"%s\"", name),
			 errhint("Kinds: categorical, numeric, bins, pair.")));
}

/* Find a method of calibration by its name */
CalibrationMethod
CalibrationNamed(const char *name)
{
	for (int m = 0; m < lengthof(method_names); m++)
		if (strcmp(method_names[m], name) == 0)
			return m;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown calibration: \"%s\"", name),
			 errhint("Calibrations: none, platt, isotonic.")));
}

/* Compare the bytes of a level's value with those of a text */
static int
CompareValue(const LogisticLevel *level, const char *text, int length)
{
	int			order = memcmp(level->value, text, Min(level->length, length));

	return order != 0 ? order : level->length - length;
}

/* Order levels by value */
int
LevelCompareValues(const void *a, const void *b)
{
	const LogisticLevel *right = b;

	return CompareValue(a, right->value, right->length);
}

/* Find the level of a value; an index or LEVEL_MISSING, LEVEL_OTHER, LEVEL_NUMBER */
int
FeatureLevel(const LogisticFeature *feature, const FeatureValue *value)
{
	int			low = 0;
	int			high = feature->level_count - 1;

	if (value->isnull)
		return LEVEL_MISSING;
	if (feature->kind == FEATURE_NUMERIC)
		return NumberIsUsable(value->number) ? LEVEL_NUMBER : LEVEL_MISSING;
	if (feature->kind == FEATURE_BINS)
	{
		if (isnan(value->number))
			return LEVEL_MISSING;
		/* the last level that begins at or below the number */
		while (low < high)
		{
			int			middle = (low + high + 1) / 2;

			if (feature->levels[middle].from <= value->number)
				low = middle;
			else
				high = middle - 1;
		}
		return feature->level_count > 0 ? low : LEVEL_OTHER;
	}
	while (low <= high)
	{
		int			middle = (low + high) / 2;
		int			order = CompareValue(&feature->levels[middle], value->text, value->length);

		if (order == 0)
			return middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle - 1;
	}
	return LEVEL_OTHER;
}

/* Find the level of a pair by those of its features */
int
FeaturePairLevel(const LogisticFeature *pair, int first, int second)
{
	int			level = pair->cells[pair->group[0][first - LEVEL_OTHER] * pair->groups[1] +
									pair->group[1][second - LEVEL_OTHER]];

	return level >= 0 ? level : LEVEL_OTHER;
}

/* Get what the values of a row add to the log odds through a feature, and optionally which level they are of */
double
FeatureContribution(const LogisticModel *model, int f, const FeatureValue *values, int *level)
{
	const LogisticFeature *feature = &model->features[f];
	int			found;

	if (feature->kind == FEATURE_PAIR)
		found = FeaturePairLevel(feature, FeatureLevel(&model->features[feature->of[0]], &values[feature->of[0]]),
						  FeatureLevel(&model->features[feature->of[1]], &values[feature->of[1]]));
	else
		found = FeatureLevel(feature, &values[f]);
	if (level)
		*level = found;
	switch (found)
	{
		case LEVEL_MISSING:
			return feature->has_missing ? feature->missing.coefficient : 0;
		case LEVEL_OTHER:
			return feature->has_other ? feature->other.coefficient : 0;
		case LEVEL_NUMBER:
			return feature->slope * (values[f].number - feature->center);
		default:
			return feature->levels[found].coefficient;
	}
}

/* Describe the numbers from one level to another of a binned feature */
static char *
RangeText(const LogisticFeature *feature, int first, int last)
{
	if (last == feature->level_count - 1)
		return first == 0 ? "any number" : psprintf("from %g", feature->levels[first].from);
	if (first == 0)
		return psprintf("below %g", feature->levels[last + 1].from);
	return psprintf("%g to %g", feature->levels[first].from, feature->levels[last + 1].from);
}

/* Describe a group of levels of a feature */
static char *
GroupText(const LogisticFeature *feature, const uint8 *group, int wanted)
{
	int			first = -1;
	int			last = -1;
	int			count = 0;

	for (int l = 0; l < feature->level_count; l++)
		if (group[l - LEVEL_OTHER] == wanted)
		{
			first = first < 0 ? l : first;
			last = l;
			count++;
		}
	if (count == 0)
		return group[LEVEL_MISSING - LEVEL_OTHER] == wanted ? "missing" : "other";
	if (feature->kind == FEATURE_BINS)
		return RangeText(feature, first, last);
	if (count == 1 && group[0] != wanted && group[LEVEL_MISSING - LEVEL_OTHER] != wanted)
		return pnstrdup(feature->levels[first].value, feature->levels[first].length);
	return "other";
}

/* Describe a level for people */
char *
FeatureLevelText(const LogisticModel *model, int f, int level)
{
	const LogisticFeature *feature = &model->features[f];
	int			cell;

	if (level == LEVEL_MISSING)
		return "missing";
	if (level == LEVEL_OTHER)
		return feature->has_other ? "other" : "unknown";
	if (level == LEVEL_NUMBER)
		return "number";
	if (feature->kind == FEATURE_CATEGORICAL)
		return pnstrdup(feature->levels[level].value, feature->levels[level].length);
	if (feature->kind == FEATURE_BINS)
		return RangeText(feature, level, level);
	cell = feature->levels[level].cell;
	return psprintf("%s & %s",
					GroupText(&model->features[feature->of[0]], feature->group[0], cell / feature->groups[1]),
					GroupText(&model->features[feature->of[1]], feature->group[1], cell % feature->groups[1]));
}

/* Append a level as a JSON object */
static void
AppendLevel(StringInfo out, const char *kind, const LogisticLevel *level)
{
	AppendJsonText(out, "level", kind);
	AppendJsonNumber(out, "coefficient", level->coefficient);
	appendStringInfo(out, ", \"rows\": " INT64_FORMAT ", \"won\": " INT64_FORMAT "}", level->rows, level->won);
}

/* Append which features a pair is made of, and how their levels are grouped */
static void
AppendPair(StringInfo out, const LogisticModel *model, const LogisticFeature *pair)
{
	appendStringInfoString(out, ", \"of\": [");
	for (int side = 0; side < 2; side++)
		AppendJsonText(out, NULL, model->features[pair->of[side]].name);
	appendStringInfoString(out, "], \"groups\": [");
	for (int side = 0; side < 2; side++)
	{
		appendStringInfoString(out, side ? ", [" : "[");
		for (int l = 0; l < model->features[pair->of[side]].level_count - LEVEL_OTHER; l++)
			appendStringInfo(out, l ? ", %d" : "%d", pair->group[side][l]);
		appendStringInfoChar(out, ']');
	}
	appendStringInfoChar(out, ']');
}

/* Append a feature with its levels as a JSON object */
static void
AppendFeature(StringInfo out, const LogisticModel *model, int f)
{
	const LogisticFeature *feature = &model->features[f];

	appendStringInfoChar(out, '{');
	AppendJsonText(out, "feature", feature->name);
	AppendJsonText(out, "kind", kind_names[feature->kind]);
	if (feature->kind == FEATURE_BINS)
		appendStringInfo(out, ", \"bins\": %d", feature->bins);
	else if (feature->kind == FEATURE_CATEGORICAL)
		appendStringInfo(out, ", \"minimum_rows\": " INT64_FORMAT, feature->minimum_rows);
	else if (feature->kind == FEATURE_PAIR)
		AppendPair(out, model, feature);
	else
	{
		AppendJsonNumber(out, "coefficient", feature->slope);
		AppendJsonNumber(out, "center", feature->center);
	}
	appendStringInfoString(out, ", \"levels\": [");
	for (int l = 0; l < feature->level_count; l++)
	{
		appendStringInfoString(out, l ? ", {" : "{");
		if (feature->kind == FEATURE_CATEGORICAL)
			AppendJsonText(out, "value", feature->levels[l].value);
		else if (feature->kind == FEATURE_PAIR)
		{
			AppendJsonText(out, "value", FeatureLevelText(model, f, l));
			AppendJsonNumber(out, "cell", feature->levels[l].cell);
		}
		else if (l > 0)
			AppendJsonNumber(out, "from", feature->levels[l].from);
		AppendLevel(out, level_kinds[feature->kind], &feature->levels[l]);
	}
	if (feature->has_other)
	{
		appendStringInfoString(out, out->data[out->len - 1] == '[' ? "{" : ", {");
		AppendLevel(out, "other", &feature->other);
	}
	if (feature->has_missing)
	{
		appendStringInfoString(out, out->data[out->len - 1] == '[' ? "{" : ", {");
		AppendLevel(out, "missing", &feature->missing);
	}
	appendStringInfoString(out, "]}");
}

/* Append the members of a calibration */
static void
AppendCalibration(StringInfo out, const Calibration *calibration)
{
	appendStringInfoString(out, ", \"calibration\": {");
	AppendJsonText(out, "method", method_names[calibration->method]);
	if (calibration->method == CALIBRATION_PLATT)
	{
		AppendJsonNumber(out, "slope", calibration->slope);
		AppendJsonNumber(out, "intercept", calibration->intercept);
	}
	else if (calibration->method == CALIBRATION_ISOTONIC)
	{
		appendStringInfoString(out, ", \"logit\": [");
		for (int s = 0; s < calibration->steps; s++)
			AppendJsonNumber(out, NULL, calibration->at[s]);
		appendStringInfoString(out, "], \"probability\": [");
		for (int s = 0; s < calibration->steps; s++)
			AppendJsonNumber(out, NULL, calibration->probability[s]);
		appendStringInfoChar(out, ']');
	}
	appendStringInfoChar(out, '}');
}

/* Append the members of a model */
void
LogisticAppendModel(StringInfo out, const LogisticModel *model)
{
	AppendJsonText(out, "label", model->label);
	AppendJsonNumber(out, "intercept", model->intercept);
	appendStringInfoString(out, ", \"features\": [");
	for (int f = 0; f < model->feature_count; f++)
	{
		if (f)
			appendStringInfoString(out, ", ");
		AppendFeature(out, model, f);
	}
	appendStringInfoChar(out, ']');
	AppendCalibration(out, &model->calibration);
}

/* Complain of a number in a document that is none of its kind */
static double
CheckedNumber(JsonbContainer *object, const char *name, double otherwise, double lowest, double highest)
{
	double		number = JsonNumber(object, name, otherwise);

	if (!(number >= lowest && number <= highest))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" of the model is %g", name, number),
				 errhint("It must be from %g to %g.", lowest, highest)));
	return number;
}

/* Read what a feature is made of */
void
LogisticReadFeature(JsonbContainer *object, LogisticFeature *feature)
{
	char	   *kind = JsonText(object, "kind");

	feature->name = JsonText(object, "feature");
	if (feature->name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a feature of the model has no member \"feature\""),
				 errhint("It names the column that the feature is made of.")));
	feature->kind = kind ? FeatureKindNamed(kind) : FEATURE_CATEGORICAL;
	feature->bins = (int) CheckedNumber(object, "bins", DEFAULT_BINS, 2, LOGISTIC_MAX_BINS);
	feature->minimum_rows = (int64) CheckedNumber(object, "minimum_rows", DEFAULT_MINIMUM_ROWS, 1, 1e15);
	feature->slope = JsonNumber(object, "coefficient", 0);
	feature->center = JsonNumber(object, "center", 0);
}

/* Read the levels of a feature */
static void
ReadLevels(JsonbContainer *object, LogisticFeature *feature)
{
	JsonbContainer *levels = JsonMember(object, "levels", true);
	int			n = JsonLength(levels);

	feature->levels = palloc0(sizeof(LogisticLevel) * Max(n, 1));
	for (int l = 0; l < n; l++)
	{
		JsonbContainer *element = JsonElement(levels, l, "levels");
		char	   *kind = JsonText(element, "level");
		LogisticLevel *level;

		if (kind && strcmp(kind, "missing") == 0)
		{
			level = &feature->missing;
			feature->has_missing = true;
		}
		else if (kind && strcmp(kind, "other") == 0)
		{
			level = &feature->other;
			feature->has_other = true;
		}
		else
		{
			level = &feature->levels[feature->level_count++];
			level->from = JsonNumber(element, "from", -INFINITY);
			level->cell = (int) JsonNumber(element, "cell", 0);
			level->value = JsonText(element, "value");
			if (feature->kind == FEATURE_CATEGORICAL && level->value == NULL)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("a level of feature \"%s\" has no value", feature->name)));
			level->length = level->value ? strlen(level->value) : 0;
		}
		level->coefficient = JsonNumber(element, "coefficient", 0);
	}
	if (feature->kind != FEATURE_PAIR)
		LogisticSortLevels(feature);
}

/* Find a feature of a model by its name, among the first ones */
static int
FindFeature(const LogisticModel *model, int count, const char *name)
{
	for (int f = 0; f < count; f++)
		if (strcmp(model->features[f].name, name) == 0)
			return f;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("a pair of the model is made of a feature \"%s\" that does not come before it", name)));
}

/* Complain of a pair whose groups and levels do not belong to its features */
static void
FaultyPair(const LogisticFeature *pair)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("pair \"%s\" of the model does not go with its features", pair->name),
			 errhint("Train the model again after features were changed.")));
}

/* Read what a pair is made of */
static void
ReadPair(JsonbContainer *object, LogisticModel *model, int f)
{
	LogisticFeature *pair = &model->features[f];
	JsonbContainer *of = JsonMember(object, "of", true);
	JsonbContainer *groups = JsonMember(object, "groups", true);

	if (JsonLength(of) != 2 || JsonLength(groups) != 2)
		FaultyPair(pair);
	for (int side = 0; side < 2; side++)
	{
		JsonbContainer *group = JsonElement(groups, side, "groups");
		const LogisticFeature *part;
		int			n;

		pair->of[side] = FindFeature(model, f, JsonElementText(of, side, "of"));
		part = &model->features[pair->of[side]];
		n = part->level_count - LEVEL_OTHER;
		if (!JsonContainerIsArray(group) || JsonLength(group) != n ||
			(part->kind != FEATURE_CATEGORICAL && part->kind != FEATURE_BINS))
			FaultyPair(pair);
		pair->group[side] = palloc(n);
		for (int l = 0; l < n; l++)
		{
			double		number = JsonElementNumber(group, l, "groups");

			if (!(number >= 0 && number < 256))
				FaultyPair(pair);
			pair->group[side][l] = (uint8) number;
			pair->groups[side] = Max(pair->groups[side], (int) number + 1);
		}
	}
	pair->cells = palloc(sizeof(int) * pair->groups[0] * pair->groups[1]);
	memset(pair->cells, -1, sizeof(int) * pair->groups[0] * pair->groups[1]);
	for (int l = 0; l < pair->level_count; l++)
	{
		int			cell = pair->levels[l].cell;

		if (cell < 0 || cell >= pair->groups[0] * pair->groups[1])
			FaultyPair(pair);
		pair->cells[cell] = l;
	}
}

/* Order levels by where they begin */
static int
CompareFrom(const void *a, const void *b)
{
	double		left = ((const LogisticLevel *) a)->from;
	double		right = ((const LogisticLevel *) b)->from;

	return left < right ? -1 : left > right;
}

/* Put levels into the order in which they are looked up */
void
LogisticSortLevels(LogisticFeature *feature)
{
	qsort(feature->levels, feature->level_count, sizeof(LogisticLevel),
		  feature->kind == FEATURE_CATEGORICAL ? LevelCompareValues : CompareFrom);
}

/* Read a calibration */
static void
ReadCalibration(JsonbContainer *object, Calibration *calibration)
{
	char	   *method = object ? JsonText(object, "method") : NULL;
	JsonbContainer *at;
	JsonbContainer *probability;

	calibration->method = method ? CalibrationNamed(method) : CALIBRATION_NONE;
	calibration->slope = object ? JsonNumber(object, "slope", 1) : 1;
	calibration->intercept = object ? JsonNumber(object, "intercept", 0) : 0;
	if (calibration->method != CALIBRATION_ISOTONIC)
		return;
	at = JsonMember(object, "logit", true);
	probability = JsonMember(object, "probability", true);
	calibration->steps = JsonLength(at);
	if (calibration->steps == 0 || calibration->steps != JsonLength(probability))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the isotonic calibration of the model has not as many logits as probabilities")));
	calibration->at = palloc(sizeof(double) * calibration->steps);
	calibration->probability = palloc(sizeof(double) * calibration->steps);
	for (int s = 0; s < calibration->steps; s++)
	{
		calibration->at[s] = JsonElementNumber(at, s, "logit");
		calibration->probability[s] = JsonElementNumber(probability, s, "probability");
	}
}

/* Read a trained model from its document */
LogisticModel *
LogisticReadModel(Jsonb *document)
{
	LogisticModel *model = palloc0(sizeof(LogisticModel));
	JsonbContainer *root = &document->root;
	JsonbContainer *features;
	double		intercept;

	if (!JsonContainerIsObject(root))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the model is not an object")));
	intercept = JsonNumber(root, "intercept", NAN);
	if (isnan(intercept))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the model is not trained"),
				 errhint("Train it with train_logistic_model().")));
	model->intercept = intercept;
	model->label = JsonText(root, "label");
	features = JsonMember(root, "features", true);
	model->feature_count = JsonLength(features);
	model->features = palloc0(sizeof(LogisticFeature) * Max(model->feature_count, 1));
	for (int f = 0; f < model->feature_count; f++)
	{
		JsonbContainer *object = JsonElement(features, f, "features");

		LogisticReadFeature(object, &model->features[f]);
		ReadLevels(object, &model->features[f]);
		if (model->features[f].kind == FEATURE_PAIR)
			ReadPair(object, model, f);
	}
	ReadCalibration(JsonMember(root, "calibration", false), &model->calibration);
	return model;
}

/* Make a jsonb of a text that was put together here */
Datum
LogisticJsonb(StringInfo text)
{
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(text->data));
}
