-- What names and addresses of companies are made of; needs names.sql.

SET client_min_messages = warning;

CREATE TABLE generator.company_word (
	culture text,
	kind text,
	rank integer,
	name text,
	others text[],
	PRIMARY KEY (culture, kind, rank)
);

INSERT INTO generator.company_word
SELECT culture, kind, place, replace((string_to_array(entry, ':'))[1], '_', ' '),
	nullif(string_to_array(replace(array_to_string((string_to_array(entry, ':'))[2:], ':'), '_', ' '), ':'), '{}')
FROM (VALUES
	('en', 'trade', 'Services:Svcs International:Intl:Int''l Group:Grp Solutions Systems:Sys Consulting Construction:Constr Technologies:Tech:Technology Engineering:Eng Trading Manufacturing:Mfg Logistics Management:Mgmt Software Media Associates:Assoc Industries:Ind Partners Foods Electronics Holdings Energy Insurance Financial:Fin Pharmaceuticals:Pharma Automotive:Auto Textiles Printing Properties Recruitment'),
	('de', 'trade', 'Bau Technik Maschinenbau:Masch.bau Logistik Handel:Handels Elektrotechnik:Elektro Immobilien:Immo Transporte Metallbau Beratung Software Verlag Druckerei Holzbau Gebäudereinigung Steuerberatung Automobile Spedition Consulting Anlagenbau Verwaltung:Verw. Lebensmittel Medizintechnik Werkzeugbau'),
	('fr', 'trade', 'Services Conseil Transports Bâtiment Informatique Distribution Menuiserie Électricité Industrie Ingénierie Immobilier Assurances Boulangerie Communication Énergie Logistique Formation Constructions Automobiles Frères:Frs'),
	('es', 'trade', 'Construcciones:Constr. Servicios:Serv. Transportes Consultores Ingeniería:Ing. Distribuciones Alimentación Asesores Hermanos:Hnos Inmobiliaria Tecnología Textiles Muebles Instalaciones Suministros Logística Comunicación Industrias Seguros Formación'),
	('vn', 'trade', 'Thương_Mại:TM Thương_Mại_Dịch_Vụ:TM_DV:TMDV Xây_Dựng:XD Dịch_Vụ:DV Sản_Xuất_Thương_Mại:SX_TM:SXTM Xuất_Nhập_Khẩu:XNK Công_Nghệ:CN Vận_Tải Đầu_Tư:ĐT Thực_Phẩm Dược_Phẩm Du_Lịch Bất_Động_Sản:BĐS May_Mặc Tư_Vấn Giáo_Dục Nội_Thất'),
	('cn', 'trade', 'Technology:Tech Trading Electronics:Electronic Industrial:Industry Import_and_Export:Imp._&_Exp.:I/E Machinery Textile Logistics Network Hardware Plastic Furniture Optoelectronics Garment'),
	('kr', 'trade', 'Electronics Chemical Construction Systems Engineering Trading Motors Soft Heavy_Industries Pharma Semiconductor Logistics'),
	('en', 'form', 'Ltd:Limited:Ltd. LLC:L.L.C. Inc:Inc.:Incorporated plc:PLC:Public_Limited_Company LLP Corp:Corporation:Corp.'),
	('de', 'form', 'GmbH:G.m.b.H.:Gesellschaft_mbH:Gmbh GmbH_&_Co._KG:GmbH_&_Co_KG:GmbH_u._Co._KG AG:Aktiengesellschaft KG e.K.:e._Kfm. UG_(haftungsbeschränkt):UG'),
	('fr', 'form', 'SARL:S.A.R.L. SAS:S.A.S. SA:S.A. EURL:E.U.R.L. SASU'),
	('es', 'form', 'S.L.:SL:Sociedad_Limitada S.A.:SA:Sociedad_Anónima S.L.U.:SLU S.C.:SC'),
	('vn', 'form', 'Công_ty_TNHH:Cty_TNHH:Cong_ty_TNHH:CT_TNHH:Công_ty_Trách_nhiệm_hữu_hạn Công_ty_Cổ_phần:CTCP:Công_ty_CP:Cty_CP Công_ty_TNHH_MTV:Cty_TNHH_Một_thành_viên DNTN:Doanh_nghiệp_tư_nhân'),
	('cn', 'form', 'Co.,_Ltd.:Co_Ltd:Company_Limited:Ltd Group_Co.,_Ltd.:Group Corporation:Corp.'),
	('kr', 'form', 'Co.,_Ltd.:Co_Ltd:Ltd Corp.:Corporation Inc.:Inc'),
	('en', 'street', 'High_Street Station_Road Main_Street Park_Road Church_Street London_Road Victoria_Road Green_Lane Mill_Lane King_Street Queens_Road Broadway Park_Avenue Industrial_Estate_Road Bridge_Street The_Crescent West_Street North_Road Market_Square Commercial_Road Meadow_Drive'),
	('de', 'street', 'Hauptstraße Bahnhofstraße Schulstraße Gartenstraße Dorfstraße Bergstraße Lindenstraße Industriestraße Am_Markt Goethestraße Schillerstraße Ringstraße Marktplatz Mühlenweg Wiesenweg Berliner_Straße Friedrich-Ebert-Straße Max-Planck-Straße Königsallee Gewerbepark'),
	('fr', 'street', 'rue_de_la_République avenue_de_la_Gare rue_Victor_Hugo place_de_la_Mairie boulevard_Gambetta rue_Pasteur avenue_Jean_Jaurès rue_du_Moulin rue_de_l''Église chemin_des_Vignes avenue_Charles_de_Gaulle rue_Saint-Jacques impasse_des_Lilas zone_industrielle_Nord'),
	('es', 'street', 'Calle_Mayor Avenida_de_la_Constitución Calle_Real Plaza_de_España Calle_San_José Paseo_de_Gracia Calle_del_Carmen Avenida_de_Andalucía Calle_Cervantes Polígono_Industrial_Sur Calle_Nueva Ronda_de_Valencia'),
	('vn', 'street', 'Nguyễn_Huệ Lê_Lợi Trần_Hưng_Đạo Hai_Bà_Trưng Điện_Biên_Phủ Nguyễn_Trãi Lý_Thường_Kiệt Cách_Mạng_Tháng_Tám Võ_Văn_Tần Phan_Chu_Trinh Quang_Trung Lê_Duẩn Nguyễn_Văn_Cừ Bạch_Đằng'),
	('cn', 'street', 'Nanjing_Road Zhongshan_Road Renmin_Road Jianshe_Road Jiefang_Road Keji_Road Huanghe_Road Beijing_Road Xinhua_Street Century_Avenue'),
	('kr', 'street', 'Teheran-ro Gangnam-daero Sejong-daero Eulji-ro Digital-ro Pangyo-ro Mapo-daero Yeouido-ro')
) AS words (culture, kind, names), LATERAL string_to_table(names, ' ') WITH ORDINALITY AS entries (entry, place);

INSERT INTO generator.company_word
SELECT culture, 'brand', row_number() OVER (PARTITION BY culture ORDER BY hashtext(culture || head || joint || tail), (culture || head || joint || tail) COLLATE "C"),
	replace(head || joint || tail, '_', ' '), NULL
FROM (VALUES
	('en', 'Nor Alt Bri Ven Lux Sol Ter Om Qua Zen Max Pro Inno Eco Med Tele Agri Aqua Cyber Data Dyna Euro Fort Gen Hydro Info Kin Lumi Magna Neo Opti Pan Rapi Sky Trans Uni Vita Xen Acu Bio', '', 'va tec dia ris nexa corp line star wave soft link core plan form gen con mark point vision media lab flex tron sys net care trust works logic'),
	('de', 'Nord Süd West Ost Rhein Main Elbe Alpen Hansa Sonnen Stern Wald Bären Adler Falken Eisen Gold Silber Grün Neu', '', 'werk tec plan bau haus form gruppe line wind stein energie mark kraft licht punkt'),
	('fr', 'Atl Aqui Bret Lor Norm Prov Sol Tech Inno Euro Agri Bio Méca Électro Nova', '', 'antis tania via ance alis éo ium ys oria plus'),
	('es', 'Ibér Andal Cata Levan Norte Medi Sol Tecno Hispa Agro Inno Lusi', '', 'ica via tec sur nova pres mar gest fil dis'),
	('vn', 'Hoàng Minh Thành Phú An Đại Tân Việt Nam Đông Kim Vĩnh Thiên Hòa Long Phương Thái Bảo Hưng Gia', '_', 'Long Phát Đạt Anh Hưng Thịnh Phong Á Sơn Hải Lộc Tiến Cường Khang An Vinh Quân Linh Dương Bình'),
	('cn', 'Hua Zhong Xin Tian Da Jin Hong Yong Fu Rui Heng Guang Long Sheng Tai Wan', '', 'wei tong sheng da long xing yuan feng tai hua li hai'),
	('kr', 'Han Dae Sam Hyun Dong Shin Woo Sung Kum Doo Ssang Hana Il Poong', '', 'sung woo il jin han yang shin kook bo san')
) AS parts (culture, heads, joint, tails),
	LATERAL string_to_table(heads, ' ') AS a (head), LATERAL string_to_table(tails, ' ') AS b (tail);

-- How many there are of each culture, for the draws
CREATE TABLE generator.company_culture AS
SELECT culture, country, dialling, landline, family_names, towns,
	max(rank) FILTER (WHERE kind = 'brand') AS brands, max(rank) FILTER (WHERE kind = 'trade') AS trades,
	max(rank) FILTER (WHERE kind = 'form') AS forms, max(rank) FILTER (WHERE kind = 'street') AS streets
FROM generator.culture JOIN generator.company_word USING (culture)
GROUP BY culture, country, dialling, landline, family_names, towns;

ANALYZE generator.company_word, generator.company_culture;

CREATE FUNCTION generator.word(wanted_culture text, wanted_kind text, key bigint, stream bigint, flatness float8) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	RETURN (SELECT name FROM generator.company_word
		WHERE culture = wanted_culture AND kind = wanted_kind AND rank = generator.rank(generator.uniform(key, stream),
			(SELECT max(rank) FROM generator.company_word WHERE culture = wanted_culture AND kind = wanted_kind), flatness));

-- A company's name as somebody writes it: legal form left out or written out,
-- words shortened, initials only, no marks, a slip. care is the chance of
-- what changes the name itself.
CREATE FUNCTION generator.company_as_written(wanted_culture text, core text, form text, key bigint, stream bigint, care float8) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
DECLARE
	name text := core;
	legal text := form;
	shorts record;
BEGIN
	IF generator.uniform(key, stream) < care * 1.5 THEN
		FOR shorts IN SELECT w.name, w.others FROM generator.company_word w
			WHERE culture = wanted_culture AND kind = 'trade' AND w.others IS NOT NULL AND strpos(core, w.name) > 0
			ORDER BY length(w.name) DESC LIMIT 1
		LOOP
			name := replace(name, shorts.name, generator.one_of(shorts.others, key, stream + 1));
		END LOOP;
	END IF;
	IF generator.uniform(key, stream + 2) < 0.35 + care THEN
		legal := NULL;
	ELSIF generator.uniform(key, stream + 3) < care * 2 THEN
		SELECT generator.one_of(w.others, key, stream + 4) INTO legal FROM generator.company_word w
			WHERE culture = wanted_culture AND kind = 'form' AND w.name = form AND w.others IS NOT NULL;
	END IF;
	IF generator.uniform(key, stream + 5) < care * 0.4 THEN
		name := regexp_replace(name, '^(\S+) (.*)$', '\2 \1');
	ELSIF generator.uniform(key, stream + 6) < care * 0.3 AND name ~ '\S \S+ \S' THEN
		name := upper(regexp_replace(generator.plain(name), '(\w)\w*\W*', '\1', 'g'));
	ELSIF generator.uniform(key, stream + 7) < care * 0.3 THEN
		name := split_part(name, ' ', 1) || coalesce(' ' || nullif(split_part(name, ' ', 2), ''), '');
	END IF;
	IF generator.uniform(key, stream + 8) < care THEN
		name := generator.wrong(name, key, stream + 9);
	END IF;
	IF generator.uniform(key, stream + 10) < 0.5 * care THEN
		name := replace(name, ' & ', ' ' || (ARRAY['and', '+', 'und', 'et', 'y'])[1 + generator.pick(key, stream + 11, 5)] || ' ');
	END IF;
	name := CASE WHEN wanted_culture = 'vn' THEN concat_ws(' ', legal, name) ELSE concat_ws(' ', name, legal) END;
	IF generator.uniform(key, stream + 12) < (CASE wanted_culture WHEN 'vn' THEN 0.2 ELSE 0.1 END) + care THEN
		name := generator.plain(name);
	END IF;
	RETURN CASE WHEN generator.uniform(key, stream + 13) < 0.1 THEN generator.capitals(name)
		WHEN generator.uniform(key, stream + 13) < 0.1 + 0.7 * care THEN generator.small(name) ELSE name END;
END $$;

-- An address line likewise
CREATE FUNCTION generator.street_as_written(street text, key bigint, stream bigint, care float8) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
BEGIN
	IF generator.uniform(key, stream) < 0.1 + care * 2 THEN
		street := replace(replace(replace(replace(replace(replace(replace(replace(street, ' Street', ' St'), ' Road', ' Rd'), ' Avenue', ' Ave'),
			'straße', 'str.'), 'avenue ', 'av. '), 'boulevard ', 'bd '), 'Calle ', 'C/ '), 'Avenida ', 'Avda. ');
	END IF;
	IF generator.uniform(key, stream + 1) < care THEN
		street := generator.wrong(street, key, stream + 2);
	END IF;
	IF generator.uniform(key, stream + 3) < 0.1 + care THEN
		street := generator.plain(street);
	END IF;
	RETURN CASE WHEN generator.uniform(key, stream + 4) < 0.05 THEN generator.capitals(street)
		WHEN generator.uniform(key, stream + 4) < 0.05 + care THEN generator.small(street) ELSE street END;
END $$;

CREATE FUNCTION generator.postcode(culture text, town_rank integer, key bigint, stream bigint) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	RETURN CASE culture
		WHEN 'en' THEN chr(65 + town_rank * 7 % 26) || chr(65 + town_rank / 26 % 26) || 1 + generator.pick(key, stream, 20) || ' '
			|| generator.pick(key, stream + 1, 10) || chr(65 + generator.pick(key, stream + 2, 26)) || chr(65 + generator.pick(key, stream + 3, 26))
		WHEN 'vn' THEN lpad((town_rank * 37 % 97)::text, 2, '0') || lpad(generator.pick(key, stream, 1 + 2000 / town_rank)::text, 4, '0')
		WHEN 'cn' THEN lpad((town_rank * 37 % 997)::text, 3, '0') || lpad(generator.pick(key, stream, 1 + 500 / town_rank)::text, 3, '0')
		ELSE lpad((town_rank * 53 % 997)::text, 3, '0') || lpad(generator.pick(key, stream, 1 + 99 / town_rank)::text, 2, '0') END;

CREATE FUNCTION generator.phone_as_written(dialling text, digits text, key bigint, stream bigint, care float8) RETURNS text
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
	-- not dialled in Spain and China
	trunk constant text := CASE WHEN dialling IN ('34', '86') THEN '' ELSE '0' END;
BEGIN
	IF generator.uniform(key, stream) < care * 0.4 THEN
		digits := generator.typo(digits, hashint8extended(key, stream + 1));
	END IF;
	RETURN CASE CASE WHEN generator.uniform(key, stream + 2) < 0.4 THEN 0 ELSE generator.pick(key, stream + 3, 8) END
		WHEN 0 THEN '+' || dialling || digits
		WHEN 1 THEN '+' || dialling || ' ' || left(digits, 3) || ' ' || substr(digits, 4, 3) || ' ' || substr(digits, 7)
		WHEN 2 THEN trunk || digits
		WHEN 3 THEN trunk || left(digits, 3) || '-' || substr(digits, 4)
		WHEN 4 THEN '+' || dialling || ' (0)' || left(digits, 2) || ' ' || substr(digits, 3)
		WHEN 5 THEN '00' || dialling || digits
		WHEN 6 THEN '(' || trunk || left(digits, 2) || ') ' || substr(digits, 3, 4) || '.' || substr(digits, 7)
		ELSE dialling || digits END;
END $$;
