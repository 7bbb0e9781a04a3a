-- Leads that are bought: price, caps, returns, and what each vendor is worth.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
\set SHOW_CONTEXT never
SELECT lead_mgmt.create_workspace('sold');
INSERT INTO sold.vendor (vendor, price, currency, daily_cap, return_period) VALUES ('acme', 25, 'EUR', 3, '7 days'), ('free', 0, 'USD', NULL, NULL), ('off', 5, 'USD', NULL, NULL);
UPDATE sold.vendor SET is_active = false WHERE vendor = 'off';
SELECT sold.copy_form('vendor_email', f) FROM unnest('{acme_mail,acme_api,free_api,off_api}'::text[]) f;
UPDATE sold.form SET vendor = split_part(form, '_', 1) WHERE form ~ '_(mail|api)$';
INSERT INTO sold.form (form, vendor) VALUES ('x', 'nobody');

-- what is accepted is bought at the price of the day; what repeats an id, or is no good, is not
SELECT status FROM sold.capture('default', '{"email": "known@bought.example"}');
SELECT status FROM sold.capture('acme_api', '{"email": "a1@bought.example", "lead_id": "1"}');
SELECT status FROM sold.capture('acme_api', '{"email": "a1@bought.example", "lead_id": "1"}');
SELECT status FROM sold.capture('acme_api', '{"email": "broken", "lead_id": "2"}');
UPDATE sold.vendor SET price = 30 WHERE vendor = 'acme';
SELECT status FROM sold.capture_raw('acme_mail', 'message/rfc822', E'From: leads@acme.example\nSubject: x\n\nName: K\nE-mail: known@bought.example\n');
SELECT vendor, is_known, price, currency, contact_id IS NOT NULL AS contact, lead_id IS NOT NULL AS lead FROM sold.vendor_purchase ORDER BY submission_id;
-- beyond the cap it is rejected, and its id stays free for another day
SELECT part, status, reasons -> 0 ->> 'code' AS code FROM sold.capture_raw('acme_api', 'application/json', '[{"email": "b1@bought.example", "lead_id": "11"}, {"email": "b2@bought.example", "lead_id": "12"}, {"email": "b3@bought.example", "lead_id": "13"}]');
SELECT external_id FROM sold.submission_key WHERE form = 'acme_api' ORDER BY 1;
SELECT status FROM sold.capture_http('acme_api', 'application/json', '{"email": "b4@bought.example"}');
UPDATE sold.vendor SET daily_cap = 10, monthly_cap = 4 WHERE vendor = 'acme';
SELECT submission_id AS held FROM sold.submission WHERE external_id = '12' \gset
SELECT (sold.reprocess(:held)).status;
SELECT status, reasons -> 0 ->> 'message' AS why FROM sold.capture('acme_api', '{"email": "b5@bought.example"}');
SELECT purchased FROM sold.vendor_day;
-- an inactive vendor sells nothing
SELECT status, reasons -> 0 ->> 'code' AS code FROM sold.capture('off_api', '{"email": "o@bought.example"}');
-- a cap that comes late counts what was bought before
INSERT INTO sold.submission (form, payload) SELECT 'free_api', jsonb_build_object('email', 'f' || n || '@gratis.example') FROM generate_series(1, 5) n;
UPDATE sold.vendor SET daily_cap = 6 WHERE vendor = 'free';
INSERT INTO sold.submission (form, payload) SELECT 'free_api', jsonb_build_object('email', 'g' || n || '@gratis.example') FROM generate_series(1, 3) n;
SELECT status, count(*) FROM sold.submission WHERE form = 'free_api' GROUP BY 1 ORDER BY 1;

-- returns
SELECT submission_id AS first FROM sold.vendor_purchase ORDER BY 1 LIMIT 1 \gset
SELECT status, amount, reason FROM sold.return_lead(:first, 'invalid_phone');
SELECT sold.return_lead(:first, 'again');
SELECT sold.return_lead(1, 'not bought');
SELECT sold.return_lead((SELECT max(submission_id) FROM sold.vendor_purchase WHERE vendor = 'acme'), 'too much', 1000);
SELECT status, decided_at IS NOT NULL AS decided FROM sold.settle_return(:first, true);
SELECT sold.settle_return(:first, false);
UPDATE sold.vendor_purchase SET purchased_at = purchased_at - interval '8 days' WHERE submission_id = (SELECT max(submission_id) FROM sold.vendor_purchase WHERE vendor = 'acme');
\set VERBOSITY terse
\pset format unaligned
DO $$ BEGIN PERFORM sold.return_lead((SELECT submission_id FROM sold.vendor_purchase WHERE vendor = 'acme' AND purchased_at < now() - interval '1 day'), 'late');
EXCEPTION WHEN object_not_in_prerequisite_state THEN RAISE NOTICE 'too late'; END $$;
\pset format aligned

-- what it comes to, before and after submissions are purged
SELECT vendor, submissions, accepted, duplicates, rejected, over_cap, purchased, known, returned, duplicate_rate, reject_rate, return_rate, spent, refunded, cost, cost_per_lead FROM sold.vendor_quality ORDER BY 1;
-- and what became of it: of what was kept a share is converted, of what was given back none counts
SELECT lead_id AS returned FROM sold.vendor_purchase WHERE submission_id = :first \gset
SELECT lead_id AS kept FROM sold.vendor_purchase WHERE vendor = 'acme' AND submission_id > :first ORDER BY submission_id LIMIT 1 \gset
SELECT count(*) AS ready FROM unnest(ARRAY[:returned, :kept]::bigint[]) l (lead_id), LATERAL sold.mark_ready(l.lead_id);
SELECT count(*) AS converted FROM unnest(ARRAY[:returned, :kept]::bigint[]) l (lead_id), LATERAL sold.convert_lead(l.lead_id);
SELECT vendor, purchased - returned AS kept, converted, conversion_rate FROM sold.vendor_quality WHERE vendor = 'acme';
CREATE TEMP TABLE before AS SELECT * FROM sold.vendor_quality;
UPDATE sold.form SET retention = '1 hour';
UPDATE sold.submission SET processed_at = processed_at - interval '1 day';
SELECT sold.purge_submissions();
SELECT count(*) AS changed FROM sold.vendor_quality q JOIN before b USING (vendor) WHERE q IS DISTINCT FROM b;
DROP TABLE before;
SELECT lead_mgmt.drop_workspace('sold', 'sold');
