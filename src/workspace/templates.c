/*
 * Templates: regular expressions with named groups, (?<name>...), which the
 * server's own expressions do not have.  The names are taken out, and the
 * numbers of their groups kept.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_collation.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "regex/regex.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "workspace/config.h"

/* Find the end of a bracket expression that begins here */
static const char *
BracketEnd(const char *c)
{
	c++;
	if (*c == '^')
		c++;
	if (*c == ']')
		c++;
	while (*c && *c != ']')
	{
		if (*c == '\\' && c[1])
			c++;
		else if (*c == '[' && (c[1] == ':' || c[1] == '.' || c[1] == '='))
		{
			char		kind = c[1];

			for (c += 2; *c && !(c[0] == kind && c[1] == ']');)
				c++;
			if (*c)
				c++;
		}
		if (*c)
			c++;
	}
	return c;
}

/* Take the names out of a pattern */
void
FormReadTemplate(FormTemplate *template, const char *pattern)
{
	StringInfoData regex;
	int			capacity = 1;

	for (const char *c = pattern; *c; c++)
		capacity += *c == '(';
	template->names = palloc(sizeof(char *) * capacity);
	template->groups = palloc(sizeof(int) * capacity);
	template->name_count = template->group_count = 0;
	initStringInfo(&regex);
	for (const char *c = pattern; *c; c++)
	{
		const char *end = c;

		if (*c == '\\' && c[1])
			end = c + 1;
		else if (*c == '[')
			end = BracketEnd(c);
		else if (*c == '(' && c[1] == '?' && c[2] == '<' && c[3] != '=' && c[3] != '!' && strchr(c, '>'))
		{
			template->names[template->name_count] = pnstrdup(c + 3, strchr(c, '>') - (c + 3));
			template->groups[template->name_count++] = ++template->group_count;
			appendStringInfoChar(&regex, '(');
			c = strchr(c, '>');
			continue;
		}
		else if (*c == '(' && c[1] != '?')
			template->group_count++;
		for (; c <= end && *c; c++)
			appendStringInfoChar(&regex, *c);
		c--;
	}
	template->regex = regex.data;
}

PG_FUNCTION_INFO_V1(guard_template);
/* Check the pattern of a template about to be written */
Datum
guard_template(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	TupleDesc	desc;
	HeapTuple	tuple;
	char	   *pattern;
	FormTemplate template = {0};

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigdata->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) || TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("guard_template must be called as a BEFORE INSERT OR UPDATE row trigger")));
	desc = RelationGetDescr(trigdata->tg_relation);
	tuple = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ? trigdata->tg_newtuple : trigdata->tg_trigtuple;
	pattern = SPI_getvalue(tuple, desc, SPI_fnumber(desc, "pattern"));
	if (pattern)
	{
		FormReadTemplate(&template, pattern);
		RE_compile_and_cache(cstring_to_text(template.regex), REG_ADVANCED, DEFAULT_COLLATION_OID);
		if (template.name_count == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the template \"%s\" has no named group", pattern),
					 errhint("Name what is to be read, as in (?<email>[^ ]+@[^ ]+).")));
	}
	return PointerGetDatum(tuple);
}
