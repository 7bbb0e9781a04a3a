-- Marks of functions: volatility, strictness, parallel safety, search_path, whose rights.
\set QUIET on
\set ON_ERROR_STOP on
\pset format unaligned
\pset tuples_only on
\pset pager off
SET client_min_messages = warning;
BEGIN;
SELECT lead_mgmt.create_workspace('crm');
SELECT no_plan();

CREATE TEMP VIEW extension_function AS
SELECT p.oid, p.oid::regprocedure::text AS name, p.proname, p.prolang, p.provolatile, p.proisstrict, p.proparallel, p.prosecdef, p.proconfig, p.prorettype, p.proargtypes, l.lanname, p.prokind
FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass
JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'lead_mgmt';
CREATE TEMP VIEW workspace_function AS
SELECT p.oid, p.oid::regprocedure::text AS name, p.proname, p.provolatile, p.prosecdef, p.proconfig, p.proacl, p.proowner, l.lanname
FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang WHERE p.pronamespace = 'crm'::regnamespace;

SELECT cmp_ok((SELECT count(*) FROM extension_function), '>', 20::bigint, 'the extension has functions');
SELECT cmp_ok((SELECT count(*) FROM workspace_function), '>', 10::bigint, 'a workspace has functions');

-- types
SELECT is(provolatile::text || proparallel::text || proisstrict::text, 'istrue', f.name || ' is immutable, parallel safe, strict')
FROM (SELECT t.typname, unnest(ARRAY[t.typinput, t.typoutput, t.typreceive, t.typsend]) AS proc FROM pg_type t
	WHERE t.typnamespace = 'lead_mgmt'::regnamespace AND t.typtype = 'b' AND t.typelem = 0) t
JOIN extension_function f ON f.oid = t.proc::oid
WHERE t.typname NOT IN ('predicate') ORDER BY f.name;
SELECT is(proparallel::text || proisstrict::text, 'strue', f.name || ' is parallel safe and strict')
FROM pg_type t, unnest(ARRAY[t.typinput, t.typoutput, t.typreceive, t.typsend]) proc JOIN extension_function f ON f.oid = proc::oid
WHERE t.typname = 'predicate' AND t.typnamespace = 'lead_mgmt'::regnamespace ORDER BY f.name;
SELECT ok(t.typreceive <> 0 AND t.typsend <> 0, 'type ' || t.typname || ' has binary input and output')
FROM pg_type t WHERE t.typnamespace = 'lead_mgmt'::regnamespace AND t.typtype = 'b' AND t.typelem = 0 AND t.typname <> 'predicate' ORDER BY t.typname;
SELECT is(provolatile::text || proparallel::text || proisstrict::text, 'istrue', f.name || ', behind an operator, is immutable, parallel safe, strict')
FROM (SELECT DISTINCT o.oprcode::oid AS proc FROM pg_operator o WHERE o.oprnamespace = 'lead_mgmt'::regnamespace) o JOIN extension_function f ON f.oid = o.proc ORDER BY f.name;
SELECT is(provolatile::text || proparallel::text, 'is', f.name || ', in an operator class, is immutable and parallel safe')
FROM (SELECT DISTINCT a.amproc::oid AS proc FROM pg_amproc a) a JOIN extension_function f ON f.oid = a.proc ORDER BY f.name;
SELECT is(provolatile::text, 'i', f.name || ', behind a cast, is immutable')
FROM pg_cast c JOIN extension_function f ON f.oid = c.castfunc ORDER BY f.name;

-- what runs SQL pins its search_path, pg_temp last
-- C functions that run SQL; one a line, so that additions do not meet. Those that run it on few of their calls,
-- audit_change, guard_tags, learn_outcome, stage_law and stage_moved, pin it themselves: roles.sql sees to it
CREATE TEMP TABLE runs_sql (name text PRIMARY KEY);
COPY runs_sql FROM stdin;
check_pipeline
check_step
claim_identity
count_interactions
drop_orphan_interaction
expand_attributes
guard_history
guard_lead_row
guard_match_condition
guard_match_value
guard_merge_policy
guard_pipeline_part
guard_row
guard_stage
identity_keys
identity_kinds
identity_value
match_indexes
match_profile
match_records
match_rule_holds
match_rule_kinds
match_stored
match_value
merge_rows
move_due_leads
process_submission
process_submissions
recount_interactions
reopen_attribution
reopen_row
rescore_leads
score_all
score_leads
score_parts
stage_explanation
stage_follow
step_done
unmerge_rows
opportunity_terms
guard_line
total_lines
move_tasks
note_outcome
link_lead
call_event_handler
follow_tag
\.
SELECT is((SELECT c FROM unnest(f.proconfig) c WHERE c LIKE 'search_path=%'), 'search_path=pg_catalog, pg_temp', f.name || ' pins its search_path')
-- but for a body that was parsed when it was made
FROM extension_function f WHERE f.lanname IN ('sql', 'plpgsql') AND (SELECT p.prosqlbody IS NULL FROM pg_proc p WHERE p.oid = f.oid)
	OR f.proname IN (SELECT name FROM runs_sql)
ORDER BY f.name;
SELECT is((SELECT array_agg(w.name) FROM runs_sql w
	WHERE NOT EXISTS (SELECT FROM extension_function f WHERE f.proname = w.name)), NULL, 'the C functions that run SQL are all there');
SELECT is((SELECT c FROM unnest(f.proconfig) c WHERE c LIKE 'search_path=%'), 'search_path=pg_catalog, pg_temp', f.name || ' pins its search_path')
FROM workspace_function f WHERE f.proname NOT IN ('match_contact', 'import') ORDER BY f.name;
-- but for one call that is to be inlined and one that commits, and which name no operator
SELECT is((SELECT p.proconfig FROM pg_proc p JOIN workspace_function f ON f.oid = p.oid WHERE f.proname = 'match_contact'), NULL, 'match_contact can be inlined');

-- whose rights
SELECT ok(NOT f.prosecdef, f.name || ' runs with the rights of its caller') FROM extension_function f ORDER BY f.name;
SELECT is(f.prosecdef, f.proname IN ('capture', 'capture_raw', 'capture_bodies', 'capture_file', 'capture_http', 'contact_exists', 'import_columns', 'begin_import', 'record_import_batch', 'finish_import', 'import_rejects', 'import_report', 'claim_fetch', 'claim_body', 'record_fetch'), f.name || CASE WHEN f.proname IN ('capture', 'capture_raw', 'capture_bodies', 'capture_file', 'capture_http', 'contact_exists', 'import_columns', 'begin_import', 'record_import_batch', 'finish_import', 'import_rejects', 'import_report', 'claim_fetch', 'claim_body', 'record_fetch') THEN ' runs as its owner' ELSE ' runs as its caller' END)
FROM workspace_function f ORDER BY f.name;
SELECT ok(NOT has_function_privilege('public', f.oid, 'EXECUTE'), 'PUBLIC may not call ' || f.name) FROM workspace_function f ORDER BY f.name;

-- trigger functions are volatile and not strict
SELECT is(f.provolatile::text || f.proisstrict::text, 'vfalse', f.name || ' is marked as a trigger function should be')
FROM extension_function f WHERE f.prorettype = 'trigger'::regtype ORDER BY f.name;
-- what writes is volatile and not parallel safe
SELECT is(f.provolatile::text || (f.proparallel = 's')::text, 'vfalse', f.name || ' writes: volatile, not parallel safe')
FROM extension_function f WHERE f.proname IN ('create_workspace', 'upgrade_workspace', 'drop_workspace', 'process_submission', 'merge_rows', 'unmerge_rows') ORDER BY f.name;
-- functions of a workspace that only read; one a line, so that additions do not meet
CREATE TEMP TABLE only_reads (name text PRIMARY KEY);
COPY only_reads FROM stdin;
account_of
activity_log_text
attribute
attribute_channels
attribution_conversions
attribution_touches
campaign_roi
channel_attribution
channel_credits
channel_performance
chart
completeness
contact_exists
contact_of
conversion_attributes
convert_currency
cools_at
explain_attribution
explain_match
explain_score
explain_stage
funnel
guess_fields
import_columns
import_rejects
import_report
lead_at
lead_card
lead_of
leads_with_tags
match_contact
match_records
next_lead
opportunity_at
pipeline_as_of
propose_contact
read_match_model
response_path
rule_lift
score_at
simulate_model
source_conversion
suggest_offers
\.
SELECT is(f.provolatile::text, CASE WHEN r.name IS NOT NULL THEN 's' ELSE 'v' END,
	f.name || CASE WHEN r.name IS NOT NULL THEN ' only reads: stable' ELSE ' writes: volatile' END)
FROM workspace_function f LEFT JOIN only_reads r ON r.name = f.proname ORDER BY f.name;
SELECT is(f.provolatile::text || f.proparallel::text, 'is', f.name || ' is immutable and parallel safe')
FROM extension_function f WHERE f.proname ~ '^(email|phone)_' OR f.proname IN ('version', 'workspace_script', 'workspace_statements') ORDER BY f.name;
SELECT is(array_agg(f.name), NULL, 'every aggregate may run in parallel') FROM extension_function f WHERE f.prokind = 'a' AND f.proparallel <> 's';

SELECT * FROM finish();
ROLLBACK;
