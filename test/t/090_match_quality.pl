# How good a match model is that nobody tuned: proposed, trained and used on
# data sets of known truth, through pairs and clusters.
use strict;
use warnings;
use LeadMgmt;
use Test::More;

my %sets = (
	febrl3 => {columns => 'unique_id text, given_name text, surname text, street_number text, address_1 text, address_2 text,
		suburb text, postcode text, state text, date_of_birth text, soc_sec_id text, cluster text', confident => 99.5, best => 99.7},
	fake_1000 => {columns => 'unique_id int, first_name text, surname text, dob text, city text, email text, cluster int,
		first_name_surname_concat text', confident => 90, best => 92.5, precision => 97},
	fake_20000 => {columns => 'unique_id int, first_name text, surname text, dob text, city text, email text, cluster int,
		first_name_surname_concat text', best => 80, clustered => 84});
my @present = grep { data_file("matching/$_.csv") } sort keys %sets;
plan skip_all => 'matching data are absent' unless @present;

my $node = new_node('quality', conf => "log_statement = none\nautovacuum = off\n");
query($node, q{
	CREATE FUNCTION f1(hits bigint, found bigint, wanted bigint) RETURNS numeric LANGUAGE sql
		RETURN round(200.0 * hits / nullif(found + wanted, 0), 2)});

for my $name (@present)
{
	my $set = $sets{$name};
	my $file = data_file("matching/$name.csv");

	query($node, "CREATE TABLE $name ($set->{columns})");
	query($node, "COPY $name FROM '$file' (FORMAT csv, HEADER)");
	query($node, "CREATE VIEW ${name}_records AS SELECT " . join(', ', grep { $_ ne 'cluster' } $set->{columns} =~ /(\w+) (?:text|int)/g)
		. " FROM $name");
	query($node, "CREATE TABLE ${name}_model AS SELECT lead_mgmt.train_match_model('${name}_records',
		lead_mgmt.propose_match_model('${name}_records')) AS model");
	query($node, "CREATE TABLE ${name}_pairs AS SELECT p.*, a.cluster = b.cluster AS hit
		FROM ${name}_model, lead_mgmt.find_pairs('${name}_records', model, 0.001) p
		JOIN $name a ON a.unique_id::text = left_id JOIN $name b ON b.unique_id::text = right_id");
	my $wanted = query($node, "SELECT sum(n * (n - 1) / 2) FROM (SELECT count(*) AS n FROM $name GROUP BY cluster) c");
	my ($confident, $precision) = split /\|/, query($node, "SELECT f1(count(*) FILTER (WHERE hit), count(*), $wanted),
		round(100.0 * count(*) FILTER (WHERE hit) / count(*), 2) FROM ${name}_pairs WHERE probability >= 0.95");
	my $best = query($node, "SELECT max(f1(hits, found, $wanted)) FROM (SELECT count(*) FILTER (WHERE hit) OVER down AS hits,
		count(*) OVER down AS found FROM ${name}_pairs WINDOW down AS (ORDER BY weight DESC)) s");
	my $clustered = query($node, "WITH c AS (SELECT r.cluster, c.cluster_id FROM ${name}_model,
			lead_mgmt.find_clusters('${name}_records', model) c JOIN $name r ON r.unique_id::text = c.id)
		SELECT f1((SELECT sum(n * (n - 1) / 2) FROM (SELECT count(*) AS n FROM c GROUP BY cluster, cluster_id) x)::bigint,
			(SELECT sum(n * (n - 1) / 2) FROM (SELECT count(*) AS n FROM c GROUP BY cluster_id) x)::bigint, $wanted)");

	diag("$name: F1 at 0.95 $confident (precision $precision), best $best, clustered $clustered");
	cmp_ok($confident, '>=', $set->{confident}, "$name: F1 at a probability of 0.95") if $set->{confident};
	cmp_ok($precision, '>=', $set->{precision}, "$name: precision at a probability of 0.95") if $set->{precision};
	cmp_ok($precision, '>=', 95, "$name: 0.95 means 0.95");
	cmp_ok($best, '>=', $set->{best}, "$name: F1 at the best threshold");
	cmp_ok($clustered, '>=', $set->{clustered}, "$name: F1 of clusters") if $set->{clustered};
}

done_testing();
