-- Reports as pictures.

CREATE OR REPLACE FUNCTION @workspace@.chart(chart text, since timestamptz DEFAULT '-infinity', until timestamptz DEFAULT 'infinity')
	RETURNS text
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		period text := CASE
			WHEN since > '-infinity' AND until < 'infinity' THEN pg_catalog.format('from %s until before %s', pg_catalog.to_char(since AT TIME ZONE 'UTC', 'YYYY-MM-DD'), pg_catalog.to_char(until AT TIME ZONE 'UTC', 'YYYY-MM-DD'))
			WHEN since > '-infinity' THEN pg_catalog.format('since %s', pg_catalog.to_char(since AT TIME ZONE 'UTC', 'YYYY-MM-DD'))
			WHEN until < 'infinity' THEN pg_catalog.format('before %s', pg_catalog.to_char(until AT TIME ZONE 'UTC', 'YYYY-MM-DD'))
			ELSE '' END;
		picture text;
	BEGIN
		PERFORM lead_mgmt.report_guard('@workspace@.chart(text, timestamptz, timestamptz)'::pg_catalog.regprocedure);
		IF chart = 'funnel' THEN
			SELECT lead_mgmt.funnel_svg('How far leads get', pg_catalog.concat_ws(', ', pg_catalog.concat_ws(' ', 'Leads', 'created ' || NULLIF(period, '')), 'at the furthest level they reached'),
					pg_catalog.array_agg(f.label ORDER BY f.level), pg_catalog.array_agg(f.leads::double precision ORDER BY f.level))
				INTO picture
				FROM @workspace@.funnel(chart.since, chart.until) f;
		ELSIF chart = 'channels' THEN
			WITH credited AS (
				SELECT c.model, COALESCE(c.channel, '(none)') AS channel, pg_catalog.sum(c.conversions) AS conversions
				FROM @workspace@.channel_credits(
					(SELECT pg_catalog.array_agg((m.definition || pg_catalog.jsonb_build_object('name', m.model))::text)
					 FROM @workspace@.attribution_model m), chart.since, chart.until) c
				GROUP BY 1, 2
			),
			-- The ten that earn most keep their names
			ranked AS (
				SELECT x.channel, pg_catalog.row_number() OVER (ORDER BY pg_catalog.sum(x.conversions) DESC, x.channel) AS rank
				FROM credited x
				GROUP BY x.channel
				HAVING pg_catalog.sum(x.conversions) > 0
			),
			part AS (
				SELECT
					LEAST(r.rank, 11) AS rank,
					CASE WHEN pg_catalog.count(*) = 1 THEN pg_catalog.min(COALESCE(h.label, CASE r.channel WHEN '(none)' THEN 'No touch' ELSE r.channel END))
						ELSE 'Other channels' END AS label,
					pg_catalog.array_agg(r.channel) AS channels
				FROM ranked r
				LEFT JOIN @workspace@.channel h ON h.channel = r.channel
				GROUP BY 1
			),
			number AS (
				SELECT m.model, m.label, p.rank, COALESCE(pg_catalog.sum(c.conversions), 0) AS conversions
				FROM @workspace@.attribution_model m
				CROSS JOIN part p
				LEFT JOIN credited c ON c.model = m.model AND c.channel = ANY (p.channels)
				GROUP BY m.model, m.label, p.rank
			)
			SELECT lead_mgmt.shares_svg('Which channels won, by attribution model',
					pg_catalog.concat_ws(', ', pg_catalog.concat_ws(' ', 'Opportunities won', NULLIF(period, '')), 'divided among the channels of their touches'),
					COALESCE((SELECT pg_catalog.array_agg(m.label ORDER BY m.created_at, m.model) FROM @workspace@.attribution_model m WHERE EXISTS (SELECT FROM part)), '{}'),
					COALESCE((SELECT pg_catalog.array_agg(p.label ORDER BY p.rank) FROM part p), '{}'),
					COALESCE((SELECT pg_catalog.array_agg(n.conversions::double precision ORDER BY m.created_at, m.model, n.rank)
						FROM number n JOIN @workspace@.attribution_model m ON m.model = n.model), '{}'))
				INTO picture;
		ELSIF chart = 'cohorts' THEN
			WITH shown AS (
				SELECT DISTINCT c.cohort
				FROM @workspace@.cohort c
				WHERE c.cohort >= pg_catalog.date_trunc('month', chart.since AT TIME ZONE 'UTC') AND c.cohort < chart.until AT TIME ZONE 'UTC'
				ORDER BY c.cohort DESC
				LIMIT 24
			),
			cell AS (
				SELECT c.cohort, c.months_after, c.leads, c.win_rate
				FROM @workspace@.cohort c
				JOIN shown s ON s.cohort = c.cohort
				WHERE c.months_after <= 12
			),
			columns AS (
				SELECT g.months_after
				FROM pg_catalog.generate_series(0, (SELECT pg_catalog.max(x.months_after) FROM cell x)) g (months_after)
			)
			SELECT lead_mgmt.heat_map_svg('How many leads of a month are won, month by month',
					'Opportunities won by the end of so many calendar months after, in percent of the leads created in the month',
					COALESCE((SELECT pg_catalog.array_agg(pg_catalog.to_char(s.cohort, 'YYYY-MM') ORDER BY s.cohort) FROM shown s), '{}'),
					COALESCE((SELECT pg_catalog.array_agg(pg_catalog.format('%s %s', pg_catalog.btrim(pg_catalog.to_char(x.leads, '999,999,999,999')), CASE x.leads WHEN 1 THEN 'lead' ELSE 'leads' END) ORDER BY x.cohort) FROM cell x WHERE x.months_after = 0), '{}'),
					COALESCE((SELECT pg_catalog.array_agg(CASE n.months_after WHEN 0 THEN 'same' ELSE '+ ' || n.months_after END ORDER BY n.months_after) FROM columns n), '{}'),
					COALESCE((SELECT pg_catalog.array_agg(x.win_rate::double precision ORDER BY s.cohort, n.months_after)
						FROM shown s CROSS JOIN columns n
						LEFT JOIN cell x ON x.cohort = s.cohort AND x.months_after = n.months_after), '{}'))
				INTO picture;
		ELSE
			RAISE EXCEPTION 'there is no chart "%"', chart
				USING ERRCODE = 'invalid_parameter_value', HINT = 'Choose funnel, channels or cohorts.';
		END IF;
		RETURN picture;
	END
	$$;

COMMENT ON FUNCTION @workspace@.chart(text, timestamptz, timestamptz) IS
	'A report as an SVG picture, to be written to a file by psql -At. funnel: how far leads get that were created from since on and before until. channels: the shares of channels in the opportunities won then, by each attribution model, Markov chains included; the ten largest, and the others together. cohorts: a heat map of the leads of the latest 24 months then, won by the end of each of the twelve months after. Error: invalid_parameter_value';

REVOKE EXECUTE ON FUNCTION @workspace@.chart(text, timestamptz, timestamptz) FROM PUBLIC;
