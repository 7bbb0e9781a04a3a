# The extension can be installed, says its version, and can be dropped.
use strict;
use warnings;
use LeadMgmt;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('smoke');
my $version = control_version();

is($node->safe_psql('postgres', 'SELECT lead_mgmt.version()'),
	$version, 'version() is that of the control file');
is( $node->safe_psql(
		'postgres',
		"SELECT extversion FROM pg_extension WHERE extname = 'lead_mgmt'"),
	$version,
	'the catalogue records the same version');

$node->safe_psql('postgres', 'DROP EXTENSION lead_mgmt');
is( $node->safe_psql(
		'postgres',
		"SELECT count(*) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE nspname = 'lead_mgmt'"
	),
	'0',
	'DROP EXTENSION leaves no function behind');

install_extension($node, 'postgres');
is($node->safe_psql('postgres', 'SELECT lead_mgmt.version()'),
	$version, 'it can be installed again');

my $script =
  $node->config_data('--sharedir') . "/extension/lead_mgmt--$version.sql";
my ($status, $output, $errors) = $node->psql('postgres', "\\i $script");
is( $output,
	'Use "CREATE EXTENSION lead_mgmt" to load this file.',
	'run in psql the script only says what to do instead');
is($errors, '', 'and does nothing');

$node->stop;
done_testing();
