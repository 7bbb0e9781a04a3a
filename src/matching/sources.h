/*
 * What models compare in a workspace: its contacts and accounts as records.
 */
#ifndef LEAD_MGMT_SOURCES_H
#define LEAD_MGMT_SOURCES_H

#include "matching/code.h"
#include "matching/strategy.h"

/* A column of the records: where it comes from, and what rules call it */
typedef struct SourceColumn
{
	char	   *name;
	char	   *expression;		/* of the table's row, with the alias c; or of its account, a */
	const MatchField *field;
	char	   *attribute;		/* custom attribute, or NULL */
	bool		is_joined;		/* comes from another table */
} SourceColumn;

/* Columns of the records of an entity */
typedef struct SourceColumns
{
	int			count;
	SourceColumn *columns;
} SourceColumns;

/* An index by which a key of a model is looked up */
typedef struct SourceIndex
{
	int			key;			/* of the model */
	CodeSpec	spec;
	int			columns[CODE_MAX_COLUMNS];	/* of the records */
	char	   *expression;		/* with the alias c for the table */
	char	   *definition;		/* the same without it */
	char		name[NAMEDATALEN];
} SourceIndex;

#define SOURCE_MAX_INDEXES (MODEL_MAX_KEYS * CODE_MAX_SPECS)

extern SourceColumns *SourceList(WorkspaceConfig *config, EntityKind entity);
extern int	SourceFind(const SourceColumns *columns, const char *name);
extern char *SourceQuery(Workspace *ws, WorkspaceConfig *config, const SourceColumns *columns, EntityKind entity,
						 const char *first, const char *condition);
extern bool SourceIsMarked(const MatchConfig *matching, const SourceColumn *column);
extern char *SourceValue(MatchConfig *matching, const SourceColumn *column, char *value);
extern int	SourceIndexes(const MatchModel *model, const SourceColumns *columns, SourceIndex *indexes);

#endif
