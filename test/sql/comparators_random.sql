-- The comparators against the textbook forms of the algorithms, over random
-- texts around the edges of machine words, and over long ones.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
CREATE EXTENSION IF NOT EXISTS fuzzystrmatch SCHEMA public;
RESET client_min_messages;
SET search_path = pg_catalog, public;

-- a text of n letters of the alphabet's first k
CREATE FUNCTION pg_temp.random_text(n integer, k integer, wide boolean) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT coalesce(string_agg(substr(CASE WHEN wide THEN 'ăbẽdưfồhịj' ELSE 'abcdefghij' END, 1 + floor(random() * k)::integer, 1), ''), '')
	FROM generate_series(1, n)
$$;
-- the same with letters swapped, replaced and left out
CREATE FUNCTION pg_temp.with_edits(t text, n integer) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	at integer;
BEGIN
	FOR i IN 1 .. n LOOP
		at := 1 + floor(random() * greatest(length(t) - 1, 1));
		t := CASE floor(random() * 3)
			WHEN 0 THEN overlay(t PLACING reverse(substr(t, at, 2)) FROM at FOR 2)
			WHEN 1 THEN overlay(t PLACING 'c' FROM at FOR 1)
			ELSE overlay(t PLACING '' FROM at FOR 1) END;
	END LOOP;
	RETURN t;
END $$;

-- distances by the whole matrix: without swaps, with swaps, with swaps around other edits
CREATE FUNCTION pg_temp.matrix_distance(a text, b text, kind text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	x text[] := regexp_split_to_array(a, '');
	y text[] := regexp_split_to_array(b, '');
	m integer := length(a);
	n integer := length(b);
	d integer[] := array_fill(0, ARRAY[length(a) + 1, length(b) + 1], ARRAY[0, 0]);
	k integer;
	l integer;
BEGIN
	FOR i IN 0 .. m LOOP
		FOR j IN 0 .. n LOOP
			IF i = 0 OR j = 0 THEN
				d[i][j] := i + j;
				CONTINUE;
			END IF;
			d[i][j] := least(d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (x[i] <> y[j])::integer);
			IF kind = 'alignment' AND i > 1 AND j > 1 AND x[i] = y[j - 1] AND x[i - 1] = y[j] THEN
				d[i][j] := least(d[i][j], d[i - 2][j - 2] + 1);
			ELSIF kind = 'damerau' THEN
				k := i - 1;
				l := j - 1;
				WHILE k > 0 AND x[k] <> y[j] LOOP k := k - 1; END LOOP;
				WHILE l > 0 AND y[l] <> x[i] LOOP l := l - 1; END LOOP;
				IF k > 0 AND l > 0 THEN
					d[i][j] := least(d[i][j], d[k - 1][l - 1] + i - k + j - l - 1);
				END IF;
			END IF;
		END LOOP;
	END LOOP;
	RETURN d[m][n];
END $$;

CREATE FUNCTION pg_temp.plain_jaro(a text, b text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	x text[] := regexp_split_to_array(a, '');
	y text[] := regexp_split_to_array(b, '');
	reach integer := greatest(greatest(length(a), length(b)) / 2 - 1, 0);
	taken boolean[] := array_fill(false, ARRAY[length(b)]);
	matched text[] := '{}';
	other text[] := '{}';
	common integer;
	disordered integer;
BEGIN
	FOR i IN 1 .. length(a) LOOP
		FOR j IN greatest(i - reach, 1) .. least(i + reach, length(b)) LOOP
			IF NOT taken[j] AND x[i] = y[j] THEN
				taken[j] := true;
				matched := matched || x[i];
				EXIT;
			END IF;
		END LOOP;
	END LOOP;
	FOR j IN 1 .. length(b) LOOP
		IF taken[j] THEN
			other := other || y[j];
		END IF;
	END LOOP;
	common := cardinality(matched);
	IF common = 0 THEN
		RETURN 0;
	END IF;
	SELECT count(*) INTO disordered FROM unnest(matched, other) AS t(p, q) WHERE p <> q;
	RETURN (common::float8 / length(a) + common::float8 / length(b) + (common - disordered / 2)::float8 / common) / 3;
END $$;

-- multisets of padded q-grams
CREATE FUNCTION pg_temp.plain_grams(a text, b text, q integer, OUT jaccard float8, OUT cosine float8) LANGUAGE sql AS $$
	WITH x AS (SELECT substr(repeat('#', q - 1) || a || repeat('#', q - 1), i, q) AS gram, count(*) AS n FROM generate_series(1, length(a) + q - 1) AS i GROUP BY 1),
		y AS (SELECT substr(repeat('#', q - 1) || b || repeat('#', q - 1), i, q) AS gram, count(*) AS n FROM generate_series(1, length(b) + q - 1) AS i GROUP BY 1)
	SELECT sum(least(coalesce(x.n, 0), coalesce(y.n, 0)))::float8 / sum(greatest(coalesce(x.n, 0), coalesce(y.n, 0)))::float8,
		sum(coalesce(x.n * y.n, 0))::float8 / sqrt(sum(coalesce(x.n, 0) ^ 2)::float8 * sum(coalesce(y.n, 0) ^ 2)::float8)
	FROM x FULL JOIN y USING (gram)
$$;

SELECT setseed(0.42);
CREATE TEMP TABLE pair AS
SELECT i, a, CASE WHEN i % 2 = 0 THEN pg_temp.random_text(m, k, wide) ELSE pg_temp.with_edits(a, i % 9) END AS b
FROM (SELECT i, m, k, wide, pg_temp.random_text(n, k, wide) AS a
	FROM (SELECT i, 1 + floor(random() * CASE WHEN i % 5 = 0 THEN 12 ELSE 200 END)::integer AS n, 1 + floor(random() * 200)::integer AS m,
			2 + floor(random() * 8)::integer AS k, i % 3 = 0 AS wide
		FROM generate_series(1, 2000) AS i) AS s OFFSET 0) AS t;
-- lengths at which a machine word is full or just too small
INSERT INTO pair
SELECT 0, a, pg_temp.with_edits(a, 3)
FROM (SELECT pg_temp.random_text(n, 4, wide) AS a FROM unnest(ARRAY[1, 2, 61, 62, 63, 64, 65, 66, 67, 126, 127, 128, 129, 130, 191, 192, 193]) AS n,
	unnest(ARRAY[false, true]) AS wide, generate_series(1, 5) OFFSET 0) AS t
WHERE length(a) > 0;
SELECT count(*) > 2000 AS enough, max(length(a)) AS longest, count(*) FILTER (WHERE octet_length(a) > length(a)) > 500 AS wide FROM pair;

-- against contrib's, which takes 255 bytes
SELECT count(*) FROM pair WHERE octet_length(a) <= 255 AND octet_length(b) <= 255 AND lead_mgmt.levenshtein(a, b) <> public.levenshtein(a, b);
-- within a limit around the distance
SELECT count(*) FROM pair, unnest(ARRAY[0, 1, 2, 3, 5, 8, 21, 50, 100, 200, 2147483647]) AS max
WHERE lead_mgmt.levenshtein_within(a, b, max) <> (lead_mgmt.levenshtein(a, b) <= max);
SELECT count(*) FROM pair, generate_series(-1, 1) AS off
WHERE lead_mgmt.levenshtein_within(a, b, lead_mgmt.levenshtein(a, b) + off) <> (off >= 0);
-- by the matrix, for some
SELECT count(*) > 200 AS compared, count(*) FILTER (WHERE lead_mgmt.levenshtein(a, b) <> pg_temp.matrix_distance(a, b, 'plain')) AS plain,
	count(*) FILTER (WHERE lead_mgmt.optimal_string_alignment(a, b) <> pg_temp.matrix_distance(a, b, 'alignment')) AS alignment
FROM (SELECT a, b FROM pair WHERE i = 0 OR i % 40 = 1 OR (i % 20 < 5 AND length(a) + length(b) < 40)) AS t WHERE b <> '';
SELECT count(*) > 50 AS compared, count(*) FILTER (WHERE lead_mgmt.damerau_levenshtein(a, b) <> pg_temp.matrix_distance(a, b, 'damerau')) AS damerau
FROM (SELECT left(a, 40) AS a, left(b, 40) AS b FROM pair WHERE i % 40 < 2) AS t WHERE b <> '';
SELECT count(*) FROM pair WHERE b <> '' AND i % 3 <> 1 AND lead_mgmt.jaro(a, b) <> pg_temp.plain_jaro(a, b);
SELECT count(*) FROM (SELECT i, a, b FROM pair WHERE b <> '' AND i % 8 < 2) AS t, generate_series(1, 8) AS q, pg_temp.plain_grams(a, b, q) AS g
WHERE (q <= 3 OR i % 16 = 1) AND (lead_mgmt.qgram_jaccard(a, b, q) <> g.jaccard OR abs(lead_mgmt.qgram_cosine(a, b, q) - g.cosine) > 1e-12);

-- symmetry, bounds, order among the distances
SELECT count(*) FROM pair WHERE lead_mgmt.levenshtein(a, b) <> lead_mgmt.levenshtein(b, a)
	OR lead_mgmt.optimal_string_alignment(a, b) <> lead_mgmt.optimal_string_alignment(b, a)
	OR lead_mgmt.damerau_levenshtein(a, b) <> lead_mgmt.damerau_levenshtein(b, a)
	OR lead_mgmt.keyboard_distance(a, b) <> lead_mgmt.keyboard_distance(b, a)
	OR lead_mgmt.jaro_winkler(a, b) <> lead_mgmt.jaro_winkler(b, a)
	OR lead_mgmt.qgram_jaccard(a, b) <> lead_mgmt.qgram_jaccard(b, a)
	OR lead_mgmt.qgram_cosine(a, b) <> lead_mgmt.qgram_cosine(b, a)
	OR lead_mgmt.substring_similarity(a, b) <> lead_mgmt.substring_similarity(b, a);
SELECT count(*) FROM pair, LATERAL (SELECT lead_mgmt.levenshtein(a, b) AS l, lead_mgmt.optimal_string_alignment(a, b) AS o, lead_mgmt.damerau_levenshtein(a, b) AS d,
	lead_mgmt.keyboard_distance(a, b) AS k) AS t
WHERE NOT (abs(length(a) - length(b)) <= d AND d <= o AND o <= l AND l <= greatest(length(a), length(b)) AND k <= o AND 2 * k >= o);
SELECT count(*) FROM pair, LATERAL (SELECT lead_mgmt.jaro(a, b) AS j, lead_mgmt.jaro_winkler(a, b) AS w, lead_mgmt.qgram_cosine(a, b) AS c) AS t
WHERE NOT (0 <= j AND j <= w AND w <= 1 AND 0 <= c AND c <= 1);
SELECT count(*) FROM pair AS x JOIN pair AS y ON y.i = x.i + 1
WHERE lead_mgmt.levenshtein(x.a, y.b) > lead_mgmt.levenshtein(x.a, x.b) + lead_mgmt.levenshtein(x.b, y.b)
	OR lead_mgmt.damerau_levenshtein(x.a, y.b) > lead_mgmt.damerau_levenshtein(x.a, x.b) + lead_mgmt.damerau_levenshtein(x.b, y.b);
SELECT count(*) FROM (SELECT string_agg(a, ' ' ORDER BY i) AS a, string_agg(b, ',' ORDER BY i) AS b
	FROM (SELECT i, left(a, 1 + i % 9) AS a, left(b, 1 + i % 7) AS b FROM pair) AS s GROUP BY i / 7) AS t
WHERE lead_mgmt.token_similarity(a, b) <> lead_mgmt.token_similarity(b, a) OR lead_mgmt.monge_elkan(a, b) <> lead_mgmt.monge_elkan(b, a)
	OR NOT lead_mgmt.token_similarity(a, b) BETWEEN 0 AND 1 OR NOT lead_mgmt.monge_elkan(a, b) BETWEEN 0 AND 1;

-- 10,000 characters: right, and none takes long
CREATE TEMP TABLE long AS SELECT a, overlay(overlay(a PLACING 'xyz' FROM 3000 FOR 1) PLACING '' FROM 7000 FOR 2) || 'ba' AS b
FROM (SELECT pg_temp.random_text(10000, 10, wide) AS a FROM unnest(ARRAY[false, true]) AS wide OFFSET 0) AS t;
SET statement_timeout = '20s';
SELECT length(a) AS length, lead_mgmt.levenshtein(a, b), lead_mgmt.levenshtein_within(a, b, 7) AS within_7, lead_mgmt.levenshtein_within(a, b, 6) AS within_6,
	lead_mgmt.optimal_string_alignment(a, b) AS alignment, lead_mgmt.damerau_levenshtein(a, b) AS damerau, lead_mgmt.levenshtein(a, reverse(b)) > 5000 AS far FROM long;
SELECT lead_mgmt.jaro_winkler(a, b) > 0.8 AS jaro_winkler, round(lead_mgmt.qgram_jaccard(a, b, 3)::numeric, 3) AS grams, lead_mgmt.keyboard_distance(a, b) <= 7 AS typing,
	lead_mgmt.substring_similarity(a, b) < 0.5 AS substring, lead_mgmt.token_similarity(a, b) > 0.9 AS token, lead_mgmt.monge_elkan(a, b) > 0.9 AS monge_elkan FROM long;
SELECT lead_mgmt.token_similarity(a, b) > 0.99 AS token, lead_mgmt.monge_elkan(a, b) > 0.9 AS monge_elkan, lead_mgmt.initials_match(a, b) AS initials,
	lead_mgmt.is_acronym(a, b) AS acronym, cardinality(lead_mgmt.words(a)) AS words
FROM (SELECT string_agg('w' || g, ' ' ORDER BY g) AS a, string_agg('w' || g, ' ' ORDER BY g DESC) FILTER (WHERE g <= 1000) AS b FROM generate_series(1, 5000) AS g) AS t;
SELECT lead_mgmt.jaro_winkler(repeat('a', 10000), repeat('a', 9999) || 'b') > 0.99 AS jaro_winkler, lead_mgmt.qgram_cosine(repeat('a', 10000), repeat('ab', 5000)) < 0.1 AS grams,
	lead_mgmt.damerau_levenshtein(repeat('ab', 5000), repeat('ba', 5000)) AS damerau, lead_mgmt.phone_similarity(repeat('1', 10000), repeat('1', 10000)) AS phone,
	lead_mgmt.email_similarity(repeat('@', 10000), repeat('@', 10000)) AS email;
-- a short text against a long one is no reason to look at all of it
SELECT lead_mgmt.levenshtein_within('ab', repeat('ab', 5000000), 3);
-- what takes too long can be cancelled
SET statement_timeout = '300ms';
SELECT lead_mgmt.damerau_levenshtein(repeat('abc', 300000), repeat('bca', 300000));
SELECT lead_mgmt.levenshtein(repeat('abc', 3000000), repeat('bca', 3000000));
SELECT lead_mgmt.keyboard_distance(repeat('abc', 300000), repeat('bca', 300000));
SELECT lead_mgmt.substring_similarity(repeat('abc', 300000), repeat('bca', 300000));
RESET statement_timeout;
-- the kernels are as they were after each of these
SELECT lead_mgmt.levenshtein('kitten', 'sitting'), lead_mgmt.optimal_string_alignment('abcd', 'badc'), round(lead_mgmt.jaro('MARTHA', 'MARHTA')::numeric, 4) AS jaro,
	lead_mgmt.qgram_jaccard('night', 'nacht') AS grams;
