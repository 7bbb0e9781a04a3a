/*
 * Paths with what came of them, gathered by aggregates: equal paths once.
 */
#include "postgres.h"

#include <math.h>

#include "attribution/attribution.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* Make an empty collection */
PathCounts *
PathsCreate(MemoryContext context)
{
	PathCounts *paths = MemoryContextAllocZero(context, sizeof(PathCounts));
	MemoryContext old = MemoryContextSwitchTo(context);

	paths->context = context;
	paths->channels = ChannelsCreate(context);
	paths->room = 1024;
	paths->steps = palloc(sizeof(int) * paths->room);
	paths->capacity = 128;
	paths->paths = palloc(sizeof(PathCount) * paths->capacity);
	paths->mask = paths->capacity * 4 - 1;
	paths->slots = palloc(sizeof(int) * (paths->mask + 1));
	memset(paths->slots, 0xFF, sizeof(int) * (paths->mask + 1));
	MemoryContextSwitchTo(old);
	return paths;
}

/* Double the room for paths */
static void
GrowPaths(PathCounts *paths)
{
	if (paths->capacity > PG_INT32_MAX / 8)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("there are too many different paths")));
	paths->capacity *= 2;
	paths->paths = repalloc_huge(paths->paths, sizeof(PathCount) * paths->capacity);
	paths->mask = paths->capacity * 4 - 1;
	paths->slots = repalloc_huge(paths->slots, sizeof(int) * ((Size) paths->mask + 1));
	memset(paths->slots, 0xFF, sizeof(int) * ((Size) paths->mask + 1));
	for (int i = 0; i < paths->count; i++)
	{
		uint32		slot = paths->paths[i].hash & paths->mask;

		while (paths->slots[slot] >= 0)
			slot = (slot + 1) & paths->mask;
		paths->slots[slot] = i;
	}
}

/* Add what came of a path */
void
PathsAdd(PathCounts *paths, const int *steps, int length, double conversions, double nulls, double value)
{
	uint32		hash = hash_bytes((const unsigned char *) steps, sizeof(int) * length);
	uint32		slot;
	int			found;
	PathCount  *path;

	if (paths->count == paths->capacity)
		GrowPaths(paths);
	slot = hash & paths->mask;
	while ((found = paths->slots[slot]) >= 0)
	{
		path = &paths->paths[found];
		if (path->hash == hash && path->length == length &&
			memcmp(paths->steps + path->offset, steps, sizeof(int) * length) == 0)
		{
			path->conversions += conversions;
			path->nulls += nulls;
			path->value += value;
			return;
		}
		slot = (slot + 1) & paths->mask;
	}
	while (paths->used + length > paths->room)
	{
		paths->room *= 2;
		paths->steps = repalloc_huge(paths->steps, sizeof(int) * paths->room);
	}
	memcpy(paths->steps + paths->used, steps, sizeof(int) * length);
	paths->slots[slot] = paths->count;
	paths->paths[paths->count++] = (PathCount) {paths->used, length, hash, conversions, nulls, value};
	paths->used += length;
}

/* Get a count or sum; none is 0 */
static double
ReadNumber(FunctionCallInfo fcinfo, int argument, const char *what, bool may_be_negative)
{
	double		number;

	if (PG_ARGISNULL(argument))
		return 0;
	number = PG_GETARG_FLOAT8(argument);
	if (isnan(number) || isinf(number) || (number < 0 && !may_be_negative))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a path has %g %s", number, what)));
	return number;
}

/* Take in a path with its conversions, their value, and its nulls */
static PathCounts *
AddArguments(FunctionCallInfo fcinfo, bool *is_new)
{
	MemoryContext context;
	PathCounts *paths;
	Datum	   *elements;
	bool	   *nulls;
	int		   *steps;
	int			count;
	int			length = 0;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "aggregate function called in non-aggregate context");
	*is_new = PG_ARGISNULL(0);
	paths = *is_new ? PathsCreate(context) : (PathCounts *) PG_GETARG_POINTER(0);
	if (PG_ARGISNULL(1))
		return paths;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &count);
	steps = palloc(sizeof(int) * (count + 1));
	for (int i = 0; i < count; i++)
		if (!nulls[i])
			steps[length++] = ChannelNumber(paths->channels, VARDATA_ANY(DatumGetPointer(elements[i])),
											VARSIZE_ANY_EXHDR(DatumGetPointer(elements[i])));
	PathsAdd(paths, steps, length, ReadNumber(fcinfo, 2, "conversions", false), ReadNumber(fcinfo, 4, "nulls", false),
			 ReadNumber(fcinfo, 3, "value", true));
	pfree(steps);
	pfree(elements);
	pfree(nulls);
	return paths;
}

/* Take in a path for a Shapley value */
PG_FUNCTION_INFO_V1(paths_add);
Datum
paths_add(PG_FUNCTION_ARGS)
{
	bool		is_new;

	PG_RETURN_POINTER(AddArguments(fcinfo, &is_new));
}

/* Take in a path for a Markov chain, whose order is the same in all rows */
PG_FUNCTION_INFO_V1(paths_add_markov);
Datum
paths_add_markov(PG_FUNCTION_ARGS)
{
	bool		is_new;
	PathCounts *paths = AddArguments(fcinfo, &is_new);
	int			order = PG_ARGISNULL(5) ? 1 : PG_GETARG_INT32(5);

	if (is_new)
		paths->order = order;
	if (order != paths->order || order < 1 || order > MAX_ORDER)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a Markov chain of order %d was asked for", order),
				 errhint("Choose 1 to %d, the same for all paths.", MAX_ORDER)));
	PG_RETURN_POINTER(paths);
}

/* Add the paths of one collection to another */
static void
Combine(PathCounts *to, const PathCounts *from)
{
	int		   *numbers = palloc_extended(sizeof(int) * ((Size) from->channels->count + 1), MCXT_ALLOC_HUGE);
	int			room = 64;
	int		   *steps = palloc(sizeof(int) * room);

	for (int i = 0; i < from->channels->count; i++)
		numbers[i] = ChannelNumber(to->channels, from->channels->names[i], from->channels->lengths[i]);
	for (int i = 0; i < from->count; i++)
	{
		const PathCount *path = &from->paths[i];

		if (path->length > room)
		{
			room = path->length * 2;
			steps = repalloc_huge(steps, sizeof(int) * (Size) room);
		}
		for (int s = 0; s < path->length; s++)
			steps[s] = numbers[from->steps[path->offset + s]];
		PathsAdd(to, steps, path->length, path->conversions, path->nulls, path->value);
		if (i % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	pfree(steps);
	pfree(numbers);
}

/* Combine the collections of two workers */
PG_FUNCTION_INFO_V1(paths_combine);
Datum
paths_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context;
	PathCounts *paths;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "aggregate function called in non-aggregate context");
	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	if (PG_ARGISNULL(0))
	{
		paths = PathsCreate(context);
		paths->order = ((PathCounts *) PG_GETARG_POINTER(1))->order;
	}
	else
		paths = (PathCounts *) PG_GETARG_POINTER(0);
	Combine(paths, (PathCounts *) PG_GETARG_POINTER(1));
	PG_RETURN_POINTER(paths);
}

/* Write a collection for another process */
PG_FUNCTION_INFO_V1(paths_serial);
Datum
paths_serial(PG_FUNCTION_ARGS)
{
	const PathCounts *paths = (PathCounts *) PG_GETARG_POINTER(0);
	StringInfoData buffer;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "aggregate function called in non-aggregate context");
	pq_begintypsend(&buffer);
	pq_sendint32(&buffer, paths->order);
	pq_sendint32(&buffer, paths->channels->count);
	for (int i = 0; i < paths->channels->count; i++)
	{
		pq_sendint32(&buffer, paths->channels->lengths[i]);
		pq_sendbytes(&buffer, paths->channels->names[i], paths->channels->lengths[i]);
	}
	pq_sendint32(&buffer, paths->count);
	for (int i = 0; i < paths->count; i++)
	{
		const PathCount *path = &paths->paths[i];

		pq_sendint32(&buffer, path->length);
		for (int s = 0; s < path->length; s++)
			pq_sendint32(&buffer, paths->steps[path->offset + s]);
		pq_sendfloat8(&buffer, path->conversions);
		pq_sendfloat8(&buffer, path->nulls);
		pq_sendfloat8(&buffer, path->value);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}

/* Read a collection of another process */
PG_FUNCTION_INFO_V1(paths_deserial);
Datum
paths_deserial(PG_FUNCTION_ARGS)
{
	bytea	   *data;
	StringInfoData buffer;
	PathCounts *paths;
	int			room = 64;
	int		   *steps = palloc(sizeof(int) * room);
	int			count;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "aggregate function called in non-aggregate context");
	data = PG_GETARG_BYTEA_PP(0);
	initStringInfo(&buffer);
	appendBinaryStringInfo(&buffer, VARDATA_ANY(data), VARSIZE_ANY_EXHDR(data));
	paths = PathsCreate(CurrentMemoryContext);
	paths->order = pq_getmsgint(&buffer, 4);
	count = pq_getmsgint(&buffer, 4);
	for (int i = 0; i < count; i++)
	{
		int			length = pq_getmsgint(&buffer, 4);

		ChannelNumber(paths->channels, pq_getmsgbytes(&buffer, length), length);
	}
	count = pq_getmsgint(&buffer, 4);
	for (int i = 0; i < count; i++)
	{
		int			length = pq_getmsgint(&buffer, 4);
		double		conversions;
		double		nulls;

		if (length > room)
		{
			room = length * 2;
			steps = repalloc_huge(steps, sizeof(int) * (Size) room);
		}
		for (int s = 0; s < length; s++)
			steps[s] = pq_getmsgint(&buffer, 4);
		conversions = pq_getmsgfloat8(&buffer);
		nulls = pq_getmsgfloat8(&buffer);
		PathsAdd(paths, steps, length, conversions, nulls, pq_getmsgfloat8(&buffer));
	}
	pq_getmsgend(&buffer);
	pfree(buffer.data);
	pfree(steps);
	PG_RETURN_POINTER(paths);
}
