#!/usr/bin/env bash
# indent.sh BINARY FILE...: pg_bsd_indent over C files, as pgindent runs it,
# with the type names that the debug data of BINARY, built from them, has.
#
# Names of types alone are wanted: those of C++, such as "other" and "type",
# are none in C, and in a file that has a variable or member of a type's name,
# such as "text", it is that. Files with the byte 0x80 are left alone, for which
# pg_bsd_indent writes something else.
set -euo pipefail

binary=$1
shift
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

objdump --dwarf=info "$binary" | awk '
	/\(DW_TAG_/ { tag = $0; sub(/^.*\(/, "", tag); sub(/\).*$/, "", tag) }
	/DW_AT_language/ && tag == "DW_TAG_compile_unit" { is_c = !/C\+\+/ }
	/DW_AT_name/ && tag != "" {
		name = $0
		sub(/^.*DW_AT_name *: /, "", name)
		sub(/^\(.*\): /, "", name)
		sub(/ +$/, "", name)
		if (is_c && tag == "DW_TAG_typedef")
			print "type", name
		else if (is_c && tag ~ /_(variable|formal_parameter|member)$/)
			print "value", name
		if (tag != "DW_TAG_compile_unit")
			tag = ""
	}' | sort -u >"$scratch/names"
# types that nothing is declared with are not in the debug data, nor are macros
{
	sed -n 's/^type //p' "$scratch/names"
	sed -n 's/^} \([A-Z][A-Za-z]*\);$/\1/p' "$@"
	echo regmatch_t
} | sort -u >"$scratch/types"
sed -n 's/^value //p' "$scratch/names" | comm -12 "$scratch/types" - >"$scratch/both"

for file; do
	if LC_ALL=C grep -qP '\x80' "$file"; then
		continue
	fi
	while read -r name; do
		if grep -qE "(->|\.)$name\>|\<$name( =|;|,|\.|->|\+\+|\[)" "$file"; then
			echo "$name"
		fi
	done <"$scratch/both" | comm -23 "$scratch/types" - >"$scratch/known"
	if ! (cd "$scratch" && cp "$OLDPWD/$file" before.c && pg_bsd_indent -bad -bap -bbb -bc -bl -cli1 -cp33 -cdb -nce \
		-d0 -di12 -nfc1 -i4 -l79 -lp -lpl -nip -npro -sac -tpg -ts4 -Uknown before.c after.c) 2>"$scratch/errors"; then
		echo "left alone $file: $(head -n 1 "$scratch/errors")"
		continue
	fi
	# as pgindent does: no room before the star of a function's type, nor after static
	sed -i -e 's/^\([A-Za-z_][^ \t]*\)[ \t][ \t]*\(\*\**\)$/\1 \2/' -e 's/^static[ \t][ \t]*/static /' "$scratch/after.c"
	if ! cmp -s "$file" "$scratch/after.c"; then
		cat "$scratch/after.c" >"$file"
		echo "indented $file"
	fi
done
