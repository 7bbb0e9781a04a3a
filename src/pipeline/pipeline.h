/*
 * Pipelines: which stage may follow which, and the moves that are made.
 */
#ifndef LEAD_MGMT_PIPELINE_H
#define LEAD_MGMT_PIPELINE_H

#include "scoring/scoring.h"
#include "utils/hsearch.h"
#include "workspace/config.h"

/* Why a stage was entered; the values of stage_move.rule */
#define MOVE_CREATED "created"
#define MOVE_FIRST_SCORE "first_score"
#define MOVE_SALES_READY "sales_ready"
#define MOVE_MANUAL "manual"
#define MOVE_CONVERTED "converted"
#define MOVE_DISQUALIFIED "disqualified"
#define MOVE_MERGED "merged"

/* A move into a stage, to be recorded */
typedef struct StageMove
{
	int64		lead_id;		/* or 0 */
	int64		opportunity_id; /* or 0 */
	const char *pipeline;
	const char *from_stage;		/* NULL on creation */
	const char *to_stage;
	TimestampTz at;
	const char *rule;
	const char *reason;			/* or NULL */
	const char *fallbacks;		/* comma-separated fields that stood in, or NULL */
} StageMove;

/* What is to be settled for a lead once it is scored */
typedef struct LeadSettlement
{
	ScoredLead *lead;
	bool		moves_stage;
	bool		assigns;
	TimestampTz at;				/* when what is settled happened */
	TimestampTz created_at;		/* when the lead came, if it is new */
} LeadSettlement;

extern void PipelineRecord(Workspace *ws, const StageMove *moves, int n);
extern void PipelineSettle(Workspace *ws, WorkspaceConfig *config, LeadSettlement *leads, int n);
extern void PipelineScore(Workspace *ws, WorkspaceConfig *config, int64 *lead_ids, int n, bool assigns);
extern void PipelineScoreOver(Workspace *ws, WorkspaceConfig *config, int64 *lead_ids, int n);
extern void PipelineCount(Workspace *ws, WorkspaceConfig *config, int64 *lead_ids, int n,
						  ScoreEvent *events, int event_count, HTAB *restarted);
extern void PipelineLink(Workspace *ws, WorkspaceConfig *config, TupleDesc desc, HeapTuple lead);
extern bool PipelineFirstScoreStage(const WorkspaceConfig *config, const Pipeline *pipeline);
extern char *PipelineMissing(const Stage *stage, TupleDesc desc, HeapTuple row, char **fallbacks);
extern char *PipelineNextStages(const Pipeline *pipeline, int from);

#endif
