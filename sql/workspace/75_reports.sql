-- Reports over all leads: funnel, stages and sources.
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
		WHERE p.lead_id = $1 AND lead_mgmt.report_guard('@workspace@.completeness(bigint)'::pg_catalog.regprocedure)
	) d
	JOIN @workspace@.pipeline pi ON pi.pipeline = d.pipeline
	LEFT JOIN LATERAL pg_catalog.unnest(pi.completeness_fields) u (field) ON true
	GROUP BY d.pipeline
$function$;

COMMENT ON FUNCTION @workspace@.completeness(bigint) IS
	'Share of the fields its pipeline wants to know that are filled in a lead''s profile: percent, rounded down; 100 when the pipeline asks for none, NULL for an unknown lead';

CREATE OR REPLACE FUNCTION @workspace@.funnel(since timestamptz, until timestamptz, as_of timestamptz DEFAULT 'infinity')
	RETURNS TABLE (
		level integer,
		stage text,
		label text,
		leads bigint,
		share_of_first numeric,
		step_conversion numeric,
		win_rate numeric
	)
	LANGUAGE sql STABLE STRICT ROWS 10 SET search_path = pg_catalog, pg_temp
	AS $$
WITH place AS MATERIALIZED (
	SELECT
		s.pipeline,
		s.stage,
		s.label,
		s.kind,
		(2 + pg_catalog.count(*) FILTER (WHERE s.kind = 'open') OVER (ORDER BY s.sequence))::integer AS level
	FROM @workspace@.stage s
	JOIN @workspace@.pipeline p ON p.pipeline = s.pipeline AND p.entity = 'lead' AND p.is_default
),
last AS MATERIALIZED (
	SELECT 3 + pg_catalog.count(*)::integer AS opportunity, 4 + pg_catalog.count(*)::integer AS won
	FROM place p
	WHERE p.kind = 'open'
),
level AS (
	SELECT 1 AS level, 'visitor'::text AS stage, 'Visitors'::text AS label
	UNION ALL
	SELECT 2, 'lead', 'Leads'
	UNION ALL
	SELECT p.level, p.stage, p.label FROM place p WHERE p.kind = 'open'
	UNION ALL
	SELECT l.opportunity, 'opportunity', 'Opportunities' FROM last l
	UNION ALL
	SELECT l.won, 'won', 'Won' FROM last l
),
-- No pipeline or stage is named '': there stand opportunities, and leads that had not entered their stage yet.
listed AS MATERIALIZED (
	SELECT
		pg_catalog.array_agg(s.pipeline) AS pipelines,
		pg_catalog.array_agg(s.stage) AS stages,
		pg_catalog.array_agg(s.level) AS levels
	FROM (
		SELECT p.pipeline, p.stage, CASE p.kind WHEN 'open' THEN p.level WHEN 'won' THEN l.opportunity ELSE 2 END AS level
		FROM place p
		CROSS JOIN last l
		UNION ALL
		SELECT DISTINCT p.pipeline, '', 2 FROM place p
		UNION ALL
		SELECT '', o.status, CASE o.status WHEN 'won' THEN l.won ELSE l.opportunity END
		FROM last l
		CROSS JOIN (VALUES ('open'), ('won'), ('lost')) o (status)
	) s
),
reached AS (
	SELECT h.level::integer AS level, h.leads
	FROM (
		SELECT lead_mgmt.furthest_levels(x.lead_id, x.pipeline, x.stage, x.counts,
			(SELECT l.pipelines FROM listed l), (SELECT l.stages FROM listed l), (SELECT l.levels FROM listed l)) AS furthest
		FROM (
			SELECT l.lead_id, l.pipeline, CASE WHEN l.stage_entered_at <= $3 THEN l.stage ELSE '' END AS stage, true AS counts
			FROM @workspace@.lead l
			WHERE l.created_at >= $1 AND l.created_at < $2 AND l.created_at <= $3
			UNION ALL
			SELECT v.lead_id, v.pipeline, v.to_stage, false
			FROM @workspace@.stage_move v
			WHERE v.moved_at <= $3
			UNION ALL
			SELECT q.lead_id, '', q.status, false
			FROM @workspace@.opportunity q
			WHERE $3 = 'infinity'
			UNION ALL
			SELECT q.lead_id, '', q.status, false
			FROM @workspace@.opportunity_at($3) q
			WHERE $3 < 'infinity'
		) x
	) f
	CROSS JOIN LATERAL pg_catalog.unnest(f.furthest) WITH ORDINALITY h (leads, level)
	UNION ALL
	SELECT 1, f.furthest[1]
	FROM (
		SELECT lead_mgmt.furthest_levels(x.contact_id, '', x.stage, x.counts, '{"",""}', '{visitor,lead}', '{1,2}') AS furthest
		FROM (
			SELECT c.contact_id, 'visitor' AS stage, true AS counts
			FROM @workspace@.contact c
			WHERE c.created_at >= $1 AND c.created_at < $2 AND c.created_at <= $3
			UNION ALL
			SELECT l.contact_id, 'lead', false
			FROM @workspace@.lead l
			WHERE l.created_at <= $3
		) x
	) f
	UNION ALL
	SELECT 1, pg_catalog.count(*)
	FROM (
		SELECT i.visitor
		FROM @workspace@.interaction i
		WHERE i.contact_id IS NULL AND i.lead_id IS NULL AND i.recorded_at <= $3
			AND NOT EXISTS (
				SELECT FROM @workspace@.contact_identity ci
				WHERE ci.kind = 'visitor' AND ci.value = i.visitor)
		GROUP BY i.visitor
		HAVING pg_catalog.min(i.occurred_at) >= $1 AND pg_catalog.min(i.occurred_at) < $2
	) v
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
	pg_catalog.round(100 * c.leads / NULLIF(pg_catalog.lag(c.leads) OVER (ORDER BY c.level), 0), 2) AS step_conversion,
	pg_catalog.round(100 * pg_catalog.first_value(c.leads) OVER (ORDER BY c.level DESC) / NULLIF(c.leads, 0), 2) AS win_rate
FROM counted c
WHERE lead_mgmt.report_guard('@workspace@.funnel(timestamptz, timestamptz, timestamptz)'::pg_catalog.regprocedure)
ORDER BY c.level
	$$;

COMMENT ON FUNCTION @workspace@.funnel(timestamptz, timestamptz, timestamptz) IS
	'How many get how far of those who came from since on and before until, by the creation of the lead, of the contact without a lead, and the first interaction of a visitor not identified yet. A lead counts at the furthest level it ever reached and at every level before that, so the numbers never rise; with as_of, at the furthest it had reached then. Columns as in the view funnel';

REVOKE EXECUTE ON FUNCTION @workspace@.funnel(timestamptz, timestamptz, timestamptz) FROM PUBLIC;

CREATE OR REPLACE VIEW @workspace@.funnel WITH (security_invoker = true) AS
SELECT f.level, f.stage, f.label, f.leads, f.share_of_first, f.step_conversion, f.win_rate
FROM @workspace@.funnel('-infinity', 'infinity') f
ORDER BY f.level;

COMMENT ON VIEW @workspace@.funnel IS
	'How many get how far: visitors, leads of the default pipeline, its open stages, opportunity, won. A lead counts at the furthest level it ever reached and at every level before that, stages it skipped included, so the numbers never rise; leaving for a lost stage takes nothing away. A person with two leads counts twice. One row a level.';
COMMENT ON COLUMN @workspace@.funnel.level IS 'Place in the funnel, from 1';
COMMENT ON COLUMN @workspace@.funnel.stage IS 'visitor, lead, a stage of the default pipeline, opportunity or won';
COMMENT ON COLUMN @workspace@.funnel.label IS 'The level in words';
COMMENT ON COLUMN @workspace@.funnel.leads IS 'Leads that reached this level or a later one; at the first level also the contacts without any lead and the visitors not identified yet';
COMMENT ON COLUMN @workspace@.funnel.share_of_first IS 'Percentage of the first level; NULL when that is empty';
COMMENT ON COLUMN @workspace@.funnel.step_conversion IS 'Percentage of the level before; NULL at the first level and when the one before is empty';
COMMENT ON COLUMN @workspace@.funnel.win_rate IS 'Percentage of those at this level that were won so far, the quality that screening leaves: it never falls from level to level; NULL when nobody got here';

CREATE OR REPLACE VIEW @workspace@.stage_conversion WITH (security_invoker = true) AS
WITH place AS MATERIALIZED (
	SELECT s.pipeline, s.stage, s.label, s.sequence, s.kind,
		pg_catalog.row_number() OVER (ORDER BY s.pipeline, s.sequence)::integer AS number
	FROM @workspace@.stage s
),
listed AS MATERIALIZED (
	SELECT
		pg_catalog.array_agg(p.pipeline ORDER BY p.number) AS pipelines,
		pg_catalog.array_agg(p.stage ORDER BY p.number) AS stages,
		pg_catalog.array_agg(p.sequence ORDER BY p.number) AS sequences,
		pg_catalog.array_agg(p.kind = 'lost' ORDER BY p.number) AS is_lost
	FROM place p
),
counted AS MATERIALIZED (
	SELECT lead_mgmt.stage_figures(COALESCE(m.lead_id, -m.opportunity_id), m.stage_move_id, m.pipeline, m.to_stage, m.moved_at,
		(SELECT l.pipelines FROM listed l), (SELECT l.stages FROM listed l), (SELECT l.sequences FROM listed l),
		(SELECT l.is_lost FROM listed l)) AS figures
	FROM @workspace@.stage_move m
)
SELECT
	p.pipeline,
	i.entity,
	p.stage,
	p.label,
	p.sequence,
	COALESCE(c.figures[p.number][1], 0)::bigint AS entered,
	COALESCE(c.figures[p.number][2], 0)::bigint AS advanced,
	COALESCE(c.figures[p.number][3], 0)::bigint AS lost,
	COALESCE(c.figures[p.number][4], 0)::bigint AS current,
	pg_catalog.round((100 * c.figures[p.number][2] / NULLIF(c.figures[p.number][1], 0))::numeric, 2) AS conversion
FROM place p
JOIN @workspace@.pipeline i ON i.pipeline = p.pipeline
CROSS JOIN counted c
ORDER BY i.entity, p.pipeline, p.sequence;

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
WITH place AS MATERIALIZED (
	SELECT s.pipeline, s.stage, s.label, s.sequence, s.kind,
		pg_catalog.row_number() OVER (ORDER BY s.pipeline, s.sequence)::integer AS number
	FROM @workspace@.stage s
),
listed AS MATERIALIZED (
	SELECT
		pg_catalog.array_agg(p.pipeline ORDER BY p.number) AS pipelines,
		pg_catalog.array_agg(p.stage ORDER BY p.number) AS stages,
		pg_catalog.array_agg(p.sequence ORDER BY p.number) AS sequences,
		pg_catalog.array_agg(p.kind = 'lost' ORDER BY p.number) AS is_lost
	FROM place p
),
counted AS MATERIALIZED (
	SELECT lead_mgmt.stage_figures(COALESCE(m.lead_id, -m.opportunity_id), m.stage_move_id, m.pipeline, m.to_stage, m.moved_at,
		(SELECT l.pipelines FROM listed l), (SELECT l.stages FROM listed l), (SELECT l.sequences FROM listed l),
		(SELECT l.is_lost FROM listed l)) AS figures
	FROM @workspace@.stage_move m
)
SELECT
	p.pipeline,
	i.entity,
	p.stage,
	p.label,
	p.sequence,
	COALESCE(c.figures[p.number][5], 0)::bigint AS finished,
	pg_catalog.justify_hours(pg_catalog.make_interval(secs => c.figures[p.number][7])) AS average_duration,
	pg_catalog.justify_hours(pg_catalog.make_interval(secs => c.figures[p.number][8])) AS median_duration,
	pg_catalog.round((c.figures[p.number][7] / 86400)::numeric, 2) AS average_days,
	pg_catalog.round((c.figures[p.number][8] / 86400)::numeric, 2) AS median_days,
	COALESCE(c.figures[p.number][4], 0)::bigint AS current,
	pg_catalog.round((EXTRACT(epoch FROM pg_catalog.now() - pg_catalog.to_timestamp(c.figures[p.number][9])) / 86400)::numeric, 2) AS current_average_days,
	COALESCE(c.figures[p.number][6], 0)::bigint AS left_by
FROM place p
JOIN @workspace@.pipeline i ON i.pipeline = p.pipeline
CROSS JOIN counted c
ORDER BY i.entity, p.pipeline, p.sequence;

COMMENT ON VIEW @workspace@.stage_velocity IS
	'How long leads and opportunities stay in a stage, going by the moves recorded: rows loaded as history bring none. Stages that nothing entered are listed too. One row a pipeline and stage.';
COMMENT ON COLUMN @workspace@.stage_velocity.pipeline IS 'Pipeline';
COMMENT ON COLUMN @workspace@.stage_velocity.entity IS 'What goes through it: lead or opportunity';
COMMENT ON COLUMN @workspace@.stage_velocity.stage IS 'Stage';
COMMENT ON COLUMN @workspace@.stage_velocity.label IS 'The stage in words';
COMMENT ON COLUMN @workspace@.stage_velocity.sequence IS 'Place of the stage in its pipeline, ascending';
COMMENT ON COLUMN @workspace@.stage_velocity.finished IS 'Stays in the stage that have ended';
COMMENT ON COLUMN @workspace@.stage_velocity.average_duration IS 'How long those that left it were in it, on average: several stays of one are summed. NULL without any';
COMMENT ON COLUMN @workspace@.stage_velocity.median_duration IS 'The same, as median';
COMMENT ON COLUMN @workspace@.stage_velocity.average_days IS 'The average in days';
COMMENT ON COLUMN @workspace@.stage_velocity.median_days IS 'The median in days';
COMMENT ON COLUMN @workspace@.stage_velocity.current IS 'Leads or opportunities in the stage now';
COMMENT ON COLUMN @workspace@.stage_velocity.current_average_days IS 'Days these have been in it so far, on average; NULL without any';
COMMENT ON COLUMN @workspace@.stage_velocity.left_by IS 'Leads or opportunities that were in the stage and left it';

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
SELECT
	c.source,
	c.label,
	c.kind,
	c.leads,
	c.qualified,
	c.opportunities,
	c.won,
	c.revenue,
	c.qualification_rate,
	c.lead_win_rate,
	c.opportunity_win_rate
FROM @workspace@.source_conversion('-infinity', 'infinity') c
ORDER BY c.source;

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

CREATE OR REPLACE VIEW @workspace@.cohort WITH (security_invoker = true) AS
WITH fact AS (
	SELECT
		pg_catalog.date_trunc('month', l.created_at AT TIME ZONE 'UTC')::date AS cohort,
		l.created_at AS at,
		1 AS leads,
		0 AS qualified,
		0 AS opportunities,
		0 AS won,
		0::numeric AS revenue
	FROM @workspace@.lead l
	UNION ALL
	SELECT pg_catalog.date_trunc('month', l.created_at AT TIME ZONE 'UTC')::date, l.sales_ready_at, 0, 1, 0, 0, 0
	FROM @workspace@.lead l
	WHERE l.sales_ready_at IS NOT NULL
	UNION ALL
	SELECT
		pg_catalog.date_trunc('month', l.created_at AT TIME ZONE 'UTC')::date,
		GREATEST(CASE WHEN o.status = 'won' THEN LEAST(o.created_at, o.closed_at) ELSE o.created_at END, l.created_at), 0, 0, 1, 0, 0
	FROM @workspace@.opportunity o
	JOIN @workspace@.lead l ON l.lead_id = o.lead_id
	UNION ALL
	SELECT
		pg_catalog.date_trunc('month', l.created_at AT TIME ZONE 'UTC')::date,
		GREATEST(o.closed_at, l.created_at), 0, 0, 0, 1, COALESCE(o.amount, 0)
	FROM @workspace@.opportunity o
	JOIN @workspace@.lead l ON l.lead_id = o.lead_id
	WHERE o.status = 'won'
),
month AS (
	SELECT
		f.cohort,
		GREATEST(0, (12 * (EXTRACT(year FROM f.at AT TIME ZONE 'UTC') - EXTRACT(year FROM f.cohort))
			+ EXTRACT(month FROM f.at AT TIME ZONE 'UTC') - EXTRACT(month FROM f.cohort))::integer) AS months_after,
		pg_catalog.sum(f.leads) AS leads,
		pg_catalog.sum(f.qualified) AS qualified,
		pg_catalog.sum(f.opportunities) AS opportunities,
		pg_catalog.sum(f.won) AS won,
		pg_catalog.sum(f.revenue) AS revenue
	FROM fact f
	GROUP BY 1, 2
),
grid AS (
	SELECT c.cohort, g.months_after
	FROM (SELECT m.cohort, pg_catalog.max(m.months_after) AS latest FROM month m GROUP BY m.cohort) c
	CROSS JOIN LATERAL pg_catalog.generate_series(0, GREATEST(c.latest,
		(12 * (EXTRACT(year FROM pg_catalog.now() AT TIME ZONE 'UTC') - EXTRACT(year FROM c.cohort))
			+ EXTRACT(month FROM pg_catalog.now() AT TIME ZONE 'UTC') - EXTRACT(month FROM c.cohort))::integer)) g (months_after)
)
SELECT
	t.cohort,
	t.months_after,
	t.leads::bigint AS leads,
	t.qualified::bigint AS qualified,
	t.opportunities::bigint AS opportunities,
	t.won::bigint AS won,
	t.revenue,
	pg_catalog.round(100 * t.won / NULLIF(t.leads, 0), 2) AS win_rate
FROM (
	SELECT
		g.cohort,
		g.months_after,
		pg_catalog.sum(COALESCE(m.leads, 0)) OVER so_far AS leads,
		pg_catalog.sum(COALESCE(m.qualified, 0)) OVER so_far AS qualified,
		pg_catalog.sum(COALESCE(m.opportunities, 0)) OVER so_far AS opportunities,
		pg_catalog.sum(COALESCE(m.won, 0)) OVER so_far AS won,
		pg_catalog.sum(COALESCE(m.revenue, 0)) OVER so_far AS revenue
	FROM grid g
	LEFT JOIN month m ON m.cohort = g.cohort AND m.months_after = g.months_after
	WINDOW so_far AS (PARTITION BY g.cohort ORDER BY g.months_after)
) t
ORDER BY t.cohort, t.months_after;

COMMENT ON VIEW @workspace@.cohort IS
	'What came of the leads of each month, month by month: all that was reached by the end of so many calendar months later, so within a cohort the numbers never fall (revenue may, by refunds). Months are those of UTC. One row a month of creation and month since, up to now.';
COMMENT ON COLUMN @workspace@.cohort.cohort IS 'First day of the month in which the leads were created';
COMMENT ON COLUMN @workspace@.cohort.months_after IS 'Calendar months since, 0 for that month itself';
COMMENT ON COLUMN @workspace@.cohort.leads IS 'Leads of the cohort';
COMMENT ON COLUMN @workspace@.cohort.qualified IS 'Those of them that had been sales-ready by then';
COMMENT ON COLUMN @workspace@.cohort.opportunities IS 'Opportunities that had come of them by then';
COMMENT ON COLUMN @workspace@.cohort.won IS 'Opportunities won by then';
COMMENT ON COLUMN @workspace@.cohort.revenue IS 'Amounts of these added up';
COMMENT ON COLUMN @workspace@.cohort.win_rate IS 'Opportunities won, in percent of the leads';

CREATE OR REPLACE VIEW @workspace@.calendar WITH (security_invoker = true) AS
SELECT
	d.day::date AS day,
	EXTRACT(year FROM d.day)::integer AS year,
	EXTRACT(quarter FROM d.day)::integer AS quarter,
	EXTRACT(month FROM d.day)::integer AS month,
	EXTRACT(day FROM d.day)::integer AS day_of_month,
	EXTRACT(isoyear FROM d.day)::integer AS iso_year,
	EXTRACT(week FROM d.day)::integer AS iso_week,
	EXTRACT(isodow FROM d.day)::integer AS iso_weekday,
	EXTRACT(isodow FROM d.day) IN (6, 7) AS is_weekend,
	pg_catalog.date_trunc('month', d.day)::date AS month_start,
	pg_catalog.date_trunc('quarter', d.day)::date AS quarter_start,
	pg_catalog.date_trunc('week', d.day)::date AS week_start
FROM pg_catalog.generate_series(
	pg_catalog.date_trunc('year', COALESCE(LEAST(
		(SELECT pg_catalog.min(i.occurred_at) FROM @workspace@.interaction i WHERE i.occurred_at > '-infinity'),
		(SELECT pg_catalog.min(l.created_at) FROM @workspace@.lead l WHERE l.created_at > '-infinity'),
		(SELECT pg_catalog.min(o.created_at) FROM @workspace@.opportunity o WHERE o.created_at > '-infinity')
	), pg_catalog.now()) AT TIME ZONE 'UTC'),
	pg_catalog.date_trunc('year', pg_catalog.now() AT TIME ZONE 'UTC') + interval '2 years - 1 day',
	interval '1 day'
) d (day);

COMMENT ON VIEW @workspace@.calendar IS
	'Days to join reports to: from the beginning of the year of the first interaction, lead or opportunity to the end of next year. One row a day.';
COMMENT ON COLUMN @workspace@.calendar.day IS 'Day';
COMMENT ON COLUMN @workspace@.calendar.year IS 'Year';
COMMENT ON COLUMN @workspace@.calendar.quarter IS 'Quarter, 1 to 4';
COMMENT ON COLUMN @workspace@.calendar.month IS 'Month, 1 to 12';
COMMENT ON COLUMN @workspace@.calendar.day_of_month IS 'Day of the month, from 1';
COMMENT ON COLUMN @workspace@.calendar.iso_year IS 'Year that the ISO 8601 week belongs to';
COMMENT ON COLUMN @workspace@.calendar.iso_week IS 'Week by ISO 8601, 1 to 53';
COMMENT ON COLUMN @workspace@.calendar.iso_weekday IS 'Day of the week by ISO 8601: 1 is Monday';
COMMENT ON COLUMN @workspace@.calendar.is_weekend IS 'True for Saturday and Sunday';
COMMENT ON COLUMN @workspace@.calendar.month_start IS 'First day of the month';
COMMENT ON COLUMN @workspace@.calendar.quarter_start IS 'First day of the quarter';
COMMENT ON COLUMN @workspace@.calendar.week_start IS 'Monday of the week';
