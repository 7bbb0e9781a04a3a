-- Account-based models count what all contacts of an account do, whichever way
-- these come to the account or leave it.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
\set SHOW_CONTEXT never
SELECT lead_mgmt.create_workspace('team');
UPDATE team.scoring_model SET account_based = true;
-- the engagement of each lead, and whether it is what a count from the start gives
CREATE FUNCTION pg_temp.engagements() RETURNS TABLE (lead_id bigint, engagement double precision, is_right boolean) LANGUAGE plpgsql AS $$
BEGIN
	CREATE TEMP TABLE live AS SELECT s.lead_id, s.engagement FROM team.lead_score s;
	PERFORM team.rescore('default');
	RETURN QUERY SELECT l.lead_id, l.engagement, l.engagement = s.engagement FROM live l JOIN team.lead_score s USING (lead_id) ORDER BY 1;
	DROP TABLE live;
END $$;

SELECT contact_id FROM team.capture('default', '{"email": "a@acme.example", "page": "x"}');
-- somebody known by phone alone turns out to be of the account
SELECT contact_id FROM team.capture('default', '{"phone": "+4930901820", "page": "x"}');
SELECT contact_id FROM team.capture('default', '{"phone": "+4930901820", "email": "b@acme.example", "page": "y"}');
SELECT * FROM pg_temp.engagements();
-- and to be somebody who was known
SELECT contact_id FROM team.capture('default', '{"phone": "+4930901821", "page": "x"}');
SELECT contact_id FROM team.capture('default', '{"email": "a@acme.example", "phone": "+4930901821", "page": "y"}');
SELECT * FROM pg_temp.engagements();
-- merged by hand, and parted
SELECT contact_id FROM team.capture('default', '{"phone": "+4930901822", "page": "x"}');
SELECT team.merge_contacts(2, '{4}') AS merge_id \gset
SELECT * FROM pg_temp.engagements();
SELECT * FROM team.unmerge(:merge_id);
SELECT * FROM pg_temp.engagements();
-- put into the account by a client, and out of it
UPDATE team.contact SET account_id = 1 WHERE contact_id = 4;
SELECT * FROM pg_temp.engagements();
UPDATE team.contact SET account_id = NULL WHERE contact_id = 4;
SELECT * FROM pg_temp.engagements();
-- two accounts that are one, and two again
SELECT contact_id FROM team.capture('default', '{"email": "c@beta.example", "page": "x"}');
SELECT team.merge_accounts(1, '{2}') AS merge_id \gset
SELECT * FROM pg_temp.engagements();
SELECT * FROM team.unmerge(:merge_id);
SELECT * FROM pg_temp.engagements();
-- gone with all that she did
DELETE FROM team.contact WHERE contact_id = 2;
SELECT * FROM pg_temp.engagements();

SET client_min_messages = warning;
SELECT lead_mgmt.drop_workspace('team', 'team');
