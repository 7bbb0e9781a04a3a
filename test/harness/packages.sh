#!/usr/bin/env bash
# packages.sh PURPOSE...: installs the Debian packages that build, test, bench
# or fuzz need and that are missing. What counts is what they provide, so a
# PostgreSQL from elsewhere does as well.
set -euo pipefail

pg_config=${PG_CONFIG:-pg_config}
major=$("$pg_config" --version 2>/dev/null | sed -n 's/^PostgreSQL \([0-9]*\).*/\1/p') || true
major=${major:-15}
missing=()

# need PACKAGE COMMAND...: the package is missing if the command fails
need() {
	local package=$1
	shift
	"$@" >/dev/null 2>&1 || missing+=("$package")
}

# pg_provides OPTION FILE: pg_config's directory (or file) has it
pg_provides() {
	local place
	place=$("$pg_config" "$1") && [[ -e $place${2:-} ]]
}

# header NAME...: the C++ compiler finds them
header() { printf '#include <%s>\n' "$@" | g++ -fsyntax-only -x c++ -; }

purpose_build() {
	need "postgresql-$major" pg_provides --bindir /postgres
	need "postgresql-server-dev-$major" pg_provides --includedir-server /postgres.h
	need libpq-dev test -e "$("$pg_config" --includedir 2>/dev/null)/libpq-fe.h"
	need gcc gcc --version
	need g++ g++ --version
	need libphonenumber-dev header phonenumbers/phonenumberutil.h
	need libidn2-dev header idn2.h
	need libxml2-dev xml2-config --version
	need libcurl4-openssl-dev header curl/curl.h
	need libzip-dev header zip.h
	need libexpat1-dev header expat.h
	need libssl-dev header openssl/evp.h
	need liblinear-dev header linear.h
}

purpose_test() {
	need "postgresql-$major-pgtap" pg_provides --sharedir /extension/pgtap.control
	need perl perl -MTAP::Harness -e 1
	need libipc-run-perl perl -MIPC::Run -e 1
}

# the peers that benchmarks measure against
purpose_bench() {
	need "postgresql-$major-similarity" pg_provides --sharedir /extension/pg_similarity.control
}

purpose_fuzz() {
	need clang clang --version
	need libclang-rt-14-dev fuzzer_links
}

fuzzer_links() {
	local out status=0
	out=$(mktemp)
	echo 'int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n) { return 0; }' |
		clang -fsanitize=fuzzer,address -x c - -o "$out" || status=$?
	rm -f "$out"
	return "$status"
}

for purpose in "$@"; do
	"purpose_$purpose"
done
((${#missing[@]})) || exit 0

if ((EUID == 0)); then
	as_root=()
elif sudo -n true 2>/dev/null; then
	as_root=(sudo -n)
else
	as_root=(false)
fi
if [[ ${as_root[0]:-} == false ]] || ! command -v apt-get >/dev/null; then
	{
		echo "Packages are missing. As root, run:"
		echo "  apt-get install --no-install-recommends ${missing[*]}"
	} >&2
	exit 1
fi

# Debian's server package makes and starts a cluster unless told not to.
no_cluster=
made_directory=
if [[ " ${missing[*]} " == *" postgresql-$major "* ]]; then
	no_cluster=/etc/postgresql-common/createcluster.d/lead_mgmt-no-cluster.conf
fi
log=$(mktemp)
clean_up() {
	rm -f "$log"
	[[ -z $no_cluster ]] || "${as_root[@]}" rm -f "$no_cluster"
	[[ -z $made_directory ]] ||
		"${as_root[@]}" rmdir --ignore-fail-on-non-empty "$made_directory" 2>/dev/null || true
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

if [[ -n $no_cluster ]]; then
	if [[ ! -d ${no_cluster%/*} ]]; then
		made_directory=${no_cluster%/*}
		"${as_root[@]}" mkdir -p "$made_directory"
	fi
	echo 'create_main_cluster = false' | "${as_root[@]}" tee "$no_cluster" >/dev/null
fi
echo "installing ${missing[*]}"
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -o DPkg::Lock::Timeout=300)
if ! { "${apt[@]}" update && "${apt[@]}" install --no-install-recommends "${missing[@]}"; } \
	>"$log" 2>&1 </dev/null; then
	tail -n 40 "$log" >&2
	exit 1
fi
