-- What moves leads and opportunities through stages.

CREATE OR REPLACE FUNCTION @workspace@.advance(lead_id bigint, stage text, reason text DEFAULT NULL, expected_stage text DEFAULT NULL)
	RETURNS @workspace@.lead
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		result @workspace@.lead;
		present text;
	BEGIN
		IF expected_stage IS NOT NULL THEN
			SELECT l.stage INTO present FROM @workspace@.lead l WHERE l.lead_id = advance.lead_id FOR NO KEY UPDATE;
			IF present <> expected_stage THEN
				RAISE EXCEPTION 'lead % is in stage "%", not in "%" as expected', advance.lead_id, present, expected_stage
					USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Somebody else moved it. Look at it again.';
			END IF;
		END IF;
		UPDATE @workspace@.lead l SET stage = advance.stage, stage_reason = advance.reason
			WHERE l.lead_id = advance.lead_id AND l.stage IS DISTINCT FROM advance.stage RETURNING l.* INTO result;
		IF NOT FOUND THEN
			SELECT l.* INTO result FROM @workspace@.lead l WHERE l.lead_id = advance.lead_id;
			IF NOT FOUND THEN
				RAISE EXCEPTION 'there is no lead %', advance.lead_id USING ERRCODE = 'no_data_found';
			END IF;
			RETURN result;
		END IF;
		SELECT l.* INTO result FROM @workspace@.lead l WHERE l.lead_id = advance.lead_id;
		RETURN result;
	END
	$$;

COMMENT ON FUNCTION @workspace@.advance(bigint, text, text, text) IS
	'Move a lead to a stage, with a reason, and return the lead as it is then: it may have gone on by itself. With an expected stage, only if it is there. The stage it is in already changes nothing. The same rules hold for a plain UPDATE of the stage. Errors: no_data_found, check_violation with the allowed next stages or the condition that is not met, not_null_violation with the fields that are missing, object_not_in_prerequisite_state when the lead is closed or elsewhere than expected.';

CREATE OR REPLACE FUNCTION @workspace@.advance_many(lead_ids bigint[], stage text, reason text DEFAULT NULL)
	RETURNS TABLE (lead_id bigint, is_moved boolean, sqlstate text, message text)
	LANGUAGE plpgsql ROWS 1000 SET search_path = pg_catalog, pg_temp
	AS $$
	#variable_conflict use_column
	DECLARE
		ids bigint[];
		moved bigint[];
		state text;
		problem text;
		half integer;
	BEGIN
		SELECT pg_catalog.array_agg(i.id ORDER BY i.id) INTO ids
			FROM (SELECT DISTINCT u.id FROM pg_catalog.unnest(advance_many.lead_ids) u (id) WHERE u.id IS NOT NULL) i;
		IF ids IS NULL THEN
			RETURN;
		END IF;
		half := pg_catalog.cardinality(ids) / 2;
		IF half <= 5000 THEN
			BEGIN
				PERFORM FROM @workspace@.lead l WHERE l.lead_id = ANY (ids) ORDER BY l.lead_id FOR NO KEY UPDATE;
				WITH updated AS (
					UPDATE @workspace@.lead l SET stage = advance_many.stage, stage_reason = advance_many.reason
					WHERE l.lead_id = ANY (ids) AND l.stage IS DISTINCT FROM advance_many.stage
					RETURNING l.lead_id)
				SELECT pg_catalog.array_agg(u.lead_id) INTO moved FROM updated u;
			EXCEPTION
				WHEN integrity_constraint_violation OR data_exception OR object_not_in_prerequisite_state
						OR triggered_action_exception OR plpgsql_error THEN
					state := SQLSTATE;
					problem := SQLERRM;
			END;
			IF state IS NULL THEN
				RETURN QUERY
					SELECT u.id, COALESCE(u.id = ANY (moved), false), CASE WHEN l.lead_id IS NULL THEN 'P0002' END,
						CASE WHEN l.lead_id IS NULL THEN pg_catalog.format('there is no lead %s', u.id) END
					FROM pg_catalog.unnest(ids) WITH ORDINALITY u (id, number)
					LEFT JOIN @workspace@.lead l ON l.lead_id = u.id
					ORDER BY u.number;
				RETURN;
			ELSIF half = 0 THEN
				RETURN QUERY SELECT ids[1], false, state, problem;
				RETURN;
			END IF;
		END IF;
		-- One of them cannot be moved: it is looked for by halves
		RETURN QUERY SELECT m.lead_id, m.is_moved, m.sqlstate, m.message
			FROM @workspace@.advance_many(ids[:half], advance_many.stage, advance_many.reason) m;
		RETURN QUERY SELECT m.lead_id, m.is_moved, m.sqlstate, m.message
			FROM @workspace@.advance_many(ids[half + 1:], advance_many.stage, advance_many.reason) m;
	END
	$$;

COMMENT ON FUNCTION @workspace@.advance_many(bigint[], text, text) IS
	'Move many leads to a stage, each that can be, and report on each. One row a lead, by its key: whether it moved (false when it was there already), and if it could not, the SQLSTATE and the message that advance() would have failed with. Ids given twice count once. What is no fault of a lead, such as a missing privilege or a deadlock, is an error.';

CREATE OR REPLACE FUNCTION @workspace@.disqualify(lead_id bigint, reason text, note text DEFAULT NULL)
	RETURNS @workspace@.lead
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		result @workspace@.lead;
	BEGIN
		IF reason IS NULL OR reason = '' THEN
			RAISE EXCEPTION 'lead % cannot be disqualified without a reason', disqualify.lead_id USING ERRCODE = 'not_null_violation';
		END IF;
		UPDATE @workspace@.lead l SET stage_reason = COALESCE(disqualify.note, disqualify.reason), disqualified_reason = disqualify.reason,
				stage = (SELECT s.stage FROM @workspace@.stage s
					WHERE s.pipeline = l.pipeline AND s.kind = 'lost' ORDER BY s.sequence LIMIT 1)
			WHERE l.lead_id = disqualify.lead_id
			RETURNING l.* INTO result;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'there is no lead %', disqualify.lead_id USING ERRCODE = 'no_data_found';
		END IF;
		RETURN result;
	END
	$$;

COMMENT ON FUNCTION @workspace@.disqualify(bigint, text, text) IS
	'Close a lead as lost, for a reason of closing_reason, with a note for its history if one is given, and return it. reopen() undoes it. Errors: not_null_violation without a reason, invalid_parameter_value for one that is not on the list, no_data_found, object_not_in_prerequisite_state when the lead is closed already.';

CREATE OR REPLACE FUNCTION @workspace@.reopen(lead_id bigint, reason text DEFAULT NULL)
	RETURNS @workspace@.lead
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		result @workspace@.lead;
	BEGIN
		PERFORM lead_mgmt.reopen_row('@workspace@.lead'::pg_catalog.regclass, reopen.lead_id, reopen.reason);
		SELECT l.* INTO result FROM @workspace@.lead l WHERE l.lead_id = reopen.lead_id;
		RETURN result;
	END
	$$;

COMMENT ON FUNCTION @workspace@.reopen(bigint, text) IS
	'Reopen a disqualified lead, in the stage and with the qualification that it had before, and return it; its history says so. The actions of the stage are not run again. Errors: no_data_found, object_not_in_prerequisite_state when it is open or was converted, unique_violation, naming it, when another lead of the person is open for the same interest.';

CREATE OR REPLACE FUNCTION @workspace@.reopen_opportunity(opportunity_id bigint, reason text DEFAULT NULL)
	RETURNS @workspace@.opportunity
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		result @workspace@.opportunity;
	BEGIN
		PERFORM lead_mgmt.reopen_row('@workspace@.opportunity'::pg_catalog.regclass, reopen_opportunity.opportunity_id, reopen_opportunity.reason);
		SELECT o.* INTO result FROM @workspace@.opportunity o WHERE o.opportunity_id = reopen_opportunity.opportunity_id;
		RETURN result;
	END
	$$;

COMMENT ON FUNCTION @workspace@.reopen_opportunity(bigint, text) IS
	'Reopen an opportunity that was won or lost, in the stage it had before, and return it. A contact whom only this sale made a customer is one no longer. Errors: no_data_found, object_not_in_prerequisite_state when it is open.';

CREATE OR REPLACE FUNCTION @workspace@.switch_pipeline(lead_id bigint, pipeline text, reason text DEFAULT NULL)
	RETURNS @workspace@.lead
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		result @workspace@.lead;
	BEGIN
		UPDATE @workspace@.lead l SET pipeline = switch_pipeline.pipeline, stage_reason = switch_pipeline.reason
			WHERE l.lead_id = switch_pipeline.lead_id RETURNING l.* INTO result;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'there is no lead %', switch_pipeline.lead_id USING ERRCODE = 'no_data_found';
		END IF;
		RETURN result;
	END
	$$;

COMMENT ON FUNCTION @workspace@.switch_pipeline(bigint, text, text) IS
	'Let a lead go on in another pipeline, in the stage that stage_map says or else in that of the same name, and return it. What it went through is kept. The same holds for a plain UPDATE of the pipeline. Errors: no_data_found, invalid_parameter_value for an unknown pipeline, object_not_in_prerequisite_state for a draft or a closed lead, check_violation when no stage corresponds.';

CREATE OR REPLACE FUNCTION @workspace@.complete_step(lead_id bigint, step text, value text DEFAULT NULL)
	RETURNS @workspace@.lead
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		result @workspace@.lead;
		fills text;
		type text;
	BEGIN
		SELECT l.* INTO result FROM @workspace@.lead l WHERE l.lead_id = complete_step.lead_id FOR NO KEY UPDATE;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'there is no lead %', complete_step.lead_id USING ERRCODE = 'no_data_found';
		END IF;
		-- First of all, as the field may be the last that is missing, and the lead move on with it
		INSERT INTO @workspace@.lead_step (lead_id, step, value) VALUES (complete_step.lead_id, complete_step.step, complete_step.value);
		IF complete_step.value IS NOT NULL THEN
			SELECT s.field INTO fills FROM @workspace@.stage_step s
				WHERE s.pipeline = result.pipeline AND s.stage = result.stage AND s.step = complete_step.step AND s.kind = 'field';
			SELECT f.type INTO type FROM @workspace@.field f WHERE f.entity = 'lead' AND f.field = fills AND f.is_active;
			IF FOUND THEN
				UPDATE @workspace@.lead l SET attributes = l.attributes || pg_catalog.jsonb_build_object(fills,
						CASE WHEN type IN ('integer', 'number', 'boolean', 'choices') THEN complete_step.value::jsonb
							ELSE pg_catalog.to_jsonb(complete_step.value) END)
					WHERE l.lead_id = complete_step.lead_id;
			ELSIF fills IN ('title', 'product', 'budget', 'currency', 'channel', 'source') THEN
				EXECUTE pg_catalog.format('UPDATE @workspace@.lead SET %I = %L WHERE lead_id = %s', fills, complete_step.value, complete_step.lead_id);
			ELSIF fills IS NOT NULL THEN
				RAISE EXCEPTION 'field "%" of lead % cannot be filled in with its step', fills, complete_step.lead_id
					USING ERRCODE = 'invalid_parameter_value', HINT = 'Change the contact or the account.';
			END IF;
		END IF;
		SELECT l.* INTO result FROM @workspace@.lead l WHERE l.lead_id = complete_step.lead_id;
		RETURN result;
	END
	$$;

COMMENT ON FUNCTION @workspace@.complete_step(bigint, text, text) IS
	'Tick off a step of the stage that a lead is in, and return the lead as it is then: the last required step may have moved it on. A value fills the field of the step in, if that is a custom attribute of the lead or its title, product, budget, currency, channel or source, and is kept with the step. Errors: no_data_found, invalid_parameter_value when the stage has no such step, check_violation when its criteria are not met or it needs an owner, triggered_action_exception when its function fails, object_not_in_prerequisite_state when the lead is closed.';

CREATE OR REPLACE FUNCTION @workspace@.mark_ready(lead_id bigint, kind text DEFAULT 'sales', reason text DEFAULT NULL)
	RETURNS @workspace@.lead
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		result @workspace@.lead;
		place @workspace@.stage;
		target @workspace@.stage;
		between text;
	BEGIN
		IF mark_ready.kind NOT IN ('sales', 'teleprospect') OR mark_ready.kind IS NULL THEN
			RAISE EXCEPTION 'a lead cannot be made ready for "%"', mark_ready.kind
				USING ERRCODE = 'invalid_parameter_value', HINT = 'Choose sales or teleprospect.';
		END IF;
		SELECT l.* INTO result FROM @workspace@.lead l WHERE l.lead_id = mark_ready.lead_id FOR NO KEY UPDATE;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'there is no lead %', mark_ready.lead_id USING ERRCODE = 'no_data_found';
		ELSIF result.status <> 'open' THEN
			RAISE EXCEPTION 'lead % is %', mark_ready.lead_id, result.status USING ERRCODE = 'object_not_in_prerequisite_state';
		END IF;
		SELECT s.* INTO place FROM @workspace@.stage s WHERE s.pipeline = result.pipeline AND s.stage = result.stage;
		SELECT s.* INTO target FROM @workspace@.stage s WHERE s.pipeline = result.pipeline AND s.role = mark_ready.kind || '_ready';
		IF mark_ready.kind = 'sales' AND (result.sales_ready_at IS NULL OR result.qualification NOT IN ('sales_ready', 'sales_accepted')) THEN
			UPDATE @workspace@.lead l SET qualification = 'sales_ready', sales_ready_at = COALESCE(l.sales_ready_at, pg_catalog.now())
				WHERE l.lead_id = mark_ready.lead_id;
		END IF;
		IF place.sequence < target.sequence THEN
			IF NOT EXISTS (SELECT FROM @workspace@.stage_transition t
					WHERE t.pipeline = place.pipeline AND t.from_stage = place.stage AND t.to_stage = target.stage) THEN
				SELECT t.to_stage INTO between FROM @workspace@.stage_transition t
					WHERE t.pipeline = place.pipeline AND t.from_stage = place.stage AND t.kind = 'next';
				UPDATE @workspace@.lead l SET stage = between, stage_reason = mark_ready.reason
					WHERE l.lead_id = mark_ready.lead_id AND between IS NOT NULL;
			END IF;
			UPDATE @workspace@.lead l SET stage = target.stage, stage_reason = mark_ready.reason
				WHERE l.lead_id = mark_ready.lead_id AND l.stage <> target.stage;
		END IF;
		SELECT l.* INTO result FROM @workspace@.lead l WHERE l.lead_id = mark_ready.lead_id;
		RETURN result;
	END
	$$;

COMMENT ON FUNCTION @workspace@.mark_ready(bigint, text, text) IS
	'Say that a lead is ready for sales, or for teleprospecting, whatever its score is, and return it. It goes straight to the stage with that role, if that lies ahead and a transition leads there, from here or from the next stage. Errors: no_data_found, invalid_parameter_value for another kind, object_not_in_prerequisite_state for a closed lead, those of advance().';

CREATE OR REPLACE FUNCTION @workspace@.accept_lead(lead_id bigint, agent_id bigint DEFAULT NULL, reason text DEFAULT NULL)
	RETURNS @workspace@.lead
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		result @workspace@.lead;
		flag text;
	BEGIN
		SELECT l.* INTO result FROM @workspace@.lead l WHERE l.lead_id = accept_lead.lead_id FOR NO KEY UPDATE;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'there is no lead %', accept_lead.lead_id USING ERRCODE = 'no_data_found';
		END IF;
		SELECT s.step INTO flag FROM @workspace@.stage_step s
			WHERE s.pipeline = result.pipeline AND s.stage = result.stage AND s.is_acceptance;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'lead % cannot be accepted in stage "%"', accept_lead.lead_id, result.stage
				USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'None of its steps is marked as its acceptance.';
		END IF;
		IF accept_lead.agent_id IS NOT NULL THEN
			PERFORM @workspace@.assign(accept_lead.lead_id, accept_lead.agent_id, COALESCE(accept_lead.reason, 'accepted'), true);
		END IF;
		UPDATE @workspace@.handover h
			SET accepted_at = pg_catalog.now(), accepted_by = current_user, to_agent_id = COALESCE(accept_lead.agent_id, h.to_agent_id)
			WHERE h.lead_id = accept_lead.lead_id AND h.accepted_at IS NULL AND h.rejected_at IS NULL;
		RETURN @workspace@.complete_step(accept_lead.lead_id, flag, accept_lead.reason);
	END
	$$;

COMMENT ON FUNCTION @workspace@.accept_lead(bigint, bigint, text) IS
	'Accept a lead where a team is asked to: give it to an agent, if one is named, accept its hand-over, tick the step that is the acceptance of the stage, and return the lead. All of it or nothing. Errors: no_data_found, object_not_in_prerequisite_state when the stage has no such step, check_violation when there is no owner or the criteria are not met.';

CREATE OR REPLACE FUNCTION @workspace@.hand_over(lead_id bigint, team_id bigint, agent_id bigint DEFAULT NULL, reason text DEFAULT NULL)
	RETURNS bigint
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	#variable_conflict use_column
	DECLARE
		source @workspace@.lead;
		result bigint;
	BEGIN
		SELECT l.* INTO source FROM @workspace@.lead l WHERE l.lead_id = hand_over.lead_id FOR NO KEY UPDATE;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'there is no lead %', hand_over.lead_id USING ERRCODE = 'no_data_found';
		ELSIF source.status <> 'open' THEN
			RAISE EXCEPTION 'lead % is % and cannot be handed over', source.lead_id, source.status USING ERRCODE = 'object_not_in_prerequisite_state';
		ELSIF NOT EXISTS (SELECT FROM @workspace@.team t WHERE t.team_id = hand_over.team_id AND t.is_active) THEN
			RAISE EXCEPTION 'there is no active team %', hand_over.team_id USING ERRCODE = 'no_data_found';
		ELSIF hand_over.agent_id IS NOT NULL AND NOT EXISTS (
				SELECT FROM @workspace@.agent a WHERE a.agent_id = hand_over.agent_id AND a.team_id = hand_over.team_id AND a.is_active) THEN
			RAISE EXCEPTION 'agent % is not an active one of team %', hand_over.agent_id, hand_over.team_id USING ERRCODE = 'no_data_found';
		END IF;
		SELECT h.handover_id INTO result FROM @workspace@.handover h
			WHERE h.lead_id = source.lead_id AND h.accepted_at IS NULL AND h.rejected_at IS NULL;
		IF FOUND THEN
			RAISE EXCEPTION 'hand-over % of lead % is not answered yet', result, source.lead_id
				USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Call accept_handover() or reject_handover() first.';
		END IF;
		INSERT INTO @workspace@.handover (lead_id, from_team_id, from_agent_id, to_team_id, to_agent_id, reason, handed_over_by)
			VALUES (source.lead_id, source.team_id, source.agent_id, hand_over.team_id, hand_over.agent_id, hand_over.reason, current_user)
			RETURNING handover_id INTO result;
		RETURN result;
	END
	$$;

COMMENT ON FUNCTION @workspace@.hand_over(bigint, bigint, bigint, text) IS
	'Pass a lead to another team, or to an agent of it, and return the key of the hand-over. The lead stays where it is until the hand-over is accepted. Moves into a stage with a team_kind do the same by themselves. Errors: no_data_found, object_not_in_prerequisite_state when the lead is closed or a hand-over of it is not answered yet.';

CREATE OR REPLACE FUNCTION @workspace@.accept_handover(handover_id bigint, agent_id bigint DEFAULT NULL)
	RETURNS @workspace@.handover
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		result @workspace@.handover;
		taker bigint;
	BEGIN
		UPDATE @workspace@.handover h
			SET accepted_at = pg_catalog.now(), accepted_by = current_user, to_agent_id = COALESCE(accept_handover.agent_id, h.to_agent_id)
			WHERE h.handover_id = accept_handover.handover_id AND h.accepted_at IS NULL AND h.rejected_at IS NULL
			RETURNING h.* INTO result;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'there is no hand-over % to be answered', accept_handover.handover_id USING ERRCODE = 'no_data_found';
		END IF;
		taker := result.to_agent_id;
		IF taker IS NOT NULL AND NOT EXISTS (SELECT FROM @workspace@.agent a WHERE a.agent_id = taker AND a.team_id = result.to_team_id) THEN
			RAISE EXCEPTION 'agent % is not of team %, to which lead % was handed over', taker, result.to_team_id, result.lead_id
				USING ERRCODE = 'check_violation';
		ELSIF taker IS NOT NULL THEN
			PERFORM @workspace@.assign(result.lead_id, taker, pg_catalog.format('hand-over %s', result.handover_id), true);
		ELSE
			UPDATE @workspace@.lead l SET team_id = result.to_team_id, agent_id = NULL WHERE l.lead_id = result.lead_id;
			INSERT INTO @workspace@.assignment (lead_id, team_id, agent_id, assigned_by, reason)
				VALUES (result.lead_id, result.to_team_id, NULL, current_user,
					pg_catalog.jsonb_build_object('rule', 'hand-over', 'handover_id', result.handover_id));
		END IF;
		RETURN result;
	END
	$$;

COMMENT ON FUNCTION @workspace@.accept_handover(bigint, bigint) IS
	'Take a lead that was handed over, for the team or for an agent of it, and return the hand-over. The lead is assigned to them. Errors: no_data_found when it was answered already, check_violation for an agent of another team.';

CREATE OR REPLACE FUNCTION @workspace@.reject_handover(handover_id bigint, reason text)
	RETURNS @workspace@.handover
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		result @workspace@.handover;
	BEGIN
		IF reason IS NULL OR reason = '' THEN
			RAISE EXCEPTION 'hand-over % cannot be rejected without a reason', reject_handover.handover_id USING ERRCODE = 'not_null_violation';
		END IF;
		UPDATE @workspace@.handover h
			SET rejected_at = pg_catalog.now(), rejected_by = current_user, rejected_reason = reject_handover.reason
			WHERE h.handover_id = reject_handover.handover_id AND h.accepted_at IS NULL AND h.rejected_at IS NULL
			RETURNING h.* INTO result;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'there is no hand-over % to be answered', reject_handover.handover_id USING ERRCODE = 'no_data_found';
		END IF;
		RETURN result;
	END
	$$;

COMMENT ON FUNCTION @workspace@.reject_handover(bigint, text) IS
	'Refuse a lead that was handed over, for a reason, and return the hand-over. The lead stays with whom it was; moving it back is up to them. Errors: not_null_violation without a reason, no_data_found when it was answered already.';

CREATE OR REPLACE FUNCTION @workspace@.explain_stage(lead_id bigint)
	RETURNS TABLE (item text, name text, state text, detail text)
	LANGUAGE sql STABLE STRICT ROWS 10 SET search_path = pg_catalog, pg_temp
	AS $$
		SELECT e.item, e.name, e.state, e.detail
		FROM lead_mgmt.stage_explanation('@workspace@.lead'::pg_catalog.regclass, $1) e
	$$;

COMMENT ON FUNCTION @workspace@.explain_stage(bigint) IS
	'What holds a lead where it is. item is stage (the one it is in; state: open, converted or disqualified), step (state: complete, open, or blocked by what detail says), move (a stage that may follow; open, or blocked by what detail says), or automatic (a stage it goes to by itself; waiting for what detail says, blocked, or off in its pipeline). Error: no_data_found.';

CREATE OR REPLACE FUNCTION @workspace@.move_due_leads() RETURNS bigint
	LANGUAGE sql SET search_path = pg_catalog, pg_temp
	AS $$
		SELECT lead_mgmt.move_due_leads('@workspace@.lead'::pg_catalog.regclass)
	$$;

COMMENT ON FUNCTION @workspace@.move_due_leads() IS
	'Make the automatic moves whose time is up, and return how many. tick() calls it. Leads that another session is moving are left to it.';

CREATE OR REPLACE FUNCTION @workspace@.activate_pipeline(pipeline text) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		problems text;
		warnings text;
	BEGIN
		IF NOT EXISTS (SELECT FROM @workspace@.pipeline p WHERE p.pipeline = activate_pipeline.pipeline) THEN
			RAISE EXCEPTION 'there is no pipeline "%"', activate_pipeline.pipeline USING ERRCODE = 'no_data_found';
		END IF;
		SELECT pg_catalog.string_agg(q.problem, '; ' ORDER BY q.problem) FILTER (WHERE q.severity = 'error'),
				pg_catalog.string_agg(q.problem, '; ' ORDER BY q.problem) FILTER (WHERE q.severity = 'warning')
			INTO problems, warnings
			FROM @workspace@.pipeline_problem q WHERE q.pipeline = activate_pipeline.pipeline;
		IF problems IS NOT NULL THEN
			RAISE EXCEPTION 'pipeline "%" is not sound: %', activate_pipeline.pipeline, problems USING ERRCODE = 'check_violation';
		ELSIF warnings IS NOT NULL THEN
			RAISE WARNING 'pipeline "%": %', activate_pipeline.pipeline, warnings;
		END IF;
		UPDATE @workspace@.pipeline p SET is_active = true WHERE p.pipeline = activate_pipeline.pipeline AND NOT p.is_active;
	END
	$$;

COMMENT ON FUNCTION @workspace@.activate_pipeline(text) IS
	'Make a draft pipeline one that leads or opportunities can enter. It must be sound: one entry stage, and from each stage a way to an end; warnings are given for what pipeline_problem lists besides. Errors: no_data_found, check_violation with all that is missing.';

CREATE OR REPLACE FUNCTION @workspace@.allow_moves(pipeline text, kind text) RETURNS bigint
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	#variable_conflict use_column
	DECLARE
		added bigint;
	BEGIN
		IF allow_moves.kind NOT IN ('next', 'skip', 'back', 'any', 'lost') OR allow_moves.kind IS NULL THEN
			RAISE EXCEPTION 'there are no moves of kind "%"', allow_moves.kind
				USING ERRCODE = 'invalid_parameter_value', HINT = 'Choose next, skip, back, any or lost.';
		ELSIF NOT EXISTS (SELECT FROM @workspace@.pipeline p WHERE p.pipeline = allow_moves.pipeline) THEN
			RAISE EXCEPTION 'there is no pipeline "%"', allow_moves.pipeline USING ERRCODE = 'no_data_found';
		END IF;
		INSERT INTO @workspace@.stage_transition (pipeline, from_stage, to_stage, kind)
			SELECT f.pipeline, f.stage, t.stage, CASE allow_moves.kind WHEN 'lost' THEN 'any' ELSE allow_moves.kind END
			FROM @workspace@.stage f
			JOIN @workspace@.stage t ON t.pipeline = f.pipeline AND t.stage <> f.stage
			WHERE f.pipeline = allow_moves.pipeline AND f.kind IN ('entry', 'open')
				AND CASE allow_moves.kind
					WHEN 'next' THEN t.sequence = (SELECT pg_catalog.min(n.sequence) FROM @workspace@.stage n
						WHERE n.pipeline = f.pipeline AND n.sequence > f.sequence AND n.kind <> 'lost')
					WHEN 'skip' THEN t.kind = 'open' AND t.sequence > f.sequence
					WHEN 'back' THEN t.kind IN ('entry', 'open') AND t.sequence < f.sequence
					WHEN 'any' THEN t.kind IN ('entry', 'open')
					ELSE t.kind = 'lost'
				END
			ON CONFLICT (pipeline, from_stage, to_stage) DO NOTHING;
		GET DIAGNOSTICS added = ROW_COUNT;
		RETURN added;
	END
	$$;

COMMENT ON FUNCTION @workspace@.allow_moves(text, text) IS
	'Add the transitions of a kind to a pipeline, and return how many: next (from each stage to the one after it), skip (to any later one), back (to any earlier one), any (to every other open stage), or lost (to the stages that end it so). Those that are there stay as they are. Errors: no_data_found, invalid_parameter_value.';

CREATE OR REPLACE FUNCTION @workspace@.pipeline_as_of(at timestamptz)
	RETURNS TABLE (entity text, pipeline text, stage text, label text, sequence integer, leads bigint, amount numeric)
	LANGUAGE sql STABLE STRICT ROWS 20 SET search_path = pg_catalog, pg_temp
	AS $$
WITH place AS (
	SELECT DISTINCT ON (m.lead_id, m.opportunity_id) m.lead_id, m.opportunity_id, m.pipeline, m.to_stage AS stage
	FROM @workspace@.stage_move m
	WHERE m.moved_at <= $1
	ORDER BY m.lead_id, m.opportunity_id, m.stage_move_id DESC
),
counted AS (
	SELECT p.pipeline, p.stage, pg_catalog.count(*) AS leads, pg_catalog.sum(o.amount) AS amount
	FROM place p
	LEFT JOIN @workspace@.opportunity o ON o.opportunity_id = p.opportunity_id
	GROUP BY p.pipeline, p.stage
)
SELECT i.entity, i.pipeline, COALESCE(s.stage, c.stage), s.label, s.sequence, COALESCE(c.leads, 0), c.amount
FROM @workspace@.pipeline i
LEFT JOIN (SELECT x.pipeline, x.stage FROM @workspace@.stage x UNION SELECT x.pipeline, x.stage FROM counted x) n ON n.pipeline = i.pipeline
LEFT JOIN @workspace@.stage s ON s.pipeline = n.pipeline AND s.stage = n.stage
LEFT JOIN counted c ON c.pipeline = n.pipeline AND c.stage = n.stage
WHERE n.stage IS NOT NULL AND lead_mgmt.report_guard('@workspace@.pipeline_as_of(timestamptz)'::pg_catalog.regprocedure)
ORDER BY i.entity, i.pipeline, s.sequence
	$$;

COMMENT ON FUNCTION @workspace@.pipeline_as_of(timestamptz) IS
	'How many leads and opportunities were in each stage at a time, going by the moves recorded until then, and what the opportunities are worth by their amounts of today. One row a stage; label and sequence are NULL for one that is no more. Rows loaded as history bring no moves, and count from their first one on.';

CREATE OR REPLACE FUNCTION @workspace@.clear_life_cycle(contact_id bigint, reason text DEFAULT NULL) RETURNS void
	LANGUAGE sql SET search_path = pg_catalog, pg_temp
	AS $$
		INSERT INTO @workspace@.life_cycle_reset (contact_id, reset_at, reset_by, reason) VALUES ($1, pg_catalog.now(), current_user, $2)
		ON CONFLICT (contact_id) DO UPDATE SET reset_at = EXCLUDED.reset_at, reset_by = EXCLUDED.reset_by, reason = EXCLUDED.reason
	$$;

COMMENT ON FUNCTION @workspace@.clear_life_cycle(bigint, text) IS
	'Let the life cycle of a contact begin anew: in life_cycle only what happens from now on counts. Nothing is deleted. Error: foreign_key_violation for an unknown contact.';

REVOKE EXECUTE ON FUNCTION
	@workspace@.advance(bigint, text, text, text),
	@workspace@.advance_many(bigint[], text, text),
	@workspace@.disqualify(bigint, text, text),
	@workspace@.reopen(bigint, text),
	@workspace@.reopen_opportunity(bigint, text),
	@workspace@.switch_pipeline(bigint, text, text),
	@workspace@.complete_step(bigint, text, text),
	@workspace@.mark_ready(bigint, text, text),
	@workspace@.accept_lead(bigint, bigint, text),
	@workspace@.hand_over(bigint, bigint, bigint, text),
	@workspace@.accept_handover(bigint, bigint),
	@workspace@.reject_handover(bigint, text),
	@workspace@.explain_stage(bigint),
	@workspace@.move_due_leads(),
	@workspace@.activate_pipeline(text),
	@workspace@.allow_moves(text, text),
	@workspace@.pipeline_as_of(timestamptz),
	@workspace@.clear_life_cycle(bigint, text)
	FROM PUBLIC;

INSERT INTO @workspace@.tick_task (task, label, sequence) VALUES
	('move_due_leads', 'Move leads whose time in a stage is up', 200)
ON CONFLICT DO NOTHING;
