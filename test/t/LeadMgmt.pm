# What the TAP tests share, over PostgreSQL::Test::Cluster.
package LeadMgmt;

use strict;
use warnings;
use Exporter 'import';
use File::Basename qw(dirname);
use File::Spec;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT =
  qw(new_node install_extension workspace control_version data_file);

my $top = File::Spec->rel2abs(dirname(__FILE__) . '/../..');

# new_node(NAME, init OPTION => VALUE..., conf => TEXT): a running server whose
# database "postgres" has the extension. The other options are those of
# PostgreSQL::Test::Cluster->init, such as allows_streaming => 1.
sub new_node
{
	my ($name, %options) = @_;
	my $conf = delete $options{conf} // '';
	my $node = PostgreSQL::Test::Cluster->new($name);

	$options{extra} =
	  [ '--no-locale', '--encoding=UTF8', @{ $options{extra} // [] } ];
	$node->init(%options);
	$node->append_conf('postgresql.conf', $conf);
	$node->start;
	install_extension($node, 'postgres');
	return $node;
}

sub install_extension
{
	my ($node, $database) = @_;
	$node->safe_psql($database // 'postgres', 'CREATE EXTENSION lead_mgmt');
	return;
}

# workspace(NODE, NAME, DATABASE): lays out a workspace
sub workspace
{
	my ($node, $name, $database) = @_;
	my $literal = $name =~ s/'/''/gr;

	$node->safe_psql($database // 'postgres',
		"SELECT lead_mgmt.create_workspace('$literal')");
	return;
}

# The version that the control file names
sub control_version
{
	my $control = slurp_file("$top/lead_mgmt.control");

	$control =~ /^default_version\s*=\s*'([^']+)'/m
	  or die "no default_version in lead_mgmt.control\n";
	return $1;
}

# data_file(NAME): the path of a file of the data sets, undef where they are
# absent; the test is then to skip
sub data_file
{
	my ($name) = @_;
	my $path = defined $ENV{LEAD_MGMT_DATA} ? "$ENV{LEAD_MGMT_DATA}/$name" : '';

	return -r $path ? $path : undef;
}

1;
