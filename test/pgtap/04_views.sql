-- Views run with the rights of who reads them and show types that every BI tool knows.
\set QUIET on
\set ON_ERROR_STOP on
\pset format unaligned
\pset tuples_only on
\pset pager off
SET client_min_messages = warning;
BEGIN;
SELECT lead_mgmt.create_workspace('crm');
SELECT no_plan();
SELECT cmp_ok(count(*), '>=', 20::bigint, 'a workspace has views') FROM pg_class WHERE relnamespace = 'crm'::regnamespace AND relkind = 'v';
SELECT ok('security_invoker=true' = ANY (c.reloptions), 'view ' || c.relname || ' is security_invoker')
FROM pg_class c WHERE c.relnamespace = 'crm'::regnamespace AND c.relkind = 'v' ORDER BY c.relname;
-- lead_profile and the views on rules may show jsonb and arrays: rules ask for custom attributes and tags by them
SELECT is(array_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum) FILTER (WHERE a.atttypid NOT IN
	('text'::regtype, 'bigint'::regtype, 'integer'::regtype, 'numeric'::regtype, 'double precision'::regtype, 'boolean'::regtype, 'timestamptz'::regtype, 'date'::regtype, 'interval'::regtype)
	AND NOT (c.relname IN ('lead_profile', 'lead_profile_at_outcome', 'opportunity_profile') AND a.atttypid = 'jsonb'::regtype AND (a.attname LIKE '%\_attributes' OR a.attname LIKE 'interactions\_by\_%'))
	AND NOT (c.relname IN ('lead_profile', 'lead_profile_at_outcome') AND a.atttypid = 'text[]'::regtype AND a.attname LIKE '%tags')), NULL, 'view ' || c.relname || ' shows plain types')
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 WHERE c.relnamespace = 'crm'::regnamespace AND c.relkind = 'v' GROUP BY c.relname ORDER BY c.relname;
-- each can be read while empty and with something in it
CREATE FUNCTION pg_temp.readable(workspace name, what text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE v name;
BEGIN
	FOR v IN SELECT relname FROM pg_class WHERE relnamespace = workspace::text::regnamespace AND relkind = 'v' ORDER BY relname LOOP
		RETURN NEXT lives_ok(format('SELECT * FROM %I.%I', workspace, v), format('view %s can be read %s', v, what));
	END LOOP;
END $$;
SELECT * FROM pg_temp.readable('crm', 'while empty');
INSERT INTO crm.submission (payload) VALUES ('{"email": "a@acme.example", "company": "Acme", "consent_email": true}'), ('{"email": "bad"}');
SELECT is(count(*), 2::bigint, 'two submissions') FROM crm.submission;
SELECT crm.define_field(e, 'note') FROM unnest(ARRAY['contact', 'account', 'lead']) e;
UPDATE crm.contact SET attributes = '{"note": "n"}';
UPDATE crm.account SET attributes = '{"note": "n"}';
UPDATE crm.lead SET attributes = '{"note": "n"}', stage = 'sales_acceptance';
SELECT is(count(*), 1::bigint, 'one opportunity') FROM crm.convert_lead((SELECT lead_id FROM crm.lead), 'Deal', 5);
SELECT * FROM pg_temp.readable('crm', 'with something in it');
SELECT isnt_empty('SELECT * FROM crm.' || v, 'view ' || v || ' shows something') FROM unnest(ARRAY['lead_profile', 'lead_score', 'stage_history', 'lead_timeline', 'lead_board', 'rejected_submission',
	'current_consent', 'contact_attribute', 'account_attribute', 'lead_attribute', 'opportunity_touch', 'funnel', 'stage_conversion', 'stage_velocity', 'pipeline_value', 'source_conversion',
	'revenue_by_source', 'channel_performance', 'touch', 'cohort', 'calendar', 'lead_loop', 'campaign_response', 'engagement']) v;
SELECT * FROM finish();
ROLLBACK;
