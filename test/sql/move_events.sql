-- Events: who is told of moves, and what comes of it when they fail.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
\set SHOW_CONTEXT never
SELECT lead_mgmt.create_workspace('told');
DELETE FROM told.closing_reason;
SELECT lead_mgmt.event_channel('told'), length(lead_mgmt.event_channel(repeat('w', 63))) AS at_most;
CREATE SCHEMA regress_told;
CREATE TABLE regress_told.heard (number serial, event jsonb, stage text, heard_by name);
CREATE FUNCTION regress_told.hear(jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF $1 ->> 'reason' = 'refuse' THEN
		RAISE EXCEPTION 'cannot hear lead %', $1 ->> 'lead_id';
	END IF;
	INSERT INTO regress_told.heard (event, stage, heard_by)
	SELECT $1 - 'moved_at', COALESCE((SELECT stage FROM told.lead WHERE lead_id = ($1 ->> 'lead_id')::bigint),
		(SELECT stage FROM told.opportunity WHERE opportunity_id = ($1 ->> 'opportunity_id')::bigint)), current_user;
END $$;
CREATE TEMP VIEW outbox AS SELECT event, payload ->> 'to_stage' AS to_stage, payload ->> 'reason' AS reason, state, depth, error FROM told.outbox ORDER BY outbox_id;
SELECT event, label, delivery, condition, function, on_error FROM told.event_handler;

-- whoever listens is notified once a move, after commit; not of first scores, nor of what was undone
INSERT INTO told.lead (email) VALUES ('x1@gmail.com'), ('x2@gmail.com');
LISTEN told_events;
\o |sed -E 's/"moved_at".*//'
INSERT INTO told.lead (email) VALUES ('x3@gmail.com');
BEGIN;
UPDATE told.lead SET stage = 'teleprospect_acceptance';
ROLLBACK;
UPDATE told.lead SET stage = 'teleprospect_acceptance', stage_reason = repeat('long ', 2000) WHERE lead_id = 1;
UPDATE told.lead SET stage = 'teleprospect_acceptance', stage_reason = 'called' WHERE lead_id = 2;
UPDATE told.lead SET stage = stage;
\o
UNLISTEN told_events;
DELETE FROM told.lead;
ALTER TABLE told.lead ALTER lead_id RESTART;

-- what no handler may be
\set VERBOSITY terse
INSERT INTO told.event_handler (event, label, function) VALUES ('lead_vanished', 'x', 'regress_told.hear');
INSERT INTO told.event_handler (event, label, function) VALUES ('lead_moved', 'x', 'regress_told.nothing');
INSERT INTO told.event_handler (event, label, function) VALUES ('lead_moved', 'x', 'regress_told.hear(text)');
INSERT INTO told.event_handler (event, label, function) VALUES ('lead_moved', 'x', 'pg_catalog.lower');
INSERT INTO told.event_handler (event, label) VALUES ('lead_moved', 'x');
INSERT INTO told.event_handler (event, label, delivery, function) VALUES ('lead_moved', 'x', 'notify', 'regress_told.hear');
INSERT INTO told.event_handler (event, label, delivery, condition) VALUES ('lead_moved', 'x', 'outbox', 'nothing = 1');
\set VERBOSITY default

-- a function, an outbox: once a move, whoever makes it
INSERT INTO told.event_handler (event, label, function) VALUES ('lead_moved', 'Hear of leads', 'regress_told.hear') RETURNING function;
INSERT INTO told.event_handler (event, label, function, condition) VALUES ('opportunity_moved', 'Hear of wins', 'regress_told.hear(jsonb)', $$to_stage = 'won'$$);
INSERT INTO told.event_handler (event, label, delivery, condition) VALUES
	('lead_created', 'New leads', 'outbox', NULL), ('lead_moved', 'Ready for sales', 'outbox', $$rule = 'sales_ready' OR reason LIKE 'urgent%'$$), ('opportunity_created', 'New deals', 'outbox', NULL);
SELECT stage FROM told.lead JOIN told.capture('default', '{"email": "a@gmail.com"}') USING (lead_id);
SELECT event, stage FROM regress_told.heard;
SELECT * FROM outbox;
INSERT INTO told.submission (payload) SELECT jsonb_build_object('email', 'b' || n || '@gmail.com') FROM generate_series(1, 3) n;
SELECT count(*), count(DISTINCT event ->> 'lead_id') AS leads FROM regress_told.heard;
TRUNCATE regress_told.heard;
UPDATE told.lead SET stage = 'teleprospect_acceptance', stage_reason = 'urgent' WHERE lead_id IN (2, 3);
SELECT stage FROM told.advance(1, 'sales_acceptance', 'spoke');
-- the same stage again is no move
UPDATE told.lead SET stage = stage;
SELECT event ->> 'lead_id' AS lead, event ->> 'from_stage' AS from_stage, stage, event ->> 'moved_by' = current_user AS by_us FROM regress_told.heard ORDER BY number;
SELECT event, to_stage, reason, state FROM outbox WHERE state = 'waiting';
-- a move that is undone is not heard of
BEGIN;
SELECT stage FROM told.advance(2, 'sales_acceptance');
ROLLBACK;
BEGIN;
SAVEPOINT s;
SELECT stage FROM told.advance(2, 'sales_acceptance');
ROLLBACK TO s;
COMMIT;
SELECT count(*) AS heard FROM regress_told.heard;
-- at the end of the transaction, or when the caller says so
BEGIN;
SELECT stage FROM told.advance(2, 'sales_acceptance');
SELECT count(*) AS heard FROM regress_told.heard;
SET CONSTRAINTS ALL IMMEDIATE;
SELECT count(*) AS heard FROM regress_told.heard;
COMMIT;
TRUNCATE regress_told.heard;
-- of opportunities
SELECT opportunity_id FROM told.convert_lead(1, 'Deal');
UPDATE told.opportunity SET stage = 'proposal';
UPDATE told.opportunity SET stage = 'negotiation';
UPDATE told.opportunity SET stage = 'won';
SELECT event ->> 'rule' AS rule, stage FROM regress_told.heard ORDER BY number;
SELECT count(*) AS new_deals FROM told.outbox WHERE event = 'opportunity_created';

-- as the owner of the workspace, who registered it, whoever moves the lead
CREATE ROLE regress_mover;
SELECT told.grant_access('regress_mover', 'sales');
SET ROLE regress_mover;
SELECT status FROM told.disqualify(3, 'spam');
INSERT INTO told.event_handler (event, label, function) VALUES ('lead_moved', 'x', 'regress_told.hear');
SELECT * FROM told.take_events();
RESET ROLE;
SELECT event ->> 'moved_by' AS moved_by, heard_by = current_user AS heard_by_owner FROM regress_told.heard ORDER BY number DESC LIMIT 1;

-- a function that fails: the move fails with it, and says why
\set SHOW_CONTEXT errors
SELECT status FROM told.disqualify(4, 'refuse');
\set SHOW_CONTEXT never
SELECT status FROM told.lead WHERE lead_id = 4;
-- or the move stands, and the failure is kept
UPDATE told.event_handler SET on_error = 'record' WHERE label = 'Hear of leads';
SELECT status FROM told.disqualify(4, 'refuse');
SELECT status FROM told.lead WHERE lead_id = 4;
SELECT to_stage, state, error FROM outbox WHERE state = 'failed';
-- to be tried again
SELECT told.retry_events();
SELECT count(*) AS failed FROM told.outbox WHERE state = 'failed';
CREATE OR REPLACE FUNCTION regress_told.hear(jsonb) RETURNS void LANGUAGE sql AS 'SELECT';
SELECT told.retry_events();
SELECT count(*) AS failed FROM told.outbox WHERE state IN ('failed', 'calling');
-- a function that is gone
DROP FUNCTION regress_told.hear;
SELECT lead_id FROM told.capture('default', '{"email": "c@gmail.com"}');
SELECT error FROM outbox WHERE state = 'failed';
UPDATE told.event_handler SET on_error = 'fail' WHERE label = 'Hear of leads';
SELECT stage FROM told.advance(5, 'sales_acceptance');
UPDATE told.event_handler SET is_active = false WHERE label LIKE 'Hear%';
SELECT stage FROM told.advance(5, 'sales_acceptance');
SELECT told.retry_events();

-- a condition that fails for a move
INSERT INTO told.event_handler (event, label, delivery, condition) VALUES ('lead_moved', 'By number', 'outbox', 'reason::integer > 5');
SELECT stage FROM told.advance(2, 'disqualified', '7');
INSERT INTO told.lead (email) VALUES ('d@gmail.com'), ('e@gmail.com') RETURNING lead_id;
SELECT max(lead_id) AS last FROM told.lead \gset
SELECT stage FROM told.advance(:last, 'disqualified', 'other');
UPDATE told.event_handler SET on_error = 'record' WHERE label = 'By number';
SELECT stage FROM told.advance(:last, 'disqualified', 'other');
SELECT reason, state, error FROM outbox WHERE reason IN ('7', 'other');
DELETE FROM told.event_handler WHERE label = 'By number';

-- functions that cause each other's events: bounded
INSERT INTO told.stage_transition (pipeline, from_stage, to_stage) VALUES ('marketing_sales', 'teleprospect_acceptance', 'marketing_qualification');
CREATE FUNCTION regress_told.swing(jsonb) RETURNS void LANGUAGE sql AS $$
	UPDATE told.lead SET stage = CASE stage WHEN 'marketing_qualification' THEN 'teleprospect_acceptance' ELSE 'marketing_qualification' END
	WHERE lead_id = ($1 ->> 'lead_id')::bigint
$$;
INSERT INTO told.event_handler (event, label, function) VALUES ('lead_moved', 'Swing', 'regress_told.swing(jsonb)');
SELECT stage FROM told.advance(:last - 1, 'teleprospect_acceptance');
SELECT stage FROM told.lead WHERE lead_id = :last - 1;
UPDATE told.event_handler SET on_error = 'record' WHERE label = 'Swing';
SELECT stage FROM told.advance(:last - 1, 'teleprospect_acceptance');
SELECT max(depth) AS deepest, count(*) FILTER (WHERE state = 'done') AS done, max(error) AS error FROM told.outbox JOIN told.event_handler USING (event_handler_id) WHERE label = 'Swing';
DELETE FROM told.event_handler WHERE label = 'Swing';

-- taken from the outbox, the oldest first, each once
SELECT count(*) AS waiting, min(outbox_id) AS first FROM told.outbox WHERE state = 'waiting' \gset
SELECT outbox_id = :first AS the_oldest, event, state, done_at IS NOT NULL AS stamped FROM told.take_events(1);
BEGIN;
SELECT count(*) = :waiting - 1 AS the_rest FROM told.take_events();
ROLLBACK;
SELECT count(*) = :waiting - 1 AS the_rest_again FROM told.take_events();
SELECT count(*) AS none FROM told.take_events();
SELECT count(*) AS none FROM told.take_events(-1);
SELECT told.purge_events() AS too_young;
UPDATE told.outbox SET done_at = '2024-01-01' WHERE state = 'done';
SELECT told.purge_events() > 5 AS purged;
SELECT count(*) AS done FROM told.outbox WHERE state = 'done';
SELECT task, error FROM told.tick('purge_events');

-- a move of many rows at once, with and without outbox
INSERT INTO told.submission (payload) SELECT jsonb_build_object('email', 'm' || n || '@many.example') FROM generate_series(1, 3000) n;
UPDATE told.lead SET stage = 'teleprospect_acceptance', stage_reason = 'urgent' WHERE stage = 'marketing_qualification';
SELECT event, count(*) > 2990 AS many FROM told.outbox GROUP BY 1 ORDER BY 1;

DROP SCHEMA regress_told CASCADE;
SELECT lead_mgmt.drop_workspace('told', 'told');
DROP ROLE regress_mover;
