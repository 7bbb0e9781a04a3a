-- Comparators: how alike two values are

CREATE FUNCTION lead_mgmt.jaro(a text, b text) RETURNS float8
	AS 'MODULE_PATHNAME', 'jaro' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;

COMMENT ON FUNCTION lead_mgmt.jaro(text, text) IS
	'Similarity of two texts from 0 to 1 by Jaro (1989): the characters they have in common no farther apart than half the longer text, and how many of them are in another order. Compares characters as they are; wrap the arguments in lead_mgmt.fold() to ignore case and accents. Time is linear in the lengths';

CREATE FUNCTION lead_mgmt.jaro_winkler(a text, b text) RETURNS float8
	AS 'MODULE_PATHNAME', 'jaro_winkler' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;

COMMENT ON FUNCTION lead_mgmt.jaro_winkler(text, text) IS
	'Similarity of two texts, names above all, from 0 to 1 by Jaro and Winkler (1990): where Jaro''s is above 0.7, a tenth of what is missing from 1 is added for each of the first four characters that are equal. jaro_winkler(''MARTHA'', ''MARHTA'') is 0.9611. Two empty texts give 1, one gives 0';

CREATE FUNCTION lead_mgmt.levenshtein(a text, b text) RETURNS integer
	AS 'MODULE_PATHNAME', 'levenshtein' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;

COMMENT ON FUNCTION lead_mgmt.levenshtein(text, text) IS
	'Edit distance of Levenshtein (1965): the least number of characters to insert, delete or replace. Texts of any length; time grows with the product of the lengths, by 64 characters at a time (Myers 1999, Hyyrö 2003), and can be cancelled';

CREATE FUNCTION lead_mgmt.levenshtein_within(a text, b text, max integer) RETURNS boolean
	AS 'MODULE_PATHNAME', 'levenshtein_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;

COMMENT ON FUNCTION lead_mgmt.levenshtein_within(text, text, integer) IS
	'Whether the Levenshtein distance is not larger than max. Gives up early, so it costs much less than levenshtein() for long texts and a small max. False when max is negative';

CREATE FUNCTION lead_mgmt.optimal_string_alignment(a text, b text) RETURNS integer
	AS 'MODULE_PATHNAME', 'optimal_string_alignment' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;

COMMENT ON FUNCTION lead_mgmt.optimal_string_alignment(text, text) IS
	'Edit distance that also counts a swap of two neighbouring characters as one, none being edited twice (restricted Damerau-Levenshtein distance): ''ca'' and ''abc'' are 3 apart. Faster than damerau_levenshtein(), and what is usually meant by it; it does not keep the triangle inequality';

CREATE FUNCTION lead_mgmt.qgram_jaccard(a text, b text, q integer DEFAULT 2) RETURNS float8
	AS 'MODULE_PATHNAME', 'qgram_jaccard' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 4;

COMMENT ON FUNCTION lead_mgmt.qgram_jaccard(text, text, integer) IS
	'Similarity from 0 to 1 by the substrings of q characters (1 to 8): those in common, counted as often as they occur in both, divided by all. The texts are padded with q - 1 blanks of their own on either side, so beginning and end count. SQLSTATE 22023 for another q';

CREATE FUNCTION lead_mgmt.qgram_cosine(a text, b text, q integer DEFAULT 2) RETURNS float8
	AS 'MODULE_PATHNAME', 'qgram_cosine' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 4;

COMMENT ON FUNCTION lead_mgmt.qgram_cosine(text, text, integer) IS
	'Similarity from 0 to 1 by the substrings of q characters (1 to 8): the cosine of the angle between the vectors of their counts. Padded as in qgram_jaccard(). SQLSTATE 22023 for another q';
