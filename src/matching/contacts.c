/*
 * Contacts: how they are looked up, read and written, and how a record
 * changes one.
 */
#include "postgres.h"

#include "matching/identity.h"
#include "utils/builtins.h"

static const char *const contact_columns[CONTACT_COLUMN_COUNT] = {
	"full_name", "given_name", "family_name", "email", "phone", "job_title", "street", "city", "region",
	"postal_code", "country", "language", "last_source"
};

static const int contact_seen[] = {CONTACT_EMAIL, CONTACT_PHONE};

#define CONTACT_LOAD \
	"c.account_id, c.customer_since IS NOT NULL, c.full_name, c.given_name, c.family_name," \
	" c.email::pg_catalog.text, c.phone::pg_catalog.text, c.job_title, c.street, c.city, c.region, c.postal_code," \
	" c.country, c.language, c.last_source, c.attributes, c.value_trust"

/*
 * Holders come in their order, the first one first; many share a value only
 * where it says little.  OFFSET 0 keeps a plan that was made while the tables
 * were empty from reading all contacts for each value.
 */
#define CONTACT_HOLDERS \
	" FROM @rows $1: position, kind, value@ AS k" \
	" CROSS JOIN LATERAL (SELECT i.holder, i.contact_id FROM @workspace@.contact_identity i" \
	" WHERE i.kind = k.kind AND i.value = k.value ORDER BY i.holder LIMIT " CppAsString2(MATCH_MAX_HOLDERS) ") AS h" \
	" CROSS JOIN LATERAL (SELECT * FROM @workspace@.contact c WHERE c.contact_id = h.contact_id OFFSET 0) AS c"

static const PlanSource contact_look_up = {
	"SELECT k.position, h.contact_id, h.holder, c.email::pg_catalog.text, c.phone::pg_catalog.text" CONTACT_HOLDERS,
	3, {ARG_INT8S, ARG_TEXTS, ARG_TEXTS}
};

static const PlanSource contact_look_up_all = {
	"SELECT k.position, h.contact_id, h.holder, " CONTACT_LOAD CONTACT_HOLDERS,
	3, {ARG_INT8S, ARG_TEXTS, ARG_TEXTS}
};

static const PlanSource contact_find = {
	"SELECT c.contact_id, " CONTACT_LOAD " FROM @workspace@.contact c WHERE c.contact_id = ANY ($1)",
	1, {ARG_INT8S}
};

static const PlanSource contact_load = {
	"SELECT c.contact_id, " CONTACT_LOAD
	" FROM @workspace@.contact c WHERE c.contact_id = ANY ($1) ORDER BY c.contact_id FOR NO KEY UPDATE",
	1, {ARG_INT8S}
};

#define CONTACT_CLAIM \
	"INSERT INTO @workspace@.contact_identity (kind, value, holder, contact_id)" \
	" SELECT k.kind, k.value, k.holder, k.contact_id" \
	" FROM @rows $1: kind, value, holder, contact_id@ AS k" \
	" ON CONFLICT (kind, value, holder) DO NOTHING RETURNING kind, value, holder"

static const PlanSource contact_claim = {
	CONTACT_CLAIM,
	CLAIM_ARGUMENTS, {ARG_TEXTS, ARG_TEXTS, ARG_INT8S, ARG_INT8S}
};

static const PlanSource contact_create = {
	"WITH made AS (INSERT INTO @workspace@.contact (contact_id, account_id, full_name, given_name, family_name,"
	" email, phone, job_title, street, city, region, postal_code, country, language, first_source, last_source, attributes,"
	" value_trust)"
	" SELECT n.contact_id, n.account_id, n.full_name, n.given_name, n.family_name, n.email, n.phone, n.job_title,"
	" n.street, n.city, n.region, n.postal_code, n.country, n.language, n.first_source, n.source, n.attributes,"
	" n.value_trust"
	" FROM @rows $5: contact_id, account_id, full_name, given_name, family_name, email, phone, job_title,"
	" street, city, region, postal_code, country, language, source, attributes, value_trust, first_source@ AS n) "
	CONTACT_CLAIM,
	22, {ARG_TEXTS, ARG_TEXTS, ARG_INT8S, ARG_INT8S,
		ARG_INT8S, ARG_INT8S, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_EMAILS, ARG_PHONES, ARG_TEXTS, ARG_TEXTS,
		ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_JSONBS, ARG_JSONBS, ARG_TEXTS}
};

static const PlanSource contact_discard = {
	"DELETE FROM @workspace@.contact WHERE contact_id = ANY ($1)",
	1, {ARG_INT8S}
};

static const PlanSource contact_update = {
	"UPDATE @workspace@.contact c SET account_id = n.account_id, full_name = n.full_name, given_name = n.given_name,"
	" family_name = n.family_name, email = n.email, phone = n.phone, job_title = n.job_title, street = n.street,"
	" city = n.city, region = n.region, postal_code = n.postal_code, country = n.country, language = n.language,"
	" first_source = COALESCE(c.first_source, n.first_source), last_source = n.source, attributes = n.attributes,"
	" value_trust = n.value_trust, updated_at = pg_catalog.now()"
	" FROM @rows $1: contact_id, account_id, full_name, given_name, family_name, email, phone, job_title,"
	" street, city, region, postal_code, country, language, source, attributes, value_trust, first_source@ AS n"
	" WHERE c.contact_id = n.contact_id",
	18, {ARG_INT8S, ARG_INT8S, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_EMAILS, ARG_PHONES, ARG_TEXTS, ARG_TEXTS,
		ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_JSONBS, ARG_JSONBS, ARG_TEXTS}
};

static const PlanSource contact_forget = {
	"DELETE FROM @workspace@.contact_identity i"
	" USING @rows $1: kind, value, holder, contact_id@ AS n"
	" WHERE i.kind = n.kind AND i.value = n.value AND i.contact_id = n.contact_id",
	CLAIM_ARGUMENTS, {ARG_TEXTS, ARG_TEXTS, ARG_INT8S, ARG_INT8S}
};

static const PlanSource contact_lock = {
	"SELECT c.contact_id, c.created_at FROM @workspace@.contact c WHERE c.contact_id = ANY ($1)"
	" ORDER BY c.contact_id FOR UPDATE",
	1, {ARG_INT8S}
};

static const PlanSource contact_apart = {
	"SELECT p.left_id, p.right_id FROM @rows $1: left_id, right_id@ AS p"
	" WHERE EXISTS (SELECT FROM (SELECT p.left_id UNION ALL SELECT r.old_id FROM @workspace@.entity_redirect r"
	" WHERE r.entity = 'contact' AND r.survivor_id = p.left_id) AS a (id)"
	" CROSS JOIN (SELECT p.right_id UNION ALL SELECT r.old_id FROM @workspace@.entity_redirect r"
	" WHERE r.entity = 'contact' AND r.survivor_id = p.right_id) AS b (id)"
	" JOIN @workspace@.match_link l ON l.entity = 'contact' AND l.verdict = 'different'"
	" AND l.left_id = LEAST(a.id, b.id) AND l.right_id = GREATEST(a.id, b.id))"
	" OR EXISTS (SELECT FROM @workspace@.contact_identity a JOIN @workspace@.contact_identity b"
	" ON b.contact_id = p.right_id AND b.kind = 'external' AND b.value <> a.value"
	" AND pg_catalog.split_part(b.value, ':', 1) = pg_catalog.split_part(a.value, ':', 1)"
	" WHERE a.contact_id = p.left_id AND a.kind = 'external')",
	2, {ARG_INT8S, ARG_INT8S}
};

static const PlanSource contact_merge = {
	"SELECT @workspace@.merge_contacts($1, $2)",
	2, {ARG_INT8, ARG_INT8S}
};

/*
 * May a record be from somebody new?  A visitor cookie alone makes nobody: it
 * speaks for a record that has nothing better, once its owner is known.
 */
static bool
MayBeNewContact(const EntityRecord *record)
{
	if (record->values[CONTACT_SOURCE_ID] || record->values[CONTACT_EMAIL] || record->values[CONTACT_PHONE])
		return true;
	for (int s = 0; s < record->strategies->count; s++)
	{
		if (record->strategies->items[s]->uses_model && record->values[CONTACT_FULL_NAME])
			return true;
		for (int r = 0; r < record->strategies->items[s]->rule_count; r++)
		{
			int			kind = record->strategies->items[s]->rules[r].kind;

			if (kind != CONTACT_KEY_VISITOR && record->keys[kind])
				return true;
		}
	}
	return false;
}

/* Get the trust of values whose own was not kept: that of the contact's last source */
static int
UsualTrust(const EntitySlot *slot, WorkspaceConfig *config)
{
	const char *name = slot->values[CONTACT_LAST_SOURCE];
	const LeadSource *source = name ? ConfigSource(config, name) : NULL;

	return source ? source->trust : 0;
}

/* Read a contact from a row of a result, from a column on */
static void
LoadContact(EntitySlot *slot, WorkspaceConfig *config, uint64 row, int column)
{
	bool		isnull;
	Datum		value;

	slot->account_id = ResultInt64(row, column, NULL);
	slot->is_customer = ResultBool(row, column + 1);
	for (int c = 0; c < CONTACT_COLUMN_COUNT; c++)
		slot->values[c] = ResultText(row, column + 2 + c);
	column += 2 + CONTACT_COLUMN_COUNT;
	value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &isnull);
	slot->attributes = DatumGetJsonbPCopy(value);
	value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column + 1, &isnull);
	slot->trust = isnull ? NULL : DatumGetJsonbPCopy(value);
	slot->usual_trust = UsualTrust(slot, config);
}

/* Bring what a record says into its contact */
static void
ApplyContact(IdentityTable *table, EntitySlot *slot, const EntityRecord *record)
{
	UpdatePolicy policy = IdentityPolicy(record);

	for (int c = 0; c < CONTACT_LAST_SOURCE; c++)
		/* A further address is another identity, not a change of address */
		if (c != CONTACT_EMAIL || (record->foreign & (UINT64CONST(1) << CONTACT_KEY_EMAIL)) == 0)
			IdentitySet(table, slot, c, record->values[c], c == CONTACT_EMAIL ? UPDATE_FILL : policy, record->trust);
	if (record->values[CONTACT_LAST_SOURCE] && (slot->values[CONTACT_LAST_SOURCE] == NULL ||
												strcmp(slot->values[CONTACT_LAST_SOURCE], record->values[CONTACT_LAST_SOURCE]) != 0))
	{
		slot->values[CONTACT_LAST_SOURCE] = record->values[CONTACT_LAST_SOURCE];
		slot->is_changed = true;
	}
	IdentitySet(table, slot, CONTACT_SOURCE_ID, record->values[CONTACT_SOURCE_ID], UPDATE_FILL, record->trust);
	if (slot->first_source == NULL)
		slot->first_source = record->values[CONTACT_LAST_SOURCE];
	if (record->account_id != 0 && record->account_id != slot->account_id &&
		(slot->account_id == 0 || (record->account_is_stated && policy == UPDATE_NEWEST)))
	{
		slot->account_id = record->account_id;
		slot->is_changed = true;
	}
	IdentitySetAttributes(table, slot, record, policy);
}

/* Write a contact into a row of a batch */
static void
FillContact(Batch *batch, const EntitySlot *slot)
{
	int			column = 0;

	BatchSet(batch, column++, Int64GetDatum(slot->id));
	if (slot->account_id != 0)
		BatchSet(batch, column, Int64GetDatum(slot->account_id));
	column++;
	for (int c = 0; c < CONTACT_COLUMN_COUNT; c++)
		BatchSetText(batch, column++, slot->values[c]);
	BatchSet(batch, column++, slot->attributes ? JsonbPGetDatum(slot->attributes) :
			 DirectFunctionCall1(jsonb_in, CStringGetDatum("{}")));
	if (slot->trust)
		BatchSet(batch, column, JsonbPGetDatum(slot->trust));
	BatchSetText(batch, column + 1, slot->first_source);
}

const EntityKindOps ContactOps = {
	.entity = ENTITY_CONTACT,
	.table = "contact",
	.identity_table = "contact_identity",
	.id_column = "contact_id",
	.column_count = CONTACT_COLUMN_COUNT,
	.columns = contact_columns,
	.seen_count = lengthof(contact_seen),
	.seen = contact_seen,
	.look_up = &contact_look_up,
	.look_up_all = &contact_look_up_all,
	.find = &contact_find,
	.load = &contact_load,
	.claim = &contact_claim,
	.create = &contact_create,
	.discard = &contact_discard,
	.update = &contact_update,
	.forget = &contact_forget,
	.lock = &contact_lock,
	.apart = &contact_apart,
	.merge = &contact_merge,
	.may_be_new = MayBeNewContact,
	.load_row = LoadContact,
	.usual_trust = UsualTrust,
	.apply = ApplyContact,
	.fill = FillContact
};
