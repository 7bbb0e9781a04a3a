/*
 * What the definition tables of a workspace say, cached: forms, fields,
 * pipelines, scoring models, routing rules.  A change to any of them, by any
 * client, invalidates the cache of every session through the server's own
 * invalidation messages (see config_changed).
 */
#ifndef LEAD_MGMT_CONFIG_H
#define LEAD_MGMT_CONFIG_H

#include "access/tupdesc.h"
#include "predicate/predicate.h"
#include "workspace/workspace.h"

typedef enum
{
	ENTITY_CONTACT,
	ENTITY_ACCOUNT,
	ENTITY_LEAD,
	ENTITY_OPPORTUNITY			/* has custom attributes, and is neither captured nor matched nor merged */
} EntityKind;

#define ENTITY_COUNT 3

typedef enum
{
	ATTRIBUTE_TEXT,
	ATTRIBUTE_INTEGER,
	ATTRIBUTE_NUMBER,
	ATTRIBUTE_BOOLEAN,
	ATTRIBUTE_DATE,
	ATTRIBUTE_TIMESTAMP,
	ATTRIBUTE_CHOICE,
	ATTRIBUTE_CHOICES
} AttributeType;

typedef struct CustomField
{
	EntityKind	entity;
	char	   *name;
	AttributeType type;
	bool		is_required;
	bool		is_active;
	int			option_count;
	char	  **options;
} CustomField;

/* The fields of a payload that have a place of their own */
typedef enum
{
	FIELD_EXTERNAL_ID,
	FIELD_SOURCE_ID,
	FIELD_FULL_NAME,
	FIELD_GIVEN_NAME,
	FIELD_FAMILY_NAME,
	FIELD_EMAIL,
	FIELD_PHONE,
	FIELD_JOB_TITLE,
	FIELD_STREET,
	FIELD_CITY,
	FIELD_REGION,
	FIELD_POSTAL_CODE,
	FIELD_COUNTRY,
	FIELD_LANGUAGE,
	FIELD_COMPANY,
	FIELD_COMPANY_SOURCE_ID,
	FIELD_WEBSITE,
	FIELD_INDUSTRY,
	FIELD_EMPLOYEES,
	FIELD_ANNUAL_REVENUE,
	FIELD_LEAD_SOURCE_ID,
	FIELD_TITLE,
	FIELD_PRODUCT,
	FIELD_PAGE,
	FIELD_CAMPAIGN,
	FIELD_CHANNEL,
	FIELD_SOURCE,
	FIELD_ORIGIN,
	FIELD_BUDGET,
	FIELD_CURRENCY,
	FIELD_MESSAGE,
	FIELD_KIND,
	FIELD_OCCURRED_AT,
	FIELD_URL,
	FIELD_CREATIVE,
	FIELD_VISITOR,
	FIELD_SESSION,
	FIELD_COST,
	FIELD_CONSENT_EMAIL,
	FIELD_CONSENT_PHONE,
	FIELD_CONSENT_SMS,
	FIELD_CONSENT_POST
} FieldId;

#define FIELD_COUNT (FIELD_CONSENT_POST + 1)

typedef enum
{
	VALUE_TEXT,
	VALUE_LONG_TEXT,
	VALUE_EMAIL,
	VALUE_PHONE,
	VALUE_INTEGER,
	VALUE_NUMBER,
	VALUE_TIMESTAMP,
	VALUE_BOOLEAN,
	VALUE_CURRENCY
} ValueType;

typedef struct FieldDef
{
	const char *name;
	ValueType	type;
} FieldDef;

/* Is an incoming name a JSON path? */
static inline bool
IsJsonPath(const char *name)
{
	return *name == '$' || strncmp(name, "lax $", 5) == 0 || strncmp(name, "strict $", 8) == 0;
}


/* Where an incoming name leads: a field of ours or a custom attribute */
typedef struct FormEntry
{
	char	   *incoming;
	int			incoming_len;
	int			field;			/* FieldId, or -1 */
	CustomField *custom;		/* or NULL; a name that leads nowhere has neither */
	bool		is_own;			/* the form's own mapping, which comes before ours */
	Datum		path;			/* jsonpath that the name is, or 0 */
} FormEntry;

/* A name as it is looked up */
typedef struct FormName
{
	const char *name;
	int			len;
	int			entry;
} FormName;

/* Where objects of a name and a value each are in a payload */
typedef struct FormPairs
{
	Datum		path;
	Datum		name;
	Datum		value;
} FormPairs;

/* A regular expression whose named groups are read off mails */
typedef struct FormTemplate
{
	char	   *label;
	bool		reads_subject;
	char	   *regex;			/* without the names */
	int			group_count;
	int			name_count;
	char	  **names;
	int		   *groups;			/* which group has that name */
} FormTemplate;

typedef enum
{
	UPDATE_NEWEST,
	UPDATE_FILL,
	UPDATE_KEEP,
	UPDATE_TRUSTED,
	UPDATE_BY_STRATEGY			/* what the match strategy says */
} UpdatePolicy;

typedef struct Form
{
	char	   *name;
	int			position;		/* in the configuration */
	bool		is_active;
	int			entry_count;
	FormEntry  *entries;		/* in order of precedence */
	int			name_count;
	FormName   *names;			/* those of the entries, sorted */
	int			loose_count;
	FormName   *loose_names;	/* letters and digits of them, sorted */
	int			pairs_count;
	FormPairs  *pairs;
	int			template_count;
	FormTemplate *templates;
	struct Vendor *vendor;		/* whose leads come in by it, or NULL */
	bool		ignores_sender; /* who sends a mail is not who it is about */
	char	   *records;		/* where the records of a document are, or NULL */
	int			required_count;
	FormEntry  *required;
	char	   *defaults[FIELD_COUNT];
	int			blank_count;
	char	  **blanks;
	bool		drops_invalid;
	char	   *default_region;
	char	   *source_system;
	UpdatePolicy contact_update;
	UpdatePolicy lead_update;
	int			pipeline;		/* index in the configuration */
	bool		makes_contact;
	bool		makes_account;
	bool		makes_lead;
	bool		makes_interaction;
	bool		scores;
	bool		moves_stage;
	bool		assigns;
	int			maximum_bytes;
	int			maximum_body_bytes;
} Form;

typedef struct Vendor
{
	char	   *name;
	char	   *price;			/* as text */
	char	   *currency;
	int			daily_cap;		/* -1 when there is none */
	int			monthly_cap;
	bool		is_active;
} Vendor;

typedef enum
{
	STAGE_ENTRY,
	STAGE_OPEN,
	STAGE_WON,
	STAGE_LOST
} StageKind;

typedef struct RequiredField
{
	char	   *field;
	char	   *fallback;		/* NULL when nothing may stand in */
	int			from;			/* index of the stage it is asked from alone, or -1 */
} RequiredField;

/* A condition over the profile, of which NULL stands for none */
typedef struct StageGuard
{
	CompiledPredicate *condition;	/* NULL when it is broken */
	char	   *label;			/* the condition in words */
	char	   *broken;			/* why it cannot be used, or NULL */
} StageGuard;

typedef enum
{
	TRANSITION_NEXT,
	TRANSITION_SKIP,
	TRANSITION_BACK,
	TRANSITION_ANY
} TransitionKind;

typedef struct StageTransition
{
	int			to;				/* index of the stage entered */
	TransitionKind kind;
	StageGuard *guard;			/* or NULL */
} StageTransition;

typedef enum
{
	STEP_FIELD,
	STEP_FLAG,
	STEP_ACTION
} StepKind;

typedef struct StageStep
{
	char	   *name;
	char	   *label;
	StepKind	kind;
	char	   *field;			/* or NULL */
	char	   *function;		/* or NULL */
	bool		is_required;
	bool		requires_owner;
	StageGuard *guard;			/* or NULL */
	char	   *qualification;	/* or NULL */
} StageStep;

/* A move that leads make by themselves */
typedef struct AutomaticMove
{
	int64		id;
	char	   *label;
	int			to;				/* index of the stage entered */
	char	   *interaction_kind;	/* NULL for a timer */
	StageGuard *condition;		/* or NULL */
} AutomaticMove;

typedef struct Stage
{
	char	   *name;
	int			sequence;
	StageKind	kind;
	bool		requires_link;
	bool		requires_owner;
	bool		requires_steps;
	bool		moves_when_complete;
	char	   *team_kind;		/* or NULL */
	int64		team_id;		/* the team that takes over, 0 for none */
	char	   *task;			/* subject of the task that entering makes, or NULL */
	int			next_count;
	StageTransition *next;		/* the stages that may follow */
	int			required_count;
	RequiredField *required;
	int			entry_count;
	char	  **entry_actions;	/* names of functions */
	int			exit_count;
	char	  **exit_actions;
	int			step_count;
	StageStep  *steps;
	int			move_count;
	AutomaticMove *moves;
} Stage;

typedef struct Pipeline
{
	char	   *name;
	bool		for_leads;
	bool		is_default;
	bool		is_active;
	bool		moves_on_first_score;
	bool		moves_when_sales_ready;
	bool		moves_on_interaction;
	bool		moves_on_step;
	bool		moves_on_timer;
	int			entry;			/* index of the entry stage, -1 when none */
	int			scored;			/* stage taken on the first score, -1 */
	int			sales_ready;	/* stage taken when sales-ready, -1 */
	int			stage_count;
	Stage	   *stages;
} Pipeline;

/* Where a row goes on that is switched to another pipeline */
typedef struct StageMap
{
	char	   *from_pipeline;
	char	   *from_stage;
	char	   *to_pipeline;
	char	   *to_stage;
} StageMap;

/* A reason for which leads are disqualified or opportunities lost */
typedef struct ClosingReason
{
	bool		for_leads;
	char	   *reason;
} ClosingReason;

/* A rule of a model: over the profile (fit), or over interactions (engagement) */
typedef struct ScoringRule
{
	int64		id;
	char	   *label;
	char	   *source;			/* text of its condition, or NULL */
	CompiledPredicate *condition;	/* over the profile, or the interaction; or NULL */
	char	   *broken;			/* why the condition cannot be used, or NULL */
	double		points;
	bool		is_fit;
	char	   *interaction_kind;	/* NULL for any */
	int			at_least;		/* counts once, at this many; 0 for each */
	int64		half_life;		/* HEAT_FOREVER when its points do not cool */
	int			part;			/* index of the half-life in the model */
	double		maximum;		/* of its points in all; infinity without */
	double		daily_maximum;
	int			group;			/* index in the model, -1 */
	TimestampTz from;
	TimestampTz until;
	int			tally;			/* index in the model's tallies, -1 when it needs none */
} ScoringRule;

typedef struct ScoringGroup
{
	int64		id;
	char	   *name;
	double		maximum;
	double		daily_maximum;
	int			tally;
} ScoringGroup;

/* A grade of a model: from this score up to that of the next one */
typedef struct ScoringGrade
{
	char	   *name;
	double		from;
} ScoringGrade;

/* How a model comes to its scores */
typedef enum
{
	SCORING_RULES,
	SCORING_LOGISTIC,
	SCORING_NAIVE_BAYES
} ScoringKind;

/* What a learned model looks at: an expression over the profile */
typedef struct ScoringFeature
{
	int64		id;
	char	   *name;
	bool		is_number;
	bool		is_tags;		/* a JSON array of texts, each a value */
	CompiledPredicate *value;	/* NULL when it cannot be used */
	char	   *broken;			/* why not */
} ScoringFeature;

typedef struct ScoringModel
{
	char	   *name;
	ScoringKind kind;
	int			feature_count;
	ScoringFeature *features;
	struct LogisticModel *logistic; /* NULL until trained */
	struct Bayes *bayes;		/* what naive Bayes has counted, as it was last read */
	int		   *places;			/* of its features among the features, -1 for none */
	double		threshold;
	bool		is_active;
	bool		is_account_based;
	bool		keeps_ready;
	bool		reads_interactions; /* has conditions over interactions */
	int			grade_count;
	ScoringGrade *grades;		/* from the lowest to the highest */
	int			rule_count;
	ScoringRule *rules;
	int			group_count;
	ScoringGroup *groups;
	int			part_count;
	int64	   *half_lives;		/* distinct */
	int			tally_count;
	int64	   *tally_keys;		/* ids of rules, negative ids of groups */
} ScoringModel;

typedef struct RoutingRule
{
	int64		id;
	char	   *label;
	CompiledPredicate *condition;
	int64		team_id;
	int			agent_count;
	int64	   *agents;
} RoutingRule;

typedef enum
{
	DELIVER_NOTIFY,
	DELIVER_OUTBOX,
	DELIVER_CALL
} EventDelivery;

/* Who is told of a kind of moves */
typedef struct EventHandler
{
	int64		id;
	char	   *event;
	char	   *label;
	EventDelivery delivery;
	CompiledPredicate *condition;	/* over stage_move, or NULL for all */
	bool		records_errors; /* rather than fail the move */
} EventHandler;

typedef struct InteractionKind
{
	char	   *name;
	char	   *direction;
	bool		makes_lead;
} InteractionKind;

typedef struct LeadSource
{
	char	   *name;
	int			trust;
} LeadSource;

typedef struct Campaign
{
	char	   *name;
	int64		id;
} Campaign;

/* The columns of lead_profile: those of its table, and at its end those that are computed */
#define PROFILE_COLUMNS 59
#define PROFILE_PLAIN_COLUMNS 57

/* What the rows of a workspace's definition tables say */
typedef struct WorkspaceConfig
{
	MemoryContext context;
	TupleDesc	profile;		/* row type of lead_profile */
	TupleDesc	opportunity;	/* row type of opportunity_profile */
	bool		reads_computed; /* rules look at columns of it that are computed from interactions */
	TupleDesc	interaction;	/* row type of interaction */
	int			form_count;
	Form	   *forms;			/* sorted by name, in C order */
	int			vendor_count;
	Vendor	   *vendors;		/* likewise */
	int			campaign_count;
	Campaign   *campaigns;		/* likewise */
	int			source_count;
	LeadSource *sources;		/* likewise */
	int			field_count;
	CustomField *fields;
	int			pipeline_count;
	Pipeline   *pipelines;
	bool		has_interaction_moves;
	bool		has_actions;
	bool		has_stage_tasks;
	int			map_count;
	StageMap   *maps;
	int			reason_count;
	ClosingReason *reasons;		/* the active ones */
	int			model_count;
	ScoringModel *models;		/* the active ones first */
	int			active_count;
	bool		has_account_model;	/* among the active ones */
	bool		has_bayes_model;	/* among all */
	int			routing_count;
	RoutingRule *routing;
	int			kind_count;
	InteractionKind *kinds;
	TupleDesc	stage_move;		/* row type of stage_move */
	int			handler_count;
	EventHandler *handlers;
	struct MatchConfig *matching;	/* read when it is first wanted */
} WorkspaceConfig;

extern WorkspaceConfig *WorkspaceGetConfig(Workspace *ws);
extern void ConfigLoadPipelines(Workspace *ws, WorkspaceConfig *config);
extern void ConfigLoadForms(Workspace *ws, WorkspaceConfig *config);
extern void FormIndexNames(Form *form);
extern void FormReadTemplate(FormTemplate *template, const char *pattern);
extern int	FormFindName(const Form *form, const char *name, int len, const FormName **found, bool *is_loose);
extern void ConfigLoadModels(Workspace *ws, WorkspaceConfig *config);
extern CompiledPredicate *ConfigCompile(WorkspaceConfig *config, TupleDesc row, const char *what,
										const char *label, const char *condition, char **broken);
extern CompiledPredicate *ConfigCompileValue(WorkspaceConfig *config, const char *what, const char *label,
											 const char *expression, Oid type, char **broken);
extern Form *ConfigForm(WorkspaceConfig *config, const char *name);
extern Pipeline *ConfigPipeline(WorkspaceConfig *config, const char *name);
extern Pipeline *ConfigDefaultPipeline(WorkspaceConfig *config, bool for_leads);
extern int	PipelineStage(const Pipeline *pipeline, const char *stage);
extern StageTransition *PipelineTransition(const Pipeline *pipeline, int from, int to);
extern InteractionKind *ConfigInteractionKind(WorkspaceConfig *config, const char *kind);
extern CustomField *ConfigField(WorkspaceConfig *config, EntityKind entity, const char *name, int len);
extern Campaign *ConfigCampaign(WorkspaceConfig *config, const char *name);
extern LeadSource *ConfigSource(WorkspaceConfig *config, const char *source);

extern const char *const EntityNames[ENTITY_COUNT + 1];
extern const FieldDef FieldDefs[FIELD_COUNT];

#endif
