/*
 * Records as the matcher holds them: every record a row of dictionary ids.
 *
 * Ids make equality one comparison of integers, and let whatever a value is
 * asked for (its letters, words, phonetic code, calendar date) be worked out
 * once for each distinct value instead of once for each pair.
 */
#ifndef LEAD_MGMT_RECORDS_H
#define LEAD_MGMT_RECORDS_H

#include "matching/dictionary.h"
#include "normalise/normalise.h"
#include "portability/instr_time.h"

/* Fields whose letters, and whose dates, a line tells */
#define LINE_MAX_SIGNATURES 8
#define LINE_MAX_DATES 2

/*
 * How the line of a record is made up: the ids of all fields, packed dates,
 * then the letter signatures of fields that are compared letter by letter, the
 * lengths of these values, and the groups of names that are short for each
 * other, of those that are names.  Most pairs are told apart by their lines
 * alone, each a cache line or two.
 */
typedef struct LineLayout
{
	int			stride;			/* in numbers of 32 bits */
	int			date_count;
	int			date_field[LINE_MAX_DATES];
	int			signature_count;
	int			name_count;		/* the first so many are of names */
	int			signature_field[LINE_MAX_SIGNATURES];
	int			signature_at;	/* in bytes */
	int			length_at;
	int			groups_at;
} LineLayout;

/* A text of a chunk of records that are read */
typedef struct ChunkText
{
	uint32		offset;
	int			len;			/* negative for null */
} ChunkText;

/* Fewer records are not worth the start of workers */
#define SHARED_MIN_RECORDS 50000

/* Records are read in chunks of so many */
#define CHUNK_ROWS DICTIONARY_BATCH

typedef struct MatchRecords
{
	const MatchModel *model;
	MemoryContext context;
	int			column_count;	/* columns that the model reads */
	const char *columns[MODEL_MAX_FIELDS * 2];
	int			column_of[MODEL_MAX_FIELDS];	/* of a field, and that of whole names; or -1 */
	int			full_name_of[MODEL_MAX_FIELDS];
	int			process;		/* reading this set, of those that share the work */
	int			owner[MODEL_MAX_FIELDS];	/* process that enters the values of a field */
	double		share;			/* of all records that are wanted, when these are a sample; or 1 */
	uint32		count;
	uint32		capacity;
	uint32	   *lines;			/* by record: the ids of its values, and what tells most of them apart */
	LineLayout	layout;
	uint32		left_count;		/* when two sets are linked: where the second begins */
	bool		has_integer_keys;
	int64	   *integer_keys;	/* what the caller calls a record: either these */
	uint64	   *text_keys;		/* or these */
	StringInfoData key_text;
	MatchDictionary dictionaries[MODEL_MAX_FIELDS];
	uint32		rank_size[MODEL_MAX_FIELDS];	/* ids that the arrays below have room for, */
	uint32		word_rarity_size[MODEL_MAX_FIELDS];
	uint16	   *ranks[MODEL_MAX_FIELDS];	/* by id: its place among the frequent values, or 0; NULL where none is frequent */
	double	   *rarity[MODEL_MAX_FIELDS];	/* by rank: -log2 of the frequency */
	double	   *word_rarity[MODEL_MAX_FIELDS];	/* by id of the word */
	WholeName  *whole_names;	/* of the model, with -log2 of the frequency */
	instr_time	phase_start;
	struct SharedArrays *shared;	/* where the arrays are once workers have them, too; or NULL */
} MatchRecords;

extern MatchRecords *RecordsCreate(const MatchModel *model);
extern void RecordsInit(MatchRecords *records, const MatchModel *model);
extern void RecordsReserve(MatchRecords *records, uint32 more);
extern void RecordsShareLines(MatchRecords *records, uint32 expected);
extern void RecordsFill(MatchRecords *records, const char *bytes, const ChunkText *texts, int stride, int rows);
extern void RecordsJoinParts(MatchRecords *records);
extern void RecordsLoad(MatchRecords *records, const char *source, const char *key_column, bool is_all);
extern void RecordsLoadSample(MatchRecords *records, const char *source, const char *key_column, double wanted);
extern uint32 RecordsAdd(MatchRecords *records, const char *const *values, const int *lengths);
extern void RecordsSetRarity(MatchRecords *records);
extern void RecordsSetWholeNames(MatchRecords *records);
extern void RecordsMarkUnits(MatchRecords *records, int f);
extern double WholeNameRarity(const MatchRecords *records, uint32 given, uint32 family);
extern void RecordsExtendRarity(MatchRecords *records);
extern void RecordsDropLookup(MatchRecords *records);
extern void RecordsReport(MatchRecords *records, const char *done,...) pg_attribute_printf(2, 3);
extern char *RecordsSource(const char *source);
extern char *RecordsKey(const MatchRecords *records, uint32 record);
extern Datum RecordsKeyDatum(const MatchRecords *records, uint32 record, StringInfo buffer);
extern MatchRecords *RecordsCopyKeys(const MatchRecords *records);

/* Get the ids of a record's values */
static inline const uint32 *
RecordIds(const MatchRecords *records, uint32 record)
{
	return records->lines + (uint64) record * records->layout.stride;
}

/* Fetch what the caller calls a record ahead */
static inline void
RecordsKeyFetch(const MatchRecords *records, uint32 record)
{
	__builtin_prefetch(records->has_integer_keys ? (const void *) &records->integer_keys[record] :
					   (const void *) &records->text_keys[record]);
}

/* Get a packed date from a line, which begins with the ids */
static inline uint32
LineDate(const MatchRecords *records, const uint32 *line, int place)
{
	return line[records->model->field_count + place];
}

/* Get a letter signature from a line */
static inline uint64
LineSignature(const MatchRecords *records, const uint32 *line, int place)
{
	uint64		signature;

	memcpy(&signature, (const char *) line + records->layout.signature_at + place * sizeof(uint64), sizeof(uint64));
	return signature;
}

/* Get the number of characters that goes with a signature */
static inline int
LineLength(const MatchRecords *records, const uint32 *line, int place)
{
	return ((const uint8 *) line)[records->layout.length_at + place];
}

/* Get the groups that a name belongs to, a bit for several of them */
static inline int
LineGroups(const MatchRecords *records, const uint32 *line, int place)
{
	return ((const uint8 *) line)[records->layout.groups_at + place];
}

/* Fetch the line of a record ahead */
static inline void
RecordFetch(const MatchRecords *records, uint32 record)
{
	const uint32 *ids = RecordIds(records, record);

	__builtin_prefetch(ids);
	__builtin_prefetch(ids + records->layout.stride - 1);
}

/* Count the pairs there are */
static inline double
RecordsAllPairs(const MatchRecords *records)
{
	return (double) records->count * (records->count - 1.0) / 2;
}

/* Count the records that these stand for */
static inline double
RecordsMeant(const MatchRecords *records)
{
	return Max(records->model->expected_records, records->count / records->share);
}

/* Get the dictionary of a field */
static inline const MatchDictionary *
FieldDictionary(const MatchRecords *records, int field)
{
	return &records->dictionaries[records->model->fields[field].dictionary];
}

/* Get the place of a value among the frequent ones, from 1 on; 0 when it is not frequent */
static inline int
ValueRank(const MatchRecords *records, int field, uint32 id)
{
	return records->ranks[field] ? records->ranks[field][id] : 0;
}

/* Get how rare a value is */
static inline double
ValueRarity(const MatchRecords *records, int field, uint32 id)
{
	return records->rarity[field][ValueRank(records, field, id)];
}

#endif
