#!/usr/bin/env bash
# run.sh: runs the benchmarks in test/bench in order, each in a fresh database
# "bench" that has the extension and a workspace "crm". BENCH=name runs one.
#
# NAME.sql is given to psql. NAME.sh is sourced, with these at hand:
#   sql [STATEMENT]         runs it (or its standard input), prints bare rows
#   time_ms COMMAND...      prints the milliseconds that it took
#   time_sql STATEMENT [N]  prints the median of N runs (3) in milliseconds
#   row WHAT OURS PEER ASKED   one line of the table; OURS and PEER are numbers
#                           (PEER may be -), ASKED a limit for their ratio, or
#                           for OURS where PEER is -, such as "<= 2" or ">= 0.9"
#   note TEXT...            one line of text
#   skip TEXT...            says what is missing and ends this benchmark
#   fresh_database [NAME]   a database with the extension and the workspace
#                           "crm", which sql then uses
# $LEAD_MGMT_DATA is set where the data sets are present.
set -euo pipefail
# shellcheck source=test/harness/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../harness/lib.sh"

sql() {
	if (($#)); then
		psql -X -q -A -t -v ON_ERROR_STOP=1 -c "$1"
	else
		psql -X -q -A -t -v ON_ERROR_STOP=1
	fi
}

time_ms() {
	local started
	started=$(now_ms)
	"$@" >/dev/null
	echo $(($(now_ms) - started))
}

# psql's own timing leaves out its start and the connection.
time_sql() {
	local runs=${2:-3} i
	for ((i = 0; i < runs; i++)); do
		psql -X -q -A -t -v ON_ERROR_STOP=1 <<-SQL | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | tail -n 1
			\\timing on
			\\o /dev/null
			$1;
		SQL
	done | sort -n | sed -n "$(((runs + 1) / 2))p"
}

note() { say "$*"; }

skip() {
	say "skipped: $*"
	exit 0
}

row() {
	awk -v what="$1" -v ours="$2" -v peer="$3" -v asked="${4:-}" 'BEGIN {
		ratio = peer == "-" ? "-" : (peer + 0 ? sprintf("%.2f", ours / peer) : "-")
		value = ratio == "-" ? ours : ratio
		split(asked, a, " ")
		met = ""
		if (a[1] == "<=") met = value + 0 <= a[2] + 0 ? "met" : "NOT MET"
		if (a[1] == ">=") met = value + 0 >= a[2] + 0 ? "met" : "NOT MET"
		if (a[1] == "<") met = value + 0 < a[2] + 0 ? "met" : "NOT MET"
		if (a[1] == ">") met = value + 0 > a[2] + 0 ? "met" : "NOT MET"
		printf "%-44s | %12s | %12s | %7s | %-8s | %s\n", what, ours, peer, ratio, asked, met
	}'
}

table_head() {
	printf '%-44s | %12s | %12s | %7s | %-8s |\n' what ours peer ratio asked
	printf '%s\n' '---------------------------------------------+--------------+--------------+---------+----------+--------'
}

fresh_database() {
	export PGDATABASE=${1:-bench}
	dropdb --if-exists --force "$PGDATABASE" 2>/dev/null
	createdb "$PGDATABASE"
	sql "CREATE EXTENSION lead_mgmt" >/dev/null
	sql "SELECT lead_mgmt.create_workspace('crm')" >/dev/null
}

benchmark() {
	fresh_database bench
	if [[ $1 == *.sh ]]; then
		table_head
		# shellcheck disable=SC1090
		. "./$1"
	else
		psql -X -q -v ON_ERROR_STOP=1 -P pager=off -f "$1"
	fi
}

outer() {
	bash "$top/test/harness/packages.sh" build
	bash "$top/test/harness/packages.sh" bench || say 'matching will be measured without its peers'
	make_work_dir bench
	on_exit remove_work_dir
	stage
	run_staged test/bench/run.sh
}

inner() {
	local file name bad=0 ran=0 memory buffers=1GB
	work=$LEAD_MGMT_WORK
	cd "$work/src"
	on_exit stop_clusters
	memory=$(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo)
	((memory >= 4096)) || buffers=256MB
	local settings=("shared_buffers = $buffers" 'work_mem = 64MB' 'maintenance_work_mem = 512MB'
		'max_wal_size = 8GB' 'checkpoint_timeout = 30min' 'fsync = on' 'synchronous_commit = on'
		'wal_compression = off' 'random_page_cost = 1.1' 'autovacuum = on')
	step "build with Debian's release flags"
	quietly "$work/out/build.log" bash test/harness/private-tree.sh "$work/tree"
	done_step
	private_paths
	step 'start a server'
	cluster_start "$work/cluster" "${settings[@]}"
	done_step
	say "$(postgres --version), $(nproc) CPUs ($(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)), $memory MB"
	printf '%s; ' "${settings[@]}"
	say
	for file in test/bench/*.sh test/bench/*.sql; do
		name=$(basename "$file")
		name=${name%.*}
		[[ -e $file && $name != run && ( -z ${BENCH:-} || $name == *"$BENCH"* ) ]] || continue
		ran=1
		say
		say "$name"
		if ! run bash test/bench/run.sh "$file"; then
			say "$name failed"
			bad=1
		fi
	done
	((ran)) || fail "no benchmark \"${BENCH:-}\" in test/bench"
	return "$bad"
}

if [[ -z ${LEAD_MGMT_WORK:-} ]]; then
	outer
elif (($#)); then
	benchmark "$1"
else
	inner
fi
