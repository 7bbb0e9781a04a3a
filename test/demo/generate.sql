-- Demonstration data: a year of inquiries and the sales that came of them.
--
-- Everything follows from the numbers of persons, companies and steps through
-- the hash below, and from the reference date: each run makes the same data.
-- Needs a workspace crm. -v scratch=DIR names the directory for the file that
-- the load goes through; without it a new one is used and removed.

\set QUIET on
\set ON_ERROR_STOP on
\if :{?scratch}
	\set is_own false
\else
	\set is_own true
	\set scratch `mktemp -d`
\endif
SET client_encoding = 'UTF8';
SET TimeZone = 'UTC';
SET client_min_messages = warning;

-- A number in [0, 1) that depends on the two arguments alone
CREATE FUNCTION pg_temp.draw(item bigint, salt bigint) RETURNS double precision
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	x bigint := (item * 2654435 + salt * 40503551 + 97) & 4294967295;
BEGIN
	x := (((x >> 16) # x) * 73244475) & 4294967295;
	x := (((x >> 16) # x) * 73244475) & 4294967295;
	x := (((x >> 15) # x) * 49979687) & 4294967295;
	RETURN ((x >> 16) # x) / 4294967296.0::double precision;
END $$;

CREATE FUNCTION pg_temp.pick(list text[], u double precision) RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT list[1 + floor(u * cardinality(list))::integer] $$;

-- Lower case without diacritics, whatever the database's locale
CREATE FUNCTION pg_temp.plain(t text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
	SELECT regexp_replace(lower(translate(t, 'ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖÙÚÛÜÝßàáâãäåæçèéêëìíîïñòóôõöùúûüýĂăĐđĨĩŒœŨũƠơƯưẠạẢảẤấẦầẨẩẪẫẬậẮắẰằẲẳẴẵẶặẸẹẺẻẼẽẾếỀềỂểỄễỆệỈỉỊịỌọỎỏỐốỒồỔổỖỗỘộỚớỜờỞởỠỡỢợỤụỦủỨứỪừỬửỮữỰựỲỳỴỵỶỷỸỹ', 'aaaaaaaceeeeiiiinooooouuuuysaaaaaaaceeeeiiiinooooouuuuyaaddiioouuoouuaaaaaaaaaaaaaaaaaaaaaaaaeeeeeeeeeeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy')), '[^a-z0-9]', '', 'g')
$$;

CREATE TEMP TABLE industry (n integer, industry text);
INSERT INTO industry
SELECT n - 1, i FROM unnest(string_to_array('software,manufacturing,logistics,retail,finance,healthcare,education,construction,energy,hospitality,food,media', ',')) WITH ORDINALITY u (i, n);

-- Names are "native:romanised" where the two differ more than by diacritics
CREATE TEMP TABLE country (
	country text, share double precision, language text, joint text, given text[], family text[], middle text[],
	city text[], first_part text[], second_part text[], trade text[], legal text[], title text[], mobile text[], digits integer, freemail text[]
);
INSERT INTO country
SELECT c, s, l, j, string_to_array(g, ','), string_to_array(f, ','), string_to_array(m, ','), string_to_array(ci, ','),
	string_to_array(fp, ','), string_to_array(sp, ','), string_to_array(tr, ','), string_to_array(le, ','),
	string_to_array(ti, ','), string_to_array(mo, ','), d, string_to_array(fm, ',')
FROM (VALUES
	('VN', 0.22, 'vi', ' ',
	 'Anh,Bình,Châu,Chi,Cường,Dũng,Dung,Duy,Đạt,Đức,Giang,Hà,Hải,Hạnh,Hiếu,Hoa,Hoàng,Hùng,Hương,Huy,Khánh,Khoa,Lan,Linh,Long,Mai,Minh,My,Nam,Nga,Ngân,Ngọc,Nhung,Phong,Phúc,Phương,Quân,Quang,Quỳnh,Sơn,Tâm,Thảo,Thắng,Thành,Thủy,Trang,Trung,Tú,Tuấn,Tùng,Uyên,Việt,Vy,Yến',
	 'Nguyễn,Nguyễn,Nguyễn,Nguyễn,Nguyễn,Nguyễn,Trần,Trần,Trần,Lê,Lê,Phạm,Phạm,Hoàng,Huỳnh,Phan,Vũ,Võ,Đặng,Bùi,Đỗ,Hồ,Ngô,Dương,Lý,Đinh,Trương',
	 'Thị,Văn,Minh,Thanh,Quốc,Hữu,Ngọc,Thu,Đình,Xuân,Kim,Bảo,Gia,Hồng',
	 'Hà Nội|Hà Nội|100000,TP. Hồ Chí Minh|Hồ Chí Minh|700000,Đà Nẵng|Đà Nẵng|550000,Hải Phòng|Hải Phòng|180000,Cần Thơ|Cần Thơ|900000,Biên Hòa|Đồng Nai|810000,Nha Trang|Khánh Hòa|650000,Huế|Thừa Thiên Huế|530000',
	 'An,Đại,Hoàng,Hưng,Minh,Nam,Phú,Tân,Thành,Thịnh,Việt,Vĩnh', 'Phát,Long,Gia,Thịnh,Quang,Cường,Lợi,Hòa,Đạt,Sơn',
	 'Phần Mềm,Cơ Khí,Vận Tải,Bán Lẻ,Tài Chính,Y Tế,Giáo Dục,Xây Dựng,Năng Lượng,Du Lịch,Thực Phẩm,Truyền Thông',
	 'Công ty TNHH %s,Công ty Cổ phần %s,%s JSC',
	 'Giám đốc,Phó giám đốc,Giám đốc Marketing,Trưởng phòng Kinh doanh,Trưởng phòng CNTT,Kế toán trưởng,Nhân viên kinh doanh,Chuyên viên Marketing,Kỹ sư phần mềm,Trợ lý',
	 '+8490,+8491,+8493,+8494,+8496,+8497,+8498,+8486,+8470,+8435,+8438', 7, 'gmail.com,gmail.com,gmail.com,yahoo.com,outlook.com'),
	('US', 0.24, 'en', '',
	 'James,Mary,Robert,Patricia,John,Jennifer,Michael,Linda,David,Elizabeth,William,Barbara,Richard,Susan,Joseph,Jessica,Thomas,Sarah,Carlos,Karen,Daniel,Lisa,Matthew,Nancy,Anthony,Betty,Mark,Sandra,Steven,Ashley,Andrew,Emily,Joshua,Michelle,Kevin,Amanda,Brian,Melissa,Jason,Stephanie,Maria,Luis',
	 'Smith,Johnson,Williams,Brown,Jones,Garcia,Miller,Davis,Rodriguez,Martinez,Hernandez,Lopez,Gonzalez,Wilson,Anderson,Thomas,Taylor,Moore,Jackson,Martin,Lee,Perez,Thompson,White,Harris,Sanchez,Clark,Ramirez,Lewis,Robinson,Walker,Young,Allen,King,Wright,Scott,Torres,Nguyen,Hill,Flores',
	 NULL,
	 'New York|NY|10001,San Francisco|CA|94103,Chicago|IL|60601,Austin|TX|78701,Seattle|WA|98101,Boston|MA|02108,Denver|CO|80202,Atlanta|GA|30303,Miami|FL|33101,Portland|OR|97201',
	 'North,South,Bright,Clear,Blue,Silver,Iron,Summit,Harbor,Maple,Red,Gold', 'field,stone,bridge,point,gate,wood,brook,crest',
	 'Software,Manufacturing,Logistics,Retail,Capital,Health,Learning,Builders,Energy,Hotels,Foods,Media',
	 '%s Inc.,%s LLC,%s Corp.',
	 'CEO,VP Sales,VP Marketing,Director of Operations,Head of IT,Marketing Manager,Sales Manager,Office Manager,Software Engineer,Analyst,Buyer,Consultant',
	 '+1212,+1213,+1214,+1215,+1216,+1217,+1218,+1219,+1224,+1225,+1228,+1229,+1231,+1234,+1239,+1240,+1248,+1251,+1252,+1253,+1254,+1256,+1260,+1262,+1267,+1269,+1270,+1272,+1276,+1281,+1301,+1302,+1303,+1304,+1305,+1307,+1308,+1309,+1310,+1312,+1313,+1314,+1315,+1316,+1317,+1318,+1319,+1320,+1321,+1323,+1325,+1330,+1331,+1334,+1336,+1337,+1339,+1347,+1351,+1352,+1360,+1361,+1385,+1386,+1401,+1402,+1404,+1405,+1406,+1407,+1408,+1409,+1410,+1412,+1413,+1414,+1415,+1417,+1419,+1423,+1424,+1425,+1430,+1432,+1434,+1435,+1440,+1442,+1443,+1458,+1469,+1470,+1475,+1478,+1479,+1480,+1484,+1501,+1502,+1503,+1504,+1505,+1507,+1508,+1509,+1510,+1512,+1513,+1515,+1516,+1517,+1518,+1520,+1530,+1539', 4, 'gmail.com,gmail.com,yahoo.com,outlook.com,hotmail.com,icloud.com'),
	('DE', 0.12, 'de', '',
	 'Anna,Lukas,Julia,Felix,Laura,Maximilian,Katharina,Jonas,Sabine,Stefan,Jürgen,Björn,Ursula,Günter,Monika,Andreas,Petra,Thomas,Claudia,Sören,Käthe,Matthias,Heike,Wolfgang,Lena,Tobias',
	 'Müller,Schmidt,Schneider,Fischer,Weber,Meyer,Wagner,Becker,Schulz,Hoffmann,Schäfer,Koch,Bauer,Richter,Klein,Wolf,Schröder,Neumann,Schwarz,Zimmermann,Braun,Krüger,Hofmann,Hartmann,Lange,Groß,Jäger,Köhler',
	 NULL,
	 'Berlin|Berlin|10115,Hamburg|Hamburg|20095,München|Bayern|80331,Köln|Nordrhein-Westfalen|50667,Frankfurt am Main|Hessen|60311,Stuttgart|Baden-Württemberg|70173,Düsseldorf|Nordrhein-Westfalen|40213,Leipzig|Sachsen|04109',
	 'Nord,Süd,Rhein,Main,Elb,Berg,Wald,Neu,Stein,Oster', 'werk,tal,hof,land,mark,haus',
	 'Software,Maschinenbau,Logistik,Handel,Finanz,Medizintechnik,Bildung,Bau,Energie,Hotels,Lebensmittel,Medien',
	 '%s GmbH,%s AG,%s GmbH & Co. KG',
	 'Geschäftsführer,Vertriebsleiter,Head of Marketing,CTO,Einkäufer,IT-Leiter,Sachbearbeiterin,Projektleiter,Softwareentwickler,Assistentin',
	 '+49170,+49171,+49172,+49173,+49174,+49175', 7, 'gmail.com,gmx.de,web.de,t-online.de,outlook.com'),
	('GB', 0.10, 'en', '',
	 'Oliver,Amelia,George,Isla,Harry,Ava,Jack,Emily,Charlie,Sophie,Thomas,Grace,James,Lily,William,Freya,Alfie,Ella,Henry,Charlotte,Priya,Mohammed,Siobhan,Rhys',
	 'Smith,Jones,Taylor,Brown,Williams,Wilson,Johnson,Davies,Patel,Robinson,Wright,Thompson,Evans,Walker,White,Roberts,Green,Hall,Wood,Clarke,Khan,O''Neill,Hughes,Edwards',
	 NULL,
	 'London|England|EC1A 1BB,Manchester|England|M1 1AE,Birmingham|England|B1 1AA,Leeds|England|LS1 4DY,Glasgow|Scotland|G1 1AA,Edinburgh|Scotland|EH1 1BB,Bristol|England|BS1 4DJ,Cardiff|Wales|CF10 1EP',
	 'Ash,Oak,Thorn,Whit,Kings,Hart,Win,Stan', 'ford,bury,ley,ham,wick,combe',
	 'Software,Engineering,Logistics,Stores,Finance,Care,Education,Construction,Energy,Hotels,Foods,Media',
	 '%s Ltd,%s plc,%s LLP',
	 'Managing Director,Founder,Head of Sales,Marketing Manager,IT Manager,Buyer,Operations Director,Engineer,Administrator,Account Executive',
	 '+44785,+44786,+44787', 7, 'gmail.com,gmail.com,outlook.com,yahoo.co.uk,hotmail.co.uk'),
	('FR', 0.08, 'fr', '',
	 'Camille,Louis,Chloé,Gabriel,Léa,Raphaël,Manon,Hugo,Élodie,Théo,Zoé,Jérôme,Amélie,François,Hélène,Benoît,Céline,Noël,Anaïs,Étienne',
	 'Martin,Bernard,Dubois,Thomas,Robert,Richard,Petit,Durand,Leroy,Moreau,Simon,Laurent,Lefèvre,Michel,Garcia,David,Bertrand,Roux,Vincent,Fournier,Girard,Bonnet,Dupont,François',
	 NULL,
	 'Paris|Île-de-France|75001,Lyon|Auvergne-Rhône-Alpes|69001,Marseille|Provence-Alpes-Côte d''Azur|13001,Toulouse|Occitanie|31000,Nantes|Pays de la Loire|44000,Lille|Hauts-de-France|59000,Bordeaux|Nouvelle-Aquitaine|33000',
	 'Bel,Clair,Mont,Haut,Val,Beau,Grand', 'mont,fontaine,rive,pierre,bois,vent',
	 'Logiciels,Mécanique,Transport,Distribution,Finance,Santé,Formation,Construction,Énergie,Hôtels,Alimentation,Médias',
	 '%s SAS,%s SARL,%s SA',
	 'Directeur général,Directrice commerciale,Responsable marketing,Head of IT,Acheteur,Chef de projet,Ingénieure,Assistant,CEO',
	 '+3361,+3362,+3364,+3366', 7, 'gmail.com,gmail.com,orange.fr,free.fr,hotmail.fr'),
	('IN', 0.09, 'en', ' ',
	 'Aarav,Aditi,Ananya,Arjun,Deepika,Divya,Gaurav,Ishaan,Kavya,Kiran,Lakshmi,Meera,Neha,Nikhil,Pooja,Priya,Rahul,Rajesh,Riya,Rohan,Sanjay,Shreya,Sneha,Suresh,Vikram,Vivek',
	 'Sharma,Verma,Gupta,Patel,Singh,Kumar,Reddy,Iyer,Nair,Mehta,Joshi,Desai,Rao,Chatterjee,Banerjee,Mukherjee,Kapoor,Malhotra,Agarwal,Bose,Pillai,Menon',
	 NULL,
	 'Mumbai|Maharashtra|400001,Bengaluru|Karnataka|560001,Delhi|Delhi|110001,Hyderabad|Telangana|500001,Chennai|Tamil Nadu|600001,Pune|Maharashtra|411001,Kolkata|West Bengal|700001,Ahmedabad|Gujarat|380001',
	 'Surya,Ganga,Indra,Akash,Vikas,Prabhat,Shanti', 'Jyoti,Deep,Vani,Shakti,Kiran,Mitra',
	 'Software,Industries,Logistics,Retail,Finance,Healthcare,Education,Infrastructure,Energy,Hotels,Foods,Media',
	 '%s Pvt. Ltd.,%s Ltd.',
	 'Director,Founder,VP Engineering,Head of Procurement,Marketing Manager,Software Engineer,Senior Executive,Business Analyst,IT Manager,Accountant',
	 '+9198,+9199,+9197', 8, 'gmail.com,gmail.com,gmail.com,rediffmail.com,yahoo.co.in'),
	('SG', 0.04, 'en', ' ',
	 'Wei Ling,Jun Jie,Hui Min,Kai Xin,Zhi Hao,Xin Yi,Siti,Farid,Arun,Rachel,Marcus,Cheryl,Benjamin,Pei Shan',
	 'Tan,Lim,Lee,Ng,Ong,Wong,Goh,Chua,Chan,Koh,Teo,Ang,Yeo,Rahman,Raj',
	 NULL,
	 'Singapore||018956,Singapore||068877,Singapore||238801,Singapore||609601',
	 'Lion,Straits,Marina,Orchid,Merlion,Pioneer', 'Bay,Gate,Peak,Star,Link,One',
	 'Software,Engineering,Logistics,Retail,Capital,Health,Academy,Builders,Energy,Hotels,Foods,Media',
	 '%s Pte. Ltd.,%s Pte Ltd',
	 'CEO,Managing Director,Head of Growth,Regional Manager,IT Manager,Marketing Executive,Engineer,Procurement Officer',
	 '+6581,+6582,+6583,+6591,+6592,+6596,+6597', 6, 'gmail.com,gmail.com,yahoo.com.sg,outlook.com'),
	('JP', 0.06, 'ja', '',
	 '陽翔:haruto,蓮:ren,結衣:yui,葵:aoi,大翔:hiroto,さくら:sakura,健太:kenta,美咲:misaki,翔太:shota,陽菜:hina,直樹:naoki,由美子:yumiko,浩:hiroshi,恵子:keiko,拓也:takuya,真由美:mayumi',
	 '佐藤:sato,鈴木:suzuki,高橋:takahashi,田中:tanaka,伊藤:ito,渡辺:watanabe,山本:yamamoto,中村:nakamura,小林:kobayashi,加藤:kato,吉田:yoshida,山田:yamada,佐々木:sasaki,山口:yamaguchi,松本:matsumoto,井上:inoue',
	 NULL,
	 '東京|東京都|100-0001,大阪|大阪府|530-0001,名古屋|愛知県|450-0002,福岡|福岡県|812-0011,札幌|北海道|060-0001,横浜|神奈川県|220-0011',
	 'Yama,Kawa,Naka,Taka,Oka,Fuji,Mori,Ishi', 'moto,shima,mura,saki,hara,da',
	 'Soft,Denki,Unyu,Shoten,Shoken,Iryo,Gakuen,Kensetsu,Denryoku,Ryokan,Shokuhin,Hoso',
	 '%s 株式会社,%s K.K.,株式会社 %s',
	 '代表取締役,部長,課長,営業担当,エンジニア,マーケティング担当,CTO,主任',
	 '+8190,+8180', 8, 'gmail.com,gmail.com,yahoo.co.jp,outlook.jp'),
	('NL', 0.02, 'nl', '',
	 'Daan,Emma,Sem,Julia,Lucas,Mila,Levi,Tess,Bram,Sanne,Joost,Anouk',
	 'de Jong,Jansen,de Vries,van den Berg,Bakker,van Dijk,Visser,Smit,Meijer,Mulder,Bos,Vos', NULL,
	 'Amsterdam|Noord-Holland|1011 AB,Rotterdam|Zuid-Holland|3011 AA,Utrecht|Utrecht|3511 AA,Eindhoven|Noord-Brabant|5611 AA',
	 'Water,Zuid,Noord,Oost,Duin,Polder', 'land,zicht,dijk,haven,berg,veld',
	 'Software,Machinebouw,Logistiek,Winkels,Financiën,Zorg,Onderwijs,Bouw,Energie,Hotels,Voeding,Media',
	 '%s B.V.,%s N.V.', 'Directeur,Head of Sales,Inkoper,Marketing Manager,CTO,Projectleider,Ontwikkelaar',
	 '+3161,+3162,+3164,+3165', 7, 'gmail.com,gmail.com,ziggo.nl,outlook.com'),
	('AU', 0.03, 'en', '',
	 'Jack,Charlotte,Noah,Olivia,Liam,Matilda,Cooper,Ruby,Lachlan,Zoe,Angus,Harper',
	 'Smith,Jones,Williams,Brown,Wilson,Taylor,Nguyen,Johnson,Martin,Kelly,Ryan,Campbell', NULL,
	 'Sydney|NSW|2000,Melbourne|VIC|3000,Brisbane|QLD|4000,Perth|WA|6000,Adelaide|SA|5000',
	 'Wattle,Banksia,Coral,Gum,Ridge,Sandy', 'grove,creek,bay,view,plains,tree',
	 'Software,Engineering,Freight,Retail,Finance,Health,Education,Construction,Energy,Hotels,Foods,Media',
	 '%s Pty Ltd,%s Ltd', 'Managing Director,Owner,Sales Manager,IT Manager,Head of Marketing,Engineer,Buyer,Office Manager',
	 '+6141,+6142', 7, 'gmail.com,gmail.com,bigpond.com,outlook.com')
) v (c, s, l, j, g, f, m, ci, fp, sp, tr, le, ti, mo, d, fm);

-- What marketing spends

CREATE TEMP TABLE plan (campaign text, channel text, product text, page text, starts date, ends date, daily numeric, purpose text);
INSERT INTO plan VALUES
	('Search: CRM Cloud', 'paid_search', 'CRM Cloud', '/crm-cloud', '2025-07-01', '2026-06-30', 600, 'demand'),
	('Search: Spring Launch', 'paid_search', 'Analytics', '/analytics', '2026-02-01', '2026-05-31', 775, 'launch'),
	('Content Hub', 'organic_search', 'CRM Cloud', '/guides/crm', '2025-07-01', '2026-06-30', 112, 'content'),
	('Autumn Retargeting', 'paid_social', 'CRM Cloud', '/crm-cloud', '2025-07-15', '2025-12-15', 375, 'retargeting'),
	('Decision Makers', 'paid_social', 'Analytics', '/analytics', '2025-12-16', '2026-06-30', 475, 'account-based'),
	('Founder Stories', 'social', 'Support Desk', '/stories', '2025-07-01', '2026-06-30', 50, 'brand'),
	('Display Awareness', 'display', 'Payments', '/payments', '2025-07-01', '2026-06-30', 425, 'brand'),
	('Customer Newsletter', 'email', 'Support Desk', '/support-desk', '2025-07-01', '2026-06-30', 35, 'nurture'),
	('Hanoi Tech Week', 'event', 'Payments', '/events/hanoi', '2025-09-20', '2025-10-20', 1550, 'event'),
	('Berlin Summit', 'event', 'CRM Cloud', '/events/berlin', '2026-03-01', '2026-03-31', 1750, 'event'),
	('Webinar Series', 'event', 'Analytics', '/webinars', '2025-07-01', '2026-06-30', 87, 'education'),
	('Customer Referral Programme', 'referral', 'CRM Cloud', '/referral', '2025-07-01', '2026-06-30', 62, 'referral');

INSERT INTO crm.campaign (campaign, kind, purpose, channel, budget, currency, starts_at, ends_at)
SELECT campaign, 'campaign', purpose, channel, round(daily * (ends - starts + 1) * 1.1, -2), 'USD', starts, ends
FROM plan ORDER BY starts, campaign;

INSERT INTO crm.campaign_cost (campaign_id, channel, spent_on, amount)
SELECT c.campaign_id, p.channel, d::date,
	round((p.daily * CASE WHEN extract(isodow FROM d) > 5 THEN 0.6 ELSE 1.1 END
		* (0.8 + 0.4 * pg_temp.draw(c.campaign_id * 1000 + (d::date - p.starts), 900)))::numeric, 2)
FROM plan p
JOIN crm.campaign c USING (campaign)
CROSS JOIN generate_series(p.starts, p.ends, interval '1 day') d
ORDER BY d, c.campaign_id;

-- Who works on leads, and which team gets which

INSERT INTO crm.team (team, kind) VALUES
	('Telesales', 'telesales'), ('Sales Asia', 'sales'), ('Sales Europe', 'sales'), ('Sales Americas', 'sales'), ('Key Accounts', 'sales');

INSERT INTO crm.agent (agent, team_id, email)
SELECT v.agent, t.team_id, (lower(split_part(v.agent, ' ', 1)) || '@seller.example')::lead_mgmt.email
FROM (VALUES
	('Uma Fields', 'Telesales'), ('Ravi Anand', 'Telesales'), ('Petra Lindt', 'Telesales'),
	('Thảo Lâm', 'Sales Asia'), ('Kenji Abe', 'Sales Asia'), ('Mei Chong', 'Sales Asia'),
	('Jonas Brandt', 'Sales Europe'), ('Elise Caron', 'Sales Europe'),
	('Dana Whitfield', 'Sales Americas'), ('Miguel Ortega', 'Sales Americas'),
	('Ingrid Salo', 'Key Accounts'), ('Owen Marsh', 'Key Accounts')
) v (agent, team)
JOIN crm.team t USING (team)
ORDER BY v.agent;

INSERT INTO crm.routing_rule (sequence, label, condition, team_id)
SELECT v.sequence, v.label, v.condition::lead_mgmt.predicate, t.team_id
FROM (VALUES
	(10, 'Large companies', 'employees >= 1000', 'Key Accounts'),
	(20, 'Asia and Oceania', $rule$country IN ('VN', 'IN', 'SG', 'JP', 'AU')$rule$, 'Sales Asia'),
	(30, 'Europe', $rule$country IN ('DE', 'GB', 'FR', 'NL')$rule$, 'Sales Europe'),
	(40, 'Americas', $rule$country = 'US'$rule$, 'Sales Americas'),
	(90, 'Everybody else', 'true', 'Telesales')
) v (sequence, label, condition, team)
JOIN crm.team t USING (team)
ORDER BY v.sequence;

-- Companies

CREATE TEMP TABLE company AS
SELECT
	row_number() OVER (ORDER BY c.country, k.k) AS n,
	c.country,
	k.k,
	NULL::text AS core, NULL::text AS name, NULL::text AS domain, i.industry,
	NULL::integer AS employees, NULL::bigint AS revenue,
	c.first_part[1 + x.x % cardinality(c.first_part)]
		|| c.joint
		|| c.second_part[1 + x.x / cardinality(c.first_part) % cardinality(c.second_part)] AS house,
	c.trade[1 + i.n] AS trade
FROM country c
CROSS JOIN LATERAL generate_series(1, round(c.share * 3000)::integer) k (k)
CROSS JOIN LATERAL (SELECT k.k * 7919 % (cardinality(c.first_part) * cardinality(c.second_part) * 12) AS x) y
CROSS JOIN LATERAL (SELECT y.x / 12 AS x) x
JOIN industry i ON i.n = y.x % 12;

UPDATE company m SET
	core = m.house || ' ' || m.trade,
	name = format(pg_temp.pick(c.legal, pg_temp.draw(m.n, 1)), m.house || ' ' || m.trade),
	domain = pg_temp.plain(m.house) || '-' || pg_temp.plain(m.trade) || '.example',
	employees = round(exp(1.8 + 6.2 * power(pg_temp.draw(m.n, 2), 1.5)))::integer
FROM country c WHERE c.country = m.country;

UPDATE company SET revenue = round(employees * (60 + 190 * pg_temp.draw(n, 3)))::bigint * 1000;
CREATE UNIQUE INDEX ON company (n);
ANALYZE company;

-- Persons

CREATE TEMP TABLE person AS
WITH base AS (
	SELECT
		i AS n,
		CASE WHEN pg_temp.draw(i, 10) < 0.72
			THEN 1 + floor(pg_temp.draw(i, 11) * (SELECT count(*) FROM company))::bigint END AS company_n,
		pg_temp.draw(i, 12) AS u_country
	FROM generate_series(1, 11500) i
),
placed AS (
	SELECT b.n, m.n AS company_n, COALESCE(m.country, f.country) AS country, m.domain
	FROM base b
	LEFT JOIN company m ON m.n = b.company_n
	JOIN (
		SELECT c.country,
			sum(c.share) OVER (ORDER BY c.country) - c.share AS low,
			sum(c.share) OVER (ORDER BY c.country) AS high
		FROM country c
	) f ON b.u_country >= f.low AND (b.u_country < f.high OR f.high > 0.9999)
),
named AS (
	SELECT
		p.*,
		pg_temp.pick(c.given, pg_temp.draw(p.n, 13)) AS g,
		pg_temp.pick(c.family, pg_temp.draw(p.n, 14)) AS f,
		pg_temp.pick(c.middle, pg_temp.draw(p.n, 15)) AS m,
		pg_temp.pick(c.city, pg_temp.draw(p.n, 16)) AS city,
		pg_temp.pick(c.title, pg_temp.draw(p.n, 17)) AS job_title,
		CASE WHEN p.domain IS NOT NULL AND pg_temp.draw(p.n, 18) < 0.8 THEN p.domain
			ELSE pg_temp.pick(c.freemail, pg_temp.draw(p.n, 19)) END AS mail_domain,
		CASE p.country WHEN 'US' THEN c.mobile[1 + p.n / 100 % cardinality(c.mobile)] ELSE pg_temp.pick(c.mobile, pg_temp.draw(p.n, 20)) END AS mobile,
		c.digits,
		c.language
	FROM placed p
	JOIN country c ON c.country = p.country
),
mailed AS (
	SELECT
		n.*,
		CASE
			WHEN mail_domain <> COALESCE(domain, '') THEN
				pg_temp.plain(split_part(g || ':' || g, ':', 2)) || '.' || pg_temp.plain(split_part(f || ':' || f, ':', 2))
				|| 10 + floor(pg_temp.draw(n.n, 21) * 90)::integer
			WHEN pg_temp.draw(n.n, 22) < 0.6 THEN
				pg_temp.plain(split_part(g || ':' || g, ':', 2)) || '.' || pg_temp.plain(split_part(f || ':' || f, ':', 2))
			ELSE left(pg_temp.plain(split_part(g || ':' || g, ':', 2)), 1) || pg_temp.plain(split_part(f || ':' || f, ':', 2))
		END AS local_part
	FROM named n
)
SELECT
	n, company_n, country, language,
	CASE WHEN m IS NULL THEN split_part(g, ':', 1)
		WHEN m = g THEN g ELSE m || ' ' || g END AS given_name,
	split_part(f, ':', 1) AS family_name,
	CASE WHEN country = 'VN' THEN f || CASE WHEN m = g THEN ' ' ELSE ' ' || m || ' ' END || g
		WHEN country = 'JP' THEN split_part(f, ':', 1) || ' ' || split_part(g, ':', 1)
		WHEN country = 'SG' AND g LIKE '% %' THEN f || ' ' || g
		ELSE g || ' ' || f END AS full_name,
	local_part
		|| COALESCE(NULLIF(row_number() OVER (PARTITION BY local_part, mail_domain ORDER BY n), 1)::text, '')
		|| '@' || mail_domain AS email,
	-- North American numbers from the range kept free for fiction
	CASE WHEN pg_temp.draw(n, 23) < 0.65 THEN
		CASE country WHEN 'US' THEN mobile || '55501' || lpad((n % 100)::text, 2, '0')
			ELSE mobile || (1 + floor(pg_temp.draw(n, 24) * 9))::text
				|| lpad(floor(pg_temp.draw(n, 25) * power(10, digits - 1))::bigint::text, digits - 1, '0') END
	END AS phone,
	split_part(city, '|', 1) AS city,
	NULLIF(split_part(city, '|', 2), '') AS region,
	split_part(city, '|', 3) AS postal_code,
	CASE WHEN company_n IS NOT NULL OR pg_temp.draw(n, 26) < 0.2 THEN job_title END AS job_title,
	CASE WHEN pg_temp.draw(n, 27) < 0.03 THEN 'erp-' || n END AS source_id
FROM mailed;
CREATE UNIQUE INDEX ON person (n);
ANALYZE person;

-- Their journeys: one step or a sequence of them

CREATE TEMP TABLE journey AS
WITH met AS (
	SELECT
		p.n,
		k.channel,
		k.hot,
		timestamptz '2025-07-01' + interval '1 day' * floor(364 * power(pg_temp.draw(p.n, 31), 0.8)) AS day
	FROM person p
	JOIN (VALUES
		('paid_search', 0.00, 0.24, 0.15), ('organic_search', 0.24, 0.44, 0.17), ('paid_social', 0.44, 0.58, 0.08),
		('social', 0.58, 0.68, 0.08), ('display', 0.68, 0.76, 0.05), ('email', 0.76, 0.84, 0.21),
		('event', 0.84, 0.93, 0.28), ('referral', 0.93, 1.00, 0.35)
	) k (channel, low, high, hot) ON pg_temp.draw(p.n, 30) >= k.low AND pg_temp.draw(p.n, 30) < k.high
),
won_over AS (
	SELECT
		m.*,
		CASE WHEN pg_temp.draw(m.n, 32) < m.hot THEN 'hot' WHEN pg_temp.draw(m.n, 32) < m.hot + 0.12 THEN 'warm' ELSE 'cool' END AS intent,
		pl.campaign, pl.product, pl.page
	FROM met m
	LEFT JOIN LATERAL (
		SELECT q.campaign, q.product, q.page
		FROM plan q
		WHERE q.channel = m.channel AND m.day BETWEEN q.starts AND q.ends
		ORDER BY pg_temp.draw(m.n, 33 + q.daily::bigint)
		LIMIT 1
	) pl ON true
)
SELECT
	w.*,
	string_to_array(pg_temp.pick(CASE w.intent
		WHEN 'hot' THEN ARRAY[
			'page_view download email_click demo_request meeting',
			'form_submit email_sent email_open email_click demo_request call_inbound',
			'event_register event_attend download demo_request meeting',
			'page_view product_click form_submit demo_request call_inbound',
			'chat download email_reply demo_request meeting',
			'page_view download email_sent email_click call_outbound demo_request meeting']
		WHEN 'warm' THEN ARRAY['form_submit email_click', 'download email_open', 'event_register event_attend', 'chat download', 'page_view form_submit']
		ELSE ARRAY['form_submit', 'form_submit', 'form_submit', 'form_submit', 'form_submit', 'download', 'download', 'event_register', 'chat', 'call_inbound']
	END, pg_temp.draw(w.n, 34))
	|| CASE WHEN w.intent = 'hot' AND pg_temp.draw(w.n, 36) < 0.3 THEN
		pg_temp.pick(ARRAY[' email_open', ' page_view email_open', ' download', ' email_open email_click', ' email_reply', ' call_inbound'], pg_temp.draw(w.n, 37))
		ELSE '' END, ' ') AS kinds,
	pg_temp.draw(w.n, 35) < 0.5 AS has_visitor
FROM won_over w;

CREATE TEMP TABLE step AS
SELECT
	j.n,
	s.step,
	s.kind,
	j.campaign AS first_campaign, j.product, j.page, j.channel AS first_channel, j.has_visitor,
	CASE
		WHEN s.step = 1 THEN j.channel
		WHEN s.kind LIKE 'email%' THEN 'email'
		WHEN s.kind IN ('call_inbound', 'call_outbound', 'meeting') THEN 'phone'
		WHEN s.kind LIKE 'event%' THEN 'event'
		WHEN pg_temp.draw(j.n * 10 + s.step, 40) < 0.5 THEN j.channel
		ELSE pg_temp.pick(ARRAY['organic_search', 'organic_search', 'organic_search', 'email', 'paid_search', 'paid_search', 'paid_social', 'social'],
			pg_temp.draw(j.n * 10 + s.step, 41))
	END AS channel,
	j.day
		+ interval '1 day' * sum(CASE WHEN s.step = 1 THEN 0
			WHEN s.kind IN ('email_open', 'email_click') THEN 1
			ELSE 1 + floor(7 * pg_temp.draw(j.n * 10 + s.step, 42)) END) OVER (PARTITION BY j.n ORDER BY s.step)
		+ interval '1 second' * floor(28800 + 36000 * pg_temp.draw(j.n * 10 + s.step, 43)) AS occurred_at
FROM journey j
CROSS JOIN LATERAL unnest(j.kinds) WITH ORDINALITY s (kind, step);

-- What they send. Names are mistyped and addresses sloppy now and then.

CREATE TEMP TABLE outgoing (form text, external_id text, payload jsonb, received_at timestamptz, n bigint, step bigint);

INSERT INTO outgoing (form, payload, received_at, n, step)
SELECT
	'default',
	jsonb_strip_nulls(jsonb_build_object(
		'kind', s.kind,
		'occurred_at', to_char(s.occurred_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
		'channel', s.channel,
		'campaign', CASE
			WHEN s.channel = s.first_channel THEN s.first_campaign
			WHEN s.channel = 'email' THEN 'Customer Newsletter'
			WHEN s.channel = 'event' THEN 'Webinar Series' END,
		'creative', CASE WHEN s.channel IN ('paid_search', 'paid_social', 'display') THEN s.channel || '-' || chr(65 + floor(4 * pg_temp.draw(d.d, 50))::integer) END,
		'page', COALESCE(s.page, '/crm-cloud'),
		'product', COALESCE(s.product, 'CRM Cloud'),
		'visitor', CASE WHEN s.has_visitor AND s.channel NOT IN ('phone', 'email') THEN 'v' || lpad(s.n::text, 6, '0') END
	) || CASE WHEN s.kind = 'page_view' AND s.has_visitor THEN jsonb_build_object('url', 'https://www.seller.example' || COALESCE(s.page, '/crm-cloud'))
	ELSE jsonb_build_object(
		'email', CASE
			WHEN pg_temp.draw(d.d, 51) < 0.03 THEN '  ' || upper(p.email) || ' '
			WHEN pg_temp.draw(d.d, 51) < 0.08 THEN initcap(p.email)
			WHEN pg_temp.draw(d.d, 51) < 0.10 THEN p.email || ' '
			ELSE p.email END,
		'source', CASE s.first_channel WHEN 'event' THEN 'event' WHEN 'referral' THEN 'referral'
			WHEN 'social' THEN 'social_network' WHEN 'organic_search' THEN 'website' WHEN 'email' THEN 'existing_customer' ELSE 'advertising' END,
		'source_id', p.source_id
	) END || CASE WHEN s.kind IN ('form_submit', 'download', 'event_register', 'demo_request', 'chat', 'call_inbound') THEN
		jsonb_build_object(
			'title', CASE s.kind WHEN 'demo_request' THEN 'Demonstration of ' ELSE 'Interest in ' END || COALESCE(s.product, 'CRM Cloud'),
			'origin', CASE s.kind WHEN 'event_register' THEN 'event' WHEN 'call_inbound' THEN 'phone' WHEN 'chat' THEN 'chat' ELSE 'landing_page' END,
			'job_title', p.job_title,
			'country', p.country,
			'language', p.language,
			'company', CASE WHEN pg_temp.draw(d.d, 52) < 0.3 THEN m.core ELSE m.name END,
			'phone', CASE WHEN p.phone IS NOT NULL AND (s.kind IN ('demo_request', 'call_inbound') OR pg_temp.draw(d.d, 53) < 0.5) THEN
				CASE WHEN pg_temp.draw(d.d, 54) < 0.5 THEN p.phone
					-- The way it is dialled at home; the country says how to read it
					WHEN pg_temp.draw(d.d, 54) < 0.7 THEN CASE p.country WHEN 'US' THEN regexp_replace(p.phone, '^\+1(...)(...)', '(\1) \2-')
						WHEN 'IN' THEN substr(p.phone, 4) WHEN 'SG' THEN substr(p.phone, 4) ELSE '0' || substr(p.phone, 4) END
					ELSE regexp_replace(p.phone, '^(\+1|\+\d\d)(\d{2,3})(\d{3})(\d+)$', '\1 \2 \3 \4') END END)
		|| CASE WHEN p.country IN ('VN', 'JP') OR pg_temp.draw(d.d, 55) < 0.4
			THEN jsonb_build_object('full_name', t.full_name)
			ELSE jsonb_build_object('given_name', t.given_name, 'family_name', p.family_name) END
		ELSE '{}' END
	|| CASE WHEN s.kind IN ('form_submit', 'demo_request', 'event_register') THEN
		jsonb_build_object(
			'city', p.city, 'region', p.region, 'postal_code', p.postal_code,
			'website', CASE WHEN pg_temp.draw(d.d, 56) < 0.6 THEN 'https://www.' || m.domain END,
			'industry', m.industry,
			'employees', CASE WHEN s.kind = 'demo_request' OR pg_temp.draw(d.d, 57) < 0.6 THEN m.employees END,
			'annual_revenue', CASE WHEN s.kind = 'demo_request' THEN m.revenue END,
			'consent_email', CASE WHEN pg_temp.draw(d.d, 58) < 0.6 THEN true END,
			'consent_phone', CASE WHEN p.phone IS NOT NULL AND pg_temp.draw(d.d, 59) < 0.2 THEN true END)
		ELSE '{}' END
	|| CASE WHEN s.kind = 'demo_request' THEN
		jsonb_build_object(
			'budget', CASE WHEN pg_temp.draw(d.d, 60) < 0.5 THEN round(power(10, 3 + 2 * pg_temp.draw(d.d, 61))::numeric, -2) END,
			'currency', 'USD',
			'message', CASE p.language WHEN 'vi' THEN 'Vui lòng liên hệ để sắp xếp buổi giới thiệu sản phẩm.'
				WHEN 'de' THEN 'Bitte rufen Sie mich für eine Vorführung zurück.'
				WHEN 'fr' THEN 'Merci de me proposer une date de démonstration.'
				WHEN 'ja' THEN 'デモをお願いします。'
				ELSE 'Please show us how it works.' END)
		ELSE '{}' END),
	s.occurred_at + interval '1 second' * floor(2 + 40 * pg_temp.draw(d.d, 62)),
	s.n,
	s.step
FROM step s
CROSS JOIN LATERAL (SELECT s.n * 10 + s.step AS d) d
JOIN person p ON p.n = s.n
LEFT JOIN company m ON m.n = p.company_n
CROSS JOIN LATERAL (
	-- A mistyped name: two neighbouring letters swapped
	SELECT
		CASE WHEN typo THEN overlay(p.given_name PLACING substr(p.given_name, 3, 1) || substr(p.given_name, 2, 1) FROM 2 FOR 2) ELSE p.given_name END AS given_name,
		CASE WHEN typo THEN overlay(p.full_name PLACING substr(p.full_name, 3, 1) || substr(p.full_name, 2, 1) FROM 2 FOR 2) ELSE p.full_name END AS full_name
	FROM (SELECT pg_temp.draw(d.d, 63) < 0.04 AND length(p.given_name) > 3 AS typo) y
) t
WHERE s.occurred_at < timestamptz '2026-06-30 20:00';

UPDATE outgoing SET payload = jsonb_strip_nulls(payload);

-- Visitors that nobody ever identifies
INSERT INTO outgoing (form, payload, received_at, n, step)
SELECT
	'default',
	jsonb_build_object(
		'kind', 'page_view', 'visitor', 'a' || lpad((i % 520)::text, 6, '0'),
		'channel', pg_temp.pick(ARRAY['organic_search', 'paid_search', 'display', 'social'], pg_temp.draw(i, 70)),
		'page', pg_temp.pick(ARRAY['/crm-cloud', '/analytics', '/payments', '/stories'], pg_temp.draw(i, 71)),
		'occurred_at', to_char(t.at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')),
	t.at + interval '3 seconds',
	100000 + i,
	1
FROM generate_series(1, 700) i
CROSS JOIN LATERAL (SELECT timestamptz '2025-07-01 06:00' + interval '1 second' * floor(31400000 * pg_temp.draw(i, 72)) AS at) t;

-- Records with something wrong
INSERT INTO outgoing (form, payload, received_at, n, step)
SELECT
	CASE WHEN b.what >= 0.85 THEN pg_temp.pick(ARRAY['newsletter-2019', 'old-contact-page'], b.u) ELSE 'default' END,
	CASE
		WHEN b.what < 0.38 THEN b.good || jsonb_build_object('email', pg_temp.pick(ARRAY['ann@', '@nowhere.example', 'two@@signs.example', 'no-at-sign', 'with space@mail.example', 'dot.@.example'], b.u))
		WHEN b.what < 0.54 THEN b.good || jsonb_build_object('phone', pg_temp.pick(ARRAY['call me', '12', '+0000000000', 'n/a please mail', '+1 555'], b.u))
		WHEN b.what < 0.66 THEN pg_temp.pick(ARRAY['{}', '{"message": "hello"}', '{"email": "", "phone": ""}'], b.u)::jsonb
		WHEN b.what < 0.75 THEN pg_temp.pick(ARRAY['[]', '"an inquiry"', '42', 'null', '["ann@mail.example"]'], b.u)::jsonb
		WHEN b.what < 0.85 THEN b.good || pg_temp.pick(ARRAY['{"employees": "many"}', '{"budget": "a lot"}', '{"annual_revenue": -5}'], b.u)::jsonb
		ELSE b.good
	END,
	b.at,
	200000 + b.i,
	1
FROM (
	SELECT
		i,
		pg_temp.draw(i, 80) AS what,
		pg_temp.draw(i, 81) AS u,
		timestamptz '2025-07-01 06:00' + interval '1 second' * floor(31400000 * pg_temp.draw(i, 82)) AS at,
		jsonb_build_object('kind', 'form_submit', 'full_name', 'Test ' || i, 'email', 'person' || i || '@mail.example', 'page', '/crm-cloud') AS good
	FROM generate_series(1, 440) i
) b;

UPDATE outgoing o SET external_id = 'w' || lpad(x.number::text, 6, '0')
FROM (SELECT n, step, row_number() OVER (ORDER BY received_at, n, step) AS number FROM outgoing) x
WHERE x.n = o.n AND x.step = o.step;

-- The sender tries again: the same ids some minutes later
INSERT INTO outgoing (form, external_id, payload, received_at, n, step)
SELECT form, external_id, payload, received_at + interval '5 minutes', 300000 + n, step
FROM outgoing
WHERE n < 100000 AND pg_temp.draw(n * 10 + step, 90) < 0.01;

CREATE TEMP TABLE batch AS
SELECT form, external_id, payload, received_at FROM outgoing ORDER BY received_at, n, step;

-- Through the door

\set here `pwd`
\cd :scratch
\copy batch TO 'submissions.tsv'
\copy crm.submission (form, external_id, payload, received_at) FROM 'submissions.tsv'
\! rm -f submissions.tsv
\cd :here
\if :is_own
	\setenv SCRATCH :scratch
	\! rmdir "$SCRATCH"
\endif

ANALYZE;

-- What sales made of it: the better the channel, the likelier a win

CREATE TEMP TABLE deal AS
SELECT
	c.*,
	row_number() OVER (PARTITION BY c.closes_at <= timestamptz '2026-06-30' ORDER BY -ln(1 - pg_temp.draw(c.lead_id, 101)) / c.weight, c.lead_id) AS rank
FROM (
	SELECT
		l.lead_id, l.contact_id, l.account_id, l.campaign_id, l.agent_id,
		COALESCE(l.product, 'CRM Cloud') || COALESCE(', ' || a.name, '') AS name,
		l.last_interaction_at + interval '1 day' * (1 + floor(4 * pg_temp.draw(l.lead_id, 102))) AS opened_at,
		l.last_interaction_at + interval '1 day' * (14 + floor(50 * pg_temp.draw(l.lead_id, 103))) AS closes_at,
		CASE l.channel WHEN 'referral' THEN 3 WHEN 'event' THEN 2.5 WHEN 'phone' THEN 2 WHEN 'email' THEN 1.8
			WHEN 'organic_search' THEN 1.5 WHEN 'paid_search' THEN 1.2 ELSE 0.7 END::double precision AS weight,
		round((450 * power(COALESCE(a.employees, 5), 0.55)
			* exp(0.6 * sqrt(-2 * ln(1 - pg_temp.draw(l.lead_id, 104))) * cos(2 * pi() * pg_temp.draw(l.lead_id, 105))))::numeric, 2) AS amount
	FROM crm.lead l
	LEFT JOIN crm.account a ON a.account_id = l.account_id
	WHERE l.sales_ready_at IS NOT NULL AND l.contact_id IS NOT NULL
) c;

INSERT INTO crm.opportunity (lead_id, contact_id, account_id, campaign_id, agent_id, name, pipeline, stage, stage_entered_at, amount, currency, expected_close_on, closed_at, lost_reason, created_at)
SELECT
	d.lead_id, d.contact_id, d.account_id, d.campaign_id, d.agent_id, d.name, 'sales', s.stage,
	CASE WHEN s.stage IN ('won', 'lost') THEN d.closes_at ELSE d.opened_at END,
	d.amount, 'USD', d.closes_at::date,
	CASE WHEN s.stage IN ('won', 'lost') THEN d.closes_at END,
	CASE WHEN s.stage = 'lost' THEN pg_temp.pick(ARRAY['price', 'chose a competitor', 'no budget', 'no answer'], pg_temp.draw(d.lead_id, 106)) END,
	d.opened_at
FROM deal d
CROSS JOIN LATERAL (
	SELECT CASE
		WHEN d.closes_at <= timestamptz '2026-06-30' AND d.rank <= 700 THEN 'won'
		WHEN d.closes_at <= timestamptz '2026-06-30' AND d.rank <= 1120 THEN 'lost'
		WHEN d.closes_at > timestamptz '2026-06-30' THEN
			pg_temp.pick(ARRAY['identify', 'proposal', 'proposal', 'negotiation', NULL], pg_temp.draw(d.lead_id, 107)) END AS stage
) s
WHERE s.stage IS NOT NULL
ORDER BY d.opened_at, d.lead_id;

-- What was offered in them: the amount follows the lines

INSERT INTO crm.product (product, label, unit_price) VALUES
	('CRM Cloud', 'A seat for a year', 240), ('Analytics', 'A seat for a year', 180), ('Payments', 'A thousand transactions', 95),
	('Onboarding', 'A day on site', 900);

INSERT INTO crm.opportunity_line (opportunity_id, product_id, quantity, discount)
SELECT o.opportunity_id, p.product_id, GREATEST(1, round(o.amount / p.unit_price)),
	CASE WHEN pg_temp.draw(o.opportunity_id, 110) < 0.3 THEN 5 * (1 + floor(3 * pg_temp.draw(o.opportunity_id, 111))) ELSE 0 END
FROM crm.opportunity o
JOIN crm.lead l ON l.lead_id = o.lead_id
LEFT JOIN crm.product w ON w.product = l.product
JOIN crm.product p ON p.product = COALESCE(w.product, 'CRM Cloud');

INSERT INTO crm.opportunity_line (opportunity_id, product_id, quantity)
SELECT o.opportunity_id, p.product_id, 1 + floor(4 * pg_temp.draw(o.opportunity_id, 112))
FROM crm.opportunity o
JOIN crm.product p ON p.product = 'Onboarding'
WHERE o.amount > 5000 AND pg_temp.draw(o.opportunity_id, 113) < 0.5;

-- What was done about them, by whom, and what came of it

INSERT INTO crm.interaction (lead_id, contact_id, agent_id, kind, direction, outcome, note, occurred_at)
SELECT
	d.lead_id, d.contact_id, d.agent_id, a.kind, 'outbound',
	CASE WHEN a.step = 1 THEN pg_temp.pick(ARRAY['interested', 'interested', 'no_answer', 'call_back', 'left_message'], pg_temp.draw(d.lead_id, 114))
		WHEN a.kind = 'email_sent' THEN 'sent'
		ELSE pg_temp.pick(ARRAY['meeting_agreed', 'asked_for_offer', 'interested', 'not_interested', 'no_budget'], pg_temp.draw(d.lead_id * 10 + a.step, 115)) END,
	a.note,
	d.opened_at + a.step * interval '2 days' + interval '1 hour' * floor(8 * pg_temp.draw(d.lead_id * 10 + a.step, 116))
FROM deal d
CROSS JOIN (VALUES (1, 'call_outbound', 'first call'), (2, 'email_sent', 'price list'), (3, 'call_outbound', 'asked what they think of it'), (4, 'meeting', NULL)) a (step, kind, note)
WHERE a.step <= 1 + floor(4 * pg_temp.draw(d.lead_id, 117)) AND d.opened_at + a.step * interval '2 days' < timestamptz '2026-06-30';

-- What is to be done, and what was

INSERT INTO crm.task (subject, kind, lead_id, opportunity_id, contact_id, account_id, agent_id, priority, due_at, remind_at, state, closed_at, created_at)
SELECT
	CASE o.stage WHEN 'identify' THEN 'Find out who decides' WHEN 'proposal' THEN 'Ask about the proposal' ELSE 'Agree on the contract' END,
	CASE o.stage WHEN 'negotiation' THEN 'meeting' ELSE 'call_outbound' END,
	o.lead_id, o.opportunity_id, o.contact_id, o.account_id, o.agent_id,
	CASE WHEN o.amount > 20000 THEN 2 WHEN o.amount > 5000 THEN 1 ELSE 0 END,
	t.due_at, t.due_at - interval '1 day',
	CASE WHEN t.is_done THEN 'done' ELSE 'open' END,
	CASE WHEN t.is_done THEN t.due_at END,
	o.created_at
FROM crm.opportunity o
CROSS JOIN LATERAL (
	SELECT o.created_at + interval '1 day' * (5 + floor(25 * pg_temp.draw(o.opportunity_id, 118))) AS due_at, pg_temp.draw(o.opportunity_id, 119) < 0.4 AS is_done
) t
WHERE o.status = 'open';

INSERT INTO crm.task (subject, kind, lead_id, due_at, created_at)
SELECT 'Call back', 'call_outbound', l.lead_id, l.last_interaction_at + interval '3 days', l.last_interaction_at
FROM crm.lead l
WHERE l.status = 'open' AND l.agent_id IS NOT NULL AND l.sales_ready_at IS NULL AND pg_temp.draw(l.lead_id, 120) < 0.1;

ANALYZE;
