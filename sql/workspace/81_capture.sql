-- Capturing bytes, and what helps to set forms up.

CREATE OR REPLACE FUNCTION @workspace@.guess_fields(names text[], form text DEFAULT 'default')
	RETURNS TABLE (name text, field text, how text)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
	AS $$
		SELECT g.name, g.field, g.how
		FROM lead_mgmt.guess_fields('@workspace@.form'::pg_catalog.regclass, $1, $2) g
	$$;

COMMENT ON FUNCTION @workspace@.guess_fields(text[], text) IS
	'Which field each of some incoming names would be read into by a form, in the order of the names. how: form where the form itself says so, name for a name that is known as it is written, loose for one known by its letters and digits, similar for one that merely looks like a known one and that a submission would not be read by, NULL for none. Error: no_data_found when there is no such form.';

REVOKE EXECUTE ON FUNCTION
	@workspace@.guess_fields(text[], text)
	FROM PUBLIC;
