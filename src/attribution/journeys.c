/*
 * Reading journeys: touches and conversions from two queries, merged.
 *
 * Both queries are ordered by journey and time and read side by side through
 * cursors, in batches that their own receivers decode, so that no row is
 * copied and no join, sort or window is needed beyond what the planner needs
 * for the order. Where conversions are few, their journeys are looked up
 * instead, a batch at a time, when the planner finds that cheaper than to read
 * all touches.
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "attribution/attribution.h"
#include "attribution/stream.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

/* Conversions whose journeys are looked up at a time */
#define CONVERSION_BATCH	1024

/* Where sessions are not given, this long without a touch ends one */
#define SESSION_GAP		(INT64CONST(30) * 60 * USECS_PER_SEC)

/* Looking up costs less than planned, as neighbours share pages and caches */
#define LOOK_UP_BIAS		0.5

struct JourneyReader
{
	JourneyOptions options;
	ChannelNames *channels;
	MemoryContext context;
	TypeCacheEntry *type;
	Oid			collation;
	FmgrInfo	compare;
	TimestampTz now;
	bool	   *excluded;		/* by channel, of those decided on */
	int			decided;
	ChannelNames *included;
	ChannelNames *left_out;
	QueryStream touches;
	QueryStream conversions;
	bool		look_up;
	bool		chosen;
	bool		has_last;		/* touch, where the order as stored is trusted */
	Touch		last;

	/* the batch of conversions: whole journeys only, but for what is carried */
	MemoryContext batches[2];
	int			batch;
	Conversion *list;
	int			capacity;
	int			complete;
	int			loaded;
	int			next;

	/* the journey at hand */
	bool		has_group;
	Datum		group;
	int			group_end;
	Touch	   *buffer;
	int			buffered;
	int			buffer_capacity;
	Touch	   *reduced;
	int			reduced_capacity;
};

/* Compare two journeys */
static inline int
CompareJourneys(JourneyReader *reader, Datum a, Datum b)
{
	if (reader->type->type_id == INT8OID)
		return DatumGetInt64(a) < DatumGetInt64(b) ? -1 : DatumGetInt64(a) > DatumGetInt64(b);
	return DatumGetInt32(FunctionCall2Coll(&reader->compare, reader->collation, a, b));
}

/* Get a journey as text */
char *
JourneyText(JourneyReader *reader, Datum journey)
{
	Oid			output;
	bool		is_varlena;

	getTypeOutputInfo(reader->type->type_id, &output, &is_varlena);
	return OidOutputFunctionCall(output, journey);
}

/* Make a set of the names in an array */
static ChannelNames *
NameSet(ArrayType *array)
{
	ChannelNames *names;
	Datum	   *elements;
	bool	   *nulls;
	int			count;

	if (array == NULL)
		return NULL;
	names = ChannelsCreate(CurrentMemoryContext);
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &count);
	for (int i = 0; i < count; i++)
		if (!nulls[i])
			ChannelNumber(names, VARDATA_ANY(DatumGetPointer(elements[i])), VARSIZE_ANY_EXHDR(DatumGetPointer(elements[i])));
	return names;
}

/* Does a channel count? */
static bool
ChannelCounts(JourneyReader *reader, int channel)
{
	const ChannelNames *channels = reader->channels;

	for (; reader->decided < channels->count; reader->decided++)
	{
		const char *name = channels->names[reader->decided];
		int			length = channels->lengths[reader->decided];

		if (reader->decided % 1024 == 0)
			reader->excluded = reader->excluded ?
				repalloc_huge(reader->excluded, reader->decided + 1024) :
				MemoryContextAlloc(reader->context, 1024);
		reader->excluded[reader->decided] =
			(reader->included && ChannelFind(reader->included, name, length) < 0) ||
			(reader->left_out && ChannelFind(reader->left_out, name, length) >= 0);
	}
	return !reader->excluded[channel];
}

/*
 * Check that the touches of a batch, whose order as stored is trusted, are in
 * order; of one that is not nothing is left
 */
static void
CheckOrder(JourneyReader *reader)
{
	QueryStream *stream = &reader->touches;
	const Touch *last = reader->has_last ? &reader->last : NULL;

	for (int i = 0; i < stream->count; i++)
	{
		const Touch *touch = &stream->touches[i];
		int			order = last ? CompareJourneys(reader, last->journey, touch->journey) : -1;

		if (order > 0 || (order == 0 && last->occurred_at > touch->occurred_at))
		{
			stream->misordered = stream->at_end = true;
			stream->count = stream->next = 0;
			return;
		}
		last = touch;
	}
	if (reader->has_last && !reader->type->typbyval)
		pfree(DatumGetPointer(reader->last.journey));
	reader->last = *last;
	reader->has_last = true;
	if (!reader->type->typbyval)
	{
		MemoryContext old = MemoryContextSwitchTo(reader->context);

		reader->last.journey = datumCopy(last->journey, false, reader->type->typlen);
		MemoryContextSwitchTo(old);
	}
}

/* Find the next touch that counts, or NULL at the end */
static Touch *
PeekTouch(JourneyReader *reader)
{
	for (;;)
	{
		Touch	   *touch;

		if (reader->touches.next == reader->touches.count)
		{
			if (!StreamFill(&reader->touches))
				return NULL;
			if (reader->touches.trusting && !reader->look_up)
				CheckOrder(reader);
		}
		touch = StreamTouch(&reader->touches);
		if (touch == NULL)
			return NULL;
		if ((reader->included || reader->left_out) && !ChannelCounts(reader, touch->channel))
		{
			reader->touches.next++;
			continue;
		}
		return touch;
	}
}

/* Put a touch into the journey at hand, of those at one time by its id */
static void
BufferTouch(JourneyReader *reader, const Touch *touch)
{
	int			place = reader->buffered;

	if (reader->buffered == reader->buffer_capacity)
	{
		reader->buffer_capacity *= 2;
		reader->buffer = repalloc_huge(reader->buffer, sizeof(Touch) * reader->buffer_capacity);
	}
	while (place > 0 && reader->buffer[place - 1].occurred_at == touch->occurred_at &&
		   reader->buffer[place - 1].touch_id > touch->touch_id)
	{
		reader->buffer[place] = reader->buffer[place - 1];
		place--;
	}
	reader->buffer[place] = *touch;
	reader->buffered++;
}

/* Does a touch repeat the one before, as far as repeats do not count? */
static inline bool
IsRepeat(const JourneyOptions *options, const Touch *touch, const Touch *before)
{
	if (options->by_session && touch->has_session == before->has_session &&
		(touch->has_session ? touch->session == before->session :
		 touch->occurred_at - before->occurred_at < SESSION_GAP))
		return true;
	return options->collapse && touch->channel == before->channel;
}

/* Leave out the repeats of a path */
static void
ReducePath(JourneyReader *reader, TouchPath *path)
{
	int			kept = 0;

	if (path->count > reader->reduced_capacity)
	{
		if (reader->reduced)
			pfree(reader->reduced);
		reader->reduced_capacity = path->count * 2;
		reader->reduced = MemoryContextAllocHuge(reader->context, sizeof(Touch) * reader->reduced_capacity);
	}
	for (int i = 0; i < path->count; i++)
		if (kept == 0 || !IsRepeat(&reader->options, &path->touches[i], &path->touches[i - 1]))
			reader->reduced[kept++] = path->touches[i];
	path->touches = reader->reduced;
	path->count = kept;
}

/* Find the first touch of the journey at hand later than a moment */
static int
FirstAfter(const JourneyReader *reader, TimestampTz at)
{
	int			low = 0;
	int			high = reader->buffered;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (reader->buffer[middle].occurred_at <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Take the touches of the journey at hand up to a moment as a path */
static void
TakePath(JourneyReader *reader, TimestampTz until, TouchPath *path)
{
	int			end = FirstAfter(reader, until);
	int			start = 0;

	if (reader->options.look_back && end > 0)
	{
		TimestampTz from = DatumGetTimestampTz(DirectFunctionCall2(timestamptz_mi_interval, TimestampTzGetDatum(until),
																   IntervalPGetDatum(reader->options.look_back)));

		start = from == PG_INT64_MIN ? 0 : FirstAfter(reader, from - 1);
	}
	path->touches = reader->buffer + start;
	path->count = Max(end - start, 0);
	if (reader->options.by_session || reader->options.collapse)
		ReducePath(reader, path);
}

/* Read conversions until there are whole journeys, or no more */
static bool
LoadConversions(JourneyReader *reader)
{
	MemoryContext fresh = reader->batches[!reader->batch];
	int			carried = reader->loaded - reader->complete;

	for (int i = 0; i < carried; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(fresh);

		reader->list[i] = reader->list[reader->complete + i];
		reader->list[i].journey = datumCopy(reader->list[i].journey, reader->type->typbyval, reader->type->typlen);
		MemoryContextSwitchTo(old);
	}
	MemoryContextReset(reader->batches[reader->batch]);
	reader->batch = !reader->batch;
	reader->loaded = carried;
	reader->complete = reader->next = 0;
	while (reader->complete == 0)
	{
		const Conversion *read;
		int			count;
		MemoryContext old;

		read = StreamConversions(&reader->conversions, &count);
		if (read == NULL)
		{
			reader->complete = reader->loaded;
			break;
		}
		if (reader->loaded + count > reader->capacity)
		{
			reader->capacity = (reader->loaded + count) * 2;
			reader->list = repalloc_huge(reader->list, sizeof(Conversion) * reader->capacity);
		}
		old = MemoryContextSwitchTo(fresh);
		for (int i = 0; i < count; i++)
		{
			Conversion *to = &reader->list[reader->loaded++];

			*to = read[i];
			if (!reader->type->typbyval)
				to->journey = datumCopy(to->journey, false, reader->type->typlen);
			if (reader->loaded > 1)
			{
				int			order = CompareJourneys(reader, to[-1].journey, to->journey);

				if (order > 0 || (order == 0 && to[-1].converted_at > to->converted_at))
				{
					reader->conversions.misordered = true;
					break;
				}
				if (order < 0)
					reader->complete = reader->loaded - 1;
			}
		}
		MemoryContextSwitchTo(old);
		if (reader->conversions.misordered)
			return false;
	}
	return reader->complete > 0;
}

/* Open the touches of the journeys of the batch at hand */
static void
LookUpTouches(JourneyReader *reader)
{
	Datum	   *journeys = palloc_extended(sizeof(Datum) * reader->complete, MCXT_ALLOC_HUGE);
	Datum		array;
	int			count = 0;

	for (int i = 0; i < reader->complete; i++)
		if (i == 0 || CompareJourneys(reader, reader->list[i - 1].journey, reader->list[i].journey) != 0)
			journeys[count++] = reader->list[i].journey;
	array = PointerGetDatum(construct_array(journeys, count, reader->type->type_id, reader->type->typlen,
											reader->type->typbyval, reader->type->typalign));
	StreamOpenSome(&reader->touches, get_array_type(reader->type->type_id), array);
	pfree(DatumGetPointer(array));
	pfree(journeys);
}

/*
 * Open the touches, all of them or those of the batch at hand, whichever the
 * planner finds cheaper over all the conversions it expects.
 */
static void
OpenTouches(JourneyReader *reader)
{
	if (!reader->chosen)
	{
		double		batches = Max(StreamPlannedRows(&reader->conversions) / CONVERSION_BATCH, 1);

		reader->chosen = true;
		if (!reader->options.all_journeys && reader->type->type_id < FirstGenbkiObjectId &&
			OidIsValid(get_array_type(reader->type->type_id)))
		{
			LookUpTouches(reader);
			if (StreamCost(&reader->touches) * batches * LOOK_UP_BIAS < reader->touches.planned_cost)
			{
				reader->look_up = true;
				return;
			}
			StreamEnd(&reader->touches);
		}
		StreamOpen(&reader->touches);
		return;
	}
	if (reader->look_up)
	{
		StreamEnd(&reader->touches);
		LookUpTouches(reader);
	}
}

/*
 * Prepare to read journeys. Rows may be read as they are stored only where
 * every scan begins at the beginning.
 */
int
JourneysBegin(JourneyOptions *options)
{
	int			nesting = NewGUCNestLevel();

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	options->may_trust_order = !IsInParallelMode();
	if (options->may_trust_order)
		(void) set_config_option("synchronize_seqscans", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	return nesting;
}

/* Read once more, in an order that is certain */
bool
JourneysAgain(JourneyOptions *options)
{
	options->may_trust_order = false;
	return true;
}

/* End all reading */
void
JourneysEnd(int nesting)
{
	SPI_finish();
	AtEOXact_GUC(true, nesting);
}

/* Open the queries for journeys */
JourneyReader *
JourneysOpen(const JourneyOptions *options, ChannelNames *channels)
{
	JourneyReader *reader = palloc0(sizeof(JourneyReader));
	Oid			journey_type;

	reader->options = *options;
	reader->channels = channels;
	reader->context = CurrentMemoryContext;
	reader->now = GetCurrentTransactionStartTimestamp();
	CheckDigits(options->digits);
	if (options->look_back &&
		DatumGetBool(DirectFunctionCall2(interval_lt, IntervalPGetDatum(options->look_back),
										 IntervalPGetDatum(palloc0(sizeof(Interval))))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("look-back window is %s",
						DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(options->look_back)))),
				 errhint("A look-back window is zero or longer.")));
	reader->included = NameSet(options->include);
	reader->left_out = NameSet(options->exclude);
	StreamTouchesInit(&reader->touches, options->touches, channels, options->by_session, options->with_direct);
	StreamConversionsInit(&reader->conversions, options->conversions, options->digits);
	journey_type = reader->touches.journey_type;
	if (journey_type != reader->conversions.journey_type ||
		reader->touches.collation != reader->conversions.collation)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"journey\" is of type %s in the touches and %s in the conversions",
						format_type_be(journey_type), format_type_be(reader->conversions.journey_type)),
				 errhint("Give both the same type and collation.")));
	reader->type = lookup_type_cache(journey_type, TYPECACHE_CMP_PROC);
	reader->collation = reader->touches.collation;
	if (!OidIsValid(reader->type->cmp_proc))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("journeys of type %s cannot be ordered", format_type_be(journey_type))));
	fmgr_info(reader->type->cmp_proc, &reader->compare);
	reader->batches[0] = AllocSetContextCreate(CurrentMemoryContext, "conversions", ALLOCSET_DEFAULT_SIZES);
	reader->batches[1] = AllocSetContextCreate(CurrentMemoryContext, "conversions", ALLOCSET_DEFAULT_SIZES);
	reader->capacity = CONVERSION_BATCH * 2;
	reader->list = palloc(sizeof(Conversion) * reader->capacity);
	reader->buffer_capacity = 64;
	reader->buffer = palloc(sizeof(Touch) * reader->buffer_capacity);
	StreamChoose(&reader->touches, options->may_trust_order);
	StreamChoose(&reader->conversions, options->may_trust_order);
	StreamOpen(&reader->conversions);
	if (LoadConversions(reader) || !reader->conversions.misordered)
		OpenTouches(reader);
	return reader;
}

/* Take in the touches of one journey */
static void
BufferJourney(JourneyReader *reader, Datum journey)
{
	Touch	   *touch;

	reader->buffered = 0;
	while ((touch = PeekTouch(reader)) != NULL && CompareJourneys(reader, touch->journey, journey) == 0)
	{
		if (touch->occurred_at <= reader->now)
			BufferTouch(reader, touch);
		reader->touches.next++;
	}
}

/* Go on to the next journey without a conversion before the one at hand */
static bool
NextUnconverted(JourneyReader *reader, TouchPath *path)
{
	Touch	   *touch;

	while ((touch = PeekTouch(reader)) != NULL &&
		   (!reader->has_group || CompareJourneys(reader, touch->journey, reader->group) < 0))
	{
		MemoryContext old;
		Datum		journey;

		if (!reader->options.all_journeys)
		{
			reader->touches.next++;
			continue;
		}
		old = MemoryContextSwitchTo(reader->context);
		journey = datumCopy(touch->journey, reader->type->typbyval, reader->type->typlen);
		MemoryContextSwitchTo(old);
		BufferJourney(reader, journey);
		memset(path, 0, sizeof(TouchPath));
		path->journey = journey;
		if (reader->buffered > 0)
			TakePath(reader, reader->buffer[reader->buffered - 1].occurred_at, path);
		if (!reader->type->typbyval)
			pfree(DatumGetPointer(journey));
		if (path->count > 0)
			return true;
	}
	return false;
}

/* Get the next path: one for each conversion, and for each journey without */
bool
JourneysNext(JourneyReader *reader, TouchPath *path)
{
	const Conversion *conversion;

	if (reader->touches.misordered || reader->conversions.misordered)
		return false;
	if (!reader->has_group || reader->next == reader->group_end)
	{
		if (reader->next == reader->complete && LoadConversions(reader))
			OpenTouches(reader);
		if (reader->conversions.misordered)
			return false;
		reader->has_group = reader->next < reader->complete;
		if (reader->has_group)
		{
			reader->group = reader->list[reader->next].journey;
			reader->group_end = reader->next + 1;
			while (reader->group_end < reader->complete &&
				   CompareJourneys(reader, reader->list[reader->group_end].journey, reader->group) == 0)
				reader->group_end++;
		}
		reader->buffered = -1;
	}
	if (reader->buffered < 0)
	{
		if (reader->options.all_journeys || reader->has_group)
			if (NextUnconverted(reader, path))
			{
				reader->buffered = -1;
				return true;
			}
		if (!reader->has_group)
			return false;
		BufferJourney(reader, reader->group);
	}
	conversion = &reader->list[reader->next++];
	memset(path, 0, sizeof(TouchPath));
	path->converted = true;
	path->journey = conversion->journey;
	path->conversion_id = conversion->conversion_id;
	path->has_conversion_id = conversion->has_conversion_id;
	path->converted_at = conversion->converted_at;
	path->lead_created = conversion->lead_created;
	path->opportunity_created = conversion->opportunity_created;
	path->value = conversion->value;
	path->has_value = conversion->has_value;
	TakePath(reader, conversion->converted_at, path);
	CHECK_FOR_INTERRUPTS();
	return true;
}

/*
 * End reading; false when rows were not stored in order, though that was
 * trusted, and what was read is worth nothing
 */
bool
JourneysClose(JourneyReader *reader)
{
	bool		in_order = !reader->touches.misordered && !reader->conversions.misordered;

	StreamEnd(&reader->touches);
	StreamEnd(&reader->conversions);
	return in_order;
}
