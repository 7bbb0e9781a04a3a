-- Offers: to a segment at once, answered one by one.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
\set SHOW_CONTEXT never
SELECT lead_mgmt.create_workspace('offers');
INSERT INTO offers.product (product, unit_price, currency) VALUES ('course', 250, 'EUR'), ('gone', 1, 'EUR');
UPDATE offers.product SET is_active = false WHERE product = 'gone';
INSERT INTO offers.campaign (campaign) VALUES ('autumn');
INSERT INTO offers.submission (payload) VALUES
	('{"email": "ann@one.example", "country": "VN", "consent_email": true, "page": "a"}'), ('{"email": "ann@one.example", "page": "b"}'),
	('{"email": "bob@two.example", "country": "VN", "consent_email": true}'), ('{"email": "cat@three.example", "country": "VN"}'), ('{"email": "dan@four.example", "country": "DE", "consent_email": true}');
-- to whom: once a contact, who consented, and has no open offer of it (M-16)
SELECT offers.make_offers($$country = 'VN'$$, 'email', 'course', 'Autumn course', 'autumn') AS made;
SELECT c.email, o.channel, o.subject, ca.campaign, o.result FROM offers.offer o JOIN offers.contact c USING (contact_id) JOIN offers.campaign ca USING (campaign_id) ORDER BY 1;
SELECT kind, direction, product, note FROM offers.interaction WHERE kind = 'offer_sent';
SELECT offers.make_offers($$country = 'VN'$$, 'email', 'course') AS made_again;
SELECT offers.make_offers($$country = 'VN'$$, 'seminar', 'course') AS needs_no_consent;
SELECT offers.make_offers('true', 'phone', requires_consent => false) AS by_phone;
-- the six channels (M-17)
SELECT offers.make_offers($$country = 'DE'$$, c, 'course', requires_consent => false) AS made FROM unnest('{post,face_to_face,social_network}'::text[]) c;
\set VERBOSITY terse
SELECT offers.make_offers('true', 'pigeon', 'course');
SELECT offers.make_offers('nothing = 1', 'email');
SELECT offers.make_offers('true', 'email', 'gone');
SELECT offers.make_offers('true', 'email', 'course', campaign => 'winter');
-- an accepted one makes an opportunity, or joins one (M-18)
SELECT result, note, opportunity_id FROM offers.answer_offer(1, 'accepted', 'signs up');
SELECT name, stage, amount, currency, contact_id FROM offers.opportunity;
SELECT result, opportunity_id FROM offers.answer_offer(2, 'accepted', opportunity_id => 1);
SELECT result, opportunity_id FROM offers.answer_offer(3, 'declined');
SELECT offers.answer_offer(3, 'accepted');
SELECT offers.answer_offer(4, 'perhaps');
SELECT offers.answer_offer(4, 'accepted', opportunity_id => 99);
SELECT offers.answer_offer(0, 'accepted');
SELECT campaign, product, channel, offers, open, accepted, declined, acceptance_rate FROM offers.offer_result ORDER BY 1, 2, 3;
-- they follow the contact
SELECT offers.merge_contacts(1, ARRAY[2]::bigint[]) > 0 AS merged;
SELECT count(*) AS of_ann FROM offers.offer WHERE contact_id = 1;
SET client_min_messages = warning;
SELECT lead_mgmt.drop_workspace('offers', 'offers');
