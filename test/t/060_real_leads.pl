# The leads of an online school, loaded as submissions through a form with a
# mapping: none is lost, and the reports agree with the file.
use strict;
use warnings;
use LeadMgmt;
use PostgreSQL::Test::Utils;
use Test::More;

my $file = data_file('leads/xeducation_leads.csv');
plan skip_all => 'leads/xeducation_leads.csv is absent' unless $file;

# Fields of a line of CSV
sub fields
{
	my ($line) = @_;
	my @fields;

	while ($line =~ /\G(?:"((?:[^"]|"")*)"|([^,]*))(,|$)/g)
	{
		push @fields, defined $1 ? $1 =~ s/""/"/gr : $2;
		last if $3 eq '';
	}
	return @fields;
}

# The file as this test reads it itself
my @lines = split /\r?\n/, slurp_file($file);
my @names = fields(shift @lines);
my (@rows, %by_source, %by_country, %won_by_channel, %won_by_source, $won);
my %sources = (
	'Reference' => 'referral', 'Referral Sites' => 'referral', 'Welingak Website' => 'website', 'Direct Traffic' => 'website',
	'Social Media' => 'social_network', 'Facebook' => 'social_network', 'Pay per Click Ads' => 'advertising');
my %channels = (
	'Google' => 'paid_search', 'google' => 'paid_search', 'Organic Search' => 'organic_search', 'Direct Traffic' => 'direct',
	'Olark Chat' => 'chat', 'Live Chat' => 'chat', 'Reference' => 'referral', 'Referral Sites' => 'referral',
	'Facebook' => 'social', 'Social Media' => 'social', 'Welingak Website' => 'website');
$names[-1] = 'unnamed' if $names[-1] eq '';
for my $line (@lines)
{
	my %row;

	@row{@names} = fields($line);
	my $source = $sources{ $row{'Lead Source'} } // 'unknown';
	my $channel = $channels{ $row{'Lead Source'} } // 'other';
	$by_source{$source}++;
	$by_country{ $row{Country} }++ unless $row{Country} eq '' || $row{Country} eq 'Select';
	next unless $row{Converted} eq '1';
	$won++;
	$won_by_channel{$channel}++;
	$won_by_source{$source}++;
}
is(scalar @lines, 9240, 'the file has 9,240 rows');
is($won, 3561, 'of which 3,561 converted');

sub listing { my (%counts) = @_; return join "\n", map { "$_|$counts{$_}" } sort keys %counts; }

my $node = new_node('leads', conf => "log_statement = none\nshared_buffers = 64MB\n");
workspace($node, 'crm');

# Columns that have no standard field are custom attributes
my %types = (
	(map { $_ => 'integer' } 'Lead Number', 'TotalVisits', 'Total Time Spent on Website', 'Asymmetrique Activity Score', 'Asymmetrique Profile Score'),
	'Page Views Per Visit' => 'number',
	(map { $_ => 'boolean' } 'Do Not Email', 'Do Not Call', 'Converted', 'Search', 'Magazine', 'Newspaper Article', 'X Education Forums',
		'Newspaper', 'Digital Advertisement', 'Through Recommendations', 'Receive More Updates About Our Courses',
		'Update me on Supply Chain Content', 'Get updates on DM Content', 'I agree to pay the amount through cheque',
		'A free copy of Mastering The Interview'),
	(map { $_ => 'choice' } 'Lead Quality', 'Lead Profile', 'What is your current occupation'));
my %contact_fields = map { $_ => 1 } 'Do Not Email', 'Do Not Call', 'Specialization', 'What is your current occupation';
my %standard = ('Prospect ID' => 'source_id', 'Lead Origin' => 'origin', 'Country' => 'country', 'City' => 'city');

query($node, 'CREATE TABLE staging (' . join(', ', map { "\"$_\" text" } @names) . ");\nCOPY staging FROM '$file' (FORMAT csv, HEADER);");
query($node, q{CREATE TABLE known (lead_source text, source text, channel text)});
query($node, "INSERT INTO known VALUES ('$_', " . (exists $sources{$_} ? "'$sources{$_}'" : 'NULL') . ', '
	. (exists $channels{$_} ? "'$channels{$_}'" : 'NULL') . ')') for sort keys %{ { %sources, %channels } };

my @mapping;
for my $name (@names)
{
	next if $name eq 'unnamed';
	my $target = $standard{$name};
	if (!$target)
	{
		my $field = lc($name) =~ s/[^a-z0-9]+/_/gr;
		my $entity = $contact_fields{$name} ? 'contact' : 'lead';
		my $type = $types{$name} // 'text';
		my $options = $type eq 'choice' ? qq{(SELECT array_agg(DISTINCT "$name") FROM staging WHERE "$name" NOT IN ('', 'Select'))} : 'NULL';

		query($node, "SELECT crm.define_field('$entity', '$field', '$type', $options)");
		$target = "$entity.$field";
	}
	push @mapping, "'$name', '$target'";
}
query($node, 'INSERT INTO crm.form (form, mapping, blank_values, source_system) VALUES (\'xeducation\', jsonb_build_object('
	. join(', ', @mapping) . "), '{Select}', 'xeducation')");

my $payloads = q{SELECT 'xeducation' AS form, s."Prospect ID" AS external_id,
	jsonb_strip_nulls(to_jsonb(s) - 'unnamed' || jsonb_build_object('source', k.source, 'channel', COALESCE(k.channel, 'other'))) AS payload,
	timestamptz '2020-01-01 00:00+00' + s."Lead Number"::integer * interval '1 second' AS received_at
	FROM staging s LEFT JOIN known k ON k.lead_source = s."Lead Source"};
my $copy = $node->basedir . '/submissions';
query($node, "COPY ($payloads) TO '$copy'");
query($node, "COPY crm.submission (form, external_id, payload, received_at) FROM '$copy'");

is(counts($node, 'crm'), '9240|0|9240|9240|9240|0|0|0', 'every row is an accepted submission, a contact, a lead and an interaction');
is(query($node, 'SELECT count(*) FROM crm.submission WHERE reasons IS NOT NULL'), '0', 'without a complaint');
is_consistent($node, 'crm', 'all consistent');
is( query($node, q{SELECT source, count(*) FROM crm.lead GROUP BY source ORDER BY source COLLATE "C"}), listing(%by_source), 'leads by source agree with the file');
is( query($node, q{SELECT country, count(*) FROM crm.contact WHERE country IS NOT NULL GROUP BY country ORDER BY country COLLATE "C"}),
	listing(%by_country), 'contacts by country agree with the file');
is( query($node, q{SELECT v, count(*) FROM (SELECT attributes ->> 'lead_source' AS v FROM crm.lead) l WHERE v <> '' GROUP BY v ORDER BY v COLLATE "C"}),
	query($node, q{SELECT "Lead Source", count(*) FROM staging WHERE "Lead Source" <> '' GROUP BY "Lead Source" ORDER BY "Lead Source" COLLATE "C"}),
	'the source as given is a custom attribute');
is( query($node, q{SELECT sum((attributes ->> 'totalvisits')::numeric), sum((attributes ->> 'page_views_per_visit')::numeric),
		count(*) FILTER (WHERE attributes -> 'converted' = 'true') FROM crm.lead}),
	query($node, q{SELECT sum("TotalVisits"::numeric), sum("Page Views Per Visit"::numeric), count(*) FILTER (WHERE "Converted" = '1') FROM staging}),
	'numbers and truths are typed, and add up');
is( query($node, q{SELECT count(attributes ->> 'specialization'), count(city) FROM crm.contact}),
	query($node, q{SELECT count(*) FILTER (WHERE "Specialization" NOT IN ('', 'Select')), count(*) FILTER (WHERE "City" NOT IN ('', 'Select')) FROM staging}),
	'"Select" is no answer');
is(query($node, q{SELECT count(*) FROM crm.contact_identity WHERE kind = 'external' AND value LIKE 'xeducation:%'}), '9240', 'each known by its id in the other system');

# The outcomes
query($node, q{INSERT INTO crm.opportunity (lead_id, contact_id, account_id, name, pipeline, stage, stage_entered_at, amount)
	SELECT lead_id, contact_id, account_id, 'Course', 'sales', 'won', timestamptz '2021-01-01 00:00+00', 100 FROM crm.lead WHERE attributes -> 'converted' = 'true'});
is(query($node, q{SELECT status, count(*), count(closed_at) FROM crm.opportunity GROUP BY 1}), 'won|3561|3561', 'the converted leads are won opportunities');
is(query($node, q{SELECT count(*) FROM crm.contact WHERE customer_since IS NOT NULL}), '3561', 'their contacts are customers');
is(query($node, q{SELECT stage, leads FROM crm.funnel WHERE stage IN ('lead', 'opportunity', 'won') ORDER BY level}),
	"lead|9240\nopportunity|3561\nwon|3561", 'the funnel counts them');
is(query($node, q{SELECT sum(first_touch_won), sum(last_touch_won), round(sum(linear_won), 6), sum(linear_revenue) FROM crm.channel_performance}),
	'3561|3561|3561.000000|356100.00', 'channel_performance adds up to them');
is(query($node, q{SELECT channel, first_touch_won FROM crm.channel_performance WHERE first_touch_won > 0 ORDER BY channel COLLATE "C"}),
	listing(%won_by_channel), 'channel by channel as in the file');
is(query($node, q{SELECT source, won FROM crm.source_conversion WHERE won > 0 ORDER BY source COLLATE "C"}),
	listing(%won_by_source), 'source_conversion too');

# The same file again
my $rows = query($node, q{SELECT md5(string_agg(md5(c::text), '' ORDER BY contact_id)) FROM crm.contact c})
	. query($node, q{SELECT md5(string_agg(md5(l::text), '' ORDER BY lead_id)) FROM crm.lead l});
query($node, "INSERT INTO crm.submission (form, external_id, payload, received_at) $payloads");
is(counts($node, 'crm'), '9240|0|9240|9240|9240|9240|0|0', 'the same file again: all duplicates');
is( query($node, q{SELECT md5(string_agg(md5(c::text), '' ORDER BY contact_id)) FROM crm.contact c})
	. query($node, q{SELECT md5(string_agg(md5(l::text), '' ORDER BY lead_id)) FROM crm.lead l}),
	$rows, 'and nothing changes');
is(query($node, q{SELECT count(*) FROM crm.submission d JOIN crm.submission o ON o.submission_id = d.duplicate_of
	WHERE d.status = 'duplicate' AND o.external_id = d.external_id AND o.status = 'accepted'}), '9240', 'each names its original');

$node->stop;
done_testing();
