-- Normal forms of names, addresses and codes

CREATE FUNCTION lead_mgmt.fold(value text) RETURNS text
	AS 'MODULE_PATHNAME', 'fold_text' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;

COMMENT ON FUNCTION lead_mgmt.fold(text) IS
	'The text as people compare it: Unicode NFKD (UAX #15) with the accents of Latin, Greek and Cyrillic and the points of Hebrew and Arabic stripped, letters without a decomposition spelled plainly (d with stroke d, o with stroke o, sharp s ss, ae ligature ae), lower case, ASCII digits, apostrophes, quotation marks and dashes, single blanks and none at the ends, nothing without width. Hangul, Chinese, kana, Thai and Indic scripts keep their marks. The fold of a fold is itself. Same in every locale; a character that only a later major version of PostgreSQL knows may fold otherwise there: reindex then what holds such';

CREATE FUNCTION lead_mgmt.digits(value text) RETURNS text
	AS 'MODULE_PATHNAME', 'digits_key' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;

COMMENT ON FUNCTION lead_mgmt.digits(text) IS
	'The digits of the text, of any script, as ASCII digits; an empty string when it has none';

-- Persons

CREATE TYPE lead_mgmt.person_name AS (
	title text,
	given text,
	middle text,
	family text,
	suffix text
);

COMMENT ON TYPE lead_mgmt.person_name IS
	'The parts of a person''s name as they were written, NULL where there is none';

COMMENT ON COLUMN lead_mgmt.person_name.title IS
	'Titles and forms of address, such as Prof. Dr.; the honorific after an East Asian name too';

COMMENT ON COLUMN lead_mgmt.person_name.given IS
	'The first given name, or the initial in its place; in Vietnamese names the last one, in Chinese and Korean names all of it';

COMMENT ON COLUMN lead_mgmt.person_name.middle IS
	'Further given names and initials';

COMMENT ON COLUMN lead_mgmt.person_name.family IS
	'The family name with its particles, such as van der Berg';

COMMENT ON COLUMN lead_mgmt.person_name.suffix IS
	'What follows the name: Jr., III, PhD';

CREATE FUNCTION lead_mgmt.parse_person_name(full_name text, family_first boolean DEFAULT NULL) RETURNS lead_mgmt.person_name
	AS 'MODULE_PATHNAME', 'parse_person_name' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;

COMMENT ON FUNCTION lead_mgmt.parse_person_name(text, boolean) IS
	'A full name taken apart. family_first says how the parts follow each other; NULL decides from the name: a comma (Roe, Jane), the script, a family name in capitals (DUPONT Jean), Vietnamese and Korean family names in front; given name first otherwise. A comma decides in any case. What stands in brackets or quotation marks, and an earlier family name (born Jones), is left out. NULL for NULL; never an error';

CREATE FUNCTION lead_mgmt.given_name_key(given_name text) RETURNS text
	AS 'MODULE_PATHNAME', 'given_name_key' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 3;

COMMENT ON FUNCTION lead_mgmt.given_name_key(text) IS
	'Given names folded, without titles (Mr, Frau, Dr), their words with single blanks between them: jean luc for Jean-Luc';

CREATE FUNCTION lead_mgmt.family_name_key(family_name text) RETURNS text
	AS 'MODULE_PATHNAME', 'family_name_key' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;

COMMENT ON FUNCTION lead_mgmt.family_name_key(text) IS
	'A family name folded, without suffixes (Jr, III, PhD), particles written together with what follows: vanderberg for van der Berg and VanDerBerg, obrien for O''Brien, almasri for El-Masri; hyphens are blanks';

CREATE FUNCTION lead_mgmt.person_name_key(full_name text) RETURNS text
	AS 'MODULE_PATHNAME', 'person_name_key' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;

COMMENT ON FUNCTION lead_mgmt.person_name_key(text) IS
	'The words of a full name''s keys in byte order, without title and suffix: the same for Jane Roe, ROE Jane and Dr. Roe, Jane';

CREATE FUNCTION lead_mgmt.same_given_name(a text, b text) RETURNS boolean
	AS 'MODULE_PATHNAME', 'same_given_name' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;

COMMENT ON FUNCTION lead_mgmt.same_given_name(text, text) IS
	'Whether two given names may be of one person: equal but for what fold takes away, short forms or spellings of one name (see nicknames), or an initial of the other; of several words, those that both have must agree in their order. false when either is empty';

CREATE FUNCTION lead_mgmt.nicknames(OUT name text, OUT formal_name text) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'nicknames' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 6000;

COMMENT ON FUNCTION lead_mgmt.nicknames() IS
	'The given names that may be of one person, a row each: a short form, spelling or transliteration, folded, and the formal name whose group it is in. A name may be in several groups: Alex is short for Alexander and for Alexandra';

-- Organisations

CREATE FUNCTION lead_mgmt.organisation_name_key(name text) RETURNS text
	AS 'MODULE_PATHNAME', 'organisation_name_key' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;

COMMENT ON FUNCTION lead_mgmt.organisation_name_key(text) IS
	'A company name folded, without punctuation, legal form (see legal_forms) and leading article, & and + as and, single letters together: jp morgan for J.P. Morgan & Co., Inc. Never empty when the name has a letter or digit';

CREATE FUNCTION lead_mgmt.legal_form(name text) RETURNS text
	AS 'MODULE_PATHNAME', 'legal_form' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;

COMMENT ON FUNCTION lead_mgmt.legal_form(text) IS
	'The legal form in a company name, in its canonical spelling (see legal_forms), or NULL: GmbH & Co. KG, Ltd., SA. The last one when there are several';

CREATE FUNCTION lead_mgmt.legal_forms(OUT form text, OUT countries text[], OUT spellings text[]) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'legal_forms' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 200;

COMMENT ON FUNCTION lead_mgmt.legal_forms() IS
	'The legal forms that organisation_name_key knows: canonical spelling, countries (ISO 3166-1 alpha-2; EU for the European Union) and other spellings, which case, accents and punctuation do not tell apart';

-- Addresses and codes

CREATE FUNCTION lead_mgmt.email_key(address text) RETURNS text
	AS 'MODULE_PATHNAME', 'email_key' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;

COMMENT ON FUNCTION lead_mgmt.email_key(text) IS
	'The mailbox that an e-mail address belongs to: lower case, without +tag, by the rules of its provider where they are known (gmail.com ignores dots and is googlemail.com). Two addresses of one key reach one person; the key itself need not be what they gave. Of text that is no address, the fold without blanks; an empty string for an empty one';

CREATE FUNCTION lead_mgmt.address_key(street text) RETURNS text
	AS 'MODULE_PATHNAME', 'address_key' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;

COMMENT ON FUNCTION lead_mgmt.address_key(text) IS
	'A street address folded, without punctuation, abbreviations of several languages spelled out (St, Str., Rd, Q., ul.), words for flats as unit, numbers as they are: 123 main street unit 4b for 123 Main St., Apt #4B';

CREATE FUNCTION lead_mgmt.postcode_key(postcode text) RETURNS text
	AS 'MODULE_PATHNAME', 'postcode_key' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 3;

COMMENT ON FUNCTION lead_mgmt.postcode_key(text) IS
	'A postcode as letters and digits in upper case; a ZIP+4 code without its last four digits, and four to six digits without one or two letters for the country before them (D-10115)';

CREATE FUNCTION lead_mgmt.phonetic(value text) RETURNS text
	AS 'MODULE_PATHNAME', 'phonetic_key' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;

COMMENT ON FUNCTION lead_mgmt.phonetic(text) IS
	'The double metaphone code of each word, folded, of at most four sounds: how an English speaker says it. Words without Latin letters stay. Uses the library of contrib''s fuzzystrmatch, which must be installed but need not be created as an extension';
