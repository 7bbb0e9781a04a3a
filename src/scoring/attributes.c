/*
 * Custom attributes in conditions over the profile: a name that is no column
 * of lead_profile but a custom attribute stands for its value, of its type.
 * The rule is stored with the expression for it.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "scoring/scoring.h"
#include "utils/builtins.h"
#include "utils/rel.h"

/* Where a condition names custom attributes */
typedef struct Attributes
{
	WorkspaceConfig *config;
	List	   *refs;			/* of ColumnRef */
} Attributes;

/* Find the active custom attribute of a name: of the lead, else of the contact, else of the account */
static CustomField *
FindAttribute(WorkspaceConfig *config, const char *name)
{
	static const EntityKind order[] = {ENTITY_LEAD, ENTITY_CONTACT, ENTITY_ACCOUNT};

	for (int i = 0; i < lengthof(order); i++)
	{
		CustomField *field = ConfigField(config, order[i], name, strlen(name));

		if (field && field->is_active)
			return field;
	}
	return NULL;
}

/* Collect the names in a raw parse tree that are custom attributes */
static bool
FindReferences(Node *node, Attributes *attributes)
{
	if (node == NULL)
		return false;
	if (IsA(node, ColumnRef))
	{
		ColumnRef  *ref = (ColumnRef *) node;

		if (list_length(ref->fields) == 1 && IsA(linitial(ref->fields), String))
		{
			const char *name = strVal(linitial(ref->fields));

			if (SPI_fnumber(attributes->config->profile, name) == SPI_ERROR_NOATTRIBUTE &&
				FindAttribute(attributes->config, name))
				attributes->refs = lappend(attributes->refs, ref);
		}
		return false;
	}
	return raw_expression_tree_walker(node, FindReferences, attributes);
}

/* Order references by where they stand */
static int
CompareReferences(const ListCell *a, const ListCell *b)
{
	return ((ColumnRef *) lfirst(a))->location - ((ColumnRef *) lfirst(b))->location;
}

/* Get where the name that begins at a place ends */
static const char *
EndOfName(const char *at)
{
	if (*at == '"')
	{
		for (at++; *at; at++)
			if (*at == '"' && *++at != '"')
				break;
		return at;
	}
	while (isalnum((unsigned char) *at) || IS_HIGHBIT_SET(*at) || *at == '_' || *at == '$')
		at++;
	return at;
}

/* Write the expression for the value of a custom attribute */
static void
AppendValue(StringInfo text, const CustomField *field)
{
	static const char *const casts[] = {
		[ATTRIBUTE_TEXT] = "", [ATTRIBUTE_INTEGER] = "::bigint", [ATTRIBUTE_NUMBER] = "::numeric",
		[ATTRIBUTE_BOOLEAN] = "::boolean", [ATTRIBUTE_DATE] = "::date", [ATTRIBUTE_TIMESTAMP] = "::timestamptz",
		[ATTRIBUTE_CHOICE] = "", [ATTRIBUTE_CHOICES] = ""
	};

	appendStringInfo(text, "(%s_attributes %s %s)%s", EntityNames[field->entity],
					 field->type == ATTRIBUTE_CHOICES ? "->" : "->>", quote_literal_cstr(field->name),
					 casts[field->type]);
}

/* Put the values of custom attributes for their names; NULL when a condition names none */
static char *
ExpandAttributes(WorkspaceConfig *config, const char *condition)
{
	Attributes	attributes = {config, NIL};
	StringInfoData text;
	const char *from = condition;
	ListCell   *lc;

	FindReferences(PredicateParse(condition), &attributes);
	if (attributes.refs == NIL)
		return NULL;
	list_sort(attributes.refs, CompareReferences);
	initStringInfo(&text);
	foreach(lc, attributes.refs)
	{
		ColumnRef  *ref = lfirst(lc);
		const char *at = condition + ref->location;

		appendBinaryStringInfo(&text, from, at - from);
		AppendValue(&text, FindAttribute(config, strVal(linitial(ref->fields))));
		from = EndOfName(at);
	}
	appendStringInfoString(&text, from);
	return text.data;
}

PG_FUNCTION_INFO_V1(expand_attributes);
/* Put the values of custom attributes for their names in the condition of a rule; argument: its column */
Datum
expand_attributes(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	TupleDesc	desc;
	HeapTuple	row;
	Workspace  *ws;
	WorkspaceRights rights;
	bool		isnull;
	Datum		condition;
	char	   *expanded;
	int			column;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigdata->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) || TRIGGER_FIRED_BY_DELETE(trigdata->tg_event) ||
		trigdata->tg_trigger->tgnargs != 1)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("expand_attributes must be called as a BEFORE INSERT OR UPDATE row trigger with the argument column")));
	desc = RelationGetDescr(trigdata->tg_relation);
	row = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ? trigdata->tg_newtuple : trigdata->tg_trigtuple;
	column = SPI_fnumber(desc, trigdata->tg_trigger->tgargs[0]);
	if (column <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("table \"%s\" has no column \"%s\"", RelationGetRelationName(trigdata->tg_relation),
						trigdata->tg_trigger->tgargs[0])));
	condition = heap_getattr(row, column, desc, &isnull);
	if (isnull)
		return PointerGetDatum(row);
	ws = WorkspaceOfRelation(trigdata->tg_relation);
	WorkspaceEnter(ws, &rights);
	expanded = ExpandAttributes(WorkspaceGetConfig(ws), TextDatumGetCString(condition));
	WorkspaceLeave(&rights);
	if (expanded)
	{
		Datum		value = CStringGetTextDatum(expanded);

		isnull = false;
		row = heap_modify_tuple_by_cols(row, desc, 1, &column, &value, &isnull);
	}
	return PointerGetDatum(row);
}
