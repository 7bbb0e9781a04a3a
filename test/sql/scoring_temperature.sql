-- How warm leads were, and whom to turn to first
SELECT lead_mgmt.create_workspace('crm') \gset
SET client_min_messages = warning;
UPDATE crm.scoring_model SET half_life = '10 days' WHERE model = 'default';
-- cold at first, warm by a demonstration, hot by a meeting; hot at once
SELECT lead_id FROM crm.capture('default', '{"email": "a@gmail.com", "kind": "page_view"}') \gset a_
SELECT lead_id FROM crm.capture('default', '{"email": "b@example.com", "phone": "+84912345678", "job_title": "CEO", "kind": "meeting", "company": "Example"}') \gset b_
INSERT INTO crm.interaction (lead_id, contact_id, kind, channel) SELECT lead_id, contact_id, 'demo_request', 'email' FROM crm.lead WHERE lead_id = :a_lead_id;
INSERT INTO crm.interaction (lead_id, contact_id, kind, channel) SELECT lead_id, contact_id, k, 'event' FROM crm.lead, unnest(ARRAY['meeting', 'email_open']) k WHERE lead_id = :a_lead_id;
SELECT lead_id = :a_lead_id AS a, from_grade, to_grade, round(score) AS score, cause, interaction_kind, channel FROM crm.temperature_history ORDER BY temperature_change_id;
-- a change of the profile
UPDATE crm.contact SET job_title = NULL, phone = NULL, email = 'b@gmail.com' WHERE email = 'b@example.com';
SELECT from_grade, to_grade, cause, interaction_id FROM crm.temperature_history WHERE lead_id = :b_lead_id ORDER BY temperature_change_id;
-- one that cooled since is shown so, and noted by the next scoring
SELECT lead_id FROM crm.capture('default', '{"email": "c@gmail.com", "kind": "meeting"}') \gset c_
UPDATE crm.score SET engagement = lead_mgmt.heat(40, now() - interval '60 days', '10 days') WHERE lead_id = :c_lead_id;
SELECT from_grade, to_grade, cause, changed_at IS NULL AS unnoticed FROM crm.temperature_history WHERE lead_id = :c_lead_id ORDER BY temperature_change_id;
INSERT INTO crm.interaction (lead_id, contact_id, kind, channel) SELECT lead_id, contact_id, 'demo_request', 'email' FROM crm.lead WHERE lead_id = :c_lead_id;
SELECT from_grade, to_grade, cause, changed_at IS NULL AS unnoticed FROM crm.temperature_history WHERE lead_id = :c_lead_id ORDER BY temperature_change_id;

-- Priority: by probability, value, age and due time
SELECT lead_mgmt.lead_priority(0.5, 999, '0', NULL) AS fresh, lead_mgmt.lead_priority(0.5, 999, '14 days', NULL) AS older,
	lead_mgmt.lead_priority(0.5, 999, '0', '1 day') AS due_tomorrow, lead_mgmt.lead_priority(0.5, 999, '0', '-9 days') AS overdue,
	lead_mgmt.lead_priority(NULL, NULL, NULL, NULL) AS unknown;
SELECT bool_and(lead_mgmt.lead_priority(p, v, a, d) BETWEEN 0.5 AND 13200) AS bounded
FROM unnest('{-1,0,0.3,2,NaN}'::float8[]) p, unnest('{-5,0,1e300,NULL}'::numeric[]) v, unnest('{-1 day,9999 years}'::interval[]) a, unnest('{-9999 years,9999 years}'::interval[]) d;
INSERT INTO crm.team (team) VALUES ('East');
INSERT INTO crm.agent (agent, team_id) VALUES ('Ann', 1);
UPDATE crm.lead SET agent_id = 1, team_id = 1;
SELECT lead_id = :a_lead_id AS is_a, round(win_probability::numeric, 3) AS win_probability, value, due_at FROM crm.lead_queue;
UPDATE crm.lead SET budget = 1000000, currency = 'USD' WHERE lead_id = :b_lead_id;
SELECT lead_id = :b_lead_id AS the_valuable_one FROM crm.next_lead(1);
INSERT INTO crm.task (subject, lead_id, due_at) VALUES ('Call back', :c_lead_id, now() - interval '1 hour');
SELECT due_at < now() AS is_due FROM crm.lead_queue WHERE lead_id = :c_lead_id;
UPDATE crm.lead SET priority = 1 WHERE lead_id = :c_lead_id;
SELECT lead_id = :c_lead_id AS the_one_set_by_hand FROM crm.next_lead(1);
SELECT array_agg(lead_id) = array_agg(lead_id ORDER BY set_priority DESC, priority DESC, due_at, lead_id) AS in_order FROM (SELECT * FROM crm.lead_queue) q;
-- a learned model comes first
INSERT INTO crm.scoring_model (model, label, kind) VALUES ('bayes', 'Bayes', 'naive_bayes');
INSERT INTO crm.score (lead_id, model, fit, scored_at) VALUES (:a_lead_id, 'bayes', 99, now());
SELECT win_probability FROM crm.lead_queue WHERE lead_id = :a_lead_id;
-- a score set by hand is followed by what follows from a score; taken back, the mark stays unless the model says otherwise
SELECT lead_id FROM crm.capture('default', '{"email": "d@gmail.com", "kind": "page_view"}') \gset d_
SELECT crm.override_score(:d_lead_id, 120);
SELECT qualification, sales_ready_model, stage FROM crm.lead WHERE lead_id = :d_lead_id;
SELECT from_grade, to_grade, cause FROM crm.temperature_history WHERE lead_id = :d_lead_id ORDER BY temperature_change_id;
SELECT crm.cools_at(:d_lead_id);
SELECT crm.override_score(:d_lead_id, NULL);
SELECT qualification, sales_ready_model FROM crm.lead WHERE lead_id = :d_lead_id;
UPDATE crm.scoring_model SET keeps_ready = false WHERE model = 'default';
SELECT crm.override_score(:d_lead_id, 99.9);
SELECT qualification, sales_ready_model FROM crm.lead WHERE lead_id = :d_lead_id;
SELECT lead_mgmt.score_leads('crm.lead', ARRAY[:d_lead_id]);
-- new rules change grades as they are computed afresh, and no others
SELECT crm.override_score(:d_lead_id, NULL);
SELECT crm.rescore() > 0 AS rescored;
SELECT count(*) AS before FROM crm.temperature_change \gset
SELECT crm.rescore() > 0 AS rescored;
SELECT count(*) - :before AS changes FROM crm.temperature_change;
INSERT INTO crm.scoring_rule (model, label, condition, points) VALUES ('default', 'All', format('lead_id = %s', :d_lead_id)::lead_mgmt.predicate, 1000);
SELECT crm.rescore() > 0 AS rescored;
SELECT lead_id = :d_lead_id AS d, from_grade, to_grade, round(score) > 1000 AS is_new_score, cause FROM crm.temperature_change ORDER BY temperature_change_id OFFSET :before;
SELECT count(*) FROM crm.temperature_history WHERE changed_at IS NULL;
-- a lead that loses its account loses its scores, those set by hand and those of a closed lead too, as explain_score() says
INSERT INTO crm.account (account_id, name) VALUES (5001, 'Gone Ltd');
INSERT INTO crm.lead (lead_id, account_id, company_name, title) VALUES (5001, 5001, 'Gone', 'open'), (5002, 5001, 'Gone', 'closed');
INSERT INTO crm.interaction (lead_id, kind) VALUES (5001, 'meeting'), (5002, 'meeting');
SELECT crm.override_score(5001, 60);
SELECT status FROM crm.disqualify(5002, 'other');
SELECT lead_id, round(score) AS score, grade FROM crm.lead_score WHERE lead_id > 5000 AND model = 'default' ORDER BY 1;
DELETE FROM crm.account WHERE account_id = 5001;
SELECT count(*) FROM crm.score WHERE lead_id > 5000;
SELECT part, total, problem FROM crm.explain_score(5001);
SELECT part, total, problem FROM crm.explain_score(5002);
SELECT lead_id, from_grade, to_grade, score, cause FROM crm.temperature_history WHERE lead_id > 5000 ORDER BY lead_id, temperature_change_id;
-- linked again, it is scored afresh
INSERT INTO crm.contact (contact_id, full_name) VALUES (5001, 'Ann Again');
UPDATE crm.lead SET contact_id = 5001 WHERE lead_id = 5001;
SELECT lead_id, score = (SELECT sum(total) FROM crm.explain_score(5001)) AS is_explained, is_override FROM crm.lead_score WHERE lead_id > 5000 AND model = 'default' ORDER BY 1;
SELECT lead_mgmt.drop_workspace('crm', 'crm');
