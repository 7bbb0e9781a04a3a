-- Triggers of opportunities, their lines, tasks and activities.
-- By its name, terms comes after law, which sets the status that it looks at.

CREATE OR REPLACE TRIGGER terms BEFORE INSERT OR UPDATE ON @workspace@.opportunity
	FOR EACH ROW WHEN (lead_mgmt.is_client_write()) EXECUTE FUNCTION lead_mgmt.opportunity_terms();
COMMENT ON TRIGGER terms ON @workspace@.opportunity IS
	'Keeps closed opportunities as they were; refuses a win without its mandatory stages and a loss without a reason.';

CREATE OR REPLACE TRIGGER guard BEFORE INSERT OR UPDATE OR DELETE ON @workspace@.opportunity_line
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.guard_line();
CREATE OR REPLACE TRIGGER total_inserted AFTER INSERT ON @workspace@.opportunity_line
	REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.total_lines();
CREATE OR REPLACE TRIGGER total_updated AFTER UPDATE ON @workspace@.opportunity_line
	REFERENCING OLD TABLE AS before NEW TABLE AS updated FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.total_lines();
CREATE OR REPLACE TRIGGER total_deleted AFTER DELETE ON @workspace@.opportunity_line
	REFERENCING OLD TABLE AS before FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.total_lines();

CREATE OR REPLACE TRIGGER guard BEFORE INSERT OR UPDATE ON @workspace@.task
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.guard_task();
CREATE OR REPLACE TRIGGER tasks AFTER UPDATE OF agent_id ON @workspace@.lead
	FOR EACH ROW WHEN (old.agent_id IS NOT NULL AND old.agent_id IS DISTINCT FROM new.agent_id)
	EXECUTE FUNCTION lead_mgmt.move_tasks('lead_id');
CREATE OR REPLACE TRIGGER tasks AFTER UPDATE OF agent_id ON @workspace@.opportunity
	FOR EACH ROW WHEN (old.agent_id IS NOT NULL AND old.agent_id IS DISTINCT FROM new.agent_id)
	EXECUTE FUNCTION lead_mgmt.move_tasks('opportunity_id');

CREATE OR REPLACE TRIGGER outcome_inserted BEFORE INSERT ON @workspace@.interaction
	FOR EACH ROW WHEN (new.outcome IS NOT NULL AND lead_mgmt.is_client_write())
	EXECUTE FUNCTION lead_mgmt.note_outcome();
CREATE OR REPLACE TRIGGER outcome_updated BEFORE UPDATE OF outcome, outcome_sign ON @workspace@.interaction
	FOR EACH ROW WHEN (lead_mgmt.is_client_write()) EXECUTE FUNCTION lead_mgmt.note_outcome();

CREATE OR REPLACE FUNCTION @workspace@.guard_conversion_mapping() RETURNS trigger
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		given text;
		taken text;
	BEGIN
		SELECT f.type INTO given FROM @workspace@.field f
			WHERE f.entity = 'lead' AND f.field = NEW.lead_field AND f.is_active;
		IF given IS NULL THEN
			RAISE EXCEPTION 'lead has no custom attribute "%"', NEW.lead_field
				USING ERRCODE = 'invalid_parameter_value', HINT = 'Define it with define_field() first.';
		END IF;
		SELECT f.type INTO taken FROM @workspace@.field f
			WHERE f.entity = NEW.entity AND f.field = NEW.field AND f.is_active;
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

COMMENT ON FUNCTION @workspace@.guard_conversion_mapping() IS
	'Trigger function: refuses a mapping of custom attributes that do not exist or do not go together.';

REVOKE EXECUTE ON FUNCTION @workspace@.guard_conversion_mapping() FROM PUBLIC;

CREATE OR REPLACE TRIGGER guard BEFORE INSERT OR UPDATE ON @workspace@.conversion_mapping
	FOR EACH ROW EXECUTE FUNCTION @workspace@.guard_conversion_mapping();
