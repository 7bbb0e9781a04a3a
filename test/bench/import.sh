# Sourced by run.sh: what importing costs beside COPY.
# shellcheck shell=bash disable=SC2154

scratch=$LEAD_MGMT_WORK/out/import
rows=${ROWS:-1000000}
mkdir -p "$scratch"

# The same records as a sheet, and as the payloads that submission takes.
sql <<-SQL
	CREATE TABLE public.sheet AS
	SELECT g AS n, 'Person ' || p AS full_name,
		CASE WHEN p % 10 <> 0 THEN 'person' || p || '@' ||
			CASE WHEN p % 3 = 0 THEN 'gmail.com' ELSE 'company' || c || '.example.com' END END AS email,
		CASE WHEN p % 2 = 0 OR p % 10 = 0 THEN '+8491' || lpad((p % 10000000)::text, 7, '0') END AS phone,
		CASE WHEN p % 3 <> 0 THEN 'Company ' || c END AS company,
		(ARRAY['Director', 'Engineer', 'Buyer', 'CEO', 'Clerk'])[1 + p % 5] AS job_title,
		(ARRAY['VN', 'US', 'DE'])[1 + p % 3] AS country, 'page' || g % 5 AS page,
		(ARRAY['organic_search', 'paid_search', 'email', 'social'])[1 + g % 4] AS channel
	FROM (SELECT g, (hashint4(g) & 2147483647) % ($rows * 6 / 10) AS p FROM generate_series(1, $rows) g) s,
		LATERAL (SELECT p % ($rows / 20 + 1) AS c) t;
	COPY (SELECT full_name, email, phone, company, job_title, country, page, channel FROM public.sheet ORDER BY n)
		TO '$scratch/sheet.csv' CSV HEADER;
	COPY (SELECT 'x' || n, jsonb_strip_nulls(to_jsonb(s) - 'n') FROM public.sheet s ORDER BY n)
		TO '$scratch/payloads.csv' CSV;
	DROP TABLE public.sheet;
	SELECT lead_mgmt.create_workspace('peer');
SQL

sql 'CHECKPOINT'
started=$(now_ms)
psql -X -q -v ON_ERROR_STOP=1 -c "\\copy peer.submission (external_id, payload) FROM '$scratch/payloads.csv' CSV"
peer=$(($(now_ms) - started))
sql 'CHECKPOINT'
leadctl import -q "$scratch/sheet.csv" &
importing=$!
started=$(now_ms)
peak=0
while kill -0 "$importing" 2>/dev/null; do
	now=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$importing/status" 2>/dev/null || true)
	((${now:-0} <= peak)) || peak=$now
	sleep 0.1
done
wait "$importing"
ours=$(($(now_ms) - started))
note "$(sql "SELECT format('%s contacts, %s leads; peer %s contacts, %s leads', (SELECT count(*) FROM crm.contact),
	(SELECT count(*) FROM crm.lead), (SELECT count(*) FROM peer.contact), (SELECT count(*) FROM peer.lead))")"
row "leadctl import of $rows rows / \\copy, ms" "$ours" "$peer" '<= 1.3'
row 'memory of leadctl, MB' $((peak / 1024)) - '<= 50'

# A file that is in already is known by its fingerprint; with --again every row is known by its key.
again=$(time_ms leadctl import -q "$scratch/sheet.csv")
row 'the same file again, ms' "$again" - '<= 5000'
rm -rf "$scratch"
