# leadctl fetch and leadctl capture: feeds over HTTP, files over FTP, bodies on
# standard input; what is new once, and nothing that is not to be had.
use strict;
use warnings;
use LeadMgmt;
use LocalServers;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('fetch', conf => "log_statement = none\n");
my $web = $node->basedir . '/web';
my $files = $node->basedir . '/files';
mkdir $_ for $web, $files;
my $http = http_server($web);
my $ftp = ftp_server($files, 'vendor', 'sesame');

sub put
{
	my ($path, $content) = @_;

	open my $out, '>:raw', $path or die "$path: $!\n";
	print $out $content;
	close $out;
	return;
}

workspace($node, 'crm');
put("$web/leads.json", '{"email": "w1@example.com"}');
put("$web/leads.json.type", 'application/json; charset=utf-8');
query($node, qq{INSERT INTO crm.fetch_source (source, url) VALUES ('web', 'http://127.0.0.1:$http/leads.json')});

my ($code, $out, $err) = leadctl($node, undef, 'fetch');
is($code, 0, 'a document is fetched');
like($out, qr{^web: http://127.0.0.1:$http/leads.json: 1 accepted$}m, 'and submitted');
is(query($node, q{SELECT count(*) FROM crm.contact WHERE email = 'w1@example.com'}), '1', 'which makes a contact');
is(query($node, q{SELECT etag IS NOT NULL, outcome, failures, claimed_until FROM crm.fetch_source}), 't|fetched|0|', 'the state of the document is kept');
($code, $out, $err) = leadctl($node, undef, 'fetch');
is($code . $out, '0', 'before its time it is let be');
($code, $out, $err) = leadctl($node, undef, 'fetch', 'web');
like($out, qr/^web: not modified$/m, 'and when it is named the server has nothing new');
query($node, q{UPDATE crm.fetch_source SET etag = NULL});
($code, $out, $err) = leadctl($node, undef, 'fetch', 'web');
like($out, qr/: came before$/m, 'a server without such tags makes no difference');
put("$web/leads.json", '{"email": "w2@example.com"} ');
($code, $out, $err) = leadctl($node, undef, 'fetch', 'web');
like($out, qr/: 1 accepted$/m, 'what is new comes');
put("$web/leads.json", '{"email": "nonsense"}');
($code, $out, $err) = leadctl($node, undef, 'fetch', 'web', '-q');
is($code, 65, 'what is rejected shows in the exit code');

# A feed
put("$web/feed.rss", q{<?xml version="1.0"?><rss version="2.0"><channel><title>Leads</title>}
	. join('', map { "<item><guid>g$_</guid><title>Lead $_</title><description>email: r$_\@example.com</description></item>" } 1 .. 2)
	. '</channel></rss>');
put("$web/feed.rss.type", 'application/rss+xml');
query($node, qq{INSERT INTO crm.fetch_source (source, url) VALUES ('feed', 'http://127.0.0.1:$http/feed.rss')});
($code, $out, $err) = leadctl($node, undef, 'fetch', 'feed');
like($out, qr/^feed: \S+: 2 accepted$/m, 'a feed is fetched, item by item');
put("$web/feed.rss", slurp_file("$web/feed.rss") =~ s{(?=</channel>)}{<item><guid>g3</guid><title>Lead 3</title><description>email: r3\@example.com</description></item>}r);
($code, $out, $err) = leadctl($node, undef, 'fetch', 'feed');
like($out, qr/^feed: \S+: 1 accepted 1 duplicate$/m, 'and of what it has later only the items that are new');
is(query($node, q{SELECT count(*) FROM crm.contact WHERE email::text ~ '^r\d@'}), '3', 'each of which is somebody');

# FTP, whose password is where passwords belong
my $home = $node->basedir;
put("$home/.netrc", "machine 127.0.0.1 login vendor password sesame\n");
chmod 0600, "$home/.netrc";
put("$files/a.json", '{"email": "f1@example.com"}');
put("$files/b.csv", "email\nf2\@example.com\n");
put("$files/c.part", 'half written');
query($node, qq{INSERT INTO crm.fetch_source (source, url) VALUES ('files', 'ftp://127.0.0.1:$ftp/')});
{
	local $ENV{HOME} = '/nonexistent';
	($code, $out, $err) = leadctl($node, undef, 'fetch', 'files');
	is($code, 75, 'without its password a directory cannot be had');
	is(query($node, q{SELECT failures, outcome <> '' FROM crm.fetch_source WHERE source = 'files'}), '1|t', 'which is noted');
}
{
	local $ENV{HOME} = $home;
	($code, $out, $err) = leadctl($node, undef, 'fetch', 'files');
	like($out, qr/^files: a.json: 1 accepted$/m, 'with it the files of a directory come');
	like($out, qr/^files: b.csv: 1 accepted$/m, 'one by one');
	unlike($out, qr/c.part/, 'but none that is half written');
	put("$files/d.json", '{"email": "f3@example.com"}');
	($code, $out, $err) = leadctl($node, undef, 'fetch', 'files');
	is(join('', sort $out =~ /^files: (.*)$/mg), 'a.json: came beforeb.csv: came befored.json: 1 accepted', 'and later those that are new');
}
is(query($node, q{SELECT count(*) FROM crm.contact WHERE email::text ~ '^f\d@'}), '3', 'their contacts are there');

# What cannot be had
my %bad = (
	missing => [ "http://127.0.0.1:$http/none", qr/the server answers 404/ ],
	failing => [ "http://127.0.0.1:$http/status/503", qr/the server answers 503/ ],
	slow => [ "http://127.0.0.1:$http/slow", qr/timed out/i ],
	endless => [ "http://127.0.0.1:$http/endless", qr/larger than 100000 bytes/ ],
	redirect => [ "http://127.0.0.1:$http/redirect", qr/not supported or disabled/ ],
	nobody => [ 'http://127.0.0.1:9/', qr/connect/i ]);
for my $name (sort keys %bad)
{
	my ($url, $message) = @{ $bad{$name} };
	query($node, qq{INSERT INTO crm.fetch_source (source, url, timeout, maximum_bytes) VALUES ('$name', '$url', '2 seconds', 100000)});
	($code, $out, $err) = leadctl($node, undef, 'fetch', $name);
	is($code, 75, "$name: fails");
	like($err, $message, "$name: and says why");
	is(query($node, qq{SELECT failures, claimed_until FROM crm.fetch_source WHERE source = '$name'}), '1|', "$name: which is noted");
}
for my $url ('file:///etc/passwd', 'gopher://example.com/', 'http://user:secret@example.com/', 'ftp://example.com/a b', '')
{
	my ($status, undef, $stderr) = $node->psql('postgres', "INSERT INTO crm.fetch_source (source, url) VALUES ('x', '$url')");
	like($stderr, qr/violates check constraint/, "no source may be at \"$url\"");
}
($code, $out, $err) = leadctl($node, undef, 'fetch', 'none');
is($code, 64, 'no such source');

# Rights
query($node, q{CREATE ROLE collector LOGIN; SELECT crm.grant_access('collector', 'import')});
($code, $out, $err) = leadctl($node, undef, 'fetch', '-U', 'collector', 'web');
is($code, 0, 'a role that may import may fetch');
is($node->psql('postgres', 'SET ROLE collector; TABLE crm.fetch_source'), 3, 'without reading where from');

# Bodies
($code, $out, $err) = leadctl($node, '{"email": "c1@example.com"}', 'capture', '-t', 'application/json');
is($code, 0, 'a body on standard input is captured');
like($out, qr/"status": ?"accepted"/, 'and what became of it is said');
($code, $out, $err) = leadctl($node, '{"email": ', 'capture', '-t', 'application/json');
is($code, 65, 'one that is rejected ends with 65');
like($out, qr/"invalid_json"/, 'and says why');
($code, $out, $err) = leadctl($node, '{"email": ', 'capture', '-t', 'application/json', '--stored', '-q');
is($code . $out, '0', 'unless that it is stored is enough');
($code, $out, $err) = leadctl($node, "From: Mia <mia\@example.com>\nSubject: Offer\nContent-Type: text/plain\n\nname: Mia Moe\nemail: mia\@example.com\n", 'capture');
is($code, 0, 'a mail, as aliases hand it over');
is(query($node, q{SELECT full_name FROM crm.contact WHERE email = 'mia@example.com'}), 'Mia Moe', 'is read');
($code, $out, $err) = leadctl($node, "email\ns1\@example.com\nbad\ns2\@example.com\n", 'capture', '-t', 'text/csv');
is($code, 65, 'of several records one is rejected');
is(() = $out =~ /"status": ?"accepted"/g, 2, 'and each has its line');
{
	local $ENV{CONTENT_TYPE} = 'application/json';
	($code, $out, $err) = leadctl($node, '{"email": "c2@example.com"}', 'capture');
	is($code, 0, 'the media type may come from a web server');
}
($code, $out, $err) = leadctl($node, '', 'capture');
is($code, 66, 'nothing on standard input');
($code, $out, $err) = leadctl($node, 'x', 'capture', '-h', '/nowhere');
is($code, 75, 'no server: mail is to be tried again');
($code, $out, $err) = leadctl($node, 'x', 'capture', '-f', 'none', '-t', 'application/json');
is($code, 65, 'a form that there is not rejects');

stop_servers();
$node->stop;
done_testing();
