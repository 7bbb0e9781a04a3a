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

/* The columns of lead_profile in their order, those that are computed from interactions left NULL */
#define PROFILE_PLAIN_LIST \
	" p.lead_id, p.contact_id, p.account_id, p.pipeline, p.stage, p.status, p.qualification, p.origin," \
	" p.title, p.product, p.page, p.campaign, p.channel, p.source, p.budget, p.currency," \
	" p.is_existing_customer, p.sales_ready_at, p.interaction_count, p.last_interaction_at," \
	" p.lead_created_at, p.full_name, p.given_name, p.family_name, p.email, p.email_domain," \
	" p.email_is_free, p.phone, p.job_title, p.city, p.region, p.postal_code, p.country, p.language," \
	" p.first_source, p.last_source, p.customer_since, p.company, p.company_domain, p.website," \
	" p.industry, p.employees, p.annual_revenue, p.company_phone, p.company_city, p.company_country," \
	" p.lead_attributes, p.contact_attributes, p.account_attributes, p.team_id, p.agent_id," \
	" p.sales_ready_model, p.campaign_kind, p.campaign_purpose, p.tags, p.contact_tags, p.account_tags" \
	", NULL::pg_catalog.jsonb, NULL::pg_catalog.jsonb"

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
extern void ScoreDrop(Workspace *ws, int64 lead_id);
extern int	ScoreCompareIds(const void *a, const void *b);
extern int	ScoreUniqueIds(int64 *ids, int n);

/* What a statement that changes interactions i returns, to be read as events */
#define SCORE_EVENT_RETURNING \
	"i.lead_id, i.contact_id, i.interaction_id, i.kind, i.occurred_at, LEAST(i.occurred_at, i.recorded_at, pg_catalog.clock_timestamp())"

extern ScoreEvent ScoreEventReturned(uint64 row);
extern ScoreEvent **ScoreSortEvents(ScoreEvent *events, int n, bool by_account);
extern ScoreEvent **ScoreEventsOf(ScoreEvent **sorted, int n, bool by_account, int64 owner, int *count);
extern int	ScoreWithAccounts(Workspace *ws, WorkspaceConfig *config, ScoreEvent *events, int event_count,
							  int64 **lead_ids, int n);
extern void ScoreLockAccounts(Workspace *ws, WorkspaceConfig *config, int64 *accounts, int n);
extern void ScoreLockAccountsOf(Workspace *ws, WorkspaceConfig *config, ScoreEvent *events, int n);
extern int	ScoreWithLeadsOf(Workspace *ws, int64 **lead_ids, int n, const int64 *accounts, int account_count);
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
