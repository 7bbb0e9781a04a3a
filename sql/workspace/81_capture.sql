-- Capturing bytes, and what helps to set forms up.

CREATE OR REPLACE FUNCTION @workspace@.capture_raw(form text, content_type text, body bytea)
	RETURNS SETOF @workspace@.submission
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		id bigint;
	BEGIN
		INSERT INTO @workspace@.submission (form, content_type, raw)
			VALUES (COALESCE(capture_raw.form, 'default'), capture_raw.content_type, capture_raw.body)
			RETURNING submission_id INTO id;
		RETURN QUERY
			SELECT n.* FROM (
				SELECT s.* FROM @workspace@.submission s WHERE s.submission_id = id
				UNION ALL
				SELECT s.* FROM @workspace@.submission s WHERE s.part_of = id) n
			ORDER BY n.part;
	END
	$$;

COMMENT ON FUNCTION @workspace@.capture_raw(text, text, bytea) IS
	'Submit the bytes of a body as they came in, and return a submission for each of its records in their order, as they were processed: status, reasons, ids. The bytes are kept, also when they cannot be read: then there is one submission, rejected with the reasons. Content types: application/json (an object, or an array of them), application/x-ndjson, application/x-www-form-urlencoded, multipart/form-data, text/xml, application/xml, application/rss+xml, application/atom+xml, message/rfc822, text/csv, text/tab-separated-values, text/plain; NULL to guess. Runs with the rights of the workspace''s owner, as capture() does.';

CREATE OR REPLACE FUNCTION @workspace@.capture_bodies(form text, content_type text, bodies bytea[])
	RETURNS SETOF @workspace@.submission
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		ids bigint[];
	BEGIN
		WITH made AS (
			INSERT INTO @workspace@.submission (form, content_type, raw)
				SELECT COALESCE(capture_bodies.form, 'default'), capture_bodies.content_type, b.body
				FROM (SELECT pg_catalog.unnest(capture_bodies.bodies) AS body) b
				RETURNING submission_id)
			SELECT pg_catalog.array_agg(m.submission_id) INTO ids FROM made m;
		RETURN QUERY
			SELECT (n.made).* FROM (
				SELECT s AS made, i.n, s.part FROM (SELECT pg_catalog.unnest(ids) AS id, pg_catalog.generate_subscripts(ids, 1) AS n) i
				JOIN @workspace@.submission s ON s.submission_id = i.id
				UNION ALL
				SELECT s, i.n, s.part FROM (SELECT pg_catalog.unnest(ids) AS id, pg_catalog.generate_subscripts(ids, 1) AS n) i
				JOIN @workspace@.submission s ON s.part_of = i.id) n
			ORDER BY n.n, n.part;
	END
	$$;

COMMENT ON FUNCTION @workspace@.capture_bodies(text, text, bytea[]) IS
	'Submit many bodies of one content type in one go, as capture_raw() submits one, and return the submissions that they became, in the order of the bodies and of the records in them.';

CREATE OR REPLACE FUNCTION @workspace@.capture_file(form text, name text, body bytea)
	RETURNS SETOF @workspace@.submission
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		id bigint;
	BEGIN
		INSERT INTO @workspace@.submission (form, external_id, content_type, raw)
			VALUES (COALESCE(capture_file.form, 'default'), 'sha256:' || pg_catalog.encode(pg_catalog.sha256(body), 'hex'),
				lead_mgmt.content_type(capture_file.name, body), body)
			RETURNING submission_id INTO id;
		RETURN QUERY
			SELECT n.* FROM (
				SELECT s.* FROM @workspace@.submission s WHERE s.submission_id = id
				UNION ALL
				SELECT s.* FROM @workspace@.submission s WHERE s.part_of = id) n
			ORDER BY n.part;
	END
	$$;

COMMENT ON FUNCTION @workspace@.capture_file(text, text, bytea) IS
	'Submit a file as capture_raw() submits a body, its content type guessed from its name and its first bytes. A file whose bytes were taken before is one submission of status duplicate, which changes nothing. Runs with the rights of the workspace''s owner, as capture() does.';

CREATE OR REPLACE FUNCTION @workspace@.capture_http(form text, content_type text, body bytea, headers jsonb DEFAULT '{}')
	RETURNS TABLE (status integer, reply jsonb)
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		id bigint;
	BEGIN
		INSERT INTO @workspace@.submission (form, external_id, content_type, raw)
			VALUES (COALESCE(capture_http.form, 'default'),
				(SELECT 'key:' || h.value FROM pg_catalog.jsonb_each_text(headers) h WHERE pg_catalog.lower(h.key) = 'idempotency-key' LIMIT 1),
				COALESCE(capture_http.content_type,
					(SELECT h.value FROM pg_catalog.jsonb_each_text(headers) h WHERE pg_catalog.lower(h.key) = 'content-type' LIMIT 1)),
				body)
			RETURNING submission_id INTO id;
		RETURN QUERY
			WITH record AS (
				SELECT s.* FROM @workspace@.submission s WHERE s.submission_id = id
				UNION ALL
				SELECT s.* FROM @workspace@.submission s WHERE s.part_of = id),
			counted AS (
				SELECT pg_catalog.count(*) AS records, pg_catalog.count(*) FILTER (WHERE r.status = 'accepted') AS accepted,
					pg_catalog.count(*) FILTER (WHERE r.status = 'duplicate') AS duplicate,
					pg_catalog.count(*) FILTER (WHERE r.status = 'review') AS review,
					pg_catalog.count(*) FILTER (WHERE r.status = 'rejected') AS rejected,
					pg_catalog.bool_or(r.payload IS NOT NULL) AS is_read,
					pg_catalog.min(r.reasons -> 0 ->> 'code') FILTER (WHERE r.status = 'rejected') AS code,
					pg_catalog.jsonb_agg(pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object('record', COALESCE(r.part, 1),
						'submission_id', r.submission_id, 'status', r.status, 'reasons', r.reasons, 'external_id', r.external_id,
						'contact_id', r.contact_id, 'account_id', r.account_id, 'lead_id', r.lead_id,
						'duplicate_of', r.duplicate_of)) ORDER BY r.part) AS outcomes
				FROM record r)
			SELECT CASE
					WHEN c.rejected = 0 THEN 200
					WHEN c.rejected < c.records THEN 207
					WHEN c.code IN ('unknown_form', 'inactive_form') THEN 404
					WHEN c.code = 'payload_too_large' THEN 413
					WHEN c.code IN ('unsupported_content_type', 'unknown_charset') THEN 415
					WHEN c.code = 'over_cap' THEN 429
					WHEN c.is_read THEN 422
					ELSE 400 END,
				pg_catalog.jsonb_build_object('accepted', c.accepted, 'duplicate', c.duplicate, 'review', c.review,
					'rejected', c.rejected, 'records', c.outcomes)
			FROM counted c;
	END
	$$;

COMMENT ON FUNCTION @workspace@.capture_http(text, text, bytea, jsonb) IS
	'Submit the body of an HTTP POST as capture_raw() does, and return what to answer: the status code, and a body {"accepted", "duplicate", "review", "rejected", "records": [{"record", "submission_id", "status", "reasons", "contact_id", "lead_id", …}]}. Codes: 200 when no record was rejected, 207 when some were; when all were, 404 for an unknown form, 413 for a body too large, 415 for a content type or character set that is not understood, 429 beyond a vendor''s cap, 400 for bytes that cannot be read, 422 for values that cannot. Of the headers, Idempotency-Key makes a repeated request a duplicate, and Content-Type stands in for a content type of NULL. Runs with the rights of the workspace''s owner, as capture() does.';

CREATE OR REPLACE FUNCTION @workspace@.copy_form(form text, new_form text) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		source @workspace@.form;
	BEGIN
		SELECT f.* INTO source FROM @workspace@.form f WHERE f.form = copy_form.form;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'there is no form "%"', copy_form.form USING ERRCODE = 'no_data_found';
		END IF;
		source.form := new_form;
		source.created_at := pg_catalog.now();
		INSERT INTO @workspace@.form SELECT source.*;
		INSERT INTO @workspace@.form_field (form, name, field, sequence)
			SELECT new_form, m.name, m.field, m.sequence FROM @workspace@.form_field m WHERE m.form = copy_form.form;
		INSERT INTO @workspace@.form_pairs (form, path, name, value, label)
			SELECT new_form, m.path, m.name, m.value, m.label FROM @workspace@.form_pairs m WHERE m.form = copy_form.form;
		INSERT INTO @workspace@.form_template (form, template, sequence, applies_to, pattern)
			SELECT new_form, m.template, m.sequence, m.applies_to, m.pattern FROM @workspace@.form_template m WHERE m.form = copy_form.form;
	END
	$$;

COMMENT ON FUNCTION @workspace@.copy_form(text, text) IS
	'Make a form like another one, with its names, pairs and templates, to be changed from there. Errors: no_data_found, unique_violation when the new form exists.';

CREATE OR REPLACE FUNCTION @workspace@.create_lead(contact_id bigint, link text DEFAULT 'contact', title text DEFAULT NULL,
		product text DEFAULT NULL, page text DEFAULT NULL, campaign text DEFAULT NULL, channel text DEFAULT NULL, origin text DEFAULT 'journey')
	RETURNS @workspace@.lead
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		person @workspace@.contact;
		campaign_key bigint;
		result @workspace@.lead;
	BEGIN
		IF link IS NULL OR link NOT IN ('contact', 'account') THEN
			RAISE EXCEPTION 'a lead cannot be linked to "%"', link USING ERRCODE = 'invalid_parameter_value', HINT = 'Choose contact or account.';
		END IF;
		-- a merge of the account or person is waited for, and later ones wait
		PERFORM FROM @workspace@.account a JOIN @workspace@.contact c ON c.account_id = a.account_id
			WHERE c.contact_id = create_lead.contact_id FOR KEY SHARE OF a;
		SELECT c.* INTO person FROM @workspace@.contact c WHERE c.contact_id = create_lead.contact_id FOR KEY SHARE;
		IF NOT FOUND AND @workspace@.contact_of(create_lead.contact_id) IS NOT NULL THEN
			RAISE EXCEPTION 'contact % was merged into contact %', create_lead.contact_id, @workspace@.contact_of(create_lead.contact_id)
				USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Use the id of the contact it is now.';
		ELSIF person.contact_id IS NULL THEN
			RAISE EXCEPTION 'there is no contact %', create_lead.contact_id USING ERRCODE = 'no_data_found';
		ELSIF link = 'account' AND person.account_id IS NULL THEN
			RAISE EXCEPTION 'contact % has no account to link a lead to', create_lead.contact_id USING ERRCODE = 'object_not_in_prerequisite_state';
		END IF;
		IF create_lead.campaign IS NOT NULL THEN
			SELECT g.campaign_id INTO campaign_key FROM @workspace@.campaign g WHERE g.campaign = create_lead.campaign;
			IF NOT FOUND THEN
				RAISE EXCEPTION 'there is no campaign "%"', create_lead.campaign USING ERRCODE = 'no_data_found';
			END IF;
		END IF;
		INSERT INTO @workspace@.lead (contact_id, account_id, origin, title, product, page, campaign_id, channel, contact_name)
			VALUES (CASE link WHEN 'contact' THEN person.contact_id END, person.account_id, create_lead.origin, create_lead.title,
				create_lead.product, create_lead.page, campaign_key, create_lead.channel,
				CASE link WHEN 'account' THEN person.full_name END)
			RETURNING lead.* INTO result;
		RETURN result;
	END
	$$;

COMMENT ON FUNCTION @workspace@.create_lead(bigint, text, text, text, text, text, text, text) IS
	'Make a lead for a known contact, as a step of a campaign or journey does, and return it. link: contact to make it theirs, account to make it their account''s. Errors: no_data_found, invalid_parameter_value, object_not_in_prerequisite_state when the contact was merged away or has no account, unique_violation when there is an open lead for the same context.';

CREATE OR REPLACE FUNCTION @workspace@.return_lead(submission_id bigint, reason text, amount numeric DEFAULT NULL)
	RETURNS @workspace@.vendor_return
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		purchase @workspace@.vendor_purchase;
		period interval;
		result @workspace@.vendor_return;
	BEGIN
		SELECT p.* INTO purchase FROM @workspace@.vendor_purchase p WHERE p.submission_id = return_lead.submission_id;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'submission % was not bought', return_lead.submission_id USING ERRCODE = 'no_data_found';
		END IF;
		SELECT v.return_period INTO period FROM @workspace@.vendor v WHERE v.vendor = purchase.vendor;
		IF purchase.purchased_at + period < pg_catalog.now() THEN
			RAISE EXCEPTION 'submission % can no longer be returned to vendor "%"', return_lead.submission_id, purchase.vendor
				USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = pg_catalog.format('It was bought on %s, and may be returned within %s.', purchase.purchased_at::date, period);
		ELSIF amount > purchase.price THEN
			RAISE EXCEPTION 'submission % cost %, less than the % to be refunded', return_lead.submission_id, purchase.price, amount
				USING ERRCODE = 'invalid_parameter_value';
		END IF;
		INSERT INTO @workspace@.vendor_return (submission_id, reason, amount)
			VALUES (purchase.submission_id, return_lead.reason, COALESCE(return_lead.amount, purchase.price))
			ON CONFLICT ON CONSTRAINT vendor_return_pkey DO NOTHING
			RETURNING vendor_return.* INTO result;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'submission % was returned already', return_lead.submission_id USING ERRCODE = 'object_not_in_prerequisite_state';
		END IF;
		RETURN result;
	END
	$$;

COMMENT ON FUNCTION @workspace@.return_lead(bigint, text, numeric) IS
	'Ask a vendor to take back a lead that was bought, for a reason, and return the request. The amount is the price unless said otherwise. Errors: no_data_found when it was not bought, object_not_in_prerequisite_state after the vendor''s return period or when returned already, invalid_parameter_value for more than the price.';

CREATE OR REPLACE FUNCTION @workspace@.settle_return(submission_id bigint, is_accepted boolean)
	RETURNS @workspace@.vendor_return
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		result @workspace@.vendor_return;
	BEGIN
		UPDATE @workspace@.vendor_return r SET status = CASE WHEN is_accepted THEN 'accepted' ELSE 'refused' END, decided_at = pg_catalog.now()
			WHERE r.submission_id = settle_return.submission_id AND r.status = 'requested'
			RETURNING r.* INTO result;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'no return of submission % waits for an answer', settle_return.submission_id USING ERRCODE = 'no_data_found';
		END IF;
		RETURN result;
	END
	$$;

COMMENT ON FUNCTION @workspace@.settle_return(bigint, boolean) IS
	'Note whether a vendor refunds a lead that was given back, and return the row. Error: no_data_found when none waits for an answer.';

CREATE OR REPLACE FUNCTION @workspace@.guess_fields(names text[], form text DEFAULT 'default')
	RETURNS TABLE (name text, field text, how text)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
	AS $$
		SELECT g.name, g.field, g.how
		FROM lead_mgmt.guess_fields('@workspace@.form'::pg_catalog.regclass, $1, $2) g
	$$;

COMMENT ON FUNCTION @workspace@.guess_fields(text[], text) IS
	'Which field each of some incoming names would be read into by a form, in the order of the names. how: form where the form itself says so, name for a name that is known as it is written, loose for one known by its letters and digits, similar for one that merely looks like a known one and that a submission would not be read by, NULL for none. Error: no_data_found when there is no such form.';

REVOKE EXECUTE ON FUNCTION
	@workspace@.capture_raw(text, text, bytea),
	@workspace@.capture_bodies(text, text, bytea[]),
	@workspace@.capture_file(text, text, bytea),
	@workspace@.capture_http(text, text, bytea, jsonb),
	@workspace@.copy_form(text, text),
	@workspace@.create_lead(bigint, text, text, text, text, text, text, text),
	@workspace@.return_lead(bigint, text, numeric),
	@workspace@.settle_return(bigint, boolean),
	@workspace@.guess_fields(text[], text)
	FROM PUBLIC;
