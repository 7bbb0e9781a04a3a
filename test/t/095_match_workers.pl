# Matching with parallel workers: the same results to the last bit, and in the
# same order, however many there are; and nothing left of a run that was
# cancelled.
use strict;
use warnings;
use LeadMgmt;
use Test::More;

my $node = new_node('workers',
	conf => "log_min_messages = debug1\nlog_statement = none\nautovacuum = off\nsynchronize_seqscans = off\nmax_parallel_workers = 8\n");

# Every sixth person comes twice, with an error; the names are made of syllables
query($node, q{
	CREATE FUNCTION syllables(n bigint, parts text[]) RETURNS text LANGUAGE sql
		RETURN initcap(parts[1 + n % 12] || parts[1 + n / 12 % 12] || parts[1 + n / 144 % 12]);
	-- so many persons, the first of which come again
	CREATE FUNCTION crowd(persons bigint, again bigint)
		RETURNS TABLE (id bigint, first_name text, surname text, birth_date date, phone text, email text)
	BEGIN ATOMIC
		SELECT r AS id,
			CASE WHEN r > persons AND r % 3 = 0 THEN left(syllables(p * 7 % 1201, g), -1) ELSE syllables(p * 7 % 1201, g) END AS first_name,
			syllables(p * 13 % 1709, f) AS surname,
			date '1940-01-01' + (p * 7919 % 20011)::integer AS birth_date,
			CASE WHEN r > persons AND r % 4 = 0 THEN NULL ELSE lpad((p * 104729 % 99999989)::text, 9, '2') END AS phone,
			lower(syllables(p * 13 % 1709, f)) || p % 9973 || '@example.com' AS email
		FROM (SELECT r, CASE WHEN r > persons THEN (r - persons) * 5 ELSE r END AS p FROM generate_series(1, persons + again) r) s,
			(SELECT '{ba,cel,dor,fin,gus,han,jo,ka,lu,mir,ne,os}'::text[] AS g, '{ar,ber,cor,den,el,fer,gar,hol,in,kel,lam,mon}'::text[] AS f) n;
	END;
	CREATE TABLE people AS SELECT * FROM crowd(60000, 12000);
	-- every tenth company comes twice, and every fiftieth has a unit that it shares its phone with
	CREATE TABLE companies AS
	SELECT c * 3 + copy AS id, name || CASE copy WHEN 1 THEN ' Ltd' WHEN 2 THEN ' Retail' ELSE '' END AS company, phone, city
	FROM (SELECT c, syllables(c * 7 % 1201, '{ba,cel,dor,fin,gus,han,jo,ka,lu,mir,ne,os}') || ' ' || syllables(c * 13 % 1709, '{ar,ber,cor,den,el,fer,gar,hol,in,kel,lam,mon}') AS name,
			lpad((c * 104729 % 99999989)::text, 9, '2') AS phone, 'Town ' || c * 31 % 977 AS city FROM generate_series(1, 50000::bigint) c) n,
		generate_series(0, 2) copy
	WHERE copy = 0 OR (copy = 1 AND c % 10 = 0) OR (copy = 2 AND c % 50 IN (0, 1))});

sub results
{
	my ($workers, $table) = @_;
	return query($node, qq{
		SET max_parallel_workers_per_gather = $workers;
		CREATE TEMP TABLE trained AS SELECT lead_mgmt.train_match_model('$table', lead_mgmt.propose_match_model('$table')) AS model;
		SELECT md5(model::text) FROM trained;
		SELECT count(*), md5(string_agg(p::text, ',')) FROM trained, lead_mgmt.find_pairs('$table', model, 0.001) p;
		SELECT count(*), md5(string_agg(p::text, ',')) FROM (SELECT lead_mgmt.find_pairs('$table', model, 0.001) AS p FROM trained) s;
		SELECT count(*), md5(string_agg(c::text, ',')) FROM trained, lead_mgmt.find_clusters('$table', model, 'complete') c});
}

sub workers_started
{
	my $log = PostgreSQL::Test::Utils::slurp_file($node->logfile);
	return scalar(() = $log =~ /starting background worker process "parallel worker/g);
}

my $serial = results(0, 'people');
is(workers_started(), 0, 'no workers where none may take part');
cmp_ok((split /\|/, (split /\n/, $serial)[1])[0], '>', 8000, 'pairs are found');
for my $workers (1, 3)
{
	my $before = workers_started();

	is(results($workers, 'people'), $serial, "the same results with $workers workers");
	cmp_ok(workers_started() - $before, '>=', 4 * $workers, "$workers workers took part");
}

# Words that training learns are known to workers
is(results(3, 'companies'), results(0, 'companies'), 'the same companies with workers');
is(query($node, q{SELECT jsonb_path_query_array(lead_mgmt.train_match_model('companies', lead_mgmt.propose_match_model('companies')), '$.fields[*].units[*]')}),
	'["retail"]', 'the word that marks a unit is learned');

# Of many records a sample is looked at; of all of them where it holds too few matches
sub sampled
{
	my ($again) = @_;
	return query($node, qq{
		CREATE TABLE crowd AS SELECT * FROM crowd(700000, $again);
		ANALYZE crowd;
		CREATE TEMP TABLE trained AS SELECT lead_mgmt.train_match_model('crowd', lead_mgmt.propose_match_model('crowd')) AS model;
		SELECT round((model -> 'report' ->> 'records')::numeric, -4), round((model -> 'report' ->> 'share')::numeric, 1),
			abs((model ->> 'prior')::float8 * (700000 + $again) ^ 2 / 2 / $again - 1) < 0.15
		FROM trained;
		SELECT abs(count(*) / $again.0 - 1) < 0.05 FROM trained, lead_mgmt.find_pairs('crowd', model, 0.95);
		-- a dictionary so large that the memory it is handed over in is given back last
		SELECT count(*) >= 0 FROM lead_mgmt.find_clusters('SELECT id, first_name, surname, phone FROM crowd',
			lead_mgmt.propose_match_model('SELECT id, first_name, surname, phone FROM crowd'));
		DROP TABLE crowd});
}

is(sampled(60000), "250000|0.3|t\nt\nt", 'parameters of a sample are those of all');
is(sampled(3000), "700000||t\nt\nt", 'all are looked at where a sample holds too few matches');

# Nor does it matter that the planner takes them to be many more than they are
query($node, q{
	CREATE TABLE few AS SELECT * FROM crowd(3000, 600);
	INSERT INTO few SELECT one.* FROM crowd(1, 0) AS one, generate_series(1, 1500000);
	ANALYZE few;
	DELETE FROM few WHERE id = 1});
is(query($node, q{
	SELECT model -> 'report' ->> 'records', model -> 'report' ->> 'share'
	FROM lead_mgmt.train_match_model('few', lead_mgmt.propose_match_model('few'), true) AS model}),
	'3599|', 'few records that were many');

# Inside a parallel query matching does without workers of its own
is(query($node, q{
	SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
	SELECT count(*), (SELECT count(*) > 8000 FROM lead_mgmt.find_clusters('people', lead_mgmt.propose_match_model('people')))
	FROM people}), '72000|t', 'matching inside a parallel query');

# Cancelled at any moment, nothing is left, and it takes no time
query($node, q{CREATE TABLE model AS SELECT lead_mgmt.train_match_model('people', lead_mgmt.propose_match_model('people')) AS model});
my $cancelled = 0;
for my $ms (40, 80, 120, 160, 200, 250, 300, 400)
{
	for my $call (q{lead_mgmt.train_match_model('people', model)}, q{lead_mgmt.find_pairs('people', model, 0.001)})
	{
		my ($code, $out, $err) = $node->psql('postgres', "SET statement_timeout = $ms; SELECT $call FROM model");
		$cancelled++ if $err =~ /canceling statement due to statement timeout/;
		ok($code == 0 || $err =~ /canceling statement due to statement timeout/, "cancelled after $ms ms, or done") or diag($err);
	}
}
cmp_ok($cancelled, '>=', 4, 'some were cancelled');
$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'parallel worker'});
is(query($node, q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'parallel worker'}), 0, 'no worker is left');
is(results(2, 'people'), $serial, 'the same results afterwards');
unlike(PostgreSQL::Test::Utils::slurp_file($node->logfile), qr/PANIC|terminated by signal|leak/, 'no leak and no crash');

done_testing();
