/*
 * How often whole names occur.
 *
 * Given and family names go together: a family name is mostly that of one
 * people, which has given names of its own, and what is put down by those who
 * will not say their name ("John Doe") goes together always.  So the chance
 * that two persons have one name is not the product of the chances of its
 * parts; where a name is frequent, it is measured, and what the parts say
 * together is bounded by what the whole does.
 *
 * A name is also frequent where one person is often among the records.  Of the
 * pairs of records of a name, as many are of one person as the share of those
 * that agree in something else, set against how often records of one entity
 * do (the moment estimator of a mixture of two, the other one never agreeing);
 * of the things they may agree in the one counts that leaves fewest others.
 */
#include "postgres.h"

#include <math.h>

#include "matching/train.h"
#include "miscadmin.h"

/* A name must occur so often, and be that of so many others, to be worth measuring */
#define MIN_OCCURRENCES 4
#define MIN_OTHERS 3

/* Pairs that are taken to agree as those of one entity do, over and above those seen */
#define DAMPING 2

/* The records of a whole name */
typedef struct NameHolder
{
	uint32		name;
	uint32		record;
} NameHolder;

/* Order by name */
static int
CompareNameHolders(const void *a, const void *b)
{
	const NameHolder *left = a;
	const NameHolder *right = b;

	if (left->name != right->name)
		return left->name < right->name ? -1 : 1;
	return left->record < right->record ? -1 : left->record > right->record;
}

/* Order ids */
static int
CompareIds(const void *a, const void *b)
{
	uint32		left = *(const uint32 *) a;
	uint32		right = *(const uint32 *) b;

	return left < right ? -1 : left > right;
}

/* Does the kind of field tell persons apart? */
static bool
TellsApart(FieldKind kind)
{
	switch (kind)
	{
		case KIND_ORGANISATION:
		case KIND_EMAIL:
		case KIND_WEBSITE:
		case KIND_PHONE:
		case KIND_DATE:
		case KIND_ADDRESS:
		case KIND_POSTCODE:
		case KIND_IDENTIFIER:
			return true;
		default:
			return false;
	}
}

/* Get the share of the pairs of some records of one name that are of one person */
static double
ShareOfOne(const MatchModel *model, const MatchRecords *records, const NameHolder *holders, uint32 count, uint32 *ids)
{
	double		most = -1;

	for (int c = 0; c < model->comparison_count; c++)
	{
		const ModelComparison *comparison = &model->comparisons[c];
		double		m = comparison->levels[comparison->equal_level].m;
		double		agreeing = 0;
		double		pairs;
		uint32		present = 0;
		uint32		run = 0;

		if (!TellsApart(model->fields[comparison->field].kind))
			continue;
		for (uint32 i = 0; i < count; i++)
		{
			uint32		id = RecordIds(records, holders[i].record)[comparison->field];

			if (id != VALUE_BLANK)
				ids[present++] = id;
		}
		if (present < 2)
			continue;
		qsort(ids, present, sizeof(uint32), CompareIds);
		for (uint32 i = 1; i < present; i++)
		{
			run = ids[i] == ids[i - 1] ? run + 1 : 0;
			agreeing += run;
		}
		pairs = present * (present - 1.0) / 2;
		most = Max(most, (agreeing + DAMPING * m) / (pairs + DAMPING) / m);
	}
	return most < 0 ? 1 : Min(most, 1);
}

/* Measure how often others have each frequent whole name; the ranks of its parts are known */
void
ModelMeasureWholeNames(MatchModel *model, const MatchRecords *records)
{
	NameHolder *holders;
	uint32	   *ids;
	uint32		count = 0;
	double		total = 0;
	int			given;
	int			family;

	model->whole_name_count = 0;
	model->whole_names = palloc(sizeof(WholeName) * MODEL_MAX_WHOLE_NAMES);
	if (model->given < 0 || model->family < 0)
		return;
	given = model->comparisons[model->given].field;
	family = model->comparisons[model->family].field;
	holders = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(NameHolder) * (uint64) Max(records->count, 1));
	for (uint32 r = 0; r < records->count; r++)
	{
		const uint32 *line = RecordIds(records, r);
		uint16		given_rank = ValueRank(records, given, line[given]);
		uint16		family_rank = ValueRank(records, family, line[family]);

		total += line[given] != VALUE_BLANK && line[family] != VALUE_BLANK;
		if (given_rank != 0 && family_rank != 0)
			holders[count++] = (NameHolder) {WHOLE_NAME(given_rank, family_rank), r};
	}
	qsort(holders, count, sizeof(NameHolder), CompareNameHolders);
	ids = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * (uint64) Max(count, 1));
	for (uint32 from = 0, to; from < count && model->whole_name_count < MODEL_MAX_WHOLE_NAMES; from = to)
	{
		uint32		name = holders[from].name;
		double		others;
		double		by_chance;

		CHECK_FOR_INTERRUPTS();
		for (to = from; to < count && holders[to].name == name; to++)
			;
		if (to - from < MIN_OCCURRENCES)
			continue;
		others = (to - from - 1) * (1 - ShareOfOne(model, records, holders + from, to - from, ids));
		by_chance = model->fields[given].frequencies[WHOLE_NAME_GIVEN(name) - 1] *
			model->fields[family].frequencies[WHOLE_NAME_FAMILY(name) - 1];
		if (others >= MIN_OTHERS && others / total > by_chance)
			model->whole_names[model->whole_name_count++] = (WholeName) {name, ModelProbability(others / total)};
	}
	pfree(holders);
	pfree(ids);
}

/* Note -log2 of the frequency of whole names */
void
RecordsSetWholeNames(MatchRecords *records)
{
	const MatchModel *model = records->model;

	if (records->whole_names)
		pfree(records->whole_names);
	records->whole_names = MemoryContextAlloc(records->context, sizeof(WholeName) * Max(model->whole_name_count, 1));
	for (int i = 0; i < model->whole_name_count; i++)
		records->whole_names[i] = (WholeName) {model->whole_names[i].name, -log2(model->whole_names[i].frequency)};
}

/* Get how rare a whole name is; infinite where that is not known to be less than its parts say */
double
WholeNameRarity(const MatchRecords *records, uint32 given, uint32 family)
{
	const MatchModel *model = records->model;
	uint32		name = WHOLE_NAME(ValueRank(records, model->comparisons[model->given].field, given),
								  ValueRank(records, model->comparisons[model->family].field, family));
	int			from = 0;
	int			to = model->whole_name_count;

	while (from < to)
	{
		int			middle = (from + to) / 2;

		if (records->whole_names[middle].name == name)
			return records->whole_names[middle].frequency;
		if (records->whole_names[middle].name < name)
			from = middle + 1;
		else
			to = middle;
	}
	return INFINITY;
}
