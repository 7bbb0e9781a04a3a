-- @defaults@
-- What makes an empty workspace useful at once.

INSERT INTO @workspace@.channel (channel, label, is_paid, is_direct) VALUES
	('direct', 'Direct', false, true),
	('organic_search', 'Organic search', false, false),
	('paid_search', 'Paid search', true, false),
	('social', 'Social networks', false, false),
	('paid_social', 'Paid social', true, false),
	('display', 'Display advertising', true, false),
	('email', 'E-mail', false, false),
	('referral', 'Referral', false, false),
	('event', 'Events', true, false),
	('phone', 'Phone', false, false),
	('partner', 'Partners', false, false),
	('website', 'Website', false, false),
	('chat', 'Chat', false, false),
	('other', 'Other', false, false);

INSERT INTO @workspace@.lead_source (source, label, kind) VALUES
	('fair', 'Trade fairs', 'marketing'),
	('event', 'Events', 'marketing'),
	('social_network', 'Social networks', 'marketing'),
	('website', 'Website', 'marketing'),
	('advertising', 'Advertising', 'marketing'),
	('existing_customer', 'Existing customers', 'marketing'),
	('referral', 'Referrals', 'marketing'),
	('other_department', 'Passed on by another department', 'other_department'),
	('self_prospected', 'Found by the salesperson', 'self_prospected'),
	('unknown', 'Unknown', 'unknown');

INSERT INTO @workspace@.interaction_kind (kind, label, direction, is_touch, makes_lead) VALUES
	('form_submit', 'Form submitted', 'inbound', true, true),
	('page_view', 'Page viewed', 'inbound', true, false),
	('product_click', 'Product link clicked', 'inbound', true, false),
	('download', 'Document downloaded', 'inbound', true, true),
	('email_open', 'E-mail opened', 'inbound', true, false),
	('email_click', 'E-mail link clicked', 'inbound', true, false),
	('email_reply', 'E-mail answered', 'inbound', true, false),
	('event_register', 'Event registration', 'inbound', true, true),
	('event_attend', 'Event attended', 'inbound', true, false),
	('demo_request', 'Demonstration requested', 'inbound', true, true),
	('chat', 'Chat', 'inbound', true, true),
	('call_inbound', 'Call received', 'inbound', true, true),
	('meeting', 'Meeting', 'inbound', true, true),
	('email_sent', 'E-mail sent', 'outbound', false, false),
	('call_outbound', 'Call made', 'outbound', false, false),
	('sms_sent', 'Text message sent', 'outbound', false, false),
	('note', 'Note', 'internal', false, false);

INSERT INTO @workspace@.match_strategy (strategy, entity, label, when_several) VALUES
	('contact_by_email', 'contact', 'Contact by source id, e-mail address, phone number', 'merge'),
	('account_by_domain', 'account', 'Account by source id, e-mail domain, name', 'oldest'),
	('lead_by_email_and_page', 'lead', 'Lead of the contact by page, campaign or form', 'newest');

INSERT INTO @workspace@.match_rule (match_rule_id, strategy, sequence, label)
	OVERRIDING SYSTEM VALUE VALUES
	(1, 'contact_by_email', 10, 'Id in the source system'),
	(2, 'contact_by_email', 20, 'E-mail address'),
	(3, 'contact_by_email', 30, 'Phone number, unless both have e-mail addresses that differ'),
	(4, 'contact_by_email', 40, 'Visitor cookie, for want of anything better'),
	(5, 'account_by_domain', 10, 'Id in the source system'),
	(6, 'account_by_domain', 20, 'E-mail domain'),
	(7, 'account_by_domain', 30, 'Name'),
	(8, 'lead_by_email_and_page', 10, 'Same contact, same page');
SELECT pg_catalog.setval(pg_catalog.pg_get_serial_sequence('@workspace@.match_rule', 'match_rule_id'), 8);

INSERT INTO @workspace@.match_condition (match_rule_id, field, comparator, is_exception) VALUES
	(1, 'source_id', 'exact', false),
	(2, 'email', 'exact', false),
	(3, 'phone', 'exact', false),
	(3, 'email', 'differs', true),
	(4, 'visitor', 'exact', false),
	(4, 'source_id', 'present', true),
	(4, 'email', 'present', true),
	(4, 'phone', 'present', true),
	(5, 'company_source_id', 'exact', false),
	(6, 'company_domain', 'exact', false),
	(7, 'company', 'exact', false),
	(8, 'contact', 'exact', false),
	(8, 'context', 'exact', false);

UPDATE @workspace@.match_strategy SET is_default = true;

INSERT INTO @workspace@.merge_policy (entity, field, policy) VALUES
	('contact', 'value_trust', 'winner'),
	('account', 'value_trust', 'winner'),
	('lead', 'value_trust', 'winner');

INSERT INTO @workspace@.match_bypass (field, value, reason) VALUES
	('email', 'test@test.com', 'made up'),
	('email', 'a@a.com', 'made up'),
	('email', 'asdf@asdf.com', 'made up'),
	('email', 'none@none.com', 'made up'),
	('email', 'noemail@noemail.com', 'made up'),
	('email', 'email@email.com', 'made up'),
	('full_name', 'anonymous', 'no name'),
	('full_name', 'unknown', 'no name'),
	('full_name', 'test', 'made up'),
	('company', 'n/a', 'no company'),
	('company', 'none', 'no company'),
	('company', 'no company', 'no company'),
	('company', 'unknown', 'no company'),
	('company', 'test', 'made up'),
	('company', 'private', 'no company'),
	('company', 'individual', 'no company'),
	('company', 'self', 'no company'),
	('company', 'self-employed', 'no company'),
	('company', 'freelance', 'no company'),
	('company', 'freelancer', 'no company'),
	('company', 'student', 'no company'),
	('company', 'retired', 'no company');

INSERT INTO @workspace@.form (form, label, default_region) VALUES
	('default', 'Default form', NULL);

INSERT INTO @workspace@.scoring_model (model, label, sales_ready_threshold) VALUES
	('default', 'Default model', 100);

INSERT INTO @workspace@.scoring_grade (model, grade, from_score) VALUES
	('default', 'cold', '-infinity'),
	('default', 'warm', 26),
	('default', 'hot', 61);

INSERT INTO @workspace@.scoring_rule (model, label, condition, points) VALUES
	('default', 'Company e-mail address', 'email IS NOT NULL AND NOT email_is_free', 10),
	('default', 'Phone number given', 'phone IS NOT NULL', 10),
	('default', 'Company given', 'company <> company_domain OR company_domain IS NULL AND company IS NOT NULL', 5),
	('default', 'Company with 50 employees or more', 'employees >= 50', 15),
	('default', 'Decides on purchases', $rule$job_title ~* '\m(ceo|cto|cio|cfo|cmo|chief|founder|owner|president|director|vp|head|giám đốc|trưởng phòng)\M'$rule$, 20);

INSERT INTO @workspace@.scoring_rule (model, label, interaction_kind, points) VALUES
	('default', 'Form submitted', 'form_submit', 10),
	('default', 'Page viewed', 'page_view', 1),
	('default', 'Product link clicked', 'product_click', 5),
	('default', 'Document downloaded', 'download', 8),
	('default', 'E-mail opened', 'email_open', 2),
	('default', 'E-mail link clicked', 'email_click', 5),
	('default', 'E-mail answered', 'email_reply', 15),
	('default', 'Event registration', 'event_register', 15),
	('default', 'Event attended', 'event_attend', 20),
	('default', 'Demonstration requested', 'demo_request', 40),
	('default', 'Chat', 'chat', 10),
	('default', 'Call received', 'call_inbound', 25),
	('default', 'Meeting', 'meeting', 40);

INSERT INTO @workspace@.workspace_info (version) VALUES ('@version@');
