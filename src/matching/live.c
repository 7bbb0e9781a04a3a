/*
 * Live matching: one record against all contacts, through indexes.
 *
 * The record's codes under the model's blocking keys are looked up in indexes
 * of match_code(), and whom they bring is compared by the scorer that batch
 * matching uses, so that a pair has the same probability to the last bit.
 * Where more than CANDIDATE_LIMIT contacts share a code, only those are looked
 * at that share a refinement too, then two: a value that says little costs no
 * more than one that says much.
 */
#include "postgres.h"

#include <math.h>

#include "access/xact.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "matching/explain.h"
#include "matching/json.h"
#include "funcapi.h"
#include "matching/live.h"
#include "matching/pairs.h"
#include "matching/sources.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/syscache.h"

/* Candidates of one code beyond which it is refined */
#define CANDIDATE_LIMIT 64

/* Records after which what a session keeps of them is thrown away */
#define KEEP_RECORDS 50000

/* Codes that are looked up for a record */
#define LIVE_MAX_PROBES (SOURCE_MAX_INDEXES * CODE_MAX_SPECS)

/*
 * A code of a record under one index, looked up in another of the same key: a
 * record that stands in two blocks may meet others in either.
 */
typedef struct LivePlace
{
	int			index;
	int			of;
} LivePlace;

/* A model as a session keeps it; lives and dies with the configuration */
typedef struct LiveModel
{
	struct LiveModel *next;
	const MatchStrategy *strategy;
	MemoryContext context;
	MatchModel *model;			/* NULL when there is none that works */
	SourceColumns *columns;		/* that the model reads */
	int			column_of[MODEL_MAX_FIELDS * 2];	/* by column of the records */
	int			index_count;
	SourceIndex indexes[SOURCE_MAX_INDEXES];
	int			probe_count;
	LivePlace	places[LIVE_MAX_PROBES];
	SPIPlanPtr	look_up;		/* ids by ranges of codes */
	SPIPlanPtr	fetch;			/* records by ids */
	MemoryContext records_context;
	MatchRecords *records;
	PairScorer *scorer;
} LiveModel;

/* A record on its way through the indexes */
typedef struct LiveProbe
{
	const char *values[MODEL_MAX_FIELDS * 2];	/* by column of the source */
	int			lengths[MODEL_MAX_FIELDS * 2];
	int64		codes[LIVE_MAX_PROBES];
	bool		is_wanted[LIVE_MAX_PROBES];
	int			refinements[LIVE_MAX_PROBES];
	int			count;			/* of ids */
	int			capacity;
	int64	   *ids;
} LiveProbe;

static const PlanSource read_model = {
	"SELECT @workspace@.read_match_model($1)",
	1, {ARG_TEXT}
};

/* Is there a valid index of this name on contact? */
static bool
HasIndex(Workspace *ws, const char *name)
{
	Oid			relid = get_relname_relid(name, ws->namespace_id);
	HeapTuple	tuple = OidIsValid(relid) ? SearchSysCache1(INDEXRELID, ObjectIdGetDatum(relid)) : NULL;
	bool		is_valid = HeapTupleIsValid(tuple) && ((Form_pg_index) GETSTRUCT(tuple))->indisvalid;

	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	return is_valid;
}

/* Read the model of a strategy; NULL when it has none, or one that is broken */
static MatchModel *
ReadModel(Workspace *ws, const MatchStrategy *strategy)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	Datum		name = CStringGetTextDatum(strategy->name);
	MatchModel *volatile model = NULL;
	bool		isnull;
	Datum		document;

	WorkspaceExecute(ws, &read_model, &name, NULL);
	document = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	if (isnull)
		return NULL;
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		model = ModelRead(DatumGetJsonbPCopy(document));
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		model = NULL;
		ereport(WARNING,
				(errcode(error->sqlerrcode),
				 errmsg("the model of match strategy \"%s\" is broken and left out: %s", strategy->name, error->message)));
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return model;
}

/* Choose the columns that the model reads */
static void
ChooseColumns(LiveModel *live, WorkspaceConfig *config)
{
	SourceColumns *all = SourceList(config, ENTITY_CONTACT);
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
		live->columns->columns[live->columns->count++] = all->columns[column];
	}
}

/* Keep the indexes that exist; returns how many do not */
static int
KeepIndexes(Workspace *ws, LiveModel *live)
{
	int			count = 0;
	int			all = SourceIndexes(live->model, live->columns, live->indexes);

	for (int i = 0; i < all; i++)
		if (HasIndex(ws, live->indexes[i].name))
			live->indexes[count++] = live->indexes[i];
	live->index_count = count;
	return all - count;
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

/* Prepare the statements: ids by a range of codes of each place, NULL for none, and records by ids */
static void
PreparePlans(Workspace *ws, WorkspaceConfig *config, LiveModel *live)
{
	StringInfoData sql;
	Oid			types[LIVE_MAX_PROBES * 2];
	Oid			ids = INT8ARRAYOID;

	initStringInfo(&sql);
	for (int i = 0; i < live->index_count; i++)
		for (int j = 0; j < live->index_count; j++)
			if (live->indexes[i].key == live->indexes[j].key)
				live->places[live->probe_count++] = (LivePlace) {i, j};
	for (int p = 0; p < live->probe_count; p++)
	{
		appendStringInfo(&sql, "%s(SELECT %d, c.contact_id FROM %s.contact c WHERE %s BETWEEN $%d AND $%d LIMIT %d)",
						 p ? " UNION ALL " : "", p, ws->quoted_name, live->indexes[live->places[p].index].expression,
						 2 * p + 1, 2 * p + 2, CANDIDATE_LIMIT + 1);
		types[2 * p] = types[2 * p + 1] = INT8OID;
	}
	live->look_up = Prepare(sql.data, live->probe_count * 2, types);
	live->fetch = Prepare(SourceQuery(ws, config, live->columns, ENTITY_CONTACT, NULL, "c.contact_id = ANY ($1)"), 1, &ids);
}

/* Get the model of a strategy, reading it when it is first asked for */
static LiveModel *
GetLiveModel(Workspace *ws, WorkspaceConfig *config, const MatchStrategy *strategy)
{
	MatchConfig *matching = MatchGetConfig(ws, config);
	LiveModel  *live;
	MemoryContext old;
	int			missing;
	WorkspaceRights rights;

	for (live = matching->live; live; live = live->next)
		if (live->strategy == strategy)
			return live;
	WorkspaceEnter(ws, &rights);
	SPI_connect();
	old = MemoryContextSwitchTo(config->context);
	live = palloc0(sizeof(LiveModel));
	live->strategy = strategy;
	live->context = config->context;
	live->model = ReadModel(ws, strategy);
	if (live->model)
	{
		ChooseColumns(live, config);
		missing = KeepIndexes(ws, live);
		if (missing > 0)
			ereport(WARNING,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("%d of the indexes of match strategy \"%s\" are missing", missing, strategy->name),
					 errhint("Make them with index_match_keys().")));
		if (live->index_count == 0)
			live->model = NULL;
		else
			PreparePlans(ws, config, live);
	}
	live->next = matching->live;
	matching->live = live;
	MemoryContextSwitchTo(old);
	SPI_finish();
	WorkspaceLeave(&rights);
	return live;
}

/* Does the strategy have a model that can be asked? */
bool
MatchLiveReady(Workspace *ws, WorkspaceConfig *config, const MatchStrategy *strategy)
{
	return GetLiveModel(ws, config, strategy)->model != NULL;
}

/* Get what a side has in a column of the records */
static const char *
SideValue(const SourceColumn *column, const MatchSide *side)
{
	if (column->is_joined)
		return side->company;
	if (column->attribute)
		return side->attributes ? JsonAnyText(&side->attributes->root, column->attribute) : NULL;
	return side->values[column->field->column];
}

/* Start anew with no records but the values that are known to be frequent */
static void
ResetRecords(LiveModel *live)
{
	MemoryContext old;
	const MatchModel *model = live->model;

	if (live->records && live->records->count < KEEP_RECORDS)
		return;
	if (live->records_context)
		MemoryContextReset(live->records_context);
	else
		live->records_context = AllocSetContextCreate(live->context, "lead_mgmt live records", ALLOCSET_DEFAULT_SIZES);
	live->records = NULL;
	old = MemoryContextSwitchTo(live->records_context);
	live->records = RecordsCreate(model);
	for (int f = 0; f < model->field_count; f++)
	{
		const ModelField *field = &model->fields[f];
		MatchDictionary *dictionary = &live->records->dictionaries[field->dictionary];

		for (int v = 0; v < field->frequency_count; v++)
			DictionaryEnterNormal(dictionary, field->kind, field->frequent[v], strlen(field->frequent[v]));
		for (int w = 0; dictionary->words && w < field->word_count; w++)
			DictionaryEnterNormal(dictionary->words, KIND_CATEGORY, field->words[w], strlen(field->words[w]));
	}
	RecordsSetRarity(live->records);
	live->scorer = ScorerCreate(live->records);
	MemoryContextSwitchTo(old);
}

/* Add a record to those that are kept; values are by column of the source */
static uint32
AddRecord(LiveModel *live, const char *const *values, const int *lengths)
{
	MatchRecords *records = live->records;
	MemoryContext old = MemoryContextSwitchTo(live->records_context);
	const char *ordered[MODEL_MAX_FIELDS * 2];
	int			ordered_lengths[MODEL_MAX_FIELDS * 2];
	uint32		record;

	for (int c = 0; c < records->column_count; c++)
	{
		int			column = live->column_of[c];

		ordered[c] = column < 0 ? NULL : values[column];
		ordered_lengths[c] = column < 0 ? 0 : lengths[column];
	}
	record = RecordsAdd(records, ordered, ordered_lengths);
	MemoryContextSwitchTo(old);
	return record;
}

/* Work out the codes of a record under the keys */
static void
CodeProbe(const LiveModel *live, LiveProbe *probe)
{
	int64		own[SOURCE_MAX_INDEXES];
	bool		has_own[SOURCE_MAX_INDEXES];

	for (int i = 0; i < live->index_count; i++)
	{
		const SourceIndex *index = &live->indexes[i];
		const char *values[CODE_MAX_COLUMNS];
		int			lengths[CODE_MAX_COLUMNS];

		for (int c = 0; c < index->spec.column_count; c++)
		{
			values[c] = probe->values[index->columns[c]];
			lengths[c] = probe->lengths[index->columns[c]];
		}
		has_own[i] = CodeOf(&index->spec, values, lengths, &own[i]);
	}

	for (int p = 0; p < live->probe_count; p++)
	{
		const LivePlace *place = &live->places[p];

		/* Both its blocks may be one */
		probe->is_wanted[p] = has_own[place->of] &&
			(place->index == place->of || !has_own[place->index] ||
			 CodeRangeStart(own[place->index], 0) != CodeRangeStart(own[place->of], 0));
		probe->codes[p] = own[place->of];
		probe->refinements[p] = 0;
	}
	probe->count = probe->capacity = 0;
}

/* Read what a side has, and its codes under the keys */
static void
MakeProbe(const LiveModel *live, MatchConfig *matching, const MatchSide *side, LiveProbe *probe)
{
	for (int c = 0; c < live->columns->count; c++)
	{
		const SourceColumn *column = &live->columns->columns[c];

		probe->values[c] = SourceValue(matching, column, (char *) SideValue(column, side));
		probe->lengths[c] = probe->values[c] ? strlen(probe->values[c]) : 0;
	}
	CodeProbe(live, probe);
}

/* Hash the keys of a record */
int
MatchLiveKeys(Workspace *ws, WorkspaceConfig *config, const MatchStrategy *strategy, const MatchSide *record, uint32 *keys)
{
	LiveModel  *live = GetLiveModel(ws, config, strategy);
	LiveProbe	probe;
	int			count = 0;

	MakeProbe(live, config->matching, record, &probe);
	for (int p = 0; p < live->probe_count && count < LIVE_MAX_KEYS; p++)
	{
		uint32		code = JoinCodes((uint32) (probe.codes[p] >> 32), live->indexes[live->places[p].index].key + 1);
		bool		is_known = !probe.is_wanted[p];

		for (int k = 0; k < count; k++)
			is_known |= keys[k] == code;
		if (!is_known)
			keys[count++] = code;
	}
	return count;
}

/* Run a kept statement; what it returns is left in SPI_tuptable */
static void
Run(SPIPlanPtr plan, Datum *values, const char *nulls)
{
	MemoryContext context = CurrentMemoryContext;
	int			result = SPI_execute_plan(plan, values, nulls, false, 0);

	MemoryContextSwitchTo(context);
	if (result < 0)
		elog(ERROR, "could not execute a statement: %s", SPI_result_code_string(result));
}

/* Note who has a code, unless they were met under another */
static void
AddId(LiveProbe *probe, int64 id)
{
	for (int i = 0; i < probe->count; i++)
		if (probe->ids[i] == id)
			return;
	if (probe->count == probe->capacity)
	{
		probe->capacity = Max(probe->capacity * 2, 64);
		probe->ids = probe->count > 0 ? repalloc(probe->ids, sizeof(int64) * probe->capacity) :
			palloc(sizeof(int64) * probe->capacity);
	}
	probe->ids[probe->count++] = id;
}

/* Look up the codes that are wanted; those that too many have stay wanted, refined */
static bool
LookUpCodes(LiveModel *live, LiveProbe *probe)
{
	Datum		values[LIVE_MAX_PROBES * 2];
	char		nulls[LIVE_MAX_PROBES * 2];
	bool		is_any = false;
	uint64		rows;

	for (int p = 0; p < live->probe_count; p++)
	{
		is_any |= probe->is_wanted[p];
		nulls[2 * p] = nulls[2 * p + 1] = probe->is_wanted[p] ? ' ' : 'n';
		values[2 * p] = Int64GetDatum(CodeRangeStart(probe->codes[p], probe->refinements[p]));
		values[2 * p + 1] = Int64GetDatum(CodeRangeEnd(probe->codes[p], probe->refinements[p]));
		probe->is_wanted[p] = false;
	}
	if (!is_any)
		return false;
	Run(live->look_up, values, nulls);
	rows = SPI_processed;
	for (uint64 from = 0, to; from < rows; from = to)
	{
		int			p = ResultInt(from, 1);
		const CodeSpec *spec = &live->indexes[live->places[p].index].spec;

		for (to = from; to < rows && ResultInt(to, 1) == p;)
			to++;
		if (to - from > CANDIDATE_LIMIT && probe->refinements[p] < spec->part_count - spec->key_parts)
		{
			probe->refinements[p]++;
			probe->is_wanted[p] = true;
			continue;
		}
		for (uint64 row = from; row < to; row++)
			AddId(probe, ResultInt64(row, 2, NULL));
	}
	SPI_freetuptable(SPI_tuptable);
	return true;
}

/*
 * Compare a record with a candidate in a row of a result; returns whether the
 * weight is at least what it was, and sets it.  The candidate's number is
 * wanted by who explains it.
 */
static bool
WeighCandidate(LiveModel *live, uint32 record, uint64 row, double *weight, uint32 *number)
{
	const char *values[MODEL_MAX_FIELDS * 2];
	int			lengths[MODEL_MAX_FIELDS * 2];
	HeapTuple	tuple = SPI_tuptable->vals[row];
	uint32		candidate;
	PairPattern pattern;

	for (int c = 0; c < live->columns->count; c++)
	{
		bool		isnull;
		Datum		value = SPI_getbinval(tuple, SPI_tuptable->tupdesc, c + 2, &isnull);
		text	   *content = isnull ? NULL : DatumGetTextPP(value);

		values[c] = content ? VARDATA_ANY(content) : NULL;
		lengths[c] = content ? VARSIZE_ANY_EXHDR(content) : 0;
	}
	candidate = AddRecord(live, values, lengths);
	if (number)
		*number = candidate;
	RecordsExtendRarity(live->records);
	return PairWeight(live->scorer, RecordIds(live->records, record), RecordIds(live->records, candidate), *weight,
					  &pattern, weight);
}

/* Write down what a weight is made of */
static char *
Explain(LiveModel *live, uint32 record, uint32 candidate)
{
	ExplainedPart parts[EXPLAIN_MAX_PARTS];
	PairPattern pattern;
	StringInfoData out;
	int			count;

	PairLevels(live->scorer, RecordIds(live->records, record), RecordIds(live->records, candidate), &pattern);
	count = ExplainParts(live->scorer, record, candidate, &pattern, parts);
	initStringInfo(&out);
	appendStringInfoString(&out, "{\"parts\": [");
	for (int p = 0; p < count; p++)
	{
		appendStringInfoString(&out, p ? ", {" : "{");
		AppendJsonText(&out, "part", parts[p].part);
		if (parts[p].level)
			AppendJsonText(&out, "level", parts[p].level);
		if (parts[p].left)
			AppendJsonText(&out, "given", parts[p].left);
		if (parts[p].right)
			AppendJsonText(&out, "stored", parts[p].right);
		AppendJsonNumber(&out, "weight", parts[p].weight);
		appendStringInfoChar(&out, '}');
	}
	appendStringInfoString(&out, "]}");
	return out.data;
}

/* Find the best candidate for one record */
static void
FindBest(LiveModel *live, MatchConfig *matching, const MatchSide *side, LiveAnswer *answer)
{
	const MatchStrategy *strategy = live->strategy;
	double		least = strategy->review_probability > 0 ? strategy->review_probability : strategy->match_probability;
	double		best_weight = log2(least) - log2(1 - Min(least, 1 - 1e-12));
	Datum	   *ids;
	Datum		wanted;
	uint32		best = 0;
	uint32		record;
	LiveProbe	probe;
	uint64		rows;

	ResetRecords(live);
	MakeProbe(live, matching, side, &probe);
	while (LookUpCodes(live, &probe))
		CHECK_FOR_INTERRUPTS();
	if (probe.count == 0)
		return;
	record = AddRecord(live, probe.values, probe.lengths);
	ids = palloc(sizeof(Datum) * probe.count);
	for (int i = 0; i < probe.count; i++)
		ids[i] = Int64GetDatum(probe.ids[i]);
	wanted = PointerGetDatum(construct_array(ids, probe.count, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	Run(live->fetch, &wanted, NULL);
	rows = SPI_processed;
	for (uint64 row = 0; row < rows; row++)
	{
		int64		id = ResultInt64(row, 1, NULL);
		double		weight = best_weight;
		uint32		candidate;

		/* Of equals the first one is taken */
		if (!WeighCandidate(live, record, row, &weight, &candidate) ||
			(answer->id != 0 && weight == best_weight && answer->id < id))
			continue;
		answer->id = id;
		best = candidate;
		best_weight = weight;
	}
	SPI_freetuptable(SPI_tuptable);
	if (answer->id == 0)
		return;
	answer->probability = WeightProbability(best_weight);
	answer->outcome = answer->probability >= strategy->match_probability ? LIVE_MATCH : LIVE_POSSIBLE;
	answer->explanation = Explain(live, record, best);
}

/* Find the best candidate for each record */
void
MatchLive(Workspace *ws, WorkspaceConfig *config, const MatchStrategy *strategy, const MatchSide *records,
		  LiveAnswer *answers, int n)
{
	LiveModel  *live = GetLiveModel(ws, config, strategy);

	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		FindBest(live, config->matching, &records[i], &answers[i]);
	}
}

/* Copy the records of a result: ids, and values by column of the source */
static int
CopyRecords(const LiveModel *live, int64 **ids, char ***values)
{
	int			n = SPI_processed;
	int			columns = live->columns->count;

	*ids = palloc(sizeof(int64) * Max(n, 1));
	*values = palloc(sizeof(char *) * Max(n * columns, 1));
	for (int i = 0; i < n; i++)
	{
		(*ids)[i] = ResultInt64(i, 1, NULL);
		for (int c = 0; c < columns; c++)
			(*values)[i * columns + c] = ResultText(i, c + 2);
	}
	SPI_freetuptable(SPI_tuptable);
	return n;
}

/* Return the pairs that a stored contact makes with others */
static void
ReturnStored(ReturnSetInfo *rsinfo, LiveModel *live, int64 id, char *const *own, double least)
{
	LiveProbe	probe;
	Datum	   *ids;
	Datum		wanted;
	uint32		record;
	uint64		rows;

	ResetRecords(live);
	for (int c = 0; c < live->columns->count; c++)
	{
		probe.values[c] = own[c];
		probe.lengths[c] = own[c] ? strlen(own[c]) : 0;
	}
	CodeProbe(live, &probe);
	while (LookUpCodes(live, &probe))
		CHECK_FOR_INTERRUPTS();
	if (probe.count == 0)
		return;
	record = AddRecord(live, probe.values, probe.lengths);
	ids = palloc(sizeof(Datum) * probe.count);
	for (int i = 0; i < probe.count; i++)
		ids[i] = Int64GetDatum(probe.ids[i]);
	wanted = PointerGetDatum(construct_array(ids, probe.count, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	Run(live->fetch, &wanted, NULL);
	rows = SPI_processed;
	for (uint64 row = 0; row < rows; row++)
	{
		int64		other = ResultInt64(row, 1, NULL);
		double		weight = least;

		if (other != id && WeighCandidate(live, record, row, &weight, NULL))
		{
			Datum		values[3] = {Int64GetDatum(Min(id, other)), Int64GetDatum(Max(id, other)),
			Float8GetDatum(WeightProbability(weight))};
			bool		nulls[3] = {false, false, false};

			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		}
	}
	SPI_freetuptable(SPI_tuptable);
}

PG_FUNCTION_INFO_V1(match_stored);
/* Find the pairs that some stored contacts make with any by the model of a strategy */
Datum
match_stored(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Workspace  *ws = WorkspaceOfNamespace(get_rel_namespace(PG_GETARG_OID(0)));
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	Datum		ids = PG_GETARG_DATUM(2);
	double		at_least = PairsLimit(PG_GETARG_FLOAT8(3));
	MemoryContext context;
	MemoryContext old;
	WorkspaceRights rights;
	WorkspaceConfig *config;
	MatchStrategy *strategy;
	LiveModel  *live;
	int64	   *found;
	char	  **values;
	int			n;

	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	WorkspaceEnter(ws, &rights);
	config = WorkspaceGetConfig(ws);
	strategy = MatchFindStrategy(MatchGetConfig(ws, config), name);
	WorkspaceLeave(&rights);
	live = strategy && strategy->entity == ENTITY_CONTACT ? GetLiveModel(ws, config, strategy) : NULL;
	if (live == NULL || live->model == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("match strategy \"%s\" has no model for contacts that works", name),
				 errhint("Train it with train_match_strategy().")));
	Run(live->fetch, &ids, NULL);
	n = CopyRecords(live, &found, &values);
	context = AllocSetContextCreate(CurrentMemoryContext, "lead_mgmt stored contact", ALLOCSET_DEFAULT_SIZES);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		old = MemoryContextSwitchTo(context);
		ReturnStored(rsinfo, live, found[i], values + (uint64) i * live->columns->count,
					 log2(at_least) - log2(1 - at_least));
		MemoryContextSwitchTo(old);
		MemoryContextReset(context);
	}
	SPI_finish();
	return (Datum) 0;
}
