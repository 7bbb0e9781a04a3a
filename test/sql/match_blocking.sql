-- Blocking: which pairs of many records are compared
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;

-- 3,000 places that have nothing in common but their cities, too many to compare all pairs
CREATE TABLE place (id integer, name text, city text, street text);
INSERT INTO place SELECT i, md5(i::text), 'city ' || i % 10, md5(i::text || 's') || ' ' || md5(i::text || 't') FROM generate_series(1, 3000) AS i;

CREATE TABLE place_model AS SELECT '{
	"fields": [{"field": "name", "kind": "text", "column": "name"}, {"field": "city", "kind": "text", "column": "city"},
		{"field": "street", "kind": "address", "column": "street"}],
	"comparisons": [{"field": "name"}, {"field": "city"}, {"field": "street"}], "prior": 0.001}'::jsonb AS model;

-- two that share the second of their rare words, whatever stands before it in the key, on either side
INSERT INTO place VALUES (4001, 'blue heron', 'city 3', 'zulu wharf'), (4002, 'blue heron', 'city 3', 'yankee wharf'),
	(4003, 'red heron', 'city 4', 'quay xray'), (4004, 'red heron', 'city 4', 'victor quay');
SELECT k AS key, left_id, right_id FROM place_model, unnest(ARRAY['["street:rare_words"]', '["city", "street:rare_words"]', '["street:rare_words", "city"]']) AS k,
	LATERAL lead_mgmt.find_pairs('place', model || jsonb_build_object('keys', jsonb_build_array(jsonb_build_object('parts', k::jsonb))), 0.01)
ORDER BY k, left_id;

-- a pair that meets at several keys comes once
SELECT left_id, right_id FROM place_model,
	lead_mgmt.find_pairs('place', model || '{"keys": [{"parts": ["name"]}, {"parts": ["city", "street:rare_words"]}, {"parts": ["street:rare_words"]}, {"parts": ["name:prefix:3"]}]}', 0.01)
ORDER BY left_id;

-- two that share no key are compared where both match a third, unless they are of one of two sets
CREATE TABLE triangle AS TABLE place;
INSERT INTO triangle VALUES (5001, 'green finch', 'city 5', 'oakwood mil'), (5002, 'green finch', 'city 5', 'oakwood mill'), (5003, 'green fynch', 'city 5', 'oakwood mill');
SELECT left_id, right_id, outcome FROM place_model,
	lead_mgmt.find_pairs('triangle', model || '{"keys": [{"parts": ["name"]}, {"parts": ["street"]}]}') WHERE left_id >= '5001' ORDER BY 1, 2;
SELECT left_id, right_id, outcome FROM place_model,
	lead_mgmt.find_pairs('SELECT * FROM triangle WHERE id <> 5002', model || '{"keys": [{"parts": ["name"]}, {"parts": ["street"]}]}', NULL,
		'SELECT * FROM triangle WHERE id = 5002') WHERE left_id >= '5001' ORDER BY 1, 2;
-- but a third one that very many match brings no more than keys bring
SELECT count(*) BETWEEN 100000 AND 1000000 AS bounded, count(*) = count(DISTINCT (left_id, right_id)) AS each_once
FROM lead_mgmt.find_pairs($q$ SELECT i AS id, 'Given' || chr(97 + i % 26) || chr(97 + i / 26 % 10) AS given_name, 'Family' || chr(97 + i % 26) AS family_name,
	'g' || i % 260 || '@x.example' AS email, 'City ' || i % 97 AS city, 10000 + i % 89 AS postcode FROM generate_series(1, 6500) i $q$,
	'{"fields": [{"field": "given_name", "kind": "given_name", "column": "given_name"}, {"field": "family_name", "kind": "family_name", "column": "family_name"}, {"field": "email", "kind": "email", "column": "email"},
		{"field": "city", "kind": "text", "column": "city"}, {"field": "postcode", "kind": "postcode", "column": "postcode"}], "key": "id",
		"comparisons": [{"field": "given_name"}, {"field": "family_name"}, {"field": "email"}, {"field": "city"}, {"field": "postcode"}]}', 0.5);

-- between two tables only
SELECT left_id, right_id FROM place_model,
	lead_mgmt.find_pairs('place', model || '{"keys": [{"parts": ["name"]}]}', 0.01, $$ SELECT id + 10000 AS id, name, city, street FROM place WHERE id > 4000 $$)
ORDER BY left_id, right_id;

-- a block of three thousand equal records is cut up, and chains them all the same
SELECT count(*), count(DISTINCT cluster_id) FROM place_model,
	lead_mgmt.find_clusters($$ SELECT i AS id, 'one name' AS name, 'one city' AS city, 'one street' AS street FROM generate_series(1, 3000) AS i $$,
		model || '{"keys": [{"parts": ["name"]}, {"parts": ["city"]}], "block_limit": 20}');

-- what keys cost and find: a pair that meets at two keys is lost without neither; without keys all pairs are compared
SELECT key, pairs, split, round(found::numeric, 2) AS found, round(lost::numeric, 2) AS lost FROM place_model,
	lead_mgmt.explain_blocking('place', model || '{"keys": [{"parts": ["name"]}, {"parts": ["city", "street:rare_words"]}, {"parts": ["city:prefix:6"]}], "block_limit": 100, "prior": 0.2}');
SELECT b.* FROM place_model, lead_mgmt.explain_blocking('SELECT * FROM place WHERE id < 4000', model || '{"keys": [{"parts": ["name"]}]}') AS b;
SELECT b.* FROM place_model, lead_mgmt.explain_blocking('SELECT * FROM place WHERE id < 100', model) AS b;
SELECT lead_mgmt.explain_blocking('nowhere', model) FROM place_model;

-- letters at a loss: values that differ in what a signature tells and in what it does not are scored as one by one
CREATE TABLE spelt (id integer, given text, family text, email text, phone text, city text, born text, code text);
INSERT INTO spelt SELECT i,
	(ARRAY['Ann', 'Anne Marie', 'A', 'Bob', 'Robert', 'Ngọc Ánh', 'ánh ngoc', 'Zoë', 'Marie-Anne', 'Li', NULL])[1 + i % 11],
	(ARRAY['Smith', 'Smyth', 'Smit', 'Nguyễn', 'nguyen', 'de la Cruz', 'Cruz', 'O', 'Ann', 'Robert'])[1 + i / 11 % 10],
	(ARRAY['a.smith@gmail.com', 'smith.a@gmail.com', 'asmith@googlemail.com', 'a.smith1@corp.example', 'b.smith1@corp.example', NULL, 'x@y.example'])[1 + i % 7],
	(ARRAY['+49 30 1234567', '030 1234576', '030 7654321', '12', NULL])[1 + i % 5],
	(ARRAY['Berlin', 'Berlín', 'East Berlin', 'Bern', 'Bonn', NULL])[1 + i % 6],
	(ARRAY['1980-02-11', '1980-11-02', '1980-02-12', '1990-02-11', '1980-02', '31.12.1999', '1981-02-11', NULL])[1 + i % 8],
	(ARRAY['DE 123', 'DE-124', 'ED 123', 'X'])[1 + i % 4]
FROM generate_series(1, 100) AS i;
CREATE TABLE spelt_model AS SELECT lead_mgmt.check_match_model('{
	"fields": [{"field": "given", "kind": "given_name", "column": "given"}, {"field": "family", "kind": "family_name", "column": "family"},
		{"field": "email", "kind": "email", "column": "email"}, {"field": "phone", "kind": "phone", "column": "phone"},
		{"field": "city", "kind": "text", "column": "city"}, {"field": "born", "kind": "date", "column": "born"},
		{"field": "code", "kind": "identifier", "column": "code"}],
	"comparisons": [{"field": "given"}, {"field": "family"}, {"field": "email"}, {"field": "phone"}, {"field": "city"}, {"field": "born"}, {"field": "code"}],
	"name_order": {"given": "given", "family": "family"}, "prior": 0.01}') AS model;
SELECT count(*) AS pairs, count(*) FILTER (WHERE p.weight IS DISTINCT FROM (SELECT e.total FROM lead_mgmt.explain_pair(model, to_jsonb(a), to_jsonb(b)) WITH ORDINALITY AS e ORDER BY e.ordinality DESC LIMIT 1)) AS others
FROM spelt_model, lead_mgmt.find_pairs('spelt', model, 0.2) p JOIN spelt a ON a.id::text = left_id JOIN spelt b ON b.id::text = right_id;
-- and none that reaches the limit is given up early
SELECT count(*) AS pairs, count(p.left_id) AS found
FROM (SELECT a.id AS a, b.id AS b, lead_mgmt.match_probability(model, to_jsonb(a), to_jsonb(b)) AS probability
	FROM spelt_model, spelt a JOIN spelt b ON a.id < b.id AND b.id % 7 = 0) s
LEFT JOIN (SELECT f.* FROM spelt_model, lead_mgmt.find_pairs('spelt', model, 0.2) f) p ON p.left_id = s.a::text AND p.right_id = s.b::text
WHERE s.probability >= 0.2;

DROP TABLE place, place_model, spelt, spelt_model;
