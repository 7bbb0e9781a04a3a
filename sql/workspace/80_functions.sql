-- What applications call.

CREATE OR REPLACE FUNCTION @workspace@.capture(form text, payload jsonb, external_id text DEFAULT NULL)
	RETURNS @workspace@.submission
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		id bigint;
		result @workspace@.submission;
	BEGIN
		INSERT INTO @workspace@.submission (form, payload, external_id)
			VALUES (COALESCE(capture.form, 'default'), capture.payload, capture.external_id)
			RETURNING submission_id INTO id;
		SELECT s.* INTO result FROM @workspace@.submission s WHERE s.submission_id = id;
		RETURN result;
	END
	$$;

COMMENT ON FUNCTION @workspace@.capture(text, jsonb, text) IS
	'Submit one record through a form (NULL: the default form) and return the submission as it was processed: status accepted, rejected, duplicate or review, reasons, contact_id, account_id, lead_id, interaction_id. A bad record is an answer, not an error. An external_id seen before makes it a duplicate that changes nothing. Runs with the rights of the workspace''s owner, so that a role needs no privilege but this one to submit.';

CREATE OR REPLACE FUNCTION @workspace@.reprocess(submission_id bigint)
	RETURNS @workspace@.submission
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		result @workspace@.submission;
	BEGIN
		PERFORM lead_mgmt.process_submission('@workspace@.submission'::pg_catalog.regclass, reprocess.submission_id);
		SELECT s.* INTO result FROM @workspace@.submission s WHERE s.submission_id = reprocess.submission_id;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'there is no submission %', reprocess.submission_id USING ERRCODE = 'no_data_found';
		END IF;
		RETURN result;
	END
	$$;

COMMENT ON FUNCTION @workspace@.reprocess(bigint) IS
	'Process a submission again that was rejected, after its payload or its form was corrected, or that waits for review, and return it. Does nothing for one that was accepted or found to be a duplicate, so it can be repeated. Error: no_data_found.';

CREATE OR REPLACE FUNCTION @workspace@.purge_submissions() RETURNS bigint
	LANGUAGE sql SET search_path = pg_catalog, pg_temp
	AS $$
		WITH purged AS (
			DELETE FROM @workspace@.submission s USING @workspace@.form f
			WHERE f.form = s.form AND s.processed_at < pg_catalog.now() - f.retention AND s.status IN ('accepted', 'duplicate')
				AND NOT EXISTS (SELECT FROM @workspace@.submission p WHERE p.part_of = s.submission_id AND p.status NOT IN ('accepted', 'duplicate'))
			RETURNING f.vendor, s.status),
		counted AS (
			INSERT INTO @workspace@.vendor_purged AS d (vendor, accepted, duplicates)
				SELECT p.vendor, pg_catalog.count(*) FILTER (WHERE p.status = 'accepted'), pg_catalog.count(*) FILTER (WHERE p.status = 'duplicate')
				FROM purged p WHERE p.vendor IS NOT NULL GROUP BY p.vendor
			ON CONFLICT (vendor) DO UPDATE SET accepted = d.accepted + EXCLUDED.accepted, duplicates = d.duplicates + EXCLUDED.duplicates)
		SELECT pg_catalog.count(*) FROM purged
	$$;

COMMENT ON FUNCTION @workspace@.purge_submissions() IS
	'Delete processed submissions older than the retention of their form, and return how many. Rejected ones, and those that wait for review, stay until they are corrected or deleted by hand, and so does the body they came in; a form without retention keeps all.';


CREATE OR REPLACE FUNCTION @workspace@.assign(lead_id bigint, agent_id bigint, reason text DEFAULT NULL, reassign boolean DEFAULT false)
	RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		owner bigint;
		team bigint;
	BEGIN
		SELECT a.team_id INTO team FROM @workspace@.agent a WHERE a.agent_id = assign.agent_id AND a.is_active;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'there is no active agent %', assign.agent_id USING ERRCODE = 'no_data_found';
		END IF;
		SELECT l.agent_id INTO owner FROM @workspace@.lead l WHERE l.lead_id = assign.lead_id FOR NO KEY UPDATE;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'there is no lead %', assign.lead_id USING ERRCODE = 'no_data_found';
		ELSIF owner IS NOT NULL AND owner <> assign.agent_id AND NOT reassign THEN
			RAISE EXCEPTION 'lead % is assigned to agent %', assign.lead_id, owner
				USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Pass reassign => true to take it over.';
		ELSIF owner = assign.agent_id THEN
			RETURN;
		END IF;
		UPDATE @workspace@.lead l SET agent_id = assign.agent_id, team_id = team WHERE l.lead_id = assign.lead_id;
		INSERT INTO @workspace@.assignment (lead_id, team_id, agent_id, assigned_by, reason)
			VALUES (assign.lead_id, team, assign.agent_id, current_user,
				pg_catalog.jsonb_build_object('rule', 'manual', 'reason', assign.reason, 'previous_agent_id', owner));
	END
	$$;

COMMENT ON FUNCTION @workspace@.assign(bigint, bigint, text, boolean) IS
	'Give a lead to an agent. Of two sessions that assign one lead at once the second gets the error, unless it reassigns. Errors: no_data_found, object_not_in_prerequisite_state.';

CREATE OR REPLACE FUNCTION @workspace@.split_list(segment lead_mgmt.predicate, agents bigint[], reason text DEFAULT NULL, reassign boolean DEFAULT false)
	RETURNS TABLE (agent_id bigint, leads bigint)
	LANGUAGE plpgsql ROWS 10 SET search_path = pg_catalog, pg_temp
	AS $$
	#variable_conflict use_column
	DECLARE
		problem text := lead_mgmt.predicate_check(segment, '@workspace@.lead_profile'::pg_catalog.regclass);
		missing bigint;
	BEGIN
		IF problem IS NOT NULL THEN
			RAISE EXCEPTION 'the segment cannot be used: %', pg_catalog.split_part(problem, E'\n', 1) USING ERRCODE = 'invalid_parameter_value';
		ELSIF segment IS NULL OR agents IS NULL OR agents = '{}' THEN
			RAISE EXCEPTION 'a list is split by a segment, among agents' USING ERRCODE = 'null_value_not_allowed',
				HINT = 'Pass true for all open leads.';
		END IF;
		SELECT u.id INTO missing FROM pg_catalog.unnest(split_list.agents) u (id)
			WHERE NOT EXISTS (SELECT FROM @workspace@.agent a WHERE a.agent_id = u.id AND a.is_active);
		IF FOUND THEN
			RAISE EXCEPTION 'there is no active agent %', missing USING ERRCODE = 'no_data_found';
		END IF;
		RETURN QUERY
			WITH listed AS MATERIALIZED (
				SELECT l.lead_id, l.agent_id, l.priority
				FROM @workspace@.lead_profile p
				JOIN @workspace@.lead l ON l.lead_id = p.lead_id
				WHERE l.status = 'open' AND (reassign OR l.agent_id IS NULL) AND lead_mgmt.satisfies_or_null(p, segment)
				ORDER BY l.lead_id
				FOR NO KEY UPDATE OF l),
			dealt AS MATERIALIZED (
				SELECT i.lead_id, i.agent_id AS previous, split_list.agents[1
						+ (pg_catalog.row_number() OVER (ORDER BY i.priority DESC, i.lead_id) - 1) % pg_catalog.cardinality(split_list.agents)] AS agent_id
				FROM listed i),
			given AS (
				UPDATE @workspace@.lead l SET agent_id = d.agent_id, team_id = a.team_id
				FROM dealt d
				JOIN @workspace@.agent a ON a.agent_id = d.agent_id
				WHERE l.lead_id = d.lead_id AND l.agent_id IS DISTINCT FROM d.agent_id
				RETURNING l.lead_id, l.team_id, l.agent_id, d.previous),
			noted AS (
				INSERT INTO @workspace@.assignment (lead_id, team_id, agent_id, assigned_by, reason)
				SELECT g.lead_id, g.team_id, g.agent_id, current_user,
					pg_catalog.jsonb_build_object('rule', 'split', 'reason', split_list.reason, 'previous_agent_id', g.previous)
				FROM given g)
			SELECT u.id, (SELECT pg_catalog.count(*) FROM dealt d WHERE d.agent_id = u.id)
			FROM (SELECT DISTINCT x.id FROM pg_catalog.unnest(split_list.agents) x (id)) u
			ORDER BY u.id;
	END
	$$;

COMMENT ON FUNCTION @workspace@.split_list(lead_mgmt.predicate, bigint[], text, boolean) IS
	'Deal the open leads of a segment, a condition over lead_profile, out to agents in turn, the most urgent first, so that all get as many and as good ones; an agent named twice gets twice as many. Leads that have an agent stay with him, unless they are to be reassigned. One row an agent, with the leads dealt to him. Two sessions that split one list at once give no lead to two agents. Errors: null_value_not_allowed, invalid_parameter_value for a segment that cannot be used, no_data_found for an agent who is not active.';

CREATE OR REPLACE FUNCTION @workspace@.define_field(entity text, field text, type text DEFAULT 'text',
		options text[] DEFAULT NULL, is_required boolean DEFAULT false, label text DEFAULT NULL)
	RETURNS void
	LANGUAGE sql SET search_path = pg_catalog, pg_temp
	AS $$
		INSERT INTO @workspace@.field (entity, field, type, options, is_required, label)
		VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (entity, field) DO UPDATE
			SET type = EXCLUDED.type, options = EXCLUDED.options, is_required = EXCLUDED.is_required,
				label = EXCLUDED.label, is_active = true
	$$;

COMMENT ON FUNCTION @workspace@.define_field(text, text, text, text[], boolean, text) IS
	'Define a custom attribute of contact, account or lead, change one, or bring back one that was dropped. Types: text, integer, number, boolean, date, timestamp, choice (one of the options), choices (any of them).';

CREATE OR REPLACE FUNCTION @workspace@.drop_field(entity text, field text) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	BEGIN
		UPDATE @workspace@.field f SET is_active = false WHERE f.entity = drop_field.entity AND f.field = drop_field.field;
		IF NOT FOUND THEN
			RAISE EXCEPTION '% has no custom attribute "%"', drop_field.entity, drop_field.field USING ERRCODE = 'no_data_found';
		END IF;
	END
	$$;

COMMENT ON FUNCTION @workspace@.drop_field(text, text) IS
	'Hide a custom attribute. Its values are kept, and shown again when it is defined again.';

CREATE OR REPLACE FUNCTION @workspace@.index_field(entity text, field text) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET client_min_messages = warning
	AS $$
	BEGIN
		IF NOT EXISTS (SELECT FROM @workspace@.field f WHERE f.entity = index_field.entity AND f.field = index_field.field) THEN
			RAISE EXCEPTION '% has no custom attribute "%"', index_field.entity, index_field.field USING ERRCODE = 'no_data_found';
		END IF;
		EXECUTE pg_catalog.format('CREATE INDEX IF NOT EXISTS %I ON @workspace@.%I ((attributes ->> %L))',
			pg_catalog.left(entity || '_' || field, 55) || '_field', entity, field);
	END
	$$;

COMMENT ON FUNCTION @workspace@.index_field(text, text) IS
	'Make an index on a custom attribute, for queries such as WHERE attributes ->> ''field'' = ''value''. Does nothing when there is one. Error: no_data_found.';

CREATE OR REPLACE FUNCTION @workspace@.grant_access(role_name name, access text) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET client_min_messages = warning
	AS $$
	DECLARE
		target record;
	BEGIN
		IF access NOT IN ('capture', 'import', 'sales', 'sales_ready', 'reader') OR access IS NULL THEN
			RAISE EXCEPTION 'there is no access "%"', access
				USING ERRCODE = 'invalid_parameter_value', HINT = 'Choose capture, import, sales, sales_ready or reader.';
		END IF;
		IF access = 'sales_ready' THEN
			-- A policy of this kind narrows what the others let through
			ALTER TABLE @workspace@.lead ENABLE ROW LEVEL SECURITY;
			IF NOT EXISTS (SELECT FROM pg_catalog.pg_policy p WHERE p.polrelid = '@workspace@.lead'::pg_catalog.regclass AND p.polname = 'everybody') THEN
				CREATE POLICY everybody ON @workspace@.lead USING (true) WITH CHECK (true);
			END IF;
			EXECUTE pg_catalog.format('DROP POLICY IF EXISTS %I ON @workspace@.lead', pg_catalog.left('sales_ready_' || role_name, 63));
			EXECUTE pg_catalog.format('CREATE POLICY %I ON @workspace@.lead AS RESTRICTIVE FOR SELECT TO %I USING (sales_ready_at IS NOT NULL)',
				pg_catalog.left('sales_ready_' || role_name, 63), role_name);
			access := 'sales';
		END IF;
		EXECUTE pg_catalog.format('GRANT USAGE ON SCHEMA @workspace@ TO %I', role_name);
		IF access IN ('capture', 'import', 'sales') THEN
			EXECUTE pg_catalog.format('GRANT INSERT (form, external_id, payload, content_type, raw, received_at) ON @workspace@.submission TO %I', role_name);
			EXECUTE pg_catalog.format('GRANT EXECUTE ON FUNCTION @workspace@.capture(text, jsonb, text), @workspace@.capture_raw(text, text, bytea), @workspace@.capture_bodies(text, text, bytea[]), @workspace@.capture_file(text, text, bytea), @workspace@.capture_http(text, text, bytea, jsonb) TO %I', role_name);
		END IF;
		IF access IN ('import', 'sales') THEN
			EXECUTE pg_catalog.format('GRANT INSERT (import_id, import_row) ON @workspace@.submission TO %I', role_name);
			FOR target IN
				SELECT p.oid::pg_catalog.regprocedure AS signature FROM pg_catalog.pg_proc p
				WHERE p.pronamespace = '@workspace@'::pg_catalog.regnamespace
					AND (p.proname IN ('import', 'import_columns', 'begin_import', 'record_import_batch', 'finish_import', 'import_rejects', 'import_report')
						OR access = 'import' AND p.proname IN ('claim_fetch', 'claim_body', 'record_fetch'))
			LOOP
				EXECUTE pg_catalog.format('GRANT EXECUTE ON ROUTINE %s TO %I', target.signature, role_name);
			END LOOP;
		END IF;
		IF access = 'reader' THEN
			PERFORM @workspace@.set_view_rights('owner');
		END IF;
		IF access IN ('sales', 'reader') THEN
			FOR target IN
				SELECT c.relname FROM pg_catalog.pg_class c
				WHERE c.relnamespace = '@workspace@'::pg_catalog.regnamespace
					AND (c.relkind = 'v' OR access = 'sales' AND c.relkind IN ('r', 'p')
						AND c.relname NOT IN ('submission_key', 'import_reject', 'merge_change'))
			LOOP
				EXECUTE pg_catalog.format('GRANT SELECT ON @workspace@.%I TO %I', target.relname, role_name);
			END LOOP;
			-- What only reports: see report_guard()
			FOR target IN
				SELECT p.oid::pg_catalog.regprocedure AS signature FROM pg_catalog.pg_proc p
				WHERE p.pronamespace = '@workspace@'::pg_catalog.regnamespace
					AND (p.prosrc ~ 'lead_mgmt[.]report_guard[(]'
						OR p.proname IN ('response_path', 'explain_attribution', 'attribution_touches', 'attribution_conversions'))
			LOOP
				EXECUTE pg_catalog.format('GRANT EXECUTE ON FUNCTION %s TO %I', target.signature, role_name);
			END LOOP;
		END IF;
		IF access = 'sales' THEN
			EXECUTE pg_catalog.format('GRANT EXECUTE ON FUNCTION @workspace@.match_contact(jsonb, text), @workspace@.explain_match(bigint) TO %I', role_name);
			EXECUTE pg_catalog.format('GRANT INSERT, UPDATE ON @workspace@.contact, @workspace@.account, @workspace@.lead, @workspace@.interaction, @workspace@.opportunity, @workspace@.consent TO %I', role_name);
			EXECUTE pg_catalog.format('GRANT INSERT ON @workspace@.assignment, @workspace@.lead_identity, @workspace@.lead_step, @workspace@.handover, @workspace@.life_cycle_reset TO %I', role_name);
			EXECUTE pg_catalog.format('GRANT UPDATE ON @workspace@.handover, @workspace@.life_cycle_reset TO %I', role_name);
			FOR target IN
				SELECT p.oid::pg_catalog.regprocedure AS signature FROM pg_catalog.pg_proc p
				WHERE p.pronamespace = '@workspace@'::pg_catalog.regnamespace
					AND p.proname IN ('advance', 'advance_many', 'disqualify', 'reopen', 'reopen_opportunity', 'switch_pipeline', 'complete_step', 'mark_ready',
						'accept_lead', 'hand_over', 'accept_handover', 'reject_handover', 'clear_life_cycle', 'explain_stage')
			LOOP
				EXECUTE pg_catalog.format('GRANT EXECUTE ON FUNCTION %s TO %I', target.signature, role_name);
			END LOOP;
			EXECUTE pg_catalog.format('GRANT EXECUTE ON FUNCTION @workspace@.assign(bigint, bigint, text, boolean), @workspace@.split_list(lead_mgmt.predicate, bigint[], text, boolean), @workspace@.create_lead(bigint, text, text, text, text, text, text, text) TO %I', role_name);
			EXECUTE pg_catalog.format('GRANT EXECUTE ON FUNCTION @workspace@.merge_contacts(bigint, bigint[], text), @workspace@.merge_accounts(bigint, bigint[], text), @workspace@.merge_leads(bigint, bigint[], text), @workspace@.unmerge(bigint) TO %I', role_name);
			EXECUTE pg_catalog.format('GRANT EXECUTE ON FUNCTION @workspace@.contact_exists(jsonb) TO %I', role_name);
			EXECUTE pg_catalog.format('GRANT INSERT, UPDATE ON @workspace@.task, @workspace@.stage_waiver, @workspace@.offer TO %I', role_name);
			EXECUTE pg_catalog.format('GRANT INSERT, UPDATE, DELETE ON @workspace@.opportunity_line TO %I', role_name);
			FOR target IN
				SELECT p.oid::pg_catalog.regprocedure AS signature FROM pg_catalog.pg_proc p
				WHERE p.pronamespace = '@workspace@'::pg_catalog.regnamespace
					AND p.proname IN ('convert_lead', 'conversion_contact', 'conversion_account', 'conversion_attributes', 'advance_opportunity', 'waive_stage', 'log_activity', 'complete_task', 'cancel_task', 'activity_log_text', 'lead_card', 'next_lead', 'make_offers', 'answer_offer', 'set_tags', 'leads_with_tags')
			LOOP
				EXECUTE pg_catalog.format('GRANT EXECUTE ON FUNCTION %s TO %I', target.signature, role_name);
			END LOOP;
		END IF;
	END
	$$;

COMMENT ON FUNCTION @workspace@.grant_access(name, text) IS
	'Grant a role what a kind of user needs. capture: submit, by capture(), INSERT or COPY, and nothing else. import: submit, and import files and tables and fetch sources, as leadctl does. sales: read, write contacts, accounts, leads, interactions, opportunities with their lines, and tasks, move leads, and merge. sales_ready: the same, but of leads only those that are sales-ready are seen, by a policy for row-level security on lead. reader: read views and ask for reports, but no table; views and reports then run with the rights of the owner of the workspace, see set_view_rights(). The owner has every right already. Errors: invalid_parameter_value, object_not_in_prerequisite_state for a reader where a table has row-level security.';

REVOKE EXECUTE ON FUNCTION
	@workspace@.capture(text, jsonb, text),
	@workspace@.reprocess(bigint),
	@workspace@.purge_submissions(),
	@workspace@.assign(bigint, bigint, text, boolean),
	@workspace@.split_list(lead_mgmt.predicate, bigint[], text, boolean),
	@workspace@.define_field(text, text, text, text[], boolean, text),
	@workspace@.drop_field(text, text),
	@workspace@.index_field(text, text),
	@workspace@.grant_access(name, text),
	@workspace@.response_path(bigint),
	@workspace@.completeness(bigint),
	@workspace@.define_match_rule(text, jsonb, text, integer),
	@workspace@.match_records(text),
	@workspace@.read_match_model(text),
	@workspace@.write_match_model(text, jsonb),
	@workspace@.index_match_keys(),
	@workspace@.train_match_strategy(text, boolean, boolean),
	@workspace@.find_duplicates(text, text, boolean),
	@workspace@.merge_duplicates(text),
	@workspace@.match_contact(jsonb, text),
	@workspace@.contact_exists(jsonb),
	@workspace@.explain_match(bigint),
	@workspace@.accept_match(bigint),
	@workspace@.reject_match(bigint, text),
	@workspace@.refresh_identity(text[])
	FROM PUBLIC;
