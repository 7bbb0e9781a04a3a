-- A reader sees views and nothing else, and never more than row-level security lets others see.
\set QUIET on
\set ON_ERROR_STOP on
\pset format unaligned
\pset tuples_only on
\pset pager off
SET client_min_messages = warning;
BEGIN;
SELECT lead_mgmt.create_workspace('crm');
SELECT no_plan();
CREATE ROLE regress_bi;
CREATE ROLE regress_rep;
CREATE ROLE regress_web;
SELECT crm.grant_access('regress_web', 'capture');
SELECT crm.grant_access('regress_rep', 'sales');
INSERT INTO crm.submission (payload) VALUES ('{"email": "a@acme.example", "company": "Acme", "channel": "email", "note": "secret"}'), ('{"email": "secret bad"}');
SELECT is(count(*), 1::bigint, 'a lead') FROM crm.lead;
UPDATE crm.lead SET stage = 'sales_acceptance';
SELECT isnt(opportunity_id, NULL, 'an opportunity') FROM crm.convert_lead((SELECT lead_id FROM crm.lead), 'Deal', 5);
INSERT INTO crm.lead (contact_name) VALUES ('Acme');
SELECT crm.grant_access('regress_bi', 'reader');
CREATE TEMP TABLE relation AS SELECT c.oid::regclass AS name, c.relkind FROM pg_class c WHERE c.relnamespace = 'crm'::regnamespace AND c.relkind IN ('r', 'v');
GRANT SELECT ON relation TO PUBLIC;
GRANT TEMPORARY ON DATABASE :"DBNAME" TO regress_bi;

-- what is granted
SELECT is(array_agg(c.relname::text), NULL, 'no right of any kind on any table, sequence or column')
FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'crm'::regnamespace AND (c.relkind IN ('r', 'S') AND EXISTS (SELECT FROM aclexplode(c.relacl) x WHERE x.grantee IN (0, 'regress_bi'::regrole))
	OR EXISTS (SELECT FROM aclexplode(a.attacl) x WHERE x.grantee IN (0, 'regress_bi'::regrole)));
SELECT is(array_agg(DISTINCT x.privilege_type), ARRAY['SELECT'], 'on views, to select') FROM pg_class c, aclexplode(c.relacl) x WHERE c.relnamespace = 'crm'::regnamespace AND c.relkind = 'v' AND x.grantee = 'regress_bi'::regrole;
SELECT is(array_agg(p.proname::text), NULL, 'functions that only report') FROM pg_proc p, aclexplode(p.proacl) x WHERE p.pronamespace = 'crm'::regnamespace AND x.grantee = 'regress_bi'::regrole AND p.provolatile <> 's';
SELECT is(array_agg(c.relname::text), NULL, 'every view runs with its owner''s rights now') FROM pg_class c WHERE c.relnamespace = 'crm'::regnamespace AND c.relkind = 'v' AND NOT 'security_invoker=false' = ANY (c.reloptions);

-- what works
SET ROLE regress_bi;
SELECT lives_ok(format('SELECT * FROM %s', name), 'view ' || name || ' can be read') FROM relation WHERE relkind = 'v' ORDER BY name::text;
SELECT throws_ok(format('SELECT FROM %s', name), '42501', NULL, 'table ' || name || ' cannot') FROM relation WHERE relkind = 'r' ORDER BY name::text;
SELECT throws_ok('SELECT ctid FROM crm.submission', '42501');
SELECT throws_ok($$SELECT * FROM crm.capture('default', '{}')$$, '42501');
SELECT throws_ok('SELECT * FROM crm.tick()', '42501');
SELECT is((SELECT string_agg(v::text, '|') FROM crm.rejected_submission v) LIKE '%secret%', false, 'what was submitted is not quoted');
SELECT isnt(code, NULL, 'but what is wrong with it') FROM crm.rejected_submission;
SELECT is(won, 0::numeric, 'a report by function') FROM (SELECT coalesce(sum(won), 0) AS won FROM crm.channel_performance('2020-01-01', '2030-01-01')) x;
SELECT is(leads, 2::bigint, 'the funnel as of now') FROM crm.funnel('-infinity', 'infinity', 'infinity') WHERE stage = 'lead';
SELECT lives_ok($$SELECT * FROM crm.attribute('markov', 'lead_created')$$);
SELECT lives_ok($$SELECT * FROM crm.attribute_channels('linear', 'opportunity_created', currency => 'USD')$$);
SELECT lives_ok($$SELECT * FROM crm.explain_attribution(1)$$);
SELECT lives_ok($$SELECT * FROM crm.response_path(1)$$);
SELECT alike(crm.chart('funnel'), '<svg%', 'a picture');
SELECT isnt(crm.score_at(1, now()), NULL, 'a score');
RESET ROLE;

-- views stay so through an upgrade
SELECT lead_mgmt.upgrade_workspace('crm');
SET ROLE regress_bi;
SELECT lives_ok('SELECT * FROM crm.lead_board');
SELECT lives_ok('SELECT * FROM crm.funnel');
RESET ROLE;

-- row-level security that comes later is not passed by
ALTER TABLE crm.lead ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON crm.lead TO regress_rep USING (false);
SET ROLE regress_rep;
SELECT is(count(*), 0::bigint, 'the table hides its rows') FROM crm.lead;
SELECT throws_ok('SELECT * FROM crm.lead_board', '55000', NULL, 'so the view does not show them');
SELECT throws_ok('SELECT * FROM crm.lead_profile', '55000');
SELECT throws_ok('SELECT * FROM crm.funnel', '55000');
SELECT throws_ok('SELECT crm.score_at(1, now())', '55000');
SET ROLE regress_bi;
SELECT throws_ok('SELECT * FROM crm.lead_board', '55000');
SET ROLE regress_web;
SELECT is(status, 'accepted', 'captures work as before') FROM crm.capture('default', '{"email": "b@acme.example"}');
RESET ROLE;
SELECT throws_ok($$SELECT crm.grant_access('regress_bi', 'reader')$$, '55000', NULL, 'no reader beside row-level security');
SELECT crm.set_view_rights('caller');
SELECT is(array_agg(c.relname::text), NULL, 'every view runs with its caller''s rights again') FROM pg_class c WHERE c.relnamespace = 'crm'::regnamespace AND c.relkind = 'v' AND NOT 'security_invoker=true' = ANY (c.reloptions);
SELECT is(array_agg(p.proname::text), NULL, 'so do reports') FROM pg_proc p WHERE p.pronamespace = 'crm'::regnamespace AND p.prosecdef AND p.prosrc ~ 'lead_mgmt[.]report_guard[(]';
SET ROLE regress_rep;
SELECT is(count(*), 0::bigint, 'the policy holds in the view') FROM crm.lead_board;
SELECT is(leads, 0::bigint, 'and in the function') FROM crm.funnel('-infinity', 'infinity') WHERE stage = 'lead';
SET ROLE regress_bi;
SELECT throws_ok('SELECT * FROM crm.lead_board', '42501');
RESET ROLE;
SELECT throws_ok($$SELECT crm.set_view_rights('nobody')$$, '22023');
SELECT * FROM finish();
ROLLBACK;
