-- Merging: its default policies, its indexes, who may write its log.
\set QUIET on
\set ON_ERROR_STOP on
\pset format unaligned
\pset tuples_only on
\pset pager off
SET client_min_messages = warning;
BEGIN;
SELECT lead_mgmt.create_workspace('crm');
SELECT no_plan();

-- policies
CREATE TEMP VIEW fixed AS SELECT * FROM (VALUES ('contact', 'contact_id'), ('account', 'account_id'), ('account', 'kind'), ('account', 'individual_contact_id'),
	('lead', 'lead_id'), ('lead', 'pipeline'), ('lead', 'stage'), ('lead', 'stage_entered_at'), ('lead', 'stage_reason'), ('lead', 'status'), ('lead', 'qualification'),
	('lead', 'sales_ready_at'), ('lead', 'sales_ready_model'), ('lead', 'disqualified_reason'), ('lead', 'context_key')) f (entity, field)
	UNION ALL SELECT e, f FROM unnest(ARRAY['contact', 'account', 'lead']) e, unnest(ARRAY['attributes', 'updated_at']) f;
SELECT bag_eq('SELECT entity, field FROM crm.merge_policy UNION ALL SELECT entity, field FROM fixed',
	$$SELECT c.relname::text, a.attname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		WHERE c.relnamespace = 'crm'::regnamespace AND c.relname IN ('contact', 'account', 'lead')$$, 'every column has a policy, or none can decide on it');
SELECT throws_ok(format('INSERT INTO crm.merge_policy (entity, field, policy) VALUES (%L, %L, %L)', entity, field, 'newest'), '22023', NULL, 'no policy for ' || entity || '.' || field) FROM fixed;
SELECT bag_eq($$SELECT field FROM crm.merge_policy WHERE entity = 'contact' AND block = 'address'$$, ARRAY['street', 'city', 'region', 'postal_code', 'country'], 'the address is a block');
SELECT is(array_agg(DISTINCT policy ORDER BY policy), ARRAY['keep', 'max', 'min', 'newest', 'oldest', 'sum', 'union', 'winner'], 'policies in use') FROM crm.merge_policy;
SELECT is(policy, 'winner', 'the winner''s ' || field) FROM crm.merge_policy WHERE entity = 'contact' AND field IN ('full_name', 'email', 'phone', 'account_id');
SELECT is(policy, 'min', 'first seen') FROM crm.merge_policy WHERE field IN ('created_at', 'customer_since');
SELECT is(policy, 'sum', 'counters add up') FROM crm.merge_policy WHERE field = 'interaction_count';

-- whatever refers to a contact, account or lead is found by an index that holds all of its rows
SELECT ok(EXISTS (SELECT FROM pg_index i WHERE i.indrelid = k.conrelid AND i.indkey[0] = k.conkey[1] AND i.indisvalid
		AND (i.indpred IS NULL OR pg_get_expr(i.indpred, i.indrelid) = format('(%I IS NOT NULL)', a.attname))), k.conrelid::regclass || '.' || a.attname || ' is indexed')
FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
WHERE k.contype = 'f' AND k.connamespace = 'crm'::regnamespace AND k.confrelid IN ('crm.contact'::regclass, 'crm.account'::regclass, 'crm.lead'::regclass, 'crm.merge'::regclass)
ORDER BY 1;

-- the log is what undoing goes by: nobody but the owner writes or reads it
CREATE ROLE regress_merge_role;
SELECT crm.grant_access('regress_merge_role', 'sales');
SELECT is(string_agg(privilege, ', '), NULL, 'sales cannot write ' || t)
FROM unnest(ARRAY['crm.merge', 'crm.merge_change', 'crm.entity_redirect', 'crm.merge_policy']) t
LEFT JOIN unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) privilege ON has_table_privilege('regress_merge_role', t, privilege) GROUP BY t ORDER BY t;
SELECT ok(NOT has_table_privilege('regress_merge_role', 'crm.merge_change', 'SELECT'), 'nor read the log, which holds whole records');
SELECT ok(has_table_privilege('regress_merge_role', t, 'SELECT'), 'but ' || t) FROM unnest(ARRAY['crm.merge', 'crm.entity_redirect', 'crm.merge_policy', 'crm.merged_record']) t;
SELECT is(has_function_privilege('regress_merge_role', p.oid, 'EXECUTE'), true, 'may call ' || p.proname) FROM pg_proc p
WHERE p.pronamespace = 'crm'::regnamespace AND p.proname IN ('merge_contacts', 'merge_accounts', 'merge_leads', 'unmerge', 'contact_of', 'account_of', 'lead_of') ORDER BY p.proname;

-- views show what was merged
INSERT INTO crm.contact (full_name) VALUES ('a'), ('b');
SELECT is(crm.merge_contacts(1, '{2}'), 1::bigint, 'a merge');
SELECT results_eq('SELECT entity, old_id, winner_id, survivor_id, is_standing FROM crm.merged_record', $$VALUES ('contact'::text, 2::bigint, 1::bigint, 1::bigint, true)$$, 'is listed');
SELECT is_empty('SELECT * FROM crm.unmerge(1)', 'and undone without conflicts');

SELECT * FROM finish();
ROLLBACK;
