/*
 * Attribution models: how they are described.
 *
 * A description is the name of a model that everybody knows, or a JSON object
 * that says what the first and last touches, those at which the lead and the
 * opportunity were created, and all others weigh.
 */
#include "postgres.h"

#include <math.h>

#include "attribution/attribution.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"

#define WEIGHT_TOLERANCE	1e-9
#define MAX_POSITIONS		1000

static const struct
{
	const char *name;
	ModelKind	kind;
	double		first;
	double		last;
	double		lead;
	double		opportunity;
	double		other;
}			KnownModels[] =
{
	{"first", MODEL_POSITION, 1, 0, 0, 0, 0},
	{"last", MODEL_POSITION, 0, 1, 0, 0, 0},
	{"last_non_direct", MODEL_LAST_NON_DIRECT, 0, 0, 0, 0, 0},
	{"linear", MODEL_POSITION, 0, 0, 0, 0, 1},
	{"u_shaped", MODEL_POSITION, 0.4, 0.4, 0, 0, 0.2},
	{"u_milestones", MODEL_POSITION, 0.4, 0, 0.4, 0, 0.2},
	{"w_shaped", MODEL_POSITION, 0.3, 0, 0.3, 0.3, 0.1},
	{"full_path", MODEL_POSITION, 0.225, 0.225, 0.225, 0.225, 0.1},
	{"j_shaped", MODEL_POSITION, 0.2, 0.6, 0, 0, 0.2},
	{"inverse_j", MODEL_POSITION, 0.6, 0.2, 0, 0, 0.2},
	{"time_decay", MODEL_TIME_DECAY, 0, 0, 0, 0, 0},
	{"participation", MODEL_PARTICIPATION, 0, 0, 0, 0, 0},
	{"shapley", MODEL_SHAPLEY, 0, 0, 0, 0, 0},
};

static const struct
{
	const char *name;
	ModelKind	kind;
}			ModelKinds[] =
{
	{"position", MODEL_POSITION},
	{"last_non_direct", MODEL_LAST_NON_DIRECT},
	{"time_decay", MODEL_TIME_DECAY},
	{"participation", MODEL_PARTICIPATION},
	{"shapley", MODEL_SHAPLEY},
	{"channels", MODEL_CHANNELS},
	{"markov", MODEL_MARKOV},
};

/* Read a weight */
static double
ReadWeight(const char *model, const char *member, const JsonbValue *value)
{
	double		weight;

	if (value->type != jbvNumeric)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("weight \"%s\" of attribution model \"%s\" is not a number", member, model)));
	weight = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(value->val.numeric)));
	if (!(weight >= 0) || isinf(weight))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("weight \"%s\" of attribution model \"%s\" is %g", member, model, weight),
				 errhint("Weights are zero or more.")));
	return weight;
}

/* Read a weight or a list of weights */
static double *
ReadWeights(const char *model, const char *member, const JsonbValue *value, int *count)
{
	double	   *weights;

	if (value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data))
	{
		*count = JsonContainerSize(value->val.binary.data);
		if (*count > MAX_POSITIONS)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("attribution model \"%s\" has %d weights in \"%s\", more than %d",
							model, *count, member, MAX_POSITIONS)));
		weights = palloc(sizeof(double) * (*count + 1));
		for (int i = 0; i < *count; i++)
			weights[i] = ReadWeight(model, member, getIthJsonbValueFromContainer(value->val.binary.data, i));
		return weights;
	}
	weights = palloc(sizeof(double));
	weights[0] = ReadWeight(model, member, value);
	*count = 1;
	return weights;
}

/* Read the half-life of credit, in microseconds */
static double
ReadHalfLife(const char *model, const JsonbValue *value)
{
	char	   *text;
	Interval   *interval;
	double		half_life;

	if (value->type != jbvString)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("half_life of attribution model \"%s\" is not an interval", model),
				 errhint("Write it as text, such as \"7 days\".")));
	text = pnstrdup(value->val.string.val, value->val.string.len);
	interval = DatumGetIntervalP(DirectFunctionCall3(interval_in, CStringGetDatum(text),
													 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	half_life = (double) interval->time + ((double) interval->day + interval->month * (double) DAYS_PER_MONTH) * USECS_PER_DAY;
	if (half_life <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("half_life of attribution model \"%s\" is %s", model, text),
				 errhint("A half-life is longer than zero.")));
	return half_life;
}

/* Read what each channel weighs */
static void
ReadChannelWeights(AttributionModel *model, const JsonbValue *value)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	item;
	int			channel = -1;

	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("channels of attribution model \"%s\" is not an object of weights by channel", model->name)));
	model->weighted = ChannelsCreate(CurrentMemoryContext);
	model->channel_weights = palloc_extended(sizeof(double) * ((Size) JsonContainerSize(value->val.binary.data) + 1),
											 MCXT_ALLOC_HUGE);
	iterator = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			channel = ChannelNumber(model->weighted, item.val.string.val, item.val.string.len);
		else if (token == WJB_VALUE)
			model->channel_weights[channel] = ReadWeight(model->name, model->weighted->names[channel], &item);
	}
}

/* Set the kind of a model by its name */
static void
ReadKind(AttributionModel *model, const char *kind)
{
	for (int i = 0; i < lengthof(ModelKinds); i++)
		if (strcmp(ModelKinds[i].name, kind) == 0)
		{
			model->kind = ModelKinds[i].kind;
			return;
		}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("attribution model \"%s\" is of unknown kind \"%s\"", model->name, kind),
			 errhint("Choose position, last_non_direct, time_decay, participation, shapley, channels or markov.")));
}

/* Check that the weights of positions add up to 1 */
static void
CheckSum(const AttributionModel *model)
{
	double		sum = model->lead + model->opportunity + model->other;

	for (int i = 0; i < model->first_count; i++)
		sum += model->first[i];
	for (int i = 0; i < model->last_count; i++)
		sum += model->last[i];
	if (fabs(sum - 1) > WEIGHT_TOLERANCE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("weights of attribution model \"%s\" add up to %g, not to 1", model->name, sum)));
}

/* Read one member of a description */
static void
ReadMember(AttributionModel *model, const char *member, JsonbValue *value)
{
	if (value->type == jbvNull || strcmp(member, "name") == 0)
		return;
	if (strcmp(member, "kind") == 0 && value->type == jbvString)
		ReadKind(model, pnstrdup(value->val.string.val, value->val.string.len));
	else if (strcmp(member, "first") == 0)
		model->first = ReadWeights(model->name, member, value, &model->first_count);
	else if (strcmp(member, "last") == 0)
		model->last = ReadWeights(model->name, member, value, &model->last_count);
	else if (strcmp(member, "lead") == 0)
		model->lead = ReadWeight(model->name, member, value);
	else if (strcmp(member, "opportunity") == 0)
		model->opportunity = ReadWeight(model->name, member, value);
	else if (strcmp(member, "other") == 0)
		model->other = ReadWeight(model->name, member, value);
	else if (strcmp(member, "half_life") == 0)
		model->half_life = ReadHalfLife(model->name, value);
	else if (strcmp(member, "channels") == 0)
		ReadChannelWeights(model, value);
	else if (strcmp(member, "order") == 0)
	{
		double		order = ReadWeight(model->name, member, value);

		if (order < 1 || order > MAX_ORDER || order != floor(order))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("order of attribution model \"%s\" is %g", model->name, order),
					 errhint("Choose 1 to %d.", MAX_ORDER)));
	}
	else
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("attribution model \"%s\" has an unknown member \"%s\"", model->name, member),
				 errhint("Members are name, kind, first, last, lead, opportunity, other, half_life, channels and order.")));
}

/* Read a description that is a JSON object */
static void
ReadObject(AttributionModel *model, const char *description)
{
	Jsonb	   *document = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(description)));
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	item;
	char	   *member = NULL;

	if (getKeyJsonValueFromContainer(&document->root, "name", 4, &item) != NULL && item.type == jbvString)
		model->name = pnstrdup(item.val.string.val, item.val.string.len);
	iterator = JsonbIteratorInit(&document->root);
	while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			member = pnstrdup(item.val.string.val, item.val.string.len);
		else if (token == WJB_VALUE && member)
			ReadMember(model, member, &item);
	}
	if (model->kind == MODEL_POSITION)
		CheckSum(model);
	if (model->kind == MODEL_CHANNELS && model->weighted == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("attribution model \"%s\" has no channels", model->name)));
}

/*
 * Make the model that a description stands for; of_all allows those that need
 * all journeys, not one, for credits
 */
AttributionModel *
DescriptionRead(text *description, bool of_all)
{
	AttributionModel *model = palloc0(sizeof(AttributionModel));
	char	   *name = text_to_cstring(description);

	model->name = name;
	model->half_life = 7.0 * USECS_PER_DAY;
	if (name[strspn(name, " \t\r\n")] == '{')
	{
		model->name = "custom";
		ReadObject(model, name);
		if (model->kind == MODEL_MARKOV && !of_all)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("attribution model \"%s\" needs all journeys and cannot credit the touches of one", model->name),
					 errhint("Use markov_credits(), or its removal effects as weights of channels.")));
		return model;
	}
	for (int i = 0; i < lengthof(KnownModels); i++)
	{
		if (strcmp(KnownModels[i].name, name) != 0)
			continue;
		model->kind = KnownModels[i].kind;
		model->first_count = KnownModels[i].first > 0;
		model->last_count = KnownModels[i].last > 0;
		model->first = palloc(sizeof(double));
		model->first[0] = KnownModels[i].first;
		model->last = palloc(sizeof(double));
		model->last[0] = KnownModels[i].last;
		model->lead = KnownModels[i].lead;
		model->opportunity = KnownModels[i].opportunity;
		model->other = KnownModels[i].other;
		return model;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("there is no attribution model \"%s\"", name),
			 errhint("Choose first, last, last_non_direct, linear, u_shaped, u_milestones, w_shaped, full_path, j_shaped, inverse_j, time_decay, participation or shapley, or describe one as a JSON object.")));
}

/* Make the models of a list of descriptions */
AttributionModel **
DescriptionsRead(ArrayType *descriptions, int *count)
{
	Datum	   *elements;
	bool	   *nulls;
	AttributionModel **models;

	deconstruct_array(descriptions, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, count);
	if (*count == 0 || *count > MAX_MODELS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%d attribution models were asked for", *count),
				 errhint("Ask for 1 to %d.", MAX_MODELS)));
	models = palloc(sizeof(AttributionModel *) * *count);
	for (int i = 0; i < *count; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("an attribution model is NULL")));
		models[i] = DescriptionRead(DatumGetTextPP(elements[i]), false);
	}
	return models;
}
