-- What the generators draw from: hashes instead of random(), so that a seed
-- gives the same rows on every machine and in every plan; ranked names, drawn
-- by Zipf's law; ways to get a value wrong.

SET client_min_messages = warning;
DROP SCHEMA IF EXISTS generator CASCADE;
CREATE SCHEMA generator;
-- Compiling the long lists of expressions takes longer than they do.
SET jit = off;

-- Draws. A stream is a seed and what is drawn, so that draws are independent.

CREATE FUNCTION generator.uniform(key bigint, stream bigint) RETURNS float8
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN (pg_catalog.hashint8extended(key, stream) & 4503599627370495)::float8 / 4503599627370496;

CREATE FUNCTION generator.pick(key bigint, stream bigint, choices integer) RETURNS integer
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN ((pg_catalog.hashint8extended(key, stream) & 4503599627370495) % choices)::integer;

-- A rank from 1 to ranks with p(rank) proportional to 1 / (rank + flatness),
-- the Zipf-Mandelbrot law by which names and towns are distributed.
CREATE FUNCTION generator.rank(share float8, ranks integer, flatness float8) RETURNS integer
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN least(ranks, 1 + floor(flatness * power((ranks + flatness) / flatness, share) - flatness)::integer);

CREATE FUNCTION generator.one_of(choices text[], key bigint, stream bigint) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN choices[1 + (pg_catalog.hashint8extended(key, stream) & 4503599627370495) % cardinality(choices)];

-- Without marks, as somebody types who has no such keys.
CREATE FUNCTION generator.plain(value text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN translate(regexp_replace(normalize(replace(value, 'ß', 'ss'), NFD), '[\u0300-\u036f]', '', 'g'), 'đĐøØłŁ', 'dDoOlL');

-- Whatever the locale of the database
CREATE FUNCTION generator.capitals(value text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN upper(value COLLATE "und-x-icu");

CREATE FUNCTION generator.small(value text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN lower(value COLLATE "und-x-icu");

-- Errors

CREATE FUNCTION generator.neighbour_key(letter text, draw integer) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN coalesce(substr((string_to_array('qsz vghn xdfv serfcx wsdr drtgvc ftyhbv gyujnb ujko huikmn jiolm kop njk bhjm iklp ol wa edft awedxz rfgy yhji cfgb qase zsdc tghu asx', ' '))
		[1 + strpos('abcdefghijklmnopqrstuvwxyz', letter) - 1], 1 + draw % 3, 1), letter);

-- One slip of the finger, seldom on the first letter.
CREATE FUNCTION generator.typo(value text, draw bigint) RETURNS text
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
	h bigint := draw & 4503599627370495;
	letters integer := length(value);
	place integer;
	letter text;
BEGIN
	IF letters < 2 THEN
		RETURN value;
	END IF;
	place := 2 + (h / 4096) % (letters - 1);
	IF h % 16 = 0 THEN
		place := 1;
	END IF;
	letter := substr(value, place, 1);
	CASE (h / 64) % 5
		WHEN 0 THEN RETURN overlay(value PLACING '' FROM place FOR 1);
		WHEN 1 THEN RETURN overlay(value PLACING letter || letter FROM place FOR 1);
		WHEN 2 THEN RETURN overlay(value PLACING reverse(substr(value, place, 2)) FROM place FOR 2);
		ELSE
			IF letter BETWEEN '0' AND '9' THEN
				letter := (h / 16 % 10)::text;
			ELSE
				letter := generator.neighbour_key(lower(letter), (h / 16 % 3)::integer);
			END IF;
			RETURN overlay(value PLACING letter FROM place FOR 1);
	END CASE;
END $$;

-- Misheard, misread or misspelt: the first of the pairs, from a drawn one on,
-- that occurs after the first letter.
CREATE FUNCTION generator.misspelt(value text, draw bigint) RETURNS text
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
	pairs constant text[] := '{ph,f,ck,k,ie,ei,ei,ie,ey,y,th,t,ll,l,nn,n,ss,s,tt,t,mm,m,rr,r,ou,u,ee,ea,ea,ee,ai,ay,ay,ai,ca,ka,ci,si,z,s,l,1,o,0,rn,m,m,rn,h,"",v,w,er,ar,an,en,on,en,y,ie,d,dd,o,oe,i,e,a,e,u,oo,k,ck,s,z,e,""}';
	count constant integer := cardinality(pairs) / 2;
	start constant integer := (draw & 4503599627370495) % count;
	stride constant integer := (ARRAY[1, 5, 7, 11, 13, 17])[1 + (draw / 65536 & 4503599627370495) % 6];
	pair integer;
	place integer;
BEGIN
	FOR i IN 0 .. count - 1 LOOP
		pair := (start + i * stride) % count * 2 + 1;
		place := strpos(substr(value, 2), pairs[pair]);
		IF place > 0 THEN
			RETURN overlay(value PLACING pairs[pair + 1] FROM place + 1 FOR length(pairs[pair]));
		END IF;
	END LOOP;
	RETURN value;
END $$;

CREATE FUNCTION generator.wrong(value text, key bigint, stream bigint) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN CASE WHEN pg_catalog.hashint8extended(key, stream) % 5 IN (0, 1)
		THEN generator.misspelt(value, pg_catalog.hashint8extended(key, stream + 500))
		ELSE generator.typo(value, pg_catalog.hashint8extended(key, stream + 500)) END;

-- A date read or typed wrong: day and month swapped, a digit off, the year.
CREATE FUNCTION generator.wrong_date(value date, draw bigint) RETURNS date
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN CASE
		WHEN (draw & 7) < 3 AND extract(day FROM value) <= 12 THEN
			make_date(extract(year FROM value)::integer, extract(day FROM value)::integer, extract(month FROM value)::integer)
		WHEN (draw & 7) < 4 THEN (value + interval '1 year' * (1 - 2 * (draw / 8 & 1)))::date
		WHEN (draw & 7) < 5 THEN (value + interval '10 years' * (1 - 2 * (draw / 8 & 1)))::date
		WHEN (draw & 7) < 6 THEN (value + interval '1 month' * (1 + (draw / 8 & 3)))::date
		ELSE value + CASE WHEN extract(day FROM value) > 15 THEN -1 ELSE 1 END * (ARRAY[1, 1, 2, 10])[1 + (draw / 8 & 3)]
	END;

-- The national part of a phone number that a numbering plan allows
CREATE FUNCTION generator.phone_digits(prefixes text[], digits integer, key bigint, stream bigint) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN generator.one_of(prefixes, key, stream)
		|| lpad(((pg_catalog.hashint8extended(key, stream + 1) & 4503599627370495) % (10 ^ digits)::bigint)::text, digits, '0');

-- Given names, most frequent first, each with its short forms after colons.

CREATE TABLE generator.given_name (
	culture text,
	rank integer,
	name text,
	short_forms text[],
	PRIMARY KEY (culture, rank)
);

INSERT INTO generator.given_name
SELECT culture, place, (string_to_array(entry, ':'))[1], nullif((string_to_array(entry, ':'))[2:], '{}')
FROM (VALUES
	('en', 'James:Jim:Jimmy:Jamie Mary:Molly:May Robert:Rob:Bob:Bobby Patricia:Pat:Trish:Patty John:Jack:Johnny Jennifer:Jen:Jenny Michael:Mike:Mick Linda:Lin David:Dave Elizabeth:Liz:Beth:Betty:Lizzie William:Will:Bill:Billy Barbara:Barb Richard:Rick:Dick:Rich Susan:Sue:Susie Joseph:Joe:Joey Jessica:Jess:Jessie Thomas:Tom:Tommy Sarah:Sally Christopher:Chris:Kit Karen Charles:Charlie:Chuck Lisa Daniel:Dan:Danny Nancy:Nan Matthew:Matt Sandra:Sandy Anthony:Tony Betty Mark Ashley:Ash Donald:Don Emily:Em Steven:Steve Kimberly:Kim Andrew:Andy:Drew Margaret:Maggie:Peggy:Meg Paul Donna Joshua:Josh Michelle:Shelly Kenneth:Ken:Kenny Carol Kevin:Kev Amanda:Mandy Brian Melissa:Mel Timothy:Tim Deborah:Deb:Debbie Ronald:Ron:Ronnie Stephanie:Steph George Rebecca:Becky Jason:Jay Sharon Edward:Ed:Eddie:Ted Laura Jeffrey:Jeff Cynthia:Cindy Ryan Dorothy:Dot:Dolly Jacob:Jake Amy Nicholas:Nick Kathleen:Kathy:Kath Gary Angela:Angie Eric:Rick Shirley Jonathan:Jon Emma Stephen:Steve Brenda Larry Pamela:Pam Justin Nicole:Nicky Scott Anna:Annie Brandon Samantha:Sam Benjamin:Ben Katherine:Kate:Kathy:Katie Samuel:Sam Christine:Chris:Tina Gregory:Greg Debra:Deb Alexander:Alex:Sandy Rachel:Rach Patrick:Pat:Paddy Carolyn:Carrie Frank Janet:Jan Raymond:Ray Maria Jack Olivia:Liv Dennis:Den Heather Jerry Helen:Nell Tyler:Ty Catherine:Cathy:Kate Aaron Diane:Di Jose Julie:Jules Adam Victoria:Vicky:Tori Nathan:Nate Joyce Henry:Harry:Hal Lauren Zachary:Zach Kelly Douglas:Doug Christina:Tina:Chrissy Peter:Pete Joan Kyle Virginia:Ginny Noah Judith:Judy Ethan Evelyn:Evie Jeremy:Jem Megan:Meg Christian:Chris Andrea:Andie Walter:Walt Cheryl Keith Hannah Austin Jacqueline:Jackie Roger:Rodge Martha:Marty Terry Gloria Sean Teresa:Tess:Terry Gerald:Gerry:Jerry Sara Carl Janice:Jan Dylan Ann Harold:Harry Kathryn:Kathy:Kate Jordan Abigail:Abby:Gail Jesse:Jess Sophia:Sophie Bryan Frances:Fran:Franny Lawrence:Larry:Laurie Jean Arthur:Art:Artie Alice Gabriel:Gabe Judy Bruce Isabella:Izzy:Bella Logan Julia:Jules Billy Grace:Gracie Joe Amber Alan:Al Denise Juan Danielle:Dani Elijah:Eli Marilyn Willie Beverly:Bev Albert:Al:Bert Charlotte:Charlie:Lottie Wayne Natalie:Nat Randy Theresa:Tess Vincent:Vince Diana:Di Liam Brittany:Britt Roy Doris Ralph Kayla Bobby Alexis:Lexi Russell:Russ Lori Bradley:Brad Florence:Flo Philip:Phil Eugene:Gene Leonard:Len:Lenny Frederick:Fred:Freddie Theodore:Theo:Ted Maxwell:Max Nathaniel:Nat:Nate Dominic:Dom Leonardo:Leo Josephine:Jo:Josie Eleanor:Ellie:Nell:Nora Penelope:Penny Rosemary:Rosie Winifred:Winnie Bridget:Bridie Gwendolyn:Gwen Millicent:Millie Clarence Reginald:Reg:Reggie Stanley:Stan Desmond:Des'),
	('de', 'Thomas:Tom Maria Michael:Michi Ursula:Uschi Andreas:Andi Monika:Moni Peter Petra Wolfgang:Wolf Elisabeth:Lisa:Sissi Klaus Sabine:Bine Jürgen Renate Günter Helga Stefan:Steffen Karin Christian:Chris Brigitte:Gitte Uwe Ingrid Hans:Hansi Erika Werner Andrea Matthias:Matze Gisela Horst Claudia Frank Susanne:Susi Manfred:Manni Gabriele:Gabi Bernd Christa Martin Christine:Tine Helmut Hildegard:Hilde Alexander:Alex Angelika:Geli Dieter Heike Markus Barbara:Bärbel Joachim:Achim:Jochen Anna Jörg Katharina:Kathi:Käthe Rainer Julia Heinz Birgit Sebastian:Basti Stefanie:Steffi Daniel:Dani Martina Jan Nicole:Nici Tobias:Tobi Anja Heinrich:Heinz Jutta Johannes:Hannes Franziska:Franzi Josef:Sepp Margarete:Grete Maximilian:Max Magdalena:Lena Friedrich:Fritz Wilhelmine:Mina Florian:Flo Jana Philipp Sandra Lukas Melanie Felix Kerstin Jens Silke Björn Ulrike:Uli Torsten Antje Karl-Heinz:Kalle Annemarie:Anne Hans-Peter Eva-Maria:Eva Gerhard:Gerd Anneliese:Anne Ludwig:Lutz Käthe Rüdiger Rosemarie:Rosi Götz Jördis'),
	('fr', 'Jean Marie Pierre Nathalie:Nath Michel Isabelle:Isa Philippe Sylvie Alain Catherine:Cathy Nicolas:Nico Martine Christophe Christine Patrick Françoise Daniel:Dany Valérie Laurent Sandrine Frédéric:Fred Stéphanie:Steph David Véronique:Véro Stéphane Sophie Julien:Ju Céline Sébastien:Seb Chantal Éric Patricia Thierry Anne Olivier Brigitte Guillaume Julie Bernard Aurélie:Aurel Pascal Laurence:Lolo Jérôme:Jé Nicole Thomas Émilie Antoine:Toine Dominique:Dom Maxime:Max Caroline:Caro Alexandre:Alex Élodie Vincent Delphine Benoît Mélanie François Monique Romain Audrey Gérard Virginie Bruno Hélène Jean-Pierre Anne-Marie Jean-Luc Marie-Claire Jean-François:Jeff Marie-Thérèse Mathieu Camille Grégory:Greg Jacqueline Cédric Élisabeth:Babette Ludovic:Ludo Geneviève Aurélien Chloé Loïc Agnès Yannick:Yann Noémie Gaël Maëlle Thibault Joëlle'),
	('es', 'Antonio:Toni María:Mari José:Pepe Carmen Manuel:Manolo Ana Francisco:Paco:Fran Josefa:Pepa Juan Isabel:Isa David Dolores:Lola Javier:Javi Laura Daniel:Dani Cristina:Cris Carlos Marta Jesús:Chus Pilar:Pili Alejandro:Álex Lucía Miguel Rosario:Charo Rafael:Rafa Francisca:Paqui Pedro Antonia Pablo Mercedes:Merche Ángel Elena Sergio Teresa:Tere Fernando:Nando Raquel Jorge Sara Luis Concepción:Concha:Conchi Alberto Rosa Juan-Carlos Paula Álvaro Juana Adrián Encarnación:Encarna Diego Beatriz:Bea Raúl Patricia:Patri Iván Rocío Enrique:Quique Inmaculada:Inma Rubén Montserrat:Montse Ramón:Moncho Andrea Vicente Verónica:Vero Óscar Alba Andrés Silvia Joaquín:Quino Sofía Santiago:Santi Guadalupe:Lupe Víctor Ximena Ignacio:Nacho Esperanza Eduardo:Edu Yolanda:Yoli Gonzalo Begoña Salvador Itziar Íñigo Nuria Héctor Ángeles:Geles'),
	('vn', 'Anh Linh Hùng Hương Minh Hà Dũng Trang Tuấn Lan Nam Thảo Long Hoa Hải Mai Sơn Thu Thành Hằng Cường Ngọc Đức Phương Quân Nga Khánh Yến Bình Vân Phong Hạnh Trung Thủy Việt Loan Thắng Oanh Hoàng Giang Quang Nhung Kiên Dung Huy My Tùng Chi Khoa Quỳnh Phúc Tuyết Tâm Diệp Đạt Ly Lâm Hiền Vinh Thúy Tài Trâm Nhân Ánh Hiếu Ngân Bảo Châu Duy Nhi Toàn Vy Tiến Như Trí Uyên Hậu Đào Lộc Bích'),
	('cn', 'Wei Fang Jing Min Na Xiuying Lei Li Qiang Jun Yang Yong Yan Jie Tao Ming Chao Xiulan Xia Ping Gang Hui Xiaoming:Ming Zhiqiang:John Xiaoli:Lily Haiyan:Helen Jianguo:James Jianhua Zhiwei:Victor Yuting:Tina Zihan:Hannah Haoran:Howard Yuxuan:Leo Xinyi:Cindy Jiahao:Jason Mengyao:Mia Siqi Zixuan Chenxi:Grace Junjie:Jay Weimin:William Guohua Xiaohong:Iris Lihua:Linda Dawei:David Yifan:Evan Ruoxi Tianyu:Terry Shuang Peng Bin Hao:Henry Ling Xin Yun Rui Kai:Kevin Yi Chen Lin Wenjing:Wendy Bowen:Bob Jiayi:Joy Zhen Hong Ting Xuefei:Sophie'),
	('kr', 'Min-jun Seo-yeon Ji-hoon Ji-woo Hyun-woo Soo-jin Dong-hyun Min-ji Sung-min Eun-ji Jun-ho Hye-jin Sang-hoon Yu-jin Jae-hyun So-young Young-ho Mi-kyung Jin-woo:Jason Hyun-jung Seung-hyun Ji-hye Kyung-soo Eun-jung Tae-hyung Da-eun Woo-jin:Eugene Na-yeon Sang-woo Bo-ra Ki-hyun Ye-jin Byung-hun Su-bin Chul-soo In-young Jong-min Ha-eun Kwang-soo Yoon-ah Min-ho Se-young Joon-young:June Yeon-woo')
) AS given (culture, names), LATERAL string_to_table(names, ' ') WITH ORDINALITY AS entries (entry, place);

-- Rare given names
INSERT INTO generator.given_name
SELECT 'en', common + row_number() OVER (ORDER BY hashtext(head || tail), (head || tail) COLLATE "C"), head || tail, NULL
FROM (SELECT max(rank) AS common FROM generator.given_name WHERE culture = 'en') ranked,
	string_to_table('Jay Kay Bray Mar Dar La Sha Ty Ke Ro Da De Ja Ari Eli Ama Cor Tri Zay Wil Tam Shel Bren Car Al Jo Le Ray An Ev Mel Ni Os Per Quin Ray Sel Tar Ul Ver', ' ') AS heads (head),
	string_to_table('len lyn lee den don sha nna ra ric vin ella iana ton na ron lin mira belle son ka mond rian wyn isse etta ford', ' ') AS tails (tail)
ON CONFLICT DO NOTHING;

-- Family names

CREATE TABLE generator.family_name (
	culture text,
	rank integer,
	name text,
	PRIMARY KEY (culture, rank)
);

INSERT INTO generator.family_name
SELECT culture, place, replace(entry, '_', ' ')
FROM (VALUES
	('en', 'Smith Jones Williams Johnson Brown Taylor Davies Miller Wilson Davis Evans Thomas Roberts Walker Wright Robinson Thompson White Hughes Edwards Green Lewis Wood Harris Martin Jackson Clarke Turner Hill Moore Clark Cooper Ward Baker Morris King Watson Harrison Morgan Patel Young Mitchell James Anderson Allen Phillips Lee Bell Parker Bennett Cook Shaw Griffiths Richardson Carter Marshall Collins Bailey Gray Cox Adams Wilkinson Foster Chapman Mason Russell Powell Webb Rogers Hunt Mills Holmes Palmer Matthews Gibson Fisher Barnes Knight Lloyd Butler Barker Stevens Jenkins Murray Dixon Harvey Graham Pearson Ellis Fletcher Murphy Kelly Simpson Howard Ford Hamilton Reynolds Wells West Chambers Stewart Elliott Khan Hall Scott Campbell Nguyen Garcia Kim Singh O''Brien O''Connor MacDonald McCarthy Fitzgerald Saunders Spencer Gardner Payne Bradley Pearce Atkinson Hudson Carr Armstrong Cunningham Cole Ross Hart Duncan Hawkins Burton Lawson Watts Nicholson Perry Gallagher Lane Black Rose Stone Webster Warren Riley Lowe Freeman Dean Crawford Hopkins Berry Lawrence Francis Day Andrews Johnston Hayes May Porter Hunter Henderson Kennedy Gordon Robertson Wallace Fox Sullivan Walsh Byrne Nolan Doyle'),
	('de', 'Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter Klein Wolf Schröder Neumann Schwarz Zimmermann Braun Krüger Hofmann Hartmann Lange Schmitt Werner Schmitz Krause Meier Lehmann Schmid Schulze Maier Köhler Herrmann König Walter Mayer Huber Kaiser Fuchs Peters Lang Scholz Möller Weiß Jung Hahn Schubert Vogel Friedrich Keller Günther Frank Berger Winkler Roth Beck Lorenz Baumann Franke Albrecht Schuster Simon Ludwig Böhm Winter Kraus Martin Schumacher Krämer Vogt Stein Jäger Otto Sommer Groß Seidel Heinrich Brandt Haas Schreiber Graf Schulte Dietrich Ziegler Kuhn Kühn Pohl Engel Horn Busch Bergmann Thomas Voigt Sauer Arnold Wolff Pfeiffer von_Bülow von_der_Heide zu_Dohna Müller-Lüdenscheidt Schmidt-Rottluff'),
	('fr', 'Martin Bernard Thomas Petit Robert Richard Durand Dubois Moreau Laurent Simon Michel Lefebvre Leroy Roux David Bertrand Morel Fournier Girard Bonnet Dupont Lambert Fontaine Rousseau Vincent Muller Lefèvre Faure André Mercier Blanc Guérin Boyer Garnier Chevalier François Legrand Gauthier Garcia Perrin Robin Clément Morin Nicolas Henry Roussel Mathieu Gautier Masson Marchand Duval Denis Dumont Marie Lemaire Noël Meyer Dufour Meunier Brun Blanchard Giraud Joly Rivière Lucas Brunet Gaillard Barbier Arnaud Martinez Gérard Roche Renard Schmitt Roy Leroux Colin Vidal Caron Picard Roger Fabre Aubert Lemoine Renaud Dumas Lacroix Olivier Philippe Bourgeois Pierre Benoît Rey Leclerc Payet Rolland Leclercq Guillaume Lecomte Lopez de_La_Fontaine Le_Goff Le_Gall du_Pré d''Estaing'),
	('es', 'García Rodríguez González Fernández López Martínez Sánchez Pérez Gómez Martín Jiménez Ruiz Hernández Díaz Moreno Muñoz Álvarez Romero Alonso Gutiérrez Navarro Torres Domínguez Vázquez Ramos Gil Ramírez Serrano Blanco Molina Morales Suárez Ortega Delgado Castro Ortiz Rubio Marín Sanz Núñez Iglesias Medina Garrido Cortés Castillo Santos Lozano Guerrero Cano Prieto Méndez Cruz Calvo Gallego Vidal León Márquez Herrera Peña Flores Cabrera Campos Vega Fuentes Carrasco Díez Caballero Reyes Nieto Aguilar Pascual Santana Herrero Montero Lorenzo Hidalgo Giménez Ibáñez Ferrer Durán Santiago Benítez Mora Vicente Vargas Arias Carmona Crespo Román Pastor Soto Sáez Velasco Moya Soler Parra Esteban Bravo Gallardo Rojas de_la_Cruz de_la_Fuente del_Río'),
	('vn', 'Nguyễn Trần Lê Phạm Hoàng Phan Vũ Đặng Bùi Đỗ Hồ Ngô Dương Lý Võ Huỳnh Đinh Trương Lâm Đoàn Mai Trịnh Đào Tô Lương Cao Tạ Hà Thái Châu'),
	('cn', 'Wang Li Zhang Liu Chen Yang Huang Zhao Wu Zhou Xu Sun Ma Zhu Hu Guo He Lin Gao Luo Zheng Liang Xie Song Tang Xu Han Feng Deng Cao Peng Zeng Xiao Tian Dong Pan Yuan Cai Jiang Yu Du Ye Cheng Wei Su Lu Ding Ren Shen Yao Jiang Tan Shi Ouyang'),
	('kr', 'Kim Lee Park Choi Jung Kang Cho Yoon Jang Lim Han Oh Seo Shin Kwon Hwang Ahn Song Yoo Hong Jeon Ko Moon Yang Son Bae Baek Heo Nam Noh')
) AS family (culture, names), LATERAL string_to_table(names, ' ') WITH ORDINALITY AS entries (entry, place);

-- Rare family names
INSERT INTO generator.family_name
SELECT culture, common + row_number() OVER (PARTITION BY culture ORDER BY hashtext(culture || head || middle || tail), (culture || head || middle || tail) COLLATE "C"), head || middle || tail
FROM (VALUES
	('en', 'Ash Brad Carl Dun East Fal Gar Hal Kirk Lang Mar Nor Oak Pem Rad Sal Tre Under Wal Whit Al Birch Crom Den El Farn Gil Hart In Kel Lam Mel New Orm Pick Quar Ri Stan Thorn Ur Ver Wil Yar Bolt Chad Drum Ever Fen Grim Hol', '. er ing en el a le s', 'ley ton ford wood well ham ster field worth man by combe shaw land bury stock brook more ridge wick gate bourne dale sby ks'),
	('de', 'Berg Stein Hof Wald Bach Feld Lind Eich Buch Roth Alt Neu Ober Unter Hinter Grün Schön Licht Brau Acker Wies Mühl Ross Kalt Hoch', '. en er el', 'mann bauer meier hauser feld ner berger müller hofer ler ing bach stetter höfer'),
	('fr', 'Beau Mont Cham Bel Bois Clair Du Fon Gran Har Lan Mar Mal Per Rou Sau Tou Val Ville Char', '. e i ou', 'champ pré nier mont ville rand det gnon tier quin sard vel chet rin lier'),
	('es', 'Alc Ber Cal Del Esc Fal Gal Hor Jur Lar Mon Nav Oli Pal Quin Rib Sal Tor Val Zab', 'a e i o', 'rra ndo lez nero tega rez ral ñero vera llas mendi')
) AS parts (culture, heads, middles, tails)
	JOIN (SELECT culture, max(rank) AS common FROM generator.family_name GROUP BY culture) ranked USING (culture),
	LATERAL string_to_table(heads, ' ') AS a (head),
	LATERAL string_to_table(replace(middles, '.', ''), ' ') AS b (middle),
	LATERAL string_to_table(tails, ' ') AS c (tail);

-- Towns, each with other ways to write it

CREATE TABLE generator.town (
	culture text,
	rank integer,
	name text,
	others text[],
	PRIMARY KEY (culture, rank)
);

INSERT INTO generator.town
SELECT culture, place, replace((string_to_array(entry, ':'))[1], '_', ' '),
	nullif(string_to_array(replace(array_to_string((string_to_array(entry, ':'))[2:], ':'), '_', ' '), ':'), '{}')
FROM (VALUES
	('en', 'London New_York:NYC:New_York_City Birmingham:B''ham Manchester Glasgow Leeds Liverpool Sheffield Bristol Edinburgh Chicago Los_Angeles:LA Houston Boston Seattle San_Francisco:SF Cardiff Leicester Nottingham Newcastle:Newcastle_upon_Tyne Belfast Dublin Sydney Melbourne Toronto Brighton Southampton Portsmouth Plymouth Derby Stoke-on-Trent:Stoke Wolverhampton Norwich Luton Swansea Aberdeen Oxford Cambridge York Exeter Saint_Albans:St_Albans Milton_Keynes:MK'),
	('de', 'Berlin Hamburg München:Munich Köln:Cologne:Koeln Frankfurt_am_Main:Frankfurt:Frankfurt/M Stuttgart Düsseldorf:Duesseldorf Leipzig Dortmund Essen Bremen Dresden Hannover:Hanover Nürnberg:Nuremberg Duisburg Wien:Vienna Zürich:Zurich Graz Basel Bonn Münster Mannheim Augsburg Karlsruhe Wiesbaden Freiburg_im_Breisgau:Freiburg Heidelberg Regensburg Würzburg Ulm'),
	('fr', 'Paris Marseille Lyon:Lyons Toulouse Nice Nantes Montpellier Strasbourg Bordeaux Lille Rennes Reims Toulon Saint-Étienne:St_Etienne Le_Havre Grenoble Dijon Angers Villeurbanne Nîmes Genève:Geneva Bruxelles:Brussels Lausanne Aix-en-Provence:Aix Brest Limoges Tours Amiens Metz Besançon'),
	('es', 'Madrid Barcelona:Bcn Valencia Sevilla:Seville Zaragoza Málaga Murcia Palma:Palma_de_Mallorca Bilbao:Bilbo Alicante Córdoba Valladolid Vigo Gijón A_Coruña:La_Coruña México:Ciudad_de_México:CDMX Bogotá Lima Santiago Buenos_Aires:Bs_As Granada Vitoria Elche Oviedo Cartagena Sabadell Jerez:Jerez_de_la_Frontera Móstoles Pamplona:Iruña Almería'),
	('vn', 'Hồ_Chí_Minh:TP_HCM:Sài_Gòn:HCMC:Ho_Chi_Minh_City Hà_Nội:HN:Hanoi Đà_Nẵng:Danang Hải_Phòng:Haiphong Cần_Thơ Biên_Hòa Huế:Hue_City Nha_Trang Buôn_Ma_Thuột:BMT Vũng_Tàu Quy_Nhơn Long_Xuyên Thái_Nguyên Nam_Định Vinh Hạ_Long Đà_Lạt:Dalat Thủ_Dầu_Một Phan_Thiết Bắc_Ninh'),
	('cn', 'Shanghai:SH Beijing:Peking:BJ Shenzhen:SZ Guangzhou:Canton Hangzhou Chengdu Wuhan Nanjing Suzhou Tianjin Chongqing Xi''an:Xian Qingdao:Tsingtao Dalian Xiamen:Amoy Ningbo Changsha Hong_Kong:HK Shenyang Kunming'),
	('kr', 'Seoul Busan:Pusan Incheon Daegu:Taegu Daejeon:Taejon Gwangju:Kwangju Suwon Ulsan Seongnam:Bundang Goyang Changwon Jeju')
) AS towns (culture, names), LATERAL string_to_table(names, ' ') WITH ORDINALITY AS entries (entry, place);

INSERT INTO generator.town
SELECT culture, common + row_number() OVER (PARTITION BY culture ORDER BY hashtext(head || tail), (head || tail) COLLATE "C"), head || tail, NULL
FROM (VALUES
	('en', 'Ash Brook Clear Fair Glen High King Lake Mill North Oak Park Queen River Spring Stone Wood East West South Green Hazel Maple Cedar Silver Black White Red Long Sand', 'ton ville field bury ford port wood ham dale mouth burgh stead minster chester'),
	('de', 'Ober Unter Nieder Alten Neu Groß Klein Wald Stein Berg Linden Eichen Buchen Rosen Schön', 'hausen dorf heim berg feld bach kirchen stadt burg tal'),
	('fr', 'Beau Mont Bel Clair Val Haute Grand Saint-Rémy- Bois Neuve', 'ville fort court lieu mont champ source'),
	('es', 'Villa Monte Torre Fuente Casa Valde Puente Agua', 'nueva mayor real blanca hermosa alta seca')
) AS parts (culture, heads, tails)
	JOIN (SELECT culture, max(rank) AS common FROM generator.town GROUP BY culture) ranked USING (culture),
	LATERAL string_to_table(heads, ' ') AS a (head), LATERAL string_to_table(tails, ' ') AS b (tail);

-- How many names there are of each culture, for the draws
CREATE TABLE generator.culture AS
SELECT culture, country, others, dialling, mobile, landline, (SELECT count(*)::integer FROM generator.given_name g WHERE g.culture = c.culture) AS given_names,
	(SELECT count(*)::integer FROM generator.family_name f WHERE f.culture = c.culture) AS family_names,
	(SELECT count(*)::integer FROM generator.town t WHERE t.culture = c.culture) AS towns
FROM (VALUES ('en', 'United Kingdom', '{UK,GB,Great Britain}'::text[], '44', '{74,75,77,78,79}'::text[], '207'), ('de', 'Germany', '{DE,Deutschland,GER}', '49', '{151,160,170,175}', '302'),
	('fr', 'France', '{FR}', '33', '{6,7}', '14'), ('es', 'Spain', '{ES,España}', '34', '{6}', '91'), ('vn', 'Vietnam', '{VN,Viet Nam,Việt Nam}', '84', '{9,3}', '243'),
	('cn', 'China', '{CN,P.R. China,PRC}', '86', '{138,139,150,186}', '216'), ('kr', 'South Korea', '{KR,Korea,"Republic of Korea"}', '82', '{10}', '25')) AS c (culture, country, others, dialling, mobile, landline);

ANALYZE generator.given_name, generator.family_name, generator.town, generator.culture;
