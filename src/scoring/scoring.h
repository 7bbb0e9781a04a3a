/*
 * Scoring: the points that a model's rules give a lead.
 */
#ifndef LEAD_MGMT_SCORING_H
#define LEAD_MGMT_SCORING_H

#include "access/htup.h"
#include "scoring/heat.h"
#include "workspace/config.h"

/* An interaction to be counted */
typedef struct ScoreEvent
{
	int64		lead_id;		/* or 0 */
	int64		contact_id;		/* or 0 */
	int64		account_id;		/* or 0; known where a model asks for it */
	int64		interaction_id;
	const char *kind;
	TimestampTz occurred_at;
	TimestampTz at;				/* counts from then; not after it was recorded */
	HeapTuple	row;			/* NULL until a condition asks for it */
} ScoreEvent;

/* A lead with its profile and, once scored, what came of it */
typedef struct ScoredLead
{
	int64		lead_id;
	HeapTuple	profile;		/* NULL when the lead is gone */
	int64		account_id;		/* or 0 */
	bool		is_new;			/* cannot have a score yet */
	bool		is_wanted;		/* to be scored */
	bool		starts_over;	/* scored from all interactions; set where it had to be */
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

/* How much of a limit, or of a number of interactions, is used up */
typedef struct ScoreTally
{
	double		count;
	double		points;
	double		day;
	double		points_of_day;
} ScoreTally;

/* What a rule gave, for explanations */
typedef struct ScoreShare
{
	int64		occurrences;
	double		points;			/* as given */
	HeatPart	heat;
	TimestampTz last_at;
} ScoreShare;

/* The engagement of a lead in a model while interactions are counted */
typedef struct ScoreFold
{
	const ScoringModel *model;
	HeatPart   *parts;			/* one a half-life of the model */
	ScoreTally *tallies;
	TimestampTz last_at;		/* of the latest interaction counted */
	ScoreShare *shares;			/* one a rule, or NULL */
} ScoreFold;

extern ScoringModel *ScoreFindModel(const WorkspaceConfig *config, const char *name);

extern ScoringModel *ScoreGetModel(Oid score_table, const char *name, Workspace **ws, WorkspaceConfig **config);

extern ScoredLead *ScoreLoad(Workspace *ws, WorkspaceConfig *config, int64 *lead_ids, int n);
extern void ScoreLeads(Workspace *ws, WorkspaceConfig *config, ScoredLead *leads, int n,
					   ScoreEvent *events, int event_count);
extern ScoredLead *ScoreFind(ScoredLead *leads, int n, int64 lead_id);
extern bool ScoreIsLinked(const WorkspaceConfig *config, HeapTuple profile);
extern int	ScoreCompareIds(const void *a, const void *b);
extern int	ScoreUniqueIds(int64 *ids, int n);

/* What a statement that changes interactions i returns, to be read as events */
#define SCORE_EVENT_RETURNING \
	"i.lead_id, i.contact_id, i.interaction_id, i.kind, i.occurred_at, LEAST(i.occurred_at, i.recorded_at, pg_catalog.now())"

extern ScoreEvent ScoreEventReturned(uint64 row);
extern ScoreEvent **ScoreSortEvents(ScoreEvent *events, int n, bool by_account);
extern ScoreEvent **ScoreEventsOf(ScoreEvent **sorted, int n, bool by_account, int64 owner, int *count);
extern int	ScoreWithAccounts(Workspace *ws, WorkspaceConfig *config, ScoreEvent *events, int event_count,
							  int64 **lead_ids, int n);
extern int	ScoreWithSiblings(Workspace *ws, int64 **lead_ids, int n, const int64 *contacts, int contact_count);
extern ScoreEvent *ScoreLoadEvents(Workspace *ws, bool by_account, bool with_rows, int64 *owners, int n,
								   TimestampTz until, int *count);

extern HeapTuple ScoreRow(Datum row);
extern PredicateResult *ScoreMatch(Workspace *ws, const ScoringModel *model, ScoreEvent *events, int n);
extern ScoreFold *FoldCreate(const ScoringModel *model);
extern void FoldReset(ScoreFold *fold);
extern void FoldRestore(ScoreFold *fold, ArrayType *tally);
extern void FoldEvent(ScoreFold *fold, const ScoreEvent *event, const PredicateResult *matches);
extern Heat *FoldHeat(ScoreFold *fold);
extern ArrayType *FoldTally(const ScoreFold *fold);

#endif
