-- Models that learn from won and lost leads
SELECT lead_mgmt.create_workspace('crm') \gset
SET client_min_messages = warning;
SELECT crm.define_field('lead', 'team_size', 'integer'), crm.define_field('lead', 'reason_won', 'text'),
	crm.define_field('lead', 'interests', 'choices', ARRAY['gold', 'silver', 'bronze']) \gset
-- 400 leads that came in, of whom larger teams and referrals are won
SELECT count(*) AS leads, count(*) FILTER (WHERE s.status = 'accepted') AS accepted FROM generate_series(1, 400) g
CROSS JOIN LATERAL crm.capture('default', jsonb_build_object('email', 'p' || g || '@example' || g % 3 || '.com', 'page', 'a',
	'source', (ARRAY['fair', 'referral', 'website'])[1 + g % 3], 'country', CASE WHEN g % 5 > 0 THEN 'VN' END,
	'team_size', g * 7919::bigint % 100, 'interests', CASE WHEN g % 2 = 0 THEN '["gold", "silver"]' ELSE '["gold"]' END::jsonb)) s;
SELECT count(*) FROM crm.lead WHERE lead_id <= 360 AND lead_id * 15485863::bigint % 100 <
	CASE WHEN source = 'referral' THEN 60 ELSE 20 END + (attributes ->> 'team_size')::int / 4 \gset won_
INSERT INTO crm.scoring_model (model, label, kind, sales_ready_threshold, is_active) VALUES
	('win', 'Probability to win', 'logistic', 60, true), ('bayes', 'Learns by itself', 'naive_bayes', 80, true);
INSERT INTO crm.scoring_grade (model, grade, from_score) VALUES ('win', 'low', '-infinity'), ('win', 'high', 50);
INSERT INTO crm.scoring_feature (model, feature, expression, kind, bins) VALUES
	('win', 'source', 'source', 'categorical', 20), ('win', 'team', 'team_size', 'bins', 4), ('win', 'country', 'country', 'categorical', 20),
	('win', 'visits', 'interaction_count', 'numeric', 20), ('win', 'reason', 'reason_won', 'categorical', 20),
	('bayes', 'source', 'source', 'categorical', 20), ('bayes', 'country', 'country', 'categorical', 20),
	('bayes', 'interests', 'interests', 'tags', 20);
SELECT feature, expression FROM crm.scoring_feature WHERE feature IN ('team', 'interests');
-- nothing learned yet: no score, and a reason
SELECT part, problem FROM crm.explain_score(361, 'win');
SELECT part, problem FROM crm.explain_score(361, 'bayes');

-- What may not be looked at, or cannot
INSERT INTO crm.scoring_feature (model, feature, expression) VALUES ('win', 'x', 'status');
INSERT INTO crm.scoring_feature (model, feature, expression) VALUES ('win', 'x', 'sales_ready_at IS NOT NULL');
INSERT INTO crm.scoring_feature (model, feature, expression, kind) VALUES ('win', 'x', 'source', 'bins');
INSERT INTO crm.scoring_feature (model, feature, expression, kind) VALUES ('win', 'x', 'source', 'tags');
INSERT INTO crm.scoring_feature (model, feature, expression) VALUES ('win', 'x', 'sources');
INSERT INTO crm.scoring_feature (model, feature, expression) VALUES ('win', 'x', '(SELECT source)');
INSERT INTO crm.scoring_feature (model, feature, expression) VALUES ('win', 'x', 'random()');
INSERT INTO crm.scoring_feature (model, feature, expression) VALUES ('win', 'x', 'source, page');
SELECT crm.train_scoring_model('none');
SELECT crm.train_scoring_model('default');
SELECT crm.train_scoring_model('win');

-- The outcomes; what is set with them must not be learned from
UPDATE crm.lead SET stage = 'sales_acceptance' WHERE lead_id <= 360 AND lead_id * 15485863::bigint % 100 < CASE WHEN source = 'referral' THEN 60 ELSE 20 END + (attributes ->> 'team_size')::int / 4;
BEGIN;
UPDATE crm.lead SET attributes = attributes || '{"reason_won": "price"}' WHERE stage = 'sales_acceptance';
SELECT count(*) = :won_count AS converted FROM (SELECT lead_id FROM crm.lead WHERE stage = 'sales_acceptance' OFFSET 0) l, crm.convert_lead(lead_id);
COMMIT;
SELECT count(crm.disqualify(lead_id, 'no need')) + :won_count AS closed FROM crm.lead WHERE lead_id <= 360 AND status = 'open';
UPDATE crm.contact SET country = 'DE' WHERE contact_id = 1;
SELECT count(*) AS closed, count(*) FILTER (WHERE status = 'converted') = :won_count AS as_meant FROM crm.lead WHERE status <> 'open';
SELECT lead_id, source, country, interaction_count, lead_attributes ? 'reason_won' AS has_reason FROM crm.lead_profile_at_outcome WHERE lead_id = 1;
-- the same columns as lead_profile, so that one expression serves both
SELECT count(*) FROM (
	SELECT attnum, attname, atttypid, atttypmod FROM pg_attribute WHERE attrelid = 'crm.lead_profile'::regclass AND attnum > 0
	EXCEPT SELECT attnum, attname, atttypid, atttypmod FROM pg_attribute WHERE attrelid = 'crm.lead_profile_at_outcome'::regclass AND attnum > 0) d;

SET client_min_messages = notice;
SELECT leads, won = :won_count AS as_meant, auc > 0.65 AS told_apart, log_loss < 0.68 AS better_than_chance, calibration_error < 0.15 AS calibrated, warnings
FROM crm.train_scoring_model('win', '{"cost": 1}');
SET client_min_messages = warning;
SELECT position, feature, kind, level_kind, level, points > 0 AS speaks_for, leads FROM crm.scoring_coefficient WHERE kind <> 'pair' OR kind IS NULL ORDER BY position;
SELECT sum(leads) AS held_out FROM crm.scoring_reliability;

-- Scores by it: rescored, live on capture, on change
SELECT crm.rescore('win');
SELECT every(score BETWEEN 0 AND 100 AND probability = score / 100 AND grade = CASE WHEN score < 50 THEN 'low' ELSE 'high' END
	AND abs(score - crm.score_at(lead_id, now(), 'win')) < 1e-9) AS sound, count(*) FROM crm.lead_score WHERE model = 'win';
SELECT every(abs(x.product / (l.probability / (1 - l.probability)) - 1) < 1e-9) AS multiply, every(abs(x.total - ln(l.probability / (1 - l.probability))) < 1e-9) AS add_up
FROM crm.lead_score l
CROSS JOIN LATERAL (SELECT exp(sum(ln(odds))) AS product, sum(total) AS total FROM crm.explain_score(l.lead_id, l.model)) x
WHERE l.model = 'win';
SELECT part, label, value, problem FROM crm.explain_score(365, 'win') WHERE label NOT LIKE '%&%' ORDER BY label;
SELECT lead_id FROM crm.capture('default', '{"email": "new@example.com", "source": "referral", "team_size": 90}') \gset new_
SELECT round(score::numeric, 6) = round(crm.score_at(:new_lead_id, now(), 'win')::numeric, 6) AS live, is_sales_ready FROM crm.lead_score WHERE lead_id = :new_lead_id AND model = 'win';
SELECT sales_ready_model FROM crm.lead WHERE lead_id = :new_lead_id;
SELECT score AS before FROM crm.lead_score WHERE lead_id = :new_lead_id AND model = 'win' \gset
UPDATE crm.lead SET attributes = '{"team_size": 1}' WHERE lead_id = :new_lead_id;
SELECT score < :before AS fell, abs(score - crm.score_at(lead_id, now(), 'win')) < 1e-9 AS live FROM crm.lead_score WHERE lead_id = :new_lead_id AND model = 'win';
SELECT leads, ready > 0 AS some_ready, outcomes, won = :won_count AS as_meant, lift > 1 AS lifts FROM crm.simulate_model('win');
-- a feature that fails for a lead, or is gone, counts as missing
UPDATE crm.scoring_feature SET expression = '1 / (interaction_count - 1)' WHERE model = 'win' AND feature = 'visits';
SELECT label, problem FROM crm.explain_score(365, 'win') WHERE problem IS NOT NULL;
DELETE FROM crm.scoring_feature WHERE model = 'win' AND feature = 'visits';
SELECT label, problem FROM crm.explain_score(365, 'win') WHERE problem IS NOT NULL;
-- an earlier training can be put back
SELECT (crm.train_scoring_model('win', '{"cost": 0.01, "pairs": 0, "calibrate": "platt"}')).scoring_training_id AS second \gset
UPDATE crm.scoring_model SET scoring_training_id = :second - 1 WHERE model = 'win';
SELECT count(*) FROM crm.explain_score(365, 'win') WHERE part = 'calibration';
-- options that are none
SELECT crm.train_scoring_model('win', '{"costs": 1}');
SELECT crm.train_scoring_model('win', '{"cost": "NaN"}');
SELECT crm.train_scoring_model('win', '{"cost": -1}');
SELECT crm.train_scoring_model('win', '[]');
-- a training that cannot be scored by
INSERT INTO crm.scoring_training (model, definition, leads, won) VALUES ('win', '{"label": "won"}', 1, 1);
UPDATE crm.scoring_training SET definition = '[]' WHERE scoring_training_id = :second;
BEGIN;
UPDATE crm.scoring_training SET definition = NULL WHERE scoring_training_id = :second;
UPDATE crm.scoring_model SET scoring_training_id = :second WHERE model = 'win';
SELECT status FROM crm.capture('default', '{"email": "untrained@example.com", "kind": "page_view"}');
SELECT label, problem FROM crm.explain_score(365, 'win');
ROLLBACK;
-- by hand, until it is taken back
SELECT crm.override_score(365, 75, 'win');
SELECT crm.rescore('win') > 0 AS rescored;
UPDATE crm.lead SET product = 'x' WHERE lead_id = 365;
SELECT score, is_override, is_sales_ready FROM crm.lead_score WHERE lead_id = 365 AND model = 'win';
SELECT round(exp(sum(ln(odds)))::numeric, 6) AS odds FROM crm.explain_score(365, 'win');
SELECT crm.override_score(365, NULL, 'win');
SELECT abs(score - crm.score_at(365, now(), 'win')) < 1e-9 AS computed, is_override FROM crm.lead_score WHERE lead_id = 365 AND model = 'win';
SELECT crm.override_score(365, 'NaN', 'win');
SELECT crm.override_score(-1, 50);
SELECT lead_mgmt.drop_workspace('crm', 'crm');
