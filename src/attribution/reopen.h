/*
 * Attribution that is kept: what opens a conversion again.
 */
#ifndef LEAD_MGMT_REOPEN_H
#define LEAD_MGMT_REOPEN_H

#include "commands/trigger.h"
#include "workspace/workspace.h"

extern void AttributionReopen(Workspace *ws, TriggerData *trigdata);

#endif
