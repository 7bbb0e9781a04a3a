-- Imports: how columns are read, the steps of an import, its report.

CREATE OR REPLACE VIEW @workspace@.import_outcome WITH (security_invoker = true) AS
	SELECT s.import_id, s.import_row,
		CASE WHEN s.status = 'accepted' AND s.contact_id IS NOT NULL THEN CASE WHEN s.match ? 'contact' THEN 'updated' ELSE 'created' END
			WHEN s.status = 'accepted' THEN CASE WHEN s.match ? 'account' THEN 'updated' ELSE 'created' END
			ELSE s.status END AS outcome,
		s.contact_id, s.account_id, s.lead_id, s.submission_id, s.reasons::text AS reasons
	FROM @workspace@.submission s
	WHERE s.import_id IS NOT NULL
	UNION ALL
	SELECT r.import_id, r.import_row, r.outcome, r.contact_id, r.account_id, r.lead_id, r.submission_id, r.reasons::text
	FROM @workspace@.import_row r;

COMMENT ON VIEW @workspace@.import_outcome IS
	'What became of each row of each import, or would have become of it in a dry run.';
COMMENT ON COLUMN @workspace@.import_outcome.import_id IS 'Import';
COMMENT ON COLUMN @workspace@.import_outcome.import_row IS 'Row of what was imported: of a relation as it was read, of a file with its header as row 1';
COMMENT ON COLUMN @workspace@.import_outcome.outcome IS 'created where its contact (or account, where no person is named) was new, updated where it was known, duplicate, review, rejected';
COMMENT ON COLUMN @workspace@.import_outcome.contact_id IS 'Contact it led to; NULL if none';
COMMENT ON COLUMN @workspace@.import_outcome.account_id IS 'Account it led to; NULL if none';
COMMENT ON COLUMN @workspace@.import_outcome.lead_id IS 'Lead it made or belongs to; NULL if none';
COMMENT ON COLUMN @workspace@.import_outcome.submission_id IS 'Submission it is, or that was rejected before with the same values; NULL in a dry run';
COMMENT ON COLUMN @workspace@.import_outcome.reasons IS 'Why it was rejected, or which values were dropped: JSON as in submission; NULL if there was nothing to say';

CREATE OR REPLACE VIEW @workspace@.import_error WITH (security_invoker = true) AS
	SELECT o.import_id, o.import_row, o.submission_id, r.reason ->> 'field' AS field, r.reason ->> 'code' AS code,
		r.reason ->> 'value' AS value, r.reason ->> 'message' AS message
	FROM @workspace@.import_outcome o, LATERAL pg_catalog.jsonb_array_elements(o.reasons::jsonb) AS r (reason)
	WHERE o.outcome = 'rejected';

COMMENT ON VIEW @workspace@.import_error IS
	'Why rows of imports were rejected, a row a reason.';
COMMENT ON COLUMN @workspace@.import_error.import_id IS 'Import';
COMMENT ON COLUMN @workspace@.import_error.import_row IS 'Row of what was imported: of a relation as it was read, of a file with its header as row 1';
COMMENT ON COLUMN @workspace@.import_error.submission_id IS 'Submission that reprocess() takes once it is corrected; NULL in a dry run';
COMMENT ON COLUMN @workspace@.import_error.field IS 'Field concerned; NULL when it is the whole row';
COMMENT ON COLUMN @workspace@.import_error.code IS 'What is wrong, as in the reasons of submissions';
COMMENT ON COLUMN @workspace@.import_error.value IS 'Offending value, cut short if it is long';
COMMENT ON COLUMN @workspace@.import_error.message IS 'What is wrong, in words';

CREATE OR REPLACE FUNCTION @workspace@.import_columns(names text[], form text DEFAULT 'default', fields text[] DEFAULT NULL)
	RETURNS TABLE ("position" integer, name text, field text, how text, type text, key text)
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		wrong text;
	BEGIN
		SELECT g.given INTO wrong
		FROM (SELECT pg_catalog.unnest(fields) AS given) g
		WHERE g.given NOT IN ('', 'ignore') AND NOT EXISTS (
			SELECT FROM @workspace@.guess_fields(ARRAY[g.given], import_columns.form) known WHERE known.how = 'name' OR known.how = 'form')
		LIMIT 1;
		IF FOUND THEN
			RAISE EXCEPTION 'there is no field "%"', wrong
				USING ERRCODE = 'invalid_parameter_value', HINT = 'Name a field of submissions, or define a custom attribute with define_field() first.';
		END IF;
		SELECT g.given INTO wrong
		FROM (SELECT pg_catalog.unnest(fields) AS given) g
		WHERE g.given NOT IN ('', 'ignore') GROUP BY g.given HAVING pg_catalog.count(*) > 1 LIMIT 1;
		IF FOUND THEN
			RAISE EXCEPTION 'two columns are mapped to "%"', wrong USING ERRCODE = 'invalid_parameter_value';
		END IF;
		RETURN QUERY
			WITH column_read AS (
				SELECT g.place, g.name, COALESCE(given.field, g.field) AS field,
					CASE WHEN given.field IS NOT NULL THEN 'given' ELSE g.how END AS how
				FROM ROWS FROM (@workspace@.guess_fields(names, COALESCE(import_columns.form, 'default'))) WITH ORDINALITY
						AS g (name, field, how, place)
					CROSS JOIN LATERAL (SELECT COALESCE(NULLIF(fields[g.place::integer], ''),
							CASE WHEN g.name IN ('import_row', 'import_reasons') THEN 'ignore' END) AS field) AS given
			), id_read AS (
				SELECT pg_catalog.min(c.place) FILTER (WHERE c.field = 'external_id') AS place
				FROM column_read c HAVING NOT pg_catalog.bool_or(COALESCE(c.field = 'source_id', false))
			), target AS (
				SELECT c.place, c.name, CASE WHEN i.place IS NOT NULL THEN 'source_id' ELSE c.field END AS field,
					CASE WHEN i.place IS NOT NULL THEN 'id' ELSE c.how END AS how
				FROM column_read c LEFT JOIN id_read i ON i.place = c.place
			), renamed AS (
				-- A submission reads what is not merely similar by itself
				SELECT t.*, CASE WHEN t.how IN ('given', 'id') AND t.field <> 'ignore' THEN t.field
					WHEN t.how = 'similar' AND t.field <> ALL (names)
						AND NOT EXISTS (SELECT FROM target o WHERE o.field = t.field AND (o.how <> 'similar' OR o.place < t.place)) THEN t.field
					END AS key
				FROM target t
			)
			SELECT r.place::integer, r.name, CASE WHEN r.is_read THEN r.field END, CASE WHEN r.is_read THEN r.how END,
				COALESCE(custom.type, CASE r.field WHEN 'occurred_at' THEN 'timestamp' WHEN 'employees' THEN 'integer'
					WHEN 'annual_revenue' THEN 'number' WHEN 'budget' THEN 'number' ELSE 'text' END),
				CASE WHEN r.how = 'given' AND r.field = 'ignore' THEN NULL
					WHEN r.is_taken THEN r.name || ' (column ' || r.place || ')'
					ELSE COALESCE(r.key, r.name) END
			FROM (
				SELECT n.*, t.is_taken, NOT t.is_taken AND (n.how <> 'similar' OR n.key IS NOT NULL) AS is_read
				FROM renamed n
					CROSS JOIN LATERAL (SELECT n.key IS NULL AND EXISTS (SELECT FROM renamed o WHERE o.key = n.name) AS is_taken) t) r
				LEFT JOIN @workspace@.field custom ON custom.entity || '.' || custom.field = r.field
			ORDER BY r.place;
	END
	$$;

COMMENT ON FUNCTION @workspace@.import_columns(text[], text, text[]) IS
	'What the columns of a table would be read as by a form, in their order. fields says it for some, '''' or NULL leaving it to the form, ''ignore'' leaving the column out, as the columns import_row and import_reasons of leadctl''s files of rejected rows are. how: given, id for the id of a record, which in imports says whose it is (source_id) and does not make a record that was changed since a duplicate, or as guess_fields() has it; field and how are NULL where a column would be kept but not read as anything. type: text, timestamp, date, number, integer, boolean, choice or choices. key: the name under which its values are submitted, NULL when they are not. Errors: no_data_found when there is no such form, invalid_parameter_value when there is no such field, or two columns are to be one.';

CREATE OR REPLACE FUNCTION @workspace@.begin_import(form text, source text, fingerprint text, mapping jsonb DEFAULT '{}',
		again boolean DEFAULT false)
	RETURNS @workspace@.import
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS $$
	#variable_conflict use_column
	DECLARE
		result @workspace@.import;
	BEGIN
		IF NOT EXISTS (SELECT FROM @workspace@.form f WHERE f.form = begin_import.form AND f.is_active) THEN
			RAISE EXCEPTION 'there is no active form "%"', begin_import.form USING ERRCODE = 'no_data_found';
		END IF;
		IF again THEN
			UPDATE @workspace@.import i SET fingerprint = NULL
			WHERE i.form = begin_import.form AND i.fingerprint = begin_import.fingerprint AND i.started_by = session_user;
		END IF;
		INSERT INTO @workspace@.import AS i (form, source, fingerprint, mapping)
			VALUES (begin_import.form, begin_import.source, begin_import.fingerprint, COALESCE(begin_import.mapping, '{}'))
			ON CONFLICT (form, fingerprint, started_by) WHERE fingerprint IS NOT NULL DO UPDATE SET source = EXCLUDED.source
			RETURNING i.* INTO result;
		RETURN result;
	END
	$$;

COMMENT ON FUNCTION @workspace@.begin_import(text, text, text, jsonb, boolean) IS
	'Begin an import, or find the one of this form and fingerprint that the role began before, unless again; returns its row, whose last_row says up to where everything is in. For import() and leadctl. Runs with the rights of the workspace''s owner. Error: no_data_found when there is no such form, or it is inactive.';

CREATE OR REPLACE FUNCTION @workspace@.record_import_batch(import_id bigint, after_row bigint, last_row bigint, rows_read bigint,
		refused jsonb DEFAULT NULL, skipped bigint DEFAULT 0)
	RETURNS TABLE (import_row bigint, reasons jsonb)
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
	AS $$
	DECLARE
		rejections bigint;
	BEGIN
		INSERT INTO @workspace@.submission (form, external_id, payload, raw, content_type, status, processed_at, reasons, import_id, import_row)
			SELECT i.form, r.key, r.payload, pg_catalog.decode(r.raw, 'hex'), CASE WHEN r.raw IS NOT NULL THEN 'text/plain' END,
				'rejected', pg_catalog.now(), r.reasons, i.import_id, r."row"
			FROM pg_catalog.jsonb_to_recordset(refused) AS r ("row" bigint, key text, payload jsonb, raw text, reasons jsonb),
				@workspace@.import i
			WHERE i.import_id = record_import_batch.import_id AND i.started_by = session_user;
		UPDATE @workspace@.import i
			SET last_row = record_import_batch.last_row, rows_read = i.rows_read + record_import_batch.rows_read,
				created = i.created + o.created, updated = i.updated + o.updated, duplicates = i.duplicates + o.duplicates + skipped,
				reviews = i.reviews + o.reviews, rejected = i.rejected + o.rejected, updated_at = pg_catalog.clock_timestamp()
			FROM (SELECT pg_catalog.count(*) FILTER (WHERE b.outcome = 'created') AS created,
					pg_catalog.count(*) FILTER (WHERE b.outcome = 'updated') AS updated,
					pg_catalog.count(*) FILTER (WHERE b.outcome = 'duplicate') AS duplicates,
					pg_catalog.count(*) FILTER (WHERE b.outcome = 'review') AS reviews,
					pg_catalog.count(*) FILTER (WHERE b.outcome = 'rejected') AS rejected
				FROM @workspace@.import_outcome b
				WHERE b.import_id = record_import_batch.import_id AND b.import_row > after_row
					AND b.import_row <= record_import_batch.last_row) o
			WHERE i.import_id = record_import_batch.import_id AND i.started_by = session_user AND i.last_row = after_row
				AND i.state = 'running'
			RETURNING o.rejected INTO rejections;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'import % is not at row %', record_import_batch.import_id, after_row
				USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Another session may be importing the same.';
		ELSIF rejections = 0 THEN
			RETURN;
		END IF;
		INSERT INTO @workspace@.import_reject (form, external_id, submission_id)
			SELECT s.form, s.external_id, pg_catalog.min(s.submission_id)
			FROM @workspace@.submission s
			WHERE s.import_id = record_import_batch.import_id AND s.import_row > after_row
				AND s.import_row <= record_import_batch.last_row AND s.status = 'rejected' AND s.external_id IS NOT NULL
			GROUP BY s.form, s.external_id ORDER BY s.form, s.external_id
			ON CONFLICT ON CONSTRAINT import_reject_pkey DO NOTHING;
		-- Only now is what another session rejected meanwhile seen
		UPDATE @workspace@.import_reject k SET submission_id = s.submission_id
			FROM @workspace@.submission s
			WHERE s.import_id = record_import_batch.import_id AND s.import_row > after_row
				AND s.import_row <= record_import_batch.last_row AND s.status = 'rejected'
				AND k.form = s.form AND k.external_id = s.external_id AND k.submission_id <> s.submission_id
				AND NOT EXISTS (SELECT FROM @workspace@.submission o WHERE o.submission_id = k.submission_id AND o.status = 'rejected');
		WITH again AS (
			DELETE FROM @workspace@.submission s USING @workspace@.import_reject k
			WHERE s.import_id = record_import_batch.import_id AND s.import_row > after_row
				AND s.import_row <= record_import_batch.last_row AND s.status = 'rejected'
				AND k.form = s.form AND k.external_id = s.external_id AND k.submission_id <> s.submission_id
			RETURNING s.import_id, s.import_row, s.reasons, k.submission_id)
			INSERT INTO @workspace@.import_row (import_id, import_row, outcome, reasons, submission_id)
				SELECT a.import_id, a.import_row, 'rejected', a.reasons, a.submission_id FROM again a;
		RETURN QUERY
			SELECT b.import_row, b.reasons::jsonb FROM @workspace@.import_outcome b
			WHERE b.import_id = record_import_batch.import_id AND b.import_row > after_row
				AND b.import_row <= record_import_batch.last_row AND b.outcome = 'rejected'
			ORDER BY 1;
	END
	$$;

COMMENT ON FUNCTION @workspace@.record_import_batch(bigint, bigint, bigint, bigint, jsonb, bigint) IS
	'Move an import on over the rows after after_row up to last_row, which the transaction has inserted into submission, and return those that were rejected. refused are rows that whoever imports rejects itself: [{"row", "key", "payload" or "raw" in hexadecimal, "reasons"}, …]; of a row whose key was rejected before and still is, only import_row tells; skipped is how many came before and were not inserted. For import() and leadctl. Runs with the rights of the workspace''s owner. Error: object_not_in_prerequisite_state when the import is not at after_row.';

CREATE OR REPLACE FUNCTION @workspace@.finish_import(import_id bigint) RETURNS void
	LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS $$
		UPDATE @workspace@.import i SET state = 'finished', finished_at = pg_catalog.clock_timestamp()
		WHERE i.import_id = $1 AND i.started_by = session_user AND i.state = 'running'
	$$;

COMMENT ON FUNCTION @workspace@.finish_import(bigint) IS
	'Note that an import has come to its end. For import() and leadctl. Runs with the rights of the workspace''s owner.';

CREATE OR REPLACE FUNCTION @workspace@.import_rejects(import_id bigint)
	RETURNS TABLE (import_row bigint, reasons jsonb)
	LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS $$
		SELECT o.import_row, o.reasons::jsonb FROM @workspace@.import_outcome o JOIN @workspace@.import i USING (import_id)
		WHERE o.import_id = $1 AND i.started_by = session_user AND o.outcome = 'rejected' ORDER BY 1
	$$;

COMMENT ON FUNCTION @workspace@.import_rejects(bigint) IS
	'The rejected rows of an import that the role began, in their order. Runs with the rights of the workspace''s owner, so that who may submit sees what became of it.';

CREATE OR REPLACE FUNCTION @workspace@.import_report(import_id bigint)
	RETURNS TABLE (outcome text, code text, field text, rows bigint, first_row bigint, example text)
	LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS $$
		WITH mine AS (
			SELECT i.* FROM @workspace@.import i
			WHERE i.import_id = $1 AND (i.started_by = session_user
				OR pg_catalog.has_column_privilege(session_user, '@workspace@.submission', 'reasons', 'SELECT')))
		SELECT p.outcome, p.code, p.field, p.rows, p.first_row, p.example
		FROM (
			SELECT o.place, o.outcome, NULL::text AS code, NULL::text AS field, o.rows, NULL::bigint AS first_row, NULL::text AS example
			FROM mine i CROSS JOIN LATERAL (VALUES (1, 'created', i.created), (2, 'updated', i.updated), (3, 'duplicate', i.duplicates),
				(4, 'review', i.reviews), (5, 'rejected', i.rejected)) AS o (place, outcome, rows)
			WHERE o.rows > 0
			UNION ALL
			SELECT pg_catalog.array_position(ARRAY['created', 'updated', 'duplicate', 'review', 'rejected'], o.outcome), o.outcome,
				n.reason ->> 'code', n.reason ->> 'field', pg_catalog.count(*), pg_catalog.min(o.import_row),
				(pg_catalog.array_agg(n.reason ->> 'value' ORDER BY o.import_row))[1]
			FROM mine i JOIN @workspace@.import_outcome o USING (import_id)
				CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(o.reasons::jsonb) AS n (reason)
			WHERE o.outcome <> 'duplicate'
			GROUP BY 1, 2, 3, 4) p
		ORDER BY p.place, p.code IS NOT NULL, p.rows DESC, p.code, p.field
	$$;

COMMENT ON FUNCTION @workspace@.import_report(bigint) IS
	'What became of the rows of an import, or would have become of them in a dry run: for each outcome (created, updated, duplicate, review, rejected) a row with code NULL and how many there are, then a row for each reason or warning and field with how many rows have it, the first of them and its value. For the role that began it and whoever may read reasons. Runs with the rights of the workspace''s owner.';

-- No search_path can be set on what commits; the one statement below names no operator.

CREATE OR REPLACE PROCEDURE @workspace@.import(source regclass, form text DEFAULT 'default', mapping jsonb DEFAULT NULL,
		date_order text DEFAULT NULL, decimal_mark text DEFAULT NULL, dry_run boolean DEFAULT false, atomic boolean DEFAULT false,
		batch_rows integer DEFAULT 8000, INOUT import_id bigint DEFAULT NULL, INOUT rows_read bigint DEFAULT NULL,
		INOUT created bigint DEFAULT NULL, INOUT updated bigint DEFAULT NULL, INOUT duplicates bigint DEFAULT NULL,
		INOUT reviews bigint DEFAULT NULL, INOUT rejected bigint DEFAULT NULL)
	LANGUAGE plpgsql
	AS $$
	BEGIN
		CALL lead_mgmt.import_relation('@workspace@.import'::pg_catalog.regclass, source, form, mapping, date_order, decimal_mark,
			dry_run, atomic, batch_rows, import_id, rows_read, created, updated, duplicates, reviews, rejected);
	END
	$$;

COMMENT ON PROCEDURE @workspace@.import(regclass, text, jsonb, text, text, boolean, boolean, integer, bigint, bigint, bigint, bigint,
		bigint, bigint, bigint) IS
	'Submit the rows of a table, view or foreign table through a form, and return the import with how many rows were read, created a contact (or account), updated one, came before, wait for review and were rejected. mapping reads columns as fields, {"column": "field"}, null to leave one out; the others are read as import_columns() says, which is shown. date_order (DMY, MDY, YMD) and decimal_mark (. or ,) say how dates and numbers in columns of text are written; a value that is not is rejected. dry_run does all the work and takes it back, atomic takes it back if any row is rejected; import_outcome and import_error then say what was to become of each row. A row that came before, with the same values, is not submitted again; one that was rejected is tried again, and stored once. Called outside a transaction it commits each batch_rows rows, so that cancelling leaves whole batches and a further call goes on. Progress: pg_stat_progress_copy, and the table import. Needs SELECT on the source.';

REVOKE EXECUTE ON PROCEDURE @workspace@.import(regclass, text, jsonb, text, text, boolean, boolean, integer, bigint, bigint, bigint,
	bigint, bigint, bigint, bigint) FROM PUBLIC;

REVOKE EXECUTE ON FUNCTION
	@workspace@.import_columns(text[], text, text[]),
	@workspace@.begin_import(text, text, text, jsonb, boolean),
	@workspace@.record_import_batch(bigint, bigint, bigint, bigint, jsonb, bigint),
	@workspace@.finish_import(bigint),
	@workspace@.import_rejects(bigint),
	@workspace@.import_report(bigint)
	FROM PUBLIC;
