/*
 * Merging records that turned out to be one, and undoing it.
 *
 * A merge moves everything that refers to the losers over to the winner,
 * settles the winner's fields by policy and removes the losers.  Each step is
 * logged in the terms of the rows themselves (key, values before, values
 * after), so that the log outlives dump and restore and can be undone from the
 * last step to the first.
 */
#ifndef LEAD_MGMT_MERGE_H
#define LEAD_MGMT_MERGE_H

#include "lib/stringinfo.h"
#include "utils/jsonb.h"
#include "workspace/config.h"

/* Most keys of moved rows in one row of the log */
#define MERGE_LOG_KEYS 10000

/* Most arguments of a generated statement that does not set a row's columns */
#define MERGE_MAX_ARGUMENTS (2 * INDEX_MAX_KEYS + 2)

/* A table as a merge sees it */
typedef struct MergeTable
{
	Oid			relid;
	int			entity;			/* EntityKind, or -1 */
	bool		is_ours;		/* of the workspace and its owner */
	bool		is_referenced;	/* by a foreign key */
	char	   *schema;			/* NULL for the workspace's own */
	char	   *name;
	char	   *type;			/* quoted name, as its row type is written */
	char	   *source;			/* the same with ONLY, where that makes sense */
	int			key_count;		/* 0 when nothing identifies a row */
	AttrNumber	key[INDEX_MAX_KEYS];
	const char *key_names[INDEX_MAX_KEYS];	/* quoted */
	const char *key_operators[INDEX_MAX_KEYS];	/* equality, SQL text */
	char	   *key_json;		/* key of row t as JSON, SQL text */
} MergeTable;

/* A foreign key, or a column that refers to an entity without one */
typedef struct Reference
{
	Oid			constraint_id;
	MergeTable *table;			/* that holds it */
	bool		is_self;		/* to rows of the same table */
	bool		follows_update; /* ON UPDATE CASCADE */
	int			column_count;
	AttrNumber	columns[INDEX_MAX_KEYS];
	AttrNumber	targets[INDEX_MAX_KEYS];	/* columns of the table referred to */
	Oid			types[INDEX_MAX_KEYS];	/* of those */
	Oid			operators[INDEX_MAX_KEYS];	/* target = column */
	const char *condition;		/* further SQL condition on row t, or NULL */
} Reference;

/* What one call of merge or unmerge works with */
typedef struct MergeContext
{
	Workspace  *ws;
	Oid			caller;			/* with whose rights tables of others are written */
	int			caller_context;
	List	   *tables;			/* MergeTable, as they were met */
	List	   *policies[ENTITY_COUNT]; /* see fields.c */
	bool		has_policies[ENTITY_COUNT];
	int64		moved;			/* rows, for the record */
	int64		absorbed;
	List	   *mixed_leads;	/* int64 *: leads that interactions were added to or taken from */
	MemoryContext context;		/* lives as long as the call */
} MergeContext;

/* What one call of unmerge works with besides */
typedef struct UndoContext
{
	MergeContext merge;
	int64		merge_id;
	EntityKind	entity;
	int64		winner;
	Datum		tree;			/* array of the merge and its parts */
	StringInfoData conflicts;	/* JSON objects, comma-separated */
} UndoContext;

/* What a step of a merge did to rows; the values of merge_change.action */
#define ACTION_MOVED "moved"
#define ACTION_CHANGED "changed"
#define ACTION_ABSORBED "absorbed"
#define ACTION_REMOVED "removed"
#define ACTION_CREATED "created"

/*
 * SQL text for the fields of one row image that another image has not, or has
 * otherwise; custom attributes count one by one, as attributes.NAME.
 */
#define CHANGED_FIELDS(image, other) \
	"(SELECT COALESCE(pg_catalog.jsonb_object_agg(f.field, f.value), '{}') FROM (" \
	"SELECT c.key AS field, c.value FROM pg_catalog.jsonb_each(" image ") c" \
	" WHERE c.value IS DISTINCT FROM " other " -> c.key AND (c.key <> 'attributes'" \
	" OR pg_catalog.jsonb_typeof(c.value) <> 'object' OR pg_catalog.jsonb_typeof(" other " -> c.key) <> 'object')" \
	" UNION ALL SELECT 'attributes.' || c.key, c.value FROM pg_catalog.jsonb_each(CASE" \
	" WHEN pg_catalog.jsonb_typeof(" image " -> 'attributes') = 'object'" \
	" AND pg_catalog.jsonb_typeof(" other " -> 'attributes') = 'object' THEN " image " -> 'attributes' ELSE '{}' END) c" \
	" WHERE c.value IS DISTINCT FROM " other " -> 'attributes' -> c.key) f)"

/* The outermost merge that a merge is part of, SQL text */
#define TOP_MERGE(merge_id) \
	"(WITH RECURSIVE up AS (SELECT u.merge_id, u.part_of FROM @workspace@.merge u WHERE u.merge_id = " merge_id \
	" UNION ALL SELECT u.merge_id, u.part_of FROM up JOIN @workspace@.merge u ON u.merge_id = up.part_of)" \
	" SELECT up.merge_id FROM up WHERE up.part_of IS NULL)"

/* Why a value is left as it is when a merge is undone */
#define REASON_GONE "the row is gone"
#define REASON_TABLE_GONE "the table is gone"
#define REASON_CHANGED "changed since"
#define REASON_TAKEN "another row has taken its place"
#define REASON_PARENT_GONE "what it refers to is gone"
#define REASON_REFERRED "rows that came since refer to it"
#define REASON_INDIVIDUAL "the account is one other person's"
#define REASON_STAGE "the stage changed since"
#define REASON_FOLLOWED "later moves follow it"

/* retry.c */
extern void MergeRun(MergeContext *ctx, Workspace *ws, WorkspaceWork work, void *arg);

/* statement.c */
extern int	MergeExecute(MergeContext *ctx, const MergeTable *table, const char *sql, int nargs,
						 const Oid *types, Datum *values);
extern int	MergeExecuteAs(Oid role, int context, const char *sql, int nargs, const Oid *types, Datum *values);
extern char *OperatorText(Oid operator_id);
extern char *MergeJson(const char *expression, Oid type);
extern Datum ResultJson(uint64 row, int column, bool *isnull);
extern Datum IdArray(const int64 *ids, int n);
extern void LogChange(MergeContext *ctx, int64 merge_id, const char *action, const MergeTable *table,
					  Datum keys, Datum before, Datum after, Datum keeper);

/* tables.c */
extern MergeTable *MergeTableOf(MergeContext *ctx, Oid relid);
extern MergeTable *MergeTableNamed(MergeContext *ctx, const char *schema, const char *name);
extern MergeTable *MergeEntityTable(MergeContext *ctx, EntityKind entity);
extern const char *EntityIdColumn(EntityKind entity);
extern List *ReferencesTo(MergeContext *ctx, const MergeTable *target);
extern char *MergeKeyMatch(const MergeTable *table, const char *left, const char *right);
extern void CheckRights(MergeContext *ctx, const MergeTable *table, const Reference *reference);

/* references.c */
extern void MoveReferences(MergeContext *ctx, int64 merge_id, const MergeTable *target,
						   Datum keeper, Datum loser);
extern int64 MergeKeyId(const MergeTable *table, Datum key);
extern void MoveRows(MergeContext *ctx, int64 merge_id, const Reference *reference,
					 const Datum *from, const Datum *to);

/* collisions.c */
extern char *SelfLinkStatement(const Reference *reference, const Reference *other);
extern char *IndexPredicate(Relation rel, const struct IndexInfo *info);
extern List *CollisionStatements(const Reference *reference, bool absorbs);

/* fields.c */
typedef struct FieldValues FieldValues;

extern FieldValues *FieldsRead(MergeContext *ctx, EntityKind entity, const int64 *ids, int n);
extern void FieldsWrite(MergeContext *ctx, int64 merge_id, FieldValues *fields);
extern Datum FieldsSummed(MergeContext *ctx, EntityKind entity);

/* rescore.c */
extern bool MergeRecordStage(MergeContext *ctx, int64 merge_id, int64 lead_id);
extern void MergeMixed(MergeContext *ctx, int64 lead_id);
extern void MergeLockAccounts(MergeContext *ctx, const int64 *contacts, int contact_count,
							  const int64 *leads, int lead_count);
extern void MergeMixSiblings(MergeContext *ctx, const int64 *contacts, int contact_count,
							 const int64 *leads, int lead_count);
extern void MergeRescore(MergeContext *ctx, int64 merge_id, EntityKind entity, int64 winner);
extern void RescoreMixed(UndoContext *undo);

/* undo.c */
extern void UndoRefuse(UndoContext *undo, const char *what, int64 merge_id) pg_attribute_noreturn();
extern void UndoRefuseMerged(UndoContext *undo, EntityKind entity, int64 id);
extern void UndoRefuseAbsorbed(UndoContext *undo, const MergeTable *table, Datum key);
extern void UndoReport(UndoContext *undo, const char *table, Datum key, const char *column,
					   Datum before, Datum now, const char *reason);
extern int	UndoExecute(UndoContext *undo, const MergeTable *table, const char *sql, int nargs, Datum *values);
extern Datum ImageMember(Datum object, const char *name);
extern List *ImageColumns(const MergeTable *table, Datum image);
extern char *ColumnList(List *columns, const char *separator, const char *left, const char *middle, const char *right);

/* reinsert.c */
extern bool UndoParentsAreThere(UndoContext *undo, const MergeTable *table, Datum image);
extern Datum UndoParents(UndoContext *undo, const MergeTable *table, Datum key, Datum image, bool is_new);
extern void UndoInsert(UndoContext *undo, const MergeTable *table, Datum key, Datum image);

/* restore.c */
extern void UndoChange(UndoContext *undo, int64 change_id);

/* merge.c */
extern int64 MergeEntity(MergeContext *ctx, int64 part_of, EntityKind entity, int64 winner,
						 const int64 *losers, int n, const char *reason);
extern void MergeOpen(MergeContext *ctx, Workspace *ws);

#endif
