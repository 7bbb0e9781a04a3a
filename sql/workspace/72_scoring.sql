-- Explaining scores, computing them afresh, trying models out.

CREATE OR REPLACE FUNCTION @workspace@.explain_score(lead_id bigint, model text DEFAULT NULL)
	RETURNS TABLE (part text, label text, points double precision, occurrences bigint, total double precision,
		scoring_rule_id bigint, value jsonb, half_life interval, last_at timestamptz, problem text, odds double precision)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
	AS $$
		SELECT s.part, s.label, s.points, s.occurrences, s.total, s.scoring_rule_id,
			(SELECT pg_catalog.jsonb_object_agg(c, pg_catalog.to_jsonb(p) -> c) FROM pg_catalog.unnest(s.fields) c),
			s.half_life, s.last_at, s.problem, s.odds
		FROM (
			SELECT s.* FROM lead_mgmt.score_parts('@workspace@.score', $1, COALESCE($2, 'default'), pg_catalog.now()) s
			UNION ALL
			SELECT NULL, 'override', 'Set by hand', NULL, NULL, t.total, NULL, NULL, NULL, NULL, CASE WHEN m.kind <> 'rules' THEN pg_catalog.exp(t.total) END
			FROM @workspace@.score o
			JOIN @workspace@.scoring_model m ON m.model = o.model
			CROSS JOIN LATERAL (SELECT CASE WHEN m.kind = 'rules' THEN o.override
					WHEN o.override > 0 AND o.override < 100 THEN pg_catalog.ln(o.override / (100 - o.override))
					WHEN o.override > 0 THEN 'infinity' ELSE '-infinity' END - COALESCE(pg_catalog.sum(p.total), 0) AS total
				FROM lead_mgmt.score_parts('@workspace@.score', $1, o.model, pg_catalog.now()) p) t
			WHERE o.lead_id = $1 AND o.model = COALESCE($2, 'default') AND o.override IS NOT NULL
		) s
		LEFT JOIN @workspace@.lead_profile p ON p.lead_id = $1 AND s.fields IS NOT NULL
		WHERE lead_mgmt.report_guard('@workspace@.explain_score(bigint, text)'::pg_catalog.regprocedure)
		ORDER BY s.part DESC, s.total DESC, s.label
	$$;

COMMENT ON FUNCTION @workspace@.explain_score(bigint, text) IS
	'What a lead''s score in a model (NULL: the default model) is made of now: one row a rule that gives points, with the part it belongs to (fit or engagement), its points, how often it applied and what that totals now, the values of the profile it looked at, the half-life and time of its last interaction. The totals add up to the score. Of a learned model, one row for the prior and one a feature: total is what it adds to the log odds, odds what it multiplies the odds by; the product is the odds of the probability. A rule that fails for the lead, or whose condition can no longer be used, is listed with the problem and no points; a lead without contact or account has one row, of part unscored, that says so.';

CREATE OR REPLACE FUNCTION @workspace@.score_at(lead_id bigint, at timestamptz, model text DEFAULT NULL)
	RETURNS double precision
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
	AS $$
		SELECT (SELECT CASE WHEN EXISTS (SELECT FROM @workspace@.scoring_model m WHERE m.model = COALESCE($3, 'default') AND m.kind <> 'rules')
				THEN 100 * lead_mgmt.logistic(ARRAY[pg_catalog.sum(s.total)], VARIADIC '{}'::double precision[])
				ELSE COALESCE(pg_catalog.sum(s.total), 0) END
			FROM lead_mgmt.score_parts('@workspace@.score', $1, COALESCE($3, 'default'), $2) s)
		FROM @workspace@.lead_profile p
		WHERE p.lead_id = $1 AND (p.contact_id IS NOT NULL OR p.account_id IS NOT NULL)
			AND lead_mgmt.report_guard('@workspace@.score_at(bigint, timestamptz, text)'::pg_catalog.regprocedure)
	$$;

COMMENT ON FUNCTION @workspace@.score_at(bigint, timestamptz, text) IS
	'The score of a lead in a model (NULL: the default model) at a past or future time: the interactions that had taken place by then, as far as they had cooled, and the fit of the profile as it is now. NULL for a lead without contact or account.';

CREATE OR REPLACE FUNCTION @workspace@.cools_at(lead_id bigint, model text DEFAULT NULL)
	RETURNS timestamptz
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
	AS $$
		SELECT CASE WHEN s.override IS NOT NULL THEN 'infinity' ELSE lead_mgmt.heat_leaves(s.engagement,
			COALESCE((SELECT pg_catalog.max(g.from_score) FROM @workspace@.scoring_grade g
				WHERE g.model = s.model AND g.from_score <= n.score), '-infinity') - s.fit,
			COALESCE((SELECT pg_catalog.min(g.from_score) FROM @workspace@.scoring_grade g
				WHERE g.model = s.model AND g.from_score > n.score), 'infinity') - s.fit,
			pg_catalog.now()) END
		FROM @workspace@.score s
		CROSS JOIN LATERAL (SELECT s.fit + lead_mgmt.heat_at(s.engagement, pg_catalog.now()) AS score) n
		WHERE s.lead_id = $1 AND s.model = COALESCE($2, 'default')
			AND lead_mgmt.report_guard('@workspace@.cools_at(bigint, text)'::pg_catalog.regprocedure)
	$$;

COMMENT ON FUNCTION @workspace@.cools_at(bigint, text) IS
	'When a lead leaves its grade in a model (NULL: the default model) if nothing more happens: as a rule because it cools, or, with points taken away, because these are forgotten. infinity when never, as with a score set by hand, NULL without a score.';

CREATE OR REPLACE FUNCTION @workspace@.rescore(model text DEFAULT 'default') RETURNS bigint
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	#variable_conflict use_column
	DECLARE
		scored @workspace@.scoring_model;
		leads bigint;
		turned bigint[];
		reached bigint[];
		added bigint[];
	BEGIN
		-- The leads first, as everybody who scores them does
		LOCK TABLE @workspace@.lead, @workspace@.score IN EXCLUSIVE MODE;
		SELECT m.* INTO scored FROM @workspace@.scoring_model m WHERE m.model = rescore.model;
		WITH graded AS (
			SELECT pg_catalog.array_agg(g.grade ORDER BY g.from_score) AS grades,
				pg_catalog.array_agg(g.from_score ORDER BY g.from_score) AS bounds
			FROM @workspace@.scoring_grade g
			WHERE g.model = rescore.model
		), written AS (
			INSERT INTO @workspace@.score AS s (lead_id, model, fit, engagement, tally, scored_at)
			SELECT n.lead_id, rescore.model, n.fit, n.engagement, n.tally, pg_catalog.now()
			FROM lead_mgmt.score_all('@workspace@.score', rescore.model, true) n
			ON CONFLICT (lead_id, model) DO UPDATE
				SET fit = EXCLUDED.fit, engagement = EXCLUDED.engagement, tally = EXCLUDED.tally,
					scored_at = EXCLUDED.scored_at
			RETURNING CASE WHEN s.grade IS DISTINCT FROM ((SELECT d.grades FROM graded d))[pg_catalog.width_bucket(
					COALESCE(s.override, s.fit + lead_mgmt.heat_at(s.engagement, pg_catalog.now())),
					(SELECT d.bounds FROM graded d))] THEN s.lead_id END AS turned,
				CASE WHEN COALESCE(s.override, s.fit + lead_mgmt.heat_at(s.engagement, pg_catalog.now()))
					>= scored.sales_ready_threshold THEN s.lead_id END AS reached,
				CASE WHEN s.xmax = 0 THEN s.lead_id END AS added
		)
		SELECT pg_catalog.count(*), pg_catalog.array_agg(w.turned) FILTER (WHERE w.turned IS NOT NULL),
				pg_catalog.array_agg(w.reached) FILTER (WHERE w.reached IS NOT NULL),
				pg_catalog.array_agg(w.added) FILTER (WHERE w.added IS NOT NULL)
			INTO leads, turned, reached, added
			FROM written w;
		WITH changed AS (
			SELECT s.lead_id, s.grade AS from_grade, n.score,
				(SELECT g.grade FROM @workspace@.scoring_grade g
				 WHERE g.model = rescore.model AND g.from_score <= n.score
				 ORDER BY g.from_score DESC LIMIT 1) AS to_grade
			FROM pg_catalog.unnest(turned) t
			JOIN @workspace@.score s ON s.lead_id = t AND s.model = rescore.model
			CROSS JOIN LATERAL (SELECT COALESCE(s.override, s.fit + lead_mgmt.heat_at(s.engagement, pg_catalog.now())) AS score) n
		), known AS (
			UPDATE @workspace@.score s SET grade = c.to_grade
			FROM changed c
			WHERE s.lead_id = c.lead_id AND s.model = rescore.model
		)
		INSERT INTO @workspace@.temperature_change (lead_id, model, from_grade, to_grade, score, cause)
			SELECT c.lead_id, rescore.model, c.from_grade, c.to_grade, c.score, 'change' FROM changed c;
		IF scored.is_active THEN
			PERFORM lead_mgmt.score_leads('@workspace@.score', pg_catalog.array_agg(n.lead_id ORDER BY n.lead_id))
			FROM (
				SELECT l.lead_id
				FROM pg_catalog.unnest(reached) r
				JOIN @workspace@.lead l ON l.lead_id = r
				WHERE l.sales_ready_at IS NULL
				UNION
				SELECT l.lead_id
				FROM pg_catalog.unnest(added) a
				JOIN @workspace@.lead l ON l.lead_id = a
				JOIN @workspace@.stage g ON g.pipeline = l.pipeline AND g.stage = l.stage
				WHERE g.kind = 'entry'
				UNION
				SELECT l.lead_id
				FROM @workspace@.lead l
				WHERE NOT scored.keeps_ready AND l.sales_ready_model = rescore.model AND l.status = 'open'
					AND NOT EXISTS (SELECT FROM pg_catalog.unnest(reached) r WHERE r = l.lead_id)
			) n;
		END IF;
		RETURN leads;
	END
	$$;

COMMENT ON FUNCTION @workspace@.rescore(text) IS
	'Compute the scores of all open leads in a model afresh, after its rules changed, and return how many. What follows from a score follows from it too, if the model is active: grades that change are noted in temperature_history, leads that reach the threshold are marked sales-ready and moved as that asks for, those that the model no longer finds ready lose its mark if its keeps_ready is false, and a first score moves a lead out of the entry stage. Writing leads and scores waits for it to end, reading does not; a transaction that wrote some itself should not call it, as two of them would wait for each other. Error: no_data_found.';

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
					a.fit + lead_mgmt.heat_at(a.engagement, CASE WHEN l.status = 'open' THEN pg_catalog.now() ELSE l.stage_entered_at END) >=
						(SELECT m.sales_ready_threshold FROM @workspace@.scoring_model m WHERE m.model = $1) AS is_ready,
					l.sales_ready_at IS NOT NULL AS was_ready
				FROM lead_mgmt.score_all('@workspace@.score', $1, false) a
				JOIN @workspace@.lead l ON l.lead_id = a.lead_id
			) n
		) t
	$$;

COMMENT ON FUNCTION @workspace@.simulate_model(text) IS
	'What a model, active or a draft, would say about all open leads now, and would have said about closed ones before their outcome (lead_profile_at_outcome, interactions up to then); nothing is kept. One row: leads scored, sales-ready ones among them, leads with an outcome and won (converted) ones, both also among the ready ones; precision is the share won of the ready ones with an outcome, recall the share ready of the won ones, lift the precision over the share won of all; open leads that would become ready, and those marked ready that would not be. Error: no_data_found.';

CREATE OR REPLACE FUNCTION @workspace@.rule_lift(model text)
	RETURNS TABLE (scoring_rule_id bigint, part text, label text, hits bigint, won bigint, lift double precision,
		points double precision, suggested_points double precision)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
	AS $$
		WITH source AS (
			SELECT m.model, m.account_based FROM @workspace@.scoring_model m WHERE m.model = $1
		), outcome AS (
			SELECT p, p.lead_id, p.account_id, l.status = 'converted' AS is_won, l.stage_entered_at AS closed_at
			FROM @workspace@.lead_profile_at_outcome p
			JOIN @workspace@.lead l ON l.lead_id = p.lead_id
			WHERE p.contact_id IS NOT NULL OR p.account_id IS NOT NULL
		), total AS (
			SELECT pg_catalog.count(*) FILTER (WHERE o.is_won)::double precision AS won,
				pg_catalog.count(*) FILTER (WHERE NOT o.is_won)::double precision AS lost
			FROM outcome o
		), happened AS (
			SELECT o.lead_id, o.is_won, i
			FROM source s
			JOIN outcome o ON NOT s.account_based OR o.account_id IS NULL
			JOIN @workspace@.interaction i ON i.lead_id = o.lead_id AND i.occurred_at <= o.closed_at
			UNION ALL
			SELECT o.lead_id, o.is_won, i
			FROM source s
			JOIN outcome o ON s.account_based
			JOIN @workspace@.contact c ON c.account_id = o.account_id
			JOIN @workspace@.interaction i ON i.contact_id = c.contact_id AND i.occurred_at <= o.closed_at
		), hit AS (
			SELECT r.scoring_rule_id, o.is_won
			FROM outcome o
			JOIN @workspace@.scoring_rule r ON r.model = $1 AND r.is_active AND r.condition IS NOT NULL
			WHERE lead_mgmt.satisfies_or_null(o.p, r.condition)
			UNION ALL
			SELECT r.scoring_rule_id, h.is_won
			FROM happened h
			JOIN @workspace@.scoring_rule r ON r.model = $1 AND r.is_active AND r.condition IS NULL
				AND COALESCE(r.interaction_kind = (h.i).kind, true)
				AND COALESCE((h.i).occurred_at >= r.active_from, true)
				AND COALESCE((h.i).occurred_at < r.active_until, true)
			WHERE r.interaction_condition IS NULL OR lead_mgmt.satisfies_or_null(h.i, r.interaction_condition)
			GROUP BY r.scoring_rule_id, h.lead_id, h.is_won
			HAVING pg_catalog.count(*) >= COALESCE(r.at_least, 1)
		), counted AS (
			SELECT r.scoring_rule_id, CASE WHEN r.condition IS NULL THEN 'engagement' ELSE 'fit' END AS part,
				r.label, r.points, pg_catalog.count(h.is_won) AS hits,
				pg_catalog.count(*) FILTER (WHERE h.is_won) AS won
			FROM @workspace@.scoring_rule r
			LEFT JOIN hit h ON h.scoring_rule_id = r.scoring_rule_id
			WHERE r.model = $1 AND r.is_active
			GROUP BY r.scoring_rule_id
		), weighed AS (
			SELECT c.*, CASE WHEN c.hits > 0 AND t.won > 0 AND t.lost > 0 THEN
					pg_catalog.ln((c.won + 0.5) / (t.won + 1)) - pg_catalog.ln((c.hits - c.won + 0.5) / (t.lost + 1)) END AS weight,
				c.won / NULLIF(c.hits, 0)::double precision * (t.won + t.lost) / NULLIF(t.won, 0) AS lift
			FROM counted c CROSS JOIN total t
		)
		SELECT w.scoring_rule_id, w.part, w.label, w.hits, w.won, w.lift, w.points,
			pg_catalog.round((w.weight
				* pg_catalog.sum(pg_catalog.abs(w.points)) FILTER (WHERE w.weight IS NOT NULL) OVER ()
				/ NULLIF(pg_catalog.sum(pg_catalog.abs(w.weight)) OVER (), 0))::numeric, 1)::double precision
		FROM weighed w
		ORDER BY w.part DESC, w.scoring_rule_id
	$$;

COMMENT ON FUNCTION @workspace@.rule_lift(text) IS
	'What the outcomes of leads, converted or disqualified, say about each rule of a model: the leads with an outcome that it applied to before they were closed, how many of them were won, the lift (the share won of those over the share won of all), its points, and points that would fit: the logarithm of how much likelier it applies to a won lead than to a lost one (naive Bayes, half a lead added to each count), on a scale on which the points of all rules together are as many as now. NULL for a rule that applied to none, or without outcomes of both kinds. Fit rules go by the profile as it was before the outcome (lead_profile_at_outcome).';

CREATE OR REPLACE FUNCTION @workspace@.recalibrate(model text, new_model text DEFAULT NULL)
	RETURNS TABLE (scoring_rule_id bigint, part text, label text, hits bigint, won bigint, lift double precision,
		points double precision, suggested_points double precision)
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	BEGIN
		IF NOT EXISTS (SELECT FROM @workspace@.scoring_model m WHERE m.model = recalibrate.model) THEN
			RAISE EXCEPTION 'there is no scoring model "%"', recalibrate.model USING ERRCODE = 'no_data_found';
		END IF;
		RETURN QUERY SELECT r.* FROM @workspace@.rule_lift(recalibrate.model) r;
		IF recalibrate.new_model IS NULL THEN
			RETURN;
		END IF;
		INSERT INTO @workspace@.scoring_model (model, label, sales_ready_threshold, half_life, account_based, keeps_ready, is_active)
			SELECT recalibrate.new_model, pg_catalog.format('%s, recalibrated', m.label), m.sales_ready_threshold, m.half_life,
				m.account_based, m.keeps_ready, false
			FROM @workspace@.scoring_model m WHERE m.model = recalibrate.model;
		INSERT INTO @workspace@.scoring_grade (model, grade, from_score)
			SELECT recalibrate.new_model, g.grade, g.from_score
			FROM @workspace@.scoring_grade g WHERE g.model = recalibrate.model;
		INSERT INTO @workspace@.scoring_group (model, scoring_group, maximum_points, maximum_points_per_day)
			SELECT recalibrate.new_model, g.scoring_group, g.maximum_points, g.maximum_points_per_day
			FROM @workspace@.scoring_group g WHERE g.model = recalibrate.model ORDER BY g.scoring_group_id;
		INSERT INTO @workspace@.scoring_rule (model, label, condition, interaction_kind, interaction_condition, points, at_least,
				half_life, maximum_points, maximum_points_per_day, scoring_group, active_from, active_until)
			SELECT recalibrate.new_model, r.label, r.condition, r.interaction_kind, r.interaction_condition,
				COALESCE(l.suggested_points, r.points), r.at_least, r.half_life, r.maximum_points, r.maximum_points_per_day,
				r.scoring_group, r.active_from, r.active_until
			FROM @workspace@.scoring_rule r
			JOIN @workspace@.rule_lift(recalibrate.model) l ON l.scoring_rule_id = r.scoring_rule_id
			ORDER BY r.scoring_rule_id;
	END
	$$;

COMMENT ON FUNCTION @workspace@.recalibrate(text, text) IS
	'What rule_lift() says about the rules of a model. With the name of a new model, that is made as a draft: a copy with the suggested points, and the present ones where there is no suggestion; the model itself stays as it is. Errors: no_data_found, unique_violation when there is a model of the new name.';

CREATE OR REPLACE VIEW @workspace@.broken_rule WITH (security_invoker = true) AS
SELECT
	b.rule_table,
	b.rule_id,
	b.label,
	b.condition,
	b.problem
FROM (
	SELECT r.rule_table, r.rule_id, r.label, r.condition::text AS condition,
		COALESCE(lead_mgmt.predicate_check(r.condition, '@workspace@.lead_profile'::pg_catalog.regclass),
			(SELECT pg_catalog.format('custom attribute "%s" of %s was dropped', f.field, f.entity)
			 FROM @workspace@.field f
			 WHERE NOT f.is_active
				AND (pg_catalog.strpos(r.condition, pg_catalog.format('%s_attributes ->> %L', f.entity, f.field)) > 0
					OR pg_catalog.strpos(r.condition, pg_catalog.format('%s_attributes -> %L', f.entity, f.field)) > 0)
			 ORDER BY f.entity, f.field
			 LIMIT 1)) AS problem
	FROM (
		SELECT 'scoring_rule'::text AS rule_table, s.scoring_rule_id AS rule_id, s.label, s.condition
		FROM @workspace@.scoring_rule s
		WHERE s.condition IS NOT NULL
		UNION ALL
		SELECT 'routing_rule'::text, o.routing_rule_id, o.label, o.condition
		FROM @workspace@.routing_rule o
		UNION ALL
		SELECT 'segment'::text, g.segment_id, g.segment, g.condition
		FROM @workspace@.segment g
	) r
	UNION ALL
	SELECT 'scoring_rule'::text, s.scoring_rule_id, s.label, s.interaction_condition::text,
		lead_mgmt.predicate_check(s.interaction_condition, '@workspace@.interaction'::pg_catalog.regclass)
	FROM @workspace@.scoring_rule s
	WHERE s.interaction_condition IS NOT NULL
	UNION ALL
	SELECT 'scoring_feature'::text, f.scoring_feature_id, f.feature, f.expression,
		lead_mgmt.predicate_check(pg_catalog.format('(%s) IS NOT NULL', f.expression)::lead_mgmt.predicate,
			'@workspace@.lead_profile'::pg_catalog.regclass)
	FROM @workspace@.scoring_feature f
) b
WHERE b.problem IS NOT NULL;

COMMENT ON VIEW @workspace@.broken_rule IS
	'Rules whose condition, and features of learned models whose expression, can no longer be used, because a column it names is gone or has another type, which are left out until they are corrected, and those that look at a custom attribute that was dropped, of which only the values kept are seen. One row a condition.';
COMMENT ON COLUMN @workspace@.broken_rule.rule_table IS 'Table of the rule: scoring_rule, routing_rule, segment or scoring_feature';
COMMENT ON COLUMN @workspace@.broken_rule.rule_id IS 'Key of the rule in its table';
COMMENT ON COLUMN @workspace@.broken_rule.label IS 'What the rule is about';
COMMENT ON COLUMN @workspace@.broken_rule.condition IS 'The condition';
COMMENT ON COLUMN @workspace@.broken_rule.problem IS 'Why it cannot be used';

CREATE OR REPLACE TRIGGER orphaned BEFORE UPDATE OF lead_id ON @workspace@.interaction
	FOR EACH ROW WHEN (new.lead_id IS NULL AND new.contact_id IS NULL AND new.visitor IS NULL)
	EXECUTE FUNCTION lead_mgmt.drop_orphan_interaction();
COMMENT ON TRIGGER orphaned ON @workspace@.interaction IS
	'Deletes what a deleted lead leaves that is nobody else''s.';
CREATE OR REPLACE TRIGGER recount_updated AFTER UPDATE ON @workspace@.interaction
	REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT
	EXECUTE FUNCTION lead_mgmt.recount_interactions();
CREATE OR REPLACE TRIGGER recount_deleted AFTER DELETE ON @workspace@.interaction
	REFERENCING OLD TABLE AS before FOR EACH STATEMENT
	EXECUTE FUNCTION lead_mgmt.recount_interactions();
CREATE OR REPLACE TRIGGER attributes BEFORE INSERT OR UPDATE OF condition ON @workspace@.scoring_rule
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.expand_attributes('condition');
CREATE OR REPLACE TRIGGER attributes BEFORE INSERT OR UPDATE OF condition ON @workspace@.routing_rule
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.expand_attributes('condition');
CREATE OR REPLACE TRIGGER interaction_condition BEFORE INSERT OR UPDATE OF interaction_condition ON @workspace@.scoring_rule
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.predicate_validate('interaction_condition', 'interaction');
CREATE OR REPLACE TRIGGER half_lives AFTER INSERT OR UPDATE OF model, condition, half_life, is_active ON @workspace@.scoring_rule
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.guard_half_lives();
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.scoring_group
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();

REVOKE EXECUTE ON FUNCTION
	@workspace@.explain_score(bigint, text),
	@workspace@.score_at(bigint, timestamptz, text),
	@workspace@.cools_at(bigint, text),
	@workspace@.rescore(text),
	@workspace@.simulate_model(text),
	@workspace@.rule_lift(text),
	@workspace@.recalibrate(text, text)
	FROM PUBLIC;
