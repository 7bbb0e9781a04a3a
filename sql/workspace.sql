-- Workspaces

CREATE FUNCTION lead_mgmt.version() RETURNS text
	AS 'MODULE_PATHNAME', 'lead_mgmt_version' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.version() IS
	'The version of the installed library, such as 1.0.0.';

CREATE FUNCTION lead_mgmt.workspace_statements(name text, part text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
		SELECT pg_catalog.replace(
			CASE part
				WHEN 'tables' THEN pg_catalog.split_part(lead_mgmt.workspace_script(), '-- @code@', 1)
				WHEN 'code' THEN pg_catalog.split_part(pg_catalog.split_part(lead_mgmt.workspace_script(), '-- @code@', 2), '-- @defaults@', 1)
				WHEN 'defaults' THEN pg_catalog.split_part(lead_mgmt.workspace_script(), '-- @defaults@', 2)
			END, '@workspace@', pg_catalog.quote_ident(name))
	$$;

COMMENT ON FUNCTION lead_mgmt.workspace_statements(text, text) IS
	'The statements that lay out a part of a workspace: its tables, its code (views, functions, triggers), or its default rows. For reading; create_workspace() and upgrade_workspace() run them.';

CREATE FUNCTION lead_mgmt.create_workspace(name text) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET client_min_messages = warning
	AS $$
	BEGIN
		IF name IS NULL OR name = '' THEN
			RAISE EXCEPTION 'a workspace needs a name' USING ERRCODE = 'invalid_schema_name';
		ELSIF pg_catalog.octet_length(name) > 63 THEN
			RAISE EXCEPTION 'workspace name "%" is longer than 63 bytes', name USING ERRCODE = 'name_too_long';
		ELSIF name ~ '["''$%\\[:cntrl:]]' THEN
			RAISE EXCEPTION 'workspace name "%" contains a character that is not allowed', name
				USING ERRCODE = 'invalid_schema_name', HINT = 'Quotes, dollar and percent signs, backslashes and control characters are not allowed.';
		ELSIF name ~ '^pg_' OR name IN ('lead_mgmt', 'information_schema', 'public') THEN
			RAISE EXCEPTION 'workspace name "%" is reserved', name USING ERRCODE = 'reserved_name';
		ELSIF EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = name) THEN
			RAISE EXCEPTION 'schema "%" exists already', name
				USING ERRCODE = 'duplicate_schema', HINT = 'Choose another name, or drop the workspace with lead_mgmt.drop_workspace().';
		END IF;
		EXECUTE pg_catalog.format('CREATE SCHEMA %I', name);
		EXECUTE lead_mgmt.workspace_statements(name, 'tables');
		EXECUTE lead_mgmt.workspace_statements(name, 'code');
		EXECUTE lead_mgmt.workspace_statements(name, 'defaults');
		EXECUTE pg_catalog.format('COMMENT ON SCHEMA %I IS %L', name, 'lead_mgmt workspace');
	END
	$$;

COMMENT ON FUNCTION lead_mgmt.create_workspace(text) IS
	'Lay out a workspace as a new schema of ordinary tables, views, functions and triggers that belong to the caller, with useful defaults. Needs the privilege to create schemas in the database. Errors: duplicate_schema, invalid_schema_name, reserved_name, name_too_long.';

CREATE FUNCTION lead_mgmt.upgrade_workspace(name text) RETURNS text
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET client_min_messages = warning
	AS $$
	DECLARE
		found text;
	BEGIN
		IF name IS NULL OR pg_catalog.to_regclass(pg_catalog.format('%I.workspace_info', name)) IS NULL THEN
			RAISE EXCEPTION 'there is no workspace "%"', name
				USING ERRCODE = 'invalid_schema_name', HINT = 'Create it with lead_mgmt.create_workspace().';
		END IF;
		EXECUTE pg_catalog.format('SELECT version FROM %I.workspace_info FOR UPDATE', name) INTO found;
		IF pg_catalog.string_to_array(found, '.')::int[] > pg_catalog.string_to_array('@version@', '.')::int[] THEN
			RAISE EXCEPTION 'workspace "%" is at version %, newer than the installed %', name, found, '@version@'
				USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Update the extension first: ALTER EXTENSION lead_mgmt UPDATE.';
		END IF;
		EXECUTE lead_mgmt.workspace_statements(name, 'code');
		EXECUTE pg_catalog.format('UPDATE %I.workspace_info SET version = %L, upgraded_at = pg_catalog.now()', name, '@version@');
		RETURN '@version@';
	END
	$$;

COMMENT ON FUNCTION lead_mgmt.upgrade_workspace(text) IS
	'Bring the views, functions and triggers of a workspace to the installed version and return that version. Rows, and objects the user added, stay as they are. Errors: invalid_schema_name when there is no such workspace, object_not_in_prerequisite_state when the workspace is newer than the extension.';

CREATE FUNCTION lead_mgmt.drop_workspace(name text, confirm text) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET client_min_messages = warning
	AS $$
	BEGIN
		IF name IS NULL OR pg_catalog.to_regclass(pg_catalog.format('%I.workspace_info', name)) IS NULL THEN
			RAISE EXCEPTION 'there is no workspace "%"', name USING ERRCODE = 'invalid_schema_name';
		ELSIF confirm IS DISTINCT FROM name THEN
			RAISE EXCEPTION 'workspace "%" is not dropped: the confirmation is not its name', name
				USING ERRCODE = 'invalid_parameter_value', HINT = pg_catalog.format('Repeat the name: lead_mgmt.drop_workspace(%L, %L).', name, name);
		END IF;
		EXECUTE pg_catalog.format('DROP SCHEMA %I CASCADE', name);
	END
	$$;

COMMENT ON FUNCTION lead_mgmt.drop_workspace(text, text) IS
	'Drop a workspace with all its data. The name must be given twice. Errors: invalid_schema_name, invalid_parameter_value.';

CREATE FUNCTION lead_mgmt.config_changed() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C;

COMMENT ON FUNCTION lead_mgmt.config_changed() IS
	'Trigger function: tells every session that a definition table of its workspace has changed.';

CREATE FUNCTION lead_mgmt.audit_change() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C;

COMMENT ON FUNCTION lead_mgmt.audit_change() IS
	'Trigger function: writes what an UPDATE changed to audit_log. Arguments: entity, key column, columns not tracked.';

CREATE FUNCTION lead_mgmt.is_client_write() RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;

COMMENT ON FUNCTION lead_mgmt.is_client_write() IS
	'For WHEN conditions of triggers: whether the statement is a client''s (or a trigger''s of the user) rather than one that lead_mgmt runs while it processes submissions, whose rows are complete already.';

CREATE FUNCTION lead_mgmt.guard_row() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.guard_row() IS
	'Trigger function: checks the custom attributes of a contact or account, refuses a second contact for an individual customer, and sets updated_at. Argument: entity.';

CREATE FUNCTION lead_mgmt.guard_form() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.guard_form() IS
	'Trigger function: refuses a form whose mapping, defaults or required list names something that is no field, or whose records are a JSON path that is none.';

CREATE FUNCTION lead_mgmt.guard_field_name() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.guard_field_name() IS
	'Trigger function: refuses a row of form_field or field_alias that names something that is no field, or a JSON path that is none.';

CREATE FUNCTION lead_mgmt.guard_form_pairs() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.guard_form_pairs() IS
	'Trigger function: refuses a row of form_pairs whose JSON paths name a variable other than $payload.';

CREATE FUNCTION lead_mgmt.guess_fields(form_table regclass, names text[], form text)
	RETURNS TABLE (name text, field text, how text)
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.guess_fields(regclass, text[], text) IS
	'The code behind guess_fields() of a workspace, whose form table is named. Error: no_data_found when there is no such form.';

CREATE FUNCTION lead_mgmt.guard_template() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.guard_template() IS
	'Trigger function: refuses a row of form_template whose pattern is no regular expression, or has no named group.';

CREATE FUNCTION lead_mgmt.view_guard(tables regclass[]) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1;

COMMENT ON FUNCTION lead_mgmt.view_guard(regclass[]) IS
	'True, or an error when the row-level security of one of the tables restricts the caller: for views that run with their owner''s rights and would show what it hides. Error: object_not_in_prerequisite_state';

CREATE FUNCTION lead_mgmt.guard_lead_row() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.guard_lead_row() IS
	'Trigger function: refuses a row about a lead that row-level security hides from whoever writes it, or does not let them change. Error: no_data_found';

CREATE FUNCTION lead_mgmt.report_guard(report regprocedure) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1;

COMMENT ON FUNCTION lead_mgmt.report_guard(regprocedure) IS
	'True, or an error when a function of a workspace runs with its owner''s rights and a table of the workspace has row-level security, which it would pass by. Error: object_not_in_prerequisite_state';

CREATE FUNCTION lead_mgmt.guard_tags() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C;

COMMENT ON FUNCTION lead_mgmt.guard_tags() IS
	'Trigger function: holds the tags of a row to those that are defined, each once and in order.';

CREATE FUNCTION lead_mgmt.follow_tag() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off;

COMMENT ON FUNCTION lead_mgmt.follow_tag() IS
	'Trigger function: lets rows follow a tag that is renamed, and keeps one that is in use.';
