# Bodies of every kind, damaged at random, and payloads of any shape, among
# good ones in one statement: whatever they are, the statement goes through,
# each of them is accepted or has its reasons, and the good ones are in.
use strict;
use warnings;
use File::Basename qw(dirname);
use LeadMgmt;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('damaged');
workspace($node, 'crm');
query($node, q{SELECT crm.define_field('lead', 'size', 'integer'), crm.define_field('contact', 'tags', 'choices', '{a,b}'), crm.define_field('account', 'since', 'date')});

# The same numbers in every run
my $state = 20_260_301;
sub draw { $state = ($state * 1_103_515_245 + 12_345) % 2_147_483_648; return int(($state >> 8) / 8_388_608 * $_[0]); }
sub pick { return $_[ draw(scalar @_) ]; }

sub seed { return slurp_file(dirname(__FILE__) . "/../files/$_[0]"); }

my @bodies = (
	[ 'message/rfc822', map { seed($_) } qw(form_python.eml person_python.eml person_swaks.eml vendor_python.eml) ],
	[ 'application/rss+xml', seed('feed_python.rss') ],
	[ 'application/atom+xml', seed('feed_python.atom') ],
	[ 'text/csv', seed('leads_excel.csv'), qq(email;name\n"a\@x.example";"A ""B"""\n) ],
	[ seed('form_curl.type') =~ s/\s+$//r, seed('form_curl.multipart') ],
	[ 'application/x-www-form-urlencoded', seed('form_curl.urlencoded') ],
	[ 'text/xml', '<leads><lead id="1"><email>a@x.example</email><name>A &amp; B</name></lead><lead><email>b@x.example</email></lead></leads>' ],
	[ 'application/json', '[{"email": "a@x.example", "n": [1, {"a": null}]}, {"email": "b@x.example"}]' ],
	[ 'application/x-ndjson', qq({"email": "a\@x.example"}\n{"email": "b\@x.example"}\n) ],
	[ 'text/plain', "Email: a\@x.example\nName: A\nfree text\n" ]);
my @tokens = ('"', '<', '>', '&', '&#0;', '<![CDATA[', ']]>', '=?utf-8?b?', '?=', '=', '%', '%00', ';', ',', '{', '[', '}', '\\u0000', '<a:b>', '<!DOCTYPE a [<!ENTITY b "c">]>', "\0", "\xFF", "\r\n", "\n",
	"--", "sep=;\n", "\xEF\xBB\xBF", "Content-Type: multipart/mixed; boundary=b\n\n", '<?xml version="1.0" encoding="utf-16"?>', ' ' x 500);

sub damaged
{
	my ($body) = @_;
	for (1 .. draw(5))
	{
		my $at = draw(length($body) + 1);
		my $how = draw(5);
		if ($how == 0) { substr($body, $at, 0) = pick(@tokens); }
		elsif ($how == 1) { substr($body, $at, draw(20)) = ''; }
		elsif ($how == 2) { substr($body, $at, 1) = chr draw(256); }
		elsif ($how == 3) { substr($body, $at, 0) = substr($body, draw(length($body) + 1), draw(60)); }
		else { $body = substr($body, 0, $at) if draw(3) == 0; }
	}
	return $body;
}

my @names = qw(external_id source_id full_name email phone country company company_source_id employees annual_revenue lead_source_id page campaign channel
	source budget currency message kind occurred_at visitor session cost consent_email size tags since formResponse form field_data user_column_data profile);
my @texts = ('', 'x@y.example', 'bob@gmail.com', '+84912345678', 'VN', '2026-01-01', '2026-13-45', 'infinity', '-infinity', '1e400', 'NaN', '-1', '9' x 30, 'maybe',
	'x' x 600, 'y' x 3000, "'; --", '%s%n', 'EUR', 'page_view', 'demo_request', 'website', '294276-12-31', '4714-01-01 BC', '24:00', '@', ' 7 ');
sub value
{
	my ($depth) = @_;
	my $kind = draw(10);
	return '[' . join(',', map { value($depth + 1) } 1 .. draw(4)) . ']' if $kind == 0 && $depth < 4;
	return '{' . join(',', map { '"' . pick(@names, 'name', 'value', 'values', 'answers', 'questionId', 'content', 'questions') . '":' . value($depth + 1) } 1 .. draw(4)) . '}'
	  if $kind == 1 && $depth < 4;
	return pick(0, -1, '1e308', 'true', 'false', 'null', '1.5') if $kind == 2;
	return '"' . pick(@texts) . '"';
}

my $log = -s $node->logfile;
my $rows = '';
for my $n (1 .. 4000)
{
	my $form = pick(qw(default web_form linkedin_lead_gen facebook_lead_ads google_lead_form event_registration vendor_email));
	if ($n % 40 == 0)
	{
		$rows .= "default\t\\N\t\\N\t{\"email\": \"good$n\@good.example\", \"lead_source_id\": \"G" . ($n % 400) . "\"}\n";
	}
	elsif ($n % 2)
	{
		my ($type, @seeds) = @{ pick(@bodies) };
		$type = pick('', 'text/html', 'text/csv; charset=utf-16', 'multipart/mixed; boundary=', 'application/json') if draw(10) == 0;
		$rows .= "$form\t$type\t\\\\x" . unpack('H*', damaged(pick(@seeds))) . "\t\\N\n";
	}
	else
	{
		my $payload = '{' . join(',', map { '"' . pick(@names) . '":' . value(0) } 1 .. draw(9)) . '}';
		$rows .= "$form\t\\N\t\\N\t$payload\n";
	}
}
my $file = $node->basedir . '/rows';
open my $out, '>:raw', $file or die "$file: $!\n";
print $out $rows;
close $out;
my ($code, undef, $complaint) = $node->psql('postgres', "COPY crm.submission (form, content_type, raw, payload) FROM '$file'");
is($code, 0, 'one statement takes them all') or diag($complaint);
is(query($node, 'SELECT count(*) FROM crm.submission WHERE part_of IS NULL'), '4000', 'none is lost');
is(query($node, q{SELECT count(*) FROM crm.submission WHERE status IS NULL OR (status = 'rejected' AND reasons IS NULL)}), '0', 'each was processed, and what was rejected has reasons');
is(query($node, q{SELECT count(*), count(*) FILTER (WHERE status = 'accepted') FROM crm.submission WHERE payload ->> 'email' LIKE 'good%@good.example'}),
	'100|100', 'the good ones are in');
is(query($node, q{SELECT count(DISTINCT lead_id) FROM crm.submission WHERE payload ->> 'email' LIKE 'good%@good.example'}), '10', 'each for the lead that it names');
is(query($node, q{SELECT count(*) FROM crm.rejected_submission WHERE code = 'database_error'}), '0', 'nothing was left for the tables to refuse');
unlike(slurp_file($node->logfile, $log), qr/PANIC|terminated by signal|server process/, 'and the server did not notice');
$node->stop;
done_testing();
