-- Rules: kinds, conditions, numbers, limits, windows, half-lives, grades, accounts, drafts, and what goes wrong.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
\set SHOW_CONTEXT never
SET timezone = 'UTC';
SET datestyle = 'ISO';
SELECT lead_mgmt.create_workspace('rules');
SET search_path = rules;
DELETE FROM scoring_rule;
INSERT INTO contact (email) VALUES ('ann@acme.example'), ('bob@acme.example'), ('cee@gmail.com');
INSERT INTO account (name) VALUES ('Acme');
UPDATE contact SET account_id = 1 WHERE contact_id < 3;
INSERT INTO lead (contact_id, title) VALUES (1, 'ann'), (2, 'bob'), (3, 'cee');
CREATE VIEW standing AS SELECT l.title, s.model, round(s.fit::numeric, 6) AS fit, round(s.engagement::numeric, 6) AS engagement, s.grade, l.qualification, l.sales_ready_model
FROM lead_score s JOIN lead l USING (lead_id) ORDER BY l.title, s.model;
CREATE FUNCTION wrong() RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM lead_score s WHERE abs(s.score - score_at(s.lead_id, now(), s.model)) > 1e-9 $$;

-- each interaction, with a limit in all and a day, and a group
INSERT INTO scoring_group (model, scoring_group, maximum_points, maximum_points_per_day) VALUES ('default', 'reading', 30, 12);
INSERT INTO scoring_rule (model, label, interaction_kind, points, maximum_points, scoring_group) VALUES ('default', 'Pages', 'page_view', 5, 18, 'reading');
INSERT INTO scoring_rule (model, label, interaction_kind, points, maximum_points_per_day, scoring_group) VALUES ('default', 'Downloads', 'download', 8, 8, 'reading');
INSERT INTO interaction (lead_id, kind, occurred_at) SELECT 1, 'page_view', timestamptz '2026-01-01 10:00' + g * interval '1 hour' FROM generate_series(1, 3) g;
SELECT engagement FROM standing WHERE title = 'ann';
INSERT INTO interaction (lead_id, kind, occurred_at) SELECT 1, 'page_view', timestamptz '2026-01-02 10:00' + g * interval '1 hour' FROM generate_series(1, 3) g;
SELECT engagement FROM standing WHERE title = 'ann';
INSERT INTO interaction (lead_id, kind, occurred_at) VALUES (1, 'download', '2026-01-03'), (1, 'download', '2026-01-03 01:00'), (1, 'download', '2026-01-04');
SELECT label, occurrences, total FROM explain_score(1);
-- one that comes late is counted where it belongs
INSERT INTO interaction (lead_id, kind, occurred_at) VALUES (1, 'download', '2026-01-01 09:00');
SELECT label, occurrences, total FROM explain_score(1);
SELECT wrong();
-- deleted and changed ones too
DELETE FROM interaction WHERE kind = 'page_view' AND occurred_at < '2026-01-02';
UPDATE interaction SET occurred_at = occurred_at - interval '10 days' WHERE kind = 'download';
UPDATE interaction SET lead_id = 2, contact_id = 2 WHERE occurred_at < '2025-12-25';
SELECT title, engagement, interaction_count, last_interaction_at FROM standing JOIN lead USING (title);
SELECT wrong();
DELETE FROM interaction;
SELECT title, engagement, interaction_count, last_interaction_at FROM standing JOIN lead USING (title);
DELETE FROM scoring_rule;

-- at least so many, once
INSERT INTO scoring_rule (model, label, interaction_kind, points, at_least) VALUES ('default', 'Three pages', 'page_view', 20, 3);
INSERT INTO interaction (lead_id, kind, occurred_at) VALUES (1, 'page_view', '2026-01-01'), (1, 'page_view', '2026-01-02');
SELECT engagement FROM standing WHERE title = 'ann';
INSERT INTO interaction (lead_id, kind, occurred_at) VALUES (1, 'page_view', '2026-01-04'), (1, 'page_view', '2026-01-05');
SELECT engagement FROM standing WHERE title = 'ann';
-- its points date from the one that completed them
UPDATE scoring_rule SET half_life = '10 days';
SELECT rescore();
SELECT score_at(1, '2026-01-03'), score_at(1, '2026-01-04'), score_at(1, '2026-01-14');
INSERT INTO interaction (lead_id, kind, occurred_at) VALUES (1, 'page_view', '2026-01-03');
SELECT score_at(1, '2026-01-03'), score_at(1, '2026-01-13'), wrong();
DELETE FROM scoring_rule;

-- windows and conditions over the interaction; points taken away
INSERT INTO scoring_rule (model, label, interaction_kind, points, active_from, active_until) VALUES ('default', 'Fair', 'event_attend', 7, '2026-03-01', '2026-04-01');
INSERT INTO scoring_rule (model, label, interaction_condition, points) VALUES ('default', 'Pricing', $$kind = 'page_view' AND page LIKE '/pricing%'$$, 11);
INSERT INTO scoring_rule (model, label, interaction_kind, interaction_condition, points) VALUES ('default', 'Jobs', 'page_view', $$page = '/jobs'$$, -30);
INSERT INTO scoring_rule (model, label, interaction_kind, interaction_condition, points) VALUES ('default', 'Fails', 'page_view', $$1 / (pg_catalog.length(page) - 5) > -1$$, 100);
DELETE FROM interaction;
INSERT INTO interaction (lead_id, kind, page, occurred_at) VALUES (2, 'event_attend', NULL, '2026-02-28'), (2, 'event_attend', NULL, '2026-03-01'), (2, 'event_attend', NULL, '2026-04-01'),
	(2, 'page_view', '/pricing/eu', '2026-04-01'), (2, 'page_view', '/jobs', '2026-04-01'), (2, 'email_open', '/pricing', '2026-04-01');
SELECT label, occurrences, total FROM explain_score(2);
SELECT engagement FROM standing WHERE title = 'bob';
INSERT INTO submission (payload) VALUES ('{"email": "dee@gmail.com", "kind": "page_view", "page": "/pricing"}');
SELECT engagement FROM lead_score ORDER BY lead_id DESC LIMIT 1;
SELECT wrong();
UPDATE interaction SET page = '/contact' WHERE page = '/jobs';
SELECT engagement, wrong() FROM standing WHERE title = 'bob';
DELETE FROM scoring_rule;

-- times that cannot be: one in the future counts from when it was recorded
UPDATE scoring_model SET half_life = '30 days';
INSERT INTO scoring_rule (model, label, interaction_kind, points) VALUES ('default', 'Any time', 'page_view', 10);
SELECT rescore();
INSERT INTO interaction (lead_id, kind, occurred_at) VALUES (3, 'page_view', '9999-12-31'), (3, 'page_view', '0001-01-01'), (3, 'page_view', 'infinity'), (3, 'page_view', '-infinity');
INSERT INTO interaction (lead_id, kind, occurred_at, recorded_at) VALUES (3, 'page_view', 'infinity', 'infinity');
DELETE FROM interaction WHERE recorded_at = 'infinity';
SELECT round(engagement::numeric, 3) FROM standing WHERE title = 'cee';
SELECT wrong();
SELECT score_at(3, 'infinity'), score_at(3, '-infinity'), score_at(3, '2000-01-01');

-- the same external id counts once
INSERT INTO interaction (lead_id, kind, channel, external_id) VALUES (3, 'page_view', 'website', 'a1') ON CONFLICT DO NOTHING;
INSERT INTO interaction (lead_id, kind, channel, external_id) VALUES (3, 'page_view', 'website', 'a1') ON CONFLICT DO NOTHING;
SELECT round(engagement::numeric, 3), wrong() FROM standing WHERE title = 'cee';
DELETE FROM interaction;
DELETE FROM scoring_rule;
UPDATE scoring_model SET half_life = NULL;

-- the model that gave the mark may take it back; one that does not leaves it
INSERT INTO scoring_model (model, label, sales_ready_threshold, keeps_ready) VALUES ('fickle', 'Fickle', 50, false), ('kind', 'Kind', 50, true);
INSERT INTO scoring_rule (model, label, interaction_kind, points) VALUES ('fickle', 'Calls', 'call_inbound', 50), ('kind', 'Chats', 'chat', 50);
INSERT INTO interaction (lead_id, kind) VALUES (1, 'call_inbound'), (2, 'chat');
SELECT * FROM standing WHERE title < 'c' AND model <> 'default';
DELETE FROM interaction;
SELECT * FROM standing WHERE title < 'c' AND model <> 'default';
INSERT INTO interaction (lead_id, kind) VALUES (1, 'call_inbound');
SELECT qualification, sales_ready_model, stage FROM lead WHERE title = 'ann';
DELETE FROM scoring_model WHERE model IN ('fickle', 'kind');

-- a model for accounts counts what any contact does, with a lead or without
INSERT INTO scoring_model (model, label, account_based) VALUES ('accounts', 'Accounts', true);
INSERT INTO scoring_rule (model, label, interaction_kind, points) VALUES ('accounts', 'Calls', 'call_inbound', 10), ('accounts', 'Pages', 'page_view', 1);
DELETE FROM interaction;
SELECT rescore('accounts');
INSERT INTO interaction (contact_id, lead_id, kind) VALUES (1, 1, 'call_inbound'), (2, 2, 'page_view'), (3, 3, 'page_view');
INSERT INTO contact (email, account_id) VALUES ('eve@acme.example', 1);
INSERT INTO interaction (contact_id, kind) VALUES ((SELECT contact_id FROM contact WHERE email::text = 'eve@acme.example'), 'call_inbound');
SELECT title, engagement FROM standing WHERE model = 'accounts';
SELECT wrong();
INSERT INTO lead (account_id, title) VALUES (1, 'acme');
SELECT title, engagement FROM standing WHERE model = 'accounts';
UPDATE contact SET account_id = NULL WHERE email::text = 'bob@acme.example';
SELECT title, engagement FROM standing WHERE model = 'accounts';
DELETE FROM interaction WHERE kind = 'call_inbound' AND lead_id IS NULL;
SELECT title, engagement FROM standing WHERE model = 'accounts';
SELECT wrong();
SELECT label, occurrences, total FROM explain_score(1, 'accounts');
DELETE FROM scoring_model WHERE model = 'accounts';

-- not linked, not scored, with the reason; scored in full by the transaction that links it
INSERT INTO scoring_rule (model, label, interaction_kind, points) VALUES ('default', 'Calls', 'call_inbound', 25);
INSERT INTO lead (contact_name, title) VALUES ('Nobody', 'zoe') RETURNING lead_id AS zoe \gset
INSERT INTO interaction (lead_id, kind) VALUES (:zoe, 'call_inbound');
SELECT part, total, problem FROM explain_score(:zoe);
SELECT score_at(:zoe, now()) IS NULL AS unscored, (SELECT count(*) FROM lead_score WHERE lead_id = :zoe) AS scores;
UPDATE lead SET contact_id = 3 WHERE lead_id = :zoe;
SELECT engagement FROM standing WHERE title = 'zoe';

-- a draft scores nobody and can be tried out
INSERT INTO scoring_model (model, label, sales_ready_threshold, is_active) VALUES ('draft', 'Draft', 20, false);
INSERT INTO scoring_rule (model, label, condition, points) VALUES ('draft', 'Acme', $$company = 'Acme'$$, 15), ('draft', 'Fails', '100 / (lead_id - 1) > 1', 10);
INSERT INTO scoring_rule (model, label, interaction_kind, points) VALUES ('draft', 'Calls', 'call_inbound', 30);
INSERT INTO interaction (lead_id, kind) VALUES (1, 'page_view');
SELECT count(*) FROM lead_score WHERE model = 'draft';
SELECT leads, ready, becomes_ready, ceases_ready FROM simulate_model('draft');
SELECT part, label, total, problem FROM explain_score(1, 'draft');
UPDATE scoring_rule SET condition = '100 / (lead_id - 1) >= /* once more */ 1' WHERE label = 'Fails';
SELECT leads, ready, becomes_ready, ceases_ready FROM simulate_model('draft');
SELECT count(*) FROM score WHERE model = 'draft';
UPDATE scoring_model SET is_active = true WHERE model = 'draft';
SELECT rescore('draft');
SELECT title, fit, engagement FROM standing WHERE model = 'draft';

-- grades and when they are left
UPDATE scoring_model SET half_life = '10 days' WHERE model = 'draft';
INSERT INTO scoring_grade VALUES ('draft', 'cold', '-infinity'), ('draft', 'warm', 25), ('draft', 'hot', 40);
SELECT rescore('draft');
SELECT title, grade, cools_at(lead_id, 'draft') < 'infinity' AS cools, CASE WHEN cools_at(lead_id, 'draft') < 'infinity' THEN
	(SELECT g.grade FROM scoring_grade g WHERE g.model = 'draft' AND g.from_score <= score_at(lead_id, cools_at(lead_id, 'draft') + interval '1 second', 'draft') ORDER BY from_score DESC LIMIT 1) END AS becomes
FROM standing JOIN lead USING (title) WHERE model = 'draft' ORDER BY title;

-- rules that cannot be used any more are reported and left out
ALTER TABLE lead ADD COLUMN budget_year integer;
ALTER TABLE scoring_rule DISABLE TRIGGER condition;
INSERT INTO scoring_rule (model, label, condition, points) VALUES ('draft', 'Gone', 'budget_year = 2027', 1);
ALTER TABLE scoring_rule ENABLE TRIGGER condition;
SELECT rule_table, label, left(problem, 36) AS problem FROM broken_rule;
SET client_min_messages = error;
SELECT part, label, total, problem FROM explain_score(2, 'draft') WHERE problem IS NOT NULL;
SELECT rescore('draft') > 0 AS rescored;
RESET client_min_messages;
DELETE FROM scoring_model WHERE model = 'draft';

-- what the profile says about interactions
DELETE FROM scoring_rule;
INSERT INTO scoring_rule (model, label, condition, points) VALUES ('default', 'Reads', $$(interactions_by_kind #>> '{page_view,last_30_days}')::integer >= 2$$, 7),
	('default', 'Called', $$interactions_by_channel ? 'phone' AND (interactions_by_channel #>> '{phone,last_at}')::timestamptz > now() - interval '1 day'$$, 9);
SELECT rescore() > 0 AS rescored;
INSERT INTO interaction (lead_id, kind, occurred_at) VALUES (2, 'page_view', now() - interval '40 days'), (2, 'page_view', now());
SELECT fit FROM standing WHERE title = 'bob';
INSERT INTO interaction (lead_id, kind, channel) VALUES (2, 'page_view', 'phone');
SELECT fit FROM standing WHERE title = 'bob';
SELECT interactions_by_kind #- '{page_view,last_at}' AS by_kind, interactions_by_channel #- '{phone,last_at}' AS by_channel FROM lead_profile WHERE lead_id = 2;
SELECT wrong(), rescore() > 0 AS rescored;
SELECT fit FROM standing WHERE title = 'bob';
DELETE FROM interaction WHERE channel = 'phone';
SELECT fit FROM standing WHERE title = 'bob';

-- custom attributes go by their names and types
SELECT define_field('lead', 'team_size', 'integer'), define_field('contact', 'team_size', 'text'), define_field('contact', 'likes', 'choices', ARRAY['tea', 'coffee']),
	define_field('account', 'customer_until', 'date'), define_field('contact', 'vip', 'boolean'), define_field('lead', 'note_vi', 'text');
DELETE FROM scoring_rule;
INSERT INTO scoring_rule (model, label, condition, points) VALUES ('default', 'Team', 'team_size>=10', 1), ('default', 'Tea', $$"likes" ? 'tea' AND NOT vip$$, 2),
	('default', 'Until', $$customer_until BETWEEN '2026-01-01' AND '2026-12-31' OR customer_until IS NULL AND team_size = 3$$, 4), ('default', 'Note', $$note_vi = 'giá "team_size" quá cao'$$, 8);
SELECT label, condition FROM scoring_rule ORDER BY scoring_rule_id;
UPDATE lead SET attributes = jsonb_build_object('team_size', 12, 'note_vi', 'giá "team_size" quá cao') WHERE title = 'ann';
UPDATE contact SET attributes = '{"likes": ["coffee", "tea"], "vip": false, "team_size": "many"}' WHERE contact_id = 1;
UPDATE account SET attributes = '{"customer_until": "2026-07-31"}' WHERE account_id = 1;
SELECT fit FROM standing WHERE title = 'ann';
INSERT INTO scoring_rule (model, label, condition, points) VALUES ('default', 'Wrong', $$team_size = 'many'$$, 1);
INSERT INTO scoring_rule (model, label, condition, points) VALUES ('default', 'Wrong', 'lead.team_size = 3', 1);
SELECT drop_field('lead', 'team_size');
SELECT label, problem FROM broken_rule;
SELECT rescore() > 0 AS rescored;
UPDATE scoring_rule SET condition = $$team_size = 'many'$$ WHERE label = 'Team' RETURNING condition;
INSERT INTO scoring_rule (model, label, condition, points) VALUES ('default', 'Gone', 'note_vi = team_sice', 1);
UPDATE lead SET attributes = '{}' WHERE status = 'open';

-- what outcomes say about the rules
DELETE FROM scoring_rule;
INSERT INTO scoring_group (model, scoring_group, maximum_points) VALUES ('default', 'calls', 40) ON CONFLICT DO NOTHING;
INSERT INTO scoring_rule (model, label, condition, points) VALUES ('default', 'Large', 'budget >= 100', 10), ('default', 'Small', 'budget < 100', 5), ('default', 'Never', 'budget < 0', 20);
INSERT INTO scoring_rule (model, label, interaction_kind, points, at_least, scoring_group) VALUES ('default', 'Two calls', 'call_inbound', 15, 2, 'calls');
CREATE FUNCTION close(n integer, budget integer, calls integer, late integer, is_won boolean) RETURNS void LANGUAGE sql AS $$
	WITH l AS (INSERT INTO lead (contact_id, title, budget, stage, stage_entered_at) SELECT 3, 'closed', $2, CASE WHEN $5 THEN 'converted' ELSE 'disqualified' END, '2026-06-01' FROM generate_series(1, $1) RETURNING lead_id)
	INSERT INTO interaction (lead_id, kind, occurred_at) SELECT l.lead_id, 'call_inbound', CASE WHEN g <= $3 THEN timestamptz '2026-05-01' ELSE '2026-07-01' END FROM l, generate_series(1, $3 + $4) g $$;
SELECT close(30, 200, 2, 0, true), close(10, 50, 1, 0, true), close(20, 200, 1, 5, false), close(60, 50, 0, 0, false);
SELECT part, label, hits, won, round(lift::numeric, 3) AS lift, points, suggested_points FROM recalibrate('default');
SELECT count(*) FROM recalibrate('default', 'second');
SELECT label, condition, interaction_kind, at_least, points, scoring_group FROM scoring_rule WHERE model = 'second' ORDER BY scoring_rule_id;
SELECT model, label, is_active, (SELECT count(*) FROM scoring_grade g WHERE g.model = m.model) AS grades FROM scoring_model m ORDER BY model;
SELECT outcomes, won, ready_outcomes, ready_won, round("precision"::numeric, 3) AS precision, round(recall::numeric, 3) AS recall, round(lift::numeric, 3) AS lift FROM simulate_model('second');
UPDATE scoring_model SET sales_ready_threshold = 20 WHERE model = 'second';
SELECT outcomes, won, ready_outcomes, ready_won, round("precision"::numeric, 3) AS precision, round(recall::numeric, 3) AS recall, round(lift::numeric, 3) AS lift FROM simulate_model('second');
SELECT count(*) FROM score WHERE model = 'second';
-- what was changed since the outcome does not count
INSERT INTO scoring_rule (model, label, condition, points) VALUES ('second', 'Late', $$country = 'FR'$$, 1000), ('second', 'Won', $$status = 'converted'$$, 1000);
UPDATE contact SET country = 'FR' WHERE contact_id = 3;
SELECT label, hits FROM rule_lift('second') WHERE label IN ('Late', 'Won');
SELECT ready_outcomes, ready_won FROM simulate_model('second');

-- what may not be
\set VERBOSITY terse
SELECT rescore('none');
SELECT * FROM simulate_model('none');
SELECT * FROM recalibrate('none');
SELECT * FROM recalibrate('default', 'second');
SELECT * FROM explain_score(1, 'none');
SELECT count(*) FROM explain_score(999999);
UPDATE scoring_model SET half_life = '0';
UPDATE scoring_model SET half_life = '-1 day';
UPDATE scoring_model SET half_life = 'infinity';
UPDATE scoring_model SET half_life = '170000000 years';
INSERT INTO scoring_rule (model, label, interaction_kind, points, half_life) VALUES ('default', 'x', 'chat', 1, '170000000 years');
INSERT INTO scoring_rule (model, label, interaction_kind, points, half_life) SELECT 'default', 'x', 'chat', 1, d * interval '1 day' FROM generate_series(1, 65) d;
BEGIN;
INSERT INTO scoring_rule (model, label, interaction_kind, points, half_life) SELECT 'default', 'x', 'chat', 1, d * interval '1 day' FROM generate_series(1, 63) d;
INSERT INTO scoring_rule (model, label, interaction_kind, points, half_life) VALUES ('default', 'y', 'chat', 1, '0.5 days');
ROLLBACK;
UPDATE scoring_model SET sales_ready_threshold = 'NaN';
UPDATE scoring_model SET sales_ready_threshold = NULL;
INSERT INTO scoring_rule (model, label, interaction_kind, points) VALUES ('default', 'x', 'chat', 'NaN');
INSERT INTO scoring_rule (model, label, interaction_kind, points) VALUES ('default', 'x', 'chat', 'Infinity');
INSERT INTO scoring_rule (model, label, points) VALUES ('default', 'x', 1);
INSERT INTO scoring_rule (model, label, condition, interaction_kind, points) VALUES ('default', 'x', 'true', 'chat', 1);
INSERT INTO scoring_rule (model, label, condition, half_life, points) VALUES ('default', 'x', 'true', '1 day', 1);
INSERT INTO scoring_rule (model, label, interaction_condition, points) VALUES ('default', 'x', 'employees > 1', 1);
INSERT INTO scoring_rule (model, label, interaction_kind, points, at_least) VALUES ('default', 'x', 'chat', 1, 0);
INSERT INTO scoring_rule (model, label, interaction_kind, points, scoring_group) VALUES ('default', 'x', 'chat', 1, 'nothing');
INSERT INTO scoring_rule (model, label, interaction_kind, points, active_from, active_until) VALUES ('default', 'x', 'chat', 1, '2026-02-01', '2026-01-01');
INSERT INTO scoring_group (model, scoring_group, maximum_points) VALUES ('default', 'x', -1);
INSERT INTO scoring_grade VALUES ('default', 'boiling', 'NaN');
SELECT * FROM lead_mgmt.score_parts('pg_class', 1, 'default', now());
SELECT count(*) FROM lead_mgmt.score_parts(NULL, 1, 'default', now());

-- a lead that is reopened has the score of what it is then, not of when it was closed
INSERT INTO scoring_rule (model, label, condition, points) VALUES ('default', 'Number known', 'phone IS NOT NULL', 9);
SELECT lead_id AS closed_lead, contact_id AS closed_contact FROM capture('default', '{"email": "back@example.org", "page": "back"}') \gset
SELECT status FROM disqualify(:closed_lead, 'no need');
UPDATE contact SET phone = '+4930901890' WHERE contact_id = :closed_contact;
SELECT fit AS closed_fit FROM lead_score WHERE lead_id = :closed_lead AND model = 'default' \gset
SELECT status FROM reopen(:closed_lead);
SELECT fit > :closed_fit AS counts_phone FROM lead_score WHERE lead_id = :closed_lead AND model = 'default';

-- whoever may not read leads may not read what makes their scores, and who may not change scores may not compute them
CREATE ROLE regress_scoring;
GRANT USAGE ON SCHEMA rules TO regress_scoring;
SET ROLE regress_scoring;
SELECT rescore();
SELECT * FROM explain_score(1);
SELECT * FROM lead_mgmt.score_parts('score', 1, 'default', now());
SELECT * FROM lead_mgmt.score_all('score', 'default', true);
RESET ROLE;
SELECT grant_access('regress_scoring', 'reader');
SET ROLE regress_scoring;
SELECT count(*) >= 0 AS explained, score_at(1, now()) IS NOT NULL AS scored, cools_at(1) IS NOT NULL AS cools FROM explain_score(2);
SELECT rescore();
RESET ROLE;
DROP OWNED BY regress_scoring;
DROP ROLE regress_scoring;
RESET search_path;
SET client_min_messages = warning;
SELECT lead_mgmt.drop_workspace('rules', 'rules');
