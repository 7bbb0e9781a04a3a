-- Matching of records in any table.

CREATE FUNCTION lead_mgmt.propose_match_model(records text, key text DEFAULT NULL) RETURNS jsonb
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100000;

CREATE FUNCTION lead_mgmt.train_match_model(records text, model jsonb) RETURNS jsonb
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 1000000;

CREATE FUNCTION lead_mgmt.find_pairs(records text, model jsonb, at_least double precision DEFAULT NULL,
		OUT left_id text, OUT right_id text, OUT probability double precision, OUT weight double precision, OUT outcome text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000000 ROWS 10000;
