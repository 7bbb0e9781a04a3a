# Sourced by run.sh: attribution of 5,000,000 touches by six models at once
# against window functions in SQL, Markov chains over 1,000,000 journeys, and
# Shapley values of the paths in PathData. In CPU seconds of the one backend,
# user and system, the least of three. JOURNEYS= for fewer of them.
# shellcheck shell=bash disable=SC2154

journeys=${JOURNEYS:-1405000}
settings="SET jit = off; SET max_parallel_workers_per_gather = 0; SET work_mem = '64MB'; SET client_min_messages = log; SET log_statement_stats = on;"
models='{first,last,linear,u_shaped,j_shaped,time_decay}'

# cpu_sql STATEMENT [N]: CPU seconds of the statement, the least of N runs (3)
cpu_sql() {
	local runs=${2:-3} i
	for ((i = 0; i < runs; i++)); do
		psql -X -q -A -t -v ON_ERROR_STOP=1 <<-SQL 2>&1 | sed -n 's/.*\t\([0-9.]*\) s user, \([0-9.]*\) s system, .*/\1 \2/p' | tail -n 1
			$settings
			\\o /dev/null
			$1;
		SQL
	done | awk '{ cpu = $1 + $2; if (NR == 1 || cpu < least) least = cpu } END { printf "%.3f", least }'
}

# memory_of STATEMENT: MB of private memory that it takes at its peak
memory_of() {
	psql -X -q -A -t -v ON_ERROR_STOP=1 <<-SQL | awk '/kB/ { kb[++n] = $2 } END { for (i = 2; i <= n; i++) if (kb[i] > most) most = kb[i]; printf "%.1f", (most - kb[1]) / 1024 }'
		SELECT pg_backend_pid() AS pid \\gset
		\\setenv PID :pid
		\\! grep RssAnon /proc/\$PID/status
		\\! (while grep RssAnon /proc/\$PID/status; do sleep 0.02; done) 2>/dev/null &
		\\o /dev/null
		SET jit = off;
		$1;
	SQL
}

lay_out() {
	psql -X -q -v ON_ERROR_STOP=1 -v journeys="$1" -v converting="$2" -v by_time="$3" -f test/bench/attribution/journeys.sql >/dev/null
}

ours="SELECT * FROM lead_mgmt.channel_credits('TABLE touch', 'TABLE conversion', '$models')"
peer=$(cat test/bench/attribution/peer.sql)

lay_out "$journeys" 100 0
note "$(sql "SELECT format('%s touches, %s conversions', (SELECT count(*) FROM touch), (SELECT count(*) FROM conversion))")"
note "an ordered scan of the touches: $(cpu_sql 'SELECT count(*) FROM (SELECT journey, occurred_at, channel FROM touch ORDER BY 1, 2 OFFSET 0) t') s"
window=$(cpu_sql "$peer")
row 'six models, all converting / SQL' "$(cpu_sql "$ours")" "$window" '<= 0.1'
row 'the same, MB of memory' "$(memory_of "$ours")" - '<= 32'
sql 'DROP INDEX touch_journey_idx'
row 'six models, no index, stored in order / SQL' "$(cpu_sql "$ours")" "$(cpu_sql "$peer")" '<= 0.1'
sql 'DROP TABLE touch, conversion'

lay_out "$journeys" 100 1
row 'six models, stored by time / SQL' "$(cpu_sql "$ours")" "$(cpu_sql "$peer")" '<= 0.1'
sql 'DROP TABLE touch, conversion'

lay_out "$journeys" 3 0
row 'six models, 3 % converting / SQL' "$(cpu_sql "$ours")" "$(cpu_sql "$peer")" '<= 0.33'
sql 'DROP TABLE touch, conversion'

lay_out $((journeys * 1125 / 1405)) 30 0
note "$(sql "SELECT format('%s touches of %s journeys, %s conversions', (SELECT count(*) FROM touch), (SELECT count(DISTINCT journey) FROM touch), (SELECT count(*) FROM conversion))")"
for order in 1 2 3; do
	row "Markov chain of order $order, s" "$(cpu_sql "SELECT * FROM lead_mgmt.markov_credits('TABLE touch', 'TABLE conversion', $order)")" - '<= 0.8'
done
sql 'DROP TABLE touch, conversion'

if [[ -e ${LEAD_MGMT_DATA:-}/attribution/pathdata.csv ]]; then
	sql 'CREATE TABLE path (path text, conversions float8, value float8, nulls float8)'
	sql "\\copy path FROM '$LEAD_MGMT_DATA/attribution/pathdata.csv' (FORMAT csv, HEADER)"
	for call in 'shapley(p, conversions, value, nulls)' 'shapley_ordered(p, conversions, value, nulls)' 'shapley_rate(p, conversions, value, nulls)' 'markov(p, conversions, value, nulls, 3)'; do
		row "PathData: ${call%%(*}, s" "$(cpu_sql "SELECT lead_mgmt.$call FROM (SELECT string_to_array(path, ' > ') AS p, * FROM path) x")" - '<= 0.1'
	done
else
	note 'attribution/pathdata.csv is absent: no Shapley values'
fi
