-- What every package stands on: jobs, the audit log, accounts, files.

CREATE TABLE job (
	id       TEXT    PRIMARY KEY,
	kind     TEXT    NOT NULL,
	args     TEXT    NOT NULL,            -- JSON
	run_at   BIGINT  NOT NULL,            -- not before; while it runs, when its lease ends
	tries    INTEGER NOT NULL DEFAULT 0,
	error    TEXT,                        -- why the last try failed
	done_at  BIGINT,
	progress TEXT                         -- JSON, for whoever watches
);
CREATE INDEX job_due ON job (run_at) WHERE done_at IS NULL;

-- Append-only. Each row's hash covers the row before it, so that a row taken
-- out or changed afterwards shows.
CREATE TABLE audit (
	seq     BIGINT PRIMARY KEY,
	at      BIGINT NOT NULL,
	actor   TEXT   NOT NULL,              -- account, or "system", or "command line"
	action  TEXT   NOT NULL,              -- business verb, such as "plan.approve"
	subject TEXT   NOT NULL,              -- what it was done to
	detail  TEXT   NOT NULL,              -- JSON
	hash    TEXT   NOT NULL
);
CREATE INDEX audit_at ON audit (at);

CREATE TABLE account (
	id          TEXT   PRIMARY KEY,
	login       TEXT   NOT NULL UNIQUE,   -- lower case
	password    TEXT   NOT NULL,          -- argon2id in PHC form
	person_id   TEXT,                     -- who this is in org; NULL for a machine or an outside administrator
	lang        TEXT   NOT NULL,
	created_at  BIGINT NOT NULL,
	disabled_at BIGINT
);
CREATE INDEX account_person ON account (person_id);

CREATE TABLE account_role (
	account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	role       TEXT NOT NULL,
	PRIMARY KEY (account_id, role)
);

CREATE TABLE login_session (
	id         TEXT   PRIMARY KEY,        -- SHA-256 of the token in the cookie
	account_id TEXT   NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	created_at BIGINT NOT NULL,
	seen_at    BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	device     TEXT   NOT NULL,           -- User-Agent, for the person to recognise it
	address    TEXT   NOT NULL
);
CREATE INDEX login_session_account ON login_session (account_id);

-- Failed sign-ins per login and per address.
CREATE TABLE throttle (
	key      TEXT    PRIMARY KEY,
	failures INTEGER NOT NULL,
	until    BIGINT  NOT NULL
);

CREATE TABLE blob (
	hash  TEXT   PRIMARY KEY,             -- SHA-256, hexadecimal
	type  TEXT   NOT NULL,                -- media type
	size  BIGINT NOT NULL,
	bytes BYTEA  NOT NULL
);
