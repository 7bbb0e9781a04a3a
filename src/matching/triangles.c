/*
 * Pairs of records that both match a third one.
 *
 * Of a record that was written many times, some pairs agree on no blocking key,
 * though each of the two agrees with others on one.  Where a record matches
 * two others, these are compared too, if they were not found before: few
 * pairs, most of which match.  It is one step of the closure of the matches, by
 * the pairs that keys found, so that it does not matter in which order they
 * were found.  A third record that matches very many tells nothing of these,
 * and would bring more pairs than any block may have.
 */
#include "postgres.h"

#include <math.h>

#include "matching/pairs.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* A record that matches more others is no third one */
#define MOST_MATCHES 50

/* A record that another one was found with */
typedef struct Partner
{
	uint32		record;
	uint32		other;
	bool		is_match;
} Partner;

/* Does a partner come before another?  Those of one record are together, those that match it first. */
static inline int
ComparePartners(const Partner *left, const Partner *right)
{
	if (left->record != right->record)
		return left->record > right->record ? 1 : -1;
	if (left->is_match != right->is_match)
		return left->is_match ? -1 : 1;
	return (left->other > right->other) - (left->other < right->other);
}

/* Order partners */
#define ST_SORT SortPartners
#define ST_ELEMENT_TYPE Partner
#define ST_COMPARE(a, b) ComparePartners(a, b)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Count the matches of each record, as far as one more than a third record may have */
static uint8 *
CountMatches(const FoundPair *pairs, uint64 count, uint32 records, double match_weight)
{
	uint8	   *matches = MemoryContextAllocExtended(CurrentMemoryContext, (Size) records + 1, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	for (uint64 i = 0; i < count; i++)
		if (pairs[i].weight >= match_weight)
		{
			matches[pairs[i].left] += matches[pairs[i].left] <= MOST_MATCHES;
			matches[pairs[i].right] += matches[pairs[i].right] <= MOST_MATCHES;
		}
	return matches;
}

/* Can a record be the third one of others? */
static inline bool
IsThird(const uint8 *matches, uint32 record)
{
	return matches[record] > 1 && matches[record] <= MOST_MATCHES;
}

/* Can a pair be in a triangle?  One of the two has a further match, or both have one that may be the same. */
static inline bool
MayClose(const FoundPair *pair, bool is_match, const uint8 *matches)
{
	return is_match ? Max(matches[pair->left], matches[pair->right]) > 1 :
		matches[pair->left] > 0 && matches[pair->right] > 0;
}

/* Take the pairs that can be in triangles, each from both sides, in the order of records */
static Partner *
TakePartners(const FoundPair *pairs, uint64 count, const uint8 *matches, double match_weight, uint64 *taken)
{
	Partner    *partners;
	uint64		closing = 0;

	for (uint64 i = 0; i < count; i++)
		closing += MayClose(&pairs[i], pairs[i].weight >= match_weight, matches);
	partners = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Partner) * (closing * 2 + 1));
	*taken = 0;
	for (uint64 i = 0; i < count; i++)
	{
		bool		is_match = pairs[i].weight >= match_weight;

		if (!MayClose(&pairs[i], is_match, matches))
			continue;
		partners[(*taken)++] = (Partner) {
			pairs[i].left, pairs[i].right, is_match
		};
		partners[(*taken)++] = (Partner) {
			pairs[i].right, pairs[i].left, is_match
		};
	}
	SortPartners(partners, *taken);
	return partners;
}

/* Find the first partner of a record */
static const Partner *
FirstPartner(const Partner *partners, uint64 count, uint32 record)
{
	uint64		low = 0;
	uint64		high = count;

	while (low < high)
	{
		uint64		middle = low + (high - low) / 2;

		if (partners[middle].record < record)
			low = middle + 1;
		else
			high = middle;
	}
	return partners + low;
}

/* Compare the records that match a record's matches to it, and note the pairs that reach what is wanted */
static void
CloseAt(PairFinder *finder, const Partner *partners, uint64 count, const uint8 *matches, const Partner *of_record,
		uint32 *seen)
{
	const MatchRecords *records = finder->scorer->records;
	const Partner *end = partners + count;
	uint32		record = of_record->record;

	for (const Partner *partner = of_record; partner < end && partner->record == record; partner++)
		seen[partner->other] = record + 1;
	for (const Partner *partner = of_record; partner < end && partner->record == record && partner->is_match; partner++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!IsThird(matches, partner->other))
			continue;
		for (const Partner *further = FirstPartner(partners, count, partner->other);
			 further < end && further->record == partner->other && further->is_match; further++)
		{
			PairPattern pattern;
			FoundPair	pair = {record, further->other};

			if (pair.right <= record || seen[pair.right] == record + 1)
				continue;
			seen[pair.right] = record + 1;
			finder->met++;
			finder->compared++;
			if (PairWeight(finder->scorer, RecordIds(records, record), RecordIds(records, pair.right), finder->at_least,
						   &pattern, &pair.weight))
				FinderAppend(finder, &pair, 1);
		}
	}
}

/* Find the pairs whose records both match a third one, after those that meet at keys */
void
FinderCloseTriangles(PairFinder *finder)
{
	const MatchRecords *records = finder->scorer->records;
	double		match_weight = log2(records->model->match_probability) - log2(1 - records->model->match_probability);
	MemoryContext work = AllocSetContextCreate(CurrentMemoryContext, "lead_mgmt triangles", ALLOCSET_DEFAULT_SIZES);
	MemoryContext outer = MemoryContextSwitchTo(work);
	uint64		count;
	uint8	   *matches = CountMatches(finder->pairs, finder->count, records->count, match_weight);
	Partner    *partners = TakePartners(finder->pairs, finder->count, matches, match_weight, &count);
	uint32	   *seen = MemoryContextAllocExtended(work, sizeof(uint32) * ((Size) records->count + 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	MemoryContextSwitchTo(outer);
	for (uint64 i = 0; i < count; i++)
		if (partners[i].is_match && (i == 0 || partners[i - 1].record != partners[i].record))
			CloseAt(finder, partners, count, matches, &partners[i], seen);
	MemoryContextDelete(work);
}
