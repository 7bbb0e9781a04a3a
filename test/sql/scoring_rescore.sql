-- What follows from a score follows from one that rescore() gives too: the sales-ready mark, stages, the loss of the mark.
\set VERBOSITY terse
SELECT lead_mgmt.create_workspace('crm');
SET search_path = crm, public;
DELETE FROM scoring_rule;
CREATE VIEW standing AS SELECT l.title, s.model, s.score, s.grade, l.stage, l.qualification, l.sales_ready_model, l.sales_ready_at = now() AS is_now
	FROM lead l LEFT JOIN lead_score s USING (lead_id) ORDER BY l.lead_id, s.model;
INSERT INTO contact (email) SELECT (n || '@example.com')::lead_mgmt.email FROM unnest(ARRAY['ann', 'bob', 'cy', 'di', 'ed']) n;
INSERT INTO lead (contact_id, title, budget, currency) VALUES (1, 'ann', 500, 'USD'), (2, 'bob', 50, 'USD');
-- One that is closed, one that nobody is behind, one that came past the triggers
INSERT INTO lead (contact_id, title, budget, currency) VALUES (3, 'cy', 500, 'USD');
SELECT status FROM disqualify(3, 'no need');
INSERT INTO lead (contact_name, title, budget, currency) VALUES ('Di', 'di', 500, 'USD');
ALTER TABLE lead DISABLE TRIGGER USER;
INSERT INTO lead (contact_id, title, budget, currency, pipeline, stage, stage_entered_at) VALUES (5, 'ed', 50, 'USD', 'marketing_sales', 'inquiry', now());
ALTER TABLE lead ENABLE TRIGGER USER;
SELECT * FROM standing;

-- Those that a new rule lifts to the threshold are marked and moved, and the one without a score leaves the entry stage
INSERT INTO scoring_rule (model, label, condition, points) VALUES ('default', 'Budget', 'budget >= 100', 120);
BEGIN;
SELECT rescore();
SELECT * FROM standing;
COMMIT;
SELECT l.title, m.from_stage, m.to_stage, m.rule FROM stage_move m JOIN lead l USING (lead_id) WHERE l.title IN ('ann', 'ed') ORDER BY m.stage_move_id;
SELECT l.title, t.from_grade, t.to_grade, t.cause FROM temperature_change t JOIN lead l USING (lead_id) WHERE l.title = 'ann' ORDER BY t.temperature_change_id;

-- A draft marks nobody
INSERT INTO scoring_model (model, label, sales_ready_threshold, is_active, keeps_ready) VALUES ('fickle', 'Fickle', 10, false, false);
INSERT INTO scoring_rule (model, label, condition, points) VALUES ('fickle', 'Small', 'budget < 100', 10);
SELECT rescore('fickle');
SELECT * FROM standing WHERE model = 'fickle';

-- A model that takes its mark back
UPDATE scoring_model SET is_active = true WHERE model = 'fickle';
SELECT rescore('fickle');
SELECT title, qualification, sales_ready_model FROM standing WHERE model = 'fickle';
UPDATE scoring_rule SET points = 9 WHERE model = 'fickle';
SELECT rescore('fickle');
SELECT title, qualification, sales_ready_model FROM standing WHERE model = 'fickle';

-- One that keeps it
UPDATE scoring_rule SET points = 5 WHERE model = 'default';
SELECT rescore();
SELECT title, score, qualification, sales_ready_model FROM standing WHERE model = 'default';

-- A score set by hand counts, many leads are taken a chunk at a time
SELECT override_score(2, 99.5);
UPDATE scoring_model SET sales_ready_threshold = 99 WHERE model = 'default';
SELECT rescore();
SELECT title, score, qualification, sales_ready_model FROM standing WHERE model = 'default' AND title = 'bob';
INSERT INTO contact (email) SELECT ('p' || g || '@example.com')::lead_mgmt.email FROM generate_series(1, 4500) g;
INSERT INTO lead (contact_id, title, product) SELECT contact_id, 'many', 'many' FROM contact WHERE contact_id > 5;
INSERT INTO scoring_rule (model, label, condition, points) VALUES ('default', 'Many', 'product = ''many''', 100);
SELECT rescore();
SELECT count(*), count(sales_ready_at), count(DISTINCT stage) FROM lead WHERE title = 'many';

SELECT lead_mgmt.score_leads('crm.score', '{}');
SELECT lead_mgmt.score_leads('crm.score', ARRAY[NULL, 1, 1, 999]);
SELECT rescore('nobody');
SELECT lead_mgmt.drop_workspace('crm', 'crm');
