/*
 * Events: who is told of the moves of leads and opportunities.
 */
#ifndef LEAD_MGMT_EVENTS_H
#define LEAD_MGMT_EVENTS_H

#include "pipeline/pipeline.h"

/* How deep functions that events call may cause further events */
#define EVENT_MAX_DEPTH 8

/* Notifications of a transaction that are sent one by one */
#define EVENT_MAX_NOTIFICATIONS 1000

extern void EventsRaise(Workspace *ws, const StageMove *moves, int n, const char *moved_by);

#endif
