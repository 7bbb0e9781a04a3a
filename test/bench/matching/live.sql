-- Contacts, and what comes in: probes. Variables: n (contacts), seed. Half of
-- the known probes are copies with few errors, half with many; a quarter of
-- all are people nobody knows. A probe is recognisable when its e-mail address
-- or phone number is the contact's, or three of the other fields are. Leaves
-- stored (the contacts as rows) and probe.

SET client_min_messages = warning;
SELECT ceil(:n / 0.82) AS rows \gset
\set contacts :n
\set own_seed :seed
\set n :rows
\set table live_easy
\set hardness easy
\ir people.sql
\set table live_hard
\set hardness hard
\ir people.sql
\set table live_unknown
\set n 40000
SELECT :seed + 1 AS seed \gset
\ir people.sql
\set seed :own_seed
\set n :contacts

DROP TABLE IF EXISTS stored, probe;
DROP FUNCTION IF EXISTS is_address(text);
CREATE FUNCTION is_address(value text) RETURNS boolean
	LANGUAGE sql IMMUTABLE
	RETURN value ~ '^[a-z0-9_]+(\.[a-z0-9_]+)*@[a-z0-9]([a-z0-9-]*[a-z0-9])?\.[a-z]{2,}$';

CREATE TABLE stored AS
SELECT row_number() OVER (ORDER BY id) AS contact_id, id, first_name, surname, city, postcode, phone, cluster,
	-- an address is one contact's
	CASE WHEN is_address(email) AND row_number() OVER (PARTITION BY email ORDER BY id) = 1 THEN email END AS email
FROM live_easy p
JOIN (SELECT min(id::bigint) AS id, cluster FROM truth.live_easy GROUP BY cluster) t USING (id);
ALTER TABLE stored ADD PRIMARY KEY (contact_id);
CREATE UNIQUE INDEX ON stored (cluster);
ANALYZE stored;

CREATE TABLE probe AS
WITH copies AS (
	SELECT 'few errors' AS kind, p.*, t.cluster FROM live_easy p JOIN truth.live_easy t ON t.id = p.id::text
	WHERE NOT EXISTS (SELECT FROM stored s WHERE s.id = p.id)
	UNION ALL
	SELECT 'many errors', p.*, t.cluster FROM live_hard p JOIN truth.live_hard t ON t.id = p.id::text
	WHERE NOT EXISTS (SELECT FROM stored s WHERE s.id = p.id)
	UNION ALL
	SELECT 'unknown', *, NULL FROM live_unknown
), drawn AS (
	SELECT *, row_number() OVER (PARTITION BY kind ORDER BY hashint8extended(id, length(kind))) AS place FROM copies
	-- what the door would refuse
	WHERE is_address(email) OR phone IS NOT NULL AND length(regexp_replace(phone, '\D', '', 'g')) > 10
)
SELECT row_number() OVER (ORDER BY hashint8extended(d.id, 18), kind) AS number, d.kind, s.contact_id,
	coalesce(d.email = s.email OR right(regexp_replace(d.phone, '\D', '', 'g'), 9) = right(regexp_replace(s.phone, '\D', '', 'g'), 9), false)
		OR (coalesce(d.first_name = s.first_name, false)::integer + coalesce(d.surname = s.surname, false)::integer
			+ coalesce(d.city = s.city, false)::integer + coalesce(d.postcode = s.postcode, false)::integer) >= 3 AS is_recognisable,
	jsonb_strip_nulls(jsonb_build_object('full_name', nullif(concat_ws(' ', d.first_name, d.surname), ''),
		'email', CASE WHEN is_address(d.email) THEN d.email END, 'phone', d.phone, 'city', d.city, 'postal_code', d.postcode, 'country', 'GB')) AS profile
FROM drawn d LEFT JOIN stored s USING (cluster)
WHERE place <= CASE kind WHEN 'unknown' THEN 2000 ELSE 750 END;
ALTER TABLE probe ADD PRIMARY KEY (number);
ANALYZE probe;
DROP TABLE live_easy, live_hard, live_unknown, truth.live_easy, truth.live_hard, truth.live_unknown;
