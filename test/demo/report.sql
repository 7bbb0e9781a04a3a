-- What the demonstration data shows: run after generate.sql.

\set QUIET on
\pset footer off
\pset border 1
\pset null ''
SET client_encoding = 'UTF8';
SET TimeZone = 'UTC';

\echo
\echo 'Submissions'
SELECT s.status, count(*) AS records, round(100.0 * count(*) / sum(count(*)) OVER (), 1) AS percent
FROM crm.submission s GROUP BY s.status ORDER BY s.status;

\echo 'Why records were rejected'
SELECT r.field, r.code, count(*) AS reasons, min(left(r.value, 30)) AS example
FROM crm.rejected_submission r
GROUP BY r.field, r.code ORDER BY reasons DESC, r.code, r.field LIMIT 10;

\echo 'What became of them'
SELECT e.accounts, e.contacts, e.leads, e.interactions, e.sales_ready, o.won, o.revenue
FROM (SELECT (SELECT count(*) FROM crm.account) AS accounts, (SELECT count(*) FROM crm.contact) AS contacts,
		(SELECT count(*) FROM crm.lead) AS leads, (SELECT count(*) FROM crm.interaction) AS interactions,
		(SELECT count(*) FROM crm.lead WHERE sales_ready_at IS NOT NULL) AS sales_ready) e,
	(SELECT count(*) AS won, sum(amount) AS revenue FROM crm.opportunity WHERE status = 'won') o;

\echo 'The funnel'
SELECT f.label, f.leads, f.step_conversion AS "step %", f.share_of_first AS "of all %",
	repeat('█', ceil(f.share_of_first / 2.5)::integer) AS funnel
FROM crm.funnel f ORDER BY f.level;

\echo 'The ten best leads, and why'
WITH best AS (
	SELECT s.lead_id, s.score, s.fit, s.engagement, s.grade, p.full_name, p.company, p.job_title
	FROM crm.lead_score s
	JOIN crm.lead_profile p ON p.lead_id = s.lead_id
	WHERE s.model = 'default'
	ORDER BY s.score DESC, s.lead_id LIMIT 10
)
SELECT b.lead_id AS lead, b.score, b.fit, b.engagement AS engaged, b.grade, b.full_name AS name, b.company, b.job_title AS title
FROM best b ORDER BY b.score DESC, b.lead_id;
WITH best AS (
	SELECT s.lead_id, s.score FROM crm.lead_score s
	WHERE s.model = 'default' ORDER BY s.score DESC, s.lead_id LIMIT 10
)
SELECT b.lead_id AS lead, w.why
FROM best b
CROSS JOIN LATERAL (
	SELECT string_agg(format('%s %s%s', e.total, e.label, CASE WHEN e.occurrences > 1 THEN format(' (%s times)', e.occurrences) END),
		', ' ORDER BY e.total DESC, e.label) AS why
	FROM crm.explain_score(b.lead_id) e
	WHERE e.total <> 0
) w
ORDER BY b.score DESC, b.lead_id;

\echo 'Channels: cost and attributed revenue'
SELECT c.label AS channel, c.leads, c.cost, c.cost_per_lead AS "per lead", c.won,
	c.first_touch_revenue AS "first touch", c.last_touch_revenue AS "last touch", c.linear_revenue AS linear, c.return_on_cost AS "return"
FROM crm.channel_performance c
WHERE c.interactions + c.leads + c.won > 0 OR c.cost > 0
ORDER BY c.linear_revenue DESC, c.channel;
SELECT 'All channels' AS total, sum(c.first_touch_revenue) AS "first touch", sum(c.last_touch_revenue) AS "last touch",
	sum(c.linear_revenue) AS linear, (SELECT sum(amount) FROM crm.opportunity WHERE status = 'won') AS "revenue won"
FROM crm.channel_performance c;

\echo 'Opportunities by stage'
SELECT v.label AS stage, v.opportunities, v.value, v.weighted_value AS weighted
FROM crm.pipeline_value v ORDER BY v.pipeline, v.sequence;

\echo 'What is sold'
SELECT p.product, count(DISTINCT l.opportunity_id) FILTER (WHERE o.status = 'won') AS won, sum(l.amount) FILTER (WHERE o.status = 'won') AS revenue,
	sum(l.amount) FILTER (WHERE o.status = 'open') AS open
FROM crm.opportunity_line l JOIN crm.opportunity o USING (opportunity_id) JOIN crm.product p USING (product_id)
GROUP BY p.product ORDER BY revenue DESC NULLS LAST;

\echo 'What the agents have in hand'
SELECT w.team, w.agent, w.open_leads AS leads, w.ready_leads AS ready, w.open_tasks AS tasks, w.overdue_tasks AS overdue,
	w.open_opportunities AS deals, w.weighted_value AS weighted
FROM crm.agent_workload w WHERE w.open_leads + w.open_opportunities + w.open_tasks > 0
ORDER BY w.weighted_value DESC, w.agent LIMIT 10;

\echo 'What was done about a lead'
SELECT l.lead_id AS lead, crm.activity_log_text(l.lead_id) AS activities
FROM (
	SELECT i.lead_id FROM crm.interaction i WHERE i.outcome IS NOT NULL
	GROUP BY i.lead_id HAVING count(*) >= 4 ORDER BY i.lead_id LIMIT 1
) l;

\echo 'Campaigns'
SELECT r.campaign, r.channel, r.leads, r.cost, r.won, r.revenue, r.roi
FROM crm.campaign_roi r ORDER BY r.roi DESC NULLS LAST, r.campaign;

\echo 'The lead behind the largest sale with five touches or more'
SELECT (
	SELECT o.lead_id FROM crm.opportunity o
	WHERE o.status = 'won' AND o.lead_id IS NOT NULL AND (SELECT count(*) FROM crm.response_path(o.opportunity_id)) >= 5
	ORDER BY o.amount DESC NULLS LAST, o.opportunity_id LIMIT 1
) AS best
\gset
\if :{?best}
SELECT p.full_name, p.job_title, p.company, p.employees, p.country, o.amount, o.closed_at::date AS won_on
FROM crm.lead_profile p
JOIN crm.opportunity o ON o.lead_id = p.lead_id AND o.status = 'won'
WHERE p.lead_id = :best;
SELECT t.position AS "#", to_char(t.occurred_at, 'YYYY-MM-DD HH24:MI') AS at, t.event, left(t.title, 44) AS title,
	t.channel, t.campaign, left(t.detail, 50) AS detail
FROM crm.lead_timeline t
WHERE t.lead_id = :best ORDER BY t.position LIMIT 30;
\endif
