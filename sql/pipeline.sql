-- Pipelines

CREATE FUNCTION lead_mgmt.stage_law() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C;

COMMENT ON FUNCTION lead_mgmt.stage_law() IS
	'Trigger function: makes rows of lead and opportunity obey their pipeline and leave history, whichever client writes them. Argument: entity.';

CREATE FUNCTION lead_mgmt.stage_follow() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off;

COMMENT ON FUNCTION lead_mgmt.stage_follow() IS
	'Trigger function: matches, scores and moves leads that a client wrote, and marks the contact of a won opportunity as customer. Argument: entity.';

CREATE FUNCTION lead_mgmt.stage_moved() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C;

COMMENT ON FUNCTION lead_mgmt.stage_moved() IS
	'Trigger function: gathers the moves that a statement makes, row by row, and at its end checks them against guards and required fields, records them and runs the actions of their stages. Argument: entity.';

CREATE FUNCTION lead_mgmt.score_leads(score_table regclass, lead_ids bigint[]) RETURNS void
	AS 'MODULE_PATHNAME' LANGUAGE C STRICT SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off;

COMMENT ON FUNCTION lead_mgmt.score_leads(regclass, bigint[]) IS
	'Score leads of a workspace, named by its table score, in every active model for what they are now, and settle what follows: grades, the sales-ready mark, the stages they take by themselves. Nothing happens to those that are closed. Needs UPDATE on the table. Error: wrong_object_type';

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

CREATE FUNCTION lead_mgmt.stage_figures_add(internal, bigint, bigint, text, text, timestamptz, text[], text[], integer[], boolean[]) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.stage_figures_add(internal, bigint, bigint, text, text, timestamptz, text[], text[], integer[], boolean[]) IS
	'Transition function of stage_figures.';

CREATE FUNCTION lead_mgmt.stage_figures_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.stage_figures_combine(internal, internal) IS
	'Combine function of stage_figures.';

CREATE FUNCTION lead_mgmt.stage_figures_serial(internal) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.stage_figures_serial(internal) IS
	'Serial function of stage_figures.';

CREATE FUNCTION lead_mgmt.stage_figures_deserial(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.stage_figures_deserial(bytea, internal) IS
	'Deserial function of stage_figures.';

CREATE FUNCTION lead_mgmt.stage_figures_final(internal) RETURNS double precision[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.stage_figures_final(internal) IS
	'Final function of stage_figures.';

CREATE AGGREGATE lead_mgmt.stage_figures(row_id bigint, move_id bigint, pipeline text, stage text, at timestamptz,
		pipelines text[], stages text[], sequences integer[], is_lost boolean[]) (
	SFUNC = lead_mgmt.stage_figures_add, STYPE = internal, SSPACE = 1048576,
	FINALFUNC = lead_mgmt.stage_figures_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = lead_mgmt.stage_figures_combine, SERIALFUNC = lead_mgmt.stage_figures_serial,
	DESERIALFUNC = lead_mgmt.stage_figures_deserial, PARALLEL = SAFE);

COMMENT ON AGGREGATE lead_mgmt.stage_figures(bigint, bigint, text, text, timestamptz, text[], text[], integer[], boolean[]) IS
	'Conversion and velocity of stages, from all moves into them: which row moved, the key of the move, ascending with time, the stage and when. The stages to report are four arrays, the same in every call: their pipelines, names, sequences, and whether they are lost ones. The result has a line for each of them: rows that entered it, those of them that later entered one further on, those that did not and were lost, those in it now, stays that ended, rows that left it, the average and the median time these stayed in it, re-entries summed, and when those in it now entered on average; the last three in seconds, NULL without any. Linear in the number of moves; 64 bytes a move.';

CREATE FUNCTION lead_mgmt.furthest_levels_add(internal, bigint, text, text, boolean, text[], text[], integer[]) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.furthest_levels_add(internal, bigint, text, text, boolean, text[], text[], integer[]) IS
	'Transition function of furthest_levels.';

CREATE FUNCTION lead_mgmt.furthest_levels_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.furthest_levels_combine(internal, internal) IS
	'Combine function of furthest_levels.';

CREATE FUNCTION lead_mgmt.furthest_levels_serial(internal) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.furthest_levels_serial(internal) IS
	'Serial function of furthest_levels.';

CREATE FUNCTION lead_mgmt.furthest_levels_deserial(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.furthest_levels_deserial(bytea, internal) IS
	'Deserial function of furthest_levels.';

CREATE FUNCTION lead_mgmt.furthest_levels_final(internal) RETURNS bigint[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.furthest_levels_final(internal) IS
	'Final function of furthest_levels.';

CREATE AGGREGATE lead_mgmt.furthest_levels(row_id bigint, pipeline text, stage text, counts boolean, pipelines text[], stages text[], levels integer[]) (
	SFUNC = lead_mgmt.furthest_levels_add, STYPE = internal, SSPACE = 1048576, FINALFUNC = lead_mgmt.furthest_levels_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = lead_mgmt.furthest_levels_combine, SERIALFUNC = lead_mgmt.furthest_levels_serial,
	DESERIALFUNC = lead_mgmt.furthest_levels_deserial, PARALLEL = SAFE);

COMMENT ON AGGREGATE lead_mgmt.furthest_levels(bigint, text, text, boolean, text[], text[], integer[]) IS
	'How many rows have which level, from 1, as their furthest. Each call says that a row reached a stage of a pipeline, whose level the arrays give, the same in every call; stages that are not among them, and NULL, say nothing. Rows count for which counts was true once. Error: numeric_value_out_of_range for a level above 10000.';
