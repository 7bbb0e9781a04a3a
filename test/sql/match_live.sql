-- Models asked live: whom they find, by which way of reading, and what the
-- indexes and the table may go through meanwhile.
\set VERBOSITY terse
SET client_min_messages = warning;
SELECT lead_mgmt.create_workspace('live');
SET search_path = live;
INSERT INTO match_strategy (strategy, entity, label) VALUES ('likely', 'contact', 'By name and postal code');
CREATE TEMPORARY TABLE document AS SELECT jsonb_build_object('prior', 0.001,
	'fields', jsonb_build_array(
		jsonb_build_object('field', 'given_name', 'kind', 'given_name', 'column', 'given_name', 'full_name', 'full_name'),
		jsonb_build_object('field', 'family_name', 'kind', 'family_name', 'column', 'family_name', 'full_name', 'full_name'),
		jsonb_build_object('field', 'postal_code', 'kind', 'postcode', 'column', 'postal_code'),
		jsonb_build_object('field', 'company', 'kind', 'organisation', 'column', 'company'),
		jsonb_build_object('field', 'badge', 'kind', 'identifier', 'column', 'attributes.badge')),
	'comparisons', (SELECT jsonb_agg(jsonb_build_object('comparison', f, 'field', f, 'levels', jsonb_build_array(
		jsonb_build_object('level', 'same', 'test', 'exact', 'm', 0.9, 'u', 0.001),
		jsonb_build_object('level', 'alike', 'test', 'edits', 'threshold', 1, 'm', 0.08, 'u', 0.001),
		jsonb_build_object('level', 'different', 'test', 'else', 'm', 0.02, 'u', 0.998))))
		FROM unnest(ARRAY['given_name', 'family_name', 'postal_code', 'company', 'badge']) f),
	'keys', jsonb_build_array(
		jsonb_build_object('parts', jsonb_build_array('family_name:prefix:2', 'postal_code')),
		jsonb_build_object('parts', jsonb_build_array('given_name', 'family_name:prefix:2', 'postal_code')),
		jsonb_build_object('parts', jsonb_build_array('given_name', 'family_name')),
		jsonb_build_object('parts', jsonb_build_array('badge')))) AS model;
INSERT INTO field (entity, field, type) VALUES ('contact', 'badge', 'text');
SELECT write_match_model('likely', model) FROM document;
SELECT count(*) FROM lead_mgmt.match_indexes('contact');

-- of an empty table, then of one with rows: what the transaction did itself is seen
SELECT * FROM match_contact('{"full_name": "Ann Miller", "zip": "12345"}', 'likely');
INSERT INTO account (account_id, name, domain) VALUES (1, 'Acme', 'acme.example'), (2, 'nameless.example', 'nameless.example');
INSERT INTO contact (contact_id, account_id, full_name, given_name, family_name, postal_code, attributes) VALUES
	(1, 1, 'Ann Miller', 'Ann', 'Miller', '12345', '{}'), (2, NULL, 'Anne Miller', NULL, NULL, '12345', '{"badge": "A-77"}'),
	(3, 2, 'n/a', 'Bob', 'Miller', '12345', '{}'), (4, NULL, NULL, 'Ann', 'Müller', '99999', '{"badge": "B 12"}'),
	(5, NULL, 'Zoë Nguyễn', '-', NULL, '12345', '{}');
CREATE VIEW found AS SELECT n, m.contact_id, round(m.probability::numeric, 6) AS probability, m.outcome
	FROM (VALUES (1, '{"full_name": "Ann Miller", "zip": "12345", "company": "ACME Inc."}'::jsonb), (2, '{"full_name": "Anne Miler", "zip": "12345"}'),
		(3, '{"full_name": "Anna Muller", "badge": "b12"}'), (4, '{"full_name": "Zoe Nguyen", "zip": "12345"}'),
		(5, '{"full_name": "Bob Miller", "zip": "12345", "company": "nameless.example"}')) p (n, profile)
	CROSS JOIN LATERAL match_contact(profile, 'likely') m;
TABLE found ORDER BY n, probability DESC, contact_id;

-- the same probability as any other way of working it out
SELECT bool_and(m.probability = lead_mgmt.match_probability(read_match_model('likely'), jsonb_build_object('given_name', 'Ann', 'family_name', 'Miller', 'postal_code', '12345'),
	to_jsonb(r))) AS same
FROM match_contact('{"full_name": "Ann Miller", "zip": "12345"}', 'likely') m
JOIN (SELECT c.*, NULLIF(a.name, a.domain) AS company, c.attributes ->> 'badge' AS "attributes.badge" FROM contact c LEFT JOIN account a USING (account_id)) r USING (contact_id);

-- a caller who may not see all rows, or all columns: those rows alone, by statements
CREATE ROLE regress_live;
GRANT USAGE ON SCHEMA live, lead_mgmt TO regress_live;
GRANT SELECT ON contact, contact_identity, account, found TO regress_live;
GRANT EXECUTE ON FUNCTION match_contact(jsonb, text) TO regress_live;
ALTER VIEW found SET (security_invoker);
SET ROLE regress_live;
SELECT count(*) FROM found;
RESET ROLE;
ALTER TABLE contact ENABLE ROW LEVEL SECURITY;
CREATE POLICY even ON contact FOR SELECT TO regress_live USING (contact_id % 2 = 0);
SET ROLE regress_live;
TABLE found ORDER BY n, probability DESC, contact_id;
-- who there is stays to be had from contact_exists() alone, for those it was granted to
SELECT contact_exists('{"email": "ann@live.example"}');
RESET ROLE;
GRANT EXECUTE ON FUNCTION contact_exists(jsonb) TO regress_live;
INSERT INTO contact (contact_id, full_name, email) VALUES (7, 'Odd One', 'ann@live.example');
SET ROLE regress_live;
SELECT contact_exists('{"email": "ann@live.example"}') AS exists, (SELECT count(*) FROM contact WHERE contact_id = 7) AS seen,
	(SELECT count(*) FROM match_contact('{"email": "ann@live.example"}')) AS found;
RESET ROLE;
DELETE FROM contact WHERE contact_id = 7;
ALTER TABLE contact DISABLE ROW LEVEL SECURITY;
REVOKE SELECT ON contact FROM regress_live;
SET ROLE regress_live;
SELECT count(*) FROM match_contact('{"full_name": "Ann Miller", "zip": "12345"}', 'likely');
RESET ROLE;
DROP POLICY even ON contact;
REVOKE ALL ON contact_identity, account, found FROM regress_live;
REVOKE ALL ON SCHEMA live, lead_mgmt FROM regress_live;
REVOKE EXECUTE ON FUNCTION contact_exists(jsonb), match_contact(jsonb, text) FROM regress_live;
DROP ROLE regress_live;

-- rows of a child table are found as well, by statements
CREATE TABLE further () INHERITS (contact);
INSERT INTO further (contact_id, given_name, family_name, postal_code) VALUES (100, 'Ann', 'Miller', '12345');
SELECT count(*), count(*) FILTER (WHERE contact_id = 100) AS of_child FROM found WHERE n = 1;
DROP TABLE further;

-- the table and its indexes in other hands: written anew, indexes gone and made again
CREATE TEMPORARY TABLE expected AS TABLE found;
CREATE FUNCTION pg_temp.differences() RETURNS bigint LANGUAGE sql
	AS $$ SELECT count(*) FROM ((TABLE live.found EXCEPT TABLE expected) UNION ALL (TABLE expected EXCEPT TABLE live.found)) x $$;
VACUUM FULL contact;
SELECT pg_temp.differences();
CLUSTER contact USING contact_pkey;
REINDEX TABLE contact;
SELECT pg_temp.differences();
REINDEX TABLE CONCURRENTLY contact;
SELECT pg_temp.differences();
ALTER TABLE contact ADD COLUMN notes text DEFAULT 'none', ADD COLUMN more integer;
ALTER TABLE contact DROP COLUMN more;
SELECT pg_temp.differences();
SELECT format('DROP INDEX %I', name) FROM lead_mgmt.match_indexes('contact') WHERE expression LIKE '%badge%' \gexec
SELECT n, count(*) FROM found GROUP BY n ORDER BY n;
SELECT index_match_keys();
SELECT pg_temp.differences();
UPDATE contact SET given_name = 'Anne' WHERE contact_id = 1;
SELECT contact_id, round(probability::numeric, 6) FROM match_contact('{"full_name": "Ann Miller", "zip": "12345"}', 'likely');
BEGIN;
DELETE FROM contact;
SELECT count(*) FROM found;
ROLLBACK;
SELECT count(*) > 5 AS back FROM found;

-- many of one key: those that share a refinement; none twice
INSERT INTO contact (contact_id, given_name, family_name, postal_code) SELECT n, 'Given' || n, 'Crowd', '77777' FROM generate_series(1000, 1300) n;
UPDATE contact SET city = 'Elsewhere' WHERE contact_id BETWEEN 1230 AND 1239;
SELECT contact_id FROM match_contact('{"given_name": "Given1234", "family_name": "Crowd", "zip": "77777"}', 'likely') LIMIT 1;
SELECT count(*), count(DISTINCT contact_id), min(contact_id) > 5 AS right_ones FROM match_contact('{"given_name": "Given1234", "family_name": "Crowd", "zip": "77777"}', 'likely');

-- rows that are gone do not count among the many
INSERT INTO contact (contact_id, given_name, family_name, postal_code) VALUES (2000, 'Wanda', 'Often', '33333');
DO $$ BEGIN FOR n IN 1..150 LOOP UPDATE live.contact SET postal_code = CASE WHEN n % 2 = 0 THEN '33333' ELSE '33334' END WHERE contact_id = 2000; END LOOP; END $$;
SELECT contact_id FROM match_contact('{"given_name": "Wanda", "family_name": "Oftem", "zip": "33333"}', 'likely');

-- captures: the best of them; of several rows those the statement itself made are seen
INSERT INTO form (form) VALUES ('ask');
INSERT INTO form_strategy (form, entity, sequence, strategy) VALUES ('ask', 'contact', 2, 'likely');
SELECT status, contact_id FROM capture('ask', '{"full_name": "Anne Miler", "zip": "12345", "email": "anne@live.example"}');
BEGIN;
SELECT status FROM capture('ask', '{"full_name": "Quite Newcomer", "zip": "54321"}');
SELECT status FROM capture('ask', '{"full_name": "Quite Newcomes", "zip": "54321"}');
SELECT c.full_name, count(*) FROM interaction i JOIN contact c USING (contact_id) WHERE c.postal_code = '54321' GROUP BY 1;
ROLLBACK;

-- without a strategy: those of the form default, which leads that name nobody are proposed by, too
INSERT INTO lead (contact_name) VALUES ('Bob Miller'), ('Nobody Known');
SELECT count(*) FROM match_contact('{"full_name": "Anne Miller", "company": "ACME"}');
SELECT contact_name, proposed_contact_id, match_on FROM unlinked_lead ORDER BY lead_id;
INSERT INTO form_strategy (form, entity, sequence, strategy) VALUES ('default', 'contact', 2, 'likely');
SELECT contact_id, outcome, strategy FROM match_contact('{"full_name": "Anne Miller", "company": "ACME"}');
SELECT contact_name, proposed_contact_id, match_on FROM unlinked_lead ORDER BY lead_id;

CREATE ROLE regress_live;
SELECT grant_access('regress_live', 'reader');
SET ROLE regress_live;
SELECT contact_name, proposed_contact_id, match_on FROM unlinked_lead ORDER BY lead_id;
RESET ROLE;
DROP OWNED BY regress_live;
DROP ROLE regress_live;

-- names of 10,000 characters, and characters of all kinds
SELECT count(*) FROM match_contact(jsonb_build_object('full_name', repeat('x', 10000), 'zip', repeat('9', 10000), 'badge', repeat('b', 10000)), 'likely');
INSERT INTO contact (contact_id, given_name, family_name, postal_code) VALUES (5000, repeat('x', 10000), repeat('y ', 5000), '55555');
SELECT contact_id FROM match_contact(jsonb_build_object('given_name', left(repeat('x', 10000), 2000), 'family_name', 'Y Y', 'zip', '55555'), 'likely');
RESET search_path;
SELECT lead_mgmt.drop_workspace('live', 'live');
