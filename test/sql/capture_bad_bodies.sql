-- Bytes that are not what they say: a rejected submission that keeps them, with the reason; never a crash, never a lost neighbour.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
\set SHOW_CONTEXT never
SELECT lead_mgmt.create_workspace('worse');
-- status and code of each record, and whether the bytes were kept
CREATE FUNCTION pg_temp.try(content_type text, body bytea, form text DEFAULT 'default') RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', s.status, s.reasons -> 0 ->> 'code'), ', ' ORDER BY s.part) || CASE WHEN bool_or(s.raw IS NOT DISTINCT FROM body) THEN ' kept' ELSE ' LOST' END
	FROM worse.capture_raw(form, content_type, body) s $$;

-- name-value pairs: broken escapes, bytes that are no text, character sets, nothing at all
SELECT body, pg_temp.try('application/x-www-form-urlencoded', body::bytea) FROM unnest(ARRAY['a=%zz', 'a=%', 'a=%4', '%e9=1&email=x@y.example', 'email=%E9%40x.example', 'a=%00', '&&&', '=', '=x', 'a', '&email=ok%40pairs.example&', 'email=ok%40pairs.example' || E'\r\n',
	'email=ok%40pairs.example&email=two%40pairs.example']) WITH ORDINALITY b (body, n) ORDER BY n;
SELECT pg_temp.try('application/x-www-form-urlencoded; charset=windows-1252', 'email=ok%40pairs.example&name=Ren%E9') AS charset;
SELECT full_name FROM worse.contact WHERE email::text = 'ok@pairs.example';
SELECT pg_temp.try('application/x-www-form-urlencoded; charset=' || c, 'email=ok%40pairs.example') FROM unnest('{klingon,UTF-8//TRANSLIT,../../etc/passwd,"",utf-16}'::text[]) WITH ORDINALITY x (c, n) ORDER BY n;
SELECT pg_temp.try('application/x-www-form-urlencoded', convert_to((SELECT string_agg('f' || n || '=' || n, '&') FROM generate_series(1, 20000) n), 'UTF8')) AS many_fields,
	pg_temp.try('application/x-www-form-urlencoded', convert_to(repeat('a=1&', 50000) || 'email=ok%40pairs.example', 'UTF8')) AS one_name_often;

-- multipart: truncated, without its boundary, with headers injected into a name, nested
SELECT body, pg_temp.try('multipart/form-data; boundary=b', replace(body, '|', E'\r\n')::bytea) FROM unnest(ARRAY['', '--b--', '--b|Content-Disposition: form-data; name="email"||ok@parts.example', '--b|Content-Disposition: form-data; name="email"||ok@parts.example|--b',
	'--b|Content-Disposition: form-data; name="email"||ok@parts.example|--b--', '--b|Content-Disposition: form-data; name="email|Content-Type: text/html|X: "||ok@parts.example|--b--', '--b||no name|--b--',
	'--c|Content-Disposition: form-data; name="email"||ok@parts.example|--c--']) WITH ORDINALITY b (body, n) ORDER BY n;
SELECT pg_temp.try('multipart/form-data', '--b--') AS no_boundary, pg_temp.try('multipart/form-data; boundary=', '--b--') AS empty_boundary;
SELECT pg_temp.try('multipart/form-data; boundary=b', convert_to(repeat(E'--b\r\n\r\n\r\n', 2000) || '--b--', 'UTF8')) AS many_parts;

-- JSON and JSON lines
SELECT body, pg_temp.try('application/x-ndjson', convert_to(body, 'UTF8')) FROM unnest(ARRAY['', E'\n\n', '{', E'{"email": "ok@lines.example"}\n{', E'{\n"email": "ok@lines.example"\n}', '[{"email": "ok@lines.example"}]', E'null\n{"email": "ok@lines.example"}', E'{"email": "ok@lines.example"}\n{"a": "\\u0000"}']) WITH ORDINALITY b (body, n) ORDER BY n;
SELECT pg_temp.try('application/x-ndjson', '\x7b22656d61696c223a22c3287d') AS invalid_utf8, pg_temp.try('application/json; charset=utf-16le', '\x7b00') AS utf16, pg_temp.try('application/json', '[{"email": "ok@lines.example"}, {"email": ') AS truncated,
	pg_temp.try('application/json', '[]') AS empty_list, pg_temp.try('application/x-ndjson', convert_to(E'{"email": "ok@lines.example"}\n' || repeat('[', 1000) || repeat(']', 1000), 'UTF8')) AS deep_line;
-- a hundred bad lines cost nobody else anything
SELECT status, count(*), bool_and(raw IS NOT NULL) FROM worse.capture_raw('default', 'application/x-ndjson', convert_to((SELECT string_agg(CASE WHEN n % 2 = 0 THEN 'bad ' || n ELSE '{"email": "n' || n || '@lines.example"}' END, E'\n') FROM generate_series(1, 200) n), 'UTF8')) WHERE part > 1 GROUP BY 1 ORDER BY 1;

-- CSV: ragged rows, quotes, a million columns
SELECT body, pg_temp.try('text/csv', replace(body, '|', E'\n')::bytea) FROM unnest(ARRAY['', 'email', 'email,name|', 'email,name|ok@csv.example|', 'email,name|ok@csv.example,N,more', 'email,name|ok@csv.example,N,,', 'email,name|"ok@csv.example', 'email,name|"ok@csv.example"x,N', 'email,name|bad@csv.example,"N|ok@csv.example,N',
	'"email,name|ok@csv.example,N', ',|a,b', 'email,email|ok@csv.example,two@csv.example', 'email;name|"ok@csv.example";"a;""b"""']) WITH ORDINALITY b (body, n) ORDER BY n;
SELECT pg_temp.try('text/csv', convert_to(repeat('c,', 1000000) || E'email\n', 'UTF8')) AS million_columns, pg_temp.try('text/csv', convert_to(E'email,name\n' || repeat(',', 1000000) || E'\nok@csv.example,N\n', 'UTF8')) AS million_fields,
	pg_temp.try('text/csv', convert_to(E'email,name\nok@csv.example,"' || repeat('x', 3000000) || E'"\nok@csv.example,N\n', 'UTF8')) AS large_field;
-- the row that was ragged is kept with the header above it, and read once it was corrected
SELECT submission_id AS ragged FROM worse.capture_raw('default', 'text/csv', E'email;name\nok@csv.example;N\nfix@csv.example\n') WHERE status = 'rejected' \gset
SELECT convert_from(raw, 'UTF8') AS raw, content_type FROM worse.submission WHERE submission_id = :ragged;
UPDATE worse.submission SET raw = E'email;name\nfix@csv.example;F' WHERE submission_id = :ragged;
SELECT status, payload FROM worse.reprocess(:ragged);

-- XML: no entity is ever expanded or fetched, no document type loaded
SELECT body, pg_temp.try('text/xml', body::bytea) FROM unnest(ARRAY['', '<', '<a>', '<a/>', '<a>&x;</a>', '<a>&#0;</a>', '<a><b></a></b>', 'text', '<a/><b/>', '<a>&#x41;&lt;</a>', '<r><email>ok@xml.example</email></r>', '<email>ok@xml.example</email>',
	'<!DOCTYPE r SYSTEM "http://127.0.0.1:1/x.dtd"><r><email>ok@xml.example</email></r>', '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r><email>&x;</email></r>', '<!DOCTYPE r [<!ENTITY % x SYSTEM "http://127.0.0.1:1/x">%x;]><r/>',
	'<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><l>&c;&c;&c;</l>', '<r xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file:///etc/passwd" parse="text"/></r>',
	'<?xml version="1.0" encoding="klingon"?><r/>', '<?xml version="1.0" encoding="UTF-16"?><r><email>ok@xml.example</email></r>']) WITH ORDINALITY b (body, n) ORDER BY n;
SELECT pg_temp.try('text/xml', convert_to(repeat('<a>', 100000), 'UTF8')) AS deep, pg_temp.try('text/xml', convert_to(repeat('<a>', 200) || 'x' || repeat('</a>', 200), 'UTF8')) AS bearable, pg_temp.try('text/xml', '<r>'::bytea || '\xff'::bytea || '</r>') AS invalid_utf8,
	pg_temp.try('text/xml', '<?xml version="1.0" encoding="iso-8859-1"?><r><email>ok@xml.example</email><name>'::bytea || '\xe9'::bytea || '</name></r>') AS latin1;
SELECT pg_temp.try('application/rss+xml', '<rss/>') AS no_channel, pg_temp.try('application/rss+xml', '<rss><channel/></rss>') AS no_item, pg_temp.try('application/atom+xml', '<feed><entry/></feed>') AS empty_entry;
INSERT INTO worse.form (form, records) VALUES ('path', '//['), ('number', 'count(//a)');
INSERT INTO worse.form (form) VALUES ('names');
INSERT INTO worse.form_field (form, name, field) VALUES ('names', '//[', 'email');
SELECT pg_temp.try('text/xml', '<a/>', 'path') AS no_path, pg_temp.try('text/xml', '<a/>', 'number') AS no_elements, pg_temp.try('text/xml', '<a/>', 'names') AS no_name;

-- mail: no headers, nested a thousand deep, headers injected, character sets mixed and made up
SELECT n, pg_temp.try('message/rfc822', convert_to(body, 'UTF8')) FROM unnest(ARRAY['', 'hello', E'\n\nbody', 'From: x', E'Subject: x\n\n', E'From: ok@mail.example\n\nhi', E'From: "A\\" B" <ok@mail.example>\nSubject: =?utf-8?B?////?= =?klingon?Q?x?= =?utf-8?Q?=\n\nhi',
	E'From: ok@mail.example\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=klingon\n\nbé\n--b\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: base64\n\n6Q==',
	E'From: ok@mail.example\nContent-Type: multipart/mixed\n\n--b\n\nhi', E'From: ok@mail.example\nContent-Transfer-Encoding: base64\n\n!!!!', E'From: ok@mail.example\nContent-Transfer-Encoding: quoted-printable\n\n=ZZ=\n=4',
	E'From: =?utf-8?Q?a=0D=0ABcc:_victim=40x.example?= <ok@mail.example>\nSubject: =?utf-8?Q?x=0D=0A=0D=0Ainjected?=\n\nhi']) WITH ORDINALITY b (body, n) ORDER BY n;
SELECT payload ->> 'title' AS title, payload ->> 'full_name' AS full_name FROM worse.submission ORDER BY submission_id DESC LIMIT 1;
-- what is too long for a field is cut where nobody chose it
SELECT status, octet_length(payload ->> 'message') AS message, octet_length(payload ->> 'title') AS title FROM worse.capture_raw('default', 'message/rfc822', convert_to(E'From: ok@mail.example\nSubject: ' || repeat('é', 5000) || E'\n\n' || repeat('hello ', 30000), 'UTF8'));
SELECT pg_temp.try('message/rfc822', convert_to(E'From: ok@mail.example\n' || (SELECT string_agg('Content-Type: multipart/mixed; boundary=b' || n || E'\n\n--b' || n || E'\n', '') FROM generate_series(1, 1000) n) || E'\ndeep', 'UTF8')) AS nested_parts,
	pg_temp.try('message/rfc822', convert_to(repeat(E'Content-Type: message/rfc822\n\n', 1000), 'UTF8')) AS nested_messages,
	pg_temp.try('message/rfc822', convert_to(E'From: ok@mail.example\n' || repeat(E'X: y\n', 2000), 'UTF8')) AS many_headers,
	pg_temp.try('message/rfc822', convert_to(E'From: ok@mail.example\nSubject: ' || repeat('=?a?q?', 100000) || E'\n\nhi', 'UTF8')) AS broken_words,
	pg_temp.try('message/rfc822', convert_to(E'From: ok@mail.example\nContent-Type: text/html\n\n' || repeat('<div>', 100000) || 'hi', 'UTF8')) AS deep_html;

-- too large, of an unknown type, in a form that is none
INSERT INTO worse.form (form, maximum_body_bytes) VALUES ('little', 100);
SELECT pg_temp.try('text/csv', convert_to(repeat('x', 101), 'UTF8'), 'little') AS over, pg_temp.try('application/pdf', '%PDF') AS pdf, pg_temp.try('multipart/mixed; boundary=b', '--b--') AS mixed, pg_temp.try(repeat('x', 5000), 'x') AS long_type,
	pg_temp.try(E'text/csv\r\nX: y', 'email') AS line_end_in_type, pg_temp.try('text/csv', 'email', 'no such form') AS no_form, pg_temp.try('application/json', NULL) AS nothing;
\set VERBOSITY terse
INSERT INTO worse.form (form, maximum_body_bytes) VALUES ('huge', 268435457);
\set VERBOSITY default

-- bad bodies among good ones, in one statement
INSERT INTO worse.submission (content_type, raw) SELECT content_type, raw FROM worse.submission WHERE status = 'rejected' AND length(raw) < 10000;
INSERT INTO worse.submission (content_type, raw) SELECT CASE n % 3 WHEN 0 THEN 'text/xml' WHEN 1 THEN 'application/x-www-form-urlencoded' ELSE 'application/json' END,
	convert_to(CASE n % 3 WHEN 0 THEN '<r><email>g' || n || '@good.example</email></r>' WHEN 1 THEN 'email=g' || n || '%40good.example' ELSE '{"email": "g' || n || CASE WHEN n % 2 = 0 THEN '@good.example"}' ELSE '' END END, 'UTF8') FROM generate_series(1, 60) n;
SELECT status, count(*) FROM worse.submission WHERE submission_id > (SELECT max(submission_id) - 60 FROM worse.submission) GROUP BY 1 ORDER BY 1;
SELECT count(*) FILTER (WHERE status IS NULL) AS undecided, count(*) FILTER (WHERE status = 'rejected' AND reasons IS NULL) AS unexplained FROM worse.submission;
SELECT DISTINCT r ->> 'code' AS code FROM worse.submission s, jsonb_array_elements(s.reasons) r WHERE r ->> 'severity' = 'error' ORDER BY 1;
-- a constraint of the user's costs the record that breaks it and no other, the first of a body included; its payload is kept too
ALTER TABLE worse.contact ADD CONSTRAINT no_nobody CHECK (full_name <> 'Nobody');
SELECT part, status, reasons -> 0 ->> 'code' AS code, payload ->> 'email' AS email, part_of IS NULL AS keeps_body FROM worse.capture_raw('default', 'application/json',
	'[{"email": "c1@constraint.example", "name": "Nobody"}, {"email": "c2@constraint.example"}, {"email": "c3@constraint.example", "name": "Nobody"}, {"email": "c4@constraint.example"}]');
UPDATE worse.submission SET payload = payload - 'name' WHERE payload ->> 'name' = 'Nobody';
SELECT (worse.reprocess(submission_id)).status FROM worse.submission WHERE reasons -> 0 ->> 'code' = 'database_error';
SELECT count(*) FROM worse.submission WHERE payload ->> 'email' LIKE '%constraint.example';
DROP FUNCTION pg_temp.try(text, bytea, text);
SELECT lead_mgmt.drop_workspace('worse', 'worse');
