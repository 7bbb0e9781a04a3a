/*
 * Match models as documents: read, checked and compiled.
 */
#include "postgres.h"

#include <math.h>

#include "matching/json.h"
#include "matching/model.h"
#include "utils/builtins.h"

/* Probabilities are kept this far from 0 and 1 */
#define LEAST_PROBABILITY 1e-12

#define DEFAULT_PRIOR 1e-5
#define DEFAULT_MATCH 0.95
#define DEFAULT_REVIEW 0.5
#define DEFAULT_SWAPPED 0.02

const char *const FieldKindNames[KIND_COUNT] = {
	"given_name", "family_name", "full_name", "organisation", "email", "website", "phone", "date",
	"address", "postcode", "text", "category", "identifier", "number"
};

const char *const LevelTestNames[TEST_COUNT] = {
	"exact", "jaro_winkler", "edits", "qgrams", "words", "nickname", "initial", "part", "acronym", "unit",
	"same_mailbox", "same_domain", "digits", "transposed", "date_parts", "days", "year_slip", "ratio",
	"difference", "in_email", "initial_in_email", "not_in_email", "else"
};

const char *const KeyTransformNames[TRANSFORM_COUNT] = {
	"exact", "domain", "phonetic", "prefix", "initial", "letters", "year", "month_day", "year_month",
	"first_word", "long_word", "rare_words", "last_digits", "any_name"
};

const char *const RelatedNames[RELATED_COUNT] = {"kin", "namesake", "near", "colleague"};

const char *const FieldPartNames[] = {"whole", "mailbox", "domain"};

/* Find a name in a list; an error lists what there is */
static int
FindName(const char *name, const char *const *names, int count, const char *what)
{
	StringInfoData known;

	for (int i = 0; name && i < count; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	initStringInfo(&known);
	for (int i = 0; i < count; i++)
		appendStringInfo(&known, "%s%s", i ? ", " : "", names[i]);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the match model names an unknown %s: %s", what, name ? name : "(none)"),
			 errhint("Known are: %s.", known.data)));
}

/* Complain that a model has too many of something */
static void
CheckCount(int count, int max, const char *what)
{
	if (count > max)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the match model has %d %s, more than %d", count, what, max)));
}

/* Find a field by name; -1 when there is none */
int
ModelFindField(const MatchModel *model, const char *name)
{
	for (int f = 0; f < model->field_count; f++)
		if (strcmp(model->fields[f].name, name) == 0)
			return f;
	return -1;
}

/* Find a field that something names */
static int
NamedField(const MatchModel *model, const char *name, const char *what)
{
	int			field = name ? ModelFindField(model, name) : -1;

	if (field < 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("%s of the match model names an unknown field: %s", what, name ? name : "(none)")));
	return field;
}

/* Keep a probability away from 0 and 1 */
double
ModelProbability(double value)
{
	return Max(LEAST_PROBABILITY, Min(1 - LEAST_PROBABILITY, value));
}

/* Get a probability that a model says */
static double
Probability(double value, const char *what)
{
	if (isnan(value) || value < 0 || value > 1)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("%s of the match model is %g, not a probability between 0 and 1", what, value)));
	return ModelProbability(value);
}

/* Make an empty model */
MatchModel *
ModelCreate(void)
{
	MatchModel *model = palloc0(sizeof(MatchModel));

	model->given = model->family = -1;
	model->swapped_m = DEFAULT_SWAPPED;
	model->swapped_u = 0.5;
	model->block_limit = DEFAULT_BLOCK_LIMIT;
	model->prior = DEFAULT_PRIOR;
	model->match_probability = DEFAULT_MATCH;
	model->review_probability = DEFAULT_REVIEW;
	return model;
}

/* Add the mailbox and the domain of an e-mail address as fields, unless they are there */
void
ModelAddEmailParts(MatchModel *model, int email)
{
	for (int part = PART_MAILBOX; part <= PART_DOMAIN; part++)
	{
		char	   *name = psprintf("%s.%s", model->fields[email].name, FieldPartNames[part]);
		ModelField *field;

		if (ModelFindField(model, name) >= 0)
			continue;
		CheckCount(model->field_count + 1, MODEL_MAX_FIELDS, "fields");
		field = &model->fields[model->field_count++];
		field->name = name;
		field->kind = KIND_CATEGORY;
		field->part = part;
		field->whole = email;
		field->agreement = field->rest_frequency = 0.01;
		field->rest_word_frequency = 1e-4;
	}
}

/* Read the words that mark a unit of a group */
static void
ReadUnits(ModelField *field, JsonbContainer *array)
{
	CheckCount(JsonLength(array), MODEL_MAX_UNITS, "units of a field");
	field->unit_count = JsonLength(array);
	field->units = palloc(sizeof(char *) * Max(field->unit_count, 1));
	for (int i = 0; i < field->unit_count; i++)
		field->units[i] = JsonElementText(array, i, "units");
}

/* Read the fields, and add what e-mail addresses fall into */
static void
ReadFields(MatchModel *model, JsonbContainer *array)
{
	CheckCount(JsonLength(array), MODEL_MAX_FIELDS, "fields");
	for (int i = 0; i < JsonLength(array); i++)
	{
		JsonbContainer *object = JsonElement(array, i, "fields");
		ModelField *field = &model->fields[model->field_count];
		char	   *of = JsonText(object, "of");
		char	   *part = JsonText(object, "part");

		field->name = JsonText(object, "field");
		if (field->name == NULL || ModelFindField(model, field->name) >= 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a field of the match model has no name of its own: %s", field->name ? field->name : "(none)")));
		field->kind = FindName(JsonText(object, "kind"), FieldKindNames, KIND_COUNT, "kind of field");
		field->column = JsonText(object, "column");
		field->full_name = JsonText(object, "full_name");
		field->part = part ? FindName(part, FieldPartNames, lengthof(FieldPartNames), "part of a field") : PART_WHOLE;
		field->whole = of ? NamedField(model, of, "a field") : -1;
		if ((field->part == PART_WHOLE) != (field->whole < 0) ||
			(field->whole >= 0 && model->fields[field->whole].kind != KIND_EMAIL))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("field \"%s\" of the match model is not a part of an e-mail address", field->name)));
		if (field->part == PART_WHOLE && field->column == NULL && field->full_name == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("field \"%s\" of the match model has no column", field->name)));
		field->never_blocks = !JsonBoolean(object, "blocking", true);
		field->agreement = Probability(JsonNumber(object, "agreement", 0.01), "the agreement of a field");
		field->frequency_count = JsonNumbersByName(JsonMember(object, "frequencies", false),
												   &field->frequent, &field->frequencies);
		field->rest_frequency = Probability(JsonNumber(object, "rest_frequency", field->agreement), "a frequency");
		field->word_count = JsonNumbersByName(JsonMember(object, "words", false),
											  &field->words, &field->word_frequencies);
		field->rest_word_frequency = Probability(JsonNumber(object, "rest_word_frequency", 1e-4), "a frequency");
		ReadUnits(field, JsonMember(object, "units", true));
		for (int v = 0; v < field->frequency_count; v++)
			field->frequencies[v] = Probability(field->frequencies[v], "a frequency");
		for (int v = 0; v < field->word_count; v++)
			field->word_frequencies[v] = Probability(field->word_frequencies[v], "a frequency");
		model->field_count++;
	}
	for (int f = 0; f < model->field_count; f++)
		if (model->fields[f].kind == KIND_EMAIL && model->fields[f].part == PART_WHOLE)
			ModelAddEmailParts(model, f);
}

/* Do thresholds of one test rise from level to level when they should fall? */
static bool
IsOutOfOrder(const ModelComparison *comparison, int level)
{
	LevelTest	test = comparison->levels[level].test;
	bool		falls = test == TEST_JARO_WINKLER || test == TEST_QGRAMS || test == TEST_WORDS ||
		test == TEST_DATE_PARTS || test == TEST_RATIO;

	for (int l = 0; l < level; l++)
		if (comparison->levels[l].test == test && (test != TEST_SAME_DOMAIN || comparison->levels[level].threshold != 0) &&
			(falls ? comparison->levels[l].threshold <= comparison->levels[level].threshold :
			 comparison->levels[l].threshold >= comparison->levels[level].threshold))
			return true;
	return false;
}

/* Read the levels of a comparison */
static void
ReadLevels(ModelComparison *comparison, JsonbContainer *array)
{
	CheckCount(JsonLength(array), MODEL_MAX_LEVELS, "levels in a comparison");
	for (int i = 0; i < JsonLength(array); i++)
	{
		JsonbContainer *object = JsonElement(array, i, "levels");
		ModelLevel *level = &comparison->levels[i];

		level->test = FindName(JsonText(object, "test"), LevelTestNames, TEST_COUNT, "test of a level");
		level->label = JsonText(object, "level");
		if (level->label == NULL)
			level->label = pstrdup(LevelTestNames[level->test]);
		level->threshold = JsonNumber(object, "threshold", 0);
		level->uses_frequency = JsonBoolean(object, "frequency", false);
		level->m = Probability(JsonNumber(object, "m", 0.1), "m");
		level->u = Probability(JsonNumber(object, "u", 0.1), "u");
		for (int r = 0; r < RELATED_COUNT; r++)
			level->related[r] = Probability(JsonNumber(object, RelatedNames[r], level->u), "a probability of related entities");
		comparison->level_count++;
		if (IsOutOfOrder(comparison, i))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("level \"%s\" of comparison \"%s\" can never be reached", level->label, comparison->name),
					 errhint("Order the thresholds of one test from the strictest on.")));
	}
}

/* Read the comparisons */
static void
ReadComparisons(MatchModel *model, JsonbContainer *array)
{
	CheckCount(JsonLength(array), MODEL_MAX_COMPARISONS, "comparisons");
	for (int i = 0; i < JsonLength(array); i++)
	{
		JsonbContainer *object = JsonElement(array, i, "comparisons");
		ModelComparison *comparison = &model->comparisons[model->comparison_count++];
		JsonbContainer *levels = JsonMember(object, "levels", true);
		char	   *field = JsonText(object, "field");
		char	   *email = JsonText(object, "email");
		FieldKind	kind;

		comparison->name = JsonText(object, "comparison");
		if (comparison->name == NULL)
			comparison->name = field;
		comparison->field = NamedField(model, field, "a comparison");
		for (int c = 0; c < model->comparison_count - 1; c++)
			if (strcmp(model->comparisons[c].name, comparison->name) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("two comparisons of the match model are named \"%s\"", comparison->name),
						 errhint("A comparison is named after its field unless \"comparison\" gives it another name.")));
		kind = model->fields[comparison->field].kind;
		for (int r = 0; r < RELATED_COUNT; r++)
			comparison->is_shared[r] = JsonBoolean(object, RelatedNames[r], false);
		comparison->mailbox = comparison->domain = -1;
		if (email == NULL && kind == KIND_EMAIL)
			email = field;
		if (email)
		{
			comparison->mailbox = NamedField(model, psprintf("%s.%s", email, FieldPartNames[PART_MAILBOX]), "a comparison");
			comparison->domain = NamedField(model, psprintf("%s.%s", email, FieldPartNames[PART_DOMAIN]), "a comparison");
		}
		if (JsonLength(levels) > 0)
			ReadLevels(comparison, levels);
		else
			ModelDefaultLevels(comparison, kind);
		if (comparison->level_count < 2 || comparison->levels[comparison->level_count - 1].test != TEST_ELSE)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the levels of comparison \"%s\" do not end with \"else\"", comparison->name)));
	}
	if (model->comparison_count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the match model has no comparisons")));
}

/* Find a comparison that something names */
static int
NamedComparison(const MatchModel *model, const char *name, const char *what)
{
	for (int c = 0; name && c < model->comparison_count; c++)
		if (strcmp(model->comparisons[c].name, name) == 0)
			return c;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s of the match model names an unknown comparison: %s", what, name ? name : "(none)")));
}

/* Read one table of ratios of joint probabilities */
static void
ReadJoint(const MatchModel *model, const ModelGroup *group, JsonbContainer *rows,
		  double joint[MODEL_MAX_LEVELS][MODEL_MAX_LEVELS])
{
	for (int a = 0; a < model->comparisons[group->left].level_count; a++)
	{
		JsonbContainer *row = JsonLength(rows) > a ? JsonElement(rows, a, "groups") : NULL;

		for (int b = 0; b < model->comparisons[group->right].level_count; b++)
			joint[a][b] = JsonLength(row) > b ?
				Max(LEAST_PROBABILITY, JsonElementNumber(row, b, "groups")) : 1;
	}
}

/* Order texts that are pointed to */
static int
CompareTexts(const void *a, const void *b)
{
	return strcmp(**(char **const *) a, **(char **const *) b);
}

/* List where the frequent values of a field are, in the order of the values */
static char ***
FrequentInOrder(const ModelField *field)
{
	char	 ***list = palloc(sizeof(char **) * Max(field->frequency_count, 1));

	for (int v = 0; v < field->frequency_count; v++)
		list[v] = &field->frequent[v];
	qsort(list, field->frequency_count, sizeof(char **), CompareTexts);
	return list;
}

/* Find the place of a value among the frequent ones of a field, from 1 on; 0 when it is not one of them */
static int
FrequentPlace(const ModelField *field, char ***list, char *value)
{
	char	  **wanted = &value;
	char	 ***found = bsearch(&wanted, list, field->frequency_count, sizeof(char **), CompareTexts);

	return found ? *found - field->frequent + 1 : 0;
}

/* Order whole names */
static int
CompareWholeNames(const void *a, const void *b)
{
	uint32		left = ((const WholeName *) a)->name;
	uint32		right = ((const WholeName *) b)->name;

	return left < right ? -1 : left > right;
}

/* Read how often frequent whole names occur; those of parts that are not frequent are left out */
static void
ReadWholeNames(MatchModel *model, JsonbContainer *array)
{
	const ModelField *given = &model->fields[model->comparisons[model->given].field];
	const ModelField *family = &model->fields[model->comparisons[model->family].field];
	char	 ***givens = FrequentInOrder(given);
	char	 ***families = FrequentInOrder(family);

	CheckCount(JsonLength(array), MODEL_MAX_WHOLE_NAMES, "whole names");
	model->whole_names = palloc(sizeof(WholeName) * Max(JsonLength(array), 1));
	for (int i = 0; i < JsonLength(array); i++)
	{
		JsonbContainer *entry = JsonElement(array, i, "whole_names");
		int			given_place = FrequentPlace(given, givens, JsonElementText(entry, 0, "whole_names"));
		int			family_place = FrequentPlace(family, families, JsonElementText(entry, 1, "whole_names"));
		double		frequency = Probability(JsonElementNumber(entry, 2, "whole_names"), "a frequency");

		if (given_place > 0 && family_place > 0 && given_place <= PG_UINT16_MAX && family_place <= PG_UINT16_MAX)
			model->whole_names[model->whole_name_count++] = (WholeName)
		{
			WHOLE_NAME(given_place, family_place), frequency
		};
	}
	qsort(model->whole_names, model->whole_name_count, sizeof(WholeName), CompareWholeNames);
}

/* Read the groups of comparisons that depend on each other, and the order of names */
static void
ReadGroups(MatchModel *model, JsonbContainer *root)
{
	JsonbContainer *array = JsonMember(root, "groups", true);
	JsonbContainer *order = JsonMember(root, "name_order", false);

	CheckCount(JsonLength(array), MODEL_MAX_COMPARISONS, "groups");
	for (int i = 0; i < JsonLength(array); i++)
	{
		JsonbContainer *object = JsonElement(array, i, "groups");
		ModelGroup *group = &model->groups[model->group_count++];

		group->left = NamedComparison(model, JsonText(object, "left"), "a group");
		group->right = NamedComparison(model, JsonText(object, "right"), "a group");
		ReadJoint(model, group, JsonMember(object, "m", true), group->m);
		ReadJoint(model, group, JsonMember(object, "u", true), group->u);
	}
	if (order == NULL)
		return;
	model->given = NamedComparison(model, JsonText(order, "given"), "the order of names");
	model->family = NamedComparison(model, JsonText(order, "family"), "the order of names");
	model->swapped_m = Probability(JsonNumber(order, "swapped_m", DEFAULT_SWAPPED), "swapped_m");
	model->swapped_u = Probability(JsonNumber(order, "swapped_u", 0.5), "swapped_u");
	if (model->given == model->family)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the order of names in the match model is that of one comparison")));
	ReadWholeNames(model, JsonMember(order, "whole_names", true));
}

/* Read a part of a key: field, field:transform or field:transform:length */
static void
ReadKeyPart(const MatchModel *model, KeyPart *part, char *text)
{
	char	   *transform = strchr(text, ':');
	char	   *length = NULL;

	if (transform)
	{
		*transform++ = '\0';
		length = strchr(transform, ':');
		if (length)
			*length++ = '\0';
	}
	part->field = NamedField(model, text, "a key");
	part->transform = transform ? FindName(transform, KeyTransformNames, TRANSFORM_COUNT, "transformation of a key") :
		TRANSFORM_EXACT;
	part->length = length ? pg_strtoint32(length) : part->transform == TRANSFORM_LAST_DIGITS ? 6 :
		part->transform == TRANSFORM_LONG_WORD ? 1 : 3;
	if (part->length < 1 || part->length > 100)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a key of the match model has a part of length %d", part->length)));
	if (part->transform == TRANSFORM_ANY_NAME && model->family < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a key of the match model takes any name, but the model has no order of names")));
}

/* Read the blocking keys and what splits blocks that are too large */
static void
ReadKeys(MatchModel *model, JsonbContainer *root)
{
	JsonbContainer *array = JsonMember(root, "keys", true);
	JsonbContainer *refinements = JsonMember(root, "refinements", true);

	CheckCount(JsonLength(array), MODEL_MAX_KEYS, "keys");
	for (int i = 0; i < JsonLength(array); i++)
	{
		JsonbContainer *object = JsonElement(array, i, "keys");
		JsonbContainer *parts = JsonMember(object, "parts", true);
		ModelKey   *key = &model->keys[model->key_count++];

		CheckCount(JsonLength(parts), MODEL_MAX_PARTS, "parts in a key");
		if (JsonLength(parts) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a key of the match model has no parts")));
		for (int p = 0; p < JsonLength(parts); p++)
			ReadKeyPart(model, &key->parts[key->part_count++], JsonElementText(parts, p, "parts"));
		key->recall = JsonNumber(object, "recall", -1);
	}
	CheckCount(JsonLength(refinements), MODEL_MAX_REFINEMENTS, "refinements");
	for (int i = 0; i < JsonLength(refinements); i++)
		ReadKeyPart(model, &model->refinements[model->refinement_count++],
					JsonElementText(refinements, i, "refinements"));
}

/* Read a model from its document; errors name what is wrong */
MatchModel *
ModelRead(Jsonb *document)
{
	MatchModel *model = ModelCreate();
	JsonbContainer *root = &document->root;
	JsonbValue	report;

	if (!JB_ROOT_IS_OBJECT(document))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a match model is a JSON object"),
				 errhint("lead_mgmt.propose_match_model() makes one for any table.")));
	model->key_column = JsonText(root, "key");
	ReadFields(model, JsonMember(root, "fields", true));
	ReadComparisons(model, JsonMember(root, "comparisons", true));
	ReadGroups(model, root);
	ReadKeys(model, root);
	model->block_limit = (int) JsonNumber(root, "block_limit", DEFAULT_BLOCK_LIMIT);
	if (model->block_limit < 2 || model->block_limit > 100000)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("the block limit of the match model is %d, not between 2 and 100000", model->block_limit)));
	model->expected_records = JsonNumber(root, "expected_records", 0);
	model->prior = Probability(JsonNumber(root, "prior", DEFAULT_PRIOR), "the prior");
	for (int r = 0; r < RELATED_COUNT; r++)
		model->related_prior[r] = Probability(JsonNumber(root, psprintf("%s_prior", RelatedNames[r]), 0),
											  "the prior of related entities");
	model->match_probability = Probability(JsonNumber(root, "match_probability", DEFAULT_MATCH), "match_probability");
	model->review_probability = Probability(JsonNumber(root, "review_probability", DEFAULT_REVIEW), "review_probability");
	model->match_precision = JsonNumber(root, "match_precision", 0);
	if (model->match_precision != 0)
		model->match_precision = Probability(model->match_precision, "match_precision");
	if (model->review_probability > model->match_probability)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the match model would match from %g on and review from %g on",
						model->match_probability, model->review_probability),
				 errhint("review_probability cannot be above match_probability.")));
	model->is_trained = JsonBoolean(root, "trained", false);
	if (JsonMember(root, "report", false) &&
		getKeyJsonValueFromContainer(root, "report", strlen("report"), &report))
		model->report = JsonbValueToJsonb(&report);
	ModelCompile(model);
	return model;
}

/* Note the words that a field is compared by or blocked on */
static void
CompileWords(MatchModel *model)
{
	for (int c = 0; c < model->comparison_count; c++)
		for (int l = 0; l < model->comparisons[c].level_count; l++)
			if (LevelHasWords(&model->comparisons[c].levels[l]))
				model->fields[model->comparisons[c].field].has_words = true;
	for (int k = 0; k < model->key_count; k++)
		for (int p = 0; p < model->keys[k].part_count; p++)
			if (model->keys[k].parts[p].transform == TRANSFORM_RARE_WORDS)
				model->fields[model->keys[k].parts[p].field].has_words = true;
}

/* Let fields whose values may stand in each other's place share a dictionary */
static void
CompileDictionaries(MatchModel *model)
{
	int			names = -1;

	model->dictionary_count = 0;
	for (int f = 0; f < model->field_count; f++)
	{
		ModelField *field = &model->fields[f];

		if (field->kind == KIND_GIVEN_NAME || field->kind == KIND_FAMILY_NAME)
		{
			if (names < 0)
				names = model->dictionary_count++;
			field->dictionary = names;
		}
		else
			field->dictionary = model->dictionary_count++;
	}
}

/* Get the most that the rarity of a value can add to a weight of a field */
static double
MostRarity(const MatchModel *model, int field)
{
	double		least = model->fields[field].rest_frequency;

	for (int v = 0; v < model->fields[field].frequency_count; v++)
		least = Min(least, model->fields[field].frequencies[v]);
	return Max(0, log2(model->fields[field].agreement) - log2(least));
}

/* Work out the weights of a comparison */
static void
CompileComparison(MatchModel *model, int c)
{
	ModelComparison *comparison = &model->comparisons[c];

	comparison->equal_level = comparison->level_count - 1;
	comparison->first_email_level = -1;
	comparison->most_rarity = 0;
	for (int l = comparison->level_count - 1; l >= 0; l--)
	{
		ModelLevel *level = &comparison->levels[l];

		level->weight = log2(level->m) - log2(level->u);
		for (int r = 0; r < RELATED_COUNT; r++)
			level->related_weight[r] = log2(level->related[r]) - log2(level->u);
		if (level->uses_frequency)
			comparison->most_rarity = Max(comparison->most_rarity,
										  MostRarity(model, level->test == TEST_SAME_DOMAIN ? comparison->domain :
													 level->test == TEST_SAME_MAILBOX ? comparison->mailbox : comparison->field));
		if (level->test == TEST_EMAIL_NAME || level->test == TEST_EMAIL_INITIAL || level->test == TEST_EMAIL_OTHER)
		{
			if (comparison->mailbox < 0)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("level \"%s\" of comparison \"%s\" needs an e-mail field", level->label, comparison->name)));
			comparison->first_email_level = l;
			continue;
		}
		if (level->test == TEST_EXACT || level->test == TEST_JARO_WINKLER || level->test == TEST_EDITS ||
			level->test == TEST_QGRAMS || level->test == TEST_WORDS || level->test == TEST_ELSE)
			comparison->equal_level = l;
	}
}

/* Work out whatever follows from what the model says */
void
ModelCompile(MatchModel *model)
{
	CompileWords(model);
	CompileDictionaries(model);
	for (int f = 0; f < model->field_count; f++)
		model->fields[f].agreement_weight = log2(model->fields[f].agreement);
	model->prior_weight = log2(model->prior) - log2(1 - model->prior);
	for (int r = 0; r < RELATED_COUNT; r++)
		model->related_prior_weight[r] = log2(model->related_prior[r]) - log2(1 - model->related_prior[r]);
	for (int c = 0; c < model->comparison_count; c++)
		CompileComparison(model, c);
	for (int g = 0; g < model->group_count; g++)
	{
		ModelGroup *group = &model->groups[g];
		const ModelComparison *left = &model->comparisons[group->left];
		const ModelComparison *right = &model->comparisons[group->right];

		for (int a = 0; a < left->level_count; a++)
			for (int b = 0; b < right->level_count; b++)
			{
				group->weight[a][b] = log2(group->m[a][b]) - log2(group->u[a][b]);
				group->related_weight[a][b] = -log2(group->u[a][b]);
			}
	}
	if (model->given >= 0 && model->family >= 0)
	{
		model->swapped_weight = log2(model->swapped_m) - log2(model->swapped_u);
		model->straight_weight = log2(1 - model->swapped_m) - log2(1 - model->swapped_u);
	}
}
