-- Statements whose plans are kept stay right where tables were vacuumed while they were empty, as after a restore.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
SELECT lead_mgmt.create_workspace('kept');
SET session_replication_role = replica;
INSERT INTO kept.contact (full_name) SELECT 'Person' FROM generate_series(1, 2000);
INSERT INTO kept.lead (contact_id, pipeline, stage, stage_entered_at) SELECT contact_id, 'marketing_sales', 'inquiry', now() FROM kept.contact;
RESET session_replication_role;
VACUUM ANALYZE kept.account, kept.contact, kept.lead, kept.interaction, kept.score, kept.stage_move, kept.temperature_change, kept.campaign;
SELECT relname FROM pg_class WHERE oid = 'kept.score'::regclass AND reltuples = 0;
-- each call reads a few rows of a table, not all that the session has written
BEGIN;
DO $$ BEGIN FOR i IN 1..2000 LOOP PERFORM kept.log_activity(i, now(), 'call_outbound', 'interested', 'spoke'); END LOOP; END $$;
SELECT (SELECT count(*) FROM kept.score) AS scores, (SELECT count(*) FROM kept.stage_move) AS moves;
SELECT relname, seq_tup_read, idx_tup_fetch FROM pg_stat_xact_user_tables
WHERE schemaname = 'kept' AND relname IN ('score', 'lead', 'contact', 'interaction', 'stage_move', 'temperature_change') AND COALESCE(idx_tup_fetch, 0) > 20 * 2000;
COMMIT;
SELECT lead_mgmt.drop_workspace('kept', 'kept');
