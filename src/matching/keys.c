/*
 * Blocking by hash codes of key expressions.
 *
 * Every key gives a record one code, or two where a key has a part of several
 * values (either name, rare words); records of equal code form a block.  A
 * block that is too large is split by further fields, the most telling first,
 * and what is too large even then is sorted by content and cut into pieces,
 * neighbours across a cut being compared.  So no block costs more than its
 * records times the limit, however skewed the data.
 *
 * A pair that meets in several blocks is taken at the first key at which its
 * codes agree, so pairs need neither be sorted nor remembered.
 */
#include "postgres.h"

#include "matching/keys.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#define RADIX_BITS 11
#define RADIX_SIZE (1 << RADIX_BITS)
#define RADIX_PASSES 3

/* The codes of the values of one field under one transformation */
typedef struct PartCodes
{
	int			entries;
	uint32	   *codes[KEY_MAX_ENTRIES];
} PartCodes;

/* A code and the record that has it */
typedef struct CodeEntry
{
	uint32		code;
	uint32		record;
} CodeEntry;

/* Get the code of a value under a transformation */
static uint32
ValueCode(const MatchDictionary *dictionary, const MatchValue *value, const KeyPart *part, int entry,
		  const double *word_rarity, StringInfo scratch)
{
	uint32		rarest[KEY_MAX_ENTRIES] = {VALUE_BLANK, VALUE_BLANK};
	const MatchValue *found;

	if (part->transform != TRANSFORM_RARE_WORDS)
		return TransformCode(part->transform, part->length, DictionaryText(dictionary, value), value->bytes,
							 value->extra, scratch);
	for (int t = 0; t < value->token_count; t++)
	{
		uint32		word = dictionary->tokens[value->extra + t];

		if (word == rarest[0] || word == rarest[1])
			continue;
		if (rarest[0] == VALUE_BLANK || word_rarity[word] > word_rarity[rarest[0]])
		{
			rarest[1] = rarest[0];
			rarest[0] = word;
		}
		else if (rarest[1] == VALUE_BLANK || word_rarity[word] > word_rarity[rarest[1]])
			rarest[1] = word;
	}
	if (rarest[entry] == VALUE_BLANK)
		return CODE_NONE;
	found = &dictionary->words->values[rarest[entry]];
	return TransformCode(TRANSFORM_EXACT, 0, DictionaryText(dictionary->words, found), found->bytes, VALUE_NO_EXTRA,
						 scratch);
}

/* Work out the codes of all values of a field under a transformation */
static void
MakePartCodes(const MatchRecords *records, const KeyPart *part, PartCodes *result)
{
	const MatchDictionary *dictionary = FieldDictionary(records, part->field);
	StringInfoData scratch;

	initStringInfo(&scratch);
	result->entries = part->transform == TRANSFORM_RARE_WORDS ? 2 : 1;
	for (int e = 0; e < result->entries; e++)
	{
		result->codes[e] = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * (uint64) dictionary->count);
		result->codes[e][VALUE_BLANK] = CODE_NONE;
		for (uint32 id = 1; id < dictionary->count; id++)
			result->codes[e][id] = ValueCode(dictionary, &dictionary->values[id], part, e,
											 records->word_rarity[part->field], &scratch);
	}
	pfree(scratch.data);
}

/* Get how many entries a key gives a record */
int
KeyEntries(const ModelKey *key)
{
	for (int p = 0; p < key->part_count; p++)
		if (key->parts[p].transform == TRANSFORM_RARE_WORDS || key->parts[p].transform == TRANSFORM_ANY_NAME)
			return KEY_MAX_ENTRIES;
	return 1;
}

/* Write the codes of one key for all records into an array of a stride */
static void
FillCodes(const MatchRecords *records, const ModelKey *key, uint32 *codes, int stride)
{
	const MatchModel *model = records->model;
	int			entries = KeyEntries(key);

	for (int p = 0; p < key->part_count; p++)
	{
		const KeyPart *part = &key->parts[p];
		int			other = part->transform == TRANSFORM_ANY_NAME ? model->comparisons[model->given].field : -1;
		PartCodes	part_codes;

		MakePartCodes(records, part, &part_codes);
		for (uint32 r = 0; r < records->count; r++)
		{
			const uint32 *ids = RecordIds(records, r);
			uint32	   *at = codes + (uint64) r * stride;

			for (int e = 0; e < entries; e++)
			{
				uint32		code;

				if (e == 1 && other >= 0)
					code = part_codes.codes[0][ids[other]];
				else
					code = part_codes.codes[Min(e, part_codes.entries - 1)][ids[part->field]];
				if (p == 0)
					at[e] = code;
				else
					at[e] = code == CODE_NONE || at[e] == CODE_NONE ? CODE_NONE : JoinCodes(at[e], code);
			}
			if (entries == 2 && at[0] == at[1])
				at[1] = CODE_NONE;
		}
		for (int e = 0; e < part_codes.entries; e++)
			pfree(part_codes.codes[e]);
	}
}

/* Sort entries by code (least significant digit first) */
static CodeEntry *
SortEntries(CodeEntry *entries, CodeEntry *spare, uint32 count)
{
	uint32		starts[RADIX_SIZE];

	for (int pass = 0; pass < RADIX_PASSES; pass++)
	{
		int			shift = pass * RADIX_BITS;
		uint32		sum = 0;
		CodeEntry  *swap = entries;

		memset(starts, 0, sizeof(starts));
		for (uint32 i = 0; i < count; i++)
			starts[(entries[i].code >> shift) & (RADIX_SIZE - 1)]++;
		for (int d = 0; d < RADIX_SIZE; d++)
		{
			uint32		n = starts[d];

			starts[d] = sum;
			sum += n;
		}
		for (uint32 i = 0; i < count; i++)
			spare[starts[(entries[i].code >> shift) & (RADIX_SIZE - 1)]++] = entries[i];
		entries = spare;
		spare = swap;
		CHECK_FOR_INTERRUPTS();
	}
	return entries;
}

/* Gather the entries of a key, sorted by code; the arrays have room for all */
static CodeEntry *
GatherEntries(const MatchKeys *keys, int key, CodeEntry *entries, CodeEntry *spare, uint32 *count)
{
	uint32		n = 0;

	for (uint32 r = 0; r < keys->records->count; r++)
	{
		const uint32 *codes = RecordCodes(keys, r) + keys->first[key];

		for (int e = 0; e < keys->entries[key]; e++)
			if (codes[e] != CODE_NONE)
			{
				entries[n].code = codes[e];
				entries[n++].record = r;
			}
	}
	*count = n;
	return SortEntries(entries, spare, n);
}

/* Replace the code of a record in a key */
static void
ReplaceCode(MatchKeys *keys, int key, uint32 record, uint32 from, uint32 to)
{
	uint32	   *codes = keys->codes + (uint64) record * keys->stride + keys->first[key];

	for (int e = 0; e < keys->entries[key]; e++)
		if (codes[e] == from)
		{
			codes[e] = to;
			return;
		}
}

/* Order the records of a block by content */
static int
CompareContent(const void *a, const void *b, void *arg)
{
	const MatchRecords *records = arg;
	uint32		left = ((const CodeEntry *) a)->record;
	uint32		right = ((const CodeEntry *) b)->record;
	int			order = memcmp(RecordIds(records, left), RecordIds(records, right),
							   sizeof(uint32) * records->model->field_count);

	return order != 0 ? order : left < right ? -1 : left > right;
}

/* Cut a block into pieces of neighbours, and note the pairs across the cuts */
static void
CutBlock(MatchKeys *keys, int key, CodeEntry *entries, uint32 count)
{
	uint32		limit = keys->model->block_limit;

	qsort_arg(entries, count, sizeof(CodeEntry), CompareContent, (void *) keys->records);
	keys->pairs[key] += (uint64) count * (limit - 1) / 2;
	for (uint32 i = 0; i < count; i++)
	{
		ReplaceCode(keys, key, entries[i].record, entries[i].code, JoinCodes(entries[i].code, 1 + i / limit));
		if (i % limit != 0 || i == 0)
			continue;
		if (keys->seam_count == keys->seam_capacity)
		{
			keys->seam_capacity = Max(keys->seam_capacity * 2, 1024);
			keys->seams = keys->seams ? repalloc_huge(keys->seams, sizeof(uint32) * 2 * (uint64) keys->seam_capacity) :
				palloc(sizeof(uint32) * 2 * keys->seam_capacity);
		}
		keys->seams[2 * keys->seam_count] = entries[i - 1].record;
		keys->seams[2 * keys->seam_count + 1] = entries[i].record;
		keys->seam_count++;
	}
}

/* Split a block that is too large by the fields that are not in its key yet */
static void
SplitBlock(MatchKeys *keys, int key, CodeEntry *entries, CodeEntry *spare, uint32 count, int refinement)
{
	const MatchModel *model = keys->model;
	const ModelKey *definition = &model->keys[key];
	CodeEntry  *sorted;
	bool		in_key;

	CHECK_FOR_INTERRUPTS();
	do
	{
		if (refinement == model->refinement_count)
		{
			CutBlock(keys, key, entries, count);
			return;
		}
		in_key = false;
		for (int p = 0; p < definition->part_count; p++)
			in_key |= definition->parts[p].field == model->refinements[refinement].field &&
				definition->parts[p].transform == model->refinements[refinement].transform;
		if (in_key)
			refinement++;
	} while (in_key);
	for (uint32 i = 0; i < count; i++)
	{
		uint32		id = RecordIds(keys->records, entries[i].record)[model->refinements[refinement].field];
		uint32		code = JoinCodes(entries[i].code, 2 + keys->refinement_codes[refinement][id]);

		ReplaceCode(keys, key, entries[i].record, entries[i].code, code);
		entries[i].code = code;
	}
	sorted = SortEntries(entries, spare, count);
	if (sorted != entries)
		memcpy(entries, sorted, sizeof(CodeEntry) * count);
	for (uint32 from = 0; from < count;)
	{
		uint32		to = from;

		while (to < count && entries[to].code == entries[from].code)
			to++;
		if (to - from > model->block_limit)
			SplitBlock(keys, key, entries + from, spare + from, to - from, refinement + 1);
		else
			keys->pairs[key] += (uint64) (to - from) * (to - from - 1) / 2;
		from = to;
	}
}

/* Work out all codes, splitting the blocks that are too large */
MatchKeys *
KeysBuild(const MatchRecords *records)
{
	MatchKeys  *keys = palloc0(sizeof(MatchKeys));
	const MatchModel *model = records->model;
	CodeEntry  *entries;
	CodeEntry  *spare;

	keys->records = records;
	keys->model = model;
	for (int k = 0; k < model->key_count; k++)
	{
		keys->first[k] = keys->stride;
		keys->entries[k] = KeyEntries(&model->keys[k]);
		keys->stride += keys->entries[k];
	}
	keys->codes = MemoryContextAllocHuge(CurrentMemoryContext,
										 sizeof(uint32) * (uint64) Max(keys->stride, 1) * Max(records->count, 1));
	for (int f = 0; f < model->refinement_count; f++)
	{
		PartCodes	codes;

		MakePartCodes(records, &model->refinements[f], &codes);
		keys->refinement_codes[f] = codes.codes[0];
	}
	entries = MemoryContextAllocHuge(CurrentMemoryContext,
									 sizeof(CodeEntry) * (uint64) records->count * KEY_MAX_ENTRIES + 1);
	spare = MemoryContextAllocHuge(CurrentMemoryContext,
								   sizeof(CodeEntry) * (uint64) records->count * KEY_MAX_ENTRIES + 1);
	for (int k = 0; k < model->key_count; k++)
	{
		CodeEntry  *sorted;
		uint32		count;

		FillCodes(records, &model->keys[k], keys->codes + keys->first[k], keys->stride);
		sorted = GatherEntries(keys, k, entries, spare, &count);
		for (uint32 from = 0; from < count;)
		{
			uint32		to = from;

			while (to < count && sorted[to].code == sorted[from].code)
				to++;
			if (to - from > model->block_limit)
			{
				keys->split[k]++;
				SplitBlock(keys, k, sorted + from, (sorted == entries ? spare : entries) + from, to - from, 0);
			}
			else
				keys->pairs[k] += (uint64) (to - from) * (to - from - 1) / 2;
			from = to;
		}
	}
	pfree(entries);
	pfree(spare);
	return keys;
}

/* Have two records met in an earlier block than this? */
bool
KeysMetBefore(const MatchKeys *keys, const MatchBlock *block, const uint32 *left, const uint32 *right)
{
	int			end = keys->first[block->key];

	for (int k = 0; k < block->key; k++)
	{
		const uint32 *a = left + keys->first[k];
		const uint32 *b = right + keys->first[k];

		if (a[0] == b[0] && a[0] != CODE_NONE)
			return true;
		if (keys->entries[k] == 2 &&
			((a[1] != CODE_NONE && (a[1] == b[1] || a[1] == b[0])) || (a[0] != CODE_NONE && a[0] == b[1])))
			return true;
	}
	if (keys->entries[block->key] == 2)
	{
		/* Both their codes may agree; the smaller decides */
		const uint32 *a = left + end;
		const uint32 *b = right + end;

		for (int e = 0; e < 2; e++)
			if (a[e] != CODE_NONE && a[e] < block->code && (a[e] == b[0] || a[e] == b[1]))
				return true;
	}
	return false;
}

/* Get the set of keys at which two records agree, a bit for each */
uint32
KeysAgreeing(const MatchKeys *keys, const uint32 *left, const uint32 *right)
{
	uint32		agreeing = 0;

	for (int k = 0; k < keys->model->key_count; k++)
	{
		const uint32 *a = left + keys->first[k];
		const uint32 *b = right + keys->first[k];

		if ((a[0] == b[0] && a[0] != CODE_NONE) ||
			(keys->entries[k] == 2 &&
			 ((a[1] != CODE_NONE && (a[1] == b[1] || a[1] == b[0])) || (a[0] != CODE_NONE && a[0] == b[1]))))
			agreeing |= 1u << k;
	}
	return agreeing;
}

/* Add a record to a block */
static void
AddToBlock(const MatchKeys *keys, MatchBlock *block, uint32 record)
{
	int			field_count = keys->model->field_count;

	block->numbers[block->count] = record;
	memcpy(block->rows + (uint64) block->count * field_count, RecordIds(keys->records, record),
		   sizeof(uint32) * field_count);
	memcpy(block->codes + (uint64) block->count * keys->stride, RecordCodes(keys, record),
		   sizeof(uint32) * keys->stride);
	block->count++;
}

/* Hand the blocks of all keys, or a share of them picked by code, to a visitor */
void
KeysVisit(const MatchKeys *keys, double share, BlockVisitor visit, void *state)
{
	const MatchRecords *records = keys->records;
	int			field_count = keys->model->field_count;
	int			room = keys->model->block_limit + 1;
	uint32	   *numbers = palloc(sizeof(uint32) * room);
	uint32	   *rows = palloc(sizeof(uint32) * (uint64) room * field_count);
	uint32	   *codes = palloc(sizeof(uint32) * (uint64) room * Max(keys->stride, 1));
	CodeEntry  *entries = MemoryContextAllocHuge(CurrentMemoryContext,
												 sizeof(CodeEntry) * (uint64) records->count * KEY_MAX_ENTRIES + 1);
	CodeEntry  *spare = MemoryContextAllocHuge(CurrentMemoryContext,
											   sizeof(CodeEntry) * (uint64) records->count * KEY_MAX_ENTRIES + 1);
	uint32		below = share >= 1 ? PG_UINT32_MAX : (uint32) (share * PG_UINT32_MAX);

	for (int k = 0; k < keys->model->key_count; k++)
	{
		uint32		count;
		CodeEntry  *sorted = GatherEntries(keys, k, entries, spare, &count);

		for (uint32 from = 0; from < count;)
		{
			MatchBlock	block = {k, sorted[from].code, 0, numbers, rows, codes};
			uint32		to = from;

			while (to < count && sorted[to].code == block.code)
				to++;
			if (to - from >= 2 && JoinCodes(block.code, 7) <= below)
			{
				CHECK_FOR_INTERRUPTS();

				/* More than fit have codes that are equal by chance */
				for (uint32 i = from; i < to && block.count < room; i++)
					AddToBlock(keys, &block, sorted[i].record);
				visit(state, keys, &block);
			}
			from = to;
		}
	}
	for (uint32 s = 0; s < keys->seam_count; s++)
	{
		MatchBlock	block = {keys->model->key_count, CODE_NONE, 0, numbers, rows, codes};

		AddToBlock(keys, &block, keys->seams[2 * s]);
		AddToBlock(keys, &block, keys->seams[2 * s + 1]);
		visit(state, keys, &block);
	}
	pfree(entries);
	pfree(spare);
	pfree(numbers);
	pfree(rows);
	pfree(codes);
}

/* Work out the codes of a key for some records only: its entries one after the other */
void
KeyCodes(const MatchRecords *records, const ModelKey *key, const uint32 *numbers, int count, uint32 *codes)
{
	int			entries = KeyEntries(key);
	StringInfoData scratch;

	initStringInfo(&scratch);
	for (int i = 0; i < count; i++)
	{
		const uint32 *ids = RecordIds(records, numbers[i]);
		uint32	   *at = codes + (uint64) i * entries;

		for (int p = 0; p < key->part_count; p++)
		{
			const KeyPart *part = &key->parts[p];
			const MatchDictionary *dictionary = FieldDictionary(records, part->field);

			for (int e = 0; e < entries; e++)
			{
				bool		is_other = e == 1 && part->transform == TRANSFORM_ANY_NAME;
				int			field = is_other ? records->model->comparisons[records->model->given].field : part->field;
				uint32		code = ids[field] == VALUE_BLANK ? CODE_NONE :
					ValueCode(dictionary, &dictionary->values[ids[field]], part,
							  part->transform == TRANSFORM_RARE_WORDS ? e : 0, records->word_rarity[part->field], &scratch);

				at[e] = p == 0 ? code :
					code == CODE_NONE || at[e] == CODE_NONE ? CODE_NONE : JoinCodes(at[e], code);
			}
		}
		if (entries == 2 && at[0] == at[1])
			at[1] = CODE_NONE;
	}
	pfree(scratch.data);
}
