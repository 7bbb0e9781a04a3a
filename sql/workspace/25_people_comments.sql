-- What the columns of people and accounts mean.

COMMENT ON COLUMN @workspace@.team.team_id IS 'Key';
COMMENT ON COLUMN @workspace@.team.team IS 'Unique name';
COMMENT ON COLUMN @workspace@.team.kind IS 'What it does: marketing, telesales or sales';
COMMENT ON COLUMN @workspace@.team.is_active IS 'False to give it no more leads';

COMMENT ON COLUMN @workspace@.agent.agent_id IS 'Key';
COMMENT ON COLUMN @workspace@.agent.agent IS 'Unique name';
COMMENT ON COLUMN @workspace@.agent.team_id IS 'Team the person works in';
COMMENT ON COLUMN @workspace@.agent.login IS 'Database role the person works under; NULL for somebody without access';
COMMENT ON COLUMN @workspace@.agent.email IS 'E-mail address to notify';
COMMENT ON COLUMN @workspace@.agent.is_active IS 'False to give the person no more leads';

COMMENT ON COLUMN @workspace@.account.account_id IS 'Key';
COMMENT ON COLUMN @workspace@.account.kind IS 'organisation, or individual for a private customer';
COMMENT ON COLUMN @workspace@.account.name IS 'Name of the organisation or person, as given';
COMMENT ON COLUMN @workspace@.account.domain IS 'Main internet domain, in lower case; NULL if not known';
COMMENT ON COLUMN @workspace@.account.website IS 'Web address, as given';
COMMENT ON COLUMN @workspace@.account.phone IS 'Main phone number, in E.164 form';
COMMENT ON COLUMN @workspace@.account.industry IS 'Industry, in your own terms';
COMMENT ON COLUMN @workspace@.account.employees IS 'Number of people employed';
COMMENT ON COLUMN @workspace@.account.annual_revenue IS 'Yearly revenue, in the currency you keep such figures in';
COMMENT ON COLUMN @workspace@.account.street IS 'Street and number';
COMMENT ON COLUMN @workspace@.account.city IS 'City';
COMMENT ON COLUMN @workspace@.account.region IS 'State, province or the like';
COMMENT ON COLUMN @workspace@.account.postal_code IS 'Postal code';
COMMENT ON COLUMN @workspace@.account.country IS 'Country';
COMMENT ON COLUMN @workspace@.account.individual_contact_id IS 'The one contact an individual account stands for; NULL for organisations';
COMMENT ON COLUMN @workspace@.account.value_trust IS 'Trust of the source each value came from, by column: {"city": 10}; kept while a form or strategy updates by trust, NULL otherwise';
COMMENT ON COLUMN @workspace@.account.attributes IS 'Custom attributes, as field defines them';
COMMENT ON COLUMN @workspace@.account.tags IS 'Its tags, rows of tag, in order and each once; NULL for none';
COMMENT ON COLUMN @workspace@.account.created_at IS 'When the account was created';
COMMENT ON COLUMN @workspace@.account.updated_at IS 'When it last changed';

COMMENT ON COLUMN @workspace@.account_identity.kind IS 'What sort of identifier: domain, name, external id, or the fields that a match rule looks up, joined by +';
COMMENT ON COLUMN @workspace@.account_identity.value IS 'The identifier, in normal form; several fields joined by |, and # before the hash of a long one';
COMMENT ON COLUMN @workspace@.account_identity.holder IS '0 for the account that had the identifier first, which arbitrates between sessions; the account itself for others that share it';
COMMENT ON COLUMN @workspace@.account_identity.account_id IS 'Account it identifies';

COMMENT ON COLUMN @workspace@.contact.contact_id IS 'Key';
COMMENT ON COLUMN @workspace@.contact.account_id IS 'Account the person works for; NULL if none is known';
COMMENT ON COLUMN @workspace@.contact.full_name IS 'Name in one piece, as given; NULL when only its parts are known';
COMMENT ON COLUMN @workspace@.contact.given_name IS 'Given name; NULL when only the full name is known';
COMMENT ON COLUMN @workspace@.contact.family_name IS 'Family name; NULL when only the full name is known';
COMMENT ON COLUMN @workspace@.contact.email IS 'Main e-mail address; others are in contact_identity';
COMMENT ON COLUMN @workspace@.contact.phone IS 'Main phone number, in E.164 form; others are in contact_identity';
COMMENT ON COLUMN @workspace@.contact.job_title IS 'Position, as given';
COMMENT ON COLUMN @workspace@.contact.street IS 'Street and number';
COMMENT ON COLUMN @workspace@.contact.city IS 'City';
COMMENT ON COLUMN @workspace@.contact.region IS 'State, province or the like';
COMMENT ON COLUMN @workspace@.contact.postal_code IS 'Postal code';
COMMENT ON COLUMN @workspace@.contact.country IS 'Country';
COMMENT ON COLUMN @workspace@.contact.language IS 'Preferred language';
COMMENT ON COLUMN @workspace@.contact.first_source IS 'Where the person first heard of us; once set, never changed';
COMMENT ON COLUMN @workspace@.contact.last_source IS 'Source that the latest submission named';
COMMENT ON COLUMN @workspace@.contact.referrer_contact_id IS 'Contact who recommended us; NULL if nobody did';
COMMENT ON COLUMN @workspace@.contact.customer_since IS 'When the first sale was won; NULL for those who have not bought';
COMMENT ON COLUMN @workspace@.contact.value_trust IS 'Trust of the source each value came from, by column: {"city": 10}; kept while a form or strategy updates by trust, NULL otherwise';
COMMENT ON COLUMN @workspace@.contact.attributes IS 'Custom attributes, as field defines them';
COMMENT ON COLUMN @workspace@.contact.tags IS 'Its tags, rows of tag, in order and each once; NULL for none';
COMMENT ON COLUMN @workspace@.contact.created_at IS 'When the contact was created';
COMMENT ON COLUMN @workspace@.contact.updated_at IS 'When it last changed';

COMMENT ON COLUMN @workspace@.contact_identity.kind IS 'What sort of identifier: external id, email, phone, visitor, or the fields that a match rule looks up, joined by +';
COMMENT ON COLUMN @workspace@.contact_identity.value IS 'The identifier, in normal form; the system before an external id, several fields joined by |, and # before the hash of a long one';
COMMENT ON COLUMN @workspace@.contact_identity.holder IS '0 for the contact that had the identifier first, which arbitrates between sessions; the contact itself for others that share it';
COMMENT ON COLUMN @workspace@.contact_identity.contact_id IS 'Contact it identifies';
