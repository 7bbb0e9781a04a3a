/*
 * How many rows got how far, as an aggregate over all stages they were in.
 *
 * Rows have small numbers as their keys nearly always: their furthest levels
 * lie in an array by key, one byte each, which stays in the processor's cache.
 * A hash table keeps the others in 16 bytes (open addressing with linear
 * probing; Knuth, The Art of Computer Programming, 6.4).  Memory is at most
 * 128 MB for the small keys and 46 bytes for each other row, whatever work_mem
 * says.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* The furthest level there may be */
#define FURTHEST_MAX_LEVEL 10000

/* Keys and levels below these lie in the array; the bit beside the level says that the row counts */
#define FURTHEST_DENSE_KEYS (INT64CONST(1) << 26)
#define FURTHEST_DENSE_LEVELS 0x80
#define FURTHEST_COUNTS 0x80

typedef struct FurthestEntry
{
	int64		row;
	int32		level;			/* 0 while the entry is free */
	bool		counts;
} FurthestEntry;

typedef struct FurthestState
{
	MemoryContext context;
	int			stage_count;	/* -1 until they are read */
	text	  **pipelines;
	text	  **stages;
	int		   *levels;
	int64		dense_size;		/* a power of two, or 0 */
	uint8	   *dense;			/* by key; 0 for rows that were not seen */
	int64		count;
	int64		size;			/* a power of two, or 0 */
	FurthestEntry *entries;
} FurthestState;

/* Make an empty state */
static FurthestState *
FurthestCreate(MemoryContext context)
{
	FurthestState *state = MemoryContextAllocZero(context, sizeof(FurthestState));

	state->context = context;
	state->stage_count = -1;
	return state;
}

/* Read which level each stage is */
static void
ReadLevels(FurthestState *state, ArrayType *pipelines, ArrayType *stages, ArrayType *levels)
{
	MemoryContext old = MemoryContextSwitchTo(state->context);
	Datum	   *columns[3];
	int			counts[3];

	if (ARR_HASNULL(pipelines) || ARR_HASNULL(stages) || ARR_HASNULL(levels))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("stages and levels must not be null")));
	deconstruct_array(pipelines, TEXTOID, -1, false, TYPALIGN_INT, &columns[0], NULL, &counts[0]);
	deconstruct_array(stages, TEXTOID, -1, false, TYPALIGN_INT, &columns[1], NULL, &counts[1]);
	deconstruct_array(levels, INT4OID, 4, true, TYPALIGN_INT, &columns[2], NULL, &counts[2]);
	if (counts[0] != counts[1] || counts[0] != counts[2])
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("there must be as many pipelines and levels as stages")));
	state->pipelines = palloc(sizeof(text *) * Max(counts[0], 1));
	state->stages = palloc(sizeof(text *) * Max(counts[0], 1));
	state->levels = palloc(sizeof(int) * Max(counts[0], 1));
	for (int i = 0; i < counts[0]; i++)
	{
		state->pipelines[i] = DatumGetTextPCopy(columns[0][i]);
		state->stages[i] = DatumGetTextPCopy(columns[1][i]);
		state->levels[i] = DatumGetInt32(columns[2][i]);
		if (state->levels[i] > FURTHEST_MAX_LEVEL)
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("level %d is greater than %d", state->levels[i], FURTHEST_MAX_LEVEL)));
	}
	state->stage_count = counts[0];
	MemoryContextSwitchTo(old);
}

/* Whether a name is the one expected */
static inline bool
IsName(const text *expected, const text *name, int length)
{
	return VARSIZE_ANY_EXHDR(expected) == length &&
		memcmp(VARDATA_ANY(expected), VARDATA_ANY(name), length) == 0;
}

/* Find the level that a stage is, 0 for none */
static inline int
LevelOf(const FurthestState *state, const text *pipeline, const text *stage)
{
	int			length = VARSIZE_ANY_EXHDR(stage);

	for (int i = 0; i < state->stage_count; i++)
		if (IsName(state->stages[i], stage, length) &&
			IsName(state->pipelines[i], pipeline, VARSIZE_ANY_EXHDR(pipeline)))
			return state->levels[i];
	return 0;
}

/* Find the entry of a row, or the free one where it belongs */
static inline FurthestEntry *
FindEntry(FurthestEntry *entries, int64 size, int64 row)
{
	uint64		at = (uint64) row * UINT64CONST(0x9E3779B97F4A7C15);

	at = (at ^ (at >> 32)) & (size - 1);
	while (entries[at].level != 0 && entries[at].row != row)
		at = (at + 1) & (size - 1);
	return &entries[at];
}

/* Make the array long enough for a key */
static void
ReserveKey(FurthestState *state, int64 row)
{
	int64		size = Max(state->dense_size, 65536);
	uint8	   *dense;

	while (size <= row)
		size *= 2;
	dense = MemoryContextAllocExtended(state->context, size, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	if (state->dense)
	{
		memcpy(dense, state->dense, state->dense_size);
		pfree(state->dense);
	}
	state->dense = dense;
	state->dense_size = size;
}

/* Note a level that a row reached */
static void
Reach(FurthestState *state, int64 row, int level, bool counts)
{
	FurthestEntry *entry;

	if (row >= 0 && row < FURTHEST_DENSE_KEYS && level < FURTHEST_DENSE_LEVELS)
	{
		uint8	   *known;

		if (row >= state->dense_size)
			ReserveKey(state, row);
		known = &state->dense[row];
		if ((*known & ~FURTHEST_COUNTS) < level)
			*known = (*known & FURTHEST_COUNTS) | level;
		if (counts)
			*known |= FURTHEST_COUNTS;
		return;
	}
	if (state->count * 10 >= state->size * 7)
	{
		int64		size = Max(state->size * 2, 1024);
		FurthestEntry *entries = MemoryContextAllocExtended(state->context, sizeof(FurthestEntry) * size,
															MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

		for (int64 i = 0; i < state->size; i++)
			if (state->entries[i].level != 0)
				*FindEntry(entries, size, state->entries[i].row) = state->entries[i];
		if (state->entries)
			pfree(state->entries);
		state->entries = entries;
		state->size = size;
	}
	entry = FindEntry(state->entries, state->size, row);
	if (entry->level == 0)
	{
		entry->row = row;
		state->count++;
	}
	entry->level = Max(entry->level, level);
	entry->counts |= counts;
}

PG_FUNCTION_INFO_V1(furthest_levels_add);
/* Add a stage that a row reached */
Datum
furthest_levels_add(PG_FUNCTION_ARGS)
{
	MemoryContext context;
	FurthestState *state = PG_ARGISNULL(0) ? NULL : (FurthestState *) PG_GETARG_POINTER(0);
	int			level;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "furthest_levels_add called outside an aggregate");
	if (state == NULL)
		state = FurthestCreate(context);
	if (state->stage_count < 0)
	{
		if (PG_ARGISNULL(5) || PG_ARGISNULL(6) || PG_ARGISNULL(7))
			PG_RETURN_POINTER(state);	/* there are no stages */
		ReadLevels(state, PG_GETARG_ARRAYTYPE_P(5), PG_GETARG_ARRAYTYPE_P(6), PG_GETARG_ARRAYTYPE_P(7));
	}
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		PG_RETURN_POINTER(state);
	level = LevelOf(state, PG_GETARG_TEXT_PP(2), PG_GETARG_TEXT_PP(3));
	if (level > 0)
		Reach(state, PG_GETARG_INT64(1), level, !PG_ARGISNULL(4) && PG_GETARG_BOOL(4));
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(furthest_levels_combine);
/* Put what two parallel workers saw together */
Datum
furthest_levels_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context;
	FurthestState *state = PG_ARGISNULL(0) ? NULL : (FurthestState *) PG_GETARG_POINTER(0);
	FurthestState *other = PG_ARGISNULL(1) ? NULL : (FurthestState *) PG_GETARG_POINTER(1);

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "furthest_levels_combine called outside an aggregate");
	if (state == NULL)
		state = FurthestCreate(context);
	for (int64 row = 0; other && row < other->dense_size; row++)
		if (other->dense[row] != 0)
			Reach(state, row, other->dense[row] & ~FURTHEST_COUNTS, (other->dense[row] & FURTHEST_COUNTS) != 0);
	for (int64 i = 0; other && i < other->size; i++)
		if (other->entries[i].level != 0)
			Reach(state, other->entries[i].row, other->entries[i].level, other->entries[i].counts);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(furthest_levels_serial);
/* Write what a parallel worker saw out */
Datum
furthest_levels_serial(PG_FUNCTION_ARGS)
{
	FurthestState *state = (FurthestState *) PG_GETARG_POINTER(0);
	StringInfoData buffer;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "furthest_levels_serial called outside an aggregate");
	if (sizeof(FurthestEntry) * state->count > MaxAllocSize / 2)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many rows for a parallel worker: " INT64_FORMAT, state->count),
				 errhint("Set max_parallel_workers_per_gather to 0 for this query.")));
	pq_begintypsend(&buffer);
	pq_sendint64(&buffer, state->dense_size);
	if (state->dense_size > 0)
		pq_sendbytes(&buffer, (char *) state->dense, state->dense_size);
	pq_sendint64(&buffer, state->count);
	for (int64 i = 0; i < state->size; i++)
		if (state->entries[i].level != 0)
			pq_sendbytes(&buffer, (char *) &state->entries[i], sizeof(FurthestEntry));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}

PG_FUNCTION_INFO_V1(furthest_levels_deserial);
/* Read what a parallel worker saw */
Datum
furthest_levels_deserial(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	StringInfoData buffer;
	FurthestState *state;
	int64		count;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "furthest_levels_deserial called outside an aggregate");
	buffer.data = VARDATA_ANY(bytes);
	buffer.len = buffer.maxlen = VARSIZE_ANY_EXHDR(bytes);
	buffer.cursor = 0;
	state = FurthestCreate(CurrentMemoryContext);
	state->dense_size = pq_getmsgint64(&buffer);
	if (state->dense_size > 0)
	{
		state->dense = palloc(state->dense_size);
		pq_copymsgbytes(&buffer, (char *) state->dense, state->dense_size);
	}
	count = pq_getmsgint64(&buffer);

	/* To be gone through, not to be looked into */
	state->count = state->size = count;
	if (count > 0)
	{
		state->entries = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(FurthestEntry) * count);
		pq_copymsgbytes(&buffer, (char *) state->entries, sizeof(FurthestEntry) * count);
	}
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(furthest_levels_final);
/* Count the rows whose furthest level each level is */
Datum
furthest_levels_final(PG_FUNCTION_ARGS)
{
	FurthestState *state = PG_ARGISNULL(0) ? NULL : (FurthestState *) PG_GETARG_POINTER(0);
	int64	   *counts = palloc0(sizeof(int64) * (FURTHEST_MAX_LEVEL + 1));
	Datum	   *values;
	int			highest = 0;

	for (int64 i = 0; state && i < state->size; i++)
	{
		FurthestEntry *entry = &state->entries[i];

		/* A row whose levels lie on both sides of the border is in the array, too */
		if (entry->level != 0 && entry->row >= 0 && entry->row < state->dense_size)
		{
			entry->counts |= (state->dense[entry->row] & FURTHEST_COUNTS) != 0;
			state->dense[entry->row] = 0;
		}
		if (entry->level != 0 && entry->counts)
		{
			counts[state->entries[i].level]++;
			highest = Max(highest, state->entries[i].level);
		}
	}
	for (int64 row = 0; state && row < state->dense_size; row++)
		if (state->dense[row] & FURTHEST_COUNTS)
		{
			counts[state->dense[row] & ~FURTHEST_COUNTS]++;
			highest = Max(highest, state->dense[row] & ~FURTHEST_COUNTS);
		}
	values = palloc(sizeof(Datum) * Max(highest, 1));
	for (int level = 1; level <= highest; level++)
		values[level - 1] = Int64GetDatum(counts[level]);
	PG_RETURN_ARRAYTYPE_P(construct_array(values, highest, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
