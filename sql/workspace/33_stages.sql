-- What happened in stages: steps, hand-overs, moves that failed, levels cleared.

CREATE TABLE @workspace@.lead_step (
	lead_step_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	lead_id bigint NOT NULL REFERENCES @workspace@.lead ON DELETE CASCADE,
	pipeline text NOT NULL,
	stage text NOT NULL,
	step text NOT NULL,
	value text,
	completed_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	completed_by name NOT NULL DEFAULT CURRENT_USER
);

COMMENT ON TABLE @workspace@.lead_step IS
	'Steps completed for leads. A lead that enters a stage again has its steps to do again: what was completed before it entered no longer counts. Insert lead_id and step to complete one, as complete_step() does; the rest is filled in.';
COMMENT ON COLUMN @workspace@.lead_step.lead_step_id IS 'Key';
COMMENT ON COLUMN @workspace@.lead_step.lead_id IS 'Lead';
COMMENT ON COLUMN @workspace@.lead_step.pipeline IS 'Pipeline it was in';
COMMENT ON COLUMN @workspace@.lead_step.stage IS 'Stage it was in';
COMMENT ON COLUMN @workspace@.lead_step.step IS 'Step that was completed';
COMMENT ON COLUMN @workspace@.lead_step.value IS 'What was noted with it, such as the value of its field; NULL if nothing was';
COMMENT ON COLUMN @workspace@.lead_step.completed_at IS 'When';
COMMENT ON COLUMN @workspace@.lead_step.completed_by IS 'Database role in whose session it happened';

CREATE INDEX lead_step_lead_id_idx ON @workspace@.lead_step (lead_id);

CREATE TABLE @workspace@.handover (
	handover_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	lead_id bigint NOT NULL REFERENCES @workspace@.lead ON DELETE CASCADE,
	from_team_id bigint REFERENCES @workspace@.team,
	from_agent_id bigint REFERENCES @workspace@.agent,
	to_team_id bigint NOT NULL REFERENCES @workspace@.team,
	to_agent_id bigint REFERENCES @workspace@.agent,
	reason text,
	handed_over_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	handed_over_by name NOT NULL DEFAULT CURRENT_USER,
	accepted_at timestamptz,
	accepted_by name,
	rejected_at timestamptz,
	rejected_by name,
	rejected_reason text,
	CHECK (pg_catalog.num_nonnulls(accepted_at, rejected_at) <= 1),
	CHECK ((accepted_at IS NULL) = (accepted_by IS NULL)),
	CHECK (pg_catalog.num_nonnulls(rejected_at, rejected_by, rejected_reason) IN (0, 3))
);

COMMENT ON TABLE @workspace@.handover IS
	'Leads passed from one team to another, and what became of it: accepted, rejected with a reason, or not answered yet.';
COMMENT ON COLUMN @workspace@.handover.handover_id IS 'Key';
COMMENT ON COLUMN @workspace@.handover.lead_id IS 'Lead';
COMMENT ON COLUMN @workspace@.handover.from_team_id IS 'Team that had it; NULL if none had';
COMMENT ON COLUMN @workspace@.handover.from_agent_id IS 'Agent who had it; NULL if nobody had';
COMMENT ON COLUMN @workspace@.handover.to_team_id IS 'Team that is to take it';
COMMENT ON COLUMN @workspace@.handover.to_agent_id IS 'Agent who is to take it, or took it; NULL if that is left to the team';
COMMENT ON COLUMN @workspace@.handover.reason IS 'Why; for those that a move makes, the stage entered';
COMMENT ON COLUMN @workspace@.handover.handed_over_at IS 'When';
COMMENT ON COLUMN @workspace@.handover.handed_over_by IS 'Database role in whose session it happened';
COMMENT ON COLUMN @workspace@.handover.accepted_at IS 'When it was accepted; NULL if it was not';
COMMENT ON COLUMN @workspace@.handover.accepted_by IS 'Database role that accepted it; NULL if nobody did';
COMMENT ON COLUMN @workspace@.handover.rejected_at IS 'When it was rejected; NULL if it was not';
COMMENT ON COLUMN @workspace@.handover.rejected_by IS 'Database role that rejected it; NULL if nobody did';
COMMENT ON COLUMN @workspace@.handover.rejected_reason IS 'Why it was rejected; NULL if it was not';

CREATE INDEX handover_lead_id_idx ON @workspace@.handover (lead_id);
CREATE UNIQUE INDEX handover_unanswered_idx ON @workspace@.handover (lead_id) WHERE accepted_at IS NULL AND rejected_at IS NULL;

CREATE TABLE @workspace@.failed_move (
	failed_move_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	lead_id bigint NOT NULL REFERENCES @workspace@.lead ON DELETE CASCADE,
	pipeline text NOT NULL,
	from_stage text NOT NULL,
	to_stage text NOT NULL,
	rule text NOT NULL,
	rule_label text,
	message text NOT NULL,
	failed_at timestamptz NOT NULL DEFAULT pg_catalog.now()
);

COMMENT ON TABLE @workspace@.failed_move IS
	'Automatic moves that were due and not made: an action of theirs failed, or they would have gone round in a circle. The lead stays where it is, and what caused the move stands. Delete rows that are dealt with.';
COMMENT ON COLUMN @workspace@.failed_move.failed_move_id IS 'Key';
COMMENT ON COLUMN @workspace@.failed_move.lead_id IS 'Lead';
COMMENT ON COLUMN @workspace@.failed_move.pipeline IS 'Pipeline of both stages';
COMMENT ON COLUMN @workspace@.failed_move.from_stage IS 'Stage it is in';
COMMENT ON COLUMN @workspace@.failed_move.to_stage IS 'Stage it was to enter';
COMMENT ON COLUMN @workspace@.failed_move.rule IS 'Cause: first_score, sales_ready, interaction, step or timer';
COMMENT ON COLUMN @workspace@.failed_move.rule_label IS 'The automatic move or step behind it; NULL for other causes';
COMMENT ON COLUMN @workspace@.failed_move.message IS 'Why it was not made';
COMMENT ON COLUMN @workspace@.failed_move.failed_at IS 'When';

CREATE INDEX failed_move_lead_id_idx ON @workspace@.failed_move (lead_id);

CREATE TABLE @workspace@.life_cycle_reset (
	contact_id bigint PRIMARY KEY REFERENCES @workspace@.contact ON DELETE CASCADE,
	reset_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	reset_by name NOT NULL DEFAULT CURRENT_USER,
	reason text
);

COMMENT ON TABLE @workspace@.life_cycle_reset IS
	'Contacts whose life cycle was cleared: it begins anew with what happens from then on. clear_life_cycle() writes it.';
COMMENT ON COLUMN @workspace@.life_cycle_reset.contact_id IS 'Contact';
COMMENT ON COLUMN @workspace@.life_cycle_reset.reset_at IS 'When it was last cleared';
COMMENT ON COLUMN @workspace@.life_cycle_reset.reset_by IS 'Database role that cleared it';
COMMENT ON COLUMN @workspace@.life_cycle_reset.reason IS 'Why; NULL if not said';
