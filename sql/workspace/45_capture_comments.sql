-- What the columns of submissions, interactions and the audit log mean.

COMMENT ON COLUMN @workspace@.submission.submission_id IS 'Key';
COMMENT ON COLUMN @workspace@.submission.form IS 'Form it came in by';
COMMENT ON COLUMN @workspace@.submission.external_id IS 'Id in the system it came from; a second submission with the same form and id is a duplicate. NULL if there is none';
COMMENT ON COLUMN @workspace@.submission.payload IS 'What was submitted: an object of names and values; NULL when the raw content could not be read as such';
COMMENT ON COLUMN @workspace@.submission.content_type IS 'Media type of the raw content; NULL when only a payload came';
COMMENT ON COLUMN @workspace@.submission.raw IS 'What was received, byte for byte; NULL when only a payload came. A body of several records is kept once, by the first of them; what could not be read of it is kept by the record itself too';
COMMENT ON COLUMN @workspace@.submission.received_at IS 'When it arrived';
COMMENT ON COLUMN @workspace@.submission.processed_at IS 'When it was processed; NULL to have the row processed on insert';
COMMENT ON COLUMN @workspace@.submission.status IS 'accepted, rejected, duplicate, or review while it waits for accept_match() or reject_match(); NULL until processed';
COMMENT ON COLUMN @workspace@.submission.reasons IS 'Why it was rejected, or which values were dropped: an array of {"field", "code", "value", "message", "severity"}; NULL if there was nothing to say';
COMMENT ON COLUMN @workspace@.submission.contact_id IS 'Contact it led to; NULL if none';
COMMENT ON COLUMN @workspace@.submission.account_id IS 'Account it led to; NULL if none';
COMMENT ON COLUMN @workspace@.submission.lead_id IS 'Lead it made or belongs to; NULL if none';
COMMENT ON COLUMN @workspace@.submission.interaction_id IS 'Interaction it became; NULL if none';
COMMENT ON COLUMN @workspace@.submission.duplicate_of IS 'Submission that it repeats; NULL unless a duplicate';
COMMENT ON COLUMN @workspace@.submission.match IS 'How it found the contact, account and lead it belongs to: {"contact": {"rule", "kind", "value", …}, …}; NULL when it found none. Read it through explain_match()';

COMMENT ON COLUMN @workspace@.submission.part_of IS 'Submission that keeps the body it came in, as the first record that could be read; NULL for that one itself and for one that came alone';
COMMENT ON COLUMN @workspace@.submission.part IS 'Place in the body it came in with others, from 1; NULL if it came alone';
COMMENT ON COLUMN @workspace@.submission.import_id IS 'Import it came in by; NULL if it came by itself';
COMMENT ON COLUMN @workspace@.submission.import_row IS 'Its row in what was imported, no row of which comes in twice; NULL if it came by itself';

COMMENT ON COLUMN @workspace@.submission_key.form IS 'Form of the submission';
COMMENT ON COLUMN @workspace@.submission_key.external_id IS 'Its id in the system it came from';
COMMENT ON COLUMN @workspace@.submission_key.submission_id IS 'The submission that holds the id';

COMMENT ON COLUMN @workspace@.interaction.interaction_id IS 'Key';
COMMENT ON COLUMN @workspace@.interaction.contact_id IS 'Person involved; NULL while the visitor is not identified';
COMMENT ON COLUMN @workspace@.interaction.lead_id IS 'Lead it belongs to; NULL if none';
COMMENT ON COLUMN @workspace@.interaction.submission_id IS 'Submission it came from; NULL if recorded otherwise';
COMMENT ON COLUMN @workspace@.interaction.kind IS 'What happened; names that interaction_kind does not know are kept too';
COMMENT ON COLUMN @workspace@.interaction.direction IS 'inbound from the person to us, outbound from us to the person, or internal';
COMMENT ON COLUMN @workspace@.interaction.channel IS 'Marketing channel; NULL earns no attribution credit';
COMMENT ON COLUMN @workspace@.interaction.campaign_id IS 'Campaign behind it; NULL if none is known';
COMMENT ON COLUMN @workspace@.interaction.source IS 'Lead source named with it';
COMMENT ON COLUMN @workspace@.interaction.page IS 'Landing page';
COMMENT ON COLUMN @workspace@.interaction.url IS 'Full address visited';
COMMENT ON COLUMN @workspace@.interaction.product IS 'Product concerned';
COMMENT ON COLUMN @workspace@.interaction.creative IS 'Advertisement or text variant';
COMMENT ON COLUMN @workspace@.interaction.visitor IS 'Cookie or other id of the browser; ties what came before to the person once identified';
COMMENT ON COLUMN @workspace@.interaction.external_id IS 'Id of the message or event in its channel, unique there; NULL if there is none';
COMMENT ON COLUMN @workspace@.interaction.note IS 'What was said';
COMMENT ON COLUMN @workspace@.interaction.outcome IS 'What came of it; NULL if nothing was noted';
COMMENT ON COLUMN @workspace@.interaction.outcome_sign IS 'Whether that was good: 1, 0 or -1, as outcome said when it was recorded';
COMMENT ON COLUMN @workspace@.interaction.agent_id IS 'Agent who recorded it or took part; NULL for others';
COMMENT ON COLUMN @workspace@.interaction.occurred_at IS 'When it took place';
COMMENT ON COLUMN @workspace@.interaction.recorded_at IS 'When it was entered here';
COMMENT ON COLUMN @workspace@.interaction.session IS 'Visit it was part of, by its id in the tool that counts visits; NULL if not known';
COMMENT ON COLUMN @workspace@.interaction.cost IS 'What it cost by itself, such as the price of a click, in the currency of its campaign; NULL if nothing. Do not enter it in campaign_cost again';

COMMENT ON COLUMN @workspace@.audit_log.audit_id IS 'Key, ascending in the order of recording';
COMMENT ON COLUMN @workspace@.audit_log.entity IS 'Kind of row changed: contact, account, lead, opportunity or submission';
COMMENT ON COLUMN @workspace@.audit_log.entity_id IS 'Key of that row';
COMMENT ON COLUMN @workspace@.audit_log.changes IS 'Columns changed with their values before and after: {"column": {"old": …, "new": …}}';
COMMENT ON COLUMN @workspace@.audit_log.changed_at IS 'When the changing transaction began';
COMMENT ON COLUMN @workspace@.audit_log.changed_by IS 'Database role in whose session it happened';
