-- Programmes and what is offered in them; who is enrolled, drawn, present;
-- where each person is in each activity; how long they attended to it.

-- A programme is one turn of the loop (a training cycle). The next opens from
-- what the last one found to improve.
CREATE TABLE programme (
	id          TEXT    PRIMARY KEY,
	name        TEXT    NOT NULL,         -- text in both languages
	cycle       INTEGER NOT NULL,         -- 1, 2, …
	previous_id TEXT    REFERENCES programme (id),
	stage       TEXT    NOT NULL CHECK (stage IN ('need', 'content', 'plan', 'delivery', 'evaluate', 'closed')),
	because     TEXT    NOT NULL,         -- JSON: the improvement it came from; {} for the first
	starts_on   BIGINT,                   -- first training day
	days        INTEGER NOT NULL,         -- training days
	hours       DOUBLE PRECISION NOT NULL,-- a day, at most, for a person
	money       DOUBLE PRECISION NOT NULL,-- budget, in the company's currency
	created_at  BIGINT  NOT NULL,
	closed_at   BIGINT
);

-- A course offered in a programme: self-paced, or in dated sessions.
CREATE TABLE offering (
	id           TEXT    PRIMARY KEY,
	programme_id TEXT    NOT NULL REFERENCES programme (id),
	course_id    TEXT    NOT NULL REFERENCES course (id),
	dated        BOOLEAN NOT NULL,
	cost         DOUBLE PRECISION NOT NULL,  -- a seat
	mandatory    BOOLEAN NOT NULL,
	due          BIGINT,                  -- of a mandatory or self-paced one
	after_id     TEXT    REFERENCES offering (id)  -- prerequisite
);
CREATE INDEX offering_programme ON offering (programme_id);
CREATE INDEX offering_course ON offering (course_id);

CREATE TABLE session (
	id          TEXT    PRIMARY KEY,
	offering_id TEXT    NOT NULL REFERENCES offering (id),
	starts_at   BIGINT  NOT NULL,
	ends_at     BIGINT  NOT NULL,
	seats       INTEGER NOT NULL CHECK (seats > 0),
	site_id     TEXT    REFERENCES unit (id),  -- NULL: online, for everybody
	room        TEXT    NOT NULL,
	trainer     TEXT    NOT NULL,
	secret      TEXT    NOT NULL,         -- what the rotating sign-in code is made from
	cancelled_at BIGINT
);
CREATE INDEX session_offering ON session (offering_id);
CREATE INDEX session_time ON session (starts_at);

-- A lot drawn for scarce seats, so that effects can be seen.
CREATE TABLE draw (
	id          TEXT    PRIMARY KEY,
	plan_id     TEXT    NOT NULL,
	offering_id TEXT    NOT NULL REFERENCES offering (id),
	seed        BIGINT  NOT NULL,
	seats       INTEGER NOT NULL,
	band        DOUBLE PRECISION NOT NULL,  -- width of the pool about the seat's price, E
	cost        DOUBLE PRECISION NOT NULL,  -- what drawing rather than choosing is expected to lose, summed E
	drawn_at    BIGINT  NOT NULL
);
CREATE INDEX draw_offering ON draw (offering_id);

CREATE TABLE draw_entry (
	draw_id     TEXT    NOT NULL REFERENCES draw (id),
	person_id   TEXT    NOT NULL REFERENCES person (id),
	session_id  TEXT    NOT NULL REFERENCES session (id),  -- the seat that was drawn for
	stratum     TEXT    NOT NULL,
	probability DOUBLE PRECISION NOT NULL CHECK (probability > 0 AND probability < 1),
	drawn       BOOLEAN NOT NULL,         -- false: waits
	PRIMARY KEY (draw_id, person_id)
);

CREATE TABLE enrolment (
	person_id   TEXT   NOT NULL REFERENCES person (id),
	offering_id TEXT   NOT NULL REFERENCES offering (id),
	session_id  TEXT   REFERENCES session (id),
	status      TEXT   NOT NULL CHECK (status IN ('enrolled', 'waiting', 'exempt', 'cancelled')),
	source      TEXT   NOT NULL,          -- plan, draw, person, manager, rule
	reason      TEXT   NOT NULL,          -- of an exemption or cancellation
	at          BIGINT NOT NULL,
	begun_at    BIGINT,                   -- first activity opened, or the session attended
	done_at     BIGINT,                   -- every activity completed, or the session attended
	PRIMARY KEY (person_id, offering_id)
);
CREATE INDEX enrolment_offering ON enrolment (offering_id, status, begun_at, done_at, person_id);  -- all that is counted
CREATE INDEX enrolment_session ON enrolment (session_id);

CREATE TABLE attendance (
	session_id   TEXT   NOT NULL REFERENCES session (id),
	person_id    TEXT   NOT NULL REFERENCES person (id),
	status       TEXT   NOT NULL CHECK (status IN ('present', 'late', 'absent')),
	by           TEXT   NOT NULL,         -- code, sheet
	statement_id TEXT   NOT NULL,
	at           BIGINT NOT NULL,
	PRIMARY KEY (session_id, person_id)
);
CREATE INDEX attendance_person ON attendance (person_id);

-- Where a person is in an activity: what the player resumes from.
CREATE TABLE progress (
	person_id   TEXT   NOT NULL REFERENCES person (id),
	activity_id TEXT   NOT NULL REFERENCES activity (id),
	state       TEXT   NOT NULL,          -- JSON, by kind of activity
	version     BIGINT NOT NULL,          -- raised at each save; a save from an older one is refused
	started_at  BIGINT NOT NULL,
	saved_at    BIGINT NOT NULL,
	done_at     BIGINT,
	PRIMARY KEY (person_id, activity_id)
);
CREATE INDEX progress_activity ON progress (activity_id);

-- Without consent no visit is measured.
CREATE TABLE consent (
	person_id    TEXT   NOT NULL REFERENCES person (id),
	what         TEXT   NOT NULL,         -- "attention"
	given_at     BIGINT NOT NULL,
	withdrawn_at BIGINT,
	PRIMARY KEY (person_id, what, given_at)
);

CREATE TABLE visit (
	id           TEXT   PRIMARY KEY,
	person_id    TEXT   NOT NULL REFERENCES person (id),
	activity_id  TEXT   NOT NULL REFERENCES activity (id),
	started_at   BIGINT NOT NULL,
	open_ms      BIGINT NOT NULL,         -- from opening to leaving
	focused_ms   BIGINT NOT NULL,         -- visible, focused and active
	segments     TEXT   NOT NULL,         -- JSON list of [start, end] ms from started_at that were focused
	statement_id TEXT   NOT NULL
);
CREATE INDEX visit_person ON visit (person_id, started_at);
CREATE INDEX visit_activity ON visit (activity_id, person_id, open_ms, focused_ms);
