-- What belongs to the extension, and what to the user.
\set QUIET on
\set ON_ERROR_STOP on
\pset format unaligned
\pset tuples_only on
\pset pager off
SET client_min_messages = warning;
BEGIN;
SELECT no_plan();
CREATE TEMP VIEW member AS
SELECT d.classid, d.objid FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'lead_mgmt'
WHERE d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass;
CREATE TEMP TABLE before AS SELECT * FROM member;

-- code only
SELECT is(array_agg(c.oid::regclass), NULL, 'no relation is a member') FROM member m JOIN pg_class c ON m.classid = 'pg_class'::regclass AND c.oid = m.objid AND c.relkind <> 'c';
SELECT bag_eq('SELECT DISTINCT classid::regclass::text FROM member',
	$$VALUES ('pg_proc'), ('pg_type'), ('pg_operator'), ('pg_opclass'), ('pg_opfamily'), ('pg_cast')$$, 'members are of the kinds that hold no data');
SELECT is(array_agg(pg_describe_object(m.classid, m.objid, 0)), NULL, 'every member lies in the extension''s schema')
FROM member m JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND p.oid = m.objid WHERE p.pronamespace <> 'lead_mgmt'::regnamespace;
SELECT is(array_agg(t.typname), NULL, 'every type too') FROM member m JOIN pg_type t ON m.classid = 'pg_type'::regclass AND t.oid = m.objid WHERE t.typnamespace <> 'lead_mgmt'::regnamespace;
SELECT is(array_agg(p.proname::text), NULL, 'nothing in the schema is left out')
FROM pg_proc p WHERE p.pronamespace = 'lead_mgmt'::regnamespace AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_proc'::regclass AND m.objid = p.oid);
SELECT ok(e.extconfig IS NULL, 'no table is registered to be dumped') FROM pg_extension e WHERE extname = 'lead_mgmt';
SELECT has_type('lead_mgmt', t, 'type ' || t) FROM unnest(ARRAY['email', 'phone', 'predicate', 'heat']) t;
SELECT has_function('lead_mgmt', f, 'function ' || f) FROM unnest(ARRAY['create_workspace', 'upgrade_workspace', 'drop_workspace', 'version']) f;
SELECT is(lead_mgmt.version(), e.extversion, 'library and script are of one version') FROM pg_extension e WHERE extname = 'lead_mgmt';

-- a workspace is the user's own
SELECT lead_mgmt.create_workspace('crm');
SELECT set_eq('TABLE member', 'TABLE before', 'a workspace adds nothing to the extension');
SELECT is(array_agg(DISTINCT d.deptype::text), NULL, 'no object of the workspace is a member of any extension')
FROM pg_depend d JOIN pg_class c ON d.classid = 'pg_class'::regclass AND d.objid = c.oid WHERE c.relnamespace = 'crm'::regnamespace AND d.deptype IN ('e', 'x');
SELECT is(array_agg(DISTINCT c.relname::text), NULL, 'every relation belongs to who made the workspace')
FROM pg_class c WHERE c.relnamespace = 'crm'::regnamespace AND pg_get_userbyid(c.relowner) <> current_user;
SELECT is(array_agg(DISTINCT p.proname::text), NULL, 'so does every function')
FROM pg_proc p WHERE p.pronamespace = 'crm'::regnamespace AND pg_get_userbyid(p.proowner) <> current_user;
SELECT is((SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'crm'), current_user::name, 'so does the schema');
SELECT is(array_agg(c.relname::text), NULL, 'all tables are permanent and logged') FROM pg_class c WHERE c.relnamespace = 'crm'::regnamespace AND c.relpersistence <> 'p';
SELECT has_table('crm'::name, t::name) FROM unnest(ARRAY['account', 'contact', 'lead', 'interaction', 'campaign', 'campaign_cost', 'opportunity', 'submission', 'form',
	'scoring_model', 'scoring_group', 'scoring_rule', 'scoring_grade', 'score', 'pipeline', 'stage', 'stage_transition', 'merge', 'merge_change', 'merge_policy', 'entity_redirect', 'product', 'opportunity_line', 'stage_waiver', 'task', 'outcome', 'conversion_mapping', 'event_handler', 'outbox', 'offer', 'tag']) t;
SELECT has_view('crm'::name, v::name) FROM unnest(ARRAY['lead_profile', 'lead_score', 'stage_history', 'channel_performance', 'campaign_roi', 'funnel', 'stage_conversion', 'stage_velocity',
	'pipeline_value', 'lead_timeline', 'lead_board', 'broken_rule', 'source_conversion', 'revenue_by_source', 'merged_record', 'attribution', 'channel_attribution', 'lead_loop', 'campaign_response', 'engagement', 'agent_performance', 'cohort', 'touch', 'open_task', 'overdue_task', 'due_reminder', 'opportunity_board', 'teleprospect_queue', 'agent_workload', 'neglected_lead', 'tag_usage']) v;
SELECT has_function('crm'::name, f::name) FROM unnest(ARRAY['capture', 'capture_raw', 'reprocess', 'advance', 'disqualify', 'convert_lead', 'assign', 'explain_score', 'score_at', 'cools_at', 'rescore', 'simulate_model', 'rule_lift', 'recalibrate',
	'define_field', 'drop_field', 'index_field', 'grant_access', 'purge_submissions', 'completeness', 'response_path',
	'merge_contacts', 'merge_accounts', 'merge_leads', 'unmerge', 'attribute', 'attribute_channels', 'explain_attribution', 'contact_of', 'account_of', 'lead_of',
	'advance_opportunity', 'waive_stage', 'log_activity', 'activity_log_text', 'complete_task', 'cancel_task', 'next_lead', 'lead_card', 'take_events', 'retry_events', 'purge_events', 'make_offers', 'answer_offer', 'split_list', 'set_tags', 'leads_with_tags']) f;
-- keys that plain restores and replication need
SELECT has_pk('crm', c.relname, 'table ' || c.relname || ' has a primary key') FROM pg_class c WHERE c.relnamespace = 'crm'::regnamespace AND c.relkind = 'r' ORDER BY c.relname;
-- every foreign key stays in the workspace
SELECT is(array_agg(conname::text), NULL, 'no foreign key leaves the workspace')
FROM pg_constraint k JOIN pg_class t ON t.oid = k.confrelid WHERE k.contype = 'f' AND k.connamespace = 'crm'::regnamespace AND t.relnamespace <> 'crm'::regnamespace;
-- a foreign key whose parent may be deleted or merged has an index
SELECT is(array_agg(k.conrelid::regclass || '.' || a.attname ORDER BY 1), NULL, 'foreign keys to contact, account and lead that cascade are indexed')
FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
WHERE k.contype = 'f' AND k.connamespace = 'crm'::regnamespace AND k.confrelid IN ('crm.contact'::regclass, 'crm.account'::regclass, 'crm.lead'::regclass) AND k.confdeltype IN ('c', 'n')
	AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = k.conrelid AND i.indkey[0] = k.conkey[1]);

-- the extension goes only when no workspace stands
SELECT throws_ok('DROP EXTENSION lead_mgmt', '2BP01', NULL, 'DROP EXTENSION is refused while a workspace stands');
SELECT lead_mgmt.drop_workspace('crm', 'crm');
SELECT hasnt_schema('crm');
SELECT lives_ok('DROP EXTENSION lead_mgmt', 'afterwards it goes');
SELECT is(count(*), 0::bigint, 'and leaves nothing in its schema') FROM pg_depend d JOIN pg_namespace n ON d.refclassid = 'pg_namespace'::regclass AND d.refobjid = n.oid WHERE n.nspname = 'lead_mgmt';
SELECT * FROM finish();
ROLLBACK;
