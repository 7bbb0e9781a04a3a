-- Reports: figures that must add up, on a small history written by hand.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
\set SHOW_CONTEXT never
SELECT lead_mgmt.create_workspace('reports');
INSERT INTO reports.campaign (campaign, channel, budget) VALUES ('spring', 'paid_search', 1000), ('autumn', 'email', 500), ('idle', 'social', 10);
INSERT INTO reports.campaign (campaign, parent_id) VALUES ('spring wave', 1);
INSERT INTO reports.campaign_cost (campaign_id, channel, spent_on, amount) VALUES (1, NULL, '2026-01-01', 300), (1, 'display', '2026-01-02', 100), (2, NULL, '2026-01-03', 50);

-- an empty workspace reports nothings, not errors
SELECT stage, leads, share_of_first FROM reports.funnel ORDER BY level;
SELECT count(*) AS channels, sum(won) AS won, sum(linear_revenue) AS revenue, sum(cost) AS cost FROM reports.channel_performance;
SELECT sum(leads) AS leads, sum(revenue) AS revenue, count(qualification_rate) AS rates FROM reports.source_conversion;

-- touches over months: 1 sees an advertisement, opens a mail, asks; 2 only asks; 3 asks, loses; 4 has nothing but a visit
COPY reports.submission (payload) FROM stdin;
{"visitor": "v1", "kind": "page_view", "channel": "paid_search", "campaign": "spring", "creative": "ad-7", "page": "home", "occurred_at": "2026-01-01T10:00:00Z"}
{"visitor": "v1", "email": "one@buyer.example", "kind": "form_submit", "channel": "website", "page": "pricing", "source": "website", "campaign": "spring", "occurred_at": "2026-01-05T10:00:00Z"}
{"email": "one@buyer.example", "kind": "email_open", "channel": "email", "campaign": "autumn", "occurred_at": "2026-01-03T10:00:00Z"}
{"email": "one@buyer.example", "kind": "email_sent", "channel": "email", "occurred_at": "2026-01-04T10:00:00Z"}
{"email": "one@buyer.example", "kind": "page_view", "channel": "social", "occurred_at": "2030-01-01T10:00:00Z"}
{"email": "two@buyer.example", "kind": "demo_request", "channel": "event", "source": "fair", "campaign": "autumn", "occurred_at": "2026-01-02T10:00:00Z"}
{"email": "three@buyer.example", "channel": "website", "source": "website", "occurred_at": "2026-01-02T11:00:00Z"}
{"visitor": "v4", "kind": "page_view", "channel": "website", "occurred_at": "2026-01-02T12:00:00Z"}
\.
SELECT lead_id AS one FROM reports.lead JOIN reports.contact USING (contact_id) WHERE contact.email::text LIKE 'one@%' \gset
SELECT lead_id AS two FROM reports.lead JOIN reports.contact USING (contact_id) WHERE contact.email::text LIKE 'two@%' \gset
SELECT lead_id AS three FROM reports.lead JOIN reports.contact USING (contact_id) WHERE contact.email::text LIKE 'three@%' \gset
SELECT count(*) FROM (SELECT reports.advance(l, 'sales_acceptance') FROM unnest(ARRAY[:one, :two, :three]) l) x;
SELECT opportunity_id AS o1 FROM reports.convert_lead(:one, 'One', 100.00) \gset
SELECT opportunity_id AS o2 FROM reports.convert_lead(:two, 'Two', 33.34) \gset
SELECT opportunity_id AS o3 FROM reports.convert_lead(:three, 'Three', 500) \gset
UPDATE reports.opportunity SET stage = 'proposal';
SELECT stage, opportunities, value, weighted_value FROM reports.pipeline_value WHERE opportunities > 0;
UPDATE reports.opportunity SET stage = 'lost', lost_reason = 'price' WHERE opportunity_id = :o3;
UPDATE reports.opportunity SET stage = 'negotiation' WHERE opportunity_id <> :o3;
UPDATE reports.opportunity SET stage = 'won', closed_at = '2026-02-01Z' WHERE opportunity_id <> :o3;
-- one sold without any touch or lead, long ago
INSERT INTO reports.contact (full_name) VALUES ('Old customer') RETURNING contact_id AS old \gset
INSERT INTO reports.opportunity (contact_id, name, amount, stage, stage_entered_at, closed_at) VALUES (:old, 'Old', 1000, 'won', '2020-01-01', '2020-01-01');

-- the way to a sale, first advertisement first; what came after the close or from us is no touch (W-02)
SELECT position, kind, channel, campaign, creative, page FROM reports.response_path(:o1);
SELECT position, kind, channel, campaign FROM reports.response_path(:o2);
SELECT count(*) AS unknown FROM reports.response_path(0);
SELECT position, is_first, is_last, is_direct, touches, amount, currency FROM reports.opportunity_touch WHERE opportunity_id = :o1 ORDER BY position;
SELECT position, channel, model, trim_scale(credit) AS credit, amount FROM reports.attribution WHERE opportunity_id = :o1 AND model IN ('first', 'last', 'linear', 'u_milestones') ORDER BY model, position;
SELECT count(*) AS not_adding_up FROM (SELECT opportunity_id FROM reports.attribution a JOIN reports.opportunity o USING (opportunity_id) WHERE model <> 'participation' GROUP BY opportunity_id, o.amount, model
	HAVING sum(a.amount) <> o.amount OR sum(credit) <> 1) x;

-- channels: every way of giving credit adds up to all revenue
SELECT channel, interactions, contacts, leads, cost, won, first_touch_revenue, last_touch_revenue, linear_revenue FROM reports.channel_performance
WHERE interactions > 0 OR cost > 0 OR won > 0 ORDER BY channel;
SELECT sum(p.first_touch_revenue) = r.revenue AS first, sum(p.last_touch_revenue) = r.revenue AS last, sum(p.linear_revenue) = r.revenue AS linear,
	sum(p.first_touch_won) = r.won AS won, sum(p.linear_won) = r.won AS linear_won
FROM reports.channel_performance p, (SELECT sum(amount) AS revenue, count(*) AS won FROM reports.opportunity WHERE status = 'won') r GROUP BY r.revenue, r.won;
SELECT sum(interactions) = (SELECT count(*) FROM reports.interaction) AS interactions, sum(leads) = (SELECT count(*) FROM reports.lead) AS leads,
	sum(cost) = (SELECT sum(amount) FROM reports.campaign_cost) AS cost FROM reports.channel_performance;
SELECT count(*) AS unused_channels_listed FROM reports.channel_performance WHERE channel IN ('partner', 'chat') AND leads = 0 AND linear_revenue = 0;

-- campaigns
SELECT campaign, parent, cost, leads, won, revenue, cost_per_lead, roi FROM reports.campaign_roi ORDER BY campaign;

-- sources: those without leads too, and the unknown
SELECT source, leads, opportunities, won, revenue, lead_win_rate, opportunity_win_rate FROM reports.source_conversion ORDER BY source COLLATE "C";
SELECT sum(revenue) = (SELECT sum(amount) FROM reports.opportunity WHERE status = 'won') AS all_revenue, sum(leads) = (SELECT count(*) FROM reports.lead) AS all_leads
FROM reports.revenue_by_source;

-- the funnel never rises, whatever leads skipped
SELECT stage, leads, share_of_first, step_conversion, win_rate FROM reports.funnel ORDER BY level;
SELECT count(*) AS falls FROM (SELECT win_rate, lag(win_rate) OVER (ORDER BY level) AS before FROM reports.funnel) x WHERE win_rate < before;
SELECT count(*) AS rises FROM (SELECT leads, lag(leads) OVER (ORDER BY level) AS before FROM reports.funnel) x WHERE leads > before;
INSERT INTO reports.submission (payload) SELECT jsonb_build_object('email', 'many' || n || '@buyer.example', 'page', n % 3, 'phone', '+4420794602' || lpad(n::text, 2, '0'),
	'kind', (ARRAY['form_submit', 'demo_request', 'meeting'])[n % 3 + 1], 'job_title', 'CEO', 'employees', n * 10) FROM generate_series(10, 60) n;
SELECT count(*) AS disqualified FROM (SELECT reports.disqualify(lead_id, 'no need') FROM reports.lead WHERE status = 'open' AND lead_id % 4 = 0) x;
SELECT count(*) AS rises FROM (SELECT leads, lag(leads) OVER (ORDER BY level) AS before FROM reports.funnel) x WHERE leads > before;
SELECT leads = (SELECT count(*) FROM reports.lead) AS all_leads FROM reports.funnel WHERE stage = 'lead';
SELECT count(*) AS rates_beyond_100 FROM reports.funnel WHERE step_conversion > 100 OR share_of_first > 100;

-- by cohort: who came in a time; the funnels of times that follow each other add up to the whole
SELECT count(*) AS rises FROM (SELECT leads, lag(leads) OVER (PARTITION BY since ORDER BY level) AS before
	FROM (VALUES ('-infinity'::timestamptz, '2026-01-02Z'::timestamptz), ('2026-01-02Z', now() - interval '1 second'), ('2020-01-01', 'infinity')) t (since, until), LATERAL reports.funnel(since, until)) x WHERE leads > before;
SELECT bool_and(f.leads = a.leads + b.leads) AS add_up FROM reports.funnel f JOIN reports.funnel('-infinity', '2026-01-02 06:00Z') a USING (level) JOIN reports.funnel('2026-01-02 06:00Z', 'infinity') b USING (level);
SELECT count(*) AS nobody FROM reports.funnel('2031-01-01', '2032-01-01') WHERE leads > 0;
SELECT count(*) AS falls FROM (SELECT leads, qualified, opportunities, won, lag(qualified) OVER w AS q, lag(opportunities) OVER w AS o, lag(won) OVER w AS n FROM reports.cohort WINDOW w AS (PARTITION BY cohort ORDER BY months_after)) x
WHERE qualified < q OR opportunities < o OR won < n;
SELECT sum(leads) = (SELECT count(*) FROM reports.lead) AS leads, sum(opportunities) = (SELECT count(*) FROM reports.opportunity WHERE lead_id IS NOT NULL) AS opportunities,
	sum(won) = (SELECT count(*) FROM reports.opportunity WHERE lead_id IS NOT NULL AND status = 'won') AS won, sum(revenue) AS revenue
FROM (SELECT DISTINCT ON (cohort) * FROM reports.cohort ORDER BY cohort, months_after DESC) x;

-- a calendar without gaps that holds all there is
SELECT count(*) = max(day) - min(day) + 1 AS gapless, min(day) AS first, bool_and(day BETWEEN week_start AND week_start + 6 AND day >= month_start AND month_start >= quarter_start) AS starts FROM reports.calendar;
SELECT count(*) AS outside FROM reports.interaction i WHERE occurred_at < now() AND NOT EXISTS (SELECT FROM reports.calendar c WHERE c.day = (i.occurred_at AT TIME ZONE 'UTC')::date);

-- stages
SELECT pipeline, stage, entered, advanced, lost, current FROM reports.stage_conversion WHERE pipeline = 'sales' ORDER BY sequence;
SELECT count(*) AS wrong FROM reports.stage_conversion c WHERE entered <> (SELECT count(DISTINCT (lead_id, opportunity_id)) FROM reports.stage_move m WHERE m.pipeline = c.pipeline AND m.to_stage = c.stage)
	OR advanced + lost + current > entered OR conversion NOT BETWEEN 0 AND 100;
SELECT count(*) AS stages, count(*) FILTER (WHERE average_duration < interval '0') AS negative,
	sum(finished) = (SELECT count(*) FROM reports.stage_history WHERE left_at IS NOT NULL) AS all_finished FROM reports.stage_velocity;

-- timelines: gapless, in order, with everything that happened
SELECT position, event, title, channel, campaign FROM reports.lead_timeline WHERE lead_id = :one ORDER BY position;
SELECT count(*) AS gaps FROM (SELECT lead_id FROM reports.lead_timeline GROUP BY lead_id HAVING max(position) <> count(*) OR min(position) <> 1 OR count(DISTINCT position) <> count(*)) x;
SELECT count(*) AS backwards FROM (SELECT occurred_at, lag(occurred_at) OVER (PARTITION BY lead_id ORDER BY position) AS before FROM reports.lead_timeline) x WHERE occurred_at < before;
SELECT (SELECT count(*) FROM reports.lead_timeline WHERE event = 'stage') = (SELECT count(*) FROM reports.stage_move WHERE lead_id IS NOT NULL) AS all_moves;

-- neglected: nobody's, or idle
INSERT INTO reports.team (team) VALUES ('t');
UPDATE reports.lead SET team_id = 1 WHERE status = 'open';
SELECT count(*) FROM reports.neglected_lead;
INSERT INTO reports.lead (email, team_id, stage, stage_entered_at, created_at) VALUES ('idle@old.example', 1, 'inquiry', '2020-01-01', '2020-01-01');
SELECT stage, team, reason, days_idle > 1000 AS long_idle FROM reports.neglected_lead;

-- purging what retention allows, never what was rejected
INSERT INTO reports.form (form, retention) VALUES ('short', '30 days'), ('long', '10 years');
INSERT INTO reports.submission (form, payload) VALUES ('short', '{"email": "keep@me.example"}'), ('short', '{"email": "rejected"}'), ('long', '{"email": "keep@me.example"}'),
	('short', '{"email": "old@me.example"}');
SELECT reports.purge_submissions() AS none_due;
UPDATE reports.submission SET processed_at = now() - interval '40 days' WHERE form IN ('short', 'long') AND payload ->> 'email' <> 'keep@me.example' OR form = 'long';
UPDATE reports.submission SET processed_at = now() - interval '20 years' WHERE form = 'default';
SELECT reports.purge_submissions() AS purged;
SELECT form, status, payload ->> 'email' AS email FROM reports.submission WHERE form <> 'default' ORDER BY submission_id;
SELECT count(*) > 0 AS forms_without_retention_keep_all FROM reports.submission WHERE form = 'default';
SELECT count(*) AS contact_of_the_purged FROM reports.contact WHERE email::text = 'old@me.example';

SELECT lead_mgmt.drop_workspace('reports', 'reports');
