-- Strategies for leads and accounts: which lead a submission counts for, and which company it is of.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
\set SHOW_CONTEXT never
SELECT lead_mgmt.create_workspace('interest');
INSERT INTO interest.match_strategy (strategy, entity, label, when_several) VALUES
	('one', 'lead', 'One lead a contact', 'oldest'), ('product', 'lead', 'By product', 'newest'), ('page_and_product', 'lead', 'By page and product', 'newest');
SELECT count(interest.define_match_rule(strategy, conditions::jsonb)) FROM (VALUES
	('one', '["contact"]'),
	('product', '["contact", "product"]'),
	('product', '["contact", {"field": "title", "comparator": "jaro_winkler", "at_least": 0.8}]'),
	('page_and_product', '["contact", "page", {"field": "product", "when_blank": "match"}]')) AS r (strategy, conditions);
INSERT INTO interest.form (form) SELECT strategy FROM interest.match_strategy WHERE entity = 'lead' AND NOT is_default;
UPDATE interest.form_strategy SET strategy = form WHERE entity = 'lead' AND form IN (SELECT s.strategy FROM interest.match_strategy s WHERE s.entity = 'lead');
CREATE FUNCTION pg_temp.lead(form text, payload jsonb) RETURNS text LANGUAGE sql AS
	$$ SELECT CASE WHEN s.match ? 'lead' THEN 'rule ' || (s.match #>> '{lead,rule}') || ': ' ELSE 'new: ' END || lead_id FROM interest.capture(form, payload || '{"email": "al@gmail.com"}') s $$;

-- the default: the page, else the campaign, else the form
INSERT INTO interest.campaign (campaign) VALUES ('spring');
SELECT pg_temp.lead('default', '{"page": "a"}'), pg_temp.lead('default', '{"page": "b"}'), pg_temp.lead('default', '{"page": "a"}');
SELECT pg_temp.lead('default', '{"campaign": "spring"}'), pg_temp.lead('default', '{"campaign": "spring", "page": "a"}'), pg_temp.lead('default', '{"campaign": "spring"}');
SELECT pg_temp.lead('default', '{}'), pg_temp.lead('default', '{"page": "default"}');
-- one lead a contact: the oldest
SELECT pg_temp.lead('one', '{"page": "z"}'), pg_temp.lead('one', '{"product": "gold"}');
-- by product, however it is written, else by a similar title
SELECT pg_temp.lead('product', '{"product": "Đồng"}'), pg_temp.lead('product', '{"product": " DONG", "title": "Ten seats"}'), pg_temp.lead('product', '{"product": "Silver"}');
SELECT pg_temp.lead('product', '{"title": "Ten seat"}');
-- without either nothing tells, and each is new
SELECT pg_temp.lead('product', '{"title": "Other"}'), pg_temp.lead('product', '{}'), pg_temp.lead('product', '{}');
-- a blank product is a product like others
SELECT pg_temp.lead('page_and_product', '{"page": "q"}'), pg_temp.lead('page_and_product', '{"page": "q", "product": "x"}'), pg_temp.lead('page_and_product', '{"page": "q"}');
-- in one statement
INSERT INTO interest.submission (form, payload) SELECT 'product', jsonb_build_object('email', 'bo@gmail.com', 'product', p) FROM unnest('{Tin,Zinc,TIN}'::text[]) p;
SELECT product, context_key, interaction_count FROM interest.lead JOIN interest.contact c USING (contact_id) WHERE c.email::text = 'bo@gmail.com' ORDER BY 1;
SELECT lead_id, context_key, page, product, title, interaction_count FROM interest.lead JOIN interest.contact c USING (contact_id) WHERE c.email::text = 'al@gmail.com' ORDER BY 1;
-- a closed lead is never found: a known customer has a new one (D-36)
UPDATE interest.lead SET stage = 'disqualified', disqualified_reason = 'other' WHERE contact_id = 1;
SELECT pg_temp.lead('one', '{"page": "z"}'), pg_temp.lead('product', '{"product": "Silver"}');
-- what does not express interest counts for the latest
SELECT status FROM interest.capture('product', '{"email": "al@gmail.com", "product": "Iron", "kind": "page_view"}');
SELECT outcome, id = (SELECT max(lead_id) FROM interest.lead WHERE contact_id = 1) AS latest FROM interest.explain_match((SELECT max(submission_id) FROM interest.submission)) WHERE entity = 'lead';

-- accounts: by id, by domain, by name without its legal form
SELECT account_id AS acme FROM interest.capture('default', '{"email": "cy@gmail.com", "company": "Acme", "company_source_id": "7"}') \gset
SELECT account_id = :acme AS same FROM interest.capture('default', '{"email": "di@gmail.com", "company": "Another name", "company_source_id": "7"}');
-- by an id alone an account is found, but not made; sent again with a name, it is no duplicate
SELECT status, account_id = :acme AS same FROM interest.capture('default', '{"company_source_id": "7"}');
SELECT status, reasons, account_id, lead_id, interaction_id FROM interest.capture('default', '{"company_source_id": "8", "external_id": "e8"}');
SELECT status, account_id IS NOT NULL AS made FROM interest.capture('default', '{"company_source_id": "8", "company": "Eight", "external_id": "e8"}') e;
SELECT status, reasons, e.account_id = i.account_id AS same FROM interest.capture('default', '{"company_source_id": "8"}') e, interest.account_identity i WHERE i.kind = 'external' AND i.value = 'default:8';
SELECT status, interaction_id IS NOT NULL AS made FROM interest.capture('default', '{"company_source_id": "9", "visitor": "v9"}');
SELECT status, account_id FROM interest.capture('default', '{"company_source_id": "9", "email": "ed@gmail.com"}');
SELECT account_id = :acme AS same FROM interest.capture('default', '{"email": "ed@gmail.com", "company": "ACME GmbH & Co. KG"}');
SELECT account_id = :acme AS same FROM interest.capture('default', '{"email": "fy@gmail.com", "company": "another NAME Ltd."}');
SELECT account_id = :acme AS same FROM interest.capture('default', '{"email": "gi@acme.example", "company": "The Acme Company"}');
SELECT account_id = :acme AS same FROM interest.capture('default', '{"email": "ho@acme.example"}');
SELECT kind, value FROM interest.account_identity WHERE account_id = :acme ORDER BY 1, 2;
-- the domain decides before the name
SELECT account_id = :acme AS same FROM interest.capture('default', '{"email": "io@acme.example", "company": "Globex"}');
-- a rule of one's own: name and industry alike
INSERT INTO interest.match_strategy (strategy, entity, label) VALUES ('industry', 'account', 'Name and industry');
SELECT interest.define_match_rule('industry', '["company", {"field": "industry", "comparator": "jaro_winkler", "at_least": 0.9, "when_blank": "ignore"}]') IS NOT NULL AS done;
INSERT INTO interest.form (form) VALUES ('industry');
UPDATE interest.form_strategy SET strategy = 'industry' WHERE form = 'industry' AND entity = 'account';
SELECT account_id AS steel FROM interest.capture('industry', '{"email": "jo@gmail.com", "company": "Atlas", "industry": "steel"}') \gset
SELECT account_id = :steel AS same FROM interest.capture('industry', '{"email": "ki@gmail.com", "company": "Atlas", "industry": "Books"}');
SELECT account_id = :steel AS same FROM interest.capture('industry', '{"email": "lu@gmail.com", "company": "ATLAS Inc.", "industry": "Steal"}');
SELECT count(*), count(DISTINCT account_id) FROM interest.account_identity WHERE value = 'atlas';

-- accounts can be merged too: a name and a domain that turn out to be one company's
UPDATE interest.match_strategy SET when_several = 'merge' WHERE strategy = 'account_by_domain';
SELECT account_id AS initech FROM interest.capture('default', '{"email": "mo@gmail.com", "company": "Initech Ltd"}') \gset
SELECT account_id = :initech AS same FROM interest.capture('default', '{"email": "nu@initech.example"}');
SELECT account_id = :initech AS same, match -> 'account' AS match FROM interest.capture('default', '{"email": "oz@initech.example", "company": "INITECH"}');
SELECT name, domain, (SELECT count(*) FROM interest.contact c WHERE c.account_id = a.account_id) AS contacts FROM interest.account a WHERE account_id = :initech;
-- but not two that have a domain each
SELECT account_id = :initech AS same, match -> 'account' ->> 'kind' AS kind FROM interest.capture('default', '{"email": "pa@acme.example", "company": "Initech"}');
\set VERBOSITY terse
UPDATE interest.match_strategy SET when_several = 'review' WHERE strategy = 'account_by_domain';
\set VERBOSITY default

-- a lead entered by hand is linked by the default strategies
INSERT INTO interest.lead (email, company_name, contact_name) VALUES ('ed@gmail.com', 'Acme Inc', 'Ed');
SELECT c.email, l.account_id = :acme AS acme FROM interest.lead l JOIN interest.contact c USING (contact_id) WHERE lead_id = (SELECT max(lead_id) FROM interest.lead);
-- one loaded as history is not, but the view proposes whose it is
INSERT INTO interest.lead (contact_name, email, company_name, phone, pipeline, stage, stage_entered_at) VALUES
	('Al', 'al@gmail.com', NULL, NULL, 'marketing_sales', 'inquiry', '2020-01-01'), ('Nobody', NULL, 'ACME', '+442079460001', 'marketing_sales', 'inquiry', '2020-01-01');
SELECT u.contact_name, c.email, match_on, a.name FROM interest.unlinked_lead u LEFT JOIN interest.contact c ON c.contact_id = proposed_contact_id
	LEFT JOIN interest.account a ON a.account_id = proposed_account_id ORDER BY 1;
-- a lead written by hand has the context that a capture would have, and what comes later counts for it
INSERT INTO interest.campaign (campaign_id, campaign) VALUES (7001, 'hand');
INSERT INTO interest.contact (contact_id, email) VALUES (7001, 'hand@gmail.com');
INSERT INTO interest.account (account_id, name) VALUES (7001, 'Hand Works');
INSERT INTO interest.lead (lead_id, contact_id, page, campaign_id, context_key) VALUES
	(7001, 7001, 'one', NULL, NULL), (7002, 7001, NULL, 7001, NULL), (7003, 7001, 'three', NULL, 'mine'), (7004, 7001, NULL, NULL, NULL);
INSERT INTO interest.lead (lead_id, account_id, page) VALUES (7005, 7001, 'one');
INSERT INTO interest.lead (lead_id, contact_id, page, stage_entered_at) VALUES (7006, 7001, 'one', '2020-01-01');
INSERT INTO interest.lead (lead_id, email, page) VALUES (7007, 'hand@gmail.com', 'seven');
SELECT lead_id, contact_id, account_id, context_key FROM interest.lead WHERE lead_id > 7000 ORDER BY 1;
SELECT lead_id FROM interest.capture('default', '{"email": "hand@gmail.com", "page": "one"}');
SELECT lead_id FROM interest.capture('default', '{"email": "hand@gmail.com", "campaign": "hand"}');
SELECT lead_id FROM interest.capture('default', '{"company": "Hand Works", "page": "one"}');
SELECT lead_id FROM interest.capture('default', '{"email": "hand@gmail.com", "page": "seven"}');
-- there is one open lead of a context
\set VERBOSITY default
INSERT INTO interest.lead (contact_id, page) VALUES (7001, 'one');
INSERT INTO interest.lead (email, campaign_id) VALUES ('hand@gmail.com', 7001);
INSERT INTO interest.lead (account_id, page) VALUES (7001, 'one');
\set VERBOSITY terse
INSERT INTO interest.lead (contact_id, page, context_key) VALUES (7001, 'one', 'other') RETURNING context_key;
SELECT status FROM interest.disqualify(7001, 'other');
INSERT INTO interest.lead (contact_id, page) VALUES (7001, 'one') RETURNING context_key;
-- by the strategy of the form default
UPDATE interest.form_strategy SET strategy = 'product' WHERE form = 'default' AND entity = 'lead';
INSERT INTO interest.lead (contact_id, page, product) VALUES (7001, 'eight', 'Iron ') RETURNING context_key;
INSERT INTO interest.lead (contact_id, page, product) VALUES (7001, 'nine', 'IRON');
INSERT INTO interest.lead (contact_id, page, product) VALUES (7001, '', 'Lead') RETURNING context_key;
SELECT lead_mgmt.drop_workspace('interest', 'interest');
