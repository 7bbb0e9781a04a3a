-- Vendors of leads: what they may deliver, what was bought of them and given back.

CREATE TABLE @workspace@.vendor (
	vendor text PRIMARY KEY CHECK (vendor <> ''),
	label text,
	price numeric(18, 2) NOT NULL DEFAULT 0 CHECK (price >= 0 AND price <> 'NaN'),
	currency text NOT NULL DEFAULT 'USD' CHECK (currency ~ '^[A-Z]{3}$'),
	daily_cap integer CHECK (daily_cap >= 0),
	monthly_cap integer CHECK (monthly_cap >= 0),
	return_period interval CHECK (return_period > interval '0'),
	is_active boolean NOT NULL DEFAULT true,
	created_at timestamptz NOT NULL DEFAULT pg_catalog.now()
);

COMMENT ON TABLE @workspace@.vendor IS
	'Who sells us leads. What comes in by a form of a vendor is bought when it is accepted; beyond a cap it is rejected, and so not bought.';
COMMENT ON COLUMN @workspace@.vendor.vendor IS 'Name that forms refer to';
COMMENT ON COLUMN @workspace@.vendor.label IS 'Wording for people; NULL to show the name';
COMMENT ON COLUMN @workspace@.vendor.price IS 'Price of a lead, in currency; a change counts for what is bought from then on';
COMMENT ON COLUMN @workspace@.vendor.currency IS 'ISO 4217 code of the price';
COMMENT ON COLUMN @workspace@.vendor.daily_cap IS 'Most leads bought in a day, by UTC; NULL for no limit';
COMMENT ON COLUMN @workspace@.vendor.monthly_cap IS 'Most leads bought in a calendar month, by UTC; NULL for no limit';
COMMENT ON COLUMN @workspace@.vendor.return_period IS 'How long after it was bought a lead may be given back; NULL for ever';
COMMENT ON COLUMN @workspace@.vendor.is_active IS 'False rejects what comes in by its forms';
COMMENT ON COLUMN @workspace@.vendor.created_at IS 'When the row was entered';

ALTER TABLE @workspace@.form ADD FOREIGN KEY (vendor) REFERENCES @workspace@.vendor ON UPDATE CASCADE;

CREATE TABLE @workspace@.vendor_purchase (
	submission_id bigint PRIMARY KEY,
	vendor text NOT NULL REFERENCES @workspace@.vendor ON UPDATE CASCADE,
	contact_id bigint,
	lead_id bigint,
	is_known boolean NOT NULL DEFAULT false,
	price numeric(18, 2) NOT NULL,
	currency text NOT NULL,
	purchased_at timestamptz NOT NULL DEFAULT pg_catalog.now()
);

COMMENT ON TABLE @workspace@.vendor_purchase IS
	'Leads that were bought of vendors, one for each accepted submission. Kept when submissions are purged.';
COMMENT ON COLUMN @workspace@.vendor_purchase.submission_id IS 'Submission that was bought';
COMMENT ON COLUMN @workspace@.vendor_purchase.vendor IS 'Vendor it was bought of';
COMMENT ON COLUMN @workspace@.vendor_purchase.contact_id IS 'Contact it led to; NULL if none';
COMMENT ON COLUMN @workspace@.vendor_purchase.lead_id IS 'Lead it led to; NULL if none';
COMMENT ON COLUMN @workspace@.vendor_purchase.is_known IS 'True when the contact was known before: a lead that we paid for and had';
COMMENT ON COLUMN @workspace@.vendor_purchase.price IS 'What it cost, in currency';
COMMENT ON COLUMN @workspace@.vendor_purchase.currency IS 'ISO 4217 code of the price';
COMMENT ON COLUMN @workspace@.vendor_purchase.purchased_at IS 'When it was accepted';

CREATE INDEX vendor_purchase_vendor_idx ON @workspace@.vendor_purchase (vendor, purchased_at);

CREATE TABLE @workspace@.vendor_return (
	submission_id bigint PRIMARY KEY REFERENCES @workspace@.vendor_purchase ON DELETE CASCADE,
	reason text NOT NULL CHECK (reason <> ''),
	amount numeric(18, 2) NOT NULL CHECK (amount >= 0 AND amount <> 'NaN'),
	status text NOT NULL DEFAULT 'requested' CHECK (status IN ('requested', 'accepted', 'refused')),
	requested_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	requested_by name NOT NULL DEFAULT current_user,
	decided_at timestamptz,
	CHECK ((status = 'requested') = (decided_at IS NULL))
);

COMMENT ON TABLE @workspace@.vendor_return IS
	'Leads given back to vendors, and what they refund. return_lead() asks for one, settle_return() notes the answer.';
COMMENT ON COLUMN @workspace@.vendor_return.submission_id IS 'Purchase that is given back';
COMMENT ON COLUMN @workspace@.vendor_return.reason IS 'Why, such as invalid_phone';
COMMENT ON COLUMN @workspace@.vendor_return.amount IS 'Money to be refunded, in the currency of the purchase';
COMMENT ON COLUMN @workspace@.vendor_return.status IS 'requested, accepted (refunded) or refused';
COMMENT ON COLUMN @workspace@.vendor_return.requested_at IS 'When it was asked for';
COMMENT ON COLUMN @workspace@.vendor_return.requested_by IS 'Database role that asked';
COMMENT ON COLUMN @workspace@.vendor_return.decided_at IS 'When the vendor answered; NULL until then';

CREATE TABLE @workspace@.vendor_day (
	vendor text NOT NULL REFERENCES @workspace@.vendor ON UPDATE CASCADE ON DELETE CASCADE,
	day date NOT NULL,
	purchased integer NOT NULL,
	PRIMARY KEY (vendor, day)
);

COMMENT ON TABLE @workspace@.vendor_day IS
	'How many leads a vendor with a cap sold on a day: the counter on which captures at the same instant wait for each other.';
COMMENT ON COLUMN @workspace@.vendor_day.vendor IS 'Vendor';
COMMENT ON COLUMN @workspace@.vendor_day.day IS 'Day by UTC';
COMMENT ON COLUMN @workspace@.vendor_day.purchased IS 'Leads bought on it';

CREATE TABLE @workspace@.vendor_purged (
	vendor text PRIMARY KEY REFERENCES @workspace@.vendor ON UPDATE CASCADE ON DELETE CASCADE,
	accepted bigint NOT NULL DEFAULT 0,
	duplicates bigint NOT NULL DEFAULT 0
);

COMMENT ON TABLE @workspace@.vendor_purged IS
	'Submissions of vendors that purge_submissions() deleted, so that rates stay what they were.';
COMMENT ON COLUMN @workspace@.vendor_purged.vendor IS 'Vendor';
COMMENT ON COLUMN @workspace@.vendor_purged.accepted IS 'Accepted submissions deleted';
COMMENT ON COLUMN @workspace@.vendor_purged.duplicates IS 'Duplicates deleted';
