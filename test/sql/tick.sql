-- The heartbeat: what runs, in which order, and what a failure costs.
SET client_min_messages = warning;
SELECT lead_mgmt.create_workspace('beat');
SELECT task, label, sequence, every FROM beat.tick_task WHERE task = 'purge_submissions';
SELECT count(*) > 0 AS ran, count(error) AS errors FROM beat.tick();
DELETE FROM beat.tick_task;
CREATE TABLE done (task text);
CREATE FUNCTION beat.second() RETURNS bigint LANGUAGE sql AS $$ INSERT INTO public.done VALUES ('second'); SELECT 2::bigint $$;
CREATE FUNCTION beat.first() RETURNS bigint LANGUAGE sql AS $$ INSERT INTO public.done VALUES ('first'); SELECT 1::bigint $$;
CREATE FUNCTION beat."Tháng này"() RETURNS bigint LANGUAGE sql AS $$ INSERT INTO public.done VALUES ('monthly'); SELECT 0::bigint $$;
CREATE FUNCTION beat.broken() RETURNS bigint LANGUAGE sql AS $$ INSERT INTO public.done VALUES ('broken'); SELECT 1 / (SELECT 0)::bigint $$;

SELECT * FROM beat.tick();
INSERT INTO beat.tick_task (task, label, sequence, every) VALUES
	('second', 'Second', 20, '0'), ('first', 'First', 10, '0'), ('broken', 'Broken', 15, '0'),
	('missing', 'No such function', 30, '0'), ('Tháng này', 'Each month', 40, '1 month');
SELECT * FROM beat.tick();
SELECT task FROM done;
SELECT task, last_run_at IS NOT NULL AS ran, last_done, last_error FROM beat.tick_task ORDER BY sequence;

-- What is not due yet, or left out, does not run, but when it is named
UPDATE beat.tick_task SET is_active = false WHERE task IN ('broken', 'missing');
SELECT * FROM beat.tick();
SELECT * FROM beat.tick('Tháng này');
SELECT * FROM beat.tick('broken');
UPDATE beat.tick_task SET last_run_at = last_run_at - interval '32 days' WHERE task = 'Tháng này';
SELECT * FROM beat.tick();
SELECT * FROM beat.tick('no such task');

-- Whoever may call it does so with rights of their own
CREATE ROLE regress_beat;
SET ROLE regress_beat;
SELECT * FROM beat.tick();
RESET ROLE;

DROP TABLE done;
DROP ROLE regress_beat;
SELECT lead_mgmt.drop_workspace('beat', 'beat');
