-- Who may do what: capture, sales, reader; row-level security; whose name is recorded.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
\set SHOW_CONTEXT never
CREATE ROLE regress_web;
CREATE ROLE regress_sales;
CREATE ROLE regress_sue IN ROLE regress_sales;
CREATE ROLE regress_sam IN ROLE regress_sales;
CREATE ROLE regress_reader;
CREATE ROLE regress_owner;
GRANT USAGE ON SCHEMA lead_mgmt TO regress_owner;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_owner', current_database()); END $$;

-- an owner who is no superuser
SET ROLE regress_owner;
SELECT lead_mgmt.create_workspace('roles');
RESET ROLE;
GRANT USAGE ON SCHEMA lead_mgmt TO regress_owner WITH GRANT OPTION;
SET ROLE regress_owner;
SELECT roles.grant_access('regress_web', 'capture');
SELECT roles.grant_access('regress_sales', 'sales');
SELECT roles.grant_access('regress_reader', 'reader');
SELECT roles.grant_access('regress_reader', 'everything');
SELECT roles.grant_access('regress_reader', NULL);
SELECT roles.grant_access('regress_missing', 'reader');
INSERT INTO roles.team (team) VALUES ('field');
INSERT INTO roles.agent (agent, team_id, login) VALUES ('Sue', 1, 'regress_sue'), ('Sam', 1, 'regress_sam');
INSERT INTO roles.routing_rule (sequence, label, team_id) VALUES (1, 'all', 1);
RESET ROLE;

-- capture: by function, INSERT and COPY; what the triggers do needs no privilege of the caller's
SET ROLE regress_web;
SELECT status, contact_id, lead_id FROM roles.capture('default', '{"email": "one@web.example"}');
SELECT status FROM roles.capture_raw('default', 'application/json', '{"email": "two@web.example"}');
INSERT INTO roles.submission (form, payload, external_id) VALUES ('default', '{"email": "three@web.example"}', 'w3');
COPY roles.submission (form, payload) FROM stdin;
default	{"email": "four@web.example"}
\.
-- and nothing else
INSERT INTO roles.submission (payload) VALUES ('{"email": "five@web.example"}') RETURNING submission_id;
INSERT INTO roles.submission (payload, processed_at, status) VALUES ('{}', now(), 'accepted');
INSERT INTO roles.submission (submission_id, payload) VALUES (1000, '{}');
SELECT payload FROM roles.submission;
UPDATE roles.submission SET payload = '{}';
DELETE FROM roles.submission;
TRUNCATE roles.submission;
INSERT INTO roles.lead (email) VALUES ('x@web.example');
SELECT roles.advance(1, 'disqualified', 'spam');
SELECT roles.reprocess(1);
SELECT roles.rescore();
SELECT roles.grant_access('regress_web', 'sales');
SELECT roles.explain_score(1);
SELECT lead_mgmt.process_submission('roles.submission', 1);
SELECT lead_mgmt.upgrade_workspace('roles');
SELECT lead_mgmt.drop_workspace('roles', 'roles');
RESET ROLE;
SELECT c.relname FROM pg_class c WHERE relnamespace = 'roles'::regnamespace AND relkind IN ('r', 'v', 'S')
	AND has_table_privilege('regress_web', c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER');
SELECT p.oid::regprocedure AS may_call FROM pg_proc p WHERE pronamespace = 'roles'::regnamespace AND has_function_privilege('regress_web', p.oid, 'EXECUTE') ORDER BY p.proname;
SELECT count(*) AS captured FROM roles.contact WHERE email::text LIKE '%@web.example';

-- sales
SET ROLE regress_sue;
SELECT email, stage, agent FROM roles.lead_board ORDER BY lead_id;
SELECT stage FROM roles.advance(1, 'sales_acceptance', 'spoke to them');
UPDATE roles.lead SET title = 'Ten seats' WHERE lead_id = 2;
UPDATE roles.contact SET city = 'Hue' WHERE contact_id = 1;
INSERT INTO roles.lead (email, contact_name, origin) VALUES ('six@met.example', 'Six', 'meeting');
INSERT INTO roles.interaction (lead_id, contact_id, kind) VALUES (1, 1, 'meeting');
SELECT opportunity_id FROM roles.convert_lead(1, 'Deal', 100);
UPDATE roles.opportunity SET stage = 'proposal';
SELECT stage FROM roles.disqualify(3, 'no budget');
SELECT roles.assign(2, 2, 'hers', reassign => true);
SELECT label, total FROM roles.explain_score(1) LIMIT 1;
SELECT roles.completeness(1) > 0 AS has_completeness;
SELECT status FROM roles.capture('default', '{"email": "seven@sales.example"}');
-- but not the definitions, nor history
UPDATE roles.scoring_model SET sales_ready_threshold = 0;
INSERT INTO roles.scoring_rule (model, label, condition, points) VALUES ('default', 'x', 'true', 1);
DELETE FROM roles.lead;
DELETE FROM roles.audit_log;
UPDATE roles.audit_log SET changed_by = 'nobody';
INSERT INTO roles.stage_move (lead_id, pipeline, to_stage, moved_at, moved_by) VALUES (1, 'marketing_sales', 'converted', now(), 'nobody');
UPDATE roles.stage_move SET moved_by = 'nobody';
UPDATE roles.score SET fit = 1000;
SELECT roles.rescore();
RESET ROLE;

-- the name that is recorded is the caller's, not the owner's
SELECT entity, changes, changed_by FROM roles.audit_log WHERE changes ?| '{city,title}' ORDER BY audit_id;
SELECT lead_id, opportunity_id, to_stage, moved_by FROM roles.stage_move WHERE rule <> 'created' AND rule <> 'first_score' ORDER BY stage_move_id;
SELECT moved_by, count(*) FROM roles.stage_move WHERE rule = 'created' GROUP BY 1 ORDER BY 1;
SELECT reason ->> 'rule' AS rule, assigned_by, count(*) FROM roles.assignment GROUP BY 1, 2 ORDER BY 1, 2;

-- reader: views, and no table
SET ROLE regress_reader;
DO $$ DECLARE v record; n bigint;
BEGIN
	FOR v IN SELECT c.oid::regclass AS name FROM pg_class c WHERE relnamespace = 'roles'::regnamespace AND relkind = 'v' ORDER BY relname LOOP
		BEGIN
			EXECUTE format('SELECT count(*) FROM %s', v.name) INTO n;
		EXCEPTION WHEN insufficient_privilege THEN
			RAISE NOTICE '% is not for readers', v.name;
		END;
	END LOOP;
END $$;
SELECT email, stage, score FROM roles.lead_board ORDER BY lead_id LIMIT 2;
SELECT count(*) FROM roles.response_path(1);
SELECT label, total FROM roles.explain_score(1) LIMIT 1;
SELECT payload FROM roles.submission;
SELECT status, count(*) FROM roles.submission GROUP BY 1;
SELECT count(*) FROM roles.audit_log;
SELECT count(*) FROM roles.lead;
UPDATE roles.lead SET title = 'x';
INSERT INTO roles.contact (full_name) VALUES ('x');
DELETE FROM roles.lead;
SELECT roles.advance(2, 'sales_acceptance');
SELECT roles.capture('default', '{"email": "x@read.example"}');
SELECT roles.convert_lead(2);
RESET ROLE;

-- row-level security on the tables holds in every view and function, once they run with the rights of their caller
ALTER TABLE roles.lead ENABLE ROW LEVEL SECURITY;
SET ROLE regress_sue;
SELECT agent, count(*) FROM roles.lead_board GROUP BY 1;
RESET ROLE;
SELECT roles.set_view_rights('caller');
CREATE POLICY own_leads ON roles.lead TO regress_sales
	USING (agent_id = (SELECT a.agent_id FROM roles.agent a WHERE a.login = current_user)) WITH CHECK (true);
SELECT agent, count(*) FROM roles.lead_board GROUP BY 1 ORDER BY 1;
SET ROLE regress_sue;
SELECT agent, count(*) FROM roles.lead_board GROUP BY 1;
SELECT count(*) AS all_profiles, (SELECT count(*) FROM roles.lead) AS leads FROM roles.lead_profile;
UPDATE roles.lead SET title = 'mine' WHERE agent_id = 2;
SET ROLE regress_sam;
SELECT agent, count(*) FROM roles.lead_board GROUP BY 1;
SET ROLE regress_reader;
SELECT count(*) FROM roles.lead_board;
RESET ROLE;
SELECT agent_id AS sues FROM roles.agent WHERE agent = 'Sue' \gset
SELECT min(lead_id) AS sues_lead FROM roles.lead WHERE agent_id = :sues AND status = 'open' \gset
SET ROLE regress_sam;
SELECT roles.advance(:sues_lead, 'disqualified', 'spam');
INSERT INTO roles.lead_step (lead_id, step) VALUES (:sues_lead, 'sales_accepted');
SELECT lead_mgmt.link_lead('roles.lead', :sues_lead);
SET ROLE regress_sue;
SELECT status FROM roles.disqualify(:sues_lead, 'spam');
SET ROLE regress_sam;
SELECT roles.reopen(:sues_lead, 'not hers');
SELECT lead_mgmt.reopen_row('roles.lead', :sues_lead, 'not hers');
SET ROLE regress_sue;
SELECT status FROM roles.reopen(:sues_lead, 'hers');
INSERT INTO roles.lead_step (lead_id, step) VALUES (:sues_lead, 'no such step');
-- capture works as before under it
SET ROLE regress_web;
SELECT status, lead_id IS NOT NULL AS lead FROM roles.capture('default', '{"email": "rls@web.example"}');
INSERT INTO roles.submission (payload) VALUES ('{"email": "rls@web.example", "page": "rls"}');
RESET ROLE;
SELECT count(*) FROM roles.lead JOIN roles.contact USING (contact_id) WHERE contact.email::text = 'rls@web.example';
DROP POLICY own_leads ON roles.lead;
ALTER TABLE roles.lead DISABLE ROW LEVEL SECURITY;

-- what lies in the caller's search_path is not used
CREATE SCHEMA trap;
GRANT USAGE ON SCHEMA trap TO PUBLIC;
CREATE FUNCTION trap.now() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped by now()'; END $$;
CREATE FUNCTION trap.count(bigint) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped by count()'; END $$;
CREATE FUNCTION trap.lower(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped by lower()'; END $$;
CREATE FUNCTION trap.eq(a bigint, b bigint) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped by bigint ='; END $$;
CREATE FUNCTION trap.eq(a text, b text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped by text ='; END $$;
CREATE OPERATOR trap.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = trap.eq);
CREATE OPERATOR trap.= (LEFTARG = text, RIGHTARG = text, FUNCTION = trap.eq);
SET search_path = trap, pg_catalog, roles;
SELECT 1::bigint = 1::bigint AS the_trap_is_set;
INSERT INTO submission (payload) VALUES ('{"email": "trap@path.example", "company": "Trap", "phone": "+442079460001"}'), ('{"email": "trap@path.example"}');
SELECT status FROM capture('default', '{"email": "trap2@path.example", "visitor": "t"}');
INSERT INTO lead (email, company_name) VALUES ('trap3@path.example', 'Trap');
INSERT INTO contact (email) VALUES ('trap4@path.example');
INSERT INTO interaction (contact_id, kind) SELECT contact_id, 'meeting' FROM contact ORDER BY contact_id LIMIT 1;
SELECT stage FROM advance(2, 'sales_acceptance');
SELECT opportunity_id FROM convert_lead(2, 'Trap');
SELECT rescore() > 0 AS rescored;
SELECT count(*) > 0 AS explained FROM (SELECT explain_score(1)) x;
INSERT INTO scoring_rule (model, label, condition, points) VALUES ('default', 'Trap', 'country = ''VN''', 1);
SELECT status FROM capture('default', '{"email": "trap5@path.example", "country": "VN"}');
UPDATE scoring_rule SET points = 2 WHERE label OPERATOR(pg_catalog.=) 'Trap';
INSERT INTO tag (tag) VALUES ('trapped');
UPDATE lead SET title = 'Trapped', tags = ARRAY['trapped'], stage = 'disqualified', stage_reason = 'spam' WHERE lead_id OPERATOR(pg_catalog.=) (SELECT max(lead_id) FROM lead) RETURNING stage, status;
RESET search_path;
SELECT h.to_stage, a.changes FROM roles.stage_move h JOIN roles.audit_log a ON a.entity = 'lead' AND a.entity_id = h.lead_id WHERE h.reason = 'spam' AND h.lead_id = (SELECT max(lead_id) FROM roles.lead);
SET client_min_messages = warning;
DROP SCHEMA trap CASCADE;
RESET client_min_messages;

SELECT lead_mgmt.drop_workspace('roles', 'roles');
DROP OWNED BY regress_web, regress_sales, regress_reader, regress_owner CASCADE;
DROP ROLE regress_web, regress_sue, regress_sam, regress_sales, regress_reader, regress_owner;
