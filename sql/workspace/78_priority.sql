-- How warm leads were, and whom to turn to first.

CREATE OR REPLACE VIEW @workspace@.temperature_history WITH (security_invoker = true) AS
SELECT
	t.temperature_change_id,
	t.lead_id,
	t.model,
	t.from_grade,
	t.to_grade,
	t.score,
	t.changed_at,
	t.cause,
	t.interaction_id,
	i.kind AS interaction_kind,
	i.channel,
	ca.campaign
FROM @workspace@.temperature_change t
LEFT JOIN @workspace@.interaction i ON i.interaction_id = t.interaction_id
LEFT JOIN @workspace@.campaign ca ON ca.campaign_id = i.campaign_id
UNION ALL
SELECT
	NULL,
	s.lead_id,
	s.model,
	s.grade,
	n.grade,
	n.score,
	NULL,
	'cooled'::text,
	NULL,
	NULL,
	NULL,
	NULL
FROM @workspace@.score s
JOIN @workspace@.lead_score n ON n.lead_id = s.lead_id AND n.model = s.model
WHERE s.grade IS NOT NULL AND n.grade IS DISTINCT FROM s.grade;

COMMENT ON VIEW @workspace@.temperature_history IS
	'How leads became cold, warm and hot: each change of grade with its cause and the interaction that brought it. One row a change, the last one without a time where a lead has cooled since it was last scored.';
COMMENT ON COLUMN @workspace@.temperature_history.temperature_change_id IS 'Key; NULL for what no scoring has noticed yet';
COMMENT ON COLUMN @workspace@.temperature_history.lead_id IS 'Lead';
COMMENT ON COLUMN @workspace@.temperature_history.model IS 'Scoring model whose grades these are';
COMMENT ON COLUMN @workspace@.temperature_history.from_grade IS 'Grade before; NULL before the first one';
COMMENT ON COLUMN @workspace@.temperature_history.to_grade IS 'Grade after; NULL below all of them, or once nobody is behind the lead';
COMMENT ON COLUMN @workspace@.temperature_history.score IS 'Score after, in points, or per cent of a learned model';
COMMENT ON COLUMN @workspace@.temperature_history.changed_at IS 'When it was scored so, or found to have cooled; NULL for what no scoring has noticed yet';
COMMENT ON COLUMN @workspace@.temperature_history.cause IS 'interaction, change (of the profile, the rules or interactions counted before) or cooled (by itself)';
COMMENT ON COLUMN @workspace@.temperature_history.interaction_id IS 'The latest of the interactions that caused it; NULL for other causes';
COMMENT ON COLUMN @workspace@.temperature_history.interaction_kind IS 'Its kind';
COMMENT ON COLUMN @workspace@.temperature_history.channel IS 'Its channel';
COMMENT ON COLUMN @workspace@.temperature_history.campaign IS 'Its campaign';

CREATE OR REPLACE VIEW @workspace@.lead_queue WITH (security_invoker = true) AS
SELECT
	q.lead_id,
	q.team_id,
	q.agent_id,
	q.set_priority,
	q.win_probability,
	q.value,
	q.currency,
	q.age,
	q.due_at,
	lead_mgmt.lead_priority(q.win_probability, q.value, q.age, q.due_at - pg_catalog.now()) AS priority
FROM (
	SELECT
		l.lead_id,
		l.team_id,
		l.agent_id,
		l.priority AS set_priority,
		COALESCE(
			(SELECT COALESCE(s.override, s.fit) / 100
			 FROM @workspace@.scoring_model m
			 JOIN @workspace@.score s ON s.lead_id = l.lead_id AND s.model = m.model
			 WHERE m.is_active AND m.kind <> 'rules'
			 ORDER BY m.kind, m.model
			 LIMIT 1),
			(SELECT pg_catalog.max(GREATEST(n.score, 0) / NULLIF(GREATEST(n.score, 0) + GREATEST(n.sales_ready_threshold, 0), 0))
			 FROM @workspace@.lead_score n
			 WHERE n.lead_id = l.lead_id)
		) AS win_probability,
		l.budget AS value,
		l.currency,
		pg_catalog.now() - l.created_at AS age,
		LEAST(
			(SELECT pg_catalog.min(t.due_at) FROM @workspace@.task t WHERE t.lead_id = l.lead_id AND t.state = 'open'),
			(SELECT pg_catalog.min(h.handed_over_at + p.answer_within)
			 FROM @workspace@.handover h
			 JOIN @workspace@.pipeline p ON p.pipeline = l.pipeline
			 WHERE h.lead_id = l.lead_id AND h.accepted_at IS NULL AND h.rejected_at IS NULL)
		) AS due_at
	FROM @workspace@.lead l
	WHERE l.status = 'open'
) q
ORDER BY q.set_priority DESC, 10 DESC, q.due_at, q.lead_id;

COMMENT ON VIEW @workspace@.lead_queue IS
	'Open leads in the order in which to work on them: first by the priority that somebody set, then by lead_mgmt.lead_priority() of win probability, value, age and due time. next_lead() gives an agent the first of it. One row an open lead.';
COMMENT ON COLUMN @workspace@.lead_queue.lead_id IS 'Lead';
COMMENT ON COLUMN @workspace@.lead_queue.team_id IS 'Team it is assigned to; NULL while to none';
COMMENT ON COLUMN @workspace@.lead_queue.agent_id IS 'Agent it is assigned to; NULL while to none';
COMMENT ON COLUMN @workspace@.lead_queue.set_priority IS 'Priority that somebody set by hand, 0 unless so; comes before everything';
COMMENT ON COLUMN @workspace@.lead_queue.win_probability IS 'Probability to win, 0 to 1, by an active learned model, a logistic one before naive Bayes; without one the score against the score and threshold together, the best of the models; NULL without a score';
COMMENT ON COLUMN @workspace@.lead_queue.value IS 'Budget stated, in the currency beside it; NULL if none';
COMMENT ON COLUMN @workspace@.lead_queue.currency IS 'ISO 4217 code of the budget';
COMMENT ON COLUMN @workspace@.lead_queue.age IS 'Time since the lead was created';
COMMENT ON COLUMN @workspace@.lead_queue.due_at IS 'When its first open task is due, or its hand-over must be answered; NULL for neither';
COMMENT ON COLUMN @workspace@.lead_queue.priority IS 'The greater, the sooner: lead_mgmt.lead_priority() of the columns before it';
