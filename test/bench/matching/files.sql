-- The data sets of shared/data/matching, as text, the way a CSV import leaves
-- them; which rows are one person is in truth. Variable: directory.

SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS truth;

SELECT format($$
	DROP TABLE IF EXISTS %1$I, truth.%1$I;
	CREATE TABLE %1$I (%2$s);
	COPY %1$I FROM %3$L (FORMAT csv, HEADER);
	CREATE TABLE truth.%1$I AS SELECT unique_id AS id, cluster FROM %1$I;
	ALTER TABLE %1$I DROP COLUMN cluster, ADD PRIMARY KEY (unique_id);
	ANALYZE %1$I, truth.%1$I$$,
	name, (SELECT string_agg(format('%I text', field), ', ') FROM string_to_table(fields, ' ') AS field),
	:'directory' || '/' || name || '.csv')
FROM (VALUES
	('fake_1000', 'unique_id first_name surname dob city email cluster first_name_surname_concat'),
	('fake_20000', 'unique_id first_name surname dob city email cluster first_name_surname_concat'),
	('febrl1', 'unique_id given_name surname street_number address_1 address_2 suburb postcode state date_of_birth soc_sec_id cluster'),
	('febrl2', 'unique_id given_name surname street_number address_1 address_2 suburb postcode state date_of_birth soc_sec_id cluster'),
	('febrl3', 'unique_id given_name surname street_number address_1 address_2 suburb postcode state date_of_birth soc_sec_id cluster'),
	('synth_100k', 'unique_id given_name surname street_number address_1 suburb postcode state date_of_birth soc_sec_id phone email cluster')
) AS files (name, fields)
\gexec
