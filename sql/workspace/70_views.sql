-- Views over single leads: their profile, score, history and working lists.

CREATE OR REPLACE VIEW @workspace@.lead_profile WITH (security_invoker = true) AS
SELECT
	l.lead_id,
	l.contact_id,
	a.account_id,
	l.pipeline,
	l.stage,
	l.status,
	l.qualification,
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
	l.sales_ready_at,
	l.interaction_count,
	l.last_interaction_at,
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
	l.sales_ready_model,
	ca.kind AS campaign_kind,
	ca.purpose AS campaign_purpose,
	COALESCE(l.tags, '{}') AS tags,
	COALESCE(c.tags, '{}') AS contact_tags,
	COALESCE(a.tags, '{}') AS account_tags,
	(SELECT pg_catalog.jsonb_object_agg(k.kind, pg_catalog.jsonb_build_object('count', k.count, 'last_7_days', k.last_7_days,
			'last_30_days', k.last_30_days, 'last_90_days', k.last_90_days, 'last_at', k.last_at))
	 FROM (
		SELECT i.kind, pg_catalog.count(*) AS count,
			pg_catalog.count(*) FILTER (WHERE i.occurred_at > pg_catalog.now() - interval '7 days') AS last_7_days,
			pg_catalog.count(*) FILTER (WHERE i.occurred_at > pg_catalog.now() - interval '30 days') AS last_30_days,
			pg_catalog.count(*) FILTER (WHERE i.occurred_at > pg_catalog.now() - interval '90 days') AS last_90_days,
			pg_catalog.max(i.occurred_at) AS last_at
		FROM @workspace@.interaction i
		WHERE i.lead_id = l.lead_id
		GROUP BY i.kind
	 ) k) AS interactions_by_kind,
	(SELECT pg_catalog.jsonb_object_agg(k.channel, pg_catalog.jsonb_build_object('count', k.count, 'last_7_days', k.last_7_days,
			'last_30_days', k.last_30_days, 'last_90_days', k.last_90_days, 'last_at', k.last_at))
	 FROM (
		SELECT i.channel, pg_catalog.count(*) AS count,
			pg_catalog.count(*) FILTER (WHERE i.occurred_at > pg_catalog.now() - interval '7 days') AS last_7_days,
			pg_catalog.count(*) FILTER (WHERE i.occurred_at > pg_catalog.now() - interval '30 days') AS last_30_days,
			pg_catalog.count(*) FILTER (WHERE i.occurred_at > pg_catalog.now() - interval '90 days') AS last_90_days,
			pg_catalog.max(i.occurred_at) AS last_at
		FROM @workspace@.interaction i
		WHERE i.lead_id = l.lead_id AND i.channel IS NOT NULL
		GROUP BY i.channel
	 ) k) AS interactions_by_channel
FROM @workspace@.lead l
LEFT JOIN @workspace@.contact c ON c.contact_id = l.contact_id
LEFT JOIN @workspace@.account a ON a.account_id = COALESCE(l.account_id, c.account_id)
LEFT JOIN @workspace@.campaign ca ON ca.campaign_id = l.campaign_id;

COMMENT ON VIEW @workspace@.lead_profile IS
	'What is known about a lead, its contact and its account in one flat row: the names that rules are written over. One row a lead.';
COMMENT ON COLUMN @workspace@.lead_profile.lead_id IS 'Key of the lead';
COMMENT ON COLUMN @workspace@.lead_profile.contact_id IS 'The person behind the lead; NULL while unlinked';
COMMENT ON COLUMN @workspace@.lead_profile.account_id IS 'The lead''s account, or else its contact''s; NULL without either';
COMMENT ON COLUMN @workspace@.lead_profile.pipeline IS 'Process the lead goes through';
COMMENT ON COLUMN @workspace@.lead_profile.stage IS 'Stage it is in now';
COMMENT ON COLUMN @workspace@.lead_profile.status IS 'open, converted or disqualified';
COMMENT ON COLUMN @workspace@.lead_profile.qualification IS 'unqualified, marketing_qualified, sales_ready, sales_accepted or disqualified';
COMMENT ON COLUMN @workspace@.lead_profile.origin IS 'How the lead came into being, such as landing_page, event, phone or manual';
COMMENT ON COLUMN @workspace@.lead_profile.title IS 'Subject of the lead in a few words';
COMMENT ON COLUMN @workspace@.lead_profile.product IS 'Product asked about';
COMMENT ON COLUMN @workspace@.lead_profile.page IS 'Landing page responded to';
COMMENT ON COLUMN @workspace@.lead_profile.campaign IS 'Campaign responded to, by its unique name';
COMMENT ON COLUMN @workspace@.lead_profile.channel IS 'Marketing channel the lead came by';
COMMENT ON COLUMN @workspace@.lead_profile.source IS 'Lead source; unknown is a value of its own';
COMMENT ON COLUMN @workspace@.lead_profile.budget IS 'Budget stated, in the currency beside it';
COMMENT ON COLUMN @workspace@.lead_profile.currency IS 'ISO 4217 code of the budget';
COMMENT ON COLUMN @workspace@.lead_profile.is_existing_customer IS 'True when the person had bought before this lead arose';
COMMENT ON COLUMN @workspace@.lead_profile.sales_ready_at IS 'When the lead first became sales-ready; NULL if it never did';
COMMENT ON COLUMN @workspace@.lead_profile.interaction_count IS 'Interactions recorded for the lead so far';
COMMENT ON COLUMN @workspace@.lead_profile.last_interaction_at IS 'When the latest of them took place; NULL without any';
COMMENT ON COLUMN @workspace@.lead_profile.lead_created_at IS 'When the lead was created';
COMMENT ON COLUMN @workspace@.lead_profile.full_name IS 'The contact''s full name, else given and family name, else the name given with the lead';
COMMENT ON COLUMN @workspace@.lead_profile.given_name IS 'The contact''s given name';
COMMENT ON COLUMN @workspace@.lead_profile.family_name IS 'The contact''s family name';
COMMENT ON COLUMN @workspace@.lead_profile.email IS 'E-mail address in normal form: the contact''s, else the lead''s';
COMMENT ON COLUMN @workspace@.lead_profile.email_domain IS 'Domain of that address';
COMMENT ON COLUMN @workspace@.lead_profile.email_is_free IS 'True when the domain belongs to a free mail provider; NULL without an address';
COMMENT ON COLUMN @workspace@.lead_profile.phone IS 'Phone number in E.164 form: the contact''s, else the lead''s';
COMMENT ON COLUMN @workspace@.lead_profile.job_title IS 'The contact''s position, as given';
COMMENT ON COLUMN @workspace@.lead_profile.city IS 'City of the contact';
COMMENT ON COLUMN @workspace@.lead_profile.region IS 'State, province or the like of the contact';
COMMENT ON COLUMN @workspace@.lead_profile.postal_code IS 'Postal code of the contact';
COMMENT ON COLUMN @workspace@.lead_profile.country IS 'Country of the contact';
COMMENT ON COLUMN @workspace@.lead_profile.language IS 'Language the contact prefers';
COMMENT ON COLUMN @workspace@.lead_profile.first_source IS 'Where the contact first heard of us; never changes';
COMMENT ON COLUMN @workspace@.lead_profile.last_source IS 'Source of the contact''s latest submission that named one';
COMMENT ON COLUMN @workspace@.lead_profile.customer_since IS 'When the contact first bought; NULL for those who have not';
COMMENT ON COLUMN @workspace@.lead_profile.company IS 'Name of the account, else the company named with the lead';
COMMENT ON COLUMN @workspace@.lead_profile.company_domain IS 'Main internet domain of the account';
COMMENT ON COLUMN @workspace@.lead_profile.website IS 'Web address of the account';
COMMENT ON COLUMN @workspace@.lead_profile.industry IS 'Industry of the account';
COMMENT ON COLUMN @workspace@.lead_profile.employees IS 'Number of people the account employs';
COMMENT ON COLUMN @workspace@.lead_profile.annual_revenue IS 'Yearly revenue of the account';
COMMENT ON COLUMN @workspace@.lead_profile.company_phone IS 'Phone number of the account in E.164 form';
COMMENT ON COLUMN @workspace@.lead_profile.company_city IS 'City of the account';
COMMENT ON COLUMN @workspace@.lead_profile.company_country IS 'Country of the account';
COMMENT ON COLUMN @workspace@.lead_profile.lead_attributes IS 'Custom attributes of the lead: a JSON object';
COMMENT ON COLUMN @workspace@.lead_profile.contact_attributes IS 'Custom attributes of the contact; NULL without a contact';
COMMENT ON COLUMN @workspace@.lead_profile.account_attributes IS 'Custom attributes of the account; NULL without an account';
COMMENT ON COLUMN @workspace@.lead_profile.team_id IS 'Team the lead is assigned to; NULL while to none.';
COMMENT ON COLUMN @workspace@.lead_profile.agent_id IS 'Agent the lead is assigned to; NULL while to none.';
COMMENT ON COLUMN @workspace@.lead_profile.sales_ready_model IS 'Scoring model that made it sales-ready; NULL while none did';
COMMENT ON COLUMN @workspace@.lead_profile.campaign_kind IS 'Kind of the campaign responded to';
COMMENT ON COLUMN @workspace@.lead_profile.campaign_purpose IS 'Purpose of the campaign responded to';
COMMENT ON COLUMN @workspace@.lead_profile.interactions_by_kind IS 'Interactions of the lead by kind, a JSON object: {"page_view": {"count": 5, "last_7_days": 2, "last_30_days": 3, "last_90_days": 5, "last_at": "..."}}; NULL without any. Computed where it is asked for';
COMMENT ON COLUMN @workspace@.lead_profile.interactions_by_channel IS 'The same by channel';
COMMENT ON COLUMN @workspace@.lead_profile.tags IS 'Tags of the lead, for conditions such as ''vip'' = ANY (tags); {} for none';
COMMENT ON COLUMN @workspace@.lead_profile.contact_tags IS 'Tags of the contact; {} for none';
COMMENT ON COLUMN @workspace@.lead_profile.account_tags IS 'Tags of the account; {} for none';

CREATE OR REPLACE VIEW @workspace@.stage_history WITH (security_invoker = true) AS
SELECT
	h.stage_move_id,
	h.lead_id,
	h.opportunity_id,
	h.pipeline,
	h.stage,
	h.from_stage,
	h.entered_at,
	h.left_at,
	h.left_at - h.entered_at AS duration,
	h.moved_by,
	h.rule,
	h.reason,
	h.fallback_fields
FROM (
	SELECT
		m.stage_move_id,
		m.lead_id,
		m.opportunity_id,
		m.pipeline,
		m.to_stage AS stage,
		m.from_stage,
		m.moved_at AS entered_at,
		pg_catalog.lead(m.moved_at) OVER (
			PARTITION BY m.lead_id, m.opportunity_id ORDER BY m.stage_move_id
		) AS left_at,
		m.moved_by::text AS moved_by,
		m.rule,
		m.reason,
		pg_catalog.array_to_string(m.fallback_fields, ', ') AS fallback_fields
	FROM @workspace@.stage_move m
) h;

COMMENT ON VIEW @workspace@.stage_history IS
	'Which stages each lead and opportunity went through, and how long it stayed. One row a stay in a stage; a stage visited twice has two.';
COMMENT ON COLUMN @workspace@.stage_history.stage_move_id IS 'Key of the move into the stage; ascending in the order of the moves';
COMMENT ON COLUMN @workspace@.stage_history.lead_id IS 'The lead that moved; NULL for an opportunity';
COMMENT ON COLUMN @workspace@.stage_history.opportunity_id IS 'The opportunity that moved; NULL for a lead';
COMMENT ON COLUMN @workspace@.stage_history.pipeline IS 'Pipeline of the stage';
COMMENT ON COLUMN @workspace@.stage_history.stage IS 'The stage entered';
COMMENT ON COLUMN @workspace@.stage_history.from_stage IS 'The stage left for it; NULL at creation';
COMMENT ON COLUMN @workspace@.stage_history.entered_at IS 'When the stay began';
COMMENT ON COLUMN @workspace@.stage_history.left_at IS 'When it ended; NULL while it lasts';
COMMENT ON COLUMN @workspace@.stage_history.duration IS 'Length of the stay; NULL while it lasts';
COMMENT ON COLUMN @workspace@.stage_history.moved_by IS 'Database role that made the move';
COMMENT ON COLUMN @workspace@.stage_history.rule IS 'What caused it: created, first_score, sales_ready, manual, converted, disqualified or merged (the lead went on in the stage of the one it was merged into)';
COMMENT ON COLUMN @workspace@.stage_history.reason IS 'Reason given for it, if any';
COMMENT ON COLUMN @workspace@.stage_history.fallback_fields IS 'Required fields for which a fallback stood in, comma-separated; NULL if none';

CREATE OR REPLACE VIEW @workspace@.lead_timeline WITH (security_invoker = true) AS
SELECT
	e.lead_id,
	pg_catalog.row_number() OVER (
		PARTITION BY e.lead_id ORDER BY e.occurred_at, e.rank, e.number
	) AS position,
	e.occurred_at,
	e.event,
	e.title,
	e.detail,
	e.channel,
	e.campaign,
	e.source_id
FROM (
	SELECT
		i.lead_id,
		i.occurred_at,
		1 AS rank,
		'interaction'::text AS event,
		COALESCE(k.label, i.kind) AS title,
		NULLIF(pg_catalog.concat_ws(', ', i.product, COALESCE(i.page, i.url), i.note, i.outcome), '') AS detail,
		i.channel,
		ca.campaign,
		i.interaction_id AS source_id,
		i.interaction_id AS number
	FROM @workspace@.interaction i
	LEFT JOIN @workspace@.interaction_kind k ON k.kind = i.kind
	LEFT JOIN @workspace@.campaign ca ON ca.campaign_id = i.campaign_id
	WHERE i.lead_id IS NOT NULL
	UNION ALL
	SELECT
		l.lead_id,
		i.occurred_at,
		1,
		'interaction'::text,
		COALESCE(k.label, i.kind),
		NULLIF(pg_catalog.concat_ws(', ', i.product, COALESCE(i.page, i.url), i.note, i.outcome), ''),
		i.channel,
		ca.campaign,
		i.interaction_id,
		i.interaction_id
	FROM @workspace@.lead l
	JOIN @workspace@.interaction i ON i.contact_id = l.contact_id
	LEFT JOIN @workspace@.interaction_kind k ON k.kind = i.kind
	LEFT JOIN @workspace@.campaign ca ON ca.campaign_id = i.campaign_id
	WHERE i.lead_id IS NULL
	UNION ALL
	SELECT
		m.lead_id,
		m.moved_at,
		2,
		'stage'::text,
		CASE WHEN m.from_stage IS NULL THEN pg_catalog.concat('Created in ', m.to_stage)
			ELSE pg_catalog.concat(m.from_stage, ' → ', m.to_stage) END,
		pg_catalog.concat_ws(', ', m.rule, m.reason),
		NULL::text,
		NULL::text,
		m.stage_move_id,
		m.stage_move_id
	FROM @workspace@.stage_move m
	WHERE m.lead_id IS NOT NULL
	UNION ALL
	SELECT
		l.lead_id,
		l.sales_ready_at,
		3,
		'sales_ready'::text,
		'Sales-ready'::text,
		l.sales_ready_model,
		NULL::text,
		NULL::text,
		l.lead_id,
		l.lead_id
	FROM @workspace@.lead l
	WHERE l.sales_ready_at IS NOT NULL
	UNION ALL
	SELECT
		s.lead_id,
		s.assigned_at,
		4,
		'assignment'::text,
		pg_catalog.concat('Assigned to ', COALESCE(pg_catalog.concat_ws(', ', g.agent, t.team), 'nobody')),
		s.reason::text,
		NULL::text,
		NULL::text,
		s.assignment_id,
		s.assignment_id
	FROM @workspace@.assignment s
	LEFT JOIN @workspace@.team t ON t.team_id = s.team_id
	LEFT JOIN @workspace@.agent g ON g.agent_id = s.agent_id
	UNION ALL
	SELECT
		o.lead_id,
		m.moved_at,
		5,
		'opportunity'::text,
		pg_catalog.concat_ws(': ', o.name, m.to_stage),
		pg_catalog.concat_ws(', ', m.rule, m.reason),
		NULL::text,
		NULL::text,
		o.opportunity_id,
		m.stage_move_id
	FROM @workspace@.opportunity o
	JOIN @workspace@.stage_move m ON m.opportunity_id = o.opportunity_id AND m.opportunity_id IS NOT NULL
	WHERE o.lead_id IS NOT NULL
	UNION ALL
	-- One loaded as history has no moves of its own: it stands where it stands
	SELECT
		o.lead_id,
		o.stage_entered_at,
		5,
		'opportunity'::text,
		pg_catalog.concat_ws(': ', o.name, o.stage),
		o.stage_reason,
		NULL::text,
		NULL::text,
		o.opportunity_id,
		o.opportunity_id
	FROM @workspace@.opportunity o
	WHERE o.lead_id IS NOT NULL
		AND NOT EXISTS (SELECT FROM @workspace@.stage_move m WHERE m.opportunity_id = o.opportunity_id)
	UNION ALL
	SELECT
		g.entity_id,
		g.changed_at,
		6,
		'change'::text,
		(SELECT pg_catalog.concat('Changed ', pg_catalog.string_agg(d.key, ', ' ORDER BY d.key))
		 FROM pg_catalog.jsonb_each(g.changes) d),
		(SELECT pg_catalog.string_agg(
				pg_catalog.concat(d.key, ': ', COALESCE(d.value ->> 'old', '(none)'), ' → ', COALESCE(d.value ->> 'new', '(none)')),
				'; ' ORDER BY d.key)
		 FROM pg_catalog.jsonb_each(g.changes) d),
		NULL::text,
		NULL::text,
		g.audit_id,
		g.audit_id
	FROM (
		SELECT a.entity_id, a.changed_at, a.changes, a.audit_id FROM @workspace@.audit_log a WHERE a.entity = 'lead'
		UNION ALL
		-- What was changed in leads before they were merged into this one
		SELECT r.survivor_id, a.changed_at, a.changes, a.audit_id
		FROM @workspace@.entity_redirect r
		JOIN @workspace@.audit_log a ON a.entity = 'lead' AND a.entity_id = r.old_id
		WHERE r.entity = 'lead'
	) g
	UNION ALL
	SELECT
		m.winner_id,
		m.merged_at,
		7,
		'merge'::text,
		pg_catalog.concat('Merged with lead ', o.id, CASE WHEN m.undone_at IS NOT NULL THEN ', undone since' END),
		pg_catalog.concat_ws(', ', m.merged_by, m.reason),
		NULL::text,
		NULL::text,
		m.merge_id,
		m.merge_id
	FROM @workspace@.merge m
	CROSS JOIN LATERAL pg_catalog.unnest(m.loser_ids) o (id)
	WHERE m.entity = 'lead'
	UNION ALL
	SELECT
		l.lead_id,
		m.merged_at,
		7,
		'merge'::text,
		pg_catalog.concat('Contact merged with contact ', o.id, CASE WHEN m.undone_at IS NOT NULL THEN ', undone since' END),
		pg_catalog.concat_ws(', ', m.merged_by, m.reason),
		NULL::text,
		NULL::text,
		m.merge_id,
		m.merge_id
	FROM @workspace@.lead l
	JOIN @workspace@.merge m ON m.entity = 'contact' AND m.winner_id = l.contact_id
	CROSS JOIN LATERAL pg_catalog.unnest(m.loser_ids) o (id)
) e
JOIN @workspace@.lead v ON v.lead_id = e.lead_id;

COMMENT ON VIEW @workspace@.lead_timeline IS
	'All that happened to a lead, in order: interactions, stage moves, assignments, changes, its opportunities, and merges of the lead and its contact; what happened to a lead that was merged into it is included. Interactions of the contact that belong to no lead appear on each of the contact''s leads. One row an event of a lead.';
COMMENT ON COLUMN @workspace@.lead_timeline.lead_id IS 'Key of the lead';
COMMENT ON COLUMN @workspace@.lead_timeline.position IS 'Place among the lead''s events, from 1, without gaps';
COMMENT ON COLUMN @workspace@.lead_timeline.occurred_at IS 'When it happened';
COMMENT ON COLUMN @workspace@.lead_timeline.event IS 'interaction, stage, sales_ready, assignment, opportunity, change or merge';
COMMENT ON COLUMN @workspace@.lead_timeline.title IS 'The event in a few words';
COMMENT ON COLUMN @workspace@.lead_timeline.detail IS 'More about it: the page, the rule, the values before and after; NULL when there is no more';
COMMENT ON COLUMN @workspace@.lead_timeline.channel IS 'Marketing channel of an interaction; NULL for other events';
COMMENT ON COLUMN @workspace@.lead_timeline.campaign IS 'Campaign of an interaction; NULL for other events';
COMMENT ON COLUMN @workspace@.lead_timeline.source_id IS 'Key of the row behind it, in interaction, stage_move (stage), lead (sales_ready), assignment, opportunity, audit_log (change) or merge';

CREATE OR REPLACE VIEW @workspace@.lead_board WITH (security_invoker = true) AS
SELECT
	p.lead_id,
	p.full_name,
	p.job_title,
	p.company,
	p.email,
	p.phone,
	p.country,
	p.title,
	p.product,
	p.campaign,
	p.channel,
	p.source,
	p.pipeline,
	p.stage,
	st.label AS stage_label,
	p.status,
	p.qualification,
	s.score,
	s.grade,
	p.sales_ready_at,
	t.team,
	g.agent,
	p.interaction_count,
	p.last_interaction_at,
	p.lead_created_at AS created_at
FROM @workspace@.lead_profile p
JOIN @workspace@.lead l ON l.lead_id = p.lead_id
JOIN @workspace@.stage st ON st.pipeline = l.pipeline AND st.stage = l.stage
LEFT JOIN @workspace@.team t ON t.team_id = l.team_id
LEFT JOIN @workspace@.agent g ON g.agent_id = l.agent_id
LEFT JOIN LATERAL (
	SELECT x.score, x.grade
	FROM @workspace@.lead_score x
	JOIN @workspace@.scoring_model m ON m.model = x.model AND m.is_active
	WHERE x.lead_id = p.lead_id
	ORDER BY x.score - x.sales_ready_threshold DESC, x.model
	LIMIT 1
) s ON true;

COMMENT ON VIEW @workspace@.lead_board IS
	'The lead database as a read-only page; row-level security of the tables applies to whoever reads it. One row a lead.';
COMMENT ON COLUMN @workspace@.lead_board.lead_id IS 'Key of the lead';
COMMENT ON COLUMN @workspace@.lead_board.full_name IS 'Name of the person';
COMMENT ON COLUMN @workspace@.lead_board.job_title IS 'Position of the person';
COMMENT ON COLUMN @workspace@.lead_board.company IS 'Name of the company';
COMMENT ON COLUMN @workspace@.lead_board.email IS 'E-mail address in normal form';
COMMENT ON COLUMN @workspace@.lead_board.phone IS 'Phone number in E.164 form';
COMMENT ON COLUMN @workspace@.lead_board.country IS 'Country of the person';
COMMENT ON COLUMN @workspace@.lead_board.title IS 'Subject of the lead';
COMMENT ON COLUMN @workspace@.lead_board.product IS 'Product asked about';
COMMENT ON COLUMN @workspace@.lead_board.campaign IS 'Campaign responded to';
COMMENT ON COLUMN @workspace@.lead_board.channel IS 'Marketing channel the lead came by';
COMMENT ON COLUMN @workspace@.lead_board.source IS 'Lead source';
COMMENT ON COLUMN @workspace@.lead_board.pipeline IS 'Process the lead goes through';
COMMENT ON COLUMN @workspace@.lead_board.stage IS 'Stage it is in now';
COMMENT ON COLUMN @workspace@.lead_board.stage_label IS 'That stage, in words';
COMMENT ON COLUMN @workspace@.lead_board.status IS 'open, converted or disqualified';
COMMENT ON COLUMN @workspace@.lead_board.qualification IS 'How far the lead has qualified';
COMMENT ON COLUMN @workspace@.lead_board.score IS 'Points in the active model whose threshold the lead exceeds most or misses least; NULL while unscored';
COMMENT ON COLUMN @workspace@.lead_board.grade IS 'Grade in that model';
COMMENT ON COLUMN @workspace@.lead_board.sales_ready_at IS 'When the lead became sales-ready; NULL if it has not';
COMMENT ON COLUMN @workspace@.lead_board.team IS 'Team that works on it; NULL if none';
COMMENT ON COLUMN @workspace@.lead_board.agent IS 'Person who works on it; NULL if none';
COMMENT ON COLUMN @workspace@.lead_board.interaction_count IS 'Interactions recorded so far';
COMMENT ON COLUMN @workspace@.lead_board.last_interaction_at IS 'When the latest of them took place';
COMMENT ON COLUMN @workspace@.lead_board.created_at IS 'When the lead was created';

CREATE OR REPLACE VIEW @workspace@.unlinked_lead WITH (security_invoker = true) AS
SELECT
	l.lead_id,
	l.status,
	l.contact_name,
	l.company_name,
	l.email::text AS email,
	l.phone::text AS phone,
	l.created_at,
	COALESCE(e.contact_id, p.contact_id, m.contact_id) AS proposed_contact_id,
	CASE
		WHEN e.contact_id = p.contact_id THEN 'email, phone'
		WHEN e.contact_id IS NOT NULL THEN 'email'
		WHEN p.contact_id IS NOT NULL THEN 'phone'
		WHEN m.contact_id IS NOT NULL THEN m.strategy
	END AS match_on,
	a.account_id AS proposed_account_id
FROM @workspace@.lead l
LEFT JOIN LATERAL (
	SELECT i.contact_id FROM @workspace@.contact_identity i
	WHERE i.kind = 'email' AND i.value = l.email::text
	ORDER BY i.holder LIMIT 1
) e ON true
LEFT JOIN LATERAL (
	SELECT i.contact_id FROM @workspace@.contact_identity i
	WHERE i.kind = 'phone' AND i.value = l.phone::text
	ORDER BY i.holder LIMIT 1
) p ON true
LEFT JOIN LATERAL (
	SELECT c.contact_id, c.strategy
	FROM @workspace@.propose_contact(pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
		'full_name', l.contact_name, 'email', l.email, 'phone', l.phone))) c
	WHERE l.contact_name IS NOT NULL AND e.contact_id IS NULL AND p.contact_id IS NULL
		AND pg_catalog.has_table_privilege('@workspace@.contact'::pg_catalog.regclass, 'SELECT')
	LIMIT 1
) m ON true
LEFT JOIN LATERAL (
	SELECT i.account_id FROM @workspace@.account_identity i
	WHERE i.kind = 'name' AND i.value = lead_mgmt.organisation_name_key(l.company_name)
	ORDER BY i.holder LIMIT 1
) a ON true
WHERE l.contact_id IS NULL AND l.account_id IS NULL;

COMMENT ON VIEW @workspace@.unlinked_lead IS
	'Leads that have neither contact nor account and so cannot be scored or addressed, with the contact and account they seem to belong to. One row a lead.';
COMMENT ON COLUMN @workspace@.unlinked_lead.lead_id IS 'Key of the lead';
COMMENT ON COLUMN @workspace@.unlinked_lead.status IS 'open, converted or disqualified';
COMMENT ON COLUMN @workspace@.unlinked_lead.contact_name IS 'Name given with the lead';
COMMENT ON COLUMN @workspace@.unlinked_lead.company_name IS 'Company named with the lead';
COMMENT ON COLUMN @workspace@.unlinked_lead.email IS 'E-mail address given with the lead, in normal form';
COMMENT ON COLUMN @workspace@.unlinked_lead.phone IS 'Phone number given with the lead, in E.164 form';
COMMENT ON COLUMN @workspace@.unlinked_lead.created_at IS 'When the lead was created';
COMMENT ON COLUMN @workspace@.unlinked_lead.proposed_contact_id IS 'Contact with the lead''s e-mail address, or else with its phone number, or else whom the match strategies of the form "default" find, for callers who may read contacts; NULL for nobody';
COMMENT ON COLUMN @workspace@.unlinked_lead.match_on IS 'What the proposal rests on: email, phone or both (when the two point to different contacts, email wins), or the name of the strategy';
COMMENT ON COLUMN @workspace@.unlinked_lead.proposed_account_id IS 'Account that the company named with the lead seems to be; NULL if none';

CREATE OR REPLACE VIEW @workspace@.neglected_lead WITH (security_invoker = true) AS
SELECT
	l.lead_id,
	l.pipeline,
	l.stage,
	t.team,
	g.agent,
	l.created_at,
	l.last_interaction_at,
	pg_catalog.date_part('day', pg_catalog.now() - COALESCE(l.last_interaction_at, l.created_at))::integer AS days_idle,
	pg_catalog.concat_ws(', ',
		CASE WHEN l.team_id IS NULL AND l.agent_id IS NULL THEN 'no owner' END,
		CASE WHEN COALESCE(l.last_interaction_at, l.created_at) < pg_catalog.now() - p.idle_after
			THEN pg_catalog.concat('no interaction for ', CASE WHEN p.idle_after >= interval '1 day'
				THEN pg_catalog.concat(pg_catalog.trim_scale(pg_catalog.round(EXTRACT(epoch FROM p.idle_after) / 86400, 1)), ' days')
				ELSE pg_catalog.concat(pg_catalog.trim_scale(pg_catalog.round(EXTRACT(epoch FROM p.idle_after) / 3600, 1)), ' hours') END) END,
		CASE WHEN k.overdue_tasks > 0 THEN 'tasks past due' END
	) AS reason,
	k.overdue_tasks
FROM @workspace@.lead l
JOIN @workspace@.pipeline p ON p.pipeline = l.pipeline
LEFT JOIN @workspace@.team t ON t.team_id = l.team_id
LEFT JOIN @workspace@.agent g ON g.agent_id = l.agent_id
CROSS JOIN LATERAL (
	SELECT pg_catalog.count(*) AS overdue_tasks FROM @workspace@.task x
	WHERE x.lead_id = l.lead_id AND x.state = 'open' AND x.due_at < pg_catalog.now()
) k
WHERE l.status = 'open'
	AND (l.team_id IS NULL AND l.agent_id IS NULL
		OR COALESCE(l.last_interaction_at, l.created_at) < pg_catalog.now() - p.idle_after
		OR k.overdue_tasks > 0);

COMMENT ON VIEW @workspace@.neglected_lead IS
	'Open leads that nobody owns, with which nothing has passed for the time that their pipeline names in idle_after, or that have a task past due. One row a lead.';
COMMENT ON COLUMN @workspace@.neglected_lead.overdue_tasks IS 'Open tasks about it that should have been done by now';
COMMENT ON COLUMN @workspace@.neglected_lead.lead_id IS 'Key of the lead';
COMMENT ON COLUMN @workspace@.neglected_lead.pipeline IS 'Process the lead goes through';
COMMENT ON COLUMN @workspace@.neglected_lead.stage IS 'Stage it is in now';
COMMENT ON COLUMN @workspace@.neglected_lead.team IS 'Team that should work on it; NULL if none';
COMMENT ON COLUMN @workspace@.neglected_lead.agent IS 'Person who should work on it; NULL if none';
COMMENT ON COLUMN @workspace@.neglected_lead.created_at IS 'When the lead was created';
COMMENT ON COLUMN @workspace@.neglected_lead.last_interaction_at IS 'When something last passed between us; NULL if nothing ever did';
COMMENT ON COLUMN @workspace@.neglected_lead.days_idle IS 'Whole days since then, or since creation';
COMMENT ON COLUMN @workspace@.neglected_lead.reason IS 'Why it is listed: no owner, no interaction for so long, tasks past due, or several of them';

CREATE OR REPLACE VIEW @workspace@.incomplete_lead WITH (security_invoker = true) AS
SELECT
	p.lead_id,
	p.pipeline,
	p.stage,
	p.full_name,
	p.company,
	f.completeness,
	pi.minimum_completeness,
	f.completeness < pi.minimum_completeness AS is_below_minimum,
	f.missing
FROM @workspace@.lead_profile p
JOIN @workspace@.pipeline pi ON pi.pipeline = p.pipeline AND pi.completeness_fields <> '{}'
CROSS JOIN LATERAL (SELECT pg_catalog.to_jsonb(p.*) AS profile OFFSET 0) d
CROSS JOIN LATERAL (
	SELECT
		(100 * pg_catalog.count(*) FILTER (WHERE d.profile ->> u.field <> '') / pg_catalog.count(*))::integer AS completeness,
		pg_catalog.string_agg(u.field, ', ' ORDER BY u.number) FILTER (WHERE (d.profile ->> u.field <> '') IS NOT TRUE) AS missing
	FROM pg_catalog.unnest(pi.completeness_fields) WITH ORDINALITY u (field, number)
) f
WHERE p.status = 'open' AND f.missing IS NOT NULL;

COMMENT ON VIEW @workspace@.incomplete_lead IS
	'Open leads of which some field is unknown that their pipeline wants to know. One row a lead.';
COMMENT ON COLUMN @workspace@.incomplete_lead.lead_id IS 'Key of the lead';
COMMENT ON COLUMN @workspace@.incomplete_lead.pipeline IS 'Pipeline whose completeness_fields are looked at';
COMMENT ON COLUMN @workspace@.incomplete_lead.stage IS 'Stage the lead is in';
COMMENT ON COLUMN @workspace@.incomplete_lead.full_name IS 'Name of the person, if known';
COMMENT ON COLUMN @workspace@.incomplete_lead.company IS 'Name of the company, if known';
COMMENT ON COLUMN @workspace@.incomplete_lead.completeness IS 'Share of the fields that are filled: percent, rounded down';
COMMENT ON COLUMN @workspace@.incomplete_lead.minimum_completeness IS 'Percentage the pipeline asks for';
COMMENT ON COLUMN @workspace@.incomplete_lead.is_below_minimum IS 'True when the lead misses that percentage';
COMMENT ON COLUMN @workspace@.incomplete_lead.missing IS 'The empty fields, comma-separated';

CREATE OR REPLACE VIEW @workspace@.rejected_submission WITH (security_invoker = true) AS
SELECT
	s.submission_id,
	s.form,
	s.external_id,
	s.received_at,
	r.number AS reason_number,
	r.reason ->> 'field' AS field,
	r.reason ->> 'code' AS code,
	CASE WHEN pg_catalog.has_column_privilege('@workspace@.submission'::pg_catalog.regclass, 'payload', 'SELECT') THEN r.reason ->> 'value' END AS value,
	r.reason ->> 'message' AS message,
	r.reason ->> 'severity' AS severity
FROM @workspace@.submission s
LEFT JOIN LATERAL pg_catalog.jsonb_array_elements(
	CASE pg_catalog.jsonb_typeof(s.reasons)
		WHEN 'array' THEN s.reasons
		WHEN 'object' THEN pg_catalog.jsonb_build_array(s.reasons)
	END
) WITH ORDINALITY r (reason, number) ON true
WHERE s.status = 'rejected';

COMMENT ON VIEW @workspace@.rejected_submission IS
	'Why submissions were rejected. One row a reason; a submission may have several.';
COMMENT ON COLUMN @workspace@.rejected_submission.submission_id IS 'Key of the submission';
COMMENT ON COLUMN @workspace@.rejected_submission.form IS 'Form it named';
COMMENT ON COLUMN @workspace@.rejected_submission.external_id IS 'Its id in the system it came from, if given';
COMMENT ON COLUMN @workspace@.rejected_submission.received_at IS 'When it arrived';
COMMENT ON COLUMN @workspace@.rejected_submission.reason_number IS 'Place of the reason among those of the submission, from 1';
COMMENT ON COLUMN @workspace@.rejected_submission.field IS 'Field at fault; NULL when the whole record is';
COMMENT ON COLUMN @workspace@.rejected_submission.code IS 'Machine-readable reason';
COMMENT ON COLUMN @workspace@.rejected_submission.value IS 'The offending value; NULL for who may not read payloads';
COMMENT ON COLUMN @workspace@.rejected_submission.message IS 'The reason in words';
COMMENT ON COLUMN @workspace@.rejected_submission.severity IS 'error for what rejected the submission, warning for what would have been let pass';

CREATE OR REPLACE VIEW @workspace@.current_consent WITH (security_invoker = true) AS
SELECT
	n.consent_id,
	n.contact_id,
	n.channel,
	n.basis,
	n.given_at,
	n.submission_id,
	c.full_name,
	c.email::text AS email,
	c.phone::text AS phone
FROM @workspace@.consent n
JOIN @workspace@.contact c ON c.contact_id = n.contact_id
WHERE n.withdrawn_at IS NULL;

COMMENT ON VIEW @workspace@.current_consent IS
	'Consent that is in force now. One row a contact and channel.';
COMMENT ON COLUMN @workspace@.current_consent.consent_id IS 'Key of the consent';
COMMENT ON COLUMN @workspace@.current_consent.contact_id IS 'Who gave it';
COMMENT ON COLUMN @workspace@.current_consent.channel IS 'What for: email, phone, sms or post';
COMMENT ON COLUMN @workspace@.current_consent.basis IS 'Ground it rests on, such as opt_in';
COMMENT ON COLUMN @workspace@.current_consent.given_at IS 'Since when';
COMMENT ON COLUMN @workspace@.current_consent.submission_id IS 'Submission that proves it; NULL if recorded otherwise';
COMMENT ON COLUMN @workspace@.current_consent.full_name IS 'Name of the contact';
COMMENT ON COLUMN @workspace@.current_consent.email IS 'E-mail address of the contact';
COMMENT ON COLUMN @workspace@.current_consent.phone IS 'Phone number of the contact in E.164 form';

CREATE OR REPLACE VIEW @workspace@.contact_attribute WITH (security_invoker = true) AS
SELECT
	x.contact_id,
	f.field,
	f.type,
	CASE pg_catalog.jsonb_typeof(x.attributes -> f.field)
		WHEN 'array' THEN (SELECT pg_catalog.string_agg(v.value, ', ' ORDER BY v.number)
			FROM pg_catalog.jsonb_array_elements_text(x.attributes -> f.field) WITH ORDINALITY v (value, number))
		ELSE x.attributes ->> f.field
	END AS value
FROM @workspace@.contact x
JOIN @workspace@.field f ON f.entity = 'contact' AND f.is_active
WHERE x.attributes ->> f.field IS NOT NULL;

COMMENT ON VIEW @workspace@.contact_attribute IS
	'Custom attributes of contacts as rows; inactive fields are left out. One row a contact and filled field.';
COMMENT ON COLUMN @workspace@.contact_attribute.contact_id IS 'Key of the contact';
COMMENT ON COLUMN @workspace@.contact_attribute.field IS 'Custom field';
COMMENT ON COLUMN @workspace@.contact_attribute.type IS 'Type of the field: text, integer, number, boolean, date, timestamp, choice or choices';
COMMENT ON COLUMN @workspace@.contact_attribute.value IS 'Its value as text; several choices are comma-separated';

CREATE OR REPLACE VIEW @workspace@.account_attribute WITH (security_invoker = true) AS
SELECT
	x.account_id,
	f.field,
	f.type,
	CASE pg_catalog.jsonb_typeof(x.attributes -> f.field)
		WHEN 'array' THEN (SELECT pg_catalog.string_agg(v.value, ', ' ORDER BY v.number)
			FROM pg_catalog.jsonb_array_elements_text(x.attributes -> f.field) WITH ORDINALITY v (value, number))
		ELSE x.attributes ->> f.field
	END AS value
FROM @workspace@.account x
JOIN @workspace@.field f ON f.entity = 'account' AND f.is_active
WHERE x.attributes ->> f.field IS NOT NULL;

COMMENT ON VIEW @workspace@.account_attribute IS
	'Custom attributes of accounts as rows; inactive fields are left out. One row an account and filled field.';
COMMENT ON COLUMN @workspace@.account_attribute.account_id IS 'Key of the account';
COMMENT ON COLUMN @workspace@.account_attribute.field IS 'Custom field';
COMMENT ON COLUMN @workspace@.account_attribute.type IS 'Type of the field: text, integer, number, boolean, date, timestamp, choice or choices';
COMMENT ON COLUMN @workspace@.account_attribute.value IS 'Its value as text; several choices are comma-separated';

CREATE OR REPLACE VIEW @workspace@.lead_attribute WITH (security_invoker = true) AS
SELECT
	x.lead_id,
	f.field,
	f.type,
	CASE pg_catalog.jsonb_typeof(x.attributes -> f.field)
		WHEN 'array' THEN (SELECT pg_catalog.string_agg(v.value, ', ' ORDER BY v.number)
			FROM pg_catalog.jsonb_array_elements_text(x.attributes -> f.field) WITH ORDINALITY v (value, number))
		ELSE x.attributes ->> f.field
	END AS value
FROM @workspace@.lead x
JOIN @workspace@.field f ON f.entity = 'lead' AND f.is_active
WHERE x.attributes ->> f.field IS NOT NULL;

COMMENT ON VIEW @workspace@.lead_attribute IS
	'Custom attributes of leads as rows; inactive fields are left out. One row a lead and filled field.';
COMMENT ON COLUMN @workspace@.lead_attribute.lead_id IS 'Key of the lead';
COMMENT ON COLUMN @workspace@.lead_attribute.field IS 'Custom field';
COMMENT ON COLUMN @workspace@.lead_attribute.type IS 'Type of the field: text, integer, number, boolean, date, timestamp, choice or choices';
COMMENT ON COLUMN @workspace@.lead_attribute.value IS 'Its value as text; several choices are comma-separated';
