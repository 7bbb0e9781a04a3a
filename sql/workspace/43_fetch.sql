-- Sources that leadctl fetch polls.

CREATE TABLE @workspace@.fetch_source (
	source text PRIMARY KEY CHECK (source <> ''),
	url text NOT NULL CHECK (url ~* '^(https?|ftps?)://[^/@[:space:]]+(/[^[:cntrl:][:space:]]*)?$'),
	form text NOT NULL DEFAULT 'default',
	content_type text,
	every interval NOT NULL DEFAULT interval '15 minutes' CHECK (every >= interval '0'),
	timeout interval NOT NULL DEFAULT interval '30 seconds' CHECK (timeout BETWEEN interval '1 second' AND interval '1 hour'),
	maximum_bytes integer NOT NULL DEFAULT 16777216 CHECK (maximum_bytes BETWEEN 1 AND 268435456),
	is_active boolean NOT NULL DEFAULT true,
	etag text,
	last_modified text,
	claimed_until timestamptz,
	fetched_at timestamptz,
	outcome text,
	failures integer NOT NULL DEFAULT 0
);

COMMENT ON TABLE @workspace@.fetch_source IS
	'Feeds and files that leadctl fetch polls: RSS and anything else that capture_raw() reads, over HTTP or FTP.';
COMMENT ON COLUMN @workspace@.fetch_source.source IS 'Name';
COMMENT ON COLUMN @workspace@.fetch_source.url IS 'Address: http, https, ftp or ftps. One of ftp that ends in / is a directory, each new file of which is fetched. User names and passwords belong in the ~/.netrc of whoever runs leadctl, not here';
COMMENT ON COLUMN @workspace@.fetch_source.form IS 'Form that what is fetched comes in by';
COMMENT ON COLUMN @workspace@.fetch_source.content_type IS 'Media type of what is there; NULL for what the server says, or for what the name of the file ends in';
COMMENT ON COLUMN @workspace@.fetch_source.every IS 'How long after a fetch the next is due';
COMMENT ON COLUMN @workspace@.fetch_source.timeout IS 'How long one transfer may take';
COMMENT ON COLUMN @workspace@.fetch_source.maximum_bytes IS 'Largest body that is taken';
COMMENT ON COLUMN @workspace@.fetch_source.is_active IS 'False to leave it out';
COMMENT ON COLUMN @workspace@.fetch_source.etag IS 'Tag of what was fetched last, by which the server tells whether it has changed';
COMMENT ON COLUMN @workspace@.fetch_source.last_modified IS 'When what was fetched last was changed, as the server has it';
COMMENT ON COLUMN @workspace@.fetch_source.claimed_until IS 'Until when it is in the hands of somebody who fetches it; NULL if of nobody';
COMMENT ON COLUMN @workspace@.fetch_source.fetched_at IS 'When it was fetched, or tried, last';
COMMENT ON COLUMN @workspace@.fetch_source.outcome IS 'What came of that: fetched, not modified, or the error';
COMMENT ON COLUMN @workspace@.fetch_source.failures IS 'Errors since it last worked';

CREATE TABLE @workspace@.fetched_body (
	source text NOT NULL REFERENCES @workspace@.fetch_source ON UPDATE CASCADE ON DELETE CASCADE,
	digest bytea NOT NULL,
	name text NOT NULL,
	fetched_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	PRIMARY KEY (source, digest)
);

COMMENT ON TABLE @workspace@.fetched_body IS
	'What was fetched: the same bytes from the same source again are not submitted twice.';
COMMENT ON COLUMN @workspace@.fetched_body.source IS 'Source';
COMMENT ON COLUMN @workspace@.fetched_body.digest IS 'SHA-256 of the bytes';
COMMENT ON COLUMN @workspace@.fetched_body.name IS 'Address or name of the file they were in';
COMMENT ON COLUMN @workspace@.fetched_body.fetched_at IS 'When they came';
