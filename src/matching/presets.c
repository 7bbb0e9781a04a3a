/*
 * What a comparison of a kind of field is made of unless the model says
 * otherwise: its levels, and what m and u are likely to be before training.
 *
 * The m are about what data of sales and marketing show; they are where
 * training starts from, and what holds where the data say nothing.
 */
#include "postgres.h"

#include "matching/model.h"

typedef struct PresetLevel
{
	const char *label;
	LevelTest	test;
	double		threshold;
	bool		uses_frequency;
	double		m;
	double		u;
} PresetLevel;

static const PresetLevel given_name_levels[] = {
	{"same", TEST_EXACT, 0, true, 0.62, 0.005},
	{"short form", TEST_NICKNAME, 0, true, 0.05, 0.001},
	{"one edit", TEST_EDITS, 1, true, 0.08, 0.001},
	{"very similar", TEST_JARO_WINKLER, 0.9, true, 0.06, 0.003},
	{"part", TEST_PART, 0, true, 0.03, 0.001},
	{"initial", TEST_INITIAL, 0, false, 0.03, 0.002},
	{"similar", TEST_JARO_WINKLER, 0.8, false, 0.04, 0.01},
	{"somewhat similar", TEST_JARO_WINKLER, 0.7, false, 0.02, 0.03},
	{"in e-mail", TEST_EMAIL_NAME, 0, true, 0.5, 0.005},
	{"initial in e-mail", TEST_EMAIL_INITIAL, 0, false, 0.4, 0.15},
	{"not in e-mail", TEST_EMAIL_OTHER, 0, false, 0.1, 0.845},
	{"different", TEST_ELSE, 0, false, 0.07, 0.95}
};

static const PresetLevel family_name_levels[] = {
	{"same", TEST_EXACT, 0, true, 0.68, 0.002},
	{"one edit", TEST_EDITS, 1, true, 0.09, 0.0005},
	{"very similar", TEST_JARO_WINKLER, 0.9, true, 0.06, 0.002},
	{"part", TEST_PART, 0, true, 0.03, 0.0005},
	{"initial", TEST_INITIAL, 0, false, 0.01, 0.001},
	{"similar", TEST_JARO_WINKLER, 0.8, false, 0.04, 0.01},
	{"somewhat similar", TEST_JARO_WINKLER, 0.7, false, 0.02, 0.03},
	{"in e-mail", TEST_EMAIL_NAME, 0, true, 0.5, 0.002},
	{"initial in e-mail", TEST_EMAIL_INITIAL, 0, false, 0.35, 0.12},
	{"not in e-mail", TEST_EMAIL_OTHER, 0, false, 0.15, 0.878},
	{"different", TEST_ELSE, 0, false, 0.07, 0.95}
};

static const PresetLevel organisation_levels[] = {
	{"same", TEST_EXACT, 0, true, 0.55, 0.0005},
	{"another unit", TEST_UNIT, 0, false, 0.005, 0.0001},
	{"same words", TEST_WORDS, 0.95, true, 0.08, 0.0002},
	{"one edit", TEST_EDITS, 1, true, 0.06, 0.0001},
	{"part", TEST_PART, 0, true, 0.06, 0.001},
	{"words nearly the same", TEST_WORDS, 0.8, true, 0.06, 0.0005},
	{"acronym", TEST_ACRONYM, 0, false, 0.02, 0.0005},
	{"very similar", TEST_JARO_WINKLER, 0.92, true, 0.04, 0.001},
	{"words similar", TEST_WORDS, 0.6, false, 0.05, 0.003},
	{"half the letter pairs", TEST_QGRAMS, 0.5, false, 0.02, 0.001},
	{"some words", TEST_WORDS, 0.35, false, 0.03, 0.01},
	{"different", TEST_ELSE, 0, false, 0.03, 0.98}
};

static const PresetLevel email_levels[] = {
	{"same", TEST_EXACT, 0, true, 0.6, 0.000005},
	{"same domain, two edits", TEST_SAME_DOMAIN, 2, false, 0.05, 0.00002},
	{"two edits", TEST_EDITS, 2, false, 0.06, 0.000005},
	{"same mailbox", TEST_SAME_MAILBOX, 0, true, 0.06, 0.0001},
	{"four edits", TEST_EDITS, 4, false, 0.03, 0.0001},
	{"very similar", TEST_JARO_WINKLER, 0.92, false, 0.03, 0.001},
	{"same domain", TEST_SAME_DOMAIN, 0, true, 0.05, 0.05},
	{"different", TEST_ELSE, 0, false, 0.12, 0.94}
};

static const PresetLevel website_levels[] = {
	{"same", TEST_EXACT, 0, true, 0.8, 0.0005},
	{"two edits", TEST_EDITS, 2, false, 0.04, 0.0002},
	{"very similar", TEST_JARO_WINKLER, 0.9, false, 0.04, 0.003},
	{"different", TEST_ELSE, 0, false, 0.12, 0.99}
};

static const PresetLevel phone_levels[] = {
	{"same", TEST_EXACT, 0, true, 0.75, 0.00001},
	{"one digit", TEST_EDITS, 1, false, 0.05, 0.00001},
	{"two digits", TEST_EDITS, 2, false, 0.03, 0.0001},
	{"different", TEST_ELSE, 0, false, 0.17, 0.9998}
};

static const PresetLevel date_levels[] = {
	{"same", TEST_EXACT, 0, false, 0.7, 0.00005},
	{"day and month swapped", TEST_TRANSPOSED, 0, false, 0.02, 0.00002},
	{"one digit", TEST_DIGITS, 1, false, 0.1, 0.0005},
	{"within a month", TEST_DAYS, 31, false, 0.05, 0.002},
	{"two of three parts", TEST_DATE_PARTS, 2, false, 0.04, 0.005},
	{"year off by one or ten, within a month", TEST_YEAR_SLIP, 31, false, 0.03, 0.008},
	{"within a year", TEST_DAYS, 366, false, 0.02, 0.03},
	{"different", TEST_ELSE, 0, false, 0.04, 0.95}
};

static const PresetLevel address_levels[] = {
	{"same", TEST_EXACT, 0, true, 0.6, 0.0001},
	{"one edit", TEST_EDITS, 1, true, 0.08, 0.0001},
	{"words nearly the same", TEST_WORDS, 0.85, false, 0.1, 0.0005},
	{"very similar", TEST_JARO_WINKLER, 0.92, false, 0.04, 0.001},
	{"part", TEST_PART, 0, false, 0.03, 0.001},
	{"words similar", TEST_WORDS, 0.6, false, 0.05, 0.005},
	{"similar", TEST_JARO_WINKLER, 0.8, false, 0.03, 0.02},
	{"different", TEST_ELSE, 0, false, 0.07, 0.97}
};

static const PresetLevel postcode_levels[] = {
	{"same", TEST_EXACT, 0, true, 0.8, 0.001},
	{"one edit", TEST_EDITS, 1, false, 0.08, 0.005},
	{"two edits", TEST_EDITS, 2, false, 0.03, 0.03},
	{"different", TEST_ELSE, 0, false, 0.09, 0.96}
};

static const PresetLevel text_levels[] = {
	{"same", TEST_EXACT, 0, true, 0.72, 0.02},
	{"one edit", TEST_EDITS, 1, true, 0.08, 0.002},
	{"very similar", TEST_JARO_WINKLER, 0.9, true, 0.05, 0.005},
	{"part", TEST_PART, 0, true, 0.03, 0.003},
	{"similar", TEST_JARO_WINKLER, 0.8, false, 0.03, 0.01},
	{"somewhat similar", TEST_JARO_WINKLER, 0.7, false, 0.02, 0.03},
	{"different", TEST_ELSE, 0, false, 0.07, 0.93}
};

static const PresetLevel category_levels[] = {
	{"same", TEST_EXACT, 0, true, 0.9, 0.2},
	{"different", TEST_ELSE, 0, false, 0.1, 0.8}
};

static const PresetLevel identifier_levels[] = {
	{"same", TEST_EXACT, 0, false, 0.85, 0.00001},
	{"one edit", TEST_EDITS, 1, false, 0.07, 0.00001},
	{"two edits", TEST_EDITS, 2, false, 0.02, 0.0005},
	{"different", TEST_ELSE, 0, false, 0.06, 0.9995}
};

static const PresetLevel number_levels[] = {
	{"same", TEST_EXACT, 0, true, 0.8, 0.02},
	{"within a hundredth", TEST_RATIO, 0.99, false, 0.05, 0.02},
	{"within a tenth", TEST_RATIO, 0.9, false, 0.05, 0.06},
	{"different", TEST_ELSE, 0, false, 0.1, 0.9}
};

static const struct
{
	const PresetLevel *levels;
	int			count;
}			presets[KIND_COUNT] = {
	[KIND_GIVEN_NAME] = {given_name_levels, lengthof(given_name_levels)},
	[KIND_FAMILY_NAME] = {family_name_levels, lengthof(family_name_levels)},
	[KIND_FULL_NAME] = {text_levels, lengthof(text_levels)},
	[KIND_ORGANISATION] = {organisation_levels, lengthof(organisation_levels)},
	[KIND_EMAIL] = {email_levels, lengthof(email_levels)},
	[KIND_WEBSITE] = {website_levels, lengthof(website_levels)},
	[KIND_PHONE] = {phone_levels, lengthof(phone_levels)},
	[KIND_DATE] = {date_levels, lengthof(date_levels)},
	[KIND_ADDRESS] = {address_levels, lengthof(address_levels)},
	[KIND_POSTCODE] = {postcode_levels, lengthof(postcode_levels)},
	[KIND_TEXT] = {text_levels, lengthof(text_levels)},
	[KIND_CATEGORY] = {category_levels, lengthof(category_levels)},
	[KIND_IDENTIFIER] = {identifier_levels, lengthof(identifier_levels)},
	[KIND_NUMBER] = {number_levels, lengthof(number_levels)}
};

/*
 * Note which related entities have a kind of field in common.  Members of a
 * household share family name, address, phone and at times the mailbox,
 * colleagues company, domain, switchboard and place, companies of a group
 * address, website, phone and part of their names; namesakes the name,
 * branches website and tax number too; neighbours the place.  What is not
 * shared tells them apart.
 */
void
ModelDefaultShared(ModelComparison *comparison, FieldKind kind, bool of_persons, bool of_companies)
{
	bool	   *shared = comparison->is_shared;
	bool		has_colleagues = of_persons && of_companies;

	for (int r = 0; r < RELATED_COUNT; r++)
		shared[r] = false;
	switch (kind)
	{
		case KIND_GIVEN_NAME:
		case KIND_FULL_NAME:
			shared[RELATED_NAMESAKE] = true;
			break;
		case KIND_FAMILY_NAME:
			shared[RELATED_NAMESAKE] = shared[RELATED_KIN] = true;
			break;
		case KIND_DATE:
			break;
		case KIND_IDENTIFIER:
			shared[RELATED_NAMESAKE] = !of_persons;
			break;
		case KIND_ORGANISATION:
		case KIND_WEBSITE:
			shared[RELATED_KIN] = shared[RELATED_NAMESAKE] = !of_persons;
			shared[RELATED_COLLEAGUE] = has_colleagues;
			break;
		case KIND_EMAIL:
			shared[RELATED_KIN] = true;
			shared[RELATED_NAMESAKE] = !of_persons;
			shared[RELATED_COLLEAGUE] = has_colleagues;
			break;
		case KIND_PHONE:
		case KIND_NUMBER:
			shared[RELATED_KIN] = true;
			shared[RELATED_COLLEAGUE] = has_colleagues;
			break;
		case KIND_ADDRESS:
		case KIND_POSTCODE:
		case KIND_TEXT:
			shared[RELATED_KIN] = shared[RELATED_NEAR] = true;
			shared[RELATED_COLLEAGUE] = has_colleagues;
			break;
		case KIND_CATEGORY:
			shared[RELATED_KIN] = shared[RELATED_NAMESAKE] = shared[RELATED_NEAR] = true;
			shared[RELATED_COLLEAGUE] = has_colleagues;
			break;
	}
}

/*
 * Does the level mean that the values are the same, but for slips?  Names of
 * hosts are alike where names of companies are.
 */
bool
LevelIdentifies(const ModelLevel *level, FieldKind kind)
{
	switch (level->test)
	{
		case TEST_EXACT:
		case TEST_EDITS:
		case TEST_SAME_MAILBOX:
		case TEST_PART:
		case TEST_ACRONYM:
		case TEST_NICKNAME:
		case TEST_TRANSPOSED:
		case TEST_DIGITS:
		case TEST_RATIO:
		case TEST_DIFFERENCE:
			return true;
		case TEST_WORDS:
			return level->threshold >= 0.8;
		case TEST_JARO_WINKLER:
			return level->threshold >= 0.9 && kind != KIND_WEBSITE;
		case TEST_SAME_DOMAIN:
			return level->threshold > 0;
		default:
			return false;
	}
}

/*
 * Get how a comparison is likely to come out for related entities, or leave a
 * level negative that is free to be estimated.  Names of companies of one group
 * have words in common and words of their own, colleagues have addresses in one
 * domain; neither are the same.
 */
void
ModelFixedRelated(const ModelComparison *comparison, FieldKind kind, int related, bool of_persons, double *fixed)
{
	bool		is_partly = (related == RELATED_KIN && kind == KIND_ORGANISATION && !of_persons) ||
		(related == RELATED_COLLEAGUE && kind == KIND_EMAIL);

	for (int l = 0; l < comparison->level_count; l++)
		fixed[l] = is_partly && LevelIdentifies(&comparison->levels[l], kind) ? comparison->levels[l].u : -1;
}

/* Get how often values of a kind may not be the same at most between records of one entity */
double
KindMostDifferent(FieldKind kind)
{
	switch (kind)
	{
		case KIND_GIVEN_NAME:
			return 0.06;
		case KIND_FAMILY_NAME:
		case KIND_FULL_NAME:
			return 0.25;
		case KIND_ORGANISATION:
			return 0.15;
		case KIND_DATE:
		case KIND_IDENTIFIER:
			return 0.35;
		default:
			return 0.6;
	}
}

/* Give a comparison the levels that are usual for its kind of field */
void
ModelDefaultLevels(ModelComparison *comparison, FieldKind kind)
{
	comparison->level_count = 0;
	for (int i = 0; i < presets[kind].count; i++)
	{
		const PresetLevel *preset = &presets[kind].levels[i];

		if (comparison->mailbox < 0 &&
			(preset->test == TEST_EMAIL_NAME || preset->test == TEST_EMAIL_INITIAL || preset->test == TEST_EMAIL_OTHER))
			continue;
		comparison->levels[comparison->level_count++] = (ModelLevel) {
			.label = pstrdup(preset->label),.test = preset->test,.threshold = preset->threshold,
			.uses_frequency = preset->uses_frequency,.m = preset->m,.u = preset->u
		};
		for (int r = 0; r < RELATED_COUNT; r++)
			comparison->levels[comparison->level_count - 1].related[r] = preset->u;
	}
}
