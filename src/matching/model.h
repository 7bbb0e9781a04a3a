/*
 * A match model: which fields of two records are compared, by which levels of
 * agreement, and what each level is worth.
 *
 * The model of Fellegi and Sunter (A Theory for Record Linkage, JASA 1969):
 * for every comparison and level, m is the probability of the level among
 * pairs of records of one entity and u among pairs of different entities.  A
 * pair's weight is the sum of log2(m / u) over its comparisons, and its
 * probability follows from the weight and the prior.  A blank is no evidence.
 *
 * A model is a jsonb document; this is what it is compiled to.
 */
#ifndef LEAD_MGMT_MODEL_H
#define LEAD_MGMT_MODEL_H

#include "lib/stringinfo.h"
#include "utils/jsonb.h"

#define MODEL_MAX_FIELDS 32
#define MODEL_MAX_COMPARISONS 16
#define MODEL_MAX_LEVELS 14
#define MODEL_MAX_KEYS 16
#define MODEL_MAX_PARTS 4
#define MODEL_MAX_REFINEMENTS 8
#define MODEL_MAX_WHOLE_NAMES 5000
#define MODEL_MAX_UNITS 100

/* Largest block that is compared pair by pair, unless a model says otherwise */
#define DEFAULT_BLOCK_LIMIT 200

/* Ways in which two entities that are not the same may be related */
#define RELATED_KIN 0			/* of one household, or of one group of companies */
#define RELATED_NAMESAKE 1		/* of one name; branches of one company */
#define RELATED_NEAR 2			/* in one place */
#define RELATED_COLLEAGUE 3		/* persons of one company */
#define RELATED_COUNT 4

/* The level of a comparison that says nothing */
#define LEVEL_BLANK (-1)

/* What a column holds */
typedef enum
{
	KIND_GIVEN_NAME,
	KIND_FAMILY_NAME,
	KIND_FULL_NAME,
	KIND_ORGANISATION,
	KIND_EMAIL,
	KIND_WEBSITE,
	KIND_PHONE,
	KIND_DATE,
	KIND_ADDRESS,
	KIND_POSTCODE,
	KIND_TEXT,
	KIND_CATEGORY,
	KIND_IDENTIFIER,
	KIND_NUMBER
} FieldKind;

#define KIND_COUNT (KIND_NUMBER + 1)

/* How a field comes out of its column */
typedef enum
{
	PART_WHOLE,
	PART_MAILBOX,				/* of an e-mail address: what is left of the @ */
	PART_DOMAIN					/* and what is right of it */
} FieldPart;

/* A field of a record: a normal form of a column, or of part of it */
typedef struct ModelField
{
	char	   *name;
	FieldKind	kind;
	char	   *column;
	char	   *full_name;		/* column with the whole name, for blanks; or NULL */
	FieldPart	part;
	int			whole;			/* the field this is a part of, or -1 */
	int			dictionary;		/* fields that may be equal share one */
	int			frequency_count;
	char	  **frequent;		/* values known to be frequent, normal forms, */
	double	   *frequencies;	/* and how frequent */
	double		rest_frequency; /* of each value that is not listed */
	double		present;		/* share of records that have it, once measured */
	double		agreement;		/* probability that two random records agree, */
	double		agreement_weight;	/* and its log2 */
	bool		never_blocks;	/* not to be a part of blocking keys */
	bool		by_holder;		/* were its values counted by who has them? known in training */
	bool		has_words;		/* are its values compared word by word? */
	int			word_count;
	char	  **words;			/* likewise the words of values */
	double	   *word_frequencies;
	double		rest_word_frequency;
	int			unit_count;
	char	  **units;			/* words that mark a unit of a group, besides the usual ones */
} ModelField;

/* The tests that levels are made of */
typedef enum
{
	TEST_EXACT,
	TEST_JARO_WINKLER,
	TEST_EDITS,
	TEST_QGRAMS,
	TEST_WORDS,
	TEST_NICKNAME,
	TEST_INITIAL,
	TEST_PART,
	TEST_ACRONYM,
	TEST_UNIT,
	TEST_SAME_MAILBOX,
	TEST_SAME_DOMAIN,
	TEST_DIGITS,
	TEST_TRANSPOSED,
	TEST_DATE_PARTS,
	TEST_DAYS,
	TEST_YEAR_SLIP,
	TEST_RATIO,
	TEST_DIFFERENCE,
	TEST_EMAIL_NAME,
	TEST_EMAIL_INITIAL,
	TEST_EMAIL_OTHER,
	TEST_ELSE
} LevelTest;

#define TEST_COUNT (TEST_ELSE + 1)

typedef struct ModelLevel
{
	char	   *label;
	LevelTest	test;
	double		threshold;
	bool		uses_frequency;
	double		m;
	double		u;
	double		related[RELATED_COUNT];	/* probability among pairs of related entities */
	double		weight;			/* log2(m / u) */
	double		most;			/* with the rarest of values */
	double		related_weight[RELATED_COUNT];	/* log2(related / u) */
} ModelLevel;

typedef struct ModelComparison
{
	char	   *name;
	int			field;
	int			mailbox;		/* field: of an e-mail address its mailbox; of a name, */
	int			domain;			/* what stands in for a blank; or -1 */
	bool		is_shared[RELATED_COUNT];	/* do related entities have it in common? */
	int			level_count;
	ModelLevel	levels[MODEL_MAX_LEVELS];
	int			equal_level;	/* of equal values */
	int			first_email_level;	/* of a name against an e-mail address, or -1 */
	double		most_rarity;	/* most that the rarity of a value can add */
} ModelComparison;

/*
 * Two comparisons that depend on each other: what a combination of levels is
 * worth beyond its parts.  They form a forest, so that the joint probability is
 * the product of the parts and of these ratios (Chow and Liu, Approximating
 * Discrete Probability Distributions with Dependence Trees, 1968).
 */
typedef struct ModelGroup
{
	char	   *name;
	int			left;			/* comparisons */
	int			right;
	double		m[MODEL_MAX_LEVELS][MODEL_MAX_LEVELS];	/* how much likelier than if independent, */
	double		u[MODEL_MAX_LEVELS][MODEL_MAX_LEVELS];	/* among matches and among others */
	double		weight[MODEL_MAX_LEVELS][MODEL_MAX_LEVELS];	/* log2(m / u) */
	double		related_weight[MODEL_MAX_LEVELS][MODEL_MAX_LEVELS];	/* log2(1 / u) */
} ModelGroup;

/* How a part of a blocking key comes out of a field */
typedef enum
{
	TRANSFORM_EXACT,
	TRANSFORM_DOMAIN,			/* of an e-mail address that is not a free provider's */
	TRANSFORM_PHONETIC,
	TRANSFORM_PREFIX,
	TRANSFORM_INITIAL,
	TRANSFORM_LETTERS,			/* the set of its letters */
	TRANSFORM_YEAR,
	TRANSFORM_MONTH_DAY,
	TRANSFORM_YEAR_MONTH,
	TRANSFORM_FIRST_WORD,
	TRANSFORM_LONG_WORD,		/* the longest, or the longest but one, ... */
	TRANSFORM_RARE_WORDS,
	TRANSFORM_LAST_DIGITS,
	TRANSFORM_ANY_NAME			/* a given or a family name, whichever */
} KeyTransform;

#define TRANSFORM_COUNT (TRANSFORM_ANY_NAME + 1)

typedef struct KeyPart
{
	int			field;
	KeyTransform transform;
	int			length;			/* of a prefix; which of the long words */
} KeyPart;

typedef struct ModelKey
{
	char	   *label;
	int			part_count;
	KeyPart		parts[MODEL_MAX_PARTS];
	double		recall;			/* estimated at training; negative when unknown */
} ModelKey;

/* A given and a family name by their places among the frequent ones, from 1 on */
#define WHOLE_NAME(given, family) ((uint32) (family) << 16 | (given))
#define WHOLE_NAME_GIVEN(name) ((name) & 0xFFFF)
#define WHOLE_NAME_FAMILY(name) ((name) >> 16)

typedef struct WholeName
{
	uint32		name;
	double		frequency;
} WholeName;

typedef struct MatchModel
{
	char	   *key_column;		/* what tells records apart; NULL for the first column */
	int			field_count;
	ModelField	fields[MODEL_MAX_FIELDS];
	int			comparison_count;
	ModelComparison comparisons[MODEL_MAX_COMPARISONS];
	int			group_count;
	ModelGroup	groups[MODEL_MAX_COMPARISONS];
	int			dictionary_count;
	int			given;			/* comparisons that may be swapped, or -1 */
	int			family;
	double		swapped_m;		/* probability that names are given in the other order */
	double		swapped_u;
	double		straight_weight;
	double		swapped_weight;
	int			whole_name_count;	/* that others have more often than their parts say, */
	WholeName  *whole_names;	/* in order */
	int			key_count;
	ModelKey	keys[MODEL_MAX_KEYS];
	int			refinement_count;	/* what splits a block that is too large */
	KeyPart		refinements[MODEL_MAX_REFINEMENTS];
	double		expected_records;	/* that keys are to be good for */
	int			block_limit;	/* largest block that is compared pair by pair */
	double		prior;			/* probability that two random records match */
	double		prior_weight;	/* log2 of its odds */
	double		related_prior[RELATED_COUNT];	/* probability that two random records are of related entities */
	double		related_prior_weight[RELATED_COUNT];
	double		match_probability;
	double		review_probability;
	double		match_precision;	/* for which training chooses the threshold of a match; 0 when it does not */
	bool		is_trained;
	Jsonb	   *report;			/* of the training, or NULL */
} MatchModel;

extern MatchModel *ModelCreate(void);
extern void ModelAddEmailParts(MatchModel *model, int email);
extern MatchModel *ModelRead(Jsonb *document);
extern Jsonb *ModelWrite(const MatchModel *model);
extern const char *ModelKeyPart(const MatchModel *model, const KeyPart *part);
extern void ModelCompile(MatchModel *model);
extern void ModelDefaultLevels(ModelComparison *comparison, FieldKind kind);
extern int	ModelFindField(const MatchModel *model, const char *name);
extern void ModelDefaultShared(ModelComparison *comparison, FieldKind kind, bool of_persons, bool of_companies);
extern void ModelFixedRelated(const ModelComparison *comparison, FieldKind kind, int related, bool of_persons,
							  double *fixed);
extern bool LevelIdentifies(const ModelLevel *level, FieldKind kind);
extern double KindMostDifferent(FieldKind kind);
extern double ModelProbability(double value);
extern double WeightProbability(double weight);

/* Does the test of a level look at words? */
static inline bool
LevelHasWords(const ModelLevel *level)
{
	return level->test == TEST_WORDS || level->test == TEST_ACRONYM || level->test == TEST_UNIT;
}

extern const char *const FieldKindNames[KIND_COUNT];
extern const char *const FieldPartNames[];
extern const char *const LevelTestNames[TEST_COUNT];
extern const char *const RelatedNames[RELATED_COUNT];
extern const char *const KeyTransformNames[TRANSFORM_COUNT];

#endif
