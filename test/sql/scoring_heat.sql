-- The type heat: points that cool, exactly, in any order, and stay in order.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
\set VERBOSITY terse
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET search_path = lead_mgmt, public;

-- points halve with every half-life
SELECT heat_at(h, t) FROM (SELECT heat(40, '2026-01-01', '10 days') AS h) x, generate_series(timestamptz '2025-12-22', '2026-01-31', '10 days') t;
SELECT heat_at(heat(12), t) FROM unnest(ARRAY['-infinity', '0001-01-01', '2026-01-01', '9999-01-01', 'infinity']::timestamptz[]) t;
SELECT heat_at(heat(12, '2026-01-01', '1 day'), t) FROM unnest(ARRAY['-infinity', '0001-01-01', '9999-01-01', 'infinity']::timestamptz[]) t;
SELECT heat_at(heat(-8, '2026-01-01', '1 day'), '2026-01-04'), heat_at('0', now());
-- those that came late or out of order count as if they had come in time
SELECT heat_at(heat(8, '2026-01-03', '1 day') + heat(8, '2026-01-01', '1 day') + heat(8, '2026-01-02', '1 day'), '2026-01-04');
SELECT heat(8, '2026-01-03', '1 day') + heat(8, '2026-01-01', '1 day') = heat(8, '2026-01-01', '1 day') + heat(8, '2026-01-03', '1 day') AS commutes;
-- what is taken out is gone without a trace
SELECT heat(8, '2026-01-03', '1 day') + heat(1e10, '2026-01-01', '1 day') - heat(1e10, '2026-01-01', '1 day') = heat(8, '2026-01-03', '1 day') AS exact,
	heat(8, '2026-01-03', '1 day') - heat(8, '2026-01-03', '1 day') AS nothing;
SELECT heat(8, '-infinity', '1 day') AS long_cold;
-- half-lives side by side
SELECT heat_at(h, '2026-01-11'), heat_at(h, '2026-01-21') FROM (SELECT heat(40, '2026-01-01', '10 days') + heat(16, '2026-01-01', '5 days') + heat(3) AS h) x;
SELECT sum(h), heat_at(sum(h), '2026-01-01') FROM unnest(ARRAY[heat(40, '2026-01-01', '10 days'), NULL, heat(2), heat(16, '2026-01-01', '5 days')]) h;
SELECT sum(h) FROM (SELECT heat(1) WHERE false) x (h);

-- text
SELECT h::heat, h::heat::text::heat = h::heat AS same FROM unnest(ARRAY['0', '12', '-0', ' 12.5 ', '+3', '1e3', '12@2026-01-31T00:00:00Z/30d', '12@2026-01-31 12:30:15.5Z/36h',
	'12@2026-01-31T00:00:00Z/90s', '12@2026-01-31T00:00:00Z/7us', '12@0044-03-15T00:00:00Z BC/30d', '12@294000-01-01T00:00:00Z/30d', '1 + 2 + 3@2026-01-31T00:00:00Z/1d + -3',
	'5@2026-01-01T00:00:00Z/1d + 5@2026-01-02T00:00:00Z/24h', '43.2~1e-20@2026-01-31T00:00:00Z/30d']) h;
SELECT ''::heat;
SELECT 'warm'::heat;
SELECT '12@now/30d'::heat;
SELECT '12@2026-01-31/30d'::heat;
SELECT '12@2026-01-31T00:00:00/30d'::heat;
SELECT '12@2026-01-31T00:00:00+07Z/30d'::heat;
SELECT '12@2026-13-31T00:00:00Z/30d'::heat;
SELECT '12@2026-01-31T00:00:00Z'::heat;
SELECT '12@2026-01-31T00:00:00Z/0d'::heat;
SELECT '12@2026-01-31T00:00:00Z/-1d'::heat;
SELECT '12@2026-01-31T00:00:00Z/30'::heat;
SELECT '12@2026-01-31T00:00:00Z/30 days'::heat;
SELECT '12@2026-01-31T00:00:00Z/99999999999999999999d'::heat;
SELECT '12@2026-01-31T00:00:00Z/999999999999d'::heat;
SELECT 'NaN'::heat;
SELECT 'Infinity'::heat;
SELECT '0x10'::heat;
SELECT '12 13'::heat;
SELECT '12 +'::heat;
SELECT repeat('1', 10000)::heat;
SELECT string_agg('1', ' + ')::heat FROM generate_series(1, 65);
SELECT heat('NaN');
SELECT heat('Infinity', now(), '1 day');
SELECT heat(1e301, now(), '1 day');
SELECT heat(1, now(), '0');
SELECT heat(1, now(), '-1 day');
SELECT heat(1, now(), '170000000 years');
SELECT heat(1, now(), '-170000000 years');
SELECT heat_at(heat(1, '2026-01-01', '100000 years'), '2026-01-01');
SELECT heat(1, 'infinity', '1 day');
SELECT heat_leaves(heat(1), 'NaN', 1, now());
SELECT heat_leaves(heat(1), 0, 1, 'infinity');
SELECT sum(heat(1, '2026-01-01', d * interval '1 day')) IS NULL AS of_too_many_kinds FROM generate_series(1, 65) d;
SELECT setseed(0.5);

-- whatever goes out comes in again as it was
CREATE TEMP TABLE heats AS
SELECT heat(p, t, d) + heat(p * random(), t + random() * interval '1000 days', d) + heat(p * random(), t, d + interval '1 day') - heat(p / 3) AS h
FROM (SELECT (random() - 0.5) * 10 ^ (random() * 20 - 10) AS p, timestamptz '2000-01-01' + (random() - 0.5) * interval '9000 years' AS t,
	(ARRAY['1 microsecond', '1 second', '83 hours', '30 days', '500 years'])[1 + floor(random() * 5)]::interval AS d FROM generate_series(1, 5000)) r;
SELECT count(*) FILTER (WHERE h::text::heat <> h) AS changed, count(*) FILTER (WHERE h::text::heat::text <> h::text) AS unstable, count(*) FROM heats;
SELECT count(DISTINCT h) = count(DISTINCT h::text) AS alike, count(*) FILTER (WHERE hash <> hash_again) AS hashed_otherwise
FROM (SELECT h, heat_hash(h) AS hash, heat_hash(h::text::heat) AS hash_again FROM heats) x;

-- no drift: a hundred thousand interactions in any order, against exact arithmetic
SELECT abs(heat_at(up, t) / exact - 1) < 1e-14 AS up, abs(heat_at(down, t) / exact - 1) < 1e-14 AS down, abs(heat_at(up - down, t)) < 1e-25 AS alike
FROM (SELECT sum(heat(1, timestamptz '2026-01-01' + i * interval '1 minute', '1 day') ORDER BY i) AS up,
	sum(heat(1, timestamptz '2026-01-01' + i * interval '1 minute', '1 day') ORDER BY i DESC) AS down FROM generate_series(0, 99999) i) s,
	(SELECT timestamptz '2026-01-01' + 99999 * interval '1 minute' AS t, (1 - power(2::numeric, -100000::numeric / 1440)) / (1 - power(2::numeric, -1::numeric / 1440)) AS exact) e;

-- centuries do not overflow, and half-lives of a microsecond do not either
SELECT heat_at(heat(100, '1900-01-01', '1 hour') + heat(100, '2900-01-01', '1 hour'), '2900-01-01 01:00') AS fifty, heat(100, '2900-01-01', '1 us') > heat(1e9, '1900-01-01', '1 us') AS later;

-- the order stays as time passes
SELECT count(*) AS wrong FROM (
	SELECT a.h AS a, b.h AS b, t FROM
		(SELECT heat((random() - 0.3) * 100, timestamptz '2026-01-01' + random() * interval '1 year', '30 days') AS h FROM generate_series(1, 100)) a,
		(SELECT heat((random() - 0.3) * 100, timestamptz '2026-01-01' + random() * interval '1 year', '30 days') AS h FROM generate_series(1, 100)) b,
		unnest(ARRAY['2025-01-01', '2026-06-01', '2030-01-01']::timestamptz[]) t) x
WHERE (a < b) <> (heat_at(a, t) < heat_at(b, t)) OR (a > b) <> (heat_at(a, t) > heat_at(b, t));
SELECT count(*) AS wrong FROM heats a, (SELECT h FROM heats LIMIT 100) b
WHERE (a.h < b.h)::int + (a.h = b.h)::int + (a.h > b.h)::int <> 1 OR (a.h <= b.h) = (a.h > b.h) OR (a.h >= b.h) = (a.h < b.h) OR (a.h <> b.h) = (a.h = b.h)
	OR heat_cmp(a.h, b.h) <> -heat_cmp(b.h, a.h);
CREATE TEMP TABLE ranked AS SELECT g AS id, heat(g % 97, timestamptz '2026-01-01' + g * interval '7 hours', '30 days') AS h FROM generate_series(1, 2000) g;
CREATE INDEX ON ranked (h);
SET enable_seqscan = off;
EXPLAIN (COSTS off) SELECT id FROM ranked ORDER BY h DESC LIMIT 3;
SELECT id FROM ranked ORDER BY h DESC LIMIT 3;
RESET enable_seqscan;
SELECT id FROM ranked ORDER BY heat_at(h, '2040-01-01') DESC LIMIT 3;
SELECT count(*) FROM ranked a JOIN ranked b USING (h);

-- when a range of points is left
SELECT heat_leaves(heat(100, '2026-01-01', '10 days'), 50, 'infinity', '2026-01-01') AS cools,
	heat_leaves(heat(100, '2026-01-01', '10 days'), 0, 200, '2026-01-01') AS never,
	heat_leaves(heat(100, '2026-01-01', '10 days'), 0, 50, '2026-01-01') AS outside,
	heat_leaves(heat(-100, '2026-01-01', '10 days'), '-infinity', -25, '2026-01-01') AS forgotten,
	heat_leaves(heat(100, '2026-01-01', '10 days') + heat(20), 20, 'infinity', '2026-01-01') AS approaches,
	heat_leaves(heat(30), 26, 61, '2026-01-01') AS stays, heat_leaves('0', 0, 61, '2026-01-01') AS nothing;
SELECT heat_leaves(h, l, 'infinity', '2026-01-01') AS at, abs(heat_at(h, heat_leaves(h, l, 'infinity', '2026-01-01')) - l) < 1e-6 AS right
FROM (SELECT heat(100, '2026-01-01', '10 days') + heat(50, '2026-01-01', '40 days') + heat(20, '2026-01-01', '2 days') AS h) x, unnest(ARRAY[100, 50, 10, 0.001]) l;
-- down and up again: the first of several crossings counts
SELECT heat_leaves(h, 40, 'infinity', '2026-01-01') AS below, heat_leaves(h, '-infinity', 60, '2026-01-01 12:00') AS above
FROM (SELECT heat(60, '2026-01-01', '1 day') - heat(70, '2026-01-01', '8 days') + heat(70) AS h) x;
SELECT count(*) AS wrong FROM (
	SELECT h, heat_leaves(h, 10, 1000, '2026-01-01') AS t FROM (
		SELECT heat(random() * 100, '2025-12-01', '3 days') - heat(random() * 60, '2025-12-10', '9 days') + heat(random() * 200, '2025-11-01', '30 days') + heat(random() * 20) AS h
		FROM generate_series(1, 500)) r WHERE heat_at(h, '2026-01-01') BETWEEN 10 AND 999) x
WHERE t < 'infinity' AND abs(heat_at(h, t) - 10) > 1e-6
	OR EXISTS (SELECT FROM generate_series(timestamptz '2026-01-01', '2027-01-01', '1 day') d WHERE d < t AND heat_at(h, d) < 10 - 1e-9);
