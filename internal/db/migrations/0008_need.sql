-- What people need to learn, and the evidence for it.

-- How someone judged a person at a skill.
CREATE TABLE rating (
	programme_id TEXT    NOT NULL REFERENCES programme (id),
	person_id    TEXT    NOT NULL REFERENCES person (id),
	skill_id     TEXT    NOT NULL REFERENCES skill (id),
	rater        TEXT    NOT NULL CHECK (rater IN ('self', 'manager')),
	rater_id     TEXT    NOT NULL REFERENCES person (id),
	able         INTEGER NOT NULL CHECK (able BETWEEN 1 AND 5),
	important    INTEGER NOT NULL CHECK (important BETWEEN 1 AND 5),
	statement_id TEXT    NOT NULL,
	at           BIGINT  NOT NULL,
	PRIMARY KEY (programme_id, person_id, skill_id, rater)
);

-- A note from an interview, filed to a skill.
CREATE TABLE interview (
	id           TEXT   PRIMARY KEY,
	programme_id TEXT   NOT NULL REFERENCES programme (id),
	skill_id     TEXT   NOT NULL REFERENCES skill (id),
	position_id  TEXT   REFERENCES position (id),
	who          TEXT   NOT NULL,         -- whom, in general words: "a shop manager"
	note         TEXT   NOT NULL,         -- text in both languages
	at           BIGINT NOT NULL
);

-- What was found: one row per skill and position at each finding.
CREATE TABLE need (
	programme_id TEXT    NOT NULL REFERENCES programme (id),
	skill_id     TEXT    NOT NULL REFERENCES skill (id),
	position_id  TEXT    NOT NULL REFERENCES position (id),
	people       INTEGER NOT NULL,
	gap          DOUBLE PRECISION NOT NULL,  -- R − S, points, mean over people
	gap_se       DOUBLE PRECISION NOT NULL,
	score        DOUBLE PRECISION NOT NULL,  -- 0–100, by the stated weights
	place        INTEGER NOT NULL,           -- 1 is the greatest need
	evidence     TEXT    NOT NULL,           -- JSON; need.Evidence
	weights      TEXT    NOT NULL,           -- JSON; need.Weights it was ranked by
	found_at     BIGINT  NOT NULL,
	approved_at  BIGINT,
	approved_by  TEXT,
	comment      TEXT    NOT NULL,
	PRIMARY KEY (programme_id, skill_id, position_id)
);
