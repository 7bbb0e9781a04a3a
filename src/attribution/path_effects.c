/*
 * What channels contribute, from paths that an aggregate gathered: removal
 * effects of a Markov chain, and Shapley values.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "attribution/attribution.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

/* Channels over whose coalitions a game is played out: 2^20 doubles */
#define MAX_PLAYERS		20

/* Order numbers of channels */
static int
CompareNumbers(const void *a, const void *b)
{
	return *(const int *) a - *(const int *) b;
}

/* Get the different channels of a path: by first touch, or by number */
static int
DistinctChannels(const PathCounts *paths, const PathCount *path, bool by_first, int *distinct, bool *seen)
{
	const int  *steps = paths->steps + path->offset;
	int			count = 0;

	for (int i = 0; i < path->length; i++)
		if (!seen[steps[i]])
		{
			seen[steps[i]] = true;
			distinct[count++] = steps[i];
		}
	for (int i = 0; i < count; i++)
		seen[distinct[i]] = false;
	if (!by_first)
		qsort(distinct, count, sizeof(int), CompareNumbers);
	return count;
}

/* Begin to build an array of rows of the type that the aggregate returns */
static ArrayBuildState *
BeginRows(FunctionCallInfo fcinfo, TupleDesc *descriptor)
{
	Oid			row_type = get_element_type(get_fn_expr_rettype(fcinfo->flinfo));

	if (!OidIsValid(row_type))
		row_type = get_element_type(get_func_rettype(fcinfo->flinfo->fn_oid));
	*descriptor = lookup_rowtype_tupdesc_copy(row_type, -1);
	return initArrayResult(row_type, CurrentMemoryContext, false);
}

/* Add a row to an array */
static ArrayBuildState *
AddRow(ArrayBuildState *rows, TupleDesc descriptor, Datum *values, bool *nulls)
{
	return accumArrayResult(rows, heap_copy_tuple_as_datum(heap_form_tuple(descriptor, values, nulls), descriptor),
							false, rows->element_type, CurrentMemoryContext);
}

/* Make an array of what channels contribute, in the order of their names */
static Datum
EffectRows(FunctionCallInfo fcinfo, const ChannelNames *channels, const ChannelEffect *effects, bool has_effects)
{
	TupleDesc	descriptor;
	ArrayBuildState *rows = BeginRows(fcinfo, &descriptor);
	int		   *order = ChannelsInOrder(channels);

	for (int i = 0; i < channels->count; i++)
	{
		const ChannelEffect *effect = &effects[order[i]];
		Datum		values[5] = {ChannelDatum(channels, order[i]), Float8GetDatum(effect->removal_effect),
		Float8GetDatum(effect->conversions), Float8GetDatum(effect->removal_effect_value),
		Float8GetDatum(effect->value)};
		bool		nulls[5] = {false, !has_effects, false, !has_effects, false};

		rows = AddRow(rows, descriptor, values, nulls);
	}
	return makeArrayResult(rows, CurrentMemoryContext);
}

/* Get the removal effects of the channels of all paths */
PG_FUNCTION_INFO_V1(paths_markov);
Datum
paths_markov(PG_FUNCTION_ARGS)
{
	const PathCounts *paths;
	MarkovChain *chain;
	ChannelEffect *effects;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	paths = (PathCounts *) PG_GETARG_POINTER(0);
	chain = MarkovCreate(paths->order, CurrentMemoryContext);
	for (int i = 0; i < paths->count; i++)
	{
		const PathCount *path = &paths->paths[i];

		MarkovAdd(chain, paths->steps + path->offset, path->length, path->conversions, path->nulls, path->value);
	}
	effects = palloc_extended(sizeof(ChannelEffect) * ((Size) paths->channels->count + 1), MCXT_ALLOC_HUGE);
	MarkovSolve(chain, paths->channels->count, effects);
	PG_RETURN_DATUM(EffectRows(fcinfo, paths->channels, effects, true));
}

/*
 * Get Shapley values in closed form: where a coalition wins what its channels
 * win without others, each channel of a path has an equal share of it (Zhao,
 * Mahboobi and Bagheri 2018, theorem 1).
 */
PG_FUNCTION_INFO_V1(paths_shapley);
Datum
paths_shapley(PG_FUNCTION_ARGS)
{
	const PathCounts *paths;
	ChannelEffect *effects;
	int		   *distinct;
	bool	   *seen;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	paths = (PathCounts *) PG_GETARG_POINTER(0);
	effects = palloc_extended(sizeof(ChannelEffect) * ((Size) paths->channels->count + 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	distinct = palloc_extended(sizeof(int) * ((Size) paths->channels->count + 1), MCXT_ALLOC_HUGE);
	seen = palloc_extended((Size) paths->channels->count + 1, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int i = 0; i < paths->count; i++)
	{
		const PathCount *path = &paths->paths[i];
		int			count = DistinctChannels(paths, path, true, distinct, seen);

		for (int c = 0; c < count; c++)
		{
			effects[distinct[c]].conversions += path->conversions / count;
			effects[distinct[c]].value += path->value / count;
		}
	}
	PG_RETURN_DATUM(EffectRows(fcinfo, paths->channels, effects, false));
}

/*
 * Get Shapley values in closed form by channel and position: what a channel
 * has as the n-th of the different channels of a path (Zhao, Mahboobi and
 * Bagheri 2018, theorem 2). Positions of a channel add up to its value.
 */
PG_FUNCTION_INFO_V1(paths_shapley_ordered);
Datum
paths_shapley_ordered(PG_FUNCTION_ARGS)
{
	const PathCounts *paths;
	TupleDesc	descriptor;
	ArrayBuildState *rows;
	ChannelEffect **effects;
	int		   *positions;
	int		   *order;
	int		   *distinct;
	bool	   *seen;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	paths = (PathCounts *) PG_GETARG_POINTER(0);
	effects = palloc0(sizeof(ChannelEffect *) * (paths->channels->count + 1));
	positions = palloc0(sizeof(int) * (paths->channels->count + 1));
	distinct = palloc(sizeof(int) * (paths->channels->count + 1));
	seen = palloc0(paths->channels->count + 1);
	for (int i = 0; i < paths->count; i++)
	{
		const PathCount *path = &paths->paths[i];
		int			count = DistinctChannels(paths, path, true, distinct, seen);

		for (int p = 0; p < count; p++)
		{
			int			channel = distinct[p];

			if (p >= positions[channel])
			{
				int			old = positions[channel];

				positions[channel] = (p + 1) * 2;
				effects[channel] = old ? repalloc_huge(effects[channel], sizeof(ChannelEffect) * (Size) positions[channel]) :
					palloc_extended(sizeof(ChannelEffect) * (Size) positions[channel], MCXT_ALLOC_HUGE);
				memset(effects[channel] + old, 0, sizeof(ChannelEffect) * (positions[channel] - old));
			}
			effects[channel][p].removal_effect = 1;
			effects[channel][p].conversions += path->conversions / count;
			effects[channel][p].value += path->value / count;
		}
	}
	rows = BeginRows(fcinfo, &descriptor);
	order = ChannelsInOrder(paths->channels);
	for (int i = 0; i < paths->channels->count; i++)
		for (int p = 0; p < positions[order[i]]; p++)
		{
			const ChannelEffect *effect = &effects[order[i]][p];
			Datum		values[4] = {ChannelDatum(paths->channels, order[i]), Int32GetDatum(p + 1),
			Float8GetDatum(effect->conversions), Float8GetDatum(effect->value)};
			bool		nulls[4] = {false};

			if (effect->removal_effect > 0)
				rows = AddRow(rows, descriptor, values, nulls);
		}
	PG_RETURN_DATUM(makeArrayResult(rows, CurrentMemoryContext));
}

/* Add to each coalition what its parts have */
static void
SumOverParts(double *worth, int players)
{
	for (int p = 0; p < players; p++)
	{
		for (uint32 s = 0; s < (uint32) 1 << players; s++)
			if (s >> p & 1)
				worth[s] += worth[s ^ ((uint32) 1 << p)];
		CHECK_FOR_INTERRUPTS();
	}
}

/*
 * Get Shapley values by their definition: the mean, over all orders in which
 * the channels could join, of what each adds to those before it. The worth of
 * a coalition is the share of the paths within it that convert, and the values
 * divide the share of all paths that do.
 */
PG_FUNCTION_INFO_V1(paths_shapley_rate);
Datum
paths_shapley_rate(PG_FUNCTION_ARGS)
{
	const PathCounts *paths;
	int			players;
	uint32		coalitions;
	double	   *conversions;
	double	   *tries;
	double	   *value;
	double		weights[MAX_PLAYERS + 1] = {0};
	double		total[3] = {0};
	double		sum = 0;
	double		value_sum = 0;
	ChannelEffect *effects;
	int		   *distinct;
	bool	   *seen;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	paths = (PathCounts *) PG_GETARG_POINTER(0);
	players = paths->channels->count;
	if (players > MAX_PLAYERS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%d channels have too many coalitions", players),
				 errhint("This Shapley value is computed for %d channels at most; shapley() has no limit.", MAX_PLAYERS)));
	coalitions = (uint32) 1 << players;
	conversions = palloc0(sizeof(double) * coalitions);
	tries = palloc0(sizeof(double) * coalitions);
	value = palloc0(sizeof(double) * coalitions);
	effects = palloc0(sizeof(ChannelEffect) * (players + 1));
	distinct = palloc(sizeof(int) * (players + 1));
	seen = palloc0(players + 1);
	for (int i = 0; i < paths->count; i++)
	{
		const PathCount *path = &paths->paths[i];
		int			count = DistinctChannels(paths, path, false, distinct, seen);
		uint32		coalition = 0;

		for (int c = 0; c < count; c++)
			coalition |= (uint32) 1 << distinct[c];
		if (coalition == 0)
			continue;
		conversions[coalition] += path->conversions;
		tries[coalition] += path->conversions + path->nulls;
		value[coalition] += path->value;
		total[0] += path->conversions;
		total[1] += path->value;
	}
	SumOverParts(conversions, players);
	SumOverParts(tries, players);
	SumOverParts(value, players);
	for (uint32 s = 1; s < coalitions; s++)
		if (tries[s] > 0)
		{
			conversions[s] /= tries[s];
			value[s] /= tries[s];
		}
	/* The share of the orders in which a given coalition of k comes first */
	for (int k = 0; k < players; k++)
		weights[k] = exp(lgamma(k + 1) + lgamma(players - k) - lgamma(players + 1));
	for (uint32 s = 0; s < coalitions; s++)
	{
		double		weight = weights[pg_popcount32(s)];

		for (int p = 0; p < players; p++)
			if (!(s >> p & 1))
			{
				uint32		with = s | (uint32) 1 << p;

				effects[p].removal_effect += weight * (conversions[with] - conversions[s]);
				effects[p].removal_effect_value += weight * (value[with] - value[s]);
			}
		if (s % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	for (int p = 0; p < players; p++)
	{
		sum += effects[p].removal_effect;
		value_sum += effects[p].removal_effect_value;
	}
	for (int p = 0; p < players; p++)
	{
		effects[p].conversions = sum != 0 ? total[0] * effects[p].removal_effect / sum : 0;
		effects[p].value = value_sum != 0 ? total[1] * effects[p].removal_effect_value / value_sum : 0;
	}
	PG_RETURN_DATUM(EffectRows(fcinfo, paths->channels, effects, true));
}
