-- Merging accounts and leads, and what a merge of contacts brings about among them.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
\set SHOW_CONTEXT never
SELECT lead_mgmt.create_workspace('firms');
CREATE FUNCTION pg_temp.fingerprint() RETURNS TABLE (table_name text, digest text) LANGUAGE plpgsql AS $$
BEGIN
	FOR table_name IN SELECT c.oid::regclass FROM pg_class c WHERE relkind = 'r' AND relnamespace = 'firms'::regnamespace
		AND relname NOT IN ('merge', 'merge_change', 'audit_log', 'temperature_change')
	LOOP
		EXECUTE format('SELECT md5(string_agg(to_jsonb(x)::text, chr(10) ORDER BY to_jsonb(x)::text)) FROM %s x', table_name) INTO digest;
		RETURN NEXT;
	END LOOP;
END $$;
INSERT INTO firms.team (team) VALUES ('sales');
INSERT INTO firms.agent (agent, team_id) VALUES ('Sue', 1), ('Sam', 1);

-- accounts: contacts, leads, opportunities, submissions and identities follow
INSERT INTO firms.submission (payload) VALUES
	('{"email": "ann@acme.example", "company": "Acme", "employees": 10, "page": "a"}'),
	('{"email": "bob@acme-group.example", "company": "Acme Group", "website": "acme-group.example", "page": "a", "kind": "demo_request"}'),
	('{"company": "Acme", "page": "b"}'), ('{"company": "Acme Group", "page": "b"}');
UPDATE firms.account SET city = 'Hanoi' WHERE account_id = 1;
UPDATE firms.account SET street = '1 Main St', city = 'Springfield' WHERE account_id = 2;
INSERT INTO firms.opportunity (account_id, name, amount) VALUES (1, 'Small', 10), (2, 'Big', 1000);
SELECT account_id, name, domain, website, employees, street, city FROM firms.account ORDER BY 1;
SELECT lead_id, contact_id, account_id, page, interaction_count FROM firms.lead ORDER BY 1;
CREATE TEMP TABLE before AS SELECT * FROM pg_temp.fingerprint();
SELECT firms.merge_accounts(1, '{2}', 'one group') AS merge_id \gset
SELECT account_id, name, domain, website, employees, street, city FROM firms.account;
SELECT kind, value, account_id FROM firms.account_identity ORDER BY 1, 2;
SELECT contact_id, account_id FROM firms.contact ORDER BY 1;
-- leads of the company itself, of one page, are one
SELECT lead_id, contact_id, account_id, page, interaction_count FROM firms.lead ORDER BY 1;
SELECT name, account_id FROM firms.opportunity ORDER BY 1;
SELECT submission_id, contact_id, account_id, lead_id FROM firms.submission ORDER BY 1;
SELECT entity, winner_id, loser_ids, part_of, reason FROM firms.merge ORDER BY merge_id;
SELECT firms.account_of(2), firms.lead_of(4);
-- the company's other name and domain find it
SELECT account_id FROM firms.capture('default', '{"email": "cy@acme-group.example"}');
SELECT account_id FROM firms.capture('default', '{"email": "di@gmail.com", "company": "ACME GROUP"}');
SELECT * FROM firms.unmerge(:merge_id);
SELECT account_id, name, domain FROM firms.account ORDER BY 1;
-- who came since stays
SELECT contact_id, account_id FROM firms.contact ORDER BY 1;
SELECT table_name FROM (TABLE before EXCEPT SELECT * FROM pg_temp.fingerprint()) d ORDER BY 1;
SELECT firms.merge_accounts(1, '{1}');
SELECT firms.merge_accounts(1, '{99}');

-- individual customers: the account follows its person
INSERT INTO firms.contact (contact_id, full_name, email) VALUES (11, 'Ivy', 'ivy@gmail.com'), (12, 'Ivy L', 'ivy.l@gmail.com'), (13, 'Jo', 'jo@gmail.com'), (14, 'Kim', 'kim@gmail.com');
INSERT INTO firms.account (account_id, kind, name, individual_contact_id) VALUES (11, 'individual', 'Ivy', 11), (12, 'individual', 'Ivy L', 12), (13, 'individual', 'Jo', 13);
UPDATE firms.contact SET account_id = contact_id WHERE contact_id IN (11, 12, 13);
INSERT INTO firms.opportunity (contact_id, account_id, name) VALUES (12, 12, 'Ivy');
SELECT firms.merge_accounts(11, '{12}');
SELECT firms.merge_accounts(11, '{1}');
TRUNCATE before;
INSERT INTO before SELECT * FROM pg_temp.fingerprint();
SELECT firms.merge_contacts(11, '{12}') AS both_individual \gset
SELECT firms.merge_contacts(14, '{13}') AS loser_individual \gset
SELECT firms.merge_accounts(1, '{11}') AS into_company \gset
SELECT contact_id, account_id FROM firms.contact WHERE contact_id > 10 ORDER BY 1;
SELECT account_id, kind, name, individual_contact_id FROM firms.account WHERE account_id > 10 OR account_id = 1 ORDER BY 1;
SELECT name, contact_id, account_id FROM firms.opportunity WHERE name = 'Ivy';
SELECT merge_id - :both_individual AS merge_id, entity, winner_id, loser_ids, part_of - :both_individual AS part_of FROM firms.merge WHERE merge_id >= :both_individual ORDER BY 1;
SELECT count(*) FROM firms.unmerge(:both_individual);
SELECT count(*) FROM firms.unmerge(:into_company);
SELECT count(*) FROM firms.unmerge(:both_individual);
SELECT count(*) FROM firms.unmerge(:loser_individual);
SELECT table_name FROM (SELECT * FROM pg_temp.fingerprint() EXCEPT TABLE before) d;

-- leads: the winner stays in its stage, what happened to both is its history
INSERT INTO firms.campaign (campaign) VALUES ('spring');
SELECT lead_id AS one FROM firms.capture('default', '{"email": "zoe@zeta.example", "page": "one", "budget": 100, "currency": "EUR"}') \gset
SELECT lead_id AS two FROM firms.capture('default', '{"email": "zoe@zeta.example", "page": "two", "campaign": "spring", "kind": "demo_request", "budget": 900, "currency": "USD", "product": "crm"}') \gset
SELECT lead_id AS three FROM firms.capture('default', '{"email": "yan@zeta.example", "page": "one"}') \gset
SELECT firms.assign(:two, 2);
UPDATE firms.lead SET stage = 'teleprospect_acceptance' WHERE lead_id = :two;
TRUNCATE before;
INSERT INTO before SELECT * FROM pg_temp.fingerprint();
SELECT firms.merge_leads(:one, ARRAY[:two]) AS merge_id \gset
SELECT page, stage, product, budget, currency, campaign_id, team_id, agent_id, interaction_count FROM firms.lead WHERE lead_id = :one;
SELECT engagement FROM firms.lead_score WHERE lead_id = :one;
SELECT from_stage, to_stage, rule, reason = 'merge ' || :merge_id AS of_merge FROM firms.stage_history h JOIN firms.stage_move USING (stage_move_id, from_stage, rule, reason) WHERE h.lead_id = :one ORDER BY stage_move_id;
SELECT stage, left_at IS NULL AS is_current FROM firms.stage_history WHERE lead_id = :one ORDER BY stage_move_id;
SELECT lead_id = :one AS follows, agent_id FROM firms.assignment;
SELECT position, event, title FROM firms.lead_timeline WHERE lead_id = :one AND event IN ('merge', 'assignment', 'change') ORDER BY event, title;
SELECT * FROM firms.unmerge(:merge_id);
SELECT table_name FROM (SELECT * FROM pg_temp.fingerprint() EXCEPT TABLE before) d;
\set VERBOSITY sqlstate
SELECT firms.merge_leads(:one, ARRAY[:three]);
\set VERBOSITY default

-- a merge that makes a lead sales-ready moves it, and undoing that moves it back
INSERT INTO firms.submission (payload) SELECT jsonb_build_object('email', e || '@omega.example', 'page', 'p', 'kind', 'demo_request', 'company', 'Omega')
FROM (VALUES ('u'), ('u'), ('v'), ('v')) x (e);
SELECT contact_id AS u FROM firms.contact WHERE email = 'u@omega.example' \gset
SELECT contact_id AS v FROM firms.contact WHERE email = 'v@omega.example' \gset
SELECT s.score, l.stage, l.qualification FROM firms.lead l JOIN firms.lead_score s USING (lead_id) WHERE l.contact_id IN (:u, :v) ORDER BY lead_id;
TRUNCATE before;
INSERT INTO before SELECT * FROM pg_temp.fingerprint();
SELECT firms.merge_contacts(:u, ARRAY[:v]) AS merge_id \gset
SELECT s.score, l.stage, l.qualification, l.sales_ready_at IS NOT NULL AS is_ready FROM firms.lead l JOIN firms.lead_score s USING (lead_id) WHERE l.contact_id = :u;
SELECT to_stage, rule FROM firms.stage_move m JOIN firms.lead l USING (lead_id) WHERE l.contact_id = :u ORDER BY stage_move_id;
SELECT * FROM firms.unmerge(:merge_id);
SELECT table_name FROM (SELECT * FROM pg_temp.fingerprint() EXCEPT TABLE before) d;
-- not a lead that has moved on since: its stage is reported
SELECT firms.merge_contacts(:u, ARRAY[:v]) AS merge_id \gset
SELECT status FROM firms.capture('default', '{"email": "u@omega.example", "page": "p"}');
SELECT count(*) FROM firms.convert_lead((SELECT lead_id FROM firms.lead WHERE contact_id = :u));
SELECT table_name, column_name, CASE WHEN column_name NOT LIKE '%\_at' THEN value_before END AS value_before, CASE WHEN column_name NOT LIKE '%\_at' THEN value_now END AS value_now, reason
FROM firms.unmerge(:merge_id) ORDER BY 1, 2;

-- the lead that got further survives when contacts with a lead for one page each are merged
SELECT contact_id AS c1, lead_id AS l1 FROM firms.capture('default', '{"email": "x1@xi.example", "page": "same"}') \gset
SELECT contact_id AS c2, lead_id AS l2 FROM firms.capture('default', '{"email": "x2@xi.example", "page": "same"}') \gset
UPDATE firms.lead SET stage = 'teleprospect_acceptance' WHERE lead_id = :l2;
SELECT firms.merge_contacts(:c1, ARRAY[:c2]) AS merge_id \gset
SELECT lead_id = :l2 AS further_one, contact_id = :c1 AS of_winner, stage, firms.lead_of(:l1) = :l2 AS redirected FROM firms.lead WHERE contact_id IN (:c1, :c2);
SELECT contact_id = :c1 AS of_winner, lead_id = :l2 AS further_one FROM firms.capture('default', '{"email": "x2@xi.example", "page": "same"}');
-- what was done since stays with the survivor, on its own lead of that page
SELECT * FROM firms.unmerge(:merge_id);
SELECT lead_id = :l2 AS further_one, contact_id = :c2 AS of_loser, stage, interaction_count FROM firms.lead WHERE contact_id IN (:c1, :c2) ORDER BY 1;
SELECT contact_id = :c1 AS of_winner, lead_id = :l1 AS own_lead FROM firms.interaction WHERE contact_id IN (:c1, :c2) ORDER BY interaction_id;
SELECT contact_id = :c1 AS of_winner, lead_id = :l1 AS own_lead FROM firms.submission WHERE contact_id IN (:c1, :c2) ORDER BY submission_id;

-- closed leads of a context stay apart
UPDATE firms.lead SET stage = 'disqualified', stage_reason = 'no need' WHERE lead_id = :l1;
SELECT firms.merge_contacts(:c1, ARRAY[:c2]) AS merge_id \gset
SELECT lead_id IN (:l1, :l2) AS ours, status FROM firms.lead WHERE contact_id = :c1 ORDER BY lead_id;

SET client_min_messages = warning;
SELECT lead_mgmt.drop_workspace('firms', 'firms');
