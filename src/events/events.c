/*
 * Events: telling of moves as they are recorded, a set at a time.
 *
 * A notification is queued at once, as the server sends it after commit only.
 * What must not be missed, and calls of functions, become rows of outbox in
 * the same transaction; a deferred trigger there makes the calls, so that a
 * function sees the move completed.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/async.h"
#include "commands/trigger.h"
#include "events/events.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "predicate/attempt.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

/* Longest payload of a notification, as the server allows it, and what is kept of a channel's name */
#define MAX_PAYLOAD 7999
#define MAX_CHANNEL_STEM 56

static const PlanSource insert_outbox = {
	"INSERT INTO @workspace@.outbox (event_handler_id, event, payload, state, depth, error, done_at)"
	" SELECT n.event_handler_id, n.event, n.payload::pg_catalog.jsonb, n.state, n.depth, n.error,"
	" CASE WHEN n.state = 'failed' THEN pg_catalog.now() END"
	" FROM @rows $1: event_handler_id, event, payload, state, error, depth@ AS n",
	6, {ARG_INT8S, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_TEXTS, ARG_INT4S}
};

static const PlanSource find_handler = {
	"SELECT h.label, h.function, h.on_error FROM @workspace@.event_handler h WHERE h.event_handler_id = $1 AND h.is_active",
	1, {ARG_INT8}
};

static const PlanSource finish_call = {
	"UPDATE @workspace@.outbox o SET state = CASE WHEN $2 IS NULL THEN 'done' ELSE 'failed' END, error = $2,"
	" done_at = pg_catalog.clock_timestamp() WHERE o.outbox_id = $1",
	2, {ARG_INT8, ARG_TEXT}
};

/* How deep the function is that runs now, 0 while none does */
static int	running_depth = 0;

/* Notifications of the transaction so far, and when it began */
static int	notification_count = 0;
static TimestampTz notification_transaction = 0;

/* Get the name of the event that a move is */
static const char *
EventName(const StageMove *move)
{
	return move->lead_id != 0 ? (move->from_stage ? "lead_moved" : "lead_created") :
		(move->from_stage ? "opportunity_moved" : "opportunity_created");
}

/* Append a member to a JSON object, unless it has no value */
static void
AppendMember(StringInfo json, const char *name, const char *value)
{
	if (value == NULL)
		return;
	appendStringInfo(json, ", \"%s\": ", name);
	escape_json(json, value);
}

/* Write a move as the JSON object that handlers get */
static char *
Payload(const StageMove *move, const char *moved_by, bool with_reason)
{
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfo(&json, "{\"event\": \"%s\", \"%s\": " INT64_FORMAT, EventName(move),
					 move->lead_id != 0 ? "lead_id" : "opportunity_id",
					 move->lead_id != 0 ? move->lead_id : move->opportunity_id);
	AppendMember(&json, "pipeline", move->pipeline);
	AppendMember(&json, "from_stage", move->from_stage);
	AppendMember(&json, "to_stage", move->to_stage);
	AppendMember(&json, "rule", move->rule);
	if (with_reason)
		AppendMember(&json, "reason", move->reason);
	appendStringInfoString(&json, ", \"moved_at\": ");
	escape_json(&json, DatumGetCString(DirectFunctionCall1(timestamptz_out, TimestampTzGetDatum(move->at))));
	AppendMember(&json, "moved_by", moved_by);
	appendStringInfoChar(&json, '}');
	return json.data;
}

/* Get the channel that a workspace notifies over */
static char *
Channel(const char *workspace)
{
	return psprintf("%.*s_events", pg_mbcliplen(workspace, strlen(workspace), MAX_CHANNEL_STEM), workspace);
}

/* Notify of a move, or, past the most that are sent one by one, that there were more */
static void
Notify(Workspace *ws, const StageMove *move, const char *moved_by)
{
	char	   *payload;

	if (notification_transaction != GetCurrentTransactionStartTimestamp())
	{
		notification_transaction = GetCurrentTransactionStartTimestamp();
		notification_count = 0;
	}
	if (++notification_count > EVENT_MAX_NOTIFICATIONS)
	{
		/* The server drops what is the same */
		Async_Notify(Channel(ws->name), psprintf("{\"event\": \"%s\", \"more\": true}", EventName(move)));
		return;
	}
	payload = Payload(move, moved_by, true);
	if (strlen(payload) > MAX_PAYLOAD)
		payload = Payload(move, moved_by, false);
	if (strlen(payload) > MAX_PAYLOAD)
		payload = psprintf("{\"event\": \"%s\", \"more\": true}", EventName(move));
	Async_Notify(Channel(ws->name), payload);
}

/* Set a text column of a row of stage_move */
static void
SetText(TupleDesc desc, Datum *values, bool *nulls, const char *column, const char *value)
{
	int			number = SPI_fnumber(desc, column);

	if (value == NULL || number <= 0)
		return;
	values[number - 1] = CStringGetTextDatum(value);
	nulls[number - 1] = false;
}

/* Make the row of stage_move that a move is, as conditions see it */
static HeapTuple
MoveRow(TupleDesc desc, const StageMove *move, const char *moved_by)
{
	Datum	   *values = palloc0(sizeof(Datum) * desc->natts);
	bool	   *nulls = palloc(sizeof(bool) * desc->natts);
	NameData   *user = palloc0(sizeof(NameData));
	int			id = SPI_fnumber(desc, move->lead_id != 0 ? "lead_id" : "opportunity_id") - 1;
	int			at = SPI_fnumber(desc, "moved_at") - 1;
	int			by = SPI_fnumber(desc, "moved_by") - 1;

	memset(nulls, true, desc->natts);
	values[id] = Int64GetDatum(move->lead_id != 0 ? move->lead_id : move->opportunity_id);
	values[at] = TimestampTzGetDatum(move->at);
	namestrcpy(user, moved_by);
	values[by] = NameGetDatum(user);
	nulls[id] = nulls[at] = nulls[by] = false;
	SetText(desc, values, nulls, "pipeline", move->pipeline);
	SetText(desc, values, nulls, "from_stage", move->from_stage);
	SetText(desc, values, nulls, "to_stage", move->to_stage);
	SetText(desc, values, nulls, "rule", move->rule);
	SetText(desc, values, nulls, "reason", move->reason);
	return heap_form_tuple(desc, values, nulls);
}

/* Add a row for outbox */
static void
AddOutbox(Batch *batch, const EventHandler *handler, const StageMove *move, const char *moved_by, const char *error)
{
	BatchSet(batch, 0, Int64GetDatum(handler->id));
	BatchSetText(batch, 1, EventName(move));
	BatchSetText(batch, 2, Payload(move, moved_by, true));
	BatchSetText(batch, 3, error ? "failed" : handler->delivery == DELIVER_CALL ? "calling" : "waiting");
	BatchSetText(batch, 4, error);
	BatchSet(batch, 5, Int32GetDatum(running_depth + 1));
	BatchNext(batch);
}

/* Find the moves that a handler is about; those whose condition fails go to outbox, or fail all */
static int
Matching(WorkspaceConfig *config, const EventHandler *handler, const StageMove *moves, int n, HeapTuple *rows,
		 const char *moved_by, Batch *outbox, const StageMove **found)
{
	const StageMove **about = palloc(sizeof(StageMove *) * n);
	HeapTuple  *about_rows = palloc(sizeof(HeapTuple) * n);
	PredicateResult *results = palloc(sizeof(PredicateResult) * n);
	char	  **messages = palloc0(sizeof(char *) * n);
	int			count = 0;
	int			found_count = 0;

	for (int i = 0; i < n; i++)
		if (strcmp(EventName(&moves[i]), handler->event) == 0)
		{
			about[count] = &moves[i];
			if (handler->condition)
			{
				if (rows[i] == NULL)
					rows[i] = MoveRow(config->stage_move, &moves[i], moved_by);
				about_rows[count] = rows[i];
			}
			count++;
		}
	if (count > 0 && handler->condition)
		PredicateEvalMany(handler->condition, about_rows, count, results, messages, CurrentMemoryContext);
	for (int i = 0; i < count; i++)
	{
		if (handler->condition && results[i] == PREDICATE_ERROR)
		{
			if (!handler->records_errors)
				ereport(ERROR,
						(errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
						 errmsg("the condition of event handler \"%s\" failed: %s", handler->label, messages[i])));
			AddOutbox(outbox, handler, about[i], moved_by, messages[i]);
		}
		else if (handler->condition == NULL || results[i] == PREDICATE_TRUE)
			found[found_count++] = about[i];
	}
	return found_count;
}

/* Tell whoever wants to know of moves that were recorded */
void
EventsRaise(Workspace *ws, const StageMove *moves, int n, const char *moved_by)
{
	WorkspaceConfig *config = WorkspaceGetConfig(ws);
	const StageMove **found;
	HeapTuple  *rows;
	Batch	   *outbox;

	if (config->handler_count == 0)
		return;
	found = palloc(sizeof(StageMove *) * n);
	rows = palloc0(sizeof(HeapTuple) * n);
	outbox = BatchCreate(insert_outbox.args, insert_outbox.nargs, n * config->handler_count);
	for (int h = 0; h < config->handler_count; h++)
	{
		EventHandler *handler = &config->handlers[h];
		int			count = Matching(config, handler, moves, n, rows, moved_by, outbox, found);

		if (count > 0 && handler->delivery == DELIVER_CALL && running_depth >= EVENT_MAX_DEPTH)
			ereport(ERROR,
					(errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
					 errmsg("event handlers cause each other more than %d deep, the last being \"%s\"", EVENT_MAX_DEPTH,
							handler->label),
					 errhint("Their functions move leads or opportunities in a circle.")));
		for (int i = 0; i < count; i++)
		{
			if (handler->delivery == DELIVER_NOTIFY)
				Notify(ws, found[i], moved_by);
			else
				AddOutbox(outbox, handler, found[i], moved_by, NULL);
		}
	}
	if (outbox->rows > 0)
		BatchExecute(ws, &insert_outbox, outbox);
}

/* A call of a function for an event */
typedef struct EventCall
{
	int64		id;				/* in outbox */
	int			depth;
	Datum		payload;
	char	   *label;
	char	   *function;
} EventCall;

/* Say which handler an error came from */
static void
AddCallContext(void *arg)
{
	EventCall  *call = arg;

	errcontext("event handler \"%s\", function %s", call->label, call->function);
}

/* Call the function */
static void
Call(void *arg)
{
	EventCall  *call = arg;
	ErrorContextCallback context = {.callback = AddCallContext,.arg = call,.previous = error_context_stack};
	int			saved_depth = running_depth;
	Oid			type = JSONBOID;
	FmgrInfo	to_regprocedure_info;
	LOCAL_FCINFO(fcinfo, 1);
	Datum		id;
	char	   *name;

	error_context_stack = &context;
	fmgr_info(F_TO_REGPROCEDURE, &to_regprocedure_info);
	InitFunctionCallInfoData(*fcinfo, &to_regprocedure_info, 1, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = CStringGetTextDatum(call->function);
	fcinfo->args[0].isnull = false;
	id = FunctionCallInvoke(fcinfo);
	if (fcinfo->isnull)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("event handler \"%s\" calls a function that is gone: %s", call->label, call->function),
				 errhint("Create it again, or deactivate or delete the row of event_handler.")));
	name = DatumGetCString(DirectFunctionCall1(regprocout, id));
	running_depth = call->depth;
	PG_TRY();
	{
		SPI_execute_with_args(psprintf("SELECT %s($1)", name), 1, &type, &call->payload, NULL, false, 0);
	}
	PG_FINALLY();
	{
		running_depth = saved_depth;
	}
	PG_END_TRY();
	error_context_stack = context.previous;
}

/* Call the function, and get the message of its error, having undone what it did */
static char *
CallSafely(EventCall *call)
{
	ErrorData  *error = Attempt(Call, call);

	if (error == NULL)
		return NULL;
	if (error->sqlerrcode == ERRCODE_QUERY_CANCELED || ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_INSUFFICIENT_RESOURCES ||
		ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_OPERATOR_INTERVENTION ||
		ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_TRANSACTION_ROLLBACK)
		ReThrowError(error);
	return error->message;
}

PG_FUNCTION_INFO_V1(call_event_handler);
/* Call the function of an event handler for a row of outbox, and note what came of it */
Datum
call_event_handler(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	TupleDesc	desc;
	HeapTuple	row;
	Workspace  *ws;
	WorkspaceRights rights;
	EventCall	call = {0};
	Datum		values[2];
	char		nulls[3] = "  ";
	bool		isnull;
	char	   *error;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigdata->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) || TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("call_event_handler must be called as an AFTER INSERT OR UPDATE row trigger")));
	desc = RelationGetDescr(trigdata->tg_relation);
	row = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ? trigdata->tg_newtuple : trigdata->tg_trigtuple;
	ws = WorkspaceOfRelation(trigdata->tg_relation);
	SPI_connect();
	WorkspaceEnter(ws, &rights);
	call.id = DatumGetInt64(heap_getattr(row, SPI_fnumber(desc, "outbox_id"), desc, &isnull));
	call.depth = DatumGetInt32(heap_getattr(row, SPI_fnumber(desc, "depth"), desc, &isnull));
	call.payload = heap_getattr(row, SPI_fnumber(desc, "payload"), desc, &isnull);
	values[0] = heap_getattr(row, SPI_fnumber(desc, "event_handler_id"), desc, &isnull);
	nulls[0] = isnull ? 'n' : ' ';
	if (WorkspaceExecute(ws, &find_handler, values, nulls) == 0)
		error = "its event handler is gone or not active";
	else
	{
		call.label = ResultText(0, 1);
		call.function = ResultText(0, 2);
		if (call.function == NULL)
			error = "its event handler calls no function";
		else if (strcmp(ResultText(0, 3), "record") == 0)
			error = CallSafely(&call);
		else
		{
			Call(&call);
			error = NULL;
		}
	}
	values[0] = Int64GetDatum(call.id);
	nulls[0] = ' ';
	if (error)
		values[1] = CStringGetTextDatum(error);
	nulls[1] = error ? ' ' : 'n';
	WorkspaceExecute(ws, &finish_call, values, nulls);
	WorkspaceLeave(&rights);
	SPI_finish();
	return PointerGetDatum(NULL);
}

PG_FUNCTION_INFO_V1(event_channel);
/* Get the channel that a workspace notifies over */
Datum
event_channel(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(Channel(text_to_cstring(PG_GETARG_TEXT_PP(0)))));
}
