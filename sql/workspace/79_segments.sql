-- Who is in which segment, and what suits them.

CREATE OR REPLACE VIEW @workspace@.segment_member WITH (security_invoker = true) AS
SELECT
	s.segment_id,
	s.segment,
	p.lead_id,
	p.contact_id,
	s.campaign_id
FROM @workspace@.segment s
JOIN @workspace@.lead_profile p ON p.status = 'open' AND lead_mgmt.satisfies_or_null(p, s.condition)
WHERE s.is_active
	AND (s.grades IS NULL OR EXISTS (
		SELECT FROM @workspace@.lead_score v
		WHERE v.lead_id = p.lead_id AND v.model = s.model AND v.grade = ANY (s.grades)));

COMMENT ON VIEW @workspace@.segment_member IS
	'The open leads that are in each active segment now, at this moment and in this transaction: nothing has to be refreshed. A lead is left out of a segment whose condition fails for it. One row a segment and lead.';
COMMENT ON COLUMN @workspace@.segment_member.segment_id IS 'Key of the segment';
COMMENT ON COLUMN @workspace@.segment_member.segment IS 'Its name';
COMMENT ON COLUMN @workspace@.segment_member.lead_id IS 'Lead';
COMMENT ON COLUMN @workspace@.segment_member.contact_id IS 'Its contact; NULL without one';
COMMENT ON COLUMN @workspace@.segment_member.campaign_id IS 'Campaign that the segment''s leads are nurtured in; NULL for none';

CREATE OR REPLACE FUNCTION @workspace@.refresh_segments() RETURNS bigint
	LANGUAGE sql SET search_path = pg_catalog, pg_temp
	AS $$
		-- One at a time, so that nobody is found to enter twice; who entered may have since this transaction began
		LOCK TABLE @workspace@.segment_change IN SHARE ROW EXCLUSIVE MODE;
		WITH now_in AS MATERIALIZED (
			SELECT m.segment_id, m.lead_id FROM @workspace@.segment_member m
		), gone AS (
			UPDATE @workspace@.segment_change c SET left_at = GREATEST(pg_catalog.now(), c.entered_at)
			WHERE c.left_at IS NULL
				AND NOT EXISTS (SELECT FROM now_in n WHERE n.segment_id = c.segment_id AND n.lead_id = c.lead_id)
			RETURNING 1
		), come AS (
			INSERT INTO @workspace@.segment_change (segment_id, lead_id)
			SELECT n.segment_id, n.lead_id
			FROM now_in n
			WHERE NOT EXISTS (
				SELECT FROM @workspace@.segment_change c
				WHERE c.segment_id = n.segment_id AND c.lead_id = n.lead_id AND c.left_at IS NULL)
			ORDER BY n.segment_id, n.lead_id
			RETURNING 1
		)
		SELECT (SELECT pg_catalog.count(*) FROM gone) + (SELECT pg_catalog.count(*) FROM come)
	$$;

COMMENT ON FUNCTION @workspace@.refresh_segments() IS
	'Note in segment_change which leads came into a segment and which left it since the last time, and return how many. A task of tick().';

INSERT INTO @workspace@.tick_task (task, label, sequence) VALUES
	('refresh_segments', 'Note who came into a segment and who left it', 550)
ON CONFLICT DO NOTHING;

CREATE OR REPLACE FUNCTION @workspace@.suggest_offers(lead_id bigint)
	RETURNS TABLE (product text, label text, unit_price numeric, currency text, segment text)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
	AS $$
		SELECT DISTINCT ON (o.sequence, p.unit_price, p.product) p.product, p.label, p.unit_price, p.currency, m.segment
		FROM @workspace@.segment_member m
		JOIN @workspace@.segment_offer o ON o.segment_id = m.segment_id
		JOIN @workspace@.product p ON p.product_id = o.product_id
		JOIN @workspace@.lead l ON l.lead_id = m.lead_id
		WHERE m.lead_id = $1 AND p.is_active
			AND NOT EXISTS (
				SELECT FROM @workspace@.offer f
				WHERE f.contact_id = l.contact_id AND f.product_id = p.product_id AND f.result IN ('open', 'declined'))
			AND lead_mgmt.report_guard('@workspace@.suggest_offers(bigint)'::pg_catalog.regprocedure)
		ORDER BY o.sequence, p.unit_price, p.product, m.segment
	$$;

COMMENT ON FUNCTION @workspace@.suggest_offers(bigint) IS
	'The products that suit an open lead as it is now, by the segments it is in (segment_offer), those first that come first there, then the cheaper ones; without what its contact was offered and has not answered, or has declined. One row a product, with the segment that suggests it.';

CREATE OR REPLACE TRIGGER attributes BEFORE INSERT OR UPDATE OF condition ON @workspace@.segment
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.expand_attributes('condition');
CREATE OR REPLACE TRIGGER condition BEFORE INSERT OR UPDATE OF condition ON @workspace@.segment
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.predicate_validate('condition', 'lead_profile');

REVOKE EXECUTE ON FUNCTION
	@workspace@.refresh_segments(),
	@workspace@.suggest_offers(bigint)
	FROM PUBLIC;
