-- Merging and undoing it.

CREATE OR REPLACE FUNCTION @workspace@.merge_contacts(winner bigint, losers bigint[], reason text DEFAULT NULL) RETURNS bigint
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	BEGIN
		RETURN lead_mgmt.merge_rows('@workspace@.contact'::pg_catalog.regclass, merge_contacts.winner,
			merge_contacts.losers, merge_contacts.reason);
	END
	$$;

COMMENT ON FUNCTION @workspace@.merge_contacts(bigint, bigint[], text) IS
	'Merge contacts that are the same person into the winner, for a reason if one is given, and return the key of the merge. Fields are settled by merge_policy; whatever refers to the losers, tables of the user''s own included, refers to the winner afterwards, what identifies them identifies it, and its open leads are scored again. Open leads of the same context are merged too, as parts of this merge. All of it or nothing. The caller needs UPDATE on contact and on tables outside the workspace that refer to it; the rest is done with the rights of the workspace''s owner. Errors: no_data_found, object_not_in_prerequisite_state when an id was merged away already, invalid_parameter_value when there is nothing to merge, or something twice or with itself, insufficient_privilege.';

CREATE OR REPLACE FUNCTION @workspace@.merge_accounts(winner bigint, losers bigint[], reason text DEFAULT NULL) RETURNS bigint
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	BEGIN
		RETURN lead_mgmt.merge_rows('@workspace@.account'::pg_catalog.regclass, merge_accounts.winner,
			merge_accounts.losers, merge_accounts.reason);
	END
	$$;

COMMENT ON FUNCTION @workspace@.merge_accounts(bigint, bigint[], text) IS
	'Merge accounts that are the same company into the winner, as merge_contacts() does for persons; contacts, leads and opportunities of the losers become the winner''s. An individual customer takes over no account with another contact. Errors: those of merge_contacts(), check_violation.';

CREATE OR REPLACE FUNCTION @workspace@.merge_leads(winner bigint, losers bigint[], reason text DEFAULT NULL) RETURNS bigint
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	BEGIN
		RETURN lead_mgmt.merge_rows('@workspace@.lead'::pg_catalog.regclass, merge_leads.winner,
			merge_leads.losers, merge_leads.reason);
	END
	$$;

COMMENT ON FUNCTION @workspace@.merge_leads(bigint, bigint[], text) IS
	'Merge leads that are the same interest into the winner, as merge_contacts() does for persons. The winner stays in its stage; interactions, assignments, opportunities and the history of stages become its own, and it is scored from all its interactions. Errors: those of merge_contacts(), object_not_in_prerequisite_state too when the leads are of different contacts.';

CREATE OR REPLACE FUNCTION @workspace@.unmerge(merge_id bigint)
	RETURNS TABLE (table_name text, row_id text, column_name text, value_before jsonb, value_now jsonb, reason text)
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
	BEGIN
		RETURN QUERY SELECT c.table_name, c.row_id, c.column_name, c.value_before, c.value_now, c.reason
			FROM pg_catalog.jsonb_to_recordset(lead_mgmt.unmerge_rows('@workspace@.merge'::pg_catalog.regclass, unmerge.merge_id))
				AS c (table_name text, row_id text, column_name text, value_before jsonb, value_now jsonb, reason text);
	END
	$$;

COMMENT ON FUNCTION @workspace@.unmerge(bigint) IS
	'Undo a merge: every row is again as it was, but for what was changed since, which stays and is returned. One row a value left as it is: table, key of the row, column (NULL: the whole row), the value before the merge, the value now, and why it was left. No rows: all is as before. Rows that came to the survivor since stay with it. Merges can be undone in any order, unless a later one builds on this one, which is then named. All of it or nothing. Errors: no_data_found, object_not_in_prerequisite_state when it was undone already, is part of another merge, a later merge builds on it, or something is gone that a row cannot do without.';

CREATE OR REPLACE FUNCTION @workspace@.contact_of(contact_id bigint) RETURNS bigint
	LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
		SELECT COALESCE(
			(SELECT c.contact_id FROM @workspace@.contact c WHERE c.contact_id = $1),
			(SELECT c.contact_id FROM @workspace@.entity_redirect r JOIN @workspace@.contact c ON c.contact_id = r.survivor_id
			 WHERE r.entity = 'contact' AND r.old_id = $1))
		WHERE lead_mgmt.report_guard('@workspace@.contact_of(bigint)'::pg_catalog.regprocedure)
	$$;

COMMENT ON FUNCTION @workspace@.contact_of(bigint) IS
	'The contact that an id leads to: itself, or the survivor it was merged into; NULL when there is none.';

CREATE OR REPLACE FUNCTION @workspace@.account_of(account_id bigint) RETURNS bigint
	LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
		SELECT COALESCE(
			(SELECT a.account_id FROM @workspace@.account a WHERE a.account_id = $1),
			(SELECT a.account_id FROM @workspace@.entity_redirect r JOIN @workspace@.account a ON a.account_id = r.survivor_id
			 WHERE r.entity = 'account' AND r.old_id = $1))
		WHERE lead_mgmt.report_guard('@workspace@.account_of(bigint)'::pg_catalog.regprocedure)
	$$;

COMMENT ON FUNCTION @workspace@.account_of(bigint) IS
	'The account that an id leads to: itself, or the survivor it was merged into; NULL when there is none.';

CREATE OR REPLACE FUNCTION @workspace@.lead_of(lead_id bigint) RETURNS bigint
	LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
		SELECT COALESCE(
			(SELECT l.lead_id FROM @workspace@.lead l WHERE l.lead_id = $1),
			(SELECT l.lead_id FROM @workspace@.entity_redirect r JOIN @workspace@.lead l ON l.lead_id = r.survivor_id
			 WHERE r.entity = 'lead' AND r.old_id = $1))
		WHERE lead_mgmt.report_guard('@workspace@.lead_of(bigint)'::pg_catalog.regprocedure)
	$$;

COMMENT ON FUNCTION @workspace@.lead_of(bigint) IS
	'The lead that an id leads to: itself, or the survivor it was merged into; NULL when there is none.';

CREATE OR REPLACE VIEW @workspace@.merged_record WITH (security_invoker = true) AS
SELECT
	m.merge_id,
	m.entity,
	o.id AS old_id,
	m.winner_id,
	CASE WHEN m.undone_at IS NULL THEN r.survivor_id END AS survivor_id,
	m.part_of,
	m.reason,
	m.merged_at,
	m.merged_by::text AS merged_by,
	m.undone_at,
	m.undone_by::text AS undone_by,
	m.undone_at IS NULL AS is_standing
FROM @workspace@.merge m
CROSS JOIN LATERAL pg_catalog.unnest(m.loser_ids) o (id)
LEFT JOIN @workspace@.entity_redirect r ON r.entity = m.entity AND r.old_id = o.id AND r.merge_id = m.merge_id;

COMMENT ON VIEW @workspace@.merged_record IS
	'Which contacts, accounts and leads were merged into which, when, by whom and why. One row a record merged away; those of merges that were undone are listed too.';
COMMENT ON COLUMN @workspace@.merged_record.merge_id IS 'Key of the merge, for unmerge()';
COMMENT ON COLUMN @workspace@.merged_record.entity IS 'contact, account or lead';
COMMENT ON COLUMN @workspace@.merged_record.old_id IS 'Key of the record that was merged away';
COMMENT ON COLUMN @workspace@.merged_record.winner_id IS 'Key of the record it was merged into';
COMMENT ON COLUMN @workspace@.merged_record.survivor_id IS 'Key of the record it is part of now, after further merges of the winner; NULL when the merge was undone';
COMMENT ON COLUMN @workspace@.merged_record.part_of IS 'Merge that brought this one about; NULL for one that was asked for';
COMMENT ON COLUMN @workspace@.merged_record.reason IS 'Reason given; NULL if none was';
COMMENT ON COLUMN @workspace@.merged_record.merged_at IS 'When it was merged';
COMMENT ON COLUMN @workspace@.merged_record.merged_by IS 'Database role that merged it';
COMMENT ON COLUMN @workspace@.merged_record.undone_at IS 'When that was undone; NULL while it stands';
COMMENT ON COLUMN @workspace@.merged_record.undone_by IS 'Database role that undid it; NULL while it stands';
COMMENT ON COLUMN @workspace@.merged_record.is_standing IS 'True until the merge is undone';

CREATE OR REPLACE TRIGGER guard BEFORE INSERT OR UPDATE ON @workspace@.merge_policy
	FOR EACH ROW EXECUTE FUNCTION lead_mgmt.guard_merge_policy();

REVOKE EXECUTE ON FUNCTION
	@workspace@.merge_contacts(bigint, bigint[], text),
	@workspace@.merge_accounts(bigint, bigint[], text),
	@workspace@.merge_leads(bigint, bigint[], text),
	@workspace@.unmerge(bigint),
	@workspace@.contact_of(bigint),
	@workspace@.account_of(bigint),
	@workspace@.lead_of(bigint)
	FROM PUBLIC;
