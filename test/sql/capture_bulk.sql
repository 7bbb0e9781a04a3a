-- Many submissions in one statement: bad rows apart, repeats, equivalence with single ones.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
\set SHOW_CONTEXT never
SELECT lead_mgmt.create_workspace('bulk');
SELECT lead_mgmt.create_workspace('single');
CREATE TEMP VIEW counts AS SELECT
	(SELECT count(*) FROM bulk.contact) AS contacts, (SELECT count(*) FROM bulk.account) AS accounts,
	(SELECT count(*) FROM bulk.lead) AS leads, (SELECT count(*) FROM bulk.interaction) AS interactions,
	(SELECT count(*) FROM bulk.stage_move) AS moves, (SELECT count(*) FROM bulk.score) AS scores,
	(SELECT count(*) FROM bulk.audit_log) AS changes;

-- 10,000 in one statement, one in a hundred bad, the reasons taking turns
INSERT INTO bulk.form (form, required) VALUES ('list', '{email}');
CREATE TEMP TABLE batch AS
	SELECT n, jsonb_build_object('email', 'p' || n || '@company' || n % 500 || '.example', 'name', 'Person ' || n) ||
		CASE WHEN n % 100 <> 0 THEN jsonb '{}'
			WHEN n % 400 = 0 THEN '{"email": "not an address"}'
			WHEN n % 400 = 100 THEN '{"email": null}'
			WHEN n % 400 = 200 THEN '{"phone": "12"}'
			ELSE '{"employees": "many"}' END AS payload
	FROM generate_series(1, 10000) n;
INSERT INTO bulk.submission (form, external_id, payload) SELECT 'list', 'x' || n, payload FROM batch ORDER BY n;
SELECT status, count(*), count(payload) AS payloads FROM bulk.submission GROUP BY 1 ORDER BY 1;
SELECT code, field, count(*) FROM bulk.rejected_submission GROUP BY 1, 2 ORDER BY 1, 2;
SELECT * FROM counts;
SELECT count(*) AS wrong_payloads FROM bulk.submission s JOIN batch b ON s.external_id = 'x' || b.n WHERE s.payload <> b.payload;
SELECT stage, count(*), min(score), max(score) FROM bulk.lead JOIN bulk.lead_score USING (lead_id) GROUP BY 1;

-- the same file once more: nothing changes
CREATE TEMP TABLE before AS SELECT * FROM counts;
INSERT INTO bulk.submission (form, external_id, payload) SELECT 'list', 'x' || n, payload FROM batch ORDER BY n;
SELECT status, count(*), count(duplicate_of) AS named FROM bulk.submission WHERE submission_id > 10000 GROUP BY 1 ORDER BY 1;
SELECT count(*) AS wrong FROM bulk.submission d JOIN bulk.submission f ON f.submission_id = d.duplicate_of WHERE d.external_id <> f.external_id OR f.status <> 'accepted';
TABLE before EXCEPT TABLE counts;

-- COPY, with repeats of persons and of ids within the batch
TRUNCATE before;
COPY bulk.submission (form, external_id, payload) FROM stdin;
list	c1	{"email": "copy@one.example", "name": "First"}
list	c2	{"email": "COPY@ONE.example", "name": "Second", "page": "other"}
list	c1	{"email": "other@one.example"}
list	c3	{"email": "copy@one.example", "city": "Hue"}
list	c4	{"email": "nobody"}
default	\N	{"phone": "+442079460958"}
default	\N	{"phone": "+44 20 7946 0958", "email": "tel@one.example"}
\.
SELECT external_id, status, dense_rank() OVER (ORDER BY contact_id) AS person, dense_rank() OVER (ORDER BY lead_id) AS lead,
	reasons -> 0 ->> 'code' AS code
FROM bulk.submission WHERE submission_id > 20000 ORDER BY submission_id;
SELECT full_name, city, email, phone FROM bulk.contact WHERE email::text LIKE '%@one.example' ORDER BY contact_id;
SELECT page, interaction_count, engagement FROM bulk.lead JOIN bulk.lead_score USING (lead_id) JOIN bulk.contact USING (contact_id)
WHERE contact.email::text LIKE '%@one.example' ORDER BY lead_id;

-- the same person in several chunks (of 4,000 rows): one contact, one lead, nothing miscounted
INSERT INTO bulk.submission (payload)
	SELECT jsonb_build_object('email', 'w' || n % 3000 || '@wide.example', 'name', 'Round ' || n / 3000) FROM generate_series(0, 8999) n;
SELECT count(*) AS contacts, count(DISTINCT email) AS addresses, min(full_name), max(full_name) FROM bulk.contact WHERE email::text LIKE '%@wide.example';
SELECT count(*) AS leads, min(interaction_count), max(interaction_count), min(engagement), max(engagement)
FROM bulk.lead JOIN bulk.lead_score USING (lead_id) JOIN bulk.contact USING (contact_id) WHERE contact.email::text LIKE '%@wide.example';
SELECT count(*) AS accounts FROM bulk.account WHERE domain = 'wide.example';
-- the edge of a chunk: 4,000 and 4,001 rows
INSERT INTO bulk.submission (payload) SELECT jsonb_build_object('email', 'e' || n || '@edge.example') FROM generate_series(1, 4000) n;
INSERT INTO bulk.submission (payload) SELECT jsonb_build_object('email', 'f' || n || '@edge.example') FROM generate_series(1, 4001) n;
SELECT count(*) AS contacts FROM bulk.contact WHERE email::text LIKE '%@edge.example';
SELECT count(*) AS unprocessed FROM bulk.submission WHERE status IS NULL;
-- no rows at all
INSERT INTO bulk.submission (payload) SELECT '{}' WHERE false;

-- rows that carry a stamp, as restored ones do, are left alone
CREATE TEMP TABLE restored AS SELECT * FROM counts;
INSERT INTO bulk.submission (payload, processed_at, status) VALUES ('{"email": "restored@old.example"}', now(), 'accepted');
TABLE restored EXCEPT TABLE counts;

-- a constraint of the user's own costs only the rows that break it
ALTER TABLE bulk.contact ADD CONSTRAINT no_thirteen CHECK (full_name NOT LIKE '%13');
INSERT INTO bulk.submission (form, payload)
	SELECT 'default', jsonb_build_object('email', 'k' || n || '@check.example', 'name', 'No ' || n) FROM generate_series(1, 300) n;
SELECT status, count(*) FROM bulk.submission WHERE payload ->> 'email' LIKE '%@check.example' GROUP BY 1 ORDER BY 1;
SELECT payload ->> 'name' AS name, r.code, r.value, r.message FROM bulk.rejected_submission r JOIN bulk.submission USING (submission_id)
WHERE payload ->> 'email' LIKE '%@check.example' ORDER BY submission_id;
SELECT count(*) AS contacts FROM bulk.contact WHERE email::text LIKE '%@check.example';
-- so does a trigger
CREATE FUNCTION bulk.refuse() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN IF new.city = 'Nowhere' THEN RAISE EXCEPTION 'no such city: %', new.city; END IF; RETURN new; END $$;
CREATE TRIGGER refuse BEFORE INSERT ON bulk.contact FOR EACH ROW EXECUTE FUNCTION bulk.refuse();
INSERT INTO bulk.submission (payload)
	SELECT jsonb_build_object('email', 't' || n || '@trigger.example', 'city', CASE WHEN n IN (1, 77, 200) THEN 'Nowhere' ELSE 'Rome' END) FROM generate_series(1, 200) n;
SELECT s.payload ->> 'email' AS email, r.code, r.value, r.message FROM bulk.rejected_submission r JOIN bulk.submission s USING (submission_id)
WHERE s.payload ->> 'email' LIKE '%@trigger.example' ORDER BY submission_id;
SELECT count(*) AS contacts FROM bulk.contact WHERE email::text LIKE '%@trigger.example';
-- once the cause is gone they go through
DROP TRIGGER refuse ON bulk.contact;
SELECT count(*) AS accepted FROM bulk.submission s, LATERAL bulk.reprocess(s.submission_id) r
WHERE s.status = 'rejected' AND s.payload ->> 'email' LIKE '%@trigger.example' AND r.status = 'accepted';

-- the same 500 records one by one and at once end alike
CREATE TEMP TABLE records AS
	SELECT n, jsonb_strip_nulls(jsonb_build_object(
		'email', CASE WHEN n % 5 <> 0 THEN 'q' || n % 90 || '@firm' || n % 7 || '.example' END,
		'phone', CASE WHEN n % 3 = 0 THEN '+4420794600' || lpad((n % 40)::text, 2, '0') END,
		'visitor', CASE WHEN n % 11 = 0 THEN 'v' || n % 6 END,
		'company', CASE WHEN n % 4 = 0 THEN 'Firm ' || n % 7 END,
		'name', 'Name ' || n % 13, 'city', CASE WHEN n % 6 = 0 THEN 'City ' || n % 17 END,
		'employees', CASE WHEN n % 8 = 0 THEN n END, 'product', 'product ' || n % 3,
		'page', CASE WHEN n % 2 = 0 THEN 'page ' || n % 4 END,
		'kind', (ARRAY['form_submit', 'page_view', 'download', 'product_click', 'demo_request'])[n % 5 + 1],
		'source', (ARRAY['fair', 'website', 'nonsense'])[n % 4 % 3 + 1],
		'consent_email', n % 10 = 0)) AS payload
	FROM generate_series(1, 500) n;
-- what a workspace holds, without its keys
CREATE FUNCTION pg_temp.content(workspace text) RETURNS TABLE (what text, item text, times bigint) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('SET LOCAL search_path = %I, pg_catalog', workspace);
	RETURN QUERY
	SELECT w, i, count(*) FROM (
		SELECT 'contact' AS w, concat_ws('|', c.full_name, c.email::text, c.phone::text, c.city, c.first_source, c.last_source) AS i FROM contact c
		UNION ALL SELECT 'employer', concat_ws('|', c.email::text, c.phone::text, a.name) FROM contact c JOIN account a USING (account_id)
		UNION ALL SELECT 'identity', concat_ws('|', i.kind, i.value, c.email::text, c.phone::text) FROM contact_identity i JOIN contact c USING (contact_id)
		UNION ALL SELECT 'account', concat_ws('|', name, domain, employees) FROM account
		UNION ALL SELECT 'lead', concat_ws('|', l.page, l.product, l.stage, l.qualification, l.interaction_count, c.email::text, c.phone::text)
			FROM lead l LEFT JOIN contact c USING (contact_id)
		UNION ALL SELECT 'score', concat_ws('|', s.fit, s.engagement, l.page, c.email::text, c.phone::text)
			FROM lead_score s JOIN lead l USING (lead_id) LEFT JOIN contact c USING (contact_id)
		UNION ALL SELECT 'move', concat_ws('|', m.from_stage, m.to_stage, m.rule, l.page, c.email::text, c.phone::text)
			FROM stage_move m JOIN lead l USING (lead_id) LEFT JOIN contact c USING (contact_id)
		UNION ALL SELECT 'interaction', concat_ws('|', i.kind, i.page, i.product, c.email::text, c.phone::text, l.page)
			FROM interaction i LEFT JOIN contact c USING (contact_id) LEFT JOIN lead l USING (lead_id)
		UNION ALL SELECT 'consent', concat_ws('|', n.channel, c.email::text, c.phone::text) FROM consent n JOIN contact c USING (contact_id)
		UNION ALL SELECT 'submission', concat_ws('|', s.status, s.reasons, s.payload) FROM submission s) x
	GROUP BY 1, 2;
END $$;
DROP VIEW counts;
SELECT lead_mgmt.drop_workspace('bulk', 'bulk');
SELECT lead_mgmt.create_workspace('bulk');
DO $$ DECLARE r record; BEGIN FOR r IN SELECT payload FROM records ORDER BY n LOOP PERFORM single.capture('default', r.payload); END LOOP; END $$;
INSERT INTO bulk.submission (payload) SELECT payload FROM records ORDER BY n;
-- a score is as of the lead's latest submission, so both are brought up to date for the comparison
SELECT single.rescore() = bulk.rescore() AS same_number;
CREATE TEMP TABLE one_by_one AS SELECT * FROM pg_temp.content('single');
CREATE TEMP TABLE at_once AS SELECT * FROM pg_temp.content('bulk');
SELECT what, sum(times) AS rows FROM one_by_one GROUP BY 1 ORDER BY 1;
(TABLE one_by_one EXCEPT TABLE at_once) ORDER BY 1, 2 LIMIT 20;
(TABLE at_once EXCEPT TABLE one_by_one) ORDER BY 1, 2 LIMIT 20;

DROP TABLE before, restored, batch, records, one_by_one, at_once;
DROP FUNCTION pg_temp.content(text);
SELECT lead_mgmt.drop_workspace('bulk', 'bulk');
SELECT lead_mgmt.drop_workspace('single', 'single');

-- Plans that were kept while the tables were known to be empty do not read them
-- whole for each row
SELECT lead_mgmt.create_workspace('bulk');
ANALYZE bulk.contact, bulk.contact_identity, bulk.account, bulk.account_identity, bulk.lead, bulk.submission;
INSERT INTO bulk.submission (payload) VALUES ('{"email": "first@one.example", "company": "One"}');
BEGIN;
SET LOCAL statement_timeout = '60s';
INSERT INTO bulk.submission (payload) SELECT jsonb_build_object('email', 'p' || n || '@c' || n % 1000 || '.example', 'company', 'Company ' || n % 1000, 'phone', '+4478' || lpad(n::text, 8, '0'))
FROM generate_series(1, 15000) n;
COMMIT;
SELECT count(*) AS contacts FROM bulk.contact;
SELECT lead_mgmt.drop_workspace('bulk', 'bulk');
