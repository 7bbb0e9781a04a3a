-- In databases of other encodings a letter counts as one, too, and results are
-- those of UTF-8.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
SELECT current_database() AS original \gset
DROP DATABASE IF EXISTS lead_mgmt_latin1;
DROP DATABASE IF EXISTS lead_mgmt_euc_jp;
CREATE DATABASE lead_mgmt_latin1 TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C';
CREATE DATABASE lead_mgmt_euc_jp TEMPLATE template0 ENCODING 'EUC_JP' LC_COLLATE 'C' LC_CTYPE 'C';

\c lead_mgmt_latin1
SET client_encoding = 'UTF8';
CREATE FUNCTION levenshtein(text, text) RETURNS integer AS '$libdir/lead_mgmt', 'levenshtein' LANGUAGE C STRICT;
CREATE FUNCTION optimal_string_alignment(text, text) RETURNS integer AS '$libdir/lead_mgmt', 'optimal_string_alignment' LANGUAGE C STRICT;
CREATE FUNCTION jaro_winkler(text, text) RETURNS float8 AS '$libdir/lead_mgmt', 'jaro_winkler' LANGUAGE C STRICT;
CREATE FUNCTION qgram_jaccard(text, text, integer) RETURNS float8 AS '$libdir/lead_mgmt', 'qgram_jaccard' LANGUAGE C STRICT;
CREATE FUNCTION words(text) RETURNS text[] AS '$libdir/lead_mgmt', 'words' LANGUAGE C STRICT;
CREATE FUNCTION token_similarity(text, text, jsonb) RETURNS float8 AS '$libdir/lead_mgmt', 'token_similarity' LANGUAGE C STRICT;
CREATE FUNCTION is_acronym(text, text) RETURNS boolean AS '$libdir/lead_mgmt', 'is_acronym' LANGUAGE C STRICT;
SELECT octet_length('Müller') AS bytes;
SELECT levenshtein('Müller', 'Muller'), round(jaro_winkler('Müller', 'Muller')::numeric, 4) AS jaro_winkler,
	optimal_string_alignment('Zöe', 'Zeö') AS alignment, round(qgram_jaccard('Zoë', 'Zoé', 2)::numeric, 4) AS grams, words('Zoë«Núñez»') AS words,
	token_similarity('Zoë Núñez', 'Núñez, Zoë', '{"Zoë": 2, "Núñez": 3}') AS token, is_acronym('ÉU', 'États-Unis') AS acronym;

\c lead_mgmt_euc_jp
SET client_encoding = 'UTF8';
CREATE FUNCTION levenshtein(text, text) RETURNS integer AS '$libdir/lead_mgmt', 'levenshtein' LANGUAGE C STRICT;
CREATE FUNCTION optimal_string_alignment(text, text) RETURNS integer AS '$libdir/lead_mgmt', 'optimal_string_alignment' LANGUAGE C STRICT;
CREATE FUNCTION jaro_winkler(text, text) RETURNS float8 AS '$libdir/lead_mgmt', 'jaro_winkler' LANGUAGE C STRICT;
CREATE FUNCTION qgram_jaccard(text, text, integer) RETURNS float8 AS '$libdir/lead_mgmt', 'qgram_jaccard' LANGUAGE C STRICT;
CREATE FUNCTION words(text) RETURNS text[] AS '$libdir/lead_mgmt', 'words' LANGUAGE C STRICT;
CREATE FUNCTION token_similarity(text, text, jsonb) RETURNS float8 AS '$libdir/lead_mgmt', 'token_similarity' LANGUAGE C STRICT;
CREATE FUNCTION is_acronym(text, text) RETURNS boolean AS '$libdir/lead_mgmt', 'is_acronym' LANGUAGE C STRICT;
SELECT octet_length('東京都') AS bytes;
SELECT levenshtein('東京都', '京都'), round(jaro_winkler('東京都庁', '東京都')::numeric, 4) AS jaro_winkler,
	optimal_string_alignment('京東', '東京') AS alignment, round(qgram_jaccard('東京都', '京都', 2)::numeric, 4) AS grams, words('東京 大阪, Zoe') AS words,
	round(token_similarity('東京 大阪', '大阪 京都', '{"東京": 1, "大阪": 2}')::numeric, 4) AS token, is_acronym('東大', '東京 大学') AS acronym;

\c :original
SET client_encoding = 'UTF8';
SET search_path = lead_mgmt, public;
SELECT octet_length('Müller') AS latin_bytes, octet_length('東京都') AS cjk_bytes;
SELECT levenshtein('Müller', 'Muller'), round(jaro_winkler('Müller', 'Muller')::numeric, 4) AS jaro_winkler,
	optimal_string_alignment('Zöe', 'Zeö') AS alignment, round(qgram_jaccard('Zoë', 'Zoé', 2)::numeric, 4) AS grams, words('Zoë«Núñez»') AS words,
	token_similarity('Zoë Núñez', 'Núñez, Zoë', '{"Zoë": 2, "Núñez": 3}') AS token, is_acronym('ÉU', 'États-Unis') AS acronym;
SELECT levenshtein('東京都', '京都'), round(jaro_winkler('東京都庁', '東京都')::numeric, 4) AS jaro_winkler,
	optimal_string_alignment('京東', '東京') AS alignment, round(qgram_jaccard('東京都', '京都', 2)::numeric, 4) AS grams, words('東京 大阪, Zoe') AS words,
	round(token_similarity('東京 大阪', '大阪 京都', '{"東京": 1, "大阪": 2}')::numeric, 4) AS token, is_acronym('東大', '東京 大学') AS acronym;
DROP DATABASE lead_mgmt_latin1;
DROP DATABASE lead_mgmt_euc_jp;
