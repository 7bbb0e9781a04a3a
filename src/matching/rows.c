/*
 * The keys of stored rows, for what is done to many of them at once, and what
 * fields, comparators and kinds of identity there are.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "matching/rows.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/typcache.h"

/* Read what conditions compare from a row of contact or account */
void
MatchReadRow(MatchRow *row, EntityKind entity, HeapTuple tuple, TupleDesc desc)
{
	const EntityKindOps *ops = entity == ENTITY_ACCOUNT ? &AccountOps : &ContactOps;
	bool		isnull;
	Datum		value;

	memset(row, 0, sizeof(MatchRow));
	row->id = DatumGetInt64(heap_getattr(tuple, SPI_fnumber(desc, ops->id_column), desc, &isnull));
	for (int c = 0; c < ops->column_count; c++)
		row->values[c] = SPI_getvalue(tuple, desc, SPI_fnumber(desc, ops->columns[c]));
	if (entity == ENTITY_CONTACT)
	{
		value = heap_getattr(tuple, SPI_fnumber(desc, "account_id"), desc, &isnull);
		row->side.account_id = isnull ? 0 : DatumGetInt64(value);
	}
	value = heap_getattr(tuple, SPI_fnumber(desc, "attributes"), desc, &isnull);
	row->side.attributes = isnull ? NULL : DatumGetJsonbP(value);
	row->side.values = row->values;
}

/* Get the workspace that a table is in, and the entity that it holds */
Workspace *
MatchTableWorkspace(Oid relid, EntityKind *entity)
{
	Workspace  *ws = WorkspaceOfNamespace(get_rel_namespace(relid));

	if (relid == WorkspaceRelation(ws, ContactOps.table))
		*entity = ENTITY_CONTACT;
	else if (relid == WorkspaceRelation(ws, AccountOps.table))
		*entity = ENTITY_ACCOUNT;
	else
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is neither contact nor account of a workspace", get_rel_name(relid))));
	return ws;
}

/* Get the configuration of a workspace and its strategies, read with the rights of its owner */
WorkspaceConfig *
MatchTableConfig(Workspace *ws)
{
	WorkspaceRights rights;
	WorkspaceConfig *config;

	WorkspaceEnter(ws, &rights);
	config = WorkspaceGetConfig(ws);
	MatchGetConfig(ws, config);
	WorkspaceLeave(&rights);
	return config;
}

/* The keys of a row, on their way out */
typedef struct RowKeys
{
	int			next;
	int			count;
	const char **kinds;
	char	  **values;
} RowKeys;

/* Make the keys of a row for the kinds wanted */
static RowKeys *
KeysOfRow(HeapTupleHeader row, ArrayType *wanted)
{
	RowKeys    *keys = palloc0(sizeof(RowKeys));
	TupleDesc	desc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(row), HeapTupleHeaderGetTypMod(row));
	Oid			relid = get_typ_typrelid(HeapTupleHeaderGetTypeId(row));
	HeapTupleData tuple = {0};
	EntityKind	entity;
	Workspace  *ws;
	MatchConfig *matching;
	MatchRow	match_row;
	Datum	   *names;
	bool	   *nulls;
	int			n;

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("identity_keys() takes rows of contact or account")));
	ws = MatchTableWorkspace(relid, &entity);
	matching = MatchTableConfig(ws)->matching;
	tuple.t_len = HeapTupleHeaderGetDatumLength(row);
	tuple.t_data = row;
	MatchReadRow(&match_row, entity, &tuple, desc);
	deconstruct_array(wanted, TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls, &n);
	keys->kinds = palloc(sizeof(char *) * matching->kind_count[entity]);
	keys->values = palloc(sizeof(char *) * matching->kind_count[entity]);
	for (int k = 0; k < matching->kind_count[entity]; k++)
	{
		const MatchKind *kind = &matching->kinds[entity][k];

		for (int i = 0; i < n; i++)
		{
			text	   *name = nulls[i] ? NULL : DatumGetTextPP(names[i]);

			if (name == NULL || VARSIZE_ANY_EXHDR(name) != strlen(kind->name) ||
				memcmp(VARDATA_ANY(name), kind->name, strlen(kind->name)) != 0)
				continue;
			keys->kinds[keys->count] = kind->name;
			keys->values[keys->count] = MatchKeyOf(matching, kind->parts, kind->part_count, &match_row.side);
			if (keys->values[keys->count])
				keys->count++;
			break;
		}
	}
	ReleaseTupleDesc(desc);
	return keys;
}

PG_FUNCTION_INFO_V1(identity_keys);
/* Get the values of kinds of identity that a row of contact or account has */
Datum
identity_keys(PG_FUNCTION_ARGS)
{
	FuncCallContext *funcctx;
	RowKeys    *keys;
	Datum		values[2];
	bool		nulls[2] = {false, false};

	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext old;
		TupleDesc	desc;

		funcctx = SRF_FIRSTCALL_INIT();
		old = MemoryContextSwitchTo(funcctx->multi_call_memory_ctx);
		if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "return type must be a row type");
		funcctx->tuple_desc = BlessTupleDesc(desc);
		funcctx->user_fctx = KeysOfRow(PG_GETARG_HEAPTUPLEHEADER(0), PG_GETARG_ARRAYTYPE_P(1));
		MemoryContextSwitchTo(old);
	}
	funcctx = SRF_PERCALL_SETUP();
	keys = funcctx->user_fctx;
	if (keys->next == keys->count)
		SRF_RETURN_DONE(funcctx);
	values[0] = CStringGetTextDatum(keys->kinds[keys->next]);
	values[1] = CStringGetTextDatum(keys->values[keys->next]);
	keys->next++;
	SRF_RETURN_NEXT(funcctx, HeapTupleGetDatum(heap_form_tuple(funcctx->tuple_desc, values, nulls)));
}

/* Get the base kind whose values a further kind is made of; NULL when they are a row's own */
static const char *
SourceKind(const MatchConfig *matching, EntityKind entity, const MatchKind *kind)
{
	if (!kind->accumulates || kind->is_base)
		return NULL;
	for (int k = 0; k < matching->kind_count[entity]; k++)
		if (matching->kinds[entity][k].is_base && matching->kinds[entity][k].parts[0].field == kind->parts[0].field)
			return matching->kinds[entity][k].name;
	return NULL;
}

PG_FUNCTION_INFO_V1(identity_kinds);
/* List the kinds of identity that the rules of a workspace look up */
Datum
identity_kinds(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	EntityKind	entity;
	Workspace  *ws = MatchTableWorkspace(PG_GETARG_OID(0), &entity);
	MatchConfig *matching = MatchTableConfig(ws)->matching;

	InitMaterializedSRF(fcinfo, 0);
	for (int k = 0; k < matching->kind_count[entity]; k++)
	{
		const MatchKind *kind = &matching->kinds[entity][k];
		const char *source = SourceKind(matching, entity, kind);
		Datum		fields[MATCH_MAX_PARTS];
		Datum		values[5];
		bool		nulls[5] = {false, false, false, false, false};

		for (int p = 0; p < kind->part_count; p++)
			fields[p] = CStringGetTextDatum(kind->parts[p].attribute ?
											psprintf("%s.%s", MATCH_ATTRIBUTES, kind->parts[p].attribute) :
											kind->parts[p].field->name);
		values[0] = CStringGetTextDatum(kind->name);
		values[1] = PointerGetDatum(construct_array(fields, kind->part_count, TEXTOID, -1, false, TYPALIGN_INT));
		values[2] = BoolGetDatum(kind->is_base);
		values[3] = BoolGetDatum(kind->is_shared);
		nulls[4] = source == NULL;
		if (source)
			values[4] = CStringGetTextDatum(source);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(identity_value);
/* Get the value that a kind of identity has for a value of the field it is about */
Datum
identity_value(PG_FUNCTION_ARGS)
{
	EntityKind	entity;
	Workspace  *ws = MatchTableWorkspace(PG_GETARG_OID(0), &entity);
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	MatchConfig *matching = MatchTableConfig(ws)->matching;

	for (int k = 0; k < matching->kind_count[entity]; k++)
	{
		const MatchKind *kind = &matching->kinds[entity][k];

		if (strcmp(kind->name, name) == 0 && kind->part_count == 1 && kind->parts[0].field->column >= 0)
		{
			char	   *values[ENTITY_MAX_COLUMNS] = {NULL};
			MatchSide	side = {values, NULL, 0};
			char	   *key;

			values[kind->parts[0].field->column] = text_to_cstring(PG_GETARG_TEXT_PP(2));
			key = MatchKeyOf(matching, kind->parts, 1, &side);
			if (key)
				PG_RETURN_TEXT_P(cstring_to_text(key));
			PG_RETURN_NULL();
		}
	}
	PG_RETURN_NULL();
}

/* Read a row of contact or account that a function was given; the descriptor is to be released */
static void
ReadRecord(MatchRow *row, HeapTupleHeader header, EntityKind entity, TupleDesc *desc)
{
	HeapTupleData tuple = {0};

	*desc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(header), HeapTupleHeaderGetTypMod(header));
	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	tuple.t_data = header;
	MatchReadRow(row, entity, &tuple, *desc);
}

PG_FUNCTION_INFO_V1(match_rule_holds);
/* Does a rule of a strategy find that two contacts or accounts are one? */
Datum
match_rule_holds(PG_FUNCTION_ARGS)
{
	int64		id = PG_GETARG_INT64(0);
	HeapTupleHeader rows[2] = {PG_GETARG_HEAPTUPLEHEADER(1), PG_GETARG_HEAPTUPLEHEADER(2)};
	Oid			relid = get_typ_typrelid(HeapTupleHeaderGetTypeId(rows[0]));
	MatchRow	sides[2];
	EntityKind	entity;
	MatchConfig *matching;
	bool		holds = false;

	if (!OidIsValid(relid) || HeapTupleHeaderGetTypeId(rows[0]) != HeapTupleHeaderGetTypeId(rows[1]))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("match_rule_holds() takes two rows of contact or of account")));
	matching = MatchTableConfig(MatchTableWorkspace(relid, &entity))->matching;
	for (int i = 0; i < 2; i++)
	{
		TupleDesc	desc;

		ReadRecord(&sides[i], rows[i], entity, &desc);
		ReleaseTupleDesc(desc);
	}
	for (int s = 0; s < matching->strategy_count; s++)
	{
		const MatchStrategy *strategy = &matching->strategies[s];

		for (int r = 0; strategy->entity == entity && r < strategy->rule_count; r++)
		{
			const MatchRule *rule = &strategy->rules[r];
			const MatchKind *kind = &matching->kinds[entity][rule->kind];
			char	   *left;
			char	   *right;

			if (rule->id != id)
				continue;
			left = MatchKeyOf(matching, kind->parts, kind->part_count, &sides[0].side);
			right = MatchKeyOf(matching, kind->parts, kind->part_count, &sides[1].side);
			holds = left && right && strcmp(left, right) == 0 &&
				MatchRuleHolds(matching, rule, &sides[0].side, &sides[1].side, NULL);
		}
	}
	PG_RETURN_BOOL(holds);
}

PG_FUNCTION_INFO_V1(match_rule_kinds);
/* List the rules of a strategy, and the kind of identity that each looks up */
Datum
match_rule_kinds(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	EntityKind	entity;
	MatchConfig *matching = MatchTableConfig(MatchTableWorkspace(PG_GETARG_OID(0), &entity))->matching;
	MatchStrategy *strategy = MatchFindStrategy(matching, text_to_cstring(PG_GETARG_TEXT_PP(1)));

	InitMaterializedSRF(fcinfo, 0);
	for (int r = 0; strategy && strategy->entity == entity && r < strategy->rule_count; r++)
	{
		Datum		values[3] = {
			Int64GetDatum(strategy->rules[r].id),
			CStringGetTextDatum(matching->kinds[entity][strategy->rules[r].kind].name),
			BoolGetDatum(strategy->rules[r].condition_count + strategy->rules[r].exception_count > 0)
		};
		bool		nulls[3] = {false, false, false};

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(match_fields);
/* List the fields that conditions of match rules may name */
Datum
match_fields(PG_FUNCTION_ARGS)
{
	static const char *const forms[] = {
		"as it is", "lower case", "fold()", "person_name_key()", "given_name_key()", "family_name_key()",
		"organisation_name_key()", "address_key()", "postcode_key()"
	};
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < MatchFieldCount; i++)
	{
		const MatchField *field = &MatchFields[i];
		Datum		values[4];
		bool		nulls[4] = {false, false, false, false};

		values[0] = CStringGetTextDatum(EntityNames[field->entity]);
		values[1] = CStringGetTextDatum(field->column == MATCH_NO_COLUMN ? MATCH_ATTRIBUTES ".NAME" : field->name);
		values[2] = CStringGetTextDatum(forms[field->form]);
		values[3] = BoolGetDatum(field->makes_key);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(match_comparators);
/* List the comparators that conditions of match rules may name */
Datum
match_comparators(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int c = 0; c < COMPARATOR_COUNT; c++)
	{
		Datum		values[4];
		bool		nulls[4] = {false, false, false, false};

		values[0] = CStringGetTextDatum(Comparators[c].name);
		values[1] = CStringGetTextDatum(Comparators[c].meaning);
		values[2] = BoolGetDatum(Comparators[c].makes_key);
		values[3] = BoolGetDatum(Comparators[c].is_graded);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
