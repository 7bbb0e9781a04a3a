-- What the columns of settings and vocabularies mean.

COMMENT ON COLUMN @workspace@.workspace_info.only_row IS 'Always true: keeps the table at one row';
COMMENT ON COLUMN @workspace@.workspace_info.version IS 'lead_mgmt version the workspace is laid out for';
COMMENT ON COLUMN @workspace@.workspace_info.created_at IS 'When the workspace was created';
COMMENT ON COLUMN @workspace@.workspace_info.upgraded_at IS 'When it was last brought to another version; NULL if never';
COMMENT ON COLUMN @workspace@.workspace_info.view_rights IS 'Whose rights views and reports run with: caller or owner; see set_view_rights()';

COMMENT ON COLUMN @workspace@.field.entity IS 'What the attribute belongs to: contact, account, lead or opportunity';
COMMENT ON COLUMN @workspace@.field.field IS 'Name of the attribute: the key in the attributes column and the name a submission uses';
COMMENT ON COLUMN @workspace@.field.type IS 'What its values are: text, integer, number, boolean, date, timestamp, one choice, or a list of choices';
COMMENT ON COLUMN @workspace@.field.label IS 'Wording for people; NULL to show the name';
COMMENT ON COLUMN @workspace@.field.is_required IS 'Whether a row that a client writes must have a value for it. What a submission must bring is the required list of its form.';
COMMENT ON COLUMN @workspace@.field.options IS 'What may be chosen; set for choice and choices only';
COMMENT ON COLUMN @workspace@.field.is_active IS 'False hides the attribute; values stored are kept';
COMMENT ON COLUMN @workspace@.field.created_at IS 'When the attribute was defined';

COMMENT ON COLUMN @workspace@.channel.channel IS 'Name that interactions, leads and costs refer to';
COMMENT ON COLUMN @workspace@.channel.label IS 'Wording for people';
COMMENT ON COLUMN @workspace@.channel.is_paid IS 'True when its reach is bought';
COMMENT ON COLUMN @workspace@.channel.is_direct IS 'True when it tells nothing about what brought the person, such as an address typed in';

COMMENT ON COLUMN @workspace@.lead_source.source IS 'Name that contacts and leads refer to';
COMMENT ON COLUMN @workspace@.lead_source.label IS 'Wording for people';
COMMENT ON COLUMN @workspace@.lead_source.kind IS 'Who found the lead: marketing, other_department, self_prospected by the salesperson, or unknown';
COMMENT ON COLUMN @workspace@.lead_source.trust IS 'How far values from it are believed, the higher the more; for the update policy trusted';

COMMENT ON COLUMN @workspace@.interaction_kind.kind IS 'Name that interactions and engagement rules refer to';
COMMENT ON COLUMN @workspace@.interaction_kind.label IS 'Wording for people';
COMMENT ON COLUMN @workspace@.interaction_kind.direction IS 'inbound from the person to us, outbound from us to the person, or internal';
COMMENT ON COLUMN @workspace@.interaction_kind.is_touch IS 'True when it earns attribution credit';
COMMENT ON COLUMN @workspace@.interaction_kind.makes_lead IS 'True when it makes a lead of a person who has none for its context; the others count for a lead that exists';
COMMENT ON COLUMN @workspace@.interaction_kind.is_activity IS 'True for what people do about a lead, which activity_log_text() prints; False for what only happens, such as page views';

COMMENT ON COLUMN @workspace@.campaign.campaign_id IS 'Key';
COMMENT ON COLUMN @workspace@.campaign.campaign IS 'Unique name, by which submissions refer to it';
COMMENT ON COLUMN @workspace@.campaign.parent_id IS 'Campaign that this one is a wave or batch of; NULL if it stands by itself';
COMMENT ON COLUMN @workspace@.campaign.kind IS 'What sort of activity it is, in your own terms';
COMMENT ON COLUMN @workspace@.campaign.purpose IS 'What it is meant to achieve; NULL if not said';
COMMENT ON COLUMN @workspace@.campaign.channel IS 'Main channel; costs without one of their own count there';
COMMENT ON COLUMN @workspace@.campaign.budget IS 'Money planned, in currency; NULL if not set';
COMMENT ON COLUMN @workspace@.campaign.currency IS 'ISO 4217 code of the budget';
COMMENT ON COLUMN @workspace@.campaign.starts_at IS 'When it begins; NULL if not fixed';
COMMENT ON COLUMN @workspace@.campaign.ends_at IS 'When it ends; NULL if not fixed';
COMMENT ON COLUMN @workspace@.campaign.created_at IS 'When the row was entered';

COMMENT ON COLUMN @workspace@.campaign_cost.campaign_cost_id IS 'Key';
COMMENT ON COLUMN @workspace@.campaign_cost.campaign_id IS 'Campaign the money was spent on';
COMMENT ON COLUMN @workspace@.campaign_cost.channel IS 'Channel it was spent on; NULL for the campaign''s own';
COMMENT ON COLUMN @workspace@.campaign_cost.spent_on IS 'Day it was spent';
COMMENT ON COLUMN @workspace@.campaign_cost.amount IS 'Money spent, in currency; negative for a refund';
COMMENT ON COLUMN @workspace@.campaign_cost.currency IS 'ISO 4217 code of the amount; reports add amounts up without conversion';
COMMENT ON COLUMN @workspace@.campaign_cost.note IS 'Remark';

COMMENT ON COLUMN @workspace@.pipeline.pipeline IS 'Name that leads, opportunities and forms refer to';
COMMENT ON COLUMN @workspace@.pipeline.entity IS 'What goes through it: lead or opportunity';
COMMENT ON COLUMN @workspace@.pipeline.label IS 'Wording for people';
COMMENT ON COLUMN @workspace@.pipeline.is_default IS 'True for the one that new leads, or new opportunities, enter when nothing else is said';
COMMENT ON COLUMN @workspace@.pipeline.moves_on_first_score IS 'True to move a lead to the stage with role scored when it gets its first score';
COMMENT ON COLUMN @workspace@.pipeline.moves_when_sales_ready IS 'True to move a lead to the stage with role sales_ready as soon as it is sales-ready';
COMMENT ON COLUMN @workspace@.pipeline.is_active IS 'False for a draft, which may be unsound: nothing begins in it, is switched to it or moves in it by itself. Set to true, it is checked as activate_pipeline() does';
COMMENT ON COLUMN @workspace@.pipeline.moves_on_interaction IS 'False to hold back the automatic moves caused by interactions';
COMMENT ON COLUMN @workspace@.pipeline.moves_on_step IS 'False to hold back the move that the last required step of a stage causes';
COMMENT ON COLUMN @workspace@.pipeline.moves_on_timer IS 'False to hold back the automatic moves that tick() makes when time is up';
COMMENT ON COLUMN @workspace@.pipeline.answer_within IS 'How long a hand-over may wait for an answer before unanswered_handover shows it as overdue';
COMMENT ON COLUMN @workspace@.pipeline.completeness_fields IS 'Fields of lead_profile that should be known; completeness is the share that is filled';
COMMENT ON COLUMN @workspace@.pipeline.minimum_completeness IS 'Percentage below which a lead counts as incomplete; 0 asks for nothing';
COMMENT ON COLUMN @workspace@.pipeline.idle_after IS 'How long nothing may pass with an open lead before it counts as neglected';
COMMENT ON COLUMN @workspace@.pipeline.requires_acceptance IS 'True to have convert_lead() refuse leads that sales has not accepted: those whose qualification is not sales_accepted';

COMMENT ON COLUMN @workspace@.stage.pipeline IS 'Pipeline the stage belongs to';
COMMENT ON COLUMN @workspace@.stage.stage IS 'Name, unique in the pipeline';
COMMENT ON COLUMN @workspace@.stage.sequence IS 'Place in the pipeline, ascending; gaps are fine';
COMMENT ON COLUMN @workspace@.stage.label IS 'Wording for people';
COMMENT ON COLUMN @workspace@.stage.kind IS 'entry where every row begins, open on the way, won or lost at the end';
COMMENT ON COLUMN @workspace@.stage.role IS 'scored or sales_ready when leads are moved here automatically, teleprospect_ready where mark_ready() puts them; NULL for every other stage';
COMMENT ON COLUMN @workspace@.stage.maximum_age IS 'How long a row should stay at most: older ones are listed in stage_ageing, and a timer without a time of its own goes by it. NULL for no limit';
COMMENT ON COLUMN @workspace@.stage.requires_link IS 'True when a lead may leave it only once it has a contact or an account, unless it is given up';
COMMENT ON COLUMN @workspace@.stage.requires_owner IS 'True when a row may enter it only with an agent';
COMMENT ON COLUMN @workspace@.stage.requires_steps IS 'True when a lead may leave it for a later stage only once its required steps are complete';
COMMENT ON COLUMN @workspace@.stage.moves_when_complete IS 'True to move a lead on, along the transition of kind next, as soon as the required steps are complete';
COMMENT ON COLUMN @workspace@.stage.team_kind IS 'Kind of team that works on leads here; a lead that comes from another team is handed over. NULL to leave leads where they are';
COMMENT ON COLUMN @workspace@.stage.task IS 'Subject of a task that is made for each lead that enters, due within answer_within of the pipeline, and done once the lead leaves; NULL for none';
COMMENT ON COLUMN @workspace@.stage.probability IS 'Chance of winning from here, in percent; NULL if not estimated';
COMMENT ON COLUMN @workspace@.stage.is_mandatory IS 'True when an opportunity must have been in it before it can be won, unless waived; leads are not asked';

COMMENT ON COLUMN @workspace@.stage_transition.pipeline IS 'Pipeline of both stages';
COMMENT ON COLUMN @workspace@.stage_transition.from_stage IS 'Stage left';
COMMENT ON COLUMN @workspace@.stage_transition.to_stage IS 'Stage entered';
COMMENT ON COLUMN @workspace@.stage_transition.kind IS 'next for the usual way on, of which a stage has one at most; skip past stages, back to an earlier one, or any';
COMMENT ON COLUMN @workspace@.stage_transition.guard IS 'Condition over lead_profile or opportunity_profile, as it is after the change, under which the move is allowed; NULL for always';
COMMENT ON COLUMN @workspace@.stage_transition.guard_label IS 'The condition in words, for messages; NULL to show the condition itself';

COMMENT ON COLUMN @workspace@.required_field.required_field_id IS 'Key';
COMMENT ON COLUMN @workspace@.required_field.pipeline IS 'Pipeline of the stage';
COMMENT ON COLUMN @workspace@.required_field.stage IS 'Stage that may not be entered while the field is empty';
COMMENT ON COLUMN @workspace@.required_field.field IS 'Field of lead_profile or opportunity_profile, or a custom attribute of what they show';
COMMENT ON COLUMN @workspace@.required_field.fallback_field IS 'Field that may stand in for it; NULL if none may';
COMMENT ON COLUMN @workspace@.required_field.from_stage IS 'Asked for on the way from this stage only; NULL for any';

COMMENT ON COLUMN @workspace@.form.form IS 'Name that submissions carry';
COMMENT ON COLUMN @workspace@.form.label IS 'Wording for people';
COMMENT ON COLUMN @workspace@.form.is_active IS 'False rejects what comes in by it';
COMMENT ON COLUMN @workspace@.form.mapping IS 'Where incoming names lead: {"incoming name": "field"}; names not listed lead to the field of the same name';
COMMENT ON COLUMN @workspace@.form.required IS 'Fields without which a submission is rejected';
COMMENT ON COLUMN @workspace@.form.defaults IS 'Values for fields a submission leaves empty: {"field": value}';
COMMENT ON COLUMN @workspace@.form.blank_values IS 'Values that count as empty, such as n/a';
COMMENT ON COLUMN @workspace@.form.invalid_values IS 'What an unreadable value does: reject the submission, or drop the value alone';
COMMENT ON COLUMN @workspace@.form.default_region IS 'ISO 3166-1 code of the country in which phone numbers without country code are read; NULL to demand the code unless the submission names its country';
COMMENT ON COLUMN @workspace@.form.source_system IS 'System whose ids source_id, company_source_id and lead_source_id hold; NULL to let the form''s own name stand for it';
COMMENT ON COLUMN @workspace@.form.contact_update IS 'What a submission does to a known contact and account: newest overwrites, fill completes empty fields, keep changes nothing, trusted overwrites unless the value came from a source with more trust. NULL leaves it to the match strategy';
COMMENT ON COLUMN @workspace@.form.lead_update IS 'The same for a lead that is open already';
COMMENT ON COLUMN @workspace@.form.pipeline IS 'Pipeline its leads enter; NULL for the default';
COMMENT ON COLUMN @workspace@.form.makes_contact IS 'False to leave contacts alone';
COMMENT ON COLUMN @workspace@.form.makes_account IS 'False to leave accounts alone';
COMMENT ON COLUMN @workspace@.form.makes_lead IS 'False to make no lead';
COMMENT ON COLUMN @workspace@.form.makes_interaction IS 'False to record no interaction';
COMMENT ON COLUMN @workspace@.form.scores IS 'False to leave the lead unscored';
COMMENT ON COLUMN @workspace@.form.moves_stage IS 'False to leave the lead where it is';
COMMENT ON COLUMN @workspace@.form.assigns IS 'False to assign it to nobody';
COMMENT ON COLUMN @workspace@.form.maximum_bytes IS 'Largest submission accepted, in bytes';
COMMENT ON COLUMN @workspace@.form.maximum_body_bytes IS 'Largest body that capture_raw() takes, of however many records';
COMMENT ON COLUMN @workspace@.form.records IS 'Where the records of a document are: an XPath such as //lead, or a JSON path such as $.leads[*]; NULL for the elements of a JSON array, the items of a feed, or the repeated elements below the root of an XML document';
COMMENT ON COLUMN @workspace@.form.vendor IS 'Vendor whose leads come in by it; NULL if they are our own. The sender of a vendor''s mail is never taken for the lead';
COMMENT ON COLUMN @workspace@.form.retention IS 'How long processed submissions are kept; NULL for ever';
COMMENT ON COLUMN @workspace@.form.created_at IS 'When the form was defined';
