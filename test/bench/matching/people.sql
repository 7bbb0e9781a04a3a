-- People: first name, surname, date of birth, town, postcode, phone, e-mail.
-- Variables: table, n, seed, hardness (easy or hard). Rows go to :table, which
-- rows are one person to truth.:table. 18 % of the rows are further copies of
-- a person. Seven in a hundred people live with the one before them: the same
-- surname, address and perhaps phone, which is no duplicate.

SET client_min_messages = warning;
SET jit = off;
SET work_mem = '128MB';
-- A join on a computed rank is estimated far too low.
SET enable_nestloop = off;
CREATE SCHEMA IF NOT EXISTS truth;
DROP TABLE IF EXISTS :"table", truth.:"table";

-- What goes wrong in a copy; in an original a sixth of that.
SELECT CASE :'hardness' WHEN 'hard' THEN 0.16 ELSE 0.05 END AS error,
	CASE :'hardness' WHEN 'hard' THEN 0.16 ELSE 0.05 END AS blank,
	CASE :'hardness' WHEN 'hard' THEN 0.12 ELSE 0.05 END AS short_form,
	CASE :'hardness' WHEN 'hard' THEN 0.04 ELSE 0.01 END AS swapped,
	CASE :'hardness' WHEN 'hard' THEN 0.30 ELSE 0.12 END AS changed,
	CASE :'hardness' WHEN 'hard' THEN 0.18 ELSE 0.08 END AS moved,
	CASE :'hardness' WHEN 'hard' THEN 0.5 ELSE 0 END AS other_format,
	1000 * :seed AS stream,
	(SELECT given_names FROM generator.culture WHERE culture = 'en') AS given_names,
	(SELECT family_names FROM generator.culture WHERE culture = 'en') AS family_names,
	(SELECT towns FROM generator.culture WHERE culture = 'en') AS towns,
	round(0.82 * :n) AS persons
\gset

CREATE TEMP TABLE generated AS
WITH source AS (
	SELECT r, r >= :persons AS is_copy,
		CASE WHEN r < :persons THEN r ELSE floor(:persons * generator.uniform(r, :stream + 1))::bigint END AS person
	FROM generate_series(0, :n - 1::bigint) AS r
), person AS (
	SELECT *, CASE WHEN person & 1 = 1 AND generator.uniform(person, :stream + 2) < 0.14 THEN person - 1 ELSE person END AS home,
		-- a careless row has several errors at once
		CASE WHEN is_copy THEN 1 ELSE 0.16 END * (0.2 + 1.6 * generator.uniform(r, :stream + 3)) AS care,
		person + CASE WHEN is_copy AND generator.uniform(r, :stream + 4) < :changed THEN 1000000000 + r ELSE 0 END AS email_key,
		CASE WHEN is_copy AND generator.uniform(r, :stream + 5) < :changed THEN 1000000000 + r END AS new_phone,
		CASE WHEN is_copy AND generator.uniform(r, :stream + 6) < :moved THEN 1000000000 + r END AS new_home
	FROM source
), drawn AS (
	SELECT *,
		generator.rank(generator.uniform(person, :stream + 10), :given_names, 12) AS given_rank,
		generator.rank(generator.uniform(home, :stream + 11), :family_names, 25) AS family_rank,
		generator.rank(generator.uniform(coalesce(new_home, home), :stream + 12), :towns, 4) AS town_rank,
		date '1935-01-01' + floor(25900 * (generator.uniform(person, :stream + 13) + generator.uniform(person, :stream + 14)) / 2)::integer AS dob,
		coalesce(new_phone, CASE WHEN generator.uniform(home, :stream + 15) < 0.3 THEN home ELSE person END) AS phone_key,
		new_phone IS NULL AND generator.uniform(home, :stream + 15) < 0.3 AS is_landline
	FROM person
), known AS (
	SELECT d.*, g.name AS given, g.short_forms, f.name AS family, t.name AS town,
		lpad((d.town_rank * 97 % 1000)::text, 3, '0') || lpad(generator.pick(coalesce(new_home, home), :stream + 16, 1 + 99 / d.town_rank)::text, 2, '0') AS postcode,
		CASE WHEN is_landline THEN generator.phone_digits('{207}', 7, phone_key, :stream + 17)
			ELSE generator.phone_digits('{74,75,77,78,79}', 8, phone_key, :stream + 17) END AS digits,
		lower(replace(g.name, ' ', '')) AS mail_given, lower(replace(replace(f.name, '''', ''), ' ', '')) AS mail_family
	FROM drawn d
	JOIN generator.given_name g ON g.culture = 'en' AND g.rank = d.given_rank
	JOIN generator.family_name f ON f.culture = 'en' AND f.rank = d.family_rank
	JOIN generator.town t ON t.culture = 'en' AND t.rank = d.town_rank
), mailed AS (
	SELECT *, CASE generator.pick(email_key, :stream + 20, 6)
			WHEN 0 THEN mail_given || '.' || mail_family
			WHEN 1 THEN left(mail_given, 1) || mail_family
			WHEN 2 THEN mail_given || left(mail_family, 1)
			WHEN 3 THEN mail_family || '.' || mail_given
			WHEN 4 THEN lower(coalesce(short_forms[1], mail_given)) || '_' || mail_family
			ELSE mail_given || mail_family
		END || CASE WHEN given_rank::bigint * family_rank < 60000 OR email_key & 1 = 0 THEN (email_key % 9973)::text ELSE '' END
		|| '@' || CASE WHEN generator.uniform(email_key, :stream + 21) < 0.25
			THEN mail_family || (ARRAY['group', 'partners', 'consulting', 'design', 'services', 'trading', 'media', 'law'])[1 + generator.pick(email_key, :stream + 22, 8)] || '.com'
			ELSE (ARRAY['gmail.com', 'gmail.com', 'gmail.com', 'yahoo.com', 'hotmail.com', 'outlook.com', 'icloud.com', 'aol.com'])
				[1 + generator.pick(email_key, :stream + 23, 8)] END AS email
	FROM known
), written AS (
	SELECT r, person, care,
		CASE WHEN generator.uniform(r, :stream + 30) < :error * care THEN generator.wrong(given, r, :stream + 40)
			WHEN short_forms IS NOT NULL AND generator.uniform(r, :stream + 31) < :short_form * care * 2 THEN generator.one_of(short_forms, r, :stream + 41)
			WHEN generator.uniform(r, :stream + 32) < :blank * care * 0.2 THEN left(given, 1)
			ELSE given END AS given,
		CASE WHEN generator.uniform(r, :stream + 33) < :error * care THEN generator.wrong(family, r, :stream + 42) ELSE family END AS family,
		CASE WHEN generator.uniform(r, :stream + 34) < :error * care THEN generator.wrong_date(dob, hashint8extended(r, :stream + 43)) ELSE dob END AS dob,
		CASE WHEN generator.uniform(r, :stream + 35) < :error * care * 0.7 THEN generator.wrong(town, r, :stream + 44) ELSE town END AS town,
		CASE WHEN generator.uniform(r, :stream + 36) < :error * care * 0.5 THEN generator.typo(postcode, hashint8extended(r, :stream + 45)) ELSE postcode END AS postcode,
		CASE WHEN generator.uniform(r, :stream + 37) < :error * care * 0.5 THEN generator.typo(digits, hashint8extended(r, :stream + 46)) ELSE digits END AS digits,
		CASE WHEN generator.uniform(r, :stream + 38) < :error * care * 0.7 THEN generator.wrong(email, r, :stream + 47) ELSE email END AS email,
		generator.uniform(r, :stream + 39) < :swapped * care AS is_swapped
	FROM mailed
)
SELECT row_number() OVER (ORDER BY hashint8extended(r, :stream)) AS id,
	CASE WHEN generator.uniform(r, :stream + 50) >= :blank * care * 0.5 THEN CASE WHEN is_swapped THEN family ELSE given END END AS first_name,
	CASE WHEN generator.uniform(r, :stream + 51) >= :blank * care * 0.3 THEN CASE WHEN is_swapped THEN given ELSE family END END AS surname,
	CASE WHEN generator.uniform(r, :stream + 52) >= :blank * care * 1.5 THEN dob END AS dob,
	CASE WHEN generator.uniform(r, :stream + 53) >= :blank * care * 1.5 THEN town END AS city,
	CASE WHEN generator.uniform(r, :stream + 54) >= :blank * care * 1.5 THEN postcode END AS postcode,
	CASE WHEN generator.uniform(r, :stream + 55) >= :blank * care * 2 THEN
		CASE WHEN generator.uniform(r, :stream + 56) >= :other_format THEN '+44' || digits
			ELSE CASE generator.pick(r, :stream + 57, 4) WHEN 0 THEN '0' || digits WHEN 1 THEN '0' || left(digits, 4) || ' ' || substr(digits, 5)
				WHEN 2 THEN '+44 (0)' || left(digits, 4) || '-' || substr(digits, 5) ELSE '0044' || digits END END END AS phone,
	CASE WHEN generator.uniform(r, :stream + 58) >= :blank * care * 1.5 THEN email END AS email,
	person AS cluster
FROM written;

CREATE TABLE :"table" AS
SELECT id, first_name, surname, dob, city, postcode, phone, email FROM generated ORDER BY id;
CREATE TABLE truth.:"table" AS SELECT id::text AS id, cluster::text AS cluster FROM generated;
DROP TABLE generated;
ALTER TABLE :"table" ADD PRIMARY KEY (id);
ANALYZE :"table", truth.:"table";
