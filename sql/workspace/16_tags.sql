-- Tags: short notes of interest, priority or status, by which people sort and pick.

CREATE TABLE @workspace@.tag (
	tag text PRIMARY KEY CHECK (tag <> '' AND tag = pg_catalog.btrim(tag)),
	kind text NOT NULL DEFAULT 'other' CHECK (kind IN ('interest', 'priority', 'status', 'other')),
	color text CHECK (color ~ '^#[0-9A-Fa-f]{6}$'),
	description text
);

COMMENT ON TABLE @workspace@.tag IS
	'The tags that accounts, contacts, leads and opportunities may carry, in their column tags. Renaming one renames it everywhere; one that is in use cannot be deleted.';
COMMENT ON COLUMN @workspace@.tag.tag IS 'The tag itself';
COMMENT ON COLUMN @workspace@.tag.kind IS 'What it tells: interest, priority, status or other';
COMMENT ON COLUMN @workspace@.tag.color IS 'How to show it, such as #3366CC; NULL to leave that to who shows it';
COMMENT ON COLUMN @workspace@.tag.description IS 'What it stands for';
