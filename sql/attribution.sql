-- Attribution over any tables: credits of touches, of channels, Markov chains, Shapley values.

CREATE FUNCTION lead_mgmt.attribution_model_check(description text) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;

COMMENT ON FUNCTION lead_mgmt.attribution_model_check(text) IS
	'True when an attribution model is well described, else an error that says what is wrong; for CHECK constraints. A description is the name of a model (first, last, last_non_direct, linear, u_shaped 40/20/40, u_milestones 40/40/20, w_shaped 30/30/30/10, full_path 22.5 × 4 + 10, j_shaped 20/20/60, inverse_j 60/20/20, time_decay, participation, shapley) or a JSON object with the members name; kind: position (default), last_non_direct, time_decay, participation, shapley, channels or markov; for position the weights first and last (a number, or a list for the first or last touches in order of time), lead and opportunity (of the touches at which these were created) and other (shared by the rest), which add up to 1; half_life for time_decay, an interval, 7 days by default; channels, an object of weights by channel; order of a Markov chain, 1 to 8, which needs all journeys and so is none for credits of single touches. Errors: invalid_parameter_value, invalid_text_representation';

CREATE FUNCTION lead_mgmt.touch_credit(model text, occurred_at timestamptz, channel text DEFAULT NULL,
		is_direct boolean DEFAULT false, converted_at timestamptz DEFAULT NULL,
		lead_created_at timestamptz DEFAULT NULL, opportunity_created_at timestamptz DEFAULT NULL) RETURNS numeric
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE WINDOW COST 10;

COMMENT ON FUNCTION lead_mgmt.touch_credit(text, timestamptz, text, boolean, timestamptz, timestamptz, timestamptz) IS
	'Window function: the credit from 0 to 1 of a row by an attribution model, among the rows of its partition, which are the touches of one conversion: touch_credit(''u_shaped'', occurred_at) OVER (PARTITION BY conversion_id). The credits of a partition add up to 1 exactly, in 15 decimals; by participation each channel has 1, at its first touch. Touches are put in order of time, those of one moment in the order of the window. Touches without time or after converted_at have 0. Where a weight has no touch the others make up for it: two touches have .5 and .5 in a U, .25 and .75 in a J; weights that fall on one touch add up; a single touch has all; when all are direct the last one counts as the last that is not. A milestone falls on the last touch until then, else on the first. channel matters to participation, shapley and channels, is_direct to last_non_direct; model, converted_at and milestones are taken from the first row. Model: as in attribution_model_check(), NULL gives NULL. Memory: about 100 bytes a row of a partition';

CREATE FUNCTION lead_mgmt.allocate(amount numeric, credit numeric, digits integer DEFAULT 2) RETURNS numeric
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE WINDOW COST 10;

COMMENT ON FUNCTION lead_mgmt.allocate(numeric, numeric, integer) IS
	'Window function: the share of an amount that falls to a row by its credit, in whole minor units of so many decimals (0 to 12), so that the shares of a partition add up to the amount exactly. Units left over go to the largest remainders, of equal ones to the earlier row: allocate(amount, credit) OVER (PARTITION BY conversion_id ORDER BY occurred_at). A negative amount is divided like its opposite. Where the credits do not add up to 1, as by participation, each row has its credit times the amount. amount is taken from the first row, rounded to minor units; NULL gives NULL. Errors: numeric_value_out_of_range for credits outside 0 to 1 and amounts beyond 9.2e18 minor units, invalid_parameter_value for other decimals';

CREATE FUNCTION lead_mgmt.currency_digits(currency text) RETURNS integer
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;

COMMENT ON FUNCTION lead_mgmt.currency_digits(text) IS
	'The number of decimals of a currency''s minor unit by ISO 4217: 0 for JPY and VND, 3 for KWD, 2 for most and for codes that are unknown';

CREATE FUNCTION lead_mgmt.channel_credits(touch_query text, conversion_query text, models text[],
		look_back interval DEFAULT NULL, counting text DEFAULT 'touch', collapse boolean DEFAULT false,
		include text[] DEFAULT NULL, exclude text[] DEFAULT NULL, digits integer DEFAULT 2,
		OUT model text, OUT channel text, OUT conversions numeric, OUT value numeric)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100;

COMMENT ON FUNCTION lead_mgmt.channel_credits(text, text, text[], interval, text, boolean, text[], text[], integer) IS
	'What each channel is credited with by several attribution models at once: one row a model and channel that touched a conversion, and one with channel NULL for conversions without a touch, so that conversions add up to their number and value to their sum exactly (by participation channels have more together). touch_query returns the columns journey (of any type that can be ordered), occurred_at, channel and, if it has them, is_direct (boolean), touch_id (bigint, which decides the order at one moment) and session; conversion_query returns journey, converted_at and, if it has them, value (an amount), lead_created_at and opportunity_created_at. A journey may convert more than once; each conversion is credited to the touches of its journey until then; one without journey or time is left out. Left out are also touches without journey, time or channel, in the future, of channels not in include or in exclude, before look_back; repeats in one session with counting by session (without a column session, 30 minutes without a touch end one), and repeats of a channel in a row with collapse, where the first stands for them. Models: 1 to 256, as in attribution_model_check(). Values are divided to minor units of so many decimals; NULL counts as 0. An index on touches (journey, occurred_at) that has the channel saves the sort. Memory: the longest journey and the channels, beside what the two queries need. Reads with the caller''s rights. Errors: undefined_column, datatype_mismatch, invalid_parameter_value, numeric_value_out_of_range';

CREATE FUNCTION lead_mgmt.touch_credits(touch_query text, conversion_query text, models text[],
		look_back interval DEFAULT NULL, counting text DEFAULT 'touch', collapse boolean DEFAULT false,
		include text[] DEFAULT NULL, exclude text[] DEFAULT NULL, digits integer DEFAULT 2,
		OUT journey text, OUT conversion_id bigint, OUT converted_at timestamptz, OUT model text,
		OUT "position" integer, OUT touches integer, OUT touch_id bigint, OUT occurred_at timestamptz,
		OUT channel text, OUT credit numeric, OUT amount numeric)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000000 ROWS 10000;

COMMENT ON FUNCTION lead_mgmt.touch_credits(text, text, text[], interval, text, boolean, text[], text[], integer) IS
	'The credits of touches by several attribution models at once: one row a conversion, model and touch, with its position among the touches, its credit and its share of the value; a conversion without touches has one row with the whole of it and no touch. Arguments are those of channel_credits(); conversion_query may also return conversion_id (bigint). The credits of a conversion add up to 1 exactly and the amounts to its value, but for participation. Rows beyond work_mem are kept on disk. Errors: as channel_credits()';

CREATE FUNCTION lead_mgmt.markov_credits(touch_query text, conversion_query text, "order" integer DEFAULT 1,
		look_back interval DEFAULT NULL, counting text DEFAULT 'touch', collapse boolean DEFAULT false,
		include text[] DEFAULT NULL, exclude text[] DEFAULT NULL, digits integer DEFAULT 2,
		OUT channel text, OUT removal_effect float8, OUT conversions float8, OUT removal_effect_value float8, OUT value numeric)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100;

COMMENT ON FUNCTION lead_mgmt.markov_credits(text, text, integer, interval, text, boolean, text[], text[], integer) IS
	'What each channel contributes by the removal effects of a Markov chain of order 1 to 8, computed as a linear system without simulation: the share of conversions (removal_effect) and of value (removal_effect_value) that would be lost without the channel, and conversions and value divided in proportion, value to minor units. States are windows of so many consecutive channels; a window equal to the one before is no step; journeys without a conversion count as nulls with all their touches (with look_back, those that long before the last). A row with channel NULL has conversions without touches. Arguments are those of channel_credits(). Memory: the windows and steps that occur, about 150 bytes each. Errors: as channel_credits(), data_exception for a chain that cannot be solved, program_limit_exceeded';

CREATE TYPE lead_mgmt.channel_effect AS (
	channel text,
	effect float8,
	conversions float8,
	value_effect float8,
	value float8
);

COMMENT ON TYPE lead_mgmt.channel_effect IS
	'What a channel contributes: effect on conversions and on value, and what of all of them it is credited with';

CREATE TYPE lead_mgmt.position_effect AS (
	channel text,
	"position" integer,
	conversions float8,
	value float8
);

COMMENT ON TYPE lead_mgmt.position_effect IS
	'What a channel contributes as the n-th of the different channels of a path';

CREATE FUNCTION lead_mgmt.paths_add(state internal, path text[], conversions float8, value float8, nulls float8) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.paths_add(internal, text[], float8, float8, float8) IS
	'Transition function of shapley(), shapley_ordered() and shapley_rate()';

CREATE FUNCTION lead_mgmt.paths_add_markov(state internal, path text[], conversions float8, value float8, nulls float8, "order" integer)
	RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.paths_add_markov(internal, text[], float8, float8, float8, integer) IS
	'Transition function of markov()';

CREATE FUNCTION lead_mgmt.paths_combine(a internal, b internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.paths_combine(internal, internal) IS
	'Combine function of the aggregates over paths';

CREATE FUNCTION lead_mgmt.paths_serial(state internal) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.paths_serial(internal) IS
	'Serialisation function of the aggregates over paths';

CREATE FUNCTION lead_mgmt.paths_deserial(state bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION lead_mgmt.paths_deserial(bytea, internal) IS
	'Deserialisation function of the aggregates over paths';

CREATE FUNCTION lead_mgmt.paths_markov(state internal) RETURNS lead_mgmt.channel_effect[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;

COMMENT ON FUNCTION lead_mgmt.paths_markov(internal) IS 'Final function of markov()';

CREATE FUNCTION lead_mgmt.paths_shapley(state internal) RETURNS lead_mgmt.channel_effect[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;

COMMENT ON FUNCTION lead_mgmt.paths_shapley(internal) IS 'Final function of shapley()';

CREATE FUNCTION lead_mgmt.paths_shapley_ordered(state internal) RETURNS lead_mgmt.position_effect[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;

COMMENT ON FUNCTION lead_mgmt.paths_shapley_ordered(internal) IS 'Final function of shapley_ordered()';

CREATE FUNCTION lead_mgmt.paths_shapley_rate(state internal) RETURNS lead_mgmt.channel_effect[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;

COMMENT ON FUNCTION lead_mgmt.paths_shapley_rate(internal) IS 'Final function of shapley_rate()';

CREATE AGGREGATE lead_mgmt.markov(path text[], conversions float8, value float8, nulls float8, "order" integer) (
	SFUNC = lead_mgmt.paths_add_markov, STYPE = internal, SSPACE = 65536, FINALFUNC = lead_mgmt.paths_markov,
	COMBINEFUNC = lead_mgmt.paths_combine, SERIALFUNC = lead_mgmt.paths_serial, DESERIALFUNC = lead_mgmt.paths_deserial,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE lead_mgmt.markov(text[], float8, float8, float8, integer) IS
	'What channels contribute by the removal effects of a Markov chain of an order from 1 to 8, as an array for unnest(), from rows that each hold a path of channels, its conversions, their value together, and how often it led to nothing. As markov_credits(), for paths that are counted already. NULL in a path is left out, NULL numbers are 0. Memory: the different paths. Errors: invalid_parameter_value';

CREATE AGGREGATE lead_mgmt.shapley(path text[], conversions float8, value float8, nulls float8) (
	SFUNC = lead_mgmt.paths_add, STYPE = internal, SSPACE = 65536, FINALFUNC = lead_mgmt.paths_shapley,
	COMBINEFUNC = lead_mgmt.paths_combine, SERIALFUNC = lead_mgmt.paths_serial, DESERIALFUNC = lead_mgmt.paths_deserial,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE lead_mgmt.shapley(text[], float8, float8, float8) IS
	'The Shapley values of channels, as an array for unnest(), from rows as markov() takes them: a coalition of channels wins the conversions of paths that have no other channel. Computed in the closed form of Zhao, Mahboobi and Bagheri (2018), which is exact for any number of channels; effects are NULL. Memory: the different paths. Errors: invalid_parameter_value';

CREATE AGGREGATE lead_mgmt.shapley_ordered(path text[], conversions float8, value float8, nulls float8) (
	SFUNC = lead_mgmt.paths_add, STYPE = internal, SSPACE = 65536, FINALFUNC = lead_mgmt.paths_shapley_ordered,
	COMBINEFUNC = lead_mgmt.paths_combine, SERIALFUNC = lead_mgmt.paths_serial, DESERIALFUNC = lead_mgmt.paths_deserial,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE lead_mgmt.shapley_ordered(text[], float8, float8, float8) IS
	'The Shapley values of channels by position, as an array for unnest(): what a channel has as the n-th of the different channels of a path, in order of their first touches (Zhao, Mahboobi and Bagheri 2018, ordered). The positions of a channel add up to its value in shapley(). Memory: the different paths. Errors: invalid_parameter_value';

CREATE AGGREGATE lead_mgmt.shapley_rate(path text[], conversions float8, value float8, nulls float8) (
	SFUNC = lead_mgmt.paths_add, STYPE = internal, SSPACE = 65536, FINALFUNC = lead_mgmt.paths_shapley_rate,
	COMBINEFUNC = lead_mgmt.paths_combine, SERIALFUNC = lead_mgmt.paths_serial, DESERIALFUNC = lead_mgmt.paths_deserial,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE lead_mgmt.shapley_rate(text[], float8, float8, float8) IS
	'The Shapley values of channels, as an array for unnest(), where the worth of a coalition is the conversion rate of the paths that have no other channel (for value: value a path). effect and value_effect are the Shapley values, which add up to the rate of all paths; conversions and value are divided in proportion. Played out over all coalitions, for 20 channels at most. Memory: the different paths, and 25 MB for 20 channels. Errors: program_limit_exceeded, invalid_parameter_value';

CREATE FUNCTION lead_mgmt.reopen_attribution() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION lead_mgmt.reopen_attribution() IS
	'Trigger function: opens the conversions again whose kept credits a change concerns. For statements on definitions and on interaction emptied by TRUNCATE, which concern all; for rows of opportunity and lead, with the argument key column. Interactions themselves are seen to by count_interactions() and recount_interactions().';
