SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
SET search_path = public, lead_mgmt;
SET extra_float_digits = 0;
SET datestyle = 'ISO';

-- published values of Jaro and Winkler
SELECT a, b, round(jaro(a, b)::numeric, 4) AS jaro, round(jaro_winkler(a, b)::numeric, 4) AS jaro_winkler
FROM (VALUES
	('SHACKLEFORD', 'SHACKELFORD'), ('DUNNINGHAM', 'CUNNIGHAM'), ('NICHLESON', 'NICHULSON'),
	('JONES', 'JOHNSON'), ('MASSEY', 'MASSIE'), ('ABROMS', 'ABRAMS'), ('HARDIN', 'MARTINEZ'),
	('ITMAN', 'SMITH'), ('JERALDINE', 'GERALDINE'), ('MARTHA', 'MARHTA'), ('MICHELLE', 'MICHAEL'),
	('JULIES', 'JULIUS'), ('TANYA', 'TONYA'), ('DWAYNE', 'DUANE'), ('SEAN', 'SUSAN'), ('JON', 'JOHN'),
	('JON', 'JAN'), ('DIXON', 'DICKSONX'), ('JELLYFISH', 'SMELLYFISH'), ('CRATE', 'TRACE')) AS t(a, b);

-- no bonus at 0.7 or below, however much the beginnings have in common
SELECT jaro('abcdefghijkl', 'abxyz') = jaro_winkler('abcdefghijkl', 'abxyz') AS same, jaro('abcdefghijkl', 'abxyz') <= 0.7 AS low;

-- edit distances: plain, with swaps, with swaps around other edits, by keys
SELECT a, b, levenshtein(a, b), optimal_string_alignment(a, b) AS alignment, damerau_levenshtein(a, b) AS damerau,
	keyboard_distance(a, b) AS typing
FROM (VALUES
	('kitten', 'sitting'), ('saturday', 'sunday'), ('ca', 'abc'), ('a cat', 'an abct'), ('smith', 'smiht'),
	('specter', 'spectre'), ('gumbo', 'gambol'), ('jonh', 'john'), ('same', 'same'), ('abcd', 'badc'),
	('anna', 'snna'), ('anna', 'Anna'), ('anna', 'pnna'), ('zoe', 'yoe'), ('2004', '2005'), ('2004', '2009')) AS t(a, b);
SELECT layout, keyboard_distance('zoe', 'toe', layout) AS t_z, keyboard_distance('qnna', 'anna', layout) AS q_a, keyboard_distance('wal', 'zal', layout) AS w_z
FROM unnest(ARRAY['qwerty', 'qwertz', 'azerty']) AS layout;
SELECT keyboard_distance('a', 'b', 'dvorak');
SELECT max AS "limit", levenshtein_within('kitten', 'sitting', max) FROM generate_series(-1, 4) AS max;

-- q-grams, padded: night has #n ni ig gh ht t#
SELECT a, b, q, round(qgram_jaccard(a, b, q)::numeric, 4) AS jaccard, round(qgram_cosine(a, b, q)::numeric, 4) AS cosine
FROM (VALUES ('night', 'nacht', 1), ('night', 'nacht', 2), ('night', 'nacht', 3), ('aaaa', 'aaa', 2), ('ab', 'ba', 2),
	('abcdefgh', 'abcdefgh', 8), ('x', 'x', 8), ('x', 'y', 1)) AS t(a, b, q);
SELECT qgram_jaccard('night', 'nacht') = qgram_jaccard('night', 'nacht', 2) AS by_two;
SELECT qgram_jaccard('night', 'nacht', 0);
SELECT qgram_cosine('night', 'nacht', 9);

-- beginnings and pieces, of the shorter text
SELECT a, b, prefix_similarity(a, b) AS prefix, substring_similarity(a, b) AS substring
FROM (VALUES ('Chris', 'Christopher'), ('acme', 'the acme company'), ('abcd', 'xbcy'), ('abc', 'xyz')) AS t(a, b);

-- words
SELECT words(E'O''Brien & Sons, Ltd. (Hà-Nội) «Zoë»\u00A0株式会社、東京・大阪 42\u2014b'), words(' ,.- ') AS none, words('') AS empty;
SELECT a, b, round(token_similarity(a, b)::numeric, 4) AS token, round(monge_elkan(a, b)::numeric, 4) AS monge_elkan
FROM (VALUES
	('john smith', 'smith, john'), ('john smith', 'jon smith'), ('international business machines', 'business machines'),
	('acme steel', 'acme wool'), ('peter christen', 'christian pedro'), ('paul johnson', 'johson paule'),
	('a a b', 'a b b'), ('!!', '??'), ('!!', '!!'), ('!!', 'a')) AS t(a, b);

-- with weights: a rare word counts more than a common one
WITH t(idf) AS (SELECT '{"company": 0.1, "limited": 0.1, "": 5}'::jsonb)
SELECT a, b, round(token_similarity(a, b, idf)::numeric, 4) AS weighted, round(token_similarity(a, b)::numeric, 4) AS equal
FROM t, (VALUES ('zyx company limited', 'abc company limited'), ('zyx company limited', 'zyx'), ('zyx company', 'zyxx limited')) AS s(a, b);
SELECT token_similarity('a b', 'b c', '{"b": 0}'), token_similarity('a b', 'a c', '{}'), token_similarity('a', 'b', NULL) IS NULL AS unknown;
SELECT round(token_similarity('đức phạm', 'phạm đức anh', '{"đức": 4, "phạm": 1, "anh": 2}')::numeric, 4);
SELECT token_similarity('a b', 'a c', '[1]');
SELECT token_similarity('a b', 'a c', '{"a": "heavy"}');
SELECT token_similarity('a b', 'a c', '{"a": -1}');
SELECT token_similarity('a b', 'a c', '{"a": 1e9}');

-- weights of a table's own words
WITH company(name) AS (VALUES ('Acme Steel'), ('Acme Wool'), ('Zenith Steel'), ('Acme Cotton')),
	word AS (SELECT lower(w) AS word, count(*) AS n FROM company, unnest(words(name)) AS w GROUP BY 1),
	weight AS (SELECT jsonb_object_agg(word, ln(4.0 / n)) || '{"": 1.39}' AS idf FROM word)
SELECT a, b, round(token_similarity(a, b, idf)::numeric, 2) FROM weight, (VALUES ('acme steel', 'acme wool'), ('acme steel', 'zenith steel')) AS t(a, b);

-- initials and acronyms
SELECT a, b, initials_match(a, b), initials_match(b, a) AS reversed
FROM (VALUES
	('jrr', 'john ronald reuel'), ('J. R. R.', 'John Ronald Reuel'), ('j ronald r', 'john ronald reuel'), ('j', 'john'),
	('jr', 'john ronald reuel'), ('jrrt', 'john ronald reuel'), ('j smith', 'john ronald'), ('john', 'john ronald'),
	('John', 'john'), ('', 'john'), ('k', 'john'), ('Đ', 'Đức Anh'), ('john ronald', 'jack r')) AS t(a, b);
SELECT a, b, is_acronym(a, b), is_acronym(b, a) AS reversed
FROM (VALUES
	('IBM', 'International Business Machines'), ('I.B.M.', 'International Business Machines'), ('IB', 'International Business Machines'),
	('BoA', 'Bank of America'), ('BA', 'Bank of America'), ('boa', 'bank of america'), ('AT&T', 'American Telephone & Telegraph'),
	('ibm', 'International Business Machines'), ('BMW', 'Bayerische Motoren Werke'), ('i', 'international'), ('', 'bank'),
	('HN', 'Hà Nội'), ('3M', '3 M'), ('of', 'old firm')) AS t(a, b);

-- dates
SELECT a, b, date_digits_distance(a, b) AS digits, date_transposed(a, b) AS transposed, date_parts_equal(a, b) AS parts
FROM (VALUES
	('2001-04-03'::date, '2001-03-04'::date), ('1971-06-24', '1971-06-24'), ('1971-06-24', '1917-06-24'), ('1971-06-24', '1971-06-25'),
	('1999-12-31', '2000-01-01'), ('infinity', 'infinity'), ('infinity', '-infinity'),
	('infinity', '2000-01-01'), ('0044-03-15 BC', '0044-03-15'), ('2004-02-29', '2004-02-28'), ('2001-05-05', '2001-05-05'), ('12000-01-01', '12000-01-02')) AS t(a, b);
SELECT count(*) AS days, count(*) FILTER (WHERE date_digits_distance(d, d + 1) NOT BETWEEN (differing + 1) / 2 AND differing) AS wrong_digits,
	count(*) FILTER (WHERE date_parts_equal(d, d + 1) <> (extract(year FROM d) = extract(year FROM d + 1))::int
		+ (extract(month FROM d) = extract(month FROM d + 1))::int) AS wrong_parts
FROM (SELECT '0001-01-01'::date + g AS d FROM generate_series(0, 3652057, 77) AS g) AS t,
	LATERAL (SELECT count(*) AS differing FROM generate_series(1, 8) AS i WHERE substr(to_char(d, 'YYYYMMDD'), i, 1) <> substr(to_char(d + 1, 'YYYYMMDD'), i, 1)) AS s;

-- numbers
SELECT a, b, number_similarity(a, b) FROM (VALUES
	(100::float8, 90::float8), (90, 100), (5, 5), (0, 0), (0, 1), (-1, 1), (-10, -8), (1e308, -1e308), (1e308, 0.5e308),
	('NaN', 'NaN'), ('NaN', 1), ('Infinity', 'Infinity'), ('Infinity', '-Infinity'), ('Infinity', 1)) AS t(a, b);
SELECT number_similarity(120::int, 100::numeric) = number_similarity(120, 100) AS of_other_types;

-- telephone numbers and e-mail addresses
SELECT a, b, round(phone_similarity(a, b)::numeric, 4) AS phone, round(phone_similarity(b, a)::numeric, 4) AS reversed
FROM (VALUES
	('+84 912 345 678', '0912345678'), ('0084912345678', '+84912345678'), ('+1 650 253 0000', '253-0000'), ('+16502530000;ext=12', '6502530000'),
	('+16502530000 x12', '+1 650 253 0000 ext 77'), ('+84912345678', '+84912345687'), ('+84912345678', '+84912345679'), ('110', '112'),
	('000', '0000'), ('', ''), ('none', 'none'), ('none', 'n/a'), ('', '123'), ('5678', '+84912345678')) AS t(a, b);
SELECT a, b, round(email_similarity(a, b)::numeric, 4) AS email
FROM (VALUES
	('jane.roe@example.com', 'jane.roe@example.com'), ('jane.roe@example.com', 'jane.row@example.com'), ('jane@gmail.com', 'jane@gmial.com'),
	('jane@gmail.com', 'jane@company.example'), ('"a@b"@x.com', '"a@c"@x.com'), ('jane', 'jane'), ('jane', 'jane@x.com'), ('', ''), ('@', '@')) AS t(a, b);

-- empty texts, identity, NULL: every comparator of texts
CREATE TEMP TABLE comparator AS
SELECT p.proname AS name
FROM pg_proc p WHERE p.pronamespace = 'lead_mgmt'::regnamespace AND p.proname IN ('jaro', 'jaro_winkler', 'levenshtein', 'optimal_string_alignment',
	'damerau_levenshtein', 'keyboard_distance', 'qgram_jaccard', 'qgram_cosine', 'prefix_similarity', 'substring_similarity', 'token_similarity',
	'monge_elkan', 'phone_similarity', 'email_similarity', 'initials_match', 'is_acronym')
	AND p.pronargs - p.pronargdefaults = 2;
CREATE FUNCTION pg_temp.call(name name, a text, b text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('SELECT lead_mgmt.%s(%L::text, %L::text)', name, a, b) INTO result;
	RETURN result;
END $$;
SELECT name, pg_temp.call(name, '', '') AS both_empty, pg_temp.call(name, '', 'abc') AS one_empty, pg_temp.call(name, 'Ngô Bảo Châu', 'Ngô Bảo Châu') AS same,
	pg_temp.call(name, NULL, 'a') AS "null"
FROM comparator ORDER BY name COLLATE "C";

-- a letter counts as one however many bytes it has; composed and decomposed differ
SELECT levenshtein('Nguyễn', 'Nguyen') AS one, levenshtein(E'Nguye\u0302\u0303n', 'Nguyễn') AS decomposed, levenshtein('東京都', '京都') AS cjk,
	optimal_string_alignment('京東都', '東京都') AS swapped, damerau_levenshtein('Zoë', 'Zoe') AS latin, jaro_winkler('ĐÀ NẴNG', 'ĐÀ NĂNG') > 0.9 AS alike,
	round(jaro_winkler('Müller', 'Muller')::numeric, 4) AS umlaut, jaro_winkler('Müller', 'Muller') = jaro_winkler('Mюller', 'Muller') AS narrow_and_wide,
	round(qgram_jaccard('đức', 'đực')::numeric, 4) AS grams, levenshtein('😀a', 'a😀') AS emoji, keyboard_distance('é', 'e') AS accent;

-- the functions are usable in indexes and generated columns
CREATE TEMP TABLE person (a text, b text, likeness float8 GENERATED ALWAYS AS (lead_mgmt.jaro_winkler(a, b)) STORED);
CREATE INDEX ON person (lead_mgmt.levenshtein(a, b));
INSERT INTO person VALUES ('martha', 'marhta'), (NULL, 'x');
SELECT a, round(likeness::numeric, 4) AS likeness FROM person ORDER BY a;

-- marks
SELECT p.oid::regprocedure AS function FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
WHERE p.pronamespace = 'lead_mgmt'::regnamespace AND (p.proname ~ '(_similarity|_distance|_match)$' OR p.proname IN (SELECT name FROM comparator)
	OR p.proname IN ('words', 'date_transposed', 'date_parts_equal', 'levenshtein_within'))
	AND NOT (p.provolatile = 'i' AND p.proisstrict AND p.proparallel = 's' AND p.procost > 1);

DROP TABLE person;
