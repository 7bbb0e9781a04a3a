-- Match strategies: what they find, and what people decide.

CREATE OR REPLACE FUNCTION @workspace@.refresh_identity(fields text[] DEFAULT NULL) RETURNS void
	LANGUAGE sql SET search_path = pg_catalog, pg_temp
	AS $$
		SELECT lead_mgmt.refresh_identity('@workspace@.contact'::pg_catalog.regclass, $1, NULL)
	$$;

COMMENT ON FUNCTION @workspace@.refresh_identity(text[]) IS
	'Bring contact_identity and account_identity in line with the match rules: add the rows of kinds that rules have come to look up, for all contacts and accounts in one statement a table, and drop those of kinds no longer used. Runs by itself when rules, aliases or bypass values change; fields names those whose normal forms have changed, NULL for none. Writers of contacts and accounts wait for it.';

CREATE OR REPLACE FUNCTION @workspace@.define_match_rule(strategy text, conditions jsonb, label text DEFAULT NULL, sequence integer DEFAULT NULL)
	RETURNS bigint
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		made bigint;
		bad jsonb;
		twice record;
	BEGIN
		IF NOT EXISTS (SELECT FROM @workspace@.match_strategy s WHERE s.strategy = define_match_rule.strategy) THEN
			RAISE EXCEPTION 'there is no match strategy "%"', define_match_rule.strategy USING ERRCODE = 'no_data_found';
		ELSIF conditions IS NULL OR pg_catalog.jsonb_typeof(conditions) <> 'array' OR conditions = '[]' THEN
			RAISE EXCEPTION 'a match rule needs conditions'
				USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a JSON array of field names, or of objects such as {"field": "given_name", "comparator": "jaro_winkler", "at_least": 0.9}.';
		END IF;
		SELECT e INTO bad FROM pg_catalog.jsonb_array_elements(conditions) e
			WHERE pg_catalog.jsonb_typeof(e) NOT IN ('string', 'object') OR pg_catalog.jsonb_typeof(e) = 'object'
				AND (pg_catalog.jsonb_typeof(e -> 'field') IS DISTINCT FROM 'string' OR e - '{field,comparator,at_least,when_blank,except}'::text[] <> '{}'
					OR pg_catalog.jsonb_typeof(e -> 'comparator') NOT IN ('string', 'null') OR pg_catalog.jsonb_typeof(e -> 'at_least') NOT IN ('number', 'null')
					OR pg_catalog.jsonb_typeof(e -> 'when_blank') NOT IN ('string', 'null') OR pg_catalog.jsonb_typeof(e -> 'except') NOT IN ('boolean', 'null')
					OR e ->> 'when_blank' NOT IN ('no_match', 'ignore', 'match')) LIMIT 1;
		IF FOUND THEN
			RAISE EXCEPTION 'not a condition of a match rule: %', pg_catalog.left(bad::text, 200)
				USING ERRCODE = 'invalid_parameter_value', HINT = 'A condition is the name of a field, or an object of field, comparator, at_least (a number), when_blank (no_match, ignore or match) and except (true or false).';
		END IF;
		SELECT c.field, c.comparator INTO twice
			FROM pg_catalog.jsonb_array_elements(conditions) e
			CROSS JOIN LATERAL (SELECT COALESCE(e ->> 'field', e #>> '{}') AS field, COALESCE(e ->> 'comparator', 'exact') AS comparator) c
			GROUP BY 1, 2 HAVING pg_catalog.count(*) > 1 ORDER BY 1, 2 LIMIT 1;
		IF FOUND THEN
			RAISE EXCEPTION 'the rule compares "%" by "%" twice', twice.field, twice.comparator
				USING ERRCODE = 'invalid_parameter_value', HINT = 'A rule compares a field by each comparator once, as a condition or as an exception.';
		ELSIF EXISTS (SELECT FROM @workspace@.match_rule r WHERE r.strategy = define_match_rule.strategy AND r.sequence = define_match_rule.sequence) THEN
			RAISE EXCEPTION 'match strategy "%" has a rule of sequence % already', define_match_rule.strategy, define_match_rule.sequence
				USING ERRCODE = 'unique_violation', HINT = 'Choose another sequence, or none to add the rule after the others.';
		END IF;
		INSERT INTO @workspace@.match_rule (strategy, sequence, label)
			SELECT define_match_rule.strategy, COALESCE(define_match_rule.sequence, pg_catalog.max(r.sequence) + 10, 10), define_match_rule.label
			FROM @workspace@.match_rule r WHERE r.strategy = define_match_rule.strategy
			RETURNING match_rule_id INTO made;
		INSERT INTO @workspace@.match_condition (match_rule_id, field, comparator, at_least, when_blank, is_exception)
			SELECT made, CASE WHEN pg_catalog.jsonb_typeof(e) = 'string' THEN e #>> '{}' ELSE e ->> 'field' END,
				COALESCE(e ->> 'comparator', 'exact'), (e ->> 'at_least')::double precision,
				COALESCE(e ->> 'when_blank', 'no_match'), COALESCE((e ->> 'except')::boolean, false)
			FROM pg_catalog.jsonb_array_elements(conditions) e;
		RETURN made;
	END
	$$;

COMMENT ON FUNCTION @workspace@.define_match_rule(text, jsonb, text, integer) IS
	'Add a rule to a match strategy, after its others unless a sequence is given, and return its id. Conditions: a JSON array of field names, which must be equal, or objects {"field", "comparator", "at_least", "when_blank", "except": true for an exception}. Errors: no_data_found, invalid_parameter_value, unique_violation when the sequence is taken, check_violation when none of the conditions can be looked up.';

CREATE OR REPLACE FUNCTION @workspace@.match_contact(profile jsonb, strategy text DEFAULT NULL)
	RETURNS SETOF @workspace@.match_candidate
	LANGUAGE sql STABLE ROWS 1
	AS $$
		SELECT m.contact_id, m.probability, m.outcome, m.strategy_name, m.rule, m.explanation
		FROM lead_mgmt.match_profile('@workspace@.contact'::pg_catalog.regclass, $1, $2) m
	$$;

COMMENT ON FUNCTION @workspace@.match_contact(jsonb, text) IS
	'Is this somebody we know? The profile has the fields of a payload; values that cannot be read are left out. Without a strategy, those of the form "default" are tried, as a capture by it would. Returns first the contact that a capture would be taken for (outcome match), then others that rules find, then others that the model finds, the likelier ones first (possible), with the probability (1 for what a rule decides, NULL for what it merely finds), the strategy, the rule (NULL for the model) and why. Reads only, with the rights of its caller. Errors: no_data_found for an unknown strategy, object_not_in_prerequisite_state for one without rules, invalid_parameter_value for a profile that is no object.';

CREATE OR REPLACE FUNCTION @workspace@.propose_contact(profile jsonb)
	RETURNS SETOF @workspace@.match_candidate
	LANGUAGE sql STABLE ROWS 1 SET search_path = pg_catalog, pg_temp
	AS $$
		SELECT m.* FROM @workspace@.match_contact($1) m
		WHERE lead_mgmt.report_guard('@workspace@.propose_contact(jsonb)'::pg_catalog.regprocedure)
	$$;

COMMENT ON FUNCTION @workspace@.propose_contact(jsonb) IS
	'match_contact() for the view unlinked_lead, which may be read by who may not match';

REVOKE EXECUTE ON FUNCTION @workspace@.propose_contact(jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION @workspace@.contact_exists(profile jsonb) RETURNS boolean
	LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS $$
		SELECT EXISTS (SELECT FROM lead_mgmt.match_profile('@workspace@.contact'::pg_catalog.regclass, $1, NULL))
	$$;

COMMENT ON FUNCTION @workspace@.contact_exists(jsonb) IS
	'Whether match_contact() finds anybody, and nothing more. Runs with the rights of the workspace''s owner, so that a role which may not see a contact can learn that there is one; grant it only to whom that may be told.';

CREATE OR REPLACE FUNCTION @workspace@.explain_match(submission_id bigint)
	RETURNS TABLE (entity text, id bigint, outcome text, strategy text, rule bigint, rule_label text,
		field text, comparator text, given text, stored text, similarity double precision, holds boolean)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		s record;
	BEGIN
		SELECT b.submission_id, b.status, b.match, b.contact_id, b.account_id, b.lead_id INTO s
			FROM @workspace@.submission b WHERE b.submission_id = explain_match.submission_id;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'there is no submission %', explain_match.submission_id USING ERRCODE = 'no_data_found';
		END IF;
		RETURN QUERY
			SELECT e.entity, e.id,
				CASE WHEN e.found ? 'decided' THEN 'decided' WHEN e.found ? 'latest' THEN 'latest' WHEN e.found ? 'merged' THEN 'merged'
					WHEN e.found IS NOT NULL THEN 'matched' ELSE 'new' END,
				COALESCE(e.found ->> 'strategy', r.strategy), (e.found ->> 'rule')::bigint, r.label,
				COALESCE(e.found ->> 'kind', CASE WHEN e.found ? 'model' THEN 'model' END),
				CASE WHEN e.found ? 'kind' THEN 'exact' END, e.found ->> 'value', e.found ->> 'value',
				(e.found ->> 'probability')::double precision, CASE WHEN e.found IS NOT NULL THEN true END
			FROM (VALUES (1, 'account', s.account_id), (2, 'contact', s.contact_id), (3, 'lead', s.lead_id)) AS x (place, entity, id)
			CROSS JOIN LATERAL (SELECT x.entity, x.id, s.match -> x.entity AS found) e
			LEFT JOIN @workspace@.match_rule r ON r.match_rule_id = (e.found ->> 'rule')::bigint
			WHERE e.id IS NOT NULL AND (x.entity <> 'account' OR e.found IS NOT NULL)
			ORDER BY x.place;
		RETURN QUERY
			SELECT 'contact', s.contact_id, 'matched', r.strategy, (s.match #>> '{contact,rule}')::bigint, r.label,
				t ->> 'field', CASE WHEN t ? 'exception' THEN 'except ' ELSE '' END || (t ->> 'comparator'),
				t ->> 'given', t ->> 'stored', (t ->> 'similarity')::double precision, (t ->> 'holds')::boolean
			FROM pg_catalog.jsonb_array_elements(s.match #> '{contact,tests}') t
			LEFT JOIN @workspace@.match_rule r ON r.match_rule_id = (s.match #>> '{contact,rule}')::bigint;
		RETURN QUERY
			SELECT v.entity, v.left_id, 'review: ' || v.status, v.strategy, NULL::bigint, NULL::text, NULL::text, NULL::text, NULL::text, NULL::text,
				v.probability, NULL::boolean
			FROM @workspace@.match_review v WHERE v.submission_id = s.submission_id AND v.right_id IS NULL
			ORDER BY v.match_review_id;
	END
	$$;

COMMENT ON FUNCTION @workspace@.explain_match(bigint) IS
	'How a submission found its account, contact and lead: one row each with the outcome (matched, merged when it showed several contacts to be one, decided by a person, latest for a lead that it counts for without being about the same, new), the strategy, the rule and the value it was looked up by; then one row for each further comparison and exception of the contact''s rule, and one for each contact put up for review. For a model the field is model and similarity its probability. As it was decided then: rules and contacts may have changed since. Error: no_data_found.';

CREATE OR REPLACE FUNCTION @workspace@.accept_match(review_id bigint) RETURNS bigint
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		r @workspace@.match_review;
		survivor bigint;
		other bigint;
	BEGIN
		SELECT v.* INTO r FROM @workspace@.match_review v WHERE v.match_review_id = review_id FOR UPDATE;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'there is no match review %', review_id USING ERRCODE = 'no_data_found';
		ELSIF r.status = 'rejected' THEN
			RAISE EXCEPTION 'match review % was rejected', review_id
				USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = pg_catalog.format('By %s at %s.', r.decided_by, r.decided_at);
		END IF;
		IF r.right_id IS NULL THEN
			IF r.status = 'open' THEN
				IF @workspace@.contact_of(r.left_id) IS NULL THEN
					RAISE EXCEPTION 'contact % of match review % is gone', r.left_id, review_id
						USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Reject it, or reprocess the submission.';
				END IF;
				UPDATE @workspace@.match_review v
					SET status = CASE WHEN v.match_review_id = review_id THEN 'accepted' ELSE 'rejected' END,
						decided_by = current_user, decided_at = pg_catalog.now()
					WHERE v.submission_id = r.submission_id AND v.right_id IS NULL AND v.status = 'open';
				PERFORM lead_mgmt.process_submission('@workspace@.submission'::pg_catalog.regclass, r.submission_id);
			END IF;
			RETURN (SELECT s.contact_id FROM @workspace@.submission s WHERE s.submission_id = r.submission_id);
		END IF;

		IF r.entity = 'contact' THEN
			survivor := @workspace@.contact_of(r.left_id);
			other := @workspace@.contact_of(r.right_id);
			IF survivor <> other AND (SELECT c.created_at FROM @workspace@.contact c WHERE c.contact_id = other) <
				(SELECT c.created_at FROM @workspace@.contact c WHERE c.contact_id = survivor) THEN
				SELECT other, survivor INTO survivor, other;
			END IF;
		ELSIF r.entity = 'account' THEN
			survivor := @workspace@.account_of(r.left_id);
			other := @workspace@.account_of(r.right_id);
		ELSE
			survivor := @workspace@.lead_of(r.left_id);
			other := @workspace@.lead_of(r.right_id);
		END IF;
		IF r.status = 'accepted' THEN
			RETURN survivor;
		ELSIF survivor IS NULL OR other IS NULL THEN
			RAISE EXCEPTION '% % of match review % is gone', r.entity, CASE WHEN survivor IS NULL THEN r.left_id ELSE r.right_id END, review_id
				USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Reject it.';
		END IF;
		UPDATE @workspace@.match_review v SET status = 'accepted', decided_by = current_user, decided_at = pg_catalog.now()
			WHERE v.match_review_id = review_id;
		INSERT INTO @workspace@.match_link (entity, left_id, right_id, verdict, source)
			VALUES (r.entity, r.left_id, r.right_id, 'same', 'review') ON CONFLICT DO NOTHING;
		IF survivor <> other AND r.entity = 'contact' THEN
			PERFORM @workspace@.merge_contacts(survivor, ARRAY[other]);
		ELSIF survivor <> other AND r.entity = 'account' THEN
			PERFORM @workspace@.merge_accounts(survivor, ARRAY[other]);
		ELSIF survivor <> other THEN
			PERFORM @workspace@.merge_leads(survivor, ARRAY[other]);
		END IF;
		RETURN survivor;
	END
	$$;

COMMENT ON FUNCTION @workspace@.accept_match(bigint) IS
	'Decide that a possible match is one, and return the surviving contact, account or lead: a pair is linked as the same and merged into the older; a submission that waits is processed as one from the contact, and its other candidates are closed. Accepting again changes nothing. Errors: no_data_found, object_not_in_prerequisite_state when it was rejected or one of the two is gone, check_violation when it contradicts match_link.';

CREATE OR REPLACE FUNCTION @workspace@.reject_match(review_id bigint, reason text DEFAULT NULL) RETURNS bigint
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		r @workspace@.match_review;
		made bigint;
	BEGIN
		SELECT v.* INTO r FROM @workspace@.match_review v WHERE v.match_review_id = review_id FOR UPDATE;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'there is no match review %', review_id USING ERRCODE = 'no_data_found';
		ELSIF r.status = 'accepted' THEN
			RAISE EXCEPTION 'match review % was accepted', review_id
				USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = pg_catalog.format('By %s at %s.', r.decided_by, r.decided_at),
					HINT = 'Undo the merge with unmerge(), and change the row of match_link.';
		ELSIF r.status = 'open' THEN
			UPDATE @workspace@.match_review v SET status = 'rejected', decided_by = current_user, decided_at = pg_catalog.now()
				WHERE v.match_review_id = review_id;
			IF r.right_id IS NOT NULL THEN
				-- Of one that is gone there is nothing to tell apart
				INSERT INTO @workspace@.match_link AS l (entity, left_id, right_id, verdict, reason, source)
					SELECT r.entity, r.left_id, r.right_id, 'different', reject_match.reason, 'review'
					WHERE CASE r.entity
						WHEN 'contact' THEN pg_catalog.num_nulls(@workspace@.contact_of(r.left_id), @workspace@.contact_of(r.right_id))
						WHEN 'account' THEN pg_catalog.num_nulls(@workspace@.account_of(r.left_id), @workspace@.account_of(r.right_id))
						ELSE pg_catalog.num_nulls(@workspace@.lead_of(r.left_id), @workspace@.lead_of(r.right_id)) END = 0
					ON CONFLICT (entity, left_id, right_id) DO UPDATE SET verdict = EXCLUDED.verdict, reason = EXCLUDED.reason;
			ELSIF NOT EXISTS (SELECT FROM @workspace@.match_review v
					WHERE v.submission_id = r.submission_id AND v.right_id IS NULL AND v.status = 'open') THEN
				PERFORM lead_mgmt.process_submission('@workspace@.submission'::pg_catalog.regclass, r.submission_id);
				SELECT s.contact_id INTO made FROM @workspace@.submission s WHERE s.submission_id = r.submission_id;
				INSERT INTO @workspace@.match_link (entity, left_id, right_id, verdict, reason, source)
					SELECT 'contact', LEAST(made, v.left_id), GREATEST(made, v.left_id), 'different', reject_match.reason, 'review'
					FROM @workspace@.match_review v
					WHERE made IS NOT NULL AND v.submission_id = r.submission_id AND v.right_id IS NULL AND v.status = 'rejected'
						AND @workspace@.contact_of(v.left_id) <> made
					ON CONFLICT DO NOTHING;
			END IF;
		END IF;
		RETURN (SELECT s.contact_id FROM @workspace@.submission s WHERE s.submission_id = r.submission_id AND r.right_id IS NULL);
	END
	$$;

COMMENT ON FUNCTION @workspace@.reject_match(bigint, text) IS
	'Decide that a possible match is none: a pair is linked as different and never merged by the system; a submission that waits is processed without the contact, as somebody new once all its candidates are rejected, and the contact it went to is returned. Rejecting again changes nothing. Errors: no_data_found, object_not_in_prerequisite_state when it was accepted, check_violation when the two are one by now.';

CREATE OR REPLACE VIEW @workspace@.standing_match_link WITH (security_invoker = true) AS
SELECT p.entity, LEAST(p.one_id, p.other_id) AS left_id, GREATEST(p.one_id, p.other_id) AS right_id, p.verdict
FROM (
	SELECT l.entity, COALESCE(m.survivor_id, l.left_id) AS one_id, COALESCE(n.survivor_id, l.right_id) AS other_id, l.verdict
	FROM @workspace@.match_link l
	LEFT JOIN @workspace@.entity_redirect m ON m.entity = l.entity AND m.old_id = l.left_id
	LEFT JOIN @workspace@.entity_redirect n ON n.entity = l.entity AND n.old_id = l.right_id
) p
WHERE p.one_id <> p.other_id;

COMMENT ON VIEW @workspace@.standing_match_link IS
	'What people decided about pairs in match_link, by who they are now: a contact, account or lead that was merged away stands for its survivor. Pairs that were merged are left out. One row a link.';
COMMENT ON COLUMN @workspace@.standing_match_link.entity IS 'contact, account or lead';
COMMENT ON COLUMN @workspace@.standing_match_link.left_id IS 'The lower id';
COMMENT ON COLUMN @workspace@.standing_match_link.right_id IS 'The higher id';
COMMENT ON COLUMN @workspace@.standing_match_link.verdict IS 'same or different';

CREATE OR REPLACE VIEW @workspace@.possible_match WITH (security_invoker = true) AS
SELECT
	v.match_review_id,
	v.entity,
	COALESCE(m.survivor_id, v.left_id) AS left_id,
	COALESCE(n.survivor_id, v.right_id) AS right_id,
	v.submission_id,
	v.strategy,
	v.probability,
	COALESCE(l.full_name, a.name) AS left_name,
	l.email::text AS left_email,
	COALESCE(l.phone::text, a.phone::text) AS left_phone,
	COALESCE(r.full_name, b.name) AS right_name,
	r.email::text AS right_email,
	COALESCE(r.phone::text, b.phone::text) AS right_phone,
	v.explanation::text AS explanation,
	v.created_at
FROM @workspace@.match_review v
LEFT JOIN @workspace@.entity_redirect m ON m.entity = v.entity AND m.old_id = v.left_id
LEFT JOIN @workspace@.entity_redirect n ON n.entity = v.entity AND n.old_id = v.right_id
LEFT JOIN @workspace@.contact l ON v.entity = 'contact' AND l.contact_id = COALESCE(m.survivor_id, v.left_id)
LEFT JOIN @workspace@.contact r ON v.entity = 'contact' AND r.contact_id = COALESCE(n.survivor_id, v.right_id)
LEFT JOIN @workspace@.account a ON v.entity = 'account' AND a.account_id = COALESCE(m.survivor_id, v.left_id)
LEFT JOIN @workspace@.account b ON v.entity = 'account' AND b.account_id = COALESCE(n.survivor_id, v.right_id)
WHERE v.status = 'open'
	-- Pairs that were merged meanwhile, or of which one is gone, wait for nobody
	AND (v.right_id IS NULL OR COALESCE(m.survivor_id, v.left_id) <> COALESCE(n.survivor_id, v.right_id)
		AND CASE v.entity WHEN 'contact' THEN pg_catalog.num_nulls(l.contact_id, r.contact_id) WHEN 'account' THEN pg_catalog.num_nulls(a.account_id, b.account_id) ELSE 0 END = 0);

COMMENT ON VIEW @workspace@.possible_match IS
	'The queue of possible matches that wait for accept_match() or reject_match(). One row each; pairs that were merged meanwhile, or of which one was deleted, are left out.';
COMMENT ON COLUMN @workspace@.possible_match.match_review_id IS 'Key, for accept_match() and reject_match()';
COMMENT ON COLUMN @workspace@.possible_match.entity IS 'contact, account or lead';
COMMENT ON COLUMN @workspace@.possible_match.left_id IS 'The one; its survivor where it was merged away';
COMMENT ON COLUMN @workspace@.possible_match.right_id IS 'The other, or its survivor; NULL when a submission waits';
COMMENT ON COLUMN @workspace@.possible_match.submission_id IS 'Submission that waits, or that brought the pair up';
COMMENT ON COLUMN @workspace@.possible_match.strategy IS 'Strategy that found them alike';
COMMENT ON COLUMN @workspace@.possible_match.probability IS 'Probability that they are the same; NULL where rules found them';
COMMENT ON COLUMN @workspace@.possible_match.left_name IS 'Full name of the one, a contact; name, if it is an account';
COMMENT ON COLUMN @workspace@.possible_match.left_email IS 'Main e-mail address of the one, of contacts';
COMMENT ON COLUMN @workspace@.possible_match.left_phone IS 'Main phone number of the one';
COMMENT ON COLUMN @workspace@.possible_match.right_name IS 'Full name of the other, a contact; name, if it is an account';
COMMENT ON COLUMN @workspace@.possible_match.right_email IS 'Main e-mail address of the other, of contacts';
COMMENT ON COLUMN @workspace@.possible_match.right_phone IS 'Main phone number of the other';
COMMENT ON COLUMN @workspace@.possible_match.explanation IS 'What it rests on, as JSON; NULL where rules found them';
COMMENT ON COLUMN @workspace@.possible_match.created_at IS 'When it was put up';
