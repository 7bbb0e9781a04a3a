-- predicate: a condition over one row

CREATE TYPE lead_mgmt.predicate;

CREATE FUNCTION lead_mgmt.predicate_in(cstring) RETURNS lead_mgmt.predicate
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;

COMMENT ON FUNCTION lead_mgmt.predicate_in(cstring) IS
	'Input of predicate';

CREATE FUNCTION lead_mgmt.predicate_out(lead_mgmt.predicate) RETURNS cstring
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.predicate_out(lead_mgmt.predicate) IS
	'Output of predicate';

CREATE FUNCTION lead_mgmt.predicate_recv(internal) RETURNS lead_mgmt.predicate
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 50;

COMMENT ON FUNCTION lead_mgmt.predicate_recv(internal) IS
	'Binary input of predicate';

CREATE FUNCTION lead_mgmt.predicate_send(lead_mgmt.predicate) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.predicate_send(lead_mgmt.predicate) IS
	'Binary output of predicate';

CREATE TYPE lead_mgmt.predicate (
	INPUT = lead_mgmt.predicate_in,
	OUTPUT = lead_mgmt.predicate_out,
	RECEIVE = lead_mgmt.predicate_recv,
	SEND = lead_mgmt.predicate_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended,
	CATEGORY = 'S',
	COLLATABLE = true
);

COMMENT ON TYPE lead_mgmt.predicate IS
	'A SQL condition over the columns of one row, such as industry = ''software'' AND employees >= 50. Takes no subquery, aggregate, parameter or qualified column name; its functions, operators and casts must be built-in ones or those of lead_mgmt, and may depend on nothing but the row and the time. Columns and types are checked where it is used: see predicate_check and predicate_validate';

-- predicate casts

CREATE FUNCTION lead_mgmt.predicate(text) RETURNS lead_mgmt.predicate
	AS 'MODULE_PATHNAME', 'text_to_predicate' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;

COMMENT ON FUNCTION lead_mgmt.predicate(text) IS
	'Convert text to predicate';

CREATE CAST (lead_mgmt.predicate AS text) WITHOUT FUNCTION AS IMPLICIT;

COMMENT ON CAST (lead_mgmt.predicate AS text) IS
	'The text of a predicate';

CREATE CAST (text AS lead_mgmt.predicate)
	WITH FUNCTION lead_mgmt.predicate(text) AS ASSIGNMENT;

COMMENT ON CAST (text AS lead_mgmt.predicate) IS
	'Check a text and take it for a predicate';

-- predicate functions

CREATE FUNCTION lead_mgmt.satisfies(profile record, condition lead_mgmt.predicate) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 10;

COMMENT ON FUNCTION lead_mgmt.satisfies(record, lead_mgmt.predicate) IS
	'Whether a row satisfies a condition over its columns; null where the condition is';

CREATE FUNCTION lead_mgmt.satisfies_or_null(profile record, condition lead_mgmt.predicate) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL UNSAFE COST 100;

COMMENT ON FUNCTION lead_mgmt.satisfies_or_null(record, lead_mgmt.predicate) IS
	'Whether a row satisfies a condition over its columns; null where the condition is, where the row makes it fail (a division by zero, a text that is no number) and where it names columns that are gone';

CREATE FUNCTION lead_mgmt.predicate_check(condition lead_mgmt.predicate, row_type regclass) RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL UNSAFE COST 1000;

COMMENT ON FUNCTION lead_mgmt.predicate_check(lead_mgmt.predicate, regclass) IS
	'Why a condition cannot be used on the rows of a table, view or composite type, or null when it can';

CREATE FUNCTION lead_mgmt.predicate_columns(condition lead_mgmt.predicate, row_type regclass) RETURNS text[]
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1000;

COMMENT ON FUNCTION lead_mgmt.predicate_columns(lead_mgmt.predicate, regclass) IS
	'The columns of a table, view or composite type that a condition reads';

CREATE FUNCTION lead_mgmt.predicate_validate() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C;

COMMENT ON FUNCTION lead_mgmt.predicate_validate() IS
	'Trigger for a table that holds rules: checks conditions before they are stored; arguments are pairs of a column and the relation of the same schema whose rows it is about';
