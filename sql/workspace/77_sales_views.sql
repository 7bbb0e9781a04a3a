-- Working lists of sales: tasks, opportunities, queues, workload.

CREATE OR REPLACE VIEW @workspace@.open_task WITH (security_invoker = true) AS
SELECT
	t.task_id,
	t.subject,
	t.kind,
	t.priority,
	t.due_at,
	COALESCE(t.due_at < pg_catalog.now(), false) AS is_overdue,
	pg_catalog.date_part('day', pg_catalog.now() - t.due_at)::integer AS days_overdue,
	t.remind_at,
	t.lead_id,
	t.opportunity_id,
	c.contact_id,
	a.account_id,
	COALESCE(c.full_name, NULLIF(pg_catalog.concat_ws(' ', c.given_name, c.family_name), ''), l.contact_name) AS full_name,
	COALESCE(a.name, l.company_name) AS company,
	g.agent_id,
	g.agent,
	t.note,
	t.created_at
FROM @workspace@.task t
LEFT JOIN @workspace@.lead l ON l.lead_id = t.lead_id
LEFT JOIN @workspace@.opportunity o ON o.opportunity_id = t.opportunity_id
LEFT JOIN @workspace@.contact c ON c.contact_id = COALESCE(t.contact_id, o.contact_id, l.contact_id)
LEFT JOIN @workspace@.account a ON a.account_id = COALESCE(t.account_id, o.account_id, l.account_id, c.account_id)
LEFT JOIN @workspace@.agent g ON g.agent_id = COALESCE(t.agent_id, o.agent_id, l.agent_id)
WHERE t.state = 'open';

COMMENT ON VIEW @workspace@.open_task IS 'What is to be done, by whom, about whom. One row an open task.';
COMMENT ON COLUMN @workspace@.open_task.task_id IS 'Key of the task, for complete_task() and cancel_task()';
COMMENT ON COLUMN @workspace@.open_task.subject IS 'What is to be done';
COMMENT ON COLUMN @workspace@.open_task.kind IS 'Kind of the activity that completing it will be';
COMMENT ON COLUMN @workspace@.open_task.priority IS 'The greater, the sooner';
COMMENT ON COLUMN @workspace@.open_task.due_at IS 'By when; NULL for no date';
COMMENT ON COLUMN @workspace@.open_task.is_overdue IS 'True when that is past';
COMMENT ON COLUMN @workspace@.open_task.days_overdue IS 'Whole days since then, negative before; NULL for no date';
COMMENT ON COLUMN @workspace@.open_task.remind_at IS 'From when to remind of it; NULL for no reminder';
COMMENT ON COLUMN @workspace@.open_task.lead_id IS 'Lead it is about; NULL if none';
COMMENT ON COLUMN @workspace@.open_task.opportunity_id IS 'Opportunity it is about; NULL if none';
COMMENT ON COLUMN @workspace@.open_task.contact_id IS 'Contact it is about, else that of the opportunity or lead';
COMMENT ON COLUMN @workspace@.open_task.account_id IS 'Account it is about, else that of the opportunity, lead or contact';
COMMENT ON COLUMN @workspace@.open_task.full_name IS 'Name of the contact';
COMMENT ON COLUMN @workspace@.open_task.company IS 'Name of the account';
COMMENT ON COLUMN @workspace@.open_task.agent_id IS 'Who is to do it: the task''s own agent, else that of the opportunity or lead; NULL for nobody';
COMMENT ON COLUMN @workspace@.open_task.agent IS 'Name of the agent';
COMMENT ON COLUMN @workspace@.open_task.note IS 'More about it';
COMMENT ON COLUMN @workspace@.open_task.created_at IS 'When it was entered';

CREATE OR REPLACE VIEW @workspace@.overdue_task WITH (security_invoker = true) AS
SELECT t.task_id, t.subject, t.kind, t.priority, t.due_at, t.days_overdue, t.lead_id, t.opportunity_id, t.full_name, t.company,
	t.agent_id, t.agent
FROM @workspace@.open_task t
WHERE t.due_at < pg_catalog.now();

COMMENT ON VIEW @workspace@.overdue_task IS 'Open tasks that should have been done by now. One row a task.';
COMMENT ON COLUMN @workspace@.overdue_task.task_id IS 'Key of the task';
COMMENT ON COLUMN @workspace@.overdue_task.subject IS 'What is to be done';
COMMENT ON COLUMN @workspace@.overdue_task.kind IS 'Kind of the activity that completing it will be';
COMMENT ON COLUMN @workspace@.overdue_task.priority IS 'The greater, the sooner';
COMMENT ON COLUMN @workspace@.overdue_task.due_at IS 'By when it should have been done';
COMMENT ON COLUMN @workspace@.overdue_task.days_overdue IS 'Whole days since then';
COMMENT ON COLUMN @workspace@.overdue_task.lead_id IS 'Lead it is about; NULL if none';
COMMENT ON COLUMN @workspace@.overdue_task.opportunity_id IS 'Opportunity it is about; NULL if none';
COMMENT ON COLUMN @workspace@.overdue_task.full_name IS 'Name of the contact';
COMMENT ON COLUMN @workspace@.overdue_task.company IS 'Name of the account';
COMMENT ON COLUMN @workspace@.overdue_task.agent_id IS 'Who is to do it; NULL for nobody';
COMMENT ON COLUMN @workspace@.overdue_task.agent IS 'Name of the agent';

CREATE OR REPLACE VIEW @workspace@.due_reminder WITH (security_invoker = true) AS
SELECT t.task_id, t.subject, t.remind_at, t.due_at, t.lead_id, t.opportunity_id, t.full_name, t.company, t.agent_id, t.agent,
	g.email::text AS agent_email
FROM @workspace@.open_task t
LEFT JOIN @workspace@.agent g ON g.agent_id = t.agent_id
WHERE t.remind_at <= pg_catalog.now();

COMMENT ON VIEW @workspace@.due_reminder IS 'Open tasks whose time to remind of them has come. One row a task.';
COMMENT ON COLUMN @workspace@.due_reminder.task_id IS 'Key of the task';
COMMENT ON COLUMN @workspace@.due_reminder.subject IS 'What is to be done';
COMMENT ON COLUMN @workspace@.due_reminder.remind_at IS 'Since when to remind of it';
COMMENT ON COLUMN @workspace@.due_reminder.due_at IS 'By when it is to be done; NULL for no date';
COMMENT ON COLUMN @workspace@.due_reminder.lead_id IS 'Lead it is about; NULL if none';
COMMENT ON COLUMN @workspace@.due_reminder.opportunity_id IS 'Opportunity it is about; NULL if none';
COMMENT ON COLUMN @workspace@.due_reminder.full_name IS 'Name of the contact';
COMMENT ON COLUMN @workspace@.due_reminder.company IS 'Name of the account';
COMMENT ON COLUMN @workspace@.due_reminder.agent_id IS 'Whom to remind; NULL for nobody';
COMMENT ON COLUMN @workspace@.due_reminder.agent IS 'Name of the agent';
COMMENT ON COLUMN @workspace@.due_reminder.agent_email IS 'E-mail address of the agent; NULL if none is known';

CREATE OR REPLACE VIEW @workspace@.opportunity_board WITH (security_invoker = true) AS
SELECT
	v.opportunity_id,
	v.name,
	v.lead_id,
	v.contact_id,
	v.account_id,
	COALESCE(c.full_name, NULLIF(pg_catalog.concat_ws(' ', c.given_name, c.family_name), '')) AS full_name,
	a.name AS company,
	g.agent_id,
	g.agent,
	v.pipeline,
	v.stage,
	v.stage_label,
	v.status,
	v.amount,
	v.currency,
	v.chance AS probability,
	pg_catalog.round(v.amount * v.chance / 100, 2) AS weighted_value,
	v.lines,
	v.expected_close_on,
	v.status = 'open' AND COALESCE(v.expected_close_on < CURRENT_DATE, false) AS is_late,
	pg_catalog.date_part('day', COALESCE(v.closed_at, pg_catalog.now()) - v.created_at)::integer AS days_old,
	pg_catalog.date_part('day', COALESCE(v.closed_at, pg_catalog.now()) - v.stage_entered_at)::integer AS days_in_stage,
	v.open_tasks,
	v.closed_at,
	v.lost_reason,
	v.contract_reference,
	v.contract_on,
	COALESCE(v.contract_amount, v.amount) AS contract_amount,
	v.created_at
FROM (
	SELECT
		o.*,
		s.label AS stage_label,
		CASE s.kind WHEN 'won' THEN 100 WHEN 'lost' THEN 0 ELSE COALESCE(o.probability, s.probability, 0) END AS chance,
		(SELECT pg_catalog.count(*) FROM @workspace@.opportunity_line n WHERE n.opportunity_id = o.opportunity_id) AS lines,
		(SELECT pg_catalog.count(*) FROM @workspace@.task t WHERE t.opportunity_id = o.opportunity_id AND t.state = 'open') AS open_tasks
	FROM @workspace@.opportunity o
	JOIN @workspace@.stage s ON s.pipeline = o.pipeline AND s.stage = o.stage
) v
LEFT JOIN @workspace@.contact c ON c.contact_id = v.contact_id
LEFT JOIN @workspace@.account a ON a.account_id = v.account_id
LEFT JOIN @workspace@.agent g ON g.agent_id = v.agent_id;

COMMENT ON VIEW @workspace@.opportunity_board IS
	'Opportunities with what they are worth and how old they are. One row an opportunity.';
COMMENT ON COLUMN @workspace@.opportunity_board.opportunity_id IS 'Key of the opportunity';
COMMENT ON COLUMN @workspace@.opportunity_board.name IS 'What is for sale, and to whom';
COMMENT ON COLUMN @workspace@.opportunity_board.lead_id IS 'Lead it came from; NULL if none';
COMMENT ON COLUMN @workspace@.opportunity_board.contact_id IS 'Key of the contact';
COMMENT ON COLUMN @workspace@.opportunity_board.account_id IS 'Key of the account';
COMMENT ON COLUMN @workspace@.opportunity_board.full_name IS 'Name of the contact';
COMMENT ON COLUMN @workspace@.opportunity_board.company IS 'Name of the account';
COMMENT ON COLUMN @workspace@.opportunity_board.agent_id IS 'Key of the agent in charge; NULL if none';
COMMENT ON COLUMN @workspace@.opportunity_board.agent IS 'Agent in charge';
COMMENT ON COLUMN @workspace@.opportunity_board.pipeline IS 'Process it goes through';
COMMENT ON COLUMN @workspace@.opportunity_board.stage IS 'Stage it is in now';
COMMENT ON COLUMN @workspace@.opportunity_board.stage_label IS 'That stage, in words';
COMMENT ON COLUMN @workspace@.opportunity_board.status IS 'open, won or lost';
COMMENT ON COLUMN @workspace@.opportunity_board.amount IS 'Value, in currency; NULL while not known';
COMMENT ON COLUMN @workspace@.opportunity_board.currency IS 'ISO 4217 code of the amounts';
COMMENT ON COLUMN @workspace@.opportunity_board.probability IS 'Chance of winning, in percent: 100 once won, 0 once lost, else its own or that of the stage';
COMMENT ON COLUMN @workspace@.opportunity_board.weighted_value IS 'Amount times that chance';
COMMENT ON COLUMN @workspace@.opportunity_board.lines IS 'Lines it has';
COMMENT ON COLUMN @workspace@.opportunity_board.expected_close_on IS 'Day the decision is expected';
COMMENT ON COLUMN @workspace@.opportunity_board.is_late IS 'True when it is open and that day is past';
COMMENT ON COLUMN @workspace@.opportunity_board.days_old IS 'Whole days since it was created, or between then and its close';
COMMENT ON COLUMN @workspace@.opportunity_board.days_in_stage IS 'Whole days in the stage; for those closed, between entering it and the close';
COMMENT ON COLUMN @workspace@.opportunity_board.open_tasks IS 'Tasks about it that are to be done';
COMMENT ON COLUMN @workspace@.opportunity_board.closed_at IS 'When it was won or lost; NULL while open';
COMMENT ON COLUMN @workspace@.opportunity_board.lost_reason IS 'Why it was lost; NULL for others';
COMMENT ON COLUMN @workspace@.opportunity_board.contract_reference IS 'Number or name of the contract; NULL without';
COMMENT ON COLUMN @workspace@.opportunity_board.contract_on IS 'Day of the contract; NULL without';
COMMENT ON COLUMN @workspace@.opportunity_board.contract_amount IS 'Value of the contract, or else the amount';
COMMENT ON COLUMN @workspace@.opportunity_board.created_at IS 'When it was created';

CREATE OR REPLACE VIEW @workspace@.teleprospect_queue WITH (security_invoker = true) AS
SELECT
	l.lead_id,
	l.priority,
	(SELECT pg_catalog.min(t.due_at) FROM @workspace@.task t WHERE t.lead_id = l.lead_id AND t.state = 'open') AS due_at,
	COALESCE(c.full_name, NULLIF(pg_catalog.concat_ws(' ', c.given_name, c.family_name), ''), l.contact_name) AS full_name,
	COALESCE(c.phone, l.phone)::text AS phone,
	COALESCE(c.email, l.email)::text AS email,
	COALESCE(a.name, l.company_name) AS company,
	l.product,
	l.pipeline,
	l.stage,
	l.stage_entered_at,
	m.team,
	g.agent_id,
	g.agent,
	l.last_interaction_at
FROM @workspace@.lead l
JOIN @workspace@.stage s ON s.pipeline = l.pipeline AND s.stage = l.stage
JOIN @workspace@.stage f ON f.pipeline = l.pipeline AND f.role = 'scored' AND f.sequence < s.sequence
JOIN @workspace@.stage r ON r.pipeline = l.pipeline AND r.role = 'sales_ready' AND r.sequence > s.sequence
LEFT JOIN @workspace@.contact c ON c.contact_id = l.contact_id
LEFT JOIN @workspace@.account a ON a.account_id = COALESCE(l.account_id, c.account_id)
LEFT JOIN @workspace@.team m ON m.team_id = l.team_id
LEFT JOIN @workspace@.agent g ON g.agent_id = l.agent_id
WHERE l.status = 'open';

COMMENT ON VIEW @workspace@.teleprospect_queue IS
	'Open leads that teleprospecting works on: in a stage between those with the roles scored and sales_ready. One row a lead; next_lead() says which is first.';
COMMENT ON COLUMN @workspace@.teleprospect_queue.lead_id IS 'Key of the lead';
COMMENT ON COLUMN @workspace@.teleprospect_queue.priority IS 'The greater, the sooner';
COMMENT ON COLUMN @workspace@.teleprospect_queue.due_at IS 'When its first open task is due; NULL without';
COMMENT ON COLUMN @workspace@.teleprospect_queue.full_name IS 'Name of the person';
COMMENT ON COLUMN @workspace@.teleprospect_queue.phone IS 'Phone number in E.164 form';
COMMENT ON COLUMN @workspace@.teleprospect_queue.email IS 'E-mail address in normal form';
COMMENT ON COLUMN @workspace@.teleprospect_queue.company IS 'Name of the company';
COMMENT ON COLUMN @workspace@.teleprospect_queue.product IS 'Product asked about';
COMMENT ON COLUMN @workspace@.teleprospect_queue.pipeline IS 'Process the lead goes through';
COMMENT ON COLUMN @workspace@.teleprospect_queue.stage IS 'Stage it is in';
COMMENT ON COLUMN @workspace@.teleprospect_queue.stage_entered_at IS 'Since when';
COMMENT ON COLUMN @workspace@.teleprospect_queue.team IS 'Team that works on it; NULL if none';
COMMENT ON COLUMN @workspace@.teleprospect_queue.agent_id IS 'Key of the agent who works on it; NULL if nobody';
COMMENT ON COLUMN @workspace@.teleprospect_queue.agent IS 'Name of the agent';
COMMENT ON COLUMN @workspace@.teleprospect_queue.last_interaction_at IS 'When something last passed; NULL if nothing ever did';

CREATE OR REPLACE VIEW @workspace@.agent_workload WITH (security_invoker = true) AS
SELECT
	g.agent_id,
	g.agent,
	m.team,
	g.is_active,
	(SELECT pg_catalog.count(*) FROM @workspace@.lead l WHERE l.agent_id = g.agent_id AND l.status = 'open') AS open_leads,
	(SELECT pg_catalog.count(*) FROM @workspace@.lead l WHERE l.agent_id = g.agent_id AND l.status = 'open'
		AND l.qualification IN ('sales_ready', 'sales_accepted')) AS ready_leads,
	k.open_tasks,
	k.overdue_tasks,
	o.open_opportunities,
	o.open_value,
	o.weighted_value,
	(SELECT pg_catalog.count(*) FROM @workspace@.interaction i WHERE i.agent_id = g.agent_id
		AND i.occurred_at > pg_catalog.now() - interval '7 days') AS activities_last_7_days
FROM @workspace@.agent g
JOIN @workspace@.team m ON m.team_id = g.team_id
LEFT JOIN LATERAL (
	SELECT pg_catalog.count(*) AS open_tasks, pg_catalog.count(*) FILTER (WHERE x.due_at < pg_catalog.now()) AS overdue_tasks
	FROM (
		SELECT t.due_at FROM @workspace@.task t WHERE t.agent_id = g.agent_id AND t.state = 'open'
		UNION ALL
		SELECT t.due_at FROM @workspace@.lead l
		JOIN @workspace@.task t ON t.lead_id = l.lead_id AND t.state = 'open' AND t.agent_id IS NULL AND t.opportunity_id IS NULL
		WHERE l.agent_id = g.agent_id
		UNION ALL
		SELECT t.due_at FROM @workspace@.opportunity p
		JOIN @workspace@.task t ON t.opportunity_id = p.opportunity_id AND t.state = 'open' AND t.agent_id IS NULL
		WHERE p.agent_id = g.agent_id
	) x
) k ON true
LEFT JOIN LATERAL (
	SELECT
		pg_catalog.count(*) AS open_opportunities,
		COALESCE(pg_catalog.sum(p.amount), 0) AS open_value,
		pg_catalog.round(COALESCE(pg_catalog.sum(p.amount * COALESCE(p.probability, s.probability, 0)), 0) / 100, 2) AS weighted_value
	FROM @workspace@.opportunity p
	JOIN @workspace@.stage s ON s.pipeline = p.pipeline AND s.stage = p.stage
	WHERE p.agent_id = g.agent_id AND p.status = 'open'
) o ON true;

COMMENT ON VIEW @workspace@.agent_workload IS
	'What each agent has in hand now. A task without an agent of its own counts for that of its opportunity or lead. Agents without anything are listed too. One row an agent.';
COMMENT ON COLUMN @workspace@.agent_workload.agent_id IS 'Key of the agent';
COMMENT ON COLUMN @workspace@.agent_workload.agent IS 'Agent';
COMMENT ON COLUMN @workspace@.agent_workload.team IS 'Team of the agent';
COMMENT ON COLUMN @workspace@.agent_workload.is_active IS 'False for those who left';
COMMENT ON COLUMN @workspace@.agent_workload.open_leads IS 'Open leads';
COMMENT ON COLUMN @workspace@.agent_workload.ready_leads IS 'Those of them that are ready for sales';
COMMENT ON COLUMN @workspace@.agent_workload.open_tasks IS 'Tasks to be done';
COMMENT ON COLUMN @workspace@.agent_workload.overdue_tasks IS 'Those of them that should have been done by now';
COMMENT ON COLUMN @workspace@.agent_workload.open_opportunities IS 'Open opportunities';
COMMENT ON COLUMN @workspace@.agent_workload.open_value IS 'Their amounts added up';
COMMENT ON COLUMN @workspace@.agent_workload.weighted_value IS 'The same, each amount times its chance of winning';
COMMENT ON COLUMN @workspace@.agent_workload.activities_last_7_days IS 'Activities recorded by the agent that took place in the last seven days';
