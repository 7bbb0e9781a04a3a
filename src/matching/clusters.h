/*
 * Clusters of records in the making.
 */
#ifndef LEAD_MGMT_CLUSTERS_H
#define LEAD_MGMT_CLUSTERS_H

#include "matching/pairs.h"

/* Other records that a record is linked to, or differs from */
typedef struct Neighbours
{
	uint32	   *first;			/* by record, where its neighbours begin */
	uint32	   *others;
} Neighbours;

typedef struct Clusters
{
	const MatchRecords *records;
	uint32	   *parent;
	uint32	   *size;			/* by root */
	uint32	   *next;			/* ring of the members of a cluster */
	Neighbours	linked;
	Neighbours	different;
} Clusters;

/* Get the root of a record's tree */
static inline uint32
FindRoot(uint32 *parent, uint32 record)
{
	while (parent[record] != record)
	{
		parent[record] = parent[parent[record]];
		record = parent[record];
	}
	return record;
}

extern bool ClustersDiffer(Clusters *clusters, uint32 one, uint32 other);
extern void ClustersJoin(Clusters *clusters, uint32 one, uint32 other);
extern void AverageLink(Clusters *clusters, const FoundPair *pairs, uint64 count, uint64 matches, int crowd);

#endif
