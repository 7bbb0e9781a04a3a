-- Events

CREATE FUNCTION lead_mgmt.call_event_handler() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.call_event_handler() IS
	'Trigger function: calls the function of an event handler for a row of outbox, with the rights of the workspace''s owner, and notes what came of it.';

CREATE FUNCTION lead_mgmt.event_channel(workspace text) RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.event_channel(text) IS
	'The channel that a workspace notifies over, for LISTEN: its name, of which the first 56 bytes are taken, and _events.';
