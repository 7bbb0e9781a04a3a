-- Attribution models, and rates between currencies.

CREATE TABLE @workspace@.attribution_model (
	model text PRIMARY KEY CHECK (model <> ''),
	label text NOT NULL,
	definition jsonb NOT NULL,
	created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	CONSTRAINT attribution_model_definition CHECK (
		CASE WHEN pg_catalog.jsonb_typeof(definition) = 'object'
			THEN lead_mgmt.attribution_model_check((definition || pg_catalog.jsonb_build_object('name', model))::text)
			ELSE false END)
);

COMMENT ON TABLE @workspace@.attribution_model IS
	'How conversions are credited to the touches before them. Add rows for weights of your own; delete those that you do not want to see.';
COMMENT ON COLUMN @workspace@.attribution_model.model IS 'Key: name of the model';
COMMENT ON COLUMN @workspace@.attribution_model.label IS 'The model in words';
COMMENT ON COLUMN @workspace@.attribution_model.definition IS
	'An object: kind (position by default, last_non_direct, time_decay, participation, shapley, channels, markov); for position first and last (a weight, or a list of weights of the first or last touches), lead and opportunity (of the touches at which these were created) and other (shared by the rest), adding up to 1; half_life; channels (weights by channel); order. See lead_mgmt.attribution_model_check()';
COMMENT ON COLUMN @workspace@.attribution_model.created_at IS 'When it was added';

CREATE TABLE @workspace@.exchange_rate (
	from_currency text NOT NULL CHECK (from_currency ~ '^[A-Z]{3}$'),
	to_currency text NOT NULL CHECK (to_currency ~ '^[A-Z]{3}$'),
	valid_from date NOT NULL,
	rate numeric NOT NULL CHECK (rate > 0 AND rate NOT IN ('NaN', 'Infinity')),
	PRIMARY KEY (from_currency, to_currency, valid_from),
	CHECK (from_currency <> to_currency)
);

COMMENT ON TABLE @workspace@.exchange_rate IS
	'What a unit of one currency is worth in another, from a day on until the next row.';
COMMENT ON COLUMN @workspace@.exchange_rate.from_currency IS 'Currency that is converted, by its ISO 4217 code';
COMMENT ON COLUMN @workspace@.exchange_rate.to_currency IS 'Currency that it is converted to';
COMMENT ON COLUMN @workspace@.exchange_rate.valid_from IS 'First day of the rate';
COMMENT ON COLUMN @workspace@.exchange_rate.rate IS 'What one unit of from_currency is worth in to_currency';
