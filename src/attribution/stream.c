/*
 * Queries for touches and conversions, read in order batch by batch.
 */
#include "postgres.h"

#include "attribution/stream.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/plannodes.h"
#include "tcop/pquery.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"

/* Rows that are decoded at a time */
#define STREAM_BATCH	1024

/* Times as much as the rows as stored that order may cost to be planned for */
#define ORDER_IS_DEAR	2.0

typedef struct StreamColumn
{
	const char *name;
	bool		needed;
	Oid			type;			/* cast to it, InvalidOid for any */
} StreamColumn;

enum
{
	TOUCH_JOURNEY,
	TOUCH_OCCURRED_AT,
	TOUCH_CHANNEL,
	TOUCH_IS_DIRECT,
	TOUCH_ID,
	TOUCH_SESSION
};

static const StreamColumn TouchColumns[STREAM_MAX_COLUMNS] =
{
	{"journey", true, InvalidOid},
	{"occurred_at", true, TIMESTAMPTZOID},
	{"channel", true, TEXTOID},
	{"is_direct", false, BOOLOID},
	{"touch_id", false, INT8OID},
	{"session", false, InvalidOid},
};

enum
{
	CONVERSION_JOURNEY,
	CONVERSION_CONVERTED_AT,
	CONVERSION_VALUE,
	CONVERSION_ID,
	CONVERSION_LEAD_CREATED_AT,
	CONVERSION_OPPORTUNITY_CREATED_AT
};

static const StreamColumn ConversionColumns[STREAM_MAX_COLUMNS] =
{
	{"journey", true, InvalidOid},
	{"converted_at", true, TIMESTAMPTZOID},
	{"value", false, NUMERICOID},
	{"conversion_id", false, INT8OID},
	{"lead_created_at", false, TIMESTAMPTZOID},
	{"opportunity_created_at", false, TIMESTAMPTZOID},
};

/* Do nothing at the start or end of a run of the executor */
static void
ReceiveStartup(DestReceiver *self, int operation, TupleDesc descriptor)
{
}

static void
ReceiveNothing(DestReceiver *self)
{
}

/* Get a journey that outlives its row; one that repeats is kept once */
static inline Datum
KeepJourney(QueryStream *stream, Datum journey, bool has_before, Datum before)
{
	MemoryContext old;

	if (stream->typbyval)
		return journey;
	if (has_before && datumIsEqual(journey, before, false, stream->typlen))
		return before;
	old = MemoryContextSwitchTo(stream->batch);
	if (stream->typlen == -1)
		journey = PointerGetDatum(PG_DETOAST_DATUM_COPY(journey));
	else
		journey = datumCopy(journey, false, stream->typlen);
	MemoryContextSwitchTo(old);
	return journey;
}

/* Get the number of a channel */
static inline int
DecodeChannel(QueryStream *stream, Datum value)
{
	ChannelNames *channels = stream->channels;
	struct varlena *text = (struct varlena *) DatumGetPointer(value);
	struct varlena *plain = pg_detoast_datum_packed(text);
	const char *name = VARDATA_ANY(plain);
	int			length = VARSIZE_ANY_EXHDR(plain);
	int		   *recent = &stream->recent[length > 0 ?
									 (length + name[0] * 5 + name[length / 2] * 3 + name[length - 1]) & (RECENT_CHANNELS - 1) : 0];
	int			channel = *recent;

	if (channel < 0 || channels->lengths[channel] != length || memcmp(channels->names[channel], name, length) != 0)
		*recent = channel = ChannelNumber(channels, name, length);
	if (plain != text)
		pfree(plain);
	return channel;
}

/* Get a session as a number: itself, or the hash of anything else */
static int64
DecodeSession(QueryStream *stream, Datum value)
{
	struct varlena *plain;

	if (stream->session_by_value)
		return (int64) value;
	if (stream->session_length > 0)
		return (int64) hash_bytes_extended((unsigned char *) DatumGetPointer(value), stream->session_length, 0);
	plain = pg_detoast_datum_packed((struct varlena *) DatumGetPointer(value));
	return (int64) hash_bytes_extended((unsigned char *) VARDATA_ANY(plain), VARSIZE_ANY_EXHDR(plain), 0);
}

/* Is a column given and not null? */
static inline bool
HasValue(const QueryStream *stream, const TupleTableSlot *slot, int column)
{
	return stream->places[column] >= 0 && !slot->tts_isnull[stream->places[column]];
}

/* Take in a touch; one without journey, time or channel is none */
static bool
ReceiveTouch(TupleTableSlot *slot, DestReceiver *self)
{
	QueryStream *stream = (QueryStream *) self;
	Touch	   *touch = &stream->touches[stream->count];

	slot_getallattrs(slot);
	if (slot->tts_isnull[0] || slot->tts_isnull[1] || slot->tts_isnull[2])
		return true;
	touch->journey = KeepJourney(stream, slot->tts_values[0], stream->count > 0, touch[-(stream->count > 0)].journey);
	touch->occurred_at = DatumGetTimestampTz(slot->tts_values[1]);
	touch->channel = DecodeChannel(stream, slot->tts_values[2]);
	touch->is_direct = HasValue(stream, slot, TOUCH_IS_DIRECT) &&
		DatumGetBool(slot->tts_values[stream->places[TOUCH_IS_DIRECT]]);
	touch->has_id = HasValue(stream, slot, TOUCH_ID);
	touch->touch_id = touch->has_id ? DatumGetInt64(slot->tts_values[stream->places[TOUCH_ID]]) : 0;
	touch->has_session = HasValue(stream, slot, TOUCH_SESSION);
	if (touch->has_session)
		touch->session = DecodeSession(stream, slot->tts_values[stream->places[TOUCH_SESSION]]);
	stream->count++;
	return true;
}

/* Get a moment of a row */
static Moment
DecodeMoment(const QueryStream *stream, const TupleTableSlot *slot, int column)
{
	if (!HasValue(stream, slot, column))
		return (Moment) {0, false};
	return (Moment) {DatumGetTimestampTz(slot->tts_values[stream->places[column]]), true};
}

/* Take in a conversion; one without journey or time is none */
static bool
ReceiveConversion(TupleTableSlot *slot, DestReceiver *self)
{
	QueryStream *stream = (QueryStream *) self;
	Conversion *conversion = &stream->conversions[stream->count];

	slot_getallattrs(slot);
	if (slot->tts_isnull[0] || slot->tts_isnull[1])
		return true;
	conversion->journey = KeepJourney(stream, slot->tts_values[0], stream->count > 0,
									  conversion[-(stream->count > 0)].journey);
	conversion->converted_at = DatumGetTimestampTz(slot->tts_values[1]);
	conversion->has_value = HasValue(stream, slot, CONVERSION_VALUE);
	conversion->value = 0;
	if (conversion->has_value)
	{
		MemoryContext old = MemoryContextSwitchTo(stream->batch);

		conversion->value = MinorUnits(DatumGetNumeric(slot->tts_values[stream->places[CONVERSION_VALUE]]), stream->digits);
		MemoryContextSwitchTo(old);
	}
	conversion->has_conversion_id = HasValue(stream, slot, CONVERSION_ID);
	conversion->conversion_id = conversion->has_conversion_id ?
		DatumGetInt64(slot->tts_values[stream->places[CONVERSION_ID]]) : 0;
	conversion->lead_created = DecodeMoment(stream, slot, CONVERSION_LEAD_CREATED_AT);
	conversion->opportunity_created = DecodeMoment(stream, slot, CONVERSION_OPPORTUNITY_CREATED_AT);
	stream->count++;
	return true;
}

/* Find the columns of a query by their names, and select those in order */
static void
SelectColumns(QueryStream *stream, const char *query, const StreamColumn *columns, const bool *wanted)
{
	StringInfoData text;
	SPIPlanPtr	plan;
	TupleDesc	descriptor;
	Portal		portal;
	int			place = 0;

	initStringInfo(&text);
	appendStringInfo(&text, "SELECT * FROM (%s\n) t", query);
	plan = SPI_prepare(text.data, 0, NULL);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	portal = SPI_cursor_open(NULL, plan, NULL, NULL, true);
	descriptor = portal->tupDesc;
	resetStringInfo(&text);
	for (int i = 0; i < STREAM_MAX_COLUMNS; i++)
	{
		int			found = wanted[i] ? SPI_fnumber(descriptor, columns[i].name) : 0;

		stream->places[i] = -1;
		if (found <= 0)
		{
			if (!columns[i].needed)
				continue;
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("the query for %s has no column \"%s\"", stream->what, columns[i].name)));
		}
		stream->types[i] = TupleDescAttr(descriptor, found - 1)->atttypid;
		appendStringInfo(&text, "%st.%s", place ? ", " : "SELECT ", columns[i].name);
		if (OidIsValid(columns[i].type) && stream->types[i] != columns[i].type)
			appendStringInfo(&text, "::pg_catalog.%s", columns[i].type == TIMESTAMPTZOID ? "timestamptz" :
							 columns[i].type == TEXTOID ? "text" : columns[i].type == BOOLOID ? "bool" :
							 columns[i].type == INT8OID ? "int8" : "numeric");
		stream->places[i] = place++;
		if (i == 0)
		{
			stream->journey_type = stream->types[0];
			stream->collation = TupleDescAttr(descriptor, found - 1)->attcollation;
			get_typlenbyval(stream->journey_type, &stream->typlen, &stream->typbyval);
		}
	}
	SPI_cursor_close(portal);
	SPI_freeplan(plan);
	appendStringInfo(&text, " FROM (%s\n) t", query);
	stream->as_stored = text.data;
	stream->query = psprintf("%s ORDER BY 1, 2", text.data);
	stream->of_some = psprintf("%s WHERE t.journey OPERATOR(pg_catalog.=) ANY ($1) ORDER BY 1, 2", text.data);
}

/* Prepare to read touches */
void
StreamTouchesInit(QueryStream *stream, const char *query, ChannelNames *channels, bool with_sessions,
				  bool with_direct)
{
	bool		wanted[STREAM_MAX_COLUMNS] = {true, true, true, with_direct, true, with_sessions};

	memset(stream, 0, sizeof(QueryStream));
	stream->what = "touches";
	SelectColumns(stream, query, TouchColumns, wanted);
	if (stream->places[TOUCH_SESSION] >= 0)
		get_typlenbyval(stream->types[TOUCH_SESSION], &stream->session_length, &stream->session_by_value);
	stream->channels = channels;
	memset(stream->recent, 0xFF, sizeof(stream->recent));
	stream->receiver.receiveSlot = ReceiveTouch;
	stream->touches = palloc(sizeof(Touch) * STREAM_BATCH);
	stream->batch = AllocSetContextCreate(CurrentMemoryContext, "touches", ALLOCSET_DEFAULT_SIZES);
}

/* Prepare to read conversions */
void
StreamConversionsInit(QueryStream *stream, const char *query, int digits)
{
	bool		wanted[STREAM_MAX_COLUMNS] = {true, true, true, true, true, true};

	memset(stream, 0, sizeof(QueryStream));
	stream->what = "conversions";
	SelectColumns(stream, query, ConversionColumns, wanted);
	stream->digits = digits;
	stream->receiver.receiveSlot = ReceiveConversion;
	stream->conversions = palloc(sizeof(Conversion) * STREAM_BATCH);
	stream->batch = AllocSetContextCreate(CurrentMemoryContext, "conversions", ALLOCSET_DEFAULT_SIZES);
}

/* Get what a query would cost, by the planner */
static double
PlannedCost(const char *query)
{
	SPIPlanPtr	plan = SPI_prepare(query, 0, NULL);
	CachedPlan *cached;
	double		cost;

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	cached = SPI_plan_get_cached_plan(plan);
	cost = linitial_node(PlannedStmt, cached->stmt_list)->planTree->total_cost;
	ReleaseCachedPlan(cached, NULL);
	SPI_freeplan(plan);
	return cost;
}

/*
 * Choose how to read all rows: in the order of a plan, or, where that is dear
 * and it is allowed, in the order in which they are stored, which the reader
 * checks row by row.
 */
void
StreamChoose(QueryStream *stream, bool may_trust)
{
	double		as_stored;

	stream->planned_cost = PlannedCost(stream->query);
	if (!may_trust)
		return;
	as_stored = PlannedCost(stream->as_stored);
	stream->trusting = as_stored * ORDER_IS_DEAR < stream->planned_cost;
	if (stream->trusting)
		stream->planned_cost = as_stored;
}

/* Open a stream over a query with one argument or none */
static void
OpenQuery(QueryStream *stream, const char *query, int arguments, Oid *types, Datum *values)
{
	stream->receiver.rStartup = ReceiveStartup;
	stream->receiver.rShutdown = ReceiveNothing;
	stream->receiver.rDestroy = ReceiveNothing;
	stream->receiver.mydest = DestNone;
	stream->portal = SPI_cursor_open_with_args(NULL, query, arguments, types, values, NULL, true, CURSOR_OPT_NO_SCROLL);
	stream->at_end = false;
	stream->count = stream->next = 0;
}

/* Open a stream of all rows, as it was chosen */
void
StreamOpen(QueryStream *stream)
{
	OpenQuery(stream, stream->trusting ? stream->as_stored : stream->query, 0, NULL, NULL);
}

/* Open a stream of the rows of some journeys */
void
StreamOpenSome(QueryStream *stream, Oid argument_type, Datum argument)
{
	OpenQuery(stream, stream->of_some, 1, &argument_type, &argument);
}

/* Close a stream */
void
StreamEnd(QueryStream *stream)
{
	if (stream->portal)
		SPI_cursor_close(stream->portal);
	stream->portal = NULL;
	stream->at_end = true;
	stream->count = stream->next = 0;
}

/* Read the next batch that has something in it */
bool
StreamFill(QueryStream *stream)
{
	stream->count = stream->next = 0;
	MemoryContextReset(stream->batch);
	while (stream->count == 0 && !stream->at_end)
	{
		CHECK_FOR_INTERRUPTS();
		stream->at_end = PortalRunFetch(stream->portal, FETCH_FORWARD, STREAM_BATCH, &stream->receiver) < STREAM_BATCH;
	}
	return stream->count > 0;
}

/* Get what the planner thinks of an open stream */
static Plan *
StreamPlan(QueryStream *stream)
{
	return linitial_node(PlannedStmt, stream->portal->stmts)->planTree;
}

double
StreamPlannedRows(QueryStream *stream)
{
	return StreamPlan(stream)->plan_rows;
}

double
StreamCost(QueryStream *stream)
{
	return StreamPlan(stream)->total_cost;
}
