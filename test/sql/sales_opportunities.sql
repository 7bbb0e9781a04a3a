-- Opportunities: value, lines, mandatory stages, how they end.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
\set SHOW_CONTEXT never
\set VERBOSITY terse
SELECT lead_mgmt.create_workspace('deals');
INSERT INTO deals.contact (full_name, email) VALUES ('Nguyễn Thị Hoa', 'hoa@buyer.example'), ('Ben Doe', 'ben@buyer.example');
INSERT INTO deals.opportunity (contact_id, name, amount, expected_close_on) VALUES (1, 'First', 1000, '2020-01-01'), (2, 'Second', 200, NULL), (1, 'Third', NULL, NULL);

-- it begins with identifying the prospect (M-21); probability and weighted value follow the stage unless set (M-19)
SELECT name, stage, amount, currency, probability, weighted_value, is_late, lines FROM deals.opportunity_board ORDER BY 1;
UPDATE deals.opportunity SET probability = 55 WHERE name = 'Second';
SELECT name, probability, weighted_value FROM deals.opportunity_board ORDER BY 1;
SELECT stage, opportunities, value, weighted_value FROM deals.pipeline_value ORDER BY sequence;
INSERT INTO deals.opportunity (name, stage) VALUES ('x', 'proposal');
UPDATE deals.opportunity SET amount = 'NaN' WHERE name = 'First';
UPDATE deals.opportunity SET amount = 'infinity' WHERE name = 'First';
UPDATE deals.opportunity SET probability = 101 WHERE name = 'First';
UPDATE deals.opportunity SET currency = 'euro' WHERE name = 'First';

-- lines: the amount follows them
INSERT INTO deals.product (product, unit_price, currency) VALUES ('seat', 9.9999, 'USD'), ('consulting', NULL, 'USD'), ('box', 10, 'EUR'), ('old', 1, 'USD');
UPDATE deals.product SET is_active = false WHERE product = 'old';
INSERT INTO deals.opportunity_line (opportunity_id, product_id, quantity, discount) VALUES (1, 1, 3, 0), (1, 1, 10, 12.5) RETURNING unit_price, currency, amount;
SELECT amount FROM deals.opportunity WHERE opportunity_id = 1;
INSERT INTO deals.opportunity_line (opportunity_id, product_id, unit_price) VALUES (1, 2, 1500.5) RETURNING amount;
UPDATE deals.opportunity_line SET quantity = 1 WHERE quantity = 3;
SELECT amount, amount = (SELECT sum(amount) FROM deals.opportunity_line) AS is_their_total FROM deals.opportunity WHERE opportunity_id = 1;
UPDATE deals.opportunity SET amount = 5 WHERE opportunity_id = 1;
UPDATE deals.opportunity SET currency = 'EUR' WHERE opportunity_id = 1;
UPDATE deals.opportunity SET amount = amount, name = 'First, renamed' WHERE opportunity_id = 1;
-- lines of several opportunities in one statement
INSERT INTO deals.opportunity_line (opportunity_id, product_id) VALUES (2, 1), (3, 1), (2, 1);
SELECT opportunity_id, amount FROM deals.opportunity ORDER BY 1;
DELETE FROM deals.opportunity_line WHERE opportunity_id IN (2, 3);
SELECT opportunity_id, amount FROM deals.opportunity ORDER BY 1;
UPDATE deals.opportunity SET amount = 200 WHERE opportunity_id = 2;
-- what no line may be
INSERT INTO deals.opportunity_line (opportunity_id, product_id) VALUES (1, 99);
INSERT INTO deals.opportunity_line (opportunity_id, product_id) VALUES (99, 1);
INSERT INTO deals.opportunity_line (opportunity_id, product_id, quantity) VALUES (1, 1, -1);
INSERT INTO deals.opportunity_line (opportunity_id, product_id, quantity) VALUES (1, 1, 'NaN');
INSERT INTO deals.opportunity_line (opportunity_id, product_id, unit_price) VALUES (1, 1, 'NaN');
INSERT INTO deals.opportunity_line (opportunity_id, product_id, discount) VALUES (1, 1, 101);
INSERT INTO deals.opportunity_line (opportunity_id, product_id) VALUES (1, 2);
INSERT INTO deals.opportunity_line (opportunity_id, product_id) VALUES (1, 3);
INSERT INTO deals.opportunity_line (opportunity_id, product_id) VALUES (1, 4);
INSERT INTO deals.opportunity_line (opportunity_id, product_id, currency) VALUES (1, 1, 'EUR');
INSERT INTO deals.opportunity_line (opportunity_id, product_id, quantity, unit_price) VALUES (1, 1, 99999999999999, 99999999999999);
UPDATE deals.opportunity_line SET opportunity_id = 2 WHERE opportunity_id = 1;
SELECT count(*) AS lines FROM deals.opportunity_line;
-- ten thousand of them
INSERT INTO deals.opportunity_line (opportunity_id, product_id, quantity) SELECT 3, 1, n FROM generate_series(1, 10000) n;
SELECT o.amount, o.amount = (SELECT sum(l.amount) FROM deals.opportunity_line l WHERE l.opportunity_id = 3) AS is_their_total FROM deals.opportunity o WHERE opportunity_id = 3;
UPDATE deals.opportunity_line SET discount = 10 WHERE opportunity_id = 3;
SELECT o.amount, b.lines FROM deals.opportunity o JOIN deals.opportunity_board b USING (opportunity_id) WHERE opportunity_id = 3;

-- a complete process (M-20): mandatory stages are visited, or waived with a reason
SELECT stage, is_mandatory FROM deals.stage WHERE pipeline = 'sales' ORDER BY sequence;
INSERT INTO deals.stage_transition (pipeline, from_stage, to_stage) VALUES ('sales', 'identify', 'won'), ('sales', 'proposal', 'won');
SELECT stage FROM deals.advance_opportunity(1, 'won');
SELECT stage FROM deals.advance_opportunity(1, 'proposal', 'asked for it');
UPDATE deals.opportunity SET stage = 'won' WHERE opportunity_id IN (1, 2);
SELECT deals.waive_stage(1, 'negotiation', '');
SELECT deals.waive_stage(1, 'negotiation', NULL);
SELECT deals.waive_stage(1, 'won', 'x');
SELECT deals.waive_stage(1, 'nowhere', 'x');
SELECT deals.waive_stage(99, 'negotiation', 'x');
SELECT deals.waive_stage(1, 'negotiation', 'list price');
SELECT deals.waive_stage(1, 'negotiation', 'list price, no discount');
SELECT stage, status FROM deals.advance_opportunity(1, 'won', 'signed');
SELECT opportunity_id, stage, reason FROM deals.stage_waiver;
SELECT customer_since IS NOT NULL AS is_customer FROM deals.contact ORDER BY contact_id;
SELECT deals.advance_opportunity(99, 'won');
-- one loaded as history is not asked for what was before
INSERT INTO deals.opportunity (contact_id, name, stage, stage_entered_at) VALUES (2, 'From the old system', 'negotiation', '2024-01-01') RETURNING opportunity_id AS old \gset
SELECT status FROM deals.advance_opportunity(:old, 'won');

-- it ends won or lost (M-22), lost for a reason
SELECT deals.advance_opportunity(2, 'lost');
SELECT deals.advance_opportunity(2, 'lost', '');
SELECT deals.advance_opportunity(2, 'lost', 'too dear');
SELECT status, lost_reason FROM deals.advance_opportunity(2, 'lost', 'price');
INSERT INTO deals.opportunity (contact_id, name) VALUES (2, 'Fourth');
UPDATE deals.opportunity SET stage = 'lost', lost_reason = 'no budget' WHERE name = 'Fourth' RETURNING status, lost_reason;
SELECT name, status, probability, weighted_value FROM deals.opportunity_board ORDER BY opportunity_id;
-- and stays as it was, but for whom it belongs to and the contract (M-10)
UPDATE deals.opportunity SET amount = 1 WHERE opportunity_id = 2;
UPDATE deals.opportunity SET closed_at = '2020-01-01' WHERE opportunity_id = 1;
UPDATE deals.opportunity SET stage = 'proposal' WHERE opportunity_id = 1;
UPDATE deals.opportunity SET lost_reason = 'other' WHERE opportunity_id = 2;
INSERT INTO deals.opportunity_line (opportunity_id, product_id) VALUES (1, 1);
UPDATE deals.opportunity_line SET quantity = 2 WHERE opportunity_id = 1;
DELETE FROM deals.opportunity_line WHERE opportunity_id = 1;
SELECT deals.waive_stage(1, 'proposal', 'x');
UPDATE deals.opportunity SET contract_reference = 'C-7', contract_on = '2021-08-01', contract_amount = 1234.5 WHERE opportunity_id = 1;
SELECT contract_reference, contract_on, contract_amount, amount FROM deals.opportunity_board WHERE opportunity_id = 1;
-- until it is reopened
SELECT status FROM deals.reopen_opportunity(2, 'they called back');
UPDATE deals.opportunity SET amount = 150 WHERE opportunity_id = 2 RETURNING stage, status, lost_reason, closed_at;
SELECT rule, reason FROM deals.stage_history WHERE opportunity_id = 2 ORDER BY stage_move_id DESC LIMIT 1;
-- deleting it takes its lines with it
DELETE FROM deals.opportunity WHERE opportunity_id = 1;
SELECT count(*) AS lines FROM deals.opportunity_line WHERE opportunity_id = 1;

-- custom attributes
SELECT deals.define_field('opportunity', 'competitor');
SELECT deals.define_field('opportunity', 'seats', 'integer');
UPDATE deals.opportunity SET attributes = '{"competitor": "Acme", "seats": 5}' WHERE opportunity_id = 3;
UPDATE deals.opportunity SET attributes = '{"seats": "many"}' WHERE opportunity_id = 3;
UPDATE deals.opportunity SET attributes = '{"nothing": 1}' WHERE opportunity_id = 3;
INSERT INTO deals.opportunity (name, attributes) VALUES ('x', '{"nothing": 1}');
-- a payload does not reach them
SELECT status, lead_id IS NOT NULL AS has_lead FROM deals.capture('default', '{"email": "z@buyer.example", "competitor": "Acme", "opportunity.seats": 4}');
SELECT count(*) AS kept FROM deals.lead WHERE attributes <> '{}';
SET client_min_messages = warning;
SELECT lead_mgmt.drop_workspace('deals', 'deals');
