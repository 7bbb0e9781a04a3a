-- What vendors are worth.

CREATE OR REPLACE VIEW @workspace@.vendor_quality WITH (security_invoker = true) AS
WITH delivered AS (
	SELECT f.vendor, pg_catalog.count(*) AS submissions,
		pg_catalog.count(*) FILTER (WHERE b.status = 'accepted') AS accepted,
		pg_catalog.count(*) FILTER (WHERE b.status = 'duplicate') AS duplicates,
		pg_catalog.count(*) FILTER (WHERE b.status = 'rejected') AS rejected,
		pg_catalog.count(*) FILTER (WHERE b.status = 'rejected' AND b.reasons @> '[{"code": "over_cap"}]') AS over_cap
	FROM @workspace@.form f JOIN @workspace@.submission b ON b.form = f.form
	WHERE f.vendor IS NOT NULL
	GROUP BY f.vendor
),
bought AS (
	SELECT u.vendor, pg_catalog.count(*) AS purchased, pg_catalog.count(*) FILTER (WHERE u.is_known) AS known,
		pg_catalog.count(*) FILTER (WHERE r.status = 'accepted') AS returned,
		pg_catalog.count(*) FILTER (WHERE r.status = 'requested') AS return_requested,
		pg_catalog.sum(u.price) AS spent,
		pg_catalog.sum(r.amount) FILTER (WHERE r.status = 'accepted') AS refunded,
		pg_catalog.count(DISTINCT l.lead_id) FILTER (WHERE l.status = 'converted' AND r.status IS DISTINCT FROM 'accepted') AS converted
	FROM @workspace@.vendor_purchase u
	LEFT JOIN @workspace@.vendor_return r ON r.submission_id = u.submission_id
	LEFT JOIN @workspace@.lead l ON l.lead_id = u.lead_id
	GROUP BY u.vendor
),
counted AS (
	SELECT v.vendor, v.is_active, v.currency,
		COALESCE(s.submissions, 0) + COALESCE(d.accepted + d.duplicates, 0) AS submissions,
		COALESCE(s.accepted, 0) + COALESCE(d.accepted, 0) AS accepted,
		COALESCE(s.duplicates, 0) + COALESCE(d.duplicates, 0) AS duplicates,
		COALESCE(s.rejected, 0) AS rejected, COALESCE(s.over_cap, 0) AS over_cap,
		COALESCE(p.purchased, 0) AS purchased, COALESCE(p.known, 0) AS known,
		COALESCE(p.returned, 0) AS returned, COALESCE(p.return_requested, 0) AS return_requested,
		COALESCE(p.spent, 0) AS spent, COALESCE(p.refunded, 0) AS refunded, COALESCE(p.converted, 0) AS converted
	FROM @workspace@.vendor v
	LEFT JOIN delivered s ON s.vendor = v.vendor
	LEFT JOIN @workspace@.vendor_purged d ON d.vendor = v.vendor
	LEFT JOIN bought p ON p.vendor = v.vendor
)
SELECT c.vendor, c.is_active, c.currency, c.submissions, c.accepted, c.duplicates, c.rejected, c.over_cap,
	c.purchased, c.known, c.returned, c.return_requested,
	pg_catalog.round(100.0 * (c.duplicates + c.known) / NULLIF(c.submissions, 0), 2) AS duplicate_rate,
	pg_catalog.round(100.0 * (c.rejected - c.over_cap) / NULLIF(c.submissions - c.over_cap, 0), 2) AS reject_rate,
	pg_catalog.round(100.0 * c.returned / NULLIF(c.purchased, 0), 2) AS return_rate,
	c.spent, c.refunded, c.spent - c.refunded AS cost,
	pg_catalog.round((c.spent - c.refunded) / NULLIF(c.purchased - c.returned, 0), 2) AS cost_per_lead,
	c.converted,
	pg_catalog.round(100.0 * c.converted / NULLIF(c.purchased - c.returned, 0), 2) AS conversion_rate
FROM counted c;

COMMENT ON VIEW @workspace@.vendor_quality IS
	'What each vendor delivered, what of it was of use and what it cost: one row a vendor.';
COMMENT ON COLUMN @workspace@.vendor_quality.vendor IS 'Vendor';
COMMENT ON COLUMN @workspace@.vendor_quality.is_active IS 'Whether what it delivers is taken';
COMMENT ON COLUMN @workspace@.vendor_quality.currency IS 'Currency of the vendor''s price';
COMMENT ON COLUMN @workspace@.vendor_quality.submissions IS 'Submissions by its forms';
COMMENT ON COLUMN @workspace@.vendor_quality.accepted IS 'Accepted ones';
COMMENT ON COLUMN @workspace@.vendor_quality.duplicates IS 'Sent before with the same external id; not paid for';
COMMENT ON COLUMN @workspace@.vendor_quality.rejected IS 'Rejected for whatever reason';
COMMENT ON COLUMN @workspace@.vendor_quality.over_cap IS 'Of these, rejected because a cap was reached';
COMMENT ON COLUMN @workspace@.vendor_quality.purchased IS 'Leads bought';
COMMENT ON COLUMN @workspace@.vendor_quality.known IS 'Of these, contacts that we knew already';
COMMENT ON COLUMN @workspace@.vendor_quality.returned IS 'Given back and refunded';
COMMENT ON COLUMN @workspace@.vendor_quality.return_requested IS 'Given back, not answered yet';
COMMENT ON COLUMN @workspace@.vendor_quality.duplicate_rate IS 'Percentage of submissions that repeat one, or bring a contact known already; NULL without submissions';
COMMENT ON COLUMN @workspace@.vendor_quality.reject_rate IS 'Percentage of submissions rejected, those over a cap left out; NULL without submissions';
COMMENT ON COLUMN @workspace@.vendor_quality.return_rate IS 'Percentage of purchases refunded; NULL without purchases';
COMMENT ON COLUMN @workspace@.vendor_quality.spent IS 'Money paid for purchases, returned ones included, without conversion of currencies';
COMMENT ON COLUMN @workspace@.vendor_quality.refunded IS 'Money refunded';
COMMENT ON COLUMN @workspace@.vendor_quality.cost IS 'spent less refunded';
COMMENT ON COLUMN @workspace@.vendor_quality.cost_per_lead IS 'cost by purchases that were kept; NULL without any';
COMMENT ON COLUMN @workspace@.vendor_quality.converted IS 'Leads kept that were converted';
COMMENT ON COLUMN @workspace@.vendor_quality.conversion_rate IS 'Percentage of purchases kept that were converted; NULL without any';
