/*
 * Checks on rows that clients write, shared by the row triggers.
 */
#ifndef LEAD_MGMT_GUARD_H
#define LEAD_MGMT_GUARD_H

#include "access/htup.h"
#include "commands/trigger.h"
#include "workspace/config.h"

extern void GuardAttributes(Workspace *ws, TriggerData *trigdata, EntityKind entity);
extern int64 AccountIndividual(Workspace *ws, int64 account);
extern HeapTuple StampRow(Relation rel, HeapTuple tuple);

#endif
