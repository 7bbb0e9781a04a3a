-- What channels, campaigns and sources bring, in any period, as of any time, in any currency.

CREATE OR REPLACE FUNCTION @workspace@.channel_credits(definitions text[], since timestamptz, until timestamptz,
		as_of timestamptz DEFAULT 'infinity', currency text DEFAULT NULL)
	RETURNS TABLE (
		model text,
		channel text,
		conversions numeric,
		amount numeric,
		amount_currency text
	)
	LANGUAGE plpgsql STABLE ROWS 200 SET search_path = pg_catalog, pg_temp
	AS $$
	#variable_conflict use_column
	DECLARE
		touch_query text := @workspace@.attribution_touches(channel_credits.as_of);
		conversion_query text := @workspace@.attribution_conversions(since => channel_credits.since, until => channel_credits.until,
			as_of => channel_credits.as_of, currency => channel_credits.currency);
		plain text[] := (SELECT pg_catalog.array_agg(d) FROM pg_catalog.unnest(definitions) d WHERE d NOT LIKE '{%' OR d::jsonb ->> 'kind' IS DISTINCT FROM 'markov');
		part_query text;
		part record;
	BEGIN
		PERFORM lead_mgmt.report_guard('@workspace@.channel_credits(text[], timestamptz, timestamptz, timestamptz, text)'::pg_catalog.regprocedure);
		FOR part IN EXECUTE pg_catalog.format(
				'SELECT c.currency, GREATEST(COALESCE(lead_mgmt.currency_digits(c.currency), 2), pg_catalog.max(pg_catalog.min_scale(c.value))) AS digits
				FROM (%s) c GROUP BY c.currency ORDER BY c.currency', conversion_query) LOOP
			part_query := pg_catalog.format('SELECT c.* FROM (%s) c WHERE c.currency IS NOT DISTINCT FROM %L', conversion_query, part.currency);
			IF plain IS NOT NULL THEN
				RETURN QUERY
					SELECT t.model, t.channel, t.conversions, t.value, part.currency
					FROM lead_mgmt.channel_credits(touch_query, part_query, plain, digits => part.digits) t;
			END IF;
			RETURN QUERY
				SELECT d.definition ->> 'name', t.channel, t.conversions::numeric, t.value, part.currency
				FROM (SELECT u::jsonb AS definition FROM pg_catalog.unnest(definitions) u WHERE u LIKE '{%') d
				CROSS JOIN LATERAL lead_mgmt.markov_credits(touch_query, part_query, COALESCE((d.definition ->> 'order')::integer, 1),
					digits => part.digits) t
				WHERE d.definition ->> 'kind' = 'markov';
		END LOOP;
	END
	$$;

COMMENT ON FUNCTION @workspace@.channel_credits(text[], timestamptz, timestamptz, timestamptz, text) IS
	'What each channel is credited with of what was won from since on and before until, by several attribution models at once, described as for lead_mgmt.attribution_model_check(), Markov chains included; by what was known as_of, in currency where it is given. One row a model, channel and currency; channel is NULL for opportunities without a touch. Errors: as of attribute()';

CREATE OR REPLACE FUNCTION @workspace@.channel_attribution(since timestamptz, until timestamptz,
		as_of timestamptz DEFAULT 'infinity', currency text DEFAULT NULL)
	RETURNS TABLE (
		model text,
		channel text,
		label text,
		currency_code text,
		won numeric,
		revenue numeric
	)
	LANGUAGE sql STABLE ROWS 200 SET search_path = pg_catalog, pg_temp
	AS $$
		SELECT
			t.model,
			COALESCE(t.channel, '(none)'),
			COALESCE(c.label, t.channel, 'No channel'),
			t.amount_currency,
			t.conversions,
			t.amount
		FROM @workspace@.channel_credits(
			(SELECT pg_catalog.array_agg((m.definition || pg_catalog.jsonb_build_object('name', m.model))::text)
			 FROM @workspace@.attribution_model m), $1, $2, $3, $4) t
		LEFT JOIN @workspace@.channel c ON c.channel = t.channel
		WHERE lead_mgmt.report_guard('@workspace@.channel_attribution(timestamptz, timestamptz, timestamptz, text)'::pg_catalog.regprocedure)
	$$;

COMMENT ON FUNCTION @workspace@.channel_attribution(timestamptz, timestamptz, timestamptz, text) IS
	'The view channel_attribution for what was won from since on and before until, by what was known as_of, in currency where it is given, by the rates of the days on which it was won';

CREATE OR REPLACE FUNCTION @workspace@.channel_performance(since timestamptz, until timestamptz,
		as_of timestamptz DEFAULT 'infinity', currency text DEFAULT NULL)
	RETURNS TABLE (
		channel text,
		label text,
		interactions bigint,
		contacts bigint,
		leads bigint,
		cost numeric,
		won bigint,
		first_touch_won bigint,
		last_touch_won bigint,
		linear_won numeric,
		first_touch_revenue numeric,
		last_touch_revenue numeric,
		linear_revenue numeric,
		cost_per_lead numeric,
		win_rate numeric,
		return_on_cost numeric
	)
	LANGUAGE sql STABLE ROWS 20 SET search_path = pg_catalog, pg_temp
	AS $$
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
	WHERE i.occurred_at >= $1 AND i.occurred_at < $2 AND i.recorded_at <= $3
	GROUP BY 1
	UNION ALL
	SELECT COALESCE(l.channel, '(none)'), 0, 0, pg_catalog.count(*), 0, 0, 0, 0, 0, 0, 0, 0
	FROM (
		SELECT n.channel, n.created_at FROM @workspace@.lead n WHERE $3 = 'infinity'
		UNION ALL
		SELECT n.channel, n.created_at FROM @workspace@.lead_at($3) n WHERE $3 < 'infinity'
	) l
	WHERE l.created_at >= $1 AND l.created_at < $2
	GROUP BY 1
	UNION ALL
	SELECT COALESCE(x.channel, ca.channel, '(none)'), 0, 0, 0, pg_catalog.sum(
		CASE WHEN $4 IS NULL THEN x.amount ELSE @workspace@.convert_currency(x.amount, x.currency, $4, x.spent_on) END), 0, 0, 0, 0, 0, 0, 0
	FROM @workspace@.campaign_cost x
	JOIN @workspace@.campaign ca ON ca.campaign_id = x.campaign_id
	WHERE x.spent_on >= $1 AT TIME ZONE 'UTC' AND x.spent_on < $2 AT TIME ZONE 'UTC' AND x.spent_on <= $3 AT TIME ZONE 'UTC'
	GROUP BY 1
	UNION ALL
	SELECT COALESCE(i.channel, ca.channel, '(none)'), 0, 0, 0, pg_catalog.sum(
		CASE WHEN $4 IS NULL THEN i.cost ELSE @workspace@.convert_currency(i.cost, COALESCE(ca.currency, 'USD'), $4, (i.occurred_at AT TIME ZONE 'UTC')::date) END), 0, 0, 0, 0, 0, 0, 0
	FROM @workspace@.interaction i
	LEFT JOIN @workspace@.campaign ca ON ca.campaign_id = i.campaign_id
	WHERE i.cost IS NOT NULL AND i.occurred_at >= $1 AND i.occurred_at < $2 AND i.recorded_at <= $3
	GROUP BY 1
	UNION ALL
	SELECT
		COALESCE(t.channel, '(none)'), 0, 0, 0, 0,
		COALESCE(pg_catalog.sum(t.conversions) FILTER (WHERE t.model = 'participation'), 0)::bigint,
		COALESCE(pg_catalog.sum(t.conversions) FILTER (WHERE t.model = 'first'), 0)::bigint,
		COALESCE(pg_catalog.sum(t.conversions) FILTER (WHERE t.model = 'last'), 0)::bigint,
		COALESCE(pg_catalog.sum(t.conversions) FILTER (WHERE t.model = 'linear'), 0),
		COALESCE(pg_catalog.sum(t.amount) FILTER (WHERE t.model = 'first'), 0),
		COALESCE(pg_catalog.sum(t.amount) FILTER (WHERE t.model = 'last'), 0),
		COALESCE(pg_catalog.sum(t.amount) FILTER (WHERE t.model = 'linear'), 0)
	FROM @workspace@.channel_credits('{first,last,linear,participation}', $1, $2, $3, $4) t
	GROUP BY t.channel
	UNION ALL
	SELECT c.channel, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
	FROM @workspace@.channel c
	UNION ALL
	SELECT '(none)', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
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
	COALESCE(c.label, CASE t.channel WHEN '(none)' THEN 'No channel' ELSE t.channel END),
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
	pg_catalog.round(t.cost / NULLIF(t.leads, 0), 2),
	pg_catalog.round(100.0 * t.first_touch_won / NULLIF(t.leads, 0), 2),
	pg_catalog.round((t.linear_revenue - t.cost) / NULLIF(t.cost, 0), 4)
FROM total t
LEFT JOIN @workspace@.channel c ON c.channel = t.channel
WHERE lead_mgmt.report_guard('@workspace@.channel_performance(timestamptz, timestamptz, timestamptz, text)'::pg_catalog.regprocedure)
ORDER BY t.channel
	$$;

COMMENT ON FUNCTION @workspace@.channel_performance(timestamptz, timestamptz, timestamptz, text) IS
	'The view channel_performance for a period: interactions that took place, leads created, money spent and opportunities won from since on and before until, by what was known as_of, amounts in currency where it is given, by the rate of the day on which each was spent or won. Errors: no_data_found without a rate';

CREATE OR REPLACE FUNCTION @workspace@.campaign_roi(since timestamptz, until timestamptz,
		as_of timestamptz DEFAULT 'infinity', currency text DEFAULT NULL)
	RETURNS TABLE (
		campaign_id bigint,
		campaign text,
		parent text,
		channel text,
		currency_code text,
		budget numeric,
		cost numeric,
		leads bigint,
		won bigint,
		revenue numeric,
		cost_per_lead numeric,
		roi numeric,
		parent_id bigint
	)
	LANGUAGE sql STABLE ROWS 100 SET search_path = pg_catalog, pg_temp
	AS $$
WITH lead AS (
	SELECT l.lead_id, l.campaign_id, l.created_at FROM @workspace@.lead l WHERE $3 = 'infinity'
	UNION ALL
	SELECT l.lead_id, l.campaign_id, l.created_at FROM @workspace@.lead_at($3) l WHERE $3 < 'infinity'
),
sale AS (
	SELECT o.lead_id, o.campaign_id, o.amount, o.currency, o.closed_at FROM @workspace@.opportunity o WHERE $3 = 'infinity' AND o.status = 'won'
	UNION ALL
	SELECT o.lead_id, o.campaign_id, o.amount, o.currency, o.closed_at FROM @workspace@.opportunity_at($3) o WHERE $3 < 'infinity' AND o.status = 'won'
)
SELECT
	ca.campaign_id,
	ca.campaign,
	pa.campaign,
	ca.channel,
	ca.currency,
	ca.budget,
	COALESCE(x.cost, 0),
	COALESCE(n.leads, 0),
	COALESCE(o.won, 0),
	COALESCE(o.revenue, 0),
	pg_catalog.round(x.cost / NULLIF(n.leads, 0), 2),
	pg_catalog.round((COALESCE(o.revenue, 0) - x.cost) / NULLIF(x.cost, 0), 4),
	ca.parent_id
FROM @workspace@.campaign ca
LEFT JOIN @workspace@.campaign pa ON pa.campaign_id = ca.parent_id
LEFT JOIN (
	SELECT c.campaign_id, pg_catalog.sum(
		CASE WHEN $4 IS NULL THEN c.amount ELSE @workspace@.convert_currency(c.amount, c.currency, $4, c.spent_on) END) AS cost
	FROM (
		SELECT s.campaign_id, s.amount, s.currency, s.spent_on
		FROM @workspace@.campaign_cost s
		WHERE s.spent_on >= $1 AT TIME ZONE 'UTC' AND s.spent_on < $2 AT TIME ZONE 'UTC' AND s.spent_on <= $3 AT TIME ZONE 'UTC'
		UNION ALL
		SELECT i.campaign_id, i.cost, m.currency, (i.occurred_at AT TIME ZONE 'UTC')::date
		FROM @workspace@.interaction i
		JOIN @workspace@.campaign m ON m.campaign_id = i.campaign_id
		WHERE i.cost IS NOT NULL AND i.occurred_at >= $1 AND i.occurred_at < $2 AND i.recorded_at <= $3
	) c
	GROUP BY c.campaign_id
) x ON x.campaign_id = ca.campaign_id
LEFT JOIN (
	SELECT l.campaign_id, pg_catalog.count(*) AS leads
	FROM lead l
	WHERE l.campaign_id IS NOT NULL AND l.created_at >= $1 AND l.created_at < $2
	GROUP BY l.campaign_id
) n ON n.campaign_id = ca.campaign_id
LEFT JOIN (
	SELECT
		COALESCE(q.campaign_id, l.campaign_id) AS campaign_id,
		pg_catalog.count(*) AS won,
		pg_catalog.sum(CASE WHEN $4 IS NULL THEN q.amount
			ELSE @workspace@.convert_currency(q.amount, q.currency, $4, (q.closed_at AT TIME ZONE 'UTC')::date) END) AS revenue
	FROM sale q
	LEFT JOIN lead l ON l.lead_id = q.lead_id
	WHERE q.closed_at >= $1 AND q.closed_at < $2
	GROUP BY 1
) o ON o.campaign_id = ca.campaign_id
WHERE ca.created_at <= $3
	AND lead_mgmt.report_guard('@workspace@.campaign_roi(timestamptz, timestamptz, timestamptz, text)'::pg_catalog.regprocedure)
ORDER BY ca.campaign
	$$;

COMMENT ON FUNCTION @workspace@.campaign_roi(timestamptz, timestamptz, timestamptz, text) IS
	'The view campaign_roi for a period: money spent, leads created and opportunities won from since on and before until, by what was known as_of, amounts (but not the budget) in currency where it is given, by the rate of the day on which each was spent or won. Errors: no_data_found without a rate';

CREATE OR REPLACE FUNCTION @workspace@.source_conversion(since timestamptz, until timestamptz,
		as_of timestamptz DEFAULT 'infinity', currency text DEFAULT NULL)
	RETURNS TABLE (
		source text,
		label text,
		kind text,
		leads bigint,
		qualified bigint,
		opportunities bigint,
		won bigint,
		revenue numeric,
		qualification_rate numeric,
		lead_win_rate numeric,
		opportunity_win_rate numeric
	)
	LANGUAGE sql STABLE ROWS 20 SET search_path = pg_catalog, pg_temp
	AS $$
WITH listed AS (
	SELECT s.source, s.label, s.kind FROM @workspace@.lead_source s
	UNION ALL
	SELECT 'unknown', 'Unknown', 'unknown'
	WHERE NOT EXISTS (SELECT FROM @workspace@.lead_source s WHERE s.source = 'unknown')
),
lead AS (
	SELECT l.lead_id, l.source, l.created_at, l.sales_ready_at IS NOT NULL OR l.qualification IN ('sales_ready', 'sales_accepted') AS is_qualified
	FROM @workspace@.lead l WHERE $3 = 'infinity'
	UNION ALL
	SELECT l.lead_id, l.source, l.created_at, l.sales_ready_at IS NOT NULL FROM @workspace@.lead_at($3) l WHERE $3 < 'infinity'
),
sale AS (
	SELECT o.lead_id, o.contact_id, o.status, o.amount, o.currency, o.created_at, o.closed_at
	FROM @workspace@.opportunity o WHERE $3 = 'infinity'
	UNION ALL
	SELECT o.lead_id, o.contact_id, o.status, o.amount, o.currency, o.created_at, o.closed_at
	FROM @workspace@.opportunity_at($3) o WHERE $3 < 'infinity'
),
lead_count AS (
	SELECT l.source, pg_catalog.count(*) AS leads, pg_catalog.count(*) FILTER (WHERE l.is_qualified) AS qualified
	FROM lead l
	WHERE l.created_at >= $1 AND l.created_at < $2
	GROUP BY l.source
),
sale_count AS (
	SELECT
		COALESCE(l.source, c.first_source, 'unknown') AS source,
		pg_catalog.count(*) FILTER (WHERE o.created_at >= $1 AND o.created_at < $2) AS opportunities,
		pg_catalog.count(*) FILTER (WHERE o.status = 'won' AND o.created_at >= $1 AND o.created_at < $2) AS opportunities_won,
		pg_catalog.count(DISTINCT o.lead_id) FILTER (WHERE o.status = 'won' AND l.created_at >= $1 AND l.created_at < $2) AS leads_won,
		pg_catalog.count(*) FILTER (WHERE o.status = 'won' AND o.closed_at >= $1 AND o.closed_at < $2) AS won,
		COALESCE(pg_catalog.sum(CASE WHEN $4 IS NULL THEN o.amount
			ELSE @workspace@.convert_currency(o.amount, o.currency, $4, (o.closed_at AT TIME ZONE 'UTC')::date) END)
			FILTER (WHERE o.status = 'won' AND o.closed_at >= $1 AND o.closed_at < $2), 0) AS revenue
	FROM sale o
	LEFT JOIN lead l ON l.lead_id = o.lead_id
	LEFT JOIN @workspace@.contact c ON c.contact_id = o.contact_id
	GROUP BY 1
)
SELECT
	s.source,
	s.label,
	s.kind,
	COALESCE(n.leads, 0),
	COALESCE(n.qualified, 0),
	COALESCE(o.opportunities, 0),
	COALESCE(o.won, 0),
	COALESCE(o.revenue, 0),
	pg_catalog.round(100.0 * n.qualified / NULLIF(n.leads, 0), 2),
	pg_catalog.round(100.0 * COALESCE(o.leads_won, 0) / NULLIF(n.leads, 0), 2),
	pg_catalog.round(100.0 * o.opportunities_won / NULLIF(o.opportunities, 0), 2)
FROM listed s
LEFT JOIN lead_count n ON n.source = s.source
LEFT JOIN sale_count o ON o.source = s.source
WHERE lead_mgmt.report_guard('@workspace@.source_conversion(timestamptz, timestamptz, timestamptz, text)'::pg_catalog.regprocedure)
ORDER BY s.source
	$$;

COMMENT ON FUNCTION @workspace@.source_conversion(timestamptz, timestamptz, timestamptz, text) IS
	'The view source_conversion for a period: leads and opportunities created, and what was won, from since on and before until, by what was known as_of, revenue in currency where it is given, by the rate of the day on which it was won. Rates are those of what was created then. Errors: no_data_found without a rate';

REVOKE EXECUTE ON FUNCTION
	@workspace@.channel_credits(text[], timestamptz, timestamptz, timestamptz, text),
	@workspace@.channel_attribution(timestamptz, timestamptz, timestamptz, text),
	@workspace@.channel_performance(timestamptz, timestamptz, timestamptz, text),
	@workspace@.campaign_roi(timestamptz, timestamptz, timestamptz, text),
	@workspace@.source_conversion(timestamptz, timestamptz, timestamptz, text),
	@workspace@.lead_at(timestamptz),
	@workspace@.opportunity_at(timestamptz)
	FROM PUBLIC;
