-- Merging
--
-- The planner settings make the kept plans of these functions walk indexes
-- from the rows at hand, however small the tables were when they were made.

CREATE FUNCTION lead_mgmt.row_image(row_value record) RETURNS jsonb
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 10
	SET timezone = 'UTC' SET datestyle = 'ISO, MDY' SET intervalstyle = 'postgres'
	SET extra_float_digits = 1 SET bytea_output = 'hex';

COMMENT ON FUNCTION lead_mgmt.row_image(record) IS
	'A row of a table as a JSON object that row_of_image() makes the very same row from: numbers, booleans and JSON documents as they are, other types through their own output functions, times in UTC. Generated columns are left out.';

CREATE FUNCTION lead_mgmt.row_of_image(row_type anyelement, image jsonb) RETURNS anyelement
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 10;

COMMENT ON FUNCTION lead_mgmt.row_of_image(anyelement, jsonb) IS
	'The row that an image of row_image() was taken of, as in row_of_image(NULL::crm.contact, image). Columns the image does not name are null; null without an image. Errors: invalid_parameter_value when it is no JSON object, and those of the input functions.';

CREATE FUNCTION lead_mgmt.merge_rows(entity_table regclass, winner bigint, losers bigint[], reason text) RETURNS bigint
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off;

COMMENT ON FUNCTION lead_mgmt.merge_rows(regclass, bigint, bigint[], text) IS
	'What merge_contacts(), merge_accounts() and merge_leads() of a workspace call. Needs EXECUTE on that function and UPDATE on the table.';

CREATE FUNCTION lead_mgmt.unmerge_rows(merge_table regclass, merge_id bigint) RETURNS jsonb
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off;

COMMENT ON FUNCTION lead_mgmt.unmerge_rows(regclass, bigint) IS
	'What unmerge() of a workspace calls; returns its rows as a JSON array. Needs EXECUTE on that function and UPDATE on the table of what was merged.';

CREATE FUNCTION lead_mgmt.guard_merge_policy() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.guard_merge_policy() IS
	'Trigger function: refuses a merge policy for what is no field, or that does not suit the type of the field.';
