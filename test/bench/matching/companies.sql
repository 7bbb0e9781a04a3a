-- Table company: what leads work for and organisations are. Included by
-- their generators, which set companies, stream and town_branches: the share of
-- companies that are a branch of another one, in another town.

DROP TABLE IF EXISTS company;
CREATE TEMP TABLE company AS
WITH numbered AS (
	SELECT c, CASE WHEN c % 8 <> 0 AND generator.uniform(c, :stream + 900) < :town_branches THEN c - c % 8 END AS branch_of,
		-- a sister has the brand, the address and the website, and another trade
		CASE WHEN c % 8 <> 0 AND generator.uniform(c, :stream + 900) BETWEEN 0.93 AND 0.98 THEN c - c % 8 END AS sister_of
	FROM generate_series(0, :companies - 1::bigint) AS c
), kin AS (
	SELECT *, coalesce(branch_of, sister_of, c) AS head, coalesce(branch_of, c) AS trade_key, coalesce(sister_of, c) AS address_key FROM numbered
), rooted AS (
	SELECT k.*, u.*,
		1 + generator.pick(head, :stream + 905, brands) AS brand_rank, 1 + generator.pick(head, :stream + 906, brands) AS second_rank,
		generator.rank(generator.uniform(trade_key, :stream + 907), trades, 4) AS trade_rank,
		generator.rank(generator.uniform(trade_key, :stream + 908), forms, 0.5) AS form_rank,
		generator.rank(generator.uniform(address_key, :stream + 909), streets, 6) AS street_rank,
		generator.rank(generator.uniform(address_key, :stream + 902), towns, 4) AS town_rank,
		generator.rank(generator.uniform(head, :stream + 910), family_names, 25) AS family_rank,
		generator.rank(generator.uniform(head, :stream + 911), family_names, 25) AS partner_rank,
		generator.pick(head, :stream + 903, 10) AS shape, 1 + generator.pick(address_key, :stream + 904, 180) AS house
	FROM kin k
	JOIN generator.company_culture u ON u.culture = (ARRAY['en', 'en', 'en', 'en', 'en', 'de', 'de', 'de', 'fr', 'fr', 'es', 'es', 'vn', 'vn', 'vn', 'cn', 'kr'])
		[1 + generator.pick(k.head, :stream + 901, 17)]
), drawn AS (
	SELECT r.*, b.name AS brand, b2.name AS second_brand, t.name AS trade, f.name AS form, n.name AS family, n2.name AS partner, s.name AS street_name
	FROM rooted r
	JOIN generator.company_word b ON b.culture = r.culture AND b.kind = 'brand' AND b.rank = brand_rank
	JOIN generator.company_word b2 ON b2.culture = r.culture AND b2.kind = 'brand' AND b2.rank = second_rank
	JOIN generator.company_word t ON t.culture = r.culture AND t.kind = 'trade' AND t.rank = trade_rank
	JOIN generator.company_word f ON f.culture = r.culture AND f.kind = 'form' AND f.rank = form_rank
	JOIN generator.company_word s ON s.culture = r.culture AND s.kind = 'street' AND s.rank = street_rank
	JOIN generator.family_name n ON n.culture = r.culture AND n.rank = family_rank
	JOIN generator.family_name n2 ON n2.culture = r.culture AND n2.rank = partner_rank
), named AS (
	SELECT d.*, w.name AS town, w.others AS other_towns,
		CASE
			WHEN d.culture = 'vn' THEN trade || ' ' || brand
			WHEN d.culture = 'cn' THEN w.name || ' ' || brand || ' ' || trade
			WHEN d.culture = 'kr' THEN brand || ' ' || trade
			WHEN shape < 3 THEN brand || ' ' || trade
			WHEN shape < 5 THEN family || ' ' || trade
			WHEN shape = 5 THEN family || ' & ' || partner
			WHEN shape = 6 THEN family || ' ' || partner || ' ' || trade
			WHEN shape = 7 THEN upper(left(generator.plain(brand), 1) || left(generator.plain(family), 1) || left(generator.plain(second_brand), 1)) || ' ' || trade
			WHEN shape = 8 THEN brand || ' ' || second_brand || ' ' || trade
			ELSE brand || ' ' || family || ' ' || trade END AS core
	FROM drawn d JOIN generator.town w ON w.culture = d.culture AND w.rank = d.town_rank
), sited AS (
	SELECT *, first_value(core) OVER (PARTITION BY head ORDER BY c) AS head_core FROM named
), domained AS (
	SELECT *, CASE generator.pick(head, :stream + 912, 3)
			WHEN 0 THEN regexp_replace(lower(generator.plain(head_core)), '[^a-z0-9]+', '', 'g')
			WHEN 1 THEN regexp_replace(lower(generator.plain(head_core)), '[^a-z0-9]+', '-', 'g')
			ELSE left(regexp_replace(lower(generator.plain(head_core)), '[^a-z0-9]+', '', 'g'), 13) END AS site
	FROM sited
), counted AS (
	SELECT *, dense_rank() OVER (PARTITION BY site ORDER BY head) AS namesakes FROM domained
)
SELECT c, head, branch_of IS NOT NULL AS is_branch, culture, country, dialling, town_rank, town, other_towns, form,
	CASE WHEN branch_of IS NOT NULL THEN head_core
		WHEN sister_of IS NOT NULL AND core = head_core THEN core || (ARRAY[' Holding', ' Invest', ' Digital', ' Academy', ' Asia', ' Europe', ' Plus'])[c % 8]
		ELSE core END AS core,
	site || CASE WHEN namesakes > 1 THEN namesakes::text ELSE '' END || '.'
		|| CASE WHEN generator.pick(head, :stream + 913, 3) = 0 THEN 'com' ELSE (jsonb_build_object('en', 'co.uk', 'de', 'de', 'fr', 'fr', 'es', 'es', 'vn', 'vn', 'cn', 'cn', 'kr', 'co.kr'))->>culture END AS domain,
	CASE culture WHEN 'de' THEN street_name || ' ' || house WHEN 'es' THEN street_name || ', ' || house WHEN 'cn' THEN 'No. ' || house || ' ' || street_name ELSE house || ' ' || street_name END AS street,
	generator.postcode(culture, town_rank, address_key, :stream + 914) AS postcode,
	landline, generator.phone_digits(ARRAY[landline], 7, address_key, :stream + 915) AS phone_digits,
	(1000000000 + (hashint8extended(CASE WHEN culture = 'vn' THEN head ELSE trade_key END, :stream + 919) & 4503599627370495) % 8999999999)::text
		|| CASE WHEN branch_of IS NOT NULL AND culture = 'vn' THEN '-' || lpad((c % 8)::text, 3, '0') ELSE '' END AS tax_digits
FROM counted;
CREATE UNIQUE INDEX ON company (c);
ANALYZE company;
