-- The law of stages: whoever moves a lead or opportunity, and whichever way.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
\set SHOW_CONTEXT never
SELECT lead_mgmt.create_workspace('stages');
INSERT INTO stages.submission (payload) SELECT jsonb_build_object('email', 'p' || n || '@gmail.com') FROM generate_series(1, 8) n;
CREATE TEMP VIEW moves AS SELECT lead_id, opportunity_id, from_stage, to_stage, rule, reason, fallback_fields FROM stages.stage_move ORDER BY stage_move_id;

-- an UPDATE obeys the transitions as advance() does
UPDATE stages.lead SET stage = 'teleprospect_acceptance' WHERE lead_id = 1;
UPDATE stages.lead SET stage = 'converted' WHERE lead_id = 1;
UPDATE stages.lead SET stage = 'inquiry' WHERE lead_id = 1;
UPDATE stages.lead SET stage = 'nowhere' WHERE lead_id = 1;
SELECT stages.advance(1, 'converted');
SELECT stages.advance(0, 'converted');
\set VERBOSITY sqlstate
UPDATE stages.lead SET stage = 'inquiry' WHERE lead_id = 1;
UPDATE stages.lead SET stage = 'nowhere' WHERE lead_id = 1;
SELECT stages.advance(0, 'converted');
\set VERBOSITY default
-- a bulk UPDATE goes through wholly or not at all
UPDATE stages.lead SET stage = 'teleprospect_qualification' WHERE lead_id IN (1, 2, 3);
SELECT stage, count(*) FROM stages.lead GROUP BY 1 ORDER BY 1;
UPDATE stages.lead SET stage = 'teleprospect_acceptance' WHERE lead_id IN (2, 3);
SELECT lead_id, stage FROM stages.lead WHERE lead_id <= 3 ORDER BY 1;
-- the same stage again is no move; what follows from a stage cannot be set by itself
SELECT count(*) AS moves FROM stages.stage_move \gset
UPDATE stages.lead SET stage = stage, stage_entered_at = '2000-01-01', status = 'converted', title = 'kept';
SELECT count(*) = :moves AS none_added FROM stages.stage_move;
SELECT count(*) FILTER (WHERE status <> 'open') AS closed, count(*) FILTER (WHERE stage_entered_at < '2001-01-01') AS backdated, count(title) AS titled FROM stages.lead;
-- nor can a lead be given another pipeline, or a stage of another
UPDATE stages.lead SET pipeline = 'sales' WHERE lead_id = 1;
UPDATE stages.lead SET stage = 'proposal' WHERE lead_id = 1;
INSERT INTO stages.lead (email, pipeline) VALUES ('x@gmail.com', 'sales');
INSERT INTO stages.lead (email, pipeline) VALUES ('x@gmail.com', 'none');
INSERT INTO stages.lead (email, stage) VALUES ('x@gmail.com', 'sales_acceptance');
INSERT INTO stages.opportunity (name, pipeline) VALUES ('x', 'marketing_sales');
-- a transition of the user's own
SELECT stages.advance(4, 'teleprospect_qualification');
INSERT INTO stages.stage_transition VALUES ('marketing_sales', 'marketing_qualification', 'teleprospect_qualification');
SELECT stage FROM stages.advance(4, 'teleprospect_qualification', 'fast lane');
DELETE FROM stages.stage_transition WHERE from_stage = 'marketing_qualification' AND to_stage = 'teleprospect_qualification';
SELECT stages.advance(5, 'teleprospect_qualification');

-- disqualified: with a reason, and then read-only
SELECT stages.disqualify(5, NULL);
SELECT stages.disqualify(5, '');
SELECT stage, status, qualification, disqualified_reason FROM stages.disqualify(5, 'spam');
SELECT stages.disqualify(0, 'nobody');
UPDATE stages.lead SET title = 'changed' WHERE lead_id = 5;
UPDATE stages.lead SET stage = 'marketing_qualification' WHERE lead_id = 5;
SELECT title FROM stages.lead WHERE lead_id = 5;
-- new interest of that person is a new lead
SELECT lead_id <> 5 AS new_lead, status FROM stages.capture('default', '{"email": "p5@gmail.com"}');

-- converted: all of it or nothing
SELECT stages.convert_lead(1);
SELECT count(*) AS opportunities FROM stages.opportunity;
SELECT stage FROM stages.advance(1, 'sales_acceptance');
SELECT stages.advance(1, 'converted');
SELECT contact_id, account_id FROM stages.convert_lead(1, 'Big deal', 1000, 'EUR');
SELECT opportunity_id AS deal FROM stages.opportunity \gset
SELECT lead_id, contact_id, name, stage, status, amount, currency, probability FROM stages.opportunity;
SELECT stage, status FROM stages.lead WHERE lead_id = 1;
SELECT stages.convert_lead(1);
SELECT stages.convert_lead(0);
UPDATE stages.lead SET budget = 5 WHERE lead_id = 1;
SELECT email FROM stages.lead_board WHERE lead_id = 1;
SELECT from_stage, to_stage, rule, reason FROM moves WHERE lead_id = 1;
SELECT from_stage, to_stage, rule, reason FROM moves WHERE lead_id = 5;

-- an opportunity's own pipeline; winning makes the contact a customer, once
UPDATE stages.opportunity SET stage = 'won';
UPDATE stages.opportunity SET stage = 'proposal', stage_reason = 'sent';
UPDATE stages.opportunity SET stage = 'negotiation';
SELECT customer_since IS NULL AS no_customer_yet FROM stages.contact WHERE contact_id = 1;
UPDATE stages.opportunity SET stage = 'won';
SELECT status, closed_at IS NOT NULL AS closed FROM stages.opportunity;
SELECT from_stage, to_stage, reason FROM moves WHERE opportunity_id = :deal;
UPDATE stages.contact SET customer_since = '2020-01-01' WHERE contact_id = 1;
INSERT INTO stages.opportunity (contact_id, name, stage, stage_entered_at, closed_at) VALUES (1, 'Second', 'won', '2025-05-05', '2025-05-05');
SELECT customer_since = '2020-01-01' AS unchanged FROM stages.contact WHERE contact_id = 1;
SELECT count(*) AS customers FROM stages.contact WHERE customer_since IS NOT NULL;
INSERT INTO stages.opportunity (contact_id, name) VALUES (2, 'Lost one') RETURNING stage, status;
UPDATE stages.opportunity SET stage = 'lost', lost_reason = 'price' WHERE name = 'Lost one';
SELECT status, closed_at IS NOT NULL AS closed, lost_reason FROM stages.opportunity WHERE name = 'Lost one';
SELECT customer_since IS NULL AS no_customer FROM stages.contact WHERE contact_id = 2;

-- history: every stay that ended has a length, none is negative
SELECT count(*) FILTER (WHERE left_at IS NOT NULL AND duration IS NULL) AS unmeasured, count(*) FILTER (WHERE duration < interval '0') AS negative,
	count(*) FILTER (WHERE left_at IS NULL) = (SELECT count(DISTINCT (lead_id, opportunity_id)) FROM stages.stage_move) AS one_current_each
FROM stages.stage_history;
SELECT count(*) AS broken_chains FROM (SELECT from_stage, lag(to_stage) OVER (PARTITION BY lead_id, opportunity_id ORDER BY stage_move_id) AS before FROM stages.stage_move) x
WHERE from_stage IS DISTINCT FROM before;
SELECT count(*) AS wrong_stage FROM stages.lead l JOIN stages.stage_history h USING (lead_id) WHERE h.left_at IS NULL AND h.stage <> l.stage;

-- required fields, and what may stand in for them (S-30, S-31)
INSERT INTO stages.required_field (pipeline, stage, field, fallback_field) VALUES ('sales', 'identify', 'phone', 'company_phone');
INSERT INTO stages.opportunity (contact_id, name) VALUES (3, 'No phone');
INSERT INTO stages.account (name, phone) VALUES ('With phone', '+442079460000') RETURNING account_id AS acc \gset
INSERT INTO stages.opportunity (contact_id, account_id, name) VALUES (3, :acc, 'Company phone') RETURNING stage;
SELECT to_stage, fallback_fields FROM stages.stage_move JOIN stages.opportunity USING (opportunity_id) WHERE name = 'Company phone';
UPDATE stages.contact SET phone = '+442079460003' WHERE contact_id = 3;
INSERT INTO stages.opportunity (contact_id, name) VALUES (3, 'Own phone') RETURNING stage;
-- a lead too, on its way
INSERT INTO stages.required_field (pipeline, stage, field, fallback_field) VALUES ('marketing_sales', 'sales_acceptance', 'company', NULL), ('marketing_sales', 'sales_acceptance', 'phone', 'company_phone');
SELECT stages.advance(6, 'sales_acceptance');
\set VERBOSITY sqlstate
SELECT stages.advance(6, 'sales_acceptance');
\set VERBOSITY default
UPDATE stages.lead SET account_id = :acc WHERE lead_id = 6;
SELECT stage FROM stages.advance(6, 'sales_acceptance');
SELECT to_stage, fallback_fields FROM moves WHERE lead_id = 6;
SELECT stage, fallback_fields FROM stages.stage_history WHERE lead_id = 6 AND left_at IS NULL;
DELETE FROM stages.required_field WHERE stage <> 'converted';
SELECT stage FROM stages.advance(7, 'sales_acceptance');

-- entered by hand (W-67, D-13): matched, scored, moved
INSERT INTO stages.lead (email, phone, contact_name, company_name, origin, product) VALUES ('"Manu" <MANU@Hand.example>', '+442079460100', 'Manu', 'Hand Ltd', 'meeting', 'crm') RETURNING lead_id AS hand \gset
SELECT c.full_name, c.email, c.phone, a.name, a.domain, l.stage, l.qualification, l.origin, s.fit FROM stages.lead l JOIN stages.contact c USING (contact_id)
JOIN stages.account a ON a.account_id = l.account_id JOIN stages.lead_score s USING (lead_id) WHERE lead_id = :hand;
SELECT from_stage, to_stage, rule FROM moves WHERE lead_id = :hand;
INSERT INTO stages.lead (email, origin) VALUES ('p7@gmail.com', 'phone') RETURNING lead_id AS hand2 \gset
SELECT contact_id = 7 AS known_contact FROM stages.lead WHERE lead_id = :hand2;
-- several at once
INSERT INTO stages.lead (email) SELECT 'bulk' || n % 3 || '@gmail.com' FROM generate_series(1, 9) n;
SELECT count(*) AS leads, count(DISTINCT contact_id) AS contacts, count(DISTINCT stage) AS stages, min(stage) AS stage FROM stages.lead WHERE email::text LIKE 'bulk%';
\set VERBOSITY terse
INSERT INTO stages.lead (title) VALUES ('from nobody');
\set VERBOSITY default
-- nothing may be left to tell whom a lead is of
INSERT INTO stages.account (account_id, name) VALUES (7001, 'Only Ltd');
INSERT INTO stages.lead (lead_id, account_id, context_key) VALUES (7001, 7001, 'page:only');
DELETE FROM stages.account WHERE account_id = 7001;
UPDATE stages.lead SET account_id = NULL WHERE lead_id = 7001;
-- nor may there be two open leads for one interest, however the second comes about
INSERT INTO stages.contact (contact_id, email) VALUES (7001, 'only@seven.example');
INSERT INTO stages.lead (lead_id, contact_id, context_key) VALUES (7002, 7001, 'page:only'), (7003, 7001, 'page:other');
INSERT INTO stages.lead (contact_id, context_key) VALUES (7001, 'page:only');
INSERT INTO stages.lead (account_id, context_key) VALUES (7001, 'page:only');
INSERT INTO stages.lead (email, context_key) VALUES ('only@seven.example', 'page:only');
INSERT INTO stages.lead (lead_id, account_id, company_name, context_key) VALUES (7004, 7001, 'Only Ltd', 'page:other');
UPDATE stages.lead SET contact_id = 7001 WHERE lead_id = 7001;
\set VERBOSITY terse
UPDATE stages.lead SET context_key = 'page:only' WHERE lead_id = 7003;
UPDATE stages.lead SET context_key = 'page:only', priority = 1 WHERE lead_id = 7002;
UPDATE stages.lead SET company_name = 'Only Ltd' WHERE lead_id = 7001;
DELETE FROM stages.account WHERE account_id = 7001;
SELECT lead_id, contact_id, account_id, company_name, context_key FROM stages.lead WHERE lead_id > 7000 ORDER BY 1;
DELETE FROM stages.lead WHERE lead_id > 7000;
DELETE FROM stages.contact WHERE contact_id = 7001;
INSERT INTO stages.lead (email) VALUES ('not an address');
INSERT INTO stages.lead (email, campaign_id) VALUES ('camp@gmail.com', 99);
\set VERBOSITY sqlstate
INSERT INTO stages.lead (email, campaign_id) VALUES ('camp@gmail.com', 99);
\set VERBOSITY default
SELECT count(*) AS left_behind FROM stages.contact WHERE email::text = 'camp@gmail.com';

-- unlinked (D-15, D-07): not scored until it is linked, and linked once
INSERT INTO stages.lead (contact_name, title) VALUES ('Somebody', 'card from the fair') RETURNING lead_id AS card \gset
SELECT stage, contact_id FROM stages.lead WHERE lead_id = :card;
SELECT count(*) AS scores FROM stages.lead_score WHERE lead_id = :card;
-- a company name without a letter names nobody
INSERT INTO stages.lead (company_name) VALUES ('...');
SELECT contact_name, company_name, proposed_contact_id, match_on FROM stages.unlinked_lead ORDER BY lead_id;
DELETE FROM stages.lead WHERE company_name = '...';
UPDATE stages.lead SET contact_id = 8 WHERE lead_id = :card;
SELECT stage, count(s.lead_id) AS scores FROM stages.lead l JOIN stages.lead_score s USING (lead_id) WHERE lead_id = :card GROUP BY 1;
UPDATE stages.lead SET contact_id = 7 WHERE lead_id = :card;
SELECT count(*) FROM stages.unlinked_lead;
-- leads loaded as history stay as they are, with a proposal of whom they belong to (D-16)
INSERT INTO stages.lead (email, phone, stage, stage_entered_at, created_at) VALUES
	('P2@gmail.com', NULL, 'teleprospect_acceptance', '2020-01-01', '2020-01-01'), (NULL, '+442079460100', 'inquiry', '2020-01-02', '2020-01-02'),
	('manu@hand.example', '+442079460100', 'disqualified', '2020-01-03', '2020-01-03'), ('stranger@gmail.com', NULL, 'inquiry', '2020-01-04', '2020-01-04');
SELECT u.email, u.phone, u.status, c.email AS proposed, u.match_on FROM stages.unlinked_lead u LEFT JOIN stages.contact c ON c.contact_id = u.proposed_contact_id ORDER BY u.created_at;
SELECT count(*) AS history_of_it FROM stages.stage_move m JOIN stages.unlinked_lead USING (lead_id);

-- completeness (W-13)
UPDATE stages.pipeline SET completeness_fields = '{email,phone,company,product}', minimum_completeness = 60 WHERE pipeline = 'marketing_sales';
SELECT completeness, is_below_minimum, missing FROM stages.incomplete_lead WHERE lead_id = 2;
SELECT stages.completeness(2) AS two, stages.completeness(:hand) AS hand, stages.completeness(0) AS unknown;
SELECT count(*) AS complete_ones_listed FROM stages.incomplete_lead WHERE lead_id = :hand;

-- assigned to one agent, unless taken over
INSERT INTO stages.team (team) VALUES ('t');
INSERT INTO stages.agent (agent, team_id, is_active) VALUES ('one', 1, true), ('two', 1, true), ('gone', 1, false);
SELECT stages.assign(2, 1, 'hers');
SELECT stages.assign(2, 1);
SELECT stages.assign(2, 2);
SELECT stages.assign(2, 2, 'holiday', reassign => true);
SELECT stages.assign(2, 3);
SELECT stages.assign(2, 0);
SELECT stages.assign(0, 1);
SELECT agent_id, reason FROM stages.assignment WHERE lead_id = 2 ORDER BY assignment_id;
SELECT agent_id, team_id FROM stages.lead WHERE lead_id = 2;

-- an individual customer is an account with exactly one contact (M-12)
\set VERBOSITY terse
INSERT INTO stages.account (name, kind) VALUES ('Ind', 'individual');
INSERT INTO stages.account (name, individual_contact_id) VALUES ('Org', 2);
INSERT INTO stages.account (name, kind, individual_contact_id) VALUES ('Ind', 'individual', 9999);
\set VERBOSITY default
INSERT INTO stages.account (name, kind, individual_contact_id) VALUES ('Ind', 'individual', 2);
\set VERBOSITY terse
INSERT INTO stages.account (name, kind, individual_contact_id) VALUES ('Ind again', 'individual', 2);
\set VERBOSITY default

-- an interaction written directly counts: score, stage, sales-ready
INSERT INTO stages.scoring_rule (model, label, interaction_kind, points) VALUES ('default', 'Handshake', 'handshake', 95);
SELECT lead_id AS direct, contact_id AS direct_contact FROM stages.capture('default', '{"email": "direct@gmail.com"}') \gset
INSERT INTO stages.interaction (lead_id, contact_id, kind) VALUES (:direct, :direct_contact, 'page_view');
SELECT engagement, stage, sales_ready_at IS NOT NULL AS ready, interaction_count FROM stages.lead_score JOIN stages.lead USING (lead_id) WHERE lead_id = :direct;
INSERT INTO stages.interaction (lead_id, contact_id, kind, direction) VALUES (:direct, :direct_contact, 'handshake', 'inbound');
SELECT engagement, stage, qualification, sales_ready_at IS NOT NULL AS ready, sales_ready_model, interaction_count FROM stages.lead_score JOIN stages.lead USING (lead_id) WHERE lead_id = :direct;
SELECT from_stage, to_stage, rule FROM moves WHERE lead_id = :direct;
-- several at once; those that name no lead count for the latest open one of their contact
INSERT INTO stages.interaction (lead_id, contact_id, kind) VALUES (:direct, :direct_contact, 'page_view'), (:direct, :direct_contact, 'page_view'), (NULL, :direct_contact, 'email_open');
SELECT engagement, interaction_count, (SELECT count(*) FROM stages.interaction i WHERE i.lead_id = :direct) AS interactions,
	score = (SELECT sum(total) FROM stages.explain_score(:direct)) AS explained
FROM stages.lead_score JOIN stages.lead USING (lead_id) WHERE lead_id = :direct;
\set VERBOSITY terse
INSERT INTO stages.interaction (kind) VALUES ('page_view');
INSERT INTO stages.interaction (lead_id, kind, direction) VALUES (:direct, 'page_view', 'sideways');
INSERT INTO stages.interaction (lead_id, kind) VALUES (0, 'page_view');
INSERT INTO stages.interaction (lead_id, kind, channel, external_id) VALUES (:direct, 'email_open', 'email', 'm1');
INSERT INTO stages.interaction (lead_id, kind, channel, external_id) VALUES (:direct, 'email_open', 'email', 'm1');
\set VERBOSITY default

DROP VIEW moves;
SELECT lead_mgmt.drop_workspace('stages', 'stages');
