# Workspaces of one database know nothing of each other; the extension cannot
# be dropped from under them; a workspace can be renamed.
use strict;
use warnings;
use LeadMgmt;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('two', conf => "log_statement = none\n");

query($node, q{
	CREATE ROLE anna LOGIN;
	CREATE ROLE bert LOGIN;
	GRANT CREATE ON DATABASE postgres TO anna, bert});

sub as
{
	my ($role, $sql, $database) = @_;
	my ($out, $err) = ('', '');
	$node->psql($database // 'postgres', "\\set VERBOSITY verbose\n$sql", stdout => \$out, stderr => \$err,
		extra_params => [ '-U', $role ]);
	return $err =~ /(?:ERROR|FATAL):  (\w{5}): (.*)/ ? "$1 $2" : $out;
}

as('anna', "SELECT lead_mgmt.create_workspace('one')");
is(as('bert', q{SELECT lead_mgmt.create_workspace('Two b')}), '', 'a workspace with capitals and a blank in its name');

is( query($node, q{SELECT DISTINCT nspname, pg_get_userbyid(relowner) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
		WHERE nspname IN ('one', 'Two b') ORDER BY 1}),
	"Two b|bert\none|anna", 'each belongs to the one who made it');

# No cross effects
is( as('anna', q{SELECT status, contact_id, lead_id FROM one.capture('default', '{"email": "ann@example.com", "phone": "+61478842215"}', 'x-1')}),
	'accepted|1|1', 'a capture in the one');
is( as('bert', q{SELECT status, contact_id, lead_id FROM "Two b".capture('default', '{"email": "ann@example.com"}', 'x-1')}),
	'accepted|1|1', 'the same in the other is no duplicate there');
is(counts($node, 'one'), '1|1|1|1|1|0|0|0', 'the one has its own rows');
is(counts($node, '"Two b"'), '1|1|1|1|1|0|0|0', 'the other too');
as('anna', q{UPDATE one.form SET is_active = false});
is(as('anna', q{SELECT status FROM one.capture('default', '{"email": "ann@example.com"}')}), 'rejected', 'a form switched off in the one');
is(as('bert', q{SELECT status FROM "Two b".capture('default', '{"email": "ann@example.com"}')}), 'accepted', 'is on in the other');
as('anna', q{UPDATE one.form SET is_active = true});
as('anna', q{INSERT INTO one.scoring_rule (model, label, interaction_kind, points) VALUES ('default', 'More', 'form_submit', 90)});

# One session in both by turns
is( query($node, q{
		INSERT INTO one.submission (payload) VALUES ('{"email": "both@example.com"}');
		INSERT INTO "Two b".submission (payload) VALUES ('{"email": "both@example.com"}');
		INSERT INTO one.submission (payload) VALUES ('{"email": "both@example.com"}');
		INSERT INTO "Two b".submission (payload) VALUES ('{"email": "both@example.com"}');
		SELECT (SELECT engagement FROM one.lead_score WHERE lead_id = 2), (SELECT engagement FROM "Two b".lead_score WHERE lead_id = 2)}),
	'200|20', 'one session uses both by turns, each with its own rules');

# Strangers stay outside
like(as('bert', 'SELECT count(*) FROM one.lead'), qr/^42501 permission denied for schema one/, 'the owner of the other cannot read');
like(as('bert', q{SELECT one.capture('default', '{}')}), qr/^42501/, 'nor capture');
like(as('bert', q{SELECT lead_mgmt.drop_workspace('one', 'one')}), qr/^42501/, 'nor drop');
like(as('bert', q{SELECT lead_mgmt.upgrade_workspace('one')}), qr/^42501/, 'nor upgrade');

# The extension under standing workspaces
like(as(scalar getpwuid($>), 'DROP EXTENSION lead_mgmt'),
	qr/^2BP01 cannot drop extension lead_mgmt because other objects depend on it/, 'DROP EXTENSION is refused');

# Dropping one leaves the other
is(as('bert', q{SELECT lead_mgmt.drop_workspace('Two b', 'Two b')}), '', 'the other is dropped');
is(as('anna', q{SELECT status, contact_id FROM one.capture('default', '{"email": "ann@example.com"}')}), 'accepted|1', 'the one lives on');
like(as('anna', q{SELECT lead_mgmt.drop_workspace('one', 'on')}), qr/^22023/, 'dropping wants the name twice');

# A name that is free again
as('bert', q{SELECT lead_mgmt.create_workspace('Two b')});
is(as('bert', q{SELECT status, contact_id FROM "Two b".capture('default', '{"email": "ann@example.com"}')}), 'accepted|1', 'a new workspace of an old name starts empty');

# Renaming: triggers, views and constraints follow, for sessions that used the
# old name too; the SQL functions carry the old name until upgrade_workspace()
my $session = session($node);
is( $session->ask(q{INSERT INTO one.submission (payload) VALUES ('{"email": "before@example.com"}'); SELECT count(*) FROM one.contact}),
	'3', 'a session that used the workspace');
as('anna', 'ALTER SCHEMA one RENAME TO uno');
is( $session->ask(q{INSERT INTO uno.submission (payload) VALUES ('{"email": "after@example.com"}');
		SELECT status FROM uno.submission ORDER BY submission_id DESC LIMIT 1}),
	"accepted", 'goes on after it was renamed');
as('bert', q{SELECT lead_mgmt.create_workspace('one')});
$session->ask(q{INSERT INTO uno.submission (payload) VALUES ('{"email": "third@example.com"}'); UPDATE uno.lead SET stage = 'disqualified', disqualified_reason = 'spam' WHERE lead_id = 1});
is(counts($node, 'one'), '0|0|0|0|0|0|0|0', 'and gives nothing to a new workspace of the old name');
as('bert', q{SELECT lead_mgmt.drop_workspace('one', 'one')});
$session->quit;
is( as('anna', q{INSERT INTO uno.submission (payload) VALUES ('{"email": "new@example.com"}'); SELECT status FROM uno.submission ORDER BY submission_id DESC LIMIT 1}),
	'accepted', 'INSERT and its trigger work under the new name');
is(as('anna', q{UPDATE uno.lead SET stage = 'disqualified', disqualified_reason = 'spam' WHERE lead_id = 2 RETURNING stage}), 'disqualified', 'so do the triggers of leads');
is(as('anna', 'SELECT count(*) > 0 FROM uno.lead_board'), 't', 'and views');
like(as('anna', q{SELECT uno.capture('default', '{}')}), qr/^(42P01|3F000|42704)/, 'the functions still look for the old name');
is(as('anna', q{SELECT lead_mgmt.upgrade_workspace('uno')}), control_version(), 'until upgrade_workspace()');
is( as('anna', q{SELECT status FROM uno.capture('default', '{"email": "ann@example.com"}', 'x-1')}), 'duplicate', 'capture() works again');
is(as('anna', q{SELECT count(*) > 0 FROM uno.lead l, uno.explain_score(l.lead_id)}), 't', 'so do the read functions');
is(query($node, q{SELECT count(*) FROM pg_proc WHERE pronamespace = 'uno'::regnamespace AND (prosrc ~ '\mone\.' OR array_to_string(proconfig, ',') ~ 'one')}),
	'0', 'nothing in them refers to the old name');

# CASCADE takes the types along, and so the columns of these types; the rest
# of the rows stays
query($node, 'CREATE DATABASE scratch');
install_extension($node, 'scratch');
workspace($node, 'crm', 'scratch');
query($node, q{SELECT crm.capture('default', '{"email": "ann@example.com", "given_name": "Ann"}')}, 'scratch');
query($node, 'SET client_min_messages = warning; DROP EXTENSION lead_mgmt CASCADE', 'scratch');
is( query($node, q{SELECT (SELECT given_name FROM crm.contact), (SELECT payload ->> 'email' FROM crm.submission),
		(SELECT value FROM crm.contact_identity), (SELECT count(*) FROM crm.stage_move)}, 'scratch'),
	'Ann|ann@example.com|ann@example.com|2', 'CASCADE leaves the tables with what is not of the types');
is( query($node, q{SELECT count(*) FROM pg_attribute WHERE attrelid = 'crm.contact'::regclass AND attname IN ('email', 'phone') AND NOT attisdropped}, 'scratch'),
	'0', 'takes the columns of the types');
is( query($node, q{SELECT count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid WHERE relnamespace = 'crm'::regnamespace AND NOT tgisinternal}, 'scratch'),
	'0', 'and the triggers');

$node->stop;
done_testing();
