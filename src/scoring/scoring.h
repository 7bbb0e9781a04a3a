/*
 * Scoring: the points that a model's rules give a lead.
 */
#ifndef LEAD_MGMT_SCORING_H
#define LEAD_MGMT_SCORING_H

#include "access/htup.h"
#include "workspace/config.h"

/* An interaction to be counted for a lead */
typedef struct ScoreEvent
{
	int64		lead_id;
	const char *kind;
	TimestampTz occurred_at;
} ScoreEvent;

/* A lead with its profile and, once scored, what came of it */
typedef struct ScoredLead
{
	int64		lead_id;
	HeapTuple	profile;		/* NULL when the lead is gone */
	bool		is_new;			/* cannot have a score yet */
	bool		is_wanted;		/* to be scored */
	bool		is_scored;		/* linked to a contact or account, and scored */
	ScoringModel *ready_by;		/* the model that says sales-ready, or NULL */
} ScoredLead;

/* Where lead_profile keeps what the system itself reads */
typedef enum
{
	PROFILE_LEAD_ID = 1,
	PROFILE_CONTACT_ID,
	PROFILE_ACCOUNT_ID,
	PROFILE_PIPELINE,
	PROFILE_STAGE,
	PROFILE_STATUS
} ProfileColumn;

extern ScoredLead *ScoreLoad(Workspace *ws, WorkspaceConfig *config, int64 *lead_ids, int n);
extern void ScoreLeads(Workspace *ws, WorkspaceConfig *config, ScoredLead *leads, int n,
					   const ScoreEvent *events, int event_count);
extern ScoredLead *ScoreFind(ScoredLead *leads, int n, int64 lead_id);
extern int	ScoreUniqueIds(int64 *ids, int n);

#endif
