/*
 * Comparing the pairs of blocks in parallel workers.
 *
 * The leader moves the arrays that pairs are compared by into shared memory
 * and works with the workers through a list of tasks: ranges of the codes of a
 * key, each with blocks of its own, which share nothing that is written.  What
 * is found goes to the leader through queues once there are no tasks left, and
 * is put together in the order of the tasks; counts of patterns are added up
 * exactly.  So the results are the same to the last bit, and in the same
 * order, however many workers there are.
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "matching/arrays.h"
#include "matching/parallel.h"
#include "matching/shared.h"
#include "miscadmin.h"
#include "optimizer/cost.h"
#include "storage/dsm.h"
#include "storage/proc.h"

/* Tasks for each process, so that none waits long for the last */
#define TASKS_PER_PROCESS 8

/* Finding the blocks of keys takes memory in every process, and little time */
#define BUILD_WORKERS 1

/* Results go through a queue of this size, so many at a time */
#define QUEUE_SIZE 262144
#define MESSAGE_ITEMS 1024

/* What is in the segment that the workers are started with */
#define SHARED_KEY_JOB 1
#define SHARED_KEY_QUEUES 2

typedef enum
{
	SHARED_BUILD,				/* find the blocks of keys */
	SHARED_SEARCH,				/* find pairs whose weight reaches a limit */
	SHARED_COUNT				/* count patterns, of random pairs and of those in blocks */
} SharedWork;

/*
 * What the workers are told.  Arrays are in the shared segment, their addresses
 * those of the leader; what else the structures point to is not to be touched.
 */
typedef struct SharedJob
{
	int			segment_count;
	SharedSegment segments[SHARED_MAX_SEGMENTS];
	MatchModel	model;
	MatchRecords records;
	MatchDictionary words[MODEL_MAX_FIELDS];
	MatchKeys	keys;
	SharedWork	work;
	double		wanted;			/* pairs in blocks, when building */
	double		at_least;		/* weight, when searching */
	uint64		random_pairs;	/* when counting */
	uint32		slices;			/* of each key */
	uint32		task_count;
	pg_atomic_uint32 next_task;
	pg_atomic_uint64 met;		/* pairs, by workers, */
	pg_atomic_uint64 compared;	/* and those compared in full */
} SharedJob;

/* What one process finds */
typedef struct SharedFinds
{
	PairFinder *finder;
	uint64	   *first;			/* by task, where its pairs begin, */
	uint64	   *count;			/* and how many they are */
	PatternTable *tables[2];	/* of random pairs, of those in blocks */
	KeyBuilder *builder;
} SharedFinds;

/* What a message holds */
typedef enum
{
	ITEM_PAIR,
	ITEM_PATTERN,
	ITEM_MEMBER,
	ITEM_SEAM,
	ITEM_BLOCKS
} ItemKind;

/* What goes before the items of a message */
typedef struct MessageHead
{
	ItemKind	kind;
	uint32		task;			/* or table, or key */
	uint32		count;
} MessageHead;

PGDLLEXPORT void MatchWorkerMain(dsm_segment *segment, shm_toc *toc);

/* Get how many workers are worth asking for */
int
SharedWorkers(const MatchRecords *records)
{
	if (records->count < SHARED_MIN_RECORDS || IsInParallelMode())
		return 0;
	return max_parallel_workers_per_gather;
}

/* Move what pairs are compared by into shared memory, unless it is there; false when there is none */
static bool
ShareArrays(MatchRecords *records, MatchKeys *keys)
{
	if (records->shared == NULL)
		records->shared = SharedCreate(records->context);
	VisitRecords(records, SharedAddRoom, records->shared);
	VisitKeys(keys, SharedAddRoom, records->shared);
	VisitRecords(records, SharedMove, records->shared);
	VisitKeys(keys, SharedMove, records->shared);
	return records->shared->is_complete;
}

/* Give shared memory back; the records cannot be used any more */
void
SharedRelease(MatchRecords *records)
{
	if (records->shared == NULL)
		return;
	for (int s = 0; s < records->shared->count; s++)
		if (records->shared->segments[s])
			dsm_detach(records->shared->segments[s]);
	records->shared = NULL;
}

/* Make what one process finds */
static SharedFinds *
CreateFinds(const SharedJob *job, MatchKeys *keys, PairScorer *scorer)
{
	SharedFinds *finds = palloc0(sizeof(SharedFinds));

	if (job->work == SHARED_BUILD)
	{
		finds->builder = KeyBuilderCreate(keys, job->wanted);
		return finds;
	}
	finds->finder = FinderCreate(scorer, job->at_least);
	finds->first = palloc0(sizeof(uint64) * job->task_count);
	finds->count = palloc0(sizeof(uint64) * job->task_count);
	if (job->work == SHARED_COUNT)
		for (int t = 0; t < 2; t++)
			finds->tables[t] = PatternsCreate();
	return finds;
}

/* Work through tasks until there are none left */
static void
WorkOnTasks(SharedJob *job, const MatchKeys *keys, PairScorer *scorer, SharedFinds *finds)
{
	uint32		random_tasks = job->work == SHARED_COUNT ? RANDOM_PARTS : 0;
	uint32		task;

	while ((task = pg_atomic_fetch_add_u32(&job->next_task, 1)) < job->task_count)
	{
		uint32		part = task - random_tasks;
		KeysSlice	slice = {part % job->slices, job->slices};

		CHECK_FOR_INTERRUPTS();
		if (job->work == SHARED_BUILD)
			KeyBuild(finds->builder, task);
		else if (task < random_tasks)
			PatternsOfRandomPairs(finds->tables[0], scorer, job->random_pairs, task);
		else if (job->work == SHARED_COUNT)
			PatternsOfSlice(finds->tables[1], scorer, keys, part / job->slices, &slice);
		else
		{
			finds->first[task] = finds->finder->count;
			FinderSearchSlice(finds->finder, keys, part / job->slices, &slice);
			finds->count[task] = finds->finder->count - finds->first[task];
		}
	}
}

/* Send items to the leader; false when it does not listen any more */
static bool
SendItems(shm_mq_handle *queue, ItemKind kind, uint32 task, const void *items, uint64 count, Size item_size)
{
	for (uint64 from = 0; from < count; from += MESSAGE_ITEMS)
	{
		MessageHead head = {kind, task, Min(MESSAGE_ITEMS, count - from)};
		shm_mq_iovec parts[2] = {
			{(const char *) &head, sizeof(head)},
			{(const char *) items + from * item_size, head.count * item_size}
		};

		if (shm_mq_sendv(queue, parts, lengthof(parts), false, true) != SHM_MQ_SUCCESS)
			return false;
	}
	return true;
}

/* Send the blocks of the keys that were built here to the leader */
static void
SendBlocks(shm_mq_handle *queue, const MatchKeys *keys)
{
	for (int k = 0; k < keys->model->key_count; k++)
	{
		const KeyBlocks *blocks = &keys->blocks[k];

		if (blocks->members == NULL)
			continue;
		if (!SendItems(queue, ITEM_BLOCKS, k, blocks, 1, sizeof(KeyBlocks)) ||
			!SendItems(queue, ITEM_MEMBER, k, blocks->members, blocks->member_count, sizeof(CodeEntry)) ||
			!SendItems(queue, ITEM_SEAM, k, blocks->seams, blocks->seam_count, 2 * sizeof(uint32)))
			return;
	}
}

/* Send what was found to the leader */
static void
SendFinds(shm_mq_handle *queue, const SharedJob *job, const MatchKeys *keys, const SharedFinds *finds)
{
	if (job->work == SHARED_BUILD)
	{
		SendBlocks(queue, keys);
		return;
	}
	for (uint32 task = 0; task < job->task_count; task++)
		if (!SendItems(queue, ITEM_PAIR, task, finds->finder->pairs + finds->first[task], finds->count[task],
					   sizeof(FoundPair)))
			return;
	for (int t = 0; t < 2 && finds->tables[t]; t++)
	{
		int			count;
		PatternCount **list = PatternsList(finds->tables[t], &count);

		for (int i = 0; i < count; i++)
			if (!SendItems(queue, ITEM_PATTERN, t, list[i], 1, sizeof(PatternCount)))
				return;
	}
}

/* Take the blocks of a key, whose members and seams follow */
static void
TakeBlocks(KeyBlocks *blocks, const char *item)
{
	memcpy(blocks, item, sizeof(KeyBlocks));
	blocks->members = ArrayAllocate(CurrentMemoryContext, sizeof(CodeEntry) * (uint64) Max(blocks->member_count, 1));
	blocks->seams = blocks->seam_count == 0 ? NULL :
		ArrayAllocate(CurrentMemoryContext, 2 * sizeof(uint32) * (uint64) blocks->seam_count);
	blocks->member_count = blocks->seam_count = 0;
}

/* Take what a worker found */
static void
ReceiveFinds(shm_mq_handle *queue, MatchKeys *keys, SharedFinds *finds)
{
	Size		size;
	void	   *data;

	while (shm_mq_receive(queue, &size, &data, false) == SHM_MQ_SUCCESS)
	{
		MessageHead head;
		const char *items = (const char *) data + sizeof(MessageHead);
		PatternCount entry;
		KeyBlocks  *blocks;

		memcpy(&head, data, sizeof(MessageHead));
		blocks = &keys->blocks[Min(head.task, MODEL_MAX_KEYS - 1)];
		switch (head.kind)
		{
			case ITEM_PAIR:
				if (finds->count[head.task] == 0)
					finds->first[head.task] = finds->finder->count;
				finds->count[head.task] += head.count;
				FinderAppend(finds->finder, (const FoundPair *) items, head.count);
				break;
			case ITEM_PATTERN:
				memcpy(&entry, items, sizeof(PatternCount));
				PatternsMerge(finds->tables[head.task], &entry);
				break;
			case ITEM_BLOCKS:
				TakeBlocks(blocks, items);
				break;
			case ITEM_MEMBER:
				memcpy(blocks->members + blocks->member_count, items, head.count * sizeof(CodeEntry));
				blocks->member_count += head.count;
				break;
			case ITEM_SEAM:
				memcpy(blocks->seams + 2 * (uint64) blocks->seam_count, items, head.count * 2 * sizeof(uint32));
				blocks->seam_count += head.count;
				break;
		}
	}
}

/* Give the first so many segments with the arrays of a leader back */
static void
DetachArrays(const SharedJob *job, int count)
{
	for (int s = 0; s < count; s++)
		if (job->segments[s].size > 0)
			dsm_detach(dsm_find_mapping(job->segments[s].handle));
}

/* Take part in the work of a leader */
void
MatchWorkerMain(dsm_segment *segment, shm_toc *toc)
{
	SharedJob  *job = shm_toc_lookup(toc, SHARED_KEY_JOB, false);
	shm_mq	   *queue = (shm_mq *) ((char *) shm_toc_lookup(toc, SHARED_KEY_QUEUES, false) +
									QUEUE_SIZE * ParallelWorkerNumber);
	shm_mq_handle *handle;
	Relocation	relocation = {job->segment_count, job->segments};
	MatchRecords *records = palloc(sizeof(MatchRecords));
	MatchKeys  *keys = palloc(sizeof(MatchKeys));
	MatchDictionary *words = palloc(sizeof(job->words));
	PairScorer *scorer;
	SharedFinds *finds;

	shm_mq_set_sender(queue, MyProc);
	handle = shm_mq_attach(queue, segment, NULL);
	for (int s = 0; s < job->segment_count; s++)
	{
		dsm_segment *arrays;

		if (job->segments[s].size == 0)
			continue;
		arrays = dsm_attach(job->segments[s].handle);
		if (arrays == NULL)
		{
			DetachArrays(job, s);
			return;				/* the leader gave up */
		}
		relocation.bases[s] = dsm_segment_address(arrays);
	}
	*records = job->records;
	*keys = job->keys;
	memcpy(words, job->words, sizeof(job->words));
	records->model = keys->model = &job->model;
	keys->records = records;
	for (int d = 0; d < job->model.dictionary_count; d++)
		if (records->dictionaries[d].words)
			records->dictionaries[d].words = &words[d];
	RecordsJoinParts(records);
	VisitRecords(records, SharedRelocate, &relocation);
	VisitKeys(keys, SharedRelocate, &relocation);

	scorer = job->work == SHARED_BUILD ? NULL : ScorerCreate(records);
	finds = CreateFinds(job, keys, scorer);
	WorkOnTasks(job, keys, scorer, finds);
	if (finds->finder)
	{
		pg_atomic_fetch_add_u64(&job->met, finds->finder->met);
		pg_atomic_fetch_add_u64(&job->compared, finds->finder->compared);
	}
	SendFinds(handle, job, keys, finds);
	shm_mq_detach(handle);
	DetachArrays(job, job->segment_count);
}

/* Describe a job to the workers */
static void
DescribeJob(SharedJob *job, const SharedJob *wanted, MatchRecords *records, const MatchKeys *keys, int processes)
{
	*job = *wanted;
	job->segment_count = records->shared->count;
	memcpy(job->segments, records->shared->described, sizeof(job->segments));
	job->model = *records->model;
	job->records = *records;
	job->keys = *keys;
	for (int d = 0; d < records->model->dictionary_count; d++)
		if (records->dictionaries[d].words)
			job->words[d] = *records->dictionaries[d].words;
	job->slices = 1 + TASKS_PER_PROCESS * processes / Max(keys->model->key_count, 1);
	job->task_count = job->work == SHARED_BUILD ? keys->model->key_count :
		job->slices * keys->model->key_count + (job->work == SHARED_COUNT ? RANDOM_PARTS : 0);
	pg_atomic_init_u32(&job->next_task, 0);
	pg_atomic_init_u64(&job->met, 0);
	pg_atomic_init_u64(&job->compared, 0);
}

/* Do a job together with workers; returns what all of them found */
static SharedFinds *
RunJob(const SharedJob *wanted, MatchRecords *records, MatchKeys *keys, int workers, uint32 *task_count)
{
	PairScorer *scorer = wanted->work == SHARED_BUILD ? NULL : ScorerCreate(records);
	ParallelContext *context;
	SharedJob  *job;
	SharedFinds *finds;
	char	   *queues;
	shm_mq_handle **handles = palloc(sizeof(shm_mq_handle *) * workers);

	EnterParallelMode();
	context = CreateParallelContext("lead_mgmt", "MatchWorkerMain", workers);
	shm_toc_estimate_chunk(&context->estimator, sizeof(SharedJob));
	shm_toc_estimate_chunk(&context->estimator, mul_size(QUEUE_SIZE, workers));
	shm_toc_estimate_keys(&context->estimator, 2);
	InitializeParallelDSM(context);
	job = shm_toc_allocate(context->toc, sizeof(SharedJob));
	DescribeJob(job, wanted, records, keys, workers + 1);
	shm_toc_insert(context->toc, SHARED_KEY_JOB, job);
	queues = shm_toc_allocate(context->toc, mul_size(QUEUE_SIZE, workers));
	for (int w = 0; w < workers; w++)
		shm_mq_set_receiver(shm_mq_create(queues + QUEUE_SIZE * w, QUEUE_SIZE), MyProc);
	shm_toc_insert(context->toc, SHARED_KEY_QUEUES, queues);
	LaunchParallelWorkers(context);
	for (int w = 0; w < context->nworkers_launched; w++)
		handles[w] = shm_mq_attach((shm_mq *) (queues + QUEUE_SIZE * w), context->seg, context->worker[w].bgwhandle);

	finds = CreateFinds(job, keys, scorer);
	WorkOnTasks(job, keys, scorer, finds);
	for (int w = 0; w < context->nworkers_launched; w++)
		ReceiveFinds(handles[w], keys, finds);
	WaitForParallelWorkersToFinish(context);
	*task_count = job->task_count;
	if (finds->finder)
	{
		finds->finder->met += pg_atomic_read_u64(&job->met);
		finds->finder->compared += pg_atomic_read_u64(&job->compared);
	}
	DestroyParallelContext(context);
	ExitParallelMode();
	return finds;
}

/* Find the blocks of all keys together with workers; false when there is no shared memory for that */
static bool
SharedBuild(MatchRecords *records, MatchKeys *keys, double wanted_pairs, int workers)
{
	SharedJob	wanted = {.work = SHARED_BUILD,.wanted = wanted_pairs};
	SharedFinds *finds;
	uint32		task_count;

	if (!ShareArrays(records, keys))
		return false;
	keys->codes = SharedAllocate(records->shared, sizeof(uint32) * (uint64) keys->stride * records->count);
	if (keys->codes == NULL)
		return false;
	finds = RunJob(&wanted, records, keys, workers, &task_count);
	KeyBuilderFree(finds->builder);
	return true;
}

/* Work out the codes of all keys and find their blocks, of which a share will do if they have more pairs than wanted */
MatchKeys *
KeysBuild(MatchRecords *records, double wanted)
{
	MatchKeys  *keys = KeysCreate(records);
	int			workers = Min(Min(SharedWorkers(records), BUILD_WORKERS), keys->model->key_count - 1);

	if (workers <= 0 || !SharedBuild(records, keys, wanted, workers))
	{
		KeyBuilder *builder = KeyBuilderCreate(keys, wanted);

		keys->codes = ArrayAllocate(CurrentMemoryContext,
									sizeof(uint32) * (uint64) Max(keys->stride, 1) * Max(records->count, 1));
		for (int k = 0; k < keys->model->key_count; k++)
			KeyBuild(builder, k);
		KeyBuilderFree(builder);
	}
	RecordsReport(records, "%d blocking keys built", keys->model->key_count);
	return keys;
}

/* Find pairs together with workers */
void
SharedSearch(MatchRecords *records, MatchKeys *keys, int workers, PairFinder *finder)
{
	SharedJob	wanted = {.work = SHARED_SEARCH,.at_least = finder->at_least};
	SharedFinds *finds;
	uint32		task_count;

	if (!ShareArrays(records, keys))
	{
		FinderSearch(finder, keys);
		return;
	}
	finds = RunJob(&wanted, records, keys, workers, &task_count);
	FinderReserve(finder, finds->finder->count);
	for (uint32 task = 0; task < task_count; task++)
		FinderAppend(finder, finds->finder->pairs + finds->first[task], finds->count[task]);
	finder->met = finds->finder->met;
	finder->compared = finds->finder->compared;
	pfree(finds->finder->pairs);
	FinderSearchSeams(finder, keys);
}

/* Count patterns together with workers, those of random pairs and those of pairs in blocks */
void
SharedCount(MatchRecords *records, MatchKeys *keys, uint64 random_pairs, int workers,
			PatternTable *random, PatternTable *met)
{
	SharedJob	wanted = {.work = SHARED_COUNT,.random_pairs = random_pairs};
	PatternTable *tables[2] = {random, met};
	SharedFinds *finds;
	uint32		task_count;

	if (!ShareArrays(records, keys))
	{
		PairScorer *scorer = ScorerCreate(records);

		for (int part = 0; part < RANDOM_PARTS; part++)
			PatternsOfRandomPairs(random, scorer, random_pairs, part);
		PatternsOfBlocks(met, scorer, keys);
		return;
	}
	finds = RunJob(&wanted, records, keys, workers, &task_count);
	for (int t = 0; t < 2; t++)
	{
		int			count;
		PatternCount **list = PatternsList(finds->tables[t], &count);

		for (int i = 0; i < count; i++)
			PatternsMerge(tables[t], list[i]);
	}
	PatternsOfSeams(met, ScorerCreate(records), keys);
}
