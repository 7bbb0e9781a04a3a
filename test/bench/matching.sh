# Sourced by run.sh: how good and how fast matching is, against hand-written
# SQL over pg_similarity, pg_trgm and fuzzystrmatch.
#   PART="functions f1 scale live insert"   chooses parts (live and insert share
#                                           their data)
#   ROWS=100000                             fewer rows than 1,000,000
# shellcheck shell=bash disable=SC2154

here=test/bench/matching
rows=${ROWS:-1000000}
export PGOPTIONS='-c client_min_messages=warning'
parts=" ${PART:-functions f1 scale live insert} "

script() {
	local file=$1
	shift
	psql -X -q -A -t -v ON_ERROR_STOP=1 "$@" -f "$here/$file.sql"
}

# generate KIND TABLE ROWS SEED HARDNESS
generate() { script "$1" -v table="$2" -v n="$3" -v seed="$4" -v hardness="$5"; }

has() { [[ $(sql "SELECT to_regproc('$1') IS NOT NULL") == t ]]; }
wanted() { [[ $parts == *" $1 "* ]]; }
peers() { [[ $peers == t ]]; }
per_cent() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }

# peak_memory STATEMENT: the most megabytes that its backend and the parallel
# workers of it held for themselves, shared buffers left out
peak_memory() {
	local pid running now peak=0 segments
	sql >"$LEAD_MGMT_WORK/out/pid" <<-SQL &
		SELECT pg_backend_pid();
		$1;
	SQL
	running=$!
	while kill -0 "$running" 2>/dev/null; do
		pid=$(head -n 1 "$LEAD_MGMT_WORK/out/pid")
		if [[ -n $pid ]]; then
			now=$(pgrep -P "$(head -n 1 "$LEAD_MGMT_WORK/cluster/postmaster.pid")" | while read -r each; do
				# a parallel worker names its leader in its title
				if [[ $each == "$pid" ]] || grep -qa "parallel worker for PID $pid" "/proc/$each/cmdline" 2>/dev/null; then
					sed -n 's/^RssAnon:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$each/status" 2>/dev/null || true
				fi
			done | awk '{ sum += $1 } END { print sum + 0 }')
			segments=$(pgrep -P "$(head -n 1 "$LEAD_MGMT_WORK/cluster/postmaster.pid")" | while read -r each; do
				if [[ $each == "$pid" ]] || grep -qa "parallel worker for PID $pid" "/proc/$each/cmdline" 2>/dev/null; then
					grep -o '/dev/shm/PostgreSQL[^ ]*' "/proc/$each/maps" 2>/dev/null || true
				fi
			done | sort -u |
				xargs -r stat -c %s 2>/dev/null | awk '{ sum += $1 } END { print int(sum / 1024) }')
			((now + segments <= peak)) || peak=$((now + segments))
		fi
		sleep 0.05
	done
	wait "$running"
	echo $((peak / 1024))
}

sql 'CREATE EXTENSION pg_trgm; CREATE EXTENSION fuzzystrmatch'
peers=$(sql "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_similarity')")
if peers; then
	sql 'CREATE EXTENSION pg_similarity'
else
	note 'no peers: install postgresql-15-similarity'
fi
script names
script company_names
script evaluate

# --- Jaro-Winkler through a call -------------------------------------------

# call_ns EXPRESSION: nanoseconds for a row over those of a call that does nothing
call_ns() {
	local query with without
	query="SET max_parallel_workers_per_gather = 0; SET jit = off; SELECT count(%s) FROM pairs_of_names"
	# shellcheck disable=SC2059
	without=$(time_sql "$(printf "$query" 'textlen(a)')" 5)
	# shellcheck disable=SC2059
	with=$(time_sql "$(printf "$query" "$1")" 5)
	awk -v a="$with" -v b="$without" 'BEGIN { printf "%.0f", (a - b) * 1e6 / 2000000 }'
}

part_functions() {
	has lead_mgmt.jaro_winkler || { note 'functions: skipped, there is no lead_mgmt.jaro_winkler'; return; }
	sql "CREATE TABLE pairs_of_names AS SELECT lower(a.name) AS a, lower(b.name) AS b FROM generate_series(1, 2000000) g
		JOIN generator.family_name a ON a.culture = 'en' AND a.rank = 1 + generator.pick(g, 1, 10000)
		JOIN generator.family_name b ON b.culture = 'en' AND b.rank = 1 + generator.pick(g, 2, 10000)"
	sql 'VACUUM ANALYZE pairs_of_names'
	local ours peer
	ours=$(call_ns 'lead_mgmt.jaro_winkler(a, b)')
	row 'jaro_winkler of short names, ns' "$ours" - '<= 60'
	if peers; then
		peer=$(call_ns 'jarowinkler(a, b)')
		row 'the same / pg_similarity, ns' "$ours" "$peer" '<= 0.33'
	fi
	if has lead_mgmt.levenshtein; then
		row 'levenshtein / fuzzystrmatch, ns' "$(call_ns 'lead_mgmt.levenshtein(a, b)')" "$(call_ns 'levenshtein(a, b)')" '<= 1'
	fi
	sql 'DROP TABLE pairs_of_names'
}

# --- how good ----------------------------------------------------------------

f1_head() {
	printf '%-24s | %7s | %7s | %6s | %6s %6s %6s | %6s %6s | %6s | %6s | %s\n' \
		'set' 'rows' 'true' 'reach' 'F1@.95' 'P' 'R' 'best' 'at p' 'clust' 'c best' s
}

# f1 TABLE: matches it with an untouched proposal, trained on itself. Sets
# $confident, $precision, $best and $clustered.
f1() {
	local started seconds true_pairs reached recall at best_clustered count
	started=$(now_ms)
	sql "DROP TABLE IF EXISTS found, clustered, model;
		CREATE TABLE model AS SELECT lead_mgmt.train_match_model('$1', lead_mgmt.propose_match_model('$1')) AS model;
		CREATE TABLE found AS SELECT p.* FROM model, lead_mgmt.find_pairs('$1', model, 0) p;
		CREATE TABLE clustered AS SELECT c.* FROM model, lead_mgmt.find_clusters('$1', model) c"
	seconds=$(($(now_ms) - started))
	count=$(sql "SELECT count(*) FROM $1")
	IFS='|' read -r true_pairs reached confident precision recall best at < <(sql "SELECT true_pairs, reached, confident_f1,
		confident_precision, confident_recall, best_f1, round(best_probability::numeric, 3) FROM evaluation.pairs('found', 'truth.$1')")
	clustered=$(sql "SELECT f1 FROM evaluation.clusters('clustered', 'truth.$1')")
	best_clustered=-
	if ((count <= 30000)); then
		best_clustered=$(sql "SELECT f1 FROM evaluation.best_components('found', 'truth.$1') LIMIT 1")
	fi
	printf '%-24s | %7s | %7s | %6s | %6s %6s %6s | %6s %6s | %6s | %6s | %s\n' "$1" "$count" "$true_pairs" "$reached" \
		"$confident" "$precision" "$recall" "$best" "$at" "$clustered" "$best_clustered" "$((seconds / 1000)).$((seconds % 1000 / 100))"
}

part_f1() {
	local table kind hardness size
	has lead_mgmt.find_pairs || { note 'f1: skipped, there is no lead_mgmt.find_pairs'; return; }
	declare -A asked=()
	f1_head
	if [[ -n ${LEAD_MGMT_DATA:-} && -d ${LEAD_MGMT_DATA:-}/matching ]]; then
		script files -v directory="$LEAD_MGMT_DATA/matching"
		for table in febrl1 febrl2 febrl3 fake_1000 fake_20000 synth_100k; do
			f1 "$table"
			asked[$table]="$confident $precision $best $clustered"
		done
	else
		note 'files: skipped, ../shared/data/matching is not there'
	fi
	for kind in people leads organisations; do
		for hardness in easy hard; do
			for size in 20000 100000; do
				((size <= rows)) || continue
				table=${kind}_$((size / 1000))k_$hardness
				generate "$kind" "$table" "$size" $((size + 7)) "$hardness"
				f1 "$table"
				asked[$table]="$confident $precision $best $clustered"
			done
		done
	done
	note
	table_head
	while IFS='|' read -r table what place limit; do
		[[ -n ${asked[$table]:-} ]] || continue
		# shellcheck disable=SC2086
		set -- ${asked[$table]}
		row "$what" "${!place}" - "$limit"
	done <<-'ASKED'
		febrl3|FEBRL3: F1 at p >= 0.95 (ECM 99.17)|1|>= 99.5
		febrl3|FEBRL3: best F1 (Splink 99.64)|3|>= 99.7
		fake_1000|fake_1000: F1 at p >= 0.95 (Splink 78.4)|1|>= 90
		fake_1000|fake_1000: precision at p >= 0.95|2|>= 97
		fake_1000|fake_1000: best F1 (Splink 91.0)|3|>= 92.5
		fake_20000|fake_20000: best F1 (Splink 72.7)|3|>= 80
		fake_20000|fake_20000: clustered F1 (Splink 76.1)|4|>= 84
		synth_100k|synth_100k: best F1 (Splink 99.86)|3|>= 99.9
	ASKED
	for table in "${!asked[@]}"; do
		[[ $table == *_*k_* ]] || continue
		# shellcheck disable=SC2086
		set -- ${asked[$table]}
		row "$table: precision at 0.95" "$2" - '>= 95'
	done | sort
	if peers; then
		for table in people_20k_easy people_20k_hard; do
			script peer_dedupe -v table="$table"
			sql "DROP TABLE IF EXISTS found;
				CREATE TABLE found AS SELECT left_id::text, right_id::text, weight::float8, probability::float8 FROM peer_pair"
			# shellcheck disable=SC2086
			set -- ${asked[$table]}
			row "$table: best F1 / hand-written SQL" "$3" "$(sql "SELECT best_f1 FROM evaluation.pairs('found', 'truth.$table')")" '>= 1'
		done
	fi
}

# --- a million people ------------------------------------------------------

# scored_a_second: pairs that got a probability, by the time that comparing took
scored_a_second() {
	PGOPTIONS='-c client_min_messages=notice' psql -X -q -A -t -c "SELECT count(*) FROM broad, lead_mgmt.find_pairs('people', model, 0)" 2>&1 |
		sed -n 's/.* \([0-9]*\) compared in full.*(\([0-9.]*\) s).*/\1 \2/p' | awk '{ printf "%d", $1 / $2 }'
}

part_scale() {
	has lead_mgmt.find_clusters || { note 'scale: skipped, there is no lead_mgmt.find_clusters'; return; }
	local whole trained pairs pairs_ms streamed_ms memory quality
	generate people people "$rows" 11 easy
	sql 'VACUUM ANALYZE people'
	sql CHECKPOINT
	whole=$(time_sql "SELECT count(*) FROM lead_mgmt.find_clusters('people',
		lead_mgmt.train_match_model('people', lead_mgmt.propose_match_model('people')))" 3)
	sql "DROP TABLE IF EXISTS model;
		CREATE TABLE model AS SELECT lead_mgmt.train_match_model('people', lead_mgmt.propose_match_model('people')) AS model"
	trained=$(time_sql "SELECT count(*) FROM model, lead_mgmt.find_clusters('people', model)" 3)
	# The keys that training chooses bring few pairs that do not match; how fast
	# pairs are scored shows where there are some millions.
	sql "DROP TABLE IF EXISTS broad;
		CREATE TABLE broad AS SELECT jsonb_insert(model, '{keys,-1}', '{\"parts\": [\"first_name:letters\", \"surname:letters\"]}', true) AS model FROM model"
	pairs=$(sql "SELECT count(*) FROM broad, lead_mgmt.find_pairs('people', model, 0)")
	pairs_ms=$(time_sql "SELECT count(*) FROM broad, lead_mgmt.find_pairs('people', model, 0)" 3)
	streamed_ms=$(time_sql "SELECT count(*) FROM (SELECT lead_mgmt.find_pairs('people', model, 0) FROM broad) p" 3)
	memory=$(peak_memory "SELECT count(*) FROM lead_mgmt.find_clusters('people',
		lead_mgmt.train_match_model('people', lead_mgmt.propose_match_model('people')))")
	row "$rows people, training included, ms" "$whole" - '<= 5400'
	row "$rows people, with a trained model, ms" "$trained" - '<= 2000'
	row 'memory for themselves, MB' "$memory" - '<= 400'
	row 'pairs by these keys and names, given a probability a second' "$(scored_a_second)" - '>= 2000000'
	row 'pairs read, blocked, scored, selected a second' "$(per_cent "$pairs" "$(per_cent "$streamed_ms" 1000)")" - '>= 2000000'
	row 'the same stored by a function in FROM' "$(per_cent "$pairs" "$(per_cent "$pairs_ms" 1000)")" -
	sql "DROP TABLE IF EXISTS clustered;
		CREATE TABLE clustered AS SELECT c.* FROM model, lead_mgmt.find_clusters('people', model) c"
	quality="format('F1 %s, precision %s, recall %s', f1, \"precision\", recall)"
	note "$pairs pairs by these keys and names; clusters: $(sql "SELECT $quality FROM evaluation.clusters('clustered', 'truth.people')")"
	if peers; then
		row 'with a trained model / hand-written SQL, ms' "$trained" "$(time_ms script peer_dedupe -v table=people)" '<= 0.1'
		sql 'CREATE TABLE peer_clustered AS SELECT id::text, cluster_id::text FROM peer_cluster'
		note "clusters by hand-written SQL: $(sql "SELECT $quality FROM evaluation.clusters('peer_clustered', 'truth.people')")"
	fi
}

# --- one against a million -------------------------------------------------

stored=
store() {
	[[ -z $stored ]] || return 0
	stored=1
	script live -v n="$rows" -v seed=31
	script timing
	! peers || script peer_live
	! has crm.train_match_strategy || script strategies >/dev/null
	sql 'VACUUM ANALYZE'
	sql CHECKPOINT
}

part_live() {
	store
	local ours=- ours_95=- peer peer_95
	if peers; then
		sql "CALL timing.look_up('peer', 'peer_match')"
		peer=$(sql "SELECT timing.percentile('peer', 0.5)")
		peer_95=$(sql "SELECT timing.percentile('peer', 0.95)")
		note "hand-written look-up: p50 $peer ms, p95 $peer_95 ms, found $(sql "SELECT timing.found('peer')") % of the recognisable"
	fi
	has crm.train_match_strategy || { note 'live: skipped, there is no crm.train_match_strategy'; return; }
	sql "CALL timing.look_up('ours', 'our_match')"
	ours=$(sql "SELECT timing.percentile('ours', 0.5)")
	ours_95=$(sql "SELECT timing.percentile('ours', 0.95)")
	row "one lead against $rows contacts, p50, ms" "$ours" - '<= 0.25'
	row "one lead against $rows contacts, p95, ms" "$ours_95" - '<= 1.0'
	row 'recognisable contacts that are compared, %' "$(sql "SELECT round(100.0 * avg(coalesce(contact_id = ANY (our_candidates(profile)), false)::integer), 2)
		FROM (SELECT * FROM probe ORDER BY number LIMIT 2000) p WHERE is_recognisable AND contact_id IS NOT NULL")" - '>= 99.5'
	note "found, that is, compared and found likely: $(sql "SELECT timing.found('ours')") %"
	if peers; then
		row 'p50 / hand-written look-up' "$ours" "$peer" '<= 0.1'
		row 'p95 / hand-written look-up' "$ours_95" "$peer_95" '<= 0.1'
	fi
	note "$(sql "SELECT string_agg(format('%s: p50 %s, p95 %s, found %s %%, first %s %%', kind,
		timing.percentile('ours', 0.5, kind), timing.percentile('ours', 0.95, kind), found, first), '; ')
		FROM (SELECT kind, round(100.0 * avg(is_found::integer), 1) AS found, round(100.0 * avg(is_first::integer), 1) AS first
			FROM timing.call WHERE what = 'ours' GROUP BY kind) k")"
}

insert() { echo "INSERT INTO crm.submission (form, payload) VALUES (''$1'', \$1)"; }

part_insert() {
	store
	local none exact fuzzy kind
	if peers; then
		sql "CALL timing.insert('unknown', 2000, jsonb_build_object(
			'peer none', 'INSERT INTO peer_inquiry (is_matched, profile) VALUES (false, \$1)',
			'peer exact', 'INSERT INTO peer_inquiry (is_matched, profile) VALUES (true, \$1)'))"
		note "hand-written exact-only trigger: adds $(sql "SELECT timing.percentile('peer exact', 0.5) - timing.percentile('peer none', 0.5)") ms (p50)"
	fi
	has crm.train_match_strategy || { note 'insert: skipped, there is no crm.train_match_strategy'; return; }
	for kind in unknown 'few errors'; do
		sql "CALL timing.insert('$kind', 1000, jsonb_build_object('none', '$(insert none)', 'exact', '$(insert exact)', 'fuzzy', '$(insert fuzzy)'))"
		none=$(sql "SELECT timing.percentile('none', 0.5, '$kind')")
		exact=$(sql "SELECT timing.percentile('exact', 0.5, '$kind')")
		fuzzy=$(sql "SELECT timing.percentile('fuzzy', 0.5, '$kind')")
		note "INSERT of a submission, $kind, p50: none $none ms, exact $exact ms, fuzzy $fuzzy ms"
		if [[ $kind == unknown ]]; then
			row 'exact matching adds to an INSERT, p50, ms' "$(sql "SELECT $exact - $none")" - '<= 0.06'
			row 'fuzzy matching adds to an INSERT, p50, ms' "$(sql "SELECT $fuzzy - $none")" - '<= 0.10'
		fi
	done
}

for part in functions f1 scale live insert; do
	if wanted "$part"; then
		started=$(now_ms)
		"part_$part"
		note "($part: $((($(now_ms) - started) / 1000)) s)"
		note
	fi
done
