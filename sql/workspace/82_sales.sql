-- Opportunities, tasks and activities: what applications call.

CREATE OR REPLACE FUNCTION @workspace@.advance_opportunity(opportunity_id bigint, stage text, reason text DEFAULT NULL)
	RETURNS @workspace@.opportunity
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		result @workspace@.opportunity;
	BEGIN
		UPDATE @workspace@.opportunity o SET stage = advance_opportunity.stage, stage_reason = advance_opportunity.reason
			WHERE o.opportunity_id = advance_opportunity.opportunity_id RETURNING o.* INTO result;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'there is no opportunity %', advance_opportunity.opportunity_id USING ERRCODE = 'no_data_found';
		END IF;
		RETURN result;
	END
	$$;

COMMENT ON FUNCTION @workspace@.advance_opportunity(bigint, text, text) IS
	'Move an opportunity to a stage, with a reason, and return it. The same rules hold for a plain UPDATE of the stage. Errors: no_data_found, check_violation with the allowed next stages or the mandatory ones it was never in, not_null_violation for a loss without a reason, object_not_in_prerequisite_state when it is closed.';

CREATE OR REPLACE FUNCTION @workspace@.waive_stage(opportunity_id bigint, stage text, reason text) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		waived @workspace@.opportunity;
	BEGIN
		IF reason IS NULL OR reason = '' THEN
			RAISE EXCEPTION 'stage "%" cannot be waived without a reason', waive_stage.stage USING ERRCODE = 'not_null_violation';
		END IF;
		SELECT o.* INTO waived FROM @workspace@.opportunity o
			WHERE o.opportunity_id = waive_stage.opportunity_id FOR NO KEY UPDATE;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'there is no opportunity %', waive_stage.opportunity_id USING ERRCODE = 'no_data_found';
		ELSIF waived.status <> 'open' THEN
			RAISE EXCEPTION 'opportunity % is %', waive_stage.opportunity_id, waived.status
				USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Only stages of open opportunities are waived.';
		ELSIF NOT EXISTS (SELECT FROM @workspace@.stage s
				WHERE s.pipeline = waived.pipeline AND s.stage = waive_stage.stage AND s.is_mandatory) THEN
			RAISE EXCEPTION 'pipeline "%" has no mandatory stage "%"', waived.pipeline, waive_stage.stage
				USING ERRCODE = 'invalid_parameter_value', HINT = pg_catalog.format('Mandatory stages: %s.', COALESCE(
					(SELECT pg_catalog.string_agg(s.stage, ', ' ORDER BY s.sequence) FROM @workspace@.stage s
					 WHERE s.pipeline = waived.pipeline AND s.is_mandatory), 'none'));
		END IF;
		INSERT INTO @workspace@.stage_waiver (opportunity_id, stage, reason)
			VALUES (waive_stage.opportunity_id, waive_stage.stage, waive_stage.reason)
			ON CONFLICT ON CONSTRAINT stage_waiver_pkey DO UPDATE
				SET reason = EXCLUDED.reason, waived_at = EXCLUDED.waived_at, waived_by = EXCLUDED.waived_by;
	END
	$$;

COMMENT ON FUNCTION @workspace@.waive_stage(bigint, text, text) IS
	'Let an opportunity be won without having been in a mandatory stage, for a reason. Errors: not_null_violation without a reason, no_data_found, invalid_parameter_value when the stage is not mandatory, object_not_in_prerequisite_state when the opportunity is closed.';

CREATE OR REPLACE FUNCTION @workspace@.log_activity(lead_id bigint, at timestamptz, kind text, outcome text DEFAULT NULL,
		note text DEFAULT NULL, direction text DEFAULT NULL, channel text DEFAULT NULL, message_id text DEFAULT NULL)
	RETURNS bigint
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		logged bigint;
	BEGIN
		-- a merge of the person is waited for, and later ones wait
		PERFORM FROM @workspace@.contact c JOIN @workspace@.lead l ON l.contact_id = c.contact_id
			WHERE l.lead_id = log_activity.lead_id FOR KEY SHARE OF c;
		INSERT INTO @workspace@.interaction (lead_id, contact_id, kind, direction, channel, external_id, outcome, note, occurred_at, agent_id)
			SELECT l.lead_id, l.contact_id, log_activity.kind,
				COALESCE(log_activity.direction, k.direction, 'internal'), log_activity.channel, log_activity.message_id,
				log_activity.outcome, NULLIF(log_activity.note, ''), COALESCE(log_activity.at, pg_catalog.now()), g.agent_id
			FROM @workspace@.lead l
			LEFT JOIN @workspace@.interaction_kind k ON k.kind = log_activity.kind
			LEFT JOIN @workspace@.agent g ON g.login = current_user
			WHERE l.lead_id = log_activity.lead_id
			RETURNING interaction_id INTO logged;
		IF logged IS NULL THEN
			IF @workspace@.lead_of(log_activity.lead_id) IS NOT NULL THEN
				RAISE EXCEPTION 'lead % was merged into lead %', log_activity.lead_id, @workspace@.lead_of(log_activity.lead_id)
					USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Use the id of the lead it is now.';
			END IF;
			RAISE EXCEPTION 'there is no lead %', log_activity.lead_id USING ERRCODE = 'no_data_found';
		END IF;
		RETURN logged;
	END
	$$;

COMMENT ON FUNCTION @workspace@.log_activity(bigint, timestamptz, text, text, text, text, text, text) IS
	'Record what was done about a lead: when (NULL: now), of what kind, with what outcome (a row of outcome; NULL for none) and note, and return the key of the interaction. The direction is that of the kind unless given; a message id is recorded once a channel. It counts for scores and history like any interaction. Errors: no_data_found, object_not_in_prerequisite_state when the lead was merged away, foreign_key_violation for an unknown outcome, unique_violation when the message is there already, check_violation for an unknown direction.';

CREATE OR REPLACE FUNCTION @workspace@.activity_log_text(lead_id bigint) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
		SELECT pg_catalog.string_agg(
			pg_catalog.concat(EXTRACT(day FROM i.occurred_at), '/', EXTRACT(month FROM i.occurred_at), ': ',
				pg_catalog.concat_ws(' – ', COALESCE(pg_catalog.lower(pg_catalog.left(k.label, 1)) || pg_catalog.substr(k.label, 2), i.kind),
					NULLIF(pg_catalog.concat_ws(', ', i.note, o.label), ''))),
			'; ' ORDER BY i.occurred_at, i.interaction_id)
		FROM @workspace@.interaction i
		LEFT JOIN @workspace@.interaction_kind k ON k.kind = i.kind
		LEFT JOIN @workspace@.outcome o ON o.outcome = i.outcome
		WHERE i.lead_id = $1 AND (COALESCE(k.is_activity, true) OR i.outcome IS NOT NULL)
	$$;

COMMENT ON FUNCTION @workspace@.activity_log_text(bigint) IS
	'What was done about a lead, in one line and in order: day/month: kind – note, outcome; then the next after a semicolon, as in 1/8: created – called in, interested; 1/9: follow-up – asked for e-mail, sent. Interactions of kinds that interaction_kind does not mark as activities are left out, unless they have an outcome. Days are those of the session''s time zone. NULL without any.';

CREATE OR REPLACE FUNCTION @workspace@.complete_task(task_id bigint, outcome text DEFAULT NULL, note text DEFAULT NULL)
	RETURNS @workspace@.task
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		result @workspace@.task;
	BEGIN
		SELECT t.* INTO result FROM @workspace@.task t WHERE t.task_id = complete_task.task_id FOR NO KEY UPDATE;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'there is no task %', complete_task.task_id USING ERRCODE = 'no_data_found';
		ELSIF result.state <> 'open' THEN
			RAISE EXCEPTION 'task % is %', complete_task.task_id, result.state USING ERRCODE = 'object_not_in_prerequisite_state';
		END IF;
		UPDATE @workspace@.task t SET state = 'done', outcome = complete_task.outcome, note = COALESCE(complete_task.note, t.note)
			WHERE t.task_id = complete_task.task_id RETURNING t.* INTO result;
		IF result.lead_id IS NOT NULL THEN
			PERFORM @workspace@.log_activity(result.lead_id, NULL, result.kind, result.outcome,
				COALESCE(complete_task.note, result.subject));
		END IF;
		RETURN result;
	END
	$$;

COMMENT ON FUNCTION @workspace@.complete_task(bigint, text, text) IS
	'Mark a task as done, with its outcome and a note, and return it. For a task about a lead, an activity of its kind is logged, with the note or else the subject. Errors: no_data_found, object_not_in_prerequisite_state when it is not open, foreign_key_violation for an unknown outcome.';

CREATE OR REPLACE FUNCTION @workspace@.cancel_task(task_id bigint, reason text DEFAULT NULL)
	RETURNS @workspace@.task
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		result @workspace@.task;
	BEGIN
		UPDATE @workspace@.task t SET state = 'cancelled', note = COALESCE(cancel_task.reason, t.note)
			WHERE t.task_id = cancel_task.task_id AND t.state = 'open' RETURNING t.* INTO result;
		IF NOT FOUND THEN
			SELECT t.* INTO result FROM @workspace@.task t WHERE t.task_id = cancel_task.task_id;
			IF NOT FOUND THEN
				RAISE EXCEPTION 'there is no task %', cancel_task.task_id USING ERRCODE = 'no_data_found';
			END IF;
			RAISE EXCEPTION 'task % is %', cancel_task.task_id, result.state USING ERRCODE = 'object_not_in_prerequisite_state';
		END IF;
		RETURN result;
	END
	$$;

COMMENT ON FUNCTION @workspace@.cancel_task(bigint, text) IS
	'Mark a task as cancelled, for a reason if one is given, and return it. Errors: no_data_found, object_not_in_prerequisite_state when it is not open.';

CREATE OR REPLACE FUNCTION @workspace@.next_lead(agent_id bigint) RETURNS SETOF @workspace@.lead
	LANGUAGE sql STABLE STRICT ROWS 1 SET search_path = pg_catalog, pg_temp SET jit = off
	AS $$
		SELECT l.* FROM @workspace@.lead_queue q
		JOIN @workspace@.lead l ON l.lead_id = q.lead_id
		WHERE q.agent_id = $1
		ORDER BY q.set_priority DESC, q.priority DESC, q.due_at, q.lead_id
		LIMIT 1
	$$;

COMMENT ON FUNCTION @workspace@.next_lead(bigint) IS
	'The lead an agent should work on next: of the agent''s open leads the first of lead_queue, that is by the priority that was set, then by win probability, value, age and due time. The same answer until something changes; no row when there is none.';

CREATE OR REPLACE FUNCTION @workspace@.lead_card(lead_id bigint) RETURNS jsonb
	LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp SET jit = off
	AS $$
		SELECT pg_catalog.jsonb_build_object(
			'lead_id', p.lead_id,
			'status', p.status,
			'identity', pg_catalog.jsonb_build_object('contact_id', p.contact_id, 'full_name', p.full_name, 'job_title', p.job_title,
				'email', p.email, 'phone', p.phone, 'city', p.city, 'country', p.country, 'account_id', p.account_id,
				'company', p.company, 'company_domain', p.company_domain, 'industry', p.industry, 'employees', p.employees,
				'customer_since', p.customer_since),
			'source', pg_catalog.jsonb_build_object('source', p.source, 'first_source', p.first_source, 'channel', p.channel,
				'campaign', p.campaign, 'origin', p.origin, 'page', p.page, 'product', p.product, 'created_at', p.lead_created_at),
			'stage', pg_catalog.jsonb_build_object('pipeline', p.pipeline, 'stage', p.stage, 'label', s.label,
				'entered_at', l.stage_entered_at, 'qualification', p.qualification, 'sales_ready_at', p.sales_ready_at),
			'owner', pg_catalog.jsonb_build_object('team', m.team, 'agent', g.agent),
			'touches', pg_catalog.jsonb_build_object('count', p.interaction_count, 'last_at', p.last_interaction_at,
				'by_kind', COALESCE(p.interactions_by_kind, '{}'), 'by_channel', COALESCE(p.interactions_by_channel, '{}')),
			'scores', (
				SELECT COALESCE(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('model', x.model, 'score', x.score, 'grade', x.grade,
					'sales_ready_threshold', x.sales_ready_threshold, 'reasons', (
						SELECT COALESCE(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('label', e.label, 'points', e.total)
							ORDER BY e.total DESC, e.label), '[]')
						FROM @workspace@.explain_score(p.lead_id, x.model) e WHERE e.total <> 0))
					ORDER BY x.score DESC, x.model), '[]')
				FROM @workspace@.lead_score x JOIN @workspace@.scoring_model sm ON sm.model = x.model AND sm.is_active
				WHERE x.lead_id = p.lead_id),
			'matches', pg_catalog.jsonb_build_object(
				'merged_leads', (SELECT COALESCE(pg_catalog.jsonb_agg(r.old_id ORDER BY r.old_id), '[]')
					FROM @workspace@.entity_redirect r WHERE r.entity = 'lead' AND r.survivor_id = p.lead_id),
				'merged_contacts', (SELECT COALESCE(pg_catalog.jsonb_agg(r.old_id ORDER BY r.old_id), '[]')
					FROM @workspace@.entity_redirect r WHERE r.entity = 'contact' AND r.survivor_id = p.contact_id),
				'possible_contacts', (SELECT COALESCE(pg_catalog.jsonb_agg(v.other ORDER BY v.other), '[]') FROM (
					SELECT v.right_id AS other FROM @workspace@.match_review v
					WHERE v.entity = 'contact' AND v.status = 'open' AND v.left_id = p.contact_id AND v.right_id IS NOT NULL
					UNION SELECT v.left_id FROM @workspace@.match_review v
					WHERE v.entity = 'contact' AND v.status = 'open' AND v.right_id = p.contact_id) v)),
			'consent', (SELECT COALESCE(pg_catalog.jsonb_agg(n.channel ORDER BY n.channel), '[]')
				FROM @workspace@.consent n WHERE (n.contact_id = p.contact_id OR n.lead_id = p.lead_id) AND n.withdrawn_at IS NULL),
			'service', pg_catalog.jsonb_build_object('is_neglected', w.reason IS NOT NULL, 'reason', w.reason,
				'days_idle', pg_catalog.date_part('day', pg_catalog.now() - COALESCE(p.last_interaction_at, p.lead_created_at))::integer,
				'days_in_stage', pg_catalog.date_part('day', pg_catalog.now() - l.stage_entered_at)::integer),
			'opportunities', (SELECT COALESCE(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('opportunity_id', o.opportunity_id,
					'name', o.name, 'stage', o.stage, 'status', o.status, 'amount', o.amount, 'currency', o.currency) ORDER BY o.opportunity_id), '[]')
				FROM @workspace@.opportunity o WHERE o.lead_id = p.lead_id),
			'next_action', (SELECT pg_catalog.jsonb_build_object('task_id', t.task_id, 'subject', t.subject, 'kind', t.kind, 'due_at', t.due_at)
				FROM @workspace@.task t WHERE t.lead_id = p.lead_id AND t.state = 'open'
				ORDER BY t.priority DESC, t.due_at NULLS LAST, t.task_id LIMIT 1),
			'activity_log', @workspace@.activity_log_text(p.lead_id))
		FROM @workspace@.lead_profile p
		JOIN @workspace@.lead l ON l.lead_id = p.lead_id
		JOIN @workspace@.stage s ON s.pipeline = l.pipeline AND s.stage = l.stage
		LEFT JOIN @workspace@.team m ON m.team_id = l.team_id
		LEFT JOIN @workspace@.agent g ON g.agent_id = l.agent_id
		LEFT JOIN @workspace@.neglected_lead w ON w.lead_id = l.lead_id
		WHERE p.lead_id = $1
	$$;

COMMENT ON FUNCTION @workspace@.lead_card(bigint) IS
	'What to know of a lead before talking to the person, as one JSON object: identity, source, stage, owner, touches, scores with the reasons, matches, consent, service (whether it was neglected), opportunities, next_action (the open task that comes first) and the activity log. NULL for an unknown lead.';

REVOKE EXECUTE ON FUNCTION
	@workspace@.advance_opportunity(bigint, text, text),
	@workspace@.waive_stage(bigint, text, text),
	@workspace@.log_activity(bigint, timestamptz, text, text, text, text, text, text),
	@workspace@.activity_log_text(bigint),
	@workspace@.complete_task(bigint, text, text),
	@workspace@.cancel_task(bigint, text),
	@workspace@.next_lead(bigint),
	@workspace@.lead_card(bigint)
	FROM PUBLIC;
