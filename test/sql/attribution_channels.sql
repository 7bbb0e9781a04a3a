-- Credits of channels and touches from queries for touches and conversions.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
SET timezone = 'UTC';
SET search_path = public, lead_mgmt;

CREATE TABLE touch (journey int, occurred_at timestamptz, channel text, is_direct boolean, touch_id bigint, session text);
INSERT INTO touch VALUES
	(1, '2026-01-01', 'search', false, 1, 's1'), (1, '2026-01-08', 'mail', false, 2, 's2'), (1, '2026-01-08', 'mail', false, 3, 's2'), (1, '2026-01-15', 'direct', true, 4, 's3'),
	(2, '2026-01-01', 'search', false, 5, NULL), (2, '2026-01-01 00:10', 'social', false, 6, NULL), (2, '2026-01-01 01:00', 'social', false, 7, NULL),
	(3, '2026-01-05', 'mail', false, 8, 's4'), (5, '2026-02-05', 'a, "b" > {c}', false, 9, 's5'), (6, '2026-02-05', '', false, 10, 's6'),
	(1, '2026-01-20', 'after', false, 11, 's7'), (NULL, '2026-01-01', 'nobody', false, 12, NULL), (1, NULL, 'never', false, 13, NULL), (1, '2026-01-02', NULL, false, 14, NULL),
	(1, '2999-01-01', 'future', false, 15, NULL);
CREATE TABLE conversion (journey int, converted_at timestamptz, value numeric, conversion_id bigint, lead_created_at timestamptz);
INSERT INTO conversion VALUES (1, '2026-01-15', 100, 11, '2026-01-08'), (2, '2026-01-02', 33.34, 12, NULL), (4, '2026-01-02', 5, 14, NULL), (3, '2026-01-01', NULL, 13, NULL),
	(1, '2026-01-16', -100, 15, '2026-01-08'), (5, '3000-01-01', 7, 16, NULL), (6, '2026-03-01', 1, 17, NULL), (NULL, '2026-03-01', 1, 18, NULL), (6, NULL, 1, 19, NULL);

SELECT * FROM channel_credits('TABLE touch', 'TABLE conversion', '{first,last,last_non_direct,linear,u_milestones,participation}');
SELECT * FROM touch_credits('TABLE touch', 'TABLE conversion', ARRAY['u_shaped', '{"name": "mine", "first": 0.1, "last": 0.9}']) ORDER BY conversion_id, model, position;
-- without the columns that may be left out; a comment in the text of a query
SELECT * FROM touch_credits('SELECT journey, occurred_at::date AS occurred_at, channel::varchar FROM touch -- all', 'SELECT journey, converted_at FROM conversion WHERE journey < 3', '{last}');

-- look-back, also of zero; sessions, given or by 30 minutes; repeats; channels
CREATE FUNCTION counted(look_back interval DEFAULT NULL, counting text DEFAULT 'touch', collapse boolean DEFAULT false, include text[] DEFAULT NULL, exclude text[] DEFAULT NULL, id bigint DEFAULT 11) RETURNS text
	LANGUAGE sql AS $$ SELECT string_agg(coalesce(touch_id::text, 'none'), ' ' ORDER BY position) FROM touch_credits('TABLE touch', 'TABLE conversion', '{linear}', $1, $2, $3, $4, $5) WHERE conversion_id = $6 $$;
SELECT counted() AS everything, counted('7 days') AS week, counted('6 days') AS less, counted('0') AS zero, counted('1 month') AS month, counted(counting => 'session') AS sessions, counted(collapse => true) AS collapsed,
	counted(include => '{mail,search}') AS included, counted(exclude => '{direct}') AS excluded, counted(include => '{}') AS nothing;
SELECT counted(id => 12) AS everything, counted(counting => 'session', id => 12) AS sessions, counted(collapse => true, id => 12) AS collapsed;
SELECT sum(conversions) AS conversions, sum(value) AS value FROM channel_credits('TABLE touch', 'TABLE conversion', '{linear}', look_back => '0');

-- journeys of other types, in the order as it is stored or not, looked up or not
CREATE TABLE big AS SELECT j, ((j * 7919) % 20011)::bigint AS mixed, '2026-01-01Z'::timestamptz + make_interval(hours => j % 50 + t * 10) AS occurred_at, 'c' || (j * t) % 7 AS channel FROM generate_series(1, 20000) j, generate_series(1, 3) t ORDER BY j, t;
CREATE TABLE big_conversion AS SELECT j, ((j * 7919) % 20011)::bigint AS mixed, '2026-02-01Z'::timestamptz AS converted_at, (j % 97)::numeric / 4 AS value FROM generate_series(1, 20000) j;
ANALYZE big; ANALYZE big_conversion;
CREATE FUNCTION same(touches text, conversions text) RETURNS text LANGUAGE sql AS $$
	SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) || ' ' || sum(conversions) || ' ' || sum(value) FROM channel_credits($1, $2, '{first,linear,time_decay}') t $$;
SELECT count(DISTINCT s), min(split_part(s, ' ', 2)), min(split_part(s, ' ', 3)) FROM (SELECT same(t, c) AS s FROM (VALUES
	('SELECT j AS journey, * FROM big', 'SELECT j AS journey, * FROM big_conversion'),
	('SELECT mixed AS journey, * FROM big', 'SELECT mixed AS journey, * FROM big_conversion'),
	('SELECT j AS journey, * FROM big ORDER BY random()', 'SELECT j AS journey, * FROM big_conversion'),
	('SELECT j AS journey, * FROM big', 'SELECT j AS journey, * FROM big_conversion ORDER BY j DESC'),
	('SELECT j::text COLLATE "C" AS journey, * FROM big', 'SELECT j::text COLLATE "C" AS journey, * FROM big_conversion'),
	('SELECT (md5(j::text))::uuid AS journey, * FROM big', 'SELECT md5(j::text)::uuid AS journey, * FROM big_conversion'),
	('SELECT j::numeric AS journey, * FROM big', 'SELECT j::numeric AS journey, * FROM big_conversion'),
	-- in order but for the very last rows
	('SELECT j AS journey, * FROM (SELECT * FROM big WHERE j > 1) x UNION ALL SELECT j AS journey, * FROM big WHERE j = 1', 'SELECT j AS journey, * FROM big_conversion')) q (t, c)) x;
CREATE INDEX ON big (j, occurred_at);
CREATE INDEX ON big (mixed, occurred_at);
ANALYZE big;
SELECT same('SELECT j AS journey, occurred_at, channel FROM big', 'SELECT j AS journey, * FROM big_conversion WHERE j % 1000 = 7') = same('SELECT j AS journey, occurred_at, channel FROM big WHERE j % 1000 = 7', 'SELECT j AS journey, * FROM big_conversion WHERE j % 1000 = 7') AS looked_up;
-- against window functions
SELECT max(abs(c.conversions - w.conversions)) < 1e-9 AS same_conversions, max(abs(c.value - w.value)) < 100 AS near_value FROM (
	SELECT 'first' AS model, channel, sum(CASE WHEN p = 1 THEN 1 ELSE 0 END) AS conversions, sum(CASE WHEN p = 1 THEN value ELSE 0 END) AS value FROM (
		SELECT channel, value, row_number() OVER (PARTITION BY j ORDER BY occurred_at) AS p FROM big JOIN big_conversion c USING (j)) x GROUP BY channel
	UNION ALL SELECT 'linear', channel, sum(1::numeric / 3), sum(value / 3) FROM big JOIN big_conversion c USING (j) GROUP BY channel) w
JOIN channel_credits('SELECT j AS journey, * FROM big', 'SELECT j AS journey, * FROM big_conversion', '{first,linear}') c USING (model, channel);
-- more channels than anybody has, and a path of 100,000 touches
SELECT count(*), sum(conversions) FROM channel_credits('SELECT 1 AS journey, now() - n * interval ''1 second'' AS occurred_at, ''channel '' || n AS channel FROM generate_series(1, 10000) n',
	'SELECT 1 AS journey, now() AS converted_at', '{linear}');
SELECT channel, conversions, value FROM channel_credits('SELECT 1 AS journey, now() - n * interval ''1 second'' AS occurred_at, CASE WHEN n % 3 = 0 THEN ''x'' ELSE ''y'' END AS channel FROM generate_series(1, 100000) n',
	'SELECT 1 AS journey, now() AS converted_at, 99999.99 AS value', '{linear}');
-- a name of 10,000 characters, composed and decomposed ones, and others
SELECT length(channel), conversions FROM channel_credits($$SELECT 1 AS journey, now() AS occurred_at, c AS channel FROM unnest(ARRAY[repeat('x', 10000), 'quảng cáo', normalize('quảng cáo', NFD), '広告', '']) c$$,
	'SELECT 1 AS journey, now() AS converted_at', '{linear}');
-- nothing at all
SELECT * FROM channel_credits('SELECT * FROM touch WHERE false', 'SELECT * FROM conversion WHERE false', '{linear}');
SELECT * FROM channel_credits('SELECT * FROM touch WHERE false', 'SELECT * FROM conversion WHERE journey = 1', '{linear}');

-- bad input
\set VERBOSITY terse
SELECT * FROM channel_credits(NULL, 'TABLE conversion', '{linear}');
SELECT * FROM channel_credits('TABLE touch', 'TABLE conversion', NULL);
SELECT * FROM channel_credits('TABLE touch', 'TABLE conversion', '{}');
SELECT * FROM channel_credits('TABLE touch', 'TABLE conversion', '{linear,NULL}');
SELECT * FROM channel_credits('TABLE touch', 'TABLE conversion', (SELECT array_agg('linear'::text) FROM generate_series(1, 257)));
SELECT * FROM channel_credits('TABLE touch', 'TABLE conversion', '{unknown}');
SELECT * FROM channel_credits('TABLE touch', 'TABLE conversion', '{linear}', look_back => '-1 day');
SELECT * FROM channel_credits('TABLE touch', 'TABLE conversion', '{linear}', counting => 'click');
SELECT * FROM channel_credits('TABLE touch', 'TABLE conversion', '{linear}', digits => 20);
SELECT * FROM channel_credits('TABLE nowhere', 'TABLE conversion', '{linear}');
SELECT * FROM channel_credits('SELECT journey, occurred_at FROM touch', 'TABLE conversion', '{linear}');
SELECT * FROM channel_credits('SELECT journey::text, occurred_at, channel FROM touch', 'TABLE conversion', '{linear}');
SELECT * FROM channel_credits('SELECT ''{}''::json AS journey, occurred_at, channel FROM touch', 'SELECT ''{}''::json AS journey, converted_at FROM conversion', '{linear}');
SELECT * FROM channel_credits('DELETE FROM touch RETURNING *', 'TABLE conversion', '{linear}');
SELECT * FROM channel_credits('TABLE touch', 'SELECT journey, converted_at, ''NaN''::numeric AS value FROM conversion', '{linear}');
SELECT * FROM channel_credits('TABLE touch', 'SELECT journey, converted_at, 1e30 AS value FROM conversion', '{linear}');
SELECT * FROM channel_credits('TABLE touch', 'SELECT journey, converted_at, 9e16 AS value FROM conversion', '{linear}');
SELECT count(*) FROM touch;
\set VERBOSITY default
DROP TABLE touch, conversion, big, big_conversion;
DROP FUNCTION counted, same;
-- nothing stays open behind it
BEGIN;
CREATE TABLE t (journey bigint, occurred_at timestamptz, channel text);
CREATE TABLE c (journey bigint, converted_at timestamptz);
SELECT count(*) FROM lead_mgmt.channel_credits('TABLE t', 'TABLE c', '{linear}');
SELECT count(*) FROM lead_mgmt.touch_credits('TABLE t', 'TABLE c', '{linear}');
SELECT count(*) FROM lead_mgmt.markov_credits('TABLE t', 'TABLE c');
SELECT count(*) FROM pg_cursors;
DROP TABLE t, c;
ROLLBACK;
