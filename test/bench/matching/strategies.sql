-- Three forms in workspace crm that match differently: "none" looks for what
-- no probe has, "exact" by the default strategy, "fuzzy" by the default and
-- then by a trained model. A strategy "candidates" has the same model and
-- finds whoever is compared at all. Needs stored of live.sql.

INSERT INTO crm.contact (contact_id, full_name, given_name, family_name, email, phone, city, postal_code, country)
SELECT contact_id, nullif(concat_ws(' ', first_name, surname), ''), first_name, surname,
	email::lead_mgmt.email, phone::lead_mgmt.phone, city, postcode, 'GB'
FROM stored;
SELECT setval(pg_get_serial_sequence('crm.contact', 'contact_id'), (SELECT max(contact_id) FROM crm.contact));
ANALYZE crm.contact, crm.contact_identity;

INSERT INTO crm.match_strategy (strategy, entity, label) VALUES
	('none', 'contact', 'By visitor alone'),
	('fuzzy', 'contact', 'By the trained model');
WITH rule AS (
	INSERT INTO crm.match_rule (strategy, sequence) VALUES ('none', 1) RETURNING match_rule_id
)
INSERT INTO crm.match_condition (match_rule_id, field) SELECT match_rule_id, 'visitor' FROM rule;
-- the contacts are one a person
SELECT crm.train_match_strategy('fuzzy', clean => true);
INSERT INTO crm.match_strategy (strategy, entity, label, match_probability, review_probability) VALUES
	('candidates', 'contact', 'Whoever is compared', 0.95, 1e-300);
SELECT crm.write_match_model('candidates', crm.read_match_model('fuzzy'));

INSERT INTO crm.form (form) VALUES ('none'), ('exact'), ('fuzzy');
DELETE FROM crm.form_strategy WHERE form IN ('none', 'exact', 'fuzzy') AND entity = 'contact';
INSERT INTO crm.form_strategy (form, entity, sequence, strategy) VALUES
	('none', 'contact', 1, 'none'),
	('exact', 'contact', 1, 'contact_by_email'),
	('fuzzy', 'contact', 1, 'contact_by_email'),
	('fuzzy', 'contact', 2, 'fuzzy');
ANALYZE;

CREATE OR REPLACE FUNCTION our_match(profile jsonb) RETURNS bigint[]
	LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN (SELECT array_agg(m.contact_id ORDER BY m.probability DESC) FROM crm.match_contact(profile, 'fuzzy') m);
END $$;

CREATE OR REPLACE FUNCTION our_candidates(profile jsonb) RETURNS bigint[]
	LANGUAGE sql STABLE
	RETURN (SELECT array_agg(m.contact_id) FROM crm.match_contact(profile, 'candidates') m);
