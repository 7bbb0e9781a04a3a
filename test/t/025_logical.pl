# A workspace that is replicated logically: rows arrive as they are, nothing is
# processed twice, and what only reads works on the subscriber.
use strict;
use warnings;
use LeadMgmt;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $publisher = new_node('publisher', allows_streaming => 'logical', conf => "log_statement = none\n");
my $subscriber = new_node('subscriber', conf => "log_statement = none\nmax_sync_workers_per_subscription = 4\nmax_logical_replication_workers = 8\n");

workspace($_, 'crm') for $publisher, $subscriber;
query($publisher, q{
	INSERT INTO crm.match_strategy (strategy, entity, label) VALUES ('names', 'contact', 'Names'), ('learned', 'contact', 'Learned');
	SELECT crm.define_match_rule('names', '["family_name", "postal_code"]');
	SELECT crm.write_match_model('learned', '{"prior": 0.01, "fields": [{"field": "family_name", "kind": "family_name", "column": "family_name"},
		{"field": "given_name", "kind": "given_name", "column": "given_name"}, {"field": "postal_code", "kind": "postcode", "column": "postal_code"}],
		"comparisons": [{"field": "family_name"}, {"field": "given_name"}, {"field": "postal_code"}], "keys": [{"parts": ["family_name:prefix:2", "postal_code"]}]}');
	INSERT INTO crm.submission (payload)
	SELECT jsonb_build_object('email', 'p' || n % 20 || '@c' || n % 4 || '.example', 'given_name', 'Ann', 'family_name', 'Lee' || chr(97 + n % 20), 'zip', 10000 + n % 20, 'page', 'page' || n % 3)
	FROM generate_series(1, 100) n;
	CREATE PUBLICATION all_of_it FOR TABLES IN SCHEMA crm;});
my $tables = query($subscriber, q{SELECT string_agg(format('crm.%I', relname), ', ') FROM pg_class WHERE relnamespace = 'crm'::regnamespace AND relkind = 'r'});
my $source = $publisher->connstr . ' dbname=postgres';
query($subscriber, "TRUNCATE $tables");
query($subscriber, "CREATE SUBSCRIPTION all_of_it CONNECTION '$source' PUBLICATION all_of_it");
$subscriber->wait_for_subscription_sync($publisher, 'all_of_it');
query($subscriber, 'SELECT crm.index_match_keys()');

# What comes once it runs: captures, a merge and its undoing, a rule
query($publisher, q{
	INSERT INTO crm.submission (payload) VALUES ('{"email": "p1@c1.example", "page": "new"}'), ('{"email": "late@c1.example", "family_name": "Late", "zip": "1"}');
	SELECT crm.merge_contacts(1, '{2,3}');
	SELECT crm.merge_contacts(4, '{5}');
	SELECT crm.unmerge(max(merge_id)) FROM crm.merge WHERE entity = 'contact';
	INSERT INTO crm.match_bypass (field, value) VALUES ('email', 'p7@c3.example');
	UPDATE crm.form_strategy SET strategy = 'names' WHERE form = 'default' AND entity = 'contact'});
$publisher->wait_for_catchup('all_of_it');

is(counts($subscriber, 'crm'), counts($publisher, 'crm'), 'the subscriber has all rows, and none twice');
my %calls = (
	people => q{SELECT md5(string_agg(c::text, '' ORDER BY contact_id)) FROM crm.contact c},
	identities => q{SELECT md5(string_agg(i::text, '' ORDER BY i::text)) FROM crm.contact_identity i},
	scores => q{SELECT md5(string_agg(s::text, '' ORDER BY s::text)) FROM crm.score s},
	by_rule => q{SELECT contact_id, rule FROM crm.match_contact('{"family_name": "Leef", "zip": "10005"}')},
	by_model => q{SELECT (crm.match_contact('{"given_name": "Ann", "family_name": "Leeg", "zip": "10006"}', 'learned')).*},
	bypassed => q{SELECT count(*) FROM crm.match_contact('{"email": "p7@c3.example"}', 'contact_by_email')},
	merged => q{SELECT crm.contact_of(2), crm.contact_of(5)},
	explained => 'SELECT s.submission_id, e.* FROM crm.submission s, crm.explain_match(s.submission_id) e ORDER BY 1, e.*');
for my $name (sort keys %calls)
{
	my $expected = query($publisher, $calls{$name});

	isnt($expected, '', "$name gives something");
	is(query($subscriber, $calls{$name}), $expected, "$name gives the same on the subscriber");
}

$subscriber->stop;
$publisher->stop;
done_testing();
