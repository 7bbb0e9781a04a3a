-- Pipelines

CREATE FUNCTION lead_mgmt.stage_law() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.stage_law() IS
	'Trigger function: makes rows of lead and opportunity obey their pipeline and leave history, whichever client writes them. Argument: entity.';

CREATE FUNCTION lead_mgmt.stage_follow() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off;

COMMENT ON FUNCTION lead_mgmt.stage_follow() IS
	'Trigger function: matches, scores and moves leads that a client wrote, and marks the contact of a won opportunity as customer. Argument: entity.';

CREATE FUNCTION lead_mgmt.stage_moved() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off;

COMMENT ON FUNCTION lead_mgmt.stage_moved() IS
	'Trigger function: gathers the moves that a statement makes, row by row, and at its end checks them against guards and required fields, records them and runs the actions of their stages. Argument: entity.';

CREATE FUNCTION lead_mgmt.guard_history() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.guard_history() IS
	'Trigger function: refuses changes to stage_move by anybody but the system.';

CREATE FUNCTION lead_mgmt.check_step() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.check_step() IS
	'Trigger function: checks that a step can be completed for a lead, runs its function, and fills in where and when.';

CREATE FUNCTION lead_mgmt.step_done() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.step_done() IS
	'Trigger function: sets the qualification that a completed step stands for, and moves the lead on if the step was the last.';

CREATE FUNCTION lead_mgmt.guard_pipeline_part() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.guard_pipeline_part() IS
	'Trigger function: refuses conditions that do not compile against the profile, fields and functions that are not there, in the tables that say what a pipeline does.';

CREATE FUNCTION lead_mgmt.guard_stage() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.guard_stage() IS
	'Trigger function: keeps stages and pipelines that are in use from being deleted or renamed.';

CREATE FUNCTION lead_mgmt.check_pipeline() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.check_pipeline() IS
	'Trigger function: refuses an active pipeline that is not sound, at the end of the transaction.';

CREATE FUNCTION lead_mgmt.move_due_leads(lead regclass) RETURNS bigint
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off;

COMMENT ON FUNCTION lead_mgmt.move_due_leads(regclass) IS
	'Make the automatic moves that are due because of the time, for a workspace given by its lead table, and return how many. Behind move_due_leads() of the workspace, whose privilege it asks for.';

CREATE FUNCTION lead_mgmt.reopen_row(entity regclass, id bigint, reason text) RETURNS void
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.reopen_row(regclass, bigint, text) IS
	'Reopen a closed row of the table lead or opportunity of a workspace. Behind reopen() and reopen_opportunity() of the workspace, whose privilege it asks for.';

CREATE FUNCTION lead_mgmt.stage_explanation(lead regclass, lead_id bigint, OUT item text, OUT name text, OUT state text, OUT detail text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED ROWS 10 SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.stage_explanation(regclass, bigint) IS
	'What holds a lead where it is, for a workspace given by its lead table. Behind explain_stage() of the workspace.';
