-- What makes an empty workspace useful at once.
\set QUIET on
\set ON_ERROR_STOP on
\pset format unaligned
\pset tuples_only on
\pset pager off
SET client_min_messages = warning;
BEGIN;
SELECT lead_mgmt.create_workspace('crm');
SELECT no_plan();

SELECT set_eq('SELECT form FROM crm.form', $$VALUES ('default'::text), ('web_form'), ('linkedin_lead_gen'), ('facebook_lead_ads'), ('google_lead_form'), ('event_registration'), ('vendor_email')$$, 'a form of one''s own, and those that are ready');
SELECT is((f.is_active, f.makes_contact, f.makes_account, f.makes_lead, f.makes_interaction, f.scores, f.moves_stage, f.assigns)::text, '(t,t,t,t,t,t,t,t)', 'it does everything') FROM crm.form f WHERE form = 'default';
SELECT is((f.contact_update, f.lead_update, f.invalid_values)::text, '(,,reject)', 'by the policies of its strategies') FROM crm.form f WHERE form = 'default';

-- matching
SELECT bag_eq('SELECT entity, strategy, update_policy FROM crm.match_strategy WHERE is_default AND is_active',
	$$VALUES ('contact'::text, 'contact_by_email'::text, 'newest'::text), ('account', 'account_by_domain', 'newest'), ('lead', 'lead_by_email_and_page', 'newest')$$, 'one default strategy an entity');
SELECT bag_eq($$SELECT entity, strategy FROM crm.form_strategy WHERE form = 'default'$$, $$VALUES ('contact'::text, 'contact_by_email'::text), ('account', 'account_by_domain'), ('lead', 'lead_by_email_and_page')$$, 'which the default form uses');
SELECT results_eq($$SELECT sequence, field, comparator, is_exception FROM crm.match_rule JOIN crm.match_condition USING (match_rule_id) WHERE strategy = 'contact_by_email' AND NOT is_exception ORDER BY 1$$,
	$$VALUES (10, 'source_id'::text, 'exact'::text, false), (20, 'email', 'exact', false), (30, 'phone', 'exact', false), (40, 'visitor', 'exact', false)$$, 'a contact by source id, e-mail, phone, visitor');
SELECT is(count(*), 0::bigint, 'every bypass value is of a field') FROM crm.match_bypass b
WHERE NOT EXISTS (SELECT FROM lead_mgmt.match_fields() f WHERE f.field = b.field);
SELECT bag_eq('SELECT entity, kind FROM crm.identity_kind', $$VALUES ('contact'::text, 'external'::text), ('contact', 'email'), ('contact', 'phone'), ('contact', 'visitor'), ('account', 'external'), ('account', 'domain'), ('account', 'name')$$, 'the kinds of identity that are always kept');
SELECT is(f.retention, NULL, 'form ' || form || ' keeps everything') FROM crm.form f;
SELECT is(count(*), 0::bigint, 'other names of fields are none of their names') FROM crm.field_alias WHERE alias = field;
SELECT is(count(*), 0::bigint, 'no vendor') FROM crm.vendor;

-- pipelines
SELECT results_eq('SELECT pipeline, entity FROM crm.pipeline WHERE is_default ORDER BY 1', $$VALUES ('marketing_sales'::text, 'lead'::text), ('sales', 'opportunity')$$, 'two default pipelines');
SELECT results_eq($$SELECT stage, kind FROM crm.stage WHERE pipeline = 'marketing_sales' ORDER BY sequence$$,
	$$VALUES ('inquiry'::text, 'entry'::text), ('marketing_qualification', 'open'), ('teleprospect_acceptance', 'open'), ('teleprospect_qualification', 'open'),
		('sales_acceptance', 'open'), ('converted', 'won'), ('disqualified', 'lost')$$, 'five stages in order, then the closing ones');
SELECT results_eq($$SELECT stage, kind, probability FROM crm.stage WHERE pipeline = 'sales' ORDER BY sequence$$,
	$$VALUES ('identify'::text, 'entry'::text, 10.00::numeric(5,2)), ('proposal', 'open', 40.00), ('negotiation', 'open', 70.00), ('won', 'won', 100.00), ('lost', 'lost', 0.00)$$, 'an opportunity ends won or lost');
SELECT results_eq($$SELECT role, stage FROM crm.stage WHERE role IS NOT NULL ORDER BY sequence$$, $$VALUES ('scored'::text, 'marketing_qualification'::text), ('teleprospect_ready', 'teleprospect_acceptance'), ('sales_ready', 'sales_acceptance')$$, 'stages with a part to play');
SELECT bag_eq($$SELECT from_stage, to_stage FROM crm.stage_transition WHERE pipeline = 'marketing_sales' AND to_stage <> 'disqualified'$$,
	$$VALUES ('inquiry'::text, 'marketing_qualification'::text), ('marketing_qualification', 'teleprospect_acceptance'), ('marketing_qualification', 'sales_acceptance'),
		('teleprospect_acceptance', 'teleprospect_qualification'), ('teleprospect_acceptance', 'sales_acceptance'), ('teleprospect_qualification', 'sales_acceptance'), ('sales_acceptance', 'converted')$$,
	'a sales-ready lead may skip teleprospecting');
SELECT bag_eq($$SELECT from_stage, to_stage FROM crm.stage_transition WHERE pipeline = 'sales'$$,
	$$VALUES ('identify'::text, 'proposal'::text), ('proposal', 'negotiation'), ('negotiation', 'won'), ('identify', 'lost'), ('proposal', 'lost'), ('negotiation', 'lost')$$, 'transitions of opportunities');
SELECT is(count(*), 0::bigint, 'every open stage may be left for the lost one')
FROM crm.stage s WHERE kind IN ('entry', 'open') AND NOT EXISTS (SELECT FROM crm.stage_transition t JOIN crm.stage l ON l.pipeline = t.pipeline AND l.stage = t.to_stage AND l.kind = 'lost' WHERE t.pipeline = s.pipeline AND t.from_stage = s.stage);
SELECT is(count(*), 0::bigint, 'none leads out of a closed stage') FROM crm.stage_transition t JOIN crm.stage s ON s.pipeline = t.pipeline AND s.stage = t.from_stage WHERE s.kind IN ('won', 'lost');
SELECT is(count(*), 0::bigint, 'every stage can be reached') FROM crm.stage s WHERE kind <> 'entry' AND NOT EXISTS (SELECT FROM crm.stage_transition t WHERE t.pipeline = s.pipeline AND t.to_stage = s.stage);
SELECT bag_eq('SELECT pipeline, stage, field, fallback_field FROM crm.required_field', $$VALUES ('marketing_sales'::text, 'converted'::text, 'email'::text, 'phone'::text)$$, 'conversion needs an address or a number');

-- scoring
SELECT results_eq('SELECT model, sales_ready_threshold, is_active FROM crm.scoring_model', $$VALUES ('default'::text, 100::double precision, true)$$, 'one model, sales-ready at 100');
SELECT results_eq('SELECT grade, from_score FROM crm.scoring_grade ORDER BY from_score', $$VALUES ('cold'::text, '-infinity'::double precision), ('warm', 26), ('hot', 61)$$, 'cold, warm, hot');
SELECT is((SELECT g.grade FROM crm.scoring_grade g WHERE g.from_score <= p.points ORDER BY g.from_score DESC LIMIT 1), p.grade, p.points || ' points are ' || p.grade)
FROM (VALUES (-1e6, 'cold'), (0, 'cold'), (25, 'cold'), (25.99, 'cold'), (26, 'warm'), (60.99, 'warm'), (61, 'hot'), (100, 'hot'), (1e6, 'hot')) AS p (points, grade);
SELECT cmp_ok(count(*) FILTER (WHERE condition IS NOT NULL), '>=', 5::bigint, 'fit rules') FROM crm.scoring_rule;
SELECT is(array_agg(r.interaction_kind), NULL, 'every engagement rule is about a known kind') FROM crm.scoring_rule r
WHERE r.interaction_kind IS NOT NULL AND NOT EXISTS (SELECT FROM crm.interaction_kind k WHERE k.kind = r.interaction_kind);

-- vocabularies
SELECT set_has('SELECT source, kind FROM crm.lead_source', $$VALUES ('fair'::text, 'marketing'::text), ('event', 'marketing'), ('social_network', 'marketing'), ('website', 'marketing'),
	('advertising', 'marketing'), ('existing_customer', 'marketing'), ('other_department', 'other_department'), ('self_prospected', 'self_prospected'), ('unknown', 'unknown')$$, 'lead sources');
SELECT cmp_ok(count(*), '>=', 6::bigint, 'at least six of marketing') FROM crm.lead_source WHERE kind = 'marketing';
SELECT set_has('SELECT channel FROM crm.channel', $$VALUES ('direct'::text), ('organic_search'), ('paid_search'), ('social'), ('display'), ('email'), ('referral'), ('event'), ('phone'), ('website'), ('other')$$, 'channels');
SELECT set_has('SELECT kind FROM crm.interaction_kind WHERE is_touch', $$VALUES ('form_submit'::text), ('page_view'), ('product_click'), ('download'), ('email_open'), ('event_register'), ('event_attend'), ('demo_request'), ('call_inbound'), ('meeting')$$, 'kinds that count as touches');
SELECT is(count(*), 0::bigint, 'what we send is no touch') FROM crm.interaction_kind WHERE direction <> 'inbound' AND is_touch;
SELECT set_has('SELECT kind FROM crm.interaction_kind WHERE makes_lead', $$VALUES ('form_submit'::text), ('download'), ('event_register'), ('demo_request')$$, 'kinds that express interest');
SELECT is(count(*), 0::bigint, 'looking makes no lead') FROM crm.interaction_kind WHERE kind IN ('page_view', 'email_open') AND makes_lead;

-- nothing else
SELECT results_eq('SELECT team_kind FROM crm.routing_rule WHERE is_active ORDER BY sequence', ARRAY['marketing', 'telesales'], 'new leads are screened first');
SELECT is_empty('SELECT 1 FROM crm.' || t, 'table ' || t || ' is empty') FROM unnest(ARRAY['contact', 'account', 'lead', 'submission', 'interaction', 'opportunity', 'campaign', 'campaign_cost',
	'team', 'agent', 'tag', 'assignment', 'field', 'audit_log', 'stage_move', 'score', 'consent', 'merge', 'merge_change', 'entity_redirect']) t;
SELECT is(version, lead_mgmt.version(), 'laid out for the installed version') FROM crm.workspace_info;

-- the first submission goes all the way
SELECT is((s.status, s.contact_id IS NOT NULL, s.account_id IS NOT NULL, s.lead_id IS NOT NULL, s.interaction_id IS NOT NULL)::text, '(accepted,t,t,t,t)', 'a first submission goes all the way')
FROM crm.capture('default', '{"email": "first@acme.example"}') s;
SELECT * FROM finish();
ROLLBACK;
