-- Tests, attempts and answers; ability; surveys; standard setting.

CREATE TABLE test (
	id           TEXT PRIMARY KEY,
	programme_id TEXT REFERENCES programme (id),
	purpose      TEXT NOT NULL CHECK (purpose IN ('before', 'after', 'practice')),
	name         TEXT NOT NULL,           -- text in both languages
	minutes      INTEGER,                 -- time limit; NULL: none
	opens_at     BIGINT NOT NULL,
	closes_at    BIGINT
);
CREATE INDEX test_programme ON test (programme_id);

CREATE TABLE test_skill (
	test_id  TEXT    NOT NULL REFERENCES test (id),
	skill_id TEXT    NOT NULL REFERENCES skill (id),
	items    INTEGER NOT NULL CHECK (items > 0),  -- asked of each person
	PRIMARY KEY (test_id, skill_id)
);

CREATE TABLE attempt (
	id          TEXT    PRIMARY KEY,
	test_id     TEXT    NOT NULL REFERENCES test (id),
	person_id   TEXT    NOT NULL REFERENCES person (id),
	number      INTEGER NOT NULL,         -- 1; 2 and on are retakes
	started_at  BIGINT  NOT NULL,
	finished_at BIGINT,
	UNIQUE (test_id, person_id, number)
);
CREATE INDEX attempt_person ON attempt (person_id);

-- Every item a person was shown; answered or not.
CREATE TABLE answer (
	attempt_id   TEXT    NOT NULL REFERENCES attempt (id),
	place        INTEGER NOT NULL,        -- order shown, from 1
	item_id      TEXT    NOT NULL REFERENCES item (id),
	choice       INTEGER,                 -- option chosen, from 0; NULL: not answered
	correct      BOOLEAN,
	shown_at     BIGINT  NOT NULL,
	answered_at  BIGINT,
	statement_id TEXT,
	PRIMARY KEY (attempt_id, place),
	UNIQUE (attempt_id, item_id)
);
CREATE INDEX answer_item ON answer (item_id);

-- One row per estimate; the latest is the person's level. Rows are never updated.
CREATE TABLE ability (
	person_id TEXT    NOT NULL REFERENCES person (id),
	skill_id  TEXT    NOT NULL REFERENCES skill (id),
	at        BIGINT  NOT NULL,
	theta     DOUBLE PRECISION NOT NULL,  -- logits, on the bank's calibration
	theta_se  DOUBLE PRECISION NOT NULL CHECK (theta_se > 0),
	s         DOUBLE PRECISION NOT NULL,  -- proficiency, 0–100
	s_se      DOUBLE PRECISION NOT NULL,
	answers   INTEGER NOT NULL,           -- how many it rests on
	test_id   TEXT    REFERENCES test (id),
	PRIMARY KEY (person_id, skill_id, at)
);

-- Surveys: of needs, of reactions, of the company's own.
CREATE TABLE survey (
	id           TEXT PRIMARY KEY,
	programme_id TEXT REFERENCES programme (id),
	purpose      TEXT NOT NULL CHECK (purpose IN ('needs', 'reaction', 'other')),
	name         TEXT NOT NULL,           -- text in both languages
	questions    TEXT NOT NULL,           -- JSON; assess.Question
	opens_at     BIGINT NOT NULL,
	closes_at    BIGINT
);

CREATE TABLE survey_response (
	survey_id    TEXT   NOT NULL REFERENCES survey (id),
	person_id    TEXT   NOT NULL REFERENCES person (id),
	answers      TEXT   NOT NULL,         -- JSON, by question
	at           BIGINT NOT NULL,
	statement_id TEXT   NOT NULL,
	PRIMARY KEY (survey_id, person_id)
);

-- Expert panels set the level a position asks for (Angoff): item by item, the
-- chance that a just-qualified person is right.
CREATE TABLE panel (
	id          TEXT   PRIMARY KEY,
	position_id TEXT   NOT NULL REFERENCES position (id),
	skill_id    TEXT   NOT NULL REFERENCES skill (id),
	opened_at   BIGINT NOT NULL,
	closed_at   BIGINT
);

CREATE TABLE panel_rating (
	panel_id TEXT NOT NULL REFERENCES panel (id),
	expert   TEXT NOT NULL,               -- person, or an outside expert's name
	item_id  TEXT NOT NULL REFERENCES item (id),
	chance   DOUBLE PRECISION NOT NULL CHECK (chance BETWEEN 0 AND 1),
	at       BIGINT NOT NULL,
	PRIMARY KEY (panel_id, expert, item_id)
);
