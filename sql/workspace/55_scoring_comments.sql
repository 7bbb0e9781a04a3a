-- What the columns of scoring mean.

COMMENT ON COLUMN @workspace@.scoring_model.model IS 'Name that rules, grades and scores refer to';
COMMENT ON COLUMN @workspace@.scoring_model.label IS 'Wording for people';
COMMENT ON COLUMN @workspace@.scoring_model.kind IS 'rules: points by scoring_rule; logistic: trained by train_scoring_model(); naive_bayes: learns by itself from every lead that is won or lost';
COMMENT ON COLUMN @workspace@.scoring_model.scoring_training_id IS 'The training a logistic model scores by; NULL until it is trained. An earlier one can be put back';
COMMENT ON COLUMN @workspace@.scoring_model.sales_ready_threshold IS 'Points, or per cent of a learned model, at which a lead is sales-ready';
COMMENT ON COLUMN @workspace@.scoring_model.half_life IS 'Time in which the points of an interaction halve, for rules that name none of their own; NULL for points that stay. A month is 30 days; 100,000 years at most';
COMMENT ON COLUMN @workspace@.scoring_model.account_based IS 'True to score a lead by the interactions of all contacts of its account, and those of its leads that have no contact';
COMMENT ON COLUMN @workspace@.scoring_model.keeps_ready IS 'False to take the sales-ready mark that this model gave back from a lead when a scoring finds it below the threshold of every active model; its stage stays';
COMMENT ON COLUMN @workspace@.scoring_model.is_active IS 'False for a draft, which scores no lead but can be simulated';
COMMENT ON COLUMN @workspace@.scoring_model.created_at IS 'When the model was defined';

COMMENT ON COLUMN @workspace@.scoring_rule.scoring_rule_id IS 'Key';
COMMENT ON COLUMN @workspace@.scoring_rule.model IS 'Model the rule belongs to';
COMMENT ON COLUMN @workspace@.scoring_rule.label IS 'What the rule is about, for people';
COMMENT ON COLUMN @workspace@.scoring_rule.condition IS 'Condition over lead_profile that makes it a fit rule; NULL for an engagement rule';
COMMENT ON COLUMN @workspace@.scoring_rule.interaction_kind IS 'Kind of interaction that an engagement rule counts; NULL for a fit rule, or for any kind that meets the interaction condition';
COMMENT ON COLUMN @workspace@.scoring_rule.interaction_condition IS 'Condition over the columns of interaction that an engagement rule asks for besides; NULL for none';
COMMENT ON COLUMN @workspace@.scoring_rule.points IS 'Points added: while the condition holds, or for every interaction; negative to take away';
COMMENT ON COLUMN @workspace@.scoring_rule.at_least IS 'Number of interactions that earn the points, once, when the last of them took place; NULL for each interaction that earns them';
COMMENT ON COLUMN @workspace@.scoring_rule.half_life IS 'Time in which the points of an interaction halve; NULL for the half-life of the model. A month is 30 days; 100,000 years at most, and 64 half-lives a model';
COMMENT ON COLUMN @workspace@.scoring_rule.maximum_points IS 'Most points, as given and before they cool, that the rule adds or takes away in all; the last interaction earns what is left; NULL for no limit';
COMMENT ON COLUMN @workspace@.scoring_rule.maximum_points_per_day IS 'Most points that it adds or takes away for interactions of one day in UTC; NULL for no limit';
COMMENT ON COLUMN @workspace@.scoring_rule.scoring_group IS 'Group whose limits the points count towards too; NULL for none';
COMMENT ON COLUMN @workspace@.scoring_rule.active_from IS 'Interactions count that took place then or later; NULL for no beginning';
COMMENT ON COLUMN @workspace@.scoring_rule.active_until IS 'Interactions count that took place before; NULL for no end';
COMMENT ON COLUMN @workspace@.scoring_rule.is_active IS 'False to leave it out of scoring';

COMMENT ON COLUMN @workspace@.scoring_group.scoring_group_id IS 'Key';
COMMENT ON COLUMN @workspace@.scoring_group.model IS 'Model the group belongs to';
COMMENT ON COLUMN @workspace@.scoring_group.scoring_group IS 'Name that rules refer to';
COMMENT ON COLUMN @workspace@.scoring_group.maximum_points IS 'Most points, as given and before they cool, that its rules together add or take away in all; NULL for no limit';
COMMENT ON COLUMN @workspace@.scoring_group.maximum_points_per_day IS 'Most points that they add or take away for interactions of one day in UTC; NULL for no limit';

COMMENT ON COLUMN @workspace@.scoring_grade.model IS 'Model the grade belongs to';
COMMENT ON COLUMN @workspace@.scoring_grade.grade IS 'Name of the grade';
COMMENT ON COLUMN @workspace@.scoring_grade.from_score IS 'Lowest score, in points, that earns it; -infinity for the grade everybody has';

COMMENT ON COLUMN @workspace@.score.lead_id IS 'Lead scored';
COMMENT ON COLUMN @workspace@.score.model IS 'Model that scored it';
COMMENT ON COLUMN @workspace@.score.fit IS 'Points for what the lead is; of a learned model the probability to win in per cent';
COMMENT ON COLUMN @workspace@.score.engagement IS 'Points for what the lead does, as they cool: lead_mgmt.heat_at(engagement, now()) is what they are worth now. ORDER BY it stays right as time passes, for leads of one model with one half-life';
COMMENT ON COLUMN @workspace@.score.tally IS 'How far limits and numbers of interactions are used up, for models that have them: the time of the latest interaction counted, then five numbers a limit: rule id or negative group id, interactions, points, day, points of the day';
COMMENT ON COLUMN @workspace@.score.override IS 'Score set by hand, which stands for the computed one until it is taken back; NULL for none';
COMMENT ON COLUMN @workspace@.score.scored_at IS 'When these were last computed';

COMMENT ON COLUMN @workspace@.score.grade IS 'Grade the lead had when it was last scored, which temperature_change tells how it came to; lead_score has the one it has now';

COMMENT ON COLUMN @workspace@.temperature_change.temperature_change_id IS 'Key, ascending in the order of the changes';
COMMENT ON COLUMN @workspace@.temperature_change.lead_id IS 'Lead';
COMMENT ON COLUMN @workspace@.temperature_change.model IS 'Scoring model whose grades these are';
COMMENT ON COLUMN @workspace@.temperature_change.from_grade IS 'Grade before; NULL before the first one';
COMMENT ON COLUMN @workspace@.temperature_change.to_grade IS 'Grade after; NULL below all of them, or once nobody is behind the lead';
COMMENT ON COLUMN @workspace@.temperature_change.score IS 'Score after, in points, or per cent of a learned model';
COMMENT ON COLUMN @workspace@.temperature_change.changed_at IS 'When it was scored so; for one that cooled by itself, when that was noticed by the next scoring';
COMMENT ON COLUMN @workspace@.temperature_change.cause IS 'interaction: a new interaction, named beside it; change: of the profile, the rules or interactions counted before; cooled: by itself';
COMMENT ON COLUMN @workspace@.temperature_change.interaction_id IS 'The latest of the interactions that caused it; NULL for other causes';
