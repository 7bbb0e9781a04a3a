-- Row images: from an image of any row, that very row can be made again.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
\set SHOW_CONTEXT never
CREATE SCHEMA regress_images;
SET search_path = regress_images, public;
CREATE TYPE mood AS ENUM ('glad', 'so so');
CREATE TYPE pair AS (a integer, b text);
CREATE DOMAIN plate AS varchar(10) CHECK (value <> '');
CREATE TABLE kinds (
	id integer PRIMARY KEY, b boolean, i2 smallint, i8 bigint, n numeric, f4 real, f8 double precision, t text, c char(5), v varchar(20), nm name, "odd ""name" text,
	j json, jb jsonb, d date, ts timestamp, tz timestamptz, tm time, tmz timetz, iv interval, by bytea, bt bit(4), vb varbit, u uuid, ip inet, nt macaddr,
	ir int4range, mr int4multirange, p point, bx box, a integer[], a2 text[][], ja jsonb[], m mood, pr pair, prs pair[], dm plate, mo money, x xml, tv tsvector, o oid, r regclass,
	em lead_mgmt.email, ph lead_mgmt.phone, dropped integer, made text GENERATED ALWAYS AS (t || '!') STORED);
ALTER TABLE kinds DROP COLUMN dropped;
INSERT INTO kinds VALUES
	(1, true, -5, 9223372036854775807, 1.500, 0.1, 1e-300, 'Đà "Nẵng" \ ' || E'\n\t' || '名字', 'ab', 'x', 'nm', 'odd',
	 '{"a" :  1, "a": 2}', '{"b": [1, {"c": null}], "a": 1.00}', '2024-02-29', '2024-02-29 12:34:56.789012', '2024-02-29 12:34:56.789012+07', '23:59:59.999999', '12:00+05:30', '1 year -2 mons 3 days -04:05:06.789', '\x00ff0d', B'1010', B'101', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '10.1.2.3/8', '08:00:2b:01:02:03',
	 '[1,5)', '{[1,3),[5,8)}', '(1.1,2.2)', '(1,1),(0,0)', '[0:2]={1,NULL,3}', '{{a,"b c"},{NULL,"d\"e"}}', ARRAY['{"x": 1}'::jsonb, 'null'], 'so so', ROW(1, 'a,"b'), ARRAY[ROW(NULL, '')::pair], 'ABC', 1234.56, '<a>1</a>', 'a:1 b:2A', 42, 'pg_class',
	 'Ann@Example.com', '+16502530000'),
	(2, false, 0, 0, 'NaN', 'NaN', 'Infinity', '', '', '', '', '', 'null', 'null', 'infinity', '-infinity', 'infinity', '00:00', '00:00+00', '0', '', B'0000', B'', NULL, '::1', NULL,
	 'empty', '{}', NULL, NULL, '{}', '{}', '{}', NULL, NULL, '{}', NULL, -0.01, NULL, '', 0, NULL, NULL, NULL),
	(3, NULL, NULL, NULL, 'Infinity', '-Infinity', '-0', repeat('đ', 10000), NULL, NULL, NULL, NULL, '"s"', '"s"', '0044-03-15 BC', NULL, '0044-03-15 BC', NULL, NULL, '-178000000 years', NULL, NULL, NULL, NULL, NULL, NULL,
	 NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, ROW(NULL, NULL), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	(4, NULL, NULL, NULL, 1e30, 3.4028235e38, 1.7976931348623157e308, NULL, NULL, NULL, NULL, NULL, NULL, '5', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
	 NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
\pset format unaligned
SELECT jsonb_pretty(lead_mgmt.row_image(k) - 'mo') FROM kinds k WHERE id = 1;
SELECT lead_mgmt.row_image(k) -> 'jb' AS jb, lead_mgmt.row_image(k) -> 'j' AS j, lead_mgmt.row_image(k) -> 'n' AS n, lead_mgmt.row_image(k) -> 'f8' AS f8 FROM kinds k ORDER BY id;
SELECT lead_mgmt.row_image(k) ? 'made' AS generated, lead_mgmt.row_image(k) ? 'dropped' AS dropped FROM kinds k WHERE id = 1;
\pset format aligned
-- the same, whatever the session's settings when the image is taken and when it is read
SET datestyle = 'German'; SET intervalstyle = 'sql_standard'; SET extra_float_digits = -5; SET bytea_output = 'escape'; SET timezone = 'Asia/Kathmandu';
CREATE TABLE images AS SELECT id, lead_mgmt.row_image(k) AS image FROM kinds k;
RESET datestyle; RESET intervalstyle; RESET extra_float_digits; RESET bytea_output; RESET timezone;
CREATE FUNCTION same() RETURNS TABLE (id integer, is_same boolean) LANGUAGE sql AS $$
	SELECT k.id, ROW(k.b, k.i2, k.i8, k.n, k.f4, k.f8, k.t, k.c, k.v, k.nm, k."odd ""name", k.j::text, k.jb, k.d, k.ts, k.tz, k.tm, k.tmz, k.iv, k.by, k.bt, k.vb, k.u, k.ip, k.nt,
			k.ir, k.mr, k.p::text, k.bx::text, k.a, array_lower(k.a, 1), k.a2, k.ja, k.m, k.pr, k.prs, k.dm, k.mo, k.x::text, k.tv, k.o, k.r, k.em, k.ph)
		IS NOT DISTINCT FROM ROW(r.b, r.i2, r.i8, r.n, r.f4, r.f8, r.t, r.c, r.v, r.nm, r."odd ""name", r.j::text, r.jb, r.d, r.ts, r.tz, r.tm, r.tmz, r.iv, r.by, r.bt, r.vb, r.u, r.ip, r.nt,
			r.ir, r.mr, r.p::text, r.bx::text, r.a, array_lower(r.a, 1), r.a2, r.ja, r.m, r.pr, r.prs, r.dm, r.mo, r.x::text, r.tv, r.o, r.r, r.em, r.ph)
	FROM images i JOIN kinds k USING (id) CROSS JOIN lead_mgmt.row_of_image(NULL::kinds, i.image) r ORDER BY 1
$$;
SELECT * FROM same();
SELECT count(*) FROM kinds k JOIN images i USING (id) WHERE lead_mgmt.row_image(k) <> i.image;
-- columns the image does not name are null, others are left aside
SELECT * FROM lead_mgmt.row_of_image(NULL::pair, '{"b": "x", "c": 1}');
SELECT lead_mgmt.row_of_image(NULL::pair, NULL) IS NULL AS nothing;
SELECT lead_mgmt.row_image(NULL::pair) IS NULL AS nothing;
SELECT lead_mgmt.row_image(r) FROM (SELECT 1 AS one, 'x' AS two) r;
-- what is no image
SELECT lead_mgmt.row_of_image(NULL::pair, '[]');
SELECT lead_mgmt.row_of_image(NULL::pair, '5');
SELECT lead_mgmt.row_of_image(NULL::pair, '{"a": "x"}');
SELECT lead_mgmt.row_of_image(1, '{}');
SELECT lead_mgmt.row_of_image(NULL::kinds, '{"dm": ""}');
SET client_min_messages = warning;
RESET search_path;
DROP SCHEMA regress_images CASCADE;
