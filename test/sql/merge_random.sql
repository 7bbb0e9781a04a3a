-- Whatever is merged and undone in whatever order: once all is undone, every row is as it was.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
\set SHOW_CONTEXT never
\o /dev/null
CREATE TEMP TABLE before (table_name text, digest text);
CREATE TEMP TABLE done (what text);
CREATE TEMP TABLE outcome (seed double precision, merged boolean, in_order text, differs text, undone boolean, in_any_order text, still_differs text, wrong_scores bigint);
-- a workspace with random data
CREATE PROCEDURE pg_temp.start(seed double precision) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM lead_mgmt.create_workspace('chance');
	-- tables of the user's own with every sort of key
	CREATE SCHEMA regress_chance;
	CREATE TABLE regress_chance.member (segment integer, contact_id bigint REFERENCES chance.contact ON DELETE CASCADE, since date DEFAULT '2024-01-01', PRIMARY KEY (segment, contact_id));
	CREATE TABLE regress_chance.member_note (note_id serial PRIMARY KEY, segment integer, contact_id bigint, note text, FOREIGN KEY (segment, contact_id) REFERENCES regress_chance.member ON DELETE CASCADE);
	CREATE TABLE regress_chance.orders (order_id serial PRIMARY KEY, contact_id bigint REFERENCES chance.contact ON DELETE RESTRICT, amount numeric, account_id bigint REFERENCES chance.account);
	CREATE UNIQUE INDEX ON regress_chance.orders (contact_id, (amount::integer % 3)) WHERE amount > 50;
	CREATE TABLE regress_chance.plain (contact_id bigint REFERENCES chance.contact ON DELETE SET NULL, what jsonb);
	CREATE TABLE regress_chance.booking (contact_id bigint REFERENCES chance.contact DEFERRABLE INITIALLY DEFERRED, during int4range,
		EXCLUDE USING gist (during WITH &&, int8range(contact_id, contact_id, '[]') WITH &&));
	ALTER TABLE chance.contact ADD COLUMN points integer NOT NULL DEFAULT 1, ADD COLUMN hobbies text[], ADD COLUMN customer_number text UNIQUE;
	INSERT INTO chance.merge_policy (entity, field, policy) VALUES ('contact', 'points', 'sum');
	PERFORM chance.define_field('contact', 'colours', 'choices', '{red,green,blue}');
	PERFORM chance.define_field('contact', 'seats', 'integer');
	PERFORM chance.define_field('contact', 'memo', 'text');
	INSERT INTO chance.merge_policy (entity, field, policy) VALUES ('contact', 'attributes.seats', 'sum'), ('contact', 'attributes.memo', 'concatenate');
	COMMIT;
	PERFORM setseed(seed);
	INSERT INTO chance.submission (payload)
	SELECT jsonb_build_object('email', 'p' || n % 8 || '@c' || n % 7 || '.example', 'page', 'page' || (random() * 3)::integer, 'full_name', 'P ' || n, 'consent_email', random() < .5,
		'phone', CASE WHEN random() < .3 THEN '+84901234' || 100 + n % 8 END, 'kind', (ARRAY['demo_request', 'page_view', 'download', 'meeting'])[1 + (random() * 3)::integer],
		'city', CASE WHEN random() < .4 THEN 'City ' || n END, 'street', CASE WHEN random() < .4 THEN 'Street ' || n END, 'seats', (random() * 9)::integer, 'memo', 'memo ' || n % 5,
		'colours', CASE WHEN random() < .5 THEN '["red", "blue"]'::jsonb ELSE '["green"]' END)
	FROM generate_series(1, 120) n;
	COMMIT;
	UPDATE chance.contact SET hobbies = ARRAY['t' || contact_id % 3, 't' || contact_id % 5], points = contact_id, customer_number = CASE WHEN contact_id % 2 = 0 THEN 'C' || contact_id END,
		referrer_contact_id = 1 + contact_id * 7 % 20;
	INSERT INTO chance.account (kind, name, individual_contact_id) SELECT 'individual', 'Person ' || contact_id, contact_id FROM chance.contact WHERE contact_id % 6 = 1;
	UPDATE chance.contact c SET account_id = a.account_id FROM chance.account a WHERE a.individual_contact_id = c.contact_id AND random() < .6;
	INSERT INTO regress_chance.member SELECT s, contact_id FROM chance.contact, generate_series(1, 4) s WHERE random() < .4;
	INSERT INTO regress_chance.member_note (segment, contact_id, note) SELECT segment, contact_id, md5(random()::text) FROM regress_chance.member, generate_series(1, 2) WHERE random() < .6;
	INSERT INTO regress_chance.orders (contact_id, amount, account_id) SELECT contact_id, 30 + (contact_id * 7) % 50, 1 + contact_id % 7 FROM chance.contact;
	INSERT INTO regress_chance.plain SELECT contact_id, to_jsonb(contact_id % 3) FROM chance.contact, generate_series(1, 2);
	INSERT INTO regress_chance.booking SELECT contact_id, int4range((random() * 20)::integer, 25) FROM chance.contact;
	PERFORM chance.disqualify(lead_id, 'other') FROM chance.lead WHERE lead_id % 9 = 0 AND status = 'open';
	COMMIT;
END $$;
CREATE FUNCTION pg_temp.fingerprint() RETURNS TABLE (table_name text, digest text) LANGUAGE plpgsql AS $$
BEGIN
	FOR table_name IN SELECT c.oid::regclass FROM pg_class c WHERE relkind = 'r' AND relnamespace IN ('chance'::regnamespace, 'regress_chance'::regnamespace)
		AND relname NOT IN ('merge', 'merge_change', 'audit_log', 'temperature_change')
	LOOP
		EXECUTE format('SELECT md5(string_agg(to_jsonb(x)::text, chr(10) ORDER BY to_jsonb(x)::text)) FROM %s x', table_name) INTO digest;
		RETURN NEXT;
	END LOOP;
END $$;
-- merge and undo at random, what is refused left aside
CREATE FUNCTION pg_temp.shuffle(steps integer, undone double precision) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	entity text;
	winner bigint;
	losers bigint[];
BEGIN
	FOR i IN 1 .. steps LOOP
		BEGIN
			IF random() < undone THEN
				SELECT merge_id INTO winner FROM chance.merge WHERE undone_at IS NULL AND part_of IS NULL ORDER BY random() LIMIT 1;
				CONTINUE WHEN winner IS NULL;
				PERFORM chance.unmerge(winner);
				INSERT INTO done VALUES ('undone');
			ELSE
				entity := (ARRAY['contact', 'contact', 'account', 'lead'])[1 + floor(random() * 4)::integer];
				EXECUTE format('SELECT %1$s_id FROM chance.%1$s ORDER BY random() LIMIT 1', entity) INTO winner;
				EXECUTE format('SELECT array_agg(id) FROM (SELECT %1$s_id AS id FROM chance.%1$s WHERE %1$s_id <> $1 %2$s ORDER BY random() LIMIT 1 + floor(random() * 2)::integer) x',
					entity, CASE entity WHEN 'lead' THEN 'AND contact_id = (SELECT contact_id FROM chance.lead WHERE lead_id = $1)' ELSE '' END) INTO losers USING winner;
				CONTINUE WHEN losers IS NULL;
				EXECUTE format('SELECT chance.merge_%ss($1, $2)', entity) USING winner, losers;
				INSERT INTO done VALUES ('merged');
			END IF;
		EXCEPTION WHEN object_not_in_prerequisite_state OR check_violation THEN
			INSERT INTO done VALUES ('refused');
		END;
	END LOOP;
END $$;
-- undo all that stands, from the last to the first or in any order
CREATE FUNCTION pg_temp.undo_all(in_order boolean) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	id bigint;
	conflicts bigint := 0;
	progress boolean := true;
BEGIN
	WHILE progress LOOP
		progress := false;
		FOR id IN SELECT merge_id FROM chance.merge WHERE undone_at IS NULL AND part_of IS NULL ORDER BY CASE WHEN in_order THEN -merge_id ELSE random() END LOOP
			BEGIN
				conflicts := conflicts + (SELECT count(*) FROM chance.unmerge(id));
				progress := true;
			EXCEPTION WHEN object_not_in_prerequisite_state THEN
				IF in_order THEN
					RAISE;
				END IF;
			END;
		END LOOP;
	END LOOP;
	RETURN CASE WHEN EXISTS (SELECT FROM chance.merge WHERE undone_at IS NULL) THEN 'some are left' WHEN in_order THEN conflicts || ' conflicts' ELSE 'all undone' END;
END $$;
-- from a fresh start: merge and undo from the last to the first, then merge, undo some and undo the others in any order
CREATE PROCEDURE pg_temp.try(seed double precision) LANGUAGE plpgsql AS $$
DECLARE
	o outcome;
BEGIN
	CALL pg_temp.start(seed);
	o.seed := seed;
	TRUNCATE before, done;
	INSERT INTO before SELECT * FROM pg_temp.fingerprint();
	PERFORM pg_temp.shuffle(60, 0);
	o.merged := (SELECT count(*) FILTER (WHERE what = 'merged') > 25 FROM done);
	COMMIT;
	o.in_order := pg_temp.undo_all(true);
	o.differs := (SELECT string_agg(d.table_name, ', ' ORDER BY 1) FROM (SELECT * FROM pg_temp.fingerprint() EXCEPT TABLE before) d);
	COMMIT;
	PERFORM pg_temp.shuffle(80, 0.3);
	o.undone := (SELECT count(*) FILTER (WHERE what = 'undone') > 0 FROM done);
	COMMIT;
	o.in_any_order := pg_temp.undo_all(false);
	COMMIT;
	-- scores that had to be computed again differ in when that was
	UPDATE chance.score SET scored_at = '2024-01-01';
	o.still_differs := (SELECT string_agg(d.table_name, ', ' ORDER BY 1) FROM (SELECT * FROM pg_temp.fingerprint() EXCEPT TABLE before) d
		WHERE d.table_name <> 'chance.score');
	o.wrong_scores := (SELECT count(*) FROM chance.lead l JOIN chance.lead_score s USING (lead_id)
		WHERE l.status = 'open' AND s.score <> (SELECT COALESCE(sum(total), 0) FROM chance.explain_score(l.lead_id)));
	INSERT INTO outcome VALUES (o.*);
	COMMIT;
	DROP SCHEMA regress_chance CASCADE;
	PERFORM lead_mgmt.drop_workspace('chance', 'chance');
	COMMIT;
END $$;
CALL pg_temp.try(0.48);
-- a lead that goes on by a later merge once an earlier one is undone
CALL pg_temp.try(0.344);
-- an account whose person has another account by a later merge
CALL pg_temp.try(0.611);
\o
SELECT * FROM outcome ORDER BY seed;
