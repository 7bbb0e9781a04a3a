SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
SET client_min_messages = notice;
SET timezone = 'UTC';
SET datestyle = 'ISO';

CREATE SCHEMA predicate_type;
SET search_path = predicate_type;

CREATE TYPE mood AS ENUM ('cold', 'warm', 'hot');
CREATE DOMAIN short_text AS text CHECK (length(VALUE) < 20);
CREATE TYPE place AS (city text, zip text);

CREATE TABLE profile (
	id integer PRIMARY KEY,
	industry text,
	employees integer,
	email text,
	lead_attributes jsonb,
	last_interaction_at timestamptz,
	tags text[],
	city text,
	mood mood,
	title short_text,
	place place,
	revenue numeric
);

INSERT INTO profile VALUES
	(1, 'software', 120, 'an@example.com', '{"budget": "5000", "tier": 1}', now() - interval '1 day', '{vip,x}', 'Hà Nội', 'hot', 'CTO', '("Hà Nội",100000)', 1e6),
	(2, 'retail', 0, 'Binh@Example.org', '{"budget": "a lot"}', now() - interval '30 days', '{}', 'Đà Nẵng', 'cold', 'Buyer', NULL, 0),
	(3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

CREATE FUNCTION matching(condition lead_mgmt.predicate) RETURNS text
	LANGUAGE sql STABLE
	RETURN (SELECT string_agg(id || coalesce(CASE lead_mgmt.satisfies(p, condition) WHEN true THEN '+' ELSE '-' END, '?')
		|| CASE WHEN lead_mgmt.satisfies(p, condition) IS NULL THEN 'null' ELSE '' END, ' ' ORDER BY id) FROM profile p);

-- conditions that hold for a row, do not, and are null

SELECT condition, matching(condition::lead_mgmt.predicate) FROM (VALUES
	('true'),
	('industry = ''software'' AND employees >= 50'),
	('industry = ''software'' OR industry IS NULL'),
	('NOT (employees > 50)'),
	('industry IN (''retail'', ''software'')'),
	('employees NOT IN (0, 1)'),
	('employees = ANY (ARRAY[0, 120])'),
	('employees BETWEEN 1 AND 200'),
	('employees IS NULL'),
	('industry IS DISTINCT FROM ''software'''),
	('email LIKE ''%@example.com'''),
	('email ILIKE ''%@EXAMPLE.%'''),
	('email ~ ''^[a-z]+@'''),
	('email ~* ''^[a-z]+@.*\.org$'''),
	('email SIMILAR TO ''%@example.(com|org)'''),
	('lower(email) = ''binh@example.org'''),
	('starts_with(email, ''an'')'),
	('lead_attributes->>''tier'' = ''1'''),
	('lead_attributes ? ''budget'''),
	('lead_attributes @> ''{"tier": 1}'''),
	('lead_attributes[''tier''] = ''1'''),
	('(lead_attributes->>''tier'')::integer < 2'),
	('lead_attributes @? ''$.tier ? (@ >= 1)'''),
	('last_interaction_at > now() - interval ''7 days'''),
	('last_interaction_at >= CURRENT_DATE - 60'),
	('extract(year FROM last_interaction_at) > 2000'),
	('date_trunc(''day'', last_interaction_at) < CURRENT_TIMESTAMP'),
	('to_char(last_interaction_at AT TIME ZONE ''Asia/Ho_Chi_Minh'', ''YYYY'') >= ''2024'''),
	('last_interaction_at::date > ''2020-01-01'''),
	('(last_interaction_at, last_interaction_at) OVERLAPS (now() - interval ''2 days'', now())'),
	('tags && ARRAY[''x'']'),
	('''vip'' = ANY (tags)'),
	('tags[1] = ''vip'''),
	('cardinality(tags) = 0'),
	('array_to_string(tags, '','') = ''vip,x'''),
	('city = ''Hà Nội'''),
	('city LIKE ''Đà %'''),
	('lower(city) = ''hà nội'' OR city < ''B'''),
	('mood >= ''warm'''),
	('mood::text = ''cold'''),
	('title = ''CTO'''),
	('(place).city = ''Hà Nội'''),
	('place IS NULL'),
	('CASE WHEN employees > 100 THEN industry = ''software'' ELSE employees = 0 END'),
	('COALESCE(employees, -1) < 0'),
	('NULLIF(employees, 0) IS NULL'),
	('GREATEST(employees, 100) > 100'),
	('(industry, employees) = (''software'', 120)'),
	('(industry, employees) < (''software'', 120)'),
	('(employees, industry) IN ((0, ''retail''), (1, ''x''))'),
	('industry || '':'' || employees = ''retail:0'''),
	('concat(industry, employees) = ''retail0'''),
	('length(industry) % 2 = 0'),
	('revenue * 1.1 > 1e6'),
	('(employees > 50) IS NOT TRUE'),
	('"industry" COLLATE "C" < ''s'''),
	('industry = $$software$$'),
	('pg_catalog.upper(industry) OPERATOR(pg_catalog.=) ''RETAIL'''),
	('industry = ''it''''s'' OR industry = E''retail\x21'' OR industry = U&''retai\006C'''),
	('employees > 50 -- large' || E'\n' || 'AND /* and */ mood = ''hot'''),
	('null'),
	('false AND employees / 0 = 1')
) AS c (condition);

-- the text is kept, without the white space around it

SELECT '[' || (E'\t\n  employees  >  50 \n')::lead_mgmt.predicate || ']';
SELECT ' a = ''  x ''  '::lead_mgmt.predicate::text::lead_mgmt.predicate;
SELECT lead_mgmt.predicate_send('employees > 50');
CREATE TABLE rule (name text, condition lead_mgmt.predicate);
INSERT INTO rule VALUES ('one', 'employees > 50'), ('two', 'city = ''Đà Nẵng'' AND a < ''\'''), ('three', NULL);
SELECT condition, count(*) FROM rule GROUP BY condition ORDER BY condition COLLATE "C";
SELECT name FROM rule WHERE condition = 'employees > 50' AND condition LIKE 'emp%' AND length(condition) = 14;
COPY rule TO stdout;
-- as pg_dump has it
COPY rule FROM stdin;
four	industry = 'software'\nAND true
\.
SELECT condition FROM rule WHERE name = 'four';
COPY rule FROM stdin;
five	industry = 
\.
CREATE FUNCTION text_value(text) RETURNS text LANGUAGE sql IMMUTABLE RETURN $1;
INSERT INTO rule VALUES ('six', text_value('mood = ''hot'''));
SELECT text_value('x') < 'y' AS condition, text_value('employees >')::lead_mgmt.predicate;

-- binary copy goes both ways and is checked

\getenv abs_builddir PG_ABS_BUILDDIR
\set copy_file :abs_builddir '/results/predicate_type.bin'
BEGIN;
CREATE TEMP TABLE copied (condition lead_mgmt.predicate);
CREATE TEMP TABLE raw (condition text);
INSERT INTO raw VALUES ('employees > 1');
COPY raw TO :'copy_file' (FORMAT binary);
COPY copied FROM :'copy_file' (FORMAT binary);
SELECT * FROM pg_temp.copied;
UPDATE raw SET condition = 'employees > (SELECT 1)';
COPY raw TO :'copy_file' (FORMAT binary);
COPY copied FROM :'copy_file' (FORMAT binary);
ROLLBACK;

-- what is no single expression

CREATE FUNCTION try(condition text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	state text; message text; hint text; context text;
BEGIN
	PERFORM condition::lead_mgmt.predicate;
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
	RETURN state || ' ' || message || coalesce(' ' || substring(context FROM 'at character \d+'), '') || coalesce(nullif(' / ' || hint, ' / '), '');
END $$;

SELECT condition, try(condition) FROM (VALUES
	(''), (E' \n '), ('/* nothing */'), ('-- nothing'),
	('true;'), (';'), ('true); DROP TABLE profile; --'), ('true); DROP TABLE profile --'),
	('true FROM pg_class'), ('true, false'), ('true AS x'), ('true x'), ('*'), ('profile.*'),
	('true UNION SELECT true'), ('SELECT true'), ('(SELECT true)'), ('true WHERE true'),
	('true --'), ('true) AND (true'), ('true) , (false'), ('(true'), ('true)'),
	('true GROUP BY 1'), ('true HAVING true'), ('true ORDER BY 1'), ('true LIMIT 1'), ('true OFFSET 1'),
	('true FOR UPDATE'), ('true FOR READ ONLY'), ('ALL true'), ('DISTINCT true'), ('DISTINCT ON (1) true'),
	('INTO x true'), ('true INTO x'), ('VALUES (true)'), ('TABLE pg_class'), ('WITH x AS (SELECT 1) SELECT true'),
	('true WINDOW w AS ()'), ('x := true'), ('x'' OR true'), ('''unterminated'), ('"unterminated'), ('true /* unterminated'),
	('$$unterminated'), ('E''\x00'''), ('employees >'), ('employees > > 1'), ('DROP TABLE profile'), ('true\g'), ('DEFAULT')
) AS c (condition);

-- what is refused without a look at the row

SELECT condition, try(condition) FROM (VALUES
	('EXISTS (SELECT 1)'), ('employees IN (SELECT 1)'), ('employees = ANY (SELECT 1)'), ('employees > (SELECT 1)'),
	('ARRAY(SELECT 1) = ARRAY[1]'), ('(employees, 1) = (SELECT 1, 2)'), ('f((SELECT 1))'), ('CASE WHEN EXISTS (SELECT 1) THEN true END'),
	('count(*) > 1'), ('count(DISTINCT employees) > 1'), ('array_agg(x ORDER BY y) IS NULL'), ('sum(x) FILTER (WHERE true) > 1'),
	('percentile_cont(0.5) WITHIN GROUP (ORDER BY x) > 1'), ('rank() OVER () = 1'), ('sum(x) OVER w > 1'),
	('employees > $1'), ('$1'), ('profile.employees > 1'), ('predicate_type.profile.employees > 1'), ('profile.* IS NULL'), ('(place).* IS NULL'),
	('f(*)'), ('CURRENT_USER = ''x'''), ('user = ''x'''), ('session_user = ''x'''), ('current_schema = ''x'''), ('current_catalog = ''x'''),
	('xmlelement(name x) IS NULL'), ('xmlserialize(content x AS text) = ''x'''), ('x IS DOCUMENT'), ('GROUPING(x) = 1')
) AS c (condition);

-- positions are those in the predicate

SELECT 'industry = '::lead_mgmt.predicate;
SELECT 'city = ''Đà Nẵng'' AND (SELECT true)'::lead_mgmt.predicate;
SELECT text_value('city = ''Đà Nẵng'' AND (SELECT true)')::lead_mgmt.predicate;
SELECT lead_mgmt.satisfies(p, 'city = ''Đà Nẵng'' AND emploees > 1') FROM profile p;

-- what the row says: predicate_check gives the reason

\pset format unaligned
SELECT condition || E'\n    ' || coalesce(replace(lead_mgmt.predicate_check(condition::lead_mgmt.predicate, 'profile'), E'\n', E'\n    '), 'accepted') AS check FROM (VALUES
	('industry = ''software'''),
	('emploees > 1'), ('no_such_thing > 1'), ('xmin = 1'), ('ctid IS NULL'), ('profile IS NULL'), ('profile = profile'),
	('employees'), ('industry'), ('''maybe'''), ('now()'), ('industry = 1'), ('employees > ''many'''), ('employees / 0 > 1'), ('1 / 0 > 1'),
	('sum(employees) > 1'), ('max(employees) > 1'), ('rank() > 1'),
	('generate_series(1, employees) > 1'), ('unnest(tags) = ''x'''), ('regexp_matches(email, ''x'') IS NULL'), ('jsonb_array_elements(lead_attributes) IS NULL'),
	('random() < 0.5'), ('clock_timestamp() > now()'), ('timeofday() IS NULL'), ('gen_random_uuid() IS NULL'), ('nextval(''s'') > 1'), ('setval(''s'', 1) > 1'),
	('pg_sleep(1) IS NULL'), ('pg_read_file(''/etc/passwd'') IS NULL'), ('pg_ls_dir(''.'') IS NULL'), ('pg_stat_file(''x'') IS NULL'), ('lo_import(''/etc/passwd'') IS NULL'), ('lo_get(1) IS NULL'),
	('current_setting(''x'') IS NULL'), ('set_config(''x'', ''y'', false) IS NULL'), ('query_to_xml(''select 1'', true, true, '''') IS NULL'), ('table_to_xml(''x'', true, true, '''') IS NULL'),
	('has_table_privilege(''profile'', ''select'')'), ('txid_current() > 1'), ('pg_backend_pid() > 1'), ('pg_terminate_backend(1)'), ('pg_cancel_backend(1)'), ('pg_advisory_lock(1) IS NULL'), ('pg_notify(''x'', ''y'') IS NULL'),
	('version() IS NULL'), ('pg_typeof(employees) IS NULL'), ('current_database() IS NULL'), ('inet_client_addr() IS NULL'), ('pg_partition_root(''profile'') IS NULL'), ('satisfies_hash_partition(1, 2, 3, 4)'),
	('pg_column_size(email) > 1'), ('pg_get_userbyid(1) = ''x'''), ('''profile''::regclass = 1'), ('email::regclass IS NULL'), ('to_regclass(email) IS NULL'), ('xpath_exists(email, NULL)'), ('email::xml IS NULL'),
	('to_tsvector(email) @@ to_tsquery(''x'')'), ('format(email) IS NULL'), ('quote_literal(employees) IS NULL'), ('row_to_json(place) IS NULL'), ('place::text = ''x'''), ('place = place'),
	('lead_mgmt.satisfies(place, ''true'')'), ('email::lead_mgmt.predicate IS NULL'), ('textin(''x'') = ''x'''), ('array_in(''x'', 1, 1) IS NULL'),
	('no_such_function(employees)'), ('employees === 1'), ('email::no_such_type IS NULL'), ('industry COLLATE no_such = ''x'''), ('industry = ANY (employees)'),
	('last_interaction_at > ''now'''), ('last_interaction_at > timestamptz ''yesterday'''), ('last_interaction_at::date = DATE ''Today'''), ('last_interaction_at > ''infinity'''), ('industry = ''now'''),
	('title::predicate_type.short_text = ''x'''), ('email::predicate_type.short_text = ''x'''), ('email::predicate_type.mood = ''hot'''), ('concat(VARIADIC tags) = ''x'''), ('make_interval(days => 3) > interval ''1 day'''), ('lead_mgmt.predicate_check(''true'', 1) IS NULL')
) AS c (condition);
\pset format aligned

-- an unusable relation

CREATE SEQUENCE s;
CREATE INDEX i ON profile (email);
SELECT lead_mgmt.predicate_check('true', 0);
SELECT lead_mgmt.predicate_check('true', 'i');
SELECT lead_mgmt.predicate_check('city = ''x''', 'place');
SELECT lead_mgmt.predicate_columns('employees > 1 AND (lower(industry) = ''x'' OR employees IS NULL AND (place).city = ''x'')', 'profile');
SELECT lead_mgmt.predicate_columns('true', 'profile');
SELECT lead_mgmt.predicate_columns('emploees > 1', 'profile');

-- objects of users, in the path or not, are not called

CREATE FUNCTION public.spy(text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE EXCEPTION 'called'; END $$;
CREATE FUNCTION public.spy2(text, text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE EXCEPTION 'called'; END $$;
CREATE FUNCTION lower(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE EXCEPTION 'called'; END $$;
CREATE FUNCTION text_eq(text, text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE EXCEPTION 'called'; END $$;
CREATE FUNCTION pg_temp.spy3(integer, integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE EXCEPTION 'called'; END $$;
CREATE OPERATOR predicate_type.= (LEFTARG = text, RIGHTARG = text, PROCEDURE = text_eq);
CREATE OPERATOR public.=== (LEFTARG = text, RIGHTARG = text, PROCEDURE = pg_catalog.texteq);
CREATE OPERATOR pg_temp.>= (LEFTARG = integer, RIGHTARG = integer, PROCEDURE = pg_temp.spy3);
CREATE TABLE pg_temp.profile (employees text);
CREATE FUNCTION text_to_point(text) RETURNS point LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE EXCEPTION 'called'; END $$;
CREATE CAST (text AS point) WITH FUNCTION text_to_point(text);
CREATE FUNCTION mood_low(mood, mood) RETURNS boolean LANGUAGE sql IMMUTABLE RETURN true;
CREATE FUNCTION definer() RETURNS boolean LANGUAGE sql IMMUTABLE SECURITY DEFINER RETURN true;

SET search_path = pg_temp, predicate_type, public, pg_catalog;
SELECT id, lead_mgmt.satisfies(p, 'lower(industry) = ''software'' AND employees >= 50') FROM predicate_type.profile p ORDER BY id;
SET search_path = predicate_type;
DROP TABLE pg_temp.profile;

\pset format unaligned
SELECT condition || E'\n    ' || coalesce(replace(CASE WHEN try(condition) = 'accepted' THEN lead_mgmt.predicate_check(condition::lead_mgmt.predicate, 'predicate_type.profile') ELSE try(condition) END, E'\n', E'\n    '), 'accepted') AS check FROM (VALUES
	('spy(email)'), ('public.spy(email)'), ('predicate_type.lower(email) = ''x'''), ('email OPERATOR(predicate_type.=) ''x'''), ('email OPERATOR(public.===) ''x'''), ('email === ''x'''),
	('employees OPERATOR(pg_temp.>=) 1'), ('pg_temp.spy3(employees, 1)'), ('email::point IS NULL'), ('predicate_type.definer()'), ('predicate_type.mood_low(mood, mood)'), ('email ~ ALL (tags)'), ('email OPERATOR(public.===) ANY (tags)')
) AS c (condition);
\pset format aligned

-- nor are those that would read a literal

CREATE FUNCTION spy_value(text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE EXCEPTION 'called'; END $$;
CREATE DOMAIN spying AS text CHECK (predicate_type.spy_value(VALUE));
CREATE DOMAIN pg_temp.spying_too AS text CHECK (predicate_type.spy_value(VALUE));
CREATE DOMAIN many_spying AS spying[];
CREATE TYPE spying_row AS (value spying);
CREATE TYPE spying_range AS RANGE (subtype = spying, subtype_opclass = pg_catalog.text_ops);
CREATE FUNCTION spy_array(spying[], spying[]) RETURNS boolean LANGUAGE sql IMMUTABLE RETURN true;
CREATE OPERATOR === (LEFTARG = spying[], RIGHTARG = spying[], PROCEDURE = spy_array);
CREATE TABLE spying_profile (name text, one spying, many spying[], whole spying_row, span spying_range);

\pset format unaligned
SELECT condition || E'\n    ' || coalesce(replace(predicate_check, E'\n', E'\n    '), 'accepted') AS check FROM (VALUES
	('''{x}''::predicate_type.spying[] IS NULL'), ('''x''::predicate_type.spying IS NULL'), ('''x''::spying_too IS NULL'), ('''{x}''::spying_too[] IS NULL'), ('''{x}''::predicate_type.many_spying IS NULL'),
	('''(x)''::predicate_type.spying_row IS NULL'), ('''[x,y]''::predicate_type.spying_range IS NULL'), ('''{[x,y]}''::predicate_type.spying_multirange IS NULL'),
	('predicate_type._spying(''{x}'') IS NULL'), ('_spying_too(''{x}'') IS NULL'), ('predicate_type.spy_array(''{x}'', ''{x}'')'), ('''{x}'' OPERATOR(predicate_type.===) ''{x}'''),
	('ARRAY[''x'']::predicate_type.spying[] IS NULL'), ('ROW (''x'')::predicate_type.spying_row IS NULL'), ('predicate_type.spying ''x'' IS NULL'),
	('one = ''x'''), ('coalesce(one, ''x'') = ''y'''), ('many = ''{x}'''), ('many IS NULL'), ('whole = ''(x)'''), ('(whole).value = ''x'''), ('span = ''[x,y]''')
) AS c (condition), LATERAL (SELECT CASE WHEN try(condition) = 'accepted' THEN lead_mgmt.predicate_check(condition::lead_mgmt.predicate, 'predicate_type.spying_profile') ELSE try(condition) END) AS t (predicate_check);
\pset format aligned

-- settings of the session do not change what a predicate means

SET standard_conforming_strings = off;
SET escape_string_warning = off;
SET transform_null_equals = on;
SELECT matching($$industry = 'a\' OR employees = 0$$), matching('employees = NULL');
RESET standard_conforming_strings;
RESET escape_string_warning;
RESET transform_null_equals;

-- limits

SELECT try(repeat('(', 10000) || 'true' || repeat(')', 10000));
SELECT try(repeat('NOT ', 10000) || 'true');
SELECT try(repeat('- ', 10000) || '1 = 1');
SELECT try(repeat('CASE WHEN true THEN ', 10000) || 'true' || repeat(' END', 10000));
SELECT try(repeat('f(', 10000) || '1' || repeat(')', 10000));
SELECT try(repeat('ARRAY[', 10000) || '1' || repeat(']', 10000));
SELECT try('1' || repeat(' + 1', 10000) || ' > 1');
SELECT try(repeat('true = NOT ', 20000) || 'true');
SELECT try('x' || repeat('::text', 10000) || ' = ''x''');
SELECT try(repeat('lower(', 950) || 'industry' || repeat(')', 950) || ' = ''software''');
SELECT left(lead_mgmt.predicate_check((repeat('lower(', 950) || 'industry' || repeat(')', 950) || ' = ''software''')::lead_mgmt.predicate, 'profile'), 40);
SELECT try('''' || repeat('(', 10000) || ''' = industry');
SELECT matching((repeat('(', 1000) || 'employees = 0' || repeat(')', 1000))::lead_mgmt.predicate);
SELECT try(repeat('(', 1001) || 'employees = 0' || repeat(')', 1001));
SELECT matching((repeat('NOT ', 998) || 'employees = 0')::lead_mgmt.predicate);
SELECT try(repeat('NOT ', 999) || 'employees = 0');
SELECT matching(('employees = -1' || repeat(' OR employees = 120', 50000))::lead_mgmt.predicate);
SELECT matching(('employees IN (120' || repeat(',120', 100000) || ')')::lead_mgmt.predicate);
SELECT try('''' || repeat('x', 1024 * 1024 - 12) || ''' <> ''x''');
SELECT try('''' || repeat('x', 1024 * 1024 - 8) || ''' <> ''x''');
SELECT try('''' || repeat('x', 5000) || ''' +');
SELECT text_value('''' || repeat('x', 500) || ''' +')::lead_mgmt.predicate;
SELECT text_value('''' || repeat('x', 5000) || ''' +')::lead_mgmt.predicate;
SELECT lead_mgmt.satisfies(p, text_value('1 / (id - 1) > 0 OR ''' || repeat('x', 5000) || ''' = industry')::lead_mgmt.predicate) FROM profile p WHERE id = 1;

-- an error belongs to the row that raises it

SELECT id, lead_mgmt.satisfies(p, '100 / employees > 0') FROM profile p WHERE id <> 2 ORDER BY id;
SELECT id, lead_mgmt.satisfies(p, '100 / employees > 0') FROM profile p ORDER BY id;
SELECT id, lead_mgmt.satisfies(p, '(lead_attributes->>''budget'')::numeric > 1000') FROM profile p WHERE id <> 2 ORDER BY id;
SELECT id, lead_mgmt.satisfies(p, '(lead_attributes->>''budget'')::numeric > 1000') FROM profile p ORDER BY id;

-- rows of every kind

CREATE VIEW lead_profile AS SELECT id, industry, employees FROM profile;
SELECT id, lead_mgmt.satisfies(v, 'employees = 0') FROM lead_profile v ORDER BY id;
SELECT lead_mgmt.satisfies(r, 'b = ''x''') FROM (VALUES (1, 'x'), (2, 'y')) AS r (a, b) ORDER BY a;
SELECT lead_mgmt.satisfies(ROW (1, 'x'::text), 'f1 = 1 AND f2 = ''x''');
SELECT lead_mgmt.satisfies(ROW (1, 'x'), 'f2 = ''x''');
SELECT lead_mgmt.satisfies(ROW (1, ROW (2, 3)), 'f2 IS NULL');
SELECT lead_mgmt.satisfies(NULL::profile, 'true'), lead_mgmt.satisfies(p, NULL) FROM profile p WHERE id = 1;
SELECT id, lead_mgmt.satisfies(t, 'wide = repeat(''x'', 100000) AND employees IS NULL') FROM (SELECT id, repeat('x', 100000) AS wide, NULL::integer AS employees FROM profile) t ORDER BY id;
BEGIN;
DECLARE c CURSOR FOR SELECT lead_mgmt.satisfies(p, 'last_interaction_at > ''2024-01-01 00:00:00''') FROM (VALUES (timestamptz '2024-01-01 00:00:00 UTC'), ('2024-01-01 00:00:00 UTC')) p (last_interaction_at);
FETCH c;
SET LOCAL timezone = 'Asia/Ho_Chi_Minh';
FETCH c;
ROLLBACK;
ALTER TABLE profile ADD added integer DEFAULT 7;
ALTER TABLE profile DROP revenue;
SELECT id, lead_mgmt.satisfies(p, 'added = 7') FROM profile p ORDER BY id;
SELECT lead_mgmt.predicate_check('revenue > 1', 'profile');
SELECT name, string_agg(id::text, ',' ORDER BY id) FROM profile p JOIN rule r ON lead_mgmt.satisfies(p, r.condition) WHERE name <> 'two' GROUP BY name ORDER BY name;
SELECT count(*) FROM generate_series(1, 9000) n WHERE lead_mgmt.satisfies((SELECT p FROM lead_profile p WHERE id = 1), ('employees <> ' || n)::lead_mgmt.predicate);
EXPLAIN (COSTS off) SELECT id FROM profile p WHERE lead_mgmt.satisfies(p, 'employees = 0');

-- a table that holds rules

CREATE TABLE scoring_rule (
	name text,
	condition lead_mgmt.predicate,
	guard lead_mgmt.predicate NOT NULL DEFAULT 'true'
);
CREATE TRIGGER validate BEFORE INSERT OR UPDATE ON scoring_rule
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.predicate_validate('condition', 'lead_profile', 'guard', 'not_there_yet');
INSERT INTO scoring_rule (name, condition, guard) VALUES ('a', 'employees > 1', 'true'), ('b', NULL, 'no_such > 1');
INSERT INTO scoring_rule VALUES ('c', 'industry = ''x'' AND emploees > 1');
DO $$
DECLARE
	t text; c text; s text;
BEGIN
	INSERT INTO predicate_type.scoring_rule VALUES ('c', 'emploees > 1');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS s = SCHEMA_NAME, t = TABLE_NAME, c = COLUMN_NAME;
	RAISE NOTICE '% % % %', SQLSTATE, s, t, c;
END $$;
UPDATE scoring_rule SET condition = 'random() < 0.5';
UPDATE scoring_rule SET condition = 'employees > 2' WHERE name = 'a' RETURNING *;
CREATE OR REPLACE VIEW not_there_yet AS SELECT 1 AS one;
UPDATE scoring_rule SET name = 'bb' WHERE name = 'b' RETURNING *;
UPDATE scoring_rule SET guard = 'no_such > 2' WHERE name = 'bb';
COPY scoring_rule FROM stdin;
d	employees < 0	true
e	emplyees < 0	true
\.
CREATE TRIGGER wrong_event AFTER DELETE ON scoring_rule
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.predicate_validate('condition', 'lead_profile');
DELETE FROM scoring_rule;
DROP TRIGGER wrong_event ON scoring_rule;
CREATE TRIGGER wrong_arguments BEFORE UPDATE ON scoring_rule
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.predicate_validate('condition');
UPDATE scoring_rule SET name = 'x';
DROP TRIGGER wrong_arguments ON scoring_rule;
CREATE TRIGGER wrong_column BEFORE UPDATE ON scoring_rule
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.predicate_validate('no_such', 'lead_profile');
UPDATE scoring_rule SET name = 'x';
DROP TRIGGER wrong_column ON scoring_rule;
CREATE TABLE number_rule (condition integer);
CREATE TRIGGER wrong_type BEFORE INSERT ON number_rule
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.predicate_validate('condition', 'lead_profile');
INSERT INTO number_rule VALUES (1);
SELECT lead_mgmt.predicate_validate();

-- every object has a comment

SELECT p.oid::regprocedure FROM pg_catalog.pg_proc p
WHERE p.pronamespace = 'lead_mgmt'::pg_catalog.regnamespace AND p.proname ~ 'predicate|satisfies'
	AND pg_catalog.obj_description(p.oid, 'pg_proc') IS NULL;

SET client_min_messages = warning;
DROP CAST (text AS point);
DROP SCHEMA predicate_type CASCADE;
DROP FUNCTION public.spy(text), public.spy2(text, text);
DROP OPERATOR public.=== (text, text);
