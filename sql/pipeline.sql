-- Pipelines

CREATE FUNCTION lead_mgmt.stage_law() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.stage_law() IS
	'Trigger function: makes rows of lead and opportunity obey their pipeline and leave history, whichever client writes them. Argument: entity.';

CREATE FUNCTION lead_mgmt.stage_follow() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off;

COMMENT ON FUNCTION lead_mgmt.stage_follow() IS
	'Trigger function: matches, scores and moves leads that a client wrote, and marks the contact of a won opportunity as customer. Argument: entity.';
