-- What a good hand-written look-up looks like without us: e-mail address and
-- phone number through btree indexes, the name through a trigram index, the
-- candidates ordered by Jaro-Winkler and what else agrees. Needs stored of
-- live.sql.

SET client_min_messages = warning;
DROP TABLE IF EXISTS peer_contact, peer_inquiry;
CREATE TABLE peer_contact AS
SELECT contact_id, lower(concat_ws(' ', first_name, surname)) AS full_name, lower(email) AS email,
	right(regexp_replace(phone, '\D', '', 'g'), 9) AS phone, lower(city) AS city, postcode
FROM stored;
ALTER TABLE peer_contact ADD PRIMARY KEY (contact_id);
CREATE INDEX ON peer_contact (email);
CREATE INDEX ON peer_contact (phone);
CREATE INDEX ON peer_contact USING gin (full_name gin_trgm_ops) WITH (fastupdate = off);
VACUUM ANALYZE peer_contact;

CREATE OR REPLACE FUNCTION peer_match(profile jsonb) RETURNS bigint[]
	LANGUAGE plpgsql STABLE SET pg_trgm.similarity_threshold = 0.55
AS $$
DECLARE
	wanted_name constant text := lower(profile ->> 'full_name');
	wanted_email constant text := lower(profile ->> 'email');
	wanted_phone constant text := right(regexp_replace(profile ->> 'phone', '\D', '', 'g'), 9);
	wanted_city constant text := lower(profile ->> 'city');
	wanted_postcode constant text := profile ->> 'postal_code';
BEGIN
	RETURN (SELECT array_agg(contact_id ORDER BY score DESC)
		FROM (
			SELECT contact_id, coalesce(jarowinkler(c.full_name, wanted_name), 0.6) + CASE WHEN c.email = wanted_email THEN 1 ELSE 0 END
				+ CASE WHEN c.phone = wanted_phone THEN 0.8 ELSE 0 END + CASE WHEN c.postcode = wanted_postcode THEN 0.4 ELSE 0 END
				+ CASE WHEN c.city = wanted_city THEN 0.2 ELSE 0 END AS score
			FROM (
				SELECT * FROM peer_contact WHERE email = wanted_email
				UNION
				SELECT * FROM peer_contact WHERE phone = wanted_phone
				UNION
				SELECT * FROM peer_contact WHERE full_name % wanted_name
			) c
			ORDER BY score DESC LIMIT 10
		) best);
END $$;

-- A table whose trigger finds the contact by e-mail address or phone number
-- alone, and the same without.
CREATE TABLE peer_inquiry (inquiry_id bigint GENERATED ALWAYS AS IDENTITY, contact_id bigint, is_matched boolean, profile jsonb);

CREATE OR REPLACE FUNCTION peer_match_exact() RETURNS trigger
	LANGUAGE plpgsql
AS $$
BEGIN
	SELECT contact_id INTO NEW.contact_id FROM peer_contact WHERE email = lower(NEW.profile ->> 'email') LIMIT 1;
	IF NEW.contact_id IS NULL THEN
		SELECT contact_id INTO NEW.contact_id FROM peer_contact
		WHERE phone = right(regexp_replace(NEW.profile ->> 'phone', '\D', '', 'g'), 9) LIMIT 1;
	END IF;
	RETURN NEW;
END $$;

CREATE TRIGGER match_exact BEFORE INSERT ON peer_inquiry
	FOR EACH ROW WHEN (NEW.is_matched) EXECUTE FUNCTION peer_match_exact();
