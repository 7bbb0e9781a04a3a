# The procedure import over foreign tables, and while others look on: progress
# in other sessions, cancelling that leaves whole batches, and going on.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Spec;
use LeadMgmt;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('sources', conf => "log_statement = none\n");
my $directory = $node->basedir;

workspace($node, 'crm');
query($node, q{CREATE DATABASE old_crm; INSERT INTO crm.form (form, default_region, source_system) VALUES ('fair', 'VN', NULL), ('old', NULL, 'old_crm')});

# A file of Windows, through file_fdw
open my $out, '>:raw', "$directory/sheet.csv" or die "sheet.csv: $!\n";
print $out "Name;E-Mail;Budget\nJ\xFCrgen;j\@example.com;1.234,5\nX;nonsense;\n";
close $out;
query($node, qq{
	CREATE EXTENSION file_fdw;
	CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
	CREATE FOREIGN TABLE sheet ("Name" text, "E-Mail" text, "Budget" text) SERVER files
		OPTIONS (filename '$directory/sheet.csv', format 'csv', header 'true', delimiter ';', encoding 'WIN1252')});
is( query($node, q{CALL crm.import('sheet', 'fair', decimal_mark => ',')}),
	'1|2|1|0|0|0|1', 'a CSV file comes in through file_fdw');
is(query($node, q{SELECT c.full_name, l.budget FROM crm.contact c JOIN crm.lead l USING (contact_id)}), 'Jürgen|1234.5', 'in its encoding');

# Another database, through postgres_fdw
query($node, q{
	CREATE TABLE leads (id integer PRIMARY KEY, name text, email text, created timestamptz, worth numeric, done boolean);
	INSERT INTO leads SELECT g, 'Old ' || g, CASE WHEN g <> 3 THEN 'o' || g || '@example.com' END, '2025-01-01Z', g * 1.5, g % 2 = 0 FROM generate_series(1, 4) g},
	'old_crm');
my ($host, $port) = ($node->host, $node->port);
query($node, qq{
	CREATE EXTENSION postgres_fdw;
	CREATE SERVER old FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '$host', port '$port', dbname 'old_crm');
	CREATE USER MAPPING FOR CURRENT_USER SERVER old;
	CREATE SCHEMA old;
	IMPORT FOREIGN SCHEMA public FROM SERVER old INTO old});
my $old = q{CALL crm.import('old.leads', 'old', '{"id": "external_id", "worth": "budget", "created": "occurred_at"}')};
is(query($node, $old), '2|4|4|0|0|0|0', 'a table of an old CRM comes in through postgres_fdw');
query($node, q{UPDATE leads SET email = 'new@example.com', worth = 100 WHERE id = 2}, 'old_crm');
is(query($node, $old), '3|4|0|1|3|0|0', 'what has changed there since comes again');
is( query($node, q{SELECT full_name, l.budget, l.interaction_count FROM crm.contact_identity k JOIN crm.contact c USING (contact_id) JOIN crm.lead l USING (contact_id) WHERE k.value = 'old_crm:2'}),
	'Old 2|100|2', 'and updates the lead by the id it has there');

# A workbook, through ogr_fdw
SKIP:
{
	skip 'postgresql-15-ogr-fdw is not installed', 2
	  unless query($node, q{SELECT count(*) FROM pg_available_extensions WHERE name = 'ogr_fdw'});
	my $book = File::Spec->rel2abs(dirname(__FILE__) . '/../data/fair.xlsx');
	query($node, qq{
		CREATE EXTENSION ogr_fdw;
		CREATE SERVER book FOREIGN DATA WRAPPER ogr_fdw OPTIONS (datasource '$book', format 'XLSX', config_options 'OGR_XLSX_HEADERS=FORCE');
		CREATE SCHEMA book;
		IMPORT FOREIGN SCHEMA ogr_all FROM SERVER book INTO book OPTIONS (launder_column_names 'false')});
	my $sheet = query($node, q{SELECT oid::regclass FROM pg_class WHERE relnamespace = 'book'::regnamespace AND relkind = 'f'});
	is( query($node, qq{CALL crm.import('$sheet', 'fair', '{"fid": null}')}),
		'4|6|3|0|1|0|1', 'a workbook comes in through ogr_fdw');
	is( query($node, q{SELECT c.full_name, c.phone, l.budget FROM crm.contact c JOIN crm.lead l USING (contact_id) WHERE c.email = 'anh.nguyen@example.vn'}),
		'Nguyễn Văn Anh|+84912345678|1234.5', 'with what its cells say');
}

# While others look on
query($node, q{
	CREATE TABLE many AS SELECT 'm' || g || '@example.com' AS email, 'M ' || g AS name FROM generate_series(1, 8000) g;
	INSERT INTO crm.form (form) VALUES ('many')});
my $importing = background($node, q{CALL crm.import('many', 'many', batch_rows => 500)});
$node->poll_query_until('postgres', q{SELECT COALESCE(max(last_row), 0) > 1000 FROM crm.import WHERE form = 'many'});
my ($pid, $tuples) = split /\|/, query($node, q{SELECT pid, tuples_processed > 0 FROM pg_stat_progress_copy WHERE relid = 'many'::regclass});
is($tuples, 't', 'another session sees how far it is');
is(query($node, q{SELECT state FROM crm.import WHERE form = 'many'}), 'running', 'in the table import too');
query($node, "SELECT pg_cancel_backend($pid)");
IPC::Run::finish($importing);
my ($last_row, $here) = split /\|/, query($node, q{SELECT last_row, (SELECT count(*) FROM crm.submission WHERE form = 'many') FROM crm.import WHERE form = 'many'});
cmp_ok($here, '<', 8000, 'it was cancelled');
is($here, $last_row, 'and leaves whole batches');
is($here % 500, 0, 'each as large as was asked');
is( query($node, q{CALL crm.import('many', 'many')}) =~ s/^\d+\|//r, '8000|' . (8000 - $here) . "|0|$here|0|0", 'called again it goes on');
is(query($node, q{SELECT count(*) FROM crm.contact WHERE email::text LIKE 'm%@example.com'}), '8000', 'so that all are in once');

# Two at once
query($node, q{INSERT INTO crm.form (form) VALUES ('pair'); CREATE TABLE pair AS SELECT 'b' || g || '@example.com' AS email FROM generate_series(1, 2000) g});
my @both = map { background($node, q{CALL crm.import('pair', 'pair', batch_rows => 300)}) } 1 .. 2;
IPC::Run::finish($_) for @both;
is( query($node, q{SELECT count(*) FILTER (WHERE status = 'accepted'), count(*) FILTER (WHERE status NOT IN ('accepted', 'duplicate')) FROM crm.submission WHERE form = 'pair'}),
	'2000|0', 'two imports of one table at once bring each row in once');

is_consistent($node, 'crm', 'everything adds up');
$node->stop;
done_testing();
