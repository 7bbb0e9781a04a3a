# Sourced by run.sh: what the law of stages costs, and what its reports take.
# shellcheck shell=bash disable=SC2154

scratch=$LEAD_MGMT_WORK/out/pipeline
mkdir -p "$scratch"
leads=1000000

triggers() { # ENABLE|DISABLE TABLE...
	local action=$1 table
	shift
	for table; do sql "ALTER TABLE crm.$table $action TRIGGER USER"; done
}
least() { printf '%s\n' "$@" | sort -n | sed -n 1p; }
middle() { printf '%s\n' "$@" | sort -n | sed -n 2p; }

# A million leads with five moves each; one in ten went back once, one in five was lost.
triggers DISABLE contact lead stage_move
sql <<-SQL
	SET synchronous_commit = off;
	INSERT INTO crm.contact (email, full_name)
		SELECT ('p' || g || '@example.com')::lead_mgmt.email, 'Person ' || g FROM generate_series(1, $leads) g;
	CREATE TABLE public.way (kind integer, number integer, stage text);
	INSERT INTO public.way SELECT k, n, s FROM (VALUES
		(0, ARRAY['inquiry', 'marketing_qualification', 'teleprospect_acceptance', 'teleprospect_qualification', 'sales_acceptance']),
		(1, ARRAY['inquiry', 'marketing_qualification', 'teleprospect_acceptance', 'marketing_qualification', 'sales_acceptance']),
		(2, ARRAY['inquiry', 'marketing_qualification', 'teleprospect_acceptance', 'teleprospect_qualification', 'disqualified'])) w (k, stages),
		unnest(stages) WITH ORDINALITY u (s, n);
	INSERT INTO crm.lead (contact_id, pipeline, stage, stage_entered_at, status, page, channel, created_at)
		SELECT g, 'marketing_sales', w.stage, now() - interval '1 day' * (g % 300), CASE WHEN w.stage = 'disqualified' THEN 'disqualified' ELSE 'open' END,
			'page' || g % 5, 'email', now() - interval '1 day' * (g % 300 + 30)
		FROM generate_series(1, $leads) g
		JOIN public.way w ON w.number = 5 AND w.kind = CASE WHEN g % 10 = 1 THEN 1 WHEN g % 5 = 2 THEN 2 ELSE 0 END;
	INSERT INTO crm.stage_move (lead_id, pipeline, from_stage, to_stage, moved_at, moved_by, rule)
		SELECT g, 'marketing_sales', f.stage, w.stage, now() - interval '1 day' * (g % 300 + 30 - 6 * (w.number - 1)), 'postgres',
			CASE w.number WHEN 1 THEN 'created' WHEN 2 THEN 'first_score' ELSE 'manual' END
		FROM (SELECT g, CASE WHEN g % 10 = 1 THEN 1 WHEN g % 5 = 2 THEN 2 ELSE 0 END AS kind FROM generate_series(1, $leads) g) l
		JOIN public.way w ON w.kind = l.kind
		LEFT JOIN public.way f ON f.kind = l.kind AND f.number = w.number - 1
		ORDER BY w.number, g;
SQL
triggers ENABLE contact lead stage_move
sql 'VACUUM ANALYZE'

for view in funnel stage_conversion stage_velocity; do
	row "$view, 1,000,000 leads, 5,000,000 moves, ms" "$(time_sql "SELECT * FROM crm.$view")" - '<= 2000'
done
for view in stage_history lead_timeline lead_milestone; do
	note "$view of one lead: $(time_sql "SELECT * FROM crm.$view WHERE lead_id = 4711" 5) ms, sequential scans of leads or moves: $(
		sql "EXPLAIN SELECT * FROM crm.$view WHERE lead_id = 4711" | grep -cE 'Seq Scan on (lead|stage_move) ' || true)"
done

# One move, forth and back between stages that bring no task with them
sql "INSERT INTO crm.stage_transition VALUES ('marketing_sales', 'sales_acceptance', 'teleprospect_qualification', 'back')"
sql 'ALTER TABLE crm.lead DISABLE TRIGGER USER'
sql "UPDATE crm.lead SET stage = 'teleprospect_qualification', status = 'open', sales_ready_at = now(), stage_entered_at = now() WHERE lead_id <= 300000"
sql 'ALTER TABLE crm.lead ENABLE TRIGGER USER'
sql 'VACUUM ANALYZE crm.lead'
other="CASE stage WHEN 'sales_acceptance' THEN 'teleprospect_qualification' ELSE 'sales_acceptance' END"
cat >"$scratch/ours.sql" <<-SQL
	\\set lead random(1, 100000)
	UPDATE crm.lead SET stage = $other, stage_reason = 'bench' WHERE lead_id = :lead;
SQL
cat >"$scratch/peer.sql" <<-SQL
	\\set lead random(1, 100000)
	BEGIN;
	UPDATE crm.lead SET stage = $other, stage_reason = 'bench', stage_entered_at = now(), updated_at = now() WHERE lead_id = :lead;
	INSERT INTO crm.stage_move (lead_id, pipeline, from_stage, to_stage, moved_at, moved_by, rule, reason)
		SELECT lead_id, pipeline, $other, stage, now(), current_user, 'manual', 'bench' FROM crm.lead WHERE lead_id = :lead;
	COMMIT;
SQL
cat >"$scratch/one.sql" <<-SQL
	\\set lead random(1, 100000)
	WITH moved AS (
		UPDATE crm.lead SET stage = $other, stage_reason = 'bench', stage_entered_at = now(), updated_at = now()
		WHERE lead_id = :lead RETURNING lead_id, pipeline, stage)
	INSERT INTO crm.stage_move (lead_id, pipeline, from_stage, to_stage, moved_at, moved_by, rule, reason)
		SELECT lead_id, pipeline, $other, stage, now(), current_user, 'manual', 'bench' FROM moved;
SQL
latency() { # SCRIPT
	pgbench -n -M prepared -T 6 -f "$scratch/$1.sql" | sed -n 's/^latency average = \([0-9.]*\) ms.*/\1/p'
}
export PGOPTIONS='-c synchronous_commit=off'
for round in 1 2 3; do
	ours_[round]=$(latency ours)
	triggers DISABLE lead stage_move
	peer_[round]=$(latency peer)
	one_[round]=$(latency one)
	triggers ENABLE lead stage_move
done
unset PGOPTIONS
row 'one move / UPDATE and INSERT, ms' "$(middle "${ours_[@]}")" "$(middle "${peer_[@]}")" '<= 1.5'
note "the two in one statement, with a data-modifying CTE: $(middle "${one_[@]}") ms"

# 100,000 moves in one statement
sql 'VACUUM ANALYZE crm.lead'
move() { # FROM TO
	echo "UPDATE crm.lead SET stage = '$2', stage_reason = 'bulk' WHERE lead_id > 100000 AND lead_id <= 200000 AND stage = '$1'"
}
by_hand() { # FROM TO
	echo "BEGIN; UPDATE crm.lead SET stage = '$2', stage_reason = 'bulk', stage_entered_at = now(), updated_at = now()
			WHERE lead_id > 200000 AND lead_id <= 300000 AND stage = '$1';
		INSERT INTO crm.stage_move (lead_id, pipeline, from_stage, to_stage, moved_at, moved_by, rule, reason)
			SELECT lead_id, pipeline, '$1', stage, now(), current_user, 'manual', 'bulk' FROM crm.lead
			WHERE lead_id > 200000 AND lead_id <= 300000; COMMIT"
}
from=teleprospect_qualification
to=sales_acceptance
for round in 1 2 3; do
	ours_[round]=$(time_ms sql "$(move $from $to)")
	triggers DISABLE lead stage_move
	peer_[round]=$(time_ms sql "$(by_hand $from $to)")
	triggers ENABLE lead stage_move
	swap=$from
	from=$to
	to=$swap
	sql 'VACUUM crm.lead'
done
row '100,000 moves / UPDATE and INSERT SELECT, ms' "$(least "${ours_[@]}")" "$(least "${peer_[@]}")" '<= 2.0'
note "moves recorded of the last lead: $(sql "SELECT count(*) FROM crm.stage_move WHERE lead_id = 200000 AND reason = 'bulk'")"
rm -rf "$scratch"
