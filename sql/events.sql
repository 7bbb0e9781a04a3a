-- Events

CREATE FUNCTION lead_mgmt.call_event_handler() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.call_event_handler() IS
	'Trigger function: calls the function of an event handler for a row of outbox, with the rights of the workspace''s owner, and notes what came of it.';

CREATE FUNCTION lead_mgmt.event_channel(workspace text) RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.event_channel(text) IS
	'The channel that a workspace notifies over, for LISTEN: its name, of which the first 56 bytes are taken, and _events.';

CREATE FUNCTION lead_mgmt.guard_event_handler() RETURNS trigger
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		id oid;
	BEGIN
		IF NEW.function IS NULL THEN
			RETURN NEW;
		END IF;
		id := pg_catalog.to_regprocedure(CASE WHEN NEW.function ~ '\(' THEN NEW.function ELSE NEW.function || '(jsonb)' END);
		IF id IS NULL OR NOT EXISTS (SELECT FROM pg_catalog.pg_proc p
				WHERE p.oid = id AND p.prokind = 'f' AND NOT p.proretset AND p.pronargs = 1 AND p.proargtypes[0] = 'jsonb'::pg_catalog.regtype) THEN
			RAISE EXCEPTION 'event handler "%" needs a function of one argument jsonb, which "%" is not', NEW.label, NEW.function
				USING ERRCODE = 'undefined_function', HINT = 'Name it with its schema, such as sales.on_move(jsonb).';
		END IF;
		NEW.function := id::pg_catalog.regprocedure::text;
		IF NEW.function !~ '\.' THEN
			SELECT pg_catalog.format('%I.%s', n.nspname, NEW.function) INTO NEW.function
				FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE p.oid = id;
		END IF;
		RETURN NEW;
	END
	$$;

COMMENT ON FUNCTION lead_mgmt.guard_event_handler() IS
	'Trigger function: refuses an event handler whose function cannot be called, and notes the function with its schema.';
