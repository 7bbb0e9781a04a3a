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
	'Similarity from 0 to 1 by the substrings of q characters (1 to 8): those in common, counted as often as they occur in both, divided by all. The texts are padded with q - 1 blanks of their own on either side, so beginning and end count. Time is linear in the lengths; memory, for more than 60 characters, about 50 bytes a character. SQLSTATE 22023 for another q';

CREATE FUNCTION lead_mgmt.qgram_cosine(a text, b text, q integer DEFAULT 2) RETURNS float8
	AS 'MODULE_PATHNAME', 'qgram_cosine' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 4;

COMMENT ON FUNCTION lead_mgmt.qgram_cosine(text, text, integer) IS
	'Similarity from 0 to 1 by the substrings of q characters (1 to 8): the cosine of the angle between the vectors of their counts. Padded as in qgram_jaccard(). SQLSTATE 22023 for another q';

CREATE FUNCTION lead_mgmt.damerau_levenshtein(a text, b text) RETURNS integer
	AS 'MODULE_PATHNAME', 'damerau_levenshtein' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 4;

COMMENT ON FUNCTION lead_mgmt.damerau_levenshtein(text, text) IS
	'Edit distance with insertions, deletions, substitutions and swaps of neighbours, between which more may be inserted or deleted (Lowrance and Wagner 1975): ''ca'' and ''abc'' are 2 apart. A metric. Time grows with the product of the lengths (two texts of 10,000 characters take a few tenths of a second), memory with the shorter one; can be cancelled';

CREATE FUNCTION lead_mgmt.keyboard_distance(a text, b text, layout text DEFAULT 'qwerty') RETURNS float8
	AS 'MODULE_PATHNAME', 'keyboard_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 6;

COMMENT ON FUNCTION lead_mgmt.keyboard_distance(text, text, text) IS
	'Edit distance by the slips of typing: insertion, deletion, substitution and a swap of neighbours count 1, a substitution by a key that touches the right one, or by the other case of an ASCII letter, 0.5. Layouts are qwerty, qwertz and azerty; SQLSTATE 22023 for others. Time grows with the product of the lengths';

CREATE FUNCTION lead_mgmt.prefix_similarity(a text, b text) RETURNS float8
	AS 'MODULE_PATHNAME', 'prefix_similarity' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;

COMMENT ON FUNCTION lead_mgmt.prefix_similarity(text, text) IS
	'The share of the shorter text, from 0 to 1, that both begin with: 1 when one is cut off, as ''Chris'' is of ''Christopher''. Two empty texts give 1, one gives 0';

CREATE FUNCTION lead_mgmt.substring_similarity(a text, b text) RETURNS float8
	AS 'MODULE_PATHNAME', 'substring_similarity' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 4;

COMMENT ON FUNCTION lead_mgmt.substring_similarity(text, text) IS
	'The longest piece that two texts have in common, divided by the length of the shorter one: 1 when one contains the other. Two empty texts give 1, one gives 0. Time grows with the product of the lengths';

-- Words

CREATE FUNCTION lead_mgmt.words(text) RETURNS text[]
	AS 'MODULE_PATHNAME', 'words' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;

COMMENT ON FUNCTION lead_mgmt.words(text) IS
	'The words of a text as token_similarity(), monge_elkan(), initials_match() and is_acronym() see them: runs of letters and digits, as they are written. At most the first 1,000';

CREATE FUNCTION lead_mgmt.token_similarity(a text, b text) RETURNS float8
	AS 'MODULE_PATHNAME', 'token_similarity' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;

COMMENT ON FUNCTION lead_mgmt.token_similarity(text, text) IS
	'Similarity from 0 to 1 of the words of two texts in any order, all of the same weight: the number of words in common, divided by the geometric mean of the numbers of words. Words whose jaro_winkler() is 0.9 or more count as that much of a word in common. Looks at the first 1,000 words';

CREATE FUNCTION lead_mgmt.token_similarity(a text, b text, idf jsonb) RETURNS float8
	AS 'MODULE_PATHNAME', 'token_similarity' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;

COMMENT ON FUNCTION lead_mgmt.token_similarity(text, text, jsonb) IS
	'Similarity from 0 to 1 of the words of two texts in any order, weighted (Soft TF-IDF: Cohen, Ravikumar and Fienberg 2003), so that rare words count more than common ones. idf is an object of words and their weights, from 0 to 1,000,000, such as the logarithm of the inverse of the share of texts that have the word; the key "" is the weight of all other words, 1 if there is none. Words whose jaro_winkler() is 0.9 or more count as that much of a word in common. SQLSTATE 22023 for other weights';

CREATE FUNCTION lead_mgmt.monge_elkan(a text, b text) RETURNS float8
	AS 'MODULE_PATHNAME', 'monge_elkan' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;

COMMENT ON FUNCTION lead_mgmt.monge_elkan(text, text) IS
	'Similarity from 0 to 1 of the words of two texts in any order (Monge and Elkan 1996): the mean of each word''s jaro_winkler() with the most similar word of the other text, in the mean of both directions. Looks at the first 1,000 words';

CREATE FUNCTION lead_mgmt.initials_match(a text, b text) RETURNS boolean
	AS 'MODULE_PATHNAME', 'initials_match' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 4;

COMMENT ON FUNCTION lead_mgmt.initials_match(text, text) IS
	'Whether one text has initials where the other has words: ''J. R. R.'', ''J Ronald'', ''jrr'' and ''j'' match ''john ronald reuel'' if the case is the same. Words are compared in order as far as both texts have any, and are equal apart from initials; texts without an initial do not match';

CREATE FUNCTION lead_mgmt.is_acronym(a text, b text) RETURNS boolean
	AS 'MODULE_PATHNAME', 'is_acronym' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 4;

COMMENT ON FUNCTION lead_mgmt.is_acronym(text, text) IS
	'Whether the letters and digits of one text, at least two, are the initials of the words of the other, as in ''IBM'' or ''I.B.M.'' and ''International Business Machines''. Small words, such as of, and, the, de, und, may be left out or not. Compares characters as they are: fold both to ignore case';

-- Dates, numbers, telephone numbers, e-mail addresses

CREATE FUNCTION lead_mgmt.date_digits_distance(a date, b date) RETURNS integer
	AS 'MODULE_PATHNAME', 'date_digits_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;

COMMENT ON FUNCTION lead_mgmt.date_digits_distance(date, date) IS
	'In how many digits two dates differ as written YYYYMMDD, two neighbouring digits that have changed places counting as one; from 0 to 8. Infinite dates and those not in the years 1 to 9999 differ from all others by 8. For the distance in days, subtract them';

CREATE FUNCTION lead_mgmt.date_transposed(a date, b date) RETURNS boolean
	AS 'MODULE_PATHNAME', 'date_transposed' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;

COMMENT ON FUNCTION lead_mgmt.date_transposed(date, date) IS
	'Whether two different dates have the same year, and each the other''s day as its month: 2001-04-03 and 2001-03-04';

CREATE FUNCTION lead_mgmt.date_parts_equal(a date, b date) RETURNS integer
	AS 'MODULE_PATHNAME', 'date_parts_equal' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;

COMMENT ON FUNCTION lead_mgmt.date_parts_equal(date, date) IS
	'How many of year, month and day two dates have in common, from 0 to 3';

CREATE FUNCTION lead_mgmt.number_similarity(a float8, b float8) RETURNS float8
	AS 'MODULE_PATHNAME', 'number_similarity' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;

COMMENT ON FUNCTION lead_mgmt.number_similarity(float8, float8) IS
	'Similarity of two numbers from 0 to 1: 1 minus their difference relative to the one of larger magnitude, and 0 when that is negative, as for numbers of opposite sign. NaN is similar to NaN only, an infinity to itself only';

CREATE FUNCTION lead_mgmt.phone_similarity(a text, b text) RETURNS float8
	AS 'MODULE_PATHNAME', 'phone_similarity' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 4;

COMMENT ON FUNCTION lead_mgmt.phone_similarity(text, text) IS
	'Similarity of two telephone numbers from 0 to 1, by their ASCII digits up to an extension (after x, ext or ;). 1 when they are the same as far as both are written: the digits of one, leading zeros left out, are 7 or more and end the other, as 0912 345 678 does +84 912345678. Else 1 minus the optimal string alignment distance of the digits relative to the longer number. Looks at the first 32 digits';

CREATE FUNCTION lead_mgmt.email_similarity(a text, b text) RETURNS float8
	AS 'MODULE_PATHNAME', 'email_similarity' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 4;

COMMENT ON FUNCTION lead_mgmt.email_similarity(text, text) IS
	'Similarity of two e-mail addresses from 0 to 1: jaro_winkler() of what is before the last @, times that of the domains; so addresses of one domain have the similarity of their local parts. A text without @ is taken for a local part without domain';
