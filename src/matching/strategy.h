/*
 * Strategies: what the rows of match_strategy, match_rule, match_condition,
 * match_alias and match_bypass say, in the form in which records are matched
 * by them.
 *
 * The conditions of a rule that can be looked up make an identity kind, such
 * as "email" or "family_name+postal_code"; contact_identity and
 * account_identity hold a row for each value of each kind.  The conditions
 * that cannot are compared with those whom the look-up found.
 */
#ifndef LEAD_MGMT_STRATEGY_H
#define LEAD_MGMT_STRATEGY_H

#include "utils/jsonb.h"
#include "workspace/config.h"

/* How many holders of one value are looked at, and kept */
#define MATCH_MAX_HOLDERS 64

/* Kinds of identity of an entity, and fields of a kind */
#define MATCH_MAX_KINDS 64
#define MATCH_MAX_PARTS 8

/* Longest value of a kind in bytes; a longer one is hashed */
#define MATCH_MAX_VALUE 1000

/* The prefix of fields that are custom attributes */
#define MATCH_ATTRIBUTES "attributes"

typedef enum
{
	SEVERAL_NEWEST,
	SEVERAL_OLDEST,
	SEVERAL_MERGE,
	SEVERAL_REVIEW
} SeveralPolicy;

typedef enum
{
	BLANK_NO_MATCH,
	BLANK_IGNORE,
	BLANK_MATCH
} BlankPolicy;

typedef enum
{
	COMPARE_EXACT,
	COMPARE_EMAIL_KEY,
	COMPARE_PHONETIC,
	COMPARE_GIVEN_NAME,
	COMPARE_JARO_WINKLER,
	COMPARE_DAMERAU_LEVENSHTEIN,
	COMPARE_QGRAM_JACCARD,
	COMPARE_DIFFERS,
	COMPARE_UNLIKE,
	COMPARE_PRESENT
} Comparator;

#define COMPARATOR_COUNT (COMPARE_PRESENT + 1)

typedef struct ComparatorDef
{
	const char *name;
	bool		makes_key;		/* equal means equal keys, which can be looked up */
	bool		is_graded;		/* takes at_least */
	const char *meaning;
} ComparatorDef;

/* The form in which the values of a field are compared */
typedef enum
{
	FORM_AS_IS,					/* in normal form already */
	FORM_LOWER,					/* ASCII lower case */
	FORM_FOLD,
	FORM_PERSON_NAME,
	FORM_GIVEN_NAME,
	FORM_FAMILY_NAME,
	FORM_ORGANISATION,
	FORM_ADDRESS,
	FORM_POSTCODE
} FieldForm;

typedef struct MatchField
{
	EntityKind	entity;
	const char *name;
	int			column;			/* index in the values of a side, or MATCH_NO_COLUMN */
	FieldForm	form;
	bool		makes_key;
	const char *kind;			/* of those that identify by themselves */
} MatchField;

/* Fields that are no column: custom attributes, and the account of a contact */
#define MATCH_NO_COLUMN (-1)
#define MATCH_ACCOUNT_COLUMN (-2)

/* What conditions of leads compare */
typedef enum
{
	LEAD_MATCH_CONTACT,
	LEAD_MATCH_CONTEXT,
	LEAD_MATCH_PAGE,
	LEAD_MATCH_CAMPAIGN,
	LEAD_MATCH_PRODUCT,
	LEAD_MATCH_TITLE,
	LEAD_MATCH_CHANNEL,
	LEAD_MATCH_SOURCE
} LeadMatchColumn;

#define LEAD_MATCH_COLUMN_COUNT (LEAD_MATCH_SOURCE + 1)

/* A field in a form: what a comparison is made of */
typedef struct MatchTerm
{
	const MatchField *field;
	char	   *attribute;		/* custom attribute, or NULL */
	Comparator	comparator;
	bool		takes_blank;	/* blank is a value like others */
} MatchTerm;

typedef struct MatchCondition
{
	MatchTerm	term;
	double		at_least;
	BlankPolicy when_blank;
} MatchCondition;

/* What identity rows of one sort are made of */
typedef struct MatchKind
{
	char	   *name;
	int			part_count;
	MatchTerm	parts[MATCH_MAX_PARTS];
	bool		is_base;		/* kept whether or not a rule uses it */
	bool		accumulates;	/* earlier values go on identifying */
	bool		is_shared;		/* several may have the same value, and all are kept */
} MatchKind;

struct MatchStrategy;

typedef struct MatchRule
{
	int64		id;
	char	   *label;
	struct MatchStrategy *strategy;
	int			kind;			/* looked up; -1 for rules of leads */
	int			part_count;		/* of a lead's rule: what makes its context */
	MatchTerm	parts[MATCH_MAX_PARTS];
	int			condition_count;
	MatchCondition *conditions; /* compared with whom the look-up found */
	int			exception_count;
	MatchCondition *exceptions;
	bool		compares;		/* has conditions beyond its kind */
} MatchRule;

typedef struct MatchStrategy
{
	char	   *name;
	EntityKind	entity;
	SeveralPolicy when_several;
	UpdatePolicy update_policy;
	bool		is_default;
	bool		uses_model;		/* match_probability is set */
	double		match_probability;
	double		review_probability; /* 0 for none */
	int			rule_count;
	MatchRule  *rules;
} MatchStrategy;

/* Strategies in the order in which they are tried */
typedef struct StrategyList
{
	int			count;
	MatchStrategy **items;
} StrategyList;

struct match_values_hash;

typedef struct MatchConfig
{
	int			strategy_count;
	MatchStrategy *strategies;	/* sorted by name, in C order */
	StrategyList *lists[ENTITY_COUNT];	/* by form */
	StrategyList defaults[ENTITY_COUNT];
	int			kind_count[ENTITY_COUNT];
	MatchKind	kinds[ENTITY_COUNT][MATCH_MAX_KINDS];
	bool		compares[ENTITY_COUNT]; /* some rule compares beyond keys */
	bool		reads_all[ENTITY_COUNT];	/* conditions read more than e-mail and phone */
	struct match_values_hash *values;	/* aliases and bypass values */
	Bitmapset  *marked;			/* fields that have some */
	struct LiveModel *live;		/* models of strategies that were asked so far */
	bool		keeps_trust;	/* some form or strategy updates by trust */
} MatchConfig;

/* What conditions read: a record, or somebody it is compared with */
typedef struct MatchSide
{
	char *const *values;		/* by column */
	Jsonb	   *attributes;
	int64		account_id;
	const char *company;		/* named by a record of a contact */
} MatchSide;

extern MatchConfig *MatchGetConfig(Workspace *ws, WorkspaceConfig *config);
extern MatchStrategy *MatchFindStrategy(MatchConfig *matching, const char *name);
extern StrategyList *MatchStrategies(MatchConfig *matching, const Form *form, EntityKind entity);
extern const MatchField *MatchFindField(EntityKind entity, const char *name, const char **attribute);
extern bool MatchFindComparator(const char *name, Comparator *comparator);
extern bool MatchLookUpValue(MatchConfig *matching, const MatchTerm *term, const char *value, const char **canonical);

extern char *MatchNormal(MatchConfig *matching, const MatchTerm *term, const char *value);
extern char *MatchExactForm(const MatchField *field, const char *value);
extern char *MatchTermValue(MatchConfig *matching, const MatchTerm *term, const MatchSide *side);
extern char *MatchKeyOf(MatchConfig *matching, const MatchTerm *parts, int part_count, const MatchSide *side);
extern char *MatchContext(const char *page, int64 campaign, const char *form);
extern char *MatchContextKey(MatchConfig *matching, const MatchRule *rule, const MatchSide *side);
extern bool MatchRuleHolds(MatchConfig *matching, const MatchRule *rule, const MatchSide *record,
						   const MatchSide *candidate, StringInfo tests);
extern bool MatchContradicts(MatchConfig *matching, const MatchStrategy *strategy, const MatchSide *a, const MatchSide *b);

extern const MatchField MatchFields[];
extern const int MatchFieldCount;
extern const ComparatorDef Comparators[COMPARATOR_COUNT];

#endif
