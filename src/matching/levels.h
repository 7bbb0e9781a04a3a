/*
 * Levels: how far two values, and two records, agree.
 */
#ifndef LEAD_MGMT_LEVELS_H
#define LEAD_MGMT_LEVELS_H

#include "matching/records.h"

/* How two records compare */
typedef struct PairPattern
{
	int8		levels[MODEL_MAX_COMPARISONS];	/* or LEVEL_BLANK */
	int8		order;			/* of names: 0 straight, 1 swapped, or LEVEL_BLANK */
} PairPattern;

/* A comparison whose level is not worked out yet */
#define LEVEL_UNKNOWN (-2)

/* Memory is fetched ahead of comparing a pair in so many stages: values, then their texts */
#define FETCH_STAGES 2

/* A cache of levels has so many entries, as a power of two */
#define LEVEL_CACHE_BITS 15

/* What a name can be worth against a mailbox at most */
typedef struct MailboxBounds
{
	double		plain;			/* at a level that uses no frequency, */
	double		frequent;		/* at one that does, before it counts */
} MailboxBounds;

/* What two comparisons can be worth beyond their parts, knowing the level of one */
typedef struct GroupBounds
{
	double		best;
	double		left[MODEL_MAX_LEVELS];
	double		right[MODEL_MAX_LEVELS];
} GroupBounds;

/* Sets of levels, a bit for each */
typedef uint16 LevelSet;

StaticAssertDecl(MODEL_MAX_LEVELS <= 16, "a set of levels has a bit for each");

/* Edits are told apart up to here */
#define EDITS_OF_INTEREST 8

/* They are few when there are more letters than this to each */
#define LETTERS_PER_EDIT 3

/* Which levels of different values the lines of two records leave possible */
typedef struct LineTests
{
	int			place;			/* of the signatures; -1 where there are none */
	int			date_place;		/* of the dates, likewise */
	LevelSet	always;			/* levels that letters say nothing of, */
	LevelSet	nickname;		/* and those of each test */
	LevelSet	initial;
	LevelSet	part;
	LevelSet	qgrams;
	LevelSet	same_mailbox;
	LevelSet	same_domain;
	LevelSet	edits[EDITS_OF_INTEREST + 2];	/* by the number of edits */
	LevelSet	domain_edits[EDITS_OF_INTEREST + 2];	/* likewise, at one domain */
	bool		few_edits;		/* must edits be few for the length of the values? */
	int			similar_count;	/* levels of Jaro-Winkler similarity, the lowest threshold first */
	JaroWinklerNeed similar[MODEL_MAX_LEVELS];
	LevelSet	similar_levels[MODEL_MAX_LEVELS];
	LevelSet	certain;		/* levels that hold if they are possible */
	LevelSet	frequent;		/* levels that use frequencies of the value */
	double		most[MODEL_MAX_LEVELS];	/* weight of a level, without that */
} LineTests;

/* A pair on the way to its weight */
typedef struct PairState
{
	PairPattern pattern;
	double		bound;
	double		bounds[MODEL_MAX_COMPARISONS];
	double		group_bounds[MODEL_MAX_COMPARISONS];
} PairState;

/* What a step, a comparison or both names, can be worth at most, as far as equal ids tell */
typedef struct StepBounds
{
	int			field;			/* or -1 for both names */
	double		equal;			/* names: both, and their order */
	double		different;
	double		blank;			/* one of the values at least */
} StepBounds;

/* Compares pairs of records of one set */
typedef struct PairScorer
{
	const MatchRecords *records;
	const MatchModel *model;
	uint32	   *caches[MODEL_MAX_COMPARISONS];	/* levels by pair of values; or NULL */
	int			most_edits[MODEL_MAX_COMPARISONS];	/* that any level asks for */
	LineTests	tests[MODEL_MAX_COMPARISONS];
	MailboxBounds mailboxes[MODEL_MAX_COMPARISONS];
	GroupBounds groups[MODEL_MAX_COMPARISONS];
	bool		is_far[MODEL_MAX_COMPARISONS];	/* are the values out of the processor's cache? */
	bool		may_cross;		/* are there names that may be swapped? */
	int			step_count;
	int			order[MODEL_MAX_COMPARISONS];	/* of comparisons, the most useful first, */
	int			line_order[MODEL_MAX_COMPARISONS];	/* and those whose lines are */
	StepBounds	steps[MODEL_MAX_COMPARISONS];	/* in the order of lines */
	double		groups_most;	/* the most that all groups are worth */
	int			given_field;	/* of names that may be swapped */
	int			family_field;
} PairScorer;

/*
 * A cache of levels has four bytes for a pair of values: from the top, what
 * its place does not tell of the pair, and its level and 1.  The two ids are
 * mixed by a multiplication that loses nothing, the upper bits of which are
 * the place.
 */
#define CACHED_LEVEL_BITS 4
#define CACHED_LEVEL ((1 << CACHED_LEVEL_BITS) - 1)
#define CACHED_ID_BITS 16

StaticAssertDecl(MODEL_MAX_LEVELS < CACHED_LEVEL, "a level is cached in four bits");
StaticAssertDecl(LEVEL_CACHE_BITS >= CACHED_LEVEL_BITS, "the place tells of a pair what four bytes do not");

/* Mix a pair of values of which ids are small enough to be cached */
static inline uint32
CachedPair(uint32 left, uint32 right)
{
	return (Min(left, right) << CACHED_ID_BITS | Max(left, right)) * UINT32_C(0x9E3779B1);
}

/* Get the place of a pair of values in the cache of a comparison */
static inline uint32 *
CachePlace(const PairScorer *scorer, int c, uint32 pair)
{
	return &scorer->caches[c][pair >> (32 - LEVEL_CACHE_BITS)];
}

/* Get what is cached of a pair of values, its level left out */
static inline uint32
CachedTag(uint32 pair)
{
	return pair << LEVEL_CACHE_BITS >> (LEVEL_CACHE_BITS - CACHED_LEVEL_BITS);
}

/* Fetch what is cached of a pair of different values ahead */
static inline void
CacheFetch(const PairScorer *scorer, int c, uint32 left, uint32 right)
{
	if (scorer->caches[c])
		__builtin_prefetch(CachePlace(scorer, c, CachedPair(left, right)));
}

/*
 * Have two records one mailbox at two domains?  Then the name of one of them in
 * the mailbox of the other says no more than the mailbox.
 */
static inline bool
ShareMailbox(const ModelComparison *comparison, const uint32 *left, const uint32 *right)
{
	return left[comparison->mailbox] == right[comparison->mailbox] && left[comparison->domain] != right[comparison->domain];
}

extern bool MarksUnit(const MatchDictionary *words, uint32 word);
extern PairScorer *ScorerCreate(const MatchRecords *records);
extern void LineTestsInit(PairScorer *scorer, int c);
extern int	LineLevel(const PairScorer *scorer, int c, const uint32 *left, const uint32 *right, double *most);
extern double LineCrossedBound(const PairScorer *scorer, int c, const uint32 *left, int left_comparison,
							   const uint32 *right, int right_comparison);
extern int	LineCrossedLevel(const PairScorer *scorer, int c, const uint32 *left, int left_comparison,
							 const uint32 *right, int right_comparison);
extern bool PackedDateTest(LevelTest test, double threshold, uint32 left, uint32 right);
extern void PairPeek(const PairScorer *scorer, const uint32 *left, const uint32 *right, PairPattern *pattern);
extern void PairFetch(const PairScorer *scorer, const uint32 *left, const uint32 *right, const PairPattern *pattern,
					  int stage);
extern void PairLevel(PairScorer *scorer, int c, const uint32 *left, const uint32 *right, PairPattern *pattern);
extern void PairNameLevels(PairScorer *scorer, const uint32 *left, const uint32 *right, PairPattern *pattern);
extern void PairCompleteLevels(PairScorer *scorer, const uint32 *left, const uint32 *right, PairPattern *pattern);
extern void PairLevels(PairScorer *scorer, const uint32 *left, const uint32 *right, PairPattern *pattern);
extern LevelTest NameInMailbox(const MatchRecords *records, int name_field, uint32 name, int mailbox_field, uint32 mailbox);
extern double PatternRarity(const PairScorer *scorer, const uint32 *left, const uint32 *right,
							const PairPattern *pattern, double shared[RELATED_COUNT]);
extern double LevelRarity(const PairScorer *scorer, int c, const uint32 *left, const uint32 *right,
						  const PairPattern *pattern);
extern double PatternWeight(const PairScorer *scorer, const uint32 *left, const uint32 *right,
							const PairPattern *pattern, double *parts);
extern bool PairMayReach(PairScorer *scorer, const uint32 *left, const uint32 *right, double at_least,
						 PairState *state);
extern bool PairReaches(PairScorer *scorer, const uint32 *left, const uint32 *right, double at_least,
						PairState *state, double *weight);
extern bool PairWeight(PairScorer *scorer, const uint32 *left, const uint32 *right, double at_least,
					   PairPattern *pattern, double *weight);

#endif
