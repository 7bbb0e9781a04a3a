-- Match strategies
--
-- The planner settings make the kept plans of these functions walk indexes
-- from the values at hand, however small the tables were when they were made.

CREATE FUNCTION lead_mgmt.match_fields(OUT entity text, OUT field text, OUT normal_form text, OUT makes_key boolean) RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 30;

COMMENT ON FUNCTION lead_mgmt.match_fields() IS
	'The fields that conditions of match rules may name: for which entity, the form in which values are compared, and whether equal values can be looked up (makes_key). attributes.NAME stands for any custom attribute.';

CREATE FUNCTION lead_mgmt.match_comparators(OUT comparator text, OUT meaning text, OUT makes_key boolean, OUT is_graded boolean) RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 10;

COMMENT ON FUNCTION lead_mgmt.match_comparators() IS
	'The comparators that conditions of match rules may name: what they mean, whether what they find equal can be looked up (makes_key), and whether they give a similarity, for which the condition needs at_least (is_graded).';

CREATE FUNCTION lead_mgmt.match_profile(contact_table regclass, profile jsonb, strategy text,
		OUT contact_id bigint, OUT probability double precision, OUT outcome text, OUT strategy_name text, OUT rule bigint, OUT explanation jsonb)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 1 COST 1000 SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off;

COMMENT ON FUNCTION lead_mgmt.match_profile(regclass, jsonb, text) IS
	'What match_contact() of the workspace that the table belongs to returns; the strategy may be NULL for the default. Reads with the rights of its caller.';

CREATE FUNCTION lead_mgmt.identity_keys(entity_row record, kinds text[], OUT kind text, OUT value text) RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED ROWS 2 COST 100 SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.identity_keys(record, text[]) IS
	'The values that a row of contact or account has for some kinds of identity, as contact_identity and account_identity hold them; no row for a kind that needs a field which is blank. For refresh_identity().';

CREATE FUNCTION lead_mgmt.identity_kinds(entity_table regclass, OUT kind text, OUT fields text[], OUT is_base boolean, OUT is_shared boolean, OUT source_kind text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED ROWS 5 COST 100 SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.identity_kinds(regclass) IS
	'The kinds of identity that the match rules of a workspace call for, of its table contact or account: the fields each is made of, whether it is kept whatever the rules say (is_base), whether several may share a value (is_shared), and the base kind that it is another form of, NULL for most. For refresh_identity().';

CREATE FUNCTION lead_mgmt.identity_value(entity_table regclass, kind text, value text) RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 100 SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.identity_value(regclass, text, text) IS
	'What a value of one field is as a value of a kind of identity, aliases followed; NULL when it identifies nobody, or for a kind of several fields. For refresh_identity().';

CREATE FUNCTION lead_mgmt.guard_match_condition() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.guard_match_condition() IS
	'Trigger function: refuses a condition of a match rule whose field or comparator does not exist, or that do not go together.';

CREATE FUNCTION lead_mgmt.guard_match_value() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.guard_match_value() IS
	'Trigger function: brings bypass values and aliases into the normal form of their field. Arguments: the columns that hold values.';
