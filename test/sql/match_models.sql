-- Match models on any table: proposed, trained, used, explained.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
\set VERBOSITY terse

-- 400 people, each known under two or three spellings; spread by arithmetic, not by chance
CREATE TEMP TABLE person AS
WITH base AS (
	SELECT n,
		(ARRAY['Anna','Robert','Elizabeth','Thomas','Margaret','Quang','Ines','William','Sofia','Peter','Ngoc','Katherine'])[1 + n % 12] AS given,
		(ARRAY['Huber','Nguyen','Garcia','Miller','Schneider','Kowalski','Rossi','Tanaka','Andersen','Okafor','Dubois','Petrov','Larsson'])[1 + n % 13]
			|| (ARRAY['','s','mann','ova','berg'])[1 + n % 5] AS family,
		date '1950-01-01' + n * 97 % 18000 AS born,
		(ARRAY['Berlin','Hà Nội','Madrid','Lyon','Oslo','Leeds','Porto'])[1 + n * 3 % 7] AS city,
		'+49301' || lpad((n * 7919 % 1000000)::text, 6, '0') AS phone
	FROM generate_series(1, 400) n)
SELECT row_number() OVER (ORDER BY n, copy)::int AS id, n AS person, x.* FROM base, LATERAL (VALUES
	(1, given, family, to_char(born, 'YYYY-MM-DD'), city, lower(given || '.' || family) || n || '@example.org', phone),
	(2, CASE n % 4 WHEN 0 THEN family WHEN 1 THEN left(given, 2) || substr(given, 4) ELSE given END,
		CASE n % 4 WHEN 0 THEN given WHEN 2 THEN left(family, 3) || substr(family, 5) ELSE family END,
		to_char(born + CASE WHEN n % 7 = 0 THEN 1 ELSE 0 END, 'YYYY-MM-DD'), NULLIF(city, 'Oslo'),
		CASE WHEN n % 3 <> 0 THEN upper(given || '.' || family) || n || '@example.org' END, CASE WHEN n % 5 = 0 THEN phone END)
) x (copy, first_name, surname, dob, city, email, phone);

-- what the columns hold
SELECT f ->> 'field' AS field, f ->> 'kind' AS kind
FROM lead_mgmt.propose_match_model('SELECT id, first_name, surname, dob, city, email, phone FROM person') m,
	jsonb_array_elements(m -> 'fields') f ORDER BY 1;
-- what columns hold, whatever they are called
SELECT f ->> 'column' AS "column", f ->> 'kind' AS kind
FROM lead_mgmt.propose_match_model($q$ SELECT i AS id, (ARRAY['Anna','Robert','Peter','Maria'])[1 + i % 4] || ' ' || chr(65 + i % 26) || 'uber' AS "Full Name",
	'a' || i % 70 AS "firstName", 'b' || i % 80 AS lname, 'c' || i % 90 AS "Firma", 'd' || i % 60 || '@example.org' AS "E-Mail", '0301234' || 100 + i % 90 AS "Điện thoại",
	'e ' || i % 80 AS mailing_address, 'f' || i % 40 AS "zipCode", 'g' || i % 40 AS capacity, DATE '2024-01-01' + i AS last_contact, 'h' || i % 50 AS "VAT no",
	i % 7 AS company_size, 'i' || i % 40 AS statement_text FROM generate_series(1, 200) i $q$) m,
	jsonb_array_elements(m -> 'fields') f WHERE f ->> 'part' IS NULL ORDER BY f ->> 'column' COLLATE "C";
-- whole names that repeat their parts only stand in for them, however many there are
SELECT f ->> 'column' AS "column", f ->> 'full_name' AS full_name, f ->> 'kind' AS kind
FROM lead_mgmt.propose_match_model($q$ SELECT id, concat_ws(' ', first_name, surname, nullif(person % 3, 0)) AS full_name, concat_ws(' ', first_name, surname) AS first_and_surname,
	first_name, surname, concat_ws(' ', surname, first_name) AS "lastFirst", city FROM person $q$) m,
	jsonb_array_elements(m -> 'fields') f ORDER BY f ->> 'column' COLLATE "C";
-- and when they are called nothing
SELECT string_agg(format('%s %s', f ->> 'field', f ->> 'kind'), ', ' ORDER BY n) AS fields
FROM lead_mgmt.propose_match_model('SELECT id, first_name AS a, surname AS b, dob AS c, email AS e, phone AS f, ''Haus '' || person || '', Ring 7'' AS g, person * 977 % 89999 + 10000 || '''' AS h,
	''www.shop'' || person || ''.example'' AS i, ''DE '' || person * 7919 + 100000000 AS j FROM person') m, jsonb_array_elements(m -> 'fields') WITH ORDINALITY x (f, n) WHERE f ->> 'part' IS NULL;

CREATE TEMP TABLE model AS
SELECT lead_mgmt.train_match_model(q, lead_mgmt.propose_match_model(q)) AS model
FROM (VALUES ('SELECT id, first_name, surname, dob, city, email, phone FROM person')) v (q);
SELECT model -> 'trained' AS trained, model -> 'report' ->> 'records' AS records, model -> 'report' -> 'converged' AS converged,
	(model -> 'report' ->> 'matches')::int BETWEEN 380 AND 420 AS matches_are_about_400 FROM model;
-- from which probability on pairs are right so often, by the fitted mixture; or that one as the threshold
SELECT count(*) >= 4 AS listed, bool_and(is_higher) AS rising, bool_and((t ->> 'recall')::float8 BETWEEN 0.8 AND 1) AS recall
FROM (SELECT t, (t ->> 'match_probability')::float8 >= lag((t ->> 'match_probability')::float8, 1, 0) OVER (ORDER BY n) AS is_higher
	FROM model, jsonb_array_elements(model -> 'report' -> 'thresholds') WITH ORDINALITY AS x (t, n)) t;
SELECT (strict ->> 'match_probability')::float8 > (loose ->> 'match_probability')::float8 AS stricter, loose ->> 'match_precision' AS asked
FROM (SELECT lead_mgmt.train_match_model('person', model || '{"match_precision": 0.999}') AS strict,
	lead_mgmt.train_match_model('person', model || '{"match_precision": 0.7}') AS loose FROM model) m;
SELECT lead_mgmt.check_match_model(model || '{"match_precision": 1.5}') FROM model;
-- training again gives the same
SELECT count(DISTINCT m) FROM (SELECT model FROM model UNION ALL
	SELECT lead_mgmt.train_match_model('person', m) FROM (SELECT lead_mgmt.propose_match_model(
		'SELECT id, first_name, surname, dob, city, email, phone FROM person') AS m) p) x (m);

-- pairs: nearly all true ones, nearly no others
SELECT count(*) FILTER (WHERE a.person = b.person) >= 390 AS found, count(*) FILTER (WHERE a.person <> b.person) <= 4 AS hardly_another
FROM model, lead_mgmt.find_pairs('person', model, 0.95) p JOIN person a ON a.id::text = left_id JOIN person b ON b.id::text = right_id;
-- each once, none with itself
SELECT count(*) = count(DISTINCT (least(left_id, right_id), greatest(left_id, right_id))), bool_or(left_id = right_id)
FROM model, lead_mgmt.find_pairs('person', model, 0);
-- linking two sets: only across
SELECT bool_and(left_id::int % 2 <> right_id::int % 2) AS across, count(*) > 350 AS found
FROM model, lead_mgmt.find_pairs('SELECT * FROM person WHERE id % 2 = 0', model, 0.9, 'SELECT * FROM person WHERE id % 2 = 1');
-- one score on every path, to the last bit
SELECT bool_and(p.probability = lead_mgmt.match_probability(model, to_jsonb(a), to_jsonb(b))) AS same_score,
	bool_and(p.probability = e.probability) AS same_explained
FROM model, lead_mgmt.find_pairs('person', model, 0.5) p JOIN person a ON a.id::text = left_id JOIN person b ON b.id::text = right_id,
	LATERAL (SELECT probability FROM lead_mgmt.explain_pair(model, to_jsonb(a), to_jsonb(b)) WITH ORDINALITY x ORDER BY ordinality DESC LIMIT 1) e;
-- the same whatever the key's type
SELECT (SELECT array_agg(probability ORDER BY probability) FROM model, lead_mgmt.find_pairs('person', model, 0.5))
	= (SELECT array_agg(probability ORDER BY probability) FROM model,
		lead_mgmt.find_pairs('SELECT ''k'' || id AS id, first_name, surname, dob::date, city, email, phone FROM person', model, 0.5)) AS same;
-- the same rows in the same order where they are selected one by one; whoever wants a few may stop
SELECT (SELECT array_agg(p::text) FROM model, lead_mgmt.find_pairs('person', model, 0.5) p)
	= (SELECT array_agg(p::text) FROM (SELECT lead_mgmt.find_pairs('person', model, 0.5) AS p FROM model) s) AS same,
	(SELECT array_agg(p::text) FROM model, lead_mgmt.find_pairs('SELECT ''k'' || id AS id, first_name, surname, dob::date, city, email, phone FROM person', model, 0.5) p)
	= (SELECT array_agg(p::text) FROM (SELECT lead_mgmt.find_pairs('SELECT ''k'' || id AS id, first_name, surname, dob::date, city, email, phone FROM person', model, 0.5) AS p FROM model) s) AS same_by_text;
SELECT count((p).left_id) FROM (SELECT lead_mgmt.find_pairs('person', model, 0) AS p FROM model LIMIT 3) s;
SELECT count(*) FROM (SELECT lead_mgmt.find_pairs('SELECT * FROM person WHERE false', model) FROM model) s;
SELECT lead_mgmt.find_pairs('person', NULL);
-- a blank is no evidence, nor is what stands for one
SELECT part, level, weight FROM model, lead_mgmt.explain_pair(model,
	'{"first_name": "Ann", "surname": "n/a", "email": ""}', '{"first_name": "Ann", "surname": "unknown", "city": null}')
WHERE part IN ('surname', 'email', 'city', 'dob');
-- swapped names, a name found in an e-mail address
SELECT part, level, left_value, right_value FROM model, lead_mgmt.explain_pair(model,
	'{"first_name": "Petrov", "surname": "Ngọc"}', '{"first_name": "ngoc", "surname": "PETROV"}') WHERE part IN ('first_name', 'surname', 'order of names');
SELECT part, level FROM model, lead_mgmt.explain_pair(model,
	'{"first_name": "Elizabeth"}', '{"email": "elizabeth.rossi@example.net"}') WHERE part = 'first_name';
-- one domain speaks for one person the more the rarer it is, but not where it is a company's
SELECT a ->> 'email' AS "left", b ->> 'email' AS "right", e.level, e.weight > 0 AS more_than_usual
FROM (VALUES (jsonb '{"email": "anna.weber@gmx.de"}', jsonb '{"email": "olga.stein@gmx.de"}'), ('{"email": "anna.weber@corp.example"}', '{"email": "olga.stein@corp.example"}')) v (a, b),
	LATERAL lead_mgmt.explain_pair('{"fields": [{"field": "email", "kind": "email", "column": "email"},
		{"field": "email.mailbox", "of": "email", "part": "mailbox", "kind": "text"}, {"field": "email.domain", "of": "email", "part": "domain", "kind": "text", "agreement": 0.1, "rest_frequency": 0.0001}],
		"comparisons": [{"field": "email"}]}', a, b) e WHERE part = 'email';
-- the order of names says something only where one of them agrees
SELECT b ->> 'given_name' AS given, b ->> 'family_name' AS family, (SELECT e.level FROM lead_mgmt.explain_pair('{
		"fields": [{"field": "given_name", "kind": "given_name", "column": "given_name"}, {"field": "family_name", "kind": "family_name", "column": "family_name"}],
		"comparisons": [{"field": "given_name"}, {"field": "family_name"}], "name_order": {"given": "given_name", "family": "family_name"}}',
	'{"given_name": "Thomas", "family_name": "Martin"}', b) e WHERE e.part = 'order of names') AS "order"
FROM (VALUES (jsonb '{"given_name": "Thomas", "family_name": "Martin"}'), ('{"given_name": "Martin", "family_name": "Thomas"}'),
	('{"given_name": "Olga", "family_name": "Thomas"}'), ('{"given_name": "Olga", "family_name": "Kuznetsova"}'), ('{"given_name": "Thomas"}')) v (b);

-- names of companies: words cut short, drawn together or as initials; words of their own
SELECT a, b, level FROM (VALUES ('Halashaw Intl.', 'Halashaw International Ltd'), ('Innovision Grp Limited', 'Innovision Group'), ('SLL Ing. S.A.', 'SLL Ingeniería'),
		('Công ty TNHH TM DV Kim An', 'Thương Mại Dịch Vụ Kim An'), ('TMDV Kim An', 'Cong ty TNHH Thuong Mai Dich Vu Kim An'),
		('Halswell Financial Ltd', 'Halswell Pharmaceuticals Limited'), ('Sternenergie Bau', 'Sternenergie Handel'), ('Sternenergie', 'Sternenergie Handel GmbH'),
		('Norleton Indoostries', 'Norleton Industries'), ('华为技术', '华为科技')) v (a, b),
	LATERAL lead_mgmt.explain_pair('{"fields": [{"field": "name", "kind": "organisation", "column": "name"}], "comparisons": [{"field": "name"}]}',
		jsonb_build_object('name', a), jsonb_build_object('name', b)) WHERE part = 'name';
-- mailboxes: a number tells namesakes apart, an initial colleagues
SELECT a, b, level FROM (VALUES ('andrew.crouch33@example.org', 'andrew.crouch70@example.org'), ('andrew.crouch33@example.org', 'andrew.cruoch33@example.org'),
		('andrew.crouch33@example.org', 'andrew.crouch34@example.org'), ('l.tran@hgi.example', 'm.tran@hgi.example'), ('l.tran.hn@gmail.com', 'm.tran.hn@gmail.com'),
		('anna@one.example', 'anna@two.example')) v (a, b),
	LATERAL lead_mgmt.explain_pair('{"fields": [{"field": "email", "kind": "email", "column": "email"}], "comparisons": [{"field": "email"}]}',
		jsonb_build_object('email', a), jsonb_build_object('email', b)) WHERE part = 'email';
-- a mailbox made of the names says little beyond them, one with a number much
SELECT a ->> 'email' AS email, round(weight::numeric, 1) AS weight FROM model, (VALUES ('{"first_name": "Ines", "surname": "Okafor", "email": "ines.okafor@one.example"}'::jsonb),
		('{"first_name": "Ines", "surname": "Okafor", "email": "ines.okafor1985@one.example"}')) v (a),
	LATERAL lead_mgmt.explain_pair(model, a, jsonb_set(a, '{email}', to_jsonb(replace(a ->> 'email', 'one', 'two')))) WHERE part = 'email';

-- companies by name, town and website alone; every tenth has a sister of the same brand, town and website in another trade
CREATE TEMP TABLE firm AS
WITH base AS (
	SELECT n, (ARRAY['Nor','Alt','Bri','Ven','Lux','Sol','Ter','Qua','Zen','Pro','Eco','Tele','Agri','Dyna','Fort','Hydro','Magna','Neo','Opti','Sky'])[1 + n % 20]
			|| (ARRAY['va','tec','dia','ris','nexa','corp','line','star','wave','soft','link','core','plan','form','gen','mark'])[1 + n / 20 % 16] AS brand,
		(ARRAY['Services','International','Construction','Management','Manufacturing','Logistics'])[1 + n % 6] AS trade,
		(ARRAY['Leeds','Derby','York','Bath','Hull','Ely','Ripon','Truro','Wells'])[1 + n * 7 % 9] AS town
	FROM generate_series(0, 319) n)
SELECT row_number() OVER (ORDER BY n, copy)::int AS id, 2 * n + (copy = 3)::int AS firm, x.* FROM base, LATERAL (VALUES
	(1, brand || ' ' || trade || ' Ltd', town, lower('www.' || brand || trade || '.example')),
	(2, brand || ' ' || CASE n % 3 WHEN 0 THEN CASE n % 6 WHEN 0 THEN 'Svcs' ELSE 'Mgmt' END ELSE trade END, CASE WHEN n % 4 > 0 THEN town END,
		CASE WHEN n % 5 > 0 THEN lower('https://' || brand || trade || '.example/') END),
	(3, brand || ' ' || CASE WHEN n % 10 = 0 THEN 'Insurance' END, town, lower(brand || trade || '.example'))) x (copy, company, city, website)
WHERE company IS NOT NULL;
SELECT count(*) FILTER (WHERE a.firm = b.firm) >= 290 AS found, count(*) FILTER (WHERE a.firm <> b.firm) <= 3 AS hardly_another
FROM (SELECT lead_mgmt.train_match_model('SELECT id, company, city, website FROM firm', lead_mgmt.propose_match_model('SELECT id, company, city, website FROM firm')) AS model) m,
	LATERAL lead_mgmt.find_pairs('firm', model, 0.95) p JOIN firm a ON a.id::text = left_id JOIN firm b ON b.id::text = right_id;
-- one comparison alone cannot be learned from
\set VERBOSITY default
SELECT lead_mgmt.train_match_model('SELECT id, company FROM firm', lead_mgmt.propose_match_model('SELECT id, company FROM firm'));
\set VERBOSITY terse
-- without those that are twice there is nothing to learn from
SELECT lead_mgmt.train_match_model('SELECT id, company, city, website FROM firm WHERE copy = 1', lead_mgmt.propose_match_model('SELECT id, company, city, website FROM firm'));

-- numbers and dates: the same score where many are read at once as where two are
CREATE TEMP TABLE reading AS SELECT i AS id, 1000 + (i / 2) * 7919 % 100000 + i % 2 AS amount, date '2000-01-01' + (i / 2) * 97 % 9000 + i % 2 AS day FROM generate_series(1, 100) i;
SELECT count(*) AS pairs, bool_and(probability = lead_mgmt.match_probability(model, to_jsonb(a), to_jsonb(b))) AS same_score, count(*) FILTER (WHERE probability > 0.5) BETWEEN 49 AND 60 AS as_many_match
FROM (VALUES ('{"fields": [{"field": "amount", "kind": "number", "column": "amount"}, {"field": "day", "kind": "date", "column": "day"}], "prior": 0.1,
	"comparisons": [{"field": "amount", "levels": [{"test": "exact", "m": 0.3, "u": 0.001}, {"test": "difference", "threshold": 5, "m": 0.3, "u": 0.001}, {"test": "ratio", "threshold": 0.9, "m": 0.3, "u": 0.1}, {"test": "else", "m": 0.1, "u": 0.898}]},
		{"field": "day", "levels": [{"test": "days", "threshold": 3, "m": 0.9, "u": 0.01}, {"test": "else", "m": 0.1, "u": 0.99}]}]}'::jsonb)) v (model),
	LATERAL lead_mgmt.find_pairs('reading', model, 0) p JOIN reading a ON a.id::text = left_id JOIN reading b ON b.id::text = right_id;

-- clusters
SELECT count(DISTINCT cluster_id) BETWEEN 385 AND 400 AS clusters, bool_and(id::int >= cluster_id::int) AS least_key, min(size) >= 2 AS no_singles
FROM model, lead_mgmt.find_clusters('person', model);
SELECT count(*) FROM model, lead_mgmt.find_clusters('person', model, 'connected', NULL, 'SELECT 1, 2') WHERE id IN ('1', '2');
SELECT method, count(DISTINCT cluster_id) >= 385 AS enough FROM model, unnest(ARRAY['best', 'complete']) method,
	LATERAL lead_mgmt.find_clusters('person', model, method) GROUP BY 1 ORDER BY 1;
-- two entities of four records each, all pairs of which match, and one wrong match between them
CREATE TEMPORARY TABLE certain AS
SELECT a AS left_id, b AS right_id, 0.99 AS probability FROM generate_series(1, 8) a, generate_series(1, 8) b WHERE a < b AND (a <= 4) = (b <= 4)
UNION ALL SELECT 4, 5, 0.98;
SELECT method, cluster_id, array_agg(id::integer ORDER BY id::integer) AS ids
FROM unnest(ARRAY['connected', 'average', 'best', 'complete']) WITH ORDINALITY m (method, place),
	LATERAL lead_mgmt.cluster_pairs('certain', method, 0.95) GROUP BY place, method, cluster_id ORDER BY place, cluster_id;
-- three that were found to be one hold together, though one of their pairs was not found; no match, no cluster
SELECT * FROM lead_mgmt.cluster_pairs('SELECT * FROM (VALUES (1, 2, 0.99), (2, 3, 0.99), (7, 8, 0.94)) v (left_id, right_id, probability)', 'average', 0.95) ORDER BY id;
-- a pair that is given twice counts once
SELECT method, count(*) FROM unnest(ARRAY['average', 'complete']) method,
	LATERAL lead_mgmt.cluster_pairs('SELECT * FROM certain UNION ALL SELECT right_id, left_id, 0.96 FROM certain', method, 0.95)
GROUP BY method, cluster_id ORDER BY method, cluster_id;
-- what rules say is certain, and holds a chain together
SELECT count(DISTINCT cluster_id), count(*) FROM lead_mgmt.cluster_pairs('SELECT i AS left_id, i + 1 AS right_id, 1 AS probability FROM generate_series(1, 7) i', 'average', 1);
-- what is known goes before what was found, with every method
SELECT method, array_agg(id::integer ORDER BY id::integer) AS ids
FROM unnest(ARRAY['average', 'best', 'complete', 'connected']) method,
	LATERAL lead_mgmt.cluster_pairs('certain', method, 0.95, 'VALUES (1, 2), (1, 3), (1, 4), (5, 1), (4, 5), (1, 99)', 'VALUES (1, 6), (NULL, 3)') c
WHERE cluster_id IN (SELECT cluster_id FROM lead_mgmt.cluster_pairs('certain', method, 0.95, 'VALUES (1, 2), (1, 3), (1, 4), (5, 1), (4, 5), (1, 99)', 'VALUES (1, 6), (NULL, 3)') WHERE id IN ('1'))
GROUP BY method ORDER BY method;

-- a model of one's own
SELECT left_id, right_id, outcome FROM lead_mgmt.find_pairs($q$ SELECT * FROM (VALUES (1, 'abc-1'), (2, 'ABC 1'), (3, 'zzz')) v (id, code) $q$,
	'{"fields": [{"field": "code", "kind": "identifier", "column": "code"}], "comparisons": [{"field": "code"}], "prior": 0.1}');

-- blocks of equal keys end, and chain what is equal
SELECT count(DISTINCT cluster_id), count(*) FROM lead_mgmt.find_clusters($q$ SELECT i, 'Same Name' AS full_name, 'same@example.org' AS email FROM generate_series(1, 5000) i $q$,
	'{"fields": [{"field": "given", "kind": "given_name", "full_name": "full_name"}, {"field": "family", "kind": "family_name", "full_name": "full_name"},
		{"field": "email", "kind": "email", "column": "email"}],
	 "comparisons": [{"field": "given"}, {"field": "family"}, {"field": "email"}], "keys": [{"parts": ["email"]}], "block_limit": 50}');

-- long values, no values, odd values
SELECT count(*) FROM lead_mgmt.find_pairs($q$ SELECT i, repeat('x', 10000) || i % 2 AS name FROM generate_series(1, 10) i $q$,
	'{"fields": [{"field": "name", "kind": "text", "column": "name"}], "comparisons": [{"field": "name"}], "prior": 0.1}', 0.1);
SELECT count(*) FROM lead_mgmt.find_pairs('SELECT 1 AS id, NULL::text AS name WHERE false',
	'{"fields": [{"field": "name", "kind": "text", "column": "name"}], "comparisons": [{"field": "name"}]}');

-- faults
SELECT lead_mgmt.propose_match_model('no_such_table');
SELECT lead_mgmt.propose_match_model('SELECT 1 AS id; DROP TABLE person');
SELECT lead_mgmt.propose_match_model('SELECT generate_series(1, 3) AS id');
SELECT lead_mgmt.train_match_model('SELECT * FROM person LIMIT 10', lead_mgmt.propose_match_model('person'));
SELECT lead_mgmt.train_match_model('SELECT i AS id, md5(i::text) AS surname, md5(i::text || 1) AS city FROM generate_series(1, 500) i',
	'{"fields": [{"field": "surname", "kind": "text", "column": "surname"}, {"field": "city", "kind": "text", "column": "city"}],
	  "comparisons": [{"field": "surname"}, {"field": "city"}]}');
SELECT * FROM lead_mgmt.find_pairs('person', '[]');
SELECT * FROM lead_mgmt.find_pairs('person', '{}');
SELECT * FROM lead_mgmt.find_pairs('person', '{"fields": [{"field": "x", "kind": "text", "column": "nothing"}], "comparisons": [{"field": "x"}]}');
SELECT * FROM lead_mgmt.find_pairs('person', '{"fields": [{"field": "x", "kind": "colour", "column": "city"}], "comparisons": [{"field": "x"}]}');
SELECT * FROM lead_mgmt.find_pairs('person', '{"fields": [{"field": "x", "kind": "text", "column": "city"}], "comparisons": [{"field": "y"}]}');
SELECT * FROM lead_mgmt.find_pairs('person', '{"fields": [{"field": "x", "kind": "text", "column": "city"}], "comparisons": [{"field": "x", "levels": [{"test": "telepathy"}]}]}');
SELECT * FROM lead_mgmt.find_pairs('person', '{"fields": [{"field": "x", "kind": "text", "column": "city"}], "comparisons": [{"field": "x",
	"levels": [{"test": "jaro_winkler", "threshold": 0.8}, {"test": "jaro_winkler", "threshold": 0.9}, {"test": "else"}]}]}');
SELECT * FROM lead_mgmt.find_pairs('person', '{"fields": [{"field": "x", "kind": "text", "column": "city"}], "comparisons": [{"field": "x"}], "match_probability": 0.4, "review_probability": 0.6}');
SELECT * FROM lead_mgmt.find_pairs('person', '{"fields": [{"field": "x", "kind": "text", "column": "city"}], "comparisons": [{"field": "x"}], "prior": 7}');
SELECT * FROM lead_mgmt.find_pairs('person', (SELECT model FROM model), 1.5);
SELECT * FROM lead_mgmt.find_clusters('person', (SELECT model FROM model), 'magic');
SELECT lead_mgmt.match_probability((SELECT model FROM model), '[1]', '{}');

-- A name as a whole may be more frequent than its parts say; where these are not frequent, it says nothing
CREATE TABLE named_model AS SELECT lead_mgmt.check_match_model(pg_catalog.format('{
	"fields": [{"field": "given", "kind": "given_name", "column": "given", "frequencies": {"john": 0.02, "ann": 0.02}},
		{"field": "family", "kind": "family_name", "column": "family", "frequencies": {"doe": 0.001, "lee": 0.001}}],
	"comparisons": [{"field": "given"}, {"field": "family"}],
	"name_order": {"given": "given", "family": "family", "whole_names": %s}}', names)::jsonb) AS model, names
FROM (VALUES ('[]'), ('[["john", "doe", 0.0005], ["john", "nobody", 0.1]]')) AS known (names);
SELECT model #> '{name_order,whole_names}' AS whole_names FROM named_model ORDER BY names DESC;
SELECT given, family, part, pg_catalog.round((a.weight - b.weight)::numeric, 3) AS less
FROM (VALUES ('John', 'Doe'), ('Ann', 'Doe'), ('John', 'Lee')) AS names (given, family),
	pg_catalog.jsonb_build_object('given', given, 'family', family) AS name,
	named_model AS plain, named_model AS bounded,
	lead_mgmt.explain_pair(plain.model, name, name) WITH ORDINALITY AS a (part, level, l, r, weight, total, probability, n)
	JOIN lead_mgmt.explain_pair(bounded.model, name, name) WITH ORDINALITY AS b (part, level, l, r, weight, total, probability, n) USING (part)
WHERE plain.names = '[]' AND bounded.names <> '[]' AND part IN ('given', 'family') ORDER BY 1, 2, 3;
SELECT given, family, (SELECT e.total FROM lead_mgmt.explain_pair(model, name, name) WITH ORDINALITY AS e ORDER BY e.ordinality DESC LIMIT 1)
	= (SELECT p.weight FROM lead_mgmt.find_pairs(pg_catalog.format('SELECT * FROM (VALUES (1, %1$L, %2$L), (2, %1$L, %2$L)) AS twice (id, given, family)', given, family), model, 0) p) AS same_weight
FROM (VALUES ('John', 'Doe'), ('Ann', 'Doe')) AS names (given, family),
	pg_catalog.jsonb_build_object('given', given, 'family', family) AS name, named_model WHERE names <> '[]';
DROP TABLE named_model;

-- A key expression that ends in a length, whatever lies behind it
SELECT lead_mgmt.match_code(substr('family_name:prefix:29', 1, 20), 'Leeds') = lead_mgmt.match_code('family_name:prefix:2', 'Leila') AS two_letters,
	lead_mgmt.match_code('family_name:prefix:29', 'Leeds') = lead_mgmt.match_code('family_name:prefix:29', 'Leila') AS twenty_nine;
SELECT lead_mgmt.match_code('family_name:prefix:2x', 'Leeds');
SELECT lead_mgmt.match_code('family_name:prefix:101', 'Leeds');

-- Names that need quotes, in tables and columns
CREATE TABLE "People & co." ("Id No" uuid, "First name" text, "SURNAME" text);
INSERT INTO "People & co." SELECT ('00000000-0000-0000-0000-' || pg_catalog.lpad(n::text, 12, '0'))::uuid, 'Ann' || n / 2, 'Lee' || n / 2 FROM generate_series(2, 9) n;
SELECT lead_mgmt.propose_match_model('"People & co."') ->> 'key' AS key, count(*) FROM lead_mgmt.find_pairs('public."People & co."',
	'{"key": "Id No", "fields": [{"field": "x", "kind": "text", "column": "SURNAME"}], "comparisons": [{"field": "x", "levels": [{"test": "exact", "m": 0.9, "u": 0.00001}, {"test": "else", "m": 0.1, "u": 0.99999}]}]}', 0.1);
SELECT lead_mgmt.propose_match_model('"People & co."', 'id no');
SELECT lead_mgmt.propose_match_model('"People & co');
DROP TABLE "People & co.";
