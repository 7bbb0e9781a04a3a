-- Segments of leads, who comes and goes, and what suits them
SELECT lead_mgmt.create_workspace('crm') \gset
SET client_min_messages = warning;
SET search_path = crm, lead_mgmt, public;
\set VERBOSITY terse
INSERT INTO campaign (campaign) VALUES ('nurture') RETURNING campaign_id \gset
INSERT INTO segment (segment, label, condition, grades, campaign_id) VALUES
	('not yet', 'Leads not ready for sales', 'sales_ready_at IS NULL', NULL, :campaign_id),
	('cold gmail', 'Cold leads with a free address', 'email_is_free', '{cold}', NULL),
	('hot', 'Hot leads', 'true', '{hot}', NULL),
	('failing', 'A condition that fails', '1 / (interaction_count - 1) > 0', NULL, NULL),
	('off', 'Nobody', 'true', NULL, NULL);
UPDATE segment SET is_active = false WHERE segment = 'off';
SELECT lead_id FROM capture('default', '{"email": "a@gmail.com", "kind": "page_view"}') \gset a_
SELECT lead_id FROM capture('default', '{"email": "b@example.com", "kind": "page_view", "page": "x"}') \gset b_
SELECT segment, lead_id = :a_lead_id AS a, campaign_id IS NOT NULL AS nurtured FROM segment_member ORDER BY segment, lead_id;
SELECT refresh_segments();
SELECT refresh_segments();
-- a lead that becomes ready leaves with the statement that makes it so
INSERT INTO interaction (lead_id, kind) SELECT :a_lead_id, 'meeting' FROM generate_series(1, 4);
SELECT grade, is_sales_ready FROM lead_score WHERE lead_id = :a_lead_id AND model = 'default';
SELECT segment, lead_id = :a_lead_id AS a FROM segment_member ORDER BY segment, lead_id;
SELECT done, error FROM tick('refresh_segments');
SELECT segment, lead_id = :a_lead_id AS a, left_at IS NOT NULL AS has_left FROM segment_change JOIN segment USING (segment_id) ORDER BY segment, lead_id, segment_change_id;
-- in again
SELECT override_score(:a_lead_id, 0) \gset
SELECT segment FROM segment_member WHERE lead_id = :a_lead_id ORDER BY segment;
-- products by temperature
INSERT INTO product (product, unit_price) VALUES ('Trial', 0), ('Starter', 10), ('Suite', 5000), ('Old', 1);
UPDATE product SET is_active = false WHERE product = 'Old';
INSERT INTO segment_offer (segment_id, product_id, sequence) SELECT segment_id, product_id, CASE product WHEN 'Suite' THEN 1 ELSE 2 END
FROM (VALUES ('cold gmail', 'Starter'), ('cold gmail', 'Trial'), ('cold gmail', 'Old'), ('hot', 'Suite'), ('hot', 'Starter')) v (segment, product) JOIN segment USING (segment) JOIN product USING (product);
SELECT product, unit_price, segment FROM suggest_offers(:a_lead_id);
SELECT override_score(:a_lead_id, NULL) \gset
SELECT product, unit_price, segment FROM suggest_offers(:a_lead_id);
SELECT product FROM suggest_offers(:b_lead_id);
SELECT make_offers(format('lead_id = %s', :a_lead_id)::predicate, 'phone', 'Suite', requires_consent => false);
SELECT product FROM suggest_offers(:a_lead_id);
-- a closed lead is in none
SELECT status FROM disqualify(:b_lead_id, 'no need');
SELECT count(*) FROM segment_member WHERE lead_id = :b_lead_id;
-- what may not be
INSERT INTO segment (segment, label, condition) VALUES ('x', 'X', 'employes > 5');
INSERT INTO segment (segment, label, grades) VALUES ('x', 'X', '{}');
INSERT INTO segment (segment, label) VALUES ('hot', 'X');
INSERT INTO segment (segment, label, model) VALUES ('x', 'X', 'none');
-- custom attributes by name, reported when dropped
INSERT INTO field (entity, field, type) VALUES ('lead', 'team_size', 'integer');
INSERT INTO segment (segment, label, condition) VALUES ('large', 'Large teams', 'team_size > 10') RETURNING condition;
SELECT drop_field('lead', 'team_size') \gset
SELECT rule_table, label, problem FROM broken_rule;
RESET search_path;
SELECT lead_mgmt.drop_workspace('crm', 'crm');
