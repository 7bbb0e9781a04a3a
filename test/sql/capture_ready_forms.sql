-- What leads really come from: forms that a workspace begins with, and the same facts through many formats.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
\set SHOW_CONTEXT never
SELECT lead_mgmt.create_workspace('ready');
CREATE VIEW pg_temp.latest AS SELECT s.submission_id, s.status, s.external_id, s.reasons, c.contact_id, c.full_name, c.email, c.phone, c.job_title, a.name AS company, l.product, l.page, l.origin, l.channel, l.source, i.kind, i.creative, i.occurred_at AT TIME ZONE 'UTC' AS at
FROM ready.submission s LEFT JOIN ready.contact c USING (contact_id) LEFT JOIN ready.account a ON a.account_id = s.account_id LEFT JOIN ready.lead l ON l.lead_id = s.lead_id LEFT JOIN ready.interaction i ON i.interaction_id = s.interaction_id;
SELECT form, label FROM ready.form ORDER BY 1;

-- Facebook: as the Graph API returns one lead, and a list of them; ids stop repeats
SELECT status, external_id FROM ready.capture_raw('facebook_lead_ads', 'application/json', '{"id": "fb-1", "created_time": "2026-03-01T10:00:00+0000", "form_id": "f9", "ad_name": "spring",
	"field_data": [{"name": "full_name", "values": ["Fay Book"]}, {"name": "work_email", "values": ["fay@book.example"]}, {"name": "phone_number", "values": ["+14155550100"]}, {"name": "company_name", "values": ["Book Co"]}]}');
SELECT full_name, email, phone, company, page, origin, channel, source, creative, at FROM pg_temp.latest ORDER BY submission_id DESC LIMIT 1;
SELECT part, status, external_id FROM ready.capture_raw('facebook_lead_ads', 'application/json', '{"data": [{"id": "fb-1", "field_data": [{"name": "email", "values": ["fay@book.example"]}]}, {"id": "fb-2", "field_data": [{"name": "email", "values": ["fred@book.example"]}]}], "paging": {}}');
-- LinkedIn: as its API sends a response, and flat as connectors do; a known contact and a new one (D-19)
SELECT status, external_id FROM ready.capture_raw('linkedin_lead_gen', 'application/json', '{"id": "li-1", "submitter": "urn:li:person:7", "submittedAt": 1772359200000, "versionedLeadGenFormUrn": "urn:li:form:3",
	"formResponse": {"answers": [{"questionId": 1, "name": "FIRST_NAME", "answerDetails": {"textQuestionAnswer": {"answer": "Lin"}}}, {"questionId": 2, "name": "LAST_NAME", "answerDetails": {"textQuestionAnswer": {"answer": "Keddy"}}},
	{"questionId": 3, "name": "EMAIL", "answerDetails": {"textQuestionAnswer": {"answer": "lin@keddy.example"}}}], "consentResponses": [{"consentId": 1, "accepted": true}]}}');
SELECT full_name, email, page, origin, at FROM pg_temp.latest ORDER BY submission_id DESC LIMIT 1;
SELECT channel FROM ready.consent JOIN ready.contact USING (contact_id) WHERE email::text = 'lin@keddy.example';
SELECT status, contact_id = (SELECT contact_id FROM ready.contact WHERE email::text = 'fay@book.example') AS known FROM ready.capture_raw('linkedin_lead_gen', 'application/json', '{"leadId": "li-2", "firstName": "Fay", "lastName": "Book", "emailAddress": "fay@book.example", "formName": "ebook"}');
SELECT status FROM ready.capture('linkedin_lead_gen', '{"leadId": "li-2", "emailAddress": "fay@book.example"}');
-- LinkedIn with numbered questions: what they ask for stands in the form that the response brings, or in rows of one's own
SELECT status FROM ready.capture_raw('linkedin_lead_gen', 'application/json', '{"id": "li-4", "submittedAt": 1772359200000, "versionedLeadGenFormUrn": "urn:li:form:4",
	"leadMetadataInfo": {"sponsoredLeadMetadataInfo": {"campaign": {"name": "spring", "id": "urn:li:sponsoredCampaign:1"}}},
	"formResponse": {"answers": [{"questionId": 31, "answerDetails": {"textQuestionAnswer": {"answer": "Nora"}}}, {"questionId": 32, "answerDetails": {"textQuestionAnswer": {"answer": "Number"}}},
	{"questionId": 33, "answerDetails": {"textQuestionAnswer": {"answer": "nora@number.example"}}}, {"questionId": 34, "answerDetails": {"textQuestionAnswer": {"answer": "Please call"}}},
	{"questionId": 35, "answerDetails": {"multipleChoiceAnswer": {"options": [2]}}}]},
	"form": {"name": "ebook of spring", "content": {"questions": [{"questionId": 31, "predefinedField": "FIRST_NAME", "name": "First name"}, {"questionId": 32, "predefinedField": "LAST_NAME"}, {"questionId": 33, "predefinedField": "WORK_EMAIL"},
	{"questionId": 34, "name": "Comment"}, {"questionId": 35, "name": "Product", "questionDetails": {"multipleChoiceQuestionDetails": {"options": [{"id": 1, "text": {"localized": {"en_US": "Silver"}}}, {"id": 2, "text": {"localized": {"en_US": "Gold"}}}]}}}]}}}');
SELECT full_name, email, l.page, l.product, i.note FROM pg_temp.latest l JOIN ready.interaction i USING (submission_id) ORDER BY submission_id DESC LIMIT 1;
SELECT ready.copy_form('linkedin_lead_gen', 'linkedin_numbers');
INSERT INTO ready.form_field (form, name, field) VALUES ('linkedin_numbers', '41', 'email'), ('linkedin_numbers', '42', 'product');
SELECT status FROM ready.capture_raw('linkedin_numbers', 'application/json', '{"id": "li-5", "formResponse": {"answers": [{"questionId": 41, "answerDetails": {"textQuestionAnswer": {"answer": "numa@number.example"}}}, {"questionId": 42, "answerDetails": {"multipleChoiceAnswer": {"options": [2]}}}]}}');
SELECT email, product FROM pg_temp.latest ORDER BY submission_id DESC LIMIT 1;
-- Google Ads
SELECT status, external_id FROM ready.capture_raw('google_lead_form', 'application/json', '{"lead_id": "g-1", "api_version": "1.0", "form_id": 40, "campaign_id": 5, "google_key": "secret", "is_test": false, "gcl_id": "x", "creative_id": 12,
	"user_column_data": [{"column_name": "Full Name", "string_value": "Goo Gle", "column_id": "FULL_NAME"}, {"column_name": "User Email", "string_value": "goo@gle.example", "column_id": "EMAIL"}, {"column_id": "JOB_TITLE", "string_value": "Buyer"}]}');
SELECT full_name, email, job_title, page, origin, channel, creative FROM pg_temp.latest ORDER BY submission_id DESC LIMIT 1;
-- an event: registration, known and new, and attendance later (D-11, D-18)
SELECT status FROM ready.capture_raw('event_registration', 'application/json', '{"registration_id": "ev-1", "event": "Expo 2026", "ticket": "VIP", "name": "Eve Nt", "email": "eve@nt.example"}');
SELECT full_name, page, product, kind, channel, source FROM pg_temp.latest ORDER BY submission_id DESC LIMIT 1;
SELECT status FROM ready.capture_raw('event_registration', 'application/json', '{"id": "1", "attendee_id": "ev-2", "event_name": "Expo 2026", "profile": {"first_name": "Fay", "last_name": "Book", "email": "fay@book.example"}}');
SELECT status, full_name, page FROM pg_temp.latest ORDER BY submission_id DESC LIMIT 1;
SELECT status FROM ready.capture('event_registration', '{"email": "eve@nt.example", "event": "Expo 2026", "kind": "event_attend"}');
SELECT l.page, count(i) FROM ready.lead l JOIN ready.interaction i USING (lead_id) JOIN ready.contact c ON c.contact_id = l.contact_id WHERE c.email::text = 'eve@nt.example' GROUP BY 1;
-- a website's builder names its fields in its own way
SELECT status FROM ready.capture_raw('web_form', 'application/x-www-form-urlencoded', 'your-name=Wen+Site&your-email=wen%40site.example&your-subject=Hello&your-message=Hi&_wpcf7=5');
SELECT full_name, email, origin, channel FROM pg_temp.latest ORDER BY submission_id DESC LIMIT 1;
-- a form like another one
SELECT ready.copy_form('facebook_lead_ads', 'facebook_two');
SELECT status, external_id FROM ready.capture_raw('facebook_two', 'application/json', '{"id": "fb-1", "field_data": [{"name": "email", "values": ["fay@book.example"]}]}');
SELECT ready.copy_form('no such', 'x');

-- the same facts through every format give the same contact, account and lead
-- each is taken back before the next comes, so that it meets nobody
CREATE FUNCTION pg_temp.alone(format text, content_type text, body bytea, OUT status text, OUT facts jsonb) LANGUAGE plpgsql AS $$
BEGIN
	SELECT s.submission_id, s.status INTO facts, status FROM ready.capture_raw('default', content_type, body) s;
	SELECT jsonb_build_object('contact', to_jsonb(c) - '{contact_id,account_id,created_at,updated_at}'::text[], 'account', to_jsonb(a) - '{account_id,created_at,updated_at}'::text[],
			'lead', to_jsonb(l) - '{lead_id,contact_id,account_id,created_at,updated_at,stage_entered_at,last_interaction_at,title}'::text[], 'note', i.note, 'score', v.score)
		INTO facts FROM ready.submission s LEFT JOIN ready.contact c USING (contact_id) LEFT JOIN ready.account a ON a.account_id = s.account_id LEFT JOIN ready.lead l ON l.lead_id = s.lead_id
		LEFT JOIN ready.interaction i ON i.interaction_id = s.interaction_id LEFT JOIN ready.lead_score v ON v.lead_id = s.lead_id WHERE s.submission_id = facts::bigint;
	RAISE EXCEPTION USING ERRCODE = 'LM001';
EXCEPTION WHEN SQLSTATE 'LM001' THEN
	RETURN;
END $$;
CREATE TEMP TABLE facts AS
SELECT v.format, f.status, f.facts FROM (VALUES
	('json', 'application/json', '{"name": "Trần Thị Hương", "email": "huong@vidu.example", "phone": "+84912345678", "company": "Ví Dụ", "page": "p1", "message": "Hi & bye"}'),
	('json lines', 'application/x-ndjson', '{"name": "Trần Thị Hương", "email": "huong@vidu.example", "phone": "+84912345678", "company": "Ví Dụ", "page": "p1", "message": "Hi & bye"}'),
	('urlencoded', 'application/x-www-form-urlencoded', 'name=Tr%E1%BA%A7n+Th%E1%BB%8B+H%C6%B0%C6%A1ng&email=huong%40vidu.example&phone=%2B84912345678&company=V%C3%AD+D%E1%BB%A5&page=p1&message=Hi+%26+bye'),
	('multipart', 'multipart/form-data; boundary=b', replace(E'--b\nContent-Disposition: form-data; name="name"\n\nTrần Thị Hương\n--b\nContent-Disposition: form-data; name="email"\n\nhuong@vidu.example\n--b\nContent-Disposition: form-data; name="phone"\n\n+84912345678\n--b\nContent-Disposition: form-data; name="company"\n\nVí Dụ\n--b\nContent-Disposition: form-data; name="page"\n\np1\n--b\nContent-Disposition: form-data; name="message"\n\nHi & bye\n--b--\n', E'\n', E'\r\n')),
	('xml', 'text/xml', '<lead><name>Trần Thị Hương</name><email>huong@vidu.example</email><phone>+84912345678</phone><company>Ví Dụ</company><page>p1</page><message>Hi &amp; bye</message></lead>'),
	('csv', 'text/csv', E'Name;E-Mail;Phone;Company;Page;Message\nTrần Thị Hương;huong@vidu.example;+84912345678;Ví Dụ;p1;Hi & bye\n'),
	('mail', 'message/rfc822', E'From: site@us.example\nSubject: lead\nContent-Type: text/plain; charset=utf-8\n\nName: Trần Thị Hương\nE-Mail: huong@vidu.example\nPhone: +84912345678\nCompany: Ví Dụ\nPage: p1\nMessage: Hi & bye\n'),
	('rss', 'application/rss+xml', '<rss version="2.0"><channel><item><guid>1</guid><description>&lt;table&gt;&lt;tr&gt;&lt;td&gt;Name&lt;/td&gt;&lt;td&gt;Trần Thị Hương&lt;/td&gt;&lt;/tr&gt;&lt;tr&gt;&lt;td&gt;E-mail&lt;/td&gt;&lt;td&gt;huong@vidu.example&lt;/td&gt;&lt;/tr&gt;&lt;tr&gt;&lt;td&gt;Phone&lt;/td&gt;&lt;td&gt;+84912345678&lt;/td&gt;&lt;/tr&gt;&lt;tr&gt;&lt;td&gt;Company&lt;/td&gt;&lt;td&gt;Ví Dụ&lt;/td&gt;&lt;/tr&gt;&lt;tr&gt;&lt;td&gt;Page&lt;/td&gt;&lt;td&gt;p1&lt;/td&gt;&lt;/tr&gt;&lt;tr&gt;&lt;td&gt;Message&lt;/td&gt;&lt;td&gt;Hi &amp;amp; bye&lt;/td&gt;&lt;/tr&gt;&lt;/table&gt;</description></item></channel></rss>'),
	('text', 'text/plain', E'Name: Trần Thị Hương\nE-Mail: huong@vidu.example\nPhone: +84912345678\nCompany: Ví Dụ\nPage: p1\nMessage: Hi & bye\n')) AS v (format, content_type, body), pg_temp.alone(v.format, v.content_type, convert_to(v.body, 'UTF8')) f;
SELECT format, status, facts = (SELECT facts FROM facts WHERE format = 'json') AS same FROM facts ORDER BY format;
SELECT facts -> 'contact' ->> 'full_name' AS full_name, facts -> 'contact' ->> 'email' AS email, facts -> 'account' ->> 'name' AS company, facts -> 'lead' ->> 'page' AS page, facts ->> 'note' AS note FROM facts WHERE format = 'json';

-- what an HTTP front end answers
SELECT status, reply FROM ready.capture_http('default', 'application/json', '{"email": "h1@http.example", "page": "x"}');
SELECT h.status, r ->> 'record' AS record, r ->> 'status' AS outcome, r -> 'reasons' -> 0 ->> 'code' AS code FROM ready.capture_http('default', 'application/json', '[{"email": "h2@http.example"}, {"email": "nobody"}]') h, jsonb_array_elements(reply -> 'records') r;
SELECT n, (SELECT status FROM ready.capture_http(form, type, convert_to(body, 'UTF8'))) FROM (VALUES (1, 'default', 'application/json', '{"email": "x"}'), (2, 'default', 'application/json', '{"email": '), (3, 'none', 'application/json', '{}'),
	(4, 'default', 'image/png', 'x'), (5, 'default', 'text/csv; charset=klingon', 'x'), (6, 'default', NULL, ''), (7, 'default', 'application/json', NULL)) v (n, form, type, body) ORDER BY n;
-- a request that is sent again, with its key
SELECT status, reply -> 'records' -> 0 ->> 'status' AS outcome FROM ready.capture_http('default', NULL, '[{"email": "k1@http.example", "external_id": "own-1"}, {"email": "k2@http.example"}]', '{"Idempotency-Key": "abc", "content-type": "application/json"}');
SELECT status, reply - 'records' AS counts FROM ready.capture_http('default', NULL, '[{"email": "k1@http.example", "external_id": "own-1"}, {"email": "k2@http.example"}]', '{"Idempotency-Key": "abc", "Content-Type": "application/json"}');
-- and the record itself, in another request
SELECT status, reply - 'records' AS counts FROM ready.capture_http('default', 'application/json', '[{"email": "k1@http.example", "external_id": "own-1"}, {"email": "k3@http.example"}]', '{"Idempotency-Key": "def"}');

-- a step of a campaign makes a lead for the contact or the account, as it is set (D-20); by hand after a meeting (D-13)
SELECT contact_id IS NOT NULL AS of_contact, account_id IS NOT NULL AS of_account, origin, page FROM ready.create_lead((SELECT contact_id FROM ready.contact WHERE email::text = 'fay@book.example'), 'contact', page => 'journey');
SELECT contact_id IS NOT NULL AS of_contact, account_id IS NOT NULL AS of_account, contact_name FROM ready.create_lead((SELECT contact_id FROM ready.contact WHERE email::text = 'fay@book.example'), 'account', page => 'journey');
SELECT ready.create_lead(-1);
SELECT ready.create_lead((SELECT contact_id FROM ready.contact WHERE email::text = 'fay@book.example'), 'boss');
INSERT INTO ready.team (team_id, team) VALUES (1, 'field');
INSERT INTO ready.agent (agent, team_id) VALUES ('ann', 1);
INSERT INTO ready.lead (contact_id, origin, title, source, self_prospected_by) SELECT contact_id, 'meeting', 'Met at the fair', 'self_prospected', (SELECT agent_id FROM ready.agent) FROM ready.contact WHERE email::text = 'lin@keddy.example' RETURNING origin, stage, status, self_prospected_by IS NOT NULL AS found_by_ann;
INSERT INTO ready.lead (contact_name, origin, source, transferred_from_department) VALUES ('Tom Transfer', 'phone', 'other_department', 'Support') RETURNING origin, transferred_from_department, contact_id;
SELECT kind, count(*) FROM ready.lead JOIN ready.lead_source USING (source) GROUP BY 1 ORDER BY 1;
DROP TABLE facts;
DROP VIEW pg_temp.latest;
SELECT lead_mgmt.drop_workspace('ready', 'ready');
