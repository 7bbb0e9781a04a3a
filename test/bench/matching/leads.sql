-- Leads as web forms bring them: one field for the name, in any order and
-- form; e-mail, phone, company, job title, town, country; many blanks, several
-- wrong at once. English, German, French, Spanish, Vietnamese, and Chinese and
-- Korean names in Latin letters. Variables and truth as in people.sql; needs
-- names.sql and company_names.sql. A quarter of the rows are further inquiries
-- of somebody known. What is no duplicate: colleagues with one domain and one
-- switchboard number, households with one phone and sometimes one e-mail
-- address, namesakes.

SET client_min_messages = warning;
SET jit = off;
SET work_mem = '128MB';
-- A join on a computed rank is estimated far too low.
SET enable_nestloop = off;
CREATE SCHEMA IF NOT EXISTS truth;
DROP TABLE IF EXISTS :"table", truth.:"table";

-- What goes wrong or differs in any inquiry
SELECT CASE :'hardness' WHEN 'hard' THEN 0.10 ELSE 0.03 END AS error,
	CASE :'hardness' WHEN 'hard' THEN 0.45 ELSE 0.20 END AS blank,
	CASE :'hardness' WHEN 'hard' THEN 0.15 ELSE 0.03 END AS no_email,
	CASE :'hardness' WHEN 'hard' THEN 0.40 ELSE 0.20 END AS other_email,
	CASE :'hardness' WHEN 'hard' THEN 0.30 ELSE 0.12 END AS other_phone,
	CASE :'hardness' WHEN 'hard' THEN 0.15 ELSE 0.06 END AS short_form,
	CASE :'hardness' WHEN 'hard' THEN 0.10 ELSE 0.03 END AS half_name,
	CASE :'hardness' WHEN 'hard' THEN 0.25 ELSE 0.10 END AS other_order,
	CASE :'hardness' WHEN 'hard' THEN 0.10 ELSE 0.03 END AS new_job,
	CASE :'hardness' WHEN 'hard' THEN 0.02 ELSE 0.005 END AS rubbish,
	1000 * :seed AS stream,
	round(0.75 * :n) AS persons,
	greatest(10, round(:n / 8.0)) AS companies,
	0 AS town_branches
\gset

\ir companies.sql

DROP TABLE IF EXISTS job;
CREATE TEMP TABLE job AS
SELECT place AS rank, replace((string_to_array(entry, ':'))[1], '_', ' ') AS title,
	nullif(string_to_array(replace(array_to_string((string_to_array(entry, ':'))[2:], ':'), '_', ' '), ':'), '{}') AS others
FROM string_to_table('CEO:Chief_Executive_Officer:Geschäftsführer:PDG:Director_General:Giám_đốc Sales_Manager:Head_of_Sales:Vertriebsleiter:Sales_Mgr Marketing_Manager:Head_of_Marketing:Marketing Engineer:Ingenieur:Kỹ_sư Consultant:Berater Founder:Co-Founder:Owner:Inhaber CTO:Chief_Technology_Officer:Technical_Director Student IT_Manager:Head_of_IT:IT-Leiter Purchasing_Manager:Buyer:Einkäufer:Procurement Project_Manager:PM:Chef_de_projet Operations_Manager:COO Accountant:Kế_toán HR_Manager:Human_Resources_Manager:HR Developer:Software_Engineer:Software_Developer Analyst:Business_Analyst Assistant:Office_Manager Professor:Lecturer CFO:Finance_Director Designer', ' ')
	WITH ORDINALITY AS entries (entry, place);
ANALYZE job;

-- Persons, their two addresses and their phone. Local parts at a company
-- follow the company's pattern; a number keeps namesakes apart.
DROP TABLE IF EXISTS person;
CREATE TEMP TABLE person AS
WITH numbered AS (
	SELECT p, CASE WHEN p & 1 = 1 AND generator.uniform(p, :stream + 1) < 0.2 THEN p - 1 ELSE p END AS home,
		generator.uniform(p, :stream + 2) < 0.65 AS is_employed,
		generator.rank(generator.uniform(p, :stream + 3), :companies, 20) - 1 AS employer,
		generator.rank(generator.uniform(p, :stream + 4), 20, 6) AS job_rank
	FROM generate_series(0, :persons - 1::bigint) AS p
), rooted AS (
	SELECT n.*, u.culture, u.country, u.others AS other_countries, u.dialling, u.mobile,
		generator.rank(generator.uniform(n.p, :stream + 5), u.given_names, 12) AS given_rank,
		generator.rank(generator.uniform(n.home, :stream + 6), u.family_names, CASE u.culture WHEN 'vn' THEN 1 WHEN 'kr' THEN 2 WHEN 'cn' THEN 8 ELSE 25 END) AS family_rank,
		generator.rank(generator.uniform(n.home, :stream + 7), u.towns, 4) AS town_rank
	FROM numbered n
	-- the people of a home have one culture, and so have most of a company's
	JOIN company c ON c.c = n.employer
	JOIN generator.culture u ON u.culture = CASE WHEN n.home = n.p AND n.is_employed AND generator.uniform(n.p, :stream + 8) < 0.7 THEN c.culture
		ELSE (ARRAY['en', 'en', 'en', 'en', 'en', 'en', 'de', 'de', 'de', 'fr', 'fr', 'es', 'es', 'vn', 'vn', 'vn', 'cn', 'cn', 'kr', 'en'])[1 + generator.pick(n.home, :stream + 9, 20)] END
), named AS (
	SELECT r.*, g.name AS given, g.short_forms, f.name AS family, t.name AS town, t.others AS other_towns,
		CASE r.culture
			WHEN 'vn' THEN generator.one_of('{Thị,Văn,Thị,Văn,Minh,Đức,Thanh,Ngọc,Quốc,Hữu,Thu,Xuân,Hoàng,"Thị Thu","Thị Ngọc"}', p, :stream + 10)
			WHEN 'en' THEN CASE WHEN generator.uniform(p, :stream + 11) < 0.4 THEN chr(65 + generator.pick(p, :stream + 12, 26)) END END AS middle, f2.name AS second_family,
		regexp_replace(lower(generator.plain(g.name)), '[^a-z]', '', 'g') AS mail_given,
		regexp_replace(lower(generator.plain(f.name)), '[^a-z]', '', 'g') AS mail_family
	FROM rooted r
	JOIN generator.given_name g ON g.culture = r.culture AND g.rank = r.given_rank
	JOIN generator.family_name f ON f.culture = r.culture AND f.rank = r.family_rank
	JOIN generator.town t ON t.culture = r.culture AND t.rank = r.town_rank
	-- Spaniards have two family names and do not always give both
	LEFT JOIN generator.family_name f2 ON r.culture = 'es' AND f2.culture = 'es'
		AND f2.rank = generator.rank(generator.uniform(r.p, :stream + 21), 900, 25)
), mailed AS (
	SELECT *, (array['gmail.com', 'gmail.com', 'gmail.com', 'yahoo.com', 'hotmail.com', 'outlook.com'] || CASE culture
			WHEN 'de' THEN '{gmx.de,web.de,gmx.de,t-online.de}'::text[] WHEN 'fr' THEN '{orange.fr,free.fr,wanadoo.fr}' WHEN 'vn' THEN '{yahoo.com.vn}'
			WHEN 'cn' THEN '{qq.com,163.com,126.com,qq.com}' WHEN 'kr' THEN '{naver.com,naver.com,daum.net}' ELSE '{icloud.com}' END) AS providers,
		CASE generator.pick(employer, :stream + 13, 4) WHEN 0 THEN mail_given || '.' || mail_family WHEN 1 THEN left(mail_given, 1) || mail_family
			WHEN 2 THEN mail_given ELSE left(mail_given, 1) || '.' || mail_family END AS work_local,
		CASE generator.pick(p, :stream + 14, 6) WHEN 0 THEN mail_given || '.' || mail_family WHEN 1 THEN mail_given || mail_family
			WHEN 2 THEN mail_given || left(mail_family, 1) WHEN 3 THEN mail_family || mail_given
			WHEN 4 THEN regexp_replace(lower(generator.plain(coalesce(short_forms[1], given))), '[^a-z]', '', 'g') || '_' || mail_family
			ELSE left(mail_given, 1) || mail_family END AS own_local
	FROM named
)
SELECT p, home, culture, country, other_countries, dialling, given, short_forms, middle, family, second_family, town, other_towns, is_employed, employer, job_rank,
	work_local || coalesce(nullif(row_number() OVER (PARTITION BY employer, work_local ORDER BY p), 1)::text, '') AS work_local,
	CASE WHEN generator.uniform(home, :stream + 15) < 0.15 THEN 'family.' || mail_family || home % 9973
		ELSE own_local || CASE generator.pick(p, :stream + 16, 3) WHEN 0 THEN (1950 + generator.pick(p, :stream + 17, 55))::text ELSE '' END || '.' || p % 997 END AS own_local,
	CASE WHEN generator.uniform(home, :stream + 15) < 0.15 THEN 'gmail.com' ELSE generator.one_of(providers, p, :stream + 18) END AS provider,
	mobile, generator.phone_digits(mobile, 8, CASE WHEN generator.uniform(home, :stream + 19) < 0.4 THEN home ELSE p END, :stream + 20) AS phone_digits
FROM mailed;
ALTER TABLE person ADD PRIMARY KEY (p);
ANALYZE person;

CREATE TEMP TABLE generated AS
WITH source AS (
	SELECT r, r >= :persons AS is_copy,
		CASE WHEN r < :persons THEN r
			-- one in twenty persons asks again and again
			WHEN generator.uniform(r, :stream + 30) < 0.3 THEN 20 * floor(:persons / 20 * generator.uniform(r, :stream + 31))::bigint
			ELSE floor(:persons * generator.uniform(r, :stream + 31))::bigint END AS p,
		0.2 + 1.6 * generator.uniform(r, :stream + 32) AS care
	FROM generate_series(0, :n - 1::bigint) AS r
), known AS (
	SELECT s.r, s.p AS person, s.care, s.care * :error AS error, s.care * :blank AS blank,
		o.culture, o.country, o.other_countries, o.dialling, o.given, o.short_forms, o.middle, o.family, o.second_family, o.town, o.other_towns, o.mobile, o.phone_digits, o.provider, o.own_local,
		o.work_local, o.p & 1 = 0 AS prefers_work, j.title, j.others AS other_titles, c.culture AS company_culture, c.core, c.form, c.domain, c.dialling AS company_dialling, c.phone_digits AS switchboard,
		generator.uniform(s.r, :stream + 33) < :rubbish AS is_rubbish,
		generator.uniform(s.r, :stream + 34) < :other_email AS is_other_email,
		generator.uniform(s.r, :stream + 35) < :other_phone AS is_other_phone,
		generator.uniform(s.p, :stream + 36) < 0.25 AS by_switchboard
	FROM source s JOIN person o ON o.p = s.p
	LEFT JOIN company c ON o.is_employed AND c.c = CASE WHEN s.is_copy AND generator.uniform(s.r, :stream + 37) < :new_job
		THEN generator.rank(generator.uniform(s.r, :stream + 38), :companies, 20) - 1 ELSE o.employer END
	LEFT JOIN job j ON j.rank = CASE WHEN o.is_employed THEN CASE WHEN s.is_copy AND generator.uniform(s.r, :stream + 37) < :new_job * 2
		THEN generator.rank(generator.uniform(s.r, :stream + 39), 20, 6) ELSE o.job_rank END END
), parts AS (
	SELECT *,
		CASE WHEN generator.uniform(r, :stream + 40) < error THEN generator.wrong(given_written, r, :stream + 41) ELSE given_written END AS g,
		CASE WHEN generator.uniform(r, :stream + 42) < error THEN generator.wrong(family, r, :stream + 43) ELSE family END
			|| CASE WHEN second_family IS NOT NULL AND generator.uniform(r, :stream + 39) < 0.4 THEN ' ' || second_family ELSE '' END AS f,
		CASE WHEN generator.uniform(r, :stream + 44) < CASE culture WHEN 'vn' THEN 0.7 WHEN 'en' THEN 0.3 ELSE 0 END THEN ' ' || middle END AS m
	FROM (SELECT *, CASE WHEN short_forms IS NOT NULL AND generator.uniform(r, :stream + 45) < :short_form * care THEN generator.one_of(short_forms, r, :stream + 46)
			WHEN culture NOT IN ('vn', 'cn', 'kr') AND generator.uniform(r, :stream + 47) < :half_name * care * 0.7 THEN left(given, 1) || '.'
			WHEN culture IN ('cn', 'kr') AND generator.uniform(r, :stream + 47) < 0.3 THEN initcap(replace(given, '-', CASE WHEN r & 1 = 0 THEN ' ' ELSE '' END))
			ELSE given END AS given_written FROM known) k
), ordered AS (
	SELECT *,
		CASE
			WHEN generator.uniform(r, :stream + 48) < :half_name * care * 0.7 THEN g
			WHEN culture IN ('vn', 'cn', 'kr') THEN CASE WHEN generator.uniform(r, :stream + 49) < :other_order + 0.1 THEN concat(g, m, ' ', f) ELSE concat(f, m, ' ', g) END
			WHEN generator.uniform(r, :stream + 49) < :other_order * 0.3 THEN concat(f, ', ', g, m)
			WHEN generator.uniform(r, :stream + 49) < :other_order * 0.6 THEN concat(f, ' ', g)
			WHEN generator.uniform(r, :stream + 49) < :other_order THEN concat(g, ' ', generator.capitals(f))
			ELSE concat(g, m, ' ', f) END AS written
	FROM parts
), dressed AS (
	SELECT *,
		CASE
			WHEN generator.uniform(r, :stream + 50) < 0.05 THEN (jsonb_build_object('en', 'Mr. ', 'de', 'Herr ', 'fr', 'M. ', 'es', 'Sr. ', 'vn', 'Anh ', 'cn', 'Mr ', 'kr', 'Mr. '))->>culture || written
			WHEN generator.uniform(r, :stream + 50) < 0.08 THEN 'Dr. ' || written
			WHEN generator.uniform(r, :stream + 50) < 0.09 THEN 'Prof. Dr. ' || written
			WHEN generator.uniform(r, :stream + 50) < 0.11 THEN written || ', MBA'
			ELSE written END AS titled,
		coalesce(CASE WHEN domain IS NOT NULL AND prefers_work <> is_other_email THEN work_local || '@' || domain END,
			CASE WHEN is_other_email AND domain IS NULL AND generator.uniform(r, :stream + 51) < 0.5 THEN substr(own_local, 1, 4) || person % 9901 ELSE own_local END || '@' || provider) AS address
	FROM ordered
)
SELECT row_number() OVER (ORDER BY hashint8extended(r, :stream)) AS id,
	CASE WHEN is_rubbish AND r & 1 = 0 THEN generator.one_of('{test,Test Test,asdf,n/a,-,abc,John Doe,no name}', r, :stream + 60)
		WHEN generator.uniform(r, :stream + 61) < blank * 0.1 THEN NULL
		ELSE CASE WHEN generator.uniform(r, :stream + 62) < 0.03 THEN '  ' || name || ' ' ELSE name END END AS full_name,
	CASE WHEN is_rubbish THEN generator.one_of('{test@test.com,no@email.com,a@a.com,none@none.com,noemail@example.com,info@gmail.com}', r, :stream + 63)
		-- a form asks for one way at least to answer
		WHEN generator.uniform(r, :stream + 64) < :no_email * care AND generator.uniform(r, :stream + 69) >= blank THEN NULL
		WHEN generator.uniform(r, :stream + 65) < error * 0.5 THEN generator.typo(address, hashint8extended(r, :stream + 66))
		WHEN generator.uniform(r, :stream + 65) < error THEN replace(replace(replace(address, 'gmail.', 'gmial.'), 'hotmail.', 'hotmial.'), '.com', '.con')
		WHEN generator.uniform(r, :stream + 67) < 0.03 THEN replace(address, '@', '+web@')
		WHEN generator.uniform(r, :stream + 67) < 0.10 THEN initcap(address)
		WHEN generator.uniform(r, :stream + 67) < 0.12 THEN upper(address)
		ELSE address END AS email,
	CASE WHEN is_rubbish AND r % 3 = 0 THEN generator.one_of('{0000000000,123456789,1234567890,0,n/a,+1 555 555 5555}', r, :stream + 68)
		WHEN generator.uniform(r, :stream + 69) < blank THEN NULL
		WHEN by_switchboard AND switchboard IS NOT NULL AND NOT is_other_phone THEN
			generator.phone_as_written(company_dialling, switchboard, r, :stream + 70, error) || CASE WHEN generator.uniform(r, :stream + 75) < 0.2 THEN ' ext. ' || 100 + person % 900 ELSE '' END
		WHEN is_other_phone THEN generator.phone_as_written(dialling, generator.phone_digits(mobile, 8, r, :stream + 79), r, :stream + 70, error)
		ELSE generator.phone_as_written(dialling, phone_digits, r, :stream + 70, error) END AS phone,
	CASE WHEN is_rubbish THEN generator.one_of('{test,n/a,none,-,private,self-employed,Company}', r, :stream + 77)
		WHEN core IS NULL THEN CASE WHEN generator.uniform(r, :stream + 78) < 0.1 THEN generator.one_of('{private,n/a,self-employed,freelance,-,none,Student}', r, :stream + 79) END
		WHEN generator.uniform(r, :stream + 80) < blank THEN NULL
		WHEN generator.uniform(r, :stream + 81) < 0.04 THEN domain
		ELSE generator.company_as_written(company_culture, core, form, r, :stream + 82, error) END AS company,
	CASE WHEN generator.uniform(r, :stream + 100) < blank * 1.3 THEN NULL
		WHEN other_titles IS NOT NULL AND generator.uniform(r, :stream + 101) < 0.1 + error * 2 THEN generator.one_of(other_titles, r, :stream + 102)
		WHEN generator.uniform(r, :stream + 103) < 0.2 THEN generator.small(title)
		ELSE title END AS job_title,
	CASE WHEN generator.uniform(r, :stream + 104) < blank * 1.2 THEN NULL
		WHEN other_towns IS NOT NULL AND generator.uniform(r, :stream + 105) < 0.2 THEN generator.one_of(other_towns, r, :stream + 106)
		WHEN generator.uniform(r, :stream + 107) < error THEN generator.wrong(town, r, :stream + 108)
		WHEN generator.uniform(r, :stream + 109) < 0.15 THEN generator.plain(town)
		WHEN generator.uniform(r, :stream + 109) < 0.25 THEN generator.small(town)
		ELSE town END AS city,
	CASE WHEN generator.uniform(r, :stream + 110) < blank * 0.7 THEN NULL
		WHEN generator.uniform(r, :stream + 111) < 0.35 THEN generator.one_of(other_countries, r, :stream + 112)
		ELSE country END AS country,
	person AS cluster
FROM (SELECT *, CASE
		WHEN generator.uniform(r, :stream + 90) < CASE culture WHEN 'vn' THEN 0.35 ELSE 0.12 END THEN CASE WHEN r % 3 = 0 THEN lower(generator.plain(titled)) ELSE generator.plain(titled) END
		WHEN generator.uniform(r, :stream + 91) < 0.08 THEN generator.small(titled)
		WHEN generator.uniform(r, :stream + 91) < 0.13 THEN generator.capitals(titled)
		-- some keyboards compose the marks, some do not
		WHEN generator.uniform(r, :stream + 91) < 0.18 THEN normalize(titled, NFD)
		ELSE titled END AS name FROM dressed) d;

CREATE TABLE :"table" AS
SELECT id, full_name, email, phone, company, job_title, city, country FROM generated ORDER BY id;
CREATE TABLE truth.:"table" AS SELECT id::text AS id, cluster::text AS cluster FROM generated;
DROP TABLE generated, person, company, job;
ALTER TABLE :"table" ADD PRIMARY KEY (id);
ANALYZE :"table", truth.:"table";
