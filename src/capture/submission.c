/*
 * The door: the trigger on submission, and reprocessing.
 *
 * The rows that a statement inserted are read from its transition table in
 * bounded chunks.  Each chunk takes its way in a subtransaction.  Values are
 * checked before anything is written, so an error there is rare: a constraint
 * or trigger that the user added, or a race.  When one comes, the chunk is
 * halved until the row that causes it stands alone and is rejected with the
 * error as its reason; the other rows do not notice.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/xact.h"
#include "capture/capture.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/tuplestore.h"

/* How often a chunk that lost a race is run again */
#define CAPTURE_MAX_RETRIES 5

static const PlanSource load_submission = {
	"SELECT submission_id, form, external_id, payload, raw, content_type, received_at"
	" FROM @workspace@.submission WHERE submission_id = $1 AND (status IS NULL OR status = 'rejected') FOR UPDATE",
	1, {ARG_INT8}
};

/* Where a row keeps what a submission is made of */
typedef struct SubmissionColumns
{
	int			submission_id;
	int			form;
	int			external_id;
	int			payload;
	int			raw;
	int			content_type;
	int			received_at;
	int			processed_at;
} SubmissionColumns;

/* Find the columns of submission */
static void
FindColumns(TupleDesc desc, SubmissionColumns *columns)
{
	columns->submission_id = SPI_fnumber(desc, "submission_id");
	columns->form = SPI_fnumber(desc, "form");
	columns->external_id = SPI_fnumber(desc, "external_id");
	columns->payload = SPI_fnumber(desc, "payload");
	columns->raw = SPI_fnumber(desc, "raw");
	columns->content_type = SPI_fnumber(desc, "content_type");
	columns->received_at = SPI_fnumber(desc, "received_at");
	columns->processed_at = SPI_fnumber(desc, "processed_at");
}

/* Get a text column of a row, NULL when it is null */
static char *
SlotText(TupleTableSlot *slot, int column)
{
	bool		isnull;
	Datum		value = slot_getattr(slot, column, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/* Read a submission from a row; returns its size in bytes */
static Size
ReadSubmission(TupleTableSlot *slot, const SubmissionColumns *columns, CaptureRecord *record)
{
	bool		isnull;
	Datum		value;
	Size		size = 0;

	memset(record, 0, sizeof(CaptureRecord));
	record->submission_id = DatumGetInt64(slot_getattr(slot, columns->submission_id, &isnull));
	record->form_name = SlotText(slot, columns->form);
	record->external_id = SlotText(slot, columns->external_id);
	record->content_type = SlotText(slot, columns->content_type);
	value = slot_getattr(slot, columns->payload, &isnull);
	if (!isnull)
	{
		record->payload = DatumGetJsonbPCopy(value);
		size += VARSIZE(record->payload);
	}
	value = slot_getattr(slot, columns->raw, &isnull);
	if (!isnull)
	{
		record->raw = DatumGetByteaPCopy(value);
		size += VARSIZE(record->raw);
	}
	record->received_at = DatumGetTimestampTz(slot_getattr(slot, columns->received_at, &isnull));
	return size;
}

/* Forget what an earlier attempt made of a record */
static void
ResetRecord(CaptureRecord *record)
{
	CaptureRecord fresh = {
		.submission_id = record->submission_id,
		.form_name = record->form_name,
		.external_id = record->external_id,
		.payload = record->has_decoded ? NULL : record->payload,
		.raw = record->raw,
		.content_type = record->content_type,
		.received_at = record->received_at
	};

	*record = fresh;
}

/* Is this an error that the data of single rows, or a race, can cause? */
static bool
IsRowError(int sqlerrcode)
{
	switch (ERRCODE_TO_CATEGORY(sqlerrcode))
	{
		case ERRCODE_DATA_EXCEPTION:
		case ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION:
		case ERRCODE_PLPGSQL_ERROR:
		case ERRCODE_TRIGGERED_ACTION_EXCEPTION:
		case ERRCODE_PROGRAM_LIMIT_EXCEEDED:
		case ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE:
			return true;
		default:
			return false;
	}
}

/* Run one attempt in a subtransaction; returns the error, or NULL */
static ErrorData *
TryRecords(Workspace *ws, CaptureRecord *records, int n, const ErrorData *rejection)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	for (int i = 0; i < n; i++)
		ResetRecord(&records[i]);
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		if (rejection)
		{
			initStringInfo(&records[0].reasons);
			RecordReason(&records[0], rejection->column_name, "database_error",
						 unpack_sql_state(rejection->sqlerrcode), rejection->message, true);
			CaptureStamp(ws, records, 1);
		}
		else
			CaptureFlow(ws, WorkspaceGetConfig(ws), records, n);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return error;
}

/* Take records all the way, isolating those that cause an error */
static void
ProcessRecords(Workspace *ws, CaptureRecord *records, int n)
{
	ErrorData  *error = NULL;

	CHECK_FOR_INTERRUPTS();
	for (int attempt = 0; attempt < CAPTURE_MAX_RETRIES; attempt++)
	{
		error = TryRecords(ws, records, n, NULL);
		if (error == NULL)
			return;
		if (error->sqlerrcode != ERRCODE_T_R_SERIALIZATION_FAILURE || IsolationUsesXactSnapshot())
			break;
	}
	if (!IsRowError(error->sqlerrcode))
		ReThrowError(error);
	if (n == 1)
	{
		error = TryRecords(ws, records, 1, error);
		if (error)
			ReThrowError(error);
		return;
	}
	ProcessRecords(ws, records, n / 2);
	ProcessRecords(ws, records + n / 2, n - n / 2);
}

/* Run work on records as the workspace's owner and as the system's own */
static void
ProcessAsSystem(Workspace *ws, CaptureRecord *records, int n)
{
	WorkspaceRights rights;
	int			saved;

	WorkspaceEnter(ws, &rights);
	saved = SystemWorkBegin();
	PG_TRY();
	{
		ProcessRecords(ws, records, n);
	}
	PG_FINALLY();
	{
		SystemWorkEnd(saved);
	}
	PG_END_TRY();
	WorkspaceLeave(&rights);
}

PG_FUNCTION_INFO_V1(process_submissions);
/* Process the submissions that a statement inserted */
Datum
process_submissions(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Workspace  *ws;
	Tuplestorestate *rows;
	TupleTableSlot *slot;
	SubmissionColumns columns;
	CaptureRecord *records;
	MemoryContext chunk;
	MemoryContext old;
	int			n = 0;
	Size		size = 0;
	bool		more = true;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigdata->tg_event) ||
		!TRIGGER_FIRED_FOR_STATEMENT(trigdata->tg_event) || !TRIGGER_FIRED_BY_INSERT(trigdata->tg_event) ||
		trigdata->tg_newtable == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("process_submissions must be called as an AFTER INSERT statement trigger with a new transition table")));

	rows = trigdata->tg_newtable;
	ws = WorkspaceOfRelation(trigdata->tg_relation);
	FindColumns(RelationGetDescr(trigdata->tg_relation), &columns);
	SPI_connect();
	chunk = AllocSetContextCreate(CurrentMemoryContext, "lead_mgmt capture chunk", ALLOCSET_DEFAULT_SIZES);
	slot = MakeSingleTupleTableSlot(RelationGetDescr(trigdata->tg_relation), &TTSOpsMinimalTuple);
	tuplestore_select_read_pointer(rows, tuplestore_alloc_read_pointer(rows, EXEC_FLAG_REWIND));
	tuplestore_rescan(rows);
	records = palloc(sizeof(CaptureRecord) * CAPTURE_CHUNK_ROWS);
	old = MemoryContextSwitchTo(chunk);
	while (more)
	{
		more = tuplestore_gettupleslot(rows, true, false, slot);
		if (more)
		{
			bool		isnull;

			slot_getattr(slot, columns.processed_at, &isnull);
			if (isnull)
				size += ReadSubmission(slot, &columns, &records[n++]);
		}
		if (n == CAPTURE_CHUNK_ROWS || size >= CAPTURE_CHUNK_BYTES || (!more && n > 0))
		{
			ProcessAsSystem(ws, records, n);
			MemoryContextReset(chunk);
			n = 0;
			size = 0;
		}
	}
	MemoryContextSwitchTo(old);
	ExecDropSingleTupleTableSlot(slot);
	SPI_finish();
	return PointerGetDatum(NULL);
}

PG_FUNCTION_INFO_V1(process_submission);
/* Process a submission again that has not been accepted; false when there is nothing to do */
Datum
process_submission(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	Datum		id = PG_GETARG_DATUM(1);
	Relation	rel = relation_open(relid, RowExclusiveLock);
	Workspace  *ws = WorkspaceOfRelation(rel);
	WorkspaceRights rights;
	CaptureRecord record;
	bool		found;

	if (pg_class_aclcheck(relid, GetUserId(), ACL_UPDATE) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, RelationGetRelationName(rel));
	if (relid != WorkspaceRelation(ws, "submission"))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not the submission table of a workspace", RelationGetRelationName(rel))));
	SPI_connect();
	WorkspaceEnter(ws, &rights);
	found = WorkspaceExecute(ws, &load_submission, &id, NULL) == 1;
	if (found)
	{
		TupleTableSlot *slot = MakeSingleTupleTableSlot(SPI_tuptable->tupdesc, &TTSOpsHeapTuple);
		SubmissionColumns columns;

		FindColumns(SPI_tuptable->tupdesc, &columns);
		ExecStoreHeapTuple(SPI_tuptable->vals[0], slot, false);
		ReadSubmission(slot, &columns, &record);
		ExecDropSingleTupleTableSlot(slot);
		SPI_freetuptable(SPI_tuptable);
	}
	WorkspaceLeave(&rights);
	if (found)
		ProcessAsSystem(ws, &record, 1);
	SPI_finish();
	relation_close(rel, NoLock);
	PG_RETURN_BOOL(found);
}
