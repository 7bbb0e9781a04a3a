# However many sessions capture one person at once, by e-mail, by phone or by
# both, in any order: one contact in the end, no error, no deadlock.
use strict;
use warnings;
use LeadMgmt;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('one_person',
	conf => "log_statement = none\nmax_connections = 60\nshared_buffers = 64MB\ndeadlock_timeout = 200ms\n");

# Who is known by what, in the workspace's own words
my $people = q{
	SELECT count(*), count(DISTINCT email::text), count(DISTINCT phone::text), count(*) FILTER (WHERE email IS NULL OR phone IS NULL)
	FROM crm.contact};
# Deadlocks so far, those included that were resolved by running again
sub deadlocks
{
	return query($node, 'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()');
}

my $capture = q{
SELECT status FROM crm.capture('FORM', jsonb_strip_nulls(jsonb_build_object(
	'email', CASE WHEN :way <> 2 THEN 'P' || :p || '@firm' || :p % 3 || '.example' END,
	'phone', CASE WHEN :way <> 1 THEN '+614788' || lpad((:p)::text, 5, '0') END,
	'company', CASE WHEN :page = 2 THEN 'Firm No ' || :p % 3 || ' Ltd' END, 'page', 'page' || :page)));
};
my $random = q{
\set p random(1, 20)
\set way random(1, 3)
\set page random(1, 3)
};

workspace($node, 'crm');
clients($node, 'twenty people', '-c 8 -t 200', $random . $capture =~ s/FORM/default/r);
is(query($node, $people), '20|20|20|0', 'twenty contacts, each with its address and number');
is(query($node, q{SELECT count(*) FILTER (WHERE status = 'accepted'), (SELECT count(*) FROM crm.interaction) FROM crm.submission}),
	'1600|1600', 'every submission is accepted, and its interaction is there');
is(query($node, q{SELECT count(*) FROM crm.contact_identity i WHERE kind IN ('email', 'phone') AND holder = 0}), '40', 'and each identifier is claimed once');
is(query($node, q{SELECT count(*) FROM crm.account WHERE domain LIKE 'firm%'}), '3', 'one account a domain');
is(query($node, q{SELECT count(*) FROM crm.lead WHERE status = 'open'}), '60', 'one open lead a person and page');
is_consistent($node, 'crm', 'everything adds up');
isnt(query($node, 'SELECT count(*) FROM crm.merge'), '0', 'some of them had two contacts in between');
is(deadlocks(), '0', 'and no session ran into another');

# Two by two, so that each session waits for the other's claims now and then
workspace($node, 'two');
clients($node, 'two people', '-c 20 -t 30', ($random =~ s/20\)/2)/r) . ($capture =~ s/FORM/default/r =~ s/crm\./two./r));
is(query($node, $people =~ s/crm\./two./r), '2|2|2|0', 'two contacts');
is_consistent($node, 'two', 'two people: everything adds up');
is(deadlocks(), '0', 'two people: no deadlock either');

# Sets of rows in any order, each person by either or both
clients($node, 'sets', '-c 6 -t 20', q{
INSERT INTO crm.submission (payload)
SELECT jsonb_strip_nulls(jsonb_build_object('email', CASE WHEN way <> 2 THEN 's' || p || '@gmail.com' END,
	'phone', CASE WHEN way <> 1 THEN '+614789' || lpad(p::text, 5, '0') END, 'page', 'page' || p % 3))
FROM (SELECT floor(random() * 40)::integer AS p, floor(random() * 3 + 1)::integer AS way FROM generate_series(1, 15) OFFSET 0) s;
});
query($node, q{INSERT INTO crm.submission (payload)
	SELECT jsonb_build_object('email', 's' || p || '@gmail.com', 'phone', '+614789' || lpad(p::text, 5, '0')) FROM generate_series(0, 39) p});
is(query($node, q{SELECT count(*), count(DISTINCT phone::text) FROM crm.contact WHERE email::text LIKE 's%@gmail.com' OR phone::text LIKE '+614789%'}),
	'40|40', 'sets: one contact a person');
is_consistent($node, 'crm', 'sets: everything adds up');

# By comparison alone: first captures of people who share a name and a postal code
query($node, q{
	INSERT INTO crm.match_strategy (strategy, entity, label, when_several) VALUES ('names', 'contact', 'Names', 'oldest');
	SELECT crm.define_match_rule('names', '["family_name", "postal_code", {"field": "given_name", "comparator": "damerau_levenshtein", "at_least": 0.8}]');
	INSERT INTO crm.form (form) VALUES ('names');
	UPDATE crm.form_strategy SET strategy = 'names' WHERE form = 'names' AND entity = 'contact'});
clients($node, 'names', '-c 8 -t 100', q{
\set p random(0, 9)
\set typo random(0, 2)
SELECT status FROM crm.capture('names', jsonb_build_object('family_name', 'Lee', 'postal_code', '1000', 'given_name',
	overlay((ARRAY['Alexandria', 'Bartholomew', 'Christopher', 'Dominique', 'Evangeline', 'Ferdinanda', 'Gwendolyn', 'Hildegard', 'Immanuelle', 'Josephine'])[:p + 1]
		PLACING 'x' FROM 9 FOR CASE WHEN :typo = 1 THEN 1 ELSE 0 END)));
});
is(query($node, q{SELECT count(*) FROM crm.contact WHERE family_name = 'Lee'}), '10', 'names: one contact a person');

$node->stop;
done_testing();
