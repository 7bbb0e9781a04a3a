# leadctl import: files of every kind, good and bad, broken off and gone on
# with, and the bar on a terminal.
use strict;
use warnings;
use Encode qw(encode);
use File::Basename qw(dirname);
use LeadMgmt;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $node = new_node('leadctl', conf => "log_statement = none\n");
my $directory = $node->basedir;

workspace($node, 'crm');
query($node, q{INSERT INTO crm.form (form, default_region) VALUES ('fair', 'VN')});

sub file
{
	my ($name, $content) = @_;
	my $path = "$directory/$name";

	open my $out, '>:raw', $path or die "$path: $!\n";
	print $out $content;
	close $out;
	return $path;
}

sub ids { return query($node, 'SELECT (SELECT count(*) FROM crm.contact), (SELECT count(*) FROM crm.lead), (SELECT count(*) FROM crm.interaction), (SELECT count(*) FROM crm.submission)'); }

# A messy sheet
my $messy = file('messy.csv', "\xEF\xBB\xBFName;E-Mail;Budget;Created;Colour\n"
	. " Jane Roe ;jane\@example.com;1.234,50;1/8/2026;red\r\n"
	. "\"Bob \"\"B\"\" Bo\";bob\@example.com;x,5;31.12.2026 10:00;\n"
	. " Jane Roe;jane\@example.com;1.234,50;1/8/2026; red\n"
	. "Nomail;nomail;;;\n"
	. "Much;much\@example.com;1;1/1/2026;green;more\n"
	. "\n ;;;;\n"
	. "\"two\nlines\";two\@example.com;7;;\n");
my @formats = ('--date-order=DMY', '--decimal-mark=,');

my ($code, $out, $err) = leadctl($node, undef, 'import', $messy, '-n', @formats);
is($code, 65, 'a dry run of a sheet with bad rows ends with 65');
like($out, qr/^column "E-Mail": email$/m, 'it shows what columns are read as');
like($out, qr/^column "Created": occurred_at \(a guess\)$/m, 'guesses too');
like($out, qr/^column "Colour": kept, but not read as anything$/m, 'and what they are not');
like($out, qr/6 records, nothing of which is kept\n  created +2\n  duplicate +1\n  rejected +3\n/, 'and what would become of the rows');
like($out, qr/invalid_email of email: 1, first in row 5 \("nomail"\)/, 'and why');
is(ids(), '0|0|0|0', 'and keeps nothing');
is(query($node, 'SELECT count(*) FROM crm.import'), '0', 'not even the import');

($code, $out, $err) = leadctl($node, undef, 'import', $messy, @formats);
is($code, 65, 'the import ends with 65');
is($err, '', 'and says nothing more where there is no terminal');
is(ids(), '2|2|2|6', 'the good rows are in');
is( query($node, q{SELECT c.full_name, l.budget, i.occurred_at::date FROM crm.contact c JOIN crm.lead l USING (contact_id)
		JOIN crm.interaction i USING (lead_id) WHERE c.email = 'jane@example.com'}),
	'Jane Roe|1234.50|2026-08-01', 'with dates and numbers as declared');
is( query($node, 'SELECT import_row, field, code, value FROM crm.import_error ORDER BY 1'),
	"3|budget|invalid_number|x,5\n5|email|invalid_email|nomail\n6||ragged_row|", 'the bad rows are in a table with why');
my $rejects = slurp_file("$messy.rejected.csv");
like($rejects, qr/^import_row;import_reasons;Name;E-Mail;Budget;Created;Colour$/m, 'and in a file beside it, with the columns of the original');
like($rejects, qr/^3;"\[\{.*""invalid_number"".*\}\]";"Bob ""B"" Bo";bob\@example.com;x,5;31.12.2026 10:00;$/m, 'as they were');
is( query($node, 'SELECT state, last_row, rows_read, created, updated, duplicates, rejected FROM crm.import'),
	'finished|9|6|2|0|1|3', 'and counted');

my $before = ids();
($code, $out, $err) = leadctl($node, undef, 'import', $messy, @formats);
is($code, 0, 'the same once more is well');
like($out, qr/was imported already, as import \d+; nothing is done/, 'and done already');
is(ids(), $before, 'so nothing changes');
($code, $out, $err) = leadctl($node, undef, 'import', $messy, @formats, '--again', '-q');
is(join('|', (split /\|/, ids())[0 .. 2]), '2|2|2', 'nor do contacts, leads and interactions when it is done again');
is($out, '', 'quiet says nothing');

# The id of a record says whose it is: a changed row changes the same contact and lead
my $crm = file('crm.csv', "Record,Name,E-Mail,Budget\n77,Ann Lee,ann\@example.com,10\n");
leadctl($node, undef, 'import', $crm, '--map=Record=external_id');
file('crm.csv', "Record,Name,E-Mail,Budget\n77,Ann Lee-Poe,ann.poe\@example.com,20\n");
($code, $out, $err) = leadctl($node, undef, 'import', $crm, '--map=Record=external_id');
is($code, 0, 'another export of the other system comes in');
is( query($node, q{SELECT c.full_name, l.budget, l.interaction_count FROM crm.contact c JOIN crm.lead l USING (contact_id) WHERE c.full_name LIKE 'Ann%'}),
	'Ann Lee-Poe|20|2', 'and updates contact and lead by the record\'s id');

# Rejected rows are corrected where they stand
my $corrected = slurp_file("$messy.rejected.csv") =~ s/;x,5;/;5;/r =~ s/;nomail;/;nomail\@example.com;/r =~ s/;more$//mr;
file('corrected.csv', $corrected);
($code, $out, $err) = leadctl($node, undef, 'import', "$directory/corrected.csv", @formats);
is($code, 0, 'rejected rows that were corrected come in from their file');
is( query($node, q{SELECT payload FROM crm.submission WHERE payload->>'E-Mail' = 'nomail@example.com'}),
	'{"Name": "Nomail", "E-Mail": "nomail@example.com"}', 'without the reasons');

# All or nothing
my $half = file('half.csv', "email\nfine\@example.com\nnot fine\n");
$before = ids();
($code, $out, $err) = leadctl($node, undef, 'import', $half, '--atomic');
is($code, 65, 'all or nothing is nothing when a row is bad');
like($err, qr/nothing was imported, for 1 records were rejected/, 'and says so');
is(ids(), $before, 'and so it is');

# A workbook that LibreOffice wrote
($code, $out, $err) = leadctl($node, undef, 'import', '-f', 'fair', dirname(__FILE__) . '/../data/fair.xlsx', "--rejects=$directory/fair.rejected");
is($code, 65, 'a workbook comes in');
is( query($node, q{SELECT import_row, status, payload->>'Họ và tên', payload->>'Budget', payload->>'Besucht am', payload->>'Newsletter', payload->>'Telefon'
		FROM crm.submission WHERE form = 'fair' ORDER BY 1}),
	"2|accepted|Nguyễn Văn Anh|1234.5|2026-08-01|true|84912345678\n3|accepted|Jürgen Groß|1000000|2026-12-31 09:30:00|false|+49 30 901820\n"
	. "4|duplicate|Jürgen Groß|1000000|2026-12-31 09:30:00|false|+49 30 901820\n6|accepted|Ana|0.1|1900-03-01||\n7|rejected|Kaputt|12|2026-01-01||",
	'its numbers, dates and truth values as people see them');
($code, $out, $err) = leadctl($node, undef, 'import', dirname(__FILE__) . '/../data/fair.xlsx', '--sheet=None');
is($code, 66, 'there is no such sheet');
like($err, qr/there is no sheet "None"; there are: fair/, 'but others');

# Other kinds
my $lines = file('lines.ndjson', qq({"email": "n1\@example.com", "name": "N1"}\n{"email": \n\n{"email": "n2\@example.com"}));
($code, $out, $err) = leadctl($node, undef, 'import', $lines);
is($code, 65, 'lines of JSON come in, but for one');
like(slurp_file("$lines.rejected.csv"), qr/^import_row,import_reasons,record\n2,.*invalid_json.*"\{""email"": "$/m, 'which is rejected');
is(query($node, q{SELECT count(*) FROM crm.contact WHERE email::text ~ '^n\d@'}), '2', 'the others are there');
($code) = leadctl($node, undef, 'import', file('tabs.tsv', "email\tname\nt1\@example.com\tT, One\n"));
is($code, 0, 'values between tabs too');

($code) = leadctl($node, undef, 'import', file('sep.csv', "sep=|\nemail|name\np1\@example.com|P, One\n"));
is($code, 0, 'and between whatever Excel says');
query($node, q{INSERT INTO crm.form (form) VALUES ('lines'); INSERT INTO crm.form_field (form, name, field) VALUES ('lines', '1-8', 'full_name'), ('lines', '9-30', 'email')});
($code) = leadctl($node, undef, 'import', '-f', 'lines', '--format=fixed', file('lines.txt', "Eva Ax  eva\@example.com\nIda By  ida\@example.com\n"));
is($code, 0, 'and lines of fixed width');
is(query($node, q{SELECT string_agg(full_name, ',' ORDER BY 1) FROM crm.contact WHERE email::text IN ('eva@example.com', 'ida@example.com')}), 'Eva Ax,Ida By', 'by the places of their columns');

# Encodings
my $viet = "email,họ tên\n%s,Nguyễn Thị Ước\n";
my $of = sub { return query($node, qq{SELECT full_name FROM crm.contact WHERE email = '$_[0]'}); };
require utf8;
utf8::decode($viet);
file('u16.csv', "\xFF\xFE" . encode('UTF-16LE', sprintf $viet, 'u16@example.com'));
($code) = leadctl($node, undef, 'import', "$directory/u16.csv");
is($code, 0, 'UTF-16 is known by its mark');
is($of->('u16@example.com'), 'Nguyễn Thị Ước', 'and right');
file('1252.csv', "email,name\nw1252\@example.com,J\xFCrgen \x80\n");
($code, $out, $err) = leadctl($node, undef, 'import', "$directory/1252.csv");
is($code, 66, 'text in another encoding is refused');
like($err, qr/not in the encoding UTF-8; name another, such as --encoding=windows-1252/, 'with the way out');
($code) = leadctl($node, undef, 'import', "$directory/1252.csv", '--encoding=windows-1252');
is($of->('w1252@example.com'), 'Jürgen €', 'and read once it is named');
# Nguyễn Thị Ước with its accents as signs of their own, as Windows has them
file('1258.csv', "email,name\nw1258\@example.com,Nguy\xEA\xDEn Thi\xF2 \xDD\xF5\xECc\n");
($code) = leadctl($node, undef, 'import', "$directory/1258.csv", '--encoding=windows-1258');
is($of->('w1258@example.com'), 'Nguyễn Thị Ước', 'Vietnamese of Windows too');

# What is no file of records
for my $case (
	[ 'empty.csv', '', qr/the file is empty/ ],
	[ 'blank.csv', " \n\n", qr/there is nothing in the file/ ],
	[ 'binary.csv', join('', map { chr } 0 .. 255) x 10, qr/a binary file/ ],
	[ 'old.xls', "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1" . "\0" x 100, qr/a file of Excel 2003 or older/ ],
	[ 'broken.xlsx', "PK\x03\x04" . "x" x 1000, qr/broken.xlsx: / ],
	[ 'wide.csv', ',' x 1_000_000 . "\n", qr/the header has 1000001 columns, more than 4096/ ],
	[ 'nohead.csv', ",,\na\@example.com,,\n", qr/the first row is empty; it must be a header|is a header/ ])
{
	my ($name, $content, $message) = @$case;
	($code, $out, $err) = leadctl($node, undef, 'import', file($name, $content));
	is($code, 66, "$name ends with 66");
	like($err, $message, 'and says why');
}
($code, $out, $err) = leadctl($node, undef, 'import', $directory);
is($code, 66, 'a directory ends with 66');
like($err, qr/a directory, not a file/, 'and says why');
($code, $out, $err) = leadctl($node, undef, 'import', "$directory/none.csv");
is($code, 66, 'no file ends with 66');

# Rows that are beyond measure, in bounded memory
file('huge.csv', "email,message\nh1\@example.com,\"" . 'x' x 40_000_000 . "\"\nh2\@example.com," . ',' x 1_000_000 . "\nh3\@example.com,fine\n");
{
	local %ENV = $node->_get_env(PGDATABASE => 'postgres');
	IPC::Run::run([ 'sh', '-c', 'ulimit -v 250000; exec leadctl import "$0"', "$directory/huge.csv" ], '>', \$out, '2>', \$err);
	$code = $? >> 8;
}
is($code, 65, 'a field of 40 MB and a row of a million fields do not end an import');
is( query($node, q{SELECT code, import_row FROM crm.import_error WHERE import_id = (SELECT max(import_id) FROM crm.import) ORDER BY 2}),
	"too_long|2\nragged_row|3", 'they are rejected');
is(query($node, q{SELECT count(*) FROM crm.contact WHERE email = 'h3@example.com'}), '1', 'and the row behind them is in');
unlink "$directory/huge.csv", "$directory/huge.csv.rejected.csv";

# A quote that is left open, with more behind it than is waited for, and one that ends too early
file('quotes.csv', "email,name,message\nq1\@example.com,\"Q One,x\n" . "q2\@example.com,\"Q \"Two\" Q\",x\n"
	. "q3\@example.com,\"Q\nThree\",x\nq4\@example.com,\"Q Four,x\n"
	. join('', map { "q$_\@example.com,Q,\n" . ",,\n" x 3_000_000 } 5 .. 6));
($code, $out, $err) = leadctl($node, undef, 'import', "$directory/quotes.csv");
is($code, 65, 'quotes that do not close do not end an import');
is( query($node, q{SELECT string_agg(import_row || ' ' || code, ', ' ORDER BY import_row) FROM crm.import_error WHERE import_id = (SELECT max(import_id) FROM crm.import)}),
	'2 invalid_csv, 3 invalid_csv, 5 invalid_csv', 'they cost the line that they are on');
is(query($node, q{SELECT string_agg(email::text, ',' ORDER BY 1) FROM crm.contact WHERE email::text ~ '^q\d@'}),
	join(',', map { "q$_\@example.com" } 3, 5, 6), 'and not those behind it');
unlink "$directory/quotes.csv", "$directory/quotes.csv.rejected.csv";

# Usage
for my $case ([ [], 64 ], [ ['nonsense'], 64 ], [ ['--help'], 0 ], [ ['--version'], 0 ], [ [ 'import', '--help' ], 0 ],
	[ ['import'], 64 ], [ [ 'import', $messy, '--map=None=email' ], 64 ], [ [ 'import', $messy, '--map=Name=nonsense' ], 70 ],
	[ [ 'import', $messy, '-f', 'none' ], 70 ], [ [ 'import', $messy, '-w', 'none' ], 70 ], [ [ 'import', $messy, '-h', '/nowhere' ], 75 ],
	[ [ 'import', $messy, '-d', 'dbname=postgres password=secret' ], 64 ], [ [ 'import', $messy, '--delimiter=ab' ], 64 ],
	[ [ 'import', $messy, '--date-order=XYZ' ], 64 ], [ [ 'import', $messy, '--nonsense' ], 64 ])
{
	my ($arguments, $expected) = @$case;
	($code, $out, $err) = leadctl($node, undef, @$arguments);
	is($code, $expected, "leadctl @$arguments ends with $expected" =~ s/\Q$directory\E\///gr);
	like($expected ? $err : $out, qr/leadctl/, 'and speaks');
}

# Roles
query($node, q{CREATE ROLE clerk LOGIN; CREATE ROLE website LOGIN; SELECT crm.grant_access('clerk', 'import'); SELECT crm.grant_access('website', 'capture')});
($code, $out, $err) = leadctl($node, undef, 'import', '-U', 'clerk', file('clerk.csv', "email\nk1\@example.com\nbad\n"));
is($code, 65, 'a role that may import can');
like($out, qr/invalid_email/, 'and hears what was wrong');
($code, $out, $err) = leadctl($node, undef, 'import', '-U', 'website', $half);
is($code, 70, 'one that may only submit cannot');
like($err, qr/permission denied/, 'and is told so');

# Cut off
my $many = file('many.csv', "Name,E-Mail,Page\n" . join('', map {
	$_ % 1000 == 500 ? "Bad $_,bad,\n" : sprintf "Person %d,p%d\@example.com,page%d\n", $_, $_ % 4000, $_ % 3 } 1 .. 6000));
my $expected = 6000 - 6;

sub start
{
	my (@arguments) = @_;
	local %ENV = $node->_get_env(PGDATABASE => 'postgres');
	my ($out, $err) = ('', '');
	my $run = IPC::Run::start([ 'leadctl', 'import', $many, '--batch-rows=500', @arguments ], '<', \undef, '>', \$out, '2>', \$err);
	return ($run, \$out, \$err);
}

sub wait_for_rows
{
	my ($form, $rows) = @_;
	return $node->poll_query_until('postgres', "SELECT COALESCE(max(last_row), 0) > $rows FROM crm.import WHERE form = '$form' AND source = 'many.csv'");
}

sub is_whole
{
	my ($form, $label) = @_;
	is( query($node, qq{SELECT count(*), count(DISTINCT import_row), count(*) FILTER (WHERE status = 'rejected'), count(DISTINCT import_id)
			FROM crm.submission WHERE form = '$form'}),
		'6000|6000|6|1', "$label: every row is in once");
	is( query($node, qq{SELECT state, rows_read, created + updated + duplicates, rejected FROM crm.import WHERE form = '$form' AND source = 'many.csv'}),
		"finished|6000|$expected|6", "$label: and counted once");
	my $lines = () = slurp_file("$many.rejected.csv") =~ /^\d+,.*Bad \d+,bad,$/mg;
	is($lines, 6, "$label: every rejected row is in the file once");
	return;
}

query($node, q{INSERT INTO crm.form (form) VALUES ('cut'), ('killed'), ('restarted')});
my ($run, $said, $complained) = start('-f', 'cut');
for my $rows (1000, 3000)
{
	wait_for_rows('cut', $rows);
	query($node, q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()});
}
$run->finish;
is($run->result(0), 65, 'an import whose connection is cut twice ends well');
like($$complained, qr/the connection is lost; trying again/, 'having said so');
is_whole('cut', 'cut');

($run, $said, $complained) = start('-f', 'killed');
wait_for_rows('killed', 2000);
$run->kill_kill;
my $at = query($node, q{SELECT last_row FROM crm.import WHERE form = 'killed'});
is(query($node, q{SELECT max(import_row) FROM crm.submission WHERE form = 'killed'}), $at, 'what is killed leaves whole batches');
($run, $said, $complained) = start('-f', 'killed');
$run->finish;
is($run->result(0), 65, 'and another run goes on');
is_whole('killed', 'killed');

($run, $said, $complained) = start('-f', 'restarted');
wait_for_rows('restarted', 2000);
$node->restart;
$run->finish;
is($run->result(0), 65, 'a server that is restarted is waited for');
is_whole('restarted', 'restarted');

# Two at once
my ($one, undef, $one_err) = start('-f', 'default');
my ($two, undef, $two_err) = start('-f', 'default');
$one->finish;
$two->finish;
is( query($node, q{SELECT count(*), count(DISTINCT s.import_row) FROM crm.submission s JOIN crm.import i USING (import_id) WHERE i.form = 'default' AND i.source = 'many.csv'}),
	'6000|6000', 'two at once bring no row in twice');

# On a terminal
SKIP:
{
	skip 'no pseudo-terminals', 3 unless eval { require IO::Pty; 1 };
	my ($screen) = ('');
	query($node, q{INSERT INTO crm.form (form) VALUES ('seen')});
	local %ENV = $node->_get_env(PGDATABASE => 'postgres', TERM => 'xterm');
	IPC::Run::run([ 'leadctl', 'import', '-f', 'seen', '--batch-rows=500', $many ], '>pty>', \$screen);
	like($screen, qr/\r\[#+ +\] +\d+ %  [\d,]+ rows, [\d,]+ rows\/s, \d+:\d\d left/, 'a terminal gets a bar with rate and time left');
	like($screen, qr/\[#{24}\] 100 %  6,000 rows/, 'which fills');
	like($screen, qr/\r +\r.*many.csv: 6000 records/s, 'and goes away for the report');
}

is(query($node, q{SELECT count(*) FROM crm.import WHERE state = 'running'}), '0', 'no import is left half done');
$node->stop;
done_testing();
