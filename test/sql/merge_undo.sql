-- Undoing merges: exactly, level by level, in any order, and after later changes.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
\set SHOW_CONTEXT never
SELECT lead_mgmt.create_workspace('undo');
ALTER TABLE undo.contact ADD COLUMN hobbies text[], ADD COLUMN visits integer, ADD COLUMN customer_number text UNIQUE;
INSERT INTO undo.merge_policy (entity, field, policy) VALUES ('contact', 'visits', 'sum');
SELECT undo.define_field('contact', 'memo');
SELECT undo.define_field('contact', 'rank', 'integer');
INSERT INTO undo.submission (payload) SELECT jsonb_build_object('email', p || '@acme.example', 'name', p, 'page', page, 'consent_email', true, 'memo', p)
FROM unnest(ARRAY['a', 'b', 'c', 'd']) WITH ORDINALITY n (p, number), unnest(ARRAY['x', 'y']) page WHERE page = 'x' OR p <> 'a' ORDER BY number, page;
UPDATE undo.contact SET hobbies = ARRAY[full_name], visits = contact_id, customer_number = CASE WHEN contact_id = 2 THEN 'N2' END;
CREATE FUNCTION pg_temp.fingerprint() RETURNS TABLE (table_name text, digest text) LANGUAGE plpgsql AS $$
BEGIN
	FOR table_name IN SELECT c.oid::regclass FROM pg_class c WHERE relkind = 'r' AND relnamespace = 'undo'::regnamespace
		AND relname NOT IN ('merge', 'merge_change', 'audit_log', 'temperature_change')
	LOOP
		EXECUTE format('SELECT md5(string_agg(to_jsonb(x)::text, chr(10) ORDER BY to_jsonb(x)::text)) FROM %s x', table_name) INTO digest;
		RETURN NEXT;
	END LOOP;
END $$;
CREATE TEMP TABLE before AS SELECT * FROM pg_temp.fingerprint();
CREATE TEMP VIEW differs AS SELECT table_name FROM (SELECT * FROM pg_temp.fingerprint() EXCEPT TABLE before) d;
CREATE TEMP VIEW people AS SELECT contact_id, full_name, hobbies, visits, customer_number, attributes ->> 'memo' AS memo,
	(SELECT count(*) FROM undo.interaction i WHERE i.contact_id = c.contact_id) AS interactions,
	(SELECT string_agg(lead_id || ':' || page || ':' || interaction_count, ' ' ORDER BY lead_id) FROM undo.lead l WHERE l.contact_id = c.contact_id) AS leads FROM undo.contact c ORDER BY 1;
TABLE people;

-- one level
SELECT undo.merge_contacts(1, '{2}') AS merge_id;
TABLE people;
SELECT * FROM undo.unmerge(1);
TABLE people;
TABLE differs;
SELECT merge_id, part_of, undone_at IS NOT NULL AS undone, undone_by = current_user AS by_me FROM undo.merge ORDER BY 1;
SELECT merge_id, old_id, survivor_id, is_standing FROM undo.merged_record ORDER BY 1;
SELECT undo.contact_of(2);
-- the restored contact is found by what identifies it
SELECT kind, value, contact_id FROM undo.contact_identity ORDER BY 2;

-- what cannot be undone
\set VERBOSITY terse
SELECT * FROM undo.unmerge(1);
SELECT * FROM undo.unmerge(2);
SELECT * FROM undo.unmerge(99);
SELECT * FROM undo.unmerge(NULL);
\set VERBOSITY default

-- several levels: the outer one first
SELECT undo.merge_contacts(1, '{2}') AS inner_id \gset
SELECT undo.merge_contacts(3, '{4,1}') AS outer_id \gset
TABLE people;
SELECT undo.contact_of(2);
SELECT * FROM undo.unmerge(:inner_id);
SELECT * FROM undo.unmerge(:outer_id);
SELECT undo.contact_of(2);
SELECT * FROM undo.unmerge(:inner_id);
TABLE differs;

-- two merges into one survivor: the first may go first, and once both are undone all is as before
SELECT undo.merge_contacts(1, '{2}') AS first \gset
SELECT undo.merge_contacts(1, '{3}') AS second \gset
SELECT full_name, hobbies, visits, customer_number FROM undo.contact WHERE contact_id = 1;
SELECT * FROM undo.unmerge(:first);
SELECT * FROM undo.unmerge(:second);
SELECT * FROM undo.unmerge(:first);
TABLE differs;
SELECT undo.merge_contacts(1, '{4}') AS first \gset
ALTER TABLE undo.lead DISABLE TRIGGER law;
UPDATE undo.lead SET context_key = 'page:other' WHERE contact_id = 3 AND page = 'x';
UPDATE undo.lead SET context_key = 'page:another' WHERE contact_id = 3 AND page = 'y';
ALTER TABLE undo.lead ENABLE TRIGGER law;
SELECT undo.merge_contacts(1, '{3}') AS second \gset
SELECT table_name, row_id, column_name, value_before, reason FROM undo.unmerge(:first) ORDER BY column_name;
SELECT contact_id, hobbies, visits FROM undo.contact WHERE contact_id IN (1, 4) ORDER BY 1;
SELECT * FROM undo.unmerge(:second);
SELECT contact_id, hobbies, visits FROM undo.contact ORDER BY 1;
ALTER TABLE undo.lead DISABLE TRIGGER law;
UPDATE undo.lead SET context_key = 'page:' || page;
ALTER TABLE undo.lead ENABLE TRIGGER law;

-- what changed since stays and is reported; what came since stays with the survivor
SELECT undo.merge_contacts(1, '{2}') AS merge_id \gset
UPDATE undo.contact SET customer_number = 'changed', attributes = attributes || '{"rank": 5, "memo": "new memo"}', visits = visits + 10 WHERE contact_id = 1;
SELECT interaction_id, contact_id, lead_id FROM undo.capture('default', '{"email": "b@acme.example", "page": "y"}') s;
SELECT interaction_id, contact_id, lead_id FROM undo.capture('default', '{"email": "a@acme.example", "page": "x"}') s;
UPDATE undo.contact_identity SET contact_id = 4 WHERE value = 'b@acme.example';
DELETE FROM undo.interaction WHERE interaction_id = 2;
UPDATE undo.consent SET basis = 'contract' WHERE contact_id = 1;
SELECT * FROM undo.unmerge(:merge_id);
TABLE people;
SELECT kind, value, contact_id FROM undo.contact_identity ORDER BY 2;
SELECT consent_id, contact_id, basis FROM undo.consent ORDER BY 1;
SELECT interaction_id, contact_id, lead_id FROM undo.interaction WHERE contact_id IN (1, 2) ORDER BY 1;
-- scores are those of what each has now
SELECT s.lead_id, s.engagement = 10 * l.interaction_count AS adds_up FROM undo.lead_score s JOIN undo.lead l USING (lead_id) ORDER BY 1;
SELECT count(*) AS of_another_contact FROM undo.interaction i JOIN undo.lead l USING (lead_id) WHERE l.contact_id <> i.contact_id;

-- a lead of the same context, begun since, keeps it
SELECT undo.merge_leads(l.lead_id, ARRAY[m.lead_id]) AS merge_id FROM undo.lead l, undo.lead m WHERE l.contact_id = 3 AND l.page = 'x' AND m.contact_id = 3 AND m.page = 'y' \gset
SELECT lead_id AS new_lead FROM undo.capture('default', '{"email": "c@acme.example", "page": "y"}');
SELECT * FROM undo.unmerge(:merge_id);
SELECT lead_id, page, context_key FROM undo.lead WHERE contact_id = 3 ORDER BY 1;

-- the survivor, and what a restored row refers to, may be gone
INSERT INTO undo.campaign (campaign) VALUES ('spring');
UPDATE undo.lead SET campaign_id = 1 WHERE contact_id = 4;
SELECT undo.merge_contacts(3, '{4}') AS merge_id \gset
UPDATE undo.lead SET campaign_id = NULL WHERE campaign_id = 1;
DELETE FROM undo.campaign;
DELETE FROM undo.contact WHERE contact_id = 3;
SELECT table_name, row_id, column_name, CASE WHEN column_name IS NOT NULL THEN value_before END AS value_before, reason FROM undo.unmerge(:merge_id);
SELECT contact_id, full_name FROM undo.contact ORDER BY 1;
SELECT lead_id, contact_id, campaign_id FROM undo.lead WHERE contact_id = 4;

-- a contact made under the id of one merged away stands in the way
SELECT undo.merge_contacts(1, '{2}') AS merge_id \gset
INSERT INTO undo.contact (contact_id, full_name) VALUES (2, 'usurper');
SELECT undo.contact_of(2);
SELECT * FROM undo.unmerge(:merge_id);
DELETE FROM undo.contact WHERE contact_id = 2;
SELECT * FROM undo.unmerge(:merge_id);

-- the log may be deleted: ids lead on, the merge is final
SELECT undo.merge_contacts(1, '{2}') AS merge_id \gset
DELETE FROM undo.merge WHERE merge_id = :merge_id;
SELECT undo.contact_of(2);
SELECT * FROM undo.unmerge(:merge_id);
SELECT undo.merge_contacts(1, '{2}');
SELECT undo.merge_contacts(1, '{3}');
SELECT count(*) FROM undo.merge_change WHERE merge_id = :merge_id;

-- an address that is another's by now stays with that one: with the survivor, or a third, whoever was to have it back
INSERT INTO undo.match_strategy (strategy, entity, label) VALUES ('mailbox', 'contact', 'Mailbox');
SELECT undo.define_match_rule('mailbox', '[{"field": "email", "comparator": "email_key"}]') > 0 AS defined;
INSERT INTO undo.contact (contact_id, email) VALUES (101, 'one@taken.example'), (102, 'two@taken.example'), (103, 'three@taken.example'), (104, 'four@taken.example'), (105, 'test@test.com'), (106, 'test@test.com');
SELECT undo.merge_contacts(101, '{102}') AS first \gset
SELECT undo.merge_contacts(103, '{104}') AS second \gset
SELECT undo.merge_contacts(105, '{106}') AS third \gset
UPDATE undo.contact SET email = 'two@taken.example' WHERE contact_id = 101;
DELETE FROM undo.contact_identity WHERE value = 'four@taken.example';
INSERT INTO undo.contact (contact_id, email) VALUES (107, 'four@taken.example');
SELECT * FROM undo.unmerge(:first);
SELECT * FROM undo.unmerge(:second);
SELECT * FROM undo.unmerge(:third);
SELECT c.contact_id, c.email, string_agg(i.kind || ' ' || i.value, ', ' ORDER BY i.kind, i.value) AS identity
FROM undo.contact c LEFT JOIN undo.contact_identity i USING (contact_id) WHERE c.contact_id > 100 GROUP BY 1, 2 ORDER BY 1;
UPDATE undo.merge_policy SET policy = 'newest' WHERE entity = 'contact' AND field = 'email';
UPDATE undo.contact SET email = 'new@taken.example' WHERE contact_id = 107;
SELECT undo.merge_contacts(103, '{107}') AS fourth \gset
DELETE FROM undo.contact_identity WHERE value = 'three@taken.example';
INSERT INTO undo.contact (contact_id, email) VALUES (108, 'three@taken.example');
SELECT row_id, column_name, value_before, value_now, reason FROM undo.unmerge(:fourth);
SELECT contact_id, email FROM undo.contact WHERE contact_id IN (103, 107, 108) ORDER BY 1;


-- who is apart again has what identifies it: a number that both have by now, and what went with a survivor who is gone
INSERT INTO undo.contact (contact_id, full_name, phone, email) VALUES (111, 'Nim', '+442079460101', NULL), (112, 'Nam', '+442079460102', NULL),
	(113, 'Nom', NULL, NULL), (114, 'Num', '+442079460104', 'num@claims.example');
SELECT undo.merge_contacts(111, '{112}') AS first \gset
UPDATE undo.contact SET phone = '+442079460102' WHERE contact_id = 111;
SELECT * FROM undo.unmerge(:first);
SELECT undo.merge_contacts(113, '{114}') AS second \gset
DELETE FROM undo.contact WHERE contact_id = 113;
SELECT row_id, column_name, reason FROM undo.unmerge(:second) WHERE table_name = 'undo.contact';
SELECT kind, value, contact_id FROM undo.contact_identity WHERE contact_id IN (111, 112, 113, 114) AND kind IN ('email', 'phone') ORDER BY 1, 2, 3;
SELECT contact_id FROM undo.capture('default', '{"email": "num@claims.example"}');
INSERT INTO undo.account (account_id, name, domain) VALUES (111, 'Claims', NULL), (112, 'Claimed', 'claims.example');
SELECT undo.merge_accounts(111, '{112}') AS third \gset
DELETE FROM undo.account WHERE account_id = 111;
SELECT count(*) FROM undo.unmerge(:third);
SELECT kind, value FROM undo.account_identity WHERE account_id = 112 ORDER BY 1, 2;

-- an address that the survivor was given as its main one since is not taken from it by who had it among several
INSERT INTO undo.contact (contact_id, full_name, email) VALUES (121, 'Kim', NULL), (122, 'Kem', 'kem@mails.example'), (123, 'Kam', 'kam@mails.example'), (124, 'Kom', 'kom@mails.example');
INSERT INTO undo.contact_identity (kind, value, contact_id) VALUES ('email', 'kim@mails.example', 122);
UPDATE undo.merge_policy SET policy = 'keep' WHERE entity = 'contact' AND field = 'email';
SELECT undo.merge_contacts(121, '{122}') AS merge_id \gset
UPDATE undo.contact SET email = 'kim@mails.example' WHERE contact_id = 121;
SELECT * FROM undo.unmerge(:merge_id);
-- nor is one taken from who has it among several by now
SELECT undo.merge_contacts(123, '{124}') AS merge_id \gset
UPDATE undo.contact_identity SET contact_id = 122 WHERE value = 'kom@mails.example';
SELECT * FROM undo.unmerge(:merge_id);
SELECT c.contact_id, c.email, string_agg(i.value, ', ' ORDER BY i.value) AS identity FROM undo.contact c LEFT JOIN undo.contact_identity i ON i.contact_id = c.contact_id AND i.kind = 'email'
WHERE c.contact_id BETWEEN 121 AND 124 GROUP BY 1, 2 ORDER BY 1;

-- what would have gone with what is gone does not come back
INSERT INTO undo.contact (contact_id, full_name) VALUES (131, 'Gon');
INSERT INTO undo.account (account_id, name) VALUES (131, 'Gone'), (132, 'There');
CREATE TABLE undo.gone (lead_id bigint REFERENCES undo.lead ON DELETE SET NULL, note text PRIMARY KEY);
INSERT INTO undo.lead (lead_id, contact_id, account_id, page) VALUES (131, NULL, 132, 'a'), (132, NULL, 131, 'b');
INSERT INTO undo.gone VALUES (132, 'moved');
SELECT undo.merge_leads(131, '{132}') AS merge_id \gset
DELETE FROM undo.account WHERE account_id = 131;
SELECT table_name, row_id, column_name, reason FROM undo.unmerge(:merge_id) WHERE table_name IN ('undo.lead', 'undo.gone');
SELECT lead_id, account_id FROM undo.lead WHERE lead_id IN (131, 132);
TABLE undo.gone;
DROP TABLE undo.gone;
-- what a row cannot do without is to be put there first
INSERT INTO undo.lead_source (source, label) VALUES ('short', 'Short-lived');
INSERT INTO undo.lead (lead_id, contact_id, page) VALUES (133, 131, 'c'), (134, 131, 'd');
UPDATE undo.lead SET source = 'short' WHERE lead_id = 134;
SELECT undo.merge_leads(133, '{134}') AS merge_id \gset
UPDATE undo.lead SET source = 'fair' WHERE source = 'short';
DELETE FROM undo.lead_source WHERE source = 'short';
SELECT * FROM undo.unmerge(:merge_id);
INSERT INTO undo.lead_source (source, label) VALUES ('short', 'Short-lived');
SELECT table_name, row_id, column_name, value_before, value_now FROM undo.unmerge(:merge_id);
SELECT lead_id, source FROM undo.lead WHERE lead_id IN (133, 134) ORDER BY 1;

-- it is found by the operator of its type, wherever that is
CREATE TYPE undo.code;
CREATE FUNCTION undo.code_in(cstring) RETURNS undo.code LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
CREATE FUNCTION undo.code_out(undo.code) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
CREATE TYPE undo.code (INPUT = undo.code_in, OUTPUT = undo.code_out, LIKE = integer);
CREATE FUNCTION undo.code_cmp(undo.code, undo.code) RETURNS integer LANGUAGE internal IMMUTABLE STRICT AS 'btint4cmp';
SELECT format('CREATE FUNCTION undo.code_%s(undo.code, undo.code) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS %L', name, 'int4' || name),
	format('CREATE OPERATOR undo.%s (LEFTARG = undo.code, RIGHTARG = undo.code, FUNCTION = undo.code_%s)', operator, name)
FROM (VALUES ('lt', '<'), ('le', '<='), ('eq', '='), ('ge', '>='), ('gt', '>')) AS o (name, operator) \gexec
CREATE OPERATOR CLASS undo.code_ops DEFAULT FOR TYPE undo.code USING btree AS OPERATOR 1 undo.<, OPERATOR 2 undo.<=, OPERATOR 3 undo.=,
	OPERATOR 4 undo.>=, OPERATOR 5 undo.>, FUNCTION 1 undo.code_cmp(undo.code, undo.code);
CREATE TABLE undo.list (list undo.code PRIMARY KEY);
CREATE TABLE undo.reader (contact_id bigint REFERENCES undo.contact, list undo.code REFERENCES undo.list ON DELETE SET NULL, UNIQUE (contact_id, list));
INSERT INTO undo.list VALUES ('7');
INSERT INTO undo.contact (contact_id, full_name) VALUES (151, 'Ike'), (152, 'Ik');
INSERT INTO undo.reader VALUES (151, '7'), (152, '7');
SELECT undo.merge_contacts(151, '{152}') AS merge_id \gset
SELECT * FROM undo.unmerge(:merge_id);
SELECT contact_id, list FROM undo.reader ORDER BY contact_id;

-- an individual customer whose person is gone comes back as an organisation
BEGIN;
INSERT INTO undo.contact (contact_id, full_name) VALUES (115, 'Hal');
INSERT INTO undo.account (account_id, kind, name, individual_contact_id) VALUES (115, 'individual', 'Hal', 115), (116, 'organisation', 'Halls', NULL);
COMMIT;
SELECT undo.merge_accounts(116, '{115}') AS merge_id \gset
DELETE FROM undo.contact WHERE contact_id = 115;
SELECT table_name, row_id, column_name, value_before, value_now, reason FROM undo.unmerge(:merge_id);
SELECT account_id, kind, name, individual_contact_id FROM undo.account WHERE account_id IN (115, 116) ORDER BY 1;

-- so does one whose person has another account of the kind by now
INSERT INTO undo.contact (contact_id, full_name) VALUES (116, 'Hol');
INSERT INTO undo.account (account_id, kind, name, individual_contact_id) VALUES (117, 'individual', 'Hol', 116);
SELECT undo.merge_accounts(116, '{117}') AS merge_id \gset
INSERT INTO undo.account (account_id, kind, name, individual_contact_id) VALUES (118, 'individual', 'Hol again', 116);
SELECT table_name, row_id, column_name, value_before, value_now, reason FROM undo.unmerge(:merge_id);
SELECT account_id, kind, individual_contact_id FROM undo.account WHERE account_id IN (117, 118) ORDER BY 1;

-- nor does the account of an individual customer come back with another person in it
INSERT INTO undo.contact (contact_id, full_name) VALUES (141, 'Hil'), (142, 'Hel');
INSERT INTO undo.account (account_id, kind, name, individual_contact_id) VALUES (141, 'individual', 'Hil', 141);
SELECT undo.merge_contacts(142, '{141}') AS merge_id \gset
UPDATE undo.contact SET account_id = 141 WHERE contact_id = 142;
SELECT * FROM undo.unmerge(:merge_id);
SELECT contact_id, account_id FROM undo.contact WHERE contact_id IN (141, 142) ORDER BY 1;

-- the history of a lead ends where the lead is, also when of two merges into
-- it the one that brought the last moves is undone
SELECT lead_id AS kept FROM undo.capture('default', '{"email": "h@history.example", "page": "k"}') \gset
SELECT lead_id AS first FROM undo.capture('default', '{"email": "h@history.example", "page": "f"}') \gset
SELECT lead_id AS second FROM undo.capture('default', '{"email": "h@history.example", "page": "s"}') \gset
UPDATE undo.lead SET stage = 'sales_acceptance' WHERE lead_id = :kept;
UPDATE undo.lead SET stage = 'sales_acceptance' WHERE lead_id = :first;
SELECT undo.merge_leads(:kept, ARRAY[:first]::bigint[]) AS one \gset
SELECT undo.merge_leads(:kept, ARRAY[:second]::bigint[]) AS two \gset
SELECT * FROM undo.unmerge(:one);
SELECT l.stage, (SELECT m.to_stage FROM undo.stage_move m WHERE m.lead_id = l.lead_id ORDER BY stage_move_id DESC LIMIT 1) AS last_move FROM undo.lead l WHERE lead_id = :kept;
SELECT * FROM undo.unmerge(:two);
SELECT l.stage, (SELECT string_agg(m.to_stage || ' ' || m.rule, ', ' ORDER BY stage_move_id) FROM undo.stage_move m WHERE m.lead_id = l.lead_id) AS moves FROM undo.lead l WHERE lead_id IN (:kept, :first, :second) ORDER BY lead_id;

SET client_min_messages = warning;
SELECT lead_mgmt.drop_workspace('undo', 'undo');
