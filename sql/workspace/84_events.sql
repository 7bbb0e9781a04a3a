-- Events: handlers, and what waits in the outbox.

CREATE OR REPLACE FUNCTION @workspace@.take_events(maximum integer DEFAULT 100) RETURNS SETOF @workspace@.outbox
	LANGUAGE sql ROWS 100 SET search_path = pg_catalog, pg_temp
	AS $$
		WITH taken AS (
			UPDATE @workspace@.outbox o SET state = 'done', done_at = pg_catalog.now()
			WHERE o.outbox_id IN (
				SELECT w.outbox_id FROM @workspace@.outbox w WHERE w.state = 'waiting'
				ORDER BY w.outbox_id LIMIT GREATEST($1, 0) FOR UPDATE SKIP LOCKED)
			RETURNING o.*)
		SELECT t.* FROM taken t ORDER BY t.outbox_id
	$$;

COMMENT ON FUNCTION @workspace@.take_events(integer) IS
	'Take events from outbox, the oldest first, and mark them as done. Take them, deliver them, then commit: until then no other session is given them, and after a rollback or a crash they wait again, so that each is delivered at least once. Several sessions can take events at once; they get different ones.';

CREATE OR REPLACE FUNCTION @workspace@.retry_events() RETURNS bigint
	LANGUAGE sql SET search_path = pg_catalog, pg_temp
	AS $$
		WITH retried AS (
			UPDATE @workspace@.outbox o SET state = 'calling', error = NULL, done_at = NULL
			FROM @workspace@.event_handler h
			WHERE o.state = 'failed' AND h.event_handler_id = o.event_handler_id AND h.is_active AND h.delivery = 'function'
			RETURNING 1)
		SELECT pg_catalog.count(*) FROM retried
	$$;

COMMENT ON FUNCTION @workspace@.retry_events() IS
	'Call the functions again that failed, at the end of the transaction, and return how many.';

CREATE OR REPLACE FUNCTION @workspace@.purge_events(older_than interval DEFAULT '30 days') RETURNS bigint
	LANGUAGE sql SET search_path = pg_catalog, pg_temp
	AS $$
		WITH purged AS (
			DELETE FROM @workspace@.outbox o WHERE o.state = 'done' AND o.done_at < pg_catalog.now() - $1
			RETURNING 1)
		SELECT pg_catalog.count(*) FROM purged
	$$;

COMMENT ON FUNCTION @workspace@.purge_events(interval) IS
	'Delete events from outbox that were done longer ago, and return how many. Those waiting and failed stay.';

REVOKE EXECUTE ON FUNCTION
	@workspace@.take_events(integer),
	@workspace@.retry_events(),
	@workspace@.purge_events(interval)
	FROM PUBLIC;

INSERT INTO @workspace@.tick_task (task, label, sequence, every) VALUES
	('purge_events', 'Delete events from outbox that were done more than 30 days ago', 910, '1 hour')
ON CONFLICT DO NOTHING;
