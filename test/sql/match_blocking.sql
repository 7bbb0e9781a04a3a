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

-- between two tables only
SELECT left_id, right_id FROM place_model,
	lead_mgmt.find_pairs('place', model || '{"keys": [{"parts": ["name"]}]}', 0.01, $$ SELECT id + 10000 AS id, name, city, street FROM place WHERE id > 4000 $$)
ORDER BY left_id, right_id;

-- a block of three thousand equal records is cut up, and chains them all the same
SELECT count(*), count(DISTINCT cluster_id) FROM place_model,
	lead_mgmt.find_clusters($$ SELECT i AS id, 'one name' AS name, 'one city' AS city, 'one street' AS street FROM generate_series(1, 3000) AS i $$,
		model || '{"keys": [{"parts": ["name"]}, {"parts": ["city"]}], "block_limit": 20}');

DROP TABLE place, place_model;
