SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
SET search_path = pg_catalog, pg_temp;

-- fold: what people see as one text
SELECT lead_mgmt.fold(value) AS fold, quote_literal(value) AS value
FROM unnest(ARRAY[
	'', ' ', E' \t\r\n', 'Jane', '  Jane   Roe ', E'Jane\u00A0\u3000\u2009Roe',
	'ĐÀ NẴNG', normalize('ĐÀ NẴNG', NFD), 'da nang', 'Nguyễn Thị Hồng Gấm', 'ươƯƠ',
	'Straße', 'STRASSE', 'ẞ', 'Æsir Ærø', 'Œuvre', 'Þór Guðmundsson', 'Łódź', 'Øre', 'Ħal', 'ŋ ĸ ŧ ŀ',
	'İstanbul ISPARTA ısparta', 'Dvořák', 'Škoda', 'Ångström', 'Ñandú', 'ǆ Ǆ ǅ', 'ſ',
	'ΑΘΗΝΑΣ', 'Αθήνας', 'ΟΔΥΣΣΕΎΣ', 'ᾳ Ὠ', 'Андрей', 'АНДРЕИ', 'Ёлка', 'Київ',
	'שָׁלוֹם', 'أحمد', 'احمد', 'مُحَمَّد', 'محـمد', 'فاطمة', 'على', 'علی',
	'김철수', normalize('김철수', NFD), '株式会社', '㈱', 'ﾄﾖﾀ', 'ｶﾞﾗｽ', 'がぎ', normalize('がぎ', NFD), 'パリ',
	'กรุงเทพ', 'ไก่', 'หน้า', 'हिन्दी', 'क़लम', normalize('क़लम', NFC), 'বাংলা', 'தமிழ்',
	'ＡＢＣ１２３', '①②', '½', 'm²', 'ﬁne', 'Ⅳ', '٣٤٥', '१२३', '๑๒๓', '㎏',
	'O’Brien', 'O`Brien', 'O´Brien', 'OʼBrien', '“x” „y‟ «z»', 'a–b—c‐d−e',
	E'a\u200Bb\u00ADc\uFEFFd\u200De', E'e\u0301\u0323\u0302', E'\u0301'
]) WITH ORDINALITY AS t(value, ord) ORDER BY ord;

SELECT lead_mgmt.fold(NULL), lead_mgmt.digits(NULL), lead_mgmt.person_name_key(NULL), lead_mgmt.organisation_name_key(NULL),
	lead_mgmt.email_key(NULL), lead_mgmt.address_key(NULL), lead_mgmt.postcode_key(NULL), lead_mgmt.phonetic(NULL);

-- every code point: its fold is its own fold, and that of its decomposition
SELECT count(*) AS code_points,
	count(*) FILTER (WHERE lead_mgmt.fold(lead_mgmt.fold(c)) <> lead_mgmt.fold(c)) AS not_stable,
	count(*) FILTER (WHERE lead_mgmt.fold(normalize(c, NFD)) <> lead_mgmt.fold(c)) AS decomposed_differs
FROM (SELECT chr(i) AS c FROM generate_series(1, 1114111) i WHERE i NOT BETWEEN 55296 AND 57343) s;

-- upper and lower case fold alike
SELECT count(*) FROM generate_series(192, 1400) i WHERE i <> 837 AND lead_mgmt.fold(upper(chr(i) COLLATE "und-x-icu")) <> lead_mgmt.fold(lower(chr(i) COLLATE "und-x-icu"));

-- a vowel sign or voicing mark tells words apart
SELECT lead_mgmt.fold('कि') <> lead_mgmt.fold('की') AS hindi, lead_mgmt.fold('か') <> lead_mgmt.fold('が') AS japanese,
	lead_mgmt.fold('ไก่') <> lead_mgmt.fold('ไก') AS thai, lead_mgmt.fold('가') <> lead_mgmt.fold('거') AS korean;

-- no more marks in a row than any language has, so that nobody can make it slow
SELECT length(lead_mgmt.fold('क' || repeat('़्', 5000)));
SELECT length(lead_mgmt.fold(repeat('é', 10000))), length(lead_mgmt.fold(repeat(E'\u0301', 10000))), length(lead_mgmt.fold(repeat('x', 10000)));

-- digits
SELECT lead_mgmt.digits(value), value FROM unnest(ARRAY['+84 (912) 345-678', 'none', '', '٠١٢٣', '１２３', '०९', '12a34']) AS t(value);

-- in an index of any table
CREATE TEMP TABLE person (person_id int PRIMARY KEY, name text);
INSERT INTO person SELECT i, 'Person ' || i FROM generate_series(1, 2000) i;
INSERT INTO person VALUES (0, normalize('ĐÀO Thị Hồng', NFD));
CREATE INDEX person_name_fold ON person (lead_mgmt.fold(name));
CREATE INDEX person_name_key ON person (lead_mgmt.person_name_key(name));
ANALYZE person;
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT person_id FROM person WHERE lead_mgmt.fold(name) = lead_mgmt.fold('dao thi hong');
SELECT person_id FROM person WHERE lead_mgmt.fold(name) = lead_mgmt.fold('dao thi hong');
SELECT person_id FROM person WHERE lead_mgmt.person_name_key(name) = lead_mgmt.person_name_key('Hồng, Đào Thị');
RESET enable_seqscan;
DROP TABLE person;

-- databases in other encodings: the same for what they can hold, no error for what their fold cannot be written in
SET client_min_messages = warning;
DROP DATABASE IF EXISTS normal_forms_latin1;
DROP DATABASE IF EXISTS normal_forms_win1251;
CREATE DATABASE normal_forms_latin1 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;
CREATE DATABASE normal_forms_win1251 ENCODING 'WIN1251' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;
SELECT current_database() AS here \gset
\c normal_forms_latin1
SET client_encoding = 'UTF8';
SET client_min_messages = warning;
CREATE EXTENSION lead_mgmt;
SELECT lead_mgmt.fold('Müller Straße Þór ½ µ'), lead_mgmt.parse_person_name('Dr. Jörg Müller, PhD'), lead_mgmt.person_name_key('MÜLLER Jörg'),
	lead_mgmt.organisation_name_key('Müller & Söhne GmbH & Co. KG'), lead_mgmt.legal_form('Crédit Société Anonyme'), lead_mgmt.same_given_name('Zoë', 'zoe'),
	lead_mgmt.email_key('Jörg.Müller@Example.com'), lead_mgmt.address_key('Hauptstraße 5'), lead_mgmt.phonetic('Müller');
SELECT count(*) > 100 AS forms, bool_and(cardinality(countries) > 0) AS in_countries FROM lead_mgmt.legal_forms();
\c normal_forms_win1251
SET client_encoding = 'UTF8';
SET client_min_messages = warning;
CREATE EXTENSION lead_mgmt;
SELECT lead_mgmt.fold('ЁЛКА Андрей'), lead_mgmt.parse_person_name('Иванов Иван Иванович'), lead_mgmt.person_name_key('Иван Иванов'),
	lead_mgmt.organisation_name_key('ООО «Ромашка»'), lead_mgmt.legal_form('ООО «Ромашка»'), lead_mgmt.same_given_name('Саша', 'Александр'), lead_mgmt.phonetic('Иван');
\c :here
SET client_min_messages = warning;
DROP DATABASE normal_forms_latin1;
DROP DATABASE normal_forms_win1251;
