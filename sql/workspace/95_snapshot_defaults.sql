-- The reports that are kept day by day.

INSERT INTO @workspace@.snapshot_report (report) VALUES
	('funnel'),
	('channel_performance'),
	('campaign_roi'),
	('source_conversion'),
	('pipeline_value'),
	('agent_performance'),
	('stage_conversion'),
	('stage_velocity');
