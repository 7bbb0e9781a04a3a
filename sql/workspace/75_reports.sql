-- Reports over all leads: funnel, stages, sources, channels and campaigns.
-- Amounts are added up as they are stored: nothing converts currencies.

CREATE OR REPLACE FUNCTION @workspace@.completeness(lead_id bigint)
RETURNS integer
LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $function$
	SELECT COALESCE(
			100 * pg_catalog.count(u.field) FILTER (WHERE d.profile ->> u.field <> '')
				/ NULLIF(pg_catalog.count(u.field), 0),
			100)::integer
	FROM (
		SELECT p.pipeline, pg_catalog.to_jsonb(p.*) AS profile
		FROM @workspace@.lead_profile p
		WHERE p.lead_id = $1
	) d
	JOIN @workspace@.pipeline pi ON pi.pipeline = d.pipeline
	LEFT JOIN LATERAL pg_catalog.unnest(pi.completeness_fields) u (field) ON true
	GROUP BY d.pipeline
$function$;

COMMENT ON FUNCTION @workspace@.completeness(bigint) IS
	'Share of the fields its pipeline wants to know that are filled in a lead''s profile: percent, rounded down; 100 when the pipeline asks for none, NULL for an unknown lead';

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
	CASE WHEN t.position = 1 THEN t.amount ELSE 0 END AS first_touch_amount,
	CASE WHEN t.position = t.touches THEN t.amount ELSE 0 END AS last_touch_amount,
	-- Whole cents for everybody; the cents left over go to the earliest touches
	((pg_catalog.div(t.amount * 100, t.touches)
	  + CASE WHEN t.position <= pg_catalog.abs(pg_catalog.mod(t.amount * 100, t.touches))
		THEN pg_catalog.sign(t.amount) ELSE 0 END) / 100)::numeric(18, 2) AS linear_amount,
	((pg_catalog.div(1000000, t.touches)
	  + CASE WHEN t.position <= pg_catalog.mod(1000000, t.touches) THEN 1 ELSE 0 END) / 1000000)::numeric(18, 6) AS linear_share
FROM (
	SELECT
		o.opportunity_id,
		o.status,
		o.closed_at,
		COALESCE(o.amount, 0) AS amount,
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
	JOIN @workspace@.interaction i ON i.contact_id = COALESCE(o.contact_id, l.contact_id)
		AND i.channel IS NOT NULL
		AND (o.closed_at IS NULL OR i.occurred_at <= o.closed_at)
	LEFT JOIN @workspace@.interaction_kind k ON k.kind = i.kind
	LEFT JOIN @workspace@.campaign ca ON ca.campaign_id = i.campaign_id
	WHERE COALESCE(k.is_touch, i.direction = 'inbound')
) t;

COMMENT ON VIEW @workspace@.opportunity_touch IS
	'The marketing touches of each opportunity: its contact''s interactions over a named channel, up to its close, of kinds that count as touches (kinds not in interaction_kind count when inbound). One row an opportunity and touch.';
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
COMMENT ON COLUMN @workspace@.opportunity_touch.first_touch_amount IS 'The whole amount for the first touch, 0 for the others';
COMMENT ON COLUMN @workspace@.opportunity_touch.last_touch_amount IS 'The whole amount for the last touch, 0 for the others';
COMMENT ON COLUMN @workspace@.opportunity_touch.linear_amount IS 'Equal share of the amount, in whole cents; adds up to the amount exactly';
COMMENT ON COLUMN @workspace@.opportunity_touch.linear_share IS 'Equal share of one, in millionths; adds up to 1 exactly';

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

CREATE OR REPLACE VIEW @workspace@.funnel WITH (security_invoker = true) AS
WITH process AS (
	SELECT p.pipeline
	FROM @workspace@.pipeline p
	WHERE p.entity = 'lead' AND p.is_default
),
open_stage AS (
	SELECT
		s.stage,
		s.label,
		(2 + pg_catalog.row_number() OVER (ORDER BY s.sequence))::integer AS level
	FROM @workspace@.stage s
	JOIN process p ON p.pipeline = s.pipeline
	WHERE s.kind = 'open'
),
level AS (
	SELECT 1 AS level, 'visitor'::text AS stage, 'Visitors'::text AS label
	UNION ALL
	SELECT 2, 'lead', 'Leads'
	UNION ALL
	SELECT o.level, o.stage, o.label FROM open_stage o
	UNION ALL
	SELECT 3 + pg_catalog.count(*)::integer, 'opportunity', 'Opportunities' FROM open_stage
	UNION ALL
	SELECT 4 + pg_catalog.count(*)::integer, 'won', 'Won' FROM open_stage
),
stage_level AS (
	SELECT o.stage, o.level FROM open_stage o
	UNION ALL
	SELECT s.stage, (SELECT 3 + pg_catalog.count(*)::integer FROM open_stage)
	FROM @workspace@.stage s
	JOIN process p ON p.pipeline = s.pipeline
	WHERE s.kind = 'won'
),
reached AS (
	SELECT GREATEST(2, n.level, m.level, o.level) AS level, pg_catalog.count(*) AS leads
	FROM @workspace@.lead l
	JOIN process p ON p.pipeline = l.pipeline
	LEFT JOIN stage_level n ON n.stage = l.stage
	LEFT JOIN (
		SELECT v.lead_id, pg_catalog.max(sl.level) AS level
		FROM @workspace@.stage_move v
		JOIN process p ON p.pipeline = v.pipeline
		JOIN stage_level sl ON sl.stage = v.to_stage
		WHERE v.lead_id IS NOT NULL
		GROUP BY v.lead_id
	) m ON m.lead_id = l.lead_id
	LEFT JOIN (
		SELECT
			q.lead_id,
			(SELECT pg_catalog.count(*)::integer FROM open_stage)
				+ CASE WHEN pg_catalog.bool_or(q.status = 'won') THEN 4 ELSE 3 END AS level
		FROM @workspace@.opportunity q
		WHERE q.lead_id IS NOT NULL
		GROUP BY q.lead_id
	) o ON o.lead_id = l.lead_id
	GROUP BY 1
	UNION ALL
	SELECT 1, pg_catalog.count(*)
	FROM @workspace@.contact c
	WHERE NOT EXISTS (SELECT FROM @workspace@.lead l WHERE l.contact_id = c.contact_id)
	UNION ALL
	SELECT 1, pg_catalog.count(DISTINCT i.visitor)
	FROM @workspace@.interaction i
	WHERE i.contact_id IS NULL AND i.lead_id IS NULL
		AND NOT EXISTS (
			SELECT FROM @workspace@.contact_identity ci
			WHERE ci.kind = 'visitor' AND ci.value = i.visitor)
),
counted AS (
	SELECT
		v.level,
		v.stage,
		v.label,
		pg_catalog.sum(COALESCE(r.leads, 0)) OVER (ORDER BY v.level DESC) AS leads
	FROM level v
	LEFT JOIN (
		SELECT x.level, pg_catalog.sum(x.leads) AS leads FROM reached x GROUP BY x.level
	) r ON r.level = v.level
)
SELECT
	c.level,
	c.stage,
	c.label,
	c.leads::bigint AS leads,
	pg_catalog.round(100 * c.leads / NULLIF(pg_catalog.first_value(c.leads) OVER (ORDER BY c.level), 0), 2) AS share_of_first,
	pg_catalog.round(100 * c.leads / NULLIF(pg_catalog.lag(c.leads) OVER (ORDER BY c.level), 0), 2) AS step_conversion
FROM counted c
ORDER BY c.level;

COMMENT ON VIEW @workspace@.funnel IS
	'How many get how far: visitors, leads of the default pipeline, its open stages, opportunity, won. A lead counts at the furthest level it ever reached and at every level before that, stages it skipped included, so the numbers never rise; leaving for a lost stage takes nothing away. A person with two leads counts twice. One row a level.';
COMMENT ON COLUMN @workspace@.funnel.level IS 'Place in the funnel, from 1';
COMMENT ON COLUMN @workspace@.funnel.stage IS 'visitor, lead, a stage of the default pipeline, opportunity or won';
COMMENT ON COLUMN @workspace@.funnel.label IS 'The level in words';
COMMENT ON COLUMN @workspace@.funnel.leads IS 'Leads that reached this level or a later one; at the first level also the contacts without any lead and the visitors not identified yet';
COMMENT ON COLUMN @workspace@.funnel.share_of_first IS 'Percentage of the first level; NULL when that is empty';
COMMENT ON COLUMN @workspace@.funnel.step_conversion IS 'Percentage of the level before; NULL at the first level and when the one before is empty';

CREATE OR REPLACE VIEW @workspace@.stage_conversion WITH (security_invoker = true) AS
WITH visit AS (
	SELECT
		m.lead_id,
		m.opportunity_id,
		m.pipeline,
		m.to_stage AS stage,
		pg_catalog.max(s.sequence) FILTER (WHERE s.kind <> 'lost') OVER later AS furthest,
		pg_catalog.bool_or(s.kind = 'lost') OVER later AS is_lost,
		pg_catalog.count(*) OVER later = 0 AS is_current
	FROM @workspace@.stage_move m
	LEFT JOIN @workspace@.stage s ON s.pipeline = m.pipeline AND s.stage = m.to_stage
	WINDOW later AS (
		PARTITION BY m.lead_id, m.opportunity_id ORDER BY m.stage_move_id
		ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)
),
entity AS (
	SELECT
		v.pipeline,
		v.stage,
		pg_catalog.bool_or(COALESCE(v.furthest > s.sequence, false)) AS advanced,
		pg_catalog.bool_or(COALESCE(v.is_lost, false)) AS is_lost,
		pg_catalog.bool_or(v.is_current) AS is_current
	FROM visit v
	JOIN @workspace@.stage s ON s.pipeline = v.pipeline AND s.stage = v.stage
	GROUP BY v.pipeline, v.stage, v.lead_id, v.opportunity_id
),
counted AS (
	SELECT
		e.pipeline,
		e.stage,
		pg_catalog.count(*) AS entered,
		pg_catalog.count(*) FILTER (WHERE e.advanced) AS advanced,
		pg_catalog.count(*) FILTER (WHERE e.is_lost AND NOT e.advanced) AS lost,
		pg_catalog.count(*) FILTER (WHERE e.is_current) AS current
	FROM entity e
	GROUP BY e.pipeline, e.stage
)
SELECT
	p.pipeline,
	p.entity,
	s.stage,
	s.label,
	s.sequence,
	COALESCE(c.entered, 0) AS entered,
	COALESCE(c.advanced, 0) AS advanced,
	COALESCE(c.lost, 0) AS lost,
	COALESCE(c.current, 0) AS current,
	pg_catalog.round(100.0 * c.advanced / NULLIF(c.entered, 0), 2) AS conversion
FROM @workspace@.stage s
JOIN @workspace@.pipeline p ON p.pipeline = s.pipeline
LEFT JOIN counted c ON c.pipeline = s.pipeline AND c.stage = s.stage
ORDER BY p.entity, p.pipeline, s.sequence;

COMMENT ON VIEW @workspace@.stage_conversion IS
	'What became of those that entered a stage, going by the moves recorded: rows loaded as history bring none. Stages that nothing entered are listed too. One row a pipeline and stage.';
COMMENT ON COLUMN @workspace@.stage_conversion.pipeline IS 'Pipeline';
COMMENT ON COLUMN @workspace@.stage_conversion.entity IS 'What goes through it: lead or opportunity';
COMMENT ON COLUMN @workspace@.stage_conversion.stage IS 'Stage';
COMMENT ON COLUMN @workspace@.stage_conversion.label IS 'The stage in words';
COMMENT ON COLUMN @workspace@.stage_conversion.sequence IS 'Place of the stage in its pipeline, ascending';
COMMENT ON COLUMN @workspace@.stage_conversion.entered IS 'Leads or opportunities that ever entered the stage';
COMMENT ON COLUMN @workspace@.stage_conversion.advanced IS 'Those of them that later entered a stage further on, lost stages not counted';
COMMENT ON COLUMN @workspace@.stage_conversion.lost IS 'Those that did not, and entered a lost stage';
COMMENT ON COLUMN @workspace@.stage_conversion.current IS 'Those that are in the stage now';
COMMENT ON COLUMN @workspace@.stage_conversion.conversion IS 'Percentage of entered that advanced; NULL when nothing entered';

CREATE OR REPLACE VIEW @workspace@.stage_velocity WITH (security_invoker = true) AS
SELECT
	p.pipeline,
	p.entity,
	s.stage,
	s.label,
	s.sequence,
	COALESCE(v.finished, 0) AS finished,
	v.average_duration,
	v.median_duration,
	pg_catalog.round((EXTRACT(epoch FROM v.average_duration) / 86400)::numeric, 2) AS average_days,
	pg_catalog.round((EXTRACT(epoch FROM v.median_duration) / 86400)::numeric, 2) AS median_days,
	COALESCE(v.current, 0) AS current,
	pg_catalog.round((EXTRACT(epoch FROM pg_catalog.now() - v.average_entered_at) / 86400)::numeric, 2) AS current_average_days
FROM @workspace@.stage s
JOIN @workspace@.pipeline p ON p.pipeline = s.pipeline
LEFT JOIN (
	SELECT
		h.pipeline,
		h.stage,
		pg_catalog.count(h.duration) AS finished,
		pg_catalog.avg(h.duration) AS average_duration,
		pg_catalog.percentile_cont(0.5) WITHIN GROUP (ORDER BY h.duration) AS median_duration,
		pg_catalog.count(*) FILTER (WHERE h.left_at IS NULL) AS current,
		pg_catalog.to_timestamp(pg_catalog.avg(EXTRACT(epoch FROM h.entered_at)::double precision)
			FILTER (WHERE h.left_at IS NULL)) AS average_entered_at
	FROM @workspace@.stage_history h
	GROUP BY h.pipeline, h.stage
) v ON v.pipeline = s.pipeline AND v.stage = s.stage
ORDER BY p.entity, p.pipeline, s.sequence;

COMMENT ON VIEW @workspace@.stage_velocity IS
	'How long leads and opportunities stay in a stage, going by the moves recorded: rows loaded as history bring none. Stages that nothing entered are listed too. One row a pipeline and stage.';
COMMENT ON COLUMN @workspace@.stage_velocity.pipeline IS 'Pipeline';
COMMENT ON COLUMN @workspace@.stage_velocity.entity IS 'What goes through it: lead or opportunity';
COMMENT ON COLUMN @workspace@.stage_velocity.stage IS 'Stage';
COMMENT ON COLUMN @workspace@.stage_velocity.label IS 'The stage in words';
COMMENT ON COLUMN @workspace@.stage_velocity.sequence IS 'Place of the stage in its pipeline, ascending';
COMMENT ON COLUMN @workspace@.stage_velocity.finished IS 'Stays in the stage that have ended';
COMMENT ON COLUMN @workspace@.stage_velocity.average_duration IS 'Their average length; NULL without any';
COMMENT ON COLUMN @workspace@.stage_velocity.median_duration IS 'Their median length; NULL without any';
COMMENT ON COLUMN @workspace@.stage_velocity.average_days IS 'Their average length in days';
COMMENT ON COLUMN @workspace@.stage_velocity.median_days IS 'Their median length in days';
COMMENT ON COLUMN @workspace@.stage_velocity.current IS 'Leads or opportunities in the stage now';
COMMENT ON COLUMN @workspace@.stage_velocity.current_average_days IS 'Days these have been in it so far, on average; NULL without any';

CREATE OR REPLACE VIEW @workspace@.pipeline_value WITH (security_invoker = true) AS
SELECT
	p.pipeline,
	s.stage,
	s.label,
	s.sequence,
	s.kind,
	s.probability,
	pg_catalog.count(o.opportunity_id) AS opportunities,
	COALESCE(pg_catalog.sum(o.amount), 0) AS value,
	pg_catalog.round(COALESCE(pg_catalog.sum(
		o.amount * CASE s.kind WHEN 'won' THEN 100 WHEN 'lost' THEN 0 ELSE COALESCE(o.probability, s.probability, 0) END
	), 0) / 100, 2) AS weighted_value
FROM @workspace@.pipeline p
JOIN @workspace@.stage s ON s.pipeline = p.pipeline
LEFT JOIN @workspace@.opportunity o ON o.pipeline = s.pipeline AND o.stage = s.stage
WHERE p.entity = 'opportunity'
GROUP BY p.pipeline, s.stage, s.label, s.sequence, s.kind, s.probability
ORDER BY p.pipeline, s.sequence;

COMMENT ON VIEW @workspace@.pipeline_value IS
	'What the opportunities in each stage are worth. Empty stages are listed too. One row a stage of an opportunity pipeline.';
COMMENT ON COLUMN @workspace@.pipeline_value.pipeline IS 'Pipeline';
COMMENT ON COLUMN @workspace@.pipeline_value.stage IS 'Stage';
COMMENT ON COLUMN @workspace@.pipeline_value.label IS 'The stage in words';
COMMENT ON COLUMN @workspace@.pipeline_value.sequence IS 'Place of the stage in its pipeline, ascending';
COMMENT ON COLUMN @workspace@.pipeline_value.kind IS 'entry, open, won or lost';
COMMENT ON COLUMN @workspace@.pipeline_value.probability IS 'Chance of winning that the stage stands for, in percent; NULL if none is set';
COMMENT ON COLUMN @workspace@.pipeline_value.opportunities IS 'Opportunities in the stage now';
COMMENT ON COLUMN @workspace@.pipeline_value.value IS 'Their amounts added up; unknown amounts count as 0';
COMMENT ON COLUMN @workspace@.pipeline_value.weighted_value IS 'The same, each amount times its chance: all of it once won, nothing once lost, else the opportunity''s own probability or the stage''s';

CREATE OR REPLACE VIEW @workspace@.source_conversion WITH (security_invoker = true) AS
WITH listed AS (
	SELECT s.source, s.label, s.kind FROM @workspace@.lead_source s
	UNION ALL
	SELECT 'unknown', 'Unknown', 'unknown'
	WHERE NOT EXISTS (SELECT FROM @workspace@.lead_source s WHERE s.source = 'unknown')
),
lead_count AS (
	SELECT
		l.source,
		pg_catalog.count(*) AS leads,
		pg_catalog.count(*) FILTER (
			WHERE l.sales_ready_at IS NOT NULL OR l.qualification IN ('sales_ready', 'sales_accepted')
		) AS qualified
	FROM @workspace@.lead l
	GROUP BY l.source
),
sale AS (
	SELECT
		COALESCE(l.source, c.first_source, 'unknown') AS source,
		pg_catalog.count(*) AS opportunities,
		pg_catalog.count(DISTINCT o.lead_id) FILTER (WHERE o.status = 'won') AS leads_won,
		pg_catalog.count(*) FILTER (WHERE o.status = 'won') AS won,
		COALESCE(pg_catalog.sum(o.amount) FILTER (WHERE o.status = 'won'), 0) AS revenue
	FROM @workspace@.opportunity o
	LEFT JOIN @workspace@.lead l ON l.lead_id = o.lead_id
	LEFT JOIN @workspace@.contact c ON c.contact_id = o.contact_id
	GROUP BY 1
)
SELECT
	s.source,
	s.label,
	s.kind,
	COALESCE(n.leads, 0) AS leads,
	COALESCE(n.qualified, 0) AS qualified,
	COALESCE(o.opportunities, 0) AS opportunities,
	COALESCE(o.won, 0) AS won,
	COALESCE(o.revenue, 0) AS revenue,
	pg_catalog.round(100.0 * n.qualified / NULLIF(n.leads, 0), 2) AS qualification_rate,
	pg_catalog.round(100.0 * COALESCE(o.leads_won, 0) / NULLIF(n.leads, 0), 2) AS lead_win_rate,
	pg_catalog.round(100.0 * o.won / NULLIF(o.opportunities, 0), 2) AS opportunity_win_rate
FROM listed s
LEFT JOIN lead_count n ON n.source = s.source
LEFT JOIN sale o ON o.source = s.source
ORDER BY s.source;

COMMENT ON VIEW @workspace@.source_conversion IS
	'What became of the leads of each source. Sources without any are listed too. An opportunity counts for its lead''s source, without a lead for its contact''s first source, else for unknown. One row a source.';
COMMENT ON COLUMN @workspace@.source_conversion.source IS 'Lead source';
COMMENT ON COLUMN @workspace@.source_conversion.label IS 'The source in words';
COMMENT ON COLUMN @workspace@.source_conversion.kind IS 'marketing, other_department, self_prospected or unknown';
COMMENT ON COLUMN @workspace@.source_conversion.leads IS 'Leads from it';
COMMENT ON COLUMN @workspace@.source_conversion.qualified IS 'Those of them that ever were sales-ready';
COMMENT ON COLUMN @workspace@.source_conversion.opportunities IS 'Opportunities, open and closed';
COMMENT ON COLUMN @workspace@.source_conversion.won IS 'Opportunities won';
COMMENT ON COLUMN @workspace@.source_conversion.revenue IS 'Amounts of these added up';
COMMENT ON COLUMN @workspace@.source_conversion.qualification_rate IS 'Percentage of leads that qualified; NULL without leads';
COMMENT ON COLUMN @workspace@.source_conversion.lead_win_rate IS 'Percentage of leads with a won opportunity; NULL without leads';
COMMENT ON COLUMN @workspace@.source_conversion.opportunity_win_rate IS 'Percentage of opportunities that were won; NULL without any';

CREATE OR REPLACE VIEW @workspace@.revenue_by_source WITH (security_invoker = true) AS
SELECT c.source, c.label, c.leads, c.won, c.revenue
FROM @workspace@.source_conversion c
ORDER BY c.source;

COMMENT ON VIEW @workspace@.revenue_by_source IS
	'Revenue of won opportunities by lead source; the rows add up to all of it, unknown sources included. One row a source.';
COMMENT ON COLUMN @workspace@.revenue_by_source.source IS 'Lead source, as in source_conversion';
COMMENT ON COLUMN @workspace@.revenue_by_source.label IS 'The source in words';
COMMENT ON COLUMN @workspace@.revenue_by_source.leads IS 'Leads from it';
COMMENT ON COLUMN @workspace@.revenue_by_source.won IS 'Opportunities won';
COMMENT ON COLUMN @workspace@.revenue_by_source.revenue IS 'Amounts of these added up';

CREATE OR REPLACE VIEW @workspace@.channel_performance WITH (security_invoker = true) AS
WITH part AS (
	SELECT
		COALESCE(i.channel, '(none)') AS channel,
		pg_catalog.count(*) AS interactions,
		pg_catalog.count(DISTINCT i.contact_id) AS contacts,
		0::bigint AS leads,
		0::numeric AS cost,
		0::bigint AS won,
		0::bigint AS first_touch_won,
		0::bigint AS last_touch_won,
		0::numeric AS linear_won,
		0::numeric AS first_touch_revenue,
		0::numeric AS last_touch_revenue,
		0::numeric AS linear_revenue
	FROM @workspace@.interaction i
	GROUP BY 1
	UNION ALL
	SELECT COALESCE(l.channel, '(none)'), 0, 0, pg_catalog.count(*), 0, 0, 0, 0, 0, 0, 0, 0
	FROM @workspace@.lead l
	GROUP BY 1
	UNION ALL
	SELECT COALESCE(x.channel, ca.channel, '(none)'), 0, 0, 0, pg_catalog.sum(x.amount), 0, 0, 0, 0, 0, 0, 0
	FROM @workspace@.campaign_cost x
	JOIN @workspace@.campaign ca ON ca.campaign_id = x.campaign_id
	GROUP BY 1
	UNION ALL
	SELECT
		t.channel, 0, 0, 0, 0,
		pg_catalog.count(DISTINCT t.opportunity_id),
		pg_catalog.count(*) FILTER (WHERE t.is_first),
		pg_catalog.count(*) FILTER (WHERE t.is_last),
		pg_catalog.sum(t.linear_share),
		pg_catalog.sum(t.first_touch_amount),
		pg_catalog.sum(t.last_touch_amount),
		pg_catalog.sum(t.linear_amount)
	FROM @workspace@.opportunity_touch t
	WHERE t.status = 'won'
	GROUP BY t.channel
	UNION ALL
	SELECT
		'(none)', 0, 0, 0, 0,
		pg_catalog.count(*),
		pg_catalog.count(*),
		pg_catalog.count(*),
		pg_catalog.count(*),
		COALESCE(pg_catalog.sum(o.amount), 0),
		COALESCE(pg_catalog.sum(o.amount), 0),
		COALESCE(pg_catalog.sum(o.amount), 0)
	FROM @workspace@.opportunity o
	WHERE o.status = 'won'
		AND NOT EXISTS (
			SELECT FROM @workspace@.opportunity_touch t
			WHERE t.status = 'won' AND t.opportunity_id = o.opportunity_id)
	UNION ALL
	SELECT c.channel, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
	FROM @workspace@.channel c
),
total AS (
	SELECT
		p.channel,
		pg_catalog.sum(p.interactions)::bigint AS interactions,
		pg_catalog.sum(p.contacts)::bigint AS contacts,
		pg_catalog.sum(p.leads)::bigint AS leads,
		pg_catalog.sum(p.cost) AS cost,
		pg_catalog.sum(p.won)::bigint AS won,
		pg_catalog.sum(p.first_touch_won)::bigint AS first_touch_won,
		pg_catalog.sum(p.last_touch_won)::bigint AS last_touch_won,
		pg_catalog.sum(p.linear_won) AS linear_won,
		pg_catalog.sum(p.first_touch_revenue) AS first_touch_revenue,
		pg_catalog.sum(p.last_touch_revenue) AS last_touch_revenue,
		pg_catalog.sum(p.linear_revenue) AS linear_revenue
	FROM part p
	GROUP BY p.channel
)
SELECT
	t.channel,
	COALESCE(c.label, CASE t.channel WHEN '(none)' THEN 'No channel' ELSE t.channel END) AS label,
	t.interactions,
	t.contacts,
	t.leads,
	t.cost,
	t.won,
	t.first_touch_won,
	t.last_touch_won,
	t.linear_won,
	t.first_touch_revenue,
	t.last_touch_revenue,
	t.linear_revenue,
	pg_catalog.round(t.cost / NULLIF(t.leads, 0), 2) AS cost_per_lead,
	pg_catalog.round(100.0 * t.first_touch_won / NULLIF(t.leads, 0), 2) AS win_rate,
	pg_catalog.round((t.linear_revenue - t.cost) / NULLIF(t.cost, 0), 4) AS return_on_cost
FROM total t
LEFT JOIN @workspace@.channel c ON c.channel = t.channel
ORDER BY t.channel;

COMMENT ON VIEW @workspace@.channel_performance IS
	'What each channel costs and brings. Credit goes to the touches of won opportunities, as in opportunity_touch; what has no channel, and wins without any touch, stand at (none), so that the revenue columns each add up to all revenue. Channels without anything are listed too. One row a channel.';
COMMENT ON COLUMN @workspace@.channel_performance.channel IS 'Marketing channel, or (none)';
COMMENT ON COLUMN @workspace@.channel_performance.label IS 'The channel in words';
COMMENT ON COLUMN @workspace@.channel_performance.interactions IS 'Interactions over the channel, of every kind';
COMMENT ON COLUMN @workspace@.channel_performance.contacts IS 'Persons who had any of them; somebody reached over two channels counts in both';
COMMENT ON COLUMN @workspace@.channel_performance.leads IS 'Leads that came by the channel';
COMMENT ON COLUMN @workspace@.channel_performance.cost IS 'Money spent: by the channel of the cost, else of its campaign';
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
	ca.campaign_id,
	ca.campaign,
	pa.campaign AS parent,
	ca.channel,
	ca.currency,
	ca.budget,
	COALESCE(x.cost, 0) AS cost,
	COALESCE(n.leads, 0) AS leads,
	COALESCE(o.won, 0) AS won,
	COALESCE(o.revenue, 0) AS revenue,
	pg_catalog.round(x.cost / NULLIF(n.leads, 0), 2) AS cost_per_lead,
	pg_catalog.round((COALESCE(o.revenue, 0) - x.cost) / NULLIF(x.cost, 0), 4) AS roi
FROM @workspace@.campaign ca
LEFT JOIN @workspace@.campaign pa ON pa.campaign_id = ca.parent_id
LEFT JOIN (
	SELECT c.campaign_id, pg_catalog.sum(c.amount) AS cost
	FROM @workspace@.campaign_cost c
	GROUP BY c.campaign_id
) x ON x.campaign_id = ca.campaign_id
LEFT JOIN (
	SELECT l.campaign_id, pg_catalog.count(*) AS leads
	FROM @workspace@.lead l
	WHERE l.campaign_id IS NOT NULL
	GROUP BY l.campaign_id
) n ON n.campaign_id = ca.campaign_id
LEFT JOIN (
	SELECT
		COALESCE(q.campaign_id, l.campaign_id) AS campaign_id,
		pg_catalog.count(*) AS won,
		pg_catalog.sum(q.amount) AS revenue
	FROM @workspace@.opportunity q
	LEFT JOIN @workspace@.lead l ON l.lead_id = q.lead_id
	WHERE q.status = 'won'
	GROUP BY 1
) o ON o.campaign_id = ca.campaign_id
ORDER BY ca.campaign;

COMMENT ON VIEW @workspace@.campaign_roi IS
	'What each campaign costs and brings. A won opportunity counts for its own campaign, else for that of its lead. The waves of a campaign are rows of their own, not added to their parent. One row a campaign.';
COMMENT ON COLUMN @workspace@.campaign_roi.campaign_id IS 'Key of the campaign';
COMMENT ON COLUMN @workspace@.campaign_roi.campaign IS 'Campaign';
COMMENT ON COLUMN @workspace@.campaign_roi.parent IS 'Campaign it is a part of; NULL if it stands by itself';
COMMENT ON COLUMN @workspace@.campaign_roi.channel IS 'Main channel of the campaign';
COMMENT ON COLUMN @workspace@.campaign_roi.currency IS 'Currency of its budget';
COMMENT ON COLUMN @workspace@.campaign_roi.budget IS 'Money planned; NULL if not set';
COMMENT ON COLUMN @workspace@.campaign_roi.cost IS 'Money spent';
COMMENT ON COLUMN @workspace@.campaign_roi.leads IS 'Leads that responded to it';
COMMENT ON COLUMN @workspace@.campaign_roi.won IS 'Opportunities won';
COMMENT ON COLUMN @workspace@.campaign_roi.revenue IS 'Amounts of these added up';
COMMENT ON COLUMN @workspace@.campaign_roi.cost_per_lead IS 'Cost for each lead; NULL without leads or costs';
COMMENT ON COLUMN @workspace@.campaign_roi.roi IS 'Revenue less cost, divided by cost: 1 doubles the money; NULL when the cost is 0';
