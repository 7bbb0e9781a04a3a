-- The life of a workspace: created, used, upgraded, dropped.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
\set SHOW_CONTEXT never

SELECT lead_mgmt.create_workspace('life_a');
SELECT lead_mgmt.create_workspace('My Crm-é');
SELECT nspname, obj_description(oid, 'pg_namespace') AS comment
FROM pg_namespace WHERE nspname IN ('life_a', 'My Crm-é') ORDER BY 1;
SELECT version = lead_mgmt.version() AS is_current, upgraded_at IS NULL AS never_upgraded FROM life_a.workspace_info;

-- names that are taken, reserved or bad
SELECT lead_mgmt.create_workspace('life_a');
SELECT lead_mgmt.create_workspace('lead_mgmt');
SELECT lead_mgmt.create_workspace('pg_life');
SELECT lead_mgmt.create_workspace('information_schema');
SELECT lead_mgmt.create_workspace('public');
SELECT lead_mgmt.create_workspace('');
SELECT lead_mgmt.create_workspace(NULL);
SELECT lead_mgmt.create_workspace('it''s');
SELECT lead_mgmt.create_workspace('a"b');
SELECT lead_mgmt.create_workspace('a$b');
SELECT lead_mgmt.create_workspace('a%b');
SELECT lead_mgmt.create_workspace('a\b');
SELECT lead_mgmt.create_workspace(E'a\nb');
SELECT lead_mgmt.create_workspace(repeat('n', 64));
SELECT lead_mgmt.create_workspace(repeat('é', 32));
\set VERBOSITY sqlstate
SELECT lead_mgmt.create_workspace('life_a');
SELECT lead_mgmt.create_workspace('public');
SELECT lead_mgmt.create_workspace('a"b');
SELECT lead_mgmt.create_workspace(repeat('n', 64));
\set VERBOSITY default
-- a refused name leaves nothing behind; the longest name works
SELECT count(*) FROM pg_namespace WHERE nspname ~ '^(pg_life|it|a.b|n+$|é+$)';
SELECT lead_mgmt.create_workspace(repeat('w', 63));
SELECT status FROM wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww.capture('default', '{"email": "long@name.example"}');
SELECT lead_mgmt.drop_workspace(repeat('w', 63), repeat('w', 63));

-- everything works under a name that needs quoting
SELECT status, contact_id, lead_id FROM "My Crm-é".capture('default', '{"email": "ann@acme.example", "company": "Acme", "page": "pricing"}');
SELECT status, reasons -> 0 ->> 'code' AS code FROM "My Crm-é".capture('default', '{"email": "ann"}');
SELECT stage, status FROM "My Crm-é".advance(1, 'sales_acceptance', 'called back');
SELECT part, label, points, occurrences, total FROM "My Crm-é".explain_score(1);
SELECT score, grade, is_sales_ready FROM "My Crm-é".lead_score;
SELECT full_name, company, email, stage, status, score FROM "My Crm-é".lead_board;
SELECT position, event, title FROM "My Crm-é".lead_timeline WHERE lead_id = 1 ORDER BY position;
SELECT * FROM "My Crm-é".convert_lead(1, 'First order', 100);
UPDATE "My Crm-é".submission SET payload = '{"email": "ann@acme.example"}' WHERE status = 'rejected';
SELECT s.status FROM "My Crm-é".submission r, "My Crm-é".reprocess(r.submission_id) s WHERE r.status = 'rejected';
SELECT stage, leads FROM "My Crm-é".funnel ORDER BY level;
SELECT "My Crm-é".rescore();
SELECT lead_mgmt.upgrade_workspace('My Crm-é') = lead_mgmt.version() AS upgraded;
SELECT count(*) FROM "My Crm-é".lead_board;

-- the other workspace has seen nothing of it
SELECT (SELECT count(*) FROM life_a.submission) AS submissions, (SELECT count(*) FROM life_a.contact) AS contacts,
	(SELECT count(*) FROM life_a.lead) AS leads, (SELECT count(*) FROM life_a.audit_log) AS changes;
-- the same person in both: two contacts that know nothing of each other
SELECT status, contact_id, lead_id FROM life_a.capture('default', '{"email": "Ann@Acme.Example", "name": "Ann"}');
SELECT (SELECT full_name FROM life_a.contact) AS here, (SELECT full_name FROM "My Crm-é".contact) AS there;
-- rules of one do not score in the other
INSERT INTO life_a.scoring_rule (model, label, condition, points) VALUES ('default', 'Everybody', 'true', 1000);
SELECT status FROM life_a.capture('default', '{"email": "bob@acme.example"}');
SELECT status FROM "My Crm-é".capture('default', '{"email": "bob@acme.example"}');
SELECT (SELECT max(score) FROM life_a.lead_score) > 1000 AS here, (SELECT max(score) FROM "My Crm-é".lead_score) > 1000 AS there;

-- an upgrade keeps rows and what users added, and can be repeated
ALTER TABLE life_a.lead ADD COLUMN region_code text;
CREATE INDEX my_lead_region_idx ON life_a.lead (region_code);
CREATE VIEW life_a.my_leads AS SELECT lead_id, stage, region_code FROM life_a.lead;
UPDATE life_a.lead SET region_code = 'north' WHERE lead_id = 1;
UPDATE life_a.scoring_model SET sales_ready_threshold = 77;
UPDATE life_a.workspace_info SET version = '0.9.0';
SELECT lead_mgmt.upgrade_workspace('life_a') = lead_mgmt.version() AS upgraded;
SELECT lead_mgmt.upgrade_workspace('life_a') = lead_mgmt.version() AS again;
SELECT version = lead_mgmt.version() AS is_current, upgraded_at IS NOT NULL AS upgraded FROM life_a.workspace_info;
SELECT * FROM life_a.my_leads ORDER BY 1;
SELECT to_regclass('life_a.my_lead_region_idx') AS index, (SELECT sales_ready_threshold FROM life_a.scoring_model) AS threshold,
	(SELECT count(*) FROM life_a.stage) AS stages, (SELECT count(*) FROM life_a.contact) AS contacts;
SELECT status, lead_id FROM life_a.capture('default', '{"email": "ann@acme.example"}');
-- an upgrade repairs code that was lost
DROP VIEW life_a.lead_board;
SELECT lead_mgmt.upgrade_workspace('life_a') = lead_mgmt.version() AS upgraded;
SELECT count(*) FROM life_a.lead_board;
-- nor does it lower the version
UPDATE life_a.workspace_info SET version = '99.0.0';
SELECT lead_mgmt.upgrade_workspace('life_a');
UPDATE life_a.workspace_info SET version = lead_mgmt.version();

-- what is no workspace
CREATE SCHEMA life_plain;
SELECT lead_mgmt.upgrade_workspace('life_plain');
SELECT lead_mgmt.upgrade_workspace('life_nowhere');
SELECT lead_mgmt.drop_workspace('life_plain', 'life_plain');
SELECT lead_mgmt.drop_workspace('life_nowhere', 'life_nowhere');
DROP SCHEMA life_plain;

-- who may create: whoever may create schemas, and they own what they get
CREATE ROLE regress_life_maker;
CREATE ROLE regress_life_nobody;
GRANT USAGE ON SCHEMA lead_mgmt TO regress_life_maker, regress_life_nobody;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_life_maker', current_database()); END $$;
SET ROLE regress_life_nobody;
SELECT lead_mgmt.drop_workspace('life_a', 'life_a');
SELECT lead_mgmt.upgrade_workspace('life_a');
\set VERBOSITY sqlstate
SELECT lead_mgmt.create_workspace('life_n');
SELECT count(*) FROM life_a.lead;
SELECT life_a.advance(1, 'disqualified', 'spam');
\set VERBOSITY default
SET ROLE regress_life_maker;
SELECT lead_mgmt.create_workspace('life_m');
SELECT status, lead_id FROM life_m.capture('default', '{"email": "m@m.example"}');
SELECT stage FROM life_m.advance(1, 'disqualified', 'spam');
SELECT lead_mgmt.upgrade_workspace('life_m') = lead_mgmt.version() AS upgraded;
RESET ROLE;
SELECT DISTINCT pg_get_userbyid(relowner) AS owner FROM pg_class WHERE relnamespace = 'life_m'::regnamespace;
SELECT moved_by, count(*) FROM life_m.stage_move GROUP BY 1;
SET ROLE regress_life_maker;
SELECT lead_mgmt.drop_workspace('life_m', 'life_m');
RESET ROLE;
DROP OWNED BY regress_life_maker, regress_life_nobody;
DROP ROLE regress_life_maker, regress_life_nobody;

-- the extension stays while a workspace needs it
SET client_min_messages = error;
\set VERBOSITY sqlstate
DROP EXTENSION lead_mgmt;
\set VERBOSITY default
RESET client_min_messages;
SELECT count(*) AS still_there FROM life_a.lead;

-- dropping needs the name twice
SELECT lead_mgmt.drop_workspace('life_a', 'life_b');
SELECT lead_mgmt.drop_workspace('life_a', NULL);
SELECT lead_mgmt.drop_workspace('life_a', 'life_a');
SELECT lead_mgmt.drop_workspace('My Crm-é', 'My Crm-é');
SELECT count(*) FROM pg_namespace WHERE nspname IN ('life_a', 'My Crm-é', 'life_m', 'life_n');
-- a name may be used again, in the same session too
SELECT lead_mgmt.create_workspace('life_a');
SELECT status, lead_id FROM life_a.capture('default', '{"email": "ann@acme.example"}');
SELECT lead_mgmt.drop_workspace('life_a', 'life_a');
