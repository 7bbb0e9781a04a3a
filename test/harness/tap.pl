# tap.pl COUNTS [--pgtap TEMPLATE] FILE...: runs TAP files and writes the
# passed, failed and skipped assertions to COUNTS. pgTAP files run in psql,
# each in a fresh copy of the database TEMPLATE.
use strict;
use warnings;
use TAP::Harness;

my $counts = shift @ARGV;
my $template;
if ($ARGV[0] eq '--pgtap')
{
	shift @ARGV;
	$template = shift @ARGV;
}

my $number = 0;

sub pgtap_command
{
	my ($harness, $file) = @_;
	my $database = sprintf('pgtap_%d', ++$number);
	system('createdb', '-T', $template, $database) == 0
	  or die "could not create database $database\n";
	return [
		'psql', '-X', '-q', '-A', '-t', '-d', $database,
		'-P', 'pager=off', '-v', 'ON_ERROR_STOP=1', '-f', $file
	];
}

my $harness = TAP::Harness->new(
	{
		verbosity => 0,
		failures => 1,
		comments => 1,
		color => 0,
		lib => [ map { split /:/ } $ENV{LEAD_MGMT_PERL5LIB} // () ],
		$template ? (exec => \&pgtap_command) : (),
	});

my @skips;
$harness->callback(
	made_parser => sub {
		my ($parser, $test) = @_;
		$parser->callback(
			test => sub {
				push @skips, "$test->[1]: " . $_[0]->explanation
				  if $_[0]->has_skip;
			});
	});

my $all = $harness->runtests(map { [ $_, $_ =~ s{.*/}{}r ] } @ARGV);

my ($passed, $failed, $skipped) = (0, 0, 0);
for my $parser ($all->parsers)
{
	my $here = $parser->failed;
	my $planned = $parser->tests_planned // $parser->tests_run;

	$skipped += $parser->skipped;
	$passed += $parser->passed - $parser->skipped;
	$here += $planned - $parser->tests_run if $planned > $parser->tests_run;

	# A file that died after its last assertion fails all the same.
	$here = 1 if $here == 0 && $parser->has_problems;
	$failed += $here;
	if (my $why = $parser->skip_all)
	{
		$skipped++;
		push @skips, $why;
	}
}
print "skipped: $_\n" for @skips;

open my $out, '>', $counts or die "$counts: $!\n";
print $out "$passed $failed $skipped\n";
close $out or die "$counts: $!\n";
exit($failed ? 1 : 0);
