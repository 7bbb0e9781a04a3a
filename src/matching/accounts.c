/*
 * Accounts: how they are looked up, read and written, and how a record changes
 * one.
 *
 * A company that is known by its name and shows up with a further e-mail
 * domain owns both.
 */
#include "postgres.h"

#include "matching/identity.h"
#include "utils/builtins.h"

static const char *const account_columns[ACCOUNT_COLUMN_COUNT] = {
	"name", "domain", "website", "industry", "employees", "annual_revenue"
};

#define ACCOUNT_LOAD \
	"a.name, a.domain, a.website, a.industry, a.employees::pg_catalog.text, a.annual_revenue::pg_catalog.text," \
	" a.attributes, a.value_trust, a.individual_contact_id"

#define ACCOUNT_HOLDERS \
	" FROM @rows $1: position, kind, value@ AS k" \
	" CROSS JOIN LATERAL (SELECT i.holder, i.account_id FROM @workspace@.account_identity i" \
	" WHERE i.kind = k.kind AND i.value = k.value ORDER BY i.holder LIMIT " CppAsString2(MATCH_MAX_HOLDERS) ") AS h" \
	" CROSS JOIN LATERAL (SELECT * FROM @workspace@.account a WHERE a.account_id = h.account_id OFFSET 0) AS a"

static const int account_seen[] = {ACCOUNT_DOMAIN};

static const PlanSource account_look_up = {
	"SELECT k.position, h.account_id, h.holder, a.domain" ACCOUNT_HOLDERS,
	3, {ARG_INT8S, ARG_TEXTS, ARG_TEXTS}
};

static const PlanSource account_look_up_all = {
	"SELECT k.position, h.account_id, h.holder, " ACCOUNT_LOAD ACCOUNT_HOLDERS,
	3, {ARG_INT8S, ARG_TEXTS, ARG_TEXTS}
};

static const PlanSource account_find = {
	"SELECT a.account_id, " ACCOUNT_LOAD " FROM @workspace@.account a WHERE a.account_id = ANY ($1)",
	1, {ARG_INT8S}
};

static const PlanSource account_load = {
	"SELECT a.account_id, " ACCOUNT_LOAD
	" FROM @workspace@.account a WHERE a.account_id = ANY ($1) ORDER BY a.account_id FOR KEY SHARE",
	1, {ARG_INT8S}
};

#define ACCOUNT_CLAIM \
	"INSERT INTO @workspace@.account_identity (kind, value, holder, account_id)" \
	" SELECT k.kind, k.value, k.holder, k.account_id" \
	" FROM @rows $1: kind, value, holder, account_id@ AS k" \
	" ON CONFLICT (kind, value, holder) DO NOTHING RETURNING kind, value, holder"

static const PlanSource account_claim = {
	ACCOUNT_CLAIM,
	CLAIM_ARGUMENTS, {ARG_TEXTS, ARG_TEXTS, ARG_INT8S, ARG_INT8S}
};

static const PlanSource account_create = {
	"WITH made AS (INSERT INTO @workspace@.account (account_id, name, domain, website, industry, employees, annual_revenue,"
	" attributes, value_trust)"
	" SELECT n.account_id, n.name, n.domain, n.website, n.industry, n.employees::pg_catalog.int4,"
	" n.annual_revenue::pg_catalog.numeric, n.attributes, n.value_trust"
	" FROM @rows $5: account_id, name, domain, website, industry, employees, annual_revenue, attributes, value_trust@"
	" AS n) " ACCOUNT_CLAIM,
	13, {ARG_TEXTS, ARG_TEXTS, ARG_INT8S, ARG_INT8S,
		ARG_INT8S, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_JSONBS, ARG_JSONBS}
};

static const PlanSource account_discard = {
	"DELETE FROM @workspace@.account WHERE account_id = ANY ($1)",
	1, {ARG_INT8S}
};

static const PlanSource account_update = {
	"UPDATE @workspace@.account a SET name = n.name, domain = n.domain, website = n.website, industry = n.industry,"
	" employees = n.employees::pg_catalog.int4, annual_revenue = n.annual_revenue::pg_catalog.numeric,"
	" attributes = n.attributes, value_trust = n.value_trust, updated_at = pg_catalog.now()"
	" FROM @rows $1: account_id, name, domain, website, industry, employees, annual_revenue, attributes, value_trust@"
	" AS n WHERE a.account_id = n.account_id",
	9, {ARG_INT8S, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_JSONBS, ARG_JSONBS}
};

static const PlanSource account_forget = {
	"DELETE FROM @workspace@.account_identity i"
	" USING @rows $1: kind, value, holder, account_id@ AS n"
	" WHERE i.kind = n.kind AND i.value = n.value AND i.account_id = n.account_id",
	CLAIM_ARGUMENTS, {ARG_TEXTS, ARG_TEXTS, ARG_INT8S, ARG_INT8S}
};

static const PlanSource account_lock = {
	"SELECT a.account_id, a.created_at FROM @workspace@.account a WHERE a.account_id = ANY ($1)"
	" ORDER BY a.account_id FOR UPDATE",
	1, {ARG_INT8S}
};

static const PlanSource account_apart = {
	"SELECT p.left_id, p.right_id FROM @rows $1: left_id, right_id@ AS p"
	" WHERE EXISTS (SELECT FROM (SELECT p.left_id UNION ALL SELECT r.old_id FROM @workspace@.entity_redirect r"
	" WHERE r.entity = 'account' AND r.survivor_id = p.left_id) AS a (id)"
	" CROSS JOIN (SELECT p.right_id UNION ALL SELECT r.old_id FROM @workspace@.entity_redirect r"
	" WHERE r.entity = 'account' AND r.survivor_id = p.right_id) AS b (id)"
	" JOIN @workspace@.match_link l ON l.entity = 'account' AND l.verdict = 'different'"
	" AND l.left_id = LEAST(a.id, b.id) AND l.right_id = GREATEST(a.id, b.id))"
	" OR EXISTS (SELECT FROM @workspace@.account_identity a JOIN @workspace@.account_identity b"
	" ON b.account_id = p.right_id AND b.kind = 'external' AND b.value <> a.value"
	" AND pg_catalog.split_part(b.value, ':', 1) = pg_catalog.split_part(a.value, ':', 1)"
	" WHERE a.account_id = p.left_id AND a.kind = 'external')",
	2, {ARG_INT8S, ARG_INT8S}
};

static const PlanSource account_merge = {
	"SELECT @workspace@.merge_accounts($1, $2)",
	2, {ARG_INT8, ARG_INT8S}
};

/* May a record be of a company that is new?  It needs a name, or a domain to be called by. */
static bool
MayBeNewAccount(const EntityRecord *record)
{
	return record->values[ACCOUNT_NAME] != NULL;
}

/* Get the trust of values whose own was not kept: none */
static int
UsualTrust(const EntitySlot *slot, WorkspaceConfig *config)
{
	return 0;
}

/* Read an account from a row of a result, from a column on */
static void
LoadAccount(EntitySlot *slot, WorkspaceConfig *config, uint64 row, int column)
{
	bool		isnull;
	Datum		value;

	for (int c = 0; c < ACCOUNT_COLUMN_COUNT; c++)
		slot->values[c] = ResultText(row, column + c);
	column += ACCOUNT_COLUMN_COUNT;
	value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &isnull);
	slot->attributes = DatumGetJsonbPCopy(value);
	value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column + 1, &isnull);
	slot->trust = isnull ? NULL : DatumGetJsonbPCopy(value);
	slot->usual_trust = UsualTrust(slot, config);
	slot->individual_id = ResultInt64(row, column + 2, NULL);
}

/*
 * Bring what a record says into its account.  Name and domain stay, but for a
 * name that is only the domain for want of a better one.  The account of an
 * individual customer stays as it is: whoever names a company that is called
 * like it would give it a domain, and with it everybody else who has that.
 */
static void
ApplyAccount(IdentityTable *table, EntitySlot *slot, const EntityRecord *record)
{
	const char *name = slot->values[ACCOUNT_NAME];
	const char *domain = slot->values[ACCOUNT_DOMAIN];
	UpdatePolicy policy = IdentityPolicy(record);

	if (slot->individual_id != 0)
		return;
	if (name && domain && strcmp(name, domain) == 0 && record->keys[ACCOUNT_KEY_NAME] && policy != UPDATE_KEEP)
		slot->values[ACCOUNT_NAME] = NULL;
	for (int c = 0; c < ACCOUNT_COLUMN_COUNT; c++)
		IdentitySet(table, slot, c, record->values[c],
					c == ACCOUNT_NAME || c == ACCOUNT_DOMAIN ? UPDATE_FILL : policy, record->trust);
	IdentitySet(table, slot, ACCOUNT_SOURCE_ID, record->values[ACCOUNT_SOURCE_ID], UPDATE_FILL, record->trust);
	IdentitySetAttributes(table, slot, record, policy);
}

/* Write an account into a row of a batch */
static void
FillAccount(Batch *batch, const EntitySlot *slot)
{
	BatchSet(batch, 0, Int64GetDatum(slot->id));
	for (int c = 0; c < ACCOUNT_COLUMN_COUNT; c++)
		BatchSetText(batch, 1 + c, slot->values[c]);
	BatchSet(batch, 1 + ACCOUNT_COLUMN_COUNT, slot->attributes ? JsonbPGetDatum(slot->attributes) :
			 DirectFunctionCall1(jsonb_in, CStringGetDatum("{}")));
	if (slot->trust)
		BatchSet(batch, 2 + ACCOUNT_COLUMN_COUNT, JsonbPGetDatum(slot->trust));
}

const EntityKindOps AccountOps = {
	.entity = ENTITY_ACCOUNT,
	.table = "account",
	.identity_table = "account_identity",
	.id_column = "account_id",
	.column_count = ACCOUNT_COLUMN_COUNT,
	.columns = account_columns,
	.seen_count = lengthof(account_seen),
	.seen = account_seen,
	.look_up = &account_look_up,
	.look_up_all = &account_look_up_all,
	.find = &account_find,
	.load = &account_load,
	.claim = &account_claim,
	.create = &account_create,
	.discard = &account_discard,
	.update = &account_update,
	.forget = &account_forget,
	.lock = &account_lock,
	.apart = &account_apart,
	.merge = &account_merge,
	.may_be_new = MayBeNewAccount,
	.load_row = LoadAccount,
	.usual_trust = UsualTrust,
	.apply = ApplyAccount,
	.fill = FillAccount
};
