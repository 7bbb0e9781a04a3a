# A hundred thousand persons by one COPY: every row is accounted for, persons
# are found by e-mail and phone, and the backend's memory stays bounded.
use strict;
use warnings;
use LeadMgmt;
use PostgreSQL::Test::Utils;
use Test::More;

my $file = data_file('matching/synth_100k.csv');
plan skip_all => 'matching/synth_100k.csv is absent' unless $file;

# What the process has of its own, in MB: now, and at most
sub memory
{
	my ($pid) = @_;
	my $status = slurp_file("/proc/$pid/status");
	my %kb = $status =~ /^(VmHWM|RssAnon|RssShmem|RssFile):\s+(\d+) kB/mg;

	return map { $_ / 1024 } $kb{RssAnon}, $kb{VmHWM} - $kb{RssShmem} - $kb{RssFile};
}

my $node = new_node('synth', conf => "log_statement = none\nshared_buffers = 128MB\nmax_wal_size = 4GB\nautovacuum = off\n");
my $copy = $node->basedir . '/submissions';

workspace($node, 'crm');
query($node, q{
	CREATE TABLE staging (unique_id text, given_name text, surname text, street_number text, address_1 text, suburb text, postcode text,
		state text, date_of_birth text, soc_sec_id text, phone text, email text, cluster text);
	INSERT INTO crm.form (form, mapping, default_region) VALUES ('synth', '{"suburb": "city"}', 'AU')});
query($node, "COPY staging FROM '$file' (FORMAT csv, HEADER)");
query($node, qq{COPY (SELECT 'synth', jsonb_strip_nulls(jsonb_build_object('given_name', given_name, 'surname', surname,
		'address_1', concat_ws(' ', street_number, address_1), 'suburb', suburb, 'postcode', postcode, 'state', state,
		'phone', phone, 'email', email, 'unique_id', unique_id)) FROM staging) TO '$copy'});

my $session = session($node);
my $pid = $session->ask('SELECT pg_backend_pid()');
$session->ask(q{SELECT crm.capture('synth', '{"email": "warm@up.example", "phone": "0478842215"}')});
my ($before) = memory($pid);
my $started = time;
$session->ask("COPY crm.submission (form, payload) FROM '$copy'");
note(sprintf('loaded in %d s', time - $started));
my ($after, $most) = memory($pid);
my $contexts = $session->ask('SELECT sum(total_bytes) / 1048576 FROM pg_backend_memory_contexts');
$session->quit;
note(sprintf('own memory of the backend: %.0f MB before, %.0f MB after, at most %.0f MB; %.0f MB in contexts', $before, $after, $most, $contexts));
cmp_ok($most, '<', 200, 'the backend never had 200 MB of its own');
cmp_ok($contexts, '<', 50, 'and gave back what it had');

my ($accepted, $rejected, $others, $silent) = split /\|/, query($node, q{
	SELECT count(*) FILTER (WHERE status = 'accepted'), count(*) FILTER (WHERE status = 'rejected'),
		count(*) FILTER (WHERE status IS NULL OR status = 'duplicate'),
		count(*) FILTER (WHERE status = 'rejected' AND COALESCE(jsonb_array_length(reasons), 0) = 0)
	FROM crm.submission WHERE form = 'synth' AND payload ? 'unique_id'});
is($accepted + $rejected, 100_000, 'every row is accepted or rejected');
is($others, 0, 'none is anything else');
is($silent, 0, 'none is rejected without a reason');
note("accepted $accepted, rejected $rejected: " . join ', ', split /\n/, query($node,
	q{SELECT code || ' ' || count(*) FROM crm.rejected_submission WHERE severity = 'error' GROUP BY code ORDER BY count(*) DESC LIMIT 5}));
cmp_ok($accepted, '>', 90_000, 'most are accepted');
is_consistent($node, 'crm', 'all consistent');

# The truth: two rows of one cluster are one person
my ($contacts, $clusters, $pairs, $findable, $found, $false) = split /\|/, query($node, q{
	CREATE TEMP TABLE outcome AS
		SELECT s.contact_id, g.cluster, g.email, g.phone
		FROM crm.submission s JOIN staging g ON g.unique_id = s.payload ->> 'unique_id'
		WHERE s.status = 'accepted';
	SELECT (SELECT count(DISTINCT contact_id) FROM outcome),
		(SELECT count(DISTINCT cluster) FROM outcome),
		(SELECT sum(n * (n - 1) / 2) FROM (SELECT count(*) AS n FROM outcome GROUP BY cluster) x),
		(SELECT count(*) FROM outcome a JOIN outcome b ON a.cluster = b.cluster AND a.ctid < b.ctid AND (a.email = b.email OR a.phone = b.phone)),
		(SELECT sum(n * (n - 1) / 2) FROM (SELECT count(*) AS n FROM outcome GROUP BY cluster, contact_id) x),
		(SELECT sum(n * (n - 1) / 2) FROM (SELECT count(*) AS n FROM outcome GROUP BY contact_id) x)
			- (SELECT sum(n * (n - 1) / 2) FROM (SELECT count(*) AS n FROM outcome GROUP BY cluster, contact_id) x)});
note("$contacts contacts for $clusters persons; of $pairs true pairs $found found, $findable share an e-mail address or phone; $false false pairs");
cmp_ok($contacts, '<=', $accepted, 'no more contacts than rows');
cmp_ok($contacts, '>=', $clusters - $false, 'and no fewer than persons, but for those taken for one');
cmp_ok($found, '>', 0.5 * $findable, 'pairs that share an e-mail address or phone are mostly found');
cmp_ok($false, '<', 0.01 * $accepted, 'hardly any are false');

$node->stop;
done_testing();
