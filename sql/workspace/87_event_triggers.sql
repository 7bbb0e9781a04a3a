-- Triggers of events. The calls wait for the end of the transaction, when the moves are complete.

CREATE OR REPLACE TRIGGER a_function BEFORE INSERT OR UPDATE OF function, label ON @workspace@.event_handler
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.guard_event_handler();
CREATE OR REPLACE TRIGGER condition BEFORE INSERT OR UPDATE OF condition ON @workspace@.event_handler
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.predicate_validate('condition', 'stage_move');
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.event_handler
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();

DROP TRIGGER IF EXISTS call ON @workspace@.outbox;
CREATE CONSTRAINT TRIGGER call AFTER INSERT OR UPDATE OF state ON @workspace@.outbox
	DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW WHEN (new.state = 'calling') EXECUTE FUNCTION lead_mgmt.call_event_handler();
COMMENT ON TRIGGER call ON @workspace@.outbox IS
	'Calls the functions of event handlers at the end of the transaction; SET CONSTRAINTS ALL IMMEDIATE has it done at once.';
