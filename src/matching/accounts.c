/*
 * Accounts: what identifies a company, and how a record changes one.
 *
 * The e-mail domain decides before the name, as it is spelt one way only.  A
 * company known by name that shows up with a further domain owns both.
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "matching/identity.h"
#include "utils/builtins.h"
#include "utils/formatting.h"

static const char *const account_key_names[ACCOUNT_KEY_COUNT] = {"external", "domain", "name"};

static const PlanSource account_lookup = {
	"SELECT k.position, i.account_id, NULL::pg_catalog.text"
	" FROM @rows $1: position, kind, value@ AS k"
	" JOIN @workspace@.account_identity i ON i.kind = k.kind AND i.value = k.value",
	3, {ARG_INT8S, ARG_TEXTS, ARG_TEXTS}
};

static const PlanSource account_load = {
	"SELECT account_id, name, domain, website, industry, employees::pg_catalog.text, annual_revenue::pg_catalog.text,"
	" attributes"
	" FROM @workspace@.account WHERE account_id = ANY ($1) ORDER BY account_id FOR KEY SHARE",
	1, {ARG_INT8S}
};

#define ACCOUNT_CLAIM \
	"INSERT INTO @workspace@.account_identity (kind, value, account_id)" \
	" SELECT k.kind, k.value, k.account_id" \
	" FROM @rows $1: kind, value, account_id@ AS k" \
	" ON CONFLICT (kind, value) DO NOTHING RETURNING kind, value"

static const PlanSource account_claim = {
	ACCOUNT_CLAIM,
	3, {ARG_TEXTS, ARG_TEXTS, ARG_INT8S}
};

static const PlanSource account_create = {
	"WITH made AS (INSERT INTO @workspace@.account (account_id, name, domain, website, industry, employees, annual_revenue,"
	" attributes)"
	" SELECT n.account_id, n.name, n.domain, n.website, n.industry, n.employees::pg_catalog.int4,"
	" n.annual_revenue::pg_catalog.numeric, n.attributes"
	" FROM @rows $4: account_id, name, domain, website, industry, employees, annual_revenue, attributes@ AS n)"
	" " ACCOUNT_CLAIM,
	11, {ARG_TEXTS, ARG_TEXTS, ARG_INT8S,
		ARG_INT8S, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_JSONBS}
};

static const PlanSource account_discard = {
	"DELETE FROM @workspace@.account WHERE account_id = ANY ($1)",
	1, {ARG_INT8S}
};

static const PlanSource account_update = {
	"UPDATE @workspace@.account a SET name = n.name, domain = n.domain, website = n.website, industry = n.industry,"
	" employees = n.employees::pg_catalog.int4, annual_revenue = n.annual_revenue::pg_catalog.numeric,"
	" attributes = n.attributes, updated_at = pg_catalog.now()"
	" FROM @rows $1: account_id, name, domain, website, industry, employees, annual_revenue, attributes@ AS n"
	" WHERE a.account_id = n.account_id",
	8, {ARG_INT8S, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_JSONBS}
};

/* Decide which account a record belongs to */
static EntitySlot *
DecideAccount(const IdentityTable *table, EntityRecord *record, bool *nobody)
{
	for (int k = 0; k < ACCOUNT_KEY_COUNT; k++)
	{
		EntitySlot *account = IdentityOwner(table, record, k);

		if (account)
			return account;
	}
	return NULL;
}

/* Read an account that is locked now */
static void
LoadAccount(EntitySlot *slot, uint64 row)
{
	bool		isnull;

	for (int c = 0; c < ACCOUNT_COLUMN_COUNT; c++)
		slot->values[c] = ResultText(row, 2 + c);
	slot->attributes = DatumGetJsonbPCopy(SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc,
														2 + ACCOUNT_COLUMN_COUNT, &isnull));
}

/*
 * Bring what a record says into its account.  Name and domain stay, but for a
 * name that is only the domain for want of a better one.
 */
static void
ApplyAccount(EntitySlot *slot, const EntityRecord *record)
{
	const char *name = slot->values[ACCOUNT_NAME];
	const char *domain = slot->values[ACCOUNT_DOMAIN];

	if (name && domain && strcmp(name, domain) == 0 && record->keys[ACCOUNT_KEY_NAME] && record->policy != UPDATE_KEEP)
		slot->values[ACCOUNT_NAME] = NULL;
	for (int c = 0; c < ACCOUNT_COLUMN_COUNT; c++)
		IdentitySet(slot, c, record->values[c],
					c == ACCOUNT_NAME || c == ACCOUNT_DOMAIN ? UPDATE_FILL : record->policy);
	IdentityMergeAttributes(slot, record);
}

/* Write an account into a row of a batch */
static void
FillAccount(Batch *batch, const EntitySlot *slot, WorkspaceConfig *config)
{
	BatchSet(batch, 0, Int64GetDatum(slot->id));
	for (int c = 0; c < ACCOUNT_COLUMN_COUNT; c++)
		BatchSetText(batch, 1 + c, slot->values[c]);
	BatchSet(batch, 1 + ACCOUNT_COLUMN_COUNT, slot->attributes ? JsonbPGetDatum(slot->attributes) :
			 DirectFunctionCall1(jsonb_in, CStringGetDatum("{}")));
}

const EntityKindOps AccountOps = {
	.table = "account",
	.id_column = "account_id",
	.key_count = ACCOUNT_KEY_COUNT,
	.key_names = account_key_names,
	.lookup = &account_lookup,
	.load = &account_load,
	.claim = &account_claim,
	.create = &account_create,
	.discard = &account_discard,
	.update = &account_update,
	.claim_args = 3,
	.decide = DecideAccount,
	.load_row = LoadAccount,
	.apply = ApplyAccount,
	.fill = FillAccount
};

/* Get the name of a company in the form in which it identifies it */
char *
AccountNameKey(const char *name)
{
	char	   *lower = str_tolower(name, strlen(name), DEFAULT_COLLATION_OID);
	char	   *to = lower;
	bool		pending = false;

	for (char *from = lower; *from; from++)
	{
		if (*from == ' ' || *from == '\t' || *from == '.' || *from == ',' || *from == '"')
		{
			pending = to > lower;
			continue;
		}
		if (pending)
			*to++ = ' ';
		pending = false;
		*to++ = *from;
	}
	*to = '\0';
	return lower;
}
