-- Attribution: what is a touch, what a conversion, and what money is worth.

CREATE OR REPLACE VIEW @workspace@.touch WITH (security_invoker = true) AS
SELECT
	i.interaction_id,
	i.contact_id,
	i.occurred_at,
	i.kind,
	i.channel,
	COALESCE(c.is_direct, false) AS is_direct,
	i.campaign_id,
	i.creative,
	i.page,
	i.recorded_at,
	i.session,
	i.cost
FROM @workspace@.interaction i
LEFT JOIN @workspace@.interaction_kind k ON k.kind = i.kind
LEFT JOIN @workspace@.channel c ON c.channel = i.channel
WHERE i.contact_id IS NOT NULL AND i.channel IS NOT NULL AND COALESCE(k.is_touch, i.direction = 'inbound');

COMMENT ON VIEW @workspace@.touch IS
	'What marketing is credited for: interactions of contacts over a named channel, of kinds that count as touches (kinds not in interaction_kind count when inbound). One row an interaction.';
COMMENT ON COLUMN @workspace@.touch.interaction_id IS 'Key of the interaction';
COMMENT ON COLUMN @workspace@.touch.contact_id IS 'The person touched';
COMMENT ON COLUMN @workspace@.touch.occurred_at IS 'When';
COMMENT ON COLUMN @workspace@.touch.kind IS 'Kind of interaction';
COMMENT ON COLUMN @workspace@.touch.channel IS 'Marketing channel';
COMMENT ON COLUMN @workspace@.touch.is_direct IS 'True for a channel that stands for direct visits';
COMMENT ON COLUMN @workspace@.touch.campaign_id IS 'Key of the campaign; NULL if none is known';
COMMENT ON COLUMN @workspace@.touch.creative IS 'Advertisement or text variant, if known';
COMMENT ON COLUMN @workspace@.touch.page IS 'Landing page, if known';
COMMENT ON COLUMN @workspace@.touch.recorded_at IS 'When it became known here';
COMMENT ON COLUMN @workspace@.touch.session IS 'Visit it was part of; NULL if not known';
COMMENT ON COLUMN @workspace@.touch.cost IS 'What it cost by itself, in the currency of its campaign; NULL if nothing';

CREATE OR REPLACE FUNCTION @workspace@.convert_currency(amount numeric, from_currency text, to_currency text, on_day date)
	RETURNS numeric
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		found_rate numeric;
	BEGIN
		PERFORM lead_mgmt.report_guard('@workspace@.convert_currency(numeric, text, text, date)'::pg_catalog.regprocedure);
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

-- Leads and opportunities as they were: by what the audit log says was changed since.

CREATE OR REPLACE FUNCTION @workspace@.lead_at(as_of timestamptz)
	RETURNS TABLE (
		lead_id bigint,
		contact_id bigint,
		source text,
		channel text,
		campaign_id bigint,
		created_at timestamptz,
		sales_ready_at timestamptz
	)
	LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 10000 SET search_path = pg_catalog, pg_temp
	AS $$
		WITH changed AS (
			SELECT x.entity_id, pg_catalog.jsonb_object_agg(x.key, x.old) AS before
			FROM (
				SELECT DISTINCT ON (a.entity_id, c.key) a.entity_id, c.key, c.value -> 'old' AS old
				FROM @workspace@.audit_log a
				CROSS JOIN LATERAL pg_catalog.jsonb_each(a.changes) c
				WHERE a.entity = 'lead' AND a.changed_at > $1 AND c.key IN ('contact_id', 'source', 'channel', 'campaign_id')
				ORDER BY a.entity_id, c.key, a.audit_id
			) x
			GROUP BY x.entity_id
		)
		SELECT
			l.lead_id,
			CASE WHEN h.before ? 'contact_id' THEN (h.before ->> 'contact_id')::bigint ELSE l.contact_id END,
			CASE WHEN h.before ? 'source' THEN h.before ->> 'source' ELSE l.source END,
			CASE WHEN h.before ? 'channel' THEN h.before ->> 'channel' ELSE l.channel END,
			CASE WHEN h.before ? 'campaign_id' THEN (h.before ->> 'campaign_id')::bigint ELSE l.campaign_id END,
			l.created_at,
			CASE WHEN l.sales_ready_at <= $1 THEN l.sales_ready_at END
		FROM @workspace@.lead l
		LEFT JOIN changed h ON h.entity_id = l.lead_id
		WHERE l.created_at <= $1 AND lead_mgmt.report_guard('@workspace@.lead_at(timestamptz)'::pg_catalog.regprocedure)
	$$;

COMMENT ON FUNCTION @workspace@.lead_at(timestamptz) IS
	'Leads as they were at a time: those created until then, with the columns that reports go by as they were before later changes in the audit log. Leads deleted or merged away since are not among them. infinity for now';

CREATE OR REPLACE FUNCTION @workspace@.opportunity_at(as_of timestamptz)
	RETURNS TABLE (
		opportunity_id bigint,
		lead_id bigint,
		contact_id bigint,
		campaign_id bigint,
		agent_id bigint,
		status text,
		amount numeric,
		currency text,
		created_at timestamptz,
		closed_at timestamptz
	)
	LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 10000 SET search_path = pg_catalog, pg_temp
	AS $$
		WITH changed AS (
			SELECT x.entity_id, pg_catalog.jsonb_object_agg(x.key, x.old) AS before
			FROM (
				SELECT DISTINCT ON (a.entity_id, c.key) a.entity_id, c.key, c.value -> 'old' AS old
				FROM @workspace@.audit_log a
				CROSS JOIN LATERAL pg_catalog.jsonb_each(a.changes) c
				WHERE a.entity = 'opportunity' AND a.changed_at > $1
					AND c.key IN ('lead_id', 'contact_id', 'campaign_id', 'agent_id', 'status', 'amount', 'currency', 'closed_at')
				ORDER BY a.entity_id, c.key, a.audit_id
			) x
			GROUP BY x.entity_id
		)
		SELECT
			o.opportunity_id,
			CASE WHEN h.before ? 'lead_id' THEN (h.before ->> 'lead_id')::bigint ELSE o.lead_id END,
			CASE WHEN h.before ? 'contact_id' THEN (h.before ->> 'contact_id')::bigint ELSE o.contact_id END,
			CASE WHEN h.before ? 'campaign_id' THEN (h.before ->> 'campaign_id')::bigint ELSE o.campaign_id END,
			CASE WHEN h.before ? 'agent_id' THEN (h.before ->> 'agent_id')::bigint ELSE o.agent_id END,
			CASE WHEN h.before ? 'status' THEN h.before ->> 'status' ELSE o.status END,
			CASE WHEN h.before ? 'amount' THEN (h.before ->> 'amount')::numeric ELSE o.amount END,
			CASE WHEN h.before ? 'currency' THEN h.before ->> 'currency' ELSE o.currency END,
			o.created_at,
			CASE WHEN h.before ? 'closed_at' THEN (h.before ->> 'closed_at')::timestamptz ELSE o.closed_at END
		FROM @workspace@.opportunity o
		LEFT JOIN changed h ON h.entity_id = o.opportunity_id
		WHERE o.created_at <= $1 AND lead_mgmt.report_guard('@workspace@.opportunity_at(timestamptz)'::pg_catalog.regprocedure)
	$$;

COMMENT ON FUNCTION @workspace@.opportunity_at(timestamptz) IS
	'Opportunities as they were at a time: those created until then, with status, amount and the rest as they were before later changes in the audit log. Opportunities deleted since are not among them. infinity for now';

CREATE OR REPLACE FUNCTION @workspace@.attribution_touches(as_of timestamptz DEFAULT 'infinity') RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
		SELECT pg_catalog.format(
			'SELECT t.contact_id AS journey, t.occurred_at, t.channel, t.is_direct, t.interaction_id AS touch_id, t.session
			FROM @workspace@.touch t WHERE t.recorded_at <= %L', $1)
	$$;

COMMENT ON FUNCTION @workspace@.attribution_touches(timestamptz) IS
	'The query for touches that attribute() uses, for lead_mgmt.channel_credits() and the like: touch, as recorded until as_of';

CREATE OR REPLACE FUNCTION @workspace@.attribution_conversions(conversion text DEFAULT 'won', stage text DEFAULT NULL,
		since timestamptz DEFAULT '-infinity', until timestamptz DEFAULT 'infinity', as_of timestamptz DEFAULT 'infinity',
		currency text DEFAULT NULL)
	RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		-- As they are now, or were
		leads text := CASE WHEN as_of = 'infinity' THEN '@workspace@.lead' ELSE pg_catalog.format('@workspace@.lead_at(%L)', as_of) END;
		opportunities text := CASE WHEN as_of = 'infinity' THEN '@workspace@.opportunity' ELSE pg_catalog.format('@workspace@.opportunity_at(%L)', as_of) END;
		query text;
	BEGIN
		IF conversion = 'stage_reached' AND stage IS NULL THEN
			RAISE EXCEPTION 'conversion "stage_reached" needs a stage' USING ERRCODE = 'null_value_not_allowed';
		END IF;
		-- Who has no contact has a journey without touches, so that no conversion is lost
		query := CASE conversion
			WHEN 'lead_created' THEN pg_catalog.format(
				'SELECT COALESCE(l.contact_id, -l.lead_id) AS journey, l.lead_id AS conversion_id, l.created_at AS converted_at,
					NULL::numeric AS amount, NULL::text AS currency, l.created_at AS lead_created_at, NULL::timestamptz AS opportunity_created_at
				FROM %s l', leads)
			WHEN 'stage_reached' THEN pg_catalog.format(
				'SELECT COALESCE(l.contact_id, o.contact_id, -COALESCE(m.lead_id, m.opportunity_id)) AS journey,
					COALESCE(m.lead_id, m.opportunity_id) AS conversion_id, pg_catalog.min(m.moved_at) AS converted_at,
					o.amount, o.currency, l.created_at AS lead_created_at, o.created_at AS opportunity_created_at
				FROM @workspace@.stage_move m
				LEFT JOIN %s o ON o.opportunity_id = m.opportunity_id
				LEFT JOIN %s l ON l.lead_id = COALESCE(m.lead_id, o.lead_id)
				WHERE m.to_stage = %L
				GROUP BY 1, 2, m.lead_id, o.amount, o.currency, l.created_at, o.created_at', opportunities, leads, stage)
			WHEN 'opportunity_created' THEN pg_catalog.format(
				'SELECT COALESCE(o.contact_id, l.contact_id, -o.opportunity_id) AS journey, o.opportunity_id AS conversion_id,
					o.created_at AS converted_at, o.amount, o.currency, l.created_at AS lead_created_at,
					o.created_at AS opportunity_created_at
				FROM %s o LEFT JOIN %s l ON l.lead_id = o.lead_id', opportunities, leads)
			WHEN 'won' THEN pg_catalog.format(
				'SELECT COALESCE(o.contact_id, l.contact_id, -o.opportunity_id) AS journey, o.opportunity_id AS conversion_id,
					o.closed_at AS converted_at, o.amount, o.currency, l.created_at AS lead_created_at,
					o.created_at AS opportunity_created_at
				FROM %s o LEFT JOIN %s l ON l.lead_id = o.lead_id
				WHERE o.status = ''won''', opportunities, leads)
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
