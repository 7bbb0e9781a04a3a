/*
 * Markov chains of channels and the effects of removing one.
 *
 * The states are the start and the windows of k consecutive channels (a
 * shorter path is one window); a window equal to the one before is no step.
 * From its last window a path goes to the conversion or to nothing. Without a
 * channel, whatever would enter a window that has it is lost, and the removal
 * effect is the share of conversions that go with it (Anderl, Becker, von
 * Wangenheim and Schumann 2016).
 *
 * Nothing is simulated. With f(s) the expected number of visits to a window
 * and P the probabilities of the steps, f = P'f + P(start, .) over the windows
 * without the channel, and conversions are the sum of f(s) times the
 * probability to convert from s, value likewise. The system is sparse and
 * solved by Gauss-Seidel sweeps for COLUMNS channels at a time; between them
 * all of f is scaled so that as much flows out as in, which takes away the
 * slowest error, that of long paths (aggregation to one state, Stewart 1994,
 * section 6). The sum of the absolute residuals bounds the error of the
 * conversions, since none of the probabilities to convert exceeds 1.
 *
 * The visits counted are themselves the solution with all channels, so only
 * the removals need a system, and they begin from there.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "attribution/attribution.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* Channels whose removal is solved for at a time */
#define COLUMNS			8

/* Sweeps between checks of the residual, and at most in all */
#define SWEEPS			2
#define MAX_CHECKS		50000

/* Residuals beyond which rounding hides any progress, a visit */
#define SMALL_RESIDUAL	(4 * 2.220446049250313e-16)

typedef struct MarkovState
{
	double		visits;
	double		starts;			/* paths that begin in it */
	double		conversions;
	double		value;
} MarkovState;

typedef struct MarkovStep
{
	int			from;
	int			channel;
	int			to;
	double		count;
} MarkovStep;

struct MarkovChain
{
	MemoryContext context;
	int			order;
	int			states;
	int			state_capacity;
	MarkovState *state;
	int		   *windows;		/* order channels a state, then -1 */
	uint32		state_mask;
	int		   *state_slots;
	int			steps;
	int			step_capacity;
	MarkovStep *step;
	uint32		step_mask;
	int		   *step_slots;
	double		conversions;
	double		nulls;
	double		value;
};

/* Make slots of a hash table, all free */
static int *
MakeSlots(MemoryContext context, uint32 mask)
{
	int		   *slots = MemoryContextAllocHuge(context, sizeof(int) * ((Size) mask + 1));

	memset(slots, 0xFF, sizeof(int) * ((Size) mask + 1));
	return slots;
}

/* Make an empty chain */
MarkovChain *
MarkovCreate(int order, MemoryContext context)
{
	MarkovChain *chain = MemoryContextAllocZero(context, sizeof(MarkovChain));

	if (order < 1 || order > MAX_ORDER)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a Markov chain of order %d was asked for", order),
				 errhint("Choose 1 to %d.", MAX_ORDER)));
	chain->context = context;
	chain->order = order;
	chain->state_capacity = 256;
	chain->state = MemoryContextAlloc(context, sizeof(MarkovState) * chain->state_capacity);
	chain->windows = MemoryContextAlloc(context, sizeof(int) * chain->state_capacity * order);
	chain->state_mask = chain->state_capacity * 4 - 1;
	chain->state_slots = MakeSlots(context, chain->state_mask);
	chain->step_capacity = 1024;
	chain->step = MemoryContextAlloc(context, sizeof(MarkovStep) * chain->step_capacity);
	chain->step_mask = chain->step_capacity * 4 - 1;
	chain->step_slots = MakeSlots(context, chain->step_mask);
	return chain;
}

/* Hash a window, padded to the order */
static inline uint32
HashWindow(const int *window, int order)
{
	uint32		hash = 0;

	for (int i = 0; i < order; i++)
		hash = hash_combine(hash, murmurhash32((uint32) window[i]));
	return hash;
}

/* Double the room for states */
static void
GrowStates(MarkovChain *chain)
{
	if (chain->state_capacity > PG_INT32_MAX / 8 / chain->order)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the Markov chain has too many states"),
				 errhint("Choose a lower order.")));
	chain->state_capacity *= 2;
	chain->state = repalloc_huge(chain->state, sizeof(MarkovState) * chain->state_capacity);
	chain->windows = repalloc_huge(chain->windows, sizeof(int) * (Size) chain->state_capacity * chain->order);
	chain->state_mask = chain->state_capacity * 4 - 1;
	pfree(chain->state_slots);
	chain->state_slots = MakeSlots(chain->context, chain->state_mask);
	for (int i = 0; i < chain->states; i++)
	{
		uint32		slot = HashWindow(chain->windows + (Size) i * chain->order, chain->order) & chain->state_mask;

		while (chain->state_slots[slot] >= 0)
			slot = (slot + 1) & chain->state_mask;
		chain->state_slots[slot] = i;
	}
}

/* Get the state of a window */
static int
WindowState(MarkovChain *chain, const int *channels, int count)
{
	int			window[MAX_ORDER];
	uint32		slot;
	int			found;

	for (int i = 0; i < chain->order; i++)
		window[i] = i < count ? channels[i] : -1;
	if (chain->states == chain->state_capacity)
		GrowStates(chain);
	slot = HashWindow(window, chain->order) & chain->state_mask;
	while ((found = chain->state_slots[slot]) >= 0)
	{
		if (memcmp(chain->windows + (Size) found * chain->order, window, sizeof(int) * chain->order) == 0)
			return found;
		slot = (slot + 1) & chain->state_mask;
	}
	found = chain->states++;
	memcpy(chain->windows + (Size) found * chain->order, window, sizeof(int) * chain->order);
	memset(&chain->state[found], 0, sizeof(MarkovState));
	chain->state_slots[slot] = found;
	return found;
}

/* Hash a step */
static inline uint32
HashStep(int from, int channel)
{
	return (uint32) ((((uint64) (uint32) from << 32 | (uint32) channel) * UINT64CONST(0x9E3779B97F4A7C15)) >> 32);
}

/* Double the room for steps */
static void
GrowSteps(MarkovChain *chain)
{
	if (chain->step_capacity > PG_INT32_MAX / 8)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the Markov chain has too many steps"),
				 errhint("Choose a lower order.")));
	chain->step_capacity *= 2;
	chain->step = repalloc_huge(chain->step, sizeof(MarkovStep) * chain->step_capacity);
	chain->step_mask = chain->step_capacity * 4 - 1;
	pfree(chain->step_slots);
	chain->step_slots = MakeSlots(chain->context, chain->step_mask);
	for (int i = 0; i < chain->steps; i++)
	{
		uint32		slot = HashStep(chain->step[i].from, chain->step[i].channel) & chain->step_mask;

		while (chain->step_slots[slot] >= 0)
			slot = (slot + 1) & chain->step_mask;
		chain->step_slots[slot] = i;
	}
}

/* Get the step from a state by a channel; window ends with it */
static MarkovStep *
FindStep(MarkovChain *chain, int from, const int *window)
{
	int			channel = window[chain->order - 1];
	uint32		slot = HashStep(from, channel) & chain->step_mask;
	int			found;
	int			to;

	while ((found = chain->step_slots[slot]) >= 0)
	{
		if (chain->step[found].from == from && chain->step[found].channel == channel)
			return &chain->step[found];
		slot = (slot + 1) & chain->step_mask;
	}
	to = WindowState(chain, window, chain->order);
	if (chain->steps == chain->step_capacity)
	{
		GrowSteps(chain);
		slot = HashStep(from, channel) & chain->step_mask;
		while (chain->step_slots[slot] >= 0)
			slot = (slot + 1) & chain->step_mask;
	}
	found = chain->steps++;
	chain->step[found] = (MarkovStep) {from, channel, to, 0};
	chain->step_slots[slot] = found;
	return &chain->step[found];
}

/* Add a path so many times; value is that of all its conversions together */
void
MarkovAdd(MarkovChain *chain, const int *channels, int count, double conversions, double nulls, double value)
{
	double		times = conversions + nulls;
	int			state;

	if (count == 0 || times <= 0)
		return;
	state = WindowState(chain, channels, Min(count, chain->order));
	chain->state[state].starts += times;
	chain->state[state].visits += times;
	for (int i = 1; i + chain->order <= count; i++)
	{
		MarkovStep *step = FindStep(chain, state, channels + i);

		if (step->to == state)
			continue;
		step->count += times;
		state = step->to;
		chain->state[state].visits += times;
	}
	chain->state[state].conversions += conversions;
	chain->state[state].value += value;
	chain->conversions += conversions;
	chain->nulls += nulls;
	chain->value += value;
}

/* The system to solve: the steps into each state */
typedef struct MarkovSystem
{
	int			states;
	int		   *first;			/* of its steps, a state */
	int		   *from;
	double	   *probability;
	double	   *start;
	double	   *visits;			/* COLUMNS a state */
	uint8	   *removed;		/* a bit a column, a state */
} MarkovSystem;

/* Arrange the steps by the states they lead to */
static MarkovSystem *
MakeSystem(const MarkovChain *chain)
{
	MarkovSystem *system = palloc0(sizeof(MarkovSystem));
	double		paths = chain->conversions + chain->nulls;
	int		   *place;

	system->states = chain->states;
	system->first = palloc_extended(sizeof(int) * ((Size) chain->states + 2), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	system->from = palloc_extended(sizeof(int) * ((Size) chain->steps + 1), MCXT_ALLOC_HUGE);
	system->probability = palloc_extended(sizeof(double) * ((Size) chain->steps + 1), MCXT_ALLOC_HUGE);
	system->start = palloc_extended(sizeof(double) * ((Size) chain->states + 1), MCXT_ALLOC_HUGE);
	system->visits = palloc_extended(sizeof(double) * COLUMNS * ((Size) chain->states + 1), MCXT_ALLOC_HUGE);
	system->removed = palloc_extended((Size) chain->states + 1, MCXT_ALLOC_HUGE);
	for (int s = 0; s < chain->states; s++)
		system->start[s] = chain->state[s].starts / paths;
	for (int i = 0; i < chain->steps; i++)
		if (chain->step[i].count > 0)
			system->first[chain->step[i].to + 2]++;
	for (int s = 2; s <= chain->states; s++)
		system->first[s] += system->first[s - 1];
	place = system->first + 1;
	for (int i = 0; i < chain->steps; i++)
		if (chain->step[i].count > 0)
		{
			int			to = place[chain->step[i].to]++;

			system->from[to] = chain->step[i].from;
			system->probability[to] = chain->step[i].count / chain->state[chain->step[i].from].visits;
		}
	return system;
}

/* Sum up what flows into a state, for each column */
static inline void
FlowInto(const MarkovSystem *system, int state, double *flow)
{
	for (int c = 0; c < COLUMNS; c++)
		flow[c] = system->start[state];
	for (int i = system->first[state]; i < system->first[state + 1]; i++)
	{
		const double *from = system->visits + (Size) system->from[i] * COLUMNS;
		double		probability = system->probability[i];

		for (int c = 0; c < COLUMNS; c++)
			flow[c] += probability * from[c];
	}
}

/* Improve all columns once */
static void
Sweep(MarkovSystem *system)
{
	for (int s = 0; s < system->states; s++)
	{
		double		flow[COLUMNS];
		double	   *visits = system->visits + (Size) s * COLUMNS;

		FlowInto(system, s, flow);
		for (int c = 0; c < COLUMNS; c++)
			visits[c] = system->removed[s] >> c & 1 ? 0 : flow[c];
		if (s % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
	}
}

/*
 * Find how far the columns are from a solution, and scale each so that what
 * flows out of it is what flows in; tell whether rounding is all that is left
 */
static bool
Balance(MarkovSystem *system, double *residual)
{
	double		sum[COLUMNS] = {0};
	double		size[COLUMNS] = {0};
	double		entered[COLUMNS] = {0};
	double		total[COLUMNS] = {0};
	bool		solved = true;

	for (int s = 0; s < system->states; s++)
	{
		double		flow[COLUMNS];
		const double *visits = system->visits + (Size) s * COLUMNS;

		FlowInto(system, s, flow);
		for (int c = 0; c < COLUMNS; c++)
			if (!(system->removed[s] >> c & 1))
			{
				sum[c] += flow[c] - visits[c];
				size[c] += fabs(flow[c] - visits[c]);
				entered[c] += system->start[s];
				total[c] += visits[c];
			}
	}
	*residual = 0;
	for (int c = 0; c < COLUMNS; c++)
	{
		solved &= size[c] <= SMALL_RESIDUAL * (1 + total[c]);
		*residual = Max(*residual, size[c]);
	}
	if (solved)
		return true;
	for (int c = 0; c < COLUMNS; c++)
		sum[c] = entered[c] - sum[c] > 0 ? entered[c] / (entered[c] - sum[c]) : 1;
	for (int s = 0; s < system->states; s++)
		for (int c = 0; c < COLUMNS; c++)
			system->visits[(Size) s * COLUMNS + c] *= sum[c];
	return false;
}

/* Solve the system without each of some channels */
static void
SolveWithout(const MarkovChain *chain, MarkovSystem *system, int channel)
{
	double		paths = chain->conversions + chain->nulls;
	double		residual;
	double		best = DBL_MAX;
	int			stalled = 0;

	for (int s = 0; s < chain->states; s++)
	{
		const int  *window = chain->windows + (Size) s * chain->order;

		system->removed[s] = 0;
		for (int i = 0; i < chain->order; i++)
			if (window[i] >= channel && window[i] < channel + COLUMNS)
				system->removed[s] |= 1 << (window[i] - channel);
		for (int c = 0; c < COLUMNS; c++)
			system->visits[(Size) s * COLUMNS + c] =
				system->removed[s] >> c & 1 ? 0 : chain->state[s].visits / paths;
	}
	for (int check = 0; check < MAX_CHECKS; check++)
	{
		for (int i = 0; i < SWEEPS; i++)
			Sweep(system);
		if (Balance(system, &residual))
			return;
		stalled = residual < best / 2 ? 0 : stalled + 1;
		best = Min(best, residual);
		if (stalled > 20 && best < 1e-13)
			return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("the Markov chain of order %d was not solved: a residual of %g is left", chain->order, best)));
}

/* Find the removal effect of each channel, and its share of all there is */
void
MarkovSolve(MarkovChain *chain, int channels, ChannelEffect *effects)
{
	MarkovSystem *system = MakeSystem(chain);
	double		paths = chain->conversions + chain->nulls;
	double		sum = 0;
	double		value_sum = 0;

	memset(effects, 0, sizeof(ChannelEffect) * channels);
	for (int channel = 0; channel < channels && chain->conversions > 0; channel += COLUMNS)
	{
		double		conversions[COLUMNS] = {0};
		double		value[COLUMNS] = {0};

		SolveWithout(chain, system, channel);
		for (int s = 0; s < chain->states; s++)
			for (int c = 0; c < COLUMNS; c++)
			{
				double		visits = system->visits[(Size) s * COLUMNS + c] / chain->state[s].visits;

				conversions[c] += visits * chain->state[s].conversions;
				value[c] += visits * chain->state[s].value;
			}
		for (int c = 0; c < COLUMNS && channel + c < channels; c++)
		{
			ChannelEffect *effect = &effects[channel + c];

			effect->removal_effect = Max(1 - conversions[c] * paths / chain->conversions, 0);
			if (chain->value != 0)
				effect->removal_effect_value = 1 - value[c] * paths / chain->value;
			sum += effect->removal_effect;
			value_sum += effect->removal_effect_value;
		}
	}
	for (int c = 0; c < channels; c++)
	{
		if (sum > 0)
			effects[c].conversions = chain->conversions * effects[c].removal_effect / sum;
		if (value_sum != 0)
			effects[c].value = chain->value * effects[c].removal_effect_value / value_sum;
	}
}
