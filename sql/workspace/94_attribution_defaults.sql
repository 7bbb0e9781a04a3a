-- The attribution models that every workspace begins with.

INSERT INTO @workspace@.attribution_model (model, label, definition) VALUES
	('first', 'First touch', '{"first": 1}'),
	('last', 'Last touch', '{"last": 1}'),
	('last_non_direct', 'Last touch that is not direct', '{"kind": "last_non_direct"}'),
	('linear', 'All touches alike', '{"other": 1}'),
	('u_shaped', 'First and last 40 % each', '{"first": 0.4, "last": 0.4, "other": 0.2}'),
	('u_milestones', 'First and lead creation 40 % each', '{"first": 0.4, "lead": 0.4, "other": 0.2}'),
	('w_shaped', 'First, lead and opportunity creation 30 % each', '{"first": 0.3, "lead": 0.3, "opportunity": 0.3, "other": 0.1}'),
	('full_path', 'First, lead and opportunity creation, last 22.5 % each', '{"first": 0.225, "lead": 0.225, "opportunity": 0.225, "last": 0.225, "other": 0.1}'),
	('j_shaped', 'First 20 %, last 60 %', '{"first": 0.2, "last": 0.6, "other": 0.2}'),
	('inverse_j', 'First 60 %, last 20 %', '{"first": 0.6, "last": 0.2, "other": 0.2}'),
	('time_decay', 'Half for each week before', '{"kind": "time_decay", "half_life": "7 days"}'),
	('participation', 'All of it for each channel', '{"kind": "participation"}'),
	('shapley', 'Shapley value of channels', '{"kind": "shapley"}'),
	('markov', 'Removal effects of a Markov chain of order 1', '{"kind": "markov", "order": 1}');
