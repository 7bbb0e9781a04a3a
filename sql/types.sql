-- The schema's functions are for everybody; those that change data ask for rights themselves.

GRANT USAGE ON SCHEMA lead_mgmt TO PUBLIC;

-- Types: e-mail addresses and phone numbers in normal form

-- E-mail type

CREATE TYPE lead_mgmt.email;

CREATE FUNCTION lead_mgmt.email_in(cstring) RETURNS lead_mgmt.email
	AS 'MODULE_PATHNAME', 'email_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.email_in(cstring) IS
	'Input function of type email; see the type';

CREATE FUNCTION lead_mgmt.email_out(lead_mgmt.email) RETURNS cstring
	AS 'MODULE_PATHNAME', 'normal_text_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.email_out(lead_mgmt.email) IS
	'Output function of type email: the stored normal form as it is';

CREATE FUNCTION lead_mgmt.email_recv(internal) RETURNS lead_mgmt.email
	AS 'MODULE_PATHNAME', 'email_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.email_recv(internal) IS
	'Binary input function of type email; takes text and checks it as the text input does';

CREATE FUNCTION lead_mgmt.email_send(lead_mgmt.email) RETURNS bytea
	AS 'MODULE_PATHNAME', 'normal_text_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.email_send(lead_mgmt.email) IS
	'Binary output function of type email: the normal form as text';

CREATE TYPE lead_mgmt.email (
	INPUT = lead_mgmt.email_in,
	OUTPUT = lead_mgmt.email_out,
	RECEIVE = lead_mgmt.email_recv,
	SEND = lead_mgmt.email_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended,
	CATEGORY = 'S',
	COLLATABLE = false
);

COMMENT ON TYPE lead_mgmt.email IS
	'An e-mail address in normal form (RFC 5321, RFC 6531): lower case, no display name, no needless quotes, domain with A-labels (IDNA 2008 with UTS 46 mapping). Accepts white space around it, "Name" <address> and mailto: URIs. At most 64 octets before the @ and 254 in all. Refuses comments, IP address literals and hosts without a dot, with SQLSTATE 22P02 and the reason as detail. Characters outside ASCII need a UTF8 database. Operators are found through search_path: put lead_mgmt in it, or write OPERATOR(lead_mgmt.=); otherwise values compare as text, and a text literal is not normalised first';

-- E-mail casts

CREATE FUNCTION lead_mgmt.email(text) RETURNS lead_mgmt.email
	AS 'MODULE_PATHNAME', 'text_to_email' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.email(text) IS
	'Convert text to an e-mail address in normal form; SQLSTATE 22P02 when it is none';

CREATE CAST (text AS lead_mgmt.email)
	WITH FUNCTION lead_mgmt.email(text) AS ASSIGNMENT;

COMMENT ON CAST (text AS lead_mgmt.email) IS
	'Normalises and checks the address on assignment; SQLSTATE 22P02 when it is none';

CREATE CAST (varchar AS lead_mgmt.email)
	WITH FUNCTION lead_mgmt.email(text) AS ASSIGNMENT;

COMMENT ON CAST (varchar AS lead_mgmt.email) IS
	'Normalises and checks the address on assignment; SQLSTATE 22P02 when it is none';

CREATE CAST (lead_mgmt.email AS text)
	WITHOUT FUNCTION AS IMPLICIT;

COMMENT ON CAST (lead_mgmt.email AS text) IS
	'An address in normal form is text as it is, so that the functions and operators of text apply';

-- E-mail functions

CREATE FUNCTION lead_mgmt.email_local_part(lead_mgmt.email) RETURNS text
	AS 'MODULE_PATHNAME', 'email_local_part' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.email_local_part(lead_mgmt.email) IS
	'The part before the @, with quotes where it needs them';

CREATE FUNCTION lead_mgmt.email_domain(lead_mgmt.email) RETURNS text
	AS 'MODULE_PATHNAME', 'email_domain' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.email_domain(lead_mgmt.email) IS
	'The domain in lower case, internationalised labels as A-labels (xn--)';

CREATE FUNCTION lead_mgmt.email_domain_unicode(lead_mgmt.email) RETURNS text
	AS 'MODULE_PATHNAME', 'email_domain_unicode' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.email_domain_unicode(lead_mgmt.email) IS
	'The domain with internationalised labels in Unicode (U-labels, RFC 5890), to show to people';

CREATE FUNCTION lead_mgmt.email_is_free_provider(lead_mgmt.email) RETURNS boolean
	AS 'MODULE_PATHNAME', 'email_is_free_provider' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.email_is_free_provider(lead_mgmt.email) IS
	'Whether the domain is a consumer mail provider, such as gmail.com, or the mailbox service of an internet access provider, from a built-in list';

CREATE FUNCTION lead_mgmt.email_company_domain(lead_mgmt.email) RETURNS text
	AS 'MODULE_PATHNAME', 'email_company_domain' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.email_company_domain(lead_mgmt.email) IS
	'The domain, A-labels included, or NULL when anybody can get an address there (email_is_free_provider)';

-- E-mail comparison

CREATE FUNCTION lead_mgmt.email_lt(lead_mgmt.email, lead_mgmt.email) RETURNS boolean
	AS 'MODULE_PATHNAME', 'normal_text_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.email_lt(lead_mgmt.email, lead_mgmt.email) IS
	'Implementation of operator < of type email';

CREATE FUNCTION lead_mgmt.email_le(lead_mgmt.email, lead_mgmt.email) RETURNS boolean
	AS 'MODULE_PATHNAME', 'normal_text_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.email_le(lead_mgmt.email, lead_mgmt.email) IS
	'Implementation of operator <= of type email';

CREATE FUNCTION lead_mgmt.email_eq(lead_mgmt.email, lead_mgmt.email) RETURNS boolean
	AS 'MODULE_PATHNAME', 'normal_text_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.email_eq(lead_mgmt.email, lead_mgmt.email) IS
	'Implementation of operator = of type email';

CREATE FUNCTION lead_mgmt.email_ne(lead_mgmt.email, lead_mgmt.email) RETURNS boolean
	AS 'MODULE_PATHNAME', 'normal_text_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.email_ne(lead_mgmt.email, lead_mgmt.email) IS
	'Implementation of operator <> of type email';

CREATE FUNCTION lead_mgmt.email_ge(lead_mgmt.email, lead_mgmt.email) RETURNS boolean
	AS 'MODULE_PATHNAME', 'normal_text_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.email_ge(lead_mgmt.email, lead_mgmt.email) IS
	'Implementation of operator >= of type email';

CREATE FUNCTION lead_mgmt.email_gt(lead_mgmt.email, lead_mgmt.email) RETURNS boolean
	AS 'MODULE_PATHNAME', 'normal_text_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.email_gt(lead_mgmt.email, lead_mgmt.email) IS
	'Implementation of operator > of type email';

CREATE FUNCTION lead_mgmt.email_cmp(lead_mgmt.email, lead_mgmt.email) RETURNS integer
	AS 'MODULE_PATHNAME', 'normal_text_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.email_cmp(lead_mgmt.email, lead_mgmt.email) IS
	'Compare two e-mail addresses by the bytes of their normal form: negative, 0 or positive';

CREATE FUNCTION lead_mgmt.email_sortsupport(internal) RETURNS void
	AS 'MODULE_PATHNAME', 'email_sortsupport' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.email_sortsupport(internal) IS
	'Sort support of type email, with abbreviated keys';

CREATE FUNCTION lead_mgmt.email_hash(lead_mgmt.email) RETURNS integer
	AS 'MODULE_PATHNAME', 'normal_text_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.email_hash(lead_mgmt.email) IS
	'Hash of type email';

CREATE FUNCTION lead_mgmt.email_hash_extended(lead_mgmt.email, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'normal_text_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.email_hash_extended(lead_mgmt.email, bigint) IS
	'64-bit hash of type email with a seed';

-- E-mail operators

CREATE OPERATOR lead_mgmt.< (
	LEFTARG = lead_mgmt.email, RIGHTARG = lead_mgmt.email, FUNCTION = lead_mgmt.email_lt,
	COMMUTATOR = OPERATOR(lead_mgmt.>), NEGATOR = OPERATOR(lead_mgmt.>=),
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);

COMMENT ON OPERATOR lead_mgmt.< (lead_mgmt.email, lead_mgmt.email) IS
	'Less than, by the bytes of the normal form in every locale';

CREATE OPERATOR lead_mgmt.<= (
	LEFTARG = lead_mgmt.email, RIGHTARG = lead_mgmt.email, FUNCTION = lead_mgmt.email_le,
	COMMUTATOR = OPERATOR(lead_mgmt.>=), NEGATOR = OPERATOR(lead_mgmt.>),
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);

COMMENT ON OPERATOR lead_mgmt.<= (lead_mgmt.email, lead_mgmt.email) IS
	'Less than or equal, by the bytes of the normal form in every locale';

CREATE OPERATOR lead_mgmt.= (
	LEFTARG = lead_mgmt.email, RIGHTARG = lead_mgmt.email, FUNCTION = lead_mgmt.email_eq,
	COMMUTATOR = OPERATOR(lead_mgmt.=), NEGATOR = OPERATOR(lead_mgmt.<>),
	RESTRICT = eqsel, JOIN = eqjoinsel,
	HASHES, MERGES
);

COMMENT ON OPERATOR lead_mgmt.= (lead_mgmt.email, lead_mgmt.email) IS
	'Equal: the same address however it was written';

CREATE OPERATOR lead_mgmt.<> (
	LEFTARG = lead_mgmt.email, RIGHTARG = lead_mgmt.email, FUNCTION = lead_mgmt.email_ne,
	COMMUTATOR = OPERATOR(lead_mgmt.<>), NEGATOR = OPERATOR(lead_mgmt.=),
	RESTRICT = neqsel, JOIN = neqjoinsel
);

COMMENT ON OPERATOR lead_mgmt.<> (lead_mgmt.email, lead_mgmt.email) IS
	'Not equal: different e-mail addresses';

CREATE OPERATOR lead_mgmt.>= (
	LEFTARG = lead_mgmt.email, RIGHTARG = lead_mgmt.email, FUNCTION = lead_mgmt.email_ge,
	COMMUTATOR = OPERATOR(lead_mgmt.<=), NEGATOR = OPERATOR(lead_mgmt.<),
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);

COMMENT ON OPERATOR lead_mgmt.>= (lead_mgmt.email, lead_mgmt.email) IS
	'Greater than or equal, by the bytes of the normal form in every locale';

CREATE OPERATOR lead_mgmt.> (
	LEFTARG = lead_mgmt.email, RIGHTARG = lead_mgmt.email, FUNCTION = lead_mgmt.email_gt,
	COMMUTATOR = OPERATOR(lead_mgmt.<), NEGATOR = OPERATOR(lead_mgmt.<=),
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);

COMMENT ON OPERATOR lead_mgmt.> (lead_mgmt.email, lead_mgmt.email) IS
	'Greater than, by the bytes of the normal form in every locale';

-- E-mail operator classes

CREATE OPERATOR CLASS lead_mgmt.email_ops
	DEFAULT FOR TYPE lead_mgmt.email USING btree AS
	OPERATOR 1 lead_mgmt.<,
	OPERATOR 2 lead_mgmt.<=,
	OPERATOR 3 lead_mgmt.=,
	OPERATOR 4 lead_mgmt.>=,
	OPERATOR 5 lead_mgmt.>,
	FUNCTION 1 lead_mgmt.email_cmp(lead_mgmt.email, lead_mgmt.email),
	FUNCTION 2 lead_mgmt.email_sortsupport(internal),
	FUNCTION 4 pg_catalog.btequalimage(oid);

COMMENT ON OPERATOR CLASS lead_mgmt.email_ops USING btree IS
	'btree order of e-mail addresses, by the bytes of the normal form in every locale; the default';

COMMENT ON OPERATOR FAMILY lead_mgmt.email_ops USING btree IS
	'btree operators of e-mail addresses';

CREATE OPERATOR CLASS lead_mgmt.email_ops
	DEFAULT FOR TYPE lead_mgmt.email USING hash AS
	OPERATOR 1 lead_mgmt.=,
	FUNCTION 1 lead_mgmt.email_hash(lead_mgmt.email),
	FUNCTION 2 lead_mgmt.email_hash_extended(lead_mgmt.email, bigint);

COMMENT ON OPERATOR CLASS lead_mgmt.email_ops USING hash IS
	'hash equality of e-mail addresses; the default';

COMMENT ON OPERATOR FAMILY lead_mgmt.email_ops USING hash IS
	'hash operators of e-mail addresses';

-- Phone type

CREATE TYPE lead_mgmt.phone;

CREATE FUNCTION lead_mgmt.phone_in(cstring) RETURNS lead_mgmt.phone
	AS 'MODULE_PATHNAME', 'phone_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;

COMMENT ON FUNCTION lead_mgmt.phone_in(cstring) IS
	'Input function of type phone; see the type';

CREATE FUNCTION lead_mgmt.phone_out(lead_mgmt.phone) RETURNS cstring
	AS 'MODULE_PATHNAME', 'normal_text_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.phone_out(lead_mgmt.phone) IS
	'Output function of type phone: the stored normal form as it is';

CREATE FUNCTION lead_mgmt.phone_recv(internal) RETURNS lead_mgmt.phone
	AS 'MODULE_PATHNAME', 'phone_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;

COMMENT ON FUNCTION lead_mgmt.phone_recv(internal) IS
	'Binary input function of type phone; takes text and checks it as the text input does';

CREATE FUNCTION lead_mgmt.phone_send(lead_mgmt.phone) RETURNS bytea
	AS 'MODULE_PATHNAME', 'normal_text_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.phone_send(lead_mgmt.phone) IS
	'Binary output function of type phone: the normal form as text';

CREATE TYPE lead_mgmt.phone (
	INPUT = lead_mgmt.phone_in,
	OUTPUT = lead_mgmt.phone_out,
	RECEIVE = lead_mgmt.phone_recv,
	SEND = lead_mgmt.phone_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended,
	CATEGORY = 'S',
	COLLATABLE = false
);

COMMENT ON TYPE lead_mgmt.phone IS
	'A phone number in E.164 form, such as +84912345678, with its extension as in RFC 3966, such as +84912345678;ext=12. Accepts international form (+ or tel:) with any punctuation; a national number needs lead_mgmt.to_phone(number, region). Refused with SQLSTATE 22P02 when there is no country code or no number. Numbers that are well formed but not in use are accepted: see phone_valid. Operators are found through search_path: put lead_mgmt in it, or write OPERATOR(lead_mgmt.=); otherwise values compare as text, and a text literal is not normalised first';

-- Phone casts

CREATE FUNCTION lead_mgmt.phone(text) RETURNS lead_mgmt.phone
	AS 'MODULE_PATHNAME', 'text_to_phone' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;

COMMENT ON FUNCTION lead_mgmt.phone(text) IS
	'Convert text in international form to a phone number; SQLSTATE 22P02 when it is none or has no country code';

CREATE CAST (text AS lead_mgmt.phone)
	WITH FUNCTION lead_mgmt.phone(text) AS ASSIGNMENT;

COMMENT ON CAST (text AS lead_mgmt.phone) IS
	'Normalises and checks the number on assignment; SQLSTATE 22P02 when it is none or has no country code';

CREATE CAST (varchar AS lead_mgmt.phone)
	WITH FUNCTION lead_mgmt.phone(text) AS ASSIGNMENT;

COMMENT ON CAST (varchar AS lead_mgmt.phone) IS
	'Normalises and checks the number on assignment; SQLSTATE 22P02 when it is none or has no country code';

CREATE CAST (lead_mgmt.phone AS text)
	WITHOUT FUNCTION AS IMPLICIT;

COMMENT ON CAST (lead_mgmt.phone AS text) IS
	'A number in normal form is text as it is, so that the functions and operators of text apply';

-- Phone functions

CREATE FUNCTION lead_mgmt.to_phone(number text, region text) RETURNS lead_mgmt.phone
	AS 'MODULE_PATHNAME', 'to_phone' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;

COMMENT ON FUNCTION lead_mgmt.to_phone(text, text) IS
	'Convert text to a phone number; one without a country code is read as dialled within the region, a country code of ISO 3166-1 alpha-2 in any case. SQLSTATE 22P02 when it is no number, 22023 when the region is unknown';

CREATE FUNCTION lead_mgmt.phone_valid(lead_mgmt.phone) RETURNS boolean
	AS 'MODULE_PATHNAME', 'phone_valid' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;

COMMENT ON FUNCTION lead_mgmt.phone_valid(lead_mgmt.phone) IS
	'Whether the number is in use in its country''s numbering plan; an upgrade of libphonenumber may change the answer: reindex what is built on it';

CREATE FUNCTION lead_mgmt.phone_region(lead_mgmt.phone) RETURNS text
	AS 'MODULE_PATHNAME', 'phone_region' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;

COMMENT ON FUNCTION lead_mgmt.phone_region(lead_mgmt.phone) IS
	'The region of the number, a country code of ISO 3166-1 alpha-2; NULL when it belongs to none or is not valid; an upgrade of libphonenumber may change the answer: reindex what is built on it';

CREATE FUNCTION lead_mgmt.phone_type(lead_mgmt.phone) RETURNS text
	AS 'MODULE_PATHNAME', 'phone_type' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;

COMMENT ON FUNCTION lead_mgmt.phone_type(lead_mgmt.phone) IS
	'mobile, fixed_line, fixed_line_or_mobile, toll_free, premium_rate, shared_cost, voip, personal_number, pager, uan, voicemail or unknown; an upgrade of libphonenumber may change the answer: reindex what is built on it';

CREATE FUNCTION lead_mgmt.phone_country_code(lead_mgmt.phone) RETURNS integer
	AS 'MODULE_PATHNAME', 'phone_country_code' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.phone_country_code(lead_mgmt.phone) IS
	'The country calling code, such as 84 (ITU-T E.164)';

CREATE FUNCTION lead_mgmt.phone_extension(lead_mgmt.phone) RETURNS text
	AS 'MODULE_PATHNAME', 'phone_extension' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.phone_extension(lead_mgmt.phone) IS
	'The digits of the extension, or NULL';

CREATE FUNCTION lead_mgmt.phone_national(lead_mgmt.phone) RETURNS text
	AS 'MODULE_PATHNAME', 'phone_national' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;

COMMENT ON FUNCTION lead_mgmt.phone_national(lead_mgmt.phone) IS
	'The number as dialled within its country, such as 0912 345 678; an upgrade of libphonenumber may change the answer: reindex what is built on it';

CREATE FUNCTION lead_mgmt.phone_international(lead_mgmt.phone) RETURNS text
	AS 'MODULE_PATHNAME', 'phone_international' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;

COMMENT ON FUNCTION lead_mgmt.phone_international(lead_mgmt.phone) IS
	'The number as written abroad, such as +84 912 345 678; an upgrade of libphonenumber may change the answer: reindex what is built on it';

CREATE FUNCTION lead_mgmt.phone_rfc3966(lead_mgmt.phone) RETURNS text
	AS 'MODULE_PATHNAME', 'phone_rfc3966' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;

COMMENT ON FUNCTION lead_mgmt.phone_rfc3966(lead_mgmt.phone) IS
	'The number as a URI, such as tel:+84-912-345-678;ext=12 (RFC 3966); an upgrade of libphonenumber may change the answer: reindex what is built on it';

-- Phone comparison

CREATE FUNCTION lead_mgmt.phone_lt(lead_mgmt.phone, lead_mgmt.phone) RETURNS boolean
	AS 'MODULE_PATHNAME', 'normal_text_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.phone_lt(lead_mgmt.phone, lead_mgmt.phone) IS
	'Implementation of operator < of type phone';

CREATE FUNCTION lead_mgmt.phone_le(lead_mgmt.phone, lead_mgmt.phone) RETURNS boolean
	AS 'MODULE_PATHNAME', 'normal_text_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.phone_le(lead_mgmt.phone, lead_mgmt.phone) IS
	'Implementation of operator <= of type phone';

CREATE FUNCTION lead_mgmt.phone_eq(lead_mgmt.phone, lead_mgmt.phone) RETURNS boolean
	AS 'MODULE_PATHNAME', 'normal_text_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.phone_eq(lead_mgmt.phone, lead_mgmt.phone) IS
	'Implementation of operator = of type phone';

CREATE FUNCTION lead_mgmt.phone_ne(lead_mgmt.phone, lead_mgmt.phone) RETURNS boolean
	AS 'MODULE_PATHNAME', 'normal_text_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.phone_ne(lead_mgmt.phone, lead_mgmt.phone) IS
	'Implementation of operator <> of type phone';

CREATE FUNCTION lead_mgmt.phone_ge(lead_mgmt.phone, lead_mgmt.phone) RETURNS boolean
	AS 'MODULE_PATHNAME', 'normal_text_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.phone_ge(lead_mgmt.phone, lead_mgmt.phone) IS
	'Implementation of operator >= of type phone';

CREATE FUNCTION lead_mgmt.phone_gt(lead_mgmt.phone, lead_mgmt.phone) RETURNS boolean
	AS 'MODULE_PATHNAME', 'normal_text_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.phone_gt(lead_mgmt.phone, lead_mgmt.phone) IS
	'Implementation of operator > of type phone';

CREATE FUNCTION lead_mgmt.phone_cmp(lead_mgmt.phone, lead_mgmt.phone) RETURNS integer
	AS 'MODULE_PATHNAME', 'normal_text_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.phone_cmp(lead_mgmt.phone, lead_mgmt.phone) IS
	'Compare two phone numbers by the bytes of their normal form: negative, 0 or positive';

CREATE FUNCTION lead_mgmt.phone_sortsupport(internal) RETURNS void
	AS 'MODULE_PATHNAME', 'phone_sortsupport' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.phone_sortsupport(internal) IS
	'Sort support of type phone, with abbreviated keys';

CREATE FUNCTION lead_mgmt.phone_hash(lead_mgmt.phone) RETURNS integer
	AS 'MODULE_PATHNAME', 'normal_text_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.phone_hash(lead_mgmt.phone) IS
	'Hash of type phone';

CREATE FUNCTION lead_mgmt.phone_hash_extended(lead_mgmt.phone, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'normal_text_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.phone_hash_extended(lead_mgmt.phone, bigint) IS
	'64-bit hash of type phone with a seed';

-- Phone operators

CREATE OPERATOR lead_mgmt.< (
	LEFTARG = lead_mgmt.phone, RIGHTARG = lead_mgmt.phone, FUNCTION = lead_mgmt.phone_lt,
	COMMUTATOR = OPERATOR(lead_mgmt.>), NEGATOR = OPERATOR(lead_mgmt.>=),
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);

COMMENT ON OPERATOR lead_mgmt.< (lead_mgmt.phone, lead_mgmt.phone) IS
	'Less than, by the bytes of the normal form in every locale';

CREATE OPERATOR lead_mgmt.<= (
	LEFTARG = lead_mgmt.phone, RIGHTARG = lead_mgmt.phone, FUNCTION = lead_mgmt.phone_le,
	COMMUTATOR = OPERATOR(lead_mgmt.>=), NEGATOR = OPERATOR(lead_mgmt.>),
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);

COMMENT ON OPERATOR lead_mgmt.<= (lead_mgmt.phone, lead_mgmt.phone) IS
	'Less than or equal, by the bytes of the normal form in every locale';

CREATE OPERATOR lead_mgmt.= (
	LEFTARG = lead_mgmt.phone, RIGHTARG = lead_mgmt.phone, FUNCTION = lead_mgmt.phone_eq,
	COMMUTATOR = OPERATOR(lead_mgmt.=), NEGATOR = OPERATOR(lead_mgmt.<>),
	RESTRICT = eqsel, JOIN = eqjoinsel,
	HASHES, MERGES
);

COMMENT ON OPERATOR lead_mgmt.= (lead_mgmt.phone, lead_mgmt.phone) IS
	'Equal: the same number however it was written';

CREATE OPERATOR lead_mgmt.<> (
	LEFTARG = lead_mgmt.phone, RIGHTARG = lead_mgmt.phone, FUNCTION = lead_mgmt.phone_ne,
	COMMUTATOR = OPERATOR(lead_mgmt.<>), NEGATOR = OPERATOR(lead_mgmt.=),
	RESTRICT = neqsel, JOIN = neqjoinsel
);

COMMENT ON OPERATOR lead_mgmt.<> (lead_mgmt.phone, lead_mgmt.phone) IS
	'Not equal: different phone numbers';

CREATE OPERATOR lead_mgmt.>= (
	LEFTARG = lead_mgmt.phone, RIGHTARG = lead_mgmt.phone, FUNCTION = lead_mgmt.phone_ge,
	COMMUTATOR = OPERATOR(lead_mgmt.<=), NEGATOR = OPERATOR(lead_mgmt.<),
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);

COMMENT ON OPERATOR lead_mgmt.>= (lead_mgmt.phone, lead_mgmt.phone) IS
	'Greater than or equal, by the bytes of the normal form in every locale';

CREATE OPERATOR lead_mgmt.> (
	LEFTARG = lead_mgmt.phone, RIGHTARG = lead_mgmt.phone, FUNCTION = lead_mgmt.phone_gt,
	COMMUTATOR = OPERATOR(lead_mgmt.<), NEGATOR = OPERATOR(lead_mgmt.<=),
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);

COMMENT ON OPERATOR lead_mgmt.> (lead_mgmt.phone, lead_mgmt.phone) IS
	'Greater than, by the bytes of the normal form in every locale';

-- Phone operator classes

CREATE OPERATOR CLASS lead_mgmt.phone_ops
	DEFAULT FOR TYPE lead_mgmt.phone USING btree AS
	OPERATOR 1 lead_mgmt.<,
	OPERATOR 2 lead_mgmt.<=,
	OPERATOR 3 lead_mgmt.=,
	OPERATOR 4 lead_mgmt.>=,
	OPERATOR 5 lead_mgmt.>,
	FUNCTION 1 lead_mgmt.phone_cmp(lead_mgmt.phone, lead_mgmt.phone),
	FUNCTION 2 lead_mgmt.phone_sortsupport(internal),
	FUNCTION 4 pg_catalog.btequalimage(oid);

COMMENT ON OPERATOR CLASS lead_mgmt.phone_ops USING btree IS
	'btree order of phone numbers, by the bytes of the normal form in every locale; the default';

COMMENT ON OPERATOR FAMILY lead_mgmt.phone_ops USING btree IS
	'btree operators of phone numbers';

CREATE OPERATOR CLASS lead_mgmt.phone_ops
	DEFAULT FOR TYPE lead_mgmt.phone USING hash AS
	OPERATOR 1 lead_mgmt.=,
	FUNCTION 1 lead_mgmt.phone_hash(lead_mgmt.phone),
	FUNCTION 2 lead_mgmt.phone_hash_extended(lead_mgmt.phone, bigint);

COMMENT ON OPERATOR CLASS lead_mgmt.phone_ops USING hash IS
	'hash equality of phone numbers; the default';

COMMENT ON OPERATOR FAMILY lead_mgmt.phone_ops USING hash IS
	'hash operators of phone numbers';
