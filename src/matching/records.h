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

typedef struct MatchRecords
{
	const MatchModel *model;
	MemoryContext context;
	int			column_count;	/* columns that the model reads */
	const char *columns[MODEL_MAX_FIELDS * 2];
	uint32		count;
	uint32		capacity;
	uint32	   *ids;			/* by record, one for each field */
	uint32		left_count;		/* when two sets are linked: where the second begins */
	bool		has_integer_keys;
	int64	   *integer_keys;	/* what the caller calls a record: either these */
	uint64	   *text_keys;		/* or these */
	StringInfoData key_text;
	PersonName	name;			/* the one taken apart last */
	MatchDictionary dictionaries[MODEL_MAX_FIELDS];
	uint32		rarity_size[MODEL_MAX_FIELDS];	/* ids that the arrays below have room for, */
	uint32		word_rarity_size[MODEL_MAX_FIELDS];
	double	   *rarity[MODEL_MAX_FIELDS];	/* by id: -log2 of the frequency */
	double	   *word_rarity[MODEL_MAX_FIELDS];
} MatchRecords;

extern MatchRecords *RecordsCreate(const MatchModel *model);
extern void RecordsLoad(MatchRecords *records, const char *source, const char *key_column);
extern uint32 RecordsAdd(MatchRecords *records, const char *const *values, const int *lengths);
extern void RecordsSetRarity(MatchRecords *records);
extern void RecordsExtendRarity(MatchRecords *records);
extern char *RecordsSource(const char *source);
extern char *RecordsKey(const MatchRecords *records, uint32 record);

/* Get the ids of a record's values */
static inline const uint32 *
RecordIds(const MatchRecords *records, uint32 record)
{
	return records->ids + (uint64) record * records->model->field_count;
}

/* Count the pairs there are */
static inline double
RecordsAllPairs(const MatchRecords *records)
{
	return (double) records->count * (records->count - 1.0) / 2;
}

/* Get the dictionary of a field */
static inline const MatchDictionary *
FieldDictionary(const MatchRecords *records, int field)
{
	return &records->dictionaries[records->model->fields[field].dictionary];
}

#endif
