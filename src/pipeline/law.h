/*
 * A lead or opportunity as the triggers of the law of stages see it.
 */
#ifndef LEAD_MGMT_LAW_H
#define LEAD_MGMT_LAW_H

#include "access/htup.h"
#include "commands/trigger.h"
#include "pipeline/pipeline.h"

/* The columns of lead and opportunity that the law is about */
typedef enum
{
	LAW_ID,
	LAW_PIPELINE,
	LAW_STAGE,
	LAW_STAGE_ENTERED_AT,
	LAW_STAGE_REASON,
	LAW_STATUS,
	LAW_CONTACT_ID,
	LAW_ACCOUNT_ID,
	LAW_AGENT_ID,
	LAW_UPDATED_AT,
	LAW_CLOSING_REASON,			/* disqualified_reason or lost_reason */
	LAW_QUALIFICATION,			/* of leads alone */
	LAW_SALES_READY_AT,			/* of leads alone */
	LAW_CLOSED_AT,				/* of opportunities alone */
	LAW_CONTEXT_KEY				/* of leads alone */
} LawColumn;

#define LAW_COLUMNS (LAW_CONTEXT_KEY + 1)

/* Where a table has them, 0 for those it lacks */
typedef struct LawTable
{
	Oid			relid;			/* hash key */
	bool		is_valid;
	bool		is_lead;
	int			columns[LAW_COLUMNS];
} LawTable;

/* A row as a trigger sees it */
typedef struct LawRow
{
	TriggerData *trigdata;
	const LawTable *table;
	TupleDesc	desc;
	HeapTuple	old;			/* NULL on insert */
	HeapTuple	new;
	bool		is_lead;
	int			changes;
	int			columns[LAW_COLUMNS];
	Datum		values[LAW_COLUMNS];
	bool		nulls[LAW_COLUMNS];
} LawRow;

extern void LawInit(void);
extern void LawOpen(FunctionCallInfo fcinfo, LawRow *row, bool before);
extern const LawTable *LawTableOf(Relation rel, bool is_lead);
extern Datum LawGet(const LawRow *row, HeapTuple tuple, LawColumn column, bool *isnull);
extern char *LawText(const LawRow *row, HeapTuple tuple, LawColumn column);
extern int64 LawId(const LawRow *row, HeapTuple tuple, LawColumn column);
extern bool LawChanges(const LawRow *row, LawColumn column);
extern void LawRefuseRival(Workspace *ws, Relation rel, int64 lead, int64 contact, int64 account, const char *context);
extern int	LawStage(const Pipeline *pipeline, const char *stage);

#endif
