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
#include "executor/spi.h"
#include "matching/explain.h"
#include "matching/json.h"
#include "matching/live.h"
#include "matching/sources.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/syscache.h"
#include "catalog/pg_index.h"

/* Candidates of one code beyond which it is refined */
#define CANDIDATE_LIMIT 32

/* Records after which what a session keeps of them is thrown away */
#define KEEP_RECORDS 50000

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
	SPIPlanPtr	plan;
	MemoryContext records_context;
	MatchRecords *records;
	PairScorer *scorer;
} LiveModel;

/* A record on its way through the indexes */
typedef struct LiveProbe
{
	const char *values[MODEL_MAX_FIELDS * 2];	/* by column of the source */
	int			lengths[MODEL_MAX_FIELDS * 2];
	int			count;			/* codes to look up */
	int			indexes[SOURCE_MAX_INDEXES * CODE_MAX_SPECS];
	int64		codes[SOURCE_MAX_INDEXES * CODE_MAX_SPECS];
	int			refinements[SOURCE_MAX_INDEXES * CODE_MAX_SPECS];
	bool		is_done[SOURCE_MAX_INDEXES * CODE_MAX_SPECS];
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

/* Prepare the statement that looks codes up: a range of each index, NULL for none */
static void
PreparePlan(Workspace *ws, WorkspaceConfig *config, LiveModel *live)
{
	StringInfoData sql;
	Oid			types[SOURCE_MAX_INDEXES * 2];

	initStringInfo(&sql);
	for (int i = 0; i < live->index_count; i++)
	{
		char	   *condition = psprintf("%s BETWEEN $%d AND $%d", live->indexes[i].expression, 2 * i + 1, 2 * i + 2);

		appendStringInfo(&sql, "%s(%s LIMIT %d)", i ? " UNION ALL " : "",
						 SourceQuery(ws, config, live->columns, ENTITY_CONTACT, psprintf("%d", i), condition),
						 CANDIDATE_LIMIT + 1);
		types[2 * i] = types[2 * i + 1] = INT8OID;
	}
	live->plan = SPI_prepare_cursor(sql.data, live->index_count * 2, types, CURSOR_OPT_GENERIC_PLAN);
	if (live->plan == NULL)
		elog(ERROR, "could not prepare a statement: %s", SPI_result_code_string(SPI_result));
	SPI_keepplan(live->plan);
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
			PreparePlan(ws, config, live);
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

/* Read what a side has, and its codes under the keys */
static void
MakeProbe(const LiveModel *live, MatchConfig *matching, const MatchSide *side, LiveProbe *probe)
{
	int64		own[SOURCE_MAX_INDEXES];
	bool		has_own[SOURCE_MAX_INDEXES];

	for (int c = 0; c < live->columns->count; c++)
	{
		const SourceColumn *column = &live->columns->columns[c];

		probe->values[c] = SourceValue(matching, column, (char *) SideValue(column, side));
		probe->lengths[c] = probe->values[c] ? strlen(probe->values[c]) : 0;
	}
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

	/* A record that stands in two blocks of a key may meet others of either index in both */
	probe->count = 0;
	for (int i = 0; i < live->index_count; i++)
		for (int j = 0; j < live->index_count; j++)
		{
			if (live->indexes[i].key != live->indexes[j].key || !has_own[j])
				continue;
			if (j != i && has_own[i] && CodeRangeStart(own[i], 0) == CodeRangeStart(own[j], 0))
				continue;
			probe->indexes[probe->count] = i;
			probe->codes[probe->count] = own[j];
			probe->refinements[probe->count] = 0;
			probe->is_done[probe->count++] = false;
		}
}

/* Hash the keys of a record */
int
MatchLiveKeys(Workspace *ws, WorkspaceConfig *config, const MatchStrategy *strategy, const MatchSide *record, uint32 *keys)
{
	LiveModel  *live = GetLiveModel(ws, config, strategy);
	LiveProbe	probe;
	int			count = 0;

	MakeProbe(live, config->matching, record, &probe);
	for (int p = 0; p < probe.count && count < LIVE_MAX_KEYS; p++)
	{
		uint32		code = JoinCodes((uint32) (probe.codes[p] >> 32), live->indexes[probe.indexes[p]].key + 1);
		bool		is_known = false;

		for (int k = 0; k < count; k++)
			is_known |= keys[k] == code;
		if (!is_known)
			keys[count++] = code;
	}
	return count;
}

/* Look the codes of a probe up that are still to be looked up, one of each index at a time */
static bool
RunProbe(LiveModel *live, LiveProbe *probe, int *of_index)
{
	Datum		values[SOURCE_MAX_INDEXES * 2];
	char		nulls[SOURCE_MAX_INDEXES * 2 + 1];
	MemoryContext context = CurrentMemoryContext;
	bool		is_any = false;
	int			result;

	memset(nulls, 'n', live->index_count * 2);
	for (int i = 0; i < live->index_count; i++)
		of_index[i] = -1;
	for (int p = 0; p < probe->count; p++)
	{
		int			i = probe->indexes[p];

		if (probe->is_done[p] || of_index[i] >= 0)
			continue;
		of_index[i] = p;
		is_any = true;
		values[2 * i] = Int64GetDatum(CodeRangeStart(probe->codes[p], probe->refinements[p]));
		values[2 * i + 1] = Int64GetDatum(CodeRangeEnd(probe->codes[p], probe->refinements[p]));
		nulls[2 * i] = nulls[2 * i + 1] = ' ';
	}
	if (!is_any)
		return false;
	result = SPI_execute_plan(live->plan, values, nulls, false, 0);
	MemoryContextSwitchTo(context);
	if (result < 0)
		elog(ERROR, "could not execute a statement: %s", SPI_result_code_string(result));
	return true;
}

/* Compare a record with a candidate in a row of a result; notes it when it is the best so far */
static void
CompareCandidate(LiveModel *live, uint32 record, uint64 row, LiveAnswer *answer, uint32 *best, double *best_weight)
{
	const char *values[MODEL_MAX_FIELDS * 2];
	int			lengths[MODEL_MAX_FIELDS * 2];
	int64		id = ResultInt64(row, 2, NULL);
	HeapTuple	tuple = SPI_tuptable->vals[row];
	uint32		candidate;
	PairPattern pattern;
	double		weight;

	for (int c = 0; c < live->columns->count; c++)
	{
		bool		isnull;
		Datum		value = SPI_getbinval(tuple, SPI_tuptable->tupdesc, c + 3, &isnull);
		text	   *content = isnull ? NULL : DatumGetTextPP(value);

		values[c] = content ? VARDATA_ANY(content) : NULL;
		lengths[c] = content ? VARSIZE_ANY_EXHDR(content) : 0;
	}
	candidate = AddRecord(live, values, lengths);
	RecordsExtendRarity(live->records);
	if (!PairWeight(live->scorer, RecordIds(live->records, record), RecordIds(live->records, candidate), *best_weight,
					&pattern, &weight) || (weight == *best_weight && answer->id != 0 && answer->id <= id))
		return;
	answer->id = id;
	*best = candidate;
	*best_weight = weight;
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
	int			of_index[SOURCE_MAX_INDEXES];
	int64	   *seen = NULL;
	int			seen_count = 0;
	int			seen_capacity = 0;
	uint32		best = 0;
	uint32		record;
	LiveProbe	probe;

	ResetRecords(live);
	MakeProbe(live, matching, side, &probe);
	record = AddRecord(live, probe.values, probe.lengths);
	while (RunProbe(live, &probe, of_index))
	{
		uint64		rows = SPI_processed;

		CHECK_FOR_INTERRUPTS();
		for (uint64 from = 0; from < rows;)
		{
			int			i = ResultInt(from, 1);
			int			p = of_index[i];
			uint64		to = from;

			while (to < rows && ResultInt(to, 1) == i)
				to++;
			if (to - from > CANDIDATE_LIMIT && probe.refinements[p] < live->indexes[i].spec.part_count - live->indexes[i].spec.key_parts)
			{
				probe.refinements[p]++;
				of_index[i] = -1;
				from = to;
				continue;
			}
			for (uint64 row = from; row < to; row++)
			{
				int64		id = ResultInt64(row, 2, NULL);
				bool		is_seen = false;

				for (int s = 0; s < seen_count && !is_seen; s++)
					is_seen = seen[s] == id;
				if (is_seen)
					continue;
				if (seen_count == seen_capacity)
				{
					seen_capacity = Max(seen_capacity * 2, 64);
					seen = seen ? repalloc(seen, sizeof(int64) * seen_capacity) : palloc(sizeof(int64) * seen_capacity);
				}
				seen[seen_count++] = id;
				CompareCandidate(live, record, row, answer, &best, &best_weight);
			}
			from = to;
		}
		for (int i = 0; i < live->index_count; i++)
			if (of_index[i] >= 0)
				probe.is_done[of_index[i]] = true;
		SPI_freetuptable(SPI_tuptable);
	}
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
