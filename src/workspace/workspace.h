/*
 * The room every other room stands on: which workspace a table belongs to,
 * whose rights work on its behalf is done with, its kept plans and its cached
 * configuration.
 */
#ifndef LEAD_MGMT_WORKSPACE_H
#define LEAD_MGMT_WORKSPACE_H

#include "executor/spi.h"
#include "utils/array.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

/* The placeholder for the workspace's quoted schema name in SQL text */
#define WORKSPACE_TOKEN "@workspace@"

/* The columns of a batch in SQL text: @rows $1: column, column@ */
#define ROWS_TOKEN "@rows "
#define ROWS_END '@'

/* The types of arguments that kept plans take */
typedef enum
{
	ARG_INT8,
	ARG_TEXT,
	ARG_TIMESTAMPTZ,
	ARG_JSONB,
	ARG_BOOL,
	ARG_INT8S,
	ARG_INT4S,
	ARG_FLOAT8S,
	ARG_BOOLS,
	ARG_TEXTS,
	ARG_NUMERICS,
	ARG_TIMESTAMPTZS,
	ARG_JSONBS,
	ARG_BYTEAS,
	ARG_EMAILS,
	ARG_PHONES,
	ARG_HEATS
} PlanArgument;

#define PLAN_MAX_ARGUMENTS 40

/* A statement with kept plans, one a workspace; always a static constant */
typedef struct PlanSource
{
	const char *sql;
	int			nargs;
	PlanArgument args[PLAN_MAX_ARGUMENTS];
} PlanSource;

struct WorkspaceConfig;

/* The sequence behind an identity column; no table for none */
typedef struct KnownSequence
{
	Oid			relid;
	Oid			sequence;
} KnownSequence;

#define KNOWN_SEQUENCES 8

typedef struct Workspace
{
	Oid			namespace_id;	/* hash key */
	char	   *name;
	char	   *quoted_name;
	Oid			owner;
	Oid			info_relid;		/* workspace_info: its invalidation is ours */
	Oid			profile_relid;
	Oid			opportunity_relid;	/* opportunity_profile */
	Oid			interaction_relid;
	Oid			move_relid;
	Oid			contact_relid;
	uint64		contact_definition; /* counts its changes, indexes included */
	Oid			lead_relid;
	uint64		lead_definition;	/* likewise */
	Oid			counts_relid;	/* scoring_count */
	uint64		counts_version; /* counts the changes of what it says */
	KnownSequence sequences[KNOWN_SEQUENCES];
	Oid			types[ARG_HEATS + 1];
	struct HTAB *plans;
	struct WorkspaceConfig *config;
	bool		config_valid;
	bool		config_is_transient;	/* ends with the transaction */
} Workspace;

/* Rights taken for the time of some work */
typedef struct WorkspaceRights
{
	Oid			saved_user;
	int			saved_context;
} WorkspaceRights;

extern void WorkspaceInit(void);
extern Workspace *WorkspaceOfRelation(Relation rel);
extern Workspace *WorkspaceOfNamespace(Oid namespace_id);
extern void WorkspaceEnter(Workspace *ws, WorkspaceRights *rights);
extern void WorkspaceLeave(const WorkspaceRights *rights);
extern int	WorkspacePin(bool by_index);
extern void WorkspaceUnpin(int level);
extern int	WorkspaceExecute(Workspace *ws, const PlanSource *source, Datum *values, const char *nulls);
extern Oid	WorkspaceSequence(Workspace *ws, const char *table, const char *column);
extern Oid	WorkspaceRelation(Workspace *ws, const char *table);
extern void WorkspaceCheckExecute(Workspace *ws, const char *function, int nargs, const Oid *types);
extern void WorkspaceCheckRow(Workspace *ws, bool is_lead, int64 id);

/* Statements that the system itself runs, as row triggers see them */
typedef void (*WorkspaceWork) (Workspace *ws, void *arg);

extern void WorkspaceRun(Workspace *ws, WorkspaceWork work, void *arg);
extern void WorkspaceRunForeign(Workspace *ws, WorkspaceWork work, void *arg);
extern bool SystemAtWork(void);
extern bool ErrorIsOfRow(int sqlerrcode);

/* Columns of a batch, handed to a kept plan as arrays */
typedef struct Batch
{
	int			capacity;
	int			rows;
	int			columns;
	const PlanArgument *args;
	Datum	  **values;
	bool	  **nulls;
} Batch;

extern Batch *BatchCreate(const PlanArgument *args, int columns, int capacity);
extern void BatchSet(Batch *batch, int column, Datum value);
extern void BatchSetNull(Batch *batch, int column);
extern void BatchSetText(Batch *batch, int column, const char *value);
extern void BatchNext(Batch *batch);
extern void BatchArrays(Workspace *ws, Batch *batch, Datum *arrays);
extern int	BatchExecute(Workspace *ws, const PlanSource *source, Batch *batch);

/* Reading what a statement returned */
extern char *ResultText(uint64 row, int column);
extern int64 ResultInt64(uint64 row, int column, bool *isnull);
extern TimestampTz ResultTimestamp(uint64 row, int column);
extern bool ResultBool(uint64 row, int column);
extern int	ResultInt(uint64 row, int column);
extern double ResultDouble(uint64 row, int column);
extern char **ResultTexts(uint64 row, int column, int *count);

#endif
