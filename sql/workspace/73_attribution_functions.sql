-- Attribution for whatever the views do not fix.

CREATE OR REPLACE FUNCTION @workspace@.attribute(model text, conversion text DEFAULT 'won',
		since timestamptz DEFAULT '-infinity', until timestamptz DEFAULT 'infinity', as_of timestamptz DEFAULT 'infinity',
		stage text DEFAULT NULL, look_back interval DEFAULT NULL, counting text DEFAULT 'touch', collapse boolean DEFAULT false,
		include text[] DEFAULT NULL, exclude text[] DEFAULT NULL, currency text DEFAULT NULL)
	RETURNS TABLE (
		conversion_id bigint,
		contact_id bigint,
		converted_at timestamptz,
		"position" integer,
		touches integer,
		interaction_id bigint,
		occurred_at timestamptz,
		kind text,
		channel text,
		campaign_id bigint,
		campaign text,
		creative text,
		credit numeric,
		amount numeric,
		amount_currency text
	)
	LANGUAGE plpgsql STABLE ROWS 10000 SET search_path = pg_catalog, pg_temp
	AS $$
	#variable_conflict use_column
	DECLARE
		definition jsonb;
		touch_query text := @workspace@.attribution_touches(attribute.as_of);
		conversion_query text := @workspace@.attribution_conversions(attribute.conversion, attribute.stage,
			attribute.since, attribute.until, attribute.as_of, attribute.currency);
		part record;
	BEGIN
		PERFORM lead_mgmt.report_guard('@workspace@.attribute(text, text, timestamptz, timestamptz, timestamptz, text, interval, text, boolean, text[], text[], text)'::pg_catalog.regprocedure);
		SELECT m.definition INTO definition FROM @workspace@.attribution_model m WHERE m.model = attribute.model;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'there is no attribution model "%"', attribute.model
				USING ERRCODE = 'no_data_found', HINT = 'The table attribution_model lists them.';
		END IF;
		IF definition ->> 'kind' = 'markov' THEN
			SELECT pg_catalog.jsonb_build_object('kind', 'channels',
					'channels', COALESCE(pg_catalog.jsonb_object_agg(e.channel, e.removal_effect) FILTER (WHERE e.channel IS NOT NULL), '{}'))
				INTO definition
				FROM lead_mgmt.markov_credits(touch_query, conversion_query, COALESCE((definition ->> 'order')::integer, 1),
					attribute.look_back, attribute.counting, attribute.collapse, attribute.include, attribute.exclude) e;
		END IF;
		FOR part IN EXECUTE pg_catalog.format(
				'SELECT c.currency, GREATEST(COALESCE(lead_mgmt.currency_digits(c.currency), 2), pg_catalog.max(pg_catalog.min_scale(c.value))) AS digits
				FROM (%s) c GROUP BY c.currency ORDER BY c.currency', conversion_query) LOOP
			RETURN QUERY
				SELECT t.conversion_id, NULLIF(GREATEST(t.journey::bigint, 0), 0), t.converted_at, t.position, t.touches,
					t.touch_id, t.occurred_at, i.kind, t.channel, i.campaign_id, ca.campaign, i.creative, t.credit, t.amount,
					part.currency
				FROM lead_mgmt.touch_credits(touch_query,
					pg_catalog.format('SELECT c.* FROM (%s) c WHERE c.currency IS NOT DISTINCT FROM %L', conversion_query, part.currency),
					ARRAY[definition::text], attribute.look_back, attribute.counting, attribute.collapse,
					attribute.include, attribute.exclude, part.digits) t
				LEFT JOIN @workspace@.interaction i ON i.interaction_id = t.touch_id
				LEFT JOIN @workspace@.campaign ca ON ca.campaign_id = i.campaign_id;
		END LOOP;
	END
	$$;

COMMENT ON FUNCTION @workspace@.attribute(text, text, timestamptz, timestamptz, timestamptz, text, interval, text, boolean, text[], text[], text) IS
	'What each touch of each conversion is credited with by an attribution model: one row a conversion and touch, a conversion without touches has one with all of it. conversion: lead_created, stage_reached (with stage), opportunity_created or won (default), from since on and before until, by what was recorded until as_of. Only touches of the person until the conversion count: within look_back, each (counting touch) or the first of each session (counting session; 30 minutes without a touch end one), with collapse only the first of several over one channel in a row, over channels in include and not in exclude. conversion_id is the key of the lead or opportunity. Credits of a conversion add up to 1 exactly and amounts to its amount, but by participation; amounts are those of opportunities, in amount_currency: their own, or currency, by exchange_rate. A Markov chain divides each conversion by the removal effects of the channels that touched it; what channels have of all conversions is in attribute_channels(). Errors: no_data_found for a model or rate that is missing, invalid_parameter_value, null_value_not_allowed';

CREATE OR REPLACE FUNCTION @workspace@.attribute_channels(model text, conversion text DEFAULT 'won',
		since timestamptz DEFAULT '-infinity', until timestamptz DEFAULT 'infinity', as_of timestamptz DEFAULT 'infinity',
		stage text DEFAULT NULL, look_back interval DEFAULT NULL, counting text DEFAULT 'touch', collapse boolean DEFAULT false,
		include text[] DEFAULT NULL, exclude text[] DEFAULT NULL, currency text DEFAULT NULL)
	RETURNS TABLE (
		channel text,
		conversions numeric,
		amount numeric,
		amount_currency text
	)
	LANGUAGE plpgsql STABLE ROWS 100 SET search_path = pg_catalog, pg_temp
	AS $$
	#variable_conflict use_column
	DECLARE
		definition jsonb;
		touch_query text := @workspace@.attribution_touches(attribute_channels.as_of);
		conversion_query text := @workspace@.attribution_conversions(attribute_channels.conversion, attribute_channels.stage,
			attribute_channels.since, attribute_channels.until, attribute_channels.as_of, attribute_channels.currency);
		part_query text;
		part record;
	BEGIN
		PERFORM lead_mgmt.report_guard('@workspace@.attribute_channels(text, text, timestamptz, timestamptz, timestamptz, text, interval, text, boolean, text[], text[], text)'::pg_catalog.regprocedure);
		SELECT m.definition INTO definition FROM @workspace@.attribution_model m WHERE m.model = attribute_channels.model;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'there is no attribution model "%"', attribute_channels.model
				USING ERRCODE = 'no_data_found', HINT = 'The table attribution_model lists them.';
		END IF;
		FOR part IN EXECUTE pg_catalog.format(
				'SELECT c.currency, GREATEST(COALESCE(lead_mgmt.currency_digits(c.currency), 2), pg_catalog.max(pg_catalog.min_scale(c.value))) AS digits
				FROM (%s) c GROUP BY c.currency ORDER BY c.currency', conversion_query) LOOP
			part_query := pg_catalog.format('SELECT c.* FROM (%s) c WHERE c.currency IS NOT DISTINCT FROM %L', conversion_query, part.currency);
			IF definition ->> 'kind' = 'markov' THEN
				RETURN QUERY
					SELECT t.channel, t.conversions::numeric, t.value, part.currency
					FROM lead_mgmt.markov_credits(touch_query, part_query, COALESCE((definition ->> 'order')::integer, 1),
						attribute_channels.look_back, attribute_channels.counting, attribute_channels.collapse,
						attribute_channels.include, attribute_channels.exclude, part.digits) t;
			ELSE
				RETURN QUERY
					SELECT t.channel, t.conversions, t.value, part.currency
					FROM lead_mgmt.channel_credits(touch_query, part_query, ARRAY[definition::text],
						attribute_channels.look_back, attribute_channels.counting, attribute_channels.collapse,
						attribute_channels.include, attribute_channels.exclude, part.digits) t;
			END IF;
		END LOOP;
	END
	$$;

COMMENT ON FUNCTION @workspace@.attribute_channels(text, text, timestamptz, timestamptz, timestamptz, text, interval, text, boolean, text[], text[], text) IS
	'What each channel is credited with by an attribution model, Markov chains included: conversions (with fractions) and their amounts, which add up to all there are, but by participation; channel is NULL for conversions without touches. One row a channel and currency. Arguments and errors are those of attribute()';

CREATE OR REPLACE FUNCTION @workspace@.explain_attribution(opportunity_id bigint, model text DEFAULT NULL)
	RETURNS TABLE (
		model text,
		"position" bigint,
		occurred_at timestamptz,
		kind text,
		channel text,
		campaign text,
		role text,
		days_before numeric,
		credit numeric,
		amount numeric,
		currency text
	)
	LANGUAGE sql STABLE ROWS 50 SET search_path = pg_catalog, pg_temp
	AS $$
		SELECT
			a.model,
			a.position,
			a.occurred_at,
			a.kind,
			a.channel,
			a.campaign,
			CASE WHEN a.position IS NULL THEN 'no touch'
				ELSE COALESCE(NULLIF(pg_catalog.concat_ws(', ',
					CASE WHEN a.position = 1 THEN 'first' END,
					CASE WHEN a.position = m.lead_position THEN 'lead created' END,
					CASE WHEN a.position = m.opportunity_position THEN 'opportunity created' END,
					CASE WHEN a.position = a.touches THEN 'last' END), ''), 'in between') END,
			pg_catalog.round(EXTRACT(epoch FROM a.converted_at - a.occurred_at) / 86400, 2),
			a.credit,
			a.amount,
			a.currency
		FROM @workspace@.attribution a
		CROSS JOIN (
			SELECT
				GREATEST(pg_catalog.max(t.position) FILTER (WHERE t.occurred_at <= t.lead_created_at),
					CASE WHEN pg_catalog.count(t.lead_created_at) > 0 THEN 1 END) AS lead_position,
				GREATEST(pg_catalog.max(t.position) FILTER (WHERE t.occurred_at <= t.opportunity_created_at), 1) AS opportunity_position
			FROM @workspace@.opportunity_touch t
			WHERE t.opportunity_id = $1
		) m
		WHERE a.opportunity_id = $1 AND (a.model = $2 OR $2 IS NULL)
		ORDER BY a.model, a.position
	$$;

COMMENT ON FUNCTION @workspace@.explain_attribution(bigint, text) IS
	'How a won opportunity is credited to its touches by a model (NULL: by each): the touch, what it was (first, lead created, opportunity created, last, in between), how long before the close, its credit and its share of the amount, which add up to 1 and to the amount, but by participation. No rows for an opportunity that is not won';

REVOKE EXECUTE ON FUNCTION
	@workspace@.convert_currency(numeric, text, text, date),
	@workspace@.attribution_touches(timestamptz),
	@workspace@.attribution_conversions(text, text, timestamptz, timestamptz, timestamptz, text),
	@workspace@.attribute(text, text, timestamptz, timestamptz, timestamptz, text, interval, text, boolean, text[], text[], text),
	@workspace@.attribute_channels(text, text, timestamptz, timestamptz, timestamptz, text, interval, text, boolean, text[], text[], text),
	@workspace@.explain_attribution(bigint, text)
	FROM PUBLIC;
