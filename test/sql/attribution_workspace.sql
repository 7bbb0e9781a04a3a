-- Attribution in a workspace: conversions of every kind, options, currencies, rights.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
\set SHOW_CONTEXT never
SET timezone = 'UTC';
SET datestyle = 'ISO';
SELECT lead_mgmt.create_workspace('attr');

-- an empty workspace
SELECT count(*) FROM attr.attribution;
SELECT count(*) FROM attr.attribute('linear');
SELECT count(*) FROM attr.attribute('markov');
SELECT model, label FROM attr.attribution_model ORDER BY model COLLATE "C";

INSERT INTO attr.campaign (campaign) VALUES ('spring');
INSERT INTO attr.contact (contact_id, full_name) VALUES (1, 'Một'), (2, 'Two'), (3, 'Three'), (4, 'No touches');
INSERT INTO attr.lead (lead_id, contact_id, stage, stage_entered_at, created_at, source) VALUES (1, 1, 'inquiry', '2026-01-10', '2026-01-10', 'website'), (2, 2, 'inquiry', '2026-01-05', '2026-01-05', 'fair'), (3, 3, 'inquiry', '2026-02-01', '2026-02-01', 'unknown');
INSERT INTO attr.interaction (contact_id, kind, channel, campaign_id, occurred_at, recorded_at) VALUES
	(1, 'page_view', 'paid_search', 1, '2026-01-01', '2026-01-01'), (1, 'email_open', 'email', NULL, '2026-01-05', '2026-01-05'), (1, 'form_submit', 'website', NULL, '2026-01-10', '2026-01-10'),
	(1, 'page_view', 'direct', NULL, '2026-01-19', '2026-01-19'), (1, 'email_sent', 'email', NULL, '2026-01-06', '2026-01-06'), (1, 'page_view', NULL, NULL, '2026-01-07', '2026-01-07'),
	-- recorded late
	(1, 'event_attend', 'event', NULL, '2026-01-02', '2026-03-01'),
	(2, 'page_view', 'social', NULL, '2026-01-05', '2026-01-05'), (2, 'page_view', 'social', NULL, '2026-01-05 00:05', '2026-01-05'), (2, 'demo_request', 'event', NULL, '2026-01-06', '2026-01-06'),
	(3, 'page_view', 'paid_search', NULL, '2026-01-20', '2026-01-20');
INSERT INTO attr.opportunity (opportunity_id, lead_id, contact_id, name, stage, stage_entered_at, amount, currency, created_at, closed_at) VALUES
	(1, 1, 1, 'One', 'won', '2026-01-20', 100.00, 'USD', '2026-01-15', '2026-01-20'), (2, 2, NULL, 'Two', 'won', '2026-01-25', 100001, 'VND', '2026-01-06', '2026-01-25'),
	(3, NULL, 4, 'None', 'won', '2026-02-01', 7.77, 'USD', '2026-02-01', '2026-02-01'), (4, NULL, NULL, 'Nobody', 'won', '2026-02-02', 1, 'USD', '2026-02-02', '2026-02-02'),
	(5, 3, 3, 'Lost', 'lost', '2026-02-02', 1000, 'USD', '2026-02-02', '2026-02-02'), (6, 1, 1, 'Refund', 'won', '2026-01-20', -100.00, 'USD', '2026-01-15', '2026-01-20'),
	(7, 3, 3, 'Unknown amount', 'won', '2026-02-02', NULL, 'USD', '2026-02-02', '2026-02-02');

-- credits add up to 1 and amounts to the amount, in whole minor units, for every model
SELECT count(*) AS rows, count(*) FILTER (WHERE credit <> 1) AS not_whole, count(*) FILTER (WHERE share <> amount) AS lost FROM (
	SELECT model, sum(a.credit) AS credit, sum(a.amount) AS share, coalesce(o.amount, 0) AS amount FROM attr.attribution a JOIN attr.opportunity o USING (opportunity_id)
	WHERE model <> 'participation' GROUP BY model, opportunity_id, o.amount) x;
SELECT position, channel, model, trim_scale(credit) AS credit, amount, currency FROM attr.attribution WHERE opportunity_id = 2 AND model IN ('u_shaped', 'linear') ORDER BY model, position;
SELECT a.amount = -b.amount AS taken_back, count(*) FROM attr.attribution a JOIN attr.attribution b USING (model, position) WHERE a.opportunity_id = 1 AND b.opportunity_id = 6 GROUP BY 1;
-- won revenue of every opportunity, those without touches too
SELECT model, sum(won) AS won, sum(revenue) FILTER (WHERE currency = 'USD') AS usd, sum(revenue) FILTER (WHERE currency = 'VND') AS vnd FROM attr.channel_attribution WHERE model IN ('first', 'time_decay', 'shapley') GROUP BY model ORDER BY model;
SELECT opportunity_id, model, position, channel, trim_scale(credit) AS credit FROM attr.attribution WHERE model = 'last' AND position IS NULL ORDER BY 1;
-- only what is asked for is computed: conditions on both keys reach the tables
CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END $$;
SELECT count(*) FILTER (WHERE p ~ '\(opportunity_id = 1\)') > 0 AS opportunity, count(*) FILTER (WHERE p ~ $r$\(model = 'linear'$r$) > 0 AS model, count(*) FILTER (WHERE p ~ 'c\.(opportunity_id|model) = ') AS left_outside
FROM pg_temp.plan($$SELECT * FROM attr.attribution WHERE opportunity_id = 1 AND model = 'linear'$$) p;

-- why
SELECT position, channel, role, days_before, trim_scale(credit) AS credit, amount FROM attr.explain_attribution(1, 'w_shaped');
SELECT model, count(*), trim_scale(sum(credit)) AS credit, sum(amount) AS amount FROM attr.explain_attribution(1) GROUP BY model ORDER BY model COLLATE "C";
SELECT role, trim_scale(credit) AS credit, amount FROM attr.explain_attribution(3, 'first');
SELECT count(*) AS not_won FROM attr.explain_attribution(5);

-- attribute(): the same as the view by default
SELECT count(*) AS rows, count(*) FILTER (WHERE (v.credit, v.amount) IS DISTINCT FROM (a.credit, coalesce(a.amount, 0))) AS different
FROM (SELECT m.model, a.* FROM attr.attribution_model m, LATERAL attr.attribute(m.model) a WHERE m.model <> 'markov') a
FULL JOIN attr.attribution v ON v.model = a.model AND v.opportunity_id = a.conversion_id AND coalesce(v.interaction_id, 0) = coalesce(a.interaction_id, 0);
-- kinds of conversion
SELECT conversion_id, contact_id, converted_at::date, position, kind, channel, campaign, trim_scale(credit) AS credit, amount FROM attr.attribute('linear', 'lead_created') ORDER BY conversion_id, position;
SELECT channel, trim_scale(conversions) AS conversions, amount, amount_currency FROM attr.attribute_channels('first', 'opportunity_created') ORDER BY amount_currency, channel;
UPDATE attr.lead SET stage = 'marketing_qualification' WHERE lead_id IN (1, 3);
SELECT conversion_id, position, channel, trim_scale(credit) AS credit FROM attr.attribute('last', 'stage_reached', stage => 'marketing_qualification') WHERE credit > 0 ORDER BY 1, 2;
-- time, look-back, sessions, repeats, channels, as of
SELECT conversion_id, count(*) FROM attr.attribute('linear', since => '2026-01-21', until => '2026-02-01') GROUP BY 1;
SELECT string_agg(channel, ' ' ORDER BY position) FROM attr.attribute('linear') WHERE conversion_id = 1;
SELECT string_agg(channel, ' ' ORDER BY position) FROM attr.attribute('linear', look_back => '10 days') WHERE conversion_id = 1;
SELECT string_agg(channel, ' ' ORDER BY position) FROM attr.attribute('linear', as_of => '2026-02-01') WHERE conversion_id = 1;
SELECT string_agg(channel, ' ' ORDER BY position) FROM attr.attribute('linear', exclude => '{direct,email}') WHERE conversion_id = 1;
SELECT string_agg(channel, ' ' ORDER BY position) FROM attr.attribute('linear', include => '{event}') WHERE conversion_id = 1;
SELECT counting, collapse, (SELECT string_agg(channel, ' ' ORDER BY position) FROM attr.attribute('linear', counting => c.counting, collapse => c.collapse) WHERE conversion_id = 2) AS path
FROM (VALUES ('touch', false), ('session', false), ('touch', true)) c (counting, collapse);
SELECT channel, trim_scale(credit) AS credit FROM attr.attribute('last_non_direct') WHERE conversion_id = 1 AND credit > 0;
-- a conversion that was reported as of a time stays as it was
SELECT count(*) AS known_then FROM attr.attribute('linear', as_of => '2026-01-22');

-- currencies: by the rate of the day, in either direction, and none without a rate
SELECT count(*) FROM attr.attribute('linear', currency => 'EUR');
INSERT INTO attr.exchange_rate VALUES ('USD', 'EUR', '2026-01-01', 0.9), ('USD', 'EUR', '2026-02-01', 0.8), ('EUR', 'VND', '2026-01-01', 30000);
SELECT conversion_id, sum(amount) AS amount, amount_currency FROM attr.attribute('u_shaped', currency => 'EUR') GROUP BY 1, 3 ORDER BY 1;
SELECT sum(amount) AS amount, amount_currency, trim_scale(sum(conversions)) AS conversions FROM attr.attribute_channels('linear', currency => 'EUR') GROUP BY 2;
SELECT attr.convert_currency(10, 'USD', 'EUR', '2026-01-31'), attr.convert_currency(10, 'EUR', 'VND', '2026-01-31'), attr.convert_currency(30000, 'VND', 'EUR', '2026-01-31'), attr.convert_currency(NULL, 'USD', 'XXX', '2026-01-31') AS "null", attr.convert_currency(5, 'XXX', 'XXX', '2026-01-31') AS same;
SELECT attr.convert_currency(10, 'USD', 'EUR', '2025-12-31');

-- Markov chains: credits of a conversion add up too, channels to all there is
SELECT conversion_id, trim_scale(sum(credit)) AS credit, sum(amount) AS amount FROM attr.attribute('markov') GROUP BY 1 ORDER BY 1;
SELECT round(sum(conversions), 9) AS conversions, sum(amount) FILTER (WHERE amount_currency = 'USD') AS usd FROM attr.attribute_channels('markov', currency => NULL);

-- models of one's own
INSERT INTO attr.attribution_model VALUES ('mine', 'Mine', '{"first": 0.5, "lead": 0.5}'), ('slow', 'Slow', '{"kind": "time_decay", "half_life": "30 days"}'), ('markov 2', 'Second order', '{"kind": "markov", "order": 2}');
SELECT channel, trim_scale(credit) AS credit, amount FROM attr.attribution WHERE model = 'mine' AND opportunity_id = 1 AND credit > 0 ORDER BY position;
SELECT round(sum(conversions), 9) AS conversions FROM attr.attribute_channels('markov 2');
INSERT INTO attr.attribution_model VALUES ('bad', 'Bad', '{"first": 0.5}');
INSERT INTO attr.attribution_model VALUES ('bad', 'Bad', '{"kind": "time_decay", "half_life": "-7 days"}');
\set VERBOSITY terse
INSERT INTO attr.attribution_model VALUES ('bad', 'Bad', '"linear"');
\set VERBOSITY default
UPDATE attr.attribution_model SET definition = '{"first": 2}' WHERE model = 'mine';

-- what is wrong
SELECT * FROM attr.attribute('nothing');
SELECT * FROM attr.attribute_channels('nothing');
SELECT * FROM attr.attribute('linear', 'sold');
SELECT * FROM attr.attribute('linear', 'stage_reached');
SELECT count(*) FROM attr.attribute('linear', 'stage_reached', stage => 'no such''stage');
SELECT * FROM attr.attribute('linear', look_back => '-1 day');

-- the loop, responses, engagement, agents: no lead is lost
SELECT lead_id, source, channel, outcome, opportunities, won, revenue FROM attr.lead_loop ORDER BY lead_id;
SELECT sum(leads) = (SELECT count(*) FROM attr.lead) AS leads, sum(revenue) AS revenue FROM attr.campaign_response;
INSERT INTO attr.interaction (lead_id, kind, channel, direction, occurred_at) VALUES (1, 'meeting', 'phone', 'inbound', '2026-01-12 09:00'), (1, 'email_sent', 'email', 'outbound', '2026-01-12 10:00'), (1, 'meeting', 'phone', 'inbound', '2026-01-13');
SELECT lead_id, day, interactions, inbound, outbound, kinds, channels FROM attr.engagement ORDER BY day;
INSERT INTO attr.team (team) VALUES ('t');
INSERT INTO attr.agent (agent, team_id) VALUES ('Ann', 1), ('Idle', 1);
UPDATE attr.lead SET agent_id = 1 WHERE lead_id IN (1, 3);
SELECT agent, team, leads, open, opportunities, won, lost, revenue, win_rate FROM attr.agent_performance ORDER BY agent;

-- rights: readers read, who may only capture does not
CREATE ROLE regress_attribution_reader;
CREATE ROLE regress_attribution_capture;
SELECT attr.grant_access('regress_attribution_reader', 'reader'), attr.grant_access('regress_attribution_capture', 'capture');
SET ROLE regress_attribution_reader;
SELECT count(*) > 0 AS may FROM attr.attribution;
SELECT count(*) > 0 AS may FROM attr.attribute('markov', currency => 'EUR');
SELECT count(*) > 0 AS may FROM attr.explain_attribution(1);
INSERT INTO attr.exchange_rate VALUES ('USD', 'EUR', '2027-01-01', 0.9);
SET ROLE regress_attribution_capture;
SELECT count(*) FROM attr.attribution;
SELECT count(*) FROM attr.attribute('linear');
RESET ROLE;
SELECT lead_mgmt.drop_workspace('attr', 'attr');
DROP ROLE regress_attribution_reader, regress_attribution_capture;
