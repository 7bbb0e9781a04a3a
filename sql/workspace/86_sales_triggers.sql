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

CREATE OR REPLACE TRIGGER guard BEFORE INSERT OR UPDATE ON @workspace@.conversion_mapping
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.guard_conversion_mapping();
