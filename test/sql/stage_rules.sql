-- Pipelines as rows: soundness, guards, required fields, owners, steps, actions, switching, closing and reopening.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
\set SHOW_CONTEXT never
SELECT lead_mgmt.create_workspace('rules');
SET search_path = rules;
INSERT INTO submission (payload) SELECT jsonb_build_object('email', 'p' || n || '@gmail.com') FROM generate_series(1, 12) n;
CREATE TEMP VIEW moves AS SELECT lead_id, from_stage, to_stage, rule, reason, rule_label, from_pipeline, changed FROM stage_move WHERE opportunity_id IS NULL ORDER BY stage_move_id;

-- a draft may be as it likes; nothing can enter it; activated it must be sound (S-26)
INSERT INTO pipeline (pipeline, entity, label) VALUES ('fair', 'lead', 'Trade fairs');
SELECT activate_pipeline('fair');
INSERT INTO stage (pipeline, stage, sequence, label) VALUES ('fair', 'met', 10, 'Met'), ('fair', 'called', 20, 'Called');
SELECT severity, problem FROM pipeline_problem WHERE pipeline = 'fair' ORDER BY 1, 2;
UPDATE pipeline SET is_active = true WHERE pipeline = 'fair';
UPDATE stage SET kind = 'entry' WHERE pipeline = 'fair' AND stage = 'met';
INSERT INTO stage (pipeline, stage, sequence, label, kind) VALUES ('fair', 'sold', 90, 'Sold', 'won'), ('fair', 'gone', 99, 'Gone', 'lost'), ('fair', 'inquiry', 15, 'Inquiry', 'open');
INSERT INTO lead (email, pipeline) VALUES ('fair@gmail.com', 'fair');
\set VERBOSITY terse
INSERT INTO stage (pipeline, stage, sequence, label, kind) VALUES ('fair', 'second', 5, 'Second', 'entry');
INSERT INTO stage (pipeline, stage, sequence, label) VALUES ('fair', 'second', 10, 'Second');
\set VERBOSITY default
SELECT allow_moves('fair', 'next') AS next, allow_moves('fair', 'next') AS again, allow_moves('fair', 'back') AS back, allow_moves('fair', 'lost') AS lost, allow_moves('fair', 'skip') AS skip;
SELECT allow_moves('fair', 'sideways');
SELECT allow_moves('nowhere', 'next');
SELECT from_stage, to_stage, kind FROM stage_transition WHERE pipeline = 'fair' ORDER BY 1, 2;
SELECT activate_pipeline('fair');
SELECT activate_pipeline('nowhere');
INSERT INTO lead (email, pipeline) VALUES ('fair@gmail.com', 'fair') RETURNING stage;
-- and stays sound, unless it is a draft again
DELETE FROM stage_transition WHERE pipeline = 'fair' AND to_stage IN ('gone', 'sold');
BEGIN;
DELETE FROM stage_transition WHERE pipeline = 'fair' AND to_stage IN ('gone', 'sold');
SELECT allow_moves('fair', 'lost');
COMMIT;
SELECT count(*) AS problems FROM pipeline_problem;
-- what is in use stays
DELETE FROM stage WHERE stage = 'met';
UPDATE stage SET stage = 'greeted' WHERE stage = 'met';
UPDATE stage SET label = 'Greeted' WHERE stage = 'met';
DELETE FROM pipeline WHERE pipeline = 'fair';
UPDATE pipeline SET pipeline = 'fairs' WHERE pipeline = 'fair';
-- definitions are checked when they are made
\set VERBOSITY terse
UPDATE stage_transition SET guard = 'no_such_column > 5' WHERE from_stage = 'met' AND to_stage = 'inquiry';
UPDATE stage_transition SET guard = 'amount > 5' WHERE from_stage = 'met' AND to_stage = 'inquiry';
UPDATE stage_transition SET guard = 'budget > 5' WHERE pipeline = 'sales';
INSERT INTO required_field (pipeline, stage, field) VALUES ('fair', 'called', 'no_such_field');
INSERT INTO stage_action (pipeline, stage, function) VALUES ('fair', 'called', 'public.no_such_function');
INSERT INTO stage_step (pipeline, stage, step, label, kind) VALUES ('sales', 'proposal', 'x', 'X', 'flag');
INSERT INTO automatic_move (pipeline, from_stage, to_stage, cause, label) VALUES ('fair', 'inquiry', 'sold', 'timer', 'X');
\set VERBOSITY default

-- guards, over the row as it is after the change
UPDATE stage_transition SET guard = 'budget >= 1000', guard_label = 'a budget of 1000' WHERE from_stage = 'marketing_qualification' AND to_stage = 'teleprospect_acceptance';
SELECT advance(1, 'teleprospect_acceptance');
UPDATE lead SET stage = 'teleprospect_acceptance', budget = 500 WHERE lead_id = 1;
UPDATE lead SET stage = 'teleprospect_acceptance', budget = 5000 WHERE lead_id = 1;
SELECT stage, budget FROM lead WHERE lead_id = 1;
-- one that fails with an error
UPDATE stage_transition SET guard = '1000 / (budget - 7) > 0', guard_label = NULL WHERE from_stage = 'marketing_qualification' AND to_stage = 'teleprospect_acceptance';
UPDATE lead SET budget = 7 WHERE lead_id = 2;
SELECT advance(2, 'teleprospect_acceptance');
-- a statement with one bad row fails; advance_many() moves the others and reports
UPDATE lead SET budget = 10 WHERE lead_id IN (3, 4, 5);
UPDATE lead SET stage = 'teleprospect_acceptance' WHERE lead_id IN (2, 3, 4, 5);
SELECT * FROM advance_many('{5, 4, 2, 3, 1, 1, 0}', 'teleprospect_acceptance', 'campaign');
SELECT * FROM advance_many('{}', 'teleprospect_acceptance');
SELECT lead_id, from_stage, to_stage, rule, reason FROM moves WHERE lead_id IN (2, 3, 4, 5) AND to_stage LIKE 'tele%';
UPDATE stage_transition SET guard = NULL WHERE guard IS NOT NULL;
-- opportunities have a profile of their own
UPDATE stage_transition SET guard = 'amount > 0 AND company IS NOT NULL' WHERE from_stage = 'identify' AND to_stage = 'proposal';
INSERT INTO opportunity (contact_id, name) VALUES (1, 'Deal') RETURNING opportunity_id AS deal \gset
UPDATE opportunity SET stage = 'proposal', amount = 5;
INSERT INTO account (name) VALUES ('Acme') RETURNING account_id AS acme \gset
UPDATE opportunity SET stage = 'proposal', amount = 5, account_id = :acme RETURNING stage;
-- fields asked for on one way only, and custom attributes
SELECT define_field('lead', 'seats', 'integer');
INSERT INTO required_field (pipeline, stage, from_stage, field) VALUES ('marketing_sales', 'sales_acceptance', 'marketing_qualification', 'seats');
SELECT advance(6, 'sales_acceptance');
UPDATE lead SET stage = 'sales_acceptance', attributes = '{"seats": 5}' WHERE lead_id = 6 RETURNING qualification, sales_ready_at IS NOT NULL AS ready;
SELECT stage FROM advance(5, 'sales_acceptance');
DELETE FROM required_field WHERE field = 'seats';
-- an owner
UPDATE stage SET requires_owner = true WHERE stage = 'teleprospect_acceptance';
INSERT INTO team (team, kind) VALUES ('Callers', 'telesales'), ('Sellers', 'sales');
INSERT INTO agent (agent, team_id) VALUES ('Ann', 1), ('Ben', 2);
SELECT advance(7, 'teleprospect_acceptance');
UPDATE lead SET stage = 'teleprospect_acceptance', agent_id = 1, team_id = 1 WHERE lead_id = 7 RETURNING stage;
UPDATE stage SET requires_owner = false WHERE stage = 'teleprospect_acceptance';
-- contact or account, to leave the first stage (D-55), unless it is given up
INSERT INTO lead (contact_name) VALUES ('Nobody known') RETURNING lead_id AS card \gset
SELECT advance(:card, 'marketing_qualification');
SELECT stage FROM advance(:card, 'disqualified', 'spam');
-- the same stage again is no move; expected to be elsewhere, it stays
SELECT count(*) AS moves FROM stage_move \gset
SELECT stage FROM advance(7, 'teleprospect_acceptance', 'again');
SELECT count(*) - :moves AS added FROM stage_move;
SELECT advance(7, 'teleprospect_qualification', NULL, 'marketing_qualification');
SELECT stage FROM advance(7, 'teleprospect_qualification', NULL, 'teleprospect_acceptance');

-- steps: criteria, owner, the last required one moves on (D-52, D-60 to D-66)
SELECT complete_step(8, 'teleprospect_accepted');
SELECT stage FROM mark_ready(8, 'teleprospect', 'called us');
SELECT subject, state, due_at - created_at = interval '24 hours' AS in_a_day FROM task WHERE lead_id = 8;
SELECT mark_ready(8, 'boss');
UPDATE stage_step SET guard = 'phone IS NOT NULL', guard_label = 'a phone number' WHERE step = 'teleprospect_accepted';
SELECT complete_step(8, 'teleprospect_accepted');
SELECT complete_step(8, 'no_such_step');
UPDATE contact SET phone = '+442079460008' WHERE contact_id = 8;
INSERT INTO lead_step (lead_id, step) VALUES (8, 'teleprospect_accepted') RETURNING pipeline, stage, completed_by = current_user AS by_me;
INSERT INTO stage_step (pipeline, stage, step, sequence, label, kind, field) VALUES ('marketing_sales', 'teleprospect_qualification', 'seats_known', 5, 'Number of seats', 'field', 'seats');
SELECT item, name, state, detail FROM explain_stage(8) WHERE item IN ('step', 'automatic');
SELECT state, closed_by FROM task WHERE lead_id = 8;
SELECT stage, qualification FROM complete_step(8, 'sales_ready');
SELECT stage, qualification, attributes FROM complete_step(8, 'seats_known', '25');
SELECT accept_lead(8);
SELECT stage, qualification, agent_id FROM accept_lead(8, 2, 'good one');
SELECT accept_lead(9);
SELECT from_stage, to_stage, rule, rule_label FROM moves WHERE lead_id = 8;
SELECT stage, step, value FROM lead_step WHERE lead_id = 8 ORDER BY lead_step_id;
SELECT lead_id, sales_acceptance_at IS NOT NULL AS came, sales_accepted_at IS NOT NULL AS accepted FROM lead_milestone WHERE lead_id = 8;
-- a step that must be done before the stage is left, and a field filled otherwise
UPDATE stage SET requires_steps = true WHERE stage = 'teleprospect_qualification';
SELECT advance(7, 'sales_acceptance');
UPDATE stage SET requires_steps = false WHERE stage = 'teleprospect_qualification';
SELECT stage FROM complete_step(7, 'sales_ready');
UPDATE lead SET attributes = '{"seats": 3}' WHERE lead_id = 7;
SELECT stage FROM lead WHERE lead_id = 7;
DELETE FROM stage_step WHERE step = 'seats_known';
-- marked by hand it skips teleprospecting (D-61), from the first stage too
UPDATE pipeline SET moves_on_first_score = false WHERE pipeline = 'marketing_sales';
SELECT lead_id AS quick FROM capture('default', '{"email": "quick@gmail.com"}') \gset
SELECT stage, qualification FROM mark_ready(:quick);
UPDATE pipeline SET moves_on_first_score = true WHERE pipeline = 'marketing_sales';
SELECT from_stage, to_stage, rule FROM moves WHERE lead_id = :quick;

-- hand-overs (W-28)
SELECT lead_id, from_team, to_team, reason, is_overdue FROM unanswered_handover ORDER BY 1;
SELECT handover_id, accepted_at IS NOT NULL AS accepted, rejected_reason FROM handover ORDER BY 1;
SELECT handover_id AS h FROM handover WHERE lead_id = :quick \gset
SELECT hand_over(:quick, 1);
SELECT accept_handover(:h, 1);
SELECT to_agent_id FROM accept_handover(:h, 2);
SELECT accept_handover(:h);
SELECT agent_id, team_id FROM lead WHERE lead_id = :quick;
SELECT hand_over(:quick, 1, NULL, 'speaks French') AS h2 \gset
SELECT reject_handover(:h2, NULL);
SELECT rejected_reason FROM reject_handover(:h2, 'so do you');
SELECT hand_over(0, 1);
SELECT hand_over(:quick, 9);
SELECT hand_over(:quick, 1, 2);

-- actions run as the owner, in the transaction of the move
CREATE TABLE public.rules_log (event jsonb);
CREATE FUNCTION public.rules_note(event jsonb) RETURNS void LANGUAGE sql AS 'INSERT INTO public.rules_log VALUES (event - ''moved_at'')';
CREATE FUNCTION public.rules_fail(event jsonb) RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the printer is out of paper' USING HINT = 'Refill it.'; END $$;
INSERT INTO stage_action (pipeline, stage, event, function) VALUES ('marketing_sales', 'teleprospect_acceptance', 'exit', 'public.rules_note'), ('marketing_sales', 'teleprospect_acceptance', 'entry', 'public.rules_note');
SELECT stage FROM advance(9, 'teleprospect_acceptance', 'why not');
UPDATE lead SET stage = 'sales_acceptance' WHERE lead_id = 9;
SELECT event FROM public.rules_log;
INSERT INTO stage_action (pipeline, stage, function) VALUES ('marketing_sales', 'sales_acceptance', 'public.rules_fail');
SELECT advance(10, 'sales_acceptance');
SELECT stage, count(*) AS moves FROM lead JOIN stage_move USING (lead_id) WHERE lead_id = 10 GROUP BY 1;
-- where the move was made by the system, the move fails and what caused it stands
SELECT stage, complete_step(4, 'teleprospect_accepted', 'x') IS NOT NULL AS done FROM lead WHERE lead_id = 4;
UPDATE contact SET phone = '+442079460004' WHERE contact_id = 4;
SELECT stage FROM complete_step(4, 'teleprospect_accepted');
SELECT stage, qualification FROM complete_step(4, 'sales_ready');
SELECT lead_id, from_stage, to_stage, rule, rule_label, message FROM failed_move;
SELECT lead_id AS hot, status FROM capture('default', '{"email": "hot@acme.example", "phone": "+442079460099", "job_title": "CEO", "kind": "demo_request", "company": "Acme"}') \gset
SELECT stage FROM lead WHERE lead_id = :hot;
INSERT INTO interaction (lead_id, kind) VALUES (:hot, 'meeting'), (:hot, 'demo_request');
SELECT stage, qualification FROM lead WHERE lead_id = :hot;
SELECT lead_id = :hot AS of_hot, from_stage, to_stage, rule, message FROM failed_move WHERE rule = 'sales_ready';
DELETE FROM stage_action WHERE function = 'public.rules_fail';
-- functions that move the lead on, and round in a circle
CREATE FUNCTION public.rules_on(event jsonb) RETURNS void LANGUAGE sql AS $$ UPDATE rules.lead SET stage = 'sales_acceptance' WHERE lead_id = (event ->> 'lead_id')::bigint $$;
CREATE FUNCTION public.rules_back(event jsonb) RETURNS void LANGUAGE sql AS $$ UPDATE rules.lead SET stage = 'teleprospect_acceptance' WHERE lead_id = (event ->> 'lead_id')::bigint $$;
INSERT INTO stage_action (pipeline, stage, function) VALUES ('marketing_sales', 'teleprospect_acceptance', 'public.rules_on');
SELECT stage FROM advance(11, 'teleprospect_acceptance');
SELECT from_stage, to_stage FROM moves WHERE lead_id = 11;
INSERT INTO stage_transition VALUES ('marketing_sales', 'sales_acceptance', 'teleprospect_acceptance', 'back');
INSERT INTO stage_action (pipeline, stage, function) VALUES ('marketing_sales', 'sales_acceptance', 'public.rules_back');
SELECT advance(12, 'teleprospect_acceptance');
DELETE FROM stage_action;
DELETE FROM stage_transition WHERE kind = 'back' AND pipeline = 'marketing_sales';

-- automatic moves: an interaction, a timer, each to be switched off
INSERT INTO automatic_move (pipeline, from_stage, to_stage, cause, label, interaction_kind, condition) VALUES
	('marketing_sales', 'marketing_qualification', 'teleprospect_acceptance', 'interaction', 'Wants a chat', 'chat', 'email IS NOT NULL');
INSERT INTO interaction (lead_id, kind) VALUES (2, 'page_view');
SELECT stage FROM lead WHERE lead_id = 2;
UPDATE pipeline SET moves_on_interaction = false WHERE pipeline = 'marketing_sales';
INSERT INTO interaction (lead_id, kind) VALUES (2, 'chat');
SELECT item, name, state, CASE WHEN item <> 'stage' THEN detail END AS detail FROM explain_stage(2);
UPDATE pipeline SET moves_on_interaction = true WHERE pipeline = 'marketing_sales';
INSERT INTO interaction (lead_id, kind) VALUES (2, 'chat');
SELECT from_stage, to_stage, rule, rule_label FROM moves WHERE lead_id = 2 ORDER BY 3 DESC LIMIT 1;
SELECT lead_id AS chatty FROM capture('default', '{"email": "chatty@gmail.com", "kind": "chat"}') \gset
SELECT from_stage, to_stage, rule FROM moves WHERE lead_id = :chatty;
INSERT INTO lead (contact_id, stage, stage_entered_at) SELECT c, 'marketing_qualification', now() - c * interval '24 hours' FROM generate_series(1, 6) c;
UPDATE stage SET maximum_age = '95 hours' WHERE stage = 'marketing_qualification';
INSERT INTO automatic_move (pipeline, from_stage, to_stage, cause, label, condition) VALUES
	('marketing_sales', 'marketing_qualification', 'disqualified', 'timer', 'Heard nothing', 'contact_id <> 5');
SELECT stage, extract(day FROM age) AS days, extract(day FROM overdue_by) AS over FROM stage_ageing ORDER BY 2;
UPDATE pipeline SET moves_on_timer = false WHERE pipeline = 'marketing_sales';
SELECT * FROM tick('move_due_leads');
UPDATE pipeline SET moves_on_timer = true WHERE pipeline = 'marketing_sales';
SELECT * FROM tick('move_due_leads');
SELECT * FROM tick('move_due_leads');
SELECT contact_id, status, qualification, disqualified_reason FROM lead WHERE disqualified_reason = 'Heard nothing' ORDER BY contact_id;
SELECT rule, rule_label FROM moves WHERE rule = 'timer';
DELETE FROM automatic_move WHERE cause = 'timer';
-- a circle of automatic moves is listed, and made only once round
INSERT INTO stage_transition VALUES ('marketing_sales', 'teleprospect_acceptance', 'marketing_qualification', 'back');
INSERT INTO automatic_move (pipeline, from_stage, to_stage, cause, label, interaction_kind) VALUES ('marketing_sales', 'teleprospect_acceptance', 'marketing_qualification', 'interaction', 'Chats again', 'chat');
SELECT severity, problem FROM pipeline_problem;
INSERT INTO interaction (lead_id, kind) VALUES (3, 'chat');
SELECT stage FROM lead WHERE lead_id = 3;
SELECT rule_label, message FROM failed_move WHERE lead_id = 3;
DELETE FROM automatic_move;

-- switched to another pipeline by a map (D-54)
SELECT switch_pipeline(12, 'fair');
SELECT switch_pipeline(12, 'sales');
INSERT INTO stage_map VALUES ('marketing_sales', 'marketing_qualification', 'fair', 'called');
SELECT pipeline, stage FROM switch_pipeline(12, 'fair', 'met at the fair');
UPDATE lead SET pipeline = 'marketing_sales', stage = 'sales_acceptance' WHERE lead_id = 12;
UPDATE lead SET pipeline = 'marketing_sales', stage = 'inquiry' WHERE lead_id = 12 RETURNING stage;
SELECT from_pipeline, from_stage, to_stage, rule, reason FROM moves WHERE lead_id = 12 AND rule = 'switched';
UPDATE pipeline SET is_active = false WHERE pipeline = 'fair';
SELECT switch_pipeline(12, 'fair');

-- disqualified for a reason of the list, and reopened as it was (M-06, M-22)
SELECT disqualify(6, 'boring');
UPDATE lead SET stage = 'disqualified' WHERE lead_id = 6;
UPDATE lead SET stage = 'disqualified', stage_reason = 'competitor' WHERE lead_id = 6 RETURNING disqualified_reason, qualification;
SELECT stage, status, qualification, disqualified_reason, stage_reason FROM reopen(6, 'a mistake');
SELECT reopen(6);
SELECT reopen(0);
SELECT from_stage, to_stage, rule, reason, changed FROM moves WHERE lead_id = 6 ORDER BY 3 LIMIT 10;
SELECT stage, status FROM disqualify(6, 'other', 'no seats after all');
UPDATE closing_reason SET is_active = false WHERE entity = 'lead';
SELECT disqualified_reason FROM disqualify(5, 'any words will do');
INSERT INTO submission (payload) VALUES ('{"email": "p5@gmail.com"}');
SELECT reopen(5);
UPDATE opportunity SET stage = 'negotiation';
UPDATE opportunity SET stage = 'won';
SELECT customer_since IS NOT NULL AS customer, level FROM contact JOIN life_cycle USING (contact_id) WHERE contact_id = 1;
SELECT stage, status, closed_at FROM reopen_opportunity(:deal, 'they want to talk again');
SELECT customer_since IS NOT NULL AS customer, level FROM contact JOIN life_cycle USING (contact_id) WHERE contact_id = 1;
SELECT reopen_opportunity(:deal);
UPDATE opportunity SET stage = 'won' RETURNING status;

-- history is the system's
\set VERBOSITY terse
UPDATE stage_move SET reason = 'x' WHERE lead_id = 1;
DELETE FROM stage_move WHERE lead_id = 1;
INSERT INTO stage_move (lead_id, pipeline, to_stage, moved_at, moved_by) VALUES (1, 'marketing_sales', 'converted', now(), 'me');
TRUNCATE stage_move;
\set VERBOSITY default
DELETE FROM lead WHERE lead_id = 10;
SELECT count(*) AS of_it FROM stage_move WHERE lead_id = 10;

-- the life cycle of a person: forward only, unless cleared (M-03 to M-07)
INSERT INTO contact (full_name) VALUES ('Vi Vu') RETURNING contact_id AS vi \gset
SELECT level, level_number, lead_at FROM life_cycle WHERE contact_id = :vi;
INSERT INTO lead (contact_id, title) VALUES (:vi, 'seats') RETURNING lead_id AS vis \gset
SELECT level FROM life_cycle WHERE contact_id = :vi;
INSERT INTO interaction (contact_id, lead_id, kind, direction) VALUES (:vi, :vis, 'call_outbound', 'outbound');
SELECT level FROM life_cycle WHERE contact_id = :vi;
SELECT stage FROM mark_ready(:vis);
SELECT level, qualified_at IS NOT NULL AS dated FROM life_cycle WHERE contact_id = :vi;
SELECT stage FROM disqualify(:vis, 'other');
SELECT level FROM life_cycle WHERE contact_id = :vi;
SELECT pg_sleep(0.01) IS NOT NULL AS slept, clear_life_cycle(:vi, 'begins anew');
SELECT level, lead_at, qualified_at FROM life_cycle WHERE contact_id = :vi;

-- what an anonymous visitor did counts once he is identified
INSERT INTO interaction (visitor, kind, occurred_at) VALUES ('cookie-7', 'page_view', '2025-05-05');
SELECT contact_id AS found FROM capture('default', '{"email": "found@gmail.com", "visitor": "cookie-7"}') \gset
SELECT level, visitor_at < lead_at AS came_before FROM life_cycle WHERE contact_id = :found;

-- where everything stood then
SELECT sum(leads) = (SELECT count(DISTINCT lead_id) FROM stage_move WHERE lead_id IS NOT NULL) AS all_leads FROM pipeline_as_of(now()) WHERE entity = 'lead';
SELECT sum(leads) AS before_all FROM pipeline_as_of('2000-01-01');
SELECT stage, leads FROM pipeline_as_of(now()) WHERE entity = 'opportunity' AND leads > 0;
SELECT explain_stage(0);

-- salespeople see sales-ready leads alone (D-69)
SELECT count(*) AS ready FROM sales_lead \gset
CREATE ROLE regress_seller;
GRANT USAGE ON SCHEMA rules TO regress_seller;
SELECT grant_access('regress_seller', 'sales_ready');
SET ROLE regress_seller;
SELECT count(*) = :ready AS all_ready FROM sales_lead;
SELECT count(*) AS not_ready FROM lead WHERE sales_ready_at IS NULL;
SELECT stage FROM complete_step(:quick, 'sales_accepted');
SELECT advance(1, 'teleprospect_qualification');
SELECT move_due_leads();
SELECT lead_mgmt.move_due_leads('rules.lead');
RESET ROLE;
SELECT count(*) > :ready AS owner_sees_more FROM lead;

RESET search_path;
DROP VIEW moves;
DROP FUNCTION public.rules_note, public.rules_fail, public.rules_on, public.rules_back;
DROP TABLE public.rules_log;
SELECT lead_mgmt.drop_workspace('rules', 'rules');
DROP ROLE regress_seller;
