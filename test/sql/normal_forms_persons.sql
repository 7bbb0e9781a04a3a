SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
SET search_path = pg_catalog, pg_temp;

-- a full name taken apart
SELECT p.title, p.given, p.middle, p.family, p.suffix
FROM unnest(ARRAY[
	-- plain ones, initials
	'Jane Roe', 'Jane Elizabeth Roe', 'Madonna', 'J. R. R. Tolkien', 'J.R.R. Tolkien', 'e.e. cummings', 'M.A. Smith', 'T.S. Eliot', '  Jane   Roe  ', E'Jane\u00A0Roe',
	-- titles
	'Dr. Jane Roe', 'Mr Smith', 'Prof. Dr. med. Anna Schmidt', 'Dipl.-Ing. Hans Müller', 'Dr.med. Anna Schmidt', 'Herr Müller', 'Frau Dr. Weber',
	'M. Jean Dupont', 'Mme Curie', 'Sr. Juan García', 'Sra. Ana López', 'Sir Elton', 'Sir Ian McKellen', 'Mr and Mrs Smith', 'Mr & Mrs John Smith', 'г-н Иванов', 'Pan Jan Novák', 'Capt. Smith',
	-- titles that are names too
	'Major Tom', 'Miss', 'Dr', 'Anh Tuấn', 'Anh Nguyễn Văn Tuấn', 'Nguyễn Anh', 'Chị Lan', 'Chi Lan', 'Ông Nguyễn Văn An', 'Bà Trưng', 'Ba Tran',
	-- suffixes
	'John Smith Jr.', 'John Smith III', 'John Smith, PhD, MBA', 'John Smith, Jr.', 'Sammy Davis Junior', 'Ana Filho', 'Neymar da Silva Santos Júnior', 'Yo-Yo Ma', 'Smith, M.A.',
	-- particles
	'Ludwig van Beethoven', 'Vincent Van Gogh', 'Dr. Jane A. van der Berg Jr.', 'Leonardo da Vinci', 'María de la Cruz García', 'Osama bin Laden', 'Marine Le Pen', 'Karl-Heinz von und zu Guttenberg',
	'Van Morrison', 'Sinéad O''Connor', 'José Ortega y Gasset', 'van der Berg Jan', 'Tuan Van Nguyen', 'Rip Van',
	-- with a comma
	'Roe, Jane', 'Roe, Jane Elizabeth', 'Smith Jr., John', 'Smith, John, Jr.', 'Smith, Dr. John', 'Beethoven, Ludwig van', 'van der Berg, Jan', 'Li, Ma', 'Smith, John, Dr.', 'Nguyễn, Văn An', 'Smith,', ', John', '田中，太郎',
	-- family name in capitals
	'DUPONT Jean', 'Jean DUPONT', 'DE LA TOUR Jean', 'Jean de LA TOUR', 'NG Kim', 'JR Smith', 'JANE ROE', 'LE Thi Anh',
	-- family name first
	'Nguyễn Văn An', 'Nguyen Van An', 'NGUYỄN VĂN AN', 'An Van Nguyen', 'Lê Minh', 'Trần Thị Thu Hà', 'Le Van Tam', 'Nguyễn Văn A', 'Nguyen Van A', 'bà Trần Thị B', 'Nguyen A', 'David Nguyen', 'Kim Nguyen', 'Kim Min-jun', 'Иванов Иван Иванович', 'Іваненко Іван Іванович', 'Иван Иванович Иванов',
	'王小明', '欧阳修', '王先生', '田中太郎様', '山田 太郎', '佐藤さくら', '김철수', '남궁민수', '김철수 님', 'さくら',
	-- remarks
	'Robert "Bob" Smith', 'Robert (Bob) Smith', 'Mary Smith née Jones', '(Bob)', '"Bob"', 'Bob (', 'Jane “Janie” Roe',
	-- nothing
	'', ' ', '...', ','
]) WITH ORDINALITY AS t(value, ord), lead_mgmt.parse_person_name(value) AS p ORDER BY ord;

-- the order said
SELECT value, family_first, (p).given, (p).middle, (p).family
FROM (VALUES ('Nagy János', true), ('Nagy János Pál', true), ('Kim Jong Un', true), ('Wang Xiaoming', true), ('van der Berg Jan', true), ('Jane Roe', true), ('Roe, Jane', true),
	('Nguyễn Văn An', false), ('Jane Roe', false), ('Madonna', true), ('DUPONT Jean', false)) AS t(value, family_first), LATERAL (SELECT lead_mgmt.parse_person_name(value, family_first) AS p) p;
SELECT lead_mgmt.parse_person_name(NULL) IS NULL, lead_mgmt.parse_person_name(NULL, true) IS NULL;

-- keys: each row is one name
SELECT array_agg(DISTINCT lead_mgmt.given_name_key(name)) AS given_names FROM unnest(ARRAY['Jean-Luc', 'JEAN LUC', 'Jéan‐Luc', 'Dr. Jean-Luc', ' Mr Jean-Luc']) name;
SELECT names[1] AS name, array_agg(DISTINCT lead_mgmt.family_name_key(name)) AS keys
FROM (VALUES (ARRAY['O''Brien', 'O’Brien', 'OBRIEN', 'O Brien', 'O`Brien', 'O''Brien Jr.']), (ARRAY['van der Berg', 'Van Der Berg', 'VanDerBerg', 'Vander Berg', 'van der Berg III']),
	(ARRAY['de la Cruz', 'De La Cruz', 'Dela Cruz', 'Delacruz', 'DE LA CRUZ']), (ARRAY['al-Masri', 'Al Masri', 'El-Masri', 'Almasri']), (ARRAY['al-Sharif', 'ash-Sharif', 'Alsharif']),
	(ARRAY['Smith-Jones', 'Smith Jones', 'SMITH–JONES, PhD']), (ARRAY['McDonald', 'Mc Donald', 'MCDONALD Jr']), (ARRAY['St. John', 'Saint John', 'Saint-John', 'St John']),
	(ARRAY['Ortega y Gasset', 'Ortega Gasset']), (ARRAY['Nguyễn', 'NGUYEN', 'nguyên']), (ARRAY['bin Laden', 'ibn Laden', 'Bin-Laden']), (ARRAY['D''Angelo', 'Dangelo', 'D Angelo'])) AS t(names), unnest(names) AS name
GROUP BY names ORDER BY names[1] COLLATE "C";
SELECT lead_mgmt.family_name_key(name) AS key, name FROM unnest(ARRAY['', 'Le', 'Jr', 'Van', 'de la', 'y', '王', 'Müller-Lüdenscheidt', '''', '-']) name;
SELECT names[1] AS name, array_agg(DISTINCT lead_mgmt.person_name_key(name)) AS keys
FROM (VALUES (ARRAY['Jane Roe', 'ROE Jane', 'Roe, Jane', 'Dr. Jane Roe', 'Jane Roe, PhD', 'Ms. Jane ROE']), (ARRAY['Nguyễn Văn An', 'An Van Nguyen', 'NGUYEN VAN AN', 'Ông Nguyễn Văn An']),
	(ARRAY['Ludwig van Beethoven', 'Beethoven, Ludwig van', 'van Beethoven, Ludwig', 'Ludwig VanBeethoven']), (ARRAY['김철수', '김 철수'])) AS t(names), unnest(names) AS name
GROUP BY names ORDER BY names[1] COLLATE "C";

-- given names of one person
SELECT a, b, lead_mgmt.same_given_name(a, b) AS same, lead_mgmt.same_given_name(b, a) = lead_mgmt.same_given_name(a, b) AS both_ways
FROM (VALUES ('Bob', 'Robert'), ('Rob', 'Bobby'), ('Bill', 'William'), ('Liz', 'Elizabeth'), ('Beth', 'Betty'), ('Peggy', 'Margaret'), ('Jack', 'John'), ('Kate', 'Catherine'), ('Katherine', 'Catherine'),
	('Mohammed', 'Muhammad'), ('Gosia', 'Małgorzata'), ('Саша', 'Александр'), ('Саша', 'Alexander'), ('Pepe', 'José'), ('Paco', 'Francisco'), ('Hans', 'Johannes'), ('Sepp', 'Josef'), ('Kees', 'Cornelis'), ('Giuseppe', 'Beppe'),
	('Alex', 'Alexander'), ('Alex', 'Alexandra'), ('J.', 'John'), ('J', 'J'), ('Đ.', 'Đức'), ('Jean-Pierre', 'Jeanpierre'), ('Mary Jane', 'Mary'), ('Mary Jane', 'Mary J.'), ('Dr. Bob', 'Robert'), ('Tuấn', 'TUAN'),
	-- and of two
	('Bob', 'Bill'), ('Alexander', 'Alexandra'), ('Jean-Pierre', 'Jean-Paul'), ('J.', 'Robert'), ('John', 'Joan'), ('Xyzzy', 'Plugh'), ('', ''), ('Jane', ''), ('王', '李')) AS t(a, b);
SELECT count(DISTINCT formal_name) > 400 AS groups, bool_and(name = lead_mgmt.fold(name)) AS folded, bool_and(name <> lead_mgmt.given_name_key(formal_name)) AS others,
	bool_and(lead_mgmt.same_given_name(name, formal_name)) AS all_found, count(*) = count(DISTINCT (name, formal_name)) AS once FROM lead_mgmt.nicknames();
SELECT array_agg(formal_name ORDER BY formal_name COLLATE "C") AS alex FROM lead_mgmt.nicknames() WHERE name = 'alex';

-- long ones take no time
SELECT length(lead_mgmt.person_name_key(v)) > 0 AS key, length((lead_mgmt.parse_person_name(v))::text) > 0 AS parsed FROM unnest(ARRAY[repeat('a ', 5000), repeat('van ', 2500), repeat('Jr. ', 2500), repeat('Dr. ', 2500), repeat('a,', 5000), repeat('J.', 5000), repeat('x', 10000), repeat('王', 10000)]) v;
SELECT length(lead_mgmt.family_name_key(v)), length(lead_mgmt.given_name_key(v)) FROM unnest(ARRAY[repeat('van ', 2500), repeat('x-', 5000), repeat('mr ', 3000)]) v;
