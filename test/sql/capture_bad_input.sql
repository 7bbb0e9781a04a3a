-- Whatever comes in: a row, a status and reasons, never an error and never a loss.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
\set SHOW_CONTEXT never
SELECT lead_mgmt.create_workspace('bad');
-- a payload on its way: status, and code(field) for every reason
CREATE FUNCTION pg_temp.try(payload jsonb, form text DEFAULT 'default') RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', s.status, (SELECT string_agg(format('%s(%s)', r ->> 'code', r ->> 'field'), ' ' ORDER BY n)
		FROM jsonb_array_elements(s.reasons) WITH ORDINALITY a (r, n)))
	FROM bad.capture(form, payload) s $$;
CREATE FUNCTION pg_temp.try_raw(body bytea, content_type text DEFAULT 'application/json', form text DEFAULT 'default') RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', s.status, s.reasons -> 0 ->> 'code', CASE WHEN s.raw = body THEN 'kept' END,
		CASE WHEN s.payload IS NOT NULL THEN 'read' END)
	FROM bad.capture_raw(form, content_type, body) s $$;

-- nothing, or no object
SELECT n, pg_temp.try(payload) FROM unnest(ARRAY[NULL, '{}', '[]', '[{"email": "a@b.example"}]', '"text"', '42', 'true', 'null']::jsonb[])
	WITH ORDINALITY p (payload, n) ORDER BY n;
-- nobody: valid values that tell nothing of who it is
SELECT pg_temp.try('{"name": "No One", "message": "hello"}');
SELECT reasons FROM bad.capture('default', '{"name": "No One"}');

-- forms
INSERT INTO bad.form (form, is_active) VALUES ('closed', false);
SELECT pg_temp.try('{"email": "a@form.example"}', 'closed');
-- a form that names a field which does not exist could never work as meant
INSERT INTO bad.form (form, required) VALUES ('typo', '{emial}');
INSERT INTO bad.form (form, mapping) VALUES ('typo', '{"Your mail": "emial"}');
INSERT INTO bad.form (form, defaults) VALUES ('typo', '{"sauce": "fair"}');
SELECT pg_temp.try('{"email": "a@form.example"}', 'no such form');
SELECT pg_temp.try('{"email": "a@form.example"}', '');
SELECT form, status FROM bad.capture(NULL, '{"email": "a@form.example"}');
\set VERBOSITY terse
INSERT INTO bad.submission (form, payload) VALUES (NULL, '{"email": "a@form.example"}');
\set VERBOSITY default

-- addresses
SELECT value, pg_temp.try(jsonb_build_object('email', value)) FROM unnest(ARRAY['plain', '@x.example', 'a@', 'a b@x.example', 'a@@x.example',
	'a@x..example', 'a@-x.example', 'a@x.example,b@x.example', 'a@[1.2.3.4', 'ünï@', '''; DROP TABLE bad.contact; --']) WITH ORDINALITY v (value, n) ORDER BY n;
SELECT pg_temp.try(jsonb_build_object('email', repeat('l', 400) || '@x.example')) AS local_part,
	pg_temp.try(jsonb_build_object('email', 'a@' || repeat('d', 400) || '.example')) AS domain,
	pg_temp.try(jsonb_build_object('email', repeat('x', 100000))) AS long_nonsense;
-- the offending value is quoted, shortened
SELECT reasons -> 0 ->> 'value' AS value FROM bad.capture('default', '{"email": "not an address"}');
SELECT length(reasons -> 0 ->> 'value') AS quoted FROM bad.capture('default', jsonb_build_object('email', repeat('é', 5000)));

-- phone numbers
SELECT value, pg_temp.try(jsonb_build_object('phone', value)) FROM unnest(ARRAY['020 7946 0958', '+44 20 7946 0958', '+999 1234', '++', 'call me', '+1']) WITH ORDINALITY v (value, n) ORDER BY n;
SELECT pg_temp.try('{"phone": "020 7946 0958", "country": "GB"}') AS by_country, pg_temp.try('{"phone": "020 7946 0958", "country": "Great Britain"}') AS by_name,
	pg_temp.try('{"phone": "020 7946 0958", "country": "ZZ"}') AS unknown_country;

-- values of the wrong kind
SELECT pg_temp.try('{"email": 5}') AS number, pg_temp.try('{"email": true}') AS boolean, pg_temp.try('{"email": {"a": 1}}') AS object, pg_temp.try('{"email": ["a@b.example"]}') AS array;
SELECT pg_temp.try('{"email": "kinds@x.example", "name": 42, "city": true}');
SELECT full_name, city FROM bad.contact WHERE email::text = 'kinds@x.example';
SELECT pg_temp.try('{"email": "a@x.example", "name": {"first": "A"}, "city": ["B"]}');
SELECT field, value, pg_temp.try(jsonb_build_object('email', 'v' || n || '@x.example', field, value)) FROM (VALUES
	('employees', '-1'), ('employees', '1.5'), ('employees', '3000000000'), ('employees', '12,000'), ('employees', '10'), ('employees', '7.0'),
	('budget', 'much'), ('budget', '-5'), ('budget', 'NaN'), ('budget', 'Infinity'), ('budget', '1e5'), ('budget', repeat('9', 60)), ('budget', '19.99'),
	('currency', 'euro'), ('currency', 'E1R'), ('currency', '€'), ('currency', 'eur'),
	('occurred_at', 'yesterday-ish'), ('occurred_at', '2026-02-30'), ('occurred_at', '2026-13-01'), ('occurred_at', 'infinity'), ('occurred_at', '10:00'),
	('occurred_at', '999999-01-01'), ('occurred_at', '2026-01-31T09:30:00Z'), ('occurred_at', '2026-01-31'),
	('consent_email', 'maybe'), ('consent_email', 'yes'), ('consent_email', '0')) AS v (field, value) CROSS JOIN LATERAL (SELECT abs(hashtext(field || value)) AS n) h;
SELECT pg_temp.try('{"email": "n1@x.example", "employees": 12}') AS json_number, pg_temp.try('{"email": "n2@x.example", "employees": 1e400}') AS huge,
	pg_temp.try('{"email": "n3@x.example", "budget": -1}') AS negative;
-- every fault of a record is told at once
SELECT pg_temp.try('{"email": "x", "phone": "y", "employees": "z", "currency": "w"}');

-- too long
SELECT pg_temp.try(jsonb_build_object('email', 'long@x.example', 'name', repeat('n', 2001))) AS name,
	pg_temp.try(jsonb_build_object('email', 'long@x.example', 'name', repeat('n', 2000))) AS longest_name,
	pg_temp.try(jsonb_build_object('email', 'long@x.example', 'company', repeat('c', 501))) AS company,
	pg_temp.try(jsonb_build_object('email', 'long@x.example', 'page', repeat('p', 501))) AS page,
	pg_temp.try(jsonb_build_object('email', 'long@x.example', 'page', repeat('p', 500))) AS longest_page,
	pg_temp.try(jsonb_build_object('email', 'long@x.example', 'message', repeat('m', 100001))) AS message,
	pg_temp.try(jsonb_build_object('source_id', repeat('s', 501))) AS source_id;
SELECT status, reasons -> 0 ->> 'code' AS code FROM bad.capture('default', '{"email": "ext@x.example"}', repeat('x', 501));
-- incompressible keys of the largest size fit the indexes
SELECT pg_temp.try(jsonb_build_object('email', 'rnd@random.example', 'page', p, 'company', p, 'visitor', p, 'source_id', p)) FROM (SELECT left(string_agg(md5(n::text), ''), 500) AS p FROM generate_series(1, 20) n) x;

-- required
INSERT INTO bad.form (form, required, blank_values) VALUES ('strict', '{email,full_name,phone}', '{none}');
SELECT pg_temp.try('{"email": "r@x.example"}', 'strict') AS missing, pg_temp.try('{"email": "r@x.example", "name": "", "phone": "  "}', 'strict') AS empty,
	pg_temp.try('{"email": "r@x.example", "name": "none", "phone": null}', 'strict') AS blank, pg_temp.try('{"email": "r@x.example", "name": "R", "phone": "zero"}', 'strict') AS invalid;
SELECT pg_temp.try(E'{"email": "r@x.example", "name": "\u00a0\u3000\\u200b", "phone": "\\t\\n"}', 'strict') AS invisible;

-- a form may drop what it cannot read and take the rest
INSERT INTO bad.form (form, invalid_values, required) VALUES ('lenient', 'drop', '{}'), ('lenient_strict', 'drop', '{phone}');
SELECT status, reasons, contact_id IS NOT NULL AS contact FROM bad.capture('lenient', '{"email": "len@x.example", "phone": "zero", "employees": "some", "name": ["x"]}');
SELECT pg_temp.try('{"email": "broken", "phone": "+442079460959"}', 'lenient') AS by_phone, pg_temp.try('{"email": "broken"}', 'lenient') AS nothing_left,
	pg_temp.try('{"email": "len@x.example", "phone": "zero"}', 'lenient_strict') AS required_dropped;

-- names that are not known: a warning
SELECT status, reasons FROM bad.capture('default', '{"email": "w@x.example", "campaign": "none such", "source": "hearsay"}');
SELECT campaign_id, source FROM bad.lead JOIN bad.contact USING (contact_id) WHERE contact.email::text = 'w@x.example';
SELECT pg_temp.try('{"email": "w@x.example", "kind": "levitation", "channel": "smoke signals"}');

-- large and deep
INSERT INTO bad.form (form, maximum_bytes) VALUES ('small', 1000);
SELECT pg_temp.try(jsonb_build_object('email', 'big@x.example', 'message', repeat('m', 1000)), 'small') AS over, pg_temp.try(jsonb_build_object('email', 'big@x.example', 'message', repeat('m', 500)), 'small') AS under,
	pg_temp.try_raw(convert_to('{"email": "big@x.example", "message": "' || repeat('m', 1000) || '"}', 'UTF8'), form => 'small') AS raw;
SELECT pg_temp.try((SELECT jsonb_object_agg('key' || n, n) FROM generate_series(1, 10000) n) || '{"email": "keys@x.example"}') AS ten_thousand_keys,
	pg_temp.try((SELECT jsonb_object_agg('key' || n, n) FROM generate_series(1, 10000) n)) AS but_nobody;
SELECT pg_temp.try(jsonb_build_object('email', 'deep@x.example', 'x', (repeat('[', 1000) || repeat(']', 1000))::jsonb)) AS deep_value,
	pg_temp.try(jsonb_build_object('email', 'deep@x.example', 'name', (repeat('[', 1000) || repeat(']', 1000))::jsonb)) AS deep_name;
SELECT pg_temp.try_raw(convert_to(repeat('[', 524288) || repeat(']', 524288), 'UTF8')) AS a_megabyte_deep,
	pg_temp.try_raw(convert_to(repeat('{"a":', 100000) || '1' || repeat('}', 100000), 'UTF8')) AS deep_objects,
	pg_temp.try_raw(convert_to('{"email": "deep@x.example", "x": ' || repeat('[', 400) || repeat(']', 400) || '}', 'UTF8')) AS bearable,
	pg_temp.try_raw(convert_to('{"email": "deep@x.example", "x": "' || repeat('[', 1000) || '"}', 'UTF8')) AS only_text,
	pg_temp.try_raw(convert_to('{"email": "deep@x.example", "x": "' || repeat('y', 1048576) || '"}', 'UTF8')) AS megabyte_of_text;

-- bytes
SELECT '{"email": "nul@x.example", "name": "a\u0000b"}'::jsonb;
SELECT pg_temp.try_raw('{"email": "a@x.example"}') AS good, pg_temp.try_raw('{"email": "a@x.example"}', 'application/json; charset=utf-8') AS with_charset,
	pg_temp.try_raw('{"email": "a@x.example"}', NULL) AS no_type, pg_temp.try_raw('<x/>', 'text/xml') AS xml;
SELECT pg_temp.try_raw('\x7b2261223a2022000022207d') AS nul_byte, pg_temp.try_raw('{"email": "a@x.example", "name": "a\\u0000b"}') AS nul_escape,
	pg_temp.try_raw('\x7b22656d61696c223a2022c3287d') AS invalid_utf8, pg_temp.try_raw('\xeda080') AS surrogate, pg_temp.try_raw('\xff') AS ff,
	pg_temp.try_raw('{"email": "a@x.example", "name": "\\ud800"}') AS half_pair, pg_temp.try_raw('') AS empty, pg_temp.try_raw(NULL) AS nothing;
SELECT body, pg_temp.try_raw(convert_to(body, 'UTF8')) FROM unnest(ARRAY['{"email": "a@x.exam', '{', '{"a": 1,}', '{"a" 1}', '{} {}', 'hello', '[1, 2', '   ', '{}', '[]', 'null', '{"email": "a@x.example"} '])
	WITH ORDINALITY b (body, n) ORDER BY n;
SELECT pg_temp.try_raw(convert_to('{"email": "first@x.example", "email": "last@x.example"}', 'UTF8'));
SELECT payload FROM bad.submission ORDER BY submission_id DESC LIMIT 1;

-- text that could be taken for something else stays text
SELECT status FROM bad.capture('default', $${"email": "sql@gmail.com", "name": "'; DROP TABLE bad.lead; --", "city": "{\"a\":1}", "company": "\\\\N", "page": "%s%n $1 @workspace@"}$$);
SELECT c.full_name, c.city, a.name, l.page, l.context_key FROM bad.contact c JOIN bad.account a USING (account_id) JOIN bad.lead l USING (contact_id) WHERE c.email::text = 'sql@gmail.com';

-- names that payloads may not reach
SELECT status FROM bad.capture('default', '{"email": "own@x.example", "contact_id": 1, "lead_id": 1, "stage": "converted", "status": "won", "is_existing_customer": true, "agent_id": 7}');
SELECT l.stage, l.status, l.is_existing_customer, l.agent_id, c.contact_id > 1 AS own_contact FROM bad.lead l JOIN bad.contact c USING (contact_id) WHERE c.email::text = 'own@x.example';

-- without the privilege it is an error, not a submission
CREATE ROLE regress_bad_nobody;
GRANT USAGE ON SCHEMA bad, lead_mgmt TO regress_bad_nobody;
SET ROLE regress_bad_nobody;
SELECT bad.capture('default', '{"email": "p@x.example"}');
SELECT bad.capture_raw('default', 'application/json', '{}');
INSERT INTO bad.submission (payload) VALUES ('{"email": "p@x.example"}');
\set VERBOSITY sqlstate
SELECT bad.capture('default', '{"email": "p@x.example"}');
INSERT INTO bad.submission (payload) VALUES ('{"email": "p@x.example"}');
\set VERBOSITY default
RESET ROLE;
DROP OWNED BY regress_bad_nobody;
DROP ROLE regress_bad_nobody;

-- nothing is left undecided, every rejection has its reasons, none left anything behind
SELECT count(*) FILTER (WHERE status IS NULL) AS undecided, count(*) FILTER (WHERE status = 'rejected' AND reasons IS NULL) AS unexplained,
	count(*) FILTER (WHERE status = 'rejected' AND (contact_id IS NOT NULL OR lead_id IS NOT NULL OR interaction_id IS NOT NULL)) AS leftovers
FROM bad.submission;
SELECT count(*) AS stray FROM bad.interaction i JOIN bad.submission s USING (submission_id) WHERE s.status <> 'accepted';
SELECT count(*) AS odd_reasons FROM bad.submission s, jsonb_array_elements(s.reasons) r
WHERE NOT r ?& '{field,code,value,message,severity}' OR r ->> 'severity' NOT IN ('error', 'warning') OR r ->> 'message' = '';
-- one bad row, of any kind, never costs its neighbours
INSERT INTO bad.submission (form, payload, raw) SELECT form, payload, raw FROM bad.submission WHERE status = 'rejected' ORDER BY submission_id;
INSERT INTO bad.submission (payload) SELECT payload FROM (
	SELECT submission_id AS n, payload FROM bad.submission WHERE status = 'rejected' AND raw IS NULL
	UNION ALL SELECT n, jsonb_build_object('email', 'good' || n || '@neighbour.example') FROM generate_series(1, 200) n) x ORDER BY n;
SELECT status, count(*) FROM bad.submission WHERE payload ->> 'email' LIKE '%@neighbour.example' GROUP BY 1;

DROP FUNCTION pg_temp.try(jsonb, text), pg_temp.try_raw(bytea, text, text);
SELECT lead_mgmt.drop_workspace('bad', 'bad');
