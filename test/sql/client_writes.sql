-- What clients write past the door: scores, identities and checks follow
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
SELECT lead_mgmt.create_workspace('clients');

-- a change to a person or company by any client is in the scores at once
SELECT status FROM clients.capture('default', '{"email": "ann@acme.example", "name": "Ann"}');
SELECT fit, engagement FROM clients.lead_score;
UPDATE clients.contact SET phone = '+84912345678', job_title = 'Director';
SELECT fit, engagement FROM clients.lead_score;
UPDATE clients.account SET employees = 80;
SELECT fit, engagement FROM clients.lead_score;
SELECT status FROM clients.capture('default', '{"email": "bob@acme.example", "company": "Acme", "employees": 20}');
SELECT lead_id, fit, engagement FROM clients.lead_score ORDER BY 1;
SELECT s.lead_id, s.score = (SELECT sum(total) FROM clients.explain_score(s.lead_id)) AS adds_up FROM clients.lead_score s ORDER BY 1;

-- a rule over the lead's own columns
INSERT INTO clients.scoring_rule (model, label, condition, points) VALUES ('default', 'Wants a lot', 'budget >= 1000', 30);
UPDATE clients.lead SET budget = 5000 WHERE lead_id = 1;
SELECT fit, engagement FROM clients.lead_score WHERE lead_id = 1;

-- an account that a clerk enters is found by captures
INSERT INTO clients.account (name, domain) VALUES ('Clerk Ltd', 'clerk.example');
SELECT a.name FROM clients.capture('default', '{"email": "x@clerk.example"}') s JOIN clients.account a USING (account_id);
SELECT a.name FROM clients.capture('default', '{"email": "y@gmail.com", "company": "CLERK  Ltd."}') s JOIN clients.account a USING (account_id);

-- an individual customer is an account with one contact
INSERT INTO clients.contact (full_name, email) VALUES ('Ines', 'ines@gmail.com'), ('Otto', 'otto@gmail.com');
INSERT INTO clients.account (kind, name, individual_contact_id)
	SELECT 'individual', full_name, contact_id FROM clients.contact WHERE full_name = 'Ines';
UPDATE clients.contact SET account_id = (SELECT account_id FROM clients.account WHERE name = 'Ines') WHERE full_name = 'Ines';
\set VERBOSITY terse
UPDATE clients.contact SET account_id = (SELECT account_id FROM clients.account WHERE name = 'Ines') WHERE full_name = 'Otto';
-- nobody joins it, by what captures say either, nor does one that has others become one person's
INSERT INTO clients.contact (contact_id, full_name) VALUES (901, 'Hal');
INSERT INTO clients.account (account_id, kind, name, individual_contact_id, domain) VALUES (901, 'individual', 'Hal Moe', 901, 'hal.example');
SELECT contact_id, lead_id, account_id FROM clients.capture('default', '{"email": "ann@hal.example", "company": "Hal Moe"}') \gset ann_
SELECT p.account_id AS account_of_contact, l.account_id AS account_of_lead, l.company_name FROM clients.contact p JOIN clients.lead l USING (contact_id) WHERE lead_id = :ann_lead_id;
INSERT INTO clients.lead (contact_name, company_name, email) VALUES ('Bea', 'Hal Moe', 'bea@gmail.com');
INSERT INTO clients.lead (contact_name, account_id, email) VALUES ('Cal', 901, 'cal@gmail.com');
INSERT INTO clients.lead (contact_id, company_name) SELECT contact_id, 'Hal Moe' FROM clients.contact WHERE full_name = 'Otto';
SELECT l.contact_name, p.full_name, p.account_id AS account_of_contact, l.account_id AS account_of_lead FROM clients.lead l JOIN clients.contact p USING (contact_id)
WHERE p.full_name IN ('Bea', 'Cal', 'Otto') ORDER BY p.full_name;
-- nor does it get the domain of somebody who names a company that is called like it
SELECT account_id FROM clients.capture('default', '{"email": "dee@steel.example", "company": "Hal Moe", "industry": "Steel"}');
SELECT account_id <> 901 AS another FROM clients.capture('default', '{"email": "eve@steel.example", "company": "Steel Ltd"}');
SELECT name, domain FROM clients.account WHERE name = 'Steel Ltd';
SELECT a.domain, a.industry, array_agg(i.value ORDER BY i.value) AS identity FROM clients.account a JOIN clients.account_identity i USING (account_id) WHERE account_id = 901 GROUP BY 1, 2;
INSERT INTO clients.account (account_id, name) VALUES (902, 'Two of them');
UPDATE clients.contact SET account_id = 902 WHERE contact_id = :ann_contact_id;
UPDATE clients.account SET kind = 'individual', individual_contact_id = 901 WHERE account_id = 902;
INSERT INTO clients.account (kind, name) VALUES ('individual', 'Nobody');

-- an address belongs to one contact, a number may be shared
INSERT INTO clients.contact (full_name, email) VALUES ('Second Ines', 'ines@gmail.com');
INSERT INTO clients.contact (full_name, phone) VALUES ('Housemate', '+84912345678');
\set VERBOSITY default

-- a source id and an address that belong to different contacts: one person, unless they contradict each other
SELECT status, contact_id IS NOT NULL AS known FROM clients.capture('default', '{"source_id": "77", "name": "Xu", "city": "Hue"}');
SELECT status, jsonb_path_query_array(reasons, '$[*].code') AS codes
	FROM clients.capture('default', '{"source_id": "77", "email": "otto@gmail.com"}');
SELECT full_name, email, city FROM clients.contact WHERE email::text = 'otto@gmail.com' OR full_name = 'Xu' ORDER BY 1;
SELECT status FROM clients.capture('default', '{"source_id": "78", "name": "Yi", "email": "yi@gmail.com"}');
SELECT status, jsonb_path_query_array(reasons, '$[*].code') AS codes
	FROM clients.capture('default', '{"source_id": "78", "email": "otto@gmail.com"}');
SELECT full_name, email FROM clients.contact WHERE email::text IN ('otto@gmail.com', 'yi@gmail.com') ORDER BY 1;

-- a row-level policy on leads holds in the views over them
CREATE ROLE clients_sales;
INSERT INTO clients.team (team) VALUES ('Reps');
SELECT clients.grant_access('clients_sales', 'sales');
ALTER TABLE clients.lead ENABLE ROW LEVEL SECURITY;
CREATE POLICY one_lead ON clients.lead TO clients_sales USING (lead_id = 2);
SET ROLE clients_sales;
SELECT DISTINCT lead_id FROM clients.lead_timeline;
SELECT lead_id FROM clients.lead_score;

-- and for rows about a lead that is hidden
INSERT INTO clients.handover (lead_id, to_team_id) SELECT 1, min(team_id) FROM clients.team;
INSERT INTO clients.assignment (lead_id, assigned_by, reason) VALUES (1, current_user, '{}');
INSERT INTO clients.lead_identity VALUES ('elsewhere', '1', 1);
INSERT INTO clients.lead_identity VALUES ('elsewhere', '2', 2);
INSERT INTO clients.assignment (lead_id, assigned_by, reason) VALUES (2, current_user, '{}');
INSERT INTO clients.handover (lead_id, to_team_id) SELECT 2, min(team_id) FROM clients.team RETURNING lead_id;
UPDATE clients.handover SET lead_id = 1 WHERE lead_id = 2;
RESET ROLE;

-- a corrected payload stays with those who may read payloads
CREATE ROLE clients_reader;
GRANT USAGE ON SCHEMA clients TO clients_reader;
GRANT SELECT ON clients.audit_log TO clients_reader;
UPDATE clients.submission SET payload = payload || '{"note": "corrected"}' WHERE submission_id = 1;
SELECT count(*) > 0 AS seen FROM clients.audit_log WHERE entity = 'submission';
SET ROLE clients_reader;
SELECT count(*) > 0 AS seen FROM clients.audit_log WHERE entity = 'submission';
SELECT count(*) > 0 AS seen FROM clients.audit_log WHERE entity = 'contact';
RESET ROLE;

-- a lead can be deleted, and so can its contact: interactions of nobody else go with it, others stay
INSERT INTO clients.contact (email) VALUES ('gone@gmail.com'), ('kept@gmail.com');
INSERT INTO clients.lead (contact_id, title) SELECT contact_id, 'goes' FROM clients.contact WHERE email::text IN ('gone@gmail.com', 'kept@gmail.com');
INSERT INTO clients.interaction (lead_id, kind, page) SELECT lead_id, 'page_view', 'of the lead' FROM clients.lead WHERE title = 'goes';
INSERT INTO clients.interaction (lead_id, contact_id, kind, page) SELECT lead_id, contact_id, 'page_view', 'of both' FROM clients.lead WHERE title = 'goes';
INSERT INTO clients.interaction (lead_id, visitor, kind, page) SELECT lead_id, 'visitor', 'page_view', 'of a visitor' FROM clients.lead WHERE title = 'goes';
\set VERBOSITY terse
UPDATE clients.interaction SET lead_id = NULL WHERE page = 'of the lead';
\set VERBOSITY default
DELETE FROM clients.contact WHERE email::text = 'gone@gmail.com';
SELECT page, count(*) FROM clients.interaction WHERE page LIKE 'of %' GROUP BY page ORDER BY page;
DELETE FROM clients.lead WHERE title = 'goes';
SELECT page, lead_id, contact_id IS NOT NULL AS has_contact, visitor FROM clients.interaction WHERE page LIKE 'of %' ORDER BY page, interaction_id;

-- neither now nor the future is history
INSERT INTO clients.opportunity (name, stage, stage_entered_at) VALUES ('Soon', 'won', now() + interval '1 hour');
INSERT INTO clients.opportunity (name, stage, stage_entered_at) VALUES ('Once', 'won', now() - interval '1 hour') RETURNING status;

-- an interaction that carries its submission was counted with it
SELECT engagement FROM clients.lead_score WHERE lead_id = 2;
INSERT INTO clients.interaction (contact_id, lead_id, submission_id, kind) SELECT contact_id, lead_id, 1, 'meeting' FROM clients.lead WHERE lead_id = 2;
SELECT engagement FROM clients.lead_score WHERE lead_id = 2;

-- a renamed workspace goes on
ALTER SCHEMA clients RENAME TO renamed;
INSERT INTO renamed.submission (payload) VALUES ('{"email": "after@rename.example"}');
SELECT status FROM renamed.submission ORDER BY submission_id DESC LIMIT 1;
SELECT lead_mgmt.drop_workspace('renamed', 'renamed');
DROP ROLE clients_sales, clients_reader;
