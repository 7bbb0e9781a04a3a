# A workspace that its owner extended survives pg_dump and restore: all rows
# are there, nothing is processed twice, and capture goes on where it was.
use strict;
use warnings;
use LeadMgmt;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('dump', conf => "log_statement = none\n");
my $directory = $node->basedir;

query($node, q{
	CREATE ROLE owner LOGIN;
	CREATE ROLE sales_role;
	CREATE DATABASE source OWNER owner});
install_extension($node, 'source');

sub as_owner
{
	my ($database, $sql) = @_;
	my ($out, $err) = ('', '');
	$node->psql($database, $sql, stdout => \$out, stderr => \$err,
		extra_params => [ '-U', 'owner', '-v', 'ON_ERROR_STOP=1' ]);
	is($err, '', 'the owner may do that') if $err ne '';
	return $out;
}

# What the owner added
my $extras = q{
	ALTER TABLE crm.contact ADD COLUMN loyalty text DEFAULT 'none';
	ALTER TABLE crm.submission ADD COLUMN batch integer;
	CREATE INDEX contact_loyalty ON crm.contact (loyalty) WHERE loyalty <> 'none';
	ALTER TABLE crm.lead ENABLE ROW LEVEL SECURITY;
	CREATE POLICY own_channel ON crm.lead FOR SELECT TO sales_role USING (channel = 'event');
	CREATE VIEW crm.loyal AS SELECT contact_id, email, loyalty FROM crm.contact WHERE loyalty <> 'none';
};
as_owner('source', "SELECT lead_mgmt.create_workspace('crm');" . $extras . q{
	SELECT crm.grant_access('sales_role', 'sales');
	SELECT crm.define_field('contact', 'colour', 'choice', '{red,blue}');
	SELECT crm.define_field('lead', 'seats', 'integer');
	INSERT INTO crm.form (form, mapping, default_region, blank_values) VALUES ('webinar', '{"Mail": "email"}', 'AU', '{n/a}');
	INSERT INTO crm.scoring_rule (model, label, condition, points) VALUES
		('default', 'Many seats', $$(lead_attributes ->> 'seats')::integer >= 10$$, 7),
		('default', 'Đỏ', $$contact_attributes ->> 'colour' = 'red' AND full_name <> 'O''Brien'$$, 3);
	INSERT INTO crm.match_strategy (strategy, entity, label, when_several) VALUES ('names', 'contact', 'Names', 'review');
	SELECT crm.define_match_rule('names', '["family_name", "attributes.colour", {"field": "given_name", "comparator": "jaro_winkler", "at_least": 0.9}, {"field": "country", "comparator": "differs", "except": true}]');
	INSERT INTO crm.form (form) VALUES ('names');
	UPDATE crm.form_strategy SET strategy = 'names' WHERE form = 'names' AND entity = 'contact';
	UPDATE crm.match_strategy SET label = 'Mine' WHERE strategy = 'contact_by_email';
	INSERT INTO crm.match_strategy (strategy, entity, label) VALUES ('learned', 'contact', 'Learned');
	SELECT crm.write_match_model('learned', '{"prior": 0.001, "fields": [{"field": "family_name", "kind": "family_name", "column": "family_name"},
		{"field": "colour", "kind": "category", "column": "attributes.colour"}], "comparisons": [{"comparison": "family_name", "field": "family_name"},
		{"comparison": "colour", "field": "colour"}], "keys": [{"parts": ["family_name:prefix:2", "colour"]}]}');
	DELETE FROM crm.match_bypass WHERE field = 'email';
	INSERT INTO crm.match_bypass (field, value) VALUES ('company', 'Company X');
	INSERT INTO crm.match_alias (field, value, canonical) VALUES ('company', 'Company 3', 'Third'), ('company', 'Third', 'Number three');
	INSERT INTO crm.team (team) VALUES ('sales');
	INSERT INTO crm.agent (agent, team_id) VALUES ('Kim', 1), ('Lou', 1);
	INSERT INTO crm.routing_rule (sequence, label, condition, team_id) VALUES (1, 'Events', $$channel = 'event'$$, 1);
	INSERT INTO crm.campaign (campaign) VALUES ('spring');
	INSERT INTO crm.submission (form, payload, external_id)
	SELECT 'webinar', jsonb_build_object('Mail', 'p' || n % 40 || '@c' || n % 4 || '.example', 'page', 'page' || n % 3,
			'company', 'Company ' || n % 4, 'channel', CASE n % 2 WHEN 0 THEN 'event' ELSE 'email' END, 'campaign', 'spring',
			'phone', '0478 84' || 1000 + n % 40, 'colour', 'red', 'seats', n, 'given_name', 'Zoë', 'family_name', 'O''Brien' || chr(9) || chr(92)),
		'id-' || n % 190
	FROM generate_series(1, 200) n;
	INSERT INTO crm.submission (payload) VALUES ('{"email": "nonsense"}'), ('[]');
	SELECT crm.capture_raw('default', 'application/json', '{"email": "raw@example.com", "consent_email": "yes"}');
	SELECT crm.capture('default', '{"phone": "+61478900001", "given_name": "Zoe"}');
	SELECT crm.capture('default', '{"email": "zoe@merged.example"}');
	SELECT crm.capture('default', '{"email": "zoe@merged.example", "phone": "+61478900001"}');
	SELECT crm.capture('names', '{"given_name": "Zoe", "family_name": "OBrien", "colour": "red"}');
	INSERT INTO crm.match_link (entity, left_id, right_id, verdict) VALUES ('contact', 2, 1, 'different');
	UPDATE crm.contact SET loyalty = 'gold' WHERE contact_id % 5 = 0;
	UPDATE crm.lead SET stage = 'teleprospect_acceptance' WHERE lead_id % 4 = 0 AND stage = 'marketing_qualification';
	SELECT crm.disqualify(lead_id, 'spam') FROM crm.lead WHERE lead_id % 11 = 0;
	INSERT INTO crm.opportunity (lead_id, contact_id, account_id, name, pipeline, stage, stage_entered_at, amount)
		SELECT lead_id, contact_id, account_id, 'Sale', 'sales', 'won', now() - interval '1 day', 12.50 FROM crm.lead WHERE lead_id % 7 = 0;
});

# What a merge changes, before it
my $people = q{
	SELECT md5(string_agg(r, '' ORDER BY r)) FROM (
		SELECT to_jsonb(c)::text FROM crm.contact c UNION ALL SELECT to_jsonb(l)::text FROM crm.lead l
		UNION ALL SELECT to_jsonb(i)::text FROM crm.interaction i UNION ALL SELECT to_jsonb(k)::text FROM crm.contact_identity k
		UNION ALL SELECT to_jsonb(s)::text FROM crm.score s UNION ALL SELECT to_jsonb(m)::text FROM crm.stage_move m) x (r)};
my $unmerged = query($node, $people, 'source');
as_owner('source', q{SELECT crm.merge_contacts(20, '{21,22}', 'same')});
isnt(query($node, $people, 'source'), $unmerged, 'a merge changes rows');

# All rows of all tables, and where the sequences are
sub fingerprint
{
	my ($database) = @_;
	my @tables = split /\n/, query($node,
		q{SELECT relname FROM pg_class WHERE relnamespace = 'crm'::regnamespace AND relkind = 'r' ORDER BY 1}, $database);
	my $sql = join ' UNION ALL ', map {
		"SELECT '$_ ' || count(*) || ' ' || COALESCE(md5(string_agg(md5(to_jsonb(t)::text), '' ORDER BY md5(to_jsonb(t)::text))), '') FROM crm.$_ t"
	} @tables;

	return query($node, "$sql ORDER BY 1", $database) . "\n" . query($node,
		q{SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'crm' ORDER BY 1}, $database);
}

# What the schema is made of, owners and privileges included
sub schema_objects
{
	my ($database) = @_;
	return query($node, q{
		SELECT 'relation ' || relname || ' ' || relkind::text || ' ' || pg_get_userbyid(relowner) || ' ' || COALESCE(array_to_string(ARRAY(SELECT x::text FROM unnest(relacl) x ORDER BY 1), ','), '')
			|| ' ' || relrowsecurity || COALESCE(array_to_string(reloptions, ','), '')
		FROM pg_class WHERE relnamespace = 'crm'::regnamespace
		UNION ALL SELECT 'function ' || proname || ' ' || md5(prosrc) || ' ' || prosecdef || ' ' || pg_get_userbyid(proowner)
			|| ' ' || COALESCE(array_to_string(ARRAY(SELECT x::text FROM unnest(proacl) x ORDER BY 1), ','), '')
		FROM pg_proc WHERE pronamespace = 'crm'::regnamespace
		UNION ALL SELECT 'trigger ' || tgrelid::regclass || ' ' || tgname || ' ' || tgenabled::text FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
			WHERE relnamespace = 'crm'::regnamespace AND NOT tgisinternal
		UNION ALL SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'crm'::regnamespace
		UNION ALL SELECT 'policy ' || polname || ' ' || polrelid::regclass FROM pg_policy
		UNION ALL SELECT 'comment ' || c.relname || ' ' || d.objsubid || ' ' || md5(description) FROM pg_description d JOIN pg_class c ON c.oid = d.objoid
			WHERE relnamespace = 'crm'::regnamespace AND d.classoid = 'pg_class'::regclass
		ORDER BY 1}, $database);
}

# What capture and the rules still do
sub check_life
{
	my ($database, $how) = @_;
	my $highest = query($node,
		'SELECT (SELECT max(contact_id) FROM crm.contact), (SELECT max(lead_id) FROM crm.lead), (SELECT max(submission_id) FROM crm.submission)', $database);
	my ($contacts, $leads, $submissions) = split /\|/, $highest;

	is_consistent($node, 'crm', "$how: nothing was processed twice", $database);
	is( as_owner($database, "BEGIN; SELECT count(*) FROM crm.unmerge((SELECT merge_id FROM crm.merge WHERE entity = 'contact' AND winner_id = 20)); $people; ROLLBACK"),
		"0\n$unmerged", "$how: a merge can be undone");
	is( as_owner($database, q{SELECT count(*) FROM lead_mgmt.match_indexes('crm.contact') m JOIN pg_index i ON i.indexrelid = ('crm.' || m.name)::regclass AND i.indisvalid}),
		'1', "$how: keys of match models are indexed");
	is(as_owner($database, 'SELECT crm.contact_of(22)'), '20', "$how: old ids lead to the survivor");
	is( as_owner($database, q{SELECT count(*) FROM crm.lead_score s WHERE fit IS DISTINCT FROM
			(SELECT sum(total) FROM crm.explain_score(s.lead_id) WHERE part = 'fit')}),
		'0', "$how: the rules' conditions give the same points");
	is( as_owner($database, q{SELECT status, contact_id = (SELECT contact_id FROM crm.contact_identity WHERE value = 'p7@c3.example')
			FROM crm.capture('webinar', '{"Mail": "P7@C3.example", "page": "new"}')}),
		'accepted|t', "$how: a capture finds the contact of old");
	is( as_owner($database, q{SELECT status, duplicate_of FROM crm.capture('webinar', '{"Mail": "p7@c3.example"}', 'id-7')}),
		'duplicate|7', "$how: and the submission of old");
	like( as_owner($database, qq{SELECT status, contact_id > $contacts, lead_id > $leads, submission_id > $submissions, s.agent_id IS NOT NULL
			FROM (SELECT (crm.capture('webinar', '{"Mail": "new\@example.com", "channel": "event"}')).*) c
			LEFT JOIN LATERAL (SELECT agent_id FROM crm.lead l WHERE l.lead_id = c.lead_id) s ON true}),
		qr/^accepted\|t\|t\|t/, "$how: a new person gets the next ids");
	is( as_owner($database, q{SELECT a.reason ->> 'rule' FROM crm.assignment a ORDER BY assignment_id DESC LIMIT 1}),
		'Events', "$how: and is routed by the rule");
	is( as_owner($database, q{SELECT status, reasons -> 0 ->> 'code' FROM crm.capture('names', '{"given_name": "Zoë", "family_name": "O''Brien", "colour": "red"}')}),
		'review|several_contacts', "$how: match rules find people of old");
	is( as_owner($database, q{SELECT account_id = (SELECT account_id FROM crm.account WHERE domain = 'c3.example') FROM crm.capture('default', '{"email": "x@gmail.com", "company": "third"}')}),
		't', "$how: and aliases companies");
	is( as_owner($database, q{SELECT contact_id = (SELECT contact_id FROM crm.contact WHERE email::text = 'zoe@merged.example') FROM crm.capture('default', '{"phone": "+61478900001"}')}),
		't', "$how: who was merged is found");
	is( as_owner($database, q{SELECT count(*) > 0 FROM crm.loyal WHERE loyalty = 'gold'}), 't', "$how: the owner's view works");
	is_consistent($node, 'crm', "$how: consistent afterwards", $database);
	return;
}

is_consistent($node, 'crm', 'the source is consistent', 'source');
my $rows = fingerprint('source');
my $objects = schema_objects('source');
like($rows, qr/^submission 207 /m, 'the source has its submissions');
like($objects, qr/policy own_channel/, 'and the policy');

run_program($node, 'pg_dump', '-f', "$directory/plain", 'source');
run_program($node, 'pg_dump', '-Fc', '-f', "$directory/custom", 'source');
run_program($node, 'pg_dump', '-Fc', '--schema=crm', '-f', "$directory/schema", 'source');
run_program($node, 'pg_dump', '-Fc', '--schema=crm', '--data-only', '-f', "$directory/data", 'source');

# By the superuser, as a whole
query($node, 'CREATE DATABASE plain OWNER owner; ');
run_program($node, 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', 'plain', '-f', "$directory/plain");
query($node, 'CREATE DATABASE custom OWNER owner');
run_program($node, 'pg_restore', '-e', '-j2', '-d', 'custom', "$directory/custom");

# By the owner, who is no superuser, where the extension is present
query($node, 'CREATE DATABASE schema OWNER owner');
install_extension($node, 'schema');
run_program($node, 'pg_restore', '-e', '-U', 'owner', '-d', 'schema', "$directory/schema");

for my $database (qw(plain custom schema))
{
	is(fingerprint($database), $rows, "$database: all rows and sequences are there");
	is(schema_objects($database), $objects, "$database: all objects are there");
	check_life($database, $database);
}

# The rows alone, into a fresh workspace whose default rows make way. The
# triggers must be off: those on contact would claim the identities that the
# dump brings.
query($node, 'CREATE DATABASE data OWNER owner');
install_extension($node, 'data');
as_owner('data', "SELECT lead_mgmt.create_workspace('crm'); $extras");
my $truncate = join ', ', map { "crm.$_" } split /\n/,
  query($node, q{SELECT relname FROM pg_class WHERE relnamespace = 'crm'::regnamespace AND relkind = 'r'}, 'data');
as_owner('data', "TRUNCATE $truncate");
my ($out, $err) = run_program($node, 'pg_restore', '-e', '--disable-triggers', '-d', 'data', "$directory/data");
is(fingerprint('data'), $rows, 'data only: all rows and sequences are there');
as_owner('data', q{SELECT crm.grant_access('sales_role', 'sales'); SELECT crm.index_match_keys()});
is(schema_objects('data'), $objects, 'data only: all objects are there');
check_life('data', 'data only');

# The dump asks for the extension and leaves it to provide its objects
like(slurp_file("$directory/plain"), qr/CREATE EXTENSION IF NOT EXISTS lead_mgmt/, 'a dump of the whole asks for the extension');
unlike(slurp_file("$directory/plain"), qr/CREATE (FUNCTION|TYPE) lead_mgmt\./, 'and does not contain it');

$node->stop;
done_testing();
