-- Tags: defined as rows, carried in arrays by accounts, contacts, leads and opportunities.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
\set SHOW_CONTEXT never
SELECT lead_mgmt.create_workspace('tags');
INSERT INTO tags.tag (tag, kind, color) VALUES ('vip', 'priority', '#CC0000'), ('golf', 'interest', NULL), ('paused', 'status', NULL);
INSERT INTO tags.tag (tag) VALUES (' padded');
INSERT INTO tags.tag (tag, kind) VALUES ('x', 'mood');
INSERT INTO tags.tag (tag, color) VALUES ('x', 'red');
INSERT INTO tags.submission (payload) SELECT jsonb_build_object('email', 'p' || g || '@tags.example', 'company', 'Tags Inc') FROM generate_series(1, 4) g;
-- put on and taken off in sets, each once and in order
SELECT tags.set_tags('lead', '{1,2,3,99}', '{vip,golf,vip}');
SELECT tags.set_tags('lead', '{1,2}', '{golf}');
SELECT tags.set_tags('lead', '{2}', '{paused}', '{vip}'), tags.set_tags('lead', '{3}', remove => '{vip,golf}');
SELECT lead_id, tags FROM tags.lead ORDER BY 1;
UPDATE tags.lead SET tags = '{vip,NULL,golf,golf}' WHERE lead_id = 4 RETURNING tags;
UPDATE tags.lead SET tags = '{}' WHERE lead_id = 4 RETURNING tags;
UPDATE tags.lead SET tags = '{vip,gulf}' WHERE lead_id = 4;
SELECT tags.set_tags('lead', '{1}', '{NULL}', '{NULL}'), tags.set_tags('lead', '{1}', NULL, NULL), tags.set_tags('lead', NULL, '{vip}');
SELECT tags.set_tags('task', '{1}', '{vip}');
-- leads are found by them
SELECT * FROM tags.leads_with_tags('{golf}');
SELECT * FROM tags.leads_with_tags('{golf,vip}');
SELECT * FROM tags.leads_with_tags(any_of => '{vip,paused}', none_of => '{vip}');
SELECT * FROM tags.leads_with_tags(none_of => '{golf}');
SELECT count(*) FROM tags.leads_with_tags();
-- rules go by them: those of the lead, the contact and the account
INSERT INTO tags.scoring_rule (model, label, condition, points) VALUES
	('default', 'important', $$'vip' = ANY (tags)$$, 100), ('default', 'plays', $$contact_tags @> '{golf}'$$, 7), ('default', 'house', $$NOT 'paused' = ANY (account_tags)$$, 1000);
CREATE TEMP VIEW points AS SELECT e.lead_id, sum(e.total) AS points FROM (SELECT l.lead_id, x.label, x.total FROM tags.lead l CROSS JOIN LATERAL tags.explain_score(l.lead_id) x WHERE x.label IN ('important', 'plays', 'house')) e GROUP BY 1;
SELECT * FROM points ORDER BY 1;
SELECT tags.set_tags('contact', '{2}', '{golf}'), tags.set_tags('lead', '{1}', remove => '{vip}'), tags.set_tags('lead', '{4}', '{vip}');
SELECT * FROM points ORDER BY 1;
SELECT tags.set_tags('account', (SELECT array_agg(account_id) FROM tags.account), '{paused}');
SELECT * FROM points ORDER BY 1;
SELECT count(*) AS wrong FROM tags.lead_score s WHERE s.score <> (SELECT COALESCE(sum(e.total), 0) FROM tags.explain_score(s.lead_id) e);
-- renamed everywhere; kept while in use
UPDATE tags.tag SET tag = 'Key account' WHERE tag = 'vip';
SELECT lead_id, tags FROM tags.lead WHERE tags IS NOT NULL ORDER BY 1;
DELETE FROM tags.tag WHERE tag = 'Key account';
SELECT tag, kind, leads, contacts, accounts, opportunities FROM tags.tag_usage ORDER BY tag;
-- changes are in the audit log and on the timeline
SELECT detail FROM tags.lead_timeline WHERE lead_id = 2 AND event = 'change' ORDER BY position;
-- those of merged records are united; those of a converted lead go to the opportunity
SELECT tags.set_tags('contact', '{1}', '{paused}');
SELECT tags.merge_contacts(1, '{2}') IS NOT NULL AS merged;
SELECT tags FROM tags.contact WHERE contact_id = 1;
UPDATE tags.lead SET stage = 'sales_acceptance' WHERE lead_id = 1;
SELECT opportunity_id AS deal FROM tags.convert_lead(1, 'Deal') \gset
SELECT tags FROM tags.opportunity WHERE opportunity_id = :deal;
SELECT lead_id FROM tags.capture('default', '{"email": "q@other.example", "company": "Other"}') \gset
SELECT tags.set_tags('lead', ARRAY[:lead_id], '{"Key account"}');
UPDATE tags.lead SET stage = 'sales_acceptance', account_id = (SELECT account_id FROM tags.opportunity WHERE opportunity_id = :deal) WHERE lead_id = :lead_id;
INSERT INTO tags.opportunity (name, contact_id, tags) SELECT 'Older', contact_id, '{golf}' FROM tags.lead WHERE lead_id = :lead_id RETURNING opportunity_id AS older \gset
SELECT opportunity_id = :older AS joined FROM tags.convert_lead(:lead_id, opportunity_id => :older);
SELECT tags FROM tags.opportunity WHERE opportunity_id = :older;
-- with many leads, by the index
SET client_min_messages = warning;
SET session_replication_role = replica;
INSERT INTO tags.lead (contact_name, pipeline, stage, stage_entered_at, tags) SELECT 'Many', 'marketing_sales', 'inquiry', now(), CASE WHEN g % 1000 = 0 THEN ARRAY['paused'] WHEN g % 2 = 0 THEN ARRAY['golf'] END FROM generate_series(1, 20000) g;
RESET session_replication_role;
ANALYZE tags.lead;
EXPLAIN (COSTS OFF) SELECT l.lead_id FROM tags.lead l WHERE l.tags @> '{paused}';
SELECT count(*) FROM tags.leads_with_tags('{paused}');
SELECT lead_mgmt.drop_workspace('tags', 'tags');
