-- What the columns of match strategies, reviews and their kin mean.

COMMENT ON COLUMN @workspace@.match_strategy.strategy IS 'Name';
COMMENT ON COLUMN @workspace@.match_strategy.entity IS 'What it finds: contact, account or lead';
COMMENT ON COLUMN @workspace@.match_strategy.label IS 'What it does, for people';
COMMENT ON COLUMN @workspace@.match_strategy.when_several IS 'What to do when several fit: newest takes the newest whom the first rule that fits finds, oldest the one who has had the value longest; merge makes contacts one that different rules find and that do not contradict each other, and else lets the first rule decide; review leaves the submission to a person (contacts only)';
COMMENT ON COLUMN @workspace@.match_strategy.update_policy IS 'What a record does to what it matched, unless its form says otherwise: newest overwrites, fill completes blank fields, keep changes nothing, trusted overwrites unless the value came from a source with more trust';
COMMENT ON COLUMN @workspace@.match_strategy.match_probability IS 'Probability from which a trained model of the strategy takes two records for the same; NULL for a strategy of rules alone';
COMMENT ON COLUMN @workspace@.match_strategy.review_probability IS 'Probability from which it puts them up for review; NULL for never';
COMMENT ON COLUMN @workspace@.match_strategy.is_default IS 'True for the strategy that new forms are given and that applies where nothing else does; exactly one for each entity. Marking another takes the mark from the one before';
COMMENT ON COLUMN @workspace@.match_strategy.is_active IS 'False to skip it wherever it is used';
COMMENT ON COLUMN @workspace@.match_strategy.created_at IS 'When it was defined';

COMMENT ON COLUMN @workspace@.match_rule.match_rule_id IS 'Key';
COMMENT ON COLUMN @workspace@.match_rule.strategy IS 'Strategy it belongs to';
COMMENT ON COLUMN @workspace@.match_rule.sequence IS 'Order in which the rules of a strategy are tried, ascending';
COMMENT ON COLUMN @workspace@.match_rule.label IS 'What the rule is about, for people';
COMMENT ON COLUMN @workspace@.match_rule.is_active IS 'False to skip the rule';

COMMENT ON COLUMN @workspace@.match_condition.match_rule_id IS 'Rule it belongs to';
COMMENT ON COLUMN @workspace@.match_condition.field IS 'Field of the record and of the contact, account or lead, or attributes.NAME for a custom attribute';
COMMENT ON COLUMN @workspace@.match_condition.comparator IS 'How the two values are compared';
COMMENT ON COLUMN @workspace@.match_condition.at_least IS 'Similarity from which a graded comparator says yes, above 0 and up to 1; NULL for the others';
COMMENT ON COLUMN @workspace@.match_condition.when_blank IS 'When one of the values or both are missing: no_match fails, ignore leaves the condition out, match takes blank for a value, so that two blanks are equal';
COMMENT ON COLUMN @workspace@.match_condition.is_exception IS 'True when the rule does not fit where this holds';

COMMENT ON COLUMN @workspace@.form_strategy.form IS 'Form';
COMMENT ON COLUMN @workspace@.form_strategy.entity IS 'What is matched: contact, account or lead';
COMMENT ON COLUMN @workspace@.form_strategy.sequence IS 'Order in which the strategies are tried, ascending';
COMMENT ON COLUMN @workspace@.form_strategy.strategy IS 'Strategy';

COMMENT ON COLUMN @workspace@.match_bypass.field IS 'Field the value is one of';
COMMENT ON COLUMN @workspace@.match_bypass.value IS 'Value that identifies nobody; brought into the field''s normal form when it is stored';
COMMENT ON COLUMN @workspace@.match_bypass.reason IS 'Why, for people; NULL if not given';

COMMENT ON COLUMN @workspace@.match_alias.field IS 'Field the values are of';
COMMENT ON COLUMN @workspace@.match_alias.value IS 'Value to be replaced; brought into the field''s normal form when it is stored';
COMMENT ON COLUMN @workspace@.match_alias.canonical IS 'Value that it stands for, in normal form too';

COMMENT ON COLUMN @workspace@.match_link.entity IS 'What the ids are of: contact, account or lead';
COMMENT ON COLUMN @workspace@.match_link.left_id IS 'The lower id';
COMMENT ON COLUMN @workspace@.match_link.right_id IS 'The higher id';
COMMENT ON COLUMN @workspace@.match_link.verdict IS 'same or different';
COMMENT ON COLUMN @workspace@.match_link.decided_by IS 'Role that decided';
COMMENT ON COLUMN @workspace@.match_link.decided_at IS 'When';
COMMENT ON COLUMN @workspace@.match_link.reason IS 'Why; NULL if not given';
COMMENT ON COLUMN @workspace@.match_link.source IS 'What it came from: manual, or review for a decided possible match';

COMMENT ON COLUMN @workspace@.match_review.match_review_id IS 'Key';
COMMENT ON COLUMN @workspace@.match_review.entity IS 'What the ids are of: contact, account or lead';
COMMENT ON COLUMN @workspace@.match_review.left_id IS 'The lower id of a pair, or the contact that a submission may be from';
COMMENT ON COLUMN @workspace@.match_review.right_id IS 'The higher id of a pair; NULL when a submission waits';
COMMENT ON COLUMN @workspace@.match_review.submission_id IS 'Submission that waits, or that brought the pair up; NULL for a pair found otherwise';
COMMENT ON COLUMN @workspace@.match_review.strategy IS 'Strategy that found them alike';
COMMENT ON COLUMN @workspace@.match_review.probability IS 'Probability that they are the same, between 0 and 1; NULL where rules found them';
COMMENT ON COLUMN @workspace@.match_review.explanation IS 'What it rests on, as explain_match() and match_contact() put it';
COMMENT ON COLUMN @workspace@.match_review.status IS 'open, accepted or rejected';
COMMENT ON COLUMN @workspace@.match_review.created_at IS 'When it was put up';
COMMENT ON COLUMN @workspace@.match_review.decided_by IS 'Role that decided; NULL while open';
COMMENT ON COLUMN @workspace@.match_review.decided_at IS 'When; NULL while open';

COMMENT ON COLUMN @workspace@.identity_kind.entity IS 'contact or account';
COMMENT ON COLUMN @workspace@.identity_kind.kind IS 'Kind of contact_identity or account_identity: a field, or fields and comparators joined by +';

COMMENT ON COLUMN @workspace@.match_candidate.contact_id IS 'Contact';
COMMENT ON COLUMN @workspace@.match_candidate.probability IS 'Probability that it is the same person, between 0 and 1: 1 for the one that a rule decides for, NULL for those that rules merely find';
COMMENT ON COLUMN @workspace@.match_candidate.outcome IS 'match for the one that a capture would be taken for, possible for others';
COMMENT ON COLUMN @workspace@.match_candidate.strategy IS 'Strategy that finds it';
COMMENT ON COLUMN @workspace@.match_candidate.rule IS 'Rule of the strategy that finds it; NULL for its model';
COMMENT ON COLUMN @workspace@.match_candidate.explanation IS 'Why: for a rule the kind of identity, its value and the comparisons, for a model its weights';
