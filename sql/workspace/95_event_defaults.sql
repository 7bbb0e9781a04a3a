-- Whom moves are told to: whoever listens. First scores, which each new lead gets, are left out.

INSERT INTO @workspace@.event_handler (event, label, delivery, condition) VALUES
	('lead_moved', 'Notify of moves of leads', 'notify', $$rule <> 'first_score'$$),
	('opportunity_moved', 'Notify of moves of opportunities', 'notify', NULL);
