/*
 * Reading records together with parallel workers.
 *
 * The leader runs the query and sends the texts of each chunk to the workers,
 * each of which enters the values of fields of its own into their dictionaries
 * and sends the ids back.  Fields that share a dictionary, and the parts of an
 * e-mail address, stay together.  So every dictionary is made by one process,
 * in the order of the records, and is the same whoever makes it.  At the end
 * it is handed over through shared memory, where it is to be anyway.
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "matching/shared.h"
#include "matching/team.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "storage/shm_mq.h"
#include "utils/wait_event.h"

#define QUEUE_SIZE 1048576

/* What is in the segment that the workers are started with */
#define TEAM_KEY_JOB 1
#define TEAM_KEY_QUEUES 2

/* Messages of no records */
#define MESSAGE_FINISH (-1)
#define MESSAGE_TAKEN (-2)

/* What scanning costs the leader, next to what entering the values of a field does */
#define COST_OF_SCAN 3
#define COST_OF_FULL_NAME 4

/* What the workers are told; they look at no text of the model */
typedef struct TeamJob
{
	MatchModel	model;
	int			column_count;
	int			column_of[MODEL_MAX_FIELDS];
	int			full_name_of[MODEL_MAX_FIELDS];
} TeamJob;

struct ReadTeam
{
	MatchRecords *records;
	ParallelContext *context;
	int			workers;
	shm_mq_handle **to;
	shm_mq_handle **from;
	uint32	   *returned;		/* by worker: records whose ids came back */
	StringInfoData message;
};

/* What a worker hands over, before its dictionaries */
typedef struct HandOver
{
	int			segment_count;
	SharedSegment segments[SHARED_MAX_SEGMENTS];
} HandOver;

PGDLLEXPORT void MatchReaderMain(dsm_segment *segment, shm_toc *toc);

/* Get what entering the values of a field costs, about */
static int
FieldCost(const MatchRecords *records, int f)
{
	static const int costs[KIND_COUNT] = {
		[KIND_GIVEN_NAME] = 2,[KIND_FAMILY_NAME] = 2,[KIND_FULL_NAME] = 3,[KIND_ORGANISATION] = 6,
		[KIND_EMAIL] = 6,[KIND_WEBSITE] = 3,[KIND_PHONE] = 3,[KIND_DATE] = 1,[KIND_ADDRESS] = 6,
		[KIND_POSTCODE] = 1,[KIND_TEXT] = 2,[KIND_CATEGORY] = 1,[KIND_IDENTIFIER] = 3,[KIND_NUMBER] = 2
	};

	if (records->model->fields[f].whole >= 0)
		return 0;
	return costs[records->model->fields[f].kind] + (records->full_name_of[f] >= 0 ? COST_OF_FULL_NAME : 0);
}

/* Give fields to processes: the costliest that are left to the one that has least to do */
static void
AssignFields(MatchRecords *records, int processes)
{
	const MatchModel *model = records->model;
	int			unit[MODEL_MAX_FIELDS];
	int			cost[MODEL_MAX_FIELDS] = {0};
	int		   *load = palloc0(sizeof(int) * processes);

	for (int f = 0; f < model->field_count; f++)
	{
		unit[f] = model->fields[f].whole >= 0 ? unit[model->fields[f].whole] : f;
		for (int other = 0; other < f; other++)
			if (model->fields[other].dictionary == model->fields[f].dictionary)
			{
				int			joined = unit[f];

				for (int g = 0; g <= f; g++)
					if (unit[g] == joined)
						unit[g] = unit[other];
			}
	}
	for (int f = 0; f < model->field_count; f++)
		cost[unit[f]] += FieldCost(records, f);
	load[0] = COST_OF_SCAN;
	for (;;)
	{
		int			next = -1;
		int			least = 0;

		for (int f = 0; f < model->field_count; f++)
			if (cost[f] > 0 && (next < 0 || cost[f] > cost[next]))
				next = f;
		if (next < 0)
			break;
		for (int p = 1; p < processes; p++)
			if (load[p] < load[least])
				least = p;
		for (int f = 0; f < model->field_count; f++)
			if (unit[f] == next)
				records->owner[f] = least;
		load[least] += cost[next];
		cost[next] = 0;
	}
	pfree(load);
}

/* Does a process read a column? */
static bool
ReadsColumn(const MatchRecords *records, int process, int column)
{
	for (int f = 0; f < records->model->field_count; f++)
		if (records->owner[f] == process && (records->column_of[f] == column || records->full_name_of[f] == column))
			return true;
	return false;
}

/* A part of each line */
typedef struct LinePart
{
	int			at;
	int			size;
} LinePart;

/* List the parts of a line that a process fills */
static int
ListParts(const MatchRecords *records, int process, LinePart *parts)
{
	const LineLayout *layout = &records->layout;
	int			count = 0;

	for (int f = 0; f < records->model->field_count; f++)
		if (records->owner[f] == process)
			parts[count++] = (LinePart) {f * sizeof(uint32), sizeof(uint32)};
	for (int place = 0; place < layout->date_count; place++)
		if (records->owner[layout->date_field[place]] == process)
			parts[count++] = (LinePart) {(records->model->field_count + place) * sizeof(uint32), sizeof(uint32)};
	for (int place = 0; place < layout->signature_count; place++)
		if (records->owner[layout->signature_field[place]] == process)
		{
			parts[count++] = (LinePart) {layout->signature_at + place * sizeof(uint64), sizeof(uint64)};
			parts[count++] = (LinePart) {layout->length_at + place, 1};
			if (place < layout->name_count)
				parts[count++] = (LinePart) {layout->groups_at + place, 1};
		}
	return count;
}

#define MAX_PARTS (MODEL_MAX_FIELDS + LINE_MAX_DATES + 3 * LINE_MAX_SIGNATURES)

/* Copy a part of lines one way or the other; of a size that is known, so that it is one move */
#define COPY_PART(type) \
	for (int r = 0; r < rows; r++, line += stride, packed += sizeof(type)) \
		memcpy(unpack ? line : packed, unpack ? packed : line, sizeof(type))

/* Pack the parts of lines that a process fills into a buffer, or unpack them; returns the buffer's end */
static char *
PackLines(MatchRecords *records, int process, uint32 first, int rows, char *packed, bool unpack)
{
	LinePart	parts[MAX_PARTS];
	int			count = ListParts(records, process, parts);
	int			stride = records->layout.stride * sizeof(uint32);

	for (int p = 0; p < count; p++)
	{
		char	   *line = (char *) records->lines + (uint64) first * stride + parts[p].at;

		if (parts[p].size == sizeof(uint64))
			COPY_PART(uint64);
		else if (parts[p].size == sizeof(uint32))
			COPY_PART(uint32);
		else
			COPY_PART(uint8);
	}
	return packed;
}

/* Wait until a queue has moved on */
static void
WaitForQueues(void)
{
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH, 0, WAIT_EVENT_MQ_SEND);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

/* A worker is gone: its error tells why */
static void
LostWorker(ReadTeam *team)
{
	WaitForParallelWorkersToFinish(team->context);
	elog(ERROR, "lost a parallel worker that reads records");
}

/* Take the ids that came back; returns whether any did */
static bool
TakeIds(ReadTeam *team)
{
	bool		any = false;

	for (int w = 0; w < team->workers; w++)
		while (team->returned[w] < team->records->count)
		{
			Size		size;
			void	   *data;
			int			rows;
			shm_mq_result result = shm_mq_receive(team->from[w], &size, &data, true);

			if (result == SHM_MQ_DETACHED)
				LostWorker(team);
			if (result != SHM_MQ_SUCCESS)
				break;
			memcpy(&rows, data, sizeof(int));
			(void) PackLines(team->records, w + 1, team->returned[w], rows, (char *) data + sizeof(int), true);
			team->returned[w] += rows;
			any = true;
		}
	return any;
}

/* Send a message to a worker; while its queue is full, take what comes back, so that none waits for the other */
static void
SendMessage(ReadTeam *team, int worker, const void *message, Size size)
{
	for (;;)
	{
		shm_mq_result result = shm_mq_send(team->to[worker], size, message, true, true);

		if (result == SHM_MQ_SUCCESS)
			return;
		if (result == SHM_MQ_DETACHED)
			LostWorker(team);
		if (!TakeIds(team))
			WaitForQueues();
	}
}

/* Start workers to read records, of which so many are expected, or 0; NULL when there are none */
ReadTeam *
TeamStart(MatchRecords *records, int workers, uint32 expected)
{
	ReadTeam   *team = palloc0(sizeof(ReadTeam));
	ParallelContext *context;
	TeamJob    *job;
	char	   *queues;

	EnterParallelMode();
	context = CreateParallelContext("lead_mgmt", "MatchReaderMain", workers);
	shm_toc_estimate_chunk(&context->estimator, sizeof(TeamJob));
	shm_toc_estimate_chunk(&context->estimator, mul_size(QUEUE_SIZE, 2 * workers));
	shm_toc_estimate_keys(&context->estimator, 2);
	InitializeParallelDSM(context);
	job = shm_toc_allocate(context->toc, sizeof(TeamJob));
	job->model = *records->model;
	job->column_count = records->column_count;
	memcpy(job->column_of, records->column_of, sizeof(job->column_of));
	memcpy(job->full_name_of, records->full_name_of, sizeof(job->full_name_of));
	shm_toc_insert(context->toc, TEAM_KEY_JOB, job);
	queues = shm_toc_allocate(context->toc, mul_size(QUEUE_SIZE, 2 * workers));
	for (int w = 0; w < workers; w++)
	{
		shm_mq_set_sender(shm_mq_create(queues + QUEUE_SIZE * 2 * w, QUEUE_SIZE), MyProc);
		shm_mq_set_receiver(shm_mq_create(queues + QUEUE_SIZE * (2 * w + 1), QUEUE_SIZE), MyProc);
	}
	shm_toc_insert(context->toc, TEAM_KEY_QUEUES, queues);
	LaunchParallelWorkers(context);
	if (context->nworkers_launched == 0)
	{
		DestroyParallelContext(context);
		ExitParallelMode();
		return NULL;
	}
	team->records = records;
	team->context = context;
	team->workers = context->nworkers_launched;
	team->to = palloc(sizeof(shm_mq_handle *) * team->workers);
	team->from = palloc(sizeof(shm_mq_handle *) * team->workers);
	team->returned = palloc0(sizeof(uint32) * team->workers);
	initStringInfo(&team->message);
	records->shared = SharedCreate(records->context);
	RecordsShareLines(records, expected);
	AssignFields(records, team->workers + 1);
	for (int w = 0; w < team->workers; w++)
	{
		BackgroundWorkerHandle *handle = context->worker[w].bgwhandle;

		team->to[w] = shm_mq_attach((shm_mq *) (queues + QUEUE_SIZE * 2 * w), context->seg, handle);
		team->from[w] = shm_mq_attach((shm_mq *) (queues + QUEUE_SIZE * (2 * w + 1)), context->seg, handle);
		SendMessage(team, w, records->owner, sizeof(records->owner));
	}
	return team;
}

/* Write the texts of a column behind each other, each behind its length; returns the end */
static char *
PackTexts(char *at, const char *bytes, const ChunkText *texts, int rows)
{
	for (int r = 0; r < rows; r++)
	{
		memcpy(at, &texts[r].len, sizeof(int));
		at += sizeof(int);
		if (texts[r].len > 0)
		{
			memcpy(at, bytes + texts[r].offset, texts[r].len);
			at += texts[r].len;
		}
	}
	return at;
}

/* Send a chunk of so many bytes to the workers, to each the columns that it reads */
void
TeamSend(ReadTeam *team, const char *bytes, int size, const ChunkText *texts, int rows)
{
	const MatchRecords *records = team->records;
	StringInfo	message = &team->message;

	resetStringInfo(message);
	enlargeStringInfo(message, sizeof(int) * (1 + records->column_count * rows) + size);
	memcpy(message->data, &rows, sizeof(int));
	for (int w = 0; w < team->workers; w++)
	{
		char	   *at = message->data + sizeof(int);

		for (int c = 0; c < records->column_count; c++)
			if (ReadsColumn(records, w + 1, c))
				at = PackTexts(at, bytes, &texts[c * CHUNK_ROWS], rows);
		SendMessage(team, w, message->data, at - message->data);
	}
	(void) TakeIds(team);
}

/* Receive a message, waiting for it */
static char *
ReceiveMessage(ReadTeam *team, int worker, Size *size)
{
	void	   *data;

	if (shm_mq_receive(team->from[worker], size, &data, false) != SHM_MQ_SUCCESS)
		LostWorker(team);
	return data;
}

/* Take over a dictionary that a worker has made */
static void
TakeDictionary(MatchDictionary *mine, const MatchDictionary *made, const Relocation *relocation)
{
	MatchDictionary own = *mine;

	*mine = *made;
	mine->context = own.context;
	mine->words = own.words;
	mine->mailboxes = own.mailboxes;
	mine->domain_names = own.domain_names;
	mine->aliases = NULL;
	mine->normal = own.normal;
	mine->normals = own.normals;
	mine->scratch = own.scratch;
	VisitDictionary(mine, SharedRelocate, (void *) relocation);
	SharedRelocate((void *) relocation, (void **) &mine->slots, 0);
}

/* Does a process make a dictionary? */
static bool
MakesDictionary(const MatchRecords *records, int process, int dictionary)
{
	for (int f = 0; f < records->model->field_count; f++)
		if (records->owner[f] == process && records->model->fields[f].dictionary == dictionary)
			return true;
	return false;
}

/* Take over the dictionaries of a worker */
static void
TakeOver(ReadTeam *team, int worker)
{
	MatchRecords *records = team->records;
	HandOver	hand_over;
	Relocation	relocation;
	Size		size;
	char	   *data = ReceiveMessage(team, worker, &size);
	int			taken = MESSAGE_TAKEN;

	memcpy(&hand_over, data, sizeof(HandOver));
	data += sizeof(HandOver);
	relocation.count = hand_over.segment_count;
	relocation.described = hand_over.segments;
	for (int s = 0; s < hand_over.segment_count; s++)
	{
		SharedAttach(records->shared, &hand_over.segments[s]);
		relocation.bases[s] = records->shared->described[records->shared->count - 1].base;
	}
	for (int d = 0; d < records->model->dictionary_count; d++)
		if (MakesDictionary(records, worker + 1, d))
		{
			MatchDictionary made;

			memcpy(&made, data, sizeof(MatchDictionary));
			data += sizeof(MatchDictionary);
			TakeDictionary(&records->dictionaries[d], &made, &relocation);
			if (records->dictionaries[d].words == NULL)
				continue;
			memcpy(&made, data, sizeof(MatchDictionary));
			data += sizeof(MatchDictionary);
			TakeDictionary(records->dictionaries[d].words, &made, &relocation);
		}
	SendMessage(team, worker, &taken, sizeof(int));
}

/* All records were sent: take over what the workers have made */
void
TeamFinish(ReadTeam *team)
{
	MatchRecords *records = team->records;
	int			finish = MESSAGE_FINISH;

	for (int w = 0; w < team->workers; w++)
		SendMessage(team, w, &finish, sizeof(int));
	for (;;)
	{
		uint32		least = records->count;

		for (int w = 0; w < team->workers; w++)
			least = Min(least, team->returned[w]);
		if (least == records->count)
			break;
		if (!TakeIds(team))
			WaitForQueues();
	}
	for (int w = 0; w < team->workers; w++)
		TakeOver(team, w);
	WaitForParallelWorkersToFinish(team->context);
	DestroyParallelContext(team->context);
	ExitParallelMode();
}

/* Enter the values of a chunk, and send the ids back; false when the leader is gone */
static bool
EnterChunk(MatchRecords *records, shm_mq_handle *to, const char *data, int rows, ChunkText *texts, char *packed)
{
	const char *at = data + sizeof(int);
	char	   *end;

	for (int c = 0; c < records->column_count; c++)
		if (ReadsColumn(records, records->process, c))
			for (int r = 0; r < rows; r++)
			{
				ChunkText  *text = &texts[c * CHUNK_ROWS + r];

				memcpy(&text->len, at, sizeof(int));
				at += sizeof(int);
				text->offset = at - data;
				at += Max(text->len, 0);
			}
	records->count = 0;
	RecordsFill(records, data, texts, CHUNK_ROWS, rows);
	memcpy(packed, &rows, sizeof(int));
	end = PackLines(records, records->process, 0, rows, packed + sizeof(int), false);
	return shm_mq_send(to, end - packed, packed, false, true) == SHM_MQ_SUCCESS;
}

/* Hand the dictionaries that were made here over; they stay until the leader has taken them */
static SharedArrays *
HandOverDictionaries(MatchRecords *records, shm_mq_handle *to)
{
	SharedArrays *arrays = SharedCreate(CurrentMemoryContext);
	HandOver	hand_over = {0};
	StringInfoData message;

	initStringInfo(&message);
	for (int moves = 0; moves <= 1; moves++)
		for (int d = 0; d < records->model->dictionary_count; d++)
		{
			MatchDictionary *made[2] = {&records->dictionaries[d], records->dictionaries[d].words};

			if (!MakesDictionary(records, records->process, d))
				continue;
			for (int m = 0; m < lengthof(made) && made[m]; m++)
			{
				ArrayVisitor visit = moves ? SharedMove : SharedAddRoom;

				VisitDictionary(made[m], visit, arrays);
				visit(arrays, (void **) &made[m]->slots, sizeof(uint64) * ((uint64) made[m]->slot_mask + 1));
			}
		}
	if (!arrays->is_complete)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("there are too many dynamic shared memory segments"),
				 errhint("Set max_parallel_workers_per_gather to 0 to do without workers.")));
	hand_over.segment_count = arrays->count;
	memcpy(hand_over.segments, arrays->described, sizeof(hand_over.segments));
	appendBinaryStringInfo(&message, (const char *) &hand_over, sizeof(HandOver));
	for (int d = 0; d < records->model->dictionary_count; d++)
		if (MakesDictionary(records, records->process, d))
		{
			appendBinaryStringInfo(&message, (const char *) &records->dictionaries[d], sizeof(MatchDictionary));
			if (records->dictionaries[d].words)
				appendBinaryStringInfo(&message, (const char *) records->dictionaries[d].words, sizeof(MatchDictionary));
		}
	(void) shm_mq_send(to, message.len, message.data, false, true);
	return arrays;
}

/* Take part in the reading of a leader */
void
MatchReaderMain(dsm_segment *segment, shm_toc *toc)
{
	TeamJob    *job = shm_toc_lookup(toc, TEAM_KEY_JOB, false);
	char	   *queues = (char *) shm_toc_lookup(toc, TEAM_KEY_QUEUES, false) + QUEUE_SIZE * 2 * ParallelWorkerNumber;
	MatchRecords *records = palloc(sizeof(MatchRecords));
	ChunkText  *texts = palloc(sizeof(ChunkText) * CHUNK_ROWS * Max(job->column_count, 1));
	char	   *packed;
	SharedArrays *arrays = NULL;
	shm_mq_handle *from;
	shm_mq_handle *to;
	Size		size;
	void	   *data;

	shm_mq_set_receiver((shm_mq *) queues, MyProc);
	shm_mq_set_sender((shm_mq *) (queues + QUEUE_SIZE), MyProc);
	from = shm_mq_attach((shm_mq *) queues, segment, NULL);
	to = shm_mq_attach((shm_mq *) (queues + QUEUE_SIZE), segment, NULL);
	RecordsInit(records, &job->model);
	records->column_count = job->column_count;
	memcpy(records->column_of, job->column_of, sizeof(job->column_of));
	memcpy(records->full_name_of, job->full_name_of, sizeof(job->full_name_of));
	packed = palloc(sizeof(int) + CHUNK_ROWS * (records->layout.stride * sizeof(uint32)));
	if (shm_mq_receive(from, &size, &data, false) != SHM_MQ_SUCCESS)
		return;
	memcpy(records->owner, data, sizeof(records->owner));
	records->process = ParallelWorkerNumber + 1;
	for (;;)
	{
		int			rows;

		if (shm_mq_receive(from, &size, &data, false) != SHM_MQ_SUCCESS)
			break;				/* the leader gave up */
		CHECK_FOR_INTERRUPTS();
		memcpy(&rows, data, sizeof(int));
		if (rows == MESSAGE_FINISH)
			arrays = HandOverDictionaries(records, to);
		else if (rows == MESSAGE_TAKEN || !EnterChunk(records, to, data, rows, texts, packed))
			break;
	}
	for (int s = 0; arrays && s < arrays->count; s++)
		dsm_detach(arrays->segments[s]);
	shm_mq_detach(to);
	shm_mq_detach(from);
}
