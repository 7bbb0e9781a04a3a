-- Records of organisations: told from those of persons, and matched by little.
SET client_min_messages = warning;

-- names of organisations are told by what they are made of, and by nothing that speaks of persons
CREATE TEMP TABLE place AS
SELECT n AS id, (ARRAY['Garfield','Lincoln','Marcy','Henry Booth','St. Lucy','Rosa Parks','Ada McKinley','Grace','Laura Ward','Hull'])[1 + n % 10] || ' '
		|| (ARRAY['School','Nursery','Community Center','Preschool','Day Care','Academy','Partners'])[1 + n % 7] AS name,
	(10 + n) || ' ' || (ARRAY['Main','Oak','Elm','Park','Lake'])[1 + n % 5] || ' Street' AS address,
	CASE WHEN n % 4 = 0 THEN (ARRAY['Anna','Robert','Peter','Maria'])[1 + n % 3] || ' ' || (ARRAY['Stone','Weber','Novak'])[1 + n % 3] END AS contact_name
FROM generate_series(1, 300) n;
CREATE FUNCTION pg_temp.kinds(records text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(format('%s %s', coalesce(f ->> 'column', f ->> 'full_name'), f ->> 'kind'), ', ' ORDER BY n)
	FROM jsonb_array_elements(lead_mgmt.propose_match_model(records) -> 'fields') WITH ORDINALITY x (f, n) WHERE f ->> 'part' IS NULL $$;
SELECT pg_temp.kinds('SELECT id, name, address FROM place');
SELECT pg_temp.kinds('SELECT id, name, address, contact_name FROM place');
SELECT pg_temp.kinds('SELECT id, contact_name AS name, address FROM place WHERE contact_name IS NOT NULL');
-- names that no list knows: of persons where another column speaks of persons
SELECT pg_temp.kinds($$ SELECT i AS id, chr(65 + i % 26) || 'ixa ' || chr(65 + i % 23) || 'uqol' AS name, 'x' || i % 50 AS city FROM generate_series(1, 200) i $$);
SELECT pg_temp.kinds($$ SELECT i AS id, chr(65 + i % 26) || 'ixa ' || chr(65 + i % 23) || 'uqol' AS name, 'x' || i % 50 AS city, 'mf' AS gender FROM generate_series(1, 200) i $$);

-- of more columns than a model compares, the most telling are taken
SELECT count(*) AS fields, string_agg(f ->> 'kind', ', ' ORDER BY n) FILTER (WHERE f ->> 'kind' NOT IN ('text', 'category', 'number')) AS telling
FROM (SELECT 'SELECT i AS id, ' || string_agg(format('''t'' || i %% %s AS note_%s', 40 + c, c), ', ') ||
		$$ , 'a' || i % 90 || '@example.org' AS email, (ARRAY['Anna','Robert'])[1 + i % 2] AS given_name, 'Wu' || i % 90 AS family_name, DATE '1970-01-01' + i % 90 AS birth_date FROM generate_series(1, 200) i $$ AS source
	FROM generate_series(1, 30) c) s,
	jsonb_array_elements(lead_mgmt.propose_match_model(source) -> 'fields') WITH ORDINALITY x (f, n) WHERE f ->> 'part' IS NULL;

-- name and address alone, most of them several times over: what goes together is a match, not a coincidence
CREATE TEMP TABLE site AS
WITH base AS (
	SELECT n, initcap((ARRAY['bel','cor','dan','fer','gol','hes','jun','kal','lor','mor','nel','pas','ran','sul','tor','vel'])[1 + n % 16]
			|| (ARRAY['ando','ington','ley','mont','stead','wick','ford','by','ham','ton','worth','field','brook'])[1 + n / 16 % 13])
			|| ' ' || (ARRAY['School','Nursery','Academy','Clinic','Library'])[1 + n % 5] AS name,
		(100 + n * 37 % 880) || ' ' || (ARRAY['West','East','North','South'])[1 + n % 4] || ' '
			|| (ARRAY['Lincoln','Roosevelt','Garfield','Division','Madison','Racine','Ashland','Cicero','Pulaski','Kedzie'])[1 + n * 7 % 10]
			|| ' ' || (ARRAY['Street','Avenue','Road'])[1 + n % 3] AS address
	FROM generate_series(0, 599) n)
SELECT row_number() OVER (ORDER BY n, copy)::int AS id, n AS site, x.* FROM base, LATERAL (VALUES
	(1, name, address), (2, upper(name), address),
	(3, CASE WHEN n % 3 = 0 THEN 'The ' || name WHEN n % 3 = 1 THEN name || ' Inc' ELSE name END, replace(replace(replace(address, 'West', 'W.'), 'East', 'E'), 'Street', 'St.')),
	(4, CASE WHEN n % 2 = 0 THEN left(name, 4) || substr(name, 6) ELSE name END, replace(address, ' Road', ' Rd'))) x (copy, name, address);
CREATE TEMP TABLE model AS
SELECT lead_mgmt.train_match_model('SELECT id, name, address FROM site', lead_mgmt.propose_match_model('SELECT id, name, address FROM site')) AS model;
SELECT count(*) FILTER (WHERE a.site = b.site) >= 3400 AS nearly_all_of_3600, count(*) FILTER (WHERE a.site <> b.site) <= 36 AS hardly_another
FROM model, LATERAL lead_mgmt.find_pairs('site', model, 0.95) p JOIN site a ON a.id::text = left_id JOIN site b ON b.id::text = right_id;

-- words that mark a unit of a group: usual ones, and those that stand beside the company itself
CREATE TABLE unit AS
SELECT n * 10 + copy AS id, CASE WHEN copy < 2 THEN brand ELSE concat_ws(' ', brand, CASE WHEN copy = 2 THEN CASE WHEN n < 250 THEN 'Retail' ELSE 'Agency' END END, CASE WHEN copy = 3 THEN 'Sofia' END) END AS name,
	'12 ' || street AS address, CASE WHEN n % 2 = 0 THEN 'Sofia' ELSE 'Plovdiv' END AS city, '+359 2 ' || 1000000 + n * 7919 AS phone
FROM (SELECT n, initcap(translate((n * 7907)::text, '0123456789', 'abdefgiklo')) || ' ' || (ARRAY['Tools', 'Foods', 'Motors', 'Glass', 'Wool'])[1 + n % 5] AS brand,
		initcap(translate((n * 6011)::text, '0123456789', 'mnoprstuva')) || ' Road' AS street FROM generate_series(100, 399) n) companies,
	generate_series(0, 3) copy
WHERE copy = 0 OR (copy = 1 AND n % 5 = 0) OR (copy = 2 AND n % 12 = 0) OR (copy = 3 AND n % 14 = 0);
CREATE TABLE unit_model AS SELECT lead_mgmt.train_match_model('unit', lead_mgmt.propose_match_model('unit')) AS model;
SELECT f -> 'units' AS units FROM unit_model, jsonb_array_elements(model -> 'fields') f WHERE f ->> 'field' = 'name';
SELECT a, b, (SELECT level FROM lead_mgmt.explain_pair(model, jsonb_build_object('name', a), jsonb_build_object('name', b)) WHERE part = 'name')
FROM unit_model, (VALUES ('Bando Tools', 'Bando Tools Asia'), ('Bando Tools Holding GmbH', 'BANDO TOOLS'), ('Bando Tools Retail', 'Bando Tools'), ('Bando Tools', 'Bando Tools Sofia'),
	('Bando Asia Tools', 'Bando Asia Tools'), ('Bando Asia', 'Bando Europe'), ('Asia', 'Asia Tools')) v (a, b);
SELECT jsonb_path_query_array(lead_mgmt.check_match_model(model), '$.fields[*].units') AS kept FROM unit_model;
-- in whichever order the records are read, and whatever the model had before
SELECT model #> '{fields,0,units}' = again #> '{fields,0,units}' AS in_any_order FROM unit_model,
	lead_mgmt.train_match_model('SELECT * FROM unit ORDER BY id DESC', lead_mgmt.propose_match_model('unit')) again;
SELECT model = again AS same_model FROM unit_model,
	lead_mgmt.train_match_model('unit', jsonb_set(lead_mgmt.propose_match_model('unit'), '{fields,0,units}', '["sofia"]')) again;
-- a workspace keeps them
SELECT lead_mgmt.create_workspace('groups');
INSERT INTO groups.match_strategy (strategy, entity, label) VALUES ('kept', 'account', 'With units');
SELECT groups.write_match_model('kept', replace(replace(model::text, '"column": "name"', '"column": "company"'), '"column": "address"', '"column": "street"')::jsonb) FROM unit_model;
SELECT field, units FROM groups.match_model_field WHERE units IS NOT NULL;
SELECT jsonb_path_query_array(groups.read_match_model('kept'), '$.fields[*].units') AS kept;
SELECT lead_mgmt.drop_workspace('groups', 'groups');
SELECT lead_mgmt.check_match_model(jsonb_set(model, '{fields,0,units}', '["a", 1]')) FROM unit_model;
DROP TABLE unit, unit_model;
