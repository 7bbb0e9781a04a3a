-- What was known of leads before their outcome. Of the values that a column
-- had since, an object keeps the last it is given: the earliest one.

CREATE OR REPLACE VIEW @workspace@.lead_profile_at_outcome WITH (security_invoker = true) AS
SELECT
	l.lead_id,
	l.contact_id,
	a.account_id,
	l.pipeline,
	COALESCE(
		(SELECT m.from_stage FROM @workspace@.stage_move m WHERE m.lead_id = l.lead_id ORDER BY m.stage_move_id DESC LIMIT 1),
		(SELECT s.stage FROM @workspace@.stage s WHERE s.pipeline = l.pipeline AND s.kind = 'entry')
	) AS stage,
	'open'::text AS status,
	'unqualified'::text AS qualification,
	l.origin,
	l.title,
	l.product,
	l.page,
	ca.campaign,
	l.channel,
	l.source,
	l.budget,
	l.currency,
	l.is_existing_customer,
	NULL::timestamptz AS sales_ready_at,
	COALESCE(i.count, 0)::integer AS interaction_count,
	i.last_at AS last_interaction_at,
	l.created_at AS lead_created_at,
	COALESCE(
		c.full_name,
		NULLIF(pg_catalog.concat_ws(' ', c.given_name, c.family_name), ''),
		l.contact_name
	) AS full_name,
	c.given_name,
	c.family_name,
	COALESCE(c.email, l.email)::text AS email,
	lead_mgmt.email_domain(COALESCE(c.email, l.email))::text AS email_domain,
	lead_mgmt.email_is_free_provider(COALESCE(c.email, l.email)) AS email_is_free,
	COALESCE(c.phone, l.phone)::text AS phone,
	c.job_title,
	c.city,
	c.region,
	c.postal_code,
	c.country,
	c.language,
	c.first_source,
	c.last_source,
	c.customer_since,
	COALESCE(a.name, l.company_name) AS company,
	a.domain AS company_domain,
	a.website,
	a.industry,
	a.employees,
	a.annual_revenue,
	a.phone::text AS company_phone,
	a.city AS company_city,
	a.country AS company_country,
	l.attributes AS lead_attributes,
	c.attributes AS contact_attributes,
	a.attributes AS account_attributes,
	l.team_id,
	l.agent_id,
	NULL::text AS sales_ready_model,
	ca.kind AS campaign_kind,
	ca.purpose AS campaign_purpose,
	COALESCE(l.tags, '{}') AS tags,
	COALESCE(c.tags, '{}') AS contact_tags,
	COALESCE(a.tags, '{}') AS account_tags,
	i.by_kind AS interactions_by_kind,
	i.by_channel AS interactions_by_channel
FROM (
	SELECT n.lead_id, n.stage_entered_at AS closed_at,
		(before.row).account_id, (before.row).agent_id, (before.row).attributes, (before.row).budget,
		(before.row).campaign_id, (before.row).channel, (before.row).company_name, (before.row).contact_id,
		(before.row).contact_name, (before.row).created_at, (before.row).currency, (before.row).email,
		(before.row).is_existing_customer, (before.row).origin, (before.row).page,
		(before.row).phone, (before.row).pipeline, (before.row).product, (before.row).source, (before.row).tags, (before.row).team_id,
		(before.row).title
	FROM @workspace@.lead n
	CROSS JOIN LATERAL (SELECT pg_catalog.jsonb_populate_record(n, COALESCE((
		SELECT pg_catalog.jsonb_object_agg(d.key, d.value -> 'old' ORDER BY g.audit_id DESC)
		FROM @workspace@.audit_log g
		CROSS JOIN LATERAL pg_catalog.jsonb_each(g.changes) d
		WHERE g.entity = 'lead' AND g.entity_id = n.lead_id AND g.changed_at >= n.stage_entered_at), '{}')) AS row OFFSET 0) before
	WHERE n.status <> 'open'
) l
LEFT JOIN LATERAL (
	SELECT (before.row).account_id, (before.row).attributes, (before.row).city, (before.row).country,
		(before.row).customer_since, (before.row).email, (before.row).family_name, (before.row).first_source,
		(before.row).full_name, (before.row).given_name, (before.row).job_title, (before.row).language,
		(before.row).last_source, (before.row).phone, (before.row).postal_code, (before.row).region, (before.row).tags
	FROM @workspace@.contact n
	CROSS JOIN LATERAL (SELECT pg_catalog.jsonb_populate_record(n, COALESCE((
		SELECT pg_catalog.jsonb_object_agg(d.key, d.value -> 'old' ORDER BY g.audit_id DESC)
		FROM @workspace@.audit_log g
		CROSS JOIN LATERAL pg_catalog.jsonb_each(g.changes) d
		WHERE g.entity = 'contact' AND g.entity_id = n.contact_id AND g.changed_at >= l.closed_at), '{}')) AS row OFFSET 0) before
	WHERE n.contact_id = l.contact_id
) c ON true
LEFT JOIN LATERAL (
	SELECT (before.row).account_id, (before.row).annual_revenue, (before.row).attributes, (before.row).city,
		(before.row).country, (before.row).domain, (before.row).employees, (before.row).industry, (before.row).name,
		(before.row).phone, (before.row).tags, (before.row).website
	FROM @workspace@.account n
	CROSS JOIN LATERAL (SELECT pg_catalog.jsonb_populate_record(n, COALESCE((
		SELECT pg_catalog.jsonb_object_agg(d.key, d.value -> 'old' ORDER BY g.audit_id DESC)
		FROM @workspace@.audit_log g
		CROSS JOIN LATERAL pg_catalog.jsonb_each(g.changes) d
		WHERE g.entity = 'account' AND g.entity_id = n.account_id AND g.changed_at >= l.closed_at), '{}')) AS row OFFSET 0) before
	WHERE n.account_id = COALESCE(l.account_id, c.account_id)
) a ON true
LEFT JOIN @workspace@.campaign ca ON ca.campaign_id = l.campaign_id
LEFT JOIN LATERAL (
	SELECT pg_catalog.sum(k.count) FILTER (WHERE NOT k.is_channel) AS count,
		pg_catalog.max(k.last_at) AS last_at,
		pg_catalog.jsonb_object_agg(k.name, k.detail) FILTER (WHERE NOT k.is_channel) AS by_kind,
		pg_catalog.jsonb_object_agg(k.name, k.detail) FILTER (WHERE k.is_channel AND k.name IS NOT NULL) AS by_channel
	FROM (
		SELECT COALESCE(i.kind, i.channel) AS name, i.kind IS NULL AS is_channel, pg_catalog.count(*) AS count,
			pg_catalog.max(i.occurred_at) AS last_at,
			pg_catalog.jsonb_build_object('count', pg_catalog.count(*),
				'last_7_days', pg_catalog.count(*) FILTER (WHERE i.occurred_at > l.closed_at - interval '7 days'),
				'last_30_days', pg_catalog.count(*) FILTER (WHERE i.occurred_at > l.closed_at - interval '30 days'),
				'last_90_days', pg_catalog.count(*) FILTER (WHERE i.occurred_at > l.closed_at - interval '90 days'),
				'last_at', pg_catalog.max(i.occurred_at)) AS detail
		FROM @workspace@.interaction i
		WHERE i.lead_id = l.lead_id AND i.occurred_at < l.closed_at
		GROUP BY GROUPING SETS (i.kind, i.channel)
		HAVING COALESCE(i.kind, i.channel) IS NOT NULL
	) k
) i ON true;

COMMENT ON VIEW @workspace@.lead_profile_at_outcome IS
	'What was known about each closed lead before its outcome: the columns of lead_profile, changes since then taken back by the audit log, interactions up to then. What models learn from. A lead loaded with a past has no changes to take back. One row a lead that was won or lost.';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.lead_id IS 'Key of the lead';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.contact_id IS 'The person behind the lead; NULL while unlinked';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.account_id IS 'The lead''s account, or else its contact''s; NULL without either';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.pipeline IS 'Process the lead goes through';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.stage IS 'Stage it was closed from';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.status IS 'Always open';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.qualification IS 'Always unqualified';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.origin IS 'How the lead came into being, such as landing_page, event, phone or manual';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.title IS 'Subject of the lead in a few words';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.product IS 'Product asked about';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.page IS 'Landing page responded to';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.campaign IS 'Campaign responded to, by its unique name';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.channel IS 'Marketing channel the lead came by';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.source IS 'Lead source; unknown is a value of its own';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.budget IS 'Budget stated, in the currency beside it';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.currency IS 'ISO 4217 code of the budget';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.is_existing_customer IS 'True when the person had bought before this lead arose';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.sales_ready_at IS 'Always NULL';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.interaction_count IS 'Interactions up to the outcome';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.last_interaction_at IS 'When the latest of them took place; NULL without any';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.lead_created_at IS 'When the lead was created';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.full_name IS 'The contact''s full name, else given and family name, else the name given with the lead';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.given_name IS 'The contact''s given name';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.family_name IS 'The contact''s family name';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.email IS 'E-mail address in normal form: the contact''s, else the lead''s';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.email_domain IS 'Domain of that address';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.email_is_free IS 'True when the domain belongs to a free mail provider; NULL without an address';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.phone IS 'Phone number in E.164 form: the contact''s, else the lead''s';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.job_title IS 'The contact''s position, as given';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.city IS 'City of the contact';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.region IS 'State, province or the like of the contact';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.postal_code IS 'Postal code of the contact';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.country IS 'Country of the contact';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.language IS 'Language the contact prefers';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.first_source IS 'Where the contact first heard of us; never changes';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.last_source IS 'Source of the contact''s latest submission that named one';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.customer_since IS 'When the contact first bought; NULL for those who have not';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.company IS 'Name of the account, else the company named with the lead';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.company_domain IS 'Main internet domain of the account';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.website IS 'Web address of the account';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.industry IS 'Industry of the account';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.employees IS 'Number of people the account employs';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.annual_revenue IS 'Yearly revenue of the account';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.company_phone IS 'Phone number of the account in E.164 form';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.company_city IS 'City of the account';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.company_country IS 'Country of the account';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.lead_attributes IS 'Custom attributes of the lead: a JSON object';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.contact_attributes IS 'Custom attributes of the contact; NULL without a contact';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.account_attributes IS 'Custom attributes of the account; NULL without an account';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.team_id IS 'Team the lead is assigned to; NULL while to none.';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.agent_id IS 'Agent the lead is assigned to; NULL while to none.';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.sales_ready_model IS 'Always NULL';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.campaign_kind IS 'Kind of the campaign responded to';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.campaign_purpose IS 'Purpose of the campaign responded to';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.interactions_by_kind IS 'Interactions up to the outcome by kind, as in lead_profile, windows counted back from the outcome';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.interactions_by_channel IS 'The same by channel';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.tags IS 'Tags of the lead; {} for none';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.contact_tags IS 'Tags of the contact; {} for none';
COMMENT ON COLUMN @workspace@.lead_profile_at_outcome.account_tags IS 'Tags of the account; {} for none';
