-- learning: logistic regression over any table

CREATE FUNCTION lead_mgmt.train_logistic_model(records text, model jsonb) RETURNS jsonb
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 1000000;

COMMENT ON FUNCTION lead_mgmt.train_logistic_model(text, jsonb) IS
	'A model that foretells a label, learned from the rows of a table (its name) or a query (one SELECT). The model given names the label, a boolean column or one of 1 and 0; rows where it is NULL are left out. It may name the features: an array of objects with feature, the column, and kind: categorical (minimum_rows, 10: rarer values are pooled as the level other), bins (bins, 20: ranges of about as many rows each) or numeric (a line); missing is a level of its own. Without features, each column of numbers is one in bins and each of texts or truth values a categorical one. Options: cost, of errors against large coefficients (left out: the best of 0.03 to 3 on rows held out); won_weight and lost_weight (1), of rows of each outcome; folds (5) of rows held out in turn, one of them from 200,000 rows on, 0 for none; calibrate: none, platt or isotonic; seed (1); solver: auto, newton or liblinear. Returned is the model with intercept and coefficients, in log odds, that minimise half the sum of their squares and cost times the logistic loss, those of numeric features on the scale of one standard deviation (LIBLINEAR: Fan et al., JMLR 2008; see README), and a report: rows, won, and of rows held out auc, log_loss, brier, calibration_error and a reliability table by tenths of probability. The same rows and model give the same result. Errors: undefined_column, datatype_mismatch, no_data_found without rows, invalid_parameter_value for a faulty model or a label that is the same everywhere. Memory: 24 bytes a row and feature. Reads with the caller''s rights.';

CREATE FUNCTION lead_mgmt.logistic_probability(model jsonb, "row" record) RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION lead_mgmt.logistic_probability(jsonb, record) IS
	'The probability, 0 to 1, that a trained model gives a row that has the columns its features are made of. Values never seen count as the level other. Errors: undefined_column, invalid_parameter_value for a model that is not trained.';

CREATE FUNCTION lead_mgmt.explain_logistic(model jsonb, "row" record,
		OUT feature text, OUT level text, OUT coefficient double precision, OUT odds double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1000 ROWS 20;

COMMENT ON FUNCTION lead_mgmt.explain_logistic(jsonb, record) IS
	'What makes the probability that a trained model gives a row: one row for the intercept, one for each feature with the level its value is of, and one for the calibration, if any. The coefficients add up to the log odds, the factors in odds multiply to the odds. Errors: as logistic_probability().';

CREATE FUNCTION lead_mgmt.logistic_coefficients(model jsonb)
	RETURNS TABLE (feature text, kind text, level_kind text, level text, from_value double precision, coefficient double precision,
		points double precision, "rows" bigint, won bigint)
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
		SELECT c.*, c.coefficient * 20 / ln(2::double precision), r.level_rows, r.level_won
		FROM (
			SELECT 1 AS part, 0::bigint AS feature_number, 0::bigint AS level_number, NULL::text AS feature, NULL::text AS kind,
				'intercept' AS level_kind, NULL::text AS level, NULL::double precision AS from_value,
				($1 ->> 'intercept')::double precision AS coefficient, NULL::bigint AS level_rows, NULL::bigint AS level_won
			UNION ALL
			SELECT 2, f.n, 0, f.f ->> 'feature', f.f ->> 'kind', 'number', NULL, (f.f ->> 'center')::double precision,
				(f.f ->> 'coefficient')::double precision, NULL, NULL
			FROM jsonb_array_elements($1 -> 'features') WITH ORDINALITY f (f, n)
			WHERE f.f ->> 'kind' = 'numeric'
			UNION ALL
			SELECT 2, f.n, l.n, f.f ->> 'feature', f.f ->> 'kind', l.l ->> 'level', l.l ->> 'value',
				CASE WHEN l.l ->> 'level' = 'range' THEN COALESCE((l.l ->> 'from')::double precision, '-infinity') END,
				(l.l ->> 'coefficient')::double precision, (l.l ->> 'rows')::bigint, (l.l ->> 'won')::bigint
			FROM jsonb_array_elements($1 -> 'features') WITH ORDINALITY f (f, n)
			CROSS JOIN jsonb_array_elements(f.f -> 'levels') WITH ORDINALITY l (l, n)
		) r
		CROSS JOIN LATERAL (SELECT r.feature, r.kind, r.level_kind, r.level, r.from_value, r.coefficient) c
		ORDER BY r.part, r.feature_number, r.level_number
	$$;

COMMENT ON FUNCTION lead_mgmt.logistic_coefficients(jsonb) IS
	'The coefficients of a trained model, one row each: the intercept; of a numeric feature the slope, counted from from_value; of the others one a level: a value, a range that begins at from_value and ends where the next one begins, missing or other. coefficient is in log odds, points the same with 20 points for twice the odds, rows and won what training saw of the level.';

CREATE FUNCTION lead_mgmt.logistic(coefficients double precision[], VARIADIC features "any") RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;

COMMENT ON FUNCTION lead_mgmt.logistic(double precision[], "any") IS
	'The probability that coefficients, the intercept first, give to as many features, numbers or truth values: 1 / (1 + exp(-(intercept + sum of products))). Features may also be one array: VARIADIC array. NULL when one of them is. Error: array_subscript_error when their number is not that of the coefficients less one.';

CREATE FUNCTION lead_mgmt.logistic_regression_accum(internal, outcome boolean, VARIADIC features "any") RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.logistic_regression_accum(internal, boolean, "any") IS
	'Transition function of aggregate logistic_regression';

CREATE FUNCTION lead_mgmt.logistic_regression_final(internal) RETURNS double precision[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000000;

COMMENT ON FUNCTION lead_mgmt.logistic_regression_final(internal) IS
	'Final function of aggregate logistic_regression';

CREATE AGGREGATE lead_mgmt.logistic_regression(outcome boolean, VARIADIC features "any") (
	SFUNC = lead_mgmt.logistic_regression_accum,
	STYPE = internal,
	FINALFUNC = lead_mgmt.logistic_regression_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE lead_mgmt.logistic_regression(boolean, "any") IS
	'The coefficients of a logistic regression of an outcome on features, numbers or truth values as they are, the intercept first: where half the sum of squares of the coefficients and the sum of logistic losses are least together, the optimum that LIBLINEAR finds with -s 0 -B 1 -c 1. Features may also be one array: VARIADIC array. Rows with a NULL are left out; NULL without rows. To be used with logistic(). Errors: numeric_value_out_of_range for a feature that is not finite, invalid_parameter_value when the outcome is the same everywhere. Memory: 8 bytes a row and feature. It has no combine function, for its state is the rows themselves: to send them from worker to worker would cost more than to read them in one place, and bound their number.';

CREATE FUNCTION lead_mgmt.prediction_accum(internal, probability double precision, outcome boolean) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.prediction_accum(internal, double precision, boolean) IS
	'Transition function of aggregate prediction_quality';

CREATE FUNCTION lead_mgmt.prediction_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.prediction_combine(internal, internal) IS
	'Combine function of aggregate prediction_quality';

CREATE FUNCTION lead_mgmt.prediction_serial(internal) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.prediction_serial(internal) IS
	'Serialisation function of aggregate prediction_quality';

CREATE FUNCTION lead_mgmt.prediction_deserial(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.prediction_deserial(bytea, internal) IS
	'Deserialisation function of aggregate prediction_quality';

CREATE FUNCTION lead_mgmt.prediction_quality_final(internal) RETURNS jsonb
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000;

COMMENT ON FUNCTION lead_mgmt.prediction_quality_final(internal) IS
	'Final function of aggregate prediction_quality';

CREATE AGGREGATE lead_mgmt.prediction_quality(probability double precision, outcome boolean) (
	SFUNC = lead_mgmt.prediction_accum,
	STYPE = internal,
	FINALFUNC = lead_mgmt.prediction_quality_final,
	COMBINEFUNC = lead_mgmt.prediction_combine, SERIALFUNC = lead_mgmt.prediction_serial,
	DESERIALFUNC = lead_mgmt.prediction_deserial,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE lead_mgmt.prediction_quality(double precision, boolean) IS
	'How good probabilities were, by what came of them: an object with rows, won, auc (the area under the curve of the receiver operating characteristic; null when all came out alike), log_loss, brier (the mean square of the errors) and calibration_error (the mean difference between probability and share won, over tenths of probability). Rows with a NULL are left out; NULL without rows. Runs in parallel. Errors: numeric_value_out_of_range, program_limit_exceeded for more than 119 million rows of one worker. Memory: 9 bytes a row.';
