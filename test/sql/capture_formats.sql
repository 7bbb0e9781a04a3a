-- Bytes of every format, written by other programs, become submissions.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
\set SHOW_CONTEXT never
\getenv abs_srcdir PG_ABS_SRCDIR
SELECT lead_mgmt.create_workspace('raw');
UPDATE raw.form SET default_region = 'VN' WHERE form = 'default';
CREATE VIEW pg_temp.latest AS SELECT s.submission_id, s.part, s.part_of, s.status, s.external_id, s.reasons, s.payload, c.full_name, c.email, c.phone, a.name AS company, l.title, l.product, l.page, l.origin, l.channel, i.note, i.kind, i.occurred_at
FROM raw.submission s LEFT JOIN raw.contact c USING (contact_id) LEFT JOIN raw.account a ON a.account_id = s.account_id LEFT JOIN raw.lead l ON l.lead_id = s.lead_id LEFT JOIN raw.interaction i ON i.interaction_id = s.interaction_id;

-- what curl sends: --data-urlencode and -F
\set file :abs_srcdir /files/form_curl.urlencoded
\set body `base64 -w0 :'file'`
SELECT status, reasons, raw = decode(:'body', 'base64') AS kept FROM raw.capture_raw('web_form', 'application/x-www-form-urlencoded', decode(:'body', 'base64'));
SELECT full_name, email, channel, note, payload -> 'interest' AS interest FROM pg_temp.latest ORDER BY submission_id DESC LIMIT 1;
\set file :abs_srcdir /files/form_curl.multipart
\set body `base64 -w0 :'file'`
\set file :abs_srcdir /files/form_curl.type
\set type `cat :'file'`
SELECT status, reasons FROM raw.capture_raw('web_form', :'type', decode(:'body', 'base64'));
SELECT full_name, email, payload FROM pg_temp.latest ORDER BY submission_id DESC LIMIT 1;

-- mail that a person wrote with Python's email package: who it is from is in the header
\set file :abs_srcdir /files/person_python.eml
\set body `base64 -w0 :'file'`
SELECT status, reasons, external_id FROM raw.capture_raw('default', 'message/rfc822', decode(:'body', 'base64'));
SELECT full_name, email, title, note, occurred_at AT TIME ZONE 'UTC' AS at, payload -> 'attachment' AS attachment FROM pg_temp.latest ORDER BY submission_id DESC LIMIT 1;
-- delivered twice
SELECT status, external_id FROM raw.capture_raw('default', 'message/rfc822', decode(:'body', 'base64'));
-- with swaks
\set file :abs_srcdir /files/person_swaks.eml
\set body `base64 -w0 :'file'`
SELECT status, reasons FROM raw.capture_raw('default', NULL, decode(:'body', 'base64'));
SELECT full_name, email, title, note FROM pg_temp.latest ORDER BY submission_id DESC LIMIT 1;
-- mail that a website wrote: in Latin-1, quoted-printable, the person in its lines; the rest is kept
\set file :abs_srcdir /files/form_python.eml
\set body `base64 -w0 :'file'`
SELECT status, reasons FROM raw.capture_raw('default', 'message/rfc822', decode(:'body', 'base64'));
SELECT full_name, email, phone, company, title, note, payload ->> 'unparsed' AS unparsed FROM pg_temp.latest ORDER BY submission_id DESC LIMIT 1;
-- mail of a vendor: a table in HTML, in base64
\set file :abs_srcdir /files/vendor_python.eml
\set body `base64 -w0 :'file'`
SELECT status, reasons, external_id FROM raw.capture_raw('vendor_email', 'message/rfc822', decode(:'body', 'base64'));
SELECT full_name, email, origin, note, payload ->> 'unparsed' AS unparsed FROM pg_temp.latest ORDER BY submission_id DESC LIMIT 1;
-- and one that can only be read by a template; the vendor itself is never the lead
SELECT status, reasons -> 0 ->> 'code' AS code, payload ->> 'message' AS kept FROM raw.capture_raw('vendor_email', 'message/rfc822', E'From: leads@vendor.example\nSubject: Ref 99/A\n\nMs Bea Lind <bea@lind.example> asks for Gold in (Oslo).\n');
INSERT INTO raw.form_template (form, template, applies_to, pattern) VALUES
	('vendor_email', 'sentence', 'body', '(?:Ms|Mr) (?<full_name>[^<]+) <(?<email>[^>]+)> asks for (?<product>\w+) in \((?<city>[^)]*)\)'),
	('vendor_email', 'reference', 'subject', 'Ref (?<reference>[0-9]+)/([A-Z])');
SELECT status, external_id, payload ->> 'unparsed' AS unparsed FROM raw.capture_raw('vendor_email', 'message/rfc822', E'From: leads@vendor.example\nSubject: Ref 99/A\n\nMs Bea Lind <bea@lind.example> asks for Gold in (Oslo).\n');
SELECT full_name, email, product FROM pg_temp.latest ORDER BY submission_id DESC LIMIT 1;
INSERT INTO raw.form_template (form, template, pattern) VALUES ('vendor_email', 'broken', '(?<email>[^ ]+');
INSERT INTO raw.form_template (form, template, pattern) VALUES ('vendor_email', 'nameless', '([^ ]+)');
-- XML in a mail, as car dealers get it (ADF)
INSERT INTO raw.form (form) VALUES ('adf');
INSERT INTO raw.form_field (form, name, field) VALUES ('adf', './/contact/name[@part="full"]', 'full_name'), ('adf', './/contact/email', 'email'), ('adf', './/vehicle/model', 'product'), ('adf', './id', 'external_id');
SELECT status, reasons, external_id FROM raw.capture_raw('adf', 'message/rfc822', E'From: x@portal.example\nSubject: ADF\nMessage-ID: <adf@portal.example>\n\n<?xml version="1.0" encoding="iso-8859-1"?>\n<?adf version="1.0"?>\n<adf><prospect><id>p-1</id><vehicle><model>Kombi</model></vehicle><customer><contact><name part="full">Jo Fahr</name><email>jo@fahr.example</email></contact></customer></prospect></adf>\n');
SELECT full_name, email, product FROM pg_temp.latest ORDER BY submission_id DESC LIMIT 1;

-- feeds that Python's feedgenerator wrote; a re-fetch changes nothing, and of what is new only that comes in
\set file :abs_srcdir /files/feed_python.rss
\set body `base64 -w0 :'file'`
SELECT part, status, reasons, external_id FROM raw.capture_raw('default', 'application/rss+xml', decode(:'body', 'base64'));
SELECT full_name, email, phone, title, product, occurred_at AT TIME ZONE 'UTC' AS at FROM pg_temp.latest ORDER BY submission_id DESC LIMIT 2;
SELECT part, status, external_id, duplicate_of IS NOT NULL AS of_first, reasons -> 1 ->> 'code' AS code, reasons -> 1 ->> 'value' AS items FROM raw.capture_raw('default', 'application/rss+xml', decode(:'body', 'base64'));
SELECT part, status, external_id FROM raw.capture_raw('default', 'application/rss+xml', convert_to(replace(convert_from(decode(:'body', 'base64'), 'UTF8'), '</channel>', '<item><guid>inquiry-3</guid><description>Email: tre@normann.example</description></item></channel>'), 'UTF8'));
\set file :abs_srcdir /files/feed_python.atom
\set body `base64 -w0 :'file'`
SELECT status, reasons, external_id FROM raw.capture_raw('default', 'application/atom+xml', decode(:'body', 'base64'));
SELECT full_name, email, title, note FROM pg_temp.latest ORDER BY submission_id DESC LIMIT 1;

-- CSV as a spreadsheet writes it in Vietnam: semicolons, Windows-1258, quotes, line ends in a field
\set file :abs_srcdir /files/leads_excel.csv
\set body `base64 -w0 :'file'`
SELECT part, status, reasons FROM raw.capture_raw('default', 'text/csv; charset=windows-1258', decode(:'body', 'base64'));
SELECT full_name, email, phone, company, note FROM pg_temp.latest ORDER BY submission_id DESC LIMIT 2;
SELECT status, reasons -> 0 ->> 'code' AS code, raw IS NOT NULL AS kept FROM raw.capture_raw('default', 'text/csv', decode(:'body', 'base64'));
-- byte order marks, tabulators, "sep="
SELECT part, status, payload FROM raw.capture_raw('default', 'text/csv', '\xEFBBBF'::bytea || 'email,name' || E'\r\nbom@csv.example,"Bo ""B"" M"\r\n');
SELECT part, status, payload FROM raw.capture_raw('default', 'text/csv', '\xFFFE'::bytea || decode('65006d00610069006c000a007500400063002e006500780061006d0070006c0065000a00', 'hex'));
SELECT part, status, payload FROM raw.capture_raw('default', 'text/tab-separated-values', E'email\tname\ntab@csv.example\tT, B\n');
SELECT part, status, payload FROM raw.capture_raw('default', 'text/csv', E'sep=|\nemail|name\nsep@csv.example|S;P,\n');

-- JSON: one, many, a line each, where the form's path leads
SELECT part, status, payload FROM raw.capture_raw('default', 'application/json', '[{"email": "j1@json.example"}, {"email": "j2@json.example"}, 7]');
SELECT part, status, reasons -> 0 ->> 'code' AS code, payload, part_of IS NULL AS keeps_body FROM raw.capture_raw('default', 'application/x-ndjson', E'oops\n{"email": "l1@json.example"}\r\n\n{"email": "l2@json.example"}\n{"email": ');
INSERT INTO raw.form (form, records) VALUES ('list', '$.data.leads[*]');
SELECT part, status, payload FROM raw.capture_raw('list', 'application/vnd.leads+json', '{"data": {"leads": [{"email": "p1@json.example"}, {"email": "p2@json.example"}]}}');
-- a line that was wrong is corrected, and comes in alone
UPDATE raw.submission SET raw = '{"email": "l3@json.example"}' WHERE part = 4 AND status = 'rejected' AND raw = '{"email": ';
SELECT (raw.reprocess(submission_id)).status FROM raw.submission WHERE raw = '{"email": "l3@json.example"}';
SELECT part, status, payload FROM raw.submission WHERE raw = '{"email": "l3@json.example"}';

-- XML: several leads, attributes, an XPath to them, name spaces
SELECT part, status, payload FROM raw.capture_raw('default', 'application/xml', '<?xml version="1.0" encoding="ISO-8859-1"?><leads><lead id="1"><email>x1@xml.example</email><name>J' || '\xfc'::bytea || 'rg</name></lead><lead><email>x2@xml.example</email><tag>a</tag><tag>b</tag></lead></leads>');
INSERT INTO raw.form (form, records) VALUES ('soap', '//q:person');
INSERT INTO raw.form_field (form, name, field) VALUES ('soap', './q:mail/@address', 'email'), ('soap', './q:name/q:first', 'given_name');
SELECT part, status, reasons, payload FROM raw.capture_raw('soap', 'text/xml; charset=utf-8', '<e:body xmlns:e="urn:e" xmlns:q="urn:q"><q:person><q:name><q:first>Ann</q:first><q:last>Lee</q:last></q:name><q:mail address="ann@soap.example"/></q:person><q:person><q:mail address="ben@soap.example"/></q:person></e:body>');

-- plain text: lines, or columns of fixed width
SELECT status, payload FROM raw.capture_raw('default', 'text/plain', E'Name: Pat\nE-mail: pat@plain.example\nsomething else\n');
INSERT INTO raw.form (form) VALUES ('fixed');
INSERT INTO raw.form_field (form, name, field) VALUES ('fixed', '1-10', 'full_name'), ('fixed', '11-30', 'email');
SELECT part, status, payload FROM raw.capture_raw('fixed', 'text/plain', E'Nguyễn An an@fixed.example    \nBo        bo@fixed.example\n');

-- many bodies in one go, files, and a guess where no type is said
SELECT status, payload FROM raw.capture_bodies('default', 'application/x-www-form-urlencoded', ARRAY['email=m1%40many.example', 'email=m2%40many.example', 'email=%4']::bytea[]);
SELECT part, status FROM raw.capture_file('default', 'leads.csv', E'email\nf1@file.example\nf2@file.example\n');
SELECT part, status, reasons -> 0 ->> 'code' AS code FROM raw.capture_file('default', 'again.csv', E'email\nf1@file.example\nf2@file.example\n');
SELECT count(*) FROM raw.contact WHERE email::text LIKE '%file.example';
SELECT n, lead_mgmt.content_type(name, convert_to(body, 'UTF8')) FROM (VALUES (1, 'x.JSON', ''), (2, 'x.tsv', ''), (3, NULL, '{"a":1}'), (4, NULL, E'{"a":1}\n{"a":2}'), (5, NULL, '<rss version="2.0">'),
	(6, NULL, '<feed xmlns="http://www.w3.org/2005/Atom">'), (7, NULL, ' <a/>'), (8, NULL, 'a=1&b=2'), (9, NULL, E'From: a@b.example\nSubject: x\n\n'), (10, NULL, E'a;b\n1;2\n'), (11, NULL, '')) v (n, name, body) ORDER BY n;
SELECT lead_mgmt.content_type('x.json', NULL), lead_mgmt.content_type(NULL, '\x504b0304');
SELECT status, reasons -> 0 ->> 'message' AS why FROM raw.capture_file('default', 'fair.xlsx', '\x504b0304');

-- a body that the form read wrongly is read again once the form was corrected, and only once
INSERT INTO raw.form (form) VALUES ('later');
SELECT submission_id AS later, status, reasons -> 0 ->> 'code' AS code FROM raw.capture_raw('later', 'application/xml', '<r><p><mail>l1@later.example</mail></p><p><mail>l2@later.example</mail></p><q/></r>') \gset
SELECT :'status', :'code';
UPDATE raw.form SET records = '//p' WHERE form = 'later';
UPDATE raw.submission SET payload = NULL WHERE submission_id = :later;
SELECT (raw.reprocess(:later)).status;
SELECT part, status, payload FROM raw.submission WHERE :later IN (submission_id, part_of) ORDER BY part;
SELECT (raw.reprocess(:later)).status;
SELECT count(*) FROM raw.submission WHERE part_of = :later;

-- every part of a body that is left out of the payload is in its raw bytes, which are kept once
SELECT count(*) FILTER (WHERE part_of IS NOT NULL AND raw IS NOT NULL AND payload IS NOT NULL) AS doubled,
	count(*) FILTER (WHERE payload IS NULL AND raw IS NULL) AS lost, count(*) FILTER (WHERE status IS NULL) AS undecided FROM raw.submission;

-- purging takes a body only when all that came in it may go
UPDATE raw.form SET retention = '1 day' WHERE form = 'default';
UPDATE raw.submission SET received_at = received_at - interval '2 days', processed_at = processed_at - interval '2 days';
SELECT raw.purge_submissions() > 0 AS purged;
SELECT count(*) FILTER (WHERE status IN ('accepted', 'duplicate') AND part IS NULL) AS alone, count(*) FILTER (WHERE status = 'rejected') > 0 AS rejected_stay,
	bool_and(EXISTS (SELECT FROM raw.submission p WHERE p.part_of = s.submission_id AND p.status = 'rejected')) FILTER (WHERE status = 'accepted' AND part_of IS NULL) AS bodies_wait
FROM raw.submission s WHERE form = 'default';
DROP VIEW pg_temp.latest;
SELECT lead_mgmt.drop_workspace('raw', 'raw');
