-- Capturing bytes, and what helps to set forms up.

CREATE OR REPLACE FUNCTION @workspace@.capture_raw(form text, content_type text, body bytea)
	RETURNS SETOF @workspace@.submission
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		id bigint;
	BEGIN
		INSERT INTO @workspace@.submission (form, content_type, raw)
			VALUES (COALESCE(capture_raw.form, 'default'), capture_raw.content_type, capture_raw.body)
			RETURNING submission_id INTO id;
		RETURN QUERY
			SELECT n.* FROM (
				SELECT s.* FROM @workspace@.submission s WHERE s.submission_id = id
				UNION ALL
				SELECT s.* FROM @workspace@.submission s WHERE s.part_of = id) n
			ORDER BY n.part;
	END
	$$;

COMMENT ON FUNCTION @workspace@.capture_raw(text, text, bytea) IS
	'Submit the bytes of a body as they came in, and return a submission for each of its records in their order, as they were processed: status, reasons, ids. The bytes are kept, also when they cannot be read: then there is one submission, rejected with the reasons. Content types: application/json (an object, or an array of them), application/x-ndjson, application/x-www-form-urlencoded, multipart/form-data, text/xml, application/xml, application/rss+xml, application/atom+xml, message/rfc822, text/csv, text/tab-separated-values, text/plain; NULL to guess. Runs with the rights of the workspace''s owner, as capture() does.';

CREATE OR REPLACE FUNCTION @workspace@.capture_bodies(form text, content_type text, bodies bytea[])
	RETURNS SETOF @workspace@.submission
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		ids bigint[];
	BEGIN
		WITH made AS (
			INSERT INTO @workspace@.submission (form, content_type, raw)
				SELECT COALESCE(capture_bodies.form, 'default'), capture_bodies.content_type, b.body
				FROM (SELECT pg_catalog.unnest(capture_bodies.bodies) AS body) b
				RETURNING submission_id)
			SELECT pg_catalog.array_agg(m.submission_id) INTO ids FROM made m;
		RETURN QUERY
			SELECT s.* FROM (SELECT pg_catalog.unnest(ids) AS id) i JOIN @workspace@.submission s ON s.submission_id = i.id
			UNION ALL
			SELECT s.* FROM (SELECT pg_catalog.unnest(ids) AS id) i JOIN @workspace@.submission s ON s.part_of = i.id;
	END
	$$;

COMMENT ON FUNCTION @workspace@.capture_bodies(text, text, bytea[]) IS
	'Submit many bodies of one content type in one go, as capture_raw() submits one, and return the submissions that they became: first one for each body, then those of further records, whose part_of names the first of their body.';

CREATE OR REPLACE FUNCTION @workspace@.guess_fields(names text[], form text DEFAULT 'default')
	RETURNS TABLE (name text, field text, how text)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
	AS $$
		SELECT g.name, g.field, g.how
		FROM lead_mgmt.guess_fields('@workspace@.form'::pg_catalog.regclass, $1, $2) g
	$$;

COMMENT ON FUNCTION @workspace@.guess_fields(text[], text) IS
	'Which field each of some incoming names would be read into by a form, in the order of the names. how: form where the form itself says so, name for a name that is known as it is written, loose for one known by its letters and digits, similar for one that merely looks like a known one and that a submission would not be read by, NULL for none. Error: no_data_found when there is no such form.';

REVOKE EXECUTE ON FUNCTION
	@workspace@.capture_raw(text, text, bytea),
	@workspace@.capture_bodies(text, text, bytea[]),
	@workspace@.guess_fields(text[], text)
	FROM PUBLIC;
