-- Whatever refers to what is merged is found and moved, tables of the user's own included; rows that would collide are absorbed.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
\set SHOW_CONTEXT never
SELECT lead_mgmt.create_workspace('refs');
CREATE SCHEMA regress_shop;
SET client_min_messages = warning;
ALTER TABLE refs.contact ADD COLUMN tenant integer NOT NULL DEFAULT 1, ADD UNIQUE (contact_id, tenant);
-- a plain reference, one under another name, a narrower type, an odd name
CREATE TABLE regress_shop."Order Book" (id serial PRIMARY KEY, "for whom" integer REFERENCES refs.contact (contact_id) ON DELETE RESTRICT, amount numeric);
-- part of the key; a unique pair of contacts; a table that refers to the pair
CREATE TABLE regress_shop.member (segment text, contact_id bigint REFERENCES refs.contact ON DELETE CASCADE, since date, PRIMARY KEY (segment, contact_id));
CREATE TABLE regress_shop.badge (badge serial PRIMARY KEY, segment text, contact_id bigint, FOREIGN KEY (segment, contact_id) REFERENCES regress_shop.member ON DELETE CASCADE);
CREATE TABLE regress_shop.friend (one bigint REFERENCES refs.contact, other bigint REFERENCES refs.contact ON DELETE CASCADE, UNIQUE (one, other));
-- several columns
CREATE TABLE regress_shop.visit (visit serial PRIMARY KEY, tenant integer, contact_id bigint, FOREIGN KEY (tenant, contact_id) REFERENCES refs.contact (tenant, contact_id) MATCH FULL);
-- partial, expression, NULLS NOT DISTINCT and generated unique indexes, exclusion constraint
CREATE TABLE regress_shop.card (card serial PRIMARY KEY, contact_id bigint REFERENCES refs.contact, number text, is_active boolean DEFAULT true, slot text);
CREATE UNIQUE INDEX ON regress_shop.card (contact_id) WHERE is_active;
CREATE UNIQUE INDEX ON regress_shop.card ((contact_id || '-' || lower(number)));
CREATE TABLE regress_shop.seat (seat serial PRIMARY KEY, contact_id bigint REFERENCES refs.contact, hall text,
	place text GENERATED ALWAYS AS (hall || '/' || contact_id) STORED UNIQUE);
CREATE TABLE regress_shop.quota (contact_id bigint REFERENCES refs.contact, kind text, UNIQUE NULLS NOT DISTINCT (contact_id, kind));
CREATE TABLE regress_shop.booking (contact_id bigint REFERENCES refs.contact, during int4range, label text,
	EXCLUDE USING gist (int8range(contact_id, contact_id, '[]') WITH &&, during WITH &&));
-- links that may not lead from somebody to himself
CREATE TABLE regress_shop.sibling (elder bigint REFERENCES refs.contact, younger bigint REFERENCES refs.contact, CHECK (elder <> younger));
-- deferred, without any key, partitioned, inherited, a domain for a key
CREATE TABLE regress_shop.later (contact_id bigint UNIQUE DEFERRABLE INITIALLY DEFERRED REFERENCES refs.contact DEFERRABLE INITIALLY DEFERRED, what text);
CREATE TABLE regress_shop.keyless (contact_id bigint REFERENCES refs.contact ON DELETE SET NULL, data json, at timestamptz);
CREATE TABLE regress_shop.event (contact_id bigint REFERENCES refs.contact, day date, what text, PRIMARY KEY (day, contact_id)) PARTITION BY RANGE (day);
CREATE TABLE regress_shop.event_2024 PARTITION OF regress_shop.event FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE regress_shop.event_rest PARTITION OF regress_shop.event DEFAULT;
CREATE TABLE regress_shop.by_contact (contact_id bigint PRIMARY KEY REFERENCES refs.contact, what text) PARTITION BY HASH (contact_id);
CREATE TABLE regress_shop.by_contact_0 PARTITION OF regress_shop.by_contact FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE regress_shop.by_contact_1 PARTITION OF regress_shop.by_contact FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE regress_shop.note (note serial PRIMARY KEY, contact_id bigint REFERENCES refs.contact);
CREATE TABLE regress_shop.long_note (body text, FOREIGN KEY (contact_id) REFERENCES refs.contact) INHERITS (regress_shop.note);
CREATE DOMAIN regress_shop.code AS varchar(8) CHECK (value ~ '^[A-Z]');
CREATE TABLE regress_shop.voucher (code regress_shop.code PRIMARY KEY, contact_id bigint REFERENCES refs.contact);
RESET client_min_messages;

-- contact 1 is to win over 2 and 3
INSERT INTO refs.contact (contact_id, full_name) VALUES (1, 'One'), (2, 'Two'), (3, 'Three'), (4, 'Four');
INSERT INTO regress_shop."Order Book" ("for whom", amount) VALUES (1, 1), (2, 2), (2, 3), (4, 4);
INSERT INTO regress_shop.member VALUES ('vip', 1, '2024-01-01'), ('vip', 2, '2023-01-01'), ('new', 2, '2022-01-01'), ('old', 3, NULL), ('vip', 4, NULL);
INSERT INTO regress_shop.badge (segment, contact_id) VALUES ('vip', 1), ('vip', 2), ('new', 2), ('old', 3), ('vip', 4);
INSERT INTO regress_shop.friend VALUES (1, 4), (2, 4), (2, 1), (4, 2), (3, 3);
INSERT INTO regress_shop.sibling VALUES (1, 2), (3, 1), (2, 3), (2, 4);
INSERT INTO regress_shop.visit (tenant, contact_id) VALUES (1, 1), (1, 2), (NULL, NULL);
INSERT INTO regress_shop.card (contact_id, number, is_active) VALUES (1, 'AA', true), (2, 'BB', true), (2, 'aa', false), (2, 'CC', false), (3, 'DD', true), (3, 'cc', false);
INSERT INTO regress_shop.seat (contact_id, hall) VALUES (1, 'A'), (2, 'A'), (2, 'B'), (4, 'A');
INSERT INTO regress_shop.quota VALUES (1, NULL), (2, NULL), (2, 'x');
INSERT INTO regress_shop.booking VALUES (1, '[1,5)', 'kept'), (2, '[4,6)', 'overlaps'), (2, '[7,9)', 'fits'), (3, '[8,10)', 'overlaps what fitted');
INSERT INTO regress_shop.later VALUES (1, 'kept'), (2, 'absorbed'), (4, 'other');
INSERT INTO regress_shop.keyless VALUES (1, '{"a" : 1}', '2024-01-01'), (2, '{"a" : 1}', '2024-01-01'), (2, '{"a" : 1}', '2024-01-01'), (2, NULL, 'infinity'), (4, 'null', NULL);
INSERT INTO regress_shop.event VALUES (1, '2024-05-01', 'kept'), (2, '2024-05-01', 'absorbed'), (2, '2025-05-01', 'moved');
INSERT INTO regress_shop.by_contact VALUES (2, 'moved'), (3, 'absorbed');
INSERT INTO regress_shop.note (contact_id) VALUES (2);
INSERT INTO regress_shop.long_note (contact_id, body) VALUES (2, 'long');
INSERT INTO regress_shop.voucher VALUES ('ABC', 2);
CREATE FUNCTION pg_temp.fingerprint() RETURNS TABLE (table_name text, digest text) LANGUAGE plpgsql AS $$
BEGIN
	FOR table_name IN SELECT c.oid::regclass FROM pg_class c WHERE relkind IN ('r', 'p') AND relnamespace IN ('refs'::regnamespace, 'regress_shop'::regnamespace)
		AND relname NOT IN ('merge', 'merge_change', 'audit_log', 'temperature_change')
	LOOP
		EXECUTE format('SELECT md5(string_agg(x::text, chr(10) ORDER BY x::text)) FROM %s x', table_name) INTO digest;
		RETURN NEXT;
	END LOOP;
END $$;
CREATE TEMP TABLE before AS SELECT * FROM pg_temp.fingerprint();

SELECT refs.merge_contacts(1, '{2,3}') AS merge_id;
TABLE regress_shop."Order Book" ORDER BY id;
TABLE regress_shop.member ORDER BY 1, 2;
TABLE regress_shop.badge ORDER BY 1;
TABLE regress_shop.friend ORDER BY 1, 2;
TABLE regress_shop.sibling;
TABLE regress_shop.visit ORDER BY 1;
TABLE regress_shop.card ORDER BY 1;
TABLE regress_shop.seat ORDER BY 1;
TABLE regress_shop.quota ORDER BY 1, 2;
TABLE regress_shop.booking ORDER BY during;
TABLE regress_shop.later ORDER BY 1;
TABLE regress_shop.keyless ORDER BY contact_id, at, data::text;
SELECT tableoid::regclass, * FROM regress_shop.event ORDER BY day;
SELECT tableoid::regclass, * FROM regress_shop.by_contact;
SELECT tableoid::regclass, note, contact_id FROM regress_shop.note ORDER BY 1;
TABLE regress_shop.voucher;
-- what was absorbed, and by what
SELECT action, concat_ws('.', schema_name, table_name) AS of, keys, keeper FROM refs.merge_change
WHERE action IN ('absorbed', 'created') AND table_name <> 'entity_redirect' ORDER BY merge_change_id;
SELECT rows_moved, rows_absorbed FROM refs.merge;

SELECT * FROM refs.unmerge(1);
SELECT table_name AS differs FROM (SELECT * FROM pg_temp.fingerprint() EXCEPT TABLE before) d;

-- a table that is renamed or dropped, a column that is dropped
SELECT refs.merge_contacts(1, '{2,3}') AS merge_id \gset
DROP TABLE regress_shop.voucher;
ALTER TABLE regress_shop.seat DROP COLUMN place;
ALTER TABLE regress_shop.card DROP COLUMN slot;
ALTER TABLE regress_shop.member ADD COLUMN level integer NOT NULL DEFAULT 7;
ALTER TABLE regress_shop.keyless ADD COLUMN more integer DEFAULT 3;
SELECT * FROM refs.unmerge(:merge_id);
TABLE regress_shop.member ORDER BY 1, 2;
TABLE regress_shop.keyless ORDER BY contact_id, at, data::text;

-- what cannot be moved makes the merge fail as a whole
CREATE TABLE regress_shop.strict (contact_id bigint REFERENCES refs.contact CHECK (contact_id <> 1));
INSERT INTO regress_shop.strict VALUES (2);
SELECT refs.merge_contacts(1, '{2}');
SELECT count(*) FROM refs.contact;
DROP TABLE regress_shop.strict;
-- a second unique key that others refer to, beside the column that moves
CREATE TABLE regress_shop.locker (locker serial PRIMARY KEY, contact_id bigint UNIQUE REFERENCES refs.contact);
CREATE TABLE regress_shop.item (item serial PRIMARY KEY, contact_id bigint REFERENCES regress_shop.locker (contact_id) ON UPDATE CASCADE, locker integer REFERENCES regress_shop.locker);
INSERT INTO regress_shop.locker (contact_id) VALUES (1), (2), (3);
INSERT INTO regress_shop.item (contact_id, locker) VALUES (2, 2), (3, 3), (1, 1);
DELETE FROM regress_shop.item WHERE contact_id = 1;
DELETE FROM regress_shop.locker WHERE contact_id = 1;
SELECT refs.merge_contacts(1, '{2,3}') AS merge_id \gset
TABLE regress_shop.locker;
TABLE regress_shop.item ORDER BY 1;
SELECT * FROM refs.unmerge(:merge_id);
TABLE regress_shop.locker ORDER BY 1;
TABLE regress_shop.item ORDER BY 1;

-- what a merge reads: by its indexes alone, even where a table has grown
INSERT INTO refs.contact (contact_id) SELECT n FROM generate_series(1001, 3000) n;
INSERT INTO refs.interaction (contact_id, kind, submission_id) SELECT 1001 + n % 2000, 'page_view', 0 FROM generate_series(1, 6000) n;
ANALYZE;
SELECT pg_stat_force_next_flush();
SELECT sum(seq_scan) AS scans FROM pg_stat_user_tables WHERE schemaname = 'refs' AND relname IN ('contact', 'interaction', 'lead', 'consent', 'opportunity', 'submission') \gset
SELECT count(refs.merge_contacts(n, ARRAY[n + 1])) FROM generate_series(1001, 1099, 2) n;
SELECT pg_stat_force_next_flush();
SELECT sum(seq_scan) - :scans AS scans FROM pg_stat_user_tables WHERE schemaname = 'refs' AND relname IN ('contact', 'interaction', 'lead', 'consent', 'opportunity', 'submission');

SET client_min_messages = warning;
DROP SCHEMA regress_shop CASCADE;
SELECT lead_mgmt.drop_workspace('refs', 'refs');
