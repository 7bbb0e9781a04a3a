# What the TAP tests share, over PostgreSQL::Test::Cluster.
package LeadMgmt;

use strict;
use warnings;
use Exporter 'import';
use File::Basename qw(dirname);
use File::Spec;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT =
  qw(new_node install_extension workspace control_version data_file
  query counts is_consistent background session run_program leadctl clients);

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

# query(NODE, SQL, DATABASE): its output, without alignment
sub query
{
	my ($node, $sql, $database) = @_;
	return $node->safe_psql($database // 'postgres', $sql);
}

# counts(NODE, WORKSPACE, DATABASE): contacts|accounts|leads|interactions|
# accepted|duplicates|rejected|unprocessed
sub counts
{
	my ($node, $name, $database) = @_;
	return query($node, qq{
		SELECT (SELECT count(*) FROM $name.contact), (SELECT count(*) FROM $name.account),
			(SELECT count(*) FROM $name.lead), (SELECT count(*) FROM $name.interaction),
			count(*) FILTER (WHERE status = 'accepted'), count(*) FILTER (WHERE status = 'duplicate'),
			count(*) FILTER (WHERE status = 'rejected'), count(*) FILTER (WHERE status IS NULL)
		FROM $name.submission}, $database);
}

# is_consistent(NODE, WORKSPACE, LABEL, DATABASE): nothing half done in a
# workspace that was filled through the door alone; lists what is violated
sub is_consistent
{
	my ($node, $name, $label, $database) = @_;
	my $violations = query($node, qq{
		SET enable_nestloop = off;
		SELECT violation || ': ' || count(*) || ', such as ' || min(id)
		FROM (
			SELECT 'unprocessed submission' AS violation, submission_id AS id FROM $name.submission WHERE processed_at IS NULL
			UNION ALL
			SELECT 'accepted submission without its interaction', s.submission_id
			FROM $name.submission s LEFT JOIN $name.interaction i ON i.interaction_id = s.interaction_id
			WHERE s.status = 'accepted' AND i.interaction_id IS NULL
			UNION ALL
			SELECT 'accepted submission without its contact or account', s.submission_id
			FROM $name.submission s
			LEFT JOIN $name.contact c ON c.contact_id = s.contact_id
			LEFT JOIN $name.account a ON a.account_id = s.account_id
			WHERE s.status = 'accepted' AND c.contact_id IS NULL AND (a.account_id IS NULL OR s.contact_id IS NOT NULL)
			UNION ALL
			SELECT 'contact without accepted submission', c.contact_id
			FROM $name.contact c LEFT JOIN $name.submission s ON s.contact_id = c.contact_id AND s.status = 'accepted'
			WHERE s.contact_id IS NULL
			UNION ALL
			SELECT 'contact without identity', c.contact_id
			FROM $name.contact c LEFT JOIN $name.contact_identity k ON k.contact_id = c.contact_id
			WHERE k.contact_id IS NULL
			UNION ALL
			SELECT 'account without accepted submission', a.account_id
			FROM $name.account a LEFT JOIN $name.submission s ON s.account_id = a.account_id AND s.status = 'accepted'
			WHERE s.account_id IS NULL
			UNION ALL
			SELECT 'lead without accepted submission', l.lead_id
			FROM $name.lead l LEFT JOIN $name.submission s ON s.lead_id = l.lead_id AND s.status = 'accepted'
			WHERE s.lead_id IS NULL
			UNION ALL
			SELECT 'interaction without accepted submission', i.interaction_id
			FROM $name.interaction i LEFT JOIN $name.submission s ON s.interaction_id = i.interaction_id AND s.status = 'accepted'
			WHERE s.interaction_id IS NULL
			UNION ALL
			SELECT 'interaction of another contact than its lead', i.interaction_id
			FROM $name.interaction i JOIN $name.lead l ON l.lead_id = i.lead_id
			WHERE l.contact_id IS DISTINCT FROM i.contact_id
			UNION ALL
			SELECT 'lead with a wrong interaction_count', l.lead_id
			FROM $name.lead l
			LEFT JOIN (SELECT lead_id, count(*) AS n FROM $name.interaction GROUP BY 1) i ON i.lead_id = l.lead_id
			WHERE l.interaction_count <> COALESCE(i.n, 0)
			UNION ALL
			SELECT 'lead with a wrong engagement', l.lead_id
			FROM $name.lead l
			LEFT JOIN $name.lead_score s ON s.lead_id = l.lead_id AND s.model = 'default'
			LEFT JOIN (
				SELECT i.lead_id, sum(r.points) AS points
				FROM $name.interaction i JOIN $name.scoring_rule r ON r.interaction_kind = i.kind AND r.model = 'default'
				GROUP BY 1) p ON p.lead_id = l.lead_id
			WHERE COALESCE(s.engagement, 0) <> COALESCE(p.points, 0)
			UNION ALL
			SELECT 'second open lead of a contact and context', max(lead_id)
			FROM $name.lead WHERE status = 'open' GROUP BY contact_id, account_id, context_key HAVING count(*) > 1
			UNION ALL
			SELECT 'lead whose stage is not that of its last move', l.lead_id
			FROM $name.lead l
			LEFT JOIN (SELECT DISTINCT ON (lead_id) lead_id, to_stage FROM $name.stage_move
				WHERE lead_id IS NOT NULL ORDER BY lead_id, stage_move_id DESC) m ON m.lead_id = l.lead_id
			WHERE l.stage IS DISTINCT FROM m.to_stage
			UNION ALL
			SELECT 'key of no accepted submission', k.submission_id
			FROM $name.submission_key k LEFT JOIN $name.submission s ON s.submission_id = k.submission_id AND s.status = 'accepted'
			WHERE s.submission_id IS NULL
		) v
		GROUP BY violation ORDER BY violation}, $database);

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is($violations, '', $label);
}

# background(NODE, SQL, DATABASE): a psql that runs it in the background; end
# it with IPC::Run's finish
sub background
{
	my ($node, $sql, $database) = @_;
	my $out = '';

	return IPC::Run::start(
		[
			$node->installed_command('psql'), '-XAtq',
			'-d', $node->connstr($database // 'postgres'),
			'-c', $sql
		],
		'<', \undef, '>', \$out, '2>&1');
}

# session(NODE, DATABASE): a psql that stays connected; ask(SQL) gives the
# output of its statements, quit ends it
sub session
{
	my ($node, $database) = @_;
	my $self = bless { in => '', out => '', asked => 0 }, 'LeadMgmt::Session';

	$self->{psql} = IPC::Run::start(
		[
			$node->installed_command('psql'), '-XAtq',
			'-d', $node->connstr($database // 'postgres'),
			'-f', '-'
		],
		'<', \$self->{in}, '>', \$self->{out}, '2>&1',
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	return $self;
}

sub LeadMgmt::Session::ask
{
	my ($self, $sql) = @_;
	my $mark = sprintf('answer %d ends', ++$self->{asked});

	$self->{out} = '';
	$self->{in} .= "$sql\n;\n\\echo $mark\n";
	$self->{psql}->pump until $self->{out} =~ /^\Q$mark\E$/m;
	return $self->{out} =~ s/\n?\Q$mark\E\n//r;
}

sub LeadMgmt::Session::quit
{
	my ($self) = @_;

	$self->{in} .= "\\q\n";
	return $self->{psql}->finish;
}

# run_program(NODE, PROGRAM, ARGUMENT...): runs a client program against the
# node; returns its output, and fails the test when it fails
sub run_program
{
	my ($node, @command) = @_;
	my ($out, $err) = ('', '');

	local %ENV = $node->_get_env();
	my $done = IPC::Run::run(\@command, '<', \'', '>', \$out, '2>', \$err);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	fail("$command[0]: " . substr($err, 0, 1000)) unless $done;
	return ($out, $err);
}

# leadctl(NODE, INPUT, ARGUMENT...): runs leadctl against the database postgres
# of a node, INPUT (undef for none) on its standard input; returns its exit
# code, output and errors
sub leadctl
{
	my ($node, $input, @arguments) = @_;
	my ($out, $err) = ('', '');

	local %ENV = $node->_get_env(PGDATABASE => 'postgres');
	IPC::Run::run([ 'leadctl', @arguments ], '<', \($input // ''), '>', \$out, '2>', \$err);
	return ($? >> 8, $out, $err);
}

# clients(NODE, LABEL, OPTIONS, SCRIPT...): pgbench; ends well and without an
# error or a deadlock in the server's log
sub clients
{
	my ($node, $label, $options, @scripts) = @_;
	my @files;
	my %errors;
	my $offset = -s $node->logfile;

	for my $script (@scripts)
	{
		my $file = $node->basedir . '/script' . scalar(@files);
		open my $out, '>', $file or die "$file: $!\n";
		print $out $script;
		close $out;
		push @files, '-f', $file;
	}
	my ($out, $err) = run_program($node, 'pgbench', '-n', '-j', '2', split(/ /, $options), @files, 'postgres');
	unlike($out, qr/aborted/, "$label: no client is aborted");
	like($out, qr/number of failed transactions: 0 /, "$label: no transaction fails");
	my $log = substr(slurp_file($node->logfile), $offset);
	$errors{$1}++ while $log =~ /((?:ERROR|FATAL|PANIC): .*)/g;
	is(join("\n", map { "$errors{$_} times $_" } sort keys %errors), '', "$label: the server logs no error");
	note($1) if $out =~ /^(tps = .*)$/m;
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
