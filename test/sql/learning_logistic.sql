-- Logistic regression over any table
CREATE TABLE public.visit AS
SELECT g AS visit_id,
	CASE WHEN g % 7 = 0 THEN NULL ELSE (ARRAY['web', 'fair', 'phone', 'Hội chợ'])[1 + g % 4] END AS source,
	CASE WHEN g % 11 <> 0 THEN (g * 7919 % 1000) / 10.0::double precision END AS minutes,
	g * 104729 % 50 AS pages,
	g % 3 = 0 AS is_known,
	(g * 15485863::bigint % 1000) / 1000.0 <
		0.15 + CASE g % 4 WHEN 1 THEN 0.3 ELSE 0 END + CASE WHEN g * 7919 % 1000 > 600 THEN 0.3 ELSE 0 END
		+ CASE WHEN g % 3 = 0 AND g % 4 = 2 THEN 0.2 ELSE 0 END AS won
FROM generate_series(1, 2000) g;

-- Both solvers find the one optimum
WITH model AS MATERIALIZED (
	SELECT lead_mgmt.train_logistic_model('public.visit', jsonb_build_object('label', 'won', 'cost', 1, 'folds', 0, 'solver', s)) AS m, s
	FROM unnest(ARRAY['newton', 'liblinear']) s)
SELECT count(*) > 30 AS coefficients, max(abs(n.coefficient - l.coefficient)) < 1e-6 AS equal
FROM (SELECT c.* FROM model, lead_mgmt.logistic_coefficients(m) WITH ORDINALITY c WHERE s = 'newton') n
FULL JOIN (SELECT c.* FROM model, lead_mgmt.logistic_coefficients(m) WITH ORDINALITY c WHERE s = 'liblinear') l USING (ordinality);
-- also from a sample of many rows, where Newton's Hessian is frozen, on features as they are
CREATE TABLE public.many AS
SELECT g % 5 / 2.0::double precision AS a, g * 7919::bigint % 1000 / 100.0::double precision AS b, g * 104729::bigint % 17 AS c,
	g * 15485863::bigint % 1000 / 1000.0 < 0.1 + 0.3 * (g % 5 / 4) + g * 7919::bigint % 1000 / 2500.0 AS won
FROM generate_series(1, 200000) g;
WITH optimum AS (
	SELECT lead_mgmt.logistic_regression(won, a, b, c) AS w FROM public.many)
-- at the optimum the gradient of the objective is nil
SELECT every(abs(w[1] + error) < 1e-5 AND abs(w[2] + error_a) < 1e-5 AND abs(w[3] + error_b) < 1e-5 AND abs(w[4] + error_c) < 1e-5) AS optimal
FROM (
	SELECT w, sum(e) AS error, sum(e * a) AS error_a, sum(e * b) AS error_b, sum(e * c) AS error_c
	FROM (SELECT w, a, b, c, lead_mgmt.logistic(w, a, b, c) - won::int AS e FROM optimum, public.many) r GROUP BY w) g;
SELECT lead_mgmt.logistic_regression(won, a, b, c) = lead_mgmt.logistic_regression(won, VARIADIC ARRAY[a, b, c]) AS same FROM public.many;
SELECT round(lead_mgmt.logistic('{0.5, 1, -2}', 1, 0.25)::numeric, 6) AS p, lead_mgmt.logistic('{0.5, 1}', NULL::int) AS unknown,
	lead_mgmt.logistic('{0}', VARIADIC '{}'::double precision[]) AS even, lead_mgmt.logistic('{800}', VARIADIC '{}'::double precision[]) AS sure;
SELECT lead_mgmt.logistic('{0.5, 1}', 1, 2);
SELECT lead_mgmt.logistic('{0.5, 1}', 'a'::text);

-- Levels: values, pooled ones, missing, bins, a line
SELECT feature, kind, level_kind, level, round(from_value::numeric, 6) AS from_value, round(points::numeric, 1) AS points, rows, won
FROM lead_mgmt.logistic_coefficients(lead_mgmt.train_logistic_model('public.visit', '{"label": "won", "cost": 1, "pairs": 0, "features": [
	{"feature": "source", "minimum_rows": 429}, {"feature": "minutes", "kind": "bins", "bins": 3}, {"feature": "pages", "kind": "numeric"}]}'));

-- Held-out quality is stored, and is the same each time
SELECT m -> 'cost' AS cost, (m #>> '{report,auc}')::numeric(4, 3) AS auc, (m #>> '{report,log_loss}')::numeric(4, 3) AS log_loss,
	(m #>> '{report,brier}')::numeric(4, 3) AS brier, (m #>> '{report,calibration_error}')::double precision < 0.05 AS calibrated,
	(SELECT sum((r ->> 'rows')::int) FROM jsonb_array_elements(m #> '{report,reliability}') r) AS rows,
	m = lead_mgmt.train_logistic_model('public.visit', '{"label": "won"}') AS same
FROM (SELECT lead_mgmt.train_logistic_model('public.visit', '{"label": "won"}') AS m OFFSET 0) t;
-- a trained model can be trained again as it is
SELECT lead_mgmt.train_logistic_model('public.visit', m) = m AS same
FROM (SELECT lead_mgmt.train_logistic_model('SELECT * FROM public.visit', '{"label": "won", "cost": 0.3}') AS m OFFSET 0) t;

-- Explanations add up, whatever the calibration
SELECT method, every(abs(sum_of - ln(p / (1 - p))) < 1e-9 AND abs(product_of - p / (1 - p)) < 1e-9) AS adds_up, count(*)
FROM (
	SELECT method, lead_mgmt.logistic_probability(m, v) AS p, e.*
	FROM (SELECT method, lead_mgmt.train_logistic_model('public.visit', jsonb_build_object('label', 'won', 'cost', 1, 'calibrate', method)) AS m
		FROM unnest(ARRAY['none', 'platt', 'isotonic']) method OFFSET 0) t
	CROSS JOIN (SELECT * FROM public.visit WHERE visit_id % 40 = 3 UNION ALL
		SELECT -1, 'never seen', 1e300, -5, NULL, NULL UNION ALL SELECT -2, '', 'NaN', NULL, true, NULL) v
	CROSS JOIN LATERAL (SELECT sum(coefficient) AS sum_of, exp(sum(ln(odds))) AS product_of
		FROM lead_mgmt.explain_logistic(m, v)) e) x
GROUP BY method ORDER BY method;

-- Measures, by hand
SELECT lead_mgmt.prediction_quality(p, w) - '{log_loss,brier,calibration_error}'::text[] AS measured,
	round((lead_mgmt.prediction_quality(p, w) ->> 'brier')::numeric, 6) AS brier,
	round((lead_mgmt.prediction_quality(p, w) ->> 'log_loss')::numeric, 6) AS log_loss
FROM (VALUES (0.1, false), (0.4, true), (0.4, false), (0.9, true), (NULL, true)) v (p, w);
SELECT lead_mgmt.prediction_quality(0.5, true) ->> 'auc' AS of_one_kind, lead_mgmt.prediction_quality(0.5, NULL) AS of_none;
SELECT lead_mgmt.prediction_quality('NaN', true);

-- Measures in parallel
CREATE TABLE public.prediction AS SELECT (g * 7919 % 10007) / 10007.0::float8 AS p, g * 104729 % 10007 < g * 7919 % 10007 AS won FROM generate_series(1, 20000) g;
INSERT INTO public.prediction VALUES (NULL, true), (0.5, NULL);
ANALYZE public.prediction;
SET max_parallel_workers_per_gather = 0;
SELECT lead_mgmt.prediction_quality(p, won) AS alone FROM public.prediction \gset
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS off) SELECT lead_mgmt.prediction_quality(p, won) FROM public.prediction;
SELECT q - '{log_loss,brier,calibration_error}'::text[] = :'alone'::jsonb - '{log_loss,brier,calibration_error}'::text[] AS same_counts,
	(SELECT bool_and(abs((q ->> k)::float8 - (:'alone'::jsonb ->> k)::float8) < 1e-9) FROM unnest('{log_loss,brier,calibration_error}'::text[]) k) AS same_measures
FROM (SELECT lead_mgmt.prediction_quality(p, won) AS q FROM public.prediction) x;
SELECT lead_mgmt.prediction_quality(p, won) AS of_none FROM public.prediction WHERE p > 1;
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
DROP TABLE public.prediction;

-- Bad input
SELECT lead_mgmt.train_logistic_model('SELECT * FROM public.visit WHERE false', '{"label": "won"}');
SELECT lead_mgmt.train_logistic_model('SELECT * FROM public.visit WHERE won', '{"label": "won"}');
SELECT lead_mgmt.train_logistic_model('SELECT pages, NULL::boolean AS won FROM public.visit', '{"label": "won"}');
SELECT lead_mgmt.train_logistic_model('public.visit', '{"label": "lost"}');
SELECT lead_mgmt.train_logistic_model('public.visit', '{"label": "pages"}');
SELECT lead_mgmt.train_logistic_model('public.visit', '{"label": "source"}');
SELECT lead_mgmt.train_logistic_model('public.visit', '{}');
SELECT lead_mgmt.train_logistic_model('public.visit', '[]');
SELECT lead_mgmt.train_logistic_model('public.visit', '{"label": "won", "cost": 0}');
SELECT lead_mgmt.train_logistic_model('public.visit', '{"label": "won", "folds": 1}');
SELECT lead_mgmt.train_logistic_model('public.visit', '{"label": "won", "features": [{"feature": "source", "kind": "numeric"}]}');
SELECT lead_mgmt.train_logistic_model('public.visit', '{"label": "won", "features": [{"feature": "source", "kind": "text"}]}');
SELECT lead_mgmt.train_logistic_model('public.visit', '{"label": "won", "features": []}');
SELECT lead_mgmt.train_logistic_model('DELETE FROM public.visit', '{"label": "won"}');
SELECT lead_mgmt.logistic_probability('{"label": "won"}', v) FROM public.visit v LIMIT 1;
SELECT lead_mgmt.logistic_probability(lead_mgmt.train_logistic_model('public.visit', '{"label": "won"}'), ROW(1));
SELECT lead_mgmt.logistic_regression(w, 1) FROM (VALUES (true), (true)) v (w);
SELECT lead_mgmt.logistic_regression(w, x) FROM (VALUES (true, 1), (false, 'NaN'::float8)) v (w, x);
SELECT lead_mgmt.logistic_regression(w, x) AS of_none FROM (VALUES (true, NULL::int), (NULL, 1)) v (w, x);
-- constant, perfectly separating and extreme features have their optimum
SELECT every(c.coefficient BETWEEN -100 AND 100) AS finite, every(p BETWEEN 0 AND 1) AS sound, bool_and((p > 0.5) = v.won) AS separated
FROM (SELECT g > 50 AS won, 7 AS constant, g > 50 AS tells, 1e300 * g AS large, g * 1e-300 AS small, 'x'::text AS same,
		CASE WHEN g = 50 THEN 'NaN'::double precision WHEN g = 51 THEN '-infinity' ELSE g END AS odd
	FROM generate_series(1, 100) g) v,
	lead_mgmt.train_logistic_model('SELECT g > 50 AS won, 7 AS constant, g > 50 AS tells, 1e300 * g AS large, g * 1e-300 AS small,
		''x''::text AS same, CASE WHEN g = 50 THEN ''NaN''::double precision WHEN g = 51 THEN ''-infinity'' ELSE g END AS odd
		FROM generate_series(1, 100) g',
		'{"label": "won", "features": [{"feature": "constant", "kind": "numeric"}, {"feature": "tells"}, {"feature": "large", "kind": "numeric"},
		{"feature": "small", "kind": "numeric"}, {"feature": "same"}, {"feature": "odd", "kind": "numeric"}, {"feature": "odd", "kind": "bins"}]}') m,
	LATERAL (SELECT lead_mgmt.logistic_probability(m, v) AS p) p, lead_mgmt.logistic_coefficients(m) c
WHERE c.level_kind <> 'number';
DROP TABLE public.visit, public.many;
