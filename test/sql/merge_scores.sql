-- Scores that count for an account stay what a full count says, whoever is
-- merged, parted, linked or recognised.
\set ON_ERROR_STOP 0
SET client_min_messages = warning;
SELECT lead_mgmt.create_workspace('followed');
INSERT INTO followed.scoring_model (model, label, account_based) VALUES ('account', 'What all of an account do', true);
INSERT INTO followed.scoring_rule (model, label, interaction_condition, points) VALUES ('account', 'Anything', 'true', 1);

-- The leads whose score a full count would change
CREATE FUNCTION pg_temp.differing() RETURNS TABLE (lead_id bigint, kept float8, counted float8) LANGUAGE plpgsql AS $$
BEGIN
	CREATE TEMP TABLE kept ON COMMIT DROP AS SELECT s.lead_id, lead_mgmt.heat_at(s.engagement, now()) AS points
		FROM followed.score s JOIN followed.lead l USING (lead_id) WHERE s.model = 'account' AND l.status = 'open';
	PERFORM followed.rescore('account');
	RETURN QUERY SELECT s.lead_id, k.points, lead_mgmt.heat_at(s.engagement, now()) FROM followed.score s
		JOIN followed.lead l USING (lead_id) LEFT JOIN kept k USING (lead_id)
		WHERE s.model = 'account' AND l.status = 'open' AND k.points IS DISTINCT FROM lead_mgmt.heat_at(s.engagement, now()) ORDER BY 1;
END $$;

-- Two people at each of two companies
INSERT INTO followed.submission (payload) VALUES
	('{"email": "a1@a.example", "page": "x"}'), ('{"email": "a2@a.example", "page": "x"}'), ('{"email": "a2@a.example", "page": "y"}'),
	('{"email": "b1@b.example", "page": "x"}'), ('{"email": "b2@b.example", "page": "x"}'), ('{"email": "b2@b.example", "page": "z"}');
SELECT lead_id, engagement FROM followed.lead_score WHERE model = 'account' ORDER BY 1;

-- What the one merged away did counts no longer for those left behind
SELECT followed.merge_contacts(1, '{4}') AS merge_id \gset
SELECT lead_id, engagement FROM followed.lead_score WHERE model = 'account' ORDER BY 1;
SELECT * FROM pg_temp.differing();
SELECT contact_id FROM followed.capture('default', '{"email": "b2@b.example", "page": "z"}');
SELECT contact_id FROM followed.capture('default', '{"email": "a2@a.example", "page": "x"}');
SELECT count(*) FROM followed.unmerge(:merge_id);
SELECT lead_id, engagement FROM followed.lead_score WHERE model = 'account' ORDER BY 1;
SELECT * FROM pg_temp.differing();

-- Accounts that were one
SELECT followed.merge_accounts(1, '{2}') AS merge_id \gset
SELECT * FROM pg_temp.differing();
SELECT contact_id FROM followed.capture('default', '{"email": "b1@b.example", "page": "w"}');
SELECT count(*) FROM followed.unmerge(:merge_id);
SELECT * FROM pg_temp.differing();

-- A lead that gets a contact or an account: what came in for it is the contact's
INSERT INTO followed.lead (contact_name, title) VALUES ('Somebody', 'unlinked') RETURNING lead_id \gset
INSERT INTO followed.interaction (lead_id, visitor, kind) VALUES (:lead_id, 'cookie', 'page_view');
UPDATE followed.lead SET contact_id = 2 WHERE lead_id = :lead_id;
SELECT contact_id, lead_id = :lead_id AS same, kind FROM followed.interaction WHERE visitor = 'cookie';
SELECT * FROM pg_temp.differing();
UPDATE followed.lead SET account_id = 2 WHERE lead_id = :lead_id;
SELECT * FROM pg_temp.differing();

-- The same by merging leads, and back
INSERT INTO followed.lead (contact_name, title) VALUES ('Somebody', 'unlinked too') RETURNING lead_id AS other_id \gset
INSERT INTO followed.interaction (lead_id, visitor, kind) VALUES (:other_id, 'cookie 2', 'page_view');
SELECT followed.merge_leads(1, ARRAY[:other_id]) AS merge_id \gset
SELECT contact_id, lead_id FROM followed.interaction WHERE visitor = 'cookie 2';
SELECT * FROM pg_temp.differing();
SELECT count(*) FROM followed.unmerge(:merge_id);
SELECT contact_id, lead_id = :other_id AS same FROM followed.interaction WHERE visitor = 'cookie 2';
SELECT * FROM pg_temp.differing();

-- A visitor whose interaction an account's lead counted already: it counts once
SELECT contact_id, lead_id FROM followed.capture('default', '{"company": "Cee", "visitor": "v1", "page": "x"}') \gset c_
SELECT contact_id FROM followed.capture('default', '{"email": "c1@c.example", "company": "Cee", "visitor": "v1", "page": "x"}') \gset p_
SELECT l.lead_id = :c_lead_id AS first, l.interaction_count, count(i) AS interactions, count(*) FILTER (WHERE i.contact_id = :p_contact_id) AS of_person
FROM followed.lead l JOIN followed.interaction i USING (lead_id)
WHERE l.lead_id >= :c_lead_id GROUP BY 1, 2 ORDER BY 1 DESC;
SELECT * FROM pg_temp.differing();

-- A lead without account that joins one by a submission while its contact is another's
UPDATE followed.contact SET account_id = 2 WHERE contact_id = 1;
UPDATE followed.lead SET account_id = NULL WHERE lead_id = 1;
SELECT * FROM pg_temp.differing();
SELECT contact_id, account_id, lead_id FROM followed.capture('default', '{"email": "a1@a.example", "page": "x"}');
SELECT contact_id, account_id FROM followed.lead WHERE lead_id = 1;
SELECT account_id FROM followed.contact WHERE contact_id = 1;
SELECT * FROM pg_temp.differing();

-- A contact that loses its account: its leads may have accounts of their own, whose leads count it now
INSERT INTO followed.account (account_id, name) VALUES (100, 'Passing');
UPDATE followed.contact SET account_id = 100 WHERE contact_id = 2;
SELECT * FROM pg_temp.differing();
DELETE FROM followed.account WHERE account_id = 100;
SELECT * FROM pg_temp.differing();
SELECT contact_id, account_id FROM followed.capture('default', '{"email": "a2@a.example", "company": "Newer", "page": "x"}');
SELECT account_id IS NULL AS none FROM followed.contact WHERE contact_id = 2;
SELECT * FROM pg_temp.differing();

-- What was recorded after this transaction began counts from when it was
UPDATE followed.scoring_model SET half_life = '1 second' WHERE model = 'account';
INSERT INTO followed.account (account_id, name) VALUES (200, 'Solo');
INSERT INTO followed.contact (contact_id, full_name, account_id) VALUES (200, 'Sol', 200);
INSERT INTO followed.lead (lead_id, contact_id, title) VALUES (200, 200, 'by hand');
BEGIN;
SELECT pg_sleep(0.5) IS NULL AS slept;
INSERT INTO followed.interaction (lead_id, contact_id, kind, occurred_at, recorded_at) VALUES (200, 200, 'page_view', clock_timestamp(), clock_timestamp());
UPDATE followed.lead SET title = 'scored again' WHERE lead_id = 200;
SELECT round(lead_mgmt.heat_at(s.engagement, i.occurred_at)::numeric, 3) AS worth_then
FROM followed.score s JOIN followed.interaction i USING (lead_id) WHERE s.model = 'account' AND s.lead_id = 200;
COMMIT;

-- What was set by hand stays
SELECT followed.override_score(3, 70, 'account');
SELECT followed.merge_contacts(2, '{3}') AS merge_id \gset
SELECT override FROM followed.score WHERE lead_id = 3 AND model = 'account';
SELECT count(*) FROM followed.unmerge(:merge_id);
SELECT override FROM followed.score WHERE lead_id = 3 AND model = 'account';

-- Leads that came since are scored by what their contact is again
INSERT INTO followed.contact (contact_id, full_name) VALUES (301, 'Lea'), (302, 'Lea');
UPDATE followed.contact SET phone = '+442079460311' WHERE contact_id = 302;
SELECT followed.merge_contacts(301, '{302}') AS merge_id \gset
INSERT INTO followed.lead (lead_id, contact_id, title) VALUES (301, 301, 'since') RETURNING lead_id;
SELECT fit FROM followed.lead_score WHERE lead_id = 301 AND model = 'default';
SELECT count(*) FROM followed.unmerge(:merge_id);
SELECT fit FROM followed.lead_score WHERE lead_id = 301 AND model = 'default';

-- also those that came in the transaction of the merge, or were closed at the time
INSERT INTO followed.contact (contact_id, full_name) VALUES (303, 'Pia'), (304, 'Pia');
UPDATE followed.contact SET phone = '+442079460312' WHERE contact_id = 304;
INSERT INTO followed.lead (lead_id, contact_id, title) VALUES (303, 303, 'closed');
SELECT status FROM followed.disqualify(303, 'other');
BEGIN;
SELECT followed.merge_contacts(303, '{304}') AS merge_id \gset
INSERT INTO followed.lead (lead_id, contact_id, title) VALUES (304, 303, 'at once');
COMMIT;
SELECT status FROM followed.reopen(303);
SELECT lead_id, fit FROM followed.lead_score WHERE lead_id IN (303, 304) AND model = 'default' ORDER BY 1;
SELECT count(*) FROM followed.unmerge(:merge_id);
SELECT lead_id, fit FROM followed.lead_score WHERE lead_id IN (303, 304) AND model = 'default' ORDER BY 1;

-- A lead whose context has another open lead by now goes back without it
SELECT lead_id AS first FROM followed.capture('default', '{"company": "Contexts", "page": "k"}') \gset
SELECT lead_id AS second FROM followed.capture('default', '{"email": "k@k.example", "page": "l"}') \gset
SELECT followed.merge_leads(:first, ARRAY[:second]) AS merge_id \gset
SELECT lead_id <> :first AS other FROM followed.capture('default', '{"company": "Contexts", "page": "k"}');
SELECT column_name, value_before, value_now, reason FROM followed.unmerge(:merge_id);
SELECT contact_id IS NULL AS unlinked, context_key FROM followed.lead WHERE lead_id = :first;

SELECT lead_mgmt.drop_workspace('followed', 'followed');
