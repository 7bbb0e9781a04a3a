/*
 * Models as a session keeps them for live matching.
 */
#ifndef LEAD_MGMT_LIVE_MODEL_H
#define LEAD_MGMT_LIVE_MODEL_H

#include "executor/spi.h"
#include "matching/levels.h"
#include "matching/sources.h"

/* Candidates of one code beyond which it is refined */
#define CANDIDATE_LIMIT 64

/* Codes that are looked up for a record */
#define LIVE_MAX_PROBES (SOURCE_MAX_INDEXES * CODE_MAX_SPECS)

/*
 * A code of a record under one index, looked up in another of the same key: a
 * record that stands in two blocks may meet others in either.
 */
typedef struct LivePlace
{
	int			index;
	int			of;
} LivePlace;

StaticAssertDecl(LIVE_MAX_PROBES <= 64, "places are members of a set of 64 bits");

/* What a record has, by column of the source */
typedef struct LiveValues
{
	const char *texts[MODEL_MAX_FIELDS * 2];	/* NULL for null */
	int			lengths[MODEL_MAX_FIELDS * 2];
	int			late;			/* the column that was not looked up in match_alias and match_bypass yet, or -1 */
} LiveValues;

/* Records that are entered together, so that what they are looked up by is fetched ahead for all of them */
#define LIVE_BATCH 32

typedef struct LiveBatch
{
	int			count;
	int64		ids[LIVE_BATCH];
	uint32		numbers[LIVE_BATCH];	/* among the records that are kept, once they are entered */
	ChunkText	texts[MODEL_MAX_FIELDS * 2 * LIVE_BATCH];	/* by column of the records */
	ChunkText	late[LIVE_BATCH];	/* of the column that is not looked up yet */
	StringInfoData bytes;
} LiveBatch;

/* A model as a session keeps it; lives and dies with the configuration */
typedef struct LiveModel
{
	struct LiveModel *next;
	Workspace  *ws;
	WorkspaceConfig *config;
	const MatchStrategy *strategy;
	MatchModel *model;			/* NULL when there is none that works */
	SourceColumns *columns;		/* that the model reads */
	bool		is_joined;		/* one of them comes from the account */
	int			column_of[MODEL_MAX_FIELDS * 2];	/* by column of the records */
	int			whole_column;	/* that only stands in where parts of names are blank, or -1 */
	MemoryContext records_context;
	MatchRecords *records;
	PairScorer *scorer;
	LiveBatch	batch;

	int			index_count;
	SourceIndex indexes[SOURCE_MAX_INDEXES];
	SPIPlanPtr	look_up;		/* ids by ranges of codes; NULL until it is wanted */
	SPIPlanPtr	fetch;			/* records by ids, likewise */

	/* what follows the definition of the table contact */
	bool		is_read;
	uint64		definition;
	bool		can_scan;		/* are the indexes such that they can be read directly? */
	int			missing;		/* indexes that are not there */
	Oid			index_ids[SOURCE_MAX_INDEXES];
	int			place_count;
	LivePlace	places[LIVE_MAX_PROBES];	/* wider ones first */
	uint64		wider[LIVE_MAX_PROBES]; /* the places, as a set, that bring whatever each would */
	AttrNumber	numbers[MODEL_MAX_FIELDS * 2];	/* of the table's columns, by column of the source */
	AttrNumber	last_number;
	AttrNumber	id_number;
	AttrNumber	account_number;
} LiveModel;

extern LiveModel *LiveModelGet(Workspace *ws, WorkspaceConfig *config, const MatchStrategy *strategy);
extern void LiveModelFollow(LiveModel *live);
extern SPIPlanPtr LiveModelLookUp(LiveModel *live);
extern SPIPlanPtr LiveModelFetch(LiveModel *live);
extern void LiveModelReset(LiveModel *live);
extern void LiveModelPut(LiveModel *live, int64 id, const LiveValues *values);
extern const LiveBatch *LiveModelEnter(LiveModel *live);
extern uint32 LiveModelAdd(LiveModel *live, const LiveValues *values);

#endif
