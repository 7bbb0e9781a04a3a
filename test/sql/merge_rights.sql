-- Who may merge: roles, tables of others, row-level security, whose name is recorded.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
CREATE ROLE regress_merge_owner;
CREATE ROLE regress_merge_sales;
CREATE ROLE regress_merge_reader;
CREATE ROLE regress_merge_web;
CREATE ROLE regress_merge_other;
GRANT regress_merge_owner, regress_merge_sales, regress_merge_reader, regress_merge_web, regress_merge_other TO CURRENT_USER;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_merge_owner, regress_merge_other', current_database()); END $$;
RESET client_min_messages;
\set SHOW_CONTEXT never
SET ROLE regress_merge_owner;
SELECT lead_mgmt.create_workspace('rights');
SELECT rights.grant_access('regress_merge_sales', 'sales');
SELECT rights.grant_access('regress_merge_reader', 'reader');
SELECT rights.grant_access('regress_merge_web', 'capture');
INSERT INTO rights.submission (payload) SELECT jsonb_build_object('email', 'p' || n || '@acme.example', 'page', 'x', 'consent_email', true) FROM generate_series(1, 12) n;

-- sales may merge and undo, reading and capturing roles may not, by no way
SET ROLE regress_merge_sales;
SELECT rights.merge_contacts(1, '{2}', 'mine');
SELECT merged_by FROM rights.merge WHERE merge_id = 1;
SELECT old_id, merged_by FROM rights.merged_record WHERE entity = 'contact';
SELECT rights.contact_of(2), rights.lead_of(2), rights.account_of(1);
SELECT changed_by, changes ? 'contact_id' AS lead_moved FROM rights.audit_log WHERE entity = 'lead' LIMIT 1;
SELECT count(*) FROM rights.merge_change;
INSERT INTO rights.merge_change (merge_id, action, table_name, keys, before) VALUES (1, 'removed', 'contact', '[{"contact_id": 3}]', '{}');
UPDATE rights.merge SET undone_at = now();
DELETE FROM rights.contact WHERE contact_id = 3;
SELECT * FROM rights.unmerge(1);
SELECT undone_by FROM rights.merge WHERE merge_id = 1;
SELECT rights.merge_contacts(1, '{2}') AS merge_id \gset
SET ROLE regress_merge_reader;
SELECT rights.contact_of(2);
SELECT merge_id, winner_id FROM rights.merged_record WHERE merge_id = :merge_id;
SELECT count(*) FROM rights.merge;
SELECT count(*) FROM rights.merge_change;
SELECT rights.merge_contacts(1, '{3}');
SELECT lead_mgmt.merge_rows('rights.contact', 1, '{3}', NULL);
SELECT * FROM rights.unmerge(:merge_id);
SELECT lead_mgmt.unmerge_rows('rights.merge', :merge_id);
SET ROLE regress_merge_web;
SELECT rights.merge_contacts(1, '{3}');
SELECT lead_mgmt.merge_rows('rights.contact', 1, '{3}', NULL);
SELECT rights.contact_of(2);
-- the privilege on the table alone is not enough, nor that on the function
SET ROLE regress_merge_owner;
GRANT USAGE ON SCHEMA rights TO regress_merge_other;
GRANT UPDATE, SELECT ON rights.contact TO regress_merge_other;
GRANT EXECUTE ON FUNCTION rights.merge_contacts(bigint, bigint[], text), rights.unmerge(bigint) TO regress_merge_reader;
SET ROLE regress_merge_other;
SELECT lead_mgmt.merge_rows('rights.contact', 1, '{3}', NULL);
SET ROLE regress_merge_reader;
SELECT rights.merge_contacts(1, '{3}');
SELECT * FROM rights.unmerge(:merge_id);
SET ROLE regress_merge_owner;
REVOKE EXECUTE ON FUNCTION rights.merge_contacts(bigint, bigint[], text), rights.unmerge(bigint) FROM regress_merge_reader;
REVOKE ALL ON rights.contact FROM regress_merge_other;
GRANT REFERENCES ON rights.contact TO regress_merge_other;

-- a table of somebody else's that refers to contacts: the caller needs its rights there
SET ROLE regress_merge_other;
CREATE SCHEMA regress_billing;
CREATE TABLE regress_billing.invoice (invoice serial PRIMARY KEY, contact_id bigint REFERENCES rights.contact ON DELETE CASCADE, amount numeric);
INSERT INTO regress_billing.invoice (contact_id, amount) VALUES (3, 30), (4, 40), (4, 41);
SET ROLE regress_merge_sales;
SELECT rights.merge_contacts(3, '{4}');
SELECT count(*) FROM rights.merge WHERE winner_id = 3;
SET ROLE regress_merge_owner;
SELECT rights.merge_contacts(3, '{4}');
SET ROLE regress_merge_other;
GRANT USAGE ON SCHEMA regress_billing TO regress_merge_sales;
GRANT SELECT, UPDATE (contact_id) ON regress_billing.invoice TO regress_merge_sales;
SET ROLE regress_merge_sales;
SELECT rights.merge_contacts(3, '{4}') AS billed \gset
TABLE regress_billing.invoice ORDER BY 1;
-- and so does who undoes it
SET ROLE regress_merge_owner;
SELECT * FROM rights.unmerge(:billed);
SET ROLE regress_merge_sales;
SELECT * FROM rights.unmerge(:billed);
TABLE regress_billing.invoice ORDER BY 1;
-- rows that row-level security hides from the caller are not lost with the loser
SET ROLE regress_merge_other;
ALTER TABLE regress_billing.invoice ENABLE ROW LEVEL SECURITY;
CREATE POLICY small ON regress_billing.invoice TO regress_merge_sales USING (amount < 41);
SET ROLE regress_merge_sales;
SELECT rights.merge_contacts(3, '{4}');
SELECT count(*) FROM regress_billing.invoice;
SET ROLE regress_merge_other;
UPDATE regress_billing.invoice SET amount = 4.10 WHERE amount = 41;
SET ROLE regress_merge_sales;
SELECT rights.merge_contacts(3, '{4}') IS NOT NULL AS merged;
TABLE regress_billing.invoice ORDER BY 1;
-- rows that would be absorbed must be deleted
SET ROLE regress_merge_other;
ALTER TABLE regress_billing.invoice DISABLE ROW LEVEL SECURITY;
CREATE UNIQUE INDEX ON regress_billing.invoice (contact_id, amount);
INSERT INTO regress_billing.invoice (contact_id, amount) VALUES (5, 1), (6, 1);
SET ROLE regress_merge_sales;
SELECT rights.merge_contacts(5, '{6}');
SET ROLE regress_merge_other;
DELETE FROM regress_billing.invoice WHERE contact_id = 5;
SET ROLE regress_merge_sales;
SELECT rights.merge_contacts(5, '{6}') IS NOT NULL AS merged;

-- row-level security on contacts: nobody merges whom he may not see or change
SET ROLE regress_merge_owner;
ALTER TABLE rights.contact ENABLE ROW LEVEL SECURITY;
ALTER TABLE rights.contact FORCE ROW LEVEL SECURITY;
ALTER TABLE rights.lead ENABLE ROW LEVEL SECURITY;
ALTER TABLE rights.lead FORCE ROW LEVEL SECURITY;
CREATE POLICY visible ON rights.contact FOR SELECT TO regress_merge_sales USING (contact_id <> 12);
CREATE POLICY writable ON rights.contact FOR UPDATE TO regress_merge_sales USING (contact_id NOT IN (11, 12));
SET ROLE regress_merge_sales;
SELECT rights.merge_contacts(7, '{12}');
SELECT rights.merge_contacts(12, '{7}');
SELECT rights.merge_contacts(7, '{11}');
SELECT rights.merge_contacts(7, '{8}') AS secured \gset
RESET ROLE;
SELECT contact_id, count(*) FROM rights.lead WHERE contact_id IN (7, 8) GROUP BY 1;
SELECT rights.merge_contacts(12, '{9}') AS hidden \gset
SET ROLE regress_merge_sales;
SELECT * FROM rights.unmerge(:hidden);
SELECT * FROM rights.unmerge(:secured);
RESET ROLE;
SELECT contact_id, count(*) FROM rights.lead WHERE contact_id IN (7, 8) GROUP BY 1 ORDER BY 1;
SELECT * FROM rights.unmerge(:hidden);

-- inside a function that runs as another role, that role counts
CREATE FUNCTION public.regress_merge(bigint, bigint) RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT rights.merge_contacts($1, ARRAY[$2])';
ALTER FUNCTION public.regress_merge(bigint, bigint) OWNER TO regress_merge_reader;
SELECT public.regress_merge(7, 8);
ALTER FUNCTION public.regress_merge(bigint, bigint) OWNER TO regress_merge_sales;
SELECT public.regress_merge(7, 8) IS NOT NULL AS merged;

-- an operator or a function planted in the session's path is not used
SET client_min_messages = warning;
CREATE SCHEMA regress_trap;
CREATE FUNCTION regress_trap.never(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE ''trapped''; END';
CREATE OPERATOR regress_trap.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = regress_trap.never);
SET search_path = regress_trap, pg_catalog;
SELECT rights.merge_contacts(7::bigint, '{9}') AS trapped \gset
SELECT count(*) FROM rights.unmerge(:trapped);
RESET search_path;
DROP FUNCTION public.regress_merge(bigint, bigint);
DROP SCHEMA regress_trap, regress_billing CASCADE;
SELECT lead_mgmt.drop_workspace('rights', 'rights');
DO $$ BEGIN EXECUTE format('REVOKE CREATE ON DATABASE %I FROM regress_merge_owner, regress_merge_other', current_database()); END $$;
DROP ROLE regress_merge_owner, regress_merge_sales, regress_merge_reader, regress_merge_web, regress_merge_other;
