SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
SET search_path = pg_catalog, pg_temp;

-- company names: each row is one company
SELECT names[1] AS name, array_agg(DISTINCT lead_mgmt.organisation_name_key(name)) AS keys
FROM (VALUES (ARRAY['Acme Inc.', 'ACME, Inc', 'Acme, L.L.C.', 'acme llc', 'The Acme Company, Ltd.', 'Acme Co., Ltd', 'ACME Corporation', 'Acme Corp', 'Acme P.L.C.', 'Acme GmbH', 'Acme AG', 'Acme S.A.', 'Acme S.A.R.L.', 'Acme SAS',
		'Acme S.p.A.', 'Acme Srl', 'Acme B.V.', 'Acme N.V.', 'Acme AB', 'AB Acme', 'Acme A/S', 'Acme AS', 'Acme Oy', 'Oy Acme Ab', 'Acme Oyj', 'Acme ApS', 'Acme Kft.', 'Acme Zrt', 'Acme Sp. z o.o.', 'Acme sp z oo', 'Acme s.r.o.', 'Acme, spol. s r.o.', 'Acme a.s.',
		'OOO Acme', 'ООО Acme', 'OAO "Acme"', 'ZAO Acme', 'PJSC Acme', 'Acme Pty Ltd', 'Acme Pty. Limited', 'Acme Pvt. Ltd.', 'Acme Private Limited', 'Acme (P) Ltd', 'Acme Sdn Bhd', 'Acme Berhad', 'PT Acme', 'PT Acme Tbk', 'Acme K.K.', 'Acme 株式会社', '㈱Acme', '有限会社 Acme', 'Acme有限公司', 'Acme股份有限公司', '株式会社Acme',
		'주식회사 Acme', '(주)Acme', 'Công ty TNHH Acme', 'CÔNG TY CỔ PHẦN ACME', 'CTCP Acme', 'Công ty CP Acme', 'Cty TNHH MTV Acme', 'Acme JSC', 'Acme, S.A. de C.V.', 'Acme Ltda.', 'Acme EIRELI', 'Acme Limited', 'Acme GmbH & Co. KG', 'Acme GmbH und Co. KG', 'Acme.com', 'Acme & Co.', 'Acme Ltd. Şti.', 'Acme A.Ş.', 'Acme d.o.o.', 'Acme, Inc., The']),
	(ARRAY['Johnson & Johnson', 'Johnson and Johnson, Inc.', 'JOHNSON + JOHNSON']), (ARRAY['J.P. Morgan Chase & Co.', 'JP Morgan Chase', 'J P Morgan Chase & Company']), (ARRAY['Müller & Söhne GmbH', 'Müller und Söhne', 'MULLER & SOHNE KG']),
	(ARRAY['McDonald''s Corp.', 'McDonald’s', 'McDonalds Corporation']), (ARRAY['L''Oréal S.A.', 'L’ORÉAL', 'Loreal']), (ARRAY['トヨタ自動車株式会社', '株式会社トヨタ自動車', 'トヨタ自動車', 'ﾄﾖﾀ自動車（株）']),
	(ARRAY['삼성전자 주식회사', '(주)삼성전자', '㈜삼성전자', '삼성전자']), (ARRAY['华为技术有限公司', '华为技术']), (ARRAY['Công ty Cổ phần Sữa Việt Nam', 'CTCP Sữa Việt Nam', 'SUA VIET NAM JSC']), (ARRAY['ООО «Ромашка»', 'Ромашка', 'О.О.О. Ромашка']),
	(ARRAY['S.C. Dacia S.R.L.', 'Dacia SRL', 'Dacia']), (ARRAY['AT&T Inc.', 'AT & T', 'at&t']), (ARRAY['שטראוס בע"מ', 'שטראוס']), (ARRAY['Société Générale S.A.', 'SA Societe Generale'])) AS t(names), unnest(names) AS name
GROUP BY names ORDER BY names[1] COLLATE "C";

-- what looks like a form but is part of the name stays, and something always does
SELECT name, lead_mgmt.organisation_name_key(name) AS key
FROM unnest(ARRAY['SAS Institute', 'S.C. Johnson & Son, Inc.', 'SIA Engineering Company Limited', 'A.O. Smith Corp.', 'Co-operative Bank', 'Company of Heroes', 'Limited Brands', 'The Limited', 'Limited', 'Ltd.', 'L.L.C.', 'AG', 'GmbH & Co. KG', 'The The', 'The', 'Die Zeit',
	'Plan B A/S', '3M Company', '7-Eleven, Inc.', '日本', '株式会社', '株', 'OOO', '1', '&', '+', '...', '', ' ', '№ 5', 'Too Faced', 'X Y Z', 'MTV Networks', '株式会社有限公司', 'トヨタ自動車株式会社 東京本社', 'Juan y Pedro', 'X Y Ltd', 'Group, Inc., The', 'Ltd and Co']) AS t(name);

-- the legal form
SELECT name, lead_mgmt.legal_form(name) AS form
FROM unnest(ARRAY['Acme Inc', 'Acme, L.L.C.', 'Acme Company, Limited', 'Novo Nordisk A/S', 'Equinor ASA', 'DNB AS', 'Škoda Auto a.s.', 'Koç Holding A.Ş.', 'Siemens Aktiengesellschaft', 'Bosch Gesellschaft mit beschränkter Haftung', 'Otto GmbH und Co KG',
	'CÔNG TY TNHH ABC', '(株)日立', 'PT Astra Tbk', 'SARL Dupont', 'Kowalski sp. z o. o.', 'Acme', 'Limited', '']) AS t(name);
SELECT count(*) >= 150 AS forms, count(*) FILTER (WHERE lead_mgmt.legal_form('Wxyz ' || form) IS NULL AND lead_mgmt.legal_form(form || ' Wxyz') IS NULL) AS unknown,
	bool_and(cardinality(countries) > 0 AND array_to_string(countries, ' ') ~ '^([A-Z]{2}( |$))+$') AS countries, count(*) - count(DISTINCT form) AS double FROM lead_mgmt.legal_forms();
SELECT form, spelling FROM lead_mgmt.legal_forms(), unnest(spellings) AS spelling
WHERE lead_mgmt.organisation_name_key('Wxyz ' || spelling) <> 'wxyz' AND lead_mgmt.organisation_name_key(spelling || ' Wxyz') <> 'wxyz' ORDER BY 1, 2;

-- mailboxes
SELECT left(address, 40) AS address, left(lead_mgmt.email_key(address), 40) AS key
FROM unnest(ARRAY['John.Doe+news@Gmail.com', 'johndoe@googlemail.com', 'J.o.h.n.Doe@gmail.com', 'john.doe@example.com', 'John.Doe+x+y@Example.com', '"John" <john+x@Example.com>', 'mailto:John@Example.com', 'first-last@yandex.ru', 'first.last@ya.ru', 'first.last@yandex.com',
	'a_b.c-d@proton.me', 'abcd@protonmail.com', 'kim@me.com', 'kim@icloud.com', 'kim@mac.com', 'nick-shop@yahoo.co.uk', 'nick-shop@example.com', 'x@hanmail.net', 'user@müller.de', 'jörg@example.com', '+tag@gmail.com', '...@gmail.com', 'a.+tag@example.com', '-a-b-@yandex.ru', '`a@yandex.ru', '"a b"@example.com',
	-- no addresses
	'john.doe@gmail', 'John.Doe@gmail.com,', '<john.doe@gmail.com', 'john doe@gmail.com', 'john@@gmail.com', '@gmail.com', 'john@', 'not an address', 'n/a', '...', '( ( )', '', '  ', repeat('x', 300) || '@example.com']) AS t(address);

-- street addresses: each row is one
SELECT streets[1] AS street, array_agg(DISTINCT lead_mgmt.address_key(street)) AS keys
FROM (VALUES (ARRAY['123 Main St., Apt #4B', '123 MAIN STREET, UNIT 4B', '123 main st apt. 4b', '123 Main Street Suite 4B', '123 Main Str., # 4B']), (ARRAY['5 N 3rd St N.W.', '5 N 3rd St NW', '5 North Third Street Northwest', '5 north 3rd st. nw']), (ARRAY['12 St. John''s Rd', '12 Saint Johns Road']),
	(ARRAY['Hauptstr. 5', 'Hauptstraße 5', 'Haupt-Str. 5', 'HAUPTSTRASSE 5']), (ARRAY['12 Đ. Nguyễn Trãi, P.5, Q.1, TP.HCM', '12 đường Nguyễn Trãi, phường 5, quận 1, thành phố Hồ Chí Minh', 'Số 12 Đường Nguyen Trai, P5, Q1, TPHCM']), (ARRAY['P.O. Box 12', 'PO Box 12', 'po box no. 12']),
	(ARRAY['Avda. de la Constitución, 5', 'Avenida de la Constitucion nº 5']), (ARRAY['C/ Mayor, 5', 'Calle Mayor 5']), (ARRAY['5 bd Voltaire', '5, Boulevard Voltaire']), (ARRAY['ul. Długa 3', 'Ulica Dluga 3']), (ARRAY['1 Sunset Blvd', '1 Sunset Boulevard']), (ARRAY['Tầng 5, 12 Lê Lợi', 'Lầu 5, 12 Le Loi', 'Floor 5, 12 Le Loi']),
	(ARRAY['ул. Ленина, д. 5, кв. 3', 'улица Ленина дом 5 квартира 3'])) AS t(streets), unnest(streets) AS street
GROUP BY streets ORDER BY streets[1] COLLATE "C";
SELECT street, lead_mgmt.address_key(street) AS key
FROM unnest(ARRAY['100 D Street', '12 P St', 'Apt E', '5 E 5th St', '#12 Main St', '5th St Brooklyn', 'Hải Phòng', 'Hồ Tùng Mậu', 'Flat 3, 10 High St', '3/12 Smith St', '221B Baker St', '1-2-3 千代田区', 'No', 'str', 'strstr', '12 Ste-Catherine', '', '-']) AS t(street);

-- postcodes
SELECT postcode, lead_mgmt.postcode_key(postcode) AS key FROM unnest(ARRAY['12345-6789', '123456789', '12345', 'SW1A 1AA', 'sw1a1aa', 'D-10115', '10115', 'LV-1010', 'K1A 0B1', 'HM 12', '〒100-0001', '１００-０００１', '700000', 'n/a', 'không', '', '京都']) AS t(postcode);

-- sounds
SELECT left(value, 20) AS value, lead_mgmt.phonetic(value) FROM unnest(ARRAY['Thompson', 'Tomson', 'Schmidt', 'Smith', 'Jane Roe', 'Nguyễn', 'Müller', 'Иванов', '王 Wang', '3rd', 'h', '', repeat('x', 10000)]) AS t(value);

-- long ones take no time
SELECT length(lead_mgmt.organisation_name_key(v)), length(lead_mgmt.address_key(v)), length(lead_mgmt.email_key(v)), length(lead_mgmt.postcode_key(v)), lead_mgmt.legal_form(v)
FROM unnest(ARRAY[repeat('x', 10000), repeat('ltd ', 2500), repeat('the ', 2500) || repeat('sa ', 2500), repeat('a & ', 2500), repeat('株式会社', 2500), repeat('a.', 5000), repeat('str', 3333), repeat('# 4 ', 2500), repeat('a+b@', 2500)]) v;

-- in an index of any table
CREATE TEMP TABLE company (name text);
INSERT INTO company SELECT 'Company ' || i FROM generate_series(1, 2000) i;
INSERT INTO company VALUES ('Müller & Söhne GmbH & Co. KG');
CREATE INDEX company_key ON company (lead_mgmt.organisation_name_key(name));
ANALYZE company;
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT name FROM company WHERE lead_mgmt.organisation_name_key(name) = lead_mgmt.organisation_name_key('Muller und Sohne KG');
SELECT name FROM company WHERE lead_mgmt.organisation_name_key(name) = lead_mgmt.organisation_name_key('Muller und Sohne KG');
RESET enable_seqscan;
DROP TABLE company;
