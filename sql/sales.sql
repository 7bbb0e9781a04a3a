-- Opportunities, tasks and activities
--
-- The planner settings make kept plans walk indexes from the rows at hand,
-- however small the tables were when the plans were made.

CREATE FUNCTION lead_mgmt.opportunity_terms() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET jit = off;

COMMENT ON FUNCTION lead_mgmt.opportunity_terms() IS
	'Trigger function: keeps closed opportunities as they were, refuses a win without its mandatory stages and a loss without a reason, and checks custom attributes.';

CREATE FUNCTION lead_mgmt.guard_line() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET jit = off;

COMMENT ON FUNCTION lead_mgmt.guard_line() IS
	'Trigger function: checks a line of an opportunity against its product and its opportunity, and fills in price and currency.';

CREATE FUNCTION lead_mgmt.total_lines() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET jit = off;

COMMENT ON FUNCTION lead_mgmt.total_lines() IS
	'Trigger function: lets the amounts of opportunities follow their lines.';

CREATE FUNCTION lead_mgmt.guard_task() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C;

COMMENT ON FUNCTION lead_mgmt.guard_task() IS
	'Trigger function: stamps tasks as they are closed or opened again.';

CREATE FUNCTION lead_mgmt.move_tasks() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET jit = off;

COMMENT ON FUNCTION lead_mgmt.move_tasks() IS
	'Trigger function: gives the open tasks of a lead or opportunity to its new owner. Argument: its key column.';

CREATE FUNCTION lead_mgmt.note_outcome() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET jit = off;

COMMENT ON FUNCTION lead_mgmt.note_outcome() IS
	'Trigger function: gives an interaction the sign of its outcome.';

CREATE FUNCTION lead_mgmt.link_lead(lead_table regclass, lead_id bigint) RETURNS void
	AS 'MODULE_PATHNAME' LANGUAGE C STRICT SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off;

COMMENT ON FUNCTION lead_mgmt.link_lead(regclass, bigint) IS
	'Find or make the contact and account that a lead of a workspace names, as for a lead entered by hand, and link it to them; convert_lead() calls it. Needs UPDATE on the table.';

CREATE FUNCTION lead_mgmt.guard_conversion_mapping() RETURNS trigger
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		given text;
		taken text;
	BEGIN
		EXECUTE pg_catalog.format('SELECT f.type FROM %I.field f WHERE f.entity = $1 AND f.field = $2 AND f.is_active', TG_TABLE_SCHEMA)
			INTO given USING 'lead'::text, NEW.lead_field;
		IF given IS NULL THEN
			RAISE EXCEPTION 'lead has no custom attribute "%"', NEW.lead_field
				USING ERRCODE = 'invalid_parameter_value', HINT = 'Define it with define_field() first.';
		END IF;
		EXECUTE pg_catalog.format('SELECT f.type FROM %I.field f WHERE f.entity = $1 AND f.field = $2 AND f.is_active', TG_TABLE_SCHEMA)
			INTO taken USING NEW.entity, NEW.field;
		IF taken IS NULL THEN
			RAISE EXCEPTION '% has no custom attribute "%"', NEW.entity, NEW.field
				USING ERRCODE = 'invalid_parameter_value', HINT = 'Define it with define_field() first.';
		ELSIF taken <> given AND (taken <> 'text' OR given = 'choices') THEN
			RAISE EXCEPTION 'the custom attribute "%" of lead is of type %, and "%" of % of type %',
					NEW.lead_field, given, NEW.field, NEW.entity, taken
				USING ERRCODE = 'datatype_mismatch', HINT = 'Map to an attribute of the same type, or of type text.';
		END IF;
		RETURN NEW;
	END
	$$;

COMMENT ON FUNCTION lead_mgmt.guard_conversion_mapping() IS
	'Trigger function: refuses a mapping of custom attributes that do not exist or do not go together.';
