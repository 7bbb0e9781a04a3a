-- Organisations: name, street, city, postcode, country, website, phone, tax
-- id. Variables and truth as in people.sql; needs names.sql and
-- company_names.sql. A fifth of the rows are further copies. What is no
-- duplicate: branches, which have the name and the website in another town;
-- sisters, which have the address and the website and another trade; namesakes.

SET client_min_messages = warning;
SET jit = off;
SET work_mem = '128MB';
-- A join on a computed rank is estimated far too low.
SET enable_nestloop = off;
CREATE SCHEMA IF NOT EXISTS truth;
DROP TABLE IF EXISTS :"table", truth.:"table";

SELECT CASE :'hardness' WHEN 'hard' THEN 0.16 ELSE 0.05 END AS error,
	CASE :'hardness' WHEN 'hard' THEN 0.25 ELSE 0.10 END AS blank,
	CASE :'hardness' WHEN 'hard' THEN 0.06 ELSE 0.02 END AS moved,
	CASE :'hardness' WHEN 'hard' THEN 0.80 ELSE 0.60 END AS no_tax_id,
	CASE :'hardness' WHEN 'hard' THEN 0.20 ELSE 0.08 END AS other_phone,
	CASE :'hardness' WHEN 'hard' THEN 0.18 ELSE 0.08 END AS town_branches,
	1000 * :seed AS stream,
	round(0.8 * :n) AS companies
\gset

\ir companies.sql

CREATE TEMP TABLE generated AS
WITH source AS (
	SELECT r, r >= :companies AS is_copy,
		CASE WHEN r < :companies THEN r
			WHEN generator.uniform(r, :stream + 30) < 0.3 THEN 20 * floor(:companies / 20 * generator.uniform(r, :stream + 31))::bigint
			ELSE floor(:companies * generator.uniform(r, :stream + 31))::bigint END AS c
	FROM generate_series(0, :n - 1::bigint) AS r
), cared AS (
	SELECT s.r, s.is_copy, k.*,
		CASE WHEN is_copy THEN 1 ELSE 0.3 END * (0.2 + 1.6 * generator.uniform(s.r, :stream + 32)) AS care,
		s.is_copy AND generator.uniform(s.r, :stream + 33) < :moved AS is_moved
	FROM source s JOIN company k USING (c)
), sited AS (
	SELECT d.*, d.care * :error AS error, d.care * :blank AS blank,
		coalesce(t.name, d.town) AS now_town, CASE WHEN is_moved THEN t.others ELSE d.other_towns END AS now_others, u.others AS other_countries,
		CASE WHEN is_moved THEN 1 + generator.pick(d.r, :stream + 34, 180) || ' ' || generator.word(d.culture, 'street', d.r, :stream + 35, 6) ELSE d.street END AS now_street,
		CASE WHEN is_moved THEN generator.postcode(d.culture, coalesce(t.rank, d.town_rank), d.r, :stream + 36) ELSE d.postcode END AS now_postcode
	FROM cared d
	JOIN generator.culture u ON u.culture = d.culture
	-- half of those that move stay in town
	LEFT JOIN generator.town t ON d.is_moved AND d.r & 1 = 0 AND t.culture = d.culture AND t.rank = generator.rank(generator.uniform(d.r, :stream + 40), u.towns, 4)
)
SELECT row_number() OVER (ORDER BY hashint8extended(r, :stream)) AS id,
	generator.company_as_written(culture, core, form, r, :stream + 50, error)
		|| CASE WHEN is_branch AND generator.uniform(r, :stream + 70) < 0.3 THEN ' ' || now_town ELSE '' END AS name,
	CASE WHEN generator.uniform(r, :stream + 71) >= blank THEN generator.street_as_written(now_street, r, :stream + 72, error) END AS street,
	CASE WHEN generator.uniform(r, :stream + 80) < blank * 0.5 THEN NULL
		WHEN now_others IS NOT NULL AND generator.uniform(r, :stream + 81) < 0.1 THEN generator.one_of(now_others, r, :stream + 82)
		WHEN generator.uniform(r, :stream + 83) < error * 0.5 THEN generator.wrong(now_town, r, :stream + 84)
		WHEN generator.uniform(r, :stream + 85) < 0.1 THEN generator.plain(now_town)
		WHEN generator.uniform(r, :stream + 85) < 0.15 THEN generator.capitals(now_town)
		ELSE now_town END AS city,
	CASE WHEN generator.uniform(r, :stream + 86) < blank THEN NULL
		WHEN generator.uniform(r, :stream + 87) < error * 0.5 THEN generator.typo(now_postcode, hashint8extended(r, :stream + 88))
		WHEN generator.uniform(r, :stream + 89) < 0.1 THEN replace(now_postcode, ' ', '')
		ELSE now_postcode END AS postcode,
	CASE WHEN generator.uniform(r, :stream + 90) < blank * 0.5 THEN NULL
		WHEN generator.uniform(r, :stream + 91) < 0.25 THEN generator.one_of(other_countries, r, :stream + 92)
		ELSE country END AS country,
	CASE WHEN generator.uniform(r, :stream + 93) < 0.15 + blank THEN NULL
		WHEN generator.uniform(r, :stream + 94) < error * 0.5 THEN split_part(domain, '.', 1) || CASE WHEN r & 1 = 0 THEN '.com' ELSE '.net' END
		ELSE CASE generator.pick(r, :stream + 95, 5) WHEN 0 THEN 'http://www.' || domain || '/' WHEN 1 THEN 'https://' || domain
			WHEN 2 THEN 'www.' || domain WHEN 3 THEN initcap(domain) ELSE domain END END AS website,
	CASE WHEN generator.uniform(r, :stream + 96) < 0.15 + blank THEN NULL
		WHEN generator.uniform(r, :stream + 97) < :other_phone * care THEN
			generator.phone_as_written(dialling, generator.phone_digits(ARRAY[landline], 7, r, :stream + 97), r, :stream + 99, error)
		ELSE generator.phone_as_written(dialling, phone_digits, r, :stream + 99, error) END AS phone,
	CASE WHEN generator.uniform(r, :stream + 110) >= :no_tax_id THEN
		CASE culture WHEN 'en' THEN 'GB' || left(tax_digits, 9) WHEN 'de' THEN 'DE' || left(tax_digits, 9)
			WHEN 'fr' THEN CASE WHEN r & 1 = 0 THEN 'FR ' || left(tax_digits, 3) || ' ' || substr(tax_digits, 4, 3) || ' ' || substr(tax_digits, 7, 3) ELSE 'FR' || left(tax_digits, 9) END
			WHEN 'es' THEN 'B' || left(tax_digits, 8) WHEN 'kr' THEN left(tax_digits, 3) || '-' || substr(tax_digits, 4, 2) || '-' || substr(tax_digits, 6, 5)
			ELSE tax_digits END END AS tax_id,
	c AS cluster
FROM sited;

CREATE TABLE :"table" AS
SELECT id, name, street, city, postcode, country, website, phone, tax_id FROM generated ORDER BY id;
CREATE TABLE truth.:"table" AS SELECT id::text AS id, cluster::text AS cluster FROM generated;
DROP TABLE generated, company;
ALTER TABLE :"table" ADD PRIMARY KEY (id);
ANALYZE :"table", truth.:"table";
