-- Attribution: touches, credits, what channels and campaigns bring.
-- Amounts are added up as they are stored, but where a currency is asked for.

CREATE OR REPLACE VIEW @workspace@.opportunity_touch WITH (security_invoker = true) AS
SELECT
	t.opportunity_id,
	t.position,
	t.touches,
	t.interaction_id,
	t.contact_id,
	t.occurred_at,
	t.kind,
	t.channel,
	t.campaign_id,
	t.campaign,
	t.creative,
	t.page,
	t.status,
	t.closed_at,
	t.amount,
	t.position = 1 AS is_first,
	t.position = t.touches AS is_last,
	t.is_direct,
	t.lead_created_at,
	t.opportunity_created_at,
	t.currency
FROM (
	SELECT
		o.opportunity_id,
		o.status,
		o.closed_at,
		COALESCE(o.amount, 0) AS amount,
		o.currency,
		o.created_at AS opportunity_created_at,
		l.created_at AS lead_created_at,
		i.is_direct,
		i.interaction_id,
		i.contact_id,
		i.occurred_at,
		i.kind,
		i.channel,
		i.campaign_id,
		ca.campaign,
		i.creative,
		i.page,
		pg_catalog.row_number() OVER (
			PARTITION BY o.opportunity_id, o.status ORDER BY i.occurred_at, i.interaction_id
		) AS position,
		pg_catalog.count(*) OVER (PARTITION BY o.opportunity_id, o.status) AS touches
	FROM @workspace@.opportunity o
	LEFT JOIN @workspace@.lead l ON l.lead_id = o.lead_id
	JOIN @workspace@.touch i ON i.contact_id = COALESCE(o.contact_id, l.contact_id)
		AND (o.closed_at IS NULL OR i.occurred_at <= o.closed_at)
	LEFT JOIN @workspace@.campaign ca ON ca.campaign_id = i.campaign_id
) t;

COMMENT ON VIEW @workspace@.opportunity_touch IS
	'The touches of each opportunity: those of its contact up to its close. One row an opportunity and touch.';
COMMENT ON COLUMN @workspace@.opportunity_touch.opportunity_id IS 'Key of the opportunity';
COMMENT ON COLUMN @workspace@.opportunity_touch.position IS 'Place of the touch in time, from 1';
COMMENT ON COLUMN @workspace@.opportunity_touch.touches IS 'Touches the opportunity has in all';
COMMENT ON COLUMN @workspace@.opportunity_touch.interaction_id IS 'Key of the interaction';
COMMENT ON COLUMN @workspace@.opportunity_touch.contact_id IS 'The person touched';
COMMENT ON COLUMN @workspace@.opportunity_touch.occurred_at IS 'When';
COMMENT ON COLUMN @workspace@.opportunity_touch.kind IS 'Kind of interaction';
COMMENT ON COLUMN @workspace@.opportunity_touch.channel IS 'Marketing channel';
COMMENT ON COLUMN @workspace@.opportunity_touch.campaign_id IS 'Key of the campaign; NULL if none is known';
COMMENT ON COLUMN @workspace@.opportunity_touch.campaign IS 'Name of the campaign';
COMMENT ON COLUMN @workspace@.opportunity_touch.creative IS 'Advertisement or text variant, if known';
COMMENT ON COLUMN @workspace@.opportunity_touch.page IS 'Landing page, if known';
COMMENT ON COLUMN @workspace@.opportunity_touch.status IS 'Status of the opportunity: open, won or lost';
COMMENT ON COLUMN @workspace@.opportunity_touch.closed_at IS 'When the opportunity was closed; NULL while open';
COMMENT ON COLUMN @workspace@.opportunity_touch.amount IS 'Amount of the opportunity, in its currency; 0 if not known';
COMMENT ON COLUMN @workspace@.opportunity_touch.is_first IS 'True for the first touch';
COMMENT ON COLUMN @workspace@.opportunity_touch.is_last IS 'True for the last touch';
COMMENT ON COLUMN @workspace@.opportunity_touch.is_direct IS 'True for a channel that stands for direct visits';
COMMENT ON COLUMN @workspace@.opportunity_touch.lead_created_at IS 'When its lead was created; NULL without one';
COMMENT ON COLUMN @workspace@.opportunity_touch.opportunity_created_at IS 'When the opportunity was created';
COMMENT ON COLUMN @workspace@.opportunity_touch.currency IS 'ISO 4217 code of the amount';

CREATE OR REPLACE FUNCTION @workspace@.response_path(opportunity_id bigint)
RETURNS TABLE (
	"position" bigint,
	occurred_at timestamptz,
	kind text,
	channel text,
	campaign text,
	creative text,
	page text,
	interaction_id bigint
)
LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 20 SET search_path = pg_catalog, pg_temp
AS $function$
	SELECT t.position, t.occurred_at, t.kind, t.channel, t.campaign, t.creative, t.page, t.interaction_id
	FROM @workspace@.opportunity_touch t
	WHERE t.opportunity_id = $1
	ORDER BY t.position
$function$;

COMMENT ON FUNCTION @workspace@.response_path(bigint) IS
	'The touches that led to an opportunity, from the first advertisement to the last before its close; no rows when there was none';

CREATE OR REPLACE VIEW @workspace@.attribution WITH (security_invoker = true) AS
SELECT
	c.opportunity_id,
	c.model,
	c.position,
	c.touches,
	c.interaction_id,
	c.contact_id,
	c.occurred_at,
	c.kind,
	c.channel,
	c.campaign_id,
	c.campaign,
	c.creative,
	c.converted_at,
	c.credit,
	lead_mgmt.allocate(c.amount, c.credit, c.digits) OVER (
		PARTITION BY c.opportunity_id, c.model ORDER BY c.position
	) AS amount,
	c.currency
FROM (
	SELECT
		t.opportunity_id,
		m.model,
		t.position,
		t.touches,
		t.interaction_id,
		t.contact_id,
		t.occurred_at,
		t.kind,
		t.channel,
		t.campaign_id,
		t.campaign,
		t.creative,
		t.closed_at AS converted_at,
		t.amount,
		GREATEST(lead_mgmt.currency_digits(t.currency), pg_catalog.min_scale(t.amount)) AS digits,
		lead_mgmt.touch_credit(m.definition::text, t.occurred_at, t.channel, t.is_direct, t.closed_at,
			t.lead_created_at, t.opportunity_created_at) OVER (
			PARTITION BY t.opportunity_id, m.model ORDER BY t.position
		) AS credit,
		t.currency
	FROM @workspace@.opportunity_touch t
	CROSS JOIN @workspace@.attribution_model m
	WHERE t.status = 'won' AND m.definition ->> 'kind' IS DISTINCT FROM 'markov'
		AND NOT EXISTS (
			SELECT FROM @workspace@.attributed_conversion k
			WHERE k.opportunity_id = t.opportunity_id AND NOT k.is_open)
) c
UNION ALL
SELECT
	o.opportunity_id,
	m.model,
	NULL,
	0,
	NULL,
	o.contact_id,
	NULL,
	NULL,
	NULL,
	NULL,
	NULL,
	NULL,
	o.closed_at,
	1,
	COALESCE(o.amount, 0),
	o.currency
FROM @workspace@.opportunity o
CROSS JOIN @workspace@.attribution_model m
WHERE o.status = 'won' AND m.definition ->> 'kind' IS DISTINCT FROM 'markov'
	AND NOT EXISTS (
		SELECT FROM @workspace@.opportunity_touch t
		WHERE t.status = 'won' AND t.opportunity_id = o.opportunity_id)
	AND NOT EXISTS (
		SELECT FROM @workspace@.attributed_conversion k
		WHERE k.opportunity_id = o.opportunity_id AND NOT k.is_open)
UNION ALL
SELECT
	k.opportunity_id,
	t.model,
	NULLIF(t.position, 0),
	t.touches,
	t.interaction_id,
	COALESCE(i.contact_id, o.contact_id),
	i.occurred_at,
	i.kind,
	i.channel,
	i.campaign_id,
	ca.campaign,
	i.creative,
	k.converted_at,
	t.credit,
	t.amount,
	o.currency
FROM @workspace@.attributed_conversion k
JOIN @workspace@.opportunity o ON o.opportunity_id = k.opportunity_id
JOIN @workspace@.attributed_touch t ON t.opportunity_id = k.opportunity_id
LEFT JOIN @workspace@.interaction i ON i.interaction_id = t.interaction_id
LEFT JOIN @workspace@.campaign ca ON ca.campaign_id = i.campaign_id
WHERE NOT k.is_open;

COMMENT ON VIEW @workspace@.attribution IS
	'What each touch of each won opportunity is credited with by each attribution model, but Markov chains, for which there is attribute(). The credits of an opportunity by a model add up to 1 and the amounts to its amount exactly, but by participation. An opportunity without touches has one row with all of it and no touch. Ask for one model or one opportunity where you need no more: only what is asked for is computed, and of that only what refresh_attribution() has not worked out already. One row an opportunity, model and touch.';
COMMENT ON COLUMN @workspace@.attribution.opportunity_id IS 'Key of the opportunity that was won';
COMMENT ON COLUMN @workspace@.attribution.model IS 'Attribution model';
COMMENT ON COLUMN @workspace@.attribution.position IS 'Place of the touch in time, from 1; NULL where there is none';
COMMENT ON COLUMN @workspace@.attribution.touches IS 'Touches the opportunity has in all';
COMMENT ON COLUMN @workspace@.attribution.interaction_id IS 'Key of the interaction';
COMMENT ON COLUMN @workspace@.attribution.contact_id IS 'The person touched';
COMMENT ON COLUMN @workspace@.attribution.occurred_at IS 'When';
COMMENT ON COLUMN @workspace@.attribution.kind IS 'Kind of interaction';
COMMENT ON COLUMN @workspace@.attribution.channel IS 'Marketing channel; NULL where there is no touch';
COMMENT ON COLUMN @workspace@.attribution.campaign_id IS 'Key of the campaign; NULL if none is known';
COMMENT ON COLUMN @workspace@.attribution.campaign IS 'Name of the campaign';
COMMENT ON COLUMN @workspace@.attribution.creative IS 'Advertisement or text variant, if known';
COMMENT ON COLUMN @workspace@.attribution.converted_at IS 'When the opportunity was won';
COMMENT ON COLUMN @workspace@.attribution.credit IS 'Share of the conversion, from 0 to 1';
COMMENT ON COLUMN @workspace@.attribution.amount IS 'Share of the amount, in whole minor units of the currency';
COMMENT ON COLUMN @workspace@.attribution.currency IS 'ISO 4217 code of the amount';

CREATE OR REPLACE VIEW @workspace@.channel_attribution WITH (security_invoker = true) AS
SELECT c.model, c.channel, c.label, c.currency_code AS currency, c.won, c.revenue
FROM @workspace@.channel_attribution('-infinity', 'infinity') c;

COMMENT ON VIEW @workspace@.channel_attribution IS
	'What each channel is credited with by each attribution model, as in attribution, Markov chains included; by a model the channels add up to all that was won, but by participation. One row a model, channel and currency.';
COMMENT ON COLUMN @workspace@.channel_attribution.model IS 'Attribution model';
COMMENT ON COLUMN @workspace@.channel_attribution.channel IS 'Marketing channel, or (none) for opportunities without a touch';
COMMENT ON COLUMN @workspace@.channel_attribution.label IS 'The channel in words';
COMMENT ON COLUMN @workspace@.channel_attribution.currency IS 'ISO 4217 code of the revenue';
COMMENT ON COLUMN @workspace@.channel_attribution.won IS 'Won opportunities that it is credited with; has fractions';
COMMENT ON COLUMN @workspace@.channel_attribution.revenue IS 'Their amounts that it is credited with';

CREATE OR REPLACE VIEW @workspace@.channel_performance WITH (security_invoker = true) AS
SELECT
	c.channel,
	c.label,
	c.interactions,
	c.contacts,
	c.leads,
	c.cost,
	c.won,
	c.first_touch_won,
	c.last_touch_won,
	c.linear_won,
	c.first_touch_revenue,
	c.last_touch_revenue,
	c.linear_revenue,
	c.cost_per_lead,
	c.win_rate,
	c.return_on_cost
FROM @workspace@.channel_performance('-infinity', 'infinity') c
ORDER BY c.channel;

COMMENT ON VIEW @workspace@.channel_performance IS
	'What each channel costs and brings. Credit goes to the touches of won opportunities by first touch, last touch and linear, as in attribution (other models are in channel_attribution); what has no channel, and wins without any touch, stand at (none), so that the revenue columns each add up to all revenue. Channels without anything are listed too. One row a channel.';
COMMENT ON COLUMN @workspace@.channel_performance.channel IS 'Marketing channel, or (none)';
COMMENT ON COLUMN @workspace@.channel_performance.label IS 'The channel in words';
COMMENT ON COLUMN @workspace@.channel_performance.interactions IS 'Interactions over the channel, of every kind';
COMMENT ON COLUMN @workspace@.channel_performance.contacts IS 'Persons who had any of them; somebody reached over two channels counts in both';
COMMENT ON COLUMN @workspace@.channel_performance.leads IS 'Leads that came by the channel';
COMMENT ON COLUMN @workspace@.channel_performance.cost IS 'Money spent: costs of campaigns, by the channel of the cost, else of its campaign, and of single interactions';
COMMENT ON COLUMN @workspace@.channel_performance.won IS 'Won opportunities with at least one touch over the channel; those with several channels count in each. At (none), those without any touch';
COMMENT ON COLUMN @workspace@.channel_performance.first_touch_won IS 'Won opportunities whose first touch was over the channel';
COMMENT ON COLUMN @workspace@.channel_performance.last_touch_won IS 'Won opportunities whose last touch was over the channel';
COMMENT ON COLUMN @workspace@.channel_performance.linear_won IS 'Won opportunities divided equally among their touches';
COMMENT ON COLUMN @workspace@.channel_performance.first_touch_revenue IS 'Revenue of the opportunities whose first touch was over the channel';
COMMENT ON COLUMN @workspace@.channel_performance.last_touch_revenue IS 'Revenue of the opportunities whose last touch was over the channel';
COMMENT ON COLUMN @workspace@.channel_performance.linear_revenue IS 'Revenue divided equally among the touches of each opportunity, to the cent';
COMMENT ON COLUMN @workspace@.channel_performance.cost_per_lead IS 'Cost for each lead of the channel; NULL without leads';
COMMENT ON COLUMN @workspace@.channel_performance.win_rate IS 'Won opportunities by first touch, in percent of the channel''s leads; NULL without leads';
COMMENT ON COLUMN @workspace@.channel_performance.return_on_cost IS 'Linear revenue less cost, divided by cost: 0.25 is a gain of a quarter; NULL when the cost is 0';

CREATE OR REPLACE VIEW @workspace@.campaign_roi WITH (security_invoker = true) AS
SELECT
	c.campaign_id,
	c.campaign,
	c.parent,
	c.channel,
	c.currency_code AS currency,
	c.budget,
	c.cost,
	c.leads,
	c.won,
	c.revenue,
	c.cost_per_lead,
	c.roi,
	c.parent_id
FROM @workspace@.campaign_roi('-infinity', 'infinity') c
ORDER BY c.campaign;

COMMENT ON VIEW @workspace@.campaign_roi IS
	'What each campaign costs and brings. A won opportunity counts for its own campaign, else for that of its lead. The waves of a campaign are rows of their own, not added to their parent. One row a campaign.';
COMMENT ON COLUMN @workspace@.campaign_roi.campaign_id IS 'Key of the campaign';
COMMENT ON COLUMN @workspace@.campaign_roi.campaign IS 'Campaign';
COMMENT ON COLUMN @workspace@.campaign_roi.parent IS 'Campaign it is a part of; NULL if it stands by itself';
COMMENT ON COLUMN @workspace@.campaign_roi.channel IS 'Main channel of the campaign';
COMMENT ON COLUMN @workspace@.campaign_roi.currency IS 'Currency of its budget';
COMMENT ON COLUMN @workspace@.campaign_roi.budget IS 'Money planned; NULL if not set';
COMMENT ON COLUMN @workspace@.campaign_roi.cost IS 'Money spent: costs of the campaign, and of single interactions';
COMMENT ON COLUMN @workspace@.campaign_roi.leads IS 'Leads that responded to it';
COMMENT ON COLUMN @workspace@.campaign_roi.won IS 'Opportunities won';
COMMENT ON COLUMN @workspace@.campaign_roi.revenue IS 'Amounts of these added up';
COMMENT ON COLUMN @workspace@.campaign_roi.cost_per_lead IS 'Cost for each lead; NULL without leads or costs';
COMMENT ON COLUMN @workspace@.campaign_roi.parent_id IS 'Key of the campaign it is a part of; NULL if it stands by itself';
COMMENT ON COLUMN @workspace@.campaign_roi.roi IS 'Revenue less cost, divided by cost: 1 doubles the money; NULL when the cost is 0';

CREATE OR REPLACE VIEW @workspace@.lead_loop WITH (security_invoker = true) AS
SELECT
	l.lead_id,
	l.contact_id,
	l.source,
	l.channel,
	ca.campaign,
	l.created_at,
	CASE WHEN COALESCE(l.sales_ready_at, f.assigned_at) IS NOT NULL THEN (
		SELECT @workspace@.score_at(l.lead_id, COALESCE(l.sales_ready_at, f.assigned_at), COALESCE(l.sales_ready_model, 'default'))
	) END AS score,
	l.sales_ready_at,
	t.team,
	g.agent,
	f.assigned_at AS first_assigned_at,
	l.stage,
	l.status,
	CASE
		WHEN o.won > 0 THEN 'won'
		WHEN o.opportunities > 0 AND o.open = 0 THEN 'lost'
		WHEN o.opportunities > 0 THEN 'opportunity'
		ELSE l.status
	END AS outcome,
	l.disqualified_reason,
	COALESCE(o.opportunities, 0) AS opportunities,
	COALESCE(o.won, 0) AS won,
	COALESCE(o.revenue, 0) AS revenue,
	o.closed_at,
	f.route,
	l.campaign_id,
	l.team_id,
	l.agent_id,
	l.account_id
FROM @workspace@.lead l
LEFT JOIN @workspace@.campaign ca ON ca.campaign_id = l.campaign_id
LEFT JOIN @workspace@.team t ON t.team_id = l.team_id
LEFT JOIN @workspace@.agent g ON g.agent_id = l.agent_id
LEFT JOIN LATERAL (
	SELECT a.assigned_at, a.reason ->> 'rule' AS route
	FROM @workspace@.assignment a
	WHERE a.lead_id = l.lead_id
	ORDER BY a.assigned_at, a.assignment_id
	LIMIT 1
) f ON true
LEFT JOIN LATERAL (
	SELECT
		pg_catalog.count(*) AS opportunities,
		pg_catalog.count(*) FILTER (WHERE q.status = 'open') AS open,
		pg_catalog.count(*) FILTER (WHERE q.status = 'won') AS won,
		pg_catalog.sum(q.amount) FILTER (WHERE q.status = 'won') AS revenue,
		pg_catalog.max(q.closed_at) AS closed_at
	FROM @workspace@.opportunity q
	WHERE q.lead_id = l.lead_id
) o ON true;

COMMENT ON VIEW @workspace@.lead_loop IS
	'The closed loop of each lead: where it came from, what it scored, whom it went to, what became of it and what it brought. One row a lead, none left out.';
COMMENT ON COLUMN @workspace@.lead_loop.lead_id IS 'Key of the lead';
COMMENT ON COLUMN @workspace@.lead_loop.contact_id IS 'The person behind it; NULL while unlinked';
COMMENT ON COLUMN @workspace@.lead_loop.source IS 'Lead source; unknown is a value of its own';
COMMENT ON COLUMN @workspace@.lead_loop.channel IS 'Marketing channel it came by; NULL if not known';
COMMENT ON COLUMN @workspace@.lead_loop.campaign IS 'Campaign responded to; NULL if none is known';
COMMENT ON COLUMN @workspace@.lead_loop.created_at IS 'When it was created';
COMMENT ON COLUMN @workspace@.lead_loop.score IS 'Its score when it was handed over, that is when it became sales-ready, else when it was first assigned, by the model that found it sales-ready, else by the default model; see score_at(). NULL before that. Computed where it is asked for';
COMMENT ON COLUMN @workspace@.lead_loop.sales_ready_at IS 'When it first was sales-ready; NULL if it never was';
COMMENT ON COLUMN @workspace@.lead_loop.team IS 'Team it is assigned to; NULL if none';
COMMENT ON COLUMN @workspace@.lead_loop.agent IS 'Person it is assigned to; NULL if none';
COMMENT ON COLUMN @workspace@.lead_loop.first_assigned_at IS 'When it was first assigned; NULL if it never was';
COMMENT ON COLUMN @workspace@.lead_loop.stage IS 'Stage it is in now';
COMMENT ON COLUMN @workspace@.lead_loop.status IS 'open, converted or disqualified';
COMMENT ON COLUMN @workspace@.lead_loop.outcome IS 'won or lost when its opportunities are closed (won as soon as one is), opportunity while one is open, else its status';
COMMENT ON COLUMN @workspace@.lead_loop.disqualified_reason IS 'Why it was given up; NULL unless disqualified';
COMMENT ON COLUMN @workspace@.lead_loop.opportunities IS 'Opportunities that came of it';
COMMENT ON COLUMN @workspace@.lead_loop.won IS 'Those of them that were won';
COMMENT ON COLUMN @workspace@.lead_loop.revenue IS 'Amounts of these added up';
COMMENT ON COLUMN @workspace@.lead_loop.closed_at IS 'When the latest of its opportunities was closed; NULL if none was';
COMMENT ON COLUMN @workspace@.lead_loop.route IS 'Routing rule by which it was first assigned, or manual; NULL if it never was';
COMMENT ON COLUMN @workspace@.lead_loop.campaign_id IS 'Key of the campaign';
COMMENT ON COLUMN @workspace@.lead_loop.team_id IS 'Key of the team';
COMMENT ON COLUMN @workspace@.lead_loop.agent_id IS 'Key of the agent';
COMMENT ON COLUMN @workspace@.lead_loop.account_id IS 'Key of the lead''s account; NULL if none';

CREATE OR REPLACE VIEW @workspace@.campaign_response WITH (security_invoker = true) AS
SELECT
	l.source,
	COALESCE(ca.campaign, '(none)') AS campaign,
	COALESCE(l.channel, '(none)') AS channel,
	COALESCE(t.team, '(none)') AS team,
	pg_catalog.count(*) AS leads,
	pg_catalog.count(*) FILTER (WHERE l.sales_ready_at IS NOT NULL OR l.qualification = 'sales_ready') AS qualified,
	pg_catalog.count(*) FILTER (WHERE l.status = 'converted') AS converted,
	pg_catalog.count(*) FILTER (WHERE l.status = 'disqualified') AS disqualified,
	COALESCE(pg_catalog.sum(o.opportunities), 0)::bigint AS opportunities,
	COALESCE(pg_catalog.sum(o.won), 0)::bigint AS won,
	COALESCE(pg_catalog.sum(o.revenue), 0) AS revenue,
	pg_catalog.round(100.0 * pg_catalog.count(*) FILTER (WHERE l.sales_ready_at IS NOT NULL OR l.qualification = 'sales_ready') / pg_catalog.count(*), 2) AS qualification_rate,
	pg_catalog.round(100.0 * pg_catalog.count(*) FILTER (WHERE l.status = 'converted') / pg_catalog.count(*), 2) AS conversion_rate,
	l.campaign_id,
	l.team_id
FROM @workspace@.lead l
LEFT JOIN @workspace@.campaign ca ON ca.campaign_id = l.campaign_id
LEFT JOIN @workspace@.team t ON t.team_id = l.team_id
LEFT JOIN (
	SELECT
		q.lead_id,
		pg_catalog.count(*) AS opportunities,
		pg_catalog.count(*) FILTER (WHERE q.status = 'won') AS won,
		pg_catalog.sum(q.amount) FILTER (WHERE q.status = 'won') AS revenue
	FROM @workspace@.opportunity q
	WHERE q.lead_id IS NOT NULL
	GROUP BY q.lead_id
) o ON o.lead_id = l.lead_id
GROUP BY l.source, l.campaign_id, ca.campaign, l.channel, l.team_id, t.team;

COMMENT ON VIEW @workspace@.campaign_response IS
	'What became of leads by where they came from and where they went. One row a source, campaign, channel and team that has leads.';
COMMENT ON COLUMN @workspace@.campaign_response.source IS 'Lead source';
COMMENT ON COLUMN @workspace@.campaign_response.campaign IS 'Campaign responded to, or (none)';
COMMENT ON COLUMN @workspace@.campaign_response.channel IS 'Marketing channel, or (none)';
COMMENT ON COLUMN @workspace@.campaign_response.team IS 'Team the leads are assigned to now, or (none)';
COMMENT ON COLUMN @workspace@.campaign_response.leads IS 'Leads';
COMMENT ON COLUMN @workspace@.campaign_response.qualified IS 'Those of them that ever were sales-ready';
COMMENT ON COLUMN @workspace@.campaign_response.converted IS 'Those that were converted';
COMMENT ON COLUMN @workspace@.campaign_response.disqualified IS 'Those that were given up';
COMMENT ON COLUMN @workspace@.campaign_response.opportunities IS 'Opportunities that came of them';
COMMENT ON COLUMN @workspace@.campaign_response.won IS 'Opportunities won';
COMMENT ON COLUMN @workspace@.campaign_response.revenue IS 'Amounts of these added up';
COMMENT ON COLUMN @workspace@.campaign_response.qualification_rate IS 'Percentage of leads that ever were sales-ready';
COMMENT ON COLUMN @workspace@.campaign_response.conversion_rate IS 'Percentage of leads that were converted';
COMMENT ON COLUMN @workspace@.campaign_response.campaign_id IS 'Key of the campaign; NULL if none is known';
COMMENT ON COLUMN @workspace@.campaign_response.team_id IS 'Key of the team; NULL if none';

CREATE OR REPLACE VIEW @workspace@.engagement WITH (security_invoker = true) AS
SELECT
	i.lead_id,
	(i.occurred_at AT TIME ZONE 'UTC')::date AS day,
	pg_catalog.count(*) AS interactions,
	pg_catalog.count(*) FILTER (WHERE i.direction = 'inbound') AS inbound,
	pg_catalog.count(*) FILTER (WHERE i.direction = 'outbound') AS outbound,
	pg_catalog.count(DISTINCT i.kind) AS kinds,
	pg_catalog.count(DISTINCT i.channel) AS channels,
	pg_catalog.min(i.occurred_at) AS first_at,
	pg_catalog.max(i.occurred_at) AS last_at
FROM @workspace@.interaction i
WHERE i.lead_id IS NOT NULL
GROUP BY i.lead_id, 2;

COMMENT ON VIEW @workspace@.engagement IS
	'What passed with a lead day by day. One row a lead and day with interactions.';
COMMENT ON COLUMN @workspace@.engagement.lead_id IS 'Key of the lead';
COMMENT ON COLUMN @workspace@.engagement.day IS 'Day, in UTC';
COMMENT ON COLUMN @workspace@.engagement.interactions IS 'Interactions recorded for the lead that day';
COMMENT ON COLUMN @workspace@.engagement.inbound IS 'Those that came from the person';
COMMENT ON COLUMN @workspace@.engagement.outbound IS 'Those that came from us';
COMMENT ON COLUMN @workspace@.engagement.kinds IS 'Different kinds of interaction';
COMMENT ON COLUMN @workspace@.engagement.channels IS 'Different channels';
COMMENT ON COLUMN @workspace@.engagement.first_at IS 'When the first took place';
COMMENT ON COLUMN @workspace@.engagement.last_at IS 'When the last took place';

CREATE OR REPLACE VIEW @workspace@.agent_performance WITH (security_invoker = true) AS
SELECT
	g.agent_id,
	g.agent,
	t.team,
	g.is_active,
	COALESCE(l.leads, 0) AS leads,
	COALESCE(l.open, 0) AS open,
	COALESCE(l.converted, 0) AS converted,
	COALESCE(l.disqualified, 0) AS disqualified,
	COALESCE(o.opportunities, 0) AS opportunities,
	COALESCE(o.won, 0) AS won,
	COALESCE(o.lost, 0) AS lost,
	COALESCE(o.revenue, 0) AS revenue,
	pg_catalog.round(100.0 * l.converted / NULLIF(l.leads, 0), 2) AS conversion_rate,
	pg_catalog.round(100.0 * o.won / NULLIF(o.won + o.lost, 0), 2) AS win_rate,
	COALESCE(l.responded, 0) AS responded,
	COALESCE(l.responded_within_day, 0) AS responded_within_day,
	pg_catalog.round((EXTRACT(epoch FROM l.median_response) / 3600)::numeric, 2) AS median_response_hours,
	COALESCE(o.open_value, 0) AS open_value,
	pg_catalog.round((EXTRACT(epoch FROM o.average_cycle) / 86400)::numeric, 2) AS average_cycle_days,
	g.team_id
FROM @workspace@.agent g
JOIN @workspace@.team t ON t.team_id = g.team_id
LEFT JOIN (
	SELECT
		x.agent_id,
		pg_catalog.count(*) AS leads,
		pg_catalog.count(*) FILTER (WHERE x.status = 'open') AS open,
		pg_catalog.count(*) FILTER (WHERE x.status = 'converted') AS converted,
		pg_catalog.count(*) FILTER (WHERE x.status = 'disqualified') AS disqualified,
		pg_catalog.count(r.responded_at) AS responded,
		pg_catalog.count(*) FILTER (WHERE r.responded_at <= s.assigned_at + interval '1 day') AS responded_within_day,
		pg_catalog.percentile_cont(0.5) WITHIN GROUP (ORDER BY r.responded_at - s.assigned_at) AS median_response
	FROM @workspace@.lead x
	LEFT JOIN (
		SELECT a.lead_id, a.agent_id, pg_catalog.min(a.assigned_at) AS assigned_at
		FROM @workspace@.assignment a
		GROUP BY a.lead_id, a.agent_id
	) s ON s.lead_id = x.lead_id AND s.agent_id = x.agent_id
	LEFT JOIN LATERAL (
		SELECT pg_catalog.min(i.occurred_at) AS responded_at
		FROM @workspace@.interaction i
		WHERE i.lead_id = x.lead_id AND i.direction = 'outbound' AND i.occurred_at >= s.assigned_at
	) r ON true
	WHERE x.agent_id IS NOT NULL
	GROUP BY x.agent_id
) l ON l.agent_id = g.agent_id
LEFT JOIN (
	SELECT
		COALESCE(q.agent_id, x.agent_id) AS agent_id,
		pg_catalog.count(*) AS opportunities,
		pg_catalog.count(*) FILTER (WHERE q.status = 'won') AS won,
		pg_catalog.count(*) FILTER (WHERE q.status = 'lost') AS lost,
		pg_catalog.sum(q.amount) FILTER (WHERE q.status = 'won') AS revenue,
		pg_catalog.sum(q.amount) FILTER (WHERE q.status = 'open') AS open_value,
		pg_catalog.avg(q.closed_at - q.created_at) FILTER (WHERE q.status = 'won') AS average_cycle
	FROM @workspace@.opportunity q
	LEFT JOIN @workspace@.lead x ON x.lead_id = q.lead_id
	GROUP BY 1
) o ON o.agent_id = g.agent_id;

COMMENT ON VIEW @workspace@.agent_performance IS
	'What each agent makes of the leads and opportunities in hand. An opportunity counts for its own agent, else for that of its lead. Agents without any are listed too. One row an agent.';
COMMENT ON COLUMN @workspace@.agent_performance.agent_id IS 'Key of the agent';
COMMENT ON COLUMN @workspace@.agent_performance.agent IS 'Agent';
COMMENT ON COLUMN @workspace@.agent_performance.team IS 'Team of the agent';
COMMENT ON COLUMN @workspace@.agent_performance.is_active IS 'False for those who left';
COMMENT ON COLUMN @workspace@.agent_performance.leads IS 'Leads assigned to the agent now, closed ones included';
COMMENT ON COLUMN @workspace@.agent_performance.open IS 'Those of them that are open';
COMMENT ON COLUMN @workspace@.agent_performance.converted IS 'Those that were converted';
COMMENT ON COLUMN @workspace@.agent_performance.disqualified IS 'Those that were given up';
COMMENT ON COLUMN @workspace@.agent_performance.opportunities IS 'Opportunities, open and closed';
COMMENT ON COLUMN @workspace@.agent_performance.won IS 'Opportunities won';
COMMENT ON COLUMN @workspace@.agent_performance.lost IS 'Opportunities lost';
COMMENT ON COLUMN @workspace@.agent_performance.revenue IS 'Amounts of those won added up';
COMMENT ON COLUMN @workspace@.agent_performance.conversion_rate IS 'Percentage of leads that were converted; NULL without leads';
COMMENT ON COLUMN @workspace@.agent_performance.win_rate IS 'Percentage of closed opportunities that were won; NULL without any';
COMMENT ON COLUMN @workspace@.agent_performance.responded IS 'Leads that the agent, or anybody, sent something or called after they were assigned to the agent';
COMMENT ON COLUMN @workspace@.agent_performance.responded_within_day IS 'Those of them with that within 24 hours';
COMMENT ON COLUMN @workspace@.agent_performance.median_response_hours IS 'Hours from the assignment until then, the median; NULL without any';
COMMENT ON COLUMN @workspace@.agent_performance.open_value IS 'Amounts of open opportunities added up';
COMMENT ON COLUMN @workspace@.agent_performance.average_cycle_days IS 'Days from creating to winning an opportunity, on average; NULL without any';
COMMENT ON COLUMN @workspace@.agent_performance.team_id IS 'Key of the team';
