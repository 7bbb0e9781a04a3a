-- What changes the touches of a conversion opens it again; interactions inserted, changed or deleted do as they are counted.

CREATE OR REPLACE TRIGGER reopen_truncated AFTER TRUNCATE ON @workspace@.interaction
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.reopen_attribution();
CREATE OR REPLACE TRIGGER reopen AFTER UPDATE ON @workspace@.opportunity
	FOR EACH ROW WHEN (old.status = 'won' AND
		(old.status, old.lead_id, old.contact_id, old.amount, old.currency, old.closed_at, old.created_at)
		IS DISTINCT FROM (new.status, new.lead_id, new.contact_id, new.amount, new.currency, new.closed_at, new.created_at))
	EXECUTE FUNCTION lead_mgmt.reopen_attribution('opportunity_id');
CREATE OR REPLACE TRIGGER reopen AFTER UPDATE OF contact_id, created_at ON @workspace@.lead
	FOR EACH ROW WHEN ((old.contact_id, old.created_at) IS DISTINCT FROM (new.contact_id, new.created_at))
	EXECUTE FUNCTION lead_mgmt.reopen_attribution('lead_id');
CREATE OR REPLACE TRIGGER reopen AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.attribution_model
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.reopen_attribution();
CREATE OR REPLACE TRIGGER reopen AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.channel
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.reopen_attribution();
CREATE OR REPLACE TRIGGER reopen AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.interaction_kind
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.reopen_attribution();
