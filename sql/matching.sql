-- Matching of records in any table: models, training, pairs, clusters.

CREATE FUNCTION lead_mgmt.propose_match_model(records text, key text DEFAULT NULL) RETURNS jsonb
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100000;

COMMENT ON FUNCTION lead_mgmt.propose_match_model(text, text) IS
	'A match model for the records of a table (its name) or a query (one SELECT), made by looking at the names, types and some values of their columns: what each column holds, which levels of agreement are told apart, and what they are likely to be worth before training. key names the column that tells records apart (default: the first). The model is a document that can be read, edited, kept and used on other tables with the same columns: key, fields, comparisons with their levels (m and u: probability of the level among pairs of one entity and of two), name_order, keys (blocking), prior, match_probability, review_probability. Columns that say nothing are left out. Errors: undefined_table, undefined_column, invalid_parameter_value when no column is worth comparing. Reads with the caller''s rights.';

CREATE FUNCTION lead_mgmt.train_match_model(records text, model jsonb, clean boolean DEFAULT false) RETURNS jsonb
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 1000000;

COMMENT ON FUNCTION lead_mgmt.train_match_model(text, jsonb, boolean) IS
	'The model with its parameters estimated from the records of a table or query, without labels: m, u and prior by expectation maximisation over counts of comparison patterns (Fellegi and Sunter 1969; Winkler 1988), frequencies of values, dependences between comparisons (Chow and Liu 1968), households, groups of companies, colleagues, namesakes, branches and neighbours as classes of their own, e-mail addresses and phones by how many people have them, and blocking keys when the model has none. The report in it says on how many matching pairs each estimate rests, whether the estimates came to rest (converged, last_change), and from which probability on pairs are right in 90 to 99.9 of a hundred cases by the fitted mixture (thresholds, with the share of matches that reach it); a model with match_precision gets the one for that as its match_probability. The same records and model give the same result. Clean records are known to hold no duplicates: what two of them share is measured, m stays what it is in the model, at first the usual. Errors: undefined_table, undefined_column, invalid_parameter_value for a faulty model or fewer than two records, no_data_found when the records hold no evidence of matches. Of more than 500,000 records it looks at a sample of 250,000, or of more where it holds fewer than 2,000 matching pairs; report says how many (records) and which share of all they are (share). Memory: about 350 bytes a record. From 50,000 records on, parallel workers take part (max_parallel_workers_per_gather; 0 does without), through shared memory; from 100,000 on, each phase is reported in a notice.';

CREATE FUNCTION lead_mgmt.find_pairs(records text, model jsonb, at_least double precision DEFAULT NULL, other text DEFAULT NULL,
		OUT left_id text, OUT right_id text, OUT probability double precision, OUT weight double precision, OUT outcome text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000000 ROWS 10000;

COMMENT ON FUNCTION lead_mgmt.find_pairs(text, jsonb, double precision, text) IS
	'The pairs of records of a table or query that are one entity with at least a probability (default: the model''s review_probability), each once: the two keys, the probability, the weight (log2 of its odds) and the outcome, match from the model''s match_probability on, else possible. With other, a second table or query of the same columns, only pairs between the two are found. Pairs are compared where they agree on a blocking key of the model, and within one set where both match a third record, which matches 50 at most; up to 2,500,000 pairs all are. Errors: as train_match_model(), numeric_value_out_of_range for a probability outside 0 to 1. Memory, parallel workers and notices: as train_match_model(); the result is the same, in the same order, with any number of workers. A query that has the function in its FROM stores the rows before it sees the first; where millions come, SELECT (pair).* FROM (SELECT lead_mgmt.find_pairs(…) AS pair) AS found takes them one by one, and stores none.';

CREATE FUNCTION lead_mgmt.find_clusters(records text, model jsonb, method text DEFAULT 'average',
		at_least double precision DEFAULT NULL, different text DEFAULT NULL, same text DEFAULT NULL,
		OUT id text, OUT cluster_id text, OUT size integer)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000000 ROWS 10000;

COMMENT ON FUNCTION lead_mgmt.find_clusters(text, jsonb, text, double precision, text, text) IS
	'The records of a table or query that belong together: one row for each member of a cluster of two or more, with the cluster''s id, which is the least of its members'' keys and so stays when later records join, and its size. method: average (a match links two clusters where the weights of all pairs between them, a pair that was not found at -1 bit and none above 20, are 0 or more on average: group-average linkage, Sokal and Michener 1958), connected (whatever a chain of matches connects), best (only links to a record''s best partner), complete (only where all members are at least possible matches of each other). at_least: probability from which on pairs link (default: the model''s match_probability). different, same: queries of two keys a row that are known to be different entities and never end in one cluster, or to be one and always do unless that is forbidden; keys of no record are passed over. Errors: as find_pairs(), invalid_parameter_value for an unknown method.';

CREATE FUNCTION lead_mgmt.match_probability(model jsonb, left_record jsonb, right_record jsonb) RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000;

COMMENT ON FUNCTION lead_mgmt.match_probability(jsonb, jsonb, jsonb) IS
	'The probability, 0 to 1, that two records, given as objects of their columns (to_jsonb(row) makes one), are one entity by a match model. To the last bit what find_pairs() gives for them.';

CREATE FUNCTION lead_mgmt.explain_pair(model jsonb, left_record jsonb, right_record jsonb,
		OUT part text, OUT level text, OUT left_value text, OUT right_value text,
		OUT weight double precision, OUT total double precision, OUT probability double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000 ROWS 10;

COMMENT ON FUNCTION lead_mgmt.explain_pair(jsonb, jsonb, jsonb) IS
	'What makes two records, given as objects of their columns, one entity or not by a match model: a row for the prior, one for each comparison with the level reached and the values in normal form, one for each dependence that counts, one for the order of names, and one for what speaks for two related entities. weight is in bits (log2 of odds), total the sum so far, probability what that comes to; the last row holds the pair''s own.';

CREATE FUNCTION lead_mgmt.match_code(expression text, VARIADIC fields text[]) RETURNS bigint
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;

COMMENT ON FUNCTION lead_mgmt.match_code(text, text[]) IS
	'The code of a record under a blocking key, for an index on any table: records that agree on the key have codes with the same upper 32 bits, and, where they agree in what refines it too, the same 16 or 32 bits below. The expression lists the parts of the key, then, behind a semicolon, up to two refinements, each kind:transformation[:length], as in family_name:prefix:3,postcode:exact;phone:exact. Kinds and transformations are those of match models; email.mailbox and email.domain are the parts of an address, +full_name behind a given or family name takes one more field, the whole name, for blanks. The fields follow in the order of the parts. NULL when a part of the key is blank. Errors: invalid_parameter_value for a faulty expression or a wrong number of fields.';

CREATE FUNCTION lead_mgmt.match_key_expressions(model jsonb, OUT key integer, OUT expression text, OUT columns text[])
	RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 10;

COMMENT ON FUNCTION lead_mgmt.match_key_expressions(jsonb) IS
	'What to index so that the blocking keys of a match model can be looked up: for each key one expression of match_code() with the columns it takes, or two for a key by which a record stands in two blocks (a given or a family name; the longest words, which stand in for the rare ones).';

CREATE FUNCTION lead_mgmt.explain_blocking(records text, model jsonb,
		OUT key text, OUT pairs bigint, OUT split bigint, OUT found double precision, OUT lost double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 1000000 ROWS 10;

COMMENT ON FUNCTION lead_mgmt.explain_blocking(text, jsonb) IS
	'What the blocking keys of a match model cost and find among the records of a table or query. A row for each key: its parts, the pairs in its blocks, how many blocks were too large and split, found, the estimated share of the matching pairs that meet at it, and lost, the share that would be lost without it, as they meet at no other. The last row, without a key, is about all of them: pairs counts those that meet at several keys several times, lost is the estimated share of matching pairs that meet at none, a lower bound by capture and recapture (Chao 1987). A model without keys has that row only, with all pairs. Matching pairs count by their probability, from 0.5 on; where there are none, found and lost are NULL. Errors, memory, parallel workers and notices: as find_pairs().';

CREATE FUNCTION lead_mgmt.check_match_model(model jsonb) RETURNS jsonb
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000;

COMMENT ON FUNCTION lead_mgmt.check_match_model(jsonb) IS
	'A match model with everything written out that it leaves to be assumed. Error: invalid_parameter_value, which says what is wrong with it.';

CREATE FUNCTION lead_mgmt.cluster_pairs(pairs text, method text, at_least double precision,
		different text DEFAULT NULL, same text DEFAULT NULL,
		OUT id text, OUT cluster_id text, OUT size integer)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100000 ROWS 10000;

COMMENT ON FUNCTION lead_mgmt.cluster_pairs(text, text, double precision, text, text) IS
	'What find_clusters() returns for pairs that are known: a table or query with left_id and right_id, which must be integers, and probability; a pair that comes more than once counts once, by its highest. Errors: undefined_column, invalid_parameter_value for an unknown method, numeric_value_out_of_range.';
