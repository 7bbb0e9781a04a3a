-- What vendors are worth.

CREATE OR REPLACE VIEW @workspace@.vendor_quality WITH (security_invoker = true) AS
SELECT v.vendor, v.is_active, v.currency,
	s.submissions, s.accepted, s.duplicates, s.rejected, s.over_cap,
	p.purchased, p.known, p.returned, p.return_requested,
	pg_catalog.round(100.0 * (s.duplicates + p.known) / NULLIF(s.submissions, 0), 2) AS duplicate_rate,
	pg_catalog.round(100.0 * (s.rejected - s.over_cap) / NULLIF(s.submissions - s.over_cap, 0), 2) AS reject_rate,
	pg_catalog.round(100.0 * p.returned / NULLIF(p.purchased, 0), 2) AS return_rate,
	p.spent, p.refunded, p.spent - p.refunded AS cost,
	pg_catalog.round((p.spent - p.refunded) / NULLIF(p.purchased - p.returned, 0), 2) AS cost_per_lead,
	p.converted,
	pg_catalog.round(100.0 * p.converted / NULLIF(p.purchased - p.returned, 0), 2) AS conversion_rate
FROM @workspace@.vendor v
CROSS JOIN LATERAL (
	SELECT pg_catalog.count(b.submission_id) + COALESCE(pg_catalog.min(d.accepted + d.duplicates), 0) AS submissions,
		pg_catalog.count(b.submission_id) FILTER (WHERE b.status = 'accepted') + COALESCE(pg_catalog.min(d.accepted), 0) AS accepted,
		pg_catalog.count(b.submission_id) FILTER (WHERE b.status = 'duplicate') + COALESCE(pg_catalog.min(d.duplicates), 0) AS duplicates,
		pg_catalog.count(b.submission_id) FILTER (WHERE b.status = 'rejected') AS rejected,
		pg_catalog.count(b.submission_id) FILTER (WHERE b.status = 'rejected' AND b.reasons @> '[{"code": "over_cap"}]') AS over_cap
	FROM (SELECT) one
	LEFT JOIN @workspace@.vendor_purged d ON d.vendor = v.vendor
	LEFT JOIN (@workspace@.form f JOIN @workspace@.submission b ON b.form = f.form) ON f.vendor = v.vendor) s
CROSS JOIN LATERAL (
	SELECT pg_catalog.count(*) AS purchased, pg_catalog.count(*) FILTER (WHERE u.is_known) AS known,
		pg_catalog.count(*) FILTER (WHERE r.status = 'accepted') AS returned,
		pg_catalog.count(*) FILTER (WHERE r.status = 'requested') AS return_requested,
		COALESCE(pg_catalog.sum(u.price), 0) AS spent,
		COALESCE(pg_catalog.sum(r.amount) FILTER (WHERE r.status = 'accepted'), 0) AS refunded,
		pg_catalog.count(DISTINCT l.lead_id) FILTER (WHERE l.status = 'converted' AND r.status IS DISTINCT FROM 'accepted') AS converted
	FROM @workspace@.vendor_purchase u
	LEFT JOIN @workspace@.vendor_return r ON r.submission_id = u.submission_id
	LEFT JOIN @workspace@.lead l ON l.lead_id = u.lead_id
	WHERE u.vendor = v.vendor) p;

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
