-- Courses, activities, item banks.

CREATE TABLE course (
	id         TEXT PRIMARY KEY,
	title      TEXT NOT NULL,             -- text in both languages
	about      TEXT NOT NULL,             -- text in both languages
	owner_id   TEXT REFERENCES person (id),
	status     TEXT NOT NULL CHECK (status IN ('draft', 'published', 'retired')),
	review_due BIGINT,                    -- after this day the course is stale, and says so
	created_at BIGINT NOT NULL
);

CREATE TABLE activity (
	id        TEXT    PRIMARY KEY,
	course_id TEXT    NOT NULL REFERENCES course (id),
	place     INTEGER NOT NULL,           -- order in the course, from 1
	kind      TEXT    NOT NULL,           -- page, video, quiz, scene, survey, workshop, role_play, exercise, coaching
	method    TEXT    NOT NULL,           -- whose prior its rate starts from; content.Methods
	title     TEXT    NOT NULL,           -- text in both languages
	body      TEXT    NOT NULL,           -- Markdown, text in both languages
	minutes   INTEGER NOT NULL CHECK (minutes > 0),
	spec      TEXT    NOT NULL            -- JSON, by kind: a quiz's items, a scene's branches, a survey's questions
);
CREATE INDEX activity_course ON activity (course_id);

-- What an activity teaches, and how fast it is believed to.
CREATE TABLE activity_skill (
	activity_id TEXT NOT NULL REFERENCES activity (id) ON DELETE CASCADE,
	skill_id    TEXT NOT NULL REFERENCES skill (id),
	share       DOUBLE PRECISION NOT NULL CHECK (share > 0 AND share <= 1),  -- of its minutes
	rate        DOUBLE PRECISION,         -- λ per focused hour, re-estimated; NULL: the method's prior
	rate_se     DOUBLE PRECISION,
	rate_from   TEXT,                     -- evaluation it was estimated in
	PRIMARY KEY (activity_id, skill_id)
);

CREATE TABLE item (
	id       TEXT PRIMARY KEY,
	skill_id TEXT NOT NULL REFERENCES skill (id),
	part     TEXT NOT NULL,               -- the point of the skill it asks about; text in both languages
	stem     TEXT NOT NULL,               -- text in both languages
	options  TEXT NOT NULL,               -- JSON list of texts in both languages
	answer   INTEGER NOT NULL,            -- index of the right option, from 0
	a        DOUBLE PRECISION,            -- discrimination, per logit; NULL until calibrated
	b        DOUBLE PRECISION,            -- difficulty, logits
	se_a     DOUBLE PRECISION,
	se_b     DOUBLE PRECISION,
	status   TEXT NOT NULL CHECK (status IN ('draft', 'active', 'retired'))
);
CREATE INDEX item_skill ON item (skill_id);
