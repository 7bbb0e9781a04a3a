/*
 * Resolving a chunk of records to contacts or accounts.
 *
 * The chunk is resolved as if its records came one by one: a record belongs
 * to whom the rules find by its keys, an earlier record of the chunk
 * included; a record for which they find nobody makes a new entity, which
 * owns its keys from then on.  All of it takes a handful of statements for
 * the whole chunk:
 *
 *	1. look up the holders of all keys, and what the rules compare of them;
 *	2. decide in memory, record by record;
 *	3. merge entities that exist and turned out to be one, and begin again;
 *	4. lock the entities found, in the order of their ids, and read them;
 *	5. bring the records into them in memory, in order;
 *	6. insert the new entities together with the claims to all new keys, in
 *	   key order, ON CONFLICT DO NOTHING;
 *	7. update the entities whose values changed.
 *
 * When a claim is lost, another session has committed an entity with that key
 * in the meantime, and when a locked entity is gone or has other values than
 * were compared, another session has changed it.  Everybody takes locks in
 * one order: accounts by id, claims to their keys, contacts by id, claims to
 * their keys, leads, scores.  To begin again with later locks in hand would
 * break that order, so the chunk raises an error that its subtransaction ends
 * with, which gives everything back, and is run again (see IsRace in
 * capture/submission.c).  Only a chunk whose statement already holds what
 * earlier chunks took goes round again in place.
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/sequence.h"
#include "common/hashfn.h"
#include "matching/identity.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

/* Raise the error after which everything is given back and run again */
void
IdentityRace(const EntityKindOps *ops)
{
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("could not settle the identity of %s rows against concurrent sessions", ops->table),
			 errhint("Try again.")));
}

/* Get the entity that a slot turned out to be */
EntitySlot *
IdentityRoot(EntitySlot *slot)
{
	while (slot && slot->merged)
		slot = slot->merged;
	return slot;
}

/* Get what conditions read of an entity */
MatchSide
IdentitySide(const EntitySlot *slot)
{
	MatchSide	side = {slot->values, slot->attributes, slot->account_id};

	return side;
}

/* Get what conditions read of a record */
MatchSide
IdentityRecordSide(const EntityRecord *record)
{
	MatchSide	side = {record->values, record->attributes, record->account_id, record->company};

	return side;
}

/* Make the keys of a record */
void
IdentityKeys(MatchConfig *matching, EntityKind entity, EntityRecord *record)
{
	MatchSide	side = IdentityRecordSide(record);

	record->keys = palloc(sizeof(char *) * matching->kind_count[entity]);
	for (int k = 0; k < matching->kind_count[entity]; k++)
	{
		const MatchKind *kind = &matching->kinds[entity][k];

		record->keys[k] = MatchKeyOf(matching, kind->parts, kind->part_count, &side);
	}
}

/* Find or add the slot of an entity that exists */
EntitySlot *
IdentityFindEntity(IdentityTable *table, int64 id, bool *found)
{
	EntitySlot *slot = hash_search(table->existing, &id, HASH_ENTER, found);

	if (!*found)
	{
		memset((char *) slot + sizeof(int64), 0, sizeof(EntitySlot) - sizeof(int64));
		slot->is_loaded = true;
	}
	return slot;
}

/* Gather the keys of all records */
static void
CollectKeys(IdentityTable *table, EntityRecord **records, int n)
{
	int			kinds = table->matching->kind_count[table->ops->entity];

	for (int i = 0; i < n; i++)
		for (int k = 0; k < kinds; k++)
			if (records[i]->keys[k])
				IdentityAddKey(table, k, records[i]->keys[k])->is_looked_up = true;
}

/* Remember what was read of an entity before it is locked */
void
IdentityNoteSeen(EntitySlot *slot)
{
	slot->seen = palloc(sizeof(slot->values));
	memcpy(slot->seen, slot->values, sizeof(slot->values));
}

/* Look up who holds the keys */
static void
LookUpHolders(IdentityTable *table)
{
	const EntityKindOps *ops = table->ops;
	bool		reads_all = table->matching->reads_all[ops->entity];
	const PlanSource *source = reads_all ? ops->look_up_all : ops->look_up;
	IdentityKey **keys;
	int			n = IdentityListKeys(table, &keys);
	Batch	   *batch;
	int			found;

	if (n == 0 || IdentityScanHolders(table, keys, n))
		return;
	batch = BatchCreate(source->args, source->nargs, n);
	for (int k = 0; k < n; k++)
	{
		BatchSet(batch, 0, Int64GetDatum(k));
		BatchSetText(batch, 1, table->matching->kinds[ops->entity][keys[k]->kind].name);
		BatchSetText(batch, 2, keys[k]->value);
		BatchNext(batch);
	}
	found = BatchExecute(table->ws, source, batch);
	for (int i = 0; i < found; i++)
	{
		IdentityKey *key = keys[ResultInt64(i, 1, NULL)];
		bool		known;
		EntitySlot *slot = IdentityFindEntity(table, ResultInt64(i, 2, NULL), &known);

		if (!known)
		{
			if (reads_all)
				ops->load_row(slot, table->config, i, 4);
			else
				for (int c = 0; c < ops->seen_count; c++)
					slot->values[ops->seen[c]] = ResultText(i, 4 + c);
			IdentityNoteSeen(slot);
		}
		IdentityAddHolder(key, slot);
		key->has_first |= ResultInt64(i, 3, NULL) == 0;
	}
	SPI_freetuptable(SPI_tuptable);
}

/* Read those whom people or models name, and whom no key has brought */
static void
FindNamed(IdentityTable *table, EntityRecord **records, int n)
{
	int64	   *wanted = palloc(sizeof(int64) * n * 2);
	int			count = 0;
	Batch	   *batch;
	int			found;

	for (int i = 0; i < n; i++)
	{
		int64		ids[2] = {records[i]->decided, records[i]->live.id};

		for (int j = 0; j < lengthof(ids); j++)
			if (ids[j] != 0 && hash_search(table->existing, &ids[j], HASH_FIND, NULL) == NULL)
				wanted[count++] = ids[j];
	}
	if (count == 0 || IdentityScanEntities(table, wanted, count))
		return;
	batch = BatchCreate(table->ops->find->args, 1, count);
	for (int i = 0; i < count; i++)
	{
		BatchSet(batch, 0, Int64GetDatum(wanted[i]));
		BatchNext(batch);
	}
	found = BatchExecute(table->ws, table->ops->find, batch);
	for (int i = 0; i < found; i++)
	{
		bool		known;
		EntitySlot *slot = IdentityFindEntity(table, ResultInt64(i, 1, NULL), &known);

		if (known)
			continue;
		table->ops->load_row(slot, table->config, i, 2);
		IdentityNoteSeen(slot);
	}
	SPI_freetuptable(SPI_tuptable);
}

/*
 * Decide whom the records belong to, making new entities for those for whom
 * nobody is found, and let each have the keys of its records that are free
 */
static void
DecideRecords(IdentityTable *table, EntityRecord **records, int n, Oid sequence)
{
	const MatchKind *kinds = table->matching->kinds[table->ops->entity];
	int			kind_count = table->matching->kind_count[table->ops->entity];

	table->created = palloc(sizeof(EntitySlot *) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		EntityRecord *record = records[i];
		EntitySlot *slot;

		DecideRecord(table, record);
		slot = record->slot;
		if (slot == NULL && (record->needs_review || !table->ops->may_be_new(record)))
			continue;
		if (slot == NULL)
		{
			slot = record->slot = palloc0(sizeof(EntitySlot));
			slot->id = nextval_internal(sequence, false);
			slot->is_new = true;
			table->created[table->created_count++] = slot;
		}
		record->foreign = 0;
		for (int k = 0; k < kind_count; k++)
		{
			IdentityKey *key;

			if (record->keys[k] == NULL)
				continue;
			key = IdentityFindKey(table, k, record->keys[k]);
			if (key->holder_count > 0 && !IdentityIsHolder(key, slot))
				record->foreign |= UINT64CONST(1) << k;
			if (!key->has_first && (kinds[k].accumulates || slot->is_new))
			{
				key->has_first = true;
				key->claimant = slot;
				IdentityAddHolder(key, slot);
			}
			else if (slot->is_new && kinds[k].is_shared)
				IdentityAddHolder(key, slot);
		}

		/* What later records of the chunk are compared with; done again below */
		table->ops->apply(table, slot, record);
		slot->is_loaded = true;
	}
}

/* Forget what records were brought into an entity only to decide */
static void
ResetSlot(EntitySlot *slot)
{
	memset(slot->values, 0, sizeof(slot->values));
	slot->attributes = NULL;
	slot->account_id = 0;
	slot->first_source = NULL;
	slot->trust = NULL;
	slot->is_changed = false;
	slot->is_loaded = !slot->is_new;
}

/* Has an entity other values than those it was chosen by? */
static bool
HasOtherValues(const IdentityTable *table, const EntitySlot *slot)
{
	const EntityKindOps *ops = table->ops;
	bool		reads_all = table->matching->reads_all[ops->entity];

	for (int c = 0; c < (reads_all ? ops->column_count : ops->seen_count); c++)
	{
		int			column = reads_all ? c : ops->seen[c];
		const char *before = slot->seen[column];
		const char *now = slot->values[column];

		if (before == NULL ? now != NULL : now == NULL || strcmp(before, now) != 0)
			return true;
	}
	return false;
}

/*
 * Lock and read the existing entities of the records, and bring the records
 * into theirs; false when one is gone or has changed
 */
static bool
LoadExisting(IdentityTable *table, EntityRecord **records, int n)
{
	const EntityKindOps *ops = table->ops;
	Batch	   *batch = BatchCreate(ops->load->args, 1, n);
	int			found = 0;
	int			wanted = 0;
	bool		has_changed = false;

	for (int i = 0; i < table->created_count; i++)
		ResetSlot(table->created[i]);
	for (int i = 0; i < n; i++)
	{
		EntitySlot *slot = records[i]->slot = IdentityRoot(records[i]->slot);

		if (slot == NULL || slot->is_new || slot->is_missing)
			continue;
		slot->is_missing = true;	/* until it is found below */
		BatchSet(batch, 0, Int64GetDatum(slot->id));
		BatchNext(batch);
		wanted++;
	}
	if (wanted > 0)
	{
		found = BatchExecute(table->ws, ops->load, batch);
		for (int i = 0; i < found; i++)
		{
			int64		id = ResultInt64(i, 1, NULL);
			EntitySlot *slot = hash_search(table->existing, &id, HASH_FIND, NULL);

			slot->is_missing = false;
			ResetSlot(slot);
			ops->load_row(slot, table->config, i, 2);
			slot->stored = palloc(sizeof(EntitySlot));
			memcpy(slot->stored, slot, sizeof(EntitySlot));
			has_changed |= HasOtherValues(table, slot);
		}
		SPI_freetuptable(SPI_tuptable);
	}
	if (found != wanted || has_changed)
		return false;
	for (int i = 0; i < n; i++)
		if (records[i]->slot)
		{
			ops->apply(table, records[i]->slot, records[i]);
			records[i]->slot->is_loaded = true;
		}
	return true;
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
WriteChanges(IdentityTable *table)
{
	const EntityKindOps *ops = table->ops;
	EntitySlot **changed = palloc(sizeof(EntitySlot *) * Max(hash_get_num_entries(table->existing), 1));
	HASH_SEQ_STATUS status;
	EntitySlot *slot;
	int			n = 0;
	Batch	   *batch;

	hash_seq_init(&status, table->existing);
	while ((slot = hash_seq_search(&status)) != NULL)
		if (slot->is_changed && slot->stored)
			changed[n++] = slot;
	if (n == 0)
		return;
	qsort(changed, n, sizeof(EntitySlot *), CompareSlots);
	batch = BatchCreate(ops->update->args, ops->update->nargs, n);
	for (int i = 0; i < n; i++)
	{
		ops->fill(batch, changed[i]);
		BatchNext(batch);
	}
	BatchExecute(table->ws, ops->update, batch);
}

/*
 * Two sessions that bring a new person at the same time meet in the claim to a
 * key, unless somebody else had it first and comparisons alone tell them
 * apart, or a model is to find them.  There they meet in advisory locks on
 * what they look up, taken in order before that is read; a statement of many
 * rows takes one lock against all such sessions instead.  Models have locks of
 * their own, which come later: only where no rule finds anybody.
 */
static void
LockInOrder(const IdentityTable *table, bool of_models, bool is_alone, uint32 *keys, int count)
{
	Datum		gate = Int32GetDatum((int32) hash_combine(hash_uint32(table->ws->namespace_id),
														  table->ops->entity + (of_models ? ENTITY_COUNT : 0)));

	if (!is_alone)
	{
		DirectFunctionCall2(pg_advisory_xact_lock_int4, gate, Int32GetDatum(0));
		return;
	}
	DirectFunctionCall2(pg_advisory_xact_lock_shared_int4, gate, Int32GetDatum(0));
	qsort(keys, count, sizeof(uint32), oid_cmp);
	for (int i = 0; i < count; i++)
		DirectFunctionCall2(pg_advisory_xact_lock_int4, gate, Int32GetDatum((int32) (keys[i] | 1)));
}

/* Meet others where comparisons are to tell people apart */
static void
LockCompared(IdentityTable *table, EntityRecord **records, int n)
{
	MatchConfig *matching = table->matching;
	EntityKind	entity = table->ops->entity;
	uint32		keys[MATCH_MAX_KINDS];
	int			count = 0;
	bool		compares = false;

	for (int i = 0; matching->compares[entity] && i < n && !compares; i++)
		for (int s = 0; s < records[i]->strategies->count; s++)
			for (int r = 0; r < records[i]->strategies->items[s]->rule_count; r++)
				compares |= records[i]->strategies->items[s]->rules[r].compares;
	if (!compares)
		return;
	for (int k = 0; n == 1 && k < matching->kind_count[entity]; k++)
		if (records[0]->keys[k] && matching->kinds[entity][k].is_shared)
			keys[count++] = hash_bytes((const unsigned char *) IdentityKeyText(k, records[0]->keys[k]),
									   strlen(records[0]->keys[k]) + 1);
	LockInOrder(table, false, n == 1, keys, count);
}

/* Meet others where a model is to find people */
void
IdentityLockModel(void *arg, uint32 *keys, int count)
{
	const IdentityTable *table = arg;

	LockInOrder(table, true, table->is_alone, keys, count);
}

/* Have the kinds of identity changed since the configuration was read? */
static bool
HasOtherKinds(const IdentityTable *table)
{
	EntityKind	entity = table->ops->entity;
	MatchConfig *now;

	if (table->ws->config_valid)
		return false;
	now = MatchGetConfig(table->ws, WorkspaceGetConfig(table->ws));
	if (now->kind_count[entity] != table->matching->kind_count[entity])
		return true;
	for (int k = 0; k < now->kind_count[entity]; k++)
		if (strcmp(now->kinds[entity][k].name, table->matching->kinds[entity][k].name) != 0)
			return true;
	return false;
}

/* Look up everything that the records are to be compared with */
void
IdentityRead(IdentityTable *table, Workspace *ws, WorkspaceConfig *config, const EntityKindOps *ops,
			 EntityRecord **records, int n)
{
	HASHCTL		ctl = {0};

	table->ws = ws;
	table->config = config;
	table->matching = MatchGetConfig(ws, config);
	table->ops = ops;
	table->created_count = table->merge_count = 0;
	ctl.keysize = sizeof(int64);
	ctl.entrysize = sizeof(EntitySlot);
	ctl.hcxt = CurrentMemoryContext;
	table->existing = hash_create("lead_mgmt entities", Max(n, 16), &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	IdentityCreateKeys(table, n * 2 + 8);
	CollectKeys(table, records, n);
	LookUpHolders(table);
	DecideByModels(table, records, n);
	FindNamed(table, records, n);
}

/*
 * Find or make the entity of each record, and bring what they say into it.
 * When stays is true, a lost race is run again here, else it raises the error
 * of IdentityRace.
 */
void
IdentityResolve(Workspace *ws, WorkspaceConfig *config, const EntityKindOps *ops,
				EntityRecord **records, int n, bool stays)
{
	Oid			sequence = WorkspaceSequence(ws, ops->table, ops->id_column);
	IdentityTable table = {.ws = ws,.config = config,.ops = ops,.matching = MatchGetConfig(ws, config)};

	table.takes_locks = true;
	table.is_alone = n == 1;
	LockCompared(&table, records, n);
	for (int attempt = 0; attempt < IDENTITY_MAX_ATTEMPTS; attempt++)
	{
		CHECK_FOR_INTERRUPTS();
		IdentityRead(&table, ws, config, ops, records, n);
		DecideRecords(&table, records, n, sequence);
		if (table.merge_count > 0)
		{
			/* What was merged is read anew; a lost race raises its own error */
			MergeFound(&table, records, n);
			continue;
		}
		if (LoadExisting(&table, records, n) && IdentityClaimKeys(&table))
		{
			/* Rows of other kinds of identity would be missing for good */
			if (HasOtherKinds(&table))
				IdentityRace(ops);
			WriteChanges(&table);
			return;
		}
		if (!stays)
			IdentityRace(ops);
	}
	IdentityRace(ops);
}
