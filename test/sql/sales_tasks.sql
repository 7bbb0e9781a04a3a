-- Tasks and activities: what is to be done, what was done, what came of it.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
\set SHOW_CONTEXT never
\set VERBOSITY terse
SELECT lead_mgmt.create_workspace('tasks');
DELETE FROM tasks.routing_rule;
INSERT INTO tasks.team (team, kind) VALUES ('Phone', 'telesales');
INSERT INTO tasks.agent (agent, team_id, email) VALUES ('Ann', 1, 'ann@us.example'), ('Bob', 1, NULL), ('Cem', 1, NULL);
INSERT INTO tasks.lead (contact_name, email) SELECT 'Person ' || n, 'p' || n || '@them.example' FROM generate_series(1, 6) n;
CREATE TEMP VIEW log AS SELECT lead_id, kind, direction, channel, external_id, outcome, outcome_sign, note FROM tasks.interaction ORDER BY interaction_id;

-- the activity log (S-28)
SELECT tasks.log_activity(1, '2021-08-01 10:00', 'created', 'interested', 'called in') > 0 AS logged;
SELECT tasks.activity_log_text(1);
SELECT tasks.log_activity(1, '2021-09-01 10:00', 'follow_up', 'sent', 'asked for e-mail') > 0 AS logged;
SELECT tasks.log_activity(1, '2021-08-20', 'call_outbound', 'no_answer') > 0 AS logged;
SELECT tasks.log_activity(1, '2021-08-21', 'note', NULL, 'chờ lương tháng 13') > 0 AS logged;
SELECT tasks.log_activity(1, '2021-08-22', 'site visit') > 0 AS logged;
INSERT INTO tasks.interaction (lead_id, kind, occurred_at) VALUES (1, 'page_view', '2021-08-02');
SELECT regexp_split_to_table(tasks.activity_log_text(1), '; ');
SELECT tasks.activity_log_text(2) IS NULL AS nothing, tasks.activity_log_text(0) IS NULL AS nobody;
-- outcomes have a sign (W-12), which stays when the list changes
SELECT * FROM log WHERE lead_id = 1;
INSERT INTO tasks.outcome VALUES ('demo_booked', 'booked a demonstration', 1);
SELECT tasks.log_activity(2, '2021-08-01', 'call_outbound', 'demo_booked', '', 'outbound', 'phone', 'call-1') > 0 AS logged;
UPDATE tasks.outcome SET sign = 0 WHERE outcome = 'demo_booked';
SELECT * FROM log WHERE lead_id = 2;
INSERT INTO tasks.interaction (lead_id, kind, outcome) VALUES (2, 'call_outbound', 'declined') RETURNING outcome_sign;
UPDATE tasks.interaction SET outcome = 'accepted' WHERE outcome = 'declined' RETURNING outcome_sign;
UPDATE tasks.interaction SET outcome_sign = -1 WHERE outcome = 'accepted' RETURNING outcome_sign;
UPDATE tasks.interaction SET outcome = NULL WHERE outcome = 'accepted' RETURNING outcome_sign;
INSERT INTO tasks.interaction (lead_id, kind, outcome_sign) VALUES (2, 'call_outbound', 1);
-- errors
SELECT tasks.log_activity(0, NULL, 'note');
SELECT tasks.log_activity(2, NULL, 'note', 'great');
INSERT INTO tasks.interaction (lead_id, kind, outcome) VALUES (2, 'note', 'great');
SELECT tasks.log_activity(2, NULL, 'note', NULL, NULL, 'sideways');
SELECT tasks.log_activity(2, NULL, NULL);
-- a message is logged once a channel (W-36)
SELECT tasks.log_activity(2, NULL, 'call_outbound', NULL, NULL, NULL, 'phone', 'call-1');
SELECT tasks.log_activity(2, NULL, 'email_sent', NULL, NULL, NULL, 'email', 'call-1') > 0 AS logged;
DELETE FROM tasks.outcome WHERE outcome = 'demo_booked';

-- the sign, usable by scoring rules
INSERT INTO tasks.scoring_rule (model, label, interaction_condition, points) VALUES ('default', 'Good outcome', 'outcome_sign > 0', 30), ('default', 'Bad outcome', 'outcome_sign < 0', -30);
SELECT tasks.log_activity(3, now(), 'call_outbound', 'interested') > 0 AS logged;
SELECT label, total FROM tasks.explain_score(3) WHERE part = 'engagement';
SELECT tasks.log_activity(3, now(), 'call_outbound', 'not_interested') > 0 AS logged;
SELECT label, total FROM tasks.explain_score(3) WHERE part = 'engagement' ORDER BY 1;

-- who logged it, where the role is an agent's
UPDATE tasks.agent SET login = current_user WHERE agent = 'Cem';
SELECT tasks.log_activity(4, now(), 'call_outbound') > 0 AS logged;
SELECT agent FROM tasks.interaction JOIN tasks.agent USING (agent_id);
SELECT agent, activities_last_7_days FROM tasks.agent_workload ORDER BY 1;

-- tasks
UPDATE tasks.lead SET agent_id = 1 WHERE lead_id <= 3;
INSERT INTO tasks.task (subject, kind, lead_id, due_at, remind_at, agent_id) VALUES
	('Call Person 1', 'call_outbound', 1, '2021-01-10', '2021-01-09', NULL),
	('Send offer', 'email_sent', 1, '2099-01-10', NULL, 1),
	('Call Person 2', 'call_outbound', 2, '2099-01-01', NULL, 2),
	('Visit', 'meeting', 3, NULL, NULL, 1);
SELECT subject, agent, is_overdue, full_name FROM tasks.open_task ORDER BY task_id;
SELECT subject, agent, days_overdue > 300 AS late FROM tasks.overdue_task;
SELECT subject, agent_email FROM tasks.due_reminder;
SELECT agent, open_leads, open_tasks, overdue_tasks FROM tasks.agent_workload ORDER BY 1;
SELECT lead_id, reason, overdue_tasks FROM tasks.neglected_lead ORDER BY 1;
UPDATE tasks.pipeline SET idle_after = '1 hour' WHERE pipeline = 'marketing_sales';
SELECT tasks.log_activity(6, now() - interval '2 hours', 'note') > 0 AS logged;
SELECT lead_id, reason FROM tasks.neglected_lead WHERE lead_id = 6;
-- refused
INSERT INTO tasks.task (subject) VALUES ('About nothing');
INSERT INTO tasks.task (subject, lead_id) VALUES ('', 1);
INSERT INTO tasks.task (subject, lead_id) VALUES ('x', 0);
INSERT INTO tasks.task (subject, lead_id, due_at, remind_at) VALUES ('x', 1, '2021-01-01', '2021-01-02');
INSERT INTO tasks.task (subject, lead_id, state) VALUES ('x', 1, 'perhaps');
-- done: stamped, and in the log
SELECT state, outcome, note, closed_at IS NOT NULL AS closed, closed_by = current_user AS by_us FROM tasks.complete_task(1, 'interested', 'wants an offer');
SELECT kind, outcome, note FROM log WHERE lead_id = 1 AND note = 'wants an offer';
SELECT tasks.complete_task(1);
SELECT tasks.complete_task(0);
SELECT tasks.complete_task(2, 'great');
SELECT state, closed_at IS NULL AS is_open FROM tasks.task WHERE task_id = 2;
SELECT state, note FROM tasks.cancel_task(4, 'not needed');
SELECT tasks.cancel_task(4);
SELECT tasks.cancel_task(0);
UPDATE tasks.task SET state = 'open' WHERE task_id = 1 RETURNING closed_at, closed_by, outcome;
UPDATE tasks.task SET state = 'done' WHERE task_id = 1 RETURNING closed_at IS NOT NULL AS closed;
UPDATE tasks.task SET state = 'open' WHERE task_id = 1;

-- tasks follow the lead to its new owner (S-16); those of others stay with them
SELECT tasks.assign(1, 3, 'holidays', reassign => true);
SELECT tasks.assign(2, 3, 'holidays', reassign => true);
SELECT subject, agent FROM tasks.open_task ORDER BY task_id;
UPDATE tasks.lead SET agent_id = 1 WHERE lead_id = 1;
SELECT subject, agent FROM tasks.open_task WHERE lead_id = 1 ORDER BY task_id;
UPDATE tasks.lead SET agent_id = NULL WHERE lead_id = 1;
SELECT subject, agent FROM tasks.open_task WHERE lead_id = 1 ORDER BY task_id;
-- and through a merge, and back
SELECT tasks.merge_contacts((SELECT contact_id FROM tasks.lead WHERE lead_id = 5), ARRAY[(SELECT contact_id FROM tasks.lead WHERE lead_id = 1)], 'same person') AS merge_id \gset
SELECT tasks.merge_leads(5, ARRAY[1]::bigint[], 'same interest') AS lead_merge \gset
SELECT subject, lead_id FROM tasks.open_task WHERE task_id <= 2 ORDER BY task_id;
SELECT left(tasks.activity_log_text(5), 41);
SELECT tasks.log_activity(1, now(), 'note');
SELECT count(*) AS left_as_they_are FROM tasks.unmerge(:lead_merge);
SELECT subject, lead_id FROM tasks.open_task WHERE task_id <= 2 ORDER BY task_id;

-- the timeline: in order and without gaps (W-35)
SELECT count(*) = max(position) AND min(position) = 1 AS gapless, bool_and(occurred_at >= before) AS ordered
FROM (SELECT position, occurred_at, COALESCE(lag(occurred_at) OVER (ORDER BY position), '-infinity') AS before FROM tasks.lead_timeline WHERE lead_id = 1) x;
SELECT title, detail FROM tasks.lead_timeline WHERE lead_id = 1 AND event = 'interaction' ORDER BY position LIMIT 2;

-- next, please: priority, then what is due, then who came first (W-29)
UPDATE tasks.lead SET agent_id = 2;
SELECT lead_id FROM tasks.next_lead(2);
UPDATE tasks.task SET due_at = '2098-01-01' WHERE task_id = 1;
INSERT INTO tasks.task (subject, lead_id, due_at) VALUES ('Soon', 4, '2021-02-02');
SELECT lead_id FROM tasks.next_lead(2), generate_series(1, 3);
UPDATE tasks.lead SET priority = 5 WHERE lead_id IN (6, 3);
SELECT lead_id FROM tasks.next_lead(2);
SELECT count(*) AS none FROM tasks.next_lead(1);
SELECT tasks.disqualify(3, 'spam') IS NOT NULL AS closed;
SELECT lead_id FROM tasks.next_lead(2);

-- queues
SELECT stage FROM tasks.advance(4, 'teleprospect_acceptance');
SELECT lead_id, full_name, email, due_at IS NOT NULL AS has_date FROM tasks.teleprospect_queue ORDER BY 1;
SELECT count(*) AS not_ready FROM tasks.sales_lead;
UPDATE tasks.scoring_model SET sales_ready_threshold = 20;
SELECT tasks.log_activity(5, now(), 'meeting', 'interested') > 0 AS logged;
SELECT lead_id, qualification FROM tasks.sales_lead ORDER BY 1;

-- all there is to know, on one card (W-37)
SELECT jsonb_object_keys(tasks.lead_card(1));
SELECT c #> '{identity,full_name}' AS name, c #> '{scores,0,score}' AS score, jsonb_array_length(c #> '{scores,0,reasons}') > 0 AS reasons, c #> '{next_action,subject}' AS next, c #> '{owner,agent}' AS agent,
	c #> '{touches,by_channel,phone,count}' AS calls, c #> '{service,is_neglected}' AS neglected
FROM tasks.lead_card(2) c;
SELECT tasks.lead_card(0) IS NULL AS nobody;
-- read-only, and safe to expose (W-26)
UPDATE tasks.lead_board SET title = 'x';
SET client_min_messages = warning;
SELECT lead_mgmt.drop_workspace('tasks', 'tasks');
