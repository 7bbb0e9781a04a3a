# Clients merge and unmerge people while others capture them: nothing that was
# captured is lost, nobody's lead is another's, and once all merges are undone
# everybody is there again.
use strict;
use warnings;
use LeadMgmt;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('merges', conf => "log_statement = none\nshared_buffers = 64MB\ndeadlock_timeout = 200ms\n");

workspace($node, 'crm');
query($node, q{
	INSERT INTO crm.submission (payload)
	SELECT jsonb_build_object('email', 'p' || p || '@company' || p % 5 || '.example', 'page', 'page1', 'name', 'P' || p) FROM generate_series(1, 60) p});

my %scripts = (
	capture => q{
\set p random(1, 60)
\set page random(1, 3)
SELECT status FROM crm.capture('default', jsonb_build_object('email', 'p' || :p || '@company' || :p % 5 || '.example', 'page', 'page' || :page,
	'kind', (ARRAY['form_submit', 'page_view', 'download'])[:page]));
},
	# What another client merged or undid meanwhile is refused, which is as it should be
	merge => q{
DO $$
DECLARE
	ids bigint[];
	undone bigint;
BEGIN
	IF random() < 0.6 AND (SELECT count(*) FROM crm.contact) > 25 THEN
		SELECT array_agg(contact_id) INTO ids FROM (SELECT contact_id FROM crm.contact ORDER BY random() LIMIT 2) c;
		PERFORM crm.merge_contacts(ids[1], ids[2:]);
	ELSE
		SELECT merge_id INTO undone FROM crm.merge WHERE undone_at IS NULL AND part_of IS NULL ORDER BY random() LIMIT 1;
		IF FOUND THEN
			PERFORM crm.unmerge(undone);
		END IF;
	END IF;
EXCEPTION WHEN object_not_in_prerequisite_state OR no_data_found THEN
	NULL;
END $$;
});
my @files;
for my $name (sort keys %scripts)
{
	my $file = $node->basedir . "/$name";
	open my $out, '>', $file or die "$file: $!\n";
	print $out $scripts{$name};
	close $out;
	push @files, '-f', $file;
}
my ($out) = run_program($node, 'pgbench', '-n', '-j', '2', '-c', '6', '-t', '250', @files, 'postgres');
like($out, qr/number of failed transactions: 0 /, 'no transaction fails');
my $log = slurp_file($node->logfile);
my %errors;
$errors{$1}++ while $log =~ /((?:ERROR|FATAL|PANIC): .*)/g;
is(join("\n", map { "$errors{$_} times $_" } sort keys %errors), '', 'the server logs no error');

is(query($node, q{SELECT count(*) > 50, count(undone_at) > 20 FROM crm.merge WHERE part_of IS NULL}), 't|t', 'there were merges, and undone ones');
is(query($node, q{SELECT count(*) FROM crm.submission WHERE status <> 'accepted'}), '0', 'every submission is accepted');
is_consistent($node, 'crm', 'everything adds up');
is(query($node, q{SELECT count(*) FROM crm.contact_identity i WHERE crm.contact_of(i.contact_id) <> i.contact_id}), '0', 'identities are of those who are left');

# All of it back, whatever the order allows
query($node, q{
	DO $$
	DECLARE
		id bigint;
	BEGIN
		FOR id IN SELECT merge_id FROM crm.merge WHERE undone_at IS NULL AND part_of IS NULL ORDER BY 1 DESC LOOP
			PERFORM crm.unmerge(id);
		END LOOP;
	END $$});
is( query($node, q{SELECT count(*), count(DISTINCT i.value) FROM crm.contact c JOIN crm.contact_identity i USING (contact_id) WHERE c.email::text = i.value}),
	'60|60', 'everybody is back with the own address');
is(query($node, q{SELECT count(*) FROM crm.entity_redirect}), '0', 'no id leads elsewhere');
is_consistent($node, 'crm', 'everything adds up once all is undone');
is( query($node, q{SELECT count(*) FROM crm.interaction}), query($node, q{SELECT count(*) FROM crm.submission}), 'no interaction is lost');

$node->stop;
done_testing();
