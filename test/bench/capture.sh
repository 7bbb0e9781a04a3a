# Sourced by run.sh: what capture costs.
# shellcheck shell=bash disable=SC2154

scratch=$LEAD_MGMT_WORK/out/capture
mkdir -p "$scratch"

sql <<-'SQL'
	CREATE FUNCTION public.submissions(n integer, first integer)
		RETURNS TABLE (external_id text, payload jsonb) LANGUAGE sql AS $$
		SELECT 'x' || (first + g), jsonb_strip_nulls(jsonb_build_object(
			'full_name', 'Person ' || p,
			'email', CASE WHEN p % 10 <> 0 THEN 'person' || p || '@' ||
				CASE WHEN p % 3 = 0 THEN 'gmail.com' ELSE 'company' || c || '.example.com' END END,
			'phone', CASE WHEN p % 2 = 0 THEN '+8491' || lpad((p % 10000000)::text, 7, '0') END,
			'company', CASE WHEN p % 3 <> 0 THEN 'Company ' || c END,
			'job_title', (ARRAY['Director', 'Engineer', 'Buyer', 'CEO', 'Clerk'])[1 + p % 5],
			'country', (ARRAY['VN', 'US', 'DE'])[1 + p % 3],
			'industry', (ARRAY['software', 'retail', 'steel'])[1 + c % 3], 'employees', c % 500,
			'page', 'page' || g % 5,
			'channel', (ARRAY['organic_search', 'paid_search', 'email', 'social'])[1 + g % 4],
			'kind', (ARRAY['form_submit', 'page_view', 'download', 'email_click'])[1 + g / 3 % 4],
			'occurred_at', '2026-01-01T00:00:00Z'::timestamptz + g * interval '1 second'))
		FROM (SELECT g, first + (hashint4(g) & 2147483647) % (n * 6 / 10) AS p FROM generate_series(1, n) g) s,
			LATERAL (SELECT p % (n / 20 + 1) AS c) t
	$$;
SQL

# Files are written and read by the server, so that the client is out of it.
loads=(account contact account_identity contact_identity lead submission_key submission interaction score
	stage_move assignment audit_log consent)

sql "COPY (SELECT external_id, payload FROM public.submissions(200000, 0)) TO '$scratch/submissions'"
sql "SELECT lead_mgmt.create_workspace('plain')" >/dev/null

captured() { sql "COPY crm.submission (external_id, payload) FROM '$scratch/submissions'"; }
copied() {
	local table
	{
		echo 'BEGIN;'
		for table in "${loads[@]}"; do
			echo "COPY plain.$table FROM '$scratch/$table';"
		done
		echo 'COMMIT;'
	} | sql
}

sql CHECKPOINT
ours=$(time_ms captured)
for table in "${loads[@]}"; do
	sql "COPY crm.$table TO '$scratch/$table'"
	sql "ALTER TABLE plain.$table DISABLE TRIGGER USER"
done
sql CHECKPOINT
peer=$(time_ms copied)
note "$(sql "SELECT format('%s contacts, %s accounts, %s leads, %s interactions, %s moves',
	(SELECT count(*) FROM crm.contact), (SELECT count(*) FROM crm.account), (SELECT count(*) FROM crm.lead),
	(SELECT count(*) FROM crm.interaction), (SELECT count(*) FROM crm.stage_move))")"
row 'COPY 200,000 submissions / final rows, ms' "$ours" "$peer" '<= 2.0'

# One capture against three plain inserts, and against itself among fewer contacts.
sql "SELECT lead_mgmt.create_workspace('small')" >/dev/null
sql "INSERT INTO small.submission (payload)
	SELECT jsonb_build_object('email', 'p' || g || '@gmail.com', 'page', 'home') FROM generate_series(1, 10000) g"
sql "SELECT lead_mgmt.create_workspace('large')" >/dev/null
sql "COPY (SELECT jsonb_build_object('email', 'p' || g || '@gmail.com', 'page', 'home')
	FROM generate_series(1, 1000000) g) TO '$scratch/million'"
sql >"$scratch/pid" <<-SQL &
	SELECT pg_backend_pid();
	COPY large.submission (payload) FROM '$scratch/million';
SQL
loading=$!
peak=0
while kill -0 "$loading" 2>/dev/null; do
	now=$(sed -n 's/^RssAnon:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$(cat "$scratch/pid")/status" 2>/dev/null || true)
	((${now:-0} <= peak)) || peak=$now
	sleep 0.2
done
wait "$loading"
peak=$((peak / 1024))
row 'memory of COPY of 1,000,000 submissions, MB' "$peak" - '<= 200'
sql "SELECT lead_mgmt.create_workspace('inserts')" >/dev/null
sql "DO \$\$ DECLARE t name; BEGIN FOR t IN SELECT relname FROM pg_class
	WHERE relnamespace = 'inserts'::regnamespace AND relkind = 'r' LOOP
		EXECUTE format('ALTER TABLE inserts.%I DISABLE TRIGGER USER', t); END LOOP; END \$\$;
	INSERT INTO inserts.contact (email)
		SELECT ('p' || g || '@gmail.com')::lead_mgmt.email FROM generate_series(1, 1000000) g"
sql 'VACUUM ANALYZE'

cat >"$scratch/plain.sql" <<-'SQL'
	\set p random(1, 1000000)
	BEGIN;
	INSERT INTO inserts.submission (payload, processed_at, status)
		VALUES (jsonb_build_object('email', 'q' || :p || '@gmail.com', 'page', 'home', 'channel', 'email'), now(), 'accepted');
	INSERT INTO inserts.lead (contact_id, pipeline, stage, stage_entered_at)
		VALUES (:p, 'marketing_sales', 'inquiry', now());
	INSERT INTO inserts.interaction (contact_id, kind, channel) VALUES (:p, 'form_submit', 'email');
	COMMIT;
SQL
for workspace in small large; do
	for who in q p; do
		cat >"$scratch/$workspace-$who.sql" <<-SQL
			\\set p random(1, $([[ $who$workspace == psmall ]] && echo 10000 || echo 1000000))
			SELECT status FROM $workspace.capture('default',
				jsonb_build_object('email', '$who' || :p || '@gmail.com', 'page', 'home', 'channel', 'email'));
		SQL
	done
done
latency() {
	PGOPTIONS='-c synchronous_commit=off' pgbench -n -M prepared -T 8 -f "$scratch/$1.sql" |
		sed -n 's/^latency average = \([0-9.]*\) ms/\1/p'
}
for run in small-q small-p large-q large-p plain; do latency "$run" >/dev/null; done
plain=$(latency plain)
small_new=$(latency small-q)
large_new=$(latency large-q)
small_known=$(latency small-p)
large_known=$(latency large-p)
row 'capture() of a new person / three inserts, ms' "$large_new" "$plain" '<= 3'
row 'capture() of a known person / three inserts, ms' "$large_known" "$plain" '<= 3'
row 'new person, 1,000,000 contacts / 10,000' "$large_new" "$small_new" '<= 1.3'
row 'known person, 1,000,000 contacts / 10,000' "$large_known" "$small_known" '<= 1.3'
sql "COPY (SELECT jsonb_build_object('email', 'r' || g || '@gmail.com', 'page', 'home')
	FROM generate_series(1, 20000) g) TO '$scratch/more'"
small=$(time_ms sql "COPY small.submission (payload) FROM '$scratch/more'")
large=$(time_ms sql "COPY large.submission (payload) FROM '$scratch/more'")
row 'COPY of 20,000, 1,000,000 contacts / 10,000, ms' "$large" "$small" '<= 2'
rm -rf "$scratch"
