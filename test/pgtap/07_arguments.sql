-- No function fails for a reason of the server's own, nor ends it, whatever it
-- is called with: each is given NULL and values from the edge of each type,
-- one argument at a time and all at once.
\set QUIET on
\set ON_ERROR_STOP on
\pset format unaligned
\pset tuples_only on
\pset pager off
SET client_min_messages = error;
BEGIN;
SELECT lead_mgmt.create_workspace('crm');
SELECT no_plan();

SELECT status FROM crm.capture('default', '{"email": "jane@example.com", "name": "Jane Roe", "company": "Acme", "page": "pricing"}') \gset

-- The first value of a type is an ordinary one.
CREATE TEMP TABLE edge (type text, value text);
INSERT INTO edge (type, value)
SELECT v.type, unnest(v.list) FROM (VALUES
	('text', ARRAY['''default''', '''''', '''contact''', '''%s%n$1''', '''x''''; --''', '''Nguyễn Thị Ánh''', 'repeat(''é'', 3000)', 'chr(1)', '''{}''', '''2026-02-30''']),
	('bigint', ARRAY['1', '0', '-1', '9223372036854775807', '(-9223372036854775808)']),
	('integer', ARRAY['1', '0', '-1', '2147483647', '(-2147483648)']),
	('smallint', ARRAY['1', '0', '-32768']),
	('double precision', ARRAY['0.5', '0', '''NaN''', '''infinity''', '''-infinity''', '1e308', '5e-324', '-1']),
	('real', ARRAY['0.5', '''NaN''']),
	('numeric', ARRAY['10', '0', '''NaN''', '1e300', '-5', '''infinity''']),
	('boolean', ARRAY['true', 'false']),
	('jsonb', ARRAY['''{"email": "a@example.com"}''', '''{}''', '''[]''', '''null''', '''1''', '''"x"''', '''[1, [2, {"a": null}]]''', '''{"fields": [], "comparisons": [{}]}''', '''{"label": "won", "features": [{}]}''', '''{"first": [0.5], "kind": 7}''']),
	('json', ARRAY['''{}''', '''[1]''']),
	('bytea', ARRAY['''{"a": 1}''', '''''', '''\x00''', '''\xff00''']),
	('interval', ARRAY['''1 day''', '''0''', '''-1 day''', '''178000000 years''', '''1 microsecond''']),
	('timestamp with time zone', ARRAY['now()', '''infinity''', '''-infinity''', '''0001-01-01Z''', '''9999-12-31Z''', '''4713-01-02Z BC''', '''294276-12-31Z''']),
	('timestamp without time zone', ARRAY['''2026-01-01''', '''infinity''', '''-infinity''']),
	('date', ARRAY['''2026-01-01''', '''infinity''', '''-infinity''', '''4713-01-01 BC''', '''5874897-12-31''']),
	('regclass', ARRAY['''crm.lead''', '''crm.contact''', '''pg_class''', '''crm.lead_profile''']),
	('lead_mgmt.heat', ARRAY['lead_mgmt.heat(10, ''2026-01-01Z'', ''1 day'')', 'lead_mgmt.heat(-1e300, ''9999-01-01Z'', ''1 hour'')']),
	('lead_mgmt.email', ARRAY['''a@example.com''', '''ünï@exämple.de''']),
	('lead_mgmt.phone', ARRAY['''+442079460000''']),
	('lead_mgmt.predicate', ARRAY['''true''']),
	('record', ARRAY['ROW(1, ''a'')']),
	('anyelement', ARRAY['1', '''x''::text', 'ROW(1)', 'ARRAY[1]'])) v (type, list);
INSERT INTO edge (type, value)
SELECT type || '[]', unnest(ARRAY[format('ARRAY[%s]', value), '''{}''', '''{NULL}''', '''[5:6]={NULL,NULL}''', '''{{NULL},{NULL}}'''])
FROM (SELECT DISTINCT ON (type) type, value FROM edge WHERE type <> 'anyelement' ORDER BY type, ctid) e;

-- The value as an argument of the type
CREATE FUNCTION pg_temp.argument(type text, value text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN type = 'anyelement' THEN COALESCE(value, 'NULL::text') ELSE format('(%s)::%s', COALESCE(value, 'NULL'), type) END $$;

-- One call of a function, undone whatever comes of it; the message of an internal error
CREATE FUNCTION pg_temp.call(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE query;
	RAISE EXCEPTION USING ERRCODE = 'LM000';
EXCEPTION WHEN OTHERS THEN
	RETURN CASE WHEN SQLSTATE LIKE 'XX%' OR SQLSTATE = '57014' THEN format('%s: %s', query, SQLERRM) END;
END $$;

CREATE TEMP TABLE subject AS
SELECT p.oid, p.oid::regproc::text AS name, p.prokind = 'p' AS is_procedure, p.provariadic <> 0 AS is_variadic,
	ARRAY(SELECT format_type(t, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY u (t, i) ORDER BY i) AS types
FROM pg_proc p
WHERE p.pronamespace IN ('lead_mgmt'::regnamespace, 'crm'::regnamespace) AND p.prokind IN ('f', 'p') AND p.prorettype <> 'trigger'::regtype
	AND NOT p.proargtypes::oid[] && ARRAY['internal', 'cstring']::regtype[]::oid[]
	AND p.proname NOT IN ('create_workspace', 'drop_workspace', 'upgrade_workspace');

-- Each argument at its edges with the others ordinary, and all of them NULL
CREATE TEMP TABLE call AS
SELECT s.name, format(CASE WHEN s.is_procedure THEN 'CALL %s(%s)' ELSE 'SELECT * FROM (SELECT %s(%s)) s' END, s.name, string_agg(
	CASE WHEN s.is_variadic AND a.i = cardinality(s.types) THEN 'VARIADIC ' ELSE '' END ||
	pg_temp.argument(a.type, CASE WHEN c.place = a.i THEN c.value WHEN c.place > 0 THEN o.value END), ', ' ORDER BY a.i)) AS query
FROM subject s
CROSS JOIN LATERAL (
	SELECT 0 AS place, NULL AS value, 0 AS choice
	UNION ALL SELECT u.i, NULL, -1 FROM unnest(s.types) WITH ORDINALITY u (t, i)
	UNION ALL SELECT u.i, e.value, row_number() OVER () FROM unnest(s.types) WITH ORDINALITY u (t, i) JOIN edge e ON e.type = u.t) c
CROSS JOIN LATERAL unnest(s.types) WITH ORDINALITY a (type, i)
LEFT JOIN LATERAL (SELECT e.value FROM edge e WHERE e.type = a.type ORDER BY e.ctid LIMIT 1) o ON true
GROUP BY s.oid, s.name, s.is_procedure, s.is_variadic, c.place, c.value, c.choice;

SELECT cmp_ok(count(*), '>', 3000::bigint, 'there are calls to make') FROM call;
SET LOCAL statement_timeout = '300s';
SELECT is(string_agg(pg_temp.call(query), E'\n'), NULL, name || ' takes what it is given') FROM call GROUP BY name ORDER BY name;

SELECT * FROM finish();
ROLLBACK;
