# Eight clients capture overlapping persons at once: no error, no deadlock,
# one contact a person, one open lead a context, and scores that add up.
use strict;
use warnings;
use LeadMgmt;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('parallel',
	conf => "log_statement = none\nmax_connections = 130\nshared_buffers = 64MB\ndeadlock_timeout = 200ms\n");

# Persons of group 0 are known by e-mail, of group 1 by phone, and now and then
# by both; those of group 2 are known by both from the beginning
my $person = q{
\set p random(1, 150)
\set g :p % 3
\set way random(1, 4)
\set page random(1, 4)
\set kind random(1, 8)
SELECT status FROM crm.capture('default', jsonb_strip_nulls(jsonb_build_object(
	'email', CASE WHEN :way = 1 OR :g = 0 OR (:g = 2 AND :way = 2) THEN 'P' || :p || '@Company' || :p % 7 || '.example' END,
	'phone', CASE WHEN :way = 1 OR :g = 1 OR (:g = 2 AND :way > 2) THEN '+614788' || lpad((:p)::text, 5, '0') END,
	'given_name', 'P' || :p, 'page', 'page' || :page, 'company', CASE WHEN :way = 3 THEN 'Company ' || :p % 7 END,
	'visitor', CASE WHEN :way = 4 THEN 'v' || :p END,
	'kind', (ARRAY['form_submit', 'page_view', 'download', 'email_click'])[LEAST(:kind, 4)])));
};

workspace($node, 'crm');
query($node, q{
	INSERT INTO crm.submission (payload)
	SELECT jsonb_build_object('email', 'p' || p || '@company' || p % 7 || '.example', 'phone', '+614788' || lpad(p::text, 5, '0'))
	FROM generate_series(2, 150, 3) p});
clients($node, 'one at a time', '-c 8 -t 400', $person);

my ($contacts, $persons) = split /\|/, query($node, q{
	SELECT (SELECT count(*) FROM crm.contact), (SELECT count(DISTINCT given_name) FROM crm.contact)});
is($contacts, $persons, 'one contact a person');
is($contacts, 150, 'for each of them');
is( query($node, q{SELECT count(*) FILTER (WHERE status = 'accepted'), (SELECT count(*) FROM crm.interaction) FROM crm.submission}),
	'3250|3250', 'every submission is accepted and an interaction');
is_consistent($node, 'crm', 'everything adds up');
is( query($node, q{SELECT count(*) FROM crm.lead_score s
		CROSS JOIN LATERAL (SELECT sum(total) FILTER (WHERE part = 'engagement') AS engagement, sum(total) FILTER (WHERE part = 'fit') AS fit
			FROM crm.explain_score(s.lead_id)) e
		WHERE s.engagement IS DISTINCT FROM COALESCE(e.engagement, 0)}),
	'0', 'explain_score() totals are the engagement of every lead');
is(query($node, q{SELECT count(*) FROM crm.account WHERE domain LIKE 'company%'}), '7', 'one account a company');

# Sets of rows in any order, among changes by hand
clients($node, 'sets and hands', '-c 8 -t 60', q{
INSERT INTO crm.submission (payload)
SELECT jsonb_strip_nulls(jsonb_build_object(
	'email', CASE WHEN n % 2 = 0 THEN 'q' || p || '@sets' || p % 5 || '.example' END,
	'phone', '+614789' || lpad(p::text, 5, '0'), 'page', 'page' || p % 3, 'given_name', 'Q' || n))
FROM (SELECT n, floor(random() * 100)::integer AS p FROM generate_series(1, 20) n OFFSET 0) s;
}, q{
\set lead random(1, 200)
UPDATE crm.lead SET title = 'by hand' WHERE lead_id = :lead AND status = 'open';
UPDATE crm.lead SET stage = 'disqualified', disqualified_reason = 'spam' WHERE lead_id = :lead AND status = 'open';
}, $person);
is( query($node, q{SELECT count(*) FROM crm.contact WHERE phone::text LIKE '+614789%'}),
	query($node, q{SELECT count(DISTINCT payload ->> 'phone') FROM crm.submission WHERE payload ->> 'phone' LIKE '+614789%'}),
	'sets: one contact a person');
is(query($node, q{SELECT count(*) FROM crm.contact WHERE given_name LIKE 'P%'}), '150', 'no further contact of the others');
is_consistent($node, 'crm', 'sets and hands: everything adds up');

# Interactions that clients write themselves, several a statement
my $before = query($node, 'SELECT sum(interaction_count) FROM crm.lead');
clients($node, 'interactions', '-c 8 -t 40', q{
INSERT INTO crm.interaction (lead_id, contact_id, kind)
SELECT lead_id, contact_id, 'page_view' FROM (SELECT * FROM crm.lead WHERE status = 'open' AND lead_id <= 100 ORDER BY random() LIMIT 5) l;
});
is( query($node, q{SELECT count(*) FROM crm.lead l LEFT JOIN (SELECT lead_id, count(*) AS n FROM crm.interaction GROUP BY 1) i USING (lead_id)
		WHERE l.interaction_count <> COALESCE(i.n, 0)}),
	'0', 'interactions: counted for their leads');

# A hundred identical submissions at once
clients($node, 'identical', '-c 100 -t 1', q{SELECT crm.capture('default', '{"email": "one@identical.example", "phone": "+61478999999", "company": "Identical"}');});
is( query($node, q{SELECT (SELECT count(*) FROM crm.contact WHERE email::text = 'one@identical.example'),
		(SELECT count(*) FROM crm.lead JOIN crm.contact USING (contact_id) WHERE contact.email::text = 'one@identical.example'),
		(SELECT count(*) FROM crm.account WHERE name = 'Identical'),
		(SELECT count(*) FROM crm.interaction JOIN crm.contact USING (contact_id) WHERE email::text = 'one@identical.example')}),
	'1|1|1|100', 'a hundred identical submissions at once make one contact and one lead');
clients($node, 'replay', '-c 100 -t 1', q{SELECT crm.capture('default', '{"email": "replay@identical.example"}', 'one');});
is( query($node, q{SELECT status, count(*) FROM crm.submission WHERE external_id = 'one' GROUP BY 1 ORDER BY 1}),
	"accepted|1\nduplicate|99", 'a hundred replays at once: one is accepted');

$node->stop;
done_testing();
