-- What a good hand-written de-duplication looks like without us: blocking by
-- joins on keys, Fellegi-Sunter weights in CASE expressions over the
-- Jaro-Winkler of pg_similarity, connected components in a loop. Variable:
-- table, of people.sql. Leaves peer_pair and peer_cluster.

SET client_min_messages = warning;
SET jit = off;
SET work_mem = '256MB';
SET max_parallel_workers_per_gather = 2;
DROP TABLE IF EXISTS peer_record, peer_pair, peer_cluster;
-- It is; the package only does not say so.
ALTER FUNCTION jarowinkler PARALLEL SAFE;

-- Every key once, so that the joins only compare for equality; a join leaves
-- out the pairs that an earlier key has found.
CREATE UNLOGGED TABLE peer_record AS
SELECT id, lower(first_name) AS first_name, lower(surname) AS surname, dob, lower(city) AS city, postcode,
	right(regexp_replace(phone, '\D', '', 'g'), 9) AS phone, lower(email) AS email,
	split_part(lower(email), '@', 1) AS mailbox,
	lower(surname) || dob AS surname_dob, lower(first_name) || dob AS first_name_dob, postcode || dob AS postcode_dob,
	lower(first_name) || lower(surname) || postcode AS name_postcode
FROM :"table";
ANALYZE peer_record;

CREATE UNLOGGED TABLE peer_pair AS
SELECT left_id, right_id, weight, 1 / (1 + power(2, -weight)) AS probability
FROM (
	SELECT a.id AS left_id, b.id AS right_id,
		-19
		+ CASE WHEN a.surname IS NULL OR b.surname IS NULL THEN 0 WHEN s.surname = 1 THEN 9
			WHEN s.surname >= 0.92 THEN 7 WHEN s.surname >= 0.8 THEN 2 ELSE -4 END
		+ CASE WHEN a.first_name IS NULL OR b.first_name IS NULL THEN 0 WHEN s.first_name = 1 THEN 7
			WHEN s.first_name >= 0.92 THEN 6 WHEN s.first_name >= 0.8 THEN 2 ELSE -3 END
		+ CASE WHEN a.dob IS NULL OR b.dob IS NULL THEN 0 WHEN a.dob = b.dob THEN 12
			WHEN extract(year FROM a.dob) = extract(year FROM b.dob) THEN 4 ELSE -4 END
		+ CASE WHEN a.postcode IS NULL OR b.postcode IS NULL THEN 0 WHEN a.postcode = b.postcode THEN 8
			WHEN a.city = b.city THEN 5 ELSE -2 END
		+ CASE WHEN a.phone IS NULL OR b.phone IS NULL THEN 0 WHEN a.phone = b.phone THEN 15 ELSE -2 END
		+ CASE WHEN a.email IS NULL OR b.email IS NULL THEN 0 WHEN a.email = b.email THEN 18
			WHEN s.mailbox >= 0.9 THEN 6 ELSE -2 END AS weight
	FROM (
		SELECT a.id AS a, b.id AS b FROM peer_record a JOIN peer_record b ON a.email = b.email AND a.id < b.id
		UNION
		SELECT a.id, b.id FROM peer_record a JOIN peer_record b ON a.phone = b.phone AND a.id < b.id
		UNION
		SELECT a.id, b.id FROM peer_record a JOIN peer_record b ON a.surname_dob = b.surname_dob AND a.id < b.id
		UNION
		SELECT a.id, b.id FROM peer_record a JOIN peer_record b ON a.first_name_dob = b.first_name_dob AND a.id < b.id
		UNION
		SELECT a.id, b.id FROM peer_record a JOIN peer_record b ON a.postcode_dob = b.postcode_dob AND a.id < b.id
		UNION
		SELECT a.id, b.id FROM peer_record a JOIN peer_record b ON a.name_postcode = b.name_postcode AND a.id < b.id
	) candidate
	JOIN peer_record a ON a.id = candidate.a
	JOIN peer_record b ON b.id = candidate.b,
	LATERAL (SELECT CASE WHEN a.surname = b.surname THEN 1 ELSE jarowinkler(a.surname, b.surname) END AS surname,
		CASE WHEN a.first_name = b.first_name THEN 1 ELSE jarowinkler(a.first_name, b.first_name) END AS first_name,
		CASE WHEN a.email = b.email THEN 1 ELSE jarowinkler(a.mailbox, b.mailbox) END AS mailbox OFFSET 0) s
) weighted;

ANALYZE peer_pair;

-- The smallest id that can be reached, until nothing changes
CREATE TEMP TABLE edge AS
SELECT left_id AS id, right_id AS other FROM peer_pair WHERE weight >= 7
UNION ALL
SELECT right_id, left_id FROM peer_pair WHERE weight >= 7;
CREATE UNLOGGED TABLE peer_cluster AS
SELECT id, least(id, min(other)) AS cluster_id FROM edge GROUP BY id;
ANALYZE edge, peer_cluster;
DO $$
BEGIN
	LOOP
		CREATE UNLOGGED TABLE lowered AS
		SELECT c.id, least(c.cluster_id, min(o.cluster_id)) AS cluster_id
		FROM peer_cluster c JOIN edge e ON e.id = c.id JOIN peer_cluster o ON o.id = e.other
		GROUP BY c.id, c.cluster_id;
		ANALYZE lowered;
		EXIT WHEN NOT EXISTS (SELECT FROM peer_cluster c JOIN lowered l USING (id) WHERE l.cluster_id < c.cluster_id);
		DROP TABLE peer_cluster;
		ALTER TABLE lowered RENAME TO peer_cluster;
	END LOOP;
	DROP TABLE lowered;
END $$;
