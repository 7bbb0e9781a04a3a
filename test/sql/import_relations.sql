-- Importing relations by the procedure import
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
SET client_min_messages = warning;
SELECT lead_mgmt.create_workspace('imports');
\pset null -
\set SHOW_CONTEXT never

-- What columns would be read as
SELECT name, field, how, type, key FROM imports.import_columns('{Name,E-Mail,Budjet,Bugdet,Ref,Colour,phone,Tel}', fields => '{"","",NULL,NULL,external_id,ignore,NULL,phone}');
SELECT * FROM imports.import_columns('{a,b}', fields => '{email,email}');
SELECT * FROM imports.import_columns('{a}', fields => '{nonsense}');
SELECT * FROM imports.import_columns('{a}', 'none');

-- A messy sheet in a staging table: a dry run says what would become of it, and changes nothing
CREATE SCHEMA staging;
CREATE TABLE staging.sheet (ref integer, "Name" text, "E-Mail" text, "Budget" text, seen text, tags text[], on_day date, vip boolean);
INSERT INTO staging.sheet VALUES
	(1, '  Jane Roe ', ' jane@example.com', '1.234,50', '1/8/2026', '{a,b}', '2026-08-02', true),
	(2, 'Bob', 'bob@example.com', 'x', '31/12/2026', NULL, NULL, false),
	(3, 'Cy', 'cy@example.com', '7', '12/31/2026', NULL, NULL, NULL),
	(1, '  Jane Roe ', ' jane@example.com', '1.234,50', '1/8/2026', '{a,b}', '2026-08-02', true),
	(NULL, ' ', '', NULL, NULL, NULL, NULL, NULL),
	(4, 'No', 'nomail', '', '', NULL, NULL, NULL),
	(5, 'Nguyễn Thị Ước', 'uoc@example.vn', '1 000', '28.02.26', NULL, NULL, NULL);
SELECT contact_id FROM imports.capture('default', '{"email": "uoc@example.vn"}');
SET client_min_messages = notice;
CALL imports.import('staging.sheet', mapping => '{"seen": "occurred_at", "ref": "external_id", "vip": null}', date_order => 'dmy',
	decimal_mark => ',', dry_run => true);
SELECT import_row, outcome, contact_id, payload, reasons -> 0 ->> 'code' AS code FROM imports.import_row ORDER BY 1;
SELECT import_row, field, code, value, message FROM imports.import_error ORDER BY 1;
SELECT * FROM imports.import_report(1);
SELECT form, source, mapping, state, last_row, created, updated, duplicates, rejected FROM imports.import;
SELECT (SELECT count(*) FROM imports.submission) AS submissions, (SELECT count(*) FROM imports.contact) AS contacts;

-- All or nothing
CALL imports.import('staging.sheet', mapping => '{"seen": "occurred_at", "ref": "external_id"}', date_order => 'DMY', decimal_mark => ',', atomic => true);
SELECT state, rejected FROM imports.import WHERE import_id = 2;
SELECT count(*) FROM imports.submission;

-- The good rows, in batches of two, each committed
SET client_min_messages = warning;
CALL imports.import('staging.sheet', mapping => '{"seen": "occurred_at", "ref": "external_id"}', date_order => 'DMY', decimal_mark => ',', batch_rows => 2);
SELECT import_row, outcome, submission_id IS NOT NULL AS kept FROM imports.import_outcome WHERE import_id = 3 ORDER BY 1;
SELECT c.full_name, c.email, l.budget, i.occurred_at::date, k.value AS source_id
FROM imports.contact c JOIN imports.lead l USING (contact_id) JOIN imports.interaction i USING (lead_id)
	LEFT JOIN imports.contact_identity k ON k.contact_id = c.contact_id AND k.kind = 'external'
WHERE i.submission_id > 1 ORDER BY 1;

-- The same twice changes nothing; a changed row changes the same contact and lead
CALL imports.import('staging.sheet', mapping => '{"seen": "occurred_at", "ref": "external_id"}', date_order => 'DMY', decimal_mark => ',');
UPDATE staging.sheet SET "Name" = 'Jane Roe-Poe', "Budget" = '99' WHERE ref = 1;
CALL imports.import('staging.sheet', mapping => '{"seen": "occurred_at", "ref": "external_id"}', date_order => 'DMY', decimal_mark => ',');
SELECT c.full_name, l.budget, l.interaction_count FROM imports.contact c JOIN imports.lead l USING (contact_id) WHERE c.email = 'jane@example.com';
SELECT count(*) FROM imports.contact;

-- Rejected rows are stored once however often they come, two alike in one import too; each import tells of them
CREATE TABLE staging.bad ("E-Mail" text, "Budget" text);
INSERT INTO staging.bad VALUES ('bad', '1'), ('bad2@example.com', 'x'), ('bad', '1'), ('good@example.com', '1');
INSERT INTO imports.form (form, invalid_values) VALUES ('strict', 'reject');
CALL imports.import('staging.bad', 'strict', decimal_mark => ',', dry_run => true);
SELECT import_row, outcome, payload, reasons -> 0 ->> 'code' AS code FROM imports.import_row r
WHERE import_id = (SELECT max(import_id) FROM imports.import) ORDER BY 1;
CALL imports.import('staging.bad', 'strict', decimal_mark => ',');
CALL imports.import('staging.bad', 'strict', decimal_mark => ',');
SELECT s.import_row, s.status, count(o.import_id) AS imports FROM imports.submission s JOIN imports.import_outcome o USING (submission_id)
WHERE s.form = 'strict' GROUP BY s.submission_id ORDER BY 1;
SELECT import_row, field, code, submission_id = (SELECT min(s.submission_id) FROM imports.submission s WHERE s.form = 'strict') AS is_first
FROM imports.import_error WHERE import_id = (SELECT max(import_id) FROM imports.import) ORDER BY 1;
-- what was in the way is gone
UPDATE imports.form SET invalid_values = 'drop', required = '{budget}' WHERE form = 'strict';
UPDATE imports.submission SET payload = payload || '{"E-Mail": "bad3@example.com"}' WHERE form = 'strict' AND payload ->> 'E-Mail' = 'bad';
SELECT status FROM imports.reprocess((SELECT submission_id FROM imports.submission WHERE form = 'strict' AND payload ->> 'E-Mail' = 'bad3@example.com'));
CALL imports.import('staging.bad', 'strict', decimal_mark => '.');
SELECT import_row, status, reasons -> 0 ->> 'code' AS code FROM imports.submission WHERE form = 'strict' ORDER BY submission_id;

-- A view serves as well, in a transaction too, where nothing is committed
CREATE VIEW staging.view AS SELECT 'v' || g || '@example.com' AS email, g AS employees, 'Firm ' || g AS company FROM generate_series(1, 3) g;
BEGIN;
CALL imports.import('staging.view');
SELECT count(*) FROM imports.contact WHERE email::text LIKE 'v_@%';
ROLLBACK;
SELECT count(*) FROM imports.contact WHERE email::text LIKE 'v_@%';

-- What cannot be
CREATE TABLE staging.nothing ();
CREATE SEQUENCE staging.numbers;
CALL imports.import(NULL);
CALL imports.import('staging.nothing');
CALL imports.import('staging.numbers');
CALL imports.import('staging.sheet', 'none');
CALL imports.import('staging.sheet', mapping => '{"none": "email"}');
CALL imports.import('staging.sheet', mapping => '{"ref": "none"}');
CALL imports.import('staging.sheet', mapping => '{"ref": 1}');
CALL imports.import('staging.sheet', mapping => '[]');
CALL imports.import('staging.sheet', date_order => 'YDM');
CALL imports.import('staging.sheet', decimal_mark => ';');
CALL imports.import('staging.sheet', batch_rows => 0);
SELECT imports.record_import_batch(3, 0, 1, 1);

-- Rights: the source is read as the caller, what comes of it is the workspace's
CREATE ROLE regress_importer;
SELECT imports.grant_access('regress_importer', 'import');
SET ROLE regress_importer;
CALL imports.import('staging.sheet');
RESET ROLE;
GRANT USAGE ON SCHEMA staging TO regress_importer;
GRANT SELECT ON staging.view TO regress_importer;
SET ROLE regress_importer;
CALL imports.import('staging.view');
SELECT count(*) FROM imports.contact;
RESET ROLE;

-- An operator planted in the caller's path is not used
CREATE SCHEMA planted;
CREATE FUNCTION planted.equal(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'planted'; END $$;
CREATE OPERATOR planted.= (LEFTARG = text, RIGHTARG = text, FUNCTION = planted.equal);
SET search_path = planted, pg_catalog;
CALL imports.import('staging.view');
RESET search_path;

DROP SCHEMA staging CASCADE;
DROP SCHEMA planted CASCADE;
SELECT lead_mgmt.drop_workspace('imports', 'imports');
DROP ROLE regress_importer;
