-- Scores kept while interactions come, late, change and go, against the rules applied to everything from the start.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
\set SHOW_CONTEXT never
SET timezone = 'UTC';
SELECT lead_mgmt.create_workspace('random_scores');
SET search_path = random_scores;
SELECT setseed(0.42);
DELETE FROM scoring_rule;
UPDATE scoring_model SET half_life = '20 days';
INSERT INTO scoring_model (model, label, half_life, account_based) VALUES ('limits', 'With limits', '9 days', false), ('accounts', 'Accounts', NULL, true), ('both', 'Both', '40 days', true);
INSERT INTO scoring_group (model, scoring_group, maximum_points, maximum_points_per_day) VALUES ('limits', 'a', 60, 15), ('limits', 'b', 25, NULL), ('both', 'a', 80, 20);
INSERT INTO scoring_rule (model, label, interaction_kind, interaction_condition, points, at_least, half_life, maximum_points, maximum_points_per_day, scoring_group, active_from, active_until)
SELECT m, 'rule ' || g, CASE WHEN g % 5 <> 0 THEN k END, CASE WHEN g % 5 = 0 OR g % 7 = 0 THEN format('channel = %L AND page <> ''/%s''', 'c' || g % 3, g % 4) END,
	round(((random() - 0.2) * 20)::numeric, 3),
	CASE WHEN m IN ('limits', 'both') AND random() < 0.3 THEN 1 + floor(random() * 4) END,
	CASE WHEN random() < 0.5 THEN (1 + floor(random() * 3)) * interval '7 days' END,
	CASE WHEN m IN ('limits', 'both') AND random() < 0.4 THEN round((random() * 50)::numeric, 1) + 1 END,
	CASE WHEN m IN ('limits', 'both') AND random() < 0.4 THEN round((random() * 20)::numeric, 1) + 1 END,
	CASE WHEN m = 'limits' AND random() < 0.6 THEN (ARRAY['a', 'b'])[1 + floor(random() * 2)] WHEN m = 'both' AND random() < 0.5 THEN 'a' END,
	CASE WHEN random() < 0.3 THEN now() - random() * interval '60 days' END, CASE WHEN random() < 0.2 THEN now() + interval '1 day' END
FROM unnest(ARRAY['default', 'limits', 'accounts', 'both']) m, generate_series(1, 9) g, LATERAL (SELECT (ARRAY['page_view', 'email_open', 'chat', 'download'])[1 + g % 4] AS k) x;
INSERT INTO scoring_rule (model, label, condition, points) VALUES ('default', 'Odd', 'lead_id % 2 = 1', 3.5), ('limits', 'Busy', 'interaction_count >= 10', 7);
INSERT INTO account (name) SELECT 'Company ' || g FROM generate_series(1, 6) g;
INSERT INTO contact (email, account_id) SELECT ('p' || g || '@gmail.com')::lead_mgmt.email, CASE WHEN g % 4 > 0 THEN 1 + g % 6 END FROM generate_series(1, 40) g;
INSERT INTO lead (contact_id, title) SELECT g, g FROM generate_series(1, 30) g;

-- the rules as they are described, applied to one lead after the other, one interaction after the other
CREATE FUNCTION plain_score(the_model text, the_lead bigint) RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
	m scoring_model; r scoring_rule; i interaction; p record;
	counts jsonb := '{}'; given jsonb := '{}'; daily jsonb := '{}';
	key text; day_key text; award double precision; used double precision; total double precision := 0; at timestamptz; half interval;
BEGIN
	SELECT * INTO m FROM scoring_model WHERE model = the_model;
	SELECT * INTO p FROM lead_profile WHERE lead_id = the_lead;
	total := COALESCE((SELECT sum(x.points) FROM scoring_rule x WHERE x.model = the_model AND x.condition IS NOT NULL AND lead_mgmt.satisfies(p, x.condition)), 0);
	FOR i IN SELECT x.* FROM interaction x LEFT JOIN contact c ON c.contact_id = x.contact_id LEFT JOIN lead l ON l.lead_id = x.lead_id LEFT JOIN contact lc ON lc.contact_id = l.contact_id
		WHERE CASE WHEN m.account_based AND p.account_id IS NOT NULL THEN COALESCE(c.account_id, l.account_id, lc.account_id) = p.account_id ELSE x.lead_id = the_lead END
		ORDER BY LEAST(x.occurred_at, x.recorded_at), x.interaction_id
	LOOP
		at := LEAST(i.occurred_at, i.recorded_at);
		FOR r IN SELECT * FROM scoring_rule x WHERE x.model = the_model AND x.condition IS NULL ORDER BY scoring_rule_id LOOP
			CONTINUE WHEN r.interaction_kind <> i.kind OR at < r.active_from OR at >= r.active_until
				OR (r.interaction_condition IS NOT NULL AND lead_mgmt.satisfies(i, r.interaction_condition) IS NOT TRUE);
			counts := counts || jsonb_build_object(r.scoring_rule_id::text, COALESCE((counts ->> r.scoring_rule_id::text)::int, 0) + 1);
			CONTINUE WHEN r.at_least IS NOT NULL AND (counts ->> r.scoring_rule_id::text)::int <> r.at_least;
			award := r.points;
			FOR key, used IN SELECT * FROM (VALUES (r.scoring_rule_id::text, r.maximum_points), ('day of ' || r.scoring_rule_id, r.maximum_points_per_day),
				('group ' || r.scoring_group, (SELECT g.maximum_points FROM scoring_group g WHERE g.model = the_model AND g.scoring_group = r.scoring_group)),
				('day of group ' || r.scoring_group, (SELECT g.maximum_points_per_day FROM scoring_group g WHERE g.model = the_model AND g.scoring_group = r.scoring_group))) v (k, l)
			LOOP
				CONTINUE WHEN key IS NULL OR used IS NULL;
				IF key LIKE 'day%' THEN key := key || ' ' || at::date; END IF;
				IF abs(COALESCE((given ->> key)::double precision, 0) + award) > used THEN
					award := sign(award) * used - COALESCE((given ->> key)::double precision, 0);
				END IF;
			END LOOP;
			FOREACH key IN ARRAY ARRAY[r.scoring_rule_id::text, 'day of ' || r.scoring_rule_id || ' ' || at::date, COALESCE('group ' || r.scoring_group, ''), COALESCE('day of group ' || r.scoring_group || ' ' || at::date, '')] LOOP
				given := given || jsonb_build_object(key, COALESCE((given ->> key)::double precision, 0) + award);
			END LOOP;
			half := COALESCE(r.half_life, m.half_life);
			total := total + award * CASE WHEN half IS NULL THEN 1 ELSE power(2::double precision, -extract(epoch FROM now() - at)::double precision / extract(epoch FROM half)::double precision) END;
		END LOOP;
	END LOOP;
	RETURN total;
END $$;
CREATE VIEW wrong AS SELECT s.model, count(*) FILTER (WHERE abs(s.score - plain_score(s.model, s.lead_id)) > 1e-9 * greatest(abs(s.score), 1)) AS scores,
	count(*) FILTER (WHERE abs(s.score - e.total) > 1e-9 * greatest(abs(s.score), 1)) AS explanations, count(*) > 25 AS many
FROM lead_score s, LATERAL (SELECT COALESCE(sum(total), 0) AS total FROM explain_score(s.lead_id, s.model)) e GROUP BY 1 ORDER BY 1;
CREATE PROCEDURE happen(n integer, batch integer) LANGUAGE plpgsql AS $$
BEGIN
	FOR step IN 1 .. n LOOP
		INSERT INTO interaction (lead_id, contact_id, kind, channel, page, occurred_at)
		SELECT CASE WHEN l <= 30 THEN l END, CASE WHEN l > 30 OR random() < 0.5 THEN l END, (ARRAY['page_view', 'email_open', 'chat', 'download', 'meeting'])[1 + floor(random() * 5)],
			'c' || floor(random() * 3), CASE WHEN random() < 0.9 THEN '/' || floor(random() * 4) END,
			clock_timestamp() - random() * CASE WHEN random() < 0.7 THEN interval '3 days' ELSE interval '100 days' END
		FROM generate_series(1, batch) g, LATERAL (SELECT 1 + floor(random() * 36)::int + 0 * g AS l) x;
		CONTINUE WHEN step % 4 <> 0;
		UPDATE interaction SET kind = 'chat', lead_id = CASE WHEN lead_id IS NULL THEN NULL ELSE 1 + floor(random() * 30) END, occurred_at = occurred_at - random() * interval '2 days' WHERE random() < 0.02;
		DELETE FROM interaction WHERE random() < 0.02;
	END LOOP;
END $$;

CALL happen(80, 1);
SELECT * FROM wrong;
CALL happen(4, 80);
SELECT * FROM wrong;
-- interactions come through the door as well
INSERT INTO submission (payload) SELECT jsonb_build_object('email', 'p' || 1 + floor(random() * 45) || '@gmail.com', 'kind', (ARRAY['page_view', 'chat'])[1 + g % 2], 'page', '/' || g % 4, 'channel', 'c' || g % 3,
	'visitor', CASE WHEN g % 3 = 0 THEN 'v' || g % 10 END, 'occurred_at', now() - random() * interval '20 days') FROM generate_series(1, 60) g;
INSERT INTO interaction (visitor, kind, channel, page) SELECT 'w' || g % 5, 'page_view', 'c1', '/1' FROM generate_series(1, 20) g;
SELECT status FROM capture('default', '{"email": "p3@gmail.com", "visitor": "w1", "kind": "chat", "page": "/2"}');
SELECT status FROM capture('default', '{"email": "late@gmail.com", "visitor": "w2", "kind": "chat", "page": "/2"}');
SELECT * FROM wrong;
-- contacts change their company, leads are merged and unmerged
UPDATE contact SET account_id = 1 + (contact_id + 1) % 6 WHERE contact_id % 5 = 0;
SELECT * FROM wrong;
INSERT INTO lead (contact_id, title, page) VALUES (1, 'again', 'again') RETURNING lead_id AS again \gset
INSERT INTO interaction (lead_id, contact_id, kind, channel, page) SELECT :again, 1, 'chat', 'c' || g % 3, '/' || g % 4 FROM generate_series(1, 5) g;
SELECT merge_leads(1, ARRAY[:again]) AS merge_id \gset
CALL happen(10, 1);
SELECT * FROM wrong;
SELECT count(*) >= 0 AS undone FROM unmerge(:merge_id);
SELECT * FROM wrong;
-- many at once, in chunks: more than are gone through at a time
INSERT INTO interaction (lead_id, kind, channel, page, occurred_at) SELECT 1 + g % 30, 'page_view', 'c' || g % 3, '/' || g % 4, now() - g * interval '1 minute' FROM generate_series(1, 9000) g;
SELECT s.model, count(*) FILTER (WHERE abs(s.score - e.total) > 1e-9 * greatest(abs(s.score), 1)) AS wrong FROM lead_score s, LATERAL (SELECT COALESCE(sum(total), 0) AS total FROM explain_score(s.lead_id, s.model)) e GROUP BY 1 ORDER BY 1;
-- computing all afresh changes nothing
CREATE TEMP TABLE kept AS SELECT lead_id, model, fit, lead_mgmt.heat_at(engagement, '2027-01-01') AS points FROM score;
SELECT rescore(model) > 0 AS rescored FROM scoring_model ORDER BY model;
SELECT count(*) AS changed FROM kept k JOIN score s USING (lead_id, model) WHERE k.fit <> s.fit OR abs(k.points - lead_mgmt.heat_at(s.engagement, '2027-01-01')) > 1e-9 * greatest(abs(k.points), 1);
SELECT count(*) AS wrong FROM lead_score s, LATERAL (SELECT COALESCE(sum(total), 0) AS total FROM explain_score(s.lead_id, s.model)) e WHERE abs(s.score - e.total) > 1e-9 * greatest(abs(s.score), 1);
RESET search_path;
SET client_min_messages = warning;
SELECT lead_mgmt.drop_workspace('random_scores', 'random_scores');
