#!/usr/bin/env bash
# private-tree.sh DIR [MAKE-ARGUMENT...]: a private copy of the installed
# PostgreSQL below DIR, with this extension built and installed in it. Needs
# no root and writes nothing but DIR and the build's own files.
set -euo pipefail

[[ ${1:-} == /* ]] || { echo "usage: private-tree.sh /DIR [MAKE-ARGUMENT...]" >&2; exit 2; }
tree=$1
shift
pg_config=${PG_CONFIG:-pg_config}
bindir=$("$pg_config" --bindir)
pkglibdir=$("$pg_config" --pkglibdir)
sharedir=$("$pg_config" --sharedir)
includedir=$("$pg_config" --includedir)

# The server finds its libraries and shared files relative to the place of its
# own program, symbolic links resolved: so programs are copied, the rest linked.
mkdir -p "$tree$bindir" "$tree$pkglibdir" "$tree$sharedir"
cp -RL "$bindir/." "$tree$bindir/"
cp -Rsf "$pkglibdir/." "$tree$pkglibdir/"
cp -Rsf "$sharedir/." "$tree$sharedir/"
mkdir -p "$tree$(dirname "$includedir")"
ln -sfn "$includedir" "$tree$includedir"

# An installed lead_mgmt may be another version.
rm -rf "$tree$pkglibdir"/lead_mgmt* "$tree$pkglibdir"/bitcode/lead_mgmt* \
	"$tree$sharedir"/extension/lead_mgmt*

make -C "$(dirname "${BASH_SOURCE[0]}")/../.." -s -j"$(nproc)" \
	PG_CONFIG="$pg_config" DESTDIR="$tree" "$@" install
