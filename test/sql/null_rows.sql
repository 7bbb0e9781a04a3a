-- Rows without any value, and each column emptied, in every table of a
-- workspace: refused by the tables or taken, and nothing worse.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
SELECT lead_mgmt.create_workspace('empty') \gset
INSERT INTO empty.submission (payload) SELECT jsonb_build_object('email', 'p' || n || '@c.example', 'page', 'x', 'company', 'Acme') FROM generate_series(1, 3) n;
INSERT INTO empty.scoring_model (model, label, kind) VALUES ('bayes', 'Learns by itself', 'naive_bayes');
INSERT INTO empty.scoring_feature (model, feature, expression) VALUES ('bayes', 'city', 'city');
SELECT empty.merge_contacts(1, '{2}') \gset
CREATE FUNCTION pg_temp.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RAISE EXCEPTION 'taken' USING ERRCODE = 'LM000';
EXCEPTION WHEN OTHERS THEN
	RETURN CASE WHEN SQLSTATE = 'LM000' THEN 'taken' WHEN SQLSTATE IN ('XX000', 'XX001', 'XX002') THEN SQLERRM ELSE 'refused' END;
END $$;
SELECT outcome, count(*) > 100 AS many FROM (
	SELECT pg_temp.try(format('INSERT INTO %1$s SELECT (NULL::%1$s).*', c.oid::regclass)) AS outcome FROM pg_class c WHERE relnamespace = 'empty'::regnamespace AND relkind = 'r'
	UNION ALL SELECT pg_temp.try(format('INSERT INTO %s DEFAULT VALUES', c.oid::regclass)) FROM pg_class c WHERE relnamespace = 'empty'::regnamespace AND relkind = 'r'
	UNION ALL SELECT pg_temp.try(format('UPDATE %s SET %I = NULL', c.oid::regclass, attname)) FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid AND attnum > 0 AND NOT attisdropped
	WHERE relnamespace = 'empty'::regnamespace AND relkind = 'r') t
GROUP BY outcome ORDER BY outcome;
SELECT lead_mgmt.drop_workspace('empty', 'empty') \gset
