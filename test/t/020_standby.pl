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
	SELECT crm.advance(lead_id, 'teleprospect_acceptance', 'called') FROM crm.lead ORDER BY lead_id LIMIT 3;});

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
	q{SELECT lead_mgmt.create_workspace('other')})
{
	my ($status, $out, $err) = $standby->psql('postgres', "\\set VERBOSITY verbose\n$write");

	like($err, qr/ERROR:  25006: cannot execute \w+( \w+)? (in a read-only transaction|during recovery)/, "refused: $write");
}

$standby->promote;
is( query($standby, q{SELECT status, contact_id = (SELECT contact_id FROM crm.contact WHERE email::text = 'late@example.com')
	FROM crm.capture('default', '{"email": "late@example.com"}')}),
	'accepted|t', 'after promotion capture works');
$primary->stop;
$standby->stop;
done_testing();
