/*
 * Reading a table directly through its indexes.
 *
 * Starting and ending a statement costs several times what a few descents of
 * an index do.  So what is looked up for every record goes to the access
 * methods themselves, as the executor does: locks are taken and kept, rows are
 * seen by a snapshot, and serializable transactions get their predicate locks.
 * What the executor would check besides, privileges and row-level security,
 * is the caller's to ask for (ReaderMayRead).
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "matching/reader.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"

/* May the current user read all rows and columns of a table? */
bool
ReaderMayRead(Oid relid)
{
	return pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK &&
		check_enable_rls(relid, InvalidOid, true) != RLS_ENABLED;
}

/*
 * Does a table hold its rows itself, all of them?  Those of partitioned and
 * inherited tables are elsewhere, and so are those of one whose storage is
 * empty, if it has any: another system may hold them in shards.  To ask the
 * file system for its size takes longer than to remember that it was not.
 */
bool
ReaderIsPlain(Relation table)
{
	return table->rd_rel->relkind == RELKIND_RELATION && !table->rd_rel->relhassubclass &&
		(table->rd_rel->relpages > 0 || RelationGetNumberOfBlocks(table) > 0);
}

/* Can an index of one bigint be scanned under the current snapshot? */
bool
ReaderIsUsable(Relation index)
{
	return index->rd_rel->relkind == RELKIND_INDEX && index->rd_rel->relam == BTREE_AM_OID &&
		index->rd_index->indisvalid && index->rd_index->indnkeyatts == 1 &&
		index->rd_opcintype[0] == INT8OID && RelationGetIndexPredicate(index) == NIL &&
		/* one whose rows had changed while it was built is not for older snapshots */
		(!index->rd_index->indcheckxmin ||
		 TransactionIdPrecedes(HeapTupleHeaderGetXmin(index->rd_indextuple->t_data), TransactionXmin));
}

/* Begin to read a table that is open */
void
ReaderOpen(TableReader *reader, Relation table, Snapshot snapshot)
{
	reader->context = CurrentMemoryContext;
	reader->table = table;
	reader->snapshot = snapshot;
	reader->fetch = table_index_fetch_begin(reader->table);
	reader->slot = table_slot_create(reader->table, NULL);
	reader->key = NULL;
}

/* Be done with it; the locks stay until the transaction ends, as those of a statement do */
void
ReaderClose(TableReader *reader)
{
	ExecDropSingleTupleTableSlot(reader->slot);
	table_index_fetch_end(reader->fetch);
	if (reader->key)
	{
		index_endscan(reader->key_scan);
		index_close(reader->key, NoLock);
	}
}

/* Get what scans an index of the table by ranges */
IndexScanDesc
ReaderScan(TableReader *reader, Relation index)
{
	MemoryContext old = MemoryContextSwitchTo(reader->context);
	IndexScanDesc scan = index_beginscan(reader->table, index, reader->snapshot, 2, 0);

	MemoryContextSwitchTo(old);
	return scan;
}

/*
 * List rows by a range of an index: whatever it leads to, of which some may be
 * gone, or only those that are visible.  The latter reads the rows, and lets
 * the index forget those that are gone for all.
 */
int
ReaderRange(TableReader *reader, IndexScanDesc scan, int64 from, int64 to, bool is_visible,
			ItemPointerData *places, int limit)
{
	MemoryContext old = MemoryContextSwitchTo(reader->context);
	ScanKeyData range[2];
	ItemPointer place;
	int			count = 0;

	ScanKeyInit(&range[0], 1, BTGreaterEqualStrategyNumber, F_INT8GE, Int64GetDatum(from));
	ScanKeyInit(&range[1], 1, BTLessEqualStrategyNumber, F_INT8LE, Int64GetDatum(to));
	index_rescan(scan, range, lengthof(range), NULL, 0);
	while (count < limit && (place = index_getnext_tid(scan, ForwardScanDirection)) != NULL)
	{
		/* Reading the row goes on from here to what it was updated to */
		places[count] = *place;
		if (!is_visible || index_fetch_heap(scan, reader->slot))
			count++;
	}
	MemoryContextSwitchTo(old);
	return count;
}

/*
 * Fetch rows ahead that are to be read one after the other: what is not in the
 * buffers, from the disk, and of what is there the lines by which a page is
 * read, into the processor's cache.  It is no more than a hint, so nothing is
 * pinned, and it does not matter if a buffer holds another page meanwhile.
 */
void
ReaderFetchAhead(TableReader *reader, const ItemPointerData *places, int count)
{
	if (reader->table->rd_rel->relam != HEAP_TABLE_AM_OID)
		return;
	for (int i = 0; i < count; i++)
	{
		Buffer		buffer = PrefetchBuffer(reader->table, MAIN_FORKNUM,
											ItemPointerGetBlockNumber(&places[i])).recent_buffer;

		if (BufferIsValid(buffer) && !BufferIsLocal(buffer))
		{
			Page		page = BufferGetPage(buffer);

			__builtin_prefetch(page);
			__builtin_prefetch(PageGetItemId(page, ItemPointerGetOffsetNumber(&places[i])));
		}
	}
}

/* Read a row; false when it is none that the snapshot sees */
bool
ReaderFetch(TableReader *reader, ItemPointerData place)
{
	bool		goes_on = false;
	bool		is_dead;

	return table_index_fetch_tuple(reader->fetch, &place, reader->snapshot, reader->slot, &goes_on, &is_dead);
}

/* Look a primary key up, or the first columns of one; the rows then come one by one */
void
ReaderSeek(TableReader *reader, ScanKey key, int columns)
{
	MemoryContext old = MemoryContextSwitchTo(reader->context);

	if (reader->key == NULL)
	{
		reader->key = index_open(RelationGetPrimaryKeyIndex(reader->table), AccessShareLock);
		reader->key_scan = index_beginscan(reader->table, reader->key, reader->snapshot, columns, 0);
	}
	for (int c = 0; c < columns; c++)
		key[c].sk_collation = reader->key->rd_indcollation[c];
	index_rescan(reader->key_scan, key, columns, NULL, 0);
	MemoryContextSwitchTo(old);
}

/* Read the next row of the key that was looked up */
bool
ReaderNext(TableReader *reader)
{
	MemoryContext old = MemoryContextSwitchTo(reader->context);
	bool		is_there = index_getnext_slot(reader->key_scan, ForwardScanDirection, reader->slot);

	MemoryContextSwitchTo(old);
	return is_there;
}

/* Read the row of a primary key of one bigint */
bool
ReaderFind(TableReader *reader, int64 key)
{
	ScanKeyData wanted;

	ScanKeyInit(&wanted, 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(key));
	ReaderSeek(reader, &wanted, 1);
	return ReaderNext(reader);
}

/* Get a bigint of the row that was read last; 0 for null */
int64
ReaderInt64(const TableReader *reader, AttrNumber number)
{
	bool		isnull;
	Datum		value = slot_getattr(reader->slot, number, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

/* Get a column of the row that was read last as text; NULL for null */
char *
ReaderText(const TableReader *reader, AttrNumber number)
{
	bool		isnull;
	Datum		value = slot_getattr(reader->slot, number, &isnull);
	Oid			type = TupleDescAttr(reader->slot->tts_tupleDescriptor, number - 1)->atttypid;
	Oid			output;
	bool		is_varlena;

	if (isnull)
		return NULL;
	if (type == TEXTOID)
		return TextDatumGetCString(value);
	getTypeOutputInfo(type, &output, &is_varlena);
	return OidOutputFunctionCall(output, value);
}
