/*
 * Rows of contact and account as rules see them.
 */
#ifndef LEAD_MGMT_ROWS_H
#define LEAD_MGMT_ROWS_H

#include "access/htup.h"
#include "matching/identity.h"

typedef struct MatchRow
{
	int64		id;
	char	   *values[ENTITY_MAX_COLUMNS];
	MatchSide	side;			/* of the values above */
} MatchRow;

extern Workspace *MatchTableWorkspace(Oid relid, EntityKind *entity);
extern WorkspaceConfig *MatchTableConfig(Workspace *ws);
extern void MatchReadRow(MatchRow *row, EntityKind entity, HeapTuple tuple, TupleDesc desc);

#endif
