-- Training learned models, and what they know.

CREATE OR REPLACE VIEW @workspace@.scoring_frequency WITH (security_invoker = true) AS
SELECT
	c.model,
	NULLIF(c.team_id, 0) AS team_id,
	c.variable,
	c.value,
	pg_catalog.sum(c.won)::bigint AS won,
	pg_catalog.sum(c.lost)::bigint AS lost
FROM @workspace@.scoring_count c
GROUP BY c.model, c.team_id, c.variable, c.value
HAVING pg_catalog.sum(c.won) <> 0 OR pg_catalog.sum(c.lost) <> 0;

COMMENT ON VIEW @workspace@.scoring_frequency IS
	'How often each naive Bayes model saw a value among won and among lost leads of a team. One row a model, team, variable and value.';
COMMENT ON COLUMN @workspace@.scoring_frequency.model IS 'Model';
COMMENT ON COLUMN @workspace@.scoring_frequency.team_id IS 'Team; NULL for leads without one';
COMMENT ON COLUMN @workspace@.scoring_frequency.variable IS 'Feature, or stage';
COMMENT ON COLUMN @workspace@.scoring_frequency.value IS 'Value; of a stage, pipeline/stage';
COMMENT ON COLUMN @workspace@.scoring_frequency.won IS 'Won leads seen with it; a won lead counts in every stage';
COMMENT ON COLUMN @workspace@.scoring_frequency.lost IS 'Lost leads seen with it; a lost one counts in each stage up to its own';

CREATE OR REPLACE FUNCTION @workspace@.train_scoring_model(model text, options jsonb DEFAULT '{}')
	RETURNS @workspace@.scoring_training
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		wanted @workspace@.scoring_model;
		result @workspace@.scoring_training;
		late text[];
		trained jsonb;
		source text;
		known text[] := '{cost,won_weight,lost_weight,folds,pairs,calibrate,seed,solver}';
		unknown text;
	BEGIN
		SELECT m.* INTO wanted FROM @workspace@.scoring_model m WHERE m.model = train_scoring_model.model FOR NO KEY UPDATE;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'there is no scoring model "%"', train_scoring_model.model USING ERRCODE = 'no_data_found';
		ELSIF wanted.kind = 'rules' THEN
			RAISE EXCEPTION 'scoring model "%" scores by rules', wanted.model
				USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Make a model of kind logistic or naive_bayes.';
		ELSIF NOT EXISTS (SELECT FROM @workspace@.scoring_feature f WHERE f.model = wanted.model)
			AND wanted.kind = 'logistic' THEN
			RAISE EXCEPTION 'scoring model "%" has no features', wanted.model
				USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Insert rows into scoring_feature.';
		END IF;
		options := COALESCE(options, '{}');
		IF pg_catalog.jsonb_typeof(options) <> 'object' THEN
			RAISE EXCEPTION 'options are an object, not %', options USING ERRCODE = 'invalid_parameter_value';
		END IF;
		SELECT k INTO unknown FROM pg_catalog.jsonb_object_keys(options) k
			WHERE wanted.kind = 'naive_bayes' OR k <> ALL (known) ORDER BY k LIMIT 1;
		IF FOUND THEN
			RAISE EXCEPTION 'a % model has no option "%"', wanted.kind, unknown
				USING ERRCODE = 'invalid_parameter_value',
					HINT = CASE WHEN wanted.kind = 'naive_bayes' THEN 'It has none.'
						ELSE pg_catalog.format('Its options are %s.', pg_catalog.array_to_string(known, ', ')) END;
		END IF;
		-- what has no value before any outcome, but has one now
		SELECT pg_catalog.array_agg(f.feature ORDER BY f.scoring_feature_id) INTO late
		FROM (
			SELECT o.place
			FROM lead_mgmt.feature_values('@workspace@.score', wanted.model, 'lead_profile_at_outcome') b
			JOIN lead_mgmt.feature_values('@workspace@.score', wanted.model, 'lead_profile') n USING (lead_id)
			CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(b."values"), pg_catalog.unnest(n."values"))
				WITH ORDINALITY AS o (before, now, place)
			GROUP BY o.place
			HAVING pg_catalog.count(o.before) = 0 AND pg_catalog.count(o.now) > 0
		) t
		JOIN (SELECT f.feature, f.scoring_feature_id, pg_catalog.row_number() OVER (ORDER BY f.scoring_feature_id) AS place
			FROM @workspace@.scoring_feature f WHERE f.model = wanted.model) f USING (place);
		IF wanted.kind = 'naive_bayes' THEN
			result := @workspace@.learn_frequencies(wanted.model);
		ELSE
			SELECT pg_catalog.format($query$
				SELECT l.status = 'converted' AS outcome%s
				FROM lead_mgmt.feature_values('@workspace@.score', %L, 'lead_profile_at_outcome') v
				JOIN @workspace@.lead l USING (lead_id) ORDER BY l.lead_id$query$,
					pg_catalog.string_agg(pg_catalog.format(', v."values"[%s]%s AS %I', f.place,
						CASE WHEN f.kind IN ('bins', 'numeric') THEN '::double precision' ELSE '' END, 'f' || f.place), '' ORDER BY f.place),
					wanted.model),
				options || pg_catalog.jsonb_build_object('label', 'outcome', 'features', pg_catalog.jsonb_agg(
					pg_catalog.jsonb_build_object('feature', 'f' || f.place, 'kind', f.kind, 'bins', f.bins, 'minimum_rows', f.minimum_rows)
					ORDER BY f.place))
				INTO source, trained
			FROM (SELECT f.*, pg_catalog.row_number() OVER (ORDER BY f.scoring_feature_id) AS place
				FROM @workspace@.scoring_feature f WHERE f.model = wanted.model) f;
			trained := lead_mgmt.train_logistic_model(source, trained);
			-- under the names of the features
			SELECT pg_catalog.jsonb_set(trained || '{"label": "won"}', '{features}', pg_catalog.jsonb_agg(
					CASE WHEN d.d ->> 'kind' = 'pair' THEN d.d || pg_catalog.jsonb_build_object(
						'feature', pg_catalog.concat(a.feature, ' & ', b.feature), 'of', pg_catalog.jsonb_build_array(a.feature, b.feature))
					ELSE d.d || pg_catalog.jsonb_build_object('feature', a.feature) END ORDER BY d.n))
				INTO trained
			FROM pg_catalog.jsonb_array_elements(trained -> 'features') WITH ORDINALITY d (d, n)
			JOIN (SELECT f.feature, 'f' || pg_catalog.row_number() OVER (ORDER BY f.scoring_feature_id) AS place
				FROM @workspace@.scoring_feature f WHERE f.model = wanted.model) a
				ON a.place = COALESCE(d.d #>> '{of,0}', d.d ->> 'feature')
			LEFT JOIN (SELECT f.feature, 'f' || pg_catalog.row_number() OVER (ORDER BY f.scoring_feature_id) AS place
				FROM @workspace@.scoring_feature f WHERE f.model = wanted.model) b
				ON b.place = d.d #>> '{of,1}';
			INSERT INTO @workspace@.scoring_training AS t (model, definition, leads, won, auc, log_loss, brier, calibration_error)
				SELECT wanted.model, trained, r."rows", r.won, r.auc, r.log_loss, r.brier, r.calibration_error
				FROM pg_catalog.jsonb_to_record(trained -> 'report') AS r ("rows" bigint, won bigint, auc double precision,
					log_loss double precision, brier double precision, calibration_error double precision)
				RETURNING t.* INTO result;
			INSERT INTO @workspace@.scoring_coefficient (scoring_training_id, position, feature, kind, level_kind, level, from_value,
					coefficient, points, leads, won)
				SELECT result.scoring_training_id, c.ordinality, c.feature, c.kind, c.level_kind, c.level, c.from_value, c.coefficient,
					c.points, c."rows", c.won
				FROM lead_mgmt.logistic_coefficients(trained) WITH ORDINALITY c;
			INSERT INTO @workspace@.scoring_reliability (scoring_training_id, from_probability, leads, predicted, observed)
				SELECT result.scoring_training_id, r."from", r."rows", r.predicted, r.observed
				FROM pg_catalog.jsonb_to_recordset(trained #> '{report,reliability}') AS r ("from" double precision, "rows" bigint,
					predicted double precision, observed double precision);
		END IF;
		UPDATE @workspace@.scoring_model m SET scoring_training_id = result.scoring_training_id WHERE m.model = wanted.model;
		IF late IS NOT NULL THEN
			UPDATE @workspace@.scoring_training t
				SET warnings = ARRAY(SELECT pg_catalog.format('feature "%s" is only ever set after the outcome', f)
					FROM pg_catalog.unnest(late) f)
				WHERE t.scoring_training_id = result.scoring_training_id RETURNING t.* INTO result;
			RAISE WARNING '%', pg_catalog.array_to_string(result.warnings, ', ')
				USING HINT = 'Before the outcome there is nothing to learn from it. Leave it out.';
		END IF;
		RETURN result;
	END
	$$;

COMMENT ON FUNCTION @workspace@.train_scoring_model(text, jsonb) IS
	'Train a learned model on all leads that were won or lost, by what was known of them before (lead_profile_at_outcome), and return the training with its figures on leads held out. A logistic model scores by it from then on; rescore() brings scores that are there up to date. Options as of lead_mgmt.train_logistic_model(), such as {"cost": 1, "won_weight": 2, "calibrate": "isotonic"}. A naive Bayes model, which learns by itself, counts everything afresh. Warns of features that are only ever set after the outcome. Errors: no_data_found without such a model or such leads, object_not_in_prerequisite_state for a model of rules or without features, invalid_parameter_value for leads of one outcome only or unknown options.';

CREATE OR REPLACE FUNCTION @workspace@.learn_frequencies(model text)
	RETURNS @workspace@.scoring_training
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		result @workspace@.scoring_training;
	BEGIN
		-- outcomes that come meanwhile wait, and are then added
		LOCK TABLE @workspace@.scoring_outcome, @workspace@.scoring_count IN EXCLUSIVE MODE;
		DELETE FROM @workspace@.scoring_outcome o WHERE o.model = learn_frequencies.model;
		DELETE FROM @workspace@.scoring_count c WHERE c.model = learn_frequencies.model;
		INSERT INTO @workspace@.scoring_outcome (model, lead_id, team_id, is_won, variables, value_texts)
			SELECT learn_frequencies.model, p.lead_id, COALESCE(p.team_id, 0), l.status = 'converted',
				pg_catalog.array_agg(s.variable ORDER BY s.place, s.value), pg_catalog.array_agg(s.value ORDER BY s.place, s.value)
			FROM @workspace@.lead_profile_at_outcome p
			JOIN @workspace@.lead l ON l.lead_id = p.lead_id
			JOIN lead_mgmt.feature_values('@workspace@.score', learn_frequencies.model, 'lead_profile_at_outcome') v ON v.lead_id = p.lead_id
			CROSS JOIN LATERAL (
				SELECT 0 AS place, 'stage' AS variable, pg_catalog.concat(g.pipeline, '/', g.stage) AS value
				FROM @workspace@.stage g
				WHERE g.pipeline = p.pipeline AND g.kind <> 'lost' AND (l.status = 'converted' OR g.kind <> 'won' AND g.sequence <= (
					SELECT o.sequence FROM @workspace@.stage o WHERE o.pipeline = p.pipeline AND o.stage = p.stage))
				UNION
				SELECT f.place, f.feature, t.value
				FROM (SELECT f.feature, f.kind, pg_catalog.row_number() OVER (ORDER BY f.scoring_feature_id)::integer AS place
					FROM @workspace@.scoring_feature f WHERE f.model = learn_frequencies.model) f
				CROSS JOIN LATERAL (
					SELECT v."values"[f.place] AS value WHERE f.kind <> 'tags'
					UNION ALL
					SELECT e FROM pg_catalog.jsonb_array_elements_text(
						CASE WHEN f.kind = 'tags' AND v."values"[f.place] LIKE '[%' THEN v."values"[f.place]::jsonb ELSE '[]' END) e
				) t
				WHERE t.value <> ''
			) s
			GROUP BY p.lead_id, p.team_id, l.status;
		INSERT INTO @workspace@.scoring_count (model, team_id, variable, value, slot, won, lost)
			SELECT o.model, o.team_id, v.variable, v.value, 0, pg_catalog.count(*) FILTER (WHERE o.is_won),
				pg_catalog.count(*) FILTER (WHERE NOT o.is_won)
			FROM @workspace@.scoring_outcome o
			CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(o.variables), pg_catalog.unnest(o.value_texts)) AS v (variable, value)
			WHERE o.model = learn_frequencies.model
			GROUP BY o.model, o.team_id, v.variable, v.value;
		INSERT INTO @workspace@.scoring_training AS t (model, leads, won)
			SELECT learn_frequencies.model, pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE o.is_won)
			FROM @workspace@.scoring_outcome o WHERE o.model = learn_frequencies.model
			RETURNING t.* INTO result;
		RETURN result;
	END
	$$;

COMMENT ON FUNCTION @workspace@.learn_frequencies(text) IS
	'Count afresh what a naive Bayes model has seen: part of train_scoring_model().';

CREATE OR REPLACE FUNCTION @workspace@.override_score(lead_id bigint, score double precision, model text DEFAULT NULL)
	RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	BEGIN
		IF NOT (override_score.score > '-infinity' AND override_score.score < 'infinity') THEN
			RAISE EXCEPTION 'a score cannot be %', override_score.score USING ERRCODE = 'numeric_value_out_of_range';
		END IF;
		-- The lead first, as everybody who scores it does
		PERFORM FROM @workspace@.lead l WHERE l.lead_id = override_score.lead_id FOR NO KEY UPDATE;
		UPDATE @workspace@.score s SET override = override_score.score
			WHERE s.lead_id = override_score.lead_id AND s.model = COALESCE(override_score.model, 'default');
		IF NOT FOUND THEN
			RAISE EXCEPTION 'lead % has no score in model "%"', override_score.lead_id, COALESCE(override_score.model, 'default')
				USING ERRCODE = 'no_data_found';
		END IF;
		PERFORM lead_mgmt.score_leads('@workspace@.score', ARRAY[override_score.lead_id]);
	END
	$$;

COMMENT ON FUNCTION @workspace@.override_score(bigint, double precision, text) IS
	'Set the score of a lead in a model (NULL: the default model) by hand; it stays until it is taken back with NULL, whatever is scored or learned meanwhile. In a learned model it is the probability to win in per cent. What follows from a score follows from it too: its grade is noted, and in an active model an open lead is marked sales-ready by one at the threshold, and moved as that asks for; taking it back takes the mark back only where the model''s keeps_ready is false. Needs UPDATE on lead and score. Errors: no_data_found, numeric_value_out_of_range.';

CREATE OR REPLACE TRIGGER attributes BEFORE INSERT OR UPDATE OF expression ON @workspace@.scoring_feature
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.expand_attributes('expression');
CREATE OR REPLACE TRIGGER feature BEFORE INSERT OR UPDATE OF feature, expression, kind ON @workspace@.scoring_feature
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.guard_feature();
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.scoring_feature
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.config_changed();
CREATE OR REPLACE TRIGGER definition BEFORE INSERT OR UPDATE OF definition ON @workspace@.scoring_training
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.guard_training();
CREATE OR REPLACE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @workspace@.scoring_count
	FOR EACH STATEMENT EXECUTE FUNCTION lead_mgmt.counts_changed();
CREATE OR REPLACE TRIGGER learn_inserted AFTER INSERT ON @workspace@.lead
	FOR EACH ROW WHEN (new.status <> 'open') EXECUTE FUNCTION lead_mgmt.learn_outcome();
CREATE OR REPLACE TRIGGER learn_updated AFTER UPDATE ON @workspace@.lead
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.learn_outcome();
CREATE OR REPLACE TRIGGER learn_deleted AFTER DELETE ON @workspace@.lead
	FOR EACH ROW WHEN (old.status <> 'open') EXECUTE FUNCTION lead_mgmt.learn_outcome();

REVOKE EXECUTE ON FUNCTION
	@workspace@.train_scoring_model(text, jsonb),
	@workspace@.learn_frequencies(text),
	@workspace@.override_score(bigint, double precision, text)
	FROM PUBLIC;
