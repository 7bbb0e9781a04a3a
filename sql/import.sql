-- Import

CREATE PROCEDURE lead_mgmt.import_relation(import_table regclass, source regclass, form text, mapping jsonb, date_order text,
		decimal_mark text, dry_run boolean, atomic boolean, batch_rows integer, INOUT import_id bigint, INOUT rows_read bigint,
		INOUT created bigint, INOUT updated bigint, INOUT duplicates bigint, INOUT reviews bigint, INOUT rejected bigint)
	AS 'MODULE_PATHNAME' LANGUAGE C;

COMMENT ON PROCEDURE lead_mgmt.import_relation(regclass, regclass, text, jsonb, text, text, boolean, boolean, integer, bigint,
		bigint, bigint, bigint, bigint, bigint, bigint) IS
	'The code behind the procedure import() of a workspace, whose table import is named. Commits each batch, and so can have no search_path of its own: it sets one itself.';
