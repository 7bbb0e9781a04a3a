-- Match models: learning from contacts or accounts, and finding duplicates by
-- what was learned.

CREATE OR REPLACE FUNCTION @workspace@.match_records(entity text) RETURNS text
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
	AS $$
	BEGIN
		IF entity IS NULL OR entity NOT IN ('contact', 'account') THEN
			RAISE EXCEPTION 'no match model compares records of %', COALESCE(entity, 'NULL')
				USING ERRCODE = 'feature_not_supported', HINT = 'Models compare contacts or accounts; a lead is found by its contact.';
		END IF;
		RETURN lead_mgmt.match_records(CASE entity WHEN 'contact' THEN '@workspace@.contact'::pg_catalog.regclass ELSE '@workspace@.account'::pg_catalog.regclass END);
	END
	$$;

COMMENT ON FUNCTION @workspace@.match_records(text) IS
	'The query whose rows a match model compares: contacts (with the name of their account as company) or accounts that are organisations, what identifies them as text, values of match_bypass blank and those of match_alias replaced; custom attributes are columns called attributes.name. For lead_mgmt.find_pairs() and the like. Error: feature_not_supported for other entities.';

CREATE OR REPLACE FUNCTION @workspace@.read_match_model(strategy text) RETURNS jsonb
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1
	AS $$
		SELECT pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
			'key', s.entity || '_id',
			'fields', (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('field', f.field, 'kind', f.kind, 'column', f.column_name,
					'full_name', f.full_name_column, 'of', f.part_of, 'part', f.part,
					'blocking', CASE WHEN NOT f.is_blocking THEN false END,
					'agreement', f.agreement, 'rest_frequency', f.rest_frequency,
					'frequencies', (SELECT pg_catalog.jsonb_object_agg(q.value, q.frequency) FROM @workspace@.match_model_frequency q
						WHERE q.strategy = f.strategy AND q.field = f.field AND NOT q.is_word),
					'rest_word_frequency', f.rest_word_frequency,
					'words', CASE WHEN f.rest_word_frequency IS NOT NULL THEN
						COALESCE((SELECT pg_catalog.jsonb_object_agg(q.value, q.frequency) FROM @workspace@.match_model_frequency q
							WHERE q.strategy = f.strategy AND q.field = f.field AND q.is_word), '{}') END,
					'units', f.units) ORDER BY f.place)
				FROM @workspace@.match_model_field f WHERE f.strategy = m.strategy),
			'comparisons', (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('comparison', c.comparison, 'field', c.field, 'email', c.email_field,
					'kin', CASE WHEN 'kin' = ANY (c.shared_by) THEN true END,
					'namesake', CASE WHEN 'namesake' = ANY (c.shared_by) THEN true END,
					'near', CASE WHEN 'near' = ANY (c.shared_by) THEN true END,
					'colleague', CASE WHEN 'colleague' = ANY (c.shared_by) THEN true END,
					'levels', (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('level', l.label, 'test', l.test, 'threshold', l.threshold,
							'frequency', CASE WHEN l.uses_frequency THEN true END, 'm', l.m, 'u', l.u,
							'kin', l.kin, 'namesake', l.namesake, 'near', l.near, 'colleague', l.colleague) ORDER BY l.place)
						FROM @workspace@.match_model_level l WHERE l.strategy = c.strategy AND l.comparison = c.comparison)) ORDER BY c.place)
				FROM @workspace@.match_model_comparison c WHERE c.strategy = m.strategy),
			'groups', COALESCE((SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('left', d.left_comparison, 'right', d.right_comparison,
					'm', d.m, 'u', d.u) ORDER BY d.place)
				FROM @workspace@.match_model_dependence d WHERE d.strategy = m.strategy), '[]'),
			'name_order', CASE WHEN m.given_comparison IS NOT NULL THEN pg_catalog.jsonb_build_object('given', m.given_comparison,
				'family', m.family_comparison, 'swapped_m', m.swapped_m, 'swapped_u', m.swapped_u) END,
			'keys', COALESCE((SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('parts', k.parts, 'recall', k.recall) ORDER BY k.place)
				FROM @workspace@.match_model_key k WHERE k.strategy = m.strategy), '[]'),
			'refinements', m.refinements, 'block_limit', m.block_limit, 'expected_records', m.expected_records, 'prior', m.prior, 'kin_prior', m.kin_prior,
			'namesake_prior', m.namesake_prior, 'near_prior', m.near_prior, 'colleague_prior', m.colleague_prior,
			'match_probability', s.match_probability, 'review_probability', s.review_probability,
			'trained', m.is_trained, 'report', m.report))
		FROM @workspace@.match_model m
		JOIN @workspace@.match_strategy s ON s.strategy = m.strategy
		WHERE m.strategy = $1
	$$;

COMMENT ON FUNCTION @workspace@.read_match_model(text) IS
	'The model of a strategy as a document, as lead_mgmt.find_pairs(), explain_pair() and write_match_model() of any workspace take it; NULL when it has none.';

CREATE OR REPLACE FUNCTION @workspace@.write_match_model(strategy text, model jsonb) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		d jsonb := lead_mgmt.check_match_model(model);
		s @workspace@.match_strategy;
		wanted text;
	BEGIN
		SELECT t.* INTO s FROM @workspace@.match_strategy t WHERE t.strategy = write_match_model.strategy FOR UPDATE;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'there is no match strategy "%"', write_match_model.strategy
				USING ERRCODE = 'no_data_found', HINT = 'Insert it into match_strategy first.';
		ELSIF s.entity = 'lead' THEN
			RAISE EXCEPTION 'match strategy "%" is for leads, which no model compares', s.strategy
				USING ERRCODE = 'feature_not_supported', HINT = 'Models compare contacts or accounts; a lead is found by its contact.';
		ELSIF d IS NULL THEN
			RAISE EXCEPTION 'there is no match model to write' USING ERRCODE = 'null_value_not_allowed';
		END IF;
		FOR wanted IN SELECT DISTINCT c.name FROM pg_catalog.jsonb_array_elements(d -> 'fields') f
				CROSS JOIN LATERAL (VALUES (f ->> 'column'), (f ->> 'full_name')) AS c (name) WHERE c.name IS NOT NULL LOOP
			BEGIN
				EXECUTE pg_catalog.format('SELECT r.%I FROM (%s) r LIMIT 0', wanted, @workspace@.match_records(s.entity));
			EXCEPTION WHEN undefined_column THEN
				RAISE EXCEPTION 'the match model reads the column "%", which % have not', wanted, s.entity || 's'
					USING ERRCODE = 'undefined_column', HINT = pg_catalog.format('The columns are those of the query match_records(%L); a custom attribute is one once define_field() has defined it.', s.entity);
			END;
		END LOOP;
		DELETE FROM @workspace@.match_model m WHERE m.strategy = s.strategy;
		INSERT INTO @workspace@.match_model (strategy, prior, kin_prior, namesake_prior, near_prior, colleague_prior, given_comparison, family_comparison,
				swapped_m, swapped_u, block_limit, expected_records, refinements, is_trained, report, trained_at)
			VALUES (s.strategy, (d ->> 'prior')::double precision, (d ->> 'kin_prior')::double precision,
				(d ->> 'namesake_prior')::double precision, (d ->> 'near_prior')::double precision, (d ->> 'colleague_prior')::double precision,
				d #>> '{name_order,given}', d #>> '{name_order,family}',
				(d #>> '{name_order,swapped_m}')::double precision, (d #>> '{name_order,swapped_u}')::double precision,
				(d ->> 'block_limit')::integer, (d ->> 'expected_records')::double precision, ARRAY(SELECT pg_catalog.jsonb_array_elements_text(d -> 'refinements')),
				(d ->> 'trained')::boolean, d -> 'report', pg_catalog.clock_timestamp());
		INSERT INTO @workspace@.match_model_field (strategy, field, place, kind, column_name, full_name_column, part_of, part, is_blocking,
				agreement, rest_frequency, rest_word_frequency, units)
			SELECT s.strategy, f ->> 'field', n, f ->> 'kind', f ->> 'column', f ->> 'full_name', f ->> 'of', f ->> 'part',
				COALESCE((f ->> 'blocking')::boolean, true), (f ->> 'agreement')::double precision,
				(f ->> 'rest_frequency')::double precision, (f ->> 'rest_word_frequency')::double precision,
				CASE WHEN f ? 'units' THEN ARRAY(SELECT pg_catalog.jsonb_array_elements_text(f -> 'units')) END
			FROM pg_catalog.jsonb_array_elements(d -> 'fields') WITH ORDINALITY AS e (f, n);
		INSERT INTO @workspace@.match_model_frequency (strategy, field, is_word, value, frequency)
			SELECT s.strategy, f ->> 'field', w.is_word, q.key, q.value::double precision
			FROM pg_catalog.jsonb_array_elements(d -> 'fields') f
			CROSS JOIN LATERAL (VALUES (false, f -> 'frequencies'), (true, f -> 'words')) AS w (is_word, list)
			CROSS JOIN LATERAL pg_catalog.jsonb_each_text(w.list) q;
		INSERT INTO @workspace@.match_model_comparison (strategy, comparison, place, field, email_field, shared_by)
			SELECT s.strategy, c ->> 'comparison', n, c ->> 'field', c ->> 'email',
				ARRAY(SELECT r FROM pg_catalog.unnest('{kin,namesake,near,colleague}'::text[]) WITH ORDINALITY AS x (r, o) WHERE (c ->> r)::boolean ORDER BY o)
			FROM pg_catalog.jsonb_array_elements(d -> 'comparisons') WITH ORDINALITY AS e (c, n);
		INSERT INTO @workspace@.match_model_level (strategy, comparison, place, label, test, threshold, uses_frequency, m, u, kin, namesake, near, colleague)
			SELECT s.strategy, c ->> 'comparison', n, l ->> 'level', l ->> 'test', (l ->> 'threshold')::double precision,
				COALESCE((l ->> 'frequency')::boolean, false), (l ->> 'm')::double precision, (l ->> 'u')::double precision,
				(l ->> 'kin')::double precision, (l ->> 'namesake')::double precision, (l ->> 'near')::double precision, (l ->> 'colleague')::double precision
			FROM pg_catalog.jsonb_array_elements(d -> 'comparisons') c
			CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(c -> 'levels') WITH ORDINALITY AS e (l, n);
		INSERT INTO @workspace@.match_model_dependence (strategy, left_comparison, right_comparison, place, m, u)
			SELECT s.strategy, g ->> 'left', g ->> 'right', n,
				(SELECT pg_catalog.array_agg(ARRAY(SELECT v::double precision FROM pg_catalog.jsonb_array_elements_text(r) WITH ORDINALITY AS y (v, i) ORDER BY i) ORDER BY o)
					FROM pg_catalog.jsonb_array_elements(g -> 'm') WITH ORDINALITY AS x (r, o)),
				(SELECT pg_catalog.array_agg(ARRAY(SELECT v::double precision FROM pg_catalog.jsonb_array_elements_text(r) WITH ORDINALITY AS y (v, i) ORDER BY i) ORDER BY o)
					FROM pg_catalog.jsonb_array_elements(g -> 'u') WITH ORDINALITY AS x (r, o))
			FROM pg_catalog.jsonb_array_elements(d -> 'groups') WITH ORDINALITY AS e (g, n);
		INSERT INTO @workspace@.match_model_key (strategy, place, parts, recall)
			SELECT s.strategy, n, ARRAY(SELECT pg_catalog.jsonb_array_elements_text(k -> 'parts')), (k ->> 'recall')::double precision
			FROM pg_catalog.jsonb_array_elements(d -> 'keys') WITH ORDINALITY AS e (k, n);
		UPDATE @workspace@.match_strategy t
			SET match_probability = COALESCE(t.match_probability, GREATEST((d ->> 'match_probability')::double precision, t.review_probability)),
				review_probability = COALESCE(t.review_probability, LEAST((d ->> 'review_probability')::double precision, t.match_probability))
			WHERE t.strategy = s.strategy AND (t.match_probability IS NULL OR t.review_probability IS NULL);
		PERFORM @workspace@.index_match_keys();
	END
	$$;

COMMENT ON FUNCTION @workspace@.write_match_model(text, jsonb) IS
	'Give a strategy a model in place of the one it has: from read_match_model() of another workspace, or a document of lead_mgmt.propose_match_model() or train_match_model() for the columns of match_records(). Probabilities that the strategy has stay, those it lacks are the model''s. Makes the indexes by which captures look the model''s keys up. Errors: no_data_found, feature_not_supported for leads, invalid_parameter_value for a faulty model, undefined_column for one that reads what the records have not.';

CREATE OR REPLACE FUNCTION @workspace@.index_match_keys() RETURNS integer
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET client_min_messages = warning
	AS $$
	DECLARE
		made integer := 0;
		i record;
	BEGIN
		FOR i IN SELECT c.relname FROM pg_catalog.pg_index x
				JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid
				WHERE x.indrelid = '@workspace@.contact'::pg_catalog.regclass AND c.relname ~ '^contact_match_[0-9a-f]{16}_idx$'
					AND (NOT x.indisvalid OR c.relname NOT IN (SELECT w.name FROM lead_mgmt.match_indexes('@workspace@.contact'::pg_catalog.regclass) w)) LOOP
			EXECUTE pg_catalog.format('DROP INDEX @workspace@.%I', i.relname);
		END LOOP;
		FOR i IN SELECT w.name, w.expression FROM lead_mgmt.match_indexes('@workspace@.contact'::pg_catalog.regclass) w
				WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid
					WHERE x.indrelid = '@workspace@.contact'::pg_catalog.regclass AND c.relname = w.name) LOOP
			EXECUTE pg_catalog.format('CREATE INDEX %I ON @workspace@.contact ((%s))', i.name, i.expression);
			made := made + 1;
		END LOOP;
		IF made > 0 THEN
			ANALYZE @workspace@.contact;
		END IF;
		RETURN made;
	END
	$$;

COMMENT ON FUNCTION @workspace@.index_match_keys() IS
	'Make the indexes of contact by which the blocking keys of match models are looked up, and drop those no model uses any more; returns how many were made. Runs by itself when a model is written. Writers of contacts wait while an index is made; to avoid that, make those that lead_mgmt.match_indexes() lists by CREATE INDEX CONCURRENTLY beforehand.';

CREATE OR REPLACE FUNCTION @workspace@.train_match_strategy(strategy text, afresh boolean DEFAULT false, clean boolean DEFAULT false) RETURNS jsonb
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		s @workspace@.match_strategy;
		records text;
		model jsonb;
		total bigint;
	BEGIN
		SELECT t.* INTO s FROM @workspace@.match_strategy t WHERE t.strategy = train_match_strategy.strategy;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'there is no match strategy "%"', train_match_strategy.strategy
				USING ERRCODE = 'no_data_found', HINT = 'Insert it into match_strategy first.';
		END IF;
		records := @workspace@.match_records(s.entity);
		EXECUTE pg_catalog.format('SELECT pg_catalog.count(*) FROM @workspace@.%I', s.entity) INTO total;
		model := CASE WHEN NOT afresh THEN @workspace@.read_match_model(s.strategy) END;
		IF model IS NULL THEN
			model := lead_mgmt.propose_match_model(records, s.entity || '_id');
			model := pg_catalog.jsonb_set(model, '{fields}', (SELECT pg_catalog.jsonb_agg(CASE WHEN s.entity = 'contact' AND f ->> 'column' = 'company'
					THEN f || '{"blocking": false}' ELSE f END ORDER BY n)
				FROM pg_catalog.jsonb_array_elements(model -> 'fields') WITH ORDINALITY AS e (f, n)))
				-- keys of contacts are looked up in indexes, also when there are more of them
				|| CASE s.entity WHEN 'contact' THEN pg_catalog.jsonb_build_object('expected_records', GREATEST(total, 20000)) ELSE '{}' END;
		END IF;
		BEGIN
			model := lead_mgmt.train_match_model(records, model, clean);
		EXCEPTION WHEN no_data_found THEN
			IF total < 500 THEN
				RAISE;
			END IF;
			RAISE NOTICE 'there are no duplicates to learn from: how one record is written twice is taken from experience';
			model := lead_mgmt.train_match_model(records, model, true);
		END;
		PERFORM @workspace@.write_match_model(s.strategy, model);
		RETURN (SELECT m.report FROM @workspace@.match_model m WHERE m.strategy = s.strategy);
	END
	$$;

COMMENT ON FUNCTION @workspace@.train_match_strategy(text, boolean, boolean) IS
	'Let a strategy for contacts or accounts learn, without labels, how likely two records are one: proposes a model from what their fields hold, or takes the one it has unless afresh, estimates its parameters as lead_mgmt.train_match_model() does, and writes them as rows. From then on captures whose rules find nobody ask the model, and find_duplicates() goes by it. Clean records are known to hold no duplicates, having been merged before: then how one record is written twice is taken from experience, as it is, with a notice, where 500 records or more hold no evidence of matches. Returns the report of the training. Errors: no_data_found also when fewer records hold no evidence of matches, feature_not_supported for leads.';

CREATE OR REPLACE FUNCTION @workspace@.find_duplicates(strategy text, method text DEFAULT 'average', complete boolean DEFAULT false)
	RETURNS TABLE (cluster_id bigint, id bigint, size integer)
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	#variable_conflict use_column
	DECLARE
		s @workspace@.match_strategy;
		last @workspace@.duplicate_search;
		started timestamptz := pg_catalog.clock_timestamp();
		entity_table regclass;
		model jsonb;
		basis text;
		horizon text := (SELECT c.system_identifier FROM pg_catalog.pg_control_system() c) || ' '
			|| pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot());
		incremental boolean;
		changed bigint[];
		side text;
		organisations text;
		total bigint;
		pairs bigint;
		r record;
	BEGIN
		SELECT t.* INTO s FROM @workspace@.match_strategy t WHERE t.strategy = find_duplicates.strategy FOR UPDATE;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'there is no match strategy "%"', find_duplicates.strategy
				USING ERRCODE = 'no_data_found', HINT = 'Strategies are rows of match_strategy.';
		ELSIF s.entity = 'lead' THEN
			RAISE EXCEPTION 'match strategy "%" is for leads, of which there are no duplicates but those of their contacts', s.strategy
				USING ERRCODE = 'feature_not_supported', HINT = 'Name a strategy for contacts or accounts.';
		ELSIF method IS NULL OR method NOT IN ('average', 'connected', 'best', 'complete') THEN
			RAISE EXCEPTION 'there is no method of clustering "%"', method
				USING ERRCODE = 'invalid_parameter_value', HINT = 'Choose average, connected, best or complete.';
		END IF;
		entity_table := CASE s.entity WHEN 'contact' THEN '@workspace@.contact' ELSE '@workspace@.account' END;
		-- Individual customers are found as the contacts that they are
		organisations := CASE s.entity WHEN 'account' THEN $sql$ AND a.kind = 'organisation' AND b.kind = 'organisation'$sql$ ELSE '' END;
		model := @workspace@.read_match_model(s.strategy);
		IF model IS NULL AND NOT EXISTS (SELECT FROM lead_mgmt.match_rule_kinds(entity_table, s.strategy)) THEN
			RAISE EXCEPTION 'match strategy "%" has neither rules nor a model', s.strategy
				USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Add rules with define_match_rule(), or train it with train_match_strategy().';
		END IF;
		basis := pg_catalog.md5(pg_catalog.concat(model - 'report', (SELECT pg_catalog.string_agg(x, ' ' ORDER BY x)
			FROM (SELECT m::text FROM @workspace@.match_rule m WHERE m.strategy = s.strategy
				UNION ALL SELECT c::text FROM @workspace@.match_condition c JOIN @workspace@.match_rule m ON m.match_rule_id = c.match_rule_id WHERE m.strategy = s.strategy
				UNION ALL SELECT b::text FROM @workspace@.match_bypass b
				UNION ALL SELECT a::text FROM @workspace@.match_alias a) AS y (x))));

		-- What changed is told by the transaction that wrote it, so that none that was under way last time is missed
		EXECUTE pg_catalog.format('SELECT pg_catalog.count(*) FROM %s', entity_table) INTO total;
		SELECT d.* INTO last FROM @workspace@.duplicate_search d WHERE d.strategy = s.strategy;
		incremental := complete IS NOT TRUE AND FOUND AND last.basis = basis
			AND pg_catalog.split_part(last.horizon, ' ', 1) = pg_catalog.split_part(horizon, ' ', 1)
			AND pg_catalog.pg_current_xact_id()::text::bigint - pg_catalog.split_part(last.horizon, ' ', 2)::bigint < 1000000000;
		IF incremental THEN
			-- A contact has its company's name from the account
			EXECUTE pg_catalog.format('SELECT ARRAY(SELECT e.%I FROM %s e %s)', s.entity || '_id', entity_table,
				CASE s.entity WHEN 'contact' THEN 'LEFT JOIN @workspace@.account c ON c.account_id = e.account_id
					WHERE pg_catalog.age(e.xmin)::bigint <= $1 OR pg_catalog.age(c.xmin)::bigint <= $1'
				ELSE 'WHERE pg_catalog.age(e.xmin)::bigint <= $1' END)
				INTO changed
				USING pg_catalog.pg_current_xact_id()::text::bigint - pg_catalog.split_part(last.horizon, ' ', 2)::bigint;
			incremental := pg_catalog.cardinality(changed) <= 1000 + total / 20;
		END IF;

		CREATE TEMPORARY TABLE lead_mgmt_found_pair (left_id bigint, right_id bigint, probability double precision) ON COMMIT DROP;
		IF model IS NOT NULL AND incremental AND s.entity = 'contact' THEN
			INSERT INTO pg_temp.lead_mgmt_found_pair
				SELECT m.left_id, m.right_id, m.probability
				FROM lead_mgmt.match_stored(entity_table, s.strategy, changed, (model ->> 'review_probability')::double precision) m;
		ELSIF model IS NOT NULL THEN
			-- Keys that are worth an index are fewer than a search of all can have
			INSERT INTO pg_temp.lead_mgmt_found_pair
				SELECT LEAST(p.left_id::bigint, p.right_id::bigint), GREATEST(p.left_id::bigint, p.right_id::bigint), p.probability
				FROM lead_mgmt.find_pairs(@workspace@.match_records(s.entity),
					CASE WHEN model ->> 'expected_records' IS NULL THEN model ELSE model - '{keys,expected_records}'::text[] END) p;
		END IF;
		FOR r IN SELECT k.rule, k.kind, i.is_shared FROM lead_mgmt.match_rule_kinds(entity_table, s.strategy) k
				JOIN lead_mgmt.identity_kinds(entity_table) i ON i.kind = k.kind LOOP
			-- Many who share a value are taken for one by none of them: it is the value that says nothing
			IF incremental AND r.is_shared THEN
				EXECUTE pg_catalog.format($sql$
					INSERT INTO pg_temp.lead_mgmt_found_pair
					SELECT LEAST(a.%1$I, b.%1$I), GREATEST(a.%1$I, b.%1$I), 1
					FROM pg_catalog.unnest($3) c (id)
					JOIN %2$s a ON a.%1$I = c.id
					CROSS JOIN LATERAL lead_mgmt.identity_keys(a, ARRAY[$2]) i
					CROSS JOIN LATERAL (SELECT pg_catalog.array_agg(h.%1$I) AS ids FROM %2$s_identity h WHERE h.kind = $2 AND h.value = i.value) k
					JOIN %2$s b ON b.%1$I = ANY (k.ids) AND b.%1$I <> a.%1$I
					WHERE pg_catalog.cardinality(k.ids) <= 64
						AND EXISTS (SELECT FROM lead_mgmt.identity_keys(b, ARRAY[$2]) j WHERE j.value = i.value)
						AND CASE WHEN a.%1$I < b.%1$I THEN lead_mgmt.match_rule_holds($1, a, b) ELSE lead_mgmt.match_rule_holds($1, b, a) END %3$s
					$sql$, s.entity || '_id', '@workspace@.' || s.entity, organisations) USING r.rule, r.kind, changed;
			ELSE
				EXECUTE pg_catalog.format($sql$
					INSERT INTO pg_temp.lead_mgmt_found_pair
					SELECT a.%1$I, b.%1$I, 1
					FROM (SELECT i.value, pg_catalog.array_agg(e.%1$I) AS ids
						FROM %2$s e CROSS JOIN LATERAL lead_mgmt.identity_keys(e, ARRAY[$2]) i
						GROUP BY i.value HAVING pg_catalog.count(*) BETWEEN 2 AND 64) k
					JOIN %2$s a ON a.%1$I = ANY (k.ids)
					JOIN %2$s b ON b.%1$I = ANY (k.ids) AND b.%1$I > a.%1$I
					WHERE lead_mgmt.match_rule_holds($1, a, b) %3$s
					$sql$, s.entity || '_id', entity_table, organisations) USING r.rule, r.kind;
			END IF;
		END LOOP;
		IF incremental THEN
			DELETE FROM @workspace@.duplicate_pair p WHERE p.strategy = s.strategy
				AND (p.left_id = ANY (changed) OR p.right_id = ANY (changed));
			FOREACH side IN ARRAY '{left_id,right_id}'::text[] LOOP
				EXECUTE pg_catalog.format('DELETE FROM @workspace@.duplicate_pair p WHERE p.strategy = $1
					AND NOT EXISTS (SELECT FROM %s e WHERE e.%I = p.%I)', entity_table, s.entity || '_id', side) USING s.strategy;
			END LOOP;
		ELSE
			DELETE FROM @workspace@.duplicate_pair p WHERE p.strategy = s.strategy;
		END IF;
		INSERT INTO @workspace@.duplicate_pair AS p (strategy, left_id, right_id, probability)
			SELECT s.strategy, f.left_id, f.right_id, pg_catalog.max(f.probability)
			FROM pg_temp.lead_mgmt_found_pair f
			GROUP BY f.left_id, f.right_id
			ON CONFLICT ON CONSTRAINT duplicate_pair_pkey DO UPDATE SET probability = EXCLUDED.probability
				WHERE p.probability <> EXCLUDED.probability;
		DROP TABLE pg_temp.lead_mgmt_found_pair;
		IF NOT incremental THEN
			ANALYZE @workspace@.duplicate_pair;
		END IF;

		CREATE TEMPORARY TABLE lead_mgmt_found_member ON COMMIT DROP AS
			SELECT c.id::bigint AS id, c.cluster_id::bigint AS cluster_id
			FROM lead_mgmt.cluster_pairs(
				pg_catalog.format($sql$
					SELECT p.left_id, p.right_id, p.probability FROM @workspace@.duplicate_pair p
					WHERE p.strategy = %1$L AND NOT EXISTS (SELECT FROM @workspace@.standing_match_link l
						WHERE l.entity = %2$L AND l.left_id = p.left_id AND l.right_id = p.right_id)
					UNION ALL SELECT DISTINCT l.left_id, l.right_id, 1.0::pg_catalog.float8 FROM @workspace@.standing_match_link l
					JOIN %3$s a ON a.%4$I = l.left_id
					JOIN %3$s b ON b.%4$I = l.right_id
					WHERE l.entity = %2$L AND l.verdict = 'same'
					$sql$, s.strategy, s.entity, entity_table, s.entity || '_id'),
				method, COALESCE(s.match_probability, 1),
				pg_catalog.format('SELECT l.left_id, l.right_id FROM @workspace@.standing_match_link l WHERE l.entity = %L AND l.verdict = ''different''', s.entity),
				pg_catalog.format('SELECT l.left_id, l.right_id FROM @workspace@.standing_match_link l WHERE l.entity = %L AND l.verdict = ''same''', s.entity)) c;
		DELETE FROM @workspace@.duplicate d WHERE d.strategy = s.strategy
			AND NOT EXISTS (SELECT FROM pg_temp.lead_mgmt_found_member f WHERE f.id = d.id AND f.cluster_id = d.cluster_id);
		INSERT INTO @workspace@.duplicate (strategy, id, cluster_id)
			SELECT s.strategy, f.id, f.cluster_id FROM pg_temp.lead_mgmt_found_member f
			WHERE NOT EXISTS (SELECT FROM @workspace@.duplicate d WHERE d.strategy = s.strategy AND d.id = f.id);
		DROP TABLE pg_temp.lead_mgmt_found_member;
		IF NOT incremental THEN
			ANALYZE @workspace@.duplicate;
		END IF;

		-- What is possible, and joined to nothing, waits for a person
		DELETE FROM @workspace@.match_review v
			WHERE v.status = 'open' AND v.entity = s.entity AND v.strategy = s.strategy AND v.submission_id IS NULL
				AND NOT EXISTS (SELECT FROM @workspace@.duplicate_pair p
					WHERE p.strategy = s.strategy AND p.left_id = v.left_id AND p.right_id = v.right_id);
		DELETE FROM @workspace@.match_review v USING @workspace@.standing_match_link l
			WHERE v.status = 'open' AND v.entity = s.entity AND v.strategy = s.strategy AND v.submission_id IS NULL
				AND l.entity = s.entity AND l.left_id = v.left_id AND l.right_id = v.right_id;
		INSERT INTO @workspace@.match_review (entity, left_id, right_id, strategy, probability)
			SELECT s.entity, p.left_id, p.right_id, s.strategy, p.probability
			FROM @workspace@.duplicate_pair p
			LEFT JOIN @workspace@.duplicate a ON a.strategy = s.strategy AND a.id = p.left_id
			LEFT JOIN @workspace@.duplicate b ON b.strategy = s.strategy AND b.id = p.right_id
			WHERE p.strategy = s.strategy AND (a.cluster_id IS NULL OR a.cluster_id IS DISTINCT FROM b.cluster_id)
				AND NOT EXISTS (SELECT FROM @workspace@.standing_match_link l
					WHERE l.entity = s.entity AND l.left_id = p.left_id AND l.right_id = p.right_id)
				AND NOT EXISTS (SELECT FROM @workspace@.match_review v WHERE v.entity = s.entity AND v.left_id = p.left_id
					AND v.right_id = p.right_id AND (v.status <> 'open' OR v.probability = p.probability))
			ON CONFLICT (entity, left_id, right_id) WHERE right_id IS NOT NULL DO UPDATE SET probability = EXCLUDED.probability
				WHERE match_review.status = 'open' AND match_review.probability IS DISTINCT FROM EXCLUDED.probability;
		SELECT pg_catalog.count(*) INTO pairs FROM @workspace@.duplicate_pair p WHERE p.strategy = s.strategy;
		DELETE FROM @workspace@.duplicate_search d WHERE d.strategy = s.strategy;
		INSERT INTO @workspace@.duplicate_search (strategy, searched_at, was_complete, records, changed, pairs, clusters, took, basis, horizon)
			SELECT s.strategy, started, NOT incremental, total, CASE WHEN incremental THEN pg_catalog.cardinality(changed) ELSE total END,
				pairs, pg_catalog.count(DISTINCT d.cluster_id), pg_catalog.clock_timestamp() - started, basis, horizon
			FROM @workspace@.duplicate d WHERE d.strategy = s.strategy;
		RETURN QUERY
			SELECT d.cluster_id, d.id, (pg_catalog.count(*) OVER (PARTITION BY d.cluster_id))::integer
			FROM @workspace@.duplicate d WHERE d.strategy = s.strategy ORDER BY d.cluster_id, d.id;
	END
	$$;

COMMENT ON FUNCTION @workspace@.find_duplicates(text, text, boolean) IS
	'Find contacts, or accounts that are organisations, that are several records of one, by the rules of a strategy and by its model: one row a member, with the lowest id of its cluster, which stays as others join, and the cluster''s size. Links that people made count as certain, and what they told apart never ends in one cluster. Pairs that are only possible are put up for review. Methods: average (a match links where all that is known of the two clusters speaks for it on average), best (links to a record''s best partner), connected (any chain of matches), complete (only where all are possible matches of each other). From the second time on only what changed since is compared, unless complete or the rules or the model changed; contacts are then looked up by the keys of the model, as captures are, which may find less than a search of all, which chooses keys of its own; the results stand in duplicate, duplicate_pair and duplicate_search. Values that more than 64 share are left out of rules. Errors: no_data_found, feature_not_supported for leads, object_not_in_prerequisite_state for a strategy that says nothing, invalid_parameter_value for an unknown method.';

CREATE OR REPLACE FUNCTION @workspace@.merge_duplicates(strategy text) RETURNS bigint
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		kind text := (SELECT s.entity FROM @workspace@.match_strategy s WHERE s.strategy = merge_duplicates.strategy);
		merged bigint := 0;
		apart bigint[] := '{}';
		r record;
	BEGIN
		IF kind IS NULL THEN
			RAISE EXCEPTION 'there is no match strategy "%"', merge_duplicates.strategy
				USING ERRCODE = 'no_data_found', HINT = 'Strategies are rows of match_strategy.';
		ELSIF kind = 'lead' THEN
			RAISE EXCEPTION 'match strategy "%" is for leads, of which there are no duplicates but those of their contacts', merge_duplicates.strategy
				USING ERRCODE = 'feature_not_supported', HINT = 'Name a strategy for contacts or accounts.';
		END IF;
		FOR r IN EXECUTE pg_catalog.format($sql$
				SELECT d.cluster_id, pg_catalog.array_agg(e.%1$I ORDER BY e.created_at, e.%1$I) AS ids
				FROM @workspace@.duplicate d JOIN @workspace@.%2$I e ON e.%1$I = d.id
				WHERE d.strategy = $1 GROUP BY d.cluster_id HAVING pg_catalog.count(*) > 1 ORDER BY d.cluster_id
				$sql$, kind || '_id', kind) USING merge_duplicates.strategy LOOP
			-- Somebody may have told them apart since they were found
			IF EXISTS (SELECT FROM @workspace@.standing_match_link l WHERE l.entity = kind AND l.verdict = 'different'
					AND l.left_id = ANY (r.ids) AND l.right_id = ANY (r.ids)) THEN
				apart := apart || r.cluster_id;
				CONTINUE;
			ELSIF kind = 'contact' THEN
				PERFORM @workspace@.merge_contacts(r.ids[1], r.ids[2:]);
			ELSE
				PERFORM @workspace@.merge_accounts(r.ids[1], r.ids[2:]);
			END IF;
			merged := merged + 1;
		END LOOP;
		DELETE FROM @workspace@.duplicate d WHERE d.strategy = merge_duplicates.strategy AND d.cluster_id <> ALL (apart);
		IF apart <> '{}' THEN
			RAISE NOTICE 'clusters left alone, as members of them were linked as different since: %', pg_catalog.cardinality(apart)
				USING HINT = 'Run find_duplicates() again.';
		END IF;
		RETURN merged;
	END
	$$;

COMMENT ON FUNCTION @workspace@.merge_duplicates(text) IS
	'Merge what find_duplicates() last found by a strategy, each cluster into its oldest record, but for clusters of which members were linked as different since; returns how many merges were made. Each can be undone by unmerge(). Errors: no_data_found, feature_not_supported for leads.';
