-- Plans: what was asked of the planner, and what it answered.

CREATE TABLE plan (
	id           TEXT PRIMARY KEY,
	programme_id TEXT NOT NULL REFERENCES programme (id),
	name         TEXT NOT NULL,
	status       TEXT NOT NULL CHECK (status IN ('draft', 'solved', 'infeasible', 'approved', 'superseded')),
	options      TEXT NOT NULL,           -- JSON; plan.Options
	result       TEXT NOT NULL,           -- JSON; plan.Result
	created_at   BIGINT NOT NULL,
	approved_at  BIGINT,
	approved_by  TEXT
);
CREATE INDEX plan_programme ON plan (programme_id);

CREATE TABLE plan_choice (
	plan_id     TEXT NOT NULL REFERENCES plan (id) ON DELETE CASCADE,
	person_id   TEXT NOT NULL REFERENCES person (id),
	offering_id TEXT NOT NULL REFERENCES offering (id),
	session_id  TEXT REFERENCES session (id),
	drawn       BOOLEAN NOT NULL,         -- whether the seat was drawn by lot
	PRIMARY KEY (plan_id, person_id, offering_id)
);

-- What the plan expects of each person, to be held against what came.
CREATE TABLE plan_gain (
	plan_id   TEXT NOT NULL REFERENCES plan (id) ON DELETE CASCADE,
	person_id TEXT NOT NULL REFERENCES person (id),
	e         DOUBLE PRECISION NOT NULL,  -- baseline standard deviations
	hours     DOUBLE PRECISION NOT NULL,
	cost      DOUBLE PRECISION NOT NULL,
	PRIMARY KEY (plan_id, person_id)
);
