# Attribution against published data: weights by position, first, last and
# linear credits, and removal effects of a Markov chain of 10,000 paths.
use strict;
use warnings;
use LeadMgmt;
use PostgreSQL::Test::Utils;
use Test::More;

my %files = map { $_ => data_file("attribution/$_.csv") } qw(pathdata pathdata_heuristic pathdata_markov_o1_exact weights_by_position);
plan skip_all => 'attribution data are absent' if grep { !$_ } values %files;

my $node = new_node('attribution', conf => "log_statement = none\nautovacuum = off\n");
query($node, q{
	CREATE TABLE path (path text, conversions int, value numeric, nulls int);
	CREATE TABLE heuristic (channel text, first float8, first_value float8, last float8, last_value float8, linear float8, linear_value float8);
	CREATE TABLE markov (channel text, effect float8, effect_value float8, conversions float8, value float8);
	CREATE TABLE weight (model text, n int, position int, weight float8)});
query($node, "COPY path FROM '$files{pathdata}' (FORMAT csv, HEADER)");
query($node, "COPY heuristic FROM '$files{pathdata_heuristic}' (FORMAT csv, HEADER)");
query($node, "COPY markov FROM '$files{pathdata_markov_o1_exact}' (FORMAT csv, HEADER)");
query($node, "COPY weight FROM '$files{weights_by_position}' (FORMAT csv, HEADER)");

# The weights of models by the number of touches; milestones and days before
# are part of a model's name there
query($node, q{
	CREATE VIEW example AS
	SELECT w.*, '2026-06-01Z'::timestamptz - make_interval(secs => 86400 * COALESCE(
			(string_to_array(substring(model FROM 'days_before=(.*)'), '/'))[position]::float8, (n - position)::float8)) AS at,
		CASE WHEN model LIKE 'position%' THEN '{"first": [0.1, 0.2, 0.3, 0.4]}'
			ELSE regexp_replace(model, '_(40_20_40|20_20_60|60_20_20|hl7.*|first=.*)$', '') END AS name,
		substring(model FROM 'lead=(\d)')::int AS lead, substring(model FROM 'opp=(\d)')::int AS opportunity
	FROM weight w WHERE model NOT LIKE 'hubspot%'});
is( query($node, q{
	SELECT count(DISTINCT model), count(*), bool_and(abs(credit - weight) <= 1e-12) FROM (
		SELECT model, weight, lead_mgmt.touch_credit(name, at, NULL, false, NULL,
			'2026-06-01Z'::timestamptz - make_interval(secs => 86400 * (n - lead) - 1),
			'2026-06-01Z'::timestamptz - make_interval(secs => 86400 * (n - opportunity) - 1)) OVER (PARTITION BY model, n) AS credit
		FROM example) x}),
	query($node, q{SELECT count(DISTINCT model), count(*), true FROM weight WHERE model NOT LIKE 'hubspot%'}), 'weights by position');

# Paths as journeys: each converts as often as the file says
query($node, q{
	CREATE TABLE touch AS SELECT p.id AS journey, '2026-01-01Z'::timestamptz + n * interval '1 minute' AS occurred_at, channel
		FROM (SELECT row_number() OVER () AS id, * FROM path) p, unnest(string_to_array(path, ' > ')) WITH ORDINALITY u (channel, n);
	CREATE TABLE conversion AS SELECT p.id AS journey, '2026-06-01Z'::timestamptz AS converted_at, CASE WHEN n = 1 THEN value ELSE 0 END AS value
		FROM (SELECT row_number() OVER () AS id, * FROM path) p, generate_series(1, conversions) n});
is( query($node, q{
	SELECT count(*), bool_and(abs(c.conversions::float8 / e.conversions - 1) < 1e-12), bool_and(abs(c.value::float8 / e.value - 1) < 1e-11)
	FROM lead_mgmt.channel_credits('TABLE touch', 'TABLE conversion', '{first,last,linear}', digits => 12) c
	JOIN (SELECT 'first' AS model, channel, first AS conversions, first_value AS value FROM heuristic
		UNION ALL SELECT 'last', channel, last, last_value FROM heuristic
		UNION ALL SELECT 'linear', channel, linear, linear_value FROM heuristic) e USING (model, channel)}),
	'36|t|t', 'first, last and linear credits');
is( query($node, q{
	SELECT sum(conversions) = (SELECT sum(conversions) FROM path), sum(value) = (SELECT sum(round(value, 2)) FROM path WHERE conversions > 0)
	FROM lead_mgmt.channel_credits('TABLE touch', 'TABLE conversion', '{time_decay}')}),
	't|t', 'nothing is lost');

# Markov chains
is( query($node, q{
	SELECT count(*), bool_and(abs(e.effect - m.effect) < 1e-12), bool_and(abs(e.value_effect - m.effect_value) < 1e-12),
		bool_and(abs(e.conversions / m.conversions - 1) < 1e-11), bool_and(abs(e.value / m.value - 1) < 1e-11)
	FROM (SELECT lead_mgmt.markov(string_to_array(path, ' > '), conversions, value::float8, nulls, 1) AS effects FROM path) x,
		unnest(effects) e JOIN markov m USING (channel)}),
	'12|t|t|t|t', 'removal effects of order 1');

# Shapley values: each channel of a path has an equal share
is( query($node, q{
	SELECT count(*), bool_and(abs(e.conversions - s.conversions) < 1e-9), bool_and(abs(e.value - s.value) < 1e-9)
	FROM (SELECT lead_mgmt.shapley(string_to_array(path, ' > '), conversions, value::float8, nulls) AS effects FROM path) x, unnest(effects) e
	JOIN (SELECT channel, sum(conversions::float8 / n) AS conversions, sum(value::float8 / n) AS value
		FROM (SELECT DISTINCT id, channel, conversions, value, (SELECT count(DISTINCT c) FROM unnest(string_to_array(path, ' > ')) c) AS n
			FROM (SELECT row_number() OVER () AS id, * FROM path) p, unnest(string_to_array(path, ' > ')) channel) y GROUP BY channel) s USING (channel)}),
	'12|t|t', 'Shapley values');
done_testing();
