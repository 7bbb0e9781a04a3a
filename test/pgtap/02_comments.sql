-- Everything a user sees is commented: \d+ and \df+ are the reference manual.
\set QUIET on
\set ON_ERROR_STOP on
\pset format unaligned
\pset tuples_only on
\pset pager off
SET client_min_messages = warning;
BEGIN;
SELECT lead_mgmt.create_workspace('crm');
SELECT no_plan();

CREATE TEMP VIEW member AS
SELECT d.classid, d.objid FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'lead_mgmt'
WHERE d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass;

-- the extension
SELECT isnt(obj_description(e.oid, 'pg_extension'), NULL, 'the extension is commented') FROM pg_extension e WHERE extname = 'lead_mgmt';
SELECT isnt(obj_description(p.oid, 'pg_proc'), NULL, 'function ' || p.oid::regprocedure)
FROM pg_proc p JOIN member m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid ORDER BY p.oid::regprocedure::text;
SELECT isnt(obj_description(t.oid, 'pg_type'), NULL, 'type ' || t.oid::regtype)
FROM pg_type t JOIN member m ON m.classid = 'pg_type'::regclass AND m.objid = t.oid WHERE t.typelem = 0 ORDER BY t.typname;
SELECT isnt(obj_description(o.oid, 'pg_operator'), NULL, 'operator ' || o.oid::regoperator)
FROM pg_operator o JOIN member m ON m.classid = 'pg_operator'::regclass AND m.objid = o.oid ORDER BY o.oid::regoperator::text;

-- the workspace
SELECT isnt(obj_description('crm'::regnamespace, 'pg_namespace'), NULL, 'the schema is commented');
SELECT isnt(obj_description(c.oid, 'pg_class'), NULL, CASE c.relkind WHEN 'v' THEN 'view ' ELSE 'table ' END || c.relname)
FROM pg_class c WHERE c.relnamespace = 'crm'::regnamespace AND c.relkind IN ('r', 'v') ORDER BY c.relname;
SELECT isnt(col_description(c.oid, a.attnum), NULL, 'column ' || c.relname || '.' || a.attname)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = 'crm'::regnamespace AND c.relkind IN ('r', 'v') ORDER BY c.relname, a.attnum;
SELECT isnt(obj_description(p.oid, 'pg_proc'), NULL, 'function ' || p.oid::regprocedure) FROM pg_proc p WHERE p.pronamespace = 'crm'::regnamespace ORDER BY p.proname;

-- comments are sentences about the thing, not leftovers
SELECT is(array_agg(d.description), NULL, 'no comment is empty, or still carries a placeholder')
FROM pg_description d WHERE d.objoid IN (SELECT objid FROM member UNION SELECT oid FROM pg_class WHERE relnamespace = 'crm'::regnamespace UNION SELECT oid FROM pg_proc WHERE pronamespace = 'crm'::regnamespace)
	AND d.objoid <> 'lead_mgmt.workspace_script'::regproc -- speaks of the placeholder
	AND (btrim(d.description) = '' OR d.description ~ '@workspace@|@version@|TODO|FIXME|XXX');

SELECT * FROM finish();
ROLLBACK;
