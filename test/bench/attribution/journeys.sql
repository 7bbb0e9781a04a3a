-- Journeys with touches of twelve channels, in the order of journeys or of
-- time, and conversions of all of them or of some.
-- Variables: journeys, converting (of 100), by_time (0 or 1: stored in order of time)
SELECT setseed(0.42);
CREATE UNLOGGED TABLE touch (journey bigint NOT NULL, occurred_at timestamptz NOT NULL, channel text NOT NULL, is_direct boolean NOT NULL);
INSERT INTO touch
	SELECT j, at + make_interval(mins => (t * 1447 + hashint8(j * 16 + t) % 700)), names[1 + c], c = 0
	FROM (SELECT j, '2025-01-01Z'::timestamptz + make_interval(mins => (random() * 400000)::int) AS at,
			1 + (random() * 3.5)::int + CASE WHEN random() < 0.12 THEN (random() * 14)::int ELSE 0 END AS n
		FROM generate_series(1, :journeys) j) x
		CROSS JOIN LATERAL generate_series(1, n) t
		CROSS JOIN LATERAL (SELECT floor(12 * ((hashint8(j * 64 + t) & 65535) / 65536.0) ^ 2)::int AS c) y,
		(SELECT '{direct,organic search,paid search,social,paid social,display,email,referral,event,partner,video,affiliate}'::text[] AS names) z
	ORDER BY CASE WHEN :by_time = 1 THEN at END, j, 2;
CREATE UNLOGGED TABLE conversion AS
	SELECT journey, max(occurred_at) + interval '3 hours' AS converted_at, round((10 + 990 * random())::numeric, 2) AS value
	FROM touch GROUP BY journey HAVING (hashint8(journey) & 1023) < :converting * 1024 / 100.0
	ORDER BY journey;
CREATE INDEX touch_journey_idx ON touch (journey, occurred_at) INCLUDE (channel);
CREATE INDEX conversion_journey_idx ON conversion (journey, converted_at) INCLUDE (value);
VACUUM ANALYZE touch;
VACUUM ANALYZE conversion;
