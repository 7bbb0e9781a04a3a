-- Charts of any numbers, as SVG

CREATE FUNCTION lead_mgmt.funnel_svg(title text, note text, labels text[], numbers float8[]) RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;

COMMENT ON FUNCTION lead_mgmt.funnel_svg(text, text, text[], float8[]) IS
	'A funnel as an SVG picture: a bar for each label with its number, its share of the first and of the one before. Labels are wrapped, and cut short where two lines do not hold them; the whole is their tooltip. Numbers that are NULL or negative are drawn as 0. Errors: array_subscript_error when there are more or fewer numbers than labels, program_limit_exceeded beyond 100, numeric_value_out_of_range for infinity';

CREATE FUNCTION lead_mgmt.shares_svg(title text, note text, rows text[], parts text[], numbers float8[]) RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;

COMMENT ON FUNCTION lead_mgmt.shares_svg(text, text, text[], text[], float8[]) IS
	'Shares as an SVG picture: a bar of 100 percent for each row, made of the parts in their order, from the numbers of the first row, then the second, and so on. The first ten parts have colours of their own, later ones share one. NULL and negative numbers are drawn as 0. Errors: array_subscript_error when the numbers are not rows times parts, program_limit_exceeded beyond 1000 rows or 100 parts, numeric_value_out_of_range for infinity';

CREATE FUNCTION lead_mgmt.heat_map_svg(title text, note text, rows text[], row_notes text[], columns text[], percentages float8[]) RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;

COMMENT ON FUNCTION lead_mgmt.heat_map_svg(text, text, text[], text[], text[], float8[]) IS
	'A heat map as an SVG picture: a cell for each row and column, the darker the higher its percentage, from those of the first row, then the second, and so on. A note stands beside each row. NULL has no cell. Errors: array_subscript_error when the percentages are not rows times columns, program_limit_exceeded beyond 1000 rows or 100 columns, numeric_value_out_of_range for infinity';
