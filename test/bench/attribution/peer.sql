-- Six models by window functions, as one would write them by hand.
SELECT channel, sum(first) AS first, sum(last) AS last, sum(linear) AS linear, sum(u) AS u_shaped, sum(j) AS j_shaped, sum(decay) AS time_decay
FROM (
	SELECT channel, CASE WHEN p = 1 THEN value ELSE 0 END AS first, CASE WHEN p = n THEN value ELSE 0 END AS last,
		value / n AS linear,
		value * CASE n WHEN 1 THEN 1 WHEN 2 THEN 0.5 ELSE CASE WHEN p IN (1, n) THEN 0.4 ELSE 0.2 / (n - 2) END END AS u,
		value * CASE n WHEN 1 THEN 1 WHEN 2 THEN CASE p WHEN 1 THEN 0.25 ELSE 0.75 END
			ELSE CASE p WHEN 1 THEN 0.2 WHEN n THEN 0.6 ELSE 0.2 / (n - 2) END END AS j,
		value * weight / sum(weight) OVER (PARTITION BY journey) AS decay
	FROM (
		SELECT t.journey, t.channel, c.value::float8 AS value,
			row_number() OVER (PARTITION BY t.journey ORDER BY t.occurred_at) AS p,
			count(*) OVER (PARTITION BY t.journey) AS n,
			power(2, -extract(epoch FROM c.converted_at - t.occurred_at)::float8 / 604800) AS weight
		FROM touch t JOIN conversion c USING (journey)
		WHERE t.occurred_at <= c.converted_at
	) x
) y GROUP BY channel ORDER BY channel
