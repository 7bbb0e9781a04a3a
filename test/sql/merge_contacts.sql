-- Merging contacts: which values survive, what follows the survivor, and what is refused.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
\set SHOW_CONTEXT never
SELECT lead_mgmt.create_workspace('merging');

-- two people who turn out to be one: the second with a phone, an address and a page of her own
SELECT contact_id, lead_id FROM merging.capture('default', '{"email": "ann@acme.example", "name": "Ann", "page": "pricing",
	"consent_email": true, "source": "event", "city": "Hanoi", "country": "VN"}');
SELECT contact_id, lead_id FROM merging.capture('default', '{"email": "ann.lee@home.example", "name": "Ann Lee", "phone": "+1 650 253 0000",
	"page": "pricing", "consent_email": true, "consent_phone": true, "source": "website", "job_title": "VP", "street": "1 Main St",
	"city": "Springfield", "kind": "demo_request"}');
SELECT contact_id, lead_id FROM merging.capture('default', '{"email": "ann.lee@home.example", "page": "webinar"}');
CREATE TEMP VIEW engagement AS
	SELECT s.lead_id, s.engagement, l.interaction_count FROM merging.lead_score s JOIN merging.lead l USING (lead_id) ORDER BY 1;
TABLE engagement;

SELECT merging.merge_contacts(1, '{2}', 'same person') AS merge_id;
-- the winner's values stand, blanks are filled, the address is taken as a whole from one record
SELECT contact_id, full_name, email, phone, job_title, street, city, country, first_source, last_source FROM merging.contact;
SELECT kind, value, contact_id FROM merging.contact_identity ORDER BY 1, 2;
SELECT consent_id, contact_id, channel, submission_id FROM merging.consent ORDER BY 1;
-- leads of one context become one, the others move
SELECT lead_id, contact_id, page, interaction_count FROM merging.lead ORDER BY 1;
TABLE engagement;
SELECT interaction_id, contact_id, lead_id FROM merging.interaction ORDER BY 1;
SELECT submission_id, contact_id, lead_id FROM merging.submission ORDER BY 1;
SELECT lead_id, from_stage, to_stage, rule FROM merging.stage_move ORDER BY stage_move_id;
-- scores are those of the rules
SELECT lead_id, sum(total) = (SELECT score FROM merging.lead_score s WHERE s.lead_id = l.lead_id) AS adds_up
FROM merging.lead l, merging.explain_score(l.lead_id) GROUP BY 1 ORDER BY 1;

-- what is known of the merge
SELECT merge_id, entity, winner_id, loser_ids, part_of, reason, merged_by = current_user AS by_me, rows_moved, rows_absorbed, undone_at
FROM merging.merge ORDER BY 1;
SELECT merge_id, entity, old_id, winner_id, survivor_id, part_of, reason, is_standing FROM merging.merged_record ORDER BY 1;
SELECT entity, old_id, survivor_id, merge_id FROM merging.entity_redirect ORDER BY 1;
SELECT merging.contact_of(1) AS itself, merging.contact_of(2) AS survivor, merging.contact_of(3) AS nobody, merging.lead_of(2), merging.account_of(1);
SELECT entity, entity_id, changes -> 'phone' AS phone, changes -> 'contact_id' AS contact_id FROM merging.audit_log ORDER BY audit_id;
SELECT event, title, detail LIKE current_user || '%' AS by_me FROM merging.lead_timeline WHERE lead_id = 1 AND event IN ('merge', 'change');

-- captures with the loser's address or number find the survivor, and her lead
SELECT status, contact_id, lead_id FROM merging.capture('default', '{"email": "ann.lee@home.example", "page": "pricing"}');
SELECT status, contact_id, lead_id FROM merging.capture('default', '{"phone": "+1 650 253 0000", "page": "webinar"}');

-- what is refused
SELECT merging.merge_contacts(1, '{2}');
SELECT merging.merge_contacts(2, '{1}');
SELECT merging.merge_contacts(1, '{1}');
SELECT merging.merge_contacts(1, '{7}');
SELECT merging.merge_contacts(7, '{1}');
SELECT merging.merge_contacts(1, '{}');
SELECT merging.merge_contacts(1, '{5,6,5}');
SELECT merging.merge_contacts(1, '{NULL}');
SELECT merging.merge_contacts(NULL, '{1}');
SELECT merging.merge_contacts(1, NULL);
SELECT lead_mgmt.merge_rows('merging.submission', 1, '{2}', NULL);
SELECT lead_mgmt.merge_rows('pg_class', 1, '{2}', NULL);
SELECT lead_mgmt.unmerge_rows('merging.contact', 1);
\set VERBOSITY sqlstate
SELECT merging.merge_contacts(1, '{2}');
SELECT merging.merge_contacts(1, '{1}');
SELECT merging.merge_contacts(1, '{7}');
SELECT merging.merge_contacts(1, '{}');
SELECT merging.merge_contacts(NULL, '{1}');
\set VERBOSITY default

-- several at once, from one merge into the next: old ids lead to whom is left
INSERT INTO merging.contact (contact_id, full_name) OVERRIDING SYSTEM VALUE VALUES (11, 'B'), (12, 'C'), (13, 'D'), (14, 'E');
SELECT merging.merge_contacts(11, '{13,12}');
SELECT merging.merge_contacts(14, '{11}');
SELECT old_id, survivor_id, merging.contact_of(old_id) FROM merging.entity_redirect WHERE entity = 'contact' ORDER BY 1;
SELECT merging.merge_contacts(14, '{12}');
-- whom is left may be deleted: then nobody is found
DELETE FROM merging.contact WHERE contact_id = 14;
SELECT merging.contact_of(12);

-- policies: one a field, columns of the user's own and custom attributes included
ALTER TABLE merging.contact ADD COLUMN visits integer, ADD COLUMN hobbies text[], ADD COLUMN notes text, ADD COLUMN best numeric,
	ADD COLUMN label varchar(12), ADD COLUMN extra jsonb, ADD COLUMN customer_number text UNIQUE,
	ADD COLUMN shout text GENERATED ALWAYS AS (upper(full_name)) STORED;
SELECT merging.define_field('contact', 'colours', 'choices', '{red,green,blue}');
SELECT merging.define_field('contact', 'seats', 'integer');
SELECT merging.define_field('contact', 'memo');
SELECT merging.define_field('contact', 'nickname');
INSERT INTO merging.merge_policy (entity, field, policy) VALUES ('contact', 'visits', 'sum'), ('contact', 'notes', 'concatenate'),
	('contact', 'best', 'max'), ('contact', 'label', 'longest'), ('contact', 'extra', 'union'), ('contact', 'attributes.seats', 'sum'),
	('contact', 'attributes.memo', 'concatenate'), ('contact', 'attributes.nickname', 'keep');
UPDATE merging.merge_policy SET policy = 'newest' WHERE entity = 'contact' AND field IN ('job_title', 'language');
UPDATE merging.merge_policy SET policy = 'keep' WHERE entity = 'contact' AND field = 'phone';
INSERT INTO merging.contact (contact_id, full_name, job_title, language, created_at, visits, hobbies, notes, best, label, extra, attributes, customer_since) OVERRIDING SYSTEM VALUE
VALUES (21, 'An Nguyễn', 'Clerk', 'vi', '2020-02-01', 3, '{a,b}', 'first', 1.50, 'short', '["x"]',
	'{"colours": ["red"], "seats": 2, "memo": "one"}', '2023-01-01');
INSERT INTO merging.contact (contact_id, full_name, job_title, language, created_at, visits, hobbies, notes, best, label, extra, attributes, customer_number, phone) OVERRIDING SYSTEM VALUE
VALUES (22, 'An', 'Director', 'en', '2020-01-01', NULL, '{b,c}', 'second', 7, 'much longer', '["y", "x"]',
	'{"colours": ["red", "blue"], "seats": 5, "memo": "two", "nickname": "Annie"}', 'C-22', '+16502530022'),
	(23, '', NULL, '', '2020-03-01', 4, NULL, 'first', NULL, NULL, NULL, '{}', NULL, NULL);
UPDATE merging.contact SET language = 'fr' WHERE contact_id = 21;
SELECT merging.merge_contacts(21, '{22,23}') AS policies \gset
SELECT full_name, shout, job_title, language, phone, created_at::date, customer_since::date, visits, hobbies, replace(notes, E'\n', ' | ') AS notes, best, label, extra, attributes, customer_number
FROM merging.contact WHERE contact_id = 21;
SELECT * FROM merging.unmerge(:policies);
SELECT contact_id, full_name, shout, job_title, language, phone, visits, hobbies, notes, best, label, extra, attributes, customer_number
FROM merging.contact WHERE contact_id BETWEEN 21 AND 23 ORDER BY 1;

-- a long value and other scripts
UPDATE merging.contact SET notes = repeat('đ', 10000) WHERE contact_id = 21;
UPDATE merging.contact SET notes = '名字', full_name = E'Nguye\u0302\u0303n' WHERE contact_id = 22;
SELECT merging.merge_contacts(22, '{21}') AS long \gset
SELECT full_name, length(notes), left(notes, 4) FROM merging.contact WHERE contact_id = 22;
SELECT count(*) FROM merging.unmerge(:long);
SELECT contact_id, length(notes), full_name FROM merging.contact WHERE contact_id IN (21, 22) ORDER BY 1;

-- policies that make no sense
INSERT INTO merging.merge_policy (entity, field, policy) VALUES ('contact', 'shoe_size', 'winner');
INSERT INTO merging.merge_policy (entity, field, policy) VALUES ('contact', 'attributes.shoe_size', 'winner');
INSERT INTO merging.merge_policy (entity, field, policy) VALUES ('contact', 'shout', 'winner');
INSERT INTO merging.merge_policy (entity, field, policy) VALUES ('lead', 'stage', 'newest');
INSERT INTO merging.merge_policy (entity, field, policy) VALUES ('lead', 'ctid', 'newest');
UPDATE merging.merge_policy SET policy = 'sum' WHERE entity = 'contact' AND field = 'full_name';
UPDATE merging.merge_policy SET policy = 'union' WHERE entity = 'contact' AND field = 'full_name';
UPDATE merging.merge_policy SET policy = 'concatenate' WHERE entity = 'contact' AND field = 'created_at';
UPDATE merging.merge_policy SET policy = 'sum' WHERE entity = 'contact' AND field = 'attributes.memo';
UPDATE merging.merge_policy SET policy = 'guess' WHERE entity = 'contact' AND field = 'full_name';
UPDATE merging.merge_policy SET block = 'name' WHERE entity = 'contact' AND field = 'attributes.memo';
UPDATE merging.merge_policy SET policy = 'newest' WHERE entity = 'contact' AND field = 'city';
SELECT merging.merge_contacts(21, '{22}');
UPDATE merging.merge_policy SET policy = 'newest' WHERE block = 'address';
ALTER TABLE merging.contact DROP COLUMN best;
SELECT merging.merge_contacts(21, '{22}');
DELETE FROM merging.merge_policy WHERE field = 'best';
-- the newest address, as a whole
UPDATE merging.contact SET street = 'Old Street 1', postal_code = '1000' WHERE contact_id = 21;
UPDATE merging.contact SET street = NULL, city = 'Newtown' WHERE contact_id = 22;
UPDATE merging.audit_log SET changed_at = changed_at + interval '1 minute' WHERE entity_id = 22 AND changes ? 'city';
SELECT merging.merge_contacts(21, '{22}') AS address \gset
SELECT street, postal_code, city FROM merging.contact WHERE contact_id = 21;

-- a person who referred herself, once merged
UPDATE merging.contact SET referrer_contact_id = 23 WHERE contact_id IN (1, 21);
SELECT merging.merge_contacts(21, '{23}') AS referrer \gset
SELECT contact_id, referrer_contact_id FROM merging.contact WHERE contact_id IN (1, 21) ORDER BY 1;
SELECT count(*) FROM merging.unmerge(:referrer);
SELECT contact_id, referrer_contact_id FROM merging.contact WHERE contact_id IN (1, 21) ORDER BY 1;

-- triggers of the user's own fire, and may call merges
CREATE TABLE merging.seen (what text);
CREATE FUNCTION merging.note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO merging.seen VALUES (tg_op || ' ' || tg_table_name || ' ' || COALESCE(new.contact_id, old.contact_id));
	RETURN NULL;
END $$;
CREATE TRIGGER note AFTER UPDATE OR DELETE OR INSERT ON merging.contact FOR EACH ROW EXECUTE FUNCTION merging.note();
UPDATE merging.contact SET full_name = NULL WHERE contact_id = 23;
UPDATE merging.contact SET language = 'de' WHERE contact_id = 1;
TRUNCATE merging.seen;
SELECT merging.merge_contacts(23, '{1}') AS fired \gset
TABLE merging.seen;
SELECT count(*) FROM merging.unmerge(:fired);
TABLE merging.seen;
-- one that keeps rows as they are makes the merge fail rather than lose anything
CREATE FUNCTION merging.veto() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER veto BEFORE UPDATE ON merging.consent FOR EACH ROW EXECUTE FUNCTION merging.veto();
SELECT merging.merge_contacts(23, '{1}');
DROP TRIGGER veto ON merging.consent;
CREATE TRIGGER veto BEFORE DELETE ON merging.contact FOR EACH ROW EXECUTE FUNCTION merging.veto();
SELECT merging.merge_contacts(23, '{1}');
DROP TRIGGER veto ON merging.contact;
SELECT merging.merge_contacts(23, '{1}') IS NOT NULL AS merged;

-- submissions are found by what came of them; those of which nothing came, by an index, where somebody made one
INSERT INTO merging.form (form, makes_interaction) VALUES ('quiet', false);
INSERT INTO merging.submission (form, payload) SELECT 'quiet', jsonb_build_object('email', p || '@quiet.example') FROM unnest(ARRAY['x', 'y', 'z']) p;
SELECT contact_id AS x FROM merging.contact WHERE email = 'x@quiet.example' \gset
SELECT merging.merge_contacts(:x, ARRAY[:x + 1]) IS NOT NULL AS merged;
SELECT contact_id - :x AS is_of, merging.contact_of(contact_id) - :x AS leads_to FROM merging.submission WHERE form = 'quiet' ORDER BY submission_id;
CREATE INDEX ON merging.submission (contact_id);
SELECT merging.merge_contacts(:x, ARRAY[:x + 2]) AS quiet \gset
SELECT contact_id - :x AS is_of FROM merging.submission WHERE form = 'quiet' ORDER BY submission_id;
SELECT count(*) FROM merging.unmerge(:quiet);
SELECT contact_id - :x AS is_of FROM merging.submission WHERE form = 'quiet' ORDER BY submission_id;

SET client_min_messages = warning;
SELECT lead_mgmt.drop_workspace('merging', 'merging');
