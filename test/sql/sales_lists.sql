-- Lists of leads, split among agents.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
\set SHOW_CONTEXT never
\set VERBOSITY terse
SELECT lead_mgmt.create_workspace('lists');
INSERT INTO lists.team (team) VALUES ('East'), ('West');
INSERT INTO lists.agent (agent, team_id, is_active) VALUES ('Ann', 1, true), ('Ben', 2, true), ('Cat', 2, true), ('Off', 1, false);
INSERT INTO lists.submission (payload) SELECT jsonb_build_object('email', 'p' || g || '@list.example', 'country', CASE WHEN g <= 7 THEN 'VN' ELSE 'DE' END) FROM generate_series(1, 10) g;
UPDATE lists.lead SET priority = 10 - lead_id;
UPDATE lists.lead SET agent_id = 3, team_id = 2 WHERE lead_id = 7;
-- in turn, the most urgent first; who has an agent stays with him
SELECT * FROM lists.split_list($$country = 'VN'$$, '{2,1}', 'trade fair');
SELECT l.lead_id, l.agent_id, l.team_id, x.reason FROM lists.lead l LEFT JOIN lists.assignment x ON x.lead_id = l.lead_id AND x.agent_id = l.agent_id ORDER BY 1;
SELECT * FROM lists.split_list($$country = 'VN'$$, '{2,1}');
-- unless it is all to be dealt anew; twice as many to the one named twice
SELECT * FROM lists.split_list('true', '{1,3,3}', reassign => true);
SELECT agent_id, count(*) FROM lists.lead GROUP BY 1 ORDER BY 1;
SELECT lead_id, count(*), array_agg(agent_id ORDER BY assignment_id) AS agents FROM lists.assignment WHERE lead_id IN (1, 2, 7) GROUP BY 1 ORDER BY 1;
-- closed leads are on no list
UPDATE lists.lead SET agent_id = NULL;
SELECT status FROM lists.disqualify(1, 'spam');
SELECT * FROM lists.split_list('true', '{1}');
-- who is not there, and what is no condition
SELECT * FROM lists.split_list('true', '{1,4}');
SELECT * FROM lists.split_list('true', '{1,NULL}');
SELECT * FROM lists.split_list('true', '{}');
SELECT * FROM lists.split_list(NULL, '{1}');
SELECT * FROM lists.split_list('colour = 1', '{1}');
SET client_min_messages = warning;
SELECT lead_mgmt.drop_workspace('lists', 'lists');
