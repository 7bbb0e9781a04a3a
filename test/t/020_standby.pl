# On a streaming standby everything that reads works, capture says why it does
# not, and after promotion it does.
use strict;
use warnings;
use LeadMgmt;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = new_node('primary', allows_streaming => 1, conf => "log_statement = none\n");

workspace($primary, 'crm');
query($primary, q{
	INSERT INTO crm.submission (payload)
	SELECT jsonb_build_object('email', 'p' || n % 20 || '@c' || n % 4 || '.example', 'page', 'page' || n % 3,
		'channel', (ARRAY['email', 'organic_search', 'event'])[1 + n % 3], 'kind', (ARRAY['form_submit', 'download'])[1 + n % 2],
		'phone', '+6147884' || 1000 + n % 20)
	FROM generate_series(1, 100) n;
	INSERT INTO crm.submission (payload) VALUES ('{"email": "nonsense"}');
	INSERT INTO crm.opportunity (lead_id, contact_id, name, pipeline, stage, stage_entered_at, closed_at, amount)
		SELECT lead_id, contact_id, 'Sale', 'sales', 'won', now() - interval '1 minute', now(), 100 FROM crm.lead ORDER BY lead_id LIMIT 5;
	SELECT crm.advance(lead_id, 'teleprospect_acceptance', 'called') FROM crm.lead ORDER BY lead_id LIMIT 3;
	SELECT crm.merge_contacts(1, '{2}');
	INSERT INTO crm.contact (contact_id, given_name, family_name, postal_code)
		SELECT 1000 + n, (ARRAY['Ann', 'Bob', 'Cyd', 'Dot'])[1 + n % 4], 'Family' || chr(97 + n % 26), 10000 + n FROM generate_series(1, 100) n;
	INSERT INTO crm.match_strategy (strategy, entity, label) VALUES ('learned', 'contact', 'Learned');
	SELECT crm.write_match_model('learned', '{"prior": 0.01, "fields": [{"field": "family_name", "kind": "family_name", "column": "family_name"},
		{"field": "given_name", "kind": "given_name", "column": "given_name"}, {"field": "postal_code", "kind": "postcode", "column": "postal_code"}],
		"comparisons": [{"field": "family_name"}, {"field": "given_name"}, {"field": "postal_code"}], "keys": [{"parts": ["family_name:prefix:2", "postal_code"]}]}');
	INSERT INTO crm.match_link (entity, left_id, right_id, verdict) VALUES ('contact', 2, 1001, 'different');
	INSERT INTO crm.match_review (entity, left_id, right_id, probability) VALUES ('contact', 2, 1002, 0.6);});

$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;

# Something that arrives by streaming
query($primary, q{SELECT crm.capture('default', '{"email": "late@example.com"}')});
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
is(counts($standby, 'crm'), counts($primary, 'crm'), 'the standby has all rows');

my @views = split /\n/, query($primary,
	q{SELECT relname FROM pg_class WHERE relnamespace = 'crm'::regnamespace AND relkind = 'v' ORDER BY 1});
cmp_ok(scalar @views, '>', 10, 'the workspace has views');

# What does not change with every moment
my %columns = (lead_queue => 'lead_id, agent_id, win_probability, due_at');
for my $view (@views)
{
	my $rows = 'SELECT ' . ($columns{$view} // '*') . " FROM crm.$view";
	my $sql = "SELECT count(*), md5(string_agg(v::text, E'\\n' ORDER BY v::text)) FROM ($rows) v";

	is(query($standby, $sql), query($primary, $sql), "view $view");
}

my %calls = (
	explain_score => 'SELECT e.* FROM crm.lead l, crm.explain_score(l.lead_id) e ORDER BY l.lead_id, e.*',
	response_path => 'SELECT p.* FROM crm.opportunity o, crm.response_path(o.opportunity_id) p ORDER BY p.*',
	completeness => 'SELECT lead_id, crm.completeness(lead_id) FROM crm.lead ORDER BY lead_id',
	match_contact => q{SELECT (crm.match_contact('{"email": "p3@c3.example"}')).*},
	match_model => q{SELECT (crm.match_contact('{"given_name": "Bob", "family_name": "Familyb", "zip": "10001"}', 'learned')).*},
	contact_exists => q{SELECT crm.contact_exists('{"phone": "+61478841003"}'), crm.contact_exists('{"phone": "+61478840000"}')},
	contact_of => 'SELECT crm.contact_of(2)',
	explain_match => 'SELECT s.submission_id, e.* FROM crm.submission s, crm.explain_match(s.submission_id) e ORDER BY 1, e.*',
	find_pairs => q{SELECT p.* FROM lead_mgmt.find_pairs(crm.match_records('contact'), crm.read_match_model('learned'), 0.001) p ORDER BY p.*},
	explain_pair => q{SELECT e.* FROM crm.read_match_model('learned') m, lead_mgmt.explain_pair(m, '{"family_name": "Lee"}', '{"family_name": "Leigh"}') e},
	train => q{SELECT lead_mgmt.propose_match_model(crm.match_records('contact'))},
	lead_timeline => 'SELECT * FROM crm.lead_timeline WHERE lead_id = 1 ORDER BY position',
	satisfies => q{SELECT count(*) FROM crm.lead_profile p WHERE lead_mgmt.satisfies(p, 'email_domain = ''c1.example''')},
	workspace_statements => q{SELECT md5(lead_mgmt.workspace_statements('crm', 'code'))});
for my $name (sort keys %calls)
{
	my $expected = query($primary, $calls{$name});

	isnt($expected, '', "$name gives something");
	is(query($standby, $calls{$name}), $expected, "$name gives the same on the standby");
}

# What writes is refused, with the server's own words and code
for my $write (
	q{SELECT crm.capture('default', '{"email": "a@example.com"}')},
	q{SELECT crm.capture_raw('default', 'application/json', '{}')},
	q{INSERT INTO crm.submission (payload) VALUES ('{"email": "a@example.com"}')},
	q{UPDATE crm.lead SET stage = 'disqualified', disqualified_reason = 'spam' WHERE lead_id = 1},
	q{SELECT crm.advance(1, 'disqualified', 'spam')},
	q{SELECT crm.rescore()},
	q{SELECT crm.merge_contacts(3, '{4}')},
	q{SELECT crm.unmerge(1)},
	q{SELECT crm.accept_match(1)},
	q{SELECT crm.find_duplicates('learned')},
	q{SELECT lead_mgmt.create_workspace('other')})
{
	my ($status, $out, $err) = $standby->psql('postgres', "\\set VERBOSITY verbose\n$write");

	like($err, qr/ERROR:  25006: cannot execute [\w ]+ (in a read-only transaction|during recovery)/, "refused: $write");
}

$standby->promote;
is( query($standby, q{SELECT status, contact_id = (SELECT contact_id FROM crm.contact WHERE email::text = 'late@example.com')
	FROM crm.capture('default', '{"email": "late@example.com"}')}),
	'accepted|t', 'after promotion capture works');
$primary->stop;
$standby->stop;
done_testing();
