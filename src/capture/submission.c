/*
 * The door: the trigger on submission, and reprocessing.
 *
 * The rows that a statement inserted are read from its transition table in
 * bounded chunks.  Values are checked before anything is written, so an error
 * on the way is rare: a constraint or trigger that the user added, or a race.
 * When one comes, each chunk is run again in a subtransaction of its own, and
 * halved until the row that causes the error stands alone and is rejected with
 * the error as its reason; the other rows do not notice.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/xact.h"
#include "capture/capture.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "predicate/attempt.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"

/*
 * How often a chunk that lost a race is run again, and a statement of several
 * chunks.  Each loss of a chunk is somebody else's progress.
 */
#define CAPTURE_MAX_RETRIES IDENTITY_MAX_ATTEMPTS
#define CAPTURE_MAX_RESTARTS 5

static const PlanSource load_submission = {
	"SELECT submission_id, form, external_id, payload, raw, content_type, received_at"
	" FROM @workspace@.submission"
	" WHERE submission_id = $1 AND (status IS NULL OR status IN ('rejected', 'review')) FOR UPDATE",
	1, {ARG_INT8}
};

/* Whom a review is about by now */
#define REVIEWED_CONTACT \
	"COALESCE((SELECT e.survivor_id FROM @workspace@.entity_redirect e WHERE e.entity = 'contact' AND e.old_id = r.left_id), r.left_id)"

static const PlanSource load_decisions = {
	"SELECT d.contact_id, pg_catalog.bool_or(d.is_accepted) FROM (SELECT " REVIEWED_CONTACT " AS contact_id,"
	" r.status = 'accepted' AS is_accepted FROM @workspace@.match_review r"
	" WHERE r.submission_id = $1 AND r.right_id IS NULL AND r.status <> 'open') d GROUP BY d.contact_id",
	1, {ARG_INT8}
};

static const PlanSource close_reviews = {
	"UPDATE @workspace@.match_review r SET status = CASE WHEN " REVIEWED_CONTACT " = s.contact_id THEN 'accepted' ELSE 'rejected' END,"
	" decided_at = pg_catalog.now(), decided_by = $2::pg_catalog.name"
	" FROM @workspace@.submission s"
	" WHERE s.submission_id = $1 AND s.status <> 'review'"
	" AND r.submission_id = s.submission_id AND r.right_id IS NULL AND r.status = 'open'",
	2, {ARG_INT8, ARG_TEXT}
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
		.received_at = record->received_at,
		.decided_contact = record->decided_contact,
		.refused_count = record->refused_count,
		.refused = record->refused,
		.is_again = record->is_again
	};

	*record = fresh;
}

/* Is this an error that another session caused and a further attempt may not meet? */
static bool
IsRace(int sqlerrcode)
{
	return !IsolationUsesXactSnapshot() &&
		(sqlerrcode == ERRCODE_T_R_SERIALIZATION_FAILURE || sqlerrcode == ERRCODE_UNIQUE_VIOLATION);
}

/* Records that are to be taken all the way, or rejected for an error */
typedef struct RecordsAttempt
{
	Workspace  *ws;
	CaptureRecord *records;
	int			n;
	const ErrorData *rejection;
} RecordsAttempt;

/* Take records all the way, or reject them */
static void
TakeRecords(void *arg)
{
	RecordsAttempt *attempt = arg;
	WorkspaceConfig *config = WorkspaceGetConfig(attempt->ws);
	CaptureRecord *records = attempt->records;
	const ErrorData *rejection = attempt->rejection;

	if (rejection == NULL)
	{
		CaptureFlow(attempt->ws, config, records, attempt->n, false);
		return;
	}
	initStringInfo(&records[0].reasons);
	DecodeRecords(config, records, 1);	/* its body may hold others, which are not to suffer */
	RecordReason(&records[0], rejection->column_name, "database_error",
				 unpack_sql_state(rejection->sqlerrcode), rejection->message, true);
	CaptureFinish(attempt->ws, config, records, 1);
}

/* Run one attempt; returns the error, or NULL */
static ErrorData *
TryRecords(Workspace *ws, CaptureRecord *records, int n, const ErrorData *rejection)
{
	RecordsAttempt attempt = {ws, records, n, rejection};

	for (int i = 0; i < n; i++)
		ResetRecord(&records[i]);
	return Attempt(TakeRecords, &attempt);
}

/* Take records all the way, isolating those that cause an error */
static void
IsolateRecords(Workspace *ws, CaptureRecord *records, int n)
{
	ErrorData  *error = NULL;

	CHECK_FOR_INTERRUPTS();
	for (int attempt = 0; attempt <= CAPTURE_MAX_RETRIES; attempt++)
	{
		error = TryRecords(ws, records, n, NULL);
		if (error == NULL)
			return;
		if (!IsRace(error->sqlerrcode))
			break;
	}
	if (!ErrorIsOfRow(error->sqlerrcode))
		ReThrowError(error);
	if (n == 1)
	{
		error = TryRecords(ws, records, 1, error);
		if (error)
			ReThrowError(error);
		return;
	}
	IsolateRecords(ws, records, n / 2);
	IsolateRecords(ws, records + n / 2, n - n / 2);
}

/* The inserted rows, as chunks are read from them */
typedef struct SubmissionSource
{
	Tuplestorestate *rows;
	TupleTableSlot *slot;
	SubmissionColumns columns;
	CaptureRecord *records;
	MemoryContext chunk;
	int			chunk_count;	/* processed in this attempt */
	bool		is_first;		/* nothing was written before in the transaction */
} SubmissionSource;

/* Read the inserted rows in chunks and process those without a stamp */
static void
ProcessChunks(Workspace *ws, SubmissionSource *source, bool isolates)
{
	MemoryContext old = MemoryContextSwitchTo(source->chunk);
	int			n = 0;
	Size		size = 0;
	bool		more = true;

	source->chunk_count = 0;
	tuplestore_rescan(source->rows);
	while (more)
	{
		more = tuplestore_gettupleslot(source->rows, true, false, source->slot);
		if (more)
		{
			bool		isnull;

			slot_getattr(source->slot, source->columns.processed_at, &isnull);
			if (isnull)
				size += ReadSubmission(source->slot, &source->columns, &source->records[n++]);
		}
		if (n == CAPTURE_CHUNK_ROWS || size >= CAPTURE_CHUNK_BYTES || (!more && n > 0))
		{
			CHECK_FOR_INTERRUPTS();
			if (isolates)
				IsolateRecords(ws, source->records, n);
			else
				CaptureFlow(ws, WorkspaceGetConfig(ws), source->records, n, source->chunk_count > 0);
			source->chunk_count++;
			ExecClearTuple(source->slot);	/* it may lie in the chunk */
			MemoryContextReset(source->chunk);
			n = 0;
			size = 0;
		}
	}
	MemoryContextSwitchTo(old);
}

/* The rows that a statement inserted */
typedef struct InsertedAttempt
{
	Workspace  *ws;
	SubmissionSource *source;
} InsertedAttempt;

/* Process all inserted rows */
static void
TakeInserted(void *arg)
{
	InsertedAttempt *attempt = arg;

	ProcessChunks(attempt->ws, attempt->source, false);
}

/* Process all inserted rows in one subtransaction; returns the code of the error that ended it, or 0 */
static int
TryInserted(Workspace *ws, SubmissionSource *source)
{
	InsertedAttempt attempt = {ws, source};
	ErrorData  *error = Attempt(TakeInserted, &attempt);
	int			sqlerrcode;

	if (error == NULL)
		return 0;

	if (!ErrorIsOfRow(error->sqlerrcode) && !IsRace(error->sqlerrcode) &&
		!(error->sqlerrcode == ERRCODE_T_R_DEADLOCK_DETECTED && source->is_first))
		ReThrowError(error);
	sqlerrcode = error->sqlerrcode;
	FreeErrorData(error);
	ExecClearTuple(source->slot);
	MemoryContextReset(source->chunk);
	return sqlerrcode;
}

/*
 * Process all inserted rows in one subtransaction, and only when that meets
 * an error chunk by chunk.  A subtransaction a chunk from the start would make
 * the row locks of the chunks strangers to each other, which costs a
 * MultiXact for every row that two of them lock.
 *
 * After a race all of it is begun anew: only so is everything given back that
 * another session may be waiting for.  So too after a deadlock, unless the
 * transaction has done something before, whose locks no attempt gives back.
 */
static void
ProcessInserted(Workspace *ws, void *arg)
{
	SubmissionSource *source = arg;
	int			sqlerrcode = 0;

	for (int attempt = 0; attempt <= CAPTURE_MAX_RESTARTS; attempt++)
	{
		CHECK_FOR_INTERRUPTS();
		sqlerrcode = TryInserted(ws, source);
		if (sqlerrcode == 0)
			return;
		if (!IsRace(sqlerrcode) && sqlerrcode != ERRCODE_T_R_DEADLOCK_DETECTED)
			break;
	}
	ProcessChunks(ws, source, true);
}

PG_FUNCTION_INFO_V1(process_submissions);
/* Process the submissions that a statement inserted */
Datum
process_submissions(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	TupleDesc	desc;
	Workspace  *ws;
	SubmissionSource source;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigdata->tg_event) ||
		!TRIGGER_FIRED_FOR_STATEMENT(trigdata->tg_event) || !TRIGGER_FIRED_BY_INSERT(trigdata->tg_event) ||
		trigdata->tg_newtable == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("process_submissions must be called as an AFTER INSERT statement trigger with a new transition table")));

	ws = WorkspaceOfRelation(trigdata->tg_relation);
	desc = RelationGetDescr(trigdata->tg_relation);
	SPI_connect();
	FindColumns(desc, &source.columns);
	source.rows = trigdata->tg_newtable;
	source.is_first = !SystemAtWork() && GetCurrentCommandId(false) == FirstCommandId;
	source.slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	source.records = palloc(sizeof(CaptureRecord) * CAPTURE_CHUNK_ROWS);
	source.chunk = AllocSetContextCreate(CurrentMemoryContext, "lead_mgmt capture chunk", ALLOCSET_DEFAULT_SIZES);
	tuplestore_select_read_pointer(source.rows, tuplestore_alloc_read_pointer(source.rows, EXEC_FLAG_REWIND));
	WorkspaceRun(ws, ProcessInserted, &source);
	ExecDropSingleTupleTableSlot(source.slot);
	SPI_finish();
	return PointerGetDatum(NULL);
}

/* Read what people decided about whom a submission is from */
static void
ReadDecisions(Workspace *ws, CaptureRecord *record)
{
	Datum		value = Int64GetDatum(record->submission_id);
	int			n = WorkspaceExecute(ws, &load_decisions, &value, NULL);

	record->refused = palloc(sizeof(int64) * Max(n, 1));
	for (int i = 0; i < n; i++)
		if (ResultBool(i, 2))
			record->decided_contact = ResultInt64(i, 1, NULL);
		else
			record->refused[record->refused_count++] = ResultInt64(i, 1, NULL);
	SPI_freetuptable(SPI_tuptable);
}

/* Load a submission that has not been accepted and process it, if there is such */
static void
ProcessAgain(Workspace *ws, void *arg)
{
	int64	   *id = arg;
	Datum		values[2];
	TupleTableSlot *slot;
	SubmissionColumns columns;
	CaptureRecord record;

	values[0] = Int64GetDatum(*id);
	values[1] = CStringGetTextDatum(GetUserNameFromId(GetOuterUserId(), false));
	if (WorkspaceExecute(ws, &load_submission, values, NULL) == 0)
	{
		*id = 0;
		return;
	}
	slot = MakeSingleTupleTableSlot(SPI_tuptable->tupdesc, &TTSOpsHeapTuple);
	FindColumns(SPI_tuptable->tupdesc, &columns);
	ExecStoreHeapTuple(SPI_tuptable->vals[0], slot, false);
	ReadSubmission(slot, &columns, &record);
	ExecDropSingleTupleTableSlot(slot);
	SPI_freetuptable(SPI_tuptable);
	ReadDecisions(ws, &record);
	record.is_again = true;
	IsolateRecords(ws, &record, 1);
	WorkspaceExecute(ws, &close_reviews, values, NULL);
}

PG_FUNCTION_INFO_V1(process_submission);
/* Process a submission again that has not been accepted; false when there is nothing to do */
Datum
process_submission(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	int64		id = PG_GETARG_INT64(1);
	Relation	rel = relation_open(relid, RowExclusiveLock);
	Workspace  *ws = WorkspaceOfRelation(rel);

	if (pg_class_aclcheck(relid, GetUserId(), ACL_UPDATE) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, RelationGetRelationName(rel));
	if (relid != WorkspaceRelation(ws, "submission"))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not the submission table of a workspace", RelationGetRelationName(rel))));
	SPI_connect();
	WorkspaceRun(ws, ProcessAgain, &id);
	SPI_finish();
	relation_close(rel, NoLock);
	PG_RETURN_BOOL(id != 0);
}
