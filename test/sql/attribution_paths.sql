-- Markov chains and Shapley values, from paths and from journeys.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
SET timezone = 'UTC';
SET search_path = public, lead_mgmt;
SET extra_float_digits = -2;

-- by hand: a > b converts, a alone does not, b > a does once in two
CREATE TABLE path (path text[], conversions int, value float8, nulls int);
INSERT INTO path VALUES ('{a,b}', 1, 10, 0), ('{a}', 0, 0, 1), ('{b,a}', 1, 30, 1), ('{c}', 0, 0, 1);
SELECT e.* FROM (SELECT markov(path, conversions, value, nulls, 1) AS es FROM path) m, unnest(es) e;
-- order 2: windows of two, shorter paths are one window
SELECT e.* FROM (SELECT markov(path, conversions, value, nulls, 2) AS es FROM path) m, unnest(es) e;
SELECT e.* FROM (SELECT shapley(path, conversions, value, nulls) AS es FROM path) m, unnest(es) e;
SELECT e.* FROM (SELECT shapley_ordered(path, conversions, value, nulls) AS es FROM path) m, unnest(es) e;
SELECT e.* FROM (SELECT shapley_rate(path, conversions, value, nulls) AS es FROM path) m, unnest(es) e;

-- repeats are no step; names may contain each other, separators or nothing
SELECT a.es = b.es AS repeats FROM (SELECT markov(path, conversions, value, nulls, 1) AS es FROM path) a,
	(SELECT markov((SELECT array_agg(c ORDER BY n, r) FROM unnest(path) WITH ORDINALITY u (c, n), generate_series(1, 3) r), conversions, value, nulls, 1) AS es FROM path) b;
SELECT e.channel, e.effect, e.conversions FROM (SELECT markov(ARRAY(SELECT CASE c WHEN 'a' THEN 'mail' WHEN 'b' THEN 'mail, e > mail' ELSE '' END FROM unnest(path) WITH ORDINALITY u (c, n) ORDER BY n), conversions, value, nulls, 1) AS es FROM path) m, unnest(es) e;

-- a chain from which almost nothing escapes is solved too
SELECT e.channel, round(e.effect::numeric, 12) AS effect, round(e.conversions::numeric, 9) AS conversions FROM (
	SELECT markov(p, c, 0, n, 1) AS es FROM (SELECT array_agg(CASE g % 3 WHEN 0 THEN 'x' WHEN 1 THEN 'y' ELSE 'z' END ORDER BY g) AS p, 1 AS c, 0 AS n FROM generate_series(1, 30000) g
		UNION ALL SELECT '{w,x}', 1, 3) q) m, unnest(es) e;

-- against powers of the transition matrix in SQL
SELECT setseed(0.3);
CREATE TABLE random_path AS SELECT p AS id, array_agg(chr(97 + floor(5 * random() ^ 1.5)::int) ORDER BY t) AS path, (p % 3 = 0)::int AS conversions, (p % 3 = 0)::int * (p % 50) AS value, (p % 3 > 0)::int AS nulls
	FROM generate_series(1, 500) p, generate_series(1, 1 + p % 6) t GROUP BY p;
CREATE FUNCTION by_matrix(removed text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	reached float8 := 0;
BEGIN
	CREATE TEMP TABLE step AS
		WITH s AS (SELECT id, n, c, nulls, conversions, lag(c) OVER (PARTITION BY id ORDER BY n) AS before FROM random_path, unnest(path) WITH ORDINALITY u (c, n)),
		t AS (SELECT id, n, c, nulls, coalesce(lag(c) OVER (PARTITION BY id ORDER BY n), '(start)') AS f FROM s WHERE c IS DISTINCT FROM before),
		a AS (SELECT f, c FROM t UNION ALL SELECT path[cardinality(path)], CASE WHEN conversions = 1 THEN '(conversion)' ELSE '(null)' END FROM random_path)
		SELECT f, c, count(*)::float8 / sum(count(*)) OVER (PARTITION BY f) AS p FROM a GROUP BY f, c;
	DELETE FROM step WHERE c = removed;
	CREATE TEMP TABLE mass AS SELECT 0 AS i, '(start)'::text AS s, 1::float8 AS m;
	FOR k IN 1..300 LOOP
		INSERT INTO mass SELECT k, c, sum(m * p) FROM mass JOIN step ON f = s WHERE i = k - 1 GROUP BY c;
	END LOOP;
	SELECT sum(m) INTO reached FROM mass WHERE s = '(conversion)';
	DROP TABLE step, mass;
	RETURN reached;
END $$;
SELECT count(*) AS channels, max(abs(e.effect - (1 - by_matrix(e.channel) / by_matrix('')))) < 1e-12 AS same FROM (SELECT markov(path, conversions, value, nulls, 1) AS es FROM random_path) m, unnest(es) e;
-- all there is is divided, for each order
SELECT k, abs(sum(e.conversions) - 166) < 1e-9 AS conversions, abs(sum(e.value) - (SELECT sum(value) FROM random_path)) < 1e-9 AS value, bool_and(e.effect BETWEEN 0 AND 1) AS shares
FROM (SELECT k, markov(path, conversions, value, nulls, k) AS es FROM random_path, generate_series(1, 8) k GROUP BY k) m, unnest(es) e GROUP BY k ORDER BY k;

-- the closed form is the Shapley value of the game: the mean over all orders of joining
WITH RECURSIVE player AS (SELECT DISTINCT c FROM random_path, unnest(path) c),
	joined (queue, last) AS (SELECT ARRAY[]::text[], NULL::text UNION ALL SELECT queue || c, c FROM joined, player WHERE c <> ALL (queue)),
	worth AS (SELECT queue, last, (SELECT coalesce(sum(conversions), 0) FROM random_path WHERE path <@ queue) - (SELECT coalesce(sum(conversions), 0) FROM random_path WHERE path <@ queue[:cardinality(queue) - 1]) AS adds FROM joined WHERE last IS NOT NULL),
	shapley_value AS (SELECT last AS channel, sum(mean) AS value FROM (SELECT last, cardinality(queue) AS size, avg(adds) / 5 AS mean FROM worth GROUP BY last, cardinality(queue)) x GROUP BY last)
SELECT count(*) AS channels, max(abs(e.conversions - v.value)) < 1e-9 AS same FROM (SELECT shapley(path, conversions, value, nulls) AS es FROM random_path) m, unnest(es) e JOIN shapley_value v USING (channel);
SELECT max(abs(s.conversions - o.conversions)) < 1e-9 AS positions_add_up FROM (SELECT e.* FROM (SELECT shapley(path, conversions, value, nulls) AS es FROM random_path) m, unnest(es) e) s
	JOIN (SELECT e.channel, sum(e.conversions) AS conversions FROM (SELECT shapley_ordered(path, conversions, value, nulls) AS es FROM random_path) m, unnest(es) e GROUP BY e.channel) o USING (channel);
SELECT abs(sum(e.effect) - 166.0 / 500) < 1e-12 AS rate_is_divided, abs(sum(e.conversions) - 166) < 1e-9 AS conversions FROM (SELECT shapley_rate(path, conversions, value, nulls) AS es FROM random_path) m, unnest(es) e;

-- in parallel as alone
CREATE TABLE many AS SELECT path, conversions, value, nulls FROM random_path, generate_series(1, 100);
ALTER TABLE many SET (parallel_workers = 2);
ANALYZE many;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
CREATE TABLE in_parallel AS SELECT markov(path, conversions, value, nulls, 2) AS m, shapley(path, conversions, value, nulls) AS s, shapley_ordered(path, conversions, value, nulls) AS o FROM many;
EXPLAIN (COSTS OFF) SELECT markov(path, conversions, value, nulls, 2) FROM many;
SET max_parallel_workers_per_gather = 0;
CREATE TABLE alone AS SELECT markov(path, conversions, value, nulls, 2) AS m, shapley(path, conversions, value, nulls) AS s, shapley_ordered(path, conversions, value, nulls) AS o FROM many;
SELECT max(abs(a.effect - b.effect)) < 1e-12 AS markov, max(abs(a.value / b.value - 1)) < 1e-12 AS value FROM alone, in_parallel, LATERAL unnest(alone.m) a JOIN LATERAL unnest(in_parallel.m) b USING (channel);
SELECT max(abs(a.conversions / b.conversions - 1)) < 1e-12 AS shapley FROM alone, in_parallel, LATERAL unnest(alone.s) a JOIN LATERAL unnest(in_parallel.s) b USING (channel);
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; RESET max_parallel_workers_per_gather;

-- from journeys as from paths
CREATE VIEW touch AS SELECT id AS journey, '2026-01-01Z'::timestamptz + n * interval '1 hour' AS occurred_at, c AS channel FROM random_path, unnest(path) WITH ORDINALITY u (c, n);
CREATE VIEW conversion AS SELECT id AS journey, '2026-02-01Z'::timestamptz AS converted_at, value::numeric FROM random_path WHERE conversions = 1;
SELECT m.k, count(*) AS channels, max(abs(e.effect - c.removal_effect)) < 1e-12 AS effects, max(abs(e.conversions - c.conversions)) < 1e-9 AS conversions, max(abs(e.value - c.value::float8)) < 0.01 AS value, sum(c.value) AS total
FROM generate_series(1, 3) o, LATERAL markov_credits('TABLE touch', 'TABLE conversion', o) c,
	(SELECT k, markov(path, conversions, value, nulls, k) AS es FROM random_path, generate_series(1, 3) k GROUP BY k) m, unnest(es) e
WHERE m.k = o AND e.channel = c.channel GROUP BY m.k ORDER BY m.k;
SELECT * FROM markov_credits('TABLE touch', 'SELECT 9999 AS journey, now() AS converted_at, 5.5 AS value') WHERE channel IS NULL OR channel = 'a';

-- nothing, and what is wrong
SELECT markov(path, conversions, value, nulls, 1) AS nothing, shapley(path, conversions, value, nulls) AS nothing_either FROM path WHERE false;
SELECT markov(path, 0, 0, 0, 1) FROM path;
SELECT markov(NULL, 1, 1, 1, 1) AS no_path, shapley_rate('{}', 1, 1, 1) AS empty_path, markov(ARRAY[NULL, 'a'], 1, NULL, NULL, 1) AS null_step, shapley('{a}', NULL, NULL, NULL) AS null_numbers;
\set VERBOSITY terse
SELECT markov(path, conversions, value, nulls, 0) FROM path;
SELECT markov(path, conversions, value, nulls, 9) FROM path;
SELECT markov(path, conversions, value, nulls, nulls + 1) FROM path;
SELECT markov(path, -1, value, nulls, 1) FROM path;
SELECT shapley(path, 'NaN', value, nulls) FROM path;
SELECT shapley(path, 1, 'Infinity', nulls) FROM path;
SELECT shapley_rate(ARRAY['c' || n], 1, 1, 0) FROM generate_series(1, 21) n;
SELECT * FROM markov_credits('TABLE touch', 'TABLE conversion', 0);
\set VERBOSITY default
SELECT cardinality(shapley_rate(ARRAY['c' || n], 1, 1, 0)) FROM generate_series(1, 20) n;
DROP VIEW touch, conversion;
DROP TABLE path, random_path, many, alone, in_parallel;
DROP FUNCTION by_matrix;
