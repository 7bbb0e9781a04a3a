#!/usr/bin/env bash
# Runs every suite in a private server below a temporary directory.
# Environment: SUITES (which ones), TESTS (part of a test's name), RESULTS (a
# directory that is to receive the outputs).
set -euo pipefail
# shellcheck source=test/harness/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

known_suites='build regress isolation pgtap tap fuzz'
suites=${SUITES:-$known_suites}
filter=${TESTS:-}
suite_timeout=900

# --- as whoever called ---------------------------------------------------

outer() {
	local suite status=0
	for suite in $suites; do
		[[ " $known_suites " == *" $suite "* ]] || fail "no suite \"$suite\"; there are: $known_suites"
	done
	bash "$top/test/harness/packages.sh" build test
	make_work_dir check
	on_exit remove_work_dir
	stage
	run_staged test/harness/check.sh || status=$?
	if [[ -n ${RESULTS:-} ]]; then
		cd "$top"
		mkdir -p "$RESULTS"
		cp -r "$work/out/." "$RESULTS/"
		say "outputs: $RESULTS"
	fi
	exit "$status"
}

# --- as the server's user, in the staged copy ----------------------------

passed=0
failed=0
skipped=0
built=

count() {
	((passed += $1, failed += $2, skipped += $3)) || true
	local text="$1 passed, $2 failed"
	(($3 == 0)) || text+=", $3 skipped"
	say "  $text, $((($(now_ms) - suite_started) / 1000)) s"
}

# choose FILE...: sets $chosen to those that exist and that TESTS lets through,
# and $names to their names without directory and extension
choose() {
	local file name
	chosen=()
	names=()
	for file in "$@"; do
		name=${file##*/}
		if [[ -e $file && $name == *"$filter"* ]]; then
			chosen+=("$file")
			names+=("${name%.*}")
		fi
	done
	((${#chosen[@]}))
}

suite_build() {
	local log=$work/out/build.log
	if run timeout -k 10 "$suite_timeout" bash test/harness/private-tree.sh "$work/tree" \
		WERROR=-Werror with_llvm=no >"$log" 2>&1 && make -s check-names check-symbols with_llvm=no >>"$log" 2>&1; then
		built=yes
		count 1 0 0
	else
		tail -n 60 "$log"
		count 0 1 0
	fi
}

start_server() {
	private_paths
	cluster_start "$work/cluster" 'fsync = off' 'full_page_writes = off' 'max_connections = 50' \
		'shared_buffers = 128MB' 'log_min_messages = warning' "log_statement = 'none'"
}

# pg_regress_like NAME PROGRAM OPTION... -- TEST...
pg_regress_like() {
	local name=$1 log=$work/out/$1.log ok bad
	shift
	mkdir -p "$work/out/$name"
	local status=0
	# shellcheck disable=SC2154  # private_paths sets bindir
	run timeout -k 10 "$suite_timeout" "$1" --bindir="$bindir" --outputdir="$work/out/$name" \
		--dbname="lead_mgmt_$name" --host="$work" --user="$db_superuser" \
		--no-locale --encoding=UTF8 --load-extension=lead_mgmt "${@:2}" >"$log" 2>&1 || status=$?
	# PostgreSQL 16 reports in TAP.
	ok=$(grep -cE '^test .* \.\.\. ok|^ok [0-9]' "$log" || true)
	bad=$(grep -cE '^test .* \.\.\. .*FAILED|^not ok [0-9]' "$log" || true)
	if ((status && bad == 0)); then bad=1; fi
	if ((bad)); then
		grep -vE '\.\.\. ok|^\(using postmaster|^=====|^$|^(SET|(CREATE|ALTER|DROP) DATABASE|CREATE EXTENSION)$' "$log" | tail -n 40 || true
		if [[ -s $work/out/$name/regression.diffs ]]; then
			tail -n 200 "$work/out/$name/regression.diffs"
		fi
	fi
	count "$ok" "$bad" 0
}

# stage_expected NAME [DIRECTORY]: expected/ is looked for below the output
# directory first. A file that is missing would end the whole run.
stage_expected() {
	local name expected=$work/out/$1/expected
	mkdir -p "$expected"
	cp -r expected/. "$expected"
	if [[ -d ${2:-} ]]; then cp -r "$2/." "$expected"; fi
	for name in "${names[@]}"; do
		touch "$expected/$name.out"
	done
}

suite_regress() {
	choose test/sql/*.sql || { count 0 0 0; return; }
	stage_expected regress
	# shellcheck disable=SC2154  # private_paths sets pgxs_dir
	pg_regress_like regress "$pgxs_dir/test/regress/pg_regress" --inputdir=test \
		"${names[@]}"
}

suite_isolation() {
	choose test/isolation/specs/*.spec || { count 0 0 0; return; }
	stage_expected isolation test/isolation/expected
	pg_regress_like isolation "$pgxs_dir/test/isolation/pg_isolation_regress" \
		--inputdir=test/isolation "${names[@]}"
}

# tap_suite NAME ARGUMENT...: tap.pl with them
tap_suite() {
	local name=$1 counts=$work/out/$1.counts log=$work/out/$1.log
	shift
	echo '0 1 0' >"$counts"
	run timeout -k 10 "$suite_timeout" "${tap_env[@]}" perl test/harness/tap.pl "$counts" "$@" \
		>"$log" 2>&1 || true
	# shellcheck disable=SC2046
	set -- $(cat "$counts")
	if (($2)); then tail -n 200 "$log"; else grep '^skipped: ' "$log" | sed 's/^/  /' || true; fi
	count "$@"
}

suite_pgtap() {
	choose test/pgtap/*.sql || { count 0 0 0; return; }
	if ! { createdb pgtap_template && psql -Xq -v ON_ERROR_STOP=1 -d pgtap_template \
		-c 'CREATE EXTENSION pgtap' -c 'CREATE EXTENSION lead_mgmt'; }; then
		count 0 1 0
		return
	fi
	tap_env=(env)
	tap_suite pgtap --pgtap pgtap_template "${chosen[@]}"
}

suite_tap() {
	choose test/t/*.pl || { count 0 0 0; return; }
	local perl_lib
	perl_lib=$(cd "$pgxs_dir/test/perl" && pwd)
	mkdir -p "$work/out/tap"
	# The nodes of these tests are servers of their own.
	tap_env=(env -u PGHOST -u PGUSER -u PGDATABASE
		PG_REGRESS="$pgxs_dir/test/regress/pg_regress" TESTDIR="$work/out/tap"
		LEAD_MGMT_PERL5LIB="$work/src/test/t:$perl_lib")
	tap_suite tap "${chosen[@]}"
}

suite_fuzz() {
	choose test/fuzz/*.c || { count 0 0 0; return; }
	local log=$work/out/fuzz.log status=0 ok bad
	FUZZ=$filter run timeout -k 10 "$suite_timeout" bash test/harness/fuzz.sh standalone >"$log" 2>&1 || status=$?
	ok=$(grep -c '^ok ' "$log" || true)
	bad=$(grep -c '^not ok ' "$log" || true)
	if ((status && bad == 0)); then bad=1; fi
	if ((bad)); then tail -n 100 "$log"; fi
	count "$ok" "$bad" 0
}

clean_up() {
	PATH=${bindir:-}:$PATH stop_clusters
}

inner() {
	local suite
	work=$LEAD_MGMT_WORK
	cd "$work/src"
	on_exit clean_up
	# The other suites need what the build makes.
	[[ " $suites " == *" build "* || $suites == fuzz ]] || suites="build $suites"
	for suite in $suites; do
		suite_started=$(now_ms)
		say "$suite"
		case $suite in
			build)
				suite_build
				if [[ -n $built ]] && ! start_server; then
					say '  the server did not start'
					built=
				fi
				;;
			fuzz) suite_fuzz ;;
			*)
				if [[ -n $built ]]; then
					"suite_$suite"
				else
					say '  not run: there is no server with the extension'
					count 0 1 0
				fi
				;;
		esac
	done
	if ((skipped)); then
		say "$passed passed, $failed failed, $skipped skipped"
	else
		say "$passed passed, $failed failed"
	fi
	((failed == 0))
}

if [[ -n ${LEAD_MGMT_WORK:-} ]]; then inner; else outer; fi
