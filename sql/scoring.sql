-- heat: points that cool

CREATE TYPE lead_mgmt.heat;

CREATE FUNCTION lead_mgmt.heat_in(cstring) RETURNS lead_mgmt.heat
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.heat_in(cstring) IS
	'Input function of type heat; see the type';

CREATE FUNCTION lead_mgmt.heat_out(lead_mgmt.heat) RETURNS cstring
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.heat_out(lead_mgmt.heat) IS
	'Output function of type heat: no digit is lost';

CREATE FUNCTION lead_mgmt.heat_recv(internal) RETURNS lead_mgmt.heat
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.heat_recv(internal) IS
	'Binary input function of type heat; refuses what is not in normal form';

CREATE FUNCTION lead_mgmt.heat_send(lead_mgmt.heat) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.heat_send(lead_mgmt.heat) IS
	'Binary output function of type heat';

CREATE TYPE lead_mgmt.heat (
	INPUT = lead_mgmt.heat_in,
	OUTPUT = lead_mgmt.heat_out,
	RECEIVE = lead_mgmt.heat_recv,
	SEND = lead_mgmt.heat_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = plain
);

COMMENT ON TYPE lead_mgmt.heat IS
	'Points that cool: a forward-decayed score (Cormode et al., ICDE 2009). A sum of parts, one a half-life, of at most 64, and of points that do not cool. Never has to be touched as time passes: heat_at tells what it is worth at any time. Written as 12 for points that do not cool, 12@2026-01-31T00:00:00Z/30d for points given at a time with their half-life in d, h, s or us, and several of these joined by +. Ordered by which is the greater in the end, the slowest part first: for heats of one half-life that is their order at every time, so that an index on them stays right as they cool. Sums are exact to 2^-100, in any order';

-- heat functions

CREATE FUNCTION lead_mgmt.heat(points double precision, given_at timestamptz, half_life interval) RETURNS lead_mgmt.heat
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.heat(double precision, timestamptz, interval) IS
	'Points given at a time that halve with every half-life (a month is 30 days). Errors: numeric_value_out_of_range for points that are not from -1e300 to 1e300, invalid_parameter_value for a half-life that is not positive';

CREATE FUNCTION lead_mgmt.heat(double precision) RETURNS lead_mgmt.heat
	AS 'MODULE_PATHNAME', 'float8_to_heat' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.heat(double precision) IS
	'Points that do not cool';

CREATE FUNCTION lead_mgmt.heat_at(heat lead_mgmt.heat, at timestamptz) RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.heat_at(lead_mgmt.heat, timestamptz) IS
	'What a heat is worth at a time, past or future, in points; infinite where that is beyond a double precision number';

CREATE FUNCTION lead_mgmt.heat_leaves(heat lead_mgmt.heat, from_points double precision, below_points double precision, since timestamptz) RETURNS timestamptz
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.heat_leaves(lead_mgmt.heat, double precision, double precision, timestamptz) IS
	'When a heat leaves a range of points, counted from a time on: in closed form for one half-life, to the microsecond for several; that time itself when it lies outside, infinity when it stays';

CREATE FUNCTION lead_mgmt.heat_add(lead_mgmt.heat, lead_mgmt.heat) RETURNS lead_mgmt.heat
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.heat_add(lead_mgmt.heat, lead_mgmt.heat) IS
	'Implementation of operator + of type heat';

CREATE FUNCTION lead_mgmt.heat_subtract(lead_mgmt.heat, lead_mgmt.heat) RETURNS lead_mgmt.heat
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.heat_subtract(lead_mgmt.heat, lead_mgmt.heat) IS
	'Implementation of operator - of type heat';

CREATE CAST (double precision AS lead_mgmt.heat)
	WITH FUNCTION lead_mgmt.heat(double precision) AS ASSIGNMENT;

COMMENT ON CAST (double precision AS lead_mgmt.heat) IS
	'Points that do not cool';

-- heat comparison

CREATE FUNCTION lead_mgmt.heat_lt(lead_mgmt.heat, lead_mgmt.heat) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.heat_lt(lead_mgmt.heat, lead_mgmt.heat) IS
	'Implementation of operator < of type heat';

CREATE FUNCTION lead_mgmt.heat_le(lead_mgmt.heat, lead_mgmt.heat) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.heat_le(lead_mgmt.heat, lead_mgmt.heat) IS
	'Implementation of operator <= of type heat';

CREATE FUNCTION lead_mgmt.heat_eq(lead_mgmt.heat, lead_mgmt.heat) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.heat_eq(lead_mgmt.heat, lead_mgmt.heat) IS
	'Implementation of operator = of type heat';

CREATE FUNCTION lead_mgmt.heat_ne(lead_mgmt.heat, lead_mgmt.heat) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.heat_ne(lead_mgmt.heat, lead_mgmt.heat) IS
	'Implementation of operator <> of type heat';

CREATE FUNCTION lead_mgmt.heat_ge(lead_mgmt.heat, lead_mgmt.heat) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.heat_ge(lead_mgmt.heat, lead_mgmt.heat) IS
	'Implementation of operator >= of type heat';

CREATE FUNCTION lead_mgmt.heat_gt(lead_mgmt.heat, lead_mgmt.heat) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.heat_gt(lead_mgmt.heat, lead_mgmt.heat) IS
	'Implementation of operator > of type heat';

CREATE FUNCTION lead_mgmt.heat_cmp(lead_mgmt.heat, lead_mgmt.heat) RETURNS integer
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.heat_cmp(lead_mgmt.heat, lead_mgmt.heat) IS
	'Three-way comparison of two heats, for btree';

CREATE FUNCTION lead_mgmt.heat_sortsupport(internal) RETURNS void
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.heat_sortsupport(internal) IS
	'Sort support for heat';

CREATE FUNCTION lead_mgmt.heat_hash(lead_mgmt.heat) RETURNS integer
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.heat_hash(lead_mgmt.heat) IS
	'Hash of a heat';

CREATE FUNCTION lead_mgmt.heat_hash_extended(lead_mgmt.heat, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.heat_hash_extended(lead_mgmt.heat, bigint) IS
	'64-bit hash of a heat with a seed';

CREATE OPERATOR lead_mgmt.< (
	LEFTARG = lead_mgmt.heat, RIGHTARG = lead_mgmt.heat, FUNCTION = lead_mgmt.heat_lt,
	COMMUTATOR = OPERATOR(lead_mgmt.>), NEGATOR = OPERATOR(lead_mgmt.>=),
	RESTRICT = pg_catalog.scalarltsel, JOIN = pg_catalog.scalarltjoinsel
);

COMMENT ON OPERATOR lead_mgmt.< (lead_mgmt.heat, lead_mgmt.heat) IS
	'Less in the end; for one half-life, at every time';

CREATE OPERATOR lead_mgmt.<= (
	LEFTARG = lead_mgmt.heat, RIGHTARG = lead_mgmt.heat, FUNCTION = lead_mgmt.heat_le,
	COMMUTATOR = OPERATOR(lead_mgmt.>=), NEGATOR = OPERATOR(lead_mgmt.>),
	RESTRICT = pg_catalog.scalarlesel, JOIN = pg_catalog.scalarlejoinsel
);

COMMENT ON OPERATOR lead_mgmt.<= (lead_mgmt.heat, lead_mgmt.heat) IS
	'Less or equal in the end; for one half-life, at every time';

CREATE OPERATOR lead_mgmt.= (
	LEFTARG = lead_mgmt.heat, RIGHTARG = lead_mgmt.heat, FUNCTION = lead_mgmt.heat_eq,
	COMMUTATOR = OPERATOR(lead_mgmt.=), NEGATOR = OPERATOR(lead_mgmt.<>),
	RESTRICT = pg_catalog.eqsel, JOIN = pg_catalog.eqjoinsel, HASHES, MERGES
);

COMMENT ON OPERATOR lead_mgmt.= (lead_mgmt.heat, lead_mgmt.heat) IS
	'The same heat';

CREATE OPERATOR lead_mgmt.<> (
	LEFTARG = lead_mgmt.heat, RIGHTARG = lead_mgmt.heat, FUNCTION = lead_mgmt.heat_ne,
	COMMUTATOR = OPERATOR(lead_mgmt.<>), NEGATOR = OPERATOR(lead_mgmt.=),
	RESTRICT = pg_catalog.neqsel, JOIN = pg_catalog.neqjoinsel
);

COMMENT ON OPERATOR lead_mgmt.<> (lead_mgmt.heat, lead_mgmt.heat) IS
	'Not the same heat';

CREATE OPERATOR lead_mgmt.>= (
	LEFTARG = lead_mgmt.heat, RIGHTARG = lead_mgmt.heat, FUNCTION = lead_mgmt.heat_ge,
	COMMUTATOR = OPERATOR(lead_mgmt.<=), NEGATOR = OPERATOR(lead_mgmt.<),
	RESTRICT = pg_catalog.scalargesel, JOIN = pg_catalog.scalargejoinsel
);

COMMENT ON OPERATOR lead_mgmt.>= (lead_mgmt.heat, lead_mgmt.heat) IS
	'Greater or equal in the end; for one half-life, at every time';

CREATE OPERATOR lead_mgmt.> (
	LEFTARG = lead_mgmt.heat, RIGHTARG = lead_mgmt.heat, FUNCTION = lead_mgmt.heat_gt,
	COMMUTATOR = OPERATOR(lead_mgmt.<), NEGATOR = OPERATOR(lead_mgmt.<=),
	RESTRICT = pg_catalog.scalargtsel, JOIN = pg_catalog.scalargtjoinsel
);

COMMENT ON OPERATOR lead_mgmt.> (lead_mgmt.heat, lead_mgmt.heat) IS
	'Greater in the end; for one half-life, at every time';

CREATE OPERATOR lead_mgmt.+ (
	LEFTARG = lead_mgmt.heat, RIGHTARG = lead_mgmt.heat, FUNCTION = lead_mgmt.heat_add,
	COMMUTATOR = OPERATOR(lead_mgmt.+)
);

COMMENT ON OPERATOR lead_mgmt.+ (lead_mgmt.heat, lead_mgmt.heat) IS
	'Both together';

CREATE OPERATOR lead_mgmt.- (
	LEFTARG = lead_mgmt.heat, RIGHTARG = lead_mgmt.heat, FUNCTION = lead_mgmt.heat_subtract
);

COMMENT ON OPERATOR lead_mgmt.- (lead_mgmt.heat, lead_mgmt.heat) IS
	'The one without the other';

CREATE OPERATOR CLASS lead_mgmt.heat_ops
	DEFAULT FOR TYPE lead_mgmt.heat USING btree AS
	OPERATOR 1 lead_mgmt.<,
	OPERATOR 2 lead_mgmt.<=,
	OPERATOR 3 lead_mgmt.=,
	OPERATOR 4 lead_mgmt.>=,
	OPERATOR 5 lead_mgmt.>,
	FUNCTION 1 lead_mgmt.heat_cmp(lead_mgmt.heat, lead_mgmt.heat),
	FUNCTION 2 lead_mgmt.heat_sortsupport(internal),
	FUNCTION 4 pg_catalog.btequalimage(oid);

COMMENT ON OPERATOR CLASS lead_mgmt.heat_ops USING btree IS
	'btree order of heats by which is the greater in the end; the default';

COMMENT ON OPERATOR FAMILY lead_mgmt.heat_ops USING btree IS
	'btree operators of heats';

CREATE OPERATOR CLASS lead_mgmt.heat_ops
	DEFAULT FOR TYPE lead_mgmt.heat USING hash AS
	OPERATOR 1 lead_mgmt.=,
	FUNCTION 1 lead_mgmt.heat_hash(lead_mgmt.heat),
	FUNCTION 2 lead_mgmt.heat_hash_extended(lead_mgmt.heat, bigint);

COMMENT ON OPERATOR CLASS lead_mgmt.heat_ops USING hash IS
	'hash equality of heats; the default';

COMMENT ON OPERATOR FAMILY lead_mgmt.heat_ops USING hash IS
	'hash operators of heats';

CREATE AGGREGATE lead_mgmt.sum(lead_mgmt.heat) (
	SFUNC = lead_mgmt.heat_add,
	STYPE = lead_mgmt.heat,
	COMBINEFUNC = lead_mgmt.heat_add,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE lead_mgmt.sum(lead_mgmt.heat) IS
	'All heats together; NULL of none';

-- scoring

CREATE FUNCTION lead_mgmt.score_parts(score_table regclass, lead_id bigint, model text, at timestamptz)
	RETURNS TABLE (scoring_rule_id bigint, part text, label text, points double precision, occurrences bigint,
		total double precision, fields text[], half_life interval, last_at timestamptz, problem text, odds double precision)
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT COST 1000 ROWS 10 SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off;

COMMENT ON FUNCTION lead_mgmt.score_parts(regclass, bigint, text, timestamptz) IS
	'What each rule of a scoring model gives a lead of a workspace, named by its table score, at a time: fit by its profile as it is now, engagement by the interactions up to then. Of a learned model, what each feature adds to the log odds and multiplies the odds by. A lead without contact or account has one row that says so. Error: no_data_found';

CREATE FUNCTION lead_mgmt.score_all(score_table regclass, model text, open_only boolean)
	RETURNS TABLE (lead_id bigint, fit double precision, engagement lead_mgmt.heat, tally double precision[])
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT COST 10000 ROWS 100000 SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off;

COMMENT ON FUNCTION lead_mgmt.score_all(regclass, text, boolean) IS
	'The scores of all leads of a workspace, named by its table score, in a model, which may be a draft, from what their profiles and interactions are now, for closed leads from what they were before the outcome (lead_profile_at_outcome); leads without contact or account are left out. Memory: the interactions of 2,000 leads, and work_mem. Error: no_data_found';

CREATE FUNCTION lead_mgmt.expand_attributes() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.expand_attributes() IS
	'Trigger function: in a condition over lead_profile, puts the value of a custom attribute, of its type, for its name where that is no column; an attribute of the lead comes before one of the contact, and that before one of the account. Argument: the column of the condition.';

CREATE FUNCTION lead_mgmt.guard_half_lives() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.guard_half_lives() IS
	'Trigger function: refuses scoring rules that give a model more than 64 half-lives.';

CREATE FUNCTION lead_mgmt.feature_values(score_table regclass, model text, profiles text)
	RETURNS TABLE (lead_id bigint, "values" text[])
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT COST 10000 ROWS 100000 SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.feature_values(regclass, text, text) IS
	'The values that the features of a scoring model, by their keys, have for all leads of lead_profile, or all closed ones of lead_profile_at_outcome, of a workspace, named by its table score; NULL where there is none or its expression fails. Leads without contact or account are left out. Errors: no_data_found, invalid_parameter_value';

CREATE FUNCTION lead_mgmt.guard_feature() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.guard_feature() IS
	'Trigger function: checks that the expression of a feature can be evaluated for lead_profile, is of the type its kind asks for, and does not look at what follows the outcome.';

CREATE FUNCTION lead_mgmt.guard_training() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C;

COMMENT ON FUNCTION lead_mgmt.guard_training() IS
	'Trigger function: refuses a training whose definition is no trained model.';

CREATE FUNCTION lead_mgmt.learn_outcome() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C;

COMMENT ON FUNCTION lead_mgmt.learn_outcome() IS
	'Trigger function: lets the naive Bayes models of a workspace learn from a lead that was won or lost, and forget one that was reopened or deleted.';

CREATE FUNCTION lead_mgmt.counts_changed() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C;

COMMENT ON FUNCTION lead_mgmt.counts_changed() IS
	'Trigger function: tells every session that the counts of naive Bayes models, which sessions keep, have changed.';

CREATE FUNCTION lead_mgmt.lead_priority(win_probability double precision, value numeric, age interval, due_in interval)
	RETURNS double precision
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN 100 * GREATEST(LEAST(COALESCE(win_probability, 0), 1), 0.01)
			* (1 + pg_catalog.log(1 + LEAST(GREATEST(COALESCE(value, 0), 0), 1e15)))::double precision
			* (1 + pg_catalog.power(2::double precision,
				- LEAST(GREATEST(COALESCE(pg_catalog.date_part('epoch', age), 0), 0) / 1209600, 1000))) / 2
			* (1 + CASE WHEN due_in IS NULL THEN 0 ELSE pg_catalog.power(2::double precision,
				- LEAST(GREATEST(pg_catalog.date_part('epoch', due_in), 0) / 86400, 1000)) END)
			+ CASE WHEN due_in <= '0' THEN 10000 ELSE 0 END;

COMMENT ON FUNCTION lead_mgmt.lead_priority(double precision, numeric, interval, interval) IS
	'How soon a lead should be worked on, the greater the sooner: 100 times the win probability (0 to 1, at least 0.01), times 1 + log10(1 + value), times a factor that falls from 1 for a new lead to 1/2 for an old one, half of the way in 14 days, times one that rises from 1 without anything due to 2 when something is due now or overdue, half of the way a day before; and 10000 more when it is due now or overdue, so that what is overdue comes before everything else. NULLs count as probability 0, value 0, age 0 and nothing due.';
