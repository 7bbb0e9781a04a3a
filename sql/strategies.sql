-- Match strategies
--
-- The planner settings make the kept plans of these functions walk indexes
-- from the values at hand, however small the tables were when they were made.

CREATE FUNCTION lead_mgmt.match_fields(OUT entity text, OUT field text, OUT normal_form text, OUT makes_key boolean) RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 30;

COMMENT ON FUNCTION lead_mgmt.match_fields() IS
	'The fields that conditions of match rules may name: for which entity, the form in which values are compared, and whether equal values can be looked up (makes_key). attributes.NAME stands for any custom attribute.';

CREATE FUNCTION lead_mgmt.match_comparators(OUT comparator text, OUT meaning text, OUT makes_key boolean, OUT is_graded boolean) RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 10;

COMMENT ON FUNCTION lead_mgmt.match_comparators() IS
	'The comparators that conditions of match rules may name: what they mean, whether what they find equal can be looked up (makes_key), and whether they give a similarity, for which the condition needs at_least (is_graded).';

CREATE FUNCTION lead_mgmt.match_profile(contact_table regclass, profile jsonb, strategy text,
		OUT contact_id bigint, OUT probability double precision, OUT outcome text, OUT strategy_name text, OUT rule bigint, OUT explanation jsonb)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 1 COST 1000 SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off;

COMMENT ON FUNCTION lead_mgmt.match_profile(regclass, jsonb, text) IS
	'What match_contact() of the workspace that the table belongs to returns; the strategy may be NULL for those of the form "default". Reads with the rights of its caller.';

CREATE FUNCTION lead_mgmt.identity_keys(entity_row record, kinds text[], OUT kind text, OUT value text) RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED ROWS 2 COST 100 SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.identity_keys(record, text[]) IS
	'The values that a row of contact or account has for some kinds of identity, as contact_identity and account_identity hold them; no row for a kind that needs a field which is blank. For refresh_identity().';

CREATE FUNCTION lead_mgmt.identity_kinds(entity_table regclass, OUT kind text, OUT fields text[], OUT is_base boolean, OUT is_shared boolean, OUT source_kind text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED ROWS 5 COST 100 SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.identity_kinds(regclass) IS
	'The kinds of identity that the match rules of a workspace call for, of its table contact or account: the fields each is made of, whether it is kept whatever the rules say (is_base), whether several may share a value (is_shared), and the base kind that it is another form of, NULL for most. For refresh_identity().';

CREATE FUNCTION lead_mgmt.identity_value(entity_table regclass, kind text, value text) RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 100 SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.identity_value(regclass, text, text) IS
	'What a value of one field is as a value of a kind of identity, aliases followed; NULL when it identifies nobody, or for a kind of several fields. For refresh_identity().';

CREATE FUNCTION lead_mgmt.guard_match_condition() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.guard_match_condition() IS
	'Trigger function: refuses a condition of a match rule whose field or comparator does not exist, or that do not go together.';

CREATE FUNCTION lead_mgmt.guard_match_value() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.guard_match_value() IS
	'Trigger function: brings bypass values and aliases into the normal form of their field. Arguments: the columns that hold values.';

-- What keeps the rows of strategies sound
--
-- These work for any workspace, and for one whose schema was renamed: they
-- take its name from the table that they are called for.

CREATE FUNCTION lead_mgmt.refresh_identity(contact_table regclass, fields text[], aliases text[]) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		workspace text := (SELECT pg_catalog.quote_ident(n.nspname) FROM pg_catalog.pg_class c
			JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = contact_table);
		what text;
		needed text[];
		missing text[];
		stale text[];
	BEGIN
		FOREACH what IN ARRAY '{account,contact}'::text[] LOOP
			EXECUTE pg_catalog.format($sql$
				SELECT ARRAY(SELECT k.kind FROM lead_mgmt.identity_kinds(%2$L) k
					WHERE k.fields && $1 OR NOT EXISTS (SELECT FROM %1$s.identity_kind i WHERE i.entity = $2 AND i.kind = k.kind))
				$sql$, workspace, workspace || '.' || what) INTO needed USING fields, what;
			EXECUTE pg_catalog.format($sql$
				SELECT ARRAY(SELECT i.kind FROM %1$s.identity_kind i
					WHERE i.entity = $2 AND NOT EXISTS (SELECT FROM lead_mgmt.identity_kinds(%2$L) k
						WHERE k.kind = i.kind AND (k.is_base OR k.kind <> ALL ($1))))
				$sql$, workspace, workspace || '.' || what) INTO stale USING needed, what;
			CONTINUE WHEN needed = '{}' AND stale = '{}';

			-- Rows that are written meanwhile would miss the new kinds.
			EXECUTE pg_catalog.format('LOCK TABLE %1$s.%2$I, %1$s.%3$I IN SHARE ROW EXCLUSIVE MODE', workspace, what, what || '_identity');
			EXECUTE pg_catalog.format('DELETE FROM %1$s.%2$I WHERE kind = ANY ($1)', workspace, what || '_identity') USING stale;

			-- Values that have another normal form now; new aliases are all there is to them
			EXECUTE pg_catalog.format($sql$
				SELECT ARRAY(SELECT k.kind FROM lead_mgmt.identity_kinds(%2$L) k
					WHERE k.kind = ANY ($1) AND NOT (k.is_base AND $2 IS NOT NULL
						AND EXISTS (SELECT FROM %1$s.identity_kind i WHERE i.entity = $3 AND i.kind = k.kind)))
				$sql$, workspace, workspace || '.' || what) INTO missing USING needed, aliases, what;
			EXECUTE pg_catalog.format($sql$
				WITH moved AS (
					DELETE FROM %1$s.%2$I i USING lead_mgmt.identity_kinds(%4$L) k
					WHERE k.is_base AND k.kind = ANY ($1) AND i.kind = k.kind AND ($2 IS NULL OR i.value = ANY ($2))
						AND lead_mgmt.identity_value(%4$L, i.kind, i.value) <> i.value
					RETURNING i.kind, lead_mgmt.identity_value(%4$L, i.kind, i.value) AS value, i.%3$I AS id
				)
				INSERT INTO %1$s.%2$I (kind, value, holder, %3$I)
				SELECT m.kind, m.value,
					CASE WHEN pg_catalog.row_number() OVER (PARTITION BY m.kind, m.value ORDER BY m.id) = 1 AND NOT EXISTS (
						SELECT FROM %1$s.%2$I f WHERE f.kind = m.kind AND f.value = m.value AND f.holder = 0)
					THEN 0 ELSE m.id END, m.id
				FROM moved m
				WHERE NOT EXISTS (
					SELECT FROM %1$s.%2$I h WHERE h.kind = m.kind AND h.value = m.value AND h.%3$I = m.id)
				ON CONFLICT DO NOTHING
				$sql$, workspace, what || '_identity', what || '_id', workspace || '.' || what) USING needed, aliases;

			-- What is missing: the rows' own values, and other forms of values kept already
			EXECUTE pg_catalog.format($sql$
				INSERT INTO %1$s.%2$I (kind, value, holder, %3$I)
				SELECT v.kind, v.value,
					CASE WHEN v.place = 1 AND NOT EXISTS (
						SELECT FROM %1$s.%2$I f WHERE f.kind = v.kind AND f.value = v.value AND f.holder = 0)
					THEN 0 ELSE v.id END, v.id
				FROM (
					SELECT s.kind, s.value, s.id, s.is_shared,
						pg_catalog.row_number() OVER (PARTITION BY s.kind, s.value ORDER BY s.id) AS place
					FROM (
						SELECT k.kind, x.value, r.%3$I AS id, k.is_shared
						FROM %1$s.%4$I r
						CROSS JOIN LATERAL lead_mgmt.identity_keys(r, $1) x
						JOIN lead_mgmt.identity_kinds(%5$L) k ON k.kind = x.kind
						UNION
						SELECT k.kind, lead_mgmt.identity_value(%5$L, k.kind, i.value), i.%3$I, k.is_shared
						FROM lead_mgmt.identity_kinds(%5$L) k
						JOIN %1$s.%2$I i ON i.kind = k.source_kind
						WHERE k.kind = ANY ($1)
					) s
					WHERE s.value IS NOT NULL
				) v
				WHERE v.place <= CASE WHEN v.is_shared THEN 64 ELSE 1 END AND NOT EXISTS (
					SELECT FROM %1$s.%2$I h WHERE h.kind = v.kind AND h.value = v.value AND (h.%3$I = v.id OR NOT v.is_shared))
				ON CONFLICT DO NOTHING
				$sql$, workspace, what || '_identity', what || '_id', what, workspace || '.' || what) USING missing;

			EXECUTE pg_catalog.format('DELETE FROM %s.identity_kind WHERE entity = $1 AND kind = ANY ($2)', workspace) USING what, stale;
			EXECUTE pg_catalog.format('INSERT INTO %s.identity_kind (entity, kind) SELECT $1, pg_catalog.unnest($2) ON CONFLICT DO NOTHING', workspace)
				USING what, needed;
		END LOOP;
	END
	$$;

COMMENT ON FUNCTION lead_mgmt.refresh_identity(regclass, text[], text[]) IS
	'What refresh_identity() of the workspace that the table belongs to does. When aliases is not NULL, they are values of the fields that have become aliases, and nothing else has changed.';

CREATE FUNCTION lead_mgmt.match_rules_changed() RETURNS trigger
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		workspace text := pg_catalog.quote_ident(TG_TABLE_SCHEMA);
		bad record;
	BEGIN
		EXECUTE pg_catalog.format($sql$
			SELECT r.match_rule_id, r.strategy, s.entity
			FROM %1$s.match_rule r JOIN %1$s.match_strategy s ON s.strategy = r.strategy
			WHERE EXISTS (SELECT FROM %1$s.match_condition c WHERE c.match_rule_id = r.match_rule_id)
				AND NOT EXISTS (
					SELECT FROM %1$s.match_condition c
					JOIN lead_mgmt.match_fields() f ON f.entity = s.entity
						AND (f.field = c.field OR f.field = 'attributes.NAME' AND c.field LIKE 'attributes.%%')
					JOIN lead_mgmt.match_comparators() m ON m.comparator = c.comparator
					WHERE c.match_rule_id = r.match_rule_id AND f.makes_key AND m.makes_key AND NOT c.is_exception
						AND CASE s.entity WHEN 'lead' THEN c.field = 'contact' ELSE c.when_blank <> 'ignore' END)
			ORDER BY r.match_rule_id LIMIT 1
			$sql$, workspace) INTO bad;
		IF bad.entity = 'lead' THEN
			RAISE EXCEPTION 'match rule % of strategy "%" does not compare "contact"', bad.match_rule_id, bad.strategy
				USING ERRCODE = 'check_violation', HINT = 'Only leads of the record''s own contact can be matched: add the condition "contact", exact.';
		ELSIF bad.entity IS NOT NULL THEN
			RAISE EXCEPTION 'match rule % of strategy "%" has no condition that can be looked up', bad.match_rule_id, bad.strategy
				USING ERRCODE = 'check_violation',
					HINT = 'Add, in the same statement or before, a condition that must be equal: a field and comparator marked makes_key in lead_mgmt.match_fields() and match_comparators(), which does not ignore blanks.';
		END IF;

		EXECUTE pg_catalog.format($sql$
			SELECT r.match_rule_id, r.strategy, pg_catalog.count(*) AS parts
			FROM %1$s.match_rule r JOIN %1$s.match_condition c ON c.match_rule_id = r.match_rule_id
			WHERE NOT c.is_exception GROUP BY 1, 2 HAVING pg_catalog.count(*) > 8 LIMIT 1
			$sql$, workspace) INTO bad;
		IF bad.strategy IS NOT NULL THEN
			RAISE EXCEPTION 'match rule % of strategy "%" has % conditions', bad.match_rule_id, bad.strategy, bad.parts
				USING ERRCODE = 'program_limit_exceeded', HINT = 'A rule can have 8, exceptions aside.';
		END IF;

		EXECUTE pg_catalog.format($sql$
			SELECT s.strategy, s.is_default
			FROM %1$s.match_strategy s
			WHERE s.is_active AND s.match_probability IS NULL
				AND (s.is_default OR EXISTS (SELECT FROM %1$s.form_strategy f WHERE f.strategy = s.strategy))
				AND NOT EXISTS (
					SELECT FROM %1$s.match_rule r JOIN %1$s.match_condition c ON c.match_rule_id = r.match_rule_id
					WHERE r.strategy = s.strategy AND r.is_active AND NOT c.is_exception)
			ORDER BY s.strategy LIMIT 1
			$sql$, workspace) INTO bad;
		IF bad.strategy IS NOT NULL THEN
			RAISE EXCEPTION 'match strategy "%" has no rules', bad.strategy
				USING ERRCODE = 'object_not_in_prerequisite_state',
					HINT = CASE WHEN bad.is_default THEN 'A default strategy needs one: add the new before you drop the old.'
						ELSE 'Add one with define_match_rule() before a form uses it.' END;
		END IF;

		SELECT pg_catalog.max(n.kinds) AS kinds INTO bad FROM (
			SELECT pg_catalog.count(*) FROM lead_mgmt.identity_kinds((workspace || '.contact')::pg_catalog.regclass)
			UNION ALL
			SELECT pg_catalog.count(*) FROM lead_mgmt.identity_kinds((workspace || '.account')::pg_catalog.regclass)) AS n (kinds);
		IF bad.kinds > 60 THEN
			RAISE EXCEPTION 'the match rules look up % combinations of fields', bad.kinds
				USING ERRCODE = 'program_limit_exceeded', HINT = 'There can be 60: let rules share combinations.';
		END IF;
		PERFORM lead_mgmt.refresh_identity((workspace || '.contact')::pg_catalog.regclass, NULL, NULL);
		RETURN NULL;
	END
	$$;

COMMENT ON FUNCTION lead_mgmt.match_rules_changed() IS
	'Trigger function: refuses match rules that cannot be looked up and strategies in use without rules, and refreshes the identity rows. Errors: check_violation, object_not_in_prerequisite_state, program_limit_exceeded.';

CREATE FUNCTION lead_mgmt.match_values_changed() RETURNS trigger
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	BEGIN
		-- A value that is bypassed from now on is looked up no more.
		IF TG_OP <> 'INSERT' OR TG_TABLE_NAME <> 'match_bypass' THEN
			PERFORM lead_mgmt.refresh_identity(pg_catalog.format('%I.contact', TG_TABLE_SCHEMA)::pg_catalog.regclass,
				ARRAY(SELECT DISTINCT c.field FROM changed c),
				CASE TG_OP WHEN 'INSERT' THEN ARRAY(SELECT c.value FROM changed c) END);
		END IF;
		RETURN NULL;
	END
	$$;

COMMENT ON FUNCTION lead_mgmt.match_values_changed() IS
	'Trigger function: refreshes the identity rows after aliases or bypass values changed.';

CREATE FUNCTION lead_mgmt.guard_match_alias() RETURNS trigger
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		way text[] := ARRAY[new.value, new.canonical];
		step text := new.canonical;
		before text := CASE WHEN TG_OP = 'UPDATE' AND old.field = new.field THEN old.value END;
	BEGIN
		IF new.value = new.canonical THEN
			RAISE EXCEPTION 'alias "%" of field "%" stands for itself', new.value, new.field
				USING ERRCODE = 'check_violation', HINT = 'Both are the same in normal form, so that no alias is needed.';
		END IF;
		-- Two sessions could close a circle between them.
		EXECUTE pg_catalog.format('LOCK TABLE %I.match_alias IN SHARE ROW EXCLUSIVE MODE', TG_TABLE_SCHEMA);
		LOOP
			EXECUTE pg_catalog.format('SELECT a.canonical FROM %I.match_alias a WHERE a.field = $1 AND a.value = $2 AND a.value IS DISTINCT FROM $3',
				TG_TABLE_SCHEMA) INTO step USING new.field, step, before;
			EXIT WHEN step IS NULL;
			way := way || step;
			IF step = new.value THEN
				RAISE EXCEPTION 'alias "%" of field "%" leads back to itself', new.value, new.field
					USING ERRCODE = 'check_violation', DETAIL = pg_catalog.array_to_string(way, ' -> ');
			END IF;
		END LOOP;
		RETURN new;
	END
	$$;

COMMENT ON FUNCTION lead_mgmt.guard_match_alias() IS
	'Trigger function: refuses aliases that lead back to themselves, naming the way. Error: check_violation.';

CREATE FUNCTION lead_mgmt.match_chain(workspace name, entity text, first bigint, last bigint, without bigint[]) RETURNS text
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		reached bigint[] := ARRAY[first];
		came_from bigint[] := ARRAY[NULL::bigint];
		edge bigint[] := ARRAY[first];
		further record;
		step bigint := last;
		chain text;
	BEGIN
		WHILE last <> ALL (reached) LOOP
			EXECUTE pg_catalog.format($sql$
				SELECT pg_catalog.array_agg(n.id) AS ids, pg_catalog.array_agg(n.parent) AS parents
				FROM (
					SELECT DISTINCT ON (o.id) o.id, o.parent
					FROM (
						SELECT l.right_id, l.left_id, ARRAY[l.left_id, l.right_id] FROM %1$I.match_link l
						WHERE l.entity = $1 AND l.verdict = 'same' AND l.left_id = ANY ($2)
						UNION ALL
						SELECT l.left_id, l.right_id, ARRAY[l.left_id, l.right_id] FROM %1$I.match_link l
						WHERE l.entity = $1 AND l.verdict = 'same' AND l.right_id = ANY ($2)
						UNION ALL
						SELECT m.survivor_id, m.old_id, '{}' FROM %1$I.entity_redirect m WHERE m.entity = $1 AND m.old_id = ANY ($2)
						UNION ALL
						SELECT m.old_id, m.survivor_id, '{}' FROM %1$I.entity_redirect m WHERE m.entity = $1 AND m.survivor_id = ANY ($2)) AS o (id, parent, pair)
					WHERE o.id <> ALL ($3) AND o.pair IS DISTINCT FROM $4
				) n
				$sql$, workspace) INTO further USING entity, edge, reached, without;
			EXIT WHEN further.ids IS NULL;
			reached := reached || further.ids;
			came_from := came_from || further.parents;
			edge := further.ids;
		END LOOP;
		WHILE step IS NOT NULL LOOP
			chain := pg_catalog.concat_ws(' = ', step, chain);
			step := came_from[pg_catalog.array_position(reached, step)];
		END LOOP;
		RETURN chain;
	END
	$$;

COMMENT ON FUNCTION lead_mgmt.match_chain(name, text, bigint, bigint, bigint[]) IS
	'The shortest chain of links and merges that makes two ids the same, such as 1 = 2 = 3, without regard to one pair. For guard_match_link().';

CREATE FUNCTION lead_mgmt.guard_match_link() RETURNS trigger
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		replaced bigint[] := CASE TG_OP WHEN 'UPDATE' THEN ARRAY[old.left_id, old.right_id] END;
		met bigint[];
		missing bigint;
	BEGIN
		IF new.left_id IS NULL OR new.right_id IS NULL OR new.entity IS NULL OR new.entity NOT IN ('contact', 'account', 'lead') THEN
			RETURN new;	-- for the columns' own constraints to refuse
		ELSIF new.left_id = new.right_id THEN
			RAISE EXCEPTION '% % cannot be linked to itself', new.entity, new.left_id USING ERRCODE = 'check_violation';
		ELSIF new.left_id > new.right_id THEN
			SELECT new.right_id, new.left_id INTO new.left_id, new.right_id;
		END IF;
		IF TG_OP = 'INSERT' OR (old.entity, old.left_id, old.right_id) IS DISTINCT FROM (new.entity, new.left_id, new.right_id) THEN
			EXECUTE pg_catalog.format($sql$
				SELECT i.id FROM (VALUES ($2), ($3)) i (id)
				WHERE NOT EXISTS (SELECT FROM %1$I.%2$I e WHERE e.%3$I = i.id)
					AND NOT EXISTS (SELECT FROM %1$I.entity_redirect m WHERE m.entity = $1 AND m.old_id = i.id)
				ORDER BY i.id LIMIT 1
				$sql$, TG_TABLE_SCHEMA, new.entity, new.entity || '_id') INTO missing USING new.entity, new.left_id, new.right_id;
			IF missing IS NOT NULL THEN
				RAISE EXCEPTION 'there is no % %', new.entity, missing
					USING ERRCODE = 'foreign_key_violation', HINT = 'A link is between two that are there, or were merged into others.';
			END IF;
		END IF;
		-- Two sessions could contradict each other.
		EXECUTE pg_catalog.format('LOCK TABLE %I.match_link IN SHARE ROW EXCLUSIVE MODE', TG_TABLE_SCHEMA);
		EXECUTE pg_catalog.format($sql$
			WITH RECURSIVE reached (side, id) AS (
				VALUES (1, $2), (2, $3)
				UNION
				SELECT r.side, o.id
				FROM reached r
				CROSS JOIN LATERAL (
					SELECT l.right_id FROM %1$I.match_link l
					WHERE l.entity = $1 AND l.left_id = r.id AND l.verdict = 'same' AND ARRAY[l.left_id, l.right_id] IS DISTINCT FROM $4
					UNION ALL
					SELECT l.left_id FROM %1$I.match_link l
					WHERE l.entity = $1 AND l.right_id = r.id AND l.verdict = 'same' AND ARRAY[l.left_id, l.right_id] IS DISTINCT FROM $4
					UNION ALL
					SELECT m.survivor_id FROM %1$I.entity_redirect m WHERE m.entity = $1 AND m.old_id = r.id
					UNION ALL
					SELECT m.old_id FROM %1$I.entity_redirect m WHERE m.entity = $1 AND m.survivor_id = r.id
				) o (id)
			)
			SELECT CASE $5 WHEN 'different' THEN
				(SELECT ARRAY[$3, $3] FROM reached r WHERE r.side = 1 AND r.id = $3)
			ELSE
				(SELECT ARRAY[a.id, b.id] FROM reached a
				 JOIN %1$I.match_link l ON l.entity = $1 AND l.verdict = 'different' AND a.id IN (l.left_id, l.right_id)
					AND ARRAY[l.left_id, l.right_id] IS DISTINCT FROM $4
				 JOIN reached b ON b.side = 2 AND b.id = l.left_id + l.right_id - a.id
				 WHERE a.side = 1 LIMIT 1)
			END
			$sql$, TG_TABLE_SCHEMA) INTO met USING new.entity, new.left_id, new.right_id, replaced, new.verdict;
		IF met IS NULL THEN
			RETURN new;
		END IF;
		RAISE EXCEPTION '% % cannot be % %: that contradicts earlier decisions', new.entity, new.left_id,
			CASE new.verdict WHEN 'same' THEN 'the same as' ELSE 'different from' END, new.right_id
			USING ERRCODE = 'check_violation',
				DETAIL = lead_mgmt.match_chain(TG_TABLE_SCHEMA, new.entity, new.left_id, met[1], replaced) ||
					CASE new.verdict WHEN 'same' THEN ' <> ' || lead_mgmt.match_chain(TG_TABLE_SCHEMA, new.entity, met[2], new.right_id, replaced) ELSE '' END,
				HINT = 'Change the earlier rows of match_link first, or undo the merges.';
	END
	$$;

COMMENT ON FUNCTION lead_mgmt.guard_match_link() IS
	'Trigger function: puts the lower id of a link first, and refuses a link of what is not there, and one that contradicts others, or merges, directly or through several. Errors: foreign_key_violation, check_violation with the chain as detail.';

CREATE FUNCTION lead_mgmt.keep_default_strategy() RETURNS trigger
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		marked text[] := '{}';
		others text[];
		bad text;
	BEGIN
		IF TG_OP = 'DELETE' THEN
			RAISE EXCEPTION 'match strategy "%" is the default and cannot be deleted', old.strategy
				USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Mark another as the default, which takes the mark from this one.';
		END IF;
		EXECUTE pg_catalog.format('LOCK TABLE %I.match_strategy IN SHARE ROW EXCLUSIVE MODE', TG_TABLE_SCHEMA);
		IF TG_OP = 'INSERT' THEN
			marked := ARRAY(SELECT i.strategy FROM inserted i WHERE i.is_default);
		ELSE
			marked := ARRAY(SELECT u.strategy FROM updated u WHERE u.is_default
				AND NOT EXISTS (SELECT FROM before b WHERE b.strategy = u.strategy AND b.is_default));
		END IF;
		EXECUTE pg_catalog.format($sql$
			SELECT ARRAY(SELECT s.strategy FROM %1$I.match_strategy s JOIN %1$I.match_strategy m ON m.entity = s.entity
				WHERE m.strategy = ANY ($1) AND s.is_default AND s.strategy <> ALL ($1))
			$sql$, TG_TABLE_SCHEMA) INTO others USING marked;
		IF others <> '{}' THEN
			EXECUTE pg_catalog.format('UPDATE %I.match_strategy SET is_default = false WHERE strategy = ANY ($1)', TG_TABLE_SCHEMA) USING others;
		END IF;
		IF TG_OP = 'UPDATE' THEN
			EXECUTE pg_catalog.format($sql$
				SELECT b.strategy FROM before b
				WHERE b.is_default AND NOT EXISTS (SELECT FROM %I.match_strategy s WHERE s.entity = b.entity AND s.is_default) LIMIT 1
				$sql$, TG_TABLE_SCHEMA) INTO bad;
			IF bad IS NOT NULL THEN
				RAISE EXCEPTION 'match strategy "%" is the default and cannot be unmarked', bad
					USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Mark another as the default, which takes the mark from this one.';
			END IF;
		END IF;
		EXECUTE pg_catalog.format('SELECT s.entity FROM %I.match_strategy s WHERE s.is_default GROUP BY 1 HAVING pg_catalog.count(*) > 1 LIMIT 1',
			TG_TABLE_SCHEMA) INTO bad;
		IF bad IS NOT NULL THEN
			RAISE EXCEPTION 'only one match strategy for % can be the default', bad USING ERRCODE = 'unique_violation';
		END IF;
		RETURN NULL;
	END
	$$;

COMMENT ON FUNCTION lead_mgmt.keep_default_strategy() IS
	'Trigger function: sees to it that each entity has exactly one default match strategy. Errors: object_not_in_prerequisite_state, unique_violation.';

CREATE FUNCTION lead_mgmt.give_strategies() RETURNS trigger
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	BEGIN
		EXECUTE pg_catalog.format($sql$
			INSERT INTO %1$I.form_strategy (form, entity, strategy)
			SELECT $1, s.entity, s.strategy FROM %1$I.match_strategy s WHERE s.is_default ON CONFLICT DO NOTHING
			$sql$, TG_TABLE_SCHEMA) USING new.form;
		RETURN NULL;
	END
	$$;

COMMENT ON FUNCTION lead_mgmt.give_strategies() IS
	'Trigger function: gives a new form the default match strategies.';

-- Match models of a workspace

CREATE FUNCTION lead_mgmt.match_records(entity_table regclass) RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 1000 SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.match_records(regclass) IS
	'What match_records() of the workspace returns for its table contact or account.';

CREATE FUNCTION lead_mgmt.match_value(entity_table regclass, field text, value text) RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 50 SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.match_value(regclass, text, text) IS
	'What a value of a column of match_records() counts as: NULL when match_bypass has it, what match_alias says, else the value itself. Error: undefined_column.';

CREATE FUNCTION lead_mgmt.match_indexes(contact_table regclass, OUT name text, OUT expression text) RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 10000 ROWS 10 SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.match_indexes(regclass) IS
	'The indexes of the table contact by which the blocking keys of the workspace''s match models are looked up: names and expressions. For index_match_keys(). Keys that take what another table holds have none.';

CREATE FUNCTION lead_mgmt.match_stored(contact_table regclass, strategy text, ids bigint[], at_least double precision,
		OUT left_id bigint, OUT right_id bigint, OUT probability double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 100000 ROWS 1000 SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off;

COMMENT ON FUNCTION lead_mgmt.match_stored(regclass, text, bigint[], double precision) IS
	'The pairs that some contacts make with any contact, with at least a probability by the model of a strategy, through the indexes of its keys; a pair of two of them comes twice. For find_duplicates(). Errors: object_not_in_prerequisite_state when the strategy has no model that works, numeric_value_out_of_range.';

CREATE FUNCTION lead_mgmt.match_rule_kinds(entity_table regclass, strategy text, OUT rule bigint, OUT kind text, OUT compares boolean) RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 100 ROWS 5 SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.match_rule_kinds(regclass, text) IS
	'The rules of a strategy for contacts or accounts: the kind of identity that each looks up, and whether it compares more than that. For find_duplicates().';

CREATE FUNCTION lead_mgmt.match_rule_holds(rule bigint, left_row record, right_row record) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 100 SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.match_rule_holds(bigint, record, record) IS
	'Whether an active match rule takes two rows of contact, or of account, for one. For find_duplicates().';
