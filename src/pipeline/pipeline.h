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
#define MOVE_INTERACTION "interaction"
#define MOVE_STEP "step"
#define MOVE_TIMER "timer"
#define MOVE_MANUAL "manual"
#define MOVE_CONVERTED "converted"
#define MOVE_DISQUALIFIED "disqualified"
#define MOVE_SWITCHED "switched"
#define MOVE_REOPENED "reopened"
#define MOVE_MERGED "merged"

/* A move into a stage, to be recorded */
typedef struct StageMove
{
	int64		lead_id;		/* or 0 */
	int64		opportunity_id; /* or 0 */
	const char *pipeline;
	const char *from_pipeline;	/* NULL when it is the same */
	const char *from_stage;		/* NULL on creation */
	const char *to_stage;
	TimestampTz at;
	const char *rule;
	const char *rule_label;		/* or NULL */
	const char *reason;			/* or NULL */
	const char *fallbacks;		/* comma-separated fields that stood in, or NULL */
	const char *changed;		/* JSON of what closing changed besides, or NULL */
} StageMove;

/* What is to be settled for a lead once it is scored */
typedef struct LeadSettlement
{
	ScoredLead *lead;
	bool		moves_stage;
	bool		assigns;
	TimestampTz at;				/* when what is settled happened */
	TimestampTz created_at;		/* when the lead came, if it is new */
	const AutomaticMove *timer; /* the automatic move that is due, or NULL */
} LeadSettlement;

/* The steps that leads have completed since they entered their stages, by lead */
typedef struct CompletedStep
{
	int64		lead_id;
	char	   *step;
} CompletedStep;

typedef struct CompletedSteps
{
	int			count;
	CompletedStep *steps;
} CompletedSteps;

/* history.c */
extern void PipelineRecord(Workspace *ws, const StageMove *moves, int n);
extern void MovesFlush(Workspace *ws);
extern void MovesInit(void);

/* actions.c */
extern void PipelineMoved(Workspace *ws, WorkspaceConfig *config, const StageMove *moves, int n);
extern void PipelineAct(Workspace *ws, WorkspaceConfig *config, const StageMove *moves, int n);
extern bool PipelineHasActions(const Pipeline *pipeline, int from, int to);
extern void PipelineCall(Workspace *ws, const char *function, const char *payload, const char *what);

/* follow.c */
extern void PipelineLink(Workspace *ws, WorkspaceConfig *config, Relation rel, HeapTuple lead);

/* settle.c */
extern void PipelineSettle(Workspace *ws, WorkspaceConfig *config, LeadSettlement *leads, int n,
						   const ScoreEvent *events, int event_count);
extern void PipelineScore(Workspace *ws, WorkspaceConfig *config, int64 *lead_ids, int n, bool assigns);
extern void PipelineScoreOver(Workspace *ws, WorkspaceConfig *config, int64 *lead_ids, int n);
extern void PipelineCount(Workspace *ws, WorkspaceConfig *config, int64 *lead_ids, int n,
						  ScoreEvent *events, int event_count, HTAB *restarted);
extern void PipelineContinue(Workspace *ws, WorkspaceConfig *config, int64 *lead_ids, int n);

/* requirements.c */
extern bool PipelineFirstScoreStage(const WorkspaceConfig *config, const Pipeline *pipeline);
extern char *PipelineNextStages(const Pipeline *pipeline, int from);
extern bool PipelineNeedsProfile(const Pipeline *pipeline, int from, int to);
extern char *PipelineObstacle(const Pipeline *pipeline, int from, int to, TupleDesc desc, HeapTuple profile,
							  char **fallbacks, int *sqlerrcode);
extern char *GuardObstacle(const StageGuard *guard, HeapTuple profile);
extern bool ProfileIsFilled(TupleDesc desc, HeapTuple profile, const char *field);

/* steps.c */
extern CompletedSteps *StepsLoad(Workspace *ws, const int64 *lead_ids, const char **stages,
								 const TimestampTz *since, int n);
extern bool StepIsComplete(const StageStep *step, TupleDesc desc, HeapTuple profile,
						   const CompletedSteps *completed, int64 lead_id);
extern char *StepsMissing(const Stage *stage, TupleDesc desc, HeapTuple profile,
						  const CompletedSteps *completed, int64 lead_id);

#endif
