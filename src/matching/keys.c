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

#include "matching/arrays.h"
#include "matching/keys.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#define RADIX_BITS 11
#define RADIX_SIZE (1 << RADIX_BITS)
#define RADIX_PASSES 3

/* Records whose lines are fetched ahead of comparing them */
#define FETCH_AHEAD 48

/* Makes of a code what a share of the blocks is picked by */
#define SHARE_SALT 7

/* Codes are told apart by so many bits, at least, when it is seen which come twice */
#define SEEN_MIN_BITS 12

/* A word tells of so many of their classes, as a power of two; two bits each */
#define SEEN_WORD_BITS 5
#define SEEN_ONCE UINT64CONST(1)
#define SEEN_TWICE UINT64CONST(2)

/* The codes of the values of one field under one transformation */
typedef struct PartCodes
{
	KeyPart		part;
	int			entries;
	uint32	   *codes[KEY_MAX_ENTRIES];
} PartCodes;

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
		result->codes[e] = ArrayAllocate(CurrentMemoryContext, sizeof(uint32) * (uint64) dictionary->count);
		result->codes[e][VALUE_BLANK] = CODE_NONE;
		for (uint32 id = 1; id < dictionary->count; id++)
		{
			if (id % 65536 == 0)
				CHECK_FOR_INTERRUPTS();
			result->codes[e][id] = ValueCode(dictionary, &dictionary->values[id], part, e,
											 records->word_rarity[part->field], &scratch);
		}
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

/* The codes of the values of a part of a key; parts that several keys have are worked out once */
static PartCodes *
FindPartCodes(const MatchRecords *records, const KeyPart *part, PartCodes *known, int *known_count)
{
	for (int i = 0; i < *known_count; i++)
		if (known[i].part.field == part->field && known[i].part.transform == part->transform &&
			known[i].part.length == part->length)
			return &known[i];
	known[*known_count].part = *part;
	MakePartCodes(records, part, &known[*known_count]);
	return &known[(*known_count)++];
}

/* Is a part in several keys of a model? */
static bool
IsSharedPart(const MatchModel *model, const KeyPart *part)
{
	int			count = 0;

	for (int k = 0; k < model->key_count; k++)
		for (int p = 0; p < model->keys[k].part_count; p++)
		{
			const KeyPart *other = &model->keys[k].parts[p];

			count += other->field == part->field && other->transform == part->transform && other->length == part->length;
		}
	return count > 1;
}

/* Write the codes of one record in one key */
static inline void
WriteCodes(const MatchModel *model, const ModelKey *key, PartCodes *const *parts, int entries, const uint32 *ids,
		   uint32 *codes)
{
	for (int p = 0; p < key->part_count; p++)
		for (int e = 0; e < entries; e++)
		{
			bool		is_other = e == 1 && key->parts[p].transform == TRANSFORM_ANY_NAME;
			int			field = is_other ? model->comparisons[model->given].field : key->parts[p].field;
			uint32		code = parts[p]->codes[is_other ? 0 : Min(e, parts[p]->entries - 1)][ids[field]];

			if (p == 0)
				codes[e] = code;
			else
				codes[e] = code == CODE_NONE || codes[e] == CODE_NONE ? CODE_NONE : JoinCodes(codes[e], code);
		}
	if (entries == 2 && codes[0] == codes[1])
		codes[1] = CODE_NONE;
}

struct KeyBuilder
{
	MatchKeys  *keys;
	MemoryContext context;
	PartCodes	known[MODEL_MAX_KEYS * MODEL_MAX_PARTS];
	int			known_count;
	uint32	   *refinement_codes[MODEL_MAX_REFINEMENTS];	/* by value; or NULL as long as no block is too large */
	uint32	   *codes;			/* of the key that is built, by record, then entry */
	uint64		codes_room;
	uint64	   *seen;			/* two bits for each class of codes: was it seen, and twice? */
	int			seen_bits;
	CodeEntry  *entries;
	CodeEntry  *spare;
	uint64		room;
	double		wanted;			/* pairs; of more, a share of the blocks is kept */
	double		pairs;			/* in the blocks so far */
};

/* Make what the blocks of keys are found with, of which a share will do if they have more pairs than wanted */
KeyBuilder *
KeyBuilderCreate(MatchKeys *keys, double wanted)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "lead_mgmt keys", ALLOCSET_DEFAULT_SIZES);
	KeyBuilder *builder = MemoryContextAllocZero(context, sizeof(KeyBuilder));

	builder->keys = keys;
	builder->wanted = wanted;
	builder->context = context;
	for (builder->seen_bits = SEEN_MIN_BITS; (UINT64CONST(1) << builder->seen_bits) < (uint64) keys->records->count * 4;)
		builder->seen_bits++;
	builder->seen = ArrayAllocate(context, sizeof(uint64) << (builder->seen_bits - SEEN_WORD_BITS));
	return builder;
}

/* Give back what the blocks of keys were found with */
void
KeyBuilderFree(KeyBuilder *builder)
{
	MemoryContextDelete(builder->context);
}

/* Write the codes of all records in a key: among those of all keys, and one behind the other */
static void
FillCodes(KeyBuilder *builder, int key)
{
	MatchKeys  *keys = builder->keys;
	const ModelKey *definition = &keys->model->keys[key];
	PartCodes  *parts[MODEL_MAX_PARTS];
	PartCodes	own[MODEL_MAX_PARTS];	/* of no other key */
	int			entries = keys->entries[key];
	uint64		room = (uint64) keys->records->count * entries;

	for (int p = 0; p < definition->part_count; p++)
		if (IsSharedPart(keys->model, &definition->parts[p]))
			parts[p] = FindPartCodes(keys->records, &definition->parts[p], builder->known, &builder->known_count);
		else
		{
			parts[p] = &own[p];
			MakePartCodes(keys->records, &definition->parts[p], parts[p]);
		}
	if (room > builder->codes_room)
	{
		if (builder->codes)
			pfree(builder->codes);
		builder->codes = ArrayAllocate(builder->context, sizeof(uint32) * room);
		builder->codes_room = room;
	}
	for (uint32 r = 0; r < keys->records->count; r++)
	{
		uint32	   *codes = builder->codes + (uint64) r * entries;
		uint32	   *to = keys->codes + (uint64) r * keys->stride + keys->first[key];

		if (r % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		WriteCodes(keys->model, definition, parts, entries, RecordIds(keys->records, r), codes);
		for (int e = 0; e < entries; e++)
			to[e] = codes[e];
	}
	for (int p = 0; p < definition->part_count; p++)
		for (int e = 0; parts[p] == &own[p] && e < own[p].entries; e++)
			pfree(own[p].codes[e]);
}

/* Get the place of a code's class: the word, and where its two bits are in it */
static inline uint64 *
SeenPlace(const KeyBuilder *builder, uint32 code, int *shift)
{
	uint64		class = (code * UINT64CONST(0x9E3779B97F4A7C15)) >> (64 - builder->seen_bits);

	*shift = (class & ((1 << SEEN_WORD_BITS) - 1)) * 2;
	return &builder->seen[class >> SEEN_WORD_BITS];
}

/* Count the entries of a key whose codes may come twice, and note which do */
static uint64
CountRepeated(KeyBuilder *builder, int key)
{
	uint64		all = (uint64) builder->keys->records->count * builder->keys->entries[key];
	uint64		count = 0;

	memset(builder->seen, 0, sizeof(uint64) << (builder->seen_bits - SEEN_WORD_BITS));
	for (uint64 i = 0; i < all; i++)
	{
		int			shift;
		uint64	   *place;
		uint64		before;

		if (i % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		if (builder->codes[i] == CODE_NONE)
			continue;
		place = SeenPlace(builder, builder->codes[i], &shift);
		before = (*place >> shift) & (SEEN_ONCE | SEEN_TWICE);

		/* The first of a class counts when the second comes */
		count += before == 0 ? 0 : before == SEEN_ONCE ? 2 : 1;
		*place |= (before == 0 ? SEEN_ONCE : SEEN_TWICE) << shift;
	}
	return count;
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

/* Keep the entries of blocks of two or more; returns how many */
static uint32
KeepBlocks(CodeEntry *entries, uint32 count)
{
	uint32		kept = 0;
	uint32		before = CODE_NONE;

	for (uint32 i = 0; i < count; i++)
	{
		CodeEntry	entry = entries[i];

		if (entry.code == before || (i + 1 < count && entries[i + 1].code == entry.code))
			entries[kept++] = entry;
		before = entry.code;
	}
	return kept;
}

/* Gather the members of the blocks of a key, sorted by code */
static CodeEntry *
GatherMembers(KeyBuilder *builder, int key, uint32 *count)
{
	int			entries = builder->keys->entries[key];
	uint64		room = CountRepeated(builder, key);
	CodeEntry  *sorted;
	uint64		n = 0;

	if (room > builder->room)
	{
		if (builder->entries)
		{
			pfree(builder->entries);
			pfree(builder->spare);
		}
		builder->entries = ArrayAllocate(builder->context, sizeof(CodeEntry) * room);
		builder->spare = ArrayAllocate(builder->context, sizeof(CodeEntry) * room);
		builder->room = room;
	}
	for (uint32 r = 0; r < builder->keys->records->count; r++)
	{
		if (r % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		for (int e = 0; e < entries; e++)
		{
			uint32		code = builder->codes[(uint64) r * entries + e];
			int			shift;

			if (code != CODE_NONE && (*SeenPlace(builder, code, &shift) >> shift & SEEN_TWICE))
				builder->entries[n++] = (CodeEntry) {code, r};
		}
	}
	sorted = SortEntries(builder->entries, builder->spare, n);
	*count = KeepBlocks(sorted, n);
	return sorted;
}

/* Replace the code of a record in a key */
static void
ReplaceCode(KeyBuilder *builder, int key, uint32 record, uint32 from, uint32 to)
{
	MatchKeys  *keys = builder->keys;
	uint32	   *codes = keys->codes + (uint64) record * keys->stride + keys->first[key];

	for (int e = 0; e < keys->entries[key]; e++)
		if (codes[e] == from)
		{
			codes[e] = to;
			builder->codes[(uint64) record * keys->entries[key] + e] = to;
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
CutBlock(KeyBuilder *builder, int key, CodeEntry *entries, uint32 count)
{
	MatchKeys  *keys = builder->keys;
	uint32		limit = keys->model->block_limit;
	KeyBlocks  *blocks = &keys->blocks[key];

	qsort_arg(entries, count, sizeof(CodeEntry), CompareContent, (void *) keys->records);
	blocks->pairs += (uint64) count * (limit - 1) / 2;
	for (uint32 i = 0; i < count; i++)
	{
		ReplaceCode(builder, key, entries[i].record, entries[i].code, JoinCodes(entries[i].code, 1 + i / limit));
		if (i % limit != 0 || i == 0)
			continue;
		if (blocks->seam_count == blocks->seam_capacity)
		{
			blocks->seam_capacity = Max(blocks->seam_capacity * 2, 1024);
			blocks->seams = blocks->seams ?
				ArrayGrow(blocks->seams, sizeof(uint32) * 2 * (uint64) blocks->seam_capacity) :
				palloc(sizeof(uint32) * 2 * blocks->seam_capacity);
		}
		blocks->seams[2 * blocks->seam_count] = entries[i - 1].record;
		blocks->seams[2 * blocks->seam_count + 1] = entries[i].record;
		blocks->seam_count++;
	}
}

/* Get the codes of values by which blocks are split; they are worked out when the first is too large */
static const uint32 *
RefinementCodes(KeyBuilder *builder, int refinement)
{
	if (builder->refinement_codes[refinement] == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(builder->context);
		PartCodes	codes;

		MakePartCodes(builder->keys->records, &builder->keys->model->refinements[refinement], &codes);
		builder->refinement_codes[refinement] = codes.codes[0];
		MemoryContextSwitchTo(old);
	}
	return builder->refinement_codes[refinement];
}

/* Split a block that is too large by the fields that are not in its key yet */
static void
SplitBlock(KeyBuilder *builder, int key, CodeEntry *entries, CodeEntry *spare, uint32 count, int refinement)
{
	MatchKeys  *keys = builder->keys;
	const MatchModel *model = keys->model;
	const ModelKey *definition = &model->keys[key];
	const uint32 *codes;
	CodeEntry  *sorted;
	bool		in_key;

	CHECK_FOR_INTERRUPTS();
	do
	{
		if (refinement == model->refinement_count)
		{
			CutBlock(builder, key, entries, count);
			return;
		}
		in_key = false;
		for (int p = 0; p < definition->part_count; p++)
			in_key |= definition->parts[p].field == model->refinements[refinement].field &&
				definition->parts[p].transform == model->refinements[refinement].transform;
		if (in_key)
			refinement++;
	} while (in_key);
	codes = RefinementCodes(builder, refinement);
	for (uint32 i = 0; i < count; i++)
	{
		uint32		id = RecordIds(keys->records, entries[i].record)[model->refinements[refinement].field];
		uint32		code = JoinCodes(entries[i].code, 2 + codes[id]);

		ReplaceCode(builder, key, entries[i].record, entries[i].code, code);
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
			SplitBlock(builder, key, entries + from, spare + from, to - from, refinement + 1);
		else
			keys->blocks[key].pairs += (uint64) (to - from) * (to - from - 1) / 2;
		from = to;
	}
}

/* Keep a share of the blocks, picked by their codes; returns how many members they have */
static uint32
KeepShare(CodeEntry *members, uint32 count, double share)
{
	uint32		below = (uint32) (share * PG_UINT32_MAX);
	uint32		kept = 0;

	if (share >= 1)
		return count;
	for (uint32 i = 0; i < count; i++)
		if (JoinCodes(members[i].code, SHARE_SALT) <= below)
			members[kept++] = members[i];
	return kept;
}

/* Find the blocks of a key, splitting those that are too large */
void
KeyBuild(KeyBuilder *builder, int key)
{
	MatchKeys  *keys = builder->keys;
	KeyBlocks  *blocks = &keys->blocks[key];
	MemoryContext old = MemoryContextSwitchTo(builder->context);
	CodeEntry  *sorted;
	uint32		count;

	FillCodes(builder, key);
	sorted = GatherMembers(builder, key, &count);
	MemoryContextSwitchTo(old);
	for (uint32 from = 0; from < count;)
	{
		uint32		to = from;

		while (to < count && sorted[to].code == sorted[from].code)
			to++;
		if (to - from > keys->model->block_limit)
		{
			blocks->split++;
			SplitBlock(builder, key, sorted + from, (sorted == builder->entries ? builder->spare : builder->entries) + from,
					   to - from, 0);
		}
		else
			blocks->pairs += (uint64) (to - from) * (to - from - 1) / 2;
		from = to;
	}
	if (blocks->split > 0)
		sorted = GatherMembers(builder, key, &count);

	/* What is dropped with the keys so far is dropped with all of them */
	builder->pairs += blocks->pairs;
	count = KeepShare(sorted, count, builder->wanted / Max(builder->pairs, 1));
	blocks->member_count = count;
	blocks->members = ArrayAllocate(CurrentMemoryContext, sizeof(CodeEntry) * (uint64) Max(count, 1));
	memcpy(blocks->members, sorted, sizeof(CodeEntry) * (uint64) count);
}

/* Keep a share of the blocks with as many pairs as wanted; returns the share */
double
KeysKeepWanted(MatchKeys *keys, double wanted)
{
	double		pairs = 0;
	double		share;

	for (int k = 0; k < keys->model->key_count; k++)
		pairs += keys->blocks[k].pairs;
	share = Min(1, wanted / Max(pairs, 1));
	for (int k = 0; k < keys->model->key_count && share < 1; k++)
	{
		KeyBlocks  *blocks = &keys->blocks[k];

		blocks->member_count = KeepShare(blocks->members, blocks->member_count, share);
		blocks->members = ArrayGrow(blocks->members, sizeof(CodeEntry) * (uint64) Max(blocks->member_count, 1));
	}
	return share;
}

/* Make the keys of records, without codes and blocks */
MatchKeys *
KeysCreate(MatchRecords *records)
{
	MatchKeys  *keys = palloc0(sizeof(MatchKeys));

	keys->records = records;
	keys->model = records->model;
	for (int k = 0; k < records->model->key_count; k++)
	{
		keys->first[k] = keys->stride;
		keys->entries[k] = KeyEntries(&records->model->keys[k]);
		keys->stride += keys->entries[k];
	}
	return keys;
}

/* Have two records that meet at a key under a code met in an earlier block? */
bool
KeysMetBefore(const MatchKeys *keys, int key, uint32 code, uint32 left, uint32 right)
{
	const uint32 *left_codes = RecordCodes(keys, left);
	const uint32 *right_codes = RecordCodes(keys, right);

	for (int k = 0; k < key; k++)
	{
		const uint32 *a = left_codes + keys->first[k];
		const uint32 *b = right_codes + keys->first[k];

		if (a[0] == b[0] && a[0] != CODE_NONE)
			return true;
		if (keys->entries[k] == 2 &&
			((a[1] != CODE_NONE && (a[1] == b[1] || a[1] == b[0])) || (a[0] != CODE_NONE && a[0] == b[1])))
			return true;
	}
	if (keys->entries[key] == 2)
	{
		/* Both their codes may agree; the smaller decides */
		const uint32 *a = left_codes + keys->first[key];
		const uint32 *b = right_codes + keys->first[key];

		for (int e = 0; e < 2; e++)
			if (a[e] != CODE_NONE && a[e] < code && (a[e] == b[0] || a[e] == b[1]))
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

/* Find the first member of a key whose code reaches a limit */
static uint32
FirstMember(const MatchKeys *keys, int key, uint64 code)
{
	const CodeEntry *members = keys->blocks[key].members;
	uint32		low = 0;
	uint32		high = keys->blocks[key].member_count;

	while (low < high)
	{
		uint32		middle = low + (high - low) / 2;

		if (members[middle].code < code)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Get the first code of a range of so many */
static uint64
RangeStart(uint64 number, uint32 count)
{
	return ((number << 32) + count - 1) / count;
}

/* Hand the blocks of a slice of a key to a visitor, the lines of records fetched ahead, and their codes if wanted */
void
KeysVisitSlice(const MatchKeys *keys, int key, const KeysSlice *slice, bool fetches_codes, BlockVisitor visit,
			   void *state)
{
	const CodeEntry *members = keys->blocks[key].members;
	uint32		room = keys->model->block_limit + 1;
	uint32	   *numbers = palloc(sizeof(uint32) * room);
	uint32		from = FirstMember(keys, key, RangeStart(slice->number, slice->count));
	uint32		end = FirstMember(keys, key, RangeStart((uint64) slice->number + 1, slice->count));
	uint32		fetched = from;

	while (from < end)
	{
		MatchBlock	block = {key, members[from].code, 0, numbers};
		uint32		to = from;

		while (to < end && members[to].code == block.code)
			to++;
		for (; fetched < Min(end, to + FETCH_AHEAD); fetched++)
		{
			RecordFetch(keys->records, members[fetched].record);
			if (fetches_codes)
				CodesFetch(keys, members[fetched].record);
		}

		/* More than fit have codes that are equal by chance */
		for (uint32 i = from; i < to && block.count < room; i++)
			numbers[block.count++] = members[i].record;
		visit(state, keys, &block);
		from = to;
	}
	pfree(numbers);
}

/* Hand the pairs across the seams of blocks that were cut up to a visitor */
void
KeysVisitSeams(const MatchKeys *keys, BlockVisitor visit, void *state)
{
	for (int k = 0; k < keys->model->key_count; k++)
		for (uint32 s = 0; s < keys->blocks[k].seam_count; s++)
		{
			MatchBlock	block = {keys->model->key_count, CODE_NONE, 2, &keys->blocks[k].seams[2 * s]};

			visit(state, keys, &block);
		}
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
