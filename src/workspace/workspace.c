/*
 * Workspaces as the C code sees them: found by the schema of a relation,
 * with kept plans and a cached configuration.
 *
 * A workspace is recognised by its table workspace_info.  That table is also
 * the wire on which configuration changes travel: a change to a definition
 * table invalidates the relation cache entry of workspace_info, the server
 * carries that message to every session at commit, and the callback below
 * drops what was cached.  A renamed schema arrives the same way.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "parser/parse_func.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "workspace/config.h"
#include "workspace/workspace.h"

#define EXTENSION_SCHEMA "lead_mgmt"

/* A statement in one of its forms */
typedef struct PlanKey
{
	const PlanSource *source;
	uint64		is_single;		/* takes the one row of a batch, not arrays */
} PlanKey;

typedef struct PlanEntry
{
	PlanKey		key;
	bool		is_apt;			/* the statement has this form */
	SPIPlanPtr	plan;
	uint64		uses;
	BlockNumber pages;			/* of tables believed empty, when the plan was made */
} PlanEntry;

static HTAB *workspaces = NULL;

/* The trigger depth at which row triggers run for the system's own statements */
static int	system_depth = -1;

/* Drop what is cached for workspaces whose marker relation was invalidated */
static void
RelationInvalidated(Datum arg, Oid relid)
{
	HASH_SEQ_STATUS status;
	Workspace  *ws;

	hash_seq_init(&status, workspaces);
	while ((ws = hash_seq_search(&status)) != NULL)
	{
		if (relid == InvalidOid || relid == ws->info_relid || relid == ws->profile_relid ||
			relid == ws->opportunity_relid || relid == ws->interaction_relid || relid == ws->move_relid)
			ws->config_valid = false;
		if (relid == InvalidOid || relid == ws->contact_relid)
			ws->contact_definition++;
		if (relid == InvalidOid || relid == ws->lead_relid)
			ws->lead_definition++;
		if (relid == InvalidOid || relid == ws->counts_relid)
			ws->counts_version++;
		for (int k = 0; k < KNOWN_SEQUENCES; k++)
			if (relid == InvalidOid || relid == ws->sequences[k].relid)
				ws->sequences[k].relid = InvalidOid;
	}
}

/* Look everything up again after a schema was renamed, dropped or given away */
static void
NamespaceInvalidated(Datum arg, int cacheid, uint32 hashvalue)
{
	RelationInvalidated(arg, InvalidOid);
}

/* Forget configurations that were read for one transaction only */
static void
TransactionEnded(XactEvent event, void *arg)
{
	HASH_SEQ_STATUS status;
	Workspace  *ws;

	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE)
		return;
	hash_seq_init(&status, workspaces);
	while ((ws = hash_seq_search(&status)) != NULL)
	{
		if (!ws->config_is_transient)
			continue;
		ws->config = NULL;
		ws->config_is_transient = false;
	}
	system_depth = -1;
}

/* Prepare the workspace cache */
void
WorkspaceInit(void)
{
	HASHCTL		ctl = {0};

	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(Workspace);
	workspaces = hash_create("lead_mgmt workspaces", 8, &ctl, HASH_ELEM | HASH_BLOBS);
	CacheRegisterRelcacheCallback(RelationInvalidated, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, NamespaceInvalidated, (Datum) 0);
	RegisterXactCallback(TransactionEnded, NULL);
}

/* Free the plans of a workspace whose schema changed its name */
static void
ForgetPlans(Workspace *ws)
{
	HASH_SEQ_STATUS status;
	PlanEntry  *entry;

	hash_seq_init(&status, ws->plans);
	while ((entry = hash_seq_search(&status)) != NULL)
		if (entry->plan)
			SPI_freeplan(entry->plan);
	hash_destroy(ws->plans);
	ws->plans = NULL;
}

/* Get the type a plan argument has */
static Oid
ArgumentType(PlanArgument arg)
{
	Oid			element;

	switch (arg)
	{
		case ARG_INT8:
			return INT8OID;
		case ARG_TEXT:
			return TEXTOID;
		case ARG_TIMESTAMPTZ:
			return TIMESTAMPTZOID;
		case ARG_JSONB:
			return JSONBOID;
		case ARG_BOOL:
			return BOOLOID;
		case ARG_INT8S:
			return INT8ARRAYOID;
		case ARG_INT4S:
			return INT4ARRAYOID;
		case ARG_FLOAT8S:
			return FLOAT8ARRAYOID;
		case ARG_BOOLS:
			return BOOLARRAYOID;
		case ARG_TEXTS:
			return TEXTARRAYOID;
		case ARG_NUMERICS:
			return get_array_type(NUMERICOID);
		case ARG_TIMESTAMPTZS:
			return get_array_type(TIMESTAMPTZOID);
		case ARG_BYTEAS:
			return BYTEAARRAYOID;
		case ARG_JSONBS:
			return get_array_type(JSONBOID);
		case ARG_EMAILS:
		case ARG_PHONES:
		case ARG_HEATS:
			element = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
									  CStringGetDatum(arg == ARG_EMAILS ? "email" : arg == ARG_PHONES ? "phone" : "heat"),
									  ObjectIdGetDatum(get_namespace_oid(EXTENSION_SCHEMA, false)));
			return get_array_type(element);
	}
	return InvalidOid;
}

/* Get the workspace that a schema is */
Workspace *
WorkspaceOfNamespace(Oid namespace_id)
{
	bool		found;
	Workspace  *ws;
	Oid			info_relid;
	char	   *name;
	MemoryContext old;

	/* A transaction that holds all its locks already would hear of no change */
	AcceptInvalidationMessages();
	ws = hash_search(workspaces, &namespace_id, HASH_FIND, NULL);
	if (ws && ws->config_valid)
		return ws;

	info_relid = get_relname_relid("workspace_info", namespace_id);
	name = get_namespace_name(namespace_id);
	if (!OidIsValid(info_relid) || name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_SCHEMA_NAME),
				 errmsg("schema \"%s\" is not a workspace", name ? name : "?"),
				 errhint("Create one with lead_mgmt.create_workspace().")));

	ws = hash_search(workspaces, &namespace_id, HASH_ENTER, &found);
	if (!found)
	{
		memset((char *) ws + sizeof(Oid), 0, sizeof(Workspace) - sizeof(Oid));
		ws->namespace_id = namespace_id;
	}
	if (ws->name == NULL || strcmp(ws->name, name) != 0)
	{
		if (ws->plans)
			ForgetPlans(ws);
		old = MemoryContextSwitchTo(TopMemoryContext);
		ws->name = pstrdup(name);
		ws->quoted_name = pstrdup(quote_identifier(name));
		MemoryContextSwitchTo(old);
	}
	if (ws->plans == NULL)
	{
		HASHCTL		ctl = {0};

		ctl.keysize = sizeof(PlanKey);
		ctl.entrysize = sizeof(PlanEntry);
		ws->plans = hash_create("lead_mgmt plans", 64, &ctl, HASH_ELEM | HASH_BLOBS);
	}
	ws->info_relid = info_relid;
	ws->profile_relid = get_relname_relid("lead_profile", namespace_id);
	ws->opportunity_relid = get_relname_relid("opportunity_profile", namespace_id);
	ws->interaction_relid = get_relname_relid("interaction", namespace_id);
	ws->move_relid = get_relname_relid("stage_move", namespace_id);
	ws->contact_relid = get_relname_relid("contact", namespace_id);
	ws->contact_definition++;
	ws->lead_relid = get_relname_relid("lead", namespace_id);
	ws->lead_definition++;
	ws->counts_relid = get_relname_relid("scoring_count", namespace_id);
	ws->counts_version++;
	for (int arg = 0; arg <= ARG_HEATS; arg++)
		ws->types[arg] = ArgumentType(arg);
	{
		HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(info_relid));

		if (!HeapTupleIsValid(tuple))
			elog(ERROR, "cache lookup failed for relation %u", info_relid);
		ws->owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
		ReleaseSysCache(tuple);
	}
	return ws;
}

/* Get the workspace that a table belongs to */
Workspace *
WorkspaceOfRelation(Relation rel)
{
	return WorkspaceOfNamespace(RelationGetNamespace(rel));
}

/*
 * Take the rights of the owner of the workspace, as foreign-key triggers take
 * those of the table's owner: a client needs no privilege on what its action
 * causes, and a rule can do no more than the workspace's owner could.
 */
void
WorkspaceEnter(Workspace *ws, WorkspaceRights *rights)
{
	GetUserIdAndSecContext(&rights->saved_user, &rights->saved_context);
	SetUserIdAndSecContext(ws->owner, rights->saved_context |
						   SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
}

/* Give the rights back; an error gives them back by itself */
void
WorkspaceLeave(const WorkspaceRights *rights)
{
	SetUserIdAndSecContext(rights->saved_user, rights->saved_context);
}

/*
 * Pin the settings that statements of the system's own run under, as SET does
 * on a function.  For functions that run some on few of their calls: a SET is
 * paid for on each, and costs a row trigger more than what it does.
 */
int
WorkspacePin(bool by_index)
{
	static const char *const settings[][2] = {
		{"search_path", "pg_catalog, pg_temp"},
		{"enable_seqscan", "off"}, {"enable_hashjoin", "off"}, {"enable_mergejoin", "off"}, {"jit", "off"}
	};
	int			level = NewGUCNestLevel();

	for (int i = 0; i < (by_index ? lengthof(settings) : 1); i++)
		(void) set_config_option(settings[i][0], settings[i][1], PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
								 true, 0, false);
	return level;
}

/* Let the settings be as they were; an error does so by itself */
void
WorkspaceUnpin(int level)
{
	AtEOXact_GUC(true, level);
}

/* Write the columns of a batch out: "$1: a, b" is SELECT unnest($1) AS a, unnest($2) AS b, or of one row SELECT $1 AS a, $2 AS b */
static const char *
AppendRows(StringInfo text, const char *from, bool is_single)
{
	int			argument = atoi(from + 1);
	const char *name = strchr(from, ':') + 1;
	const char *end = strchr(name, ROWS_END);

	appendStringInfoString(text, "(SELECT");
	while (name < end)
	{
		int			length;

		name += strspn(name, " ");
		length = strcspn(name, ",@");
		appendStringInfo(text, is_single ? " $%d AS %.*s%s" : " pg_catalog.unnest($%d) AS %.*s%s", argument++, length, name,
						 name + length < end ? "," : ")");
		name += length + 1;
	}
	return end + 1;
}

/* Does a statement read its arguments as the columns of a batch, and nowhere else? */
static bool
ReadsRowsAlone(const char *sql)
{
	for (; *sql; sql++)
	{
		if (strncmp(sql, ROWS_TOKEN, strlen(ROWS_TOKEN)) == 0)
			sql = strchr(sql + strlen(ROWS_TOKEN), ROWS_END);
		else if (*sql == '$')
			return false;
	}
	return true;
}

/*
 * Write a statement out for a workspace.  The columns of a batch come from
 * set-returning functions in a select list, which step through the arrays in
 * lockstep without storing them again, as functions in FROM would.  The form
 * for one row is a constant subquery, which the planner dissolves, so that
 * nothing of it is left but an index condition.
 */
static char *
StatementFor(const Workspace *ws, const char *sql, bool is_single)
{
	StringInfoData text;

	initStringInfo(&text);
	while (*sql)
	{
		if (strncmp(sql, WORKSPACE_TOKEN, strlen(WORKSPACE_TOKEN)) == 0)
		{
			appendStringInfoString(&text, ws->quoted_name);
			sql += strlen(WORKSPACE_TOKEN);
		}
		else if (strncmp(sql, ROWS_TOKEN, strlen(ROWS_TOKEN)) == 0)
			sql = AppendRows(&text, sql + strlen(ROWS_TOKEN), is_single);
		else
			appendStringInfoChar(&text, *sql++);
	}
	return text.data;
}

/* Add up the pages of tables that a plan reads and that statistics say are empty */
static BlockNumber
PagesBelievedEmpty(SPIPlanPtr plan)
{
	BlockNumber pages = 0;
	ListCell   *lc;
	ListCell   *table;

	foreach(lc, SPI_plan_get_plan_sources(plan))
	{
		CachedPlanSource *source = lfirst(lc);

		foreach(table, source->relationOids)
		{
			HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(lfirst_oid(table)));
			bool		is_empty = false;

			if (HeapTupleIsValid(tuple))
			{
				Form_pg_class class = (Form_pg_class) GETSTRUCT(tuple);

				is_empty = class->relkind == RELKIND_RELATION && class->reltuples == 0 && class->relpages == 0;
				ReleaseSysCache(tuple);
			}
			if (is_empty)
			{
				Relation	rel = table_open(lfirst_oid(table), AccessShareLock);

				pages += RelationGetNumberOfBlocks(rel);
				table_close(rel, NoLock);
			}
		}
	}
	return pages;
}

/*
 * Have a plan made anew where a table has grown from which it expects nothing.
 * A table that was vacuumed while empty, as after a restore, is believed empty
 * until it is analysed; a plan made then may read all of it, and a session
 * would keep that plan.  Looked after at the 2nd use, the 4th, the 8th and so
 * on, which costs nothing.
 */
static void
OutgrowPlan(PlanEntry *entry)
{
	BlockNumber pages;
	ListCell   *lc;

	entry->uses++;
	if ((entry->uses & (entry->uses - 1)) != 0)
		return;
	pages = PagesBelievedEmpty(entry->plan);
	if (entry->uses > 1 && pages > entry->pages * 2)
		foreach(lc, SPI_plan_get_plan_sources(entry->plan))
		{
			CachedPlanSource *source = lfirst(lc);

			source->is_valid = false;
			if (source->gplan)
				source->gplan->is_valid = false;
		}
	else if (entry->uses > 1)
		return;
	entry->pages = pages;
}

/* Look up a statement in one of its forms */
static PlanEntry *
EntryOf(Workspace *ws, const PlanSource *source, bool is_single)
{
	PlanKey		key = {source, is_single};
	bool		found;
	PlanEntry  *entry = hash_search(ws->plans, &key, HASH_ENTER, &found);

	if (!found)
	{
		entry->plan = NULL;
		entry->is_apt = !is_single || ReadsRowsAlone(source->sql);
	}
	return entry;
}

/* Run a statement of a workspace through its kept plan; returns rows processed */
static int
ExecuteEntry(Workspace *ws, PlanEntry *entry, Datum *values, const char *nulls)
{
	const PlanSource *source = entry->key.source;
	MemoryContext context = CurrentMemoryContext;
	int			result;

	if (entry->plan == NULL)
	{
		Oid			types[PLAN_MAX_ARGUMENTS];
		SPIPlanPtr	plan;

		for (int i = 0; i < source->nargs; i++)
			types[i] = entry->key.is_single ? get_element_type(ws->types[source->args[i]]) : ws->types[source->args[i]];
		plan = SPI_prepare_cursor(StatementFor(ws, source->sql, entry->key.is_single), source->nargs, types,
								  CURSOR_OPT_GENERIC_PLAN);
		if (plan == NULL)
			elog(ERROR, "could not prepare a statement: %s", SPI_result_code_string(SPI_result));
		SPI_keepplan(plan);
		entry->plan = plan;
		entry->uses = 0;
	}
	OutgrowPlan(entry);
	result = SPI_execute_plan(entry->plan, values, nulls, false, 0);
	MemoryContextSwitchTo(context);
	if (result < 0)
		elog(ERROR, "could not execute a statement: %s", SPI_result_code_string(result));
	return (int) SPI_processed;
}

/*
 * Run a statement of a workspace through its kept plan; returns rows processed.
 * The memory context stays the caller's, which SPI itself does not see to.
 */
int
WorkspaceExecute(Workspace *ws, const PlanSource *source, Datum *values, const char *nulls)
{
	return ExecuteEntry(ws, EntryOf(ws, source, false), values, nulls);
}

/* Run a statement over a batch; returns the number of rows processed */
int
BatchExecute(Workspace *ws, const PlanSource *source, Batch *batch)
{
	Datum		values[PLAN_MAX_ARGUMENTS];
	char		nulls[PLAN_MAX_ARGUMENTS];

	if (batch->rows == 1)
	{
		PlanEntry  *entry = EntryOf(ws, source, true);

		for (int i = 0; i < batch->columns; i++)
		{
			values[i] = batch->values[i][0];
			nulls[i] = batch->nulls[i][0] ? 'n' : ' ';
		}
		if (entry->is_apt)
			return ExecuteEntry(ws, entry, values, nulls);
	}
	BatchArrays(ws, batch, values);
	return WorkspaceExecute(ws, source, values, NULL);
}

/*
 * Check that the caller may call the workspace's own function: the functions
 * of the extension are everybody's, what the workspace's may do is its owner's
 * to grant.
 */
void
WorkspaceCheckExecute(Workspace *ws, const char *function, int nargs, const Oid *types)
{
	Oid			id = LookupFuncName(list_make2(makeString(ws->name), makeString(pstrdup(function))),
									nargs, types, true);
	AclResult	result;

	if (!OidIsValid(id))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("workspace \"%s\" has no function %s()", ws->name, function),
				 errhint("Bring it to the installed version with lead_mgmt.upgrade_workspace().")));
#if PG_VERSION_NUM >= 160000
	result = object_aclcheck(ProcedureRelationId, id, GetUserId(), ACL_EXECUTE);
#else
	result = pg_proc_aclcheck(id, GetUserId(), ACL_EXECUTE);
#endif
	if (result != ACLCHECK_OK)
		aclcheck_error(result, OBJECT_FUNCTION, function);
}

/* Find a table of the workspace */
Oid
WorkspaceRelation(Workspace *ws, const char *table)
{
	Oid			relid = get_relname_relid(table, ws->namespace_id);

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("workspace \"%s\" has no table \"%s\"", ws->name, table)));
	return relid;
}

/* Find the sequence behind the identity column of a table of the workspace */
Oid
WorkspaceSequence(Workspace *ws, const char *table, const char *column)
{
	Oid			relid = WorkspaceRelation(ws, table);
	KnownSequence *known = ws->sequences;
	Oid			sequence;

	for (int k = 0; k < KNOWN_SEQUENCES; k++)
	{
		if (ws->sequences[k].relid == relid && OidIsValid(ws->sequences[k].sequence))
			return ws->sequences[k].sequence;
		if (!OidIsValid(ws->sequences[k].relid))
			known = &ws->sequences[k];
	}
	*known = (KnownSequence) {
		relid, InvalidOid
	};
#if PG_VERSION_NUM >= 170000
	{
		Relation	rel = RelationIdGetRelation(relid);

		sequence = getIdentitySequence(rel, get_attnum(relid, column), false);
		RelationClose(rel);
	}
#else
	sequence = getIdentitySequence(relid, get_attnum(relid, column), false);
#endif
	/* Unless the table was changed meanwhile */
	if (known->relid == relid)
		known->sequence = sequence;
	return sequence;
}

/*
 * Run work of the system's own with the rights of the workspace's owner.  The
 * row triggers that its statements fire stand back, while those fired by
 * anything deeper (a trigger of the user's) do their work.  Trigger depth
 * tells the two apart.
 */
void
WorkspaceRun(Workspace *ws, WorkspaceWork work, void *arg)
{
	WorkspaceRights rights;
	int			saved = system_depth;

	WorkspaceEnter(ws, &rights);
	PG_TRY();
	{
		system_depth = DatumGetInt32(DirectFunctionCall1(pg_trigger_depth, (Datum) 0)) + 1;
		work(ws, arg);
	}
	PG_FINALLY();
	{
		system_depth = saved;
	}
	PG_END_TRY();
	WorkspaceLeave(&rights);
}

/*
 * Run work that is a client's, such as a function that a user registered,
 * from within work of the system's own, with the rights of the workspace's
 * owner: row triggers see its statements as they see those of any client.
 */
void
WorkspaceRunForeign(Workspace *ws, WorkspaceWork work, void *arg)
{
	WorkspaceRights rights;
	int			saved = system_depth;

	WorkspaceEnter(ws, &rights);
	PG_TRY();
	{
		system_depth = -1;
		work(ws, arg);
	}
	PG_FINALLY();
	{
		system_depth = saved;
	}
	PG_END_TRY();
	WorkspaceLeave(&rights);
}

/* Is the trigger that asks fired by the system's own statement? */
bool
SystemAtWork(void)
{
	return system_depth > 0 &&
		system_depth == DatumGetInt32(DirectFunctionCall1(pg_trigger_depth, (Datum) 0));
}

/* Is this an error that the data of single rows, or a race, can cause? */
bool
ErrorIsOfRow(int sqlerrcode)
{
	switch (ERRCODE_TO_CATEGORY(sqlerrcode))
	{
		case ERRCODE_DATA_EXCEPTION:
		case ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION:
		case ERRCODE_PLPGSQL_ERROR:
		case ERRCODE_TRIGGERED_ACTION_EXCEPTION:
		case ERRCODE_PROGRAM_LIMIT_EXCEEDED:
			return true;
		default:
			/* of its class this one alone: a lock not had in time is no fault of a row */
			return sqlerrcode == ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE;
	}
}

PG_FUNCTION_INFO_V1(is_client_write);
/* Is the statement whose trigger condition asks not one of the system's own? */
Datum
is_client_write(PG_FUNCTION_ARGS)
{
	/* A condition is tested before the trigger it guards is entered */
	PG_RETURN_BOOL(system_depth <= 0 ||
				   system_depth != DatumGetInt32(DirectFunctionCall1(pg_trigger_depth, (Datum) 0)) + 1);
}

PG_FUNCTION_INFO_V1(config_changed);
/* Tell every session that a definition table of this workspace has changed */
Datum
config_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Oid			info_relid;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_STATEMENT(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("config_changed must be called as a statement trigger")));
	info_relid = get_relname_relid("workspace_info", RelationGetNamespace(trigdata->tg_relation));
	if (OidIsValid(info_relid))
		CacheInvalidateRelcacheByRelid(info_relid);
	return PointerGetDatum(NULL);
}
