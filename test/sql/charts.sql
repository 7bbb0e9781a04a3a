-- Charts: well-formed SVG, whatever the names, and with nothing to show.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS lead_mgmt;
RESET client_min_messages;
\set SHOW_CONTEXT never
SET timezone = 'UTC';
-- what is in a picture: its size, how many bars or cells, what is written
CREATE FUNCTION pg_temp.parts(picture text) RETURNS TABLE (width text, boxes bigint, texts text) LANGUAGE sql AS $$
	SELECT (xpath('/*/@width', x))[1]::text, cardinality(xpath('//*[local-name() = "rect"]', x)) - 1::bigint,
		(SELECT string_agg(t::text, '|' ORDER BY n) FROM unnest(xpath('//*[local-name() = "text"]/text()', x)) WITH ORDINALITY u (t, n))
	FROM (SELECT xmlparse(DOCUMENT picture) AS x) p $$;

SELECT * FROM pg_temp.parts(lead_mgmt.funnel_svg('Funnel', 'A note', '{Visitors,Leads,Won}', '{12037,1200,7}'));
SELECT * FROM pg_temp.parts(lead_mgmt.funnel_svg('Nothing', '', '{Visitors,Leads}', '{0,0}'));
SELECT * FROM pg_temp.parts(lead_mgmt.funnel_svg('Missing', '', '{a,b,c,d}', '{5,NULL,-3,NaN}'));
SELECT * FROM pg_temp.parts(lead_mgmt.funnel_svg('', '', '{}', '{}'));
SELECT * FROM pg_temp.parts(lead_mgmt.shares_svg('Shares', '', '{first,last}', '{ads,mail}', '{1,3,0,0}'));
SELECT * FROM pg_temp.parts(lead_mgmt.heat_map_svg('Heat', '', '{2026-01,2026-02}', '{5 leads,6 leads}', '{same,+ 1}', '{10,20.25,0,NULL}'));
-- names of any kind: escaped, wrapped, cut short, whole in the tooltip
SELECT * FROM pg_temp.parts(lead_mgmt.funnel_svg('<script>alert("x")</script> & ''co''', E'a\tb\x01c', '{"<b>&amp;\"", ""}', '{2,1}'));
SELECT texts FROM pg_temp.parts(lead_mgmt.funnel_svg('t', 'n', ARRAY['Đánh giá và sàng lọc khách hàng tiềm năng của phòng Tiếp thị khu vực miền Bắc và miền Trung',
	repeat('Chấpnhậnkháchhàng', 12), '見込み客の評価と選別を行うマーケティング部門の北部地域担当者'], '{3,2,1}'));
SELECT (xpath('//*[local-name() = "g"]/*[local-name() = "title"]/text()', xmlparse(DOCUMENT lead_mgmt.funnel_svg('t', 'n', ARRAY[repeat('Chấp nhận ', 20)], '{1}'))))[1]::text;
-- what does not fit together
SELECT lead_mgmt.funnel_svg('t', 'n', '{a,b}', '{1}');
SELECT lead_mgmt.shares_svg('t', 'n', '{a,b}', '{c,d}', '{1,2,3}');
SELECT lead_mgmt.heat_map_svg('t', 'n', '{a,b}', '{x}', '{c}', '{1,2}');
SELECT lead_mgmt.funnel_svg('t', 'n', '{a}', '{Infinity}');
SELECT lead_mgmt.funnel_svg('t', 'n', array_fill('a'::text, ARRAY[101]), array_fill(1::float8, ARRAY[101]));
SELECT lead_mgmt.funnel_svg(NULL, 'n', '{a}', '{1}') IS NULL AS "null";

-- of a workspace
SELECT lead_mgmt.create_workspace('charts');
SELECT c, p.boxes, p.texts FROM unnest('{funnel,channels,cohorts}'::text[]) c, pg_temp.parts(charts.chart(c)) p;
INSERT INTO charts.contact (contact_id, full_name, created_at) SELECT n, 'Nguyễn ' || n, '2026-01-01' FROM generate_series(1, 40) n;
INSERT INTO charts.lead (lead_id, contact_id, stage, stage_entered_at, created_at)
SELECT n, n, CASE WHEN n % 2 = 0 THEN 'sales_acceptance' ELSE 'inquiry' END, '2026-01-01', '2026-01-01'::timestamptz + n * interval '1 day' FROM generate_series(1, 40) n;
INSERT INTO charts.interaction (contact_id, kind, channel, occurred_at)
SELECT n, 'page_view', 'c' || k, '2026-01-01'::timestamptz + (n - k) * interval '1 day' FROM generate_series(1, 40) n, generate_series(0, 11) k;
INSERT INTO charts.opportunity (lead_id, contact_id, name, stage, stage_entered_at, amount, created_at, closed_at)
SELECT n, n, 'x', 'won', '2026-01-01', 10, '2026-02-01', '2026-01-01'::timestamptz + (n + 30) * interval '1 day' FROM generate_series(4, 40, 4) n;
SELECT texts FROM pg_temp.parts(charts.chart('funnel'));
SELECT texts FROM pg_temp.parts(charts.chart('funnel', '2026-02-01', '2026-03-01'));
DELETE FROM charts.attribution_model WHERE model NOT IN ('linear', 'markov', 'last');
SELECT texts FROM pg_temp.parts(charts.chart('channels'));
SELECT texts FROM pg_temp.parts(charts.chart('channels', '2027-01-01'));
DELETE FROM charts.attribution_model;
SELECT boxes, texts FROM pg_temp.parts(charts.chart('channels'));
SELECT left(texts, 160) AS texts FROM pg_temp.parts(charts.chart('cohorts', until => '2026-02-01'));
SELECT charts.chart('pie');
SELECT lead_mgmt.drop_workspace('charts', 'charts');
