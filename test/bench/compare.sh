# Sourced by run.sh: what a comparison costs, in nanoseconds net of the scan
# that feeds it: the same query with and without the call, the least of many
# short runs of each, as what disturbs a run only makes it slower.
# shellcheck shell=bash disable=SC2154

scratch=$LEAD_MGMT_WORK/out/compare
mkdir -p "$scratch"

peers=yes
sql 'CREATE EXTENSION fuzzystrmatch; CREATE EXTENSION pg_trgm'
sql 'CREATE EXTENSION pg_similarity' 2>/dev/null || peers=

sql <<-'SQL'
	CREATE TABLE name (id serial, short text, long text);
	INSERT INTO name (short)
		SELECT lower(first || second || CASE WHEN n % 7 = 0 THEN third ELSE '' END)
		FROM unnest('{Ada,Al,An,Bar,Ben,Car,Chris,Dal,Dun,Ed,Fran,Gar,Gil,Han,Hol,Is,Jan,John,Ken,Lam,Lin,Mac,Mar,Mor,Nor,Ol,Par,Pat,Ros,Sam,Ste,Tho,Wal,Wil}'::text[]) WITH ORDINALITY AS a(first, n),
			unnest('{a,berg,by,d,dale,en,er,es,ford,in,is,kins,ley,man,mas,ner,o,pher,ra,sen,son,t,ton,ven,y}'::text[]) AS b(second),
			unnest('{s,sky,well}'::text[]) AS c(third)
		GROUP BY 1;
	-- every third name with a slip
	INSERT INTO name (short)
		SELECT CASE id % 4 WHEN 0 THEN overlay(short PLACING '' FROM 2 + id % 4 FOR 1) WHEN 1 THEN overlay(short PLACING reverse(substr(short, 2, 2)) FROM 2 FOR 2)
			WHEN 2 THEN short || 'e' ELSE translate(short, 'aeiou', 'eioua') END
		FROM name WHERE id % 3 = 0;
	DELETE FROM name WHERE length(short) < 3;
	CREATE FUNCTION public.pairs(n integer) RETURNS TABLE (a text, b text) LANGUAGE sql AS $$
		WITH s AS (SELECT array_agg(short ORDER BY id) AS names, count(*)::integer AS n FROM name)
		SELECT names[1 + (hashint4(g) & 2147483647) % s.n], names[1 + (hashint4(g + 1000003) & 2147483647) % s.n]
		FROM s, generate_series(1, pairs.n) AS g
	$$;
	CREATE UNLOGGED TABLE short AS SELECT * FROM public.pairs(50000);
	CREATE UNLOGGED TABLE full_name AS SELECT x.a || ' ' || y.a AS a, x.b || ' ' || y.b AS b
		FROM (SELECT row_number() OVER () AS i, * FROM public.pairs(30000)) AS x
		JOIN (SELECT row_number() OVER () AS i, * FROM public.pairs(30000)) AS y ON y.i = 30001 - x.i;
	CREATE UNLOGGED TABLE vietnamese AS SELECT f.a[1 + g % 8] || ' ' || m.a[1 + g / 8 % 6] || ' ' || l.a[1 + (hashint4(g) & 1023) % 9] AS a,
			f.a[1 + g / 3 % 8] || ' ' || m.a[1 + g / 5 % 6] || ' ' || l.a[1 + (hashint4(g + 7) & 1023) % 9] AS b
		FROM generate_series(1, 30000) AS g, (SELECT '{nguyễn,trần,lê,phạm,hoàng,võ,đặng,bùi}'::text[] AS a) AS f,
			(SELECT '{văn,thị,đức,ngọc,hữu,bảo}'::text[] AS a) AS m, (SELECT '{an,bình,châu,dũng,giang,hạnh,khánh,phương,tuấn}'::text[] AS a) AS l;
	CREATE UNLOGGED TABLE long AS
		SELECT left(string_agg(a, ' ' ORDER BY i), 200) AS a, left(string_agg(b, ' ' ORDER BY i), 200) AS b
		FROM (SELECT row_number() OVER () AS i, a, b FROM public.pairs(64000)) AS t GROUP BY i / 32;
	VACUUM ANALYZE;
SQL
note "$(sql "SELECT format('short names of %s characters, full names of %s, Vietnamese names of %s, long texts of %s',
	(SELECT round(avg(length(a)), 1) FROM short), (SELECT round(avg(length(a)), 1) FROM full_name),
	(SELECT round(avg(length(a)), 1) FROM vietnamese), (SELECT round(avg(length(a)), 1) FROM long))")"

# least_of N CONDITION TABLE: milliseconds of the fastest of N scans
least_of() {
	{
		printf '%s\n' 'SET jit = off;' 'SET max_parallel_workers_per_gather = 0;' '\timing on' '\o /dev/null'
		for ((i = 0; i < $1; i++)); do echo "SELECT count(*) FROM $3 WHERE $2;"; done
	} | sql | awk '/^Time: / { if (!n++ || $2 < least) least = $2 } END { print least }'
}

# least CONDITION TABLE: the same, out of a second of scans or two
least() {
	local once
	once=$(least_of 3 "$1" "$2")
	least_of $((1500 / (${once%.*} + 1) + 3)) "$1" "$2"
}

declare -A scans rows

# net CALL TABLE: nanoseconds of a call, set in $nanoseconds, as what a
# subshell keeps is lost
net() {
	local call
	if [[ -z ${scans[$2]:-} ]]; then
		rows[$2]=$(sql "SELECT count(*) FROM $2")
		scans[$2]=$(least 'b IS NULL' "$2")
	fi
	call=$(least "$1 IS NULL" "$2")
	nanoseconds=$(awk -v call="$call" -v scan="${scans[$2]}" -v n="${rows[$2]}" 'BEGIN { printf "%.1f", (call - scan) * 1e6 / n }')
}

# ours WHAT TABLE CALL [ASKED]: a row for a call alone
ours() {
	net "lead_mgmt.$3" "$2"
	row "$1" "$nanoseconds" - "${4:-}"
}

# against WHAT TABLE CALL PEER [ASKED]: a row for a call and a peer's
against() {
	local peer
	if [[ -z $peers && $4 =~ ^(jarowinkler|lev|qgram)\( ]]; then
		ours "$1" "$2" "$3"
		return
	fi
	net "public.$4" "$2"
	peer=$nanoseconds
	net "lead_mgmt.$3" "$2"
	row "$1" "$nanoseconds" "$peer" "${5:-<= 1}"
}

note 'ns net of the scan; ours / the peer that the line names'
ours 'short: jaro_winkler' short 'jaro_winkler(a, b)' '<= 60'
for table in short full_name vietnamese long; do
	against "$table: jaro_winkler / pg_similarity" $table 'jaro_winkler(a, b)' 'jarowinkler(a, b)'
	against "$table: levenshtein / fuzzystrmatch" $table 'levenshtein(a, b)' 'levenshtein(a, b)'
	if [[ $table != long ]]; then
		against "$table: levenshtein / pg_similarity" $table 'levenshtein(a, b)' 'lev(a, b)'
		against "$table: qgram_jaccard / pg_similarity" $table 'qgram_jaccard(a, b)' 'qgram(a, b)'
	fi
	against "$table: qgram_jaccard by 3 / pg_trgm" $table 'qgram_jaccard(a, b, 3)' 'similarity(a, b)'
done
against 'short: at most 2 apart / fuzzystrmatch' short 'levenshtein_within(a, b, 2)' 'levenshtein_less_equal(a, b, 2)'
against 'long: at most 5 apart / fuzzystrmatch' long 'levenshtein_within(a, b, 5)' 'levenshtein_less_equal(a, b, 5)'
for call in jaro optimal_string_alignment damerau_levenshtein keyboard_distance qgram_cosine prefix_similarity \
	substring_similarity initials_match is_acronym phone_similarity email_similarity; do
	ours "short: $call" short "$call(a, b)"
done
ours 'full_name: token_similarity' full_name 'token_similarity(a, b)'
ours 'full_name: monge_elkan' full_name 'monge_elkan(a, b)'

note 'ns of a kernel, without SQL'
cc -O2 -Isrc -o "$scratch/kernels" test/bench/compare_kernels.c src/compare/{jaro,edit,qgram,rows}.c -lm
sql 'SELECT short FROM name ORDER BY id' >"$scratch/names"
while read -r line; do
	asked=
	[[ $line != Jaro* ]] || asked='<= 40'
	row "${line% *}" "${line##* }" - "$asked"
done < <("$scratch/kernels" <"$scratch/names")
rm -rf "$scratch"
