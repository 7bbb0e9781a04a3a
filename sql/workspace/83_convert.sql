-- Conversion of leads.

CREATE OR REPLACE FUNCTION @workspace@.conversion_contact(lead_id bigint, new_contact boolean) RETURNS bigint
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		source @workspace@.lead;
		found bigint;
		candidates bigint[];
		made bigint;
	BEGIN
		SELECT l.* INTO source FROM @workspace@.lead l WHERE l.lead_id = conversion_contact.lead_id;
		IF NOT new_contact THEN
			-- By the strategies that the default form uses, and by that which link_lead() does
			SELECT pg_catalog.min(m.contact_id) FILTER (WHERE m.outcome = 'match'),
					pg_catalog.array_agg(DISTINCT m.contact_id ORDER BY m.contact_id)
				INTO found, candidates
				FROM (
					SELECT NULL AS strategy
					UNION ALL
					SELECT s.strategy FROM @workspace@.match_strategy s
					WHERE s.entity = 'contact' AND s.is_default AND s.is_active
						AND EXISTS (SELECT FROM @workspace@.match_rule r WHERE r.strategy = s.strategy)
				) w
				CROSS JOIN LATERAL @workspace@.match_contact(pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
					'full_name', source.contact_name, 'email', source.email, 'phone', source.phone, 'company', source.company_name)),
					w.strategy) m;
			IF found IS NOT NULL THEN
				RETURN found;
			ELSIF candidates IS NOT NULL THEN
				RAISE EXCEPTION 'lead % may be of a contact that is there: %', source.lead_id, pg_catalog.array_to_string(candidates, ', ')
					USING ERRCODE = 'cardinality_violation', HINT = 'Pass contact_id to say which, or new_contact => true for none of them.';
			END IF;
		END IF;
		IF source.contact_name IS NULL AND source.email IS NULL AND source.phone IS NULL THEN
			RETURN NULL;
		END IF;
		-- With an address, link_lead() makes the contact, as it claims the address first
		IF NOT new_contact AND (source.email IS NOT NULL OR source.phone IS NOT NULL) THEN
			RETURN NULL;
		END IF;
		INSERT INTO @workspace@.contact (full_name, email, phone, account_id, first_source, last_source)
			VALUES (source.contact_name, source.email, source.phone, source.account_id, source.source, source.source)
			RETURNING contact.contact_id INTO made;
		RETURN made;
	END
	$$;

COMMENT ON FUNCTION @workspace@.conversion_contact(bigint, boolean) IS
	'For convert_lead(): the contact of a lead that has none, found by match_contact() or made; NULL when link_lead() is to make it, or there is nobody. Error: cardinality_violation when it may be one of several.';

CREATE OR REPLACE FUNCTION @workspace@.conversion_account(lead_id bigint, new_account boolean) RETURNS bigint
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		source @workspace@.lead;
		candidates bigint[];
		made bigint;
	BEGIN
		SELECT l.* INTO source FROM @workspace@.lead l WHERE l.lead_id = conversion_account.lead_id;
		IF source.company_name IS NULL THEN
			RETURN NULL;
		END IF;
		IF NOT new_account THEN
			SELECT pg_catalog.array_agg(DISTINCT i.account_id) INTO candidates
				FROM @workspace@.account_identity i
				WHERE i.kind = 'name' AND i.value = lead_mgmt.organisation_name_key(source.company_name)
					OR i.kind = 'domain' AND i.value = lead_mgmt.email_domain(source.email)
						AND NOT lead_mgmt.email_is_free_provider(source.email);
			IF pg_catalog.cardinality(candidates) > 1 THEN
				RAISE EXCEPTION 'lead % may be of several accounts: %', source.lead_id, pg_catalog.array_to_string(candidates, ', ')
					USING ERRCODE = 'cardinality_violation', HINT = 'Pass account_id to say which, or new_account => true for none of them.';
			END IF;
			RETURN candidates[1];
		END IF;
		INSERT INTO @workspace@.account (name) VALUES (source.company_name) RETURNING account.account_id INTO made;
		RETURN made;
	END
	$$;

COMMENT ON FUNCTION @workspace@.conversion_account(bigint, boolean) IS
	'For convert_lead(): the account of a lead that has none, found by name or e-mail domain, or made if a new one is wanted; NULL when link_lead() is to make it, or no company is named. Error: cardinality_violation when it may be one of several.';

CREATE OR REPLACE FUNCTION @workspace@.conversion_attributes(lead_id bigint, entity text, before jsonb) RETURNS jsonb
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
	AS $$
		SELECT $3 || COALESCE(pg_catalog.jsonb_object_agg(m.field,
			CASE WHEN f.type = 'text' THEN pg_catalog.to_jsonb(l.attributes ->> m.lead_field) ELSE l.attributes -> m.lead_field END), '{}')
		FROM @workspace@.lead l
		JOIN @workspace@.conversion_mapping m ON m.entity = $2
		JOIN @workspace@.field f ON f.entity = m.entity AND f.field = m.field AND f.is_active
		WHERE l.lead_id = $1 AND l.attributes ->> m.lead_field IS NOT NULL
			AND (m.overwrites OR $3 ->> m.field IS NULL)
	$$;

COMMENT ON FUNCTION @workspace@.conversion_attributes(bigint, text, jsonb) IS
	'For convert_lead(): custom attributes with those added that conversion_mapping takes from the lead.';

CREATE OR REPLACE FUNCTION @workspace@.convert_lead(lead_id bigint, name text DEFAULT NULL, amount numeric DEFAULT NULL,
		currency text DEFAULT NULL, INOUT contact_id bigint DEFAULT NULL, INOUT account_id bigint DEFAULT NULL,
		INOUT opportunity_id bigint DEFAULT NULL, expected_close_on date DEFAULT NULL, pipeline text DEFAULT NULL,
		new_contact boolean DEFAULT false, new_account boolean DEFAULT false)
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		source @workspace@.lead;
		taken @workspace@.opportunity;
		title text;
		made bigint;
		final_stage text;
		is_accepted boolean;
	BEGIN
		SELECT l.* INTO source FROM @workspace@.lead l WHERE l.lead_id = convert_lead.lead_id FOR UPDATE;
		IF NOT FOUND THEN
			made := @workspace@.lead_of(convert_lead.lead_id);
			IF made IS NOT NULL THEN
				RAISE EXCEPTION 'lead % was merged into lead %', convert_lead.lead_id, made
					USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Convert the lead it is now.';
			END IF;
			RAISE EXCEPTION 'there is no lead %', convert_lead.lead_id USING ERRCODE = 'no_data_found';
		ELSIF source.status = 'converted' THEN
			SELECT o.opportunity_id INTO made FROM @workspace@.opportunity o WHERE o.lead_id = source.lead_id ORDER BY 1 LIMIT 1;
			RAISE EXCEPTION 'lead % was converted already, to opportunity %', source.lead_id, made
				USING ERRCODE = 'object_not_in_prerequisite_state';
		ELSIF source.status <> 'open' THEN
			RAISE EXCEPTION 'lead % is %', source.lead_id, source.status USING ERRCODE = 'object_not_in_prerequisite_state',
				HINT = 'A closed lead stays as it was until it is reopened; new interest is a new lead.';
		END IF;
		SELECT NOT p.requires_acceptance OR source.qualification = 'sales_accepted',
				(SELECT s.stage FROM @workspace@.stage s WHERE s.pipeline = p.pipeline AND s.kind = 'won' ORDER BY s.sequence LIMIT 1)
			INTO is_accepted, final_stage FROM @workspace@.pipeline p WHERE p.pipeline = source.pipeline;
		IF NOT is_accepted THEN
			RAISE EXCEPTION 'lead % cannot be converted before sales has accepted it', source.lead_id
				USING ERRCODE = 'object_not_in_prerequisite_state',
					HINT = pg_catalog.format('Its qualification is %s, and pipeline "%s" requires acceptance.', source.qualification, source.pipeline);
		ELSIF final_stage IS NULL THEN
			RAISE EXCEPTION 'pipeline "%" has no stage of kind won, where leads are converted', source.pipeline
				USING ERRCODE = 'object_not_in_prerequisite_state';
		END IF;

		-- Who it is: as told, as linked, as matched, or new
		IF contact_id IS NOT NULL AND contact_id IS DISTINCT FROM source.contact_id THEN
			IF source.contact_id IS NOT NULL THEN
				RAISE EXCEPTION 'lead % is linked to contact % already', source.lead_id, source.contact_id
					USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'A lead is linked once.';
			ELSIF NOT EXISTS (SELECT FROM @workspace@.contact c WHERE c.contact_id = convert_lead.contact_id) THEN
				RAISE EXCEPTION 'there is no contact %', contact_id USING ERRCODE = 'no_data_found';
			END IF;
		END IF;
		IF account_id IS NOT NULL AND NOT EXISTS (SELECT FROM @workspace@.account a WHERE a.account_id = convert_lead.account_id) THEN
			RAISE EXCEPTION 'there is no account %', account_id USING ERRCODE = 'no_data_found';
		END IF;
		account_id := COALESCE(account_id, source.account_id,
			(SELECT c.account_id FROM @workspace@.contact c WHERE c.contact_id = COALESCE(convert_lead.contact_id, source.contact_id)),
			@workspace@.conversion_account(source.lead_id, new_account));
		IF account_id IS DISTINCT FROM source.account_id THEN
			UPDATE @workspace@.lead l SET account_id = convert_lead.account_id WHERE l.lead_id = source.lead_id;
		END IF;
		contact_id := COALESCE(contact_id, source.contact_id, @workspace@.conversion_contact(source.lead_id, new_contact));
		IF contact_id IS DISTINCT FROM source.contact_id THEN
			UPDATE @workspace@.lead l SET contact_id = convert_lead.contact_id WHERE l.lead_id = source.lead_id;
		END IF;
		IF contact_id IS NULL OR account_id IS NULL AND source.company_name IS NOT NULL THEN
			PERFORM lead_mgmt.link_lead('@workspace@.lead'::pg_catalog.regclass, source.lead_id);
			SELECT l.contact_id, COALESCE(l.account_id, c.account_id) INTO contact_id, account_id
				FROM @workspace@.lead l LEFT JOIN @workspace@.contact c ON c.contact_id = l.contact_id
				WHERE l.lead_id = source.lead_id;
		END IF;
		UPDATE @workspace@.contact c SET account_id = convert_lead.account_id
			WHERE c.contact_id = convert_lead.contact_id AND c.account_id IS NULL AND convert_lead.account_id IS NOT NULL
				AND NOT EXISTS (SELECT FROM @workspace@.account a WHERE a.account_id = convert_lead.account_id AND a.kind = 'individual');

		-- What is for sale: the opportunity named, or a new one unless it is there
		title := COALESCE(name, source.title, source.product, 'Lead ' || source.lead_id);
		IF opportunity_id IS NOT NULL THEN
			SELECT o.* INTO taken FROM @workspace@.opportunity o WHERE o.opportunity_id = convert_lead.opportunity_id FOR NO KEY UPDATE;
			IF NOT FOUND THEN
				RAISE EXCEPTION 'there is no opportunity %', opportunity_id USING ERRCODE = 'no_data_found';
			ELSIF taken.status <> 'open' THEN
				RAISE EXCEPTION 'opportunity % is %', opportunity_id, taken.status USING ERRCODE = 'object_not_in_prerequisite_state';
			ELSIF taken.lead_id IS NOT NULL THEN
				RAISE EXCEPTION 'opportunity % came from lead % already', opportunity_id, taken.lead_id
					USING ERRCODE = 'object_not_in_prerequisite_state';
			ELSIF taken.contact_id <> contact_id AND taken.account_id IS DISTINCT FROM account_id THEN
				RAISE EXCEPTION 'opportunity % is of contact %, and lead % of contact %', opportunity_id, taken.contact_id, source.lead_id, contact_id
					USING ERRCODE = 'invalid_parameter_value';
			END IF;
			UPDATE @workspace@.opportunity o SET
					lead_id = source.lead_id,
					contact_id = COALESCE(o.contact_id, convert_lead.contact_id),
					account_id = COALESCE(o.account_id, convert_lead.account_id),
					campaign_id = COALESCE(o.campaign_id, source.campaign_id),
					agent_id = COALESCE(o.agent_id, source.agent_id),
					tags = o.tags || source.tags,
					attributes = @workspace@.conversion_attributes(source.lead_id, 'opportunity', o.attributes)
				WHERE o.opportunity_id = convert_lead.opportunity_id;
		ELSE
			SELECT o.opportunity_id INTO made FROM @workspace@.opportunity o
				WHERE o.status = 'open' AND lead_mgmt.fold(o.name) = lead_mgmt.fold(title)
					AND (o.contact_id = convert_lead.contact_id OR o.account_id = convert_lead.account_id)
				ORDER BY 1 LIMIT 1;
			IF FOUND THEN
				RAISE EXCEPTION 'there is an open opportunity "%" of the contact or account of lead %: %', title, source.lead_id, made
					USING ERRCODE = 'unique_violation',
						HINT = pg_catalog.format('Pass opportunity_id => %s to join it, or a name to tell the new one apart.', made);
			END IF;
			INSERT INTO @workspace@.opportunity (lead_id, contact_id, account_id, campaign_id, agent_id, name, pipeline, amount, currency,
					expected_close_on, tags, attributes)
				VALUES (source.lead_id, contact_id, account_id, source.campaign_id, source.agent_id, title, convert_lead.pipeline,
					COALESCE(convert_lead.amount, source.budget), COALESCE(convert_lead.currency, source.currency, 'USD'),
					convert_lead.expected_close_on, source.tags, @workspace@.conversion_attributes(source.lead_id, 'opportunity', '{}'))
				RETURNING opportunity.opportunity_id INTO opportunity_id;
		END IF;

		-- What goes with it
		IF EXISTS (SELECT FROM @workspace@.conversion_mapping m WHERE m.entity IN ('contact', 'account')) THEN
			UPDATE @workspace@.contact c SET attributes = n.attributes
				FROM (SELECT x.contact_id AS id, @workspace@.conversion_attributes(source.lead_id, 'contact', x.attributes) AS attributes
					FROM @workspace@.contact x WHERE x.contact_id = convert_lead.contact_id) n
				WHERE c.contact_id = n.id AND c.attributes <> n.attributes;
			UPDATE @workspace@.account a SET attributes = n.attributes
				FROM (SELECT x.account_id AS id, @workspace@.conversion_attributes(source.lead_id, 'account', x.attributes) AS attributes
					FROM @workspace@.account x WHERE x.account_id = convert_lead.account_id) n
				WHERE a.account_id = n.id AND a.attributes <> n.attributes;
		END IF;
		UPDATE @workspace@.interaction i SET contact_id = convert_lead.contact_id
			WHERE i.lead_id = source.lead_id AND i.contact_id IS NULL AND convert_lead.contact_id IS NOT NULL;
		UPDATE @workspace@.consent n SET contact_id = convert_lead.contact_id, lead_id = NULL
			WHERE n.lead_id = source.lead_id AND convert_lead.contact_id IS NOT NULL
				AND (n.withdrawn_at IS NOT NULL OR NOT EXISTS (SELECT FROM @workspace@.consent o
					WHERE o.contact_id = convert_lead.contact_id AND o.channel = n.channel AND o.withdrawn_at IS NULL));
		UPDATE @workspace@.task t SET opportunity_id = COALESCE(t.opportunity_id, convert_lead.opportunity_id),
				contact_id = COALESCE(t.contact_id, convert_lead.contact_id), account_id = COALESCE(t.account_id, convert_lead.account_id)
			WHERE t.lead_id = source.lead_id AND t.state = 'open';
		UPDATE @workspace@.lead l SET stage = final_stage, stage_reason = pg_catalog.format('opportunity %s', convert_lead.opportunity_id)
			WHERE l.lead_id = source.lead_id;
	END
	$$;

COMMENT ON FUNCTION @workspace@.convert_lead(bigint, text, numeric, text, bigint, bigint, bigint, date, text, boolean, boolean) IS
	'Convert a lead that sales works on: find or make its contact, account and opportunity, carry over what goes with it, close the lead as converted, and return the three ids. All of it or nothing; the lead stays, linked and read-only. A lead without contact is matched as a capture would be; pass contact_id or account_id to say who it is, new_contact or new_account for somebody new, opportunity_id to join an opportunity that is there. Name, amount and currency are those of the lead unless given. Custom attributes follow conversion_mapping, interactions and consent get the contact, open tasks and tags the opportunity. Errors: no_data_found, object_not_in_prerequisite_state when the lead was converted already (the opportunity is named), merged away, disqualified, or not accepted though its pipeline requires it, cardinality_violation when there are several candidates (they are named), unique_violation when the same opportunity is open already, check_violation when the lead is not in a stage that may be followed by conversion.';

REVOKE EXECUTE ON FUNCTION
	@workspace@.conversion_contact(bigint, boolean),
	@workspace@.conversion_account(bigint, boolean),
	@workspace@.conversion_attributes(bigint, text, jsonb),
	@workspace@.convert_lead(bigint, text, numeric, text, bigint, bigint, bigint, date, text, boolean, boolean)
	FROM PUBLIC;
