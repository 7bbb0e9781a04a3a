-- Conversion and velocity against what windows over the moves say, for random ways of leads.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
SELECT lead_mgmt.create_workspace('figures');
SET search_path = figures;
SELECT setseed(0.25);
INSERT INTO submission (payload) SELECT jsonb_build_object('email', 'f' || n || '@gmail.com') FROM generate_series(1, 400) n;
INSERT INTO opportunity (contact_id, name) SELECT n, 'Deal ' || n FROM generate_series(1, 100) n;
-- the owner alone can load a past, by setting the guard of history aside
ALTER TABLE stage_move DISABLE TRIGGER guard;
DELETE FROM stage_move;
INSERT INTO stage_move (lead_id, pipeline, to_stage, moved_at, moved_by)
SELECT lead_id, pipeline, stage, at, 'me' FROM (
	SELECT 1 + (g * 7919) % 400 AS lead_id, CASE WHEN random() < 0.9 THEN 'marketing_sales' ELSE 'gone' END AS pipeline,
		(ARRAY['inquiry', 'marketing_qualification', 'teleprospect_acceptance', 'teleprospect_qualification', 'sales_acceptance', 'converted', 'disqualified', 'no more'])[1 + floor(random() * 8)] AS stage,
		timestamptz '2026-01-01' + g * interval '1 hour' + random() * interval '1 hour' AS at
	FROM generate_series(1, 3000) g) x;
INSERT INTO stage_move (opportunity_id, pipeline, to_stage, moved_at, moved_by)
SELECT 1 + g % 100, 'sales', (ARRAY['identify', 'proposal', 'negotiation', 'won', 'lost'])[1 + floor(random() * 5)], timestamptz '2026-01-01' + g * interval '1 minute', 'me' FROM generate_series(1, 500) g;
ALTER TABLE stage_move ENABLE TRIGGER guard;

CREATE TEMP VIEW conversion AS
WITH visit AS (
	SELECT m.lead_id, m.opportunity_id, m.pipeline, m.to_stage AS stage, count(*) OVER later = 0 AS is_current, bool_or(s.kind = 'lost') OVER later AS is_lost,
		max(CASE WHEN s.kind <> 'lost' AND s.pipeline = 'marketing_sales' THEN s.sequence END) OVER later AS lead_furthest, max(CASE WHEN s.kind <> 'lost' AND s.pipeline = 'sales' THEN s.sequence END) OVER later AS deal_furthest
	FROM stage_move m LEFT JOIN stage s ON s.pipeline = m.pipeline AND s.stage = m.to_stage
	WINDOW later AS (PARTITION BY m.lead_id, m.opportunity_id ORDER BY m.stage_move_id ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)),
entity AS (
	SELECT v.pipeline, v.stage, bool_or(COALESCE(CASE s.pipeline WHEN 'sales' THEN v.deal_furthest ELSE v.lead_furthest END > s.sequence, false)) AS advanced, bool_or(COALESCE(v.is_lost, false)) AS is_lost, bool_or(v.is_current) AS is_current
	FROM visit v JOIN stage s USING (pipeline, stage) GROUP BY v.pipeline, v.stage, v.lead_id, v.opportunity_id)
SELECT pipeline, stage, count(*) AS entered, count(*) FILTER (WHERE advanced) AS advanced, count(*) FILTER (WHERE is_lost AND NOT advanced) AS lost, count(*) FILTER (WHERE is_current) AS current FROM entity GROUP BY 1, 2;
CREATE TEMP VIEW velocity AS
SELECT pipeline, stage, sum(stays) AS finished, count(*) AS left_by, round(avg(seconds)::numeric / 86400, 2) AS average_days, round((percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds))::numeric / 86400, 2) AS median_days
FROM (SELECT pipeline, stage, count(*) AS stays, sum(extract(epoch FROM duration))::float8 AS seconds FROM stage_history WHERE left_at IS NOT NULL GROUP BY pipeline, stage, lead_id, opportunity_id) x GROUP BY 1, 2;

SELECT count(*) AS stages, count(*) FILTER (WHERE (v.entered, v.advanced, v.lost, v.current) = (c.entered, c.advanced, c.lost, c.current)) AS same
FROM stage_conversion v JOIN conversion c USING (pipeline, stage);
SELECT count(*) AS stages, count(*) FILTER (WHERE (v.finished, v.left_by, v.average_days, v.median_days) = (c.finished, c.left_by, c.average_days, c.median_days)) AS same
FROM stage_velocity v JOIN velocity c USING (pipeline, stage);
-- in parallel it is the same
CREATE TEMP TABLE serial AS SELECT * FROM stage_conversion;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SELECT count(*) AS differences FROM (TABLE serial EXCEPT SELECT * FROM stage_conversion) d;
RESET max_parallel_workers_per_gather;
-- nothing to go by, and stages that make no sense
SELECT lead_mgmt.stage_figures(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), lead_mgmt.stage_figures(1, 1, 'p', 'nowhere', now(), '{p}', '{s}', '{1}', '{f}');
SELECT lead_mgmt.stage_figures(1, 1, 'p', 's', now(), '{p,p}', '{s}', '{1}', '{f}');
SELECT lead_mgmt.stage_figures(1, 1, 'p', 's', now(), '{NULL}', '{s}', '{1}', '{f}');
SELECT lead_mgmt.stage_figures(r, m, 'p', s, timestamptz '2026-01-01' + m * interval '1 second', '{p,p}', '{s,t}', '{1,2}', '{f,f}') FROM (VALUES (-5, 3, 't'), (-5, 1, 's'), (9223372036854775807, 2, 's'), (-9223372036854775807, 4, 's')) x (r, m, s);
-- the furthest levels of rows, by small and by other keys, in parallel too
CREATE TABLE reached AS SELECT (CASE g % 7 WHEN 0 THEN -1 WHEN 1 THEN 100000000000 ELSE 1 END) * (1 + g * 7919 % 500) AS row_id, 1 + g * 31 % 140 AS level, g % 3 = 0 AS counts FROM generate_series(1, 5000) g;
SELECT quote_literal(array_agg('p'::text)) || ', ' || quote_literal(array_agg(g)) || ', ' || quote_literal(array_agg(g)) AS stages FROM generate_series(1, 140) g \gset
SET min_parallel_table_scan_size = 0;
SELECT array_agg(COALESCE(c.n, 0) ORDER BY v.level) = (SELECT lead_mgmt.furthest_levels(row_id, 'p', level::text, counts, :stages) FROM reached) AS same, sum(c.n) AS rows
FROM (SELECT generate_series(1, max(level)) AS level FROM (SELECT max(level) AS level FROM reached GROUP BY row_id HAVING bool_or(counts)) x) v
LEFT JOIN (SELECT level, count(*) AS n FROM (SELECT max(level) AS level FROM reached GROUP BY row_id HAVING bool_or(counts)) x GROUP BY 1) c USING (level);
SET max_parallel_workers_per_gather = 0;
SELECT lead_mgmt.furthest_levels(row_id, 'p', level::text, counts, :stages) AS serial FROM reached \gset
RESET max_parallel_workers_per_gather;
SELECT lead_mgmt.furthest_levels(row_id, 'p', level::text, counts, :stages) = :'serial' AS same FROM reached;
SELECT lead_mgmt.furthest_levels(r, p, s, c, '{p,p,q}', '{a,b,b}', '{3,5,1}') FROM (VALUES (1, 'p', 'a', true), (1, 'q', 'a', true), (1, 'p', 'zz', NULL), (2, 'p', 'b', false), (3, 'q', 'b', true), (NULL, 'p', 'b', true), (4, 'p', NULL, true), (5, NULL, 'b', true)) x (r, p, s, c);
SELECT lead_mgmt.furthest_levels(1, 'p', 'a', true, NULL, NULL, NULL);
SELECT lead_mgmt.furthest_levels(1, 'p', 'a', true, '{p}', '{a}', '{10001}');
SELECT lead_mgmt.furthest_levels(1, 'p', 'a', true, '{p,p}', '{a,b}', '{3}');
SELECT lead_mgmt.furthest_levels(1, 'p', 'a', true, '{p}', '{NULL}', '{3}');
RESET search_path;
DROP VIEW conversion, velocity;
SELECT lead_mgmt.drop_workspace('figures', 'figures');
