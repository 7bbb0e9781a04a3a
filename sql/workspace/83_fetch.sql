-- What leadctl fetch calls.

CREATE OR REPLACE FUNCTION @workspace@.claim_fetch(sources text[] DEFAULT NULL, due_at timestamptz DEFAULT NULL)
	RETURNS TABLE (source text, url text, form text, content_type text, seconds integer, maximum_bytes integer, etag text, last_modified text)
	LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS $$
		WITH due AS (
			SELECT f.source FROM @workspace@.fetch_source f
			WHERE (sources IS NULL AND f.is_active AND (f.fetched_at IS NULL OR f.fetched_at + f.every <= COALESCE(due_at, pg_catalog.now()))
					OR f.source = ANY (sources))
				AND (f.claimed_until IS NULL OR f.claimed_until < pg_catalog.now())
			ORDER BY f.fetched_at NULLS FIRST, f.source
			LIMIT 1
			FOR UPDATE SKIP LOCKED
		)
		UPDATE @workspace@.fetch_source f SET claimed_until = pg_catalog.now() + f.timeout * 20
		FROM due
		WHERE f.source = due.source
		RETURNING f.source, f.url, f.form, f.content_type, pg_catalog.ceil(EXTRACT(epoch FROM f.timeout))::integer, f.maximum_bytes,
			f.etag, f.last_modified
	$$;

COMMENT ON FUNCTION @workspace@.claim_fetch(text[], timestamptz) IS
	'Take the source that is due longest (at due_at, now if NULL), or one of those named whether due or not, into hand for some minutes, and return it; no row when there is none. For leadctl fetch. Runs with the rights of the workspace''s owner.';

CREATE OR REPLACE FUNCTION @workspace@.claim_body(source text, digest bytea, name text) RETURNS boolean
	LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS $$
		WITH claimed AS (
			INSERT INTO @workspace@.fetched_body (source, digest, name) VALUES ($1, $2, $3)
			ON CONFLICT DO NOTHING RETURNING 1)
		SELECT EXISTS (SELECT FROM claimed)
	$$;

COMMENT ON FUNCTION @workspace@.claim_body(text, bytea, text) IS
	'Note what was fetched from a source by its SHA-256; false when it came before. For leadctl fetch, in the transaction that submits it. Runs with the rights of the workspace''s owner.';

CREATE OR REPLACE FUNCTION @workspace@.record_fetch(source text, outcome text, failed boolean, etag text DEFAULT NULL, last_modified text DEFAULT NULL)
	RETURNS void
	LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS $$
		UPDATE @workspace@.fetch_source f
		SET claimed_until = NULL, fetched_at = pg_catalog.now(), outcome = $2, failures = CASE WHEN $3 THEN f.failures + 1 ELSE 0 END,
			etag = CASE WHEN $3 THEN f.etag ELSE $4 END, last_modified = CASE WHEN $3 THEN f.last_modified ELSE $5 END
		WHERE f.source = $1
	$$;

COMMENT ON FUNCTION @workspace@.record_fetch(text, text, boolean, text, text) IS
	'Note what came of fetching a source, and give it back. For leadctl fetch. Runs with the rights of the workspace''s owner.';

REVOKE EXECUTE ON FUNCTION
	@workspace@.claim_fetch(text[], timestamptz),
	@workspace@.claim_body(text, bytea, text),
	@workspace@.record_fetch(text, text, boolean, text, text)
	FROM PUBLIC;
