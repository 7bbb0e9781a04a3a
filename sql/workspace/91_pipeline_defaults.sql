-- The pipelines that every workspace begins with.

INSERT INTO @workspace@.pipeline (pipeline, entity, label, is_default, completeness_fields) VALUES
	('marketing_sales', 'lead', 'Marketing and sales', true, '{full_name,email,phone,company,country,product}'),
	('sales', 'opportunity', 'Opportunities', true, '{}');

INSERT INTO @workspace@.stage (pipeline, stage, sequence, label, kind, role, probability) VALUES
	('marketing_sales', 'inquiry', 10, 'Inquiry', 'entry', NULL, NULL),
	('marketing_sales', 'marketing_qualification', 20, 'Marketing qualification', 'open', 'scored', NULL),
	('marketing_sales', 'teleprospect_acceptance', 30, 'Teleprospect acceptance', 'open', 'teleprospect_ready', NULL),
	('marketing_sales', 'teleprospect_qualification', 40, 'Teleprospect qualification', 'open', NULL, NULL),
	('marketing_sales', 'sales_acceptance', 50, 'Sales acceptance', 'open', 'sales_ready', NULL),
	('marketing_sales', 'converted', 90, 'Converted', 'won', NULL, NULL),
	('marketing_sales', 'disqualified', 99, 'Disqualified', 'lost', NULL, NULL),
	('sales', 'identify', 10, 'Identify the prospect', 'entry', NULL, 10),
	('sales', 'proposal', 20, 'Proposal', 'open', NULL, 40),
	('sales', 'negotiation', 30, 'Negotiation', 'open', NULL, 70),
	('sales', 'won', 90, 'Won', 'won', NULL, 100),
	('sales', 'lost', 99, 'Lost', 'lost', NULL, 0);

UPDATE @workspace@.stage SET is_mandatory = true
	WHERE pipeline = 'sales' AND stage IN ('identify', 'proposal', 'negotiation');
UPDATE @workspace@.stage SET requires_link = true WHERE pipeline = 'marketing_sales' AND stage = 'inquiry';
UPDATE @workspace@.stage SET moves_when_complete = true
	WHERE pipeline = 'marketing_sales' AND stage IN ('teleprospect_acceptance', 'teleprospect_qualification');
UPDATE @workspace@.stage SET task = 'Accept or reject the lead'
	WHERE pipeline = 'marketing_sales' AND stage = 'teleprospect_acceptance';
UPDATE @workspace@.stage SET team_kind = CASE stage WHEN 'sales_acceptance' THEN 'sales' ELSE 'telesales' END
	WHERE pipeline = 'marketing_sales' AND stage IN ('teleprospect_acceptance', 'teleprospect_qualification', 'sales_acceptance');

INSERT INTO @workspace@.stage_transition (pipeline, from_stage, to_stage, kind) VALUES
	('marketing_sales', 'inquiry', 'marketing_qualification', 'next'),
	('marketing_sales', 'marketing_qualification', 'teleprospect_acceptance', 'next'),
	('marketing_sales', 'marketing_qualification', 'sales_acceptance', 'skip'),
	('marketing_sales', 'teleprospect_acceptance', 'teleprospect_qualification', 'next'),
	('marketing_sales', 'teleprospect_acceptance', 'sales_acceptance', 'skip'),
	('marketing_sales', 'teleprospect_qualification', 'sales_acceptance', 'next'),
	('marketing_sales', 'sales_acceptance', 'converted', 'next'),
	('marketing_sales', 'inquiry', 'disqualified', 'any'),
	('marketing_sales', 'marketing_qualification', 'disqualified', 'any'),
	('marketing_sales', 'teleprospect_acceptance', 'disqualified', 'any'),
	('marketing_sales', 'teleprospect_qualification', 'disqualified', 'any'),
	('marketing_sales', 'sales_acceptance', 'disqualified', 'any'),
	('sales', 'identify', 'proposal', 'next'),
	('sales', 'proposal', 'negotiation', 'next'),
	('sales', 'negotiation', 'won', 'next'),
	('sales', 'identify', 'lost', 'any'),
	('sales', 'proposal', 'lost', 'any'),
	('sales', 'negotiation', 'lost', 'any');

INSERT INTO @workspace@.required_field (pipeline, stage, field, fallback_field) VALUES
	('marketing_sales', 'converted', 'email', 'phone');

INSERT INTO @workspace@.stage_step (pipeline, stage, step, sequence, label, kind, is_acceptance, requires_owner, qualification) VALUES
	('marketing_sales', 'teleprospect_acceptance', 'teleprospect_accepted', 10, 'Accepted by a teleprospector', 'flag', true, false, NULL),
	('marketing_sales', 'teleprospect_qualification', 'sales_ready', 10, 'Ready for sales', 'flag', false, false, 'sales_ready'),
	('marketing_sales', 'sales_acceptance', 'sales_accepted', 10, 'Accepted by sales', 'flag', true, true, 'sales_accepted');

INSERT INTO @workspace@.closing_reason (entity, reason, label) VALUES
	('lead', 'spam', 'Spam or made up'),
	('lead', 'duplicate', 'Duplicate'),
	('lead', 'no need', 'Has no need'),
	('lead', 'no budget', 'Has no budget'),
	('lead', 'no authority', 'Cannot decide'),
	('lead', 'no fit', 'Not a customer for us'),
	('lead', 'bad timing', 'Not now'),
	('lead', 'unreachable', 'Cannot be reached'),
	('lead', 'competitor', 'Bought from a competitor, or is one'),
	('lead', 'student', 'Student or research project'),
	('lead', 'other', 'Other'),
	('opportunity', 'price', 'Price'),
	('opportunity', 'competitor', 'A competitor won'),
	('opportunity', 'no budget', 'No budget'),
	('opportunity', 'no decision', 'No decision was taken'),
	('opportunity', 'bad timing', 'Postponed'),
	('opportunity', 'missing feature', 'Something was missing'),
	('opportunity', 'no contact', 'Contact was lost'),
	('opportunity', 'other', 'Other');

-- Whatever no other rule sends elsewhere is screened first.
INSERT INTO @workspace@.routing_rule (sequence, label, team_kind) VALUES
	(1000000, 'Marketing screens first', 'marketing'),
	(1000001, 'Telesales screens first', 'telesales');

UPDATE @workspace@.pipeline SET is_active = true;

-- Checked here and now, so that the tables can be altered in this same transaction
SET CONSTRAINTS @workspace@.sound IMMEDIATE;
SET CONSTRAINTS @workspace@.sound DEFERRED;
