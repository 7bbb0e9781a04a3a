-- Conversion: who it is, what goes with it, all of it or nothing.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
\set SHOW_CONTEXT never
SELECT lead_mgmt.create_workspace('convert');
INSERT INTO convert.team (team) VALUES ('Sales');
INSERT INTO convert.agent (agent, team_id) VALUES ('Ann', 1);
INSERT INTO convert.campaign (campaign) VALUES ('spring');
SELECT convert.define_field('lead', 'seats', 'integer');
SELECT convert.define_field('lead', 'notes');
SELECT convert.define_field('lead', 'interests', 'choices', '{crm,erp}');
SELECT convert.define_field('contact', 'interests', 'choices', '{crm,erp,hr}');
SELECT convert.define_field('contact', 'remarks');
SELECT convert.define_field('account', 'seats', 'integer');
SELECT convert.define_field('opportunity', 'seats', 'integer');
SELECT convert.define_field('opportunity', 'seats_text');
-- the mapping is data (W-04), and checked
INSERT INTO convert.conversion_mapping (lead_field, entity, field, overwrites) VALUES
	('seats', 'opportunity', 'seats', false), ('seats', 'opportunity', 'seats_text', false), ('seats', 'account', 'seats', false),
	('interests', 'contact', 'interests', false), ('notes', 'contact', 'remarks', true);
INSERT INTO convert.conversion_mapping VALUES ('nothing', 'contact', 'remarks');
INSERT INTO convert.conversion_mapping VALUES ('seats', 'contact', 'nothing');
INSERT INTO convert.conversion_mapping VALUES ('notes', 'account', 'seats');
INSERT INTO convert.conversion_mapping VALUES ('interests', 'contact', 'remarks');
INSERT INTO convert.conversion_mapping VALUES ('seats', 'campaign', 'seats');

INSERT INTO convert.submission (payload) VALUES
	('{"email": "ann@acme.example", "full_name": "Ann Lee", "company": "Acme", "product": "CRM", "campaign": "spring", "channel": "email", "budget": 5000, "currency": "EUR", "consent_email": true, "seats": 7, "notes": "wants a demo", "interests": ["crm"], "kind": "demo_request"}'),
	('{"email": "ben@acme.example", "full_name": "Ben Ray", "company": "Acme", "product": "CRM"}'),
	('{"email": "cat@solo.example", "full_name": "Cat Eve"}'),
	('{"email": "dan@solo.example", "full_name": "Dan Fox"}');
UPDATE convert.contact SET attributes = '{"remarks": "old"}' WHERE email::text LIKE 'ann%';
UPDATE convert.lead SET stage = 'sales_acceptance', agent_id = 1 WHERE stage <> 'sales_acceptance';
INSERT INTO convert.task (subject, lead_id, due_at, state) VALUES ('Send contract', 1, '2099-01-01', 'open'), ('Called', 1, NULL, 'done');

-- with all that goes with it
SELECT * FROM convert.convert_lead(1, expected_close_on => '2099-12-31');
SELECT name, stage, status, amount, currency, contact_id, account_id, campaign_id, agent_id, expected_close_on, attributes FROM convert.opportunity;
SELECT attributes FROM convert.contact WHERE contact_id = 1;
SELECT attributes FROM convert.account WHERE account_id = 1;
SELECT subject, lead_id, opportunity_id, contact_id, account_id FROM convert.task ORDER BY task_id;
SELECT subject FROM convert.open_task WHERE opportunity_id = 1;
SELECT channel FROM convert.current_consent WHERE contact_id = 1;
SELECT kind, channel FROM convert.opportunity_touch WHERE opportunity_id = 1;
-- the lead stays readable, linked and read-only
SELECT lead_id, status, stage, full_name FROM convert.lead_board WHERE lead_id = 1;
SELECT event, title FROM convert.lead_timeline WHERE lead_id = 1 AND event = 'opportunity';
UPDATE convert.lead SET title = 'changed' WHERE lead_id = 1;
-- twice is an error that names the opportunity
SELECT convert.convert_lead(1);
-- the same opportunity is there already: join it, or tell it apart
SELECT convert.convert_lead(2);
SELECT convert.convert_lead(2, opportunity_id => 99);
SELECT convert.convert_lead(2, opportunity_id => 1);
INSERT INTO convert.opportunity (name, account_id) VALUES ('CRM for all of Acme', 1);
SELECT * FROM convert.convert_lead(2, opportunity_id => 2);
SELECT name, lead_id, contact_id, account_id, agent_id FROM convert.opportunity WHERE opportunity_id = 2;
-- an opportunity of somebody else, or closed
SELECT convert.convert_lead(3, opportunity_id => 1);
UPDATE convert.opportunity SET stage = 'lost', lost_reason = 'price' WHERE opportunity_id = 1;
SELECT convert.convert_lead(3, opportunity_id => 1);
-- of nobody's company
SELECT * FROM convert.convert_lead(3, 'Cat''s', 10, 'USD');
-- all of it or nothing: a lead in a stage that conversion cannot follow
INSERT INTO convert.lead (contact_name, email) VALUES ('Eve', 'eve@gmail.com') RETURNING lead_id AS early \gset
SELECT count(*) AS opportunities FROM convert.opportunity \gset
SELECT convert.convert_lead(:early, 'x');
SELECT count(*) = :opportunities AS none_made FROM convert.opportunity;
-- amounts that are none
\set VERBOSITY terse
SELECT convert.convert_lead(4, 'x', 'NaN');
SELECT convert.convert_lead(4, 'x', 1, 'dollars');
\set VERBOSITY default
SELECT convert.convert_lead(4, pipeline => 'marketing_sales');
SELECT convert.convert_lead(4, contact_id => 1);
SELECT convert.convert_lead(4, account_id => 99);
-- closed, merged away, unknown
SELECT status FROM convert.disqualify(4, 'spam');
SELECT convert.convert_lead(4);
INSERT INTO convert.lead (contact_name, email) VALUES ('Fay', 'fay@gmail.com'), ('Fay', 'fay@gmail.com');
SELECT max(lead_id) AS fay FROM convert.lead \gset
SELECT convert.merge_leads(:fay - 1, ARRAY[:fay]::bigint[]) > 0 AS merged;
SELECT convert.convert_lead(:fay);
SELECT convert.convert_lead(0);

-- only after acceptance, if the pipeline says so (D-67)
UPDATE convert.pipeline SET requires_acceptance = true WHERE pipeline = 'marketing_sales';
SELECT stage FROM convert.advance(:fay - 1, 'sales_acceptance');
SELECT convert.convert_lead(:fay - 1);
UPDATE convert.lead SET qualification = 'sales_accepted' WHERE lead_id = :fay - 1;
SELECT opportunity_id > 0 AS converted FROM convert.convert_lead(:fay - 1);
UPDATE convert.pipeline SET requires_acceptance = false;

-- leads that nobody was found for as they came: loaded as history
INSERT INTO convert.account (name) VALUES ('Zed GmbH');
INSERT INTO convert.contact (full_name, email, account_id) VALUES ('Gus Hall', 'gus@zed.example', (SELECT account_id FROM convert.account WHERE name = 'Zed GmbH')) RETURNING contact_id AS gus, account_id AS zed \gset
INSERT INTO convert.lead (contact_name, email, phone, company_name, product, stage, stage_entered_at) VALUES
	('Gus', 'gus@zed.example', NULL, 'Zed', 'A', 'sales_acceptance', '2024-01-01'),
	('Ida', 'ida@new.example', NULL, 'Newcomers', 'B', 'sales_acceptance', '2024-01-01'),
	('Ida', 'ida@new.example', NULL, 'Newcomers', 'C', 'sales_acceptance', '2024-01-01'),
	('Jon', NULL, '+442079460111', NULL, 'D', 'sales_acceptance', '2024-01-01'),
	('Kim Poe', NULL, '+442079460112', NULL, 'E', 'sales_acceptance', '2024-01-01'),
	('Lou', 'lou@twin.example', NULL, 'Twin', 'F', 'sales_acceptance', '2024-01-01');
SELECT max(lead_id) - 5 AS first FROM convert.lead \gset
INSERT INTO convert.interaction (lead_id, kind, channel, visitor) VALUES (:first + 1, 'page_view', 'website', 'v1');
-- known by e-mail address and name of the company
SELECT contact_id = :gus AS gus, account_id = :zed AS zed FROM convert.convert_lead(:first);
-- new, the second time known
SELECT contact_id, account_id FROM convert.convert_lead(:first + 1) \gset ida_
SELECT c.full_name, c.email, a.name FROM convert.contact c JOIN convert.account a USING (account_id) WHERE c.contact_id = :ida_contact_id AND account_id = :ida_account_id;
SELECT count(*) AS with_contact FROM convert.interaction WHERE visitor = 'v1' AND contact_id IS NOT NULL;
SELECT contact_id = :ida_contact_id AS same_contact, account_id = :ida_account_id AS same_account FROM convert.convert_lead(:first + 2);
SELECT contact_id, account_id IS NULL AS no_account FROM convert.convert_lead(:first + 3) \gset jon_
SELECT full_name, phone, :'jon_no_account' AS no_account FROM convert.contact WHERE contact_id = :jon_contact_id;
-- it may be one of several: an error that names them, unless told which
INSERT INTO convert.match_strategy (strategy, entity, label, when_several) VALUES ('by_name', 'contact', 'Contact by name', 'review');
SELECT convert.define_match_rule('by_name', '["full_name"]') > 0 AS ruled;
UPDATE convert.match_strategy SET is_default = true WHERE strategy = 'by_name';
INSERT INTO convert.contact (full_name) VALUES ('Kim Poe'), ('Kim Poe');
SELECT array_agg(contact_id ORDER BY contact_id) AS kims FROM convert.contact WHERE full_name = 'Kim Poe' \gset
SELECT convert.convert_lead(:first + 4);
SELECT convert.convert_lead(:first + 4, contact_id => 0);
SELECT contact_id = ANY (:'kims'::bigint[]) AS is_one_of_them FROM convert.convert_lead(:first + 4, contact_id => (SELECT max(contact_id) FROM convert.contact WHERE full_name = 'Kim Poe'));
-- the same of accounts: one by name, one by domain
INSERT INTO convert.account (name, domain) VALUES ('Twin', NULL), ('Other twin', 'twin.example');
SELECT convert.convert_lead(:first + 5);
SELECT account_id FROM convert.convert_lead(:first + 5, new_account => true, new_contact => true) \gset twin_
SELECT name FROM convert.account WHERE account_id = :twin_account_id;
SELECT count(*) AS named_twin FROM convert.account WHERE name = 'Twin';

SET client_min_messages = warning;
-- consent that came with a lead without contact becomes the contact's, once
SELECT lead_id AS agreed FROM convert.capture('default', '{"company": "Consenting", "consent_phone": true, "consent_email": true, "message": "call us"}') \gset
SELECT status FROM convert.capture('default', '{"company": "Consenting", "consent_phone": true}');
SELECT contact_id, lead_id = :agreed AS of_lead, channel FROM convert.consent WHERE lead_id IS NOT NULL ORDER BY channel;
SELECT convert.lead_card(:agreed) -> 'consent' AS consent;
UPDATE convert.lead SET stage = 'sales_acceptance', agent_id = 1, contact_name = 'Con Sent', email = 'con@consenting.example' WHERE lead_id = :agreed;
INSERT INTO convert.contact (full_name, email) VALUES ('Con Sent', 'con@consenting.example') RETURNING contact_id AS con \gset
INSERT INTO convert.consent (contact_id, channel, basis) VALUES (:con, 'email', 'contract');
SELECT contact_id = :con AS found FROM convert.convert_lead(:agreed, contact_id => :con);
SELECT contact_id = :con AS of_contact, lead_id = :agreed AS of_lead, channel, basis FROM convert.consent WHERE contact_id = :con OR lead_id = :agreed ORDER BY 1, 3;
SELECT lead_mgmt.drop_workspace('convert', 'convert');
