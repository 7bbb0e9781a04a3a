-- What the columns of scoring mean.

COMMENT ON COLUMN @workspace@.scoring_model.model IS 'Name that rules, grades and scores refer to';
COMMENT ON COLUMN @workspace@.scoring_model.label IS 'Wording for people';
COMMENT ON COLUMN @workspace@.scoring_model.sales_ready_threshold IS 'Points at which a lead is sales-ready';
COMMENT ON COLUMN @workspace@.scoring_model.is_active IS 'False to leave it out of scoring';
COMMENT ON COLUMN @workspace@.scoring_model.created_at IS 'When the model was defined';

COMMENT ON COLUMN @workspace@.scoring_rule.scoring_rule_id IS 'Key';
COMMENT ON COLUMN @workspace@.scoring_rule.model IS 'Model the rule belongs to';
COMMENT ON COLUMN @workspace@.scoring_rule.label IS 'What the rule is about, for people';
COMMENT ON COLUMN @workspace@.scoring_rule.condition IS 'Condition over lead_profile that makes it a fit rule; NULL for an engagement rule';
COMMENT ON COLUMN @workspace@.scoring_rule.interaction_kind IS 'Kind of interaction that makes it an engagement rule; NULL for a fit rule';
COMMENT ON COLUMN @workspace@.scoring_rule.points IS 'Points added: once while the condition holds, or for every interaction of the kind; negative to take away';
COMMENT ON COLUMN @workspace@.scoring_rule.is_active IS 'False to leave it out of scoring';

COMMENT ON COLUMN @workspace@.scoring_grade.model IS 'Model the grade belongs to';
COMMENT ON COLUMN @workspace@.scoring_grade.grade IS 'Name of the grade';
COMMENT ON COLUMN @workspace@.scoring_grade.from_score IS 'Lowest score, in points, that earns it; -infinity for the grade everybody has';

COMMENT ON COLUMN @workspace@.score.lead_id IS 'Lead scored';
COMMENT ON COLUMN @workspace@.score.model IS 'Model that scored it';
COMMENT ON COLUMN @workspace@.score.fit IS 'Points for what the lead is';
COMMENT ON COLUMN @workspace@.score.engagement IS 'Points for what the lead does';
COMMENT ON COLUMN @workspace@.score.scored_at IS 'When these were last computed';
