-- Credits of touches and shares of money, by window functions over any table.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
SET timezone = 'UTC';
SET search_path = public, lead_mgmt;

CREATE TABLE touch (path int, n int, occurred_at timestamptz, channel text, is_direct boolean DEFAULT false);
INSERT INTO touch SELECT p, n, '2026-03-01Z'::timestamptz + make_interval(days => 7 * n), chr(96 + n) FROM generate_series(1, 5) p, generate_series(1, p) n;

-- the models by the number of touches; two in a U are .5 and .5, in a J .25 and .75
CREATE FUNCTION credits(model text, length int) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(trim_scale(round(c, 6))::text, ' ' ORDER BY n)
	FROM (SELECT n, touch_credit($1, occurred_at) OVER () AS c FROM public.touch WHERE path = $2) x
$$;
SELECT m AS model, credits(m, 1) AS "1", credits(m, 2) AS "2", credits(m, 3) AS "3", credits(m, 5) AS "5"
FROM unnest('{first,last,linear,u_shaped,j_shaped,inverse_j,time_decay}'::text[]) m;

-- milestones: of the last touch until then, weights on one touch add up, what has no touch is made up for
SELECT lead, opp, string_agg(trim_scale(round(w, 4))::text, ' ' ORDER BY n) AS w_shaped, string_agg(trim_scale(round(f, 4))::text, ' ' ORDER BY n) AS full_path,
	string_agg(trim_scale(round(u, 4))::text, ' ' ORDER BY n) AS u_milestones
FROM (SELECT n, lead, opp, touch_credit('w_shaped', occurred_at, lead_created_at => l, opportunity_created_at => o) OVER p AS w,
		touch_credit('full_path', occurred_at, lead_created_at => l, opportunity_created_at => o) OVER p AS f,
		touch_credit('u_milestones', occurred_at, lead_created_at => l, opportunity_created_at => o) OVER p AS u
	FROM touch, (VALUES (1, 1), (1, 2), (2, 2), (2, 3), (3, 4), (4, 4), (0, 2), (NULL, 2), (NULL, NULL), (9, 9)) m (lead, opp),
		LATERAL (SELECT '2026-03-01 01:00Z'::timestamptz + make_interval(days => 7 * lead) AS l, '2026-03-01 01:00Z'::timestamptz + make_interval(days => 7 * opp) AS o) t
	WHERE path = 4 WINDOW p AS (PARTITION BY lead, opp)) x
GROUP BY lead, opp ORDER BY lead, opp;

-- last that is not direct; when all are, the last
SELECT p, string_agg(trim_scale(c)::text, ' ' ORDER BY n) FROM (
	SELECT p, n, touch_credit('last_non_direct', now() - make_interval(days => 9 - n::int), is_direct => d) OVER (PARTITION BY p) AS c
	FROM (VALUES (1, ARRAY[false, true, false, true, true]), (2, ARRAY[true, true]), (3, ARRAY[false])) v (p, ds), unnest(ds) WITH ORDINALITY u (d, n)) x GROUP BY p ORDER BY p;

-- by channel: participation gives each channel all, Shapley an equal share, weights as given
SELECT n, channel, p, trim_scale(s) AS shapley, trim_scale(w) AS weighted, trim_scale(z) AS nothing_known FROM (
	SELECT n, channel, touch_credit('participation', at, channel) OVER p AS p, touch_credit('shapley', at, channel) OVER p AS s,
		touch_credit('{"kind": "channels", "channels": {"a": 3, "b": 1, "a > b": 9}}', at, channel) OVER p AS w,
		touch_credit('{"kind": "channels", "channels": {"x": 3}}', at, channel) OVER p AS z
	FROM (SELECT n, channel, now() + make_interval(hours => n::int) AS at FROM unnest(ARRAY['a', 'b', 'a', 'c', NULL]) WITH ORDINALITY u (channel, n)) x WINDOW p AS ()) x ORDER BY n;

-- weights of one's own: lists from the beginning and in reading order at the end, half-lives
SELECT d, credits(d, 2) AS "2", credits(d, 5) AS "5" FROM unnest(ARRAY['{"first": [0.3, 0.1], "last": [0.2, 0.4]}', '{"first": 0.5, "other": 0.5}', '{"first": [0, 0.5], "last": 0.5}',
	'{"first": [0.1, 0.2, 0.3, 0.4]}', '{"kind": "time_decay", "half_life": "14 days"}', '{"kind": "time_decay", "half_life": "1 microsecond"}', '{"lead": 1}']) d;

-- what is no touch gets nothing: no time, after the conversion; the order of the rows does not matter
SELECT n, trim_scale(c) AS credit FROM (SELECT n, touch_credit('u_shaped', at, converted_at => '2026-03-05Z') OVER (ORDER BY n) AS c
	FROM (VALUES (1, '2026-03-04Z'::timestamptz), (2, NULL), (3, '2026-03-01Z'), (4, '2026-03-06Z'), (5, '2026-03-05Z')) v (n, at)) x;
SELECT touch_credit('linear', at) OVER () AS none FROM (VALUES (NULL::timestamptz)) v (at);
SELECT touch_credit(NULL, now()) OVER () AS unknown;
SELECT trim_scale(touch_credit('time_decay', at) OVER ()) FROM unnest(ARRAY['-infinity', '2026-01-01', 'infinity']::timestamptz[]) at;

-- what is wrong is refused
\set VERBOSITY terse
SELECT attribution_model_check('u_shaped'), attribution_model_check(NULL), attribution_model_check('{"kind": "markov", "order": 3}');
SELECT attribution_model_check('best');
SELECT attribution_model_check('');
SELECT attribution_model_check('{"first": 0.5, "other": 0.4, "name": "mine"}');
SELECT attribution_model_check('{"first": -1, "other": 2}');
SELECT attribution_model_check('{"first": "much"}');
SELECT attribution_model_check('{"first": [0.5, null]}');
SELECT attribution_model_check('{}');
SELECT attribution_model_check('{"kind": "magic"}');
SELECT attribution_model_check('{"weight": 1}');
SELECT attribution_model_check('{"kind": "time_decay", "half_life": "0"}');
SELECT attribution_model_check('{"kind": "time_decay", "half_life": "-1 day"}');
SELECT attribution_model_check('{"kind": "time_decay", "half_life": 7}');
SELECT attribution_model_check('{"kind": "time_decay", "half_life": "soon"}');
SELECT attribution_model_check('{"kind": "channels"}');
SELECT attribution_model_check('{"kind": "channels", "channels": {"a": -1}}');
SELECT attribution_model_check('{"kind": "markov", "order": 0}');
SELECT attribution_model_check('{"kind": "markov", "order": 1.5}');
SELECT attribution_model_check('{"first": ');
SELECT attribution_model_check('{"first": ' || repeat('[', 100) || repeat(']', 100) || '}');
SELECT touch_credit('{"kind": "markov"}', now()) OVER ();

-- money: whole minor units, none lost, those left over to the largest remainders, ties to the earlier
CREATE FUNCTION shares(amount numeric, credits numeric[], digits int DEFAULT 2) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(coalesce(s::text, '-'), ' ' ORDER BY n) FROM (SELECT n, allocate($1, c, $3) OVER (ORDER BY n) AS s FROM unnest($2) WITH ORDINALITY u (c, n)) x
$$;
SELECT shares(100, ARRAY[0.333333333333334, 0.333333333333333, 0.333333333333333]) AS thirds, shares(-100, ARRAY[0.333333333333334, 0.333333333333333, 0.333333333333333]) AS refund,
	shares(0.01, ARRAY[0.5, 0.5]) AS tie, shares(1000, ARRAY[0.4, 0.2, 0.4], 0) AS yen, shares(0.05, ARRAY[0.2, 0.1, 0.1, 0.6]) AS j, shares(0, ARRAY[0.3, 0.7]) AS nothing;
SELECT shares(92233720368547758.07, ARRAY[0.123456789012345, 0.876543210987655]) AS large, shares(NULL, ARRAY[0.5, 0.5]) AS unknown, shares(10, ARRAY[1, 1, 0.5]) AS participation,
	shares(10, ARRAY[NULL, 1.0]) AS "null", shares(1.005, ARRAY[0.5, 0.5]) AS rounded, shares(1.2345, ARRAY[0.5, 0.5], 4) AS fine;
SELECT shares(92233720368547758.08, ARRAY[1.0]);
SELECT shares('NaN', ARRAY[1.0]);
SELECT shares('Infinity', ARRAY[1.0]);
SELECT shares(1, ARRAY[-0.5, 1.5]);
SELECT shares(1, ARRAY[1.0], -1);
SELECT shares(1, ARRAY[1.0], 13);
\set VERBOSITY default
SELECT currency_digits(c) AS digits, c FROM unnest('{USD,JPY,VND,KWD,CLF,XXX,"",€uro}'::text[]) c;

-- every model: credits add up to 1 and money to the amount, whatever the path
SELECT setseed(0.7);
CREATE TABLE random_touch AS SELECT p, t, lead_at, opportunity_at, amount, '2026-01-01Z'::timestamptz + make_interval(mins => (random() * 90000)::int) AS at, chr(97 + (random() * 6)::int) AS channel, random() < 0.3 AS direct
	FROM (SELECT p, '2026-01-01Z'::timestamptz + make_interval(mins => (random() * 90000)::int) AS lead_at, '2026-01-01Z'::timestamptz + make_interval(mins => (random() * 90000)::int) AS opportunity_at,
		round((random() * 2000 - 300)::numeric, 2) AS amount FROM generate_series(1, 400) p) x, generate_series(1, 1 + (p % 41)) t;
WITH c AS (SELECT p, t, model, amount, at, touch_credit(model, at, channel, direct, NULL, lead_at, opportunity_at) OVER (PARTITION BY p, model) AS credit
	FROM random_touch, unnest('{first,last,last_non_direct,linear,u_shaped,u_milestones,w_shaped,full_path,j_shaped,inverse_j,time_decay,shapley}'::text[]) model),
s AS (SELECT *, allocate(amount, credit) OVER (PARTITION BY p, model ORDER BY at, t) AS share FROM c)
SELECT count(*) AS paths, count(*) FILTER (WHERE credit <> 1) AS not_whole, count(*) FILTER (WHERE share <> amount) AS lost, count(*) FILTER (WHERE off >= 0.01) AS unfair FROM (
	SELECT p, model, amount, sum(credit) AS credit, sum(share) AS share, max(abs(share - amount * credit)) AS off FROM s GROUP BY p, model, amount) x;
-- the streams give the same
SELECT count(*) AS rows, count(*) FILTER (WHERE t.credit <> c.credit OR t.amount <> c.share) AS different FROM (
	SELECT p, model, position, credit, allocate(amount, credit) OVER (PARTITION BY p, model ORDER BY position) AS share FROM (
		SELECT p, model, amount, row_number() OVER (PARTITION BY p, model ORDER BY at, t) AS position,
			touch_credit(model, at, channel, direct, '2027-01-01Z', lead_at, opportunity_at) OVER (PARTITION BY p, model) AS credit
		FROM random_touch, unnest('{last_non_direct,w_shaped,full_path,time_decay,shapley}'::text[]) model) x) c
JOIN touch_credits('SELECT p AS journey, at AS occurred_at, channel, direct AS is_direct, t AS touch_id FROM random_touch',
	'SELECT DISTINCT p AS journey, ''2026-11-01Z''::timestamptz AS converted_at, p AS conversion_id, amount AS value, lead_at AS lead_created_at, opportunity_at AS opportunity_created_at FROM random_touch',
	'{last_non_direct,w_shaped,full_path,time_decay,shapley}') t ON t.conversion_id = c.p AND t.model = c.model AND t.position = c.position;

-- a path of 100,000 touches
SELECT count(*), sum(c), max(c) = min(c) AS alike FROM (SELECT touch_credit('linear', now() + n * interval '1 second') OVER () AS c FROM generate_series(1, 100000) n) x;
SELECT sum(c), sum(s), max(s) FROM (SELECT c, allocate(1234.56, c) OVER (ORDER BY n) AS s FROM (SELECT n, touch_credit('time_decay', now() + n * interval '1 hour') OVER () AS c FROM generate_series(1, 100000) n) y) x;
DROP TABLE touch, random_touch;
DROP FUNCTION credits, shares;
