-- Explaining scores, computing them afresh, trying models out.

CREATE OR REPLACE FUNCTION @workspace@.explain_score(lead_id bigint, model text DEFAULT NULL)
	RETURNS TABLE (part text, label text, points double precision, occurrences bigint, total double precision,
		scoring_rule_id bigint, value jsonb, half_life interval, last_at timestamptz, problem text)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
	AS $$
		SELECT s.part, s.label, s.points, s.occurrences, s.total, s.scoring_rule_id,
			(SELECT pg_catalog.jsonb_object_agg(c, pg_catalog.to_jsonb(p) -> c) FROM pg_catalog.unnest(s.fields) c),
			s.half_life, s.last_at, s.problem
		FROM lead_mgmt.score_parts('@workspace@.score', $1, COALESCE($2, 'default'), pg_catalog.now()) s
		LEFT JOIN @workspace@.lead_profile p ON p.lead_id = $1 AND s.fields IS NOT NULL
		ORDER BY s.part DESC, s.total DESC, s.label
	$$;

COMMENT ON FUNCTION @workspace@.explain_score(bigint, text) IS
	'What a lead''s score in a model (NULL: the default model) is made of now: one row a rule that gives points, with the part it belongs to (fit or engagement), its points, how often it applied and what that totals now, the values of the profile it looked at, the half-life and time of its last interaction. The totals add up to the score. A rule that fails for the lead, or whose condition can no longer be used, is listed with the problem and no points; a lead without contact or account has one row, of part unscored, that says so.';

CREATE OR REPLACE FUNCTION @workspace@.score_at(lead_id bigint, at timestamptz, model text DEFAULT NULL)
	RETURNS double precision
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
	AS $$
		SELECT pg_catalog.sum(s.total)
		FROM lead_mgmt.score_parts('@workspace@.score', $1, COALESCE($3, 'default'), $2) s
	$$;

COMMENT ON FUNCTION @workspace@.score_at(bigint, timestamptz, text) IS
	'The score of a lead in a model (NULL: the default model) at a past or future time: the interactions that had taken place by then, as far as they had cooled, and the fit of the profile as it is now. NULL for a lead without contact or account.';

CREATE OR REPLACE FUNCTION @workspace@.cools_at(lead_id bigint, model text DEFAULT NULL)
	RETURNS timestamptz
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
	AS $$
		SELECT lead_mgmt.heat_leaves(s.engagement,
			COALESCE((SELECT pg_catalog.max(g.from_score) FROM @workspace@.scoring_grade g
				WHERE g.model = s.model AND g.from_score <= n.score), '-infinity') - s.fit,
			COALESCE((SELECT pg_catalog.min(g.from_score) FROM @workspace@.scoring_grade g
				WHERE g.model = s.model AND g.from_score > n.score), 'infinity') - s.fit,
			pg_catalog.now())
		FROM @workspace@.score s
		CROSS JOIN LATERAL (SELECT s.fit + lead_mgmt.heat_at(s.engagement, pg_catalog.now()) AS score) n
		WHERE s.lead_id = $1 AND s.model = COALESCE($2, 'default')
	$$;

COMMENT ON FUNCTION @workspace@.cools_at(bigint, text) IS
	'When a lead leaves its grade in a model (NULL: the default model) if nothing more happens: as a rule because it cools, or, with points taken away, because these are forgotten. infinity when never, NULL without a score.';

CREATE OR REPLACE FUNCTION @workspace@.rescore(model text DEFAULT 'default') RETURNS bigint
	LANGUAGE sql SET search_path = pg_catalog, pg_temp
	AS $$
		LOCK TABLE @workspace@.score IN EXCLUSIVE MODE;
		WITH written AS (
			INSERT INTO @workspace@.score AS s (lead_id, model, fit, engagement, tally, scored_at)
			SELECT n.lead_id, $1, n.fit, n.engagement, n.tally, pg_catalog.now()
			FROM lead_mgmt.score_all('@workspace@.score', $1, true) n
			ON CONFLICT (lead_id, model) DO UPDATE
				SET fit = EXCLUDED.fit, engagement = EXCLUDED.engagement, tally = EXCLUDED.tally,
					scored_at = EXCLUDED.scored_at
			RETURNING 1)
		SELECT pg_catalog.count(*) FROM written
	$$;

COMMENT ON FUNCTION @workspace@.rescore(text) IS
	'Compute the scores of all open leads in a model afresh, after its rules changed, and return how many. Stages are not moved by it. Scoring waits for it to end, reading does not. Error: no_data_found.';

CREATE OR REPLACE FUNCTION @workspace@.simulate_model(model text)
	RETURNS TABLE (leads bigint, ready bigint, outcomes bigint, won bigint, ready_outcomes bigint, ready_won bigint,
		"precision" double precision, recall double precision, lift double precision,
		becomes_ready bigint[], ceases_ready bigint[])
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
	AS $$
		SELECT t.leads, t.ready, t.outcomes, t.won, t.ready_outcomes, t.ready_won,
			t.ready_won / NULLIF(t.ready_outcomes, 0)::double precision,
			t.ready_won / NULLIF(t.won, 0)::double precision,
			t.ready_won / NULLIF(t.ready_outcomes, 0)::double precision / (NULLIF(t.won, 0) / t.outcomes::double precision),
			t.becomes_ready, t.ceases_ready
		FROM (
			SELECT pg_catalog.count(*) AS leads,
				pg_catalog.count(*) FILTER (WHERE n.is_ready) AS ready,
				pg_catalog.count(*) FILTER (WHERE n.status <> 'open') AS outcomes,
				pg_catalog.count(*) FILTER (WHERE n.status = 'converted') AS won,
				pg_catalog.count(*) FILTER (WHERE n.is_ready AND n.status <> 'open') AS ready_outcomes,
				pg_catalog.count(*) FILTER (WHERE n.is_ready AND n.status = 'converted') AS ready_won,
				COALESCE(pg_catalog.array_agg(n.lead_id ORDER BY n.lead_id)
					FILTER (WHERE n.status = 'open' AND n.is_ready AND NOT n.was_ready), '{}') AS becomes_ready,
				COALESCE(pg_catalog.array_agg(n.lead_id ORDER BY n.lead_id)
					FILTER (WHERE n.status = 'open' AND n.was_ready AND NOT n.is_ready), '{}') AS ceases_ready
			FROM (
				SELECT a.lead_id, l.status,
					a.fit + lead_mgmt.heat_at(a.engagement, pg_catalog.now()) >=
						(SELECT m.sales_ready_threshold FROM @workspace@.scoring_model m WHERE m.model = $1) AS is_ready,
					l.sales_ready_at IS NOT NULL AS was_ready
				FROM lead_mgmt.score_all('@workspace@.score', $1, false) a
				JOIN @workspace@.lead l ON l.lead_id = a.lead_id
			) n
		) t
	$$;

COMMENT ON FUNCTION @workspace@.simulate_model(text) IS
	'What a model, active or a draft, would say about all leads now; nothing is kept. One row: leads scored, sales-ready ones among them, leads with an outcome and won (converted) ones, both also among the ready ones; precision is the share won of the ready ones with an outcome, recall the share ready of the won ones, lift the precision over the share won of all; open leads that would become ready, and those marked ready that would not be. Error: no_data_found.';

CREATE OR REPLACE VIEW @workspace@.broken_rule WITH (security_invoker = true) AS
SELECT
	b.rule_table,
	b.rule_id,
	b.label,
	b.condition,
	b.problem
FROM (
	SELECT 'scoring_rule'::text AS rule_table, r.scoring_rule_id AS rule_id, r.label, r.condition::text AS condition,
		lead_mgmt.predicate_check(r.condition, '@workspace@.lead_profile'::pg_catalog.regclass) AS problem
	FROM @workspace@.scoring_rule r
	WHERE r.condition IS NOT NULL
	UNION ALL
	SELECT 'scoring_rule'::text, r.scoring_rule_id, r.label, r.interaction_condition::text,
		lead_mgmt.predicate_check(r.interaction_condition, '@workspace@.interaction'::pg_catalog.regclass)
	FROM @workspace@.scoring_rule r
	WHERE r.interaction_condition IS NOT NULL
	UNION ALL
	SELECT 'routing_rule'::text, r.routing_rule_id, r.label, r.condition::text,
		lead_mgmt.predicate_check(r.condition, '@workspace@.lead_profile'::pg_catalog.regclass)
	FROM @workspace@.routing_rule r
) b
WHERE b.problem IS NOT NULL;

COMMENT ON VIEW @workspace@.broken_rule IS
	'Rules whose condition can no longer be used, because a field it names is gone or has another type. They are left out until they are corrected. One row a condition.';
COMMENT ON COLUMN @workspace@.broken_rule.rule_table IS 'Table of the rule: scoring_rule or routing_rule';
COMMENT ON COLUMN @workspace@.broken_rule.rule_id IS 'Key of the rule in its table';
COMMENT ON COLUMN @workspace@.broken_rule.label IS 'What the rule is about';
COMMENT ON COLUMN @workspace@.broken_rule.condition IS 'The condition';
COMMENT ON COLUMN @workspace@.broken_rule.problem IS 'Why it cannot be used';

CREATE OR REPLACE TRIGGER recount_updated AFTER UPDATE ON @workspace@.interaction
	REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT
	EXECUTE FUNCTION lead_mgmt.recount_interactions();
CREATE OR REPLACE TRIGGER recount_deleted AFTER DELETE ON @workspace@.interaction
	REFERENCING OLD TABLE AS before FOR EACH STATEMENT
	EXECUTE FUNCTION lead_mgmt.recount_interactions();
CREATE OR REPLACE TRIGGER interaction_condition BEFORE INSERT OR UPDATE OF interaction_condition ON @workspace@.scoring_rule
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.predicate_validate('interaction_condition', 'interaction');
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.scoring_group
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();

REVOKE EXECUTE ON FUNCTION
	@workspace@.explain_score(bigint, text),
	@workspace@.score_at(bigint, timestamptz, text),
	@workspace@.cools_at(bigint, text),
	@workspace@.rescore(text),
	@workspace@.simulate_model(text)
	FROM PUBLIC;
