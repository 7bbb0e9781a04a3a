SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
SET search_path = public, lead_mgmt;

-- the reason a value is refused, or its normal form
CREATE FUNCTION pg_temp.try_phone(input text, region text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text;
	reason text;
BEGIN
	IF region IS NULL THEN
		RETURN input::lead_mgmt.phone;
	END IF;
	RETURN lead_mgmt.to_phone(input, region);
EXCEPTION WHEN invalid_text_representation THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, reason = PG_EXCEPTION_DETAIL;
	RETURN '! ' || coalesce(nullif(reason, ''), message);
END $$;

-- international form
SELECT ord, pg_temp.try_phone(input) AS normal
FROM unnest(ARRAY[
	'+84912345678',
	'  +84 912 345 678 ',
	'+84 (0) 912-345-678',
	'(+84) 912.345.678',
	'+84/912/345/678',
	'＋８４ ９１２ ３４５ ６７８',
	'+84 912 345 678 ext. 12',
	'+84 912 345 678 x0012',
	'+84912345678;ext=12',
	'tel:+84-912-345-678;ext=12',
	'tel:912-345-678;phone-context=+84',
	'Tel: +84 912 345 678',
	'+39 06 1234 5678',
	'+39 312 345 6789',
	'+1 (202) 555-0143',
	'+1 800 FLOWERS',
	'+44 (0)20 7946 0958',
	'+800 1234 5678',
	'+7 800 555 35 35',
	'+55 11 91234-5678',
	'+54 9 11 1234-5678',
	'+52 1 55 1234 5678',
	'+225 01 23 45 67 89',
	'+8412',
	'+999 123'
]) WITH ORDINALITY AS t(input, ord) ORDER BY ord;

-- refused forms
SELECT ord, pg_temp.try_phone(input) AS reason
FROM unnest(ARRAY[
	'',
	'  ',
	'0912 345 678',
	'00 84 912 345 678',
	'84912345678',
	'tel:0912345678',
	'phone',
	'+',
	'+84',
	'+84 1',
	'+0912345678',
	'+999 123 456 789',
	'+84 912 345 678 Mr Nam',
	'+84 912 345 678 / +84 987 654 321',
	'+84 912 345 678, +84 987 654 321',
	'+84 912 345 678 901 234 567 890',
	'+84 912 345 678 ' || repeat('x', 300),
	repeat('9', 400),
	'+' || repeat('8', 260),
	'user@example.com'
]) WITH ORDINALITY AS t(input, ord) ORDER BY ord;

-- the messages
SELECT '0912 345 678'::phone;
\echo :SQLSTATE
SELECT phone('not a number');
SELECT '+999 123 456'::phone;
SELECT repeat('9', 400)::phone;
SELECT to_phone('0912 345 678', 'XX');
\echo :SQLSTATE
SELECT to_phone('0912 345 678', 'Việt Nam');
SELECT to_phone('0912 345 678', '');
SELECT to_phone('12', 'VN');
SELECT to_phone('', 'VN');

-- national form
SELECT region, input, pg_temp.try_phone(input, region) AS normal
FROM (VALUES ('VN', '0912 345 678'), ('vn', '091.234.5678'), ('VN', '+1 202 555 0143'), ('VN', '00 1 202 555 0143'),
	('VN', '024 3825 5678'), ('VN', '1900 1234'), ('VN', '0912345678 ext 5'), ('VN', '84912345678'),
	('US', '(202) 555-0143'), ('US', '1-202-555-0143'), ('US', '011 84 912 345 678'), ('GB', '020 7946 0958'),
	('IT', '06 1234 5678'), ('DE', '030 123456'), ('FR', '06 12 34 56 78'), ('JP', '090-1234-5678'),
	('AU', '0412 345 678'), ('BR', '(11) 91234-5678'), ('AR', '011 15-1234-5678'), ('RU', '8 (800) 555-35-35'),
	('CN', '138 0013 8000'), ('IN', '098765 43210'), ('SG', '6123 4567'), ('VN', 'abc')) AS t(region, input);
SELECT to_phone(NULL, 'VN'), to_phone('0912345678', NULL);

-- what a number is
SELECT p, phone_valid(p) AS valid, phone_region(p) AS region, phone_type(p) AS type,
	phone_country_code(p) AS code, phone_extension(p) AS ext
FROM unnest(ARRAY['+84912345678', '+84912345678;ext=12', '+842438255678', '+841900123456', '+84 1800 1234',
	'+12025550143', '+18005550143', '+19005550143', '+12045550143', '+18765550143',
	'+442079460958', '+447400123456', '+447012345678', '+448081570123', '+445612345678',
	'+390612345678', '+393123456789', '+81312345678', '+819012345678', '+33612345678',
	'+33801234567', '+4915112345678', '+493012345678', '+6561234567', '+77012345678', '+79123456789',
	'+80012345678', '+8412', '+39012']::phone[]) AS p;

-- how it is shown
SELECT p, phone_national(p), phone_international(p), phone_rfc3966(p)
FROM unnest(ARRAY['+84912345678', '+84912345678;ext=12', '+842438255678', '+12025550143', '+442079460958',
	'+390612345678', '+80012345678', '+8412']::phone[]) AS p;
SELECT count(*) AS differing
FROM unnest(ARRAY['+84912345678', '+84912345678;ext=0012', '+390612345678', '+80012345678']::phone[]) AS p
WHERE phone_rfc3966(p)::phone <> p OR phone_international(p)::phone <> p;

-- the normal form is its own
CREATE TEMP TABLE sample AS
SELECT pg_temp.try_phone(
	'+' || (ARRAY['84', '1', '39', '44', '54', '55', '52', '7', '800', '225', '61', '49', '81', '375', '878', '36'])[1 + i % 16]
	|| CASE WHEN i % 5 = 0 THEN ' (0)' WHEN i % 7 = 0 THEN '-00' ELSE ' ' END
	|| left(((i::bigint * 7919 * 104729) % 9999999967)::text, 4 + i % 9)
	|| CASE WHEN i % 6 = 0 THEN ' ext ' || i % 1000 ELSE '' END) AS p
FROM generate_series(1, 4000) AS i;
SELECT count(*) FILTER (WHERE p NOT LIKE '! %') > 3000 AS enough_accepted FROM sample;
SELECT count(*) AS unstable
FROM sample
WHERE p NOT LIKE '! %' AND (p::phone::text::phone <> p::phone OR p::phone::text IS DISTINCT FROM p);
SELECT count(*) AS misread
FROM sample
WHERE p NOT LIKE '! %' AND (phone_rfc3966(p::phone) IS NULL
	OR starts_with(p, '+' || phone_country_code(p::phone)) IS NOT TRUE
	OR (p LIKE '%;ext=%') <> (phone_extension(p::phone) IS NOT NULL));

-- casts
CREATE TEMP TABLE person (id int, p phone);
INSERT INTO person VALUES (1, '+84 912 345 678');
INSERT INTO person SELECT 2, text '+84 912 345 679';
INSERT INTO person SELECT 3, varchar '+84 912 345 680';
INSERT INTO person VALUES (4, NULL);
INSERT INTO person SELECT 5, text '0912 345 678';
SELECT id, p, p || '!' AS concatenated, length(p), p LIKE '+84%' AS liked, coalesce(p, text 'none') AS filled
FROM person ORDER BY id;
SELECT castcontext, castmethod FROM pg_cast
WHERE castsource = 'lead_mgmt.phone'::regtype AND casttarget = 'text'::regtype;

-- comparison is by bytes
SELECT a, b, a < b AS lt, a <= b AS le, a = b AS eq, a <> b AS ne, a >= b AS ge, a > b AS gt, sign(phone_cmp(a, b)) AS cmp
FROM (VALUES ('+84912345678'::phone, '+84 (0)912 345 678'::phone), ('+84912345678', '+84912345679'),
	('+84912345678', '+84912345678;ext=1'), ('+849123456789', '+84912345678;ext=1')) AS t(a, b);
SELECT phone_hash('+84912345678') = phone_hash('+84 912 345 678') AS hash,
	phone_hash_extended('+84912345678', 7) = phone_hash_extended('+84 912 345 678', 7) AS extended;

-- order, distinct, joins and indexes
CREATE TABLE phone_test (id int, p phone);
INSERT INTO phone_test SELECT i, ('+84 9' || (i * 7919) % 5000 + 10000000)::phone FROM generate_series(1, 6000) AS i;
INSERT INTO phone_test SELECT -i, ('+8491234567' || i % 10 || ';ext=' || i % 300)::phone FROM generate_series(1, 3000) AS i;
INSERT INTO phone_test SELECT 10000 + i, ('+4930123456789' || i % 100)::phone FROM generate_series(1, 300) AS i;
INSERT INTO phone_test SELECT 20000, '+84912345678';
SELECT count(*), count(DISTINCT p) FROM phone_test;
SELECT count(*) AS out_of_order
FROM (SELECT p, lag(p) OVER (ORDER BY p) AS previous FROM phone_test) AS s
WHERE previous::text COLLATE "C" > p::text COLLATE "C";
SELECT DISTINCT p FROM phone_test ORDER BY p LIMIT 3;
SELECT DISTINCT p FROM phone_test ORDER BY p DESC LIMIT 3;
ANALYZE phone_test;
CREATE INDEX phone_test_btree ON phone_test (p);
SET enable_seqscan = off;
EXPLAIN (COSTS off) SELECT id FROM phone_test WHERE p = '+84 912 345 678';
SELECT id FROM phone_test WHERE p = '+84 912 345 678';
DROP INDEX phone_test_btree;
CREATE INDEX phone_test_hash ON phone_test USING hash (p);
SET enable_bitmapscan = off;
EXPLAIN (COSTS off) SELECT id FROM phone_test WHERE p = '+84 912 345 678';
SELECT id FROM phone_test WHERE p = '+84 912 345 678';
RESET enable_seqscan;
RESET enable_bitmapscan;
DROP INDEX phone_test_hash;
SET enable_mergejoin = off;
SET enable_nestloop = off;
EXPLAIN (COSTS off) SELECT count(*) FROM phone_test a JOIN phone_test b USING (p);
SELECT count(*) FROM phone_test a JOIN phone_test b USING (p);
SET enable_mergejoin = on;
SET enable_hashjoin = off;
SELECT count(*) FROM phone_test a JOIN phone_test b USING (p);
RESET enable_mergejoin;
RESET enable_nestloop;
RESET enable_hashjoin;

-- binary copy there and back
CREATE TEMP TABLE back (LIKE phone_test);
SELECT current_setting('data_directory') || '/phone_type_copy' AS copy_file \gset
COPY phone_test TO :'copy_file' (FORMAT binary);
COPY back FROM :'copy_file' (FORMAT binary);
SELECT count(*) AS lost FROM (SELECT * FROM phone_test EXCEPT ALL SELECT * FROM back) AS s;
SELECT count(*) AS rows FROM back;

-- binary input checks and normalises what text would
CREATE TEMP TABLE raw (id int, p text);
INSERT INTO raw VALUES (1, '+84 (0)912 345 678');
COPY raw TO :'copy_file' (FORMAT binary);
TRUNCATE back;
COPY back FROM :'copy_file' (FORMAT binary);
SELECT * FROM back;
UPDATE raw SET p = '0912 345 678';
COPY raw TO :'copy_file' (FORMAT binary);
\set VERBOSITY terse
COPY back FROM :'copy_file' (FORMAT binary);
\set VERBOSITY default
SELECT phone_send('+84 912 345 678');

-- text passed off as a number
CREATE CAST (bytea AS phone) WITHOUT FUNCTION;
SELECT phone_region('junk'::bytea::phone);
SELECT phone_rfc3966('+84'::bytea::phone);
DROP CAST (bytea AS phone);
DROP TABLE phone_test;
