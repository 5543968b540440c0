-- People, units, positions, business processes, skills, requirements.
-- Columns said to be "text in both languages" hold JSON {"zh":…,"en":…}.

CREATE TABLE company (
	id              INTEGER PRIMARY KEY CHECK (id = 1),
	name            TEXT    NOT NULL,     -- text in both languages
	simulated       BOOLEAN NOT NULL,     -- every page says so
	alpha           DOUBLE PRECISION NOT NULL CHECK (alpha >= 0),  -- weight of skill in E
	beta            DOUBLE PRECISION NOT NULL CHECK (beta >= 0),   -- weight of innovation in E
	sigma_s         DOUBLE PRECISION,     -- standard deviation of S at the first baseline, points; NULL until then, then frozen
	sigma_i         DOUBLE PRECISION,     -- of innovation, likewise
	attention_a_day INTEGER NOT NULL,     -- minutes of focus a person may be asked for in a day
	zone            TEXT    NOT NULL      -- IANA time zone that days are counted in
);

CREATE TABLE unit (
	id        TEXT PRIMARY KEY,
	parent_id TEXT REFERENCES unit (id) DEFERRABLE INITIALLY DEFERRED,
	path      TEXT NOT NULL UNIQUE,       -- names from the root, joined by '/'
	name      TEXT NOT NULL,              -- text in both languages
	site      BOOLEAN NOT NULL,           -- people of one site can meet without travel
	closed_at BIGINT
);
CREATE INDEX unit_parent ON unit (parent_id);

CREATE TABLE position (
	id         TEXT PRIMARY KEY,
	name       TEXT NOT NULL,             -- text in both languages
	occupation TEXT,                      -- O*NET-SOC code it was adopted from
	created_at BIGINT NOT NULL
);

CREATE TABLE person (
	id          TEXT PRIMARY KEY,
	number      TEXT NOT NULL UNIQUE,     -- the company's employee number
	pseudonym   TEXT NOT NULL UNIQUE,     -- whom statements speak of
	name        TEXT NOT NULL,
	email       TEXT NOT NULL,            -- empty when unknown
	unit_id     TEXT NOT NULL REFERENCES unit (id),
	position_id TEXT NOT NULL REFERENCES position (id),
	manager_id  TEXT REFERENCES person (id) DEFERRABLE INITIALLY DEFERRED,
	lang        TEXT NOT NULL,
	hired_at    BIGINT,
	left_at     BIGINT                    -- NULL while employed
);
CREATE INDEX person_unit ON person (unit_id);
CREATE INDEX person_position ON person (position_id);
CREATE INDEX person_manager ON person (manager_id);

CREATE TABLE skill (
	id         TEXT PRIMARY KEY,
	name       TEXT NOT NULL,             -- text in both languages
	about      TEXT NOT NULL,             -- text in both languages
	kind       TEXT NOT NULL CHECK (kind IN ('skill', 'knowledge', 'style')),
	element    TEXT,                      -- O*NET element it comes from
	innovation BOOLEAN NOT NULL           -- the I of E = αΔS + βΔI
);
CREATE UNIQUE INDEX skill_element ON skill (element);
CREATE UNIQUE INDEX skill_innovation ON skill (innovation) WHERE innovation;

-- What a position asks for. Every row says where it came from.
CREATE TABLE requirement (
	position_id TEXT NOT NULL REFERENCES position (id),
	skill_id    TEXT NOT NULL REFERENCES skill (id),
	importance  DOUBLE PRECISION NOT NULL CHECK (importance BETWEEN 0 AND 100),
	weight      DOUBLE PRECISION NOT NULL CHECK (weight BETWEEN 0 AND 1),  -- in S of the position; 0 for innovation, else they sum to 1
	level       DOUBLE PRECISION CHECK (level BETWEEN 0 AND 100),          -- R, points of S; NULL until set
	level_se    DOUBLE PRECISION,         -- of a panel, points
	provisional BOOLEAN NOT NULL,         -- no panel has set it yet
	ceiling     DOUBLE PRECISION NOT NULL DEFAULT 95 CHECK (ceiling BETWEEN 0 AND 100),
	origin      TEXT NOT NULL,            -- JSON list of {kind, ref, note, at}
	PRIMARY KEY (position_id, skill_id)
);

CREATE TABLE process (
	id    TEXT PRIMARY KEY,
	name  TEXT NOT NULL,                  -- text in both languages
	about TEXT NOT NULL                   -- text in both languages
);

CREATE TABLE step (
	id          TEXT    PRIMARY KEY,
	process_id  TEXT    NOT NULL REFERENCES process (id) ON DELETE CASCADE,
	place       INTEGER NOT NULL,         -- order in the process, from 1
	name        TEXT    NOT NULL,         -- text in both languages
	difficulty  INTEGER NOT NULL CHECK (difficulty BETWEEN 1 AND 5),
	importance  INTEGER NOT NULL CHECK (importance BETWEEN 1 AND 5),
	frequency   INTEGER NOT NULL CHECK (frequency BETWEEN 1 AND 5)
);
CREATE INDEX step_process ON step (process_id);

CREATE TABLE step_position (
	step_id     TEXT NOT NULL REFERENCES step (id) ON DELETE CASCADE,
	position_id TEXT NOT NULL REFERENCES position (id),
	PRIMARY KEY (step_id, position_id)
);

CREATE TABLE step_skill (
	step_id  TEXT NOT NULL REFERENCES step (id) ON DELETE CASCADE,
	skill_id TEXT NOT NULL REFERENCES skill (id),
	PRIMARY KEY (step_id, skill_id)
);
