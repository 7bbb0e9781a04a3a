/*
 * Live matching: one record against all contacts, through indexes.
 *
 * The record's codes under the model's blocking keys are looked up in indexes
 * of match_code(), and whom they bring is compared by the scorer that batch
 * matching uses, so that a pair has the same probability to the last bit.
 * Where more than CANDIDATE_LIMIT contacts share a code, only those are looked
 * at that share a refinement too, then two: a value that says little costs no
 * more than one that says much.
 *
 * Indexes and rows are read directly.  Where the caller may not see all rows,
 * those that were found are read by a statement, which applies the caller's
 * rights; and where the table does not hold its rows itself, or an index
 * cannot be scanned, both are statements.
 */
#include "postgres.h"

#include <math.h>

#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "matching/explain.h"
#include "matching/json.h"
#include "matching/live.h"
#include "matching/live_model.h"
#include "matching/pairs.h"
#include "matching/reader.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* A record on its way through the indexes */
typedef struct LiveProbe
{
	LiveValues	values;
	int64		codes[LIVE_MAX_PROBES];
	bool		is_wanted[LIVE_MAX_PROBES];
	int			refinements[LIVE_MAX_PROBES];
	int			count;			/* of ids */
	int			capacity;
	int64	   *ids;
	int			row_count;		/* of rows, found directly */
	int			row_capacity;
	ItemPointerData *rows;
} LiveProbe;

/* What reads the tables for some records */
typedef struct LiveReader
{
	LiveModel  *live;
	bool		scans;			/* indexes directly, */
	bool		fetches;		/* and rows */
	Relation	table;
	TableReader contacts;
	Relation	accounts_table;
	TableReader accounts;
	AttrNumber	name_number;	/* of accounts */
	AttrNumber	domain_number;
	Relation	indexes[SOURCE_MAX_INDEXES];
	IndexScanDesc index_scans[SOURCE_MAX_INDEXES];
} LiveReader;

/* Takes a candidate, by its number among the records that are kept */
typedef void (*CandidateVisit) (void *state, int64 id, uint32 number);

/* Does the strategy have a model that can be asked? */
bool
MatchLiveReady(Workspace *ws, WorkspaceConfig *config, const MatchStrategy *strategy)
{
	const LiveModel *live = LiveModelGet(ws, config, strategy);

	return live->model != NULL && live->place_count > 0;
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
			values[c] = probe->values.texts[index->columns[c]];
			lengths[c] = probe->values.lengths[index->columns[c]];
		}
		has_own[i] = CodeOf(&index->spec, values, lengths, &own[i]);
	}

	for (int p = 0; p < live->place_count; p++)
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
	probe->row_count = probe->row_capacity = 0;
}

/* Read what a side has, and its codes under the keys */
static void
MakeProbe(const LiveModel *live, MatchConfig *matching, const MatchSide *side, LiveProbe *probe)
{
	for (int c = 0; c < live->columns->count; c++)
	{
		const SourceColumn *column = &live->columns->columns[c];

		probe->values.texts[c] = SourceValue(matching, column, (char *) SideValue(column, side));
		probe->values.lengths[c] = probe->values.texts[c] ? strlen(probe->values.texts[c]) : 0;
	}
	probe->values.late = -1;
	CodeProbe(live, probe);
}

/* Hash the keys of a record */
static int
ProbeKeys(const LiveModel *live, const LiveProbe *probe, uint32 *keys)
{
	int			count = 0;

	for (int p = 0; p < live->place_count && count < LIVE_MAX_KEYS; p++)
	{
		uint32		code = JoinCodes((uint32) (probe->codes[p] >> 32), live->indexes[live->places[p].index].key + 1);
		bool		is_known = !probe->is_wanted[p];

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

/* Look up the codes that are wanted by a statement; those that too many have stay wanted, refined */
static bool
AskForCodes(LiveModel *live, LiveProbe *probe)
{
	Datum		values[LIVE_MAX_PROBES * 2];
	char		nulls[LIVE_MAX_PROBES * 2];
	bool		is_any = false;
	uint64		rows;

	for (int p = 0; p < live->place_count; p++)
	{
		is_any |= probe->is_wanted[p];
		nulls[2 * p] = nulls[2 * p + 1] = probe->is_wanted[p] ? ' ' : 'n';
		values[2 * p] = Int64GetDatum(CodeRangeStart(probe->codes[p], probe->refinements[p]));
		values[2 * p + 1] = Int64GetDatum(CodeRangeEnd(probe->codes[p], probe->refinements[p]));
		probe->is_wanted[p] = false;
	}
	if (!is_any)
		return false;
	Run(LiveModelLookUp(live), values, nulls);
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

/* Begin to read for some records, as of now */
static void
BeginReading(LiveReader *reader, LiveModel *live)
{
	memset(reader, 0, sizeof(LiveReader));
	reader->live = live;
	reader->table = table_open(WorkspaceRelation(live->ws, "contact"), AccessShareLock);
	LiveModelFollow(live);
	reader->scans = live->can_scan && ReaderIsPlain(reader->table);
	reader->fetches = reader->scans && ReaderMayRead(RelationGetRelid(reader->table));
	if (reader->scans)
	{
		/* See what was committed before the locks were had, and what the statement did itself */
		if (!IsInParallelMode())
			CommandCounterIncrement();
		PushActiveSnapshot(GetTransactionSnapshot());
		ReaderOpen(&reader->contacts, reader->table, GetActiveSnapshot());
	}
	if (reader->fetches && live->is_joined)
	{
		reader->accounts_table = table_open(WorkspaceRelation(live->ws, "account"), AccessShareLock);
		reader->fetches = ReaderIsPlain(reader->accounts_table) &&
			ReaderMayRead(RelationGetRelid(reader->accounts_table));
		reader->name_number = get_attnum(RelationGetRelid(reader->accounts_table), "name");
		reader->domain_number = get_attnum(RelationGetRelid(reader->accounts_table), "domain");
		ReaderOpen(&reader->accounts, reader->accounts_table, GetActiveSnapshot());
	}
}

/* Be done with reading */
static void
EndReading(LiveReader *reader)
{
	for (int i = 0; i < reader->live->index_count; i++)
		if (reader->index_scans[i])
		{
			index_endscan(reader->index_scans[i]);
			index_close(reader->indexes[i], NoLock);
		}
	if (reader->accounts_table)
	{
		ReaderClose(&reader->accounts);
		table_close(reader->accounts_table, NoLock);
	}
	if (reader->scans)
	{
		ReaderClose(&reader->contacts);
		PopActiveSnapshot();
	}
	table_close(reader->table, NoLock);
}

/* Get what scans an index */
static IndexScanDesc
ScanOfIndex(LiveReader *reader, int i)
{
	if (reader->index_scans[i] == NULL)
	{
		reader->indexes[i] = index_open(reader->live->index_ids[i], AccessShareLock);
		reader->index_scans[i] = ReaderScan(&reader->contacts, reader->indexes[i]);
	}
	return reader->index_scans[i];
}

/* Note the rows that a code leads to */
static void
AddRows(LiveProbe *probe, const ItemPointerData *rows, int count)
{
	if (probe->row_count + count > probe->row_capacity)
	{
		probe->row_capacity = Max(probe->row_capacity * 2, 8 * (CANDIDATE_LIMIT + 1));
		probe->rows = probe->row_count > 0 ? repalloc(probe->rows, sizeof(ItemPointerData) * probe->row_capacity) :
			palloc(sizeof(ItemPointerData) * probe->row_capacity);
	}
	memcpy(probe->rows + probe->row_count, rows, sizeof(ItemPointerData) * count);
	probe->row_count += count;
}

/* Order rows by their places in the table */
#define ST_SORT SortRows
#define ST_ELEMENT_TYPE ItemPointerData
#define ST_COMPARE(a, b) ItemPointerCompare((ItemPointer) (a), (ItemPointer) (b))
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Look a code up: all who have it or, where these are too many, those who share a refinement, too; sets whether it is all */
static int
ScanForCode(LiveReader *reader, const LiveProbe *probe, int p, ItemPointerData *rows, bool *is_all)
{
	int			i = reader->live->places[p].index;
	const CodeSpec *spec = &reader->live->indexes[i].spec;
	IndexScanDesc scan = ScanOfIndex(reader, i);

	for (int refinement = 0;; refinement++)
	{
		int64		from = CodeRangeStart(probe->codes[p], refinement);
		int64		to = CodeRangeEnd(probe->codes[p], refinement);
		int			count = ReaderRange(&reader->contacts, scan, from, to, false, rows, CANDIDATE_LIMIT + 1);

		/* Rows that are gone do not count */
		if (count > CANDIDATE_LIMIT)
			count = ReaderRange(&reader->contacts, scan, from, to, true, rows, CANDIDATE_LIMIT + 1);
		*is_all = refinement == 0 && count <= CANDIDATE_LIMIT;
		if (count <= CANDIDATE_LIMIT || refinement == spec->part_count - spec->key_parts)
			return count;
	}
}

/* Look up the codes of a record directly */
static void
ScanForCodes(LiveReader *reader, LiveProbe *probe)
{
	const LiveModel *live = reader->live;
	uint64		whole = 0;		/* places whose code brought all who have it */
	int			kept = 0;

	for (int p = 0; p < live->place_count; p++)
	{
		ItemPointerData rows[CANDIDATE_LIMIT + 1];
		bool		is_all;

		if (!probe->is_wanted[p] || (live->wider[p] & whole))
			continue;
		AddRows(probe, rows, ScanForCode(reader, probe, p, rows, &is_all));
		if (is_all)
			whole |= UINT64CONST(1) << p;
	}
	if (probe->row_count == 0)
		return;

	/* Each once, and page by page */
	SortRows(probe->rows, probe->row_count);
	for (int r = 0; r < probe->row_count; r++)
		if (r == 0 || !ItemPointerEquals(&probe->rows[r], &probe->rows[kept - 1]))
			probe->rows[kept++] = probe->rows[r];
	probe->row_count = kept;
}

/* Get the name of a company, unless it is only its domain */
static char *
CompanyName(LiveReader *reader, int64 account_id)
{
	char	   *name;
	char	   *domain;

	if (!ReaderFind(&reader->accounts, account_id))
		return NULL;
	name = ReaderText(&reader->accounts, reader->name_number);
	domain = ReaderText(&reader->accounts, reader->domain_number);
	return name && domain && strcmp(name, domain) == 0 ? NULL : name;
}

/* Visit the candidates that were gathered */
static void
VisitGathered(LiveModel *live, CandidateVisit visit, void *state)
{
	const LiveBatch *batch;

	if (live->batch.count == 0)
		return;
	batch = LiveModelEnter(live);
	for (int i = 0; i < batch->count; i++)
		visit(state, batch->ids[i], batch->numbers[i]);
	live->batch.count = 0;
}

/* Gather a candidate; they are visited together */
static void
GatherCandidate(LiveModel *live, int64 id, const LiveValues *values, CandidateVisit visit, void *state)
{
	LiveModelPut(live, id, values);
	if (live->batch.count == LIVE_BATCH)
		VisitGathered(live, visit, state);
}

/* Gather the row of contact that was read last */
static void
GatherRow(LiveReader *reader, CandidateVisit visit, void *state)
{
	LiveModel  *live = reader->live;
	TupleTableSlot *slot = reader->contacts.slot;
	MatchConfig *matching = live->config->matching;
	LiveValues	values;

	values.late = -1;
	slot_getsomeattrs(slot, live->last_number);
	for (int c = 0; c < live->columns->count; c++)
	{
		const SourceColumn *column = &live->columns->columns[c];
		AttrNumber	number = column->is_joined ? live->account_number : live->numbers[c];
		char	   *value = NULL;

		values.texts[c] = NULL;
		values.lengths[c] = 0;
		if (slot->tts_isnull[number - 1])
			continue;
		if (column->attribute)
			value = JsonAnyText(&DatumGetJsonbP(slot->tts_values[number - 1])->root, column->attribute);
		else if (column->is_joined)
			value = CompanyName(reader, DatumGetInt64(slot->tts_values[number - 1]));
		else if (SourceIsMarked(matching, column) && c != live->whole_column)
			value = TextDatumGetCString(slot->tts_values[number - 1]);
		else
		{
			text	   *content = DatumGetTextPP(slot->tts_values[number - 1]);

			values.texts[c] = VARDATA_ANY(content);
			values.lengths[c] = VARSIZE_ANY_EXHDR(content);
			if (c == live->whole_column)
				values.late = c;
			continue;
		}
		values.texts[c] = SourceValue(matching, column, value);
		values.lengths[c] = values.texts[c] ? strlen(values.texts[c]) : 0;
	}
	GatherCandidate(live, DatumGetInt64(slot->tts_values[live->id_number - 1]), &values, visit, state);
}

/* Gather the rows of a result */
static void
GatherResult(LiveModel *live, CandidateVisit visit, void *state)
{
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		LiveValues	values;

		values.late = -1;
		for (int c = 0; c < live->columns->count; c++)
		{
			bool		isnull;
			Datum		value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, c + 2, &isnull);
			text	   *content = isnull ? NULL : DatumGetTextPP(value);

			values.texts[c] = content ? VARDATA_ANY(content) : NULL;
			values.lengths[c] = content ? VARSIZE_ANY_EXHDR(content) : 0;
		}
		GatherCandidate(live, ResultInt64(row, 1, NULL), &values, visit, state);
	}
}

/* Visit all who share a key with a record */
static void
VisitCandidates(LiveReader *reader, LiveProbe *probe, CandidateVisit visit, void *state)
{
	LiveModel  *live = reader->live;
	Datum	   *ids;
	Datum		wanted;

	if (reader->scans)
		ScanForCodes(reader, probe);
	else
		while (AskForCodes(live, probe))
			CHECK_FOR_INTERRUPTS();
	if (probe->row_count > 1)
		ReaderFetchAhead(&reader->contacts, probe->rows, probe->row_count);
	for (int r = 0; r < probe->row_count; r++)
	{
		if (!ReaderFetch(&reader->contacts, probe->rows[r]))
			continue;
		if (reader->fetches)
			GatherRow(reader, visit, state);
		else
		{
			bool		isnull;

			AddId(probe, DatumGetInt64(slot_getattr(reader->contacts.slot, live->id_number, &isnull)));
		}
	}
	if (probe->count == 0)
	{
		VisitGathered(live, visit, state);
		return;
	}
	ids = palloc(sizeof(Datum) * probe->count);
	for (int i = 0; i < probe->count; i++)
		ids[i] = Int64GetDatum(probe->ids[i]);
	wanted = PointerGetDatum(construct_array(ids, probe->count, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	Run(LiveModelFetch(live), &wanted, NULL);
	GatherResult(live, visit, state);
	SPI_freetuptable(SPI_tuptable);
	VisitGathered(live, visit, state);
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

/* Somebody whose weight is enough */
typedef struct LiveFound
{
	int64		id;
	double		weight;
	uint32		number;			/* among the records that are kept */
} LiveFound;

/* The search for whom a record is of */
typedef struct LiveSearch
{
	LiveModel  *live;
	const LiveQuestion *question;
	uint32		record;
	double		least;			/* weight */
	int			count;
	int			capacity;
	LiveFound  *found;
} LiveSearch;

/* Is one found rather than another?  Of equals the older one is. */
static int
CompareFound(const void *a, const void *b)
{
	const LiveFound *left = a;
	const LiveFound *right = b;

	if (left->weight != right->weight)
		return left->weight > right->weight ? -1 : 1;
	return left->id < right->id ? -1 : left->id > right->id;
}

/* Compare a record with a candidate; a single best one replaces the one before */
static void
SearchVisit(void *state, int64 id, uint32 number)
{
	LiveSearch *search = state;
	LiveModel  *live = search->live;
	LiveFound	found = {.id = id,.number = number};
	PairPattern pattern;

	for (int i = 0; i < search->question->refused_count; i++)
		if (search->question->refused[i] == id)
			return;
	if (!PairWeight(live->scorer, RecordIds(live->records, search->record), RecordIds(live->records, number),
					search->least, &pattern, &found.weight))
		return;
	if (!search->question->wants_all)
	{
		if (search->count > 0 && CompareFound(&found, search->found) > 0)
			return;
		search->count = 0;
		search->least = found.weight;
	}
	if (search->count == search->capacity)
	{
		search->capacity = Max(search->capacity * 2, 16);
		search->found = search->found ? repalloc(search->found, sizeof(LiveFound) * search->capacity) :
			palloc(sizeof(LiveFound) * search->capacity);
	}
	search->found[search->count++] = found;
}

/* Find whom one record is of; the answer is in another memory context */
static void
FindBest(LiveReader *reader, const LiveQuestion *question, LiveProbe *probe, LiveAnswer *answer, MemoryContext context)
{
	LiveModel  *live = reader->live;
	const MatchStrategy *strategy = live->strategy;
	double		least = strategy->review_probability > 0 ? strategy->review_probability : strategy->match_probability;
	LiveSearch	search = {.live = live,.question = question};
	const LiveFound *best;
	MemoryContext old;

	LiveModelReset(live);
	search.least = log2(least) - log2(1 - Min(least, 1 - 1e-12));
	search.record = LiveModelAdd(live, &probe->values);
	VisitCandidates(reader, probe, SearchVisit, &search);
	if (search.count == 0)
		return;
	qsort(search.found, search.count, sizeof(LiveFound), CompareFound);
	old = MemoryContextSwitchTo(context);
	best = &search.found[0];
	answer->id = best->id;
	answer->probability = WeightProbability(best->weight);
	answer->outcome = answer->probability >= strategy->match_probability ? LIVE_MATCH : LIVE_POSSIBLE;
	answer->explanation = Explain(live, search.record, best->number);
	answer->other_count = search.count - 1;
	if (answer->other_count > 0)
		answer->others = palloc(sizeof(LiveCandidate) * answer->other_count);
	for (int i = 0; i < answer->other_count; i++)
	{
		const LiveFound *other = &search.found[i + 1];

		answer->others[i] = (LiveCandidate) {
			other->id, WeightProbability(other->weight), Explain(live, search.record, other->number)
		};
	}
	MemoryContextSwitchTo(old);
}

/* Find whom each record is of */
void
MatchLive(Workspace *ws, WorkspaceConfig *config, const MatchStrategy *strategy, const LiveQuestion *questions,
		  LiveAnswer *answers, int n, LiveLock lock, void *arg)
{
	LiveModel  *live = LiveModelGet(ws, config, strategy);
	MemoryContext outer = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(outer, "lead_mgmt live match", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	uint64		definition = live->definition;
	LiveProbe	probe;
	LiveReader	reader;

	MakeProbe(live, config->matching, &questions[0].side, &probe);
	if (lock)
	{
		uint32		keys[LIVE_MAX_KEYS];

		lock(arg, keys, ProbeKeys(live, &probe, keys));
	}
	MemoryContextSwitchTo(outer);
	BeginReading(&reader, live);
	MemoryContextSwitchTo(context);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (i > 0 || live->definition != definition)
			MakeProbe(live, config->matching, &questions[i].side, &probe);
		FindBest(&reader, &questions[i], &probe, &answers[i], outer);
		MemoryContextReset(context);
	}
	MemoryContextSwitchTo(old);
	EndReading(&reader);
	MemoryContextDelete(context);
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

/* The search for the pairs that a stored contact makes */
typedef struct StoredSearch
{
	LiveModel  *live;
	ReturnSetInfo *rsinfo;
	int64		id;
	uint32		record;
	double		least;			/* weight */
} StoredSearch;

/* Return the pair that a stored contact makes with another */
static void
StoredVisit(void *state, int64 id, uint32 number)
{
	StoredSearch *search = state;
	LiveModel  *live = search->live;
	PairPattern pattern;
	double		weight;

	if (id == search->id)
		return;
	if (PairWeight(live->scorer, RecordIds(live->records, search->record), RecordIds(live->records, number),
				   search->least, &pattern, &weight))
	{
		Datum		pair[3] = {Int64GetDatum(Min(id, search->id)), Int64GetDatum(Max(id, search->id)),
		Float8GetDatum(WeightProbability(weight))};
		bool		nulls[3] = {false, false, false};

		tuplestore_putvalues(search->rsinfo->setResult, search->rsinfo->setDesc, pair, nulls);
	}
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
	LiveReader	reader;
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
	live = strategy && strategy->entity == ENTITY_CONTACT ? LiveModelGet(ws, config, strategy) : NULL;
	if (live == NULL || live->model == NULL || live->place_count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("match strategy \"%s\" has no model for contacts that works", name),
				 errhint("Train it with train_match_strategy().")));
	Run(LiveModelFetch(live), &ids, NULL);
	n = CopyRecords(live, &found, &values);
	context = AllocSetContextCreate(CurrentMemoryContext, "lead_mgmt stored contact", ALLOCSET_DEFAULT_SIZES);
	BeginReading(&reader, live);
	old = MemoryContextSwitchTo(context);
	for (int i = 0; i < n; i++)
	{
		StoredSearch search = {live, rsinfo, found[i]};
		LiveProbe	probe;

		CHECK_FOR_INTERRUPTS();
		LiveModelReset(live);
		for (int c = 0; c < live->columns->count; c++)
		{
			probe.values.texts[c] = values[i * live->columns->count + c];
			probe.values.lengths[c] = probe.values.texts[c] ? strlen(probe.values.texts[c]) : 0;
		}
		probe.values.late = -1;
		CodeProbe(live, &probe);
		search.record = LiveModelAdd(live, &probe.values);
		search.least = log2(at_least) - log2(1 - at_least);
		VisitCandidates(&reader, &probe, StoredVisit, &search);
		MemoryContextReset(context);
	}
	MemoryContextSwitchTo(old);
	EndReading(&reader);
	SPI_finish();
	return (Datum) 0;
}
