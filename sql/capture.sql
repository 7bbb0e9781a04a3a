-- Capture
--
-- The planner settings make the kept plans of these functions walk indexes
-- from the rows at hand, however small the tables were when they were made.

CREATE FUNCTION lead_mgmt.process_submissions() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off;

COMMENT ON FUNCTION lead_mgmt.process_submissions() IS
	'Trigger function: turns inserted submissions into contacts, accounts, leads, interactions, scores, stages and assignments.';

CREATE FUNCTION lead_mgmt.process_submission(submission_table regclass, submission_id bigint) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C STRICT SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off;

COMMENT ON FUNCTION lead_mgmt.process_submission(regclass, bigint) IS
	'Process a submission of a workspace again, unless it was accepted or found to be a duplicate. Returns whether it was processed. Needs UPDATE on the table.';

CREATE FUNCTION lead_mgmt.count_interactions() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off;

COMMENT ON FUNCTION lead_mgmt.count_interactions() IS
	'Trigger function: counts directly inserted interactions for the scores of the leads they concern, and opens the conversions again that inserted interactions may be touches of, where their credits are kept.';

CREATE FUNCTION lead_mgmt.recount_interactions() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off;

COMMENT ON FUNCTION lead_mgmt.recount_interactions() IS
	'Trigger function: scores the leads again whose interactions a client changed or deleted, and opens the conversions again that changed interactions may be or were touches of, where their credits are kept.';

CREATE FUNCTION lead_mgmt.drop_orphan_interaction() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.drop_orphan_interaction() IS
	'Trigger function: deletes an interaction that was of a deleted lead and of nobody else.';

CREATE FUNCTION lead_mgmt.rescore_leads() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off;

COMMENT ON FUNCTION lead_mgmt.rescore_leads() IS
	'Trigger function: scores the open leads of a contact or account again that a client changed. Argument: entity.';

CREATE FUNCTION lead_mgmt.claim_identity() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.claim_identity() IS
	'Trigger function: claims what identifies a contact (e-mail address, phone number) or account (domain, name) that a client wrote. Argument: entity.';

CREATE FUNCTION lead_mgmt.content_type(name text, body bytea) RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.content_type(text, bytea) IS
	'The media type that a file seems to be of, by its name (may be NULL) and its first bytes: JSON, JSON lines, XML, a feed, mail, CSV or form data. NULL without bytes.';
