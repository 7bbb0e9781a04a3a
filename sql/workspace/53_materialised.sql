-- What attribution has worked out and kept, and what reports said day by day.

CREATE TABLE @workspace@.attributed_conversion (
	opportunity_id bigint PRIMARY KEY REFERENCES @workspace@.opportunity ON DELETE CASCADE,
	contact_id bigint,
	converted_at timestamptz NOT NULL,
	is_open boolean NOT NULL DEFAULT true,
	horizon xid8,
	attributed_at timestamptz
);

COMMENT ON TABLE @workspace@.attributed_conversion IS
	'The won opportunities whose credits are kept in attributed_touch, or soon will be. Kept by refresh_attribution(); what changes the touches of one opens it again.';
COMMENT ON COLUMN @workspace@.attributed_conversion.opportunity_id IS 'Key of the opportunity';
COMMENT ON COLUMN @workspace@.attributed_conversion.contact_id IS 'Whose touches it is credited to; NULL for nobody''s';
COMMENT ON COLUMN @workspace@.attributed_conversion.converted_at IS 'When it was won';
COMMENT ON COLUMN @workspace@.attributed_conversion.is_open IS 'True while its credits have to be worked out, so that what is kept does not count';
COMMENT ON COLUMN @workspace@.attributed_conversion.horizon IS 'Transactions older than this one may have written touches without knowing that it is here; NULL until that is known';
COMMENT ON COLUMN @workspace@.attributed_conversion.attributed_at IS 'When its credits were last worked out; NULL if they never were';

CREATE INDEX attributed_conversion_contact_id_idx ON @workspace@.attributed_conversion (contact_id);
CREATE INDEX attributed_conversion_converted_at_idx ON @workspace@.attributed_conversion (converted_at);
CREATE INDEX attributed_conversion_open_idx ON @workspace@.attributed_conversion (opportunity_id) WHERE is_open;

CREATE TABLE @workspace@.attributed_touch (
	opportunity_id bigint NOT NULL REFERENCES @workspace@.attributed_conversion ON DELETE CASCADE,
	model text NOT NULL,
	"position" bigint NOT NULL,
	touches bigint NOT NULL,
	interaction_id bigint,
	credit numeric NOT NULL,
	amount numeric NOT NULL,
	PRIMARY KEY (opportunity_id, model, "position")
);

COMMENT ON TABLE @workspace@.attributed_touch IS
	'Credits of touches that were worked out and are kept. Read them through the view attribution.';
COMMENT ON COLUMN @workspace@.attributed_touch.opportunity_id IS 'Key of the opportunity';
COMMENT ON COLUMN @workspace@.attributed_touch.model IS 'Attribution model';
COMMENT ON COLUMN @workspace@.attributed_touch."position" IS 'Place of the touch in time, from 1; 0 where there is none';
COMMENT ON COLUMN @workspace@.attributed_touch.touches IS 'Touches the opportunity has in all';
COMMENT ON COLUMN @workspace@.attributed_touch.interaction_id IS 'Key of the interaction; NULL where there is none';
COMMENT ON COLUMN @workspace@.attributed_touch.credit IS 'Share of the conversion, from 0 to 1';
COMMENT ON COLUMN @workspace@.attributed_touch.amount IS 'Share of the amount, in whole minor units of the currency';

CREATE TABLE @workspace@.snapshot_report (
	report text PRIMARY KEY CHECK (report <> ''),
	is_active boolean NOT NULL DEFAULT true
);

COMMENT ON TABLE @workspace@.snapshot_report IS
	'The views of the workspace that snapshot() keeps. Add rows for others, views of your own included.';
COMMENT ON COLUMN @workspace@.snapshot_report.report IS 'Key: name of the view';
COMMENT ON COLUMN @workspace@.snapshot_report.is_active IS 'False to leave it out';

CREATE TABLE @workspace@.snapshot (
	day date PRIMARY KEY,
	taken_at timestamptz NOT NULL
);

COMMENT ON TABLE @workspace@.snapshot IS
	'The days of which reports are kept, one snapshot a day.';
COMMENT ON COLUMN @workspace@.snapshot.day IS 'Key: day, in UTC';
COMMENT ON COLUMN @workspace@.snapshot.taken_at IS 'When the snapshot was taken';

CREATE TABLE @workspace@.snapshot_row (
	day date NOT NULL REFERENCES @workspace@.snapshot ON DELETE CASCADE,
	report text NOT NULL,
	row_number integer NOT NULL,
	data jsonb NOT NULL,
	PRIMARY KEY (day, report, row_number)
);

COMMENT ON TABLE @workspace@.snapshot_row IS
	'The rows that the reports had when the snapshot of a day was taken. For the reports of a new workspace there are views on them, such as funnel_history; for others, jsonb_populate_record(NULL::report, data).';
COMMENT ON COLUMN @workspace@.snapshot_row.day IS 'Day of the snapshot';
COMMENT ON COLUMN @workspace@.snapshot_row.report IS 'View that the row is of';
COMMENT ON COLUMN @workspace@.snapshot_row.row_number IS 'Place of the row in the view then, from 1';
COMMENT ON COLUMN @workspace@.snapshot_row.data IS 'The row, an object by column';
