/*
 * Attribution: which touches of a journey are credited with its conversion.
 *
 * Credits are whole numbers of CREDIT_UNIT parts and money whole numbers of
 * minor units, so that both add up exactly whatever is added in which order.
 */
#ifndef LEAD_MGMT_ATTRIBUTION_H
#define LEAD_MGMT_ATTRIBUTION_H

#include "fmgr.h"
#include "utils/array.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

/* A whole credit; CREDIT_DIGITS is its number of decimals */
#define CREDIT_UNIT		INT64CONST(1000000000000000)
#define CREDIT_DIGITS	15

/* Models that one pass may compute */
#define MAX_MODELS		256

/* Paths up to this length keep their credits where these depend on it alone */
#define KEPT_TOUCHES	32

/* The largest order of a Markov chain */
#define MAX_ORDER		8

/* Channel names, numbered in the order in which they come */
typedef struct ChannelNames
{
	MemoryContext context;
	int			count;
	int			capacity;
	char	  **names;			/* terminated, of any content */
	int		   *lengths;
	uint32	   *hashes;
	uint32		mask;
	int		   *slots;
} ChannelNames;

extern ChannelNames *ChannelsCreate(MemoryContext context);
extern int	ChannelNumber(ChannelNames *channels, const char *name, int length);
extern int	ChannelFind(const ChannelNames *channels, const char *name, int length);
extern int *ChannelsInOrder(const ChannelNames *channels);
extern Datum ChannelDatum(const ChannelNames *channels, int channel);

/* One touch of a journey */
typedef struct Touch
{
	Datum		journey;
	TimestampTz occurred_at;
	int64		touch_id;
	int64		session;
	int			channel;
	bool		is_direct;
	bool		has_session;
	bool		has_id;
} Touch;

/* A moment that may not be known */
typedef struct Moment
{
	TimestampTz at;
	bool		known;
} Moment;

/* The touches before a conversion, or of a journey without one */
typedef struct TouchPath
{
	int			count;
	const Touch *touches;
	bool		converted;
	Datum		journey;
	int64		conversion_id;
	bool		has_conversion_id;
	TimestampTz converted_at;
	Moment		lead_created;
	Moment		opportunity_created;
	int64		value;			/* in minor units */
	bool		has_value;
} TouchPath;

typedef enum
{
	MODEL_POSITION,
	MODEL_LAST_NON_DIRECT,
	MODEL_TIME_DECAY,
	MODEL_PARTICIPATION,
	MODEL_SHAPLEY,
	MODEL_CHANNELS,
	MODEL_MARKOV
} ModelKind;

typedef struct AttributionModel
{
	char	   *name;
	ModelKind	kind;
	int			first_count;
	int			last_count;
	double	   *first;
	double	   *last;
	double		lead;
	double		opportunity;
	double		other;
	double		half_life;		/* microseconds */
	ChannelNames *weighted;		/* channels that have a weight of their own */
	double	   *channel_weights;
	int64	   *kept[KEPT_TOUCHES + 1];
} AttributionModel;

/* Room for the work on one path, which grows with the longest */
typedef struct CreditRoom
{
	MemoryContext context;
	int			capacity;
	int64	   *credits;
	int64	   *shares;
	double	   *weights;
	int64	   *remainders;
	int		   *order;
	bool	   *marked;
} CreditRoom;

extern AttributionModel *DescriptionRead(text *description, bool of_all);
extern AttributionModel **DescriptionsRead(ArrayType *descriptions, int *count);
extern CreditRoom *CreditRoomCreate(MemoryContext context);
extern void CreditRoomReserve(CreditRoom *room, int touches);
extern int	ModelSingle(const AttributionModel *model, const TouchPath *path);
extern const int64 *ModelCredits(AttributionModel *model, const TouchPath *path, const ChannelNames *channels, CreditRoom *room);
extern void AllocateMoney(int64 amount, const int64 *credits, int count, int64 *shares, CreditRoom *room);
extern void AllocateByWeights(int64 amount, const double *weights, int count, int64 *shares, CreditRoom *room);
extern int64 MinorUnits(Numeric value, int digits);
extern void CheckDigits(int digits);

/* Where journeys are read from, and what of them counts */
typedef struct JourneyOptions
{
	const char *touches;
	const char *conversions;
	Interval   *look_back;
	bool		by_session;
	bool		collapse;
	ArrayType  *include;
	ArrayType  *exclude;
	int			digits;
	bool		all_journeys;	/* those that do not convert too */
	bool		with_direct;	/* it matters which touches are direct */
	bool		may_trust_order;	/* rows may be read as stored */
} JourneyOptions;

typedef struct JourneyReader JourneyReader;

extern JourneyReader *JourneysOpen(const JourneyOptions *options, ChannelNames *channels);
extern bool JourneysNext(JourneyReader *reader, TouchPath *path);
extern char *JourneyText(JourneyReader *reader, Datum journey);
extern bool JourneysClose(JourneyReader *reader);
extern int	JourneysBegin(JourneyOptions *options);
extern bool JourneysAgain(JourneyOptions *options);
extern void JourneysEnd(int nesting);
extern void JourneyArguments(FunctionCallInfo fcinfo, int first, JourneyOptions *options);

/* What a channel contributes */
typedef struct ChannelEffect
{
	double		removal_effect;
	double		conversions;
	double		removal_effect_value;
	double		value;
} ChannelEffect;

typedef struct MarkovChain MarkovChain;

extern MarkovChain *MarkovCreate(int order, MemoryContext context);
extern void MarkovAdd(MarkovChain *chain, const int *channels, int count, double conversions, double nulls, double value);
extern void MarkovSolve(MarkovChain *chain, int channels, ChannelEffect *effects);

/* Paths by their channels with what came of them, for aggregates */
typedef struct PathCount
{
	int64		offset;			/* of its channels */
	int			length;
	uint32		hash;
	double		conversions;
	double		nulls;
	double		value;
} PathCount;

typedef struct PathCounts
{
	MemoryContext context;
	ChannelNames *channels;
	int64		used;
	int64		room;
	int		   *steps;
	int			count;
	int			capacity;
	PathCount  *paths;
	uint32		mask;
	int		   *slots;
	int			order;			/* of the Markov chain, 0 for none */
} PathCounts;

extern PathCounts *PathsCreate(MemoryContext context);
extern void PathsAdd(PathCounts *paths, const int *steps, int length, double conversions, double nulls, double value);

#endif
