-- Offers: made in bulk, answered one by one.

CREATE OR REPLACE FUNCTION @workspace@.make_offers(segment lead_mgmt.predicate, channel text, product text DEFAULT NULL,
		subject text DEFAULT NULL, campaign text DEFAULT NULL, requires_consent boolean DEFAULT true)
	RETURNS bigint
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		offered bigint;
		part_of bigint;
		made bigint;
		problem text := lead_mgmt.predicate_check(segment, '@workspace@.lead_profile'::pg_catalog.regclass);
	BEGIN
		IF problem IS NOT NULL THEN
			RAISE EXCEPTION 'the segment cannot be used: %', pg_catalog.split_part(problem, E'\n', 1) USING ERRCODE = 'invalid_parameter_value';
		ELSIF segment IS NULL THEN
			RAISE EXCEPTION 'offers need a segment' USING ERRCODE = 'invalid_parameter_value', HINT = 'Pass true for all open leads.';
		ELSIF make_offers.channel IS NULL
				OR make_offers.channel NOT IN ('email', 'phone', 'seminar', 'face_to_face', 'post', 'social_network') THEN
			RAISE EXCEPTION 'offers are not made over "%"', make_offers.channel USING ERRCODE = 'invalid_parameter_value',
				HINT = 'Choose email, phone, seminar, face_to_face, post or social_network.';
		END IF;
		SELECT p.product_id INTO offered FROM @workspace@.product p WHERE p.product = make_offers.product AND p.is_active;
		IF make_offers.product IS NOT NULL AND NOT FOUND THEN
			RAISE EXCEPTION 'there is no product "%" for sale', make_offers.product USING ERRCODE = 'no_data_found';
		END IF;
		SELECT c.campaign_id INTO part_of FROM @workspace@.campaign c WHERE c.campaign = make_offers.campaign;
		IF make_offers.campaign IS NOT NULL AND NOT FOUND THEN
			RAISE EXCEPTION 'there is no campaign "%"', make_offers.campaign USING ERRCODE = 'no_data_found';
		END IF;
		WITH made AS (
			INSERT INTO @workspace@.offer (contact_id, lead_id, campaign_id, product_id, channel, subject)
				SELECT DISTINCT ON (l.contact_id) l.contact_id, l.lead_id, COALESCE(part_of, l.campaign_id), offered,
					make_offers.channel, make_offers.subject
				FROM @workspace@.lead_profile p
				JOIN @workspace@.lead l ON l.lead_id = p.lead_id
				WHERE l.status = 'open' AND l.contact_id IS NOT NULL AND lead_mgmt.satisfies_or_null(p, segment)
					AND (NOT requires_consent OR make_offers.channel NOT IN ('email', 'phone', 'post')
						OR EXISTS (SELECT FROM @workspace@.consent n WHERE n.contact_id = l.contact_id
							AND n.channel = make_offers.channel AND n.withdrawn_at IS NULL))
					AND NOT EXISTS (SELECT FROM @workspace@.offer o WHERE o.contact_id = l.contact_id AND o.result = 'open'
						AND o.product_id IS NOT DISTINCT FROM offered)
				ORDER BY l.contact_id, l.lead_id DESC
				ON CONFLICT DO NOTHING
				RETURNING offer.contact_id, offer.lead_id, offer.campaign_id),
		logged AS (
			INSERT INTO @workspace@.interaction (lead_id, contact_id, campaign_id, kind, direction, product, note)
				SELECT m.lead_id, m.contact_id, m.campaign_id, 'offer_sent', 'outbound', make_offers.product, make_offers.subject
				FROM made m)
		SELECT pg_catalog.count(*) INTO made FROM made;
		RETURN made;
	END
	$$;

COMMENT ON FUNCTION @workspace@.make_offers(lead_mgmt.predicate, text, text, text, text, boolean) IS
	'Make an offer to each contact with an open lead in a segment, a condition over lead_profile, and return to how many: over a channel (email, phone, seminar, face_to_face, post or social_network), of a product if one is named, with a subject, as part of a campaign (NULL: that of the lead). Who has an open offer of the product is left out, and over email, phone and post who has not consented to be addressed so, unless consent is not required. Each is in the activity log as offer_sent. Nothing is sent: select the new offers, or take events. Errors: invalid_parameter_value for a segment or channel that cannot be used, no_data_found for an unknown product or campaign.';

CREATE OR REPLACE FUNCTION @workspace@.answer_offer(offer_id bigint, result text, note text DEFAULT NULL, opportunity_id bigint DEFAULT NULL)
	RETURNS @workspace@.offer
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		answered @workspace@.offer;
		made bigint := opportunity_id;
	BEGIN
		SELECT o.* INTO answered FROM @workspace@.offer o WHERE o.offer_id = answer_offer.offer_id FOR NO KEY UPDATE;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'there is no offer %', answer_offer.offer_id USING ERRCODE = 'no_data_found';
		ELSIF answered.result <> 'open' THEN
			RAISE EXCEPTION 'offer % was answered already: %', answer_offer.offer_id, answered.result
				USING ERRCODE = 'object_not_in_prerequisite_state';
		ELSIF answer_offer.result IS NULL OR answer_offer.result NOT IN ('accepted', 'declined', 'no_answer') THEN
			RAISE EXCEPTION '"%" is no answer to an offer', answer_offer.result
				USING ERRCODE = 'invalid_parameter_value', HINT = 'Choose accepted, declined or no_answer.';
		ELSIF made IS NOT NULL AND NOT EXISTS (SELECT FROM @workspace@.opportunity p WHERE p.opportunity_id = made) THEN
			RAISE EXCEPTION 'there is no opportunity %', made USING ERRCODE = 'no_data_found';
		END IF;
		IF answer_offer.result = 'accepted' AND made IS NULL THEN
			INSERT INTO @workspace@.opportunity (lead_id, contact_id, account_id, campaign_id, agent_id, name, amount, currency)
				SELECT answered.lead_id, answered.contact_id, COALESCE(l.account_id, c.account_id), answered.campaign_id, l.agent_id,
					COALESCE(answered.subject, p.product, 'Offer ' || answered.offer_id), p.unit_price, COALESCE(p.currency, 'USD')
				FROM @workspace@.contact c
				LEFT JOIN @workspace@.lead l ON l.lead_id = answered.lead_id
				LEFT JOIN @workspace@.product p ON p.product_id = answered.product_id
				WHERE c.contact_id = answered.contact_id
				RETURNING opportunity.opportunity_id INTO made;
		END IF;
		UPDATE @workspace@.offer o SET result = answer_offer.result, answered_at = GREATEST(pg_catalog.now(), o.sent_at),
				note = COALESCE(answer_offer.note, o.note), opportunity_id = made
			WHERE o.offer_id = answer_offer.offer_id RETURNING o.* INTO answered;
		RETURN answered;
	END
	$$;

COMMENT ON FUNCTION @workspace@.answer_offer(bigint, text, text, bigint) IS
	'Note the answer to an offer: accepted, declined or no_answer, with a note, and return it. One that is accepted becomes an opportunity, of its product''s price for a start, or is linked to the one named. Errors: no_data_found, object_not_in_prerequisite_state when it was answered already, invalid_parameter_value for another answer.';

CREATE OR REPLACE VIEW @workspace@.offer_result WITH (security_invoker = true) AS
SELECT
	ca.campaign,
	p.product,
	o.channel,
	pg_catalog.count(*) AS offers,
	pg_catalog.count(*) FILTER (WHERE o.result = 'open') AS open,
	pg_catalog.count(*) FILTER (WHERE o.result = 'accepted') AS accepted,
	pg_catalog.count(*) FILTER (WHERE o.result = 'declined') AS declined,
	pg_catalog.count(*) FILTER (WHERE o.result = 'no_answer') AS no_answer,
	pg_catalog.count(*) FILTER (WHERE v.status = 'won') AS won,
	COALESCE(pg_catalog.sum(v.amount) FILTER (WHERE v.status = 'won'), 0) AS revenue,
	pg_catalog.round(100.0 * pg_catalog.count(*) FILTER (WHERE o.result = 'accepted')
		/ NULLIF(pg_catalog.count(*) FILTER (WHERE o.result <> 'open'), 0), 2) AS acceptance_rate
FROM @workspace@.offer o
LEFT JOIN @workspace@.campaign ca ON ca.campaign_id = o.campaign_id
LEFT JOIN @workspace@.product p ON p.product_id = o.product_id
LEFT JOIN @workspace@.opportunity v ON v.opportunity_id = o.opportunity_id
GROUP BY ca.campaign, p.product, o.channel;

COMMENT ON VIEW @workspace@.offer_result IS 'What came of offers. One row a campaign, product and channel.';
COMMENT ON COLUMN @workspace@.offer_result.campaign IS 'Campaign; NULL for offers outside of any';
COMMENT ON COLUMN @workspace@.offer_result.product IS 'Product; NULL for none in particular';
COMMENT ON COLUMN @workspace@.offer_result.channel IS 'How they were made';
COMMENT ON COLUMN @workspace@.offer_result.offers IS 'Offers made';
COMMENT ON COLUMN @workspace@.offer_result.open IS 'Those without an answer yet';
COMMENT ON COLUMN @workspace@.offer_result.accepted IS 'Those that were accepted';
COMMENT ON COLUMN @workspace@.offer_result.declined IS 'Those that were declined';
COMMENT ON COLUMN @workspace@.offer_result.no_answer IS 'Those that were never answered';
COMMENT ON COLUMN @workspace@.offer_result.won IS 'Opportunities that came of them and were won';
COMMENT ON COLUMN @workspace@.offer_result.revenue IS 'Amounts of these added up';
COMMENT ON COLUMN @workspace@.offer_result.acceptance_rate IS 'Percentage of those answered, or given up, that were accepted; NULL without any';

REVOKE EXECUTE ON FUNCTION
	@workspace@.make_offers(lead_mgmt.predicate, text, text, text, text, boolean),
	@workspace@.answer_offer(bigint, text, text, bigint)
	FROM PUBLIC;
