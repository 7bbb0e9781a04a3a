-- Which incoming names lead to which fields.

CREATE TABLE @workspace@.form_field (
	form text NOT NULL REFERENCES @workspace@.form ON UPDATE CASCADE ON DELETE CASCADE,
	name text NOT NULL CHECK (name <> ''),
	field text NOT NULL,
	sequence integer NOT NULL DEFAULT 100,
	PRIMARY KEY (form, name)
);

COMMENT ON TABLE @workspace@.form_field IS
	'How a form reads incoming names, a row each: a plain name, a JSON path that begins with $, an XPath that begins with / or ./, or the columns of a line such as 1-20. Comes before the form''s mapping and before the names that every form knows.';
COMMENT ON COLUMN @workspace@.form_field.form IS 'Form that reads the name so';
COMMENT ON COLUMN @workspace@.form_field.name IS 'Incoming name or path. Plain names are compared exactly, and if nothing has that name, by their letters and digits alone';
COMMENT ON COLUMN @workspace@.form_field.field IS 'Field or custom attribute it leads to; ignore to leave the name alone';
COMMENT ON COLUMN @workspace@.form_field.sequence IS 'When several names bring the same field, the lowest comes first';

CREATE TABLE @workspace@.form_pairs (
	form text NOT NULL REFERENCES @workspace@.form ON UPDATE CASCADE ON DELETE CASCADE,
	path jsonpath NOT NULL,
	name jsonpath NOT NULL DEFAULT '$.name',
	value jsonpath NOT NULL DEFAULT '$.value',
	label text NOT NULL DEFAULT 'pairs',
	PRIMARY KEY (form, label)
);

COMMENT ON TABLE @workspace@.form_pairs IS
	'Where payloads of a form keep names and values as objects in a list, as in {"field_data": [{"name": "email", "values": ["amy@example.net"]}]}. What is found there is read as if it stood in the payload itself.';
COMMENT ON COLUMN @workspace@.form_pairs.form IS 'Form whose payloads are so';
COMMENT ON COLUMN @workspace@.form_pairs.path IS 'JSON path to the objects, such as $.field_data[*]';
COMMENT ON COLUMN @workspace@.form_pairs.name IS 'JSON path within each object to the name, such as $.name; $payload in it is the whole payload';
COMMENT ON COLUMN @workspace@.form_pairs.value IS 'JSON path within each object to the value, such as $.values; $payload in it is the whole payload; a list of one is that one';
COMMENT ON COLUMN @workspace@.form_pairs.label IS 'Tells several rows of one form apart';

CREATE TABLE @workspace@.field_alias (
	alias text PRIMARY KEY CHECK (alias <> ''),
	field text NOT NULL,
	sequence integer NOT NULL DEFAULT 100
);

COMMENT ON TABLE @workspace@.field_alias IS
	'Other names of fields, in any language, that every form listens to. Compared exactly, and if nothing has that name, by their letters and digits alone.';
COMMENT ON COLUMN @workspace@.field_alias.alias IS 'Incoming name';
COMMENT ON COLUMN @workspace@.field_alias.field IS 'Field or custom attribute it leads to';
COMMENT ON COLUMN @workspace@.field_alias.sequence IS 'When several names bring the same field, the lowest comes first';

CREATE TABLE @workspace@.form_template (
	form text NOT NULL REFERENCES @workspace@.form ON UPDATE CASCADE ON DELETE CASCADE,
	template text NOT NULL CHECK (template <> ''),
	sequence integer NOT NULL DEFAULT 100,
	applies_to text NOT NULL DEFAULT 'body' CHECK (applies_to IN ('body', 'subject')),
	pattern text NOT NULL,
	PRIMARY KEY (form, template)
);

COMMENT ON TABLE @workspace@.form_template IS
	'What a form reads off mails that are neither lines of "Key: value" nor tables: regular expressions whose named groups, as in (?<email>\S+@\S+), bring the fields of that name.';
COMMENT ON COLUMN @workspace@.form_template.form IS 'Form whose mails are so';
COMMENT ON COLUMN @workspace@.form_template.template IS 'Name of the template within the form';
COMMENT ON COLUMN @workspace@.form_template.sequence IS 'When several bring the same name, the lowest comes first';
COMMENT ON COLUMN @workspace@.form_template.applies_to IS 'body, or subject';
COMMENT ON COLUMN @workspace@.form_template.pattern IS 'PostgreSQL regular expression, extended by named groups';
