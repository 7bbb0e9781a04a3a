# Upgrading: ALTER EXTENSION … UPDATE to the same version does nothing, and
# upgrade_workspace() brings code back without touching rows.
use strict;
use warnings;
use LeadMgmt;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('upgrade', conf => "log_statement = none\n");
my $version = control_version();

workspace($node, 'crm');
workspace($node, 'untouched');

my ($status, $out, $err) = $node->psql('postgres', 'ALTER EXTENSION lead_mgmt UPDATE');
is($status, 0, 'ALTER EXTENSION … UPDATE to the same version is no error');
like($err, qr/NOTICE:  version "\Q$version\E" of extension "lead_mgmt" is already installed/, 'and does nothing');

# The user's own rows and objects
query($node, q{
	INSERT INTO crm.pipeline (pipeline, entity, label) VALUES ('own', 'lead', 'Own');
	INSERT INTO crm.stage (pipeline, stage, sequence, label, kind) VALUES ('own', 'start', 1, 'Start', 'entry'), ('own', 'end', 2, 'End', 'won');
	INSERT INTO crm.stage_transition VALUES ('own', 'start', 'end');
	SELECT crm.activate_pipeline('own');
	UPDATE crm.stage SET label = 'My inquiry' WHERE pipeline = 'marketing_sales' AND stage = 'inquiry';
	DELETE FROM crm.stage_transition WHERE from_stage = 'inquiry' AND to_stage = 'disqualified';
	DELETE FROM crm.scoring_rule WHERE label = 'Chat';
	INSERT INTO crm.scoring_rule (model, label, condition, points) VALUES ('default', 'Own', 'budget > 10', 5);
	UPDATE crm.scoring_model SET sales_ready_threshold = 80;
	INSERT INTO crm.form (form, pipeline) VALUES ('own', 'own');
	UPDATE crm.form SET default_region = 'VN' WHERE form = 'default';
	DELETE FROM crm.channel WHERE channel = 'chat';
	SELECT crm.define_field('lead', 'seats', 'integer');
	ALTER TABLE crm.contact ADD COLUMN loyalty text DEFAULT 'gold';
	CREATE VIEW crm.own_view AS SELECT lead_id, score FROM crm.lead_score;
	CREATE FUNCTION crm.own_function() RETURNS integer LANGUAGE sql AS 'SELECT 1';
	SELECT crm.capture('own', '{"email": "ann@example.com", "budget": 20}');
	CREATE ROLE reader;
	SELECT crm.grant_access('reader', 'sales');
	GRANT EXECUTE ON FUNCTION crm.own_function() TO PUBLIC});

sub rows
{
	my @tables = split /\n/, query($node,
		q{SELECT relname FROM pg_class WHERE relnamespace = 'crm'::regnamespace AND relkind = 'r' AND relname <> 'workspace_info' ORDER BY 1});
	return query($node, join(' UNION ALL ', map {
		"SELECT '$_ ' || count(*) || ' ' || COALESCE(md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))), '') FROM crm.$_ t"
	} @tables) . ' ORDER BY 1');
}

# The code of a workspace, its name aside
sub code
{
	my ($name) = @_;
	return query($node, qq{
		SELECT name || ' ' || left(md5(regexp_replace(concat(definition), '\\m$name\\M', 'name', 'g')), 8)
		FROM (
			SELECT relname AS name, concat(pg_get_viewdef(oid), reloptions, obj_description(oid)) AS definition FROM pg_class
			WHERE relnamespace = '$name'::regnamespace AND relkind = 'v'
			UNION ALL
			SELECT proname, concat(pg_get_functiondef(oid), obj_description(oid)) FROM pg_proc
			WHERE pronamespace = '$name'::regnamespace
			UNION ALL
			SELECT c.relname || '.' || tgname, concat(pg_get_triggerdef(t.oid), obj_description(t.oid)) FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
			WHERE relnamespace = '$name'::regnamespace AND NOT tgisinternal
		) o
		WHERE name NOT LIKE 'own%'
		ORDER BY 1});
}

my $rows = rows();
is(code('crm'), code('untouched'), 'the code of two workspaces is the same');
is(query($node, q{SELECT lead_mgmt.upgrade_workspace('crm')}), $version, 'upgrading a workspace that is at the version');
is(rows(), $rows, 'changes no row');
is(code('crm'), code('untouched'), 'nor the code');

# An older workspace that lacks a view, a function and a trigger, and has another function body
query($node, q{
	UPDATE crm.workspace_info SET version = '0.9.0';
	DROP VIEW crm.lead_timeline;
	DROP VIEW crm.revenue_by_source;
	DROP FUNCTION crm.explain_score(bigint, text);
	DROP TRIGGER law ON crm.lead;
	CREATE OR REPLACE FUNCTION crm.reprocess(submission_id bigint) RETURNS crm.submission LANGUAGE sql AS 'SELECT NULL::crm.submission'});
isnt(code('crm'), code('untouched'), 'an older workspace has other code');
is(query($node, q{SELECT lead_mgmt.upgrade_workspace('crm')}), $version, 'it is upgraded');
is(code('crm'), code('untouched'), 'its code is that of a new workspace');
is(rows(), $rows, 'its rows are as they were');
is(query($node, 'SELECT version, upgraded_at IS NOT NULL FROM crm.workspace_info'), "$version|t", 'the version is recorded');
is(query($node, 'SELECT count(*), max(crm.own_function()) FROM crm.own_view'), '1|1', 'what the user added is there');
is( query($node, q{SELECT has_table_privilege('reader', 'crm.lead_board', 'SELECT'), has_table_privilege('reader', 'crm.lead', 'SELECT'),
		has_function_privilege('reader', 'crm.completeness(bigint)', 'EXECUTE')}),
	't|t|t', 'privileges that were granted are kept');
is( query($node, q{SELECT has_function_privilege('reader', 'crm.own_function()', 'EXECUTE')}),
	't', 'those on functions of the user too');
is( query($node, q{SELECT count(*) FROM pg_proc WHERE pronamespace = 'crm'::regnamespace AND proname NOT LIKE 'own%' AND has_function_privilege('public', oid, 'EXECUTE')}),
	'0', 'and no function of the workspace is open to everybody');
is( query($node, q{SELECT status FROM crm.capture('own', '{"email": "ann@example.com", "seats": 5}')}),
	'accepted', 'capture works with the user\'s form and pipeline');
is( query($node, q{SELECT l.stage, l.interaction_count, e.total FROM crm.lead l, crm.explain_score(l.lead_id) e WHERE e.label = 'Own'}),
	'start|2|5', 'and rules');
is(query($node, q{SELECT sum(total) = (SELECT score FROM crm.lead_score) FROM crm.explain_score(1)}), 't', 'explain_score() is back');

# Errors
($status, $out, $err) = $node->psql('postgres', "\\set VERBOSITY verbose\nSELECT lead_mgmt.upgrade_workspace('nothing')");
like($err, qr/3F000: there is no workspace "nothing"/, 'no such workspace');
query($node, q{UPDATE crm.workspace_info SET version = '1000.0.0'});
($status, $out, $err) = $node->psql('postgres', "\\set VERBOSITY verbose\nSELECT lead_mgmt.upgrade_workspace('crm')");
like($err, qr/55000: workspace "crm" is at version 1000.0.0, newer than the installed \Q$version\E/, 'a workspace of the future is refused');
like($err, qr/ALTER EXTENSION lead_mgmt UPDATE/, 'with the way out');

# A session that was at work goes on with the new code
query($node, qq{UPDATE crm.workspace_info SET version = '$version'});
my $session = session($node);
$session->ask(q{SELECT crm.capture('own', '{"email": "bob@example.com"}')});
query($node, q{SELECT lead_mgmt.upgrade_workspace('crm')});
is($session->ask(q{SELECT status FROM crm.capture('own', '{"email": "bob@example.com"}')}), 'accepted', 'a session that was at work goes on');
$session->quit;

$node->stop;
done_testing();
