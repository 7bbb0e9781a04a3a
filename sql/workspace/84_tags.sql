-- Tags on records, and records by their tags.

CREATE OR REPLACE VIEW @workspace@.tag_usage WITH (security_invoker = true) AS
SELECT
	t.tag,
	t.kind,
	t.color,
	t.description,
	(SELECT pg_catalog.count(*) FROM @workspace@.lead l WHERE l.tags OPERATOR(pg_catalog.@>) ARRAY[t.tag]) AS leads,
	(SELECT pg_catalog.count(*) FROM @workspace@.contact c WHERE c.tags OPERATOR(pg_catalog.@>) ARRAY[t.tag]) AS contacts,
	(SELECT pg_catalog.count(*) FROM @workspace@.account a WHERE a.tags OPERATOR(pg_catalog.@>) ARRAY[t.tag]) AS accounts,
	(SELECT pg_catalog.count(*) FROM @workspace@.opportunity o WHERE o.tags OPERATOR(pg_catalog.@>) ARRAY[t.tag]) AS opportunities
FROM @workspace@.tag t;

COMMENT ON VIEW @workspace@.tag_usage IS 'How many records carry each tag. One row a tag.';
COMMENT ON COLUMN @workspace@.tag_usage.tag IS 'The tag itself';
COMMENT ON COLUMN @workspace@.tag_usage.kind IS 'What it tells: interest, priority, status or other';
COMMENT ON COLUMN @workspace@.tag_usage.color IS 'How to show it; NULL if not said';
COMMENT ON COLUMN @workspace@.tag_usage.description IS 'What it stands for';
COMMENT ON COLUMN @workspace@.tag_usage.leads IS 'Leads that carry it';
COMMENT ON COLUMN @workspace@.tag_usage.contacts IS 'Contacts that carry it';
COMMENT ON COLUMN @workspace@.tag_usage.accounts IS 'Accounts that carry it';
COMMENT ON COLUMN @workspace@.tag_usage.opportunities IS 'Opportunities that carry it';

CREATE OR REPLACE FUNCTION @workspace@.set_tags(entity text, ids bigint[], add text[] DEFAULT '{}', remove text[] DEFAULT '{}')
	RETURNS bigint
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	DECLARE
		changed bigint;
	BEGIN
		IF entity NOT IN ('account', 'contact', 'lead', 'opportunity') OR entity IS NULL THEN
			RAISE EXCEPTION 'records of "%" have no tags', entity
				USING ERRCODE = 'invalid_parameter_value', HINT = 'Choose account, contact, lead or opportunity.';
		END IF;
		-- In the UPDATE itself, so that it sees what another session has put on meanwhile
		EXECUTE pg_catalog.format('UPDATE @workspace@.%1$I e
				SET tags = NULLIF(ARRAY(SELECT u.tag FROM pg_catalog.unnest(e.tags || $2) u (tag) WHERE u.tag <> ALL ($3)), ''{}'')
			WHERE e.%2$I = ANY ($1) AND (NOT COALESCE(e.tags, ''{}'') @> $2 OR e.tags && $3)', entity, entity || '_id')
			USING ids, pg_catalog.array_remove(ARRAY(SELECT pg_catalog.unnest(add) EXCEPT SELECT pg_catalog.unnest(remove)), NULL),
				COALESCE(pg_catalog.array_remove(remove, NULL), '{}');
		GET DIAGNOSTICS changed = ROW_COUNT;
		RETURN changed;
	END
	$$;

COMMENT ON FUNCTION @workspace@.set_tags(text, bigint[], text[], text[]) IS
	'Put tags on records of an entity (account, contact, lead or opportunity), take others off, and return how many records that changed. Leads are scored again where rules go by tags. Errors: invalid_parameter_value for another entity, foreign_key_violation for a tag that is not defined, object_not_in_prerequisite_state for a closed record.';

CREATE OR REPLACE FUNCTION @workspace@.leads_with_tags(all_of text[] DEFAULT '{}', any_of text[] DEFAULT '{}', none_of text[] DEFAULT '{}')
	RETURNS SETOF bigint
	LANGUAGE plpgsql STABLE ROWS 1000 SET search_path = pg_catalog, pg_temp
	AS $$
	BEGIN
		-- Conditions that are not asked for are left out, so that the index serves those that are
		RETURN QUERY EXECUTE pg_catalog.concat('SELECT l.lead_id FROM @workspace@.lead l WHERE true',
				CASE WHEN all_of <> '{}' THEN ' AND l.tags @> $1' END,
				CASE WHEN any_of <> '{}' THEN ' AND l.tags && $2' END,
				CASE WHEN none_of <> '{}' THEN ' AND (l.tags && $3) IS NOT TRUE' END,
				' ORDER BY l.lead_id')
			USING all_of, any_of, none_of;
	END
	$$;

COMMENT ON FUNCTION @workspace@.leads_with_tags(text[], text[], text[]) IS
	'Leads that carry all the tags of one list, any of another and none of a third, by their keys. Lists that are empty ask for nothing. An index finds those that must carry some.';

REVOKE EXECUTE ON FUNCTION
	@workspace@.set_tags(text, bigint[], text[], text[]),
	@workspace@.leads_with_tags(text[], text[], text[])
	FROM PUBLIC;

CREATE OR REPLACE TRIGGER tags BEFORE INSERT OR UPDATE OF tags ON @workspace@.account
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.guard_tags();
CREATE OR REPLACE TRIGGER tags BEFORE INSERT OR UPDATE OF tags ON @workspace@.contact
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.guard_tags();
CREATE OR REPLACE TRIGGER tags BEFORE INSERT OR UPDATE OF tags ON @workspace@.lead
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.guard_tags();
CREATE OR REPLACE TRIGGER tags BEFORE INSERT OR UPDATE OF tags ON @workspace@.opportunity
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.guard_tags();
CREATE OR REPLACE TRIGGER follow AFTER UPDATE OF tag OR DELETE ON @workspace@.tag
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.follow_tag();
