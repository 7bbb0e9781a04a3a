/*
 * Identity: which contact and which account an inbound record belongs to.
 *
 * What identifies an entity is a row of contact_identity or account_identity,
 * whose primary key is the arbiter between sessions: identity is claimed by
 * INSERT ... ON CONFLICT in key order, never checked first and inserted later.
 */
#ifndef LEAD_MGMT_IDENTITY_H
#define LEAD_MGMT_IDENTITY_H

#include "utils/jsonb.h"
#include "workspace/config.h"

/* How often a lost race is run again before giving up */
#define IDENTITY_MAX_ATTEMPTS 20

/* Keys of a contact in the order in which they decide */
typedef enum
{
	CONTACT_KEY_EXTERNAL,
	CONTACT_KEY_EMAIL,
	CONTACT_KEY_PHONE,
	CONTACT_KEY_VISITOR
} ContactKeyKind;

#define CONTACT_KEY_COUNT 4

/* Keys of an account in the order in which they decide */
typedef enum
{
	ACCOUNT_KEY_EXTERNAL,
	ACCOUNT_KEY_DOMAIN,
	ACCOUNT_KEY_NAME
} AccountKeyKind;

#define ACCOUNT_KEY_COUNT 3

/* The columns of a contact that captures write, as text */
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
	CONTACT_LAST_SOURCE
} ContactColumn;

#define CONTACT_COLUMN_COUNT (CONTACT_LAST_SOURCE + 1)

/* The columns of an account that captures write, as text */
typedef enum
{
	ACCOUNT_NAME,
	ACCOUNT_DOMAIN,
	ACCOUNT_WEBSITE,
	ACCOUNT_INDUSTRY,
	ACCOUNT_EMPLOYEES,
	ACCOUNT_ANNUAL_REVENUE
} AccountColumn;

#define ACCOUNT_COLUMN_COUNT (ACCOUNT_ANNUAL_REVENUE + 1)
#define ENTITY_MAX_KEYS 4
#define ENTITY_MAX_COLUMNS CONTACT_COLUMN_COUNT

typedef struct IdentityTable IdentityTable;

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
	char	   *decisive;		/* e-mail of a contact: what a weaker key may not contradict */
	int64		account_id;		/* of a contact */
	char	   *first_source;	/* of a contact: the first the chunk names */
	char	   *values[ENTITY_MAX_COLUMNS];
	Jsonb	   *attributes;
} EntitySlot;

/* What one record says of its contact or account */
typedef struct EntityRecord
{
	char	   *keys[ENTITY_MAX_KEYS];	/* by key kind, NULL when not given */
	char	   *values[ENTITY_MAX_COLUMNS];
	Jsonb	   *attributes;		/* custom attributes given, or NULL */
	int64		account_id;
	bool		account_is_stated;	/* the company was named, not derived */
	UpdatePolicy policy;
	bool		is_foreign[ENTITY_MAX_KEYS];	/* keys that turned out to be another's */
	EntitySlot *slot;			/* the answer; NULL for nobody we know */
} EntityRecord;

/* What differs between contacts and accounts */
typedef struct EntityKindOps
{
	const char *table;
	const char *id_column;
	int			key_count;
	const char *const *key_names;
	const PlanSource *lookup;
	const PlanSource *load;
	const PlanSource *claim;
	const PlanSource *create;	/* claims and new rows in one statement */
	const PlanSource *discard;
	const PlanSource *update;
	int			claim_args;
	EntitySlot *(*decide) (const IdentityTable *table, EntityRecord *record, bool *nobody);
	void		(*load_row) (EntitySlot *slot, uint64 row);
	void		(*apply) (EntitySlot *slot, const EntityRecord *record);
	void		(*fill) (Batch *batch, const EntitySlot *slot, WorkspaceConfig *config);
} EntityKindOps;

extern EntitySlot *IdentityOwner(const IdentityTable *table, const EntityRecord *record, int key);
extern void IdentityResolve(Workspace *ws, WorkspaceConfig *config, const EntityKindOps *ops,
							EntityRecord **records, int n);
extern void IdentitySet(EntitySlot *slot, int column, char *value, UpdatePolicy policy);
extern void IdentityMergeAttributes(EntitySlot *slot, const EntityRecord *record);

extern const EntityKindOps ContactOps;
extern const EntityKindOps AccountOps;

extern char *AccountNameKey(const char *name);

#endif
