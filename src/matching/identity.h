/*
 * Identity: which contact and which account an inbound record belongs to.
 *
 * What identifies an entity is a row of contact_identity or account_identity.
 * The row with holder 0 of each value is the arbiter between sessions: it is
 * claimed by INSERT ... ON CONFLICT in key order, never checked first and
 * inserted later.
 */
#ifndef LEAD_MGMT_IDENTITY_H
#define LEAD_MGMT_IDENTITY_H

#include "matching/live.h"
#include "matching/strategy.h"
#include "utils/jsonb.h"
#include "workspace/config.h"

/* How often a lost race is run again before giving up */
#define IDENTITY_MAX_ATTEMPTS 100

/* The places of the kinds of identity that are always kept */
typedef enum
{
	CONTACT_KEY_EXTERNAL,
	CONTACT_KEY_EMAIL,
	CONTACT_KEY_PHONE,
	CONTACT_KEY_VISITOR
} ContactKeyKind;

typedef enum
{
	ACCOUNT_KEY_EXTERNAL,
	ACCOUNT_KEY_DOMAIN,
	ACCOUNT_KEY_NAME
} AccountKeyKind;

/* The columns of a contact that captures write, as text, and what else identifies it */
typedef enum
{
	CONTACT_FULL_NAME,
	CONTACT_GIVEN_NAME,
	CONTACT_FAMILY_NAME,
	CONTACT_EMAIL,
	CONTACT_PHONE,
	CONTACT_JOB_TITLE,
	CONTACT_STREET,
	CONTACT_CITY,
	CONTACT_REGION,
	CONTACT_POSTAL_CODE,
	CONTACT_COUNTRY,
	CONTACT_LANGUAGE,
	CONTACT_LAST_SOURCE,
	CONTACT_SOURCE_ID,
	CONTACT_VISITOR
} ContactColumn;

#define CONTACT_COLUMN_COUNT (CONTACT_LAST_SOURCE + 1)

/* The same of an account */
typedef enum
{
	ACCOUNT_NAME,
	ACCOUNT_DOMAIN,
	ACCOUNT_WEBSITE,
	ACCOUNT_INDUSTRY,
	ACCOUNT_EMPLOYEES,
	ACCOUNT_ANNUAL_REVENUE,
	ACCOUNT_SOURCE_ID
} AccountColumn;

#define ACCOUNT_COLUMN_COUNT (ACCOUNT_ANNUAL_REVENUE + 1)
#define ENTITY_MAX_COLUMNS (CONTACT_VISITOR + 1)

/* A contact or account that records of the chunk belong to */
typedef struct EntitySlot
{
	int64		id;				/* hash key among those that exist */
	bool		is_new;
	bool		is_missing;		/* deleted by another transaction */
	bool		is_changed;
	bool		lost_claim;
	bool		is_customer;
	bool		is_loaded;		/* what it holds came before the record at hand */
	struct EntitySlot *merged;	/* the one that it turned out to be, or NULL */
	int64		account_id;		/* of a contact */
	int64		individual_id;	/* of an account that is one person: who that is, else 0 */
	char	   *first_source;	/* of a contact: the first the chunk names */
	char	   *values[ENTITY_MAX_COLUMNS];
	Jsonb	   *attributes;
	int			usual_trust;	/* of values whose trust was not kept */
	Jsonb	   *trust;			/* of its values, by column; NULL where none is kept */
	char	  **seen;			/* values when it was looked up, before it was locked */
	struct EntitySlot *stored;	/* as it was read, for one that exists */
} EntitySlot;

/* What one record says of its contact or account */
typedef struct EntityRecord
{
	/* the question */
	char	  **keys;			/* by kind, NULL when not given */
	char	   *values[ENTITY_MAX_COLUMNS];
	Jsonb	   *attributes;		/* custom attributes given, or NULL */
	int64		account_id;
	char	   *company;		/* of a contact: the name of the account given */
	bool		account_is_stated;	/* the company was named, not derived */
	UpdatePolicy policy;
	int			trust;			/* of the source it names */
	StrategyList *strategies;
	int64		decided;		/* who a person said it is from, or 0 */
	int			refused_count;	/* whom a person said it is not from */
	int64	   *refused;
	bool		wants_all;		/* whom a model finds besides the best */

	/* the answer */
	EntitySlot *slot;			/* NULL for nobody we know */
	uint64		foreign;		/* the kinds whose value turned out to be another's */
	const MatchStrategy *strategy;	/* what decided, NULL where nothing did */
	const MatchRule *rule;
	char	   *tests;			/* its comparisons beyond the key, as JSON */
	LiveAnswer	live;			/* of the strategy's model */
	const MatchStrategy *live_strategy;
	StringInfo	merged;			/* ids of contacts that it showed to be one */
	int64		other;			/* somebody else whom a later rule found, or 0 */
	const MatchRule *other_rule;
	bool		needs_review;	/* several fit, and a person is to decide */
	int			candidate_count;
	int64	   *candidates;
} EntityRecord;

/* A value of the chunk that identifies, and whom */
typedef struct IdentityKey
{
	const char *text;			/* kind and value */
	int			kind;
	const char *value;
	int			holder_count;
	EntitySlot **holders;		/* the first one first */
	bool		is_looked_up;
	bool		has_first;		/* somebody has, or claims, the row that arbitrates */
	EntitySlot *claimant;		/* who claims it in this chunk, or NULL */
	bool		is_won;
} IdentityKey;

struct keys_hash;
struct EntityKindOps;

/* A pair of entities, by their ids */
typedef struct EntityPair
{
	int64		left;
	int64		right;
} EntityPair;

/* Two entities that exist and are one after all, and the record that shows it */
typedef struct EntityMerge
{
	EntitySlot *slots[2];
	EntityRecord *record;
} EntityMerge;

/* A chunk on its way */
typedef struct IdentityTable
{
	Workspace  *ws;
	WorkspaceConfig *config;
	MatchConfig *matching;
	const struct EntityKindOps *ops;
	bool		takes_locks;	/* against sessions that bring the same people */
	bool		is_alone;		/* is there only one record? */
	struct keys_hash *keys;
	HTAB	   *existing;		/* slots of entities that exist, by id */
	EntitySlot **created;
	int			created_count;
	EntityMerge *merges;
	int			merge_count;
	EntityPair *apart;			/* pairs that must not be merged; outlives an attempt */
	int			apart_count;
} IdentityTable;

/* What differs between contacts and accounts */
typedef struct EntityKindOps
{
	EntityKind	entity;
	const char *table;
	const char *identity_table;
	const char *id_column;
	int			column_count;
	const char *const *columns;
	int			seen_count;		/* columns that a short look-up brings */
	const int  *seen;
	const PlanSource *look_up;	/* position, id, holder, columns seen */
	const PlanSource *look_up_all;	/* position, id, holder, what load brings */
	const PlanSource *find;		/* the same by id */
	const PlanSource *load;
	const PlanSource *claim;
	const PlanSource *create;	/* claims and new rows in one statement */
	const PlanSource *discard;
	const PlanSource *update;
	const PlanSource *forget;	/* identity rows that no longer hold */
	const PlanSource *lock;		/* those to be merged */
	const PlanSource *apart;	/* pairs that contradict each other in what is stored */
	const PlanSource *merge;
	bool		(*may_be_new) (const EntityRecord *record);
	void		(*load_row) (EntitySlot *slot, WorkspaceConfig *config, uint64 row, int column);
	int			(*usual_trust) (const EntitySlot *slot, WorkspaceConfig *config);
	void		(*apply) (IdentityTable *table, EntitySlot *slot, const EntityRecord *record);
	void		(*fill) (Batch *batch, const EntitySlot *slot);
} EntityKindOps;

/* The arguments of a claim: kind, value, holder, id */
#define CLAIM_ARGUMENTS 4

/* identity.c */
extern void IdentityResolve(Workspace *ws, WorkspaceConfig *config, const EntityKindOps *ops,
							EntityRecord **records, int n, bool stays);
extern void IdentityRead(IdentityTable *table, Workspace *ws, WorkspaceConfig *config, const EntityKindOps *ops,
						 EntityRecord **records, int n);
extern void IdentityKeys(MatchConfig *matching, EntityKind entity, EntityRecord *record);
extern EntitySlot *IdentityFindEntity(IdentityTable *table, int64 id, bool *found);
extern void IdentityLockModel(void *table, uint32 *keys, int count);
extern void IdentityNoteSeen(EntitySlot *slot);
extern EntitySlot *IdentityRoot(EntitySlot *slot);
extern MatchSide IdentitySide(const EntitySlot *slot);
extern MatchSide IdentityRecordSide(const EntityRecord *record);
extern void IdentityRace(const EntityKindOps *ops) pg_attribute_noreturn();

/* holders.c */
extern void IdentityCreateKeys(IdentityTable *table, int size);
extern const char *IdentityKeyText(int kind, const char *value);
extern IdentityKey *IdentityFindKey(const IdentityTable *table, int kind, const char *value);
extern IdentityKey *IdentityAddKey(IdentityTable *table, int kind, const char *value);
extern int	IdentityListKeys(const IdentityTable *table, IdentityKey ***list);
extern bool IdentityIsHolder(const IdentityKey *key, const EntitySlot *slot);
extern void IdentityAddHolder(IdentityKey *key, EntitySlot *slot);

/* holder_scan.c */
extern bool IdentityScanHolders(IdentityTable *table, IdentityKey **keys, int n);
extern bool IdentityScanEntities(IdentityTable *table, const int64 *ids, int n);

/* claims.c */
extern bool IdentityClaimKeys(IdentityTable *table);

/* decide.c */
extern void DecideByModels(IdentityTable *table, EntityRecord **records, int n);
extern void DecideRecord(IdentityTable *table, EntityRecord *record);

/* merge.c */
extern void MergeFound(IdentityTable *table, EntityRecord **records, int n);

/* values.c */
extern int	TrustOf(Jsonb *trust, int usual, const char *name, int len);
extern void NoteTrust(MatchConfig *matching, Jsonb **trusts, const char *name, int len, int trust);
extern Jsonb *JoinAttributes(MatchConfig *matching, Jsonb *current, Jsonb *given, UpdatePolicy policy,
							 Jsonb **trusts, int usual, int trust);
extern void IdentitySet(IdentityTable *table, EntitySlot *slot, int column, char *value,
						UpdatePolicy policy, int trust);
extern void IdentitySetAttributes(IdentityTable *table, EntitySlot *slot, const EntityRecord *record,
								  UpdatePolicy policy);
extern UpdatePolicy IdentityPolicy(const EntityRecord *record);

extern const EntityKindOps ContactOps;
extern const EntityKindOps AccountOps;

#endif
