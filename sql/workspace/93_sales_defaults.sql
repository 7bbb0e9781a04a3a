-- What sales begins with.

INSERT INTO @workspace@.outcome (outcome, label, sign) VALUES
	('interested', 'interested', 1),
	('meeting_agreed', 'meeting agreed', 1),
	('asked_for_offer', 'asked for an offer', 1),
	('accepted', 'accepted', 1),
	('sent', 'sent', 0),
	('call_back', 'to be called back', 0),
	('no_answer', 'no answer', 0),
	('left_message', 'left a message', 0),
	('not_interested', 'not interested', -1),
	('no_budget', 'no budget', -1),
	('wrong_person', 'wrong person', -1),
	('declined', 'declined', -1);

INSERT INTO @workspace@.interaction_kind (kind, label, direction, is_touch, makes_lead) VALUES
	('created', 'Created', 'internal', false, false),
	('follow_up', 'Follow-up', 'outbound', false, false),
	('offer_sent', 'Offer made', 'outbound', false, false);

UPDATE @workspace@.interaction_kind SET is_activity = true
WHERE kind IN ('created', 'follow_up', 'offer_sent', 'call_inbound', 'call_outbound', 'meeting', 'chat', 'email_sent', 'email_reply', 'sms_sent', 'note');
