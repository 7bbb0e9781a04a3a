# A crash in the middle of a load leaves nothing half done, and the same load
# works afterwards; what was committed is all there.
use strict;
use warnings;
use LeadMgmt;
use PostgreSQL::Test::Utils;
use Test::More;

my $rows = 30_000;
my $node = new_node('crash', conf => "log_statement = none\nshared_buffers = 64MB\n");
my $file = $node->basedir . '/payloads';

workspace($node, 'crm');
query($node, qq{
	COPY (SELECT jsonb_build_object('email', 'p' || n % 20000 || '\@c' || n % 500 || '.example', 'given_name', 'P' || n,
			'page', 'page' || n % 3, 'company', 'Company ' || n % 500)
		FROM generate_series(1, $rows) n) TO '$file'});
is( query($node, q{SELECT status FROM crm.capture('default', '{"email": "before@example.com"}', 'before')}),
	'accepted', 'a submission before the load');
my $before = counts($node, 'crm');

my $load = background($node, "COPY crm.submission (payload) FROM '$file';");
ok( $node->poll_query_until('postgres', "SELECT pg_relation_size('crm.lead') > 100000"),
	'the load has made leads');
is(counts($node, 'crm'), $before, 'which nobody sees yet');
$node->stop('immediate');
ok(!$load->finish, 'the crash ends the load');
$node->start;

is(counts($node, 'crm'), $before, 'after the restart nothing of it is there');
is_consistent($node, 'crm', 'and nothing is half done');
is( query($node, q{SELECT status FROM crm.capture('default', '{"email": "before@example.com"}', 'before')}),
	'duplicate', 'a replay is still known as such');

query($node, "COPY crm.submission (payload) FROM '$file'");
is( query($node, "SELECT count(*) FROM crm.submission WHERE status = 'accepted'"),
	$rows + 1, 'the same load then works');
is(query($node, 'SELECT count(*) FROM crm.contact'), 20_001, 'with one contact a person');
is_consistent($node, 'crm', 'and nothing half done');

# Commit, crash at once
my ($id) = query($node, q{SELECT contact_id FROM crm.capture('default', '{"email": "after@example.com"}')});
my $after = counts($node, 'crm');
$node->stop('immediate');
$node->start;
is(counts($node, 'crm'), $after, 'a crash after the commit loses nothing');
is( query($node, q{SELECT contact_id FROM crm.capture('default', '{"email": "after@example.com"}')}),
	$id, 'and the person is known');
is_consistent($node, 'crm', 'all of it consistent');

$node->stop;
done_testing();
