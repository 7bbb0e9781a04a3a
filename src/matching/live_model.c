/*
 * Models as a session keeps them for live matching: read once for each
 * configuration, with the places of the indexes by which their keys are looked
 * up, which follow the definition of the table contact.
 */
#include "postgres.h"

#include "access/genam.h"
#include "catalog/pg_type.h"
#include "matching/live_model.h"
#include "matching/reader.h"
#include "predicate/attempt.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* Records after which what a session keeps of them is thrown away */
#define KEEP_RECORDS 20000

static const PlanSource read_model = {
	"SELECT @workspace@.read_match_model($1)",
	1, {ARG_TEXT}
};

/* What of a document becomes a model */
typedef struct ModelAttempt
{
	Datum		document;
	MatchModel *model;
} ModelAttempt;

/* Read a model's document */
static void
ReadDocument(void *arg)
{
	ModelAttempt *attempt = arg;

	attempt->model = ModelRead(DatumGetJsonbPCopy(attempt->document));
}

/* Read the model of a strategy; NULL when it has none, or one that is broken */
static MatchModel *
ReadModel(Workspace *ws, const MatchStrategy *strategy)
{
	ModelAttempt attempt = {0};
	Datum		name = CStringGetTextDatum(strategy->name);
	ErrorData  *error;
	bool		isnull;

	WorkspaceExecute(ws, &read_model, &name, NULL);
	attempt.document = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	if (isnull)
		return NULL;
	error = Attempt(ReadDocument, &attempt);
	if (error == NULL)
		return attempt.model;
	ereport(WARNING,
			(errcode(error->sqlerrcode),
			 errmsg("the model of match strategy \"%s\" is broken and left out: %s", strategy->name, error->message)));
	return NULL;
}

/* Choose the columns that the model reads */
static void
ChooseColumns(LiveModel *live)
{
	SourceColumns *all = SourceList(live->config, ENTITY_CONTACT);
	MatchRecords *records = RecordsCreate(live->model);

	live->columns = palloc(sizeof(SourceColumns));
	live->columns->count = 0;
	live->columns->columns = palloc(sizeof(SourceColumn) * Max(records->column_count, 1));
	for (int c = 0; c < records->column_count; c++)
	{
		int			column = SourceFind(all, records->columns[c]);

		live->column_of[c] = -1;
		if (column < 0)
			continue;			/* a custom attribute that was dropped */
		live->column_of[c] = live->columns->count;
		live->is_joined |= all->columns[column].is_joined;
		live->columns->columns[live->columns->count++] = all->columns[column];
	}
}

/* Find the column that only stands in where parts of names are blank, and is not what it counts as */
static void
FindWholeColumn(LiveModel *live)
{
	live->whole_column = -1;
	for (int f = 0; f < live->model->field_count; f++)
	{
		const char *name = live->model->fields[f].full_name;
		int			column = name ? SourceFind(live->columns, name) : -1;

		if (column >= 0 && SourceIsMarked(live->config->matching, &live->columns->columns[column]))
			live->whole_column = column;
	}
	for (int f = 0; f < live->model->field_count && live->whole_column >= 0; f++)
	{
		const ModelField *field = &live->model->fields[f];
		const char *name = live->columns->columns[live->whole_column].name;

		if ((field->column && strcmp(field->column, name) == 0) ||
			(field->full_name && field->column == NULL))
			live->whole_column = -1;
	}
}

/* Prepare a statement and keep its plan */
static SPIPlanPtr
Prepare(const char *sql, int nargs, Oid *types)
{
	SPIPlanPtr	plan = SPI_prepare_cursor(sql, nargs, types, CURSOR_OPT_GENERIC_PLAN);

	if (plan == NULL)
		elog(ERROR, "could not prepare a statement: %s", SPI_result_code_string(SPI_result));
	SPI_keepplan(plan);
	return plan;
}

/* Get the statement that brings ids by a range of codes of each place, NULL for none */
SPIPlanPtr
LiveModelLookUp(LiveModel *live)
{
	StringInfoData sql;
	Oid			types[LIVE_MAX_PROBES * 2];

	if (live->look_up)
		return live->look_up;
	initStringInfo(&sql);
	for (int p = 0; p < live->place_count; p++)
	{
		appendStringInfo(&sql, "%s(SELECT %d, c.contact_id FROM %s.contact c WHERE %s BETWEEN $%d AND $%d LIMIT %d)",
						 p ? " UNION ALL " : "", p, live->ws->quoted_name, live->indexes[live->places[p].index].expression,
						 2 * p + 1, 2 * p + 2, CANDIDATE_LIMIT + 1);
		types[2 * p] = types[2 * p + 1] = INT8OID;
	}
	live->look_up = Prepare(sql.data, live->place_count * 2, types);
	return live->look_up;
}

/* Get the statement that brings records by ids */
SPIPlanPtr
LiveModelFetch(LiveModel *live)
{
	Oid			ids = INT8ARRAYOID;

	if (live->fetch == NULL)
		live->fetch = Prepare(SourceQuery(live->ws, live->config, live->columns, ENTITY_CONTACT, NULL, "c.contact_id = ANY ($1)"),
							  1, &ids);
	return live->fetch;
}

/* Give the kept plans back */
static void
FreePlans(void *arg)
{
	LiveModel  *live = arg;

	if (live->look_up)
		SPI_freeplan(live->look_up);
	if (live->fetch)
		SPI_freeplan(live->fetch);
}

/* Find the columns that are read in the table's rows */
static void
FindNumbers(LiveModel *live, Oid relid)
{
	live->id_number = live->last_number = get_attnum(relid, "contact_id");
	live->account_number = get_attnum(relid, "account_id");
	if (live->is_joined)
		live->last_number = Max(live->last_number, live->account_number);
	for (int c = 0; c < live->columns->count; c++)
	{
		const SourceColumn *column = &live->columns->columns[c];

		live->numbers[c] = column->is_joined ? InvalidAttrNumber :
			get_attnum(relid, column->attribute ? MATCH_ATTRIBUTES : column->name);
		live->last_number = Max(live->last_number, live->numbers[c]);
	}
}

/* Do records that agree in one part agree in another, too? */
static bool
PartImplies(const SourceIndex *a, const CodePart *part, const SourceIndex *b, const CodePart *other)
{
	return part->kind == other->kind && part->part == other->part && part->has_full_name == other->has_full_name &&
		a->columns[part->column] == b->columns[other->column] &&
		(!part->has_full_name || a->columns[part->column + 1] == b->columns[other->column + 1]) &&
		part->transform == other->transform && part->length == other->length;
}

/* Do records that share a key of one index share that of another, too? */
static bool
IndexImplies(const SourceIndex *a, const SourceIndex *b)
{
	for (int p = 0; p < b->spec.key_parts; p++)
	{
		bool		is_implied = false;

		for (int q = 0; q < a->spec.key_parts && !is_implied; q++)
			is_implied = PartImplies(a, &a->spec.parts[q], b, &b->spec.parts[p]);
		if (!is_implied)
			return false;
	}
	return true;
}

/* List where codes are looked up: in the indexes that are there, those of fewer parts first */
static void
FindPlaces(LiveModel *live)
{
	live->place_count = 0;
	for (int parts = 1; parts <= MODEL_MAX_PARTS; parts++)
		for (int i = 0; i < live->index_count; i++)
			for (int j = 0; j < live->index_count; j++)
				if (live->indexes[i].key == live->indexes[j].key && OidIsValid(live->index_ids[i]) &&
					live->indexes[i].spec.key_parts == parts)
					live->places[live->place_count++] = (LivePlace) {i, j};
	for (int p = 0; p < live->place_count; p++)
	{
		const SourceIndex *index = &live->indexes[live->places[p].index];

		live->wider[p] = 0;
		for (int q = 0; q < p; q++)
			if (live->places[p].index == live->places[p].of && live->places[q].index == live->places[q].of &&
				IndexImplies(index, &live->indexes[live->places[q].index]))
				live->wider[p] |= UINT64CONST(1) << q;
	}
}

/* Find the indexes that are there; says so once when some are not */
static void
FindIndexes(LiveModel *live)
{
	int			missing = 0;

	live->can_scan = true;
	for (int i = 0; i < live->index_count; i++)
	{
		Oid			relid = get_relname_relid(live->indexes[i].name, live->ws->namespace_id);
		Relation	index = OidIsValid(relid) ? index_open(relid, AccessShareLock) : NULL;

		live->index_ids[i] = index && index->rd_index->indisvalid ? relid : InvalidOid;
		if (OidIsValid(live->index_ids[i]))
			live->can_scan &= ReaderIsUsable(index);
		else
			missing++;
		if (index)
			index_close(index, NoLock);
	}
	FindPlaces(live);
	if (missing > live->missing)
		ereport(WARNING,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("%d of the indexes of match strategy \"%s\" are missing", missing, live->strategy->name),
				 errhint("Make them with index_match_keys().")));
	live->missing = missing;
}

/*
 * Follow the definition of the table contact: indexes come and go.  Who reads
 * them directly locks the table first, so that none goes meanwhile.
 */
void
LiveModelFollow(LiveModel *live)
{
	uint64		definition;

	if (live->model == NULL ||
		(live->is_read && live->definition == live->ws->contact_definition && live->can_scan))
		return;
	LockRelationOid(WorkspaceRelation(live->ws, "contact"), AccessShareLock);
	definition = live->ws->contact_definition;
	if (live->look_up)
		SPI_freeplan(live->look_up);
	live->look_up = NULL;
	FindNumbers(live, WorkspaceRelation(live->ws, "contact"));
	FindIndexes(live);
	live->is_read = true;
	live->definition = definition;
}

/* Get the model of a strategy, reading it when it is first asked for */
LiveModel *
LiveModelGet(Workspace *ws, WorkspaceConfig *config, const MatchStrategy *strategy)
{
	MatchConfig *matching = MatchGetConfig(ws, config);
	LiveModel  *live;
	MemoryContext old;
	MemoryContextCallback *callback;
	WorkspaceRights rights;

	for (live = matching->live; live; live = live->next)
		if (live->strategy == strategy)
		{
			LiveModelFollow(live);
			return live;
		}
	WorkspaceEnter(ws, &rights);
	SPI_connect();
	old = MemoryContextSwitchTo(config->context);
	live = palloc0(sizeof(LiveModel));
	live->ws = ws;
	live->config = config;
	live->strategy = strategy;
	live->model = ReadModel(ws, strategy);
	if (live->model)
	{
		ChooseColumns(live);
		FindWholeColumn(live);
		initStringInfo(&live->batch.bytes);
		live->index_count = SourceIndexes(live->model, live->columns, live->indexes);
		callback = palloc0(sizeof(MemoryContextCallback));
		callback->func = FreePlans;
		callback->arg = live;
		MemoryContextRegisterResetCallback(config->context, callback);
	}
	live->next = matching->live;
	matching->live = live;
	MemoryContextSwitchTo(old);
	SPI_finish();
	WorkspaceLeave(&rights);
	LiveModelFollow(live);
	return live;
}

/* Enter values that are known to be frequent */
static void
EnterFrequent(MatchDictionary *dictionary, FieldKind kind, int count, char *const *values)
{
	ValueSpelling normals[DICTIONARY_BATCH];
	uint32		ids[DICTIONARY_BATCH];

	for (int from = 0; from < count; from += DICTIONARY_BATCH)
	{
		int			n = Min(DICTIONARY_BATCH, count - from);

		for (int i = 0; i < n; i++)
			normals[i] = (ValueSpelling) {values[from + i], strlen(values[from + i])};
		DictionaryEnterNormals(dictionary, kind, normals, n, ids);
	}
}

/* Make ready for a record: start anew, with no records but the values that are known to be frequent, once there are many */
void
LiveModelReset(LiveModel *live)
{
	MemoryContext old;
	const MatchModel *model = live->model;

	live->batch.count = 0;
	if (live->records && live->records->count < KEEP_RECORDS)
		return;
	if (live->records_context)
		MemoryContextReset(live->records_context);
	else
		live->records_context = AllocSetContextCreate(live->config->context, "lead_mgmt live records", ALLOCSET_DEFAULT_SIZES);
	live->records = NULL;
	old = MemoryContextSwitchTo(live->records_context);
	live->records = RecordsCreate(model);
	for (int f = 0; f < model->field_count; f++)
	{
		const ModelField *field = &model->fields[f];
		MatchDictionary *dictionary = &live->records->dictionaries[field->dictionary];

		EnterFrequent(dictionary, field->kind, field->frequency_count, field->frequent);
		if (dictionary->words)
		{
			EnterFrequent(dictionary->words, KIND_CATEGORY, field->word_count, field->words);
			EnterFrequent(dictionary->words, KIND_CATEGORY, field->unit_count, field->units);
		}
	}
	RecordsSetRarity(live->records);
	live->scorer = ScorerCreate(live->records);
	MemoryContextSwitchTo(old);
}

/* Is a part of a name blank in a record? */
static bool
LacksName(const LiveModel *live, uint32 number)
{
	const MatchModel *model = live->model;
	const uint32 *ids = RecordIds(live->records, number);

	for (int f = 0; f < model->field_count; f++)
		if (model->fields[f].full_name && ids[f] == VALUE_BLANK)
			return true;
	return false;
}

/* Put a text into the batch */
static ChunkText
BatchText(LiveBatch *batch, const char *text, int len)
{
	ChunkText	entry = {batch->bytes.len, text ? len : -1};

	if (text)
		appendBinaryStringInfo(&batch->bytes, text, len);
	return entry;
}

/* Put a record into the batch, which must not be full */
void
LiveModelPut(LiveModel *live, int64 id, const LiveValues *values)
{
	LiveBatch  *batch = &live->batch;

	if (batch->count == 0)
		resetStringInfo(&batch->bytes);
	batch->ids[batch->count] = id;
	batch->late[batch->count].len = -1;
	for (int c = 0; c < live->records->column_count; c++)
	{
		int			column = live->column_of[c];
		ChunkText	text = column < 0 ? BatchText(batch, NULL, 0) :
			BatchText(batch, values->texts[column], values->lengths[column]);

		if (column >= 0 && column == values->late)
		{
			batch->late[batch->count] = text;
			text.len = -1;
		}
		batch->texts[c * LIVE_BATCH + batch->count] = text;
	}
	batch->count++;
}

/* Add a record of the batch again, with what its whole name counts as */
static uint32
AddWhole(LiveModel *live, int i)
{
	const LiveBatch *batch = &live->batch;
	const char *values[MODEL_MAX_FIELDS * 2];
	int			lengths[MODEL_MAX_FIELDS * 2];

	for (int c = 0; c < live->records->column_count; c++)
	{
		const ChunkText *text = &batch->texts[c * LIVE_BATCH + i];

		values[c] = text->len < 0 ? NULL : batch->bytes.data + text->offset;
		lengths[c] = text->len;
		if (live->column_of[c] == live->whole_column)
		{
			values[c] = SourceValue(live->config->matching, &live->columns->columns[live->whole_column],
									pnstrdup(batch->bytes.data + batch->late[i].offset, batch->late[i].len));
			lengths[c] = values[c] ? strlen(values[c]) : 0;
		}
	}
	return RecordsAdd(live->records, values, lengths);
}

/*
 * Add the records of the batch to those that are kept.  A whole name is looked
 * at only where parts are blank, so that it mostly need not be known what it
 * counts as.
 */
const LiveBatch *
LiveModelEnter(LiveModel *live)
{
	LiveBatch  *batch = &live->batch;
	MatchRecords *records = live->records;
	MemoryContext old = MemoryContextSwitchTo(live->records_context);
	uint32		first = records->count;

	RecordsFill(records, batch->bytes.data, batch->texts, LIVE_BATCH, batch->count);
	for (int i = 0; i < batch->count; i++)
	{
		batch->numbers[i] = first + i;
		if (batch->late[i].len >= 0 && LacksName(live, first + i))
			batch->numbers[i] = AddWhole(live, i);
	}
	RecordsExtendRarity(records);
	MemoryContextSwitchTo(old);
	return batch;
}

/* Add a record to those that are kept; returns its number */
uint32
LiveModelAdd(LiveModel *live, const LiveValues *values)
{
	LiveModelPut(live, 0, values);
	(void) LiveModelEnter(live);
	live->batch.count = 0;
	return live->batch.numbers[0];
}
