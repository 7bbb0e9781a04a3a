# The README's examples, run in the order in which they stand, give what it
# shows. What functions without result return, the context of errors, times,
# and the widths of columns are left out of the comparison. What needs more
# data than the examples bring is run over data made here, and must not fail.
use strict;
use warnings;
use File::Basename qw(dirname);
use IPC::Run;
use LeadMgmt;
use PostgreSQL::Test::Utils;
use Test::More;

# Examples over tables, or numbers of leads, that a reader has already
my $needs_data =
  qr/\bcustomers\b|\bold_leads\b|\bnew_leads\b|\bforetold\b|'likely'|'win'|\bsimulate_model\b|\bFROM model\b/;

# Examples over files that a reader has, and what the extension is made by
my $needs_files = qr{/srv/|CREATE EXTENSION lead_mgmt};

my @examples = examples(dirname(__FILE__) . '/../../README.md');
my $node = new_node('readme', conf => "timezone = 'UTC'\n");

# examples(FILE): its blocks of SQL, each with the line it begins in and, if
# the next block stands directly below and has no language, that as its output
sub examples
{
	my ($file) = @_;
	my (@found, $language, $block, $follows);
	my $line = 0;

	foreach (split /\n/, slurp_file($file))
	{
		$line++;
		if (!defined $language)
		{
			if (/^```(\w*)$/)
			{
				($language, $block) = ($1, { line => $line, text => '' });
			}
			elsif (/\S/)
			{
				$follows = 0;
			}
		}
		elsif ($_ ne '```')
		{
			$block->{text} .= "$_\n";
		}
		else
		{
			if ($language eq 'sql')
			{
				push @found, $block;
			}
			elsif ($language eq '' && $follows)
			{
				$found[-1]{output} = $block->{text};
			}
			$follows = $language eq 'sql';
			undef $language;
		}
	}
	die "the README has no examples\n" unless @found > 100;
	return @found;
}

# outputs(DATABASE, EXAMPLES): what psql prints for each, in one session
sub outputs
{
	my ($database, @run) = @_;
	my $input = "\\set SHOW_CONTEXT never\n\\pset footer off\n";
	my $out = '';

	$input .= "\\echo example $_->{line} begins\n$_->{text}\n" foreach @run;
	IPC::Run::run(
		[
			$node->installed_command('psql'), '-Xq',
			'-d', $node->connstr($database)
		],
		'<', \$input, '>&', \$out);
	my (undef, %found) = split /^example (\d+) begins\n/m, $out;
	return \%found;
}

# plain(TEXT): the part of it that is compared
sub plain
{
	my ($text) = @_;

	# A result of one column without a value is that of a function without one
	$text =~ s/^ *\w+ *\n-+\n(?: *\n)+//mg;
	$text =~ s/^Asynchronous notification .*\n//mg;
	$text =~ s/\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[+-]\d\d(?::\d\d)?)?)?/TIME/g;
	$text =~ s/^[-+]+$/-/mg;
	$text =~ s/ *\| */|/g;
	$text =~ s/ +/ /g;
	return join "\n", grep { /\S/ } map { s/^ | $//gr } split /\n/, $text;
}

my @shown = grep { $_->{text} !~ /$needs_data|$needs_files/ } @examples;
my $out = outputs('postgres', @shown);
foreach my $example (@shown)
{
	my $got = $out->{ $example->{line} } // 'psql had ended';
	my $name = "the example in line $example->{line}";

	if (defined $example->{output})
	{
		is(plain($got), plain($example->{output}), "$name gives what is shown");
	}
	else
	{
		unlike($got, qr/^(?:ERROR|FATAL|psql)\b/m, "$name does not fail");
	}
}

# People of whom one in four is there twice, with an error in the name; of
# their leads half are won, mostly those from one source.
my $people = q{
	SELECT g AS n, CASE WHEN g % 4 = 0 THEN g - 1 ELSE g END AS person,
		given[1 + hashint4(CASE WHEN g % 4 = 0 THEN g - 1 ELSE g END) & 15] || CASE WHEN g % 4 = 0 THEN 'e' ELSE '' END AS given_name,
		initcap(substr(md5((CASE WHEN g % 4 = 0 THEN g - 1 ELSE g END)::text), 1, 7)) AS family_name
	FROM generate_series(1, 1200) g,
		(VALUES ('{Anna,Bruno,Carla,David,Elena,Fabio,Greta,Henri,Irene,Jonas,Klara,Lukas,Maria,Nikola,Olga,Pavel}'::text[])) v (given)};
query($node, 'CREATE DATABASE data');
install_extension($node, 'data');
workspace($node, $_, 'data') foreach qw(crm brand);
query($node, qq{
	SELECT crm.define_field('lead', 'team_size', 'integer');
	INSERT INTO crm.lead_source (source, label) VALUES ('fair', 'Fair'), ('web', 'Web') ON CONFLICT DO NOTHING;
	INSERT INTO crm.submission (form, payload)
	SELECT 'default', jsonb_build_object('given_name', given_name, 'family_name', family_name,
		'email', CASE WHEN n % 4 = 0 THEN 'box' || n ELSE lower(family_name) END || '\@example.org',
		'city', 'City ' || person % 40, 'postal_code', (10000 + person * 7 % 90000)::text, 'source', CASE WHEN n % 3 = 0 THEN 'fair' ELSE 'web' END,
		'employees', (person % 200)::text)
	FROM ($people) p;
	UPDATE crm.lead SET stage = 'sales_acceptance' WHERE lead_id % 4 < 2 AND lead_id <> 13 AND (source = 'fair' OR lead_id % 8 = 0);
	SELECT count(crm.convert_lead(lead_id, 'Deal ' || lead_id)) FROM crm.lead WHERE stage = 'sales_acceptance';
	SELECT count(crm.disqualify(lead_id, 'no need')) FROM crm.lead WHERE status = 'open' AND lead_id % 4 <> 2 AND lead_id <> 13;
	INSERT INTO crm.scoring_model (model, label, is_active, sales_ready_threshold) VALUES ('draft', 'Draft', false, 10);
	INSERT INTO crm.scoring_rule (model, label, condition, points) VALUES ('draft', 'From a fair', \$\$source = 'fair'\$\$, 20);
	CREATE TABLE customers AS
	SELECT n AS customer_id, given_name AS first_name, family_name AS surname,
		lower(given_name || '.' || family_name) || '\@mail' || person % 7 || '.example' AS email FROM ($people) p;
	CREATE TABLE known_to_differ (one_id text, other_id text);
	CREATE TABLE old_leads AS
	SELECT n AS id, (hashint4(n) & 15) < CASE WHEN n % 3 = 0 THEN 10 ELSE 3 END AS won, CASE WHEN n % 3 = 0 THEN 'fair' ELSE 'web' END AS source,
		CASE n % 2 WHEN 0 THEN 'DE' ELSE 'VN' END AS country, n % 200 AS employees, n % 17 AS visits, n % 13 * 1.5 AS minutes, n % 5 AS pages
	FROM ($people) p;
	CREATE TABLE new_leads AS SELECT * FROM old_leads WHERE id < 20;
	CREATE TABLE foretold AS SELECT won, CASE source WHEN 'fair' THEN 0.6 ELSE 0.2 END AS p FROM old_leads},
	'data');

my @unseen = grep { $_->{text} =~ $needs_data } @examples;
$out = outputs('data', @unseen);
foreach my $example (@unseen)
{
	unlike(
		$out->{ $example->{line} } // 'psql had ended',
		qr/^(?:ERROR|FATAL|psql)\b/m,
		"the example in line $example->{line} does not fail where there is data");
}

$node->stop;
done_testing();
