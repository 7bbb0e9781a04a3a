-- Whose rights views and reports run with.

CREATE OR REPLACE FUNCTION @workspace@.set_view_rights(rights text) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET client_min_messages = warning
	AS $$
	DECLARE
		workspace oid := '@workspace@'::pg_catalog.regnamespace;
		target record;
	BEGIN
		IF rights NOT IN ('caller', 'owner') OR rights IS NULL THEN
			RAISE EXCEPTION 'views cannot run with the rights of "%"', rights
				USING ERRCODE = 'invalid_parameter_value', HINT = 'Choose caller or owner.';
		END IF;
		UPDATE @workspace@.workspace_info SET view_rights = rights WHERE view_rights <> rights;
		IF rights = 'caller' THEN
			-- As they are laid out
			IF FOUND THEN
				EXECUTE lead_mgmt.workspace_statements((SELECT n.nspname FROM pg_catalog.pg_namespace n WHERE n.oid = workspace), 'code');
			END IF;
			RETURN;
		END IF;
		SELECT c.relname INTO target FROM pg_catalog.pg_class c
			WHERE c.relnamespace = workspace AND c.relrowsecurity AND c.relname <> 'audit_log' ORDER BY c.relname LIMIT 1;
		IF FOUND THEN
			RAISE EXCEPTION 'views cannot run with the rights of their owner while table "%" has row-level security', target.relname
				USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'They would show what it hides.';
		END IF;
		FOR target IN
			SELECT c.relname, pg_catalog.rtrim(pg_catalog.pg_get_viewdef(c.oid), ';') AS query,
				(SELECT pg_catalog.string_agg(pg_catalog.format('v.%I', a.attname), ', ' ORDER BY a.attnum)
				 FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0) AS columns,
				(SELECT pg_catalog.string_agg(DISTINCT pg_catalog.format('%L::pg_catalog.regclass', t.oid::pg_catalog.regclass), ', ')
				 FROM pg_catalog.pg_rewrite r
				 JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = r.oid
					AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
				 JOIN pg_catalog.pg_class t ON t.oid = d.refobjid AND t.relkind IN ('r', 'p') AND t.relname <> 'audit_log'
				 WHERE r.ev_class = c.oid) AS tables
			FROM pg_catalog.pg_class c
			WHERE c.relnamespace = workspace AND c.relkind = 'v' AND 'security_invoker=true' = ANY (c.reloptions)
				AND c.relname IN (
					SELECT m.found[1]
					FROM pg_catalog.regexp_matches(lead_mgmt.workspace_script(), 'CREATE OR REPLACE VIEW @' || 'workspace@[.](\w+)', 'g') m (found))
			ORDER BY c.oid
		LOOP
			EXECUTE pg_catalog.format('CREATE OR REPLACE VIEW @workspace@.%I WITH (security_invoker = false) AS SELECT %s FROM (%s) v WHERE %s',
				target.relname, target.columns, target.query,
				COALESCE('lead_mgmt.view_guard(ARRAY[' || target.tables || '])', 'true'));
		END LOOP;
		FOR target IN
			SELECT p.oid::pg_catalog.regprocedure AS signature FROM pg_catalog.pg_proc p
			WHERE p.pronamespace = workspace AND p.prosrc ~ 'lead_mgmt[.]report_guard[(]'
		LOOP
			EXECUTE pg_catalog.format('ALTER FUNCTION %s SECURITY DEFINER', target.signature);
		END LOOP;
	END
	$$;

COMMENT ON FUNCTION @workspace@.set_view_rights(text) IS
	'Let views and report functions run with the rights of their caller, as in a new workspace, so that row-level security of the tables holds in them and whoever reads them needs rights on the tables too; or of their owner, so that a reader needs none, which grant_access() sees to. Where a table gets row-level security afterwards, they refuse to serve whom it restricts until they run with the rights of their caller again. Errors: invalid_parameter_value, object_not_in_prerequisite_state when a table has row-level security';

REVOKE EXECUTE ON FUNCTION @workspace@.set_view_rights(text) FROM PUBLIC;

-- After an upgrade, as before it
SELECT @workspace@.set_view_rights(i.view_rights) FROM @workspace@.workspace_info i WHERE i.view_rights = 'owner';
