-- An interaction inserted by itself is noted in its lead without a statement: triggers, constraints, indexes and policies of the user's hold as they do for one.
\set VERBOSITY terse
SELECT lead_mgmt.create_workspace('crm');
INSERT INTO crm.lead (email, title) VALUES ('ann@example.com', 'ann'), ('bob@example.com', 'bob');
CREATE VIEW noted AS
	SELECT l.title, l.interaction_count, l.last_interaction_at AT TIME ZONE 'UTC' AS last_at FROM crm.lead l ORDER BY l.lead_id;

INSERT INTO crm.interaction (lead_id, kind, occurred_at) VALUES (1, 'chat', '2026-01-02 UTC');
INSERT INTO crm.interaction (lead_id, kind, occurred_at) VALUES (1, 'chat', '2026-01-01 UTC');
INSERT INTO crm.interaction (lead_id, kind, occurred_at) VALUES (1, 'chat', '2026-01-03 UTC'), (2, 'chat', '2026-01-03 UTC'), (1, 'chat', '2026-01-04 UTC');
SELECT * FROM noted;

-- Nothing of it is in the audit log
SELECT count(*) FROM crm.audit_log;

-- Several in one transaction, one of them undone
BEGIN;
INSERT INTO crm.interaction (lead_id, kind, occurred_at) VALUES (1, 'chat', '2026-01-05 UTC');
SAVEPOINT s;
INSERT INTO crm.interaction (lead_id, kind, occurred_at) VALUES (1, 'chat', '2026-01-06 UTC');
SELECT * FROM noted;
ROLLBACK TO s;
INSERT INTO crm.interaction (lead_id, kind, occurred_at) VALUES (1, 'chat', '2026-01-05 12:00 UTC');
UPDATE crm.lead SET title = 'Ann' WHERE lead_id = 1;
INSERT INTO crm.interaction (lead_id, kind, occurred_at) VALUES (1, 'chat', '2026-01-05 13:00 UTC');
COMMIT;
SELECT * FROM noted;

-- In a transaction that keeps its first snapshot
BEGIN ISOLATION LEVEL REPEATABLE READ;
INSERT INTO crm.interaction (lead_id, kind, occurred_at) VALUES (2, 'chat', '2026-01-07 UTC');
INSERT INTO crm.interaction (lead_id, kind, occurred_at) VALUES (2, 'chat', '2026-01-08 UTC');
COMMIT;
SELECT * FROM noted;

-- An index on what is noted
CREATE INDEX lead_last_idx ON crm.lead (last_interaction_at);
INSERT INTO crm.interaction (lead_id, kind, occurred_at) VALUES (2, 'chat', '2026-01-09 UTC');
SET enable_seqscan = off;
SELECT title FROM crm.lead WHERE last_interaction_at = '2026-01-09 UTC';
RESET enable_seqscan;
DROP INDEX crm.lead_last_idx;

-- A constraint on it, and one on something else that was not looked at when it came
ALTER TABLE crm.lead ADD CONSTRAINT few CHECK (interaction_count <= 5) NOT VALID;
INSERT INTO crm.interaction (lead_id, kind, occurred_at) VALUES (1, 'chat', '2026-01-10 UTC');
ALTER TABLE crm.lead DROP CONSTRAINT few;
ALTER TABLE crm.lead ADD CONSTRAINT whole_row CHECK (pg_catalog.num_nonnulls(lead.*) < 0) NOT VALID;
INSERT INTO crm.interaction (lead_id, kind, occurred_at) VALUES (1, 'chat', '2026-01-10 UTC');
ALTER TABLE crm.lead DROP CONSTRAINT whole_row;
ALTER TABLE crm.lead ADD COLUMN twice integer GENERATED ALWAYS AS (interaction_count * 2) STORED;
INSERT INTO crm.interaction (lead_id, kind, occurred_at) VALUES (2, 'chat', '2026-01-10 UTC');
SELECT title, interaction_count, twice FROM crm.lead ORDER BY lead_id;
ALTER TABLE crm.lead DROP COLUMN twice;

-- Triggers: before and after each row, after the statement, with transition tables
CREATE FUNCTION say() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_LEVEL = 'STATEMENT' THEN
		RAISE NOTICE '% % %', TG_NAME, TG_WHEN, TG_LEVEL;
		RETURN NULL;
	END IF;
	RAISE NOTICE '% % % % to %', TG_NAME, TG_WHEN, TG_LEVEL, old.interaction_count, new.interaction_count;
	IF TG_NAME = 'stops' THEN
		RETURN NULL;
	ELSIF TG_NAME = 'spoils' THEN
		new.status := 'odd';
	END IF;
	RETURN new;
END $$;
CREATE TRIGGER says AFTER UPDATE ON crm.lead FOR EACH ROW EXECUTE FUNCTION say();
CREATE TRIGGER says_of_count AFTER UPDATE OF interaction_count ON crm.lead FOR EACH ROW WHEN (new.interaction_count > 5) EXECUTE FUNCTION say();
CREATE TRIGGER says_of_title AFTER UPDATE OF title ON crm.lead FOR EACH ROW EXECUTE FUNCTION say();
CREATE TRIGGER says_before BEFORE UPDATE ON crm.lead FOR EACH STATEMENT EXECUTE FUNCTION say();
CREATE TRIGGER says_after AFTER UPDATE ON crm.lead FOR EACH STATEMENT EXECUTE FUNCTION say();
CREATE CONSTRAINT TRIGGER says_late AFTER UPDATE ON crm.lead DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION say();
BEGIN;
INSERT INTO crm.interaction (lead_id, kind, occurred_at) VALUES (2, 'chat', '2026-01-11 UTC');
INSERT INTO crm.interaction (lead_id, kind, occurred_at) VALUES (2, 'chat', '2026-01-11 UTC');
COMMIT;
CREATE TRIGGER spoils BEFORE UPDATE ON crm.lead FOR EACH ROW EXECUTE FUNCTION say();
INSERT INTO crm.interaction (lead_id, kind, occurred_at) VALUES (2, 'chat', '2026-01-12 UTC');
DROP TRIGGER spoils ON crm.lead;
CREATE TRIGGER stops BEFORE UPDATE OF interaction_count ON crm.lead FOR EACH ROW EXECUTE FUNCTION say();
INSERT INTO crm.interaction (lead_id, kind, occurred_at) VALUES (2, 'chat', '2026-01-12 UTC');
DROP TRIGGER stops ON crm.lead;
CREATE FUNCTION say_table() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE NOTICE '% rows', (SELECT count(*) FROM was) + (SELECT count(*) FROM now_is);
	RETURN NULL;
END $$;
CREATE TRIGGER says_table AFTER UPDATE ON crm.lead REFERENCING OLD TABLE AS was NEW TABLE AS now_is FOR EACH STATEMENT EXECUTE FUNCTION say_table();
INSERT INTO crm.interaction (lead_id, kind, occurred_at) VALUES (2, 'chat', '2026-01-13 UTC');
DROP FUNCTION say_table() CASCADE;
DROP FUNCTION say() CASCADE;
SELECT * FROM noted;

-- A long value stays where it is
ALTER TABLE crm.lead ADD COLUMN long text;
ALTER TABLE crm.lead ALTER COLUMN long SET STORAGE EXTERNAL;
UPDATE crm.lead SET long = repeat('long ', 5000) WHERE lead_id = 1;
INSERT INTO crm.interaction (lead_id, kind, occurred_at) VALUES (1, 'chat', '2026-01-14 UTC');
INSERT INTO crm.interaction (lead_id, kind, occurred_at) VALUES (1, 'chat', '2026-01-14 UTC');
SELECT title, length(long), md5(long) = md5(repeat('long ', 5000)) AS is_whole FROM crm.lead WHERE lead_id = 1;

-- A count beyond what the column was made for
UPDATE crm.lead SET interaction_count = 2147483647 WHERE lead_id = 1;
INSERT INTO crm.interaction (lead_id, kind) VALUES (1, 'chat');
UPDATE crm.lead SET interaction_count = 9 WHERE lead_id = 1;

-- A lead that there is not
INSERT INTO crm.interaction (lead_id, kind) VALUES (99, 'chat');

-- Row-level security, forced upon the owner too
CREATE ROLE tracker;
GRANT USAGE ON SCHEMA crm TO tracker;
GRANT INSERT ON crm.interaction TO tracker;
ALTER TABLE crm.lead ENABLE ROW LEVEL SECURITY;
ALTER TABLE crm.lead FORCE ROW LEVEL SECURITY;
SET ROLE tracker;
INSERT INTO crm.interaction (lead_id, kind, occurred_at) VALUES (2, 'chat', '2026-01-15 UTC');
SELECT count(*) FROM crm.lead;
RESET ROLE;
ALTER TABLE crm.lead NO FORCE ROW LEVEL SECURITY;
SELECT * FROM noted;

-- Every one was noted
SELECT l.title, l.interaction_count - count(*) AS too_many FROM crm.lead l JOIN crm.interaction i USING (lead_id) GROUP BY l.lead_id ORDER BY l.lead_id;
DROP VIEW noted;
SELECT lead_mgmt.drop_workspace('crm', 'crm');
DROP ROLE tracker;
