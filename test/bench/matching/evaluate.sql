-- How good found pairs and clusters are. Pairs are a table with left_id,
-- right_id (text), probability and weight; clusters one with id and cluster_id
-- (text); the truth one with id and cluster (text). All true pairs count:
-- those that blocking lost are missed.

SET client_min_messages = warning;
DROP SCHEMA IF EXISTS evaluation CASCADE;
CREATE SCHEMA evaluation;

CREATE FUNCTION evaluation.f1(hits bigint, found bigint, wanted bigint) RETURNS numeric
	LANGUAGE sql IMMUTABLE
	RETURN round(200.0 * hits / nullif(found + wanted, 0), 2);

CREATE FUNCTION evaluation.true_pairs(truth regclass) RETURNS bigint
	LANGUAGE plpgsql STABLE
AS $$
DECLARE
	pairs bigint;
BEGIN
	EXECUTE format('SELECT coalesce(sum(n * (n - 1) / 2), 0) FROM (SELECT count(*) AS n FROM %s GROUP BY cluster) c', truth) INTO pairs;
	RETURN pairs;
END $$;

-- One row: what share of the true pairs was looked at at all; precision,
-- recall and F1 in per cent of the pairs with a probability of at least
-- confident; and at that threshold which would have been best.
CREATE FUNCTION evaluation.pairs(pairs regclass, truth regclass, confident float8 DEFAULT 0.95)
	RETURNS TABLE (true_pairs bigint, looked_at bigint, reached numeric,
		confident_f1 numeric, confident_precision numeric, confident_recall numeric,
		best_f1 numeric, best_precision numeric, best_recall numeric, best_weight float8, best_probability float8)
	LANGUAGE plpgsql
AS $$
DECLARE
	wanted bigint := evaluation.true_pairs(truth);
BEGIN
	RETURN QUERY EXECUTE format($query$
		WITH once AS (
			SELECT least(left_id, right_id) AS a, greatest(left_id, right_id) AS b,
				max(weight) AS weight, max(probability) AS probability
			FROM %1$s WHERE left_id <> right_id GROUP BY 1, 2
		), judged AS (
			SELECT o.weight, o.probability, a.cluster = b.cluster AS hit
			FROM once o JOIN %2$s a ON a.id = o.a JOIN %2$s b ON b.id = o.b
		), steps AS (
			SELECT weight, min(probability) AS probability, count(*) AS found, count(*) FILTER (WHERE hit) AS hits
			FROM judged GROUP BY weight
		), swept AS (
			SELECT weight, probability, (sum(hits) OVER down)::bigint AS hits, (sum(found) OVER down)::bigint AS found
			FROM steps WINDOW down AS (ORDER BY weight DESC)
		), best AS (
			SELECT * FROM swept ORDER BY evaluation.f1(hits, found, $1) DESC, weight DESC LIMIT 1
		), sure AS (
			SELECT count(*) FILTER (WHERE hit) AS hits, count(*) AS found FROM judged WHERE probability >= $2
		)
		SELECT $1, (SELECT count(*) FROM judged),
			round(100.0 * (SELECT count(*) FROM judged WHERE hit) / nullif($1, 0), 2),
			evaluation.f1(s.hits, s.found, $1), round(100.0 * s.hits / nullif(s.found, 0), 2), round(100.0 * s.hits / nullif($1, 0), 2),
			evaluation.f1(b.hits, b.found, $1), round(100.0 * b.hits / nullif(b.found, 0), 2), round(100.0 * b.hits / nullif($1, 0), 2),
			b.weight, b.probability
		FROM sure s LEFT JOIN best b ON true$query$, pairs, truth) USING wanted, confident;
END $$;

-- One row: pairwise precision, recall and F1 of a clustering in per cent.
CREATE FUNCTION evaluation.clusters(clusters regclass, truth regclass)
	RETURNS TABLE (true_pairs bigint, found_pairs bigint, "precision" numeric, recall numeric, f1 numeric)
	LANGUAGE plpgsql
AS $$
DECLARE
	wanted bigint := evaluation.true_pairs(truth);
BEGIN
	RETURN QUERY EXECUTE format($query$
		WITH cells AS (
			SELECT c.cluster_id, t.cluster, count(*) AS n FROM %s c JOIN %s t ON t.id = c.id GROUP BY 1, 2
		), totals AS (
			SELECT (SELECT coalesce(sum(n * (n - 1) / 2), 0) FROM cells)::bigint AS hits,
				(SELECT coalesce(sum(n * (n - 1) / 2), 0) FROM (SELECT sum(n) AS n FROM cells GROUP BY cluster_id) c)::bigint AS found
		)
		SELECT $1, found, round(100.0 * hits / nullif(found, 0), 2), round(100.0 * hits / nullif($1, 0), 2),
			evaluation.f1(hits, found, $1)
		FROM totals$query$, clusters, truth) USING wanted;
END $$;

-- Whether a probability means what it says: in each bin, the mean of the
-- probabilities and the share of true pairs, in per cent.
CREATE FUNCTION evaluation.calibration(pairs regclass, truth regclass)
	RETURNS TABLE (at_least numeric, found bigint, said numeric, true_share numeric)
	LANGUAGE plpgsql
AS $$
BEGIN
	RETURN QUERY EXECUTE format($query$
		SELECT bins[width_bucket(p.probability, bins::float8[])], count(*),
			round(100 * avg(p.probability)::numeric, 2), round(100.0 * count(*) FILTER (WHERE a.cluster = b.cluster) / count(*), 2)
		FROM %1$s p JOIN %2$s a ON a.id = p.left_id JOIN %2$s b ON b.id = p.right_id,
			(SELECT '{0, 0.01, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999}'::numeric[] AS bins) bin
		GROUP BY 1 ORDER BY 1$query$, pairs, truth);
END $$;

-- The connected components of the pairs above a threshold, by union-find with
-- path halving; ids that are in no pair are left out.
CREATE FUNCTION evaluation.components(pairs regclass, at_least_weight float8)
	RETURNS TABLE (id text, cluster_id text)
	LANGUAGE plpgsql SET client_min_messages = warning
AS $$
DECLARE
	parent integer[];
	edge record;
	a integer;
	b integer;
BEGIN
	DROP TABLE IF EXISTS component_node, component_edge;
	EXECUTE format('CREATE TEMP TABLE component_edge AS SELECT left_id, right_id FROM %s WHERE weight >= $1 AND left_id <> right_id', pairs)
		USING at_least_weight;
	CREATE TEMP TABLE component_node AS
		SELECT node.id, row_number() OVER () ::integer AS number
		FROM (SELECT left_id AS id FROM component_edge UNION SELECT right_id FROM component_edge) node;
	ANALYZE component_node, component_edge;
	SELECT array_agg(g) INTO parent FROM generate_series(1, (SELECT count(*) FROM component_node)) g;
	FOR edge IN SELECT l.number AS a, r.number AS b FROM component_edge e
		JOIN component_node l ON l.id = e.left_id JOIN component_node r ON r.id = e.right_id
	LOOP
		a := edge.a;
		b := edge.b;
		WHILE parent[a] <> a LOOP
			parent[a] := parent[parent[a]];
			a := parent[a];
		END LOOP;
		WHILE parent[b] <> b LOOP
			parent[b] := parent[parent[b]];
			b := parent[b];
		END LOOP;
		IF a <> b THEN
			parent[greatest(a, b)] := least(a, b);
		END IF;
	END LOOP;
	FOR i IN 1 .. coalesce(cardinality(parent), 0) LOOP
		parent[i] := parent[parent[i]];
	END LOOP;
	RETURN QUERY SELECT n.id, parent[n.number]::text FROM component_node n;
	DROP TABLE component_node, component_edge;
END $$;

-- The clustering by connected components that would have been best: one row a
-- threshold, best first.
CREATE FUNCTION evaluation.best_components(pairs regclass, truth regclass, thresholds integer DEFAULT 24)
	RETURNS TABLE (weight float8, found_pairs bigint, "precision" numeric, recall numeric, f1 numeric)
	LANGUAGE plpgsql SET client_min_messages = warning
AS $$
DECLARE
	threshold float8;
BEGIN
	DROP TABLE IF EXISTS component, component_quality;
	CREATE TEMP TABLE component_quality (weight float8, found_pairs bigint, "precision" numeric, recall numeric, f1 numeric);
	CREATE TEMP TABLE component (id text, cluster_id text);
	-- Thresholds at equal shares of the weights around which as many pairs are
	-- found as there are true ones.
	FOR threshold IN EXECUTE format($query$
		SELECT DISTINCT percentile_disc(share) WITHIN GROUP (ORDER BY p.weight DESC)
		FROM (SELECT p.weight FROM %s p ORDER BY p.weight DESC LIMIT 3 * $1) p,
			(SELECT g::float8 / $2 AS share FROM generate_series(1, $2) g) shares
		GROUP BY share$query$, pairs) USING evaluation.true_pairs(truth), thresholds
	LOOP
		TRUNCATE component;
		INSERT INTO component SELECT * FROM evaluation.components(pairs, threshold);
		INSERT INTO component_quality SELECT threshold, c.found_pairs, c."precision", c.recall, c.f1
		FROM evaluation.clusters('component', truth) c;
	END LOOP;
	RETURN QUERY SELECT * FROM component_quality q ORDER BY q.f1 DESC NULLS LAST;
	DROP TABLE component, component_quality;
END $$;
