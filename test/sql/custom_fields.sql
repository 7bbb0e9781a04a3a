-- Custom attributes of contacts, accounts and leads.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
\set SHOW_CONTEXT never
SELECT lead_mgmt.create_workspace('fields');

SELECT count(fields.define_field('contact', f, t)) FROM (VALUES ('nickname', 'text'), ('children', 'integer'), ('height', 'number'),
	('vip', 'boolean'), ('birthday', 'date'), ('seen_at', 'timestamp')) AS v (f, t);
SELECT fields.define_field('contact', 'size', 'choice', '{S,M,L}');
SELECT fields.define_field('contact', 'topics', 'choices', '{a,b,c}');
SELECT fields.define_field('account', 'tier', 'choice', '{gold,silver}', label => 'Tier of the contract');
SELECT fields.define_field('lead', 'seats', 'integer');
SELECT entity, field, type, options, is_required, is_active FROM fields.field ORDER BY entity, field;

-- definitions that make no sense
\set VERBOSITY terse
SELECT fields.define_field('campaign', 'x');
SELECT fields.define_field('contact', 'Bad Name');
SELECT fields.define_field('contact', 'x', 'money');
SELECT fields.define_field('contact', 'x', 'choice');
SELECT fields.define_field('contact', 'x', 'text', '{a}');
SELECT fields.drop_field('contact', 'nonsense');
SELECT fields.index_field('contact', 'nonsense');
\set VERBOSITY default

-- a direct write must have the right types already
INSERT INTO fields.contact (full_name, attributes) VALUES ('Good', '{"nickname": "G", "children": 2, "height": 1.8, "vip": true,
	"birthday": "1990-02-28", "seen_at": "2026-01-31T09:30:00Z", "size": "M", "topics": ["a", "c"]}');
INSERT INTO fields.contact (full_name, attributes) VALUES ('Null', '{"children": null, "topics": []}');
INSERT INTO fields.contact (attributes) VALUES ('{"unknown": 1}');
INSERT INTO fields.contact (attributes) VALUES ('{"nickname": 7}');
INSERT INTO fields.contact (attributes) VALUES ('{"nickname": {"a": 1}}');
INSERT INTO fields.contact (attributes) VALUES ('{"children": "2"}');
INSERT INTO fields.contact (attributes) VALUES ('{"children": 2.5}');
INSERT INTO fields.contact (attributes) VALUES ('{"height": "tall"}');
INSERT INTO fields.contact (attributes) VALUES ('{"vip": "yes"}');
INSERT INTO fields.contact (attributes) VALUES ('{"birthday": "1990-02-30"}');
INSERT INTO fields.contact (attributes) VALUES ('{"seen_at": "soon"}');
INSERT INTO fields.contact (attributes) VALUES ('{"size": "XL"}');
INSERT INTO fields.contact (attributes) VALUES ('{"size": ["S"]}');
INSERT INTO fields.contact (attributes) VALUES ('{"topics": ["a", "z"]}');
INSERT INTO fields.contact (attributes) VALUES ('{"topics": {"a": "b"}}');
\set VERBOSITY terse
INSERT INTO fields.contact (attributes) VALUES (jsonb_build_object('nickname', repeat('n', 10001)));
INSERT INTO fields.contact (attributes) VALUES ('[]');
UPDATE fields.contact SET attributes = attributes || '{"children": "many"}' WHERE full_name = 'Good';
INSERT INTO fields.account (name, attributes) VALUES ('A', '{"tier": "bronze"}');
INSERT INTO fields.lead (email, attributes) VALUES ('l@x.example', '{"seats": "ten"}');
INSERT INTO fields.lead (email, attributes) VALUES ('l@x.example', '{"nickname": "not a lead''s"}');
\set VERBOSITY default
UPDATE fields.contact SET attributes = attributes || '{"children": 3}' WHERE full_name = 'Good';
INSERT INTO fields.account (name, attributes) VALUES ('A', '{"tier": "gold"}');
INSERT INTO fields.lead (email, attributes) VALUES ('l@x.example', '{"seats": 10}');
SELECT field, type, value FROM fields.contact_attribute JOIN fields.contact USING (contact_id) WHERE full_name = 'Good' ORDER BY field;
SELECT field, value FROM fields.account_attribute;
SELECT field, value FROM fields.lead_attribute;
SELECT entity, changes -> 'attributes' -> 'new' -> 'children' AS children FROM fields.audit_log;

-- capture reads what forms send, by the bare name
SELECT status, reasons FROM fields.capture('default', '{"email": "cap@x.example", "nickname": " Cap ", "children": "4", "height": "1.75", "vip": "on",
	"birthday": "2000-01-01", "seen_at": "2026-02-01 10:00+00", "size": "L", "topics": ["b"], "tier": "silver", "seats": "25"}');
SELECT c.attributes AS contact, a.attributes AS account, l.attributes AS lead
FROM fields.contact c JOIN fields.account a USING (account_id) JOIN fields.lead l USING (contact_id) WHERE c.email::text = 'cap@x.example';
SELECT status, (SELECT jsonb_agg((r ->> 'field') || ': ' || (r ->> 'code')) FROM jsonb_array_elements(reasons) r) AS faults
FROM fields.capture('default', '{"email": "cap@x.example", "children": "four", "height": "x", "vip": "perhaps", "birthday": "1/32/2000",
	"seen_at": "never", "size": "XXL", "topics": ["z"], "tier": "tin", "seats": "1.5", "nickname": ["n"]}');
-- one of several choices by itself is a list of one, which stays valid
SELECT status FROM fields.capture('default', '{"email": "one@x.example", "topics": "b"}');
UPDATE fields.contact SET attributes = attributes || '{"children": 1}' WHERE email::text = 'one@x.example' RETURNING attributes;
-- later submissions add to what is known
SELECT status FROM fields.capture('default', '{"email": "cap@x.example", "children": "5", "vip": "", "size": null}');
SELECT attributes -> 'children' AS children, attributes -> 'vip' AS vip, attributes -> 'size' AS size, attributes -> 'nickname' AS nickname
FROM fields.contact WHERE email::text = 'cap@x.example';
-- under the policy of the form
INSERT INTO fields.form (form, contact_update, lead_update) VALUES ('fill', 'fill', 'fill'), ('keep', 'keep', 'keep');
SELECT contact_id AS fill_id FROM fields.capture('default', '{"email": "fill@x.example", "children": 1}') \gset
SELECT status FROM fields.capture('fill', '{"email": "fill@x.example", "children": 2, "height": 2}');
SELECT status FROM fields.capture('keep', '{"email": "fill@x.example", "children": 3, "vip": true}');
SELECT attributes FROM fields.contact WHERE contact_id = :fill_id;
-- the name of the entity in front tells which is meant
SELECT fields.define_field('lead', 'colour'), fields.define_field('contact', 'colour');
SELECT status FROM fields.capture('default', '{"email": "both@x.example", "lead.colour": "red", "contact.colour": "blue"}');
SELECT c.attributes AS contact, l.attributes AS lead FROM fields.contact c JOIN fields.lead l USING (contact_id) WHERE c.email::text = 'both@x.example';

-- required
SELECT fields.define_field('account', 'region', 'text', is_required => true);
INSERT INTO fields.account (name) VALUES ('No region');
INSERT INTO fields.account (name, attributes) VALUES ('Null region', '{"region": null}');
INSERT INTO fields.account (name, attributes) VALUES ('Region', '{"region": "north"}');
SELECT fields.define_field('account', 'region', 'text');
INSERT INTO fields.account (name) VALUES ('No region');
-- a form may require a custom attribute
INSERT INTO fields.form (form, required) VALUES ('asks', '{contact.children}');
SELECT status, reasons FROM fields.capture('asks', '{"email": "asked@x.example"}');
SELECT status FROM fields.capture('asks', '{"email": "asked@x.example", "children": 0}');

-- dropping hides, and keeps
SELECT fields.drop_field('contact', 'nickname');
SELECT count(*) FROM fields.contact_attribute WHERE field = 'nickname';
SELECT attributes -> 'nickname' AS still_there FROM fields.contact WHERE full_name = 'Good';
UPDATE fields.contact SET attributes = attributes || '{"children": 6}' WHERE full_name = 'Good';
SELECT attributes -> 'nickname' AS nickname, attributes -> 'children' AS children FROM fields.contact WHERE full_name = 'Good';
SELECT status FROM fields.capture('default', '{"email": "cap@x.example", "nickname": "Ignored"}');
SELECT attributes -> 'nickname' AS nickname FROM fields.contact WHERE email::text = 'cap@x.example';
SELECT fields.define_field('contact', 'nickname');
SELECT full_name, value FROM fields.contact_attribute JOIN fields.contact USING (contact_id) WHERE field = 'nickname' ORDER BY value;

-- an index that queries use
SELECT fields.index_field('contact', 'nickname');
SELECT fields.index_field('contact', 'nickname');
INSERT INTO fields.contact (full_name, attributes) SELECT 'n' || n, jsonb_build_object('nickname', 'nick' || n) FROM generate_series(1, 2000) n;
ANALYZE fields.contact;
EXPLAIN (COSTS off) SELECT full_name FROM fields.contact WHERE attributes ->> 'nickname' = 'nick77';
SELECT full_name FROM fields.contact WHERE attributes ->> 'nickname' = 'nick77';

-- rules may ask for attributes
INSERT INTO fields.scoring_rule (model, label, condition, points) VALUES
	('default', 'Many seats', '(lead_attributes ->> ''seats'')::integer >= 20', 30),
	('default', 'Very important', 'contact_attributes ->> ''vip'' = ''true''', 7),
	('default', 'Gold', 'account_attributes ->> ''tier'' = ''gold''', 3);
SELECT lead_id AS rule_lead FROM fields.capture('default', '{"email": "rule@gmail.com", "company": "Gold Inc", "tier": "gold", "seats": 20, "vip": true}') \gset
SELECT label, total FROM fields.explain_score(:rule_lead) WHERE part = 'fit' ORDER BY label;
SELECT fit FROM fields.lead_score WHERE lead_id = :rule_lead;
SELECT status FROM fields.capture('default', '{"email": "rule@gmail.com", "seats": "19"}');
SELECT label, total FROM fields.explain_score(:rule_lead) WHERE part = 'fit' ORDER BY label;
SELECT fit FROM fields.lead_score WHERE lead_id = :rule_lead;
-- a value a rule cannot compute is no point, and costs nobody anything
SELECT fields.define_field('lead', 'answer');
INSERT INTO fields.scoring_rule (model, label, condition, points) VALUES ('default', 'Divides', '(lead_attributes ->> ''answer'')::integer > 0', 5);
INSERT INTO fields.submission (payload) VALUES ('{"email": "x1@gmail.com", "answer": "not a number"}'), ('{"email": "x2@gmail.com", "answer": "42"}');
SELECT c.email, s.fit FROM fields.lead_score s JOIN fields.lead l USING (lead_id) JOIN fields.contact c USING (contact_id) WHERE c.email::text LIKE 'x_@gmail.com' ORDER BY 1;
-- a rule over a column that the profile no longer has is left out and named; captures go on
ALTER TABLE fields.scoring_rule DISABLE TRIGGER condition;
INSERT INTO fields.scoring_rule (model, label, condition, points) VALUES ('default', 'Vanished', 'no_such_column = 1', 1000);
ALTER TABLE fields.scoring_rule ENABLE TRIGGER condition;
SELECT status, lead_id AS late_lead FROM fields.capture('default', '{"email": "late@gmail.com", "vip": true}');
SELECT s.fit FROM fields.lead_score s JOIN fields.lead l USING (lead_id) JOIN fields.contact c USING (contact_id) WHERE c.email::text = 'late@gmail.com';
-- new ones of that kind are refused
\set VERBOSITY terse
INSERT INTO fields.scoring_rule (model, label, condition, points) VALUES ('default', 'Unknown', 'no_such_column = 1', 1);
INSERT INTO fields.scoring_rule (model, label, condition, points) VALUES ('default', 'No truth', 'employees + 1', 1);
INSERT INTO fields.scoring_rule (model, label, condition, points) VALUES ('default', 'Subquery', 'employees > (SELECT 1)', 1);
UPDATE fields.scoring_rule SET condition = 'nowhere IS NULL' WHERE label = 'Gold';
\set VERBOSITY default

SELECT lead_mgmt.drop_workspace('fields', 'fields');
