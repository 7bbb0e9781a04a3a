-- Which incoming names lead to which fields: rows of a form, other names, paths, pairs.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
\set SHOW_CONTEXT never
SELECT lead_mgmt.create_workspace('maps');

-- as written, loosely, in other languages; a guess is only shown
SELECT * FROM maps.guess_fields('{email,E-Mail,EMAIL,First Name,firstName,Nachname,"Số điện thoại",Téléphone,"Công ty",Telefone,Shoe size,"",!!!}');
SELECT * FROM maps.guess_fields(ARRAY[NULL, 'email']);
SELECT * FROM maps.guess_fields('{}');
SELECT * FROM maps.guess_fields('{email}', 'no such form');
SELECT status FROM maps.capture('default', '{"E-Mail": "jo@one.example", "VORNAME": "Jo", "Nachname": "Trần", "Téléphone": "+33 1 23 45 67 89", "Công ty": "Một"}');
SELECT c.full_name, c.email, c.phone, a.name FROM maps.contact c JOIN maps.account a USING (account_id);
-- what is written exactly comes before what is alike
SELECT status FROM maps.capture('default', '{"EMAIL": "loose@one.example", "email": "exact@one.example"}');
SELECT email FROM maps.contact ORDER BY contact_id DESC LIMIT 1;

-- the form's own rows come first, in their sequence; what it ignores is left alone however it is written
INSERT INTO maps.form (form, mapping) VALUES ('own', '{"contact": "email", "ref": "title"}');
INSERT INTO maps.form_field (form, name, field, sequence) VALUES ('own', 'ref', 'external_id', 10), ('own', 'second', 'company', 20), ('own', 'first', 'company', 10), ('own', 'phone', 'ignore', 10);
SELECT name, field, how FROM maps.guess_fields('{ref,contact,Contact,phone,PHONE,tel}', 'own');
SELECT status, external_id FROM maps.capture('own', '{"contact": "row@two.example", "ref": "r-1", "second": "Second", "first": "First", "phone": "broken"}');
SELECT status, external_id FROM maps.capture('own', '{"Contact": "row@two.example", "ref": "r-1"}');
SELECT a.name, c.phone FROM maps.contact c JOIN maps.account a USING (account_id) WHERE c.email::text = 'row@two.example';

-- JSON paths, and names and values in lists
INSERT INTO maps.form (form) VALUES ('nested');
INSERT INTO maps.form_field (form, name, field) VALUES ('nested', '$.person.mails[0]', 'email'), ('nested', '$.person.jobs[*] ? (@.current == true).title', 'job_title');
INSERT INTO maps.form_pairs (form, path, name, value) VALUES ('nested', '$.answers[*]', '$.id', '$.texts');
-- a path may not want a variable that nothing gives a value; a text that looks like one is none
INSERT INTO maps.form_pairs (form, label, path) VALUES ('nested', 'x', '$x.a[*]');
INSERT INTO maps.form_pairs (form, label, path, value) VALUES ('nested', 'x', '$.a[*] ? (@."$" == "$\"y\"")', '$"payloads".b');
INSERT INTO maps.form_pairs (form, label, path, name) VALUES ('nested', 'x', '$.a[*] ? (@."price$" == "$\"y\"" || @.c like_regex "\"$")', '$payload.names[$.n]');
INSERT INTO maps.form_field (form, name, field) VALUES ('nested', '$payload.b', 'email');
INSERT INTO maps.form (form, records) VALUES ('nowhere', '$rows[*]');
INSERT INTO maps.form (form, records) VALUES ('nowhere', '$.rows[');
SELECT status FROM maps.capture('nested', '{"person": {"mails": ["p@nest.example", "q@nest.example"], "jobs": [{"title": "Clerk"}, {"title": "Buyer", "current": true}]},
	"answers": [{"id": "Company", "texts": ["Nest"]}, {"id": "City", "texts": []}, {"texts": ["?"]}, 5, {"id": 7, "texts": ["seven"]}, {"id": "name", "texts": "Pat"}]}');
SELECT c.email, c.full_name, c.job_title, c.city, a.name FROM maps.contact c JOIN maps.account a USING (account_id) WHERE c.email::text LIKE '%nest.example';
SELECT status, reasons -> 0 ->> 'code' AS code FROM maps.capture('nested', '{"person": {"mails": [["a", "b"]]}}');
SELECT status FROM maps.capture('nested', '{"email": "plain@nest.example", "answers": 5}');
-- nor may a value that a path compares cost others: times with and without zone are compared as everywhere
INSERT INTO maps.form_field (form, name, field) VALUES ('nested', '$ ? (@.at.datetime() < "2020-01-01T00:00:00+00".datetime()).why', 'message');
INSERT INTO maps.submission (form, payload) VALUES ('nested', '{"email": "at1@nest.example", "at": "2019-01-01", "why": "old"}'), ('nested', '{"email": "at2@nest.example", "at": "never", "why": "?"}'), ('nested', '{"email": "at3@nest.example"}');
SELECT c.email, s.status, i.note FROM maps.submission s JOIN maps.contact c USING (contact_id) JOIN maps.interaction i USING (submission_id) WHERE c.email::text LIKE 'at%' ORDER BY 1;

-- custom attributes have other names too, and names of the same sound in two entities both get the value
SELECT maps.define_field('contact', 'size', 'text'), maps.define_field('lead', 'size', 'text');
INSERT INTO maps.field_alias (alias, field) VALUES ('Shoe size', 'contact.size');
SELECT status FROM maps.capture('default', '{"email": "shoe@three.example", "shoe-size": 44}');
SELECT status FROM maps.capture('default', '{"email": "both@three.example", "size": "XL"}');
SELECT c.email, c.attributes AS contact, l.attributes AS lead FROM maps.contact c LEFT JOIN maps.lead l USING (contact_id) WHERE c.email::text LIKE '%three.example' ORDER BY 1;

-- a row that could never work as meant is refused
INSERT INTO maps.form_field (form, name, field) VALUES ('own', 'x', 'emial');
INSERT INTO maps.form_field (form, name, field) VALUES ('own', '$.[', 'email');
INSERT INTO maps.field_alias (alias, field) VALUES ('x', 'ignore');
\set VERBOSITY terse
INSERT INTO maps.form_field (form, name, field) VALUES ('nowhere', 'x', 'email');
\set VERBOSITY default
-- a change counts at once, and goes with its form
DELETE FROM maps.field_alias WHERE alias = 'nachname';
SELECT field FROM maps.guess_fields('{Nachname}');
DELETE FROM maps.form WHERE form = 'nested';
SELECT count(*) FROM maps.form_field WHERE form = 'nested';
SELECT lead_mgmt.drop_workspace('maps', 'maps');
