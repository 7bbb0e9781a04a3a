# Sourced by run.sh: what conversion and logged activities cost by themselves,
# against the plain statements that leave the same rows, in the same tables.
# shellcheck shell=bash disable=SC2154

scratch=$LEAD_MGMT_WORK/out/sales
mkdir -p "$scratch"
leads=200000

# Leads that sales works on, half of them for either side.
sql "INSERT INTO crm.submission (payload) SELECT jsonb_build_object('email', 'p' || g || '@company' || g % 50000 || '.example',
		'company', 'Company ' || g % 50000, 'product', 'CRM ' || g)
	FROM generate_series(1, $leads) g"
sql "UPDATE crm.lead SET stage = 'sales_acceptance'"
sql "INSERT INTO crm.task (subject, lead_id, due_at) SELECT 'Call', lead_id, now() + interval '1 day' FROM crm.lead"
sql 'VACUUM ANALYZE'
sql "CREATE SEQUENCE public.ours; CREATE SEQUENCE public.peer START $((leads / 2))"

latency() {
	PGOPTIONS='-c synchronous_commit=off' pgbench -n -M prepared -T 8 -f "$scratch/$1.sql" |
		sed -n 's/^latency average = \([0-9.]*\) ms/\1/p'
}
user_triggers() {
	sql "DO \$\$ DECLARE t name; BEGIN FOR t IN SELECT relname FROM pg_class
		WHERE relnamespace = 'crm'::regnamespace AND relkind = 'r' LOOP
			EXECUTE format('ALTER TABLE crm.%I $1 TRIGGER USER', t); END LOOP; END \$\$"
}

cat >"$scratch/log.sql" <<-SQL
	\\set l random(1, $leads)
	SELECT crm.log_activity(:l, now(), 'call_outbound', 'interested', 'spoke to them');
SQL
cat >"$scratch/insert.sql" <<-SQL
	\\set l random(1, $leads)
	INSERT INTO crm.interaction (lead_id, contact_id, kind, direction, outcome, note, occurred_at)
		VALUES (:l, :l, 'call_outbound', 'outbound', 'interested', 'spoke to them', now());
SQL
cat >"$scratch/bare.sql" <<-SQL
	\\set l random(1, $leads)
	BEGIN;
	INSERT INTO crm.interaction (lead_id, contact_id, kind, direction, outcome, outcome_sign, note, occurred_at)
		VALUES (:l, :l, 'call_outbound', 'outbound', 'interested', 1, 'spoke to them', now());
	UPDATE crm.lead SET interaction_count = interaction_count + 1, last_interaction_at = now() WHERE lead_id = :l;
	UPDATE crm.score SET scored_at = now() WHERE lead_id = :l;
	COMMIT;
SQL
cat >"$scratch/convert.sql" <<-'SQL'
	SELECT nextval('public.ours') AS l \gset
	SELECT * FROM crm.convert_lead(:l, 'Deal ' || :l, 1000);
SQL
cat >"$scratch/plain.sql" <<-'SQL'
	SELECT nextval('public.peer') AS l \gset
	BEGIN;
	SELECT contact_id AS c, COALESCE(account_id, 0) AS a FROM crm.lead WHERE lead_id = :l FOR UPDATE \gset
	INSERT INTO crm.opportunity (lead_id, contact_id, account_id, name, pipeline, stage, stage_entered_at, amount)
		VALUES (:l, :c, NULLIF(:a, 0), 'Deal ' || :l, 'sales', 'identify', now(), 1000) RETURNING opportunity_id AS o \gset
	INSERT INTO crm.stage_move (opportunity_id, pipeline, to_stage, moved_at, moved_by, rule)
		VALUES (:o, 'sales', 'identify', now(), current_user, 'created');
	UPDATE crm.task SET opportunity_id = :o, contact_id = :c, account_id = NULLIF(:a, 0) WHERE lead_id = :l AND state = 'open';
	UPDATE crm.interaction SET contact_id = :c WHERE lead_id = :l AND contact_id IS NULL;
	UPDATE crm.lead SET stage = 'converted', status = 'converted', stage_entered_at = now(), updated_at = now() WHERE lead_id = :l;
	INSERT INTO crm.stage_move (lead_id, pipeline, from_stage, to_stage, moved_at, moved_by, rule)
		VALUES (:l, 'marketing_sales', 'sales_acceptance', 'converted', now(), current_user, 'converted');
	COMMIT;
SQL

# The least of three, turn by turn.
least() { printf '%s\n' "$@" | sort -n | sed -n 1p; }
for run in log insert; do latency "$run" >/dev/null; done
for round in 1 2 3; do
	log_[round]=$(latency log)
	insert_[round]=$(latency insert)
done
log=$(least "${log_[@]}")
insert=$(least "${insert_[@]}")
user_triggers DISABLE
latency bare >/dev/null
bare=$(latency bare)
user_triggers ENABLE
row 'log_activity() / INSERT with its triggers, ms' "$log" "$insert" '<= 1.5'
row 'log_activity() / the same without triggers, ms' "$log" "$bare"
convert=$(latency convert)
user_triggers DISABLE
plain=$(latency plain)
user_triggers ENABLE
row 'convert_lead() / the same without triggers, ms' "$convert" "$plain"

# An opportunity of ten thousand lines.
sql "INSERT INTO crm.product (product, unit_price) VALUES ('seat', 10); INSERT INTO crm.opportunity (name) VALUES ('Large')"
deal=$(sql "SELECT max(opportunity_id) FROM crm.opportunity")
lines="INSERT INTO crm.opportunity_line (opportunity_id, product_id, quantity, unit_price, currency)
	SELECT $deal, 1, g, 10, 'USD' FROM generate_series(1, 10000) g"
ours=$(time_sql "$lines")
user_triggers DISABLE
peer=$(time_sql "$lines")
user_triggers ENABLE
row '10,000 lines / the same without triggers, ms' "$ours" "$peer" '<= 3'
rm -rf "$scratch"
