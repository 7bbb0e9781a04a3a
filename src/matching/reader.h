/*
 * Reading a table directly through its indexes: the calls that an index scan
 * makes, without a statement around them.
 */
#ifndef LEAD_MGMT_READER_H
#define LEAD_MGMT_READER_H

#include "access/genam.h"
#include "access/relscan.h"
#include "access/tableam.h"
#include "executor/tuptable.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

typedef struct TableReader
{
	MemoryContext context;		/* what scans keep between calls is here */
	Relation	table;
	Snapshot	snapshot;
	IndexFetchTableData *fetch;
	TupleTableSlot *slot;		/* the row that was read last */
	Relation	key;			/* primary key, once it is wanted */
	IndexScanDesc key_scan;
} TableReader;

/* May the current user read all rows and columns of a table? */
extern bool ReaderMayRead(Oid relid);

/* Does a table hold its rows itself, all of them? */
extern bool ReaderIsPlain(Relation table);

/* Can an index of one bigint be scanned under the current snapshot? */
extern bool ReaderIsUsable(Relation index);

extern void ReaderOpen(TableReader *reader, Relation table, Snapshot snapshot);
extern void ReaderClose(TableReader *reader);

extern IndexScanDesc ReaderScan(TableReader *reader, Relation index);

/* List rows by a range of an index: whatever it leads to, of which some may be gone, or only those that are visible */
extern int	ReaderRange(TableReader *reader, IndexScanDesc scan, int64 from, int64 to, bool is_visible,
						ItemPointerData *places, int limit);

/* Fetch rows ahead that are to be read one after the other */
extern void ReaderFetchAhead(TableReader *reader, const ItemPointerData *places, int count);

/* Read a row; false when it is none that the snapshot sees */
extern bool ReaderFetch(TableReader *reader, ItemPointerData place);

/* Look a primary key up, or the first columns of one; the rows then come one by one */
extern void ReaderSeek(TableReader *reader, ScanKey key, int columns);
extern bool ReaderNext(TableReader *reader);

/* Read the row of a primary key of one bigint */
extern bool ReaderFind(TableReader *reader, int64 key);

/* Get columns of the row that was read last */
extern int64 ReaderInt64(const TableReader *reader, AttrNumber number);
extern char *ReaderText(const TableReader *reader, AttrNumber number);

#endif
