-- Naive Bayes that learns from every lead won or lost
SELECT lead_mgmt.create_workspace('crm') \gset
SET client_min_messages = warning;
SELECT crm.define_field('lead', 'interests', 'choices', ARRAY['gold', 'silver', 'bronze']) \gset
INSERT INTO crm.team (team) VALUES ('East'), ('West');
INSERT INTO crm.scoring_model (model, label, kind, sales_ready_threshold) VALUES ('bayes', 'Learns by itself', 'naive_bayes', 80);
INSERT INTO crm.scoring_feature (model, feature, expression, kind) VALUES
	('bayes', 'source', 'source', 'categorical'), ('bayes', 'country', 'country', 'categorical'), ('bayes', 'interests', 'interests', 'tags');
CREATE FUNCTION pg_temp.make(n int, source text, country text, team bigint, interests jsonb DEFAULT NULL) RETURNS SETOF bigint LANGUAGE sql AS $$
	WITH c AS (INSERT INTO crm.contact (full_name, country) SELECT 'P', $3 FROM generate_series(1, $1) RETURNING contact_id)
	INSERT INTO crm.lead (contact_id, source, team_id, attributes) SELECT contact_id, $2, $4,
		CASE WHEN $5 IS NULL THEN '{}' ELSE jsonb_build_object('interests', $5) END FROM c RETURNING lead_id $$;
CREATE FUNCTION pg_temp.won(ids bigint[]) RETURNS void LANGUAGE sql AS $$
	UPDATE crm.lead SET stage = 'sales_acceptance' WHERE lead_id = ANY ($1);
	UPDATE crm.contact SET email = 'c' || contact_id || '@example.com' WHERE contact_id IN (SELECT contact_id FROM crm.lead WHERE lead_id = ANY ($1));
	SELECT crm.convert_lead(id) FROM unnest($1) id $$;
-- four leads of team 1 are won, six lost: two in the stage that a first score takes them to, four later
SELECT array_agg(id) AS ids FROM pg_temp.make(4, 'referral', 'VN', 1) id \gset w_
SELECT array_agg(id) AS ids FROM pg_temp.make(2, 'fair', 'VN', 1) id \gset l_
SELECT array_agg(id) AS ids FROM pg_temp.make(4, 'fair', NULL, 1) id \gset m_
SELECT array_agg(id) AS ids FROM pg_temp.make(1, 'fair', 'DE', 1) id \gset d_
SELECT pg_temp.won(:'w_ids');
SELECT count(crm.disqualify(id, 'no need')) FROM unnest(:'l_ids'::bigint[]) id;
UPDATE crm.lead SET stage = 'teleprospect_acceptance' WHERE lead_id = ANY (:'m_ids');
SELECT count(crm.disqualify(id, 'no need')) FROM unnest(:'m_ids'::bigint[]) id;
SELECT team_id, variable, value, won, lost FROM crm.scoring_frequency ORDER BY team_id, variable, value;
-- by hand: a tenth is added to each count; values never seen are skipped
SELECT array_agg(id) AS ids FROM pg_temp.make(1, 'fair', 'VN', 1) id \gset x_
CREATE FUNCTION pg_temp.percent(won float8, lost float8) RETURNS numeric LANGUAGE sql AS 'SELECT round((100 * $1 / ($1 + $2))::numeric, 8)';
SELECT round(score::numeric, 8) AS score, pg_temp.percent(
	4.1 / 10.2 * (4.1 / 4.1) * (0.1 / 4.2) * (4.1 / 4.1), 6.1 / 10.2 * (6.1 / 6.1) * (6.1 / 6.2) * (2.1 / 2.1)) AS by_hand
FROM crm.lead_score WHERE model = 'bayes' AND lead_id = (:'x_ids'::bigint[])[1];
SELECT part, label, round(odds::numeric, 6) AS odds, value FROM crm.explain_score((:'x_ids'::bigint[])[1], 'bayes');
SELECT crm.rescore('bayes');
SELECT round(score::numeric, 8) AS score, pg_temp.percent(4.1 * (0.1 / 4.2), 6.1 * (6.1 / 6.2)) AS by_hand
FROM crm.lead_score WHERE model = 'bayes' AND lead_id = (:'d_ids'::bigint[])[1];
-- its stage counts
UPDATE crm.lead SET stage = 'teleprospect_acceptance' WHERE lead_id = (:'d_ids'::bigint[])[1];
SELECT crm.rescore('bayes');
SELECT round(score::numeric, 8) AS score, pg_temp.percent(4.1 * (4.1 / 4.1) * (0.1 / 4.2), 6.1 * (4.1 / 6.1) * (6.1 / 6.2)) AS by_hand
FROM crm.lead_score WHERE model = 'bayes' AND lead_id = (:'d_ids'::bigint[])[1];
-- another team has its own rows; a lead without team goes by the sum of all, so does one whose team has none yet
SELECT array_agg(id) AS ids FROM pg_temp.make(3, 'fair', 'DE', 2) id \gset e_
SELECT pg_temp.won(:'e_ids');
SELECT array_agg(id) AS ids FROM pg_temp.make(1, 'fair', 'DE', NULL) id \gset n_
SELECT round(score::numeric, 8) AS score, pg_temp.percent(
	7.2 * ((0.1 + 3.1) / (4.2 + 3.1)) * (3.1 / (4.1 + 3.1)), 6.2 * ((6.1 + 0.1) / (6.2 + 0.1)) * (0.1 / (2.1 + 0.1))) AS by_hand
FROM crm.lead_score WHERE model = 'bayes' AND lead_id = (:'n_ids'::bigint[])[1];
SELECT crm.rescore('bayes');
SELECT round(score::numeric, 8) AS team_1_is_as_before FROM crm.lead_score WHERE model = 'bayes' AND lead_id = (:'d_ids'::bigint[])[1];
-- reopening restores the counts exactly, whatever was changed since
CREATE TABLE public.before AS SELECT * FROM crm.scoring_frequency;
SELECT array_agg(id) AS ids FROM pg_temp.make(1, 'event', 'FR', 1, '["gold", "silver", "gold"]') id \gset r_
SELECT count(crm.disqualify(id, 'no need')) FROM unnest(:'r_ids'::bigint[]) id;
SELECT variable, value, won, lost FROM (TABLE crm.scoring_frequency EXCEPT TABLE public.before) d ORDER BY variable, value;
ALTER TABLE crm.lead DISABLE TRIGGER USER;
UPDATE crm.contact SET country = 'US' WHERE contact_id = (SELECT contact_id FROM crm.lead WHERE lead_id = (:'r_ids'::bigint[])[1]);
UPDATE crm.lead SET source = 'website', team_id = 2 WHERE lead_id = (:'r_ids'::bigint[])[1];
ALTER TABLE crm.lead ENABLE TRIGGER USER;
SELECT status FROM crm.reopen((:'r_ids'::bigint[])[1], 'asked again');
SELECT count(*) AS differences FROM ((TABLE crm.scoring_frequency EXCEPT TABLE public.before) UNION ALL (TABLE public.before EXCEPT TABLE crm.scoring_frequency)) d;
SELECT score BETWEEN 0.01 AND 99.99 AS scored_again FROM crm.lead_score WHERE model = 'bayes' AND lead_id = (:'r_ids'::bigint[])[1];
-- a deleted lead is forgotten; counting everything afresh gives the same
DELETE FROM crm.lead WHERE lead_id = (:'l_ids'::bigint[])[1];
SELECT won, lost FROM crm.scoring_frequency WHERE value = 'marketing_sales/inquiry' AND team_id = 1;
CREATE TABLE public.counted AS SELECT * FROM crm.scoring_frequency;
SELECT leads, won FROM crm.train_scoring_model('bayes');
SELECT count(*) AS differences FROM ((TABLE crm.scoring_frequency EXCEPT TABLE public.counted) UNION ALL (TABLE public.counted EXCEPT TABLE crm.scoring_frequency)) d;
-- tags count from 50 cases on
SELECT array_agg(id) AS ids FROM pg_temp.make(49, 'fair', 'VN', 1, '["gold"]') id \gset t_
SELECT count(crm.disqualify(id, 'no need')) FROM unnest(:'t_ids'::bigint[]) id;
SELECT array_agg(id) AS ids FROM pg_temp.make(1, 'fair', 'VN', 1, '["gold", "bronze"]') id \gset g_
SELECT count(*) AS tags FROM crm.explain_score((:'g_ids'::bigint[])[1], 'bayes') WHERE label LIKE 'interests%';
SELECT array_agg(id) AS ids FROM pg_temp.make(1, 'fair', 'VN', 1, '["gold"]') id \gset u_
SELECT pg_temp.won(:'u_ids');
SELECT label, round(odds::numeric, 6) AS odds, round(((1.1 / 1.1) / (49.1 / 49.1))::numeric, 6) AS by_hand FROM crm.explain_score((:'g_ids'::bigint[])[1], 'bayes') WHERE label LIKE 'interests%';
-- clamped; 100 when won, 0 when lost
SELECT status, score, count(*) FROM crm.lead_score JOIN crm.lead USING (lead_id) WHERE model = 'bayes' AND status <> 'open' GROUP BY status, score;
SELECT every(score BETWEEN 0.01 AND 99.99) AS clamped FROM crm.lead_score s JOIN crm.lead l USING (lead_id) WHERE model = 'bayes' AND l.status = 'open';
SELECT part, label, odds FROM crm.explain_score((:'w_ids'::bigint[])[1], 'bayes');
SELECT crm.score_at((:'w_ids'::bigint[])[1], now(), 'bayes') AS won, crm.score_at((:'m_ids'::bigint[])[1], now(), 'bayes') AS lost;
-- a manual override stays
SELECT crm.override_score((:'g_ids'::bigint[])[1], 33, 'bayes');
SELECT crm.rescore('bayes') > 0 AS rescored;
SELECT score FROM crm.lead_score WHERE model = 'bayes' AND lead_id = (:'g_ids'::bigint[])[1];
INSERT INTO crm.scoring_feature (model, feature, expression) VALUES ('bayes', 'stage', 'source');
SELECT lead_mgmt.drop_workspace('crm', 'crm');
DROP TABLE public.before, public.counted;
