-- Properties of normal forms over generated text, the same text every time.
\set QUIET on
\set ON_ERROR_STOP on
\pset format unaligned
\pset tuples_only on
\pset pager off
SET client_min_messages = warning;
BEGIN;
SELECT no_plan();
SELECT setseed(0.5);

-- pieces that mean something to one function or another, and pieces of many scripts
CREATE TEMP TABLE piece AS
SELECT 1 AS kind, row_number() OVER () AS n, p FROM unnest(ARRAY['a', 'B', 'z', '1', '23', ' ', '.', '-', '''', '/', '&', '+', ',', 'Ltd', 'Co', 'Inc', 'GmbH', 'the', 'la', 'sa', 'S.A.', 'KG', 'and', 'und', 'de', 'van', 'el', 'al-', 'st', 'y', 'o', 'jr', 'ii',
	'd', 'q', 'p', 'no', 'so', '5', 'unit', 'apt', '#', 'e', 'n', 'str', '@', '@gmail.com', '@yandex.ru', '@proton.me', '@yahoo.com', '(', ')', '"', 'com', 'as', '株式会社', '株', '㈱', 'Công ty', 'TNHH', 'z', 'о', 'mr', 'dr', 'limited', 'company', 'can ho', 'floor', 'hauptstr', 'saint', 'av',
	'Nguyen', 'Văn', 'Jane', 'ROE', 'Bob', 'шт', '12345-6789', 'D-', '  ', '`', 'et', 'h', 'ste', '股份有限公司', 'Acme株式会社']) p
UNION ALL
SELECT 2, row_number() OVER (), p FROM unnest(ARRAY['à', 'ồ', 'Đ', E'\u0300', E'\u031B', E'\u0323', 'ß', 'İ', 'ı', 'ﬁ', '가', 'ᆨ', 'ᄀ', 'ᅡ', 'か', '゛', E'\u3099', 'ｶ', 'ﾞ', 'क', E'\u093C', E'\u094D', 'ใ', 'ำ', E'\u0E49', 'ا', E'\u0654', E'\u0651', 'ـ', 'ש', E'\u05C1', 'Σ', 'ς',
	E'\u0345', 'ᾳ', '½', E'\u3000', ' ', 'x', E'\u200B', E'\u00AD', 'Ω', 'ﷺ', '😀', '１', '٣', '-', '–', '’', '`', 'Å', '中', '々', '(株)', 'า', E'\u0E4D', 'ꙮ', 'ѝ', '𝒜', 'ⅷ', 'ⓐ', '㏂', '゜', 'ハ', 'క', E'\u0C4D', 'ﬥ', 'ẛ']) p;
CREATE TEMP TABLE value AS
SELECT DISTINCT string_agg(p.p || CASE WHEN k.kind = 1 AND random() < 0.5 THEN ' ' ELSE '' END, '' ORDER BY g) AS v
FROM (SELECT i, 1 + i % 2 AS kind, 1 + (random() * 8)::int AS pieces FROM generate_series(1, 8000) i) k
	CROSS JOIN LATERAL (SELECT g, 1 + floor(random() * (SELECT count(*) FROM piece WHERE kind = k.kind))::int AS n FROM generate_series(1, k.pieces) g) c
	JOIN piece p ON p.kind = k.kind AND p.n = c.n
GROUP BY k.i;
SELECT cmp_ok(count(*), '>', 6000::bigint, 'thousands of different values') FROM value;

-- a key is its own key
SELECT is(array_agg(v ORDER BY length(v)), NULL, 'fold') FROM value WHERE lead_mgmt.fold(lead_mgmt.fold(v)) <> lead_mgmt.fold(v);
SELECT is(array_agg(v ORDER BY length(v)), NULL, 'digits') FROM value WHERE lead_mgmt.digits(lead_mgmt.digits(v)) <> lead_mgmt.digits(v);
SELECT is(array_agg(v ORDER BY length(v)), NULL, 'given_name_key') FROM value WHERE lead_mgmt.given_name_key(lead_mgmt.given_name_key(v)) <> lead_mgmt.given_name_key(v);
SELECT is(array_agg(v ORDER BY length(v)), NULL, 'family_name_key') FROM value WHERE lead_mgmt.family_name_key(lead_mgmt.family_name_key(v)) <> lead_mgmt.family_name_key(v);
SELECT is(array_agg(v ORDER BY length(v)), NULL, 'organisation_name_key') FROM value WHERE lead_mgmt.organisation_name_key(lead_mgmt.organisation_name_key(v)) <> lead_mgmt.organisation_name_key(v);
SELECT is(array_agg(v ORDER BY length(v)), NULL, 'email_key') FROM value WHERE lead_mgmt.email_key(lead_mgmt.email_key(v)) <> lead_mgmt.email_key(v);
SELECT is(array_agg(v ORDER BY length(v)), NULL, 'address_key') FROM value WHERE lead_mgmt.address_key(lead_mgmt.address_key(v)) <> lead_mgmt.address_key(v);
SELECT is(array_agg(v ORDER BY length(v)), NULL, 'postcode_key') FROM value WHERE lead_mgmt.postcode_key(lead_mgmt.postcode_key(v)) <> lead_mgmt.postcode_key(v);

-- composed or decomposed, in capitals or not, with what cannot be seen or without
SELECT is(array_agg(v ORDER BY length(v)), NULL, 'decomposed') FROM value
WHERE (lead_mgmt.fold(normalize(v, NFD)), lead_mgmt.person_name_key(normalize(v, NFD)), lead_mgmt.organisation_name_key(normalize(v, NFD)), lead_mgmt.address_key(normalize(v, NFD)))
	<> (lead_mgmt.fold(v), lead_mgmt.person_name_key(v), lead_mgmt.organisation_name_key(v), lead_mgmt.address_key(v));
SELECT is(array_agg(v ORDER BY length(v)), NULL, 'in capitals') FROM value
WHERE (lead_mgmt.fold(translate(v, 'abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ')), lead_mgmt.organisation_name_key(translate(v, 'abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ')), lead_mgmt.address_key(translate(v, 'abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ')))
	<> (lead_mgmt.fold(v), lead_mgmt.organisation_name_key(v), lead_mgmt.address_key(v));
SELECT is(array_agg(v ORDER BY length(v)), NULL, 'with soft hyphens and zero-width spaces') FROM value
WHERE lead_mgmt.fold(replace(v, ' ', E' \u200B') || E'\u00AD') <> lead_mgmt.fold(v);

-- never empty where there is something
SELECT is(array_agg(v ORDER BY length(v)), NULL, 'a letter or digit leaves a key') FROM value
WHERE lead_mgmt.fold(v) ~ '[a-z0-9]' AND '' IN (lead_mgmt.organisation_name_key(v), lead_mgmt.person_name_key(v), lead_mgmt.given_name_key(v), lead_mgmt.family_name_key(v), lead_mgmt.email_key(v), lead_mgmt.address_key(v), lead_mgmt.phonetic(v));
SELECT is(array_agg(v ORDER BY length(v)), NULL, 'digits are digits') FROM value WHERE lead_mgmt.digits(v) !~ '^[0-9]*$';
SELECT is(array_agg(v ORDER BY length(v)), NULL, 'no blank at an end, none beside another') FROM value
WHERE lead_mgmt.fold(v) ~ '^\s|\s$|\s\s' OR lead_mgmt.organisation_name_key(v) ~ '^\s|\s$|\s\s' OR lead_mgmt.person_name_key(v) ~ '^\s|\s$|\s\s' OR lead_mgmt.address_key(v) ~ '^\s|\s$|\s\s';

-- the parts of a name are pieces of it
SELECT is(array_agg(v ORDER BY length(v)), NULL, 'a parsed name has nothing that was not there') FROM value, lead_mgmt.parse_person_name(v) p,
	LATERAL unnest(ARRAY[p.title, p.given, p.middle, p.family, p.suffix]) part, LATERAL regexp_split_to_table(part, '\s+') w
WHERE part IS NOT NULL AND strpos(v, w) = 0;
SELECT is(array_agg(v), NULL, 'a given name agrees with itself') FROM value WHERE lead_mgmt.given_name_key(v) <> '' AND NOT lead_mgmt.same_given_name(v, v);
SELECT is(array_agg(ARRAY[a.v, b.v]), NULL, 'both ways') FROM (SELECT v, row_number() OVER (ORDER BY v) n FROM value) a JOIN (SELECT v, row_number() OVER (ORDER BY v) n FROM value) b ON b.n = a.n + 1
WHERE lead_mgmt.same_given_name(a.v, b.v) <> lead_mgmt.same_given_name(b.v, a.v);

-- every short form finds its name, no group is lost for want of room
SELECT is(array_agg(name || '/' || formal_name), NULL, 'nicknames are found') FROM lead_mgmt.nicknames() WHERE NOT lead_mgmt.same_given_name(name, formal_name);
SELECT cmp_ok(max(c), '<=', 16::bigint, 'a name is in sixteen groups at most') FROM (SELECT count(*) + 1 AS c FROM lead_mgmt.nicknames() GROUP BY name) n;
SELECT * FROM finish();
ROLLBACK;
