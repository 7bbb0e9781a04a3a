-- Match models: what was learned about the fields of contacts or accounts, a
-- row for each thing that anybody may read, correct or carry elsewhere.

CREATE TABLE @workspace@.match_model (
	strategy text PRIMARY KEY REFERENCES @workspace@.match_strategy ON UPDATE CASCADE ON DELETE CASCADE,
	prior double precision NOT NULL CHECK (prior > 0 AND prior < 1),
	kin_prior double precision CHECK (kin_prior >= 0 AND kin_prior < 1),
	namesake_prior double precision CHECK (namesake_prior >= 0 AND namesake_prior < 1),
	near_prior double precision CHECK (near_prior >= 0 AND near_prior < 1),
	colleague_prior double precision CHECK (colleague_prior >= 0 AND colleague_prior < 1),
	given_comparison text,
	family_comparison text,
	swapped_m double precision CHECK (swapped_m > 0 AND swapped_m < 1),
	swapped_u double precision CHECK (swapped_u > 0 AND swapped_u < 1),
	block_limit integer NOT NULL DEFAULT 200 CHECK (block_limit BETWEEN 2 AND 100000),
	expected_records double precision CHECK (expected_records >= 0),
	refinements text[] NOT NULL DEFAULT '{}',
	is_trained boolean NOT NULL DEFAULT false,
	report jsonb,
	trained_at timestamptz,
	CHECK ((given_comparison IS NULL) = (family_comparison IS NULL))
);

COMMENT ON TABLE @workspace@.match_model IS
	'Probabilistic models of strategies (Fellegi and Sunter 1969): how likely two records are one person or company, going by how far their fields agree. Made by train_match_strategy(), or written by hand; write_match_model() and read_match_model() carry one as a document.';
COMMENT ON COLUMN @workspace@.match_model.strategy IS 'Strategy whose model this is';
COMMENT ON COLUMN @workspace@.match_model.prior IS 'Probability that two random records are one';
COMMENT ON COLUMN @workspace@.match_model.kin_prior IS 'Probability that two random records are of one household, or of one group of companies';
COMMENT ON COLUMN @workspace@.match_model.namesake_prior IS 'Probability that they are of two that bear one name';
COMMENT ON COLUMN @workspace@.match_model.near_prior IS 'Probability that they are of two in one place';
COMMENT ON COLUMN @workspace@.match_model.colleague_prior IS 'Probability that they are of two who work for one employer';
COMMENT ON COLUMN @workspace@.match_model.given_comparison IS 'Comparison of given names that may stand in the other''s place; NULL for none';
COMMENT ON COLUMN @workspace@.match_model.family_comparison IS 'Comparison of family names that may stand in the other''s place';
COMMENT ON COLUMN @workspace@.match_model.swapped_m IS 'Probability, among pairs that are one, that given and family name changed places';
COMMENT ON COLUMN @workspace@.match_model.swapped_u IS 'The same among pairs that are two';
COMMENT ON COLUMN @workspace@.match_model.block_limit IS 'Records of one blocking key up to which all are compared with all; more are split by the refinements';
COMMENT ON COLUMN @workspace@.match_model.expected_records IS 'How many records blocking keys are chosen for, when there are fewer so far';
COMMENT ON COLUMN @workspace@.match_model.refinements IS 'What splits blocks that are too large: field, field:transformation or field:transformation:length, the most telling first';
COMMENT ON COLUMN @workspace@.match_model.is_trained IS 'Were the parameters estimated from records, or are they the usual ones?';
COMMENT ON COLUMN @workspace@.match_model.report IS 'What the training found: records, matching pairs, evidence for each comparison, whether it converged';
COMMENT ON COLUMN @workspace@.match_model.trained_at IS 'When it was written';

CREATE TABLE @workspace@.match_model_field (
	strategy text NOT NULL REFERENCES @workspace@.match_model ON UPDATE CASCADE ON DELETE CASCADE,
	field text NOT NULL CHECK (field <> ''),
	place integer NOT NULL,
	kind text NOT NULL,
	column_name text,
	full_name_column text,
	part_of text,
	part text CHECK (part IN ('mailbox', 'domain')),
	is_blocking boolean NOT NULL DEFAULT true,
	agreement double precision NOT NULL CHECK (agreement > 0 AND agreement <= 1),
	rest_frequency double precision NOT NULL CHECK (rest_frequency > 0 AND rest_frequency <= 1),
	rest_word_frequency double precision CHECK (rest_word_frequency > 0 AND rest_word_frequency <= 1),
	units text[],
	PRIMARY KEY (strategy, field),
	CHECK ((part IS NULL) = (part_of IS NULL))
);

COMMENT ON TABLE @workspace@.match_model_field IS
	'The fields that a match model reads: each the normal form of a column, by its kind.';
COMMENT ON COLUMN @workspace@.match_model_field.strategy IS 'Strategy';
COMMENT ON COLUMN @workspace@.match_model_field.field IS 'Name of the field within the model';
COMMENT ON COLUMN @workspace@.match_model_field.place IS 'Place in the model';
COMMENT ON COLUMN @workspace@.match_model_field.kind IS 'What the column holds: given_name, family_name, full_name, organisation, email, website, phone, date, address, postcode, text, category, identifier or number';
COMMENT ON COLUMN @workspace@.match_model_field.column_name IS 'Column of match_records()';
COMMENT ON COLUMN @workspace@.match_model_field.full_name_column IS 'Column with the whole name, for records that lack the given or family name; NULL for none';
COMMENT ON COLUMN @workspace@.match_model_field.part_of IS 'Field that this is a part of; NULL for none';
COMMENT ON COLUMN @workspace@.match_model_field.part IS 'mailbox or domain of an e-mail address';
COMMENT ON COLUMN @workspace@.match_model_field.is_blocking IS 'May blocking keys be made of it? Not of what is kept in another table';
COMMENT ON COLUMN @workspace@.match_model_field.agreement IS 'Probability that two random records agree in it';
COMMENT ON COLUMN @workspace@.match_model_field.rest_frequency IS 'How frequent each value is that match_model_frequency does not list, as a share of records';
COMMENT ON COLUMN @workspace@.match_model_field.rest_word_frequency IS 'The same of words; NULL for fields that are not compared word by word';
COMMENT ON COLUMN @workspace@.match_model_field.units IS 'Words that mark a unit of a group of companies, besides the usual ones; NULL for none';

CREATE TABLE @workspace@.match_model_frequency (
	strategy text NOT NULL,
	field text NOT NULL,
	is_word boolean NOT NULL DEFAULT false,
	value text NOT NULL,
	frequency double precision NOT NULL CHECK (frequency > 0 AND frequency <= 1),
	PRIMARY KEY (strategy, field, is_word, value),
	FOREIGN KEY (strategy, field) REFERENCES @workspace@.match_model_field ON UPDATE CASCADE ON DELETE CASCADE
);

COMMENT ON TABLE @workspace@.match_model_frequency IS
	'How frequent values and words are: sharing a rare one says more than sharing a common one.';
COMMENT ON COLUMN @workspace@.match_model_frequency.strategy IS 'Strategy';
COMMENT ON COLUMN @workspace@.match_model_frequency.field IS 'Field';
COMMENT ON COLUMN @workspace@.match_model_frequency.is_word IS 'A word of values, or a whole value';
COMMENT ON COLUMN @workspace@.match_model_frequency.value IS 'Value or word in normal form';
COMMENT ON COLUMN @workspace@.match_model_frequency.frequency IS 'Share of records, or of words, between 0 and 1';

CREATE TABLE @workspace@.match_model_comparison (
	strategy text NOT NULL REFERENCES @workspace@.match_model ON UPDATE CASCADE ON DELETE CASCADE,
	comparison text NOT NULL CHECK (comparison <> ''),
	place integer NOT NULL,
	field text NOT NULL,
	email_field text,
	shared_by text[] NOT NULL DEFAULT '{}' CHECK (shared_by <@ '{kin,namesake,near,colleague}'),
	PRIMARY KEY (strategy, comparison),
	FOREIGN KEY (strategy, field) REFERENCES @workspace@.match_model_field ON UPDATE CASCADE ON DELETE CASCADE
);

COMMENT ON TABLE @workspace@.match_model_comparison IS
	'The comparisons of a match model, each of one field in two records.';
COMMENT ON COLUMN @workspace@.match_model_comparison.strategy IS 'Strategy';
COMMENT ON COLUMN @workspace@.match_model_comparison.comparison IS 'Name of the comparison';
COMMENT ON COLUMN @workspace@.match_model_comparison.place IS 'Place in the model';
COMMENT ON COLUMN @workspace@.match_model_comparison.field IS 'Field that is compared';
COMMENT ON COLUMN @workspace@.match_model_comparison.email_field IS 'E-mail address that a blank name is looked for in; NULL for none';
COMMENT ON COLUMN @workspace@.match_model_comparison.shared_by IS 'Which related records have it in common as a rule: kin (a household, a group), namesake, near (one place), colleague (one employer)';

CREATE TABLE @workspace@.match_model_level (
	strategy text NOT NULL,
	comparison text NOT NULL,
	place integer NOT NULL,
	label text NOT NULL,
	test text NOT NULL,
	threshold double precision,
	uses_frequency boolean NOT NULL DEFAULT false,
	m double precision NOT NULL CHECK (m > 0 AND m <= 1),
	u double precision NOT NULL CHECK (u > 0 AND u <= 1),
	kin double precision CHECK (kin > 0 AND kin <= 1),
	namesake double precision CHECK (namesake > 0 AND namesake <= 1),
	near double precision CHECK (near > 0 AND near <= 1),
	colleague double precision CHECK (colleague > 0 AND colleague <= 1),
	PRIMARY KEY (strategy, comparison, place),
	FOREIGN KEY (strategy, comparison) REFERENCES @workspace@.match_model_comparison ON UPDATE CASCADE ON DELETE CASCADE
);

COMMENT ON TABLE @workspace@.match_model_level IS
	'The levels of agreement of comparisons: the first whose test holds is the pair''s. Worth log2(m / u) bits.';
COMMENT ON COLUMN @workspace@.match_model_level.strategy IS 'Strategy';
COMMENT ON COLUMN @workspace@.match_model_level.comparison IS 'Comparison';
COMMENT ON COLUMN @workspace@.match_model_level.place IS 'Levels are tried by place';
COMMENT ON COLUMN @workspace@.match_model_level.label IS 'What the level means';
COMMENT ON COLUMN @workspace@.match_model_level.test IS 'What must hold: exact, jaro_winkler, edits, words, nickname, ... or else';
COMMENT ON COLUMN @workspace@.match_model_level.threshold IS 'Limit of the test: least similarity, or most edits or days; NULL where it has none';
COMMENT ON COLUMN @workspace@.match_model_level.uses_frequency IS 'Does the level count for more where the value is rare?';
COMMENT ON COLUMN @workspace@.match_model_level.m IS 'Probability of the level among pairs that are one';
COMMENT ON COLUMN @workspace@.match_model_level.u IS 'Probability of the level among pairs that are two';
COMMENT ON COLUMN @workspace@.match_model_level.kin IS 'Probability among two of one household or group; NULL where they need not share it';
COMMENT ON COLUMN @workspace@.match_model_level.namesake IS 'Probability among two of one name; NULL where they need not share it';
COMMENT ON COLUMN @workspace@.match_model_level.near IS 'Probability among two in one place; NULL where they need not share it';
COMMENT ON COLUMN @workspace@.match_model_level.colleague IS 'Probability among two of one employer; NULL where they need not share it';

CREATE TABLE @workspace@.match_model_dependence (
	strategy text NOT NULL,
	left_comparison text NOT NULL,
	right_comparison text NOT NULL,
	place integer NOT NULL,
	m double precision[] NOT NULL CHECK (pg_catalog.array_ndims(m) = 2),
	u double precision[] NOT NULL CHECK (pg_catalog.array_ndims(u) = 2),
	PRIMARY KEY (strategy, left_comparison, right_comparison),
	FOREIGN KEY (strategy, left_comparison) REFERENCES @workspace@.match_model_comparison (strategy, comparison) ON UPDATE CASCADE ON DELETE CASCADE,
	FOREIGN KEY (strategy, right_comparison) REFERENCES @workspace@.match_model_comparison (strategy, comparison) ON UPDATE CASCADE ON DELETE CASCADE
);

COMMENT ON TABLE @workspace@.match_model_dependence IS
	'Comparisons that depend on each other, such as city and postal code: how much more likely two levels are together than if they were independent (Chow and Liu 1968).';
COMMENT ON COLUMN @workspace@.match_model_dependence.strategy IS 'Strategy';
COMMENT ON COLUMN @workspace@.match_model_dependence.left_comparison IS 'The one comparison';
COMMENT ON COLUMN @workspace@.match_model_dependence.right_comparison IS 'The other comparison';
COMMENT ON COLUMN @workspace@.match_model_dependence.place IS 'Place in the model';
COMMENT ON COLUMN @workspace@.match_model_dependence.m IS 'Ratios among pairs that are one: a row for each level of the left comparison, a column for each of the right';
COMMENT ON COLUMN @workspace@.match_model_dependence.u IS 'The same among pairs that are two';

CREATE TABLE @workspace@.match_model_key (
	strategy text NOT NULL REFERENCES @workspace@.match_model ON UPDATE CASCADE ON DELETE CASCADE,
	place integer NOT NULL,
	parts text[] NOT NULL CHECK (pg_catalog.cardinality(parts) BETWEEN 1 AND 4),
	recall double precision CHECK (recall BETWEEN 0 AND 1),
	PRIMARY KEY (strategy, place)
);

COMMENT ON TABLE @workspace@.match_model_key IS
	'The blocking keys of a match model: records are compared where they agree on one.';
COMMENT ON COLUMN @workspace@.match_model_key.strategy IS 'Strategy';
COMMENT ON COLUMN @workspace@.match_model_key.place IS 'Keys are used by place';
COMMENT ON COLUMN @workspace@.match_model_key.parts IS 'Parts that must all agree: field, field:transformation or field:transformation:length';
COMMENT ON COLUMN @workspace@.match_model_key.recall IS 'Share of matching pairs that it finds by itself, as estimated at training; NULL when unknown';

CREATE TABLE @workspace@.duplicate_search (
	strategy text PRIMARY KEY REFERENCES @workspace@.match_strategy ON UPDATE CASCADE ON DELETE CASCADE,
	searched_at timestamptz NOT NULL,
	was_complete boolean NOT NULL,
	records bigint NOT NULL,
	changed bigint NOT NULL,
	pairs bigint NOT NULL,
	clusters bigint NOT NULL,
	took interval NOT NULL,
	basis text NOT NULL,
	horizon text NOT NULL
);

COMMENT ON TABLE @workspace@.duplicate_search IS
	'The last run of find_duplicates() by each strategy. Written by the system alone.';
COMMENT ON COLUMN @workspace@.duplicate_search.strategy IS 'Strategy';
COMMENT ON COLUMN @workspace@.duplicate_search.searched_at IS 'When it began';
COMMENT ON COLUMN @workspace@.duplicate_search.was_complete IS 'Were all records compared, or only those that had changed?';
COMMENT ON COLUMN @workspace@.duplicate_search.records IS 'Records there were';
COMMENT ON COLUMN @workspace@.duplicate_search.changed IS 'Records that were compared with all others';
COMMENT ON COLUMN @workspace@.duplicate_search.pairs IS 'Pairs in duplicate_pair afterwards';
COMMENT ON COLUMN @workspace@.duplicate_search.clusters IS 'Clusters in duplicate afterwards';
COMMENT ON COLUMN @workspace@.duplicate_search.took IS 'How long it took';
COMMENT ON COLUMN @workspace@.duplicate_search.basis IS 'Digest of the rules and the model that it went by: others mean that all is to be compared anew';
COMMENT ON COLUMN @workspace@.duplicate_search.horizon IS 'System and transaction from which on records count as changed next time';

CREATE TABLE @workspace@.duplicate_pair (
	strategy text NOT NULL REFERENCES @workspace@.match_strategy ON UPDATE CASCADE ON DELETE CASCADE,
	left_id bigint NOT NULL,
	right_id bigint NOT NULL,
	probability double precision NOT NULL CHECK (probability BETWEEN 0 AND 1),
	PRIMARY KEY (strategy, left_id, right_id),
	CHECK (left_id < right_id)
);

COMMENT ON TABLE @workspace@.duplicate_pair IS
	'Pairs of contacts or accounts that find_duplicates() found to be at least possibly one. Written by the system alone.';
COMMENT ON COLUMN @workspace@.duplicate_pair.strategy IS 'Strategy that found it';
COMMENT ON COLUMN @workspace@.duplicate_pair.left_id IS 'The lower id';
COMMENT ON COLUMN @workspace@.duplicate_pair.right_id IS 'The higher id';
COMMENT ON COLUMN @workspace@.duplicate_pair.probability IS 'Probability that they are one, between 0 and 1; 1 where a rule says so';

CREATE INDEX duplicate_pair_right_id_idx ON @workspace@.duplicate_pair (strategy, right_id);

CREATE TABLE @workspace@.duplicate (
	strategy text NOT NULL REFERENCES @workspace@.match_strategy ON UPDATE CASCADE ON DELETE CASCADE,
	id bigint NOT NULL,
	cluster_id bigint NOT NULL,
	PRIMARY KEY (strategy, id)
);

COMMENT ON TABLE @workspace@.duplicate IS
	'Contacts or accounts that are several records of one, as find_duplicates() last found. Written by the system alone.';
COMMENT ON COLUMN @workspace@.duplicate.strategy IS 'Strategy';
COMMENT ON COLUMN @workspace@.duplicate.id IS 'Contact or account';
COMMENT ON COLUMN @workspace@.duplicate.cluster_id IS 'The lowest id of those it is one with, which stays when others join';

CREATE INDEX duplicate_cluster_id_idx ON @workspace@.duplicate (strategy, cluster_id);
