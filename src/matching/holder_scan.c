/*
 * Looking up who holds the keys of a chunk, and reading entities, directly
 * through indexes (see reader.c).  It is what the statements of EntityKindOps
 * do, which are run where this cannot be: where the caller may not see all
 * rows, or a table does not hold its rows itself.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "matching/identity.h"
#include "matching/reader.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

/* What reads the entities of a kind, and who holds which keys */
typedef struct EntityReader
{
	const EntityKindOps *ops;
	WorkspaceConfig *config;
	Relation	tables[2];
	TableReader entities;
	TableReader holders;
} EntityReader;

/* Begin to read, as of now; false where statements have to */
static bool
BeginReading(EntityReader *reader, IdentityTable *table)
{
	bool		can_read = true;

	reader->ops = table->ops;
	reader->config = table->config;
	for (int t = 0; t < lengthof(reader->tables); t++)
	{
		Oid			relid = WorkspaceRelation(table->ws, t == 0 ? table->ops->table : table->ops->identity_table);

		reader->tables[t] = table_open(relid, AccessShareLock);
		can_read = can_read && ReaderIsPlain(reader->tables[t]) && ReaderMayRead(relid);
	}
	if (!can_read)
	{
		for (int t = 0; t < lengthof(reader->tables); t++)
			table_close(reader->tables[t], NoLock);
		return false;
	}
	if (!IsInParallelMode())
		CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	ReaderOpen(&reader->entities, reader->tables[0], GetActiveSnapshot());
	ReaderOpen(&reader->holders, reader->tables[1], GetActiveSnapshot());
	return true;
}

/* Be done with reading */
static void
EndReading(EntityReader *reader)
{
	ReaderClose(&reader->entities);
	ReaderClose(&reader->holders);
	PopActiveSnapshot();
	for (int t = 0; t < lengthof(reader->tables); t++)
		table_close(reader->tables[t], NoLock);
}

/* Get the number of a column */
static AttrNumber
Number(const TableReader *reader, const char *column)
{
	return get_attnum(RelationGetRelid(reader->table), column);
}

/* Get a jsonb column of the row that was read last; NULL for null */
static Jsonb *
ReadJson(const TableReader *reader, const char *column)
{
	bool		isnull;
	Datum		value = slot_getattr(reader->slot, Number(reader, column), &isnull);

	return isnull ? NULL : DatumGetJsonbPCopy(value);
}

/* Read an entity from the row that was read last */
static void
ReadEntity(EntityReader *reader, EntitySlot *slot)
{
	const EntityKindOps *ops = reader->ops;
	const TableReader *row = &reader->entities;

	for (int c = 0; c < ops->column_count; c++)
		slot->values[c] = ReaderText(row, Number(row, ops->columns[c]));
	if (ops->entity == ENTITY_CONTACT)
	{
		slot->account_id = ReaderInt64(row, Number(row, "account_id"));
		slot->is_customer = !slot_attisnull(row->slot, Number(row, "customer_since"));
	}
	else
		slot->individual_id = ReaderInt64(row, Number(row, "individual_contact_id"));
	slot->attributes = ReadJson(row, "attributes");
	slot->trust = ReadJson(row, "value_trust");
	slot->usual_trust = ops->usual_trust(slot, reader->config);
}

/* Look up who holds the keys; false where a statement has to */
bool
IdentityScanHolders(IdentityTable *table, IdentityKey **keys, int n)
{
	const EntityKindOps *ops = table->ops;
	const MatchKind *kinds = table->matching->kinds[ops->entity];
	bool		reads_all = table->matching->reads_all[ops->entity];
	EntityReader reader;
	AttrNumber	id;
	AttrNumber	holder;

	if (!BeginReading(&reader, table))
		return false;
	id = Number(&reader.holders, ops->id_column);
	holder = Number(&reader.holders, "holder");
	for (int k = 0; k < n; k++)
	{
		ScanKeyData wanted[2];

		ScanKeyInit(&wanted[0], 1, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(kinds[keys[k]->kind].name));
		ScanKeyInit(&wanted[1], 2, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(keys[k]->value));
		ReaderSeek(&reader.holders, wanted, lengthof(wanted));
		for (int h = 0; h < MATCH_MAX_HOLDERS && ReaderNext(&reader.holders); h++)
		{
			int64		found = ReaderInt64(&reader.holders, id);
			EntitySlot *slot = hash_search(table->existing, &found, HASH_FIND, NULL);
			bool		known;

			if (slot == NULL)
			{
				if (!ReaderFind(&reader.entities, found))
					continue;
				slot = IdentityFindEntity(table, found, &known);
				if (reads_all)
					ReadEntity(&reader, slot);
				else
					for (int c = 0; c < ops->seen_count; c++)
						slot->values[ops->seen[c]] = ReaderText(&reader.entities, Number(&reader.entities,
																						 ops->columns[ops->seen[c]]));
				IdentityNoteSeen(slot);
			}
			IdentityAddHolder(keys[k], slot);
			keys[k]->has_first |= ReaderInt64(&reader.holders, holder) == 0;
		}
	}
	EndReading(&reader);
	return true;
}

/* Read entities that are not known yet; false where a statement has to */
bool
IdentityScanEntities(IdentityTable *table, const int64 *ids, int n)
{
	EntityReader reader;

	if (!BeginReading(&reader, table))
		return false;
	for (int i = 0; i < n; i++)
	{
		EntitySlot *slot;
		bool		known;

		if (hash_search(table->existing, &ids[i], HASH_FIND, NULL) || !ReaderFind(&reader.entities, ids[i]))
			continue;
		slot = IdentityFindEntity(table, ids[i], &known);
		ReadEntity(&reader, slot);
		IdentityNoteSeen(slot);
	}
	EndReading(&reader);
	return true;
}
