-- Times single calls inside the server, without the client's part.

SET client_min_messages = warning;
DROP SCHEMA IF EXISTS timing CASCADE;
CREATE SCHEMA timing;

CREATE TABLE timing.call (what text, kind text, ms float8, is_found boolean, is_first boolean, is_recognisable boolean);

-- Calls a function from jsonb to bigint[] for each probe. The first round
-- warms the caches.
CREATE PROCEDURE timing.look_up(what text, function text)
	LANGUAGE plpgsql
AS $$
BEGIN
	EXECUTE format($body$
		CREATE OR REPLACE FUNCTION timing.all_probes(round integer) RETURNS void LANGUAGE plpgsql AS $function$
		DECLARE
			p record;
			ids bigint[];
			started timestamptz;
			ended timestamptz;
		BEGIN
			FOR p IN SELECT * FROM probe ORDER BY number LIMIT CASE round WHEN 1 THEN 300 ELSE 2000 END LOOP
				started := clock_timestamp();
				ids := %2$s(p.profile);
				ended := clock_timestamp();
				IF round = 2 THEN
					INSERT INTO timing.call VALUES (%1$L, p.kind, 1000 * extract(epoch FROM ended - started),
						coalesce(p.contact_id = ANY (ids), false), coalesce(p.contact_id = ids[1], false), p.is_recognisable);
				END IF;
			END LOOP;
		END $function$
		$body$, what, function);
	DELETE FROM timing.call c WHERE c.what = look_up.what;
	PERFORM timing.all_probes(1);
	PERFORM timing.all_probes(2);
END $$;

-- Runs an INSERT with $1 for each probe of a kind, and undoes it, so that each
-- meets the same tables. Statements take turns, so that what slows the machine
-- slows them all.
CREATE PROCEDURE timing.insert(probes text, rounds integer, statements jsonb)
	LANGUAGE plpgsql
AS $$
DECLARE
	p record;
	s record;
	started timestamptz;
	ended timestamptz;
BEGIN
	FOR s IN SELECT key, value FROM jsonb_each_text(statements) LOOP
		EXECUTE format('PREPARE %I (jsonb) AS %s', s.key, s.value);
		DELETE FROM timing.call WHERE what = s.key AND kind = probes;
	END LOOP;
	FOR p IN SELECT * FROM probe WHERE kind = probes ORDER BY number LIMIT rounds LOOP
		-- each is first in turn, for the first one meets cold pages
		FOR s IN SELECT key, format('EXECUTE %I (%L)', key, p.profile) AS statement
			FROM jsonb_object_keys(statements) WITH ORDINALITY AS keys (key, place)
			ORDER BY (place + p.number) % jsonb_array_length(jsonb_path_query_array(statements, '$.keyvalue()'))
		LOOP
			BEGIN
				started := clock_timestamp();
				EXECUTE s.statement;
				ended := clock_timestamp();
				RAISE EXCEPTION USING ERRCODE = 'ZZ001';
			EXCEPTION WHEN SQLSTATE 'ZZ001' THEN
				NULL;
			END;
			INSERT INTO timing.call (what, kind, ms) VALUES (s.key, probes, 1000 * extract(epoch FROM ended - started));
		END LOOP;
	END LOOP;
	FOR s IN SELECT key FROM jsonb_object_keys(statements) AS key LOOP
		EXECUTE format('DEALLOCATE %I', s.key);
	END LOOP;
END $$;

CREATE FUNCTION timing.percentile(wanted text, share float8, probes text DEFAULT NULL) RETURNS numeric
	LANGUAGE sql STABLE
	RETURN (SELECT round(percentile_cont(share) WITHIN GROUP (ORDER BY ms)::numeric, 3)
		FROM timing.call WHERE what = wanted AND (probes IS NULL OR kind = probes));

CREATE FUNCTION timing.found(wanted text, recognisable_only boolean DEFAULT true) RETURNS numeric
	LANGUAGE sql STABLE
	RETURN (SELECT round(100.0 * count(*) FILTER (WHERE is_found) / nullif(count(*), 0), 2)
		FROM timing.call WHERE what = wanted AND kind <> 'unknown' AND (is_recognisable OR NOT recognisable_only));
