-- Views over stages and hand-overs.

CREATE OR REPLACE VIEW @workspace@.opportunity_profile WITH (security_invoker = true) AS
SELECT
	o.opportunity_id,
	o.lead_id,
	o.contact_id,
	a.account_id,
	o.pipeline,
	o.stage,
	o.status,
	o.name,
	o.amount,
	o.currency,
	o.probability,
	o.expected_close_on,
	o.closed_at,
	o.lost_reason,
	o.contract_reference,
	o.contract_on,
	o.agent_id,
	ca.campaign,
	o.created_at AS opportunity_created_at,
	COALESCE(
		c.full_name,
		NULLIF(pg_catalog.concat_ws(' ', c.given_name, c.family_name), '')
	) AS full_name,
	c.given_name,
	c.family_name,
	c.email::text AS email,
	c.phone::text AS phone,
	c.job_title,
	c.city,
	c.region,
	c.postal_code,
	c.country,
	c.language,
	c.customer_since,
	a.name AS company,
	a.domain AS company_domain,
	a.website,
	a.industry,
	a.employees,
	a.annual_revenue,
	a.phone::text AS company_phone,
	a.city AS company_city,
	a.country AS company_country,
	c.attributes AS contact_attributes,
	a.attributes AS account_attributes
FROM @workspace@.opportunity o
LEFT JOIN @workspace@.contact c ON c.contact_id = o.contact_id
LEFT JOIN @workspace@.account a ON a.account_id = COALESCE(o.account_id, c.account_id)
LEFT JOIN @workspace@.campaign ca ON ca.campaign_id = o.campaign_id;

COMMENT ON VIEW @workspace@.opportunity_profile IS
	'What is known about an opportunity, its contact and its account in one flat row: the names that guards of opportunity pipelines are written over. One row an opportunity.';
COMMENT ON COLUMN @workspace@.opportunity_profile.opportunity_id IS 'Key of the opportunity';
COMMENT ON COLUMN @workspace@.opportunity_profile.lead_id IS 'Lead it came from; NULL if none';
COMMENT ON COLUMN @workspace@.opportunity_profile.contact_id IS 'Person it is negotiated with';
COMMENT ON COLUMN @workspace@.opportunity_profile.account_id IS 'The opportunity''s account, or else its contact''s';
COMMENT ON COLUMN @workspace@.opportunity_profile.pipeline IS 'Process it goes through';
COMMENT ON COLUMN @workspace@.opportunity_profile.stage IS 'Stage it is in now';
COMMENT ON COLUMN @workspace@.opportunity_profile.status IS 'open, won or lost';
COMMENT ON COLUMN @workspace@.opportunity_profile.name IS 'What is for sale, and to whom';
COMMENT ON COLUMN @workspace@.opportunity_profile.amount IS 'Value of the sale, in the currency beside it';
COMMENT ON COLUMN @workspace@.opportunity_profile.currency IS 'ISO 4217 code of the amount';
COMMENT ON COLUMN @workspace@.opportunity_profile.probability IS 'Chance of winning, in percent; NULL to take that of the stage';
COMMENT ON COLUMN @workspace@.opportunity_profile.expected_close_on IS 'Day the decision is expected';
COMMENT ON COLUMN @workspace@.opportunity_profile.closed_at IS 'When it was won or lost; NULL while open';
COMMENT ON COLUMN @workspace@.opportunity_profile.lost_reason IS 'Why it was lost';
COMMENT ON COLUMN @workspace@.opportunity_profile.contract_reference IS 'Number or name of the contract';
COMMENT ON COLUMN @workspace@.opportunity_profile.contract_on IS 'Day of the contract';
COMMENT ON COLUMN @workspace@.opportunity_profile.agent_id IS 'Person in charge; NULL if none';
COMMENT ON COLUMN @workspace@.opportunity_profile.campaign IS 'Campaign to credit, by its unique name';
COMMENT ON COLUMN @workspace@.opportunity_profile.opportunity_created_at IS 'When it was created';
COMMENT ON COLUMN @workspace@.opportunity_profile.full_name IS 'The contact''s full name, else given and family name';
COMMENT ON COLUMN @workspace@.opportunity_profile.given_name IS 'The contact''s given name';
COMMENT ON COLUMN @workspace@.opportunity_profile.family_name IS 'The contact''s family name';
COMMENT ON COLUMN @workspace@.opportunity_profile.email IS 'E-mail address of the contact, in normal form';
COMMENT ON COLUMN @workspace@.opportunity_profile.phone IS 'Phone number of the contact, in E.164 form';
COMMENT ON COLUMN @workspace@.opportunity_profile.job_title IS 'The contact''s position, as given';
COMMENT ON COLUMN @workspace@.opportunity_profile.city IS 'City of the contact';
COMMENT ON COLUMN @workspace@.opportunity_profile.region IS 'State, province or the like of the contact';
COMMENT ON COLUMN @workspace@.opportunity_profile.postal_code IS 'Postal code of the contact';
COMMENT ON COLUMN @workspace@.opportunity_profile.country IS 'Country of the contact';
COMMENT ON COLUMN @workspace@.opportunity_profile.language IS 'Language the contact prefers';
COMMENT ON COLUMN @workspace@.opportunity_profile.customer_since IS 'When the contact first bought; NULL for those who have not';
COMMENT ON COLUMN @workspace@.opportunity_profile.company IS 'Name of the account';
COMMENT ON COLUMN @workspace@.opportunity_profile.company_domain IS 'Main internet domain of the account';
COMMENT ON COLUMN @workspace@.opportunity_profile.website IS 'Web address of the account';
COMMENT ON COLUMN @workspace@.opportunity_profile.industry IS 'Industry of the account';
COMMENT ON COLUMN @workspace@.opportunity_profile.employees IS 'Number of people the account employs';
COMMENT ON COLUMN @workspace@.opportunity_profile.annual_revenue IS 'Yearly revenue of the account';
COMMENT ON COLUMN @workspace@.opportunity_profile.company_phone IS 'Phone number of the account in E.164 form';
COMMENT ON COLUMN @workspace@.opportunity_profile.company_city IS 'City of the account';
COMMENT ON COLUMN @workspace@.opportunity_profile.company_country IS 'Country of the account';
COMMENT ON COLUMN @workspace@.opportunity_profile.contact_attributes IS 'Custom attributes of the contact; NULL without a contact';
COMMENT ON COLUMN @workspace@.opportunity_profile.account_attributes IS 'Custom attributes of the account; NULL without an account';

CREATE OR REPLACE VIEW @workspace@.pipeline_problem WITH (security_invoker = true) AS
WITH RECURSIVE reach AS (
	SELECT s.pipeline, s.stage AS from_stage, s.stage AS to_stage
	FROM @workspace@.stage s
	UNION
	SELECT r.pipeline, r.from_stage, t.to_stage
	FROM reach r
	JOIN @workspace@.stage_transition t ON t.pipeline = r.pipeline AND t.from_stage = r.to_stage
),
automatic AS (
	SELECT t.pipeline, t.from_stage, t.to_stage
	FROM @workspace@.stage_transition t
	JOIN @workspace@.pipeline p ON p.pipeline = t.pipeline
	JOIN @workspace@.stage f ON f.pipeline = t.pipeline AND f.stage = t.from_stage
	JOIN @workspace@.stage n ON n.pipeline = t.pipeline AND n.stage = t.to_stage
	WHERE p.moves_on_first_score AND f.kind = 'entry' AND n.role = 'scored'
		OR p.moves_when_sales_ready AND n.role = 'sales_ready' AND f.sequence < n.sequence
		OR p.moves_on_step AND f.moves_when_complete AND t.kind = 'next' AND EXISTS (
			SELECT FROM @workspace@.stage_step e
			WHERE e.pipeline = f.pipeline AND e.stage = f.stage AND e.is_required)
		OR EXISTS (
			SELECT FROM @workspace@.automatic_move m
			WHERE m.pipeline = t.pipeline AND m.from_stage = t.from_stage AND m.to_stage = t.to_stage AND m.is_active
				AND CASE m.cause WHEN 'timer' THEN p.moves_on_timer ELSE p.moves_on_interaction END)
),
way AS (
	SELECT a.pipeline, a.from_stage AS start, a.to_stage AS at, ARRAY[a.from_stage, a.to_stage] AS stages
	FROM automatic a
	WHERE a.to_stage > a.from_stage
	UNION ALL
	SELECT w.pipeline, w.start, a.to_stage, w.stages || a.to_stage
	FROM way w
	JOIN automatic a ON a.pipeline = w.pipeline AND a.from_stage = w.at
	WHERE w.at <> w.start AND (a.to_stage = w.start OR a.to_stage <> ALL (w.stages)) AND a.to_stage >= w.start
)
SELECT p.pipeline, 'error'::text AS severity, 'it has no entry stage'::text AS problem
FROM @workspace@.pipeline p
WHERE NOT EXISTS (SELECT FROM @workspace@.stage s WHERE s.pipeline = p.pipeline AND s.kind = 'entry')
UNION ALL
SELECT p.pipeline, 'error', 'it has no stage that ends it'
FROM @workspace@.pipeline p
WHERE NOT EXISTS (SELECT FROM @workspace@.stage s WHERE s.pipeline = p.pipeline AND s.kind IN ('won', 'lost'))
UNION ALL
SELECT s.pipeline, 'error', pg_catalog.format('from "%s" no end can be reached', s.stage)
FROM @workspace@.stage s
WHERE NOT EXISTS (
	SELECT FROM reach r
	JOIN @workspace@.stage e ON e.pipeline = r.pipeline AND e.stage = r.to_stage AND e.kind IN ('won', 'lost')
	WHERE r.pipeline = s.pipeline AND r.from_stage = s.stage)
UNION ALL
SELECT t.pipeline, 'error', pg_catalog.format('a transition leads out of "%s", which ends it', t.from_stage)
FROM @workspace@.stage_transition t
JOIN @workspace@.stage s ON s.pipeline = t.pipeline AND s.stage = t.from_stage AND s.kind IN ('won', 'lost')
UNION ALL
SELECT s.pipeline, 'warning', pg_catalog.format('"%s" cannot be reached', s.stage)
FROM @workspace@.stage s
WHERE s.kind <> 'entry'
	AND EXISTS (SELECT FROM @workspace@.stage e WHERE e.pipeline = s.pipeline AND e.kind = 'entry')
	AND NOT EXISTS (
		SELECT FROM reach r
		JOIN @workspace@.stage e ON e.pipeline = r.pipeline AND e.stage = r.from_stage AND e.kind = 'entry'
		WHERE r.pipeline = s.pipeline AND r.to_stage = s.stage)
UNION ALL
SELECT s.pipeline, 'warning', pg_catalog.format('"%s" moves on when its steps are complete, but has no transition of kind next', s.stage)
FROM @workspace@.stage s
WHERE s.moves_when_complete
	AND NOT EXISTS (
		SELECT FROM @workspace@.stage_transition t
		WHERE t.pipeline = s.pipeline AND t.from_stage = s.stage AND t.kind = 'next')
UNION ALL
SELECT w.pipeline, 'warning', pg_catalog.concat('automatic moves go round in a circle: ', pg_catalog.array_to_string(w.stages, ' > '))
FROM way w
WHERE w.at = w.start;

COMMENT ON VIEW @workspace@.pipeline_problem IS
	'What is wrong with pipelines. Errors keep a pipeline from being activated; warnings do not. One row a problem; none when all is well.';
COMMENT ON COLUMN @workspace@.pipeline_problem.pipeline IS 'Pipeline';
COMMENT ON COLUMN @workspace@.pipeline_problem.severity IS 'error or warning';
COMMENT ON COLUMN @workspace@.pipeline_problem.problem IS 'What is wrong, in words';

CREATE OR REPLACE VIEW @workspace@.stage_ageing WITH (security_invoker = true) AS
SELECT
	p.entity,
	l.lead_id,
	NULL::bigint AS opportunity_id,
	l.pipeline,
	l.stage,
	s.label,
	l.stage_entered_at,
	pg_catalog.now() - l.stage_entered_at AS age,
	s.maximum_age,
	pg_catalog.now() - l.stage_entered_at - s.maximum_age AS overdue_by,
	t.team,
	g.agent
FROM @workspace@.stage s
JOIN @workspace@.pipeline p ON p.pipeline = s.pipeline AND p.entity = 'lead'
JOIN @workspace@.lead l ON l.pipeline = s.pipeline AND l.stage = s.stage AND l.status = 'open'
	AND l.stage_entered_at < pg_catalog.now() - s.maximum_age
LEFT JOIN @workspace@.team t ON t.team_id = l.team_id
LEFT JOIN @workspace@.agent g ON g.agent_id = l.agent_id
UNION ALL
SELECT
	p.entity,
	o.lead_id,
	o.opportunity_id,
	o.pipeline,
	o.stage,
	s.label,
	o.stage_entered_at,
	pg_catalog.now() - o.stage_entered_at,
	s.maximum_age,
	pg_catalog.now() - o.stage_entered_at - s.maximum_age,
	t.team,
	g.agent
FROM @workspace@.stage s
JOIN @workspace@.pipeline p ON p.pipeline = s.pipeline AND p.entity = 'opportunity'
JOIN @workspace@.opportunity o ON o.pipeline = s.pipeline AND o.stage = s.stage AND o.status = 'open'
	AND o.stage_entered_at < pg_catalog.now() - s.maximum_age
LEFT JOIN @workspace@.agent g ON g.agent_id = o.agent_id
LEFT JOIN @workspace@.team t ON t.team_id = g.team_id;

COMMENT ON VIEW @workspace@.stage_ageing IS
	'Open leads and opportunities that have been in their stage for longer than its maximum age. One row each.';
COMMENT ON COLUMN @workspace@.stage_ageing.entity IS 'lead or opportunity';
COMMENT ON COLUMN @workspace@.stage_ageing.lead_id IS 'The lead, or the one the opportunity came from; NULL if none';
COMMENT ON COLUMN @workspace@.stage_ageing.opportunity_id IS 'The opportunity; NULL for a lead';
COMMENT ON COLUMN @workspace@.stage_ageing.pipeline IS 'Pipeline';
COMMENT ON COLUMN @workspace@.stage_ageing.stage IS 'Stage it is in';
COMMENT ON COLUMN @workspace@.stage_ageing.label IS 'The stage in words';
COMMENT ON COLUMN @workspace@.stage_ageing.stage_entered_at IS 'Since when';
COMMENT ON COLUMN @workspace@.stage_ageing.age IS 'For how long';
COMMENT ON COLUMN @workspace@.stage_ageing.maximum_age IS 'How long it should stay at most';
COMMENT ON COLUMN @workspace@.stage_ageing.overdue_by IS 'By how much it is past that';
COMMENT ON COLUMN @workspace@.stage_ageing.team IS 'Team that works on it; NULL if none';
COMMENT ON COLUMN @workspace@.stage_ageing.agent IS 'Person who works on it; NULL if none';

CREATE OR REPLACE VIEW @workspace@.unanswered_handover WITH (security_invoker = true) AS
SELECT
	h.handover_id,
	h.lead_id,
	l.pipeline,
	l.stage,
	f.team AS from_team,
	t.team AS to_team,
	g.agent AS to_agent,
	h.reason,
	h.handed_over_at,
	pg_catalog.now() - h.handed_over_at AS waiting,
	pg_catalog.round(EXTRACT(epoch FROM pg_catalog.now() - h.handed_over_at) / 3600, 1) AS hours_waiting,
	pg_catalog.now() - h.handed_over_at > p.answer_within AS is_overdue
FROM @workspace@.handover h
JOIN @workspace@.lead l ON l.lead_id = h.lead_id
JOIN @workspace@.pipeline p ON p.pipeline = l.pipeline
JOIN @workspace@.team t ON t.team_id = h.to_team_id
LEFT JOIN @workspace@.team f ON f.team_id = h.from_team_id
LEFT JOIN @workspace@.agent g ON g.agent_id = h.to_agent_id
WHERE h.accepted_at IS NULL AND h.rejected_at IS NULL;

COMMENT ON VIEW @workspace@.unanswered_handover IS
	'Hand-overs that were neither accepted nor rejected yet. One row a hand-over; WHERE is_overdue, or hours_waiting > 8, picks those that wait too long.';
COMMENT ON COLUMN @workspace@.unanswered_handover.handover_id IS 'Key, for accept_handover() and reject_handover()';
COMMENT ON COLUMN @workspace@.unanswered_handover.lead_id IS 'Lead';
COMMENT ON COLUMN @workspace@.unanswered_handover.pipeline IS 'Process the lead goes through';
COMMENT ON COLUMN @workspace@.unanswered_handover.stage IS 'Stage it is in now';
COMMENT ON COLUMN @workspace@.unanswered_handover.from_team IS 'Team that had it; NULL if none had';
COMMENT ON COLUMN @workspace@.unanswered_handover.to_team IS 'Team that is to take it';
COMMENT ON COLUMN @workspace@.unanswered_handover.to_agent IS 'Agent who is to take it; NULL if that is left to the team';
COMMENT ON COLUMN @workspace@.unanswered_handover.reason IS 'Why, or the stage entered';
COMMENT ON COLUMN @workspace@.unanswered_handover.handed_over_at IS 'Since when it waits';
COMMENT ON COLUMN @workspace@.unanswered_handover.waiting IS 'For how long';
COMMENT ON COLUMN @workspace@.unanswered_handover.hours_waiting IS 'The same in hours';
COMMENT ON COLUMN @workspace@.unanswered_handover.is_overdue IS 'True when that is longer than answer_within of the pipeline';

CREATE OR REPLACE VIEW @workspace@.sales_lead WITH (security_invoker = true) AS
SELECT
	l.lead_id,
	COALESCE(c.full_name, NULLIF(pg_catalog.concat_ws(' ', c.given_name, c.family_name), ''), l.contact_name) AS full_name,
	COALESCE(a.name, l.company_name) AS company,
	COALESCE(c.email, l.email)::text AS email,
	COALESCE(c.phone, l.phone)::text AS phone,
	l.title,
	l.product,
	l.pipeline,
	l.stage,
	s.label AS stage_label,
	l.qualification,
	l.sales_ready_at,
	t.team,
	g.agent,
	l.last_interaction_at,
	l.priority,
	(SELECT pg_catalog.min(k.due_at) FROM @workspace@.task k WHERE k.lead_id = l.lead_id AND k.state = 'open') AS due_at,
	g.agent_id
FROM @workspace@.lead l
LEFT JOIN @workspace@.contact c ON c.contact_id = l.contact_id
LEFT JOIN @workspace@.account a ON a.account_id = COALESCE(l.account_id, c.account_id)
LEFT JOIN @workspace@.stage s ON s.pipeline = l.pipeline AND s.stage = l.stage
LEFT JOIN @workspace@.team t ON t.team_id = l.team_id
LEFT JOIN @workspace@.agent g ON g.agent_id = l.agent_id
WHERE l.status = 'open' AND l.sales_ready_at IS NOT NULL;

COMMENT ON VIEW @workspace@.sales_lead IS
	'The open leads that are ready for sales, and no others. One row a lead. For roles with access sales_ready, a policy keeps the others out of every view.';
COMMENT ON COLUMN @workspace@.sales_lead.lead_id IS 'Key of the lead';
COMMENT ON COLUMN @workspace@.sales_lead.full_name IS 'Name of the person';
COMMENT ON COLUMN @workspace@.sales_lead.company IS 'Name of the company';
COMMENT ON COLUMN @workspace@.sales_lead.email IS 'E-mail address in normal form';
COMMENT ON COLUMN @workspace@.sales_lead.phone IS 'Phone number in E.164 form';
COMMENT ON COLUMN @workspace@.sales_lead.title IS 'Subject of the lead';
COMMENT ON COLUMN @workspace@.sales_lead.product IS 'Product asked about';
COMMENT ON COLUMN @workspace@.sales_lead.pipeline IS 'Process the lead goes through';
COMMENT ON COLUMN @workspace@.sales_lead.stage IS 'Stage it is in now';
COMMENT ON COLUMN @workspace@.sales_lead.stage_label IS 'That stage, in words';
COMMENT ON COLUMN @workspace@.sales_lead.qualification IS 'sales_ready, or sales_accepted once sales took it';
COMMENT ON COLUMN @workspace@.sales_lead.sales_ready_at IS 'Since when it is ready';
COMMENT ON COLUMN @workspace@.sales_lead.team IS 'Team that works on it; NULL if none';
COMMENT ON COLUMN @workspace@.sales_lead.agent IS 'Person who works on it; NULL if nobody took it yet';
COMMENT ON COLUMN @workspace@.sales_lead.last_interaction_at IS 'When something last passed between us';
COMMENT ON COLUMN @workspace@.sales_lead.priority IS 'The greater, the sooner';
COMMENT ON COLUMN @workspace@.sales_lead.due_at IS 'When its first open task is due; NULL without';
COMMENT ON COLUMN @workspace@.sales_lead.agent_id IS 'Key of that person; NULL if nobody took it yet';

CREATE OR REPLACE VIEW @workspace@.lead_milestone WITH (security_invoker = true) AS
SELECT
	l.lead_id,
	l.pipeline,
	l.created_at,
	l.sales_ready_at,
	m.sales_acceptance_at,
	m.sales_accepted_at,
	m.closed_at,
	m.sales_acceptance_at - l.created_at AS time_to_sales_acceptance,
	COALESCE(m.sales_accepted_at, m.closed_at) - m.sales_acceptance_at AS time_to_answer
FROM @workspace@.lead l
CROSS JOIN LATERAL (
	SELECT
		pg_catalog.min(v.moved_at) FILTER (WHERE s.role = 'sales_ready') AS sales_acceptance_at,
		pg_catalog.max(v.moved_at) FILTER (WHERE s.kind IN ('won', 'lost') AND l.status <> 'open') AS closed_at,
		(SELECT pg_catalog.min(e.completed_at)
		 FROM @workspace@.lead_step e
		 JOIN @workspace@.stage_step d ON d.pipeline = e.pipeline AND d.stage = e.stage AND d.step = e.step
		 WHERE e.lead_id = l.lead_id AND d.qualification = 'sales_accepted') AS sales_accepted_at
	FROM @workspace@.stage_move v
	JOIN @workspace@.stage s ON s.pipeline = v.pipeline AND s.stage = v.to_stage
	WHERE v.lead_id = l.lead_id
) m;

COMMENT ON VIEW @workspace@.lead_milestone IS
	'When leads got how far, from creation to acceptance by sales; stage_history has every stay between. One row a lead.';
COMMENT ON COLUMN @workspace@.lead_milestone.lead_id IS 'Key of the lead';
COMMENT ON COLUMN @workspace@.lead_milestone.pipeline IS 'Process it goes through';
COMMENT ON COLUMN @workspace@.lead_milestone.created_at IS 'When it was created';
COMMENT ON COLUMN @workspace@.lead_milestone.sales_ready_at IS 'When it became sales-ready; NULL if it has not';
COMMENT ON COLUMN @workspace@.lead_milestone.sales_acceptance_at IS 'When it first entered the stage of sales-ready leads; NULL if it has not';
COMMENT ON COLUMN @workspace@.lead_milestone.sales_accepted_at IS 'When sales first accepted it; NULL if they have not';
COMMENT ON COLUMN @workspace@.lead_milestone.closed_at IS 'When it was converted or disqualified; NULL while open';
COMMENT ON COLUMN @workspace@.lead_milestone.time_to_sales_acceptance IS 'From creation to the stage of sales-ready leads';
COMMENT ON COLUMN @workspace@.lead_milestone.time_to_answer IS 'From there until sales accepted it, or else it was closed';

CREATE OR REPLACE VIEW @workspace@.life_cycle WITH (security_invoker = true) AS
SELECT
	d.contact_id,
	CASE
		WHEN d.customer_at IS NOT NULL THEN 'customer'
		WHEN d.opportunity_at IS NOT NULL THEN 'opportunity'
		WHEN d.qualified_at IS NOT NULL THEN 'qualified_lead'
		WHEN d.nurtured_at IS NOT NULL THEN 'nurtured_lead'
		WHEN d.lead_at IS NOT NULL THEN 'lead'
		ELSE 'visitor'
	END AS level,
	CASE
		WHEN d.customer_at IS NOT NULL THEN 6
		WHEN d.opportunity_at IS NOT NULL THEN 5
		WHEN d.qualified_at IS NOT NULL THEN 4
		WHEN d.nurtured_at IS NOT NULL THEN 3
		WHEN d.lead_at IS NOT NULL THEN 2
		ELSE 1
	END AS level_number,
	d.visitor_at,
	d.lead_at,
	d.nurtured_at,
	d.qualified_at,
	d.opportunity_at,
	d.customer_at
FROM (
	SELECT
		c.contact_id,
		LEAST(c.created_at, i.first_at) AS visitor_at,
		l.lead_at,
		CASE WHEN l.lead_at IS NOT NULL THEN i.nurtured_at END AS nurtured_at,
		LEAST(l.ready_at, l.moved_at) AS qualified_at,
		o.opportunity_at,
		LEAST(CASE WHEN r.reset_at IS NULL OR c.customer_since > r.reset_at THEN c.customer_since END, o.won_at) AS customer_at
	FROM @workspace@.contact c
	LEFT JOIN @workspace@.life_cycle_reset r ON r.contact_id = c.contact_id
	CROSS JOIN LATERAL (
		SELECT
			pg_catalog.min(x.occurred_at) AS first_at,
			pg_catalog.min(x.occurred_at) FILTER (WHERE k.direction = 'outbound' AND (r.reset_at IS NULL OR x.occurred_at > r.reset_at)) AS nurtured_at
		FROM @workspace@.interaction x
		LEFT JOIN @workspace@.interaction_kind k ON k.kind = x.kind
		WHERE x.contact_id = c.contact_id
	) i
	CROSS JOIN LATERAL (
		SELECT
			pg_catalog.min(x.created_at) FILTER (WHERE r.reset_at IS NULL OR x.created_at > r.reset_at) AS lead_at,
			pg_catalog.min(x.sales_ready_at) FILTER (WHERE r.reset_at IS NULL OR x.sales_ready_at > r.reset_at) AS ready_at,
			pg_catalog.min(m.moved_at) FILTER (WHERE r.reset_at IS NULL OR m.moved_at > r.reset_at) AS moved_at
		FROM @workspace@.lead x
		LEFT JOIN LATERAL (
			SELECT pg_catalog.min(v.moved_at) AS moved_at
			FROM @workspace@.stage_move v
			JOIN @workspace@.stage s ON s.pipeline = v.pipeline AND s.stage = v.to_stage AND s.role = 'sales_ready'
			WHERE v.lead_id = x.lead_id
		) m ON true
		WHERE x.contact_id = c.contact_id
	) l
	CROSS JOIN LATERAL (
		SELECT
			pg_catalog.min(x.created_at) FILTER (WHERE r.reset_at IS NULL OR x.created_at > r.reset_at) AS opportunity_at,
			pg_catalog.min(x.closed_at) FILTER (WHERE x.status = 'won' AND (r.reset_at IS NULL OR x.closed_at > r.reset_at)) AS won_at
		FROM @workspace@.opportunity x
		WHERE x.contact_id = c.contact_id
	) o
) d;

COMMENT ON VIEW @workspace@.life_cycle IS
	'How far each person has come: visitor, lead, nurtured_lead (we wrote or called), qualified_lead (sales-ready), opportunity, customer. Derived from what happened, so that a level once reached is kept, with the time it was first reached, until clear_life_cycle(). One row a contact; what an anonymous visitor did counts once he is identified.';
COMMENT ON COLUMN @workspace@.life_cycle.contact_id IS 'Person';
COMMENT ON COLUMN @workspace@.life_cycle.level IS 'Highest level reached';
COMMENT ON COLUMN @workspace@.life_cycle.level_number IS 'The same as a number, from 1 for visitor to 6 for customer';
COMMENT ON COLUMN @workspace@.life_cycle.visitor_at IS 'When we first heard of the person, under a cookie perhaps';
COMMENT ON COLUMN @workspace@.life_cycle.lead_at IS 'When the first lead arose; NULL without any';
COMMENT ON COLUMN @workspace@.life_cycle.nurtured_at IS 'When we first wrote or called; NULL if we did not';
COMMENT ON COLUMN @workspace@.life_cycle.qualified_at IS 'When a lead was first sales-ready; NULL if none was';
COMMENT ON COLUMN @workspace@.life_cycle.opportunity_at IS 'When the first opportunity arose; NULL without any';
COMMENT ON COLUMN @workspace@.life_cycle.customer_at IS 'When the person first bought; NULL if never';
