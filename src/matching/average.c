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
 * Pairs between clusters are kept in a hash table and a heap.  As clusters are
 * joined, what the smaller one is linked to moves to the larger one; the other
 * means of the larger one can only have fallen, and are worked out again when
 * they come up.  So n pairs take O(n log^2 n).
 */
#include "postgres.h"

#include "lib/pairingheap.h"
#include "matching/clusters.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#define MOST_EVIDENCE 10.0
#define ABSENT_EVIDENCE (-2.0)

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

typedef struct AverageLinks
{
	Clusters   *clusters;
	uint32	   *crowded;		/* by root, how many members are in too many pairs for all to be known */
	HTAB	   *edges;
	pairingheap *heap;
	List	  **neighbours;		/* roots that a root has or had edges to */
} AverageLinks;

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
	kept = ClustersRoot(clusters, one);
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

/* Count the pairs that each record is in, as far as a number of them */
static uint16 *
CountPairs(const Clusters *clusters, const FoundPair *pairs, uint64 count, uint16 most)
{
	uint16	   *counts = MemoryContextAllocExtended(CurrentMemoryContext, sizeof(uint16) * ((Size) clusters->records->count + 1),
													MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	for (uint64 i = 0; i < count; i++)
	{
		counts[pairs[i].left] += counts[pairs[i].left] < most;
		counts[pairs[i].right] += counts[pairs[i].right] < most;
	}
	return counts;
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
	MemoryContext outer = MemoryContextSwitchTo(work);
	AverageLinks links;
	HASHCTL		ctl = {0};
	HASH_SEQ_STATUS sequence;
	Edge	   *edge;
	uint16		many = Max(2, Min(crowd, PG_UINT16_MAX));
	uint16	   *counts = CountPairs(clusters, pairs, count, many);

	ctl.keysize = sizeof(EdgeKey);
	ctl.entrysize = sizeof(Edge);
	ctl.hcxt = work;
	links.clusters = clusters;
	links.edges = hash_create("lead_mgmt links of clusters", 1024, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	links.heap = pairingheap_allocate(CompareEdges, NULL);
	links.neighbours = MemoryContextAllocExtended(work, sizeof(List *) * ((uint64) clusters->records->count + 1),
												  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	links.crowded = MemoryContextAllocExtended(work, sizeof(uint32) * ((uint64) clusters->records->count + 1),
											   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint32 r = 0; r < clusters->records->count; r++)
		if (counts[r] == many)
			links.crowded[ClustersRoot(clusters, r)]++;
	for (uint64 i = 0; i < count; i++)
	{
		uint32		one = ClustersRoot(clusters, pairs[i].left);
		uint32		other = ClustersRoot(clusters, pairs[i].right);

		if (i % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		if (one == other)
			continue;
		if (counts[pairs[i].left] > 1 || counts[pairs[i].right] > 1 || clusters->size[one] > 1 || clusters->size[other] > 1)
		{
			double		absent = counts[pairs[i].left] == many || counts[pairs[i].right] == many ? 0 : ABSENT_EVIDENCE;

			AddEvidence(&links, one, other, Max(Min(pairs[i].weight, MOST_EVIDENCE) - absent, 0), i < matches);
		}
		else if (i < matches && !ClustersDiffer(clusters, one, other))
			ClustersJoin(clusters, one, other);
	}
	hash_seq_init(&sequence, links.edges);
	while ((edge = hash_seq_search(&sequence)) != NULL)
		PlaceEdge(&links, edge);
	while (!pairingheap_is_empty(links.heap))
	{
		double		mean;

		CHECK_FOR_INTERRUPTS();
		edge = pairingheap_container(Edge, node, pairingheap_remove_first(links.heap));
		edge->is_waiting = false;
		mean = EdgeMean(&links, edge);
		if (mean < edge->mean)
			PlaceEdge(&links, edge);
		else if (!ClustersDiffer(clusters, edge->key.one, edge->key.other))
			JoinLinked(&links, edge->key.one, edge->key.other);
	}
	MemoryContextSwitchTo(outer);
	MemoryContextDelete(work);
}
