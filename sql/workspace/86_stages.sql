-- The law of stages as triggers, and what keeps pipelines sound.
-- Law, collect and record look for themselves whether there is anything to do: a WHEN clause is parsed anew for
-- each statement, which costs a single move more than its call.

CREATE OR REPLACE TRIGGER law BEFORE INSERT OR UPDATE ON @workspace@.lead
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.stage_law('lead');
CREATE OR REPLACE TRIGGER collect AFTER UPDATE ON @workspace@.lead
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.stage_moved('lead');
CREATE OR REPLACE TRIGGER record AFTER UPDATE ON @workspace@.lead
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.stage_moved('lead');
CREATE OR REPLACE TRIGGER follow AFTER INSERT OR UPDATE OF contact_id, account_id, origin, title, product, page,
	campaign_id, channel, source, contact_name, company_name, email, phone, budget, currency, attributes, tags ON @workspace@.lead
	FOR EACH ROW WHEN (lead_mgmt.is_client_write()) EXECUTE FUNCTION lead_mgmt.stage_follow('lead');

CREATE OR REPLACE TRIGGER law BEFORE INSERT OR UPDATE ON @workspace@.opportunity
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.stage_law('opportunity');
CREATE OR REPLACE TRIGGER collect AFTER UPDATE ON @workspace@.opportunity
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.stage_moved('opportunity');
CREATE OR REPLACE TRIGGER record AFTER UPDATE ON @workspace@.opportunity
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.stage_moved('opportunity');
CREATE OR REPLACE TRIGGER follow AFTER INSERT OR UPDATE ON @workspace@.opportunity
	FOR EACH ROW WHEN (lead_mgmt.is_client_write()) EXECUTE FUNCTION lead_mgmt.stage_follow('opportunity');

CREATE OR REPLACE TRIGGER guard BEFORE INSERT OR UPDATE OR DELETE ON @workspace@.stage_move
	FOR EACH ROW WHEN (lead_mgmt.is_client_write()) EXECUTE FUNCTION lead_mgmt.guard_history();
CREATE OR REPLACE TRIGGER guard_all AFTER TRUNCATE ON @workspace@.stage_move
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.guard_history();

CREATE OR REPLACE TRIGGER visible BEFORE INSERT OR UPDATE ON @workspace@.handover
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.guard_lead_row();
CREATE OR REPLACE TRIGGER visible BEFORE INSERT ON @workspace@.assignment
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.guard_lead_row();
CREATE OR REPLACE TRIGGER visible BEFORE INSERT OR UPDATE ON @workspace@.lead_identity
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.guard_lead_row();
CREATE OR REPLACE TRIGGER check_step BEFORE INSERT ON @workspace@.lead_step
	FOR EACH ROW WHEN (lead_mgmt.is_client_write()) EXECUTE FUNCTION lead_mgmt.check_step();
CREATE OR REPLACE TRIGGER done AFTER INSERT ON @workspace@.lead_step
	FOR EACH ROW WHEN (lead_mgmt.is_client_write()) EXECUTE FUNCTION lead_mgmt.step_done();

CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON @workspace@.pipeline
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.guard_stage();
CREATE OR REPLACE TRIGGER guard BEFORE UPDATE OR DELETE ON @workspace@.stage
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.guard_stage();
CREATE OR REPLACE TRIGGER guard BEFORE INSERT OR UPDATE ON @workspace@.stage_transition
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.guard_pipeline_part();
CREATE OR REPLACE TRIGGER guard BEFORE INSERT OR UPDATE ON @workspace@.required_field
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.guard_pipeline_part();
CREATE OR REPLACE TRIGGER guard BEFORE INSERT OR UPDATE ON @workspace@.stage_action
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.guard_pipeline_part();
CREATE OR REPLACE TRIGGER guard BEFORE INSERT OR UPDATE ON @workspace@.stage_step
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.guard_pipeline_part();
CREATE OR REPLACE TRIGGER guard BEFORE INSERT OR UPDATE ON @workspace@.automatic_move
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.guard_pipeline_part();

-- Constraint triggers cannot be replaced.

DROP TRIGGER IF EXISTS sound ON @workspace@.pipeline;
CREATE CONSTRAINT TRIGGER sound AFTER INSERT OR UPDATE ON @workspace@.pipeline
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (new.is_active) EXECUTE FUNCTION lead_mgmt.check_pipeline();
DROP TRIGGER IF EXISTS sound ON @workspace@.stage;
CREATE CONSTRAINT TRIGGER sound AFTER INSERT OR UPDATE OR DELETE ON @workspace@.stage
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION lead_mgmt.check_pipeline();
DROP TRIGGER IF EXISTS sound ON @workspace@.stage_transition;
CREATE CONSTRAINT TRIGGER sound AFTER INSERT OR UPDATE OR DELETE ON @workspace@.stage_transition
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION lead_mgmt.check_pipeline();
