-- Scores as they are now.

CREATE OR REPLACE VIEW @workspace@.lead_score WITH (security_invoker = true) AS
SELECT
	n.lead_id,
	n.model,
	n.fit,
	n.engagement,
	n.score,
	(SELECT g.grade
	 FROM @workspace@.scoring_grade g
	 WHERE g.model = n.model AND g.from_score <= n.score
	 ORDER BY g.from_score DESC
	 LIMIT 1) AS grade,
	m.sales_ready_threshold,
	n.score >= m.sales_ready_threshold AS is_sales_ready,
	n.scored_at,
	CASE WHEN m.kind <> 'rules' THEN n.score / 100 END AS probability,
	n.is_override
FROM (
	SELECT
		s.lead_id,
		s.model,
		s.fit,
		h.engagement,
		COALESCE(s.override, s.fit + h.engagement) AS score,
		s.override IS NOT NULL AS is_override,
		s.scored_at
	FROM @workspace@.score s
	CROSS JOIN LATERAL (SELECT lead_mgmt.heat_at(s.engagement, pg_catalog.now()) AS engagement) h
) n
JOIN @workspace@.scoring_model m ON m.model = n.model
JOIN @workspace@.lead l ON l.lead_id = n.lead_id;

COMMENT ON VIEW @workspace@.lead_score IS
	'The score of each lead with its grade, as it is now. One row a lead and model that has scored it; a lead without contact or account has none.';
COMMENT ON COLUMN @workspace@.lead_score.lead_id IS 'Key of the lead';
COMMENT ON COLUMN @workspace@.lead_score.model IS 'Scoring model';
COMMENT ON COLUMN @workspace@.lead_score.fit IS 'Points for what the lead is: its profile';
COMMENT ON COLUMN @workspace@.lead_score.engagement IS 'Points for what the lead does: its interactions, cooled down to now';
COMMENT ON COLUMN @workspace@.lead_score.score IS 'Fit and engagement together, in points, or the score set by hand; of a learned model the probability to win in per cent';
COMMENT ON COLUMN @workspace@.lead_score.grade IS 'The highest grade of the model that the score reaches; NULL below all of them';
COMMENT ON COLUMN @workspace@.lead_score.sales_ready_threshold IS 'Points at which the model calls a lead sales-ready';
COMMENT ON COLUMN @workspace@.lead_score.is_sales_ready IS 'True while the score is at the threshold or above; the lead''s own mark, once set, stays, unless the model says otherwise';
COMMENT ON COLUMN @workspace@.lead_score.scored_at IS 'When the lead was last scored; points cool after it as well';
COMMENT ON COLUMN @workspace@.lead_score.probability IS 'Probability to win, 0 to 1, by a learned model; NULL of a model of rules';
COMMENT ON COLUMN @workspace@.lead_score.is_override IS 'True while the score is one that was set by hand';
