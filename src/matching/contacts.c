/*
 * Contacts: what identifies a person, and how a record changes one.
 *
 * An id in a source system decides first, then the e-mail address, then the
 * phone number, unless record and contact have different e-mail addresses:
 * households and switchboards share numbers.  A visitor cookie speaks only
 * for a record that has nothing better.
 */
#include "postgres.h"

#include "matching/identity.h"
#include "utils/builtins.h"

static const char *const contact_key_names[CONTACT_KEY_COUNT] = {"external", "email", "phone", "visitor"};

static const PlanSource contact_lookup = {
	"SELECT k.position, i.contact_id, c.email::pg_catalog.text"
	" FROM @rows $1: position, kind, value@ AS k"
	" JOIN @workspace@.contact_identity i ON i.kind = k.kind AND i.value = k.value"
	" JOIN @workspace@.contact c ON c.contact_id = i.contact_id",
	3, {ARG_INT8S, ARG_TEXTS, ARG_TEXTS}
};

static const PlanSource contact_load = {
	"SELECT contact_id, account_id, customer_since IS NOT NULL, full_name, given_name, family_name,"
	" email::pg_catalog.text, phone::pg_catalog.text, job_title, street, city, region, postal_code, country,"
	" language, last_source, attributes"
	" FROM @workspace@.contact WHERE contact_id = ANY ($1) ORDER BY contact_id FOR NO KEY UPDATE",
	1, {ARG_INT8S}
};

#define CONTACT_CLAIM \
	"INSERT INTO @workspace@.contact_identity (kind, value, contact_id)" \
	" SELECT k.kind, k.value, k.contact_id" \
	" FROM @rows $1: kind, value, contact_id@ AS k" \
	" ON CONFLICT (kind, value) DO NOTHING RETURNING kind, value"

static const PlanSource contact_claim = {
	CONTACT_CLAIM,
	3, {ARG_TEXTS, ARG_TEXTS, ARG_INT8S}
};

static const PlanSource contact_create = {
	"WITH made AS (INSERT INTO @workspace@.contact (contact_id, account_id, full_name, given_name, family_name,"
	" email, phone, job_title, street, city, region, postal_code, country, language, first_source, last_source, attributes)"
	" SELECT n.contact_id, n.account_id, n.full_name, n.given_name, n.family_name, n.email, n.phone, n.job_title,"
	" n.street, n.city, n.region, n.postal_code, n.country, n.language, n.first_source, n.source, n.attributes"
	" FROM @rows $4: contact_id, account_id, full_name, given_name, family_name, email, phone, job_title,"
	" street, city, region, postal_code, country, language, source, attributes, first_source@ AS n) " CONTACT_CLAIM,
	20, {ARG_TEXTS, ARG_TEXTS, ARG_INT8S,
		ARG_INT8S, ARG_INT8S, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_EMAILS, ARG_PHONES, ARG_TEXTS, ARG_TEXTS,
		ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_JSONBS, ARG_TEXTS}
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
	" updated_at = pg_catalog.now()"
	" FROM @rows $1: contact_id, account_id, full_name, given_name, family_name, email, phone, job_title,"
	" street, city, region, postal_code, country, language, source, attributes, first_source@ AS n"
	" WHERE c.contact_id = n.contact_id",
	17, {ARG_INT8S, ARG_INT8S, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_EMAILS, ARG_PHONES, ARG_TEXTS, ARG_TEXTS,
		ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_JSONBS, ARG_TEXTS}
};

/* Decide which contact a record belongs to */
static EntitySlot *
DecideContact(const IdentityTable *table, EntityRecord *record, bool *nobody)
{
	EntitySlot *contact;

	if ((contact = IdentityOwner(table, record, CONTACT_KEY_EXTERNAL)) != NULL)
		return contact;
	if ((contact = IdentityOwner(table, record, CONTACT_KEY_EMAIL)) != NULL)
		return contact;
	contact = IdentityOwner(table, record, CONTACT_KEY_PHONE);
	if (contact && (contact->decisive == NULL || record->keys[CONTACT_KEY_EMAIL] == NULL))
	{
		/* From here on a different e-mail address in the chunk contradicts */
		if (contact->decisive == NULL)
			contact->decisive = record->keys[CONTACT_KEY_EMAIL];
		return contact;
	}
	if (record->keys[CONTACT_KEY_EXTERNAL] || record->keys[CONTACT_KEY_EMAIL] || record->keys[CONTACT_KEY_PHONE])
		return NULL;
	*nobody = true;
	return IdentityOwner(table, record, CONTACT_KEY_VISITOR);
}

/* Read a contact that is locked now */
static void
LoadContact(EntitySlot *slot, uint64 row)
{
	bool		isnull;
	Datum		attributes;

	slot->account_id = ResultInt64(row, 2, NULL);
	slot->is_customer = ResultBool(row, 3);
	for (int c = 0; c < CONTACT_COLUMN_COUNT; c++)
		slot->values[c] = ResultText(row, 4 + c);
	attributes = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 4 + CONTACT_COLUMN_COUNT, &isnull);
	slot->attributes = DatumGetJsonbPCopy(attributes);
}

/* Bring what a record says into its contact */
static void
ApplyContact(EntitySlot *slot, const EntityRecord *record)
{
	for (int c = 0; c < CONTACT_COLUMN_COUNT; c++)
	{
		/* A further address is another identity, not a change of address */
		UpdatePolicy policy = c == CONTACT_EMAIL ? UPDATE_FILL :
			c == CONTACT_LAST_SOURCE ? UPDATE_NEWEST : record->policy;

		if (c != CONTACT_EMAIL || !record->is_foreign[CONTACT_KEY_EMAIL])
			IdentitySet(slot, c, record->values[c], policy);
	}
	if (slot->first_source == NULL)
		slot->first_source = record->values[CONTACT_LAST_SOURCE];
	if (slot->is_new && slot->decisive == NULL)
		slot->decisive = slot->values[CONTACT_EMAIL];
	if (record->account_id != 0 && record->account_id != slot->account_id &&
		(slot->account_id == 0 || (record->account_is_stated && record->policy == UPDATE_NEWEST)))
	{
		slot->account_id = record->account_id;
		slot->is_changed = true;
	}
	IdentityMergeAttributes(slot, record);
}

/* Write a contact into a row of a batch */
static void
FillContact(Batch *batch, const EntitySlot *slot, WorkspaceConfig *config)
{
	int			column = 0;

	BatchSet(batch, column++, Int64GetDatum(slot->id));
	if (slot->account_id != 0)
		BatchSet(batch, column, Int64GetDatum(slot->account_id));
	column++;
	for (int c = 0; c < CONTACT_COLUMN_COUNT; c++)
		BatchSetText(batch, column++, slot->values[c]);
	BatchSet(batch, column, slot->attributes ? JsonbPGetDatum(slot->attributes) :
			 DirectFunctionCall1(jsonb_in, CStringGetDatum("{}")));
	BatchSetText(batch, column + 1, slot->first_source);
}

const EntityKindOps ContactOps = {
	.table = "contact",
	.id_column = "contact_id",
	.key_count = CONTACT_KEY_COUNT,
	.key_names = contact_key_names,
	.lookup = &contact_lookup,
	.load = &contact_load,
	.claim = &contact_claim,
	.create = &contact_create,
	.discard = &contact_discard,
	.update = &contact_update,
	.claim_args = 3,
	.decide = DecideContact,
	.load_row = LoadContact,
	.apply = ApplyContact,
	.fill = FillContact
};
