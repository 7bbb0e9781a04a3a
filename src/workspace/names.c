/*
 * The names that forms listen to.  A name is looked up as it is written, and
 * if nobody listens to that, by its letters and digits alone: "E-Mail",
 * "e_mail" and "EMAIL" are one, as are "Prénom" and "prenom".
 */
#include "postgres.h"

#include "compare/compare.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "normalise/normalise.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "catalog/pg_type.h"
#include "workspace/config.h"

/* Longest name worth looking up loosely, in bytes */
#define NAME_MAX_LOOSE 200

/* How alike a name must be to one we know to be taken for it in a guess */
#define NAME_MIN_SIMILARITY 0.92

/* Write the letters and digits of a name, folded */
static void
LooseName(StringInfo out, const char *name, int len)
{
	bool		is_ascii = true;
	int			kept = 0;

	resetStringInfo(out);
	for (int i = 0; i < len && is_ascii; i++)
		is_ascii = !IS_HIGHBIT_SET(name[i]);
	if (is_ascii)
		appendBinaryStringInfo(out, name, len);
	else
		FoldText(out, name, len);
	for (int i = 0; i < out->len; i++)
	{
		unsigned char c = out->data[i];

		if (IS_HIGHBIT_SET(c) || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'))
			out->data[kept++] = c;
		else if (c >= 'A' && c <= 'Z')
			out->data[kept++] = c - 'A' + 'a';
	}
	out->len = kept;
	out->data[kept] = '\0';
}

/* Order names by length and bytes, those alike by precedence */
static int
CompareFormNames(const void *a, const void *b)
{
	const FormName *left = a;
	const FormName *right = b;
	int			order;

	if (left->len != right->len)
		return left->len < right->len ? -1 : 1;
	order = memcmp(left->name, right->name, left->len);
	return order != 0 ? order : left->entry - right->entry;
}

/* Sort names; a name of the form's own leaves no other of the same spelling */
static int
SortNames(const Form *form, FormName *names, int n)
{
	int			kept = 0;

	qsort(names, n, sizeof(FormName), CompareFormNames);
	for (int i = 0; i < n; i++)
	{
		const FormName *before = kept > 0 ? &names[kept - 1] : NULL;

		if (before && before->len == names[i].len && memcmp(before->name, names[i].name, before->len) == 0)
		{
			const FormEntry *first = &form->entries[before->entry];
			const FormEntry *entry = &form->entries[names[i].entry];

			if (first->is_own || (first->field == entry->field && first->custom == entry->custom))
				continue;
		}
		names[kept++] = names[i];
	}
	return kept;
}

/* Index the names of a form's entries */
void
FormIndexNames(Form *form)
{
	StringInfoData loose;

	initStringInfo(&loose);
	form->names = palloc(sizeof(FormName) * Max(form->entry_count, 1));
	form->loose_names = palloc(sizeof(FormName) * Max(form->entry_count, 1));
	for (int i = 0; i < form->entry_count; i++)
	{
		const FormEntry *entry = &form->entries[i];

		if (entry->path != 0)
			continue;
		form->names[form->name_count++] = (FormName) {
			entry->incoming, entry->incoming_len, i
		};
		if (entry->incoming_len > NAME_MAX_LOOSE)
			continue;
		LooseName(&loose, entry->incoming, entry->incoming_len);
		if (loose.len > 0)
			form->loose_names[form->loose_count++] = (FormName) {
				pnstrdup(loose.data, loose.len), loose.len, i
			};
	}
	form->name_count = SortNames(form, form->names, form->name_count);
	form->loose_count = SortNames(form, form->loose_names, form->loose_count);
	pfree(loose.data);
}

/* Find the names spelled so; returns how many there are, one after the other */
static int
FindNames(const FormName *names, int n, const char *name, int len, const FormName **found)
{
	FormName	key = {name, len, -1};
	int			low = 0;
	int			high = n;
	int			end;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (CompareFormNames(&names[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < n && names[end].len == len && memcmp(names[end].name, name, len) == 0;)
		end++;
	*found = &names[low];
	return end - low;
}

/* Find what a form makes of a name: as it is written, or loosely */
int
FormFindName(const Form *form, const char *name, int len, const FormName **found, bool *is_loose)
{
	StringInfoData loose;
	int			n = FindNames(form->names, form->name_count, name, len, found);

	*is_loose = false;
	if (n > 0 || len > NAME_MAX_LOOSE)
		return n;
	*is_loose = true;
	initStringInfo(&loose);
	LooseName(&loose, name, len);
	if (loose.len > 0)
		n = FindNames(form->loose_names, form->loose_count, loose.data, loose.len, found);
	pfree(loose.data);
	return n;
}

/* Find the entry whose name is most like the one given, -1 when none is like it */
static int
MostSimilar(const Form *form, const char *name)
{
	StringInfoData loose;
	uint32_t	given_chars[NAME_MAX_LOOSE];
	uint32_t	known_chars[NAME_MAX_LOOSE];
	CompareText given;
	double		best = NAME_MIN_SIMILARITY;
	int			result = -1;

	initStringInfo(&loose);
	LooseName(&loose, name, strlen(name));
	if (loose.len < 4 || loose.len > NAME_MAX_LOOSE)
		return -1;
	CompareTextMake(&given, loose.data, loose.len, given_chars, lengthof(given_chars));
	for (int i = 0; i < form->loose_count; i++)
	{
		CompareText known;
		double		similarity;

		if (form->loose_names[i].len < 4)
			continue;
		CompareTextMake(&known, form->loose_names[i].name, form->loose_names[i].len, known_chars,
						lengthof(known_chars));
		similarity = JaroWinkler(&given, &known);
		if (similarity > best)
		{
			best = similarity;
			result = form->loose_names[i].entry;
		}
	}
	return result;
}

PG_FUNCTION_INFO_V1(guess_fields);
/* Say which field each of a list of incoming names would be read into */
Datum
guess_fields(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Workspace  *ws;
	WorkspaceRights rights;
	WorkspaceConfig *config;
	Form	   *form;
	char	   *form_name;
	Datum	   *names;
	bool	   *nulls;
	int			n;

	InitMaterializedSRF(fcinfo, 0);
	ws = WorkspaceOfNamespace(get_rel_namespace(PG_GETARG_OID(0)));
	form_name = text_to_cstring(PG_GETARG_TEXT_PP(2));
	SPI_connect();
	WorkspaceEnter(ws, &rights);
	config = WorkspaceGetConfig(ws);
	WorkspaceLeave(&rights);
	form = ConfigForm(config, form_name);
	if (form == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("there is no form \"%s\"", form_name)));
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		Datum		row[3];
		bool		isnull[3] = {nulls[i], true, true};
		const FormName *found;
		const FormEntry *entry;
		bool		is_loose;
		int			index = -1;
		const char *how = NULL;

		CHECK_FOR_INTERRUPTS();
		row[0] = names[i];
		if (!nulls[i])
		{
			char	   *name = TextDatumGetCString(names[i]);

			if (FormFindName(form, name, strlen(name), &found, &is_loose) > 0)
			{
				index = found->entry;
				how = form->entries[index].is_own ? "form" : is_loose ? "loose" : "name";
			}
			else if ((index = MostSimilar(form, name)) >= 0)
				how = "similar";
		}
		if (index >= 0)
		{
			entry = &form->entries[index];
			row[1] = CStringGetTextDatum(entry->custom ?
										 psprintf("%s.%s", EntityNames[entry->custom->entity], entry->custom->name) :
										 entry->field >= 0 ? FieldDefs[entry->field].name : "ignore");
			row[2] = CStringGetTextDatum(how);
			isnull[1] = isnull[2] = false;
		}
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row, isnull);
	}
	SPI_finish();
	return (Datum) 0;
}
