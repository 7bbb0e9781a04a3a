-- Triggers: the door, the laws, the audit log, the word that definitions changed.

CREATE OR REPLACE TRIGGER process AFTER INSERT ON @workspace@.submission
	REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.process_submissions();
COMMENT ON TRIGGER process ON @workspace@.submission IS
	'Processes the rows that carry no processing stamp.';

CREATE OR REPLACE TRIGGER audit AFTER UPDATE OF payload, raw ON @workspace@.submission
	FOR EACH ROW WHEN (old.processed_at IS NOT NULL)
	EXECUTE FUNCTION lead_mgmt.audit_change('submission', 'submission_id');

CREATE OR REPLACE TRIGGER count AFTER INSERT ON @workspace@.interaction
	REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.count_interactions();

CREATE OR REPLACE TRIGGER guard BEFORE INSERT OR UPDATE ON @workspace@.contact
	FOR EACH ROW WHEN (lead_mgmt.is_client_write()) EXECUTE FUNCTION lead_mgmt.guard_row('contact');
CREATE OR REPLACE TRIGGER identity AFTER INSERT OR UPDATE ON @workspace@.contact
	FOR EACH ROW WHEN (lead_mgmt.is_client_write()) EXECUTE FUNCTION lead_mgmt.claim_identity('contact');
CREATE OR REPLACE TRIGGER rescore AFTER UPDATE ON @workspace@.contact
	FOR EACH ROW WHEN (old.* IS DISTINCT FROM new.* AND lead_mgmt.is_client_write())
	EXECUTE FUNCTION lead_mgmt.rescore_leads('contact');
CREATE OR REPLACE TRIGGER rescore_account AFTER DELETE ON @workspace@.contact
	FOR EACH ROW WHEN (old.account_id IS NOT NULL AND lead_mgmt.is_client_write())
	EXECUTE FUNCTION lead_mgmt.rescore_leads('contact');
CREATE OR REPLACE TRIGGER audit AFTER UPDATE ON @workspace@.contact
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.audit_change('contact', 'contact_id', 'updated_at', 'value_trust');

CREATE OR REPLACE TRIGGER guard BEFORE INSERT OR UPDATE ON @workspace@.account
	FOR EACH ROW WHEN (lead_mgmt.is_client_write()) EXECUTE FUNCTION lead_mgmt.guard_row('account');
CREATE OR REPLACE TRIGGER identity AFTER INSERT OR UPDATE ON @workspace@.account
	FOR EACH ROW WHEN (lead_mgmt.is_client_write()) EXECUTE FUNCTION lead_mgmt.claim_identity('account');
CREATE OR REPLACE TRIGGER rescore AFTER UPDATE ON @workspace@.account
	FOR EACH ROW WHEN (old.* IS DISTINCT FROM new.* AND lead_mgmt.is_client_write())
	EXECUTE FUNCTION lead_mgmt.rescore_leads('account');
CREATE OR REPLACE TRIGGER audit AFTER UPDATE ON @workspace@.account
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.audit_change('account', 'account_id', 'updated_at', 'value_trust');

CREATE OR REPLACE TRIGGER audit AFTER UPDATE ON @workspace@.lead
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.audit_change('lead', 'lead_id', 'updated_at', 'value_trust', 'interaction_count',
		'last_interaction_at', 'stage', 'stage_entered_at', 'stage_reason', 'status', 'qualification', 'sales_ready_at',
		'sales_ready_model');

CREATE OR REPLACE TRIGGER audit AFTER UPDATE ON @workspace@.opportunity
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.audit_change('opportunity', 'opportunity_id', 'updated_at', 'stage',
		'stage_entered_at', 'stage_reason');

CREATE OR REPLACE TRIGGER guard BEFORE INSERT OR UPDATE OF mapping, defaults, required, records ON @workspace@.form
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.guard_form();
CREATE OR REPLACE TRIGGER guard BEFORE INSERT OR UPDATE ON @workspace@.form_pairs
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.guard_form_pairs();
CREATE OR REPLACE TRIGGER guard BEFORE INSERT OR UPDATE ON @workspace@.form_field
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.guard_field_name();
CREATE OR REPLACE TRIGGER guard BEFORE INSERT OR UPDATE ON @workspace@.form_template
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.guard_template();
CREATE OR REPLACE TRIGGER guard BEFORE INSERT OR UPDATE ON @workspace@.field_alias
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.guard_field_name();
CREATE OR REPLACE TRIGGER strategies AFTER INSERT ON @workspace@.form
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.give_strategies();

CREATE OR REPLACE TRIGGER condition BEFORE INSERT OR UPDATE ON @workspace@.match_condition
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.guard_match_condition();
CREATE OR REPLACE TRIGGER a_normal BEFORE INSERT OR UPDATE ON @workspace@.match_bypass
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.guard_match_value('value');
CREATE OR REPLACE TRIGGER a_normal BEFORE INSERT OR UPDATE ON @workspace@.match_alias
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.guard_match_value('value', 'canonical');
CREATE OR REPLACE TRIGGER cycle BEFORE INSERT OR UPDATE ON @workspace@.match_alias
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.guard_match_alias();
CREATE OR REPLACE TRIGGER contradiction BEFORE INSERT OR UPDATE ON @workspace@.match_link
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.guard_match_link();

CREATE OR REPLACE TRIGGER one_default_inserted AFTER INSERT ON @workspace@.match_strategy
	REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.keep_default_strategy();
CREATE OR REPLACE TRIGGER one_default_updated AFTER UPDATE ON @workspace@.match_strategy
	REFERENCING OLD TABLE AS before NEW TABLE AS updated FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.keep_default_strategy();
CREATE OR REPLACE TRIGGER one_default_deleted BEFORE DELETE ON @workspace@.match_strategy
	FOR EACH ROW WHEN (old.is_default) EXECUTE FUNCTION lead_mgmt.keep_default_strategy();

CREATE OR REPLACE TRIGGER condition BEFORE INSERT OR UPDATE OF condition ON @workspace@.scoring_rule
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.predicate_validate('condition', 'lead_profile');
CREATE OR REPLACE TRIGGER condition BEFORE INSERT OR UPDATE OF condition ON @workspace@.routing_rule
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.predicate_validate('condition', 'lead_profile');

CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.field
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.form
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.field_alias
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.form_pairs
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.form_field
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.form_template
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.vendor
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.pipeline
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.stage
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.stage_transition
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.required_field
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.stage_action
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.stage_step
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.automatic_move
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.stage_map
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.closing_reason
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.scoring_model
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.scoring_rule
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.routing_rule
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.team
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.agent
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.interaction_kind
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.campaign
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.lead_source
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.match_strategy
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.match_rule
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.match_condition
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.match_model
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.match_model_field
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.match_model_frequency
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.match_model_comparison
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.match_model_level
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.match_model_dependence
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.match_model_key
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.form_strategy
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.match_bypass
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.match_alias
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();

-- These read the changed definitions, so they come after the triggers above by name.

CREATE OR REPLACE TRIGGER rules AFTER INSERT OR UPDATE OR DELETE ON @workspace@.field
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.match_rules_changed();
CREATE OR REPLACE TRIGGER rules AFTER INSERT OR UPDATE OR DELETE ON @workspace@.match_strategy
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.match_rules_changed();
CREATE OR REPLACE TRIGGER rules AFTER INSERT OR UPDATE OR DELETE ON @workspace@.match_rule
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.match_rules_changed();
CREATE OR REPLACE TRIGGER rules AFTER INSERT OR UPDATE OR DELETE ON @workspace@.match_condition
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.match_rules_changed();
CREATE OR REPLACE TRIGGER rules AFTER INSERT OR UPDATE OR DELETE ON @workspace@.form_strategy
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.match_rules_changed();
CREATE OR REPLACE TRIGGER values_inserted AFTER INSERT ON @workspace@.match_bypass
	REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.match_values_changed();
CREATE OR REPLACE TRIGGER values_updated AFTER UPDATE ON @workspace@.match_bypass
	REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.match_values_changed();
CREATE OR REPLACE TRIGGER values_deleted AFTER DELETE ON @workspace@.match_bypass
	REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.match_values_changed();
CREATE OR REPLACE TRIGGER values_inserted AFTER INSERT ON @workspace@.match_alias
	REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.match_values_changed();
CREATE OR REPLACE TRIGGER values_updated AFTER UPDATE ON @workspace@.match_alias
	REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.match_values_changed();
CREATE OR REPLACE TRIGGER values_deleted AFTER DELETE ON @workspace@.match_alias
	REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.match_values_changed();
