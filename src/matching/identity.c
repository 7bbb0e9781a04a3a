/*
 * Resolving a chunk of records to contacts or accounts.
 *
 * The chunk is resolved as if its records came one by one: a record belongs
 * to whoever owns its most decisive key, an earlier record of the chunk
 * included; a record none of whose keys is known makes a new entity, which
 * owns them from then on.  All of it takes a handful of statements for the
 * whole chunk:
 *
 *	1. look up the owners of all keys;
 *	2. lock the entities found, in the order of their ids, and read them;
 *	3. apply the records to them in memory, in order;
 *	4. insert the new entities together with the claims to all new keys, in
 *	   key order, ON CONFLICT DO NOTHING;
 *	5. update the entities whose values changed.
 *
 * When a claim is lost, another session has committed an entity with that key
 * in the meantime, and when a locked entity is gone, another session has
 * deleted it.  Either way what this session made for the loser is taken back
 * and the chunk is resolved again, which now sees the other's work.
 *
 * Every session claims in the same order, but one that goes round again still
 * holds the claims it won, and a statement of several chunks those of the
 * chunks before.  Two such sessions can therefore deadlock; the caller gives
 * all of it back then and tries again (see IsRace in capture/submission.c).
 */
#include "postgres.h"

#include "commands/sequence.h"
#include "common/hashfn.h"
#include "matching/identity.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

/* A key of the chunk and who owns it */
typedef struct IdentityKey
{
	const char *text;			/* hash key: kind, a separator, value */
	uint32		hash;
	char		status;
	int			kind;
	const char *value;
	EntitySlot *owner;
	bool		is_claimed;		/* by this chunk */
	bool		is_won;
} IdentityKey;

#define SH_PREFIX keys
#define SH_ELEMENT_TYPE IdentityKey
#define SH_KEY_TYPE const char *
#define SH_KEY text
#define SH_HASH_KEY(tb, key) hash_bytes((const unsigned char *) (key), strlen(key))
#define SH_EQUAL(tb, a, b) (strcmp((a), (b)) == 0)
#define SH_SCOPE static inline
#define SH_STORE_HASH
#define SH_GET_HASH(tb, a) (a)->hash
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

struct IdentityTable
{
	const EntityKindOps *ops;
	keys_hash  *keys;
	HTAB	   *existing;		/* slots of entities that exist, by id */
	EntitySlot **created;
	int			created_count;
};

/* Get the text under which a key is hashed */
static const char *
KeyText(int kind, const char *value)
{
	return psprintf("%c%s", 'a' + kind, value);
}

/* Get who owns a key of a record, NULL when nobody does or it has none */
EntitySlot *
IdentityOwner(const IdentityTable *table, const EntityRecord *record, int key)
{
	IdentityKey *found;

	if (record->keys[key] == NULL)
		return NULL;
	found = keys_lookup(table->keys, KeyText(key, record->keys[key]));
	return found ? found->owner : NULL;
}

/* Order keys the way all sessions claim them */
static int
CompareKeys(const void *a, const void *b)
{
	return strcmp((*(IdentityKey *const *) a)->text, (*(IdentityKey *const *) b)->text);
}

/* Gather the keys of all records */
static void
CollectKeys(IdentityTable *table, EntityRecord **records, int n)
{
	for (int i = 0; i < n; i++)
		for (int k = 0; k < table->ops->key_count; k++)
		{
			bool		found;
			IdentityKey *key;

			if (records[i]->keys[k] == NULL)
				continue;
			key = keys_insert(table->keys, KeyText(k, records[i]->keys[k]), &found);
			if (found)
				continue;
			key->kind = k;
			key->value = records[i]->keys[k];
			key->owner = NULL;
			key->is_claimed = key->is_won = false;
		}
}

/* Look up who owns the keys */
static void
LookUpOwners(Workspace *ws, IdentityTable *table)
{
	const EntityKindOps *ops = table->ops;
	Batch	   *batch = BatchCreate(ops->lookup->args, ops->lookup->nargs, table->keys->members);
	IdentityKey **order = palloc(sizeof(IdentityKey *) * Max(table->keys->members, 1));
	keys_iterator it;
	IdentityKey *key;
	int			found;

	keys_start_iterate(table->keys, &it);
	while ((key = keys_iterate(table->keys, &it)) != NULL)
	{
		BatchSet(batch, 0, Int64GetDatum(batch->rows));
		BatchSetText(batch, 1, ops->key_names[key->kind]);
		BatchSetText(batch, 2, key->value);
		order[batch->rows] = key;
		BatchNext(batch);
	}
	found = BatchExecute(ws, ops->lookup, batch);
	for (int i = 0; i < found; i++)
	{
		int64		id = ResultInt64(i, 2, NULL);
		bool		known;
		EntitySlot *slot = hash_search(table->existing, &id, HASH_ENTER, &known);

		if (!known)
		{
			memset((char *) slot + sizeof(int64), 0, sizeof(EntitySlot) - sizeof(int64));
			slot->decisive = ResultText(i, 3);
		}
		order[ResultInt64(i, 1, NULL)]->owner = slot;
	}
	SPI_freetuptable(SPI_tuptable);
}

/* Decide which entity each record belongs to, making new ones for the rest */
static void
DecideRecords(IdentityTable *table, EntityRecord **records, int n, Oid sequence)
{
	const EntityKindOps *ops = table->ops;

	table->created = palloc(sizeof(EntitySlot *) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		EntityRecord *record = records[i];
		bool		nobody = false;

		record->slot = ops->decide(table, record, &nobody);
		if (record->slot == NULL && nobody)
			continue;
		if (record->slot == NULL)
		{
			record->slot = palloc0(sizeof(EntitySlot));
			record->slot->id = nextval_internal(sequence, false);
			record->slot->is_new = true;
			table->created[table->created_count++] = record->slot;
		}
		for (int k = 0; k < ops->key_count; k++)
		{
			IdentityKey *key;

			if (record->keys[k] == NULL)
				continue;
			key = keys_lookup(table->keys, KeyText(k, record->keys[k]));
			record->is_foreign[k] = key->owner && key->owner != record->slot;
			if (key->owner)
				continue;
			key->owner = record->slot;
			key->is_claimed = true;
		}
		if (record->slot->is_new)
		{
			ops->apply(record->slot, record);
			record->slot->is_loaded = true;
		}
	}
}

/* Lock and read the existing entities of the records; false when one is gone */
static bool
LoadExisting(Workspace *ws, IdentityTable *table, EntityRecord **records, int n)
{
	const EntityKindOps *ops = table->ops;
	Batch	   *batch = BatchCreate(ops->load->args, 1, n);
	int			found;
	int			wanted = 0;

	for (int i = 0; i < n; i++)
	{
		EntitySlot *slot = records[i]->slot;

		if (slot == NULL || slot->is_new || slot->is_missing)
			continue;
		slot->is_missing = true;	/* until it is found below */
		BatchSet(batch, 0, Int64GetDatum(slot->id));
		BatchNext(batch);
		wanted++;
	}
	if (wanted == 0)
		return true;
	found = BatchExecute(ws, ops->load, batch);
	for (int i = 0; i < found; i++)
	{
		int64		id = ResultInt64(i, 1, NULL);
		EntitySlot *slot = hash_search(table->existing, &id, HASH_FIND, NULL);

		slot->is_missing = false;
		slot->is_loaded = true;
		ops->load_row(slot, i);
	}
	SPI_freetuptable(SPI_tuptable);
	for (int i = 0; i < n; i++)
		if (records[i]->slot && !records[i]->slot->is_new && !records[i]->slot->is_missing)
			ops->apply(records[i]->slot, records[i]);
	return found == wanted;
}

/* Insert the new entities and claim their keys; false when a claim was lost */
static bool
ClaimKeys(Workspace *ws, WorkspaceConfig *config, IdentityTable *table)
{
	const EntityKindOps *ops = table->ops;
	IdentityKey **claims = palloc(sizeof(IdentityKey *) * Max(table->keys->members, 1));
	keys_iterator it;
	IdentityKey *key;
	int			count = 0;
	int			won;
	Batch	   *batch;
	Batch	   *losers;
	Datum		arrays[PLAN_MAX_ARGUMENTS];

	keys_start_iterate(table->keys, &it);
	while ((key = keys_iterate(table->keys, &it)) != NULL)
		if (key->is_claimed)
			claims[count++] = key;
	if (count == 0 && table->created_count == 0)
		return true;
	qsort(claims, count, sizeof(IdentityKey *), CompareKeys);
	batch = BatchCreate(ops->claim->args, ops->claim_args, count);
	for (int i = 0; i < count; i++)
	{
		BatchSetText(batch, 0, ops->key_names[claims[i]->kind]);
		BatchSetText(batch, 1, claims[i]->value);
		BatchSet(batch, 2, Int64GetDatum(claims[i]->owner->id));
		BatchNext(batch);
	}
	BatchArrays(ws, batch, arrays);
	if (table->created_count > 0)
	{
		Batch	   *rows = BatchCreate(ops->create->args + ops->claim_args,
									   ops->create->nargs - ops->claim_args, table->created_count);

		for (int i = 0; i < table->created_count; i++)
		{
			ops->fill(rows, table->created[i], config);
			BatchNext(rows);
		}
		BatchArrays(ws, rows, arrays + ops->claim_args);
	}
	won = WorkspaceExecute(ws, table->created_count > 0 ? ops->create : ops->claim, arrays, NULL);
	if (won == count)
	{
		SPI_freetuptable(SPI_tuptable);
		return true;
	}

	/* Returned keys come in the order of the claims, with gaps */
	for (int i = 0; i < won; i++)
	{
		char	   *kind = ResultText(i, 1);
		char	   *value = ResultText(i, 2);
		int			k = 0;

		while (strcmp(ops->key_names[k], kind) != 0)
			k++;
		key = keys_lookup(table->keys, KeyText(k, value));
		key->is_won = true;
	}
	SPI_freetuptable(SPI_tuptable);
	losers = BatchCreate(ops->discard->args, 1, count);
	for (int i = 0; i < count; i++)
	{
		EntitySlot *owner = claims[i]->owner;

		if (claims[i]->is_won || !owner->is_new || owner->lost_claim)
			continue;
		owner->lost_claim = true;
		BatchSet(losers, 0, Int64GetDatum(owner->id));
		BatchNext(losers);
	}
	if (losers->rows > 0)
		BatchExecute(ws, ops->discard, losers);
	return false;
}

/* Order entities by their ids */
static int
CompareSlots(const void *a, const void *b)
{
	int64		left = (*(EntitySlot *const *) a)->id;
	int64		right = (*(EntitySlot *const *) b)->id;

	return left < right ? -1 : left > right;
}

/* Update the existing entities that the records changed */
static void
WriteChanges(Workspace *ws, WorkspaceConfig *config, IdentityTable *table)
{
	const EntityKindOps *ops = table->ops;
	EntitySlot **changed = palloc(sizeof(EntitySlot *) * Max(hash_get_num_entries(table->existing), 1));
	HASH_SEQ_STATUS status;
	EntitySlot *slot;
	int			n = 0;
	Batch	   *batch;

	hash_seq_init(&status, table->existing);
	while ((slot = hash_seq_search(&status)) != NULL)
		if (slot->is_changed)
			changed[n++] = slot;
	if (n == 0)
		return;
	qsort(changed, n, sizeof(EntitySlot *), CompareSlots);
	batch = BatchCreate(ops->update->args, ops->update->nargs, n);
	for (int i = 0; i < n; i++)
	{
		ops->fill(batch, changed[i], config);
		BatchNext(batch);
	}
	BatchExecute(ws, ops->update, batch);
}

/* Find or make the entity of each record, and bring what they say into it */
void
IdentityResolve(Workspace *ws, WorkspaceConfig *config, const EntityKindOps *ops,
				EntityRecord **records, int n)
{
	Oid			sequence = WorkspaceSequence(ws, ops->table, ops->id_column);

	for (int attempt = 0; attempt < IDENTITY_MAX_ATTEMPTS; attempt++)
	{
		IdentityTable table = {.ops = ops};
		HASHCTL		ctl = {0};

		CHECK_FOR_INTERRUPTS();
		ctl.keysize = sizeof(int64);
		ctl.entrysize = sizeof(EntitySlot);
		ctl.hcxt = CurrentMemoryContext;
		table.existing = hash_create("lead_mgmt entities", Max(n, 16), &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
		table.keys = keys_create(CurrentMemoryContext, n * 2 + 8, NULL);
		CollectKeys(&table, records, n);
		LookUpOwners(ws, &table);
		DecideRecords(&table, records, n, sequence);
		if (!LoadExisting(ws, &table, records, n))
			continue;
		if (!ClaimKeys(ws, config, &table))
			continue;
		WriteChanges(ws, config, &table);
		return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("could not settle the identity of %d %s rows against concurrent sessions", n, ops->table),
			 errhint("Try again.")));
}

/* Bring a value of a record into an entity */
void
IdentitySet(EntitySlot *slot, int column, char *value, UpdatePolicy policy)
{
	char	   *current = slot->values[column];

	if (value == NULL || (current && strcmp(current, value) == 0))
		return;
	if (current && slot->is_loaded && policy != UPDATE_NEWEST)
		return;
	if (policy == UPDATE_KEEP && slot->is_loaded)
		return;
	slot->values[column] = value;
	slot->is_changed = true;
}

/* Bring the custom attributes of a record into an entity */
void
IdentityMergeAttributes(EntitySlot *slot, const EntityRecord *record)
{
	Jsonb	   *merged;

	if (record->attributes == NULL || (record->policy == UPDATE_KEEP && slot->is_loaded))
		return;
	if (slot->attributes == NULL)
		merged = record->attributes;
	else if (record->policy == UPDATE_FILL && slot->is_loaded)
		merged = DatumGetJsonbP(DirectFunctionCall2(jsonb_concat, JsonbPGetDatum(record->attributes),
													JsonbPGetDatum(slot->attributes)));
	else
		merged = DatumGetJsonbP(DirectFunctionCall2(jsonb_concat, JsonbPGetDatum(slot->attributes),
													JsonbPGetDatum(record->attributes)));
	if (slot->attributes && compareJsonbContainers(&slot->attributes->root, &merged->root) == 0)
		return;
	slot->attributes = merged;
	slot->is_changed = true;
}
