# What the harness scripts share; source it.
# shellcheck shell=bash

# A caller's make flags and connection settings must not leak into our builds
# and servers.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
if [[ -z ${LEAD_MGMT_WORK:-} ]]; then
	for variable in "${!PG@}"; do
		[[ $variable == PG_CONFIG ]] || unset "$variable"
	done
	unset variable
fi
export LC_ALL=C.UTF-8
umask 022

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
db_superuser=postgres

say() { printf '%s\n' "$*"; }
fail() { printf '%s\n' "$*" >&2; exit 1; }

now_ms() { local t=${EPOCHREALTIME//[.,]/}; echo "${t%???}"; }

# step TEXT / done_step: one progress line with its duration
step() { step_started=$(now_ms); printf '%-58s' "$*"; }
done_step() {
	local ms=$(($(now_ms) - step_started))
	printf '%8d.%01d s\n' $((ms / 1000)) $((ms % 1000 / 100))
}

# quietly LOG COMMAND...: runs it, shows the end of its output if it fails
quietly() {
	local log=$1 status=0
	shift
	run "$@" >"$log" 2>&1 || status=$?
	if ((status)); then
		printf '\n'
		tail -n 60 "$log"
	fi
	return "$status"
}

# In the background and waited for, so that a signal to this script is
# handled at once and not after the command; a program, not a function, for
# that would be a subshell, which passes no signal on.
child=
run() {
	local status=0
	"$@" &
	child=$!
	wait "$child" || status=$?
	child=
	return "$status"
}

stop_child() {
	[[ -n $child ]] || return 0
	kill -TERM "$child" 2>/dev/null || true
	wait "$child" 2>/dev/null || true
	child=
}

# on_exit FUNCTION: calls it once, however this script ends
on_exit() {
	# shellcheck disable=SC2064
	trap "trap '' INT TERM HUP; trap - EXIT; stop_child; $1" EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	trap 'exit 129' HUP
}

# --- the user that runs the server ---------------------------------------

# The server refuses to run as root: as root, another user does everything
# that follows the staging. Sets $server_user, and $as_server to what stands
# before a command to run it as that user; setpriv execs, so signals reach the
# command itself. To be called once the packages are there: one makes the user.
choose_server_user() {
	as_server=()
	if ((EUID)); then
		server_user=$(id -un)
		return
	fi
	server_user=nobody
	if getent passwd postgres >/dev/null; then server_user=postgres; fi
	as_server=(setpriv --reuid="$(id -u "$server_user")" --regid="$(id -g "$server_user")"
		--init-groups --)
}

# --- the working directory -----------------------------------------------

# make_work_dir NAME: sets $work to a fresh private directory. A socket's path
# has at most 107 bytes, and the server's user must get there.
make_work_dir() {
	local base=${TMPDIR:-/tmp}
	choose_server_user
	if ((${#base} > 40)) || ! "${as_server[@]}" test -x "$base" || [[ ! -w $base ]]; then
		base=/tmp
	fi
	work=$(mktemp -d "$base/lead_mgmt-$1.XXXXXX")
	chmod 700 "$work"
	touch "$work/.lead_mgmt-harness"
}

remove_work_dir() {
	[[ -n ${work:-} && -f $work/.lead_mgmt-harness ]] || return 0
	cd /
	rm -rf "$work"
}

# stage: copies what builds and tests need into $work/src, owned by the
# server's user; the checkout itself may be out of that user's reach and is
# never written to.
stage() {
	mkdir "$work/src" "$work/tmp" "$work/home" "$work/out"
	tar -C "$top" -cf - --exclude='*.o' --exclude='*.bc' --exclude='*.so' --exclude='*.a' \
		--exclude='./sql/lead_mgmt--*.sql' --exclude='./src/leadctl/leadctl' --exclude='*.swp' \
		./Makefile ./README.md ./lead_mgmt.control ./sql ./src ./expected ./test |
		tar -C "$work/src" -xf - --no-same-owner
	stage_data
	if ((EUID == 0)); then
		chown -R "$server_user": "$work"
	fi
}

# The data sets are optional and lie beside the checkout, where the server's
# user may be unable to read them.
stage_data() {
	local data=${LEAD_MGMT_DATA:-$top/../shared/data}
	unset LEAD_MGMT_DATA
	[[ -d $data ]] || return 0
	data=$(cd "$data" && pwd)
	if [[ -n $("${as_server[@]}" find "$data" ! -readable -print -quit 2>&1) ]]; then
		cp -r "$data" "$work/data"
		chmod -R u+rwX "$work/data"
		data=$work/data
	fi
	export LEAD_MGMT_DATA=$data
}

# run_staged SCRIPT [ARG...]: a script of the staged copy, as the server's
# user, with $work handed on
run_staged() {
	local script=$1
	shift
	cd "$work" || return
	run "${as_server[@]}" env HOME="$work/home" TMPDIR="$work/tmp" LEAD_MGMT_WORK="$work" \
		bash "$work/src/$script" "$@"
}

# --- the private server --------------------------------------------------

# private_paths: bindir of the private tree at $work/tree, and where the
# server's test programs are
# shellcheck disable=SC2034
private_paths() {
	pg_config=${PG_CONFIG:-pg_config}
	bindir=$work/tree$("$pg_config" --bindir)
	pgxs_dir=$(dirname "$("$pg_config" --pgxs)")/..
	export PATH=$bindir:$PATH
}

# cluster_start DATADIR [LINE...]: initdb, the lines appended to its
# configuration, start; sets PGHOST and PGUSER
cluster_start() {
	local datadir=$1
	shift
	initdb -D "$datadir" -U "$db_superuser" -A trust --no-locale --encoding=UTF8 --no-sync \
		>"$work/out/initdb.log" 2>&1 || { cat "$work/out/initdb.log"; return 1; }
	{
		echo "listen_addresses = ''"
		echo "unix_socket_directories = '$work'"
		echo "unix_socket_permissions = 0700"
		printf '%s\n' "$@"
	} >>"$datadir/postgresql.conf"
	pg_ctl -D "$datadir" -l "$work/out/server.log" -w -t 60 start >"$work/out/pg_ctl.log" 2>&1 ||
		{ cat "$work/out/pg_ctl.log" "$work/out/server.log"; return 1; }
	export PGHOST=$work PGUSER=$db_superuser PGDATABASE=postgres
}

# Every cluster below $work is one of ours, those that a killed test left
# behind included.
stop_clusters() {
	local pidfile
	[[ -d $work ]] || return 0
	while IFS= read -r pidfile; do
		pg_ctl -D "$(dirname "$pidfile")" -m immediate -w stop >/dev/null 2>&1 || true
	done < <(find "$work" -name postmaster.pid -type f 2>/dev/null)
}
