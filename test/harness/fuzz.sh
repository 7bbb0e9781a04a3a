#!/usr/bin/env bash
# fuzz.sh standalone|libfuzzer: builds and runs the targets of test/fuzz.
#
# A target test/fuzz/NAME.c defines LLVMFuzzerTestOneInput and names what it
# links in two comment lines:
#     // sources: src/types/email_core.c
#     // libs: -lidn2
# Files in test/fuzz/corpus/NAME/ are its seeds. "standalone" builds with gcc
# and our own driver and makes the same FUZZ_RUNS inputs every time;
# "libfuzzer" builds with clang and searches for FUZZ_SECONDS.
set -euo pipefail
# shellcheck source=test/harness/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

mode=${1:-standalone}
filter=${FUZZ:-}
runs=${FUZZ_RUNS:-200000}
seconds=${FUZZ_SECONDS:-60}
out=$(mktemp -d)
# shellcheck disable=SC2317
remove_out() { rm -rf "$out"; }
on_exit remove_out
cd "$top"

# named FILE KEY: the words after "// KEY:"
named() { sed -n "s|^// $2:||p" "$1" | tr '\n' ' '; }

build() {
	set -e
	local target=$1 name=$2 file object objects=() link=cc
	local -a sources libs flags
	read -r -a sources <<<"$(named "$target" sources)" || true
	read -r -a libs <<<"$(named "$target" libs)" || true
	if [[ $mode == libfuzzer ]]; then
		local cc=clang cxx=clang++
		flags=('-fsanitize=fuzzer,address,undefined')
	else
		local cc=gcc cxx=g++
		flags=('-fsanitize=address,undefined')
		sources+=(test/harness/fuzz_driver.c)
	fi
	flags+=(-g -O1 -fno-omit-frame-pointer -fno-sanitize-recover=all -Wall -Isrc -I"$("${PG_CONFIG:-pg_config}" --includedir)")
	for file in "$target" "${sources[@]}"; do
		object=$out/$name.${#objects[@]}.o
		if [[ $file == *.cpp ]]; then
			link=cxx
			"$cxx" "${flags[@]}" -c "$file" -o "$object"
		else
			"$cc" "${flags[@]}" -c "$file" -o "$object"
		fi
		objects+=("$object")
	done
	"${!link}" "${flags[@]}" "${objects[@]}" "${libs[@]}" -o "$out/$name"
}

fuzz() {
	local name=$1 corpus=test/fuzz/corpus/$1
	[[ -d $corpus ]] || corpus=
	export UBSAN_OPTIONS=print_stacktrace=1:abort_on_error=1
	if [[ $mode == libfuzzer ]]; then
		mkdir "$out/$name.found"
		run "$out/$name" -max_total_time="$seconds" -max_len=4096 \
			-artifact_prefix="$out/" "$out/$name.found" ${corpus:+"$corpus"}
	else
		run "$out/$name" "$runs" ${corpus:+"$corpus"}
	fi
}

leak_checker_works() {
	echo 'int main(void) { return 0; }' | gcc -fsanitize=address -x c - -o "$out/probe"
	"$out/probe" >/dev/null 2>&1
}

if [[ $mode == libfuzzer ]]; then
	bash test/harness/packages.sh build fuzz
fi
# It needs ptrace, which a container may forbid.
leak_checker_works || export ASAN_OPTIONS=detect_leaks=0
bad=0
for target in test/fuzz/*.c; do
	name=$(basename "$target" .c)
	[[ -e $target && $name.c == *"$filter"* ]] || continue
	# Apart from any condition, so that set -e holds inside.
	set +e
	(build "$target" "$name")
	status=$?
	((status)) || fuzz "$name" || status=$?
	set -e
	if ((status)); then
		say "not ok $name"
		bad=1
	else
		say "ok $name"
	fi
done
exit "$bad"
