/*
 * The procedure import: the rows of any relation become submissions.
 *
 * Rows are read through a cursor with the rights of whoever calls, written as
 * payloads and inserted in batches, which the trigger on submission takes from
 * there.  Called by itself the procedure commits each batch, so that what is
 * in stays in when it is cancelled, and other sessions see it move; inside a
 * transaction of the caller it leaves that to the caller.  A dry run, and an
 * import that is to be all or nothing, do all the work in a subtransaction,
 * keep an account of it in a tuplestore, and take it back.
 *
 * The key of a row is a digest of its columns that have values.  It is the
 * external id of the submission, so a row that came before changes nothing,
 * and one that was changed since does not count as the same.  A row that was
 * rejected before is tried again, as what was in its way may be gone.
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/progress.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "import/cells.h"
#include "import/columns.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "pgstat.h"
#include "utils/backend_progress.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/portal.h"
#include "utils/resowner.h"

/* A batch ends at either limit */
#define IMPORT_MAX_BATCH_ROWS 1000000
#define IMPORT_BATCH_BYTES (8 * 1024 * 1024)

/* Rows that are fetched from the source at a time */
#define IMPORT_FETCH_ROWS 1000

static const PlanSource begin_import = {
	"SELECT b.import_id FROM @workspace@.begin_import($1, $2, NULL, $3) b",
	3, {ARG_TEXT, ARG_TEXT, ARG_JSONB}
};

static const PlanSource find_keys = {
	"SELECT n.row FROM @rows $2: row, key@ AS n"
	" JOIN @workspace@.submission_key k ON k.form = $1 AND k.external_id = n.key",
	3, {ARG_TEXT, ARG_INT8S, ARG_TEXTS}
};

static const PlanSource insert_rows = {
	"INSERT INTO @workspace@.submission (form, external_id, payload, import_id, import_row)"
	" SELECT $1, n.key, n.payload::pg_catalog.jsonb, $2, n.row FROM @rows $3: row, key, payload@ AS n",
	5, {ARG_TEXT, ARG_INT8, ARG_INT8S, ARG_TEXTS, ARG_TEXTS}
};

static const PlanSource record_batch = {
	"SELECT pg_catalog.count(*) FROM @workspace@.record_import_batch($1, $2, $3, $4, $5, $6) b",
	6, {ARG_INT8, ARG_INT8, ARG_INT8, ARG_INT8, ARG_JSONB, ARG_INT8}
};

static const PlanSource read_outcomes = {
	"SELECT o.import_row, o.outcome, CASE WHEN o.outcome <> 'created' THEN s.contact_id END,"
	" CASE WHEN s.match ? 'account' THEN s.account_id END, CASE WHEN s.match ? 'lead' THEN s.lead_id END,"
	" s.payload::pg_catalog.text, o.reasons"
	" FROM @workspace@.import_outcome o JOIN @workspace@.submission s ON s.submission_id = o.submission_id"
	" WHERE o.import_id = $1 AND o.import_row > $2 AND o.import_row <= $3",
	3, {ARG_INT8, ARG_INT8, ARG_INT8}
};

static const PlanSource keep_outcomes = {
	"INSERT INTO @workspace@.import_row (import_id, import_row, outcome, contact_id, account_id, lead_id, payload, reasons)"
	" SELECT $1, n.row, n.outcome, n.contact_id, n.account_id, n.lead_id, n.payload::pg_catalog.jsonb,"
	" n.reasons::pg_catalog.jsonb"
	" FROM @rows $2: row, outcome, contact_id, account_id, lead_id, payload, reasons@ AS n",
	8, {ARG_INT8, ARG_INT8S, ARG_TEXTS, ARG_INT8S, ARG_INT8S, ARG_INT8S, ARG_TEXTS, ARG_TEXTS}
};

static const PlanSource read_counts = {
	"SELECT i.last_row, i.rows_read, i.created, i.updated, i.duplicates, i.reviews, i.rejected"
	" FROM @workspace@.import i WHERE i.import_id = $1",
	1, {ARG_INT8}
};

static const PlanSource keep_counts = {
	"UPDATE @workspace@.import i SET last_row = $2, rows_read = $3, created = $4, updated = $5, duplicates = $6,"
	" reviews = $7, rejected = $8, state = $9, finished_at = pg_catalog.clock_timestamp(),"
	" updated_at = pg_catalog.clock_timestamp() WHERE i.import_id = $1",
	9, {ARG_INT8, ARG_INT8, ARG_INT8, ARG_INT8, ARG_INT8, ARG_INT8, ARG_INT8, ARG_INT8, ARG_TEXT}
};

static const PlanSource finish_import = {
	"SELECT @workspace@.finish_import($1)",
	1, {ARG_INT8}
};

#define OUTCOME_COLUMNS 7
#define COUNT_COLUMNS 7

typedef struct Import
{
	Workspace  *ws;
	Oid			source;
	char	   *form;
	ImportColumns columns;
	int			batch_rows;
	bool		commits;
	Portal		portal;
	int			guc_level;		/* 0 when the caller's search_path is in force */

	int64		id;
	int64		last_row;
	Tuplestorestate *outcomes;	/* of work that may be taken back, or NULL */
	TupleDesc	outcome_desc;
	pg_cryptohash_ctx *digest;
	MemoryContext batch_context;

	/* the batch at hand */
	int			count;
	int			room;
	int64	   *rows;
	char	  **keys;
	char	  **payloads;
	Size		bytes;
	int64		read;
	StringInfoData refused;
} Import;

/* Look names up in the catalog alone, whatever the caller's search_path is */
static void
PinPath(Import *import)
{
	import->guc_level = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
							 true, 0, false);
}

/* Give the caller's search_path back */
static void
UnpinPath(Import *import)
{
	AtEOXact_GUC(true, import->guc_level);
	import->guc_level = 0;
}

/* Commit what is in */
static void
Commit(Import *import)
{
	UnpinPath(import);
	SPI_commit();
	PinPath(import);
}

/* Get the key of a row from what its columns say */
static char *
RowKey(Import *import, const StringInfo said)
{
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	char	   *key = palloc(ROW_KEY_SIZE);

	if (pg_cryptohash_init(import->digest) < 0 ||
		pg_cryptohash_update(import->digest, (uint8 *) said->data, said->len) < 0 ||
		pg_cryptohash_final(import->digest, digest, sizeof(digest)) < 0)
		elog(ERROR, "could not compute a digest");
	RowKeyText(digest, key);
	return key;
}

/* Note a row that is refused before it becomes a submission */
static void
RefuseRow(Import *import, int64 row, const char *key, const char *payload, const char *reasons)
{
	appendStringInfo(&import->refused, "%s{\"row\": " INT64_FORMAT ", \"key\": \"%s\", \"payload\": %s, \"reasons\": [%s]}",
					 import->refused.len > 0 ? ", " : "[", row, key, payload, reasons);
}

/* Take a row into the batch */
static void
AddRow(Import *import, HeapTuple tuple, TupleDesc desc)
{
	StringInfoData payload;
	StringInfoData said;
	StringInfoData reasons;
	int64		row = import->last_row + ++import->read;

	initStringInfo(&payload);
	initStringInfo(&said);
	initStringInfo(&reasons);
	if (!ColumnsReadRow(&import->columns, tuple, desc, &payload, &said, &reasons))
		return;
	import->bytes += payload.len;
	if (reasons.len > 0)
	{
		RefuseRow(import, row, RowKey(import, &said), payload.data, reasons.data);
		return;
	}
	if (import->count == import->room)
	{
		import->room = import->room > 0 ? import->room * 2 : IMPORT_FETCH_ROWS;
		import->rows = import->rows ? repalloc(import->rows, sizeof(int64) * import->room) : palloc(sizeof(int64) * import->room);
		import->keys = import->keys ? repalloc(import->keys, sizeof(char *) * import->room) : palloc(sizeof(char *) * import->room);
		import->payloads = import->payloads ? repalloc(import->payloads, sizeof(char *) * import->room) : palloc(sizeof(char *) * import->room);
	}
	import->rows[import->count] = row;
	import->keys[import->count] = RowKey(import, &said);
	import->payloads[import->count++] = payload.data;
}

/* Read the next batch of the source; false when nothing is left */
static bool
ReadBatch(Import *import)
{
	import->count = import->room = 0;
	import->rows = NULL;
	import->keys = import->payloads = NULL;
	import->bytes = 0;
	import->read = 0;
	initStringInfo(&import->refused);
	import->digest = pg_cryptohash_create(PG_SHA256);	/* it ends with the transaction */
	while (import->read < import->batch_rows && import->bytes < IMPORT_BATCH_BYTES)
	{
		MemoryContext context = CurrentMemoryContext;
		uint64		got;

		UnpinPath(import);
		SPI_cursor_fetch(import->portal, true, Min(IMPORT_FETCH_ROWS, import->batch_rows - import->read));
		PinPath(import);
		MemoryContextSwitchTo(context);
		got = SPI_processed;
		for (uint64 i = 0; i < got; i++)
		{
			CHECK_FOR_INTERRUPTS();
			AddRow(import, SPI_tuptable->vals[i], SPI_tuptable->tupdesc);
		}
		SPI_freetuptable(SPI_tuptable);
		if (got == 0)
			break;
	}
	pg_cryptohash_free(import->digest);
	return import->read > 0;
}

/* Order rows by their numbers */
static int
CompareRows(const void *a, const void *b)
{
	int64		left = *(const int64 *) a;
	int64		right = *(const int64 *) b;

	return left < right ? -1 : left > right;
}

/* Leave out of the batch what came before; returns how many rows that are */
static int64
SkipKnown(Import *import)
{
	Batch	   *batch = BatchCreate(find_keys.args + 1, 2, import->count);
	Datum		values[3];
	int			known;
	int			kept = 0;
	int64	   *rows;

	for (int i = 0; i < import->count; i++)
	{
		BatchSet(batch, 0, Int64GetDatum(import->rows[i]));
		BatchSetText(batch, 1, import->keys[i]);
		BatchNext(batch);
	}
	values[0] = CStringGetTextDatum(import->form);
	BatchArrays(import->ws, batch, values + 1);
	known = WorkspaceExecute(import->ws, &find_keys, values, NULL);
	rows = palloc(sizeof(int64) * Max(known, 1));
	for (int i = 0; i < known; i++)
		rows[i] = ResultInt64(i, 1, NULL);
	SPI_freetuptable(SPI_tuptable);
	if (known == 0)
		return 0;
	qsort(rows, known, sizeof(int64), CompareRows);
	for (int i = 0; i < import->count; i++)
	{
		if (bsearch(&import->rows[i], rows, known, sizeof(int64), CompareRows))
			continue;
		import->rows[kept] = import->rows[i];
		import->keys[kept] = import->keys[i];
		import->payloads[kept++] = import->payloads[i];
	}
	import->count = kept;
	return known;
}

/* Submit the batch and move the import on */
static void
SubmitBatch(Import *import)
{
	Batch	   *batch = BatchCreate(insert_rows.args + 2, 3, import->count);
	int64		until = import->last_row + import->read;
	Datum		values[6];
	char		nulls[7] = "      ";
	WorkspaceRights rights;
	int64		skipped;

	WorkspaceEnter(import->ws, &rights);
	skipped = SkipKnown(import);
	WorkspaceLeave(&rights);
	for (int i = 0; i < import->count; i++)
	{
		BatchSet(batch, 0, Int64GetDatum(import->rows[i]));
		BatchSetText(batch, 1, import->keys[i]);
		BatchSetText(batch, 2, import->payloads[i]);
		BatchNext(batch);
	}
	values[0] = CStringGetTextDatum(import->form);
	values[1] = Int64GetDatum(import->id);
	BatchArrays(import->ws, batch, values + 2);
	WorkspaceExecute(import->ws, &insert_rows, values, NULL);

	values[0] = Int64GetDatum(import->id);
	values[1] = Int64GetDatum(import->last_row);
	values[2] = Int64GetDatum(until);
	values[3] = Int64GetDatum(import->read);
	if (import->refused.len > 0)
	{
		appendStringInfoChar(&import->refused, ']');
		values[4] = DirectFunctionCall1(jsonb_in, CStringGetDatum(import->refused.data));
	}
	else
		nulls[4] = 'n';
	values[5] = Int64GetDatum(skipped);
	WorkspaceExecute(import->ws, &record_batch, values, nulls);
	SPI_freetuptable(SPI_tuptable);
}

/* Keep an account of the batch that was just submitted, which may be taken back */
static void
KeepOutcomes(Import *import)
{
	Datum		values[3];
	WorkspaceRights rights;
	int			n;

	values[0] = Int64GetDatum(import->id);
	values[1] = Int64GetDatum(import->last_row);
	values[2] = Int64GetDatum(import->last_row + import->read);
	WorkspaceEnter(import->ws, &rights);
	n = WorkspaceExecute(import->ws, &read_outcomes, values, NULL);
	WorkspaceLeave(&rights);
	for (int i = 0; i < n; i++)
	{
		Datum		row[OUTCOME_COLUMNS];
		bool		isnull[OUTCOME_COLUMNS];

		heap_deform_tuple(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, row, isnull);
		tuplestore_putvalues(import->outcomes, import->outcome_desc, row, isnull);
	}
	SPI_freetuptable(SPI_tuptable);
}

/* Bring all batches in */
static void
RunBatches(Import *import)
{
	static const int progress_params[] = {PROGRESS_COPY_COMMAND, PROGRESS_COPY_TYPE, PROGRESS_COPY_TUPLES_PROCESSED};

	for (;;)
	{
		MemoryContext old = MemoryContextSwitchTo(import->batch_context);
		bool		more = ReadBatch(import);
		int64		progress[3] = {PROGRESS_COPY_COMMAND_FROM, PROGRESS_COPY_TYPE_CALLBACK, import->last_row + import->read};

		CHECK_FOR_INTERRUPTS();
		if (more)
		{
			/* An error that the trigger caught has ended what was reported */
			pgstat_progress_start_command(PROGRESS_COMMAND_COPY, import->source);
			pgstat_progress_update_multi_param(3, progress_params, progress);
			SubmitBatch(import);
			if (import->outcomes)
				KeepOutcomes(import);
			import->last_row += import->read;
		}
		MemoryContextSwitchTo(old);
		MemoryContextReset(import->batch_context);
		if (!more)
			return;
		if (import->commits)
			Commit(import);
	}
}

/* Read what the import has counted */
static void
ReadCounts(Import *import, int64 *counts)
{
	Datum		id = Int64GetDatum(import->id);
	WorkspaceRights rights;

	WorkspaceEnter(import->ws, &rights);
	WorkspaceExecute(import->ws, &read_counts, &id, NULL);
	WorkspaceLeave(&rights);
	for (int i = 0; i < COUNT_COLUMNS; i++)
		counts[i] = ResultInt64(0, i + 1, NULL);
	SPI_freetuptable(SPI_tuptable);
}

/* Write down what would have become of each row */
static void
WriteOutcomes(Import *import)
{
	TupleTableSlot *slot = MakeSingleTupleTableSlot(import->outcome_desc, &TTSOpsMinimalTuple);
	bool		more = true;

	while (more)
	{
		MemoryContext old = MemoryContextSwitchTo(import->batch_context);
		Batch	   *batch = BatchCreate(keep_outcomes.args + 1, OUTCOME_COLUMNS, IMPORT_FETCH_ROWS);
		Datum		values[OUTCOME_COLUMNS + 1];

		while (batch->rows < IMPORT_FETCH_ROWS && (more = tuplestore_gettupleslot(import->outcomes, true, true, slot)))
		{
			for (int c = 0; c < OUTCOME_COLUMNS; c++)
			{
				bool		isnull;
				Datum		value = slot_getattr(slot, c + 1, &isnull);

				if (!isnull)
					BatchSet(batch, c, TupleDescAttr(import->outcome_desc, c)->attbyval ? value :
							 PointerGetDatum(PG_DETOAST_DATUM_COPY(value)));
			}
			BatchNext(batch);
		}
		values[0] = Int64GetDatum(import->id);
		BatchArrays(import->ws, batch, values + 1);
		if (batch->rows > 0)
			WorkspaceExecute(import->ws, &keep_outcomes, values, NULL);
		ExecClearTuple(slot);
		MemoryContextSwitchTo(old);
		MemoryContextReset(import->batch_context);
	}
	ExecDropSingleTupleTableSlot(slot);
}

/* Do all the work in a subtransaction; keep it only if that is wanted and no row was rejected */
static void
RunTentatively(Import *import, bool dry_run, int64 *counts)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	Datum		values[COUNT_COLUMNS + 2];
	WorkspaceRights rights;

	import->outcome_desc = CreateTemplateTupleDesc(OUTCOME_COLUMNS);
	for (int i = 0; i < OUTCOME_COLUMNS; i++)
		TupleDescInitEntry(import->outcome_desc, i + 1, NULL, i == 0 || (i >= 2 && i <= 4) ? INT8OID : TEXTOID, -1, 0);
	import->outcomes = tuplestore_begin_heap(false, false, work_mem);
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	RunBatches(import);
	ReadCounts(import, counts);
	SPI_cursor_close(import->portal);
	import->portal = NULL;
	if (!dry_run && counts[COUNT_COLUMNS - 1] == 0)
	{
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		tuplestore_end(import->outcomes);
		return;
	}
	RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	values[0] = Int64GetDatum(import->id);
	for (int i = 0; i < COUNT_COLUMNS; i++)
		values[i + 1] = Int64GetDatum(counts[i]);
	values[COUNT_COLUMNS + 1] = CStringGetTextDatum(dry_run ? "dry_run" : "rolled_back");
	WorkspaceEnter(import->ws, &rights);
	WorkspaceExecute(import->ws, &keep_counts, values, NULL);
	WriteOutcomes(import);
	WorkspaceLeave(&rights);
	tuplestore_end(import->outcomes);
	if (!dry_run)
		ereport(WARNING,
				(errmsg("nothing was imported, for " INT64_FORMAT " rows were rejected", counts[COUNT_COLUMNS - 1]),
				 errhint("The view import_error says why, for import " INT64_FORMAT ".", import->id)));
}

/* Read an argument that may be null */
static char *
TextArgument(FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(argument));
}

PG_FUNCTION_INFO_V1(import_relation);
/* Import the rows of a relation */
Datum
import_relation(PG_FUNCTION_ARGS)
{
	bool		is_atomic = !(fcinfo->context && IsA(fcinfo->context, CallContext)) ||
		castNode(CallContext, fcinfo->context)->atomic;
	bool		dry_run = !PG_ARGISNULL(6) && PG_GETARG_BOOL(6);
	bool		all_or_nothing = !PG_ARGISNULL(7) && PG_GETARG_BOOL(7);
	MemoryContext caller = CurrentMemoryContext;
	Import	   *import;
	TupleDesc	result_desc;
	Datum		values[COUNT_COLUMNS];
	bool		nulls[COUNT_COLUMNS] = {false};
	int64		counts[COUNT_COLUMNS];
	Datum		arguments[3];
	char	   *query;
	SPIPlanPtr	plan;
	HeapTuple	tuple;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the source of an import must be named")));
	if (get_call_result_type(fcinfo, NULL, &result_desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "import_relation must have output arguments");

	SPI_connect_ext(is_atomic ? 0 : SPI_OPT_NONATOMIC);
	/* A context of SPI would not outlast a commit */
	MemoryContextSwitchTo(PortalContext ? PortalContext : TopTransactionContext);
	import = palloc0(sizeof(Import));
	import->batch_context = AllocSetContextCreate(CurrentMemoryContext, "lead_mgmt import batch", ALLOCSET_DEFAULT_SIZES);
	import->ws = WorkspaceOfNamespace(get_rel_namespace(PG_GETARG_OID(0)));
	import->source = PG_GETARG_OID(1);
	import->form = PG_ARGISNULL(2) ? "default" : text_to_cstring(PG_GETARG_TEXT_PP(2));
	import->commits = !is_atomic && !dry_run && !all_or_nothing;
	import->batch_rows = PG_ARGISNULL(8) ? 0 : PG_GETARG_INT32(8);
	if (import->batch_rows < 1 || import->batch_rows > IMPORT_MAX_BATCH_ROWS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("batches of %d rows are out of the range 1 to %d", import->batch_rows, IMPORT_MAX_BATCH_ROWS)));
	ColumnsDeclare(&import->columns, TextArgument(fcinfo, 4), TextArgument(fcinfo, 5));
	PinPath(import);

	query = ColumnsOpen(&import->columns, import->source);
	arguments[0] = CStringGetTextDatum(import->form);
	arguments[1] = CStringGetTextDatum(quote_qualified_identifier(get_namespace_name(get_rel_namespace(import->source)),
																  get_rel_name(import->source)));
	arguments[2] = ColumnsMap(&import->columns, import->ws, import->source, import->form,
							  PG_ARGISNULL(3) ? NULL : PG_GETARG_JSONB_P(3));
	WorkspaceExecute(import->ws, &begin_import, arguments, NULL);
	import->id = ResultInt64(0, 1, NULL);
	SPI_freetuptable(SPI_tuptable);

	UnpinPath(import);
	plan = SPI_prepare_cursor(query, 0, NULL, CURSOR_OPT_NO_SCROLL | (import->commits ? CURSOR_OPT_HOLD : 0));
	if (plan == NULL)
		elog(ERROR, "could not prepare a statement: %s", SPI_result_code_string(SPI_result));
	import->portal = SPI_cursor_open(NULL, plan, NULL, NULL, false);
	PinPath(import);
	if (dry_run || all_or_nothing)
		RunTentatively(import, dry_run, counts);
	else
	{
		if (import->commits)
			Commit(import);
		RunBatches(import);
		SPI_cursor_close(import->portal);
		ReadCounts(import, counts);
	}
	arguments[0] = Int64GetDatum(import->id);
	WorkspaceExecute(import->ws, &finish_import, arguments, NULL);
	SPI_freetuptable(SPI_tuptable);
	pgstat_progress_end_command();
	UnpinPath(import);

	values[0] = Int64GetDatum(import->id);
	for (int i = 1; i < COUNT_COLUMNS; i++)
		values[i] = Int64GetDatum(counts[i]);
	MemoryContextDelete(import->batch_context);
	MemoryContextSwitchTo(caller);
	SPI_finish();
	tuple = heap_form_tuple(result_desc, values, nulls);
	PG_RETURN_DATUM(HeapTupleGetDatum(tuple));
}
