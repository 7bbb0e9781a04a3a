-- The heartbeat. A domain adds its part next to the function that does it, with
-- INSERT INTO tick_task … ON CONFLICT DO NOTHING.

CREATE OR REPLACE FUNCTION @workspace@.tick(task_name text DEFAULT NULL)
	RETURNS TABLE (task text, done bigint, error text)
	LANGUAGE plpgsql ROWS 10 SET search_path = pg_catalog, pg_temp
	AS $$
	#variable_conflict use_column
	DECLARE
		due record;
	BEGIN
		IF tick.task_name IS NOT NULL AND NOT EXISTS (SELECT FROM @workspace@.tick_task t WHERE t.task = tick.task_name) THEN
			RAISE EXCEPTION 'there is no task "%"', tick.task_name
				USING ERRCODE = 'no_data_found', HINT = 'The table tick_task lists them.';
		END IF;
		-- The row is the lock: what another session is at is left to it
		FOR due IN
			SELECT t.task FROM @workspace@.tick_task t
			WHERE t.task = tick.task_name
				OR tick.task_name IS NULL AND t.is_active
					AND (t.last_run_at IS NULL OR t.last_run_at <= pg_catalog.now() - t.every)
			ORDER BY t.sequence, t.task
			FOR UPDATE SKIP LOCKED
		LOOP
			task := due.task;
			done := NULL;
			error := NULL;
			BEGIN
				EXECUTE pg_catalog.format('SELECT @workspace@.%I()', due.task) INTO done;
			EXCEPTION WHEN OTHERS THEN
				error := SQLERRM;
			END;
			UPDATE @workspace@.tick_task t SET last_run_at = pg_catalog.now(), last_done = done, last_error = error
				WHERE t.task = due.task;
			RETURN NEXT;
		END LOOP;
	END
	$$;

COMMENT ON FUNCTION @workspace@.tick(text) IS
	'Do what is due: the tasks of tick_task in their order, or the one named, due or not. One row a task that ran, with how much it did. Call it every minute or so, from pg_cron, a timer of the system or the application, from as many places as you like: a task that another session is at is left to it. One that fails is undone, leaves its error in the row and in tick_task, and does not keep the others. Error: no_data_found for a task that is not there';

REVOKE EXECUTE ON FUNCTION @workspace@.tick(text) FROM PUBLIC;

INSERT INTO @workspace@.tick_task (task, label, sequence, every) VALUES
	('purge_submissions', 'Delete submissions that their form keeps no longer', 900, '1 hour')
ON CONFLICT DO NOTHING;
