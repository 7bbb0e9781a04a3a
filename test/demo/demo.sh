#!/usr/bin/env bash
# demo.sh start|stop: a server of its own below a temporary directory, with a
# workspace that generate.sql fills and report.sql shows. The file .demo/dir
# in the checkout says where it is.
set -euo pipefail
# shellcheck source=test/harness/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../harness/lib.sh"

reference=$top/.demo/dir

stop() {
	[[ -f $reference ]] || return 0
	work=$(<"$reference")
	if [[ -n $work && -f $work/.lead_mgmt-harness ]]; then
		if [[ -f $work/cluster/postmaster.pid && -f $work/out/bindir ]]; then
			choose_server_user
			cd "$work"
			"${as_server[@]}" "$(<"$work/out/bindir")/pg_ctl" -D "$work/cluster" -m fast -w stop \
				>/dev/null || fail "the server in $work did not stop"
		fi
		remove_work_dir
	fi
	rm -rf "$top/.demo"
}

start() {
	local started
	started=$(now_ms)
	bash "$top/test/harness/packages.sh" build
	stop
	make_work_dir demo
	on_exit remove_work_dir
	stage
	run_staged test/demo/demo.sh staged
	mkdir -p "$top/.demo"
	echo "$work" >"$reference"
	trap - EXIT
	say
	say "ready in $((($(now_ms) - started) / 1000)) s. To look further:"
	say "    psql -h $work -U $db_superuser demo"
	say "To stop the server and remove $work:"
	say "    make demo-stop"
}

psql_demo=(psql -X -q -v ON_ERROR_STOP=1 -P pager=off -d demo)

staged() {
	work=$LEAD_MGMT_WORK
	cd "$work/src"
	on_exit stop_clusters
	step 'build the extension and a private copy of the server'
	quietly "$work/out/build.log" bash test/harness/private-tree.sh "$work/tree" with_llvm=no
	done_step
	private_paths
	echo "$bindir" >"$work/out/bindir"
	step 'start a server, reachable through its own socket only'
	cluster_start "$work/cluster" 'shared_buffers = 256MB' 'max_wal_size = 4GB'
	done_step
	step 'CREATE EXTENSION; create_workspace(crm)'
	createdb demo
	quietly "$work/out/set_up.log" "${psql_demo[@]}" -c 'CREATE EXTENSION lead_mgmt' \
		-c "SELECT lead_mgmt.create_workspace('crm')"
	done_step
	step 'generate and load the data'
	quietly "$work/out/generate.log" "${psql_demo[@]}" -f test/demo/generate.sql
	done_step
	say
	run "${psql_demo[@]}" -f test/demo/report.sql
	trap - EXIT
}

case ${1:-} in
	start) start ;;
	stop) stop ;;
	staged) staged ;;
	*) fail 'usage: demo.sh start|stop' ;;
esac
