/*
 * Clusters by what speaks for them on average.
 *
 * One wrong match between two entities of ten records each makes one of them
 * where any chain of matches connects, though ninety-nine pairs speak against
 * it.  Here two clusters are joined where a pair between them matches and the
 * mean weight of all pairs between them, in bits, is not below that of an even
 * chance: the pairs with the most on average first (group-average linkage:
 * Sokal and Michener 1958), which is a greedy way to the partition that agrees
 * most with the weights (correlation clustering: Bansal, Blum and Chawla 2004).
 * A pair counts for no more than MOST_EVIDENCE bits, so that one that agrees in
 * all does not outvote many.  A pair that was not found, as too little speaks
 * for it or as blocking lost it, counts for ABSENT_EVIDENCE; but not one of a
 * record that was found to be in as many pairs as only records of blocks have
 * that were cut for their size, whose further pairs nobody looked at.
 *
 * What chains of matches connect is worked through by itself.  The pairs between
 * its clusters are kept in a hash table and a heap.  As clusters are joined, what
 * the smaller one is linked to moves to the larger one; the other means of the
 * larger one can only have fallen, and are worked out again when they come up.
 * So n pairs take O(n log^2 n).
 */
#include "postgres.h"

#include "lib/pairingheap.h"
#include "matching/clusters.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#define MOST_EVIDENCE 20.0
#define ABSENT_EVIDENCE (-1.0)

/* Two clusters by their roots, the lesser one first */
typedef struct EdgeKey
{
	uint32		one;
	uint32		other;
} EdgeKey;

/* The pairs between two clusters */
typedef struct Edge
{
	EdgeKey		key;
	pairingheap_node node;
	double		evidence;		/* of the pairs found, above what they would count for if absent */
	double		mean;			/* as of when it was put into the heap */
	bool		has_match;
	bool		is_waiting;		/* in the heap */
} Edge;

/* A pair by its place among all, and the chain of matches that it is in, by its first record */
typedef struct ChainPair
{
	uint64		pair;
	uint32		chain;
} ChainPair;

typedef struct AverageLinks
{
	Clusters   *clusters;
	uint16	   *counts;			/* by record, how many pairs it is in, as far as crowd */
	uint16		crowd;			/* so many may not be all */
	uint32	   *crowded;		/* by root, how many members are in that many */
	HTAB	   *edges;
	pairingheap *heap;
	List	  **neighbours;		/* roots that a root has or had edges to */
} AverageLinks;

/* Order pairs by chain, those of one as they were */
#define ST_SORT SortChainPairs
#define ST_ELEMENT_TYPE ChainPair
#define ST_COMPARE(a, b) (a->chain != b->chain ? (a->chain > b->chain ? 1 : -1) : (a->pair > b->pair) - (a->pair < b->pair))
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Does an edge come after another?  The one of the greater mean comes first. */
static int
CompareEdges(const pairingheap_node *a, const pairingheap_node *b, void *arg)
{
	const Edge *left = pairingheap_const_container(Edge, node, a);
	const Edge *right = pairingheap_const_container(Edge, node, b);

	if (left->mean != right->mean)
		return left->mean > right->mean ? 1 : -1;
	if (left->key.one != right->key.one)
		return left->key.one < right->key.one ? 1 : -1;
	return left->key.other < right->key.other ? 1 : -1;
}

/* Get the mean weight of all pairs between two clusters */
static double
EdgeMean(const AverageLinks *links, const Edge *edge)
{
	const uint32 *size = links->clusters->size;
	uint32		one = edge->key.one;
	uint32		other = edge->key.other;
	double		absent = (double) (size[one] - links->crowded[one]) * (size[other] - links->crowded[other]);

	return (edge->evidence + absent * ABSENT_EVIDENCE) / ((double) size[one] * size[other]);
}

/* Look for the pairs between two clusters, with hash_search()'s actions */
static Edge *
FindEdge(AverageLinks *links, uint32 one, uint32 other, HASHACTION action, bool *found)
{
	EdgeKey		key = {Min(one, other), Max(one, other)};

	return hash_search(links->edges, &key, action, found);
}

/* Put an edge where its mean belongs in the heap, if its clusters may be joined */
static void
PlaceEdge(AverageLinks *links, Edge *edge)
{
	if (edge->is_waiting)
		pairingheap_remove(links->heap, &edge->node);
	edge->mean = EdgeMean(links, edge);
	edge->is_waiting = edge->has_match && edge->mean >= 0;
	if (edge->is_waiting)
		pairingheap_add(links->heap, &edge->node);
}

/* Add evidence to the pairs between two clusters */
static Edge *
AddEvidence(AverageLinks *links, uint32 one, uint32 other, double evidence, bool has_match)
{
	bool		found;
	Edge	   *edge = FindEdge(links, one, other, HASH_ENTER, &found);

	if (!found)
	{
		edge->evidence = 0;
		edge->has_match = edge->is_waiting = false;
		links->neighbours[one] = lappend_oid(links->neighbours[one], other);
		links->neighbours[other] = lappend_oid(links->neighbours[other], one);
	}
	edge->evidence += evidence;
	edge->has_match |= has_match;
	return edge;
}

/* Join two clusters; what one was linked to goes over to the other */
static void
JoinLinked(AverageLinks *links, uint32 one, uint32 other)
{
	Clusters   *clusters = links->clusters;
	uint32		kept;
	uint32		gone;
	ListCell   *cell;

	ClustersJoin(clusters, one, other);
	kept = FindRoot(clusters->parent, one);
	gone = kept == one ? other : one;
	links->crowded[kept] += links->crowded[gone];
	FindEdge(links, one, other, HASH_REMOVE, NULL);
	foreach(cell, links->neighbours[gone])
	{
		uint32		neighbour = lfirst_oid(cell);
		Edge	   *edge = clusters->parent[neighbour] == neighbour ? FindEdge(links, gone, neighbour, HASH_FIND, NULL) : NULL;
		double		evidence;
		bool		has_match;

		if (edge == NULL)
			continue;
		evidence = edge->evidence;
		has_match = edge->has_match;
		if (edge->is_waiting)
			pairingheap_remove(links->heap, &edge->node);
		FindEdge(links, gone, neighbour, HASH_REMOVE, NULL);
		PlaceEdge(links, AddEvidence(links, kept, neighbour, evidence, has_match));
	}
	list_free(links->neighbours[gone]);
	links->neighbours[gone] = NIL;
}

/* Is a record in so many pairs that it may be in more? */
static inline bool
IsCrowded(const AverageLinks *links, uint32 record)
{
	return links->counts[record] == links->crowd;
}

/* Count the pairs of each record, and the crowded ones of each cluster */
static void
CountPairs(AverageLinks *links, const FoundPair *pairs, uint64 count)
{
	Size		records = links->clusters->records->count;

	links->counts = MemoryContextAllocExtended(CurrentMemoryContext, sizeof(uint16) * (records + 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	links->crowded = MemoryContextAllocExtended(CurrentMemoryContext, sizeof(uint32) * (records + 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint64 i = 0; i < count; i++)
	{
		links->counts[pairs[i].left] += links->counts[pairs[i].left] < links->crowd;
		links->counts[pairs[i].right] += links->counts[pairs[i].right] < links->crowd;
	}
	for (uint32 r = 0; r < records; r++)
		if (IsCrowded(links, r))
			links->crowded[FindRoot(links->clusters->parent, r)]++;
}

/*
 * Say of pairs which chain of matches connects their records, and order them by
 * that.  Pairs of different chains are dropped, as nothing can join their
 * clusters.  Returns how many are left.
 */
static uint64
ArrangeChains(const Clusters *clusters, const FoundPair *pairs, uint64 matches, ChainPair *rest, uint64 count)
{
	Size		size = sizeof(uint32) * (Size) clusters->records->count;
	uint32	   *chain = memcpy(MemoryContextAllocHuge(CurrentMemoryContext, size + 1), clusters->parent, size);
	uint64		left = 0;

	for (uint64 i = 0; i < count; i++)
		if (rest[i].pair < matches)
		{
			uint32		one = FindRoot(chain, pairs[rest[i].pair].left);
			uint32		other = FindRoot(chain, pairs[rest[i].pair].right);

			chain[Max(one, other)] = Min(one, other);
		}
	for (uint64 i = 0; i < count; i++)
	{
		rest[left] = rest[i];
		rest[left].chain = FindRoot(chain, pairs[rest[i].pair].left);
		left += rest[left].chain == FindRoot(chain, pairs[rest[i].pair].right);
	}
	pfree(chain);
	SortChainPairs(rest, left);
	return left;
}

/* Join the clusters of one chain by its pairs */
static void
JoinChain(AverageLinks *links, const FoundPair *pairs, uint64 matches, const ChainPair *chain, uint64 count)
{
	Clusters   *clusters = links->clusters;
	HASHCTL		ctl = {0};
	HASH_SEQ_STATUS sequence;
	Edge	   *edge;

	ctl.keysize = sizeof(EdgeKey);
	ctl.entrysize = sizeof(Edge);
	ctl.hcxt = CurrentMemoryContext;
	links->edges = hash_create("lead_mgmt links of clusters", count, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	links->heap = pairingheap_allocate(CompareEdges, NULL);
	for (uint64 i = 0; i < count; i++)
	{
		const FoundPair *pair = &pairs[chain[i].pair];
		double		absent = IsCrowded(links, pair->left) || IsCrowded(links, pair->right) ? 0 : ABSENT_EVIDENCE;

		AddEvidence(links, FindRoot(clusters->parent, pair->left), FindRoot(clusters->parent, pair->right),
					Max(Min(pair->weight, MOST_EVIDENCE) - absent, 0), chain[i].pair < matches);
	}
	hash_seq_init(&sequence, links->edges);
	while ((edge = hash_seq_search(&sequence)) != NULL)
		PlaceEdge(links, edge);
	while (!pairingheap_is_empty(links->heap))
	{
		double		mean;

		CHECK_FOR_INTERRUPTS();
		edge = pairingheap_container(Edge, node, pairingheap_remove_first(links->heap));
		edge->is_waiting = false;
		mean = EdgeMean(links, edge);
		if (mean < edge->mean)
			PlaceEdge(links, edge);
		else if (!ClustersDiffer(clusters, edge->key.one, edge->key.other))
			JoinLinked(links, edge->key.one, edge->key.other);
	}
	for (uint64 i = 0; i < count; i++)
		links->neighbours[FindRoot(clusters->parent, pairs[chain[i].pair].left)] =
			links->neighbours[FindRoot(clusters->parent, pairs[chain[i].pair].right)] = NIL;
}

/*
 * Join clusters by the pairs that were found, of which those in front match.
 * Two records that were found to be in no other pair need no more looking at;
 * records in as many as crowd may be in more.
 */
void
AverageLink(Clusters *clusters, const FoundPair *pairs, uint64 count, uint64 matches, int crowd)
{
	MemoryContext work = AllocSetContextCreate(CurrentMemoryContext, "lead_mgmt average links", ALLOCSET_DEFAULT_SIZES);
	MemoryContext of_chain = AllocSetContextCreate(work, "lead_mgmt average links of a chain", ALLOCSET_DEFAULT_SIZES);
	MemoryContext outer = MemoryContextSwitchTo(work);
	AverageLinks links = {0};
	ChainPair  *rest = MemoryContextAllocHuge(work, sizeof(ChainPair) * (count + 1));
	uint64		rest_count = 0;

	links.clusters = clusters;
	links.crowd = Max(2, Min(crowd, PG_UINT16_MAX));
	links.neighbours = MemoryContextAllocExtended(work, sizeof(List *) * ((uint64) clusters->records->count + 1),
												  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	CountPairs(&links, pairs, count);
	for (uint64 i = 0; i < count; i++)
	{
		uint32		one = FindRoot(clusters->parent, pairs[i].left);
		uint32		other = FindRoot(clusters->parent, pairs[i].right);

		if (i % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		if (one == other)
			continue;
		if (links.counts[pairs[i].left] > 1 || links.counts[pairs[i].right] > 1 || clusters->size[one] > 1 || clusters->size[other] > 1)
			rest[rest_count++].pair = i;
		else if (i < matches && !ClustersDiffer(clusters, one, other))
			ClustersJoin(clusters, one, other);
	}
	rest_count = ArrangeChains(clusters, pairs, matches, rest, rest_count);
	MemoryContextSwitchTo(of_chain);
	for (uint64 i = 0, next; i < rest_count; i = next)
	{
		for (next = i + 1; next < rest_count && rest[next].chain == rest[i].chain; next++)
			;
		JoinChain(&links, pairs, matches, &rest[i], next - i);
		MemoryContextReset(of_chain);
	}
	MemoryContextSwitchTo(outer);
	MemoryContextDelete(work);
}
