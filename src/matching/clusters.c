/*
 * Clusters: which records belong together, from the pairs that match.
 *
 * Records that are known to be the same are joined first.  Then pairs are taken
 * from the strongest on, and join the clusters of their two records (union by
 * size with path halving: Tarjan and van Leeuwen 1984) unless the method or a
 * known difference forbids it:
 *
 *	average		where all that is known of the pairs between the two clusters
 *				speaks for it on average; see average.c
 *	connected	always: whatever a chain of matches connects is one entity
 *	best		only where one record is the other's best partner
 *	complete	only where every record of one cluster was found to be at least
 *				a possible match of every record of the other
 *
 * A cluster is called after its first record by key, so that its name stays
 * while it grows by later records.
 */
#include "postgres.h"

#include <math.h>

#include "common/hashfn.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "matching/clusters.h"
#include "matching/parallel.h"
#include "miscadmin.h"
#include "utils/builtins.h"

typedef enum
{
	LINK_AVERAGE,
	LINK_CONNECTED,
	LINK_BEST,
	LINK_COMPLETE
} LinkMethod;

static const char *const LinkMethodNames[] = {"average", "connected", "best", "complete"};

/* A key as text; longer ones are told apart by their beginnings */
typedef char KnownKey[NAMEDATALEN * 4];

/* A key that something is known of, and whose it is */
typedef struct KnownKeyEntry
{
	KnownKey	key;
	uint32		record;			/* PG_UINT32_MAX for none */
} KnownKeyEntry;

/* Do the records of a pair come before those of another? */
static inline int
CompareRecords(const FoundPair *left, const FoundPair *right)
{
	if (left->left != right->left)
		return left->left < right->left ? -1 : 1;
	return left->right < right->right ? -1 : left->right > right->right;
}

/* Does a pair come before another?  The stronger one does. */
static inline int
ComparePairs(const FoundPair *left, const FoundPair *right)
{
	if (left->weight != right->weight)
		return left->weight > right->weight ? -1 : 1;
	return CompareRecords(left, right);
}

/* Order pairs by their records */
#define ST_SORT SortByRecords
#define ST_ELEMENT_TYPE FoundPair
#define ST_COMPARE(a, b) CompareRecords(a, b)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Order pairs from the strongest on */
#define ST_SORT SortPairs
#define ST_ELEMENT_TYPE FoundPair
#define ST_COMPARE(a, b) ComparePairs(a, b)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Arrange pairs by record */
static void
MakeNeighbours(Neighbours *neighbours, const FoundPair *pairs, uint64 count, uint32 records)
{
	neighbours->first = MemoryContextAllocExtended(CurrentMemoryContext, sizeof(uint32) * ((uint64) records + 2),
												   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	neighbours->others = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * (count * 2 + 1));
	for (uint64 i = 0; i < count; i++)
	{
		neighbours->first[pairs[i].left + 2]++;
		neighbours->first[pairs[i].right + 2]++;
	}
	for (uint32 r = 2; r <= records; r++)
		neighbours->first[r] += neighbours->first[r - 1];
	for (uint64 i = 0; i < count; i++)
	{
		if (i % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		neighbours->others[neighbours->first[pairs[i].left + 1]++] = pairs[i].right;
		neighbours->others[neighbours->first[pairs[i].right + 1]++] = pairs[i].left;
	}
}

/* Count the neighbours that the members of one cluster have in another */
static uint64
CountBetween(Clusters *clusters, const Neighbours *neighbours, uint32 one, uint32 other)
{
	uint32		member;
	uint64		count = 0;

	if (clusters->size[one] > clusters->size[other])
		return CountBetween(clusters, neighbours, other, one);
	member = one;
	do
	{
		for (uint32 i = neighbours->first[member]; i < neighbours->first[member + 1]; i++)
			count += FindRoot(clusters->parent, neighbours->others[i]) == other;
		member = clusters->next[member];
	} while (member != one);
	return count;
}

/* Is any member of one cluster known to differ from one of another? */
bool
ClustersDiffer(Clusters *clusters, uint32 one, uint32 other)
{
	return clusters->different.first && CountBetween(clusters, &clusters->different, one, other) > 0;
}

/* Join two clusters */
void
ClustersJoin(Clusters *clusters, uint32 one, uint32 other)
{
	uint32		next = clusters->next[one];

	if (clusters->size[one] < clusters->size[other])
	{
		uint32		swap = one;

		one = other;
		other = swap;
		next = clusters->next[one];
	}
	clusters->parent[other] = one;
	clusters->size[one] += clusters->size[other];
	clusters->next[one] = clusters->next[other];
	clusters->next[other] = next;
}

/* Look for a key among those that are known, and enter it if that is the action */
static KnownKeyEntry *
FindKnownKey(HTAB *keys, const char *text, HASHACTION action)
{
	KnownKey	key;

	strlcpy(key, text, sizeof(key));
	return hash_search(keys, key, action, NULL);
}

/* Read pairs of keys that are known to be one entity, or different ones; keys of no record are passed over */
static FoundPair *
ReadKnown(const MatchRecords *records, const char *query, uint64 *count)
{
	MemoryContext outer = CurrentMemoryContext;
	FoundPair  *pairs;
	HTAB	   *keys;
	HASHCTL		ctl = {0};

	*count = 0;
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute(query, true, 0) != SPI_OK_SELECT || SPI_tuptable->tupdesc->natts < 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("what is known of pairs is not a query of two keys")));
	ctl.keysize = sizeof(KnownKey);
	ctl.entrysize = sizeof(KnownKeyEntry);
	ctl.hcxt = CurrentMemoryContext;
	keys = hash_create("lead_mgmt known keys", Max(2 * SPI_processed, 16), &ctl, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	for (uint64 i = 0; i < 2 * SPI_processed; i++)
	{
		char	   *text = SPI_getvalue(SPI_tuptable->vals[i / 2], SPI_tuptable->tupdesc, i % 2 + 1);

		if (text)
			FindKnownKey(keys, text, HASH_ENTER)->record = PG_UINT32_MAX;
	}
	for (uint32 r = 0; r < records->count && SPI_processed > 0; r++)
	{
		char	   *text = RecordsKey(records, r);
		KnownKeyEntry *entry = FindKnownKey(keys, text, HASH_FIND);

		if (r % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		if (entry)
			entry->record = r;
		if (records->has_integer_keys)
			pfree(text);
	}
	pairs = MemoryContextAllocHuge(outer, sizeof(FoundPair) * (SPI_processed + 1));
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		uint32		found[2] = {PG_UINT32_MAX, PG_UINT32_MAX};

		for (int k = 0; k < 2; k++)
		{
			char	   *text = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, k + 1);

			if (text)
				found[k] = FindKnownKey(keys, text, HASH_FIND)->record;
		}
		if (found[0] != PG_UINT32_MAX && found[1] != PG_UINT32_MAX && found[0] != found[1])
			pairs[(*count)++] = (FoundPair) {
			found[0], found[1], 0
		};
	}
	SPI_finish();
	return pairs;
}

/* May a pair join its two clusters? */
static bool
MayJoin(Clusters *clusters, LinkMethod method, const FoundPair *pair, uint32 one, uint32 other, const uint32 *best)
{
	if (method == LINK_BEST && best[pair->left] != pair->right && best[pair->right] != pair->left)
		return false;
	if (ClustersDiffer(clusters, one, other))
		return false;
	return method != LINK_COMPLETE ||
		CountBetween(clusters, &clusters->linked, one, other) ==
		(uint64) clusters->size[one] * clusters->size[other];
}

/* Note each record's strongest partner; pairs come from the strongest on */
static uint32 *
BestPartners(const FoundPair *pairs, uint64 count, uint32 records)
{
	uint32	   *best = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * ((uint64) records + 1));

	memset(best, 0xFF, sizeof(uint32) * ((uint64) records + 1));
	for (uint64 i = 0; i < count; i++)
	{
		if (best[pairs[i].left] == PG_UINT32_MAX)
			best[pairs[i].left] = pairs[i].right;
		if (best[pairs[i].right] == PG_UINT32_MAX)
			best[pairs[i].right] = pairs[i].left;
	}
	return best;
}

/* Join the clusters of pairs, those in front first, where the method allows it */
static void
JoinPairs(Clusters *clusters, LinkMethod method, const FoundPair *pairs, uint64 count, const uint32 *best)
{
	for (uint64 i = 0; i < count; i++)
	{
		uint32		one = FindRoot(clusters->parent, pairs[i].left);
		uint32		other = FindRoot(clusters->parent, pairs[i].right);

		if (i % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		if (one != other && MayJoin(clusters, method, &pairs[i], one, other, best))
			ClustersJoin(clusters, one, other);
	}
}

/* Does a record come before another by key? */
static bool
KeyBefore(const MatchRecords *records, uint32 a, uint32 b)
{
	if (records->has_integer_keys)
		return records->integer_keys[a] < records->integer_keys[b];
	return strcmp(records->key_text.data + records->text_keys[a], records->key_text.data + records->text_keys[b]) < 0;
}

/* Return the members of all clusters of two or more */
static void
ReturnClusters(ReturnSetInfo *rsinfo, Clusters *clusters)
{
	const MatchRecords *records = clusters->records;
	StringInfoData key;
	StringInfoData first_key;

	initStringInfo(&key);
	initStringInfo(&first_key);
	for (uint32 r = 0; r < records->count; r++)
	{
		uint32		first = r;
		uint32		member = r;
		Datum		name;

		if (clusters->parent[r] != r || clusters->size[r] < 2)
			continue;
		CHECK_FOR_INTERRUPTS();
		while ((member = clusters->next[member]) != r)
			if (KeyBefore(records, member, first))
				first = member;
		name = RecordsKeyDatum(records, first, &first_key);
		do
		{
			Datum		values[3] = {RecordsKeyDatum(records, member, &key), name,
			Int32GetDatum(clusters->size[r])};
			bool		nulls[3] = {false};

			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
			member = clusters->next[member];
		} while (member != r);
	}
}

/* Get the method of linking by name */
static LinkMethod
FindMethod(const char *name)
{
	for (int m = 0; m < lengthof(LinkMethodNames); m++)
		if (strcmp(LinkMethodNames[m], name) == 0)
			return m;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("there is no method of clustering \"%s\"", name),
			 errhint("Choose average, connected, best or complete.")));
}

/*
 * Cluster records by the pairs that were found, and return the members.  The
 * pairs come to be ordered; those below the weight of a match are only looked
 * at where all members of a cluster have a say in who joins.
 */
static void
ReturnClustered(ReturnSetInfo *rsinfo, const MatchRecords *records, FoundPair *pairs, uint64 count, LinkMethod method,
				double match_weight, int block_limit, const char *different, const char *same)
{
	Clusters	clusters = {0};
	FoundPair  *known;
	uint64		known_count;
	uint64		matches = 0;
	uint32	   *best = NULL;

	SortPairs(pairs, count);
	clusters.records = records;
	clusters.parent = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * ((uint64) records->count + 1));
	clusters.size = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * ((uint64) records->count + 1));
	clusters.next = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * ((uint64) records->count + 1));
	for (uint32 r = 0; r < records->count; r++)
	{
		clusters.parent[r] = clusters.next[r] = r;
		clusters.size[r] = 1;
	}
	if (method == LINK_COMPLETE)
		MakeNeighbours(&clusters.linked, pairs, count, records->count);
	if (method == LINK_BEST)
		best = BestPartners(pairs, count, records->count);
	if (different)
	{
		known = ReadKnown(records, different, &known_count);
		MakeNeighbours(&clusters.different, known, known_count, records->count);
	}
	if (same)
	{
		known = ReadKnown(records, same, &known_count);
		JoinPairs(&clusters, LINK_CONNECTED, known, known_count, NULL);
	}
	while (matches < count && pairs[matches].weight >= match_weight)
		matches++;
	if (method == LINK_AVERAGE)
		AverageLink(&clusters, pairs, count, matches, block_limit / 2);
	else
		JoinPairs(&clusters, method, pairs, matches, best);
	ReturnClusters(rsinfo, &clusters);
}

/* Find the clusters of matching records by a model */
PG_FUNCTION_INFO_V1(find_clusters);
Datum
find_clusters(PG_FUNCTION_ARGS)
{
	LinkMethod	method;
	MatchModel *model;
	MatchRecords *records;
	FoundPair  *pairs;
	uint64		count;
	double		match_weight;
	double		review_weight;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("records, model and method must be given")));
	method = FindMethod(text_to_cstring(PG_GETARG_TEXT_PP(2)));
	model = ModelRead(PG_GETARG_JSONB_P(1));
	if (!PG_ARGISNULL(3))
		model->match_probability = PairsLimit(PG_GETARG_FLOAT8(3));
	InitMaterializedSRF(fcinfo, 0);
	match_weight = log2(model->match_probability) - log2(1 - model->match_probability);
	review_weight = log2(model->review_probability) - log2(1 - model->review_probability);
	records = PairsRecords(model, text_to_cstring(PG_GETARG_TEXT_PP(0)), NULL);
	pairs = FindPairs(records, method == LINK_AVERAGE || method == LINK_COMPLETE ? Min(review_weight, match_weight) : match_weight,
					  &count);
	ReturnClustered((ReturnSetInfo *) fcinfo->resultinfo, records, pairs, count, method, match_weight, model->block_limit,
					PG_ARGISNULL(4) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(4)),
					PG_ARGISNULL(5) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(5)));
	RecordsReport(records, "records clustered");
	SharedRelease(records);
	return (Datum) 0;
}

/* Order ids */
static int
CompareIds(const void *a, const void *b)
{
	int64		left = *(const int64 *) a;
	int64		right = *(const int64 *) b;

	return left < right ? -1 : left > right;
}

/* Get the place of an id among those that were sorted */
static uint32
IdPlace(const MatchRecords *records, int64 id)
{
	const int64 *found = bsearch(&id, records->integer_keys, records->count, sizeof(int64), CompareIds);

	return found - records->integer_keys;
}

/* Keep the strongest of pairs that were given more than once; returns how many are left */
static uint64
DropRepeated(FoundPair *pairs, uint64 count)
{
	uint64		kept = 0;

	SortByRecords(pairs, count);
	for (uint64 i = 0; i < count; i++)
		if (kept == 0 || pairs[kept - 1].left != pairs[i].left || pairs[kept - 1].right != pairs[i].right)
			pairs[kept++] = pairs[i];
		else
			pairs[kept - 1].weight = Max(pairs[kept - 1].weight, pairs[i].weight);
	return kept;
}

/* Read pairs of ids with their probabilities; the ids become the records */
static FoundPair *
ReadPairs(const char *query, MatchRecords *records, uint64 *count)
{
	MemoryContext outer = CurrentMemoryContext;
	FoundPair  *pairs;
	int64	   *ids;
	uint64		n = 0;
	uint64		distinct = 0;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute(psprintf("SELECT p.left_id::pg_catalog.int8, p.right_id::pg_catalog.int8, p.probability::pg_catalog.float8 FROM %s AS p",
							 RecordsSource(query)), true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the pairs");
	if (SPI_processed > INT_MAX / 2)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("more than %d pairs", INT_MAX / 2)));
	pairs = MemoryContextAllocHuge(outer, sizeof(FoundPair) * (SPI_processed + 1));
	ids = MemoryContextAllocHuge(outer, sizeof(int64) * (SPI_processed * 2 + 1));
	for (int pass = 0; pass < 2; pass++)
	{
		n = 0;
		for (uint64 i = 0; i < SPI_processed; i++)
		{
			HeapTuple	tuple = SPI_tuptable->vals[i];
			bool		nulls[3];
			Datum		left = SPI_getbinval(tuple, SPI_tuptable->tupdesc, 1, &nulls[0]);
			Datum		right = SPI_getbinval(tuple, SPI_tuptable->tupdesc, 2, &nulls[1]);
			Datum		probability = SPI_getbinval(tuple, SPI_tuptable->tupdesc, 3, &nulls[2]);

			if (nulls[0] || nulls[1] || nulls[2] || DatumGetInt64(left) == DatumGetInt64(right))
				continue;
			if (pass == 0)
			{
				ids[2 * n] = DatumGetInt64(left);
				ids[2 * n + 1] = DatumGetInt64(right);
			}
			else
			{
				double		p = PairsLimit(DatumGetFloat8(probability));
				uint32		a = IdPlace(records, DatumGetInt64(left));
				uint32		b = IdPlace(records, DatumGetInt64(right));

				pairs[n] = (FoundPair) {Min(a, b), Max(a, b), log2(p) - log2(1 - p)};
			}
			n++;
		}
		if (pass == 0)
		{
			qsort(ids, n * 2, sizeof(int64), CompareIds);
			for (uint64 i = 0; i < n * 2; i++)
				if (i == 0 || ids[i] != ids[distinct - 1])
					ids[distinct++] = ids[i];
			records->integer_keys = ids;
			records->has_integer_keys = true;
			records->count = distinct;
		}
	}
	SPI_finish();
	*count = DropRepeated(pairs, n);
	return pairs;
}

/* Cluster records by pairs of their ids */
PG_FUNCTION_INFO_V1(cluster_pairs);
Datum
cluster_pairs(PG_FUNCTION_ARGS)
{
	MatchRecords *records = palloc0(sizeof(MatchRecords));
	LinkMethod	method = FindMethod(PG_ARGISNULL(1) ? "average" : text_to_cstring(PG_GETARG_TEXT_PP(1)));
	double		at_least;
	FoundPair  *pairs;
	uint64		count;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("pairs and the least probability must be given")));
	at_least = PairsLimit(PG_GETARG_FLOAT8(2));
	InitMaterializedSRF(fcinfo, 0);
	pairs = ReadPairs(text_to_cstring(PG_GETARG_TEXT_PP(0)), records, &count);
	ReturnClustered((ReturnSetInfo *) fcinfo->resultinfo, records, pairs, count, method,
					log2(at_least) - log2(1 - at_least), DEFAULT_BLOCK_LIMIT,
					PG_ARGISNULL(3) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(3)),
					PG_ARGISNULL(4) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(4)));
	return (Datum) 0;
}
