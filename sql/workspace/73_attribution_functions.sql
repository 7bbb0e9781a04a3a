-- Attribution for whatever the views do not fix.

CREATE OR REPLACE FUNCTION @workspace@.convert_currency(amount numeric, from_currency text, to_currency text, on_day date)
	RETURNS numeric
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		found_rate numeric;
	BEGIN
		IF amount IS NULL OR from_currency = to_currency THEN
			RETURN amount;
		END IF;
		SELECT CASE WHEN r.to_currency = convert_currency.to_currency THEN r.rate ELSE 1 / r.rate END INTO found_rate
			FROM @workspace@.exchange_rate r
			WHERE (r.from_currency, r.to_currency) IN (
					(convert_currency.from_currency, convert_currency.to_currency),
					(convert_currency.to_currency, convert_currency.from_currency))
				AND r.valid_from <= on_day
			ORDER BY r.valid_from DESC, r.to_currency = convert_currency.to_currency DESC
			LIMIT 1;
		IF found_rate IS NULL THEN
			RAISE EXCEPTION 'there is no rate from % to % for %', from_currency, to_currency, on_day
				USING ERRCODE = 'no_data_found', HINT = 'Add one to exchange_rate.';
		END IF;
		RETURN pg_catalog.round(amount * found_rate, lead_mgmt.currency_digits(to_currency));
	END
	$$;

COMMENT ON FUNCTION @workspace@.convert_currency(numeric, text, text, date) IS
	'An amount in another currency by the rate of a day in exchange_rate, the latest until then in either direction, rounded to minor units. NULL for NULL. Error: no_data_found without a rate';

CREATE OR REPLACE FUNCTION @workspace@.attribution_touches(as_of timestamptz DEFAULT 'infinity') RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
		SELECT pg_catalog.format(
			'SELECT i.contact_id AS journey, i.occurred_at, i.channel, COALESCE(c.is_direct, false) AS is_direct, i.interaction_id AS touch_id
			FROM @workspace@.interaction i
			LEFT JOIN @workspace@.interaction_kind k ON k.kind = i.kind
			LEFT JOIN @workspace@.channel c ON c.channel = i.channel
			WHERE i.contact_id IS NOT NULL AND i.channel IS NOT NULL
				AND COALESCE(k.is_touch, i.direction = ''inbound'') AND i.recorded_at <= %L', $1)
	$$;

COMMENT ON FUNCTION @workspace@.attribution_touches(timestamptz) IS
	'The query for touches that attribute() uses, for lead_mgmt.channel_credits() and the like: interactions of contacts over a named channel, of kinds that count as touches, as recorded until as_of';

CREATE OR REPLACE FUNCTION @workspace@.attribution_conversions(conversion text DEFAULT 'won', stage text DEFAULT NULL,
		since timestamptz DEFAULT '-infinity', until timestamptz DEFAULT 'infinity', as_of timestamptz DEFAULT 'infinity',
		currency text DEFAULT NULL)
	RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		query text;
	BEGIN
		IF conversion = 'stage_reached' AND stage IS NULL THEN
			RAISE EXCEPTION 'conversion "stage_reached" needs a stage' USING ERRCODE = 'null_value_not_allowed';
		END IF;
		-- Who has no contact has a journey without touches, so that no conversion is lost
		query := CASE conversion
			WHEN 'lead_created' THEN
				'SELECT COALESCE(l.contact_id, -l.lead_id) AS journey, l.lead_id AS conversion_id, l.created_at AS converted_at,
					NULL::numeric AS amount, NULL::text AS currency, l.created_at AS lead_created_at, NULL::timestamptz AS opportunity_created_at
				FROM @workspace@.lead l'
			WHEN 'stage_reached' THEN pg_catalog.format(
				'SELECT COALESCE(l.contact_id, o.contact_id, -COALESCE(m.lead_id, m.opportunity_id)) AS journey,
					COALESCE(m.lead_id, m.opportunity_id) AS conversion_id, pg_catalog.min(m.moved_at) AS converted_at,
					o.amount, o.currency, l.created_at AS lead_created_at, o.created_at AS opportunity_created_at
				FROM @workspace@.stage_move m
				LEFT JOIN @workspace@.opportunity o ON o.opportunity_id = m.opportunity_id
				LEFT JOIN @workspace@.lead l ON l.lead_id = COALESCE(m.lead_id, o.lead_id)
				WHERE m.to_stage = %L
				GROUP BY 1, 2, m.lead_id, o.amount, o.currency, l.created_at, o.created_at', stage)
			WHEN 'opportunity_created' THEN
				'SELECT COALESCE(o.contact_id, l.contact_id, -o.opportunity_id) AS journey, o.opportunity_id AS conversion_id,
					o.created_at AS converted_at, o.amount, o.currency, l.created_at AS lead_created_at,
					o.created_at AS opportunity_created_at
				FROM @workspace@.opportunity o LEFT JOIN @workspace@.lead l ON l.lead_id = o.lead_id'
			WHEN 'won' THEN
				'SELECT COALESCE(o.contact_id, l.contact_id, -o.opportunity_id) AS journey, o.opportunity_id AS conversion_id,
					o.closed_at AS converted_at, o.amount, o.currency, l.created_at AS lead_created_at,
					o.created_at AS opportunity_created_at
				FROM @workspace@.opportunity o LEFT JOIN @workspace@.lead l ON l.lead_id = o.lead_id
				WHERE o.status = ''won'''
			END;
		IF query IS NULL THEN
			RAISE EXCEPTION 'there is no conversion "%"', conversion
				USING ERRCODE = 'invalid_parameter_value', HINT = 'Choose lead_created, stage_reached, opportunity_created or won.';
		END IF;
		RETURN pg_catalog.format(
			'SELECT x.journey, x.conversion_id, x.converted_at, x.lead_created_at, x.opportunity_created_at, %s
			FROM (%s) x WHERE x.converted_at >= %L AND x.converted_at < %L AND x.converted_at <= %L',
			CASE WHEN attribution_conversions.currency IS NULL THEN 'x.amount AS value, x.currency'
				ELSE pg_catalog.format('@workspace@.convert_currency(x.amount, x.currency, %1$L, (x.converted_at AT TIME ZONE ''UTC'')::pg_catalog.date) AS value, %1$L::pg_catalog.text AS currency',
					attribution_conversions.currency) END,
			query, since, until, as_of);
	END
	$$;

COMMENT ON FUNCTION @workspace@.attribution_conversions(text, text, timestamptz, timestamptz, timestamptz, text) IS
	'The query for conversions that attribute() uses, for lead_mgmt.channel_credits() and the like. conversion: lead_created, stage_reached (the first time a lead or opportunity entered the stage), opportunity_created or won; from since on, before until, as known as_of. Values are amounts of opportunities, in currency where it is given, by the rate of the day of the conversion (UTC). Errors: invalid_parameter_value, null_value_not_allowed';

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
		FOR part IN EXECUTE pg_catalog.format('SELECT DISTINCT c.currency FROM (%s) c ORDER BY 1', conversion_query) LOOP
			RETURN QUERY
				SELECT t.conversion_id, NULLIF(GREATEST(t.journey::bigint, 0), 0), t.converted_at, t.position, t.touches,
					t.touch_id, t.occurred_at, i.kind, t.channel, i.campaign_id, ca.campaign, i.creative, t.credit, t.amount,
					part.currency
				FROM lead_mgmt.touch_credits(touch_query,
					pg_catalog.format('SELECT c.* FROM (%s) c WHERE c.currency IS NOT DISTINCT FROM %L', conversion_query, part.currency),
					ARRAY[definition::text], attribute.look_back, attribute.counting, attribute.collapse,
					attribute.include, attribute.exclude, COALESCE(lead_mgmt.currency_digits(part.currency), 2)) t
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
		digits integer;
		part record;
	BEGIN
		SELECT m.definition INTO definition FROM @workspace@.attribution_model m WHERE m.model = attribute_channels.model;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'there is no attribution model "%"', attribute_channels.model
				USING ERRCODE = 'no_data_found', HINT = 'The table attribution_model lists them.';
		END IF;
		FOR part IN EXECUTE pg_catalog.format('SELECT DISTINCT c.currency FROM (%s) c ORDER BY 1', conversion_query) LOOP
			part_query := pg_catalog.format('SELECT c.* FROM (%s) c WHERE c.currency IS NOT DISTINCT FROM %L', conversion_query, part.currency);
			digits := COALESCE(lead_mgmt.currency_digits(part.currency), 2);
			IF definition ->> 'kind' = 'markov' THEN
				RETURN QUERY
					SELECT t.channel, t.conversions::numeric, t.value, part.currency
					FROM lead_mgmt.markov_credits(touch_query, part_query, COALESCE((definition ->> 'order')::integer, 1),
						attribute_channels.look_back, attribute_channels.counting, attribute_channels.collapse,
						attribute_channels.include, attribute_channels.exclude, digits) t;
			ELSE
				RETURN QUERY
					SELECT t.channel, t.conversions, t.value, part.currency
					FROM lead_mgmt.channel_credits(touch_query, part_query, ARRAY[definition::text],
						attribute_channels.look_back, attribute_channels.counting, attribute_channels.collapse,
						attribute_channels.include, attribute_channels.exclude, digits) t;
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
