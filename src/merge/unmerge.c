/*
 * Undoing a merge: what is checked and locked first, and which merges must be
 * undone before it.
 *
 * Merges of other records, and further merges into the same survivor, may be
 * undone in any order.  A merge has to wait for a later one only where that
 * stands on it: the later one merged away what this one kept or moved, let a
 * row that this one moved stand in for another, brought what is in the place
 * of a row to be put back, or moved a lead on from the stage this one put it in.
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "merge/merge.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/rel.h"

/* Not locked so far that undoing another merge could not add to the log of this one */
static const PlanSource lock_merge = {
	"SELECT m.entity, m.winner_id, m.part_of, m.undone_at::pg_catalog.text, m.undone_by::pg_catalog.text"
	" FROM @workspace@.merge m WHERE m.merge_id = $1 FOR NO KEY UPDATE",
	1, {ARG_INT8}
};

/* A merge and the merges that are part of it */
static const PlanSource load_tree = {
	"WITH RECURSIVE tree AS (SELECT m.merge_id, m.entity, m.winner_id FROM @workspace@.merge m WHERE m.merge_id = $1"
	" UNION ALL SELECT m.merge_id, m.entity, m.winner_id FROM tree t JOIN @workspace@.merge m ON m.part_of = t.merge_id)"
	" SELECT t.merge_id, t.entity, t.winner_id FROM tree t ORDER BY t.merge_id",
	1, {ARG_INT8}
};

/* The leads whose rows or scores the tree changed */
static const PlanSource leads_of_tree = {
	"SELECT DISTINCT (k.key ->> 'lead_id')::pg_catalog.int8 FROM @workspace@.merge_change c"
	" CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(c.keys) k (key) WHERE c.merge_id = ANY ($1)"
	" AND c.schema_name IS NULL AND c.table_name IN ('lead', 'score') AND c.action IN ('moved', 'changed', 'created')",
	1, {ARG_INT8S}
};

static const PlanSource lock_accounts = {
	"SELECT a.account_id FROM @workspace@.account a WHERE a.account_id = ANY ($1) ORDER BY a.account_id FOR UPDATE",
	1, {ARG_INT8S}
};

static const PlanSource lock_contacts = {
	"SELECT c.contact_id = ANY ($1) FROM @workspace@.contact c WHERE c.contact_id = ANY (ARRAY(SELECT pg_catalog.unnest($1)"
	" UNION ALL SELECT l.contact_id FROM @workspace@.lead l WHERE l.lead_id = ANY ($2))) ORDER BY c.contact_id FOR UPDATE",
	2, {ARG_INT8S, ARG_INT8S}
};

static const PlanSource count_survivors = {
	"SELECT (SELECT pg_catalog.count(*) FROM @workspace@.account a WHERE a.account_id = ANY ($2))"
	" + (SELECT pg_catalog.count(*) FROM @workspace@.contact c WHERE c.contact_id = ANY ($3)),"
	" EXISTS (SELECT FROM @workspace@.merge m JOIN @workspace@.entity_redirect r ON r.entity = m.entity"
	" AND r.old_id = m.winner_id WHERE m.merge_id = ANY ($1) AND r.merge_id <> ALL ($1))",
	3, {ARG_INT8S, ARG_INT8S, ARG_INT8S}
};

static const PlanSource lock_leads = {
	"SELECT l.lead_id FROM @workspace@.lead l WHERE l.lead_id = ANY (ARRAY(SELECT pg_catalog.unnest($1)"
	" UNION ALL SELECT c.lead_id FROM @workspace@.lead c WHERE c.contact_id = ANY ($2))) ORDER BY l.lead_id FOR UPDATE",
	2, {ARG_INT8S, ARG_INT8S}
};

/* A later merge for which a survivor of the tree ($1) was merged away */
static const PlanSource find_nested = {
	"SELECT m.entity, m.winner_id, " TOP_MERGE("r.merge_id") " FROM @workspace@.merge m"
	" JOIN @workspace@.entity_redirect r ON r.entity = m.entity AND r.old_id = m.winner_id"
	" WHERE m.merge_id = ANY ($1) AND r.merge_id <> ALL ($1) ORDER BY 3 DESC NULLS LAST LIMIT 1",
	1, {ARG_INT8S}
};

/* A later merge of an account, contact or lead that the tree moved or kept for the loser */
static const PlanSource find_merged_rows = {
	"SELECT k.entity, k.id, k.merge_id FROM ("
	"SELECT c.table_name AS entity, e.id, " TOP_MERGE("COALESCE(r.merge_id, m.merge_id)") " AS merge_id"
	" FROM @workspace@.merge_change c CROSS JOIN LATERAL (SELECT (j.key ->> (c.table_name || '_id'))::pg_catalog.int8 AS id"
	" FROM pg_catalog.jsonb_array_elements(c.keys) j (key)) e"
	" LEFT JOIN @workspace@.entity_redirect r ON r.entity = c.table_name AND r.old_id = e.id AND r.merge_id <> ALL ($1)"
	" LEFT JOIN @workspace@.merge m ON m.entity = c.table_name AND m.winner_id = e.id AND m.undone_at IS NULL"
	" AND m.merge_id > $2 AND m.merge_id <> ALL ($1)"
	" WHERE c.merge_id = ANY ($1) AND c.action = 'moved' AND c.schema_name IS NULL"
	" AND c.table_name IN ('contact', 'account', 'lead') AND (r.merge_id IS NOT NULL OR m.merge_id IS NOT NULL)) k"
	" ORDER BY k.merge_id DESC LIMIT 1",
	2, {ARG_INT8S, ARG_INT8}
};

/* A later merge into the same survivor that let a row moved here stand in for another */
static const PlanSource find_kept_rows = {
	"SELECT c.table_name, l.keeper::pg_catalog.text, " TOP_MERGE("n.merge_id") " FROM @workspace@.merge m"
	" JOIN @workspace@.merge n ON n.entity = m.entity AND n.winner_id = m.winner_id AND n.merge_id > $2"
	" AND n.undone_at IS NULL AND n.merge_id <> ALL ($1)"
	" JOIN @workspace@.merge_change l ON l.merge_id = n.merge_id AND l.keeper IS NOT NULL"
	" JOIN @workspace@.merge_change c ON c.merge_id = m.merge_id AND c.action IN ('moved', 'created') AND c.table_name = l.table_name"
	" AND c.schema_name IS NOT DISTINCT FROM l.schema_name AND c.keys @> pg_catalog.jsonb_build_array(l.keeper)"
	" WHERE m.merge_id = ANY ($1) ORDER BY 3 DESC LIMIT 1",
	2, {ARG_INT8S, ARG_INT8}
};

static const PlanSource list_changes = {
	"SELECT c.merge_change_id FROM @workspace@.merge_change c WHERE c.merge_id = ANY ($1) ORDER BY c.merge_change_id DESC",
	1, {ARG_INT8S}
};

static const PlanSource foreign_tables = {
	"SELECT DISTINCT c.schema_name, c.table_name FROM @workspace@.merge_change c"
	" WHERE c.merge_id = ANY ($1) AND c.schema_name IS NOT NULL ORDER BY 1, 2",
	1, {ARG_INT8S}
};

/*
 * Interactions that came to the survivor since, on leads that went back to the
 * losers: they stay with the survivor, on its own lead of the same context
 * where that was merged too, else on none.
 */
static const PlanSource keep_interactions = {
	"WITH back AS (SELECT (k.key ->> 'lead_id')::pg_catalog.int8 AS lead_id, m.winner_id AS contact_id"
	" FROM @workspace@.merge m JOIN @workspace@.merge_change c ON c.merge_id = m.merge_id AND c.action = 'moved'"
	" AND c.schema_name IS NULL AND c.table_name = 'lead' AND c.before ? 'contact_id'"
	" CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(c.keys) k (key)"
	" WHERE m.merge_id = ANY ($1) AND m.entity = 'contact'),"
	" home AS (SELECT b.lead_id, b.contact_id, (SELECT pg_catalog.min(l.lead_id) FROM @workspace@.merge m"
	" JOIN @workspace@.lead l ON l.lead_id = ANY (m.loser_ids) WHERE m.merge_id = ANY ($1) AND m.entity = 'lead'"
	" AND m.winner_id = b.lead_id AND l.contact_id = b.contact_id) AS home_id FROM back b),"
	" kept AS (UPDATE @workspace@.interaction i SET lead_id = h.home_id FROM home h"
	" WHERE i.lead_id = h.lead_id AND i.contact_id = h.contact_id"
	" RETURNING h.lead_id, h.home_id, i.submission_id, i.occurred_at),"
	" stamped AS (UPDATE @workspace@.submission s SET lead_id = k.home_id FROM kept k"
	" WHERE s.submission_id = k.submission_id AND s.lead_id = k.lead_id)"
	" SELECT k.lead_id, k.home_id, pg_catalog.count(*), pg_catalog.max(k.occurred_at) FROM kept k"
	" GROUP BY k.lead_id, k.home_id ORDER BY k.lead_id",
	1, {ARG_INT8S}
};

static const PlanSource count_interactions = {
	"UPDATE @workspace@.lead l SET interaction_count = l.interaction_count + $2::pg_catalog.int4,"
	" last_interaction_at = CASE WHEN $2 > 0 THEN GREATEST(l.last_interaction_at, $3) ELSE"
	" (SELECT pg_catalog.max(i.occurred_at) FROM @workspace@.interaction i WHERE i.lead_id = l.lead_id) END"
	" WHERE l.lead_id = $1",
	3, {ARG_INT8, ARG_INT8, ARG_TIMESTAMPTZ}
};

/* Contacts whose main e-mail address was put back, and is another's by now: that one's main one, or one of several */
static const PlanSource find_taken_emails = {
	"SELECT c.contact_id, o.contact_id, pg_catalog.to_jsonb(c.email::text),"
	" pg_catalog.jsonb_build_object('contact_id', c.contact_id)"
	" FROM (SELECT DISTINCT (h.keys -> 0 ->> 'contact_id')::pg_catalog.int8 AS contact_id FROM @workspace@.merge_change h"
	" WHERE h.merge_id = ANY ($1) AND h.schema_name IS NULL AND h.table_name = 'contact'"
	" AND (h.action = 'removed' OR h.action = 'changed' AND h.before ? 'email')) r"
	" JOIN @workspace@.contact c ON c.contact_id = r.contact_id"
	" CROSS JOIN LATERAL (SELECT k.contact_id FROM (SELECT m.contact_id, 1 AS place FROM @workspace@.contact m"
	" WHERE m.email::text = c.email::text AND m.contact_id <> c.contact_id"
	" UNION ALL SELECT i.contact_id, 2 FROM @workspace@.contact_identity i WHERE i.kind = 'email' AND i.value = c.email::text"
	" AND i.contact_id <> c.contact_id) k ORDER BY k.place, k.contact_id LIMIT 1) o"
	" WHERE EXISTS (SELECT FROM @workspace@.contact_identity i WHERE i.kind = 'email' AND i.value = c.email::text)"
	" ORDER BY c.contact_id",
	1, {ARG_INT8S}
};

/* The survivor's main address stays its own, although it came with somebody who has it among several and goes */
static const PlanSource keep_emails = {
	"UPDATE @workspace@.contact_identity i SET contact_id = c.contact_id"
	" FROM @workspace@.merge m JOIN @workspace@.contact c ON c.contact_id = m.winner_id"
	" JOIN @workspace@.contact_identity o ON o.kind = 'email' AND o.value = c.email::text AND o.contact_id = ANY (m.loser_ids)"
	" JOIN @workspace@.contact l ON l.contact_id = o.contact_id AND l.email::text IS DISTINCT FROM o.value"
	" WHERE m.merge_id = ANY ($1) AND m.entity = 'contact' AND i.kind = o.kind AND i.value = o.value AND i.holder = o.holder"
	" AND NOT EXISTS (SELECT FROM @workspace@.merge_change h WHERE h.merge_id = ANY ($1) AND h.schema_name IS NULL"
	" AND h.table_name = 'contact' AND h.action = 'changed' AND h.before ? 'email'"
	" AND h.keys = pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object('contact_id', c.contact_id)))"
	" RETURNING pg_catalog.jsonb_build_object('kind', i.kind, 'value', i.value, 'holder', i.holder),"
	" pg_catalog.to_jsonb(o.contact_id), pg_catalog.to_jsonb(i.contact_id)",
	1, {ARG_INT8S}
};

/* What identifies a contact ($1) by its address passes to whose that is ($2), or goes */
static const PlanSource pass_email = {
	"WITH named AS (SELECT i.kind, i.value, i.holder, NOT EXISTS (SELECT FROM @workspace@.contact_identity h"
	" WHERE h.contact_id = $2 AND h.kind = i.kind AND h.value = i.value) AND EXISTS (SELECT FROM @workspace@.contact o,"
	" lead_mgmt.identity_keys(o, ARRAY[i.kind]) w WHERE o.contact_id = $2 AND w.value = i.value) AS is_passed"
	" FROM @workspace@.contact c CROSS JOIN lead_mgmt.identity_kinds('@workspace@.contact') k"
	" CROSS JOIN LATERAL lead_mgmt.identity_keys(c, ARRAY[k.kind]) v JOIN @workspace@.contact_identity i"
	" ON i.contact_id = c.contact_id AND i.kind = k.kind AND i.value = v.value"
	" WHERE c.contact_id = $1 AND 'email' = ANY (k.fields)),"
	" passed AS (UPDATE @workspace@.contact_identity i SET contact_id = $2, holder = CASE i.holder WHEN 0 THEN 0 ELSE $2 END"
	" FROM named n WHERE n.is_passed AND i.kind = n.kind AND i.value = n.value AND i.holder = n.holder),"
	" dropped AS (DELETE FROM @workspace@.contact_identity i USING named n"
	" WHERE NOT n.is_passed AND i.kind = n.kind AND i.value = n.value AND i.holder = n.holder),"
	" emptied AS (UPDATE @workspace@.contact c SET email = NULL, updated_at = pg_catalog.now() WHERE c.contact_id = $1)"
	" SELECT l.lead_id FROM @workspace@.lead l WHERE l.contact_id = $1 AND l.status = 'open' ORDER BY l.lead_id",
	2, {ARG_INT8, ARG_INT8}
};

/*
 * What identifies those who are apart again, and nobody has for them: a value
 * that both had was the survivor's, one that the survivor was given since came
 * with a row that went back, and what the survivor had is gone with it.
 */
#define CLAIM_MISSING(entity) \
	"WITH parted AS (SELECT m.winner_id AS id FROM @workspace@.merge m WHERE m.merge_id = ANY ($1)" \
	" AND m.entity = '" entity "' UNION SELECT pg_catalog.unnest(m.loser_ids) FROM @workspace@.merge m" \
	" WHERE m.merge_id = ANY ($1) AND m.entity = '" entity "')," \
	" missing AS (SELECT v.kind, v.value, r." entity "_id AS id," \
	" pg_catalog.row_number() OVER (PARTITION BY v.kind, v.value ORDER BY r." entity "_id) AS place, k.is_shared" \
	" FROM parted p JOIN @workspace@." entity " r ON r." entity "_id = p.id" \
	" CROSS JOIN LATERAL lead_mgmt.identity_keys(r, ARRAY(SELECT i.kind FROM @workspace@.identity_kind i" \
	" WHERE i.entity = '" entity "')) v JOIN lead_mgmt.identity_kinds('@workspace@." entity "') k ON k.kind = v.kind" \
	" WHERE NOT EXISTS (SELECT FROM @workspace@." entity "_identity h WHERE h.kind = v.kind AND h.value = v.value" \
	" AND (h." entity "_id = r." entity "_id OR NOT k.is_shared)))" \
	" INSERT INTO @workspace@." entity "_identity (kind, value, holder, " entity "_id)" \
	" SELECT m.kind, m.value, CASE WHEN m.place = 1 AND NOT EXISTS (SELECT FROM @workspace@." entity "_identity f" \
	" WHERE f.kind = m.kind AND f.value = m.value AND f.holder = 0) THEN 0 ELSE m.id END, m.id" \
	" FROM missing m WHERE m.place = 1 OR m.is_shared ORDER BY m.kind, m.value, m.id ON CONFLICT DO NOTHING", \
	1, {ARG_INT8S}

static const PlanSource claim_contacts = {CLAIM_MISSING("contact")};
static const PlanSource claim_accounts = {CLAIM_MISSING("account")};

/* Accounts that went back and whose one person is gone for good are organisations */
static const PlanSource free_individuals = {
	"UPDATE @workspace@.account a SET kind = 'organisation', individual_contact_id = NULL"
	" FROM (SELECT i.account_id, i.individual_contact_id FROM @workspace@.account i"
	" WHERE i.account_id = ANY (ARRAY(SELECT (c.keys -> 0 ->> 'account_id')::pg_catalog.int8 FROM @workspace@.merge_change c"
	" WHERE c.merge_id = ANY ($1) AND c.schema_name IS NULL AND c.table_name = 'account'))"
	" AND i.individual_contact_id IS NOT NULL AND NOT EXISTS"
	" (SELECT FROM @workspace@.contact p WHERE p.contact_id = i.individual_contact_id)) o WHERE a.account_id = o.account_id"
	" RETURNING pg_catalog.jsonb_build_object('account_id', a.account_id), pg_catalog.to_jsonb(o.individual_contact_id)",
	1, {ARG_INT8S}
};

/* Contacts who joined an account since that is one other person's again */
static const PlanSource leave_individuals = {
	"UPDATE @workspace@.contact c SET account_id = NULL FROM @workspace@.account a"
	" WHERE a.account_id = ANY (ARRAY(SELECT (h.keys -> 0 ->> 'account_id')::pg_catalog.int8 FROM @workspace@.merge_change h"
	" WHERE h.merge_id = ANY ($1) AND h.schema_name IS NULL AND h.table_name = 'account'))"
	" AND c.account_id = a.account_id AND c.contact_id <> a.individual_contact_id"
	" RETURNING pg_catalog.jsonb_build_object('contact_id', c.contact_id), pg_catalog.to_jsonb(a.account_id)",
	1, {ARG_INT8S}
};

static const PlanSource end_undo = {
	"UPDATE @workspace@.merge SET undone_at = pg_catalog.now(), undone_by = $2::pg_catalog.name"
	" WHERE merge_id = ANY ($1)",
	2, {ARG_INT8S, ARG_TEXT}
};

/* Refuse to undo a merge while a later one stands on it */
static void
CheckLater(UndoContext *undo)
{
	Datum		values[2] = {undo->tree, Int64GetDatum(undo->merge_id)};
	Workspace  *ws = undo->merge.ws;

	if (WorkspaceExecute(ws, &find_nested, values, NULL) > 0 ||
		WorkspaceExecute(ws, &find_merged_rows, values, NULL) > 0)
		UndoRefuse(undo, psprintf("%s " INT64_FORMAT, ResultText(0, 1), ResultInt64(0, 2, NULL)),
				   ResultInt64(0, 3, NULL));
	if (WorkspaceExecute(ws, &find_kept_rows, values, NULL) > 0)
		UndoRefuse(undo, psprintf("row %s of table %s", ResultText(0, 2), ResultText(0, 1)), ResultInt64(0, 3, NULL));
}

/* Refuse when the caller may not change the survivor, or cannot see it */
static void
CheckCaller(UndoContext *undo)
{
	MergeTable *table = MergeEntityTable(&undo->merge, undo->entity);
	const char *column = EntityIdColumn(undo->entity);
	Oid			type = INT8OID;
	Datum		id = Int64GetDatum(undo->winner);
	int			seen;
	int			there;

	seen = MergeExecuteAs(undo->merge.caller, undo->merge.caller_context,
						  psprintf("SELECT FROM %s t WHERE t.%s = $1 FOR UPDATE", table->source, column), 1, &type, &id);
	there = MergeExecute(&undo->merge, table,
						 psprintf("SELECT FROM %s t WHERE t.%s = $1", table->source, column), 1, &type, &id);
	if (there > seen)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("there is no merge " INT64_FORMAT, undo->merge_id)));
}

/* Read the merge and check that it can be undone by itself */
static void
LoadMerge(UndoContext *undo)
{
	Datum		id = Int64GetDatum(undo->merge_id);
	char	   *entity;
	char	   *undone_at;
	bool		is_top;
	int64		part_of;

	if (WorkspaceExecute(undo->merge.ws, &lock_merge, &id, NULL) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("there is no merge " INT64_FORMAT, undo->merge_id)));
	entity = ResultText(0, 1);
	undo->entity = ENTITY_CONTACT;
	while (strcmp(EntityNames[undo->entity], entity) != 0)
		undo->entity++;
	undo->winner = ResultInt64(0, 2, NULL);
	part_of = ResultInt64(0, 3, &is_top);
	undone_at = ResultText(0, 4);
	if (undone_at)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("merge " INT64_FORMAT " was undone already", undo->merge_id),
				 errdetail("Role \"%s\" undid it at %s.", ResultText(0, 5), undone_at)));
	if (!is_top)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("merge " INT64_FORMAT " is part of merge " INT64_FORMAT, undo->merge_id, part_of),
				 errhint("Undo merge " INT64_FORMAT ".", part_of)));
}

/*
 * Lock the accounts and contacts that the merges kept.  One that was merged
 * further may come back while this session waits for another, as that merge
 * is undone: then it is locked in a further round.  What is missing in the end
 * was either merged further, which is refused, or is gone for good.
 */
static void
LockSurvivors(UndoContext *undo, Datum accounts, Datum contacts, Datum leads)
{
	Workspace  *ws = undo->merge.ws;
	Datum		wanted[2] = {contacts, leads};
	Datum		counted[3] = {undo->tree, accounts, contacts};
	int			locked;

	do
	{
		int			n;

		CHECK_FOR_INTERRUPTS();
		locked = WorkspaceExecute(ws, &lock_accounts, &accounts, NULL);
		SPI_freetuptable(SPI_tuptable);
		n = WorkspaceExecute(ws, &lock_contacts, wanted, NULL);
		for (int i = 0; i < n; i++)
			locked += ResultBool(i, 1);
		SPI_freetuptable(SPI_tuptable);
		WorkspaceExecute(ws, &count_survivors, counted, NULL);
	} while (!ResultBool(0, 2) && ResultInt64(0, 1, NULL) > locked);
	SPI_freetuptable(SPI_tuptable);
}

/*
 * Read the merges that are part of this one, and lock what they kept.  Later
 * merges are looked for before leads are locked, too: where one stands in the
 * way, the leads may be other contacts' by now, and out of order.
 */
static void
LockTree(UndoContext *undo)
{
	Workspace  *ws = undo->merge.ws;
	Datum		id = Int64GetDatum(undo->merge_id);
	int			n = WorkspaceExecute(ws, &load_tree, &id, NULL);
	int64	   *merges = palloc(sizeof(int64) * n);
	int64	   *winners[ENTITY_COUNT];
	int			counts[ENTITY_COUNT] = {0};
	Datum		ids[ENTITY_COUNT];
	Datum		leads[2];
	int64	   *lead_ids;

	for (int entity = 0; entity < ENTITY_COUNT; entity++)
		winners[entity] = palloc(sizeof(int64) * n);
	for (int i = 0; i < n; i++)
	{
		char	   *name = ResultText(i, 2);

		merges[i] = ResultInt64(i, 1, NULL);
		for (int entity = 0; entity < ENTITY_COUNT; entity++)
			if (strcmp(EntityNames[entity], name) == 0)
				winners[entity][counts[entity]++] = ResultInt64(i, 3, NULL);
	}
	SPI_freetuptable(SPI_tuptable);
	undo->tree = IdArray(merges, n);
	for (int entity = 0; entity < ENTITY_COUNT; entity++)
		ids[entity] = IdArray(winners[entity], counts[entity]);
	n = WorkspaceExecute(ws, &leads_of_tree, &undo->tree, NULL);
	lead_ids = palloc(sizeof(int64) * (n + counts[ENTITY_LEAD]));
	for (int i = 0; i < n; i++)
		lead_ids[i] = ResultInt64(i, 1, NULL);
	SPI_freetuptable(SPI_tuptable);
	memcpy(lead_ids + n, winners[ENTITY_LEAD], sizeof(int64) * counts[ENTITY_LEAD]);
	leads[0] = IdArray(lead_ids, n + counts[ENTITY_LEAD]);
	leads[1] = ids[ENTITY_CONTACT];
	MergeLockAccounts(&undo->merge, winners[ENTITY_CONTACT], counts[ENTITY_CONTACT], lead_ids, n + counts[ENTITY_LEAD]);
	LockSurvivors(undo, ids[ENTITY_ACCOUNT], ids[ENTITY_CONTACT], leads[0]);
	CheckLater(undo);
	WorkspaceExecute(ws, &lock_leads, leads, NULL);
	CheckLater(undo);
	MergeMixSiblings(&undo->merge, winners[ENTITY_CONTACT], counts[ENTITY_CONTACT], lead_ids, n + counts[ENTITY_LEAD]);
}

/* Check the caller's rights on tables of others that the merge changed */
static void
CheckForeignTables(UndoContext *undo)
{
	int			n = WorkspaceExecute(undo->merge.ws, &foreign_tables, &undo->tree, NULL);
	SPITupleTable *rows = SPI_tuptable;

	for (int i = 0; i < n; i++)
	{
		MergeTable *table;

		SPI_tuptable = rows;
		table = MergeTableNamed(&undo->merge, ResultText(i, 1), ResultText(i, 2));
		if (table)
			CheckRights(&undo->merge, table, NULL);
	}
	SPI_freetuptable(rows);
}

/* Count interactions that came to a lead, or went from it */
static void
CountInteractions(UndoContext *undo, int64 lead_id, int64 count, TimestampTz last_at)
{
	Datum		values[3] = {Int64GetDatum(lead_id), Int64GetDatum(count), TimestampTzGetDatum(last_at)};

	WorkspaceExecute(undo->merge.ws, &count_interactions, values, NULL);
	MergeMixed(&undo->merge, lead_id);
}

/* Keep with the survivor what it did since on leads that go back */
static void
KeepInteractions(UndoContext *undo)
{
	int			n = WorkspaceExecute(undo->merge.ws, &keep_interactions, &undo->tree, NULL);
	SPITupleTable *rows = SPI_tuptable;

	for (int i = 0; i < n; i++)
	{
		int64		lead_id;
		int64		home_id;
		int64		count;
		TimestampTz last_at;
		bool		is_homeless;

		SPI_tuptable = rows;
		lead_id = ResultInt64(i, 1, NULL);
		home_id = ResultInt64(i, 2, &is_homeless);
		count = ResultInt64(i, 3, NULL);
		last_at = ResultTimestamp(i, 4);
		CountInteractions(undo, lead_id, -count, last_at);
		if (!is_homeless)
			CountInteractions(undo, home_id, count, last_at);
	}
	SPI_freetuptable(rows);
}

/* Leave the survivor the main address that it was given since */
static void
KeepEmails(UndoContext *undo)
{
	int			n = WorkspaceExecute(undo->merge.ws, &keep_emails, &undo->tree, NULL);
	SPITupleTable *rows = SPI_tuptable;

	for (int i = 0; i < n; i++)
	{
		SPI_tuptable = rows;
		UndoReport(undo, psprintf("%s.contact_identity", quote_identifier(undo->merge.ws->name)), ResultJson(i, 1, NULL),
				   "contact_id", ResultJson(i, 2, NULL), ResultJson(i, 3, NULL), REASON_CHANGED);
	}
	SPI_freetuptable(rows);
}

/* Let contacts go back without an address that is another's by now */
static void
YieldEmails(UndoContext *undo)
{
	int			n = WorkspaceExecute(undo->merge.ws, &find_taken_emails, &undo->tree, NULL);
	SPITupleTable *rows = SPI_tuptable;

	for (int i = 0; i < n; i++)
	{
		Datum		values[2];
		int			leads;

		SPI_tuptable = rows;
		values[0] = Int64GetDatum(ResultInt64(i, 1, NULL));
		values[1] = Int64GetDatum(ResultInt64(i, 2, NULL));
		UndoReport(undo, MergeEntityTable(&undo->merge, ENTITY_CONTACT)->type, ResultJson(i, 4, NULL), "email",
				   ResultJson(i, 3, NULL), (Datum) 0, REASON_TAKEN);
		leads = WorkspaceExecute(undo->merge.ws, &pass_email, values, NULL);
		for (int l = 0; l < leads; l++)
			MergeMixed(&undo->merge, ResultInt64(l, 1, NULL));
		SPI_freetuptable(SPI_tuptable);
	}
	SPI_freetuptable(rows);
}

/* Report references that a statement emptied */
static void
ReportEmptied(UndoContext *undo, const PlanSource *source, EntityKind entity, const char *column, const char *reason)
{
	int			n = WorkspaceExecute(undo->merge.ws, source, &undo->tree, NULL);
	SPITupleTable *rows = SPI_tuptable;

	for (int i = 0; i < n; i++)
	{
		SPI_tuptable = rows;
		UndoReport(undo, MergeEntityTable(&undo->merge, entity)->type, ResultJson(i, 1, NULL), column,
				   ResultJson(i, 2, NULL), (Datum) 0, reason);
	}
	SPI_freetuptable(rows);
}

/* Undo a merge with the rights of the workspace's owner */
static void
UndoWork(Workspace *ws, void *arg)
{
	UndoContext *undo = arg;
	Datum		values[2];
	int64	   *changes;
	int			n;

	resetStringInfo(&undo->conflicts);
	LoadMerge(undo);
	LockTree(undo);
	CheckCaller(undo);
	CheckForeignTables(undo);

	n = WorkspaceExecute(ws, &list_changes, &undo->tree, NULL);
	changes = palloc(sizeof(int64) * Max(n, 1));
	for (int i = 0; i < n; i++)
		changes[i] = ResultInt64(i, 1, NULL);
	SPI_freetuptable(SPI_tuptable);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		SPI_connect();			/* what one step takes is given back before the next */
		UndoChange(undo, changes[i]);
		SPI_finish();
	}
	KeepInteractions(undo);
	KeepEmails(undo);
	YieldEmails(undo);
	ReportEmptied(undo, &free_individuals, ENTITY_ACCOUNT, "individual_contact_id", REASON_PARENT_GONE);
	ReportEmptied(undo, &leave_individuals, ENTITY_CONTACT, "account_id", REASON_INDIVIDUAL);
	WorkspaceExecute(ws, &claim_contacts, &undo->tree, NULL);
	WorkspaceExecute(ws, &claim_accounts, &undo->tree, NULL);
	RescoreMixed(undo);
	values[0] = undo->tree;
	values[1] = CStringGetTextDatum(GetUserNameFromId(GetOuterUserId(), false));
	WorkspaceExecute(ws, &end_undo, values, NULL);
}

PG_FUNCTION_INFO_V1(unmerge_rows);
/* Undo a merge; returns what could not be put back, as a JSON array */
Datum
unmerge_rows(PG_FUNCTION_ARGS)
{
	static const Oid types[1] = {INT8OID};
	Relation	rel;
	Workspace  *ws;
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext old;
	UndoContext undo = {0};
	Datum		result;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("no merge is given that could be undone")));
	rel = relation_open(PG_GETARG_OID(0), AccessShareLock);
	ws = WorkspaceOfRelation(rel);
	if (PG_GETARG_OID(0) != WorkspaceRelation(ws, "merge"))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not the merge table of a workspace", RelationGetRelationName(rel))));
	WorkspaceCheckExecute(ws, "unmerge", 1, types);
	SPI_connect();
	undo.merge_id = PG_GETARG_INT64(1);
	initStringInfo(&undo.conflicts);
	MergeRun(&undo.merge, ws, UndoWork, &undo);
	old = MemoryContextSwitchTo(caller);
	result = DirectFunctionCall1(jsonb_in, CStringGetDatum(psprintf("[%s]", undo.conflicts.data)));
	MemoryContextSwitchTo(old);
	SPI_finish();
	relation_close(rel, NoLock);
	PG_RETURN_DATUM(result);
}
