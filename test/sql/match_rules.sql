-- Match strategies as rows: what may be defined, how rules find people, what clients write.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
\set SHOW_CONTEXT never
SELECT lead_mgmt.create_workspace('rules');
SELECT strategy, entity, when_several, update_policy, is_default FROM rules.match_strategy ORDER BY 1;
SELECT strategy, sequence, field, comparator, is_exception FROM rules.match_rule JOIN rules.match_condition USING (match_rule_id) ORDER BY 1, 2, 5, 3;
SELECT * FROM lead_mgmt.match_comparators();
SELECT entity, count(*) AS fields, count(*) FILTER (WHERE makes_key) AS keys FROM lead_mgmt.match_fields() GROUP BY 1 ORDER BY 1;

-- a new form has the defaults
INSERT INTO rules.form (form) VALUES ('shop'), ('names');
SELECT * FROM rules.form_strategy WHERE form = 'shop' ORDER BY entity;

-- what cannot be defined
\set VERBOSITY terse
INSERT INTO rules.match_strategy (strategy, entity, label) VALUES ('', 'contact', 'Nameless');
INSERT INTO rules.match_strategy (strategy, entity, label) VALUES ('x', 'campaign', 'No such entity');
INSERT INTO rules.match_strategy (strategy, entity, label, match_probability, review_probability) VALUES ('x', 'contact', 'x', 0.5, 0.9);
INSERT INTO rules.match_strategy (strategy, entity, label, match_probability) VALUES ('x', 'contact', 'x', 1.5);
INSERT INTO rules.match_strategy (strategy, entity, label, when_several) VALUES ('x', 'lead', 'x', 'review');
INSERT INTO rules.match_strategy (strategy, entity, label, is_default, is_active) VALUES ('x', 'contact', 'x', true, false);
\set VERBOSITY default
INSERT INTO rules.match_strategy (strategy, entity, label, when_several) VALUES ('by_name', 'contact', 'By name', 'oldest');
SELECT rules.define_match_rule('nothing', '["email"]');
SELECT rules.define_match_rule('by_name', NULL);
SELECT rules.define_match_rule('by_name', '[]');
SELECT rules.define_match_rule('by_name', '{"field": "email"}');
SELECT rules.define_match_rule('by_name', '[{"feld": "email"}]');
SELECT rules.define_match_rule('by_name', '[{"field": null}]');
SELECT rules.define_match_rule('by_name', '[{"field": "email", "except": "yes"}]');
SELECT rules.define_match_rule('by_name', '[{"field": "given_name", "comparator": "jaro_winkler", "at_least": "0.9"}]');
SELECT rules.define_match_rule('by_name', '["phone", "email", {"field": "email", "comparator": "exact", "except": true}]');
SELECT rules.define_match_rule('contact_by_email', '["city"]', NULL, 20);
SELECT rules.define_match_rule('by_name', '["emali"]');
SELECT rules.define_match_rule('by_name', '["attributes.vip"]');
SELECT rules.define_match_rule('by_name', '["company"]');
SELECT rules.define_match_rule('by_name', '[{"field": "given_name", "comparator": "soundex"}]');
SELECT rules.define_match_rule('by_name', '[{"field": "given_name", "comparator": "jaro_winkler"}]');
SELECT rules.define_match_rule('by_name', '[{"field": "given_name", "comparator": "jaro_winkler", "at_least": 0}]');
SELECT rules.define_match_rule('by_name', '[{"field": "given_name", "comparator": "jaro_winkler", "at_least": 1.1}]');
SELECT rules.define_match_rule('by_name', '[{"field": "given_name", "comparator": "jaro_winkler", "at_least": 0.9}]');
SELECT rules.define_match_rule('by_name', '[{"field": "email", "at_least": 0.9}]');
SELECT rules.define_match_rule('by_name', '[{"field": "email", "when_blank": "ignore"}]');
SELECT rules.define_match_rule('by_name', '[{"field": "email", "when_blank": "maybe"}]');
SELECT rules.define_match_rule('by_name', '[{"field": "email", "comparator": "differs", "when_blank": "ignore"}, "phone"]');
SELECT rules.define_match_rule('by_name', '[{"field": "email", "except": true}]');
SELECT rules.define_match_rule('by_name', '[{"field": "city", "comparator": "email_key"}]');
SELECT rules.define_match_rule('by_name', '[{"field": "visitor", "comparator": "differs"}]');
SELECT rules.define_match_rule('by_name', '["given_name", "family_name", "city", "region", "postal_code", "country", "street", "language", "job_title"]');
SELECT rules.define_match_rule('lead_by_email_and_page', '["page"]');
INSERT INTO rules.match_condition (match_rule_id, field) VALUES (999, 'email');
-- nor used without rules
INSERT INTO rules.form_strategy VALUES ('names', 'contact', 2, 'by_name');
INSERT INTO rules.form_strategy VALUES ('names', 'lead', 2, 'by_name');
SELECT * FROM rules.match_contact('{"email": "a@b.example"}', 'by_name');
UPDATE rules.match_strategy SET is_default = true WHERE strategy = 'by_name';

-- there is always one default, with rules
DELETE FROM rules.match_strategy WHERE strategy = 'contact_by_email';
UPDATE rules.match_strategy SET is_default = false WHERE strategy = 'contact_by_email';
\set VERBOSITY terse
UPDATE rules.match_strategy SET is_active = false WHERE strategy = 'contact_by_email';
\set VERBOSITY default
DELETE FROM rules.match_rule WHERE strategy = 'contact_by_email';
DELETE FROM rules.match_condition USING rules.match_rule r WHERE r.match_rule_id = match_condition.match_rule_id AND strategy = 'lead_by_email_and_page';
UPDATE rules.match_rule SET is_active = false WHERE strategy = 'account_by_domain';

-- people who are there already, and a rule that comes later
SELECT contact_id FROM rules.capture('default', '{"email": "ann@x.example", "name": "Ann Lee", "zip": "12345"}');
SELECT contact_id FROM rules.capture('default', '{"email": "rob@x.example", "name": "Robert Lee", "zip": "12345-6789"}');
INSERT INTO rules.contact (given_name, family_name, postal_code) VALUES ('Eve', 'Lee', '12345'), ('Eva', 'Nguyễn', '700 000'), ('Eva', NULL, '12345');
SELECT rules.define_match_rule('by_name', '["family_name", "postal_code", {"field": "given_name", "comparator": "given_name"}]', 'Family and postal code, short names alike');
SELECT rules.define_match_rule('by_name', '[{"field": "family_name", "comparator": "phonetic"}, "postal_code", {"field": "given_name", "comparator": "jaro_winkler", "at_least": 0.85}]', 'Sounding alike');
SELECT * FROM rules.identity_kind ORDER BY 1, 2;
SELECT kind, value, holder, contact_id FROM rules.contact_identity WHERE kind LIKE 'family%' ORDER BY 1, 2, 3;
UPDATE rules.form_strategy SET strategy = 'by_name' WHERE form = 'names' AND entity = 'contact';
SELECT contact_id FROM rules.capture('names', '{"name": "Bob Lee", "zip": "12345"}');
SELECT contact_id FROM rules.capture('names', '{"name": "Ann LÉE", "zip": "12345"}');
SELECT contact_id FROM rules.capture('names', '{"given_name": "Eve", "family_name": "Leigh", "zip": "12345"}');
-- composed or decomposed, with marks or without
SELECT contact_id FROM rules.capture('names', jsonb_build_object('given_name', 'Eva', 'family_name', U&'Nguye\0302\0303n', 'zip', '700000'));
SELECT contact_id FROM rules.capture('names', '{"given_name": "EVA", "family_name": "nguyen", "zip": "700 000"}');
-- somebody new of the same name, found from then on
SELECT contact_id FROM rules.capture('names', '{"name": "Zed Lee", "zip": "12345"}');
SELECT contact_id FROM rules.capture('names', '{"name": "Zed Lee", "zip": "12345"}');
-- a blank never matches, and a name alone is nobody
SELECT contact_id FROM rules.capture('names', '{"given_name": "Eva", "zip": "12345", "phone": "+442079460001"}');
SELECT status, reasons -> 0 ->> 'code' AS code FROM rules.capture('names', '{"name": "Zed Lee"}');
-- several in one statement
INSERT INTO rules.submission (form, payload) VALUES ('names', '{"name": "Una Vu", "zip": "1"}'), ('names', '{"name": "Ula Vu", "zip": "1"}'),
	('names', '{"name": "Una Vu", "zip": "1"}'), ('names', '{"name": "Ann Lee", "zip": "12345"}');
SELECT dense_rank() OVER (ORDER BY contact_id) AS person, payload ->> 'name' AS name FROM rules.submission ORDER BY submission_id DESC LIMIT 4;

-- why
SELECT entity, outcome, strategy, rule_label, field, comparator, given, stored, similarity, holds
FROM rules.explain_match((SELECT min(submission_id) FROM rules.submission WHERE payload ->> 'family_name' = 'Leigh'));
SELECT * FROM rules.explain_match(0);
-- is this somebody we know?
SELECT contact_id, probability, outcome, strategy, explanation FROM rules.match_contact('{"name": "Bobby Lee", "zip": "12345"}', 'by_name');
SELECT contact_id, probability, outcome, rule FROM rules.match_contact('{"email": "ANN@x.example", "employees": "lots"}');
SELECT contact_id FROM rules.match_contact('{"email": "not an address"}');
SELECT contact_id FROM rules.match_contact('{}');
SELECT rules.contact_exists('{"email": "ann@x.example"}') AS yes, rules.contact_exists('{"email": "nobody@x.example"}') AS no, rules.contact_exists('{"visitor": "v"}') AS visitor;
SELECT * FROM rules.match_contact('[1]');
SELECT * FROM rules.match_contact(NULL);
SELECT * FROM rules.match_contact('{"email": "ann@x.example"}', 'nothing');
SELECT * FROM rules.match_contact('{"email": "ann@x.example"}', '');
SELECT * FROM rules.match_contact('{"email": "ann@x.example"}', 'lead_by_email_and_page');

-- the identity follows what clients write
UPDATE rules.contact SET family_name = 'Li' WHERE given_name = 'Eve';
INSERT INTO rules.contact (full_name, postal_code) VALUES ('Tom Li', '12345');
SELECT kind, value, holder = 0 AS first, full_name FROM rules.contact_identity JOIN rules.contact USING (contact_id) WHERE value LIKE 'li|%' ORDER BY 1, 2, 3 DESC;
UPDATE rules.contact SET postal_code = NULL WHERE full_name = 'Tom Li';
SELECT count(*) FROM rules.contact_identity JOIN rules.contact USING (contact_id) WHERE full_name = 'Tom Li';
-- and what captures change
SELECT status FROM rules.capture('default', '{"email": "tom@x.example", "name": "Tom Day", "zip": "9"}');
SELECT status FROM rules.capture('default', '{"email": "tom@x.example", "name": "Tom Night"}');
SELECT kind, value FROM rules.contact_identity JOIN rules.contact USING (contact_id) WHERE email::text = 'tom@x.example' ORDER BY 1;

-- a rule with an exception; an e-mail address by its mailbox; a custom attribute
SELECT rules.define_field('contact', 'member_number');
INSERT INTO rules.match_strategy (strategy, entity, label) VALUES ('members', 'contact', 'Members');
SELECT rules.define_match_rule('members', '["attributes.member_number", {"field": "country", "comparator": "differs", "except": true}]');
SELECT rules.define_match_rule('members', '[{"field": "email", "comparator": "email_key"}]');
UPDATE rules.form_strategy SET strategy = 'members' WHERE form = 'shop' AND entity = 'contact';
SELECT contact_id AS member FROM rules.capture('default', '{"email": "mia.may+news@gmail.com", "member_number": "M-1", "country": "VN"}') \gset
SELECT contact_id = :member AS same FROM rules.capture('shop', '{"email": "other@x.example", "member_number": "m-1"}');
SELECT contact_id = :member AS same FROM rules.capture('shop', '{"email": "third@x.example", "member_number": "m-1", "country": "US"}');
SELECT contact_id = :member AS same FROM rules.capture('shop', '{"email": "miamay@googlemail.com"}');
SELECT kind, value FROM rules.contact_identity WHERE contact_id = :member ORDER BY 1, 2;
-- strategies in order: the first that finds somebody decides
INSERT INTO rules.form_strategy VALUES ('shop', 'contact', 2, 'contact_by_email');
SELECT contact_id FROM rules.capture('shop', '{"phone": "+442079460001", "member_number": "M-9"}');
SELECT rule FROM rules.match_contact('{"visitor": "v1"}');
SELECT DISTINCT strategy FROM rules.explain_match((SELECT max(submission_id) FROM rules.submission)) WHERE entity = 'contact';
-- a dropped attribute breaks the rule, not the captures
SELECT rules.drop_field('contact', 'member_number');
SELECT contact_id = :member AS same FROM rules.capture('shop', '{"email": "miamay@gmail.com"}');
SELECT count(*) FROM rules.contact_identity WHERE kind = 'attributes.member_number';
SELECT rules.define_field('contact', 'member_number');
SELECT count(*) FROM rules.contact_identity WHERE kind = 'attributes.member_number';

-- blanks: ignored, or values like others
INSERT INTO rules.match_strategy (strategy, entity, label) VALUES ('blanks', 'contact', 'Blanks');
SELECT rules.define_match_rule('blanks', '["job_title", {"field": "city", "when_blank": "match"}, {"field": "region", "when_blank": "ignore"}]');
SELECT kind FROM rules.identity_kind WHERE kind LIKE 'job_title%';
INSERT INTO rules.contact (full_name, job_title, city, region) VALUES ('One', 'Baker', NULL, 'North'), ('Two', 'Baker', 'Hue', 'North');
SELECT full_name FROM rules.match_contact('{"job_title": "baker"}', 'blanks') JOIN rules.contact USING (contact_id);
SELECT full_name FROM rules.match_contact('{"job_title": "baker", "city": "Huế"}', 'blanks') JOIN rules.contact USING (contact_id);
SELECT full_name FROM rules.match_contact('{"job_title": "baker", "city": "Hue", "region": "south"}', 'blanks') JOIN rules.contact USING (contact_id);
SELECT full_name FROM rules.match_contact('{"city": "Hue"}', 'blanks') JOIN rules.contact USING (contact_id);

-- values of any length and script
INSERT INTO rules.contact (given_name, family_name, postal_code) VALUES (repeat('a', 10000), repeat('b ', 5000), '77'), ('山田', '太郎', '〒100-0001');
SELECT left(value, 10) AS value, length(value) FROM rules.contact_identity WHERE kind = 'family_name+postal_code' AND length(value) > 50;
SELECT count(*) FROM rules.match_contact(jsonb_build_object('given_name', repeat('a', 2000), 'family_name', repeat('b ', 1000), 'zip', '77'), 'by_name');
SELECT given_name, family_name FROM rules.match_contact('{"given_name": "山田", "family_name": "太郎", "zip": "100-0001"}', 'by_name') JOIN rules.contact USING (contact_id);

-- many who share a value: no more than 64 are kept, and looked at
INSERT INTO rules.contact (given_name, family_name, postal_code) SELECT 'Given' || chr(97 + n % 26) || n, 'Crowd', '5' FROM generate_series(1, 200) n;
SELECT count(*) FROM rules.contact_identity WHERE value = 'crowd|5';
SELECT status FROM rules.capture('names', '{"given_name": "Somebody", "family_name": "Crowd", "zip": "5"}');
SELECT count(*) FROM rules.contact_identity WHERE value = 'crowd|5';

-- rules that go take their identity rows with them, the rest stays
DELETE FROM rules.form_strategy WHERE strategy IN ('by_name', 'members');
DELETE FROM rules.match_strategy WHERE strategy IN ('by_name', 'members', 'blanks');
SELECT * FROM rules.identity_kind ORDER BY 1, 2;
SELECT kind, count(*) FROM rules.contact_identity GROUP BY 1 ORDER BY 1;
-- a form without strategies of its own uses the default
SELECT contact_id FROM rules.capture('names', '{"email": "ann@x.example"}');

-- who may not see a contact may be told that there is one
CREATE ROLE regress_match_sales;
SELECT rules.grant_access('regress_match_sales', 'sales');
ALTER TABLE rules.contact ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON rules.contact TO regress_match_sales USING (email::text <> 'ann@x.example');
SET ROLE regress_match_sales;
SELECT count(*) FROM rules.match_contact('{"email": "ann@x.example"}');
SELECT count(*) FROM rules.match_contact('{"email": "rob@x.example"}');
SELECT rules.contact_exists('{"email": "ann@x.example"}');
SELECT count(*) > 0 AS explained FROM rules.explain_match(1);
\set VERBOSITY terse
SELECT rules.define_match_rule('contact_by_email', '["city"]');
SELECT rules.accept_match(1);
SELECT rules.refresh_identity();
\set VERBOSITY default
RESET ROLE;

SELECT lead_mgmt.drop_workspace('rules', 'rules');
DROP ROLE regress_match_sales;
