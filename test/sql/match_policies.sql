-- Several who fit: merge, review, newest, oldest; links, bypass values, aliases, trust.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
\set SHOW_CONTEXT never
SELECT lead_mgmt.create_workspace('policies');
CREATE TEMP VIEW people AS
	SELECT contact_id, full_name, email, phone,
		(SELECT string_agg(kind || ' ' || value, ', ' ORDER BY kind, value) FROM policies.contact_identity i WHERE i.contact_id = c.contact_id) AS identity
	FROM policies.contact c;

-- merge: an address and a number that turn out to be one person's
SELECT contact_id FROM policies.capture('default', '{"email": "ann@a.example", "name": "Ann"}');
SELECT contact_id FROM policies.capture('default', '{"phone": "+442079460001", "city": "Hue"}');
SELECT contact_id, reasons, match -> 'contact' AS match FROM policies.capture('default', '{"email": "ann@a.example", "phone": "+442079460001"}');
SELECT * FROM people;
SELECT city, (SELECT count(*) FROM policies.interaction i WHERE i.contact_id = c.contact_id) AS interactions FROM policies.contact c;
SELECT entity, outcome, strategy, rule_label, field, given FROM policies.explain_match(3);
SELECT contact_id FROM policies.capture('default', '{"phone": "+442079460001"}');
-- unless they contradict each other: then the first rule decides
SELECT contact_id FROM policies.capture('default', '{"phone": "+442079460002"}');
SELECT contact_id, reasons -> 0 ->> 'code' AS code, reasons -> 0 ->> 'message' AS message
FROM policies.capture('default', '{"email": "ann@a.example", "phone": "+442079460002", "name": "Ann"}');
SELECT contact_id FROM policies.capture('default', '{"email": "bea@a.example", "source_id": "1"}');
SELECT contact_id FROM policies.capture('default', '{"phone": "+442079460003", "source_id": "2"}');
SELECT contact_id, reasons -> 0 ->> 'code' AS code FROM policies.capture('default', '{"email": "bea@a.example", "phone": "+442079460003"}');
-- or a person said that they are different
SELECT contact_id AS cy FROM policies.capture('default', '{"email": "cy@a.example"}') \gset
SELECT contact_id AS dot FROM policies.capture('default', '{"phone": "+442079460004"}') \gset
INSERT INTO policies.match_link (entity, left_id, right_id, verdict) VALUES ('contact', :dot, :cy, 'different');
SELECT contact_id = :cy AS first_rule, reasons -> 0 ->> 'code' AS code FROM policies.capture('default', '{"email": "cy@a.example", "phone": "+442079460004"}');
-- a merge that fails costs nothing but the merge
SELECT contact_id AS eli FROM policies.capture('default', '{"email": "eli@a.example"}') \gset
SELECT contact_id AS fay FROM policies.capture('default', '{"phone": "+442079460005"}') \gset
CREATE FUNCTION policies.keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'contacts stay'; END $$;
CREATE TRIGGER keep BEFORE DELETE ON policies.contact FOR EACH ROW EXECUTE FUNCTION policies.keep();
SELECT status, contact_id = :eli AS first_rule, reasons -> 0 ->> 'code' AS code FROM policies.capture('default', '{"email": "eli@a.example", "phone": "+442079460005"}');
DROP TRIGGER keep ON policies.contact;
-- who is new in a statement is one from the start
INSERT INTO policies.submission (payload) VALUES ('{"email": "gus@a.example", "name": "Gus"}'), ('{"phone": "+442079460006", "city": "Rome"}'),
	('{"visitor": "v6"}'), ('{"phone": "+442079460006", "email": "gus@a.example", "visitor": "v6"}'), ('{"phone": "+442079460006", "name": "G."}');
SELECT count(DISTINCT contact_id) AS persons, count(*) FILTER (WHERE match IS NOT NULL) AS matched FROM policies.submission WHERE payload::text ~ 'gus@|460006';
SELECT full_name, email, phone, identity FROM people WHERE email::text = 'gus@a.example';
-- and so are several who exist, with three rules
INSERT INTO policies.submission (payload) VALUES ('{"email": "hal@a.example"}'), ('{"phone": "+442079460007"}'), ('{"source_id": "7"}');
SELECT contact_id = (SELECT min(contact_id) FROM policies.submission WHERE payload::text ~ 'hal@|460007') AS oldest,
	jsonb_array_length(match #> '{contact,merged}') AS merged
FROM policies.capture('default', '{"email": "hal@a.example", "phone": "+442079460007", "source_id": "7"}');

-- newest and oldest: of those whom the first rule finds
INSERT INTO policies.contact (full_name, phone) VALUES ('First', '+442079460010'), ('Second', '+442079460010'), ('Third', '+442079460010');
UPDATE policies.match_strategy SET when_several = 'newest' WHERE strategy = 'contact_by_email';
SELECT full_name FROM policies.match_contact('{"phone": "+442079460010"}') JOIN policies.contact USING (contact_id) WHERE outcome = 'match';
UPDATE policies.match_strategy SET when_several = 'oldest' WHERE strategy = 'contact_by_email';
SELECT full_name, outcome, probability FROM policies.match_contact('{"phone": "+442079460010"}') JOIN policies.contact USING (contact_id);
SELECT contact_id = (SELECT contact_id FROM policies.contact WHERE full_name = 'First') AS first FROM policies.capture('default', '{"phone": "+442079460010"}');

-- review: nothing is made until somebody decides
UPDATE policies.match_strategy SET when_several = 'review' WHERE strategy = 'contact_by_email';
SELECT count(*) AS contacts FROM policies.contact \gset
SELECT submission_id AS waiting FROM policies.capture('default', '{"phone": "+442079460010", "name": "Who?"}', 'ext-1') \gset
SELECT status, contact_id, lead_id, interaction_id, reasons, payload FROM policies.submission WHERE submission_id = :waiting;
SELECT count(*) = :contacts AS same FROM policies.contact;
SELECT entity, right_id, submission_id = :waiting AS waiting, strategy, left_name, left_phone FROM policies.possible_match ORDER BY left_id;
SELECT outcome, strategy FROM policies.explain_match(:waiting);
SELECT status FROM policies.reprocess(:waiting);
SELECT status FROM policies.capture('default', '{"phone": "+442079460010"}', 'ext-1');
SELECT count(*) FROM policies.match_review;
-- somebody accepts: the second of three
SELECT match_review_id AS second FROM policies.possible_match WHERE left_name = 'Second' \gset
SELECT policies.accept_match(:second) = (SELECT contact_id FROM policies.contact WHERE full_name = 'Second') AS second;
SELECT status, full_name, match -> 'contact' AS match, lead_id IS NOT NULL AS lead FROM policies.submission JOIN policies.contact USING (contact_id) WHERE submission_id = :waiting;
SELECT count(*) FILTER (WHERE status = 'accepted') AS accepted, count(*) FILTER (WHERE status = 'rejected') AS rejected FROM policies.match_review;
SELECT policies.accept_match(:second) IS NOT NULL AS again;
SELECT status FROM policies.reprocess(:waiting);
\set VERBOSITY terse
SELECT policies.reject_match(:second);
SELECT policies.accept_match(match_review_id) FROM policies.match_review WHERE status = 'rejected' LIMIT 1;
SELECT policies.accept_match(0);
SELECT policies.reject_match(0);
\set VERBOSITY default
SELECT count(*) FROM policies.match_link WHERE source = 'review';
-- one that is merged away meanwhile is who it was merged into
INSERT INTO policies.contact (full_name, phone) VALUES ('Fourth', '+442079460012'), ('Fifth', '+442079460012'), ('Sixth', '+442079460013');
SELECT submission_id AS waiting FROM policies.capture('default', '{"phone": "+442079460012"}') \gset
SELECT policies.merge_contacts((SELECT contact_id FROM policies.contact WHERE full_name = 'Sixth'),
	ARRAY(SELECT contact_id FROM policies.contact WHERE full_name = 'Fifth')) IS NOT NULL AS merged;
SELECT left_name FROM policies.possible_match WHERE submission_id = :waiting ORDER BY 1;
SELECT full_name FROM policies.contact WHERE contact_id =
	policies.accept_match((SELECT match_review_id FROM policies.possible_match WHERE left_name = 'Sixth'));
SELECT status, full_name FROM policies.submission JOIN policies.contact USING (contact_id) WHERE submission_id = :waiting;
-- or rejects them all: somebody new, and never one of those
SELECT submission_id AS waiting FROM policies.capture('default', '{"phone": "+442079460010", "name": "Fourth"}') \gset
SELECT policies.reject_match(match_review_id, 'spoke to her') IS NOT NULL AS done FROM policies.possible_match ORDER BY match_review_id;
SELECT status, full_name, match FROM policies.submission JOIN policies.contact USING (contact_id) WHERE submission_id = :waiting;
SELECT l.full_name, r.full_name, verdict, reason, source FROM policies.match_link JOIN policies.contact l ON l.contact_id = left_id JOIN policies.contact r ON r.contact_id = right_id WHERE source = 'review' ORDER BY 1;
-- rules that have changed meanwhile decide
SELECT submission_id AS waiting FROM policies.capture('default', '{"phone": "+442079460010", "name": "Fifth"}') \gset
UPDATE policies.match_strategy SET when_several = 'newest' WHERE strategy = 'contact_by_email';
SELECT s.status, full_name FROM policies.reprocess(:waiting) s JOIN policies.contact USING (contact_id);
SELECT full_name, r.status FROM policies.match_review r JOIN policies.contact ON contact_id = left_id WHERE submission_id = :waiting ORDER BY match_review_id;
UPDATE policies.match_strategy SET when_several = 'merge' WHERE strategy = 'contact_by_email';

-- pairs that something else put up
INSERT INTO policies.contact (full_name, city) VALUES ('Ida', 'Hue'), ('Ida M', NULL), ('Idris', NULL);
INSERT INTO policies.match_review (entity, left_id, right_id, strategy, probability, explanation)
	SELECT 'contact', a.contact_id, b.contact_id, 'by_hand', 0.8, '{"note": "look"}' FROM policies.contact a, policies.contact b
	WHERE a.full_name = 'Ida' AND b.full_name IN ('Ida M', 'Idris') ORDER BY b.full_name;
SELECT match_review_id AS same FROM policies.possible_match WHERE right_name = 'Ida M' \gset
SELECT match_review_id AS other FROM policies.possible_match WHERE right_name = 'Idris' \gset
SELECT left_name, right_name, probability, explanation FROM policies.possible_match ORDER BY match_review_id;
SELECT full_name FROM policies.contact WHERE contact_id = policies.accept_match(:same);
SELECT full_name FROM policies.contact WHERE contact_id = policies.accept_match(:same);
SELECT policies.reject_match(:other), policies.reject_match(:other);
SELECT verdict, source FROM policies.match_link WHERE source = 'review' ORDER BY decided_at DESC, verdict LIMIT 2;
SELECT full_name FROM policies.contact WHERE full_name LIKE 'Id%' ORDER BY 1;

-- links that contradict each other
INSERT INTO policies.match_link (entity, left_id, right_id, verdict) VALUES ('lead', 2, 1, 'same'), ('lead', 2, 3, 'same'), ('lead', 3, 4, 'different'), ('lead', 5, 6, 'same');
SELECT left_id, right_id, verdict FROM policies.match_link WHERE entity = 'lead' ORDER BY 1, 2;
INSERT INTO policies.match_link (entity, left_id, right_id, verdict) VALUES ('lead', 3, 1, 'different');
INSERT INTO policies.match_link (entity, left_id, right_id, verdict) VALUES ('lead', 4, 1, 'same');
INSERT INTO policies.match_link (entity, left_id, right_id, verdict) VALUES ('lead', 7, 7, 'same');
UPDATE policies.match_link SET verdict = 'same' WHERE entity = 'lead' AND right_id = 4;
UPDATE policies.match_link SET verdict = 'different' WHERE entity = 'lead' AND right_id = 4;
INSERT INTO policies.match_link (entity, left_id, right_id, verdict) VALUES ('lead', 4, 6, 'same');
INSERT INTO policies.match_link (entity, left_id, right_id, verdict) VALUES ('lead', 5, 1, 'same');
-- of what is not there; or of what is somebody else by now
INSERT INTO policies.match_link (entity, left_id, right_id, verdict) VALUES ('contact', 999999, 1, 'same');
INSERT INTO policies.match_link (entity, left_id, right_id, verdict) VALUES ('account', 999999, 999998, 'different');
INSERT INTO policies.contact (contact_id, full_name) VALUES (9001, 'Linked'), (9002, 'Linked'), (9003, 'Linked'), (9004, 'Linked');
SELECT policies.merge_contacts(9001, '{9002}') AS merge_id \gset
INSERT INTO policies.match_link (entity, left_id, right_id, verdict) VALUES ('contact', 9002, 9003, 'different');
SELECT left_id, right_id, verdict FROM policies.standing_match_link WHERE left_id > 9000;
INSERT INTO policies.match_link (entity, left_id, right_id, verdict) VALUES ('contact', 9001, 9002, 'different');
INSERT INTO policies.match_link (entity, left_id, right_id, verdict) VALUES ('contact', 9001, 9003, 'same');
SELECT * FROM policies.unmerge(:merge_id);
SELECT left_id, right_id, verdict FROM policies.standing_match_link WHERE left_id > 9000;
-- a pair that became one, or of which one is gone, waits for nobody
INSERT INTO policies.match_review (entity, left_id, right_id) VALUES ('contact', 9001, 9002), ('contact', 9003, 9004);
SELECT policies.merge_contacts(9001, '{9002}') IS NOT NULL AS merged;
DELETE FROM policies.contact WHERE contact_id = 9004;
SELECT left_id, right_id FROM policies.possible_match WHERE left_id > 9000;
SELECT policies.reject_match(match_review_id) FROM policies.match_review WHERE left_id = 9003;
\set VERBOSITY terse
SELECT policies.reject_match(match_review_id) FROM policies.match_review WHERE left_id = 9001;
\set VERBOSITY default
-- accounts by their names
INSERT INTO policies.account (account_id, name) VALUES (9001, 'Foundry Ltd'), (9002, 'Foundries Ltd');
INSERT INTO policies.match_review (entity, left_id, right_id) VALUES ('account', 9001, 9002);
SELECT left_name, right_name FROM policies.possible_match WHERE entity = 'account';

-- values that identify nobody
SELECT count(*) > 10 AS there_are_some FROM policies.match_bypass;
SELECT count(DISTINCT contact_id) AS persons, count(DISTINCT account_id) AS accounts FROM (
	SELECT * FROM policies.capture('default', '{"email": "test@test.com", "company": "N/A"}') UNION ALL
	SELECT * FROM policies.capture('default', '{"email": "Test@Test.com", "company": "self-employed"}')) s;
INSERT INTO policies.match_bypass (field, value, reason) VALUES ('phone', '+44 20 7946 0020', 'switchboard');
SELECT count(DISTINCT contact_id) AS persons FROM (
	SELECT * FROM policies.capture('default', '{"phone": "+442079460020"}') UNION ALL SELECT * FROM policies.capture('default', '{"phone": "+442079460020"}')) s;
SELECT count(*) FROM policies.contact_identity WHERE value IN ('test@test.com', '+442079460020');
SELECT policies.contact_exists('{"phone": "+442079460020"}');
-- once they are taken off the list they do
DELETE FROM policies.match_bypass WHERE field = 'phone';
SELECT holder = 0 AS first, count(*) FROM policies.contact_identity WHERE value = '+442079460020' GROUP BY 1 ORDER BY 1;
\set VERBOSITY terse
INSERT INTO policies.match_bypass VALUES ('phone', '12');
INSERT INTO policies.match_bypass VALUES ('email', 'nobody');
INSERT INTO policies.match_bypass VALUES ('colour', 'red');
INSERT INTO policies.match_bypass VALUES ('company', '...');
\set VERBOSITY default

-- values that mean the same
SELECT account_id AS ibm FROM policies.capture('default', '{"email": "i@gmail.com", "company": "IBM"}') \gset
INSERT INTO policies.match_alias (field, value, canonical) VALUES ('company', 'I.B.M. Corp.', 'International Business Machines'), ('company', 'International Business Machines Ltd', 'Big Blue');
SELECT * FROM policies.match_alias ORDER BY value;
SELECT value, holder FROM policies.account_identity WHERE account_id = :ibm;
SELECT account_id = :ibm AS same FROM policies.capture('default', '{"email": "j@gmail.com", "company": "International Business Machines Inc"}');
SELECT account_id = :ibm AS same FROM policies.capture('default', '{"email": "k@gmail.com", "company": "big blue"}');
INSERT INTO policies.match_alias (field, value, canonical) VALUES ('company', 'BIG BLUE', 'IBM');
INSERT INTO policies.match_alias (field, value, canonical) VALUES ('company', 'Big Blue', 'big blue Ltd');
INSERT INTO policies.match_alias (field, value, canonical) VALUES ('industrie', 'a', 'b');
UPDATE policies.match_alias SET canonical = 'ibm' WHERE value = 'international business machines';
DELETE FROM policies.match_alias;
SELECT account_id = :ibm AS same FROM policies.capture('default', '{"email": "l@gmail.com", "company": "ibm"}');

-- trust
UPDATE policies.lead_source SET trust = CASE source WHEN 'existing_customer' THEN 10 ELSE 5 END WHERE source IN ('existing_customer', 'website');
SELECT policies.define_field('contact', 'colour'), policies.define_field('lead', 'size');
INSERT INTO policies.form (form, contact_update, lead_update) VALUES ('trusting', 'trusted', 'trusted'), ('careless', 'newest', 'newest');
SELECT contact_id AS tim FROM policies.capture('trusting', '{"email": "tim@gmail.com", "name": "Tim", "city": "Hue", "colour": "red", "source": "existing_customer", "title": "T1", "size": "1", "page": "p"}') \gset
SELECT status FROM policies.capture('trusting', '{"email": "tim@gmail.com", "name": "Tom", "city": "Rome", "country": "IT", "colour": "blue", "source": "website", "title": "T2", "product": "P2", "size": "2", "page": "p"}');
SELECT status FROM policies.capture('trusting', '{"email": "tim@gmail.com", "country": "DE", "source": "fair", "product": "P3", "page": "p"}');
SELECT full_name, city, country, attributes, value_trust FROM policies.contact WHERE contact_id = :tim;
SELECT title, product, attributes, value_trust FROM policies.lead WHERE contact_id = :tim;
SELECT status FROM policies.capture('trusting', '{"email": "tim@gmail.com", "country": "FR", "source": "existing_customer", "page": "p"}');
SELECT status FROM policies.capture('trusting', '{"email": "tim@gmail.com", "country": "UK", "source": "website", "page": "p"}');
SELECT status FROM policies.capture('careless', '{"email": "tim@gmail.com", "city": "Oslo", "page": "p"}');
SELECT full_name, city, country, attributes, value_trust FROM policies.contact WHERE contact_id = :tim;
-- the strategy's policy where the form has none
UPDATE policies.match_strategy SET update_policy = 'keep' WHERE strategy = 'contact_by_email';
SELECT status FROM policies.capture('default', '{"email": "tim@gmail.com", "city": "Bonn", "region": "NRW", "page": "p"}');
UPDATE policies.match_strategy SET update_policy = 'fill' WHERE strategy = 'contact_by_email';
SELECT status FROM policies.capture('default', '{"email": "tim@gmail.com", "city": "Bonn", "region": "NRW", "page": "p"}');
SELECT city, region FROM policies.contact WHERE contact_id = :tim;

DROP VIEW people;
SELECT lead_mgmt.drop_workspace('policies', 'policies');
