-- Ids that leads have in other systems: a re-import updates the same lead
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
SET client_min_messages = warning;
SELECT lead_mgmt.create_workspace('moved');
\pset null -
\set SHOW_CONTEXT never
CREATE SCHEMA old_crm;
CREATE TABLE old_crm.lead ("Lead ID" text, "Name" text, "E-Mail" text, "Title" text, "Budget" numeric);
INSERT INTO moved.form (form, source_system) VALUES ('old', 'oldcrm'), ('other', 'othercrm'), ('same', 'oldcrm');
CREATE VIEW pg_temp.leads AS
	SELECT c.full_name, c.email, l.lead_id, l.title, l.budget, l.status, l.interaction_count AS n, string_agg(k.source_system || ':' || k.external_id, ',' ORDER BY 1) AS ids
	FROM moved.lead l LEFT JOIN moved.contact c USING (contact_id) LEFT JOIN moved.lead_identity k USING (lead_id) GROUP BY c.contact_id, l.lead_id ORDER BY l.lead_id;

-- Two leads of one person are two, though they came by one form
INSERT INTO old_crm.lead VALUES ('L1', 'Ann Lee', 'ann@lee.example', 'Gold', 10), ('L2', 'Ann Lee', 'ann@lee.example', 'Silver', 20), ('L3', 'Bo Ek', 'bo@ek.example', 'Gold', 30);
CALL moved.import('old_crm.lead', 'old');
SELECT * FROM pg_temp.leads;
-- changed there, and imported again: the same leads and the same contact, also with another address
UPDATE old_crm.lead SET "Title" = 'Platinum', "E-Mail" = 'ann@new.example' WHERE "Lead ID" = 'L2';
CALL moved.import('old_crm.lead', 'old');
SELECT * FROM pg_temp.leads;
SELECT entity, outcome, field, given FROM moved.explain_match((SELECT max(submission_id) FROM moved.submission));
-- the form of another system has ids of its own; one of the same system has the same
SELECT status FROM moved.capture('other', '{"lead_id": "L1", "email": "cy@ax.example"}');
SELECT status, lead_id FROM moved.capture('same', '{"lead_id": "L3", "email": "bo@ek.example", "budget": 31}');
-- a lead that another system knows counts what comes without its id
SELECT lead_id FROM moved.capture('old', '{"email": "bo@ek.example", "title": "Gold, please"}');
-- so does what is no interest of its own, whatever id it brings
SELECT lead_id FROM moved.capture('old', '{"email": "bo@ek.example", "kind": "page_view", "lead_id": "L9"}');
-- and gets its id where it comes with one later
SELECT lead_id FROM moved.capture('default', '{"email": "di@oh.example"}');
SELECT lead_id FROM moved.capture('default', '{"email": "di@oh.example", "lead_source_id": "77"}');
SELECT lead_id FROM moved.capture('default', '{"email": "di@oh.example", "lead_source_id": "77", "page": "elsewhere"}');
SELECT * FROM pg_temp.leads;

-- Many at once, ids that repeat among them, each with another address: one lead
INSERT INTO moved.submission (form, payload)
	SELECT 'old', jsonb_build_object('lead_id', 'M' || g / 2, 'email', 'm' || g || '@many.example', 'budget', g) FROM generate_series(0, 9) g;
SELECT status, count(*), count(DISTINCT lead_id) AS leads, count(DISTINCT contact_id) AS contacts FROM moved.submission WHERE payload ->> 'lead_id' LIKE 'M%' GROUP BY 1;
SELECT budget, n, ids FROM pg_temp.leads WHERE ids LIKE '%:M%';

-- A person with another id of their own is another, and the lead is left with its owner
SELECT status FROM moved.capture('old', '{"lead_id": "P1", "source_id": "1", "email": "p1@own.example"}');
SELECT status, reasons -> 0 ->> 'code' AS code, match ? 'lead' AS counts_for_known FROM moved.capture('old', '{"lead_id": "P1", "source_id": "2", "email": "p2@own.example"}');
-- A lead that is closed stays as it was, and no other is made
SELECT lead_id AS closed FROM moved.lead_identity WHERE external_id = 'P1' \gset
SELECT status FROM moved.disqualify(:closed, 'no need');
SELECT status, lead_id = :closed AS same FROM moved.capture('old', '{"lead_id": "P1", "source_id": "1", "title": "late"}');
SELECT title, status, n FROM pg_temp.leads WHERE lead_id = :closed;
SELECT count(*) AS interactions FROM moved.interaction WHERE lead_id = :closed;

-- A lead of an account, which names a person later
SELECT lead_id AS firm, contact_id FROM moved.capture('old', '{"lead_id": "A1", "company": "Firm Ltd"}') \gset
SELECT lead_id = :firm AS same, contact_id IS NOT NULL AS has_contact FROM moved.capture('old', '{"lead_id": "A1", "company": "Firm Ltd", "email": "gil@firm.example"}');
-- Merged leads and contacts keep the ids; undoing gives them back
SELECT lead_id AS one FROM moved.lead_identity WHERE source_system = 'oldcrm' AND external_id = 'L1' \gset
SELECT lead_id AS two FROM moved.lead_identity WHERE external_id = 'L2' \gset
SELECT merge_id FROM moved.merge_leads(:one, ARRAY[:two]::bigint[]) AS m (merge_id) \gset
SELECT lead_id = :one AS same FROM moved.capture('old', '{"lead_id": "L2", "email": "ann@lee.example", "budget": 99}');
SELECT count(*) >= 0 AS undone FROM moved.unmerge(:merge_id);
SELECT lead_id = :two AS same FROM moved.capture('old', '{"lead_id": "L2", "email": "ann@lee.example"}');

-- Nonsense is refused
INSERT INTO moved.lead_identity VALUES ('', 'x', 1);
INSERT INTO moved.lead_identity VALUES ('oldcrm', 'L1', 1);
SELECT reasons -> 0 ->> 'code' AS code FROM moved.capture('old', jsonb_build_object('lead_id', repeat('x', 501), 'email', 'x@x.example'));
DROP SCHEMA old_crm CASCADE;
SELECT lead_mgmt.drop_workspace('moved', 'moved');
