/*
 * Queries for touches and conversions, read in order batch by batch.
 */
#ifndef LEAD_MGMT_ATTRIBUTION_STREAM_H
#define LEAD_MGMT_ATTRIBUTION_STREAM_H

#include "attribution/attribution.h"
#include "tcop/dest.h"
#include "utils/portal.h"

/* A conversion of a journey */
typedef struct Conversion
{
	Datum		journey;
	int64		conversion_id;
	TimestampTz converted_at;
	Moment		lead_created;
	Moment		opportunity_created;
	int64		value;
	bool		has_value;
	bool		has_conversion_id;
} Conversion;

#define STREAM_MAX_COLUMNS	6

/* Channels that are found again without a hash */
#define RECENT_CHANNELS		64

/* Rows of a query, decoded as they come; the receiver must come first */
typedef struct QueryStream
{
	DestReceiver receiver;
	const char *what;
	char	   *query;			/* in the order of journeys */
	char	   *as_stored;		/* in whichever order */
	char	   *of_some;		/* in order, of the journeys of an argument */
	Portal		portal;
	bool		at_end;
	bool		trusting;		/* that the order as stored will do */
	bool		misordered;		/* but it did not */
	Oid			journey_type;
	Oid			collation;
	int16		typlen;
	bool		typbyval;
	int			places[STREAM_MAX_COLUMNS]; /* in the result, -1 if not given */
	Oid			types[STREAM_MAX_COLUMNS];
	int16		session_length;
	bool		session_by_value;
	double		planned_cost;	/* of the query that was chosen */
	MemoryContext batch;
	ChannelNames *channels;
	int			digits;
	int			recent[RECENT_CHANNELS];
	int			count;
	int			next;
	Touch	   *touches;
	Conversion *conversions;
} QueryStream;

extern void StreamTouchesInit(QueryStream *stream, const char *query, ChannelNames *channels, bool with_sessions,
							  bool with_direct);
extern void StreamConversionsInit(QueryStream *stream, const char *query, int digits);
extern void StreamChoose(QueryStream *stream, bool may_trust);
extern void StreamOpen(QueryStream *stream);
extern void StreamOpenSome(QueryStream *stream, Oid argument_type, Datum argument);
extern void StreamEnd(QueryStream *stream);
extern double StreamPlannedRows(QueryStream *stream);
extern double StreamCost(QueryStream *stream);
extern bool StreamFill(QueryStream *stream);

/* Get the next touch without taking it, NULL at the end */
static inline Touch *
StreamTouch(QueryStream *stream)
{
	if (stream->next == stream->count && !StreamFill(stream))
		return NULL;
	return &stream->touches[stream->next];
}

/* Take all conversions of the next batch, NULL at the end */
static inline const Conversion *
StreamConversions(QueryStream *stream, int *count)
{
	if (!StreamFill(stream))
		return NULL;
	*count = stream->count;
	return stream->conversions;
}

#endif
