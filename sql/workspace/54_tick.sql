-- The recurring tasks of a workspace.

CREATE TABLE @workspace@.tick_task (
	task text PRIMARY KEY CHECK (task <> ''),
	label text NOT NULL,
	sequence integer NOT NULL DEFAULT 100,
	every interval NOT NULL DEFAULT '0' CHECK (every >= interval '0'),
	is_active boolean NOT NULL DEFAULT true,
	last_run_at timestamptz,
	last_done bigint,
	last_error text
);

COMMENT ON TABLE @workspace@.tick_task IS
	'What tick() does: each task is a function of the workspace without arguments that does what is due and returns how much it did. Add rows for functions of your own; set is_active to false to leave one out.';
COMMENT ON COLUMN @workspace@.tick_task.task IS 'Key: name of the function';
COMMENT ON COLUMN @workspace@.tick_task.label IS 'The task in words';
COMMENT ON COLUMN @workspace@.tick_task.sequence IS 'Place in the order, ascending';
COMMENT ON COLUMN @workspace@.tick_task.every IS 'Least time from one run to the next; 0 to run with each tick';
COMMENT ON COLUMN @workspace@.tick_task.is_active IS 'False to leave it out';
COMMENT ON COLUMN @workspace@.tick_task.last_run_at IS 'When it last ran; NULL if it never did';
COMMENT ON COLUMN @workspace@.tick_task.last_done IS 'How much it did then; NULL when it failed';
COMMENT ON COLUMN @workspace@.tick_task.last_error IS 'Why it failed then; NULL when it did not';
