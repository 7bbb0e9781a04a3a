-- What a submission sets in motion: contact, account, lead, interaction, score, stage, assignment.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
\set SHOW_CONTEXT never
SELECT lead_mgmt.create_workspace('flow');
-- how many rows there are of what
CREATE TEMP VIEW counts AS SELECT
	(SELECT count(*) FROM flow.contact) AS contacts, (SELECT count(*) FROM flow.account) AS accounts,
	(SELECT count(*) FROM flow.lead) AS leads, (SELECT count(*) FROM flow.interaction) AS interactions,
	(SELECT count(*) FROM flow.stage_move) AS moves, (SELECT count(*) FROM flow.audit_log) AS changes;

-- the submission that came last
CREATE TEMP VIEW latest AS SELECT * FROM flow.submission ORDER BY submission_id DESC LIMIT 1;

-- somebody new
SELECT status, reasons, contact_id, account_id, lead_id, interaction_id, processed_at IS NOT NULL AS processed
FROM flow.capture('default', '{"name": "Ann Lee", "email": "Ann.Lee@Acme.example", "phone": "+1 650 253 0000",
	"company": "Acme Inc", "employees": "75", "job_title": "VP Sales", "page": "pricing", "product": "crm",
	"message": "Call me", "budget": "1500.50", "currency": "usd", "source": "website"}');
SELECT full_name, email, phone, job_title, account_id, first_source, last_source FROM flow.contact;
SELECT name, domain, employees, kind FROM flow.account;
SELECT contact_id, account_id, pipeline, stage, status, qualification, origin, product, page, source, budget, currency,
	is_existing_customer, interaction_count FROM flow.lead;
SELECT contact_id, lead_id, submission_id, kind, direction, channel, page, product, note FROM flow.interaction;
SELECT fit, engagement, score, grade, is_sales_ready FROM flow.lead_score;
SELECT part, label, total FROM flow.explain_score(1);
SELECT from_stage, to_stage, rule, moved_by = current_user AS by_me FROM flow.stage_move ORDER BY stage_move_id;
SELECT kind, value FROM flow.contact_identity ORDER BY 1;
SELECT kind, value FROM flow.account_identity ORDER BY 1;

-- the same person writing the address otherwise, at the same page: the same lead
SELECT status, contact_id, lead_id FROM flow.capture('default', '{"email": "\"Ann Lee\" <ANN.LEE@ACME.EXAMPLE>", "page": "pricing"}');
-- at another page: a second lead
SELECT status, contact_id, lead_id FROM flow.capture('default', '{"email": "mailto:ann.lee@acme.example", "page": "webinar"}');
-- an interaction that expresses no new interest counts for the latest lead
SELECT status, contact_id, lead_id FROM flow.capture('default', '{"email": "ann.lee@acme.example", "kind": "page_view", "page": "about"}');
SELECT lead_id, page, interaction_count FROM flow.lead ORDER BY 1;
SELECT lead_id, engagement FROM flow.lead_score ORDER BY 1;
SELECT * FROM counts;

-- by phone only, however it is written
SELECT status, contact_id, lead_id FROM flow.capture('default', '{"phone": "tel:+1-650-253-0000", "page": "pricing"}');
-- an address for a person known by phone only is theirs; another address at the same number is somebody else
SELECT contact_id FROM flow.capture('default', '{"phone": "+442079460000"}');
SELECT contact_id FROM flow.capture('default', '{"phone": "+442079460000", "email": "bea@home.example"}');
SELECT contact_id FROM flow.capture('default', '{"phone": "+442079460000", "email": "ben@home.example"}');
SELECT contact_id, email, phone FROM flow.contact WHERE contact_id > 1 ORDER BY 1;
SELECT kind, value, contact_id FROM flow.contact_identity WHERE contact_id > 1 ORDER BY 1, 2;

-- ids of another system, each in its own name space
INSERT INTO flow.form (form, source_system) VALUES ('crm_sync', 'old_crm'), ('crm_push', 'old_crm'), ('shop', NULL);
SELECT contact_id FROM flow.capture('crm_sync', '{"source_id": "77", "name": "Kim"}');
SELECT contact_id FROM flow.capture('crm_push', '{"source_id": 77, "email": "kim@one.example"}');
SELECT contact_id FROM flow.capture('shop', '{"source_id": "77", "name": "Somebody else"}');
SELECT kind, value, contact_id FROM flow.contact_identity WHERE kind = 'external' ORDER BY 2;
-- the id decides before the address
SELECT contact_id FROM flow.capture('crm_sync', '{"source_id": "77", "email": "ann.lee@acme.example"}');

-- companies by the domain of the address, then by name; free mail providers tell nothing
SELECT status FROM flow.capture('default', '{"email": "new@acme.example"}');
SELECT a.name, a.domain, s.account_id FROM latest s
JOIN flow.account a USING (account_id);
SELECT status FROM flow.capture('default', '{"email": "lou@gmail.com", "company": "ACME,  Inc."}');
SELECT a.name, a.domain FROM latest s
JOIN flow.account a USING (account_id);
SELECT status FROM flow.capture('default', '{"email": "x@fresh.example"}');
SELECT a.name, a.domain FROM latest s
JOIN flow.account a USING (account_id);
SELECT account_id FROM flow.capture('default', '{"email": "private@gmail.com"}');
-- business without a person (W-03): the lead belongs to the account, one for each context
SELECT status FROM flow.capture('default', '{"company": "Globex", "page": "tender"}');
SELECT status, contact_id, a.name, lead_id FROM latest s
JOIN flow.account a USING (account_id);
SELECT status FROM flow.capture('default', '{"company": "GLOBEX", "page": "tender"}');
SELECT status, contact_id, a.name, lead_id FROM latest s
JOIN flow.account a USING (account_id);
SELECT contact_id, l.account_id = a.account_id AS of_globex, stage, interaction_count, score
FROM flow.lead l JOIN flow.lead_score USING (lead_id) JOIN flow.account a ON a.name = 'Globex' WHERE page = 'tender';
-- a consumer without a business takes the same way
SELECT status FROM flow.capture('default', '{"email": "consumer@gmail.com", "page": "shoes"}');
SELECT c.account_id, l.account_id, l.stage, score FROM latest s
JOIN flow.contact c USING (contact_id) JOIN flow.lead l ON l.lead_id = s.lead_id JOIN flow.lead_score v ON v.lead_id = l.lead_id;

-- a visitor first unknown, then known
SELECT status, contact_id, lead_id FROM flow.capture('default', '{"visitor": "cookie-1", "kind": "page_view", "url": "https://x.example/a", "channel": "paid_search"}');
SELECT status, contact_id, lead_id FROM flow.capture('default', '{"visitor": "cookie-1", "kind": "page_view", "url": "https://x.example/b"}');
SELECT count(*) FILTER (WHERE contact_id IS NULL) AS anonymous, count(*) FROM flow.interaction WHERE visitor = 'cookie-1';
SELECT status, contact_id IS NOT NULL AS known, lead_id IS NOT NULL AS lead FROM flow.capture('default', '{"visitor": "cookie-1", "email": "vi@visit.example"}');
SELECT count(*) FILTER (WHERE contact_id IS NULL) AS anonymous, count(DISTINCT contact_id) AS persons, count(*) FROM flow.interaction WHERE visitor = 'cookie-1';
SELECT status FROM flow.capture('default', '{"visitor": "cookie-1", "kind": "page_view"}');
SELECT c.email FROM latest s
JOIN flow.contact c USING (contact_id);

-- campaigns: without a page they tell leads apart
INSERT INTO flow.campaign (campaign, channel) VALUES ('spring', 'email'), ('autumn', 'social');
SELECT status FROM flow.capture('default', '{"email": "camp@c.example", "utm_campaign": "spring"}');
SELECT l.context_key, g.campaign FROM latest s
JOIN flow.lead l USING (lead_id) JOIN flow.campaign g USING (campaign_id);
SELECT status FROM flow.capture('default', '{"email": "camp@c.example", "campaign": "autumn"}');
SELECT l.context_key, g.campaign FROM latest s
JOIN flow.lead l USING (lead_id) JOIN flow.campaign g USING (campaign_id);
SELECT count(DISTINCT lead_id) AS leads, count(DISTINCT contact_id) AS contacts FROM flow.lead WHERE context_key LIKE 'campaign:%';

-- interest by clicking a product link (S-02): scores, and becomes the lead's product
SELECT lead_id AS camp_lead FROM flow.lead WHERE context_key = 'campaign:2' \gset
SELECT engagement, product FROM flow.lead_score JOIN flow.lead USING (lead_id) WHERE lead_id = :camp_lead;
SELECT lead_id = :camp_lead AS latest_lead FROM flow.capture('default', '{"email": "camp@c.example", "kind": "product_click", "product": "router"}');
SELECT engagement, product FROM flow.lead_score JOIN flow.lead USING (lead_id) WHERE lead_id = :camp_lead;

-- what a submission does to a known contact: newest, fill or keep
INSERT INTO flow.form (form, contact_update, lead_update) VALUES ('f_newest', 'newest', 'newest'), ('f_fill', 'fill', 'fill'), ('f_keep', 'keep', 'keep');
SELECT contact_id AS up, lead_id AS up_lead FROM flow.capture('f_newest', '{"email": "up@date.example", "name": "First", "page": "p", "title": "one"}') \gset
SELECT count(*) FROM flow.audit_log WHERE entity = 'contact' AND entity_id = :up;
SELECT lead_id = :up_lead AS same FROM flow.capture('f_newest', '{"email": "up@date.example", "name": "Second", "page": "p", "title": "two"}');
SELECT full_name, city, title FROM flow.contact c JOIN flow.lead l USING (contact_id) WHERE contact_id = :up;
SELECT lead_id = :up_lead AS same FROM flow.capture('f_fill', '{"email": "up@date.example", "name": "Third", "city": "Hue", "page": "p", "title": "three", "product": "x"}');
SELECT full_name, city, title, product FROM flow.contact c JOIN flow.lead l USING (contact_id) WHERE contact_id = :up;
SELECT lead_id = :up_lead AS same FROM flow.capture('f_keep', '{"email": "up@date.example", "name": "Fourth", "country": "VN", "page": "p", "title": "four", "budget": 5}');
SELECT full_name, city, country, title, budget FROM flow.contact c JOIN flow.lead l USING (contact_id) WHERE contact_id = :up;
-- blanks never wipe what is known
SELECT lead_id = :up_lead AS same FROM flow.capture('f_newest', '{"email": "up@date.example", "name": "  ", "city": null, "page": "p"}');
SELECT full_name, city FROM flow.contact WHERE contact_id = :up;
SELECT entity, changes FROM flow.audit_log
WHERE entity = 'contact' AND entity_id = :up OR entity = 'lead' AND entity_id = :up_lead ORDER BY audit_id;
-- the first source stays, the last one follows
SELECT lead_id IS NOT NULL FROM flow.capture('f_newest', '{"email": "up@date.example", "source": "fair", "page": "p"}');
SELECT lead_id IS NOT NULL FROM flow.capture('f_newest', '{"email": "up@date.example", "source": "referral", "page": "p"}');
SELECT first_source, last_source FROM flow.contact WHERE contact_id = :up;

-- each step can be switched off by form (W-09)
INSERT INTO flow.team (team) VALUES ('desk');
INSERT INTO flow.routing_rule (sequence, label, team_id) SELECT 1, 'all', team_id FROM flow.team;
INSERT INTO flow.form (form) VALUES ('s_all'), ('s_contact'), ('s_account'), ('s_lead'), ('s_interaction'), ('s_score'), ('s_move'), ('s_assign');
UPDATE flow.form SET makes_contact = false WHERE form = 's_contact';
UPDATE flow.form SET makes_account = false WHERE form = 's_account';
UPDATE flow.form SET makes_lead = false WHERE form = 's_lead';
UPDATE flow.form SET makes_interaction = false WHERE form = 's_interaction';
UPDATE flow.form SET scores = false WHERE form = 's_score';
UPDATE flow.form SET moves_stage = false WHERE form = 's_move';
UPDATE flow.form SET assigns = false WHERE form = 's_assign';
INSERT INTO flow.submission (form, payload)
	SELECT f.form, jsonb_build_object('email', f.form || '@switch-' || replace(f.form, '_', '-') || '.example') FROM flow.form f WHERE f.form ~ '^s_' ORDER BY 1;
SELECT s.form, s.status, s.contact_id IS NOT NULL AS contact, s.account_id IS NOT NULL AS account, s.lead_id IS NOT NULL AS lead,
	s.interaction_id IS NOT NULL AS interaction, v.score, l.stage, l.team_id
FROM flow.submission s LEFT JOIN flow.lead l USING (lead_id) LEFT JOIN flow.lead_score v USING (lead_id)
WHERE s.form ~ '^s_' ORDER BY 1;
DELETE FROM flow.routing_rule WHERE label = 'all';

-- mapping, defaults, required fields, blank values
INSERT INTO flow.form (form, mapping, required, defaults, blank_values, default_region) VALUES
	('mapped', '{"Your e-mail": "email", "Tel.": "phone", "Firma": "company"}', '{email,company}', '{"source": "fair", "country": "DE"}', '{n/a,-}', 'DE');
SELECT status FROM flow.capture('mapped', '{"Your e-mail": "heinz@muster.example", "Tel.": "030 1234567", "Firma": "Muster GmbH", "ignored": 1}');
SELECT status, c.email, c.phone, c.country, c.first_source, a.name FROM latest s
JOIN flow.contact c USING (contact_id) JOIN flow.account a ON a.account_id = s.account_id;
SELECT status FROM flow.capture('mapped', '{"email": "jan@muster.example", "Firma": "Muster GmbH", "country": "AT"}');
SELECT status, c.country FROM latest s
JOIN flow.contact c USING (contact_id);
SELECT status, reasons FROM flow.capture('mapped', '{"Your e-mail": "x@muster.example", "Firma": "n/a"}');
SELECT status, reasons FROM flow.capture('mapped', '{"Firma": "-"}');

-- a repeated external id changes nothing; another form has ids of its own
SELECT status, reasons, duplicate_of FROM flow.capture('default', '{"email": "once@replay.example"}', 'ext-1');
CREATE TEMP TABLE before AS SELECT * FROM counts;
SELECT status, reasons -> 0 ->> 'code' AS code, contact_id, lead_id, duplicate_of IS NOT NULL AS names_first
FROM flow.capture('default', '{"email": "once@replay.example", "name": "Other"}', 'ext-1');
SELECT status FROM flow.capture('default', '{"email": "someone.else@replay.example", "external_id": "ext-1"}');
TABLE before EXCEPT TABLE counts;
SELECT status FROM flow.capture('shop', '{"email": "once@replay.example"}', 'ext-1');
-- a rejected one does not use the id up
SELECT status FROM flow.capture('default', '{"email": "broken"}', 'ext-2');
SELECT status FROM flow.capture('default', '{"email": "whole@replay.example"}', 'ext-2');

-- corrected, then processed again; and again
SELECT submission_id AS bad FROM flow.capture('default', '{"email": "fix me", "page": "fix"}') \gset
SELECT status, lead_id FROM flow.reprocess(:bad);
UPDATE flow.submission SET payload = payload || '{"email": "fixed@fix.example"}' WHERE submission_id = :bad;
SELECT status, reasons, contact_id IS NOT NULL AS contact, lead_id IS NOT NULL AS lead FROM flow.reprocess(:bad);
TRUNCATE before;
INSERT INTO before SELECT * FROM counts;
SELECT status, lead_id IS NOT NULL AS lead FROM flow.reprocess(:bad);
TABLE before EXCEPT TABLE counts;
SELECT changes FROM flow.audit_log WHERE entity = 'submission';
SELECT flow.reprocess(0);
-- rejected for an unknown form, which is made afterwards
SELECT submission_id AS early FROM flow.capture('later', '{"email": "early@bird.example"}') \gset
INSERT INTO flow.form (form) VALUES ('later');
SELECT status FROM flow.reprocess(:early);

-- a customer gets a new lead for new interest (W-05, D-36)
SELECT lead_id AS buyer_lead, contact_id AS buyer FROM flow.capture('default', '{"email": "buyer@shop.example", "page": "first"}') \gset
SELECT stage FROM flow.advance(:buyer_lead, 'sales_acceptance');
SELECT opportunity_id AS deal FROM flow.convert_lead(:buyer_lead, 'Deal', 10) \gset
UPDATE flow.opportunity SET stage = 'proposal' WHERE opportunity_id = :deal;
UPDATE flow.opportunity SET stage = 'negotiation' WHERE opportunity_id = :deal;
UPDATE flow.opportunity SET stage = 'won' WHERE opportunity_id = :deal;
SELECT status FROM flow.capture('default', '{"email": "buyer@shop.example", "page": "first"}');
SELECT s.status, s.contact_id = :buyer AS same_person, s.lead_id <> :buyer_lead AS new_lead, l.is_existing_customer FROM latest s
JOIN flow.lead l USING (lead_id);
SELECT is_existing_customer FROM flow.lead WHERE lead_id = :buyer_lead;

-- consent comes with the lead (D-10), once
SELECT contact_id AS opter FROM flow.capture('default', '{"email": "opt@in.example", "opt_in": "on", "consent_phone": "no", "consent_sms": true}') \gset
SELECT status FROM flow.capture('default', '{"email": "opt@in.example", "consent_email": "yes"}');
SELECT channel, basis, submission_id IS NOT NULL AS from_submission, withdrawn_at FROM flow.consent WHERE contact_id = :opter ORDER BY 1;
SELECT channel, email FROM flow.current_consent WHERE contact_id = :opter ORDER BY 1;
-- and may be given again once withdrawn
UPDATE flow.consent SET withdrawn_at = now() WHERE contact_id = :opter AND channel = 'email';
SELECT status FROM flow.capture('default', '{"email": "opt@in.example", "consent_email": "1"}');
SELECT channel, count(*) AS given, count(withdrawn_at) AS withdrawn FROM flow.consent WHERE contact_id = :opter GROUP BY 1 ORDER BY 1;

-- event registration (D-18): a new person, and one already known
INSERT INTO flow.form (form, defaults) VALUES ('event', '{"kind": "event_register", "channel": "event", "origin": "event", "source": "event"}');
SELECT status FROM flow.capture('event', '{"email": "guest@event.example", "page": "expo"}');
SELECT l.origin, l.channel, l.source, i.kind FROM latest s
JOIN flow.lead l USING (lead_id) JOIN flow.interaction i USING (interaction_id);
SELECT status FROM flow.capture('event', '{"email": "ann.lee@acme.example", "page": "expo"}');
SELECT s.contact_id = 1 AS known, l.origin, c.first_source, c.last_source, v.engagement FROM latest s
JOIN flow.lead l USING (lead_id) JOIN flow.contact c ON c.contact_id = s.contact_id JOIN flow.lead_score v ON v.lead_id = s.lead_id;

-- lead-gen forms of a social network (D-19): mapped names, ids that stop repeats
INSERT INTO flow.form (form, mapping, defaults, source_system) VALUES ('linkedin',
	'{"emailAddress": "email", "firstName": "given_name", "lastName": "family_name", "leadId": "external_id", "memberId": "source_id", "submittedAt": "occurred_at", "formName": "page"}',
	'{"channel": "paid_social", "source": "social_network", "origin": "linkedin"}', 'linkedin');
SELECT status FROM flow.capture('linkedin', '{"leadId": "li-1", "memberId": "m9", "emailAddress": "lin@key.example", "firstName": "Lin", "lastName": "Key", "submittedAt": "2026-03-01T10:00:00Z", "formName": "ebook"}');
SELECT s.status, s.external_id, c.full_name, l.origin, l.page, l.channel, i.occurred_at = '2026-03-01 10:00Z' AS on_time FROM latest s
JOIN flow.contact c USING (contact_id) JOIN flow.lead l ON l.lead_id = s.lead_id JOIN flow.interaction i ON i.interaction_id = s.interaction_id;
SELECT status, contact_id FROM flow.capture('linkedin', '{"leadId": "li-1", "memberId": "m9", "emailAddress": "lin@key.example"}');
SELECT status, contact_id = 1 AS known FROM flow.capture('linkedin', '{"leadId": "li-2", "emailAddress": "ann.lee@acme.example", "formName": "ebook"}');
SELECT status FROM flow.capture('linkedin', '{"leadId": "li-3", "memberId": "m9", "emailAddress": "lin@private.example", "formName": "ebook"}');
SELECT s.status, c.email FROM latest s
JOIN flow.contact c USING (contact_id);

-- assignment: the first rule that holds names the team, its active agents take turns by the lead's id
INSERT INTO flow.team (team_id, team) VALUES (10, 'enterprise'), (11, 'inside'), (12, 'empty');
INSERT INTO flow.agent (agent, team_id, is_active) VALUES ('eve', 10, true), ('eli', 10, true), ('off', 10, false), ('ida', 11, true);
INSERT INTO flow.routing_rule (sequence, label, condition, team_id) VALUES
	(10, 'nobody home', $$country = 'AQ'$$, 12), (20, 'large', 'employees >= 500', 10), (30, 'the rest', 'true', 11);
INSERT INTO flow.submission (payload)
	SELECT jsonb_build_object('email', 'r' || n || '@route' || n || '.example', 'employees', CASE WHEN n <= 20 THEN 600 ELSE 5 END) FROM generate_series(1, 30) n;
INSERT INTO flow.submission (payload) VALUES ('{"email": "penguin@ice.example", "country": "AQ"}');
SELECT t.team, g.agent, count(*) AS leads, bool_and(g.agent_id IS NULL OR x.agent_id = g.agent_id AND x.team_id = t.team_id) AS logged
FROM flow.lead l JOIN flow.assignment x USING (lead_id) JOIN flow.team t ON t.team_id = l.team_id LEFT JOIN flow.agent g ON g.agent_id = l.agent_id
GROUP BY 1, 2 ORDER BY 1, 2;
SELECT DISTINCT reason ->> 'rule' AS rule FROM flow.assignment WHERE team_id >= 10 ORDER BY 1;
-- a lead keeps its agent, whatever comes in for it later
CREATE TEMP TABLE owners AS SELECT lead_id, agent_id FROM flow.lead WHERE team_id >= 10;
INSERT INTO flow.submission (payload)
	SELECT jsonb_build_object('email', 'r' || n || '@route' || n || '.example', 'employees', 5) FROM generate_series(1, 30) n;
SELECT count(*) AS leads, count(*) FILTER (WHERE l.agent_id IS DISTINCT FROM o.agent_id) AS changed FROM owners o JOIN flow.lead l USING (lead_id);
SELECT max(n) AS assignments_a_lead FROM (SELECT count(*) AS n FROM flow.assignment GROUP BY lead_id) x;
-- whom no other rule sends elsewhere, the first active team of marketing screens, or else of telesales
BEGIN;
UPDATE flow.routing_rule SET is_active = false WHERE team_id IS NOT NULL;
SELECT status FROM flow.capture('default', '{"email": "nobody@screen.example"}');
INSERT INTO flow.team (team_id, team, kind, is_active) VALUES (20, 'callers', 'telesales', true), (21, 'more callers', 'telesales', true), (22, 'old brand', 'marketing', false);
SELECT status FROM flow.capture('default', '{"email": "phone@screen.example"}');
INSERT INTO flow.team (team_id, team, kind) VALUES (23, 'brand', 'marketing');
INSERT INTO flow.submission (payload) VALUES ('{"email": "brand@screen.example"}');
SELECT c.email, t.team, x.reason ->> 'rule' AS rule
FROM flow.lead l JOIN flow.contact c USING (contact_id) LEFT JOIN flow.team t USING (team_id) LEFT JOIN flow.assignment x USING (lead_id)
WHERE c.email::text LIKE '%@screen.example' ORDER BY l.lead_id;
INSERT INTO flow.routing_rule (sequence, label) VALUES (99, 'nobody');
ROLLBACK;

-- sales-ready: teleprospecting is skipped, the moment is kept, it happens once
SELECT lead_id AS hot FROM flow.capture('default', '{"email": "hot@lead.example", "job_title": "CEO", "phone": "+16502530001", "company": "Hot", "employees": 100, "kind": "demo_request"}') \gset
SELECT stage, qualification, sales_ready_model, sales_ready_at IS NOT NULL AS marked, score FROM flow.lead JOIN flow.lead_score USING (lead_id) WHERE lead_id = :hot;
SELECT from_stage, to_stage, rule FROM flow.stage_move WHERE lead_id = :hot ORDER BY stage_move_id;
SELECT lead_id = :hot AS same FROM flow.capture('default', '{"email": "hot@lead.example", "kind": "demo_request"}');
SELECT count(*) FROM flow.stage_move WHERE lead_id = :hot;
-- the parts of every explained score add up to the score
SELECT count(*) AS leads, count(*) FILTER (WHERE s.score <> (SELECT COALESCE(sum(e.total), 0) FROM flow.explain_score(s.lead_id) e)) AS wrong
FROM flow.lead_score s WHERE model = 'default';
-- rescoring everything afresh changes nothing
CREATE TEMP TABLE scores AS SELECT lead_id, model, fit, engagement FROM flow.score;
SELECT flow.rescore() = (SELECT count(*) FROM flow.lead WHERE status = 'open') AS all_open;
SELECT count(*) AS differing FROM flow.score n JOIN scores o USING (lead_id, model) WHERE n.fit <> o.fit OR n.engagement OPERATOR(lead_mgmt.<>) o.engagement;
-- every count on a lead is right
SELECT count(*) AS wrong FROM flow.lead l WHERE interaction_count <> (SELECT count(*) FROM flow.interaction i WHERE i.lead_id = l.lead_id);

DROP TABLE before, owners, scores;
DROP VIEW counts, latest;
SELECT lead_mgmt.drop_workspace('flow', 'flow');
