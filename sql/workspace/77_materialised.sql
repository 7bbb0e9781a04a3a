-- Working out credits before they are asked for, and keeping what reports say day by day.

CREATE OR REPLACE FUNCTION @workspace@.refresh_attribution() RETURNS bigint
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		due bigint[];
	BEGIN
		-- No longer won
		DELETE FROM @workspace@.attributed_conversion c
			USING @workspace@.opportunity o
			WHERE o.opportunity_id = c.opportunity_id AND c.is_open AND o.status <> 'won';
		-- Those open whose touches nobody can be writing unknown to them
		SELECT pg_catalog.array_agg(d.opportunity_id) INTO due
			FROM (
				SELECT c.opportunity_id
				FROM @workspace@.attributed_conversion c
				WHERE c.is_open AND c.horizon <= pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())
				ORDER BY c.opportunity_id
				LIMIT 10000
				FOR UPDATE SKIP LOCKED
			) d;
		IF due IS NOT NULL THEN
			DELETE FROM @workspace@.attributed_touch t WHERE t.opportunity_id = ANY (due);
			INSERT INTO @workspace@.attributed_touch (opportunity_id, model, position, touches, interaction_id, credit, amount)
				SELECT a.opportunity_id, a.model, COALESCE(a.position, 0), a.touches, a.interaction_id, a.credit, a.amount
				FROM @workspace@.attribution a
				WHERE a.opportunity_id = ANY (due);
			UPDATE @workspace@.attributed_conversion c
				SET is_open = false, attributed_at = pg_catalog.now(), converted_at = o.closed_at,
					contact_id = COALESCE(o.contact_id, l.contact_id)
				FROM @workspace@.opportunity o
				LEFT JOIN @workspace@.lead l ON l.lead_id = o.lead_id
				WHERE o.opportunity_id = c.opportunity_id AND c.opportunity_id = ANY (due);
		END IF;
		-- Those that everybody who begins now sees
		UPDATE @workspace@.attributed_conversion c
			SET horizon = pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())
			WHERE c.horizon IS NULL;
		-- New ones
		INSERT INTO @workspace@.attributed_conversion (opportunity_id, contact_id, converted_at)
			SELECT o.opportunity_id, COALESCE(o.contact_id, l.contact_id), o.closed_at
			FROM @workspace@.opportunity o
			LEFT JOIN @workspace@.lead l ON l.lead_id = o.lead_id
			WHERE o.status = 'won'
				AND NOT EXISTS (SELECT FROM @workspace@.attributed_conversion c WHERE c.opportunity_id = o.opportunity_id)
		ON CONFLICT DO NOTHING;
		RETURN COALESCE(pg_catalog.cardinality(due), 0);
	END
	$$;

COMMENT ON FUNCTION @workspace@.refresh_attribution() IS
	'Work out and keep the credits of won opportunities that are not kept yet or were opened again, 10,000 at a time, and return how many. A task of tick(), left out until you set it active. A new one is taken note of by one run, and worked out by the second after it at the earliest, when every transaction that could be writing a touch of it unawares has ended';

INSERT INTO @workspace@.tick_task (task, label, sequence, is_active) VALUES
	('refresh_attribution', 'Keep the credits of touches, so that the view attribution need not work them out', 500, false)
ON CONFLICT DO NOTHING;

CREATE OR REPLACE FUNCTION @workspace@.snapshot() RETURNS bigint
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		today date := (pg_catalog.now() AT TIME ZONE 'UTC')::date;
		query text;
		kept bigint;
	BEGIN
		-- Who takes a second one the same day waits here
		INSERT INTO @workspace@.snapshot AS s (day, taken_at) VALUES (today, pg_catalog.clock_timestamp())
			ON CONFLICT (day) DO UPDATE SET taken_at = EXCLUDED.taken_at;
		DELETE FROM @workspace@.snapshot_row r WHERE r.day = today;
		-- In one statement, so that all reports see the same
		SELECT pg_catalog.string_agg(pg_catalog.format(
				'SELECT %L::pg_catalog.date, %L, pg_catalog.row_number() OVER (), pg_catalog.to_jsonb(v) FROM @workspace@.%I v',
				today, r.report, r.report), ' UNION ALL ')
			INTO query
			FROM @workspace@.snapshot_report r
			WHERE r.is_active;
		EXECUTE COALESCE('INSERT INTO @workspace@.snapshot_row (day, report, row_number, data) ' || query, 'SELECT WHERE false');
		GET DIAGNOSTICS kept = ROW_COUNT;
		RETURN kept;
	END
	$$;

COMMENT ON FUNCTION @workspace@.snapshot() IS
	'Keep what the reports in snapshot_report say now as those of today (UTC), in place of what was kept for today before, and return the number of rows. All are read at the same instant. The views funnel_history, channel_performance_history and so on show them by day. Error: undefined_table when a report is no view of the workspace';

CREATE OR REPLACE FUNCTION @workspace@.snapshot_daily() RETURNS bigint
	LANGUAGE sql SET search_path = pg_catalog, pg_temp
	AS $$
		SELECT CASE WHEN EXISTS (SELECT FROM @workspace@.snapshot s WHERE s.day = (pg_catalog.now() AT TIME ZONE 'UTC')::date)
			THEN 0 ELSE @workspace@.snapshot() END
	$$;

COMMENT ON FUNCTION @workspace@.snapshot_daily() IS
	'snapshot(), unless there is one of today: a task of tick()';

INSERT INTO @workspace@.tick_task (task, label, sequence) VALUES
	('snapshot_daily', 'Keep the reports of the day', 600)
ON CONFLICT DO NOTHING;

REVOKE EXECUTE ON FUNCTION
	@workspace@.refresh_attribution(),
	@workspace@.snapshot(),
	@workspace@.snapshot_daily()
	FROM PUBLIC;

CREATE OR REPLACE VIEW @workspace@.funnel_history WITH (security_invoker = true) AS
SELECT s.day, s.taken_at, r.*
FROM @workspace@.snapshot s
JOIN @workspace@.snapshot_row x ON x.day = s.day AND x.report = 'funnel'
CROSS JOIN LATERAL pg_catalog.jsonb_populate_record(NULL::@workspace@.funnel, x.data) r
ORDER BY s.day, x.row_number;

COMMENT ON VIEW @workspace@.funnel_history IS
	'What the view funnel showed day by day. One row a day and level.';

CREATE OR REPLACE VIEW @workspace@.channel_performance_history WITH (security_invoker = true) AS
SELECT s.day, s.taken_at, r.*
FROM @workspace@.snapshot s
JOIN @workspace@.snapshot_row x ON x.day = s.day AND x.report = 'channel_performance'
CROSS JOIN LATERAL pg_catalog.jsonb_populate_record(NULL::@workspace@.channel_performance, x.data) r
ORDER BY s.day, x.row_number;

COMMENT ON VIEW @workspace@.channel_performance_history IS
	'What the view channel_performance showed day by day. One row a day and channel.';

CREATE OR REPLACE VIEW @workspace@.campaign_roi_history WITH (security_invoker = true) AS
SELECT s.day, s.taken_at, r.*
FROM @workspace@.snapshot s
JOIN @workspace@.snapshot_row x ON x.day = s.day AND x.report = 'campaign_roi'
CROSS JOIN LATERAL pg_catalog.jsonb_populate_record(NULL::@workspace@.campaign_roi, x.data) r
ORDER BY s.day, x.row_number;

COMMENT ON VIEW @workspace@.campaign_roi_history IS
	'What the view campaign_roi showed day by day. One row a day and campaign.';

CREATE OR REPLACE VIEW @workspace@.source_conversion_history WITH (security_invoker = true) AS
SELECT s.day, s.taken_at, r.*
FROM @workspace@.snapshot s
JOIN @workspace@.snapshot_row x ON x.day = s.day AND x.report = 'source_conversion'
CROSS JOIN LATERAL pg_catalog.jsonb_populate_record(NULL::@workspace@.source_conversion, x.data) r
ORDER BY s.day, x.row_number;

COMMENT ON VIEW @workspace@.source_conversion_history IS
	'What the view source_conversion showed day by day. One row a day and source.';

CREATE OR REPLACE VIEW @workspace@.pipeline_value_history WITH (security_invoker = true) AS
SELECT s.day, s.taken_at, r.*
FROM @workspace@.snapshot s
JOIN @workspace@.snapshot_row x ON x.day = s.day AND x.report = 'pipeline_value'
CROSS JOIN LATERAL pg_catalog.jsonb_populate_record(NULL::@workspace@.pipeline_value, x.data) r
ORDER BY s.day, x.row_number;

COMMENT ON VIEW @workspace@.pipeline_value_history IS
	'What the view pipeline_value showed day by day. One row a day and stage of an opportunity pipeline.';

CREATE OR REPLACE VIEW @workspace@.agent_performance_history WITH (security_invoker = true) AS
SELECT s.day, s.taken_at, r.*
FROM @workspace@.snapshot s
JOIN @workspace@.snapshot_row x ON x.day = s.day AND x.report = 'agent_performance'
CROSS JOIN LATERAL pg_catalog.jsonb_populate_record(NULL::@workspace@.agent_performance, x.data) r
ORDER BY s.day, x.row_number;

COMMENT ON VIEW @workspace@.agent_performance_history IS
	'What the view agent_performance showed day by day. One row a day and agent.';

-- Their columns are those of the reports
DO $$
	DECLARE
		target record;
	BEGIN
		FOR target IN
			SELECT h.oid::pg_catalog.regclass AS history, a.attname,
				CASE a.attname WHEN 'day' THEN 'Day, in UTC' WHEN 'taken_at' THEN 'When it showed this'
					ELSE pg_catalog.col_description(v.oid, b.attnum) END AS comment
			FROM pg_catalog.pg_class v
			JOIN pg_catalog.pg_class h ON h.relnamespace = v.relnamespace AND h.relname = v.relname || '_history' AND h.relkind = 'v'
			JOIN pg_catalog.pg_attribute a ON a.attrelid = h.oid AND a.attnum > 0
			LEFT JOIN pg_catalog.pg_attribute b ON b.attrelid = v.oid AND b.attname = a.attname AND b.attnum > 0
			WHERE v.relnamespace = '@workspace@'::pg_catalog.regnamespace AND v.relkind = 'v'
		LOOP
			EXECUTE pg_catalog.format('COMMENT ON COLUMN %s.%I IS %L', target.history, target.attname, target.comment);
		END LOOP;
	END
	$$;
