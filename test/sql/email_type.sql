SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
SET search_path = public, lead_mgmt;

-- the reason a value is refused, or its normal form
CREATE FUNCTION pg_temp.try_email(input text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	reason text;
BEGIN
	RETURN input::lead_mgmt.email;
EXCEPTION WHEN invalid_text_representation THEN
	GET STACKED DIAGNOSTICS reason = PG_EXCEPTION_DETAIL;
	RETURN '! ' || reason;
END $$;

-- accepted forms
SELECT ord, pg_temp.try_email(input) AS normal
FROM unnest(ARRAY[
	'user@example.com',
	'  User.Name@Example.COM  ',
	E'\t\r\nuser@example.com\n',
	E'\u00A0user@example.com\u200B',
	E'\uFEFFuser@example.com\u3000',
	'"Sales Desk" <SALES@Example.COM>',
	'Sales <x@y.z>',
	'Sales (EMEA), Europe < x@y.z >',
	'"Doe, \"J\" <x>" <j.doe@example.com>',
	'old@example.com <new@example.com>',
	'<x@y.z>',
	'mailto:x@y.z',
	'MailTo:X@y.z?subject=Hi&cc=a@b.c',
	'<mailto:x@y.z>',
	'mailto:a%2Bb@y.z',
	'mailto:%22not%40me%22@y.z',
	'mailto:user@b%C3%BCcher.example',
	'!#$%&''*+-/=?^_`{|}~@example.com',
	'"a b"@x.com',
	'"needless"@x.com',
	'"two.atoms"@x.com',
	'"a..b"@x.com',
	'".a"@x.com',
	'"a@b"@x.com',
	'"say \"hi\" \\ \o"@x.com',
	'"a<b"@x.com',
	'"Name" <"a b"@x.com>',
	'" "@x.com',
	'a@sub.sub.example.co.uk',
	'a@123.com',
	'a@1-2.x9',
	'a@a--b.com'
]) WITH ORDINALITY AS t(input, ord) ORDER BY ord;

-- refused forms
SELECT ord, pg_temp.try_email(input) AS reason
FROM unnest(ARRAY[
	'',
	'   ',
	E'\u00A0',
	'<>',
	'Name < >',
	'mailto:',
	'user',
	'user.example.com',
	'@example.com',
	'user@',
	'""@example.com',
	'user@host',
	'user@localhost',
	'user@[192.0.2.1]',
	'user@[IPv6:2001:db8::1]',
	'user@192.0.2.1',
	'a..b@x.com',
	'.a@x.com',
	'a.@x.com',
	'a@.x.com',
	'a@x..com',
	'a@x.com.',
	'a@-x.com',
	'a@x-.com',
	'a@x_y.com',
	'a@x y.com',
	'a b@x.com',
	'a@b@x.com',
	'a@x.com, b@x.com',
	'a@x.com;b@x.com',
	'A <a@x.com>, B <b@x.com>',
	'a@x.com, B <b@x.com>',
	'user(comment)@x.com',
	'user@x.com (comment)',
	'user@(comment)x.com',
	'"a b@x.com',
	'"a"b@x.com',
	'a"b"@x.com',
	'"a\"@x.com',
	'"Name <a@x.com>',
	'"a b"',
	'Name a@x.com>',
	'Name <a@x.com',
	'<a@x.com>>',
	'Name <a@x.com> later',
	'mailto:a%2@x.com',
	'mailto:a%zz@x.com',
	'mailto:a%ff@x.com',
	'mailto:a%0Ab@x.com',
	'mailto:a%00b@x.com',
	E'a\x01b@x.com',
	E'a\tb@x.com',
	E'"a\nb"@x.com',
	E'a@x\x7F.com',
	E'a\u0085b@x.com',
	E'a\u200Bb@x.com',
	E'a\u202Eb@x.com',
	E'"a\u00A0b"@x.com',
	'a,b@x.com',
	'a:b@x.com',
	'a\b@x.com'
]) WITH ORDINALITY AS t(input, ord) ORDER BY ord;

-- the messages
SELECT 'user@host'::email;
\echo :SQLSTATE
SELECT email('not an address');
SELECT (repeat('x', 400) || '@example.com')::email;
SELECT (repeat('é', 400) || '@example.com')::email;

-- limits, in octets of the normal form
SELECT n, left(pg_temp.try_email(repeat('x', n) || '@example.com'), 60) AS local_part
FROM unnest(ARRAY[1, 64, 65, 400]) AS n;
SELECT n, left(pg_temp.try_email(repeat('é', n) || '@example.com'), 60) AS local_part
FROM unnest(ARRAY[32, 33]) AS n;
SELECT n, left(pg_temp.try_email('"' || repeat(' ', n) || '"@example.com'), 20) AS quoted
FROM unnest(ARRAY[62, 63]) AS n;
SELECT n, left(pg_temp.try_email('"' || repeat('\x', n) || '"@example.com'), 20) AS unquoted
FROM unnest(ARRAY[64, 65]) AS n;
SELECT n, left(pg_temp.try_email('x@' || repeat('y', n) || '.com'), 60) AS label
FROM unnest(ARRAY[63, 64]) AS n;
SELECT n, length(r) AS total, left(r, 60) AS whole
FROM unnest(ARRAY[56, 57, 58]) AS n,
	LATERAL pg_temp.try_email('ab@' || repeat(repeat('d', 63) || '.', 3) || repeat('e', n) || '.x') AS r;
SELECT n, left(r, 60) AS domain
FROM unnest(ARRAY[63, 64]) AS n,
	LATERAL pg_temp.try_email('a@' || repeat(repeat('d', 63) || '.', 3) || repeat('e', n)) AS r;
SELECT pg_temp.try_email('a@' || repeat(repeat('d', 63) || '.', 4) || 'ee');
SELECT pg_temp.try_email(repeat('n', 5000) || ' <a@x.com>');
SELECT pg_temp.try_email(repeat('n', 10000) || ' <a@x.com>');
SELECT pg_temp.try_email('"' || repeat('\x', 3000) || '"@x.com');
SELECT pg_temp.try_email('mailto:' || repeat('x', 5000) || '@x.com');
SELECT pg_temp.try_email('a@' || repeat('é', 2000) || '.com');

-- internationalised domains and local parts
SELECT ord, pg_temp.try_email(input) AS normal, email_domain_unicode(pg_temp.try_email(input)::email) AS shown
FROM unnest(ARRAY[
	'lienhe@tênmiền.vn',
	'LienHe@TÊNMIỀN.VN',
	'lienhe@xn--tnmin-hsa0954c.vn',
	'sales@điệntử.com.vn',
	'info@BÜCHER.example',
	'info@xn--bcher-kva.example',
	'info@XN--BCHER-KVA.example',
	'info@straße.de',
	'info@例え。jp',
	'info@ｅｘａｍｐｌｅ.com',
	'info@παράδειγμα.ελ',
	'nguyễn@ví-dụ.vn',
	'NGUYỄN@example.vn',
	'ПОЧТА@пример.рф'
]) WITH ORDINALITY AS t(input, ord) ORDER BY ord;
SELECT ord, pg_temp.try_email(input) AS reason
FROM unnest(ARRAY[
	'a@xn--.com',
	'a@xn--a.com',
	'a@xn--bcher-kvb9999.example',
	'a@xn--strae-oqa-.de',
	'a@xn--BCHER-kva-.example',
	E'a@b\u200Dc.com',
	E'a@b\u2028c.com',
	'a@☃.com',
	'a@bücher',
	'a@-ü.com',
	'a@ü_.com',
	'a@ü..com',
	'a@' || repeat('ü', 60) || '.com'
]) WITH ORDINALITY AS t(input, ord) ORDER BY ord;

-- one person, composed or not
SELECT E'nguye\u0302\u0303n@ti\u00EAn.vn'::email = E'nguy\u1EC5n@tie\u0302n.vn'::email AS same;
SELECT E'\u0130\u0301@x.com'::email = E'\u00ED@x.com'::email AS same;
SELECT E'\u212A@x.com'::email AS kelvin;

-- the normal form is its own
CREATE TEMP TABLE sample AS
SELECT pg_temp.try_email(
	CASE i % 11
		WHEN 0 THEN '"' || l || ' ' || i || '"@' || d
		WHEN 1 THEN '"Name ' || i || '" <' || l || '.' || i || '@' || d || '>'
		WHEN 2 THEN 'mailto:' || l || i || '@' || d
		WHEN 3 THEN upper(l) || '+' || i || '@' || upper(d)
		WHEN 4 THEN '"' || l || '"@x' || i || '.' || d
		WHEN 5 THEN '"\' || l || '\"' || i || '"@' || d
		WHEN 6 THEN normalize(l || i, NFD) || '@' || normalize(d, NFD)
		WHEN 7 THEN '"' || l || '..' || i || '"@' || d
		WHEN 8 THEN l || i || '@xn--' || d
		WHEN 9 THEN '  ' || i || chr(192 + i % 7000) || '@' || d
		ELSE l || i || '@' || chr(192 + i % 3000) || '.' || d
	END) AS e
FROM generate_series(1, 6000) AS i,
	LATERAL (SELECT (ARRAY['sales', 'Nguyễn', 'a.b', 'O''Neil', 'ẞtraße', 'İ', 'ǅ', 'x_y', '<i>', 'q@r'])[1 + i % 10] AS l,
		(ARRAY['example.com', 'Tênmiền.VN', 'bücher.example', 'a-b.co', 'ΣΊΣΥΦΟΣ.gr', 'ｆｕｌｌ.jp', 'straße.de'])[1 + i % 7] AS d) AS part;
SELECT count(*) FILTER (WHERE e NOT LIKE '! %') > 4000 AS enough_accepted,
	count(*) FILTER (WHERE e LIKE '! %') > 100 AS some_refused
FROM sample;
SELECT count(*) AS unstable
FROM sample
WHERE e NOT LIKE '! %' AND (e::email::text::email <> e::email OR e::email::text IS DISTINCT FROM e);

-- parts
SELECT email_local_part(e), email_domain(e), email_domain_unicode(e),
	email_is_free_provider(e) AS free, email_company_domain(e) AS company
FROM unnest(ARRAY['a.b@gmail.com', 'x@yahoo.com.vn', 'sales@fpt.com.vn', '"a@b c"@tênmiền.vn',
	'x@mail.gmail.com', 'x@gmail.com.example', 'x@gmail.co', 'x@zzz.zz', 'x@0.aa', 'x@qq.com', 'x@web.de',
	'x@abv.bg', 'x@126.com', 'x@zozo.vn']::email[]) AS e;
SELECT email_company_domain(NULL), email_domain(NULL);

-- casts
CREATE TEMP TABLE person (id int, e email);
INSERT INTO person VALUES (1, 'A@x.com');
INSERT INTO person SELECT 2, text 'B@x.com';
INSERT INTO person SELECT 3, varchar 'C@x.com';
INSERT INTO person VALUES (4, NULL);
INSERT INTO person SELECT 5, text 'bad';
SELECT id, e, e || '!' AS concatenated, length(e), upper(e), e LIKE '%x.com' AS liked,
	coalesce(e, text 'none') AS filled
FROM person ORDER BY id;
SELECT castcontext, castmethod FROM pg_cast
WHERE castsource = 'lead_mgmt.email'::regtype AND casttarget = 'text'::regtype;
SELECT 'A@x.com'::email::varchar(3), ARRAY['A@x.com', 'b@x.com']::email[], 'A@x.com'::email = 'a@X.COM' AS literal;

-- without the schema in the path, values compare as text
SET search_path = public;
SELECT 'A@x.com'::lead_mgmt.email = 'a@x.com' AS as_text, 'A@x.com'::lead_mgmt.email = 'A@X.COM' AS as_other_text,
	'A@x.com'::lead_mgmt.email OPERATOR(lead_mgmt.=) 'A@X.COM' AS as_email;
SET search_path = public, lead_mgmt;

-- comparison is by bytes
SELECT a, b, a < b AS lt, a <= b AS le, a = b AS eq, a <> b AS ne, a >= b AS ge, a > b AS gt, sign(email_cmp(a, b)) AS cmp
FROM (VALUES ('a@x.com'::email, 'A@X.com'::email), ('a@x.com', 'b@x.com'), ('a@x.com', 'a@x.co'),
	('é@x.com', 'z@x.com'), ('a+b@x.com', 'ab@x.com')) AS t(a, b);
SELECT email_hash('a@x.com') = email_hash('A@X.COM') AS hash,
	email_hash_extended('a@x.com', 7) = email_hash_extended('A@X.COM', 7) AS extended,
	email_hash_extended('a@x.com', 7) <> email_hash_extended('a@x.com', 8) AS seeded;

-- order, distinct, joins and indexes
CREATE TABLE email_test (id int, e email);
INSERT INTO email_test SELECT i, ('User' || (i * 7919) % 5000 || '@Example' || i % 13 || '.com')::email
FROM generate_series(1, 20000) AS i;
INSERT INTO email_test SELECT -i, ('same' || repeat('0', 10) || i % 50 || '@x.com')::email FROM generate_series(1, 20000) AS i;
SELECT count(*), count(DISTINCT e) FROM email_test;
SELECT count(*) AS out_of_order
FROM (SELECT e, lag(e) OVER (ORDER BY e) AS previous FROM email_test) AS s
WHERE previous::text COLLATE "C" > e::text COLLATE "C";
SELECT e FROM email_test ORDER BY e LIMIT 3;
SELECT e FROM email_test ORDER BY e DESC LIMIT 3;
ANALYZE email_test;
CREATE INDEX email_test_btree ON email_test (e);
SELECT opcname, amname FROM pg_opclass c JOIN pg_am a ON a.oid = c.opcmethod
WHERE opcintype = 'lead_mgmt.email'::regtype ORDER BY 2;
SET enable_seqscan = off;
EXPLAIN (COSTS off) SELECT id FROM email_test WHERE e = 'USER7@example4.com';
SELECT id FROM email_test WHERE e = 'USER7@example4.com' ORDER BY id;
EXPLAIN (COSTS off) SELECT e FROM email_test WHERE e >= 'user1@x.com' ORDER BY e LIMIT 1;
SELECT e FROM email_test WHERE e >= 'user1@x.com' ORDER BY e LIMIT 1;
DROP INDEX email_test_btree;
CREATE INDEX email_test_hash ON email_test USING hash (e);
SET enable_bitmapscan = off;
EXPLAIN (COSTS off) SELECT id FROM email_test WHERE e = 'USER7@example4.com';
SELECT id FROM email_test WHERE e = 'USER7@example4.com' ORDER BY id;
RESET enable_seqscan;
RESET enable_bitmapscan;
DROP INDEX email_test_hash;
SET enable_mergejoin = off;
SET enable_nestloop = off;
EXPLAIN (COSTS off) SELECT count(*) FROM email_test a JOIN email_test b USING (e);
SELECT count(*) FROM email_test a JOIN email_test b USING (e) WHERE a.id > 0;
SET enable_mergejoin = on;
SET enable_hashjoin = off;
EXPLAIN (COSTS off) SELECT count(*) FROM email_test a JOIN email_test b USING (e);
SELECT count(*) FROM email_test a JOIN email_test b USING (e) WHERE a.id > 0;
RESET enable_mergejoin;
RESET enable_nestloop;
RESET enable_hashjoin;
CREATE UNIQUE INDEX ON person (e);
INSERT INTO person VALUES (6, '"Other" <a@X.COM>');
INSERT INTO person VALUES (6, '"Other" <a@X.COM>') ON CONFLICT (e) DO UPDATE SET id = 60 RETURNING *;
CREATE TABLE email_part (e email) PARTITION BY HASH (e);
CREATE TABLE email_part_0 PARTITION OF email_part FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE email_part_1 PARTITION OF email_part FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO email_part SELECT e FROM email_test;
SELECT count(*) FROM email_part WHERE e = 'USER7@example4.com';
DROP TABLE email_part;

-- stored values that may be out of line
CREATE TEMP TABLE wide (e email, filler text);
ALTER TABLE wide ALTER e SET STORAGE external, ALTER filler SET STORAGE plain;
INSERT INTO wide SELECT ('w' || repeat('x', 60) || '@' || repeat('d', 60) || '.' || repeat('e', 60) || '.' || i % 2 || 'com')::email, repeat('f', 7900)
FROM generate_series(1, 4) AS i;
SELECT count(*), count(DISTINCT e), count(DISTINCT email_domain(e)) FROM wide;

-- binary copy there and back
CREATE TEMP TABLE back (LIKE email_test);
SELECT current_setting('data_directory') || '/email_type_copy' AS copy_file \gset
COPY email_test TO :'copy_file' (FORMAT binary);
COPY back FROM :'copy_file' (FORMAT binary);
SELECT count(*) AS rows, count(*) FILTER (WHERE a.e = b.e) AS equal FROM email_test a JOIN back b USING (id);

-- binary input checks and normalises what text would
CREATE TEMP TABLE raw (id int, e text);
INSERT INTO raw VALUES (1, 'Upper <UPPER@X.com>');
COPY raw TO :'copy_file' (FORMAT binary);
TRUNCATE back;
COPY back FROM :'copy_file' (FORMAT binary);
SELECT * FROM back;
UPDATE raw SET e = 'not an address';
COPY raw TO :'copy_file' (FORMAT binary);
\set VERBOSITY terse
COPY back FROM :'copy_file' (FORMAT binary);
\set VERBOSITY default
SELECT email_send('A@x.com');
DROP TABLE email_test;
