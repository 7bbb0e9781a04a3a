# Sourced by run.sh: what scoring costs.
# shellcheck shell=bash disable=SC2154

scratch=$LEAD_MGMT_WORK/out/scoring
mkdir -p "$scratch"
leads=1000000

user_triggers() {
	sql "DO \$\$ DECLARE t name; BEGIN FOR t IN SELECT relname FROM pg_class
		WHERE relnamespace = 'crm'::regnamespace AND relkind = 'r' LOOP
			EXECUTE format('ALTER TABLE crm.%I $1 TRIGGER USER', t); END LOOP; END \$\$"
}

user_triggers DISABLE
sql <<-SQL
	INSERT INTO crm.account (name, industry, employees, country, domain)
		SELECT 'Company ' || g, (ARRAY['software', 'retail', 'steel', 'energy', 'health'])[1 + g % 5],
			g::bigint * 7919 % 3000, (ARRAY['VN', 'US', 'DE', 'FR'])[1 + g % 4], 'company' || g || '.example.com'
		FROM generate_series(1, $leads / 5) g;
	INSERT INTO crm.contact (email, phone, job_title, country, account_id, full_name)
		SELECT ('p' || g || '@' || CASE WHEN g % 3 = 0 THEN 'gmail.com'
				ELSE 'company' || 1 + g % ($leads / 5) || '.example.com' END)::lead_mgmt.email,
			CASE WHEN g % 2 = 0 THEN ('+8491' || lpad(g::text, 7, '0'))::lead_mgmt.phone END,
			(ARRAY['Director', 'Engineer', 'Buyer', 'CEO', 'Clerk'])[1 + g % 5], (ARRAY['VN', 'US', 'DE'])[1 + g % 3],
			1 + g % ($leads / 5), 'Person ' || g
		FROM generate_series(1, $leads) g;
	INSERT INTO crm.lead (contact_id, account_id, pipeline, stage, stage_entered_at, product, page, channel, source,
			budget, currency, interaction_count)
		SELECT g, 1 + g % ($leads / 5), 'marketing_sales', 'marketing_qualification', now(),
			(ARRAY['A', 'B', 'C'])[1 + g % 3], 'page' || g % 5,
			(ARRAY['organic_search', 'paid_search', 'email', 'social'])[1 + g % 4],
			(ARRAY['website', 'referral', 'fair'])[1 + g % 3], g % 1000, 'USD', g % 4
		FROM generate_series(1, $leads) g;
	CREATE TABLE public.rule (id serial, condition text, points double precision);
	INSERT INTO public.rule (condition, points) VALUES ('employees >= 1000', 20),
		('employees >= 100 AND employees < 1000', 10), (\$\$industry = 'software'\$\$, 15),
		(\$\$industry IN ('energy', 'health')\$\$, 7.5), (\$\$country = 'VN'\$\$, 5), (\$\$country = 'US'\$\$, 6),
		('phone IS NOT NULL', 10), ('email IS NOT NULL AND NOT email_is_free', 10),
		(\$\$job_title IN ('Director', 'CEO')\$\$, 20), (\$\$job_title = 'Clerk'\$\$, -5), ('budget >= 500', 12),
		('budget >= 900', 8), (\$\$product = 'A'\$\$, 3), (\$\$product = 'B' AND channel = 'email'\$\$, 4),
		(\$\$channel = 'paid_search'\$\$, 2), (\$\$source = 'referral'\$\$, 9),
		(\$\$source = 'fair' AND country = 'DE'\$\$, 6), (\$\$page = 'page1'\$\$, 1), ('company IS NOT NULL', 5),
		('interaction_count >= 3', 7);
	DELETE FROM crm.scoring_rule;
SQL
user_triggers ENABLE
sql "INSERT INTO crm.scoring_rule (model, label, condition, points)
	SELECT 'default', condition, condition::lead_mgmt.predicate, points FROM public.rule ORDER BY id"
sql 'VACUUM ANALYZE'

# Both write the same rows over those of the time before.
written="INSERT INTO crm.score (lead_id, model, fit, scored_at) SELECT p.lead_id, 'default', $(sql "SELECT
	string_agg(format('CASE WHEN %s THEN %s::float8 ELSE 0 END', condition, points), ' + ' ORDER BY id) FROM public.rule"),
	now() FROM crm.lead_profile p WHERE p.status = 'open' AND (p.contact_id IS NOT NULL OR p.account_id IS NOT NULL)
	ON CONFLICT (lead_id, model) DO UPDATE SET fit = EXCLUDED.fit, scored_at = EXCLUDED.scored_at"
sql "$written"
sql 'SELECT crm.rescore()' >/dev/null	# notes the first grade of each lead
sql 'VACUUM ANALYZE crm.score'
ours=$(time_sql "SELECT crm.rescore()")
sql 'VACUUM crm.score'
peer=$(time_sql "$written")
note "$(sql "SELECT format('%s leads, of which %s scored otherwise than by the CASE expression',
	count(*), count(*) FILTER (WHERE s.fit IS DISTINCT FROM a.fit))
	FROM crm.score s LEFT JOIN lead_mgmt.score_all('crm.score', 'default', true) a USING (lead_id)")"
row 'rescore 1,000,000 leads, 20 rules / CASE, ms' "$ours" "$peer" '<= 1.2'
sql 'VACUUM crm.score'

# A day of tracking: 200,000 interactions of 10,000 leads, every one of them scored.
sql "INSERT INTO crm.scoring_rule (model, label, interaction_kind, points) VALUES ('default', 'Page', 'page_view', 1),
	('default', 'Click', 'email_click', 5), ('default', 'Download', 'download', 8), ('default', 'Form', 'form_submit', 10);
	UPDATE crm.scoring_model SET half_life = '30 days'"
day="INSERT INTO crm.interaction (lead_id, contact_id, kind, channel, occurred_at)
	SELECT l, l, (ARRAY['page_view', 'email_click', 'download', 'form_submit'])[1 + g % 4], 'email',
		now() - g * interval '1 second'
	FROM generate_series(1, 200000) g, LATERAL (SELECT 1 + (g % 10000) * 97 AS l) x"
least() { printf '%s\n' "$@" | sort -n | sed -n 1p; }
middle() { printf '%s\n' "$@" | sort -n | sed -n 2p; }
for round in 1 2 3; do
	ours_[round]=$(time_sql "$day" 1)
	sql 'ALTER TABLE crm.interaction DISABLE TRIGGER USER'
	peer_[round]=$(time_sql "$day" 1)
	sql 'ALTER TABLE crm.interaction ENABLE TRIGGER USER'
done
ours=$(least "${ours_[@]}")
peer=$(least "${peer_[@]}")
note "insert of 200,000 interactions of 10,000 leads: $ours ms scored, $peer ms not"
row 'score 200,000 interactions, us a row' "$(awk "BEGIN { printf \"%.2f\", ($ours - $peer) / 200 }")" - '<= 5'
cat >"$scratch/single.sql" <<-SQL
	\\set p random(1, $leads)
	INSERT INTO crm.interaction (lead_id, contact_id, kind, channel) VALUES (:p, :p, 'page_view', 'email');
SQL
transactions() {
	pgbench -n -M prepared -T 10 -f "$scratch/single.sql" | sed -n 's/^tps = \([0-9.]*\).*/\1/p'
}
for round in 1 2 3; do
	ours_[round]=$(transactions)
	sql 'ALTER TABLE crm.interaction DISABLE TRIGGER USER'
	peer_[round]=$(transactions)
	sql 'ALTER TABLE crm.interaction ENABLE TRIGGER USER'
done
row 'single inserts, scored / not, tps' "$(middle "${ours_[@]}")" "$(middle "${peer_[@]}")" '>= 0.6'

# Logistic regression on numbers as they are: 1,000,000 rows of 20.
columns=$(printf 'x%d, ' {1..20})
columns=${columns%, }
sql "CREATE TABLE public.numbers AS SELECT random() < 1 / (1 + exp(1 - 0.8 * x1 + 0.5 * x2 - 0.3 * x3)) AS y, r.*
	FROM (SELECT $(printf 'random() * 2 - 1 AS x%d, ' {1..19}) random() * 2 - 1 AS x20 FROM generate_series(1, 1000000)) r"
sql "CREATE TABLE public.arrays AS SELECT y, ARRAY[$columns] AS x FROM public.numbers"
sql 'VACUUM ANALYZE public.numbers, public.arrays'
serially="SET max_parallel_workers_per_gather = 0; SET jit = off"
ours=$(time_sql "$serially; SELECT lead_mgmt.logistic_regression(y, $columns) FROM public.numbers")
peer=$(time_sql "$serially; SELECT count(y), $(printf 'count(x%d), ' {1..19}) count(x20) FROM public.numbers")
row 'train 1,000,000 x 20, s beyond the scan' "$(awk "BEGIN { printf \"%.2f\", ($ours - $peer) / 1000 }")" - '<= 1.5'
weights=$(sql "SELECT lead_mgmt.logistic_regression(y, $columns) FROM public.numbers")
literals=$(sql "SELECT string_agg(CASE WHEN n = 1 THEN format('%L::float8', w) ELSE format('%L::float8 * x%s', w, n - 1) END, ' + ' ORDER BY n)
	FROM unnest('$weights'::float8[]) WITH ORDINALITY u (w, n)")
ours=$(time_sql "$serially; SELECT sum(lead_mgmt.logistic('$weights', $columns)) FROM public.numbers")
peer=$(time_sql "$serially; SELECT sum(1 / (1 + exp(-($literals)))) FROM public.numbers")
row 'score 1,000,000 x 20 / literals in SQL, ms' "$ours" "$peer" '<= 1.2'
ours=$(time_sql "$serially; SELECT sum(lead_mgmt.logistic('$weights', VARIADIC x)) FROM public.arrays")
peer=$(time_sql "$serially; SELECT sum(1 / (1 + exp(-(('$weights'::float8[])[1] +
	(SELECT sum(w * v) FROM unnest(('$weights'::float8[])[2:], x) u (w, v)))))) FROM public.arrays" 1)
row 'score 1,000,000 x 20 / unnest, ms' "$ours" "$peer" '<= 0.125'
rm -rf "$scratch"

# How well leads are foretold that had no part in the training: five folds.
if [[ -z ${LEAD_MGMT_DATA:-} || ! -r $LEAD_MGMT_DATA/leads/bank_full.csv ]]; then
	skip 'the data sets of leads are not there'
fi
accuracy() {
	local name=$1 table=$2 model=$3 asked=$4 asked_error=${5:-}
	local auc error
	IFS='|' read -r auc error < <(sql "SELECT round((m #>> '{report,auc}')::numeric, 4), round((m #>> '{report,calibration_error}')::numeric, 4)
		FROM lead_mgmt.train_logistic_model('$table', '$model') m")
	row "$name, AUC out of fold" "$auc" - ">= $asked"
	row "$name, calibration error" "$error" - "${asked_error:+<= $asked_error}"
}
load() {
	local file=$1 table=$2 separator=$3 header
	header=$(head -n 1 "$file" | tr -d '"\r')
	header=${header%,}
	sql "CREATE TABLE public.$table (\"$(sed "s/$separator/\" text, \"/g" <<<"$header")\" text)"
	sed 's/,\r\{0,1\}$//' "$file" | psql -X -q -v ON_ERROR_STOP=1 \
		-c "\\copy public.$table FROM STDIN WITH (FORMAT csv, HEADER, DELIMITER '$separator', NULL '')"
}
load "$LEAD_MGMT_DATA/leads/xeducation_leads.csv" xeducation ,
load "$LEAD_MGMT_DATA/leads/bank_full.csv" bank ';'
# what was known before the outcome, and "Select" for no answer
sql "CREATE VIEW public.xeducation_known AS SELECT \"Converted\"::int AS converted, $(sql "SELECT string_agg(
	format(CASE WHEN attname IN ('TotalVisits', 'Total Time Spent on Website', 'Page Views Per Visit') THEN '%1\$I::float8 AS %1\$I'
		ELSE 'NULLIF(%1\$I, ''Select'') AS %1\$I' END, attname), ', ' ORDER BY attnum)
	FROM pg_attribute WHERE attrelid = 'public.xeducation'::regclass AND attnum > 0 AND attname NOT LIKE 'Asymmetrique%' AND attname NOT IN
		('Converted', 'Prospect ID', 'Lead Number', 'Tags', 'Lead Quality', 'Lead Profile', 'Last Activity', 'Last Notable Activity')") FROM public.xeducation"
sql "CREATE VIEW public.bank_known AS SELECT y = 'yes' AS y, age::float8, job, marital, education, \"default\", balance::float8, housing, loan,
	contact, day::float8, month, campaign::float8, pdays::float8, previous::float8, poutcome FROM public.bank"
accuracy 'X Education' xeducation_known '{"label": "converted"}' 0.874 0.02
accuracy 'bank' bank_known '{"label": "y"}' 0.776
