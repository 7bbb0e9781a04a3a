/*
 * Merging contacts or accounts that a record shows to be one.
 *
 * All entities of the chunk that exist are locked first, in the order of their
 * ids.  Then pairs are held back that contradict each other in what the chunk
 * did not see: ids of one source system, or a person's word.  The rest are
 * merged into the oldest of each group, and the chunk is decided anew, which
 * finds the survivors.  A merge that fails leaves the two apart; it does not
 * cost the submission.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "matching/identity.h"
#include "predicate/attempt.h"
#include "utils/array.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

/* Somebody to be merged */
typedef struct Member
{
	int64		id;
	int64		root;			/* of the group */
	TimestampTz created_at;
} Member;

/* Order members by group, the oldest first */
static int
CompareMembers(const void *a, const void *b)
{
	const Member *left = a;
	const Member *right = b;

	if (left->root != right->root)
		return left->root < right->root ? -1 : 1;
	if (left->created_at != right->created_at)
		return left->created_at < right->created_at ? -1 : 1;
	return left->id < right->id ? -1 : left->id > right->id;
}

/* Remember that two entities are not to be merged */
static void
KeepApart(IdentityTable *table, int64 left, int64 right)
{
	table->apart = table->apart ? repalloc(table->apart, sizeof(EntityPair) * (table->apart_count + 1)) :
		palloc(sizeof(EntityPair));
	table->apart[table->apart_count++] = (EntityPair) {
		left, right
	};
}

/* Lock all entities of the chunk; returns those that are to be merged, sorted by group */
static Member *
LockMembers(IdentityTable *table, EntityRecord **records, int n, int *count)
{
	const EntityKindOps *ops = table->ops;
	Batch	   *batch = BatchCreate(ops->lock->args, 1, n + table->merge_count * 2);
	Member	   *members;
	int			found;

	for (int i = 0; i < n; i++)
		if (records[i]->slot && !IdentityRoot(records[i]->slot)->is_new)
		{
			BatchSet(batch, 0, Int64GetDatum(IdentityRoot(records[i]->slot)->id));
			BatchNext(batch);
		}
	for (int m = 0; m < table->merge_count * 2; m++)
	{
		EntitySlot *slot = table->merges[m / 2].slots[m % 2];

		slot->is_missing = true;	/* until it is found below */
		BatchSet(batch, 0, Int64GetDatum(slot->id));
		BatchNext(batch);
	}
	found = BatchExecute(table->ws, ops->lock, batch);
	members = palloc(sizeof(Member) * Max(found, 1));
	*count = 0;
	for (int i = 0; i < found; i++)
	{
		int64		id = ResultInt64(i, 1, NULL);
		EntitySlot *slot = hash_search(table->existing, &id, HASH_FIND, NULL);

		if (!slot->is_missing)
			continue;
		slot->is_missing = false;
		members[(*count)++] = (Member) {
			id, IdentityRoot(slot)->id, ResultTimestamp(i, 2)
		};
	}
	SPI_freetuptable(SPI_tuptable);
	for (int m = 0; m < table->merge_count * 2; m++)
		if (table->merges[m / 2].slots[m % 2]->is_missing)
			IdentityRace(ops);
	qsort(members, *count, sizeof(Member), CompareMembers);
	return members;
}

/* Find pairs that contradict each other in what is stored; false when there is none */
static bool
FindApart(IdentityTable *table)
{
	Batch	   *batch = BatchCreate(table->ops->apart->args, 2, table->merge_count);
	int			found;

	for (int m = 0; m < table->merge_count; m++)
	{
		BatchSet(batch, 0, Int64GetDatum(table->merges[m].slots[0]->id));
		BatchSet(batch, 1, Int64GetDatum(table->merges[m].slots[1]->id));
		BatchNext(batch);
	}
	found = BatchExecute(table->ws, table->ops->apart, batch);
	for (int i = 0; i < found; i++)
		KeepApart(table, ResultInt64(i, 1, NULL), ResultInt64(i, 2, NULL));
	SPI_freetuptable(SPI_tuptable);
	return found > 0;
}

/* A group that is to become its first member */
typedef struct GroupMerge
{
	IdentityTable *table;
	Datum		values[2];
} GroupMerge;

/* Have a group merged */
static void
ExecuteMerge(void *arg)
{
	GroupMerge *merge = arg;

	WorkspaceExecute(merge->table->ws, merge->table->ops->merge, merge->values, NULL);
	SPI_freetuptable(SPI_tuptable);
}

/* Merge a group into its first member; false when the server refuses */
static bool
MergeGroup(IdentityTable *table, const Member *members, int n)
{
	GroupMerge	merge = {table};
	Datum	   *losers = palloc(sizeof(Datum) * n);
	ErrorData  *error;

	for (int i = 1; i < n; i++)
		losers[i - 1] = Int64GetDatum(members[i].id);
	merge.values[0] = Int64GetDatum(members[0].id);
	merge.values[1] = PointerGetDatum(construct_array(losers, n - 1, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	error = Attempt(ExecuteMerge, &merge);
	if (error != NULL && !ErrorIsOfRow(error->sqlerrcode))
		ReThrowError(error);
	return error == NULL;
}

/* Note with each record that helped to bring a group together what became of it */
static void
NoteMerge(IdentityTable *table, const Member *members, int n, bool merged)
{
	for (int m = 0; m < table->merge_count; m++)
	{
		EntityMerge *merge = &table->merges[m];

		if (IdentityRoot(merge->slots[0])->id != members[0].root)
			continue;
		if (!merged)
		{
			KeepApart(table, merge->slots[0]->id, merge->slots[1]->id);
			continue;
		}
		if (m > 0 && table->merges[m - 1].record == merge->record)
			continue;			/* the group is noted with it */
		if (merge->record->merged == NULL)
			merge->record->merged = makeStringInfo();
		for (int i = 1; i < n; i++)
			appendStringInfo(merge->record->merged, "%s" INT64_FORMAT, merge->record->merged->len > 0 ? ", " : "",
							 members[i].id);
	}
}

/* Merge what the decisions on the chunk found to be one */
void
MergeFound(IdentityTable *table, EntityRecord **records, int n)
{
	int			count;
	Member	   *members = LockMembers(table, records, n, &count);

	if (FindApart(table))
		return;
	for (int first = 0, last; first < count; first = last)
	{
		for (last = first + 1; last < count && members[last].root == members[first].root;)
			last++;
		NoteMerge(table, &members[first], last - first, MergeGroup(table, &members[first], last - first));
	}
}
