/*
 * Conversion and velocity of stages, as an aggregate over the moves of all
 * rows.
 *
 * Who went on from a stage, and how long each stayed there in all, depends on
 * the whole way of a row, so the moves have to be put together by row.  SQL
 * does that with a window over all moves, sorted: several seconds for some
 * millions.  Here each move is kept in 32 bytes, and in the end sorted by row
 * with a radix sort (Knuth, The Art of Computer Programming, 5.2.5), which
 * keeps the order of the moves of a row nearly as they came; medians are
 * found by selection (Hoare 1961, Algorithm 65: FIND).  Time is linear in the
 * number of moves; memory is 64 bytes a move at most, whatever work_mem says.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* The figures of a stage, in the order in which they are put out */
enum
{
	FIGURE_ENTERED,
	FIGURE_ADVANCED,
	FIGURE_LOST,
	FIGURE_CURRENT,
	FIGURE_FINISHED,
	FIGURE_LEFT,
	FIGURE_AVERAGE,
	FIGURE_MEDIAN,
	FIGURE_CURRENT_SINCE,
	FIGURE_COUNT
};

#define RADIX_BITS 11
#define RADIX_SIZE (1 << RADIX_BITS)

typedef struct FlowMove
{
	uint64		row;			/* the row that moved, its sign bit flipped */
	int64		move;
	TimestampTz at;
	int32		stage;			/* -1 for one that is no more */
} FlowMove;

typedef struct FlowStage
{
	char	   *pipeline;
	char	   *stage;
	int			pipeline_length;
	int			stage_length;
	int			pipeline_number;
	int			sequence;
	bool		is_lost;
} FlowStage;

typedef struct FlowState
{
	MemoryContext context;
	int			stage_count;
	FlowStage  *stages;
	int			slot_count;		/* a power of two */
	int		   *slots;			/* stages by hash, -1 for none */
	int64		count;
	int64		size;
	FlowMove   *moves;
} FlowState;

/* Hash the name of a stage */
static inline uint32
HashStage(const char *pipeline, int pipeline_length, const char *stage, int stage_length)
{
	return hash_bytes((const unsigned char *) stage, stage_length) ^
		(hash_bytes((const unsigned char *) pipeline, pipeline_length) * 0x9E3779B1u);
}

/* Make an empty state */
static FlowState *
FlowCreate(MemoryContext context)
{
	FlowState  *state = MemoryContextAllocZero(context, sizeof(FlowState));

	state->context = context;
	return state;
}

/* Read the stages that the figures are about */
static void
ReadStages(FlowState *state, ArrayType *pipelines, ArrayType *stages, ArrayType *sequences, ArrayType *lost)
{
	MemoryContext old = MemoryContextSwitchTo(state->context);
	Datum	   *columns[4];
	int			counts[4];
	ArrayType  *arrays[4] = {pipelines, stages, sequences, lost};
	const Oid	types[4] = {TEXTOID, TEXTOID, INT4OID, BOOLOID};

	for (int i = 0; i < 4; i++)
	{
		if (ARR_ELEMTYPE(arrays[i]) != types[i] || ARR_HASNULL(arrays[i]))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("stages must be given as arrays without nulls")));
		deconstruct_array(arrays[i], types[i], types[i] == TEXTOID ? -1 : types[i] == INT4OID ? 4 : 1,
						  types[i] != TEXTOID, types[i] == BOOLOID ? TYPALIGN_CHAR : TYPALIGN_INT,
						  &columns[i], NULL, &counts[i]);
		if (counts[i] != counts[0])
			ereport(ERROR,
					(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
					 errmsg("stages must be given as arrays of the same length")));
	}
	state->stage_count = counts[0];
	state->stages = palloc0(sizeof(FlowStage) * Max(counts[0], 1));
	for (state->slot_count = 16; state->slot_count < counts[0] * 2;)
		state->slot_count *= 2;
	state->slots = palloc(sizeof(int) * state->slot_count);
	memset(state->slots, -1, sizeof(int) * state->slot_count);
	for (int i = 0; i < counts[0]; i++)
	{
		FlowStage  *stage = &state->stages[i];
		uint32		slot;

		stage->pipeline = TextDatumGetCString(columns[0][i]);
		stage->stage = TextDatumGetCString(columns[1][i]);
		stage->pipeline_length = strlen(stage->pipeline);
		stage->stage_length = strlen(stage->stage);
		stage->sequence = DatumGetInt32(columns[2][i]);
		stage->is_lost = DatumGetBool(columns[3][i]);
		stage->pipeline_number = i;
		for (int p = 0; p < i; p++)
			if (strcmp(state->stages[p].pipeline, stage->pipeline) == 0)
			{
				stage->pipeline_number = state->stages[p].pipeline_number;
				break;
			}
		slot = HashStage(stage->pipeline, stage->pipeline_length, stage->stage, stage->stage_length);
		while (state->slots[slot & (state->slot_count - 1)] >= 0)
			slot++;
		state->slots[slot & (state->slot_count - 1)] = i;
	}
	MemoryContextSwitchTo(old);
}

/* Find a stage, -1 for one that is not among those given */
static inline int
FindStage(const FlowState *state, const text *pipeline, const text *name)
{
	int			pipeline_length = VARSIZE_ANY_EXHDR(pipeline);
	int			name_length = VARSIZE_ANY_EXHDR(name);
	uint32		slot = HashStage(VARDATA_ANY(pipeline), pipeline_length, VARDATA_ANY(name), name_length);
	int			found;

	while ((found = state->slots[slot & (state->slot_count - 1)]) >= 0)
	{
		const FlowStage *stage = &state->stages[found];

		if (stage->stage_length == name_length && stage->pipeline_length == pipeline_length &&
			memcmp(stage->stage, VARDATA_ANY(name), name_length) == 0 &&
			memcmp(stage->pipeline, VARDATA_ANY(pipeline), pipeline_length) == 0)
			return found;
		slot++;
	}
	return -1;
}

/* Make room for more moves */
static void
FlowReserve(FlowState *state, int64 count)
{
	int64		size = Max(state->size, 1024);

	if (state->count + count <= state->size)
		return;
	while (size < state->count + count)
		size *= 2;
	if (state->moves == NULL)
		state->moves = MemoryContextAllocHuge(state->context, sizeof(FlowMove) * size);
	else
		state->moves = repalloc_huge(state->moves, sizeof(FlowMove) * size);
	state->size = size;
}

PG_FUNCTION_INFO_V1(stage_figures_add);
/* Add a move */
Datum
stage_figures_add(PG_FUNCTION_ARGS)
{
	MemoryContext context;
	FlowState  *state = PG_ARGISNULL(0) ? NULL : (FlowState *) PG_GETARG_POINTER(0);

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "stage_figures_add called outside an aggregate");
	if (state == NULL)
		state = FlowCreate(context);
	if (state->slots == NULL)
	{
		if (PG_ARGISNULL(6) || PG_ARGISNULL(7) || PG_ARGISNULL(8) || PG_ARGISNULL(9))
			PG_RETURN_POINTER(state);	/* there are no stages */
		ReadStages(state, PG_GETARG_ARRAYTYPE_P(6), PG_GETARG_ARRAYTYPE_P(7), PG_GETARG_ARRAYTYPE_P(8),
				   PG_GETARG_ARRAYTYPE_P(9));
	}
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3) || PG_ARGISNULL(4) || PG_ARGISNULL(5))
		PG_RETURN_POINTER(state);
	FlowReserve(state, 1);
	state->moves[state->count++] = (FlowMove) {
		.row = (uint64) PG_GETARG_INT64(1) ^ UINT64CONST(0x8000000000000000),.move = PG_GETARG_INT64(2),
		.at = PG_GETARG_TIMESTAMPTZ(5),
		.stage = FindStage(state, PG_GETARG_TEXT_PP(3), PG_GETARG_TEXT_PP(4))
	};
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(stage_figures_combine);
/* Put the moves of two parallel workers together */
Datum
stage_figures_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context;
	FlowState  *state = PG_ARGISNULL(0) ? NULL : (FlowState *) PG_GETARG_POINTER(0);
	FlowState  *other = PG_ARGISNULL(1) ? NULL : (FlowState *) PG_GETARG_POINTER(1);

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "stage_figures_combine called outside an aggregate");
	if (other == NULL || other->slots == NULL)
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	if (state == NULL)
		state = FlowCreate(context);
	if (state->slots == NULL)
	{
		/* Both were given the same stages */
		MemoryContext old = MemoryContextSwitchTo(state->context);

		state->stage_count = other->stage_count;
		state->slot_count = other->slot_count;
		state->stages = palloc(sizeof(FlowStage) * Max(other->stage_count, 1));
		memcpy(state->stages, other->stages, sizeof(FlowStage) * other->stage_count);
		for (int i = 0; i < other->stage_count; i++)
		{
			state->stages[i].pipeline = pstrdup(other->stages[i].pipeline);
			state->stages[i].stage = pstrdup(other->stages[i].stage);
		}
		state->slots = palloc(sizeof(int) * other->slot_count);
		memcpy(state->slots, other->slots, sizeof(int) * other->slot_count);
		MemoryContextSwitchTo(old);
	}
	FlowReserve(state, other->count);
	if (other->count > 0)
		memcpy(state->moves + state->count, other->moves, sizeof(FlowMove) * other->count);
	state->count += other->count;
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(stage_figures_serial);
/* Write the moves of a parallel worker out */
Datum
stage_figures_serial(PG_FUNCTION_ARGS)
{
	FlowState  *state = (FlowState *) PG_GETARG_POINTER(0);
	StringInfoData buffer;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "stage_figures_serial called outside an aggregate");
	if (sizeof(FlowMove) * state->count > MaxAllocSize / 2)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many moves for a parallel worker: " INT64_FORMAT, state->count),
				 errhint("Set max_parallel_workers_per_gather to 0 for this query.")));
	pq_begintypsend(&buffer);
	pq_sendint32(&buffer, state->stage_count);
	pq_sendint32(&buffer, state->slot_count);
	pq_sendint64(&buffer, state->count);
	for (int i = 0; i < state->stage_count; i++)
	{
		pq_sendbytes(&buffer, (char *) &state->stages[i], sizeof(FlowStage));
		pq_sendbytes(&buffer, state->stages[i].pipeline, state->stages[i].pipeline_length);
		pq_sendbytes(&buffer, state->stages[i].stage, state->stages[i].stage_length);
	}
	if (state->slots)
		pq_sendbytes(&buffer, (char *) state->slots, sizeof(int) * state->slot_count);
	if (state->count > 0)
		pq_sendbytes(&buffer, (char *) state->moves, sizeof(FlowMove) * state->count);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}

/* Read a name of a given length */
static char *
ReadName(StringInfo buffer, int length)
{
	char	   *name = palloc(length + 1);

	memcpy(name, pq_getmsgbytes(buffer, length), length);
	name[length] = '\0';
	return name;
}

PG_FUNCTION_INFO_V1(stage_figures_deserial);
/* Read the moves of a parallel worker */
Datum
stage_figures_deserial(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	StringInfoData buffer;
	FlowState  *state;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "stage_figures_deserial called outside an aggregate");
	buffer.data = VARDATA_ANY(bytes);
	buffer.len = buffer.maxlen = VARSIZE_ANY_EXHDR(bytes);
	buffer.cursor = 0;
	state = FlowCreate(CurrentMemoryContext);
	state->stage_count = pq_getmsgint(&buffer, 4);
	state->slot_count = pq_getmsgint(&buffer, 4);
	state->count = state->size = pq_getmsgint64(&buffer);
	state->stages = palloc(sizeof(FlowStage) * Max(state->stage_count, 1));
	for (int i = 0; i < state->stage_count; i++)
	{
		pq_copymsgbytes(&buffer, (char *) &state->stages[i], sizeof(FlowStage));
		state->stages[i].pipeline = ReadName(&buffer, state->stages[i].pipeline_length);
		state->stages[i].stage = ReadName(&buffer, state->stages[i].stage_length);
	}
	if (state->slot_count > 0)
	{
		state->slots = palloc(sizeof(int) * state->slot_count);
		pq_copymsgbytes(&buffer, (char *) state->slots, sizeof(int) * state->slot_count);
	}
	if (state->count > 0)
	{
		state->moves = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(FlowMove) * state->count);
		pq_copymsgbytes(&buffer, (char *) state->moves, sizeof(FlowMove) * state->count);
	}
	PG_RETURN_POINTER(state);
}

/* Sort moves by row, keeping the order of those of one row */
static FlowMove *
SortByRow(FlowMove *moves, int64 n)
{
	FlowMove   *from = moves;
	FlowMove   *to;
	uint64		differing = 0;

	if (n < 2)
		return moves;
	for (int64 i = 1; i < n; i++)
		differing |= moves[i].row ^ moves[0].row;
	if (differing == 0)
		return moves;
	to = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(FlowMove) * n);
	for (int shift = 0; shift < 64; shift += RADIX_BITS)
	{
		int64		starts[RADIX_SIZE] = {0};
		int64		start = 0;
		FlowMove   *swap;

		if (((differing >> shift) & (RADIX_SIZE - 1)) == 0)
			continue;
		CHECK_FOR_INTERRUPTS();
		for (int64 i = 0; i < n; i++)
			starts[(from[i].row >> shift) & (RADIX_SIZE - 1)]++;
		for (int d = 0; d < RADIX_SIZE; d++)
		{
			int64		size = starts[d];

			starts[d] = start;
			start += size;
		}
		for (int64 i = 0; i < n; i++)
			to[starts[(from[i].row >> shift) & (RADIX_SIZE - 1)]++] = from[i];
		swap = from;
		from = to;
		to = swap;
	}
	return from;
}

/* Put the few moves of one row in their order, which they are in nearly always */
static void
SortByMove(FlowMove *moves, int64 n)
{
	for (int64 i = 1; i < n; i++)
	{
		FlowMove	move = moves[i];
		int64		j = i;

		for (; j > 0 && moves[j - 1].move > move.move; j--)
			moves[j] = moves[j - 1];
		moves[j] = move;
	}
}

/* Find the k-th least of some values, which are put in another order */
static int64
Select(int64 *values, int64 n, int64 k)
{
	int64		left = 0;
	int64		right = n - 1;

	while (left < right)
	{
		int64		pivot = values[left + (right - left) / 2];
		int64		i = left;
		int64		j = right;

		while (i <= j)
		{
			while (values[i] < pivot)
				i++;
			while (values[j] > pivot)
				j--;
			if (i <= j)
			{
				int64		swap = values[i];

				values[i++] = values[j];
				values[j--] = swap;
			}
		}
		if (k <= j)
			right = j;
		else if (k >= i)
			left = i;
		else
			break;
	}
	return values[k];
}

/* Find the median of some values, as percentile_cont(0.5) does */
static double
Median(int64 *values, int64 n)
{
	int64		low = Select(values, n, (n - 1) / 2);
	int64		high = low;

	if (n % 2 == 0)
	{
		high = values[n / 2];
		for (int64 i = n / 2 + 1; i < n; i++)
			high = Min(high, values[i]);
	}
	return (double) low + ((double) high - (double) low) / 2;
}

/* What the ways of all rows come to for a stage */
typedef struct StageSum
{
	int64		figures[FIGURE_CURRENT_SINCE];
	double		since;			/* of those in it, summed up */
	double		total;			/* time of those that left it */
	int64		count;			/* of totals */
	int64		size;
	int64	   *totals;
	/* of the row at hand */
	int64		row;			/* its number */
	int64		stayed;
	bool		has_left;
	bool		advanced;
	bool		is_lost;
	bool		is_current;
} StageSum;

/* Add what a row did in a stage to the sums */
static void
Conclude(StageSum *sum)
{
	sum->figures[FIGURE_ENTERED]++;
	sum->figures[FIGURE_ADVANCED] += sum->advanced;
	sum->figures[FIGURE_LOST] += sum->is_lost && !sum->advanced;
	sum->figures[FIGURE_CURRENT] += sum->is_current;
	if (!sum->has_left)
		return;
	sum->figures[FIGURE_LEFT]++;
	if (sum->count == sum->size)
	{
		sum->size = Max(sum->size * 2, 64);
		sum->totals = sum->totals ? repalloc_huge(sum->totals, sizeof(int64) * sum->size) :
			MemoryContextAllocHuge(CurrentMemoryContext, sizeof(int64) * sum->size);
	}
	sum->totals[sum->count++] = sum->stayed;
	sum->total += sum->stayed;
}

/* Go the way of a row backwards, from where it is now to where it began */
static void
Follow(const FlowState *state, const FlowMove *moves, int64 n, int64 row, StageSum *sums, int64 *furthest_of,
	   int *furthest)
{
	bool		later_lost = false;

	for (int64 i = n - 1; i >= 0; i--)
	{
		const FlowStage *stage;
		StageSum   *sum;

		if (moves[i].stage < 0)
			continue;
		stage = &state->stages[moves[i].stage];
		sum = &sums[moves[i].stage];
		if (sum->row != row)
		{
			sum->row = row;
			sum->stayed = 0;
			sum->has_left = sum->advanced = sum->is_lost = sum->is_current = false;
		}
		if (i < n - 1)
		{
			sum->figures[FIGURE_FINISHED]++;
			sum->has_left = true;
			sum->stayed += moves[i + 1].at - moves[i].at;
		}
		else
		{
			sum->is_current = true;
			sum->since += moves[i].at / (double) USECS_PER_SEC;
		}
		sum->advanced |= furthest_of[stage->pipeline_number] == row &&
			furthest[stage->pipeline_number] > stage->sequence;
		sum->is_lost |= later_lost;
		if (stage->is_lost)
			later_lost = true;
		else if (furthest_of[stage->pipeline_number] != row || furthest[stage->pipeline_number] < stage->sequence)
		{
			furthest_of[stage->pipeline_number] = row;
			furthest[stage->pipeline_number] = stage->sequence;
		}
	}
	for (int64 i = 0; i < n; i++)
		if (moves[i].stage >= 0 && sums[moves[i].stage].row == row)
		{
			Conclude(&sums[moves[i].stage]);
			sums[moves[i].stage].row = -1;	/* once a row */
		}
}

PG_FUNCTION_INFO_V1(stage_figures_final);
/* Work the figures of all stages out */
Datum
stage_figures_final(PG_FUNCTION_ARGS)
{
	FlowState  *state = PG_ARGISNULL(0) ? NULL : (FlowState *) PG_GETARG_POINTER(0);
	MemoryContext work;
	MemoryContext old;
	FlowMove   *moves;
	StageSum   *sums;
	int64	   *furthest_of;
	int		   *furthest;
	Datum	   *values;
	bool	   *nulls;
	int			dimensions[2];
	int			lower[2] = {1, 1};
	ArrayType  *result;
	int64		row = 0;

	if (state == NULL || state->stage_count == 0)
		PG_RETURN_NULL();
	work = AllocSetContextCreate(CurrentMemoryContext, "lead_mgmt stage figures", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(work);
	sums = palloc0(sizeof(StageSum) * state->stage_count);
	furthest_of = palloc(sizeof(int64) * state->stage_count);
	furthest = palloc0(sizeof(int) * state->stage_count);
	for (int i = 0; i < state->stage_count; i++)
		sums[i].row = furthest_of[i] = -1;
	moves = SortByRow(state->moves, state->count);
	for (int64 from = 0; from < state->count; row++)
	{
		int64		to = from + 1;

		while (to < state->count && moves[to].row == moves[from].row)
			to++;
		if (row % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		SortByMove(moves + from, to - from);
		Follow(state, moves + from, to - from, row, sums, furthest_of, furthest);
		from = to;
	}
	values = palloc(sizeof(Datum) * state->stage_count * FIGURE_COUNT);
	nulls = palloc0(sizeof(bool) * state->stage_count * FIGURE_COUNT);
	for (int i = 0; i < state->stage_count; i++)
	{
		StageSum   *sum = &sums[i];
		Datum	   *of_stage = values + i * FIGURE_COUNT;
		bool	   *is_null = nulls + i * FIGURE_COUNT;
		int64		current = sum->figures[FIGURE_CURRENT];

		for (int f = 0; f < FIGURE_AVERAGE; f++)
			of_stage[f] = Float8GetDatum((double) sum->figures[f]);
		is_null[FIGURE_AVERAGE] = is_null[FIGURE_MEDIAN] = sum->count == 0;
		is_null[FIGURE_CURRENT_SINCE] = current == 0;
		if (sum->count > 0)
		{
			of_stage[FIGURE_AVERAGE] = Float8GetDatum(sum->total / sum->count / USECS_PER_SEC);
			of_stage[FIGURE_MEDIAN] = Float8GetDatum(Median(sum->totals, sum->count) / USECS_PER_SEC);
		}
		if (current > 0)
			of_stage[FIGURE_CURRENT_SINCE] = Float8GetDatum(sum->since / current +
															(double) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY);
	}
	dimensions[0] = state->stage_count;
	dimensions[1] = FIGURE_COUNT;
	MemoryContextSwitchTo(old);
	result = construct_md_array(values, nulls, 2, dimensions, lower, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL,
								TYPALIGN_DOUBLE);
	MemoryContextDelete(work);
	PG_RETURN_ARRAYTYPE_P(result);
}
